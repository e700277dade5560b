//! The library as a program uses it. Expected values are PostgreSQL 18's.

use hathi::{Database, Session};

fn numbers(session: &mut Session, sql: &str) -> Vec<i64> {
    session.query(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}")).iter().map(|r| r.get(0)).collect()
}

fn fail(session: &mut Session, sql: &str) -> (String, String, Option<u32>) {
    let e = session.batch_execute(sql).expect_err(sql);
    (e.state().to_string(), e.message().to_owned(), e.fields().position)
}

fn sample() -> (Database, Session) {
    let db = Database::in_memory().unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute(
        "CREATE TABLE dept (id int PRIMARY KEY, name varchar(20) NOT NULL);
         CREATE TABLE emp (id bigint PRIMARY KEY, dept int, name text, pay numeric(10,2), UNIQUE (name));
         CREATE INDEX emp_dept ON emp (dept);
         INSERT INTO dept VALUES (1, 'sales'), (2, 'tech'), (3, 'none');
         INSERT INTO emp VALUES (1, 1, 'ann', 100.5), (2, 1, 'bob', 200), (3, 2, 'cid', 300.25), (4, NULL, 'dan', NULL);",
    )
    .unwrap();
    (db, s)
}

#[test]
fn rows_come_back_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    {
        let db = Database::open(dir.path()).unwrap();
        let mut s = db.session().unwrap();
        s.batch_execute("CREATE TABLE t (a int PRIMARY KEY, b text)").unwrap();
        assert_eq!(s.execute("INSERT INTO t VALUES ($1, $2), (2, 'two')", &[&1i32, &"one"]).unwrap(), 2);
        drop(s);
        db.close().unwrap();
    }
    let db = Database::open(dir.path()).unwrap();
    let mut s = db.session().unwrap();
    let rows = s.query("SELECT a, b FROM t ORDER BY a DESC", &[]).unwrap();
    let shown: Vec<(i32, &str)> = rows.iter().map(|r| (r.get(0), r.get("b"))).collect();
    assert_eq!(shown, [(2, "two"), (1, "one")]);
    assert!(db.check().unwrap().is_empty());
    let second = Database::open(dir.path()).err().unwrap();
    assert_eq!(second.state().as_str(), "F0001");
}

#[test]
fn a_crash_without_closing_keeps_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let db = Database::open(dir.path()).unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t VALUES (1), (2)").unwrap();
    s.batch_execute("BEGIN; INSERT INTO t VALUES (3)").unwrap();
    // What the disk holds now is what a killed process would leave.
    std::fs::create_dir(copy.path().join("wal")).unwrap();
    std::fs::copy(dir.path().join("hathi.data"), copy.path().join("hathi.data")).unwrap();
    for entry in std::fs::read_dir(dir.path().join("wal")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join("wal").join(entry.file_name())).unwrap();
    }
    let again = Database::open(copy.path()).unwrap();
    let mut s = again.session().unwrap();
    assert_eq!(numbers(&mut s, "SELECT count(*) FROM t"), [2]);
    assert!(again.check().unwrap().is_empty());
}

#[test]
fn queries_answer_as_postgresql_does() {
    let (_db, mut s) = sample();
    assert_eq!(numbers(&mut s, "SELECT id FROM emp WHERE pay > 150 ORDER BY id"), [2, 3]);
    assert_eq!(numbers(&mut s, "SELECT id FROM emp WHERE id = 3"), [3]);
    assert_eq!(
        numbers(&mut s, "SELECT e.id FROM emp e JOIN dept d ON e.dept = d.id WHERE d.name = 'sales' ORDER BY 1"),
        [1, 2]
    );
    assert_eq!(numbers(&mut s, "SELECT e.id FROM emp e LEFT JOIN dept d ON e.dept = d.id WHERE d.id IS NULL"), [4]);
    assert_eq!(
        numbers(&mut s, "SELECT count(e.id) FROM dept d LEFT JOIN emp e ON e.dept = d.id GROUP BY d.id ORDER BY d.id"),
        [2, 1, 0]
    );
    assert_eq!(numbers(&mut s, "SELECT sum(dept) FROM emp HAVING count(*) > 3"), [4]);
    assert_eq!(numbers(&mut s, "SELECT count(*) FROM emp, dept"), [12]);
    assert_eq!(numbers(&mut s, "SELECT DISTINCT count(*) FROM emp GROUP BY dept ORDER BY 1"), [1, 2]);
    assert_eq!(numbers(&mut s, "SELECT id FROM emp ORDER BY pay DESC NULLS LAST LIMIT 2 OFFSET 1"), [2, 1]);
    assert_eq!(numbers(&mut s, "SELECT CASE WHEN 1 = 1 THEN 1 ELSE 1 / 0 END::bigint"), [1]);
    assert_eq!(numbers(&mut s, "SELECT coalesce(dept, 7)::bigint FROM emp WHERE id = 4"), [7]);
    let row = s.query_one("SELECT avg(pay)::text, max(name), min(pay)::text FROM emp", &[]).unwrap();
    assert_eq!(row.get::<_, &str>(0), "200.2500000000000000");
    assert_eq!((row.get::<_, &str>(1), row.get::<_, &str>(2)), ("dan", "100.50"));
    let row = s.query_one("SELECT name || '!' AS loud FROM emp WHERE name LIKE 'a%'", &[]).unwrap();
    assert_eq!(row.get::<_, &str>("loud"), "ann!");
}

