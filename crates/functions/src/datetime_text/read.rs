//! `to_date` and `to_timestamp`: text read by a template.

use ext::Call;
use types::datetime::{
    DATE_MIN, EPOCH_JULIAN_DAY, MICROS_PER_SEC, day_of_week, days_from_civil, days_in_month, is_leap, is_valid_date,
    zone,
};
use types::{Result, SqlError, SqlState};

use super::template::{self, DAYS, Field, Key, MONTHS, Node, ROMAN, is_separator, is_space, parse};
use crate::datetime::Zone;

/// What the text said, field by field.
#[derive(Default)]
pub struct Found {
    hour: Option<i64>,
    twelve: bool,
    pm: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    second_of_day: Option<i64>,
    milliseconds: Option<i64>,
    microseconds: Option<i64>,
    day_of_week: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    month: Option<i64>,
    year: Option<i64>,
    short_year: bool,
    century: Option<i64>,
    bc: Option<bool>,
    julian: Option<i64>,
    week: Option<i64>,
    week_of_month: Option<i64>,
    iso: Option<bool>,
    zone_sign: i64,
    zone_hours: Option<i64>,
    zone_minutes: Option<i64>,
    zone_name: Option<String>,
}

fn format_error(message: String) -> SqlError {
    SqlError::new(SqlState::INVALID_DATETIME_FORMAT, message)
}

fn out_of_range(text: &str) -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\""))
}

/// Sets a field, once to one value.
fn set<T: PartialEq + Copy>(slot: &mut Option<T>, value: T, f: &Field) -> Result<()> {
    match slot {
        Some(old) if *old != value => {
            Err(format_error(format!("conflicting values for \"{}\" field in formatting string", f.name))
                .detail("This value contradicts a previous setting for the same field type."))
        }
        _ => {
            *slot = Some(value);
            Ok(())
        }
    }
}

/// Digits a field takes when it must be of fixed width.
fn width(key: Key) -> usize {
    match key {
        Key::Fraction(n) | Key::Year(n) | Key::IsoYear(n) => n.into(),
        Key::DayOfYear | Key::IsoDayOfYear | Key::Milliseconds => 3,
        Key::Microseconds => 6,
        Key::SecondOfDay => 5,
        Key::Julian => 255,
        Key::DayOfWeek | Key::IsoDayOfWeek | Key::Quarter | Key::WeekOfMonth => 1,
        _ => 2,
    }
}

const HINT: &str = "If your source string is not fixed-width, try using the \"FM\" modifier.";

/// Reads an integer; gives how many characters it took.
fn integer(rest: &mut &str, f: &Field, free: bool) -> Result<(i64, usize)> {
    *rest = rest.trim_start_matches(is_space);
    let len = width(f.key);
    let taken: &str = if free {
        let sign = usize::from(rest.starts_with(['+', '-']));
        let digits = rest[sign..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - sign);
        &rest[..if digits == 0 { 0 } else { sign + digits }]
    } else {
        let available: String = rest.chars().take(len).collect();
        let count = available.chars().count();
        if count < len && len < 255 {
            return Err(format_error(format!("source string too short for \"{}\" formatting field", f.name))
                .detail(format!("Field requires {len} characters, but only {count} remain."))
                .hint(HINT));
        }
        let sign = usize::from(available.starts_with(['+', '-']));
        let digits = available[sign..].find(|c: char| !c.is_ascii_digit()).unwrap_or(available.len() - sign);
        let used = if digits == 0 { 0 } else { sign + digits };
        if used > 0 && used < len && len < 255 {
            return Err(format_error(format!("invalid value \"{available}\" for \"{}\"", f.name))
                .detail(format!("Field requires {len} characters, but only {used} could be parsed."))
                .hint(HINT));
        }
        &rest[..used]
    };
    if taken.is_empty() {
        let shown: String = rest.chars().take(if len == 255 { rest.len() } else { len }).collect();
        return Err(
            format_error(format!("invalid value \"{shown}\" for \"{}\"", f.name)).detail("Value must be an integer.")
        );
    }
    let value: i64 = taken.parse().ok().filter(|v| i32::try_from(*v).is_ok()).ok_or_else(|| {
        SqlError::new(
            SqlState::DATETIME_FIELD_OVERFLOW,
            format!("value for \"{}\" in source string is out of range", f.name),
        )
        .detail(format!("Value must be in the range {} to {}.", i32::MIN, i32::MAX))
    })?;
    let used = taken.len();
    *rest = &rest[used..];
    Ok((value, used))
}

