//! Plans that yield their rows in an order without sorting them all: by an index, by what is ordered anyway, by merging.

use plan::{Expr, ExprKind, IndexRange, JoinKind, Node, SortKey, TableRef};
use types::Oid;

use crate::access;
use crate::estimate::{ENTRY, Estimate, estimate, first_rows, first_sorted, range_rows, table_columns};
use crate::fold::{has_subquery, is_volatile};
use crate::methods::methods;
use crate::order::call;
use crate::push::inline;
use crate::statistics::{Statistics, Way};

/// A plan that yields the rows of another, in the order of the first `presorted` keys that were asked for.
pub struct InOrder {
    pub node: Node,
    pub presorted: usize,
}

/// What plans are looked for with.
pub struct Search<'s> {
    pub statistics: &'s dyn Statistics,
    /// The first slot that is free.
    pub slots: &'s mut usize,
    /// How many rows are asked for.
    pub wanted: Option<f64>,
    /// Whether joins must stay what they are (O4).
    pub fixed: bool,
}

impl Search<'_> {
    fn cost(&self, node: &Node) -> f64 {
        first_rows(&estimate(node, self.statistics), self.wanted)
    }

    /// `node` by the methods that are best for all its rows.
    fn done(&mut self, node: &Node) -> Node {
        methods(node.clone(), None, self.statistics, self.slots)
    }

    /// What an index, or an order that is there, makes of `node`. It may cost more than sorting.
    pub fn find(&mut self, node: &Node, keys: &[SortKey]) -> Option<InOrder> {
        if keys.is_empty() {
            return None;
        }
        let mapped = |found: InOrder, over: &dyn Fn(Box<Node>) -> Node| InOrder {
            node: over(Box::new(found.node)),
            presorted: found.presorted,
        };
        match node {
            Node::Scan { .. } | Node::IndexScan { .. } | Node::BitmapScan { .. } => self.scan(node, keys),
            Node::Filter { input, predicate } => {
                let found = self.find(input, keys)?;
                Some(mapped(found, &|input| Node::Filter { input, predicate: predicate.clone() }))
            }
            Node::Project { input, exprs } => {
                let below = below(keys, exprs);
                let found = self.find(input, &below)?;
                Some(mapped(found, &|input| Node::Project { input, exprs: exprs.clone() }))
            }
            Node::LockRows { input, locks } => {
                let fixed = std::mem::replace(&mut self.fixed, true);
                let found = self.find(input, keys);
                self.fixed = fixed;
                Some(mapped(found?, &|input| Node::LockRows { input, locks: locks.clone() }))
            }
            Node::With { ctes, body } => {
                let found = self.find(body, keys)?;
                let ctes: Vec<(usize, Node)> = ctes.iter().map(|(id, cte)| (*id, self.done(cte))).collect();
                Some(mapped(found, &|body| Node::With { ctes: ctes.clone(), body }))
            }
            Node::Apply { kind, left, right, binds, condition } if *kind != JoinKind::Right => {
                let keys = upto(keys, left.types().len());
                let found = self.find(left, keys)?;
                let right = Box::new(self.done(right));
                Some(mapped(found, &|left| Node::Apply {
                    kind: *kind,
                    left,
                    right: right.clone(),
                    binds: binds.clone(),
                    condition: condition.clone(),
                }))
            }
            Node::Join { .. } if self.fixed => None,
            Node::Join { kind: JoinKind::Right | JoinKind::Full, .. } => None,
            Node::Join { kind, left, right, equal, condition } if equal.is_empty() => {
                let keys = upto(keys, left.types().len());
                let found = self.find(left, keys)?;
                let right = self.done(right);
                Some(mapped(found, &|left| Node::Join {
                    kind: *kind,
                    left,
                    right: Box::new(right.clone()),
                    equal: Vec::new(),
                    condition: condition.clone(),
                }))
            }
            Node::Join { .. } => self.join(node, keys),
            Node::Aggregate { input, groups, calls } if !groups.is_empty() => {
                let order = group_order(keys, groups)?;
                let found = self.ordered(input, &order)?;
                Some(InOrder {
                    presorted: keys.iter().take_while(|k| is_group(&k.expr, groups.len())).count(),
                    node: Node::GroupAggregate { input: Box::new(found), groups: groups.clone(), calls: calls.clone() },
                })
            }
            Node::Distinct { input, on: None } => {
                let types = input.types();
                let columns: Vec<Expr> = types.iter().enumerate().map(|(i, &ty)| Expr::column(i, ty, -1)).collect();
                let order = group_order(keys, &columns)?;
                let found = self.ordered(input, &order)?;
                let on = (0..types.len()).collect();
                Some(InOrder { presorted: keys.len(), node: Node::Unique { input: Box::new(found), on } })
            }
            _ => {
                let node = self.done(node);
                let presorted = delivered(&node, keys);
                (presorted > 0).then_some(InOrder { node, presorted })
            }
        }
    }

    /// `node` with its rows in the order of all keys, where that takes no sorting of all of them.
    fn ordered(&mut self, node: &Node, keys: &[SortKey]) -> Option<Node> {
        let found = self.find(node, keys)?;
        if found.presorted == keys.len() {
            return Some(found.node);
        }
        self.statistics.allows(Way::IncrementalSort).then(|| Node::IncrementalSort {
            input: Box::new(found.node),
            keys: keys.to_vec(),
            presorted: found.presorted,
        })
    }

    /// `node` with its rows in the order of the keys, in the cheapest way.
    pub fn sorted(&mut self, node: &Node, keys: &[SortKey]) -> Node {
        let alternative = self.ordered(node, keys);
        let plain = self.done(node);
        let sorting = first_sorted(estimate(&plain, self.statistics), self.wanted, self.statistics);
        match alternative {
            Some(other) if !self.statistics.allows(Way::Sort) || self.cost(&other) < sorting => other,
            _ => Node::Sort { input: Box::new(plain), keys: keys.to_vec() },
        }
    }

    fn scan(&self, node: &Node, keys: &[SortKey]) -> Option<InOrder> {
        let ((table, needed), predicates) = access::scanned(node)?;
        let mut best: Option<(usize, f64, Node)> = None;
        for (index, key) in table.indexes.iter().enumerate().filter(|(_, k)| !k.hash) {
            let own = access::range(table, index, &predicates).or_else(|| access::part(table, index, &predicates));
            let range = match own {
                Some(range) => range,
                None if key.predicate.is_none() => access::whole(index),
                None => continue,
            };
            let (presorted, backward) = order_of(table, &range, keys, &predicates);
            if presorted == 0 || !self.statistics.allows(access::way(table, &range, needed, self.statistics)) {
                continue;
            }
            let range = IndexRange { backward, ..range };
            let scan = access::index_scan((table, needed), range, predicates.clone(), self.statistics);
            let cost = self.cost(&scan);
            if best.as_ref().is_none_or(|b| (presorted, -cost) > (b.0, -b.1)) {
                best = Some((presorted, cost, scan));
            }
        }
        best.map(|(presorted, _, node)| InOrder { node, presorted })
    }

    /// A join by equalities: look-ups for each row of the side that is in order, or a merge.
    fn join(&mut self, node: &Node, keys: &[SortKey]) -> Option<InOrder> {
        let Node::Join { kind, left, right, equal, condition } = node else { return None };
        let split = left.types().len();
        let mut found: Vec<InOrder> = Vec::new();
        found.extend(self.looked_up(node, keys));
        if *kind == JoinKind::Inner && keys.first().is_some_and(|k| k.expr.span().is_some_and(|(low, _)| low >= split))
        {
            // The other side first, and the columns back where they were.
            let width = right.types().len();
            let swap = |i: usize| if i < split { i + width } else { i - split };
            let mut condition = condition.clone();
            condition.iter_mut().for_each(|c| c.map_columns(&swap));
            let turned = Node::Join {
                kind: JoinKind::Inner,
                left: right.clone(),
                right: left.clone(),
                equal: equal.iter().map(|(a, b, f)| (b.clone(), a.clone(), *f)).collect(),
                condition,
            };
            let mut own = keys.to_vec();
            own.iter_mut().for_each(|k| k.expr.map_columns(&swap));
            if let Some(other) = self.looked_up(&turned, &own) {
                let types = node.types();
                let exprs = types.iter().enumerate().map(|(i, &ty)| Expr::column(swap(i), ty, -1)).collect();
                let node = Node::Project { input: Box::new(other.node), exprs };
                found.push(InOrder { node, presorted: other.presorted });
            }
        }
        found.extend(self.merged(node, keys));
        found.into_iter().min_by(|a, b| {
            let cost = |f: &InOrder| (keys.len() - f.presorted, self.cost(&f.node));
            cost(a).partial_cmp(&cost(b)).unwrap_or(std::cmp::Ordering::Equal)
        })
    }

    /// The left in order, and for each of its rows a look-up in the right.
    fn looked_up(&mut self, node: &Node, keys: &[SortKey]) -> Option<InOrder> {
        let Node::Join { kind, left, right, equal, condition } = node else { return None };
        let keys = upto(keys, left.types().len());
        if keys.is_empty() || !self.statistics.allows(Way::NestLoop) {
            return None;
        }
        let ((table, needed), own) = access::scanned(right)?;
        let (mut predicates, mut binds): (Vec<Expr>, Vec<(usize, Expr)>) = Default::default();
        for (n, (a, b, function)) in equal.iter().enumerate() {
            let slot = *self.slots + n;
            let value = Expr { kind: ExprKind::Slot(slot), position: 0, ..a.clone() };
            predicates.push(call(*function, b.clone(), value));
            binds.push((slot, a.clone()));
        }
        predicates.extend(own);
        let (rows, _) = self.statistics.size(table);
        let columns = table_columns(table, rows, self.statistics);
        let range = (0..table.indexes.len())
            .filter_map(|index| access::range(table, index, &predicates))
            .filter(|range| range.equals.iter().any(|e| predicates[..equal.len()].contains(e)))
            .min_by(|a, b| {
                let listed = |r: &IndexRange| range_rows(table, r, rows, &columns) * ENTRY;
                listed(a).total_cmp(&listed(b))
            })?;
        *self.slots += equal.len();
        let found = self.find(left, keys)?;
        let right = access::index_scan((table, needed), range, predicates, self.statistics);
        let (left, right) = (Box::new(found.node), Box::new(right));
        let node = Node::Apply { kind: *kind, left, right, binds, condition: condition.clone() };
        Some(InOrder { node, presorted: found.presorted })
    }

    /// Both sides in the order of what must be equal, which is the order asked for.
    fn merged(&mut self, node: &Node, keys: &[SortKey]) -> Option<InOrder> {
        let Node::Join { kind, left, equal, .. } = node else { return None };
        if !self.statistics.allows(Way::MergeJoin) {
            return None;
        }
        let split = left.types().len();
        let (mut first, mut rest) = (Vec::new(), equal.clone());
        for key in keys.iter().take_while(|k| !k.descending && !k.nulls_first) {
            let is_side = |e: &(Expr, Expr, Oid)| {
                let mut right = e.1.clone();
                right.map_columns(&|i| i + split);
                e.0.same(&key.expr) || (*kind == JoinKind::Inner && right.same(&key.expr))
            };
            let Some(at) = rest.iter().position(is_side) else { break };
            first.push(rest.remove(at));
        }
        let presorted = first.len();
        if presorted == 0 {
            return None;
        }
        first.extend(rest);
        let node = self.merge(node, first)?;
        Some(InOrder { node, presorted })
    }

    /// The merge of a join's sides, in the order of `equal`.
    pub fn merge(&mut self, node: &Node, equal: Vec<(Expr, Expr, Oid)>) -> Option<Node> {
        let Node::Join { kind, left, right, condition, .. } = node else { return None };
        let rising = |expr: &Expr| SortKey { expr: expr.clone(), descending: false, nulls_first: false };
        let lefts: Vec<SortKey> = equal.iter().map(|e| rising(&e.0)).collect();
        let rights: Vec<SortKey> = equal.iter().map(|e| rising(&e.1)).collect();
        let wanted = self.wanted.take();
        let (left, right) = (self.sorted(left, &lefts), self.sorted(right, &rights));
        self.wanted = wanted;
        let (left, right) = (Box::new(left), Box::new(right));
        Some(Node::MergeJoin { kind: *kind, left, right, equal, condition: condition.clone() })
    }
}

