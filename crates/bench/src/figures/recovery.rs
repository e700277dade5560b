//! Recovery: how fast the log of a process that died is replayed.

use std::path::Path;
use std::process::{Command, ExitCode};

use hathi::Database;

use crate::figure::{Figure, Goal, Unit};
use crate::stage::{Failure, Stage, scatter, time};

/// Opens a database whose process died, over and over.
pub fn recovery(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let bytes = stage.scale.log_bytes;
    let mut figure = Figure::new(
        "recovery",
        format!(
            "opening after a crash with {} MiB of log (inserts with a primary key, 20 % updates), log bytes per second \
                 from opening to the first answer",
            bytes >> 20
        ),
        Unit::MegabytesPerSecond,
        Goal::AtLeast(150.0),
        &["Hathi"],
    );
    let dir = stage.new_dir()?;
    let crashed = dir.path().join("crashed");
    let status =
        Command::new(std::env::current_exe()?).arg("--log-writer").arg(&crashed).arg(bytes.to_string()).status()?;
    if status.success() {
        return Err("the log writer ended without dying".into());
    }
    for round in 0..stage.scale.rounds.min(5) {
        let copy = dir.path().join(format!("copy{round}"));
        copy_tree(&crashed, &copy)?;
        let (elapsed, (db, count)) = time(|| {
            let db = Database::open(&copy)?;
            let count: i64 = db.session()?.query_one("SELECT count(*) FROM log", &[])?.get(0);
            Ok((db, count))
        })?;
        if count == 0 {
            return Err("nothing was recovered".into());
        }
        let replayed = std::fs::read_to_string(crashed.join("../written"))?.trim().parse::<u64>()?;
        figure.add("Hathi", replayed as f64 / 1e6 / elapsed.as_secs_f64());
        db.close()?;
        std::fs::remove_dir_all(&copy)?;
    }
    Ok(vec![figure])
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
            std::fs::File::open(&target)?.sync_all()?;
        }
    }
    Ok(())
}

/// The child process: writes `bytes` of log into `dir`, then dies without closing anything.
pub fn write_log_and_die(dir: &str, bytes: u64) -> ExitCode {
    match write_log(Path::new(dir), bytes) {
        // No destructor runs.
        Ok(()) => std::process::exit(9),
        Err(e) => {
            eprintln!("bench: the log writer failed: {e}");
            ExitCode::SUCCESS
        }
    }
}

fn write_log(dir: &Path, bytes: u64) -> Result<(), Failure> {
    let db = Database::open(dir)?;
    let mut session = db.session()?;
    session.batch_execute("CREATE TABLE log (id int PRIMARY KEY, v int, body text)")?;
    let engine = db.runtime().engine();
    engine.checkpoint()?;
    let start = engine.superblock().redo.0;
    let mut insert = session.prepare("INSERT INTO log VALUES ($1, $2, $3)")?;
    let mut update = session.prepare("UPDATE log SET v = v + 1 WHERE id = $1")?;
    let mut next = 0usize;
    loop {
        session.batch_execute("BEGIN")?;
        for _ in 0..1000 {
            let body = format!("the body of row {next}, {}", "of some length ".repeat(next % 8));
            session.execute_prepared(&mut insert, &[&(next as i32), &scatter(next, 1000), &body])?;
            next += 1;
            if next.is_multiple_of(5) {
                session.execute_prepared(&mut update, &[&scatter(next, next as i32)])?;
            }
        }
        session.batch_execute("COMMIT")?;
        let written = engine.shared().log.end_lsn().0 - start;
        if written >= bytes {
            let redo = engine.superblock().redo.0;
            let rest = engine.shared().log.end_lsn().0 - redo;
            std::fs::write(dir.join("../written"), rest.to_string())?;
            return Ok(());
        }
    }
}
