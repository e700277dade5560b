//! Small parts of the shell; the whole of it is tested in `tests/`.

use super::command::{Copy, arguments};
use super::{duration, trim_comments};

#[test]
fn arguments_are_words_and_quoted_texts() {
    assert_eq!(arguments(" a  'b c' d'e''f'g "), ["a", "b c", "de'fg"]);
    assert_eq!(arguments("null '\\n'"), ["null", "\n"]);
    assert_eq!(arguments("\"A b\".c x"), ["\"A b\".c", "x"]);
    assert!(arguments("  ").is_empty());
}

#[test]
fn copy_finds_its_file() {
    let parsed = |text: &str| Copy::parse(text).map(|c| (c.sql, c.file.map(|f| f.display().to_string())));
    let some = |sql: &str, file: Option<&str>| Some((sql.to_owned(), file.map(str::to_owned)));
    assert_eq!(parsed("t from 'a b.csv' csv"), some("COPY t FROM STDIN csv", Some("a b.csv")));
    assert_eq!(parsed("t (a, b) TO x.csv (format csv)"), some("COPY t (a, b) TO STDOUT (format csv)", Some("x.csv")));
    assert_eq!(parsed("(select 1 from t) to stdout"), some("COPY (select 1 from t) TO STDOUT", None));
    assert_eq!(parsed("\"from\" from x"), some("COPY \"from\" FROM STDIN", Some("x")));
    assert_eq!(parsed("t"), None);
    assert_eq!(parsed("t from program 'x'"), None);
}

#[test]
fn times_and_comments() {
    assert_eq!(duration(1.5), "1.500 ms");
    assert_eq!(duration(61_500.0), "61500.000 ms (01:01.500)");
    assert_eq!(duration(3_661_000.0), "3661000.000 ms (01:01:01.000)");
    assert_eq!(trim_comments(" -- x\n\n  select 1"), "select 1");
}
