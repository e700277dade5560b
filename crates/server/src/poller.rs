//! `Poller`: what carriers of a server take: sockets that are ready, connections whose turn was over, times that have come.
//!
//! All carriers wait in one `epoll` (edge-triggered, so that a message costs no call to register anew), and the kernel wakes one of them for
//! each socket that has something. So no message is handed from thread to thread. Which carrier that is, is chance; how a carrier keeps a client
//! that asks again and again is in [`crate::desk`]. See epoll(7).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd};
use session::Backend;
use slab::Slab;

use crate::attentive::Wakefulness;
use crate::locked;
use crate::seat::Seat;

/// The token of what wakes a carrier without a socket.
pub const POKE: u64 = u64::MAX;
/// So many clients are told of notifications before a carrier looks for other work.
const TOLD_MAX: usize = 16;

/// What accepts clients.
pub trait Accept: AsFd + Send + Sync {
    /// Accepts one that waits; what of it is to be run.
    fn accept(&self, poller: &Arc<Poller>) -> Option<Arc<Seat>>;
}

/// What an event is about.
#[derive(Clone)]
pub enum Entry {
    Seat(Arc<Seat>),
    Listener(Arc<dyn Accept>),
}

type Time = Reverse<(u64, u64)>;

/// A connection; with its backend, if that has notifications and nothing else is wanted.
type Queued = (Arc<Seat>, Option<Arc<Backend>>);

/// What carriers wait in.
pub struct Poller {
    epoll: OwnedFd,
    poke: OwnedFd,
    /// By the lower half of their tokens; the upper half is a number that no two of them share.
    entries: Mutex<Slab<(u32, Entry)>>,
    generation: AtomicU64,
    /// Connections whose turn was over, or that somebody woke.
    queue: Mutex<VecDeque<Queued>>,
    queued: AtomicUsize,
    /// Threads that sleep until there is an event: whoever queues something wakes one.
    sleeping: AtomicUsize,
    /// Whether the queue's turn is next.
    turn: AtomicBool,
    /// Times and tokens; of each seat at most one counts.
    times: Mutex<BinaryHeap<Time>>,
    /// The first of them; `u64::MAX`: none.
    first_time: AtomicU64,
    /// Carriers that attend to one client (P5).
    pub attendants: AtomicUsize,
    pub wakefulness: Arc<Wakefulness>,
    epoch: Instant,
    own: Weak<Poller>,
}

