//! COPY of many rows into a table with a primary key.

use std::io::Write;

use hathi::Database;

use crate::figure::{Figure, Goal, Unit};
use crate::peers::HathiServer;
use crate::stage::{Failure, Stage, postgres_client, scatter, time};

const CREATE: &str = "DROP TABLE IF EXISTS copied; \
    CREATE TABLE copied (id int PRIMARY KEY, n int, name text, at timestamptz)";
const COPY: &str = "COPY copied FROM STDIN";
const CHECK: &str = "SELECT count(*), sum(n), sum(length(name)), max(at)::text FROM copied";
/// Bytes given to a contender at once.
const PIECE: usize = 64 << 10;
const POSTGRES: &str = "PostgreSQL, socket";
const SERVED: &str = "Hathi, socket";

/// The rows as text.
fn lines(rows: usize) -> Result<Vec<u8>, Failure> {
    let mut data = Vec::with_capacity(rows * 64);
    for i in 0..rows {
        let (n, second) = (scatter(i, 1_000_000), scatter(i + 3, 86_400));
        let (day, hour, minute, second) = (i % 28 + 1, second / 3600, second / 60 % 60, second % 60);
        writeln!(
            data,
            "{i}\t{n}\tname of row {n} of the table\t2024-02-{day:02} {hour:02}:{minute:02}:{second:02}.{:03}+00",
            i % 1000
        )?;
    }
    Ok(data)
}

/// Rows per second, with the durable commit.
pub fn copy_in(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.copy_rows;
    let data = lines(rows)?;
    let mut figure = Figure::new(
        "copy-in",
        format!(
            "COPY of {rows} rows (int, int, text, timestamptz; {} MB) as text into a table with a primary key, with its durable commit",
            data.len() / 1_000_000
        ),
        Unit::PerSecond,
        Goal::TimesAtLeast(POSTGRES, 2.0),
        &["Hathi", SERVED, POSTGRES],
    );
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    session.batch_execute("SET timezone = 'UTC'; SET client_min_messages = warning")?;
    let server = HathiServer::start(&db)?;
    let mut clients = vec![(SERVED, server.client()?)];
    if let Some(client) = postgres_client(stage, &mut figure)? {
        clients.push((POSTGRES, client));
    }
    for (_, client) in &mut clients {
        client.batch_execute("SET timezone = 'UTC'; SET client_min_messages = warning")?;
    }
    for _ in 0..stage.scale.rounds {
        session.batch_execute(CREATE)?;
        let (elapsed, ()) = time(|| {
            let mut copy = session.copy_in(COPY)?;
            data.chunks(PIECE).try_for_each(|piece| copy.write_all(piece))?;
            copy.finish()?;
            Ok(())
        })?;
        figure.add("Hathi", rows as f64 / elapsed.as_secs_f64());
        let row = session.query_one(CHECK, &[])?;
        let wanted: (i64, i64, i64, String) = (row.get(0), row.get(1), row.get(2), row.get::<_, &str>(3).to_owned());
        for (who, client) in &mut clients {
            client.batch_execute(CREATE)?;
            let (elapsed, ()) = time(|| {
                let mut copy = client.copy_in(COPY)?;
                data.chunks(PIECE).try_for_each(|piece| copy.write_all(piece))?;
                copy.finish()?;
                Ok(())
            })?;
            figure.add(who, rows as f64 / elapsed.as_secs_f64());
            let row = client.query_one(CHECK, &[])?;
            let found: (i64, i64, i64, String) = (row.get(0), row.get(1), row.get(2), row.get(3));
            if found != wanted {
                return Err(format!("{who} has {found:?}, Hathi {wanted:?}").into());
            }
        }
    }
    if let Some((_, client)) = clients.get_mut(1) {
        client.batch_execute("DROP TABLE copied")?;
    }
    Ok(vec![figure])
}
