//! Intervals.

use super::*;

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 1168)]
    pub fn interval_negate(v: Interval) -> Result<Interval> {
        arith::negate(v)
    }

    #[ext::function(oid = 1169)]
    pub fn interval_add(a: Interval, b: Interval) -> Result<Interval> {
        arith::add(a, b)
    }

    #[ext::function(oid = 1170)]
    pub fn interval_subtract(a: Interval, b: Interval) -> Result<Interval> {
        arith::subtract(a, b)
    }

    #[ext::function(oid = 1618)]
    pub fn interval_times(v: Interval, n: f64) -> Result<Interval> {
        arith::multiply(v, n)
    }

    #[ext::function(oid = 1624)]
    pub fn times_interval(n: f64, v: Interval) -> Result<Interval> {
        arith::multiply(v, n)
    }

    #[ext::function(oid = 1326)]
    pub fn interval_over(v: Interval, n: f64) -> Result<Interval> {
        arith::divide(v, n)
    }

    #[ext::function(oid = 1198)]
    pub fn interval_larger(a: Interval, b: Interval) -> Interval {
        if a.cmp_sql(b).is_gt() { a } else { b }
    }

    #[ext::function(oid = 1197)]
    pub fn interval_smaller(a: Interval, b: Interval) -> Interval {
        if a.cmp_sql(b).is_lt() { a } else { b }
    }

    #[ext::function(oid = 1295)]
    pub fn justify_days(v: Interval) -> Result<Interval> {
        arith::justify_days(v)
    }

    #[ext::function(oid = 1175)]
    pub fn justify_hours(v: Interval) -> Result<Interval> {
        arith::justify_hours(v)
    }

    #[ext::function(oid = 2711)]
    pub fn justify_interval(v: Interval) -> Result<Interval> {
        arith::justify_interval(v)
    }

    #[ext::function(oid = 3464)]
    pub fn make_interval(y: i32, mo: i32, w: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<Interval> {
        let out = || SqlError::from(Fail::IntervalOutOfRange);
        if !s.is_finite() {
            return Err(out());
        }
        let months = y.checked_mul(12).and_then(|m| m.checked_add(mo)).ok_or_else(out)?;
        let days = w.checked_mul(7).and_then(|n| n.checked_add(d)).ok_or_else(out)?;
        let secs = (s * MICROS_PER_SEC as f64).round_ties_even();
        if secs.is_infinite() {
            return Err(Fail::Overflow.into());
        }
        let secs = ((-9223372036854775808.0..9223372036854775808.0).contains(&secs)).then_some(secs as i64);
        let micros = i64::from(h) * 3600 * MICROS_PER_SEC;
        let micros = micros
            .checked_add(i64::from(mi) * 60 * MICROS_PER_SEC)
            .and_then(|m| m.checked_add(secs?))
            .ok_or_else(out)?;
        Interval::checked(Some(months), Some(days), Some(micros))
    }
}
