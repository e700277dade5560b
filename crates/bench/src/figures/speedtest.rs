//! The eighteen speed tests, durable and in memory: SQL text in, nothing prepared.

use std::time::Instant;

use bench_scripts::speedtest::{self, Test};
use hathi::{Database, Session};
use postgres::Client;
use rusqlite::Connection;

use crate::figure::{Figure, Goal, Unit};
use crate::peers;
use crate::stage::{Failure, Stage, time};

const POSTGRES: &str = "PostgreSQL, socket";
const WHO: [&str; 3] = ["Hathi", "SQLite", POSTGRES];
/// What no contender can be faster than whose commits wait for the disk one by one.
const BARE: &str = "bare write + fdatasync, as often";
const WHO_AND_BARE: [&str; 4] = ["Hathi", "SQLite", POSTGRES, BARE];

/// Whom the statements are given to.
enum Contender<'a> {
    Hathi(&'a mut Session),
    Sqlite(&'a Connection),
    Postgres(&'a mut Client),
}

impl Contender<'_> {
    /// Milliseconds that one test takes. In-process contenders get statement by statement; PostgreSQL gets a transaction in
    /// one message, so that the socket's latency is not what is measured.
    fn run(&mut self, test: &Test) -> Result<f64, Failure> {
        let whole = match self {
            Contender::Postgres(_) if !test.autocommit => test.statements.join(";"),
            _ => String::new(),
        };
        let start = Instant::now();
        match self {
            Contender::Postgres(client) if !test.autocommit => client.batch_execute(&whole)?,
            Contender::Postgres(client) => test.statements.iter().try_for_each(|s| client.batch_execute(s))?,
            Contender::Hathi(session) => test.statements.iter().try_for_each(|s| session.batch_execute(s))?,
            Contender::Sqlite(connection) => test.statements.iter().try_for_each(|s| connection.execute_batch(s))?,
        }
        Ok(start.elapsed().as_secs_f64() * 1e3)
    }
}

/// Each of the eighteen, and all together; each commit waits for the disk.
pub fn durable(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    speedtest(stage, true)
}

/// The same in memory; PostgreSQL without waiting for the disk.
pub fn in_memory(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    speedtest(stage, false)
}

fn speedtest(stage: &Stage, durable: bool) -> Result<Vec<Figure>, Failure> {
    let tests = speedtest::tests(stage.scale.speedtest_rows);
    let (name, how, limits): (_, _, &[_]) = match durable {
        true => ("speedtest", "durable; SQLite in WAL mode", &[("SQLite", 2.0), (POSTGRES, 0.5)]),
        false => (
            "speedtest-memory",
            "in memory; PostgreSQL with synchronous_commit = off",
            &[("SQLite", 1.5), (POSTGRES, 0.5)],
        ),
    };
    let what = format!(
        "the 18 speed tests of PGlite ({} rows where it has 25000), SQL text, all together; {how}",
        stage.scale.speedtest_rows
    );
    let mut figures = vec![Figure::new(name, what, Unit::Millis, Goal::TimesAtMost("SQLite", 1.0), &WHO)];
    for test in &tests {
        let name = test.names[usize::from(!durable)];
        let who: &[_] = if durable && test.autocommit { &WHO_AND_BARE } else { &WHO };
        figures.push(Figure::new(name, test.what, Unit::Millis, Goal::TimesAtMostEach(limits), who));
    }
    let server = stage.postgres();
    if let Err(why) = &server {
        figures[0].note(why.clone());
    }
    for _ in 0..stage.scale.rounds {
        let dir = stage.new_dir()?;
        let db = if durable { Database::open(dir.path().join("hathi"))? } else { Database::in_memory()? };
        measure(&mut figures, &tests, WHO[0], Contender::Hathi(&mut db.session()?))?;
        let sqlite = if durable { peers::on_disk(dir.path())? } else { peers::in_memory()? };
        measure(&mut figures, &tests, WHO[1], Contender::Sqlite(&sqlite))?;
        if let Ok(server) = &server {
            let mut client = server.client()?;
            let wait = if durable { "on" } else { "off" };
            client.batch_execute(&format!(
                "SET synchronous_commit = {wait}; DROP TABLE IF EXISTS t1, t2, t2_1, t3, t3_1"
            ))?;
            measure(&mut figures, &tests, WHO[2], Contender::Postgres(&mut client))?;
        }
        for (test, figure) in tests.iter().zip(&mut figures[1..]).filter(|(test, _)| durable && test.autocommit) {
            let mut bare = peers::BareLog::new(&dir.path().join("bare"), 256)?;
            let (elapsed, ()) = time(|| test.statements.iter().try_for_each(|_| bare.write()))?;
            figure.add(BARE, elapsed.as_secs_f64() * 1e3);
        }
    }
    Ok(figures)
}

/// A contender's round through all tests.
fn measure(
    figures: &mut [Figure],
    tests: &[Test],
    who: &'static str,
    mut contender: Contender<'_>,
) -> Result<(), Failure> {
    let mut sum = 0.0;
    for (test, figure) in tests.iter().zip(&mut figures[1..]) {
        let millis = contender.run(test).map_err(|e| format!("{}: {who}: {e}", figure.name))?;
        sum += millis;
        figure.add(who, millis);
    }
    figures[0].add(who, sum);
    Ok(())
}
