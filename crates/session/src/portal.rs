//! `Portal`: a statement under way, whose rows are fetched in portions.
//!
//! A portal keeps its operators and its snapshot between fetches; rows are made when they are asked for. It ends with the transaction
//! it was made in. What writes runs to its end before the first portion is given out, as in PostgreSQL.

use std::collections::VecDeque;
use std::sync::Arc;

use binder::Names;
use bytes::Bytes;
use exec::{Account, BoxOperator, Context};
use plan::{Node, OutputColumn};
use storage::lock::{Mode, Tag};
use storage::txn::{Snapshot, SnapshotHold};
use syntax::ast::{Statement, StatementKind};
use types::{Datum, Oid, Result, SqlError, SqlState};
use vector::Chunk;

use crate::collected::Collected;
use crate::copy::{CopyIn, CopyOut};
use crate::host::SessionHost;
use crate::lifetime::Birth;
use crate::prepared::{Operators, Prepared};
use crate::run::Begun;
use crate::session::{BasedPlan, BlockState, Session, Sink, aborted, is_planned};
use crate::stack;

/// A statement whose changes asked for more than this settles what it can before it goes on.
pub(crate) const EVENTS_HELD_MAX: usize = 8192;

/// What of a running plan outlives a call of its operators.
pub(crate) struct Execution {
    snapshot: Snapshot,
    fixed_snapshot: bool,
    account: Account,
    pub(crate) state: exec::State,
    /// Keeps the snapshot from being purged while other statements run.
    hold: Option<SnapshotHold>,
}

impl Execution {
    /// What its changes ask for at its end.
    pub(crate) fn take_events(&mut self) -> Vec<exec::Event> {
        std::mem::take(&mut self.state.events)
    }
}

/// A plan under way.
pub(crate) struct Running {
    node: Arc<Node>,
    columns: Arc<Vec<OutputColumn>>,
    root: BoxOperator,
    execution: Box<Execution>,
    /// Rows made but not fetched yet.
    held: VecDeque<Chunk>,
    ended: bool,
    /// Room for rows.
    chunk: Chunk,
    /// Rows of the last fetch.
    fetched: u64,
    /// Whether rows were asked for in portions.
    portions: bool,
    reads_tables: bool,
    /// The sink was full before all was given out that was asked for.
    more: Option<More>,
}

/// What is still to be given out.
#[derive(Clone, Copy)]
struct More {
    /// So many rows at most.
    left: u64,
    /// When the time of the statement is up.
    deadline: Option<u64>,
}

/// What running operators came to.
enum Ran {
    /// The statement's end, and what it asks for then.
    Ended(Vec<exec::Event>),
    /// The sink is full.
    Full(Box<Execution>),
}

/// What pulling rows came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pulled {
    /// There are no more.
    All,
    /// As many as were asked for; there may be more.
    Portion,
    /// The sink is full.
    Full,
}

impl Running {
    pub(crate) fn tag(&self) -> String {
        let affected = if self.portions { self.fetched } else { self.execution.state.affected };
        let mut node = &*self.node;
        while let Node::With { body, .. } = node {
            node = body;
        }
        match node {
            Node::Insert { .. } => format!("INSERT 0 {affected}"),
            Node::Update { .. } => format!("UPDATE {affected}"),
            Node::Delete { .. } => format!("DELETE {affected}"),
            Node::Merge { .. } => format!("MERGE {affected}"),
            _ => format!("SELECT {}", self.fetched),
        }
    }
}

enum State {
    Ready,
    Running(Box<Running>),
    /// What SHOW, EXECUTE or FETCH yielded, being given out in portions.
    Collected(Box<Collected>),
    CopyIn(Box<CopyIn>),
    CopyOut(Box<CopyOut>),
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
}

impl Portal {
    /// Whether it has stopped because the sink was full, or for data.
    fn is_under_way(&self) -> bool {
        match &self.state {
            State::Running(running) => running.more.is_some(),
            State::CopyIn(_) | State::CopyOut(_) => true,
            _ => false,
        }
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
        if planned {
            // The transaction that the portal ends with.
            self.begin_transaction();
        }
        Ok(Portal {
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
        })
    }

