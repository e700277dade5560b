//! Arithmetic of `numeric`, with PostgreSQL's rules for the scale of a result.

use std::cmp::Ordering;

use num_integer::Integer;

use super::coef::Coef;
use super::{Numeric, Repr, SCALE_MAX, WEIGHT_DIGITS_MAX, overflow};
use crate::{Result, SqlError, SqlState};

/// Significant digits a quotient or an irrational result has at least.
pub(super) const SIGNIFICANT_DIGITS_MIN: i64 = 16;
/// Highest scale of such a result.
pub(super) const RESULT_SCALE_MAX: i64 = 1000;

fn division_by_zero() -> SqlError {
    SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero")
}

/// The sign of a value for the arithmetic of infinities.
fn sign_of(n: &Numeric) -> i8 {
    match &n.0 {
        Repr::Finite { coef, .. } => coef.signum(),
        Repr::NegInf => -1,
        Repr::PosInf | Repr::NaN => 1,
    }
}

fn infinity(sign: i8) -> Numeric {
    if sign < 0 { Numeric::NEG_INFINITY } else { Numeric::INFINITY }
}

impl Numeric {
    /// `self + other`.
    pub fn add(&self, other: &Numeric) -> Result<Numeric> {
        match (&self.0, &other.0) {
            (Repr::Finite { coef: a, scale: sa }, Repr::Finite { coef: b, scale: sb }) => {
                let scale = (*sa).max(*sb);
                Numeric::checked(a.mul_pow10(scale - sa).add(&b.mul_pow10(scale - sb)), scale)
            }
            (Repr::NaN, _) | (_, Repr::NaN) | (Repr::PosInf, Repr::NegInf) | (Repr::NegInf, Repr::PosInf) => {
                Ok(Numeric::NAN)
            }
            (Repr::Finite { .. }, _) => Ok(other.clone()),
            _ => Ok(self.clone()),
        }
    }

    /// `self - other`.
    pub fn sub(&self, other: &Numeric) -> Result<Numeric> {
        self.add(&other.neg())
    }

    /// `self * other`.
    pub fn mul(&self, other: &Numeric) -> Result<Numeric> {
        match (&self.0, &other.0) {
            (Repr::Finite { coef: a, scale: sa }, Repr::Finite { coef: b, scale: sb }) => {
                let (product, scale) = (a.mul(b), sa + sb);
                if scale > SCALE_MAX {
                    return Numeric::checked(product.div_pow10_round(scale - SCALE_MAX), SCALE_MAX);
                }
                Numeric::checked(product, scale)
            }
            (Repr::NaN, _) | (_, Repr::NaN) => Ok(Numeric::NAN),
            _ => Ok(match sign_of(self) * sign_of(other) {
                0 => Numeric::NAN,
                s => infinity(s),
            }),
        }
    }

    /// The place of the leading base-10000 digit, and that digit: what the scale of a quotient is chosen by.
    fn leading_group(&self) -> (i64, u32) {
        let (Some(exponent), Repr::Finite { coef, .. }) = (self.exponent(), &self.0) else { return (0, 0) };
        let take = exponent.rem_euclid(4) as usize + 1;
        let digits = coef.magnitude_digits();
        let group = (0..take).fold(0, |v, i| v * 10 + digits.as_bytes().get(i).map_or(0, |d| u32::from(d - b'0')));
        (exponent.div_euclid(4), group)
    }

    /// The scale PostgreSQL gives `self / other`: at least sixteen significant digits, and no less than either input's.
    fn quotient_scale(&self, other: &Numeric) -> u32 {
        let ((weight_a, first_a), (weight_b, first_b)) = (self.leading_group(), other.leading_group());
        let weight = weight_a - weight_b - i64::from(first_a <= first_b);
        let inputs = self.scale().unwrap_or(0).max(other.scale().unwrap_or(0));
        (SIGNIFICANT_DIGITS_MIN - weight * 4).max(inputs.into()).clamp(0, RESULT_SCALE_MAX) as u32
    }