impl Poller {
    pub fn new(wakefulness: Arc<Wakefulness>) -> io::Result<Arc<Poller>> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let poke = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &poke, EventData::new_u64(POKE), EventFlags::IN | EventFlags::ET)?;
        Ok(Arc::new_cyclic(|own| Poller {
            epoll,
            poke,
            entries: Mutex::default(),
            generation: AtomicU64::new(0),
            queue: Mutex::default(),
            queued: AtomicUsize::new(0),
            sleeping: AtomicUsize::new(0),
            turn: AtomicBool::new(false),
            times: Mutex::default(),
            first_time: AtomicU64::new(u64::MAX),
            attendants: AtomicUsize::new(0),
            wakefulness,
            epoch: Instant::now(),
            own: own.clone(),
        }))
    }

    /// Nanoseconds since it was made.
    pub fn now(&self) -> u64 {
        self.at(Instant::now())
    }

    fn at(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX)
    }

    /// A token for what is to be told of, by `register`; without success it is forgotten.
    fn add(&self, entry: Entry, register: impl FnOnce(u64) -> io::Result<()>) -> io::Result<()> {
        let generation = self.generation.fetch_add(1, Ordering::Relaxed) as u32 & 0x7fff_ffff;
        let key = locked(&self.entries).insert((generation, entry));
        let token = u64::from(generation) << 32 | key as u64;
        register(token).inspect_err(|_| self.remove(token))
    }

    /// Registers a connection, which the caller then runs.
    pub fn add_seat(&self, seat: &Arc<Seat>) -> io::Result<()> {
        self.add(Entry::Seat(seat.clone()), |token| {
            seat.set_token(token);
            seat.register(&self.epoll)
        })
    }

    /// Registers a listener, which is told of as long as somebody waits: one after the other is accepted.
    pub fn add_listener(&self, listener: Arc<dyn Accept>) -> io::Result<()> {
        self.add(Entry::Listener(listener.clone()), |token| {
            Ok(epoll::add(&self.epoll, listener.as_fd(), EventData::new_u64(token), EventFlags::IN)?)
        })
    }

    /// Forgets a connection or listener; its socket is closed by its owner.
    pub fn remove(&self, token: u64) {
        let mut entries = locked(&self.entries);
        let key = (token & 0xffff_ffff) as usize;
        if entries.get(key).is_some_and(|e| u64::from(e.0) == token >> 32) {
            entries.remove(key);
        }
    }

    /// What a token stands for, if that is still there.
    pub fn entry(&self, token: u64) -> Option<Entry> {
        let entries = locked(&self.entries);
        let (generation, entry) = entries.get((token & 0xffff_ffff) as usize)?;
        (u64::from(*generation) == token >> 32).then(|| entry.clone())
    }

    /// A connection that is to be run, by whichever carrier comes to it.
    pub fn enqueue(&self, seat: Arc<Seat>) {
        self.push((seat, None));
    }

    /// A connection whose client is to be told of its backend's notifications: whichever carrier comes to it runs it only if that cannot be
    /// done without (P8).
    pub fn enqueue_mail(&self, seat: Arc<Seat>, backend: Arc<Backend>) {
        self.push((seat, Some(backend)));
    }

    fn push(&self, queued: Queued) {
        locked(&self.queue).push_back(queued);
        self.queued.fetch_add(1, Ordering::SeqCst);
        // Whoever is awake looks here before sleeping.
        if self.sleeping.load(Ordering::SeqCst) > 0 {
            self.poke();
        }
    }

    /// Has a connection looked at, by whatever thread calls this.
    pub fn wake(&self, seat: &Arc<Seat>) {
        if seat.stir() {
            self.enqueue(seat.clone());
        }
    }

    /// What is queued first, and has to be run. A few of those before it that only have notifications are told of them.
    pub fn queued(&self) -> Option<Arc<Seat>> {
        for _ in 0..TOLD_MAX {
            if self.queued.load(Ordering::SeqCst) == 0 {
                return None;
            }
            let (seat, mail) = locked(&self.queue).pop_front()?;
            // Two pokes may have woken one thread, which is about to be busy.
            if self.queued.fetch_sub(1, Ordering::SeqCst) > 1 && self.sleeping.load(Ordering::SeqCst) > 0 {
                self.poke();
            }
            if !mail.is_some_and(|backend| seat.tell(&backend)) {
                return Some(seat);
            }
        }
        None
    }

    /// Notes that a connection is parked, and until when it may be.
    pub fn park(&self, seat: &Arc<Seat>, until: Option<Instant>) {
        let Some(until) = until else {
            seat.deadline.store(0, Ordering::SeqCst);
            return;
        };
        let until = self.at(until);
        seat.deadline.store(until, Ordering::SeqCst);
        let listed = seat.listed.load(Ordering::SeqCst);
        if listed == 0 || listed > until {
            seat.listed.store(until, Ordering::SeqCst);
            self.note_time(until, seat.token());
        }
    }

    fn note_time(&self, until: u64, token: u64) {
        let first = {
            let mut times = locked(&self.times);
            times.push(Reverse((until, token)));
            let first = times.peek().map_or(u64::MAX, |t| t.0.0);
            self.first_time.swap(first, Ordering::SeqCst) > first
        };
        if first {
            // Whoever waits, waits for too long.
            self.poke_all();
        }
    }

    /// A connection whose time has come.
    pub fn due(&self) -> Option<Arc<Seat>> {
        let first = self.first_time.load(Ordering::SeqCst);
        if first == u64::MAX {
            return None;
        }
        let now = self.now();
        if first > now {
            return None;
        }
        let mut times = locked(&self.times);
        let mut found = None;
        while found.is_none()
            && let Some(&Reverse((time, token))) = times.peek()
            && time <= now
        {
            times.pop();
            let Some(Entry::Seat(seat)) = self.entry(token) else { continue };
            if seat.listed.load(Ordering::SeqCst) != time {
                // It has another place in the list by now.
                continue;
            }
            let deadline = seat.deadline.load(Ordering::SeqCst);
            seat.listed.store(if deadline > now { deadline } else { 0 }, Ordering::SeqCst);
            if deadline > now {
                times.push(Reverse((deadline, token)));
                continue;
            }
            if deadline > 0 && seat.stir() {
                found = Some(seat);
            }
        }
        self.first_time.store(times.peek().map_or(u64::MAX, |t| t.0.0), Ordering::SeqCst);
        found
    }

    /// Whether something is queued.
    pub fn has_queued(&self) -> bool {
        self.queued.load(Ordering::SeqCst) > 0
    }

    /// Whether there is anything that no carrier has taken.
    pub fn is_waiting(&self) -> bool {
        let is_due = || self.first_time.load(Ordering::SeqCst) <= self.now();
        let is_told =
            || rustix::event::poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], Some(&Timespec::default()));
        self.has_queued() || is_due() || is_told().is_ok_and(|n| n > 0)
    }

    /// Whether the queue comes before sockets this time: turn by turn, so that neither keeps the other from running.
    pub fn is_queues_turn(&self) -> bool {
        self.turn.fetch_xor(true, Ordering::Relaxed)
    }

    /// Sleeps until `epoll` tells of something, or a connection's time has come; not at all while something is queued.
    pub fn sleep(&self, epoll: &OwnedFd) -> Option<(u64, EventFlags)> {
        self.sleeping.fetch_add(1, Ordering::SeqCst);
        let found = if self.has_queued() {
            None
        } else {
            let first = self.first_time.load(Ordering::SeqCst);
            let left = (first != u64::MAX).then(|| Duration::from_nanos(first.saturating_sub(self.now())));
            wait(epoll, left)
        };
        self.sleeping.fetch_sub(1, Ordering::SeqCst);
        found
    }

    /// Who is told of all sockets that nobody attends to.
    pub fn epoll(&self) -> &OwnedFd {
        &self.epoll
    }

    /// The one handle that there are others of.
    pub fn shared(&self) -> Option<Arc<Poller>> {
        self.own.upgrade()
    }

    /// All connections.
    pub fn seats(&self) -> Vec<Arc<Seat>> {
        let seat = |e: &(u32, Entry)| if let Entry::Seat(seat) = &e.1 { Some(seat.clone()) } else { None };
        locked(&self.entries).iter().filter_map(|(_, e)| seat(e)).collect()
    }

    /// Forgets all listeners, which closes their sockets.
    pub fn close_listeners(&self) {
        locked(&self.entries).retain(|_, (_, entry)| {
            let Entry::Listener(listener) = entry else { return true };
            // P7
            let _ = epoll::delete(&self.epoll, listener.as_fd());
            false
        });
    }

    /// Has one of those who wait look at the queue.
    pub fn poke(&self) {
        let _ = rustix::io::write(&self.poke, &1u64.to_ne_bytes());
    }

    fn poke_all(&self) {
        // Each write is an event for one of them; those who find nothing wait again, with what is now the first time.
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            self.poke();
        }
    }
}

/// Waits until `epoll` tells of something, at most so long.
pub fn wait(epoll: &OwnedFd, at_most: Option<Duration>) -> Option<(u64, EventFlags)> {
    let mut room = [MaybeUninit::uninit(); 1];
    let time = at_most.map(|t| Timespec::try_from(t).unwrap_or(Timespec { tv_sec: 3600, tv_nsec: 0 }));
    let (events, _) = epoll::wait(epoll, &mut room[..], time.as_ref()).ok()?;
    events.first().map(|event| (event.data.u64(), event.flags))
}
