//! `Fragment`: a part of a plan that several threads run at once, each on other pages of the table that it starts from.
//!
//! Threads take their pages in *morsels* from one counter, so that nobody waits for the slowest. What hash joins on the way keep of their right
//! inputs is made once, before they start, and read by all; so is what queries in their expressions come to. A fragment runs inside one call of the operator above it, which takes all its rows;
//! threads never outlive that call, so they use the statement's snapshot and settings as they are.
//!
//! Source: Leis et al., "Morsel-Driven Parallelism" (2014). Deviation: threads are made for a fragment, not kept; a fragment reads megabytes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use env::sync::Mutex;
use ext::NoHost;
use plan::counter::Counter;
use plan::{ExprKind, Node, SubPlan, TableSource};
use storage::buffer::Touched;
use types::io::BuiltinTypes;
use types::{Result, SqlError};

use crate::build::{apply, build};
use crate::counted::Counted;
use crate::join::{Hub, Join};
use crate::narrow::Offer;
use crate::scan::SeqScan;
use crate::simple::{Filter, Project, Values};
use crate::subplan::{self, Answers};
use crate::{BoxOperator, Context, NoRoutines, State};

/// Pages that a thread takes at a time.
const MORSEL_BLOCKS: u32 = 16;

/// The pages of a table, handed out.
#[derive(Default)]
pub struct Morsels {
    next: AtomicU32,
}

impl Morsels {
    /// Pages that nobody else has; none when all of `blocks` are taken.
    pub fn take(&self, blocks: u32) -> Range<u32> {
        let taken = self.next.try_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
            (next < blocks).then(|| blocks.min(next + MORSEL_BLOCKS))
        });
        taken.map_or(blocks..blocks, |from| from..blocks.min(from + MORSEL_BLOCKS))
    }

    /// All of them can be had again.
    fn restart(&self) {
        self.next.store(0, Ordering::Relaxed);
    }

    /// There are no more for anybody.
    fn end(&self) {
        self.next.store(u32::MAX, Ordering::Relaxed);
    }
}

/// Threads of this process that run fragments, beside those that began them.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Places among them.
struct Seats(usize);

impl Seats {
    /// As many of `wanted` as there are, where all fragments of the process together may have `limit`.
    fn take(wanted: usize, limit: usize) -> Seats {
        let mut got = 0;
        let _ = RUNNING.try_update(Ordering::Relaxed, Ordering::Relaxed, |running| {
            got = wanted.min(limit.saturating_sub(running));
            Some(running + got)
        });
        Seats(got)
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        RUNNING.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// A part of a plan, once for each thread that may run it; the first is the statement's own.
pub struct Fragment {
    operators: Vec<BoxOperator>,
    morsels: Arc<Morsels>,
    /// The queries in its expressions.
    queries: Vec<SubPlan>,
    counter: Option<Counter>,
}

/// What the operators of a fragment share.
struct Parts<'p> {
    morsels: &'p Arc<Morsels>,
    /// Of its hash joins, in the order in which they are built.
    hubs: Vec<Hub>,
    /// The next of them.
    next: usize,
    /// The queries in its expressions.
    queries: Vec<SubPlan>,
    /// Whether the operators at hand are the statement's own.
    own: bool,
}

impl Fragment {
    /// The fragment that stands below `input`, where that is a [`Node::Gather`] whose rows are not handed up, with the plan it is of.
    pub fn below(input: &Node) -> Option<(&Node, Fragment)> {
        match input {
            Node::Counted { input, counter } => {
                let (node, mut fragment) = Fragment::below(input)?;
                fragment.counter.get_or_insert_with(|| counter.clone());
                Some((node, fragment))
            }
            Node::Gather { input, workers, whole: false } => Some((input, Fragment::of(input, *workers)?)),
            _ => None,
        }
    }

    /// `workers` and one more times what `node` is; `None` when it is not of the kind.
    pub fn of(node: &Node, workers: usize) -> Option<Fragment> {
        let morsels = Arc::new(Morsels::default());
        let mut parts = Parts { morsels: &morsels, hubs: Vec::new(), next: 0, queries: Vec::new(), own: true };
        let mut operators = Vec::new();
        for _ in 0..=workers {
            operators.push(part(node, &mut parts)?);
            (parts.next, parts.own) = (0, false);
        }
        let queries = parts.queries;
        Some(Fragment { operators, morsels, queries, counter: None })
    }

