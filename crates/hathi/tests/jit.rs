//! Expressions run as code: with `jit` on and off a query has the same rows and the same errors, whatever it computes; and what one session compiled others use.

use hathi::{Database, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A row of every kind of column that code reads, with extremes and NULLs among them.
pub(crate) const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, b bool, o oid, d date, ts timestamp, n int4 NOT NULL);
    INSERT INTO t SELECT i,
        CASE WHEN i % 7 = 0 THEN NULL WHEN i % 211 = 3 THEN 32767 ELSE i % 200 - 100 END,
        CASE WHEN i % 11 = 0 THEN NULL WHEN i % 401 = 5 THEN 2147483647 WHEN i % 401 = 6 THEN -2147483648 ELSE i - 1500 END,
        CASE WHEN i % 13 = 0 THEN NULL WHEN i % 601 = 7 THEN 9223372036854775807 ELSE i::int8 * 1000003 END,
        CASE WHEN i % 17 = 0 THEN NULL WHEN i % 701 = 1 THEN 'NaN'::float4 WHEN i % 701 = 2 THEN 'Infinity' ELSE i / 7.0 END,
        CASE WHEN i % 19 = 0 THEN NULL WHEN i % 801 = 1 THEN 'NaN'::float8 WHEN i % 801 = 2 THEN '-Infinity' WHEN i % 801 = 3 THEN 0 ELSE i * 0.37 END,
        CASE WHEN i % 5 = 0 THEN NULL ELSE i % 3 = 0 END,
        CASE WHEN i % 23 = 0 THEN NULL ELSE i::oid END,
        CASE WHEN i % 29 = 0 THEN NULL ELSE date '2000-01-01' + i END,
        CASE WHEN i % 31 = 0 THEN NULL ELSE timestamp '2000-01-01' + i * interval '1 hour' END,
        i % 10
    FROM generate_series(1, 3000) i";

fn session(db: &Database) -> Session {
    db.session().unwrap()
}

pub(crate) fn pick<'l>(rng: &mut ChaCha8Rng, list: &[&'l str]) -> &'l str {
    list[rng.random_range(0..list.len())]
}

/// A number, as text.
pub(crate) fn number(rng: &mut ChaCha8Rng, depth: u32) -> String {
    if depth == 0 {
        return match rng.random_range(0..10) {
            0 => rng.random_range(-20..20).to_string(),
            1 => pick(rng, &["0", "2.5::float8", "'NaN'::float8", "32767::int2", "NULL::int4", "1e300::float8"])
                .to_owned(),
            _ => pick(rng, &["i2", "i4", "i8", "f4", "f8", "n", "id"]).to_owned(),
        };
    }
    let (a, b) = (number(rng, depth - 1), number(rng, depth - 1));
    match rng.random_range(0..13) {
        0..6 => format!("({a} {} {b})", pick(rng, &["+", "-", "*", "+", "-", "/"])),
        6 => format!("CASE WHEN {} THEN {a} ELSE {b} END", truth(rng, depth - 1)),
        7 => format!("coalesce({a}, {b})"),
        8 => format!("{}({a}, {b})", pick(rng, &["greatest", "least"])),
        9 => format!("(- {a})"),
        10 => format!("abs({a})"),
        11 => picked(rng, &b),
        _ => format!("({} % {})", pick(rng, &["i2", "i4", "n", "id"]), pick(rng, &["7", "n", "i4", "i2"])),
    }
}

/// A CASE that asks one column which number it is, as text; `other` may be what it comes to where it is none of them.
fn picked(rng: &mut ChaCha8Rng, other: &str) -> String {
    let column = pick(rng, &["i2", "i4", "i8", "n", "n", "id", "o"]);
    let mut whens = String::new();
    for _ in 0..rng.random_range(3..12) {
        let result = pick(rng, &["1", "-7", "NULL", "40000", "3000000000", "0"]);
        whens += &format!(" WHEN {} THEN {result}", rng.random_range(0..15));
    }
    match rng.random_range(0..3) {
        0 => format!("CASE {column}{whens} END"),
        1 => format!("CASE {column}{whens} ELSE 5 END"),
        _ => format!("CASE {column}{whens} ELSE {other} END"),
    }
}

