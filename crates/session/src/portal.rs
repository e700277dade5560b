//! `Portal`: a statement under way, whose rows are fetched in portions.
//!
//! A portal keeps its operators and its snapshot between fetches; rows are made when they are asked for. It ends with the transaction
//! it was made in. What writes runs to its end before the first portion is given out, as in PostgreSQL.

use std::sync::Arc;

use binder::Names;
use bytes::Bytes;
use plan::OutputColumn;
use syntax::ast::Statement;
use types::{Datum, Oid, Result, SqlError, SqlState};

use crate::begun::{Begun, Went};
use crate::collected::Collected;
use crate::execution::Running;
use crate::given::Given;
use crate::lifetime::Birth;
use crate::prepared::Prepared;
use crate::session::{BasedPlan, BlockState, Session, Sink, aborted, is_planned};
use crate::stack;
use crate::statement_stats::Entry;

enum State {
    Ready,
    Begun(Begun),
    /// What SHOW, EXECUTE or FETCH yielded, being given out in portions.
    Collected(Box<Collected>),
    Done,
}

/// A prepared statement with its parameters' values, being run.
pub struct Portal {
    name: String,
    sql: Arc<str>,
    /// Stack that its tree may need.
    stack_bytes: usize,
    statement: Arc<Statement>,
    plan: Option<BasedPlan>,
    /// Columns of its result.
    pub columns: Arc<Vec<OutputColumn>>,
    params: Vec<Datum>,
    types: Vec<Oid>,
    state: State,
    birth: Birth,
    /// Where its runs are counted, and the microseconds that it has taken so far.
    counted: Option<Arc<Entry>>,
    is_template: bool,
    took: i64,
    /// When the time of its statement is up.
    deadline: Option<u64>,
}

impl Portal {
    /// Whether it has stopped because the sink was full, or for data.
    fn is_under_way(&self) -> bool {
        match &self.state {
            State::Begun(Begun::Rows(running)) => running.is_stopped(),
            State::Begun(_) => true,
            _ => false,
        }
    }

    /// All its rows were given out elsewhere.
    pub fn end(&mut self) {
        self.state = match self.columns.is_empty() {
            true => State::Done,
            false => {
                let mut rows = Box::new(Collected::default());
                rows.end("SELECT 0");
                State::Collected(rows)
            }
        };
    }

    /// Its parameters, which it does not need any more.
    fn given(&mut self) -> Given {
        Given { types: self.types.clone(), values: std::mem::take(&mut self.params) }
    }

    /// When the time of its statement is up, in nanoseconds of the session's clock.
    pub(crate) fn deadline(&self) -> Option<u64> {
        self.deadline
    }

    /// When it was opened.
    pub(crate) fn birth(&self) -> Birth {
        self.birth
    }
}

/// What a fetch came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fetched {
    /// As many rows as asked for; there may be more.
    Suspended,
    /// The last row; the command tag.
    Complete(String),
    /// The sink is full: there is more of what was asked for.
    Full,
    /// Data of a COPY are wanted: see [`Session::feed_portal`].
    CopyIn,
}

impl Session {
    /// A portal on `prepared`; nothing is run yet.
    ///
    /// # Errors
    /// `08P01` for another number of parameters; what planning says.
    pub fn open_portal(&mut self, name: &str, prepared: &mut Prepared, params: Vec<Datum>) -> Result<Portal> {
        let planned = is_planned(&prepared.statement.kind);
        let before = prepared.columns.clone();
        let outcome = self.check_bind(prepared, &params).and_then(|()| {
            if !planned {
                return Ok(());
            }
            self.plan_prepared(prepared)?;
            if !same_shape(&before, &prepared.columns) {
                let message = "cached plan must not change result type";
                return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
            }
            Ok(())
        });
        if let Err(e) = outcome {
            self.fail();
            return Err(e);
        }
        self.counted(&mut prepared.counted, &prepared.sql, prepared.is_template);
        if planned {
            // The transaction that the portal ends with.
            self.begin_transaction();
        }
        Ok(self.portal(name, prepared, params))
    }

    /// The unnamed portal on `prepared`, whose statement a full sink has stopped.
    pub(crate) fn stopped_portal(&mut self, prepared: &Prepared, running: Box<Running>) -> Portal {
        let portal = self.portal("", prepared, Vec::new());
        Portal {
            took: self.last_took(),
            deadline: running.deadline,
            state: State::Begun(Begun::Rows(running)),
            ..portal
        }
    }

    fn portal(&mut self, name: &str, prepared: &Prepared, params: Vec<Datum>) -> Portal {
        Portal {
            name: name.to_owned(),
            sql: prepared.sql.clone(),
            stack_bytes: prepared.stack_bytes,
            statement: prepared.statement.clone(),
            plan: prepared.plan.as_ref().map(|p| (p.0, p.1.clone(), prepared.columns.clone())),
            columns: prepared.columns.clone(),
            params,
            types: prepared.params.clone(),
            state: State::Ready,
            birth: self.portals.birth(),
            counted: prepared.counted.clone(),
            is_template: prepared.is_template,
            took: 0,
            deadline: None,
        }
    }

    pub(crate) fn check_bind(&self, prepared: &Prepared, params: &[Datum]) -> Result<()> {
        if self.block_state() == BlockState::Failed && !prepared.ends_transaction() {
            return Err(aborted());
        }
        if params.len() != prepared.params.len() {
            let message = format!(
                "bind message supplies {} parameters, but prepared statement requires {}",
                params.len(),
                prepared.params.len()
            );
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
        }
        Ok(())
    }

