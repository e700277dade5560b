#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod access;
mod needed;
mod push;

use plan::{ExprKind, Node};

/// Rewrites `node`.
pub fn optimize(node: Node) -> Node {
    let mut node = push::push(node, Vec::new());
    subplans(&mut node);
    needed::mark(&mut node, None);
    node
}

/// Optimizes the queries inside expressions.
fn subplans(node: &mut Node) {
    for e in node.exprs_mut() {
        e.visit_mut(&mut |e| {
            if let ExprKind::Subquery(sub) = &mut e.kind {
                let inner = std::mem::replace(&mut sub.node, Node::one_row());
                sub.node = optimize(inner);
            }
        });
    }
    node.inputs_mut().into_iter().for_each(subplans);
}
