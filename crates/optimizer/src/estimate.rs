//! How many rows a plan yields, how many different values they hold, and what yielding them costs.
//!
//! Costs are in units of reading a row 100 times from a page that is in memory, so that they are of PostgreSQL's size.

use std::sync::Arc;

use plan::{Bits, Expr, ExprKind, JoinKind, Node, SetKind, TableRef};
use types::{Datum, Oid, Physical, oid};

use crate::selectivity;
use crate::statistics::{ColumnStatistics, Statistics};

/// What is known of a column.
#[derive(Clone, Debug)]
pub struct ColumnEstimate {
    /// Its type.
    pub ty: Oid,
    /// How many different values.
    pub distinct: f64,
    /// Which part is NULL.
    pub null_fraction: f64,
    /// Bytes of a value.
    pub width: f64,
    /// What ANALYZE found.
    pub statistics: Option<Arc<ColumnStatistics>>,
    /// How many rows its table has; 0 where it is of none.
    pub table_rows: f64,
}

impl ColumnEstimate {
    /// How many different values all rows of its table have, if that is known.
    fn all_distinct(&self) -> f64 {
        self.statistics.as_ref().map_or(f64::MAX, |s| if s.distinct > 0.0 { s.distinct } else { f64::MAX })
    }
}

/// What is expected of a plan.
#[derive(Clone, Debug, Default)]
pub struct Estimate {
    /// Rows it yields.
    pub rows: f64,
    /// What the first row costs.
    pub startup: f64,
    /// What all rows cost.
    pub cost: f64,
    /// Its columns.
    pub columns: Vec<ColumnEstimate>,
}

pub(crate) const ROW: f64 = 0.01;
pub(crate) const OPERATOR: f64 = 0.0025;
pub(crate) const BUILD: f64 = 0.025;
pub(crate) const PROBE: f64 = 0.0125;
/// Finding the first entry of an index, and each row that it lists.
pub(crate) const DESCENT: f64 = 0.6;
pub(crate) const ENTRY: f64 = 0.25;
/// The same where the entry answers alone.
const ENTRY_ONLY: f64 = 0.06;

/// How many bytes a value of type `ty` is taken for.
fn default_width(ty: Oid) -> f64 {
    match Physical::of(ty) {
        Physical::Bool | Physical::I8 => 1.0,
        Physical::I16 => 2.0,
        Physical::I32 | Physical::U32 | Physical::F32 => 4.0,
        Physical::I64 | Physical::F64 => 8.0,
        Physical::B16 => 16.0,
        Physical::Var => 32.0,
    }
}

fn unknown(ty: Oid, rows: f64) -> ColumnEstimate {
    let distinct = if ty == oid::BOOL { 2.0 } else { rows.clamp(1.0, 200.0) };
    ColumnEstimate { ty, distinct, null_fraction: 0.0, width: default_width(ty), statistics: None, table_rows: 0.0 }
}

/// So many rows that are written down; a single one is a result.
fn values(rows: usize, types: &[Oid]) -> Estimate {
    let n = rows as f64;
    let columns = types.iter().map(|&t| unknown(t, n)).collect();
    let cost = if rows == 1 { 0.01 } else { n * OPERATOR * 5.0 };
    Estimate { rows: n, startup: 0.0, cost, columns }
}

