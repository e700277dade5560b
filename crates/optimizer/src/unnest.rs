//! Queries inside of predicates become joins: EXISTS and IN are semi joins, NOT EXISTS anti joins, and an aggregate of the rows that an
//! equality ties to the outer row is computed for all outer rows at once, grouped by the inner side of the equality.

use plan::{Expr, ExprKind, JoinKind, Node, SubKind, SubPlan};
use types::compare::Sign;
use types::{Datum, Oid, oid};

use crate::access;
use crate::estimate::{self, estimate};
use crate::fold;
use crate::push::push;
use crate::statistics::Statistics;

/// Rewrites `node` and all below it. What is changed or locked row by row keeps its shape: its predicates are asked again of rows that
/// changed meanwhile.
pub fn unnest(node: Node, s: &dyn Statistics) -> Node {
    let mut node = node;
    match &mut node {
        Node::Update { input, .. }
        | Node::Delete { input, .. }
        | Node::Merge { input, .. }
        | Node::LockRows { input, .. } => {
            keep_shape(input, s);
            return node;
        }
        _ => {}
    }
    for input in node.inputs_mut() {
        let inner = std::mem::replace(input, Node::one_row());
        *input = unnest(inner, s);
    }
    match node {
        Node::Filter { input, predicate } => filter(*input, predicate, s),
        other => other,
    }
}

/// Goes on below the joins and filters of `node`.
fn keep_shape(node: &mut Node, s: &dyn Statistics) {
    match node {
        Node::Filter { input, .. } => keep_shape(input, s),
        Node::Join { left, right, .. } => {
            keep_shape(left, s);
            keep_shape(right, s);
        }
        other => {
            let inner = std::mem::replace(other, Node::one_row());
            *other = unnest(inner, s);
        }
    }
}

fn filter(input: Node, predicate: Expr, s: &dyn Statistics) -> Node {
    let mut list = Vec::new();
    fold::conjuncts(predicate, &mut list);
    let (queries, plain): (Vec<Expr>, Vec<Expr>) = list.into_iter().partition(fold::has_subquery);
    let mut node = match Expr::all(plain) {
        Some(predicate) => Node::Filter { input: Box::new(input), predicate },
        None => input,
    };
    let mut rest = Vec::new();
    let width = node.types().len();
    for mut e in queries {
        let joined = match &mut e.kind {
            ExprKind::Subquery(sub) => semi(JoinKind::Semi, sub, width, s),
            ExprKind::Not(inner) => match &mut inner.kind {
                ExprKind::Subquery(sub) if sub.kind == SubKind::Exists => semi(JoinKind::Anti, sub, width, s),
                _ => None,
            },
            _ => None,
        };
        match joined {
            Some((kind, right, condition)) => {
                let (left, right) = (Box::new(node), Box::new(right));
                node = Node::Join { kind, left, right, equal: Vec::new(), condition };
            }
            None => rest.push(e),
        }
    }
    for e in &mut rest {
        node = scalars(e, node, s);
    }
    match Expr::all(rest) {
        Some(predicate) => {
            let all = node.types();
            let filtered = Node::Filter { input: Box::new(node), predicate };
            if all.len() == width {
                return filtered;
            }
            // What was joined for the predicate alone goes.
            let exprs = all[..width].iter().enumerate().map(|(i, &t)| Expr::column(i, t, -1)).collect();
            Node::Project { input: Box::new(filtered), exprs }
        }
        None => node,
    }
}

/// Whether `f` holds for a slot that is read in `node`, or in queries within.
fn reads_slot(node: &Node, f: &dyn Fn(usize) -> bool) -> bool {
    let mut reads = false;
    node.visit(&mut |n| {
        n.each_expr(&mut |e| {
            e.visit(&mut |e| match &e.kind {
                ExprKind::Slot(slot) => reads |= f(*slot),
                ExprKind::Subquery(sub) => {
                    if let SubKind::Quantified { test, .. } = &sub.kind {
                        test.visit(&mut |e| reads |= matches!(e.kind, ExprKind::Slot(slot) if f(slot)));
                    }
                }
                _ => {}
            });
        });
    });
    reads
}

