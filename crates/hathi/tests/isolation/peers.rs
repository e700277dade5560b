//! Who plays a scenario: Hathi, or a real PostgreSQL.

use std::fmt;

use hathi::Database;
use postgres::{NoTls, SimpleQueryMessage};
use session::{Chunk, OutputColumn, Sink};

/// What became of a statement.
pub enum Answer {
    /// Its rows, as text.
    Rows(Vec<String>),
    /// How many rows it changed.
    Changed(u64),
    /// SQLSTATE and message.
    Failed(String, String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Rows(rows) => write!(f, "[{}]", rows.join(" ")),
            Answer::Changed(count) => write!(f, "{count}"),
            Answer::Failed(state, message) => write!(f, "{state} {message}"),
        }
    }
}

/// A session.
pub trait Client: Send {
    /// Runs one statement.
    fn run(&mut self, sql: &str) -> Answer;
}

/// Somebody to open sessions with; each has a database of its own.
pub trait Peer {
    /// A new session.
    fn client(&self) -> Box<dyn Client>;
}

/// Hathi, in memory.
pub struct HathiPeer(Database);

impl HathiPeer {
    pub fn new() -> HathiPeer {
        HathiPeer(Database::in_memory().unwrap())
    }
}

impl Peer for HathiPeer {
    fn client(&self) -> Box<dyn Client> {
        Box::new(self.0.session().unwrap())
    }
}

#[derive(Default)]
struct Text {
    types: Option<Vec<types::Oid>>,
    rows: Vec<String>,
    changed: u64,
}

impl Sink for Text {
    fn columns(&mut self, columns: &[OutputColumn]) -> types::Result<()> {
        self.types = Some(columns.iter().map(|c| c.ty).collect());
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk, _names: &dyn types::io::TypeLookup) -> types::Result<()> {
        let settings = types::IoSettings::default();
        for i in 0..chunk.rows {
            let types = self.types.as_deref().unwrap_or_default();
            let cells = chunk.columns.iter().zip(types).map(|(column, &ty)| {
                let datum = column.get(i);
                if datum.is_null() { Ok(String::new()) } else { types::io::to_text(ty, &datum, &settings) }
            });
            self.rows.push(format!("({})", cells.collect::<types::Result<Vec<_>>>()?.join(",")));
        }
        Ok(())
    }

    fn complete(&mut self, tag: &str) {
        self.changed = tag.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    }
}

impl Client for hathi::Session {
    fn run(&mut self, sql: &str) -> Answer {
        let mut text = Text::default();
        match self.inner().run(sql, &mut text) {
            Ok(()) if text.types.is_some() => Answer::Rows(text.rows),
            Ok(()) => Answer::Changed(text.changed),
            Err(e) => Answer::Failed(e.state().to_string(), e.message().to_owned()),
        }
    }
}

/// A PostgreSQL that runs somewhere.
pub struct PostgresPeer {
    parameters: String,
    schema: String,
}

impl PostgresPeer {
    pub fn new(parameters: &str) -> PostgresPeer {
        let mut client = postgres::Client::connect(parameters, NoTls).unwrap();
        let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        let schema = format!("isolation_{}_{nanos}", std::process::id());
        client.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
        PostgresPeer { parameters: parameters.to_owned(), schema }
    }
}

impl Drop for PostgresPeer {
    fn drop(&mut self) {
        if let Ok(mut client) = postgres::Client::connect(&self.parameters, NoTls) {
            let _ = client.batch_execute(&format!(
                "SET client_min_messages = warning; SET lock_timeout = '1s'; DROP SCHEMA {} CASCADE",
                self.schema
            ));
        }
    }
}

impl Peer for PostgresPeer {
    fn client(&self) -> Box<dyn Client> {
        let mut client = postgres::Client::connect(&self.parameters, NoTls).unwrap();
        client.batch_execute(&format!("SET search_path = {}", self.schema)).unwrap();
        Box::new(client)
    }
}

impl Client for postgres::Client {
    fn run(&mut self, sql: &str) -> Answer {
        let messages = match self.simple_query(sql) {
            Ok(messages) => messages,
            Err(e) => {
                let e = e.as_db_error().expect("the server answers");
                return Answer::Failed(e.code().code().to_owned(), e.message().to_owned());
            }
        };
        let (mut rows, mut described, mut changed) = (Vec::new(), false, 0);
        for message in messages {
            match message {
                SimpleQueryMessage::RowDescription(_) => described = true,
                SimpleQueryMessage::Row(row) => {
                    let cells: Vec<&str> = (0..row.len()).map(|i| row.get(i).unwrap_or("")).collect();
                    rows.push(format!("({})", cells.join(",")));
                }
                SimpleQueryMessage::CommandComplete(count) => changed = count,
                _ => {}
            }
        }
        if described { Answer::Rows(rows) } else { Answer::Changed(changed) }
    }
}
