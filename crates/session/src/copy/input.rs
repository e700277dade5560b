//! `CopyIn`: COPY FROM under way: bytes in, rows of a table out.

use std::sync::Arc;

use catalog::Image;
use exec::{BoxOperator, Feed};
use plan::TableRef;
use types::error::Severity;
use types::{Datum, IoSettings, Oid, Result, SqlError, SqlState};
use vector::Chunk;

use super::CopyShape;
use super::options::{CopyOptions, Verbosity};
use super::parser::{Batch, Parser};
use super::pipeline::Pipeline;
use crate::execution::Execution;
use crate::session::{Session, Sink};

/// A COPY that has so many bytes is worth a thread that reads them.
const LONG_BYTES: usize = 512 << 10;

/// Who makes rows of the bytes.
enum Source {
    Here(Box<Parser>),
    /// Another thread, while this one adds rows.
    There(Pipeline),
    /// Nobody any more: a thread failed.
    Lost,
}

/// A COPY FROM that is being fed.
pub struct CopyIn {
    source: Source,
    shape: CopyShape,
    fed_bytes: usize,
    table: TableRef,
    verbosity: Verbosity,
    /// Fields go in here, rows come out of `rows`.
    fields: Feed,
    rows: BoxOperator,
    /// Rows go in here, `insert` adds them to the table.
    new: Feed,
    insert: BoxOperator,
    execution: Box<Execution>,
    /// So many events may wait before some are settled.
    events_max: usize,
}

impl CopyIn {
    pub(super) fn new(
        plan: binder::CopyIn,
        options: &CopyOptions,
        codec: copy::Options,
        io: IoSettings,
        names: (Arc<Image>, Vec<Oid>),
        execution: Box<Execution>,
    ) -> CopyIn {
        let parser = Parser::new(&plan, options, codec, io, names);
        let (fields, new) = (Feed::default(), Feed::default());
        CopyIn {
            shape: CopyShape { binary: parser.is_binary(), column_count: parser.column_count() },
            source: Source::Here(Box::new(parser)),
            fed_bytes: 0,
            rows: exec::build_over(&plan.rows, Box::new(fields.clone())),
            insert: exec::build_over(&plan.insert, Box::new(new.clone())),
            table: plan.table,
            verbosity: options.verbosity,
            fields,
            new,
            execution,
            events_max: crate::execution::EVENTS_HELD_MAX,
        }
    }

    /// What the data look like.
    pub fn shape(&self) -> CopyShape {
        self.shape
    }

    /// Rows added so far.
    pub fn rows(&self) -> u64 {
        self.execution.state.affected
    }

    /// `error`, which is about the data as a whole, where they are now.
    pub(crate) fn with_line(&mut self, error: SqlError) -> SqlError {
        let Ok(parser) = self.parser() else { return error };
        // The line that was to be read next.
        let line = parser.line_number() + 1;
        error.context(format!("COPY {}, line {line}", self.table.name))
    }

    pub(crate) fn feed(&mut self, session: &mut Session, data: &[u8], sink: &mut dyn Sink) -> Result<()> {
        let was_short = self.fed_bytes <= LONG_BYTES;
        self.fed_bytes += data.len();
        // Asked once: a refusal holds for the rest.
        if was_short
            && self.fed_bytes > LONG_BYTES
            && matches!(self.source, Source::Here(_))
            && let Source::Here(parser) = std::mem::replace(&mut self.source, Source::Lost)
        {
            self.source = match Pipeline::start(parser) {
                Ok(pipeline) => Source::There(pipeline),
                Err(parser) => Source::Here(parser),
            };
        }
        if let Source::There(pipeline) = &self.source {
            pipeline.feed(data);
        } else {
            let parser = self.parser()?;
            parser.feed(data);
        }
        loop {
            let batch = match &mut self.source {
                Source::Here(parser) => parser.next(false),
                Source::There(pipeline) => pipeline.next(),
                Source::Lost => None,
            };
            let Some(batch) = batch else { return Ok(()) };
            self.add(batch, session, sink)?;
        }
    }

    /// Adds what is left, and answers the command tag.
    pub(crate) fn finish(&mut self, session: &mut Session, sink: &mut dyn Sink) -> Result<String> {
        if let Source::There(pipeline) = &self.source {
            pipeline.end();
        }
        while let Source::There(pipeline) = &self.source
            && let Some(batch) = pipeline.wait()
        {
            self.add(batch, session, sink)?;
        }
        self.parser()?.finish();
        while let Some(batch) = self.parser()?.next(true) {
            self.add(batch, session, sink)?;
        }
        let insert = &mut self.insert;
        // What the operator does once the last row is in.
        session.with_context(&mut self.execution, &[], |ctx| {
            while insert.next(ctx, &mut Chunk::default())? {}
            Ok(())
        })?;
        session.run_events(self.execution.take_events(), false)?;
        let skipped = self.parser()?.skipped();
        if skipped > 0 && self.verbosity >= Verbosity::Default {
            let message = match skipped {
                1 => "1 row was skipped due to data type incompatibility".to_owned(),
                n => format!("{n} rows were skipped due to data type incompatibility"),
            };
            sink.notice(&SqlError::new(SqlState::SUCCESSFUL_COMPLETION, message).severity(Severity::Notice));
        }
        Ok(format!("COPY {}", self.rows()))
    }

    /// The parser, back from its thread if it had one; batches that were not taken are lost.
    fn parser(&mut self) -> Result<&mut Parser> {
        if let Source::There(_) = self.source
            && let Source::There(pipeline) = std::mem::replace(&mut self.source, Source::Lost)
        {
            self.source = pipeline.stop().map_or(Source::Lost, Source::Here);
        }
        match &mut self.source {
            Source::Here(parser) => Ok(parser),
            _ => Err(SqlError::internal("the thread that read COPY's data failed")),
        }
    }

    /// Adds a batch to the table.
    fn add(&mut self, mut batch: Batch, session: &mut Session, sink: &mut dyn Sink) -> Result<()> {
        batch.notices.iter().for_each(|notice| sink.notice(notice));
        let error = batch.error.take();
        // Rows before a bad one are checked first, as they would be one by one; PostgreSQL looks at unique keys later.
        match (self.insert(batch, session), error) {
            (outcome, None) => outcome,
            (Err(earlier), Some(_)) if !is_late(&earlier) => Err(earlier),
            (_, Some(e)) => Err(e),
        }
    }

    fn insert(&mut self, mut batch: Batch, session: &mut Session) -> Result<()> {
        if batch.chunk.rows == 0 {
            return Ok(());
        }
        let chunk = std::mem::take(&mut batch.chunk);
        let text = !self.shape.binary;
        let name = &self.table.name;
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
                        _ if is_late(&e) => e.context(batch.context(name, row as usize, false)),
                        _ => e.context(batch.context(name, row as usize, text)),
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
