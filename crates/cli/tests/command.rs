//! The `hathi` command as a user runs it, and psql against `hathi serve`.

use std::path::Path;
use std::process::{Command, Output};

use crate::clients::served::Process;

fn hathi(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hathi")).args(arguments).output().expect("hathi runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn demo_sql_and_check_work_on_one_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("db");
    let path = path.to_str().unwrap();
    let demo = hathi(&["demo", path, "--rows", "500"]);
    assert!(demo.status.success(), "{}", text(&demo.stderr));
    let count = hathi(&["sql", path, "-c", "SELECT count(*) FROM elephant"]);
    assert!(text(&count.stdout).contains("500"), "{}", text(&count.stdout));
    let wrong = hathi(&["sql", path, "-c", "SELECT nosuch"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(
        text(&wrong.stderr),
        "ERROR:  column \"nosuch\" does not exist\nLINE 1: SELECT nosuch\n               ^\n"
    );
    assert!(hathi(&["check", path]).status.success());
}

fn serve(dir: &Path) -> Process {
    Process::start(dir, ["--port", "5999", "--listen", "none"], 1)
}

/// Runs psql; `None` where it is not installed.
fn psql(dir: &Path, commands: &[&str]) -> Option<Output> {
    let mut command = Command::new("psql");
    command.args(["-X", "-A", "-t", "-h", dir.to_str().unwrap(), "-p", "5999", "-U", "postgres", "postgres"]);
    for c in commands {
        command.args(["-c", c]);
    }
    command.output().ok()
}

#[test]
fn psql_connects_and_a_killed_server_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(dir.path());
    let made = psql(
        dir.path(),
        &[
            "CREATE TABLE t (a int PRIMARY KEY, b text)",
            "INSERT INTO t VALUES (1, 'x'), (2, NULL) RETURNING a",
            "SELECT 1/0",
        ],
    );
    let Some(made) = made else {
        eprintln!("psql is not installed: this test was not run");
        return;
    };
    assert_eq!(text(&made.stdout), "CREATE TABLE\n1\n2\nINSERT 0 2\n");
    assert_eq!(text(&made.stderr), "ERROR:  division by zero\n");
    // kill -9, with the lock file left behind.
    drop(server);
    let _server = serve(dir.path());
    let read = psql(dir.path(), &["SELECT a, b IS NULL FROM t ORDER BY a", "SELECT x FROM t"]).unwrap();
    assert_eq!(text(&read.stdout), "1|f\n2|t\n");
    assert_eq!(text(&read.stderr), "ERROR:  column \"x\" does not exist\nLINE 1: SELECT x FROM t\n               ^\n");
}
