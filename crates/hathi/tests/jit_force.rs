//! Every expression as a program (`hathi.jit_force`): the same rows and errors as without, of all types; and what ends a call ends no more than its statement.

use hathi::{Database, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::jit::{CODE, TABLE, number, outcome, pick, truth};

/// Columns that no word holds, of the same rows.
const TEXTS: &str =
    "ALTER TABLE t ADD s text, ADD v varchar(6), ADD c char(5), ADD m numeric(12, 3), ADD a int[], ADD u uuid;
    UPDATE t SET s = CASE WHEN id % 7 = 1 THEN NULL ELSE chr(97 + id % 5) || (id * 37 % 101) END,
        v = CASE WHEN id % 11 = 1 THEN NULL ELSE left('abcdefgh', id % 7) END,
        c = CASE WHEN id % 13 = 1 THEN NULL ELSE chr(97 + id % 4) END,
        m = CASE WHEN id % 9 = 1 THEN NULL ELSE (id * 731 % 977) / 8.0 END,
        a = CASE WHEN id % 8 = 1 THEN NULL ELSE ARRAY[id % 3, n, NULL] END,
        u = md5((id % 50)::text)::uuid";

/// A text, as text.
fn text(rng: &mut ChaCha8Rng, depth: u32) -> String {
    if depth == 0 {
        return pick(rng, &["s", "s", "v", "c::text", "'b5'", "NULL::text", "m::text", "''", "u::text"]).to_owned();
    }
    let (a, b) = (text(rng, depth - 1), text(rng, depth - 1));
    match rng.random_range(0..12) {
        0 => format!("({a} || {b})"),
        1 => format!("coalesce({a}, {b})"),
        2 => format!("CASE WHEN {} THEN {a} ELSE {b} END", condition(rng, depth - 1)),
        3 => format!("CASE {a} WHEN 'a5' THEN {b} WHEN 'b' THEN 'x' END"),
        4 => format!("upper({a})"),
        5 => format!("left({a}, {})", rng.random_range(-2..5)),
        6 => format!("({})::text", value(rng, depth - 1)),
        7 => format!("nullif({a}, {b})"),
        8 => format!("greatest({a}, {b})"),
        9 => format!("({a})::varchar(3)"),
        10 => format!("concat({a}, {}, {b})", pick(rng, &["n", "m", "b", "d"])),
        _ => format!("replace({a}, 'a', {b})"),
    }
}

/// A number, as text; not only those that words hold.
fn value(rng: &mut ChaCha8Rng, depth: u32) -> String {
    if depth == 0 || rng.random_bool(0.3) {
        return if rng.random() { number(rng, depth) } else { pick(rng, &["m", "a[1]", "a[2]"]).to_owned() };
    }
    let a = value(rng, depth - 1);
    match rng.random_range(0..9) {
        0 => format!("length({})", text(rng, depth - 1)),
        1 => format!("(m * 2 - {})", pick(rng, &["id", "n", "i4", "1.5"])),
        2 => format!("round(m / {}, 1)", pick(rng, &["n", "3", "m"])),
        3 => format!("coalesce({a}, n)"),
        4 => format!("CASE WHEN {} THEN {a} ELSE 1 END", condition(rng, depth - 1)),
        5 => format!("cardinality(a || {})", pick(rng, &["n", "i2", "NULL"])),
        6 => format!("substr({}, 2)::int", text(rng, depth - 1)),
        7 => format!("extract(year FROM {})", pick(rng, &["d", "ts"])),
        _ => format!("{}({a}, m)", pick(rng, &["greatest", "least"])),
    }
}

/// A condition, as text.
fn condition(rng: &mut ChaCha8Rng, depth: u32) -> String {
    if depth == 0 || rng.random_bool(0.2) {
        return truth(rng, depth);
    }
    let (a, b) = (condition(rng, depth - 1), condition(rng, depth - 1));
    let s = text(rng, depth - 1);
    match rng.random_range(0..13) {
        0 => format!("({a} AND {b})"),
        1 => format!("({a} OR {b})"),
        2 => format!("(NOT {a})"),
        3 => format!("({s} {} {})", pick(rng, &["=", "<>", "<", ">="]), text(rng, depth - 1)),
        4 => format!("({s} LIKE {})", pick(rng, &["'a%'", "'%5'", "'_1%'", "NULL"])),
        5 => format!("({s} {} IN ('a5', 'b', 'c77', 'abc'))", pick(rng, &["", "NOT"])),
        6 => format!("(c = {})", pick(rng, &["'a'", "'b   '", "v", "s"])),
        7 => format!("({s} IS {} NULL)", pick(rng, &["", "NOT"])),
        8 => format!("({s} IS DISTINCT FROM {})", text(rng, depth - 1)),
        9 => format!("(n = ANY (a) OR {a})"),
        10 => format!("({} IS DISTINCT FROM {})", number(rng, depth - 1), number(rng, depth - 1)),
        11 => format!("({s} ~ '^[a-c][0-9]')"),
        _ => format!("({} > {})", value(rng, depth - 1), value(rng, depth - 1)),
    }
}

fn database() -> (Database, Session) {
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    session.batch_execute(TABLE).unwrap();
    session.batch_execute(TEXTS).unwrap();
    session.batch_execute("DELETE FROM t WHERE id > 1200").unwrap();
    (db, session)
}

/// Steps of programs, steps that were done otherwise, calls, and refusals by reason.
fn counts(session: &mut Session) -> [i64; 6] {
    let columns = "native_steps, other_steps, native_calls, refused_volatile, refused_queries, refused_long";
    let row = session.query_one(&format!("SELECT {columns} FROM hathi_jit"), &[]).unwrap();
    std::array::from_fn(|i| row.get(i))
}

#[test]
fn programs_that_call_and_kernels_give_the_same_rows_and_errors() {
    let (db, mut plain) = database();
    let (mut forced, mut off) = (db.session().unwrap(), db.session().unwrap());
    forced.batch_execute("SET hathi.jit_force = on").unwrap();
    off.batch_execute("SET jit = off").unwrap();
    let (mut rows, mut errors) = (0, 0);
    for seed in 0..700 {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let depth = rng.random_range(1..4);
        let sql = match rng.random_range(0..6) {
            0 => format!("SELECT {} FROM t ORDER BY id", text(rng, depth)),
            1 => format!("SELECT ({})::text FROM t ORDER BY id", value(rng, depth)),
            2 => format!("SELECT ({})::text FROM t ORDER BY id", condition(rng, depth)),
            3 => format!("SELECT id::text FROM t WHERE {} ORDER BY id", condition(rng, depth)),
            4 => format!("SELECT max({})::text FROM t WHERE {}", text(rng, depth), condition(rng, depth - 1)),
            _ => format!("SELECT count(*)::text FROM t GROUP BY {} ORDER BY 1", text(rng, depth)),
        };
        let wanted = outcome(&mut off, &sql);
        assert_eq!(outcome(&mut forced, &sql), wanted, "seed {seed}, forced: {sql}");
        assert_eq!(outcome(&mut plain, &sql), wanted, "seed {seed}: {sql}");
        match wanted {
            Ok(list) => rows += list.len(),
            Err(_) => errors += 1,
        }
    }
    assert!(rows > 200_000 && errors > 20, "{rows} rows, {errors} errors");
    let [native, other, calls, volatile, queries, long] = counts(&mut plain);
    println!("{native} steps native, {other} otherwise, {calls} calls");
    assert_eq!((volatile, queries, long), (0, 0, 0));
    assert!(
        !CODE || calls > 1_000_000 && native > 9 * other,
        "{native} steps native, {other} otherwise, {calls} calls"
    );
}

#[test]
fn what_changes_rows_is_done_by_programs_too() {
    let (db, mut s) = database();
    let mut forced = db.session().unwrap();
    forced.batch_execute("SET hathi.jit_force = on").unwrap();
    let tables = |name: &str| {
        format!(
            "CREATE TABLE {name} (id int PRIMARY KEY, s text CHECK (length(s) < 9 AND s <> 'bad'), n int CHECK (n * 2 < 100000), \
             up text GENERATED ALWAYS AS (upper(s)) STORED); CREATE INDEX ON {name} (lower(s)) WHERE n % 3 = 0"
        )
    };
    let statements = |name: &str| {
        [
            format!("INSERT INTO {name} (id, s, n) SELECT id, s, n + id FROM t"),
            format!("UPDATE {name} SET s = left(s || 'x', 5), n = n * 2 - id % 3 WHERE id % 4 = 1 OR s LIKE 'a%'"),
            format!(
                "INSERT INTO {name} (id, s, n) SELECT id, v, 1 FROM t WHERE id < 40 ON CONFLICT (id) DO UPDATE SET n = {name}.n + length(excluded.s) \
                 WHERE {name}.s IS DISTINCT FROM excluded.s"
            ),
            format!(
                "MERGE INTO {name} x USING (SELECT id * 2 AS k, s FROM t) y ON x.id = y.k WHEN MATCHED AND x.s > y.s THEN UPDATE SET s = lower(y.s) \
                 WHEN MATCHED AND x.n % 5 = 0 THEN DELETE WHEN NOT MATCHED AND y.k < 3000 THEN INSERT (id, s, n) VALUES (y.k, y.s, y.k - 1)"
            ),
            format!("DELETE FROM {name} WHERE n % 7 = 3 AND s < 'c'"),
        ]
    };
    let all = |name: &str| format!("SELECT concat_ws('|', id, s, n, up) FROM {name} ORDER BY id");
    let ordered = |name: &str| {
        format!(
            "SELECT concat(id, lead(lower(s)) OVER (PARTITION BY n % 5 ORDER BY upper(s), id)) FROM {name} ORDER BY lower(s), id"
        )
    };
    s.batch_execute(&tables("x1")).unwrap();
    forced.batch_execute(&tables("x2")).unwrap();
    for (a, b) in statements("x1").iter().zip(statements("x2")) {
        assert_eq!(s.execute(a, &[]).unwrap(), forced.execute(&b, &[]).unwrap(), "{a}");
        assert_eq!(outcome(&mut s, &all("x1")), outcome(&mut forced, &all("x2")), "{a}");
        assert_eq!(outcome(&mut s, &ordered("x1")), outcome(&mut forced, &ordered("x2")), "{a}");
    }
    for values in ["(5001, 'bad', 1)", "(5001, 'too long for it', 1)", "(5001, 'x', 50000)"] {
        let insert = |name: &str| format!("INSERT INTO {name} (id, s, n) VALUES {values}");
        let message =
            |s: &mut Session, name: &str| s.batch_execute(&insert(name)).unwrap_err().message().replace("x2", "x1");
        assert_eq!(message(&mut s, "x1"), message(&mut forced, "x2"), "{values}");
    }
}

#[test]
fn an_interrupt_in_a_call_ends_its_statement_only() {
    let (_db, mut s) = database();
    s.batch_execute(
        "SET hathi.jit_force = on;
         CREATE FUNCTION slow(k int) RETURNS bigint STABLE STRICT LANGUAGE sql BEGIN ATOMIC
             SELECT count(*) FROM generate_series(1, 100000000) i WHERE i > k; SELECT 1::bigint; END",
    )
    .unwrap();
    let before = counts(&mut s);
    for sql in ["SELECT slow(n) + id FROM t", "SELECT id FROM t WHERE slow(n) + id > 3 AND s < 'c'"] {
        s.batch_execute("SET statement_timeout = '100ms'").unwrap();
        let start = std::time::Instant::now();
        let error = s.query(sql, &[]).map(|_| ()).unwrap_err();
        assert_eq!(error.state().as_str(), "57014", "{error}");
        assert!(start.elapsed().as_secs() < 20, "it ends, {:?}", start.elapsed());
        s.batch_execute("RESET statement_timeout").unwrap();
        assert_eq!(s.query_one("SELECT count(*) FROM t WHERE id + length(s) > 0", &[]).unwrap().get::<_, i64>(0), 1028);
    }
    let after = counts(&mut s);
    assert!(!CODE || after[2] > before[2], "{before:?} {after:?}");
}

#[test]
fn an_error_in_a_call_is_the_one_that_kernels_raise() {
    let (_db, mut s) = database();
    let sql = "SELECT id, (chr(48 + id % 10) || CASE WHEN id = 777 THEN 'x' ELSE '' END)::int + 1 FROM t";
    let plain = s.query(sql, &[]).map(|_| ()).unwrap_err();
    s.batch_execute("SET hathi.jit_force = on").unwrap();
    let forced = s.query(sql, &[]).map(|_| ()).unwrap_err();
    assert_eq!((forced.state(), forced.message()), (plain.state(), plain.message()));
    assert_eq!(plain.message(), "invalid input syntax for type integer: \"7x\"");
}

#[test]
fn what_is_volatile_and_queries_are_refused_and_counted() {
    let (_db, mut s) = database();
    s.batch_execute("SET hathi.jit_force = on; CREATE SEQUENCE q").unwrap();
    let before = counts(&mut s);
    s.batch_execute("SELECT nextval('q') + id * 2 FROM t").unwrap();
    let after = counts(&mut s);
    assert_eq!((after[3] > before[3], after[4] - before[4], after[5]), (true, 0, 0), "{before:?} {after:?}");
    assert!(!CODE || after[0] > before[0], "what is not volatile in it is a program");
    assert_eq!(
        s.query_one("SELECT last_value FROM q", &[]).unwrap().get::<_, i64>(0),
        1200,
        "it was evaluated once a row"
    );
    s.batch_execute("SELECT (SELECT count(*) FROM t u WHERE u.id < t.n) + id FROM t WHERE id < 5").unwrap();
    assert!(counts(&mut s)[4] > after[4]);
}

#[test]
fn lists_of_parameters_have_programs() {
    let (_db, mut s) = database();
    let mut off = _db.session().unwrap();
    off.batch_execute("SET jit = off").unwrap();
    let before = counts(&mut s);
    let each: [&[Option<i32>]; 7] = [
        &[Some(1), Some(2)],
        &[Some(5), None],
        &[],
        &[None],
        &[Some(-7), Some(2_000_000_000)],
        &[Some(3); 40],
        &[Some(9)],
    ];
    for sql in [
        "SELECT count(*), count(n + id = ANY ($1)) FROM t WHERE n + id = ANY ($1)",
        "SELECT count(*), count(n + id <> ALL ($1)) FROM t WHERE n * 2 + 1 <> ALL ($1)",
        "SELECT count(*), count(i4 % 10 = ANY ($1)) FROM t WHERE i4 % 10 = ANY ($1) IS NULL",
    ] {
        let (mut with, mut without) = (s.prepare(sql).unwrap(), off.prepare(sql).unwrap());
        let mut ask = |list: &Option<Vec<Option<i32>>>| {
            let row = |s: &mut Session, p: &mut hathi::Statement| {
                let rows = s.query_prepared(p, &[list]).unwrap();
                let row = rows.first().unwrap();
                (row.get::<_, i64>(0), row.get::<_, i64>(1))
            };
            assert_eq!(row(&mut s, &mut with), row(&mut off, &mut without), "{sql} {list:?}");
        };
        ask(&None);
        each.iter().chain(&each).for_each(|list| ask(&Some(list.to_vec())));
    }
    let sql = "SELECT count(*) FROM t WHERE n + id IN ($1, $2, $3)";
    let (mut with, mut without) = (s.prepare(sql).unwrap(), off.prepare(sql).unwrap());
    for (a, b, c) in [(1, 2, Some(3)), (100, 2, None), (100, 200, Some(300)), (100, 200, Some(300))] {
        let [x, y] = [(&mut s, &mut with), (&mut off, &mut without)]
            .map(|(s, p)| s.query_prepared(p, &[&a, &b, &c]).unwrap().first().unwrap().get::<_, i64>(0));
        assert_eq!(x, y, "{a} {b} {c:?}");
    }
    let after = counts(&mut s);
    assert!(!CODE || after[0] - before[0] > 100_000 && after[1] == before[1], "{before:?} {after:?}");
}
