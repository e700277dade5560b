//! Sessions share what statements mean: who runs what another has run plans nothing and compiles nothing; and nobody runs what is no longer so,
//! or what it may not.

use hathi::{Database, Session};
use postgres_types::ToSql;

fn database() -> Database {
    let db = Database::in_memory().unwrap();
    let setup = "CREATE TABLE t (id int PRIMARY KEY, n int, s text); INSERT INTO t SELECT i, i * 2, 'x' || i FROM generate_series(1, 100) i;
        CREATE SCHEMA other; CREATE TABLE other.t (id int PRIMARY KEY, n int); INSERT INTO other.t VALUES (1, -1);
        CREATE VIEW seen AS SELECT id, n FROM t; CREATE ROLE anna LOGIN";
    db.session().unwrap().batch_execute(setup).unwrap();
    db
}

/// Statements planned and programs compiled while `f` ran.
fn work<T>(db: &Database, f: impl FnOnce() -> T) -> (T, u64, i64) {
    let compiled = |db: &Database| {
        db.session().unwrap().query_one("SELECT programs FROM hathi_jit", &[]).unwrap().get::<_, i64>(0)
    };
    let before = (compiled(db), db.runtime().statement_counts().planned);
    let outcome = f();
    let planned = db.runtime().statement_counts().planned - before.1;
    (outcome, planned, compiled(db) - before.0)
}

