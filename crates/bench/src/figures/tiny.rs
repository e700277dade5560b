//! Tiny statements of many clients at once: what a session costs that leaves its thread after each of them.

use crate::doors::{CANNED_THREADS, Door, HATHI, HATHI_THREAD, POSTGRESQL};
use crate::figure::{Figure, Goal, Unit};
use crate::load::{Crowd, Requests, busy, execute, prepare, query};
use crate::stage::{Failure, Stage, scatter};

const CLIENTS: usize = 32;
const ROWS: i32 = 10_000;
const WHO: [&str; 4] = [HATHI, HATHI_THREAD, POSTGRESQL, CANNED_THREADS];
const DOORS: [Door; 4] = [Door::Hathi, Door::HathiThread, Door::PostgreSql, Door::CannedThreads];
const TABLES: &str = "DROP TABLE IF EXISTS tiny; CREATE TABLE tiny (id int PRIMARY KEY, v int); \
    INSERT INTO tiny SELECT i, i FROM generate_series(1, 10000) i; \
    DROP TABLE IF EXISTS kv; CREATE TABLE kv (k text PRIMARY KEY, v text); \
    INSERT INTO kv SELECT 'key-' || i, repeat('v', 100) FROM generate_series(1, 10000) i";

/// `SELECT 1`, a row by its key in text, always the same row prepared, and a value by a text key prepared.
pub fn tiny(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let figure = |name, what: &str| {
        let what = format!("{what}, {CLIENTS} clients");
        Figure::new(
            name,
            what,
            Unit::PerSecond,
            Goal::TimesAtLeastAny(&[(POSTGRESQL, 1.3), (CANNED_THREADS, 0.9)]),
            &WHO,
        )
        .fair(0.5)
    };
    let mut figures = vec![
        figure("tiny-select-1", "SELECT 1 as text"),
        figure("tiny-row", "a row by its key as text"),
        figure("tiny-one-row", "always the same row by its key, prepared"),
        figure("tiny-kv", "a value of 100 bytes by a key of text, prepared"),
    ];
    let keys = || (0..1000).map(|i| 1 + scatter(i, ROWS));
    let loads: [(Option<&str>, Requests); 4] = [
        (None, Requests::from(query("SELECT 1"))),
        (None, Requests::new(keys().map(|k| query(&format!("SELECT v FROM tiny WHERE id = {k}"))))),
        (Some("SELECT v FROM tiny WHERE id = $1"), Requests::from(execute(&["1"]))),
        (Some("SELECT v FROM kv WHERE k = $1"), Requests::new(keys().map(|k| execute(&[&format!("key-{k}")])))),
    ];
    let [first, ..] = &mut figures[..] else { return Ok(figures) };
    let endpoints = stage.open_all(&DOORS, first)?;
    for endpoint in endpoints.iter().filter(|e| e.who != CANNED_THREADS) {
        endpoint.client()?.batch_execute(TABLES)?;
    }
    for (figure, (statement, requests)) in figures.iter_mut().zip(&loads) {
        let mut crowds = endpoints.iter().map(|e| Crowd::connect(e, CLIENTS)).collect::<Result<Vec<_>, Failure>>()?;
        if let Some(sql) = statement {
            crowds.iter_mut().try_for_each(|c| c.ask_all(&prepare(sql)))?;
        }
        for _ in 0..stage.scale.rounds {
            for crowd in &mut crowds {
                let tally = busy(crowd, requests, stage.scale.load_time)?;
                figure.add_clients(crowd.who(), tally.rate(), tally.client_rates());
            }
        }
    }
    Ok(figures)
}
