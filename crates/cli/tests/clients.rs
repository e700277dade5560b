//! PostgreSQL's clients against `hathi serve`: psql of every version there is, the `postgres` crate, psycopg 3, asyncpg,
//! SQLAlchemy, Django, node-postgres, postgres.js, Drizzle and pgjdbc.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fallible_iterator::FallibleIterator;
use postgres::types::ToSql;
use postgres::{Client, NoTls};

pub mod served;

use served::{PASSWORD, Served};

/// Every psql there is: on the path, where Debian keeps versions, and in `HATHI_PSQL` (separated by colons).
pub fn psqls() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        found.extend(versions.flatten().map(|v| v.path().join("bin/psql")));
    }
    found.extend(std::env::split_paths(&std::env::var_os("HATHI_PSQL").unwrap_or_default()));
    found.retain(|p| p.exists());
    if found.is_empty() && Command::new("psql").arg("--version").output().is_ok() {
        found.push("psql".into());
    }
    found
}

const SCRIPT: &str = "\
CREATE TABLE t (a int PRIMARY KEY, b text);
COPY t FROM STDIN;
1\tone
2\t\\N
\\.
COPY t FROM STDIN;
3\tx
three\tx
4\tx
\\.
SELECT * FROM t ORDER BY a;
BEGIN;
INSERT INTO t VALUES (3, 'three') RETURNING a;
SELECT 1/0;
SELECT 1;
COMMIT;
\\copy t TO STDOUT (FORMAT csv)
SELECT 1; SELECT 2 AS \"zwei\";
SELECT $1::int + 1 AS bound \\bind 41 \\g
DROP TABLE t;
";

const PRINTED: &str = "\
CREATE TABLE
COPY 2
 a |  b  
---+-----
 1 | one
 2 | 
(2 rows)

BEGIN
 a 
---
 3
(1 row)

INSERT 0 1
ROLLBACK
1,one
2,
 ?column? 
----------
        1
(1 row)

 zwei 
------
    2
(1 row)

";

