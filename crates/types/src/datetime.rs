//! Dates, times, timestamps and intervals: calendar, text forms, time zones, arithmetic.
//!
//! Days count from 2000-01-01, microseconds from 2000-01-01 00:00 (UTC for `timestamptz`). The calendar is Gregorian
//! throughout; years are astronomical inside (0 is 1 BC).

mod abbreviation;
pub mod arith;
pub mod field;
mod format;
pub mod interval;
mod interval_parse;
mod keyword;
mod parse;
mod token;
pub mod zone;

pub use format::{
    DateOrder, DateStyle, IntervalStyle, format_date, format_interval, format_time, format_timestamp,
    format_timestamptz, format_timetz,
};
pub use interval::Interval;
pub use interval_parse::parse_interval;
pub use parse::{parse_date, parse_time, parse_timestamp, parse_timestamptz, parse_timetz};

use crate::{Result, SqlError, SqlState};

/// Microseconds of a second.
pub const MICROS_PER_SEC: i64 = 1_000_000;
/// Microseconds of a minute.
pub const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SEC;
/// Microseconds of an hour.
pub const MICROS_PER_HOUR: i64 = 3600 * MICROS_PER_SEC;
/// Microseconds of a day.
pub const MICROS_PER_DAY: i64 = 86400 * MICROS_PER_SEC;
/// Days from 1970-01-01 to 2000-01-01.
pub const UNIX_EPOCH_DAYS: i64 = 10957;
/// The Julian day of 2000-01-01.
pub const EPOCH_JULIAN_DAY: i64 = 2_451_545;
/// `date 'infinity'`.
pub const DATE_INFINITY: i32 = i32::MAX;
/// `date '-infinity'`.
pub const DATE_NEG_INFINITY: i32 = i32::MIN;
/// `timestamp 'infinity'`.
pub const TIMESTAMP_INFINITY: i64 = i64::MAX;
/// `timestamp '-infinity'`.
pub const TIMESTAMP_NEG_INFINITY: i64 = i64::MIN;
/// The first day a date can be: 4714-11-24 BC, Julian day 0.
pub const DATE_MIN: i32 = -2_451_545;
/// The day after the last day a date can be.
pub const DATE_END: i32 = 2_147_483_494 - 2_451_545;
/// The first timestamp.
pub const TIMESTAMP_MIN: i64 = -211_813_488_000_000_000;
/// The microsecond after the last timestamp.
pub const TIMESTAMP_END: i64 = 9_223_371_331_200_000_000;

/// Days since 2000-01-01 of a date; month and day may lie outside their ranges, by a little.
pub const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years that start in March put the leap day last; eras of 400 years have 146097 days.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 - UNIX_EPOCH_DAYS
}

/// Year, month and day of a count of days since 2000-01-01.
pub const fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + UNIX_EPOCH_DAYS + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let mp = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (year_of_era + era * 400 + (month <= 2) as i64, month as u32, day as u32)
}

/// Whether `year` is a leap year.
pub const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month (1 to 12).
pub const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + is_leap(year) as i64,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Day of the week of a count of days since 2000-01-01 (a Saturday); Sunday is 0.
pub const fn day_of_week(days: i64) -> u32 {
    (days + 6).rem_euclid(7) as u32
}

/// A date and time of day taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Civil {
    /// Astronomical year: 0 is 1 BC.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 to 999999.
    pub micros: u32,
}

impl Civil {
    /// Takes a count of microseconds since 2000-01-01 apart.
    pub const fn from_micros(micros: i64) -> Civil {
        let (year, month, day) = civil_from_days(micros.div_euclid(MICROS_PER_DAY));
        let t = micros.rem_euclid(MICROS_PER_DAY);
        Civil {
            year,
            month,
            day,
            hour: (t / MICROS_PER_HOUR) as u32,
            minute: (t / MICROS_PER_MINUTE % 60) as u32,
            second: (t / MICROS_PER_SEC % 60) as u32,
            micros: (t % MICROS_PER_SEC) as u32,
        }
    }

    /// Days since 2000-01-01.
    pub const fn days(&self) -> i64 {
        days_from_civil(self.year, self.month as i64, self.day as i64)
    }

    /// Microseconds since midnight.
    pub const fn time_micros(&self) -> i64 {
        self.hour as i64 * MICROS_PER_HOUR
            + self.minute as i64 * MICROS_PER_MINUTE
            + self.second as i64 * MICROS_PER_SEC
            + self.micros as i64
    }

    /// Microseconds since 2000-01-01, if that is a timestamp.
    pub fn to_micros(&self) -> Option<i64> {
        micros_from_parts(self.days(), self.time_micros()).filter(|t| is_valid_timestamp(*t))
    }
}

/// Whether a finite timestamp is within range.
pub const fn is_valid_timestamp(micros: i64) -> bool {
    micros >= TIMESTAMP_MIN && micros < TIMESTAMP_END
}

/// Whether a finite date is within range.
pub const fn is_valid_date(days: i64) -> bool {
    days >= DATE_MIN as i64 && days < DATE_END as i64
}

/// Joins days and time of day; none when it does not fit 64 bits.
pub(crate) fn micros_from_parts(days: i64, time: i64) -> Option<i64> {
    i64::try_from(i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(time)).ok()
}

/// `22008`: a result is no timestamp.
pub fn timestamp_out_of_range() -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "timestamp out of range")
}

/// `22008`: a result is no interval.
pub fn interval_out_of_range() -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "interval out of range")
}

/// `22008`: a result is no date.
pub fn date_out_of_range() -> SqlError {
    SqlError::new(SqlState::DATETIME_FIELD_OVERFLOW, "date out of range")
}

/// Rounds microseconds to `precision` digits of the second, half away from zero; a precision outside 0 to 5 leaves them.
pub fn round_micros(micros: i64, precision: i32) -> Option<i64> {
    if !(0..6).contains(&precision) {
        return Some(micros);
    }
    let unit = 10i64.pow(6 - precision as u32);
    let half = if micros < 0 { -unit / 2 } else { unit / 2 };
    Some(micros.checked_add(half)? / unit * unit)
}

/// `timestamp` or `timestamptz` brought to the precision of its typmod.
pub fn timestamp_typmod(micros: i64, typmod: i32) -> Result<i64> {
    if micros == TIMESTAMP_INFINITY || micros == TIMESTAMP_NEG_INFINITY {
        return Ok(micros);
    }
    round_micros(micros, typmod).ok_or_else(timestamp_out_of_range)
}

/// The `timetz` of microseconds since midnight and seconds west of UTC.
pub fn timetz_bytes(micros: i64, west: i32) -> [u8; 16] {
    let mut b = [0; 16];
    b[..8].copy_from_slice(&micros.to_le_bytes());
    b[8..12].copy_from_slice(&west.to_le_bytes());
    b
}

/// Microseconds since midnight and seconds west of UTC of a `timetz`.
pub fn timetz_parts(b: &[u8; 16]) -> (i64, i32) {
    let mut m = [0; 8];
    m.copy_from_slice(&b[..8]);
    (i64::from_le_bytes(m), i32::from_le_bytes([b[8], b[9], b[10], b[11]]))
}

#[cfg(test)]
mod tests;
