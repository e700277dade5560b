//! `Scheduler`: runs threads one at a time in an order drawn from a seed, so that a schedule can be replayed.
//!
//! Each simulated thread is an OS thread that holds the baton or waits for it. At every [`yield_point`] (each latch,
//! lock, condition variable and spawn of [`crate::sync`] is one) the holder draws the next holder from the seeded
//! generator. A blocked thread names what it waits for by a key; [`wake`] makes the waiters of a key runnable. When nobody
//! can run, virtual time jumps to the earliest deadline; when there is none either, the schedule is a deadlock, and every
//! thread panics with a report.
//!
//! Threads that no scheduler knows pay one relaxed load per yield point.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many schedulers are running; zero lets real threads skip the thread-local look-up.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Who this thread is in a simulation. Not session state (DESIGN §2.2): it exists in tests only.
    static CURRENT: RefCell<Option<(Arc<Scheduler>, usize)>> = const { RefCell::new(None) };
}

/// A deterministic scheduler. See the module's essay.
pub struct Scheduler {
    state: Mutex<State>,
}

struct State {
    rng: ChaCha8Rng,
    threads: Vec<Thread>,
    running: usize,
    nanos: u64,
    switches: u64,
    trace: u64,
    dead: Option<String>,
}

struct Thread {
    status: Status,
    baton: Arc<Condvar>,
    name: String,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Status {
    Runnable,
    Blocked { key: usize, deadline: Option<u64>, timed_out: bool },
    Done,
}

/// What a finished run tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How often the baton changed hands.
    pub switches: u64,
    /// A hash of the order in which threads ran: equal seeds give equal traces.
    pub trace: u64,
}