    fn check_bind(&self, prepared: &Prepared, params: &[Datum]) -> Result<()> {
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
        stack::with_room(portal.stack_bytes, || {
            // Going on is no new statement.
            let begun = match &portal.state {
                State::Running(running) => running.more.and_then(|more| more.deadline),
                _ => None,
            };
            let deadline = begun.or_else(|| self.new_deadline());
            if begun.is_none() && !portal.is_under_way() {
                self.interrupt.start_statement(deadline.unwrap_or(0));
            }
            let fetched = self.guarded_until(deadline, |session| session.fetch_inner(portal, row_count_max, sink));
            if let State::Running(running) = &mut portal.state
                && let Some(more) = &mut running.more
            {
                more.deadline = deadline;
            }
            fetched
        })
    }

    pub(crate) fn fetch_inner(&mut self, portal: &mut Portal, max: u64, sink: &mut dyn Sink) -> Result<Fetched> {
        if !self.is_alive(portal) {
            let message = format!("portal \"{}\" does not exist", portal.name);
            return Err(SqlError::new(SqlState::INVALID_CURSOR_NAME, message));
        }
        if let State::Ready = portal.state {
            if !is_planned(&portal.statement.kind) {
                portal.state = State::Done;
                let (sql, statement) = (portal.sql.clone(), portal.statement.clone());
                if let StatementKind::Copy(copy) = &statement.kind
                    && sink.suspends()
                    && copy.file.is_none()
                    && !copy.program
                {
                    portal.state = match self.begin_copy(&sql, copy, sink)? {
                        Begun::CopyIn(state) => State::CopyIn(state),
                        Begun::CopyOut(state) => State::CopyOut(state),
                        _ => State::Done,
                    };
                    return self.fetch_copy(portal, None, sink);
                }
                let mut collected = Box::new(Collected::default());
                let portions = max > 0 && Collected::is_for(&statement.kind);
                let tag = match portions {
                    true => self.dispatch(&sql, &statement, &mut collected.sink(sink))?,
                    false => self.dispatch(&sql, &statement, sink)?,
                };
                if Collected::is_for(&statement.kind) {
                    collected.end(&tag);
                    portal.state = State::Collected(collected);
                }
                if !portions {
                    return Ok(Fetched::Complete(tag));
                }
            } else {
                self.begin_portal(portal)?;
            }
        }
        if let State::CopyOut(_) = &portal.state {
            return self.fetch_copy(portal, None, sink);
        }
        if let State::Collected(collected) = &mut portal.state {
            let image = self.image()?;
            let names = Names { image: &image, search_path: &self.search_path };
            return collected.give(max, &portal.columns, &names, sink);
        }
        if self.block_state() == BlockState::Failed {
            return Err(aborted());
        }
        let State::Running(running) = &mut portal.state else {
            let message = format!("portal \"{}\" cannot be run", portal.name);
            return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message));
        };
        let pulled = self.pull(running, &portal.params, max, sink)?;
        if pulled == Pulled::Full {
            return Ok(Fetched::Full);
        }
        let events = running.take_events();
        if !events.is_empty() {
            self.run_events(events, false)?;
        }
        if pulled == Pulled::All {
            let tag = running.tag();
            if !running.yields_rows() {
                portal.state = State::Done;
            }
            return Ok(Fetched::Complete(tag));
        }
        Ok(Fetched::Suspended)
    }

    /// Gives a portal that wants them more data of a COPY, or says that there are no more.
    ///
    /// # Errors
    /// What the data say.
    pub fn feed_portal(&mut self, portal: &mut Portal, data: Option<&Bytes>, sink: &mut dyn Sink) -> Result<Fetched> {
        stack::with_room(portal.stack_bytes, || {
            let deadline = self.new_deadline();
            self.guarded_until(deadline, |session| session.fetch_copy(portal, Some(data), sink))
        })
    }

    /// As [`Session::fail_feed`], of a portal.
    pub fn fail_portal_feed(&mut self, portal: &mut Portal, error: SqlError) -> SqlError {
        self.fail();
        match std::mem::replace(&mut portal.state, State::Done) {
            State::CopyIn(mut state) => state.with_line(error),
            _ => error,
        }
    }

    /// Goes on with a COPY; `data` is what the client has sent, with `None` in it that this was all.
    fn fetch_copy(
        &mut self,
        portal: &mut Portal,
        data: Option<Option<&Bytes>>,
        sink: &mut dyn Sink,
    ) -> Result<Fetched> {
        let tag = match &mut portal.state {
            State::CopyIn(state) => match data {
                None => return Ok(Fetched::CopyIn),
                Some(data) => self.feed_copy(state, data, sink)?,
            },
            State::CopyOut(state) => self.copy_some(state, sink)?.then(|| state.tag()),
            _ => return Err(SqlError::internal("a COPY that is not under way")),
        };
        match tag {
            Some(tag) => {
                portal.state = State::Done;
                Ok(Fetched::Complete(tag))
            }
            None if matches!(portal.state, State::CopyIn(_)) => Ok(Fetched::CopyIn),
            None => Ok(Fetched::Full),
        }
    }

    /// Takes the snapshot of a portal that is planned; its rows are made later.
    pub(crate) fn begin_portal(&mut self, portal: &mut Portal) -> Result<()> {
        self.check_not_failed()?;
        self.begin_transaction();
        let (node, columns) =
            self.locked_plan(&portal.sql, &portal.statement.kind, portal.plan.take(), &portal.types)?;
        let mut running = Box::new(self.start(node, columns)?);
        if !portal.name.is_empty() {
            running.keep_snapshot(self);
        }
        portal.state = State::Running(running);
        Ok(())
    }

    /// Runs a planned statement to its end, with the operators of its last run (S5). What it did is not committed yet.
    pub(crate) fn execute_planned(
        &mut self,
        prepared: &mut Prepared,
        params: &[Datum],
        sink: &mut dyn Sink,
        tag: &mut String,
    ) -> Result<Option<Box<Running>>> {
        self.check_bind(prepared, params)?;
        loop {
            if !self.user.superuser || !prepared.is_current(self.basis()) {
                let before = prepared.columns.clone();
                self.plan_prepared(prepared)?;
                if !Arc::ptr_eq(&before, &prepared.columns) && !same_shape(&before, &prepared.columns) {
                    let message = "cached plan must not change result type";
                    return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
                }
            }
            self.begin_transaction();
            if !self.user.superuser
                && let Some((_, node)) = &prepared.plan
            {
                self.check_privileges(&prepared.sql, node)?;
            }
            let Some((basis, node)) = &prepared.plan else { return Err(SqlError::internal("just planned")) };
            if self.read_only {
                self.check_plan_reads(node)?;
            }
            let operators = prepared.operators.get_or_insert_with(|| operators(node));
            let (db, policy) = (self.db.id, self.lock_policy());
            let Some(txn) = &mut self.txn else { return Err(SqlError::internal("just begun")) };
            for &(table, writes) in &operators.tables {
                let mode = if writes { Mode::RowExclusive } else { Mode::AccessShare };
                let tag = Tag::Relation(db, table.0);
                if !txn.holds(tag, mode) {
                    txn.lock(tag, mode, policy)?;
                }
            }
            // Whoever held the lock may have changed the table (S3).
            if *basis == self.basis() {
                break;
            }
        }
        let Some(mut running) = prepared.operators.take() else { return Err(SqlError::internal("just made")) };
        let outcome = self.run_operators(&mut running, &prepared.columns, params, sink, tag);
        if let Ok(Ran::Full(execution)) = outcome {
            let Some((_, node)) = &prepared.plan else { return Err(SqlError::internal("just planned")) };
            let mut suspended = Box::new(Running::of(node.clone(), prepared.columns.clone(), running.root, execution));
            (suspended.reads_tables, suspended.more) = (true, Some(More { left: u64::MAX, deadline: None }));
            suspended.fetched = tag.parse().unwrap_or(0);
            suspended.keep_snapshot(self);
            return Ok(Some(suspended));
        }
        running.root.reset();
        prepared.operators = Some(running);
        if let Ran::Ended(events) = outcome?
            && !events.is_empty()
        {
            self.run_events(events, false)?;
        }
        Ok(None)
    }

    fn run_operators(
        &mut self,
        running: &mut Operators,
        columns: &[OutputColumn],
        params: &[Datum],
        sink: &mut dyn Sink,
        tag: &mut String,
    ) -> Result<Ran> {
        let mut execution = self.execution(running.writes, running.yields)?;
        let Operators { root, chunk, tables, yields, .. } = running;
        let (mut rows, mut begun, mut full) = (0, false, false);
        let mut events_max = EVENTS_HELD_MAX;
        while self.with_context(&mut execution, params, |ctx| {
            if *yields && !std::mem::replace(&mut begun, true) {
                // PostgreSQL computes what is constant before it says anything.
                let computed = tables.is_empty() && root.next(ctx, chunk)?;
                sink.columns(columns)?;
                if computed && chunk.rows > 0 {
                    rows += chunk.rows as u64;
                    sink.chunk(chunk, ctx.types)?;
                }
            }
            while root.next(ctx, chunk)? {
                if *yields && chunk.rows > 0 {
                    rows += chunk.rows as u64;
                    sink.chunk(chunk, ctx.types)?;
                    if sink.is_full() {
                        full = true;
                        return Ok(false);
                    }
                }
                if ctx.state.events.len() >= events_max {
                    return Ok(true);
                }
            }
            Ok(false)
        })? {
            events_max = self.settle_some(&mut execution)?;
        }
        if full {
            // What was given out is counted on.
            tag.clear();
            tag.push_str(itoa::Buffer::new().format(rows));
            return Ok(Ran::Full(execution));
        }
        let count = if running.word == "SELECT " { rows } else { execution.state.affected };
        tag.clear();
        tag.push_str(running.word);
        tag.push_str(itoa::Buffer::new().format(count));
        let events = execution.take_events();
        execution.state.clear();
        execution.account.reset();
        // Nothing of the transaction outlives it.
        execution.snapshot.own = None;
        self.spare_execution = Some(execution);
        Ok(Ran::Ended(events))
    }

    /// Settles what a statement's changes have asked for so far, as far as that is possible before its end; how many events it may hold
    /// before the next attempt.
    pub(crate) fn settle_some(&mut self, execution: &mut Execution) -> Result<usize> {
        let mut events = execution.take_events();
        let bytes = |events: &[exec::Event]| events.iter().map(exec::Event::bytes).sum::<usize>();
        let before = bytes(&events);
        self.settle_references(&mut events)?;
        execution.account.release(before.saturating_sub(bytes(&events)));
        let held = events.len();
        execution.state.events = events;
        Ok(EVENTS_HELD_MAX.max(2 * held))
    }

    /// Takes the snapshot of a planned statement and makes its operators.
    pub(crate) fn start(&mut self, node: Arc<Node>, columns: Arc<Vec<OutputColumn>>) -> Result<Running> {
        if self.read_only {
            self.check_plan_reads(&node)?;
        }
        let yields = !columns.is_empty() || !writes(&node);
        let execution = self.execution(node.writes(), yields)?;
        let root = exec::build(&node);
        let mut reads_tables = false;
        node.visit_tables(&mut |_, _| reads_tables = true);
        Ok(Running { reads_tables, ..Running::of(node, columns, root, execution) })
    }

    /// A new command with a snapshot of its own.
    /// `yields` says whether it answers rows.
    pub(crate) fn execution(&mut self, writes: bool, yields: bool) -> Result<Box<Execution>> {
        if let Some(txn) = &mut self.txn {
            txn.next_command();
            if yields {
                // X5: its rows may rest on what others have committed and the disk has not.
                txn.settle()?;
            }
            if writes {
                // Before the snapshot, so that it knows its own changes.
                txn.begin_writing()?;
            }
        }
        let snapshot = self.snapshot();
        let fixed_snapshot = self.snapshot_is_fixed();
        if let Some(mut spare) = self.spare_execution.take() {
            (spare.snapshot, spare.fixed_snapshot) = (snapshot, fixed_snapshot);
            spare.state.builds_early = !yields;
            return Ok(spare);
        }
        let account = Account::new(self.runtime.options.statement_bytes, &self.meter);
        let mut state = exec::State::default();
        state.builds_early = !yields;
        Ok(Box::new(Execution { snapshot, fixed_snapshot, account, state, hold: None }))
    }

    /// Calls `f` with what operators work with.
    pub(crate) fn with_context<T>(
        &mut self,
        execution: &mut Execution,
        params: &[Datum],
        f: impl FnOnce(&mut Context<'_>) -> Result<T>,
    ) -> Result<T> {
        self.settle_view()?;
        // Lent, not cloned: sessions on other cores would meet at its count.
        let Some(view) = &self.view else { return Err(SqlError::internal("just settled")) };
        let (image, basis) = (view.catalog(), self.basis().at(view.version()));
        let Some(txn) = &mut self.txn else { return Err(SqlError::internal("a statement without a transaction")) };
        let names = Names { image, search_path: &self.search_path };
        let bodies = crate::routine::Bodies {
            runtime: &self.runtime,
            db: &self.db,
            catalog: &self.catalog,
            image,
            basis,
            search_path: &self.search_path,
            io: &self.settings.io,
            trusted: self.trusted,
            cache: &self.bodies,
        };
        let mut host = SessionHost {
            runtime: &self.runtime,
            db: &self.db,
            database: &self.database_name,
            image,
            search_path: &self.search_path,
            temporary: self.temporary,
            settings: &self.settings,
            pending: &mut self.pending,
            sequences: &mut self.sequences,
            user: &self.user,
            entered: Vec::new(),
            session_user: self.settings.session_role.as_ref().unwrap_or(&self.login),
            interrupt: &self.interrupt,
            advisory: &mut self.advisory,
            read_only: self.read_only,
            exports: &mut self.exports,
            listening: &mut self.listening,
            named: &self.named,
            pid: txn.owner().0,
            started: self.started,
            snapshot: &execution.snapshot,
            xid: txn.xid().map(|x| x.0),
            sql: None,
            cursors: &self.named.cursors,
        };
        txn.set_lock_timeout(self.settings.lock_timeout_ms);
        let programs = self.settings.programs(&self.runtime.jit);
        let mut ctx = Context {
            db: &self.db,
            shared: &self.shared,
            txn,
            snapshot: &execution.snapshot,
            fixed_snapshot: execution.fixed_snapshot,
            params,
            settings: &self.settings.io,
            types: &names,
            host: &mut host,
            routines: &bodies,
            programs,
            account: &mut execution.account,
            state: &mut execution.state,
        };
        f(&mut ctx)
    }

    /// Gives out at most `max` more rows, 0 being all; whether that was the last. A portion that is full is not known to be the last.
    pub(crate) fn pull(
        &mut self,
        running: &mut Running,
        params: &[Datum],
        max: u64,
        sink: &mut dyn Sink,
    ) -> Result<Pulled> {
        let yields = running.yields_rows();
        running.portions |= yields && (max > 0 || running.ended);
        if !running.reads_tables && !running.ended && running.held.is_empty() {
            // PostgreSQL computes what is constant before it says anything.
            match running.next_chunk_with(self, params)? {
                Some(chunk) => running.held.push_back(chunk),
                None => running.ended = true,
            }
        }
        let portions = max > 0;
        let mut left = if portions { max } else { u64::MAX };
        let again = running.more.take();
        if let Some(more) = again {
            left = more.left;
        }
        if yields {
            sink.begin(&running.columns, again.is_some())?;
        }
        let Running { node, root, execution, held, ended, fetched, chunk, more, .. } = running;
        if again.is_none() {
            *fetched = 0;
        }
        let mut events_max = EVENTS_HELD_MAX;
        while self.with_context(execution, params, |ctx| {
            if portions && yields && writes(node) {
                while !*ended {
                    let mut chunk = Chunk::default();
                    if root.next(ctx, &mut chunk)? {
                        ctx.account.charge(chunk.bytes())?;
                        held.push_back(chunk);
                    } else {
                        *ended = true;
                    }
                    if ctx.state.events.len() >= events_max {
                        return Ok(true);
                    }
                }
            }
            while left > 0 {
                match held.pop_front() {
                    Some(first) => *chunk = first,
                    None if *ended => break,
                    None => {
                        if ctx.state.events.len() >= events_max {
                            return Ok(true);
                        }
                        if !root.next(ctx, chunk)? {
                            *ended = true;
                            break;
                        }
                    }
                }
                let rows = chunk.rows as u64;
                if rows == 0 || !yields {
                    continue;
                }
                if rows <= left {
                    sink.chunk(chunk, ctx.types)?;
                    (*fetched, left) = (*fetched + rows, left - rows);
                    if left > 0 && sink.is_full() {
                        *more = Some(More { left, deadline: None });
                        return Ok(false);
                    }
                } else {
                    let (now, later): (Vec<u32>, Vec<u32>) = (0..chunk.rows as u32).partition(|&i| u64::from(i) < left);
                    sink.chunk(&chunk.select(&now), ctx.types)?;
                    held.push_front(chunk.select(&later));
                    (*fetched, left) = (*fetched + left, 0);
                }
            }
            Ok(false)
        })? {
            events_max = self.settle_some(execution)?;
        }
        let full = more.is_some();
        if left > 0 && !full {
            return Ok(Pulled::All);
        }
        if execution.hold.is_none() {
            let hold = self.runtime.engine().shared().txns.hold();
            hold.keep(execution.snapshot.lsn);
            execution.hold = Some(hold);
        }
        Ok(if full { Pulled::Full } else { Pulled::Portion })
    }
}

