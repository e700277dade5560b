//! Real processes: killed while they commit, and two of them on one directory.
//!
//! The other process is this test program itself, run again with `HATHI_TEST_DIR` set. `HATHI_KILLS` says how often it is killed (default 20).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use hathi::{Database, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::this_program;

const CLIENTS: i32 = 4;
const PARTS: i64 = 3;

fn create(session: &mut Session) {
    session
        .batch_execute(
            "CREATE TABLE entry (client int, number int, part int, body text, PRIMARY KEY (client, number, part));
             CREATE TABLE total (client int PRIMARY KEY, number int NOT NULL, entries bigint NOT NULL);
             CREATE INDEX entry_number ON entry (number)",
        )
        .unwrap();
    for client in 0..CLIENTS {
        session.execute("INSERT INTO total VALUES ($1, 0, 0)", &[&client]).unwrap();
    }
}

/// Not a test: what is killed. Commits for ever and writes a line for each commit that returned.
#[test]
#[ignore = "run by the others in a process of its own"]
fn commits_until_killed() {
    let Some(dir) = std::env::var_os("HATHI_TEST_DIR") else { return };
    let db = Database::builder().checkpoint_log_bytes(256 << 10).open(&dir).unwrap();
    // The harness has begun a line.
    std::io::stdout().write_all(b"\n").unwrap();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let db = db.clone();
            std::thread::spawn(move || -> hathi::Result<()> {
                let mut rng = ChaCha8Rng::seed_from_u64(u64::from(std::process::id()) + client as u64);
                let mut session = db.session()?;
                let mut number: i32 =
                    session.query_one("SELECT number FROM total WHERE client = $1", &[&client])?.get(0);
                loop {
                    number += 1;
                    let mut transaction = session.transaction()?;
                    for part in 0..PARTS as i32 {
                        let length = if rng.random_range(0..20) == 0 { 20_000 } else { rng.random_range(0..300) };
                        let body: String = (0..length).map(|_| rng.random_range('a'..='z')).collect();
                        transaction
                            .execute("INSERT INTO entry VALUES ($1, $2, $3, $4)", &[&client, &number, &part, &body])?;
                    }
                    transaction.execute(
                        "UPDATE total SET number = $2, entries = entries + 3 WHERE client = $1",
                        &[&client, &number],
                    )?;
                    if rng.random_range(0..4) == 0 {
                        // Something of its own goes too, so that pages lose rows.
                        let old = number - rng.random_range(1..30);
                        let gone = transaction
                            .execute("DELETE FROM entry WHERE client = $1 AND number = $2", &[&client, &old])?;
                        transaction.execute(
                            "UPDATE total SET entries = entries - $2 WHERE client = $1",
                            &[&client, &(gone as i64)],
                        )?;
                    }
                    if rng.random_range(0..10) == 0 {
                        transaction.rollback()?;
                        number -= 1;
                        continue;
                    }
                    transaction.commit()?;
                    // One write, so that no line is torn.
                    std::io::stdout().write_all(format!("{client} {number}\n").as_bytes()).expect("the parent reads");
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap().unwrap();
    }
}

/// Looks at everything: `acknowledged` is the last number of each client that its process was told of.
fn verify(dir: &Path, acknowledged: &BTreeMap<i32, i32>) {
    let db = Database::open(dir).unwrap();
    let damages = db.check().unwrap();
    assert!(damages.is_empty(), "{damages:?}");
    let mut session = db.session().unwrap();
    for client in 0..CLIENTS {
        let row = session.query_one("SELECT number, entries FROM total WHERE client = $1", &[&client]).unwrap();
        let (number, entries): (i32, i64) = (row.get(0), row.get(1));
        let told = acknowledged.get(&client).copied().unwrap_or(0);
        assert!(number >= told, "client {client}: {told} was acknowledged, {number} is there");
        assert!(number <= told + 1, "client {client}: {told} was acknowledged, {number} is there: more than was begun");
        let found = session.query_one("SELECT count(*) FROM entry WHERE client = $1", &[&client]).unwrap();
        assert_eq!(found.get::<_, i64>(0), entries, "client {client}: the books do not balance");
        let parts =
            session.query("SELECT number, count(*) FROM entry WHERE client = $1 GROUP BY number", &[&client]).unwrap();
        for row in parts {
            assert_eq!(row.get::<_, i64>(1), PARTS, "client {client}: {} is half there", row.get::<_, i32>(0));
            assert!(row.get::<_, i32>(0) <= number, "client {client}: an entry without its total");
        }
        if told > 0 {
            let last =
                session.query("SELECT part FROM entry WHERE client = $1 AND number = $2", &[&client, &told]).unwrap();
            assert!(number > told || last.len() == PARTS as usize, "client {client}: {told} is not there");
        }
    }
    db.close().unwrap();
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged() {
    let kills: i32 = std::env::var("HATHI_KILLS").ok().and_then(|s| s.parse().ok()).unwrap_or(20);
    let dir = tempfile::tempdir().unwrap();
    {
        let db = Database::open(dir.path()).unwrap();
        create(&mut db.session().unwrap());
        db.close().unwrap();
    }
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut acknowledged = BTreeMap::new();
    for _ in 0..kills {
        let mut child = this_program::run("kill::commits_until_killed", dir.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            let mut last = BTreeMap::new();
            // What was not yet read when the process died is still in the pipe.
            for line in lines.map_while(Result::ok) {
                let mut words = line.split(' ').map(str::parse::<i32>);
                if let (Some(Ok(client)), Some(Ok(number)), None) = (words.next(), words.next(), words.next()) {
                    last.insert(client, number);
                }
            }
            last
        });
        std::thread::sleep(Duration::from_millis(rng.random_range(60..400)));
        child.kill().unwrap();
        child.wait().unwrap();
        let last = reader.join().unwrap();
        // A client that was told nothing this time is where it was, or one further.
        acknowledged.extend(last);
        settle(dir.path(), &mut acknowledged);
    }
    assert!(acknowledged.values().sum::<i32>() > kills * 10, "hardly anything was committed: {acknowledged:?}");
}

/// Verifies, then takes what is there as acknowledged: the next process goes on from it.
fn settle(dir: &Path, acknowledged: &mut BTreeMap<i32, i32>) {
    verify(dir, acknowledged);
    let db = Database::open(dir).unwrap();
    let rows = db.session().unwrap().query("SELECT client, number FROM total", &[]).unwrap();
    acknowledged.extend(rows.iter().map(|r| (r.get::<_, i32>(0), r.get::<_, i32>(1))));
    db.close().unwrap();
}

/// Not a test: holds the directory open until its input ends.
#[test]
#[ignore = "run by the others in a process of its own"]
fn holds_the_directory() {
    let Some(dir) = std::env::var_os("HATHI_TEST_DIR") else { return };
    let _db = Database::open(&dir).unwrap();
    // The harness has begun a line.
    std::io::stdout().write_all(b"\nopen\n").unwrap();
    std::thread::sleep(Duration::from_secs(30));
}

#[test]
fn a_second_process_is_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = this_program::run("kill::holds_the_directory", dir.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while lines.next().unwrap().unwrap() != "open" {}
    let start = Instant::now();
    let refused = Database::open(dir.path()).err().expect("the directory is in use");
    let elapsed = start.elapsed();
    assert_eq!(refused.state().as_str(), "F0001");
    assert_eq!(refused.message(), "the database directory is in use");
    assert!(refused.fields().detail.as_deref().is_some_and(|d| d.contains("Another process")));
    assert!(elapsed < Duration::from_millis(100), "{elapsed:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    // The lock went with the process.
    Database::open(dir.path()).unwrap().close().unwrap();
}
