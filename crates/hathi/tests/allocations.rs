//! A prepared statement that ran before allocates nothing when it runs again.

use hathi::{Database, Session, Statement};
use postgres_types::ToSql;

fn allocations(session: &mut Session, statement: &mut Statement, params: &[&(dyn ToSql + Sync)]) -> u64 {
    let mut rows = 0;
    for _ in 0..3 {
        session.query_each(statement, params, |_| Ok(())).unwrap();
    }
    let counted = allocation_counter::measure(|| {
        session
            .query_each(statement, params, |row| {
                rows += 1;
                std::hint::black_box(row.get::<_, i32>(0));
                Ok(())
            })
            .unwrap();
    });
    assert_eq!(rows, 1);
    counted.count_total
}

#[test]
fn point_queries_allocate_nothing() {
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    let setup = "CREATE TABLE kv (id int PRIMARY KEY, v int, name text);
        INSERT INTO kv SELECT i, i * 3, 'row number ' || i FROM generate_series(1, 5000) i";
    session.batch_execute(setup).unwrap();
    for (sql, params) in [
        ("SELECT 42", &[] as &[&(dyn ToSql + Sync)]),
        ("SELECT $1 + 1", &[&7i32]),
        ("SELECT v, name FROM kv WHERE id = $1", &[&77i32]),
    ] {
        let mut statement = session.prepare(sql).unwrap();
        assert_eq!(allocations(&mut session, &mut statement, params), 0, "{sql}");
    }
    // A vector of truths, and the rows that are kept.
    let mut filtered = session.prepare("SELECT v, id FROM kv WHERE id = $1 AND v > 5").unwrap();
    assert!(allocations(&mut session, &mut filtered, &[&78i32]) <= 2);
}
