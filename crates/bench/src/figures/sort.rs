//! Sorting more rows than `work_mem` holds.

use hathi::Database;

use crate::figure::{Figure, Goal, Unit};
use crate::stage::{Failure, Stage, postgres_client, time};

const POSTGRES: &str = "PostgreSQL, socket";
const WHO: [&str; 2] = ["Hathi", POSTGRES];
const SETTINGS: &str = "SET client_min_messages = warning; SET work_mem = '64MB'";

fn fill(rows: usize) -> String {
    format!(
        "DROP TABLE IF EXISTS sorted; CREATE TABLE sorted (n int, name text); \
         INSERT INTO sorted SELECT (i * 7919::int8 % 10000019)::int, md5(i::text) FROM generate_series(1, {rows}) i"
    )
}

/// Rows sorted per second: the last row is asked for.
pub fn sort(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.sort_rows;
    let figure = |name, column| {
        let what = format!(
            "SELECT n, name FROM sorted ORDER BY {column} OFFSET {} over {rows} rows (int4, text of 32), work_mem = 64 MB: rows per second",
            rows - 1
        );
        Figure::new(name, what, Unit::PerSecond, Goal::TimesAtLeast(POSTGRES, 1.0), &WHO)
    };
    let mut figures = [figure("sort", "n"), figure("sort-text", "name")];
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    session.batch_execute(SETTINGS)?;
    session.batch_execute(&fill(rows))?;
    let mut pg = postgres_client(stage, &mut figures[0])?;
    if let Some(client) = &mut pg {
        client.batch_execute(SETTINGS)?;
        client.batch_execute(&fill(rows))?;
        client.batch_execute("VACUUM ANALYZE sorted")?;
    }
    for _ in 0..stage.scale.rounds.min(stage.scale.long_rounds) {
        for (figure, column) in figures.iter_mut().zip(["n", "name"]) {
            let sql = format!("SELECT n, name FROM sorted ORDER BY {column} OFFSET {}", rows - 1);
            let (elapsed, found) = time(|| Ok(session.query_one(&sql, &[])?))?;
            figure.add("Hathi", rows as f64 / elapsed.as_secs_f64());
            let wanted: (i32, String) = (found.get(0), found.get::<_, &str>(1).to_owned());
            if let Some(client) = &mut pg {
                let (elapsed, found) = time(|| Ok(client.query_one(&sql, &[])?))?;
                figure.add(POSTGRES, rows as f64 / elapsed.as_secs_f64());
                let found: (i32, String) = (found.get(0), found.get(1));
                if found != wanted {
                    return Err(format!("the last row is {wanted:?}, PostgreSQL says {found:?}").into());
                }
            }
        }
    }
    if let Some(client) = &mut pg {
        client.batch_execute("DROP TABLE sorted")?;
    }
    Ok(figures.into())
}
