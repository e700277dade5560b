//! `Backend`: a session as others know it: its number, what interrupts it, what wakes it.
//!
//! The session itself is touched only by the thread that runs it. Everybody else has its `Backend`, whose parts are atomic or behind a lock
//! that is held for a moment: it can be cancelled, told to end, told of notifications, and looked at, whether it runs, waits or is parked.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use env::sync::Mutex;
use env::waiting::Wait;
use smallvec::SmallVec;
use storage::lock::{Interrupt, Probe};
use types::{Oid, Result};

use crate::activity::Activity;
use crate::notify::Notification;

/// Whoever keeps a session that may be parked.
pub trait Wake: Send + Sync {
    /// Has the session looked at.
    fn wake(&self);

    /// There are notifications for the session, whose backend this is. They may be taken and passed on by others than the session: `at_once`
    /// in this thread, without waiting for anything, or soon in another.
    fn tell(&self, backend: &Arc<Backend>, at_once: bool) {
        let _ = (backend, at_once);
        self.wake();
    }
}

/// A [`Wake`] that many have.
pub type Waker = Arc<dyn Wake>;

/// Notifications that a session has not taken yet.
#[derive(Default)]
struct Mailbox {
    /// Mostly there is one.
    notifications: SmallVec<[Notification; 1]>,
    /// Who counts their bytes.
    held: Option<Arc<AtomicUsize>>,
}

/// Where a session's client is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// In the program itself.
    Program,
    /// At the other end of a unix socket.
    Local,
    /// On the network.
    Network(SocketAddr),
}

/// How a session's client left it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Farewell {
    /// It has not, or without a word.
    Lost,
    /// It said so.
    Said,
    /// It was shown out with an error.
    Error,
}

/// A session as others know it.
pub struct Backend {
    pid: u32,
    pub(crate) database: Oid,
    pub(crate) user: Oid,
    /// Microseconds since 2000.
    pub(crate) since: i64,
    interrupt: Arc<Interrupt>,
    waker: OnceLock<Waker>,
    mail: Mutex<Mailbox>,
    /// Whether there is any.
    has_mail: AtomicBool,
    peer: Mutex<Peer>,
    /// A [`Farewell`].
    farewell: AtomicU8,
    /// What PostgreSQL calls its kind.
    pub(crate) kind: &'static str,
    /// What it says of itself.
    pub(crate) activity: Activity,
    /// What its statements and cursors take.
    pub(crate) meter: Arc<exec::Meter>,
}

