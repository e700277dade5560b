//! Runs one thing over and over, for profilers: `cargo run --profile profiling -p bench --example profile -- MODE COUNT`.
//!
//! Modes: `one` (SELECT 1), `point`, `update`, `insert` (prepared, by key), `literal` (with literals), `sql` (the statement in `Q`, after the script in
//! `PRE`), `login` (a client comes, asks `SELECT 1` and leaves, over streams of this process), `ask` (one client asks `Q`, or `SELECT 1`, again and
//! again; each question begins with a write to the address that is printed, by which a trace of all accesses to memory can be cut), `tpch-load` (TPC-H at scale `SCALE`), `tpch` (each query COUNT times, or that of number `Q`, with `WORKERS` more threads). `DIR` puts the
//! database there and keeps it.

use std::time::Instant;

use std::fmt::Display;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::{Bytes, BytesMut};
use hathi::{Database, Session};
use server::{Auth, Proof, Roles, Server};
use tpchgen::csv::{CustomerCsv, LineItemCsv, NationCsv, OrderCsv, PartCsv, PartSuppCsv, RegionCsv, SupplierCsv};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use wire::{FrontendMessage, ProtocolVersion, StartupMessage, StartupParameters};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn timed(what: &str, count: u32, mut f: impl FnMut(u32) -> Outcome) -> Outcome {
    for i in 0..count / 10 {
        f(i)?;
    }
    let start = Instant::now();
    for i in 0..count {
        f(i)?;
    }
    println!("{what}: {:.4} µs each", start.elapsed().as_secs_f64() * 1e6 / f64::from(count.max(1)));
    Ok(())
}

/// Copies rows of CSV into a table.
fn copy_in<R: Display>(session: &mut Session, table: &str, rows: impl Iterator<Item = R>) -> Outcome {
    let mut copy = session.copy_in(&format!("COPY {table} FROM STDIN (FORMAT csv)"))?;
    let mut piece = Vec::new();
    for row in rows {
        writeln!(piece, "{row}")?;
        if piece.len() > 1 << 20 {
            copy.write_all(&piece)?;
            piece.clear();
        }
    }
    copy.write_all(&piece)?;
    copy.finish()?;
    Ok(())
}

fn load_tpch(session: &mut Session) -> Outcome {
    let scale: f64 = std::env::var("SCALE").map_or(Ok(0.1), |s| s.parse())?;
    session.batch_execute(include_str!("../../hathi/tests/tpch/schema.sql"))?;
    copy_in(session, "region", RegionGenerator::new(scale, 1, 1).iter().map(RegionCsv::new))?;
    copy_in(session, "nation", NationGenerator::new(scale, 1, 1).iter().map(NationCsv::new))?;
    copy_in(session, "part", PartGenerator::new(scale, 1, 1).iter().map(PartCsv::new))?;
    copy_in(session, "supplier", SupplierGenerator::new(scale, 1, 1).iter().map(SupplierCsv::new))?;
    copy_in(session, "partsupp", PartSuppGenerator::new(scale, 1, 1).iter().map(PartSuppCsv::new))?;
    copy_in(session, "customer", CustomerGenerator::new(scale, 1, 1).iter().map(CustomerCsv::new))?;
    copy_in(session, "orders", OrderGenerator::new(scale, 1, 1).iter().map(OrderCsv::new))?;
    copy_in(session, "lineitem", LineItemGenerator::new(scale, 1, 1).iter().map(LineItemCsv::new))?;
    Ok(session.batch_execute("ANALYZE")?)
}

