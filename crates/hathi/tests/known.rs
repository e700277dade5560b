//! Statements that come again with other literals run from a kept plan, and answer as if they did not.

use hathi::{Database, Session};

/// The first column of every row as text, or the error.
fn answer(session: &mut Session, sql: &str) -> Result<Vec<String>, String> {
    match session.query(&format!("SELECT x.*::text FROM ({sql}) x"), &[]) {
        Ok(rows) => Ok(rows.iter().map(|r| r.get::<_, String>(0)).collect()),
        Err(e) => Err(format!("{} {} {:?}", e.state().as_str(), e.message(), e.fields().position)),
    }
}

fn database() -> Database {
    let db = Database::in_memory().unwrap();
    let setup = "CREATE TABLE t (id int PRIMARY KEY, name varchar(5), n int);
        INSERT INTO t VALUES (1, 'one', 30), (2, 'two', 20), (3, 'three', 10);
        CREATE TABLE plain (a int, b text); CREATE TABLE short (a int, b varchar(100))";
    db.session().unwrap().batch_execute(setup).unwrap();
    db
}

#[test]
fn point_statements_are_known_the_third_time() {
    let db = database();
    let mut s = db.session().unwrap();
    for (sql, known) in [
        ("SELECT name FROM t WHERE id = #", true),
        ("INSERT INTO plain VALUES (#, 'text')", true),
        ("INSERT INTO short VALUES (#, 'text')", true),
        ("UPDATE t SET n = # WHERE id = 2", true),
        ("DELETE FROM t WHERE id = #", true),
        ("SELECT # + 1, 'x' || 'y'", true),
        ("SELECT a FROM plain WHERE a > # AND b = 'x'", true),
        // The best plan is the values' business.
        ("SELECT name FROM t WHERE id > #", false),
        ("SELECT name FROM t JOIN plain ON id = a WHERE a = #", false),
        ("SELECT (SELECT max(n) FROM t WHERE id = #)", false),
        // Here the literal is no value.
        ("SELECT a, b FROM plain ORDER BY #", false),
        ("SELECT a FROM plain GROUP BY #", false),
        ("SELECT a::numeric(#) FROM plain", false),
    ] {
        for i in [7, 8, 9] {
            let _rows = s.query(&sql.replace('#', &(i - 7 + 1).to_string()), &[]);
        }
        let again = s.inner().known(&sql.replace('#', "4"));
        assert_eq!(again.is_some(), known, "{sql}");
        if let Some(again) = again {
            s.inner().keep(again);
        }
    }
}

#[test]
fn answers_are_those_of_a_fresh_session() {
    let db = database();
    let mut s = db.session().unwrap();
    let texts = [
        "SELECT name, n FROM t WHERE id = {}",
        "SELECT id, n FROM t WHERE id = {} ORDER BY 1",
        "SELECT id, n FROM t ORDER BY {}",
        "SELECT {}",
        "SELECT '{}'",
        "SELECT '{}'::int + 1",
        "SELECT name FROM t WHERE id = '{}'",
        "SELECT * FROM plain WHERE b = '{}' LIMIT {}",
        "SELECT -{} FROM t WHERE id = 1",
        "SELECT {} / (n - 30) FROM t WHERE id = 1",
        "SELECT n FROM t WHERE name = 'one' AND id = {} AND n < {}",
        "SELECT id FROM t WHERE id IN ({}, 2)",
        "SELECT pg_typeof({}), pg_typeof('{}')",
        "SELECT nosuch FROM t WHERE id = {}",
    ];
    for text in texts {
        for value in ["1", "2", "3", "x", "2147483648", "1.5", "", "0"] {
            let sql = text.replace("{}", value);
            for _ in 0..3 {
                let (known, fresh) = (answer(&mut s, &sql), answer(&mut db.session().unwrap(), &sql));
                assert_eq!(known, fresh, "{sql}");
                // Without the query around it.
                let direct = |s: &mut Session| {
                    s.query(&sql, &[]).map(|rows| rows.len()).map_err(|e| (e.message().to_owned(), e.fields().position))
                };
                assert_eq!(direct(&mut s), direct(&mut db.session().unwrap()), "{sql}");
            }
        }
    }
}

