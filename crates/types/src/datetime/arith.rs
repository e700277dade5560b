//! Arithmetic of dates, timestamps and intervals.

use std::cmp::Ordering;

use jiff::tz::TimeZone;

use super::*;

/// Sums an infinite operand decides: the sign, or an error if the two pull apart.
fn infinite_sum(a: i32, b: i32, clash: fn() -> SqlError) -> Result<i32> {
    match (a, b) {
        (0, s) | (s, 0) => Ok(s),
        (a, b) if a == b => Ok(a),
        _ => Err(clash()),
    }
}

/// -1, 0 or 1: whether a timestamp is -infinity, finite or infinity.
fn timestamp_infinity(t: i64) -> i32 {
    match t {
        TIMESTAMP_INFINITY => 1,
        TIMESTAMP_NEG_INFINITY => -1,
        _ => 0,
    }
}

fn interval_infinity(v: Interval) -> i32 {
    match v {
        Interval::INFINITY => 1,
        Interval::NEG_INFINITY => -1,
        _ => 0,
    }
}

fn infinite_timestamp(sign: i32) -> i64 {
    if sign > 0 { TIMESTAMP_INFINITY } else { TIMESTAMP_NEG_INFINITY }
}

fn infinite_interval(sign: i32) -> Interval {
    if sign > 0 { Interval::INFINITY } else { Interval::NEG_INFINITY }
}

fn valid(t: Option<i64>) -> Result<i64> {
    t.filter(|t| is_valid_timestamp(*t)).ok_or_else(timestamp_out_of_range)
}

/// The date so many months on; a day past the month's end becomes its last.
fn add_months(local: i64, months: i32) -> Option<i64> {
    let mut c = Civil::from_micros(local);
    let total = c.year * 12 + i64::from(c.month) - 1 + i64::from(months);
    c.year = total.div_euclid(12);
    c.month = total.rem_euclid(12) as u32 + 1;
    c.day = c.day.min(days_in_month(c.year, c.month.into()) as u32);
    micros_from_parts(c.days(), c.time_micros())
}

fn add_days(local: i64, days: i32) -> Option<i64> {
    local.checked_add(i64::from(days).checked_mul(MICROS_PER_DAY)?)
}

/// `timestamp + interval`: months, then days, then the rest.
pub fn add_to_timestamp(t: i64, v: Interval) -> Result<i64> {
    let sign = infinite_sum(timestamp_infinity(t), interval_infinity(v), timestamp_out_of_range)?;
    if sign != 0 {
        return Ok(infinite_timestamp(sign));
    }
    let mut t = t;
    if v.months != 0 {
        t = valid(add_months(t, v.months))?;
    }
    if v.days != 0 {
        t = valid(add_days(t, v.days))?;
    }
    valid(t.checked_add(v.micros))
}

/// `timestamptz + interval`: months and days by the zone's calendar, the rest as elapsed time.
pub fn add_to_timestamptz(t: i64, v: Interval, zone: &TimeZone) -> Result<i64> {
    let sign = infinite_sum(timestamp_infinity(t), interval_infinity(v), timestamp_out_of_range)?;
    if sign != 0 {
        return Ok(infinite_timestamp(sign));
    }
    let in_zone = |t: i64, f: &dyn Fn(i64) -> Option<i64>| {
        valid(zone::utc_to_local(zone, t).and_then(f).and_then(|l| zone::local_to_utc(zone, l)))
    };
    let mut t = t;
    if v.months != 0 {
        t = in_zone(t, &|l| add_months(l, v.months))?;
    }
    if v.days != 0 {
        t = in_zone(t, &|l| add_days(l, v.days))?;
    }
    valid(t.checked_add(v.micros))
}

/// `-interval`.
pub fn negate(v: Interval) -> Result<Interval> {
    match interval_infinity(v) {
        0 => Interval::checked(v.months.checked_neg(), v.days.checked_neg(), v.micros.checked_neg()),
        s => Ok(infinite_interval(-s)),
    }
}

