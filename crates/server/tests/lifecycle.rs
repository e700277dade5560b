//! Sessions that are cancelled, ended, timed out, abandoned; each within 50 ms wherever they wait.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use server::SessionMode;
use wire::frontend::encode;

use crate::client::{Client, Served, TWO};

/// What the issue allows, and what a busy machine adds.
const SOON: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1000 } else { 50 });

fn soon<T>(f: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let outcome = f();
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    outcome
}

/// Ways to wait: what others do before, and what the session does.
type Way = (&'static str, fn(&mut Client), fn(&mut Client));

const WAYS: &[Way] = &[
    ("a lock", |holder| drop(holder.run("BEGIN; UPDATE t SET n = 1")), |c| c.ask("UPDATE t SET n = 2")),
    (
        "an advisory lock",
        |holder| drop(holder.run("SELECT pg_advisory_lock(1)")),
        |c| {
            c.ask("SELECT pg_advisory_lock(1)");
        },
    ),
    ("sleep", |_| (), |c| c.ask("SELECT pg_sleep(100)")),
    (
        "a long statement",
        |_| (),
        |c| c.ask("SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b"),
    ),
    ("the data of a COPY", |_| (), |c| c.ask("COPY t FROM STDIN")),
    ("a client that reads nothing", |_| (), |c| c.ask("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)")),
];

#[test]
fn cancelling_ends_every_wait() {
    let served = Served::start(TWO);
    served.run("CREATE TABLE t(n int); INSERT INTO t VALUES (0)");
    for (name, hold, wait) in WAYS {
        let (mut holder, mut client) = (served.connect(), served.connect());
        hold(&mut holder);
        wait(&mut client);
        std::thread::sleep(Duration::from_millis(100));
        client.cancel(&served.path);
        let answer = soon(|| client.answer());
        match *name {
            // It cannot be told what it does not take: PostgreSQL ends such a connection, too.
            "a client that reads nothing" => assert!(answer.status.is_none() || answer.state() == "57014", "{name}"),
            _ => {
                assert_eq!(answer.state(), "57014", "{name}");
                assert_eq!(client.run("SELECT 1").row(), ["1"], "{name}");
            }
        }
    }
}

#[test]
fn terminating_ends_every_wait() {
    let served = Served::start(TWO);
    served.run("CREATE TABLE t(n int); INSERT INTO t VALUES (0)");
    let mut boss = served.connect();
    let parked: &[Way] = &[
        ("its client", |_| (), |_| ()),
        ("its client in a transaction", |_| (), |c| drop(c.run("BEGIN"))),
        ("half a message", |_| (), |c| c.send(b"Q\0\0\0\x20SELE")),
    ];
    for (name, hold, wait) in WAYS.iter().chain(parked) {
        let (mut holder, mut client) = (served.connect(), served.connect());
        hold(&mut holder);
        wait(&mut client);
        std::thread::sleep(Duration::from_millis(100));
        let answer = soon(|| {
            assert_eq!(boss.run(&format!("SELECT pg_terminate_backend({})", client.pid)).row(), ["t"]);
            client.answer()
        });
        assert!(answer.status.is_none(), "{name}");
        if *name != "a client that reads nothing" {
            assert_eq!(answer.state(), "57P01", "{name}");
        }
        // It is gone, and so is what it held.
        assert_eq!(boss.run(&format!("SELECT pg_terminate_backend({})", client.pid)).row(), ["f"], "{name}");
    }
    // Those who have held something have just left.
    assert!(boss.is_alone(100));
}

#[test]
fn what_was_asked_before_a_farewell_is_answered() {
    for mode in [TWO, SessionMode::Thread] {
        let served = Served::start(mode);
        // Little, which is written at once, and more than a socket has room for.
        for bytes in [10, 4_000_000] {
            let mut client = served.connect();
            let mut said = BytesMut::new();
            encode::query(&mut said, &format!("SELECT repeat('x', {bytes})"));
            encode::terminate(&mut said);
            client.send(&said);
            std::thread::sleep(Duration::from_millis(100));
            assert_eq!(client.answer().row()[0].len(), bytes);
            assert!(client.message().is_none());
        }
        assert!(served.connect().is_alone(100));
    }
}

#[test]
fn timeouts_are_kept_while_parked() {
    let served = Served::start(TWO);
    let mut idle = served.connect();
    idle.run("SET idle_session_timeout = 100");
    let mut open = served.connect();
    open.run("SET idle_in_transaction_session_timeout = 150; BEGIN");
    let mut stays = served.connect();
    stays.run("SET idle_in_transaction_session_timeout = 100");
    let start = Instant::now();
    assert_eq!(idle.answer().state(), "57P05");
    assert!(start.elapsed() >= Duration::from_millis(90));
    assert_eq!(open.answer().state(), "25P03");
    assert!(start.elapsed() < Duration::from_millis(150) + SOON);
    assert_eq!(stays.run("SELECT 1").row(), ["1"]);
    // A statement is no silence.
    let mut busy = served.connect();
    busy.run("SET idle_session_timeout = 200");
    assert_eq!(busy.run("SELECT pg_sleep(0.4), 1").row()[1], "1");
}

#[test]
fn a_statement_timeout_holds_in_every_wait() {
    let served = Served::start(TWO);
    served.run("CREATE TABLE t(n int); INSERT INTO t VALUES (0)");
    for (name, hold, wait) in &WAYS[..4] {
        let (mut holder, mut client) = (served.connect(), served.connect());
        hold(&mut holder);
        client.run("SET statement_timeout = 100");
        wait(&mut client);
        let start = Instant::now();
        let answer = client.answer();
        assert!(start.elapsed() < Duration::from_millis(100) + SOON, "{name}");
        assert_eq!(answer.state(), "57014", "{name}");
    }
    let (mut holder, mut client) = (served.connect(), served.connect());
    holder.run("BEGIN; UPDATE t SET n = 1");
    client.run("SET lock_timeout = 100");
    assert_eq!(client.query("UPDATE t SET n = 2").state(), "55P03");
}

#[test]
fn statements_of_clients_that_left_end_when_somebody_looks() {
    for mode in [TWO, SessionMode::Thread] {
        let served = Served::start(mode);
        served.run("CREATE TABLE t(n int); INSERT INTO t VALUES (0)");
        let mut boss = served.connect();
        let others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> ";
        let mut count = |pid: i32| boss.run(&format!("{others} pg_backend_pid() AND pid <> {pid}")).row()[0].to_owned();
        for (name, hold, wait) in &WAYS[..4] {
            let (mut holder, mut client) = (served.connect(), served.connect());
            hold(&mut holder);
            client.run("SET client_connection_check_interval = 100");
            wait(&mut client);
            std::thread::sleep(Duration::from_millis(50));
            drop(client);
            let until = Instant::now() + Duration::from_millis(100) + SOON;
            while count(holder.pid) != "0" {
                assert!(Instant::now() < until, "{name}");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        // Nobody asked it to look.
        let mut client = served.connect();
        client.ask("SELECT pg_sleep(100)");
        drop(client);
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(count(0), "1");
    }
}

#[test]
fn abandoned_clients_leave_nothing() {
    let served = Served::start(TWO);
    served.run("CREATE TABLE t(n int); INSERT INTO t VALUES (0)");
    for i in 0..10_000 {
        let mut client = served.connect();
        match i % 5 {
            0 => drop(client.run("BEGIN; UPDATE t SET n = n + 1; SELECT pg_advisory_lock(7)")),
            1 => client.ask("SELECT 1"),
            2 => client.send(b"Q\0\0\0\x20SELE"),
            3 => client.send(b"Q\xff\xff\xff\xff"),
            _ => drop(client.extended(|b| encode::parse(b, "s", "SELECT 1", &[]))),
        }
    }
    let mut last = served.connect();
    assert!(last.is_alone(500), "they are gone");
    assert_eq!(last.run("SELECT n, pg_try_advisory_lock(7) FROM t").row(), ["0", "t"]);
    assert_eq!(
        last.run("SELECT count(*) FROM pg_locks WHERE locktype NOT IN ('relation', 'advisory', 'virtualxid')").row(),
        ["0"]
    );
}

/// Whoever is told to go sees the end of the connection, whatever other carriers do at that moment, and though nothing wakes them later (P7).
#[test]
fn sockets_are_closed_when_connections_end() {
    let served = Served::start(TWO);
    let mut nobody = served.connect();
    nobody.pid = -1;
    let start = Instant::now();
    let lasts = || start.elapsed() < Duration::from_secs(2);
    std::thread::scope(|scope| {
        // Those who run the connection and those who look at it lose their processors now and then.
        (0..4).for_each(|_| drop(scope.spawn(|| while lasts() {})));
        while lasts() {
            nobody.cancel(&served.path);
        }
    });
}
