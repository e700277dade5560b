//! Runs one thing over and over, for profilers: `cargo run --profile profiling -p bench --example profile -- MODE COUNT`.
//!
//! Modes: `one` (SELECT 1), `point`, `update`, `insert` (prepared, by key), `literal` (with literals), `sql` (the statement in `Q`, after the script in
//! `PRE`). `DIR` puts the database there and keeps it.

use std::time::Instant;

use hathi::{Database, Session};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn timed(what: &str, count: u32, mut f: impl FnMut(u32) -> Outcome) -> Outcome {
    for i in 0..count / 10 {
        f(i)?;
    }
    let start = Instant::now();
    for i in 0..count {
        f(i)?;
    }
    println!("{what}: {:.4} µs each", start.elapsed().as_secs_f64() * 1e6 / f64::from(count.max(1)));
    Ok(())
}

const ROWS: u32 = 100_000;

fn fill(session: &mut Session) -> Outcome {
    session.batch_execute("CREATE TABLE kv (id int PRIMARY KEY, v int, name text)")?;
    let rows = format!("INSERT INTO kv SELECT i, i * 3, 'row number ' || i FROM generate_series(0, {ROWS} - 1) i");
    Ok(session.batch_execute(&rows)?)
}

fn scattered(i: u32) -> i32 {
    (i.wrapping_mul(2_654_435_761) % ROWS) as i32
}

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_else(|| "one".to_owned());
    let count: u32 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let db = match std::env::var("DIR") {
        Ok(dir) => Database::open(dir)?,
        Err(_) => Database::in_memory()?,
    };
    let mut session = db.session()?;
    if let Ok(script) = std::env::var("PRE") {
        session.batch_execute(&script)?;
    }
    match &*mode {
        "one" => {
            let mut select = session.prepare("SELECT 1")?;
            timed("SELECT 1", count, |_| {
                assert_eq!(session.query_prepared(&mut select, &[])?[0].get::<_, i32>(0), 1);
                Ok(())
            })
        }
        "point" => {
            fill(&mut session)?;
            let mut select = session.prepare("SELECT v, name FROM kv WHERE id = $1")?;
            timed("by key", count, |i| {
                let id = scattered(i);
                assert_eq!(session.query_prepared(&mut select, &[&id])?[0].get::<_, i32>(0), id * 3);
                Ok(())
            })
        }
        "update" => {
            fill(&mut session)?;
            session.batch_execute("SET synchronous_commit = off")?;
            let mut update = session.prepare("UPDATE kv SET v = v + 1 WHERE id = $1")?;
            timed("update by key", count, |i| {
                assert_eq!(session.execute_prepared(&mut update, &[&scattered(i)])?, 1);
                Ok(())
            })
        }
        "insert" => {
            session.batch_execute("CREATE TABLE kv (id int PRIMARY KEY, v int, name text); SET synchronous_commit = off")?;
            let mut insert = session.prepare("INSERT INTO kv VALUES ($1, $2, $3)")?;
            let mut next = 0;
            timed("insert", count, |_| {
                next += 1;
                session.execute_prepared(&mut insert, &[&next, &next, &"a name"])?;
                Ok(())
            })
        }
        "literal" => {
            fill(&mut session)?;
            timed("by key, literal", count, |i| {
                let id = scattered(i);
                let rows = session.query(&format!("SELECT v, name FROM kv WHERE id = {id}"), &[])?;
                assert_eq!(rows[0].get::<_, i32>(0), id * 3);
                Ok(())
            })
        }
        "sql" => {
            let sql = std::env::var("Q")?;
            timed(&sql, count, |_| Ok(session.batch_execute(&sql)?))
        }
        other => Err(format!("there is no mode {other:?}").into()),
    }
}
