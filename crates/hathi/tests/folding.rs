//! Aggregates that are folded on pages come to what they come to row by row: with `jit` on and off, whatever the pages look like.

use hathi::{Database, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Some dozens of pages of every kind of column that code reads, with extremes and NULLs among them.
const TABLE: &str = "CREATE TABLE t (id int, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, b bool, o oid, d date, ts timestamp, name text);
    INSERT INTO t SELECT i,
        CASE WHEN i % 7 = 0 THEN NULL WHEN i % 211 = 3 THEN 32767 ELSE i % 200 - 100 END,
        CASE WHEN i % 11 = 0 THEN NULL WHEN i % 4001 = 5 THEN 2147483647 WHEN i % 4001 = 6 THEN -2147483648 ELSE i - 1500 END,
        CASE WHEN i % 13 = 0 THEN NULL WHEN i % 601 = 7 THEN 9223372036854775807 WHEN i % 6001 = 7 THEN -9223372036854775808 ELSE i::int8 * 1000003 END,
        CASE WHEN i % 17 = 0 THEN NULL WHEN i % 701 = 1 THEN 'NaN'::float4 WHEN i % 701 = 2 THEN 'Infinity' ELSE i / 7.0 END,
        CASE WHEN i % 19 = 0 THEN NULL WHEN i % 801 = 1 THEN '-Infinity'::float8 WHEN i % 80 = 2 THEN '-0' WHEN i % 80 = 3 THEN 0 ELSE i * 0.37 END,
        CASE WHEN i % 5 = 0 THEN NULL ELSE i % 3 = 0 END,
        CASE WHEN i % 23 = 0 THEN NULL ELSE (i::int8 * 400000 % 4294967296)::oid END,
        CASE WHEN i % 29 = 0 THEN NULL ELSE date '2000-01-01' + i END,
        CASE WHEN i % 31 = 0 THEN NULL ELSE timestamp '2000-01-01' + i * interval '1 hour' END,
        CASE WHEN i % 3 = 0 THEN NULL ELSE 'name ' || i END
    FROM generate_series(1, 20000) i";

fn pick<'l>(rng: &mut ChaCha8Rng, list: &[&'l str]) -> &'l str {
    list[rng.random_range(0..list.len())]
}

/// A number of a row, as text; sums of it may be too large, and then are an error with and without code.
fn number(rng: &mut ChaCha8Rng) -> String {
    match rng.random_range(0..8) {
        0..5 => pick(rng, &["i2", "i4", "i8", "id"]).to_owned(),
        5 => format!("i2 * {}", rng.random_range(-5..5)),
        6 => format!("coalesce(i4, {})", rng.random_range(-5..5)),
        _ => "CASE WHEN b THEN i4 ELSE id END".to_owned(),
    }
}

fn truth(rng: &mut ChaCha8Rng) -> String {
    let k = rng.random_range(-500..21_000);
    match rng.random_range(0..9) {
        0 => format!("id < {k}"),
        1 => format!("i4 >= {k} AND i2 < 50"),
        2 => "b".to_owned(),
        3 => "f8 > 100 OR i2 = 3".to_owned(),
        4 => "d > '2010-05-01' AND NOT b".to_owned(),
        5 => format!("i8 IN (1000003, 2000006, {k}) OR ts < '2001-01-01'"),
        6 => "i4 IS NULL".to_owned(),
        7 => "id < 0".to_owned(),
        _ => format!("i2 % 7 = 3 AND id <> {k}"),
    }
}

fn aggregate(rng: &mut ChaCha8Rng) -> String {
    let call = match rng.random_range(0..9) {
        0 => "count(*)".to_owned(),
        1 => format!("count({})", pick(rng, &["i2", "i8", "b", "f4", "d"])),
        2..4 => format!("sum({})", number(rng)),
        4 => format!("avg({})", number(rng)),
        5 => format!("{}({})", pick(rng, &["bool_and", "bool_or", "every"]), truth(rng)),
        _ => {
            let column = pick(rng, &["i2", "i4", "i8", "f4", "f8", "o", "d", "ts"]);
            format!("{}({column})", pick(rng, &["min", "max"]))
        }
    };
    if rng.random_bool(0.2) { format!("{call} FILTER (WHERE {})", truth(rng)) } else { call }
}

fn query(rng: &mut ChaCha8Rng) -> String {
    let list: Vec<String> =
        (0..rng.random_range(1..5)).map(|_| format!("coalesce(({})::text, 'NULL')", aggregate(rng))).collect();
    let filter = if rng.random_bool(0.8) { format!(" WHERE {}", truth(rng)) } else { String::new() };
    format!("SELECT concat_ws(' ', {}) FROM t{filter}", list.join(", "))
}

