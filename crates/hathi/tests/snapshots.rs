//! What DDL and foreign keys do next to snapshots that are older than they are.

use hathi::{Database, Session};

fn numbers(session: &mut Session, sql: &str) -> Vec<i32> {
    session.query(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}")).iter().map(|r| r.get(0)).collect()
}

fn open() -> (Database, Session, Session) {
    let db = Database::in_memory().unwrap();
    let (mut a, b) = (db.session().unwrap(), db.session().unwrap());
    a.batch_execute(
        "CREATE TABLE t (id int PRIMARY KEY, n int);
         INSERT INTO t SELECT i, i % 100 FROM generate_series(1, 10000) i",
    )
    .unwrap();
    (db, a, b)
}

#[test]
fn an_index_serves_snapshots_from_before_it() {
    let (db, mut old, mut b) = open();
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
    assert_eq!(numbers(&mut old, "SELECT count(*)::int FROM t WHERE n = 7"), [100]);
    b.batch_execute("UPDATE t SET n = n + 1000 WHERE n = 7; UPDATE t SET n = n + 1 WHERE n > 1000").unwrap();
    b.batch_execute("DELETE FROM t WHERE n = 8; INSERT INTO t VALUES (20000, 7); CREATE INDEX t_n ON t (n)").unwrap();
    for n in [7, 8] {
        assert_eq!(numbers(&mut old, &format!("SELECT count(*)::int FROM t WHERE n = {n}")), [100], "{n}");
    }
    assert_eq!(numbers(&mut old, "SELECT count(*)::int FROM t WHERE n > 1000"), [0]);
    assert_eq!(numbers(&mut b, "SELECT id FROM t WHERE n = 7"), [20000]);
    assert_eq!(numbers(&mut b, "SELECT count(*)::int FROM t WHERE n = 1008"), [100]);
    old.batch_execute("COMMIT").unwrap();
    assert_eq!(numbers(&mut old, "SELECT id FROM t WHERE n = 7"), [20000]);
    db.runtime().engine().purge().unwrap();
    assert!(db.check().unwrap().is_empty());
    assert_eq!(numbers(&mut b, "SELECT count(*)::int FROM t WHERE n = 8"), [0]);
    assert_eq!(numbers(&mut b, "SELECT count(*)::int FROM t WHERE n = 9"), [100]);
}

