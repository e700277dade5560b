#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use functions::{Callable, comparison_sign_is_equal};
use plan::{Expr, ExprKind, JoinKind, Node, TableRef};
use types::{Datum, Oid, oid};

/// Rewrites `node`.
pub fn optimize(node: Node) -> Node {
    push(node, Vec::new())
}

fn conjuncts(e: Expr, out: &mut Vec<Expr>) {
    match e.kind {
        ExprKind::And(list) => list.into_iter().for_each(|e| conjuncts(e, out)),
        _ => out.push(e),
    }
}

fn all(mut list: Vec<Expr>) -> Option<Expr> {
    match list.len() {
        0 => None,
        1 => list.pop(),
        _ => Some(Expr::new(ExprKind::And(list), oid::BOOL, 0)),
    }
}

/// Columns that `e` reads: the lowest and the highest.
fn span(e: &Expr) -> Option<(usize, usize)> {
    let mut span: Option<(usize, usize)> = None;
    e.visit(&mut |e| {
        if let ExprKind::Column(i) = e.kind {
            span = Some(span.map_or((i, i), |(low, high)| (low.min(i), high.max(i))));
        }
    });
    span
}

fn filter(node: Node, predicates: Vec<Expr>) -> Node {
    match all(predicates) {
        Some(predicate) => Node::Filter { input: Box::new(node), predicate },
        None => node,
    }
}

/// Pushes `predicates`, over the columns of `node`, as far down as they go.
fn push(node: Node, mut predicates: Vec<Expr>) -> Node {
    match node {
        Node::Filter { input, predicate } => {
            conjuncts(predicate, &mut predicates);
            push(*input, predicates)
        }
        Node::Scan { table, filter } => {
            if let Some(own) = filter {
                conjuncts(own, &mut predicates);
            }
            scan(table, predicates)
        }
        Node::Join { kind, left, right, equal, condition } => join(kind, *left, *right, equal, condition, predicates),
        Node::Project { input, exprs } => {
            let node = Node::Project { input: Box::new(push(*input, Vec::new())), exprs };
            filter(node, predicates)
        }
        Node::Aggregate { input, groups, calls } => {
            filter(Node::Aggregate { input: Box::new(push(*input, Vec::new())), groups, calls }, predicates)
        }
        Node::Sort { input, keys } => {
            filter(Node::Sort { input: Box::new(push(*input, Vec::new())), keys }, predicates)
        }
        Node::Distinct { input } => filter(Node::Distinct { input: Box::new(push(*input, Vec::new())) }, predicates),
        Node::Limit { input, count, offset } => {
            filter(Node::Limit { input: Box::new(push(*input, Vec::new())), count, offset }, predicates)
        }
        Node::Insert { table, input, returning } => {
            Node::Insert { table, input: Box::new(push(*input, Vec::new())), returning }
        }
        Node::Update { table, input, sets, returning } => {
            Node::Update { table, input: Box::new(push(*input, Vec::new())), sets, returning }
        }
        Node::Delete { table, input, returning } => {
            Node::Delete { table, input: Box::new(push(*input, Vec::new())), returning }
        }
        Node::Values { .. } | Node::IndexScan { .. } => filter(node, predicates),
    }
}

