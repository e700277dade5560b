//! Reads intervals: PostgreSQL's, the SQL standard's and ISO 8601's styles.

use super::format::IntervalStyle;
use super::interval::{self, FULL_RANGE};
use super::keyword::{self, Unit};
use super::parse::{fault, fraction};
use super::token::{Fault, Token, tokenize};
use super::*;
use crate::io::IoSettings;

/// An interval being put together.
#[derive(Default)]
struct Sum {
    years: i64,
    months: i64,
    days: i64,
    micros: i64,
}

/// Multiplies and adds, or says the field is out of range.
fn add_to(field: &mut i64, value: i64, scale: i64) -> Result<(), Fault> {
    *field = value.checked_mul(scale).and_then(|v| field.checked_add(v)).ok_or(Fault::Field)?;
    Ok(())
}

impl Sum {
    fn add_fraction_micros(&mut self, fraction: f64, scale: i64) -> Result<(), Fault> {
        let micros = (fraction * scale as f64).round_ties_even();
        if !(-9.2e18..9.2e18).contains(&micros) {
            return Err(Fault::Field);
        }
        add_to(&mut self.micros, micros as i64, 1)
    }

    /// Whole days of a fraction, and the rest as time.
    fn add_fraction_days(&mut self, fraction: f64, scale: i64) -> Result<(), Fault> {
        let days = fraction * scale as f64;
        add_to(&mut self.days, days as i64, 1)?;
        self.add_fraction_micros(days - (days as i64) as f64, MICROS_PER_DAY)
    }

    /// A fraction of so many years, to the nearest month.
    fn add_fraction_years(&mut self, fraction: f64, years: i64) -> Result<(), Fault> {
        add_to(&mut self.months, (fraction * years as f64 * 12.0).round_ties_even() as i64, 1)
    }

    fn add_unit(&mut self, unit: Unit, value: i64, part: f64) -> Result<(), Fault> {
        match unit {
            Unit::Microsecond => {
                add_to(&mut self.micros, value, 1)?;
                self.add_fraction_micros(part, 1)
            }
            Unit::Millisecond => {
                add_to(&mut self.micros, value, 1000)?;
                self.add_fraction_micros(part, 1000)
            }
            Unit::Second => {
                add_to(&mut self.micros, value, MICROS_PER_SEC)?;
                self.add_fraction_micros(part, MICROS_PER_SEC)
            }
            Unit::Minute => {
                add_to(&mut self.micros, value, MICROS_PER_MINUTE)?;
                self.add_fraction_micros(part, MICROS_PER_MINUTE)
            }
            Unit::Hour => {
                add_to(&mut self.micros, value, MICROS_PER_HOUR)?;
                self.add_fraction_micros(part, MICROS_PER_HOUR)
            }
            Unit::Day => {
                add_to(&mut self.days, value, 1)?;
                self.add_fraction_micros(part, MICROS_PER_DAY)
            }
            Unit::Week => {
                add_to(&mut self.days, value, 7)?;
                self.add_fraction_days(part, 7)
            }
            Unit::Month => {
                add_to(&mut self.months, value, 1)?;
                self.add_fraction_days(part, 30)
            }
            Unit::Year => self.add_years(value, part, 1),
            Unit::Decade => self.add_years(value, part, 10),
            Unit::Century => self.add_years(value, part, 100),
            Unit::Millennium => self.add_years(value, part, 1000),
            _ => Err(Fault::Syntax),
        }
    }

    fn add_years(&mut self, value: i64, part: f64, scale: i64) -> Result<(), Fault> {
        add_to(&mut self.years, value, scale)?;
        self.add_fraction_years(part, scale)
    }

    fn finish(&self, negate: bool) -> Result<Interval, Fault> {
        let fits = |v: i64| i32::try_from(v).map_err(|_| Fault::Field);
        let (years, months, days, micros) = (fits(self.years)?, fits(self.months)?, fits(self.days)?, self.micros);
        let total = |v: i64| i32::try_from(v).map_err(|_| Fault::Total);
        let months = i64::from(years) * 12 + i64::from(months);
        let (months, days, micros) = if negate {
            (-months, -i64::from(days), micros.checked_neg().ok_or(Fault::Field)?)
        } else {
            (months, days.into(), micros)
        };
        Ok(Interval::new(total(months)?, i32::try_from(days).map_err(|_| Fault::Field)?, micros))
    }
}