#[test]
fn changes_and_their_errors() {
    let (db, mut s) = sample();
    assert_eq!(s.execute("UPDATE emp SET pay = pay * 2, id = id + 10 WHERE dept = 1", &[]).unwrap(), 2);
    assert_eq!(numbers(&mut s, "SELECT id FROM emp ORDER BY id"), [3, 4, 11, 12]);
    assert_eq!(
        s.execute("DELETE FROM emp USING dept WHERE emp.dept = dept.id AND dept.name = 'tech'", &[]).unwrap(),
        1
    );
    assert_eq!(numbers(&mut s, "SELECT id FROM emp ORDER BY id"), [4, 11, 12]);
    let row = s.query_one("INSERT INTO emp (id, name) VALUES (20, 'eve') RETURNING id + 1 AS next", &[]).unwrap();
    assert_eq!(row.get::<_, i64>("next"), 21);
    let duplicate = s.batch_execute("INSERT INTO emp (id, name) VALUES (20, 'x')").unwrap_err();
    assert_eq!(duplicate.state().as_str(), "23505");
    assert_eq!(duplicate.message(), "duplicate key value violates unique constraint \"emp_pkey\"");
    assert_eq!(duplicate.fields().detail.as_deref(), Some("Key (id)=(20) already exists."));
    let null = s.batch_execute("INSERT INTO dept VALUES (9, NULL)").unwrap_err();
    assert_eq!(null.state().as_str(), "23502");
    assert_eq!(null.message(), "null value in column \"name\" of relation \"dept\" violates not-null constraint");
    assert!(db.check().unwrap().is_empty());
    // A key that goes away and comes back stays findable.
    s.batch_execute("BEGIN; UPDATE emp SET id = 99 WHERE id = 20; UPDATE emp SET id = 20 WHERE id = 99; COMMIT")
        .unwrap();
    db.runtime().engine().purge().unwrap();
    assert_eq!(numbers(&mut s, "SELECT id FROM emp WHERE id = 20"), [20]);
}

#[test]
fn errors_have_postgresqls_words_and_places() {
    let (_db, mut s) = sample();
    let expected = [
        ("SELECT 1 +", "42601", "syntax error at end of input", Some(11)),
        ("SELECT * FROM nosuch", "42P01", "relation \"nosuch\" does not exist", Some(15)),
        ("SELECT nosuch FROM emp", "42703", "column \"nosuch\" does not exist", Some(8)),
        ("SELECT 1 + true", "42883", "operator does not exist: integer + boolean", Some(10)),
        ("SELECT nosuch(1)", "42883", "function nosuch(integer) does not exist", Some(8)),
        ("SELECT 1/0", "22012", "division by zero", None),
        ("SELECT 2147483647 + 1", "22003", "integer out of range", None),
        ("SELECT 'x'::int", "22P02", "invalid input syntax for type integer: \"x\"", Some(8)),
        (
            "SELECT name FROM emp GROUP BY dept",
            "42803",
            "column \"emp.name\" must appear in the GROUP BY clause or be used in an aggregate function",
            Some(8),
        ),
        ("SELECT id FROM emp WHERE count(*) > 1", "42803", "aggregate functions are not allowed in WHERE", Some(26)),
        (
            "INSERT INTO dept VALUES (4, 'a name of more than twenty')",
            "22001",
            "value too long for type character varying(20)",
            None,
        ),
        ("SELECT id FROM emp, dept", "42702", "column reference \"id\" is ambiguous", Some(8)),
    ];
    for (sql, state, message, position) in expected {
        assert_eq!(fail(&mut s, sql), (state.to_owned(), message.to_owned(), position), "{sql}");
    }
}

