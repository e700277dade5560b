//! `to_char` of timestamps and intervals.

use ext::{Call, Interval};
use types::datetime::{
    Civil, MICROS_PER_DAY, MICROS_PER_SEC, TIMESTAMP_INFINITY, TIMESTAMP_NEG_INFINITY, day_of_week, days_from_civil,
    zone,
};
use types::{Result, SqlError, SqlState};

use super::template::{Case, DAYS, Field, Key, MONTHS, Node, ROMAN, parse};

/// What there is to show.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    day_of_year: i64,
    /// Days since 2000-01-01; of an interval nothing.
    days: i64,
    interval: bool,
    /// Seconds east and abbreviation.
    zone: Option<(i64, String)>,
}

/// ISO year and week of a day.
pub(super) fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - (i64::from(day_of_week(days)) + 6) % 7 + 3;
    let (year, ..) = types::datetime::civil_from_days(thursday);
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

/// Day of the ISO year.
fn iso_day(days: i64) -> i64 {
    let (_, week) = iso_week(days);
    (week - 1) * 7 + (i64::from(day_of_week(days)) + 6) % 7 + 1
}

fn cased(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_ascii_uppercase(),
        Case::Lower => text.to_ascii_lowercase(),
        Case::Capital => text.to_owned(),
    }
}

/// `st`, `nd`, `rd`, `th`.
pub(crate) fn ordinal(number: &str) -> &'static str {
    let b = number.as_bytes();
    if b.len() >= 2 && b[b.len() - 2] == b'1' {
        return "th";
    }
    match b.last() {
        Some(b'1') => "st",
        Some(b'2') => "nd",
        Some(b'3') => "rd",
        _ => "th",
    }
}

impl Parts {
    fn not_of_interval(&self) -> Result<()> {
        if self.interval {
            return Err(SqlError::new(
                SqlState::INVALID_DATETIME_FORMAT,
                "invalid format specification for an interval value",
            )
            .hint("Intervals are not tied to specific calendar dates."));
        }
        Ok(())
    }

    /// Years before Christ count from 1.
    fn shown_year(&self, year: i64) -> i64 {
        if !self.interval && year <= 0 { 1 - year } else { year }
    }

    fn name(&self, list: &[&str], i: i64, f: &Field, short: bool) -> String {
        let Some(full) = usize::try_from(i).ok().and_then(|i| list.get(i)) else { return String::new() };
        if short {
            return cased(&full[..3], f.case);
        }
        let text = cased(full, f.case);
        if f.fill || f.localized { text } else { format!("{text:<9}") }
    }

    fn show(&self, f: &Field, out: &mut String) -> Result<()> {
        let width = |v: i64, n: usize| if f.fill { 0 } else { n + usize::from(v < 0) };
        let padded = |v: i64, n: usize| format!("{v:0w$}", w = width(v, n));
        let number = match f.key {
            Key::Exact => return Ok(()),
            Key::Era => {
                self.not_of_interval()?;
                let text = if self.year <= 0 { "BC" } else { "AD" };
                let text =
                    if f.name.contains('.') { format!("{}.{}.", &text[..1], &text[1..]) } else { text.to_owned() };
                out.push_str(&cased(&text, f.case));
                return Ok(());
            }
            Key::Meridiem => {
                let text = if self.hour % 24 >= 12 { "PM" } else { "AM" };
                let text = if f.name.contains('.') { format!("{}.M.", &text[..1]) } else { text.to_owned() };
                out.push_str(&cased(&text, f.case));
                return Ok(());
            }
            Key::MonthName | Key::MonthShort => {
                self.not_of_interval()?;
                out.push_str(&self.name(&MONTHS, self.month - 1, f, f.key == Key::MonthShort));
                return Ok(());
            }
            Key::DayName | Key::DayShort => {
                self.not_of_interval()?;
                out.push_str(&self.name(&DAYS, day_of_week(self.days).into(), f, f.key == Key::DayShort));
                return Ok(());
            }
            Key::Roman => {
                if self.month == 0 && self.year == 0 {
                    return Ok(());
                }
                let i = match self.month {
                    0 if self.year >= 0 => 11,
                    0 => 0,
                    m if m < 0 => 12 + m,
                    m => m - 1,
                };
                let text = cased(ROMAN.get(i as usize).unwrap_or(&""), f.case);
                out.push_str(&if f.fill { text } else { format!("{text:<4}") });
                return Ok(());
            }
            Key::Zone => {
                self.not_of_interval()?;
                if let Some((_, name)) = &self.zone {
                    out.push_str(&if f.case == Case::Lower { name.to_ascii_lowercase() } else { name.clone() });
                }
                return Ok(());
            }
            Key::ZoneHours | Key::ZoneMinutes | Key::Offset => {
                self.not_of_interval()?;
                let east = self.zone.as_ref().map_or(0, |z| z.0);
                let (sign, abs) = if east < 0 { ('-', -east) } else { ('+', east) };
                let (hours, minutes) = (abs / 3600, abs / 60 % 60);
                let text = match f.key {
                    Key::ZoneMinutes => format!("{minutes:02}"),
                    Key::ZoneHours => format!("{sign}{hours:02}"),
                    _ => {
                        let hours = if f.fill { hours.to_string() } else { format!("{hours:02}") };
                        let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
                        format!("{sign}{hours}{minutes}")
                    }
                };
                out.push_str(&text);
                return Ok(());
            }
            Key::Hour24 => padded(self.hour, 2),
            Key::Hour12 => {
                let h = self.hour % 12;
                padded(if h == 0 { 12 } else { h }, 2)
            }
            Key::Minute => padded(self.minute, 2),
            Key::Second => padded(self.second, 2),
            Key::Fraction(n) => {
                let unit = 10i64.pow(6 - u32::from(n));
                format!("{:0w$}", self.micros / unit, w = usize::from(n))
            }
            Key::Milliseconds => format!("{:03}", self.micros / 1000),
            Key::Microseconds => format!("{:06}", self.micros),
            Key::SecondOfDay => (self.hour * 3600 + self.minute * 60 + self.second).to_string(),
            Key::Month => padded(self.month, 2),
            Key::DayOfMonth => format!("{:0w$}", self.day, w = if f.fill { 0 } else { 2 }),
            Key::DayOfYear => format!("{:0w$}", self.day_of_year, w = if f.fill { 0 } else { 3 }),
            Key::IsoDayOfYear => format!("{:0w$}", iso_day(self.days), w = if f.fill { 0 } else { 3 }),
            Key::DayOfWeek => {
                self.not_of_interval()?;
                (day_of_week(self.days) + 1).to_string()
            }
            Key::IsoDayOfWeek => {
                self.not_of_interval()?;
                ((day_of_week(self.days) + 6) % 7 + 1).to_string()
            }
            Key::Week => format!("{:0w$}", (self.day_of_year - 1) / 7 + 1, w = if f.fill { 0 } else { 2 }),
            Key::IsoWeek => format!("{:0w$}", iso_week(self.days).1, w = if f.fill { 0 } else { 2 }),
            Key::WeekOfMonth => ((self.day - 1) / 7 + 1).to_string(),
            Key::Quarter => {
                if self.month == 0 {
                    return Ok(());
                }
                ((self.month - 1) / 3 + 1).to_string()
            }
            Key::Century => {
                let c = if self.interval {
                    self.year / 100
                } else if self.year > 0 {
                    (self.year - 1) / 100 + 1
                } else {
                    self.year / 100 - 1
                };
                if c.abs() <= 99 { padded(c, 2) } else { c.to_string() }
            }
            Key::Julian => {
                if self.interval {
                    // As the calendar would have it of year, month and day.
                    (days_from_civil(self.year, self.month, self.day) + types::datetime::EPOCH_JULIAN_DAY).to_string()
                } else {
                    (self.days + types::datetime::EPOCH_JULIAN_DAY).to_string()
                }
            }
            Key::YearComma => {
                let y = self.shown_year(self.year);
                format!("{},{:03}", y / 1000, y % 1000)
            }
            Key::Year(n) => self.digits_of_year(self.shown_year(self.year), n, f.fill),
            Key::IsoYear(n) => self.digits_of_year(self.shown_year(iso_week(self.days).0), n, f.fill),
        };
        out.push_str(&number);
        if let Some(case) = f.ordinal {
            out.push_str(&cased(ordinal(&number), case));
        }
        Ok(())
    }

