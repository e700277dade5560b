//! Dates, times and intervals.

pub(crate) mod interval;
pub(crate) mod make;
pub(crate) mod overlap;
pub(crate) mod part;

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