impl Running {
    /// A plan that has given out nothing.
    fn of(node: Arc<Node>, columns: Arc<Vec<OutputColumn>>, root: BoxOperator, execution: Box<Execution>) -> Running {
        Running {
            node,
            columns,
            root,
            execution,
            held: VecDeque::new(),
            ended: false,
            chunk: Chunk::default(),
            fetched: 0,
            portions: false,
            reads_tables: false,
            more: None,
        }
    }

    fn yields_rows(&self) -> bool {
        !self.columns.is_empty() || !writes(&self.node)
    }

    /// The next rows, whatever the statement; `None` after the last.
    pub(crate) fn next_chunk(&mut self, session: &mut Session) -> Result<Option<Chunk>> {
        self.next_chunk_with(session, &[])
    }

    /// The same of a statement with parameters.
    pub(crate) fn next_chunk_with(&mut self, session: &mut Session, params: &[Datum]) -> Result<Option<Chunk>> {
        let Running { root, execution, .. } = self;
        let mut chunk = Chunk::default();
        let more = session.with_context(execution, params, |ctx| root.next(ctx, &mut chunk))?;
        Ok(more.then_some(chunk))
    }

    /// What its changes ask for at its end.
    pub(crate) fn take_events(&mut self) -> Vec<exec::Event> {
        self.execution.take_events()
    }

