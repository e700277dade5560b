//! How a table's rows are found: all of them, or those that an index lists.

use std::sync::Arc;

use functions::{Callable, Sign};
use plan::{Bound, Comparison, Expr, ExprKind, IndexKey, IndexRange, Needed, Node, TableRef, TableSource};
use types::{Datum, Oid, oid};

use crate::estimate;
use crate::statistics::Statistics;

/// The scan of `table` for rows that satisfy `predicates`.
pub fn scan(table: Arc<TableRef>, predicates: Vec<Expr>, statistics: &dyn Statistics) -> Node {
    let needed = Needed::default();
    if table.source != TableSource::Stored || predicates.is_empty() {
        return Node::Scan { table, filter: Expr::all(predicates), needed };
    }
    let mut best: Option<(usize, IndexRange)> = None;
    for index in 0..table.indexes.len() {
        let Some(range) = range(&table, index, &predicates).or_else(|| part(&table, index, &predicates)) else {
            continue;
        };
        // Each column that is determined counts for more than any bound.
        let unique = table.indexes[index].unique && range.equal.len() == table.indexes[index].columns.len();
        let bounds = usize::from(range.low.is_some()) + usize::from(range.high.is_some());
        let score = 8 * range.equal.len() + bounds + if unique { 64 } else { 0 };
        if best.as_ref().is_none_or(|b| score > b.0) {
            best = Some((score, range));
        }
    }
    match best {
        Some((score, range)) if score >= 64 || is_worth(&table, &range, statistics) => {
            index_scan(table, range, predicates)
        }
        _ => Node::Scan { table, filter: Expr::all(predicates), needed },
    }
}

/// The scan of a range of an index, whose rows must satisfy `predicates`.
pub fn index_scan(table: Arc<TableRef>, range: IndexRange, predicates: Vec<Expr>) -> Node {
    let rest = predicates.into_iter().filter(|p| !range.implied.contains(p)).collect();
    Node::IndexScan { table, range, filter: Expr::all(rest), needed: Needed::default() }
}

/// Whether what values the ends of a range have can make a difference to [`is_worth`].
pub fn depends_on_values(table: &TableRef, range: &IndexRange, statistics: &dyn Statistics) -> bool {
    let key = &table.indexes[range.index];
    let used = range.equal.len() + usize::from(range.low.is_some() || range.high.is_some());
    let unique = key.unique && range.equal.len() == key.columns.len();
    // Without statistics all values are taken to be alike.
    !unique && key.columns[..used].iter().any(|k| statistics.column(table.oid, k.0).is_some())
}

/// Whether reading a range of an index is less work than reading the whole table. What is not known yet when planning is taken to be
/// selective.
pub fn is_worth(table: &TableRef, range: &IndexRange, statistics: &dyn Statistics) -> bool {
    let known = |e: &Expr| matches!(e.kind, ExprKind::Const(_));
    let ends = range.low.iter().chain(&range.high).all(|b| known(&b.value));
    if !ends || (range.equal.iter().any(|e| !known(e)) && range.low.is_none() && range.high.is_none()) {
        return true;
    }
    let (rows, pages) = statistics.size(table);
    let columns = estimate::table_columns(table, rows, statistics);
    let listed = estimate::range_rows(table, range, rows, &columns);
    estimate::DESCENT + listed * estimate::ENTRY <= pages + rows * estimate::ROW
}

/// Which comparison of two values of one type `function` is.
fn comparison(function: Oid) -> Option<Comparison> {
    let Callable::Compare(c) = functions::lookup(function)? else { return None };
    c.is_same_type().then_some(match c.sign {
        Sign::Equal => Comparison::Equal,
        Sign::NotEqual => Comparison::NotEqual,
        Sign::Less => Comparison::Less,
        Sign::LessEqual => Comparison::LessEqual,
        Sign::Greater => Comparison::Greater,
        Sign::GreaterEqual => Comparison::GreaterEqual,
    })
}

/// Whether an index lists all rows that satisfy `predicates`.
fn lists_all(table: &TableRef, index: usize, predicates: &[Expr]) -> bool {
    table.indexes[index].predicate.as_ref().is_none_or(|p| plan::implies(predicates, p, &comparison))
}

fn whole(index: usize) -> IndexRange {
    IndexRange {
        index,
        equal: Vec::new(),
        low: None,
        high: None,
        backward: false,
        implied: Vec::new(),
        equals: Vec::new(),
        bounds: Vec::new(),
    }
}

