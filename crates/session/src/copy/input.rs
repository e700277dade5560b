//! `CopyIn`: COPY FROM under way: bytes in, rows of a table out.

use std::sync::Arc;

use binder::Names;
use catalog::Image;
use copy::{BinaryReader, Field, Progress, Row, RowReader};
use exec::{BoxOperator, Feed};
use plan::TableRef;
use types::error::Severity;
use types::{Datum, IoSettings, Oid, Physical, Result, SqlError, SqlState, oid};
use vector::{CHUNK_ROWS, Chunk, Data};

use super::CopyShape;
use super::options::{CopyOptions, Format, Verbosity};
use crate::portal::Execution;
use crate::session::{Session, Sink};

/// Rows are added once their lines have so many bytes, or when a chunk is full.
const CHUNK_BYTES: usize = 64 << 10;
/// How much of a line or value an error shows, in bytes.
const SHOWN_BYTES_MAX: usize = 100;

enum Reader {
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

/// A COPY FROM that is being fed.
pub struct CopyIn {
    reader: Reader,
    row: Row,
    table: TableRef,
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
    /// Fields go in here, rows come out of `rows`.
    fields: Feed,
    rows: BoxOperator,
    /// Rows go in here, `insert` adds them to the table.
    new: Feed,
    insert: BoxOperator,
    execution: Execution,
    /// So many events may wait before some are settled.
    events_max: usize,
    skipped: u64,
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.len() > SHOWN_BYTES_MAX {
        true => format!("{}...", &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]),
        false => text.into_owned(),
    }
}

impl CopyIn {
    pub(super) fn new(
        plan: binder::CopyIn,
        options: &CopyOptions,
        codec: copy::Options,
        io: IoSettings,
        (image, search_path): (Arc<Image>, Vec<Oid>),
        execution: Execution,
    ) -> CopyIn {
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
        let (fields, new) = (Feed::default(), Feed::default());
        CopyIn {
            reader,
            row: Row::default(),
            rows: exec::build_over(&plan.rows, Box::new(fields.clone())),
            insert: exec::build_over(&plan.insert, Box::new(new.clone())),
            table: plan.table,
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
            fields,
            new,
            execution,
            events_max: crate::portal::EVENTS_HELD_MAX,
            skipped: 0,
        }
    }

    /// What the data look like.
    pub fn shape(&self) -> CopyShape {
        CopyShape { binary: matches!(self.reader, Reader::Binary(_)), column_count: self.targets.len() }
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.execution.state.affected
    }

    fn line_number(&self) -> u64 {
        match &self.reader {
            Reader::Text(r) => r.line_number(),
            Reader::Binary(r) => r.line_number(),
        }
    }

    /// `error`, which is about the data as a whole, where they are now.
    pub(super) fn with_line(&self, error: SqlError) -> SqlError {
        // The line that was to be read next.
        error.context(format!("COPY {}, line {}", self.table.name, self.line_number() + 1))
    }

    fn at_line(&self, error: SqlError) -> SqlError {
        if self.line_number() == 0 {
            return error;
        }
        let mut context = format!("COPY {}, line {}", self.table.name, self.line_number());
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
            format!("COPY {}, line {}, column {}", self.table.name, self.line_number(), self.targets[target].name);
        if let Reader::Text(_) = self.reader {
            match value {
                Some(value) => context.push_str(&format!(": \"{}\"", shown(value))),
                None => context.push_str(": null input"),
            }
        }
        error.context(context)
    }

    pub(super) fn feed(&mut self, session: &mut Session, data: &[u8], sink: &mut dyn Sink) -> Result<()> {
        match &mut self.reader {
            Reader::Text(r) => r.feed(data),
            Reader::Binary(r) => r.feed(data),
        }
        self.read_rows(session, sink)
    }

    /// Adds what is left, and answers the command tag.
    pub(super) fn finish(&mut self, session: &mut Session, sink: &mut dyn Sink) -> Result<String> {
        match &mut self.reader {
            Reader::Text(r) => r.finish(),
            Reader::Binary(r) => r.finish(),
        }
        self.read_rows(session, sink)?;
        self.flush(session)?;
        let insert = &mut self.insert;
        // What the operator does once the last row is in.
        session.with_context(&mut self.execution, &[], |ctx| {
            while insert.next(ctx, &mut Chunk::default())? {}
            Ok(())
        })?;
        session.run_events(self.execution.take_events(), false)?;
        if self.skipped > 0 && self.verbosity >= Verbosity::Default {
            let message = match self.skipped {
                1 => "1 row was skipped due to data type incompatibility".to_owned(),
                n => format!("{n} rows were skipped due to data type incompatibility"),
            };
            sink.notice(&SqlError::new(SqlState::SUCCESSFUL_COMPLETION, message).severity(Severity::Notice));
        }
        Ok(format!("COPY {}", self.rows()))
    }