#[test]
fn lengths_hold_for_parameters_whose_type_is_found() {
    let db = database();
    let mut s = db.session().unwrap();
    let mut insert = s.prepare("INSERT INTO t VALUES ($1, $2, 0)").unwrap();
    let error = s.execute_prepared(&mut insert, &[&50i32, &"longer than five"]).unwrap_err();
    assert_eq!((error.state().as_str(), error.message()), ("22001", "value too long for type character varying(5)"));
    assert_eq!(s.execute_prepared(&mut insert, &[&50i32, &"blank     "]).unwrap(), 1);
    assert_eq!(s.query("SELECT name FROM t WHERE id = 50", &[]).unwrap()[0].get::<_, &str>(0), "blank");
}

#[test]
fn rules_and_changes_of_the_table_hold() {
    let db = database();
    let mut s = db.session().unwrap();
    for i in 10..20 {
        assert_eq!(s.execute(&format!("INSERT INTO t VALUES ({i}, 'n{i}', {i})"), &[]).unwrap(), 1);
    }
    let error = |s: &mut Session, sql: &str| s.execute(sql, &[]).unwrap_err().message().to_owned();
    assert_eq!(
        error(&mut s, "INSERT INTO t VALUES (20, 'longer than five', 1)"),
        "value too long for type character varying(5)"
    );
    assert_eq!(
        error(&mut s, "INSERT INTO t VALUES (11, 'twice', 1)"),
        "duplicate key value violates unique constraint \"t_pkey\""
    );
    assert_eq!(error(&mut s, "INSERT INTO t VALUES ('a', 'b', 1)"), "invalid input syntax for type integer: \"a\"");
    s.batch_execute("ALTER TABLE t ADD CHECK (n < 100)").unwrap();
    assert!(error(&mut s, "INSERT INTO t VALUES (21, 'x', 100)").contains("violates check constraint"));
    // In the transaction that changes the table, and after it is rolled back.
    s.batch_execute("BEGIN; ALTER TABLE t DROP COLUMN n").unwrap();
    assert_eq!(error(&mut s, "INSERT INTO t VALUES (22, 'x', 1)"), "INSERT has more expressions than target columns");
    s.batch_execute("ROLLBACK").unwrap();
    assert_eq!(s.execute("INSERT INTO t VALUES (22, 'x', 1)", &[]).unwrap(), 1);
    s.batch_execute("CREATE SCHEMA other; CREATE TABLE other.t (id int, name text, n int); SET search_path = other")
        .unwrap();
    assert_eq!(s.execute("INSERT INTO t VALUES (22, 'any length', 1000)", &[]).unwrap(), 1);
    // A failed block takes nothing.
    s.batch_execute("BEGIN").unwrap();
    assert_eq!(error(&mut s, "SELECT 1/0"), "division by zero");
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    assert_eq!(error(&mut s, "INSERT INTO t VALUES (22, 'any length', 1001)"), message);
}

#[test]
fn a_transaction_that_changed_the_catalog_keeps_plans_until_it_changes_it_again() {
    let db = Database::in_memory().unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute("BEGIN; CREATE TABLE fresh (a int, b text)").unwrap();
    let mut insert = s.prepare("INSERT INTO fresh VALUES ($1, 'p')").unwrap();
    for i in 0..4 {
        s.batch_execute(&format!("INSERT INTO fresh VALUES ({i}, 'x')")).unwrap();
        s.execute_prepared(&mut insert, &[&i]).unwrap();
    }
    let known = s.inner().known("INSERT INTO fresh VALUES (4, 'x')").expect("it came four times");
    s.inner().keep(known);
    s.batch_execute("SAVEPOINT one; ALTER TABLE fresh ADD c int DEFAULT 7").unwrap();
    for i in 4..8 {
        s.batch_execute(&format!("INSERT INTO fresh VALUES ({i}, 'x')")).unwrap();
        s.execute_prepared(&mut insert, &[&i]).unwrap();
    }
    let sum = "SELECT count(*)::int, sum(c)::int FROM fresh";
    let row = s.query_one(sum, &[]).unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, i32>(1)), (16, 16 * 7));
    s.batch_execute("ROLLBACK TO one; ALTER TABLE fresh ADD d text NOT NULL DEFAULT 'new', ADD c int DEFAULT 5")
        .unwrap();
    for i in 8..12 {
        s.batch_execute(&format!("INSERT INTO fresh VALUES ({i}, 'x')")).unwrap();
        s.execute_prepared(&mut insert, &[&i]).unwrap();
    }
    let row = s.query_one("SELECT count(*)::int, sum(c)::int, min(d) FROM fresh", &[]).unwrap();
    assert_eq!((row.get::<_, i32>(0), row.get::<_, i32>(1), row.get::<_, &str>(2)), (16, 16 * 5, "new"));
    s.batch_execute("ROLLBACK; CREATE TABLE fresh (b text, a int)").unwrap();
    let error = s.execute_prepared(&mut insert, &[&1]).unwrap_err();
    assert_eq!(error.state().as_str(), "22P02", "{error}");
}

