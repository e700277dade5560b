//! PostgreSQL's own pgbench against `hathi serve`: its built-in scripts in every mode, and TPC-B while the server is killed.
//!
//! `HATHI_PGBENCH_SECONDS` says for how long it is killed (default 6), `HATHI_PGBENCH_SCALE` how many branches there are (default 1);
//! `.ci/run` asks for 30 seconds and 10 branches.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// No port is opened: it is only part of the socket's name.
const PORT: &str = "5432";
const TABLES: [&str; 4] = ["accounts", "branches", "tellers", "history"];

/// A server on a socket of its directory. Dropped, it is killed.
struct Served(Child);

impl Served {
    /// Starts it on `dir` and waits until it listens.
    fn start(dir: &Path) -> Served {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hathi"))
            .args(["serve", "data", "--port", PORT, "--listen", "none", "--auth", "trust"])
            .current_dir(dir)
            .stdout(Stdio::piped())
            .spawn()
            .expect("hathi runs");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the server listens").unwrap();
        assert!(line.starts_with("listening: psql -h "), "{line}");
        Served(child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // SIGKILL: nothing is flushed, nothing said good-bye to.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The socket's folder: where the data are.
fn socket(dir: &Path) -> PathBuf {
    dir.join("data")
}

/// pgbench, from the path or where Debian keeps it.
fn pgbench() -> Option<PathBuf> {
    let mut found = vec![PathBuf::from("pgbench")];
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        found.extend(versions.flatten().map(|v| v.path().join("bin/pgbench")));
    }
    let works = |p: &PathBuf| Command::new(p).arg("--version").output().is_ok_and(|o| o.status.success());
    let found = found.into_iter().find(works);
    if found.is_none() {
        eprintln!("pgbench is missing: this test was not run");
    }
    found
}

fn client(program: &Path, dir: &Path, arguments: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("-h").arg(socket(dir)).args(["-p", PORT, "-U", "postgres"]);
    command.args(arguments.split_whitespace()).arg("postgres");
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|s| s.parse().ok()).unwrap_or(default)
}

/// Makes pgbench's tables.
fn initialize(program: &Path, dir: &Path, scale: u64) {
    let output = client(program, dir, &format!("-i -q -s {scale}")).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// Transactions it says were processed.
fn processed(output: &Output) -> u64 {
    let text = said(output);
    let line = text.lines().find_map(|l| l.strip_prefix("number of transactions actually processed: "));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    line.split('/').next().unwrap().trim().parse().unwrap()
}

fn values(dir: &Path, query: &str) -> Vec<i64> {
    let config = format!("host={} port={PORT} user=postgres dbname=postgres", socket(dir).display());
    let mut client = postgres::Client::connect(&config, postgres::NoTls).unwrap();
    client.query(query, &[]).unwrap().iter().map(|r| r.get(0)).collect()
}

/// The money that each table says was moved, and how often the history says so.
fn books(dir: &Path) -> ([i64; 4], i64) {
    let sums = [("abalance", 0), ("bbalance", 1), ("tbalance", 2), ("delta", 3)].map(|(column, table)| {
        values(dir, &format!("SELECT coalesce(sum({column}), 0)::bigint FROM pgbench_{}", TABLES[table]))[0]
    });
    (sums, values(dir, "SELECT count(*) FROM pgbench_history")[0])
}

fn check(dir: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_hathi")).arg("check").arg(socket(dir)).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn its_scripts_run_in_every_mode() {
    let Some(program) = pgbench() else { return };
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    initialize(&program, dir.path(), 1);
    let mut moved = 0;
    for script in ["tpcb-like", "simple-update", "select-only"] {
        for mode in ["simple", "extended", "prepared"] {
            // Connections of their own for a few transactions, then the same ones for many.
            for arguments in ["-C -t 3", "-t 50"] {
                let run = format!("-n -c 4 -j 2 -M {mode} -b {script} {arguments}");
                let output = client(&program, dir.path(), &run).output().unwrap();
                let text = said(&output);
                assert!(output.status.success(), "{script} {mode}: {text}");
                let asked = if arguments == "-t 50" { 200 } else { 12 };
                assert_eq!(processed(&output), asked, "{script} {mode}: {text}");
                let failed = text.lines().find_map(|l| l.strip_prefix("number of failed transactions: "));
                assert_eq!(failed, Some("0 (0.000%)"), "{script} {mode}: {text}");
                moved += if script == "select-only" { 0 } else { asked };
            }
        }
    }
    let (sums, entries) = books(dir.path());
    assert_eq!(entries as u64, moved);
    // Only tpcb-like keeps the books of branches and tellers.
    assert_eq!((sums[0], sums[1]), (sums[3], sums[2]));
    drop(served);
    check(dir.path());
}

#[test]
fn tpcb_balances_however_often_the_server_is_killed() {
    let Some(program) = pgbench() else { return };
    let seconds = number("HATHI_PGBENCH_SECONDS", 6);
    let dir = tempfile::tempdir().unwrap();
    let mut served = Served::start(dir.path());
    initialize(&program, dir.path(), number("HATHI_PGBENCH_SCALE", 1));
    let seed = number("HATHI_PGBENCH_SEED", 15);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    let (mut acknowledged, mut kills) = (0, 0);
    while Instant::now() < end {
        let mode = ["simple", "extended", "prepared"][rng.random_range(0..3)];
        let mut run = client(&program, dir.path(), &format!("-n -c 8 -j 2 -T 600 -M {mode}"));
        let run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(rng.random_range(150..1500)));
        drop(served);
        // Its clients have nobody to talk to any more: it ends of itself, and says what it was told.
        let output = run.wait_with_output().unwrap();
        acknowledged += processed(&output);
        kills += 1;
        served = Served::start(dir.path());
        let (sums, entries) = books(dir.path());
        assert_eq!(sums, [sums[3]; 4], "seed {seed}, kill {kills}: the books do not balance");
        // Each of eight clients may have committed once without hearing of it.
        let heard = acknowledged..=acknowledged + 8 * kills;
        assert!(
            heard.contains(&(entries as u64)),
            "seed {seed}, kill {kills}: {entries} are there, {heard:?} expected"
        );
    }
    drop(served);
    check(dir.path());
    assert!(acknowledged > kills, "hardly anything was committed: {acknowledged} in {kills} lives");
    eprintln!("{acknowledged} transactions in {kills} lives");
}
