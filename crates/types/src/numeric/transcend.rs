//! Roots, powers, exponentials and logarithms of `numeric`.
//!
//! Values are binary fixed-point integers with guard bits; only the final rounding to the result's scale, which follows
//! PostgreSQL's rules, is visible.

use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::arith::{RESULT_SCALE_MAX, SIGNIFICANT_DIGITS_MIN};
use super::coef::{Coef, pow10};
use super::{Numeric, Repr, SCALE_MAX, WEIGHT_DIGITS_MAX, overflow};
use crate::{Result, SqlError, SqlState};

/// log10(e).
const LOG10_E: f64 = std::f64::consts::LOG10_E;
/// Exponents of e beyond this overflow or vanish.
const EXPONENT_MAX: f64 = 6000.0;
/// Decimal digits computed beyond those shown.
const GUARD_DIGITS: i64 = 12;
/// An exact power of more digits than this is computed through logarithms instead.
const EXACT_DIGITS_MAX: f64 = 8000.0;

fn bits_of(digits: i64) -> u64 {
    (digits.max(1) as f64 * std::f64::consts::LOG2_10) as u64 + 8
}

/// The nearest integer to `value / 2^bits`.
fn shift_round(value: &BigInt, bits: u64) -> BigInt {
    if bits == 0 {
        return value.clone();
    }
    (value + (BigInt::one() << (bits - 1))) >> bits
}

/// 2^bits * atanh(1/n) for an integer n.
fn atanh_inverse(n: u32, bits: u64) -> BigInt {
    let square = BigInt::from(n) * n;
    let mut power = (BigInt::one() << bits) / n;
    let (mut sum, mut k) = (power.clone(), 1u32);
    while !power.is_zero() {
        power /= &square;
        k += 2;
        sum += &power / k;
    }
    sum
}

/// 2^bits * ln 2.
fn ln2(bits: u64) -> BigInt {
    let b = bits + 16;
    (atanh_inverse(26, b) * 18 - atanh_inverse(4801, b) * 2 + atanh_inverse(8749, b) * 8) >> 16u32
}

/// e^(x / 2^bits) as a fixed-point mantissa and a power of two to multiply it by.
fn exp_fixed(x: &BigInt, bits: u64) -> (BigInt, i64) {
    let squarings = ((bits as f64).sqrt() / 2.0) as u64 + 2;
    let b = bits + squarings * 2 + 16;
    let x = x << (b - bits);
    let ln2 = ln2(b);
    let n = (&x + (&ln2 >> 1u32)).div_floor(&ln2);
    let r = (x - &n * ln2) >> squarings;
    let (mut term, mut sum, mut k) = (BigInt::one() << b, BigInt::one() << b, 1u32);
    loop {
        term = (term * &r) >> b;
        term /= k;
        // A shift of a negative number never reaches zero.
        if term.is_zero() || term == BigInt::from(-1) {
            break;
        }
        sum += &term;
        k += 1;
    }
    for _ in 0..squarings {
        sum = (&sum * &sum) >> b;
    }
    (sum >> (b - bits), n.to_i64().unwrap_or(i64::MAX))
}

/// 2^bits * ln(numerator / denominator), both positive.
fn ln_fixed(numerator: &BigInt, denominator: &BigInt, bits: u64) -> BigInt {
    let roots = 10u64;
    let b = bits + roots + 24;
    let mut exponent = numerator.bits() as i64 - denominator.bits() as i64;
    let scaled = |e: i64| {
        let shift = b as i64 - e;
        if shift >= 0 {
            (numerator << shift as u64) / denominator
        } else {
            numerator / (denominator << (-shift) as u64)
        }
    };
    let mut m = scaled(exponent);
    let one = BigInt::one() << b;
    // Bring m near 1: between 3/4 and 3/2.
    if m > &one + (&one >> 1u32) {
        exponent += 1;
        m = scaled(exponent);
    } else if m < &one - (&one >> 2u32) {
        exponent -= 1;
        m = scaled(exponent);
    }
    for _ in 0..roots {
        m = (m << b).sqrt();
    }
    // ln m = 2 atanh((m - 1) / (m + 1))
    let t = ((&m - &one) << b) / (&m + &one);
    let square = (&t * &t) >> b;
    let (mut power, mut sum, mut k) = (t.clone(), t, 1u32);
    loop {
        power = (power * &square) >> b;
        k += 2;
        let term = &power / k;
        if term.is_zero() {
            break;
        }
        sum += term;
    }
    let ln_m = sum << (roots + 1);
    (ln_m + ln2(b) * exponent) >> (b - bits)
}

