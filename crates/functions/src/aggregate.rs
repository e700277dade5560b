//! Aggregates: `count`, `sum`, `avg`, `min`, `max`, `bool_and`, `bool_or`, `string_agg`.

use std::cmp::Ordering;

use types::{Datum, Numeric, Oid, Result, SqlError, SqlState, oid};

/// A running aggregate.
#[derive(Clone, Debug)]
pub struct Accumulator {
    kind: Kind,
    count: i64,
    value: Option<Datum>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Count,
    SumInt { to_numeric: bool },
    SumFloat { single: bool },
    SumNumeric,
    AvgInt,
    AvgFloat,
    AvgNumeric,
    Extreme { wanted: Ordering, ty: Oid },
    BoolAnd,
    BoolOr,
    StringAgg,
}

/// What kind of aggregate function `function` of `pg_proc` is.
fn kind(function: Oid) -> Option<Kind> {
    let row = catalog::builtin::proc_by_oid(function)?;
    let arg = row.args.first().copied().unwrap_or(Oid::NONE);
    Some(match (row.name, arg) {
        ("count", _) => Kind::Count,
        ("sum", oid::INT2 | oid::INT4) => Kind::SumInt { to_numeric: false },
        ("sum", oid::INT8) => Kind::SumInt { to_numeric: true },
        ("sum", oid::FLOAT8) => Kind::SumFloat { single: false },
        ("sum", oid::FLOAT4) => Kind::SumFloat { single: true },
        ("sum", oid::NUMERIC) => Kind::SumNumeric,
        ("avg", oid::INT2 | oid::INT4 | oid::INT8) => Kind::AvgInt,
        ("avg", oid::FLOAT4 | oid::FLOAT8) => Kind::AvgFloat,
        ("avg", oid::NUMERIC) => Kind::AvgNumeric,
        ("min", ty) if is_ordered(ty) => Kind::Extreme { wanted: Ordering::Less, ty },
        ("max", ty) if is_ordered(ty) => Kind::Extreme { wanted: Ordering::Greater, ty },
        ("bool_and" | "every", _) => Kind::BoolAnd,
        ("bool_or", _) => Kind::BoolOr,
        ("string_agg", oid::TEXT) => Kind::StringAgg,
        _ => return None,
    })
}

fn is_ordered(ty: Oid) -> bool {
    matches!(
        ty,
        oid::INT2
            | oid::INT4
            | oid::INT8
            | oid::FLOAT4
            | oid::FLOAT8
            | oid::NUMERIC
            | oid::TEXT
            | oid::BPCHAR
            | oid::DATE
            | oid::TIME
            | oid::TIMESTAMP
            | oid::TIMESTAMPTZ
            | oid::INTERVAL
            | oid::OID
            | oid::PG_LSN
            | oid::BYTEA
    )
}

/// Whether function `function` is an aggregate that is implemented.
pub fn is_implemented(function: Oid) -> bool {
    kind(function).is_some()
}

fn integer(d: &Datum) -> i64 {
    match d {
        Datum::I16(v) => i64::from(*v),
        Datum::I32(v) => i64::from(*v),
        Datum::I64(v) => *v,
        _ => 0,
    }
}

fn float(d: &Datum) -> f64 {
    match d {
        Datum::F32(v) => f64::from(*v),
        Datum::F64(v) => *v,
        _ => 0.0,
    }
}

impl Accumulator {
    /// An empty aggregate of function `function`.
    ///
    /// # Errors
    /// `0A000` when it is not implemented.
    pub fn new(function: Oid) -> Result<Accumulator> {
        match kind(function) {
            Some(kind) => Ok(Accumulator { kind, count: 0, value: None }),
            None => {
                let name = catalog::builtin::proc_by_oid(function).map_or("?", |p| p.name);
                Err(SqlError::unsupported(format!("aggregate function {name}")))
            }
        }
    }

    /// Adds a row. Rows with a NULL argument count for nothing, but for `count(*)`.
    ///
    /// # Errors
    /// Overflow, as PostgreSQL.
    pub fn add(&mut self, args: &[Datum]) -> Result<()> {
        if args.first().is_some_and(Datum::is_null) {
            return Ok(());
        }
        self.count += 1;
        let Some(arg) = args.first() else { return Ok(()) };
        let old = self.value.take();
        self.value = match (self.kind, old) {
            (Kind::Count, _) => None,
            (Kind::SumInt { to_numeric: false }, old) => {
                let sum = integer(old.as_ref().unwrap_or(&Datum::I64(0))).checked_add(integer(arg));
                Some(Datum::I64(
                    sum.ok_or_else(|| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"))?,
                ))
            }
            (Kind::SumInt { to_numeric: true } | Kind::AvgInt, None) => Some(Numeric::from(integer(arg)).to_datum()),
            (Kind::SumInt { to_numeric: true } | Kind::AvgInt, Some(old)) => {
                Some(Numeric::from_datum(&old).add(&Numeric::from(integer(arg)))?.to_datum())
            }
            (Kind::SumFloat { .. } | Kind::AvgFloat, old) => {
                Some(Datum::F64(float(old.as_ref().unwrap_or(&Datum::F64(0.0))) + float(arg)))
            }
            (Kind::SumNumeric | Kind::AvgNumeric, None) => Some(arg.clone()),
            (Kind::SumNumeric | Kind::AvgNumeric, Some(old)) => {
                Some(Numeric::from_datum(&old).add(&Numeric::from_datum(arg))?.to_datum())
            }
            (Kind::Extreme { wanted, ty }, Some(old)) if types::compare::compare(ty, arg, &old) != wanted => Some(old),
            (Kind::Extreme { .. }, _) => Some(arg.clone()),
            (Kind::BoolAnd, Some(Datum::Bool(false))) => Some(Datum::Bool(false)),
            (Kind::BoolOr, Some(Datum::Bool(true))) => Some(Datum::Bool(true)),
            (Kind::BoolAnd | Kind::BoolOr, _) => Some(arg.clone()),
            (Kind::StringAgg, None) => Some(arg.clone()),
            (Kind::StringAgg, Some(old)) => {
                let mut text = old.as_bytes().unwrap_or_default().to_vec();
                text.extend_from_slice(args.get(1).and_then(Datum::as_bytes).unwrap_or_default());
                text.extend_from_slice(arg.as_bytes().unwrap_or_default());
                Some(text.into())
            }
        };
        Ok(())
    }

    /// The result.
    ///
    /// # Errors
    /// Overflow, as PostgreSQL.
    pub fn finish(&self) -> Result<Datum> {
        let Some(value) = &self.value else {
            return Ok(if self.kind == Kind::Count { Datum::I64(self.count) } else { Datum::Null });
        };
        Ok(match self.kind {
            Kind::AvgInt | Kind::AvgNumeric => Numeric::from_datum(value).div(&Numeric::from(self.count))?.to_datum(),
            Kind::AvgFloat => Datum::F64(float(value) / self.count as f64),
            Kind::SumFloat { single: true } => Datum::F32(float(value) as f32),
            _ => value.clone(),
        })
    }
}
