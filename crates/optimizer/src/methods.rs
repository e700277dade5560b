//! By which methods rows are sorted, joined and grouped: what depends on order, and on how many rows are asked for.
//!
//! Joins are in their order by then. A method is chosen from the top down: who needs an order asks for it (`in_order`), and compares
//! what is found with sorting.

use plan::{AggregateCall, Expr, ExprKind, Node, SortKey, SubKind, SubPlan, Window, WindowCall};
use types::{Datum, Oid, oid};

use crate::bitmap;
use crate::estimate::{constant_count, estimate, first_rows};
use crate::fold::{has_subquery, is_volatile};
use crate::in_order::{Search, delivered, is_large};
use crate::push::{inline, push};
use crate::statistics::{Statistics, Way};

/// Chooses methods in `node`, of whose rows `wanted` are asked for, if not all.
pub fn methods(node: Node, wanted: Option<f64>, s: &dyn Statistics, slots: &mut usize) -> Node {
    match node {
        Node::Limit { input, count, offset, ties } => {
            let skipped = constant_count(offset.as_ref()).unwrap_or(0.0);
            // What is not known yet is taken to be few.
            let own = count.as_ref().map(|e| constant_count(Some(e)).unwrap_or(100.0) + skipped);
            let wanted = match (wanted, own) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            let input = Box::new(methods(*input, wanted, s, slots));
            Node::Limit { input, count, offset, ties }
        }
        Node::Project { input, exprs } => {
            let input = Box::new(methods(*input, wanted, s, slots));
            Node::Project { input, exprs }
        }
        Node::Sort { input, keys } => sort(*input, keys, wanted, s, slots),
        Node::Distinct { input, on: None } => distinct(*input, wanted, s, slots),
        Node::Distinct { input, on: Some(on) } => {
            let input = methods(*input, None, s, slots);
            let types = input.types();
            let order: Vec<SortKey> = on.iter().map(|&i| rising(&Expr::column(i, types[i], -1))).collect();
            // In whichever order and direction: what is equal stands together.
            let together = match &input {
                Node::Sort { keys, .. } | Node::IncrementalSort { keys, .. } => {
                    let first = &keys[..on.len().min(keys.len())];
                    let is_on = |k: &SortKey| matches!(k.expr.kind, ExprKind::Column(i) if on.contains(&i));
                    first.iter().all(is_on) && on.iter().all(|&i| first.iter().any(|k| is_column(&k.expr, i)))
                }
                _ => delivered(&input, &order) == order.len(),
            };
            let input = Box::new(input);
            if together { Node::Unique { input, on } } else { Node::Distinct { input, on: Some(on) } }
        }
        Node::Aggregate { ref input, ref groups, ref calls } if are_distinct(input, groups, calls, s) => {
            methods(deduplicated(node), wanted, s, slots)
        }
        Node::Aggregate { input, groups, calls } if groups.is_empty() => plain_aggregate(*input, calls, s, slots),
        Node::Aggregate { input, groups, calls } => aggregate(*input, groups, calls, wanted, s, slots),
        Node::Window { input, window, calls } => window_in_order(*input, window, calls, wanted, s, slots),
        Node::Join { ref equal, .. } if !equal.is_empty() => join(node, s, slots),
        Node::Update { .. } | Node::Delete { .. } | Node::Merge { .. } | Node::LockRows { .. } => {
            let mut node = node;
            node.inputs_mut().into_iter().for_each(|input| keep_shape(input, s, slots));
            if let Node::Delete { input, .. } = &mut node {
                bitmap::by_pages(input, s);
            }
            node
        }
        mut other => {
            for input in other.inputs_mut() {
                let inner = std::mem::replace(input, Node::one_row());
                *input = methods(inner, None, s, slots);
            }
            other
        }
    }
}

fn is_column(e: &Expr, column: usize) -> bool {
    matches!(e.kind, ExprKind::Column(i) if i == column)
}

fn rising(e: &Expr) -> SortKey {
    SortKey { expr: e.clone(), descending: false, nulls_first: false }
}

