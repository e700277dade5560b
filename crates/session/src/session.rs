//! `Session`: runs statements, one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use binder::{Binder, Bound};
use bytes::Bytes;
use plan::{Node, OutputColumn};
use storage::lock::{Interrupt, Mode, OwnerId, Tag, WaitPolicy};
use storage::txn::{Savepoint, Snapshot, SnapshotHold, Transaction};
use storage::{Database, Lsn};
use syntax::ast::{
    IsolationLevel, SetValue, Statement, StatementKind, TransactionStatement, VariableSet, VariableSetKind,
};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};
use vector::Chunk;

use crate::basis::{self, Changes};
use crate::copy::CopyShape;
use crate::foreign_key::Deferral;
use crate::host::{Pending, Sequences, micros_since_2000};
use crate::monitor::Present;
use crate::portal::Fetched;
use crate::prepared::Prepared;
use crate::runtime::{CancelHandle, DEFAULT_ROLE, DbCatalog, Role, Runtime};
use crate::settings::{self, Settings};
use crate::stack;
use crate::view::View;

/// Where results go.
pub trait Sink {
    /// The next statement yields rows of these columns.
    ///
    /// # Errors
    /// What the receiver says; the statement fails with it.
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()>;
    /// Some of its rows; `names` knows what values of types like `regclass` are called.
    ///
    /// # Errors
    /// As [`Sink::columns`].
    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> Result<()>;
    /// A statement is done; its command tag.
    fn complete(&mut self, tag: &str);
    /// A notice or warning.
    fn notice(&mut self, _notice: &SqlError) {}
    /// COPY FROM STDIN: data of this shape are about to be asked for.
    ///
    /// # Errors
    /// As [`Sink::columns`]; `0A000` where there is nobody to ask.
    fn copy_in(&mut self, _shape: CopyShape) -> Result<()> {
        Err(SqlError::unsupported("COPY FROM STDIN in this call"))
    }
    /// Some data, of any length; `None` when there are no more.
    ///
    /// # Errors
    /// When the sender gave up.
    fn copy_read(&mut self) -> Result<Option<Bytes>> {
        Ok(None)
    }
    /// COPY TO STDOUT: data of this shape follow.
    ///
    /// # Errors
    /// As [`Sink::copy_in`].
    fn copy_out(&mut self, _shape: CopyShape) -> Result<()> {
        Err(SqlError::unsupported("COPY TO STDOUT in this call"))
    }
    /// A row of them.
    ///
    /// # Errors
    /// As [`Sink::columns`].
    fn copy_data(&mut self, _row: &[u8]) -> Result<()> {
        Ok(())
    }
    /// That was the last one.
    ///
    /// # Errors
    /// As [`Sink::columns`].
    fn copy_done(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Whether a transaction block is open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockState {
    /// None is.
    Idle,
    /// One is.
    InBlock,
    /// One is, and failed (S1).
    Failed,
}

/// A session. `Send`, tied to no thread.
pub struct Session {
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) db: Arc<Database>,
    /// The database of what all databases share.
    pub(crate) shared: Arc<Database>,
    pub(crate) database_name: String,
    pub(crate) user: Role,
    /// Who logged in.
    pub(crate) login: Role,
    pub(crate) owner: OwnerId,
    pub(crate) interrupt: Arc<Interrupt>,
    pub(crate) settings: Settings,
    pub(crate) search_path: Vec<Oid>,
    /// Its schema of temporary relations, if there is one.
    pub(crate) temporary: Option<Oid>,
    /// What happens to which temporary tables at commit.
    pub(crate) on_commit: Vec<(Oid, syntax::ast::OnCommit)>,
    block: BlockState,
    pub(crate) txn: Option<Box<Transaction>>,
    /// One that has ended, to be used again: a session that reads all day allocates none.
    spare: Option<Box<Transaction>>,
    /// Whether statements see the newest state, whatever the isolation level.
    latest: bool,
    /// What its statements and cursors take.
    pub(crate) meter: Arc<exec::Meter>,
    savepoints: Vec<OpenSavepoint>,
    pub(crate) isolation: IsolationLevel,
    /// Whether the transaction only reads.
    pub(crate) read_only: bool,
    /// The snapshot of a REPEATABLE READ transaction, and what keeps it from being purged.
    pub(crate) fixed: Option<(Lsn, SnapshotHold)>,
    pub(crate) catalog: Arc<DbCatalog>,
    pub(crate) view: Option<View>,
    /// What the transaction changed in the catalog.
    pub(crate) changes: Changes,
    /// The text of several statements that is being run.
    script: Option<Script>,
    /// A number that no other session of this process has.
    pub(crate) number: u64,
    pub(crate) sequences: Sequences,
    /// Settings that functions changed, put into effect at the end of the statement.
    pub(crate) pending: Vec<Pending>,
    pub(crate) deferral: Deferral,
    /// Start of the transaction and of the statement: microseconds since 2000.
    pub(crate) started: (i64, i64),
    /// Settings before the transaction, and what it set for longer than itself.
    before: Option<Before>,
    pub(crate) named: crate::named::Named,
    /// Texts that came before.
    pub(crate) known: crate::known::KnownStatements,
    /// Snapshots that its transaction has exported.
    pub(crate) exports: Vec<crate::export::Export>,
    /// Advisory locks it holds.
    pub(crate) advisory: crate::advisory::Advisory,
    /// Room for a command tag.
    tag: String,
    pub(crate) portals: crate::lifetime::Portals,
    /// Whether a statement of our own is running, which needs no privileges.
    pub(crate) trusted: bool,
    /// Whether it does what nobody asked for.
    pub(crate) unasked: bool,
    /// Functions of users that it has called.
    pub(crate) bodies: std::cell::RefCell<crate::routine::BodyCache>,
}

/// A text of several statements, and how far its characters are counted.
struct Script {
    /// Where the text lies, and how long it is: while it runs no other does.
    place: (usize, usize),
    characters: binder::Characters,
}

impl Script {
    fn new(sql: &str) -> Script {
        Script { place: (sql.as_ptr().addr(), sql.len()), characters: binder::Characters::of(sql) }
    }

