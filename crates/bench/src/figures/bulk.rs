//! Many prepared inserts in one transaction.

use hathi::Database;

use crate::figure::{Figure, Goal, Unit};
use crate::peers;
use crate::stage::{Failure, Stage, scatter, time};

const CREATE: &str = "CREATE TABLE t2 (a int, b int, c varchar(100))";
const TEXT: &str = "eighty-eight thousand seven hundred and sixty-one";

/// 25,000 prepared inserts and the durable commit.
pub fn bulk_inserts(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let count = stage.scale.bulk_inserts;
    let mut figure = Figure::new(
        "bulk-inserts",
        format!("{count} prepared inserts in one transaction, with its durable commit"),
        Unit::Millis,
        Goal::TimesAtMost("SQLite", 2.0),
        &["Hathi", "SQLite", "PostgreSQL, socket"],
    );
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    session.batch_execute(CREATE)?;
    let mut insert = session.prepare("INSERT INTO t2 VALUES ($1, $2, $3)")?;
    let sqlite = peers::on_disk(dir.path())?;
    sqlite.execute_batch(CREATE)?;
    let mut sqlite_insert = sqlite.prepare("INSERT INTO t2 VALUES (?1, ?2, ?3)")?;
    let mut pg = match stage.postgres() {
        Ok(server) => Some(server.client()?),
        Err(why) => {
            figure.note(why);
            None
        }
    };
    let pg_insert = match &mut pg {
        Some(client) => {
            client.batch_execute(&format!("DROP TABLE IF EXISTS t2; {CREATE}"))?;
            Some(client.prepare("INSERT INTO t2 VALUES ($1, $2, $3)")?)
        }
        None => None,
    };
    for _ in 0..stage.scale.rounds {
        let (elapsed, ()) = time(|| {
            session.batch_execute("BEGIN")?;
            for i in 0..count {
                session.execute_prepared(&mut insert, &[&(i as i32), &scatter(i, 100_000), &TEXT])?;
            }
            Ok(session.batch_execute("COMMIT")?)
        })?;
        figure.add("Hathi", elapsed.as_secs_f64() * 1e3);
        let (elapsed, ()) = time(|| {
            sqlite.execute_batch("BEGIN")?;
            for i in 0..count {
                sqlite_insert.execute((i as i32, scatter(i, 100_000), TEXT))?;
            }
            Ok(sqlite.execute_batch("COMMIT")?)
        })?;
        figure.add("SQLite", elapsed.as_secs_f64() * 1e3);
        if let (Some(client), Some(insert)) = (&mut pg, &pg_insert) {
            let (elapsed, ()) = time(|| {
                client.batch_execute("BEGIN")?;
                for i in 0..count {
                    client.execute(insert, &[&(i as i32), &scatter(i, 100_000), &TEXT])?;
                }
                Ok(client.batch_execute("COMMIT")?)
            })?;
            figure.add("PostgreSQL, socket", elapsed.as_secs_f64() * 1e3);
        }
    }
    Ok(vec![figure])
}