/// O4.
fn keep_shape(node: &mut Node, s: &dyn Statistics, slots: &mut usize) {
    match node {
        Node::Filter { input, .. } => keep_shape(input, s, slots),
        Node::Join { left, right, .. } => {
            keep_shape(left, s, slots);
            keep_shape(right, s, slots);
        }
        Node::Scan { .. } | Node::IndexScan { .. } | Node::BitmapScan { .. } => {}
        other => {
            let inner = std::mem::replace(other, Node::one_row());
            *other = methods(inner, None, s, slots);
        }
    }
}

fn sort(input: Node, keys: Vec<SortKey>, wanted: Option<f64>, s: &dyn Statistics, slots: &mut usize) -> Node {
    // Rows are locked once it is known that they are asked for: after sorting.
    let input = match input {
        Node::Project { input, exprs } if matches!(&*input, Node::LockRows { .. }) => {
            let below: Vec<SortKey> =
                keys.iter().map(|k| SortKey { expr: inline(k.expr.clone(), &exprs), ..k.clone() }).collect();
            let Node::LockRows { input, locks } = *input else { unreachable!("it was one") };
            if below.iter().any(|k| is_volatile(&k.expr) || has_subquery(&k.expr)) {
                let input = Box::new(Node::LockRows { input, locks });
                Node::Project { input, exprs }
            } else {
                let mut search = Search { statistics: s, slots, wanted, fixed: true };
                let found = search.find(&input, &below).filter(|f| f.presorted == below.len());
                let mut inner = *input;
                keep_shape(&mut inner, s, slots);
                let plain = Node::Sort { input: Box::new(inner), keys: below };
                let cost = |n: &Node| first_rows(&estimate(n, s), wanted);
                let sorted = match found {
                    Some(found) if !s.allows(Way::Sort) || cost(&found.node) < cost(&plain) => found.node,
                    _ => plain,
                };
                return Node::Project { input: Box::new(Node::LockRows { input: Box::new(sorted), locks }), exprs };
            }
        }
        other => other,
    };
    let mut search = Search { statistics: s, slots, wanted, fixed: false };
    let sorted = search.sorted(&input, &keys);
    match sorted {
        // It is in order anyway.
        Node::Sort { input, keys } if delivered(&input, &keys) == keys.len() => *input,
        other => other,
    }
}

/// Whether what `way` avoids is to be avoided, or costs more.
fn is_better(other: &Node, plain: &Node, way: Way, wanted: Option<f64>, s: &dyn Statistics) -> bool {
    let cost = |n: &Node| first_rows(&estimate(n, s), wanted);
    !s.allows(way) || cost(other) < cost(plain)
}

fn distinct(input: Node, wanted: Option<f64>, s: &dyn Statistics, slots: &mut usize) -> Node {
    let types = input.types();
    let keys: Vec<SortKey> = types.iter().enumerate().map(|(i, &ty)| rising(&Expr::column(i, ty, -1))).collect();
    let sortable = types.iter().all(|&ty| ty != oid::UNKNOWN) && !types.is_empty();
    if sortable && (wanted.is_some() || !s.allows(Way::HashAgg) || is_large(&estimate(&input, s), s)) {
        let mut search = Search { statistics: s, slots, wanted, fixed: false };
        let sorted = search.sorted(&input, &keys);
        let plain = Node::Distinct { input: Box::new(methods(input.clone(), None, s, slots)), on: None };
        let other = Node::Unique { input: Box::new(sorted), on: (0..types.len()).collect() };
        return if is_better(&other, &plain, Way::HashAgg, wanted, s) { other } else { plain };
    }
    let input = Box::new(methods(input, None, s, slots));
    if sortable && delivered(&input, &keys) == keys.len() {
        return Node::Unique { input, on: (0..types.len()).collect() };
    }
    Node::Distinct { input, on: None }
}