    /// What its expressions became.
    pub(crate) fn jit_use(&self) -> exec::JitUse {
        self.execution.state.jit_use()
    }

    /// The code of each of them.
    pub(crate) fn jit_disassembly(&self) -> Vec<String> {
        self.execution.state.jit_disassembly()
    }

    pub(crate) fn columns(&self) -> &Arc<Vec<OutputColumn>> {
        &self.columns
    }

    /// Protects the snapshot between calls.
    pub(crate) fn keep_snapshot(&mut self, session: &Session) {
        let hold = session.runtime.engine().shared().txns.hold();
        hold.keep(self.execution.snapshot.lsn);
        self.execution.hold = Some(hold);
    }
}

/// Whether two results look alike to who reads them.
fn same_shape(a: &[OutputColumn], b: &[OutputColumn]) -> bool {
    let shape = |c: &OutputColumn| (c.name.clone(), c.ty, c.typmod);
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| shape(a) == shape(b))
}

/// The operators of `node`, and what there is to know before they run.
fn operators(node: &Node) -> Operators {
    let mut tables: Vec<(Oid, bool)> = Vec::new();
    node.visit_tables(&mut |table, writes| {
        if table.source == plan::TableSource::Stored && !tables.contains(&(table.oid, writes)) {
            tables.push((table.oid, writes));
        }
    });
    // The strongest lock first: taking it second could deadlock with another who did the same.
    tables.sort_by_key(|t| !t.1);
    let mut outer = node;
    while let Node::With { body, .. } = outer {
        outer = body;
    }
    let word = match outer {
        Node::Insert { .. } => "INSERT 0 ",
        Node::Update { .. } => "UPDATE ",
        Node::Delete { .. } => "DELETE ",
        Node::Merge { .. } => "MERGE ",
        _ => "SELECT ",
    };
    Operators {
        root: exec::build(node),
        quick: exec::Quick::of(node),
        chunk: Chunk::default(),
        tables,
        writes: node.writes(),
        yields: word == "SELECT " || !node.types().is_empty(),
        word,
    }
}

/// Whether the statement itself changes rows; queries in its WITH may do so without.
fn writes(node: &Node) -> bool {
    match node {
        Node::With { body, .. } => writes(body),
        node => matches!(node, Node::Insert { .. } | Node::Update { .. } | Node::Delete { .. } | Node::Merge { .. }),
    }
}
