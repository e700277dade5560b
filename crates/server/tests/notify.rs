//! LISTEN and NOTIFY over sockets, as PostgreSQL's documentation has them.

use std::time::Duration;

use crate::client::{Served, TWO};

#[test]
fn only_what_is_committed_is_told_and_once() {
    let served = Served::start(TWO);
    let (mut a, mut b) = (served.connect(), served.connect());
    a.run("LISTEN c");
    b.run("BEGIN; NOTIFY c, 'lost'");
    b.run("ROLLBACK");
    b.run("BEGIN; NOTIFY c, 'one'; SAVEPOINT s; NOTIFY c, 'undone'; ROLLBACK TO s; NOTIFY c, 'one'; SELECT pg_notify('c', 'two')");
    b.run("COMMIT");
    let pid = b.pid;
    let told = |text: &str| (pid, "c".to_owned(), text.to_owned());
    assert_eq!([a.notification(), a.notification()], [told("one"), told("two")]);
    // In the middle of a transaction nothing is told; at its end all, before the client is asked for more.
    a.run("BEGIN");
    b.run("NOTIFY c, 'later'");
    std::thread::sleep(Duration::from_millis(50));
    assert!(a.run("SELECT 1").notifications.is_empty());
    assert_eq!(a.run("COMMIT").notifications, [told("later")]);
    a.run("UNLISTEN *");
    b.run("NOTIFY c, 'nobody'");
    assert!(a.run("SELECT 1").notifications.is_empty());
    assert_eq!(a.run("SELECT count(*) FROM pg_listening_channels()").row(), ["0"]);
}

#[test]
fn ones_own_notifications_come_with_the_answer() {
    let served = Served::start(TWO);
    let mut a = served.connect();
    let answer = a.run("LISTEN c; NOTIFY c, 'x'");
    assert_eq!(answer.notifications, [(a.pid, "c".to_owned(), "x".to_owned())]);
    assert_eq!(a.run("SELECT * FROM pg_listening_channels()").row(), ["c"]);
    assert_eq!(a.query("SELECT pg_notify('', 'x')").state(), "22023");
    assert_eq!(a.query("SELECT pg_notify('c', repeat('x', 8000))").error.unwrap().message(), "payload string too long");
    a.run("DISCARD ALL");
    assert!(a.run("NOTIFY c").notifications.is_empty());
}

/// N2: whoever sees two commits in one order is told of them in that order.
#[test]
fn notifications_come_in_the_order_of_commits() {
    let served = Served::start(TWO);
    served.run("CREATE TABLE t(n int); INSERT INTO t VALUES (0)");
    let mut listener = served.connect();
    listener.run("LISTEN c");
    const EACH: usize = 100;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let mut writer = served.connect();
            scope.spawn(move || {
                for _ in 0..EACH {
                    // The row's lock puts the transactions in order; what is told is the number that the row then has.
                    writer.run("BEGIN; UPDATE t SET n = n + 1; SELECT pg_notify('c', n::text) FROM t");
                    writer.run("COMMIT");
                }
            });
        }
    });
    for i in 1..=4 * EACH {
        assert_eq!(listener.notification().2, i.to_string());
    }
}

/// All runs of connections by carriers.
fn runs(session: &mut hathi::Session) -> i64 {
    session.query_one("SELECT sum(runs)::int8 FROM hathi_carriers", &[]).unwrap().get(0)
}

/// P8: who waits between transactions is told without being run, and who does not is told when they do.
#[test]
fn who_is_parked_is_told_without_a_run() {
    let served = Served::start(TWO);
    let mut own = served.database.session().unwrap();
    let (mut parked, mut busy) = (served.connect(), served.connect());
    parked.run("LISTEN c");
    busy.run("LISTEN c");
    busy.run("BEGIN");
    // Its carrier may still be on its way out.
    std::thread::sleep(Duration::from_millis(50));
    let before = runs(&mut own);
    const COUNT: usize = 100;
    for i in 0..COUNT {
        own.batch_execute(&format!("NOTIFY c, '{i}'")).unwrap();
        assert_eq!(parked.notification().2, i.to_string());
    }
    // `busy` was stirred at its first one.
    let after = runs(&mut own) - before;
    assert!(after <= 2, "{after} runs");
    let told = busy.run("COMMIT").notifications;
    assert_eq!(
        told.iter().map(|n| n.2.clone()).collect::<Vec<_>>(),
        (0..COUNT).map(|i| i.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(parked.run("SELECT 1").row(), ["1"]);
}

/// More listeners than are told at once, and more than a socket takes.
#[test]
fn who_reads_late_is_told_of_all() {
    let served = Served::start(TWO);
    let mut clients: Vec<_> = (0..40).map(|_| served.connect()).collect();
    clients.iter_mut().for_each(|client| drop(client.run("LISTEN c")));
    let mut own = served.database.session().unwrap();
    const COUNT: usize = 200;
    for i in 0..COUNT {
        own.batch_execute(&format!("NOTIFY c, '{}'", format!("{i} ").repeat(1000))).unwrap();
    }
    for client in &mut clients {
        for i in 0..COUNT {
            assert_eq!(client.notification().2.split(' ').next(), Some(&*i.to_string()));
        }
        assert_eq!(client.run("SELECT 1").row(), ["1"]);
    }
}
