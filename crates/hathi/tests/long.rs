//! Statements of ten megabytes are run, or refused, in reasonable time.

use hathi::Database;

const BYTES: usize = 10 << 20;

fn list(item: impl Fn(usize) -> String, separator: &str) -> String {
    let mut out = String::with_capacity(BYTES + 100);
    let mut i = 0;
    while out.len() < BYTES {
        if i > 0 {
            out.push_str(separator);
        }
        out.push_str(&item(i));
        i += 1;
    }
    out
}

#[test]
fn rows_of_values() {
    let mut s = Database::in_memory().unwrap().session().unwrap();
    s.batch_execute("CREATE TABLE t (a int, b text)").unwrap();
    let rows = list(|i| format!("({i}, 'a text')"), ",");
    let count = s.execute(&format!("INSERT INTO t VALUES {rows}"), &[]).unwrap();
    assert_eq!(s.query_one("SELECT count(*) FROM t", &[]).unwrap().get::<_, i64>(0), count as i64);
}

#[test]
fn a_list_of_values() {
    let mut s = Database::in_memory().unwrap().session().unwrap();
    let items = list(|i| i.to_string(), ",");
    let sql = format!("SELECT count(*) FROM generate_series(1, 1000) n WHERE n IN ({items})");
    assert_eq!(s.query_one(&sql, &[]).unwrap().get::<_, i64>(0), 1000);
}

#[test]
fn many_statements() {
    let mut s = Database::in_memory().unwrap().session().unwrap();
    s.batch_execute(&list(|_| "SELECT 1".to_owned(), ";")).unwrap();
}

#[test]
fn a_long_string() {
    let mut s = Database::in_memory().unwrap().session().unwrap();
    let sql = format!("SELECT length('{}')", "x".repeat(BYTES));
    assert_eq!(s.query_one(&sql, &[]).unwrap().get::<_, i32>(0), BYTES as i32);
}

#[test]
fn a_long_comment() {
    let mut s = Database::in_memory().unwrap().session().unwrap();
    assert_eq!(s.query_one(&format!("SELECT /*{}*/ 1", "x".repeat(BYTES)), &[]).unwrap().get::<_, i32>(0), 1);
}

#[test]
fn conditions_one_behind_the_other() {
    let mut s = Database::in_memory().unwrap().session().unwrap();
    let all = list(|i| format!("n <> {i}"), " AND ");
    let sql = format!("SELECT count(*) FROM generate_series(-5, -1) n WHERE {all}");
    assert_eq!(s.query_one(&sql, &[]).unwrap().get::<_, i64>(0), 5);
}
