//! Durable commits: one client against the bare disk, sixteen sharing syncs.

use std::sync::Barrier;
use std::time::Instant;

use hathi::Database;

use crate::figure::{Figure, Goal, Unit};
use crate::peers::{self, BareLog};
use crate::stage::{Failure, Stage, micros_each};

const CREATE: &str = "CREATE TABLE t1 (a int, b int, c varchar(100))";
const TEXT: &str = "eighty-eight thousand seven hundred and sixty-one";

/// Autocommit inserts, each waiting for the disk, against bare 4 KiB writes with fdatasync.
pub fn durable_inserts(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let count = stage.scale.durable_inserts;
    let mut figure = Figure::new(
        "durable-inserts",
        format!("{count} durable autocommit inserts (prepared, one row each), time per insert"),
        Unit::Micros,
        Goal::TimesAtMost("bare write + fdatasync", 1.25),
        &["Hathi", "bare write + fdatasync", "SQLite", "PostgreSQL, socket"],
    );
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    session.batch_execute(CREATE)?;
    let mut insert = session.prepare("INSERT INTO t1 VALUES ($1, $2, $3)")?;
    let mut bare = BareLog::new(&dir.path().join("bare"), count)?;
    let sqlite = peers::on_disk(dir.path())?;
    sqlite.execute_batch(CREATE)?;
    let mut sqlite_insert = sqlite.prepare("INSERT INTO t1 VALUES (?1, ?2, ?3)")?;
    let mut pg = match stage.postgres() {
        Ok(server) => Some(server.client()?),
        Err(why) => {
            figure.note(why);
            None
        }
    };
    let pg_insert = match &mut pg {
        Some(client) => {
            client.batch_execute(&format!("DROP TABLE IF EXISTS t1; {CREATE}"))?;
            Some(client.prepare("INSERT INTO t1 VALUES ($1, $2, $3)")?)
        }
        None => None,
    };
    for _ in 0..stage.scale.rounds {
        figure.add("bare write + fdatasync", micros_each(count, |_| bare.write())?);
        let each = micros_each(count, |i| {
            session.execute_prepared(&mut insert, &[&(i as i32), &(i as i32 * 7), &TEXT])?;
            Ok(())
        })?;
        figure.add("Hathi", each);
        let each = micros_each(count, |i| {
            sqlite_insert.execute((i as i32, i as i32 * 7, TEXT))?;
            Ok(())
        })?;
        figure.add("SQLite", each);
        if let (Some(client), Some(insert)) = (&mut pg, &pg_insert) {
            let each = micros_each(count, |i| {
                client.execute(insert, &[&(i as i32), &(i as i32 * 7), &TEXT])?;
                Ok(())
            })?;
            figure.add("PostgreSQL, socket", each);
        }
    }
    Ok(vec![figure])
}

/// Clients that commit at once.
const CLIENTS: usize = 16;

/// Sixteen clients committing durably: commits per sync, and what each client gets.
pub fn group_commit(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let each = stage.scale.client_commits;
    let mut shared = Figure::new(
        "group-commit",
        format!("{CLIENTS} clients with {each} durable autocommit inserts each: commits per sync of the log"),
        Unit::CommitsPerSync,
        Goal::AtLeast(8.0),
        &["Hathi"],
    );
    let mut rates = Figure::new(
        "group-commit-rate",
        format!("the same: commits per second of all {CLIENTS} clients together"),
        Unit::PerSecond,
        Goal::None,
        &["Hathi", "PostgreSQL, sockets"],
    );
    let mut clients_rates = Figure::new(
        "group-commit-client",
        "the same: commits per second of each client; min .. max is over all clients of all rounds",
        Unit::PerSecond,
        Goal::None,
        &["Hathi", "PostgreSQL, sockets"],
    );
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    db.session()?.batch_execute(CREATE)?;
    let pg = stage.postgres();
    match &pg {
        Ok(server) => server.client()?.batch_execute(&format!("DROP TABLE IF EXISTS t1; {CREATE}"))?,
        Err(why) => rates.note(why.clone()),
    }
    for _ in 0..stage.scale.rounds {
        let syncs = || db.runtime().engine().shared().log.sync_count();
        let before = syncs();
        let start = Instant::now();
        let clients = of_all_clients(|barrier, client| {
            let mut session = db.session().map_err(|e| e.to_string())?;
            let insert = session.prepare("INSERT INTO t1 VALUES ($1, $2, $3)").map_err(|e| e.to_string());
            barrier.wait();
            let (mut insert, start) = (insert?, Instant::now());
            for i in 0..each {
                session
                    .execute_prepared(&mut insert, &[&(client as i32), &(i as i32), &TEXT])
                    .map_err(|e| e.to_string())?;
            }
            Ok(each as f64 / start.elapsed().as_secs_f64())
        })?;
        let seconds = start.elapsed().as_secs_f64();
        shared.add("Hathi", (CLIENTS * each) as f64 / (syncs() - before).max(1) as f64);
        rates.add("Hathi", (CLIENTS * each) as f64 / seconds);
        clients.into_iter().for_each(|rate| clients_rates.add("Hathi", rate));
        if let Ok(server) = pg {
            let start = Instant::now();
            let clients = of_all_clients(|barrier, client| {
                let mut connection = server.client().map_err(|e| e.to_string())?;
                let insert = connection.prepare("INSERT INTO t1 VALUES ($1, $2, $3)").map_err(|e| e.to_string());
                barrier.wait();
                let (insert, start) = (insert?, Instant::now());
                for i in 0..each {
                    connection.execute(&insert, &[&(client as i32), &(i as i32), &TEXT]).map_err(|e| e.to_string())?;
                }
                Ok(each as f64 / start.elapsed().as_secs_f64())
            })?;
            rates.add("PostgreSQL, sockets", (CLIENTS * each) as f64 / start.elapsed().as_secs_f64());
            clients.into_iter().for_each(|rate| clients_rates.add("PostgreSQL, sockets", rate));
        }
    }
    Ok(vec![shared, rates, clients_rates])
}

/// Runs `client` on a thread each, started together; what each answers.
fn of_all_clients(client: impl Fn(&Barrier, usize) -> Result<f64, String> + Sync) -> Result<Vec<f64>, Failure> {
    let barrier = Barrier::new(CLIENTS);
    let answers: Vec<Result<f64, String>> = std::thread::scope(|scope| {
        let (client, barrier) = (&client, &barrier);
        let threads: Vec<_> = (0..CLIENTS).map(|i| scope.spawn(move || client(barrier, i))).collect();
        threads.into_iter().map(|t| t.join().unwrap_or_else(|_| Err("a client panicked".to_owned()))).collect()
    });
    Ok(answers.into_iter().collect::<Result<_, _>>()?)
}
