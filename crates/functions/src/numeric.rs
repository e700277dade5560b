//! Arithmetic and functions on `numeric`, and on `money`.

use types::numeric as num;
use types::{Numeric, Result, SqlError, SqlState};

#[ext::module]
pub(crate) mod functions {
    use std::cmp::Ordering;

    use ext::{Fail, Money};

    use super::*;

    #[ext::function(oid = 1724)]
    pub fn add(a: Numeric, b: Numeric) -> Result<Numeric> {
        a.add(&b)
    }

    #[ext::function(oid = 1725)]
    pub fn subtract(a: Numeric, b: Numeric) -> Result<Numeric> {
        a.sub(&b)
    }

    #[ext::function(oid = 1726)]
    pub fn multiply(a: Numeric, b: Numeric) -> Result<Numeric> {
        a.mul(&b)
    }

    #[ext::function(oid = 1727)]
    pub fn divide(a: Numeric, b: Numeric) -> Result<Numeric> {
        a.div(&b)
    }

    #[ext::function(oid = [1728, 1729])]
    pub fn modulo(a: Numeric, b: Numeric) -> Result<Numeric> {
        a.rem(&b)
    }

    #[ext::function(oid = [1973, 1980])]
    pub fn div_trunc(a: Numeric, b: Numeric) -> Result<Numeric> {
        a.div_trunc(&b)
    }

    #[ext::function(oid = 1771)]
    pub fn negate(v: Numeric) -> Numeric {
        v.neg()
    }

    #[ext::function(oid = 1915)]
    pub fn plus_sign(v: Numeric) -> Numeric {
        v
    }

    #[ext::function(oid = [1704, 1705])]
    pub fn abs(v: Numeric) -> Numeric {
        v.abs()
    }

    #[ext::function(oid = 1706)]
    pub fn sign(v: Numeric) -> Numeric {
        v.sign()
    }

    #[ext::function(oid = 1707)]
    pub fn round_to(v: Numeric, places: i32) -> Numeric {
        v.round(places)
    }

    #[ext::function(oid = 1708)]
    pub fn round(v: Numeric) -> Numeric {
        v.round(0)
    }

    #[ext::function(oid = 1709)]
    pub fn trunc_to(v: Numeric, places: i32) -> Numeric {
        v.trunc(places)
    }

    #[ext::function(oid = 1710)]
    pub fn trunc(v: Numeric) -> Numeric {
        v.trunc(0)
    }

    #[ext::function(oid = [1711, 2167])]
    pub fn ceil(v: Numeric) -> Numeric {
        v.ceil()
    }

    #[ext::function(oid = 1712)]
    pub fn floor(v: Numeric) -> Numeric {
        v.floor()
    }

    #[ext::function(oid = [1730, 1731])]
    pub fn sqrt(v: Numeric) -> Result<Numeric> {
        v.sqrt()
    }

    #[ext::function(oid = [1732, 1733])]
    pub fn exp(v: Numeric) -> Result<Numeric> {
        v.exp()
    }

    #[ext::function(oid = [1734, 1735])]
    pub fn ln(v: Numeric) -> Result<Numeric> {
        v.ln()
    }

    #[ext::function(oid = [1481, 1741])]
    pub fn log10(v: Numeric) -> Result<Numeric> {
        v.log10()
    }

    #[ext::function(oid = [1736, 1737])]
    pub fn log(base: Numeric, v: Numeric) -> Result<Numeric> {
        base.log(&v)
    }

    #[ext::function(oid = [1738, 1739, 2169])]
    pub fn power(a: Numeric, b: Numeric) -> Result<Numeric> {
        a.power(&b)
    }

    #[ext::function(oid = 1376)]
    pub fn factorial(n: i64) -> Result<Numeric> {
        num::factorial(n)
    }

    #[ext::function(oid = 5048)]
    pub fn gcd(a: Numeric, b: Numeric) -> Numeric {
        num::gcd(&a, &b)
    }

    #[ext::function(oid = 5049)]
    pub fn lcm(a: Numeric, b: Numeric) -> Result<Numeric> {
        num::lcm(&a, &b)
    }

    #[ext::function(oid = 3281)]
    pub fn scale(v: Numeric) -> Option<i32> {
        v.scale().map(|s| s as i32)
    }

    #[ext::function(oid = 5042)]
    pub fn min_scale(v: Numeric) -> Option<i32> {
        v.min_scale().map(|s| s as i32)
    }

    #[ext::function(oid = 5043)]
    pub fn trim_scale(v: Numeric) -> Numeric {
        v.trim_scale()
    }