/// A condition, as text.
pub(crate) fn truth(rng: &mut ChaCha8Rng, depth: u32) -> String {
    if depth == 0 {
        return pick(
            rng,
            &["b", "i4 > 0", "f8 < 100", "n = 3", "d > '2003-01-01'", "ts < '2000-02-01'", "o < 100", "i2 IS NULL"],
        )
        .to_owned();
    }
    let (a, b) = (truth(rng, depth - 1), truth(rng, depth - 1));
    match rng.random_range(0..10) {
        0 => format!("({a} AND {b})"),
        1 => format!("({a} OR {b})"),
        2 => format!("(NOT {a})"),
        3 => format!("({a} IS {})", pick(rng, &["TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "NULL", "NOT NULL"])),
        4 => format!("({} IN (1, 5, -3, 7, {}))", pick(rng, &["i2", "i4", "i8", "n"]), rng.random_range(0..50)),
        5 => format!("({} NOT IN (1, 5, 7))", pick(rng, &["i2", "i4", "n"])),
        _ => {
            let sign = pick(rng, &["<", "<=", "=", "<>", ">", ">="]);
            format!("({} {sign} {})", number(rng, depth - 1), number(rng, depth - 1))
        }
    }
}

/// The rows of a query, or its error.
pub(crate) fn outcome(s: &mut Session, sql: &str) -> Result<Vec<Option<String>>, String> {
    match s.query(sql, &[]) {
        Ok(rows) => Ok(rows.iter().map(|r| r.get(0)).collect()),
        Err(e) => Err(format!("{e:?}")),
    }
}

fn explained(s: &mut Session, sql: &str) -> String {
    let lines = s.query(&format!("EXPLAIN (ANALYZE, TIMING off) {sql}"), &[]).unwrap();
    lines.iter().map(|r| r.get::<_, String>(0) + "\n").collect()
}

pub(crate) const CODE: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// Without what makes code better.
const PLAIN: &str =
    "SET hathi.jit_merge = off; SET hathi.jit_pick = off; SET hathi.jit_truth = off; SET hathi.jit_tiles = off";

#[test]
fn passes_can_be_left_out() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    s.batch_execute(TABLE).unwrap();
    let queries = [
        ("merge", "SELECT sum(n * 3 + id) FROM t"),
        ("pick", "SELECT sum(CASE n WHEN 1 THEN 3 WHEN 2 THEN 7 WHEN 3 THEN 1 WHEN 4 THEN 1 ELSE 0 END) FROM t"),
        ("truth", "SELECT count(*) FROM t WHERE n * 2 > 4 AND (n & 3) < 2"),
        ("tiles", "SELECT count(*) FROM t WHERE n * 3 + id < 20"),
    ];
    let code = |s: &mut Session, sql: &str| -> String {
        // What is said of time is another each time.
        let is_code = |line: &String| !line.contains("Timing") && !line.contains("found in cache");
        explained_with(s, "ANALYZE, DISASSEMBLY, TIMING OFF, SUMMARY OFF, BUFFERS OFF", sql)
            .into_iter()
            .filter(is_code)
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (pass, sql) in queries {
        let rows = outcome(&mut s, &sql.replace("SELECT ", "SELECT '' || "));
        let with = [code(&mut s, sql), code(&mut s, sql)][1].clone();
        s.batch_execute(&format!("SET hathi.jit_{pass} = off")).unwrap();
        assert_eq!(outcome(&mut s, &sql.replace("SELECT ", "SELECT '' || ")), rows, "{sql}");
        let without = [code(&mut s, sql), code(&mut s, sql)][1].clone();
        assert_eq!(with == without, !CODE, "{pass}: {sql}\n{with}\n{without}");
        s.batch_execute(&format!("RESET hathi.jit_{pass}")).unwrap();
        assert_eq!(code(&mut s, sql), with, "{sql}");
    }
}

#[test]
fn code_and_kernels_give_the_same_rows_and_errors() {
    let db = Database::in_memory().unwrap();
    let (mut on, mut off, mut plain) = (session(&db), session(&db), session(&db));
    on.batch_execute(TABLE).unwrap();
    off.batch_execute("SET jit = off").unwrap();
    plain.batch_execute(PLAIN).unwrap();
    let (mut rows, mut errors, mut compiled) = (0, 0, 0);
    for seed in 0..700 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let depth = rng.random_range(1..4);
        let sql = match rng.random_range(0..4) {
            0 => format!("SELECT ({})::text FROM t ORDER BY id", number(rng, depth)),
            1 => format!("SELECT ({})::text FROM t ORDER BY id", truth(rng, depth)),
            2 => format!("SELECT id::text FROM t WHERE {} ORDER BY id", truth(rng, depth)),
            _ => format!("SELECT sum({})::text FROM t WHERE {}", number(rng, depth), truth(rng, depth - 1)),
        };
        let (a, b) = (outcome(&mut on, &sql), outcome(&mut off, &sql));
        assert_eq!(a, b, "seed {seed}: {sql}");
        assert_eq!(outcome(&mut plain, &sql), b, "seed {seed}, without passes: {sql}");
        // What ran over some thousand rows runs over tiles.
        for again in 0..2 {
            assert_eq!(outcome(&mut on, &sql), b, "seed {seed}, again {again}: {sql}");
        }
        match a {
            Ok(list) => rows += list.len(),
            Err(_) => errors += 1,
        }
        if seed % 10 == 0 && b.is_ok() {
            compiled += usize::from(explained(&mut on, &sql).contains("JIT:"));
        }
    }
    assert!(rows > 300_000 && errors > 20, "{rows} rows, {errors} errors");
    assert!(!CODE || compiled > 20, "{compiled} of 70 were compiled");
    let tiled = on.query_one("SELECT tiles, tile_rows FROM hathi_jit", &[]).unwrap();
    println!("{} programs have tiles, which ran over {} rows", tiled.get::<_, i64>(0), tiled.get::<_, i64>(1));
    #[cfg(target_arch = "x86_64")]
    assert!(!is_x86_feature_detected!("avx2") || tiled.get::<_, i64>(0) > 100);
}

#[test]
fn parameters_are_inputs_of_code() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    s.batch_execute(TABLE).unwrap();
    let mut select = s.prepare("SELECT count(*) FROM t WHERE n * 3 + i4 % $1 > $2").unwrap();
    let mut count = |s: &mut Session, a: Option<i32>, b: i32| -> i64 {
        s.query_prepared(&mut select, &[&a, &b]).unwrap().first().unwrap().get(0)
    };
    let by_hand = |s: &mut Session, a: &str, b: i32| -> i64 {
        s.batch_execute("SET jit = off").unwrap();
        let sql = format!("SELECT count(*) FROM t WHERE n * 3 + i4 % {a} > {b}");
        let rows = s.query(&sql, &[]).unwrap();
        s.batch_execute("SET jit = on").unwrap();
        rows.first().unwrap().get(0)
    };
    for (a, b) in [(7, 20), (5, 3), (1000, -50)] {
        assert_eq!(count(&mut s, Some(a), b), by_hand(&mut s, &a.to_string(), b));
    }
    assert_eq!(count(&mut s, None, 1), 0);
    let mut again = s.prepare("SELECT count(*) FROM t WHERE n * 3 + i4 % $1 > $2").unwrap();
    let error = s.query_prepared(&mut again, &[&Some(0), &1]).unwrap_err();
    assert!(error.to_string().contains("division by zero"), "{error}");
    assert_eq!(count(&mut s, Some(7), 20), by_hand(&mut s, "7", 20), "and it goes on");
}

#[test]
fn what_one_session_compiled_others_use() {
    let db = Database::in_memory().unwrap();
    let (mut a, mut b) = (session(&db), session(&db));
    a.batch_execute(TABLE).unwrap();
    let sql = "SELECT count(*) FROM t WHERE n * 7 + n < 30 AND n - 2 > 0";
    let mut kept = a.prepare(sql).unwrap();
    a.query_prepared(&mut kept, &[]).unwrap();
    let plan = explained(&mut b, sql);
    if CODE {
        assert!(plan.contains("JIT:\n  Functions: 2\n") || plan.contains("JIT:\n  Functions: 1\n"), "{plan}");
        let found = plan.lines().find(|l| l.contains("found in cache")).unwrap();
        let functions = plan.lines().find_map(|l| l.strip_prefix("  Functions: ")).unwrap();
        assert!(found.contains(&format!("{functions} found in cache")), "{plan}");
    }
}

#[test]
fn settings_turn_it_off() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    s.batch_execute(TABLE).unwrap();
    let sql = "SELECT count(*) FROM t WHERE n * 7 + n < 30";
    assert_eq!(explained(&mut s, sql).contains("JIT:"), CODE);
    for (off, on) in [
        ("jit = off", "jit = on"),
        ("jit_above_cost = -1", "jit_above_cost = 100000"),
        ("jit_expressions = off", "jit_expressions = on"),
    ] {
        s.batch_execute(&format!("SET {off}")).unwrap();
        assert!(!explained(&mut s, sql).contains("JIT:"), "{off}");
        s.batch_execute(&format!("SET {on}")).unwrap();
        assert_eq!(explained(&mut s, sql).contains("JIT:"), CODE, "{on}");
    }
}