/// Whether `e` itself, and whether a query within it, reads a slot of which `f` holds.
fn expr_reads(e: &Expr, f: &dyn Fn(usize) -> bool) -> (bool, bool) {
    let (mut own, mut within) = (false, false);
    e.visit(&mut |e| match &e.kind {
        ExprKind::Slot(slot) => own |= f(*slot),
        ExprKind::Subquery(sub) => {
            within |= reads_slot(&sub.node, f);
            if let SubKind::Quantified { test, .. } = &sub.kind {
                test.visit(&mut |e| within |= matches!(e.kind, ExprKind::Slot(slot) if f(slot)));
            }
        }
        _ => {}
    });
    (own, within)
}

/// Puts what the slots are bound to in their place, and moves columns by `split`.
fn bind(e: &mut Expr, binds: &[(usize, Expr)], split: usize) {
    match &mut e.kind {
        ExprKind::Slot(slot) => {
            if let Some((_, bound)) = binds.iter().find(|b| b.0 == *slot) {
                *e = bound.clone();
            }
        }
        ExprKind::Column(i) => *i += split,
        _ => e.children_mut().into_iter().for_each(|c| bind(c, binds, split)),
    }
}

fn always() -> Expr {
    Expr::new(ExprKind::Const(Datum::Bool(true)), oid::BOOL, 0)
}

/// The semi or anti join that `sub` is, over a left side of `width` columns.
fn semi(kind: JoinKind, sub: &mut SubPlan, width: usize, s: &dyn Statistics) -> Option<(JoinKind, Node, Option<Expr>)> {
    let bound = |slot: usize| sub.binds.iter().any(|b| b.0 == slot);
    if sub.binds.iter().any(|b| fold::has_subquery(&b.1)) || sub.node.writes() {
        return None;
    }
    let test = match &sub.kind {
        SubKind::Exists if sub.correlated => None,
        SubKind::Quantified { all: false, test } => Some((**test).clone()),
        _ => return None,
    };
    if test.as_ref().is_some_and(fold::is_volatile) {
        return None;
    }
    let inner = &sub.node;
    if let (Some(test), false) = (&test, reads_slot(inner, &bound)) {
        let mut condition = test.clone();
        bind(&mut condition, &sub.binds, width);
        let right = unnest(inner.clone(), s);
        return Some((kind, right, Some(condition)));
    }
    // Rows decide, not their columns, their order or how often they come.
    let mut node = inner;
    let mut exprs: Option<&[Expr]> = None;
    loop {
        match node {
            Node::Project { input, exprs: own } if exprs.is_none() => {
                exprs = Some(own);
                node = input;
            }
            Node::Project { input, .. } if test.is_none() => node = input,
            Node::Sort { input, .. } | Node::Distinct { input, on: None } if test.is_none() => node = input,
            Node::Limit { input, count, offset: None, ties: None } if test.is_none() => {
                let some = matches!(count.as_ref().map(|c| &c.kind), Some(ExprKind::Const(Datum::I64(n))) if *n > 0);
                if !some {
                    return None;
                }
                node = input;
            }
            _ => break,
        }
    }
    let Node::Filter { input, predicate } = node else { return None };
    if reads_slot(input, &bound) {
        return None;
    }
    let (on, rest) = split_predicate(predicate, &bound)?;
    let mut on: Vec<Expr> = on;
    on.iter_mut().for_each(|e| bind(e, &sub.binds, width));
    if let Some(mut test) = test {
        if let Some(exprs) = exprs {
            if exprs.iter().any(|e| fold::is_volatile(e) || expr_reads(e, &bound) != (false, false)) {
                return None;
            }
            test = inlined(test, exprs);
        }
        bind(&mut test, &sub.binds, width);
        let mut tests = Vec::new();
        test.conjuncts(&mut tests);
        on.extend(tests);
    }
    let right = match Expr::all(rest) {
        Some(predicate) => Node::Filter { input: input.clone(), predicate },
        None => (**input).clone(),
    };
    Some((kind, unnest(right, s), Some(Expr::all(on).unwrap_or_else(always))))
}

