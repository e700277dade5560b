//! Auto-analyze: tables that change are analysed without anybody asking, unless somebody does not want that.

use std::time::{Duration, Instant};

use hathi::{Database, Session};

fn counts(session: &mut Session, table: &str) -> (i64, i64, i64, i64) {
    let sql = "SELECT n_live_tup, n_mod_since_analyze, autoanalyze_count, analyze_count FROM pg_stat_user_tables WHERE relname = $1";
    let row = session.query_one(sql, &[&table]).unwrap();
    (row.get(0), row.get(1), row.get(2), row.get(3))
}

/// Waits until `done` holds.
fn until(session: &mut Session, done: impl Fn(&mut Session) -> bool) {
    let started = Instant::now();
    while !done(session) {
        assert!(started.elapsed() < Duration::from_secs(20), "nothing happened");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn changed_tables_are_analysed() {
    let nap = Some(Duration::from_millis(20));
    let db = Database::builder().auto_analyze(nap).in_memory().unwrap();
    let mut session = db.session().unwrap();
    session
        .batch_execute(
            "CREATE TABLE large (a int); CREATE TABLE small (a int);
             CREATE TABLE off (a int) WITH (autovacuum_enabled = false);
             CREATE TABLE soon (a int) WITH (autovacuum_analyze_threshold = 5);
             INSERT INTO small SELECT generate_series(1, 50);
             INSERT INTO off SELECT generate_series(1, 500);
             INSERT INTO soon SELECT generate_series(1, 6);
             INSERT INTO large SELECT i % 10 FROM generate_series(1, 2000) i",
        )
        .unwrap();
    until(&mut session, |s| counts(s, "large").2 == 1 && counts(s, "soon").2 == 1);
    assert_eq!(counts(&mut session, "large"), (2000, 0, 1, 0));
    assert_eq!(counts(&mut session, "small"), (50, 50, 0, 0));
    assert_eq!(counts(&mut session, "off"), (500, 500, 0, 0));
    let distinct: f32 =
        session.query_one("SELECT n_distinct FROM pg_stats WHERE tablename = 'large'", &[]).unwrap().get(0);
    assert_eq!(distinct, 10.0);
    // A tenth of its rows and fifty more: 250 are enough, none of them too few.
    session.batch_execute("UPDATE large SET a = 3 WHERE a = 1; DELETE FROM large WHERE ctid = ANY (ARRAY(SELECT ctid FROM large LIMIT 50))").unwrap();
    assert_eq!(counts(&mut session, "large"), (1950, 250, 1, 0));
    session.batch_execute("BEGIN; DELETE FROM large; ROLLBACK").unwrap();
    assert_eq!(counts(&mut session, "large").1, 250);
    session.batch_execute("INSERT INTO large VALUES (7)").unwrap();
    until(&mut session, |s| counts(s, "large").2 == 2);
    assert_eq!(counts(&mut session, "large"), (1951, 0, 2, 0));
    session.batch_execute("ANALYZE small").unwrap();
    assert_eq!(counts(&mut session, "small"), (50, 0, 0, 1));
}

#[test]
fn nobody_waits_for_it() {
    let nap = Some(Duration::from_millis(1));
    let dir = tempfile::tempdir().unwrap();
    for round in 0..5 {
        let db = Database::builder().auto_analyze(nap).open(dir.path()).unwrap();
        let mut session = db.session().unwrap();
        session.batch_execute(&format!("CREATE DATABASE d{round}")).unwrap();
        let mut other = db.session_on(&format!("d{round}")).unwrap();
        other
            .batch_execute("CREATE TABLE t AS SELECT i FROM generate_series(1, 20000) i; CREATE TABLE u AS TABLE t")
            .unwrap();
        drop(other);
        // It may be at work there.
        session.batch_execute(&format!("DROP DATABASE d{round}")).unwrap();
        session.batch_execute(&format!("CREATE TABLE t{round} AS SELECT i FROM generate_series(1, 20000) i")).unwrap();
        // Dropped while it may be at work: the directory is free at once.
        drop((db, session));
    }
    assert_eq!(Database::open(dir.path()).unwrap().check().unwrap(), Vec::<String>::new());
}