fn join(
    kind: JoinKind,
    left: Node,
    right: Node,
    mut equal: Vec<(Expr, Expr, Oid)>,
    condition: Option<Expr>,
    above: Vec<Expr>,
) -> Node {
    let split = left.types().len();
    let (mut to_left, mut to_right, mut stay, mut on) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let is_left = |e: &Expr| span(e).is_some_and(|(_, high)| high < split);
    let is_right = |e: &Expr| span(e).is_some_and(|(low, _)| low >= split);
    let down = |mut e: Expr| {
        e.map_columns(&|i| i - split);
        e
    };
    for e in above {
        match kind {
            JoinKind::Inner if is_left(&e) => to_left.push(e),
            JoinKind::Inner if is_right(&e) => to_right.push(down(e)),
            JoinKind::Inner => on.push(e),
            // O2
            JoinKind::Left if is_left(&e) => to_left.push(e),
            JoinKind::Right if is_right(&e) => to_right.push(down(e)),
            _ => stay.push(e),
        }
    }
    if let Some(condition) = condition {
        let mut own = Vec::new();
        conjuncts(condition, &mut own);
        for e in own {
            match kind {
                JoinKind::Inner | JoinKind::Right if is_left(&e) => to_left.push(e),
                JoinKind::Inner | JoinKind::Left if is_right(&e) => to_right.push(down(e)),
                _ => on.push(e),
            }
        }
    }
    let mut rest = Vec::new();
    for e in on {
        match equality(&e) {
            Some((a, b, function)) if is_left(a) && is_right(b) => equal.push((a.clone(), down(b.clone()), function)),
            Some((a, b, function)) if is_right(a) && is_left(b) => equal.push((b.clone(), down(a.clone()), function)),
            _ => rest.push(e),
        }
    }
    let node = Node::Join {
        kind,
        left: Box::new(push(left, to_left)),
        right: Box::new(push(right, to_right)),
        equal,
        condition: all(rest),
    };
    filter(node, stay)
}

/// Both sides of `a = b`, where both are of one type (or integers), so that equal values hash alike.
fn equality(e: &Expr) -> Option<(&Expr, &Expr, Oid)> {
    let ExprKind::Call { function, args } = &e.kind else { return None };
    let [a, b] = &args[..] else { return None };
    let equal = matches!(functions::lookup(*function), Some(Callable::Compare(c)) if comparison_sign_is_equal(&c));
    equal.then_some((a, b, *function))
}

fn scan(table: TableRef, predicates: Vec<Expr>) -> Node {
    // The index that most predicates determine, all of its columns or a leading part.
    let mut best: Option<(usize, Vec<Expr>)> = None;
    for (number, index) in table.indexes.iter().enumerate() {
        let mut keys = Vec::new();
        for &(column, _) in &index.columns {
            let ty = table.columns[column].1;
            match predicates.iter().find_map(|p| key_for(p, column, ty)) {
                Some(key) => keys.push(key),
                None => break,
            }
        }
        let better = best.as_ref().is_none_or(|b| keys.len() > b.1.len());
        if !keys.is_empty() && better {
            best = Some((number, keys));
        }
    }
    match best {
        // The predicates are checked again on each row: an index holds more than the truth.
        Some((index, keys)) => Node::IndexScan { table, index, keys, filter: all(predicates) },
        None => Node::Scan { table, filter: all(predicates) },
    }
}

/// The value that `p` says `column` of type `ty` equals, if it is known before the scan.
fn key_for(p: &Expr, column: usize, ty: Oid) -> Option<Expr> {
    let (a, b, _) = equality(p)?;
    let is_column = |e: &Expr| matches!(e.kind, ExprKind::Column(i) if i == column);
    let value = match (is_column(a), is_column(b)) {
        (true, _) if span(b).is_none() => b,
        (_, true) if span(a).is_none() => a,
        _ => return None,
    };
    if value.ty == ty {
        return Some(value.clone());
    }
    // Integers of another width: constants that fit.
    let ExprKind::Const(datum) = &value.kind else { return None };
    let n = match datum {
        Datum::I16(n) => i64::from(*n),
        Datum::I32(n) => i64::from(*n),
        Datum::I64(n) => *n,
        _ => return None,
    };
    let datum = match ty {
        oid::INT2 => Datum::I16(n.try_into().ok()?),
        oid::INT4 => Datum::I32(n.try_into().ok()?),
        oid::INT8 => Datum::I64(n),
        _ => return None,
    };
    Some(Expr::new(ExprKind::Const(datum), ty, value.position))
}