#[test]
fn ddl_in_a_transaction_with_an_old_snapshot_misses_no_row() {
    let (db, mut old, mut b) = open();
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t LIMIT 1").unwrap();
    b.batch_execute("INSERT INTO t VALUES (20000, 7)").unwrap();
    old.batch_execute("CREATE INDEX t_n ON t (n); ALTER TABLE t ADD COLUMN extra text DEFAULT 'x' || random()")
        .unwrap();
    old.batch_execute("COMMIT").unwrap();
    assert_eq!(numbers(&mut b, "SELECT id FROM t WHERE n = 7 AND id > 10000"), [20000]);
    assert_eq!(numbers(&mut b, "SELECT count(*)::int FROM t WHERE extra LIKE 'x%'"), [10001]);
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn a_foreign_key_looks_past_an_old_snapshot() {
    let (db, mut old, mut b) = open();
    b.batch_execute(
        "CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE);
         CREATE TABLE d (id int PRIMARY KEY, t int REFERENCES t)",
    )
    .unwrap();
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t LIMIT 1").unwrap();
    b.batch_execute("INSERT INTO c VALUES (1, 5), (2, 6); INSERT INTO d VALUES (1, 9)").unwrap();
    let e = old.batch_execute("DELETE FROM t WHERE id = 9").unwrap_err();
    assert_eq!(e.state().as_str(), "23503");
    old.batch_execute("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t LIMIT 1").unwrap();
    b.batch_execute("INSERT INTO c VALUES (3, 5)").unwrap();
    // PostgreSQL refuses to delete a row of `c` that the snapshot does not see (40001); either way none is left that refers to nothing.
    let outcome = old.batch_execute("DELETE FROM t WHERE id = 5");
    old.batch_execute(if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" }).unwrap();
    assert_eq!(numbers(&mut b, "SELECT count(*)::int FROM c WHERE NOT EXISTS (SELECT FROM t WHERE t.id = c.t)"), [0]);
    assert!(db.check().unwrap().is_empty());
}

/// A transaction lets others see what it sees, for as long as it runs.
#[test]
fn a_snapshot_is_exported() {
    let db = Database::in_memory().unwrap();
    let (mut one, mut two) = (db.session().unwrap(), db.session().unwrap());
    one.batch_execute("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1)").unwrap();
    one.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").unwrap();
    let name: String = one.query_one("SELECT pg_export_snapshot()", &[]).unwrap().get(0);
    two.batch_execute("INSERT INTO t VALUES (2); UPDATE t SET a = 10 WHERE a = 1").unwrap();
    db.runtime().engine().purge().unwrap();
    let seen = |s: &mut hathi::Session| s.query_one("SELECT sum(a) FROM t", &[]).unwrap().get::<_, i64>(0);
    let state = |s: &mut hathi::Session, sql: &str| s.batch_execute(sql).unwrap_err().state().to_string();
    assert_eq!(seen(&mut two), 12);
    two.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
    two.batch_execute(&format!("SET TRANSACTION SNAPSHOT '{name}'")).unwrap();
    // The one that exported it may end: who imported it keeps it.
    one.batch_execute("COMMIT").unwrap();
    db.runtime().engine().purge().unwrap();
    assert_eq!(seen(&mut two), 1);
    two.batch_execute("COMMIT").unwrap();
    assert_eq!(seen(&mut two), 12);
    two.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
    assert_eq!(state(&mut two, &format!("SET TRANSACTION SNAPSHOT '{name}'")), "42704");
    two.batch_execute("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
    assert_eq!(state(&mut two, "SET TRANSACTION SNAPSHOT 'no such'"), "22023");
    two.batch_execute("ROLLBACK; BEGIN").unwrap();
    assert_eq!(state(&mut two, &format!("SET TRANSACTION SNAPSHOT '{name}'")), "0A000");
    two.batch_execute("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").unwrap();
    assert_eq!(state(&mut two, &format!("SET TRANSACTION SNAPSHOT '{name}'")), "25001");
}

/// Views are there after opening again, and so is what gives identity columns their numbers.
#[test]
fn what_the_catalog_keeps_apart_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    {
        let db = Database::open(dir.path()).unwrap();
        let mut s = db.session().unwrap();
        s.batch_execute(
            "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY, b text); INSERT INTO t (b) VALUES ('x'); \
             CREATE VIEW v AS SELECT a, upper(b) AS c FROM t",
        )
        .unwrap();
        drop(s);
        db.close().unwrap();
    }
    let db = Database::open(dir.path()).unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute("INSERT INTO t (b) VALUES ('y')").unwrap();
    let row = s.query_one("SELECT string_agg(c, ',' ORDER BY a), count(DISTINCT a) FROM v", &[]).unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i64>(1)), ("X,Y", 2));
}

/// Whoever waited for a row looks at it again as it is then: what a column that was dropped still holds is nobody's business.
#[test]
fn rows_with_dropped_columns_are_looked_at_again() {
    let db = Database::in_memory().unwrap();
    let mut first = db.session().unwrap();
    first
        .batch_execute(
            "CREATE TABLE d (a int, b text, c int, e timestamptz);
             INSERT INTO d VALUES (1, 'gone', 1, now());
             ALTER TABLE d DROP COLUMN b, DROP COLUMN e",
        )
        .unwrap();
    for sql in [
        "UPDATE d SET c = c + 10 WHERE a = 1",
        "SELECT a FROM d WHERE c > 0 FOR UPDATE",
        "DELETE FROM d WHERE c < 1000",
    ] {
        first.batch_execute("BEGIN; UPDATE d SET c = c + 1").unwrap();
        let mut second = db.session().unwrap();
        let waiting = std::thread::spawn(move || second.execute(sql, &[]).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(50));
        first.batch_execute("COMMIT").unwrap();
        assert_eq!(waiting.join().unwrap(), 1, "{sql}");
    }
    assert_eq!(first.query_one("SELECT count(*) FROM d", &[]).unwrap().get::<_, i64>(0), 0);
}