/// Which of `list` the text begins with, in any case.
fn name(rest: &mut &str, list: &[&str], f: &Field, short: bool) -> Result<i64> {
    for (i, word) in list.iter().enumerate() {
        let word = if short { &word[..3] } else { word };
        if rest.get(..word.len()).is_some_and(|s| s.eq_ignore_ascii_case(word)) {
            *rest = &rest[word.len()..];
            return Ok(i as i64);
        }
    }
    let shown: &str = rest.split(is_space).next().unwrap_or_default();
    Err(format_error(format!("invalid value \"{shown}\" for \"{}\"", f.name))
        .detail("The given value did not match any of the allowed values for this field."))
}

/// A year of fewer than four digits is the one nearest to 2020.
fn completed(year: i64, digits: usize) -> i64 {
    match (digits, year) {
        (4.., _) => year,
        (_, ..70) => year + 2000,
        (_, 70..100) => year + 1900,
        (_, 100..520) => year + 2000,
        (_, 520..1000) => year + 1000,
        _ => year,
    }
}

/// Whether the next node ends a number, so that it may have any length.
fn ends_number(next: Option<&Node>) -> bool {
    match next {
        None | Some(Node::Separator(_) | Node::Space(_)) => true,
        Some(Node::Char(c)) => !c.is_ascii_digit(),
        Some(Node::Field(f)) => {
            matches!(
                f.key,
                Key::Era
                    | Key::Meridiem
                    | Key::MonthName
                    | Key::MonthShort
                    | Key::DayName
                    | Key::DayShort
                    | Key::Roman
                    | Key::Zone
                    | Key::ZoneHours
                    | Key::Offset
            ) && f.key != Key::Exact
        }
    }
}

/// Reads `text` by `template`.
///
/// # Errors
/// `22007`, `22008`.
pub fn read(call: &Call<'_>, text: &str, template: &str) -> Result<Found> {
    read_nodes(call, text, &parse(template), false)
}

/// Reads `text` as the SQL standard has it: what stands between fields must be just that, and nothing may be left over.
///
/// # Errors
/// `22007`, `22008`.
pub fn read_strictly(call: &Call<'_>, text: &str, template: &str) -> Result<Parts> {
    let nodes = parse(template);
    if let Some(c) = template::stray(template) {
        return Err(format_error(format!("invalid datetime format separator: \"{c}\"")));
    }
    let found = read_nodes(call, text, &nodes, true)?;
    let mut parts = Parts { precision: -1, ..Parts::default() };
    for node in &nodes {
        let Node::Field(f) = node else { continue };
        match f.key {
            Key::Exact => {}
            Key::Zone | Key::ZoneHours | Key::ZoneMinutes | Key::Offset => parts.zoned = true,
            Key::Meridiem
            | Key::Hour12
            | Key::Hour24
            | Key::Minute
            | Key::Second
            | Key::SecondOfDay
            | Key::Milliseconds
            | Key::Microseconds => parts.timed = true,
            Key::Fraction(n) => {
                parts.timed = true;
                parts.precision = n.into();
            }
            _ => parts.dated = true,
        }
    }
    (parts.days, parts.time) = found.date_and_time(text)?;
    parts.zone = found.zone(call)?;
    Ok(parts)
}

/// What a text is by a template.
#[derive(Default)]
pub struct Parts {
    /// Days since 2000.
    pub days: i32,
    /// Microseconds of the day.
    pub time: i64,
    /// Digits of the second's fraction; -1 where the template does not say.
    pub precision: i32,
    /// Whether the template has fields of dates.
    pub dated: bool,
    /// Whether it has fields of times.
    pub timed: bool,
    /// Whether it has fields of time zones.
    pub zoned: bool,
    /// The zone that was given.
    pub zone: Option<Zone>,
}

