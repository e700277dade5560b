//! `Carriers`: the threads that run sessions, a handful for all of them.
//!
//! A carrier takes whatever its [`Source`] has for it, runs it until that waits for its client, and takes the next. How many carriers run at a
//! time is the number of *slots*. A carrier that blocks, or whose statement takes long, lends its slot: another thread takes over.
//!
//! Who may touch what: a `Carrier` is its own thread's, but for what others read or take away atomically (its slot, since when it runs what);
//! the crew's counts are behind one lock that nobody keeps across a wait.
//!
//! Invariants
//!
//! - R1: At most `slots` threads have a slot. Only they take work.
//! - R2: While there is a free slot, some thread waits in the source or is about to: whoever lends a slot, and whoever leaves the source as
//!   the last one in it, sees to that.
//! - R3: A thread whose slot was lent goes on with what it runs, and takes no more before it has a slot again.
//! - R4: Threads without anything to do end after [`SPARE_STAYS`]; slots' own threads stay.
//! - R5: Once they have been started, only the watcher starts threads: a thread is as nice as who started it, for good.
//!
//! A watcher lends the slot of a carrier that has run for longer than [`SLICE`] while others wait: so no code has to ask what time
//! it is, and what nobody knew to block is found as well. Time in which the carrier waited for a processor does not count: one more thread
//! would only be one more to wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use env::sync::{Condvar, Mutex, MutexGuard};
use env::waiting::{self, Place, Wait};

/// How long a session keeps a slot while others may want it.
pub const SLICE: Duration = Duration::from_millis(2);
/// A statement that has run for so long stands back behind others' short ones; its thread ends with it, as it cannot come forward again.
pub const LONG: Duration = Duration::from_millis(10);
/// How long a thread without a slot stays in case it is wanted again.
pub const SPARE_STAYS: Duration = Duration::from_millis(500);
/// How long the watcher goes on looking after the last time that all slots were taken.
const WATCH: Duration = Duration::from_millis(100);

/// Where carriers get their work.
pub trait Source: Send + Sync + 'static {
    /// What a carrier takes its work with, for as long as its thread lives.
    fn desk(&self) -> Box<dyn Work>;

    /// Has one thread return from [`Work::take`].
    fn poke(&self);

    /// Whether something is there that nobody has taken yet.
    fn is_waiting(&self) -> bool;
}

/// One carrier's side of a [`Source`].
pub trait Work {
    /// Waits for something to do and does it between `taken()` and its return; without it when the source was poked, or looks at something of
    /// its own. It may do more, each after another `taken()`, for as long as that says so.
    fn take(&mut self, taken: &mut dyn FnMut() -> bool);

    /// The carrier takes nothing for now: what it alone would have been told of is others' again.
    fn leave(&mut self);

    /// Whether there is something that it alone is told of.
    fn is_attending(&self) -> bool;
}

#[derive(Default)]
struct Crew {
    /// Threads that have a slot.
    active: usize,
    /// Those of them that wait in the source.
    waiting: usize,
    /// Threads without a slot and without work.
    spare: usize,
    /// Spares that are called but not there yet.
    called: usize,
    /// All threads.
    threads: usize,
    stopping: bool,
}

/// How often, and for how long, carriers have waited for one thing.
#[derive(Default, Debug)]
struct Waited {
    times: AtomicU64,
    nanoseconds: AtomicU64,
    now: AtomicUsize,
}

struct Pool {
    source: Box<dyn Source>,
    slots: usize,
    crew: Mutex<Crew>,
    call: Condvar,
    /// Whether the watcher sleeps; it is woken when the last slot is taken.
    watcher_sleeps: AtomicBool,
    /// Whether it is to start a thread (R5).
    watch: Mutex<bool>,
    watch_wake: Condvar,
    carriers: Mutex<Vec<Weak<Carrier>>>,
    waits: [Waited; Wait::ALL.len()],
    /// Slots that were lent, and threads that were started.
    lent: AtomicU64,
    started: AtomicU64,
    epoch: Instant,
}

