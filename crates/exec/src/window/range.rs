//! Distances between values of a sort key, for frames in RANGE mode: what is within reach of a value, by type.

use std::cmp::Ordering;

use types::compare::{compare, compare_f64};
use types::datetime::{Interval, arith, timetz_bytes, timetz_parts};
use types::{Datum, IoSettings, Numeric, Oid, Result, SqlError, SqlState, oid};

/// How far a frame reaches.
pub enum Offset {
    Integer(i64),
    Float(f64),
    Numeric(Numeric),
    Interval(Interval),
}

impl Offset {
    /// The offset `value` of type `ty`.
    pub fn new(ty: Oid, value: &Datum) -> Offset {
        match (ty, value) {
            (oid::NUMERIC, value) => Offset::Numeric(Numeric::from_datum(value)),
            (oid::INTERVAL, value) => Offset::Interval(Interval::from_datum(value)),
            (_, Datum::F64(n)) => Offset::Float(*n),
            (_, value) => Offset::Integer(integer(value)),
        }
    }
}

fn integer(value: &Datum) -> i64 {
    match value {
        Datum::I16(n) => i64::from(*n),
        Datum::I32(n) => i64::from(*n),
        Datum::I64(n) => *n,
        _ => 0,
    }
}

fn float(value: &Datum) -> f64 {
    match value {
        Datum::F32(n) => f64::from(*n),
        Datum::F64(n) => *n,
        _ => 0.0,
    }
}

fn negative() -> SqlError {
    let message = "invalid preceding or following size in window function";
    SqlError::new(SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message)
}

/// Whether `value` is at most (or else at least) `base` plus `offset`, or minus it.
pub fn within(
    ty: Oid,
    value: &Datum,
    base: &Datum,
    offset: &Offset,
    subtract: bool,
    at_most: bool,
    settings: &IoSettings,
) -> Result<bool> {
    let fits = |order: Ordering| if at_most { order.is_le() } else { order.is_ge() };
    match offset {
        Offset::Integer(offset) => {
            if *offset < 0 {
                return Err(negative());
            }
            let offset = i128::from(*offset);
            let limit = i128::from(integer(base)) + if subtract { -offset } else { offset };
            Ok(fits(i128::from(integer(value)).cmp(&limit)))
        }
        Offset::Float(offset) => {
            if offset.is_nan() || *offset < 0.0 {
                return Err(negative());
            }
            let (value, base) = (float(value), float(base));
            // NaN is its own neighbour only, and above all else.
            if value.is_nan() || base.is_nan() {
                return Ok(if value.is_nan() { base.is_nan() || !at_most } else { at_most });
            }
            // From one infinity back by another: everything is within reach.
            if offset.is_infinite() && base.is_infinite() && (base > 0.0) == subtract {
                return Ok(true);
            }
            Ok(fits(compare_f64(value, if subtract { base - offset } else { base + offset })))
        }
        Offset::Numeric(offset) => {
            if offset.is_nan() || offset.is_negative() {
                return Err(negative());
            }
            let (value, base) = (Numeric::from_datum(value), Numeric::from_datum(base));
            if value.is_nan() || base.is_nan() {
                return Ok(if value.is_nan() { base.is_nan() || !at_most } else { at_most });
            }
            if offset.is_infinite() && base.is_infinite() && base.is_negative() != subtract {
                return Ok(true);
            }
            let limit = if subtract { base.sub(offset)? } else { base.add(offset)? };
            Ok(fits(value.cmp_sql(&limit)))
        }
        Offset::Interval(offset) => by_interval(ty, value, base, *offset, subtract, &fits, settings),
    }
}

fn by_interval(
    ty: Oid,
    value: &Datum,
    base: &Datum,
    offset: Interval,
    subtract: bool,
    fits: &dyn Fn(Ordering) -> bool,
    settings: &IoSettings,
) -> Result<bool> {
    if matches!(ty, oid::TIME | oid::TIMETZ) {
        // Months and days of the offset say nothing about a time of day.
        if offset.micros < 0 {
            return Err(negative());
        }
        let signed = i128::from(offset.micros) * if subtract { -1 } else { 1 };
        return Ok(match (value, base) {
            (Datum::I64(value), Datum::I64(base)) => fits(i128::from(*value).cmp(&(i128::from(*base) + signed))),
            (Datum::B16(_), Datum::B16(of)) => {
                let (micros, west) = timetz_parts(of);
                let limit = (i128::from(micros) + signed).clamp(i64::MIN.into(), i64::MAX.into()) as i64;
                let limit = limit.clamp(i64::MIN / 2, i64::MAX / 2);
                fits(compare(ty, value, &Datum::B16(timetz_bytes(limit, west))))
            }
            _ => false,
        });
    }
    if offset.span() < 0 {
        return Err(negative());
    }
    let infinite = !offset.is_finite();
    if ty == oid::INTERVAL {
        let (value, base) = (Interval::from_datum(value), Interval::from_datum(base));
        if infinite && base == if subtract { Interval::INFINITY } else { Interval::NEG_INFINITY } {
            return Ok(true);
        }
        let limit = if subtract { arith::subtract(base, offset)? } else { arith::add(base, offset)? };
        return Ok(fits(value.cmp_sql(limit)));
    }
    let micros = |d: &Datum| match d {
        Datum::I32(days) => arith::date_to_timestamp(*days),
        Datum::I64(micros) => Ok(*micros),
        _ => Err(SqlError::internal("a date or a timestamp")),
    };
    let (value, base) = (micros(value)?, micros(base)?);
    let far = if subtract { types::datetime::TIMESTAMP_INFINITY } else { types::datetime::TIMESTAMP_NEG_INFINITY };
    if infinite && base == far {
        return Ok(true);
    }
    let limit = match (ty == oid::TIMESTAMPTZ, subtract) {
        (true, true) => arith::subtract_from_timestamptz(base, offset, &settings.time_zone)?,
        (true, false) => arith::add_to_timestamptz(base, offset, &settings.time_zone)?,
        (false, true) => arith::subtract_from_timestamp(base, offset)?,
        (false, false) => arith::add_to_timestamp(base, offset)?,
    };
    Ok(fits(value.cmp(&limit)))
}