fn read_nodes(call: &Call<'_>, text: &str, nodes: &[Node], strict: bool) -> Result<Found> {
    let mut found = Found { zone_sign: 1, ..Found::default() };
    let mut rest = text;
    let (mut exact, mut skipped) = (strict, 0i64);
    for (i, node) in nodes.iter().enumerate() {
        if rest.is_empty() {
            if strict {
                return Err(format_error("input string is too short for datetime format".to_owned()));
            }
            break;
        }
        // Blanks before fields, and before everything, do not count.
        if !exact && (!matches!(node, Node::Char(_)) || i == 0) {
            let more = rest.trim_start_matches(is_space);
            skipped += (rest.len() - more.len()) as i64;
            rest = more;
        }
        let first = rest.chars().next();
        let mut drop_one = || {
            if let Some(c) = first {
                rest = &rest[c.len_utf8()..];
            }
        };
        match node {
            Node::Separator(c) | Node::Space(c) if strict => {
                if first != Some(*c) {
                    return Err(format_error(format!("unmatched format separator \"{c}\"")));
                }
                drop_one();
            }
            Node::Char(c) if strict => {
                if first != Some(*c) {
                    return Err(format_error(format!("unmatched format character \"{c}\"")));
                }
                drop_one();
            }
            Node::Separator(_) | Node::Space(_) => {
                if exact {
                    drop_one();
                } else {
                    skipped -= 1;
                    if first.is_some_and(|c| is_space(c) || is_separator(c)) {
                        drop_one();
                        skipped += 1;
                    }
                }
            }
            Node::Char(_) => {
                // What was skipped more than the template has may have been this.
                if !exact && skipped > 0 {
                    skipped -= 1;
                } else {
                    drop_one();
                }
            }
            Node::Field(f) if f.key == Key::Exact => exact = true,
            Node::Field(f) => {
                let free = f.fill || ends_number(nodes.get(i + 1));
                found.take(call, &mut rest, f, free)?;
                if f.ordinal.is_some() {
                    rest = rest.get(2..).unwrap_or_default();
                }
                if !exact {
                    let more = rest.trim_start_matches(is_space);
                    skipped = (rest.len() - more.len()) as i64;
                    rest = more;
                }
            }
        }
    }
    if strict && !rest.trim_start_matches(is_space).is_empty() {
        let message = "trailing characters remain in input string after datetime format";
        return Err(format_error(message.to_owned()));
    }
    Ok(found)
}

impl Found {
    fn calendar(&mut self, iso: bool) -> Result<()> {
        match self.iso {
            Some(old) if old != iso => Err(format_error("invalid combination of date conventions".to_owned())
                .hint("Do not mix Gregorian and ISO week date conventions in a formatting template.")),
            _ => {
                self.iso = Some(iso);
                Ok(())
            }
        }
    }

