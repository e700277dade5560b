//! Writes dates, times, timestamps and intervals in every `DateStyle` and `IntervalStyle`.

use jiff::tz::TimeZone;

use super::zone::{self, At};
use super::*;

/// The output half of `DateStyle`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DateStyle {
    /// `1997-12-17 07:37:16-08`.
    #[default]
    Iso,
    /// `12/17/1997 07:37:16.00 PST`.
    Sql,
    /// `Wed Dec 17 07:37:16 1997 PST`.
    Postgres,
    /// `17.12.1997 07:37:16.00 PST`.
    German,
}

/// The field order half of `DateStyle`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DateOrder {
    /// Month, day, year.
    #[default]
    Mdy,
    /// Day, month, year.
    Dmy,
    /// Year, month, day.
    Ymd,
}

/// `IntervalStyle`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IntervalStyle {
    /// `1 year 2 mons 3 days 04:05:06`.
    #[default]
    Postgres,
    /// `@ 1 year 2 mons 3 days 4 hours 5 mins 6 secs`.
    PostgresVerbose,
    /// `1-2 3 4:05:06`.
    SqlStandard,
    /// `P1Y2M3DT4H5M6S`.
    Iso8601,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

macro_rules! put {
    ($out:expr, $($arg:tt)*) => {{
        // Writing to a vector cannot fail.
        let _ = std::io::Write::write_fmt($out, format_args!($($arg)*));
    }};
}

/// Two digits; `n` is below 100.
fn two(out: &mut Vec<u8>, n: u32) {
    out.extend_from_slice(&[b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8]);
}

/// A fraction of a second with its point and without trailing zeros; nothing for zero.
fn fraction(out: &mut Vec<u8>, micros: u64) {
    if micros == 0 {
        return;
    }
    let text = format!(".{micros:06}");
    out.extend_from_slice(text.trim_end_matches('0').as_bytes());
}

fn clock(out: &mut Vec<u8>, c: &Civil) {
    two(out, c.hour);
    out.push(b':');
    two(out, c.minute);
    out.push(b':');
    two(out, c.second);
    fraction(out, c.micros.into());
}

/// The year as shown, and whether it is BC.
fn shown_year(year: i64) -> (i64, bool) {
    if year > 0 { (year, false) } else { (1 - year, true) }
}

fn year(out: &mut Vec<u8>, y: i64) {
    if (0..10_000).contains(&y) {
        two(out, y as u32 / 100);
        two(out, y as u32 % 100);
    } else {
        out.extend_from_slice(itoa::Buffer::new().format(y).as_bytes());
    }
}

/// Day and month or month and day.
fn day_month(out: &mut Vec<u8>, c: &Civil, order: DateOrder, separator: u8) {
    let (first, second) = if order == DateOrder::Dmy { (c.day, c.month) } else { (c.month, c.day) };
    two(out, first);
    out.push(separator);
    two(out, second);
    out.push(separator);
}

fn date(out: &mut Vec<u8>, c: &Civil, style: DateStyle, order: DateOrder) {
    let (y, _) = shown_year(c.year);
    match style {
        DateStyle::Iso => {
            year(out, y);
            out.push(b'-');
            two(out, c.month);
            out.push(b'-');
            two(out, c.day);
        }
        DateStyle::Sql => {
            day_month(out, c, order, b'/');
            year(out, y);
        }
        DateStyle::German => {
            day_month(out, c, DateOrder::Dmy, b'.');
            year(out, y);
        }
        DateStyle::Postgres => {
            day_month(out, c, order, b'-');
            year(out, y);
        }
    }
}

/// Writes a `date`.
pub fn format_date(days: i32, style: DateStyle, order: DateOrder, out: &mut Vec<u8>) {
    match days {
        DATE_INFINITY => return out.extend_from_slice(b"infinity"),
        DATE_NEG_INFINITY => return out.extend_from_slice(b"-infinity"),
        _ => {}
    }
    let (y, month, day) = civil_from_days(days.into());
    let c = Civil { year: y, month, day, ..Civil::default() };
    date(out, &c, style, order);
    if c.year <= 0 {
        out.extend_from_slice(b" BC");
    }
}