fn outcome(s: &mut Session, sql: &str) -> Result<String, String> {
    s.query_one(sql, &[]).map(|row| row.get(0)).map_err(|e| format!("{e:?}"))
}

/// Compares what random aggregates come to with code and without.
fn compare([on, off]: [&mut Session; 2], seeds: std::ops::Range<u64>) {
    let mut errors = Vec::new();
    for seed in seeds.clone() {
        let sql = query(&mut ChaCha8Rng::seed_from_u64(seed));
        let wanted = outcome(off, &sql);
        assert_eq!(outcome(on, &sql), wanted, "seed {seed}: {sql}");
        errors.extend(wanted.err());
    }
    assert!(errors.len() * 10 < seeds.count(), "{} errors: {:?}", errors.len(), errors.first());
}

fn sessions(db: &Database) -> [Session; 2] {
    let [on, mut off] = [db.session().unwrap(), db.session().unwrap()];
    off.batch_execute("SET jit = off").unwrap();
    [on, off]
}

fn steps(s: &mut Session) -> [i64; 2] {
    let row = s.query_one("SELECT native_steps, tile_rows FROM hathi_jit", &[]).unwrap();
    [row.get(0), row.get(1)]
}

const CODE: bool = cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

#[test]
fn folded_aggregates_are_the_same() {
    let db = Database::in_memory().unwrap();
    let [mut on, mut off] = sessions(&db);
    on.batch_execute(TABLE).unwrap();
    on.batch_execute("SET max_parallel_workers_per_gather = 0").unwrap();
    let before = steps(&mut on);
    compare([&mut on, &mut off], 0..250);
    let after = steps(&mut on);
    assert!(!CODE || after[0] > before[0] + 250 * 20_000, "{before:?} {after:?}");
    // Pages with holes, and such on which some rows are new, old, or changed to others.
    on.batch_execute("DELETE FROM t WHERE id % 900 < 30 OR id BETWEEN 7000 AND 9000 OR id > 17000 AND id % 3 = 0")
        .unwrap();
    compare([&mut on, &mut off], 250..350);
    let mut other = db.session().unwrap();
    other
        .batch_execute("BEGIN; UPDATE t SET i4 = 5, i2 = NULL WHERE id % 700 = 1; DELETE FROM t WHERE id % 700 = 2")
        .unwrap();
    other.batch_execute("INSERT INTO t SELECT * FROM t WHERE id < 100").unwrap();
    compare([&mut on, &mut off], 350..450);
    let own = "SELECT concat_ws(' ', sum(i4), count(*), min(i2)) FROM t WHERE id < 10000";
    let seen = outcome(&mut other, own);
    other.batch_execute("SET jit = off").unwrap();
    assert_eq!(seen, outcome(&mut other, own));
    assert_ne!(seen, outcome(&mut on, own));
    other.batch_execute("ROLLBACK; TRUNCATE t").unwrap();
    compare([&mut on, &mut off], 450..500);
}

/// Of wide rows a page has fewer than a tile.
#[test]
fn wide_rows_are_folded_where_they_lie() {
    let db = Database::in_memory().unwrap();
    let [mut on, mut off] = sessions(&db);
    on.batch_execute(TABLE).unwrap();
    let columns: Vec<String> = (0..400).map(|i| format!("nullif(id % 1000, {i})::int8 AS p{i}")).collect();
    let columns = columns.join(", ");
    on.batch_execute(&format!(
        "ALTER TABLE t RENAME TO narrow; CREATE TABLE t AS SELECT *, {columns} FROM narrow WHERE id <= 2000"
    ))
    .unwrap();
    on.batch_execute("SET max_parallel_workers_per_gather = 0").unwrap();
    let sums = |n: usize| (1..n).fold("p0".to_owned(), |sum, i| format!("{sum} + coalesce(p{i}, {i})"));
    let wide = |n| format!("SELECT concat_ws(' ', sum({}), min(i4 + p3), count(p399)) FROM t WHERE i2 > -90", sums(n));
    let before = steps(&mut on);
    for n in [100, 100, 100, 100, 150] {
        let found = outcome(&mut on, &wide(n));
        assert!(found.is_ok() && found == outcome(&mut off, &wide(n)), "{found:?}");
    }
    let after = steps(&mut on);
    assert!(!CODE || after[0] > before[0] + 5 * 2000 * 100, "{before:?} {after:?}");
    compare([&mut on, &mut off], 600..650);
    on.batch_execute("DELETE FROM t WHERE id % 9 = 4 OR id BETWEEN 700 AND 800").unwrap();
    compare([&mut on, &mut off], 650..700);
    let mut other = db.session().unwrap();
    other.batch_execute("BEGIN; UPDATE t SET p3 = 8, p5 = NULL WHERE id % 70 = 1").unwrap();
    for n in [100, 150] {
        assert_eq!(outcome(&mut on, &wide(n)), outcome(&mut off, &wide(n)));
    }
    // One row is too much for all.
    other.batch_execute("UPDATE t SET p50 = 9223372036854775807 WHERE id = 1500; COMMIT").unwrap();
    assert_eq!(outcome(&mut on, &wide(100)), outcome(&mut off, &wide(100)));
    assert!(outcome(&mut on, &wide(100)).is_err_and(|e| e.contains("bigint out of range")));
}

