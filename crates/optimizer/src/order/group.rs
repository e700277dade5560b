//! `Group`: relations whose joins may be done in any order, and the conditions between them.

use plan::{Expr, ExprKind, JoinKind, Node};

use super::{Set, below, call, order};
use crate::estimate::{ColumnEstimate, Estimate, estimate};
use crate::fold;
use crate::statistics::Statistics;

pub(super) struct Relation {
    pub node: Node,
    /// Its first column among the group's.
    pub first: usize,
    pub width: usize,
    pub attached: Option<Attached>,
    pub estimate: Estimate,
}

pub(super) struct Attached {
    pub kind: JoinKind,
    pub requires: Set,
    /// Over the group's columns.
    pub conditions: Vec<Expr>,
}

#[derive(Default)]
pub(super) struct Group {
    pub relations: Vec<Relation>,
    pub conditions: Vec<Expr>,
    pub width: usize,
}

pub(super) fn relation_count(node: &Node) -> usize {
    match node {
        Node::Join { left, right, .. } => relation_count(left) + relation_count(right),
        Node::Project { input, .. } => relation_count(input),
        _ => 1,
    }
}

fn moved(mut e: Expr, columns: &[Expr]) -> Expr {
    fn go(e: &mut Expr, columns: &[Expr]) {
        if let ExprKind::Column(i) = e.kind {
            let position = e.position;
            *e = columns[i].clone();
            e.position = position;
            return;
        }
        e.children_mut().into_iter().for_each(|c| go(c, columns));
    }
    go(&mut e, columns);
    e
}

impl Group {
    /// Adds what `node` joins; answers what its columns are over the group's.
    pub(super) fn add(&mut self, node: Node, s: &dyn Statistics, slots: &mut usize) -> Vec<Expr> {
        match node {
            Node::Join { kind: JoinKind::Inner, left, right, equal, condition } => {
                let mut columns = self.add(*left, s, slots);
                let split = columns.len();
                columns.extend(self.add(*right, s, slots));
                for (a, mut b, function) in equal {
                    b.map_columns(&|i| i + split);
                    self.conditions.push(moved(call(function, a, b), &columns));
                }
                if let Some(condition) = condition {
                    let mut list = Vec::new();
                    fold::conjuncts(condition, &mut list);
                    self.conditions.extend(list.into_iter().map(|e| moved(e, &columns)));
                }
                columns
            }
            Node::Join { kind, left, right, equal, condition } if kind != JoinKind::Full => {
                // Of a right join, the right is what all the rest is attached to.
                let turned = kind == JoinKind::Right;
                let (base, other) = if turned { (*right, *left) } else { (*left, *right) };
                let from = self.relations.len();
                let bases = self.add(base, s, slots);
                let to = self.relations.len();
                let others = self.leaf(order(other, s, slots), s);
                let (split, mut columns) = if turned {
                    (others.len(), [others, bases].concat())
                } else {
                    (bases.len(), [bases, others].concat())
                };
                let mut conditions: Vec<Expr> = Vec::new();
                for (a, mut b, function) in equal {
                    b.map_columns(&|i| i + split);
                    conditions.push(moved(call(function, a, b), &columns));
                }
                if let Some(condition) = condition {
                    let mut list = Vec::new();
                    fold::conjuncts(condition, &mut list);
                    conditions.extend(list.into_iter().map(|e| moved(e, &columns)));
                }
                let own: Set = 1 << to;
                let mut requires = conditions.iter().map(|e| self.reads(e)).fold(0, |a, b| a | b) & !own;
                if requires == 0 {
                    requires = (from..to).map(|i| 1 << i).sum();
                }
                let one_sided = matches!(kind, JoinKind::Semi | JoinKind::Anti);
                let kind = if one_sided { kind } else { JoinKind::Left };
                self.relations[to].attached = Some(Attached { kind, requires, conditions });
                if one_sided {
                    columns.truncate(split);
                }
                columns
            }
            Node::Join { .. } => {
                let mut node = node;
                below(&mut node, s, slots);
                self.leaf(node, s)
            }
            Node::Project { input, exprs }
                if matches!(
                    *input,
                    Node::Join { .. }
                        | Node::Project { .. }
                        | Node::Scan { .. }
                        | Node::IndexScan { .. }
                        | Node::BitmapScan { .. }
                ) && exprs.iter().all(|e| matches!(e.kind, ExprKind::Column(_))) =>
            {
                let columns = self.add(*input, s, slots);
                exprs.into_iter().map(|e| moved(e, &columns)).collect()
            }
            other => {
                let ordered = order(other, s, slots);
                self.leaf(ordered, s)
            }
        }
    }

    fn leaf(&mut self, node: Node, s: &dyn Statistics) -> Vec<Expr> {
        let types = node.types();
        let first = self.width;
        self.width += types.len();
        let estimate = estimate(&node, s);
        self.relations.push(Relation { node, first, width: types.len(), attached: None, estimate });
        types.into_iter().enumerate().map(|(i, ty)| Expr::column(first + i, ty, -1)).collect()
    }

    /// The relations whose columns `e` reads.
    pub(super) fn reads(&self, e: &Expr) -> Set {
        let mut set = 0;
        e.visit(&mut |e| {
            if let ExprKind::Column(c) = e.kind {
                set |= 1 << self.of(c);
            }
        });
        set
    }

    fn of(&self, column: usize) -> usize {
        self.relations.partition_point(|r| r.first <= column).saturating_sub(1)
    }

    pub(super) fn columns(&self) -> Vec<ColumnEstimate> {
        self.relations.iter().flat_map(|r| r.estimate.columns.iter().cloned()).collect()
    }
}
