//! One row by its key, or one made of parameters: read or changed the short way, as the long way would have (session S10, exec Q11).

use hathi::{Database, Session, Statement};
use postgres_types::ToSql;

type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// What a statement says: its rows' first values as text, or its count, or its error.
fn said(session: &mut Session, statement: &mut Statement, params: Params<'_>) -> String {
    let mut rows = Vec::new();
    let outcome = session.query_each(statement, params, |row| {
        rows.push(row.get::<_, Option<String>>(0));
        Ok(())
    });
    match outcome {
        Ok(count) => format!("{count} {rows:?}"),
        Err(e) => format!("{} {} {:?}", e.state().as_str(), e.message(), e.fields().detail),
    }
}

/// The same with how often the short way was gone.
fn quickly(session: &mut Session, statement: &mut Statement, params: Params<'_>) -> (String, u64) {
    let before = session.inner().quick_count();
    let said = said(session, statement, params);
    (said, session.inner().quick_count() - before)
}

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, v int, w bigint NOT NULL, f float8, d date, s text, b bool);
    INSERT INTO t SELECT i, i, i * 10, i / 4.0, date '2026-01-01' + i, 'text ' || i, i % 2 = 0 FROM generate_series(1, 300) i;
    INSERT INTO t VALUES (1000, NULL, 2147483647, NULL, NULL, NULL, NULL)";

