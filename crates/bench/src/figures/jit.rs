//! Expressions as code: what making it takes, and what it saves, against the same database with `jit` off, or without one pass.

use std::time::Instant;

use hathi::{Database, Session};
use jit::{BinaryOp, Form, Jit, Output, Program, Right, Step};
use vector::{Data, Nulls, Vector};

use crate::figure::{Figure, Goal, Unit};
use crate::stage::{Failure, Stage, micros_each, time};

const ON: &str = "Hathi";
const OFF: &str = "Hathi, jit off";
const WITHOUT: &str = "Hathi, without it";
const POSTGRES: &str = "PostgreSQL, socket, one process";
const NO_JIT: &str = "SET jit = off";
const NO_TILES: &str = "SET hathi.jit_tiles = off";

/// Sixteen steps: `a * k + b - 7 < c`, and so on; `k` makes each another program.
fn sixteen(k: u64) -> Program {
    let binary = |op, right| Step::Binary(op, right);
    let steps = vec![
        Step::Column(0),
        binary(BinaryOp::MulI32, Right::Constant(3)),
        binary(BinaryOp::AddI32, Right::Column(1)),
        binary(BinaryOp::SubI32, Right::Constant(k)),
        Step::Save(0),
        Step::Column(2),
        binary(BinaryOp::DivI32, Right::Constant(7)),
        binary(BinaryOp::AddI32, Right::Accumulator(0)),
        binary(BinaryOp::LtInt, Right::Constant(1000)),
        Step::Save(0),
        Step::Column(1),
        binary(BinaryOp::NeInt, Right::Column(2)),
        Step::And(0),
        Step::Not,
        Step::IsTrue,
        Step::Not,
    ];
    let columns = vec![Form::I32; 3];
    Program { steps, columns, slots: 1, ..Program::new(Output::Vector(Form::Bool)) }
}

/// From a program to its first answer.
pub fn compile(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let count = stage.scale.point_operations.min(10_000);
    let what = format!("a program of 16 steps, made executable and run over one row, {count} different ones, all held");
    let mut median = Figure::new("jit-compile", format!("{what}: median"), Unit::Micros, Goal::AtMost(5.0), &[ON]);
    let mut slow = Figure::new("jit-compile-p99", "the same: 99th percentile", Unit::Micros, Goal::AtMost(25.0), &[ON]);
    let columns = [1, 2, 3].map(|v| Vector { data: Data::I32(vec![v]), nulls: Nulls::default() });
    let columns = [&columns[0], &columns[1], &columns[2]];
    for _ in 0..stage.scale.rounds {
        let jit = Jit::default();
        let mut held = Vec::with_capacity(count);
        let mut samples = Vec::with_capacity(count);
        for k in 0..count {
            let program = sixteen(k as u64);
            let start = Instant::now();
            let (unit, _) = jit.unit(program).ok_or("the program is sound")?;
            let answer = unit.values(&columns, &[], 1).ok_or("no row is suspect")?;
            samples.push(start.elapsed().as_secs_f64() * 1e6);
            std::hint::black_box(answer);
            held.push(unit);
        }
        samples.sort_by(f64::total_cmp);
        median.add(ON, samples[count / 2]);
        slow.add(ON, samples[count * 99 / 100]);
    }
    Ok(vec![median, slow])
}

/// The shortest statement, prepared.
pub fn select_42(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        "jit-select-42",
        "SELECT 42, prepared and in-process",
        Unit::Micros,
        Goal::TimesAtMost(OFF, 1.02),
        &[ON, OFF],
    );
    let db = Database::in_memory()?;
    let mut sessions = [(ON, db.session()?), (OFF, db.session()?)];
    sessions[1].1.batch_execute("SET jit = off")?;
    for _ in 0..stage.scale.rounds {
        for (who, session) in &mut sessions {
            let mut select = session.prepare("SELECT 42")?;
            let each = micros_each(stage.scale.point_operations, |_| {
                let rows = session.query_prepared(&mut select, &[])?;
                std::hint::black_box(rows.len());
                Ok(())
            })?;
            figure.add(who, each);
        }
    }
    Ok(vec![figure])
}

/// The second of two runs: the one before leaves nothing of who was measured last in the processor.
fn millis(session: &mut Session, sql: &str) -> Result<(f64, i64), Failure> {
    session.query(sql, &[])?;
    let (elapsed, sum) = time(|| Ok(session.query(sql, &[])?.first().ok_or("no row")?.get::<_, i64>(0)))?;
    Ok((elapsed.as_secs_f64() * 1e3, sum))
}