    /// `self / other`.
    pub fn div(&self, other: &Numeric) -> Result<Numeric> {
        if let (Repr::Finite { coef: a, scale: sa }, Repr::Finite { coef: b, scale: sb }) = (&self.0, &other.0) {
            if b.is_zero() {
                return Err(division_by_zero());
            }
            let scale = self.quotient_scale(other);
            // a*10^-sa / b*10^-sb = (a/b) * 10^(sb-sa), wanted in units of 10^-scale.
            let shift = i64::from(scale) + i64::from(*sb) - i64::from(*sa);
            let quotient = if shift >= 0 {
                a.mul_pow10(shift as u32).div_round(b)
            } else {
                a.div_round(&b.mul_pow10(-shift as u32))
            };
            return Numeric::checked(quotient, scale);
        }
        self.div_special(other)
    }

    fn div_special(&self, other: &Numeric) -> Result<Numeric> {
        if self.is_nan() || other.is_nan() {
            return Ok(Numeric::NAN);
        }
        match (self.is_infinite(), other.is_infinite()) {
            (true, true) => Ok(Numeric::NAN),
            (true, false) if other.is_zero() => Err(division_by_zero()),
            (true, false) => Ok(infinity(sign_of(self) * sign_of(other))),
            (false, _) => Ok(Numeric::ZERO),
        }
    }

    /// `div(self, other)`: the quotient truncated to a whole number.
    pub fn div_trunc(&self, other: &Numeric) -> Result<Numeric> {
        if let (Repr::Finite { coef: a, scale: sa }, Repr::Finite { coef: b, scale: sb }) = (&self.0, &other.0) {
            if b.is_zero() {
                return Err(division_by_zero());
            }
            let scale = (*sa).max(*sb);
            let (q, _) = a.mul_pow10(scale - sa).div_rem(&b.mul_pow10(scale - sb));
            return Numeric::checked(q, 0);
        }
        self.div_special(other)
    }

    /// `self % other`: the remainder of the truncated quotient.
    pub fn rem(&self, other: &Numeric) -> Result<Numeric> {
        if let (Repr::Finite { coef: a, scale: sa }, Repr::Finite { coef: b, scale: sb }) = (&self.0, &other.0) {
            if b.is_zero() {
                return Err(division_by_zero());
            }
            let scale = (*sa).max(*sb);
            let (_, r) = a.mul_pow10(scale - sa).div_rem(&b.mul_pow10(scale - sb));
            return Numeric::checked(r, scale);
        }
        if self.is_nan() || other.is_nan() {
            return Ok(Numeric::NAN);
        }
        if self.is_infinite() {
            return if other.is_zero() { Err(division_by_zero()) } else { Ok(Numeric::NAN) };
        }
        Ok(self.clone())
    }

    /// `-self`.
    #[must_use]
    pub fn neg(&self) -> Numeric {
        match &self.0 {
            Repr::Finite { coef, scale } => Numeric::finite(coef.neg(), *scale),
            Repr::NegInf => Numeric::INFINITY,
            Repr::PosInf => Numeric::NEG_INFINITY,
            Repr::NaN => Numeric::NAN,
        }
    }