/// All of a partial index that lists the rows that satisfy `predicates`.
fn part(table: &TableRef, index: usize, predicates: &[Expr]) -> Option<IndexRange> {
    let key = &table.indexes[index];
    if key.predicate.is_none() || key.hash || !lists_all(table, index, predicates) {
        return None;
    }
    let mut range = whole(index);
    note_listed(key, predicates, &mut range);
    Some(range)
}

/// The part of an index that `predicates` leave; `None` when it is all of it.
pub fn range(table: &TableRef, index: usize, predicates: &[Expr]) -> Option<IndexRange> {
    if !lists_all(table, index, predicates) {
        return None;
    }
    let key = &table.indexes[index];
    let mut range = whole(index);
    for (place, &(column, descending, _)) in key.columns.iter().enumerate() {
        let ty = key.key_type(place, &table.columns);
        let tests: Vec<(Sign, Expr, &Expr)> = predicates
            .iter()
            .filter_map(|p| test(p, column, key.expr(place), ty).map(|(sign, value)| (sign, value, p)))
            .collect();
        if let Some((_, value, predicate)) = tests.iter().find(|t| t.0 == Sign::Equal) {
            range.equal.push(value.clone());
            range.equals.push((*predicate).clone());
            // Equal keys are equal values; floats and numerics have several forms of one value, so they are looked at again.
            if !matches!(ty, oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC) {
                range.implied.push((*predicate).clone());
            }
            continue;
        }
        for (sign, value, predicate) in tests.into_iter().filter(|_| !key.hash) {
            let inclusive = matches!(sign, Sign::LessEqual | Sign::GreaterEqual);
            let is_low = matches!(sign, Sign::Greater | Sign::GreaterEqual) != descending;
            if sign != Sign::NotEqual {
                let bound = if is_low { &mut range.low } else { &mut range.high };
                if bound.is_none() {
                    *bound = Some(Bound { value, inclusive });
                    range.bounds.push(predicate.clone());
                }
            }
        }
        break;
    }
    note_listed(key, predicates, &mut range);
    (!range.equal.is_empty() || range.low.is_some() || range.high.is_some()).then_some(range)
}

/// Notes what all rows that a partial index lists satisfy.
fn note_listed(key: &IndexKey, predicates: &[Expr], range: &mut IndexRange) {
    let Some(condition) = &key.predicate else { return };
    for p in predicates {
        if !range.implied.contains(p) && plan::implies(std::slice::from_ref(condition), p, &comparison) {
            range.implied.push(p.clone());
        }
    }
}

/// What `p` says of `column`, or of the expression that stands for it, of type `ty`, compared with a value known before the scan.
fn test(p: &Expr, column: usize, expr: Option<&Expr>, ty: Oid) -> Option<(Sign, Expr)> {
    let ExprKind::Call { function, args, .. } = &p.kind else { return None };
    let [a, b] = &args[..] else { return None };
    let Callable::Compare(comparison) = functions::lookup(*function)? else { return None };
    if !comparison.is_same_type() {
        return None;
    }
    let is_column = |e: &Expr| match (expr, &relabelled(e).kind) {
        (Some(expr), _) => expr.same(e) || expr.same(relabelled(e)),
        (None, ExprKind::Column(i)) => *i == column,
        _ => false,
    };
    if is_column(a) && b.is_fixed() {
        return Some((comparison.sign, as_key(b, ty)?));
    }
    if is_column(b) && a.is_fixed() {
        let turned = match comparison.sign {
            Sign::Less => Sign::Greater,
            Sign::LessEqual => Sign::GreaterEqual,
            Sign::Greater => Sign::Less,
            Sign::GreaterEqual => Sign::LessEqual,
            same => same,
        };
        return Some((turned, as_key(a, ty)?));
    }
    None
}

/// A string under another string type's name.
fn relabelled(e: &Expr) -> &Expr {
    match &e.kind {
        ExprKind::Coerce { arg, .. } if e.typmod < 0 && e.ty == oid::TEXT && arg.ty == oid::VARCHAR => arg,
        _ => e,
    }
}

/// `value` as a key of type `ty`.
fn as_key(value: &Expr, ty: Oid) -> Option<Expr> {
    let strings = |ty: Oid| matches!(ty, oid::TEXT | oid::VARCHAR);
    if value.ty == ty || (strings(value.ty) && strings(ty)) {
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