/// The keys over what `exprs` are computed from, as far as they can be.
fn below(keys: &[SortKey], exprs: &[Expr]) -> Vec<SortKey> {
    keys.iter()
        .map(|k| SortKey { expr: inline(k.expr.clone(), exprs), ..k.clone() })
        .take_while(|k| !is_volatile(&k.expr) && !has_subquery(&k.expr))
        .collect()
}

/// The first keys that read nothing from column `end` on.
fn upto(keys: &[SortKey], end: usize) -> &[SortKey] {
    let count = keys.iter().take_while(|k| k.expr.span().is_some_and(|(_, high)| high < end)).count();
    &keys[..count]
}

fn is_group(e: &Expr, groups: usize) -> bool {
    matches!(e.kind, ExprKind::Column(i) if i < groups)
}

/// An order of all `groups` that begins with `keys`, where these are groups.
fn group_order(keys: &[SortKey], groups: &[Expr]) -> Option<Vec<SortKey>> {
    let mut order: Vec<SortKey> = Vec::new();
    let mut used = vec![false; groups.len()];
    for key in keys {
        let ExprKind::Column(i) = key.expr.kind else { return None };
        let group = groups.get(i)?;
        used[i] = true;
        order.push(SortKey { expr: group.clone(), ..key.clone() });
    }
    let rest = groups.iter().zip(&used).filter(|(_, used)| !**used);
    order.extend(rest.map(|(g, _)| SortKey { expr: g.clone(), descending: false, nulls_first: false }));
    (!order.iter().any(|k| is_volatile(&k.expr) || has_subquery(&k.expr))).then_some(order)
}

