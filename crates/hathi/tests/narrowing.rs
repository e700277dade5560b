//! Scans below hash joins leave out what the joins have no use for: every kind of join answers what it answers without.

use hathi::{Database, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const KINDS: [&str; 6] = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI", "ANTI"];

/// A small table of a key's type, with NULLs, and keys that `few` or many others share.
fn fill(session: &mut Session, rng: &mut ChaCha8Rng, name: &str, ty: &str, rows: i64, spread: i64) {
    session.batch_execute(&format!("CREATE TABLE {name} (k {ty}, l int, w text)")).unwrap();
    let base = rng.random_range(-3..3) * spread;
    let sql = format!(
        "INSERT INTO {name} SELECT CASE WHEN i % 7 = 3 THEN NULL ELSE ({base} + (i * 7919) % {spread})::int8 END::{ty}, i % 50, 'row ' || i
         FROM generate_series(1, {rows}) i"
    );
    let sql = if ty == "date" {
        sql.replace("::int8 END::date", "::int % 10000 END + date '2000-01-01'").replace("NULL ELSE", "NULL::int ELSE")
    } else {
        sql
    };
    session.batch_execute(&sql).unwrap();
}

fn rows(session: &mut Session, sql: &str) -> Vec<String> {
    let sql = format!("SELECT x::text FROM ({sql}) x");
    let mut found: Vec<String> = session.query(&sql, &[]).unwrap().iter().map(|r| r.get(0)).collect();
    found.sort();
    found
}

#[test]
fn all_kinds_of_joins_answer_the_same() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut useful = 0;
    for round in 0..30 {
        let db = Database::in_memory().unwrap();
        let mut session = db.session().unwrap();
        let ty = ["int", "bigint", "smallint", "date"][round % 4];
        let narrow = ty == "smallint";
        for (name, rows) in [("a", 3000), ("b", 40), ("c", 500)] {
            let spread = if narrow {
                9000
            } else {
                [60, 5000, 3_000_000_000_i64][rng.random_range(0..if ty == "bigint" { 3 } else { 2 })]
            };
            fill(&mut session, &mut rng, name, ty, rows, spread);
        }
        session.batch_execute("INSERT INTO b SELECT k, 7, 'of a' FROM a WHERE l = 3; INSERT INTO c SELECT k, 8, 'of b' FROM b; ANALYZE").unwrap();
        let on = |kind: &str, left: &str, right: &str| match kind {
            "SEMI" => format!("SELECT * FROM {left} x WHERE EXISTS (SELECT FROM {right} y WHERE x.k = y.k)"),
            "ANTI" => format!("SELECT * FROM {left} x WHERE NOT EXISTS (SELECT FROM {right} y WHERE x.k = y.k)"),
            kind => format!("SELECT x.k, x.w, y.l, y.w AS v FROM {left} x {kind} {right} y ON x.k = y.k"),
        };
        let mut queries = Vec::new();
        for outer in KINDS {
            queries.push(on(outer, "a", "b"));
            for inner in KINDS {
                queries.push(on(outer, &format!("({})", on(inner, "a", "c")), "b"));
            }
        }
        queries.push(on("JOIN", "(SELECT k, count(*)::text AS w, sum(l) AS l FROM a GROUP BY k)", "b"));
        queries.push(on("JOIN", "(SELECT k, l, w FROM a WHERE l > 10 ORDER BY w LIMIT 100)", "b"));
        queries.push("SELECT a.w, b.w, c.w FROM a, b, c WHERE a.k = b.k AND b.k = c.k AND a.l < b.l + c.l".to_owned());
        for sql in &queries {
            let found = rows(&mut session, sql);
            session.batch_execute("SET enable_hashjoin = off").unwrap();
            let expected = rows(&mut session, sql);
            session.batch_execute("RESET enable_hashjoin").unwrap();
            assert_eq!(found, expected, "{ty}: {sql}");
            useful += usize::from(!found.is_empty());
        }
        // The filter was of use: fewer rows left the scan than there are.
        let plan = session
            .query("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT a.w, b.w FROM a JOIN b ON a.k = b.k", &[])
            .unwrap();
        let plan: Vec<String> = plan.iter().map(|r| r.get(0)).collect();
        if plan.iter().any(|l| l.contains("Hash Join")) {
            let scan = plan.iter().find(|l| l.contains("on a ")).unwrap();
            assert!(!scan.contains("rows=3000"), "{plan:#?}");
        }
    }
    assert!(useful > 500, "{useful}");
}
