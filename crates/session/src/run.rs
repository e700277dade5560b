//! `Run`: a text of statements under way, which stops where its client must give or take something.
//!
//! A server has no thread to spare for a client that reads slowly, or that thinks while it sends the data of a COPY. So the statements of a
//! text are run piece by piece: [`Session::resume`] goes on until all is done, the sink is full, or data are wanted; what was begun stays in
//! the [`Run`] meanwhile, and the thread is free. Sinks that never are full use [`Session::run`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use syntax::ast::{Statement, StatementKind};
use types::{Datum, Result, SqlError};

use crate::copy::{CopyIn, CopyOut};
use crate::execution::{Pulled, Running};
use crate::portal::Portal;
use crate::session::{Quiet, Session, Sink, is_planned, text_of};
use crate::stack;
use crate::statement_stats::Entry;

/// Why a run has stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pause {
    /// It has ended.
    Done,
    /// The sink is full.
    Full,
    /// Data of a COPY FROM STDIN are wanted: see [`Session::feed`].
    CopyIn,
}

/// A statement that has begun.
pub(crate) enum Begun {
    /// It gives rows.
    Rows(Box<Running>, Vec<Datum>),
    CopyIn(Box<CopyIn>),
    CopyOut(Box<CopyOut>),
    /// It has ended; its tag.
    Ended(String),
}

/// A text of statements under way.
pub struct Run {
    /// Nobody moves it: characters are counted by its address.
    sql: Box<str>,
    stack_bytes: usize,
    statements: Vec<Statement>,
    /// Statements that have ended.
    ended: usize,
    /// The one that has begun.
    begun: Option<Begun>,
    /// When the time of that one is up.
    deadline: Option<u64>,
    /// Where its runs are counted, and the microseconds that it has taken so far.
    counted: Option<Arc<Entry>>,
    took: i64,
}

impl Run {
    /// One of which nothing has begun.
    fn of(sql: &str) -> Run {
        Run {
            sql: sql.into(),
            stack_bytes: stack::need(sql),
            statements: Vec::new(),
            ended: 0,
            begun: None,
            deadline: None,
            counted: None,
            took: 0,
        }
    }
}

impl Session {
    /// Runs all statements of `sql`. Outside of a block they are one transaction, as in PostgreSQL's simple query.
    ///
    /// # Errors
    /// The first statement's that fails; those after it are not run.
    pub fn run(&mut self, sql: &str, sink: &mut dyn Sink) -> Result<()> {
        let outcome = self.begin_run(sql, sink);
        self.report_end();
        match outcome? {
            None => Ok(()),
            Some(_) => Err(SqlError::internal("a sink that suspends has nobody to resume it")),
        }
    }