#[test]
fn psql_of_every_version_runs_a_script() {
    let served = Served::start();
    let psqls = psqls();
    if psqls.is_empty() {
        eprintln!("psql is missing: this test was not run");
    }
    for psql in psqls {
        let version = Command::new(&psql).arg("--version").output().unwrap();
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let binds = !version.contains(") 15.");
        let script =
            if binds { SCRIPT.to_owned() } else { SCRIPT.replace("SELECT $1::int + 1 AS bound \\bind 41 \\g\n", "") };
        let mut child = Command::new(&psql)
            .args([
                "-X",
                "-h",
                served.socket().to_str().unwrap(),
                "-p",
                &served.port.to_string(),
                "-U",
                "postgres",
                "postgres",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let bound = if binds { " bound \n-------\n    42\n(1 row)\n\n" } else { "" };
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{PRINTED}{bound}DROP TABLE\n"), "{version}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "ERROR:  invalid input syntax for type integer: \"three\"\nCONTEXT:  COPY t, line 2, column a: \"three\"\n\
             ERROR:  division by zero\n\
             ERROR:  current transaction is aborted, commands ignored until end of transaction block\n",
            "{version}"
        );
    }
}

/// A client that says nothing with a transaction open is told, and let go; without one it stays.
#[test]
fn silence_in_a_transaction_ends_the_connection() {
    let served = Served::start();
    for psql in psqls() {
        let ask = |block: &str| {
            let mut command = Command::new(&psql);
            command.args(["-X", "-h", served.socket().to_str().unwrap(), "-U", "postgres", "-p"]);
            command.arg(served.port.to_string()).args(["-c", "SET idle_in_transaction_session_timeout = '200ms'"]);
            let output = command.args(["-c", block, "-c", "\\! sleep 0.6", "-c", "SELECT 1", "postgres"]).output();
            String::from_utf8_lossy(&output.unwrap().stderr).into_owned()
        };
        assert_eq!(ask("SELECT 0"), "");
        let told = ask("BEGIN");
        assert!(told.starts_with("FATAL:  terminating connection due to idle-in-transaction timeout\n"), "{told}");
    }
}

/// A line of a table without its widths, and without the sizes in it.
fn squeezed(line: &str) -> String {
    let mut words: Vec<&str> = line.split([' ', '-', '+']).filter(|w| !w.is_empty()).collect();
    while let Some(at) = words.iter().position(|w| matches!(*w, "bytes" | "kB" | "MB")) {
        words.drain(at.saturating_sub(1)..=at);
    }
    words.join(" ")
}

/// What psql's meta-commands show is what they show of PostgreSQL 18.6 (`testdata/record_meta.sh`).
#[test]
fn psql_describes_a_schema_as_of_postgresql() {
    let served = Served::start();
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut versions = Vec::new();
    for psql in psqls() {
        let version = Command::new(&psql).arg("--version").output().unwrap();
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        let major = version.split(") ").nth(1).and_then(|v| v.split('.').next()).unwrap_or_default().to_owned();
        let Ok(expected) = std::fs::read_to_string(recorded.join(format!("meta.{major}.out"))) else { continue };
        if versions.contains(&major) {
            continue;
        }
        versions.push(major.clone());
        let run = |database: &str, args: &[&str]| {
            let mut command = Command::new(&psql);
            command.args(["-X", "-h", served.socket().to_str().unwrap(), "-U", "postgres", "-p"]);
            let output = command.arg(served.port.to_string()).args(args).arg(database).current_dir(&recorded).output();
            let output = output.unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            (text(output.stdout), text(output.stderr))
        };
        run("postgres", &["-q", "-c", "DROP DATABASE IF EXISTS meta", "-c", "CREATE DATABASE meta"]);
        assert_eq!(run("meta", &["-q", "-f", "meta_schema.sql"]).1, "", "psql {major}");
        let (out, err) = run("meta", &["-f", "meta.sql"]);
        let mut lines = expected.lines().zip(out.lines()).enumerate();
        if let Some((number, (theirs, ours))) = lines.find(|(_, (theirs, ours))| theirs != ours) {
            panic!("psql {major}, line {}:\n{theirs}\n{ours}", number + 1);
        }
        assert_eq!(expected.lines().count(), out.lines().count(), "psql {major}");
        let expected = std::fs::read_to_string(recorded.join(format!("meta.{major}.err"))).unwrap();
        assert_eq!(err, expected, "psql {major}");
        let expected = std::fs::read_to_string(recorded.join(format!("meta_sizes.{major}.out"))).unwrap();
        let (out, _) = run("meta", &["-f", "meta_sizes.sql"]);
        // Both streams as one, as they are recorded.
        let script = "exec \"$0\" -X -a -h \"$1\" -p \"$2\" -U postgres -f grants.sql meta 2>&1";
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(&psql).arg(served.socket()).arg(served.port.to_string());
        let ours = String::from_utf8_lossy(&command.current_dir(&recorded).output().unwrap().stdout).into_owned();
        let theirs = std::fs::read_to_string(recorded.join(format!("grants.{major}.out"))).unwrap();
        for (number, (theirs, ours)) in theirs.lines().zip(ours.lines()).enumerate() {
            assert_eq!(theirs, ours, "psql {major}, grants, line {}", number + 1);
        }
        assert_eq!(theirs.lines().count(), ours.lines().count(), "psql {major}");
        let squeeze = |text: &str| text.lines().map(squeezed).collect::<Vec<_>>();
        assert_eq!(squeeze(&expected), squeeze(&out), "psql {major}");
    }
    if versions.is_empty() {
        eprintln!("psql 15 and 18 are missing: this test was not run");
    }
}

#[test]
fn the_postgres_crate_works() {
    let mut served = Served::start();
    let mut client = served.client();
    client.batch_execute("CREATE TABLE t (a int PRIMARY KEY, b text, c bytea, d float8)").unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1, $2, $3, $4)").unwrap();
    for i in 0..100i32 {
        let row: [&(dyn ToSql + Sync); 4] = [&i, &format!("row {i}"), &vec![i as u8; 3], &(f64::from(i) / 2.0)];
        assert_eq!(client.execute(&insert, &row).unwrap(), 1);
    }
    let row = client.query_one("SELECT b, c, d FROM t WHERE a = $1", &[&7i32]).unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, &[u8]>(1), row.get::<_, f64>(2)), ("row 7", &[7u8, 7, 7][..], 3.5));
    let error = client.execute(&insert, &[&7i32, &"", &vec![0u8], &0.0f64]).unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!((error.code().code(), error.constraint(), error.table()), ("23505", Some("t_pkey"), Some("t")));
    // A portal in portions, with another statement in between.
    let mut transaction = client.transaction().unwrap();
    let portal = transaction.bind("SELECT a FROM t ORDER BY a", &[]).unwrap();
    assert_eq!(transaction.query_portal(&portal, 40).unwrap().len(), 40);
    transaction.execute("DELETE FROM t WHERE a >= 50", &[]).unwrap();
    assert_eq!(transaction.query_portal(&portal, 40).unwrap().len(), 40);
    let last = transaction.query_portal(&portal, 40).unwrap();
    assert_eq!((last.len(), last[19].get::<_, i32>(0)), (20, 99));
    transaction.rollback().unwrap();
    // COPY.
    let mut writer = client.copy_in("COPY t (a, b) FROM STDIN").unwrap();
    for i in 100..3000 {
        writeln!(writer, "{i}\tcopied").unwrap();
    }
    assert_eq!(writer.finish().unwrap(), 2900);
    let mut text = String::new();
    client
        .copy_out("COPY (SELECT a FROM t WHERE a > 2997 ORDER BY a) TO STDOUT")
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "2998\n2999\n");
    let mut writer = client.copy_in("COPY t (a, b) FROM STDIN").unwrap();
    writer.write_all(b"x\ty\n").unwrap();
    let error = writer.finish().unwrap_err();
    assert_eq!(error.as_db_error().unwrap().where_(), Some("COPY t, line 1, column a: \"x\""));
    // Dropped unfinished, it fails on the server.
    drop(client.copy_in("COPY t (a, b) FROM STDIN").unwrap());
    let rows = client.query_raw("SELECT a FROM t", std::iter::empty::<i32>()).unwrap();
    assert_eq!(rows.count().unwrap(), 3000);
    // A statement is cancelled from elsewhere.
    let cancel = client.cancel_token();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        cancel.cancel_query(NoTls).unwrap();
    });
    let endless = "SELECT count(*) FROM t x, t y, t z WHERE x.a + y.a + z.a < 0";
    assert_eq!(client.query(endless, &[]).unwrap_err().code().unwrap().code(), "57014");
    thread.join().unwrap();
    // Told to stop, the server ends what is running, and leaves a directory without damage.
    let waiting = std::thread::spawn(move || client.query(endless, &[]).map(|_| ()));
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(served.stop().success());
    let error = waiting.join().unwrap().unwrap_err();
    assert!(error.is_closed() || error.code().is_some_and(|c| c.code() == "57P01"), "{error}");
    assert!(!served.socket().join(format!(".s.PGSQL.{}", served.port)).exists());
    let check = Command::new(env!("CARGO_BIN_EXE_hathi")).arg("check").arg(served.socket()).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
}