fn inlined(mut e: Expr, exprs: &[Expr]) -> Expr {
    fn go(e: &mut Expr, exprs: &[Expr]) {
        if let ExprKind::Column(i) = e.kind {
            *e = exprs[i].clone();
            return;
        }
        e.children_mut().into_iter().for_each(|c| go(c, exprs));
    }
    go(&mut e, exprs);
    e
}

/// The conditions that read bound slots, and the others; `None` when queries within them read some.
fn split_predicate(predicate: &Expr, bound: &dyn Fn(usize) -> bool) -> Option<(Vec<Expr>, Vec<Expr>)> {
    let mut list = Vec::new();
    fold::conjuncts(predicate.clone(), &mut list);
    let (mut on, mut rest) = (Vec::new(), Vec::new());
    for e in list {
        match expr_reads(&e, bound) {
            (_, true) => return None,
            (true, false) => on.push(e),
            (false, false) => rest.push(e),
        }
    }
    Some((on, rest))
}

/// Joins what scalar queries within `e` yield to `node`, and reads it there.
fn scalars(e: &mut Expr, mut node: Node, s: &dyn Statistics) -> Node {
    let found = match &e.kind {
        ExprKind::Subquery(sub) if sub.kind == SubKind::Scalar && sub.correlated => grouped(sub, &node, s),
        ExprKind::Subquery(_) => None,
        // Whether it is asked for depends on more than the row.
        ExprKind::Case { .. } | ExprKind::Coalesce(_) | ExprKind::Or(_) => return node,
        _ => {
            for child in e.children_mut() {
                node = scalars(child, node, s);
            }
            return node;
        }
    };
    let Some((right, equal, value)) = found else { return node };
    let split = node.types().len();
    let position = e.position;
    *e = value;
    e.map_columns(&|i| i + split);
    e.position = position;
    Node::Join { kind: JoinKind::Left, left: Box::new(node), right: Box::new(right), equal, condition: None }
}

type Grouped = (Node, Vec<(Expr, Expr, Oid)>, Expr);

/// The rows of `sub` for all outer rows: a grouped aggregate, the equalities that tie it to `outer`, and the value over its columns.
fn grouped(sub: &SubPlan, outer: &Node, s: &dyn Statistics) -> Option<Grouped> {
    let bound = |slot: usize| sub.binds.iter().any(|b| b.0 == slot);
    if sub.binds.iter().any(|b| fold::has_subquery(&b.1)) {
        return None;
    }
    let (exprs, aggregate) = match &sub.node {
        Node::Project { input, exprs } => (Some(exprs), &**input),
        other => (None, other),
    };
    let Node::Aggregate { input, groups, calls } = aggregate else { return None };
    let Node::Filter { input: rows, predicate } = &**input else { return None };
    let clean = |e: &Expr| !fold::is_volatile(e) && expr_reads(e, &bound) == (false, false);
    let in_calls =
        |c: &plan::AggregateCall| c.args.iter().chain(&c.filter).chain(c.order.iter().map(|k| &k.expr)).all(clean);
    if !groups.is_empty()
        || !calls.iter().all(in_calls)
        || reads_slot(rows, &bound)
        || !exprs.is_none_or(|list| list.iter().all(clean))
    {
        return None;
    }
    let (on, rest) = split_predicate(predicate, &bound)?;
    let mut equal = Vec::new();
    let mut keys: Vec<Expr> = Vec::new();
    for e in &on {
        let ExprKind::Call { function, args, .. } = &e.kind else { return None };
        let [a, b] = &args[..] else { return None };
        if functions::sign(*function) != Some(Sign::Equal) {
            return None;
        }
        let outside = |e: &Expr| expr_reads(e, &bound).0 && e.span().is_none();
        let (out, inside) = match (outside(a), outside(b)) {
            (true, false) => (a, b),
            (false, true) => (b, a),
            _ => return None,
        };
        if expr_reads(inside, &bound).0 || inside.span().is_none() {
            return None;
        }
        let mut out = out.clone();
        bind(&mut out, &sub.binds, 0);
        let column = Expr { collation: inside.collation, ..Expr::column(keys.len(), inside.ty, inside.typmod) };
        equal.push((out, column, *function));
        keys.push(inside.clone());
    }
    if equal.is_empty() || !is_cheaper(outer, rows, &rest, &keys, s) {
        return None;
    }
    let mut values: Vec<Expr> = Vec::new();
    for (i, call) in calls.iter().enumerate() {
        let column = Expr::column(keys.len() + i, call.ty, -1);
        values.push(match empty_value(call.function)? {
            Datum::Null => column,
            zero => {
                let zero = Expr::new(ExprKind::Const(zero), call.ty, 0);
                Expr::new(ExprKind::Coalesce(vec![column, zero]), call.ty, 0)
            }
        });
    }
    let value = match exprs {
        Some(list) => inlined(list.first()?.clone(), &values),
        None => values.into_iter().next()?,
    };
    let filtered = match Expr::all(rest) {
        Some(predicate) => Node::Filter { input: rows.clone(), predicate },
        None => (**rows).clone(),
    };
    let input = Box::new(unnest(filtered, s));
    Some((Node::Aggregate { input, groups: keys, calls: calls.clone() }, equal, value))
}

