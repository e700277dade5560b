//! A statement over its memory budget fails alone: the session, its transaction's savepoint and the others live on.

use hathi::{Database, Session};

const BUDGET: usize = 1 << 20;

fn open() -> (Database, Session) {
    let db = Database::builder().statement_memory(BUDGET).in_memory().unwrap();
    let mut session = db.session().unwrap();
    session.batch_execute("CREATE TABLE big (id int PRIMARY KEY, body text)").unwrap();
    let body = "x".repeat(1000);
    session.batch_execute("BEGIN").unwrap();
    for id in 0..4000 {
        session.execute("INSERT INTO big VALUES ($1, $2)", &[&id, &format!("{id} {body}")]).unwrap();
    }
    session.batch_execute("COMMIT").unwrap();
    (db, session)
}

/// Each must hold about four times the budget at once.
const HUNGRY: [&str; 4] = [
    "SELECT array_agg(body) FROM big",
    "SELECT string_agg(body, ',') FROM big",
    "SELECT json_agg(body) FROM big",
    "SELECT count(*) FROM big a LEFT JOIN big b ON a.body < b.body || 'y' OR a.id = 1",
];

/// Each goes over all rows, but may put them into files.
const LARGE: [&str; 5] = [
    "SELECT count(*) FROM (SELECT body FROM big ORDER BY body OFFSET 0) x",
    "SELECT count(*) FROM (SELECT DISTINCT body FROM big) x",
    "SELECT count(*) FROM (SELECT body, count(*) FROM big GROUP BY body) x",
    "SELECT count(*) FROM big a JOIN big b ON a.body = b.body",
    "WITH b AS MATERIALIZED (SELECT body FROM big) SELECT count(*) FROM b",
];

#[test]
fn more_work_mem_than_there_is_memory_is_no_reason_to_fail() {
    let db = Database::builder().statement_memory(16 << 20).in_memory().unwrap();
    let mut session = db.session().unwrap();
    let fill = "CREATE TABLE big (id int PRIMARY KEY, body text);
        INSERT INTO big SELECT i, i || repeat('x', 1000) FROM generate_series(1, 20000) i; SET work_mem = '64MB'";
    session.batch_execute(fill).unwrap();
    for sql in LARGE {
        assert_eq!(session.query_one(sql, &[]).unwrap().get::<_, i64>(0), 20_000, "{sql}");
    }
}

#[test]
fn a_statement_over_its_budget_fails_and_the_session_lives() {
    let (db, mut session) = open();
    for sql in HUNGRY {
        let Err(e) = session.query(sql, &[]) else { panic!("{sql} kept within {BUDGET} bytes") };
        if e.state().as_str() == "0A000" {
            continue;
        }
        assert_eq!(e.state().as_str(), "53200", "{sql}: {}", e.message());
        assert_eq!(e.message(), "out of memory");
        assert_eq!(session.query_one("SELECT count(*) FROM big", &[]).unwrap().get::<_, i64>(0), 4000);
    }
    // What streams needs no memory of its own.
    assert_eq!(session.query_one("SELECT max(length(body)) FROM big", &[]).unwrap().get::<_, i32>(0), 1005);
    assert!(db.check().unwrap().is_empty());
}

#[test]
fn within_a_transaction_only_the_statement_is_lost() {
    let (db, mut session) = open();
    let mut other = db.session().unwrap();
    session.batch_execute("BEGIN; DELETE FROM big WHERE id = 7; SAVEPOINT s").unwrap();
    assert_eq!(session.query(HUNGRY[0], &[]).unwrap_err().state().as_str(), "53200");
    assert_eq!(session.query("SELECT 1", &[]).unwrap_err().state().as_str(), "25P02");
    assert_eq!(other.query_one("SELECT count(*) FROM big", &[]).unwrap().get::<_, i64>(0), 4000);
    session.batch_execute("ROLLBACK TO s; COMMIT").unwrap();
    assert_eq!(other.query_one("SELECT count(*) FROM big", &[]).unwrap().get::<_, i64>(0), 3999);
}

