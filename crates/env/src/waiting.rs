//! Waiting: what a thread does about its place before it blocks.
//!
//! A carrier runs sessions in one of few slots. Whatever may block for long is called through [`blocking`], so that the carrier can lend its
//! slot meanwhile: a session that waits never keeps the one from running that it waits for. Threads that have no place to lend block as they
//! are. What is kept per thread is the thread's own place, nothing of a session.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wait {
    /// A lock of another transaction, or an advisory one.
    Lock,
    /// The log's being on disk.
    LogSync,
    /// Time (`pg_sleep`).
    Sleep,
    /// More from the client, in the middle of a statement.
    ClientRead,
    /// Room for what the client is to get.
    ClientWrite,
    /// Nothing that is known: the statement takes long.
    Long,
}

impl Wait {
    /// All of them, in the order of their numbers.
    pub const ALL: [Wait; 6] =
        [Wait::Lock, Wait::LogSync, Wait::Sleep, Wait::ClientRead, Wait::ClientWrite, Wait::Long];

    /// What PostgreSQL calls it: type and event (<https://www.postgresql.org/docs/18/monitoring-stats.html#WAIT-EVENT-TABLE>).
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Wait::Lock => ("Lock", "transactionid"),
            Wait::LogSync => ("IO", "WalSync"),
            Wait::Sleep => ("Timeout", "PgSleep"),
            Wait::ClientRead => ("Client", "ClientRead"),
            Wait::ClientWrite => ("Client", "ClientWrite"),
            Wait::Long => ("Extension", "HathiLongStatement"),
        }
    }
}

/// A thread's place, which it gives up while it blocks.
pub trait Place {
    /// The thread is about to block; whether it has given up its place now.
    fn give_up(&self, why: Wait) -> bool;
    /// It blocks no longer, and would like to have it back.
    fn take_back(&self, why: Wait);
    /// Its number, from 1; 0 for a place that has none.
    fn number(&self) -> u32 {
        0
    }
}

thread_local! {
    static PLACE: RefCell<Option<Arc<dyn Place>>> = const { RefCell::new(None) };
}

/// Gives this thread a place, for as long as it lives or until it gets another.
pub fn set_place(place: Option<Arc<dyn Place>>) {
    PLACE.with(|own| *own.borrow_mut() = place);
}

/// The number of this thread's place; 0 without one.
pub fn place_number() -> u32 {
    PLACE.with(|own| own.borrow().as_ref().map_or(0, |place| place.number()))
}

/// Calls `f`, which may block; this thread's place is free meanwhile.
pub fn blocking<T>(why: Wait, f: impl FnOnce() -> T) -> T {
    let Some(place) = PLACE.with(|own| own.borrow().clone()) else { return f() };
    let given = place.give_up(why);
    let outcome = f();
    if given {
        place.take_back(why);
    }
    outcome
}

/// How nice those are who only take processor time that nobody else wants.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// A thread, as others can name it.
#[derive(Clone, Copy, Debug)]
pub struct ThreadId(#[cfg(target_os = "linux")] rustix::thread::Pid);

/// The calling thread.
#[cfg(target_os = "linux")]
pub fn current_thread() -> ThreadId {
    ThreadId(rustix::thread::gettid())
}

/// The calling thread.
#[cfg(not(target_os = "linux"))]
pub fn current_thread() -> ThreadId {
    ThreadId()
}

/// Has a thread of ours take only time that nobody else wants, until it ends: who is not privileged cannot undo it. Short statements of
/// others then come first. Without effect where threads have no priorities of their own.
pub fn stand_back(thread: ThreadId) {
    #[cfg(target_os = "linux")]
    // A system that refuses leaves things as they are.
    let _ = rustix::process::setpriority_process(Some(thread.0), NICE);
    #[cfg(not(target_os = "linux"))]
    let ThreadId() = thread;
}

/// How long a thread of ours has waited for a processor altogether while it could have run (proc_pid_schedstat(5)); zero where nobody tells.
pub fn queued_time(thread: ThreadId) -> Duration {
    #[cfg(target_os = "linux")]
    {
        let path = format!("/proc/self/task/{}/schedstat", thread.0.as_raw_nonzero());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let nanoseconds = text.split_ascii_whitespace().nth(1).and_then(|word| word.parse().ok());
        Duration::from_nanos(nanoseconds.unwrap_or(0))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let ThreadId() = thread;
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI32, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counted(AtomicI32);

    impl Place for Counted {
        fn give_up(&self, _: Wait) -> bool {
            self.0.fetch_add(1, Ordering::SeqCst) == 0
        }
        fn take_back(&self, _: Wait) {
            self.0.store(0, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_place_is_free_while_its_thread_blocks() {
        let place = Arc::new(Counted::default());
        set_place(Some(place.clone()));
        let seen = blocking(Wait::Lock, || {
            // What blocks within what blocks gives up nothing more.
            blocking(Wait::LogSync, || ());
            place.0.load(Ordering::SeqCst)
        });
        assert_eq!((seen, place.0.load(Ordering::SeqCst)), (2, 0));
        set_place(None);
        assert_eq!(blocking(Wait::Sleep, || place.0.load(Ordering::SeqCst)), 0);
    }
}
