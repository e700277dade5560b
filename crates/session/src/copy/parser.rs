//! `Parser`: the bytes of COPY FROM become batches of fields; it knows no session, so that any thread may run it.

use std::sync::Arc;

use binder::Names;
use catalog::Image;
use copy::{BinaryReader, Field, Progress, Row, RowReader};
use types::error::Severity;
use types::{Datum, IoSettings, Oid, Physical, Result, SqlError, SqlState, oid};
use vector::{CHUNK_ROWS, Chunk, Data};

use super::options::{CopyOptions, Format, Verbosity};

/// A batch is full once its lines have so many bytes, or its chunk is.
const CHUNK_BYTES: usize = 64 << 10;
/// How much of a line or value an error shows, in bytes.
const SHOWN_BYTES_MAX: usize = 100;

pub(super) enum Reader {
    Text(RowReader),
    Binary(BinaryReader),
}

/// A field's column.
struct Target {
    name: String,
    ty: Oid,
    typmod: i32,
    has_default: bool,
}

/// Where the rows of a chunk come from, for errors.
#[derive(Default)]
struct Origins {
    numbers: Vec<u64>,
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

/// Rows that were read, and what is to be said of those after them.
pub(super) struct Batch {
    /// The fields; then, with DEFAULT, which of them are defaults; then each row's number in the batch.
    pub chunk: Chunk,
    origins: Origins,
    /// About rows that were skipped.
    pub notices: Vec<SqlError>,
    /// What is wrong with the row after the last: then there are no more batches.
    pub error: Option<SqlError>,
}

impl Batch {
    /// Where row `row` comes from, as errors say it; with its `line`, if it is text.
    pub fn context(&self, table: &str, row: usize, line: bool) -> String {
        let number = self.origins.numbers.get(row).copied().unwrap_or_default();
        let mut context = format!("COPY {table}, line {number}");
        if line {
            let start = if row == 0 { 0 } else { self.origins.ends[row - 1] };
            let bytes = self.origins.ends.get(row).map_or(&[][..], |&end| &self.origins.bytes[start..end]);
            context.push_str(&format!(": \"{}\"", shown(bytes)));
        }
        context
    }
}

/// What makes fields of bytes.
pub(super) struct Parser {
    reader: Reader,
    row: Row,
    table: String,
    targets: Vec<Target>,
    io: IoSettings,
    /// For values that are names.
    image: Arc<Image>,
    search_path: Vec<Oid>,
    ignore_errors: bool,
    verbosity: Verbosity,
    reject_limit: Option<u64>,
    defaults: bool,
    forms: Vec<Physical>,
    chunk: Chunk,
    origins: Origins,
    notices: Vec<SqlError>,
    skipped: u64,
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.len() > SHOWN_BYTES_MAX {
        true => format!("{}...", &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]),
        false => text.into_owned(),
    }
}

impl Parser {
    pub fn new(
        plan: &binder::CopyIn,
        options: &CopyOptions,
        codec: copy::Options,
        io: IoSettings,
        (image, search_path): (Arc<Image>, Vec<Oid>),
    ) -> Parser {
        let target = |&c: &usize| {
            let column = &plan.table.columns[c];
            let has_default = plan.has_default[c];
            Target { name: column.name.clone(), ty: column.ty, typmod: column.typmod, has_default }
        };
        let targets: Vec<Target> = plan.columns.iter().map(target).collect();
        let defaults = options.default.is_some();
        let mut forms: Vec<Physical> = targets.iter().map(|t| Physical::of(t.ty)).collect();
        if defaults {
            forms.extend(vec![Physical::Bool; targets.len()]);
        }
        forms.push(Physical::of(oid::INT8));
        let reader = match options.format {
            Format::Binary => Reader::Binary(BinaryReader::new(targets.len())),
            Format::Text | Format::Csv => Reader::Text(RowReader::new(codec, Some(targets.len()))),
        };
        Parser {
            reader,
            row: Row::default(),
            table: plan.table.name.clone(),
            targets,
            io,
            image,
            search_path,
            ignore_errors: options.ignore_errors,
            verbosity: options.verbosity,
            reject_limit: options.reject_limit,
            defaults,
            chunk: Chunk::new(&forms),
            forms,
            origins: Origins::default(),
            notices: Vec::new(),
            skipped: 0,
        }
    }

