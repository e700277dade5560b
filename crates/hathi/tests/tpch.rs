//! TPC-H: all 22 queries over generated data give PostgreSQL's answers, and none takes long.
//!
//! Answers are recorded at scale 0.01 by `tpch/record.sh`. `HATHI_TPCH_SCALE` runs another scale: then only times are looked at
//! (`HATHI_TPCH_MAX_MS`, for release builds). `HATHI_TPCH_DUMP` names a directory for the data, from which the script loads PostgreSQL.

use std::fmt::Display;
use std::io::{Read, Write};
use std::time::Instant;

use hathi::{Database, Session};
use tpchgen::csv::{CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};

const SCHEMA: &str = include_str!("tpch/schema.sql");
const QUERIES: &str = include_str!("tpch/queries.sql");
const ANSWERS: &str = include_str!("tpch/answers.txt");

/// The queries, in order.
fn queries() -> Vec<&'static str> {
    QUERIES.split("-- ").skip(1).map(|q| q.split_once('\n').unwrap().1.trim().trim_end_matches(';')).collect()
}

/// The recorded answer of query `number`.
fn answer(number: usize) -> &'static str {
    let after = |text: &'static str| text.strip_prefix(&format!("{number}\n"));
    let parts = ANSWERS.strip_prefix("-- ").unwrap().split("\n-- ");
    parts.filter_map(after).next().unwrap_or_else(|| panic!("no answer {number}"))
}

fn load<R: Display>(session: &mut Session, table: &str, rows: impl Iterator<Item = R>) {
    let mut dump = std::env::var("HATHI_TPCH_DUMP")
        .ok()
        .map(|dir| std::io::BufWriter::new(std::fs::File::create(format!("{dir}/{table}.csv")).unwrap()));
    let mut copy = session.copy_in(&format!("COPY {table} FROM STDIN (FORMAT csv)")).unwrap();
    let mut buffer = Vec::new();
    for row in rows {
        writeln!(buffer, "{row}").unwrap();
        if buffer.len() > 1 << 16 {
            copy.write_all(&buffer).unwrap();
            dump.iter_mut().for_each(|d| d.write_all(&buffer).unwrap());
            buffer.clear();
        }
    }
    copy.write_all(&buffer).unwrap();
    dump.iter_mut().for_each(|d| d.write_all(&buffer).unwrap());
    copy.finish().unwrap();
}

fn load_all(s: &mut Session, scale: f64) {
    s.batch_execute(SCHEMA).unwrap();
    load(s, "region", RegionGenerator::new(scale, 1, 1).iter().map(RegionCsv::new));
    load(s, "nation", NationGenerator::new(scale, 1, 1).iter().map(NationCsv::new));
    load(s, "part", PartGenerator::new(scale, 1, 1).iter().map(PartCsv::new));
    load(s, "supplier", SupplierGenerator::new(scale, 1, 1).iter().map(SupplierCsv::new));
    load(s, "partsupp", PartSuppGenerator::new(scale, 1, 1).iter().map(PartSuppCsv::new));
    load(s, "customer", CustomerGenerator::new(scale, 1, 1).iter().map(CustomerCsv::new));
    load(s, "orders", OrderGenerator::new(scale, 1, 1).iter().map(OrderCsv::new));
    load(s, "lineitem", LineItemGenerator::new(scale, 1, 1).iter().map(LineItemCsv::new));
    s.batch_execute("ANALYZE").unwrap();
}

#[test]
fn all_queries_answer_as_postgresql() {
    let scale: f64 = std::env::var("HATHI_TPCH_SCALE").map_or(0.01, |s| s.parse().unwrap());
    let max_ms: Option<u128> = std::env::var("HATHI_TPCH_MAX_MS").ok().map(|s| s.parse().unwrap());
    let only: Option<usize> = std::env::var("HATHI_TPCH_QUERY").ok().map(|s| s.parse().unwrap());
    let db = Database::builder().memory(1 << 30).in_memory().unwrap();
    let mut session = db.session().unwrap();
    load_all(&mut session, scale);
    let mut wrong = Vec::new();
    // At this size no table is worth a thread, unless one says so. Each query is run both ways.
    let threads = |on: bool| format!("SET min_parallel_table_scan_size = {}", if on { "0" } else { "'1GB'" });
    for (i, query) in queries().into_iter().enumerate().filter(|(i, _)| only.is_none_or(|n| n == i + 1)) {
        let number = i + 1;
        let mut best = u128::MAX;
        let mut text = String::new();
        for round in 0..if max_ms.is_some() { 3 } else { 2 } {
            if max_ms.is_none() {
                session.execute(&threads(round == 1), &[]).unwrap();
            }
            text.clear();
            let started = Instant::now();
            let copied = session
                .copy_out(&format!("COPY ({query}) TO STDOUT"))
                .map_err(|e| e.to_string())
                .and_then(|mut out| out.read_to_string(&mut text).map_err(|e| e.to_string()));
            if let Err(e) = copied {
                wrong.push(format!("query {number}: {e}"));
            }
            best = best.min(started.elapsed().as_micros());
            if scale == 0.01 && text.trim_end() != answer(number).trim_end() {
                wrong.push(format!("query {number} answers\n{text}instead of\n{}", answer(number)));
            }
        }
        println!("query {number}: {:.1} ms", best as f64 / 1000.0);
        if only.is_some() {
            println!("{text}");
        }
        if max_ms.is_some_and(|max| best > max * 1000) {
            wrong.push(format!("query {number} takes {} ms", best / 1000));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