    fn take(&mut self, call: &Call<'_>, rest: &mut &str, f: &Field, free: bool) -> Result<()> {
        match f.key {
            Key::IsoDayOfYear | Key::IsoDayOfWeek | Key::IsoWeek | Key::IsoYear(_) => self.calendar(true)?,
            Key::Century
            | Key::DayOfYear
            | Key::DayOfMonth
            | Key::DayOfWeek
            | Key::Month
            | Key::MonthName
            | Key::MonthShort
            | Key::Roman
            | Key::Week
            | Key::WeekOfMonth
            | Key::YearComma
            | Key::Year(_) => self.calendar(false)?,
            _ => {}
        }
        match f.key {
            Key::Exact => {}
            Key::Era => {
                let dots = f.name.contains('.');
                let words: &[&str] = if dots { &["A.D.", "B.C."] } else { &["AD", "BC"] };
                let i = words.iter().position(|w| rest.get(..w.len()).is_some_and(|s| s.eq_ignore_ascii_case(w)));
                let Some(i) = i else { return self.no_match(rest, f) };
                *rest = &rest[words[i].len()..];
                set(&mut self.bc, i == 1, f)?;
            }
            Key::Meridiem => {
                let dots = f.name.contains('.');
                let words: &[&str] = if dots { &["A.M.", "P.M."] } else { &["AM", "PM"] };
                let i = words.iter().position(|w| rest.get(..w.len()).is_some_and(|s| s.eq_ignore_ascii_case(w)));
                let Some(i) = i else { return self.no_match(rest, f) };
                *rest = &rest[words[i].len()..];
                set(&mut self.pm, i == 1, f)?;
                self.twelve = true;
            }
            Key::MonthName => {
                let m = name(rest, &MONTHS, f, false)? + 1;
                set(&mut self.month, m, f)?;
            }
            Key::MonthShort => {
                let m = name(rest, &MONTHS, f, true)? + 1;
                set(&mut self.month, m, f)?;
            }
            Key::DayName => {
                let d = name(rest, &DAYS, f, false)?;
                set(&mut self.day_of_week, d, f)?;
            }
            Key::DayShort => {
                let d = name(rest, &DAYS, f, true)?;
                set(&mut self.day_of_week, d, f)?;
            }
            Key::Roman => {
                let longest = (0..12)
                    .filter(|&i| rest.get(..ROMAN[i].len()).is_some_and(|s| s.eq_ignore_ascii_case(ROMAN[i])))
                    .max_by_key(|&i| ROMAN[i].len());
                let Some(i) = longest else { return self.no_match(rest, f) };
                *rest = &rest[ROMAN[i].len()..];
                set(&mut self.month, i as i64 + 1, f)?;
            }
            Key::Hour12 => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.hour, v, f)?;
                self.twelve = true;
            }
            Key::Hour24 => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.hour, v, f)?;
            }
            Key::Minute => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.minute, v, f)?;
            }
            Key::Second => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.second, v, f)?;
            }
            Key::SecondOfDay => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.second_of_day, v, f)?;
            }
            Key::Milliseconds => {
                // The digits are a fraction: .5 is 500.
                let (v, n) = integer(rest, f, free)?;
                set(
                    &mut self.milliseconds,
                    v * if n == 1 {
                        100
                    } else if n == 2 {
                        10
                    } else {
                        1
                    },
                    f,
                )?;
            }
            Key::Microseconds | Key::Fraction(_) => {
                let (v, n) = integer(rest, f, free)?;
                set(&mut self.microseconds, v * 10i64.pow(6u32.saturating_sub(n as u32)), f)?;
            }
            Key::Month => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.month, v, f)?;
            }
            Key::DayOfMonth => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.day, v, f)?;
            }
            Key::DayOfYear | Key::IsoDayOfYear => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.day_of_year, v, f)?;
            }
            Key::DayOfWeek => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.day_of_week, v - 1, f)?;
            }
            Key::IsoDayOfWeek => {
                let v = integer(rest, f, free)?.0;
                // Sunday, the seventh, is day 0 here; so is whatever comes after it.
                set(&mut self.day_of_week, if v < 7 { v } else { 0 }, f)?;
            }
            Key::Quarter => {
                // Read and not minded: which day of it would be meant?
                integer(rest, f, free)?;
            }
            Key::Century => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.century, v, f)?;
            }
            Key::Week | Key::IsoWeek => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.week, v, f)?;
            }
            Key::WeekOfMonth => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.week_of_month, v, f)?;
            }
            Key::Julian => {
                let v = integer(rest, f, true)?.0;
                set(&mut self.julian, v, f)?;
            }
            Key::YearComma => {
                let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
                let n = digits(rest);
                let thousands: Option<i64> = rest[..n].parse().ok();
                let tail = rest[n..].strip_prefix(',').unwrap_or("");
                let m = digits(tail).min(3);
                match (thousands, tail[..m].parse::<i64>()) {
                    (Some(t), Ok(y)) if m == 3 => {
                        *rest = &tail[m..];
                        set(&mut self.year, t * 1000 + y, f)?;
                    }
                    _ => {
                        return Err(format_error(format!("invalid input string for \"{}\"", f.name)));
                    }
                }
            }
            Key::Year(n) | Key::IsoYear(n) => {
                let (v, used) = integer(rest, f, free)?;
                let v = if n < 4 && used < 4 {
                    completed(v, used)
                } else if n == 4 && used < 4 && free {
                    completed_four(v, used)
                } else {
                    v
                };
                set(&mut self.year, v, f)?;
                self.short_year = n <= 2;
            }
            Key::ZoneHours => {
                // A blank stands for a plus.
                self.zone_sign = match rest.chars().next() {
                    Some(c @ ('+' | '-' | ' ')) => {
                        *rest = &rest[1..];
                        if c == '-' { -1 } else { 1 }
                    }
                    _ => 1,
                };
                let v = integer(rest, f, free)?.0;
                set(&mut self.zone_hours, v, f)?;
            }
            Key::ZoneMinutes => {
                let v = integer(rest, f, free)?.0;
                set(&mut self.zone_minutes, v, f)?;
            }
            Key::Offset => {
                self.zone_sign = match rest.chars().next() {
                    Some(c @ ('+' | '-' | ' ')) => {
                        *rest = &rest[1..];
                        if c == '-' { -1 } else { 1 }
                    }
                    _ => 1,
                };
                let hours = Field { key: Key::ZoneHours, ..f.clone() };
                let v = integer(rest, &hours, free)?.0;
                set(&mut self.zone_hours, v, f)?;
                if let Some(mut more) = rest.strip_prefix(':') {
                    let v = integer(&mut more, &hours, free)?.0;
                    *rest = more;
                    set(&mut self.zone_minutes, v, f)?;
                }
            }
            Key::Zone => {
                let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
                let word = &rest[..end];
                if !word.is_empty() && zone::named(word, &call.settings.time_zone).is_some() {
                    self.zone_name = Some(word.to_owned());
                    *rest = &rest[end..];
                } else if rest.starts_with(['+', '-', ' ']) {
                    let offset = Field { key: Key::Offset, ..f.clone() };
                    return self.take(call, rest, &offset, free);
                } else {
                    let shown = *rest;
                    return Err(format_error(format!("invalid value \"{shown}\" for \"{}\"", f.name))
                        .detail("Time zone abbreviation is not recognized."));
                }
            }
        }
        Ok(())
    }

    fn no_match(&self, rest: &str, f: &Field) -> Result<()> {
        let shown: &str = rest.split(is_space).next().unwrap_or_default();
        Err(format_error(format!("invalid value \"{shown}\" for \"{}\"", f.name))
            .detail("The given value did not match any of the allowed values for this field."))
    }

    /// The date in days since 2000 and the time of the day in microseconds.
    ///
    /// # Errors
    /// `22008` when a field is out of its range.
    pub fn date_and_time(&self, text: &str) -> Result<(i32, i64)> {
        let refuse = || out_of_range(text);
        let (mut hour, mut minute, mut second) =
            (self.hour.unwrap_or(0), self.minute.unwrap_or(0), self.second.unwrap_or(0));
        if let Some(s) = self.second_of_day {
            (hour, minute, second) = (s / 3600, s / 60 % 60, s % 60);
        }
        if self.twelve {
            if !(1..=12).contains(&hour) && self.hour.is_some() {
                return Err(SqlError::new(
                    SqlState::INVALID_DATETIME_FORMAT,
                    format!("hour \"{hour}\" is invalid for the 12-hour clock"),
                )
                .hint("Use the 24-hour clock, or give an hour between 1 and 12."));
            }
            match self.pm {
                Some(true) if hour < 12 => hour += 12,
                Some(false) if hour == 12 => hour = 0,
                _ => {}
            }
        }
        let year = self.gregorian_year(text)?;
        let days = self.days(year, text)?;
        if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
            return Err(refuse());
        }
        let micros = self.milliseconds.unwrap_or(0) * 1000 + self.microseconds.unwrap_or(0);
        let time = (hour * 3600 + minute * 60 + second) * MICROS_PER_SEC + micros;
        let days = i32::try_from(days).ok().filter(|d| is_valid_date((*d).into()) && *d >= DATE_MIN);
        days.map(|d| (d, time))
            .ok_or_else(|| SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("date out of range: \"{text}\"")))
    }

    /// The year, counted astronomically; year 0 where nothing said one.
    fn gregorian_year(&self, _: &str) -> Result<i64> {
        let bc = self.bc == Some(true);
        Ok(match (self.year, self.century) {
            (Some(y), Some(c)) if self.short_year => {
                // The century says which hundred, the year its last digits.
                let last = y.rem_euclid(100);
                let c = if bc { -c } else { c };
                if c >= 0 {
                    if last == 0 { c * 100 } else { (c - 1) * 100 + last }
                } else if last == 0 {
                    c * 100 + 1
                } else {
                    (c + 1) * 100 - last + 1
                }
            }
            (Some(y), _) if bc || y < 0 => 1 - if bc && y < 0 { -y } else { y.abs() },
            (Some(y), _) => y,
            (None, Some(c)) => {
                let c = if bc { -c } else { c };
                if c >= 0 { (c - 1) * 100 + 1 } else { c * 100 + 1 }
            }
            (None, None) => 0,
        })
    }

    fn days(&self, year: i64, text: &str) -> Result<i64> {
        if let Some(j) = self.julian {
            return Ok(j - EPOCH_JULIAN_DAY);
        }
        let refuse = || out_of_range(text);
        // Nothing said: year 1 BC, as PostgreSQL counts from there.
        let unsaid = self.year.is_none() && self.century.is_none();
        let mut month = self.month.unwrap_or(1);
        let mut day = self.day.unwrap_or(1);
        if let Some(week) = self.week {
            if self.iso == Some(true) {
                let fourth = days_from_civil(year, 1, 4);
                let monday = fourth - (i64::from(day_of_week(fourth)) + 6) % 7;
                let weekday = self.day_of_week.map_or(0, |d| (d + 6) % 7);
                return Ok(monday + (week - 1) * 7 + weekday);
            }
            if self.day_of_year.is_none() {
                return Ok(days_from_civil(year, 1, 1) + (week - 1) * 7);
            }
        }
        if let Some(w) = self.week_of_month {
            day = (w - 1) * 7 + 1;
        }
        if let Some(n) = self.day_of_year
            && self.month.is_none()
        {
            if unsaid {
                return Err(format_error("cannot calculate day of year without year information".to_owned()));
            }
            if self.iso == Some(true) {
                let fourth = days_from_civil(year, 1, 4);
                let monday = fourth - (i64::from(day_of_week(fourth)) + 6) % 7;
                return Ok(monday + n - 1);
            }
            let limit = if is_leap(year) { 366 } else { 365 };
            if !(1..=limit).contains(&n) {
                return Err(refuse());
            }
            return Ok(days_from_civil(year, 1, 1) + n - 1);
        }
        if self.month.is_none() && self.day.is_none() && self.week_of_month.is_none() {
            (month, day) = (1, 1);
        }
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return Err(refuse());
        }
        Ok(days_from_civil(year, month, day))
    }

    /// The zone that was given.
    ///
    /// # Errors
    /// `22009` beyond the range of offsets.
    pub fn zone(&self, call: &Call<'_>) -> Result<Option<Zone>> {
        if let Some(name) = &self.zone_name {
            return crate::datetime::named_zone(call, name).map(Some);
        }
        if self.zone_hours.is_none() && self.zone_minutes.is_none() {
            return Ok(None);
        }
        let (h, m) = (self.zone_hours.unwrap_or(0), self.zone_minutes.unwrap_or(0));
        let east = self.zone_sign * (h * 3600 + m * 60);
        let fits = (0..=15).contains(&h) && (0..60).contains(&m);
        let zone = i32::try_from(east).ok().filter(|_| fits).and_then(zone::fixed);
        zone.map(Some).ok_or_else(|| {
            SqlError::new(
                SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                format!("time zone displacement out of range: \"{}\"", self.zone_name.as_deref().unwrap_or("")),
            )
        })
    }
}

/// `YYYY` read from fewer digits stands as it is, but two digits mean a year near 2020.
fn completed_four(year: i64, _digits: usize) -> i64 {
    year
}
