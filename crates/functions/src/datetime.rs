//! Dates, times and intervals.

use ext::{Call, Date, Fail, Interval, Time, TimeTz, Timestamp, Timestamptz};
use types::datetime::arith;
use types::datetime::zone;
use types::datetime::{
    DATE_INFINITY, DATE_NEG_INFINITY, MICROS_PER_DAY, MICROS_PER_SEC, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY,
    UNIX_EPOCH_DAYS, days_from_civil, days_in_month, is_valid_date, is_valid_timestamp, timestamp_out_of_range,
};
use types::{Datum, Result, SqlError, SqlState};

/// The kind of time zone that settings hold.
pub(crate) type Zone = jiff::tz::TimeZone;

fn overflow(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, message)
}

/// `AT TIME ZONE name`.
pub(crate) fn named_zone(call: &Call<'_>, name: &str) -> Result<Zone> {
    zone::named(name, &call.settings.time_zone).ok_or_else(|| {
        let message = format!("time zone \"{name}\" not recognized");
        SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
    })
}

/// `AT TIME ZONE interval`: seconds east.
fn offset_of(call: &Call<'_>, v: Interval) -> Result<i32> {
    let invalid = |what: &str| {
        let mut shown = Vec::new();
        types::datetime::format_interval(v, call.settings.interval_style, &mut shown);
        let message = format!("interval time zone \"{}\" must {what}", String::from_utf8_lossy(&shown));
        SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
    };
    if !v.is_finite() {
        return Err(invalid("be finite"));
    }
    if v.months != 0 || v.days != 0 {
        return Err(invalid("not include months or days"));
    }
    Ok((v.micros / MICROS_PER_SEC) as i32)
}

/// A zone given as `+hh:mm`, east of Greenwich; none when it is a name.
fn offset_zone(text: &str) -> Result<Option<Zone>> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let message = format!("invalid input syntax for type numeric time zone: \"{text}\"");
        return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
            .hint("Numeric time zones must have \"-\" or \"+\" as first character."));
    }
    let Some(rest) = text.strip_prefix(['+', '-']) else { return Ok(None) };
    let mut parts = rest.split(':').map(|p| p.parse::<i32>().ok().filter(|n| (0..60).contains(n)));
    let (hours, minutes, seconds) = (parts.next(), parts.next(), parts.next());
    let read = |p: Option<Option<i32>>| p.unwrap_or(Some(0));
    let east = read(hours).zip(read(minutes)).zip(read(seconds)).map(|((h, m), s)| h * 3600 + m * 60 + s);
    let east = east.map(|e| if text.starts_with('-') { -e } else { e });
    let out = || SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("numeric time zone \"{text}\" out of range"));
    east.and_then(zone::fixed).map(Some).ok_or_else(out)
}

fn is_infinite(t: i64) -> bool {
    t == TIMESTAMP_INFINITY || t == TIMESTAMP_NEG_INFINITY
}

fn shifted(t: i64, east: i32, sign: i64) -> Result<i64> {
    if is_infinite(t) {
        return Ok(t);
    }
    let moved = t.checked_add(sign * i64::from(east) * MICROS_PER_SEC);
    moved.filter(|t| is_valid_timestamp(*t)).ok_or_else(timestamp_out_of_range)
}

fn rezone(t: TimeTz, east: i32) -> TimeTz {
    let micros = t.micros.wrapping_add((i64::from(t.west) + i64::from(east)).wrapping_mul(MICROS_PER_SEC));
    TimeTz { micros: micros.rem_euclid(MICROS_PER_DAY), west: east.wrapping_neg() }
}

/// Whether `(a1, a2)` and `(b1, b2)` overlap, as SQL has it: either end may be NULL, and may come first.
fn overlap<T: Copy>(
    a: (Option<T>, Option<T>),
    b: (Option<T>, Option<T>),
    before: impl Fn(T, T) -> bool,
) -> Option<bool> {
    // Start and perhaps end of a period; none when both are NULL.
    let ordered = |(start, end): (Option<T>, Option<T>)| match (start, end) {
        (None, None) => None,
        (Some(s), None) | (None, Some(s)) => Some((s, None)),
        (Some(s), Some(e)) => Some(if before(e, s) { (e, Some(s)) } else { (s, Some(e)) }),
    };
    let (a_start, a_end) = ordered(a)?;
    let (b_start, b_end) = ordered(b)?;
    let (later, end) = if before(b_start, a_start) {
        (a_start, b_end)
    } else if before(a_start, b_start) {
        (b_start, a_end)
    } else {
        // They start together: two points in time are one, and NULL ends say nothing.
        return if a_end.is_none() || b_end.is_none() { None } else { Some(true) };
    };
    match end {
        None => None,
        Some(e) if before(later, e) => Some(true),
        // The later period begins after the earlier one ended; its own end says nothing unless it is known.
        Some(_) => {
            let own = if before(b_start, a_start) { a_end } else { b_end };
            own.map(|_| false)
        }
    }
}

fn float_fields(v: f64) -> Option<i64> {
    let micros = (v * MICROS_PER_SEC as f64).round_ties_even();
    (micros.is_finite() && micros.abs() < 9.0e18).then_some(micros as i64)
}