#[test]
fn a_statement_carried_to_another_session_is_planned_for_that() {
    let (one, two) = (Database::in_memory().unwrap(), Database::in_memory().unwrap());
    one.session().unwrap().batch_execute("CREATE TABLE t (a text); INSERT INTO t VALUES ('one')").unwrap();
    two.session().unwrap().batch_execute("CREATE TABLE t (z int, a text); INSERT INTO t VALUES (1, 'two')").unwrap();
    let (mut first, mut second) = (one.session().unwrap(), two.session().unwrap());
    let mut q = first.prepare("SELECT a FROM t").unwrap();
    assert_eq!(first.query_prepared(&mut q, &[]).unwrap()[0].get::<_, &str>(0), "one");
    assert_eq!(second.query_prepared(&mut q, &[]).unwrap()[0].get::<_, &str>(0), "two");
    assert_eq!(first.query_prepared(&mut q, &[]).unwrap()[0].get::<_, &str>(0), "one");
}

#[test]
fn a_range_of_an_index_is_known_while_statistics_say_that_it_is_small() {
    let db = Database::in_memory().unwrap();
    let mut s = db.session().unwrap();
    let setup = "CREATE TABLE r (k int, v int); CREATE INDEX ON r (k);
        INSERT INTO r SELECT CASE WHEN i % 2 = 0 THEN 0 ELSE i END, i FROM generate_series(1, 20000) i";
    s.batch_execute(setup).unwrap();
    let range = |from: i32, to: i32| format!("SELECT count(*), sum(v) FROM r WHERE k >= {from} AND k < {to}");
    let equal = |k: i32| format!("SELECT count(*), sum(v) FROM r WHERE k = {k}");
    let check = |s: &mut Session, sql: String, known: bool, count: i64| {
        let again = s.inner().known(&sql);
        assert_eq!(again.is_some(), known, "{sql}");
        again.into_iter().for_each(|again| s.inner().keep(again));
        assert_eq!(s.query_one(&sql, &[]).unwrap().get::<_, i64>(0), count, "{sql}");
    };
    for i in 1..4 {
        check(&mut s, range(i * 100, i * 100 + 20), i > 1, 10);
        check(&mut s, equal(i * 2 + 1), i > 1, 1);
    }
    // Nothing is known of the values: all are alike.
    check(&mut s, range(0, 20001), true, 20000);
    check(&mut s, equal(0), true, 10000);
    s.batch_execute("ANALYZE r").unwrap();
    for i in 1..4 {
        check(&mut s, range(i * 100, i * 100 + 20), i > 1, 10);
        check(&mut s, equal(i * 2 + 1), i > 1, 1);
    }
    check(&mut s, range(0, 20001), false, 20000);
    check(&mut s, equal(0), false, 10000);
    check(&mut s, equal(7), true, 1);
}

#[test]
fn statements_of_a_text_of_several_are_known_too() {
    let db = database();
    let mut s = db.session().unwrap();
    let text = |from: i32| -> String {
        let one = |i| {
            format!(
                "INSERT INTO t VALUES ({i}, 'x', {i}); SELECT name FROM t WHERE id = {i}; /* change */ UPDATE t SET n = 1 WHERE id = {i};"
            )
        };
        (from..from + 20).map(one).collect()
    };
    // What comes for the second time is planned as it is and with parameters.
    let planned = |db: &Database| db.runtime().statement_counts().planned;
    let before = planned(&db);
    s.batch_execute(&text(100)).unwrap();
    assert!(planned(&db) - before <= 3 * 4, "{}", planned(&db) - before);
    let before = planned(&db);
    s.batch_execute(&text(200)).unwrap();
    assert_eq!(planned(&db) - before, 0);
    assert_eq!(answer(&mut s, "SELECT count(*), sum(n) FROM t WHERE id >= 100"), Ok(vec!["(40,40)".to_owned()]));
    // They are one transaction, and errors are where they were.
    let error = s.batch_execute("INSERT INTO t VALUES (300, 'x', 0); INSERT INTO t VALUES (300, 'y', 0)").unwrap_err();
    assert_eq!(error.state().as_str(), "23505");
    let error =
        s.batch_execute("INSERT INTO t VALUES (301, 'x', 0); INSERT INTO t VALUES (302, 'y', 'z')").unwrap_err();
    assert_eq!((error.message(), error.fields().position), ("invalid input syntax for type integer: \"z\"", Some(69)));
    assert_eq!(answer(&mut s, "SELECT count(*) FROM t WHERE id >= 300"), Ok(vec!["(0)".to_owned()]));
    // Within a block that the text begins, and that fails.
    let error = s.batch_execute("BEGIN; INSERT INTO t VALUES (303, 'x', 0); SELECT 1 / 0; SELECT 1").unwrap_err();
    assert_eq!(error.message(), "division by zero");
    let error = s.batch_execute("INSERT INTO t VALUES (304, 'x', 0); COMMIT").unwrap_err();
    assert_eq!(error.state().as_str(), "25P02");
    s.batch_execute("ROLLBACK").unwrap();
    assert_eq!(answer(&mut s, "SELECT count(*) FROM t WHERE id >= 300"), Ok(vec!["(0)".to_owned()]));
}

