//! Which parts of a plan several threads run: a [`Node::Gather`] below each aggregate and each sort over a large table, and where a hash join keeps the
//! rows of one.
//!
//! A part that can be run so starts from a sequential scan and goes up through filters, projections, hash joins that keep their right input, and nested
//! loops that look rows up in an index. What it computes depends on nothing but the row, the parameters, the settings, and queries that are answered once, before
//! its threads start; so it does not matter who computes it.

use plan::{AggregateCall, Expr, ExprKind, JoinKind, Node, SubKind, SubPlan, TableSource};

use crate::estimate::estimate;
use crate::statistics::Statistics;

/// More groups than this are put together from parts only if there are far fewer of them than rows.
const GROUPS_MAX: f64 = 50_000.0;
/// How many rows a group must have then: fewer, and putting them together takes as long as making them.
const GROUP_ROWS_MIN: f64 = 2.0;

/// Puts the threads in, from `node` on down: what is read once, and wholly.
pub fn place(node: &mut Node, s: &dyn Statistics) {
    place_in(node, false, s);
}

/// The same; `within` says whether threads run `node` already.
fn place_in(node: &mut Node, within: bool, s: &dyn Statistics) {
    match node {
        Node::Aggregate { input, groups, calls } => {
            let merges = groups.iter().all(is_pure) && calls.iter().all(is_mergeable);
            let workers = workers(input, s);
            let is_worth_it = workers > 0 && merges && (groups.is_empty() || are_few(node, s));
            if let Node::Aggregate { input, .. } = node {
                match is_worth_it {
                    true => gather(input, workers, false),
                    false => gather_some(input, s),
                }
            }
        }
        Node::Sort { input, keys } if keys.iter().all(|k| is_pure(&k.expr)) => {
            let workers = workers(input, s);
            if workers > 0 && rows_bytes(input, s) <= s.work_bytes() {
                gather(input, workers, false);
            }
        }
        Node::Join { kind, left, right, equal, .. } if !equal.is_empty() => {
            gather_some(right, s);
            // What the right has alone is known when the left was read: where others wait for that, the left may as well be made by threads.
            if kind.keeps_right() && !within {
                gather_some(left, s);
            }
        }
        _ => {}
    }
    match node {
        // What writes does so on one thread, and what it reads may be what it writes.
        Node::Insert { .. } | Node::Update { .. } | Node::Delete { .. } | Node::Merge { .. } => {}
        Node::LockRows { .. } | Node::Recursive { .. } => {}
        // Its right runs again and again.
        Node::Apply { left, .. } => place_in(left, within, s),
        Node::Gather { input, .. } => place_in(input, true, s),
        _ => {
            let hands_on = matches!(node, Node::Filter { .. } | Node::Project { .. } | Node::Join { .. });
            let inputs = node.inputs_mut().into_iter().enumerate();
            // Of a join, the left.
            inputs.for_each(|(i, n)| place_in(n, within && hands_on && i == 0, s));
            node.each_expr_mut(&mut |e| e.visit_mut(&mut |e| place_within(e, s)));
        }
    }
}

/// The same in a query of an expression that runs once.
fn place_within(e: &mut Expr, s: &dyn Statistics) {
    if let ExprKind::Subquery(sub) = &mut e.kind
        && !sub.correlated
    {
        place(&mut sub.node, s);
    }
}

/// Whether the groups of an aggregate can be put together from parts in less time than making them takes.
fn are_few(node: &Node, s: &dyn Statistics) -> bool {
    let Node::Aggregate { input, groups, calls } = node else { return false };
    let count = estimate(node, s).rows;
    // As the executor counts.
    let bytes = count * (96 * (calls.len() + groups.len())) as f64;
    count <= GROUPS_MAX || (count * GROUP_ROWS_MIN <= estimate(input, s).rows && bytes <= s.work_bytes())
}

/// How many threads may help with `node`, if it is of the kind that they can run.
fn workers(node: &Node, s: &dyn Statistics) -> usize {
    pages(node, s).map_or(0, |pages| s.workers(pages))
}

fn gather(node: &mut Node, workers: usize, whole: bool) {
    let below = std::mem::replace(node, Node::one_row());
    *node = Node::Gather { input: Box::new(below), workers, whole };
}

/// Lets threads make the rows of `node`, where there are few beside those that they read: they are held until they are asked for.
fn gather_some(node: &mut Node, s: &dyn Statistics) {
    let workers = workers(node, s);
    let is_bare = matches!(node, Node::Scan { filter: None, .. });
    // What is hashed may take twice as much as what is sorted.
    if workers > 0 && !is_bare && rows_bytes(node, s) <= 2.0 * s.work_bytes() {
        gather(node, workers, true);
    }
}

