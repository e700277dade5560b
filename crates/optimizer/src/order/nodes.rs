//! The nodes of the plan that was found to be best.

use plan::{Expr, JoinKind, Node};

use super::conditions::Condition;
use super::{Plan, Planner, Set, Tree};
use crate::access;

impl Planner<'_> {
    /// The node of `plan`, and which of the group's columns each of its columns is.
    pub(super) fn build(&self, plan: &Plan, slots: &mut usize) -> (Node, Vec<usize>) {
        let (mut node, layout) = self.build_tree(plan, slots);
        if plan.set == self.all
            && let Some(predicate) = Expr::all(self.constant.clone())
        {
            node = Node::Filter { input: Box::new(node), predicate };
        }
        (node, layout)
    }

    fn build_tree(&self, plan: &Plan, slots: &mut usize) -> (Node, Vec<usize>) {
        match &plan.tree {
            Tree::Leaf(i) => {
                let r = &self.group.relations[*i];
                (r.node.clone(), (r.first..r.first + r.width).collect())
            }
            Tree::Hash(left, right) => {
                let ((l, mut layout), (r, more)) = (self.build_tree(left, slots), self.build_tree(right, slots));
                let mut equal = Vec::new();
                let chosen = self.equalities(left.set, right.set);
                for &c in &chosen {
                    let Some((a, reads, b, _, function)) = &self.conditions[c].sides else { continue };
                    let (own, other) = if reads & !left.set == 0 { (a, b) } else { (b, a) };
                    equal.push((placed(own, &layout), placed(other, &more), *function));
                }
                layout.extend(more);
                let rest = self.others(left.set, right.set, &layout);
                let (left, right) = (Box::new(l), Box::new(r));
                (Node::Join { kind: JoinKind::Inner, left, right, equal, condition: Expr::all(rest) }, layout)
            }
            Tree::Attach(left, i, turned) => {
                let relation = &self.group.relations[*i];
                let (l, lefts) = self.build_tree(left, slots);
                let rights: Vec<usize> = (relation.first..relation.first + relation.width).collect();
                let Some(attached) = &relation.attached else { unreachable!("only those are attached") };
                let (mut equal, mut rest) = (Vec::new(), Vec::new());
                for e in &attached.conditions {
                    match self.attached_sides(e, *i) {
                        Some((a, b, function)) => equal.push((placed(&a, &lefts), placed(&b, &rights), function)),
                        None => rest.push(e),
                    }
                }
                let r = relation.node.clone();
                let (kind, left_node, right_node, layout) = if *turned {
                    equal.iter_mut().for_each(|e| std::mem::swap(&mut e.0, &mut e.1));
                    (JoinKind::Right, r, l, [rights, lefts].concat())
                } else {
                    (attached.kind, l, r, [lefts, rights].concat())
                };
                let condition = Expr::all(rest.into_iter().map(|e| placed(e, &layout)).collect());
                let (left_node, right_node) = (Box::new(left_node), Box::new(right_node));
                let node = Node::Join { kind, left: left_node, right: right_node, equal, condition };
                self.finished(node, left.set, *i, layout)
            }
            Tree::Index(left, i, index) => {
                let relation = &self.group.relations[*i];
                let (l, mut layout) = self.build_tree(left, slots);
                let (mut predicates, binds) = self.slotted(left.set, *i, *slots);
                *slots += binds.len();
                let Some((of @ (table, _), own)) = self.table(*i) else { unreachable!("it has an index") };
                predicates.extend(own);
                let Some(range) = access::range(table, *index, &predicates) else {
                    unreachable!("it was found before")
                };
                let right = access::index_scan(of, range, predicates, self.statistics);
                let binds = binds.iter().map(|(slot, e)| (*slot, placed(e, &layout))).collect();
                layout.extend(relation.first..relation.first + relation.width);
                let (kind, rest): (JoinKind, Vec<Expr>) = match &relation.attached {
                    Some(attached) => {
                        let rest = attached.conditions.iter().filter(|e| self.attached_sides(e, *i).is_none());
                        (attached.kind, rest.map(|e| placed(e, &layout)).collect())
                    }
                    None => (JoinKind::Inner, self.others(left.set, 1 << i, &layout)),
                };
                let (left_node, right) = (Box::new(l), Box::new(right));
                let node = Node::Apply { kind, left: left_node, right, binds, condition: Expr::all(rest) };
                if relation.attached.is_none() {
                    return (node, layout);
                }
                self.finished(node, left.set, *i, layout)
            }
        }
    }

    /// The conditions that joining two sets makes possible, but for equalities.
    fn others(&self, left: Set, right: Set, layout: &[usize]) -> Vec<Expr> {
        let within = |c: &&Condition| {
            c.sides.is_none() && c.reads & !(left | right) == 0 && c.reads & !left != 0 && c.reads & !right != 0
        };
        let mut list: Vec<Expr> = self.conditions.iter().filter(within).map(|c| placed(&c.expr, layout)).collect();
        // Equalities of expressions over both sides.
        list.extend(
            self.conditions
                .iter()
                .filter(|c| c.reads & !(left | right) == 0 && c.reads & !left != 0 && c.reads & !right != 0)
                .filter(|c| match &c.sides {
                    Some((_, l, _, r, _)) => {
                        !((l & !left == 0 && r & !right == 0) || (l & !right == 0 && r & !left == 0))
                    }
                    None => false,
                })
                .map(|c| placed(&c.expr, layout)),
        );
        list
    }

    /// An attached relation's join, under the conditions that read its columns.
    fn finished(&self, node: Node, left: Set, i: usize, mut layout: Vec<usize>) -> (Node, Vec<usize>) {
        let relation = &self.group.relations[i];
        if relation.attached.as_ref().is_some_and(|a| a.kind != JoinKind::Left) {
            layout.truncate(layout.len() - relation.width);
            return (node, layout);
        }
        let own: Set = 1 << i;
        let list: Vec<Expr> = self
            .conditions
            .iter()
            .filter(|c| c.reads & own != 0 && c.reads & !(left | own) == 0)
            .map(|c| placed(&c.expr, &layout))
            .collect();
        match Expr::all(list) {
            Some(predicate) => (Node::Filter { input: Box::new(node), predicate }, layout),
            None => (node, layout),
        }
    }
}

/// `e`, over the group's columns, over those that `layout` lists.
fn placed(e: &Expr, layout: &[usize]) -> Expr {
    let mut e = e.clone();
    e.map_columns(&|c| layout.iter().position(|&l| l == c).unwrap_or(usize::MAX));
    e
}
