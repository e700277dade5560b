//! Arithmetic on integers, floats, numerics, dates.

use types::{Numeric, Result, SqlError, SqlState};

fn out_of_range(ty: &str) -> SqlError {
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{ty} out of range"))
}

fn int2(v: Option<i16>) -> Result<i16> {
    v.ok_or_else(|| out_of_range("smallint"))
}

fn int4(v: Option<i32>) -> Result<i32> {
    v.ok_or_else(|| out_of_range("integer"))
}

fn int8(v: Option<i64>) -> Result<i64> {
    v.ok_or_else(|| out_of_range("bigint"))
}

fn zero() -> SqlError {
    SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero")
}

/// A float result, refused when it overflowed or underflowed although the arguments were finite and not zero.
fn float(result: f64, infinite_in: bool, zero_ok: bool) -> Result<f64> {
    if result.is_infinite() && !infinite_in {
        return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow"));
    }
    if result == 0.0 && !zero_ok {
        return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow"));
    }
    Ok(result)
}

fn number(a: &[u8]) -> Numeric {
    Numeric::from_bytes(a)
}

fn stored(n: Numeric) -> Vec<u8> {
    let mut out = Vec::new();
    n.write(&mut out);
    out
}

functions! {
    176 (a: I16, b: I16) -> I16 { int2(a.checked_add(b)) }
    177 (a: I32, b: I32) -> I32 { int4(a.checked_add(b)) }
    463 (a: I64, b: I64) -> I64 { int8(a.checked_add(b)) }
    178 (a: I16, b: I32) -> I32 { int4(i32::from(a).checked_add(b)) }
    179 (a: I32, b: I16) -> I32 { int4(a.checked_add(i32::from(b))) }
    1274 (a: I64, b: I32) -> I64 { int8(a.checked_add(i64::from(b))) }
    1278 (a: I32, b: I64) -> I64 { int8(i64::from(a).checked_add(b)) }
    180 (a: I16, b: I16) -> I16 { int2(a.checked_sub(b)) }
    181 (a: I32, b: I32) -> I32 { int4(a.checked_sub(b)) }
    464 (a: I64, b: I64) -> I64 { int8(a.checked_sub(b)) }
    1275 (a: I64, b: I32) -> I64 { int8(a.checked_sub(i64::from(b))) }
    1279 (a: I32, b: I64) -> I64 { int8(i64::from(a).checked_sub(b)) }
    152 (a: I16, b: I16) -> I16 { int2(a.checked_mul(b)) }
    141 (a: I32, b: I32) -> I32 { int4(a.checked_mul(b)) }
    465 (a: I64, b: I64) -> I64 { int8(a.checked_mul(b)) }
    1276 (a: I64, b: I32) -> I64 { int8(a.checked_mul(i64::from(b))) }
    1280 (a: I32, b: I64) -> I64 { int8(i64::from(a).checked_mul(b)) }
    153 (a: I16, b: I16) -> I16 { if b == 0 { Err(zero()) } else { int2(a.checked_div(b)) } }
    154 (a: I32, b: I32) -> I32 { if b == 0 { Err(zero()) } else { int4(a.checked_div(b)) } }
    466 (a: I64, b: I64) -> I64 { if b == 0 { Err(zero()) } else { int8(a.checked_div(b)) } }
    1277 (a: I64, b: I32) -> I64 { if b == 0 { Err(zero()) } else { int8(a.checked_div(i64::from(b))) } }
    1281 (a: I32, b: I64) -> I64 { if b == 0 { Err(zero()) } else { int8(i64::from(a).checked_div(b)) } }
    155 (a: I16, b: I16) -> I16 { if b == 0 { Err(zero()) } else { Ok(a.wrapping_rem(b)) } }
    156 (a: I32, b: I32) -> I32 { if b == 0 { Err(zero()) } else { Ok(a.wrapping_rem(b)) } }
    945 (a: I64, b: I64) -> I64 { if b == 0 { Err(zero()) } else { Ok(a.wrapping_rem(b)) } }
    212 (a: I32) -> I32 { int4(a.checked_neg()) }
    213 (a: I16) -> I16 { int2(a.checked_neg()) }
    462 (a: I64) -> I64 { int8(a.checked_neg()) }
    1397 (a: I32) -> I32 { int4(a.checked_abs()) }
    1396 (a: I64) -> I64 { int8(a.checked_abs()) }
    218 (a: F64, b: F64) -> F64 { float(a + b, a.is_infinite() || b.is_infinite(), true) }
    219 (a: F64, b: F64) -> F64 { float(a - b, a.is_infinite() || b.is_infinite(), true) }
    216 (a: F64, b: F64) -> F64 { float(a * b, a.is_infinite() || b.is_infinite(), a == 0.0 || b == 0.0) }
    217 (a: F64, b: F64) -> F64 {
        if b == 0.0 && !a.is_nan() { Err(zero()) } else { float(a / b, a.is_infinite(), a == 0.0 || b.is_infinite()) }
    }
    220 (a: F64) -> F64 { Ok(-a) }
    221 (a: F64) -> F64 { Ok(a.abs()) }
    1724 (a: Var, b: Var) -> Var { number(a).add(&number(b)).map(stored) }
    1725 (a: Var, b: Var) -> Var { number(a).sub(&number(b)).map(stored) }
    1726 (a: Var, b: Var) -> Var { number(a).mul(&number(b)).map(stored) }
    1727 (a: Var, b: Var) -> Var { number(a).div(&number(b)).map(stored) }
    1729 (a: Var, b: Var) -> Var { number(a).rem(&number(b)).map(stored) }
    1771 (a: Var) -> Var { Ok(stored(number(a).neg())) }
    1705 (a: Var) -> Var { Ok(stored(number(a).abs())) }
    1707 (a: Var, n: I32) -> Var { Ok(stored(number(a).round(n))) }
    1708 (a: Var) -> Var { Ok(stored(number(a).round(0))) }
    1711 (a: Var) -> Var { Ok(stored(number(a).ceil())) }
    1712 (a: Var) -> Var { Ok(stored(number(a).floor())) }
    1141 (a: I32, b: I32) -> I32 { a.checked_add(b).ok_or_else(|| SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "date out of range")) }
    1142 (a: I32, b: I32) -> I32 { a.checked_sub(b).ok_or_else(|| SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "date out of range")) }
    1140 (a: I32, b: I32) -> I32 { a.checked_sub(b).ok_or_else(|| SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "date out of range")) }
}