impl Backend {
    pub(crate) fn new(
        pid: u32,
        (database, user): (Oid, Oid),
        since: i64,
        interrupt: Arc<Interrupt>,
        (kind, meter): (&'static str, Arc<exec::Meter>),
    ) -> Backend {
        Backend {
            pid,
            database,
            user,
            since,
            interrupt,
            waker: OnceLock::new(),
            mail: Mutex::default(),
            has_mail: AtomicBool::new(false),
            peer: Mutex::new(Peer::Program),
            farewell: AtomicU8::new(Farewell::Lost as u8),
            kind,
            activity: Activity::default(),
            meter,
        }
    }

    /// Says where its client is.
    pub fn set_peer(&self, peer: Peer) {
        *self.peer.lock() = peer;
    }

    /// Where its client is.
    pub fn peer(&self) -> Peer {
        *self.peer.lock()
    }

    /// Says how its client leaves it; the first word counts.
    pub fn set_farewell(&self, how: Farewell) {
        let lost = Farewell::Lost as u8;
        let _ = self.farewell.compare_exchange(lost, how as u8, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn farewell(&self) -> Farewell {
        match self.farewell.load(Ordering::Relaxed) {
            0 => Farewell::Lost,
            1 => Farewell::Said,
            _ => Farewell::Error,
        }
    }

    /// A thread runs it: a carrier by its number, or one of its own (0).
    pub fn run_by(&self, carrier: u32) {
        self.interrupt.set_waiting(None);
        self.activity.run_by(carrier);
    }

    /// Nobody runs it, until its client says something, or takes something.
    pub fn park(&self, why: Wait) {
        let now = || crate::host::micros_since_2000(&self.interrupt);
        self.activity.park(now);
        self.interrupt.set_waiting(Some(why));
    }

    /// Says that it waits, in the thread that runs it, and no longer.
    pub fn set_waiting(&self, why: Option<Wait>) {
        self.interrupt.set_waiting(why);
    }

    /// What it waits for.
    pub fn waiting(&self) -> Option<Wait> {
        self.interrupt.waiting()
    }

    /// Since when it waits for a lock, microseconds since 2000.
    pub(crate) fn waiting_since(&self) -> Option<i64> {
        let waits = self.waiting() == Some(Wait::Lock);
        waits.then(|| self.interrupt.waiting_since() - crate::host::EPOCH_2000)
    }

    /// What serves its client holds so many bytes, and so many portals.
    pub fn set_connection(&self, bytes: usize, portals: usize) {
        self.activity.set_connection(bytes, portals);
    }

    /// Whether no thread runs it.
    pub(crate) fn is_parked(&self) -> bool {
        self.activity.place() == crate::activity::Place::Parked
    }

    /// What it does.
    pub fn doing(&self) -> crate::activity::Doing {
        self.activity.doing()
    }

    /// The number others see it by.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends the running statement with `57014`, also one that is parked.
    pub fn cancel(&self) {
        self.interrupt.cancel();
        self.wake();
    }

    /// Ends the running statement, and every later one, with `57P01`; who is parked is woken to be told.
    pub fn terminate(&self) {
        self.interrupt.terminate();
        self.wake();
    }

    /// Every so many milliseconds of a statement `probe` is asked whether the client is gone; then the session ends. 0, or none: never.
    pub fn probe_client(&self, every_ms: u64, probe: Option<Probe>) {
        self.interrupt.set_probe(every_ms.saturating_mul(1_000_000), probe);
    }

    /// Whether it is to end.
    pub fn is_terminated(&self) -> bool {
        self.interrupt.is_terminated()
    }

    /// `Err` when the running statement must stop.
    ///
    /// # Errors
    /// `57014` or `57P01`.
    pub fn check(&self) -> Result<()> {
        Ok(self.interrupt.check()?)
    }

    /// Who is called when there is something to see for a session that may be parked; the first one counts.
    pub fn set_waker(&self, waker: Waker) {
        let _ = self.waker.set(waker);
    }

    /// Leaves a notification for it; `held` counts the bytes of those that are not taken. Whether somebody is to call
    /// [`Backend::tell_of_mail`] for it.
    pub(crate) fn post(&self, notification: Notification, held: &Arc<AtomicUsize>) -> bool {
        held.fetch_add(notification.bytes(), Ordering::Relaxed);
        let mut mail = self.mail.lock();
        mail.notifications.push(notification);
        mail.held.get_or_insert_with(|| held.clone());
        !self.has_mail.swap(true, Ordering::SeqCst)
    }

    /// Has its notifications taken: in this thread, if that can be done and is to be `at_once`.
    pub(crate) fn tell_of_mail(self: &Arc<Backend>, at_once: bool) {
        match self.waker.get() {
            Some(waker) => waker.tell(self, at_once),
            // One of the program's own waits by itself.
            None => self.interrupt.nudge(),
        }
    }

    /// Whether there are notifications to take.
    pub fn has_mail(&self) -> bool {
        self.has_mail.load(Ordering::SeqCst)
    }

    /// What was sent to it since the last time. Its client may be told between transactions only.
    pub fn take_mail(&self) -> SmallVec<[Notification; 1]> {
        if !self.has_mail() {
            return SmallVec::new();
        }
        let mut mail = self.mail.lock();
        self.has_mail.store(false, Ordering::SeqCst);
        let taken = std::mem::take(&mut mail.notifications);
        if let Some(held) = &mail.held {
            held.fetch_sub(taken.iter().map(Notification::bytes).sum(), Ordering::Relaxed);
        }
        taken
    }

    /// Has it looked at, if it is parked.
    pub fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }
}