#[test]
fn the_same_text_again_means_what_it_says_then() {
    let db = database();
    let mut s = db.session().unwrap();
    s.batch_execute(
        "CREATE TABLE n (at timestamptz, all_at timestamptz[]); CREATE TABLE one (a int, b date);
         INSERT INTO one VALUES (1, '2020-02-03'), (2, '2020-03-02')",
    )
    .unwrap();
    // A time that is now, and one within an array, in statements that are known by other times.
    for [insert, count] in [
        ["INSERT INTO n (at) VALUES ('#')", "SELECT count(DISTINCT at) FROM n"],
        ["INSERT INTO n (all_at) VALUES ('{#}')", "SELECT count(DISTINCT all_at[1]) FROM n"],
    ] {
        for at in ["2020-01-01", "2020-01-02", "2020-01-03", "now", "now", "now"] {
            s.batch_execute(&insert.replace('#', at)).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        assert_eq!(numbers(&mut s, count), [6], "{insert}");
    }
    // What a text means changes with the settings and with the catalog.
    let by_date = "SELECT a::bigint FROM one WHERE b = '03/02/2020'";
    let by_number = "SELECT a::bigint FROM one WHERE a = 1";
    for _ in 0..4 {
        assert_eq!(numbers(&mut s, by_date), [2]);
        assert_eq!(numbers(&mut s, by_number), [1]);
        assert_eq!(numbers(&mut s, by_number), [1]);
    }
    s.batch_execute("SET datestyle = 'ISO, DMY'").unwrap();
    assert_eq!(numbers(&mut s, by_date), [1]);
    for _ in 0..3 {
        assert_eq!(numbers(&mut s, by_number), [1]);
    }
    s.batch_execute("CREATE TEMP TABLE one (a int, b date)").unwrap();
    assert_eq!(numbers(&mut s, by_number), []);
    s.batch_execute("DROP TABLE one").unwrap();
    assert_eq!(numbers(&mut s, by_number), [1]);
    // Other values, an error, and the first ones again.
    let mut fails = |sql: &str| state(&mut s, sql);
    for _ in 0..3 {
        assert_eq!(fails("SELECT 1 / 0"), "22012");
        assert_eq!(fails("SELECT a::bigint FROM one WHERE a = 1 / 0"), "22012");
    }
    for _ in 0..3 {
        assert_eq!(numbers(&mut s, "SELECT 4::bigint / 2"), [2]);
        assert_eq!(numbers(&mut s, "SELECT 4::bigint / 2"), [2]);
        assert_eq!(numbers(&mut s, "SELECT 9::bigint / 3"), [3]);
    }
    s.batch_execute("BEGIN").unwrap();
    assert_eq!(numbers(&mut s, by_number), [1]);
    assert_eq!(state(&mut s, "SELECT 1 / 0"), "22012");
    assert_eq!(state(&mut s, by_number), "25P02");
    s.batch_execute("ROLLBACK").unwrap();
    assert_eq!(numbers(&mut s, by_number), [1]);
}

fn numbers(session: &mut Session, sql: &str) -> Vec<i64> {
    session.query(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}")).iter().map(|r| r.get(0)).collect()
}

fn state(session: &mut Session, sql: &str) -> String {
    session.batch_execute(sql).expect_err(sql).state().to_string()
}
