//! `numeric`: exact decimal numbers of up to 131072 digits before the point and 16383 after.
//!
//! Invariants
//!   N1  A stored value is canonical: equal bytes mean the same value *and* the same display scale, and the reverse.
//!   N2  A value whose coefficient fits `i64` (without `i64::MIN`) at a scale of at most [`SMALL_SCALE_MAX`] is stored
//!       in the small form of [`SMALL_LEN`] bytes, which is inline in a 16-byte string view; no other value is.
//!
//! Stored forms, by the first byte:
//!   `0..=127`  small: the byte is the display scale, then the coefficient as little-endian `i64`
//!   `128, 129` big, positive or negative: display scale as little-endian `u16`, then the coefficient's magnitude,
//!              little-endian bytes without leading zeros
//!   `130..`    -Infinity, Infinity, NaN; nothing follows

mod arith;
mod coef;
mod convert;
mod text;
mod transcend;
mod wire;

pub use arith::{factorial, gcd, lcm, width_bucket};
pub use text::precision_scale;

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};

use self::coef::Coef;
use crate::{Datum, Result, SqlError, SqlState};

/// Bytes of the small stored form.
pub const SMALL_LEN: usize = 9;
/// Highest display scale of the small stored form.
pub const SMALL_SCALE_MAX: u8 = 127;
/// Most digits before the decimal point.
pub const WEIGHT_DIGITS_MAX: i64 = 131_072;
/// Most digits after the decimal point.
pub const SCALE_MAX: u32 = 16_383;
/// Most digits a `numeric(p,s)` declaration may ask for.
pub const PRECISION_MAX: i32 = 1000;

const TAG_POS: u8 = 128;
const TAG_NEG: u8 = 129;
const TAG_NEG_INF: u8 = 130;
const TAG_POS_INF: u8 = 131;
const TAG_NAN: u8 = 132;

/// A `numeric` value taken out of its stored form.
#[derive(Clone, Debug)]
pub struct Numeric(Repr);

#[derive(Clone, Debug)]
enum Repr {
    /// `coef * 10^-scale`.
    Finite {
        coef: Coef,
        scale: u32,
    },
    NegInf,
    PosInf,
    NaN,
}

/// `22003`: a result has too many digits.
pub(crate) fn overflow() -> SqlError {
    SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")
}

impl Numeric {
    /// Zero, scale 0.
    pub const ZERO: Numeric = Numeric::small(0, 0);
    /// One, scale 0.
    pub const ONE: Numeric = Numeric::small(1, 0);
    /// Not a number.
    pub const NAN: Numeric = Numeric(Repr::NaN);
    /// Infinity.
    pub const INFINITY: Numeric = Numeric(Repr::PosInf);
    /// -Infinity.
    pub const NEG_INFINITY: Numeric = Numeric(Repr::NegInf);

    /// `coefficient * 10^-scale`.
    pub const fn small(coefficient: i64, scale: u8) -> Numeric {
        Numeric(Repr::Finite { coef: Coef::Int(coefficient as i128), scale: scale as u32 })
    }

    /// `coefficient * 10^-scale`; the caller keeps the digits within the limits.
    pub(crate) fn finite(coef: impl Into<Coef>, scale: u32) -> Numeric {
        Numeric(Repr::Finite { coef: coef.into(), scale })
    }

    /// Checks a computed value against the limits of the type.
    pub(crate) fn checked(coef: Coef, scale: u32) -> Result<Numeric> {
        // What an `i128` holds has 39 digits at most.
        if scale > SCALE_MAX
            || (matches!(coef, Coef::Big(_))
                && scale as i64 + WEIGHT_DIGITS_MAX > 0
                && coef.digits() as i64 - scale as i64 > WEIGHT_DIGITS_MAX)
        {
            return Err(overflow());
        }
        Ok(Numeric(Repr::Finite { coef, scale }))
    }

