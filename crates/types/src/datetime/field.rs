//! `extract` and `date_trunc`.

use jiff::tz::TimeZone;

use super::keyword::{self, Unit};
use super::*;
use crate::numeric::Numeric;

/// A field of a date, time or interval.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    Epoch,
    DayOfWeek,
    DayOfYear,
    IsoDayOfWeek,
    IsoYear,
    Julian,
    Zone,
    ZoneHour,
    ZoneMinute,
}

fn find(name: &str) -> Option<Field> {
    Some(match name {
        "epoch" => Field::Epoch,
        "dow" => Field::DayOfWeek,
        "doy" => Field::DayOfYear,
        "isodow" => Field::IsoDayOfWeek,
        "isoyear" => Field::IsoYear,
        "julian" | "j" | "jd" => Field::Julian,
        "timezone" => Field::Zone,
        "timezone_hour" | "timezone_h" => Field::ZoneHour,
        "timezone_minute" | "timezone_m" => Field::ZoneMinute,
        _ => match keyword::unit(name)? {
            Unit::Microsecond => Field::Microseconds,
            Unit::Millisecond => Field::Milliseconds,
            Unit::Second => Field::Second,
            Unit::Minute => Field::Minute,
            Unit::Hour => Field::Hour,
            Unit::Day => Field::Day,
            Unit::Week => Field::Week,
            Unit::Month => Field::Month,
            Unit::Quarter => Field::Quarter,
            Unit::Year => Field::Year,
            Unit::Decade => Field::Decade,
            Unit::Century => Field::Century,
            Unit::Millennium => Field::Millennium,
            _ => return None,
        },
    })
}

fn unrecognized(name: &str, type_name: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("unit \"{name}\" not recognized for type {type_name}"))
}

fn unsupported(name: &str, type_name: &str) -> SqlError {
    SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("unit \"{name}\" not supported for type {type_name}"))
}

fn whole(v: i64) -> Result<Option<Numeric>> {
    Ok(Some(Numeric::from(v)))
}

fn scaled(v: i64, scale: u8) -> Result<Option<Numeric>> {
    Ok(Some(Numeric::small(v, scale)))
}

const TIMESTAMP: &str = "timestamp without time zone";
const TIMESTAMPTZ: &str = "timestamp with time zone";