#[test]
fn the_short_way_does_what_the_long_way_does() {
    let db = Database::in_memory().unwrap();
    let (mut short, mut long) = (db.session().unwrap(), db.session().unwrap());
    short.batch_execute(TABLE).unwrap();
    short.batch_execute(&TABLE.replace("TABLE t", "TABLE u").replace("INTO t", "INTO u")).unwrap();
    // What is run, and whether the short way is open to it.
    let statements = [
        ("SELECT s FROM t WHERE id = $1", true),
        ("SELECT s, v, w, f, d, b FROM t WHERE id = $1", true),
        ("SELECT s FROM t WHERE $1 = id AND v > 10", false),
        ("UPDATE t SET v = v + 1 WHERE id = $1", true),
        ("UPDATE t SET v = w::int4 * 7, w = v WHERE id = $1", true),
        ("UPDATE t SET v = v / (v - 5) WHERE id = $1", true),
        ("UPDATE t SET f = f * 1.5::float8, d = d + 1, b = NULL WHERE id = $1", true),
        ("UPDATE t SET v = 2147483647 + v WHERE id = $1", true),
        ("UPDATE t SET w = NULL WHERE id = $1", true),
        ("UPDATE t SET v = v WHERE id = $1", true),
        ("UPDATE t SET s = s || '!' WHERE id = $1", false),
        ("UPDATE t SET id = id WHERE id = $1", false),
        ("UPDATE t SET v = (random() * 0)::int WHERE id = $1", false),
        ("UPDATE t SET v = v + 1 WHERE id = $1 RETURNING s", false),
    ];
    for (sql, is_quick) in statements {
        let mut ours = short.prepare(sql).unwrap();
        let mut theirs = long.prepare(&sql.replace("UPDATE t", "UPDATE u").replace("FROM t", "FROM u")).unwrap();
        let mut gone = 0;
        for id in [1, 5, 7, 300, 1000, 301, -4] {
            let (found, quick) = quickly(&mut short, &mut ours, &[&id]);
            long.batch_execute("BEGIN").unwrap();
            let wanted = said(&mut long, &mut theirs, &[&id]).replace("relation \"u\"", "relation \"t\"");
            long.batch_execute("COMMIT").unwrap();
            assert_eq!(found, wanted, "{sql} of {id}");
            gone += quick;
        }
        assert_eq!(quickly(&mut short, &mut ours, &[&None::<i32>]).0, "0 []", "{sql}");
        assert_eq!(gone > 0, is_quick, "{sql}: {gone}");
    }
    let all = |name: &str| format!("SELECT string_agg(x::text, ';' ORDER BY id) FROM {name} x");
    let content = |session: &mut Session, name| session.query_one(&all(name), &[]).unwrap().get::<_, String>(0);
    assert_eq!(content(&mut short, "t"), content(&mut long, "u"));
    assert_eq!(long.inner().quick_count(), 0);
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn a_row_made_of_parameters_is_given_the_short_way() {
    let db = Database::in_memory().unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute("CREATE DOMAIN small AS int CHECK (VALUE < 10)").unwrap();
    let overflow = "22003 integer out of range None";
    let zero = "22012 division by zero None";
    for (sql, is_quick, of_seven, of_largest, of_null) in [
        ("SELECT 'seven', $1::int4", true, "1 [Some(\"seven\")]", "1 [Some(\"seven\")]", "1 [Some(\"seven\")]"),
        ("VALUES (NULL::text, $1::int4)", true, "1 [None]", "1 [None]", "1 [None]"),
        ("SELECT 'x' || ($1::int4)::text", false, "1 [Some(\"x7\")]", "1 [Some(\"x2147483647\")]", "1 [None]"),
        ("SELECT 'x', $1::int4 + 1", true, "1 [Some(\"x\")]", overflow, "1 [Some(\"x\")]"),
        ("SELECT 'x', 1 / ($1::int4 - 7)", true, zero, "1 [Some(\"x\")]", "1 [Some(\"x\")]"),
        ("SELECT 'x', random() < 2, $1::int4", false, "1 [Some(\"x\")]", "1 [Some(\"x\")]", "1 [Some(\"x\")]"),
        ("SELECT 'x', now() = now(), $1::int4", false, "1 [Some(\"x\")]", "1 [Some(\"x\")]", "1 [Some(\"x\")]"),
        (
            "SELECT 'x', $1::int4::small",
            false,
            "1 [Some(\"x\")]",
            "23514 value for domain small violates check constraint \"small_check\" None",
            "1 [Some(\"x\")]",
        ),
    ] {
        let mut statement = s.prepare(sql).unwrap();
        let mut gone = 0;
        for _ in 0..3 {
            for (value, wanted) in [(Some(7), of_seven), (Some(i32::MAX), of_largest), (None, of_null)] {
                let (found, quick) = quickly(&mut s, &mut statement, &[&value]);
                assert_eq!(found, wanted, "{sql} of {value:?}");
                gone += quick;
            }
        }
        assert_eq!(gone > 0, is_quick, "{sql}: {gone}");
    }
    // Programs compute what is computed, where that is asked for.
    s.batch_execute("SET hathi.jit_force = on").unwrap();
    for (sql, is_quick) in [("SELECT 'x', $1::int4 + 1", false), ("SELECT 'x', $1::int4", true)] {
        let mut statement = s.prepare(sql).unwrap();
        let gone: u64 = (0..3).map(|_| quickly(&mut s, &mut statement, &[&1]).1).sum();
        assert_eq!(gone > 0, is_quick, "{sql} with force");
    }
}

#[test]
fn what_is_not_plain_goes_the_long_way() {
    let db = Database::in_memory().unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute(TABLE).unwrap();
    let mut read = s.prepare("SELECT s FROM t WHERE id = $1").unwrap();
    let mut write = s.prepare("UPDATE t SET v = v + 1 WHERE id = $1").unwrap();
    s.batch_execute("CREATE ROLE other").unwrap();
    s.batch_execute("GRANT ALL ON t TO other").unwrap();
    let both = |s: &mut Session, read: &mut Statement, write: &mut Statement| {
        let mut counts = [0; 2];
        for _ in 0..3 {
            counts = [quickly(s, read, &[&1]).1, quickly(s, write, &[&1]).1];
        }
        counts
    };
    assert_eq!(both(&mut s, &mut read, &mut write), [1, 1]);
    for (before, after, wanted) in [
        ("BEGIN", "COMMIT", [0, 0]),
        ("SET statement_timeout = '1h'", "RESET statement_timeout", [0, 0]),
        ("SET default_transaction_read_only = on", "RESET default_transaction_read_only", [1, 0]),
        ("CREATE TEMP TABLE x (a int) ON COMMIT DELETE ROWS", "DROP TABLE x", [0, 0]),
        ("SET ROLE other", "RESET ROLE", [0, 0]),
        ("CREATE TABLE y (t int REFERENCES t)", "DROP TABLE y", [1, 0]),
        ("ALTER TABLE t ADD CHECK (v < 1000)", "ALTER TABLE t DROP CONSTRAINT t_v_check", [1, 0]),
        ("CREATE INDEX t_v ON t (v)", "DROP INDEX t_v", [1, 0]),
        ("CREATE INDEX t_e ON t ((s || 'x'))", "DROP INDEX t_e", [1, 0]),
    ] {
        s.batch_execute(before).unwrap();
        assert_eq!(both(&mut s, &mut read, &mut write), wanted, "{before}");
        s.batch_execute(after).unwrap();
        assert_eq!(both(&mut s, &mut read, &mut write), [1, 1], "{after}");
    }
    s.batch_execute("SET default_transaction_read_only = on").unwrap();
    assert!(said(&mut s, &mut write, &[&1]).starts_with("25006"), "read only");
}

#[test]
fn a_table_that_changes_is_seen_as_it_is() {
    let db = Database::in_memory().unwrap();
    let (mut s, mut other) = (db.session().unwrap(), db.session().unwrap());
    s.batch_execute(TABLE).unwrap();
    let mut read = s.prepare("SELECT s FROM t WHERE id = $1").unwrap();
    let mut write = s.prepare("UPDATE t SET v = v + 1 WHERE id = $1").unwrap();
    for _ in 0..2 {
        assert_eq!(said(&mut s, &mut read, &[&5]), "1 [Some(\"text 5\")]");
        assert_eq!(said(&mut s, &mut write, &[&5]), "1 []");
    }
    other.batch_execute("TRUNCATE t; INSERT INTO t VALUES (5, 50, 1, 1, NULL, 'new', NULL)").unwrap();
    assert_eq!(said(&mut s, &mut read, &[&5]), "1 [Some(\"new\")]");
    assert_eq!(said(&mut s, &mut write, &[&5]), "1 []");
    assert_eq!(said(&mut s, &mut read, &[&6]), "0 []");
    other.batch_execute("ALTER TABLE t ALTER v TYPE bigint").unwrap();
    assert_eq!(said(&mut s, &mut write, &[&5]), "1 []");
    assert_eq!(s.query_one("SELECT v FROM t", &[]).unwrap().get::<_, i64>(0), 52);
    other.batch_execute("DROP TABLE t").unwrap();
    assert!(said(&mut s, &mut read, &[&5]).starts_with("42P01"));
    assert!(said(&mut s, &mut write, &[&5]).starts_with("42P01"));
}

#[test]
fn others_are_waited_for() {
    let db = Database::in_memory().unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute(TABLE).unwrap();
    // Many at one row: no change is lost.
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let mut s = db.session().unwrap();
            std::thread::spawn(move || {
                let mut write = s.prepare("UPDATE t SET v = v + 1 WHERE id = $1").unwrap();
                (0..500).for_each(|_| assert_eq!(s.execute_prepared(&mut write, &[&7]).unwrap(), 1));
                s.inner().quick_count()
            })
        })
        .collect();
    let quick: u64 = threads.into_iter().map(|t| t.join().unwrap()).sum();
    assert!(quick > 0);
    assert_eq!(s.query_one("SELECT v FROM t WHERE id = 7", &[]).unwrap().get::<_, i32>(0), 2007);
    // A row that somebody has changed or locked, or a table that somebody wants for himself.
    for (first, wanted) in [
        ("UPDATE t SET v = 100 WHERE id = 8", 101),
        ("SELECT FROM t WHERE id = 8 FOR UPDATE", 102),
        ("LOCK TABLE t IN SHARE MODE", 103),
        ("DELETE FROM t WHERE id = 8", 0),
    ] {
        let mut holder = db.session().unwrap();
        holder.batch_execute(&format!("BEGIN; {first}")).unwrap();
        let mut waiter = db.session().unwrap();
        let waiting = std::thread::spawn(move || {
            let mut write = waiter.prepare("UPDATE t SET v = v + 1 WHERE id = $1").unwrap();
            // So that the next one may go the short way.
            waiter.execute_prepared(&mut write, &[&9]).and_then(|_| waiter.execute_prepared(&mut write, &[&8]))
        });
        let waits = || db.runtime().engine().shared().locks.list().iter().any(|l| !l.granted);
        while !waits() {
            std::thread::yield_now();
        }
        holder.batch_execute("COMMIT").unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), u64::from(wanted > 0), "{first}");
        let found = s.query("SELECT v FROM t WHERE id = 8", &[]).unwrap();
        assert_eq!(found.first().map_or(0, |r| r.get::<_, i32>(0)), wanted, "{first}");
    }
    assert!(db.runtime().engine().shared().locks.list().is_empty());
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn a_reader_that_fails_leaves_nothing_behind() {
    let db = Database::in_memory().unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute(TABLE).unwrap();
    let mut read = s.prepare("SELECT s FROM t WHERE id = $1").unwrap();
    for _ in 0..3 {
        assert_eq!(said(&mut s, &mut read, &[&5]), "1 [Some(\"text 5\")]");
        let error = s.query_each(&mut read, &[&5], |_| Err(hathi::Error::internal("enough"))).unwrap_err();
        assert_eq!(error.message(), "enough");
        let panicked = s.query_each(&mut read, &[&5], |_| panic!("oh")).unwrap_err();
        assert_eq!(panicked.message(), "internal error: oh");
        assert!(db.runtime().engine().shared().locks.list().is_empty());
    }
    s.cancel_handle().terminate();
    assert!(said(&mut s, &mut read, &[&5]).starts_with("57P01"));
}
