//! Dates and times in paths: read from strings, converted, compared.

use std::cmp::Ordering;

use ext::Call;
use types::datetime::{
    DateOrder, DateStyle, MICROS_PER_DAY, MICROS_PER_SEC, arith, format_date, format_time, format_timestamp,
    round_micros, timestamp_typmod, timetz_bytes, timetz_parts, zone,
};
use types::jsonpath::Method;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::method::INVALID_DATETIME_ARGUMENT;
use crate::datetime_text::{Parts, read_strictly};

/// A date or time.
#[derive(Clone)]
pub struct Moment {
    /// `date`, `time`, `timetz`, `timestamp` or `timestamptz`.
    pub ty: Oid,
    /// Its value.
    pub value: Datum,
    /// Seconds west of Greenwich in which a `timestamptz` is shown.
    pub west: i32,
}

/// The forms that `datetime()` knows, in the order they are tried.
const FORMS: [&str; 13] = [
    "yyyy-mm-dd",
    "HH24:MI:SS.USTZ",
    "HH24:MI:SSTZ",
    "HH24:MI:SS.US",
    "HH24:MI:SS",
    "yyyy-mm-dd HH24:MI:SS.USTZ",
    "yyyy-mm-dd HH24:MI:SSTZ",
    "yyyy-mm-dd\"T\"HH24:MI:SS.USTZ",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZ",
    "yyyy-mm-dd HH24:MI:SS.US",
    "yyyy-mm-dd HH24:MI:SS",
    "yyyy-mm-dd\"T\"HH24:MI:SS.US",
    "yyyy-mm-dd\"T\"HH24:MI:SS",
];

/// A string that is no date or time that `method` takes.
pub fn not_recognized(method: Method, text: &str) -> SqlError {
    let message = format!("{} format is not recognized: \"{text}\"", method.name());
    let e = SqlError::new(INVALID_DATETIME_ARGUMENT, message);
    match method {
        Method::Datetime => e.hint("Use a datetime template argument to specify the input data format."),
        _ => e,
    }
}

/// Seconds west as `+03:00`.
fn offset(west: i32, out: &mut Vec<u8>) {
    let (sign, abs) = if west > 0 { ('-', west) } else { ('+', -west) };
    let mut text = format!("{sign}{:02}:{:02}", abs / 3600, abs / 60 % 60);
    if abs % 60 != 0 {
        text.push_str(&format!(":{:02}", abs % 60));
    }
    out.extend_from_slice(text.as_bytes());
}

impl Moment {
    /// As ISO 8601 has it.
    pub fn text(&self) -> String {
        let mut out = Vec::new();
        match (self.ty, &self.value) {
            (_, Datum::I32(d)) => format_date(*d, DateStyle::Iso, DateOrder::Ymd, &mut out),
            (oid::TIME, Datum::I64(t)) => format_time(*t, &mut out),
            (_, Datum::B16(b)) => {
                let (micros, west) = timetz_parts(b);
                format_time(micros, &mut out);
                offset(west, &mut out);
            }
            (oid::TIMESTAMP, Datum::I64(t)) => format_timestamp(*t, DateStyle::Iso, DateOrder::Ymd, &mut out),
            (_, Datum::I64(t)) => {
                let local = t.saturating_sub(i64::from(self.west) * MICROS_PER_SEC);
                format_timestamp(local, DateStyle::Iso, DateOrder::Ymd, &mut out);
                let era = out.ends_with(b" BC");
                if era {
                    out.truncate(out.len() - 3);
                }
                offset(self.west, &mut out);
                if era {
                    out.extend_from_slice(b" BC");
                }
            }
            _ => {}
        }
        if let Some(blank) = out.iter().position(|c| *c == b' ')
            && matches!(self.ty, oid::TIMESTAMP | oid::TIMESTAMPTZ)
        {
            out[blank] = b'T';
        }
        String::from_utf8(out).unwrap_or_default()
    }
}

/// Reads a string by a template, or by the first known form that fits.
///
/// # Errors
/// What the template says, or that no form fits.
pub fn read(call: &Call<'_>, method: Method, template: Option<&str>, text: &str) -> Result<Moment> {
    if let Some(template) = template {
        return moment_of(call, read_strictly(call, text, template)?);
    }
    for form in FORMS {
        if let Ok(m) = read_strictly(call, text, form).and_then(|parts| moment_of(call, parts)) {
            return Ok(m);
        }
    }
    Err(not_recognized(method, text))
}