/// One thread of the pool, as others see it.
struct Carrier {
    pool: Arc<Pool>,
    number: u64,
    /// R3
    has_slot: AtomicBool,
    /// Nanoseconds since the pool's start at which what it runs was taken; 0: it runs nothing.
    since: AtomicU64,
    runs: AtomicU64,
    attends: AtomicBool,
    thread: waiting::ThreadId,
    /// Whether it stands back.
    back: AtomicBool,
    /// What it waits for: a number of [`Wait`] and 1, or 0.
    waits_for: AtomicUsize,
}

/// What a carrier does now; a row of `hathi_carriers`.
#[derive(Clone, Debug)]
pub struct CarrierState {
    /// Its number.
    pub number: u64,
    /// Whether it has a slot.
    pub has_slot: bool,
    /// How long it has run what it runs.
    pub busy: Option<Duration>,
    /// What it blocks in.
    pub waits_for: Option<Wait>,
    /// How many times it has taken work.
    pub runs: u64,
    /// Whether it attends to one client.
    pub attends: bool,
}

/// What was waited for; a row of `hathi_waits`.
#[derive(Clone, Copy, Debug)]
pub struct WaitState {
    /// What.
    pub wait: Wait,
    /// How often.
    pub times: u64,
    /// For how long, all together.
    pub total: Duration,
    /// How many threads do now.
    pub now: usize,
}

/// A pool of carriers. Dropping it stops them.
pub struct Carriers {
    pool: Arc<Pool>,
}

/// The pool as its views see it.
#[derive(Clone)]
pub struct CarriersView(Weak<Pool>);

impl CarriersView {
    /// What each thread does.
    pub fn carriers(&self) -> Vec<CarrierState> {
        let Some(pool) = self.0.upgrade() else { return Vec::new() };
        let now = pool.nanoseconds();
        let state = |c: Arc<Carrier>| CarrierState {
            number: c.number,
            has_slot: c.has_slot.load(Ordering::SeqCst),
            busy: c.busy(now),
            waits_for: c.waits_for.load(Ordering::SeqCst).checked_sub(1).and_then(|n| Wait::ALL.get(n)).copied(),
            runs: c.runs.load(Ordering::Relaxed),
            attends: c.attends.load(Ordering::Relaxed),
        };
        pool.all().into_iter().map(state).collect()
    }

    /// What was waited for.
    pub fn waits(&self) -> Vec<WaitState> {
        let Some(pool) = self.0.upgrade() else { return Vec::new() };
        let state = |(&wait, waited): (&Wait, &Waited)| {
            let now = waited.now.load(Ordering::Relaxed);
            // Those who wait have taken away when they began.
            let total = waited.nanoseconds.load(Ordering::Relaxed);
            let total = total.wrapping_add((now as u64).wrapping_mul(pool.nanoseconds()));
            WaitState { wait, times: waited.times.load(Ordering::Relaxed), total: Duration::from_nanos(total), now }
        };
        Wait::ALL.iter().zip(&pool.waits).map(state).collect()
    }

    /// How often a slot was lent, and how many threads were ever started.
    pub fn counts(&self) -> (u64, u64) {
        self.0.upgrade().map_or((0, 0), |p| (p.lent.load(Ordering::Relaxed), p.started.load(Ordering::Relaxed)))
    }
}