/// Times queries of TPC-H on one thread.
fn run_tpch(session: &mut Session, count: u32) -> Outcome {
    let only: Option<usize> = std::env::var("Q").ok().and_then(|q| q.parse().ok());
    let texts = include_str!("../../hathi/tests/tpch/queries.sql").split("-- ").skip(1);
    let workers = std::env::var("WORKERS").unwrap_or_else(|_| "0".to_owned());
    session.batch_execute(&format!("SET max_parallel_workers_per_gather = {workers}; SET work_mem = '256MB'"))?;
    let mut logarithms = Vec::new();
    for (i, text) in texts.enumerate().filter(|(i, _)| only.is_none_or(|q| q == i + 1)) {
        let sql = text.split_once('\n').ok_or("no query")?.1;
        session.batch_execute(sql)?;
        let mut best = f64::MAX;
        for _ in 0..count {
            let start = Instant::now();
            session.batch_execute(sql)?;
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{:2}: {best:8.2} ms", i + 1);
        logarithms.push(best.ln());
    }
    println!("mean: {:.2} ms", (logarithms.iter().sum::<f64>() / logarithms.len().max(1) as f64).exp());
    Ok(())
}

/// How many rows tables have: `ROWS`, or a hundred thousand.
fn rows() -> u32 {
    static ROWS: std::sync::LazyLock<u32> =
        std::sync::LazyLock::new(|| std::env::var("ROWS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000));
    *ROWS
}

fn fill(session: &mut Session) -> Outcome {
    session.batch_execute("CREATE TABLE kv (id int PRIMARY KEY, v int, name text)")?;
    let rows = format!("INSERT INTO kv SELECT i, i * 3, 'row number ' || i FROM generate_series(0, {} - 1) i", rows());
    Ok(session.batch_execute(&rows)?)
}

/// What a client comes with, all at once: nobody waits for anybody.
fn log_in(db: &Database, count: u32) -> Outcome {
    let server = Server::new(db.clone(), Auth::Trust, Roles::new(db, None));
    let mut said = BytesMut::new();
    let parameters =
        StartupParameters::new([("user", "postgres"), ("database", "postgres"), ("application_name", "bench")]);
    StartupMessage::Startup { version: ProtocolVersion::V3_0, parameters }.encode(&mut said);
    FrontendMessage::Query(Bytes::from_static(b"SELECT 1")).encode(&mut said);
    FrontendMessage::Terminate.encode(&mut said);
    let said = said.freeze();
    timed("login", count, |_| {
        let (own, mut other) = UnixStream::pair()?;
        other.write_all(&said)?;
        server.serve_stream(Proof::None, own.try_clone()?, own);
        let mut answers = Vec::new();
        other.read_to_end(&mut answers)?;
        // DataRow with 1
        assert!(answers.windows(5).any(|w| w == [0, 0, 0, 1, b'1']));
        Ok(())
    })
}

/// A byte of its own that is written to where a question begins.
static MARK: AtomicU8 = AtomicU8::new(0);

/// A client that waits for each answer before it asks again, in the thread that answers.
struct Asking {
    hello: Option<Bytes>,
    question: Bytes,
    left: u32,
}

impl Read for Asking {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if let Some(hello) = self.hello.take() {
            buffer[..hello.len()].copy_from_slice(&hello);
            return Ok(hello.len());
        }
        MARK.store(1, Ordering::SeqCst);
        if self.left == 0 {
            return Ok(0);
        }
        self.left -= 1;
        buffer[..self.question.len()].copy_from_slice(&self.question);
        Ok(self.question.len())
    }
}

fn ask(db: &Database, count: u32) -> Outcome {
    let server = Server::new(db.clone(), Auth::Trust, Roles::new(db, None));
    let (mut hello, mut question) = (BytesMut::new(), BytesMut::new());
    let parameters =
        StartupParameters::new([("user", "postgres"), ("database", "postgres"), ("application_name", "bench")]);
    StartupMessage::Startup { version: ProtocolVersion::V3_0, parameters }.encode(&mut hello);
    let sql = std::env::var("Q").unwrap_or_else(|_| "SELECT 1".to_owned());
    FrontendMessage::Query(Bytes::from(sql)).encode(&mut question);
    println!("questions begin with a write to {:p}", &raw const MARK);
    let asking = Asking { hello: Some(hello.freeze()), question: question.freeze(), left: count };
    let start = Instant::now();
    server.serve_stream(Proof::None, asking, std::io::sink());
    println!("ask: {:.4} µs each", start.elapsed().as_secs_f64() * 1e6 / f64::from(count.max(1)));
    Ok(())
}

fn scattered(i: u32) -> i32 {
    (i.wrapping_mul(2_654_435_761) % rows()) as i32
}

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().unwrap_or_else(|| "one".to_owned());
    let count: u32 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let db = match std::env::var("DIR") {
        Ok(dir) => Database::builder().memory(4 << 30).statement_memory(4 << 30).session_memory(4 << 30).open(dir)?,
        Err(_) => Database::in_memory()?,
    };
    let mut session = db.session()?;
    if let Ok(script) = std::env::var("PRE") {
        session.batch_execute(&script)?;
    }
    match &*mode {
        "one" => {
            let mut select = session.prepare("SELECT 1")?;
            timed("SELECT 1", count, |_| {
                session.query_each(&mut select, &[], |row| {
                    assert_eq!(row.get::<_, i32>(0), 1);
                    Ok(())
                })?;
                Ok(())
            })
        }
        "point" => {
            fill(&mut session)?;
            let mut select = session.prepare("SELECT v, name FROM kv WHERE id = $1")?;
            timed("by key", count, |i| {
                let id = scattered(i);
                session.query_each(&mut select, &[&id], |row| {
                    assert_eq!((row.get::<_, i32>(0), row.get::<_, &str>(1).is_empty()), (id * 3, false));
                    Ok(())
                })?;
                Ok(())
            })
        }
        "update" => {
            fill(&mut session)?;
            session.batch_execute("SET synchronous_commit = off")?;
            let mut update = session.prepare("UPDATE kv SET v = v + 1 WHERE id = $1")?;
            timed("update by key", count, |i| {
                assert_eq!(session.execute_prepared(&mut update, &[&scattered(i)])?, 1);
                Ok(())
            })
        }
        "insert" => {
            session.batch_execute(
                "CREATE TABLE kv (id int PRIMARY KEY, v int, name text); SET synchronous_commit = off",
            )?;
            let mut insert = session.prepare("INSERT INTO kv VALUES ($1, $2, $3)")?;
            let mut next = 0;
            timed("insert", count, |_| {
                next += 1;
                session.execute_prepared(&mut insert, &[&next, &next, &"a name"])?;
                Ok(())
            })
        }
        "literal" => {
            fill(&mut session)?;
            timed("by key, literal", count, |i| {
                let id = scattered(i);
                let rows = session.query(&format!("SELECT v, name FROM kv WHERE id = {id}"), &[])?;
                assert_eq!(rows[0].get::<_, i32>(0), id * 3);
                Ok(())
            })
        }
        "sql" => {
            let sql = std::env::var("Q")?;
            timed(&sql, count, |_| Ok(session.batch_execute(&sql)?))
        }
        "login" => log_in(&db, count),
        "ask" => ask(&db, count),
        "tpch-load" => load_tpch(&mut session),
        "tpch" => run_tpch(&mut session, count),
        other => Err(format!("there is no mode {other:?}").into()),
    }
}
