//! How a table's rows are found: all of them, or those that an index lists.

use std::sync::Arc;

use plan::counter::Fetches;
use plan::{Bits, Bound, CallForm, Expr, ExprKind, IndexKey, IndexRange, Needed, Node, TableRef, TableSource};
use types::array::Array;
use types::compare::Sign;
use types::{Datum, Oid, oid};

use crate::bitmap;
use crate::estimate::{ROW, bitmap_cost, estimate, index_cost, table_columns};
use crate::prefix;
use crate::statistics::{Statistics, Way};

/// A table, and which of its columns are needed.
pub type Of<'t> = (&'t Arc<TableRef>, &'t Needed);

/// The scan of a table for rows that satisfy `predicates`.
pub fn scan((table, needed): (Arc<TableRef>, Needed), predicates: Vec<Expr>, s: &dyn Statistics) -> Node {
    let whole = |table: Arc<TableRef>, predicates: Vec<Expr>| Node::Scan {
        table,
        filter: Expr::all(predicates),
        needed: needed.clone(),
    };
    if table.source != TableSource::Stored || predicates.is_empty() || table.indexes.is_empty() {
        return whole(table, predicates);
    }
    let of = (&table, &needed);
    let listed = |range: &IndexRange| index_scan(of, range.clone(), predicates.clone(), s);
    let ranges = ranges(&table, &predicates);
    // Each column that is determined counts for more than any bound.
    let score = |range: &IndexRange| {
        let unique = range.is_single(&table);
        let bounds = usize::from(range.low.is_some()) + usize::from(range.high.is_some());
        8 * range.equal.len() + 4 * usize::from(range.any.is_some()) + bounds + if unique { 64 } else { 0 }
    };
    let best = ranges.iter().map(|r| (score(r), r)).rev().max_by_key(|r| r.0);
    // One row, or a range whose values are not known yet when planning: that is taken to be selective.
    if let Some((score, range)) = best
        && (score >= 64 || !is_known(range))
        && s.allows(way(&table, range, &needed, s))
    {
        return listed(range);
    }
    let mut best = whole(table.clone(), predicates.clone());
    let (mut cost, mut allowed) = (estimate(&best, s).cost, s.allows(Way::SeqScan));
    let mut offer = |node: Node, way: Way| {
        let (own, is_allowed) = (estimate(&node, s).cost, s.allows(way));
        if (is_allowed, -own) > (allowed, -cost) {
            (best, cost, allowed) = (node, own, is_allowed);
        }
    };
    for range in &ranges {
        offer(listed(range), way(&table, range, &needed, s));
    }
    for bits in bitmap::choices(&table, &ranges, &predicates, s) {
        offer(bitmap_scan(of, bits, predicates.clone()), Way::BitmapScan);
    }
    best
}

/// The ranges that `predicates` leave of the indexes of `table`.
pub fn ranges(table: &TableRef, predicates: &[Expr]) -> Vec<IndexRange> {
    let one = |index| range(table, index, predicates).or_else(|| part(table, index, predicates));
    (0..table.indexes.len()).filter_map(one).collect()
}

/// The scan of a range of an index, whose rows must satisfy `predicates`.
pub fn index_scan((table, needed): Of<'_>, range: IndexRange, predicates: Vec<Expr>, s: &dyn Statistics) -> Node {
    let only = is_covered(table, range.index, needed, s).then(Fetches::default);
    let rest = predicates.into_iter().filter(|p| !range.implied.contains(p)).collect();
    Node::IndexScan { table: table.clone(), range, filter: Expr::all(rest), needed: needed.clone(), only }
}

/// What a scan of `range` is.
pub fn way(table: &TableRef, range: &IndexRange, needed: &Needed, s: &dyn Statistics) -> Way {
    if is_covered(table, range.index, needed, s) { Way::IndexOnlyScan } else { Way::IndexScan }
}

/// Whether the entries of an index tell all columns that are needed, the row's id last, and shall.
pub fn is_covered(table: &TableRef, index: usize, needed: &Needed, s: &dyn Statistics) -> bool {
    let key = &table.indexes[index];
    let told = |(column, &wanted): (usize, &bool)| {
        !wanted || (column < table.columns.len() && key.place_of(column, &table.columns).is_some())
    };
    let covers = needed.0.as_ref().is_some_and(|w| w.iter().enumerate().all(told));
    // PostgreSQL's hash indexes keep no keys.
    covers && !key.hash && s.allows(Way::IndexOnlyScan)
}

/// The scan of rows that several ranges find, which must satisfy `predicates`.
pub fn bitmap_scan((table, needed): Of<'_>, bits: Bits, predicates: Vec<Expr>) -> Node {
    Node::BitmapScan { table: table.clone(), bits, filter: Expr::all(predicates), needed: needed.clone() }
}

