//! `Seat`: where a connection is between two runs, and who may run it.
//!
//! A connection is run by one thread at a time. What its seat's state says decides which:
//!
//! | state | means | left for |
//! |---|---|---|
//! | Parked | nobody runs it; it waits for its client | Running, by whoever sees something for it |
//! | Running | one thread has it, or it waits in the queue for one | Parked, or Gone, by that thread |
//! | Stirred | as Running, and something came meanwhile | Running, by that thread, which looks again |
//! | Gone | it has ended | - |
//!
//! So an event is never lost (P1): it either starts a run or makes the one under way look again; and nobody waits for the lock around the
//! connection (P2), which is there only because the compiler cannot see the states. A socket of which a read took less than it could is not
//! read again before its next event, unless an event has told of the client's end, of which there is no other (P3). A socket leaves its epoll
//! before it is closed (P7): Linux lets a thread that waits there hold on to what it has just looked at, and what is closed by others
//! meanwhile stays open until that thread comes back, which may be never; its client would wait for the end of a connection that has ended.
//!
//! Notifications of a connection that waits between transactions, with nothing unsent, are sent by whoever delivers them, who takes the seat
//! as if to run it (P8): a run would touch some forty lines of memory that nobody has used for long, for a client that has said nothing.

use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use bytes::BytesMut;
use rustix::event::epoll::{self, EventData, EventFlags};
use session::{Backend, Wake};

use crate::channel::Scratch;
use crate::connection::{Connection, Turn};
use crate::poller::Poller;
use crate::{locked, transport};

/// What most notifications fit in.
const TELLING_BYTES: usize = 128;

const PARKED: u8 = 0;
const RUNNING: u8 = 1;
const STIRRED: u8 = 2;
const GONE: u8 = 3;

/// A socket and where it is registered.
struct Watched {
    socket: Arc<OwnedFd>,
    /// The carrier's own epoll that has it instead of the one that all wait in.
    attendant: Option<Arc<OwnedFd>>,
}

impl Watched {
    /// The epoll that tells of it.
    fn epoll<'a>(&'a self, shared: &'a OwnedFd) -> &'a OwnedFd {
        self.attendant.as_deref().unwrap_or(shared)
    }
}

/// A connection's place.
pub struct Seat {
    state: AtomicU8,
    /// Its socket, and who is told of it; `None` once it has ended. Locked for moments only.
    watched: Mutex<Option<Watched>>,
    connection: Mutex<Option<Box<Connection>>>,
    /// Its number in the poller.
    token: AtomicU64,
    /// Nanoseconds since the poller's start at which somebody must look at it; 0: never.
    pub deadline: AtomicU64,
    /// The time under which the poller's list of deadlines has it, no later than its deadline; 0: not at all.
    pub listed: AtomicU64,
    /// Whether its socket has something new.
    ready: AtomicBool,
    /// Whether the client has closed its side.
    hung: AtomicBool,
    /// Whether it waits for room to write.
    writing: AtomicBool,
    /// While it is parked: whether its client may be told of notifications (P8).
    hears: AtomicBool,
}

/// Wakes the connection of a seat.
struct SeatWaker {
    poller: Weak<Poller>,
    seat: Weak<Seat>,
}

impl SeatWaker {
    fn enqueue(&self, seat: Arc<Seat>) {
        if let Some(poller) = self.poller.upgrade() {
            poller.enqueue(seat);
        }
    }
}

impl Wake for SeatWaker {
    fn wake(&self) {
        if let Some(seat) = self.seat.upgrade()
            && seat.stir()
        {
            self.enqueue(seat);
        }
    }

    fn tell(&self, backend: &Arc<Backend>, at_once: bool) {
        let Some(seat) = self.seat.upgrade() else { return };
        // Whoever has it looks for notifications.
        if !seat.stir() {
            return;
        }
        if !at_once && let Some(poller) = self.poller.upgrade() {
            poller.enqueue_mail(seat, backend.clone());
        } else if !seat.tell(backend) {
            self.enqueue(seat);
        }
    }
}