/// What EXPLAIN says, a line each.
fn explained_with(session: &mut Session, options: &str, query: &str) -> Vec<String> {
    let rows = session.query(&format!("EXPLAIN ({options}) {query}"), &[]).unwrap();
    rows.iter().map(|r| r.get(0)).collect()
}

#[test]
fn explain_shows_code() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    s.batch_execute(TABLE).unwrap();
    let query = "SELECT count(*) FROM t WHERE n * 3 + id < 10";
    let has = |lines: &[String], text: &str| lines.iter().any(|l| l.contains(text));
    let shown = explained_with(&mut s, "ANALYZE, COSTS OFF", query);
    assert!(!has(&shown, "JIT:") && !has(&shown, "Function 1"), "{shown:#?}");
    let shown = explained_with(&mut s, "ANALYZE, COSTS OFF, JIT", query);
    assert!(has(&shown, "JIT:") && has(&shown, "Functions: 1") && !has(&shown, "Function 1"), "{shown:#?}");
    let shown = explained_with(&mut s, "ANALYZE, DISASSEMBLY, SUMMARY OFF", query);
    assert!(has(&shown, "JIT:") && has(&shown, "Function 1:"), "{shown:#?}");
    if cfg!(target_arch = "x86_64") {
        assert!(has(&shown, "imul ") && has(&shown, "mov "), "{shown:#?}");
    }
    let json: String = s
        .query_one(&format!("EXPLAIN (ANALYZE, DISASSEMBLY, FORMAT JSON) {query}"), &[])
        .map(|r| format!("{:?}", r.get::<_, Json>(0).0))
        .unwrap();
    assert!(json.contains("Disassembly") && json.contains("bytes"), "{json}");
    for option in ["JIT", "DISASSEMBLY"] {
        let error = s.query(&format!("EXPLAIN ({option}) {query}"), &[]).map(|_| ()).unwrap_err();
        assert_eq!(
            (error.state().as_str(), error.message()),
            ("22023", &*format!("EXPLAIN option {option} requires ANALYZE"))
        );
    }
}