fn error(state: SqlState, message: &str) -> SqlError {
    SqlError::new(state, message)
}

/// Leading digits as a float, and the power of ten they count: `f * 10^p` is about the value.
fn leading(coef: &Coef, scale: u32) -> (f64, i64) {
    let digits = coef.magnitude_digits();
    let take = digits.len().min(16);
    let f = digits[..take].parse::<f64>().unwrap_or(0.0);
    (f, digits.len() as i64 - take as i64 - i64::from(scale))
}

impl Numeric {
    fn parts(&self) -> Option<(&Coef, u32)> {
        match &self.0 {
            Repr::Finite { coef, scale } => Some((coef, *scale)),
            _ => None,
        }
    }

    /// The value as 2^bits fixed point.
    fn to_fixed(&self, bits: u64) -> BigInt {
        let Some((coef, scale)) = self.parts() else { return BigInt::zero() };
        let shifted: BigInt = coef.to_big() << bits;
        let ten = pow10(scale);
        // Rounded, so that the error is half a unit.
        Integer::div_floor(&(shifted * 2i32 + &ten), &(ten * 2i32))
    }

    /// The number `value / 2^bits` at `scale`.
    fn of_fixed(value: &BigInt, bits: i64, scale: u32) -> Result<Numeric> {
        let scaled = value * pow10(scale);
        let coef = if bits >= 0 { shift_round(&scaled, bits as u64) } else { scaled << (-bits) as u64 };
        Numeric::checked(Coef::from(coef), scale)
    }

    /// `sqrt(self)`.
    pub fn sqrt(&self) -> Result<Numeric> {
        if self.is_negative() {
            return Err(error(
                SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION,
                "cannot take square root of a negative number",
            ));
        }
        let Some((_, scale)) = self.parts() else { return Ok(self.clone()) };
        let weight = self.exponent().map_or(0, |e| e.div_euclid(4));
        let half = if weight >= 0 { weight * 4 / 2 + 1 } else { 1 - (1 - weight * 4) / 2 };
        let rscale = (SIGNIFICANT_DIGITS_MIN - half).max(scale.into()).clamp(0, RESULT_SCALE_MAX) as u32;
        self.sqrt_at(rscale)
    }

    /// `sqrt(self)` of a number not negative, at scale `rscale`.
    pub fn sqrt_at(&self, rscale: u32) -> Result<Numeric> {
        let Some((coef, scale)) = self.parts() else { return Ok(self.clone()) };
        // sqrt(c * 10^-s) * 10^r = sqrt(c * 10^(2r - s)); one more digit decides the rounding.
        let shift = 2 * (i64::from(rscale) + 1) - i64::from(scale);
        let big = coef.to_big();
        let scaled = if shift >= 0 { big * pow10(shift as u32) } else { big / pow10(-shift as u32) };
        let root = scaled.sqrt();
        Numeric::checked(Coef::from(root).div_pow10_round(1), rscale)
    }