    /// Whether the data are in the binary format.
    pub fn is_binary(&self) -> bool {
        matches!(self.reader, Reader::Binary(_))
    }

    /// How many fields a row has.
    pub fn column_count(&self) -> usize {
        self.targets.len()
    }

    /// Rows that were left out.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// The number of the line read last, from 1; 0 before.
    pub fn line_number(&self) -> u64 {
        match &self.reader {
            Reader::Text(r) => r.line_number(),
            Reader::Binary(r) => r.line_number(),
        }
    }

    /// Takes more bytes.
    pub fn feed(&mut self, data: &[u8]) {
        match &mut self.reader {
            Reader::Text(r) => r.feed(data),
            Reader::Binary(r) => r.feed(data),
        }
    }

    /// No more bytes will come.
    pub fn finish(&mut self) {
        match &mut self.reader {
            Reader::Text(r) => r.finish(),
            Reader::Binary(r) => r.finish(),
        }
    }

    /// The next full batch; with `rest`, also one that is not full. None when more bytes are needed, or all were read.
    pub fn next(&mut self, rest: bool) -> Option<Batch> {
        loop {
            if self.chunk.rows >= CHUNK_ROWS || self.origins.bytes.len() >= CHUNK_BYTES {
                return Some(self.batch(None));
            }
            let mut row = std::mem::take(&mut self.row);
            let progress = match &mut self.reader {
                Reader::Text(r) => r.next_row(&mut row),
                Reader::Binary(r) => r.next_row(&mut row),
            };
            let outcome = match progress {
                Ok(Progress::Row) => self.add(&row),
                Ok(Progress::NeedMore | Progress::Done) => {
                    self.row = row;
                    return (rest && (self.chunk.rows > 0 || !self.notices.is_empty())).then(|| self.batch(None));
                }
                Err(e) => Err(self.at_line(e)),
            };
            self.row = row;
            if let Err(e) = outcome {
                self.drop_partial_row();
                return Some(self.batch(Some(e)));
            }
        }
    }

    fn batch(&mut self, error: Option<SqlError>) -> Batch {
        Batch {
            chunk: std::mem::replace(&mut self.chunk, Chunk::new(&self.forms)),
            origins: std::mem::take(&mut self.origins),
            notices: std::mem::take(&mut self.notices),
            error,
        }
    }

    fn at_line(&self, error: SqlError) -> SqlError {
        if self.line_number() == 0 {
            return error;
        }
        let mut context = format!("COPY {}, line {}", self.table, self.line_number());
        match &self.reader {
            Reader::Text(r) => {
                if let Some(line) = r.line() {
                    context.push_str(&format!(": \"{}\"", shown(line)));
                }
            }
            Reader::Binary(r) => {
                if let Some(target) = r.column().and_then(|c| self.targets.get(c)) {
                    context.push_str(&format!(", column {}", target.name));
                }
            }
        }
        error.context(context)
    }

    /// `error`, which is about the field of `target`.
    fn at_field(&self, error: SqlError, target: usize, value: Option<&[u8]>) -> SqlError {
        let mut context =
            format!("COPY {}, line {}, column {}", self.table, self.line_number(), self.targets[target].name);
        if let Reader::Text(_) = self.reader {
            match value {
                Some(value) => context.push_str(&format!(": \"{}\"", shown(value))),
                None => context.push_str(": null input"),
            }
        }
        error.context(context)
    }

    /// Forgets the fields of a row that did not get as far as its end.
    fn drop_partial_row(&mut self) {
        let rows = self.chunk.rows;
        self.chunk.columns.iter_mut().for_each(|c| c.truncate(rows));
    }