/// A second as PostgreSQL prints one in messages: six significant digits, two characters at least (C's `%02g`).
fn shown_second(v: f64) -> String {
    if !v.is_finite() {
        return if v.is_nan() {
            "NaN"
        } else if v > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let scientific = format!("{v:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed =
        |s: &str| if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_owned() } else { s.to_owned() };
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    let text = trimmed(&format!("{v:.*}", (5 - exponent).max(0) as usize));
    if text.len() == 1 { format!("0{text}") } else { text }
}

/// `adjusted`: whether messages show the astronomical year.
fn date_of(year: i32, month: i32, day: i32, adjusted: bool) -> Result<i32> {
    // There is no year 0: -1 is 1 BC.
    let astronomical = if year < 0 { i64::from(year) + 1 } else { i64::from(year) };
    let shown = if adjusted && year != i32::MIN { astronomical } else { year.into() };
    let refuse = || overflow(format!("date field value out of range: {shown}-{month:02}-{day:02}"));
    if year == i32::MIN {
        return Err(refuse());
    }
    if year == 0 || !(1..=12).contains(&month) || day < 1 {
        return Err(refuse());
    }
    if i64::from(day) > days_in_month(astronomical, month.into()) {
        return Err(refuse());
    }
    let days = days_from_civil(astronomical, month.into(), day.into());
    if !is_valid_date(days) {
        return Err(overflow(format!("date out of range: {shown}-{month:02}-{day:02}")));
    }
    Ok(days as i32)
}

fn time_of(hour: i32, minute: i32, second: f64) -> Result<i64> {
    let refuse = || overflow(format!("time field value out of range: {hour}:{minute:02}:{}", shown_second(second)));
    let micros = float_fields(second).filter(|m| !second.is_nan() && (0..=60 * MICROS_PER_SEC).contains(m));
    let micros = micros.ok_or_else(refuse)?;
    let whole = i64::from(hour) * 3600 + i64::from(minute) * 60;
    let fits = (0..=24).contains(&hour) && (0..=59).contains(&minute) && second >= 0.0;
    let total = whole * MICROS_PER_SEC + micros;
    if fits && total <= MICROS_PER_DAY { Ok(total) } else { Err(refuse()) }
}

fn timestamp_of(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<i64> {
    let days = date_of(y, mo, d, false)?;
    let time = time_of(h, mi, s)?;
    let t = i64::from(days).checked_mul(MICROS_PER_DAY).and_then(|t| t.checked_add(time));
    t.filter(|t| is_valid_timestamp(*t))
        .ok_or_else(|| overflow(format!("timestamp out of range: {y}-{mo:02}-{d:02} {h}:{mi:02}:{}", shown_second(s))))
}

/// `timestamp` from a date and a time of the day.
fn combine(date: Date, time: i64) -> Result<i64> {
    let t = arith::date_to_timestamp(date.0)?;
    if is_infinite(t) {
        return Ok(t);
    }
    t.checked_add(time).filter(|t| is_valid_timestamp(*t)).ok_or_else(timestamp_out_of_range)
}

fn date_plus(date: i32, days: i32) -> Result<Date, Fail> {
    if date == DATE_INFINITY || date == DATE_NEG_INFINITY {
        return Ok(Date(date));
    }
    let sum = i64::from(date) + i64::from(days);
    if is_valid_date(sum) { Ok(Date(sum as i32)) } else { Err(Fail::DateOutOfRange) }
}

/// Midnight of the day the transaction began, in the session's zone.
fn today(call: &Call<'_>) -> Result<i64> {
    let local = arith::timestamptz_to_timestamp(call.host.now(), &call.settings.time_zone)?;
    Ok(local.div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY)
}

fn now_in_zone(call: &Call<'_>) -> i32 {
    zone::offset_at(&call.settings.time_zone, call.host.now())
}

#[ext::module]
pub(crate) mod functions {
    use types::Numeric;
    use types::datetime::field;

    use super::*;

    // Dates.

    #[ext::function(oid = 1141)]
    pub fn date_add_days(d: Date, n: i32) -> Result<Date, Fail> {
        date_plus(d.0, n)
    }

    #[ext::function(oid = 2550)]
    pub fn days_add_date(n: i32, d: Date) -> Result<Date, Fail> {
        date_plus(d.0, n)
    }

    #[ext::function(oid = 1142)]
    pub fn date_subtract_days(d: Date, n: i32) -> Result<Date, Fail> {
        if n == i32::MIN {
            return date_plus(d.0, i32::MAX).and_then(|d| date_plus(d.0, 1));
        }
        date_plus(d.0, -n)
    }

    #[ext::function(oid = 1140)]
    pub fn date_difference(a: Date, b: Date) -> Result<i32> {
        let infinite = |d: Date| d.0 == DATE_INFINITY || d.0 == DATE_NEG_INFINITY;
        if infinite(a) || infinite(b) {
            return Err(overflow("cannot subtract infinite dates"));
        }
        Ok(a.0.wrapping_sub(b.0))
    }

    #[ext::function(oid = 2071)]
    pub fn date_add_interval(d: Date, v: Interval) -> Result<Timestamp> {
        arith::add_to_timestamp(arith::date_to_timestamp(d.0)?, v).map(Timestamp)
    }

    #[ext::function(oid = 2546)]
    pub fn interval_add_date(v: Interval, d: Date) -> Result<Timestamp> {
        date_add_interval(d, v)
    }

    #[ext::function(oid = 2072)]
    pub fn date_subtract_interval(d: Date, v: Interval) -> Result<Timestamp> {
        arith::subtract_from_timestamp(arith::date_to_timestamp(d.0)?, v).map(Timestamp)
    }

    #[ext::function(oid = [1272, 2025])]
    pub fn date_and_time(d: Date, t: Time) -> Result<Timestamp> {
        combine(d, t.0).map(Timestamp)
    }

    #[ext::function(oid = 1296)]
    pub fn time_and_date(t: Time, d: Date) -> Result<Timestamp> {
        combine(d, t.0).map(Timestamp)
    }

    #[ext::function(oid = [1297, 1359])]
    pub fn date_and_timetz(d: Date, t: TimeTz) -> Result<Timestamptz> {
        combine(d, t.micros + i64::from(t.west) * MICROS_PER_SEC).map(Timestamptz)
    }

    #[ext::function(oid = 1298)]
    pub fn timetz_and_date(t: TimeTz, d: Date) -> Result<Timestamptz> {
        date_and_timetz(d, t)
    }

    #[ext::function(oid = 1176, stable)]
    pub fn date_and_time_tz(call: &mut Call<'_>, d: Date, t: Time) -> Result<Timestamptz> {
        arith::timestamp_to_timestamptz(combine(d, t.0)?, &call.settings.time_zone).map(Timestamptz)
    }

    #[ext::function(oid = 1138)]
    pub fn date_larger(a: Date, b: Date) -> Date {
        a.max(b)
    }

    #[ext::function(oid = 1139)]
    pub fn date_smaller(a: Date, b: Date) -> Date {
        a.min(b)
    }

    #[ext::function(oid = 1373)]
    pub fn date_is_finite(d: Date) -> bool {
        d.0 != DATE_INFINITY && d.0 != DATE_NEG_INFINITY
    }

    #[ext::function(each(Timestamp = 2048, Timestamptz = 1389))]
    pub fn timestamp_is_finite<T: Moment>(t: T) -> bool {
        !is_infinite(t.micros())
    }

    #[ext::function(oid = 1390)]
    pub fn interval_is_finite(v: Interval) -> bool {
        v.is_finite()
    }

    // Casts.

    #[ext::function(oid = 2024)]
    pub fn date_to_timestamp(d: Date) -> Result<Timestamp> {
        arith::date_to_timestamp(d.0).map(Timestamp)
    }

    #[ext::function(oid = 2029)]
    pub fn timestamp_to_date(t: Timestamp) -> Date {
        Date(arith::timestamp_to_date(t.0))
    }

    #[ext::function(oid = 1174, stable)]
    pub fn date_to_timestamptz(call: &mut Call<'_>, d: Date) -> Result<Timestamptz> {
        arith::timestamp_to_timestamptz(arith::date_to_timestamp(d.0)?, &call.settings.time_zone).map(Timestamptz)
    }

    #[ext::function(oid = 1178, stable)]
    pub fn timestamptz_to_date(call: &mut Call<'_>, t: Timestamptz) -> Result<Date> {
        let local = arith::timestamptz_to_timestamp(t.0, &call.settings.time_zone)?;
        Ok(Date(arith::timestamp_to_date(local)))
    }

    #[ext::function(oid = [2027, 6334], stable)]
    pub fn timestamptz_to_timestamp(call: &mut Call<'_>, t: Timestamptz) -> Result<Timestamp> {
        arith::timestamptz_to_timestamp(t.0, &call.settings.time_zone).map(Timestamp)
    }

    #[ext::function(oid = [2028, 6335], stable)]
    pub fn timestamp_to_timestamptz(call: &mut Call<'_>, t: Timestamp) -> Result<Timestamptz> {
        arith::timestamp_to_timestamptz(t.0, &call.settings.time_zone).map(Timestamptz)
    }

    #[ext::function(oid = 1316)]
    pub fn timestamp_to_time(t: Timestamp) -> Option<Time> {
        (!is_infinite(t.0)).then(|| Time(t.0.rem_euclid(MICROS_PER_DAY)))
    }

    #[ext::function(oid = 2019, stable)]
    pub fn timestamptz_to_time(call: &mut Call<'_>, t: Timestamptz) -> Result<Option<Time>> {
        let local = arith::timestamptz_to_timestamp(t.0, &call.settings.time_zone)?;
        Ok(timestamp_to_time(Timestamp(local)))
    }

    #[ext::function(oid = 1388, stable)]
    pub fn timestamptz_to_timetz(call: &mut Call<'_>, t: Timestamptz) -> Result<Option<TimeTz>> {
        if is_infinite(t.0) {
            return Ok(None);
        }
        let east = zone::offset_at(&call.settings.time_zone, t.0);
        let local = arith::timestamptz_to_timestamp(t.0, &call.settings.time_zone)?;
        Ok(Some(TimeTz { micros: local.rem_euclid(MICROS_PER_DAY), west: east.wrapping_neg() }))
    }

    #[ext::function(oid = 1419)]
    pub fn interval_to_time(v: Interval) -> Result<Time> {
        if !v.is_finite() {
            return Err(overflow("cannot convert infinite interval to time"));
        }
        Ok(Time(v.micros.rem_euclid(MICROS_PER_DAY)))
    }

    #[ext::function(oid = 1370)]
    pub fn time_to_interval(t: Time) -> Interval {
        Interval::new(0, 0, t.0)
    }

    #[ext::function(oid = 2046)]
    pub fn timetz_to_time(t: TimeTz) -> Time {
        Time(t.micros)
    }

    #[ext::function(oid = 2047, stable)]
    pub fn time_to_timetz(call: &mut Call<'_>, t: Time) -> TimeTz {
        TimeTz { micros: t.0, west: -now_in_zone(call) }
    }

    #[ext::function(oid = [1961, 1967, 1968, 1969, 1200], strict)]
    pub fn with_typmod(call: &mut Call<'_>, v: &Datum, typmod: i32) -> Result<Datum> {
        types::io::coerce(call.arg_type(0), typmod, v.clone(), true)
    }

    // Timestamps.

    #[ext::function(oid = 2031)]
    pub fn timestamp_difference(a: Timestamp, b: Timestamp) -> Result<Interval> {
        arith::difference(a.0, b.0)
    }

    #[ext::function(oid = 1188)]
    pub fn timestamptz_difference(a: Timestamptz, b: Timestamptz) -> Result<Interval> {
        arith::difference(a.0, b.0)
    }

    #[ext::function(oid = 2032)]
    pub fn timestamp_add(t: Timestamp, v: Interval) -> Result<Timestamp> {
        arith::add_to_timestamp(t.0, v).map(Timestamp)
    }

    #[ext::function(oid = 2548)]
    pub fn interval_add_timestamp(v: Interval, t: Timestamp) -> Result<Timestamp> {
        timestamp_add(t, v)
    }

    #[ext::function(oid = 2033)]
    pub fn timestamp_subtract(t: Timestamp, v: Interval) -> Result<Timestamp> {
        arith::subtract_from_timestamp(t.0, v).map(Timestamp)
    }

    #[ext::function(oid = [1189, 6221], stable)]
    pub fn timestamptz_add(call: &mut Call<'_>, t: Timestamptz, v: Interval) -> Result<Timestamptz> {
        arith::add_to_timestamptz(t.0, v, &call.settings.time_zone).map(Timestamptz)
    }

    #[ext::function(oid = 2549, stable)]
    pub fn interval_add_timestamptz(call: &mut Call<'_>, v: Interval, t: Timestamptz) -> Result<Timestamptz> {
        timestamptz_add(call, t, v)
    }

    #[ext::function(oid = [1190, 6223], stable)]
    pub fn timestamptz_subtract(call: &mut Call<'_>, t: Timestamptz, v: Interval) -> Result<Timestamptz> {
        arith::subtract_from_timestamptz(t.0, v, &call.settings.time_zone).map(Timestamptz)
    }

    #[ext::function(oid = 6222)]
    pub fn date_add_in_zone(call: &mut Call<'_>, t: Timestamptz, v: Interval, zone: &str) -> Result<Timestamptz> {
        arith::add_to_timestamptz(t.0, v, &named_zone(call, zone)?).map(Timestamptz)
    }

    #[ext::function(oid = 6273)]
    pub fn date_subtract_in_zone(call: &mut Call<'_>, t: Timestamptz, v: Interval, zone: &str) -> Result<Timestamptz> {
        arith::subtract_from_timestamptz(t.0, v, &named_zone(call, zone)?).map(Timestamptz)
    }

    #[ext::function(oid = 2036)]
    pub fn timestamp_larger(a: Timestamp, b: Timestamp) -> Timestamp {
        a.max(b)
    }

    #[ext::function(oid = 2035)]
    pub fn timestamp_smaller(a: Timestamp, b: Timestamp) -> Timestamp {
        a.min(b)
    }

    #[ext::function(oid = 1196)]
    pub fn timestamptz_larger(a: Timestamptz, b: Timestamptz) -> Timestamptz {
        a.max(b)
    }

    #[ext::function(oid = 1195)]
    pub fn timestamptz_smaller(a: Timestamptz, b: Timestamptz) -> Timestamptz {
        a.min(b)
    }

    // Times.

    #[ext::function(oid = 1747)]
    pub fn time_add(t: Time, v: Interval) -> Result<Time> {
        arith::add_to_time(t.0, v).map(Time)
    }

    #[ext::function(oid = 1848)]
    pub fn interval_add_time(v: Interval, t: Time) -> Result<Time> {
        time_add(t, v)
    }

    #[ext::function(oid = 1748)]
    pub fn time_subtract(t: Time, v: Interval) -> Result<Time> {
        arith::subtract_from_time(t.0, v).map(Time)
    }

    #[ext::function(oid = 1690)]
    pub fn time_difference(a: Time, b: Time) -> Interval {
        Interval::new(0, 0, a.0 - b.0)
    }

    #[ext::function(oid = 1749)]
    pub fn timetz_add(t: TimeTz, v: Interval) -> Result<TimeTz> {
        Ok(TimeTz { micros: arith::add_to_time(t.micros, v)?, west: t.west })
    }

    #[ext::function(oid = 2547)]
    pub fn interval_add_timetz(v: Interval, t: TimeTz) -> Result<TimeTz> {
        timetz_add(t, v)
    }

    #[ext::function(oid = 1750)]
    pub fn timetz_subtract(t: TimeTz, v: Interval) -> Result<TimeTz> {
        Ok(TimeTz { micros: arith::subtract_from_time(t.micros, v)?, west: t.west })
    }

    // Intervals.

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

    // Making.

    #[ext::function(oid = 3846)]
    pub fn make_date(y: i32, m: i32, d: i32) -> Result<Date> {
        date_of(y, m, d, true).map(Date)
    }

    #[ext::function(oid = 3847)]
    pub fn make_time(h: i32, m: i32, s: f64) -> Result<Time> {
        time_of(h, m, s).map(Time)
    }

    #[ext::function(oid = 3461)]
    pub fn make_timestamp(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<Timestamp> {
        timestamp_of(y, mo, d, h, mi, s).map(Timestamp)
    }

    #[ext::function(oid = 3462, stable)]
    pub fn make_timestamptz(
        call: &mut Call<'_>,
        y: i32,
        mo: i32,
        d: i32,
        h: i32,
        mi: i32,
        s: f64,
    ) -> Result<Timestamptz> {
        let local = timestamp_of(y, mo, d, h, mi, s)?;
        arith::timestamp_to_timestamptz(local, &call.settings.time_zone).map(Timestamptz)
    }

    #[ext::function(oid = 3463)]
    #[allow(clippy::too_many_arguments, reason = "SQL's function has them")]
    pub fn make_timestamptz_in(
        call: &mut Call<'_>,
        y: i32,
        mo: i32,
        d: i32,
        h: i32,
        mi: i32,
        s: f64,
        zone: &str,
    ) -> Result<Timestamptz> {
        let local = timestamp_of(y, mo, d, h, mi, s)?;
        let zone = offset_zone(zone)?.map_or_else(|| named_zone(call, zone), Ok)?;
        arith::timestamp_to_timestamptz(local, &zone).map(Timestamptz)
    }

    #[ext::function(oid = 1158)]
    pub fn to_timestamp(v: f64) -> Result<Timestamptz> {
        if v.is_infinite() {
            return Ok(Timestamptz(if v > 0.0 { TIMESTAMP_INFINITY } else { TIMESTAMP_NEG_INFINITY }));
        }
        if v.is_nan() {
            return Err(overflow("timestamp cannot be NaN"));
        }
        let mut shown = Vec::new();
        types::io::float::format_f64(v, 0, &mut shown);
        let out = || overflow(format!("timestamp out of range: \"{}\"", String::from_utf8_lossy(&shown)));
        let since_2000 = v - (UNIX_EPOCH_DAYS * 86_400) as f64;
        let micros = (since_2000 * MICROS_PER_SEC as f64).round_ties_even();
        if !(-9.3e18..9.3e18).contains(&micros) || !is_valid_timestamp(micros as i64) {
            return Err(out());
        }
        Ok(Timestamptz(micros as i64))
    }

    // Ages and parts.

    #[ext::function(oid = 2058)]
    pub fn age(a: Timestamp, b: Timestamp) -> Result<Interval> {
        arith::age(a.0, b.0)
    }

    #[ext::function(oid = 1199, stable)]
    pub fn age_tz(call: &mut Call<'_>, a: Timestamptz, b: Timestamptz) -> Result<Interval> {
        let zone = &call.settings.time_zone;
        arith::age(arith::timestamptz_to_timestamp(a.0, zone)?, arith::timestamptz_to_timestamp(b.0, zone)?)
    }

    #[ext::function(oid = 2059, stable)]
    pub fn age_today(call: &mut Call<'_>, t: Timestamp) -> Result<Interval> {
        arith::age(today(call)?, t.0)
    }

    #[ext::function(oid = 1386, stable)]
    pub fn age_today_tz(call: &mut Call<'_>, t: Timestamptz) -> Result<Interval> {
        arith::age(today(call)?, arith::timestamptz_to_timestamp(t.0, &call.settings.time_zone)?)
    }

    #[ext::function(oid = 6199)]
    pub fn extract_date(name: &str, d: Date) -> Result<Option<Numeric>> {
        field::extract_date(name, d.0)
    }

    #[ext::function(oid = 6200)]
    pub fn extract_time(name: &str, t: Time) -> Result<Option<Numeric>> {
        field::extract_time(name, t.0)
    }

    #[ext::function(oid = 6201)]
    pub fn extract_timetz(name: &str, t: TimeTz) -> Result<Option<Numeric>> {
        field::extract_timetz(name, t.micros, t.west)
    }

    #[ext::function(oid = 6202)]
    pub fn extract_timestamp(name: &str, t: Timestamp) -> Result<Option<Numeric>> {
        field::extract_timestamp(name, t.0)
    }

    #[ext::function(oid = 6203, stable)]
    pub fn extract_timestamptz(call: &mut Call<'_>, name: &str, t: Timestamptz) -> Result<Option<Numeric>> {
        field::extract_timestamptz(name, t.0, &call.settings.time_zone)
    }

    #[ext::function(oid = 6204)]
    pub fn extract_interval(name: &str, v: Interval) -> Result<Option<Numeric>> {
        field::extract_interval(name, v)
    }

    fn float(v: Option<Numeric>) -> Result<Option<f64>> {
        v.map(|n| n.to_f64()).transpose()
    }

    #[ext::function(oid = 1384)]
    pub fn part_date(name: &str, d: Date) -> Result<Option<f64>> {
        // date_part of a date is that of its midnight.
        float(field::extract_timestamp(name, arith::date_to_timestamp(d.0)?)?)
    }

    #[ext::function(oid = 1385)]
    pub fn part_time(name: &str, t: Time) -> Result<Option<f64>> {
        float(field::extract_time(name, t.0)?)
    }

    #[ext::function(oid = 1273)]
    pub fn part_timetz(name: &str, t: TimeTz) -> Result<Option<f64>> {
        float(field::extract_timetz(name, t.micros, t.west)?)
    }

    #[ext::function(oid = 2021)]
    pub fn part_timestamp(name: &str, t: Timestamp) -> Result<Option<f64>> {
        float(field::extract_timestamp(name, t.0)?)
    }

    #[ext::function(oid = 1171, stable)]
    pub fn part_timestamptz(call: &mut Call<'_>, name: &str, t: Timestamptz) -> Result<Option<f64>> {
        float(field::extract_timestamptz(name, t.0, &call.settings.time_zone)?)
    }

    #[ext::function(oid = 1172)]
    pub fn part_interval(name: &str, v: Interval) -> Result<Option<f64>> {
        if name.eq_ignore_ascii_case("epoch") && v.is_finite() {
            // In floats, in this order: the last digits show it.
            let (years, months) = v.years_months();
            let mut secs = v.micros as f64 / MICROS_PER_SEC as f64;
            secs += 365.25 * 86_400.0 * f64::from(years);
            secs += 30.0 * 86_400.0 * f64::from(months);
            return Ok(Some(secs + 86_400.0 * f64::from(v.days)));
        }
        float(field::extract_interval(name, v)?)
    }

    #[ext::function(oid = 2020)]
    pub fn trunc_timestamp(name: &str, t: Timestamp) -> Result<Timestamp> {
        field::trunc_timestamp(name, t.0).map(Timestamp)
    }

    #[ext::function(oid = 1217, stable)]
    pub fn trunc_timestamptz(call: &mut Call<'_>, name: &str, t: Timestamptz) -> Result<Timestamptz> {
        field::trunc_timestamptz(name, t.0, &call.settings.time_zone).map(Timestamptz)
    }

    #[ext::function(oid = 1284)]
    pub fn trunc_timestamptz_in(call: &mut Call<'_>, name: &str, t: Timestamptz, zone: &str) -> Result<Timestamptz> {
        field::trunc_timestamptz(name, t.0, &named_zone(call, zone)?).map(Timestamptz)
    }

    #[ext::function(oid = 1218)]
    pub fn trunc_interval(name: &str, v: Interval) -> Result<Interval> {
        field::trunc_interval(name, v)
    }

    #[ext::function(oid = 6177)]
    pub fn date_bin(stride: Interval, t: Timestamp, origin: Timestamp) -> Result<Timestamp> {
        arith::date_bin(stride, t.0, origin.0).map(Timestamp)
    }

    #[ext::function(oid = 6178)]
    pub fn date_bin_tz(stride: Interval, t: Timestamptz, origin: Timestamptz) -> Result<Timestamptz> {
        arith::date_bin(stride, t.0, origin.0).map(Timestamptz)
    }

    // Zones.

    #[ext::function(oid = 1159)]
    pub fn in_zone(call: &mut Call<'_>, zone: &str, t: Timestamptz) -> Result<Timestamp> {
        if is_infinite(t.0) {
            return Ok(Timestamp(t.0));
        }
        arith::timestamptz_to_timestamp(t.0, &named_zone(call, zone)?).map(Timestamp)
    }

    #[ext::function(oid = 2069)]
    pub fn from_zone(call: &mut Call<'_>, zone: &str, t: Timestamp) -> Result<Timestamptz> {
        if is_infinite(t.0) {
            return Ok(Timestamptz(t.0));
        }
        arith::timestamp_to_timestamptz(t.0, &named_zone(call, zone)?).map(Timestamptz)
    }

    #[ext::function(oid = 1026)]
    pub fn at_offset(call: &mut Call<'_>, offset: Interval, t: Timestamptz) -> Result<Timestamp> {
        if is_infinite(t.0) {
            return Ok(Timestamp(t.0));
        }
        shifted(t.0, offset_of(call, offset)?, 1).map(Timestamp)
    }

    #[ext::function(oid = 2070)]
    pub fn from_offset(call: &mut Call<'_>, offset: Interval, t: Timestamp) -> Result<Timestamptz> {
        if is_infinite(t.0) {
            return Ok(Timestamptz(t.0));
        }
        shifted(t.0, offset_of(call, offset)?, -1).map(Timestamptz)
    }

    #[ext::function(oid = 2037, volatile)]
    pub fn timetz_in_zone(call: &mut Call<'_>, zone: &str, t: TimeTz) -> Result<TimeTz> {
        let east = zone::offset_at(&named_zone(call, zone)?, call.host.now());
        Ok(rezone(t, east))
    }

    #[ext::function(oid = 2038)]
    pub fn timetz_at_offset(call: &mut Call<'_>, offset: Interval, t: TimeTz) -> Result<TimeTz> {
        Ok(rezone(t, offset_of(call, offset)?))
    }

    #[ext::function(oid = 6336, stable)]
    pub fn timetz_local(call: &mut Call<'_>, t: TimeTz) -> TimeTz {
        rezone(t, now_in_zone(call))
    }

    // Overlaps.

    #[ext::function(each(Timestamp = 2041, Timestamptz = 1304, Time = 1308))]
    pub fn overlaps<T: Moment>(a: Option<T>, b: Option<T>, c: Option<T>, d: Option<T>) -> Option<bool> {
        overlap((a, b), (c, d), |x, y| x.micros() < y.micros())
    }

    #[ext::function(oid = 1271)]
    pub fn overlaps_timetz(a: Option<TimeTz>, b: Option<TimeTz>, c: Option<TimeTz>, d: Option<TimeTz>) -> Option<bool> {
        let order = |t: TimeTz| (t.micros + i64::from(t.west) * MICROS_PER_SEC, t.west);
        overlap((a, b), (c, d), |x, y| order(x) < order(y))
    }

    fn end<T: Moment>(call: &Call<'_>, start: Option<T>, v: Option<Interval>) -> Result<Option<T>> {
        match (start, v) {
            (Some(s), Some(v)) => s.plus(v, call).map(Some),
            _ => Ok(None),
        }
    }

    #[ext::function(each(Timestamp = 2042, Timestamptz = 1305, Time = 1309))]
    pub fn overlaps_lengths<T: Moment>(
        call: &mut Call<'_>,
        a: Option<T>,
        b: Option<Interval>,
        c: Option<T>,
        d: Option<Interval>,
    ) -> Result<Option<bool>> {
        let (b, d) = (end(call, a, b)?, end(call, c, d)?);
        Ok(overlaps(a, b, c, d))
    }

    #[ext::function(each(Timestamp = 2043, Timestamptz = 1306, Time = 1310))]
    pub fn overlaps_second_length<T: Moment>(
        call: &mut Call<'_>,
        a: Option<T>,
        b: Option<T>,
        c: Option<T>,
        d: Option<Interval>,
    ) -> Result<Option<bool>> {
        let d = end(call, c, d)?;
        Ok(overlaps(a, b, c, d))
    }

    #[ext::function(each(Timestamp = 2044, Timestamptz = 1307, Time = 1311))]
    pub fn overlaps_first_length<T: Moment>(
        call: &mut Call<'_>,
        a: Option<T>,
        b: Option<Interval>,
        c: Option<T>,
        d: Option<T>,
    ) -> Result<Option<bool>> {
        let b = end(call, a, b)?;
        Ok(overlaps(a, b, c, d))
    }

    // The clock.

    #[ext::function(oid = [1299, 2647], stable)]
    pub fn now(call: &mut Call<'_>) -> Timestamptz {
        Timestamptz(call.host.now())
    }

    #[ext::function(oid = 2648, stable)]
    pub fn statement_timestamp(call: &mut Call<'_>) -> Timestamptz {
        Timestamptz(call.host.statement_timestamp())
    }

    #[ext::function(oid = 2649, volatile)]
    pub fn clock_timestamp(call: &mut Call<'_>) -> Timestamptz {
        Timestamptz(call.host.clock_timestamp())
    }

    #[ext::function(oid = [2560, 2034], stable)]
    pub fn postmaster_start_time(call: &mut Call<'_>) -> Timestamptz {
        Timestamptz(call.host.postmaster_start_time())
    }

    #[ext::function(oid = 274, volatile)]
    pub fn timeofday(call: &mut Call<'_>) -> Result<String> {
        let t = call.host.clock_timestamp();
        crate::datetime_text::timestamp_to_char(call, t, true, "Dy Mon DD HH24:MI:SS.US YYYY TZ")
            .map(Option::unwrap_or_default)
    }

    #[ext::function(oid = 6343)]
    pub fn uuid_version(v: ext::Uuid) -> Option<i16> {
        (v.0[8] & 0xc0 == 0x80).then(|| i16::from(v.0[6] >> 4))
    }

    #[ext::function(oid = 6342)]
    pub fn uuid_timestamp(v: ext::Uuid) -> Option<Timestamptz> {
        if v.0[8] & 0xc0 != 0x80 {
            return None;
        }
        let n = |range: std::ops::Range<usize>| v.0[range].iter().fold(0i64, |n, &b| n << 8 | i64::from(b));
        let epoch = UNIX_EPOCH_DAYS * MICROS_PER_DAY;
        match v.0[6] >> 4 {
            1 => {
                let ticks = (n(6..8) & 0xfff) << 48 | n(4..6) << 32 | n(0..4);
                // Tenths of microseconds since 1582-10-15.
                let gregorian = days_from_civil(1582, 10, 15) * MICROS_PER_DAY;
                Some(Timestamptz(ticks / 10 + gregorian))
            }
            7 => Some(Timestamptz(n(0..6) * 1000 - epoch)),
            _ => None,
        }
    }

    /// Whether `v` lies at most (`less`) or at least `offset` before (`sub`) or after `base`: RANGE frames.
    fn within(v: i128, base: i128, offset: i128, sub: bool, less: bool) -> bool {
        let edge = if sub { base.saturating_sub(offset) } else { base.saturating_add(offset) };
        if less { v <= edge } else { v >= edge }
    }

    fn bad_offset() -> SqlError {
        SqlError::new(
            SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE,
            "invalid preceding or following size in window function",
        )
    }

    #[ext::function(each(
        (i64, i64) = 4126, (i32, i64) = 4127, (i32, i32) = 4128, (i32, i16) = 4129, (i16, i64) = 4130, (i16, i32) = 4131,
        (i16, i16) = 4132
    ))]
    pub fn in_range_int<V: Into<i64>, O: Into<i64>>(v: V, base: V, offset: O, sub: bool, less: bool) -> Result<bool> {
        let (v, base, offset): (i64, i64, i64) = (v.into(), base.into(), offset.into());
        if offset < 0 {
            return Err(bad_offset());
        }
        Ok(within(v.into(), base.into(), offset.into(), sub, less))
    }

    #[ext::function(each((f64, f64) = 4139, (f32, f64) = 4140))]
    pub fn in_range_float<V: Into<f64>, O: Into<f64>>(v: V, base: V, offset: O, sub: bool, less: bool) -> Result<bool> {
        let (v, base, offset): (f64, f64, f64) = (v.into(), base.into(), offset.into());
        if offset.is_nan() || offset < 0.0 {
            return Err(bad_offset());
        }
        if v.is_nan() {
            return Ok(base.is_nan() || !less);
        }
        if base.is_nan() {
            return Ok(less);
        }
        if offset.is_infinite() && base.is_infinite() && (if sub { base > 0.0 } else { base < 0.0 }) {
            return Ok(true);
        }
        let edge = if sub { base - offset } else { base + offset };
        Ok(if less { v <= edge } else { v >= edge })
    }

    #[ext::function(oid = 4141)]
    pub fn in_range_numeric(v: Numeric, base: Numeric, offset: Numeric, sub: bool, less: bool) -> Result<bool> {
        if offset.is_nan() || offset.is_negative() {
            return Err(bad_offset());
        }
        if v.is_nan() {
            return Ok(base.is_nan() || !less);
        }
        if base.is_nan() {
            return Ok(less);
        }
        if offset.is_infinite() && base.is_infinite() && (sub != base.is_negative()) {
            return Ok(true);
        }
        let edge = if sub { base.sub(&offset)? } else { base.add(&offset)? };
        let order = v.cmp_sql(&edge);
        Ok(if less { order.is_le() } else { order.is_ge() })
    }

    fn negative(v: Interval) -> bool {
        v.span() < 0 || v == Interval::NEG_INFINITY
    }

    #[ext::function(oid = 4133)]
    pub fn in_range_date(v: Date, base: Date, offset: Interval, sub: bool, less: bool) -> Result<bool> {
        let (v, base) = (arith::date_to_timestamp(v.0)?, arith::date_to_timestamp(base.0)?);
        in_range_timestamp(Timestamp(v), Timestamp(base), offset, sub, less)
    }

    fn infinite_edge(v: Interval, base: i64, sub: bool) -> bool {
        v == Interval::INFINITY && base == if sub { TIMESTAMP_INFINITY } else { TIMESTAMP_NEG_INFINITY }
    }

    #[ext::function(oid = 4134)]
    pub fn in_range_timestamp(v: Timestamp, base: Timestamp, offset: Interval, sub: bool, less: bool) -> Result<bool> {
        if negative(offset) {
            return Err(bad_offset());
        }
        if infinite_edge(offset, base.0, sub) {
            return Ok(true);
        }
        let edge = if sub {
            arith::subtract_from_timestamp(base.0, offset)?
        } else {
            arith::add_to_timestamp(base.0, offset)?
        };
        Ok(if less { v.0 <= edge } else { v.0 >= edge })
    }

    #[ext::function(oid = 4135)]
    pub fn in_range_timestamptz(
        call: &mut Call<'_>,
        v: Timestamptz,
        base: Timestamptz,
        offset: Interval,
        sub: bool,
        less: bool,
    ) -> Result<bool> {
        if negative(offset) {
            return Err(bad_offset());
        }
        if infinite_edge(offset, base.0, sub) {
            return Ok(true);
        }
        let edge = if sub { timestamptz_subtract(call, base, offset)? } else { timestamptz_add(call, base, offset)? };
        Ok(if less { v <= edge } else { v >= edge })
    }

    #[ext::function(oid = 4136)]
    pub fn in_range_interval(v: Interval, base: Interval, offset: Interval, sub: bool, less: bool) -> Result<bool> {
        if negative(offset) {
            return Err(bad_offset());
        }
        if offset == Interval::INFINITY && base == if sub { Interval::INFINITY } else { Interval::NEG_INFINITY } {
            return Ok(true);
        }
        let edge = if sub { arith::subtract(base, offset)? } else { arith::add(base, offset)? };
        let order = v.cmp_sql(edge);
        Ok(if less { order.is_le() } else { order.is_ge() })
    }

    #[ext::function(oid = 4137)]
    pub fn in_range_time(v: Time, base: Time, offset: Interval, sub: bool, less: bool) -> Result<bool> {
        if offset.micros < 0 {
            return Err(bad_offset());
        }
        Ok(within(v.0.into(), base.0.into(), offset.micros.into(), sub, less))
    }
}

/// Values that are microseconds.
pub trait Moment: Copy {
    /// Since the type's zero.
    fn micros(self) -> i64;
    /// Later by an interval.
    ///
    /// # Errors
    /// Overflow.
    fn plus(self, v: Interval, call: &Call<'_>) -> Result<Self>;
}

impl Moment for Timestamp {
    fn micros(self) -> i64 {
        self.0
    }
    fn plus(self, v: Interval, _: &Call<'_>) -> Result<Self> {
        arith::add_to_timestamp(self.0, v).map(Timestamp)
    }
}

impl Moment for Timestamptz {
    fn micros(self) -> i64 {
        self.0
    }
    fn plus(self, v: Interval, call: &Call<'_>) -> Result<Self> {
        arith::add_to_timestamptz(self.0, v, &call.settings.time_zone).map(Timestamptz)
    }
}

impl Moment for Time {
    fn micros(self) -> i64 {
        self.0
    }
    fn plus(self, v: Interval, _: &Call<'_>) -> Result<Self> {
        arith::add_to_time(self.0, v).map(Time)
    }
}
