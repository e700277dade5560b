//! Sequences of messages of the extended protocol, answered as PostgreSQL 18 answers them.
//!
//! `data/extended.out` has what PostgreSQL said; where `HATHI_ORACLE` names one it is asked again (`HATHI_BLESS=1` writes what it says).

use std::fmt::Write;
use std::path::PathBuf;

use bytes::BytesMut;
use wire::{BackendMessage, Target, TransactionStatus, frontend::encode};

use crate::client::{Client, Served, TWO};

/// Each is one client's. `P name sql`, `B portal statement values`, `D P|S name`, `E portal rows`, `C P|S name`, `H`, `S`, `Q sql`;
/// `-` is the empty name.
const SCRIPTS: &[&str] = &[
    // What nearly every client sends.
    "P a select v from t where id = $1\nD S a\nS\nB - a 1\nD P -\nE - 0\nS\nB - a 2\nE - 0\nS\nB - a 99\nE - 0\nS",
    // Several in one transaction, and an error that undoes them.
    "P i insert into t values ($1, 'x')\nP d select 1 / (id - $1) from t where id = 2\nS\nB - i 10\nE - 0\nB - i 11\nE - 0\nB - d 2\nE - 0\nS\nQ select count(*) from t",
    "P i insert into t values ($1, 'x')\nS\nB - i 10\nE - 0\nB - i 11\nE - 0\nS\nQ select count(*) from t",
    // Executed twice before Sync, outside of a block and in one.
    "P a select v from t where id = $1\nB - a 1\nE - 0\nE - 0\nS",
    "Q begin\nP a select v from t where id = $1\nB - a 1\nE - 0\nS\nE - 0\nS\nD P -\nS\nQ commit",
    "Q begin\nP u update t set v = 'new' where id = $1\nB - u 1\nE - 0\nS\nE - 0\nS\nQ rollback",
    // Bound in one message, executed in a later one.
    "Q begin\nP a select v from t where id = $1\nB - a 2\nS\nE - 0\nS\nQ commit",
    "P a select v from t where id = $1\nB - a 2\nS\nE - 0\nS",
    // What was bound outlives its statement.
    "P a select v from t where id = $1\nB - a 1\nC S a\nE - 0\nS",
    "Q begin\nP - select 'first'\nB - -\nP - select 'second'\nE - 0\nB - -\nE - 0\nS\nQ commit",
    // A portal that is closed, or bound again.
    "P a select v from t where id = $1\nB - a 1\nC P -\nE - 0\nS",
    "P a select v from t where id = $1\nB - a 1\nB - a 2\nE - 0\nS",
    "P a select v from t where id = $1\nB n a 1\nB - a 2\nE n 0\nE - 0\nS",
    "P a select v from t where id = $1\nB n a 1\nB n a 2\nS",
    // In portions.
    "P a select id from t order by id\nB - a\nE - 2\nE - 2\nE - 0\nS",
    "Q begin\nP a select id from t order by id\nB - a\nE - 1\nS\nE - 0\nS\nE - 0\nS\nQ commit",
    // A statement that no longer is what it was.
    "P a select * from t where id = $1\nS\nB - a 1\nE - 0\nS\nQ alter table t add c int default 7\nB - a 1\nE - 0\nS\nQ select 1",
    "P a select v from t where id = $1\nS\nB - a 1\nE - 0\nS\nQ drop table t\nB - a 1\nE - 0\nS",
    // Values that are none, and too few of them.
    "P a select v from t where id = $1\nB - a one\nE - 0\nS\nB - a\nE - 0\nS\nB - b 1\nE - 0\nS",
    // In a block that has failed.
    "Q begin\nP a select v from t where id = $1\nS\nQ select 1/0\nB - a 1\nE - 0\nS\nP r rollback\nB - r\nE - 0\nS\nB - a 1\nE - 0\nS",
    // An error of the first Execute in a block.
    "Q begin\nP d select 1 / (id - $1) from t where id = 2\nB - d 2\nE - 0\nS\nB - d 5\nE - 0\nS\nQ rollback",
    // Statements that are not planned, and none.
    "P b begin\nB - b\nE - 0\nS\nP c commit\nB - c\nE - 0\nS\nP s show work_mem\nB - s\nD P -\nE - 0\nS\nP e\nB - e\nD P -\nE - 0\nS",
    // Flush, and a simple query in between.
    "P a select v from t where id = $1\nB - a 1\nH\nD P -\nE - 0\nH\nS\nB - a 1\nQ select 'simple'\nE - 0\nS",
    // Rows given back.
    "P r insert into t values ($1, 'r') returning id, v\nB - r 20\nD P -\nE - 0\nS\nB - r 20\nE - 0\nS\nQ select count(*) from t",
    "P x delete from t where id < $1\nB - x 100\nE - 0\nS\nQ select count(*) from t",
    // A statement that looks at itself.
    "P p select name, statement, parameter_types, result_types, from_sql from pg_prepared_statements where name = $1\nS\nB - p p\nE - 0\nS\nB - p p\nE - 1\nS\nC S p\nS\nQ select count(*) from pg_prepared_statements",
    // Settings are told once each.
    "P s set application_name = 'abc'\nB - s\nE - 0\nS\nB - s\nE - 0\nS\nQ begin; set local datestyle = german\nQ rollback\nQ select set_config('application_name', 'xyz', false)",
];