    fn is(&self, sql: &str) -> bool {
        self.place == (sql.as_ptr().addr(), sql.len())
    }
}

impl Session {
    /// A session of the default role on database `name`.
    ///
    /// # Errors
    /// `3D000`.
    pub fn new(runtime: &Arc<Runtime>, name: &str) -> Result<Session> {
        Session::with_role(runtime, name, DEFAULT_ROLE)
    }

    /// A session of role `user` on database `name`. Who the caller is was found out before.
    ///
    /// # Errors
    /// `3D000`; `28000` when there is no such role, or it may not log in.
    pub fn with_role(runtime: &Arc<Runtime>, name: &str, user: &str) -> Result<Session> {
        let engine = runtime.engine();
        let user = runtime.role(user)?.ok_or_else(|| {
            let message = format!("role \"{user}\" does not exist");
            SqlError::new(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message)
        })?;
        if !user.can_login {
            let message = format!("role \"{}\" is not permitted to log in", user.name);
            return Err(SqlError::new(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, message));
        }
        let db = runtime.database(name)?;
        runtime.count_sessions(db.id, 1);
        let (owner, interrupt) = (engine.new_owner(), engine.new_interrupt());
        let present = Present { database: Oid(db.id.0), user: user.oid, since: micros_since_2000(&interrupt) };
        runtime.present.lock().insert(owner.0, present);
        Ok(Session {
            catalog: runtime.catalog(db.id),
            shared: runtime.shared()?,
            db,
            database_name: name.to_owned(),
            login: user.clone(),
            user,
            owner,
            interrupt,
            settings: Settings::default(),
            search_path: Vec::new(),
            temporary: None,
            on_commit: Vec::new(),
            block: BlockState::Idle,
            txn: None,
            spare: None,
            latest: false,
            meter: exec::Meter::new("session", runtime.options.session_bytes, &runtime.meter),
            savepoints: Vec::new(),
            isolation: IsolationLevel::ReadCommitted,
            read_only: false,
            fixed: None,
            view: None,
            changes: Changes::default(),
            script: None,
            number: basis::session_number(),
            sequences: Sequences::default(),
            pending: Vec::new(),
            deferral: Deferral::default(),
            started: (0, 0),
            before: None,
            named: crate::named::Named::default(),
            known: crate::known::KnownStatements::default(),
            exports: Vec::new(),
            advisory: crate::advisory::Advisory::default(),
            tag: String::new(),
            portals: crate::lifetime::Portals::default(),
            trusted: false,
            unasked: false,
            bodies: std::cell::RefCell::default(),
            runtime: runtime.clone(),
        })
    }

    /// Who runs statements here.
    pub fn user(&self) -> &Role {
        &self.user
    }

    /// The database's name.
    pub fn database_name(&self) -> &str {
        &self.database_name
    }

    /// A value as text, with names as the catalog has them.
    ///
    /// # Errors
    /// What the type's output says.
    pub fn text_out(&self, ty: Oid, value: &Datum, out: &mut Vec<u8>) -> Result<()> {
        match &self.view {
            Some(view) => {
                let names = binder::Names { image: view.catalog(), search_path: &self.search_path };
                types::io::text_out_with(ty, value, &self.settings.io, &names, out)
            }
            None => types::io::text_out(ty, value, &self.settings.io, out),
        }
    }

    /// Appends the binary form of a value.
    ///
    /// # Errors
    /// What the type's output says.
    pub fn binary_out(&self, ty: Oid, value: &Datum, out: &mut Vec<u8>) -> Result<()> {
        match &self.view {
            Some(view) => {
                let names = binder::Names { image: view.catalog(), search_path: &self.search_path };
                types::io::binary_out_with(ty, value, &names, out)
            }
            None => types::io::binary_out(ty, value, out),
        }
    }

    /// Cancels this session's statements from elsewhere.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle(self.interrupt.clone())
    }

    /// The number others see it by.
    pub fn process_id(&self) -> u32 {
        self.owner.0
    }

    /// Whether a transaction block is open.
    pub fn block_state(&self) -> BlockState {
        self.block
    }

    /// The settings that text forms depend on.
    pub fn settings_io(&self) -> &types::IoSettings {
        &self.settings.io
    }

    /// The value of a setting, as SHOW prints it.
    ///
    /// # Errors
    /// `42704`.
    pub fn setting(&self, name: &str) -> Result<String> {
        self.settings.get(name)
    }

    /// Milliseconds the client may now be silent before the session is to end, and what it then ends with; `None`: any.
    pub fn patience(&self) -> Option<(u64, SqlError)> {
        let (in_block, idle) = self.settings.idle_timeouts_ms;
        let (ms, state, what) = match self.block {
            BlockState::Idle => (idle, SqlState::IDLE_SESSION_TIMEOUT, "idle-session"),
            _ => (in_block, SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT, "idle-in-transaction"),
        };
        (ms > 0).then(|| (ms, SqlError::new(state, format!("terminating connection due to {what} timeout"))))
    }

    /// Sets a setting for the rest of the session.
    ///
    /// # Errors
    /// `42704`, `22023`, `0A000`.
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<()> {
        self.settings.set(name, Some(value))
    }

    /// Runs all statements of `sql`. Outside of a block they are one transaction, as in PostgreSQL's simple query.
    ///
    /// # Errors
    /// The first statement's that fails; those after it are not run.
    pub fn run(&mut self, sql: &str, sink: &mut dyn Sink) -> Result<()> {
        stack::with_room(stack::need(sql), || self.run_inner(sql, sink))
    }

