//! What a row of an aggregate without groups costs, and what share of the machine's read rate that is: `cargo run --profile profiling -p bench --example fold`,
//! with the number of rows, and then other queries over `t`, as arguments.
//!
//! Times are the median of 40 runs, and the best; each begins with caches full of other things. Rates are those of the columns that are read, `int4` each.

use std::time::Instant;

use hathi::Database;
use read_rate::read_rate_bytes_per_second;

#[path = "../src/peers/read_rate.rs"]
mod read_rate;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Each with how many columns it reads.
const QUERIES: [(&str, usize); 9] = [
    ("SELECT sum(c2) FROM t WHERE c1 < $1", 2),
    ("SELECT sum(c2) FROM t WHERE c1 < 500000", 2),
    ("SELECT sum(c2) FROM t WHERE c1 < 10000", 2),
    ("SELECT sum(c2) FROM t", 1),
    ("SELECT count(*) FROM t WHERE c1 < 500000", 1),
    ("SELECT count(*), sum(c2), avg(c2), min(c2), max(c2) FROM t WHERE c1 < 500000", 2),
    ("SELECT sum(c2) FROM t WHERE c1 < 500000 AND c3 = 3", 3),
    ("SELECT sum(c1 * 2 + c2) FROM t WHERE c3 > 2", 3),
    ("SELECT count(*) FROM t", 0),
];

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().map_or(Ok(4 << 20), |n| n.parse())?;
    let asked: Vec<String> = arguments.collect();
    let dir = tempfile::tempdir()?;
    let db = Database::builder().memory(rows * 100 + (64 << 20)).open(dir.path())?;
    let mut session = db.session()?;
    session.batch_execute(
        "CREATE TABLE t (c1 int, c2 int, c3 int, c4 int, c5 int, c6 int, c7 int, c8 int, c9 int, c10 int)",
    )?;
    session.batch_execute(&format!(
        "INSERT INTO t SELECT (i * 7919 % 1000003)::int, (i % 1000)::int, 3, 4, 5, 6, 7, 8, 9, 10 FROM generate_series(1, {rows}::int8) i"
    ))?;
    db.runtime().engine().purge()?;
    session.batch_execute("SET max_parallel_workers_per_gather = 0")?;
    let words: Vec<u64> = (0..rows.max(16 << 20) as u64).collect();
    let mut rates: Vec<f64> = (0..40).map(|_| read_rate_bytes_per_second(&words)).collect();
    rates.sort_by(f64::total_cmp);
    let rate = rates[20];
    println!("read rate {:.1} GB/s, at best {:.1}", rate / 1e9, rates[39] / 1e9);
    let queries: Vec<(&str, usize)> = match &asked[..] {
        [] => QUERIES.to_vec(),
        asked => asked.iter().map(|sql| (&**sql, 2)).collect(),
    };
    for (sql, columns) in queries {
        let mut statement = session.prepare(sql)?;
        let mut times = Vec::new();
        for _ in 0..40 {
            read_rate_bytes_per_second(&words);
            let start = Instant::now();
            match sql.contains("$1") {
                true => session.query_prepared(&mut statement, &[&500_000])?,
                false => session.query_prepared(&mut statement, &[])?,
            };
            times.push(start.elapsed().as_secs_f64() * 1e9 / rows as f64);
        }
        times.sort_by(f64::total_cmp);
        let (median, best) = (times[20], times[0]);
        let share = (4 * columns) as f64 / median * 1e9 / rate;
        println!("{median:7.3} ns a row, at best {best:6.3}; {share:4.2} of the read rate: {sql}");
    }
    Ok(())
}
