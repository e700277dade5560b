//! `Collected`: the rows of a statement that makes them all at once, given out in portions.

use std::collections::VecDeque;

use plan::OutputColumn;
use syntax::ast::StatementKind;
use types::io::TypeLookup;
use types::{Physical, Result, SqlError};
use vector::Chunk;

use crate::portal::Fetched;
use crate::session::Sink;

/// Rows, and the tag that the statement ends with.
#[derive(Default)]
pub(crate) struct Collected {
    rows: VecDeque<Chunk>,
    /// Rows of the first chunk that were given out.
    given: usize,
    tag: String,
}

/// Keeps rows; notices pass.
pub(crate) struct CollectedSink<'a> {
    rows: &'a mut VecDeque<Chunk>,
    notices: &'a mut dyn Sink,
}

impl Sink for CollectedSink<'_> {
    fn columns(&mut self, _: &[OutputColumn]) -> Result<()> {
        Ok(())
    }
    fn chunk(&mut self, chunk: &Chunk, _: &dyn TypeLookup) -> Result<()> {
        if chunk.rows > 0 {
            self.rows.push_back(chunk.clone());
        }
        Ok(())
    }
    fn complete(&mut self, _: &str) {}
    fn notice(&mut self, notice: &SqlError) {
        self.notices.notice(notice);
    }
}

impl Collected {
    /// Whether a statement yields rows without being planned.
    pub(crate) fn is_for(kind: &StatementKind) -> bool {
        match kind {
            StatementKind::Show(_) | StatementKind::Execute(_) => true,
            StatementKind::Fetch(f) => !f.is_move,
            _ => false,
        }
    }

    /// Where the statement's rows go.
    pub(crate) fn sink<'a>(&'a mut self, notices: &'a mut dyn Sink) -> CollectedSink<'a> {
        CollectedSink { rows: &mut self.rows, notices }
    }

    /// The statement has ended.
    pub(crate) fn end(&mut self, tag: &str) {
        // The number in it is of the rows given out at a time.
        self.tag = tag.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    }

    /// Gives out at most `max` more rows; 0 is all.
    pub(crate) fn give(
        &mut self,
        max: u64,
        columns: &[OutputColumn],
        names: &dyn TypeLookup,
        sink: &mut dyn Sink,
    ) -> Result<Fetched> {
        sink.columns(columns)?;
        let mut given = 0;
        let mut room = if max == 0 { usize::MAX } else { usize::try_from(max).unwrap_or(usize::MAX) };
        while let Some(first) = self.rows.front() {
            let end = first.rows.min(self.given.saturating_add(room));
            let forms: Vec<Physical> = columns.iter().map(|c| Physical::of(c.ty)).collect();
            let mut part = Chunk::new(&forms);
            (self.given..end).for_each(|i| part.push_row(&first.row(i)));
            room -= end - self.given;
            given += end - self.given;
            if end == first.rows {
                self.rows.pop_front();
                self.given = 0;
            } else {
                self.given = end;
            }
            sink.chunk(&part, names)?;
            // As PostgreSQL: whoever got as many rows as asked for is not told yet that they were the last.
            if room == 0 {
                return Ok(Fetched::Suspended);
            }
        }
        Ok(Fetched::Complete(if self.tag.ends_with(' ') { format!("{}{given}", self.tag) } else { self.tag.clone() }))
    }
}
