//! Index-only scans under changes: whatever others do, and have not committed yet, entries say what a look at all rows says.

use hathi::{Database, Session};

use crate::draw::Draw;

const SCHEMA: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b text, n numeric);
     CREATE INDEX t_a ON t (a) INCLUDE (b, n);
     CREATE UNIQUE INDEX t_u ON t (id) INCLUDE (a);
     CREATE INDEX t_part ON t (a, b) WHERE a > 20;
     INSERT INTO t SELECT i, i % 60, 'b' || i, i / 4.0 FROM generate_series(1, 2000) i";

const QUERIES: &[&str] = &[
    "SELECT count(*), sum(id), sum(a) FROM t WHERE id > 0",
    "SELECT count(*), sum(a), max(b), min(b), sum(n) FROM t WHERE a >= 0",
    "SELECT count(*), max(b) FROM t WHERE a > 20",
    "SELECT count(*), sum(n) FROM t WHERE a = 7",
    "SELECT count(*), sum(id) FROM t WHERE id BETWEEN 500 AND 1500",
];

const ROWS: &str = "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off";
const ENTRIES: &str = "RESET ALL; SET enable_seqscan = off; SET enable_indexscan = off; SET enable_bitmapscan = off";

fn answer(session: &mut Session, sql: &str) -> String {
    let row = session.query(&format!("SELECT x::text FROM ({sql}) x"), &[]).unwrap();
    row[0].get(0)
}

/// The rows that an index-only scan had to look at.
fn fetches(session: &mut Session, sql: &str) -> u64 {
    session.batch_execute(ENTRIES).unwrap();
    let rows = session.query(&format!("EXPLAIN (ANALYZE, COSTS OFF) {sql}"), &[]).unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let line = lines.iter().find_map(|l| l.trim().strip_prefix("Heap Fetches: "));
    let count = line.unwrap_or_else(|| panic!("{}", lines.join("\n"))).parse().unwrap();
    session.batch_execute("RESET ALL").unwrap();
    count
}

fn run(seed: u64, steps: usize) {
    let mut r = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let db = Database::in_memory().unwrap();
    db.session().unwrap().batch_execute(SCHEMA).unwrap();
    let mut sessions: Vec<Session> = (0..4).map(|_| db.session().unwrap()).collect();
    // Session 0 never is in a transaction.
    let mut open = [false; 4];
    for step in 0..steps {
        let who = r.below(4);
        let session = &mut sessions[who];
        let id = 1 + r.below(2400);
        let sql = match r.below(14) {
            0..=2 => format!("UPDATE t SET a = {} WHERE id = {id}", r.below(60)),
            3 => format!("UPDATE t SET b = 'c{step}' WHERE id = {id}"),
            4 => format!("UPDATE t SET n = {step} WHERE a = {}", r.below(60)),
            5 => format!("DELETE FROM t WHERE id = {id}"),
            6 | 7 => format!("INSERT INTO t VALUES ({id}, {}, 'd{step}', 1) ON CONFLICT DO NOTHING", r.below(60)),
            8 if !open[who] && who > 0 => {
                open[who] = true;
                ["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"][r.below(2)].to_owned()
            }
            8 | 9 if open[who] => {
                open[who] = false;
                ["COMMIT", "COMMIT", "ROLLBACK"][r.below(3)].to_owned()
            }
            10 if open[who] => format!(
                "SAVEPOINT s; UPDATE t SET a = a + 1 WHERE id = {id}; UPDATE t SET a = a - 1 WHERE id = {id}; \
                 DELETE FROM t WHERE id = {}; {}",
                id / 2,
                ["ROLLBACK TO s", "RELEASE s"][r.below(2)]
            ),
            11 if who == 0 => "VACUUM t".to_owned(),
            _ => "SELECT 1".to_owned(),
        };
        session.batch_execute("SET lock_timeout = '5ms'").unwrap();
        if session.batch_execute(&sql).is_err() && open[who] {
            // A row was another's, or has changed since.
            session.batch_execute("ROLLBACK").unwrap();
            open[who] = false;
        }
        let (reader, query) = (r.below(4), QUERIES[r.below(QUERIES.len())]);
        let session = &mut sessions[reader];
        session.batch_execute(ROWS).unwrap();
        let expected = answer(session, query);
        session.batch_execute(ENTRIES).unwrap();
        let found = answer(session, query);
        session.batch_execute("RESET ALL").unwrap();
        assert_eq!(found, expected, "seed {seed}, step {step}: {sql}; then {query} by {reader}");
    }
}

