//! Ages and parts of moments.

use types::Numeric;
use types::datetime::field;

use super::*;

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 2058)]
    pub fn age(a: Timestamp, b: Timestamp) -> Result<Interval> {
        arith::age(a.0, b.0)
    }

    #[ext::function(oid = 1199, stable)]
    pub fn age_tz(call: &mut Call<'_>, a: Timestamptz, b: Timestamptz) -> Result<Interval> {
        let zone = &call.settings.time_zone;
        arith::age(arith::timestamptz_to_timestamp(a.0, zone)?, arith::timestamptz_to_timestamp(b.0, zone)?)
    }

    #[ext::function(oid = 2059, stable)]
    pub fn age_today(call: &mut Call<'_>, t: Timestamp) -> Result<Interval> {
        arith::age(today(call)?, t.0)
    }

    #[ext::function(oid = 1386, stable)]
    pub fn age_today_tz(call: &mut Call<'_>, t: Timestamptz) -> Result<Interval> {
        arith::age(today(call)?, arith::timestamptz_to_timestamp(t.0, &call.settings.time_zone)?)
    }

    #[ext::function(oid = 6199)]
    pub fn extract_date(name: &str, d: Date) -> Result<Option<Numeric>> {
        field::extract_date(name, d.0)
    }

    #[ext::function(oid = 6200)]
    pub fn extract_time(name: &str, t: Time) -> Result<Option<Numeric>> {
        field::extract_time(name, t.0)
    }

    #[ext::function(oid = 6201)]
    pub fn extract_timetz(name: &str, t: TimeTz) -> Result<Option<Numeric>> {
        field::extract_timetz(name, t.micros, t.west)
    }

    #[ext::function(oid = 6202)]
    pub fn extract_timestamp(name: &str, t: Timestamp) -> Result<Option<Numeric>> {
        field::extract_timestamp(name, t.0)
    }

    #[ext::function(oid = 6203, stable)]
    pub fn extract_timestamptz(call: &mut Call<'_>, name: &str, t: Timestamptz) -> Result<Option<Numeric>> {
        field::extract_timestamptz(name, t.0, &call.settings.time_zone)
    }

    #[ext::function(oid = 6204)]
    pub fn extract_interval(name: &str, v: Interval) -> Result<Option<Numeric>> {
        field::extract_interval(name, v)
    }

    fn float(v: Option<Numeric>) -> Result<Option<f64>> {
        v.map(|n| n.to_f64()).transpose()
    }

    #[ext::function(oid = 1384)]
    pub fn part_date(name: &str, d: Date) -> Result<Option<f64>> {
        // date_part of a date is that of its midnight.
        float(field::extract_timestamp(name, arith::date_to_timestamp(d.0)?)?)
    }

    #[ext::function(oid = 1385)]
    pub fn part_time(name: &str, t: Time) -> Result<Option<f64>> {
        float(field::extract_time(name, t.0)?)
    }

    #[ext::function(oid = 1273)]
    pub fn part_timetz(name: &str, t: TimeTz) -> Result<Option<f64>> {
        float(field::extract_timetz(name, t.micros, t.west)?)
    }

    #[ext::function(oid = 2021)]
    pub fn part_timestamp(name: &str, t: Timestamp) -> Result<Option<f64>> {
        float(field::extract_timestamp(name, t.0)?)
    }

    #[ext::function(oid = 1171, stable)]
    pub fn part_timestamptz(call: &mut Call<'_>, name: &str, t: Timestamptz) -> Result<Option<f64>> {
        float(field::extract_timestamptz(name, t.0, &call.settings.time_zone)?)
    }

    #[ext::function(oid = 1172)]
    pub fn part_interval(name: &str, v: Interval) -> Result<Option<f64>> {
        if name.eq_ignore_ascii_case("epoch") && v.is_finite() {
            // In floats, in this order: the last digits show it.
            let (years, months) = v.years_months();
            let mut secs = v.micros as f64 / MICROS_PER_SEC as f64;
            secs += 365.25 * 86_400.0 * f64::from(years);
            secs += 30.0 * 86_400.0 * f64::from(months);
            return Ok(Some(secs + 86_400.0 * f64::from(v.days)));
        }
        float(field::extract_interval(name, v)?)
    }

    #[ext::function(oid = 2020)]
    pub fn trunc_timestamp(name: &str, t: Timestamp) -> Result<Timestamp> {
        field::trunc_timestamp(name, t.0).map(Timestamp)
    }

    #[ext::function(oid = 1217, stable)]
    pub fn trunc_timestamptz(call: &mut Call<'_>, name: &str, t: Timestamptz) -> Result<Timestamptz> {
        field::trunc_timestamptz(name, t.0, &call.settings.time_zone).map(Timestamptz)
    }

    #[ext::function(oid = 1284)]
    pub fn trunc_timestamptz_in(call: &mut Call<'_>, name: &str, t: Timestamptz, zone: &str) -> Result<Timestamptz> {
        field::trunc_timestamptz(name, t.0, &named_zone(call, zone)?).map(Timestamptz)
    }

    #[ext::function(oid = 1218)]
    pub fn trunc_interval(name: &str, v: Interval) -> Result<Interval> {
        field::trunc_interval(name, v)
    }

    #[ext::function(oid = 6177)]
    pub fn date_bin(stride: Interval, t: Timestamp, origin: Timestamp) -> Result<Timestamp> {
        arith::date_bin(stride, t.0, origin.0).map(Timestamp)
    }

    #[ext::function(oid = 6178)]
    pub fn date_bin_tz(stride: Interval, t: Timestamptz, origin: Timestamptz) -> Result<Timestamptz> {
        arith::date_bin(stride, t.0, origin.0).map(Timestamptz)
    }
}
