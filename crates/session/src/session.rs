//! `Session`: what it holds, and what is asked of it from outside. Its folder has what it does.
//!
//! Who may touch it: one thread at a time, by `&mut`, whichever that is (`Send`, not `Sync`): a carrier while its connection is run, the caller's
//! own in a program. Parked, it lies still in its connection. Others have its [`Backend`] and never wait for it.

mod planned;
mod prepare;
mod quick;
mod set;
mod sink;
mod statement;
mod transaction;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use storage::lock::{Interrupt, OwnerId};
use storage::txn::{SnapshotHold, Transaction};
use storage::{Database, Lsn};
use syntax::ast::IsolationLevel;
use types::{Datum, Oid, Result, SqlError, SqlState};

use crate::backend::Backend;
use crate::basis::{self, Changes};
use crate::foreign_key::Deferral;
use crate::host::{Pending, Sequences, micros_since_2000};
use crate::runtime::{CancelHandle, DEFAULT_ROLE, DbCatalog, Role, Runtime};
use crate::settings::{Setting, Settings};
use crate::statement_stats::Entry;
use crate::view::View;

pub(crate) use prepare::{BasedPlan, Meaning, no_parameter};
pub use sink::Sink;
pub(crate) use sink::{Quiet, place_of, tell};
pub(crate) use statement::{Script, is_planned, text_of};
pub(crate) use transaction::aborted;

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
    pub(crate) user: Arc<Role>,
    /// Who logged in.
    pub(crate) login: Arc<Role>,
    pub(crate) owner: OwnerId,
    pub(crate) interrupt: Arc<Interrupt>,
    pub(crate) backend: Arc<Backend>,
    pub(crate) settings: Settings,
    /// How often they, or its role, have changed.
    settings_changes: u64,
    pub(crate) search_path: Vec<Oid>,
    /// Its schema of temporary relations, if there is one.
    pub(crate) temporary: Option<Oid>,
    /// What happens to which temporary tables at commit.
    pub(crate) on_commit: Vec<(Oid, syntax::ast::OnCommit)>,
    block: BlockState,
    pub(crate) txn: Option<Box<Transaction>>,
    /// One that has ended, to be used again: a session that reads all day allocates none.
    spare: Option<Box<Transaction>>,
    /// What a statement that has ended worked with, for the next.
    pub(crate) spare_execution: Option<Box<crate::execution::Execution>>,
    /// Whether statements see the newest state, whatever the isolation level.
    latest: bool,
    /// What its statements and cursors take.
    pub(crate) meter: Arc<exec::Meter>,
    savepoints: Vec<transaction::OpenSavepoint>,
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
    pub(crate) script: Option<Script>,
    /// A number that no other session of this process has.
    pub(crate) number: u64,
    pub(crate) sequences: Sequences,
    /// Settings that functions changed, put into effect at the end of the statement.
    pub(crate) pending: Vec<Pending>,
    /// What functions have to say to the client, who is told by [`Session::tell`].
    pub(crate) notices: Vec<SqlError>,
    pub(crate) deferral: Deferral,
    /// Parameters of the statement at hand, where it is not planned.
    pub(crate) given: crate::given::Given,
    /// Start of the transaction and of the statement: microseconds since 2000.
    pub(crate) started: (i64, i64),
    /// Settings before the transaction, and what it set for longer than itself.
    before: Option<set::Before>,
    pub(crate) named: crate::named::Named,
    /// Texts that came before.
    pub(crate) known: crate::known::KnownStatements,
    /// Snapshots that its transaction has exported.
    pub(crate) exports: Vec<crate::export::Export>,
    /// What it listens to.
    pub(crate) listening: crate::notify::Listening,
    /// Advisory locks it holds.
    pub(crate) advisory: crate::advisory::Advisory,
    /// Statements tried the short way.
    quick_count: u64,
    /// Room for a command tag.
    tag: String,
    pub(crate) portals: crate::lifetime::Portals,
    /// Whether a statement of our own is running, which needs no privileges.
    pub(crate) trusted: bool,
    /// Whether it does what nobody asked for.
    pub(crate) unasked: bool,
    /// Whether what it has said to run has not begun yet, and since when it was idle within its transaction until then.
    pub(crate) untimed: bool,
    pub(crate) idle_since: i64,
    /// Texts that were counted last, and where.
    pub(crate) recent: Vec<(Box<str>, Arc<Entry>)>,
    /// Whether each of its statements is timed, however short.
    pub(crate) times_all: bool,
    /// The text that it has told of last, if somebody keeps it.
    pub(crate) told: Option<Arc<str>>,
    /// When its last statement ended, microseconds since 2000; 0 once it was told.
    pub(crate) ended: i64,
    /// Functions of users that it has called.
    pub(crate) bodies: std::cell::RefCell<crate::routine::BodyCache>,
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
        Session::of_kind(runtime, name, user, "client backend")
    }

    /// A session of some kind, as PostgreSQL calls it.
    pub(crate) fn of_kind(runtime: &Arc<Runtime>, name: &str, user: &str, kind: &'static str) -> Result<Session> {
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
        let who = (Oid(db.id.0), user.oid);
        let meter = exec::Meter::new("session", runtime.options.session_bytes, &runtime.meter);
        let since = micros_since_2000(&interrupt);
        let backend = Arc::new(Backend::new(owner.0, who, since, interrupt.clone(), (kind, meter.clone())));
        backend.activity.appear(since);
        runtime.present.lock().insert(owner.0, backend.clone());
        let catalog = runtime.catalog(db.id);
        catalog.counts.begun.fetch_add(1, Ordering::Relaxed);
        Ok(Session {
            catalog,
            shared: runtime.shared()?,
            db,
            database_name: name.to_owned(),
            login: user.clone(),
            user,
            owner,
            interrupt,
            backend,
            settings_changes: 0,
            settings: Settings::with_fixed(runtime.fixed.lock().clone()),
            search_path: Vec::new(),
            temporary: None,
            on_commit: Vec::new(),
            block: BlockState::Idle,
            txn: None,
            spare: None,
            spare_execution: None,
            latest: false,
            meter,
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
            notices: Vec::new(),
            deferral: Deferral::default(),
            given: Default::default(),
            started: (0, 0),
            before: None,
            named: crate::named::Named::default(),
            known: crate::known::KnownStatements::default(),
            exports: Vec::new(),
            listening: crate::notify::Listening::default(),
            advisory: crate::advisory::Advisory::default(),
            quick_count: 0,
            tag: String::new(),
            portals: crate::lifetime::Portals::default(),
            trusted: false,
            unasked: false,
            untimed: false,
            idle_since: 0,
            told: None,
            times_all: false,
            recent: Vec::new(),
            ended: 0,
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

    /// Calls `f` with the names that the catalog gives types and what they refer to, if it was looked at.
    fn with_names<T>(&self, f: impl FnOnce(&dyn types::TypeLookup) -> T) -> T {
        match &self.view {
            Some(view) => f(&binder::Names { image: view.catalog(), search_path: &self.search_path }),
            None => f(&types::io::BuiltinTypes),
        }
    }

    /// A value as text, with names as the catalog has them.
    ///
    /// # Errors
    /// What the type's output says.
    pub fn text_out(&self, ty: Oid, value: &Datum, out: &mut Vec<u8>) -> Result<()> {
        self.with_names(|names| types::io::text_out_with(ty, value, &self.settings.io, names, out))
    }

    /// Appends the binary form of a value.
    ///
    /// # Errors
    /// What the type's output says.
    pub fn binary_out(&self, ty: Oid, value: &Datum, out: &mut Vec<u8>) -> Result<()> {
        self.with_names(|names| types::io::binary_out_with(ty, value, names, out))
    }

    /// Cancels this session's statements from elsewhere.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle(self.backend.clone())
    }

    /// The number others see it by.
    pub fn process_id(&self) -> u32 {
        self.owner.0
    }

    /// Whether a transaction block is open.
    pub fn block_state(&self) -> BlockState {
        self.block
    }

    /// What whoever serves its client heeds.
    pub fn client_settings(&self) -> crate::ClientSettings {
        self.settings.client
    }

    /// How often its settings, or its role, have changed so far.
    pub fn settings_changes(&self) -> u64 {
        self.settings_changes
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

    /// The value of a setting as SHOW prints it.
    pub fn shown(&self, setting: Setting) -> Cow<'static, str> {
        self.settings.shown(setting)
    }

    /// Times every statement, however short: its client costs more than a look at the clock.
    pub fn time_all(&mut self) {
        self.times_all = true;
    }

    /// How important a message must be to be logged (`log_min_messages`), by its place in PostgreSQL's order.
    pub fn log_level(&self) -> u8 {
        self.settings.log_min_messages
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
        self.settings.set(name, Some(value))?;
        self.follow_role();
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.fail();
        self.end_transaction();
        self.leave_no_temporary();
        self.stop_listening();
        drop(self.backend.take_mail());
        self.advisory.end(&self.runtime.engine().shared().locks, self.owner);
        self.leave();
        self.runtime.count_sessions(self.db.id, -1);
    }
}
