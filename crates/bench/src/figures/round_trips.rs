//! Round trips as PGlite measures them: insert, select, update and delete of one row of three sizes.

use std::time::Instant;

use hathi::Database;

use crate::figure::{Figure, Goal, Unit};
use crate::peers;
use crate::stage::{Failure, Stage};

const PREPARED: &str = "Hathi in memory, prepared";
const TEXT: &str = "Hathi in memory, text";
const SQLITE: &str = "SQLite in memory, prepared";
const SQLITE_TEXT: &str = "SQLite in memory, text";
const POSTGRES: &str = "PostgreSQL, socket, prepared";
const WHO: [&str; 5] = [PREPARED, TEXT, SQLITE, SQLITE_TEXT, POSTGRES];

/// Rows sizes, each with its four figures.
const SIZES: [(usize, &str, [&str; 4]); 3] = [
    (11, "a small row", ["rtt-insert", "rtt-select", "rtt-update", "rtt-delete"]),
    (1000, "a row of 1 kB", ["rtt-insert-1kb", "rtt-select-1kb", "rtt-update-1kb", "rtt-delete-1kb"]),
    (10_000, "a row of 10 kB", ["rtt-insert-10kb", "rtt-select-10kb", "rtt-update-10kb", "rtt-delete-10kb"]),
];

const CREATE: &str = "CREATE TABLE rtt (id INTEGER PRIMARY KEY, name TEXT)";
const INSERT: &str = "INSERT INTO rtt (id, name) VALUES ($1, $2)";
const SELECT: &str = "SELECT id, name FROM rtt WHERE id = $1";
const UPDATE: &str = "UPDATE rtt SET name = $2 WHERE id = $1";
const DELETE: &str = "DELETE FROM rtt WHERE id = $1";

/// The mean without its slowest and fastest tenth, in microseconds.
fn trimmed_mean(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    let cut = samples.len() / 10;
    let kept = &samples[cut..samples.len() - cut];
    kept.iter().sum::<f64>() / kept.len() as f64
}

/// Runs `operation` for every row, in each of the four kinds; adds the four trimmed means.
fn four(
    figures: &mut [Figure],
    who: &'static str,
    iterations: usize,
    mut operation: impl FnMut(usize, i32) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for (kind, figure) in figures.iter_mut().enumerate() {
        let mut samples = Vec::with_capacity(iterations);
        for id in 0..iterations {
            let start = Instant::now();
            operation(kind, id as i32)?;
            samples.push(start.elapsed().as_secs_f64() * 1e6);
        }
        figure.add(who, trimmed_mean(&mut samples));
    }
    Ok(())
}

