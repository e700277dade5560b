//! Which part of the rows satisfies a predicate.

use functions::Callable;
use plan::{Expr, ExprKind};
use types::compare::Sign;
use types::{Datum, Oid, oid};

use crate::estimate::ColumnEstimate;

/// What is assumed of equality, of an order, of anything else, when nothing is known.
const EQUAL: f64 = 0.005;
const ORDER: f64 = 1.0 / 3.0;
const RANGE: f64 = 0.005;

/// Which part of rows of `columns` satisfies all of `predicates`.
pub fn all<'e>(predicates: impl IntoIterator<Item = &'e Expr>, columns: &[ColumnEstimate]) -> f64 {
    // Both ends of a range are not independent.
    let mut ranges: Vec<(usize, f64, f64, bool)> = Vec::new();
    let mut part = 1.0;
    for p in predicates {
        if let Some((column, is_low, fraction)) = bound(p, columns) {
            let known = fraction.is_some();
            let fraction = fraction.unwrap_or(ORDER);
            let at = match ranges.iter().position(|r| r.0 == column) {
                Some(at) => at,
                None => {
                    ranges.push((column, 1.0, 1.0, known));
                    ranges.len() - 1
                }
            };
            let range = &mut ranges[at];
            range.3 &= known;
            if is_low {
                range.1 = range.1.min(fraction)
            } else {
                range.2 = range.2.min(fraction)
            }
            continue;
        }
        part *= one(p, columns);
    }
    for (column, low, high, known) in ranges {
        let nulls = columns.get(column).map_or(0.0, |c| c.null_fraction);
        part *= match (low < 1.0, high < 1.0) {
            (true, true) if !known => RANGE,
            (true, true) => (low + high + nulls - 1.0).max(1e-4),
            _ => low * high,
        };
    }
    part.clamp(1e-9, 1.0)
}

/// Which part of rows of `columns` satisfies `p`.
pub fn one(p: &Expr, columns: &[ColumnEstimate]) -> f64 {
    match &p.kind {
        ExprKind::Const(Datum::Bool(true)) => 1.0,
        ExprKind::Const(_) => 1e-9,
        ExprKind::And(list) => all(list, columns),
        ExprKind::Or(list) => 1.0 - list.iter().map(|e| 1.0 - one(e, columns)).product::<f64>(),
        ExprKind::Not(e) => 1.0 - one(e, columns),
        ExprKind::IsNull(e) => column(e, columns).map_or(0.005, |c| c.null_fraction.max(1e-6)),
        ExprKind::IsBool(e, wanted) => {
            let part = one(e, columns);
            if *wanted { part } else { 1.0 - part }
        }
        ExprKind::Column(_) => match column(p, columns) {
            Some(c) => common(c, &Datum::Bool(true)).unwrap_or(0.5),
            None => 0.5,
        },
        ExprKind::AnyArray { all: every, args, function, .. } => any(*every, *function, args, columns),
        ExprKind::Call { function, args, .. } => call(*function, args, p, columns),
        ExprKind::Subquery(_) => 0.5,
        _ => 0.33,
    }
}

fn column<'c>(e: &Expr, columns: &'c [ColumnEstimate]) -> Option<&'c ColumnEstimate> {
    match &e.kind {
        ExprKind::Column(i) => columns.get(*i),
        ExprKind::Coerce { arg, .. } => column(arg, columns),
        // A change of type keeps values apart.
        ExprKind::Call { args, form: plan::CallForm::ImplicitCast, .. } if args.len() == 1 => column(&args[0], columns),
        _ => None,
    }
}

fn index_of(e: &Expr) -> Option<usize> {
    match &e.kind {
        ExprKind::Column(i) => Some(*i),
        ExprKind::Coerce { arg, .. } => index_of(arg),
        _ => None,
    }
}

fn sign(function: Oid) -> Option<Sign> {
    match functions::lookup(function)? {
        Callable::Compare(c) => Some(c.sign),
        _ => None,
    }
}

