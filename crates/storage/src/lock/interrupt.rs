//! `Interrupt`: how a running statement is told to stop, also while it waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};

use env::Clock;
use env::sync::{Condvar, Mutex};
use env::waiting::{self, Wait};

use crate::error::{Error, Interruption, Result};

/// Says whether the client of a session is gone.
pub type Probe = Arc<dyn Fn() -> bool + Send + Sync>;

/// Flags that other threads set and the statement's own thread looks at: at every chunk and in every wait.
pub struct Interrupt {
    pending: AtomicU8,
    /// Monotonic nanoseconds at which the statement's time is up; 0: never.
    deadline: AtomicU64,
    /// What its thread waits for, for those who look: a number of [`Wait`] and 1, or 0.
    waiting: AtomicU8,
    /// Since when, where that is known: microseconds since 1970.
    waiting_since: AtomicI64,
    /// Whom to ask whether somebody still waits for the statement, how often (nanoseconds; 0: never), and when next.
    probe: Mutex<Option<Probe>>,
    probe_every: AtomicU64,
    probe_at: AtomicU64,
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
            waiting: AtomicU8::new(0),
            waiting_since: AtomicI64::new(0),
            probe: Mutex::default(),
            probe_every: AtomicU64::new(0),
            probe_at: AtomicU64::new(0),
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

    /// From the next statement on, `probe` is asked every so many nanoseconds of a statement whether its client is gone; without one nobody is.
    pub fn set_probe(&self, every_nanos: u64, probe: Option<Probe>) {
        let every = if probe.is_some() { every_nanos } else { 0 };
        *self.probe.lock() = probe;
        self.probe_every.store(every, Ordering::SeqCst);
        self.probe_at.store(0, Ordering::SeqCst);
    }

    /// Looks whether the client is gone, if it is time to.
    fn ask_probe(&self) -> Result<()> {
        let at = self.probe_at.load(Ordering::SeqCst);
        let now = if at == 0 { 0 } else { self.clock.monotonic_nanos() };
        if at == 0 || now < at {
            return Ok(());
        }
        self.probe_at.store(now + self.probe_every.load(Ordering::SeqCst), Ordering::SeqCst);
        let probe = self.probe.lock().clone();
        match probe.is_some_and(|is_gone| is_gone()) {
            true => Err(Error::Interrupted(Interruption::ClientLost)),
            false => Ok(()),
        }
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
        self.resume_statement(deadline_nanos);
        let every = self.probe_every.load(Ordering::Relaxed);
        if every != 0 {
            self.probe_at.store(self.clock.monotonic_nanos() + every, Ordering::SeqCst);
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
        let (deadline, probe) = (self.deadline.load(Ordering::Relaxed), self.probe_at.load(Ordering::Relaxed));
        if self.pending.load(Ordering::Relaxed) == 0 && deadline | probe == 0 {
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
        self.ask_probe()
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
        self.waiting_since.store(self.clock.unix_micros(), Ordering::Relaxed);
        let outer = self.waiting.swap(why as u8 + 1, Ordering::Relaxed);
        let outcome = waiting::blocking(why, || self.sleep_until(until, ready));
        self.waiting.store(outer, Ordering::Relaxed);
        outcome
    }

    /// Says what its thread is about to wait for elsewhere, or that it no longer does.
    pub fn set_waiting(&self, why: Option<Wait>) {
        self.waiting.store(why.map_or(0, |why| why as u8 + 1), Ordering::Relaxed);
    }

    /// Since when it waits in [`Interrupt::wait`], or did the last time: microseconds since 1970.
    pub fn waiting_since(&self) -> i64 {
        self.waiting_since.load(Ordering::Relaxed)
    }

    /// What is waited for.
    pub fn waiting(&self) -> Option<Wait> {
        let number = self.waiting.load(Ordering::Relaxed).checked_sub(1)?;
        Wait::ALL.get(usize::from(number)).copied()
    }

    fn sleep_until<T>(&self, until: u64, mut ready: impl FnMut() -> Option<T>) -> Result<Option<T>> {
        let mut sleep = self.sleep.lock();
        loop {
            if let Some(answer) = ready() {
                return Ok(Some(answer));
            }
            self.check()?;
            let deadline = self.deadline.load(Ordering::SeqCst);
            let probe = self.probe_at.load(Ordering::SeqCst);
            let next = [until, deadline, probe].into_iter().filter(|&d| d != 0).min();
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