/// Writes a `time`.
pub fn format_time(micros: i64, out: &mut Vec<u8>) {
    // 24:00:00 is a time.
    two(out, (micros / MICROS_PER_HOUR) as u32);
    out.push(b':');
    two(out, (micros / MICROS_PER_MINUTE % 60) as u32);
    out.push(b':');
    two(out, (micros / MICROS_PER_SEC % 60) as u32);
    fraction(out, (micros % MICROS_PER_SEC) as u64);
}

/// `+hh`, `+hh:mm` or `+hh:mm:ss`.
fn offset(out: &mut Vec<u8>, east_secs: i32) {
    out.push(if east_secs < 0 { b'-' } else { b'+' });
    let s = east_secs.unsigned_abs();
    two(out, s / 3600);
    if !s.is_multiple_of(3600) {
        out.push(b':');
        two(out, s / 60 % 60);
        if !s.is_multiple_of(60) {
            out.push(b':');
            two(out, s % 60);
        }
    }
}

/// Writes a `timetz`.
pub fn format_timetz(micros: i64, west_secs: i32, out: &mut Vec<u8>) {
    format_time(micros, out);
    offset(out, -west_secs);
}

fn timestamp(out: &mut Vec<u8>, local: i64, style: DateStyle, order: DateOrder, at: Option<&At>) {
    let c = Civil::from_micros(local);
    match style {
        DateStyle::Iso => {
            date(out, &c, style, order);
            out.push(b' ');
            clock(out, &c);
            if let Some(at) = at {
                offset(out, at.east_secs);
            }
        }
        DateStyle::Sql | DateStyle::German => {
            date(out, &c, style, order);
            out.push(b' ');
            clock(out, &c);
            if let Some(at) = at {
                put!(out, " {}", at.abbreviation);
            }
        }
        DateStyle::Postgres => {
            put!(out, "{} ", WEEKDAYS[day_of_week(c.days()) as usize]);
            let month = MONTHS[(c.month as usize + 11) % 12];
            if order == DateOrder::Dmy {
                put!(out, "{:02} {month} ", c.day);
            } else {
                put!(out, "{month} {:02} ", c.day);
            }
            clock(out, &c);
            out.push(b' ');
            year(out, shown_year(c.year).0);
            if let Some(at) = at {
                put!(out, " {}", at.abbreviation);
            }
        }
    }
    if c.year <= 0 {
        out.extend_from_slice(b" BC");
    }
}

fn infinite(micros: i64, out: &mut Vec<u8>) -> bool {
    match micros {
        TIMESTAMP_INFINITY => out.extend_from_slice(b"infinity"),
        TIMESTAMP_NEG_INFINITY => out.extend_from_slice(b"-infinity"),
        _ => return false,
    }
    true
}

/// Writes a `timestamp`.
pub fn format_timestamp(micros: i64, style: DateStyle, order: DateOrder, out: &mut Vec<u8>) {
    if !infinite(micros, out) {
        timestamp(out, micros, style, order, None);
    }
}

/// Writes a `timestamptz` as local time of `zone`.
pub fn format_timestamptz(micros: i64, style: DateStyle, order: DateOrder, zone: &TimeZone, out: &mut Vec<u8>) {
    if !infinite(micros, out) {
        let at = if style == DateStyle::Iso {
            At { east_secs: zone::offset_at(zone, micros), is_dst: false, abbreviation: String::new() }
        } else {
            zone::at(zone, micros)
        };
        let local = micros.saturating_add(i64::from(at.east_secs) * MICROS_PER_SEC);
        timestamp(out, local, style, order, Some(&at));
    }
}

/// `n unit` with a plural `s`, and a plus sign after a negative part: the default style.
fn plain_part(out: &mut Vec<u8>, n: i64, unit: &str, state: &mut (bool, bool)) {
    if n == 0 {
        return;
    }
    let (first, negative) = *state;
    let space = if first { "" } else { " " };
    let plus = if negative && n > 0 { "+" } else { "" };
    put!(out, "{space}{plus}{n} {unit}{}", if n == 1 { "" } else { "s" });
    *state = (false, n < 0);
}