    /// `exp(self)`.
    pub fn exp(&self) -> Result<Numeric> {
        let Some((_, scale)) = self.parts() else {
            return Ok(match self.0 {
                Repr::NegInf => Numeric::ZERO,
                _ => self.clone(),
            });
        };
        let x = self.approximate();
        let digits = (x * LOG10_E).clamp(-2000.0, 2000.0) as i64;
        let rscale = (SIGNIFICANT_DIGITS_MIN - digits).max(scale.into()).clamp(0, RESULT_SCALE_MAX) as u32;
        if x.abs() >= EXPONENT_MAX {
            return if x > 0.0 { Err(overflow()) } else { Ok(Numeric::finite(Coef::Int(0), rscale)) };
        }
        let bits = bits_of(i64::from(rscale) + (x * LOG10_E).abs() as i64 + GUARD_DIGITS);
        let (mantissa, power) = exp_fixed(&self.to_fixed(bits), bits);
        Numeric::of_fixed(&mantissa, bits as i64 - power, rscale)
    }

    /// Decimal places by which the logarithm's leading digit lies left of the point; an estimate, PostgreSQL's own.
    fn ln_weight(&self) -> i64 {
        let Some((coef, scale)) = self.parts() else { return 0 };
        let near = |n: i64| Numeric::small(n, 1);
        if *self >= near(9) && *self <= near(11) {
            let one = Coef::Int(1).mul_pow10(scale);
            let x = Numeric::finite(coef.add(&one.neg()), scale);
            return x.exponent().unwrap_or(0);
        }
        // Rounding an eight digit prefix could change only estimates at a power of ten.
        let exponent = self.exponent().unwrap_or(0);
        let group = exponent.rem_euclid(4) + 1 + 4;
        let digits = coef.magnitude_digits();
        let prefix: String = digits.chars().chain(std::iter::repeat('0')).take(group as usize).collect();
        let lead = prefix.parse::<f64>().unwrap_or(1.0);
        let ln = lead.ln() + (exponent + 1 - group) as f64 * std::f64::consts::LN_10;
        ln.abs().log10() as i64
    }

    fn check_logarithm(&self) -> Result<()> {
        let bad = |m| Err(error(SqlState::INVALID_ARGUMENT_FOR_LOG, m));
        if self.is_negative() {
            return bad("cannot take logarithm of a negative number");
        }
        if self.is_zero() {
            return bad("cannot take logarithm of zero");
        }
        Ok(())
    }

    /// ln of a positive finite value as 2^bits fixed point.
    fn ln_bits(&self, bits: u64) -> BigInt {
        let Some((coef, scale)) = self.parts() else { return BigInt::zero() };
        ln_fixed(&coef.to_big(), &pow10(scale), bits)
    }

    /// `ln(self)`.
    pub fn ln(&self) -> Result<Numeric> {
        if self.is_nan() {
            return Ok(Numeric::NAN);
        }
        self.check_logarithm()?;
        let Some((_, scale)) = self.parts() else { return Ok(self.clone()) };
        let rscale = (SIGNIFICANT_DIGITS_MIN - self.ln_weight()).max(scale.into()).clamp(0, RESULT_SCALE_MAX) as u32;
        let bits = bits_of(i64::from(rscale) + GUARD_DIGITS);
        Numeric::of_fixed(&self.ln_bits(bits), bits as i64, rscale)
    }

    /// `log(self)`: to base 10.
    pub fn log10(&self) -> Result<Numeric> {
        Numeric::small(10, 0).log(self)
    }

