//! `Backend`: a session as others know it: its number, what interrupts it, what wakes it.
//!
//! The session itself is touched only by the thread that runs it. Everybody else has its `Backend`, whose parts are atomic or behind a lock
//! that is held for a moment: it can be cancelled, told to end, told of notifications, and looked at, whether it runs, waits or is parked.

use std::sync::Arc;

use env::sync::Mutex;
use storage::lock::Interrupt;
use types::{Oid, Result};

/// Has whoever keeps a parked session look at it.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// A session as others know it.
pub struct Backend {
    pid: u32,
    pub(crate) database: Oid,
    pub(crate) user: Oid,
    /// Microseconds since 2000.
    pub(crate) since: i64,
    interrupt: Arc<Interrupt>,
    waker: Mutex<Option<Waker>>,
}

impl Backend {
    pub(crate) fn new(pid: u32, (database, user): (Oid, Oid), since: i64, interrupt: Arc<Interrupt>) -> Backend {
        Backend { pid, database, user, since, interrupt, waker: Mutex::default() }
    }

    /// The number others see it by.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Ends the running statement with `57014`.
    pub fn cancel(&self) {
        self.interrupt.cancel();
    }

    /// Ends the running statement, and every later one, with `57P01`; who is parked is woken to be told.
    pub fn terminate(&self) {
        self.interrupt.terminate();
        self.wake();
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

    /// What is called when there is something to see for a session that may be parked.
    pub fn set_waker(&self, waker: Option<Waker>) {
        *self.waker.lock() = waker;
    }

    /// Has it looked at, if it is parked.
    pub fn wake(&self) {
        let waker = self.waker.lock().clone();
        if let Some(waker) = waker {
            waker();
        }
    }
}