/// Runs a script of a client; what is not there is said, not failed.
#[track_caller]
pub fn drive(served: &Served, mut command: Command, more: &[&str]) {
    let program = command.get_program().to_string_lossy().into_owned();
    let Ok(run) = command.args(["127.0.0.1", &served.port.to_string(), PASSWORD]).args(more).output() else {
        eprintln!("{program} is missing: this test was not run");
        return;
    };
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    match run.status.code() {
        Some(0) => {}
        Some(77) => eprintln!("{said}: this test was not run"),
        _ => panic!("{said}"),
    }
}

pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// The interpreter that has the clients; `.ci/run` makes one.
pub fn python() -> Command {
    Command::new(std::env::var("HATHI_PYTHON").unwrap_or_else(|_| "python3".to_owned()))
}

#[test]
fn psycopg_and_asyncpg_work() {
    let mut command = python();
    command.arg(script("clients.py"));
    drive(&Served::start(), command, &[]);
}

#[test]
fn sqlalchemy_works() {
    let mut command = python();
    command.arg(script("orm.py"));
    drive(&Served::start(), command, &["sqlalchemy"]);
}

#[test]
fn django_works() {
    let mut command = python();
    command.arg(script("orm.py"));
    drive(&Served::start(), command, &["django"]);
}

/// With the packages in `HATHI_NODE_MODULES`.
#[test]
fn node_postgres_and_postgres_js_and_drizzle_work() {
    let mut command = Command::new("node");
    command.arg(script("node.mjs"));
    drive(&Served::start(), command, &[]);
}

/// A program with the driver of `HATHI_PGJDBC`, or Debian's.
fn java(program: &str) -> Option<Command> {
    let debian = "/usr/share/java/postgresql.jar";
    let jar = std::env::var("HATHI_PGJDBC").unwrap_or_else(|_| debian.to_owned());
    if !Path::new(&jar).exists() {
        eprintln!("{jar} is missing (apt install libpostgresql-jdbc-java): this test was not run");
        return None;
    }
    let mut command = Command::new("java");
    command.args(["-cp", &jar]).arg(script(program));
    Some(command)
}

#[test]
fn pgjdbc_works() {
    if let Some(command) = java("Clients.java") {
        drive(&Served::start(), command, &[]);
    }
}

/// pgjdbc describes a schema with the words that it has for the same schema in PostgreSQL 18.6.
#[test]
fn pgjdbc_describes_a_schema_as_of_postgresql() {
    let Some(mut command) = java("Metadata.java") else { return };
    let served = Served::start();
    let Ok(run) = command.args(["127.0.0.1", &served.port.to_string(), PASSWORD]).output() else {
        eprintln!("java is missing: this test was not run");
        return;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let ours = String::from_utf8_lossy(&run.stdout).into_owned();
    let theirs = include_str!("clients/metadata.out");
    for (number, (theirs, ours)) in theirs.lines().zip(ours.lines()).enumerate() {
        assert_eq!(theirs, ours, "line {}", number + 1);
    }
    assert_eq!(theirs.lines().count(), ours.lines().count());
}

#[test]
fn the_wrong_password_and_the_unknown_user_stay_out() {
    let served = Served::start();
    for (user, password) in [("postgres", "wrong"), ("nobody", PASSWORD)] {
        let config = format!("host=127.0.0.1 port={} user={user} password='{password}' dbname=postgres", served.port);
        let error = Client::connect(&config, NoTls).err().expect("is not let in");
        let error = error.as_db_error().expect("the server says why");
        assert_eq!(error.message(), format!("password authentication failed for user \"{user}\""));
        assert_eq!(error.code().code(), "28P01");
    }
}
