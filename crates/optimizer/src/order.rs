//! In which order relations are joined, and how: by dynamic programming over sets of relations, beyond ten of them greedily.
//!
//! Inner joins that stand next to each other are one *group*: relations, and conditions over all their columns. Outer, semi and anti
//! joins on top of them belong to it as relations that are *attached*: by a join of their kind, once the relations that its condition
//! reads are there. What is inside of an attached relation is a group of its own.

use std::collections::HashMap;
use std::rc::Rc;

use plan::{CallForm, Expr, ExprKind, JoinKind, Node};
use types::{Oid, oid};

use crate::access;
use crate::estimate::{
    BUILD, ColumnEstimate, DESCENT, Estimate, OPERATOR, PROBE, ROW, entry_cost, equal_part, estimate, expr_column,
    semi_part,
};
use crate::fold;
use crate::push::{equality, push};
use crate::selectivity;
use crate::statistics::{Statistics, Way};

/// Most relations for which all orders are looked at.
const EXHAUSTIVE_MAX: usize = 10;
/// Most relations of a group.
const RELATIONS_MAX: usize = 60;
/// What a nested loop spends on each outer row, beside the look-up.
const AGAIN: f64 = 0.4;

/// A set of relations of a group.
type Set = u64;

struct Relation {
    node: Node,
    /// Its first column among the group's.
    first: usize,
    width: usize,
    attached: Option<Attached>,
    estimate: Estimate,
}

struct Attached {
    kind: JoinKind,
    requires: Set,
    /// Over the group's columns.
    conditions: Vec<Expr>,
}

#[derive(Default)]
struct Group {
    relations: Vec<Relation>,
    conditions: Vec<Expr>,
    width: usize,
}

/// A condition of a group.
struct Condition {
    expr: Expr,
    reads: Set,
    part: f64,
    /// Both sides of an equality, and the relations they read.
    sides: Option<(Expr, Set, Expr, Set, Oid)>,
}

/// How a set of relations is joined.
enum Tree {
    Leaf(usize),
    Hash(Rc<Plan>, Rc<Plan>),
    /// An attached relation: joined to the plan; with `true`, the plan is what is hashed.
    Attach(Rc<Plan>, usize, bool),
    /// For each row of the plan, rows of a relation by one of its indexes.
    Index(Rc<Plan>, usize, usize),
}

struct Plan {
    set: Set,
    rows: f64,
    cost: f64,
    tree: Tree,
}

/// Orders the joins of `node` and of all below it. `slots` counts the slots that are taken.
pub fn order(node: Node, s: &dyn Statistics, slots: &mut usize) -> Node {
    match node {
        Node::Join { .. } => group(node, s, slots),
        Node::Update { .. } | Node::Delete { .. } | Node::Merge { .. } | Node::LockRows { .. } => {
            let mut node = node;
            node.inputs_mut().into_iter().for_each(|input| keep_shape(input, s, slots));
            node
        }
        mut other => {
            below(&mut other, s, slots);
            other
        }
    }
}

fn below(node: &mut Node, s: &dyn Statistics, slots: &mut usize) {
    for input in node.inputs_mut() {
        let inner = std::mem::replace(input, Node::one_row());
        *input = order(inner, s, slots);
    }
}

/// Joins under what changes or locks rows stay: their conditions are asked again of rows that changed meanwhile.
fn keep_shape(node: &mut Node, s: &dyn Statistics, slots: &mut usize) {
    match node {
        Node::Filter { input, .. } => keep_shape(input, s, slots),
        Node::Join { left, right, .. } => {
            keep_shape(left, s, slots);
            keep_shape(right, s, slots);
        }
        other => below(other, s, slots),
    }
}

fn group(node: Node, s: &dyn Statistics, slots: &mut usize) -> Node {
    if relation_count(&node) > RELATIONS_MAX {
        let mut node = node;
        below(&mut node, s, slots);
        return node;
    }
    let mut group = Group::default();
    let columns = group.add(node, s, slots);
    let planner = Planner::new(group, s);
    let plan = planner.best();
    let (node, layout) = planner.build(&plan, slots);
    // Back to the columns that were asked for.
    let place: HashMap<usize, usize> = layout.iter().enumerate().map(|(at, &column)| (column, at)).collect();
    let identity = columns.len() == layout.len()
        && columns.iter().enumerate().all(|(i, e)| matches!(e.kind, ExprKind::Column(c) if c == layout[i]));
    if identity {
        return node;
    }
    let exprs = columns
        .into_iter()
        .map(|mut e| {
            e.map_columns(&|c| place.get(&c).copied().unwrap_or(usize::MAX));
            e
        })
        .collect();
    Node::Project { input: Box::new(node), exprs }
}

