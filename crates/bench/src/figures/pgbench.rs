//! PostgreSQL's own pgbench: point reads at several sizes of crowd, TPC-B, and one row that everybody updates.

use crate::doors::{CANNED_EVENTS, CANNED_THREADS, Door, HATHI, PGBOUNCER, POSTGRESQL};
use crate::figure::{Figure, Goal, Unit};
use crate::peers::Endpoint;
use crate::peers::pgbench::{Length, PgBench, Protocol, Run, Script};
use crate::stage::{Failure, Stage};

/// What `pgbench -S` does; as a script, because for its own it asks for its tables, of which canned answers know nothing.
const SELECT: &str = "\\set aid random(1, 100000 * :scale)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n";
const HOT_ROW: &str = "UPDATE hot SET v = v + 1 WHERE id = 1;\n";
const HOT_TABLE: &str =
    "DROP TABLE IF EXISTS hot; CREATE TABLE hot (id int PRIMARY KEY, v bigint); INSERT INTO hot VALUES (1, 0)";
/// The part of short transactions that is logged: the share of a client is known to some four of its transactions then.
const SAMPLED: f64 = 0.25;
/// What the slowest client must have of the mean.
const FAIR: f64 = 0.5;

/// Point reads as `pgbench -S` does them.
pub fn select(stage: &Stage, name: &'static str, protocol: Protocol, clients: usize) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        name,
        format!("pgbench -S -M {}, {clients} clients, scale {}", protocol.name(), stage.scale.pgbench_scale),
        Unit::PerSecond,
        Goal::TimesAtLeastAny(&[(POSTGRESQL, 1.3), (CANNED_THREADS, 0.9)]),
        &[HATHI, POSTGRESQL, PGBOUNCER, CANNED_THREADS, CANNED_EVENTS],
    )
    .fair(FAIR);
    let doors: &[Door] = match protocol {
        Protocol::Simple => &[Door::Hathi, Door::PostgreSql, Door::PgBouncer, Door::CannedThreads, Door::CannedEvents],
        Protocol::Prepared => {
            figure.note("PgBouncer 1.18 keeps no prepared statements in transaction pooling.");
            &[Door::Hathi, Door::PostgreSql, Door::CannedThreads, Door::CannedEvents]
        }
    };
    let run = Run {
        script: Script::Text(SELECT),
        protocol,
        clients,
        length: stage.scale.pgbench_length,
        scale: stage.scale.pgbench_scale,
        logged: match stage.scale.pgbench_length {
            Length::Seconds(_) => SAMPLED,
            Length::Transactions(_) => 1.0,
        },
    };
    measure(stage, figure, doors, &run, |pgbench, endpoint| initialize(pgbench, endpoint, stage.scale.pgbench_scale))
}

/// TPC-B; each commit waits for the disk.
pub fn tpcb(stage: &Stage, name: &'static str, clients: usize) -> Result<Vec<Figure>, Failure> {
    let figure = Figure::new(
        name,
        format!("pgbench's TPC-B, {clients} clients, scale {}, text, durable", stage.scale.pgbench_scale),
        Unit::PerSecond,
        Goal::TimesAtLeast(POSTGRESQL, 1.5),
        &[HATHI, POSTGRESQL, PGBOUNCER],
    )
    .fair(FAIR);
    let run = Run {
        script: Script::TpcB,
        protocol: Protocol::Simple,
        clients,
        length: stage.scale.pgbench_length,
        scale: stage.scale.pgbench_scale,
        logged: 1.0,
    };
    let doors = [Door::Hathi, Door::PostgreSql, Door::PgBouncer];
    measure(stage, figure, &doors, &run, |pgbench, endpoint| initialize(pgbench, endpoint, stage.scale.pgbench_scale))
}

/// One row that all clients update.
pub fn hot_row(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    const CLIENTS: usize = 64;
    let figure = Figure::new(
        "hot-row-64",
        format!("UPDATE of one row by {CLIENTS} clients of pgbench, text, durable"),
        Unit::PerSecond,
        Goal::TimesAtLeast(POSTGRESQL, 5.0),
        &[HATHI, POSTGRESQL, PGBOUNCER],
    )
    .fair(FAIR);
    let run = Run {
        script: Script::Text(HOT_ROW),
        protocol: Protocol::Simple,
        clients: CLIENTS,
        length: stage.scale.pgbench_length,
        scale: 1,
        logged: 1.0,
    };
    let doors = [Door::Hathi, Door::PostgreSql, Door::PgBouncer];
    measure(stage, figure, &doors, &run, |_, endpoint| Ok(endpoint.client()?.batch_execute(HOT_TABLE)?))
}

/// Runs pgbench against each server in turns. PgBouncer has PostgreSQL's tables, canned answers need none.
fn measure(
    stage: &Stage,
    mut figure: Figure,
    doors: &[Door],
    run: &Run,
    prepare: impl Fn(&PgBench, &Endpoint) -> Result<(), Failure>,
) -> Result<Vec<Figure>, Failure> {
    let pgbench = match PgBench::find() {
        Ok(pgbench) => pgbench,
        Err(why) => {
            figure.note(why);
            return Ok(vec![figure]);
        }
    };
    let endpoints = stage.open_all(doors, &mut figure)?;
    let dir = stage.new_dir()?;
    for endpoint in endpoints.iter().filter(|e| [HATHI, POSTGRESQL].contains(&e.who)) {
        prepare(&pgbench, endpoint)?;
    }
    // Many short rounds: with one or two clients much depends on whether both sides are on one processor, and that may last for a whole run.
    for _ in 0..stage.scale.rounds {
        for endpoint in &endpoints {
            let rates = pgbench.run(endpoint, run, dir.path()).map_err(|e| format!("{}: {e}", endpoint.who))?;
            figure.add_clients(endpoint.who, rates.all, rates.clients);
        }
    }
    Ok(vec![figure])
}

/// Makes pgbench's tables where they are not yet.
fn initialize(pgbench: &PgBench, endpoint: &Endpoint, scale: u32) -> Result<(), Failure> {
    let there = "SELECT count(*) FROM pg_class WHERE relname = 'pgbench_accounts'";
    if endpoint.client()?.query_one(there, &[])?.get::<_, i64>(0) == 0 {
        pgbench.initialize(endpoint, scale)?;
    }
    Ok(())
}