/// Reads an `interval` with the field restriction of `typmod`, whose precision the caller applies.
pub fn parse_interval(text: &str, typmod: i32, settings: &IoSettings) -> Result<Interval> {
    let range = if typmod >= 0 { (typmod >> 16) & 0x7fff } else { FULL_RANGE };
    let sql = settings.interval_style == IntervalStyle::SqlStandard;
    let mut result = traditional(text, range, sql);
    if result == Err(Fault::Syntax) {
        result = iso8601(text);
    }
    match result {
        Ok(v) => Ok(v),
        Err(f) => Err(fault(if f == Fault::Field { Fault::Interval } else { f }, text, "interval")),
    }
}

/// A run of digits as `i64`.
fn integer(s: &str) -> Result<(i64, &str), Fault> {
    let signed = s.strip_prefix(['+', '-']).unwrap_or(s);
    let digits = signed.bytes().take_while(u8::is_ascii_digit).count();
    let end = s.len() - signed.len() + digits;
    if digits == 0 {
        return if signed.starts_with('.') { Ok((0, &s[end..])) } else { Err(Fault::Syntax) };
    }
    let v = s[..end].parse::<i64>().map_err(|_| Fault::Field)?;
    Ok((v, &s[end..]))
}

/// Microseconds of `hh:mm[:ss[.f]]`; two fields are minutes and seconds if `range` says so or there is a fraction.
fn clock(s: &str, range: i32) -> Result<i64, Fault> {
    let (hour, rest) = integer(s)?;
    let rest = rest.strip_prefix(':').ok_or(Fault::Syntax)?;
    let (minute, rest) = if rest.is_empty() { (0, rest) } else { integer(rest)? };
    let (mut hour, mut minute, mut second, mut micros) = (hour, minute, 0, 0);
    let part = |s: &str| Ok((fraction(s)? * 1e6).round_ties_even() as i64);
    if rest.is_empty() {
        if range == interval::MINUTE | interval::SECOND {
            (hour, minute, second) = (0, hour, minute);
        }
    } else if rest.starts_with('.') {
        micros = part(rest)?;
        (hour, minute, second) = (0, hour, minute);
    } else {
        let tail = rest.strip_prefix(':').ok_or(Fault::Syntax)?;
        let (s, rest) = if tail.is_empty() { (0, tail) } else { integer(tail)? };
        second = s;
        if !rest.is_empty() {
            micros = part(rest)?;
        }
    }
    if hour < 0 || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return Err(Fault::Field);
    }
    let mut sum = 0;
    add_to(&mut sum, hour, MICROS_PER_HOUR)?;
    add_to(&mut sum, minute, MICROS_PER_MINUTE)?;
    add_to(&mut sum, second, MICROS_PER_SEC)?;
    add_to(&mut sum, micros, 1)?;
    Ok(sum)
}

/// The unit of a number without one, by the restriction of the type.
fn default_unit(range: i32) -> Unit {
    use interval::{DAY, HOUR, MINUTE, MONTH, YEAR};
    match range {
        YEAR => Unit::Year,
        MONTH => Unit::Month,
        r if r == YEAR | MONTH => Unit::Month,
        DAY => Unit::Day,
        HOUR => Unit::Hour,
        r if r == DAY | HOUR => Unit::Hour,
        MINUTE => Unit::Minute,
        r if r == HOUR | MINUTE || r == DAY | HOUR | MINUTE => Unit::Minute,
        _ => Unit::Second,
    }
}

const SECONDS: u32 = 1 << Unit::Second as u32 | 1 << Unit::Millisecond as u32 | 1 << Unit::Microsecond as u32;
const FIELD_CLOCK: u32 = 1 << Unit::Hour as u32 | 1 << Unit::Minute as u32 | SECONDS;

/// Which units count as the same field when given twice.
fn field_bit(unit: Unit) -> u32 {
    1 << unit as u32
}