/// A query that answers one number, and what runs it.
struct Compared<'s> {
    name: &'static str,
    what: String,
    sql: String,
    goal: Goal,
    /// Settings of the second, and of both.
    off: &'s str,
    both: &'s str,
}

/// Each query in two sessions of ours, and by PostgreSQL if it is there, over tables that `script` makes.
fn compared(stage: &Stage, script: &str, queries: &[Compared<'_>], off: &'static str) -> Result<Vec<Figure>, Failure> {
    let db = Database::in_memory()?;
    db.session()?.batch_execute(script)?;
    let mut pg = match stage.postgres() {
        Ok(server) => Some(server.client()?),
        Err(_) => None,
    };
    if let Some(client) = &mut pg {
        client
            .batch_execute("SET jit = off; SET max_parallel_workers_per_gather = 0; SET client_min_messages = error")?;
        client.batch_execute(script)?;
        client.batch_execute("VACUUM ANALYZE")?;
    }
    let mut figures = Vec::new();
    for Compared { name, what, sql, goal, off: without, both } in queries {
        let (mut first, mut second) = (db.session()?, db.session()?);
        for session in [&mut first, &mut second] {
            session.batch_execute(&format!("SET max_parallel_workers_per_gather = 0; {both}"))?;
        }
        second.batch_execute(without)?;
        let mut figure = Figure::new(name, what.clone(), Unit::Millis, *goal, &[ON, off, POSTGRES]);
        for round in 0..stage.scale.rounds {
            // Who comes first finds the processor as the one before has left it.
            let ((with, a), (without, b)) = if round % 2 == 0 {
                let with = millis(&mut first, sql)?;
                (with, millis(&mut second, sql)?)
            } else {
                let without = millis(&mut second, sql)?;
                (millis(&mut first, sql)?, without)
            };
            if a != b {
                return Err(format!("{name}: {a} and {b}").into());
            }
            figure.add(ON, with);
            figure.add(off, without);
            if let Some(client) = &mut pg {
                client.query_one(sql.as_str(), &[])?;
                let start = Instant::now();
                let found: i64 = client.query_one(sql.as_str(), &[])?.get(0);
                figure.add(POSTGRES, start.elapsed().as_secs_f64() * 1e3);
                if found != a {
                    return Err(format!("{name}: {a}, and PostgreSQL's {found}").into());
                }
            }
        }
        figures.push(figure);
    }
    Ok(figures)
}

/// The table `e` of so many rows.
fn numbers(rows: usize) -> String {
    format!(
        "DROP TABLE IF EXISTS e; CREATE TABLE e (a int, b int, c int); \
         INSERT INTO e SELECT (i::bigint * 7919) % 1000, i % 100, CASE WHEN i % 10 = 0 THEN NULL ELSE i END \
         FROM generate_series(1, {rows}) i"
    )
}

/// A CASE over the values of `b`, of 100 branches.
fn hundred_branches() -> String {
    let branches: String = (0..100).map(|i| format!(" WHEN {i} THEN {}", i * 7 % 13)).collect();
    format!("SELECT sum(CASE b{branches} ELSE 0 END) FROM e")
}

/// A million rows through a filter of arithmetic, a CASE of 100 branches, a list, and COALESCE.
pub fn expressions(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.copy_rows;
    let list: Vec<String> = (0..20).map(|i| (i * 47).to_string()).collect();
    let list = list.join(", ");
    let queries = [
        (
            "jit-filter",
            "count(*) WHERE (a + b) * 2 - c % 7 > 100 OR a / 2 = 7",
            2.0,
            "SELECT count(*) FROM e WHERE (a + b) * 2 - c % 7 > 100 OR a / 2 = 7".to_owned(),
        ),
        ("jit-case", "a CASE of 100 branches", 5.0, hundred_branches()),
        ("jit-in", "a + b in a list of 20", 1.75, format!("SELECT count(*) FROM e WHERE a + b IN ({list})")),
        ("jit-coalesce", "the sum of coalesce(c, a)", 1.0, "SELECT sum(coalesce(c, a)) FROM e".to_owned()),
        (
            "jit-plain",
            "count(*) WHERE a < 10, which kernels do in one loop",
            0.98,
            "SELECT count(*) FROM e WHERE a < 10".to_owned(),
        ),
    ];
    let queries = queries.map(|(name, what, faster, sql)| {
        let what = format!("{what}, over {rows} rows");
        Compared { name, what, sql, goal: Goal::TimesAtMost(OFF, 1.0 / faster), off: NO_JIT, both: "" }
    });
    compared(stage, &numbers(rows), &queries, OFF)
}

/// What each pass is worth (`jit::Passes`), the others being on.
pub fn passes(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.copy_rows;
    let sum = "SELECT sum(a * 3 + b) FROM e";
    let queries = [
        ("jit-pass-merge", "sum(a * 3 + b), row by row, operands loaded apart", sum.to_owned(), "merge", NO_TILES),
        ("jit-pass-pick", "a CASE of 100 branches, as a chain of tests", hundred_branches(), "pick", ""),
        (
            "jit-pass-truth",
            "count(*) WHERE a * 2 > 999 AND (b & 15) < 7 AND (a & 3) < 3, row by row, with what only tells NULL from false",
            "SELECT count(*) FROM e WHERE a * 2 > 999 AND (b & 15) < 7 AND (a & 3) < 3".to_owned(),
            "truth",
            NO_TILES,
        ),
        ("jit-pass-tiles", "sum(a * 3 + b), row by row", sum.to_owned(), "tiles", ""),
    ];
    let settings = queries.each_ref().map(|query| format!("SET hathi.jit_{} = off", query.3));
    let queries: Vec<Compared<'_>> = queries
        .iter()
        .zip(&settings)
        .map(|((name, what, sql, _, both), off)| {
            let what = format!("{what}, over {rows} rows");
            Compared { name, what, sql: sql.clone(), goal: Goal::TimesAtMost(WITHOUT, 0.95), off, both }
        })
        .collect();
    compared(stage, &numbers(rows), &queries, WITHOUT)
}

/// LIKE, ILIKE and regular expressions, which are called: against PostgreSQL's interpreter.
pub fn patterns(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.copy_rows / 4;
    let script = format!(
        "DROP TABLE IF EXISTS words; CREATE TABLE words (s text); \
         INSERT INTO words SELECT md5(i::text) || ' the Quick brown fox ' || i FROM generate_series(1, {rows}) i"
    );
    let queries = [
        ("jit-like-prefix", 1.0, "s LIKE 'ab%'"),
        ("jit-like", 1.0, "s LIKE '%own fox 77%'"),
        ("jit-like-3", 1.0, "s LIKE '%a%the%9%'"),
        ("jit-like-underscores", 1.0, "s LIKE '%f_x _7_'"),
        ("jit-ilike", 4.8, "s ILIKE '%QUICK%99%'"),
        ("jit-regex", 2.2, "s ~ '^[0-9a-f]+ the .* 1[0-9]{3}$'"),
        ("jit-regex-word", 3.4, "s ~ 'fox (7|8)+$'"),
    ];
    let queries = queries.map(|(name, faster, condition)| Compared {
        name,
        what: format!("count(*) WHERE {condition}, over {rows} texts of about 57 bytes"),
        sql: format!("SELECT count(*) FROM words WHERE {condition}"),
        goal: Goal::TimesAtMost(POSTGRES, 1.0 / faster),
        off: NO_JIT,
        both: "",
    });
    compared(stage, &script, &queries, OFF)
}

/// Sums of many columns, of which each tenth is a text, and some have NULLs.
pub fn columns(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for (name, count, faster) in
        [("jit-columns-20", 20, 1.4), ("jit-columns-300", 300, 1.3), ("jit-columns-1000", 1000, 1.1)]
    {
        let rows = stage.scale.copy_rows / count;
        let is_text = |i: &usize| i % 10 == 3;
        let ty = |i: usize| format!("c{i} {}", if is_text(&i) { "text" } else { "int" });
        let value = |i: usize| match (is_text(&i), i % 10) {
            (true, _) => "'t' || i % 10".to_owned(),
            (_, 7) => format!("CASE WHEN i % 100 = {i} THEN NULL ELSE {i} END"),
            _ => format!("(i + {i}) % 1000"),
        };
        let list = |f: &dyn Fn(usize) -> String| (0..count).map(f).collect::<Vec<_>>().join(", ");
        let script = format!(
            "DROP TABLE IF EXISTS wide; CREATE TABLE wide ({}); INSERT INTO wide SELECT {} FROM generate_series(1, {rows}) i",
            list(&ty),
            list(&value),
        );
        let mut sums: Vec<String> = (0..count).filter(|i| !is_text(i)).map(|i| format!("c{i}")).collect();
        // In pairs of pairs: not as deep as the table is wide.
        while sums.len() > 1 {
            sums = sums.chunks(2).map(|pair| format!("({})", pair.join(" + "))).collect();
        }
        let query = Compared {
            name,
            what: format!("the sum of {} integers of each of {rows} rows of {count} columns", count - count / 10),
            sql: format!("SELECT sum({}) FROM wide", sums.concat()),
            goal: Goal::TimesAtMost(OFF, 1.0 / faster),
            off: NO_JIT,
            both: "",
        };
        figures.append(&mut compared(stage, &script, &[query], OFF)?);
    }
    Ok(figures)
}
