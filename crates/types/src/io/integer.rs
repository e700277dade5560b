//! Text form of the integer types.

use super::{bad_input, is_space, out_of_range};
use crate::Result;

/// Why text is no integer.
enum Bad {
    Syntax,
    Range,
}

/// Reads sign, radix prefix, digits and single underscores between them; the magnitude may be up to `u64::MAX`.
fn parse(text: &str) -> Result<(bool, u64), Bad> {
    let s = text.trim_matches(is_space);
    let (negative, s) = match s.as_bytes().first() {
        Some(b'-') => (true, &s[1..]),
        Some(b'+') => (false, &s[1..]),
        _ => (false, s),
    };
    let b = s.as_bytes();
    let (radix, digits, prefixed) = match b {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest, true),
        [b'0', b'o' | b'O', rest @ ..] => (8, rest, true),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest, true),
        _ => (10, b, false),
    };
    let (mut value, mut range) = (0u64, false);
    let mut digit_before = prefixed;
    let mut any = false;
    for &c in digits {
        if c == b'_' {
            if !digit_before {
                return Err(Bad::Syntax);
            }
            digit_before = false;
            continue;
        }
        let d = char::from(c).to_digit(radix).ok_or(Bad::Syntax)?;
        match value.checked_mul(radix.into()).and_then(|v| v.checked_add(d.into())) {
            Some(v) => value = v,
            None => range = true,
        }
        digit_before = true;
        any = true;
    }
    if !any || !digit_before {
        return Err(Bad::Syntax);
    }
    if range { Err(Bad::Range) } else { Ok((negative, value)) }
}

fn signed<T: TryFrom<i128>>(text: &str, type_name: &str) -> Result<T> {
    match parse(text) {
        Ok((negative, v)) => {
            let v = if negative { -i128::from(v) } else { i128::from(v) };
            T::try_from(v).map_err(|_| out_of_range(type_name, text))
        }
        Err(Bad::Range) => Err(out_of_range(type_name, text)),
        Err(Bad::Syntax) => Err(bad_input(type_name, text)),
    }
}

/// Reads an `int2`.
pub fn parse_i16(text: &str) -> Result<i16> {
    signed(text, "smallint")
}

/// Reads an `int4`.
pub fn parse_i32(text: &str) -> Result<i32> {
    signed(text, "integer")
}

/// Reads an `int8`.
pub fn parse_i64(text: &str) -> Result<i64> {
    signed(text, "bigint")
}

/// Reads what C's `strtoul` reads with base 0: sign, `0x` and leading-zero octal; a minus sign wraps.
fn strtoul(text: &str) -> Result<(bool, u64), Bad> {
    let s = text.trim_matches(is_space);
    let (negative, s) = match s.as_bytes().first() {
        Some(b'-') => (true, &s[1..]),
        Some(b'+') => (false, &s[1..]),
        _ => (false, s),
    };
    let (radix, digits) = match s.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &s[2..]),
        [b'0', _, ..] => (8, &s[1..]),
        _ => (10, s),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(Bad::Syntax);
    }
    u64::from_str_radix(digits, radix).map(|v| (negative, v)).map_err(|_| Bad::Range)
}

/// Reads an `oid`, `xid` or `cid`: a negative number wraps, as PostgreSQL allows for old dumps.
pub fn parse_u32(text: &str, type_name: &str) -> Result<u32> {
    match strtoul(text) {
        Ok((negative, v)) => {
            // As 64 bits, it must be the zero or the sign extension of 32.
            let v = if negative { v.wrapping_neg() } else { v };
            let fits = u32::try_from(v).is_ok() || i32::try_from(v as i64).is_ok();
            if fits { Ok(v as u32) } else { Err(out_of_range(type_name, text)) }
        }
        Err(Bad::Range) => Err(out_of_range(type_name, text)),
        Err(Bad::Syntax) => Err(bad_input(type_name, text)),
    }
}

/// Reads an `xid8`.
pub fn parse_u64(text: &str, type_name: &str) -> Result<u64> {
    match strtoul(text) {
        Ok((negative, v)) => Ok(if negative { v.wrapping_neg() } else { v }),
        Err(Bad::Range) => Err(out_of_range(type_name, text)),
        Err(Bad::Syntax) => Err(bad_input(type_name, text)),
    }
}
