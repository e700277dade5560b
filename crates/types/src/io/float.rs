//! Text form of `float4` and `float8`: shortest digits that read back the same, or a given count of digits.

use super::{bad_input, is_space};
use crate::{Result, SqlError, SqlState};

fn range(type_name: &str, text: &str) -> SqlError {
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("\"{text}\" is out of range for type {type_name}"))
}

/// What text says, before it is brought to a width.
enum Read<'a> {
    Special(f64),
    /// Decimal digits, and whether any of them is not zero.
    Decimal(&'a str, bool),
    Hex(f64),
}

fn read(text: &str) -> Option<Read<'_>> {
    let s = text.trim_matches(is_space);
    let body = s.strip_prefix(['+', '-']).unwrap_or(s);
    let negative = s.starts_with('-');
    let sign = |v: f64| if negative { -v } else { v };
    if body.eq_ignore_ascii_case("nan") {
        return Some(Read::Special(sign(f64::NAN)));
    }
    if body.eq_ignore_ascii_case("inf") || body.eq_ignore_ascii_case("infinity") {
        return Some(Read::Special(sign(f64::INFINITY)));
    }
    if let Some(hex) = body.strip_prefix("0x").or_else(|| body.strip_prefix("0X")) {
        return hexadecimal(hex).map(|v| Read::Hex(sign(v)));
    }
    let mantissa = body.split(['e', 'E']).next()?;
    if !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    Some(Read::Decimal(s, mantissa.bytes().any(|c| matches!(c, b'1'..=b'9'))))
}

