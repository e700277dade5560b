//! What the views of activity, locks and statistics say while sessions do this and that, as PostgreSQL 18 says it.
//!
//! Each file of `data/statistics` is a script with what PostgreSQL said to each of its lines; where `HATHI_ORACLE` names one it is asked again
//! (`HATHI_BLESS=1` writes what it says). `statements.txt` needs the extension pg_stat_statements: it is asked only of one that has it loaded.
//!
//! A line is `who what`. Sessions are `a`, `b`, `c`, made when they are first named, in a database of their own.
//!   `a sql`     runs it                      `a> sql`  sends it           `a<`       waits for its answer       `a.`  leaves
//!   `act a`     looks at its activity        `locks a` at its locks       `? sql`    at whatever; `{a}` is its number
//!   `far sql`   looks from another database
//!   `mark sql`  keeps numbers                `grown`   what they have grown by since
//! Looks are taken until they show what is expected. Below a line stand its answers, indented. Answers of ours that differ on purpose stand below
//! those, after `!`; `docs/COMPAT.md` says why they do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::client::{Answer, Client, Served, TWO};
use crate::extended::oracle;

const ACTIVITY: &str = "SELECT state, wait_event_type, wait_event, CASE WHEN xact_start IS NULL THEN '' ELSE 'xact' END, \
     CASE WHEN backend_xid IS NULL THEN '' ELSE 'xid' END, CASE WHEN backend_xmin IS NULL THEN '' ELSE 'xmin' END, query \
     FROM pg_stat_activity WHERE pid = {pid}";

/// Without those of catalogs, indexes and schemas, which our statements do not lock.
const LOCKS: &str = "SELECT locktype, relation::regclass, classid, objid, objsubid, mode, CASE WHEN granted THEN 'granted' ELSE 'waits' END, \
     CASE WHEN waitstart IS NULL THEN '' ELSE 'since' END FROM pg_locks LEFT JOIN pg_class c ON c.oid = relation WHERE pid = {pid} \
     AND (relation IS NULL OR c.oid >= 16384 AND relkind <> 'i') AND locktype <> 'object' ORDER BY 1, 2::text, 3, 4, 5, 6, 7";

/// A line of a script with its answers.
struct Step {
    line: String,
    theirs: Vec<String>,
    ours: Option<Vec<String>>,
}

impl Step {
    /// What we are to answer.
    fn expected(&self) -> &[String] {
        self.ours.as_deref().unwrap_or(&self.theirs)
    }
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("    "), line.strip_prefix("!   ")) {
            (Some(answer), _) => steps.last_mut().unwrap().theirs.push(answer.to_owned()),
            (_, Some(answer)) => steps.last_mut().unwrap().ours.get_or_insert_default().push(answer.to_owned()),
            _ => steps.push(Step { line: line.to_owned(), theirs: Vec::new(), ours: None }),
        }
    }
    steps
}

fn text(steps: &[Step]) -> String {
    let lines = steps.iter().flat_map(|step| {
        let theirs = step.theirs.iter().map(|answer| format!("    {answer}\n"));
        let ours = step.ours.iter().flatten().map(|answer| format!("!   {answer}\n"));
        std::iter::once(format!("{}\n", step.line)).chain(theirs).chain(ours).collect::<Vec<_>>()
    });
    lines.collect()
}

fn shown(answer: &Answer) -> Vec<String> {
    let row = |row: &Vec<Option<String>>| {
        let row = row.iter().map(|v| v.as_deref().unwrap_or("-")).collect::<Vec<_>>().join(" | ");
        row.trim_end().to_owned()
    };
    let error = answer.error.iter().map(|e| format!("{} {}", e.state().as_str(), e.message()));
    answer.rows.iter().map(row).chain(error).collect()
}

/// Those who play a script, at a server whose socket is `path`.
struct Stage<'a> {
    path: &'a Path,
    database: String,
    sessions: BTreeMap<char, Client>,
    /// In the database of the sessions, and in another one.
    near: Client,
    far: Client,
    marked: (String, Vec<i64>),
}

