//! Whatever way rows are found, joined, sorted or grouped, they are the same: random queries over random tables, each in all ways.

use std::io::Read;

use hathi::{Database, Session};

use crate::draw::Draw;

fn copied(session: &mut Session, query: &str) -> String {
    let mut text = String::new();
    let outcome = session
        .copy_out(&format!("COPY ({query}) TO STDOUT"))
        .map_err(|e| e.to_string())
        .and_then(|mut out| out.read_to_string(&mut text).map_err(|e| e.to_string()));
    match outcome {
        Ok(_) => text,
        Err(e) => format!("error: {e}"),
    }
}

/// Ways to go: the first one uses no index, no merge, and sorts everything.
const WAYS: &[&str] = &[
    "SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; SET enable_mergejoin = off; \
     SET enable_incremental_sort = off; SET enable_nestloop = off",
    "SELECT",
    "SET enable_seqscan = off",
    "SET enable_seqscan = off; SET enable_indexscan = off",
    "SET enable_seqscan = off; SET enable_indexscan = off; SET enable_bitmapscan = off",
    "SET enable_indexonlyscan = off; SET enable_seqscan = off",
    "SET enable_hashjoin = off; SET enable_nestloop = off",
    "SET enable_sort = off; SET enable_hashagg = off",
    "SET enable_hashjoin = off; SET enable_sort = off; SET enable_seqscan = off; SET enable_hashagg = off",
    "SET work_mem = '64kB'; SET enable_hashagg = off; SET enable_hashjoin = off",
];

const COLUMNS: &[&str] = &["id", "a", "b", "c", "d", "n"];

