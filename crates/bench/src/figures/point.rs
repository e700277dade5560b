//! Single rows by primary key: read, changed, read by two threads; and the statement that does nothing.

use std::time::Instant;

use hathi::{Database, Session};
use rusqlite::Connection;

use crate::figure::{Figure, Goal, Unit};
use crate::peers;
use crate::stage::{Failure, Stage, micros_each_warm, postgres_client, scatter};

const CREATE: &str = "CREATE TABLE kv (id int PRIMARY KEY, v int, name text)";
const SQLITE_CREATE: &str = "CREATE TABLE kv (id INTEGER PRIMARY KEY, v INTEGER, name TEXT)";
const HATHI: &str = "Hathi, in-process";

fn fill(session: &mut Session, rows: i32) -> Result<(), Failure> {
    session.batch_execute(CREATE)?;
    session.batch_execute("BEGIN")?;
    let mut insert = session.prepare("INSERT INTO kv VALUES ($1, $2, $3)")?;
    for id in 0..rows {
        session.execute_prepared(&mut insert, &[&id, &(id * 3), &format!("row number {id}")])?;
    }
    Ok(session.batch_execute("COMMIT")?)
}

fn fill_sqlite(connection: &Connection, rows: i32) -> Result<(), Failure> {
    connection.execute_batch(SQLITE_CREATE)?;
    connection.execute_batch("BEGIN")?;
    let mut insert = connection.prepare("INSERT INTO kv VALUES (?1, ?2, ?3)")?;
    for id in 0..rows {
        insert.execute((id, id * 3, format!("row number {id}")))?;
    }
    Ok(connection.execute_batch("COMMIT")?)
}

fn fill_postgres(client: &mut postgres::Client, rows: i32) -> Result<(), Failure> {
    client.batch_execute(&format!(
        "DROP TABLE IF EXISTS kv; {CREATE}; \
         INSERT INTO kv SELECT i, i * 3, 'row number ' || i FROM generate_series(0, {rows} - 1) i"
    ))?;
    client.batch_execute("VACUUM ANALYZE kv")?;
    Ok(())
}

/// `SELECT 1`, prepared.
pub fn select_one(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let mut figure = Figure::new(
        "select-1",
        "prepared SELECT 1, the value read",
        Unit::Micros,
        Goal::AtMost(0.15),
        &[HATHI, "SQLite", "PostgreSQL, socket"],
    );
    let db = Database::in_memory()?;
    let mut session = db.session()?;
    let mut select = session.prepare("SELECT 1")?;
    let sqlite = peers::in_memory()?;
    let mut sqlite_select = sqlite.prepare("SELECT 1")?;
    let mut pg = postgres_client(stage, &mut figure)?;
    let pg_select = pg.as_mut().map(|c| c.prepare("SELECT 1")).transpose()?;
    for _ in 0..stage.scale.rounds {
        let each = micros_each_warm(stage.scale.point_operations, |_| {
            let mut value = 0;
            session.query_each(&mut select, &[], |row| {
                value = row.get(0);
                Ok(())
            })?;
            expect(value, 1)
        })?;
        figure.add(HATHI, each);
        let each = micros_each_warm(stage.scale.point_operations, |_| {
            expect(sqlite_select.query_row((), |row| row.get::<_, i32>(0))?, 1)
        })?;
        figure.add("SQLite", each);
        if let (Some(client), Some(select)) = (&mut pg, &pg_select) {
            let each = micros_each_warm(stage.scale.socket_operations, |_| {
                expect(client.query_one(select, &[])?.get::<_, i32>(0), 1)
            })?;
            figure.add("PostgreSQL, socket", each);
        }
    }
    Ok(vec![figure])
}

fn expect(found: i32, wanted: i32) -> Result<(), Failure> {
    if found == wanted { Ok(()) } else { Err(format!("read {found}, expected {wanted}").into()) }
}

