//! A fork of a database, which shares every page.

use hathi::Database;

use crate::figure::{Figure, Goal, Unit};
use crate::stage::{Failure, Stage, scatter, time};

/// Bytes of a row's text.
const TEXT_BYTES: usize = 1000;

/// Forks a database of a given size.
pub fn fork(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let wanted = stage.scale.fork_bytes;
    let mut figure = Figure::new(
        "fork",
        format!("fork of a quiet database of {} MiB, durable when it returns", wanted >> 20),
        Unit::Millis,
        Goal::AtMost(20.0),
        &["Hathi", "Hathi, first write to the fork"],
    );
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    session.batch_execute("CREATE TABLE big (id int, body text)")?;
    session.batch_execute("CREATE TABLE seed (id int, body text)")?;
    let mut insert = session.prepare("INSERT INTO seed VALUES ($1, $2)")?;
    session.batch_execute("BEGIN")?;
    let seeds = (wanted / TEXT_BYTES / 64).max(1);
    for i in 0..seeds {
        let body: String = (0..TEXT_BYTES).map(|j| char::from(b'!' + scatter(i * TEXT_BYTES + j, 90) as u8)).collect();
        session.execute_prepared(&mut insert, &[&(i as i32), &body])?;
    }
    session.batch_execute("COMMIT")?;
    for _ in 0..64 {
        session.batch_execute("INSERT INTO big SELECT * FROM seed")?;
    }
    let engine = db.runtime().engine().clone();
    let source = db.runtime().database("postgres")?.id;
    // Until nothing is left to purge or to write: the database is quiet then.
    for _ in 0..50 {
        engine.purge()?;
        engine.checkpoint()?;
        if let Ok(trial) = engine.fork(source) {
            engine.drop_database(trial.id)?;
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let bytes = std::fs::metadata(dir.path().join("hathi/hathi.data"))?.len();
    figure.note(format!("The data file has {} MiB.", bytes >> 20));
    for _ in 0..stage.scale.rounds {
        let (elapsed, forked) = time(|| Ok(engine.fork(source)?))?;
        figure.add("Hathi", elapsed.as_secs_f64() * 1e3);
        let (elapsed, ()) = time(|| {
            let rel = forked.relations().into_iter().map(|r| r.id).max().ok_or("an empty fork")?;
            let mut txn = engine.begin(engine.new_owner(), engine.new_interrupt());
            let meta = storage::RelMeta::new(
                storage::RelId(rel.0 + 1),
                storage::RelKind::Table,
                storage::Persistence::Permanent,
                vec![types::Physical::I32],
            );
            let table = storage::table::Table::new(forked.clone(), forked.create_relation(&mut txn, meta)?);
            table.insert(&mut txn, &[storage::table::Cell::fixed(&7i32.to_le_bytes())])?;
            Ok(txn.commit(true)?)
        })?;
        figure.add("Hathi, first write to the fork", elapsed.as_secs_f64() * 1e3);
        engine.drop_database(forked.id)?;
    }
    Ok(vec![figure])
}
