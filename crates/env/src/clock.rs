//! Time: the wall clock for SQL, the monotonic clock for waiting and measuring.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::sched;

/// A source of time.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970-01-01 UTC.
    fn unix_micros(&self) -> i64;
    /// Nanoseconds since some fixed moment; never goes back.
    fn monotonic_nanos(&self) -> u64;
    /// Lets `duration` pass.
    fn sleep(&self, duration: Duration);
}

/// The machine's clocks.
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// Clocks whose monotonic zero is now.
    #[allow(clippy::new_without_default, reason = "two of them are not equal")]
    pub fn new() -> SystemClock {
        SystemClock { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn unix_micros(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(d) => d.as_micros() as i64,
            Err(e) => -(e.duration().as_micros() as i64),
        }
    }
    fn monotonic_nanos(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A clock that moves only when someone sleeps, starting at 2026-01-01 00:00 UTC.
#[derive(Default)]
pub struct SimClock {
    nanos: AtomicU64,
}

impl Clock for SimClock {
    fn unix_micros(&self) -> i64 {
        1_767_225_600_000_000 + (self.monotonic_nanos() / 1000) as i64
    }
    fn monotonic_nanos(&self) -> u64 {
        sched::virtual_nanos().unwrap_or_else(|| self.nanos.load(Ordering::Relaxed))
    }
    fn sleep(&self, duration: Duration) {
        if !sched::sleep(duration) {
            self.nanos.fetch_add(duration.as_nanos() as u64, Ordering::Relaxed);
        }
    }
}
