//! Rows and enums with a small catalog, against what PostgreSQL 18.6 answered to the same statements.

use super::*;
use crate::io::{TypeKind, builtin_kind};
use crate::oid;

/// `CREATE TYPE t AS (a int, b text, c numeric(4,2), d int[])` and `CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')`.
struct Catalog;
const ROW: Oid = Oid(20000);
const MOOD: Oid = Oid(20001);
const DOMAIN: Oid = Oid(20002);

impl TypeLookup for Catalog {
    fn kind(&self, t: Oid) -> TypeKind {
        match t {
            ROW => TypeKind::Composite {
                fields: vec![
                    (oid::INT4, -1),
                    (oid::TEXT, -1),
                    (oid::NUMERIC, (4 << 16 | 2) + 4),
                    (oid::INT4_ARRAY, -1),
                ],
            },
            MOOD => TypeKind::Enum,
            DOMAIN => TypeKind::Domain { base: oid::NUMERIC, typmod: (4 << 16 | 2) + 4 },
            t => builtin_kind(t),
        }
    }
    fn type_name(&self, t: Oid) -> String {
        if t == MOOD { "mood".into() } else { "t".into() }
    }
    fn enum_value(&self, _: Oid, label: &str) -> Option<Oid> {
        // Order and OIDs differ, as after ALTER TYPE ... ADD VALUE ... BEFORE.
        Some(Oid(match label {
            "sad" => 30002,
            "ok" => 30001,
            "happy" => 30003,
            _ => return None,
        }))
    }
    fn enum_label(&self, v: Oid) -> Option<String> {
        Some(["ok", "sad", "happy"].get(v.0.checked_sub(30001)? as usize)?.to_string())
    }
    fn enum_order(&self, v: Oid) -> f32 {
        [2.0, 1.0, 3.0][(v.0 - 30001) as usize]
    }
}

fn through(t: Oid, text: &str) -> Result<String, String> {
    let s = IoSettings::default();
    let say = |e: SqlError| format!("{} {} {}", e.state(), e.message(), e.fields().detail.clone().unwrap_or_default());
    let d = text_in_with(t, -1, text, &s, &Catalog).map_err(say)?;
    let mut binary = Vec::new();
    binary_out_with(t, &d, &Catalog, &mut binary).map_err(say)?;
    assert_eq!(binary_in_with(t, -1, &binary, &Catalog).map_err(say)?, d, "binary form of {text}");
    let mut out = Vec::new();
    text_out_with(t, &d, &s, &Catalog, &mut out).map_err(say)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn rows() {
    for (text, shown) in [
        ("(1,a,2.345,\"{1,2}\")", "(1,a,2.35,\"{1,2}\")"),
        (" (,,,) ", "(,,,)"),
        ("(1,\"\",,)", "(1,\"\",,)"),
        ("(1,\"a\"\"b\\\\c\",,)", "(1,\"a\"\"b\\\\c\",,)"),
        ("(1, x y ,,)", "(1,\" x y \",,)"),
    ] {
        assert_eq!(through(ROW, text).as_deref(), Ok(shown), "{text}");
    }
    for (text, detail) in [
        ("1,2", "Missing left parenthesis."),
        ("(1,a)", "Too few columns."),
        ("(1,a,1,{},5)", "Too many columns."),
        ("(1,a,1,{}", "Unexpected end of input."),
        ("(1,a,1,{})x", "Junk after right parenthesis."),
    ] {
        let expected = format!("22P02 malformed record literal: \"{text}\" {detail}");
        assert_eq!(through(ROW, text), Err(expected), "{text}");
    }
}

#[test]
fn enums_and_domains() {
    assert_eq!(through(MOOD, "sad").as_deref(), Ok("sad"));
    assert_eq!(through(MOOD, "Sad"), Err("22P02 invalid input value for enum mood: \"Sad\" ".into()));
    assert_eq!(through(DOMAIN, "1.005").as_deref(), Ok("1.01"));
    let (sad, ok) = (Datum::U32(30002), Datum::U32(30001));
    assert_eq!(compare_with(MOOD, &sad, &ok, &Catalog), Ordering::Less);
    let key = |d: &Datum| {
        let mut k = Vec::new();
        crate::sortkey::encode_key_with(&mut k, MOOD, d, false, false, &Catalog).unwrap();
        k
    };
    assert!(key(&sad) < key(&ok));
    let (a, b) =
        (Datum::from(crate::numeric::Numeric::small(10, 1)), Datum::from(crate::numeric::Numeric::small(100, 2)));
    assert_eq!(compare_with(DOMAIN, &a, &b, &Catalog), Ordering::Equal);
}