/// About how many bytes the rows of `node` take.
fn rows_bytes(node: &Node, s: &dyn Statistics) -> f64 {
    const VALUE_BYTES: f64 = 16.0;
    estimate(node, s).rows * VALUE_BYTES * width(node) as f64
}

/// How many values a row of `node` has, those that nobody reads left aside.
fn width(node: &Node) -> usize {
    match node {
        Node::Scan { table, needed, .. } | Node::IndexScan { table, needed, .. } => {
            (0..=table.columns.len()).filter(|&c| needed.has(c)).count()
        }
        Node::Filter { input, .. } | Node::Counted { input, .. } | Node::Gather { input, .. } => width(input),
        Node::Join { kind: JoinKind::Semi | JoinKind::Anti, left, .. }
        | Node::Apply { kind: JoinKind::Semi | JoinKind::Anti, left, .. } => width(left),
        Node::Join { left, right, .. } | Node::Apply { left, right, .. } => width(left) + width(right),
        _ => node.types().len(),
    }
}

/// The pages of the table that `node` starts from, if several threads can run it.
fn pages(node: &Node, s: &dyn Statistics) -> Option<f64> {
    match node {
        Node::Scan { table, filter, .. } if matches!(table.source, TableSource::Stored) => {
            filter.iter().all(is_answerable).then(|| s.size(table).1)
        }
        Node::Filter { input, predicate } if is_answerable(predicate) => pages(input, s),
        Node::Project { input, exprs } if exprs.iter().all(|e| is_handed_on(e, is_answerable)) => pages(input, s),
        Node::Join { left, equal, condition, .. }
            if !equal.is_empty()
                && equal.iter().all(|e| is_answerable(&e.0))
                && condition.iter().all(is_answerable) =>
        {
            pages(left, s)
        }
        Node::Apply {
            kind: JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti,
            left,
            right,
            binds,
            condition,
        } if is_look_up(right) && binds.iter().all(|b| is_answerable(&b.1)) && condition.iter().all(is_answerable) => {
            pages(left, s)
        }
        _ => None,
    }
}

/// Whether `node` finds rows in an index, and any thread may.
fn is_look_up(node: &Node) -> bool {
    match node {
        Node::IndexScan { table, range, filter, .. } => {
            matches!(table.source, TableSource::Stored)
                && range.exprs().all(is_pure)
                && filter.iter().all(is_answerable)
        }
        Node::Filter { input, predicate } => is_answerable(predicate) && is_look_up(input),
        Node::Project { input, exprs } => exprs.iter().all(|e| is_handed_on(e, is_pure)) && is_look_up(input),
        _ => false,
    }
}

/// Whether parts of the rows can be aggregated, and the parts then. Those that show the order of their rows cannot merge.
fn is_mergeable(call: &AggregateCall) -> bool {
    let merges = functions::aggregate::lookup(call.function).is_some_and(|definition| definition.can_merge);
    merges
        && call.own.is_none()
        && !call.distinct
        && call.order.is_empty()
        && call.args.iter().chain(&call.filter).all(is_pure)
}

/// Whether any thread may compute `e`, as `may` says: it may hand on what it knows nothing of.
fn is_handed_on(e: &Expr, may: impl Fn(&Expr) -> bool) -> bool {
    matches!(e.kind, ExprKind::Column(_)) || may(e)
}

/// Whether the value of `e` is a matter of its input alone, and of what ships with the binary.
fn is_pure(e: &Expr) -> bool {
    is_made_of(e, |_| false)
}

/// The same, but for queries that are answered before threads start.
fn is_answerable(e: &Expr) -> bool {
    is_made_of(e, |sub| {
        let is_tested = if let SubKind::Quantified { test, .. } = &sub.kind { is_pure(test) } else { true };
        !sub.correlated && is_tested
    })
}

/// Whether the value of `e` is a matter of its input alone, of what ships with the binary, and of such queries.
fn is_made_of(e: &Expr, query: impl Fn(&SubPlan) -> bool) -> bool {
    let immutable = |function| catalog::builtin::proc_by_oid(function).is_some_and(|p| p.volatility == b'i');
    let mut pure = true;
    e.visit(&mut |e| {
        pure &= !e.ty.is_user_type()
            && match &e.kind {
                ExprKind::Call { function, .. } | ExprKind::AnyArray { function, .. } => immutable(*function),
                ExprKind::IsDistinct { equal, .. } => immutable(*equal),
                ExprKind::Const(_)
                | ExprKind::Column(_)
                | ExprKind::Param(_)
                | ExprKind::Slot(_)
                | ExprKind::Coerce { .. }
                | ExprKind::And(_)
                | ExprKind::Or(_)
                | ExprKind::Not(_)
                | ExprKind::IsNull(_)
                | ExprKind::Case { .. }
                | ExprKind::Coalesce(_) => true,
                ExprKind::Subquery(sub) => query(sub),
                _ => false,
            };
    });
    pure
}
