//! `Execution`: a plan under way, from its snapshot to its last row.
//!
//! Who may touch it: it belongs to one statement of one session, and is worked with by the thread that runs the session, one call of
//! [`Session::with_context`] at a time; threads that help with a part of the plan get what they need lent for the call. Between calls it lies in
//! the [`Running`] of a portal, a cursor or a [`crate::Run`], parked with its session: nothing of it refers to a thread. It ends with its
//! statement, at the latest with its transaction, whose locks and snapshot it rests on.

use std::collections::VecDeque;
use std::sync::Arc;

use binder::Names;
use exec::{Account, BoxOperator, Context};
use plan::{Node, OutputColumn};
use storage::txn::{Snapshot, SnapshotHold};
use types::{Datum, Result, SqlError};
use vector::Chunk;

use crate::host::SessionHost;
use crate::session::{Session, Sink, tell};

/// A statement whose changes asked for more than this settles what it can before it goes on.
pub(crate) const EVENTS_HELD_MAX: usize = 8192;

/// What of a running plan outlives a call of its operators.
pub(crate) struct Execution {
    snapshot: Snapshot,
    fixed_snapshot: bool,
    pub(crate) account: Account,
    pub(crate) state: exec::State,
    /// Keeps the snapshot from being purged while other statements run.
    hold: Option<SnapshotHold>,
}

impl Execution {
    /// Empties it for the next statement: nothing of the transaction outlives it.
    pub(crate) fn clear(&mut self) {
        self.state.clear();
        self.account.reset();
        self.snapshot.own = None;
    }

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
    /// Values of its parameters.
    pub(crate) params: Vec<Datum>,
    pub(crate) execution: Box<Execution>,
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
    /// The sink was full before all was given out that was asked for: so many rows at most are still to be.
    more: Option<u64>,
    /// When the time of its statement is up, of one that was stopped in [`Session::execute_or_suspend`].
    pub(crate) deadline: Option<u64>,
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

impl Running {
    /// A plan that has given out nothing.
    pub(crate) fn of(
        node: Arc<Node>,
        columns: Arc<Vec<OutputColumn>>,
        root: BoxOperator,
        execution: Box<Execution>,
    ) -> Running {
        Running {
            node,
            columns,
            root,
            params: Vec::new(),
            execution,
            held: VecDeque::new(),
            ended: false,
            chunk: Chunk::default(),
            fetched: 0,
            portions: false,
            reads_tables: false,
            more: None,
            deadline: None,
        }
    }

    /// One that a full sink has stopped after `rows` rows. Its snapshot is kept.
    pub(crate) fn suspended(mut self, rows: u64, session: &Session) -> Running {
        (self.reads_tables, self.more, self.fetched) = (true, Some(u64::MAX), rows);
        self.keep_snapshot(session);
        self
    }

    /// Whether a full sink has stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        self.more.is_some()
    }

    pub(crate) fn yields_rows(&self) -> bool {
        !self.columns.is_empty() || !writes(&self.node)
    }

    /// The next rows, whatever the statement; `None` after the last.
    pub(crate) fn next_chunk(&mut self, session: &mut Session) -> Result<Option<Chunk>> {
        let Running { root, execution, params, .. } = self;
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

impl Session {
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
            notices: &mut self.notices,
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
    pub(crate) fn pull(&mut self, running: &mut Running, max: u64, sink: &mut dyn Sink) -> Result<Pulled> {
        let yields = running.yields_rows();
        running.portions |= yields && (max > 0 || running.ended);
        if !running.reads_tables && !running.ended && running.held.is_empty() {
            // PostgreSQL computes what is constant before it says anything.
            match running.next_chunk(self)? {
                Some(chunk) => running.held.push_back(chunk),
                None => running.ended = true,
            }
        }
        let portions = max > 0;
        let mut left = if portions { max } else { u64::MAX };
        let again = running.more.take();
        if let Some(more) = again {
            left = more;
        }
        if yields {
            sink.begin(&running.columns, again.is_some())?;
        }
        let Running { node, root, execution, params, held, ended, fetched, chunk, more, .. } = running;
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
                    tell(ctx.host, sink);
                    sink.chunk(chunk, ctx.types)?;
                    (*fetched, left) = (*fetched + rows, left - rows);
                    if left > 0 && sink.is_full() {
                        *more = Some(left);
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

/// Whether the statement itself changes rows; queries in its WITH may do so without.
pub(crate) fn writes(node: &Node) -> bool {
    match node {
        Node::With { body, .. } => writes(body),
        node => matches!(node, Node::Insert { .. } | Node::Update { .. } | Node::Delete { .. } | Node::Merge { .. }),
    }
}
