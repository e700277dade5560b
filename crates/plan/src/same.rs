//! Whether two expressions are the same wherever they were written: positions, and the numbers that queries inside them were given, do not count.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Expr, ExprKind, Label, Node, SubKind};

/// New numbers of what a query inside an expression numbers by itself.
#[derive(Default)]
struct Numbers {
    subs: usize,
    slots: HashMap<usize, usize>,
    ctes: HashMap<usize, usize>,
}

impl Numbers {
    fn slot(&mut self, slot: &mut usize) {
        let next = self.slots.len();
        *slot = *self.slots.entry(*slot).or_insert(next);
    }

    fn cte(&mut self, id: &mut usize) {
        let next = self.ctes.len();
        *id = *self.ctes.entry(*id).or_insert(next);
    }

    fn expr(&mut self, e: &mut Expr) {
        e.visit_mut(&mut |e| {
            e.position = 0;
            let ExprKind::Subquery(sub) = &mut e.kind else { return };
            sub.id = self.subs;
            self.subs += 1;
            sub.binds.iter_mut().for_each(|b| self.slot(&mut b.0));
            self.node(&mut sub.node);
            if let SubKind::Quantified { test, .. } = &mut sub.kind {
                self.inner(test);
            }
        });
    }

    /// An expression inside a query: slots that the query around fills keep their numbers.
    fn inner(&mut self, e: &mut Expr) {
        self.expr(e);
        e.visit_mut(&mut |e| {
            if let ExprKind::Slot(slot) = &mut e.kind
                && let Some(new) = self.slots.get(slot)
            {
                *slot = *new;
            }
        });
    }

    fn node(&mut self, node: &mut Node) {
        match node {
            Node::With { ctes, .. } => ctes.iter_mut().for_each(|c| self.cte(&mut c.0)),
            Node::CteScan { id, label, .. } => {
                self.cte(id);
                *label = Label::default();
            }
            Node::Recursive { id, .. } => self.cte(id),
            Node::FunctionScan { label, .. } => *label = Label::default(),
            Node::Scan { table, .. } => Arc::make_mut(table).label = Label::default(),
            Node::Apply { binds, .. } => binds.iter_mut().for_each(|b| self.slot(&mut b.0)),
            _ => {}
        }
        node.each_expr_mut(&mut |e| self.inner(e));
        node.inputs_mut().into_iter().for_each(|n| self.node(n));
    }
}

impl Expr {
    /// Whether both are the same wherever they were written.
    pub fn same(&self, other: &Expr) -> bool {
        let stripped = |e: &Expr| {
            let mut e = e.clone();
            Numbers::default().expr(&mut e);
            e
        };
        stripped(self) == stripped(other)
    }
}