#[test]
fn what_ran_as_code_is_counted() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    s.batch_execute(TABLE).unwrap();
    let counts = |s: &mut Session| -> [i64; 4] {
        let row =
            s.query_one("SELECT programs, programs_refused, native_steps, other_steps FROM hathi_jit", &[]).unwrap();
        [0, 1, 2, 3].map(|i| row.get(i))
    };
    let before = counts(&mut s);
    for query in [
        "SELECT count(*) FROM t WHERE n * 3 + id < 10000",
        "SELECT sum(n * 2 + id) FROM t",
        "SELECT id, n + id * 2 FROM t WHERE id % 7 = 3",
    ] {
        s.batch_execute(query).unwrap();
    }
    let after = counts(&mut s);
    let grown = |i: usize| after[i] - before[i];
    assert_eq!((grown(1), grown(3)), (0, 0), "{before:?} {after:?}");
    assert!(grown(0) >= 3 && grown(2) > 3000 * 6, "{before:?} {after:?}");
}

/// JSON as it is sent.
struct Json(String);

impl<'a> postgres_types::FromSql<'a> for Json {
    fn from_sql(_: &postgres_types::Type, raw: &'a [u8]) -> Result<Json, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Json(String::from_utf8(raw.to_vec())?))
    }

    fn accepts(ty: &postgres_types::Type) -> bool {
        *ty == postgres_types::Type::JSON
    }
}

