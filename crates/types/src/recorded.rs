//! Reads the vectors that `testdata/record.py` recorded from a real PostgreSQL.

use std::path::Path;

use crate::io::{ByteaOutput, IoSettings, builtin_name};
use crate::oid::{self, Oid};

use crate::datetime::{DateOrder, DateStyle, IntervalStyle, zone};

/// The lines of a recorded file as unescaped fields; `None` is NULL.
pub(crate) fn rows(file: &str) -> Vec<Vec<Option<String>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines().map(|l| l.split('\t').map(unescape).collect()).collect()
}

fn unescape(field: &str) -> Option<String> {
    if field == "\\N" {
        return None;
    }
    let mut out = String::new();
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('b') => '\x08',
                Some('f') => '\x0c',
                Some('v') => '\x0b',
                Some(c) => c,
                None => '\\',
            },
            c => c,
        });
    }
    Some(out)
}

/// The type a recorded name means.
pub(crate) fn type_named(name: &str) -> Oid {
    if let Some(element) = name.strip_suffix("[]") {
        let element = type_named(element);
        return oid::ARRAY_TYPES.iter().find(|(e, _)| *e == element).expect("a built-in array type").1;
    }
    match name {
        "bool" => oid::BOOL,
        "int2" => oid::INT2,
        "int4" => oid::INT4,
        "int8" => oid::INT8,
        "float4" => oid::FLOAT4,
        "float8" => oid::FLOAT8,
        "char" => oid::CHAR,
        "varchar" => oid::VARCHAR,
        "bpchar" => oid::BPCHAR,
        "varbit" => oid::VARBIT,
        "time" => oid::TIME,
        "timetz" => oid::TIMETZ,
        "timestamp" => oid::TIMESTAMP,
        "timestamptz" => oid::TIMESTAMPTZ,
        _ => {
            let known = oid::ARRAY_TYPES.iter().map(|(e, _)| *e);
            known.into_iter().find(|t| builtin_name(*t) == Some(name)).expect("a built-in type")
        }
    }
}

/// The settings of `name=value;…` over PostgreSQL's defaults.
pub(crate) fn settings(text: &str) -> IoSettings {
    let mut s = IoSettings::default();
    for (name, value) in text.split(';').filter_map(|kv| kv.split_once('=')) {
        match name {
            "datestyle" => {
                let (style, order) = value.split_once(", ").expect("style and order");
                s.date_style = match style {
                    "ISO" => DateStyle::Iso,
                    "SQL" => DateStyle::Sql,
                    "Postgres" => DateStyle::Postgres,
                    _ => DateStyle::German,
                };
                s.date_order = match order {
                    "MDY" => DateOrder::Mdy,
                    "DMY" => DateOrder::Dmy,
                    _ => DateOrder::Ymd,
                };
            }
            "intervalstyle" => {
                s.interval_style = match value {
                    "postgres" => IntervalStyle::Postgres,
                    "postgres_verbose" => IntervalStyle::PostgresVerbose,
                    "sql_standard" => IntervalStyle::SqlStandard,
                    _ => IntervalStyle::Iso8601,
                }
            }
            "timezone" => s.time_zone = zone::find(value).expect("a time zone"),
            "extra_float_digits" => s.extra_float_digits = value.parse().expect("a number"),
            "bytea_output" => s.bytea_output = ByteaOutput::Escape,
            other => panic!("setting {other}"),
        }
    }
    s
}

/// Fails with the first of `failures`, if any.
pub(crate) fn report(what: &str, total: usize, failures: &[String]) {
    assert!(total > 0, "no vectors for {what}");
    let shown = failures.iter().take(60).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{what}: {} of {total} differ\n{shown}", failures.len());
}
