//! TPC-H at a scale at which pages do not lie in the processor's caches, against PostgreSQL and DuckDB, on one thread and on two.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use hathi::Database;

use super::tpch::{
    HATHI, NAMES, ONE_THREAD, POSTGRES, SCHEMA, TABLES, compare, generate, geometric_mean, load, queries,
};
use crate::figure::{Figure, Goal, Unit};
use crate::peers::duckdb;
use crate::stage::{Failure, Stage, postgres_client, time};

const DUCKDB: &str = "DuckDB, 1 thread";
const TWO_THREADS: &str = "Hathi, 2 threads";
const DUCKDB_TWO: &str = "DuckDB, 2 threads";
/// Memory of sorts and hash tables, for Hathi and PostgreSQL alike: what DuckDB takes without being told.
const WORK_MEMORY: &str = "SET work_mem = '256MB'";

/// What the script of DuckDB reads.
fn write_files(dir: &Path, scale: f64, queries: &[&str]) -> Result<(), Failure> {
    std::fs::write(dir.join("schema.sql"), SCHEMA)?;
    for (i, query) in queries.iter().enumerate() {
        std::fs::write(dir.join(format!("{}.sql", i + 1)), query)?;
    }
    let mut file: Option<File> = None;
    generate(scale, |table, piece| {
        if piece.is_empty() {
            file = None;
            return Ok(());
        }
        if file.is_none() {
            file = Some(File::create(dir.join(format!("{table}.csv")))?);
        }
        file.as_mut().map(|f| f.write_all(piece)).transpose()?;
        Ok(())
    })
}

/// The geometric mean on one thread, then on two; what each query takes is a note.
pub fn tpch_large(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let scale = stage.scale.tpch_large_scale;
    let rounds = stage.scale.long_rounds;
    let what = format!(
        "geometric mean of TPC-H's 22 queries at scale {scale}, one thread, work_mem 256MB; PostgreSQL after VACUUM ANALYZE, without JIT"
    );
    let mut one = Figure::new(
        "tpch-large",
        what,
        Unit::Millis,
        Goal::TimesAtMostEach(&[(POSTGRES, 0.2), (DUCKDB, 3.0)]),
        &[HATHI, POSTGRES, DUCKDB],
    );
    let what = "the same on two threads";
    let goal = Goal::TimesAtMost(HATHI, 0.625);
    let mut two = Figure::new("tpch-large-threads", what, Unit::Millis, goal, &[TWO_THREADS, HATHI, DUCKDB_TWO]);
    let queries = queries();
    let dir = stage.new_dir()?;
    let db = Database::builder()
        .memory(4 << 30)
        .statement_memory(4 << 30)
        .session_memory(4 << 30)
        .open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    let mut pg = postgres_client(stage, &mut one)?;
    load(scale, &mut session, &mut pg)?;
    session.batch_execute(WORK_MEMORY)?;
    if let Some(client) = &mut pg {
        client.batch_execute(&format!("{WORK_MEMORY}; SET jit = off"))?;
    }
    compare(&queries, &mut session, &mut pg)?;
    let mut rows = Vec::new();
    let mut each: Vec<[Vec<f64>; 3]> = vec![Default::default(); queries.len()];
    for round in 0..rounds {
        for (threads, setting) in [ONE_THREAD, "SET max_parallel_workers_per_gather = 1"].into_iter().enumerate() {
            session.batch_execute(setting)?;
            let mut times = Vec::new();
            for (query, each) in queries.iter().zip(&mut each) {
                let (elapsed, answer) = time(|| Ok(session.query(query, &[])?))?;
                times.push(elapsed.as_secs_f64() * 1e3);
                each[threads].push(elapsed.as_secs_f64() * 1e3);
                if round + threads == 0 {
                    rows.push(answer.len());
                }
            }
            match threads {
                0 => {
                    one.add(HATHI, geometric_mean(&times));
                    two.add(HATHI, geometric_mean(&times));
                }
                _ => two.add(TWO_THREADS, geometric_mean(&times)),
            }
        }
        // Half a minute each.
        if let (Some(client), 0) = (&mut pg, round) {
            let mut times = Vec::new();
            for query in &queries {
                times.push(time(|| Ok(client.simple_query(query)?))?.0.as_secs_f64() * 1e3);
            }
            one.add(POSTGRES, geometric_mean(&times));
        }
    }
    match duckdb::python() {
        Err(why) => one.note(why),
        Ok(python) => {
            write_files(dir.path(), scale, &queries)?;
            for (threads, figure, name) in [(1, &mut one, DUCKDB), (2, &mut two, DUCKDB_TWO)] {
                let timed = duckdb::tpch(&python, dir.path(), rounds, threads)?;
                for ((answer, name), (theirs, _)) in rows.iter().zip(&NAMES).zip(&timed) {
                    if answer != theirs {
                        return Err(format!("{name}: {answer} rows, DuckDB has {theirs}").into());
                    }
                }
                for round in 0..rounds {
                    let times: Vec<f64> = timed.iter().filter_map(|t| t.1.get(round).copied()).collect();
                    figure.add(name, geometric_mean(&times));
                }
                if threads == 1 {
                    timed.into_iter().zip(&mut each).for_each(|((_, times), each)| each[2] = times);
                }
            }
        }
    }
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let line = |(i, each): (usize, &[Vec<f64>; 3])| {
        let [a, b, c] = each.each_ref().map(|times| best(times));
        if c.is_finite() { format!("{}: {a:.0}, {b:.0}, {c:.0}", i + 1) } else { format!("{}: {a:.0}, {b:.0}", i + 1) }
    };
    let lines: Vec<String> = each.iter().enumerate().map(line).collect();
    one.note(format!(
        "Best milliseconds of each query, Hathi on one thread, on two, DuckDB on one: {}.",
        lines.join("; ")
    ));
    if let Some(client) = &mut pg {
        client.batch_execute(&format!("DROP TABLE {} CASCADE", TABLES.join(", ")))?;
    }
    Ok(vec![one, two])
}