impl Carriers {
    /// Starts carriers with so many slots, at least one.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(slots: usize, source: impl Source) -> std::io::Result<Carriers> {
        let slots = slots.max(1);
        let pool = Arc::new(Pool {
            source: Box::new(source),
            slots,
            crew: Mutex::default(),
            call: Condvar::new(),
            watcher_sleeps: AtomicBool::new(false),
            watch: Mutex::default(),
            watch_wake: Condvar::new(),
            carriers: Mutex::default(),
            waits: Default::default(),
            lent: AtomicU64::new(0),
            started: AtomicU64::new(0),
            epoch: Instant::now(),
        });
        {
            let mut crew = pool.crew.lock();
            crew.threads = slots;
            crew.active = slots;
        }
        let carriers = Carriers { pool: pool.clone() };
        for _ in 0..slots {
            pool.spawn()?;
        }
        let watched = Arc::downgrade(&pool);
        let watcher = std::thread::Builder::new().name("hathi-watcher".to_owned());
        watcher.spawn(move || watch(&watched))?;
        Ok(carriers)
    }

    /// What views show.
    pub fn view(&self) -> CarriersView {
        CarriersView(Arc::downgrade(&self.pool))
    }

    /// Tells carriers to end once they have done what they do.
    pub fn stop(&self) {
        self.pool.crew.lock().stopping = true;
        self.pool.call.notify_all();
        self.pool.watch_wake.notify_all();
        self.pool.source.poke();
    }
}

impl Drop for Carriers {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Pool {
    fn nanoseconds(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Starts a thread that is counted as active already.
    fn spawn(self: &Arc<Pool>) -> std::io::Result<()> {
        let pool = self.clone();
        let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
        let thread = std::thread::Builder::new().name(format!("hathi-carrier-{number}"));
        thread.spawn(move || carry(pool, number)).map(drop).inspect_err(|_| {
            let mut crew = self.crew.lock();
            crew.threads -= 1;
            crew.active -= 1;
        })
    }

    /// Sees to it that somebody waits in the source while a slot is free (R2).
    fn fill(&self, crew: MutexGuard<'_, Crew>) {
        if self.call_spare(crew).is_some() {
            *self.watch.lock() = true;
            self.watch_wake.notify_one();
        }
    }

    /// Calls a thread for a free slot that nobody has yet; the crew when there is such a slot, but no thread.
    fn call_spare<'a>(&self, mut crew: MutexGuard<'a, Crew>) -> Option<MutexGuard<'a, Crew>> {
        if crew.stopping || crew.waiting + crew.called > 0 || crew.active >= self.slots {
            return None;
        }
        if crew.spare == crew.called {
            return Some(crew);
        }
        crew.active += 1;
        crew.called += 1;
        drop(crew);
        self.call.notify_one();
        None
    }

    /// As [`Pool::fill`], by the watcher (R5).
    fn hire(self: &Arc<Pool>) {
        if let Some(mut crew) = self.call_spare(self.crew.lock()) {
            crew.active += 1;
            crew.threads += 1;
            drop(crew);
            // Without a thread the slot stays empty until the next look.
            let _ = self.spawn();
        }
    }

    /// Takes a free slot for a carrier that has none; whether there was one.
    fn take_slot(&self, crew: &mut Crew, carrier: &Carrier) -> bool {
        let is_free = crew.active < self.slots && !carrier.has_slot.load(Ordering::SeqCst);
        if is_free {
            crew.active += 1;
            carrier.has_slot.store(true, Ordering::SeqCst);
        }
        is_free
    }