impl Stage<'_> {
    fn new<'a>(path: &'a Path, script: &str) -> Stage<'a> {
        let mut far = Client::connect(path, "postgres");
        let database = format!("seen_{script}");
        far.query(&format!("DROP DATABASE {database} WITH (FORCE)"));
        far.run(&format!("CREATE DATABASE {database}"));
        let near = Client::connect_to(path, "postgres", &database);
        Stage { path, database, sessions: BTreeMap::new(), near, far, marked: Default::default() }
    }

    fn session(&mut self, name: char) -> &mut Client {
        let come = || Client::connect_to(self.path, "postgres", &self.database);
        self.sessions.entry(name).or_insert_with(come)
    }

    /// Puts numbers of sessions for their names in braces, and names for numbers in what is answered.
    fn look(&mut self, sql: &str) -> Vec<String> {
        let mut sql = sql.to_owned();
        for name in ['a', 'b', 'c'] {
            let mark = format!("{{{name}}}");
            if sql.contains(&mark) {
                sql = sql.replace(&mark, &self.session(name).pid.to_string());
            }
        }
        shown(&self.near.query(&sql))
    }

    fn numbers(&mut self, sql: &str) -> Vec<i64> {
        self.far.run(sql).row().iter().map(|n| n.parse().unwrap()).collect()
    }

    /// What a line is answered. A look is taken until it is `expected`, or, where nothing is, until it stays the same.
    fn play(&mut self, line: &str, expected: Option<&[String]>) -> Vec<String> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let name = verb.chars().next();
        let of = |template: &str| template.replace("{pid}", &format!("{{{rest}}}"));
        let sql = match verb {
            "" | "#" => return Vec::new(),
            "act" => of(ACTIVITY),
            "locks" => of(LOCKS),
            "?" | "far" => rest.to_owned(),
            "mark" => {
                self.marked = (rest.to_owned(), self.numbers(rest));
                return Vec::new();
            }
            "grown" => String::new(),
            "a" | "b" | "c" => return shown(&self.session(name.unwrap()).query(rest)),
            "a>" | "b>" | "c>" => {
                self.session(name.unwrap()).ask(rest);
                return Vec::new();
            }
            "a<" | "b<" | "c<" => return shown(&self.session(name.unwrap()).answer()),
            "a." | "b." | "c." => {
                self.sessions.remove(&name.unwrap());
                return Vec::new();
            }
            other => panic!("{other}"),
        };
        let (start, mut last, mut equal) = (Instant::now(), Vec::new(), 0);
        loop {
            let now = match verb {
                "grown" => {
                    let (sql, before) = self.marked.clone();
                    let after = self.numbers(&sql);
                    let grown = after.iter().zip(before).map(|(after, before)| (after - before).to_string());
                    vec![grown.collect::<Vec<_>>().join(" | ")]
                }
                "far" => shown(&self.far.query(&sql)),
                _ => self.look(&sql),
            };
            equal = if now == last { equal + 1 } else { 0 };
            if expected.is_some_and(|expected| now == expected)
                || expected.is_none() && equal == 4
                || start.elapsed() > Duration::from_secs(5)
            {
                return now;
            }
            last = now;
            std::thread::sleep(Duration::from_millis(if expected.is_some() { 5 } else { 30 }));
        }
    }
}

fn recorded(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/tests/data/statistics/{name}.txt", env!("CARGO_MANIFEST_DIR")))
}

/// Plays a script at PostgreSQL, where there is one that has what it needs, and then here.
#[track_caller]
fn played(name: &str, library: Option<&str>) {
    let path = recorded(name);
    let is_loaded = |socket: &Path| {
        let loaded = Client::connect(socket, "postgres").run("SHOW shared_preload_libraries");
        library.is_none_or(|library| loaded.row()[0].contains(library))
    };
    if let Some(oracle) = oracle().filter(|socket| is_loaded(socket)) {
        let mut script = steps(&std::fs::read_to_string(&path).unwrap());
        let blesses = std::env::var_os("HATHI_BLESS").is_some();
        let mut stage = Stage::new(&oracle, name);
        for step in &mut script {
            let said = stage.play(&step.line, if blesses { None } else { Some(&step.theirs) });
            if blesses {
                step.theirs = said;
            } else {
                assert_eq!(said, step.theirs, "PostgreSQL, {name}: {}", step.line);
            }
        }
        if blesses {
            std::fs::write(&path, text(&script)).unwrap();
        }
    }
    let served = Served::start(TWO);
    let mut stage = Stage::new(&served.path, name);
    let mut wrong = Vec::new();
    for step in steps(&std::fs::read_to_string(&path).unwrap()) {
        let said = stage.play(&step.line, Some(step.expected()));
        if said != step.expected() {
            wrong.push(format!(
                "{}\nexpected:\n  {}\nsaid:\n  {}",
                step.line,
                step.expected().join("\n  "),
                said.join("\n  ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{name}: {} lines differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn activity_is_as_in_postgresql() {
    played("activity", None);
}

#[test]
fn locks_are_as_in_postgresql() {
    played("locks", None);
}

#[test]
fn counts_of_tables_are_as_in_postgresql() {
    played("tables", None);
}

#[test]
fn counts_of_databases_are_as_in_postgresql() {
    played("database", None);
}

#[test]
fn columns_of_the_views_are_those_of_postgresql() {
    played("columns", None);
}

#[test]
fn statements_are_counted_as_by_postgresql() {
    played("statements", Some("pg_stat_statements"));
}