fn aggregate(
    input: Node,
    groups: Vec<Expr>,
    calls: Vec<AggregateCall>,
    wanted: Option<f64>,
    s: &dyn Statistics,
    slots: &mut usize,
) -> Node {
    let keys: Vec<SortKey> = groups.iter().map(rising).collect();
    let steady = !groups.iter().any(|g| is_volatile(g) || has_subquery(g));
    let plain = |input: Node| Node::Aggregate { input: Box::new(input), groups: groups.clone(), calls: calls.clone() };
    let grouped =
        |input: Node| Node::GroupAggregate { input: Box::new(input), groups: groups.clone(), calls: calls.clone() };
    let own = methods(input.clone(), None, s, slots);
    if !steady {
        return plain(own);
    }
    if delivered(&own, &keys) == keys.len() {
        return grouped(own);
    }
    if let Some(order) = given_order(&calls).filter(|_| is_large(&estimate(&own, s), s)) {
        // Rows that wait to be sorted group by group would all be held.
        let keys = keys.into_iter().chain(order).collect();
        let input = Box::new(sort(input, keys, None, s, slots));
        return Node::GroupAggregate { input, groups: groups.clone(), calls: unordered(calls.clone()) };
    }
    let hashed = plain(own);
    if wanted.is_some() || !s.allows(Way::HashAgg) || is_large(&estimate(&hashed, s), s) {
        let mut search = Search { statistics: s, slots, wanted, fixed: false };
        let other = grouped(search.sorted(&input, &keys));
        if is_better(&other, &hashed, Way::HashAgg, wanted, s) {
            return other;
        }
    }
    hashed
}

/// A window over rows in its order.
fn window_in_order(
    mut input: Node,
    mut window: Window,
    calls: Vec<WindowCall>,
    wanted: Option<f64>,
    s: &dyn Statistics,
    slots: &mut usize,
) -> Node {
    let width = input.types().len();
    let unsteady = |e: &Expr| is_volatile(e) || has_subquery(e);
    let moving = window.partition.iter().any(unsteady) || window.order.iter().any(|k| unsteady(&k.expr));
    if moving {
        // What has another value each time is computed once.
        let types = input.types();
        let mut exprs: Vec<Expr> = types.iter().enumerate().map(|(i, &ty)| Expr::column(i, ty, -1)).collect();
        let order = window.order.iter_mut().map(|k| &mut k.expr);
        for e in window.partition.iter_mut().chain(order) {
            let column = Expr { kind: ExprKind::Column(exprs.len()), position: 0, ..e.clone() };
            exprs.push(std::mem::replace(e, column));
        }
        input = Node::Project { input: Box::new(input), exprs };
    }
    let keys: Vec<SortKey> = window.partition.iter().map(rising).chain(window.order.iter().cloned()).collect();
    let input = if keys.is_empty() {
        methods(input, None, s, slots)
    } else {
        // Few rows are read only where what is asked for is computed while they pass.
        sort(input, keys, wanted.filter(|_| window.partition.is_empty() && !window.order.is_empty()), s, slots)
    };
    let more = input.types().len() - width;
    let (count, results): (usize, Vec<Oid>) = (calls.len(), calls.iter().map(|c| c.ty).collect());
    let types = input.types();
    let node = Node::Window { input: Box::new(input), window, calls };
    if more == 0 {
        return node;
    }
    let columns = (0..width).chain(width + more..width + more + count);
    let ty = |i: usize| types.get(i).copied().unwrap_or_else(|| results[i - width - more]);
    Node::Project { input: Box::new(node), exprs: columns.map(|i| Expr::column(i, ty(i), -1)).collect() }
}

/// `min(anyelement)` and its like for each type, and `max`.
fn extreme(call: &AggregateCall) -> Option<(&Expr, bool)> {
    let [arg] = &call.args[..] else { return None };
    let plain = call.own.is_none() && call.filter.is_none() && call.order.is_empty() && call.direct == 0;
    let name = catalog::builtin::proc_by_oid(call.function).map(|p| p.name);
    let fits = plain && arg.ty == call.ty && !is_volatile(arg) && arg.span().is_some();
    match name {
        Some("min") if fits => Some((arg, false)),
        Some("max") if fits => Some((arg, true)),
        _ => None,
    }
}