    fn read_rows(&mut self, session: &mut Session, sink: &mut dyn Sink) -> Result<()> {
        loop {
            let mut row = std::mem::take(&mut self.row);
            let progress = match &mut self.reader {
                Reader::Text(r) => r.next_row(&mut row),
                Reader::Binary(r) => r.next_row(&mut row),
            };
            let outcome = match progress {
                Ok(Progress::Row) => self.add(&row, sink),
                Ok(Progress::NeedMore | Progress::Done) => {
                    self.row = row;
                    return Ok(());
                }
                Err(e) => Err(self.at_line(e)),
            };
            self.row = row;
            if let Err(e) = outcome {
                self.drop_partial_row();
                // Rows before this one are checked first, as they would be one by one; PostgreSQL looks at unique keys later.
                return Err(match self.flush(session) {
                    Err(earlier) if !is_late(&earlier) => earlier,
                    _ => e,
                });
            }
            if self.chunk.rows >= CHUNK_ROWS || self.origins.bytes.len() >= CHUNK_BYTES {
                self.flush(session)?;
            }
        }
    }

    /// Forgets the fields of a row that did not get as far as its end.
    fn drop_partial_row(&mut self) {
        let rows = self.chunk.rows;
        self.chunk.columns.iter_mut().for_each(|c| c.truncate(rows));
    }

    /// Makes fields of a row's bytes.
    fn add(&mut self, row: &Row, sink: &mut dyn Sink) -> Result<()> {
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
                        return self.skip(i, Some(bytes), sink);
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
                    checked.map_err(|e| e.context(format!("COPY {}, line {}", self.table.name, self.line_number())))?;
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

    fn skip(&mut self, i: usize, value: Option<&[u8]>, sink: &mut dyn Sink) -> Result<()> {
        self.skipped += 1;
        if self.verbosity == Verbosity::Verbose {
            let value = value.map_or("null input".to_owned(), |v| format!("\"{}\"", shown(v)));
            let message = format!(
                "skipping row due to data type incompatibility at line {} for column \"{}\": {value}",
                self.line_number(),
                self.targets[i].name
            );
            let notice = SqlError::new(SqlState::SUCCESSFUL_COMPLETION, message).severity(Severity::Notice);
            sink.notice(&notice.context(format!("COPY {}", self.table.name)));
        }
        if self.reject_limit.is_some_and(|limit| self.skipped > limit) {
            let limit = self.reject_limit.unwrap_or_default();
            let message = format!("skipped more than REJECT_LIMIT ({limit}) rows due to data type incompatibility");
            let error = SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, message);
            return Err(self.at_field(error, i, value));
        }
        Ok(())
    }

    /// Adds the rows gathered so far to the table.
    fn flush(&mut self, session: &mut Session) -> Result<()> {
        if self.chunk.rows == 0 {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.chunk, Chunk::new(&self.forms));
        let origins = std::mem::take(&mut self.origins);
        let text = matches!(self.reader, Reader::Text(_));
        let context = |row: usize, line: bool| {
            let number = origins.numbers.get(row).copied().unwrap_or_default();
            let mut context = format!("COPY {}, line {number}", self.table.name);
            if line && text {
                let start = if row == 0 { 0 } else { origins.ends[row - 1] };
                let bytes = origins.ends.get(row).map_or(&[][..], |&end| &origins.bytes[start..end]);
                context.push_str(&format!(": \"{}\"", shown(bytes)));
            }
            context
        };
        let (fields, rows, new, insert) = (&self.fields, &mut self.rows, &self.new, &mut self.insert);
        session.with_context(&mut self.execution, &[], |ctx| {
            ctx.check_interrupts()?;
            fields.push(chunk);
            let mut made = Chunk::default();
            while rows.next(ctx, &mut made)? {
                let numbers = made.columns.pop();
                if made.rows == 0 {
                    continue;
                }
                let before = ctx.state.affected;
                new.push(std::mem::take(&mut made));
                while insert.next(ctx, &mut Chunk::default()).map_err(|e| {
                    let row = (ctx.state.affected - before) as usize;
                    let number = numbers.as_ref().filter(|n| row < n.len()).map(|n| n.get(row));
                    let Some(Datum::I64(row)) = number else { return e };
                    match e.state() {
                        // Keys of other tables are checked at the end.
                        SqlState::FOREIGN_KEY_VIOLATION => e,
                        _ if is_late(&e) => e.context(context(row as usize, false)),
                        _ => e.context(context(row as usize, true)),
                    }
                })? {}
            }
            Ok(())
        })?;
        if self.execution.state.events.len() >= self.events_max {
            self.events_max = session.settle_some(&mut self.execution)?;
        }
        Ok(())
    }
}

/// Whether PostgreSQL finds this when a batch of rows goes to the indexes, not when it makes the row.
fn is_late(error: &SqlError) -> bool {
    matches!(
        error.state(),
        SqlState::UNIQUE_VIOLATION | SqlState::EXCLUSION_VIOLATION | SqlState::FOREIGN_KEY_VIOLATION
    )
}