#[test]
fn sessions_and_all_of_them_together_have_budgets_too() {
    let db = Database::builder().session_memory(6 << 20).total_memory(7 << 20).in_memory().unwrap();
    let mut sessions: Vec<Session> = (0..2).map(|_| db.session().unwrap()).collect();
    sessions[0].batch_execute("CREATE TABLE big (id int, body text)").unwrap();
    sessions[0].batch_execute("INSERT INTO big SELECT i, repeat('x', 1000) FROM generate_series(1, 4000) i").unwrap();
    // A cursor over a sort keeps some four megabytes as long as it is open.
    let open = |s: &mut Session, name: &str| {
        s.batch_execute(&format!("DECLARE {name} CURSOR FOR SELECT body FROM big ORDER BY id; FETCH 1 FROM {name}"))
    };
    sessions.iter_mut().for_each(|s| s.batch_execute("BEGIN; SAVEPOINT s").unwrap());
    open(&mut sessions[0], "a").unwrap();
    assert!(db.memory_used() > 3 << 20, "{} bytes", db.memory_used());
    let over = |outcome: hathi::Result<()>, owner: &str| {
        let e = outcome.unwrap_err();
        assert_eq!(e.state().as_str(), "53200");
        let detail = e.fields().detail.clone().unwrap_or_default();
        assert!(detail.contains(&format!("the {owner}'s budget")), "{detail}");
    };
    over(open(&mut sessions[0], "b"), "session");
    over(open(&mut sessions[1], "c"), "process");
    sessions[1].batch_execute("ROLLBACK TO s").unwrap();
    sessions[0].batch_execute("ROLLBACK").unwrap();
    assert_eq!(db.memory_used(), 0);
    open(&mut sessions[1], "c").unwrap();
    sessions[1].batch_execute("COMMIT").unwrap();
    assert_eq!(db.memory_used(), 0);
}

#[test]
fn references_of_a_large_statement_are_settled_on_the_way() {
    let db = Database::builder().statement_memory(2 << 20).in_memory().unwrap();
    let mut s = db.session().unwrap();
    s.batch_execute(
        "CREATE TABLE parent (id int PRIMARY KEY);
         CREATE TABLE child (id int PRIMARY KEY, p int REFERENCES parent, q int REFERENCES child);
         INSERT INTO parent SELECT generate_series(1, 60000)",
    )
    .unwrap();
    // Each row refers to one of its own, and to a row that the same statement has added before.
    s.batch_execute("INSERT INTO child SELECT i, i, nullif(i - 1, 0) FROM generate_series(1, 60000) i").unwrap();
    let violated = |outcome: hathi::Result<u64>, key: &str| {
        let e = outcome.unwrap_err();
        assert_eq!(e.state().as_str(), "23503", "{e:?}");
        assert!(e.fields().detail.clone().unwrap_or_default().contains(key), "{e:?}");
    };
    violated(
        s.execute("INSERT INTO child SELECT i, i - 60000, NULL FROM generate_series(60001, 120001) i", &[]),
        "Key (p)=(60001)",
    );
    let mut copy = s.copy_in("COPY child (id, p) FROM STDIN").unwrap();
    let data: String = (60_001..=120_000).map(|i| format!("{i}\t{}\n", i - 60_000)).collect();
    std::io::Write::write_all(&mut copy, data.as_bytes()).unwrap();
    assert_eq!(copy.finish().unwrap(), 60_000);
    // What was settled is still kept: its row cannot go.
    s.batch_execute("BEGIN; INSERT INTO child SELECT i, i - 120000, NULL FROM generate_series(120001, 150000) i")
        .unwrap();
    violated(s.execute("DELETE FROM parent WHERE id = 77", &[]), "Key (id)=(77) is still referenced");
    s.batch_execute("ROLLBACK").unwrap();
    assert_eq!(s.query_one("SELECT count(*) FROM child", &[]).unwrap().get::<_, i64>(0), 120_000);
}