fn name(word: &str) -> &str {
    if word == "-" { "" } else { word }
}

fn target(word: &str) -> Target {
    if word == "P" { Target::Portal } else { Target::Statement }
}

fn shown(message: &BackendMessage) -> Option<String> {
    let text = |v: Option<bytes::Bytes>| v.map_or("NULL".into(), |v| String::from_utf8_lossy(&v).into_owned());
    Some(match message {
        BackendMessage::ParseComplete => "parsed".to_owned(),
        BackendMessage::BindComplete => "bound".to_owned(),
        BackendMessage::CloseComplete => "closed".to_owned(),
        BackendMessage::NoData => "no data".to_owned(),
        BackendMessage::PortalSuspended => "suspended".to_owned(),
        BackendMessage::EmptyQueryResponse => "empty".to_owned(),
        BackendMessage::RowDescription(fields) => {
            let fields: Vec<_> = fields.iter().map(|f| format!("{} {}", f.name, f.type_oid.0)).collect();
            format!("columns {}", fields.join(", "))
        }
        BackendMessage::DataRow(values) => format!("row {}", values.iter().map(text).collect::<Vec<_>>().join(", ")),
        BackendMessage::CommandComplete(tag) => tag.clone(),
        BackendMessage::ErrorResponse(e) => format!("{} {}", e.state().as_str(), e.message()),
        BackendMessage::ParameterStatus { name, value } => format!("{name} = {value}"),
        BackendMessage::ParameterDescription(types) => {
            format!("parameters {}", types.iter().map(|t| t.0.to_string()).collect::<Vec<_>>().join(", "))
        }
        BackendMessage::ReadyForQuery(status) => match status {
            TransactionStatus::Idle => "ready".to_owned(),
            TransactionStatus::Block => "ready in block".to_owned(),
            TransactionStatus::Failed => "ready in failed block".to_owned(),
        },
        _ => return None,
    })
}

/// What a server says to a script.
fn trace(client: &mut Client, script: &str) -> String {
    let setup = "drop table if exists t; create table t (id int primary key, v text); insert into t values (1, 'one'), (2, 'two'), (3, null)";
    client.query(setup);
    let mut said = String::new();
    let mut buffer = BytesMut::new();
    for line in script.lines() {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut words = rest.split(' ');
        let mut word = || words.next().unwrap_or("");
        match verb {
            "P" => {
                let (statement, sql) = rest.split_once(' ').unwrap_or((rest, ""));
                encode::parse(&mut buffer, name(statement), sql, &[]);
            }
            "B" => {
                let (portal, statement) = (name(word()), name(word()));
                let values: Vec<&str> = rest.split(' ').skip(2).collect();
                let values: Vec<Option<&[u8]>> = values.iter().map(|v| Some(v.as_bytes())).collect();
                encode::bind(&mut buffer, portal, statement, &[], &values, &[]);
            }
            "D" => encode::describe(&mut buffer, target(word()), name(word())),
            "E" => encode::execute(&mut buffer, name(word()), word().parse().unwrap()),
            "C" => encode::close(&mut buffer, target(word()), name(word())),
            "H" => buffer.extend_from_slice(&[b'H', 0, 0, 0, 4]),
            "S" => encode::sync(&mut buffer),
            "Q" => encode::query(&mut buffer, rest),
            other => panic!("{other}"),
        }
        if !matches!(verb, "S" | "Q") {
            continue;
        }
        client.send(&buffer.split());
        while let Some(message) = client.message() {
            if let Some(line) = shown(&message) {
                writeln!(said, "{line}").unwrap();
            }
            if let BackendMessage::ReadyForQuery(_) = message {
                break;
            }
        }
    }
    said
}

fn all(connect: impl Fn() -> Client) -> String {
    SCRIPTS.iter().map(|script| format!("{script}\n--\n{}\n", trace(&mut connect(), script))).collect()
}

/// The socket of the PostgreSQL that is asked, if there is one.
pub fn oracle() -> Option<PathBuf> {
    let settings = std::env::var("HATHI_ORACLE").ok()?;
    let of =
        |key: &str| settings.split(' ').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=').map(str::to_owned));
    Some(PathBuf::from(of("host")?).join(format!(".s.PGSQL.{}", of("port")?)))
}

#[test]
fn sequences_of_messages_are_answered_as_by_postgresql() {
    let known = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/extended.out"));
    if let Some(oracle) = oracle() {
        let said = all(|| Client::connect(&oracle, "postgres"));
        if std::env::var_os("HATHI_BLESS").is_some() {
            std::fs::write(&known, &said).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&known).unwrap(), said, "what PostgreSQL says");
    }
    let served = Served::start(TWO);
    let said = all(|| served.connect());
    let known = std::fs::read_to_string(&known).unwrap();
    for (ours, theirs) in said.split("\n\n").zip(known.split("\n\n")) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(said, known);
}