/// A row by its primary key, prepared.
pub fn point_select(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.point_rows;
    let mut figure = Figure::new(
        "point-select",
        format!("prepared SELECT v, name FROM kv WHERE id = $1 over {rows} rows, both values read"),
        Unit::Micros,
        Goal::TimesAtMost("SQLite in memory", 1.0),
        &[HATHI, "SQLite in memory", "SQLite on disk", "PostgreSQL, socket"],
    );
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    fill(&mut session, rows)?;
    let mut select = session.prepare("SELECT v, name FROM kv WHERE id = $1")?;
    let (memory, disk) = (peers::in_memory()?, peers::on_disk(dir.path())?);
    fill_sqlite(&memory, rows)?;
    fill_sqlite(&disk, rows)?;
    let mut memory_select = memory.prepare("SELECT v, name FROM kv WHERE id = ?1")?;
    let mut disk_select = disk.prepare("SELECT v, name FROM kv WHERE id = ?1")?;
    let mut pg = postgres_client(stage, &mut figure)?;
    let pg_select = match &mut pg {
        Some(client) => {
            fill_postgres(client, rows)?;
            Some(client.prepare("SELECT v, name FROM kv WHERE id = $1")?)
        }
        None => None,
    };
    for _ in 0..stage.scale.rounds {
        let each = micros_each_warm(stage.scale.point_operations, |i| {
            let (id, mut value) = (scatter(i, rows), 0);
            session.query_each(&mut select, &[&id], |row| {
                std::hint::black_box(row.get::<_, &str>(1).len());
                value = row.get(0);
                Ok(())
            })?;
            expect(value, id * 3)
        })?;
        figure.add(HATHI, each);
        for (who, statement) in [("SQLite in memory", &mut memory_select), ("SQLite on disk", &mut disk_select)] {
            let each = micros_each_warm(stage.scale.point_operations, |i| {
                let id = scatter(i, rows);
                let found = statement.query_row((id,), |row| {
                    std::hint::black_box(row.get_ref(1)?.as_str()?.len());
                    row.get::<_, i32>(0)
                })?;
                expect(found, id * 3)
            })?;
            figure.add(who, each);
        }
        if let (Some(client), Some(select)) = (&mut pg, &pg_select) {
            let each = micros_each_warm(stage.scale.socket_operations, |i| {
                let id = scatter(i, rows);
                let found = client.query_one(select, &[&id])?;
                std::hint::black_box(found.get::<_, &str>(1).len());
                expect(found.get(0), id * 3)
            })?;
            figure.add("PostgreSQL, socket", each);
        }
    }
    Ok(vec![figure])
}

/// A row by its primary key, the text with its number given.
pub fn literal_select(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.point_rows;
    let mut figure = Figure::new(
        "literal-select",
        format!(
            "SELECT v, name FROM kv WHERE id = <number> as text, nothing prepared, over {rows} rows, both values read"
        ),
        Unit::Micros,
        Goal::AtMost(4.0),
        &[HATHI, "SQLite on disk", "PostgreSQL, socket"],
    );
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    let mut session = db.session()?;
    fill(&mut session, rows)?;
    let disk = peers::on_disk(dir.path())?;
    fill_sqlite(&disk, rows)?;
    let mut pg = postgres_client(stage, &mut figure)?;
    if let Some(client) = &mut pg {
        fill_postgres(client, rows)?;
    }
    let texts: Vec<(i32, String)> = (0..stage.scale.point_operations)
        .map(|i| scatter(i, rows))
        .map(|id| (id, format!("SELECT v, name FROM kv WHERE id = {id}")))
        .collect();
    for _ in 0..stage.scale.rounds {
        let each = micros_each_warm(texts.len(), |i| {
            let (id, text) = &texts[i];
            let found = session.query(text, &[])?;
            std::hint::black_box(found[0].get::<_, &str>(1).len());
            expect(found[0].get(0), id * 3)
        })?;
        figure.add(HATHI, each);
        let each = micros_each_warm(texts.len(), |i| {
            let (id, text) = &texts[i];
            let found = disk.query_row(text, (), |row| {
                std::hint::black_box(row.get_ref(1)?.as_str()?.len());
                row.get::<_, i32>(0)
            })?;
            expect(found, id * 3)
        })?;
        figure.add("SQLite on disk", each);
        if let Some(client) = &mut pg {
            let each = micros_each_warm(stage.scale.socket_operations.min(texts.len()), |i| {
                let (id, text) = &texts[i];
                let found = client.simple_query(text)?;
                let row = found.iter().find_map(|m| match m {
                    postgres::SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
                    _ => None,
                });
                expect(row.ok_or("no row")?, id * 3)
            })?;
            figure.add("PostgreSQL, socket", each);
        }
    }
    Ok(vec![figure])
}

