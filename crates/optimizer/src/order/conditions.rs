//! The conditions of a group: which of them are equalities, what follows of them, and how many rows they leave.

use std::collections::HashMap;

use plan::{Expr, JoinKind};
use types::Oid;

use super::{Planner, Set, call};
use crate::estimate::{ColumnEstimate, equal_part, expr_column, semi_part};
use crate::fold;
use crate::push::equality;
use crate::selectivity;

/// A condition of a group.
pub(super) struct Condition {
    pub expr: Expr,
    pub reads: Set,
    pub part: f64,
    /// Both sides of an equality, and the relations they read.
    pub sides: Option<(Expr, Set, Expr, Set, Oid)>,
}

impl Planner<'_> {
    pub(super) fn condition(&self, expr: Expr, reads: Set) -> Condition {
        let sides = match equality(&expr) {
            Some((a, b, function)) if !fold::is_volatile(&expr) => {
                let (l, r) = (self.group.reads(a), self.group.reads(b));
                (l != 0 && r != 0 && l & r == 0).then(|| (a.clone(), l, b.clone(), r, function))
            }
            _ => None,
        };
        let part = match &sides {
            Some((a, _, b, ..)) => {
                let (a, b) = (expr_column(a, &self.columns, 1e9), expr_column(b, &self.columns, 1e9));
                1.0 / a.distinct.max(b.distinct).max(1.0)
            }
            None => selectivity::one(&expr, &self.columns),
        };
        Condition { expr, reads, part, sides }
    }

    /// Equalities that follow from others: `a = b` and `b = c` allow to join `a` with `c` first.
    pub(super) fn add_implied(&mut self) {
        let inner: Set = (0..self.group.relations.len())
            .filter(|&i| self.group.relations[i].attached.is_none())
            .map(|i| 1u64 << i)
            .sum();
        // Each class: the function, and its members with the relation each reads.
        let mut classes: Vec<(Oid, Vec<(Expr, Set)>)> = Vec::new();
        for c in &self.conditions {
            let Some((a, l, b, r, function)) = &c.sides else { continue };
            if (l | r) & !inner != 0 || a.ty != b.ty || l.count_ones() != 1 || r.count_ones() != 1 {
                continue;
            }
            let find = |e: &Expr| classes.iter().position(|c| c.0 == *function && c.1.iter().any(|m| m.0.same(e)));
            match (find(a), find(b)) {
                (Some(i), Some(j)) if i == j => {}
                (Some(i), Some(j)) => {
                    let other = classes.remove(i.max(j));
                    classes[i.min(j)].1.extend(other.1);
                }
                (Some(i), None) => classes[i].1.push((b.clone(), *r)),
                (None, Some(j)) => classes[j].1.push((a.clone(), *l)),
                (None, None) => classes.push((*function, vec![(a.clone(), *l), (b.clone(), *r)])),
            }
        }
        for (function, members) in classes.into_iter().filter(|c| c.1.len() > 2) {
            for (i, (a, l)) in members.iter().enumerate() {
                for (b, r) in &members[i + 1..] {
                    let known = l == r
                        || self.conditions.iter().any(|c| {
                            matches!(&c.sides, Some((x, _, y, ..)) if (x.same(a) && y.same(b)) || (x.same(b) && y.same(a)))
                        });
                    if !known {
                        let implied = self.condition(call(function, a.clone(), b.clone()), l | r);
                        self.conditions.push(implied);
                    }
                }
            }
        }
    }

    /// Equalities between two sets, one of each class: those that follow from the others are left out.
    pub(super) fn equalities(&self, left: Set, right: Set) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        // Expressions known to be equal, on either side.
        for (i, c) in self.conditions.iter().enumerate() {
            let Some((a, l, b, r, function)) = &c.sides else { continue };
            let across = (l & !left == 0 && r & !right == 0) || (l & !right == 0 && r & !left == 0);
            if !across {
                continue;
            }
            let linked = chosen.iter().any(|&j| {
                let Some((x, _, y, _, f)) = &self.conditions[j].sides else { return false };
                let known =
                    |p: &Expr, q: &Expr| p.same(q) || self.implies(p, q, *f, left) || self.implies(p, q, *f, right);
                f == function && ((known(a, x) && known(b, y)) || (known(a, y) && known(b, x)))
            });
            if !linked {
                chosen.push(i);
            }
        }
        chosen
    }

    /// Whether `a = b` is a condition within `set`.
    fn implies(&self, a: &Expr, b: &Expr, function: Oid, set: Set) -> bool {
        self.conditions.iter().any(|c| match &c.sides {
            Some((x, _, y, _, f)) => {
                c.reads & !set == 0 && *f == function && ((x.same(a) && y.same(b)) || (x.same(b) && y.same(a)))
            }
            None => false,
        })
    }

    pub(super) fn factor(&self, i: usize) -> f64 {
        let relation = &self.group.relations[i];
        let Some(attached) = &relation.attached else { return 1.0 };
        let rows = relation.estimate.rows;
        let mut keys: Vec<(ColumnEstimate, ColumnEstimate)> = Vec::new();
        let mut rest = Vec::new();
        for e in &attached.conditions {
            match self.attached_sides(e, i) {
                Some((left, right, _)) => {
                    keys.push((expr_column(&left, &self.columns, 1e9), expr_column(&right, &self.columns, rows)));
                }
                None => rest.push(e),
            }
        }
        let keys: Vec<(&ColumnEstimate, &ColumnEstimate)> = keys.iter().map(|k| (&k.0, &k.1)).collect();
        let rest = selectivity::all(rest, &self.columns);
        match attached.kind {
            JoinKind::Semi => semi_part(&keys, rows, rest),
            JoinKind::Anti => (1.0 - semi_part(&keys, rows, rest)).max(0.01),
            _ => (rows * equal_part(&keys, f64::INFINITY, rows) * rest).max(1.0),
        }
    }

    /// The left side, the right side and the function of a condition by which relation `i` is attached, if it is an equality.
    pub(super) fn attached_sides(&self, e: &Expr, i: usize) -> Option<(Expr, Expr, Oid)> {
        let (a, b, function) = equality(e)?;
        if fold::is_volatile(e) {
            return None;
        }
        let own: Set = 1 << i;
        let (l, r) = (self.group.reads(a), self.group.reads(b));
        if l != 0 && l & own == 0 && r == own {
            Some((a.clone(), b.clone(), function))
        } else if r != 0 && r & own == 0 && l == own {
            Some((b.clone(), a.clone(), function))
        } else {
            None
        }
    }

    pub(super) fn correct(&mut self) {
        let mut pairs: HashMap<Set, Vec<usize>> = HashMap::new();
        for (i, c) in self.conditions.iter().enumerate() {
            if c.sides.is_some() && c.reads.count_ones() == 2 {
                pairs.entry(c.reads).or_default().push(i);
            }
        }
        for (set, list) in pairs.into_iter().filter(|p| p.1.len() > 1) {
            let independent: f64 = list.iter().map(|&i| self.conditions[i].part).product();
            let first: Set = 1 << set.trailing_zeros();
            let rows = |s: Set| self.group.relations[s.trailing_zeros() as usize].estimate.rows;
            let sides: Vec<(ColumnEstimate, ColumnEstimate)> = list
                .iter()
                .filter_map(|&i| {
                    let (a, l, b, ..) = self.conditions[i].sides.as_ref()?;
                    let (a, b) = (expr_column(a, &self.columns, 1e9), expr_column(b, &self.columns, 1e9));
                    Some(if *l == first { (a, b) } else { (b, a) })
                })
                .collect();
            let sides: Vec<(&ColumnEstimate, &ColumnEstimate)> = sides.iter().map(|s| (&s.0, &s.1)).collect();
            let together = equal_part(&sides, rows(first), rows(set & !first));
            if together > independent {
                self.corrections.push((set, together / independent));
            }
        }
    }

    /// How many rows the relations of `set` have together.
    pub(super) fn rows(&self, set: Set) -> f64 {
        let mut rows = 1.0;
        for (i, relation) in self.group.relations.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1) {
            rows *= if relation.attached.is_some() { self.factors[i] } else { relation.estimate.rows.max(1.0) };
        }
        let mut seen: Vec<usize> = Vec::new();
        for (i, c) in self.conditions.iter().enumerate().filter(|(_, c)| c.reads & !set == 0) {
            match &c.sides {
                None => rows *= c.part,
                Some((a, _, b, _, f)) => {
                    // An equality that closes a circle says nothing new.
                    if self.connects(&seen, a, b, *f) {
                        continue;
                    }
                    seen.push(i);
                    rows *= c.part;
                }
            }
        }
        for (_, factor) in self.corrections.iter().filter(|c| c.0 & !set == 0) {
            rows *= factor;
        }
        rows.max(1.0)
    }

    /// Whether equalities `seen` already say that `a` and `b` are equal.
    fn connects(&self, seen: &[usize], a: &Expr, b: &Expr, function: Oid) -> bool {
        let mut reached: Vec<&Expr> = vec![a];
        let mut at = 0;
        while at < reached.len() {
            let here = reached[at];
            if here.same(b) {
                return true;
            }
            for &i in seen {
                let Some((x, _, y, _, f)) = &self.conditions[i].sides else { continue };
                if *f != function {
                    continue;
                }
                for (p, q) in [(x, y), (y, x)] {
                    if p.same(here) && !reached.iter().any(|r| r.same(q)) {
                        reached.push(q);
                    }
                }
            }
            at += 1;
        }
        false
    }
}
