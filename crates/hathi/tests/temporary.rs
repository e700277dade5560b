//! Temporary tables belong to their session, and nothing of them outlives it, however it ends; unlogged ones are empty after a crash.

use hathi::{Database, Session};

fn one(session: &mut Session, sql: &str) -> i64 {
    session.query_one(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}")).get(0)
}

const LEFT: &str = "SELECT (SELECT count(*) FROM pg_class WHERE relpersistence = 't')
    + (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'pg\\_temp\\_%')
    + (SELECT count(*) FROM pg_attribute a WHERE attrelid > 16384
        AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = a.attrelid))";

fn fill(session: &mut Session) {
    session
        .batch_execute(
            "CREATE TEMP TABLE t (id int PRIMARY KEY, body text);
             INSERT INTO t SELECT i, repeat('x', 300) FROM generate_series(1, 20000) i",
        )
        .unwrap();
}

#[test]
fn each_session_has_its_own() {
    let db = Database::in_memory().unwrap();
    let mut sessions: Vec<Session> = (0..3).map(|_| db.session().unwrap()).collect();
    for (i, s) in sessions.iter_mut().enumerate() {
        s.batch_execute("CREATE TEMP TABLE mine (n bigint)").unwrap();
        s.execute("INSERT INTO mine VALUES ($1)", &[&(i as i64)]).unwrap();
    }
    for (i, s) in sessions.iter_mut().enumerate() {
        assert_eq!(one(s, "SELECT n FROM mine"), i as i64);
    }
    let name: String = sessions[0]
        .query_one("SELECT nspname::text FROM pg_namespace WHERE oid = pg_my_temp_schema()", &[])
        .unwrap()
        .get(0);
    let refused = sessions[1].query(&format!("SELECT * FROM {name}.mine"), &[]).unwrap_err();
    assert_eq!(refused.state().as_str(), "0A000");
    sessions.truncate(1);
    let mut last = db.session().unwrap();
    assert_eq!(one(&mut last, "SELECT count(*) FROM pg_class WHERE relpersistence = 't'"), 1);
    sessions.clear();
    assert_eq!(one(&mut last, LEFT), 0);
}

#[test]
fn they_write_no_log_and_may_be_larger_than_memory() {
    let dir = tempfile::tempdir().unwrap();
    let db = Database::builder().memory(2 << 20).open(dir.path()).unwrap();
    let mut s = db.session().unwrap();
    let log = || db.runtime().engine().shared().log.end_lsn().0;
    s.batch_execute("CREATE TEMP TABLE warm (a int)").unwrap();
    let before = log();
    fill(&mut s);
    let written = log() - before;
    assert!(written < 64 << 10, "{written} bytes of log");
    s.batch_execute("UPDATE t SET body = body || id").unwrap();
    db.runtime().engine().checkpoint().unwrap();
    assert_eq!(one(&mut s, "SELECT count(*) FROM t WHERE body LIKE 'x%' || id"), 20000);
    assert_eq!(one(&mut s, "SELECT count(*) FROM t WHERE id BETWEEN 5 AND 14"), 10);
    assert!(db.check().unwrap().is_empty());
    drop(s);
    db.runtime().engine().checkpoint().unwrap();
    assert!(db.check().unwrap().is_empty());
    assert_eq!(one(&mut db.session().unwrap(), LEFT), 0);
}

#[test]
fn a_crash_leaves_nothing_of_them_and_empties_unlogged_tables() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let db = Database::builder().background(false).open(dir.path()).unwrap();
    let mut s = db.session().unwrap();
    fill(&mut s);
    s.batch_execute(
        "CREATE TABLE kept (a int); INSERT INTO kept VALUES (1);
         CREATE UNLOGGED TABLE fast (a int PRIMARY KEY); INSERT INTO fast SELECT generate_series(1, 1000)",
    )
    .unwrap();
    db.runtime().engine().checkpoint().unwrap();
    s.batch_execute("INSERT INTO fast VALUES (5000); INSERT INTO kept VALUES (2)").unwrap();
    // What the disk holds now is what a killed process would leave.
    std::fs::create_dir(copy.path().join("wal")).unwrap();
    std::fs::copy(dir.path().join("hathi.data"), copy.path().join("hathi.data")).unwrap();
    for entry in std::fs::read_dir(dir.path().join("wal")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join("wal").join(entry.file_name())).unwrap();
    }
    let again = Database::open(copy.path()).unwrap();
    let mut t = again.session().unwrap();
    assert_eq!(one(&mut t, LEFT), 0);
    assert_eq!(one(&mut t, "SELECT count(*) FROM kept"), 2);
    assert_eq!(one(&mut t, "SELECT count(*) FROM fast"), 0);
    t.batch_execute("INSERT INTO fast VALUES (5000)").unwrap();
    assert_eq!(one(&mut t, "SELECT count(*) FROM fast WHERE a = 5000"), 1);
    fill(&mut t);
    assert!(again.check().unwrap().is_empty());
    // After an orderly end they are as they were.
    drop((s, t));
    db.close().unwrap();
    let db = Database::open(dir.path()).unwrap();
    let mut s = db.session().unwrap();
    assert_eq!(one(&mut s, "SELECT count(*) FROM fast"), 1001);
    assert_eq!(one(&mut s, LEFT), 0);
    assert!(db.check().unwrap().is_empty());
}
