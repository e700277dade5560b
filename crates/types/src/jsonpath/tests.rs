//! Paths, against what PostgreSQL 18.6 says of the same texts.

use super::*;

fn canonical(text: &str) -> String {
    match Path::parse(text) {
        Ok(path) => {
            let mut out = Vec::new();
            path.format(&mut out);
            String::from_utf8(out).unwrap_or_default()
        }
        Err(e) => format!("ERROR:  {}", e.message()),
    }
}

/// Text, and what PostgreSQL shows for it.
const RECORDED: &[(&str, &str)] = &[
    (r#"$.a foo"#, r#"ERROR:  syntax error at end of jsonpath input"#),
    (r#"$.a foo.b"#, r#"ERROR:  syntax error at end of jsonpath input"#),
    (r#"$.a foo bar"#, r#"ERROR:  syntax error at or near " " of jsonpath input"#),
    (r#"1e"#, r#"ERROR:  trailing junk after numeric literal at or near "1e" of jsonpath input"#),
    (r#"00"#, r#"ERROR:  trailing junk after numeric literal at or near "00" of jsonpath input"#),
    (r#"$.1a"#, r#"ERROR:  trailing junk after numeric literal at or near ".1a" of jsonpath input"#),
    (r#"$ ? (a == 1)"#, r#"ERROR:  syntax error at or near " " of jsonpath input"#),
    (r#"wrong"#, r#"ERROR:  syntax error at end of jsonpath input"#),
    (r#"wrong.a"#, r#"ERROR:  syntax error at end of jsonpath input"#),
    (r#"$ ? (@.a like_regex "a" flag "z")"#, r#"ERROR:  invalid input syntax for type jsonpath"#),
    (r#"$ ? ("#, r#"ERROR:  syntax error at end of jsonpath input"#),
    (r#""abc"#, r#"ERROR:  unterminated quoted string at end of jsonpath input"#),
    (r#"$.a ? (@ == (1 + 2) * 3 - -1)"#, r#"$."a"?(@ == (1 + 2) * 3 - -1)"#),
    (r#"-1.5.abs()"#, r#"(-(1.5).abs())"#),
    (r#"(-$.a + 1).type()"#, r#"(-$."a" + 1).type()"#),
    (r#"-(-1)"#, r#"1"#),
    (r#"- $.a like_regex "x""#, r#"((-$."a") like_regex "x")"#),
    (r#"($.a == 1) is unknown"#, r#"($."a" == 1) is unknown"#),
    (r#"$.**{2 to last}.**{last}"#, r#"$.**{2 to last}.**{last}"#),
    (r#"$[1, 2 to last - 1]"#, r#"$[1,2 to last - 1]"#),
    (r#"@"#, r#"ERROR:  @ is not allowed in root expressions"#),
    (r#"last"#, r#"ERROR:  LAST is allowed only in array subscripts"#),
    (r#"$.a[last].b ? (last == 1)"#, r#"ERROR:  LAST is allowed only in array subscripts"#),
    (r#"$.a == 1 == 2"#, r#"ERROR:  syntax error at or near "==" of jsonpath input"#),
    (r#"!$.a"#, r#"ERROR:  syntax error at or near "$" of jsonpath input"#),
    (r#"exists ($.a).b"#, r#"ERROR:  syntax error at or near "." of jsonpath input"#),
    (r#""#, r#"ERROR:  invalid input syntax for type jsonpath: """#),
    (r#" "#, r#"ERROR:  invalid input syntax for type jsonpath: " ""#),
    (r#"lax"#, r#"ERROR:  syntax error at end of jsonpath input"#),
    (r#"$.a+"#, r#"ERROR:  syntax error at end of jsonpath input"#),
    (r#"$.a\u0041b."\u0042" /* c */ . c"#, r#"$."aAb"."B"."c""#),
    (r#"$.decimal(1,2,3)"#, r#"ERROR:  invalid input syntax for type jsonpath"#),
    (r#"$.foo(1)"#, r#"ERROR:  syntax error at or near "(" of jsonpath input"#),
    (r#"1_000 + 0x1F + 0b11 + 1_0.5_0e1_0"#, r#"(((1000 + 31) + 3) + 105000000000)"#),
    (r#"1__0"#, r#"ERROR:  syntax error at end of jsonpath input"#),
    (r#"0xZ"#, r#"ERROR:  syntax error at end of jsonpath input"#),
    (r#"1.type()"#, r#"ERROR:  trailing junk after numeric literal at or near "1.t" of jsonpath input"#),
    (r#""\x4""#, r#"ERROR:  invalid hexadecimal character sequence at or near "\x4" of jsonpath input"#),
    (r#""\u00""#, r#"ERROR:  invalid Unicode escape sequence at or near "\u00" of jsonpath input"#),
    (r#""\ud83d""#, r#"ERROR:  invalid input syntax for type jsonpath"#),
    (r#""\u0000""#, r#"ERROR:  unsupported Unicode escape sequence"#),
    (r#"\"#, r#"ERROR:  unexpected end after backslash at or near "\" of jsonpath input"#),
    (r#"$ /* abc"#, r#"ERROR:  unexpected end of comment at end of jsonpath input"#),
    (
        r#"$ ? (@ like_regex "a" flag "x")"#,
        r#"ERROR:  XQuery "x" flag (expanded regular expressions) is not implemented"#,
    ),
    (r#"$ ? (@ like_regex "a" flag "xq")"#, r#"$?(@ like_regex "a" flag "xq")"#),
    (
        r#"($.a == 1 && $.b == 2) || !($.c == 3) && exists($.d)"#,
        r#"($."a" == 1 && $."b" == 2 || !($."c" == 3) && exists ($."d"))"#,
    ),
    (r#"1 + 2 - 3 - (4 - 5)"#, r#"(((1 + 2) - 3) - (4 - 5))"#),
    (r#"null.a"#, r#"null."a""#),
    (
        r#"$.time(3).timestamp_tz(2).decimal(-1,+2).datetime("HH24")"#,
        r#"$.time(3).timestamp_tz(2).decimal(-1,2).datetime("HH24")"#,
    ),
    (r#"$.a ~ 1"#, r#"ERROR:  syntax error at or near " " of jsonpath input"#),
    (r#"$"a b" + $foo"#, r#"($"a b" + $"foo")"#),
];

#[test]
fn paths_are_read_and_written_as_postgres_does() {
    for (text, expected) in RECORDED {
        assert_eq!(canonical(text), *expected, "{text}");
    }
}

#[test]
fn canonical_text_reads_back_as_the_same_path() {
    for (text, _) in RECORDED {
        if let Ok(path) = Path::parse(text) {
            assert_eq!(Path::parse(&canonical(text)).ok(), Some(path), "{text}");
        }
    }
}

#[test]
fn deep_and_long_paths_are_refused() {
    for text in ["(".repeat(100_000), "-".repeat(100_000) + "1", "$".to_owned() + &".a".repeat(100_000)] {
        assert!(Path::parse(&text).is_err());
    }
}
