//! Casts between numbers.

use types::{Numeric, Result, SqlError, SqlState};

fn range<T>(v: Option<T>, ty: &str) -> Result<T> {
    v.ok_or_else(|| SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{ty} out of range")))
}

/// Rounds to the nearest even integer, as PostgreSQL's float-to-integer casts do, when it lies in `low..high`.
fn rounded(v: f64, low: f64, high: f64) -> Option<f64> {
    let r = v.round_ties_even();
    (r >= low && r < high).then_some(r)
}

fn stored(n: Numeric) -> Vec<u8> {
    let mut out = Vec::new();
    n.write(&mut out);
    out
}

functions! {
    480 (a: I64) -> I32 { range(i32::try_from(a).ok(), "integer") }
    481 (a: I32) -> I64 { Ok(i64::from(a)) }
    314 (a: I32) -> I16 { range(i16::try_from(a).ok(), "smallint") }
    313 (a: I16) -> I32 { Ok(i32::from(a)) }
    754 (a: I16) -> I64 { Ok(i64::from(a)) }
    714 (a: I64) -> I16 { range(i16::try_from(a).ok(), "smallint") }
    1287 (a: I64) -> U32 { range(u32::try_from(a).ok(), "OID") }
    1288 (a: U32) -> I64 { Ok(i64::from(a)) }
    316 (a: I32) -> F64 { Ok(f64::from(a)) }
    235 (a: I16) -> F64 { Ok(f64::from(a)) }
    482 (a: I64) -> F64 { Ok(a as f64) }
    236 (a: I16) -> F32 { Ok(f32::from(a)) }
    318 (a: I32) -> F32 { Ok(a as f32) }
    652 (a: I64) -> F32 { Ok(a as f32) }
    311 (a: F32) -> F64 { Ok(f64::from(a)) }
    312 (a: F64) -> F32 {
        let r = a as f32;
        if r.is_infinite() && a.is_finite() { return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")); }
        if r == 0.0 && a != 0.0 { return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")); }
        Ok(r)
    }
    317 (a: F64) -> I32 { range(rounded(a, -2147483648.0, 2147483648.0).map(|v| v as i32), "integer") }
    483 (a: F64) -> I64 { range(rounded(a, -9223372036854775808.0, 9223372036854775808.0).map(|v| v as i64), "bigint") }
    319 (a: F32) -> I32 { range(rounded(f64::from(a), -2147483648.0, 2147483648.0).map(|v| v as i32), "integer") }
    1740 (a: I32) -> Var { Ok(stored(Numeric::from(i64::from(a)))) }
    1782 (a: I16) -> Var { Ok(stored(Numeric::from(i64::from(a)))) }
    1781 (a: I64) -> Var { Ok(stored(Numeric::from(a))) }
    1742 (a: F32) -> Var { Ok(stored(Numeric::from_f32(a))) }
    1743 (a: F64) -> Var { Ok(stored(Numeric::from_f64(a))) }
    1744 (a: Var) -> I32 { Numeric::from_bytes(a).to_i32() }
    1779 (a: Var) -> I64 { Numeric::from_bytes(a).to_i64() }
    1783 (a: Var) -> I16 { Numeric::from_bytes(a).to_i16() }
    1745 (a: Var) -> F32 { Numeric::from_bytes(a).to_f32() }
    1746 (a: Var) -> F64 { Numeric::from_bytes(a).to_f64() }
    401 (a: Var) -> Var { Ok(types::compare::trim_blanks(a).to_vec()) }
    406 (a: Var) -> Var { Ok(a.to_vec()) }
    2557 (a: I32) -> Bool { Ok(a != 0) }
    2558 (a: Bool) -> I32 { Ok(i32::from(a)) }
    2971 (a: Bool) -> Var { Ok(a.to_string().into_bytes()) }
}
