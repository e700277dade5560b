#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod access;
mod bitmap;
mod estimate;
mod fold;
mod in_order;
mod methods;
mod needed;
mod order;
mod parallel;
pub mod prefix;
mod push;
mod selectivity;
mod statistics;
mod unnest;

pub use estimate::{ColumnEstimate, Estimate, estimate, estimate_bits};
pub use fold::fold;
use plan::{ExprKind, Node};
pub use statistics::{ColumnStatistics, NoStatistics, Statistics, Way};

/// Rewrites `node`, which is a whole statement.
pub fn optimize(node: Node, statistics: &dyn Statistics) -> Node {
    let mut slots = 0;
    first_free(&node, &mut slots);
    let mut node = query(node, statistics, &mut slots);
    parallel::place(&mut node, statistics);
    node
}

/// Rewrites a query of a statement; `slots` is the first slot that is free.
fn query(mut node: Node, statistics: &dyn Statistics, slots: &mut usize) -> Node {
    fold::fold_all(&mut node);
    let mut node = unnest::unnest(node, statistics);
    // What a scan must load has its part in what finding its rows costs; what is left of it in the end is less.
    needed::mark(&mut node, None, statistics);
    let node = push::push(node, Vec::new(), statistics);
    let node = order::order(node, statistics, slots);
    let mut node = methods::methods(node, None, statistics, slots);
    fold::single_rows(&mut node);
    subplans(&mut node, statistics, slots);
    needed::mark(&mut node, None, statistics);
    node
}

/// The first slot that nothing in `node` uses.
fn first_free(node: &Node, slots: &mut usize) {
    node.visit(&mut |n| {
        if let Node::Apply { binds, .. } = n {
            binds.iter().for_each(|b| *slots = (*slots).max(b.0 + 1));
        }
        n.each_expr(&mut |e| {
            e.visit(&mut |e| match &e.kind {
                ExprKind::Slot(slot) => *slots = (*slots).max(slot + 1),
                ExprKind::Subquery(sub) => sub.binds.iter().for_each(|b| *slots = (*slots).max(b.0 + 1)),
                _ => {}
            });
        });
    });
}

/// Optimizes the queries inside expressions.
fn subplans(node: &mut Node, statistics: &dyn Statistics, slots: &mut usize) {
    node.each_expr_mut(&mut |e| {
        e.visit_mut(&mut |e| {
            if let ExprKind::Subquery(sub) = &mut e.kind {
                let inner = std::mem::replace(&mut sub.node, Node::one_row());
                sub.node = query(inner, statistics, slots);
            }
        });
    });
    node.inputs_mut().into_iter().for_each(|n| subplans(n, statistics, slots));
}
