//! The eighteen speed tests in the library, tables and answers compared with SQLite's after each; and what the twelve round trips do.

use bench_scripts::speedtest::{NAMES, in_words, tests};
use hathi::{Database, Session};
use rusqlite::Connection;

const TABLES: [&str; 5] = ["t1", "t2", "t2_1", "t3", "t3_1"];

/// What is in a table, in numbers; nothing when there is no such table.
fn of_hathi(session: &mut Session, sql: &str) -> Option<Vec<i64>> {
    let rows = session.query(sql, &[]).ok()?;
    Some(rows.iter().flat_map(|r| (0..r.len()).map(|c| r.get::<_, i64>(c)).collect::<Vec<_>>()).collect())
}

fn of_sqlite(connection: &Connection, sql: &str) -> Option<Vec<i64>> {
    let mut statement = connection.prepare(sql).ok()?;
    let columns = statement.column_count();
    let rows = statement.query_map((), |row| (0..columns).map(|c| row.get::<_, i64>(c)).collect::<Result<Vec<_>, _>>());
    Some(rows.ok()?.map(|r| r.expect("a row")).collect::<Vec<_>>().concat())
}

fn compare(session: &mut Session, sqlite: &Connection, when: &str) -> usize {
    let mut there = 0;
    for table in TABLES {
        let sums = format!(
            "SELECT count(*), coalesce(CAST(sum(a) AS bigint), 0), coalesce(CAST(sum(b) AS bigint), 0), \
             coalesce(sum(length(c)), 0), coalesce(min(a), 0), coalesce(CAST(max(b) AS bigint), 0) FROM {table}"
        )
        .replace("coalesce(min(a), 0)", "CAST(coalesce(min(a), 0) AS bigint)");
        let (ours, theirs) = (of_hathi(session, &sums), of_sqlite(sqlite, &sums));
        assert_eq!(ours, theirs, "{table} after {when}");
        there += usize::from(ours.is_some());
    }
    there
}

fn run(db: &Database, rows: usize) {
    let mut session = db.session().expect("a session");
    let sqlite = Connection::open_in_memory().expect("SQLite");
    let all = tests(rows);
    assert_eq!(all.iter().map(|t| t.names).collect::<Vec<_>>(), NAMES);
    let (mut answers, mut there) = (0, 0);
    for test in &all {
        for sql in &test.statements {
            if sql.starts_with("SELECT") {
                let counted = sql.replace("avg(b)", "CAST(coalesce(sum(b), 0) AS bigint)");
                let ours = of_hathi(&mut session, &counted);
                assert_eq!(ours, of_sqlite(&sqlite, &counted), "{counted}");
                answers += usize::from(ours.is_some_and(|a| a[0] > 0));
            } else {
                session.batch_execute(sql).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
                sqlite.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
            }
        }
        there += compare(&mut session, &sqlite, test.names[0]);
    }
    assert!(answers > rows / 25, "{answers} answers are not empty");
    assert_eq!(there, 1 + 2 + 3 + 4 + 13 * 5, "tables seen over all tests");
    assert!(db.check().expect("a check").is_empty());
}

#[test]
fn speedtests_in_memory_agree_with_sqlite() {
    run(&Database::in_memory().expect("a database"), 2500);
}

#[test]
fn speedtests_on_disk_agree_with_sqlite() {
    let dir = tempfile::tempdir().expect("a directory");
    run(&Database::open(dir.path()).expect("a database"), 1250);
}

#[test]
fn numbers_are_spelled() {
    assert_eq!(in_words(13_153), "thirteen thousand one hundred fifty three");
    assert_eq!(in_words(298_361), "two hundred ninety eight thousand three hundred sixty one");
    assert_eq!(
        [0, 20, 100, 1000, 40_000].map(in_words),
        ["zero", "twenty", "one hundred", "one thousand", "forty thousand"]
    );
}

/// Insert, select, update, delete of a small row, of 1 kB and of 10 kB, prepared and from text.
#[test]
fn round_trips_change_what_they_say() {
    let dir = tempfile::tempdir().expect("a directory");
    for db in [Database::in_memory().expect("in memory"), Database::open(dir.path()).expect("on disk")] {
        let mut s = db.session().expect("a session");
        s.batch_execute("CREATE TABLE rtt (id INTEGER PRIMARY KEY, name TEXT)").expect("a table");
        let mut insert = s.prepare("INSERT INTO rtt VALUES ($1, $2)").expect("prepared");
        let mut select = s.prepare("SELECT name FROM rtt WHERE id = $1").expect("prepared");
        let mut update = s.prepare("UPDATE rtt SET name = $2 WHERE id = $1").expect("prepared");
        let mut delete = s.prepare("DELETE FROM rtt WHERE id = $1").expect("prepared");
        for bytes in [11, 1000, 10_000] {
            for id in 0..100i32 {
                let (name, other) = ("é".repeat(bytes / 2) + &id.to_string(), "ü".repeat(bytes / 2));
                assert_eq!(s.execute_prepared(&mut insert, &[&id, &name]).expect("insert"), 1);
                let rows = s.query_prepared(&mut select, &[&id]).expect("select");
                assert_eq!(rows.iter().map(|r| r.get::<_, &str>(0)).collect::<Vec<_>>(), [name.as_str()]);
                assert_eq!(s.execute_prepared(&mut update, &[&id, &other]).expect("update"), 1);
                let rows = s.query("SELECT name FROM rtt WHERE id = $1", &[&id]).expect("select");
                assert_eq!(rows.iter().map(|r| r.get::<_, &str>(0)).collect::<Vec<_>>(), [other.as_str()]);
                assert_eq!(s.execute_prepared(&mut delete, &[&id]).expect("delete"), 1);
                assert!(s.query_prepared(&mut select, &[&id]).expect("select").is_empty());
                assert_eq!(s.execute_prepared(&mut delete, &[&id]).expect("delete"), 0);
            }
        }
        assert!(db.check().expect("a check").is_empty());
    }
}