/// The columns of `table`, its row id last, when it has `rows`.
pub(crate) fn table_columns(table: &TableRef, rows: f64, statistics: &dyn Statistics) -> Vec<ColumnEstimate> {
    let column = |(i, c): (usize, &plan::Column)| {
        let unique = table
            .indexes
            .iter()
            .any(|k| k.unique && k.predicate.is_none() && k.columns.len() == 1 && k.columns[0].0 == i);
        let Some(s) = statistics.column(table.oid, i) else {
            let mut column = unknown(c.ty, rows);
            if unique {
                column.distinct = rows.max(1.0);
            }
            return column;
        };
        let distinct = if s.distinct < 0.0 { -s.distinct * rows } else { s.distinct };
        ColumnEstimate {
            ty: c.ty,
            distinct: if distinct > 0.0 { distinct.max(1.0) } else { rows.clamp(1.0, 200.0) },
            null_fraction: s.null_fraction,
            width: f64::from(s.width),
            statistics: Some(s),
            table_rows: rows,
        }
    };
    let mut columns: Vec<ColumnEstimate> = table.columns.iter().enumerate().map(column).collect();
    columns.push(ColumnEstimate {
        ty: oid::TID,
        distinct: rows.max(1.0),
        null_fraction: 0.0,
        width: 8.0,
        statistics: None,
        table_rows: rows,
    });
    columns
}

/// How many of `distinct` values are left among `rows` of `all`.
fn left_of(distinct: f64, all: f64, rows: f64) -> f64 {
    if rows >= all || all <= 0.0 {
        return distinct;
    }
    let each = all / distinct.max(1.0);
    (distinct * (1.0 - (1.0 - rows / all).powf(each))).clamp(1.0, distinct.max(1.0))
}

pub(crate) fn shrink(columns: &mut [ColumnEstimate], all: f64, rows: f64) {
    columns.iter_mut().for_each(|c| c.distinct = left_of(c.distinct, all, rows).min(rows.max(1.0)));
}

/// The part that has one value of an expression, about which nothing is kept either.
const EXPRESSION: f64 = 0.005;

/// The rows that a range of an index holds, of `rows`.
pub(crate) fn range_rows(table: &TableRef, range: &plan::IndexRange, rows: f64, columns: &[ColumnEstimate]) -> f64 {
    let index = &table.indexes[range.index];
    if range.is_single(table) {
        return 1.0f64.min(rows);
    }
    let value = |e: &Expr| match &e.kind {
        ExprKind::Const(d) => Some(d.clone()),
        _ => None,
    };
    // What a partial index lists; its keys may say it already.
    let mut part: f64 = match &index.predicate {
        Some(p) if !plan::implies(&[&range.equals[..], &range.bounds].concat(), p, &functions::sign) => {
            selectivity::one(p, columns)
        }
        _ => 1.0,
    };
    for (e, key) in range.equal.iter().zip(&index.columns) {
        part *= match (columns.get(key.0), value(e)) {
            (Some(c), Some(Datum::Null)) => c.null_fraction.max(1e-6),
            (Some(c), value) => selectivity::equal(c, value.as_ref()),
            (None, _) => EXPRESSION,
        };
    }
    if range.any.is_some()
        && let Some(p) = range.equals.last()
    {
        part *= if index.exprs.is_empty() { selectivity::one(p, columns) } else { 10.0 * EXPRESSION };
    }
    if !range.bounds.is_empty() {
        let bounds: Vec<&Expr> = range.bounds.iter().collect();
        part *= selectivity::all(bounds, columns);
    }
    (rows * part).max(1.0).min(rows.max(1.0))
}

/// How often an index is descended for a range.
fn descents(range: &plan::IndexRange) -> f64 {
    match range.any.as_ref().map(|e| &e.kind) {
        None => 1.0,
        Some(ExprKind::Array(list)) => list.len() as f64,
        Some(ExprKind::Const(d @ Datum::Var(_))) => types::array::Array::from_datum(d).values.len() as f64,
        Some(_) => 10.0,
    }
}

/// Reading an entry for nothing but its row's id, and putting that in its place.
const ID: f64 = 0.05;
/// Going to a page for some of its rows, and reading one of them.
const VISIT: f64 = 0.3;
const PICK: f64 = 0.03;

