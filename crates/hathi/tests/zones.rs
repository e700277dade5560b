//! Scans that pass by blocks find what scans that read all of them find, whatever was changed, undone or is seen by whom (Z1).

use hathi::{Database, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Pages that a query touches.
fn pages(session: &mut Session, sql: &str) -> usize {
    let plan = session.query(&format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF) {sql}"), &[]).unwrap();
    let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let line = lines.iter().find(|l| l.contains("Buffers: shared hit=")).unwrap();
    line.split("hit=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
}

fn found(session: &mut Session, sql: &str) -> (i64, Option<i64>) {
    let row = session.query_one(sql, &[]).unwrap();
    (row.get(0), row.get(1))
}

/// The same question so that zones answer it, and so that they cannot.
fn check(session: &mut Session, rng: &mut ChaCha8Rng, what: &str) {
    for column in ["id", "day", "wide", "few"] {
        let (low, width) = (rng.random_range(-50..20_000), [0, 1, 10, 500, 30_000][rng.random_range(0..5)]);
        let value = |n: i32| match column {
            "day" => format!("(date '2000-01-01' + {n})"),
            "wide" => format!("{}", i64::from(n) * 3_000_000_000),
            _ => n.to_string(),
        };
        let (low, high) = (value(low), value(low + width));
        let hidden = format!("CASE WHEN true THEN {column} END");
        for (zoned, plain) in [
            (format!("{column} BETWEEN {low} AND {high}"), format!("{hidden} BETWEEN {low} AND {high}")),
            (format!("{column} <> {low}"), format!("{hidden} <> {low}")),
            (format!("{column} < {low}"), format!("{hidden} < {low}")),
        ] {
            for select in ["count(*), sum(id)", "count(few), max(id)::bigint"] {
                let ask = |condition: &str| format!("SELECT {select} FROM t WHERE {condition}");
                let (with, without) = (found(session, &ask(&zoned)), found(session, &ask(&plain)));
                assert_eq!(with, without, "{what}: {zoned}");
            }
        }
    }
}

#[test]
fn blocks_that_cannot_have_it_are_not_read() {
    let database = Database::in_memory().unwrap();
    let mut session = database.session().unwrap();
    // As long as somebody looks at what was before, nobody forgets how the rows came.
    let mut old = database.session().unwrap();
    old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").unwrap();
    session
        .batch_execute(
            "CREATE TABLE t(id int, v text); INSERT INTO t SELECT i, repeat('v', 100) FROM generate_series(1, 50000) i",
        )
        .unwrap();
    let sql = "SELECT count(*) FROM t WHERE id BETWEEN 20000 AND 20010";
    assert!(pages(&mut session, sql) > 100);
    assert!(pages(&mut session, sql) > 100);
    // Then the next scan learns what there is.
    old.batch_execute("COMMIT").unwrap();
    session.batch_execute("VACUUM t").unwrap();
    assert!(pages(&mut session, sql) > 100);
    let few = pages(&mut session, sql);
    assert!(few <= 3, "{few}");
    assert_eq!(session.query_one(sql, &[]).unwrap().get::<_, i64>(0), 11);
    // What was written is read again.
    session
        .batch_execute("UPDATE t SET id = 20005 WHERE id = 3; INSERT INTO t VALUES (20006, ''), (NULL, '')")
        .unwrap();
    assert_eq!(session.query_one(sql, &[]).unwrap().get::<_, i64>(0), 13);
    assert!(pages(&mut session, sql) < 10);
}

#[test]
fn zones_say_nothing_that_is_not_so() {
    for seed in 0..4 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let database = Database::in_memory().unwrap();
        let mut sessions: Vec<Session> = (0..3).map(|_| database.session().unwrap()).collect();
        sessions[0]
            .batch_execute(
                "CREATE TABLE t(id int, day date, wide bigint, few smallint, v text);
             INSERT INTO t SELECT i, date '2000-01-01' + i, i * 3000000000, nullif(i % 1000, 7), repeat('v', 60)
             FROM generate_series(1, 16000) i",
            )
            .unwrap();
        // One that looks at an older state all the time.
        sessions[2].batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
        check(&mut sessions[2], &mut rng, "old");
        for turn in 0..40 {
            let what = format!("seed {seed}, turn {turn}");
            let id = rng.random_range(1..17_000);
            let change = match rng.random_range(0..6) {
                0 => format!("UPDATE t SET id = {}, few = 31000 WHERE id = {id}", rng.random_range(-100..40_000)),
                1 => format!("DELETE FROM t WHERE id BETWEEN {id} AND {}", id + rng.random_range(0..300)),
                2 => format!("INSERT INTO t SELECT i, NULL, i, -i, 'new' FROM generate_series({id}, {}) i", id + 20),
                3 => format!("UPDATE t SET day = day - 9000, wide = -wide WHERE id BETWEEN {id} AND {}", id + 100),
                4 => format!(
                    "SAVEPOINT s; UPDATE t SET id = id + 20000, day = NULL WHERE id % 50 = {}; ROLLBACK TO s",
                    id % 50
                ),
                _ => format!("UPDATE t SET v = v || 'longer' WHERE id = {id}"),
            };
            sessions[1].batch_execute(&format!("BEGIN; {change}")).unwrap();
            // What its own transaction sees, what others do, and what is so once it has ended.
            check(&mut sessions[1], &mut rng, &what);
            check(&mut sessions[0], &mut rng, &what);
            sessions[1].batch_execute(["COMMIT", "ROLLBACK"][rng.random_range(0..2)]).unwrap();
            check(&mut sessions[0], &mut rng, &what);
            check(&mut sessions[2], &mut rng, &what);
            if turn % 8 == 7 {
                sessions[0].batch_execute("VACUUM t").unwrap();
            }
            if turn == 20 {
                sessions[2].batch_execute("COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
            }
        }
    }
}
