//! Coming and going: connections that ask one thing, and sessions of the library.

use server::SessionMode;

use crate::doors::{CANNED_EVENTS, CANNED_THREADS, Door, HATHI, PGBOUNCER, POSTGRESQL};
use crate::figure::{Figure, Goal, Unit};
use crate::load::{churn, query};
use crate::peers::hathi_process::Entry;
use crate::peers::{Endpoint, HathiProcess, PASSWORD, SCRAM_ROLE};
use crate::stage::{Failure, Stage, micros_each};

/// Connections at a time.
const CLIENTS: usize = 8;
const GOAL: Goal = Goal::TimesAtLeastEach(&[(POSTGRESQL, 10.0), (PGBOUNCER, 1.0)]);

fn measure(stage: &Stage, figure: &mut Figure, endpoints: &[Endpoint]) -> Result<(), Failure> {
    let request = query("SELECT 1");
    for _ in 0..stage.scale.long_rounds {
        for endpoint in endpoints {
            let tally = churn(endpoint, CLIENTS, &request, stage.scale.load_time)?;
            figure.add_clients(endpoint.who, tally.rate(), tally.client_rates());
        }
    }
    Ok(())
}

/// Nobody asks for a password.
pub fn trusted(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        "churn",
        format!("connect, SELECT 1, close, {CLIENTS} at a time: connections per second"),
        Unit::PerSecond,
        GOAL,
        &[HATHI, POSTGRESQL, PGBOUNCER, CANNED_THREADS, CANNED_EVENTS],
    );
    let doors = [Door::Hathi, Door::PostgreSql, Door::PgBouncer, Door::CannedThreads, Door::CannedEvents];
    let endpoints = stage.open_all(&doors, &mut figure)?;
    measure(stage, &mut figure, &endpoints)?;
    Ok(vec![figure])
}

/// Everybody shows by SCRAM-SHA-256 that it knows the password.
pub fn scram(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        "churn-scram",
        "the same with SCRAM-SHA-256; the driver hashes the password once, as RFC 5802 allows",
        Unit::PerSecond,
        GOAL,
        &[HATHI, POSTGRESQL, PGBOUNCER],
    );
    let dir = stage.new_dir()?;
    let server = HathiProcess::start(HATHI, &dir.path().join("hathi"), SessionMode::default(), Entry::Password)?;
    let mut endpoints = vec![server.endpoint().clone()];
    match stage.postgres() {
        Ok(postgres) => endpoints.push(postgres.scram_endpoint()?),
        Err(why) => figure.note(why),
    }
    match stage.pgbouncer() {
        Ok(bouncer) => {
            endpoints.push(Endpoint { user: SCRAM_ROLE, password: Some(PASSWORD), ..bouncer.endpoint().clone() })
        }
        Err(why) => figure.note(why),
    }
    measure(stage, &mut figure, &endpoints)?;
    Ok(vec![figure])
}

/// A session of the library, opened and dropped.
pub fn in_process(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        "in-process-session",
        "Database::session() and its drop",
        Unit::Micros,
        Goal::AtMost(5.0),
        &["Hathi, in-process"],
    );
    let database = hathi::Database::in_memory()?;
    drop(database.session()?);
    for _ in 0..stage.scale.rounds {
        let each = micros_each(stage.scale.socket_operations, |_| {
            drop(database.session()?);
            Ok(())
        })?;
        figure.add("Hathi, in-process", each);
    }
    Ok(vec![figure])
}