    fn run_inner(&mut self, sql: &str, sink: &mut dyn Sink) -> Result<()> {
        if let Some(mut known) = self.known(sql) {
            let outcome = self.execute(&mut known.prepared, &known.values, sink);
            self.keep(known);
            return outcome;
        }
        let statements = match syntax::parse(sql) {
            Ok(statements) => statements,
            Err(e) => {
                self.fail();
                return Err(e);
            }
        };
        let outer = self.script.take();
        if statements.len() > 1 {
            self.script = Some(Script::new(sql));
        }
        let outcome = statements.iter().enumerate().try_for_each(|(i, statement)| {
            let last = i + 1 == statements.len();
            if let Some(script) = &mut self.script {
                script.characters.before(sql, statement.span.start.0 as usize);
            }
            let tag = self.guarded(|session| session.dispatch(sql, statement, sink))?;
            if last {
                self.sync()?;
            }
            sink.complete(&tag);
            Ok(())
        });
        self.script = outer;
        outcome
    }

    /// Parses, and plans where there is something to plan.
    ///
    /// # Errors
    /// As running it would say.
    pub fn prepare(&mut self, sql: &str, param_types: &[Oid]) -> Result<Prepared> {
        let outcome = stack::with_room(stack::need(sql), || self.prepare_inner(sql, param_types));
        if outcome.is_err() {
            self.fail();
        }
        outcome
    }