/// ISO year and week.
fn iso_week(days: i64) -> (i64, i64) {
    // A week belongs to the year of its Thursday.
    let thursday = days - (i64::from(day_of_week(days)) + 6) % 7 + 3;
    let (year, ..) = civil_from_days(thursday);
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

/// Years as counted by people: none is zero.
fn shown(year: i64) -> i64 {
    if year > 0 { year } else { year - 1 }
}

/// The period of `n` years a year is in, counted from 1.
fn period(year: i64, n: i64) -> i64 {
    if year > 0 { (year + n - 1) / n } else { -((n - 1 - (year - 1)) / n) }
}

fn decade(year: i64) -> i64 {
    if year >= 0 { year / 10 } else { -((8 - (year - 1)) / 10) }
}

/// The fields that depend on the time of day alone.
fn clock_field(field: Field, time: i64) -> Option<Result<Option<Numeric>>> {
    Some(match field {
        Field::Microseconds => whole(time % MICROS_PER_MINUTE),
        Field::Milliseconds => scaled(time % MICROS_PER_MINUTE, 3),
        Field::Second => scaled(time % MICROS_PER_MINUTE, 6),
        Field::Minute => whole(time / MICROS_PER_MINUTE % 60),
        Field::Hour => whole(time / MICROS_PER_HOUR),
        _ => return None,
    })
}

/// The fields that depend on the date alone.
fn date_field(field: Field, days: i64) -> Option<i64> {
    let (year, month, day) = civil_from_days(days);
    Some(match field {
        Field::Day => day.into(),
        Field::Month => month.into(),
        Field::Quarter => i64::from(month - 1) / 3 + 1,
        Field::Week => iso_week(days).1,
        Field::Year => shown(year),
        Field::Decade => decade(year),
        Field::Century => period(year, 100),
        Field::Millennium => period(year, 1000),
        Field::IsoYear => shown(iso_week(days).0),
        Field::DayOfWeek => day_of_week(days).into(),
        Field::IsoDayOfWeek => (i64::from(day_of_week(days)) + 6) % 7 + 1,
        Field::DayOfYear => days - days_from_civil(year, 1, 1) + 1,
        _ => return None,
    })
}

/// An infinite date or timestamp: infinite in fields that only grow, else NULL.
fn infinite(field: Field, positive: bool) -> Option<Numeric> {
    let grows = matches!(
        field,
        Field::Year
            | Field::Decade
            | Field::Century
            | Field::Millennium
            | Field::IsoYear
            | Field::Julian
            | Field::Epoch
    );
    if !grows {
        return None;
    }
    Some(if positive { Numeric::INFINITY } else { Numeric::NEG_INFINITY })
}

fn epoch(t: i64) -> Result<Option<Numeric>> {
    let unix = i128::from(t) + i128::from(UNIX_EPOCH_DAYS * MICROS_PER_DAY);
    match i64::try_from(unix) {
        Ok(v) => scaled(v, 6),
        Err(_) => Ok(Some(Numeric::from(unix).div(&Numeric::from(MICROS_PER_SEC))?.round(6))),
    }
}

fn julian(local: i64) -> Result<Option<Numeric>> {
    let (days, time) = (local.div_euclid(MICROS_PER_DAY), local.rem_euclid(MICROS_PER_DAY));
    let fraction = Numeric::from(time).div(&Numeric::from(MICROS_PER_DAY))?;
    Numeric::from(days + EPOCH_JULIAN_DAY).add(&fraction).map(Some)
}

/// `extract(name from date)`.
pub fn extract_date(name: &str, days: i32) -> Result<Option<Numeric>> {
    let name = name.to_ascii_lowercase();
    let field = find(&name).ok_or_else(|| unrecognized(&name, "date"))?;
    let wide = i64::from(days);
    let value = match field {
        Field::Epoch => Some((wide + UNIX_EPOCH_DAYS) * 86_400),
        Field::Julian => Some(wide + EPOCH_JULIAN_DAY),
        f => date_field(f, if days == DATE_INFINITY || days == DATE_NEG_INFINITY { 0 } else { wide }),
    };
    let value = value.ok_or_else(|| unsupported(&name, "date"))?;
    match days {
        DATE_INFINITY | DATE_NEG_INFINITY => Ok(infinite(field, days > 0)),
        _ => whole(value),
    }
}

/// `extract(name from timestamp)`.
pub fn extract_timestamp(name: &str, t: i64) -> Result<Option<Numeric>> {
    let name = name.to_ascii_lowercase();
    let field = find(&name).ok_or_else(|| unrecognized(&name, TIMESTAMP))?;
    if t == TIMESTAMP_INFINITY || t == TIMESTAMP_NEG_INFINITY {
        return Ok(infinite(field, t > 0));
    }
    match field {
        Field::Epoch => epoch(t),
        f => local_field(f, t).unwrap_or_else(|| Err(unsupported(&name, TIMESTAMP))),
    }
}

fn local_field(field: Field, local: i64) -> Option<Result<Option<Numeric>>> {
    if field == Field::Julian {
        return Some(julian(local));
    }
    clock_field(field, local.rem_euclid(MICROS_PER_DAY))
        .or_else(|| date_field(field, local.div_euclid(MICROS_PER_DAY)).map(whole))
}

fn zone_field(field: Field, east: i64) -> Option<Result<Option<Numeric>>> {
    Some(whole(match field {
        Field::Zone => east,
        Field::ZoneHour => east / 3600,
        Field::ZoneMinute => east % 3600 / 60,
        _ => return None,
    }))
}

/// `extract(name from timestamptz)` in `zone`.
pub fn extract_timestamptz(name: &str, t: i64, zone: &TimeZone) -> Result<Option<Numeric>> {
    let name = name.to_ascii_lowercase();
    let field = find(&name).ok_or_else(|| unrecognized(&name, TIMESTAMPTZ))?;
    if t == TIMESTAMP_INFINITY || t == TIMESTAMP_NEG_INFINITY {
        return Ok(infinite(field, t > 0));
    }
    if field == Field::Epoch {
        return epoch(t);
    }
    let east = i64::from(zone::offset_at(zone, t));
    zone_field(field, east)
        .or_else(|| local_field(field, t.saturating_add(east * MICROS_PER_SEC)))
        .unwrap_or_else(|| Err(unsupported(&name, TIMESTAMPTZ)))
}

/// `extract(name from time)`.
pub fn extract_time(name: &str, t: i64) -> Result<Option<Numeric>> {
    const TYPE: &str = "time without time zone";
    let name = name.to_ascii_lowercase();
    let field = find(&name).ok_or_else(|| unrecognized(&name, TYPE))?;
    match field {
        Field::Epoch => scaled(t, 6),
        f => clock_field(f, t).unwrap_or_else(|| Err(unsupported(&name, TYPE))),
    }
}

/// `extract(name from timetz)`.
pub fn extract_timetz(name: &str, t: i64, west_secs: i32) -> Result<Option<Numeric>> {
    const TYPE: &str = "time with time zone";
    let name = name.to_ascii_lowercase();
    let field = find(&name).ok_or_else(|| unrecognized(&name, TYPE))?;
    match field {
        Field::Epoch => scaled(t + i64::from(west_secs) * MICROS_PER_SEC, 6),
        f => clock_field(f, t)
            .or_else(|| zone_field(f, -i64::from(west_secs)))
            .unwrap_or_else(|| Err(unsupported(&name, TYPE))),
    }
}

/// `extract(name from interval)`.
pub fn extract_interval(name: &str, v: Interval) -> Result<Option<Numeric>> {
    const TYPE: &str = "interval";
    let name = name.to_ascii_lowercase();
    let field = find(&name).ok_or_else(|| unrecognized(&name, TYPE))?;
    if !v.is_finite() {
        let positive = v == Interval::INFINITY;
        return Ok(match field {
            Field::Hour | Field::Day => infinite(Field::Year, positive),
            Field::IsoYear | Field::Julian => return Err(unsupported(&name, TYPE)),
            Field::DayOfWeek
            | Field::DayOfYear
            | Field::IsoDayOfWeek
            | Field::Zone
            | Field::ZoneHour
            | Field::ZoneMinute => {
                return Err(unsupported(&name, TYPE));
            }
            f => infinite(f, positive),
        });
    }
    let (years, months) = v.years_months();
    let (years, months) = (i64::from(years), i64::from(months));
    match field {
        Field::Day => whole(v.days.into()),
        Field::Week => whole(i64::from(v.days) / 7),
        Field::Month => whole(months),
        Field::Quarter => whole(if v.months >= 0 { months / 3 + 1 } else { -((-months) / 3 + 1) }),
        Field::Year => whole(years),
        Field::Decade => whole(years / 10),
        Field::Century => whole(years / 100),
        Field::Millennium => whole(years / 1000),
        Field::Epoch => {
            // A year is 365.25 days, a month 30.
            let quarter_days = i128::from(years) * 1461 + (i128::from(months) * 30 + i128::from(v.days)) * 4;
            let micros = quarter_days * i128::from(MICROS_PER_DAY / 4) + i128::from(v.micros);
            let value = Numeric::from(micros);
            match i64::try_from(micros) {
                Ok(m) => scaled(m, 6),
                Err(_) => Ok(Some(value.div(&Numeric::from(MICROS_PER_SEC))?.round(6))),
            }
        }
        f => clock_field(f, v.micros).unwrap_or_else(|| Err(unsupported(&name, TYPE))),
    }
}

/// Cuts a local time to the start of `field`'s unit.
fn truncate(field: Field, local: i64) -> Option<i64> {
    let unit = |u: i64| Some(local.div_euclid(u) * u);
    let days = local.div_euclid(MICROS_PER_DAY);
    let (year, month, _) = civil_from_days(days);
    let start = |year: i64, month: i64| micros_from_parts(days_from_civil(year, month, 1), 0);
    let first_of =
        |n: i64| if year > 0 { (year + n - 1) / n * n - (n - 1) } else { -((n - 1 - (year - 1)) / n) * n + 1 };
    match field {
        Field::Microseconds => Some(local),
        Field::Milliseconds => unit(1000),
        Field::Second => unit(MICROS_PER_SEC),
        Field::Minute => unit(MICROS_PER_MINUTE),
        Field::Hour => unit(MICROS_PER_HOUR),
        Field::Day => unit(MICROS_PER_DAY),
        Field::Week => micros_from_parts(days - (i64::from(day_of_week(days)) + 6) % 7, 0),
        Field::Month => start(year, month.into()),
        Field::Quarter => start(year, i64::from(month - 1) / 3 * 3 + 1),
        Field::Year => start(year, 1),
        Field::Decade => start(if year > 0 { year / 10 * 10 } else { -((8 - (year - 1)) / 10) * 10 }, 1),
        Field::Century => start(first_of(100), 1),
        Field::Millennium => start(first_of(1000), 1),
        _ => None,
    }
}

/// The unit `date_trunc` cuts to.
fn truncation_field(name: &str, type_name: &str) -> Result<Field> {
    let field = find(name).ok_or_else(|| unrecognized(name, type_name))?;
    match field {
        Field::Zone | Field::ZoneHour | Field::ZoneMinute => Err(unsupported(name, type_name)),
        f if truncate(f, 0).is_none() => Err(unrecognized(name, type_name)),
        f => Ok(f),
    }
}

/// `date_trunc(name, timestamp)`.
pub fn trunc_timestamp(name: &str, t: i64) -> Result<i64> {
    let name = name.to_ascii_lowercase();
    let field = truncation_field(&name, TIMESTAMP)?;
    if t == TIMESTAMP_INFINITY || t == TIMESTAMP_NEG_INFINITY {
        return Ok(t);
    }
    truncate(field, t).filter(|t| is_valid_timestamp(*t)).ok_or_else(timestamp_out_of_range)
}

/// `date_trunc(name, timestamptz, zone)`.
pub fn trunc_timestamptz(name: &str, t: i64, zone: &TimeZone) -> Result<i64> {
    let name = name.to_ascii_lowercase();
    let field = truncation_field(&name, TIMESTAMPTZ)?;
    if t == TIMESTAMP_INFINITY || t == TIMESTAMP_NEG_INFINITY {
        return Ok(t);
    }
    let east = i64::from(zone::offset_at(zone, t)) * MICROS_PER_SEC;
    let local = t.checked_add(east).and_then(|l| truncate(field, l));
    let small =
        matches!(field, Field::Microseconds | Field::Milliseconds | Field::Second | Field::Minute | Field::Hour);
    // From a day up, the offset at the start of the unit counts.
    let utc = local.and_then(|l| if small { l.checked_sub(east) } else { zone::local_to_utc(zone, l) });
    utc.filter(|t| is_valid_timestamp(*t)).ok_or_else(timestamp_out_of_range)
}

/// `date_trunc(name, interval)`.
pub fn trunc_interval(name: &str, v: Interval) -> Result<Interval> {
    const TYPE: &str = "interval";
    let name = name.to_ascii_lowercase();
    let field = truncation_field(&name, TYPE)?;
    if field == Field::Week {
        return Err(unsupported(&name, TYPE).detail("Months usually have fractional weeks."));
    }
    if !v.is_finite() {
        return Ok(v);
    }
    let months = |n: i32| Interval::new(v.months / n * n, 0, 0);
    let time = |u: i64| Interval::new(v.months, v.days, v.micros / u * u);
    Ok(match field {
        Field::Millennium => months(12_000),
        Field::Century => months(1200),
        Field::Decade => months(120),
        Field::Year => months(12),
        Field::Quarter => months(3),
        Field::Month => months(1),
        Field::Day => Interval::new(v.months, v.days, 0),
        Field::Hour => time(MICROS_PER_HOUR),
        Field::Minute => time(MICROS_PER_MINUTE),
        Field::Second => time(MICROS_PER_SEC),
        Field::Milliseconds => time(1000),
        _ => v,
    })
}
