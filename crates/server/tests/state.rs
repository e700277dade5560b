//! All state of a session survives its being parked: 200 sessions on two carriers, for each kind of state.

use types::Oid;
use wire::frontend::encode;

use crate::client::{Client, Served, TWO};

const SESSIONS: usize = 200;

/// Has each of many sessions do `first`, and when all have, each do `then`.
fn each(served: &Served, first: impl Fn(usize, &mut Client), then: impl Fn(usize, &mut Client)) {
    let mut clients: Vec<Client> = (0..SESSIONS).map(|_| served.connect()).collect();
    for (i, client) in clients.iter_mut().enumerate() {
        first(i, client);
    }
    // In another order, so that no carrier sees the same ones again.
    for (i, client) in clients.iter_mut().enumerate().rev() {
        then(i, client);
    }
}

#[test]
fn settings_survive() {
    let served = Served::start(TWO);
    each(
        &served,
        |i, c| {
            c.run(&format!("SET application_name = 'app{i}'; SET work_mem = '{}kB'; SET my.own = 'x{i}'", 64 + i));
        },
        |i, c| {
            let answer = c.run(
                "SELECT current_setting('application_name'), current_setting('work_mem'), current_setting('my.own')",
            );
            let memory = if i == 960 { "1MB".to_owned() } else { format!("{}kB", 64 + i) };
            assert_eq!(answer.row(), [format!("app{i}"), memory, format!("x{i}")]);
        },
    );
}

#[test]
fn prepared_statements_survive() {
    let served = Served::start(TWO);
    each(
        &served,
        |i, c| {
            c.run(&format!("PREPARE own(int) AS SELECT $1 + {i}"));
            let sql = format!("SELECT $1 * {i}");
            let answer = c.extended(|b| encode::parse(b, "theirs", &sql, &[Oid(23)]));
            assert!(answer.error.is_none());
        },
        |i, c| {
            assert_eq!(c.run("EXECUTE own(1000)").row(), [(1000 + i).to_string()]);
            let answer = c.extended(|b| {
                encode::bind(b, "", "theirs", &[], &[Some(b"7")], &[]);
                encode::execute(b, "", 0);
            });
            assert_eq!(answer.row(), [(7 * i).to_string()]);
        },
    );
}

#[test]
fn portals_survive() {
    let served = Served::start(TWO);
    each(
        &served,
        |i, c| {
            c.run("BEGIN");
            let sql = format!("SELECT n + {i} FROM generate_series(1, 100) AS g(n)");
            let answer = c.extended(|b| {
                encode::parse(b, "", &sql, &[]);
                encode::bind(b, "p", "", &[], &[], &[]);
                encode::execute(b, "p", 10);
            });
            assert!(answer.suspended);
            assert_eq!(answer.rows.len(), 10);
        },
        |i, c| {
            let answer = c.extended(|b| encode::execute(b, "p", 0));
            assert_eq!(answer.rows.len(), 90);
            assert_eq!(answer.row(), [(11 + i).to_string()]);
            c.run("COMMIT");
        },
    );
}

#[test]
fn cursors_with_hold_survive() {
    let served = Served::start(TWO);
    each(
        &served,
        |i, c| {
            c.run(&format!("DECLARE held CURSOR WITH HOLD FOR SELECT n * {i} FROM generate_series(1, 5) AS g(n)"));
            assert_eq!(c.run("FETCH 2 FROM held").rows.len(), 2);
        },
        |i, c| {
            let answer = c.run("FETCH ALL FROM held");
            assert_eq!((answer.rows.len(), answer.row()), (3, vec![&*(3 * i).to_string()]));
        },
    );
}

#[test]
fn temporary_tables_survive() {
    let served = Served::start(TWO);
    each(
        &served,
        |i, c| {
            c.run(&format!("CREATE TEMP TABLE mine AS SELECT {i} AS n"));
        },
        |i, c| {
            assert_eq!(c.run("SELECT n FROM mine").row(), [i.to_string()]);
            c.run("INSERT INTO mine VALUES (1)");
        },
    );
    // Whose sessions ended are gone.
    let mut after = served.connect();
    assert_eq!(after.query("SELECT * FROM mine").state(), "42P01");
}

#[test]
fn advisory_locks_survive() {
    let served = Served::start(TWO);
    let mut other = served.connect();
    each(
        &served,
        |i, c| {
            assert_eq!(c.run(&format!("SELECT pg_try_advisory_lock({i})")).row(), ["t"]);
        },
        |i, c| {
            // Each has its own, and only that.
            assert_eq!(c.run(&format!("SELECT pg_try_advisory_lock({})", (i + 1) % SESSIONS)).row(), ["f"]);
            assert_eq!(c.run(&format!("SELECT pg_advisory_unlock({i})")).row(), ["t"]);
            assert_eq!(c.run(&format!("SELECT pg_try_advisory_lock({i})")).row(), ["t"]);
        },
    );
    // They end with their sessions; the last may take a moment.
    let free = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        other.run(&format!("SELECT pg_try_advisory_lock({})", SESSIONS - 1)).row() == ["t"]
    });
    assert!(free);
}

#[test]
fn listening_survives() {
    let served = Served::start(TWO);
    let mut clients: Vec<Client> = (0..SESSIONS).map(|_| served.connect()).collect();
    for (i, c) in clients.iter_mut().enumerate() {
        c.run(&format!("LISTEN c{}; LISTEN everybody", i % 10));
    }
    let mut sender = served.connect();
    sender.run("NOTIFY c3, 'three'; NOTIFY everybody, 'all'");
    for (i, c) in clients.iter_mut().enumerate() {
        // They come by themselves, while the session is parked.
        if i % 10 == 3 {
            assert_eq!(c.notification(), (sender.pid, "c3".to_owned(), "three".to_owned()));
        }
        assert_eq!(c.notification(), (sender.pid, "everybody".to_owned(), "all".to_owned()));
    }
}

#[test]
fn transactions_and_roles_survive() {
    let served = Served::start(TWO);
    served.run("CREATE TABLE t(n int); CREATE ROLE reader; GRANT SELECT ON t TO reader");
    each(
        &served,
        |i, c| {
            c.run(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO t VALUES ({i}); SAVEPOINT s"));
            c.run("SET LOCAL ROLE reader");
            assert_eq!(c.query("INSERT INTO t VALUES (-1)").state(), "42501");
            c.run("ROLLBACK TO s");
        },
        |i, c| {
            // Its own row, and nobody else's.
            assert_eq!(c.run("SELECT count(*), max(n) FROM t").row(), ["1", &*i.to_string()]);
            c.run("SET LOCAL ROLE reader");
            assert_eq!(c.run("SELECT current_user").row(), ["reader"]);
            c.run("ROLLBACK");
            assert_eq!(c.run("SELECT current_user").row(), ["postgres"]);
        },
    );
}
