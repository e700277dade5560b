//! TPC-H: the 22 queries over generated data, each and their geometric mean.

use std::fmt::Display;
use std::io::{Read, Write};

use hathi::{Database, Session};
use postgres::Client;
use tpchgen::csv::{CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};

use crate::figure::{Figure, Goal, Unit};
use crate::stage::{Failure, Stage, postgres_client, time};

pub(super) const SCHEMA: &str = include_str!("../../../hathi/tests/tpch/schema.sql");
const QUERIES: &str = include_str!("../../../hathi/tests/tpch/queries.sql");
pub(super) const HATHI: &str = "Hathi";
pub(super) const POSTGRES: &str = "PostgreSQL, socket, one process";
pub(super) const NAMES: [&str; 22] = [
    "tpch-1", "tpch-2", "tpch-3", "tpch-4", "tpch-5", "tpch-6", "tpch-7", "tpch-8", "tpch-9", "tpch-10", "tpch-11",
    "tpch-12", "tpch-13", "tpch-14", "tpch-15", "tpch-16", "tpch-17", "tpch-18", "tpch-19", "tpch-20", "tpch-21",
    "tpch-22",
];
pub(super) const TABLES: [&str; 8] =
    ["region", "nation", "part", "supplier", "partsupp", "customer", "orders", "lineitem"];

pub(super) fn queries() -> Vec<&'static str> {
    let parts = QUERIES.split("-- ").skip(1);
    parts.filter_map(|q| Some(q.split_once('\n')?.1.trim().trim_end_matches(';'))).collect()
}

