//! `Interval`: months, days and microseconds that do not convert into each other.

use std::cmp::Ordering;

use super::{MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_MINUTE, MICROS_PER_SEC, interval_out_of_range};
use crate::{Datum, Result, SqlError, SqlState};

/// An `interval` value. All three fields at their largest (smallest) value are infinity (-infinity).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Interval {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Microseconds.
    pub micros: i64,
}

impl Interval {
    /// Infinity.
    pub const INFINITY: Interval = Interval { months: i32::MAX, days: i32::MAX, micros: i64::MAX };
    /// -Infinity.
    pub const NEG_INFINITY: Interval = Interval { months: i32::MIN, days: i32::MIN, micros: i64::MIN };

    /// An interval of its three parts.
    pub const fn new(months: i32, days: i32, micros: i64) -> Interval {
        Interval { months, days, micros }
    }

    /// The value of an `interval` datum's bytes.
    pub fn from_bytes(b: &[u8; 16]) -> Interval {
        let mut m = [0; 8];
        m.copy_from_slice(&b[..8]);
        Interval {
            micros: i64::from_le_bytes(m),
            days: i32::from_le_bytes([b[8], b[9], b[10], b[11]]),
            months: i32::from_le_bytes([b[12], b[13], b[14], b[15]]),
        }
    }

    /// The value of an `interval` datum; zero of anything else.
    pub fn from_datum(d: &Datum) -> Interval {
        match d {
            Datum::B16(b) => Interval::from_bytes(b),
            _ => Interval::default(),
        }
    }

    /// The datum.
    pub fn to_datum(self) -> Datum {
        Datum::interval(self.micros, self.days, self.months)
    }

    /// Whether it is neither infinity.
    pub fn is_finite(self) -> bool {
        self != Interval::INFINITY && self != Interval::NEG_INFINITY
    }

    /// Its length in microseconds, with 30 days to the month and 24 hours to the day: what comparison goes by.
    pub fn span(self) -> i128 {
        (i128::from(self.months) * 30 + i128::from(self.days)) * i128::from(MICROS_PER_DAY) + i128::from(self.micros)
    }

    /// SQL order.
    pub fn cmp_sql(self, other: Interval) -> Ordering {
        self.span().cmp(&other.span())
    }

    /// The parts, unless they are those of an infinity, which no finite computation may reach.
    pub fn checked(months: Option<i32>, days: Option<i32>, micros: Option<i64>) -> Result<Interval> {
        match (months, days, micros) {
            (Some(months), Some(days), Some(micros)) => {
                let v = Interval { months, days, micros };
                if v.is_finite() { Ok(v) } else { Err(interval_out_of_range()) }
            }
            _ => Err(interval_out_of_range()),
        }
    }

    /// Drops the fields `typmod` excludes and rounds to its precision.
    pub fn apply_typmod(self, typmod: i32) -> Result<Interval> {
        if typmod < 0 || !self.is_finite() {
            return Ok(self);
        }
        let mut v = self;
        let range = (typmod >> 16) & 0x7fff;
        let cut = |micros: i64, unit: i64| micros / unit * unit;
        match range {
            FULL_RANGE => {}
            YEAR => v = Interval::new(v.months / 12 * 12, 0, 0),
            MONTH => v = Interval::new(v.months, 0, 0),
            r if r == YEAR | MONTH => v = Interval::new(v.months, 0, 0),
            DAY => v.micros = 0,
            HOUR => v.micros = cut(v.micros, MICROS_PER_HOUR),
            MINUTE => v.micros = cut(v.micros, MICROS_PER_MINUTE),
            r if r == DAY | HOUR => v.micros = cut(v.micros, MICROS_PER_HOUR),
            r if r == DAY | HOUR | MINUTE || r == HOUR | MINUTE => v.micros = cut(v.micros, MICROS_PER_MINUTE),
            r if r == SECOND
                || r == DAY | HOUR | MINUTE | SECOND
                || r == HOUR | MINUTE | SECOND
                || r == MINUTE | SECOND => {}
            _ => return Err(SqlError::internal(format!("unrecognized interval typmod: {typmod}"))),
        }
        let precision = typmod & 0xffff;
        if precision != 0xffff {
            if !(0..=6).contains(&precision) {
                return Err(SqlError::new(
                    SqlState::INVALID_PARAMETER_VALUE,
                    format!("interval({precision}) precision must be between 0 and 6"),
                ));
            }
            v.micros = super::round_micros(v.micros, precision).ok_or_else(interval_out_of_range)?;
        }
        Ok(v)
    }

    /// Whole years and the months left over.
    pub fn years_months(self) -> (i32, i32) {
        (self.months / 12, self.months % 12)
    }

    /// Hours, minutes, seconds and microseconds, all of the sign of `micros`.
    pub fn clock(self) -> (i64, i64, i64, i64) {
        let m = self.micros;
        (m / MICROS_PER_HOUR, m / MICROS_PER_MINUTE % 60, m / MICROS_PER_SEC % 60, m % MICROS_PER_SEC)
    }
}

/// Typmod bits of the fields an interval may be restricted to.
pub const MONTH: i32 = 1 << 1;
/// See [`MONTH`].
pub const YEAR: i32 = 1 << 2;
/// See [`MONTH`].
pub const DAY: i32 = 1 << 3;
/// See [`MONTH`].
pub const HOUR: i32 = 1 << 10;
/// See [`MONTH`].
pub const MINUTE: i32 = 1 << 11;
/// See [`MONTH`].
pub const SECOND: i32 = 1 << 12;
/// No restriction.
pub const FULL_RANGE: i32 = 0x7fff;
