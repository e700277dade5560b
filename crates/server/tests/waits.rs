//! Sessions that wait keep nobody from running.

use std::time::{Duration, Instant};

use server::SessionMode;

use crate::client::{Client, Served, TWO};

/// Threads of this process.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Whether there are no more than so many, once those have ended that were started while a busy machine made others take long.
fn few_threads(most: usize) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        threads() <= most
    })
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
    assert!(few_threads(before + 6), "{} threads", threads() - before);
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

fn copy_data(data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len() + 4).unwrap().to_be_bytes();
    [&b"d"[..], &length, data].concat()
}

/// The data of a COPY come when the client has them; nobody waits for them in a thread.
#[test]
fn copies_are_parked_between_their_data() {
    let before = threads();
    let served = Served::start(TWO);
    served.run("CREATE TABLE t(n int)");
    let mut simple: Vec<Client> = (0..100).map(|_| served.connect()).collect();
    let mut extended: Vec<Client> = (0..100).map(|_| served.connect()).collect();
    simple.iter_mut().for_each(|c| c.ask("COPY t FROM STDIN; SELECT 7"));
    for c in &mut extended {
        let mut b = bytes::BytesMut::new();
        wire::frontend::encode::parse(&mut b, "", "COPY t FROM STDIN", &[]);
        wire::frontend::encode::bind(&mut b, "", "", &[], &[], &[]);
        wire::frontend::encode::execute(&mut b, "", 0);
        c.send(&b);
    }
    for c in simple.iter_mut().chain(&mut extended) {
        // Half a message, too.
        c.send(&copy_data(b"1\n2\n"));
        c.send(&copy_data(b"3\n")[..3]);
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(few_threads(before + 6), "{} threads", threads() - before);
    for c in simple.iter_mut().chain(&mut extended) {
        c.send(&copy_data(b"3\n")[3..]);
        c.send(b"c\0\0\0\x04");
    }
    for c in &mut simple {
        let answer = c.answer();
        assert_eq!((&*answer.tags, answer.row()), (&["COPY 3".to_owned(), "SELECT 1".to_owned()][..], vec!["7"]));
    }
    for c in &mut extended {
        c.send(b"S\0\0\0\x04");
        assert_eq!(c.answer().tags, ["COPY 3"]);
    }
    assert_eq!(simple[0].run("SELECT count(*), sum(n) FROM t").row(), ["600", "1200"]);
}

/// A client that does not read what it has asked for has no thread meanwhile, and gets all of it when it does.
#[test]
fn clients_that_read_slowly_are_parked() {
    let before = threads();
    let served = Served::start(TWO);
    let texts = [
        "SELECT repeat('x', 100) FROM generate_series(1, 20000)",
        "COPY (SELECT repeat('x', 100) FROM generate_series(1, 20000)) TO STDOUT",
    ];
    let mut clients: Vec<Client> = (0..60).map(|_| served.connect()).collect();
    for (i, c) in clients.iter_mut().enumerate() {
        match i % 3 {
            2 => {
                let mut b = bytes::BytesMut::new();
                wire::frontend::encode::parse(&mut b, "", texts[0], &[]);
                wire::frontend::encode::bind(&mut b, "", "", &[], &[], &[]);
                wire::frontend::encode::execute(&mut b, "", 15_000);
                wire::frontend::encode::sync(&mut b);
                c.send(&b);
            }
            k => c.ask(texts[k]),
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    assert!(few_threads(before + 6), "{} threads", threads() - before);
    for (i, c) in clients.iter_mut().enumerate() {
        let answer = c.answer();
        match i % 3 {
            0 => assert_eq!((answer.rows.len(), &*answer.tags), (20_000, &["SELECT 20000".to_owned()][..])),
            1 => assert_eq!(answer.tags, ["COPY 20000"]),
            _ => assert_eq!((answer.rows.len(), answer.suspended), (15_000, true)),
        }
    }
    // A text that came before takes another way.
    clients.iter_mut().for_each(|c| c.ask(texts[0]));
    std::thread::sleep(Duration::from_millis(300));
    assert!(few_threads(before + 6), "{} threads", threads() - before);
    clients.iter_mut().for_each(|c| assert_eq!(c.answer().tags, ["SELECT 20000"]));
    // So do prepared statements that are run to their end, in either way, and cursors.
    for c in &mut clients {
        c.run(&format!("PREPARE p AS {}; BEGIN; DECLARE f NO SCROLL CURSOR FOR {}", texts[0], texts[0]));
        c.run(&format!("DECLARE s SCROLL CURSOR FOR {}; MOVE ALL IN s", texts[0]));
    }
    for (i, c) in clients.iter_mut().enumerate() {
        let mut b = bytes::BytesMut::new();
        match i % 5 {
            0 => c.ask("EXECUTE p"),
            1 => c.ask("FETCH ALL FROM f"),
            2 => c.ask("FETCH BACKWARD 19999 FROM s"),
            k => {
                let portion = if k == 3 { 0 } else { 19_999 };
                wire::frontend::encode::bind(&mut b, "", "p", &[], &[], &[]);
                wire::frontend::encode::execute(&mut b, "", portion);
                wire::frontend::encode::sync(&mut b);
                c.send(&b);
            }
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    assert!(few_threads(before + 6), "{} threads", threads() - before);
    for (i, c) in clients.iter_mut().enumerate() {
        let answer = c.answer();
        assert!(answer.error.is_none(), "{:?}", answer.error);
        match i % 5 {
            0 | 3 => assert_eq!((answer.rows.len(), &*answer.tags), (20_000, &["SELECT 20000".to_owned()][..])),
            1 => assert_eq!((answer.rows.len(), &*answer.tags), (20_000, &["FETCH 20000".to_owned()][..])),
            2 => assert_eq!((answer.rows.len(), &*answer.tags), (19_999, &["FETCH 19999".to_owned()][..])),
            _ => assert_eq!((answer.rows.len(), answer.suspended), (19_999, true)),
        }
        // Where it stands now.
        let next = ["MOVE 0", "MOVE 0", "MOVE 1", "MOVE 0", "MOVE 0"][i % 5];
        let then =
            ["MOVE 1 FROM s", "MOVE 1 FROM f", "MOVE BACKWARD 1 FROM s", "MOVE 1 FROM s", "MOVE 1 FROM s"][i % 5];
        assert_eq!(c.run(then).tags, [next], "{then}");
    }
}

/// Who takes nothing can be ended all the same.
#[test]
fn clients_that_read_nothing_can_be_ended() {
    let served = Served::start(TWO);
    let mut boss = served.connect();
    let mut client = served.connect();
    client.ask("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)");
    std::thread::sleep(Duration::from_millis(200));
    boss.run(&format!("SELECT pg_terminate_backend({})", client.pid));
    assert!(boss.is_alone(100));
}

/// With a time to wait, `pg_terminate_backend` returns when the other is gone.
#[test]
fn the_end_of_another_session_is_waited_for() {
    let served = Served::start(TWO);
    let mut boss = served.connect();
    let there = |boss: &mut Client, pid| boss.run(&format!("SELECT FROM pg_stat_activity WHERE pid = {pid}")).tags;
    for _ in 0..20 {
        let (mut busy, idle) = (served.connect(), served.connect());
        busy.ask("SELECT pg_sleep(60)");
        for pid in [busy.pid, idle.pid] {
            assert_eq!(there(&mut boss, pid), ["SELECT 1"]);
            assert_eq!(boss.run(&format!("SELECT pg_terminate_backend({pid}, 20000)")).row(), ["t"]);
            assert_eq!(there(&mut boss, pid), ["SELECT 0"]);
        }
    }
    // Who waits for its own end finds it.
    boss.ask(&format!("SELECT pg_terminate_backend({}, 20000)", boss.pid));
    assert_eq!(boss.answer().state(), "57P01");
}

/// How many of this process's threads stand back.
fn threads_behind() -> usize {
    let niceness = |entry: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        // The name, in parentheses, may hold anything.
        stat.rsplit_once(") ")?.1.split(' ').nth(16)?.parse::<i32>().ok()
    };
    std::fs::read_dir("/proc/self/task").unwrap().filter_map(niceness).filter(|&n| n > 10).count()
}

/// A long statement stands back behind short ones; the threads of later ones do not.
#[test]
fn long_statements_stand_back() {
    let served = Served::start(TWO);
    let mut heavy: Vec<Client> = (0..2).map(|_| served.connect()).collect();
    heavy.iter_mut().for_each(|c| {
        c.ask("SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b");
    });
    let soon = |wanted: usize| {
        (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            threads_behind() == wanted
        })
    };
    assert!(soon(2), "both stand back");
    heavy.iter().for_each(|c| c.cancel(&served.path));
    heavy.iter_mut().for_each(|c| assert_eq!(c.answer().state(), "57014"));
    assert!(soon(0), "none is left");
    assert_eq!(heavy[0].run("SELECT 1").row(), ["1"]);
}