    /// The value stored in `bytes`. Bytes that no [`Numeric::write`] made read as NaN.
    pub fn from_bytes(bytes: &[u8]) -> Numeric {
        match bytes {
            [scale @ 0..=SMALL_SCALE_MAX, rest @ ..] if rest.len() == 8 => {
                let mut c = [0; 8];
                c.copy_from_slice(rest);
                Numeric::small(i64::from_le_bytes(c), *scale)
            }
            [tag @ (TAG_POS | TAG_NEG), s0, s1, magnitude @ ..] => {
                let sign = if *tag == TAG_NEG { Sign::Minus } else { Sign::Plus };
                let scale = u16::from_le_bytes([*s0, *s1]) as u32;
                if magnitude.len() < 16 {
                    let mut b = [0; 16];
                    b[..magnitude.len()].copy_from_slice(magnitude);
                    let m = i128::from_le_bytes(b);
                    return Numeric::finite(Coef::Int(if *tag == TAG_NEG { -m } else { m }), scale);
                }
                Numeric::finite(Coef::from(BigInt::from_bytes_le(sign, magnitude)), scale)
            }
            [TAG_NEG_INF] => Numeric::NEG_INFINITY,
            [TAG_POS_INF] => Numeric::INFINITY,
            _ => Numeric::NAN,
        }
    }

    /// The value of a `numeric` datum.
    pub fn from_datum(datum: &Datum) -> Numeric {
        datum.as_bytes().map_or(Numeric::NAN, Numeric::from_bytes)
    }

    /// Coefficient and scale of a stored value in the small form: the fast path of kernels.
    pub fn small_parts(bytes: &[u8]) -> Option<(i64, u8)> {
        match bytes {
            [scale @ 0..=SMALL_SCALE_MAX, rest @ ..] => Some((i64::from_le_bytes(rest.try_into().ok()?), *scale)),
            _ => None,
        }
    }

    /// The small stored form, if the coefficient is not `i64::MIN` and the scale not above [`SMALL_SCALE_MAX`].
    pub fn small_bytes(coefficient: i64, scale: u8) -> Option<[u8; SMALL_LEN]> {
        if coefficient == i64::MIN || scale > SMALL_SCALE_MAX {
            return None;
        }
        let mut b = [0; SMALL_LEN];
        b[0] = scale;
        b[1..].copy_from_slice(&coefficient.to_le_bytes());
        Some(b)
    }

    /// Appends the stored form (N1).
    pub fn write(&self, out: &mut Vec<u8>) {
        let (coef, scale) = match &self.0 {
            Repr::Finite { coef, scale } => (coef, *scale),
            Repr::NegInf => return out.push(TAG_NEG_INF),
            Repr::PosInf => return out.push(TAG_POS_INF),
            Repr::NaN => return out.push(TAG_NAN),
        };
        if let (Some(c), Ok(s)) = (coef.to_i64(), u8::try_from(scale))
            && let Some(small) = Numeric::small_bytes(c, s)
        {
            return out.extend_from_slice(&small);
        }
        out.push(if coef.is_negative() { TAG_NEG } else { TAG_POS });
        out.extend_from_slice(&(scale as u16).to_le_bytes());
        match coef {
            Coef::Int(i) => {
                let b = i.unsigned_abs().to_le_bytes();
                let len = 16 - (i.unsigned_abs().leading_zeros() / 8) as usize;
                out.extend_from_slice(&b[..len]);
            }
            Coef::Big(b) if b.sign() != Sign::NoSign => out.extend_from_slice(&b.magnitude().to_bytes_le()),
            Coef::Big(_) => {}
        }
    }

    /// The stored form.
    pub fn to_datum(&self) -> Datum {
        if let Repr::Finite { coef: Coef::Int(i), scale } = &self.0
            && let (Ok(c), Ok(s)) = (i64::try_from(*i), u8::try_from(*scale))
            && let Some(small) = Numeric::small_bytes(c, s)
        {
            return Datum::bytes(&small);
        }
        let mut out = Vec::new();
        self.write(&mut out);
        Datum::from(out)
    }

    /// Whether it is NaN.
    pub fn is_nan(&self) -> bool {
        matches!(self.0, Repr::NaN)
    }

    /// Whether it is Infinity or -Infinity.
    pub fn is_infinite(&self) -> bool {
        matches!(self.0, Repr::PosInf | Repr::NegInf)
    }

    /// Whether it is neither NaN nor infinite.
    pub fn is_finite(&self) -> bool {
        matches!(self.0, Repr::Finite { .. })
    }

    /// Whether it is zero, of whatever scale.
    pub fn is_zero(&self) -> bool {
        matches!(&self.0, Repr::Finite { coef, .. } if coef.is_zero())
    }