    fn prepare_inner(&mut self, sql: &str, param_types: &[Oid]) -> Result<Prepared> {
        let mut statements = syntax::parse(sql)?;
        if statements.len() > 1 {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
        }
        let Some(statement) = statements.pop() else {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "the statement is empty"));
        };
        self.prepare_parsed(sql, statement, param_types.to_vec())
    }

    /// Plans a statement of `sql`, if it is one to plan.
    pub(crate) fn prepare_parsed(&mut self, sql: &str, statement: Statement, params: Vec<Oid>) -> Result<Prepared> {
        let mut prepared = Prepared {
            sql: Arc::from(sql),
            stack_bytes: stack::need(sql),
            statement: Arc::new(statement),
            params,
            columns: Arc::default(),
            plan: None,
            operators: None,
        };
        if !prepared.ends_transaction() {
            self.check_not_failed()?;
        }
        if is_planned(&prepared.statement.kind) {
            self.plan_prepared(&mut prepared)?;
        } else {
            prepared.columns = self.unplanned_columns(&prepared.statement.kind)?;
        }
        Ok(prepared)
    }

    pub(crate) fn plan_prepared(&mut self, prepared: &mut Prepared) -> Result<()> {
        let basis = self.basis();
        if prepared.plan.as_ref().is_some_and(|p| p.0 == basis) {
            return Ok(());
        }
        let started = self.txn.is_none();
        if started {
            self.begin_transaction();
        }
        let outcome = self.bind(&prepared.sql, &prepared.statement.kind, prepared.params.clone());
        let outcome = outcome.and_then(|(bound, params)| {
            Ok((self.optimized(bound.node)?, self.as_based(Arc::new(bound.columns))?, params))
        });
        if started {
            self.txn = None;
        }
        let (node, columns, params) = outcome?;
        if let Some(index) = params.iter().position(|p| *p == oid::UNKNOWN) {
            let message = format!("could not determine data type of parameter ${}", index + 1);
            return Err(SqlError::new(SqlState::INDETERMINATE_DATATYPE, message));
        }
        (prepared.columns, prepared.params) = (columns, params);
        prepared.plan = Some((basis, Arc::new(node)));
        prepared.operators = None;
        Ok(())
    }

    /// Runs a prepared statement to its end, and commits unless a transaction block is open.
    ///
    /// # Errors
    /// The statement's.
    pub fn execute(&mut self, prepared: &mut Prepared, params: &[Datum], sink: &mut dyn Sink) -> Result<()> {
        if is_planned(&prepared.statement.kind) && !matches!(prepared.statement.kind, StatementKind::Copy(_)) {
            let mut tag = std::mem::take(&mut self.tag);
            let outcome = stack::with_room(prepared.stack_bytes, || {
                self.guarded(|session| {
                    session.execute_planned(prepared, params, sink, &mut tag)?;
                    if session.block == BlockState::Idle { session.finish_implicit() } else { Ok(()) }
                })
            });
            if outcome.is_ok() {
                self.runtime.engine().nudge();
                sink.complete(&tag);
            }
            self.tag = tag;
            return outcome;
        }
        let mut portal = self.open_portal("", prepared, params.to_vec())?;
        let fetched = self.fetch(&mut portal, 0, sink)?;
        self.sync()?;
        if let Fetched::Complete(tag) = fetched {
            sink.complete(&tag);
        }
        Ok(())
    }

    /// Commits what was done outside of a transaction block: the end of a message of several statements, or of a series of prepared ones.
    ///
    /// # Errors
    /// What committing says; then all of it is rolled back.
    pub fn sync(&mut self) -> Result<()> {
        if self.block != BlockState::Idle || self.txn.is_none() {
            return Ok(());
        }
        self.guarded(Session::finish_implicit)?;
        self.runtime.engine().nudge();
        Ok(())
    }

    /// Something outside of the session went wrong in the middle of the transaction: it is as if a statement had failed.
    pub fn fail_transaction(&mut self) {
        self.fail();
    }

    /// Calls `f` as a statement: under its deadline, its panics and errors ending it (S1, S2, S4).
    pub(crate) fn guarded<T>(&mut self, f: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let deadline = match self.settings.statement_timeout_ms {
            0 => 0,
            ms => self.interrupt.clock().monotonic_nanos() + ms * 1_000_000,
        };
        self.interrupt.start_statement(deadline);
        self.trusted = false;
        self.started.1 = micros_since_2000(&self.interrupt);
        let outcome = catch_unwind(AssertUnwindSafe(|| f(self)));
        let outcome = outcome.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Err(SqlError::internal(format!("internal error: {}", text.unwrap_or_default())))
        });
        self.interrupt.start_statement(0);
        let outcome = outcome.and_then(|value| self.apply_pending().map(|()| value));
        if outcome.is_err() {
            self.pending.clear();
            self.fail();
        }
        outcome
    }

    /// A statement failed: its block has too (S1), or its own transaction is rolled back (S2).
    pub(crate) fn fail(&mut self) {
        match self.block {
            BlockState::Idle => self.end_transaction(),
            BlockState::InBlock => {
                self.block = BlockState::Failed;
                // What was done since the last savepoint stays until the user says what to do; locks likewise.
            }
            BlockState::Failed => {}
        }
    }

    fn end_transaction(&mut self) {
        self.txn = None;
        self.exports.clear();
        if self.advisory.in_transaction() {
            self.advisory.end_transaction(&self.runtime.engine().shared().locks, self.owner);
        }
        self.portals.end_transaction();
        // What they hold is given back now.
        self.forget_dead_cursors();
        self.fixed = None;
        self.savepoints.clear();
        self.forget_changes(0);
        self.deferral = Deferral::default();
        self.block = BlockState::Idle;
        if let Some((settings, _)) = self.before.take() {
            let generation = self.settings.generation + 1;
            self.settings = *settings;
            self.settings.generation = generation;
            self.follow_role();
        }
        self.default_modes();
    }

    pub(crate) fn begin_transaction(&mut self) {
        if self.txn.is_none() {
            self.txn = Some(match self.spare.take() {
                Some(mut spare) => {
                    spare.begin_again();
                    spare
                }
                None => Box::new(self.runtime.engine().begin(self.owner, self.interrupt.clone())),
            });
            if self.started.1 == 0 {
                self.started.1 = micros_since_2000(&self.interrupt);
            }
            self.started.0 = self.started.1;
            self.settings.io.now = self.started.0;
        }
    }

    pub(crate) fn finish_implicit(&mut self) -> Result<()> {
        if self.txn.is_none() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.deferral.events);
        if !waiting.is_empty() {
            self.run_events(waiting, true)?;
        }
        if !self.on_commit.is_empty() {
            self.run_on_commit()?;
        }
        let Some(mut txn) = self.txn.take() else { return Ok(()) };
        let changes = self.changes.take();
        let catalog = &self.catalog;
        // Before locks are released: whoever waited for one of them must see that its plan is old (S3).
        let outcome = txn.commit_with(self.settings.synchronous_commit, || {
            if !changes.is_empty() {
                catalog.publish(&changes);
            }
        });
        self.spare = Some(txn);
        // What was set for longer than the transaction stays.
        if outcome.is_ok()
            && let Some((settings, kept)) = self.before.take()
        {
            let generation = self.settings.generation + 1;
            let mut settings = *settings;
            for (name, value) in kept {
                self.set_in(&mut settings, &name, value.as_deref())?;
            }
            settings.generation = generation.max(settings.generation + 1);
            self.settings = settings;
            self.follow_role();
        }
        if outcome.is_ok() {
            self.keep_held_cursors();
        }
        self.end_transaction();
        Ok(outcome?)
    }

    /// Commits, then does `f`, which must not be before.
    pub(crate) fn finish_and(&mut self, f: impl FnOnce(&mut Session) -> Result<()>) -> Result<()> {
        self.finish_implicit()?;
        f(self)
    }

    /// Changes a setting: until the transaction ends if `local`; taken back if it is rolled back.
    pub(crate) fn change_setting(&mut self, name: &str, value: Option<&str>, local: bool) -> Result<()> {
        let mut changed = self.settings.clone();
        self.set_in(&mut changed, name, value)?;
        let before = std::mem::replace(&mut self.settings, changed);
        if self.txn.is_some() {
            let (_, kept) = self.before.get_or_insert_with(|| (Box::new(before), Vec::new()));
            if !local {
                kept.push((name.to_owned(), value.map(str::to_owned)));
            }
        } else if local {
            self.settings = before;
        }
        self.follow_role();
        Ok(())
    }

    /// Sets `name` in `settings`; roles are looked up.
    fn set_in(&self, settings: &mut Settings, name: &str, value: Option<&str>) -> Result<()> {
        let session = name.eq_ignore_ascii_case("session_authorization");
        if !session && !name.eq_ignore_ascii_case("role") {
            return settings.set(name, value);
        }
        let role = match value {
            None => None,
            Some(none) if !session && none == "none" => None,
            Some(name) => {
                let role = self.runtime.role(name)?.ok_or_else(|| {
                    let message = format!("role \"{name}\" does not exist");
                    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
                })?;
                let (may, what) = if session {
                    (self.login.superuser || role.oid == self.login.oid, "session authorization")
                } else {
                    let from = settings.session_role.as_ref().unwrap_or(&self.login);
                    (from.superuser || role.oid == from.oid, "role")
                };
                if !may {
                    let message = format!("permission denied to set {what} \"{name}\"");
                    return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
                }
                Some(role)
            }
        };
        settings.set(name, role.as_ref().map(|role| role.name.as_str()))?;
        if session {
            settings.set("role", None)?;
            (settings.session_role, settings.role) = (role, None);
        } else {
            settings.role = role;
        }
        Ok(())
    }

    /// Makes the session's user the one that its settings name.
    fn follow_role(&mut self) {
        let wanted = self.settings.role.as_ref().or(self.settings.session_role.as_ref()).unwrap_or(&self.login);
        if self.user != *wanted {
            self.user = wanted.clone();
        }
    }

    /// Who the session runs as when it sets no role (`session_user`).
    pub fn session_user(&self) -> &Role {
        self.settings.session_role.as_ref().unwrap_or(&self.login)
    }

    fn apply_pending(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        for change in std::mem::take(&mut self.pending) {
            self.change_setting(&change.name, change.value.as_deref(), change.local)?;
        }
        Ok(())
    }

    /// The snapshot of the statement about to run.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let Some(txn) = &mut self.txn else { unreachable!("a statement runs in a transaction") };
        if self.isolation == IsolationLevel::ReadCommitted || self.latest {
            return txn.snapshot();
        }
        match &self.fixed {
            Some((lsn, _)) => txn.snapshot_at(*lsn),
            None => {
                let snapshot = txn.snapshot();
                let hold = self.runtime.engine().shared().txns.hold();
                hold.keep(snapshot.lsn);
                self.fixed = Some((snapshot.lsn, hold));
                snapshot
            }
        }
    }

    /// Whether rows changed since the snapshot are an error.
    pub(crate) fn snapshot_is_fixed(&self) -> bool {
        self.fixed.is_some() && !self.latest
    }

    /// Calls `f`, whose statements see what is committed now even in a transaction with a fixed snapshot: DDL must not miss rows, nor may
    /// what foreign keys ask.
    pub(crate) fn with_latest<T>(&mut self, f: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let before = std::mem::replace(&mut self.latest, true);
        let outcome = f(self);
        self.latest = before;
        outcome
    }

    /// `25P02` in a failed transaction block.
    ///
    /// # Errors
    /// That.
    pub fn check_not_failed(&self) -> Result<()> {
        if self.block == BlockState::Failed { Err(aborted()) } else { Ok(()) }
    }

    pub(crate) fn bind(&mut self, sql: &str, kind: &StatementKind, params: Vec<Oid>) -> Result<(Bound, Vec<Oid>)> {
        if let StatementKind::Copy(copy) = kind {
            return Ok((self.copy_bound(sql, copy)?, params));
        }
        let image = self.image()?;
        let characters = match &self.script {
            Some(script) if script.is(sql) => script.characters,
            _ => binder::Characters::of(sql),
        };
        let mut binder = Binder::within(&image, sql, characters, &self.settings.io, &self.search_path);
        binder.params = params;
        let mut bound = match kind {
            StatementKind::Select(s) => binder.query(s)?,
            StatementKind::Insert(s) => binder.insert(s)?,
            StatementKind::Update(s) => binder.update(s)?,
            StatementKind::Delete(s) => binder.delete(s)?,
            StatementKind::Merge(s) => binder.merge(s)?,
            _ => return Err(SqlError::internal("only queries and DML are planned")),
        };
        // Which columns a row has is known within the statement only.
        bound.columns.iter_mut().filter(|c| c.ty == oid::RECORD).for_each(|c| c.typmod = -1);
        let (params, views, written, routines) = (binder.params, binder.views, binder.written_views, binder.routines);
        let inner = binder.inner_views;
        self.check_views(&image, &views)?;
        self.check_inner_views(&image, &inner)?;
        self.check_written_views(&image, &written)?;
        self.check_routines(&image, &routines)?;
        Ok((bound, params))
    }

    /// Columns as clients are told of them: values of domains are values of what those are over.
    fn as_based(&mut self, columns: Arc<Vec<OutputColumn>>) -> Result<Arc<Vec<OutputColumn>>> {
        if !columns.iter().any(|c| c.ty.user_kind() == Some(oid::UserType::Domain)) {
            return Ok(columns);
        }
        let image = self.image()?;
        let based = |c: &OutputColumn| {
            let (ty, typmod) = image.base_type(c.ty);
            let typmod = if ty == c.ty { c.typmod } else { typmod };
            OutputColumn { ty, typmod, ..c.clone() }
        };
        Ok(Arc::new(columns.iter().map(based).collect()))
    }

    /// Runs one statement within the transaction; answers its command tag.
    pub(crate) fn dispatch(&mut self, sql: &str, statement: &Statement, sink: &mut dyn Sink) -> Result<String> {
        if let StatementKind::Transaction(t) = &statement.kind {
            return self.transaction(t, sink);
        }
        self.check_not_failed()?;
        self.begin_transaction();
        let mut quiet = Quiet { inner: sink, level: self.settings.client_min_messages };
        let sink: &mut dyn Sink = &mut quiet;
        if self.read_only && !is_planned(&statement.kind) {
            self.check_statement_reads(&statement.kind)?;
        }
        match &statement.kind {
            kind if is_planned(kind) => {
                let (node, columns) = self.locked_plan(sql, kind, None, &[])?;
                let columns = self.as_based(columns)?;
                let mut running = self.start(node, columns)?;
                self.pull(&mut running, &[], 0, sink)?;
                self.run_events(running.take_events(), false)?;
                Ok(running.tag())
            }
            StatementKind::Copy(c) => self.copy(sql, c, sink),
            StatementKind::Prepare(p) => self.prepare_statement(sql, p),
            StatementKind::Execute(e) => self.execute_statement(sql, e, sink),
            StatementKind::Deallocate(d) => self.deallocate(d.name.as_ref().map(|n| n.as_str())),
            StatementKind::DeclareCursor(d) => self.declare_cursor(sql, d),
            StatementKind::Fetch(f) => self.fetch_cursor(f, sink),
            StatementKind::ClosePortal(c) => self.close_cursor(c.name.as_ref().map(|n| n.as_str())),
            StatementKind::CreateTable(c) => self.create_table(sql, c, sink),
            StatementKind::CreateTableAs(c) if c.materialized_view => self.create_materialized_view(sql, c, sink),
            StatementKind::CreateView(c) => self.create_view(sql, c, sink),
            StatementKind::RefreshMaterializedView(r) => self.refresh_view(sql, r),
            StatementKind::CreateTableAs(c) => self.create_table_as(sql, c, sink),
            StatementKind::Select(s) => self.select_into(sql, s),
            StatementKind::Grant(g) => self.grant(sql, g, sink),
            StatementKind::GrantRole(g) => self.grant_role(g, sink),
            StatementKind::CreateType(c) => self.create_type(sql, c),
            StatementKind::CreateFunction(c) => self.create_function(sql, c),
            StatementKind::AlterFunction(a) => self.alter_function(sql, a),
            StatementKind::Define(d) => self.define(sql, d, sink),
            StatementKind::CreateCast(c) => self.create_cast(sql, c),
            StatementKind::AlterObjectSchema(a) => self.alter_schema_of(sql, a),
            StatementKind::Call(c) => self.call_procedure(sql, c, sink),
            StatementKind::Do(d) => self.do_block(d),
            StatementKind::AlterType(a) => self.alter_type(sql, a, sink),
            StatementKind::CreateDomain(c) => self.create_domain(sql, c),
            StatementKind::AlterDomain(a) => self.alter_domain(sql, a, sink),
            StatementKind::AlterEnum(a) => self.alter_enum(a, sink),
            StatementKind::AlterTable(a) => self.alter_table(sql, a, sink),
            StatementKind::CreateIndex(c) => self.create_index(sql, c, sink),
            StatementKind::CreateSequence(c) => self.create_sequence(sql, c, sink),
            StatementKind::AlterSequence(a) => self.alter_sequence(sql, a, sink),
            StatementKind::CreateSchema(c) => self.create_schema(sql, c, sink),
            StatementKind::Drop(d) => self.drop_objects(sql, d, sink),
            StatementKind::Rename(r) => self.rename(sql, r, sink),
            StatementKind::AlterOwner(a) => self.alter_owner(sql, a),
            StatementKind::Comment(c) => self.comment(sql, c),
            StatementKind::Truncate(t) => self.truncate(sql, t),
            StatementKind::CreateRole(c) => self.create_role(sql, c),
            StatementKind::AlterRole(a) => self.alter_role(sql, a),
            StatementKind::DropRole(d) => self.drop_role(sql, d, sink),
            StatementKind::CreateDatabase(c) => self.create_database(sql, c),
            StatementKind::DropDatabase(d) => self.drop_database(sql, d, sink),
            StatementKind::Vacuum(v) => self.vacuum(sql, v),
            StatementKind::Reindex(r) => self.reindex(sql, r),
            StatementKind::Checkpoint(_) => {
                self.runtime.engine().checkpoint()?;
                Ok("CHECKPOINT".to_owned())
            }
            StatementKind::Lock(l) => self.lock_tables(sql, l),
            StatementKind::SetConstraints(c) => self.set_constraints(sql, c),
            StatementKind::Discard(d) => self.discard(d),
            StatementKind::Set(s) => self.set(s, sink),
            StatementKind::Explain(e) => self.explain(sql, e, sink),
            StatementKind::Show(s) => self.show(&s.name, sink),
            other => Err(SqlError::unsupported(statement_name(other))),
        }
    }

    fn show(&mut self, name: &str, sink: &mut dyn Sink) -> Result<String> {
        if name.eq_ignore_ascii_case("all") {
            sink.columns(&[text_column("name"), text_column("setting"), text_column("description")])?;
            let mut chunk = Chunk::new(&[types::Physical::Var; 3]);
            for (name, value) in self.settings.all() {
                chunk.push_row(&[Datum::text(&name), Datum::text(&value), Datum::text("")]);
            }
            sink.chunk(&chunk, &types::io::BuiltinTypes)?;
            return Ok("SHOW".to_owned());
        }
        let value = match &*name.to_lowercase() {
            "transaction_read_only" => if self.read_only { "on" } else { "off" }.to_owned(),
            "transaction_isolation" => self.isolation.as_str().to_owned(),
            "session_authorization" => self.session_user().name.clone(),
            "is_superuser" => if self.user.superuser { "on" } else { "off" }.to_owned(),
            _ => self.settings.get(name)?,
        };
        sink.columns(&[text_column(Settings::shown_name(name))])?;
        let mut chunk = Chunk::new(&[types::Physical::Var]);
        chunk.push_row(&[Datum::text(&value)]);
        sink.chunk(&chunk, &types::io::BuiltinTypes)?;
        Ok("SHOW".to_owned())
    }

    /// Runs a statement of our own; its rows, and what it asks for at its end.
    pub(crate) fn internal(
        &mut self,
        sql: &str,
        params: &[Datum],
        types: &[Oid],
    ) -> Result<(Vec<Vec<Datum>>, Vec<exec::Event>)> {
        let statements = syntax::parse(sql)?;
        let Some(statement) = statements.first() else { return Ok(Default::default()) };
        self.trusted = true;
        let planned = self.locked_plan(sql, &statement.kind, None, types);
        self.trusted = false;
        let (node, columns) = planned?;
        let mut running = self.with_latest(|s| s.start(node, columns))?;
        let mut rows = Vec::new();
        while let Some(chunk) = running.next_chunk_with(self, params)? {
            rows.extend((0..chunk.rows).map(|i| chunk.row(i)));
        }
        Ok((rows, running.take_events()))
    }

    /// A plan whose tables are locked, made from a catalog in which they are as they are (S3).
    pub(crate) fn locked_plan(
        &mut self,
        sql: &str,
        kind: &StatementKind,
        mut plan: Option<(Arc<Node>, Arc<Vec<OutputColumn>>)>,
        types: &[Oid],
    ) -> Result<(Arc<Node>, Arc<Vec<OutputColumn>>)> {
        loop {
            let (node, columns) = match plan.take() {
                Some(plan) => plan,
                None => {
                    let (bound, params) = self.bind(sql, kind, types.to_vec())?;
                    if params.len() > types.len() {
                        return Err(no_parameter(sql, types.len() + 1));
                    }
                    (Arc::new(self.optimized(bound.node)?), Arc::new(bound.columns))
                }
            };
            self.check_privileges(sql, &node)?;
            let mut taken = false;
            let (db, policy) = (self.db.id, self.lock_policy());
            if let Some(txn) = &mut self.txn {
                let mut outcome = Ok(());
                node.visit_tables(&mut |table, writes| {
                    let mode = if writes { Mode::RowExclusive } else { Mode::AccessShare };
                    let tag = Tag::Relation(db, table.oid.0);
                    let stored = table.source == plan::TableSource::Stored;
                    if stored && outcome.is_ok() && !txn.holds(tag, mode) {
                        taken = true;
                        outcome = txn.lock(tag, mode, policy);
                    }
                });
                outcome?;
            }
            if !taken || self.catalog_dirty() || self.plan_is_current(&node)? {
                return Ok((node, columns));
            }
        }
    }

    /// Whether the catalog still has the tables that `node` was planned for, as they were.
    fn plan_is_current(&mut self, node: &Node) -> Result<bool> {
        let image = self.image()?;
        let mut current = true;
        node.visit_tables(&mut |table, _| {
            if table.source == plan::TableSource::Stored {
                let info = image.by_oid(table.oid);
                current &= info.is_some_and(|info| binder::table_ref(&image, info).is_ok_and(|now| now == **table));
            }
        });
        Ok(current)
    }

    fn transaction(&mut self, t: &TransactionStatement, sink: &mut dyn Sink) -> Result<String> {
        let warn = |sink: &mut dyn Sink, state: SqlState, text: &str| {
            sink.notice(&SqlError::new(state, text).severity(types::error::Severity::Warning));
        };
        match t {
            TransactionStatement::Begin { start, modes } => {
                match self.block {
                    BlockState::Idle => {
                        self.take_modes(modes)?;
                        self.begin_transaction();
                        self.block = BlockState::InBlock;
                    }
                    BlockState::InBlock => {
                        let text = "there is already a transaction in progress";
                        warn(sink, SqlState::ACTIVE_SQL_TRANSACTION, text);
                    }
                    BlockState::Failed => {
                        return Err(aborted());
                    }
                }
                Ok(if *start { "START TRANSACTION" } else { "BEGIN" }.to_owned())
            }
            TransactionStatement::Commit { chain } | TransactionStatement::Rollback { chain } => {
                let commit = matches!(t, TransactionStatement::Commit { .. });
                if *chain {
                    self.require_block(if commit { "COMMIT AND CHAIN" } else { "ROLLBACK AND CHAIN" })?;
                }
                let (commit, modes) = (commit && self.block != BlockState::Failed, (self.isolation, self.read_only));
                if self.block == BlockState::Idle {
                    let text = "there is no transaction in progress";
                    warn(sink, SqlState::NO_ACTIVE_SQL_TRANSACTION, text);
                }
                if commit {
                    self.block = BlockState::Idle;
                    self.finish_implicit()?;
                } else {
                    self.end_transaction();
                }
                if *chain {
                    (self.isolation, self.read_only) = modes;
                    self.begin_transaction();
                    self.block = BlockState::InBlock;
                }
                Ok(if commit { "COMMIT" } else { "ROLLBACK" }.to_owned())
            }
            TransactionStatement::Savepoint(name) => {
                self.require_block("SAVEPOINT")?;
                self.check_not_failed()?;
                if let Some(txn) = &mut self.txn {
                    let open = OpenSavepoint {
                        name: name.as_str().to_owned(),
                        savepoint: txn.savepoint(),
                        changes: self.changes.len(),
                        events: self.deferral.events.len(),
                        portals: self.portals.opened(),
                    };
                    self.savepoints.push(open);
                }
                Ok("SAVEPOINT".to_owned())
            }
            TransactionStatement::Release(name) => {
                self.require_block("RELEASE SAVEPOINT")?;
                let (index, savepoint) = self.find_savepoint(name)?;
                if let Some(txn) = &mut self.txn {
                    txn.release(savepoint);
                }
                self.savepoints.truncate(index);
                Ok("RELEASE".to_owned())
            }
            TransactionStatement::RollbackTo(name) => {
                self.require_block("ROLLBACK TO SAVEPOINT")?;
                let (index, savepoint) = self.find_savepoint(name)?;
                if let Some(txn) = &mut self.txn {
                    txn.rollback_to(savepoint)?;
                    // The savepoint itself stays.
                    let again = txn.savepoint();
                    self.savepoints.truncate(index + 1);
                    let open = &mut self.savepoints[index];
                    open.savepoint = again;
                    let (changes, events, portals) = (open.changes, open.events, open.portals);
                    self.portals.roll_back(portals);
                    self.forget_changes(changes);
                    self.deferral.events.truncate(events);
                }
                self.block = BlockState::InBlock;
                Ok("ROLLBACK".to_owned())
            }
            TransactionStatement::Prepare(_)
            | TransactionStatement::CommitPrepared(_)
            | TransactionStatement::RollbackPrepared(_) => Err(SqlError::unsupported("PREPARE TRANSACTION")),
        }
    }

    fn require_block(&self, what: &str) -> Result<()> {
        if self.block != BlockState::Idle {
            return Ok(());
        }
        let message = format!("{what} can only be used in transaction blocks");
        Err(SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, message))
    }

    fn find_savepoint(&self, name: &str) -> Result<(usize, Savepoint)> {
        let found = self.savepoints.iter().rposition(|s| s.name == name);
        let message = format!("savepoint \"{name}\" does not exist");
        let index = found.ok_or_else(|| SqlError::new(SqlState::INVALID_SAVEPOINT_SPECIFICATION, message))?;
        Ok((index, self.savepoints[index].savepoint))
    }

    /// How long statements wait for locks.
    pub(crate) fn lock_policy(&self) -> WaitPolicy {
        WaitPolicy::Wait(self.settings.lock_timeout_ms)
    }

    /// The time zone that an interval is: a POSIX name, as PostgreSQL shows it.
    fn offset_of(&mut self, e: &syntax::ast::Expr) -> Result<String> {
        let image = self.image()?;
        let bound = {
            let mut binder = Binder::new(&image, "", &self.settings.io, &self.search_path);
            binder.constant_of(e, Oid(1186))?
        };
        let node = Node::Values { rows: vec![vec![bound]], types: vec![Oid(1186)] };
        let mut running = self.start(Arc::new(node), Arc::default())?;
        let row = running.next_chunk(self)?.map(|chunk| chunk.row(0)).unwrap_or_default();
        let interval = match row.first() {
            Some(Datum::B16(bytes)) => types::datetime::Interval::from_bytes(bytes),
            _ => return Err(SqlError::internal("an interval is what was asked for")),
        };
        if interval.months != 0 || interval.days != 0 {
            let word = if interval.months != 0 { "months" } else { "days" };
            let text = types::io::to_text(Oid(1186), &row[0], &types::IoSettings::default())?;
            let message = format!("invalid value for parameter \"TimeZone\": \"INTERVAL '{text}'\"");
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
                .detail(format!("Cannot specify {word} in time zone interval.")));
        }
        Ok(settings::zone_of_offset(interval.micros / 1_000_000))
    }

    fn set(&mut self, set: &VariableSet, sink: &mut dyn Sink) -> Result<String> {
        if set.local && self.block == BlockState::Idle {
            let text = "SET LOCAL can only be used in transaction blocks";
            sink.notice(
                &SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, text).severity(types::error::Severity::Warning),
            );
        }
        match &set.kind {
            VariableSetKind::Value { name, values } => {
                let mut words = Vec::new();
                for value in values {
                    words.push(match value {
                        SetValue::Float(s, _) if name.eq_ignore_ascii_case("timezone") => match s.parse::<f64>() {
                            Ok(hours) => settings::zone_of_offset((hours * 3600.0) as i64),
                            Err(_) => s.to_string(),
                        },
                        SetValue::Integer(i, _) if name.eq_ignore_ascii_case("timezone") => {
                            settings::zone_of_offset(i64::from(*i) * 3600)
                        }
                        SetValue::String(s, _) | SetValue::Float(s, _) => s.to_string(),
                        SetValue::Integer(i, _) => i.to_string(),
                        SetValue::Interval(e) => self.offset_of(e)?,
                    });
                }
                let text = if words.len() == 1 && !name.eq_ignore_ascii_case("search_path") {
                    words.remove(0)
                } else if name.eq_ignore_ascii_case("search_path") || name.eq_ignore_ascii_case("datestyle") {
                    let plain = name.eq_ignore_ascii_case("datestyle");
                    let quoted = |w: &String| if plain { w.clone() } else { syntax::quote_ident(w) };
                    words.iter().map(quoted).collect::<Vec<_>>().join(", ")
                } else {
                    let message = format!("SET {name} takes only one argument");
                    return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
                };
                self.change_setting(name, Some(&text), set.local)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::Default { name } => {
                self.change_setting(name, None, set.local)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::Reset { name } => {
                self.change_setting(name, None, false)?;
                Ok("RESET".to_owned())
            }
            VariableSetKind::ResetAll => {
                let keeps = |name: &str| ["role", "session_authorization"].contains(&name);
                for (name, _) in self.settings.all().into_iter().filter(|(name, _)| !keeps(name)) {
                    // Those that cannot be changed are what they are.
                    let _fixed = self.change_setting(&name, None, false);
                }
                Ok("RESET".to_owned())
            }
            VariableSetKind::Transaction(modes) => {
                if self.block == BlockState::Idle {
                    let text = "SET TRANSACTION can only be used in transaction blocks";
                    sink.notice(
                        &SqlError::new(SqlState::NO_ACTIVE_SQL_TRANSACTION, text)
                            .severity(types::error::Severity::Warning),
                    );
                    return Ok("SET".to_owned());
                }
                self.take_modes(modes)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::SessionCharacteristics(modes) => {
                self.set_characteristics(modes, set.local)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::TransactionSnapshot(name) => {
                self.import_snapshot(name)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::FromCurrent { .. } => Err(SqlError::unsupported("this form of SET")),
        }
    }
}

/// A sink that is told only what is important enough (`client_min_messages`).
struct Quiet<'a> {
    inner: &'a mut dyn Sink,
    level: u8,
}

impl Sink for Quiet<'_> {
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()> {
        self.inner.columns(columns)
    }
    fn chunk(&mut self, chunk: &Chunk, names: &dyn types::io::TypeLookup) -> Result<()> {
        self.inner.chunk(chunk, names)
    }
    fn complete(&mut self, tag: &str) {
        self.inner.complete(tag);
    }
    fn notice(&mut self, notice: &SqlError) {
        // Places in the order that `client_min_messages` counts by.
        let place = match notice.fields().severity {
            types::error::Severity::Notice => 6,
            types::error::Severity::Warning => 7,
            _ => 8,
        };
        if place >= self.level {
            self.inner.notice(notice);
        }
    }
    fn copy_in(&mut self, shape: CopyShape) -> Result<()> {
        self.inner.copy_in(shape)
    }
    fn copy_read(&mut self) -> Result<Option<Bytes>> {
        self.inner.copy_read()
    }
    fn copy_out(&mut self, shape: CopyShape) -> Result<()> {
        self.inner.copy_out(shape)
    }
    fn copy_data(&mut self, row: &[u8]) -> Result<()> {
        self.inner.copy_data(row)
    }
    fn copy_done(&mut self) -> Result<()> {
        self.inner.copy_done()
    }
}

/// Settings before a transaction, and what it set for longer than itself.
type Before = (Box<Settings>, Vec<(String, Option<String>)>);

/// A savepoint that is open.
struct OpenSavepoint {
    name: String,
    savepoint: Savepoint,
    /// Changes of the catalog before it.
    changes: usize,
    /// Waiting checks before it.
    events: usize,
    /// Portals opened before it.
    portals: u64,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.fail();
        self.end_transaction();
        self.leave_no_temporary();
        self.advisory.end(&self.runtime.engine().shared().locks, self.owner);
        self.runtime.present.lock().remove(&self.owner.0);
        self.runtime.count_sessions(self.db.id, -1);
    }
}