/// What a template's fields make: a date, a time or both.
fn moment_of(call: &Call<'_>, parts: Parts) -> Result<Moment> {
    let format = |message: &str| Err(SqlError::new(SqlState::INVALID_DATETIME_FORMAT, message));
    let Parts { days, time, precision, dated, timed, zoned, zone } = parts;
    let west = |local: i64| {
        let zone = zone.as_ref().unwrap_or(&call.settings.time_zone);
        let day = local.div_euclid(MICROS_PER_DAY);
        -zone::offset_of_local(zone, day, local.rem_euclid(MICROS_PER_DAY))
    };
    let missing = |ty: &str| format!("missing time zone in input string for type {ty}");
    Ok(match (dated, timed) {
        (false, false) => return format("datetime format is not dated and not timed"),
        (true, false) if zoned => return format("datetime format is zoned but not timed"),
        (true, false) => Moment { ty: oid::DATE, value: Datum::I32(days), west: 0 },
        (false, true) => {
            let time = round_micros(time, precision).unwrap_or(time);
            if !zoned {
                return Ok(Moment { ty: oid::TIME, value: Datum::I64(time), west: 0 });
            }
            if zone.is_none() {
                return format(&missing("timetz"));
            }
            let west = west(call.settings.now.div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY + time);
            Moment { ty: oid::TIMETZ, value: Datum::B16(timetz_bytes(time, west)), west }
        }
        (true, true) => {
            let local = i64::from(days).checked_mul(MICROS_PER_DAY).and_then(|t| t.checked_add(time));
            let local = local.ok_or_else(types::datetime::timestamp_out_of_range)?;
            if !zoned {
                let value = Datum::I64(timestamp_typmod(local, precision)?);
                return Ok(Moment { ty: oid::TIMESTAMP, value, west: 0 });
            }
            if zone.is_none() {
                return format(&missing("timestamptz"));
            }
            let west = west(local);
            let value = Datum::I64(timestamp_typmod(local + i64::from(west) * MICROS_PER_SEC, precision)?);
            Moment { ty: oid::TIMESTAMPTZ, value, west }
        }
    })
}

fn needs_zone(zones: bool, from: &str, to: &str) -> Result<()> {
    if zones {
        return Ok(());
    }
    let message = format!("cannot convert value from {from} to {to} without time zone usage");
    Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).hint("Use *_tz() function for time zone support."))
}

/// A moment in the session's time zone.
fn zoned(call: &Call<'_>, local: i64) -> Result<(i64, i32)> {
    let utc = arith::timestamp_to_timestamptz(local, &call.settings.time_zone)?;
    Ok((utc, -zone::offset_at(&call.settings.time_zone, utc)))
}

/// Local time of the session's time zone as `timetz` has it.
fn time_zoned(call: &Call<'_>, time: i64) -> [u8; 16] {
    let zone = &call.settings.time_zone;
    let today = arith::timestamptz_to_timestamp(call.settings.now, zone).unwrap_or(call.settings.now);
    timetz_bytes(time, -zone::offset_of_local(zone, today.div_euclid(MICROS_PER_DAY), time))
}

