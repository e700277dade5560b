//! Queries whose plans differ most from how they are written give PostgreSQL's rows, before and after ANALYZE.
//!
//! `planning/record.sh` records the answers.

use std::io::Read;

use hathi::{Database, Session};

const QUERIES: &str = include_str!("planning/queries.sql");
const ANSWERS: &str = include_str!("planning/answers.txt");

/// Parts of a file, each under a line of `-- ` and its name.
fn parts(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let named = |part: &'static str| part.split_once('\n').unwrap_or((part, ""));
    text.strip_prefix("-- ").unwrap().split("\n-- ").map(named).collect()
}

fn copied(session: &mut Session, query: &str) -> String {
    let mut text = String::new();
    let sql = format!("COPY ({}) TO STDOUT", query.trim().trim_end_matches(';'));
    let outcome = session
        .copy_out(&sql)
        .map_err(|e| e.to_string())
        .and_then(|mut out| out.read_to_string(&mut text).map_err(|e| e.to_string()));
    if let Err(e) = outcome {
        return format!("error: {e}");
    }
    text
}

fn check(session: &mut Session) {
    let mut wrong = Vec::new();
    for ((name, query), (answered, answer)) in parts(QUERIES).into_iter().zip(parts(ANSWERS)) {
        assert_eq!(name.split(' ').next(), Some(answered));
        let text = copied(session, query);
        if text.trim_end() != answer.trim_end() {
            wrong.push(format!("{name}: {text}\ninstead of\n{answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn database() -> (Database, Session) {
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    session.batch_execute(include_str!("planning/schema.sql")).unwrap();
    (db, session)
}

#[test]
fn queries_answer_as_postgresql_without_statistics() {
    let (_db, mut session) = database();
    check(&mut session);
}

#[test]
fn queries_answer_as_postgresql_with_statistics() {
    let (_db, mut session) = database();
    session.batch_execute("ANALYZE").unwrap();
    check(&mut session);
}

/// Large tables beside small ones: look-ups by index instead of hashing.
#[test]
fn queries_answer_the_same_whatever_is_large() {
    for large in ["a", "b", "c"] {
        let (_db, mut session) = database();
        // What was looked at when it was large stays large on paper.
        session
            .batch_execute(&format!(
                "INSERT INTO {large} (id) SELECT i FROM generate_series(1000, 60000) i; ANALYZE; DELETE FROM {large} WHERE id >= 1000"
            ))
            .unwrap();
        check(&mut session);
    }
}

#[test]
fn a_sort_larger_than_its_memory_spills_and_is_in_order() {
    let (_db, mut session) = database();
    session.batch_execute("SET work_mem = '64kB'").unwrap();
    let sql = "SELECT i % 1000 AS k, i, CASE WHEN i % 3 = 0 THEN NULL ELSE repeat('x', i % 50) END \
               FROM generate_series(1, 30000) i";
    let spilled = copied(&mut session, &format!("{sql} ORDER BY 1 DESC, 3 NULLS FIRST, 2"));
    session.batch_execute("SET work_mem = '1GB'").unwrap();
    let in_memory = copied(&mut session, &format!("{sql} ORDER BY 1 DESC, 3 NULLS FIRST, 2"));
    assert_eq!(spilled.lines().count(), 30_000);
    assert!(spilled == in_memory, "the same rows in the same order");
    let keys: Vec<i32> = spilled.lines().map(|l| l.split('\t').next().unwrap().parse().unwrap()).collect();
    assert!(keys.is_sorted_by(|a, b| a >= b));
    // The first rows of an order are the same with and without those after them.
    let first = copied(&mut session, &format!("{sql} ORDER BY 1 DESC, 3 NULLS FIRST, 2 LIMIT 25 OFFSET 10"));
    let expected: Vec<&str> = in_memory.lines().skip(10).take(25).collect();
    assert_eq!(first.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn plans_are_shown_as_postgresql_shows_them() {
    let (_db, mut session) = database();
    session.batch_execute("ANALYZE").unwrap();
    let mut wrong = Vec::new();
    for ((name, query), (_, answer)) in
        parts(include_str!("planning/explain.sql")).into_iter().zip(parts(include_str!("planning/explain.txt")))
    {
        let lines: Vec<String> = match session.query(query.trim().trim_end_matches(';'), &[]) {
            Ok(rows) if query.contains("json") => {
                rows.iter().map(|r| String::from_utf8_lossy(r.get::<_, RawText>(0).0).into_owned()).collect()
            }
            Ok(rows) => rows.iter().map(|r| r.get::<_, String>(0)).collect(),
            Err(e) => vec![e.to_string()],
        };
        if lines.join("\n").trim_end() != answer.trim_end() {
            wrong.push(format!("{name}: {}\ninstead of\n{answer}", lines.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let rows = session
        .query("EXPLAIN (ANALYZE, BUFFERS off, TIMING off, SUMMARY off) SELECT count(*) FROM a WHERE x = 1", &[])
        .unwrap();
    let lines: Vec<String> = rows.iter().map(|r| r.get(0)).collect();
    assert!(lines[0].ends_with("(actual rows=1.00 loops=1)"), "{lines:?}");
    assert!(lines[1].contains("Seq Scan on a") && lines[1].ends_with("(actual rows=7.00 loops=1)"), "{lines:?}");
    // Pages are counted, and shown unless one says otherwise, as in PostgreSQL 18.
    let mut pages = |options: &str| {
        let sql = format!("EXPLAIN (ANALYZE{options}) SELECT count(*) FROM a WHERE x = 1");
        let rows = session.query(&sql, &[]).unwrap();
        let lines: Vec<String> = rows.iter().map(|r| r.get(0)).collect();
        lines.into_iter().filter(|l| l.trim_start().starts_with("Buffers: shared hit=")).collect::<Vec<_>>()
    };
    let shown = pages("");
    assert!(shown.len() == 2 && shown[0].trim_start() == shown[1].trim_start(), "{shown:?}");
    assert_eq!(pages(", BUFFERS off"), Vec::<String>::new());
    let e = session.query("EXPLAIN (NONSENSE) SELECT 1", &[]).unwrap_err();
    assert!(e.to_string().ends_with("unrecognized EXPLAIN option \"nonsense\""), "{e}");
}

/// A value's text, whatever its type.
struct RawText<'r>(&'r [u8]);

impl<'r> postgres::types::FromSql<'r> for RawText<'r> {
    fn from_sql(
        _: &postgres::types::Type,
        raw: &'r [u8],
    ) -> std::result::Result<RawText<'r>, Box<dyn std::error::Error + Sync + Send>> {
        Ok(RawText(raw))
    }

    fn accepts(_: &postgres::types::Type) -> bool {
        true
    }
}

#[test]
fn groups_and_joins_larger_than_their_memory_spill() {
    let (_db, mut session) = database();
    session
        .batch_execute(
            "CREATE TABLE l AS SELECT i, i % 7001 AS k, 'row ' || i AS t FROM generate_series(1, 20000) i; \
             CREATE TABLE r AS SELECT i, CASE WHEN i % 13 = 0 THEN NULL ELSE i % 9001 END AS k, 'other ' || i AS t \
             FROM generate_series(1, 15000) i",
        )
        .unwrap();
    for query in [
        "SELECT k, count(*), sum(i), min(t), count(DISTINCT i % 3) FROM l GROUP BY k ORDER BY k",
        "SELECT t, k, max(i) FROM r GROUP BY t, k ORDER BY t, k",
        "SELECT l.i, r.i, l.t, r.t FROM l JOIN r ON l.k = r.k AND l.i < r.i + 9000 ORDER BY 1, 2",
        "SELECT l.i, r.i FROM l LEFT JOIN r ON l.k = r.k ORDER BY 1, 2",
        "SELECT l.i, r.i FROM l FULL JOIN r ON l.k = r.k AND l.i % 2 = 0 ORDER BY 1, 2",
        "SELECT l.i, l.t FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.i <> l.i) ORDER BY 1",
        "SELECT r.i, r.t FROM r WHERE NOT EXISTS (SELECT 1 FROM l WHERE l.k = r.k) ORDER BY 1",
    ] {
        session.batch_execute("SET work_mem = '64kB'").unwrap();
        let spilled = copied(&mut session, query);
        session.batch_execute("SET work_mem = '1GB'").unwrap();
        let in_memory = copied(&mut session, query);
        assert!(in_memory.lines().count() > 1000, "{query}: {in_memory}");
        assert!(spilled == in_memory, "{query}");
    }
}
