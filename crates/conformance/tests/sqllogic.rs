//! The files of `testdata/sqllogic`, through the library and through the wire; what they expect is what PostgreSQL 18.6 answered.
//!
//! `HATHI_ORACLE` (a connection string of a superuser) asks PostgreSQL too, and with `HATHI_SLT_RECORD` writes what it answers into the files.
//! `HATHI_SLT` names one file, `known.txt` what is still answered otherwise. A new record is a `query ?` and its SQL: recording makes of it what it is.

mod engine;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use conformance::Served;
use engine::{Kind, Library, Wire};
use postgres::{Client, NoTls};
use sqllogictest::{AsyncDB, MakeConnection, Normalizer, Record, Runner, strict_column_validator};

use crate::oracle::{self, OwnDatabase};

/// Files, in order.
fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/sqllogic");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    let wanted = std::env::var("HATHI_SLT").unwrap_or_default();
    files.retain(|f| f.extension().is_some_and(|e| e == "slt") && f.to_string_lossy().contains(&wanted));
    files.sort();
    assert!(!files.is_empty(), "no file is called {wanted}");
    files
}

/// What every session begins with.
const SETTINGS: &str = "SET timezone = 'UTC'; SET client_min_messages = error; SET statement_timeout = '5s'";

/// Rows as they are written, without the runner's leniency towards white space.
fn exact(_: Normalizer, actual: &[Vec<String>], expected: &[String]) -> bool {
    actual.iter().map(|row| row.join(SEPARATOR)).eq(expected.iter().cloned())
}

const SEPARATOR: &str = " | ";

fn runner<D, M>(connect: M) -> Runner<D, M>
where
    D: AsyncDB<ColumnType = Kind>,
    M: MakeConnection<Conn = D>,
{
    let mut runner = Runner::new(connect);
    runner.with_validator(exact);
    runner.with_column_validator(|actual, expected| {
        // A type that could not be asked for is no other type.
        strict_column_validator(actual, expected) || expected.iter().all(|kind| *kind == Kind::UNKNOWN)
    });
    runner
}

/// Statements that Hathi is known to answer otherwise, each on a line behind its file's name; lines that begin with `#` say why.
fn known() -> BTreeSet<String> {
    let lines = include_str!("../testdata/sqllogic/known.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// What the records of a file found.
#[derive(Default)]
struct Findings {
    differences: Vec<String>,
    /// Known ones that are still there.
    known: BTreeSet<String>,
}

impl Findings {
    /// Runs `file` by sessions that `connect` makes.
    fn run<D, M>(&mut self, engine: &str, file: &Path, known: &BTreeSet<String>, connect: M)
    where
        D: AsyncDB<ColumnType = Kind>,
        M: MakeConnection<Conn = D>,
    {
        let mut runner = runner(connect);
        let name = file.file_stem().expect("a name").to_string_lossy();
        for record in sqllogictest::parse_file(file).expect("a file that can be read") {
            let sql = match &record {
                Record::Query { sql, .. } | Record::Statement { sql, .. } => sql.replace('\n', " "),
                _ => String::new(),
            };
            let Err(e) = runner.run(record) else { continue };
            let key = format!("{name}: {sql}");
            if known.contains(&key) {
                self.known.insert(key);
            } else {
                self.differences.push(format!("{engine}: {}", e.display(false)));
            }
        }
        runner.shutdown();
    }

    /// Nothing but the known ones differed, and all of those did.
    #[track_caller]
    fn check(&self, known: &BTreeSet<String>) {
        assert!(
            self.differences.is_empty(),
            "{} differences:\n{}",
            self.differences.len(),
            self.differences.join("\n")
        );
        let mended: Vec<&String> = known.difference(&self.known).collect();
        // Of one file no more than its own can be found.
        let whole = std::env::var_os("HATHI_SLT").is_none();
        assert!(mended.is_empty() || !whole, "mended, so no longer to be listed in known.txt: {mended:#?}");
    }
}

#[test]
fn files_are_answered_by_the_library() {
    let (known, mut findings) = (known(), Findings::default());
    for file in files() {
        let database = hathi::Database::in_memory().unwrap();
        let connect = || {
            let mut session = database.session().unwrap();
            session.batch_execute(SETTINGS).unwrap();
            async { Ok(Library(session)) }
        };
        findings.run("library", &file, &known, connect);
    }
    findings.check(&known);
}

/// With every expression that is evaluated row by row as a program: the same answers, and nearly all of it done by machine code.
#[test]
fn files_are_answered_by_programs() {
    let (known, mut findings) = (known(), Findings::default());
    let mut sums = [0i64; 6];
    for file in files() {
        let database = hathi::Database::in_memory().unwrap();
        let connect = || {
            let mut session = database.session().unwrap();
            session.batch_execute(SETTINGS).unwrap();
            session.batch_execute("SET hathi.jit_force = on").unwrap();
            async { Ok(Library(session)) }
        };
        findings.run("programs", &file, &known, connect);
        let counts = "SELECT native_steps, other_steps, native_calls, refused_long, refused_volatile, refused_queries FROM hathi_jit";
        let row = database.session().unwrap().query_one(counts, &[]).unwrap();
        let own: [i64; 6] = std::array::from_fn(|i| row.get(i));
        println!("{}: {own:?}", file.display());
        sums.iter_mut().zip(own).for_each(|(sum, n)| *sum += n);
    }
    findings.check(&known);
    let [native, other, calls, long, volatile, queries] = sums;
    println!(
        "{native} steps native, {other} not; {calls} calls; {long} refused, {volatile} volatile, {queries} queries"
    );
    assert_eq!(long, 0, "nothing is refused but what is volatile, and queries");
    assert!(!CODE || native * 10 >= (native + other) * 9, "{native} of {}", native + other);
}

/// Whether there is machine code here.
const CODE: bool = cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

#[test]
fn files_are_answered_over_the_wire() {
    let (known, mut findings) = (known(), Findings::default());
    for file in files() {
        let served = Served::start();
        let connect = || {
            let mut client = Client::connect(&served.url("postgres"), NoTls).unwrap();
            client.batch_execute(SETTINGS).unwrap();
            async { Ok(Wire(client)) }
        };
        findings.run("wire", &file, &known, connect);
    }
    findings.check(&known);
}

#[test]
fn files_say_what_postgresql_answers() {
    let Some(oracle) = oracle::oracle("it was not asked") else { return };
    let (known, mut findings) = (BTreeSet::new(), Findings::default());
    for file in files() {
        let database = OwnDatabase::new(&oracle, "sqllogic");
        let connect = || {
            let mut client = oracle::client(&database.place);
            client.batch_execute(SETTINGS).unwrap();
            async { Ok(Wire(client)) }
        };
        if std::env::var_os("HATHI_SLT_RECORD").is_some() {
            let normalizer: Normalizer = String::clone;
            let mut runner = runner(connect);
            let update = runner.update_test_file(&file, SEPARATOR, exact, normalizer, strict_column_validator);
            futures::executor::block_on(update).expect("a file that can be written");
            runner.shutdown();
        } else {
            findings.run("PostgreSQL", &file, &known, connect);
        }
    }
    findings.check(&known);
}
