//! Aggregates over large tables run on several threads: their answers are those of one, whatever happens on the way.

use hathi::{Database, Session};

/// A session that lets threads help with any table, over one of 30,000 rows.
fn session(db: &Database) -> Session {
    let mut s = db.session().unwrap();
    s.batch_execute(
        "CREATE TYPE mood AS ENUM ('sad', 'ok');
         CREATE TABLE t (id int PRIMARY KEY, g int, n numeric, f float8, s text, m mood);
         INSERT INTO t SELECT i, i % 7, i * 1.5, CASE WHEN i % 11 = 0 THEN NULL ELSE i END, 'text ' || i % 100, 'ok'
         FROM generate_series(1, 30000) i;
         CREATE TABLE u (k int, v int);
         INSERT INTO u SELECT i % 50, i FROM generate_series(1, 200) i;
         DELETE FROM t WHERE id % 10 = 3;
         ANALYZE;
         SET min_parallel_table_scan_size = 0",
    )
    .unwrap();
    s
}

fn rows(s: &mut Session, sql: &str) -> Vec<String> {
    s.query(&format!("SELECT x::text FROM ({sql}) x ORDER BY 1"), &[]).unwrap().iter().map(|r| r.get(0)).collect()
}

fn plan(s: &mut Session, sql: &str) -> String {
    let lines = s.query(&format!("EXPLAIN (COSTS OFF) {sql}"), &[]).unwrap();
    lines.iter().map(|r| r.get::<_, String>(0) + "\n").collect()
}

fn has_processors() -> bool {
    std::thread::available_parallelism().is_ok_and(|n| n.get() > 1)
}

const AGGREGATES: [&str; 13] = [
    "SELECT count(*), sum(n), avg(n), min(s), max(s), sum(f), bool_and(id > 0), variance(n) FROM t",
    "SELECT g, count(*), sum(id), min(n), max(n), avg(f), count(f) FROM t GROUP BY g",
    "SELECT s, g, sum(n) FILTER (WHERE id % 2 = 0), bit_or(id) FROM t WHERE id BETWEEN 100 AND 29000 GROUP BY s, g",
    "SELECT id, count(*) FROM t GROUP BY id HAVING count(*) > 0",
    // So many groups that threads put them together: by numbers near and far, several columns, bytes.
    "SELECT id, sum(n), avg(n), min(s), max(f), count(f), sum(id), bool_or(g = 1), variance(n) FROM t GROUP BY id",
    "SELECT id * 1000003::int8 AS k, count(*), sum(n) FROM t GROUP BY 1",
    "SELECT nullif(id % 20000, 7) AS k, g % 2 AS e, count(*), min(n), stddev(f) FROM t GROUP BY 1, 2",
    "SELECT nullif(n % 40000, 3) AS k, s, count(*), sum(g) FROM t GROUP BY 1, s",
    "SELECT k, count(*), sum(v) FROM t JOIN u ON g = k GROUP BY k",
    "SELECT k, count(*), sum(v), count(v) FROM t LEFT JOIN u ON id = k AND v > 60 GROUP BY k",
    "SELECT count(*), sum(n) FROM t WHERE g IN (SELECT k FROM u WHERE v > 100)",
    "SELECT count(*), sum(n) FROM t WHERE NOT EXISTS (SELECT FROM u WHERE k = g)",
    "SELECT sum(c) FROM (SELECT g, count(*) AS c FROM t JOIN u ON k = g % 5 GROUP BY g) q",
];

