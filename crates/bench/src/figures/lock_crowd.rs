//! Sessions that wait for a row's lock: what they take from others.

use std::time::Duration;

use server::SessionMode;

use crate::doors::{Door, HATHI, POSTGRESQL};
use crate::figure::{Figure, Goal, Unit};
use crate::load::{Crowd, Requests, busy, execute, prepare, query};
use crate::peers::HathiProcess;
use crate::peers::hathi_process::Entry;
use crate::stage::{Failure, Stage, scatter};

const WAITING: usize = 64;
const OTHERS: usize = 8;
/// Carriers that may run at a time, far fewer than wait.
const SLOTS: usize = 4;
const ROWS: i32 = 1000;
const BESIDE: &str = "Hathi, beside the crowd";
const ALONE: &str = "Hathi, without it";
const POSTGRESQL_BESIDE: &str = "PostgreSQL, beside the crowd";
const POSTGRESQL_ALONE: &str = "PostgreSQL, without it";
/// How long the crowd has to get to the lock, and to get away from it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Point reads of some while others wait for one row.
pub fn lock_crowd(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        "lock-crowd",
        format!(
            "prepared point reads per second by {OTHERS} clients, beside {WAITING} that wait for the lock of one row; {SLOTS} slots"
        ),
        Unit::PerSecond,
        Goal::TimesAtLeast(ALONE, 0.95),
        &[BESIDE, ALONE, POSTGRESQL_BESIDE, POSTGRESQL_ALONE],
    )
    .fair(0.5);
    let dir = stage.new_dir()?;
    let mode = SessionMode::Pooled { slots: SLOTS };
    let server = HathiProcess::start(HATHI, &dir.path().join("hathi"), mode, Entry::Open)?;
    let mut endpoints = vec![server.endpoint().clone()];
    endpoints.extend(stage.open_all(&[Door::PostgreSql], &mut figure)?);
    let reads = Requests::new((0..ROWS as usize).map(|i| execute(&[&scatter(i, ROWS).to_string()])));
    let mut crowds = Vec::new();
    for endpoint in &endpoints {
        endpoint.client()?.batch_execute(&format!(
            "DROP TABLE IF EXISTS crowd; CREATE TABLE crowd (id int PRIMARY KEY, v int); \
             INSERT INTO crowd SELECT i, 0 FROM generate_series(0, {ROWS}) i"
        ))?;
        let mut others = Crowd::connect(endpoint, OTHERS)?;
        others.ask_all(&prepare("SELECT v FROM crowd WHERE id = $1"))?;
        crowds.push((Crowd::connect(endpoint, 1)?, Crowd::connect(endpoint, WAITING)?, others));
    }
    for _ in 0..stage.scale.long_rounds {
        for (holder, waiting, others) in &mut crowds {
            let (beside, alone) =
                if others.who() == POSTGRESQL { (POSTGRESQL_BESIDE, POSTGRESQL_ALONE) } else { (BESIDE, ALONE) };
            let tally = busy(others, &reads, stage.scale.load_time)?;
            figure.add_clients(alone, tally.rate(), tally.client_rates());
            // A row that nobody reads.
            let update = query(&format!("UPDATE crowd SET v = v + 1 WHERE id = {ROWS}"));
            holder.ask_all(&query("BEGIN"))?;
            holder.ask_all(&update)?;
            waiting.send_all(&update)?;
            if waiting.hear(1, Duration::from_millis(200))? > 0 {
                return Err(waiting.failure("somebody did not wait for the lock".into()));
            }
            let tally = busy(others, &reads, stage.scale.load_time)?;
            figure.add_clients(beside, tally.rate(), tally.client_rates());
            holder.ask_all(&query("ROLLBACK"))?;
            let passed = waiting.hear(WAITING, PATIENCE)?;
            if passed < WAITING {
                return Err(waiting.failure(format!("{passed} of {WAITING} waiters got the lock").into()));
            }
        }
    }
    Ok(vec![figure])
}
