//! The integer coefficient of a `numeric`: machine arithmetic while it fits 128 bits, `BigInt` beyond.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

/// A signed integer. Canonical: `Big` only when the value does not fit `-i128::MAX..=i128::MAX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Coef {
    Int(i128),
    Big(BigInt),
}

/// `10^n` while it fits.
pub(crate) fn pow10_i128(n: u32) -> Option<i128> {
    (n <= 38).then(|| 10i128.pow(n))
}

/// `10^n`.
pub(crate) fn pow10(n: u32) -> BigInt {
    match pow10_i128(n) {
        Some(p) => BigInt::from(p),
        None => BigInt::from(BigUint::from(10u8).pow(n)),
    }
}

impl From<BigInt> for Coef {
    fn from(b: BigInt) -> Coef {
        match b.to_i128() {
            Some(i) if i != i128::MIN => Coef::Int(i),
            _ => Coef::Big(b),
        }
    }
}
impl From<i128> for Coef {
    fn from(i: i128) -> Coef {
        if i == i128::MIN { Coef::Big(BigInt::from(i)) } else { Coef::Int(i) }
    }
}

impl Coef {
    pub(crate) fn to_big(&self) -> BigInt {
        match self {
            Coef::Int(i) => BigInt::from(*i),
            Coef::Big(b) => b.clone(),
        }
    }