/// What is held until it is asked for, or sorted in parts; with the part of the plan that says so.
const OTHERS: [(&str, &str); 23] = [
    ("SELECT id, n, s FROM t WHERE id % 3 = 0 ORDER BY s, id DESC", "Gather\n"),
    ("SELECT id, n FROM t ORDER BY n DESC LIMIT 10 OFFSET 5", "Gather\n"),
    ("SELECT t.id, u.v FROM t JOIN u ON u.k = t.id ORDER BY t.id, u.v", "Gather\n"),
    ("SELECT count(*), sum(big.n) FROM u RIGHT JOIN (SELECT * FROM t WHERE s LIKE '%7') big ON big.g = u.k", ""),
    ("SELECT s, count(DISTINCT g), min(id) FROM t WHERE g > 2 GROUP BY s ORDER BY s", "Gather\n"),
    (
        "SELECT a.s, sum(b.n) FROM t a JOIN t b ON b.id = a.id + 1 WHERE a.g = 3 AND a.s < 'text 5' GROUP BY a.s ORDER BY a.s",
        "Gather\n",
    ),
    (
        "SELECT count(*) FROM t a WHERE a.g = 2 AND EXISTS (SELECT FROM t b WHERE b.id = a.id + 2 AND b.n > 100)",
        "Gather\n",
    ),
    (
        "SELECT a.g, b.id FROM t a LEFT JOIN t b ON b.id = a.id * 2 AND b.g > 3 WHERE a.s = 'text 5' ORDER BY a.id, b.id",
        "Gather\n",
    ),
    ("SELECT id FROM t WHERE g = 1 AND id IN (SELECT k FROM u) ORDER BY id", "Gather\n"),
    // So many rows that threads hash them: one number, two with NULLs, bytes; and what has no match.
    (
        "SELECT a.g, count(*), sum(b.n), sum(a.id) FROM t a LEFT JOIN (SELECT * FROM t WHERE id % 100 > 5) b ON b.id = a.id + 1 GROUP BY a.g ORDER BY a.g",
        "Gather\n",
    ),
    (
        "SELECT a.g, count(*), sum(b.n), sum(a.id) FROM t a JOIN (SELECT nullif(id, 9) AS i, nullif(g, 3) AS g, n FROM t WHERE id % 100 > 5) b ON b.i = a.id AND b.g = a.g GROUP BY a.g ORDER BY a.g",
        "Gather\n",
    ),
    (
        "SELECT a.g, count(*), sum(b.n), sum(a.id) FROM t a FULL JOIN (SELECT nullif(s || id % 20000, 'text 7') AS k, n FROM t WHERE g <> 2) b ON b.k = a.s || a.id GROUP BY a.g ORDER BY a.g",
        "",
    ),
    (
        "SELECT count(*), sum(id) FROM t a WHERE EXISTS (SELECT FROM t b WHERE b.g <> 4 AND b.f = a.f + 2 AND b.id > 100)",
        "Gather\n",
    ),
    (
        "SELECT count(*), sum(id) FROM t a WHERE NOT EXISTS (SELECT FROM t b WHERE b.g <> 4 AND b.f = a.f + 2 AND b.n > a.n)",
        "Gather\n",
    ),
    // What the right has alone is found once.
    (
        "SELECT k, count(*), count(s), sum(id) FROM t RIGHT JOIN u ON t.id = u.v + u.k * 100 GROUP BY k ORDER BY k",
        "Gather\n",
    ),
    (
        "SELECT k, g, count(*), sum(v) FROM t FULL JOIN u ON t.id = u.v * 301 AND u.k > 10 GROUP BY k, g ORDER BY k, g",
        "Gather\n",
    ),
    (
        "SELECT a.g, count(*), sum(b.id) FROM t a FULL JOIN (SELECT u.v, t.id FROM t RIGHT JOIN u ON t.id = u.v * 7) b ON a.id = b.v * 2 GROUP BY a.g ORDER BY a.g",
        "Gather\n",
    ),
    // Queries in expressions are answered before there are threads.
    ("SELECT id, s FROM t WHERE g NOT IN (SELECT k FROM u WHERE v % 50 > 5) ORDER BY s, id", "Gather\n"),
    (
        "SELECT count(*), sum(n) FROM t WHERE g <> ALL (SELECT CASE WHEN v > 190 THEN NULL ELSE 3 END FROM u)",
        "Gather\n",
    ),
    ("SELECT count(*), sum(n) FROM t WHERE n > (SELECT avg(n) FROM t WHERE g = 2)", "Gather\n"),
    ("SELECT count(*), sum(n) FROM t WHERE id % 3 > ALL (SELECT v - 200 FROM u)", "Gather\n"),
    ("SELECT count(*), sum(id) FROM t WHERE g = 1 OR (f IS NULL AND EXISTS (SELECT FROM u WHERE v = 7))", "Gather\n"),
    ("SELECT s, (ARRAY(SELECT v FROM u ORDER BY v))[5] + id FROM t WHERE g = 2 ORDER BY s, 2", ""),
];

#[test]
fn what_threads_hand_up_is_what_one_would() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    let ordered = |s: &mut Session, sql: &str| -> Vec<String> {
        s.query(&format!("SELECT x::text FROM ({sql}) x"), &[]).unwrap().iter().map(|r| r.get(0)).collect()
    };
    for (sql, shown) in OTHERS {
        for way in ["", "SET enable_nestloop = off", "SET enable_nestloop = on; SET enable_hashjoin = off"] {
            s.batch_execute(way).unwrap();
            s.batch_execute("SET max_parallel_workers_per_gather = 0").unwrap();
            let alone = ordered(&mut s, sql);
            s.batch_execute("SET max_parallel_workers_per_gather = 4").unwrap();
            if has_processors() && way.is_empty() {
                let plan = plan(&mut s, sql);
                assert!(plan.contains(shown), "{sql}: {plan}");
            }
            assert_eq!(ordered(&mut s, sql), alone, "{sql}, {way}");
            s.batch_execute("SET work_mem = '64kB'").unwrap();
            assert_eq!(ordered(&mut s, sql), alone, "{sql}, {way}, in little memory");
            s.batch_execute("RESET work_mem").unwrap();
        }
        s.batch_execute("RESET enable_hashjoin; RESET enable_nestloop").unwrap();
    }
}