/// A row by its primary key, prepared, asked by the same client over a unix socket of each server.
pub fn wire_point_select(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    const SERVED: &str = "Hathi, socket";
    let rows = stage.scale.point_rows;
    let mut figure = Figure::new(
        "wire-point-select",
        format!(
            "prepared SELECT v, name FROM kv WHERE id = $1 over {rows} rows, one client (crate postgres) on a unix socket"
        ),
        Unit::Micros,
        Goal::TimesAtMost("PostgreSQL, socket", 1.0),
        &[SERVED, "PostgreSQL, socket"],
    );
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    fill(&mut db.session()?, rows)?;
    let server = peers::HathiServer::start(&db)?;
    let mut clients = vec![(SERVED, server.client()?)];
    if let Some(mut client) = postgres_client(stage, &mut figure)? {
        fill_postgres(&mut client, rows)?;
        clients.push(("PostgreSQL, socket", client));
    }
    let mut statements = Vec::new();
    for (who, mut client) in clients {
        let select = client.prepare("SELECT v, name FROM kv WHERE id = $1")?;
        statements.push((who, client, select));
    }
    for _ in 0..stage.scale.rounds {
        for (who, client, select) in &mut statements {
            let each = micros_each_warm(stage.scale.socket_operations, |i| {
                let id = scatter(i, rows);
                let found = client.query_one(&*select, &[&id])?;
                std::hint::black_box(found.get::<_, &str>(1).len());
                expect(found.get(0), id * 3)
            })?;
            figure.add(who, each);
        }
    }
    Ok(vec![figure])
}

/// A row changed by its primary key, prepared, autocommit, without waiting for the disk.
pub fn point_update(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.point_rows;
    let mut figure = Figure::new(
        "point-update",
        format!("prepared autocommit UPDATE kv SET v = v + 1 WHERE id = $1 over {rows} rows, not waiting for the disk"),
        Unit::Micros,
        Goal::TimesAtMost("SQLite in memory", 1.0),
        &["Hathi in memory", "Hathi on disk", "SQLite in memory", "PostgreSQL, socket"],
    );
    figure.note("On disk and in PostgreSQL: synchronous_commit = off.");
    let sql = "UPDATE kv SET v = v + 1 WHERE id = $1";
    let dir = stage.new_dir()?;
    let (volatile, durable) = (Database::in_memory()?, Database::open(dir.path().join("hathi"))?);
    let (mut in_memory, mut on_disk) = (volatile.session()?, durable.session()?);
    fill(&mut in_memory, rows)?;
    fill(&mut on_disk, rows)?;
    on_disk.batch_execute("SET synchronous_commit = off")?;
    let (mut memory_update, mut disk_update) = (in_memory.prepare(sql)?, on_disk.prepare(sql)?);
    let sqlite = peers::in_memory()?;
    fill_sqlite(&sqlite, rows)?;
    let mut sqlite_update = sqlite.prepare("UPDATE kv SET v = v + 1 WHERE id = ?1")?;
    let mut pg = postgres_client(stage, &mut figure)?;
    let pg_update = match &mut pg {
        Some(client) => {
            fill_postgres(client, rows)?;
            client.batch_execute("SET synchronous_commit = off")?;
            Some(client.prepare(sql)?)
        }
        None => None,
    };
    let operations = stage.scale.point_operations / 2;
    for _ in 0..stage.scale.rounds {
        for (who, session, update) in
            [("Hathi in memory", &mut in_memory, &mut memory_update), ("Hathi on disk", &mut on_disk, &mut disk_update)]
        {
            let each = micros_each_warm(operations, |i| {
                expect(session.execute_prepared(update, &[&scatter(i, rows)])? as i32, 1)
            })?;
            figure.add(who, each);
        }
        let each = micros_each_warm(operations, |i| expect(sqlite_update.execute((scatter(i, rows),))? as i32, 1))?;
        figure.add("SQLite in memory", each);
        if let (Some(client), Some(update)) = (&mut pg, &pg_update) {
            let each = micros_each_warm(stage.scale.socket_operations, |i| {
                expect(client.execute(update, &[&scatter(i, rows)])? as i32, 1)
            })?;
            figure.add("PostgreSQL, socket", each);
        }
    }
    Ok(vec![figure])
}

