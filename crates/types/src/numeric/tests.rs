//! Tests of the stored form, and of arithmetic against PostgreSQL's results.
use super::*;
use crate::io::{float, to_text};
use crate::oid;
use crate::recorded::{report, rows};

#[test]
fn stored_form_is_canonical() {
    for text in ["0", "0.00", "-1.5", "9223372036854775807", "-9223372036854775807", "9223372036854775808"] {
        let n = Numeric::parse(text).unwrap();
        let d = n.to_datum();
        assert_eq!(Numeric::from_datum(&d).to_string(), text);
        assert_eq!(Numeric::from_datum(&d).to_datum(), d);
    }
    assert_eq!(Numeric::small(15, 1).to_datum().as_bytes().unwrap().len(), SMALL_LEN);
    assert_eq!(Numeric::parse("-9223372036854775808").unwrap().to_datum().as_bytes().unwrap()[0], TAG_NEG);
}

fn apply(op: &str, a: &str, b: Option<&str>) -> Result<String> {
    let x = || Numeric::parse(a);
    let y = || Numeric::parse(b.unwrap());
    let show = |t, d| to_text(t, &d, &crate::IoSettings::default());
    let n = match op {
        "+" => x()?.add(&y()?)?,
        "-" => x()?.sub(&y()?)?,
        "*" => x()?.mul(&y()?)?,
        "/" => x()?.div(&y()?)?,
        "%" | "mod" => x()?.rem(&y()?)?,
        "^" => x()?.power(&y()?)?,
        "div" => x()?.div_trunc(&y()?)?,
        "gcd" => gcd(&x()?, &y()?),
        "lcm" => lcm(&x()?, &y()?)?,
        "log" => x()?.log(&y()?)?,
        "log10" => x()?.log10()?,
        "abs" => x()?.abs(),
        "-u" => x()?.neg(),
        "sign" => x()?.sign(),
        "ceil" => x()?.ceil(),
        "floor" => x()?.floor(),
        "sqrt" => x()?.sqrt()?,
        "ln" => x()?.ln()?,
        "exp" => x()?.exp()?,
        "trim_scale" => x()?.trim_scale(),
        "scale" => return Ok(x()?.scale().map(|s| s.to_string()).unwrap_or_default()),
        "min_scale" => return Ok(x()?.min_scale().map(|s| s.to_string()).unwrap_or_default()),
        "round" => x()?.round(b.unwrap().parse().unwrap()),
        "trunc" => x()?.trunc(b.unwrap().parse().unwrap()),
        "int2" => return x()?.to_i16().map(|v| v.to_string()),
        "int4" => return x()?.to_i32().map(|v| v.to_string()),
        "int8" => return x()?.to_i64().map(|v| v.to_string()),
        "float4" => return show(oid::FLOAT4, x()?.to_f32()?.into()),
        "float8" => return show(oid::FLOAT8, x()?.to_f64()?.into()),
        "factorial" => factorial(a.parse().unwrap())?,
        "from_float8" => Numeric::from_f64(float::parse_f64(a)?),
        "from_float4" => Numeric::from_f32(float::parse_f32(a)?),
        _ => panic!("operation {op}"),
    };
    // Through the stored form, as every value goes.
    Ok(Numeric::from_datum(&n.to_datum()).to_string())
}

#[test]
fn arithmetic_is_postgresqls() {
    let all = rows("numeric_ops.tsv");
    let mut failures = Vec::new();
    for row in &all {
        let f = |i: usize| row[i].as_deref().unwrap_or_default();
        let expected = if f(3) == "t" { Ok(f(4).to_owned()) } else { Err((f(4).to_owned(), f(5).to_owned())) };
        let got = apply(f(0), f(1), row[2].as_deref()).map_err(|e| (e.state().to_string(), e.message().to_owned()));
        if got != expected {
            failures.push(format!("{} {} {}: {got:?}, not {expected:?}", f(1), f(0), f(2)));
        }
    }
    report("numeric arithmetic", all.len(), &failures);
}
