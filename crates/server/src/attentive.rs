//! `Attention`: staying awake for a moment before sleeping.
//!
//! Waking a thread costs more than a short statement: tens of microseconds where an idle processor sleeps. A client that asks again as soon
//! as it has its answer therefore finds its server awake. Staying awake is bounded threefold (A1): for [`STAY`] at most; by fewer threads at
//! a time than there are processors, as clients need one too; and by a thread whose last questions came late hardly at all. Whoever else
//! wants the processor gets it meanwhile.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long to stay awake: about what it costs to be woken.
const STAY: Duration = Duration::from_micros(50);
/// After this many looks in a row that found nothing, the next 2, 4, 8 .. are left out.
const MAX_DISTRUST: u32 = 8;

/// How many threads stay awake now, and may.
#[derive(Debug)]
pub struct Wakefulness {
    awake: AtomicUsize,
    most: usize,
}

impl Default for Wakefulness {
    fn default() -> Wakefulness {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Wakefulness { awake: AtomicUsize::new(0), most: processors - 1 }
    }
}

/// One thread that stays awake; counted until dropped.
struct Awake<'a>(&'a Wakefulness);

impl Wakefulness {
    fn stay(&self) -> Option<Awake<'_>> {
        if self.awake.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.awake.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Awake(self))
    }
}

impl Drop for Awake<'_> {
    fn drop(&mut self) {
        self.0.awake.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether it was worth it to stay awake.
#[derive(Default, Debug)]
pub struct Attention {
    /// How often in a row nothing came while awake; at most [`MAX_DISTRUST`].
    distrust: AtomicU32,
    /// Looks to leave out before staying awake again.
    asleep: AtomicU32,
}

impl Attention {
    /// What `look` finds while awake; `None` when that is nothing, or it is time to sleep.
    pub fn glance<T>(&self, wakefulness: &Wakefulness, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let asleep = self.asleep.load(Ordering::Relaxed);
        if asleep > 0 {
            self.asleep.store(asleep - 1, Ordering::Relaxed);
            return look();
        }
        let Some(_awake) = wakefulness.stay() else { return look() };
        let start = Instant::now();
        loop {
            if let Some(found) = look() {
                self.distrust.store(0, Ordering::Relaxed);
                return Some(found);
            }
            if start.elapsed() >= STAY {
                let distrust = (self.distrust.load(Ordering::Relaxed) + 1).min(MAX_DISTRUST);
                self.distrust.store(distrust, Ordering::Relaxed);
                self.asleep.store((1 << distrust) - 2, Ordering::Relaxed);
                return None;
            }
            std::thread::yield_now();
        }
    }
}
