//! NOTIFY beside a crowd of listeners: what it takes from those who commit.

use std::time::Duration;

use crate::doors::{Door, HATHI, POSTGRESQL};
use crate::figure::{Figure, Goal, Unit};
use crate::load::{Crowd, Requests, busy, query};
use crate::stage::{Failure, Stage, scatter};

/// How long one listener may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);
const WRITERS: usize = 64;
const NOTIFYING: &str = "Hathi, notifying";
const SILENT: &str = "Hathi, silent";
const POSTGRESQL_NOTIFYING: &str = "PostgreSQL, notifying";
const POSTGRESQL_SILENT: &str = "PostgreSQL, silent";

/// Durable inserts of many clients, with a NOTIFY in the same transaction, which wakes one of many parked listeners, or with a `SELECT` of a number instead:
/// what a second statement costs is not NOTIFY's, nor is what a text costs that has not been asked just before.
pub fn notify(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let listeners = |who: &str| match who {
        POSTGRESQL => stage.scale.idle_clients_postgres,
        _ => stage.scale.idle_clients,
    };
    let mut figure = Figure::new(
        "notify",
        format!(
            "durable INSERTs per second by {WRITERS} clients, with a NOTIFY behind each in its transaction or a SELECT of a number; {} sessions listen, each to a \
             channel of its own",
            listeners(HATHI)
        ),
        Unit::PerSecond,
        Goal::TimesAtLeast(SILENT, 0.95),
        &[NOTIFYING, SILENT, POSTGRESQL_NOTIFYING, POSTGRESQL_SILENT],
    );
    figure.note(format!("Of PostgreSQL {} sessions listen: each is a process.", listeners(POSTGRESQL)));
    let endpoints = stage.open_all(&[Door::Hathi, Door::PostgreSql], &mut figure)?;
    for endpoint in &endpoints {
        endpoint.client()?.batch_execute("DROP TABLE IF EXISTS said; CREATE TABLE said (what text)")?;
    }
    for endpoint in &endpoints {
        let count = listeners(endpoint.who);
        let mut ears = Crowd::connect(endpoint, count)?;
        for n in ears.numbers() {
            ears.send(n, &query(&format!("LISTEN c{n}")))?;
            ears.hear(1, PATIENCE)?;
        }
        let insert = "INSERT INTO said VALUES ('something')";
        let each = |second: &dyn Fn(i32) -> String| {
            let channel = |i| scatter(i, i32::try_from(count).unwrap_or(i32::MAX));
            Requests::new((0..count).map(|i| query(&format!("{insert}; {}", second(channel(i))))))
        };
        let (loud, silent) =
            (each(&|channel| format!("NOTIFY c{channel}")), each(&|number| format!("SELECT {number}")));
        let mut writers = Crowd::connect(endpoint, WRITERS)?;
        let (with, without) = match endpoint.who {
            POSTGRESQL => (POSTGRESQL_NOTIFYING, POSTGRESQL_SILENT),
            _ => (NOTIFYING, SILENT),
        };
        for _ in 0..stage.scale.rounds {
            let tally = busy(&mut writers, &silent, stage.scale.load_time)?;
            figure.add_clients(without, tally.rate(), tally.client_rates());
            let before: i64 = endpoint.client()?.query_one("SELECT count(*) FROM said", &[])?.get(0);
            let (told, tally) = (ears.told(), busy(&mut writers, &loud, stage.scale.load_time)?);
            figure.add_clients(with, tally.rate(), tally.client_rates());
            let after: i64 = endpoint.client()?.query_one("SELECT count(*) FROM said", &[])?.get(0);
            // Whoever is answered has been told before.
            ears.ask_all(&query("SELECT 1"))?;
            let told = (ears.told() - told) as i64;
            if told != after - before {
                return Err(ears.failure(format!("{told} of {} notifications came", after - before).into()));
            }
        }
    }
    Ok(vec![figure])
}
