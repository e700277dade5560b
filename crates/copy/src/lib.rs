#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod binary;
mod line;
pub mod reader;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod tests;
pub mod writer;

use types::{SqlError, SqlState};

pub use self::binary::{BinaryReader, BinaryWriter};
pub use self::reader::{Field, Row, RowReader};
pub use self::writer::RowWriter;

/// How text or CSV data look. Column lists are flags by column; shorter ones are false past their end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Between fields.
    pub delimiter: u8,
    /// Stands for NULL.
    pub null: Vec<u8>,
    /// Stands for the column's default, when reading.
    pub default: Option<Vec<u8>>,
    /// The first line.
    pub header: Header,
    /// CSV rather than text.
    pub csv: Option<Csv>,
}

/// What CSV adds to text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Csv {
    /// Around fields.
    pub quote: u8,
    /// Before a quote inside; where SQL does not say, the quote itself.
    pub escape: u8,
    /// Columns written quoted unless NULL.
    pub force_quote: Vec<bool>,
    /// Columns whose quoted null string is NULL, too.
    pub force_null: Vec<bool>,
    /// Columns never NULL.
    pub force_not_null: Vec<bool>,
}

/// Whether a header line is there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Header {
    /// None.
    #[default]
    No,
    /// One, skipped when reading.
    Yes,
    /// One that must name these columns.
    Match(Vec<String>),
}

impl Options {
    /// The defaults of the text format.
    pub fn text() -> Options {
        Options { delimiter: b'\t', null: b"\\N".to_vec(), default: None, header: Header::No, csv: None }
    }

    /// The defaults of CSV.
    pub fn csv() -> Options {
        let csv = Csv { quote: b'"', escape: b'"', force_quote: vec![], force_null: vec![], force_not_null: vec![] };
        Options { delimiter: b',', null: vec![], csv: Some(csv), ..Options::text() }
    }
}

/// How far a reader came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// A row is there.
    Row,
    /// More data are needed; or `finish`.
    NeedMore,
    /// There are no more rows.
    Done,
}

/// `22P04`: the data are not what the format says.
pub(crate) fn bad(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::BAD_COPY_FILE_FORMAT, message)
}

/// The error for a row that ends before `column`.
pub fn missing_data(column: &str) -> SqlError {
    bad(format!("missing data for column \"{column}\""))
}

fn flag(flags: &[bool], column: usize) -> bool {
    flags.get(column).copied().unwrap_or(false)
}

/// The longest value, row or line in bytes: PostgreSQL's `MaxAllocSize`.
pub(crate) const ALLOCATION_BYTES_MAX: usize = 0x3fff_ffff;

/// `54000` for something past 1 GB.
pub(crate) fn too_long() -> SqlError {
    SqlError::new(
        SqlState::PROGRAM_LIMIT_EXCEEDED,
        format!("string buffer exceeds maximum allowed length ({ALLOCATION_BYTES_MAX} bytes)"),
    )
}