    #[ext::function(oid = 2170)]
    pub fn width_bucket(v: Numeric, low: Numeric, high: Numeric, count: i32) -> Result<i32> {
        num::width_bucket(&v, &low, &high, count)
    }

    #[ext::function(oid = 1764)]
    pub fn increment(v: Numeric) -> Result<Numeric> {
        v.add(&Numeric::ONE)
    }

    #[ext::function(oid = 1767)]
    pub fn larger(a: Numeric, b: Numeric) -> Numeric {
        if a.cmp_sql(&b) == Ordering::Greater { a } else { b }
    }

    #[ext::function(oid = 1766)]
    pub fn smaller(a: Numeric, b: Numeric) -> Numeric {
        if a.cmp_sql(&b) == Ordering::Less { a } else { b }
    }

    #[ext::function(oid = 1703)]
    pub fn with_typmod(v: Numeric, typmod: i32) -> Result<Numeric> {
        v.apply_typmod(typmod)
    }

    fn cents(v: f64) -> Result<Money> {
        let v = v.round_ties_even();
        if (-9223372036854775808.0..9223372036854775808.0).contains(&v) {
            Ok(Money(v as i64))
        } else {
            Err(Fail::MoneyOutOfRange.into())
        }
    }

    #[ext::function(oid = 894)]
    pub fn money_add(a: Money, b: Money) -> Result<Money, Fail> {
        a.0.checked_add(b.0).map(Money).ok_or(Fail::MoneyOutOfRange)
    }

    #[ext::function(oid = 895)]
    pub fn money_subtract(a: Money, b: Money) -> Result<Money, Fail> {
        a.0.checked_sub(b.0).map(Money).ok_or(Fail::MoneyOutOfRange)
    }

    #[ext::function(each(i16 = 866, i32 = 864, i64 = 3344))]
    pub fn money_times<T: Into<i64>>(a: Money, b: T) -> Result<Money, Fail> {
        a.0.checked_mul(b.into()).map(Money).ok_or(Fail::MoneyOutOfRange)
    }

    #[ext::function(each(i16 = 863, i32 = 862, i64 = 3399))]
    pub fn times_money<T: Into<i64>>(a: T, b: Money) -> Result<Money, Fail> {
        b.0.checked_mul(a.into()).map(Money).ok_or(Fail::MoneyOutOfRange)
    }

    #[ext::function(each(i16 = 867, i32 = 865, i64 = 3345))]
    pub fn money_over<T: Into<i64>>(a: Money, b: T) -> Result<Money, Fail> {
        let b = b.into();
        if b == 0 {
            return Err(Fail::DivisionByZero);
        }
        a.0.checked_div(b).map(Money).ok_or(Fail::MoneyOutOfRange)
    }

    #[ext::function(each(f32 = 846, f64 = 896))]
    pub fn money_times_float<T: Into<f64>>(a: Money, b: T) -> Result<Money> {
        cents(a.0 as f64 * b.into())
    }

    #[ext::function(each(f32 = 848, f64 = 919))]
    pub fn float_times_money<T: Into<f64>>(a: T, b: Money) -> Result<Money> {
        cents(b.0 as f64 * a.into())
    }

    #[ext::function(each(f32 = 847, f64 = 897))]
    pub fn money_over_float<T: Into<f64>>(a: Money, b: T) -> Result<Money> {
        let b = b.into();
        if b == 0.0 { Err(Fail::DivisionByZero.into()) } else { cents(a.0 as f64 / b) }
    }

    #[ext::function(oid = 3822)]
    pub fn money_over_money(a: Money, b: Money) -> Result<f64, Fail> {
        if b.0 == 0 { Err(Fail::DivisionByZero) } else { Ok(a.0 as f64 / b.0 as f64) }
    }

    #[ext::function(oid = 3823)]
    pub fn money_to_numeric(v: Money) -> Numeric {
        Numeric::small(v.0, 2)
    }

    #[ext::function(oid = 3824)]
    pub fn numeric_to_money(v: Numeric) -> Result<Money> {
        let out = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range");
        let cents = v.mul(&Numeric::small(100, 0))?;
        if !cents.is_finite() {
            return cents.to_i64().map(Money);
        }
        cents.to_i64().map(Money).map_err(|_| out())
    }

    #[ext::function(each(i32 = 3811, i64 = 3812))]
    pub fn to_money<T: Into<i64>>(v: T) -> Result<Money> {
        let out = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range");
        v.into().checked_mul(100).map(Money).ok_or_else(out)
    }
}