/// How a run has ended.
pub enum Ran {
    /// It waits for its client; whether that had said something.
    Parked { found: bool },
    /// It has had its turn and is still running: whoever ran it goes on with it, once others had theirs.
    More,
    /// It is no more.
    Over,
}

impl Seat {
    /// A place for `connection`, which somebody is to run at once. Its backend is given the means to wake it.
    pub fn with_waker(mut connection: Connection, socket: Arc<OwnedFd>, poller: &Arc<Poller>) -> Arc<Seat> {
        let poller = Arc::downgrade(poller);
        Arc::new_cyclic(|own: &Weak<Seat>| {
            connection.waker = Some(Arc::new(SeatWaker { poller, seat: own.clone() }));
            Seat::new(connection, socket)
        })
    }

    fn new(connection: Connection, socket: Arc<OwnedFd>) -> Seat {
        Seat {
            state: AtomicU8::new(RUNNING),
            watched: Mutex::new(Some(Watched { socket, attendant: None })),
            connection: Mutex::new(Some(Box::new(connection))),
            token: AtomicU64::new(u64::MAX),
            deadline: AtomicU64::new(0),
            listed: AtomicU64::new(0),
            ready: AtomicBool::new(true),
            hung: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            hears: AtomicBool::new(false),
        }
    }

    pub fn set_token(&self, token: u64) {
        self.token.store(token, Ordering::SeqCst);
    }

    pub fn token(&self) -> u64 {
        self.token.load(Ordering::SeqCst)
    }

    /// The client has closed its side.
    pub fn hang_up(&self) {
        self.hung.store(true, Ordering::SeqCst);
    }

    /// Its socket has something new: whoever runs it may read or write again (P3).
    pub fn note_ready(&self) {
        self.ready.store(true, Ordering::SeqCst);
    }

