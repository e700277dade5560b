//! `Interrupt`: how a running statement is told to stop, also while it waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use env::Clock;
use env::sync::{Condvar, Mutex};
use env::waiting::{self, Wait};

use crate::error::{Error, Interruption, Result};

/// Flags that other threads set and the statement's own thread looks at: at every chunk and in every wait.
pub struct Interrupt {
    pending: AtomicU8,
    /// Monotonic nanoseconds at which the statement's time is up; 0: never.
    deadline: AtomicU64,
    clock: Arc<dyn Clock>,
    sleep: Mutex<()>,
    wake: Condvar,
}

impl Interrupt {
    /// Nothing pending.
    pub fn new(clock: Arc<dyn Clock>) -> Interrupt {
        Interrupt {
            pending: AtomicU8::new(0),
            deadline: AtomicU64::new(0),
            clock,
            sleep: Mutex::new(()),
            wake: Condvar::new(),
        }
    }

    fn post(&self, flag: u8) {
        self.pending.fetch_or(flag, Ordering::SeqCst);
        let _sleep = self.sleep.lock();
        self.wake.notify_all();
    }

    /// Asks the running statement to stop.
    pub fn cancel(&self) {
        self.post(1);
    }

    /// Asks the session to end.
    pub fn terminate(&self) {
        self.post(2);
    }

    /// Whether the session is to end.
    pub fn is_terminated(&self) -> bool {
        self.pending.load(Ordering::SeqCst) & 2 != 0
    }

    /// Wakes a wait so that it looks at what it waits for.
    pub fn nudge(&self) {
        let _sleep = self.sleep.lock();
        self.wake.notify_all();
    }

    /// Forgets a cancel request that came too late, and sets the next statement's deadline (monotonic nanoseconds; 0: none).
    pub fn start_statement(&self, deadline_nanos: u64) {
        // Nearly always there is nothing to change.
        if self.pending.load(Ordering::SeqCst) & 1 != 0 {
            self.pending.fetch_and(!1, Ordering::SeqCst);
        }
        if self.deadline.load(Ordering::Relaxed) != deadline_nanos {
            self.deadline.store(deadline_nanos, Ordering::SeqCst);
        }
    }

    /// Sets the deadline of a statement that goes on: what was asked of it meanwhile holds.
    pub fn resume_statement(&self, deadline_nanos: u64) {
        if self.deadline.load(Ordering::Relaxed) != deadline_nanos {
            self.deadline.store(deadline_nanos, Ordering::SeqCst);
        }
    }

    /// `Err` when the statement must stop.
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.pending.load(Ordering::Relaxed) == 0 && self.deadline.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        self.check_slow()
    }

    #[cold]
    fn check_slow(&self) -> Result<()> {
        let pending = self.pending.load(Ordering::SeqCst);
        if pending & 2 != 0 {
            return Err(Error::Interrupted(Interruption::Terminate));
        }
        if pending & 1 != 0 {
            return Err(Error::Interrupted(Interruption::Cancel));
        }
        let deadline = self.deadline.load(Ordering::SeqCst);
        if deadline != 0 && self.clock.monotonic_nanos() >= deadline {
            return Err(Error::Interrupted(Interruption::StatementTimeout));
        }
        Ok(())
    }

    /// Sleeps until `ready` gives an answer, looking again at every [`Interrupt::nudge`]; `until` (monotonic nanoseconds, 0: never)
    /// bounds it, `None` is the answer when it passed.
    ///
    /// # Errors
    /// `Interrupted`.
    pub fn wait<T>(&self, why: Wait, until: u64, mut ready: impl FnMut() -> Option<T>) -> Result<Option<T>> {
        // What is there already is not waited for.
        if let Some(answer) = ready() {
            return Ok(Some(answer));
        }
        waiting::blocking(why, || self.sleep_until(until, ready))
    }

    fn sleep_until<T>(&self, until: u64, mut ready: impl FnMut() -> Option<T>) -> Result<Option<T>> {
        let mut sleep = self.sleep.lock();
        loop {
            if let Some(answer) = ready() {
                return Ok(Some(answer));
            }
            self.check()?;
            let deadline = self.deadline.load(Ordering::SeqCst);
            let next = [until, deadline].into_iter().filter(|&d| d != 0).min();
            match next {
                None => self.wake.wait(&mut sleep),
                Some(next) => {
                    let now = self.clock.monotonic_nanos();
                    if until != 0 && now >= until {
                        return Ok(None);
                    }
                    let left = std::time::Duration::from_nanos(next.saturating_sub(now).max(1));
                    self.wake.wait_for(&mut sleep, left);
                }
            }
        }
    }

    /// The clock that deadlines are read on.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
}
