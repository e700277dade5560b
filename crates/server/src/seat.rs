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
//! read again before its next event, unless an event has told of the client's end, of which there is no other (P3).

use std::io;
use std::os::fd::BorrowedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::channel::Scratch;
use crate::connection::{Connection, Turn};
use crate::locked;
use crate::poller::Poller;

const PARKED: u8 = 0;
const RUNNING: u8 = 1;
const STIRRED: u8 = 2;
const GONE: u8 = 3;

/// A connection's place.
pub struct Seat {
    state: AtomicU8,
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
}

impl Seat {
    /// A place for `connection`, which somebody is to run at once. Its backend is given the means to wake it.
    pub fn with_waker(mut connection: Connection, poller: &Arc<Poller>) -> Arc<Seat> {
        let poller = Arc::downgrade(poller);
        Arc::new_cyclic(|own: &Weak<Seat>| {
            let own = own.clone();
            connection.waker = Some(Arc::new(move || {
                if let (Some(poller), Some(seat)) = (poller.upgrade(), own.upgrade()) {
                    poller.wake(&seat);
                }
            }));
            Seat::new(connection)
        })
    }

    fn new(connection: Connection) -> Seat {
        Seat {
            state: AtomicU8::new(RUNNING),
            connection: Mutex::new(Some(Box::new(connection))),
            token: AtomicU64::new(u64::MAX),
            deadline: AtomicU64::new(0),
            listed: AtomicU64::new(0),
            ready: AtomicBool::new(true),
            hung: AtomicBool::new(false),
            writing: AtomicBool::new(false),
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

    /// Calls `f` with its socket, if it has one.
    pub fn with_socket<T>(&self, f: impl FnOnce(BorrowedFd<'_>) -> T) -> Option<T> {
        let mut connection = locked(&self.connection);
        connection.as_mut().and_then(|c| c.channel.socket().map(f))
    }

    /// Runs the connection until it waits for its client, has had its turn, or is over. Called by whom [`Seat::stir`] told to.
    pub fn run(self: &Arc<Seat>, poller: &Poller, scratch: &mut Scratch) {
        loop {
            let mut guard = locked(&self.connection);
            let Some(connection) = guard.as_mut() else { return };
            // Who is woken for something else need not ask a socket that was empty.
            if self.ready.swap(false, Ordering::SeqCst) {
                connection.channel.transport().stir(self.hung.load(Ordering::SeqCst));
            }
            connection.channel.take_buffers(scratch);
            connection.run_by(env::waiting::place_number());
            // V2: whatever goes wrong, it is this client's alone.
            let turn = catch_unwind(AssertUnwindSafe(|| connection.advance())).unwrap_or(Turn::Over);
            connection.channel.give_buffers(scratch);
            let turn = match turn {
                // A socket that cannot be watched is as good as lost.
                Turn::Parked { writing, .. } if self.follow(connection, poller, writing).is_err() => Turn::Over,
                turn => turn,
            };
            match turn {
                Turn::Over => {
                    self.state.store(GONE, Ordering::SeqCst);
                    poller.remove(self.token());
                    let connection = guard.take();
                    drop(guard);
                    drop(connection);
                    return;
                }
                Turn::More => {
                    drop(guard);
                    // This thread may have no slot to take it with.
                    poller.enqueue(self.clone());
                    return;
                }
                Turn::Parked { until, .. } => {
                    drop(guard);
                    poller.park(self, until);
                }
            }
            let parked = self.state.compare_exchange(RUNNING, PARKED, Ordering::SeqCst, Ordering::SeqCst);
            if parked.is_ok() {
                return;
            }
            self.state.store(RUNNING, Ordering::SeqCst);
        }
    }

    /// Asks for what it waits for.
    fn follow(&self, connection: &mut Connection, poller: &Poller, writing: bool) -> io::Result<()> {
        if self.writing.load(Ordering::Relaxed) == writing {
            return Ok(());
        }
        if let Some(socket) = connection.channel.socket() {
            poller.follow(socket, self.token(), writing)?;
        }
        self.writing.store(writing, Ordering::Relaxed);
        Ok(())
    }
}