    /// Something is there for it; whether the caller is to run it (P1).
    pub fn stir(&self) -> bool {
        let change = |state| match state {
            PARKED => Some(RUNNING),
            RUNNING => Some(STIRRED),
            _ => None,
        };
        self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, change) == Ok(PARKED)
    }

    /// Has its socket told of in `epoll`, by its token.
    pub fn register(&self, epoll: &OwnedFd) -> io::Result<()> {
        match &*locked(&self.watched) {
            Some(watched) => Ok(epoll::add(epoll, &*watched.socket, self.token_data(), self.flags())?),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// From now on `own` is told of its socket, and not `shared` any more; whether that could be done.
    pub fn attend(&self, own: &Arc<OwnedFd>, shared: &OwnedFd) -> bool {
        let mut watched = locked(&self.watched);
        let Some(watched) = watched.as_mut().filter(|w| w.attendant.is_none()) else { return false };
        // Between the two calls both are told of it, which [`Seat::stir`] takes care of.
        let added = epoll::add(&**own, &*watched.socket, self.token_data(), self.flags());
        if added.is_ok() {
            let _ = epoll::delete(shared, &*watched.socket);
            watched.attendant = Some(own.clone());
        }
        added.is_ok()
    }

    /// What [`Seat::attend`] did is undone, and what came meanwhile told of in `shared`. Without success its socket is closed, which somebody
    /// is to find out.
    pub fn leave(&self, shared: &OwnedFd) -> bool {
        let mut watched = locked(&self.watched);
        let Some(watched) = watched.as_mut() else { return true };
        let Some(own) = watched.attendant.take() else { return true };
        let _ = epoll::delete(&*own, &*watched.socket);
        let added = epoll::add(shared, &*watched.socket, self.token_data(), self.flags());
        if added.is_err() {
            let _ = rustix::net::shutdown(&*watched.socket, rustix::net::Shutdown::Both);
            self.hang_up();
            self.note_ready();
        }
        added.is_ok()
    }

    fn token_data(&self) -> EventData {
        EventData::new_u64(self.token())
    }

    /// Runs the connection until it waits for its client, has had its turn, or is over. Called by whom [`Seat::stir`] told to.
    pub fn run(self: &Arc<Seat>, poller: &Poller, scratch: &mut Scratch) -> Ran {
        let mut found = false;
        loop {
            let mut guard = locked(&self.connection);
            let Some(connection) = guard.as_mut() else { return Ran::Over };
            let reads = connection.channel.reads;
            // Who is woken for something else need not ask a socket that was empty.
            if self.ready.swap(false, Ordering::SeqCst) {
                connection.channel.transport().stir(self.hung.load(Ordering::SeqCst));
            }
            connection.channel.take_buffers(scratch);
            connection.run_by(env::waiting::place_number());
            // V2: whatever goes wrong, it is this client's alone.
            let turn = catch_unwind(AssertUnwindSafe(|| connection.advance())).unwrap_or(Turn::Over);
            connection.channel.give_buffers(scratch);
            found |= connection.channel.reads != reads;
            let turn = match turn {
                // A socket that cannot be watched is as good as lost.
                Turn::Parked { writing, .. } if self.follow(poller.epoll(), writing).is_err() => Turn::Over,
                turn => turn,
            };
            match turn {
                Turn::Over => {
                    self.state.store(GONE, Ordering::SeqCst);
                    poller.remove(self.token());
                    self.unwatch(poller.epoll());
                    let connection = guard.take();
                    drop(guard);
                    drop(connection);
                    return Ran::Over;
                }
                Turn::More => return Ran::More,
                Turn::Parked { until, hears, .. } => {
                    self.hears.store(hears, Ordering::Relaxed);
                    drop(guard);
                    poller.park(self, until);
                }
            }
            if self.rest() {
                return Ran::Parked { found };
            }
        }
    }

    /// Leaves it parked, unless something came meanwhile (P1).
    fn rest(&self) -> bool {
        let rests = self.state.compare_exchange(RUNNING, PARKED, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if !rests {
            self.state.store(RUNNING, Ordering::SeqCst);
        }
        rests
    }

    /// Sends its client the notifications of `backend`, if it can be told now (P8), and parks it again; without success it is to be run.
    /// Called by whom [`Seat::stir`] told to.
    pub fn tell(&self, backend: &Backend) -> bool {
        if !self.hears.load(Ordering::Relaxed) {
            return false;
        }
        let mut output = BytesMut::with_capacity(TELLING_BYTES);
        for n in backend.take_mail() {
            wire::backend::notification_response(&mut output, n.pid.cast_signed(), &n.channel, &n.payload);
        }
        let sent = match &*locked(&self.watched) {
            Some(watched) => transport::send(&watched.socket, &output).unwrap_or(0),
            None => 0,
        };
        if sent < output.len() {
            // The rest goes first in its next run, which finds out what is wrong.
            if let Some(connection) = locked(&self.connection).as_mut() {
                connection.channel.output.extend_from_slice(&output[sent..]);
            }
            return false;
        }
        self.rest()
    }

    /// Lets go of the socket, of which nobody is told any more (P7).
    fn unwatch(&self, shared: &OwnedFd) {
        if let Some(watched) = locked(&self.watched).take() {
            let _ = epoll::delete(watched.epoll(shared), &*watched.socket);
        }
    }

    /// Asks for what it waits for.
    fn follow(&self, shared: &OwnedFd, writing: bool) -> io::Result<()> {
        if self.writing.load(Ordering::Relaxed) == writing {
            return Ok(());
        }
        let watched = locked(&self.watched);
        self.writing.store(writing, Ordering::Relaxed);
        if let Some(watched) = &*watched {
            epoll::modify(watched.epoll(shared), &*watched.socket, self.token_data(), self.flags())?;
        }
        Ok(())
    }

    /// What its socket is told of for.
    fn flags(&self) -> EventFlags {
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        if self.writing.load(Ordering::Relaxed) { flags | EventFlags::OUT } else { flags }
    }
}