/// A bound that `p` puts to a column: which one, whether it is a lower one, and which part of all rows is within.
fn bound(p: &Expr, columns: &[ColumnEstimate]) -> Option<(usize, bool, Option<f64>)> {
    let ExprKind::Call { function, args, .. } = &p.kind else { return None };
    let [a, b] = &args[..] else { return None };
    let mut sign = sign(*function)?;
    let (index, value) = match (index_of(a), index_of(b)) {
        (Some(i), None) if b.is_fixed() => (i, b),
        (None, Some(i)) if a.is_fixed() => {
            sign = sign.turned();
            (i, a)
        }
        _ => return None,
    };
    let is_low = match sign {
        Sign::Greater | Sign::GreaterEqual => true,
        Sign::Less | Sign::LessEqual => false,
        _ => return None,
    };
    let c = columns.get(index)?;
    let fraction = match &value.kind {
        ExprKind::Const(d) => below(c, d, value.ty).map(|below| {
            let rest = 1.0 - c.null_fraction;
            (if is_low { rest - below } else { below }).clamp(1e-5, 1.0)
        }),
        _ => None,
    };
    Some((index, is_low, fraction))
}

/// Which part of all rows is less than `value`.
fn below(c: &ColumnEstimate, value: &Datum, ty: Oid) -> Option<f64> {
    let s = c.statistics.as_deref()?;
    let wanted = scalar(value, ty)?;
    let mut part: f64 =
        s.common.iter().filter(|(v, _)| scalar(v, c.ty).is_some_and(|v| v < wanted)).map(|(_, f)| f).sum();
    let bounds: Vec<f64> = s.histogram.iter().map(|v| scalar(v, c.ty)).collect::<Option<_>>()?;
    if bounds.len() > 1 {
        let rest = (1.0 - c.null_fraction - s.common.iter().map(|c| c.1).sum::<f64>()).max(0.0);
        let at = bounds.partition_point(|b| *b < wanted);
        let groups = (bounds.len() - 1) as f64;
        let within = if at == 0 {
            0.0
        } else if at == bounds.len() {
            1.0
        } else {
            let (low, high) = (bounds[at - 1], bounds[at]);
            let inside = if high > low { (wanted - low) / (high - low) } else { 0.5 };
            ((at - 1) as f64 + inside) / groups
        };
        part += rest * within;
    } else if s.common.is_empty() {
        return None;
    }
    Some(part)
}

/// A number that is ordered as the value is, near enough.
fn scalar(value: &Datum, ty: Oid) -> Option<f64> {
    const DAY: f64 = 86_400e6;
    Some(match value {
        Datum::Bool(b) => f64::from(u8::from(*b)),
        Datum::I8(v) => f64::from(*v),
        Datum::I16(v) => f64::from(*v),
        Datum::I32(v) if ty == oid::DATE => f64::from(*v) * DAY,
        Datum::I32(v) => f64::from(*v),
        Datum::U32(v) => f64::from(*v),
        Datum::I64(v) => *v as f64,
        Datum::F32(v) => f64::from(*v),
        Datum::F64(v) => *v,
        Datum::Var(bytes) if ty == oid::NUMERIC => match types::numeric::Numeric::small_parts(bytes) {
            Some((n, scale)) => n as f64 / 10f64.powi(i32::from(scale)),
            None => types::io::to_text(ty, value, &types::IoSettings::default()).ok()?.parse().ok()?,
        },
        Datum::Var(bytes) => {
            bytes
                .iter()
                .take(12)
                .fold((0.0, 1.0), |(sum, unit), b| {
                    let unit: f64 = unit / 256.0;
                    (sum + f64::from(*b) * unit, unit)
                })
                .0
        }
        _ => return None,
    })
}

/// The part of rows that have `value`, if it is a common one.
fn common(c: &ColumnEstimate, value: &Datum) -> Option<f64> {
    c.statistics.as_deref()?.common.iter().find(|(v, _)| same(c, v, value)).map(|(_, f)| *f)
}

fn same(c: &ColumnEstimate, a: &Datum, b: &Datum) -> bool {
    a == b
        || (c.ty == oid::BPCHAR && trimmed(a) == trimmed(b))
        || (is_number(c.ty) && scalar(a, c.ty) == scalar(b, c.ty))
}

fn trimmed(d: &Datum) -> Option<&str> {
    d.as_str().map(|s| s.trim_end_matches(' '))
}

fn is_number(ty: Oid) -> bool {
    matches!(ty, oid::NUMERIC | oid::INT2 | oid::INT4 | oid::INT8)
}

/// The part of rows whose column is `value`; `None` is one that is not known yet.
pub fn equal(c: &ColumnEstimate, value: Option<&Datum>) -> f64 {
    let (taken, count) = match c.statistics.as_deref() {
        Some(s) => {
            if let Some(found) = value.and_then(|v| common(c, v)) {
                return found;
            }
            match value {
                Some(_) => (s.common.iter().map(|c| c.1).sum::<f64>(), s.common.len() as f64),
                None => (0.0, 0.0),
            }
        }
        None if c.distinct.is_finite() => (0.0, 0.0),
        None => return EQUAL,
    };
    let rest = (1.0 - c.null_fraction - taken).max(0.0);
    (rest / (c.distinct - count).max(1.0)).clamp(1e-9, 1.0)
}