/// How many of `keys` the entries of a range are in the order of, and whether read from the far end.
fn order_of(table: &TableRef, range: &IndexRange, keys: &[SortKey], predicates: &[Expr]) -> (usize, bool) {
    let index = &table.indexes[range.index];
    let is = |place: usize, e: &Expr| access::is_key(e, index.columns[place].0, index.expr(place));
    // What is equal to one value in all rows has no say in the order.
    let is_constant = |e: &Expr| {
        (0..range.equal.len()).any(|place| is(place, e))
            || predicates.iter().any(|p| {
                crate::push::equality(p)
                    .is_some_and(|(a, b, _)| (a.same(e) && b.is_fixed()) || (b.same(e) && a.is_fixed()))
            })
    };
    let (mut place, mut done, mut backward) = (range.equal.len(), 0, None);
    for key in keys {
        if is_constant(&key.expr) {
            done += 1;
            continue;
        }
        if place >= index.columns.len() || !is(place, &key.expr) {
            break;
        }
        let (column, descending, nulls_first) = index.columns[place];
        let turned = key.descending != descending;
        let has_nulls = table.columns.get(column).is_none_or(|c| !c.not_null);
        if backward.is_some_and(|b| b != turned) || (has_nulls && (key.nulls_first != nulls_first) != turned) {
            break;
        }
        backward = Some(turned);
        (place, done) = (place + 1, done + 1);
    }
    // A constant says nothing for an index by itself.
    if backward.is_none() && range.is_whole() { (0, false) } else { (done, backward.unwrap_or(false)) }
}

