//! CREATE INDEX over many rows: one on an int, one on a text.

use hathi::Database;

use crate::figure::{Figure, Goal, Unit};
use crate::stage::{Failure, Stage, postgres_client, time};

const POSTGRES: &str = "PostgreSQL, socket";
const WHO: [&str; 2] = ["Hathi", POSTGRES];

fn fill(rows: usize) -> String {
    format!(
        "DROP TABLE IF EXISTS indexed; CREATE TABLE indexed (n int, name text); \
         INSERT INTO indexed SELECT (i * 7919::int8 % 1000003)::int, md5(i::text) FROM generate_series(1, {rows}) i"
    )
}

/// Milliseconds until the index is there and durable.
pub fn create_index(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.copy_rows;
    let figure = |name, column| {
        let what = format!(
            "CREATE INDEX on a column of {column} of {rows} rows, durable; rates of Hathi and PostgreSQL compared"
        );
        Figure::new(name, what, Unit::PerSecond, Goal::TimesAtLeast(POSTGRES, 1.5), &WHO)
    };
    let mut figures = [figure("create-index", "int4"), figure("create-index-text", "text (md5)")];
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    session.batch_execute("SET client_min_messages = warning")?;
    session.batch_execute(&fill(rows))?;
    let mut pg = postgres_client(stage, &mut figures[0])?;
    if let Some(client) = &mut pg {
        client.batch_execute("SET client_min_messages = warning")?;
        client.batch_execute(&fill(rows))?;
        client.batch_execute("VACUUM ANALYZE indexed")?;
    }
    for _ in 0..stage.scale.rounds.min(stage.scale.long_rounds + 2) {
        for (figure, column) in figures.iter_mut().zip(["n", "name"]) {
            let sql = format!("CREATE INDEX made ON indexed ({column})");
            let (elapsed, ()) = time(|| Ok(session.batch_execute(&sql)?))?;
            figure.add("Hathi", rows as f64 / elapsed.as_secs_f64());
            session.batch_execute("DROP INDEX made")?;
            if let Some(client) = &mut pg {
                let (elapsed, ()) = time(|| Ok(client.batch_execute(&sql)?))?;
                figure.add(POSTGRES, rows as f64 / elapsed.as_secs_f64());
                client.batch_execute("DROP INDEX made")?;
            }
        }
    }
    if let Some(client) = &mut pg {
        client.batch_execute("DROP TABLE indexed")?;
    }
    Ok(figures.into())
}