/// The table that `node` scans, and what it asks of its rows.
pub fn scanned(node: &Node) -> Option<(Of<'_>, Vec<Expr>)> {
    let (table, needed, filters): (_, _, Vec<Expr>) = match node {
        Node::Scan { table, filter, needed } | Node::BitmapScan { table, filter, needed, .. } => {
            (table, needed, filter.iter().cloned().collect())
        }
        Node::IndexScan { table, range, filter, needed, .. } => {
            (table, needed, filter.iter().chain(range.implied.iter()).cloned().collect())
        }
        _ => return None,
    };
    let mut list = Vec::new();
    filters.into_iter().for_each(|f| f.conjuncts(&mut list));
    (table.source == TableSource::Stored).then_some(((table, needed), list))
}

/// Whether what values the ends of a range have can make a difference to [`is_worth`].
pub fn depends_on_values(table: &TableRef, range: &IndexRange, s: &dyn Statistics) -> bool {
    let key = &table.indexes[range.index];
    let bounded = range.any.is_some() || range.low.is_some() || range.high.is_some();
    let used = range.equal.len() + usize::from(bounded);
    // Without statistics all values are taken to be alike.
    !range.is_single(table) && key.columns[..used].iter().any(|k| s.column(table.oid, k.0).is_some())
}

/// Whether reading a range of an index, in one of the ways that there are, is less work than reading the table. What is not known yet when
/// planning is taken to be selective.
pub fn is_worth(table: &TableRef, range: &IndexRange, way: Way, s: &dyn Statistics) -> bool {
    if !is_known(range) {
        return true;
    }
    let (rows, pages) = s.size(table);
    let columns = table_columns(table, rows, s);
    let cost = match way {
        Way::BitmapScan => bitmap_cost(table, &Bits::Range(range.clone()), (rows, pages), &columns),
        _ => index_cost(table, range, way == Way::IndexOnlyScan, rows, &columns),
    };
    cost <= pages + rows * ROW
}

/// Whether all values that decide what is in a range are known.
fn is_known(range: &IndexRange) -> bool {
    let constant = |e: &&Expr| matches!(e.kind, ExprKind::Const(_));
    let array = |e: &Expr| match &e.kind {
        ExprKind::Array(list) => list.iter().all(|e| constant(&e)),
        _ => constant(&e),
    };
    let bounds = range.low.iter().chain(&range.high).map(|b| &b.value);
    range.equal.iter().chain(bounds).all(|e| constant(&e)) && range.any.as_ref().is_none_or(array)
}

/// Whether an index lists all rows that satisfy `predicates`.
pub fn lists_all(table: &TableRef, index: usize, predicates: &[Expr]) -> bool {
    table.indexes[index].predicate.as_ref().is_none_or(|p| plan::implies(predicates, p, &functions::sign))
}

/// All of an index.
pub fn whole(index: usize) -> IndexRange {
    IndexRange {
        index,
        equal: Vec::new(),
        any: None,
        low: None,
        high: None,
        not_null: false,
        backward: false,
        implied: Vec::new(),
        equals: Vec::new(),
        bounds: Vec::new(),
    }
}