#[test]
fn entries_and_rows_agree() {
    match std::env::var("HATHI_ACCESS_SEED").ok().and_then(|s| s.parse().ok()) {
        Some(seed) => run(seed, 5000),
        None => (1..=6).for_each(|seed| run(seed, 250)),
    }
}

#[test]
fn rows_are_looked_at_once() {
    let db = Database::in_memory().unwrap();
    let (mut one, mut two) = (db.session().unwrap(), db.session().unwrap());
    one.batch_execute(SCHEMA).unwrap();
    let sql = QUERIES[1];
    one.batch_execute("VACUUM").unwrap();
    assert_eq!(fetches(&mut one, sql), 0);
    two.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t").unwrap();
    let before = answer(&mut two, sql);
    one.batch_execute("UPDATE t SET a = 70 WHERE id = 5").unwrap();
    // Rows of the changed page, for as long as somebody sees it otherwise.
    assert!(fetches(&mut one, sql) > 0);
    assert!(fetches(&mut one, sql) > 0);
    assert!(fetches(&mut two, sql) > 0);
    assert_eq!(answer(&mut two, sql), before);
    assert_ne!(answer(&mut one, sql), before);
    two.batch_execute("COMMIT").unwrap();
    // The purge is the engine's, and may take a moment.
    let settled = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        fetches(&mut one, sql) == 0
    });
    assert!(settled);
    // A change that is taken back leaves nothing behind.
    one.batch_execute("BEGIN; UPDATE t SET a = a + 1, b = 'x'; ROLLBACK; VACUUM t").unwrap();
    assert_eq!(fetches(&mut one, sql), 0);
}

#[test]
fn to_look_at_a_part_of_a_leaf_settles_nothing_else() {
    let db = Database::builder().background(false).in_memory().unwrap();
    let mut s = db.session().unwrap();
    // Rows on several pages, whose entries are on one.
    s.batch_execute(
        "CREATE TABLE t (a int, b text); CREATE INDEX t_a ON t (a);
         INSERT INTO t SELECT i, repeat('x', 400) FROM generate_series(1, 300) i",
    )
    .unwrap();
    db.runtime().engine().purge().unwrap();
    // The page of this row has an older version, and the leaf an entry that nobody's row has any more.
    s.batch_execute("UPDATE t SET a = 1000 WHERE a = 5").unwrap();
    for _ in 0..2 {
        assert_eq!(fetches(&mut s, "SELECT count(*) FROM t WHERE a BETWEEN 200 AND 290"), 91);
        s.batch_execute(ENTRIES).unwrap();
        assert_eq!(answer(&mut s, "SELECT count(*) FROM t WHERE a < 100"), "(98)");
    }
    db.runtime().engine().purge().unwrap();
    assert_eq!(fetches(&mut s, "SELECT count(*) FROM t WHERE a BETWEEN 200 AND 290"), 91);
    assert_eq!(fetches(&mut s, "SELECT count(*) FROM t WHERE a BETWEEN 200 AND 290"), 0);
    assert_eq!(answer(&mut s, "SELECT count(*) FROM t WHERE a < 100"), "(98)");
}

/// What is moved from row to row is neither lost nor there twice, whoever looks when.
#[test]
fn a_sum_stays_what_it_is() {
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    session
        .batch_execute(
            "CREATE TABLE account (id int PRIMARY KEY, balance int);
             CREATE INDEX by_balance ON account (balance, id);
             INSERT INTO account SELECT i, 100 FROM generate_series(1, 600) i",
        )
        .unwrap();
    let movers = (1..3u64).map(|seed| {
        let mut session = db.session().unwrap();
        std::thread::spawn(move || {
            let mut r = Draw(seed * 77_777 + 1);
            for step in 0..250 {
                let (from, to, sum) = (1 + r.below(300), 301 + r.below(300), r.below(50));
                let end = if step % 5 == 0 { "ROLLBACK" } else { "COMMIT" };
                session
                    .batch_execute(&format!(
                        "BEGIN; UPDATE account SET balance = balance - {sum} WHERE id = {from}; \
                         UPDATE account SET balance = balance + {sum} WHERE id = {to}; {end}"
                    ))
                    .unwrap();
            }
        })
    });
    let movers: Vec<_> = movers.collect();
    session.batch_execute(ENTRIES).unwrap();
    let mut looks = 0;
    while looks < 20 || movers.iter().any(|m| !m.is_finished()) {
        let found = answer(&mut session, "SELECT count(*), sum(balance) FROM account WHERE balance > -1000000");
        assert_eq!(found, "(600,60000)");
        looks += 1;
    }
    movers.into_iter().for_each(|m| m.join().unwrap());
}
