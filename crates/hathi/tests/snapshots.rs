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
