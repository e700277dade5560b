//! `Run`: a text of statements under way, which stops where its client must give or take something.
//!
//! A server has no thread to spare for a client that reads slowly, or that thinks while it sends the data of a COPY. So the statements of a
//! text are run piece by piece: [`Session::resume`] goes on until all is done, the sink is full, or data are wanted; what was begun stays in
//! the [`Run`] meanwhile, and the thread is free. Sinks that never are full use [`Session::run`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use syntax::ast::{Statement, StatementKind};
use types::{Result, SqlError};

use crate::begun::{Begun, Went};
use crate::portal::Portal;
use crate::session::{BlockState, Session, Sink, text_of};
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

/// What came of a statement whose sink never is full.
pub(crate) fn ended<T>(outcome: Result<Option<T>>) -> Result<()> {
    match outcome? {
        None => Ok(()),
        Some(_) => Err(SqlError::internal("a sink that suspends has nobody to resume it")),
    }
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
        ended(outcome)
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
                    run.begun = Some(Begun::Rows(running));
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
                // As in PostgreSQL, what cannot be read is a transaction that was rolled back.
                if self.block_state() == BlockState::Idle {
                    self.begin_transaction();
                }
                self.fail();
                return Err(e);
            }
        };
        let pause = self.resume_inner(&mut run, None, sink)?;
        Ok((pause != Pause::Done).then_some((run, pause)))
    }

    /// Goes on with a run, whose sink has room again.
    ///
    /// # Errors
    /// As [`Session::begin_run`]; then it is over.
    pub fn resume(&mut self, run: &mut Run, sink: &mut dyn Sink) -> Result<Pause> {
        stack::with_room(run.stack_bytes, || self.resume_inner(run, None, sink))
    }

    fn resume_inner(&mut self, run: &mut Run, data: Option<Option<&Bytes>>, sink: &mut dyn Sink) -> Result<Pause> {
        let several = run.statements.len() > 1;
        let script = several.then(|| crate::session::Script::new(&run.sql));
        let outer = std::mem::replace(&mut self.script, script);
        let outcome = self.resume_statements(run, data, sink);
        self.script = outer;
        outcome
    }

    fn resume_statements(
        &mut self,
        run: &mut Run,
        mut data: Option<Option<&Bytes>>,
        sink: &mut dyn Sink,
    ) -> Result<Pause> {
        loop {
            let mut begun = match run.begun.take() {
                Some(begun) => begun,
                None => {
                    let Some(statement) = run.statements.get(run.ended) else { return Ok(Pause::Done) };
                    let (sql, start) = (&*run.sql, statement.span.start.0 as usize);
                    if let Some(script) = &mut self.script {
                        script.before(sql, start);
                    }
                    run.took = 0;
                    run.counted = match &statement.kind {
                        // EXECUTE counts as the statement that it runs; PREPARE runs none.
                        StatementKind::Prepare(_) => None,
                        StatementKind::Execute(e) => match self.named.get(e.name.as_str()).map(|p| p.sql.clone()) {
                            Some(prepared) => self.counted_text(&prepared),
                            None => None,
                        },
                        _ => self.counted_text(text_of(sql, statement)),
                    };
                    run.deadline = self.start_deadline();
                    let begun = self.guarded_telling(run.deadline, sink, |session, sink| {
                        session.begin_statement(sql, statement, sink)
                    })?;
                    run.took = self.last_took();
                    begun
                }
            };
            let went = match &mut begun {
                // Its time was counted when it began.
                Begun::Ended(tag) => Went::Ended(std::mem::take(tag)),
                begun => {
                    let went = self.guarded_telling(run.deadline, sink, |session, sink| {
                        session.go_on(begun, 0, data.take(), sink)
                    })?;
                    run.took += self.last_took();
                    went
                }
            };
            let pause = match went {
                Went::Ended(tag) => {
                    self.end_statement(run, &tag, sink)?;
                    continue;
                }
                Went::CopyIn => Pause::CopyIn,
                Went::Full | Went::Portion => Pause::Full,
            };
            run.begun = Some(begun);
            return Ok(pause);
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
        stack::with_room(run.stack_bytes, || self.resume_inner(run, Some(data), sink))
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
}