#[test]
fn transactions_roll_back_and_nest() {
    let (_db, mut s) = sample();
    {
        let mut t = s.transaction().unwrap();
        t.execute("DELETE FROM emp", &[]).unwrap();
        {
            let mut inner = t.transaction().unwrap();
            inner.execute("INSERT INTO emp (id) VALUES (50)", &[]).unwrap();
        }
        {
            let mut inner = t.transaction().unwrap();
            inner.execute("INSERT INTO emp (id) VALUES (51)", &[]).unwrap();
            inner.commit().unwrap();
        }
        t.commit().unwrap();
    }
    assert_eq!(numbers(&mut s, "SELECT id FROM emp"), [51]);
    {
        let mut t = s.transaction().unwrap();
        t.batch_execute("CREATE TABLE gone (a int); INSERT INTO emp (id) VALUES (52)").unwrap();
    }
    assert_eq!(numbers(&mut s, "SELECT id FROM emp"), [51]);
    assert_eq!(fail(&mut s, "SELECT * FROM gone").0, "42P01");
    s.batch_execute("BEGIN").unwrap();
    assert_eq!(fail(&mut s, "SELECT 1/0").0, "22012");
    assert_eq!(fail(&mut s, "SELECT 1").0, "25P02");
    s.batch_execute("ROLLBACK").unwrap();
    assert_eq!(numbers(&mut s, "SELECT id FROM emp"), [51]);
}

#[test]
fn prepared_statements_follow_the_catalog() {
    let (db, mut s) = sample();
    let mut find = s.prepare("SELECT name FROM emp WHERE id = $1").unwrap();
    assert_eq!(s.query_prepared(&mut find, &[&1i64]).unwrap()[0].get::<_, &str>(0), "ann");
    let mut other = db.session().unwrap();
    other
        .batch_execute("DROP TABLE emp; CREATE TABLE emp (name text, id bigint); INSERT INTO emp VALUES ('new', 1)")
        .unwrap();
    assert_eq!(s.query_prepared(&mut find, &[&1i64]).unwrap()[0].get::<_, &str>(0), "new");
    other.batch_execute("DROP TABLE emp").unwrap();
    assert_eq!(s.query_prepared(&mut find, &[&1i64]).unwrap_err().state().as_str(), "42P01");
}

#[test]
fn what_is_missing_says_so() {
    let (_db, mut s) = sample();
    for (sql, what) in [
        ("CREATE COLLATION c FROM \"C\"", "CREATE COLLATION is not supported"),
        ("SELECT pg_stat_get_xact_numscans(1)", "function pg_stat_get_xact_numscans(integer) is not supported"),
    ] {
        let (state, message, _) = fail(&mut s, sql);
        assert_eq!((state.as_str(), message.as_str()), ("0A000", what), "{sql}");
    }
}

#[test]
fn a_statement_over_its_memory_fails_and_the_session_lives() {
    let db = Database::builder().statement_memory(100_000).in_memory().unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute("CREATE TABLE t (a int)").unwrap();
    let mut insert = s.prepare("INSERT INTO t VALUES ($1)").unwrap();
    for i in 0..5000i32 {
        s.execute_prepared(&mut insert, &[&i]).unwrap();
    }
    assert_eq!(fail(&mut s, "SELECT array_agg(a) FROM t, generate_series(1, 10)").0, "53200");
    assert_eq!(fail(&mut s, "SELECT string_agg('text', ',') FROM t, generate_series(1, 10)").0, "53200");
    // What can be put into files is.
    assert_eq!(numbers(&mut s, "SELECT count(*) FROM (SELECT a FROM t ORDER BY a OFFSET 0) x"), [5000]);
    assert_eq!(numbers(&mut s, "SELECT count(*) FROM (SELECT rank() OVER (ORDER BY a) FROM t) x"), [5000]);
    assert_eq!(numbers(&mut s, "SELECT count(*) FROM t"), [5000]);
}

