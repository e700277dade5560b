//! Input and output against what PostgreSQL 18 made of the same text.

use super::*;
use crate::recorded::{report, rows, settings, type_named};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn check(name: &str) {
    let (mut total, mut failures) = (0, Vec::new());
    for row in rows("io.tsv") {
        let f = |i: usize| row[i].as_deref().unwrap_or_default();
        if f(0) != name {
            continue;
        }
        total += 1;
        let (typmod, settings, input) = (f(1).parse().unwrap(), settings(f(2)), f(3));
        let t = type_named(name);
        let expected = if f(4) == "t" { Ok((f(5), f(6))) } else { Err((f(5), f(6), f(7), f(8))) };
        let got = text_in(t, typmod, input, &settings);
        let case = || format!("{input:?} typmod {typmod} {}", f(2));
        match (&got, expected) {
            (Ok(d), Ok((text, binary))) => {
                let shown = to_text(t, d, &settings).unwrap_or_else(|e| format!("<{e:?}>"));
                if shown != text {
                    failures.push(format!("{}: shows {shown:?}, not {text:?}", case()));
                    continue;
                }
                if t == oid::ACLITEM {
                    continue;
                }
                let mut out = Vec::new();
                if let Err(e) = binary_out(t, d, &mut out) {
                    failures.push(format!("{}: binary {e:?}", case()));
                    continue;
                }
                if hex(&out) != binary {
                    failures.push(format!("{}: sends {}, not {binary}", case(), hex(&out)));
                }
                match binary_in(t, typmod, &out) {
                    Ok(back) if back == *d => {}
                    // A NaN has many bit patterns, and 24:00:00 rounds up once only.
                    back => failures.push(format!("{}: receives {back:?}, not {d:?}", case())),
                }
                // A NaN's sign is not shown.
                let lossless =
                    shown != "NaN" && !f(2).contains("float_digits") && !f(2).contains("datestyle") && typmod < 0;
                // PostgreSQL cannot read back these itself.
                let extreme = ["2562047788:00:54.775808", "@ 2147483648 days", "@ 2562047788 hours 54.775808"];
                if lossless && !extreme.iter().any(|e| shown.contains(e)) {
                    match text_in(t, -1, &shown, &settings) {
                        Ok(back) if back == *d => {}
                        back => failures.push(format!("{}: {shown:?} reads back as {back:?}, not {d:?}", case())),
                    }
                }
            }
            (Err(e), Err((state, message, detail, hint))) => {
                let fields = e.fields();
                let got = (
                    e.state().as_str().to_owned(),
                    e.message().to_owned(),
                    fields.detail.clone().unwrap_or_default(),
                    fields.hint.clone().unwrap_or_default(),
                );
                if (got.0.as_str(), got.1.as_str(), got.2.as_str(), got.3.as_str()) != (state, message, detail, hint) {
                    failures.push(format!("{}: says {got:?}, not {:?}", case(), (state, message, detail, hint)));
                }
            }
            (Ok(d), Err(expected)) => {
                failures.push(format!("{}: accepts {:?}, not {expected:?}", case(), to_text(t, d, &settings)))
            }
            (Err(e), Ok(expected)) => failures.push(format!("{}: {e:?}, not {expected:?}", case())),
        }
    }
    report(name, total, &failures);
}

macro_rules! recorded {
    ($($test:ident: $($name:literal)*;)*) => { $(#[test] fn $test() { $(check($name);)* })* };
}

recorded! {
    booleans: "bool";
    int2: "int2"; int4: "int4"; int8: "int8";
    oids: "oid" "xid" "cid" "xid8" "tid" "pg_lsn";
    float4: "float4"; float8: "float8";
    numeric: "numeric";
    texts: "text" "varchar" "bpchar" "name" "char";
    bytea: "bytea"; uuid: "uuid"; bits: "bit" "varbit";
    date: "date"; time: "time"; timetz: "timetz"; timestamp: "timestamp"; timestamptz: "timestamptz";
    interval: "interval";
    json: "json"; jsonb: "jsonb"; networks: "inet" "cidr" "macaddr";
    integer_arrays: "int4[]" "int8[]" "int2[]" "oid[]" "bool[]"; text_arrays: "text[]" "varchar[]" "bpchar[]" "char[]" "name[]";
    other_arrays: "float8[]" "numeric[]" "timestamptz[]" "date[]" "interval[]" "bytea[]" "uuid[]" "jsonb[]" "timetz[]" "varbit[]";
    vectors: "int2vector" "oidvector";
}

/// Contexts as PostgreSQL 18.6 gave them.
#[test]
fn json_errors_show_where() {
    for (text, context) in [
        ("{\"a\":\n  [1,2,3, nope], \"b\":1}", "JSON data, line 2:   [1,2,3, nope..."),
        (
            "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": nope, \"b\":1}",
            "JSON data, line 1: ...aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": nope...",
        ),
        ("[1,2", "JSON data, line 1: [1,2"),
    ] {
        let e = text_in(oid::JSON, -1, text, &IoSettings::default()).unwrap_err();
        assert_eq!(e.fields().context.as_deref(), Some(context), "{text}");
    }
}
