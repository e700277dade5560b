//! Whatever SQL comes, a session answers with a result or an error, and lives on: random text, and statements with pieces changed.
//!
//! `HATHI_ROBUST_STATEMENTS` says how many (default 100,000 in all). An internal error (`XX000`) counts as a failure: a panic inside a
//! statement ends in one.

use std::collections::BTreeMap;

use hathi::{Database, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CORPUS: &str = include_str!("robust/corpus.sql");

fn statements() -> usize {
    std::env::var("HATHI_ROBUST_STATEMENTS").ok().and_then(|s| s.parse().ok()).unwrap_or(100_000)
}

/// A database with something in it, and little memory and time for a statement.
fn open() -> (Database, Session) {
    let db = Database::builder().memory(16 << 20).statement_memory(2 << 20).in_memory().unwrap();
    let mut session = db.session().unwrap();
    session
        .batch_execute(
            "CREATE TABLE t (a int PRIMARY KEY, b text, c numeric(8,2), d bigint);
             CREATE TABLE u (a int, b varchar(10) NOT NULL, e boolean, f double precision, UNIQUE (b));
             CREATE INDEX t_d ON t (d);
             INSERT INTO t VALUES (1, 'one', 1.5, 10), (2, 'two', NULL, 20), (3, NULL, -3.25, 30);
             INSERT INTO u VALUES (1, 'x', true, 0.5), (2, 'y', false, NULL), (NULL, 'z', NULL, -1e10);
             SET statement_timeout = 200",
        )
        .unwrap();
    (db, session)
}

struct Tally {
    done: usize,
    succeeded: usize,
    internal: Vec<String>,
    states: BTreeMap<String, usize>,
}

/// Runs `next()` again and again; checks now and then that the session lives.
fn run_all(count: usize, mut next: impl FnMut(usize) -> String) -> Tally {
    let mut tally = Tally { done: 0, succeeded: 0, internal: Vec::new(), states: BTreeMap::new() };
    let (mut db, mut session) = open();
    for i in 0..count {
        if i % 100 == 99 {
            session.batch_execute("ROLLBACK").unwrap();
            session.batch_execute("RESET ALL").unwrap();
            assert_eq!(session.query_one("SELECT 40 + 2", &[]).unwrap().get::<_, i32>(0), 42);
            assert!(db.check().unwrap().is_empty());
            (db, session) = open();
        }
        let sql = next(i);
        tally.done += 1;
        // Both ways in: many statements at once, and one that is prepared.
        let outcome = match i % 4 {
            0 => session.query(&sql, &[]).map(drop),
            _ => session.batch_execute(&sql),
        };
        if session.inner().block_state() == session::BlockState::Failed && i % 8 != 0 {
            session.batch_execute("ROLLBACK").unwrap();
        }
        match outcome {
            Ok(()) => tally.succeeded += 1,
            Err(e) if e.state().as_str() == "XX000" => tally.internal.push(format!("{sql:?}: {}", e.message())),
            Err(e) => {
                assert_eq!(e.state().as_str().len(), 5, "{sql}");
                *tally.states.entry(e.state().to_string()).or_default() += 1;
            }
        }
    }
    tally
}

fn assert_clean(tally: &Tally) {
    let shown: Vec<&String> = tally.internal.iter().take(10).collect();
    assert!(shown.is_empty(), "{} internal errors in {} statements: {shown:#?}", tally.internal.len(), tally.done);
}

#[test]
fn random_text_is_answered() {
    let alphabet: Vec<char> = "abeEtuxX1059_ \t\n'\"$\\/*-+(){}[].,;:=<>!@#%^|&?~é日\u{1F600}\u{0}".chars().collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let tally = run_all(statements() / 4, |i| match i % 3 {
        0 => {
            let bytes: Vec<u8> = (0..rng.random_range(0..60)).map(|_| rng.random()).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => (0..rng.random_range(0..50)).map(|_| alphabet[rng.random_range(0..alphabet.len())]).collect(),
    });
    assert_clean(&tally);
}

/// Cuts SQL into words, numbers, strings and single characters.
fn tokens(sql: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let len = match first {
            '\'' => rest[1..].find('\'').map_or(rest.len(), |i| i + 2),
            c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        out.push(&rest[..len]);
        rest = &rest[len..];
    }
    out
}

/// Tokens that can stand in for each other.
fn class(token: &str) -> u8 {
    match token.chars().next() {
        Some('\'') => 0,
        Some(c) if c.is_ascii_digit() => 1,
        Some(c) if c.is_lowercase() => 2,
        Some(c) if c.is_uppercase() => 3,
        Some(c) if "+-*/%<>=".contains(c) => 4,
        Some(' ') => 5,
        _ => 6,
    }
}

/// A statement with tokens exchanged for others of their kind, and sometimes pieces taken out, doubled, or put in from elsewhere.
fn mutate(rng: &mut ChaCha8Rng, corpus: &[&str], words: &[&str]) -> String {
    let mut parts = tokens(corpus[rng.random_range(0..corpus.len())]);
    for _ in 0..rng.random_range(0..4) {
        let at = rng.random_range(0..parts.len().max(1));
        let word = words[rng.random_range(0..words.len())];
        match rng.random_range(0..30) {
            _ if parts.is_empty() => parts.push(word),
            0 => drop(parts.remove(at)),
            1 => parts.insert(at, word),
            2 => parts[at] = word,
            3 => parts.swap(at, 0),
            4 => parts.insert(at, parts[at]),
            5 => parts.truncate(at + 1),
            6 => {
                let other = corpus[rng.random_range(0..corpus.len())];
                parts.extend(tokens(other).into_iter().skip(rng.random_range(0..4)));
            }
            _ => {
                let like: Vec<&str> = words.iter().copied().filter(|w| class(w) == class(parts[at])).collect();
                parts[at] = like[rng.random_range(0..like.len())];
            }
        }
    }
    let mut sql = parts.concat();
    if rng.random_range(0..10) == 0 && !sql.is_empty() {
        let at = rng.random_range(0..sql.len());
        if sql.is_char_boundary(at) && sql.is_char_boundary(at + 1) {
            let with = ["", "'", "(", ")", "9999999999", "\"", "-", "é", "$1", "::int", "::text", " NULL "];
            sql.replace_range(at..at + 1, with[rng.random_range(0..with.len())]);
        }
    }
    sql
}

#[test]
fn mutated_statements_are_answered() {
    let corpus: Vec<&str> = CORPUS.lines().filter(|l| !l.is_empty() && !l.starts_with("--")).collect();
    let words: Vec<&str> = corpus.iter().flat_map(|s| tokens(s)).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let count = statements() * 3 / 4;
    let tally = run_all(count, |_| mutate(&mut rng, &corpus, &words));
    assert_clean(&tally);
    // Mutation must leave enough of sense that statements are planned and run.
    assert!(tally.succeeded > count / 5, "only {} of {count} succeeded: {:?}", tally.succeeded, tally.states);
}

#[test]
fn the_corpus_itself_is_answered() {
    let (_db, mut session) = open();
    for sql in CORPUS.lines().filter(|l| !l.is_empty() && !l.starts_with("--")) {
        if let Err(e) = session.batch_execute(sql) {
            assert_ne!(e.state().as_str(), "XX000", "{sql}: {}", e.message());
            assert_ne!(e.state().as_str(), "42601", "{sql}: {}", e.message());
        }
        session.batch_execute("ROLLBACK").unwrap();
    }
}

#[test]
fn deep_statements_are_answered() {
    let (_db, mut session) = open();
    for depth in [10, 200, 3000, 100_000] {
        for (open, close) in [("(", ")"), ("-", ""), ("NOT ", ""), ("CASE WHEN true THEN ", " END"), ("abs(", ")")] {
            let sql = format!("SELECT {}1{}", open.repeat(depth), close.repeat(depth));
            if let Err(e) = session.batch_execute(&sql) {
                assert_ne!(e.state().as_str(), "XX000", "{open} {depth}: {}", e.message());
            }
        }
    }
    assert_eq!(session.query_one("SELECT 1", &[]).unwrap().get::<_, i32>(0), 1);
}

#[test]
fn long_statements_are_answered() {
    let (_db, mut session) = open();
    for length in [10, 200, 3000, 100_000] {
        for chain in [" + 1", " OR a = 1", ", 1", " || 'x'"] {
            let sql = format!("SELECT a{} FROM t", chain.repeat(length));
            if let Err(e) = session.batch_execute(&sql) {
                assert_ne!(e.state().as_str(), "XX000", "{chain} {length}: {}", e.message());
            }
        }
    }
    assert_eq!(session.query_one("SELECT 1", &[]).unwrap().get::<_, i32>(0), 1);
}

#[test]
fn a_parameter_that_is_not_there_is_told() {
    let (_db, mut session) = open();
    let e = session.batch_execute("SELECT $1").unwrap_err();
    assert_eq!((e.state().as_str(), e.message()), ("42P02", "there is no parameter $1"));
}

#[test]
fn integers_become_oids() {
    let (_db, mut session) = open();
    let row = session.query_one("SELECT (-1)::int4::oid::text, 7::int4::regclass::text", &[]).unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &str>(1)), ("4294967295", "7"));
}