pub(crate) fn is_planned(kind: &StatementKind) -> bool {
    use StatementKind::{Delete, Insert, Merge, Select, Update};
    match kind {
        Select(s) => crate::ddl::create_as::into_table(s).is_none(),
        kind => matches!(kind, Insert(_) | Update(_) | Delete(_) | Merge(_)),
    }
}

/// `25P02`.
pub(crate) fn aborted() -> SqlError {
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    SqlError::new(SqlState::IN_FAILED_SQL_TRANSACTION, message)
}

/// `42P02`: nothing gives parameter `number` a value.
pub(crate) fn no_parameter(sql: &str, number: usize) -> SqlError {
    let position = sql.find(&format!("${number}")).map(|at| sql[..at].chars().count() as u32 + 1);
    SqlError::new(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter ${number}")).at(position)
}

fn text_column(name: &str) -> OutputColumn {
    OutputColumn { name: name.to_owned(), ty: oid::TEXT, typmod: -1, origin: None }
}

/// What a statement is called: the name of its variant in words.
pub(crate) fn statement_name(kind: &StatementKind) -> String {
    let debug = format!("{kind:?}");
    let variant = debug.split(['(', ' ', '{']).next().unwrap_or_default();
    let mut words = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(c.to_ascii_uppercase());
    }
    words
}