    /// Lets threads do `work` with what each makes of its pages; what all came to, in no order. `None` when that cannot be: not now,
    /// since other fragments run, or not at all, because one of them says so. Then whatever was done is to be forgotten.
    ///
    /// # Errors
    /// The first of `work`.
    pub fn run<T: Send>(
        &mut self,
        ctx: &mut Context<'_>,
        work: impl Fn(&mut BoxOperator, &mut Context<'_>) -> Result<Option<T>> + Sync,
    ) -> Result<Option<Vec<T>>> {
        let Fragment { operators, morsels, queries, counter } = self;
        let Some((own, others)) = operators.split_first_mut() else { return Ok(None) };
        // While it has no threads yet, others may have some for these.
        let answers = queries.iter().map(|sub| subplan::answers(sub, ctx)).collect::<Result<Vec<Answers>>>()?;
        let seats = Seats::take(others.len(), limit(ctx));
        if seats.0 == 0 || !own.prepare(ctx)? {
            return Ok(None);
        }
        morsels.restart();
        let (started, touched) = (ctx.txn.interrupt().clock().monotonic_nanos(), Touched::so_far());
        let morsels = &**morsels;
        // Whoever fails or gives up ends it for all.
        let work = |operator: &mut BoxOperator, ctx: &mut Context<'_>| {
            let outcome = work(operator, ctx);
            if !matches!(outcome, Ok(Some(_))) {
                morsels.end();
            }
            outcome
        };
        let share = others.len() + 1;
        let operators = std::iter::once(own).chain(others.iter_mut().take(seats.0)).collect();
        let outcomes = on_threads(operators, share, &answers, ctx, work);
        if let Some(counter) = counter {
            let Touched { hit, read, dirtied } = Touched::so_far().since(touched);
            counter.add_pages([hit, read, dirtied]);
            counter.start();
            counter.add(outcomes.len() as u64, ctx.txn.interrupt().clock().monotonic_nanos() - started, true);
        }
        outcomes.into_iter().collect()
    }

    /// Tells the operators of all threads which rows nobody has use for (`narrow`).
    pub fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        // All or none: an operator that does not heed it leaves rows in.
        self.operators.iter_mut().map(|operator| operator.narrow(column, filter)).fold(false, |any, did| any | did)
    }

    /// Makes it ready to run again.
    pub fn reset(&mut self) {
        self.operators.iter_mut().for_each(|o| o.reset());
    }
}

/// Lets threads do `work` with `items`, the first being the caller's own; each may use a `share` of the statement's memory, and knows these answers. What each came
/// to, but of threads that the system does not give.
fn on_threads<I: Send, T: Send>(
    items: Vec<I>,
    share: usize,
    answers: &[Answers],
    ctx: &mut Context<'_>,
    work: impl Fn(I, &mut Context<'_>) -> Result<T> + Sync,
) -> Vec<Result<T>> {
    let (db, shared, snapshot, params, settings) = (ctx.db, ctx.shared, ctx.snapshot, ctx.params, ctx.settings);
    let (fixed_snapshot, programs) = (ctx.fixed_snapshot, ctx.programs);
    let mut items = items.into_iter();
    let Some(own) = items.next() else { return Vec::new() };
    let seated: Vec<_> =
        items.map(|item| (item, ctx.txn.companion(), ctx.account.part(share), ctx.state.slots.clone())).collect();
    let work = &work;
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for (item, mut txn, mut account, slots) in seated {
            let run = move || {
                // Who needs several threads can wait for those who need one.
                env::waiting::stand_back(env::waiting::current_thread());
                let mut state = State { slots, ..State::default() };
                answers.iter().for_each(|known| known.give(&mut state));
                let mut ctx = Context {
                    db,
                    shared,
                    txn: &mut txn,
                    snapshot,
                    fixed_snapshot,
                    params,
                    settings,
                    types: &BuiltinTypes,
                    host: &mut NoHost,
                    routines: &NoRoutines,
                    programs,
                    account: &mut account,
                    state: &mut state,
                };
                (work(item, &mut ctx), Touched::so_far())
            };
            threads.extend(std::thread::Builder::new().name("hathi-worker".to_owned()).spawn_scoped(scope, run));
        }
        let mut outcomes = vec![work(own, ctx)];
        for thread in threads {
            outcomes.push(match thread.join() {
                Ok((outcome, touched)) => {
                    touched.adopt();
                    outcome
                }
                Err(_) => Err(SqlError::internal("a parallel worker panicked")),
            });
        }
        outcomes
    })
}

