//! In which order relations are joined, and how: by dynamic programming over sets of relations, beyond ten of them greedily.
//!
//! Inner joins that stand next to each other are one *group*: relations, and conditions over all their columns. Outer, semi and anti
//! joins on top of them belong to it as relations that are *attached*: by a join of their kind, once the relations that its condition
//! reads are there. What is inside of an attached relation is a group of its own.

mod conditions;
mod group;
mod nodes;

use std::collections::HashMap;
use std::rc::Rc;

use plan::{CallForm, Expr, ExprKind, JoinKind, Node};
use types::{Oid, oid};

use crate::access;
use crate::estimate::{BUILD, ColumnEstimate, DESCENT, OPERATOR, PROBE, ROW, entry_cost, estimate};
use crate::fold;
use crate::push::push;
use crate::statistics::{Statistics, Way};
use conditions::Condition;
use group::{Group, relation_count};

/// Most relations for which all orders are looked at.
const EXHAUSTIVE_MAX: usize = 10;
/// Most relations of a group.
const RELATIONS_MAX: usize = 60;
/// What a nested loop spends on each outer row, beside the look-up.
const AGAIN: f64 = 0.4;

/// A set of relations of a group.
type Set = u64;

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

/// The comparison of two values by a function.
pub fn call(function: Oid, a: Expr, b: Expr) -> Expr {
    let operator = catalog::builtin::operators_by_name("=").find(|o| o.function == function);
    let form = operator.map_or(CallForm::Function, |o| CallForm::Operator(o.oid));
    Expr::new(ExprKind::Call { function, args: vec![a, b], form }, oid::BOOL, 0)
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
}
