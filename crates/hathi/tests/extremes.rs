//! The widest tables and most parameters: as PostgreSQL 18 answers, or a clear limit.

use hathi::{Database, Session, ToSql};

fn open() -> (Database, Session) {
    let db = Database::in_memory().unwrap();
    let session = db.session().unwrap();
    (db, session)
}

#[track_caller]
fn fails(session: &mut Session, sql: &str, state: &str, message: &str) {
    let shown = &sql[..sql.len().min(60)];
    match session.batch_execute(sql) {
        Ok(()) => panic!("{shown} succeeds"),
        Err(e) => assert_eq!((e.state().as_str(), e.message()), (state, message), "{shown}"),
    }
}

#[test]
fn a_table_of_1600_columns_works_and_one_more_is_refused() {
    let (db, mut s) = open();
    let columns = |n: usize| (1..=n).map(|i| format!("c{i} int")).collect::<Vec<_>>().join(", ");
    let most = "tables can have at most 1600 columns";
    fails(&mut s, &format!("CREATE TABLE wide ({})", columns(1601)), "54011", most);
    s.batch_execute(&format!("CREATE TABLE wide ({})", columns(1600))).unwrap();
    fails(&mut s, "ALTER TABLE wide ADD COLUMN more int", "54011", most);
    let values = |plus: usize| (1..=1600).map(|i| (i + plus).to_string()).collect::<Vec<_>>().join(", ");
    s.batch_execute(&format!("INSERT INTO wide VALUES ({}), ({})", values(0), values(7))).unwrap();
    s.batch_execute(
        "CREATE INDEX ON wide (c1600); UPDATE wide SET c800 = NULL WHERE c1600 = 1607; DELETE FROM wide WHERE c1 = 1",
    )
    .unwrap();
    let row = s.query_one("SELECT * FROM wide", &[]).unwrap();
    assert_eq!(row.len(), 1600);
    assert_eq!((row.get::<_, i32>(0), row.get::<_, Option<i32>>(799), row.get::<_, i32>(1599)), (8, None, 1607));
    assert_eq!(s.query_one("SELECT count(*) FROM wide a JOIN wide b USING (c1600)", &[]).unwrap().get::<_, i64>(0), 1);
    // PostgreSQL's lists of results end at 1664.
    let list = |n: usize| format!("SELECT {}", vec!["1"; n].join(", "));
    assert_eq!(s.query_one(&list(1664), &[]).unwrap().len(), 1664);
    fails(&mut s, &list(1665), "54011", "target lists can have at most 1664 entries");
    fails(&mut s, "SELECT a.*, b.* FROM wide a, wide b", "54011", "target lists can have at most 1664 entries");
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn a_statement_takes_65535_parameters() {
    let (_db, mut s) = open();
    s.batch_execute("CREATE TABLE t (a int)").unwrap();
    let list = |n: usize| (1..=n).map(|i| format!("${i}::int")).collect::<Vec<_>>().join(", ");
    let values: Vec<i32> = (1..=65_535).collect();
    let params: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as &(dyn ToSql + Sync)).collect();
    let rows = s.query(&format!("SELECT count(*) FROM unnest(ARRAY[{}]) u WHERE u > 65000", list(65_535)), &params);
    assert_eq!(rows.unwrap()[0].get::<_, i64>(0), 535);
    let rows = (1..=65_535).map(|i| format!("(${i}::int)")).collect::<Vec<_>>().join(", ");
    assert_eq!(s.execute(&format!("INSERT INTO t VALUES {rows}"), &params).unwrap(), 65_535);
    // The last of a number that is left out has no type.
    let e = s.prepare("SELECT $65535").err().expect("has no type");
    assert_eq!((e.state().as_str(), e.message()), ("42P18", "could not determine data type of parameter $1"));
    let e = s.prepare("SELECT $2147483648").err().expect("is no number");
    assert_eq!(e.state().as_str(), "42601", "{}", e.message());
}
