//! `Attention`: staying awake for a moment before sleeping.
//!
//! Waking a thread costs more than a short statement: tens of microseconds where an idle processor sleeps. A client that asks again as soon
//! as it has its answer therefore finds its server awake. Staying awake is bounded threefold (A1): for [`STAY`] at most; only while no more
//! threads than half of the processors have served clients lately, as clients need processors, too; and by a thread whose last
//! questions came late hardly at all. Whoever else wants the processor gets it meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long to stay awake: about what it costs to be woken.
const STAY: Duration = Duration::from_micros(50);
/// For how long nobody stays awake after there were too many: two clients that both ask again at once are to have a processor each, and a
/// thread that stays awake on one of them keeps the system from moving anything there.
const CROWDED: Duration = Duration::from_millis(1);
/// After this many looks in a row that found nothing, the next 2, 4, 8 .. are left out.
const MAX_DISTRUST: u32 = 8;

/// How many threads serve clients or stay awake for them.
#[derive(Debug)]
pub struct Wakefulness {
    engaged: AtomicUsize,
    /// With more of them nobody stays awake.
    most: usize,
    epoch: Instant,
    /// When there were more, in nanoseconds since the epoch.
    crowded: AtomicU64,
}

impl Default for Wakefulness {
    fn default() -> Wakefulness {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let (engaged, crowded) = Default::default();
        Wakefulness { engaged, most: processors / 2, epoch: Instant::now(), crowded }
    }
}

/// One thread that does not sleep; counted until dropped.
pub struct Engaged(Arc<Wakefulness>);

impl Wakefulness {
    /// Counts the caller's thread among those that do not sleep.
    pub fn engage(self: &Arc<Wakefulness>) -> Engaged {
        if self.engaged.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.crowded.store(self.now(), Ordering::Relaxed);
        }
        Engaged(self.clone())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether there was a processor left for each engaged thread's client lately.
    fn may_stay(&self) -> bool {
        let calm = self.now().saturating_sub(self.crowded.load(Ordering::Relaxed));
        self.engaged.load(Ordering::Relaxed) <= self.most && u128::from(calm) > CROWDED.as_nanos()
    }
}

impl Drop for Engaged {
    fn drop(&mut self) {
        self.0.engaged.fetch_sub(1, Ordering::Relaxed);
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
    /// What `look` finds while awake; `None` when that is nothing, or it is time to sleep: whoever sleeps looks first anyway.
    pub fn glance<T>(&self, wakefulness: &Wakefulness, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let asleep = self.asleep.load(Ordering::Relaxed);
        if asleep > 0 {
            self.asleep.store(asleep - 1, Ordering::Relaxed);
            return None;
        }
        let start = Instant::now();
        while wakefulness.may_stay() {
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
        None
    }
}
