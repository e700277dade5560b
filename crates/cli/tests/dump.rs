//! pg_dump, pg_restore and pg_dumpall of PostgreSQL 18 against `hathi serve`: what is dumped restores here and in PostgreSQL, and is dumped
//! alike from both.
//!
//! The programs are those of `HATHI_PG18_BIN` (a directory), or of Debian's PostgreSQL 18; PostgreSQL is `HATHI_ORACLE`. Without them the
//! test says so. Older versions of pg_dump refuse a server that says it is 18.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use postgres::{Client, NoTls};

use crate::clients::served::{PASSWORD, Served};
use crate::oracle::{self, OwnDatabase};

const SCRIPT: &str = include_str!("../testdata/dump.sql");

fn programs() -> Option<PathBuf> {
    let named = std::env::var_os("HATHI_PG18_BIN").map(PathBuf::from);
    let found =
        named.into_iter().chain([PathBuf::from("/usr/lib/postgresql/18/bin")]).find(|d| d.join("pg_dump").exists());
    if found.is_none() {
        eprintln!("no pg_dump of PostgreSQL 18 (HATHI_PG18_BIN): nothing was dumped");
    }
    found
}

/// Runs one of PostgreSQL's programs against our server; what it printed.
#[track_caller]
fn run(bin: &Path, served: &Served, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(bin.join(program))
        .args(["-h", "127.0.0.1", "-U", "postgres", "-p", &served.port.to_string()])
        .args(arguments)
        .env("PGPASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{program} {arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A dump without what differs from one run to the next, or from one server to the other.
fn plain(dump: &str) -> String {
    let told =
        |l: &&str| !l.starts_with("\\restrict") && !l.starts_with("\\unrestrict") && !l.starts_with("-- Dumped from");
    dump.lines().filter(told).flat_map(|l| [l, "\n"]).collect()
}

/// Runs a dump, in which data follow their COPY.
fn restore(client: &mut Client, dump: &str) {
    let (mut sql, mut lines) = (String::new(), dump.lines());
    while let Some(line) = lines.next() {
        if line.starts_with('\\') {
            continue;
        }
        if !(line.starts_with("COPY ") && line.ends_with("FROM stdin;")) {
            sql.push_str(line);
            sql.push('\n');
            continue;
        }
        client.batch_execute(&std::mem::take(&mut sql)).unwrap_or_else(|e| panic!("{e:?}"));
        let mut writer = client.copy_in(line).expect(line);
        for row in lines.by_ref().take_while(|l| *l != "\\.") {
            std::io::Write::write_all(&mut writer, format!("{row}\n").as_bytes()).expect("a row");
        }
        writer.finish().expect(line);
    }
    client.batch_execute(&sql).unwrap_or_else(|e| panic!("{e:?}"));
}

#[test]
fn what_is_dumped_restores_here_and_in_postgresql() {
    let Some(bin) = programs() else { return };
    let served = Served::start();
    served.client().batch_execute(SCRIPT).expect("the script");
    let first = plain(&run(&bin, &served, "pg_dump", &["postgres"]));
    assert!(first.contains("GENERATED ALWAYS AS IDENTITY") && first.contains("CREATE MATERIALIZED VIEW"), "{first}");

    served.client().batch_execute("CREATE DATABASE again").expect("a database");
    let ours = format!("host=127.0.0.1 port={} user=postgres password='{PASSWORD}' dbname=", served.port);
    restore(&mut Client::connect(&format!("{ours}again"), NoTls).expect("a client"), &first);
    assert_eq!(plain(&run(&bin, &served, "pg_dump", &["again"])), first);

    // In formats of its own, in parallel, in pieces.
    let file = served.dir.path().join("dump").display().to_string();
    for (format, jobs) in [("-Fc", "1"), ("-Fd", "2")] {
        let target = format!("{file}{format}");
        run(&bin, &served, "pg_dump", &[format, "-j", jobs, "-f", &target, "postgres"]);
        served.client().batch_execute("DROP DATABASE IF EXISTS pieces").expect("dropped");
        served.client().batch_execute("CREATE DATABASE pieces").expect("a database");
        run(&bin, &served, "pg_restore", &["-j", "2", "-d", "pieces", &target]);
        assert_eq!(plain(&run(&bin, &served, "pg_dump", &["pieces"])), first, "{format}");
    }

    let Some(oracle) = oracle::oracle("what was dumped was not restored there") else { return };
    let database = OwnDatabase::new(&oracle, "dump");
    restore(&mut oracle::client(&database.place), &first);
    let output = Command::new(bin.join("pg_dump")).args(["-d", &database.place]).output().expect("it runs");
    let theirs = plain(&String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(theirs, first);
}

#[test]
fn parts_are_dumped() {
    let Some(bin) = programs() else { return };
    let served = Served::start();
    served.client().batch_execute(SCRIPT).expect("the script");
    let dump = |arguments: &[&str]| run(&bin, &served, "pg_dump", &[arguments, &["postgres"]].concat());
    let schema = dump(&["--schema-only"]);
    assert!(schema.contains("CREATE TABLE shop.orders") && !schema.contains("COPY "), "{schema}");
    let data = dump(&["--data-only", "-t", "shop.customer"]);
    assert!(data.contains("COPY shop.customer") && !data.contains("CREATE TABLE"), "{data}");
    let inserts = dump(&["--inserts", "-t", "shop.*"]);
    assert_eq!(inserts.matches("INSERT INTO").count(), 7, "{inserts}");
    let columns = dump(&["--column-inserts", "--rows-per-insert=2", "--schema=shop"]);
    assert_eq!(columns.matches("INSERT INTO").count(), 4, "{columns}");
    assert!(dump(&["--clean", "--if-exists"]).contains("DROP TABLE IF EXISTS shop.customer"));
    served.client().batch_execute("CREATE ROLE reader LOGIN").expect("a role");
    served.client().batch_execute("GRANT SELECT ON shop.orders TO reader").expect("granted");
    assert!(dump(&["-t", "shop.orders"]).contains("GRANT SELECT ON TABLE shop.orders TO reader;"));
    let globals = run(&bin, &served, "pg_dumpall", &["--globals-only"]);
    assert!(globals.contains("CREATE ROLE reader;") && globals.contains("CREATE ROLE postgres;"), "{globals}");
    let all = run(&bin, &served, "pg_dumpall", &[]);
    assert!(all.contains("CREATE TABLE shop.customer"), "{all}");
}
