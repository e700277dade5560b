//! Sessions that wait keep nobody from running.

use std::time::{Duration, Instant};

use server::SessionMode;

use crate::client::{Client, Served, TWO};

/// Threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn sessions_that_wait_for_a_lock_lend_their_carriers() {
    let served = Served::start(TWO);
    served.run("CREATE TABLE t(n int); INSERT INTO t VALUES (0)");
    let mut holder = served.connect();
    holder.run("BEGIN; UPDATE t SET n = n + 1");
    let mut crowd: Vec<Client> = (0..64).map(|_| served.connect()).collect();
    crowd.iter_mut().for_each(|c| c.ask("UPDATE t SET n = n + 1"));
    // Somebody else gets through, and so does he whom they wait for.
    let mut other = served.connect();
    for _ in 0..100 {
        assert_eq!(other.run("SELECT 1").row(), ["1"]);
    }
    holder.run("COMMIT");
    for c in &mut crowd {
        assert_eq!(c.answer().tags, ["UPDATE 1"]);
    }
    assert_eq!(other.run("SELECT n FROM t").row(), ["65"]);
}

#[test]
fn long_statements_lend_their_carriers() {
    let served = Served::start(TWO);
    let mut heavy: Vec<Client> = (0..4).map(|_| served.connect()).collect();
    for c in &mut heavy {
        c.ask("SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b");
    }
    std::thread::sleep(Duration::from_millis(50));
    let start = Instant::now();
    let mut other = served.connect();
    assert_eq!(other.run("SELECT 1").row(), ["1"]);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    heavy.iter().for_each(|c| c.cancel(&served.path));
}

#[test]
fn parked_sessions_have_no_threads() {
    let before = threads();
    let served = Served::start(TWO);
    let mut clients: Vec<Client> = (0..500).map(|_| served.connect()).collect();
    clients.iter_mut().for_each(|c| drop(c.run("BEGIN; SELECT 1")));
    // Two carriers, their watcher, the engine's own.
    assert!(threads() <= before + 6, "{} threads", threads() - before);
    clients.iter_mut().for_each(|c| drop(c.run("COMMIT")));
}

/// A client that sends without end does not keep others from being served.
#[test]
fn pipelines_take_turns() {
    let served = Served::start(SessionMode::Pooled { slots: 1 });
    let mut greedy = served.connect();
    let mut batch = bytes::BytesMut::new();
    for _ in 0..20_000 {
        wire::frontend::encode::query(&mut batch, "SELECT 1");
    }
    let mut stream = greedy.stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || std::io::Write::write_all(&mut stream, &batch));
    let reading = std::thread::spawn(move || {
        for _ in 0..20_000 {
            assert_eq!(greedy.answer().row(), ["1"]);
        }
    });
    let mut other = served.connect();
    for _ in 0..20 {
        assert_eq!(other.run("SELECT 1").row(), ["1"]);
    }
    sending.join().unwrap().unwrap();
    reading.join().unwrap();
}

#[test]
fn both_modes_serve_alike() {
    for mode in [SessionMode::Thread, TWO] {
        let served = Served::start(mode);
        let mut clients: Vec<Client> = (0..20).map(|_| served.connect()).collect();
        for (i, c) in clients.iter_mut().enumerate() {
            assert_eq!(c.run(&format!("SELECT {i}")).row(), [i.to_string()]);
        }
        let big = clients[0].run("SELECT repeat('x', 1000) FROM generate_series(1, 5000)");
        assert_eq!(big.rows.len(), 5000);
    }
}
