//! Text form and typmod of `numeric`.

use super::coef::Coef;
use super::{Numeric, Repr, SCALE_MAX, WEIGHT_DIGITS_MAX, overflow};
use crate::{Result, SqlError, SqlState};

/// Precision and scale of a typmod; none when it sets no limit.
pub fn precision_scale(typmod: i32) -> Option<(i32, i32)> {
    if typmod < 4 {
        return None;
    }
    let t = typmod - 4;
    Some(((t >> 16) & 0xffff, ((t & 0x7ff) ^ 1024) - 1024))
}

impl Numeric {
    /// Reads what `numeric` accepts as text.
    pub fn parse(text: &str) -> Result<Numeric> {
        let bad = || {
            SqlError::new(
                SqlState::INVALID_TEXT_REPRESENTATION,
                format!("invalid input syntax for type numeric: \"{text}\""),
            )
        };
        let b = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b').as_bytes();
        let (negative, signed, body) = match b {
            [b'-', rest @ ..] => (true, true, rest),
            [b'+', rest @ ..] => (false, true, rest),
            _ => (false, false, b),
        };
        if !matches!(body.first(), Some(b'0'..=b'9' | b'.')) {
            return if body.eq_ignore_ascii_case(b"nan") && !signed {
                Ok(Numeric::NAN)
            } else if body.eq_ignore_ascii_case(b"infinity") || body.eq_ignore_ascii_case(b"inf") {
                Ok(if negative { Numeric::NEG_INFINITY } else { Numeric::INFINITY })
            } else {
                Err(bad())
            };
        }
        if let [b'0', radix @ (b'x' | b'X' | b'o' | b'O' | b'b' | b'B'), digits @ ..] = body {
            return parse_radix(digits, *radix, negative).unwrap_or_else(|| Err(bad()));
        }
        parse_decimal(body, negative).unwrap_or_else(|| Err(bad()))
    }

    /// The text form.
    pub fn format(&self, out: &mut Vec<u8>) {
        match &self.0 {
            Repr::NegInf => out.extend_from_slice(b"-Infinity"),
            Repr::PosInf => out.extend_from_slice(b"Infinity"),
            Repr::NaN => out.extend_from_slice(b"NaN"),
            Repr::Finite { coef, scale } => {
                if coef.is_negative() {
                    out.push(b'-');
                }
                let scale = *scale as usize;
                let mut buffer = itoa::Buffer::new();
                let big;
                let digits = match coef {
                    Coef::Int(i) => buffer.format(i.unsigned_abs()),
                    Coef::Big(_) => {
                        big = coef.magnitude_digits();
                        &big
                    }
                }
                .as_bytes();
                if scale == 0 {
                    return out.extend_from_slice(digits);
                }
                if digits.len() > scale {
                    let (whole, fraction) = digits.split_at(digits.len() - scale);
                    out.extend_from_slice(whole);
                    out.push(b'.');
                    out.extend_from_slice(fraction);
                } else {
                    out.extend_from_slice(b"0.");
                    out.resize(out.len() + scale - digits.len(), b'0');
                    out.extend_from_slice(digits);
                }
            }
        }
    }

    /// The text in scientific notation, as `to_char`'s EEEE and `numeric_out_sci` show it: `rscale` digits after the point.
    pub fn format_scientific(&self, rscale: u32) -> String {
        let Repr::Finite { .. } = &self.0 else { return self.to_string() };
        let exponent = self.exponent().unwrap_or(0);
        let rounded = self.round(rscale as i32 - exponent as i32);
        let exponent = rounded.exponent().unwrap_or(exponent);
        let digits = match &rounded.0 {
            Repr::Finite { coef, .. } if !coef.is_zero() => coef.magnitude_digits(),
            _ => "0".to_owned(),
        };
        let mut digits = digits.trim_end_matches('0').to_owned();
        while digits.len() < rscale as usize + 1 {
            digits.push('0');
        }
        let sign = if self.is_negative() { "-" } else { "" };
        let point = if rscale > 0 { format!(".{}", &digits[1..=rscale as usize]) } else { String::new() };
        format!("{sign}{}{point}e{}{:02}", &digits[..1], if exponent < 0 { '-' } else { '+' }, exponent.abs())
    }