/// What `method` makes of a moment; none when it takes no such moment.
///
/// # Errors
/// When the session's time zone would be needed and may not be used.
pub fn convert(call: &Call<'_>, method: Method, m: Moment, precision: i32, zones: bool) -> Result<Option<Moment>> {
    let local = |utc: i64| arith::timestamptz_to_timestamp(utc, &call.settings.time_zone);
    let (ty, value) = match (method, m.ty, &m.value) {
        (Method::Datetime, ..) => return Ok(Some(m)),
        (Method::Date, oid::DATE, v) => (oid::DATE, v.clone()),
        (Method::Date, oid::TIMESTAMP, Datum::I64(t)) => (oid::DATE, Datum::I32(arith::timestamp_to_date(*t))),
        (Method::Date, oid::TIMESTAMPTZ, Datum::I64(t)) => {
            needs_zone(zones, "timestamptz", "date")?;
            (oid::DATE, Datum::I32(arith::timestamp_to_date(local(*t)?)))
        }
        (Method::Time, oid::TIME, v) => (oid::TIME, v.clone()),
        (Method::Time, oid::TIMETZ, Datum::B16(b)) => {
            needs_zone(zones, "timetz", "time")?;
            (oid::TIME, Datum::I64(timetz_parts(b).0))
        }
        (Method::Time, oid::TIMESTAMP, Datum::I64(t)) => (oid::TIME, Datum::I64(t.rem_euclid(MICROS_PER_DAY))),
        (Method::Time, oid::TIMESTAMPTZ, Datum::I64(t)) => {
            needs_zone(zones, "timestamptz", "time")?;
            (oid::TIME, Datum::I64(local(*t)?.rem_euclid(MICROS_PER_DAY)))
        }
        (Method::TimeTz, oid::TIMETZ, v) => (oid::TIMETZ, v.clone()),
        (Method::TimeTz, oid::TIME, Datum::I64(t)) => {
            needs_zone(zones, "time", "timetz")?;
            (oid::TIMETZ, Datum::B16(time_zoned(call, *t)))
        }
        (Method::TimeTz, oid::TIMESTAMPTZ, Datum::I64(t)) => {
            let west = -zone::offset_at(&call.settings.time_zone, *t);
            (oid::TIMETZ, Datum::B16(timetz_bytes(local(*t)?.rem_euclid(MICROS_PER_DAY), west)))
        }
        (Method::Timestamp, oid::TIMESTAMP, v) => (oid::TIMESTAMP, v.clone()),
        (Method::Timestamp, oid::DATE, Datum::I32(d)) => (oid::TIMESTAMP, Datum::I64(arith::date_to_timestamp(*d)?)),
        (Method::Timestamp, oid::TIMESTAMPTZ, Datum::I64(t)) => {
            needs_zone(zones, "timestamptz", "timestamp")?;
            (oid::TIMESTAMP, Datum::I64(local(*t)?))
        }
        (Method::TimestampTz, oid::TIMESTAMPTZ, Datum::I64(t)) => {
            let value = Datum::I64(timestamp_typmod(*t, precision)?);
            return Ok(Some(Moment { value, ..m }));
        }
        (Method::TimestampTz, oid::DATE | oid::TIMESTAMP, v) => {
            let (name, at) = match v {
                Datum::I32(d) => ("date", arith::date_to_timestamp(*d)?),
                Datum::I64(t) => ("timestamp", *t),
                _ => return Ok(None),
            };
            needs_zone(zones, name, "timestamptz")?;
            let (utc, west) = zoned(call, at)?;
            let value = Datum::I64(timestamp_typmod(utc, precision)?);
            return Ok(Some(Moment { ty: oid::TIMESTAMPTZ, value, west }));
        }
        _ => return Ok(None),
    };
    Ok(Some(Moment { ty, value: types::io::coerce(ty, precision, value, true)?, west: 0 }))
}

/// The order of two moments; none when they cannot be compared.
///
/// # Errors
/// When the session's time zone would be needed and may not be used.
pub fn compare(call: &Call<'_>, a: &Moment, b: &Moment, zones: bool) -> Result<Option<Ordering>> {
    if a.ty == b.ty {
        return Ok(Some(types::compare::compare(a.ty, &a.value, &b.value)));
    }
    // What has less is brought to what has more.
    if rank(a.ty) > rank(b.ty) {
        return Ok(compare(call, b, a, zones)?.map(Ordering::reverse));
    }
    let utc = |local: i64| zoned(call, local).map(|(utc, _)| utc);
    let (low, high) = match (a.ty, &a.value, b.ty, &b.value) {
        (_, Datum::I32(d), oid::TIMESTAMP, Datum::I64(t)) => (midnight(*d), *t),
        (_, Datum::I32(d), oid::TIMESTAMPTZ, Datum::I64(t)) => {
            needs_zone(zones, "date", "timestamptz")?;
            (utc(midnight(*d)).unwrap_or_else(|_| midnight(*d)), *t)
        }
        (oid::TIMESTAMP, Datum::I64(a), oid::TIMESTAMPTZ, Datum::I64(b)) => {
            needs_zone(zones, "timestamp", "timestamptz")?;
            (utc(*a)?, *b)
        }
        (oid::TIME, Datum::I64(t), oid::TIMETZ, b) => {
            needs_zone(zones, "time", "timetz")?;
            let a = Datum::B16(time_zoned(call, *t));
            return Ok(Some(types::compare::compare(oid::TIMETZ, &a, b)));
        }
        _ => return Ok(None),
    };
    Ok(Some(low.cmp(&high)))
}

fn rank(ty: Oid) -> u8 {
    match ty {
        oid::DATE => 0,
        oid::TIME => 1,
        oid::TIMESTAMP => 2,
        oid::TIMETZ => 3,
        _ => 4,
    }
}

/// The start of a day; a day beyond the range of moments is after, or before, all of them.
fn midnight(days: i32) -> i64 {
    arith::date_to_timestamp(days).unwrap_or(if days < 0 { i64::MIN } else { i64::MAX })
}