    /// Runs all statements of `sql` as [`Session::run`] does, but stops where `sink` is full or data are wanted; `None` when it has ended.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn begin_run(&mut self, sql: &str, sink: &mut dyn Sink) -> Result<Option<(Run, Pause)>> {
        stack::with_room(stack::need(sql), || self.begin_run_inner(sql, sink))
    }

    fn begin_run_inner(&mut self, sql: &str, sink: &mut dyn Sink) -> Result<Option<(Run, Pause)>> {
        if let Some(mut known) = self.known(sql) {
            let outcome = self.execute_or_suspend(&mut known.prepared, &known.values, sink);
            let begun = outcome.map(|suspended| {
                suspended.map(|running| {
                    let mut run = Run::of(sql);
                    run.deadline = running.deadline;
                    run.begun = Some(Begun::Rows(running, known.values.to_vec()));
                    run.counted = known.prepared.counted.clone();
                    run.took = self.last_took();
                    (run, Pause::Full)
                })
            });
            self.keep(known);
            return begun;
        }
        let mut run = Run::of(sql);
        run.statements = match syntax::parse(sql) {
            Ok(statements) => statements,
            Err(e) => {
                self.fail();
                return Err(e);
            }
        };
        let pause = self.resume_inner(&mut run, sink)?;
        Ok((pause != Pause::Done).then_some((run, pause)))
    }

    /// Goes on with a run, whose sink has room again.
    ///
    /// # Errors
    /// As [`Session::begin_run`]; then it is over.
    pub fn resume(&mut self, run: &mut Run, sink: &mut dyn Sink) -> Result<Pause> {
        stack::with_room(run.stack_bytes, || self.resume_inner(run, sink))
    }

    fn resume_inner(&mut self, run: &mut Run, sink: &mut dyn Sink) -> Result<Pause> {
        let several = run.statements.len() > 1;
        let script = several.then(|| crate::session::Script::new(&run.sql));
        let outer = std::mem::replace(&mut self.script, script);
        let outcome = self.resume_statements(run, sink);
        self.script = outer;
        outcome
    }

    fn resume_statements(&mut self, run: &mut Run, sink: &mut dyn Sink) -> Result<Pause> {
        loop {
            let (level, suspends) = (self.settings.client_min_messages, sink.suspends());
            let sink: &mut dyn Sink = &mut Quiet { inner: &mut *sink, level, suspends };
            let begun = match run.begun.take() {
                Some(begun) => begun,
                None => {
                    let Some(statement) = run.statements.get(run.ended) else { return Ok(Pause::Done) };
                    let (sql, start) = (&*run.sql, statement.span.start.0 as usize);
                    if let Some(script) = &mut self.script {
                        script.before(sql, start);
                    }
                    run.took = 0;
                    run.counted = self.counted_text(text_of(sql, statement));
                    run.deadline = self.start_deadline();
                    let begun =
                        self.guarded_until(run.deadline, |session| session.begin_statement(sql, statement, sink))?;
                    run.took = self.last_took();
                    begun
                }
            };
            let tag = match begun {
                Begun::Ended(tag) => tag,
                Begun::CopyIn(state) => {
                    run.begun = Some(Begun::CopyIn(state));
                    return Ok(Pause::CopyIn);
                }
                Begun::CopyOut(mut state) => {
                    let ended = self.guarded_until(run.deadline, |session| session.copy_some(&mut state, sink))?;
                    run.took += self.last_took();
                    if !ended {
                        run.begun = Some(Begun::CopyOut(state));
                        return Ok(Pause::Full);
                    }
                    state.tag()
                }
                Begun::Rows(mut running, params) => {
                    let pulled = self.guarded_until(run.deadline, |session| {
                        let pulled = session.pull(&mut running, &params, 0, sink)?;
                        if pulled != Pulled::Full {
                            session.run_events(running.take_events(), false)?;
                        }
                        Ok(pulled)
                    })?;
                    run.took += self.last_took();
                    if pulled == Pulled::Full {
                        run.begun = Some(Begun::Rows(running, params));
                        return Ok(Pause::Full);
                    }
                    running.tag()
                }
            };
            self.end_statement(run, &tag, sink)?;
        }
    }

    fn end_statement(&mut self, run: &mut Run, tag: &str, sink: &mut dyn Sink) -> Result<()> {
        let text = run.statements.get(run.ended).map_or(&*run.sql, |statement| text_of(&run.sql, statement));
        self.note_end(run.counted.as_ref(), text, run.took, tag);
        run.ended += 1;
        // A text that was known is one statement, and has no tree here.
        if run.ended >= run.statements.len() {
            self.sync()?;
        }
        sink.complete(tag);
        Ok(())
    }

    /// Gives a run that wants them more data, or says that there are no more; why it has stopped then.
    ///
    /// # Errors
    /// What the data, or a later statement, say.
    pub fn feed(&mut self, run: &mut Run, data: Option<&Bytes>, sink: &mut dyn Sink) -> Result<Pause> {
        let Some(Begun::CopyIn(mut state)) = run.begun.take() else { return self.resume(run, sink) };
        let level = self.settings.client_min_messages;
        let quiet = &mut Quiet { inner: &mut *sink, level, suspends: true };
        let tag = self.guarded_until(run.deadline, |session| session.feed_copy(&mut state, data, quiet))?;
        run.took += self.last_took();
        let Some(tag) = tag else {
            run.begun = Some(Begun::CopyIn(state));
            return Ok(Pause::CopyIn);
        };
        self.end_statement(run, &tag, sink)?;
        self.resume(run, sink)
    }

    /// Ends a COPY that wants data: `error` as it is told, with the line that was to come. The transaction has failed then.
    pub fn fail_feed(&mut self, run: &mut Run, error: SqlError) -> SqlError {
        self.fail();
        match run.begun.take() {
            Some(Begun::CopyIn(mut state)) => state.with_line(error),
            _ => error,
        }
    }

    /// How long the statement of a run may still take.
    pub fn time_left(&self, run: &Run) -> Option<Duration> {
        run.deadline.map(|at| self.time_until(at))
    }

    /// How long that of a portal may.
    pub fn portal_time_left(&self, portal: &Portal) -> Option<Duration> {
        portal.deadline().map(|at| self.time_until(at))
    }

    fn time_until(&self, at: u64) -> Duration {
        Duration::from_nanos(at.saturating_sub(self.interrupt.clock().monotonic_nanos()))
    }

    /// More data for a COPY; with `None` it ends, and answers its tag.
    pub(crate) fn feed_copy(
        &mut self,
        state: &mut CopyIn,
        data: Option<&Bytes>,
        sink: &mut dyn Sink,
    ) -> Result<Option<String>> {
        match data {
            Some(data) => state.feed(self, data, sink).map(|()| None),
            None => state.finish(self, sink).map(Some),
        }
    }

    /// Writes rows of a COPY until the sink is full; whether that was all.
    pub(crate) fn copy_some(&mut self, state: &mut CopyOut, sink: &mut dyn Sink) -> Result<bool> {
        while !sink.is_full() {
            if state.next(self, &mut |row| sink.copy_data(row))?.is_none() {
                sink.copy_done()?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Begins a statement; what cannot be suspended is run to its end.
    pub(crate) fn begin_statement(&mut self, sql: &str, statement: &Statement, sink: &mut dyn Sink) -> Result<Begun> {
        if sink.suspends() {
            match &statement.kind {
                kind if is_planned(kind) => {
                    self.check_not_failed()?;
                    self.begin_transaction();
                    let (node, columns) = self.locked_plan(sql, kind, None, &[])?;
                    let columns = self.as_based(columns)?;
                    return Ok(Begun::Rows(Box::new(self.start(node, columns)?), Vec::new()));
                }
                StatementKind::Copy(copy) if copy.file.is_none() && !copy.program => {
                    return self.begin_copy(sql, copy, sink);
                }
                _ => {}
            }
        }
        self.dispatch(sql, statement, sink).map(Begun::Ended)
    }
}