    /// `log(self, x)`: the logarithm of `x` to base `self`.
    pub fn log(&self, x: &Numeric) -> Result<Numeric> {
        if self.is_nan() || x.is_nan() {
            return Ok(Numeric::NAN);
        }
        let bad = |m| Err(error(SqlState::INVALID_ARGUMENT_FOR_LOG, m));
        if self.is_negative() || x.is_negative() {
            return bad("cannot take logarithm of a negative number");
        }
        if self.is_zero() || x.is_zero() {
            return bad("cannot take logarithm of zero");
        }
        let (Some((_, scale_b)), Some((_, scale_x))) = (self.parts(), x.parts()) else {
            return Ok(match (self.is_infinite(), x.is_infinite()) {
                (true, true) => Numeric::NAN,
                (true, false) => Numeric::ZERO,
                _ => Numeric::INFINITY,
            });
        };
        let rscale = (SIGNIFICANT_DIGITS_MIN - (x.ln_weight() - self.ln_weight()))
            .max(scale_b.into())
            .max(scale_x.into())
            .clamp(0, RESULT_SCALE_MAX) as u32;
        // The smaller the base's logarithm, the more digits its inverse takes.
        let slack = 2 * self.ln_weight().abs() + x.ln_weight().abs();
        let bits = bits_of(i64::from(rscale) + GUARD_DIGITS + slack);
        let base = self.ln_bits(bits);
        if base.is_zero() || *self == Numeric::ONE {
            return Err(error(SqlState::DIVISION_BY_ZERO, "division by zero"));
        }
        let ln_x = x.ln_bits(bits);
        let quotient = Coef::from(ln_x * pow10(rscale)).div_round(&Coef::from(base));
        Numeric::checked(quotient, rscale)
    }

    /// `self ^ exponent`.
    pub fn power(&self, exponent: &Numeric) -> Result<Numeric> {
        if self.is_nan() || exponent.is_nan() {
            let one = (exponent.is_zero() && self.is_nan()) || (!self.is_nan() && *self == Numeric::ONE);
            return Ok(if one { Numeric::ONE } else { Numeric::NAN });
        }
        let bad = |m| Err(error(SqlState::INVALID_ARGUMENT_FOR_POWER_FUNCTION, m));
        if self.is_zero() && exponent.is_negative() {
            return bad("zero raised to a negative power is undefined");
        }
        let whole = exponent.parts().map(|(c, s)| c.trailing_zeros(s) >= s);
        if self.is_negative() && whole == Some(false) {
            return bad("a negative number raised to a non-integer power yields a complex result");
        }
        if !self.is_finite() || !exponent.is_finite() {
            return Ok(self.power_infinite(exponent));
        }
        if whole == Some(true)
            && let Some(Ok(n)) = exponent.to_i128_exact().map(i32::try_from)
        {
            return self.power_int(n, exponent.scale().unwrap_or(0));
        }
        self.power_real(exponent, whole == Some(true))
    }

    /// The cases with an infinity, as POSIX `pow` has them.
    fn power_infinite(&self, exponent: &Numeric) -> Numeric {
        use std::cmp::Ordering::{Equal, Greater, Less};
        if exponent.is_infinite() {
            let rising = !exponent.is_negative();
            return match (self.abs().cmp(&Numeric::ONE), rising) {
                (Equal, _) => Numeric::ONE,
                (Greater, true) | (Less, false) => Numeric::INFINITY,
                _ => Numeric::ZERO,
            };
        }
        if exponent.is_zero() {
            return Numeric::ONE;
        }
        if exponent.is_negative() {
            return Numeric::ZERO;
        }
        let odd = exponent.rem(&Numeric::small(2, 0)).is_ok_and(|r| !r.is_zero());
        if self.is_negative() && odd { Numeric::NEG_INFINITY } else { Numeric::INFINITY }
    }