/// Gives each table's rows, as lines of CSV, to `take` in pieces; an empty piece ends a table.
pub(super) fn generate(scale: f64, mut take: impl FnMut(&str, &[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
    fn rows<R: Display>(
        table: &str,
        rows: impl Iterator<Item = R>,
        take: &mut impl FnMut(&str, &[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut piece = Vec::new();
        for row in rows {
            writeln!(piece, "{row}")?;
            if piece.len() > 1 << 16 {
                take(table, &piece)?;
                piece.clear();
            }
        }
        if !piece.is_empty() {
            take(table, &piece)?;
        }
        take(table, &[])
    }
    rows("region", RegionGenerator::new(scale, 1, 1).iter().map(RegionCsv::new), &mut take)?;
    rows("nation", NationGenerator::new(scale, 1, 1).iter().map(NationCsv::new), &mut take)?;
    rows("part", PartGenerator::new(scale, 1, 1).iter().map(PartCsv::new), &mut take)?;
    rows("supplier", SupplierGenerator::new(scale, 1, 1).iter().map(SupplierCsv::new), &mut take)?;
    rows("partsupp", PartSuppGenerator::new(scale, 1, 1).iter().map(PartSuppCsv::new), &mut take)?;
    rows("customer", CustomerGenerator::new(scale, 1, 1).iter().map(CustomerCsv::new), &mut take)?;
    rows("orders", OrderGenerator::new(scale, 1, 1).iter().map(OrderCsv::new), &mut take)?;
    rows("lineitem", LineItemGenerator::new(scale, 1, 1).iter().map(LineItemCsv::new), &mut take)
}

/// What keeps a session from using more than its own thread or process.
pub(super) const ONE_THREAD: &str = "SET max_parallel_workers_per_gather = 0";
const HATHI_THREADS: &str = "Hathi, a thread per processor";

/// Loads both; a table at a time.
pub(super) fn load(scale: f64, session: &mut Session, pg: &mut Option<Client>) -> Result<(), Failure> {
    let drop = format!("SET client_min_messages = warning; DROP TABLE IF EXISTS {} CASCADE", TABLES.join(", "));
    for sql in [drop.as_str(), SCHEMA] {
        session.batch_execute(sql)?;
        pg.as_mut().map(|client| client.batch_execute(sql)).transpose()?;
    }
    let mut data = Vec::new();
    generate(scale, |table, piece| {
        data.extend_from_slice(piece);
        if !piece.is_empty() {
            return Ok(());
        }
        let sql = format!("COPY {table} FROM STDIN (FORMAT csv)");
        let mut copy = session.copy_in(&sql)?;
        copy.write_all(&data)?;
        copy.finish()?;
        if let Some(client) = pg {
            let mut copy = client.copy_in(&sql)?;
            copy.write_all(&data)?;
            copy.finish()?;
        }
        data.clear();
        Ok(())
    })?;
    session.batch_execute("ANALYZE")?;
    session.batch_execute(ONE_THREAD)?;
    if let Some(client) = pg {
        client.batch_execute("VACUUM ANALYZE")?;
        client.batch_execute(ONE_THREAD)?;
    }
    Ok(())
}

/// The lines of an answer, sorted: where a query orders by less than everything, equal rows come in any order.
fn sorted_lines(mut answer: impl Read) -> Result<Vec<String>, Failure> {
    let mut text = String::new();
    answer.read_to_string(&mut text)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}

pub(super) fn geometric_mean(values: &[f64]) -> f64 {
    (values.iter().map(|v| v.ln()).sum::<f64>() / values.len() as f64).exp()
}

/// What is timed is also compared (M4); and so all pages are in memory.
pub(super) fn compare(queries: &[&str], session: &mut Session, pg: &mut Option<Client>) -> Result<(), Failure> {
    for (name, query) in NAMES.iter().zip(queries) {
        let sql = format!("COPY ({query}) TO STDOUT");
        let ours = sorted_lines(session.copy_out(&sql).map_err(|e| format!("{name}: {e}"))?)?;
        if let Some(client) = pg {
            let theirs = sorted_lines(client.copy_out(&sql)?)?;
            if ours != theirs {
                return Err(format!("{name}: Hathi answers {ours:?}, PostgreSQL {theirs:?}").into());
            }
        }
    }
    Ok(())
}

/// The geometric mean first, then each query.
pub fn tpch(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let scale = stage.scale.tpch_scale;
    let what = format!(
        "geometric mean of TPC-H's 22 queries at scale {scale}, text in, rows out; PostgreSQL after VACUUM ANALYZE"
    );
    let who = [HATHI, POSTGRES];
    let mut figures = vec![Figure::new("tpch", what, Unit::Millis, Goal::TimesAtMost(POSTGRES, 0.35), &who)];
    for (i, name) in NAMES.iter().enumerate() {
        let what = format!("query {}, which may take at most a second", i + 1);
        figures.push(Figure::new(name, what, Unit::Millis, Goal::AtMost(1000.0), &who));
    }
    let what = "the same geometric mean with PostgreSQL's settings for parallel queries, of which a quarter of the queries can make use";
    figures.push(Figure::new("tpch-threads", what, Unit::Millis, Goal::None, &[HATHI_THREADS, HATHI]));
    let dir = stage.new_dir()?;
    let db = Database::builder().memory(1 << 30).open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    let mut pg = postgres_client(stage, &mut figures[0])?;
    load(scale, &mut session, &mut pg)?;
    let queries = queries();
    if queries.len() != NAMES.len() {
        return Err(format!("there are {} queries", queries.len()).into());
    }
    compare(&queries, &mut session, &mut pg)?;
    // What takes PostgreSQL long is timed once.
    const LONG_MS: f64 = 5000.0;
    let mut long = [0.0; NAMES.len()];
    for _ in 0..stage.scale.rounds {
        let mut times = [Vec::new(), Vec::new()];
        for ((query, figure), long) in queries.iter().zip(&mut figures[1..]).zip(&mut long) {
            let (elapsed, _) = time(|| Ok(session.query(query, &[])?))?;
            times[0].push(elapsed.as_secs_f64() * 1e3);
            figure.add(HATHI, elapsed.as_secs_f64() * 1e3);
            if let Some(client) = &mut pg {
                if *long == 0.0 {
                    let (elapsed, _) = time(|| Ok(client.simple_query(query)?))?;
                    let millis = elapsed.as_secs_f64() * 1e3;
                    figure.add(POSTGRES, millis);
                    *long = if millis > LONG_MS { millis } else { 0.0 };
                    times[1].push(millis);
                } else {
                    times[1].push(*long);
                }
            }
        }
        session.batch_execute("RESET max_parallel_workers_per_gather")?;
        let mut threads = Vec::new();
        for query in &queries {
            threads.push(time(|| Ok(session.query(query, &[])?))?.0.as_secs_f64() * 1e3);
        }
        session.batch_execute(ONE_THREAD)?;
        if let Some(figure) = figures.last_mut() {
            figure.add(HATHI_THREADS, geometric_mean(&threads));
            figure.add(HATHI, geometric_mean(&times[0]));
        }
        for (who, times) in who.iter().zip(&times).filter(|(_, times)| !times.is_empty()) {
            figures[0].add(who, geometric_mean(times));
        }
    }
    if let Some(client) = &mut pg {
        client.batch_execute(&format!("DROP TABLE {} CASCADE", TABLES.join(", ")))?;
    }
    Ok(figures)
}
