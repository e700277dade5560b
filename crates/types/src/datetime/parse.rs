//! Reads dates, times and timestamps. PostgreSQL manual, appendix B.1.

use jiff::tz::TimeZone;

use super::format::DateOrder;
use super::keyword::{self, Word};
use super::token::{Fault, Token, tokenize};
use super::zone::{self, Meaning};
use super::*;
use crate::io::IoSettings;

const YEAR: u32 = 1;
const MONTH: u32 = 1 << 1;
const DAY: u32 = 1 << 2;
const DATE: u32 = YEAR | MONTH | DAY;
const YEAR_MONTH: u32 = YEAR | MONTH;
const MONTH_DAY: u32 = MONTH | DAY;
const TIME: u32 = 1 << 3;
const ZONE: u32 = 1 << 4;
const DST_ZONE: u32 = 1 << 5;
const DST_WORD: u32 = 1 << 6;
const DAY_OF_YEAR: u32 = 1 << 7;
const WEEKDAY: u32 = 1 << 8;
const MERIDIEM: u32 = 1 << 9;
const ERA: u32 = 1 << 10;

/// What a text turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Moment,
    Epoch,
    Infinity,
    NegInfinity,
}

/// What the prefix before a number says about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Prefix {
    None,
    Julian,
    Time,
    Meaningless,
}

/// The zone a text names.
enum ZoneSpec {
    East(i32),
    Named(TimeZone),
    Abbreviation(TimeZone, String),
}

struct Decoder<'a> {
    settings: &'a IoSettings,
    seen: u32,
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    text_month: bool,
    two_digit_year: bool,
    bc: bool,
    julian: bool,
    pm: Option<bool>,
    zone: Option<ZoneSpec>,
    /// What `dst` and the second part of `EST+3` add to the zone's offset.
    zone_add: i32,
    kind: Kind,
}

/// The number `s` starts with and the rest; out of 32 bits is a range fault.
fn number(s: &str) -> Result<(i64, &str), Fault> {
    let end = s.bytes().position(|c| !c.is_ascii_digit()).unwrap_or(s.len());
    if end == 0 {
        return Ok((0, s));
    }
    let n = s[..end].parse::<i32>().map_err(|_| Fault::Field)?;
    Ok((n.into(), &s[end..]))
}

/// Microseconds of a fraction of a second that starts with its point.
fn fraction_micros(s: &str) -> Result<i64, Fault> {
    Ok((fraction(s)? * 1e6).round_ties_even() as i64)
}

/// A fraction that starts with its point.
pub(super) fn fraction(s: &str) -> Result<f64, Fault> {
    let digits = s.strip_prefix('.').ok_or(Fault::Syntax)?;
    if digits.is_empty() {
        return Ok(0.0);
    }
    if !digits.bytes().all(|c| c.is_ascii_digit()) {
        return Err(Fault::Syntax);
    }
    format!("0.{digits}").parse().map_err(|_| Fault::Syntax)
}

/// Seconds east of a numeric zone: sign, then hours, `hhmm`, or hours, minutes and seconds with colons.
fn numeric_zone(s: &str) -> Result<i32, Fault> {
    let sign = match s.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Err(Fault::Syntax),
    };
    let range = |_| Fault::ZoneOffset;
    let (mut hour, rest) = number(&s[1..]).map_err(range)?;
    let (mut minute, mut second) = (0, 0);
    let mut rest = rest;
    if let Some(tail) = rest.strip_prefix(':') {
        (minute, rest) = number(tail).map_err(range)?;
        if let Some(tail) = rest.strip_prefix(':') {
            (second, rest) = number(tail).map_err(range)?;
        }
    } else if rest.is_empty() && s.len() > 3 {
        (hour, minute) = (hour / 100, hour % 100);
    }
    if !(0..=15).contains(&hour) || !(0..60).contains(&minute) || !(0..60).contains(&second) {
        return Err(Fault::ZoneOffset);
    }
    if !rest.is_empty() {
        return Err(Fault::Syntax);
    }
    Ok(sign * (hour * 3600 + minute * 60 + second) as i32)
}