#[test]
fn threads_share_a_database() {
    let db = Database::in_memory().unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute("CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0)").unwrap();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let db = db.clone();
            std::thread::spawn(move || {
                let mut s = db.session().unwrap();
                for _ in 0..100 {
                    assert_eq!(s.execute("UPDATE t SET n = n + 1 WHERE id = 1", &[]).unwrap(), 1);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|t| t.join().unwrap());
    assert_eq!(numbers(&mut s, "SELECT n::bigint FROM t"), [400], "no update is lost");
}

#[test]
fn repeatable_read_keeps_its_snapshot_and_refuses_lost_updates() {
    let (db, mut a) = sample();
    let mut b = db.session().unwrap();
    a.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
    assert_eq!(numbers(&mut a, "SELECT count(*) FROM emp"), [4]);
    b.batch_execute("INSERT INTO emp (id) VALUES (60); UPDATE emp SET pay = 1 WHERE id = 1").unwrap();
    assert_eq!(numbers(&mut a, "SELECT count(*) FROM emp"), [4]);
    let refused = a.batch_execute("UPDATE emp SET pay = 2 WHERE id = 1").unwrap_err();
    assert_eq!(refused.state().as_str(), "40001");
    assert_eq!(refused.message(), "could not serialize access due to concurrent update");
    a.batch_execute("ROLLBACK").unwrap();
    assert_eq!(numbers(&mut a, "SELECT count(*) FROM emp"), [5]);
}

#[test]
fn ddl_waits_for_writers_and_writers_see_what_it_did() {
    let (db, mut a) = sample();
    a.batch_execute("BEGIN; INSERT INTO emp (id) VALUES (70)").unwrap();
    let other = db.clone();
    let dropping = std::thread::spawn(move || other.session().unwrap().batch_execute("DROP TABLE emp"));
    // Until it waits for our lock.
    let waits = || db.runtime().engine().shared().locks.list().iter().any(|l| !l.granted);
    while !waits() {
        std::thread::yield_now();
    }
    let other = db.clone();
    let writing =
        std::thread::spawn(move || other.session().unwrap().batch_execute("INSERT INTO emp (id) VALUES (71)"));
    a.batch_execute("INSERT INTO emp (id) VALUES (72); COMMIT").unwrap();
    dropping.join().unwrap().unwrap();
    if let Err(e) = writing.join().unwrap() {
        assert_eq!(e.state().as_str(), "42P01", "{e:?}");
    }
    assert_eq!(fail(&mut a, "SELECT * FROM emp").0, "42P01");
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn copy_moves_rows_in_and_out() {
    use std::io::{Read, Write};
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    session.batch_execute("CREATE TABLE t (a int PRIMARY KEY, b text)").unwrap();
    let mut copy = session.copy_in("COPY t FROM STDIN (FORMAT csv)").unwrap();
    for i in 0..5000 {
        writeln!(copy, "{i},row {i}").unwrap();
    }
    assert_eq!(copy.finish().unwrap(), 5000);
    let mut text = String::new();
    session
        .copy_out("COPY (SELECT a, b FROM t WHERE a > 4996 ORDER BY a) TO STDOUT")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "4997\trow 4997\n4998\trow 4998\n4999\trow 4999\n");
    // Dropped before it is finished, nothing is copied.
    session.copy_in("COPY t FROM STDIN").unwrap().write_all(b"6000\tx\n").unwrap();
    let mut copy = session.copy_in("COPY t FROM STDIN").unwrap();
    let error = copy.write_all(b"7000\tx\nseven\tx\n").unwrap_err();
    let error = error.get_ref().and_then(|e| e.downcast_ref::<hathi::Error>()).expect("the engine's error");
    assert_eq!(error.message(), "invalid input syntax for type integer: \"seven\"");
    assert_eq!(error.fields().context.as_deref(), Some("COPY t, line 2, column a: \"seven\""));
    drop(copy);
    // A reader that stops in the middle leaves a session that works.
    let mut one = [0; 1];
    session.copy_out("COPY t TO STDOUT").unwrap().read_exact(&mut one).unwrap();
    assert_eq!(session.query_one("SELECT count(*) FROM t", &[]).unwrap().get::<_, i64>(0), 5000);
    // In a transaction it is part of it.
    let mut transaction = session.transaction().unwrap();
    let mut copy = transaction.copy_in("COPY t FROM STDIN").unwrap();
    copy.write_all(b"6000\tx\n").unwrap();
    assert_eq!(copy.finish().unwrap(), 1);
    transaction.rollback().unwrap();
    assert_eq!(session.query_one("SELECT count(*) FROM t", &[]).unwrap().get::<_, i64>(0), 5000);
    let wrong = session.copy_in("SELECT 1").err().expect("not a COPY");
    assert_eq!(wrong.message(), "the statement is not COPY ... FROM STDIN");
}

#[test]
fn enums_are_their_labels_in_binary() {
    use std::io::{Read, Write};
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    session.batch_execute("CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE t (id int, m mood)").unwrap();
    session.execute("INSERT INTO t VALUES (1, $1), (2, $2)", &[&"ok", &None::<&str>]).unwrap();
    let rows = session.query("SELECT m FROM t ORDER BY id", &[]).unwrap();
    assert_eq!((rows[0].get::<_, String>(0), rows[1].get::<_, Option<String>>(0)), ("ok".to_owned(), None));
    let error = session.execute("INSERT INTO t VALUES (3, $1)", &[&"glad"]).unwrap_err();
    assert_eq!(error.message(), "invalid input value for enum mood: \"glad\"");
    let mut bytes = Vec::new();
    session
        .copy_out("COPY (SELECT m FROM t WHERE id = 1) TO STDOUT (FORMAT binary)")
        .unwrap()
        .read_to_end(&mut bytes)
        .unwrap();
    // One field of two bytes, as PostgreSQL's `enum_send` writes it.
    assert!(bytes.windows(8).any(|w| w == b"\0\x01\0\0\0\x02ok"), "{bytes:?}");
    let mut copy = session.copy_in("COPY t (m) FROM STDIN (FORMAT binary)").unwrap();
    copy.write_all(&bytes).unwrap();
    assert_eq!(copy.finish().unwrap(), 1);
    assert_eq!(session.query_one("SELECT count(*) FROM t WHERE m = 'ok'", &[]).unwrap().get::<_, i64>(0), 2);
}

#[test]
fn a_parameter_with_a_huge_number_is_refused() {
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    let error = session.query("SELECT $2147483647", &[]).unwrap_err();
    assert_eq!((error.state().as_str(), error.message()), ("42P02", "there is no parameter $2147483647"));
}

#[test]
fn notices_are_heard_where_somebody_listens() {
    use std::sync::{Arc, Mutex};
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (_db, mut s) = sample();
    // Nobody does yet.
    s.batch_execute("DROP TABLE IF EXISTS nope").unwrap();
    let own = heard.clone();
    s.on_notice(move |n| own.lock().unwrap().push(format!("{:?} {}: {}", n.fields().severity, n.state(), n.message())));
    let told = |what: &str, expected: &[&str]| {
        assert_eq!(*heard.lock().unwrap(), expected, "{what}");
        heard.lock().unwrap().clear();
    };
    s.batch_execute("DROP TABLE IF EXISTS nope, emp").unwrap();
    told("a text", &["Notice 00000: table \"nope\" does not exist, skipping"]);
    s.execute("DROP SCHEMA IF EXISTS nope", &[]).unwrap();
    told("a statement", &["Notice 00000: schema \"nope\" does not exist, skipping"]);
    let mut unlock = s.prepare("SELECT pg_advisory_unlock($1)").unwrap();
    let not_held = "Warning 01000: you don't own a lock of type ExclusiveLock";
    s.query_prepared(&mut unlock, &[&7i64]).unwrap();
    told("a function", &[not_held]);
    s.query_each(&mut unlock, &[&7i64], |_| Ok(())).unwrap();
    told("row by row", &[not_held]);
    let mut copy = s.copy_in("COPY dept FROM STDIN (ON_ERROR ignore)").unwrap();
    std::io::Write::write_all(&mut copy, b"4\tfour\nx\tten\ny\televen\n").unwrap();
    assert_eq!(copy.finish().unwrap(), 1);
    told("COPY", &["Notice 00000: 2 rows were skipped due to data type incompatibility"]);
    s.batch_execute("SET client_min_messages = error").unwrap();
    s.batch_execute("DROP TABLE IF EXISTS nope").unwrap();
    let mut copy = s.copy_in("COPY dept FROM STDIN (ON_ERROR ignore)").unwrap();
    std::io::Write::write_all(&mut copy, b"x\tten\n").unwrap();
    copy.finish().unwrap();
    told("what is not important enough", &[]);
}