    pub(crate) fn to_i64(&self) -> Option<i64> {
        match self {
            Coef::Int(i) => i64::try_from(*i).ok(),
            Coef::Big(_) => None,
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        matches!(self, Coef::Int(0))
    }

    pub(crate) fn is_negative(&self) -> bool {
        match self {
            Coef::Int(i) => *i < 0,
            Coef::Big(b) => b.is_negative(),
        }
    }

    pub(crate) fn signum(&self) -> i8 {
        if self.is_zero() {
            0
        } else if self.is_negative() {
            -1
        } else {
            1
        }
    }

    pub(crate) fn neg(&self) -> Coef {
        match self {
            Coef::Int(i) => Coef::Int(-i),
            Coef::Big(b) => Coef::from(-b),
        }
    }

    pub(crate) fn abs(&self) -> Coef {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    pub(crate) fn add(&self, other: &Coef) -> Coef {
        if let (Coef::Int(a), Coef::Int(b)) = (self, other)
            && let Some(sum) = a.checked_add(*b)
        {
            return Coef::from(sum);
        }
        Coef::from(self.to_big() + other.to_big())
    }

    pub(crate) fn mul(&self, other: &Coef) -> Coef {
        if let (Coef::Int(a), Coef::Int(b)) = (self, other)
            && let Some(product) = a.checked_mul(*b)
        {
            return Coef::from(product);
        }
        Coef::from(self.to_big() * other.to_big())
    }

    /// Quotient and remainder, truncating; `other` is not zero.
    pub(crate) fn div_rem(&self, other: &Coef) -> (Coef, Coef) {
        if let (Coef::Int(a), Coef::Int(b)) = (self, other) {
            return (Coef::Int(a / b), Coef::Int(a % b));
        }
        let (q, r) = self.to_big().div_rem(&other.to_big());
        (Coef::from(q), Coef::from(r))
    }

    /// The quotient rounded half away from zero; `other` is not zero.
    pub(crate) fn div_round(&self, other: &Coef) -> Coef {
        let (q, r) = self.div_rem(other);
        if r.abs().mul(&Coef::Int(2)).cmp(&other.abs()) == Ordering::Less {
            return q;
        }
        let away = if self.is_negative() == other.is_negative() { 1 } else { -1 };
        q.add(&Coef::Int(away))
    }

    pub(crate) fn mul_pow10(&self, n: u32) -> Coef {
        if n == 0 || self.is_zero() {
            return self.clone();
        }
        if let (Coef::Int(i), Some(p)) = (self, pow10_i128(n))
            && let Some(product) = i.checked_mul(p)
        {
            return Coef::from(product);
        }
        Coef::from(self.to_big() * pow10(n))
    }

    pub(crate) fn div_pow10_trunc(&self, n: u32) -> Coef {
        if n == 0 {
            return self.clone();
        }
        match (self, pow10_i128(n)) {
            (Coef::Int(i), Some(p)) => Coef::Int(i / p),
            (Coef::Int(_), None) => Coef::Int(0),
            (Coef::Big(b), _) => Coef::from(b / pow10(n)),
        }
    }

    /// `self / 10^n`, rounded half away from zero.
    pub(crate) fn div_pow10_round(&self, n: u32) -> Coef {
        if n == 0 {
            return self.clone();
        }
        match (self, pow10_i128(n)) {
            (Coef::Int(i), Some(p)) => {
                let (q, r) = (i / p, i % p);
                // `r` is at most p - 1, so p - |r| cannot overflow where 2 * |r| might.
                let up = r.unsigned_abs() >= p.unsigned_abs() - r.unsigned_abs();
                Coef::Int(if up { q + i.signum() } else { q })
            }
            // 10^39 is more than twice any i128.
            (Coef::Int(_), None) => Coef::Int(0),
            (Coef::Big(_), _) => self.div_round(&Coef::from(pow10(n))),
        }
    }

    /// Count of decimal digits; 0 for zero.
    pub(crate) fn digits(&self) -> u64 {
        match self {
            Coef::Int(0) => 0,
            Coef::Int(i) => i.unsigned_abs().ilog10() as u64 + 1,
            Coef::Big(b) => {
                let bits = b.bits();
                // floor(log10 2^(bits-1)) is the digit count less one, or one too low.
                let low = ((bits - 1) as f64 * std::f64::consts::LOG10_2) as u64;
                let at_least = |n: u64| b.magnitude() >= pow10(n as u32).magnitude();
                let mut n = low.saturating_sub(1);
                while at_least(n) {
                    n += 1;
                }
                n
            }
        }
    }

    /// How many trailing decimal zeros, `max` at most; all `max` of zero.
    pub(crate) fn trailing_zeros(&self, max: u32) -> u32 {
        match self {
            Coef::Int(0) => max,
            Coef::Int(i) => {
                let (mut n, mut v) = (0, i.unsigned_abs());
                while n < max && v % 10 == 0 {
                    v /= 10;
                    n += 1;
                }
                n
            }
            Coef::Big(b) => {
                let text = b.magnitude().to_str_radix(10);
                ((text.len() - text.trim_end_matches('0').len()) as u32).min(max)
            }
        }
    }

    /// The magnitude's decimal digits.
    pub(crate) fn magnitude_digits(&self) -> String {
        match self {
            Coef::Int(i) => itoa::Buffer::new().format(i.unsigned_abs()).to_owned(),
            Coef::Big(b) => b.magnitude().to_str_radix(10),
        }
    }

    /// The integer written by the ASCII digits of `digits`; empty is zero.
    pub(crate) fn from_digits(digits: &[u8]) -> Coef {
        if digits.len() <= 38 {
            let v = digits.iter().fold(0i128, |v, d| v * 10 + i128::from(d - b'0'));
            return Coef::Int(v);
        }
        BigInt::parse_bytes(digits, 10).map_or_else(|| Coef::from(BigInt::zero()), Coef::from)
    }
}

impl PartialOrd for Coef {
    fn partial_cmp(&self, other: &Coef) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Coef {
    fn cmp(&self, other: &Coef) -> Ordering {
        match (self, other) {
            (Coef::Int(a), Coef::Int(b)) => a.cmp(b),
            (Coef::Big(a), Coef::Big(b)) => a.cmp(b),
            (Coef::Int(_), Coef::Big(b)) => 0i8.cmp(&if b.is_negative() { -1 } else { 1 }),
            (Coef::Big(a), Coef::Int(_)) => (if a.is_negative() { -1i8 } else { 1 }).cmp(&0),
        }
    }
}