fn traditional(text: &str, range: i32, sql: bool) -> Result<Interval, Fault> {
    let tokens = tokenize(text, |w| keyword::word(w).is_some())?;
    if tokens.is_empty() {
        return Err(Fault::Syntax);
    }
    // The SQL standard lets a single leading minus stand for all fields.
    let explicit_sign = |t: &Token| matches!(t, Token::Signed(_)) || (matches!(t, Token::Special(_)));
    let force_negative = sql
        && tokens[0].text().starts_with('-')
        && matches!(tokens[0], Token::Signed(_))
        && !tokens[1..].iter().any(|t| t.text().starts_with(['-', '+']) && explicit_sign(t));
    let mut sum = Sum::default();
    let (mut unit, mut seen, mut negate) = (None, 0u32, false);
    for (i, token) in tokens.iter().enumerate().rev() {
        let taken = match token {
            Token::Time(s) => {
                let t = clock(s, range)?;
                add_to(&mut sum.micros, if force_negative { -t } else { t }, 1)?;
                unit = Some(Unit::Day);
                FIELD_CLOCK
            }
            Token::Signed(s) if s.contains(':') && clock(&s[1..], range).is_ok_and(|_| true) => {
                let t = clock(&s[1..], range)?;
                let negative = s.starts_with('-') || (force_negative && !s.starts_with('+'));
                add_to(&mut sum.micros, if negative { -t } else { t }, 1)?;
                unit = Some(Unit::Day);
                FIELD_CLOCK
            }
            Token::Signed(s) | Token::Date(s) | Token::Number(s) => {
                let mut u = unit.unwrap_or_else(|| default_unit(range));
                let (mut value, rest) = integer(s)?;
                let negative = s.starts_with('-') || force_negative;
                if force_negative && value > 0 {
                    value = -value;
                }
                let mut part = 0.0;
                if let Some(tail) = rest.strip_prefix('-') {
                    // years-months
                    let (months, rest) = integer(tail)?;
                    if !(0..12).contains(&months) {
                        return Err(Fault::Field);
                    }
                    if !rest.is_empty() {
                        return Err(Fault::Syntax);
                    }
                    u = Unit::Month;
                    value = value.checked_mul(12).ok_or(Fault::Field)?;
                    value = value.checked_add(if negative { -months } else { months }).ok_or(Fault::Field)?;
                } else if rest.starts_with('.') {
                    part = fraction(rest)?;
                    if negative {
                        part = -part;
                    }
                } else if !rest.is_empty() {
                    return Err(Fault::Syntax);
                }
                sum.add_unit(u, value, part)?;
                // A number before hours, as before a clock, is days.
                unit = Some(if u == Unit::Hour { Unit::Day } else { u });
                if u == Unit::Second && part != 0.0 { SECONDS } else { field_bit(u) }
            }
            Token::Word(s) | Token::Special(s) => {
                let found = keyword::unit(s).ok_or(Fault::Syntax)?;
                match found {
                    Unit::Noise => {}
                    Unit::Ago => {
                        if i != tokens.len() - 1 || i == 0 {
                            return Err(Fault::Syntax);
                        }
                        negate = true;
                        unit = None;
                    }
                    Unit::Infinity | Unit::NegInfinity => {
                        if tokens.len() != 1 {
                            return Err(Fault::Syntax);
                        }
                        let negative = found == Unit::NegInfinity;
                        return Ok(if negative { Interval::NEG_INFINITY } else { Interval::INFINITY });
                    }
                    Unit::Quarter | Unit::Zone => return Err(Fault::Syntax),
                    u => {
                        // A unit must follow its number.
                        if i == 0 || matches!(tokens[i - 1], Token::Word(_) | Token::Special(_) | Token::Time(_)) {
                            return Err(Fault::Syntax);
                        }
                        unit = Some(u);
                    }
                }
                0
            }
        };
        if taken & seen != 0 {
            return Err(Fault::Syntax);
        }
        seen |= taken;
    }
    if seen == 0 {
        return Err(Fault::Syntax);
    }
    sum.finish(negate)
}