/// The rows that `bits` hold, of `rows`, and what finding them costs.
pub(crate) fn bits_estimate(table: &TableRef, bits: &Bits, rows: f64, columns: &[ColumnEstimate]) -> (f64, f64) {
    match bits {
        Bits::Range(range) => {
            let listed = range_rows(table, range, rows, columns);
            (listed, descents(range) * DESCENT + listed * ID)
        }
        Bits::And(list) | Bits::Or(list) => {
            let parts: Vec<(f64, f64)> = list.iter().map(|b| bits_estimate(table, b, rows, columns)).collect();
            let cost = parts.iter().map(|p| p.1).sum();
            let fractions = parts.iter().map(|p| (p.0 / rows.max(1.0)).min(1.0));
            let part = match bits {
                Bits::And(_) => fractions.product::<f64>(),
                _ => 1.0 - fractions.map(|f| 1.0 - f).product::<f64>(),
            };
            ((rows * part).max(1.0), cost)
        }
    }
}

/// What each entry costs; whether it answers alone.
pub(crate) fn entry_cost(only: bool) -> f64 {
    if only { ENTRY_ONLY } else { ENTRY }
}

/// Reading the rows that a range of an index lists, of a table of `rows`; whether it is read `only`.
pub(crate) fn index_cost(
    table: &TableRef,
    range: &plan::IndexRange,
    only: bool,
    rows: f64,
    columns: &[ColumnEstimate],
) -> f64 {
    descents(range) * DESCENT + range_rows(table, range, rows, columns) * entry_cost(only)
}

/// Reading the rows of a set of ids, of a table of so many rows and pages.
pub(crate) fn bitmap_cost(table: &TableRef, bits: &Bits, (rows, pages): (f64, f64), columns: &[ColumnEstimate]) -> f64 {
    let (listed, finding) = bits_estimate(table, bits, rows, columns);
    finding + pages_of(listed, rows, pages) * VISIT + listed * (PICK + ROW)
}

/// What is expected of a set of row ids: how many, and what finding them costs.
pub fn estimate_bits(table: &TableRef, bits: &Bits, s: &dyn Statistics) -> (f64, f64) {
    let (rows, _) = s.size(table);
    bits_estimate(table, bits, rows, &table_columns(table, rows, s))
}

/// Of `pages`, how many `picked` of `rows` rows are on, when they are anywhere.
fn pages_of(picked: f64, rows: f64, pages: f64) -> f64 {
    let each = (rows / pages.max(1.0)).max(1.0);
    (pages * (1.0 - (1.0 - (picked / rows.max(1.0)).min(1.0)).powf(each))).clamp(1.0, pages.max(1.0))
}

fn exprs_cost<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> f64 {
    let mut count = 0.0;
    for e in exprs {
        e.visit(&mut |e| match e.kind {
            ExprKind::Subquery(_) => count += 100.0,
            ExprKind::Column(_) | ExprKind::Const(_) | ExprKind::Slot(_) | ExprKind::Param(_) => {}
            _ => count += 1.0,
        });
    }
    count * OPERATOR
}

/// Which part of the pairs of two inputs satisfies these equalities.
pub(crate) fn equal_part(pairs: &[(&ColumnEstimate, &ColumnEstimate)], left_rows: f64, right_rows: f64) -> f64 {
    match pairs {
        [] => 1.0,
        [(l, r)] => 1.0 / l.distinct.max(r.distinct).max(1.0),
        _ => {
            let product = |side: &dyn Fn(&(&ColumnEstimate, &ColumnEstimate)) -> f64| -> f64 {
                pairs.iter().map(side).product::<f64>().max(1.0)
            };
            let (l, r) = (product(&|p| p.0.distinct), product(&|p| p.1.distinct));
            // What a filter has left of a key is still a key of its table's rows.
            let table = |rows: f64, side: &dyn Fn(&(&ColumnEstimate, &ColumnEstimate)) -> f64| -> f64 {
                pairs.iter().map(side).fold(rows, f64::max)
            };
            // Columns that together have more values than there are rows are a key, of the smaller side.
            match (l > left_rows, r > right_rows) {
                (true, true) => {
                    let all = table(left_rows, &|p| p.0.table_rows).min(table(right_rows, &|p| p.1.table_rows));
                    1.0 / all.max(1.0)
                }
                (true, false) => 1.0 / r.max(1.0),
                (false, true) => 1.0 / l.max(right_rows.min(l.max(1.0))).max(1.0),
                (false, false) => 1.0 / l.max(r),
            }
        }
    }
}

