//! By which methods rows are sorted, joined and grouped: what depends on order, and on how many rows are asked for.
//!
//! Joins are in their order by then. A method is chosen from the top down: who needs an order asks for it (`in_order`), and compares
//! what is found with sorting.

use plan::{AggregateCall, Expr, ExprKind, Node, SortKey, SubKind, SubPlan};
use types::{Datum, Oid, oid};

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
            let own = match &count {
                // What is not known yet is taken to be few.
                Some(e) => Some(constant_count(Some(e)).unwrap_or(100.0) + skipped),
                None => None,
            };
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
                Node::Sort { keys, .. } | Node::IncrementalSort { keys, .. } => keys
                    .iter()
                    .take(on.len())
                    .all(|k| matches!(k.expr.kind, ExprKind::Column(i) if on.contains(&i)))
                    .then(|| on.iter().all(|i| keys.iter().take(on.len()).any(|k| is_column(&k.expr, *i))))
                    .unwrap_or(false),
                _ => delivered(&input, &order) == order.len(),
            };
            let input = Box::new(input);
            if together { Node::Unique { input, on } } else { Node::Distinct { input, on: Some(on) } }
        }
        Node::Aggregate { input, groups, calls } if groups.is_empty() => plain_aggregate(*input, calls, s, slots),
        Node::Aggregate { input, groups, calls } => aggregate(*input, groups, calls, wanted, s, slots),
        Node::Join { ref equal, .. } if !equal.is_empty() => join(node, s, slots),
        Node::Update { .. } | Node::Delete { .. } | Node::Merge { .. } | Node::LockRows { .. } => {
            let mut node = node;
            node.inputs_mut().into_iter().for_each(|input| keep_shape(input, s, slots));
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
