//! Opening: a new directory, an existing one, one in memory.

use hathi::{Builder, Database};

use crate::figure::{Figure, Goal, Unit};
use crate::peers;
use crate::stage::{Failure, Stage, time};

/// Figures of a few milliseconds are measured this often per round.
const REPEATS: usize = 3;

fn first_answer(db: &Database) -> Result<(), Failure> {
    let row = db.session()?.query_one("SELECT 1", &[])?;
    if row.get::<_, i32>(0) == 1 { Ok(()) } else { Err("SELECT 1 is not 1".into()) }
}

/// Directory to first answer of a new durable database.
pub fn new_database(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        "new-database",
        "a new durable database: from no directory to the first answer (SQLite: a table, since it makes no file before)",
        Unit::Millis,
        Goal::AtMost(20.0),
        &["Hathi", "SQLite", "PostgreSQL, initdb and start"],
    );
    for _ in 0..stage.scale.rounds * REPEATS {
        let dir = stage.new_dir()?;
        let (elapsed, db) = time(|| {
            let db = Database::open(dir.path().join("hathi"))?;
            first_answer(&db)?;
            Ok(db)
        })?;
        figure.add("Hathi", elapsed.as_secs_f64() * 1e3);
        drop(db);
        let (elapsed, connection) = time(|| {
            let connection = peers::on_disk(dir.path())?;
            connection.execute_batch("CREATE TABLE t (a INTEGER)")?;
            connection.query_row("SELECT 1", (), |row| row.get::<_, i32>(0))?;
            Ok(connection)
        })?;
        figure.add("SQLite", elapsed.as_secs_f64() * 1e3);
        drop(connection);
    }
    match stage.postgres() {
        Ok(server) => figure.add("PostgreSQL, initdb and start", server.creation.as_secs_f64() * 1e3),
        Err(why) => figure.note(why),
    }
    if stage.scale.measure_initdb {
        for _ in 1..3 {
            if let Ok(server) = peers::PgServer::start() {
                figure.add("PostgreSQL, initdb and start", server.creation.as_secs_f64() * 1e3);
            }
        }
    }
    Ok(vec![figure])
}

/// Opening what was closed cleanly, to the first row of a table.
pub fn reopen(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        "reopen",
        "opening a cleanly closed database of 10,000 rows, to the first row read by its key",
        Unit::Millis,
        Goal::AtMost(10.0),
        &["Hathi", "SQLite", "PostgreSQL, start"],
    );
    let rows = stage.scale.point_rows.min(10_000);
    let dir = stage.new_dir()?;
    let path = dir.path().join("hathi");
    let db = Database::open(&path)?;
    let mut session = db.session()?;
    session.batch_execute("CREATE TABLE kv (id int PRIMARY KEY, v int)")?;
    session.batch_execute("BEGIN")?;
    let mut insert = session.prepare("INSERT INTO kv VALUES ($1, $2)")?;
    for id in 0..rows {
        session.execute_prepared(&mut insert, &[&id, &(id * 3)])?;
    }
    session.batch_execute("COMMIT")?;
    drop(session);
    db.close()?;
    let sqlite = peers::on_disk(dir.path())?;
    sqlite.execute_batch("CREATE TABLE kv (id INTEGER PRIMARY KEY, v INTEGER); BEGIN")?;
    for id in 0..rows {
        sqlite.execute("INSERT INTO kv VALUES (?1, ?2)", (id, id * 3))?;
    }
    sqlite.execute_batch("COMMIT")?;
    drop(sqlite);
    for _ in 0..stage.scale.rounds * REPEATS {
        let (elapsed, db) = time(|| {
            let db = Database::open(&path)?;
            let row = db.session()?.query_one("SELECT v FROM kv WHERE id = $1", &[&7i32])?;
            if row.get::<_, i32>(0) != 21 {
                return Err("a wrong row".into());
            }
            Ok(db)
        })?;
        figure.add("Hathi", elapsed.as_secs_f64() * 1e3);
        db.close()?;
        let (elapsed, connection) = time(|| {
            let connection = peers::on_disk(dir.path())?;
            connection.query_row("SELECT v FROM kv WHERE id = 7", (), |row| row.get::<_, i32>(0))?;
            Ok(connection)
        })?;
        figure.add("SQLite", elapsed.as_secs_f64() * 1e3);
        drop(connection);
    }
    match stage.postgres() {
        Ok(server) => {
            for _ in 0..stage.scale.rounds.min(3) {
                figure.add("PostgreSQL, start", server.restart()?.as_secs_f64() * 1e3);
            }
        }
        Err(why) => figure.note(why),
    }
    Ok(vec![figure])
}

/// A database in memory, to the first answer.
pub fn in_memory(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        "in-memory",
        "a new database in memory, to the first answer",
        Unit::Micros,
        Goal::None,
        &["Hathi", "SQLite"],
    );
    for _ in 0..stage.scale.rounds * REPEATS {
        let (elapsed, db) = time(|| {
            let db = Builder::default().in_memory()?;
            first_answer(&db)?;
            Ok(db)
        })?;
        figure.add("Hathi", elapsed.as_secs_f64() * 1e6);
        drop(db);
        let (elapsed, connection) = time(|| {
            let connection = peers::in_memory()?;
            connection.query_row("SELECT 1", (), |row| row.get::<_, i32>(0))?;
            Ok(connection)
        })?;
        figure.add("SQLite", elapsed.as_secs_f64() * 1e6);
        drop(connection);
    }
    Ok(vec![figure])
}
