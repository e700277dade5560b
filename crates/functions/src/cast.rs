//! Casts between built-in types that have a function in `pg_cast`.

use types::Result;
use types::{Numeric, SqlError, SqlState};

use ext::{Fail, Oid};

/// Rounds to the nearest even integer, as PostgreSQL's float-to-integer casts do, when it lies in `low..high`.
#[inline(always)]
fn rounded(v: f64, low: f64, high: f64, fail: Fail) -> Result<f64, Fail> {
    let r = v.round_ties_even();
    if r >= low && r < high { Ok(r) } else { Err(fail) }
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 480)]
    pub fn int8_to_int4(v: i64) -> Result<i32, Fail> {
        if v == i64::from(v as i32) { Ok(v as i32) } else { Err(Fail::IntegerOutOfRange) }
    }

    #[ext::function(each(i32 = 481, i16 = 754))]
    pub fn to_int8<T: Into<i64>>(v: T) -> i64 {
        v.into()
    }

    #[ext::function(oid = 314)]
    pub fn int4_to_int2(v: i32) -> Result<i16, Fail> {
        if v == i32::from(v as i16) { Ok(v as i16) } else { Err(Fail::SmallintOutOfRange) }
    }

    #[ext::function(oid = 714)]
    pub fn int8_to_int2(v: i64) -> Result<i16, Fail> {
        if v == i64::from(v as i16) { Ok(v as i16) } else { Err(Fail::SmallintOutOfRange) }
    }

    #[ext::function(oid = 313)]
    pub fn int2_to_int4(v: i16) -> i32 {
        v.into()
    }

    #[ext::function(oid = 1287)]
    pub fn int8_to_oid(v: i64) -> Result<Oid, Fail> {
        u32::try_from(v).map(Oid).map_err(|_| Fail::OidOutOfRange)
    }

    #[ext::function(oid = 1288)]
    pub fn oid_to_int8(v: Oid) -> i64 {
        v.0.into()
    }

    #[ext::function(each(i16 = 235, i32 = 316, f32 = 311))]
    pub fn to_float8<T: Into<f64>>(v: T) -> f64 {
        v.into()
    }

    #[ext::function(oid = 482)]
    pub fn int8_to_float8(v: i64) -> f64 {
        v as f64
    }

    #[ext::function(oid = 236)]
    pub fn int2_to_float4(v: i16) -> f32 {
        v.into()
    }

    #[ext::function(oid = 318)]
    pub fn int4_to_float4(v: i32) -> f32 {
        v as f32
    }

    #[ext::function(oid = 652)]
    pub fn int8_to_float4(v: i64) -> f32 {
        v as f32
    }

    #[ext::function(oid = 312)]
    pub fn float8_to_float4(v: f64) -> Result<f32, Fail> {
        let r = v as f32;
        if r.is_infinite() && !v.is_infinite() {
            return Err(Fail::Overflow);
        }
        if r == 0.0 && v != 0.0 { Err(Fail::Underflow) } else { Ok(r) }
    }

    #[ext::function(each(f64 = 237, f32 = 238))]
    pub fn to_int2<T: Into<f64>>(v: T) -> Result<i16, Fail> {
        rounded(v.into(), -32768.0, 32768.0, Fail::SmallintOutOfRange).map(|v| v as i16)
    }

    #[ext::function(each(f64 = 317, f32 = 319))]
    pub fn to_int4<T: Into<f64>>(v: T) -> Result<i32, Fail> {
        rounded(v.into(), -2147483648.0, 2147483648.0, Fail::IntegerOutOfRange).map(|v| v as i32)
    }

    #[ext::function(each(f64 = 483, f32 = 653))]
    pub fn float_to_int8<T: Into<f64>>(v: T) -> Result<i64, Fail> {
        rounded(v.into(), -9223372036854775808.0, 9223372036854775808.0, Fail::BigintOutOfRange).map(|v| v as i64)
    }

    #[ext::function(each(i16 = 1782, i32 = 1740, i64 = 1781))]
    pub fn to_numeric<T: Into<i64>>(v: T) -> Numeric {
        Numeric::from(v.into())
    }

    #[ext::function(oid = 1742)]
    pub fn float4_to_numeric(v: f32) -> Numeric {
        Numeric::from_f32(v)
    }

    #[ext::function(oid = 1743)]
    pub fn float8_to_numeric(v: f64) -> Numeric {
        Numeric::from_f64(v)
    }

    #[ext::function(oid = 1783)]
    pub fn numeric_to_int2(v: Numeric) -> Result<i16> {
        v.to_i16()
    }

    #[ext::function(oid = 1744)]
    pub fn numeric_to_int4(v: Numeric) -> Result<i32> {
        v.to_i32()
    }

    #[ext::function(oid = 1779)]
    pub fn numeric_to_int8(v: Numeric) -> Result<i64> {
        v.to_i64()
    }

    #[ext::function(oid = 1745)]
    pub fn numeric_to_float4(v: Numeric) -> Result<f32> {
        v.to_f32()
    }

    #[ext::function(oid = 1746)]
    pub fn numeric_to_float8(v: Numeric) -> Result<f64> {
        v.to_f64()
    }

    #[ext::function(oid = 2557)]
    pub fn int4_to_bool(v: i32) -> bool {
        v != 0
    }

    #[ext::function(oid = 2558)]
    pub fn bool_to_int4(v: bool) -> i32 {
        v.into()
    }

    #[ext::function(oid = 2971)]
    pub fn bool_to_text(v: bool) -> &'static str {
        if v { "true" } else { "false" }
    }

    #[ext::function(oid = 401)]
    pub fn bpchar_to_text(v: &str) -> &str {
        v.trim_end_matches(' ')
    }

    #[ext::function(oid = 406)]
    pub fn name_to_text(v: &str) -> &str {
        v
    }

    #[ext::function(oid = [407, 1400])]
    pub fn text_to_name(v: &str) -> Vec<u8> {
        types::io::text::name(v).as_bytes().unwrap_or_default().to_vec()
    }

    #[ext::function(oid = 409)]
    pub fn bpchar_to_name(v: &str) -> Vec<u8> {
        types::io::text::name(v.trim_end_matches(' ')).as_bytes().unwrap_or_default().to_vec()
    }

    #[ext::function(oid = [408, 1401])]
    pub fn name_to_string(v: &str) -> &str {
        v
    }

    #[ext::function(oid = [946, 860])]
    pub fn char_to_text(v: i8) -> Vec<u8> {
        let mut out = Vec::new();
        types::io::text::format_char(v, &mut out);
        out
    }

    #[ext::function(oid = 944)]
    pub fn text_to_char(v: &str) -> i8 {
        types::io::text::parse_char(v)
    }

    #[ext::function(oid = 77)]
    pub fn char_to_int4(v: i8) -> i32 {
        v.into()
    }

    #[ext::function(oid = 78)]
    pub fn int4_to_char(v: i32) -> Result<i8, Fail> {
        i8::try_from(v).map_err(|_| Fail::CharOutOfRange)
    }

    #[ext::function(oid = 669)]
    pub fn varchar(v: &str, typmod: i32, explicit: bool) -> Result<ext::Datum> {
        types::io::text::varchar(v, typmod, explicit)
    }

    #[ext::function(oid = 668)]
    pub fn bpchar(v: &str, typmod: i32, explicit: bool) -> Result<ext::Datum> {
        types::io::text::bpchar(v, typmod, explicit)
    }

    #[ext::function(each(i16 = 6367, i32 = 6368, i64 = 6369))]
    pub fn int_to_bytea<T: BigEndian>(v: T) -> Vec<u8> {
        v.to_bytes()
    }

    #[ext::function(each(i16 = 6370, i32 = 6371, i64 = 6372))]
    pub fn bytea_to_int<T: BigEndian>(v: &[u8]) -> Result<T> {
        if v.len() > size_of::<T>() {
            let message = format!("{} out of range", T::NAME);
            return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
        }
        Ok(T::from_bytes(v))
    }
}

/// Integers as bytes, the highest first.
pub trait BigEndian: Sized {
    /// The SQL name.
    const NAME: &'static str;
    /// All bytes.
    fn to_bytes(self) -> Vec<u8>;
    /// From at most all bytes; missing ones are zero.
    fn from_bytes(b: &[u8]) -> Self;
}

macro_rules! big_endian {
    ($($ty:ty = $name:literal),*) => {$(
        impl BigEndian for $ty {
            const NAME: &'static str = $name;
            fn to_bytes(self) -> Vec<u8> { self.to_be_bytes().to_vec() }
            fn from_bytes(b: &[u8]) -> $ty { b.iter().fold(0i64, |n, &b| n << 8 | i64::from(b)) as $ty }
        }
    )*};
}
big_endian!(i16 = "smallint", i32 = "integer", i64 = "bigint");
