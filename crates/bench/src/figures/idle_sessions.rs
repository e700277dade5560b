//! Sessions that wait for their clients: what each costs in memory, and all of them in threads.

use std::time::Duration;

use bytes::Bytes;
use server::SessionMode;

use crate::doors::{Door, HATHI, PGBOUNCER, POSTGRESQL};
use crate::figure::{Figure, Goal, Unit};
use crate::load::{Crowd, execute, prepare, query};
use crate::peers::hathi_process::Entry;
use crate::peers::processes::Usage;
use crate::peers::{Endpoint, HathiProcess, sessions};
use crate::stage::{Failure, Stage};

const TABLE: &str =
    "DROP TABLE IF EXISTS idle; CREATE TABLE idle (id int PRIMARY KEY, v int); INSERT INTO idle VALUES (1, 7)";
/// How long a server may tidy up before it is looked at.
const SETTLE: Duration = Duration::from_millis(500);

/// What a crowd of idle clients took.
struct Idle {
    bytes_each: f64,
    threads: usize,
    processes: usize,
    clients: usize,
    refused: Option<String>,
}

/// Lets `count` clients in, each of which asks `requests` once and then nothing more.
fn idle(endpoint: &Endpoint, count: usize, requests: &[Bytes]) -> Result<Idle, Failure> {
    let mut crowd = Crowd::new(endpoint)?;
    // The first client brings what all share.
    let (mut first, mut refused) = (Crowd::connect(endpoint, 1)?, None);
    requests.iter().try_for_each(|r| first.ask_all(r))?;
    std::thread::sleep(SETTLE);
    let before = Usage::of(endpoint.process)?;
    if let Some(why) = crowd.gather(count)? {
        refused = Some(format!("{}: {} of {count} clients were let in: {why}", endpoint.who, crowd.len()));
    }
    requests.iter().try_for_each(|r| crowd.ask_all(r))?;
    std::thread::sleep(SETTLE);
    let after = Usage::of(endpoint.process)?;
    Ok(Idle {
        bytes_each: after.bytes.saturating_sub(before.bytes) as f64 / crowd.len().max(1) as f64,
        threads: after.threads,
        processes: after.processes,
        clients: crowd.len(),
        refused,
    })
}

/// Memory per idle client, threads, and how many are let in.
pub fn idle_sessions(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let count = stage.scale.idle_clients;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let who = [HATHI, POSTGRESQL, PGBOUNCER];
    let mut memory = Figure::new(
        "idle-sessions",
        format!(
            "memory (PSS) of the server's processes for each of {count} idle clients with a prepared statement that ran once"
        ),
        Unit::KibibytesEach,
        Goal::AtMost(16.0),
        &who,
    );
    let mut threads = Figure::new(
        "idle-sessions-threads",
        "threads of the server's processes meanwhile",
        Unit::Threads,
        Goal::AtMost((cores + 4) as f64),
        &who,
    );
    let mut let_in =
        Figure::new("idle-sessions-let-in", "how many were let in", Unit::Clients, Goal::AtLeast(count as f64), &who);
    memory.note("PgBouncer 1.18 keeps no prepared statements in transaction pooling: its clients ran SELECT 1 once. PostgreSQL behind it is not counted.");
    let statement = [prepare("SELECT v FROM idle WHERE id = $1"), execute(&["1"])];
    let peers = stage.open_all(&[Door::PostgreSql, Door::PgBouncer], &mut memory)?;
    if let Some(postgres) = peers.iter().find(|e| e.who == POSTGRESQL) {
        postgres.client()?.batch_execute(TABLE)?;
    }
    for _ in 0..stage.scale.long_rounds {
        let dir = stage.new_dir()?;
        // A server of its own, which has not had larger crowds before.
        let server = HathiProcess::start(HATHI, &dir.path().join("hathi"), SessionMode::default(), Entry::Open)?;
        server.endpoint().client()?.batch_execute(TABLE)?;
        for endpoint in [server.endpoint()].into_iter().chain(&peers) {
            let found = match endpoint.who {
                POSTGRESQL => idle(endpoint, stage.scale.idle_clients_postgres, &statement)?,
                PGBOUNCER => idle(endpoint, count, &[query("SELECT 1")])?,
                _ => idle(endpoint, count, &statement)?,
            };
            memory.add(endpoint.who, found.bytes_each / 1024.0);
            threads.add(endpoint.who, found.threads as f64);
            let_in.add(endpoint.who, found.clients as f64);
            if endpoint.who == POSTGRESQL {
                threads.note(format!("PostgreSQL has {} processes then.", found.processes));
                let_in.note(format!("PostgreSQL was asked for {}.", stage.scale.idle_clients_postgres));
            }
            found.refused.into_iter().for_each(|why| let_in.note(why));
        }
    }
    Ok(vec![memory, threads, let_in])
}

/// Memory of sessions that a program has open itself.
pub fn in_process(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let count = stage.scale.idle_sessions;
    let mut figure = Figure::new(
        "idle-sessions-in-process",
        format!(
            "memory (PSS) of {count} sessions of the library in one process, each with a prepared statement that ran once"
        ),
        Unit::Mebibytes,
        Goal::AtMost(2048.0 * count as f64 / 100_000.0),
        &[HATHI],
    );
    for _ in 0..stage.scale.long_rounds {
        let bytes = sessions::bytes_of(count)? as f64;
        figure.add(HATHI, bytes / f64::from(1 << 20));
        figure.note(format!("{:.1} KiB each.", bytes / 1024.0 / count as f64));
    }
    Ok(vec![figure])
}