/// The estimate of an expression over `columns`.
pub(crate) fn expr_column(e: &Expr, columns: &[ColumnEstimate], rows: f64) -> ColumnEstimate {
    match &e.kind {
        ExprKind::Column(i) if *i < columns.len() => columns[*i].clone(),
        ExprKind::Coerce { arg, .. } if e.typmod < 0 => ColumnEstimate { ty: e.ty, ..expr_column(arg, columns, rows) },
        ExprKind::Const(_) => ColumnEstimate { distinct: 1.0, ..unknown(e.ty, rows) },
        _ => {
            let mut distinct: f64 = 1.0;
            e.visit(&mut |e| {
                if let ExprKind::Column(i) = e.kind
                    && let Some(c) = columns.get(i)
                {
                    distinct *= c.distinct;
                }
            });
            if let ExprKind::Call { function, .. } = &e.kind
                && catalog::builtin::proc_by_oid(*function).is_some_and(|p| matches!(p.name, "extract" | "date_part"))
            {
                distinct = distinct.min(60.0);
            }
            ColumnEstimate { distinct: distinct.clamp(1.0, rows.max(1.0)), ..unknown(e.ty, rows) }
        }
    }
}

/// How many groups `groups` make of `rows`.
pub(crate) fn group_count(groups: &[ColumnEstimate], rows: f64) -> f64 {
    if groups.is_empty() {
        return 1.0;
    }
    let product: f64 = groups.iter().map(|g| g.distinct.max(1.0)).product();
    left_of(product, product.max(rows), rows).min(rows.max(1.0)).min(product).max(1.0)
}

pub(crate) fn constant_count(e: Option<&Expr>) -> Option<f64> {
    match e.map(|e| &e.kind) {
        Some(ExprKind::Const(Datum::I64(n))) => Some((*n).max(0) as f64),
        _ => None,
    }
}

/// What is expected of a join of `l` and `r` by equalities.
fn equal_join_estimate(
    kind: plan::JoinKind,
    l: &Estimate,
    r: &Estimate,
    equal: &[(Expr, Expr, types::Oid)],
    condition: Option<&Expr>,
) -> Estimate {
    let keys: Vec<(ColumnEstimate, ColumnEstimate)> =
        equal.iter().map(|e| (expr_column(&e.0, &l.columns, l.rows), expr_column(&e.1, &r.columns, r.rows))).collect();
    let keys: Vec<(&ColumnEstimate, &ColumnEstimate)> = keys.iter().map(|k| (&k.0, &k.1)).collect();
    let part = equal_part(&keys, l.rows, r.rows);
    join_estimate(kind, l, r, (part, &keys), condition)
}

