//! Functions that return sets, inside of other expressions: their rows are made below, level by level.

use plan::{Expr, ExprKind, Node};

use crate::call::{has_set, is_set};

/// Adds the outermost calls of `e` that return sets and have no other such call inside.
fn innermost(e: &Expr, out: &mut Vec<Expr>) {
    let inside = e.children().into_iter().any(has_set);
    if !inside && is_set(e) {
        if !out.iter().any(|known| known.same(e)) {
            out.push(e.clone());
        }
        return;
    }
    e.children().into_iter().for_each(|c| innermost(c, out));
}

/// `node` with the rows of the sets that `exprs` speak of, and `exprs` over it. Calls that are equally deep advance together.
pub(crate) fn spread(mut node: Node, mut exprs: Vec<Expr>) -> (Node, Vec<Expr>) {
    loop {
        let mut calls = Vec::new();
        exprs.iter().for_each(|e| innermost(e, &mut calls));
        if calls.is_empty() {
            return (node, exprs);
        }
        let types = node.types();
        for e in &mut exprs {
            e.visit_mut(&mut |e| {
                if let Some(i) = calls.iter().position(|c| c.same(e)) {
                    e.kind = ExprKind::Column(types.len() + i);
                }
            });
        }
        let columns = types.iter().enumerate().map(|(i, &ty)| Expr::column(i, ty, -1));
        node = Node::ProjectSet { input: Box::new(node), exprs: columns.chain(calls).collect() };
    }
}
