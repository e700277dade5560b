//! A heavy statement of one session beside the tiny ones of another.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::doors::{Door, POSTGRESQL};
use crate::figure::{Figure, Goal, Unit};
use crate::load::{Crowd, Requests, busy, execute, prepare};
use crate::peers::Endpoint;
use crate::stage::{Failure, Stage, scatter};

const POINTS: i32 = 1000;
const HEAVY: &str = "SELECT k % 1000, count(*), sum(v), avg(v), max(t) FROM heavy GROUP BY k % 1000 ORDER BY 1";
const BESIDE: &str = "Hathi, beside an aggregate";
const ALONE: &str = "Hathi, alone";
const POSTGRESQL_BESIDE: &str = "PostgreSQL, beside an aggregate";
const POSTGRESQL_ALONE: &str = "PostgreSQL, alone";
const WHO: [&str; 4] = [BESIDE, ALONE, POSTGRESQL_BESIDE, POSTGRESQL_ALONE];

/// Point reads of one session, alone and beside a heavy aggregate in another.
pub fn fairness(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.scan_rows / 2;
    let mut p99 = Figure::new(
        "fairness",
        format!(
            "prepared point reads of one session beside an aggregate over {rows} rows that another runs again and again: 99th percentile"
        ),
        Unit::Micros,
        Goal::TimesAtMost(ALONE, 2.0),
        &WHO,
    );
    let mut median = Figure::new("fairness-median", "the same: median", Unit::Micros, Goal::None, &WHO);
    let mut rate = Figure::new(
        "fairness-aggregates",
        "aggregates per second meanwhile",
        Unit::PerSecond,
        Goal::None,
        &[BESIDE, POSTGRESQL_BESIDE],
    );
    let endpoints = stage.open_all(&[Door::Hathi, Door::PostgreSql], &mut p99)?;
    let reads = Requests::new((0..POINTS as usize).map(|i| execute(&[&scatter(i, POINTS).to_string()])));
    let mut crowds = Vec::new();
    for endpoint in &endpoints {
        endpoint.client()?.batch_execute(&format!(
            "DROP TABLE IF EXISTS points, heavy; CREATE TABLE points (id int PRIMARY KEY, v int); \
             INSERT INTO points SELECT i, i FROM generate_series(0, {POINTS} - 1) i; \
             CREATE TABLE heavy (k int, v bigint, t text); \
             INSERT INTO heavy SELECT i, i * 7, 'text ' || i % 5000 FROM generate_series(1, {rows}) i; \
             ANALYZE points; ANALYZE heavy"
        ))?;
        let mut crowd = Crowd::connect(endpoint, 1)?;
        crowd.ask_all(&prepare("SELECT v FROM points WHERE id = $1"))?;
        crowds.push((endpoint, crowd));
    }
    for _ in 0..stage.scale.long_rounds {
        for (endpoint, crowd) in &mut crowds {
            let (beside, alone) =
                if endpoint.who == POSTGRESQL { (POSTGRESQL_BESIDE, POSTGRESQL_ALONE) } else { (BESIDE, ALONE) };
            let tally = busy(crowd, &reads, stage.scale.load_time)?;
            p99.add(alone, tally.micros_at(0.99));
            median.add(alone, tally.micros_at(0.5));
            let (tally, aggregates) = beside_aggregates(endpoint, || busy(crowd, &reads, stage.scale.load_time))?;
            p99.add(beside, tally.micros_at(0.99));
            median.add(beside, tally.micros_at(0.5));
            rate.add(beside, aggregates as f64 / stage.scale.load_time.as_secs_f64());
        }
    }
    Ok(vec![p99, median, rate])
}

/// What `f` answers while another session aggregates; and how often that one did.
fn beside_aggregates<T>(endpoint: &Endpoint, f: impl FnOnce() -> Result<T, Failure>) -> Result<(T, usize), Failure> {
    let mut client = endpoint.client()?;
    let (stop, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let aggregates = scope.spawn(|| -> Result<(), String> {
            while !stop.load(Ordering::Relaxed) {
                client.simple_query(HEAVY).map_err(|e| e.to_string())?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
        let answer = f();
        let count = done.load(Ordering::Relaxed);
        stop.store(true, Ordering::Relaxed);
        aggregates.join().map_err(|_| "the thread of aggregates panicked")??;
        Ok((answer?, count))
    })
}