fn any(every: bool, function: Oid, args: &[Expr; 2], columns: &[ColumnEstimate]) -> f64 {
    let Some(c) = column(&args[0], columns) else { return 0.1 };
    let parts: Vec<f64> = match &args[1].kind {
        ExprKind::Array(list) => list
            .iter()
            .map(|e| match &e.kind {
                ExprKind::Const(d) => equal(c, Some(d)),
                _ => equal(c, None),
            })
            .collect(),
        ExprKind::Const(d @ Datum::Var(_)) => {
            types::array::Array::from_datum(d).values.iter().map(|d| equal(c, Some(d))).collect()
        }
        _ => vec![equal(c, None); 10],
    };
    let equals = parts.iter().sum::<f64>().min(1.0);
    match (sign(function), every) {
        (Some(Sign::Equal), false) => equals,
        (Some(Sign::NotEqual), true) => 1.0 - equals,
        _ => ORDER,
    }
}

fn call(function: Oid, args: &[Expr], p: &Expr, columns: &[ColumnEstimate]) -> f64 {
    let name = catalog::builtin::proc_by_oid(function).map_or("", |p| p.name);
    if let [a, b] = args {
        match name {
            "textlike" | "bpcharlike" | "namelike" => return like(a, b, columns),
            "textnlike" | "bpcharnlike" | "namenlike" => return 1.0 - like(a, b, columns),
            _ => {}
        }
        if let Some(sign) = sign(function) {
            let fraction = match (column(a, columns), column(b, columns)) {
                (Some(l), Some(r)) => match sign {
                    Sign::Equal | Sign::NotEqual => 1.0 / l.distinct.max(r.distinct).max(1.0),
                    _ => return ORDER,
                },
                (Some(c), None) | (None, Some(c)) => {
                    let value = if column(a, columns).is_some() { b } else { a };
                    match (sign, &value.kind) {
                        (Sign::Equal | Sign::NotEqual, ExprKind::Const(d)) => equal(c, Some(d)),
                        (Sign::Equal | Sign::NotEqual, _) => equal(c, None),
                        _ => return bound(p, columns).and_then(|b| b.2).unwrap_or(ORDER),
                    }
                }
                _ => match sign {
                    Sign::Equal | Sign::NotEqual => EQUAL,
                    _ => return ORDER,
                },
            };
            return if sign == Sign::NotEqual { 1.0 - fraction } else { fraction };
        }
    }
    1.0 / 3.0
}

/// LIKE: what the values that are known say, or a guess by what is fixed in the pattern.
fn like(value: &Expr, pattern: &Expr, columns: &[ColumnEstimate]) -> f64 {
    let ExprKind::Const(d) = &pattern.kind else { return EQUAL };
    let Some(pattern) = d.as_str() else { return EQUAL };
    let guess = {
        let fixed = pattern.chars().filter(|c| !matches!(c, '%' | '_')).count() as i32;
        if pattern.contains('%') { 0.2f64.powi(fixed.min(5)).max(0.0005) } else { EQUAL }
    };
    let Some(s) = column(value, columns).and_then(|c| c.statistics.as_deref()) else { return guess };
    if pattern.contains(['_', '\\']) {
        return guess;
    }
    let hit = |d: &Datum| d.as_str().is_some_and(|text| matches_parts(text, pattern));
    let common: f64 = s.common.iter().filter(|(v, _)| hit(v)).map(|c| c.1).sum();
    let rest = (1.0 - s.null_fraction - s.common.iter().map(|c| c.1).sum::<f64>()).max(0.0);
    let seen = s.histogram.len() as f64;
    let in_rest = if seen < 10.0 {
        guess
    } else {
        let hits = s.histogram.iter().filter(|v| hit(v)).count() as f64;
        // Few hits say little: meet the guess half way.
        if hits < 2.0 { (hits / seen).midpoint(guess.min(1.0 / seen)) } else { hits / seen }
    };
    (common + rest * in_rest).clamp(1e-6, 1.0)
}

/// LIKE with `%` alone.
fn matches_parts(text: &str, pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.split('%').collect();
    let Some((first, rest)) = parts.split_first() else { return false };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let Some((last, middle)) = rest.split_last() else { return text.is_empty() };
    for part in middle {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}
