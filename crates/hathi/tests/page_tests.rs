//! Conditions that are tested on pages answer as the same conditions do that are computed from rows.

use hathi::{Database, Session};

/// Columns: their types, what they hold in row `i`, and values to compare with: some that are there, some beyond, some beyond the type.
const COLUMNS: &[(&str, &str, &[&str])] = &[
    ("int2", "i % 7 - 3", &["0", "-3", "3", "4", "100000", "-100000", "2147483648", "NULL"]),
    ("int4", "i - 100", &["0", "-99", "100", "2147483647", "-2147483648", "9223372036854775807", "NULL"]),
    ("int8", "i * 3000000000", &["3000000000", "0", "600000000000", "9223372036854775807", "1", "NULL"]),
    ("oid", "4294967295 - i", &["4294967290::oid", "0::oid", "4294967295::oid"]),
    ("float4", "i / 4.0", &["1.5::float4", "0.1::float8", "'NaN'::float4", "'-Infinity'::float8", "25::float8"]),
    (
        "float8",
        "CASE i % 50 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' ELSE i / 8.0 END",
        &["0::float8", "'NaN'::float8", "2.5::float8"],
    ),
    ("date", "date '2000-01-01' + i", &["date '2000-02-01'", "date 'infinity'", "date '1999-01-01'"]),
    (
        "date",
        "CASE i % 40 WHEN 0 THEN date 'infinity' WHEN 1 THEN '-infinity' WHEN 2 THEN '5874897-12-31' ELSE date '2000-01-01' + i - 90 END",
        &[
            "timestamp '2000-02-01'",
            "timestamp '2000-01-01 12:00'",
            "timestamp '1999-11-30 23:59:59.999999'",
            "timestamp 'infinity'",
            "timestamp '-infinity'",
            "timestamp '294276-12-31'",
        ],
    ),
    (
        "numeric(6,2)",
        "CASE i % 40 WHEN 0 THEN 'NaN' ELSE i / 4.0 - 20 END",
        &[
            "5.25",
            "0",
            "-3",
            "1.005",
            "-1.005",
            "'NaN'::numeric",
            "'Infinity'::numeric",
            "'-Infinity'::numeric",
            "1e30",
            "-1e30",
            "0.00000000000000000000000000001",
            "9223372036854775807",
            "92233720368547758.07",
            "-92233720368547758.08",
        ],
    ),
    (
        "timestamp",
        "timestamp '2000-01-01' + i * interval '1 hour'",
        &["timestamp '2000-01-03'", "timestamp '-infinity'"],
    ),
    ("text", "'c' || i % 13", &["'c1'", "'c12'", "''", "'a text too long for a view'"]),
    ("char(3)", "i % 11", &["'1'", "'10'", "'1  '", "'abcd'"]),
];

/// What of `t` satisfies `condition`.
fn passing(session: &mut Session, condition: &str) -> (i64, Option<i64>) {
    let row = session.query_one(&format!("SELECT count(*), sum(id) FROM t WHERE {condition}"), &[]).unwrap();
    (row.get(0), row.get(1))
}

#[test]
fn pages_answer_as_rows_do() {
    let db = Database::in_memory().unwrap();
    let mut s = db.session().unwrap();
    let types: Vec<String> = COLUMNS.iter().enumerate().map(|(i, c)| format!("c{i} {}", c.0)).collect();
    // Some NULLs, in other rows of each column.
    let values = COLUMNS
        .iter()
        .enumerate()
        .map(|(i, c)| format!("CASE WHEN i % {} = 0 THEN NULL ELSE ({})::{} END", 9 + i, c.1, c.0));
    let values: Vec<String> = values.collect();
    s.batch_execute(&format!(
        "CREATE TABLE t (id int, yes bool, {}); \
         INSERT INTO t SELECT i, nullif(i % 3, 2)::bool, {} FROM generate_series(1, 200) i; DELETE FROM t WHERE id % 17 = 0",
        types.join(", "),
        values.join(", ")
    ))
    .unwrap();
    let mut conditions: Vec<String> =
        ["yes", "NOT yes", "yes IS NULL", "yes IS NOT NULL", "c0 IS NULL AND c1 > 0"].map(str::to_owned).into();
    for (i, (_, _, values)) in COLUMNS.iter().enumerate() {
        for value in *values {
            for sign in ["=", "<>", "<", "<=", ">", ">="] {
                conditions.push(format!("c{i} {sign} {value}"));
                conditions.push(format!("{value} {sign} c{i}"));
                conditions.push(format!("yes AND c{i} {sign} {value}"));
            }
        }
        let known: Vec<&str> = values.iter().copied().filter(|v| *v != "NULL").collect();
        conditions.push(format!("c{i} IN ({})", known.join(", ")));
        conditions.push(format!("c{i} NOT IN ({})", known.join(", ")));
        conditions.push(format!("c{i} IS NOT NULL AND c{i} IN ({})", values.join(", ")));
    }
    for list in ["'{}'", "'{NULL}'", "'{1,2}'", "'{1,NULL}'"] {
        conditions.extend(["= ANY", "<> ALL", "<> ANY", "= ALL"].map(|test| format!("c1 {test} ({list}::int[])")));
        conditions.extend(["= ANY", "<> ALL"].map(|test| format!("c10 {test} ({list}::text[])")));
    }
    let mut found = 0;
    for condition in &conditions {
        // No page knows what CASE is.
        let computed = passing(&mut s, &format!("CASE WHEN {condition} THEN true END"));
        assert_eq!(passing(&mut s, condition), computed, "{condition}");
        found += usize::from(computed.0 > 0);
    }
    assert!(found > conditions.len() / 3, "{found} of {} are true of any row", conditions.len());
}