/// A number of an ISO 8601 interval: whole part, fraction of the same sign, rest.
fn iso_number(s: &str) -> Result<(i64, f64, &str), Fault> {
    let body = s.strip_prefix('-').unwrap_or(s);
    let len = body.bytes().take_while(|c| c.is_ascii_digit() || *c == b'.').count();
    let (number, rest) = body.split_at(len);
    if !number.bytes().any(|c| c.is_ascii_digit()) {
        return Err(Fault::Syntax);
    }
    let negative = s.starts_with('-');
    let (whole, part) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut value = if whole.is_empty() { 0 } else { whole.parse::<i64>().map_err(|_| Fault::Field)? };
    let mut part = if part.is_empty() { 0.0 } else { fraction(part)? };
    if negative {
        (value, part) = (-value, -part);
    }
    Ok((value, part, rest))
}

fn iso8601(text: &str) -> Result<Interval, Fault> {
    let body = text.strip_prefix('P').ok_or(Fault::Syntax)?;
    if body.is_empty() {
        return Err(Fault::Syntax);
    }
    let mut sum = Sum::default();
    let (mut rest, mut in_time, mut fields) = (body, false, 0);
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('T') {
            if in_time {
                return Err(Fault::Syntax);
            }
            (in_time, rest, fields) = (true, tail, 0);
            continue;
        }
        let digits_start = rest;
        let (value, part, tail) = iso_number(rest)?;
        let whole_len = digits_start.len() - tail.len();
        let designator = tail.chars().next();
        if in_time {
            let unit = match designator {
                Some('H') => Unit::Hour,
                Some('M') => Unit::Minute,
                Some('S') => Unit::Second,
                None if fields == 0 && whole_len == 6 && !digits_start.starts_with(['+', '-']) => {
                    // hhmmss
                    add_to(&mut sum.micros, value / 10000, MICROS_PER_HOUR)?;
                    add_to(&mut sum.micros, value / 100 % 100, MICROS_PER_MINUTE)?;
                    add_to(&mut sum.micros, value % 100, MICROS_PER_SEC)?;
                    sum.add_fraction_micros(part, MICROS_PER_SEC)?;
                    return sum.finish(false);
                }
                Some(':') | None if fields == 0 => {
                    sum.add_unit(Unit::Hour, value, part)?;
                    if let Some(tail) = tail.strip_prefix(':') {
                        let (v, p, tail) = iso_number(tail)?;
                        sum.add_unit(Unit::Minute, v, p)?;
                        if let Some(tail) = tail.strip_prefix(':') {
                            let (v, p, tail) = iso_number(tail)?;
                            sum.add_unit(Unit::Second, v, p)?;
                            if !tail.is_empty() {
                                return Err(Fault::Syntax);
                            }
                        } else if !tail.is_empty() {
                            return Err(Fault::Syntax);
                        }
                    }
                    return sum.finish(false);
                }
                _ => return Err(Fault::Syntax),
            };
            sum.add_unit(unit, value, part)?;
            rest = &tail[1..];
        } else {
            let unit = match designator {
                Some('Y') => Unit::Year,
                Some('M') => Unit::Month,
                Some('W') => Unit::Week,
                Some('D') => Unit::Day,
                Some('T') | None if fields == 0 && whole_len == 8 && !digits_start.starts_with(['+', '-']) => {
                    // yyyymmdd
                    add_to(&mut sum.years, value / 10000, 1)?;
                    add_to(&mut sum.months, value / 100 % 100, 1)?;
                    add_to(&mut sum.days, value % 100, 1)?;
                    sum.add_fraction_micros(part, MICROS_PER_DAY)?;
                    rest = tail;
                    fields += 1;
                    continue;
                }
                Some('T' | '-') | None if fields == 0 => {
                    sum.add_unit(Unit::Year, value, part)?;
                    let mut tail = tail;
                    for unit in [Unit::Month, Unit::Day] {
                        if let Some(next) = tail.strip_prefix('-') {
                            let (v, p, after) = iso_number(next)?;
                            sum.add_unit(unit, v, p)?;
                            tail = after;
                        }
                    }
                    if !(tail.is_empty() || tail.starts_with('T')) {
                        return Err(Fault::Syntax);
                    }
                    rest = tail;
                    fields += 1;
                    continue;
                }
                _ => return Err(Fault::Syntax),
            };
            sum.add_unit(unit, value, part)?;
            rest = &tail[1..];
        }
        fields += 1;
    }
    sum.finish(false)
}