fn numbers(session: &mut Session, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Vec<i32> {
    session.query(sql, params).unwrap().iter().map(|r| r.get(0)).collect()
}

#[test]
fn a_second_session_plans_and_compiles_nothing() {
    let db = database();
    let prepared = "SELECT n FROM t WHERE (n + 1) * 2 > $1 AND n % 7 = 3 AND id < 40 ORDER BY n";
    let texts = [
        "SELECT n FROM t WHERE id = 7",
        "SELECT a.n FROM t a JOIN t b ON a.id = b.n WHERE a.n * 3 + b.n < 100 ORDER BY 1",
        "WITH w AS (SELECT id FROM t WHERE n > 150) SELECT count(*) FROM w",
        "UPDATE t SET s = 'y' WHERE id = 3",
    ];
    let run = |session: &mut Session| {
        let found = numbers(session, prepared, &[&50i32]);
        texts.iter().for_each(|sql| session.batch_execute(sql).unwrap());
        session.batch_execute("PREPARE p AS SELECT s FROM t WHERE n + 2 * id > 390; EXECUTE p").unwrap();
        session.batch_execute("PREPARE q AS SELECT s FROM t WHERE n + 2 * id > 395; EXECUTE q").unwrap();
        found
    };
    let mut first = db.session().unwrap();
    let expected = run(&mut first);
    assert_eq!(expected, (13..40).map(|i| i * 2).filter(|n| n % 7 == 3).collect::<Vec<_>>());
    run_again(&mut first, &texts);
    let mut second = db.session().unwrap();
    let (found, planned, compiled) = work(&db, || run(&mut second));
    assert_eq!((found, planned, compiled), (expected, 0, 0));
    let rows =
        db.session().unwrap().query("SELECT query, hits FROM hathi_statement_cache WHERE kind = 'prepared'", &[]);
    let rows = rows.unwrap();
    assert!(rows.iter().any(|r| r.get::<_, &str>(0) == prepared && r.get::<_, i64>(1) == 1), "{rows:?}");
}

/// What comes once only is not kept.
fn run_again(session: &mut Session, texts: &[&str]) {
    texts.iter().for_each(|sql| session.batch_execute(sql).unwrap());
}

#[test]
fn what_a_text_means_depends_on_who_asks() {
    let db = database();
    let sql = "SELECT n FROM t WHERE id = 1";
    let (mut one, mut two) = (db.session().unwrap(), db.session().unwrap());
    two.batch_execute("SET search_path = other").unwrap();
    for _ in 0..3 {
        assert_eq!(numbers(&mut one, sql, &[]), [2]);
        assert_eq!(numbers(&mut two, sql, &[]), [-1]);
    }
    // A table of one's own goes before.
    let mut three = db.session().unwrap();
    three.batch_execute("CREATE TEMP TABLE t AS SELECT 1 AS id, 5 AS n").unwrap();
    assert_eq!(numbers(&mut three, sql, &[]), [5]);
    assert_eq!(numbers(&mut one, sql, &[]), [2]);
    // So does one that is not committed.
    two.batch_execute("BEGIN; ALTER TABLE other.t RENAME TO u; CREATE TABLE other.t AS SELECT 1 AS id, 9 AS n")
        .unwrap();
    assert_eq!(numbers(&mut two, sql, &[]), [9]);
    let mut four = db.session().unwrap();
    two.batch_execute("ROLLBACK").unwrap();
    four.batch_execute("SET search_path = other").unwrap();
    assert_eq!(numbers(&mut four, sql, &[]), [-1]);
    // The same text, with parameters of other types.
    let twice = |s: &mut Session| s.query_one("SELECT pg_typeof($1 + 1)::text", &[&1i32]).unwrap().get::<_, String>(0);
    assert_eq!(twice(&mut one), "integer");
    one.batch_execute("PREPARE p(bigint) AS SELECT pg_typeof($1 + 1)").unwrap();
    assert_eq!(one.query_one("EXECUTE p(1)", &[]).unwrap().len(), 1);
    // A setting that a literal is read by.
    let day = "SELECT extract(day FROM date '01/02/2000')::int";
    assert_eq!(numbers(&mut one, day, &[]), [2]);
    two.batch_execute("SET datestyle = 'ISO, DMY'").unwrap();
    assert_eq!(numbers(&mut two, day, &[]), [1]);
}

#[test]
fn a_changed_table_is_planned_for_anew() {
    let db = database();
    let (mut one, mut two) = (db.session().unwrap(), db.session().unwrap());
    let sql = "SELECT n FROM t WHERE id = 1";
    assert_eq!((numbers(&mut one, sql, &[]), numbers(&mut two, sql, &[])), (vec![2], vec![2]));
    two.batch_execute("DROP VIEW seen; ALTER TABLE t DROP COLUMN n; ALTER TABLE t ADD COLUMN n int DEFAULT 7").unwrap();
    assert_eq!((numbers(&mut one, sql, &[]), numbers(&mut two, sql, &[])), (vec![7], vec![7]));
    // What is planned for a few rows is not kept for many.
    let text = "SELECT count(*)::int FROM t a, t b WHERE a.id = b.id";
    for _ in 0..3 {
        one.batch_execute(text).unwrap();
    }
    two.batch_execute(
        "INSERT INTO t SELECT i, 'a row of some length to fill the pages', 1 FROM generate_series(101, 40000) i",
    )
    .unwrap();
    let ((), planned, _) = work(&db, || one.batch_execute(text).unwrap());
    assert_ne!(planned, 0);
}

#[test]
fn rights_are_those_of_who_runs_it() {
    let db = database();
    let mut owner = db.session().unwrap();
    owner.batch_execute("CREATE ROLE readers; GRANT SELECT ON seen TO readers; GRANT readers TO anna").unwrap();
    let sql = "SELECT count(n)::int FROM seen";
    let mut anna = db.session_as("postgres", "anna").unwrap();
    for _ in 0..3 {
        assert_eq!(numbers(&mut owner, sql, &[]), [100]);
        assert_eq!(numbers(&mut anna, sql, &[]), [100]);
        anna.batch_execute(sql).unwrap();
    }
    // Membership is no part of this database's catalog.
    owner.batch_execute("REVOKE readers FROM anna").unwrap();
    let mut again = db.session_as("postgres", "anna").unwrap();
    for session in [&mut anna, &mut again] {
        let error = session.query(sql, &[]).map(|_| ()).unwrap_err();
        assert_eq!((error.state().as_str(), error.message()), ("42501", "permission denied for view seen"));
        let error = session.batch_execute(sql).unwrap_err();
        assert_eq!((error.state().as_str(), error.message()), ("42501", "permission denied for view seen"));
    }
    // Nor does she see what others ask.
    owner.batch_execute("SELECT 'secret', id FROM t; SELECT 'secret', id FROM t").unwrap();
    numbers(&mut owner, "SELECT n FROM t WHERE s <> 'secret' LIMIT 1", &[]);
    let shown =
        "SELECT count(*)::int FROM hathi_statement_cache WHERE query LIKE '%secret%' AND query NOT LIKE '%hathi%'";
    assert_eq!(numbers(&mut anna, shown, &[]), [0]);
    assert_eq!(numbers(&mut owner, shown, &[]), [1]);
}

#[test]
fn the_time_is_not_kept() {
    let db = database();
    let (mut one, mut two) = (db.session().unwrap(), db.session().unwrap());
    for time in ["timestamptz 'now'", "current_timestamp", "now()", "localtimestamp", "' NOW '::timestamp"] {
        let sql = format!("SELECT extract(epoch FROM {time})::float8");
        let mut last = 0.0;
        for i in 0..6 {
            let session = if i % 2 == 0 { &mut one } else { &mut two };
            let now: f64 = session.query_one(&sql, &[]).unwrap().get(0);
            assert!(now > last, "{time}: {now} {last}");
            last = now;
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

#[test]
fn the_least_recently_used_give_way() {
    let db = database();
    let mut session = db.session().unwrap();
    let keep = "SELECT n + 0 FROM t WHERE id = $1";
    for i in 0..3000 {
        session.query(&format!("SELECT n + {i} + $1 FROM t WHERE id = 1"), &[&1i32]).unwrap();
        if i % 500 == 0 {
            numbers(&mut session, keep, &[&1i32]);
        }
    }
    let rows = session.query_one(
        "SELECT count(*)::int, count(*) FILTER (WHERE query = $1)::int FROM hathi_statement_cache",
        &[&keep],
    );
    let rows = rows.unwrap();
    assert_eq!((rows.get::<_, i32>(0), rows.get::<_, i32>(1)), (2048, 1));
}

#[test]
fn a_statement_is_planned_once() {
    let db = database();
    let mut session = db.session().unwrap();
    let planned = |db: &Database| db.runtime().statement_counts().planned;
    // Locking its table for the first time is no reason to plan it again.
    for sql in [
        "SELECT n FROM t ORDER BY id LIMIT 1",
        "DELETE FROM t WHERE n > 190 AND id > 96",
        "SELECT * FROM t x JOIN t y USING (id)",
    ] {
        let before = planned(&db);
        session.batch_execute(sql).unwrap();
        assert_eq!(planned(&db) - before, 1, "{sql}");
    }
}