/// `interval + interval`.
pub fn add(a: Interval, b: Interval) -> Result<Interval> {
    let sign = infinite_sum(interval_infinity(a), interval_infinity(b), interval_out_of_range)?;
    if sign != 0 {
        return Ok(infinite_interval(sign));
    }
    Interval::checked(a.months.checked_add(b.months), a.days.checked_add(b.days), a.micros.checked_add(b.micros))
}

/// `interval - interval`.
pub fn subtract(a: Interval, b: Interval) -> Result<Interval> {
    let sign = infinite_sum(interval_infinity(a), -interval_infinity(b), interval_out_of_range)?;
    if sign != 0 {
        return Ok(infinite_interval(sign));
    }
    Interval::checked(a.months.checked_sub(b.months), a.days.checked_sub(b.days), a.micros.checked_sub(b.micros))
}

/// `timestamp - interval`.
pub fn subtract_from_timestamp(t: i64, v: Interval) -> Result<i64> {
    add_to_timestamp(t, negate(v)?)
}

/// `timestamptz - interval`.
pub fn subtract_from_timestamptz(t: i64, v: Interval, zone: &TimeZone) -> Result<i64> {
    add_to_timestamptz(t, negate(v)?, zone)
}

/// `timestamp - timestamp`: days and time.
pub fn difference(a: i64, b: i64) -> Result<Interval> {
    let (ia, ib) = (timestamp_infinity(a), timestamp_infinity(b));
    if ia != 0 || ib != 0 {
        return Ok(infinite_interval(infinite_sum(ia, -ib, interval_out_of_range)?));
    }
    let micros = a.checked_sub(b).ok_or_else(interval_out_of_range)?;
    justify_hours(Interval::new(0, 0, micros))
}

/// `age(a, b)`: the difference in years, months, days and time.
pub fn age(a: i64, b: i64) -> Result<Interval> {
    let (ia, ib) = (timestamp_infinity(a), timestamp_infinity(b));
    if ia != 0 || ib != 0 {
        return Ok(infinite_interval(infinite_sum(ia, -ib, interval_out_of_range)?));
    }
    let (later, earlier) = if a < b { (b, a) } else { (a, b) };
    let (l, e) = (Civil::from_micros(later), Civil::from_micros(earlier));
    let mut micros = l.time_micros() - e.time_micros();
    let mut days = i64::from(l.day) - i64::from(e.day);
    let mut months = (l.year - e.year) * 12 + i64::from(l.month) - i64::from(e.month);
    if micros < 0 {
        micros += MICROS_PER_DAY;
        days -= 1;
    }
    while days < 0 {
        // The month borrowed is the earlier date's.
        days += days_in_month(e.year, e.month.into());
        months -= 1;
    }
    let sign = if a < b { -1 } else { 1 };
    Interval::checked(i32::try_from(sign * months).ok(), i32::try_from(sign * days).ok(), Some(sign * micros))
}

/// `justify_hours`: whole days out of the time.
pub fn justify_hours(v: Interval) -> Result<Interval> {
    if !v.is_finite() {
        return Ok(v);
    }
    let whole = (v.micros / MICROS_PER_DAY) as i32;
    let days = v.days.checked_add(whole);
    let (days, micros) = balance_days(days.ok_or_else(interval_out_of_range)?, v.micros % MICROS_PER_DAY);
    Interval::checked(Some(v.months), days, Some(micros))
}

/// Gives days and time the same sign.
fn balance_days(days: i32, micros: i64) -> (Option<i32>, i64) {
    if days > 0 && micros < 0 {
        (Some(days - 1), micros + MICROS_PER_DAY)
    } else if days < 0 && micros > 0 {
        (Some(days + 1), micros - MICROS_PER_DAY)
    } else {
        (Some(days), micros)
    }
}