impl Scheduler {
    /// Runs `main` and every thread it spawns through [`crate::sync::spawn`] under the schedule of `seed`, until all end.
    ///
    /// # Panics
    /// When `main` panics, or on deadlock.
    pub fn run(seed: u64, main: impl FnOnce()) -> Summary {
        let scheduler = Arc::new(Scheduler {
            state: Mutex::new(State {
                rng: ChaCha8Rng::seed_from_u64(seed),
                threads: vec![Thread {
                    status: Status::Runnable,
                    baton: Arc::new(Condvar::new()),
                    name: "main".to_owned(),
                }],
                running: 0,
                nanos: 0,
                switches: 0,
                trace: 0xcbf2_9ce4_8422_2325,
                dead: None,
            }),
        });
        ACTIVE.fetch_add(1, Ordering::SeqCst);
        CURRENT.with(|c| *c.borrow_mut() = Some((scheduler.clone(), 0)));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(main));
        scheduler.finish(0);
        CURRENT.with(|c| *c.borrow_mut() = None);
        let mut state = scheduler.lock();
        let main_baton = state.threads[0].baton.clone();
        while state.threads.iter().any(|t| t.status != Status::Done) {
            state = main_baton.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        ACTIVE.fetch_sub(1, Ordering::SeqCst);
        let (summary, dead) = (Summary { switches: state.switches, trace: state.trace }, state.dead.take());
        drop(state);
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
        if let Some(report) = dead {
            panic!("{report}");
        }
        summary
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a thread; its OS thread must call [`enter`] with the answer.
    fn register(&self, name: &str) -> usize {
        let mut state = self.lock();
        state.threads.push(Thread { status: Status::Runnable, baton: Arc::new(Condvar::new()), name: name.to_owned() });
        state.threads.len() - 1
    }

    /// Draws who runs next and hands over the baton; returns when `me` has it again.
    fn switch(&self, mut state: MutexGuard<'_, State>, me: usize) {
        self.pass_baton(&mut state);
        let baton = state.threads[me].baton.clone();
        while state.running != me && state.dead.is_none() {
            state = baton.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let dead = state.dead.clone();
        drop(state);
        if let Some(report) = dead
            && !std::thread::panicking()
        {
            panic!("{report}");
        }
    }

    fn pass_baton(&self, state: &mut State) {
        loop {
            let runnable: Vec<usize> =
                (0..state.threads.len()).filter(|&i| state.threads[i].status == Status::Runnable).collect();
            if !runnable.is_empty() {
                let next = runnable[state.rng.random_range(0..runnable.len())];
                state.switches += 1;
                state.nanos += 100;
                state.trace = (state.trace ^ next as u64).wrapping_mul(0x0100_0000_01b3);
                state.running = next;
                state.threads[next].baton.notify_all();
                return;
            }
            let earliest = state
                .threads
                .iter()
                .filter_map(|t| match t.status {
                    Status::Blocked { deadline: Some(d), .. } => Some(d),
                    _ => None,
                })
                .min();
            match earliest {
                Some(now) => {
                    state.nanos = state.nanos.max(now);
                    for thread in &mut state.threads {
                        if let Status::Blocked { deadline: Some(d), key, .. } = thread.status
                            && d <= now
                        {
                            thread.status = Status::Blocked { key, deadline: None, timed_out: true };
                        }
                    }
                    // A timed-out thread runs next; it clears its own status in `block`.
                    for thread in &mut state.threads {
                        if let Status::Blocked { timed_out: true, .. } = thread.status {
                            thread.status = Status::Runnable;
                        }
                    }
                }
                None if state.threads.iter().all(|t| t.status == Status::Done) => {
                    state.threads[0].baton.notify_all();
                    return;
                }
                None => {
                    let waiting: Vec<String> = state
                        .threads
                        .iter()
                        .filter(|t| t.status != Status::Done)
                        .map(|t| format!("{}: {:?}", t.name, t.status))
                        .collect();
                    state.dead = Some(format!("simulated deadlock: {}", waiting.join("; ")));
                    for thread in &mut state.threads {
                        thread.baton.notify_all();
                    }
                    return;
                }
            }
        }
    }

    /// Marks thread `me` as ended.
    fn finish(&self, me: usize) {
        let mut state = self.lock();
        state.threads[me].status = Status::Done;
        wake_in(&mut state, join_key(me), usize::MAX);
        if state.dead.is_none() {
            self.pass_baton(&mut state);
        } else {
            state.threads[0].baton.notify_all();
        }
    }
}

fn wake_in(state: &mut State, key: usize, mut count: usize) {
    for thread in &mut state.threads {
        if let Status::Blocked { key: k, .. } = thread.status
            && k == key
            && count > 0
        {
            thread.status = Status::Runnable;
            count -= 1;
        }
    }
}

/// The key on which joiners of thread `index` wait; odd, so no address equals it.
fn join_key(index: usize) -> usize {
    index * 2 + 1
}

fn current() -> Option<(Arc<Scheduler>, usize)> {
    if ACTIVE.load(Ordering::Relaxed) == 0 {
        return None;
    }
    CURRENT.with(|c| c.borrow().clone())
}

/// Whether the calling thread is simulated.
pub fn is_simulated() -> bool {
    current().is_some()
}

/// A place where another simulated thread may run. Real threads go on at once.
#[inline]
pub fn yield_point() {
    if ACTIVE.load(Ordering::Relaxed) != 0 {
        yield_simulated();
    }
}

#[cold]
fn yield_simulated() {
    if let Some((scheduler, me)) = current()
        && !std::thread::panicking()
    {
        let state = scheduler.lock();
        scheduler.switch(state, me);
    }
}

/// Lets another thread run, if one is ready to: a simulated one as at a [`yield_point`], a real one by the system's choice.
pub fn give_way() {
    if is_simulated() {
        yield_point();
    } else {
        std::thread::yield_now();
    }
}

/// Blocks a simulated thread until `key` is woken or `timeout` of virtual time passed. `None` for a real thread, else
/// whether it was woken.
pub fn block(key: usize, timeout: Option<Duration>) -> Option<bool> {
    let (scheduler, me) = current()?;
    let mut state = scheduler.lock();
    let deadline = timeout.map(|t| state.nanos + t.as_nanos() as u64);
    state.threads[me].status = Status::Blocked { key, deadline, timed_out: false };
    scheduler.switch(state, me);
    let nanos = scheduler.lock().nanos;
    Some(deadline.is_none_or(|d| nanos < d))
}

/// Makes up to `count` threads that wait for `key` runnable.
#[inline]
pub fn wake(key: usize, count: usize) {
    if ACTIVE.load(Ordering::Relaxed) != 0 {
        wake_simulated(key, count);
    }
}

#[cold]
fn wake_simulated(key: usize, count: usize) {
    if let Some((scheduler, _)) = current() {
        wake_in(&mut scheduler.lock(), key, count);
    }
}

/// Virtual nanoseconds of the simulation this thread is in.
pub fn virtual_nanos() -> Option<u64> {
    current().map(|(scheduler, _)| scheduler.lock().nanos)
}

/// Sleeps in virtual time; false for a real thread, which did not sleep.
pub fn sleep(duration: Duration) -> bool {
    // Nobody wakes key 0.
    block(0, Some(duration)).is_some()
}

/// A spawned simulated thread, as [`crate::sync::spawn`] sees it.
pub(crate) struct Seat {
    scheduler: Arc<Scheduler>,
    index: usize,
}

/// Reserves a seat for a thread that the calling simulated thread is about to spawn.
pub(crate) fn seat(name: &str) -> Option<Seat> {
    let (scheduler, _) = current()?;
    let index = scheduler.register(name);
    Some(Seat { scheduler, index })
}

impl Seat {
    /// The key that is woken when the thread ends.
    pub(crate) fn join_key(&self) -> usize {
        join_key(self.index)
    }

    /// Whether the thread has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.scheduler.lock().threads[self.index].status == Status::Done
    }

    /// Another handle on the same seat.
    pub(crate) fn share(&self) -> Seat {
        Seat { scheduler: self.scheduler.clone(), index: self.index }
    }

    /// Runs `f` on the new OS thread, once the baton comes to it.
    pub(crate) fn run<T>(self, f: impl FnOnce() -> T) -> std::thread::Result<T> {
        CURRENT.with(|c| *c.borrow_mut() = Some((self.scheduler.clone(), self.index)));
        let mut state = self.scheduler.lock();
        let baton = state.threads[self.index].baton.clone();
        while state.running != self.index && state.dead.is_none() {
            state = baton.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
        self.scheduler.finish(self.index);
        CURRENT.with(|c| *c.borrow_mut() = None);
        outcome
    }
}

#[cfg(test)]
mod tests;