/// Twelve round trips.
pub fn round_trips(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let iterations = stage.scale.round_trips;
    let total = Figure::new(
        "round-trips",
        format!("mean of the 12 round trips of PGlite: {iterations} of each, trimmed mean"),
        Unit::Micros,
        Goal::AtMost(20.0),
        &WHO,
    );
    let mut figures = vec![total];
    for (_, row, names) in SIZES {
        for (name, verb) in names.into_iter().zip(["insert", "select", "update", "delete"]) {
            figures.push(Figure::new(name, format!("{verb} {row}"), Unit::Micros, Goal::AtMost(20.0), &WHO));
        }
    }
    let mut pg = match stage.postgres() {
        Ok(server) => Some(server.client()?),
        Err(why) => {
            figures[0].note(why);
            None
        }
    };
    for _ in 0..stage.scale.rounds {
        for (s, (bytes, ..)) in SIZES.into_iter().enumerate() {
            let (name, other) = ("x".repeat(bytes), "y".repeat(bytes));
            let figures = &mut figures[1 + s * 4..5 + s * 4];
            let db = Database::in_memory()?;
            let mut session = db.session()?;
            session.batch_execute(CREATE)?;
            let mut insert = session.prepare(INSERT)?;
            let mut select = session.prepare(SELECT)?;
            let mut update = session.prepare(UPDATE)?;
            let mut delete = session.prepare(DELETE)?;
            four(figures, PREPARED, iterations, |kind, id| {
                let rows = match kind {
                    0 => session.execute_prepared(&mut insert, &[&id, &name])?,
                    1 => read(session.query_prepared(&mut select, &[&id])?.first().map(|r| r.get(1)), bytes),
                    2 => session.execute_prepared(&mut update, &[&id, &other])?,
                    _ => session.execute_prepared(&mut delete, &[&id])?,
                };
                one(rows)
            })?;
            four(figures, TEXT, iterations, |kind, id| {
                let rows = match kind {
                    0 => session.execute(INSERT, &[&id, &name])?,
                    1 => read(session.query(SELECT, &[&id])?.first().map(|r| r.get(1)), bytes),
                    2 => session.execute(UPDATE, &[&id, &other])?,
                    _ => session.execute(DELETE, &[&id])?,
                };
                one(rows)
            })?;
            let sqlite = peers::in_memory()?;
            sqlite.execute_batch(CREATE)?;
            // SQLite numbers `?n`, and takes `$1` as a name: by position both are the same.
            let (mut insert, mut select) = (sqlite.prepare(INSERT)?, sqlite.prepare(SELECT)?);
            let (mut update, mut delete) =
                (sqlite.prepare("UPDATE rtt SET name = ?2 WHERE id = ?1")?, sqlite.prepare(DELETE)?);
            four(figures, SQLITE, iterations, |kind, id| {
                let rows = match kind {
                    0 => insert.execute((id, &name))? as u64,
                    1 => select.query_row((id,), |r| Ok(read(r.get_ref(1)?.as_str().ok(), bytes)))?,
                    2 => update.execute((id, &other))? as u64,
                    _ => delete.execute((id,))? as u64,
                };
                one(rows)
            })?;
            four(figures, SQLITE_TEXT, iterations, |kind, id| {
                let rows = match kind {
                    0 => sqlite.execute(INSERT, (id, &name))? as u64,
                    1 => sqlite.query_row(SELECT, (id,), |r| Ok(read(r.get_ref(1)?.as_str().ok(), bytes)))?,
                    2 => sqlite.execute("UPDATE rtt SET name = ?2 WHERE id = ?1", (id, &other))? as u64,
                    _ => sqlite.execute(DELETE, (id,))? as u64,
                };
                one(rows)
            })?;
            let Some(client) = &mut pg else { continue };
            client.batch_execute(&format!("SET synchronous_commit = off; DROP TABLE IF EXISTS rtt; {CREATE}"))?;
            let (insert, select) = (client.prepare(INSERT)?, client.prepare(SELECT)?);
            let (update, delete) = (client.prepare(UPDATE)?, client.prepare(DELETE)?);
            four(figures, POSTGRES, iterations, |kind, id| {
                let rows = match kind {
                    0 => client.execute(&insert, &[&id, &name])?,
                    1 => read(client.query(&select, &[&id])?.first().map(|r| r.get(1)), bytes),
                    2 => client.execute(&update, &[&id, &other])?,
                    _ => client.execute(&delete, &[&id])?,
                };
                one(rows)
            })?;
        }
    }
    for who in WHO {
        let rounds = figures[1].series.iter().find(|s| s.who == who).map_or(0, |s| s.samples.len());
        for round in 0..rounds {
            let of = |f: &Figure| f.series.iter().find(|s| s.who == who).map_or(0.0, |s| s.samples[round]);
            let mean = figures[1..].iter().map(of).sum::<f64>() / 12.0;
            figures[0].add(who, mean);
        }
    }
    Ok(figures)
}

/// One, if what was read is as long as what was written.
fn read(name: Option<&str>, bytes: usize) -> u64 {
    u64::from(name.is_some_and(|n| n.len() == bytes))
}

fn one(rows: u64) -> Result<(), Failure> {
    if rows == 1 { Ok(()) } else { Err(format!("{rows} rows where one was expected").into()) }
}
