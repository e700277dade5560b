//! COPY: a table's or a query's rows as a stream of bytes, and back.
//!
//! Both directions are state machines that their owner drives: [`CopyIn`] is fed bytes, [`CopyOut`] is asked for them. So a server moves
//! them to and from messages, a program to and from `Write` and `Read`, and neither ever holds all of them. Run by [`Session::run`],
//! COPY drives itself with the [`Sink`]. New rows go through the same operator as INSERT's.

mod file;
mod input;
mod options;
mod output;
mod parser;
mod pipeline;
#[cfg(test)]
mod tests;

use storage::lock::{Mode, Tag, WaitPolicy};
use syntax::ast::{self, CopyStatement, Pos, StatementKind};
use types::{Result, SqlError, SqlState};

pub use self::input::CopyIn;
use self::options::{CopyOptions, Format};
pub use self::output::CopyOut;
use crate::begun::Begun;
use crate::session::{Session, Sink, no_parameter};

/// What the data of a COPY look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopyShape {
    /// Binary rather than text or CSV.
    pub binary: bool,
    /// How many columns they have.
    pub column_count: usize,
}

impl Session {
    /// COPY within [`Session::run`]: answers the command tag.
    pub(crate) fn copy(&mut self, sql: &str, copy: &CopyStatement, sink: &mut dyn Sink) -> Result<String> {
        if copy.program {
            return Err(SqlError::unsupported("COPY with PROGRAM"));
        }
        if copy.from {
            let mut state = self.begin_copy_in(sql, copy)?;
            return match &copy.file {
                Some(path) => self.copy_from_file(&mut state, path, sink),
                None => self.copy_from_sink(&mut state, sink),
            };
        }
        if copy.file.is_some() && matches!(&copy.source, ast::CopySource::Table { .. }) {
            // What is wrong with the table comes first.
            self.copy_bound(sql, copy)?;
        }
        let file = match &copy.file {
            Some(path) => Some(file::create(path)?),
            None => None,
        };
        let mut state = self.begin_copy_out(sql, copy)?;
        match file {
            Some((file, path)) => self.copy_to_file(&mut state, file, &path),
            None => {
                sink.copy_out(state.shape())?;
                while let Some(()) = state.next(self, &mut |row| sink.copy_data(row))? {}
                sink.copy_done()?;
                Ok(state.tag())
            }
        }
    }

    /// Begins a COPY from or to the client, which then goes on piece by piece.
    pub(crate) fn begin_copy(&mut self, sql: &str, copy: &CopyStatement, sink: &mut dyn Sink) -> Result<Begun> {
        self.enter()?;
        if copy.from {
            if self.read_only {
                return Err(crate::read_only::refused("COPY FROM"));
            }
            let state = self.begin_copy_in(sql, copy)?;
            sink.copy_in(state.shape())?;
            return Ok(Begun::CopyIn(Box::new(state)));
        }
        let mut state = self.begin_copy_out(sql, copy)?;
        state.keep_snapshot(self);
        sink.copy_out(state.shape())?;
        Ok(Begun::CopyOut(Box::new(state)))
    }

    fn copy_from_sink(&mut self, state: &mut CopyIn, sink: &mut dyn Sink) -> Result<String> {
        sink.copy_in(state.shape())?;
        while let Some(data) = sink.copy_read().map_err(|e| state.with_line(e))? {
            state.feed(self, &data, sink)?;
        }
        state.finish(self, sink)
    }

    /// The one COPY statement of `sql`.
    fn parse_copy(&mut self, sql: &str, from: bool) -> Result<Box<CopyStatement>> {
        let mut statements = syntax::parse(sql)?;
        let only = if statements.len() == 1 { statements.pop() } else { None };
        match only.map(|s| s.kind) {
            Some(StatementKind::Copy(c)) if c.from == from && c.file.is_none() => Ok(Box::new(*c)),
            _ => {
                let wanted = if from { "COPY ... FROM STDIN" } else { "COPY ... TO STDOUT" };
                Err(SqlError::new(SqlState::SYNTAX_ERROR, format!("the statement is not {wanted}")))
            }
        }
    }

    /// Starts a COPY FROM STDIN that the caller feeds.
    ///
    /// # Errors
    /// The statement's.
    pub fn copy_in(&mut self, sql: &str) -> Result<CopyIn> {
        self.guarded(|session| {
            let copy = session.parse_copy(sql, true)?;
            session.enter()?;
            session.begin_copy_in(sql, &copy)
        })
    }

    /// Gives more data to a COPY FROM STDIN. After an error it is over, and so is its transaction.
    ///
    /// # Errors
    /// What the data, or adding the rows, says.
    pub fn copy_in_feed(&mut self, state: &mut CopyIn, data: &[u8], sink: &mut dyn Sink) -> Result<()> {
        self.guarded(|session| state.feed(session, data, &mut session.quiet(sink)))
    }

    /// Ends a COPY FROM STDIN, and commits unless a transaction block is open; answers the number of rows.
    ///
    /// # Errors
    /// As [`Session::copy_in_feed`], and what committing says.
    pub fn copy_in_finish(&mut self, mut state: CopyIn, sink: &mut dyn Sink) -> Result<u64> {
        self.guarded(|session| state.finish(session, &mut session.quiet(sink)))?;
        self.sync()?;
        Ok(state.rows())
    }

    /// Gives up a COPY FROM STDIN: its transaction fails.
    pub fn copy_in_abort(&mut self, state: CopyIn) {
        drop(state);
        self.fail();
    }