impl<'a> Decoder<'a> {
    fn new(settings: &'a IoSettings) -> Decoder<'a> {
        Decoder {
            settings,
            seen: 0,
            year: 0,
            month: 0,
            day: 0,
            day_of_year: 0,
            hour: 0,
            minute: 0,
            second: 0,
            micros: 0,
            text_month: false,
            two_digit_year: false,
            bc: false,
            julian: false,
            pm: None,
            zone: None,
            zone_add: 0,
            kind: Kind::Moment,
        }
    }

    /// Session-local date and time of `now`.
    fn now_local(&self) -> Civil {
        let now = self.settings.now;
        Civil::from_micros(zone::utc_to_local(&self.settings.time_zone, now).unwrap_or(now))
    }

    fn set_date(&mut self, days: i64) {
        let (y, m, d) = civil_from_days(days);
        (self.year, self.month, self.day) = (y, m.into(), d.into());
    }

    fn set_time(&mut self, micros: i64) {
        self.hour = micros / MICROS_PER_HOUR;
        self.minute = micros / MICROS_PER_MINUTE % 60;
        self.second = micros / MICROS_PER_SEC % 60;
        self.micros = micros % MICROS_PER_SEC;
    }

    /// Decodes a whole date and time. `time_only` is the grammar of `time` and `timetz`.
    fn run(&mut self, text: &str, time_only: bool) -> Result<(), Fault> {
        let tokens = tokenize(text, |w| keyword::word(w).is_some())?;
        let mut prefix = Prefix::None;
        for (i, token) in tokens.iter().enumerate() {
            let taken = match token {
                Token::Date(s) => self.date_token(s, &tokens, i, &mut prefix, time_only)?,
                Token::Time(s) => {
                    if prefix != Prefix::None && std::mem::replace(&mut prefix, Prefix::None) != Prefix::Time {
                        return Err(Fault::Syntax);
                    }
                    self.time_token(s)?;
                    TIME
                }
                Token::Signed(s) => {
                    let east = numeric_zone(s)?;
                    // The second part of a POSIX name, `EST+3`, moves the zone on.
                    if self.seen & ZONE != 0 && i > 0 && matches!(tokens[i - 1], Token::Word(_)) {
                        self.zone_add -= east;
                        0
                    } else {
                        self.zone = Some(ZoneSpec::East(east));
                        ZONE
                    }
                }
                Token::Number(s) => self.number_token(s, &tokens, i, &mut prefix, time_only)?,
                Token::Word(s) | Token::Special(s) => self.word_token(s, &tokens, i, &mut prefix, time_only)?,
            };
            if taken & self.seen != 0 {
                return Err(Fault::Syntax);
            }
            self.seen |= taken;
        }
        if prefix != Prefix::None || tokens.is_empty() {
            return Err(Fault::Syntax);
        }
        if self.kind != Kind::Moment {
            return Ok(());
        }
        if !time_only || self.seen & (DATE | DAY_OF_YEAR) != 0 {
            self.validate_date()?;
        }
        match self.pm {
            Some(_) if self.hour > 12 => return Err(Fault::Field),
            Some(false) if self.hour == 12 => self.hour = 0,
            Some(true) if self.hour != 12 => self.hour += 12,
            _ => {}
        }
        if time_only {
            let t = self.time_micros();
            if self.hour < 0 || self.minute > 59 || self.second > 60 || self.hour > 24 || t > MICROS_PER_DAY {
                return Err(Fault::Field);
            }
            // A zone whose offset varies needs a date.
            if self.seen & TIME == 0 || (self.seen & DATE != DATE && self.zone_varies()) {
                return Err(Fault::Syntax);
            }
        } else if self.seen & DATE != DATE {
            return Err(Fault::Syntax);
        }
        if self.zone.is_none() && self.seen & DST_WORD != 0 {
            return Err(Fault::Syntax);
        }
        Ok(())
    }

    fn time_micros(&self) -> i64 {
        self.hour * MICROS_PER_HOUR + self.minute * MICROS_PER_MINUTE + self.second * MICROS_PER_SEC + self.micros
    }

    /// Digits and punctuation: a date, a zone name, or a time run together with its zone.
    fn date_token(
        &mut self,
        s: &str,
        tokens: &[Token],
        i: usize,
        prefix: &mut Prefix,
        time_only: bool,
    ) -> Result<u32, Fault> {
        let digit = s.starts_with(|c: char| c.is_ascii_digit());
        if time_only {
            let date_here = i == 0
                && tokens.len() >= 2
                && (matches!(tokens.last(), Some(Token::Date(_))) || matches!(tokens[1], Token::Time(_)));
            if date_here {
                return self.date_field(s);
            }
            if !digit {
                self.zone = Some(ZoneSpec::Named(zone::find(s).ok_or_else(|| Fault::Zone(s.to_owned()))?));
                return Ok(ZONE);
            }
            if *prefix == Prefix::Time {
                *prefix = Prefix::None;
            }
            return self.time_with_zone(s, DATE);
        }
        if *prefix == Prefix::Julian {
            let (day, rest) = number(s)?;
            *prefix = Prefix::None;
            self.set_date(day - EPOCH_JULIAN_DAY);
            self.julian = true;
            self.zone = Some(ZoneSpec::East(numeric_zone(rest)?));
            return Ok(DATE | TIME | ZONE);
        }
        if *prefix == Prefix::None && self.seen & (MONTH | DAY) != MONTH | DAY {
            return self.date_field(s);
        }
        if digit || *prefix != Prefix::None {
            if *prefix != Prefix::None && std::mem::replace(prefix, Prefix::None) != Prefix::Time {
                return Err(Fault::Syntax);
            }
            if self.seen & TIME != 0 {
                return Err(Fault::Syntax);
            }
            return self.time_with_zone(s, self.seen);
        }
        self.zone = Some(ZoneSpec::Named(zone::find(s).ok_or_else(|| Fault::Zone(s.to_owned()))?));
        Ok(ZONE)
    }

    /// `hhmmss-zz`.
    fn time_with_zone(&mut self, s: &str, seen: u32) -> Result<u32, Fault> {
        let at = s.find('-').ok_or(Fault::Syntax)?;
        self.zone = Some(ZoneSpec::East(numeric_zone(&s[at..])?));
        Ok(self.run_together(&s[..at], seen)? | ZONE)
    }

    /// A date of three fields with delimiters.
    fn date_field(&mut self, s: &str) -> Result<u32, Fault> {
        let mut fields: Vec<&str> = Vec::new();
        let mut rest = s;
        while !rest.is_empty() {
            rest = rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            let Some(first) = rest.chars().next() else { return Err(Fault::Syntax) };
            let end = if first.is_ascii_digit() {
                rest.find(|c: char| !c.is_ascii_digit())
            } else {
                rest.find(|c: char| !c.is_ascii_alphabetic())
            }
            .unwrap_or(rest.len());
            fields.push(&rest[..end]);
            // One delimiter may follow the last field.
            rest = &rest[end..];
            rest = rest.strip_prefix(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest);
            if fields.len() > 25 {
                return Err(Fault::Syntax);
            }
        }
        let mut taken = 0;
        let before = self.seen;
        let mut text_month = false;
        for f in fields.iter().filter(|f| f.starts_with(|c: char| c.is_ascii_alphabetic())) {
            match keyword::word(f) {
                Some(Word::Noise) => continue,
                Some(Word::Month(m)) => {
                    self.month = m.into();
                    text_month = true;
                    if (before | taken) & MONTH != 0 {
                        return Err(Fault::Syntax);
                    }
                    taken |= MONTH;
                }
                _ => return Err(Fault::Syntax),
            }
        }
        for f in fields.iter().filter(|f| f.starts_with(|c: char| c.is_ascii_digit())) {
            let t = self.single_number(f, text_month, before | taken)?;
            if (before | taken) & t != 0 {
                return Err(Fault::Syntax);
            }
            taken |= t;
        }
        if (before | taken) & !(DAY_OF_YEAR | ZONE) != DATE && (before | taken) & DAY_OF_YEAR == 0 {
            return Err(Fault::Syntax);
        }
        Ok(taken)
    }

    /// `hh:mm`, `hh:mm:ss`, with a fraction.
    fn time_token(&mut self, s: &str) -> Result<(), Fault> {
        let (hour, rest) = number(s)?;
        let rest = rest.strip_prefix(':').ok_or(Fault::Syntax)?;
        let (minute, rest) = number(rest)?;
        (self.hour, self.minute, self.second, self.micros) = (hour, minute, 0, 0);
        if let Some(tail) = rest.strip_prefix(':') {
            let (second, rest) = number(tail)?;
            self.second = second;
            if !rest.is_empty() {
                self.micros = fraction_micros(rest)?;
            }
        } else if rest.starts_with('.') {
            // mm:ss.fraction
            (self.hour, self.minute, self.second) = (0, hour, minute);
            self.micros = fraction_micros(rest)?;
        } else if !rest.is_empty() {
            return Err(Fault::Syntax);
        }
        let past_midnight = self.hour == 24 && (self.minute, self.second, self.micros) != (0, 0, 0);
        if self.minute > 59 || self.second > 60 || self.hour > 24 || past_midnight {
            return Err(Fault::Field);
        }
        Ok(())
    }

    fn number_token(
        &mut self,
        s: &str,
        tokens: &[Token],
        i: usize,
        prefix: &mut Prefix,
        time_only: bool,
    ) -> Result<u32, Fault> {
        match std::mem::replace(prefix, Prefix::None) {
            Prefix::Julian => {
                let (day, rest) = number(s)?;
                self.set_date(day - EPOCH_JULIAN_DAY);
                self.julian = true;
                if rest.is_empty() {
                    return Ok(DATE);
                }
                let t = (fraction(rest)? * MICROS_PER_DAY as f64) as i64;
                self.set_time(t);
                return Ok(DATE | TIME);
            }
            Prefix::Time => {
                return match self.run_together(s, self.seen | DATE)? {
                    TIME => Ok(TIME),
                    _ => Err(Fault::Syntax),
                };
            }
            Prefix::Meaningless => return Err(Fault::Syntax),
            Prefix::None => {}
        }
        let point = s.find('.');
        if time_only {
            return match point {
                Some(_) if i == 0 && tokens.len() >= 2 && matches!(tokens.last(), Some(Token::Date(_))) => {
                    self.date_field(s)
                }
                Some(at) if at > 2 => self.run_together(s, self.seen | DATE),
                Some(_) => Err(Fault::Syntax),
                None if s.len() > 4 => self.run_together(s, self.seen | DATE),
                None => self.single_number(s, false, self.seen | DATE),
            };
        }
        match point {
            Some(_) if self.seen & DATE == 0 => self.date_field(s),
            Some(at) if at > 2 => self.run_together(s, self.seen),
            // Six digits or more are a date or a time run together, unless both are known: then it is a year.
            _ if s.len() >= 6 && (self.seen & DATE == 0 || self.seen & TIME == 0) => self.run_together(s, self.seen),
            _ => self.single_number(s, self.text_month, self.seen),
        }
    }

    /// One number of a date. What it is depends on its length, on what is known and on `DateStyle`.
    fn single_number(&mut self, s: &str, text_month: bool, seen: u32) -> Result<u32, Fault> {
        let (value, rest) = number(s)?;
        if rest.len() == s.len() {
            return Err(Fault::Syntax);
        }
        if rest.starts_with('.') {
            if s.len() - rest.len() > 2 {
                return self.run_together(s, seen | DATE);
            }
            self.micros = fraction_micros(rest)?;
        } else if !rest.is_empty() {
            return Err(Fault::Syntax);
        }
        let order = self.settings.date_order;
        let len = s.len();
        if len == 3 && seen & DATE == YEAR && (1..=366).contains(&value) {
            self.day_of_year = value;
            return Ok(DAY_OF_YEAR | MONTH | DAY);
        }
        let field = match seen & DATE {
            0 if len >= 3 || order == DateOrder::Ymd => YEAR,
            0 if order == DateOrder::Dmy => DAY,
            0 => MONTH,
            YEAR => MONTH,
            MONTH if text_month && (len >= 3 || order == DateOrder::Ymd) => YEAR,
            MONTH => DAY,
            YEAR_MONTH if text_month && len >= 3 && self.two_digit_year => {
                // The first number was the day after all.
                self.day = self.year;
                self.year = value;
                self.two_digit_year = false;
                return Ok(DAY);
            }
            YEAR_MONTH => DAY,
            DAY => MONTH,
            MONTH_DAY => YEAR,
            DATE => return self.run_together(s, seen),
            _ => return Err(Fault::Syntax),
        };
        match field {
            YEAR => {
                self.year = value;
                self.two_digit_year = len <= 2;
            }
            MONTH => self.month = value,
            _ => self.day = value,
        }
        Ok(field)
    }

    /// A date or time without delimiters.
    fn run_together(&mut self, s: &str, seen: u32) -> Result<u32, Fault> {
        let mut digits = s;
        if let Some(at) = s.find('.') {
            self.micros = fraction_micros(&s[at..])?;
            digits = &s[..at];
        } else if seen & DATE != DATE && s.len() >= 6 {
            let split = s.len() - 4;
            self.year = number(&s[..split])?.0;
            self.month = number(&s[split..split + 2])?.0;
            self.day = number(&s[split + 2..])?.0;
            self.two_digit_year = split == 2;
            return Ok(DATE);
        }
        if seen & TIME == 0 && digits.bytes().all(|c| c.is_ascii_digit()) {
            let pair = |at: usize| number(&digits[at..at + 2]).map(|n| n.0);
            match digits.len() {
                6 => {
                    (self.hour, self.minute, self.second) = (pair(0)?, pair(2)?, pair(4)?);
                    return Ok(TIME);
                }
                4 => {
                    (self.hour, self.minute, self.second) = (pair(0)?, pair(2)?, 0);
                    return Ok(TIME);
                }
                _ => {}
            }
        }
        Err(Fault::Syntax)
    }

    fn word_token(
        &mut self,
        s: &str,
        tokens: &[Token],
        i: usize,
        prefix: &mut Prefix,
        time_only: bool,
    ) -> Result<u32, Fault> {
        let known = keyword::word(s);
        if known.is_none()
            && let Some(meaning) = zone::find_abbreviation(s, &self.settings.time_zone)
        {
            match meaning {
                Meaning::Fixed(east, dst) => {
                    self.zone = Some(ZoneSpec::East(east));
                    return Ok(ZONE | if dst { DST_ZONE } else { 0 });
                }
                Meaning::Dynamic(z) => {
                    self.zone = Some(ZoneSpec::Abbreviation(z, s.to_owned()));
                    return Ok(ZONE);
                }
            }
        }
        let Some(word) = known else {
            // Not a word: perhaps the full name of a zone without punctuation.
            if s.bytes().all(|c| c.is_ascii_alphabetic())
                && let Some(z) = zone::find(s)
            {
                self.zone = Some(ZoneSpec::Named(z));
                return Ok(ZONE);
            }
            return Err(Fault::Syntax);
        };
        if *prefix != Prefix::None && !matches!(word, Word::Noise) {
            return Err(Fault::Syntax);
        }
        match word {
            Word::Noise => Ok(0),
            Word::Now if time_only => {
                let now = self.now_local();
                self.set_time(now.time_micros());
                self.zone = Some(ZoneSpec::East(zone::offset_at(&self.settings.time_zone, self.settings.now)));
                Ok(TIME | ZONE)
            }
            Word::Now => {
                let now = self.now_local();
                self.set_date(now.days());
                self.set_time(now.time_micros());
                self.zone = Some(ZoneSpec::East(zone::offset_at(&self.settings.time_zone, self.settings.now)));
                Ok(DATE | TIME | ZONE)
            }
            Word::AllBalls => {
                self.set_time(0);
                self.zone = Some(ZoneSpec::East(0));
                Ok(TIME | ZONE)
            }
            Word::Today | Word::Tomorrow | Word::Yesterday if !time_only => {
                let shift = match word {
                    Word::Tomorrow => 1,
                    Word::Yesterday => -1,
                    _ => 0,
                };
                self.set_date(self.now_local().days() + shift);
                Ok(DATE)
            }
            Word::Epoch | Word::Infinity | Word::NegInfinity if !time_only => {
                self.kind = match word {
                    Word::Epoch => Kind::Epoch,
                    Word::Infinity => Kind::Infinity,
                    _ => Kind::NegInfinity,
                };
                Ok(DATE | TIME | ZONE)
            }
            Word::Month(m) if !time_only => {
                // A number taken for the month was the day.
                let mut taken = MONTH;
                if self.seen & MONTH != 0 && !self.text_month && self.seen & DAY == 0 && (1..=31).contains(&self.month)
                {
                    self.day = self.month;
                    taken = DAY;
                }
                self.text_month = true;
                self.month = m.into();
                Ok(taken)
            }
            Word::Dst => {
                self.zone_add += 3600;
                Ok(DST_WORD | DST_ZONE)
            }
            Word::Am => {
                self.pm = Some(false);
                Ok(MERIDIEM)
            }
            Word::Pm => {
                self.pm = Some(true);
                Ok(MERIDIEM)
            }
            Word::Ad | Word::Bc => {
                self.bc = word == Word::Bc;
                Ok(ERA)
            }
            Word::Weekday if !time_only => Ok(WEEKDAY),
            Word::Julian if !time_only => {
                *prefix = Prefix::Julian;
                Ok(0)
            }
            Word::TimePrefix => {
                if !time_only && self.seen & DATE != DATE {
                    return Err(Fault::Syntax);
                }
                if !matches!(tokens.get(i + 1), Some(Token::Number(_) | Token::Time(_) | Token::Date(_))) {
                    return Err(Fault::Syntax);
                }
                *prefix = Prefix::Time;
                Ok(0)
            }
            Word::Unit => {
                *prefix = Prefix::Meaningless;
                Ok(0)
            }
            _ => Err(Fault::Syntax),
        }
    }

    fn validate_date(&mut self) -> Result<(), Fault> {
        if self.seen & YEAR != 0 && !self.julian {
            if self.bc {
                if self.year <= 0 {
                    return Err(Fault::Field);
                }
                self.year = 1 - self.year;
            } else if self.two_digit_year {
                self.year += if self.year < 70 { 2000 } else { 1900 };
            } else if self.year <= 0 {
                return Err(Fault::Field);
            }
        }
        if self.seen & DAY_OF_YEAR != 0 {
            self.set_date(days_from_civil(self.year, 1, 1) + self.day_of_year - 1);
        }
        if self.seen & MONTH != 0 && !(1..=12).contains(&self.month) {
            return Err(Fault::MonthDay);
        }
        if self.seen & DAY != 0 && !(1..=31).contains(&self.day) {
            return Err(Fault::MonthDay);
        }
        if self.seen & DATE == DATE && self.day > days_in_month(self.year, self.month) {
            return Err(Fault::Field);
        }
        Ok(())
    }

    /// Whether the zone named has had more than one offset.
    fn zone_varies(&self) -> bool {
        let Some(ZoneSpec::Named(z)) = &self.zone else { return false };
        zone::constant_offset(z).is_none()
    }

    /// Seconds east of UTC of the zone named, or of the session's.
    fn east(&self, days: i64, time: i64) -> i32 {
        let base = match &self.zone {
            Some(ZoneSpec::East(e)) => *e,
            Some(ZoneSpec::Named(z)) => zone::offset_of_local(z, days, time),
            Some(ZoneSpec::Abbreviation(z, word)) => zone::abbreviation_offset(z, word, days, time),
            None => zone::offset_of_local(&self.settings.time_zone, days, time),
        };
        base + self.zone_add
    }

    fn days(&self) -> i64 {
        days_from_civil(self.year, self.month, self.day)
    }
}

/// The error of text that is no `type_name`.
pub(super) fn fault(fault: Fault, text: &str, type_name: &str) -> SqlError {
    match fault {
        Fault::Syntax => SqlError::new(
            SqlState::INVALID_DATETIME_FORMAT,
            format!("invalid input syntax for type {type_name}: \"{text}\""),
        ),
        Fault::Field => {
            SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\""))
        }
        Fault::MonthDay => {
            SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("date/time field value out of range: \"{text}\""))
                .hint("Perhaps you need a different \"DateStyle\" setting.")
        }
        Fault::Interval => {
            SqlError::new(SqlState::INTERVAL_FIELD_OVERFLOW, format!("interval field value out of range: \"{text}\""))
        }
        Fault::Total => interval_out_of_range(),
        Fault::ZoneOffset => SqlError::new(
            SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
            format!("time zone displacement out of range: \"{text}\""),
        ),
        Fault::Zone(name) => {
            SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("time zone \"{name}\" not recognized"))
        }
    }
}