    /// Whether it is less than zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Finite { coef, .. } => coef.is_negative(),
            Repr::NegInf => true,
            _ => false,
        }
    }

    /// The display scale; none of a special value.
    pub fn scale(&self) -> Option<u32> {
        match &self.0 {
            Repr::Finite { scale, .. } => Some(*scale),
            _ => None,
        }
    }

    /// The smallest scale that shows the value unchanged.
    pub fn min_scale(&self) -> Option<u32> {
        match &self.0 {
            Repr::Finite { coef, scale } => Some(scale - coef.trailing_zeros(*scale)),
            _ => None,
        }
    }

    /// The value without trailing zeros after the point.
    #[must_use]
    pub fn trim_scale(&self) -> Numeric {
        match &self.0 {
            Repr::Finite { coef, scale } => {
                let zeros = coef.trailing_zeros(*scale);
                Numeric::finite(coef.div_pow10_trunc(zeros), scale - zeros)
            }
            _ => self.clone(),
        }
    }

    /// The decimal exponent of the leading digit; none of zero and special values.
    fn exponent(&self) -> Option<i64> {
        match &self.0 {
            Repr::Finite { coef, scale } if !coef.is_zero() => Some(coef.digits() as i64 - 1 - *scale as i64),
            _ => None,
        }
    }

    /// SQL order: NaN is equal to itself and above all else.
    pub fn cmp_sql(&self, other: &Numeric) -> Ordering {
        fn class(n: &Numeric) -> i8 {
            match &n.0 {
                Repr::NegInf => 0,
                Repr::Finite { .. } => 1,
                Repr::PosInf => 2,
                Repr::NaN => 3,
            }
        }
        let (Repr::Finite { coef: a, scale: sa }, Repr::Finite { coef: b, scale: sb }) = (&self.0, &other.0) else {
            return class(self).cmp(&class(other));
        };
        if sa == sb {
            return a.cmp(b);
        }
        let (na, nb) = (a.is_negative(), b.is_negative());
        if na != nb || a.is_zero() || b.is_zero() {
            return a.signum().cmp(&b.signum());
        }
        // The leading digit's place decides cheaply; only numbers of the same magnitude are brought to one scale.
        let by_place = self.exponent().cmp(&other.exponent());
        if by_place != Ordering::Equal {
            return if na { by_place.reverse() } else { by_place };
        }
        let scale = (*sa).max(*sb);
        a.mul_pow10(scale - sa).cmp(&b.mul_pow10(scale - sb))
    }

    /// The value's sign and decimal digits for hashing and sort keys: class (-2..=3, zero is 0), the leading digit's
    /// exponent, and the digits without trailing zeros.
    pub(crate) fn normal_digits(&self) -> (i8, i64, String) {
        match &self.0 {
            Repr::NegInf => (-2, 0, String::new()),
            Repr::PosInf => (2, 0, String::new()),
            Repr::NaN => (3, 0, String::new()),
            Repr::Finite { coef, .. } if coef.is_zero() => (0, 0, String::new()),
            Repr::Finite { coef, scale } => {
                let mut digits = coef.magnitude_digits();
                let exponent = digits.len() as i64 - 1 - *scale as i64;
                digits.truncate(digits.trim_end_matches('0').len());
                (if coef.is_negative() { -1 } else { 1 }, exponent, digits)
            }
        }
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Numeric) -> bool {
        self.cmp_sql(other) == Ordering::Equal
    }
}
impl Eq for Numeric {}
impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Numeric) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Numeric {
    fn cmp(&self, other: &Numeric) -> Ordering {
        self.cmp_sql(other)
    }
}
impl From<i64> for Numeric {
    fn from(v: i64) -> Numeric {
        Numeric::finite(Coef::Int(v as i128), 0)
    }
}
impl From<i32> for Numeric {
    fn from(v: i32) -> Numeric {
        Numeric::from(v as i64)
    }
}
impl From<i128> for Numeric {
    fn from(v: i128) -> Numeric {
        Numeric::finite(Coef::from(BigInt::from(v)), 0)
    }
}
impl From<Numeric> for Datum {
    fn from(v: Numeric) -> Datum {
        v.to_datum()
    }
}

#[cfg(test)]
mod tests;
