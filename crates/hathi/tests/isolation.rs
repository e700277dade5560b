//! Isolation anomalies by name, at each level, as PostgreSQL treats them.
//!
//! A scenario (`isolation/*.txt`) is a script of a few sessions: `a SQL` runs it in session a, `a? SQL` expects it to wait, `a!` awaits it.
//! What happens is written down and compared with what PostgreSQL did (`*.expected`). With `HATHI_POSTGRES` (a connection string) the same
//! scripts run against a real PostgreSQL too; with `HATHI_BLESS=1` as well, its answers are recorded.
//!
//! Source: the anomalies of Adya's thesis as Martin Kleppmann's Hermitage lists them; scripts are our own.

mod peers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use peers::{Answer, Client, HathiPeer, Peer, PostgresPeer};

const LEVELS: [&str; 2] = ["READ COMMITTED", "REPEATABLE READ"];
/// So long a statement that should wait is watched.
const WATCH: Duration = Duration::from_millis(150);
/// No statement that should not wait takes so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// A session on a thread of its own, so that it may wait.
struct Worker {
    statements: Sender<String>,
    answers: Receiver<Answer>,
    waiting: bool,
}

impl Worker {
    fn new(mut client: Box<dyn Client>) -> Worker {
        let (statements, inbox) = channel::<String>();
        let (outbox, answers) = channel();
        std::thread::spawn(move || {
            for sql in inbox {
                if outbox.send(client.run(&sql)).is_err() {
                    return;
                }
            }
        });
        Worker { statements, answers, waiting: false }
    }

    fn answer(&mut self, patience: Duration) -> String {
        match self.answers.recv_timeout(patience) {
            Ok(answer) => {
                self.waiting = false;
                answer.to_string()
            }
            Err(RecvTimeoutError::Timeout) => {
                self.waiting = true;
                "waits".to_owned()
            }
            Err(RecvTimeoutError::Disconnected) => "the session died".to_owned(),
        }
    }
}

/// Runs a scenario at `level`; answers what happened, a line per step.
fn play(script: &str, peer: &dyn Peer, level: &str) -> String {
    let mut workers: BTreeMap<char, Worker> = BTreeMap::new();
    let mut out = String::new();
    for line in script.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (head, sql) = line.split_once(' ').unwrap_or((line, ""));
        let name = head.chars().next().expect("a line has a session");
        let worker = workers.entry(name).or_insert_with(|| Worker::new(peer.client()));
        let sql = sql.replace("BEGIN", &format!("BEGIN ISOLATION LEVEL {level}"));
        let answer = match &head[1..] {
            "!" => worker.answer(PATIENCE),
            mark => {
                assert!(!worker.waiting, "{line}: the session still waits");
                worker.statements.send(sql).expect("the session lives");
                worker.answer(if mark == "?" { WATCH } else { PATIENCE })
            }
        };
        out.push_str(&format!("{line} -> {answer}\n"));
    }
    out
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/isolation")
}

/// Plays scenario `name` at both levels against Hathi, and against PostgreSQL if there is one.
fn scenario(name: &str) {
    let script = std::fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    let recorded = folder().join(format!("{name}.expected"));
    let all = |peer: &dyn Peer| -> String {
        LEVELS.iter().map(|level| format!("== {level}\n{}", play(&script, peer, level))).collect()
    };
    if let Ok(parameters) = std::env::var("HATHI_POSTGRES") {
        let theirs = all(&PostgresPeer::new(&parameters));
        if std::env::var_os("HATHI_BLESS").is_some_and(|v| v == "1") {
            std::fs::write(&recorded, &theirs).unwrap();
        }
        assert_eq!(theirs, std::fs::read_to_string(&recorded).unwrap(), "PostgreSQL changed its mind");
    }
    let wanted = std::fs::read_to_string(&recorded).expect("recorded: see the head of this file");
    let found = all(&HathiPeer::new());
    assert_eq!(found, wanted, "\n--- Hathi:\n{found}\n--- PostgreSQL:\n{wanted}");
}

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $( #[test] fn $name() { scenario(stringify!($name)); } )*

        #[test]
        fn every_script_is_played() {
            let mut there: Vec<String> = std::fs::read_dir(folder())
                .unwrap()
                .filter_map(|e| e.unwrap().file_name().to_str()?.strip_suffix(".txt").map(str::to_owned))
                .collect();
            there.sort();
            let mut played = vec![$(stringify!($name)),*];
            played.sort_unstable();
            assert_eq!(there, played);
        }
    };
}

scenarios!(
    aborted_read,
    circular_information_flow,
    dirty_write,
    fuzzy_read,
    intermediate_read,
    lost_update,
    lost_update_with_lock,
    observed_transaction_vanishes,
    phantom,
    predicate_many_preceders,
    predicate_many_preceders_write,
    predicate_read_skew,
    read_skew,
    unique_race,
    write_read_skew,
    write_skew,
    write_skew_by_predicate,
);
