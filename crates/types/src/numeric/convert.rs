//! `numeric` to and from the machine's number types.

use num_traits::ToPrimitive;

use super::coef::Coef;
use super::{Numeric, Repr};
use crate::{Result, SqlError, SqlState};

impl Numeric {
    fn to_integer<T: TryFrom<i128>>(&self, type_name: &str) -> Result<T> {
        let special = |what: &str| {
            SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("cannot convert {what} to {type_name}"))
        };
        let coef = match &self.0 {
            Repr::NaN => return Err(special("NaN")),
            Repr::PosInf | Repr::NegInf => return Err(special("infinity")),
            Repr::Finite { coef, scale } => coef.div_pow10_round(*scale),
        };
        if let Coef::Int(i) = coef
            && let Ok(v) = T::try_from(i)
        {
            return Ok(v);
        }
        Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, format!("{type_name} out of range")))
    }

    /// Rounded to `int2`.
    pub fn to_i16(&self) -> Result<i16> {
        self.to_integer("smallint")
    }

    /// Rounded to `int4`.
    pub fn to_i32(&self) -> Result<i32> {
        self.to_integer("integer")
    }

    /// Rounded to `int8`.
    pub fn to_i64(&self) -> Result<i64> {
        self.to_integer("bigint")
    }

    /// The nearest `float8`.
    pub fn to_f64(&self) -> Result<f64> {
        match &self.0 {
            Repr::NaN => Ok(f64::NAN),
            Repr::PosInf => Ok(f64::INFINITY),
            Repr::NegInf => Ok(f64::NEG_INFINITY),
            Repr::Finite { coef: Coef::Int(i), scale } if i.unsigned_abs() < 1 << 53 && *scale <= 22 => {
                // Both operands are exact, so one division rounds once.
                Ok(*i as f64 / 10f64.powi(*scale as i32))
            }
            Repr::Finite { .. } => crate::io::float::parse_f64(&self.to_string()),
        }
    }

    /// The nearest `float4`.
    pub fn to_f32(&self) -> Result<f32> {
        match &self.0 {
            Repr::NaN => Ok(f32::NAN),
            Repr::PosInf => Ok(f32::INFINITY),
            Repr::NegInf => Ok(f32::NEG_INFINITY),
            Repr::Finite { .. } => crate::io::float::parse_f32(&self.to_string()),
        }
    }

    /// An approximation that never fails: out of range is infinite or zero.
    pub(crate) fn approximate(&self) -> f64 {
        match &self.0 {
            Repr::NaN => f64::NAN,
            Repr::PosInf => f64::INFINITY,
            Repr::NegInf => f64::NEG_INFINITY,
            Repr::Finite { coef: Coef::Int(i), scale } if *scale < 300 => *i as f64 / 10f64.powi(*scale as i32),
            Repr::Finite { coef: Coef::Big(b), scale: 0 } => b.to_f64().unwrap_or(f64::INFINITY),
            Repr::Finite { .. } => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// `float8` to `numeric`: fifteen significant digits, as PostgreSQL casts it.
    pub fn from_f64(v: f64) -> Numeric {
        Numeric::from_float(v, 15)
    }

    /// `float4` to `numeric`: six significant digits, as PostgreSQL casts it.
    pub fn from_f32(v: f32) -> Numeric {
        Numeric::from_float(f64::from(v), 6)
    }

    fn from_float(v: f64, digits: usize) -> Numeric {
        if v.is_nan() {
            return Numeric::NAN;
        }
        if v.is_infinite() {
            return if v > 0.0 { Numeric::INFINITY } else { Numeric::NEG_INFINITY };
        }
        let text = format!("{v:.*e}", digits - 1);
        let Ok(n) = Numeric::parse(&text) else { return Numeric::NAN };
        n.trim_scale()
    }

    /// The value as an `i128` when it is a whole number that fits.
    pub fn to_i128_exact(&self) -> Option<i128> {
        match &self.trim_scale().0 {
            Repr::Finite { coef: Coef::Int(i), scale: 0 } => Some(*i),
            _ => None,
        }
    }
}
