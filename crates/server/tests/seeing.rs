//! What views say of sessions that run, wait and are parked.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use wire::frontend::encode;
use wire::{ProtocolVersion, StartupMessage, StartupParameters};

use crate::client::{Client, Served, TWO};
use server::SessionMode;

/// Asks `sql` over and over until it answers `wanted`.
fn until(client: &mut Client, sql: &str, wanted: &[&str]) {
    let start = Instant::now();
    loop {
        let answer = client.run(sql);
        let found: Vec<Vec<&str>> =
            answer.rows.iter().map(|r| r.iter().map(|v| v.as_deref().unwrap_or("NULL")).collect()).collect();
        if found.len() == 1 && found[0] == wanted {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{sql}: {found:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn activity(columns: &str, pid: i32) -> String {
    format!("SELECT {columns} FROM pg_stat_activity WHERE pid = {pid}")
}

#[test]
fn activity_shows_what_others_do() {
    for mode in [TWO, SessionMode::Thread] {
        let served = Served::start(mode);
        let (mut eye, mut other) = (served.connect(), served.connect());
        eye.run("CREATE TABLE t(n int); INSERT INTO t VALUES (0)");
        let state = activity("state, query, wait_event_type, wait_event, xact_start IS NULL", other.pid);
        until(&mut eye, &state, &["idle", "", "Client", "ClientRead", "t"]);
        other.run("SELECT 41 + 1");
        until(&mut eye, &state, &["idle", "SELECT 41 + 1", "Client", "ClientRead", "t"]);
        other.run("BEGIN");
        until(&mut eye, &state, &["idle in transaction", "BEGIN", "Client", "ClientRead", "f"]);
        assert!(other.query("SELECT 1 / 0").error.is_some());
        let aborted = ["idle in transaction (aborted)", "SELECT 1 / 0", "Client", "ClientRead", "t"];
        until(&mut eye, &state, &aborted);
        other.run("ROLLBACK");
        other.ask("SELECT pg_sleep(30)");
        until(&mut eye, &state, &["active", "SELECT pg_sleep(30)", "Timeout", "PgSleep", "f"]);
        other.cancel(&served.path);
        assert_eq!(other.answer().state(), "57014");
        // Who waits for a lock, and for what.
        eye.run("BEGIN; UPDATE t SET n = 1");
        other.ask("UPDATE t SET n = 2");
        let update = ["active", "UPDATE t SET n = 2", "Lock", "transactionid", "f"];
        until(&mut eye, &state, &update);
        eye.run("COMMIT");
        other.answer();
        // Who asks sees himself.
        let own = "SELECT state, query, wait_event, backend_type, client_port, backend_xmin IS NULL FROM pg_stat_activity \
                   WHERE pid = pg_backend_pid()";
        assert_eq!(eye.run(own).row(), ["active", own, "NULL", "client backend", "-1", "f"]);
    }
}

#[test]
fn prepared_statements_show_their_text() {
    let served = Served::start(TWO);
    let (mut eye, mut other) = (served.connect(), served.connect());
    let answer = other.extended(|m| {
        encode::parse(m, "s", "SELECT $1::int * 2", &[]);
    });
    assert!(answer.error.is_none());
    other.run("SELECT 'between'");
    for _ in 0..2 {
        let answer = other.extended(|m| {
            encode::bind(m, "", "s", &[], &[Some(b"21")], &[]);
            encode::execute(m, "", 0);
        });
        assert_eq!(answer.row(), ["42"]);
        until(&mut eye, &activity("state, query", other.pid), &["idle", "SELECT $1::int * 2"]);
    }
    let held = format!("SELECT place, prepared_statements, portals FROM hathi_sessions WHERE pid = {}", other.pid);
    until(&mut eye, &held, &["parked", "1", "0"]);
    let bytes = format!("SELECT bytes BETWEEN 1000 AND 16384 FROM hathi_sessions WHERE pid = {}", other.pid);
    until(&mut eye, &bytes, &["t"]);
}

#[test]
fn a_copy_that_waits_for_its_client_is_active_and_parked() {
    let served = Served::start(TWO);
    let (mut eye, mut other) = (served.connect(), served.connect());
    eye.run("CREATE TABLE t(n int)");
    other.ask("COPY t FROM STDIN");
    until(&mut eye, &activity("state, wait_event", other.pid), &["active", "ClientRead"]);
    until(&mut eye, &format!("SELECT place FROM hathi_sessions WHERE pid = {}", other.pid), &["parked"]);
}

#[test]
fn what_others_do_is_hidden_from_those_who_may_not_see_it() {
    let served = Served::start(TWO);
    served.run(
        "CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE carol LOGIN; GRANT pg_read_all_stats TO carol",
    );
    let mut alice = Client::connect(&served.path, "alice");
    alice.run("SET application_name = 'app'; SELECT 'secret'");
    let columns = "state, query, query_start IS NULL, application_name, backend_type";
    let hidden = ["NULL", "<insufficient privilege>", "t", "app", "NULL"];
    let shown = ["idle", "SET application_name = 'app'; SELECT 'secret'", "f", "app", "client backend"];
    until(&mut Client::connect(&served.path, "bob"), &activity(columns, alice.pid), &hidden);
    until(&mut Client::connect(&served.path, "carol"), &activity(columns, alice.pid), &shown);
    until(&mut served.connect(), &activity(columns, alice.pid), &shown);
    let alone = Client::connect(&served.path, "alice").run("SELECT count(*) FROM hathi_sessions").rows;
    assert_eq!(alone, [[Some("2".to_owned())]]);
}

#[test]
fn texts_are_cut_and_can_be_left_out() {
    let served = Served::start(TWO);
    let (mut eye, mut other) = (served.connect(), served.connect());
    other.run("SET track_activity_query_size = 100");
    assert_eq!(other.run("SHOW track_activity_query_size").row(), ["100B"]);
    other.run(&format!("SELECT '{}'", "é".repeat(100)));
    let cut = format!("SELECT '{}", "é".repeat(46));
    until(&mut eye, &activity("query", other.pid), &[&cut]);
    other.run("SET track_activities = off");
    other.run("SELECT 'unseen'");
    until(&mut eye, &activity("state, query, query_start", other.pid), &["disabled", "", "NULL"]);
    assert_eq!(other.query("SET track_activity_query_size = 10").state(), "22023");
}

#[test]
fn clients_on_the_network_have_addresses() {
    let served = Served::start(TWO);
    let bound = served.server.listen_tcp("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(&bound[..]).unwrap();
    let mut buffer = bytes::BytesMut::new();
    let parameters = StartupParameters::new([("user", "postgres"), ("application_name", "far")]);
    StartupMessage::Startup { version: ProtocolVersion { major: 3, minor: 0 }, parameters }.encode(&mut buffer);
    std::io::Write::write_all(&mut stream, &buffer).unwrap();
    let port = stream.local_addr().unwrap().port().to_string();
    let sql = "SELECT client_addr, client_port FROM pg_stat_activity WHERE application_name = 'far'";
    until(&mut served.connect(), sql, &["127.0.0.1", &port]);
}

#[test]
fn threads_of_the_cluster_are_seen() {
    let served = Served::start(TWO);
    let sql = "SELECT backend_type, datid, state FROM pg_stat_activity WHERE backend_type = 'checkpointer'";
    until(&mut served.connect(), sql, &["checkpointer", "NULL", "NULL"]);
}

#[test]
fn carriers_and_waits_are_seen() {
    let served = Served::start(TWO);
    let (mut eye, mut other) = (served.connect(), served.connect());
    other.ask("SELECT pg_sleep(30)");
    until(&mut eye, "SELECT has_slot, wait_event FROM hathi_carriers WHERE wait_event IS NOT NULL", &["f", "PgSleep"]);
    let sql = "SELECT times, waiting, total_time BETWEEN 0 AND 60000 FROM hathi_waits WHERE wait_event = 'PgSleep'";
    until(&mut eye, sql, &["1", "1", "t"]);
    let place = "SELECT s.place, c.wait_event FROM hathi_sessions s JOIN hathi_carriers c USING (carrier) \
                 WHERE s.pid <> pg_backend_pid()";
    until(&mut eye, place, &["carrier", "PgSleep"]);
    other.cancel(&served.path);
    other.answer();
    until(&mut eye, sql, &["1", "0", "t"]);
}

#[test]
fn databases_count_transactions() {
    let served = Served::start(TWO);
    let counts =
        "SELECT xact_commit, xact_rollback, deadlocks, sessions FROM pg_stat_database WHERE datname = 'postgres'";
    let (mut eye, mut other) = (served.connect(), served.connect());
    let numbers = |eye: &mut Client| -> Vec<i64> { eye.run(counts).row().iter().map(|n| n.parse().unwrap()).collect() };
    let before = numbers(&mut eye);
    (0..10).for_each(|_| drop(other.run("SELECT 1")));
    other.run("BEGIN; SELECT 1; ROLLBACK");
    assert!(other.query("SELECT 1 / 0").error.is_some());
    drop(other);

    let after = numbers(&mut eye);
    // Ten of the other's, and the first look.
    assert_eq!(after[0] - before[0], 11);
    assert_eq!((after[1] - before[1], after[2] - before[2], after[3]), (2, 0, before[3]));
    eye.run("CREATE TABLE t(k int PRIMARY KEY); INSERT INTO t VALUES (1), (2)");
    let (mut a, mut b) = (served.connect(), served.connect());
    a.run("BEGIN; UPDATE t SET k = k WHERE k = 1");
    b.run("BEGIN; UPDATE t SET k = k WHERE k = 2");
    a.ask("UPDATE t SET k = k WHERE k = 2");
    let blocked = "SELECT locktype, mode, granted, waitstart IS NOT NULL FROM pg_locks WHERE NOT granted";
    until(&mut eye, blocked, &["transactionid", "ShareLock", "f", "t"]);
    assert_eq!(b.query("UPDATE t SET k = k WHERE k = 1").state(), "40P01");
    b.run("ROLLBACK");
    a.answer();
    a.run("COMMIT");
    assert_eq!(numbers(&mut eye)[2] - after[2], 1);
}

#[test]
fn tables_count_scans_and_rows() {
    let served = Served::start(TWO);
    let mut c = served.connect();
    c.run("CREATE TABLE t(k int PRIMARY KEY, v int)");
    c.run("INSERT INTO t SELECT i, i FROM generate_series(1, 3000) i");
    c.run("ANALYZE t");
    let counts =
        "SELECT seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_live_tup FROM pg_stat_user_tables";
    let numbers = |c: &mut Client| -> Vec<i64> { c.run(counts).row().iter().map(|n| n.parse().unwrap()).collect() };
    let before = numbers(&mut c);
    c.run("SELECT count(v) FROM t WHERE v > 10");
    (0..5).for_each(|i| drop(c.run(&format!("SELECT v FROM t WHERE k = {}", 10 + i))));
    c.run("SELECT v FROM t WHERE k = 0");
    c.run("SELECT v FROM t WHERE k BETWEEN 100 AND 109");
    let after = numbers(&mut c);
    let grown: Vec<i64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
    assert_eq!(grown, [1, 3000, 7, 15, 0, 0]);
    let index = "SELECT idx_scan, idx_tup_fetch FROM pg_stat_user_indexes";
    assert_eq!(c.run(index).row(), ["7", "15"]);
    let database = "SELECT tup_inserted >= 3000, tup_fetched >= 15, tup_returned >= 3015 FROM pg_stat_database WHERE datname = 'postgres'";
    assert_eq!(c.run(database).row(), ["t", "t", "t"]);
    // What a table that is gone has counted stays.
    c.run("DROP TABLE t");
    until(&mut c, database, &["t", "t", "t"]);
}

/// What is counted of the statements whose text begins so: text, calls, rows.
fn counted(client: &mut Client, start: &str) -> Vec<[String; 3]> {
    let sql = format!(
        "SELECT query, calls, rows FROM pg_stat_statements WHERE query LIKE '{start}%' AND query NOT LIKE '%pg_stat%' \
         ORDER BY query"
    );
    let rows = client.run(&sql).rows;
    rows.into_iter().map(|row| std::array::from_fn(|i| row[i].clone().unwrap_or_default())).collect()
}

#[test]
fn statements_are_counted_without_their_literals() {
    let served = Served::start(TWO);
    let mut c = served.connect();
    c.run("CREATE TABLE t(k int PRIMARY KEY, v int); INSERT INTO t SELECT i, i FROM generate_series(1, 100) i");
    c.run("SELECT pg_stat_statements_reset()");
    // Known by all ways: parsed, by template, the short way; and prepared.
    for i in 0..40 {
        c.run(&format!("SELECT v FROM t WHERE k = {i}"));
    }
    c.run("SELECT v FROM t WHERE k IN (1, 2, 3)");
    c.run("SELECT v FROM t WHERE k IN (4, 5)");
    assert!(c.query("SELECT v / 0 FROM t").error.is_some());
    let wanted = [
        ["SELECT v FROM t WHERE k = $1".to_owned(), "40".to_owned(), "39".to_owned()],
        ["SELECT v FROM t WHERE k IN ($1 /*, ... */)".to_owned(), "2".to_owned(), "5".to_owned()],
    ];
    assert_eq!(counted(&mut c, "SELECT v"), wanted);
    let mut other = served.connect();
    for i in 0..5u8 {
        let answer = other.extended(|m| {
            if i == 0 {
                encode::parse(m, "s", "UPDATE t SET v = v + $1 WHERE k < 11", &[]);
            }
            encode::bind(m, "", "s", &[], &[Some(b"21")], &[]);
            encode::execute(m, "", 0);
        });
        assert_eq!(answer.tags, ["UPDATE 10"]);
    }
    let update = "UPDATE t SET v = v + $1 WHERE k < $2".to_owned();
    assert_eq!(counted(&mut c, "UPDATE"), [[update, "5".to_owned(), "50".to_owned()]]);
    // Times add up.
    let times = "SELECT calls, total_exec_time > 0, min_exec_time <= mean_exec_time, mean_exec_time <= max_exec_time, \
                 abs(total_exec_time - calls * mean_exec_time) < 0.001, stddev_exec_time >= 0, plans, wal_bytes, toplevel \
                 FROM pg_stat_statements WHERE query LIKE 'UPDATE%'";
    assert_eq!(c.run(times).row(), ["5", "t", "t", "t", "t", "t", "0", "0", "t"]);
    // The activity names the statement.
    let same = format!(
        "SELECT s.query FROM pg_stat_activity a JOIN pg_stat_statements s ON s.queryid = a.query_id WHERE a.pid = {}",
        other.pid
    );
    assert_eq!(c.run(&same).row(), ["UPDATE t SET v = v + $1 WHERE k < $2"]);
    // One of them is forgotten, and counted anew by who has it prepared.
    c.run("SELECT pg_stat_statements_reset(0, 0, queryid) FROM pg_stat_statements WHERE query LIKE 'UPDATE%'");
    assert!(counted(&mut c, "UPDATE").is_empty() && counted(&mut c, "SELECT v").len() == 2);
    other.extended(|m| {
        encode::bind(m, "", "s", &[], &[Some(b"1")], &[]);
        encode::execute(m, "", 0);
    });
    assert_eq!(counted(&mut c, "UPDATE")[0][1], "1");
    c.run("SET pg_stat_statements.track = none; SELECT pg_stat_statements_reset()");
    c.run("SELECT 'not counted'");
    c.run("SELECT 'not counted'");
    assert!(counted(&mut c, "SELECT").is_empty());
    assert_eq!(c.query("SET pg_stat_statements.track = 'some'").state(), "22023");
}

#[test]
fn texts_of_others_statements_are_hidden() {
    let served = Served::start(TWO);
    served.run("CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN");
    Client::connect(&served.path, "alice").run("SELECT 'secret' AS alices");
    let mut bob = Client::connect(&served.path, "bob");
    let sql = "SELECT query, queryid IS NULL FROM pg_stat_statements WHERE userid = (SELECT oid FROM pg_roles WHERE rolname = 'alice')";
    assert_eq!(bob.run(sql).row(), ["<insufficient privilege>", "t"]);
    assert_eq!(served.connect().run(sql).row(), ["SELECT $1 AS alices", "f"]);
    assert_eq!(bob.query("SELECT pg_stat_statements_reset()").state(), "42501");
}

fn get(address: std::net::SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    std::io::Write::write_all(&mut stream, format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut stream, &mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn figures_are_what_prometheus_reads() {
    let served = Served::start(TWO);
    let address = served.server.serve_metrics("127.0.0.1:0").unwrap();
    let mut c = served.connect();
    c.run("CREATE TABLE t(n int); INSERT INTO t VALUES (1), (2)");
    c.run("BEGIN; SELECT 1");
    let _idle = served.connect();
    // Who is answered is parked a moment later.
    let (head, body) = (0..100)
        .map(|_| get(address, "/metrics"))
        .find(|(_, body)| {
            std::thread::sleep(Duration::from_millis(5));
            body.contains("hathi_sessions_parked 2")
        })
        .unwrap_or_else(|| get(address, "/metrics"));
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/plain; version=0.0.4"), "{head}");
    let scrape = prometheus_parse::Scrape::parse(body.lines().map(|l| Ok(l.to_owned()))).unwrap();
    let value = |name: &str, label: (&str, &str)| -> f64 {
        let found = scrape
            .samples
            .iter()
            .find(|s| s.metric == name && (label.0.is_empty() || s.labels.get(label.0) == Some(label.1)));
        match found.unwrap_or_else(|| panic!("{name} {label:?}: {body}")).value {
            prometheus_parse::Value::Counter(v) | prometheus_parse::Value::Gauge(v) => v,
            ref other => panic!("{name}: {other:?}"),
        }
    };
    assert_eq!(value("hathi_sessions", ("state", "idle in transaction")), 1.0);
    assert_eq!(value("hathi_sessions", ("state", "idle")), 1.0);
    assert_eq!(value("hathi_sessions_parked", ("", "")), 2.0);
    assert!(value("hathi_rows_written_total", ("kind", "inserted")) >= 2.0);
    assert!(value("hathi_commits_total", ("database", "postgres")) >= 1.0);
    assert!(value("hathi_statements_total", ("", "")) >= 4.0);
    assert_eq!(value("hathi_waiting", ("event", "PgSleep")), 0.0);
    assert!(value("hathi_session_bytes", ("", "")) > 1000.0 && value("hathi_memory_bytes", ("what", "pages")) > 0.0);
    // Every figure is explained, and none twice.
    let mut types: Vec<&str> = body.lines().filter_map(|l| l.strip_prefix("# TYPE ")).collect();
    let all = types.len();
    types.sort_unstable();
    types.dedup();
    assert_eq!((types.len(), scrape.docs.len()), (all, all));
    assert!(get(address, "/other").0.starts_with("HTTP/1.1 404"));
    // It ends with the server.
    assert!(served.server.stop(Duration::from_secs(20)));
    let start = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Where events are written.
#[derive(Clone, Default)]
struct Written(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Written {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(data);
        Ok(data.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_happens_is_told() {
    let written = Written::default();
    let sink = written.clone();
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || sink.clone())
        .init();
    let served = Served::start(TWO);
    let mut c = served.connect();
    let pid = c.pid;
    assert!(c.query("SELECT 1 / 0").error.is_some());
    c.run("SET log_min_messages = panic");
    assert_eq!(c.query("SELECT untold").state(), "42703");
    c.run("SET log_min_duration_statement = '200ms'");
    c.run("SELECT pg_sleep(0.25), 'slow'");
    c.run("SELECT 'quick'");
    // However long a busy disk makes it take.
    c.run("RESET log_min_duration_statement");
    c.run("CHECKPOINT");
    drop(c);
    let mut buffer = bytes::BytesMut::new();
    let mut stream = std::os::unix::net::UnixStream::connect(&served.path).unwrap();
    let parameters = StartupParameters::new([("user", "nobody")]);
    StartupMessage::Startup { version: ProtocolVersion { major: 3, minor: 0 }, parameters }.encode(&mut buffer);
    std::io::Write::write_all(&mut stream, &buffer).unwrap();
    let _ = std::io::Read::read(&mut stream, &mut [0; 100]).unwrap();
    let lines = || -> Vec<serde_json::Value> {
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let about =
        |message: &str| -> Vec<serde_json::Value> { lines().into_iter().filter(|l| l["message"] == message).collect() };
    let start = Instant::now();
    while about("disconnection").is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", lines());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(about("connection authorized")[0]["pid"], pid);
    let failures: Vec<serde_json::Value> = lines().into_iter().filter(|l| l["sqlstate"] == "22012").collect();
    assert_eq!((failures.len(), &failures[0]["level"]), (1, &serde_json::json!("ERROR")));
    assert!(lines().iter().all(|l| l["sqlstate"] != "42703"), "{:?}", lines());
    let slow = about("slow statement");
    assert_eq!((slow.len(), &slow[0]["statement"]), (1, &serde_json::json!("SELECT pg_sleep(0.25), 'slow'")));
    assert!(slow[0]["milliseconds"].as_f64().unwrap() >= 250.0);
    assert!(!about("checkpoint complete").is_empty() && !about("slot lent").is_empty());
    assert!(lines().iter().any(|l| l["level"] == "WARN" && l["sqlstate"] == "28000"), "{:?}", lines());
}