/// All of a partial index that lists the rows that satisfy `predicates`.
pub fn part(table: &TableRef, index: usize, predicates: &[Expr]) -> Option<IndexRange> {
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
    let derived: Vec<Expr> = predicates.iter().flat_map(prefix::bounds).collect();
    for (place, &(column, descending, _)) in key.columns.iter().enumerate() {
        let ty = key.key_type(place, &table.columns);
        let tests: Vec<(Sign, Expr, &Expr)> = predicates
            .iter()
            .chain(&derived)
            .filter_map(|p| test(p, column, key.expr(place), ty).map(|(sign, value)| (sign, value, p)))
            .collect();
        // Equal keys are equal values; floats and numerics have several forms of one value, so they are looked at again.
        let exact = !matches!(ty, oid::FLOAT4 | oid::FLOAT8 | oid::NUMERIC);
        if let Some((_, value, predicate)) = tests.iter().find(|t| t.0 == Sign::Equal) {
            range.equal.push(value.clone());
            range.equals.push((*predicate).clone());
            if exact && predicates.contains(predicate) {
                range.implied.push((*predicate).clone());
            }
            continue;
        }
        let is_null = |p: &&Expr| matches!(&p.kind, ExprKind::IsNull(e) if is_key(e, column, key.expr(place)));
        if let Some(predicate) = predicates.iter().find(is_null).filter(|_| !key.hash) {
            range.equal.push(Expr::null(ty));
            range.equals.push(predicate.clone());
            range.implied.push(predicate.clone());
            continue;
        }
        let listed = |p: &Expr| values(p, column, key.expr(place), ty);
        if let Some(((array, shown), predicate)) = predicates.iter().find_map(|p| Some((listed(p)?, p))) {
            range.any = Some(array);
            if exact {
                range.implied.push(predicate.clone());
            }
            range.equals.push(if exact { shown } else { predicate.clone() });
            break;
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
        let is_there = |p: &&Expr| match &p.kind {
            ExprKind::Not(e) => is_null(&&**e),
            _ => false,
        };
        if let Some(predicate) = predicates.iter().find(is_there).filter(|_| !key.hash) {
            range.not_null = true;
            range.bounds.push(predicate.clone());
            range.implied.push(predicate.clone());
        }
        break;
    }
    note_listed(key, predicates, &mut range);
    (!range.is_whole()).then_some(range)
}

/// Notes what all rows that a partial index lists satisfy.
fn note_listed(key: &IndexKey, predicates: &[Expr], range: &mut IndexRange) {
    let Some(condition) = &key.predicate else { return };
    for p in predicates {
        if !range.implied.contains(p) && plan::implies(std::slice::from_ref(condition), p, &functions::sign) {
            range.implied.push(p.clone());
        }
    }
}

/// Whether `e` is `column`, or what `expr`, which stands for it, is.
pub fn is_key(e: &Expr, column: usize, expr: Option<&Expr>) -> bool {
    match (expr, &relabelled(e).kind) {
        (Some(expr), _) => expr.same(e) || expr.same(relabelled(e)),
        (None, ExprKind::Column(i)) => *i == column,
        _ => false,
    }
}

/// What `p` says of `column`, or of the expression that stands for it, of type `ty`, compared with a value known before the scan.
fn test(p: &Expr, column: usize, expr: Option<&Expr>, ty: Oid) -> Option<(Sign, Expr)> {
    let ExprKind::Call { function, args, .. } = &p.kind else { return None };
    let [a, b] = &args[..] else { return None };
    let sign = functions::sign(*function)?;
    if is_key(a, column, expr) && b.is_fixed() {
        return Some((sign, as_key(b, ty)?));
    }
    if is_key(b, column, expr) && a.is_fixed() {
        return Some((sign.turned(), as_key(a, ty)?));
    }
    None
}

/// The array one of whose values `p` asks of `column`, or of the expression that stands for it, of type `ty`; and `p` as it is shown.
fn values(p: &Expr, column: usize, expr: Option<&Expr>, ty: Oid) -> Option<(Expr, Expr)> {
    match &p.kind {
        ExprKind::AnyArray { all: false, function, args, .. } => {
            let [value, array] = &**args;
            let strings = |ty: Oid| matches!(ty, oid::TEXT | oid::VARCHAR);
            let integers = |ty: Oid| matches!(ty, oid::INT2 | oid::INT4 | oid::INT8);
            let fits = value.ty == ty && (!integers(ty) || is_integers(array.ty)) || (strings(value.ty) && strings(ty));
            let equal = functions::sign(*function) == Some(Sign::Equal);
            (equal && fits && is_key(value, column, expr) && array.is_fixed()).then(|| (array.clone(), p.clone()))
        }
        // `x IN (1, 2)`.
        ExprKind::Or(arms) => {
            let ExprKind::Call { function, args, form: CallForm::Operator(operator) } = &arms.first()?.kind else {
                return None;
            };
            let (value, element) = (args.first()?.clone(), args.get(1)?.ty);
            let one = |arm: &Expr| match test(arm, column, expr, ty)? {
                (Sign::Equal, value) => Some(value),
                _ => None,
            };
            let list = arms.iter().map(one).collect::<Option<Vec<Expr>>>()?;
            let array = catalog::builtin::type_by_oid(element).map(|t| t.array).filter(|a| !a.is_none())?;
            let datum = |e: &Expr| match &e.kind {
                ExprKind::Const(d) => Some(d.clone()),
                _ => None,
            };
            let shown = match list.iter().map(datum).collect::<Option<Vec<Datum>>>() {
                Some(values) => ExprKind::Const(Array::one_dimensional(ty, values).to_datum()),
                None => ExprKind::Array(list.clone()),
            };
            let (function, operator) = (*function, *operator);
            let args = Box::new([value, Expr::new(shown, array, 0)]);
            let array = Expr::new(ExprKind::Array(list), array, 0);
            let kind = ExprKind::AnyArray { all: false, function, operator, args };
            Some((array, Expr::new(kind, oid::BOOL, p.position)))
        }
        _ => None,
    }
}

/// Whether `ty` is an array of integers of any width: their values can be looked for in an index on integers of another.
fn is_integers(ty: Oid) -> bool {
    matches!(ty, oid::INT2_ARRAY | oid::INT4_ARRAY | oid::INT8_ARRAY)
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