/// Whether all of `calls` are about different values of the same arguments, too many to be remembered.
fn are_distinct(input: &Node, groups: &[Expr], calls: &[AggregateCall], s: &dyn Statistics) -> bool {
    let Some(first) = calls.first() else { return false };
    let same = |c: &AggregateCall| {
        let alike = c.args.len() == first.args.len() && c.args.iter().zip(&first.args).all(|(a, b)| a.same(b));
        c.distinct && c.filter.is_none() && c.order.is_empty() && c.direct == 0 && !c.args.is_empty() && alike
    };
    let steady = |e: &Expr| !is_volatile(e) && !has_subquery(e);
    calls.iter().all(same) && groups.iter().chain(&first.args).all(steady) && is_large(&estimate(input, s), s)
}

/// The same over rows of which each is there once: sorting them out knows how to spill.
fn deduplicated(node: Node) -> Node {
    let Node::Aggregate { input, groups, mut calls } = node else { return node };
    let exprs: Vec<Expr> = groups.iter().chain(calls.iter().take(1).flat_map(|c| &c.args)).cloned().collect();
    let column = |(i, e): (usize, &Expr)| Expr { kind: ExprKind::Column(i), ..e.clone() };
    let columns: Vec<Expr> = exprs.iter().enumerate().map(column).collect();
    let (groups, args) = columns.split_at(groups.len());
    for call in &mut calls {
        (call.distinct, call.args) = (false, args.to_vec());
    }
    let input = Box::new(Node::Distinct { input: Box::new(Node::Project { input, exprs }), on: None });
    Node::Aggregate { input, groups: groups.to_vec(), calls }
}

/// The order in which all of `calls` that ask for one are given their rows, if it is one.
fn given_order(calls: &[AggregateCall]) -> Option<Vec<SortKey>> {
    let mut ordered = calls.iter().filter(|c| !c.order.is_empty());
    let order = ordered.next()?.order.clone();
    let same = |c: &AggregateCall| {
        c.order.len() == order.len()
            && c.order
                .iter()
                .zip(&order)
                .all(|(a, b)| a.expr.same(&b.expr) && a.descending == b.descending && a.nulls_first == b.nulls_first)
    };
    let steady = !order.iter().any(|k| is_volatile(&k.expr) || has_subquery(&k.expr));
    let plain = calls.iter().filter(|c| !c.order.is_empty()).all(|c| c.direct == 0 && !c.distinct);
    (steady && plain && ordered.all(same)).then_some(order)
}

/// Calls over rows that come in the order they ask for.
fn unordered(mut calls: Vec<AggregateCall>) -> Vec<AggregateCall> {
    calls.iter_mut().for_each(|c| c.order.clear());
    calls
}

