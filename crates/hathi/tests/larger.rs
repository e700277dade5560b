//! Data and transactions larger than the memory for pages: every page is evicted again and again, uncommitted changes and all.

use hathi::{Database, Result, Session};

const MEMORY: usize = 2 << 20;
const ROWS: i32 = 20_000;

fn open(path: &std::path::Path, background: bool) -> (Database, Session) {
    let builder = Database::builder().memory(MEMORY).checkpoint_log_bytes(4 << 20).background(background);
    let db = builder.open(path).unwrap();
    let session = db.session().unwrap();
    (db, session)
}

fn one(session: &mut Session, sql: &str) -> i64 {
    session.query_one(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}")).get(0)
}

/// Pages and before-images in memory stay within what was allowed; a page that is latched may come on top.
fn assert_small(db: &Database) {
    let shared = db.runtime().engine().shared();
    let (resident, versions) = (shared.resident_bytes(), shared.version_bytes());
    assert!(resident + versions <= MEMORY + (256 << 10), "{resident} bytes of pages, {versions} of versions in memory");
}

fn load(session: &mut Session) -> Result<()> {
    session.batch_execute(
        "CREATE TABLE big (id int PRIMARY KEY, n int NOT NULL, body text); CREATE INDEX big_n ON big (n)",
    )?;
    session.batch_execute("BEGIN")?;
    let mut insert = session.prepare("INSERT INTO big VALUES ($1, $2, $3)")?;
    for id in 0..ROWS {
        // Now and then a value that has pages of its own.
        let long = if id % 1000 == 0 { 30_000 } else { 300 + id as usize % 500 };
        let body: String = (0..long).map(|i| char::from(b'a' + ((id as usize * 31 + i * i * 7) % 26) as u8)).collect();
        session.execute_prepared(&mut insert, &[&id, &(id % 100), &body])?;
    }
    session.batch_execute("COMMIT")
}

#[test]
fn a_table_ten_times_the_memory_is_loaded_changed_and_read() {
    let dir = tempfile::tempdir().unwrap();
    let (db, mut s) = open(dir.path(), true);
    load(&mut s).unwrap();
    assert_small(&db);
    let bytes = std::fs::metadata(dir.path().join("hathi.data")).unwrap().len() as usize;
    assert!(bytes > 5 * MEMORY, "only {bytes} bytes of data");
    let sum = i64::from(ROWS / 100) * (0..100).sum::<i64>();
    assert_eq!(one(&mut s, "SELECT sum(n) FROM big"), sum);

    // Every row, taken back.
    s.batch_execute("BEGIN").unwrap();
    assert_eq!(s.execute("UPDATE big SET n = n + 1000, body = body || '!'", &[]).unwrap(), ROWS as u64);
    assert_small(&db);
    let mut other = db.session().unwrap();
    assert_eq!(one(&mut other, "SELECT sum(n) FROM big"), sum, "others see what was before");
    assert_eq!(one(&mut other, "SELECT count(*) FROM big WHERE n = 7"), i64::from(ROWS / 100));
    assert_eq!(one(&mut s, "SELECT sum(n) FROM big"), sum + 1000 * i64::from(ROWS));
    s.batch_execute("ROLLBACK").unwrap();
    assert_eq!(one(&mut s, "SELECT sum(n) FROM big"), sum);
    assert_eq!(one(&mut s, "SELECT count(*) FROM big WHERE n > 999"), 0);

    // Every row, kept; a snapshot from before still sees what was.
    other.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ").unwrap();
    assert_eq!(one(&mut other, "SELECT sum(n) FROM big"), sum);
    assert_eq!(s.execute("UPDATE big SET n = n + 1", &[]).unwrap(), ROWS as u64);
    assert_eq!(one(&mut other, "SELECT sum(n) FROM big"), sum);
    assert_eq!(one(&mut s, "SELECT sum(n) FROM big"), sum + i64::from(ROWS));
    other.batch_execute("COMMIT").unwrap();
    assert_small(&db);
    assert!(db.check().unwrap().is_empty());
    drop((s, other));
    db.close().unwrap();

    let (db, mut s) = open(dir.path(), true);
    assert_eq!(one(&mut s, "SELECT sum(n) FROM big"), sum + i64::from(ROWS));
    assert_eq!(one(&mut s, "SELECT count(*) FROM big WHERE n = 100"), i64::from(ROWS / 100));
    assert_eq!(s.execute("DELETE FROM big WHERE n <= 50", &[]).unwrap(), (ROWS / 2) as u64);
    for id in (0..ROWS).step_by(997) {
        let rows = s.query("SELECT n, length(body) FROM big WHERE id = $1", &[&id]).unwrap();
        assert_eq!(rows.len(), usize::from(id % 100 + 1 > 50), "row {id}");
    }
    assert!(db.check().unwrap().is_empty());
    assert_small(&db);
}

#[test]
fn a_crash_amid_a_large_transaction_leaves_nothing_of_it() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // Nothing of its own accord: a checkpoint must not run while the files are copied.
    let (db, mut s) = open(dir.path(), false);
    load(&mut s).unwrap();
    let sum = one(&mut s, "SELECT sum(n) FROM big");
    s.batch_execute("BEGIN; UPDATE big SET n = -1, body = 'gone'; DELETE FROM big WHERE id < 5000").unwrap();
    db.runtime().engine().checkpoint().unwrap();
    s.batch_execute("UPDATE big SET n = -2").unwrap();
    // What the disk holds now is what a killed process would leave.
    std::fs::create_dir(copy.path().join("wal")).unwrap();
    std::fs::copy(dir.path().join("hathi.data"), copy.path().join("hathi.data")).unwrap();
    for entry in std::fs::read_dir(dir.path().join("wal")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join("wal").join(entry.file_name())).unwrap();
    }
    let (again, mut t) = open(copy.path(), true);
    assert_eq!(one(&mut t, "SELECT sum(n) FROM big"), sum);
    assert_eq!(one(&mut t, "SELECT count(*) FROM big WHERE n = 7"), i64::from(ROWS / 100));
    assert_eq!(one(&mut t, "SELECT count(*) FROM big WHERE n < 0"), 0);
    assert!(again.check().unwrap().is_empty());
    s.batch_execute("COMMIT").unwrap();
    assert_eq!(one(&mut s, "SELECT count(*) FROM big WHERE n = -2"), i64::from(ROWS - 5000));
    assert!(db.check().unwrap().is_empty());
}