#[test]
fn keys_of_many_rows_are_computed_by_programs() {
    let db = Database::in_memory().unwrap();
    let mut s = session(&db);
    s.batch_execute(TABLE).unwrap();
    let steps = |s: &mut Session| s.query_one("SELECT native_steps FROM hathi_jit", &[]).unwrap().get::<_, i64>(0);
    let before = steps(&mut s);
    s.batch_execute("CREATE UNIQUE INDEX k ON t ((id * 3 + n * 0)) WHERE n * 2 + id > 20 AND i2 IS NOT NULL").unwrap();
    let filled = steps(&mut s);
    assert!(!CODE || filled > before + 3000, "{before} {filled}");
    s.batch_execute("INSERT INTO t (id, n, i2) SELECT i, i % 10, i % 5 FROM generate_series(4001, 5000) i").unwrap();
    assert!(!CODE || steps(&mut s) > filled + 1000);
    // What the index lists is what a scan finds.
    let sql = "SELECT count(*), sum(id) FROM t WHERE id * 3 + n * 0 BETWEEN 30 AND 14000 AND n * 2 + id > 20 AND i2 IS NOT NULL";
    let mut both = Vec::new();
    for way in
        ["SET enable_indexscan = off; SET enable_bitmapscan = off", "RESET enable_indexscan; SET enable_seqscan = off"]
    {
        s.batch_execute(way).unwrap();
        let plan = explained(&mut s, sql);
        assert_eq!(plan.contains("using k"), !both.is_empty(), "{plan}");
        let row = s.query_one(sql, &[]).unwrap();
        both.push((row.get::<_, i64>(0), row.get::<_, i64>(1)));
    }
    assert_eq!(both[0], both[1]);
    assert!(both[0].0 > 2000, "{both:?}");
    let taken =
        "INSERT INTO t (id, n, i2) SELECT i, 1, 1 FROM generate_series(6000, 6100) i UNION ALL SELECT 6050, 2, 2";
    let error = s.batch_execute(taken).unwrap_err().to_string();
    assert!(error.contains("duplicate key value violates unique constraint"), "{error}");
    // Rows that an index does not list are not computed for: this would overflow.
    s.batch_execute("CREATE INDEX ON t ((i4 * 2)) WHERE i4 < 1000000000 AND i4 > -1000000000").unwrap();
    let error = s.batch_execute("CREATE INDEX ON t ((i4 * 2))").unwrap_err().to_string();
    assert!(error.contains("integer out of range"), "{error}");
}