/// `justify_days`: whole months of 30 days out of the days.
pub fn justify_days(v: Interval) -> Result<Interval> {
    if !v.is_finite() {
        return Ok(v);
    }
    let mut months = v.months.checked_add(v.days / 30).ok_or_else(interval_out_of_range)?;
    let mut days = v.days % 30;
    if months > 0 && days < 0 {
        (months, days) = (months - 1, days + 30);
    } else if months < 0 && days > 0 {
        (months, days) = (months + 1, days - 30);
    }
    Interval::checked(Some(months), Some(days), Some(v.micros))
}

/// `justify_interval`: both, and all parts of one sign.
pub fn justify_interval(v: Interval) -> Result<Interval> {
    if !v.is_finite() {
        return Ok(v);
    }
    let mut days = i64::from(v.days) + v.micros / MICROS_PER_DAY;
    let mut micros = v.micros % MICROS_PER_DAY;
    let mut months = i64::from(v.months) + days / 30;
    days %= 30;
    if months > 0 && (days < 0 || (days == 0 && micros < 0)) {
        (months, days) = (months - 1, days + 30);
    } else if months < 0 && (days > 0 || (days == 0 && micros > 0)) {
        (months, days) = (months + 1, days - 30);
    }
    if days > 0 && micros < 0 {
        (days, micros) = (days - 1, micros + MICROS_PER_DAY);
    } else if days < 0 && micros > 0 {
        (days, micros) = (days + 1, micros - MICROS_PER_DAY);
    }
    Interval::checked(i32::try_from(months).ok(), i32::try_from(days).ok(), Some(micros))
}

/// Rounds to microseconds of a day or second.
fn round_six(v: f64) -> f64 {
    (v * 1e6).round_ties_even() / 1e6
}

fn whole_i32(v: f64) -> Result<i32> {
    if (-2_147_483_648.0..2_147_483_648.0).contains(&v) { Ok(v as i32) } else { Err(interval_out_of_range()) }
}

/// Scales a finite interval; `scale` multiplies or divides a part. What a part loses to truncation goes to the next.
fn scaled(v: Interval, scale: impl Fn(f64) -> f64) -> Result<Interval> {
    let months_exact = scale(v.months.into());
    let months = whole_i32(months_exact)?;
    let days_exact = scale(v.days.into());
    let mut days = whole_i32(days_exact)?;
    let month_days = round_six((months_exact - f64::from(months)) * 30.0);
    let mut seconds = round_six((days_exact - f64::from(days) + month_days - month_days.trunc()) * 86_400.0);
    if seconds.abs() >= 86_400.0 {
        let over = (seconds / 86_400.0) as i32;
        days = days.checked_add(over).ok_or_else(interval_out_of_range)?;
        seconds -= f64::from(over) * 86_400.0;
    }
    days = days.checked_add(month_days as i32).ok_or_else(interval_out_of_range)?;
    let micros = (scale(v.micros as f64) + seconds * 1e6).round_ties_even();
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&micros) {
        return Err(interval_out_of_range());
    }
    Interval::checked(Some(months), Some(days), Some(micros as i64))
}

/// `interval * factor`.
pub fn multiply(v: Interval, factor: f64) -> Result<Interval> {
    if factor.is_nan() {
        return Err(interval_out_of_range());
    }
    if !v.is_finite() || factor.is_infinite() {
        let span = v.span().signum() as i32;
        let span = if v.is_finite() { span } else { interval_infinity(v) };
        return match (factor.partial_cmp(&0.0), span) {
            (Some(Ordering::Equal) | None, _) | (_, 0) => Err(interval_out_of_range()),
            (Some(Ordering::Greater), s) => Ok(infinite_interval(s)),
            (Some(Ordering::Less), s) => Ok(infinite_interval(-s)),
        };
    }
    scaled(v, |part| part * factor)
}

