//! Statements nested however deep get an answer or an error, on a thread with the stack that threads have by default.

use hathi::Database;

/// Runs `depth` times `open`, `middle`, `depth` times `close` after `SELECT `.
fn nested(open: &str, middle: &str, close: &str) {
    for depth in [50, 500, 2_000, 100_000] {
        let sql = format!("SELECT {}{middle}{}", open.repeat(depth), close.repeat(depth));
        std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || {
                let db = Database::in_memory().unwrap();
                let mut s = db.session().unwrap();
                if let Err(e) = s.query(&sql, &[]) {
                    let known = ["54001", "42601", "54000", "54023"].contains(&e.state().as_str());
                    assert!(known, "{}: {}", e.state().as_str(), e.message().chars().take(200).collect::<String>());
                }
                // The session lives.
                assert_eq!(s.query_one("SELECT 7", &[]).unwrap().get::<_, i32>(0), 7);
            })
            .unwrap()
            .join()
            .unwrap();
    }
}

#[test]
fn parentheses() {
    nested("(", "1", ")");
}

#[test]
fn negations() {
    nested("NOT ", "true", "");
}

#[test]
fn lists() {
    nested("(", "true", " IN (true, false))");
}

#[test]
fn arrays() {
    nested("ARRAY[", "1", "]");
}

#[test]
fn scalar_subqueries() {
    nested("(SELECT ", "1", ")");
}

#[test]
fn subqueries_in_from() {
    nested("* FROM (SELECT ", "1 AS x", ") x");
}

#[test]
fn exists() {
    nested("EXISTS (SELECT ", "1", ")");
}

#[test]
fn cases() {
    nested("CASE WHEN true THEN ", "1", " END");
}

#[test]
fn case_conditions() {
    nested("CASE WHEN ", "true", " THEN true END");
}

#[test]
fn coalesces() {
    nested("coalesce(", "1", ")");
}

#[test]
fn rows() {
    nested("ROW(", "1", ")");
}

#[test]
fn calls() {
    nested("abs(", "1", ")");
}

#[test]
fn casts() {
    nested("", "1", "::int");
}

#[test]
fn sums() {
    nested("1 + ", "1", "");
}

#[test]
fn unions() {
    nested("1 UNION ALL SELECT ", "1", "");
}

#[test]
fn unions_within() {
    nested("1 UNION ALL (SELECT ", "1", ")");
}

#[test]
fn common_table_expressions() {
    nested("* FROM (WITH w AS (SELECT ", "1 AS x", ") SELECT * FROM w) w");
}

#[test]
fn joins() {
    nested("* FROM ", "(SELECT 1) a", " CROSS JOIN (SELECT 1) b");
}