    /// Makes fields of a row's bytes.
    fn add(&mut self, row: &Row) -> Result<()> {
        let before = self.chunk.rows;
        let width = self.targets.len();
        for i in 0..width {
            let is_default = match row.get(i) {
                None => return Err(self.at_line(copy::missing_data(&self.targets[i].name))),
                Some(Field::Null) => {
                    self.chunk.columns[i].push_null();
                    false
                }
                Some(Field::Default) if self.targets[i].has_default => {
                    self.chunk.columns[i].push_null();
                    true
                }
                Some(Field::Default) => {
                    let detail = format!("Column \"{}\" has no default value.", self.targets[i].name);
                    let message = "unexpected default marker in COPY data";
                    let error = SqlError::new(SqlState::BAD_COPY_FILE_FORMAT, message).detail(detail);
                    return Err(self.at_line(error));
                }
                Some(Field::Bytes(bytes)) => match self.append(i, bytes) {
                    Ok(()) => false,
                    Err(_) if self.ignore_errors => {
                        self.drop_partial_row();
                        return self.skip(i, Some(bytes));
                    }
                    Err(e) => return Err(e),
                },
            };
            if self.defaults {
                self.chunk.columns[width + i].push(&Datum::Bool(is_default));
            }
        }
        if let Some(numbers) = self.chunk.columns.last_mut() {
            numbers.push(&Datum::I64(before as i64));
        }
        self.chunk.rows += 1;
        self.origins.numbers.push(self.line_number());
        match &self.reader {
            Reader::Text(r) => self.origins.bytes.extend_from_slice(r.line().unwrap_or_default()),
            // Only their size matters.
            Reader::Binary(_) => {
                let bytes: usize = self.chunk.columns.iter().filter_map(|c| c.var(before)).map(<[u8]>::len).sum();
                self.origins.bytes.resize(self.origins.bytes.len() + bytes, 0);
            }
        }
        self.origins.ends.push(self.origins.bytes.len());
        Ok(())
    }

    /// Appends a field to its column.
    fn append(&mut self, i: usize, bytes: &[u8]) -> Result<()> {
        let Target { ty, typmod, .. } = self.targets[i];
        match &self.reader {
            Reader::Binary(_) => {
                let names = Names { image: &self.image, search_path: &self.search_path };
                let value = types::io::binary_in_with(ty, typmod, bytes, &names);
                let value = value.map_err(|e| self.at_field(e, i, None))?;
                self.chunk.columns[i].push(&value);
            }
            Reader::Text(_) => {
                let checked = match bytes.iter().position(|&b| b == 0) {
                    Some(nul) => types::io::text::from_utf8(&bytes[..nul]).and_then(|_| {
                        let message = "invalid byte sequence for encoding \"UTF8\": 0x00";
                        Err(SqlError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message))
                    }),
                    None => types::io::text::from_utf8(bytes),
                };
                // PostgreSQL checks this before it cuts the line into fields.
                let text =
                    checked.map_err(|e| e.context(format!("COPY {}, line {}", self.table, self.line_number())))?;
                // A text is its bytes: no value is made of it.
                if (ty == oid::TEXT || ty == oid::VARCHAR && typmod < 0)
                    && let Data::Var(v) = &mut self.chunk.columns[i].data
                {
                    v.push(text.as_bytes());
                    return Ok(());
                }
                let names = Names { image: &self.image, search_path: &self.search_path };
                let value = types::io::text_in_with(ty, typmod, text, &self.io, &names);
                let value = value.map_err(|e| self.at_field(e, i, Some(bytes)))?;
                self.chunk.columns[i].push(&value);
            }
        }
        Ok(())
    }

    fn skip(&mut self, i: usize, value: Option<&[u8]>) -> Result<()> {
        self.skipped += 1;
        if self.verbosity == Verbosity::Verbose {
            let value = value.map_or("null input".to_owned(), |v| format!("\"{}\"", shown(v)));
            let message = format!(
                "skipping row due to data type incompatibility at line {} for column \"{}\": {value}",
                self.line_number(),
                self.targets[i].name
            );
            let notice = SqlError::new(SqlState::SUCCESSFUL_COMPLETION, message).severity(Severity::Notice);
            self.notices.push(notice.context(format!("COPY {}", self.table)));
        }
        if self.reject_limit.is_some_and(|limit| self.skipped > limit) {
            let limit = self.reject_limit.unwrap_or_default();
            let message = format!("skipped more than REJECT_LIMIT ({limit}) rows due to data type incompatibility");
            let error = SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message);
            return Err(self.at_field(error, i, value));
        }
        Ok(())
    }
}