fn relation_count(node: &Node) -> usize {
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

/// The comparison of two values by a function.
pub fn call(function: Oid, a: Expr, b: Expr) -> Expr {
    let operator = catalog::builtin::operators_by_name("=").find(|o| o.function == function);
    let form = operator.map_or(CallForm::Function, |o| CallForm::Operator(o.oid));
    Expr::new(ExprKind::Call { function, args: vec![a, b], form }, oid::BOOL, 0)
}

impl Group {
    /// Adds what `node` joins; answers what its columns are over the group's.
    fn add(&mut self, node: Node, s: &dyn Statistics, slots: &mut usize) -> Vec<Expr> {
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
    fn reads(&self, e: &Expr) -> Set {
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

    fn columns(&self) -> Vec<ColumnEstimate> {
        self.relations.iter().flat_map(|r| r.estimate.columns.iter().cloned()).collect()
    }
}

struct Planner<'s> {
    group: Group,
    conditions: Vec<Condition>,
    /// Conditions that read nothing of the group.
    constant: Vec<Expr>,
    /// Attached relations: which part of the left's rows stays, or how many times more they become; and of equalities alone.
    factors: Vec<f64>,
    /// Pairs of relations tied by several equalities: what they are more than these being independent says.
    corrections: Vec<(Set, f64)>,
    columns: Vec<ColumnEstimate>,
    all: Set,
    statistics: &'s dyn Statistics,
}

impl<'s> Planner<'s> {
    fn new(mut group: Group, statistics: &'s dyn Statistics) -> Planner<'s> {
        let mut constant = Vec::new();
        let mut kept = Vec::new();
        for e in std::mem::take(&mut group.conditions) {
            let reads = group.reads(&e);
            if reads == 0 {
                constant.push(e);
            } else if reads.count_ones() == 1 && !fold::is_volatile(&e) {
                // What is about one relation goes to it, unless it may be padded.
                let at = reads.trailing_zeros() as usize;
                let relation = &mut group.relations[at];
                if relation.attached.is_some() {
                    kept.push((e, reads));
                    continue;
                }
                let first = relation.first;
                let mut e = e;
                e.map_columns(&|c| c - first);
                let node = std::mem::replace(&mut relation.node, Node::one_row());
                relation.node = push(node, vec![e], statistics);
                relation.estimate = estimate(&relation.node, statistics);
            } else {
                kept.push((e, reads));
            }
        }
        let columns = group.columns();
        let all: Set = (0..group.relations.len()).map(|i| 1u64 << i).sum();
        let mut planner = Planner {
            conditions: Vec::new(),
            constant,
            factors: Vec::new(),
            corrections: Vec::new(),
            columns,
            all,
            statistics,
            group,
        };
        planner.conditions = kept.into_iter().map(|(e, reads)| planner.condition(e, reads)).collect();
        planner.add_implied();
        planner.factors = (0..planner.group.relations.len()).map(|i| planner.factor(i)).collect();
        planner.correct();
        planner
    }

    fn condition(&self, expr: Expr, reads: Set) -> Condition {
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
    fn add_implied(&mut self) {
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
    fn equalities(&self, left: Set, right: Set) -> Vec<usize> {
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

    fn factor(&self, i: usize) -> f64 {
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
    fn attached_sides(&self, e: &Expr, i: usize) -> Option<(Expr, Expr, Oid)> {
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

    fn correct(&mut self) {
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
    fn rows(&self, set: Set) -> f64 {
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

    fn leaf(&self, i: usize) -> Rc<Plan> {
        let e = &self.group.relations[i].estimate;
        Rc::new(Plan { set: 1 << i, rows: e.rows.max(1.0), cost: e.cost, tree: Tree::Leaf(i) })
    }

    /// The best way to join two plans, if it is better than `limit`; `rows` is what comes out.
    fn join(&self, left: &Rc<Plan>, right: &Rc<Plan>, rows: f64, limit: f64) -> Option<Rc<Plan>> {
        let set = left.set | right.set;
        let mut best: Option<Rc<Plan>> = None;
        let mut limit = limit;
        let mut offer = |cost: f64, tree: Tree| {
            if cost < limit {
                limit = cost;
                best = Some(Rc::new(Plan { set, rows, cost, tree }));
            }
        };
        if right.set.count_ones() == 1 {
            let i = right.set.trailing_zeros() as usize;
            let relation = &self.group.relations[i];
            if let Some(attached) = &relation.attached {
                if attached.requires & !left.set != 0 {
                    return None;
                }
                let keyed = attached.conditions.iter().any(|e| self.attached_sides(e, i).is_some());
                let inner = relation.estimate.rows;
                let out = rows * ROW;
                if keyed {
                    offer(
                        left.cost + right.cost + inner * BUILD + left.rows * PROBE + out,
                        Tree::Attach(left.clone(), i, false),
                    );
                    if attached.kind == JoinKind::Left {
                        let cost = left.cost + right.cost + left.rows * (BUILD + 0.001) + inner * PROBE + out;
                        offer(cost, Tree::Attach(left.clone(), i, true));
                    }
                } else {
                    let cost = left.cost + right.cost + inner * ROW + left.rows * inner * (OPERATOR * 2.0) + out;
                    offer(cost, Tree::Attach(left.clone(), i, false));
                }
                if let Some((index, listed, entry)) = self.look_up(left.set, i) {
                    // The first match is enough for some.
                    let each = if attached.kind == JoinKind::Left { listed } else { listed.min(32.0) };
                    offer(
                        left.cost + left.rows * (DESCENT + AGAIN + each * entry) + out,
                        Tree::Index(left.clone(), i, index),
                    );
                }
                return best;
            }
        }
        if self.attached_alone(left.set) || self.attached_alone(right.set) {
            return None;
        }
        let out = rows * ROW;
        if self.equalities(left.set, right.set).is_empty() {
            let cost = left.cost + right.cost + right.rows * ROW + left.rows * right.rows * (OPERATOR * 2.0) + out;
            offer(cost, Tree::Hash(left.clone(), right.clone()));
        } else {
            offer(
                left.cost + right.cost + right.rows * BUILD + left.rows * PROBE + out,
                Tree::Hash(left.clone(), right.clone()),
            );
        }
        if right.set.count_ones() == 1 {
            let i = right.set.trailing_zeros() as usize;
            if let Some((index, listed, entry)) = self.look_up(left.set, i) {
                let cost = left.cost + left.rows * (DESCENT + AGAIN + listed * entry) + out;
                offer(cost, Tree::Index(left.clone(), i, index));
            }
        }
        best
    }

    fn attached_alone(&self, set: Set) -> bool {
        set.count_ones() == 1 && self.group.relations[set.trailing_zeros() as usize].attached.is_some()
    }

    /// The table that relation `i` is a scan of, and what it asks of its rows.
    fn table(&self, i: usize) -> Option<(access::Of<'_>, Vec<Expr>)> {
        access::scanned(&self.group.relations[i].node).filter(|((table, _), _)| !table.indexes.is_empty())
    }

    /// The equalities of relation `i` with columns of `left`: its own column, and what that equals.
    fn lookups(&self, left: Set, i: usize) -> Vec<(Expr, Expr, Oid)> {
        let own: Set = 1 << i;
        let relation = &self.group.relations[i];
        if let Some(attached) = &relation.attached {
            let sides = attached.conditions.iter().filter_map(|e| self.attached_sides(e, i));
            return sides.filter(|(l, ..)| self.group.reads(l) & !left == 0).map(|(l, r, f)| (r, l, f)).collect();
        }
        let mut found = Vec::new();
        for c in &self.conditions {
            match &c.sides {
                Some((a, l, b, r, f)) if *l == own && r & !left == 0 => found.push((a.clone(), b.clone(), *f)),
                Some((a, l, b, r, f)) if *r == own && l & !left == 0 => found.push((b.clone(), a.clone(), *f)),
                _ => {}
            }
        }
        found
    }

    /// The predicates over relation `i` alone that look-ups from `left` come to, with slots from `slot` on; and what goes into the slots.
    fn slotted(&self, left: Set, i: usize, slot: usize) -> (Vec<Expr>, Vec<(usize, Expr)>) {
        let first = self.group.relations[i].first;
        let (mut predicates, mut binds) = (Vec::new(), Vec::new());
        for (n, (mut own, other, function)) in self.lookups(left, i).into_iter().enumerate() {
            own.map_columns(&|c| c - first);
            let value = Expr { kind: ExprKind::Slot(slot + n), position: 0, ..other.clone() };
            predicates.push(call(function, own, value));
            binds.push((slot + n, other));
        }
        (predicates, binds)
    }

    /// As [`Planner::best_index`], unless nested loops are to be avoided.
    fn look_up(&self, left: Set, i: usize) -> Option<(usize, f64, f64)> {
        if self.statistics.allows(Way::NestLoop) { self.best_index(left, i) } else { None }
    }

    /// The index of relation `i` that look-ups from `left` use best, how many rows each of them finds, and what each of these costs.
    fn best_index(&self, left: Set, i: usize) -> Option<(usize, f64, f64)> {
        let ((table, needed), own) = self.table(i)?;
        let (mut predicates, _) = self.slotted(left, i, 0);
        if predicates.is_empty() {
            return None;
        }
        let lookups = predicates.len();
        predicates.extend(own);
        let (rows, _) = self.statistics.size(table);
        let columns = crate::estimate::table_columns(table, rows, self.statistics);
        (0..table.indexes.len())
            .filter_map(|index| {
                let range = access::range(table, index, &predicates)?;
                range.equals.iter().any(|e| predicates[..lookups].contains(e)).then_some(())?;
                let entry = entry_cost(access::is_covered(table, index, needed, self.statistics));
                Some((index, crate::estimate::range_rows(table, &range, rows, &columns), entry))
            })
            .min_by(|a, b| (a.1 * a.2).total_cmp(&(b.1 * b.2)))
    }

    fn best(&self) -> Rc<Plan> {
        let n = self.group.relations.len();
        if n <= EXHAUSTIVE_MAX
            && let Some(plan) = self.exhaustive(n)
        {
            return plan;
        }
        self.greedy(n)
    }

    /// Whether a condition ties the two sets.
    fn tied(&self, left: Set, right: Set) -> bool {
        self.conditions.iter().any(|c| c.reads & left != 0 && c.reads & right != 0 && c.reads & !(left | right) == 0)
    }

    fn exhaustive(&self, n: usize) -> Option<Rc<Plan>> {
        let mut plans: HashMap<Set, Rc<Plan>> = HashMap::new();
        for i in 0..n {
            plans.insert(1 << i, self.leaf(i));
        }
        for set in 1..=self.all {
            if set.count_ones() < 2 {
                continue;
            }
            let mut best: Option<Rc<Plan>> = None;
            let mut rows = None;
            let mut left = (set - 1) & set;
            while left != 0 {
                let right = set & !left;
                if let (Some(l), Some(r)) = (plans.get(&left), plans.get(&right)) {
                    let attach = self.attached_alone(right);
                    if attach || self.tied(left, right) {
                        let rows = *rows.get_or_insert_with(|| self.rows(set));
                        let limit = best.as_ref().map_or(f64::INFINITY, |b| b.cost);
                        if let Some(better) = self.join(l, r, rows, limit) {
                            best = Some(better);
                        }
                    }
                }
                left = (left - 1) & set;
            }
            if let Some(best) = best {
                plans.insert(set, best);
            }
        }
        plans.remove(&self.all)
    }

    fn greedy(&self, n: usize) -> Rc<Plan> {
        let mut parts: Vec<Rc<Plan>> = (0..n).map(|i| self.leaf(i)).collect();
        while parts.len() > 1 {
            let mut best: Option<(bool, f64, usize, usize, Rc<Plan>)> = None;
            for i in 0..parts.len() {
                for j in 0..parts.len() {
                    if i == j {
                        continue;
                    }
                    let (l, r) = (&parts[i], &parts[j]);
                    let tied = self.attached_alone(r.set) || self.tied(l.set, r.set);
                    let rows = self.rows(l.set | r.set);
                    let Some(plan) = self.join(l, r, rows, f64::INFINITY) else { continue };
                    let weight = rows + (plan.cost - l.cost - r.cost);
                    // What is tied comes before products.
                    let better = best.as_ref().is_none_or(|b| (!tied, weight) < (!b.0, b.1));
                    if better {
                        best = Some((tied, weight, i, j, plan));
                    }
                }
            }
            let Some((_, _, i, j, plan)) = best else { unreachable!("something can always be joined") };
            parts[i] = plan;
            parts.swap_remove(j);
        }
        parts.swap_remove(0)
    }

    /// The node of `plan`, and which of the group's columns each of its columns is.
    fn build(&self, plan: &Plan, slots: &mut usize) -> (Node, Vec<usize>) {
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