/// How many of `keys` the rows of `node` are in the order of, as it is.
pub fn delivered(node: &Node, keys: &[SortKey]) -> usize {
    let common = |own: &[SortKey]| {
        let same = |(a, b): &(&SortKey, &SortKey)| {
            a.expr.same(&b.expr) && a.descending == b.descending && a.nulls_first == b.nulls_first
        };
        own.iter().zip(keys).take_while(same).count()
    };
    let rising = |e: &Expr| SortKey { expr: e.clone(), descending: false, nulls_first: false };
    match node {
        Node::Sort { keys: own, .. } | Node::IncrementalSort { keys: own, .. } => common(own),
        Node::IndexScan { table, range, .. } => {
            let (_, predicates) = match access::scanned(node) {
                Some(found) => found,
                None => return 0,
            };
            let (done, backward) = order_of(table, range, keys, &predicates);
            if backward == range.backward { done } else { 0 }
        }
        Node::Filter { input, .. }
        | Node::Limit { input, .. }
        | Node::Unique { input, .. }
        | Node::Distinct { input, on: Some(_) }
        | Node::LockRows { input, .. } => delivered(input, keys),
        Node::With { body, .. } => delivered(body, keys),
        Node::Project { input, exprs } => delivered(input, &below(keys, exprs)),
        Node::Window { window, .. } => {
            let own = window.partition.iter().map(rising).chain(window.order.iter().cloned());
            common(&own.collect::<Vec<_>>())
        }
        Node::GroupAggregate { input, groups, .. } => {
            let of_groups = keys.iter().take_while(|k| is_group(&k.expr, groups.len())).count();
            delivered(input, &below(&keys[..of_groups], groups))
        }
        Node::MergeJoin { kind, left, equal, .. } if !kind.keeps_right() => {
            let own: Vec<SortKey> = equal.iter().map(|e| rising(&e.0)).collect();
            common(&own).max(delivered(left, upto(keys, left.types().len())))
        }
        Node::Apply { left, .. } => delivered(left, upto(keys, left.types().len())),
        Node::Join { kind, left, equal, .. } if equal.is_empty() && !kind.keeps_right() => {
            delivered(left, upto(keys, left.types().len()))
        }
        _ => 0,
    }
}

/// Whether what comes out of `e` does not fit into the memory of a hash table.
pub fn is_large(e: &Estimate, s: &dyn Statistics) -> bool {
    e.bytes() > 2.0 * s.work_bytes()
}