/// Aggregates of all rows: the least and the greatest value stand at the ends of an index.
fn plain_aggregate(input: Node, calls: Vec<AggregateCall>, s: &dyn Statistics, slots: &mut usize) -> Node {
    let simple = matches!(
        input,
        Node::Scan { .. }
            | Node::IndexScan { .. }
            | Node::BitmapScan { .. }
            | Node::Project { .. }
            | Node::Filter { .. }
    );
    if let Some(order) = given_order(&calls) {
        let input = Box::new(sort(input, order, None, s, slots));
        return Node::Aggregate { input, groups: Vec::new(), calls: unordered(calls) };
    }
    if calls.is_empty() || !simple || calls.iter().any(|c| extreme(c).is_none()) {
        return Node::Aggregate { input: Box::new(methods(input, None, s, slots)), groups: Vec::new(), calls };
    }
    let plain = Node::Aggregate {
        input: Box::new(methods(input.clone(), None, s, slots)),
        groups: Vec::new(),
        calls: calls.clone(),
    };
    let one = |call: &AggregateCall, slots: &mut usize| -> Option<(Node, Expr)> {
        let (arg, greatest) = extreme(call)?;
        let there = Expr::new(
            ExprKind::Not(Box::new(Expr::new(ExprKind::IsNull(Box::new(arg.clone())), oid::BOOL, 0))),
            oid::BOOL,
            0,
        );
        let predicates = if is_never_null(&input, arg) { Vec::new() } else { vec![there] };
        let rows = push(input.clone(), predicates, s);
        let keys = [SortKey { expr: arg.clone(), descending: greatest, nulls_first: greatest }];
        let keys_last = [SortKey { nulls_first: !greatest, ..keys[0].clone() }];
        let mut search = Search { statistics: s, slots, wanted: Some(1.0), fixed: false };
        // There are no NULLs: wherever they would stand.
        let found = [&keys, &keys_last].into_iter().find_map(|k| search.find(&rows, k).filter(|f| f.presorted == 1))?;
        let first = Node::Limit {
            input: Box::new(found.node),
            count: Some(Expr::new(ExprKind::Const(Datum::I64(1)), oid::INT8, 0)),
            offset: None,
            ties: None,
        };
        Some((Node::Project { input: Box::new(first), exprs: vec![arg.clone()] }, arg.clone()))
    };
    let Some(found) = calls.iter().map(|c| one(c, slots)).collect::<Option<Vec<_>>>() else { return plain };
    let cost: f64 = found.iter().map(|f| estimate(&f.0, s).cost).sum();
    if cost >= estimate(&plain, s).cost {
        return plain;
    }
    let exprs = found.into_iter().zip(&calls).map(|((node, arg), call)| {
        *slots += 1;
        let sub =
            SubPlan { kind: SubKind::Scalar, node, binds: Vec::new(), correlated: is_bound(&input), id: MADE + *slots };
        Expr { kind: ExprKind::Subquery(Box::new(sub)), ty: call.ty, position: 0, ..arg }
    });
    Node::Project { input: Box::new(Node::one_row()), exprs: exprs.collect() }
}

/// Numbers of queries that the optimizer makes are above all that the binder gave.
const MADE: usize = 1 << 32;

/// Whether the rows of `node` depend on slots.
fn is_bound(node: &Node) -> bool {
    let mut bound = false;
    node.visit(&mut |n| {
        n.exprs().into_iter().for_each(|e| e.visit(&mut |e| bound |= matches!(e.kind, ExprKind::Slot(_))))
    });
    bound
}

/// Whether `e`, over the rows of `node`, is a column that has no NULLs.
fn is_never_null(node: &Node, e: &Expr) -> bool {
    match (node, &e.kind) {
        (
            Node::Scan { table, .. } | Node::IndexScan { table, .. } | Node::BitmapScan { table, .. },
            ExprKind::Column(i),
        ) => table.columns.get(*i).is_some_and(|c| c.not_null),
        (Node::Filter { input, .. }, _) => is_never_null(input, e),
        (Node::Project { input, exprs }, ExprKind::Column(i)) => exprs.get(*i).is_some_and(|e| is_never_null(input, e)),
        _ => false,
    }
}

/// Hash join, unless both sides are in order, or the hash table would not fit: then what is cheaper.
fn join(mut node: Node, s: &dyn Statistics, slots: &mut usize) -> Node {
    for input in node.inputs_mut() {
        let inner = std::mem::replace(input, Node::one_row());
        *input = methods(inner, None, s, slots);
    }
    let Node::Join { left, right, equal, .. } = &node else { return node };
    let sortable = |e: &Expr| !is_volatile(e) && !has_subquery(e);
    if !s.allows(Way::MergeJoin) || !equal.iter().all(|e| sortable(&e.0) && sortable(&e.1)) {
        return node;
    }
    let side = |of: &dyn Fn(&(Expr, Expr, Oid)) -> SortKey| -> Vec<SortKey> { equal.iter().map(of).collect() };
    let (lefts, rights) = (side(&|e| rising(&e.0)), side(&|e| rising(&e.1)));
    let in_order = delivered(left, &lefts) == lefts.len() && delivered(right, &rights) == rights.len();
    if in_order || !s.allows(Way::HashJoin) || is_large(&estimate(right, s), s) {
        let equal = equal.clone();
        let mut search = Search { statistics: s, slots, wanted: None, fixed: false };
        if let Some(merge) = search.merge(&node, equal)
            && is_better(&merge, &node, Way::HashJoin, None, s)
        {
            return merge;
        }
    }
    node
}