    /// Gives out at most `row_count_max` more rows of `portal`; 0 is all. What the statement did is not committed: see
    /// [`Session::sync`].
    ///
    /// # Errors
    /// The statement's.
    pub fn fetch(&mut self, portal: &mut Portal, row_count_max: u64, sink: &mut dyn Sink) -> Result<Fetched> {
        self.report_begin_if_idle(&portal.sql);
        self.fetch_timed(portal, row_count_max, None, sink)
    }

    /// Gives a portal that wants them more data of a COPY, or says that there are no more.
    ///
    /// # Errors
    /// What the data say.
    pub fn feed_portal(&mut self, portal: &mut Portal, data: Option<&Bytes>, sink: &mut dyn Sink) -> Result<Fetched> {
        self.fetch_timed(portal, 0, Some(data), sink)
    }

    fn fetch_timed(
        &mut self,
        portal: &mut Portal,
        max: u64,
        data: Option<Option<&Bytes>>,
        sink: &mut dyn Sink,
    ) -> Result<Fetched> {
        stack::with_room(portal.stack_bytes, || {
            // Going on is no new statement.
            if !portal.is_under_way() {
                portal.deadline = self.start_deadline();
            }
            let deadline = portal.deadline;
            let mut slot = portal.counted.take();
            let is_counted = self.counted(&mut slot, &portal.sql, portal.is_template).is_some();
            let fetched =
                self.guarded_telling(deadline, sink, |session, sink| session.fetch_inner(portal, max, data, sink));
            portal.took += self.last_took();
            if let Ok(Fetched::Complete(tag)) = &fetched {
                self.note_end(slot.as_ref().filter(|_| is_counted), &portal.sql, portal.took, tag);
                portal.took = 0;
            }
            portal.counted = slot;
            fetched
        })
    }

    /// As [`Session::fetch`], within a statement; `data` as for [`Session::go_on`].
    pub(crate) fn fetch_inner(
        &mut self,
        portal: &mut Portal,
        max: u64,
        data: Option<Option<&Bytes>>,
        sink: &mut dyn Sink,
    ) -> Result<Fetched> {
        if !self.is_alive(portal) {
            let message = format!("portal \"{}\" does not exist", portal.name);
            return Err(SqlError::new(SqlState::INVALID_CURSOR_NAME, message));
        }
        let kind = &portal.statement.kind;
        if let State::Ready = portal.state {
            if is_planned(kind) {
                self.begin_portal(portal)?;
            } else if max > 0 && Collected::is_for(kind) {
                portal.state = State::Done;
                let mut collected = Box::new(Collected::default());
                let given = portal.given();
                let tag = self.with_given(given, |session| {
                    session.dispatch(&portal.sql, &portal.statement, &mut collected.sink(sink))
                })?;
                collected.end(&tag);
                portal.state = State::Collected(collected);
            } else {
                portal.state = State::Done;
                let given = portal.given();
                let begun =
                    self.with_given(given, |session| session.begin_statement(&portal.sql, &portal.statement, sink))?;
                portal.state = State::Begun(begun);
            }
        }
        let begun = match &mut portal.state {
            State::Begun(begun) => begun,
            State::Collected(collected) => {
                let image = self.image()?;
                let names = Names { image: &image, search_path: &self.search_path };
                return collected.give(max, &portal.columns, &names, sink);
            }
            State::Ready | State::Done => {
                let message = format!("portal \"{}\" cannot be run", portal.name);
                return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
            }
        };
        if matches!(begun, Begun::Rows(_)) {
            self.check_not_failed()?;
        }
        Ok(match self.go_on(begun, max, data, sink)? {
            Went::Portion => Fetched::Suspended,
            Went::Full => Fetched::Full,
            Went::CopyIn => Fetched::CopyIn,
            Went::Ended(tag) => {
                // Those of which there may be more rows are asked again.
                let stays = matches!(begun, Begun::Rows(running) if running.yields_rows());
                if !stays {
                    portal.state = State::Done;
                }
                if Collected::is_for(&portal.statement.kind) {
                    let mut none = Box::new(Collected::default());
                    none.end(&tag);
                    portal.state = State::Collected(none);
                }
                Fetched::Complete(tag)
            }
        })
    }

    /// As [`Session::fail_feed`], of a portal.
    pub fn fail_portal_feed(&mut self, portal: &mut Portal, error: SqlError) -> SqlError {
        self.fail();
        match std::mem::replace(&mut portal.state, State::Done) {
            State::Begun(Begun::CopyIn(mut state)) => state.with_line(error),
            _ => error,
        }
    }

    /// Takes the snapshot of a portal that is planned; its rows are made later.
    pub(crate) fn begin_portal(&mut self, portal: &mut Portal) -> Result<()> {
        self.enter()?;
        let (node, columns) =
            self.locked_plan(&portal.sql, &portal.statement.kind, portal.plan.take(), &portal.types)?;
        let mut running = Box::new(self.start(node, columns)?);
        if !portal.name.is_empty() {
            running.keep_snapshot(self);
        }
        running.params = std::mem::take(&mut portal.params);
        portal.state = State::Begun(Begun::Rows(running));
        Ok(())
    }
}

/// Whether two results look alike to who reads them.
pub(crate) fn same_shape(a: &[OutputColumn], b: &[OutputColumn]) -> bool {
    let shape = |c: &OutputColumn| (c.name.clone(), c.ty, c.typmod);
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| shape(a) == shape(b))
}