/// What an aggregate of no rows is, where that is known.
fn empty_value(function: Oid) -> Option<Datum> {
    let name = catalog::builtin::proc_by_oid(function)?.name;
    match name {
        "count" => Some(Datum::I64(0)),
        "sum" | "avg" | "min" | "max" | "bool_and" | "bool_or" | "every" | "string_agg" | "array_agg" | "stddev"
        | "variance" | "stddev_samp" | "var_samp" | "stddev_pop" | "var_pop" | "bit_and" | "bit_or" => {
            Some(Datum::Null)
        }
        _ => None,
    }
}

/// Whether grouping all inner rows is less work than looking some up for each outer row.
fn is_cheaper(outer: &Node, rows: &Node, rest: &[Expr], keys: &[Expr], s: &dyn Statistics) -> bool {
    let outer_rows = estimate(&push(outer.clone(), Vec::new(), s), s).rows;
    let inner = estimate(&push(rows.clone(), rest.to_vec(), s), s);
    let all = inner.cost + inner.rows * estimate::BUILD;
    // With an index each look-up is short; without, it reads everything.
    let each = match rows {
        Node::Scan { table, .. } => {
            let lookup = |key: &Expr| {
                let slot = Expr { kind: ExprKind::Slot(0), ..key.clone() };
                equality_of(key, slot)
            };
            let wanted: Vec<Expr> = keys.iter().filter_map(lookup).collect();
            let (total, _) = s.size(table);
            let columns = estimate::table_columns(table, total, s);
            let found = (0..table.indexes.len())
                .filter_map(|i| access::range(table, i, &wanted))
                .map(|range| estimate::range_rows(table, &range, total, &columns))
                .fold(f64::INFINITY, f64::min);
            if found.is_finite() { 5.0 + found * estimate::ENTRY } else { inner.cost }
        }
        _ => inner.cost,
    };
    all <= outer_rows * each
}

/// `a = b` of one type.
fn equality_of(a: &Expr, b: Expr) -> Option<Expr> {
    let operator = catalog::builtin::operators_by_name("=").find(|o| o.left == a.ty && o.right == b.ty)?;
    let (function, form) = (operator.function, plan::CallForm::Operator(operator.oid));
    let call = ExprKind::Call { function, args: vec![a.clone(), b], form };
    Some(Expr::new(call, oid::BOOL, 0))
}