/// `interval / divisor`.
pub fn divide(v: Interval, divisor: f64) -> Result<Interval> {
    if divisor == 0.0 {
        return Err(SqlError::new(SqlState::DIVISION_BY_ZERO, "division by zero"));
    }
    if divisor.is_nan() || (!v.is_finite() && divisor.is_infinite()) {
        return Err(interval_out_of_range());
    }
    if !v.is_finite() {
        let sign = interval_infinity(v);
        return Ok(infinite_interval(if divisor < 0.0 { -sign } else { sign }));
    }
    scaled(v, |part| part / divisor)
}

/// `time + interval`: wraps at midnight.
pub fn add_to_time(t: i64, v: Interval) -> Result<i64> {
    if !v.is_finite() {
        return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "cannot add infinite interval to time"));
    }
    Ok((t + v.micros % MICROS_PER_DAY).rem_euclid(MICROS_PER_DAY))
}

/// `time - interval`: wraps at midnight.
pub fn subtract_from_time(t: i64, v: Interval) -> Result<i64> {
    if !v.is_finite() {
        return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "cannot subtract infinite interval from time"));
    }
    Ok((t - v.micros % MICROS_PER_DAY).rem_euclid(MICROS_PER_DAY))
}

/// `date_bin(stride, t, origin)`: the start of the bin `t` falls in.
pub fn date_bin(stride: Interval, t: i64, origin: i64) -> Result<i64> {
    let overflow = |m: &str| SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, m);
    if timestamp_infinity(t) != 0 {
        return Ok(t);
    }
    if timestamp_infinity(origin) != 0 {
        return Err(overflow("origin out of range"));
    }
    if !stride.is_finite() {
        return Err(overflow("timestamps cannot be binned into infinite intervals"));
    }
    if stride.months != 0 {
        return Err(SqlError::new(
            SqlState::FEATURE_NOT_SUPPORTED,
            "timestamps cannot be binned into intervals containing months or years",
        ));
    }
    let size = (i64::from(stride.days).checked_mul(MICROS_PER_DAY))
        .and_then(|d| d.checked_add(stride.micros))
        .ok_or_else(interval_out_of_range)?;
    if size <= 0 {
        return Err(overflow("stride must be greater than zero"));
    }
    let distance = t.checked_sub(origin).ok_or_else(interval_out_of_range)?;
    let start = origin + (distance - distance % size);
    if distance % size < 0 { valid(start.checked_sub(size)) } else { Ok(start) }
}

/// `date` to `timestamp`.
pub fn date_to_timestamp(days: i32) -> Result<i64> {
    match days {
        DATE_INFINITY => Ok(TIMESTAMP_INFINITY),
        DATE_NEG_INFINITY => Ok(TIMESTAMP_NEG_INFINITY),
        d => micros_from_parts(d.into(), 0)
            .filter(|t| is_valid_timestamp(*t))
            .ok_or_else(|| SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "date out of range for timestamp")),
    }
}

/// `timestamp` to `date`.
pub fn timestamp_to_date(t: i64) -> i32 {
    match timestamp_infinity(t) {
        0 => t.div_euclid(MICROS_PER_DAY) as i32,
        1 => DATE_INFINITY,
        _ => DATE_NEG_INFINITY,
    }
}

/// `timestamp` to `timestamptz`: a local time of `zone` as an instant.
pub fn timestamp_to_timestamptz(t: i64, zone: &TimeZone) -> Result<i64> {
    if timestamp_infinity(t) != 0 { Ok(t) } else { valid(zone::local_to_utc(zone, t)) }
}

/// `timestamptz` to `timestamp`: an instant as a local time of `zone`.
pub fn timestamptz_to_timestamp(t: i64, zone: &TimeZone) -> Result<i64> {
    if timestamp_infinity(t) != 0 { Ok(t) } else { valid(zone::utc_to_local(zone, t)) }
}
