//! A full scan with a filter, as a share of what the machine can read.

use hathi::Database;

use crate::figure::{Figure, Goal, Unit};
use crate::peers::{self, read_rate_bytes_per_second};
use crate::stage::{Failure, Stage, scatter, time};

const COLUMNS: usize = 10;
const CREATE: &str = "CREATE TABLE t (c1 int, c2 int, c3 int, c4 int, c5 int, c6 int, c7 int, c8 int, c9 int, c10 int)";
/// Values of c1 lie below this; half of them are selected.
const BELOW: i32 = 1_000_000;
/// How often scan and read take turns in a round: what comes first after another database's turn waits for more than memory.
const PAIRS: usize = 5;

/// `SELECT sum(c2) FROM t WHERE c1 < k`, warm.
pub fn scan(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    // Doubled from a seed of rows, so that loading takes seconds, not minutes.
    let seed = (stage.scale.scan_rows / 64).max(1);
    let rows = seed * 64;
    let mut figure = Figure::new(
        "scan",
        format!(
            "SELECT sum(c2) FROM t WHERE c1 < k over {rows} rows of {COLUMNS} int4 columns, half of them selected, pages \
                 in memory: bytes of the two columns per second, against one thread that reads as many bytes"
        ),
        Unit::GigabytesPerSecond,
        Goal::TimesAtLeast("pure read of the same bytes", 0.6),
        &["Hathi", "pure read of the same bytes"],
    );
    let mut times = Figure::new(
        "scan-time",
        "the same, time per row",
        Unit::Nanos,
        Goal::None,
        &["Hathi", "SQLite", "PostgreSQL, socket, one process"],
    );
    let mut groups = Figure::new(
        "parallel-groups",
        "SELECT c2, count(*), sum(c1), min(c1), max(c1) FROM t GROUP BY c2 over the same table, 1000 groups: rows per second",
        Unit::PerSecond,
        Goal::None,
        &["Hathi, a thread per processor", "Hathi, 1 thread"],
    );
    let dir = stage.new_dir()?;
    let db = Database::builder().memory(rows * COLUMNS * 4 * 2 + (64 << 20)).open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    session.batch_execute(CREATE)?;
    session.batch_execute("SET max_parallel_workers_per_gather = 0; BEGIN")?;
    let sqlite = peers::in_memory()?;
    sqlite.execute_batch(CREATE)?;
    sqlite.execute_batch("BEGIN")?;
    let mut insert = session.prepare("INSERT INTO t VALUES ($1, $2, 3, 4, 5, 6, 7, 8, 9, 10)")?;
    let mut sqlite_insert = sqlite.prepare("INSERT INTO t VALUES (?1, ?2, 3, 4, 5, 6, 7, 8, 9, 10)")?;
    for i in 0..seed {
        let (c1, c2) = (scatter(i, BELOW), scatter(i + 7, 1000));
        session.execute_prepared(&mut insert, &[&c1, &c2])?;
        sqlite_insert.execute((c1, c2))?;
    }
    session.batch_execute("COMMIT")?;
    sqlite.execute_batch("COMMIT")?;
    for _ in 0..6 {
        session.batch_execute("INSERT INTO t SELECT * FROM t")?;
        sqlite.execute_batch("INSERT INTO t SELECT * FROM t")?;
    }
    db.runtime().engine().purge()?;
    let mut pg = match stage.postgres() {
        Ok(server) => {
            let mut client = server.client()?;
            client.batch_execute(&format!("DROP TABLE IF EXISTS t; CREATE UNLOGGED {}", &CREATE["CREATE ".len()..]))?;
            client.batch_execute(&format!(
                "INSERT INTO t SELECT (random() * {BELOW})::int, i % 1000, 3, 4, 5, 6, 7, 8, 9, 10 \
                 FROM generate_series(1, {rows}) i"
            ))?;
            client.batch_execute("VACUUM ANALYZE t")?;
            client.batch_execute("SET max_parallel_workers_per_gather = 0")?;
            let select = client.prepare("SELECT sum(c2) FROM t WHERE c1 < $1")?;
            Some((client, select))
        }
        Err(why) => {
            times.note(why);
            None
        }
    };
    let mut select = session.prepare("SELECT sum(c2) FROM t WHERE c1 < $1")?;
    let mut together = db.session()?;
    let group = "SELECT c2, count(*), sum(c1), min(c1), max(c1) FROM t GROUP BY c2";
    let mut sqlite_select = sqlite.prepare("SELECT sum(c2) FROM t WHERE c1 < ?1")?;
    let k = BELOW / 2;
    let bytes = rows * 2 * 4;
    let words: Vec<u64> = (0..bytes as u64 / 8).collect();
    // Once before, so that all pages are there.
    let wanted: i64 = sqlite_select.query_row((k,), |row| row.get(0))?;
    session.query_prepared(&mut select, &[&k])?;
    for _ in 0..stage.scale.rounds {
        for _ in 0..PAIRS {
            figure.add("pure read of the same bytes", read_rate_bytes_per_second(&words) / 1e9);
            let (elapsed, found) = time(|| Ok(session.query_prepared(&mut select, &[&k])?))?;
            if found[0].get::<_, i64>(0) != wanted {
                return Err(format!("sum is {}, SQLite says {wanted}", found[0].get::<_, i64>(0)).into());
            }
            figure.add("Hathi", bytes as f64 / elapsed.as_secs_f64() / 1e9);
            times.add("Hathi", elapsed.as_secs_f64() * 1e9 / rows as f64);
        }
        let (elapsed, _) = time(|| Ok(sqlite_select.query_row((k,), |row| row.get::<_, i64>(0))?))?;
        times.add("SQLite", elapsed.as_secs_f64() * 1e9 / rows as f64);
        let mut answers = Vec::new();
        for (who, session) in [("Hathi, a thread per processor", &mut together), ("Hathi, 1 thread", &mut session)] {
            let (elapsed, found) = time(|| Ok(session.query(group, &[])?))?;
            groups.add(who, rows as f64 / elapsed.as_secs_f64());
            let mut sums: Vec<(i32, i64)> = found.iter().map(|r| (r.get(0), r.get(2))).collect();
            sums.sort_unstable();
            answers.push(sums);
        }
        if answers[0] != answers[1] {
            return Err("several threads answer otherwise than one".into());
        }
        if let Some((client, select)) = &mut pg {
            let (elapsed, _) = time(|| Ok(client.query_one(&*select, &[&k])?))?;
            times.add("PostgreSQL, socket, one process", elapsed.as_secs_f64() * 1e9 / rows as f64);
        }
    }
    if let Some((client, _)) = &mut pg {
        client.batch_execute("DROP TABLE t")?;
    }
    let whole = figure.series[0].median() * COLUMNS as f64 / 2.0;
    figure.note(format!(
        "Counting whole rows, as a row store would have to read them, Hathi's rate is {}.",
        crate::report::number(whole, Unit::GigabytesPerSecond)
    ));
    Ok(vec![figure, times, groups])
}
