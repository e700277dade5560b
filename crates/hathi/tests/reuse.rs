//! Page numbers of dropped relations come back, also with another size of page.

use hathi::Database;

/// Fills small pages of many indexes, drops them, and lets a table's large pages have their numbers, all between two checkpoints.
#[test]
fn page_numbers_come_back_with_another_size() {
    for memory in [64 << 20, 1 << 20] {
        let dir = tempfile::tempdir().unwrap();
        let db = Database::builder().memory(memory).background(false).open(dir.path()).unwrap();
        let mut s = db.session().unwrap();
        for round in 0..4 {
            s.batch_execute("CREATE TABLE small (a int, b int, c int, d int)").unwrap();
            for i in 0..24 {
                let column = ["a", "b", "c", "d"][i % 4];
                s.batch_execute(&format!("CREATE INDEX small_{i} ON small ({column})")).unwrap();
            }
            s.batch_execute("INSERT INTO small SELECT i, i, i, i FROM generate_series(1, 300) i").unwrap();
            s.batch_execute("DROP TABLE small").unwrap();
            s.batch_execute(&format!(
                "CREATE TABLE large_{round} (id int, body text);
                 INSERT INTO large_{round} SELECT i, repeat('x', 500) || i FROM generate_series(1, 3000) i"
            ))
            .unwrap();
            db.runtime().engine().checkpoint().unwrap();
            assert_eq!(db.check().unwrap(), Vec::<String>::new(), "round {round}");
        }
        drop(s);
        db.close().unwrap();
        let db = Database::open(dir.path()).unwrap();
        let mut s = db.session().unwrap();
        for round in 0..4 {
            let sql = format!("SELECT count(*) FROM large_{round} WHERE body LIKE 'x%' || id");
            assert_eq!(s.query_one(&sql, &[]).unwrap().get::<_, i64>(0), 3000);
        }
        assert_eq!(db.check().unwrap(), Vec::<String>::new());
    }
}
