//! `hathi serve` stops as PostgreSQL does: smart, fast, immediate (manual §18.5).

use std::path::Path;
use std::time::{Duration, Instant};

use postgres::NoTls;

use crate::clients::served::Process;

fn start(dir: &Path) -> Process {
    Process::start(dir, ["--listen", "none", "--auth", "trust"], 1)
}

/// Its exit code, when it has ended within some seconds.
fn ended(served: &mut Process) -> Option<i32> {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if let Some(status) = served.0.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

fn connect(dir: &Path) -> Result<postgres::Client, postgres::Error> {
    let socket = dir.to_str().unwrap();
    postgres::Config::new().host_path(socket).user("postgres").dbname("postgres").connect(NoTls)
}

#[test]
fn smart_waits_for_clients_and_lets_none_in() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = start(dir.path());
    let mut client = connect(dir.path()).unwrap();
    served.signal("-TERM");
    let refused = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        connect(dir.path()).is_err()
    });
    assert!(refused);
    client.batch_execute("CREATE TABLE t(n int); INSERT INTO t VALUES (1)").unwrap();
    assert!(served.0.try_wait().unwrap().is_none());
    drop(client);
    assert_eq!(ended(&mut served), Some(0));
}

#[test]
fn fast_ends_sessions_wherever_they_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = start(dir.path());
    let mut client = connect(dir.path()).unwrap();
    client.batch_execute("CREATE TABLE t(n int)").unwrap();
    client.batch_execute("BEGIN; INSERT INTO t VALUES (1)").unwrap();
    let mut sleeper = connect(dir.path()).unwrap();
    let sleeping = std::thread::spawn(move || sleeper.batch_execute("SELECT pg_sleep(100)").unwrap_err());
    std::thread::sleep(Duration::from_millis(200));
    served.signal("-INT");
    let error = sleeping.join().unwrap();
    // The client may find its stream closed before it reads why.
    assert!(error.is_closed() || error.code().is_some_and(|c| c.code() == "57P01"), "{error}");
    assert_eq!(ended(&mut served), Some(0));
    assert!(client.batch_execute("COMMIT").is_err());
    let _served = start(dir.path());
    let count: i64 = connect(dir.path()).unwrap().query_one("SELECT count(*) FROM t", &[]).unwrap().get(0);
    assert_eq!(count, 0);
}

#[test]
fn immediate_leaves_the_rest_to_recovery() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = start(dir.path());
    let mut client = connect(dir.path()).unwrap();
    client.batch_execute("CREATE TABLE t(n int); INSERT INTO t VALUES (1)").unwrap();
    client.batch_execute("BEGIN; INSERT INTO t VALUES (2)").unwrap();
    served.signal("-QUIT");
    assert_eq!(ended(&mut served), Some(0));
    let _served = start(dir.path());
    let count: i64 = connect(dir.path()).unwrap().query_one("SELECT count(*) FROM t", &[]).unwrap().get(0);
    assert_eq!(count, 1);
}