/// Reads a `date`.
pub fn parse_date(text: &str, settings: &IoSettings) -> Result<i32> {
    let mut d = Decoder::new(settings);
    d.run(text, false).map_err(|f| fault(f, text, "date"))?;
    match d.kind {
        Kind::Epoch => Ok(-UNIX_EPOCH_DAYS as i32),
        Kind::Infinity => Ok(DATE_INFINITY),
        Kind::NegInfinity => Ok(DATE_NEG_INFINITY),
        Kind::Moment => {
            let days = d.days();
            if !is_valid_date(days) {
                return Err(SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("date out of range: \"{text}\"")));
            }
            Ok(days as i32)
        }
    }
}

fn timestamp(text: &str, settings: &IoSettings, type_name: &str, with_zone: bool) -> Result<i64> {
    let mut d = Decoder::new(settings);
    d.run(text, false).map_err(|f| fault(f, text, type_name))?;
    match d.kind {
        Kind::Epoch => return Ok(-UNIX_EPOCH_DAYS * MICROS_PER_DAY),
        Kind::Infinity => return Ok(TIMESTAMP_INFINITY),
        Kind::NegInfinity => return Ok(TIMESTAMP_NEG_INFINITY),
        Kind::Moment => {}
    }
    let (days, time) = (d.days(), d.time_micros());
    let east = if with_zone { i64::from(d.east(days, time)) * MICROS_PER_SEC } else { 0 };
    micros_from_parts(days, time - east)
        .filter(|t| is_valid_timestamp(*t))
        .ok_or_else(|| SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, format!("timestamp out of range: \"{text}\"")))
}

/// Reads a `timestamp`; a zone is read and ignored.
pub fn parse_timestamp(text: &str, settings: &IoSettings) -> Result<i64> {
    timestamp(text, settings, "timestamp", false)
}

/// Reads a `timestamptz`; text without a zone is in the session's.
pub fn parse_timestamptz(text: &str, settings: &IoSettings) -> Result<i64> {
    timestamp(text, settings, "timestamp with time zone", true)
}

/// Reads a `time`: microseconds since midnight.
pub fn parse_time(text: &str, settings: &IoSettings) -> Result<i64> {
    let mut d = Decoder::new(settings);
    d.run(text, true).map_err(|f| fault(f, text, "time"))?;
    Ok(d.time_micros())
}

/// Reads a `timetz`: microseconds since midnight and seconds west of UTC.
pub fn parse_timetz(text: &str, settings: &IoSettings) -> Result<(i64, i32)> {
    let mut d = Decoder::new(settings);
    d.run(text, true).map_err(|f| fault(f, text, "time with time zone"))?;
    let days = if d.seen & DATE == DATE { d.days() } else { d.now_local().days() };
    let time = d.time_micros();
    Ok((time, -d.east(days, time)))
}