    fn digits_of_year(&self, year: i64, n: u8, fill: bool) -> String {
        let width = if fill { 0 } else { usize::from(n) + usize::from(year < 0) };
        let shown = if n == 4 { year } else { year % 10i64.pow(n.into()) };
        format!("{shown:0width$}")
    }

    fn format(&self, template: &str) -> Result<Option<String>> {
        if template.is_empty() {
            return Ok(None);
        }
        let mut out = String::new();
        for node in parse(template) {
            match node {
                Node::Field(f) => self.show(&f, &mut out)?,
                Node::Char(c) | Node::Separator(c) | Node::Space(c) => out.push(c),
            }
        }
        Ok(Some(out))
    }
}

/// `to_char` of a timestamp, `zoned` if it is an instant.
pub(crate) fn timestamp_to_char(call: &Call<'_>, t: i64, zoned: bool, template: &str) -> Result<Option<String>> {
    if t == TIMESTAMP_INFINITY || t == TIMESTAMP_NEG_INFINITY {
        return Ok(None);
    }
    let at = zoned.then(|| zone::at(&call.settings.time_zone, t));
    let east = at.as_ref().map_or(0, |a| i64::from(a.east_secs));
    let local = t.checked_add(east * MICROS_PER_SEC).ok_or_else(types::datetime::timestamp_out_of_range)?;
    let civil = Civil::from_micros(local);
    let (days, time) = (local.div_euclid(MICROS_PER_DAY), local.rem_euclid(MICROS_PER_DAY));
    let (year, month, day) = (civil_year(&civil), i64::from(civil.month), i64::from(civil.day));
    let seconds = time / MICROS_PER_SEC;
    Parts {
        year,
        month,
        day,
        hour: seconds / 3600,
        minute: seconds / 60 % 60,
        second: seconds % 60,
        micros: time % MICROS_PER_SEC,
        day_of_year: days - days_from_civil(year, 1, 1) + 1,
        days,
        interval: false,
        zone: at.map(|a| (east, a.abbreviation)),
    }
    .format(template)
}

fn civil_year(c: &Civil) -> i64 {
    types::datetime::civil_from_days(c.days()).0
}

/// `to_char` of an interval.
pub(crate) fn interval_to_char(v: Interval, template: &str) -> Result<Option<String>> {
    if !v.is_finite() {
        return Ok(None);
    }
    let (years, months) = v.years_months();
    let (hour, minute, second, micros) = v.clock();
    let (year, month, day) = (i64::from(years), i64::from(months), i64::from(v.days));
    Parts {
        year,
        month,
        day,
        hour,
        minute,
        second,
        micros,
        day_of_year: (year * 12 + month) * 30 + day,
        days: 0,
        interval: true,
        zone: None,
    }
    .format(template)
}