/// What is expected of `node`.
pub fn estimate(node: &Node, s: &dyn Statistics) -> Estimate {
    match node {
        Node::Values { rows, types } => values(rows.len(), types),
        Node::Constants { rows, types } => values(rows.rows, types),
        Node::Scan { table, filter, .. } => {
            let (all, pages) = s.size(table);
            let mut columns = table_columns(table, all, s);
            let rows = match filter {
                Some(f) => {
                    let mut list = Vec::new();
                    f.clone().conjuncts(&mut list);
                    (all * selectivity::all(&list, &columns)).max(1.0)
                }
                None => all,
            };
            shrink(&mut columns, all, rows);
            let cost = pages + all * (ROW + exprs_cost(filter));
            Estimate { rows, startup: 0.0, cost, columns }
        }
        Node::IndexScan { table, range, filter, only, .. } => {
            let (all, _) = s.size(table);
            let mut columns = table_columns(table, all, s);
            let listed = range_rows(table, range, all, &columns);
            let cost = index_cost(table, range, only.is_some(), all, &columns) + listed * exprs_cost(filter);
            let rows = match filter {
                Some(f) => {
                    let mut list = Vec::new();
                    f.clone().conjuncts(&mut list);
                    let told: Vec<Expr> = range.bounds.iter().chain(&range.equals).cloned().collect();
                    list.retain(|p| !range.bounds.contains(p) && !crate::prefix::is_told_by(p, &told));
                    (listed * selectivity::all(&list, &columns)).max(1.0)
                }
                None => listed,
            };
            shrink(&mut columns, all, rows);
            Estimate { rows, startup: DESCENT / 2.0, cost, columns }
        }
        Node::BitmapScan { table, bits, filter, .. } => {
            let (all, pages) = s.size(table);
            let mut columns = table_columns(table, all, s);
            let (listed, startup) = bits_estimate(table, bits, all, &columns);
            let reading = bitmap_cost(table, bits, (all, pages), &columns);
            let mut list = Vec::new();
            filter.iter().for_each(|f| f.clone().conjuncts(&mut list));
            let rows = (all * selectivity::all(&list, &columns)).max(1.0).min(listed);
            shrink(&mut columns, all, rows);
            let cost = reading + listed * exprs_cost(&list);
            Estimate { rows, startup, cost, columns }
        }
        Node::FunctionScan { function, routine, .. } => {
            let rows = match catalog::builtin::proc_by_oid(*function) {
                _ if routine.as_ref().is_some_and(|r| r.returns_set) => 1000.0,
                Some(p) if p.returns_set => 1000.0,
                _ => 1.0,
            };
            let columns = node.types().into_iter().map(|t| unknown(t, rows)).collect();
            Estimate { rows, startup: 0.0, cost: rows * ROW, columns }
        }
        Node::Filter { input, predicate } => {
            let mut e = estimate(input, s);
            let mut list = Vec::new();
            predicate.clone().conjuncts(&mut list);
            e.cost += e.rows * exprs_cost(&list);
            let rows = (e.rows * selectivity::all(&list, &e.columns)).max(1.0);
            shrink(&mut e.columns, e.rows, rows);
            e.rows = rows;
            e
        }
        Node::Project { input, exprs } | Node::ProjectSet { input, exprs } => {
            let mut e = estimate(input, s);
            e.columns = exprs.iter().map(|x| expr_column(x, &e.columns, e.rows)).collect();
            e.cost += e.rows * exprs_cost(exprs);
            if matches!(node, Node::ProjectSet { .. }) {
                e.rows *= 1000.0;
            }
            e
        }
        Node::Join { kind, left, right, equal, condition } => {
            let (l, r) = (estimate(left, s), estimate(right, s));
            let mut e = equal_join_estimate(*kind, &l, &r, equal, condition.as_ref());
            let (left, right) = (l.bytes(), r.bytes());
            if !equal.is_empty() && right > 2.0 * s.work_bytes() {
                // Both are dealt out to lists first.
                let pages = 2.0 * (left + right) / 8192.0;
                (e.startup, e.cost) = (e.startup + pages, e.cost + pages);
            }
            e
        }
        Node::MergeJoin { kind, left, right, equal, condition } => {
            let (l, r) = (estimate(left, s), estimate(right, s));
            let mut e = equal_join_estimate(*kind, &l, &r, equal, condition.as_ref());
            e.cost += (l.rows + r.rows) * (MERGE * equal.len() as f64) - r.rows * BUILD - l.rows * PROBE;
            e.startup = l.startup + r.startup;
            e
        }
        Node::Apply { kind, left, right, condition, .. } => {
            let (l, r) = (estimate(left, s), estimate(right, s));
            let mut e = join_estimate(*kind, &l, &Estimate { cost: 0.0, ..r.clone() }, (1.0, &[]), condition.as_ref());
            e.cost = l.cost + l.rows * r.cost + e.rows * ROW;
            e.startup = l.startup + r.startup;
            // Each run of the right has a few values, all runs have more.
            for (column, each) in e.columns.iter_mut().skip(l.columns.len()).zip(&r.columns) {
                column.distinct = (each.distinct * l.rows).min(each.all_distinct()).min(e.rows).max(1.0);
            }
            e
        }
        Node::Aggregate { input, groups, calls } => {
            let e = estimate(input, s);
            let keys: Vec<ColumnEstimate> = groups.iter().map(|g| expr_column(g, &e.columns, e.rows)).collect();
            let rows = group_count(&keys, e.rows);
            let args = exprs_cost(calls.iter().flat_map(|c| &c.args));
            let each = args + groups.len() as f64 * OPERATOR + calls.len() as f64 * OPERATOR;
            let startup = e.cost + e.rows * each;
            let mut columns: Vec<ColumnEstimate> =
                keys.into_iter().map(|k| ColumnEstimate { distinct: k.distinct.min(rows), ..k }).collect();
            columns.extend(calls.iter().map(|c| ColumnEstimate { distinct: rows, ..unknown(c.ty, rows) }));
            Estimate { rows, startup, cost: startup + rows * ROW, columns }
        }
        Node::GroupAggregate { input, groups, calls } => {
            let e = estimate(input, s);
            let keys: Vec<ColumnEstimate> = groups.iter().map(|g| expr_column(g, &e.columns, e.rows)).collect();
            let rows = group_count(&keys, e.rows);
            let each = exprs_cost(calls.iter().flat_map(|c| &c.args)) + (groups.len() + calls.len()) as f64 * OPERATOR;
            let mut columns: Vec<ColumnEstimate> =
                keys.into_iter().map(|k| ColumnEstimate { distinct: k.distinct.min(rows), ..k }).collect();
            columns.extend(calls.iter().map(|c| ColumnEstimate { distinct: rows, ..unknown(c.ty, rows) }));
            Estimate { rows, startup: e.startup, cost: e.cost + e.rows * each + rows * ROW, columns }
        }
        Node::GroupingSets { input, groups, sets } => {
            let e = estimate(input, s);
            let rows = e.rows * sets.len() as f64;
            let mut columns = e.columns.clone();
            columns.extend(groups.iter().map(|g| expr_column(g, &e.columns, e.rows)));
            columns.extend([unknown(oid::INT4, sets.len() as f64), unknown(oid::BOOL, 1.0)]);
            Estimate { rows, startup: e.startup, cost: e.cost + rows * ROW, columns }
        }
        Node::Window { input, calls, .. } => {
            let mut e = estimate(input, s);
            e.columns.extend(calls.iter().map(|c| unknown(c.ty, e.rows)));
            e.cost += e.rows * (ROW + OPERATOR * calls.len() as f64);
            e
        }
        Node::Sort { input, .. } => sorted(estimate(input, s), None, s),
        Node::IncrementalSort { input, keys, presorted } => {
            let e = estimate(input, s);
            let first: Vec<ColumnEstimate> =
                keys[..*presorted].iter().map(|k| expr_column(&k.expr, &e.columns, e.rows)).collect();
            let sections = group_count(&first, e.rows).min(e.rows / 32.0).max(1.0);
            let run = (e.cost - e.startup) / sections;
            let each = Estimate { rows: e.rows / sections, startup: 0.0, cost: run, columns: e.columns.clone() };
            let each = sorted(each, None, s);
            let startup = e.startup + each.startup;
            let cost = e.startup + sections * each.cost + e.rows * OPERATOR;
            Estimate { startup, cost, ..e }
        }
        Node::Unique { input, on } => {
            let mut e = estimate(input, s);
            let keys: Vec<ColumnEstimate> = on.iter().map(|&i| e.columns[i].clone()).collect();
            let rows = group_count(&keys, e.rows);
            e.cost += e.rows * keys.len() as f64 * OPERATOR;
            shrink(&mut e.columns, e.rows, rows);
            e.rows = rows;
            e
        }
        Node::Distinct { input, on } => {
            let mut e = estimate(input, s);
            let keys: Vec<ColumnEstimate> = match on {
                Some(on) => on.iter().map(|&i| e.columns[i].clone()).collect(),
                None => e.columns.clone(),
            };
            let rows = group_count(&keys, e.rows);
            e.cost += e.rows * keys.len() as f64 * OPERATOR + rows * ROW;
            shrink(&mut e.columns, e.rows, rows);
            e.rows = rows;
            e
        }
        Node::Limit { input, count, offset, .. } => {
            let skipped = constant_count(offset.as_ref()).unwrap_or(0.0);
            let few = constant_count(count.as_ref()).map(|count| count + skipped);
            let mut e = match &**input {
                Node::Sort { input, .. } => sorted(estimate(input, s), few, s),
                _ => estimate(input, s),
            };
            let skip = constant_count(offset.as_ref()).unwrap_or(0.0).min(e.rows);
            let take = match count {
                Some(c) => constant_count(Some(c)).unwrap_or(e.rows * 0.1).min(e.rows - skip).max(0.0),
                None => e.rows - skip,
            };
            if e.rows > 0.0 {
                e.cost = e.startup + (e.cost - e.startup) * ((skip + take) / e.rows).min(1.0);
            }
            e.rows = take.max(1.0);
            e
        }
        Node::SetOp { kind, all, left, right } => {
            let (l, r) = (estimate(left, s), estimate(right, s));
            let (rows, cost) = match (kind, all) {
                (SetKind::Union, true) => (l.rows + r.rows, l.cost + r.cost),
                (SetKind::Union, false) => (l.rows + r.rows, l.cost + r.cost + (l.rows + r.rows) * BUILD),
                (SetKind::Intersect, _) => (l.rows.min(r.rows), l.cost + r.cost + (l.rows + r.rows) * BUILD),
                (SetKind::Except, _) => (l.rows, l.cost + r.cost + (l.rows + r.rows) * BUILD),
            };
            Estimate { rows, startup: l.startup, cost, columns: l.columns }
        }
        Node::With { ctes, body } => {
            let mut e = estimate(body, s);
            let before: f64 = ctes.iter().map(|c| estimate(&c.1, s).cost).sum();
            e.cost += before;
            e.startup += before;
            e
        }
        Node::CteScan { types, .. } => {
            let columns = types.iter().map(|&t| unknown(t, 1000.0)).collect();
            Estimate { rows: 1000.0, startup: 0.0, cost: 1000.0 * ROW, columns }
        }
        Node::Recursive { base, step, .. } => {
            let (b, step) = (estimate(base, s), estimate(step, s));
            let rows = b.rows + 10.0 * step.rows;
            Estimate { rows, startup: b.startup, cost: b.cost + 10.0 * step.cost, columns: b.columns }
        }
        Node::Counted { input, .. } | Node::Gather { input, .. } => estimate(input, s),
        Node::LockRows { input, .. } => {
            let mut e = estimate(input, s);
            e.cost += e.rows * ROW;
            e
        }
        Node::Insert { input, returning, .. }
        | Node::Update { input, returning, .. }
        | Node::Delete { input, returning, .. }
        | Node::Merge { input, returning, .. } => {
            let e = estimate(input, s);
            let rows = if returning.is_some() { e.rows } else { 0.0 };
            let columns = node.types().into_iter().map(|t| unknown(t, rows)).collect();
            Estimate { rows, columns, ..e }
        }
    }
}

