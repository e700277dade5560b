//! Queries whose plans differ most from how they are written give PostgreSQL's rows, before and after ANALYZE.
//!
//! `planning/record.sh` records the answers.

use std::io::Read;

use hathi::{Database, Session};

const QUERIES: &str = include_str!("planning/queries.sql");
const ANSWERS: &str = include_str!("planning/answers.txt");

/// Parts of a file, each under a line of `-- ` and its name.
fn parts(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let named = |part: &'static str| part.split_once('\n').unwrap_or((part, ""));
    text.strip_prefix("-- ").unwrap().split("\n-- ").map(named).collect()
}

fn copied(session: &mut Session, query: &str) -> String {
    let mut text = String::new();
    let sql = format!("COPY ({}) TO STDOUT", query.trim().trim_end_matches(';'));
    let outcome = session
        .copy_out(&sql)
        .map_err(|e| e.to_string())
        .and_then(|mut out| out.read_to_string(&mut text).map_err(|e| e.to_string()));
    if let Err(e) = outcome {
        return format!("error: {e}");
    }
    text
}

fn check(session: &mut Session) {
    let mut wrong = Vec::new();
    for ((name, query), (answered, answer)) in parts(QUERIES).into_iter().zip(parts(ANSWERS)) {
        assert_eq!(name.split(' ').next(), Some(answered));
        let text = copied(session, query);
        if text.trim_end() != answer.trim_end() {
            wrong.push(format!("{name}: {text}\ninstead of\n{answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn database() -> (Database, Session) {
    let db = Database::in_memory().unwrap();
    let mut session = db.session().unwrap();
    session.batch_execute(include_str!("planning/schema.sql")).unwrap();
    (db, session)
}

#[test]
fn queries_answer_as_postgresql_without_statistics() {
    let (_db, mut session) = database();
    check(&mut session);
}

#[test]
fn queries_answer_as_postgresql_with_statistics() {
    let (_db, mut session) = database();
    session.batch_execute("ANALYZE").unwrap();
    check(&mut session);
}

/// Large tables beside small ones: look-ups by index instead of hashing.
#[test]
fn queries_answer_the_same_whatever_is_large() {
    for large in ["a", "b", "c"] {
        let (_db, mut session) = database();
        // What was looked at when it was large stays large on paper.
        session
            .batch_execute(&format!(
                "INSERT INTO {large} (id) SELECT i FROM generate_series(1000, 60000) i; ANALYZE; DELETE FROM {large} WHERE id >= 1000"
            ))
            .unwrap();
        check(&mut session);
    }
}
