//! `hathi serve` stops as PostgreSQL does: smart, fast, immediate (manual §18.5).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgres::NoTls;

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Served {
    fn start(dir: &Path) -> Served {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hathi"))
            .args(["serve", dir.to_str().unwrap(), "--listen", "none", "--auth", "trust"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("hathi runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("listening"), "{line}");
        Served(child)
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Its exit code, when it has ended within some seconds.
    fn ended(&mut self) -> Option<i32> {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

fn connect(dir: &Path) -> Result<postgres::Client, postgres::Error> {
    let socket = dir.to_str().unwrap();
    postgres::Config::new().host_path(socket).user("postgres").dbname("postgres").connect(NoTls)
}

#[test]
fn smart_waits_for_clients_and_lets_none_in() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path());
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
    assert_eq!(served.ended(), Some(0));
}

#[test]
fn fast_ends_sessions_wherever_they_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path());
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
    assert_eq!(served.ended(), Some(0));
    assert!(client.batch_execute("COMMIT").is_err());
    let _served = Served::start(dir.path());
    let count: i64 = connect(dir.path()).unwrap().query_one("SELECT count(*) FROM t", &[]).unwrap().get(0);
    assert_eq!(count, 0);
}

#[test]
fn immediate_leaves_the_rest_to_recovery() {
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path());
    let mut client = connect(dir.path()).unwrap();
    client.batch_execute("CREATE TABLE t(n int); INSERT INTO t VALUES (1)").unwrap();
    client.batch_execute("BEGIN; INSERT INTO t VALUES (2)").unwrap();
    served.signal("-QUIT");
    assert_eq!(served.ended(), Some(0));
    let _served = Served::start(dir.path());
    let count: i64 = connect(dir.path()).unwrap().query_one("SELECT count(*) FROM t", &[]).unwrap().get(0);
    assert_eq!(count, 1);
}