/// Writes an `interval`.
pub fn format_interval(v: Interval, style: IntervalStyle, out: &mut Vec<u8>) {
    if !v.is_finite() {
        return out.extend_from_slice(if v == Interval::INFINITY { b"infinity" } else { b"-infinity" });
    }
    let (years, months) = v.years_months();
    let (years, months, days) = (i64::from(years), i64::from(months), i64::from(v.days));
    let (h, m, s, us) = v.clock();
    match style {
        IntervalStyle::Postgres => {
            let mut state = (true, false);
            plain_part(out, years, "year", &mut state);
            plain_part(out, months, "mon", &mut state);
            plain_part(out, days, "day", &mut state);
            if state.0 || v.micros != 0 {
                if !state.0 {
                    out.push(b' ');
                }
                let sign = if v.micros < 0 {
                    "-"
                } else if state.1 {
                    "+"
                } else {
                    ""
                };
                put!(out, "{sign}{:02}:{:02}:{:02}", h.unsigned_abs(), m.unsigned_abs(), s.unsigned_abs());
                fraction(out, us.unsigned_abs());
            }
        }
        IntervalStyle::PostgresVerbose => verbose(out, years, months, days, (h, m, s, us)),
        IntervalStyle::SqlStandard => sql_standard(out, years, months, days, v.micros),
        IntervalStyle::Iso8601 => {
            if v == Interval::default() {
                return out.extend_from_slice(b"PT0S");
            }
            out.push(b'P');
            for (n, designator) in [(years, 'Y'), (months, 'M'), (days, 'D')] {
                if n != 0 {
                    put!(out, "{n}{designator}");
                }
            }
            if v.micros != 0 {
                out.push(b'T');
            }
            for (n, designator) in [(h, 'H'), (m, 'M')] {
                if n != 0 {
                    put!(out, "{n}{designator}");
                }
            }
            if s != 0 || us != 0 {
                put!(out, "{}{}", if v.micros < 0 { "-" } else { "" }, s.unsigned_abs());
                fraction(out, us.unsigned_abs());
                out.push(b'S');
            }
        }
    }
}

fn verbose(out: &mut Vec<u8>, years: i64, months: i64, days: i64, (h, m, s, us): (i64, i64, i64, i64)) {
    out.push(b'@');
    // The first part's sign becomes the closing `ago`; later parts keep theirs relative to it.
    let (mut first, mut ago) = (true, false);
    for (n, unit) in [(years, "year"), (months, "mon"), (days, "day"), (h, "hour"), (m, "min")] {
        if n == 0 {
            continue;
        }
        if first {
            ago = n < 0;
            first = false;
        }
        let n = if ago { -n } else { n };
        put!(out, " {n} {unit}{}", if n == 1 { "" } else { "s" });
    }
    if s != 0 || us != 0 {
        let negative = s < 0 || us < 0;
        if first {
            ago = negative;
            first = false;
        }
        put!(out, " {}{}", if negative != ago { "-" } else { "" }, s.unsigned_abs());
        fraction(out, us.unsigned_abs());
        put!(out, " sec{}", if s.unsigned_abs() != 1 || us != 0 { "s" } else { "" });
    }
    if first {
        out.extend_from_slice(b" 0");
    }
    if ago {
        out.extend_from_slice(b" ago");
    }
}

fn sql_standard(out: &mut Vec<u8>, years: i64, months: i64, days: i64, micros: i64) {
    let parts = [years, months, days, micros];
    let negative = parts.iter().any(|p| *p < 0);
    let positive = parts.iter().any(|p| *p > 0);
    if !negative && !positive {
        return out.push(b'0');
    }
    let year_month = years != 0 || months != 0;
    let day_time = days != 0 || micros != 0;
    let sign = |n: bool| if n { '-' } else { '+' };
    let time = |out: &mut Vec<u8>| {
        let t = micros.unsigned_abs();
        let (h, m, s) = (t / 3_600_000_000, t / 60_000_000 % 60, t / 1_000_000 % 60);
        put!(out, "{h}:{m:02}:{s:02}");
        fraction(out, t % 1_000_000);
    };
    let (y, mo, d) = (years.unsigned_abs(), months.unsigned_abs(), days.unsigned_abs());
    if (negative && positive) || (year_month && day_time) {
        let months_sign = sign(years < 0 || months < 0);
        put!(out, "{months_sign}{y}-{mo} {}{d} {}", sign(days < 0), sign(micros < 0));
        return time(out);
    }
    if negative {
        out.push(b'-');
    }
    if year_month {
        put!(out, "{y}-{mo}");
    } else {
        if days != 0 {
            put!(out, "{d} ");
        }
        time(out);
    }
}