    /// Waits without a slot until there is one; whether there is.
    fn rest(&self, carrier: &Carrier) -> bool {
        let mut crew = self.crew.lock();
        if !crew.stopping && self.take_slot(&mut crew, carrier) {
            return true;
        }
        crew.spare += 1;
        let until = Instant::now() + SPARE_STAYS;
        loop {
            if crew.called > 0 && !crew.stopping {
                // Whoever called has counted the slot.
                crew.called -= 1;
                crew.spare -= 1;
                carrier.has_slot.store(true, Ordering::SeqCst);
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || crew.stopping {
                crew.spare -= 1;
                crew.threads -= 1;
                return false;
            }
            self.call.wait_for(&mut crew, left);
        }
    }

    /// A thread ends; one that has a slot leaves it to another.
    fn leave(&self, carrier: &Carrier) {
        self.lend(carrier);
        self.crew.lock().threads -= 1;
    }

    /// Takes a carrier's slot away; whether it had one.
    fn lend(&self, carrier: &Carrier) -> bool {
        let mut crew = self.crew.lock();
        if !carrier.has_slot.swap(false, Ordering::SeqCst) {
            return false;
        }
        crew.active -= 1;
        self.lent.fetch_add(1, Ordering::Relaxed);
        self.fill(crew);
        tracing::debug!(carrier = carrier.number, "slot lent");
        true
    }

    /// Those there are.
    fn all(&self) -> Vec<Arc<Carrier>> {
        self.carriers.lock().iter().filter_map(Weak::upgrade).collect()
    }

    fn wake_watcher(&self) {
        if self.watcher_sleeps.load(Ordering::SeqCst) && self.watcher_sleeps.swap(false, Ordering::SeqCst) {
            let _watch = self.watch.lock();
            self.watch_wake.notify_one();
        }
    }
}

impl Carrier {
    /// For how long it has run what it runs, at `now` of its pool.
    fn busy(&self, now: u64) -> Option<Duration> {
        let since = self.since.load(Ordering::SeqCst);
        (since > 0).then(|| Duration::from_nanos(now.saturating_sub(since)))
    }
}

impl Place for Carrier {
    fn give_up(&self, why: Wait) -> bool {
        let waited = &self.pool.waits[why as usize];
        let outermost = self.waits_for.swap(why as usize + 1, Ordering::SeqCst) == 0;
        if outermost {
            waited.times.fetch_add(1, Ordering::Relaxed);
            waited.now.fetch_add(1, Ordering::Relaxed);
            let now = self.pool.nanoseconds();
            // Subtracted now, added when it is over.
            waited.nanoseconds.fetch_sub(now, Ordering::Relaxed);
            self.pool.lend(self);
        }
        outermost
    }

    fn take_back(&self, why: Wait) {
        let waited = &self.pool.waits[why as usize];
        self.waits_for.store(0, Ordering::SeqCst);
        waited.now.fetch_sub(1, Ordering::Relaxed);
        waited.nanoseconds.fetch_add(self.pool.nanoseconds(), Ordering::Relaxed);
        self.pool.take_slot(&mut self.pool.crew.lock(), self);
    }

    fn number(&self) -> u32 {
        u32::try_from(self.number).unwrap_or(0)
    }
}

/// What a thread of the pool does.
fn carry(pool: Arc<Pool>, number: u64) {
    let carrier = Arc::new(Carrier {
        pool: pool.clone(),
        number,
        has_slot: AtomicBool::new(true),
        since: AtomicU64::new(0),
        runs: AtomicU64::new(0),
        attends: AtomicBool::new(false),
        thread: waiting::current_thread(),
        back: AtomicBool::new(false),
        waits_for: AtomicUsize::new(0),
    });
    {
        let mut carriers = pool.carriers.lock();
        carriers.retain(|c| c.strong_count() > 0);
        carriers.push(Arc::downgrade(&carrier));
    }
    waiting::set_place(Some(carrier.clone()));
    let mut desk = pool.source.desk();
    loop {
        {
            let mut crew = pool.crew.lock();
            if crew.stopping {
                crew.active -= 1;
                crew.threads -= 1;
                drop(crew);
                // The next one in the source.
                pool.source.poke();
                break;
            }
            crew.waiting += 1;
        }
        let mut left = false;
        desk.take(&mut || {
            carrier.since.store(pool.nanoseconds(), Ordering::SeqCst);
            carrier.runs.fetch_add(1, Ordering::Relaxed);
            if std::mem::replace(&mut left, true) {
                return carrier.has_slot.load(Ordering::SeqCst) && !carrier.back.load(Ordering::SeqCst);
            }
            let mut crew = pool.crew.lock();
            crew.waiting -= 1;
            if crew.waiting == 0 {
                if crew.active >= pool.slots {
                    drop(crew);
                    pool.wake_watcher();
                } else {
                    pool.fill(crew);
                }
            }
            true
        });
        if !left {
            pool.crew.lock().waiting -= 1;
        }
        carrier.since.store(0, Ordering::SeqCst);
        carrier.attends.store(desk.is_attending(), Ordering::Relaxed);
        if carrier.back.load(Ordering::SeqCst) {
            pool.leave(&carrier);
            break;
        }
        if !carrier.has_slot.load(Ordering::SeqCst) {
            desk.leave();
            carrier.attends.store(false, Ordering::Relaxed);
            if !pool.rest(&carrier) {
                break;
            }
        }
    }
    waiting::set_place(None);
}

/// A run that the watcher has seen to take long.
struct Seen {
    /// When it began, in nanoseconds since the pool's start, as all times here.
    since: u64,
    /// When it was first seen.
    at: u64,
    /// How long its thread had waited for a processor by then.
    queued: Duration,
}

/// What the watcher knows of runs, by their carriers' numbers.
#[derive(Default)]
struct Watcher(HashMap<u64, Seen>);

impl Watcher {
    /// For how long a carrier has been at what it runs since that was first seen, without the time it waited for a processor: another thread
    /// would have to wait for that, too.
    fn at_work(&mut self, carrier: &Carrier, now: u64) -> Duration {
        let since = carrier.since.load(Ordering::SeqCst);
        if since == 0 || now.saturating_sub(since) < SLICE.as_nanos() as u64 / 2 {
            self.0.remove(&carrier.number);
            return Duration::ZERO;
        }
        let queued = waiting::queued_time(carrier.thread);
        let seen = self.0.entry(carrier.number).or_insert(Seen { since, at: now, queued });
        if seen.since != since {
            *seen = Seen { since, at: now, queued };
        }
        Duration::from_nanos(now - seen.at).saturating_sub(queued.saturating_sub(seen.queued))
    }