fn sort_cost(rows: f64) -> f64 {
    2.0 * OPERATOR * rows * rows.max(2.0).log2()
}

/// Comparing a key with that of the other side of a merge.
const MERGE: f64 = 0.02;

/// Rows in order: all of them, or the first `few`.
fn sorted(mut e: Estimate, few: Option<f64>, s: &dyn Statistics) -> Estimate {
    let few = few.filter(|&n| 2.0 * n < e.rows);
    let own = match few {
        Some(n) => 2.0 * OPERATOR * e.rows * (2.0 * n).max(2.0).log2(),
        None => sort_cost(e.rows),
    };
    let bytes = e.bytes();
    let spilled = if few.is_none() && bytes > s.work_bytes() { 2.0 * bytes / 8192.0 } else { 0.0 };
    e.startup = e.cost + own + spilled;
    e.cost = e.startup + e.rows * OPERATOR;
    e
}

/// What the first `wanted` rows of a plan cost; all of them, where none is said.
pub(crate) fn first_rows(e: &Estimate, wanted: Option<f64>) -> f64 {
    match wanted {
        Some(n) if n < e.rows => e.startup + (e.cost - e.startup) * (n / e.rows),
        _ => e.cost,
    }
}

/// The same of a sort over it.
pub(crate) fn first_sorted(input: Estimate, wanted: Option<f64>, s: &dyn Statistics) -> f64 {
    first_rows(&sorted(input, wanted, s), wanted)
}

