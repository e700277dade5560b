//! `generate_series`.

use ext::{Call, Interval, Timestamp, Timestamptz};
use types::datetime::arith;
use types::{Numeric, Result, SqlError, SqlState};

fn invalid(message: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// An integer type that series run over.
pub trait Counter: Copy + Ord + Send + 'static {
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// The sum, unless it is out of range.
    fn step(self, by: Self) -> Option<Self>;
}

macro_rules! counter {
    ($($ty:ty),*) => {$(
        impl Counter for $ty {
            const ZERO: $ty = 0;
            const ONE: $ty = 1;
            fn step(self, by: $ty) -> Option<$ty> { self.checked_add(by) }
        }
    )*};
}
counter!(i32, i64);

fn count<T: Counter>(from: T, to: T, by: T) -> Result<impl Iterator<Item = Result<T>> + Send> {
    if by == T::ZERO {
        return Err(invalid("step size cannot equal zero"));
    }
    let inside = move |v: &T| if by > T::ZERO { *v <= to } else { *v >= to };
    // A step beyond the type's range ends the series.
    Ok(std::iter::successors(Some(from).filter(inside), move |v| v.step(by).filter(inside)).map(Ok))
}

fn check_numeric(v: &Numeric, what: &str) -> Result<()> {
    if v.is_nan() {
        return Err(invalid(&format!("{what} cannot be NaN")));
    }
    if v.is_infinite() {
        return Err(invalid(&format!("{what} cannot be infinity")));
    }
    Ok(())
}

fn count_numeric(from: Numeric, to: Numeric, by: Numeric) -> Result<impl Iterator<Item = Result<Numeric>> + Send> {
    check_numeric(&from, "start value")?;
    check_numeric(&to, "stop value")?;
    check_numeric(&by, "step size")?;
    if by.is_zero() {
        return Err(invalid("step size cannot equal zero"));
    }
    let falling = by.is_negative();
    let mut next = Some(from);
    Ok(std::iter::from_fn(move || {
        let v = next.take()?;
        let order = v.cmp_sql(&to);
        if if falling { order.is_lt() } else { order.is_gt() } {
            return None;
        }
        match v.add(&by) {
            Ok(n) => next = Some(n),
            Err(e) => return Some(Err(e)),
        }
        Some(Ok(v))
    }))
}

/// Whether an interval moves forward; neither is an error.
fn direction(by: Interval) -> Result<bool> {
    if !by.is_finite() {
        return Err(invalid("step size cannot be infinite"));
    }
    match by.span() {
        0 => Err(invalid("step size cannot equal zero")),
        s => Ok(s > 0),
    }
}

fn moments(
    from: i64,
    to: i64,
    forward: bool,
    step: impl Fn(i64) -> Result<i64> + Send + 'static,
) -> impl Iterator<Item = Result<i64>> + Send {
    let mut next = Some(from);
    std::iter::from_fn(move || {
        let t = next.take()?;
        if if forward { t > to } else { t < to } {
            return None;
        }
        match step(t) {
            Ok(n) => next = Some(n),
            Err(e) => return Some(Err(e)),
        }
        Some(Ok(t))
    })
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::set_function(each(i32 = 1067, i64 = 1069))]
    pub fn series<T: Counter>(from: T, to: T) -> Result<impl Iterator<Item = Result<T>> + Send> {
        count(from, to, T::ONE)
    }

    #[ext::set_function(each(i32 = 1066, i64 = 1068))]
    pub fn series_step<T: Counter>(from: T, to: T, by: T) -> Result<impl Iterator<Item = Result<T>> + Send> {
        count(from, to, by)
    }

    #[ext::set_function(oid = 3260)]
    pub fn numeric_series(from: Numeric, to: Numeric) -> Result<impl Iterator<Item = Result<Numeric>> + Send> {
        count_numeric(from, to, Numeric::ONE)
    }

    #[ext::set_function(oid = 3259)]
    pub fn numeric_series_step(
        from: Numeric,
        to: Numeric,
        by: Numeric,
    ) -> Result<impl Iterator<Item = Result<Numeric>> + Send> {
        count_numeric(from, to, by)
    }

    #[ext::set_function(oid = 938)]
    pub fn timestamp_series(
        from: Timestamp,
        to: Timestamp,
        by: Interval,
    ) -> Result<impl Iterator<Item = Result<Timestamp>> + Send> {
        let forward = direction(by)?;
        let list = moments(from.0, to.0, forward, move |t| arith::add_to_timestamp(t, by));
        Ok(list.map(|t| t.map(Timestamp)))
    }

    #[ext::set_function(oid = 939)]
    pub fn timestamptz_series(
        call: &mut Call<'_>,
        from: Timestamptz,
        to: Timestamptz,
        by: Interval,
    ) -> Result<impl Iterator<Item = Result<Timestamptz>> + Send + use<>> {
        let forward = direction(by)?;
        let zone = call.settings.time_zone.clone();
        let list = moments(from.0, to.0, forward, move |t| arith::add_to_timestamptz(t, by, &zone));
        Ok(list.map(|t| t.map(Timestamptz)))
    }

    #[ext::set_function(oid = 6274)]
    pub fn timestamptz_series_in(
        call: &mut Call<'_>,
        from: Timestamptz,
        to: Timestamptz,
        by: Interval,
        zone: &str,
    ) -> Result<impl Iterator<Item = Result<Timestamptz>> + Send + use<>> {
        let zone = crate::datetime::named_zone(call, zone)?;
        let forward = direction(by)?;
        let list = moments(from.0, to.0, forward, move |t| arith::add_to_timestamptz(t, by, &zone));
        Ok(list.map(|t| t.map(Timestamptz)))
    }
}
