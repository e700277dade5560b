//! Who answers the records of a file: the library, the wire, or PostgreSQL.

use std::fmt;

use postgres::SimpleQueryMessage;
use session::{Chunk, OutputColumn, Sink};
use sqllogictest::{ColumnType, DB, DBOutput};
use types::{Oid, oid};

/// What a column is, as the letter of a `query` record tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(char);

impl Kind {
    /// Of what cannot be asked again.
    pub const UNKNOWN: Kind = Kind('?');

    fn of(ty: u32) -> Kind {
        Kind(match Oid(ty) {
            oid::BOOL => 'B',
            oid::INT2 | oid::INT4 | oid::INT8 => 'I',
            oid::FLOAT4 | oid::FLOAT8 => 'R',
            oid::NUMERIC => 'N',
            oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME => 'T',
            oid::DATE | oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ | oid::INTERVAL => 'D',
            oid::JSON | oid::JSONB => 'J',
            _ => '?',
        })
    }
}

impl ColumnType for Kind {
    fn from_char(letter: char) -> Option<Kind> {
        Some(Kind(letter))
    }

    fn to_char(&self) -> char {
        self.0
    }
}

/// An error as a record spells it: SQLSTATE and message, then whatever else there is, the position last.
#[derive(Debug)]
pub struct Told(String);

impl Told {
    fn new(
        state: &str,
        message: &str,
        detail: Option<&str>,
        hint: Option<&str>,
        context: Option<&str>,
        at: Option<u32>,
    ) -> Told {
        let mut text = format!("{state}: {message}");
        for (name, part) in [("DETAIL", detail), ("HINT", hint), ("CONTEXT", context)] {
            if let Some(part) = part {
                // An empty line would end the record.
                text.push_str(&format!("\n{name}:  {}", part.replace("\n\n", "\n")));
            }
        }
        text.push_str(&at.map_or("\nno position".to_owned(), |at| format!("\nat character {at}")));
        Told(text)
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Told {}

/// A value on a line of its own, or beside others.
fn cell(value: Option<&str>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some("") => "(empty)".to_owned(),
        Some(text) => text.replace('\n', "\\n"),
    }
}

fn output(types: Option<Vec<Kind>>, rows: Vec<Vec<String>>, changed: u64) -> DBOutput<Kind> {
    match types {
        Some(types) => DBOutput::Rows { types, rows },
        None => DBOutput::StatementComplete(changed),
    }
}

/// A session of the library.
pub struct Library(pub hathi::Session);

#[derive(Default)]
struct Collected {
    types: Option<Vec<Oid>>,
    rows: Vec<Vec<String>>,
    changed: u64,
    settings: types::IoSettings,
}

impl Sink for Collected {
    fn columns(&mut self, columns: &[OutputColumn]) -> types::Result<()> {
        self.types = Some(columns.iter().map(|c| c.ty).collect());
        Ok(())
    }

    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> types::Result<()> {
        let types = self.types.as_deref().unwrap_or_default();
        let mut text = Vec::new();
        for i in 0..chunk.rows {
            let mut row = Vec::new();
            for (column, &ty) in chunk.columns.iter().zip(types) {
                let datum = column.get(i);
                text.clear();
                if !datum.is_null() {
                    types::io::text_out_with(ty, &datum, &self.settings, names, &mut text)?;
                }
                let value = String::from_utf8_lossy(&text);
                row.push(cell((!datum.is_null()).then_some(&value)));
            }
            self.rows.push(row);
        }
        Ok(())
    }

    fn complete(&mut self, tag: &str) {
        self.changed = tag.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    }
}

impl DB for Library {
    type Error = Told;
    type ColumnType = Kind;

    fn run(&mut self, sql: &str) -> Result<DBOutput<Kind>, Told> {
        let session = self.0.inner();
        let mut collected = Collected { settings: session.settings_io().clone(), ..Collected::default() };
        match session.run(sql, &mut collected) {
            Ok(()) => {
                let kinds = collected.types.map(|types| types.iter().map(|ty| Kind::of(ty.0)).collect());
                Ok(output(kinds, collected.rows, collected.changed))
            }
            Err(e) => {
                let more = e.fields();
                let (detail, hint) = (more.detail.as_deref(), more.hint.as_deref());
                Err(Told::new(e.state().as_str(), e.message(), detail, hint, more.context.as_deref(), more.position))
            }
        }
    }

    fn engine_name(&self) -> &str {
        "library"
    }
}

/// A connection to a server, ours or PostgreSQL's.
pub struct Wire(pub postgres::Client);

impl DB for Wire {
    type Error = Told;
    type ColumnType = Kind;

    fn run(&mut self, sql: &str) -> Result<DBOutput<Kind>, Told> {
        let (mut columns, mut rows, mut changed) = (None, Vec::new(), 0);
        for message in self.0.simple_query(sql).map_err(|e| told(&e))? {
            match message {
                SimpleQueryMessage::RowDescription(described) => columns = Some(described.len()),
                SimpleQueryMessage::Row(row) => rows.push((0..row.len()).map(|i| cell(row.get(i))).collect()),
                SimpleQueryMessage::CommandComplete(count) => changed = count,
                _ => {}
            }
        }
        let Some(columns) = columns else { return Ok(output(None, rows, changed)) };
        // Simple queries tell no types, so they are asked for; of what cannot be asked again they are unknown.
        let types = match self.0.prepare(sql) {
            Ok(prepared) => prepared.columns().iter().map(|c| Kind::of(c.type_().oid())).collect(),
            Err(_) => vec![Kind::UNKNOWN; columns],
        };
        Ok(output(Some(types), rows, changed))
    }

    fn engine_name(&self) -> &str {
        "wire"
    }
}

fn told(error: &postgres::Error) -> Told {
    let Some(error) = error.as_db_error() else { return Told(format!("the connection broke: {error}")) };
    let at = match error.position() {
        Some(postgres::error::ErrorPosition::Original(at)) => Some(*at),
        _ => None,
    };
    Told::new(error.code().code(), error.message(), error.detail(), error.hint(), error.where_(), at)
}