    fn power_int(&self, n: i32, exponent_scale: u32) -> Result<Numeric> {
        let Some((coef, scale)) = self.parts() else { return Ok(Numeric::NAN) };
        if coef.is_zero() && n != 0 {
            return Ok(Numeric::finite(Coef::Int(0), SIGNIFICANT_DIGITS_MIN as u32));
        }
        let weight = if coef.is_zero() {
            0.0
        } else {
            let (f, p) = leading(coef, scale);
            f64::from(n) * (f.log10() + p as f64)
        };
        if weight > WEIGHT_DIGITS_MAX as f64 {
            return Err(overflow());
        }
        if weight + 1.0 < -f64::from(SCALE_MAX) {
            return Ok(Numeric::finite(Coef::Int(0), RESULT_SCALE_MAX as u32));
        }
        let rscale = (SIGNIFICANT_DIGITS_MIN - weight as i64)
            .max(scale.into())
            .max(exponent_scale.into())
            .clamp(0, RESULT_SCALE_MAX) as u32;
        let times = n.unsigned_abs();
        // Trailing zeros of the base only lengthen the exact power.
        let zeros = coef.trailing_zeros(scale);
        let (coef, scale) = (coef.div_pow10_trunc(zeros), scale - zeros);
        if coef.digits() as f64 * f64::from(times) > EXACT_DIGITS_MAX && coef.abs() != Coef::Int(1) && scale > 0 {
            let result = self.abs().exp_of_product(&Numeric::from(n), weight, rscale)?;
            return Ok(if self.is_negative() && n % 2 != 0 { result.neg() } else { result });
        }
        let magnitude = BigUint::pow(coef.to_big().magnitude(), times);
        let mut power = BigInt::from(magnitude);
        if coef.is_negative() && !times.is_multiple_of(2) {
            power = -power;
        }
        let power_scale = i64::from(scale) * i64::from(times);
        let rscale_wide = i64::from(rscale);
        let result = if n >= 0 {
            let drop = power_scale - rscale_wide;
            if drop >= 0 {
                Coef::from(power).div_round(&Coef::from(pow10(drop as u32)))
            } else {
                Coef::from(power * pow10(-drop as u32))
            }
        } else {
            Coef::from(pow10((power_scale + rscale_wide) as u32)).div_round(&Coef::from(power))
        };
        Numeric::checked(result, rscale)
    }

    fn power_real(&self, exponent: &Numeric, whole: bool) -> Result<Numeric> {
        if self.is_zero() {
            return Ok(Numeric::finite(Coef::Int(0), SIGNIFICANT_DIGITS_MIN as u32));
        }
        let odd = whole && exponent.rem(&Numeric::small(2, 0)).is_ok_and(|r| !r.is_zero());
        let base = self.abs();
        // PostgreSQL estimates the result's size from a logarithm of about eight digits; its scale depends on that.
        let local = (8 - base.ln_weight()).clamp(0, 2 * RESULT_SCALE_MAX) as u32;
        let bits = bits_of(i64::from(local) + GUARD_DIGITS);
        let ln = Numeric::of_fixed(&base.ln_bits(bits), bits as i64, local)?;
        let product = match ln.mul(exponent) {
            Ok(p) => p.round(local as i32),
            Err(_) => return Err(overflow()),
        };
        let estimate = product.approximate();
        if !estimate.is_finite() || estimate.abs() > EXPONENT_MAX * 1.0033 {
            if estimate > 0.0 || estimate.is_nan() {
                return Err(overflow());
            }
            return Ok(Numeric::finite(Coef::Int(0), RESULT_SCALE_MAX as u32));
        }
        let weight = estimate * LOG10_E;
        let scales = self.scale().unwrap_or(0).max(exponent.scale().unwrap_or(0));
        let rscale = (SIGNIFICANT_DIGITS_MIN - weight as i64).max(scales.into()).clamp(0, RESULT_SCALE_MAX) as u32;
        let result = base.exp_of_product(exponent, weight, rscale)?;
        Ok(if self.is_negative() && odd { result.neg() } else { result })
    }

    /// e^(ln self * factor), of about `weight` digits before the point, at `rscale`.
    fn exp_of_product(&self, factor: &Numeric, weight: f64, rscale: u32) -> Result<Numeric> {
        let significant = i64::from(rscale) + (weight.abs() as i64) + GUARD_DIGITS;
        let factor_digits = factor.exponent().unwrap_or(0).abs() + 1;
        let bits = bits_of(significant + factor_digits);
        let Some((coef, scale)) = factor.parts() else { return Ok(Numeric::NAN) };
        let product = Integer::div_floor(&(self.ln_bits(bits) * coef.to_big()), &pow10(scale));
        let (mantissa, power) = exp_fixed(&product, bits);
        debug_assert!(!mantissa.is_negative());
        Numeric::of_fixed(&mantissa, bits as i64 - power, rscale)
    }
}