fn schema(r: &mut Draw) -> String {
    let mut sql = String::new();
    for table in ["t", "u"] {
        sql += &format!(
            "CREATE TABLE {table} (id int PRIMARY KEY, a int, b smallint NOT NULL, c text, d bigint, n numeric);
             INSERT INTO {table} SELECT i, CASE WHEN i % {} = 0 THEN NULL ELSE i * 7919 % {} END, i % {}, \
             CASE WHEN i % 6 = 0 THEN NULL ELSE 'c' || i * 31 % {} END, nullif(i % {}, 3), (i % {})::numeric / 4 \
             FROM generate_series(1, {}) i;",
            5 + r.below(10),
            3 + r.below(200),
            2 + r.below(30),
            2 + r.below(300),
            4 + r.below(50),
            1 + r.below(40),
            50 + r.below(1500),
        );
        for number in 0..1 + r.below(4) {
            let mut list: Vec<String> = Vec::new();
            for _ in 0..1 + r.below(3) {
                let column = r.one(&["a", "b", "c", "d", "n", "(a + 1)", "lower(c)"]);
                let way = r.one(&["", "", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
                list.push(format!("{column}{way}"));
            }
            let carried = r.one(&["", "", " INCLUDE (c)", " INCLUDE (n, b)", " INCLUDE (id, c, d)"]);
            let part = r.one(&["", "", "", " WHERE b > 3", " WHERE a IS NOT NULL"]);
            sql += &format!("CREATE INDEX {table}_{number} ON {table} ({}){carried}{part};", list.join(", "));
        }
    }
    sql
}

fn test(r: &mut Draw, table: &str) -> String {
    let number = r.below(60);
    match r.below(15) {
        12 => format!("{table}.c LIKE 'c{}%'", r.below(30)),
        13 => format!("{table}.c LIKE '{}'", r.one(&["c7", "c1_", "c%2", "n%", "\\c1%"])),
        14 => format!("{table}.a = ANY ('{{{number}, 7, 5000000000}}'::bigint[])"),
        0 => format!("{table}.a = {number}"),
        1 => format!("{table}.a IN ({number}, {}, {})", r.below(60), r.below(60)),
        2 => format!("{table}.b < {}", r.below(30)),
        3 => format!("{table}.d BETWEEN {} AND {}", r.below(20), r.below(50)),
        4 => format!("{table}.c = 'c{number}'"),
        5 => format!("{table}.a IS NULL"),
        6 => format!("{table}.a IS NOT NULL"),
        7 => format!("{table}.a + 1 = {number}"),
        8 => format!("lower({table}.c) > 'c{number}'"),
        9 => format!("{table}.n = {}.5", r.below(8)),
        10 => format!("{table}.id >= {}", r.below(900)),
        _ => format!("{table}.d = ANY ('{{{number}, NULL, {}}}'::bigint[])", r.below(9)),
    }
}

fn condition(r: &mut Draw, table: &str) -> String {
    match r.below(6) {
        0 => "true".to_owned(),
        1 | 2 => test(r, table),
        3 => format!("{} AND {}", test(r, table), test(r, table)),
        4 => format!("({} OR {})", test(r, table), test(r, table)),
        _ => format!("({} AND {} OR {}) AND {}", test(r, table), test(r, table), test(r, table), test(r, table)),
    }
}

/// Keys to order by: of them alone the answer is made, so that ties do not matter.
fn order(r: &mut Draw, table: &str) -> (String, String) {
    let (mut shown, mut keys): (Vec<String>, Vec<String>) = Default::default();
    for _ in 0..1 + r.below(3) {
        let column = format!("{table}.{}", r.one(COLUMNS));
        let way = r.one(&["", "", " DESC", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
        keys.push(format!("{column}{way}"));
        shown.push(column);
    }
    (shown.join(", "), keys.join(", "))
}

fn limit(r: &mut Draw) -> String {
    match r.below(4) {
        0 => String::new(),
        1 => format!(" LIMIT {}", r.below(5)),
        2 => format!(" LIMIT {} OFFSET {}", r.below(60), r.below(60)),
        _ => format!(" FETCH FIRST {} ROWS WITH TIES", 1 + r.below(10)),
    }
}

/// A query, and whether the order of its rows counts.
fn query(r: &mut Draw) -> (String, bool) {
    let on = |r: &mut Draw| {
        let first = r.one(&["t.a = u.a", "t.id = u.a", "t.a = u.d", "t.c = u.c", "t.b = u.id"]);
        match r.below(4) {
            0 => format!("{first} AND t.b = u.b"),
            1 => format!("{first} AND t.id < u.id"),
            _ => first.to_owned(),
        }
    };
    match r.below(14) {
        // Outer joins of which rows are dropped again.
        12 | 13 => {
            let mut kind = || r.one(&["JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
            let (first, second) = (kind(), kind());
            let on = r.one(&["u.id = v.a", "t.id = v.a", "coalesce(u.id, 3) = v.a", "t.b = v.b AND u.b = v.b"]);
            let number = r.below(60);
            (
                format!(
                    "SELECT t.id, u.id, v.id FROM t {first} u ON t.a = u.id {second} t v ON {on} \
                     WHERE t.id < {number} OR v.id = {number} OR u.b = 1"
                ),
                false,
            )
        }
        // What an index may answer alone.
        10 | 11 => {
            let (a, b) = (r.one(COLUMNS), r.one(COLUMNS));
            let shown = r.one(&[a, "count(*)", "min(b)", "id, c", "c, a, d"]).to_owned();
            let by = if r.flip() || shown.contains('(') { String::new() } else { format!(" ORDER BY {b}") };
            (format!("SELECT {shown} FROM t WHERE {}{by}", condition(r, "t")), false)
        }
        0 => (format!("SELECT * FROM t WHERE {}", condition(r, "t")), false),
        1 | 2 => {
            let (shown, keys) = order(r, "t");
            (format!("SELECT {shown} FROM t WHERE {} ORDER BY {keys}{}", condition(r, "t"), limit(r)), true)
        }
        3 => {
            let (a, b) = (r.one(COLUMNS), r.one(COLUMNS));
            (format!("SELECT min({a}), max({b}) FROM t WHERE {}", condition(r, "t")), true)
        }
        4 | 5 => {
            let kind = r.one(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
            let on = if kind == "FULL JOIN" { "t.a = u.a AND t.b = u.b".to_owned() } else { on(r) };
            (format!("SELECT t.*, u.* FROM t {kind} u ON {on} WHERE {}", condition(r, "t")), false)
        }
        6 => {
            let kind = r.one(&["JOIN", "LEFT JOIN"]);
            let (shown, keys) = { if r.flip() { order(r, "t") } else { order(r, "u") } };
            let on = on(r);
            (
                format!(
                    "SELECT {shown} FROM t {kind} u ON {on} WHERE {} ORDER BY {keys}{}",
                    condition(r, "t"),
                    limit(r)
                ),
                true,
            )
        }
        7 => {
            let not = r.one(&["", "NOT "]);
            (
                format!(
                    "SELECT t.* FROM t WHERE {not}EXISTS (SELECT 1 FROM u WHERE {}) AND {}",
                    on(r),
                    condition(r, "t")
                ),
                false,
            )
        }
        8 => {
            let (a, b) = (r.one(COLUMNS), r.one(COLUMNS));
            let having = r.one(&["", " HAVING count(*) > 1"]);
            let sql = format!(
                "SELECT {a} AS x, {b} AS y, count(*), sum(d), count(DISTINCT a), array_agg(id ORDER BY id DESC) FROM t WHERE {} \
                 GROUP BY {a}, {b}{having} ORDER BY x, y DESC{}",
                condition(r, "t"),
                limit(r)
            );
            (sql, a != b)
        }
        _ => {
            let a = r.one(COLUMNS);
            match r.below(3) {
                0 => (format!("SELECT DISTINCT {a} FROM t WHERE {} ORDER BY {a}{}", condition(r, "t"), limit(r)), true),
                1 => (format!("SELECT DISTINCT {a}, b FROM t WHERE {}", condition(r, "t")), false),
                _ => (
                    format!("SELECT DISTINCT ON ({a}) {a}, id FROM t WHERE {} ORDER BY {a}, id", condition(r, "t")),
                    true,
                ),
            }
        }
    }
}

fn answer(session: &mut Session, sql: &str, ordered: bool) -> String {
    let text = copied(session, sql);
    if ordered {
        return text;
    }
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn run(seed: u64, queries: usize) {
    let mut r = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    let schema = schema(&mut r);
    session.batch_execute(&schema).unwrap();
    // Whoever still sees the rows as they were finds them by the entries they had.
    let mut before = db.session().unwrap();
    before.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").unwrap();
    session
        .batch_execute(
            "UPDATE t SET a = a + 3, c = 'n' || id WHERE id % 11 = 0; DELETE FROM t WHERE id % 17 = 0; \
             UPDATE u SET a = NULL, d = 5 WHERE id % 13 = 0; INSERT INTO u (id, b, a) VALUES (-1, 4, 7)",
        )
        .unwrap();
    if r.flip() {
        session.batch_execute("ANALYZE").unwrap();
    }
    for number in 0..queries {
        let (sql, ordered) = query(&mut r);
        let session = if number % 4 == 3 { &mut before } else { &mut session };
        let mut expected: Option<String> = None;
        for way in WAYS {
            session.batch_execute(way).unwrap();
            let found = answer(session, &sql, ordered);
            assert!(!found.starts_with("error:"), "{sql}: {found}");
            session.batch_execute("RESET ALL").unwrap();
            match &expected {
                None => expected = Some(found),
                Some(expected) => assert!(
                    *expected == found,
                    "seed {seed}, query {number}, {way}:\n{sql}\n{schema}\ngives\n{}\ninstead of\n{}",
                    &found[..found.len().min(2000)],
                    &expected[..expected.len().min(2000)]
                ),
            }
        }
    }
}

#[test]
fn rows_are_the_same_in_all_ways() {
    let seed: Option<u64> = std::env::var("HATHI_ACCESS_SEED").ok().and_then(|s| s.parse().ok());
    match seed {
        Some(seed) => run(seed, 400),
        None => (1..=12).for_each(|seed| run(seed, 40)),
    }
}

/// The lines of a plan.
fn plan(session: &mut Session, sql: &str) -> String {
    let rows = session.query(&format!("EXPLAIN (COSTS OFF) {sql}"), &[]).unwrap();
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

#[test]
fn the_ways_are_taken() {
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    session
        .batch_execute(
            "CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE INDEX t_a ON t (a); CREATE INDEX t_b ON t (b, a DESC); \
             INSERT INTO t SELECT i, i * 7919 % 1000, i % 50 FROM generate_series(1, 20000) i; ANALYZE",
        )
        .unwrap();
    let cases = [
        ("SELECT * FROM t ORDER BY id DESC LIMIT 3", "Index Scan Backward using t_pkey"),
        ("SELECT * FROM t WHERE b = 3 ORDER BY a DESC LIMIT 3", "Index Scan using t_b"),
        ("SELECT * FROM t ORDER BY a, id LIMIT 3", "Incremental Sort"),
        ("SELECT max(a) FROM t", "InitPlan 1"),
        ("SELECT * FROM t WHERE a = 3 OR b = 4 AND a = 9", "BitmapOr"),
        ("SELECT a FROM t WHERE a < 30", "Index Only Scan using t_a"),
        ("SELECT id FROM t ORDER BY id DESC LIMIT 3", "Index Only Scan Backward using t_pkey"),
        ("SELECT * FROM t WHERE id IN (1, 2)", "Index Cond: (id = ANY ('{1,2}'::integer[]))"),
        ("SELECT a, count(*) FROM t GROUP BY a ORDER BY a LIMIT 2", "GroupAggregate"),
        ("SELECT DISTINCT a FROM t ORDER BY a LIMIT 2", "Unique"),
    ];
    for (sql, wanted) in cases {
        let plan = plan(&mut session, sql);
        assert!(plan.contains(wanted), "{sql}:\n{plan}");
        assert!(!plan.contains("Sort\n") || wanted == "Incremental Sort", "{sql}:\n{plan}");
    }
    // Padded rows that the next join drops are not made.
    for (sql, padded) in [
        ("SELECT * FROM t x LEFT JOIN t y ON x.a = y.id JOIN t z ON z.id = y.b", false),
        ("SELECT * FROM t x LEFT JOIN t y ON x.a = y.id LEFT JOIN t z ON z.id = y.b WHERE z.a = 3", false),
        ("SELECT * FROM t x LEFT JOIN t y ON x.a = y.id JOIN t z ON z.id = x.b", true),
        ("SELECT * FROM t x LEFT JOIN t y ON x.a = y.id JOIN t z ON z.id = coalesce(y.b, 1)", true),
    ] {
        let plan = plan(&mut session, sql);
        let outer = ["Left", "Right", "Full"].iter().any(|kind| plan.contains(&format!("{kind} Join")));
        assert_eq!(outer, padded, "{sql}:\n{plan}");
    }
    session.batch_execute("SET enable_hashjoin = off; SET enable_nestloop = off").unwrap();
    let merged = plan(&mut session, "SELECT * FROM t x FULL JOIN t y ON x.a = y.id");
    assert!(merged.contains("Merge Full Join"), "{merged}");
}

/// A queue: of rows that nobody asked for none is locked.
#[test]
fn a_limit_locks_no_more_rows_than_it_yields() {
    let db = Database::in_memory().unwrap();
    let (mut one, mut two) = (db.session().unwrap(), db.session().unwrap());
    one.batch_execute(
        "CREATE TABLE q (id int PRIMARY KEY, prio int); INSERT INTO q SELECT i, -i FROM generate_series(1, 100) i",
    )
    .unwrap();
    for by in ["id", "prio"] {
        let sql = format!("SELECT id FROM q ORDER BY {by} LIMIT 2 FOR UPDATE SKIP LOCKED");
        let ids = |session: &mut Session| -> Vec<i32> {
            session.query(&sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
        };
        one.batch_execute("BEGIN").unwrap();
        two.batch_execute("BEGIN").unwrap();
        let (first, second) = (ids(&mut one), ids(&mut two));
        let expected = if by == "id" { ([1, 2], [3, 4]) } else { ([100, 99], [98, 97]) };
        assert_eq!((&first[..], &second[..]), (&expected.0[..], &expected.1[..]));
        one.batch_execute("ROLLBACK").unwrap();
        two.batch_execute("ROLLBACK").unwrap();
    }
}