/// Does `work` with each of `items`, on as many threads as there are places for; what they came to, in their order. They ask nobody but their rows and parameters.
///
/// # Errors
/// The first of `work`.
pub fn spread<I: Send, T: Send>(
    items: Vec<I>,
    ctx: &mut Context<'_>,
    work: impl Fn(I, &mut Context<'_>) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let seats = Seats::take(items.len().saturating_sub(1), limit(ctx));
    let count = items.len();
    let todo = Mutex::new(items.into_iter().enumerate());
    let done = on_threads(vec![(); seats.0 + 1], seats.0 + 1, &[], ctx, |(), ctx| {
        let mut done = Vec::new();
        // Where the system gives no thread, the others do its share.
        loop {
            let Some((i, item)) = todo.lock().next() else { return Ok(done) };
            done.push((i, work(item, ctx)?));
        }
    });
    let mut all: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count).collect();
    for (i, outcome) in done.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten() {
        all[i] = Some(outcome);
    }
    all.into_iter().map(|outcome| outcome.ok_or_else(|| SqlError::internal("a part was not done"))).collect()
}

/// How many threads all fragments of the process together may have.
fn limit(ctx: &mut Context<'_>) -> usize {
    ctx.host.setting("max_parallel_workers").and_then(|n| n.parse().ok()).unwrap_or(usize::MAX)
}

/// Notes the queries in the expressions of `node` alone.
fn note_queries(node: &Node, queries: &mut Vec<SubPlan>) {
    node.each_expr(&mut |e| {
        e.visit(&mut |e| {
            if let ExprKind::Subquery(sub) = &e.kind {
                queries.push((**sub).clone());
            }
        });
    });
}

/// The same of it and of all below.
fn note_all_queries(node: &Node, queries: &mut Vec<SubPlan>) {
    note_queries(node, queries);
    node.inputs().into_iter().for_each(|below| note_all_queries(below, queries));
}

/// The operators of `node` for one of its threads; `None` when it is no fragment.
fn part(node: &Node, parts: &mut Parts<'_>) -> Option<BoxOperator> {
    if parts.own {
        note_queries(node, &mut parts.queries);
    }
    Some(match node {
        Node::Scan { table, filter, needed } if matches!(table.source, TableSource::Stored) => {
            let scan = SeqScan::new(table.clone(), filter.clone(), needed.clone());
            Box::new(scan.of_morsels(parts.morsels.clone()))
        }
        Node::Counted { input, counter } => {
            Box::new(Counted { input: part(input, parts)?, counter: counter.clone(), begun: (false, false) })
        }
        Node::Filter { input, predicate } => {
            Box::new(Filter { input: part(input, parts)?, predicate: predicate.clone().into() })
        }
        Node::Project { input, exprs } => Box::new(Project::new(part(input, parts)?, exprs.clone())),
        Node::Join { kind, left, right, equal, condition } if !equal.is_empty() => {
            let below = part(left, parts)?;
            if parts.own {
                parts.hubs.push(Hub::default());
            }
            let hub = parts.hubs[parts.next].clone();
            parts.next += 1;
            // Only the statement itself reads the right.
            let other = if parts.own { build(right) } else { Box::new(Values::new(Vec::new(), &right.types())) };
            let forms = (left.forms(), right.forms());
            Box::new(Join::new(*kind, below, other, forms, equal.clone(), condition.clone()).sharing(hub))
        }
        Node::Apply { kind, left, right, binds, condition } => {
            if parts.own {
                note_all_queries(right, &mut parts.queries);
            }
            Box::new(apply(*kind, part(left, parts)?, (left, right), binds, condition.as_ref()))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_taken_once() {
        let morsels = Morsels::default();
        for blocks in [0, 1, 15, 16, 17, 1000] {
            morsels.restart();
            let taken: Vec<u32> = std::thread::scope(|scope| {
                let take = || {
                    let mut taken = Vec::new();
                    loop {
                        match morsels.take(blocks) {
                            none if none.is_empty() => return taken,
                            some => taken.extend(some),
                        }
                    }
                };
                let threads: Vec<_> = (0..3).map(|_| scope.spawn(take)).collect();
                threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
            });
            let mut taken = taken;
            taken.sort_unstable();
            assert_eq!(taken, (0..blocks).collect::<Vec<_>>());
        }
        morsels.restart();
        morsels.end();
        assert!(morsels.take(1000).is_empty());
    }

    #[test]
    fn seats_are_limited_and_given_back() {
        let first = Seats::take(2, 3);
        let second = Seats::take(2, 3);
        assert!(first.0 + second.0 <= 3);
        drop((first, second));
        assert_eq!(RUNNING.load(Ordering::Relaxed), 0);
    }
}
