//! TPC-B by eight clients in a process that is killed again and again: the books balance.
//!
//! All clients meet at one branch and ten tellers. `HATHI_TPCB_SECONDS` says how long it goes on (default 6).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use hathi::{Database, Session};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::this_program;

const CLIENTS: u64 = 8;
const ACCOUNTS: i32 = 1000;
const TELLERS: i32 = 10;

fn create(session: &mut Session) {
    session
        .batch_execute(
            "CREATE TABLE branches (bid int PRIMARY KEY, bbalance bigint NOT NULL, filler char(88));
             CREATE TABLE tellers (tid int PRIMARY KEY, bid int, tbalance bigint NOT NULL, filler char(84));
             CREATE TABLE accounts (aid int PRIMARY KEY, bid int, abalance bigint NOT NULL, filler char(84));
             CREATE TABLE history (tid int, bid int, aid int, delta bigint, filler char(22));
             INSERT INTO branches VALUES (1, 0, NULL); BEGIN",
        )
        .unwrap();
    for tid in 1..=TELLERS {
        session.execute("INSERT INTO tellers VALUES ($1, 1, 0, NULL)", &[&tid]).unwrap();
    }
    for aid in 1..=ACCOUNTS {
        session.execute("INSERT INTO accounts VALUES ($1, 1, 0, '')", &[&aid]).unwrap();
    }
    session.batch_execute("COMMIT").unwrap();
}

/// Not a test: what is killed. Writes a dot for each commit that returned.
#[test]
#[ignore = "run by the other in a process of its own"]
fn transacts_until_killed() {
    let Some(dir) = std::env::var_os("HATHI_TEST_DIR") else { return };
    let db = Database::builder().memory(4 << 20).checkpoint_log_bytes(512 << 10).open(&dir).unwrap();
    std::io::stdout().write_all(b"\n").unwrap();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let db = db.clone();
            std::thread::spawn(move || -> hathi::Result<()> {
                let mut rng = ChaCha8Rng::seed_from_u64(u64::from(std::process::id()) * CLIENTS + client);
                let mut s = db.session()?;
                let mut account = s.prepare("UPDATE accounts SET abalance = abalance + $1 WHERE aid = $2")?;
                let mut balance = s.prepare("SELECT abalance FROM accounts WHERE aid = $1")?;
                let mut teller = s.prepare("UPDATE tellers SET tbalance = tbalance + $1 WHERE tid = $2")?;
                let mut branch = s.prepare("UPDATE branches SET bbalance = bbalance + $1 WHERE bid = 1")?;
                let mut history = s.prepare("INSERT INTO history VALUES ($1, 1, $2, $3, NULL)")?;
                loop {
                    let (aid, tid) = (rng.random_range(1..=ACCOUNTS), rng.random_range(1..=TELLERS));
                    let delta: i64 = rng.random_range(-5000..=5000);
                    s.batch_execute("BEGIN")?;
                    assert_eq!(s.execute_prepared(&mut account, &[&delta, &aid])?, 1);
                    assert_eq!(s.query_prepared(&mut balance, &[&aid])?.len(), 1);
                    assert_eq!(s.execute_prepared(&mut teller, &[&delta, &tid])?, 1);
                    assert_eq!(s.execute_prepared(&mut branch, &[&delta])?, 1);
                    s.execute_prepared(&mut history, &[&tid, &aid, &delta])?;
                    s.batch_execute("COMMIT")?;
                    std::io::stdout().write_all(b".\n").expect("the parent reads");
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap().unwrap();
    }
}

fn number(session: &mut Session, sql: &str) -> i64 {
    session.query_one(sql, &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}")).get(0)
}

/// The books balance; answers how many transactions are in them.
fn audit(dir: &Path) -> i64 {
    let db = Database::open(dir).unwrap();
    let damages = db.check().unwrap();
    assert!(damages.is_empty(), "{damages:?}");
    let mut s = db.session().unwrap();
    let count = number(&mut s, "SELECT count(*) FROM history");
    let branch = number(&mut s, "SELECT bbalance FROM branches WHERE bid = 1");
    for sql in [
        "SELECT sum(abalance)::bigint FROM accounts",
        "SELECT sum(tbalance)::bigint FROM tellers",
        "SELECT coalesce(sum(delta), 0)::bigint FROM history",
    ] {
        assert_eq!(number(&mut s, sql), branch, "{sql}: the books do not balance");
    }
    for tid in 1..=TELLERS {
        let sums = format!("SELECT coalesce(sum(delta), 0)::bigint FROM history WHERE tid = {tid}");
        assert_eq!(
            number(&mut s, &sums),
            number(&mut s, &format!("SELECT tbalance FROM tellers WHERE tid = {tid}")),
            "teller {tid}"
        );
    }
    assert_eq!(number(&mut s, "SELECT count(*) FROM accounts"), i64::from(ACCOUNTS));
    db.close().unwrap();
    count
}

#[test]
fn the_books_balance_after_every_kill() {
    let seconds = std::env::var("HATHI_TPCB_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(6);
    let dir = tempfile::tempdir().unwrap();
    {
        let db = Database::open(dir.path()).unwrap();
        create(&mut db.session().unwrap());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut known = audit(dir.path());
    assert_eq!(known, 0);
    while Instant::now() < end {
        let mut child = this_program::run("tpcb::transacts_until_killed", dir.path());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || lines.map_while(Result::ok).filter(|l| l == ".").count() as i64);
        std::thread::sleep(Duration::from_millis(rng.random_range(200..900)));
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = reader.join().unwrap();
        let found = audit(dir.path());
        assert!(found >= known + acknowledged, "{} acknowledged commits are gone", known + acknowledged - found);
        assert!(found <= known + acknowledged + CLIENTS as i64, "more than could be under way");
        known = found;
    }
    assert!(known > 100 * seconds as i64, "only {known} transactions");
    eprintln!("{known} transactions");
}