    /// Has carriers stand back that take long and do not wait, and lends the slots of those that take longer than a slice while others
    /// wait; whether to go on looking.
    fn look(&mut self, pool: &Arc<Pool>, all_taken: bool) -> bool {
        let now = pool.nanoseconds();
        let at_work: Vec<_> = pool.all().into_iter().map(|c| (self.at_work(&c, now), c)).collect();
        self.0.retain(|number, _| at_work.iter().any(|(_, c)| c.number == *number));
        let mut any_long = false;
        for (time, carrier) in &at_work {
            if *time <= LONG || carrier.waits_for.load(Ordering::SeqCst) != 0 {
                continue;
            }
            any_long = true;
            if !carrier.back.swap(true, Ordering::SeqCst) {
                waiting::stand_back(carrier.thread);
            }
        }
        for (_, carrier) in at_work.iter().filter(|(time, _)| *time >= SLICE) {
            if (any_long || all_taken) && pool.source.is_waiting() && pool.lend(carrier) {
                pool.waits[Wait::Long as usize].times.fetch_add(1, Ordering::Relaxed);
            }
        }
        all_taken || any_long
    }
}

/// Looks after those who take long, while all slots are taken.
fn watch(pool: &Weak<Pool>) {
    let mut quiet_since = Instant::now();
    let mut watcher = Watcher::default();
    loop {
        let Some(pool) = pool.upgrade() else { return };
        let (waiting, stopping) = {
            let crew = pool.crew.lock();
            (crew.waiting, crew.stopping)
        };
        if stopping {
            return;
        }
        if watcher.look(&pool, waiting == 0) {
            quiet_since = Instant::now();
        }
        pool.hire();
        let mut watch = pool.watch.lock();
        if std::mem::take(&mut *watch) {
            continue;
        }
        if quiet_since.elapsed() < WATCH {
            pool.watch_wake.wait_for(&mut watch, SLICE);
            continue;
        }
        pool.watcher_sleeps.store(true, Ordering::SeqCst);
        // What was taken before the flag was seen is looked at in time.
        pool.watch_wake.wait_for(&mut watch, Duration::from_millis(500));
        pool.watcher_sleeps.store(false, Ordering::SeqCst);
        drop(watch);
        quiet_since = Instant::now();
    }
}