impl Estimate {
    /// Bytes that its rows take in memory, about.
    pub fn bytes(&self) -> f64 {
        self.rows * (self.columns.iter().map(|c| c.width).sum::<f64>() + 24.0)
    }
}

/// Rows of the left that have a match: by how many of its values the right has, and by the condition on each pair.
pub(crate) fn semi_part(keys: &[(&ColumnEstimate, &ColumnEstimate)], right_rows: f64, condition: f64) -> f64 {
    let have = keys.iter().map(|(l, r)| (r.distinct / l.distinct.max(1.0)).min(1.0)).fold(1.0, f64::min);
    let groups = keys.iter().map(|k| k.1.distinct).fold(1.0, f64::max);
    let each = (right_rows / groups).max(1.0);
    (have * (1.0 - (1.0 - condition.min(1.0)).powf(each))).clamp(1e-6, 1.0)
}

fn join_estimate(
    kind: JoinKind,
    l: &Estimate,
    r: &Estimate,
    (part, keys): (f64, &[(&ColumnEstimate, &ColumnEstimate)]),
    condition: Option<&Expr>,
) -> Estimate {
    let both: Vec<ColumnEstimate> = l.columns.iter().chain(&r.columns).cloned().collect();
    let mut list = Vec::new();
    if let Some(c) = condition {
        c.clone().conjuncts(&mut list);
    }
    let rest = selectivity::all(&list, &both);
    let inner = l.rows * r.rows * part * rest;
    let rows = match kind {
        JoinKind::Inner => inner,
        JoinKind::Left => inner.max(l.rows),
        JoinKind::Right => inner.max(r.rows),
        JoinKind::Full => inner.max(l.rows).max(r.rows),
        JoinKind::Semi => l.rows * semi_part(keys, r.rows, rest),
        JoinKind::Anti => l.rows * (1.0 - semi_part(keys, r.rows, rest)),
    }
    .max(1.0);
    let pairs = if keys.is_empty() { l.rows * r.rows } else { l.rows * r.rows * part };
    let cost = l.cost
        + r.cost
        + if keys.is_empty() { 0.0 } else { r.rows * BUILD + l.rows * PROBE }
        + pairs * (OPERATOR + exprs_cost(&list))
        + rows * ROW;
    let startup = l.startup + r.cost + if keys.is_empty() { 0.0 } else { r.rows * BUILD };
    let mut columns = match kind {
        JoinKind::Semi | JoinKind::Anti => l.columns.clone(),
        _ => both,
    };
    columns.iter_mut().for_each(|c| c.distinct = c.distinct.min(rows));
    Estimate { rows, startup, cost, columns }
}
