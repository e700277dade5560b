//! Which parts of a plan several threads run: a [`Node::Gather`] below each aggregate over a large table.
//!
//! A part that can be run so starts from a sequential scan and goes up through filters, projections and hash joins that keep their right input. What
//! it computes depends on nothing but the row, the parameters and the settings, so it does not matter who computes it.

use plan::{AggregateCall, Expr, ExprKind, JoinKind, Node, TableSource};

use crate::estimate::estimate;
use crate::statistics::Statistics;

/// More groups than this are not put together from parts: that takes as long as making them.
const GROUPS_MAX: f64 = 50_000.0;

/// Puts the threads in, from `node` on down: what is read once, and wholly.
pub fn place(node: &mut Node, s: &dyn Statistics) {
    if let Node::Aggregate { input, groups, calls } = node
        && let Some(pages) = pages(input, s)
        && groups.iter().all(is_pure)
        && calls.iter().all(is_mergeable)
        && let workers = s.workers(pages)
        && workers > 0
        && (groups.is_empty() || estimate(node, s).rows <= GROUPS_MAX)
        && let Node::Aggregate { input, .. } = node
    {
        let below = std::mem::replace(&mut **input, Node::one_row());
        **input = Node::Gather { input: Box::new(below), workers };
    }
    match node {
        // What writes does so on one thread, and what it reads may be what it writes.
        Node::Insert { .. } | Node::Update { .. } | Node::Delete { .. } | Node::Merge { .. } => {}
        Node::LockRows { .. } | Node::Recursive { .. } => {}
        // Its right runs again and again.
        Node::Apply { left, .. } => place(left, s),
        _ => node.inputs_mut().into_iter().for_each(|n| place(n, s)),
    }
}

/// The pages of the table that `node` starts from, if several threads can run it.
fn pages(node: &Node, s: &dyn Statistics) -> Option<f64> {
    match node {
        Node::Scan { table, filter, .. } if matches!(table.source, TableSource::Stored) => {
            filter.iter().all(is_pure).then(|| s.size(table).1)
        }
        Node::Filter { input, predicate } if is_pure(predicate) => pages(input, s),
        Node::Project { input, exprs } if exprs.iter().all(is_pure) => pages(input, s),
        Node::Join {
            kind: JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti,
            left,
            equal,
            condition,
            ..
        } if !equal.is_empty() && equal.iter().all(|e| is_pure(&e.0)) && condition.iter().all(is_pure) => {
            pages(left, s)
        }
        _ => None,
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

/// Whether the value of `e` is a matter of its input alone, and of what ships with the binary.
fn is_pure(e: &Expr) -> bool {
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
                _ => false,
            };
    });
    pure
}
