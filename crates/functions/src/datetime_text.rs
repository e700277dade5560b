//! `to_char`, `to_date` and `to_timestamp` of dates and times. Numbers are in `number_text`.

mod read;
mod template;
mod write;

use ext::{Call, Date, Interval, Timestamp, Timestamptz};
use types::Result;
use types::datetime::arith;

pub(crate) use read::{Parts, read_strictly};
pub(crate) use template::quoted;
pub(crate) use write::{interval_to_char, ordinal, timestamp_to_char};

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 2049, stable)]
    pub fn to_char(call: &mut Call<'_>, t: Timestamp, format: &str) -> Result<Option<String>> {
        timestamp_to_char(call, t.0, false, format)
    }

    #[ext::function(oid = 1770, stable)]
    pub fn to_char_tz(call: &mut Call<'_>, t: Timestamptz, format: &str) -> Result<Option<String>> {
        timestamp_to_char(call, t.0, true, format)
    }

    #[ext::function(oid = 1768, stable)]
    pub fn to_char_interval(v: Interval, format: &str) -> Result<Option<String>> {
        interval_to_char(v, format)
    }

    #[ext::function(oid = 1780, stable)]
    pub fn to_date(call: &mut Call<'_>, text: &str, format: &str) -> Result<Date> {
        let t = read::read(call, text, format)?.date_and_time(text)?.0;
        Ok(Date(t))
    }

    #[ext::function(oid = 1778, stable)]
    pub fn to_timestamp(call: &mut Call<'_>, text: &str, format: &str) -> Result<Timestamptz> {
        let found = read::read(call, text, format)?;
        let (days, time) = found.date_and_time(text)?;
        let local = i64::from(days)
            .checked_mul(types::datetime::MICROS_PER_DAY)
            .and_then(|t| t.checked_add(time))
            .ok_or_else(types::datetime::timestamp_out_of_range)?;
        let utc = match found.zone(call)? {
            Some(zone) => arith::timestamp_to_timestamptz(local, &zone)?,
            None => arith::timestamp_to_timestamptz(local, &call.settings.time_zone)?,
        };
        Ok(Timestamptz(utc))
    }
}