    /// Starts a COPY TO STDOUT whose data the caller asks for.
    ///
    /// # Errors
    /// The statement's.
    pub fn copy_out(&mut self, sql: &str) -> Result<CopyOut> {
        self.guarded(|session| {
            let copy = session.parse_copy(sql, false)?;
            session.enter()?;
            let mut state = session.begin_copy_out(sql, &copy)?;
            state.keep_snapshot(session);
            Ok(state)
        })
    }

    /// Gives out some more rows of a COPY TO STDOUT; `None` when there are no more: then it is committed unless a transaction block
    /// is open.
    ///
    /// # Errors
    /// The statement's, and `write`'s.
    pub fn copy_out_next(
        &mut self,
        state: &mut CopyOut,
        write: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<Option<()>> {
        let more = self.guarded(|session| state.next(session, write))?;
        if more.is_none() {
            self.sync()?;
        }
        Ok(more)
    }

    fn begin_copy_in(&mut self, sql: &str, copy: &CopyStatement) -> Result<CopyIn> {
        let ast::CopySource::Table { relation, columns } = &copy.source else {
            return Err(SqlError::internal("COPY FROM has a table"));
        };
        let io = self.settings.io.clone();
        loop {
            let image = self.image()?;
            let search_path = self.search_path.clone();
            let mut binder = binder::Binder::new(&image, sql, &io, &search_path);
            let table = binder.copy_table(relation)?;
            // Whoever changes the table meanwhile is waited for; then it is looked up anew (S3).
            let tag = Tag::Relation(self.db.id, table.oid.0);
            let Some(txn) = &mut self.txn else { return Err(SqlError::internal("COPY without a transaction")) };
            if !txn.holds(tag, Mode::RowExclusive) {
                txn.lock(tag, Mode::RowExclusive, WaitPolicy::Wait(0))?;
                continue;
            }
            let created = txn.created(&self.db, table.rel);
            let condition = match &copy.where_clause {
                Some(e) => Some(binder.copy_condition(&table, e)?),
                None => None,
            };
            let options = CopyOptions::parse(&copy.options, true, sql)?;
            let names: Vec<&str> = columns.iter().map(|n| n.as_str()).collect();
            let listed = binder.copy_columns(&table, &names)?;
            self.check_insert(table.oid, &listed)?;
            let names: Vec<&str> = table.columns.iter().map(|c| &*c.name).collect();
            let resolved = options.resolve(&table.name, &names, &listed)?;
            if options.freeze && !created {
                let message = "cannot perform COPY FREEZE because the table was not created or truncated in the \
                               current subtransaction";
                return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
            }
            let defaults = options.default.is_some();
            let plan = binder.copy_in(table, listed, condition, defaults)?;
            let execution = self.execution(true, true)?;
            return Ok(CopyIn::new(plan, &options, resolved, io, (image, search_path), execution));
        }
    }

    /// Binds what COPY TO writes.
    pub(crate) fn copy_bound(&mut self, sql: &str, copy: &CopyStatement) -> Result<binder::Bound> {
        match &copy.source {
            ast::CopySource::Table { relation, columns } => {
                let image = self.image()?;
                let mut binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
                binder.copy_out(relation, columns)
            }
            ast::CopySource::Query(query) => {
                let returns = match &query.kind {
                    StatementKind::Select(s) => {
                        if matches!(&s.body, ast::SelectBody::Query(core) if core.into.is_some()) {
                            let message = "COPY (SELECT INTO) is not supported";
                            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
                        }
                        true
                    }
                    StatementKind::Insert(s) => s.returning.is_some(),
                    StatementKind::Update(s) => s.returning.is_some(),
                    StatementKind::Delete(s) => s.returning.is_some(),
                    _ => return Err(SqlError::unsupported("COPY of this statement")),
                };
                if !returns {
                    let message = "COPY query must have a RETURNING clause";
                    return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
                }
                let (bound, params) = self.bind(sql, &query.kind, Vec::new())?;
                if !params.is_empty() { Err(no_parameter(sql, 1)) } else { Ok(bound) }
            }
        }
    }

    fn begin_copy_out(&mut self, sql: &str, copy: &CopyStatement) -> Result<CopyOut> {
        let table = match &copy.source {
            ast::CopySource::Table { relation, .. } => {
                let image = self.image()?;
                let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
                Some(binder.copy_table(relation)?)
            }
            ast::CopySource::Query(_) => None,
        };
        let options = CopyOptions::parse(&copy.options, false, sql)?;
        let kind = match &copy.source {
            ast::CopySource::Table { .. } => StatementKind::Copy(Box::new(copy.clone())),
            ast::CopySource::Query(query) => {
                self.copy_bound(sql, copy)?;
                query.kind.clone()
            }
        };
        let (node, columns) = self.locked_plan(sql, &kind, None, &[])?;
        let names: Vec<&str> = columns.iter().map(|c| &*c.name).collect();
        let all: Vec<usize> = (0..names.len()).collect();
        let resolved = match &table {
            // Columns are named as the table has them, in the order that is copied.
            Some(table) => {
                let own: Vec<&str> = table.columns.iter().map(|c| &*c.name).collect();
                let listed: Vec<usize> = names.iter().filter_map(|n| own.iter().position(|o| o == n)).collect();
                options.resolve(&table.name, &own, &listed)?
            }
            None => options.resolve_query(&names, &all)?,
        };
        let running = self.start(node, columns)?;
        Ok(CopyOut::new(running, options.format == Format::Binary, resolved))
    }
}

/// A position as PostgreSQL counts it.
fn position(pos: Pos, sql: &str) -> Option<u32> {
    pos.char_position(sql)
}
