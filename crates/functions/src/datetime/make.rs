//! Dates, times and moments made of their parts.

use super::*;

fn float_fields(v: f64) -> Option<i64> {
    let micros = (v * MICROS_PER_SEC as f64).round_ties_even();
    (micros.is_finite() && micros.abs() < 9.0e18).then_some(micros as i64)
}

/// A second as PostgreSQL prints one in messages: six significant digits, two characters at least (C's `%02g`).
fn shown_second(v: f64) -> String {
    if !v.is_finite() {
        return if v.is_nan() {
            "NaN"
        } else if v > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let scientific = format!("{v:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed =
        |s: &str| if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_owned() } else { s.to_owned() };
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    let text = trimmed(&format!("{v:.*}", (5 - exponent).max(0) as usize));
    if text.len() == 1 { format!("0{text}") } else { text }
}

/// `adjusted`: whether messages show the astronomical year.
fn date_of(year: i32, month: i32, day: i32, adjusted: bool) -> Result<i32> {
    // There is no year 0: -1 is 1 BC.
    let astronomical = if year < 0 { i64::from(year) + 1 } else { i64::from(year) };
    let shown = if adjusted && year != i32::MIN { astronomical } else { year.into() };
    let refuse = || overflow(format!("date field value out of range: {shown}-{month:02}-{day:02}"));
    if year == i32::MIN {
        return Err(refuse());
    }
    if year == 0 || !(1..=12).contains(&month) || day < 1 {
        return Err(refuse());
    }
    if i64::from(day) > days_in_month(astronomical, month.into()) {
        return Err(refuse());
    }
    let days = days_from_civil(astronomical, month.into(), day.into());
    if !is_valid_date(days) {
        return Err(overflow(format!("date out of range: {shown}-{month:02}-{day:02}")));
    }
    Ok(days as i32)
}

fn time_of(hour: i32, minute: i32, second: f64) -> Result<i64> {
    let refuse = || overflow(format!("time field value out of range: {hour}:{minute:02}:{}", shown_second(second)));
    let micros = float_fields(second).filter(|m| !second.is_nan() && (0..=60 * MICROS_PER_SEC).contains(m));
    let micros = micros.ok_or_else(refuse)?;
    let whole = i64::from(hour) * 3600 + i64::from(minute) * 60;
    let fits = (0..=24).contains(&hour) && (0..=59).contains(&minute) && second >= 0.0;
    let total = whole * MICROS_PER_SEC + micros;
    if fits && total <= MICROS_PER_DAY { Ok(total) } else { Err(refuse()) }
}

fn timestamp_of(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<i64> {
    let days = date_of(y, mo, d, false)?;
    let time = time_of(h, mi, s)?;
    let t = i64::from(days).checked_mul(MICROS_PER_DAY).and_then(|t| t.checked_add(time));
    t.filter(|t| is_valid_timestamp(*t))
        .ok_or_else(|| overflow(format!("timestamp out of range: {y}-{mo:02}-{d:02} {h}:{mi:02}:{}", shown_second(s))))
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 3846)]
    pub fn make_date(y: i32, m: i32, d: i32) -> Result<Date> {
        date_of(y, m, d, true).map(Date)
    }

    #[ext::function(oid = 3847)]
    pub fn make_time(h: i32, m: i32, s: f64) -> Result<Time> {
        time_of(h, m, s).map(Time)
    }

    #[ext::function(oid = 3461)]
    pub fn make_timestamp(y: i32, mo: i32, d: i32, h: i32, mi: i32, s: f64) -> Result<Timestamp> {
        timestamp_of(y, mo, d, h, mi, s).map(Timestamp)
    }

    #[ext::function(oid = 3462, stable)]
    pub fn make_timestamptz(
        call: &mut Call<'_>,
        y: i32,
        mo: i32,
        d: i32,
        h: i32,
        mi: i32,
        s: f64,
    ) -> Result<Timestamptz> {
        let local = timestamp_of(y, mo, d, h, mi, s)?;
        arith::timestamp_to_timestamptz(local, &call.settings.time_zone).map(Timestamptz)
    }

    #[ext::function(oid = 3463)]
    #[allow(clippy::too_many_arguments, reason = "SQL's function has them")]
    pub fn make_timestamptz_in(
        call: &mut Call<'_>,
        y: i32,
        mo: i32,
        d: i32,
        h: i32,
        mi: i32,
        s: f64,
        zone: &str,
    ) -> Result<Timestamptz> {
        let local = timestamp_of(y, mo, d, h, mi, s)?;
        let zone = offset_zone(zone)?.map_or_else(|| named_zone(call, zone), Ok)?;
        arith::timestamp_to_timestamptz(local, &zone).map(Timestamptz)
    }

    #[ext::function(oid = 1158)]
    pub fn to_timestamp(v: f64) -> Result<Timestamptz> {
        if v.is_infinite() {
            return Ok(Timestamptz(if v > 0.0 { TIMESTAMP_INFINITY } else { TIMESTAMP_NEG_INFINITY }));
        }
        if v.is_nan() {
            return Err(overflow("timestamp cannot be NaN"));
        }
        let mut shown = Vec::new();
        types::io::float::format_f64(v, 0, &mut shown);
        let out = || overflow(format!("timestamp out of range: \"{}\"", String::from_utf8_lossy(&shown)));
        let since_2000 = v - (UNIX_EPOCH_DAYS * 86_400) as f64;
        let micros = (since_2000 * MICROS_PER_SEC as f64).round_ties_even();
        if !(-9.3e18..9.3e18).contains(&micros) || !is_valid_timestamp(micros as i64) {
            return Err(out());
        }
        Ok(Timestamptz(micros as i64))
    }
}
