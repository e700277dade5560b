//! Arithmetic against PostgreSQL's results.

use super::*;
use crate::IoSettings;
use crate::io::float;
use crate::recorded::{report, rows};

fn apply(op: &str, zone: &str, a: &str, b: &str) -> Result<Option<String>> {
    let s = IoSettings { time_zone: zone::find(zone).expect("a zone"), ..IoSettings::default() };
    let stamp = |t: &str| parse_timestamp(t, &s);
    let stamptz = |t: &str| parse_timestamptz(t, &s);
    let interval = |t: &str| parse_interval(t, -1, &s);
    let mut out = Vec::new();
    let show_stamp = |t: i64, out: &mut Vec<u8>| format_timestamp(t, DateStyle::Iso, DateOrder::Mdy, out);
    let show_tz = |t: i64, out: &mut Vec<u8>| format_timestamptz(t, DateStyle::Iso, DateOrder::Mdy, &s.time_zone, out);
    let show = |v: Interval, out: &mut Vec<u8>| format_interval(v, IntervalStyle::Postgres, out);
    let number = |n: Option<crate::Numeric>| Ok(n.map(|n| n.to_string()));
    match op {
        "timestamp+interval" => show_stamp(arith::add_to_timestamp(stamp(a)?, interval(b)?)?, &mut out),
        "timestamp-interval" => show_stamp(arith::subtract_from_timestamp(stamp(a)?, interval(b)?)?, &mut out),
        "timestamptz+interval" => {
            show_tz(arith::add_to_timestamptz(stamptz(a)?, interval(b)?, &s.time_zone)?, &mut out)
        }
        "timestamp-timestamp" => show(arith::difference(stamp(a)?, stamp(b)?)?, &mut out),
        "age" => show(arith::age(stamp(a)?, stamp(b)?)?, &mut out),
        "date_bin" => show_stamp(arith::date_bin(interval(a)?, stamp(b)?, MICROS_PER_SEC)?, &mut out),
        "interval*" => show(arith::multiply(interval(a)?, float::parse_f64(b)?)?, &mut out),
        "interval/" => show(arith::divide(interval(a)?, float::parse_f64(b)?)?, &mut out),
        "interval+" => show(arith::add(interval(a)?, interval(b)?)?, &mut out),
        "interval-" => show(arith::subtract(interval(a)?, interval(b)?)?, &mut out),
        "time+interval" => format_time(arith::add_to_time(parse_time(a, &s)?, interval(b)?)?, &mut out),
        "justify_hours" => show(arith::justify_hours(interval(a)?)?, &mut out),
        "justify_days" => show(arith::justify_days(interval(a)?)?, &mut out),
        "justify_interval" => show(arith::justify_interval(interval(a)?)?, &mut out),
        "extract_date" => return number(field::extract_date(a, parse_date(b, &s)?)?),
        "extract_timestamp" => return number(field::extract_timestamp(a, stamp(b)?)?),
        "extract_timestamptz" => return number(field::extract_timestamptz(a, stamptz(b)?, &s.time_zone)?),
        "extract_time" => return number(field::extract_time(a, parse_time(b, &s)?)?),
        "extract_timetz" => {
            let (t, west) = parse_timetz(b, &s)?;
            return number(field::extract_timetz(a, t, west)?);
        }
        "extract_interval" => return number(field::extract_interval(a, interval(b)?)?),
        "trunc_timestamp" => show_stamp(field::trunc_timestamp(a, stamp(b)?)?, &mut out),
        "trunc_timestamptz" => show_tz(field::trunc_timestamptz(a, stamptz(b)?, &s.time_zone)?, &mut out),
        "trunc_interval" => show(field::trunc_interval(a, interval(b)?)?, &mut out),
        _ => panic!("operation {op}"),
    }
    Ok(Some(String::from_utf8(out).unwrap()))
}

#[test]
fn arithmetic_is_postgresqls() {
    let all = rows("datetime_ops.tsv");
    let mut failures = Vec::new();
    for row in &all {
        let f = |i: usize| row[i].as_deref().unwrap_or_default();
        let expected = if f(4) == "t" { Ok(row[5].clone()) } else { Err((f(5).to_owned(), f(6).to_owned())) };
        let got = apply(f(0), f(1), f(2), f(3)).map_err(|e| (e.state().to_string(), e.message().to_owned()));
        if got != expected {
            failures.push(format!("{} {} {:?} {:?}: {got:?}, not {expected:?}", f(0), f(1), f(2), f(3)));
        }
    }
    report("date and time arithmetic", all.len(), &failures);
}

#[test]
fn calendar_round_trips() {
    for days in (-2_500_000..3_000_000).step_by(97) {
        let (y, m, d) = civil_from_days(days);
        assert_eq!(days_from_civil(y, m.into(), d.into()), days);
    }
}