#[test]
fn threads_together_answer_as_one() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    for sql in AGGREGATES {
        s.batch_execute("SET max_parallel_workers_per_gather = 0").unwrap();
        assert!(!plan(&mut s, sql).contains("Gather"), "{sql}");
        let alone = rows(&mut s, sql);
        s.batch_execute("SET max_parallel_workers_per_gather = 4").unwrap();
        assert_eq!(plan(&mut s, sql).contains("Parallel Seq Scan on t"), has_processors(), "{sql}");
        assert_eq!(rows(&mut s, sql), alone, "{sql}");
        // What does not fit, is grouped and joined by one after all.
        s.batch_execute("SET work_mem = '64kB'").unwrap();
        assert_eq!(rows(&mut s, sql), alone, "{sql} in little memory");
        s.batch_execute("RESET work_mem").unwrap();
        // Prepared, run over and over.
        let mut prepared = s.prepare(&format!("SELECT x::text FROM ({sql}) x ORDER BY 1")).unwrap();
        for _ in 0..3 {
            let again: Vec<String> = s.query_prepared(&mut prepared, &[]).unwrap().iter().map(|r| r.get(0)).collect();
            assert_eq!(again, alone, "{sql} prepared");
        }
    }
}

#[test]
fn threads_see_what_the_statement_sees() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    let count =
        |s: &mut Session| s.query_one("SELECT count(*), sum(id) FROM t WHERE g >= 0", &[]).unwrap().get::<_, i64>(0);
    assert_eq!(count(&mut s), 27000);
    let mut other = db.session().unwrap();
    s.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; DELETE FROM t WHERE id <= 1000").unwrap();
    assert_eq!(count(&mut s), 26100);
    other.batch_execute("UPDATE t SET g = -1 WHERE id > 29000; INSERT INTO t (id, g) VALUES (40000, 1)").unwrap();
    assert_eq!(count(&mut s), 26100);
    s.batch_execute("ROLLBACK").unwrap();
    assert_eq!(count(&mut s), 26101);
}

#[test]
fn a_threads_error_is_the_statements() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    for id in [1, 12000, 29999] {
        let e = s.query("SELECT sum(1 / (id - $1)) FROM t", &[&id]).unwrap_err();
        assert_eq!((e.state().as_str(), e.message()), ("22012", "division by zero"));
    }
    // And the session goes on.
    assert_eq!(s.query_one("SELECT count(*) FROM t", &[]).unwrap().get::<_, i64>(0), 27000);
    s.batch_execute("SET statement_timeout = 30").unwrap();
    let e = s.query("SELECT count(*) FROM t a JOIN t b ON a.g = b.g JOIN t c ON c.g = b.g", &[]).unwrap_err();
    assert_eq!(e.state().as_str(), "57014");
}

#[test]
fn plans_show_the_threads() {
    if !has_processors() {
        return;
    }
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    s.batch_execute("SET max_parallel_workers_per_gather = 1").unwrap();
    // As PostgreSQL 18 prints such plans.
    let expected = "Finalize HashAggregate\n  Group Key: g\n  ->  Gather\n        Workers Planned: 1\n        ->  Partial HashAggregate\n              Group Key: g\n              ->  Parallel Seq Scan on t\n                    Filter: (id > 10)\n";
    assert_eq!(plan(&mut s, "SELECT g, count(*) FROM t WHERE id > 10 GROUP BY g"), expected);
    // What depends on more than the row stays on one thread.
    for sql in [
        "SELECT count(random()) FROM t",
        "SELECT array_agg(id) FROM t",
        "SELECT count(DISTINCT g) FROM t",
        "SELECT max(m) FROM t",
        "SELECT count(*) FROM t WHERE now() > '2000-01-01' AND id > (SELECT min(k) FROM u)",
        "DELETE FROM t WHERE id = (SELECT max(id) FROM t WHERE s = 'x')",
    ] {
        let plan = plan(&mut s, sql);
        assert!(!plan.starts_with("Finalize") && !plan.contains("Delete on t\n  ->  Gather"), "{sql}: {plan}");
    }
    let analyzed = s.query("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT sum(id) FROM t", &[]).unwrap();
    let text: String = analyzed.iter().map(|r| r.get::<_, String>(0) + "\n").collect();
    assert!(text.contains("Workers Launched: 1"), "{text}");
}