/// Point reads by one thread and by two.
pub fn two_threads(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let rows = stage.scale.point_rows;
    let mut figure = Figure::new(
        "two-threads",
        "prepared point reads per second, a session per thread, all threads together",
        Unit::PerSecond,
        Goal::TimesAtLeast("Hathi, 1 thread", 1.8),
        &["Hathi, 2 threads", "Hathi, 1 thread", "Hathi, each of 2 threads"],
    );
    // What the machine gives two threads that share nothing, measured beside it: others may be using its cores.
    let mut machine = Figure::new(
        "two-threads-machine",
        "the same for a loop of arithmetic and small allocations that shares nothing: what the machine had to give meanwhile",
        Unit::PerSecond,
        Goal::None,
        &["loop, 2 threads", "loop, 1 thread"],
    );
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores < 2 {
        figure.note(format!("the machine has {cores} core(s)"));
    }
    let dir = stage.new_dir()?;
    let db = Database::open(dir.path().join("hathi"))?;
    fill(&mut db.session()?, rows)?;
    let operations = stage.scale.point_operations;
    for _ in 0..stage.scale.rounds {
        for (who, threads) in [("loop, 1 thread", 1), ("loop, 2 threads", 2)] {
            machine.add(who, peers::loop_rate(threads, operations));
        }
        for (who, threads) in [("Hathi, 1 thread", 1), ("Hathi, 2 threads", 2)] {
            let barrier = std::sync::Barrier::new(threads);
            let seconds: Vec<Result<f64, String>> = std::thread::scope(|scope| {
                let (db, barrier) = (&db, &barrier);
                let reader = move |thread: usize| {
                    let prepared = db.session().and_then(|mut session| {
                        let select = session.prepare("SELECT v, name FROM kv WHERE id = $1")?;
                        Ok((session, select))
                    });
                    barrier.wait();
                    let (mut session, mut select) = prepared.map_err(|e| e.to_string())?;
                    let start = Instant::now();
                    for i in 0..operations {
                        let id = scatter(i * 2 + thread, rows);
                        let found = session.query_prepared(&mut select, &[&id]).map_err(|e| e.to_string())?;
                        expect(found[0].get(0), id * 3).map_err(|e| e.to_string())?;
                    }
                    Ok(start.elapsed().as_secs_f64())
                };
                let threads: Vec<_> = (0..threads).map(|t| scope.spawn(move || reader(t))).collect();
                threads.into_iter().map(|t| t.join().unwrap_or_else(|_| Err("a reader panicked".into()))).collect()
            });
            let seconds = seconds.into_iter().collect::<Result<Vec<f64>, String>>()?;
            let rates: Vec<f64> = seconds.iter().map(|s| operations as f64 / s).collect();
            figure.add(who, rates.iter().sum());
            if threads > 1 {
                rates.into_iter().for_each(|rate| figure.add("Hathi, each of 2 threads", rate));
            }
        }
    }
    let (two, one) = (machine.series[0].median(), machine.series[1].median());
    machine.note(format!("Two threads do {:.2} times what one does.", two / one));
    Ok(vec![figure, machine])
}