    /// Rounds to the scale of `typmod` and checks its precision.
    pub fn apply_typmod(self, typmod: i32) -> Result<Numeric> {
        let Some((precision, scale)) = precision_scale(typmod) else { return Ok(self) };
        let field = |detail: String| {
            SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").detail(detail)
        };
        match &self.0 {
            Repr::NaN => return Ok(self),
            Repr::PosInf | Repr::NegInf => {
                return Err(field(format!(
                    "A field with precision {precision}, scale {scale} cannot hold an infinite value."
                )));
            }
            Repr::Finite { .. } => {}
        }
        let rounded = self.round(scale);
        let whole_digits = i64::from(precision - scale);
        if rounded.exponent().is_some_and(|e| e + 1 > whole_digits) {
            let limit = if whole_digits == 0 { "1".to_owned() } else { format!("10^{whole_digits}") };
            return Err(field(format!(
                "A field with precision {precision}, scale {scale} must round to an absolute value less than {limit}."
            )));
        }
        Ok(rounded)
    }
}

impl std::fmt::Display for Numeric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::new();
        self.format(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// Takes digits, with single underscores between them, off the front of `b` onto `digits`; none when misplaced.
fn take_digits(b: &[u8], digits: &mut Vec<u8>) -> Option<usize> {
    let mut i = 0;
    loop {
        match b.get(i) {
            Some(d @ b'0'..=b'9') => digits.push(*d),
            Some(b'_') if i > 0 && b[i - 1].is_ascii_digit() && b.get(i + 1).is_some_and(u8::is_ascii_digit) => {}
            Some(b'_') => return None,
            _ => return Some(i),
        }
        i += 1;
    }
}

/// None is a syntax error.
fn parse_decimal(body: &[u8], negative: bool) -> Option<Result<Numeric>> {
    let mut digits = Vec::with_capacity(body.len());
    let mut i = take_digits(body, &mut digits)?;
    let whole = digits.len();
    if body.get(i) == Some(&b'.') {
        i += 1;
        i += take_digits(&body[i..], &mut digits)?;
    }
    if digits.is_empty() {
        return None;
    }
    let fraction = (digits.len() - whole) as i64;
    let mut exponent = 0i64;
    if let Some(b'e' | b'E') = body.get(i) {
        i += 1;
        let minus = body.get(i) == Some(&b'-');
        if let Some(b'+' | b'-') = body.get(i) {
            i += 1;
        }
        let mut e = Vec::new();
        i += take_digits(&body[i..], &mut e)?;
        if e.is_empty() {
            return None;
        }
        for d in e {
            exponent = exponent * 10 + i64::from(d - b'0');
            if exponent >= i64::from(i32::MAX / 2) {
                return Some(Err(overflow()));
            }
        }
        if minus {
            exponent = -exponent;
        }
    }
    if i != body.len() {
        return None;
    }
    let leading = digits.iter().take_while(|d| **d == b'0').count();
    let significant = (digits.len() - leading) as i64;
    let scale = (fraction - exponent).max(0);
    let shift = exponent - fraction + scale;
    if scale > i64::from(SCALE_MAX) || (significant > 0 && significant + shift - scale > WEIGHT_DIGITS_MAX) {
        return Some(Err(overflow()));
    }
    // Zero takes any exponent.
    let coef = Coef::from_digits(&digits[leading..]).mul_pow10(if significant == 0 { 0 } else { shift as u32 });
    Some(Ok(Numeric::finite(if negative { coef.neg() } else { coef }, scale as u32)))
}

/// None is a syntax error.
fn parse_radix(digits: &[u8], radix: u8, negative: bool) -> Option<Result<Numeric>> {
    let radix = match radix {
        b'x' | b'X' => 16,
        b'o' | b'O' => 8,
        _ => 2,
    };
    let mut clean = Vec::with_capacity(digits.len());
    for (i, &d) in digits.iter().enumerate() {
        match d {
            // An underscore may also follow the prefix.
            b'_' if digits.get(i + 1).is_some_and(|n| char::from(*n).is_digit(radix))
                && (i == 0 || digits[i - 1] != b'_') => {}
            d if char::from(d).is_digit(radix) => clean.push(d),
            _ => return None,
        }
    }
    if clean.is_empty() {
        return None;
    }
    let coef = Coef::from(num_bigint::BigInt::parse_bytes(&clean, radix)?);
    Some(Numeric::checked(if negative { coef.neg() } else { coef }, 0))
}