#[test]
fn threads_fold_together() {
    let db = Database::in_memory().unwrap();
    let [mut on, mut off] = sessions(&db);
    on.batch_execute(TABLE).unwrap();
    on.batch_execute(
        "SET max_parallel_workers_per_gather = 2; SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0",
    )
    .unwrap();
    compare([&mut on, &mut off], 500..600);
}

#[test]
fn errors_are_those_of_rows() {
    let db = Database::in_memory().unwrap();
    let [mut on, mut off] = sessions(&db);
    on.batch_execute(TABLE).unwrap();
    for (sql, error) in [
        ("SELECT sum(i4 + 1)::text FROM t", Some("integer out of range")),
        ("SELECT sum(id / (id - 15000))::text FROM t", Some("division by zero")),
        ("SELECT sum(id / (id - 15000)) FILTER (WHERE id <> 15000)::text FROM t", None),
        ("SELECT sum(id / (id - 15000))::text FROM t WHERE id <> 15000", None),
        ("SELECT sum(i2 * 2::int2)::text FROM t", Some("smallint out of range")),
        ("SELECT max(i8 - 1)::text FROM t", Some("bigint out of range")),
        ("SELECT sum(i8)::text FROM t", None),
    ] {
        let found = outcome(&mut on, sql);
        assert_eq!(found, outcome(&mut off, sql), "{sql}");
        match error {
            Some(error) => assert!(found.as_ref().is_err_and(|e| e.contains(error)), "{sql}: {found:?}"),
            None => assert!(found.is_ok(), "{sql}: {found:?}"),
        }
    }
}

#[test]
fn explain_counts_rows_that_were_folded() {
    let db = Database::in_memory().unwrap();
    let [mut on, mut off] = sessions(&db);
    on.batch_execute(TABLE).unwrap();
    for setting in ["SET max_parallel_workers_per_gather = 0", "SET max_parallel_workers_per_gather = 2"] {
        for s in [&mut on, &mut off] {
            s.batch_execute(setting).unwrap();
        }
        for sql in ["SELECT sum(i4) FROM t WHERE id <= 12345 AND i2 < 3", "SELECT count(*), max(f8) FROM t"] {
            let explain = format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {sql}");
            let lines = |s: &mut Session| -> Vec<String> {
                let rows = s.query(&explain, &[]).unwrap();
                rows.iter().map(|r| r.get::<_, String>(0)).filter(|l| !l.contains("Buffers")).collect()
            };
            assert_eq!(lines(&mut on), lines(&mut off), "{sql}");
            let lines = on.query(&format!("EXPLAIN (ANALYZE, COSTS OFF, JIT) {sql}"), &[]).unwrap();
            let has = |text: &str| lines.iter().any(|r| r.get::<_, String>(0).contains(text));
            assert_eq!(has("JIT:"), CODE, "{sql}");
        }
    }
}

#[test]
fn a_prepared_statement_folds_by_its_parameters() {
    let db = Database::in_memory().unwrap();
    let [mut on, mut off] = sessions(&db);
    on.batch_execute(TABLE).unwrap();
    let sql = "SELECT concat_ws(' ', sum(i4), avg(i8), count(b), min(f8), max(i4 + $2)) FROM t WHERE id < $1";
    let (mut a, mut b) = (on.prepare(sql).unwrap(), off.prepare(sql).unwrap());
    for (k, n) in
        [(Some(3), Some(1)), (Some(20_001), Some(0)), (None, Some(5)), (Some(4000), None), (Some(12_000), Some(-7))]
    {
        let one = |s: &mut Session, statement: &mut hathi::Statement| -> Result<String, String> {
            let rows = s.query_prepared(statement, &[&k, &n]).map_err(|e| format!("{e:?}"))?;
            Ok(rows.first().unwrap().get(0))
        };
        assert_eq!(one(&mut on, &mut a), one(&mut off, &mut b), "{k:?} {n:?}");
    }
}
