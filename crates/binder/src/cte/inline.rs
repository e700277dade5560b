//! Common table expressions that are read once stand where they are read, as PostgreSQL has them: the optimizer sees through them then.

use plan::{ExprKind, Node};
use syntax::ast::{self, StatementKind, With};

use crate::rules::is_volatile;

/// `body` with the expressions of `with`, which `ctes` are.
pub(super) fn assembled(with: &With, names: &[(&str, usize)], mut ctes: Vec<(usize, Node)>, mut body: Node) -> Node {
    let mut at = 0;
    while let Some((id, node)) = ctes.get(at) {
        let id = *id;
        let written = names.iter().find(|n| n.1 == id).and_then(|n| with.ctes.iter().find(|c| c.name.as_str() == n.0));
        let reads = count(&body, id) + ctes.iter().map(|c| count(&c.1, id)).sum::<usize>();
        if !written.is_some_and(may_move) || reads > 1 || !is_movable(node, id) {
            at += 1;
            continue;
        }
        let (_, node) = ctes.remove(at);
        let depends = has_free_slots(&node);
        let mut node = Some(node);
        for reader in ctes.iter_mut().map(|c| &mut c.1).chain([&mut body]) {
            place(reader, id, &mut node, depends);
        }
    }
    match ctes.is_empty() {
        true => body,
        false => Node::With { ctes, body: Box::new(body) },
    }
}

fn may_move(cte: &ast::Cte) -> bool {
    matches!(cte.statement.kind, StatementKind::Select(_)) && cte.materialized != Some(true)
}

/// Whether it is the same wherever, and however often, it is run.
fn is_movable(node: &Node, id: usize) -> bool {
    let mut movable = !matches!(node, Node::Recursive { .. }) && !node.writes();
    node.visit(&mut |n| {
        movable &= !matches!(n, Node::LockRows { .. }) && !matches!(n, Node::CteScan { id: own, .. } if *own == id);
        n.each_expr(&mut |e| movable &= !is_volatile(e));
    });
    movable
}

fn count(node: &Node, id: usize) -> usize {
    let mut count = 0;
    node.visit(&mut |n| count += usize::from(matches!(n, Node::CteScan { id: own, .. } if *own == id)));
    count
}

/// Whether it reads slots that are filled outside of it.
fn has_free_slots(node: &Node) -> bool {
    let (mut read, mut filled) = (Vec::new(), Vec::new());
    node.visit(&mut |n| {
        if let Node::Apply { binds, .. } = n {
            filled.extend(binds.iter().map(|b| b.0));
        }
        n.each_expr(&mut |e| {
            e.visit(&mut |e| match &e.kind {
                ExprKind::Slot(slot) => read.push(*slot),
                ExprKind::Subquery(sub) => filled.extend(sub.binds.iter().map(|b| b.0)),
                _ => {}
            });
        });
    });
    read.iter().any(|slot| !filled.contains(slot))
}

/// Puts `cte` where expression `id` is read in `node`. A query in an expression that it `depends` from runs once for each row then.
fn place(node: &mut Node, id: usize, cte: &mut Option<Node>, depends: bool) {
    if matches!(node, Node::CteScan { id: own, .. } if *own == id) {
        if let Some(cte) = cte.take() {
            *node = cte;
        }
        return;
    }
    node.each_expr_mut(&mut |e| {
        e.visit_mut(&mut |e| {
            let ExprKind::Subquery(sub) = &mut e.kind else { return };
            let waiting = cte.is_some();
            place(&mut sub.node, id, cte, depends);
            sub.correlated |= depends && waiting && cte.is_none();
        });
    });
    node.inputs_mut().into_iter().for_each(|n| place(n, id, cte, depends));
}
