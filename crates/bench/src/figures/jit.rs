//! Expressions as code: what making it takes, and what it saves, against the same database with `jit` off.

use std::time::Instant;

use hathi::{Database, Session};
use jit::{BinaryOp, Form, Jit, Output, Program, Right, Step};
use vector::{Data, Nulls, Vector};

use crate::figure::{Figure, Goal, Unit};
use crate::stage::{Failure, Stage, micros_each, time};

const ON: &str = "Hathi";
const OFF: &str = "Hathi, jit off";

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
    Program {
        steps,
        columns,
        inputs: 0,
        slots: 1,
        lists: Vec::new(),
        sets: Vec::new(),
        output: Output::Vector(Form::Bool),
    }
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

/// A million rows through a filter of arithmetic, a CASE of 100 branches, a list, and COALESCE.
pub fn expressions(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    const POSTGRES: &str = "PostgreSQL, socket, one process";
    let rows = stage.scale.copy_rows;
    let branches: String = (0..100).map(|i| format!(" WHEN {i} THEN {}", i * 7 % 13)).collect();
    let list: Vec<String> = (0..20).map(|i| (i * 47).to_string()).collect();
    let queries = [
        (
            "jit-filter",
            "count(*) WHERE (a + b) * 2 - c % 7 > 100 OR a / 2 = 7",
            2.0,
            "SELECT count(*) FROM e WHERE (a + b) * 2 - c % 7 > 100 OR a / 2 = 7".to_owned(),
        ),
        ("jit-case", "a CASE of 100 branches", 5.0, format!("SELECT sum(CASE b{branches} ELSE 0 END) FROM e")),
        (
            "jit-in",
            "a + b in a list of 20",
            1.75,
            format!("SELECT count(*) FROM e WHERE a + b IN ({})", list.join(", ")),
        ),
        ("jit-coalesce", "the sum of coalesce(c, a)", 1.0, "SELECT sum(coalesce(c, a)) FROM e".to_owned()),
        (
            "jit-plain",
            "count(*) WHERE a < 10, which kernels do in one loop",
            0.98,
            "SELECT count(*) FROM e WHERE a < 10".to_owned(),
        ),
    ];
    let create = "CREATE TABLE e (a int, b int, c int)";
    let fill = format!(
        "INSERT INTO e SELECT (i::bigint * 7919) % 1000, i % 100, CASE WHEN i % 10 = 0 THEN NULL ELSE i END \
         FROM generate_series(1, {rows}) i"
    );
    let db = Database::in_memory()?;
    let (mut on, mut off) = (db.session()?, db.session()?);
    on.batch_execute(create)?;
    on.batch_execute(&fill)?;
    on.batch_execute("SET max_parallel_workers_per_gather = 0")?;
    off.batch_execute("SET jit = off; SET max_parallel_workers_per_gather = 0")?;
    let mut figures = Vec::new();
    let mut pg = match stage.postgres() {
        Ok(server) => Some(server.client()?),
        Err(_) => None,
    };
    if let Some(client) = &mut pg {
        client.batch_execute("DROP TABLE IF EXISTS e; SET jit = off; SET max_parallel_workers_per_gather = 0")?;
        client.batch_execute(create)?;
        client.batch_execute(&fill)?;
        client.batch_execute("VACUUM ANALYZE e")?;
    }
    for (name, what, faster, sql) in &queries {
        let mut figure = Figure::new(
            name,
            format!("{what}, over {rows} rows"),
            Unit::Millis,
            Goal::TimesAtMost(OFF, 1.0 / faster),
            &[ON, OFF, POSTGRES],
        );
        for round in 0..stage.scale.rounds {
            // Who comes first finds the processor as the one before has left it.
            let ((with, a), (without, b)) = if round % 2 == 0 {
                let with = millis(&mut on, sql)?;
                (with, millis(&mut off, sql)?)
            } else {
                let without = millis(&mut off, sql)?;
                (millis(&mut on, sql)?, without)
            };
            if a != b {
                return Err(format!("{name}: {a} and {b}").into());
            }
            figure.add(ON, with);
            figure.add(OFF, without);
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
    drop(pg);
    Ok(figures)
}