    /// `abs(self)`.
    #[must_use]
    pub fn abs(&self) -> Numeric {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// `sign(self)`: -1, 0, 1 or NaN.
    #[must_use]
    pub fn sign(&self) -> Numeric {
        if self.is_nan() { Numeric::NAN } else { Numeric::small(sign_of(self).into(), 0) }
    }

    /// `round(self, places)`, half away from zero; negative places round left of the point.
    #[must_use]
    pub fn round(&self, places: i32) -> Numeric {
        self.cut(places, Coef::div_pow10_round)
    }

    /// `trunc(self, places)`.
    #[must_use]
    pub fn trunc(&self, places: i32) -> Numeric {
        self.cut(places, Coef::div_pow10_trunc)
    }

    fn cut(&self, places: i32, divide: fn(&Coef, u32) -> Coef) -> Numeric {
        let Repr::Finite { coef, scale } = &self.0 else { return self.clone() };
        let places = i64::from(places).clamp(-WEIGHT_DIGITS_MAX - 1, SCALE_MAX.into());
        let drop = i64::from(*scale) - places;
        if drop <= 0 {
            return Numeric::finite(coef.mul_pow10(-drop as u32), places as u32);
        }
        let cut = if drop > coef.digits() as i64 { Coef::Int(0) } else { divide(coef, drop as u32) };
        if places >= 0 {
            Numeric::finite(cut, places as u32)
        } else {
            Numeric::finite(cut.mul_pow10(-places as u32), 0)
        }
    }

    /// `ceil(self)`.
    #[must_use]
    pub fn ceil(&self) -> Numeric {
        self.to_whole(Ordering::Greater)
    }

    /// `floor(self)`.
    #[must_use]
    pub fn floor(&self) -> Numeric {
        self.to_whole(Ordering::Less)
    }

    fn to_whole(&self, direction: Ordering) -> Numeric {
        let Repr::Finite { coef, scale } = &self.0 else { return self.clone() };
        let whole = coef.div_pow10_trunc(*scale);
        let side = coef.cmp(&whole.mul_pow10(*scale));
        Numeric::finite(if side == direction { whole.add(&Coef::Int(side as i128)) } else { whole }, 0)
    }

    /// The scaled coefficients of two finite values and their common scale.
    fn aligned(&self, other: &Numeric) -> Option<(Coef, Coef, u32)> {
        let (Repr::Finite { coef: a, scale: sa }, Repr::Finite { coef: b, scale: sb }) = (&self.0, &other.0) else {
            return None;
        };
        let scale = (*sa).max(*sb);
        Some((a.mul_pow10(scale - sa), b.mul_pow10(scale - sb), scale))
    }
}

/// `gcd(a, b)`.
pub fn gcd(a: &Numeric, b: &Numeric) -> Numeric {
    match a.aligned(b) {
        Some((x, y, scale)) => Numeric::finite(Coef::from(x.to_big().gcd(&y.to_big())), scale),
        None => Numeric::NAN,
    }
}

/// `lcm(a, b)`.
pub fn lcm(a: &Numeric, b: &Numeric) -> Result<Numeric> {
    match a.aligned(b) {
        Some((x, y, scale)) => Numeric::checked(Coef::from(x.to_big().lcm(&y.to_big())).abs(), scale),
        None => Ok(Numeric::NAN),
    }
}

/// `factorial(n)`.
pub fn factorial(n: i64) -> Result<Numeric> {
    if n < 0 {
        return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "factorial of a negative number is undefined"));
    }
    if n > 32177 {
        return Err(overflow());
    }
    let product = (2..=n).fold(num_bigint::BigInt::from(1), |p, i| p * i);
    Numeric::checked(Coef::from(product), 0)
}

/// `width_bucket(operand, low, high, count)`.
pub fn width_bucket(operand: &Numeric, low: &Numeric, high: &Numeric, count: i32) -> Result<i32> {
    let bad = |message| SqlError::new(SqlState::INVALID_ARGUMENT_FOR_WIDTH_BUCKET, message);
    if count <= 0 {
        return Err(bad("count must be greater than zero"));
    }
    if operand.is_nan() || low.is_nan() || high.is_nan() {
        return Err(bad("operand, lower bound, and upper bound cannot be NaN"));
    }
    if low.is_infinite() || high.is_infinite() {
        return Err(bad("lower and upper bounds must be finite"));
    }
    let out_of_range = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range");
    let (below, above) = match low.cmp(high) {
        Ordering::Equal => return Err(bad("lower bound cannot equal upper bound")),
        Ordering::Less => (operand < low, operand >= high),
        Ordering::Greater => (operand > low, operand <= high),
    };
    if below {
        return Ok(0);
    }
    if above {
        return count.checked_add(1).ok_or_else(out_of_range);
    }
    let (part, whole) = (operand.sub(low)?.abs(), high.sub(low)?.abs());
    let bucket = part.mul(&Numeric::from(count))?.div_trunc(&whole)?;
    bucket.add(&Numeric::ONE)?.to_i32()
}