/// C's hexadecimal floats: digits, a point, a power of two.
fn hexadecimal(s: &str) -> Option<f64> {
    let (mantissa, exponent) = match s.find(['p', 'P']) {
        Some(at) => (&s[..at], s[at + 1..].parse::<i32>().ok()?),
        None => (s, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut v = 0f64;
    for c in whole.chars().chain(fraction.chars()) {
        v = v * 16.0 + f64::from(c.to_digit(16)?);
    }
    let scale = exponent.saturating_sub(4 * i32::try_from(fraction.len()).ok()?);
    // Two steps keep the scale factor itself within range.
    Some(v * 2f64.powi(scale / 2) * 2f64.powi(scale - scale / 2))
}

/// Reads a `float8`.
pub fn parse_f64(text: &str) -> Result<f64> {
    const NAME: &str = "double precision";
    match read(text).ok_or_else(|| bad_input(NAME, text))? {
        Read::Special(v) => Ok(v),
        Read::Hex(v) if v.is_infinite() => Err(range(NAME, text)),
        Read::Hex(v) => Ok(v),
        Read::Decimal(s, nonzero) => {
            let v: f64 = s.parse().map_err(|_| bad_input(NAME, text))?;
            if v.is_infinite() || (v == 0.0 && nonzero) { Err(range(NAME, text.trim_matches(is_space))) } else { Ok(v) }
        }
    }
}

/// Reads a `float4`.
pub fn parse_f32(text: &str) -> Result<f32> {
    const NAME: &str = "real";
    match read(text).ok_or_else(|| bad_input(NAME, text))? {
        Read::Special(v) => Ok(v as f32),
        Read::Hex(v) if (v as f32).is_infinite() => Err(range(NAME, text)),
        Read::Hex(v) => Ok(v as f32),
        Read::Decimal(s, nonzero) => {
            let v: f32 = s.parse().map_err(|_| bad_input(NAME, text))?;
            if v.is_infinite() || (v == 0.0 && nonzero) { Err(range(NAME, text.trim_matches(is_space))) } else { Ok(v) }
        }
    }
}

/// NaN, the infinities and zero, which all styles show alike.
fn special(v: f64, out: &mut Vec<u8>) -> bool {
    let text: &[u8] = if v.is_nan() {
        b"NaN"
    } else if v == f64::INFINITY {
        b"Infinity"
    } else if v == f64::NEG_INFINITY {
        b"-Infinity"
    } else if v == 0.0 {
        if v.is_sign_negative() { b"-0" } else { b"0" }
    } else {
        return false;
    };
    out.extend_from_slice(text);
    true
}

/// Lays out `d.ddde±x` text: plainly if the exponent is from -4 to below `plain_below`, else scientifically.
fn layout(scientific: &str, plain_below: i32, out: &mut Vec<u8>) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let keep = digits.iter().rposition(|d| *d != b'0').map_or(1, |p| p + 1);
    let digits = &digits[..keep];
    out.extend_from_slice(sign.as_bytes());
    if exponent < -4 || exponent >= plain_below {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        let e = exponent.unsigned_abs();
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        if e < 10 {
            out.push(b'0');
        }
        out.extend_from_slice(itoa::Buffer::new().format(e).as_bytes());
    } else if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + (-exponent - 1) as usize, b'0');
        out.extend_from_slice(digits);
    } else {
        let whole = exponent as usize + 1;
        if digits.len() <= whole {
            out.extend_from_slice(digits);
            out.resize(out.len() + whole - digits.len(), b'0');
        } else {
            out.extend_from_slice(&digits[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
    }
}

/// Whether `digits * 10^power` lies exactly on an end of the interval of decimals that round to `mantissa *
/// 2^exponent`. PostgreSQL does not use such a decimal, though it reads back the same.
fn on_boundary(scientific: &str, mantissa: u64, exponent: i32, lowest: bool) -> bool {
    let Some((m, e)) = scientific.trim_start_matches('-').split_once('e') else { return false };
    let fraction = m.split_once('.').map_or(0, |(_, f)| f.len() as i32);
    let power = e.parse::<i32>().unwrap_or(0) - fraction;
    // Beyond these powers a decimal of 17 digits cannot be a binary halfway point.
    if !(-8..=24).contains(&power) {
        return false;
    }
    let digits = m.bytes().filter(u8::is_ascii_digit).fold(0u128, |v, d| v * 10 + u128::from(d - b'0'));
    // digits * 10^power == bound * 2^(exponent-2), as digits * 5^power * 2^(power-exponent+2) == bound.
    let equals = |bound: u128| {
        let (mut left, mut right) = (digits, bound);
        if power >= 0 {
            left *= 5u128.pow(power as u32);
        } else {
            right *= 5u128.pow(-power as u32);
        }
        let shift = power - exponent + 2;
        let (l, r) = (left.trailing_zeros() as i32, right.trailing_zeros() as i32);
        left >> l == right >> r && l + shift == r
    };
    let middle = u128::from(mantissa) * 4;
    equals(middle + 2) || equals(middle - if lowest { 1 } else { 2 })
}

/// The shortest scientific text strictly inside the rounding interval, given those of increasing precision.
fn shortest(
    first: String,
    reads_back: impl Fn(&str) -> bool,
    at: impl Fn(usize) -> String,
    bound: impl Fn(&str) -> bool,
) -> String {
    if !bound(&first) {
        return first;
    }
    let digits = first.bytes().take_while(|c| *c != b'e').filter(u8::is_ascii_digit).count();
    (digits..17).map(at).find(|s| reads_back(s) && !bound(s)).unwrap_or(first)
}

/// Of two texts of `most` digits as near as each other, the one with the even last digit.
fn nearest(text: String, most: usize, reads_back: impl Fn(&str) -> bool, at: impl Fn(usize) -> String) -> String {
    let digits = text.bytes().take_while(|c| *c != b'e').filter(u8::is_ascii_digit).count();
    if digits < most {
        return text;
    }
    let even = at(digits - 1);
    if reads_back(&even) { even } else { text }
}

/// Writes a `float8`.
pub fn format_f64(v: f64, extra_float_digits: i32, out: &mut Vec<u8>) {
    if special(v, out) {
        return;
    }
    if extra_float_digits <= 0 {
        let digits = (15 + extra_float_digits).max(1) as usize;
        return layout(&format!("{v:.*e}", digits - 1), digits as i32, out);
    }
    let bits = v.to_bits();
    let (biased, fraction) = ((bits >> 52) as i32 & 0x7ff, bits & ((1 << 52) - 1));
    let (mantissa, exponent) = if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) };
    let mut text = format!("{v:e}");
    if mantissa % 2 == 0 {
        let bound = |s: &str| on_boundary(s, mantissa, exponent, fraction == 0 && biased > 1);
        text = shortest(text, |s| s.parse() == Ok(v), |n| format!("{v:.n$e}"), bound);
    }
    if text.len() > 17 {
        text = nearest(text, 17, |s| s.parse() == Ok(v), |n| format!("{v:.n$e}"));
    }
    layout(&text, 15, out);
}

/// Writes a `float4`.
pub fn format_f32(v: f32, extra_float_digits: i32, out: &mut Vec<u8>) {
    if special(v.into(), out) {
        return;
    }
    if extra_float_digits <= 0 {
        let digits = (6 + extra_float_digits).max(1) as usize;
        return layout(&format!("{v:.*e}", digits - 1), digits as i32, out);
    }
    let bits = v.to_bits();
    let (biased, fraction) = ((bits >> 23) as i32 & 0xff, u64::from(bits & ((1 << 23) - 1)));
    let (mantissa, exponent) = if biased == 0 { (fraction, -149) } else { (fraction | 1 << 23, biased - 150) };
    let mut text = format!("{v:e}");
    if mantissa % 2 == 0 {
        let bound = |s: &str| on_boundary(s, mantissa, exponent, fraction == 0 && biased > 1);
        text = shortest(text, |s| s.parse() == Ok(v), |n| format!("{v:.n$e}"), bound);
    }
    if text.len() > 9 {
        text = nearest(text, 9, |s| s.parse() == Ok(v), |n| format!("{v:.n$e}"));
    }
    layout(&text, 6, out);
}
