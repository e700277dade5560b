//! `Session`: runs statements, one after the other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use binder::{Binder, Bound};
use bytes::Bytes;
use catalog::Image;
use plan::{Node, OutputColumn};
use storage::lock::{Interrupt, Mode, OwnerId, Tag, WaitPolicy};
use storage::txn::{Savepoint, Snapshot, SnapshotHold, Transaction};
use storage::{Database, Lsn};
use syntax::ast::{
    IsolationLevel, SetValue, Statement, StatementKind, TransactionMode, TransactionStatement, VariableSet,
    VariableSetKind,
};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};
use vector::Chunk;

use crate::copy::CopyShape;
use crate::portal::Fetched;
use crate::prepared::Prepared;
use crate::runtime::{CancelHandle, Runtime};
use crate::settings::Settings;

/// Where results go.
pub trait Sink {
    /// The next statement yields rows of these columns.
    ///
    /// # Errors
    /// What the receiver says; the statement fails with it.
    fn columns(&mut self, columns: &[OutputColumn]) -> Result<()>;
    /// Some of its rows.
    ///
    /// # Errors
    /// As [`Sink::columns`].
    fn chunk(&mut self, chunk: &Chunk) -> Result<()>;
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
    owner: OwnerId,
    interrupt: Arc<Interrupt>,
    pub(crate) settings: Settings,
    pub(crate) search_path: Vec<Oid>,
    block: BlockState,
    pub(crate) txn: Option<Transaction>,
    savepoints: Vec<(String, Savepoint)>,
    isolation: IsolationLevel,
    /// The snapshot of a REPEATABLE READ transaction, and what keeps it from being purged.
    fixed: Option<(Lsn, SnapshotHold)>,
    /// Whether the transaction changed a catalog: then it reads its own.
    pub(crate) catalog_dirty: bool,
    /// Counts transactions: what belongs to an earlier one is gone.
    epoch: u64,
}

impl Session {
    /// A session on database `name`.
    ///
    /// # Errors
    /// `3D000`.
    pub fn new(runtime: &Arc<Runtime>, name: &str) -> Result<Session> {
        let engine = runtime.engine();
        Ok(Session {
            db: runtime.database(name)?,
            owner: engine.new_owner(),
            interrupt: engine.new_interrupt(),
            settings: Settings::default(),
            search_path: vec![oid::PUBLIC_NAMESPACE],
            block: BlockState::Idle,
            txn: None,
            savepoints: Vec::new(),
            isolation: IsolationLevel::ReadCommitted,
            fixed: None,
            catalog_dirty: false,
            epoch: 0,
            runtime: runtime.clone(),
        })
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
        self.settings.get(&name.to_lowercase())
    }

    /// Sets a setting for the rest of the session.
    ///
    /// # Errors
    /// `42704`, `22023`, `0A000`.
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<()> {
        self.settings.set(&name.to_lowercase(), Some(value))
    }

    /// Runs all statements of `sql`. Outside of a block they are one transaction, as in PostgreSQL's simple query.
    ///
    /// # Errors
    /// The first statement's that fails; those after it are not run.
    pub fn run(&mut self, sql: &str, sink: &mut dyn Sink) -> Result<()> {
        let statements = match syntax::parse(sql) {
            Ok(statements) => statements,
            Err(e) => {
                self.fail();
                return Err(e);
            }
        };
        for (i, statement) in statements.iter().enumerate() {
            let last = i + 1 == statements.len();
            let tag = self.guarded(|session| session.dispatch(sql, statement, sink))?;
            if last {
                self.sync()?;
            }
            sink.complete(&tag);
        }
        Ok(())
    }

    /// Parses, and plans where there is something to plan.
    ///
    /// # Errors
    /// As running it would say.
    pub fn prepare(&mut self, sql: &str, param_types: &[Oid]) -> Result<Prepared> {
        let outcome = self.prepare_inner(sql, param_types);
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
        let mut prepared = Prepared {
            sql: Arc::from(sql),
            statement: Arc::new(statement),
            params: param_types.to_vec(),
            columns: Arc::default(),
            plan: None,
        };
        if !prepared.ends_transaction() {
            self.check_not_failed()?;
        }
        if is_planned(&prepared.statement.kind) {
            self.plan_prepared(&mut prepared)?;
        } else if let StatementKind::Show(show) = &prepared.statement.kind {
            prepared.columns = Arc::new(vec![text_column(&show.name)]);
        }
        Ok(prepared)
    }

    pub(crate) fn plan_prepared(&mut self, prepared: &mut Prepared) -> Result<()> {
        let version = self.runtime.catalog_version();
        if !self.catalog_dirty && prepared.plan.as_ref().is_some_and(|p| p.0 == version) {
            return Ok(());
        }
        let started = self.txn.is_none();
        if started {
            self.begin_transaction();
        }
        let outcome = self.bind(&prepared.sql, &prepared.statement.kind, prepared.params.clone());
        if started {
            self.txn = None;
        }
        let (bound, mut params) = outcome?;
        // Parameters that nothing gave a type are text.
        params.iter_mut().filter(|p| **p == oid::UNKNOWN).for_each(|p| *p = oid::TEXT);
        (prepared.columns, prepared.params) = (Arc::new(bound.columns), params);
        // A plan made from a catalog that may still be rolled back is not kept.
        let version = if self.catalog_dirty { 0 } else { version };
        prepared.plan = Some((version, Arc::new(optimizer::optimize(bound.node))));
        Ok(())
    }

    /// Runs a prepared statement to its end, and commits unless a transaction block is open.
    ///
    /// # Errors
    /// The statement's.
    pub fn execute(&mut self, prepared: &mut Prepared, params: &[Datum], sink: &mut dyn Sink) -> Result<()> {
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

    /// The number of the current transaction, or of the next.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Calls `f` as a statement: under its deadline, its panics and errors ending it (S1, S2, S4).
    pub(crate) fn guarded<T>(&mut self, f: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let deadline = match self.settings.statement_timeout_ms {
            0 => 0,
            ms => self.interrupt.clock().monotonic_nanos() + ms * 1_000_000,
        };
        self.interrupt.start_statement(deadline);
        let outcome = catch_unwind(AssertUnwindSafe(|| f(self)));
        let outcome = outcome.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Err(SqlError::internal(format!("internal error: {}", text.unwrap_or_default())))
        });
        self.interrupt.start_statement(0);
        if outcome.is_err() {
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
        self.epoch += 1;
        self.fixed = None;
        self.savepoints.clear();
        self.catalog_dirty = false;
        self.block = BlockState::Idle;
    }

    pub(crate) fn begin_transaction(&mut self) {
        if self.txn.is_none() {
            self.txn = Some(self.runtime.engine().begin(self.owner, self.interrupt.clone()));
        }
    }

    fn finish_implicit(&mut self) -> Result<()> {
        let Some(txn) = self.txn.take() else { return Ok(()) };
        let dirty = std::mem::take(&mut self.catalog_dirty);
        let runtime = self.runtime.clone();
        // Before locks are released: whoever waited for one of them must see that its plan is old (S3).
        let outcome = txn.commit_with(self.settings.synchronous_commit, || {
            if dirty {
                runtime.catalog_changed();
            }
        });
        self.end_transaction();
        Ok(outcome?)
    }

    /// The snapshot of the statement about to run.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        let Some(txn) = &mut self.txn else { unreachable!("a statement runs in a transaction") };
        if self.isolation == IsolationLevel::ReadCommitted {
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
        self.fixed.is_some()
    }

    /// `25P02` in a failed transaction block.
    ///
    /// # Errors
    /// That.
    pub fn check_not_failed(&self) -> Result<()> {
        if self.block == BlockState::Failed { Err(aborted()) } else { Ok(()) }
    }

    /// The catalog this session sees.
    pub(crate) fn image(&mut self) -> Result<Arc<Image>> {
        let Some(txn) = &mut self.txn else { unreachable!("a statement runs in a transaction") };
        if self.catalog_dirty {
            txn.next_command();
            let snapshot = txn.snapshot();
            return Ok(Arc::new(Image::load(&self.db, &snapshot)?));
        }
        let version = self.runtime.catalog_version();
        self.runtime.image(&self.db, version, || txn.snapshot())
    }

    pub(crate) fn bind(&mut self, sql: &str, kind: &StatementKind, params: Vec<Oid>) -> Result<(Bound, Vec<Oid>)> {
        if let StatementKind::Copy(copy) = kind {
            return Ok((self.copy_bound(sql, copy)?, params));
        }
        let image = self.image()?;
        let mut binder = Binder::new(&image, sql, &self.settings.io, &self.search_path);
        binder.params = params;
        let bound = match kind {
            StatementKind::Select(s) => binder.query(s)?,
            StatementKind::Insert(s) => binder.insert(s)?,
            StatementKind::Update(s) => binder.update(s)?,
            StatementKind::Delete(s) => binder.delete(s)?,
            _ => return Err(SqlError::internal("only queries and DML are planned")),
        };
        Ok((bound, binder.params))
    }

    /// Runs one statement within the transaction; answers its command tag.
    pub(crate) fn dispatch(&mut self, sql: &str, statement: &Statement, sink: &mut dyn Sink) -> Result<String> {
        if let StatementKind::Transaction(t) = &statement.kind {
            return self.transaction(t, sink);
        }
        self.check_not_failed()?;
        self.begin_transaction();
        match &statement.kind {
            kind if is_planned(kind) => {
                let (node, columns) = self.locked_plan(sql, kind, None, &[])?;
                let mut running = self.start(node, columns)?;
                self.pull(&mut running, &[], 0, sink)?;
                Ok(running.tag())
            }
            StatementKind::Copy(c) => self.copy(sql, c, sink),
            StatementKind::CreateTable(c) => self.create_table(sql, c, sink),
            StatementKind::CreateIndex(c) => self.create_index(sql, c, sink),
            StatementKind::Drop(d) => self.drop_objects(sql, d, sink),
            StatementKind::Set(s) => self.set(s),
            StatementKind::Show(s) => {
                let value = self.settings.get(&s.name.to_lowercase())?;
                sink.columns(&[text_column(&s.name)])?;
                let mut chunk = Chunk::new(&[types::Physical::Var]);
                chunk.push_row(&[Datum::text(&value)]);
                sink.chunk(&chunk)?;
                Ok("SHOW".to_owned())
            }
            other => Err(SqlError::unsupported(statement_name(other))),
        }
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
                    (Arc::new(optimizer::optimize(bound.node)), Arc::new(bound.columns))
                }
            };
            let mut taken = false;
            let db = self.db.id;
            if let Some(txn) = &mut self.txn {
                let mut outcome = Ok(());
                node.visit_tables(&mut |table, writes| {
                    let mode = if writes { Mode::RowExclusive } else { Mode::AccessShare };
                    let tag = Tag::Relation(db, table.oid.0);
                    if outcome.is_ok() && !txn.holds(tag, mode) {
                        taken = true;
                        outcome = txn.lock(tag, mode, WaitPolicy::Wait(0));
                    }
                });
                outcome?;
            }
            if !taken || self.catalog_dirty || self.plan_is_current(&node)? {
                return Ok((node, columns));
            }
        }
    }

    /// Whether the catalog still has the tables that `node` was planned for, as they were.
    fn plan_is_current(&mut self, node: &Node) -> Result<bool> {
        let image = self.image()?;
        let mut current = true;
        node.visit_tables(&mut |table, _| {
            let namespace = binder::schema_oid(&table.schema).unwrap_or(oid::PUBLIC_NAMESPACE);
            let same = image.table(namespace, &table.name).is_some_and(|info| binder::table_ref(info) == *table);
            current &= same;
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
                        self.isolation = isolation(modes)?;
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
                if *chain {
                    return Err(SqlError::unsupported("AND CHAIN"));
                }
                let commit = matches!(t, TransactionStatement::Commit { .. }) && self.block != BlockState::Failed;
                if self.block == BlockState::Idle {
                    let text = "there is no transaction in progress";
                    warn(sink, SqlState::NO_ACTIVE_SQL_TRANSACTION, text);
                }
                self.isolation = IsolationLevel::ReadCommitted;
                if commit {
                    self.block = BlockState::Idle;
                    self.finish_implicit()?;
                    return Ok("COMMIT".to_owned());
                }
                self.end_transaction();
                Ok("ROLLBACK".to_owned())
            }
            TransactionStatement::Savepoint(name) => {
                self.require_block("SAVEPOINT")?;
                self.check_not_failed()?;
                if let Some(txn) = &mut self.txn {
                    self.savepoints.push((name.as_str().to_owned(), txn.savepoint()));
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
                    self.savepoints.truncate(index);
                    self.savepoints.push((name.as_str().to_owned(), again));
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
        let found = self.savepoints.iter().rposition(|s| s.0 == name);
        let message = format!("savepoint \"{name}\" does not exist");
        let index = found.ok_or_else(|| SqlError::new(SqlState::INVALID_SAVEPOINT_SPECIFICATION, message))?;
        Ok((index, self.savepoints[index].1))
    }

    fn set(&mut self, set: &VariableSet) -> Result<String> {
        if set.local {
            return Err(SqlError::unsupported("SET LOCAL"));
        }
        match &set.kind {
            VariableSetKind::Value { name, values } => {
                let [value] = &values[..] else { return Err(SqlError::unsupported("SET with a list of values")) };
                let text = match value {
                    SetValue::String(s, _) | SetValue::Float(s, _) => s.to_string(),
                    SetValue::Integer(i, _) => i.to_string(),
                    SetValue::Interval(_) => return Err(SqlError::unsupported("SET TIME ZONE INTERVAL")),
                };
                self.settings.set(&name.to_lowercase(), Some(&text))?;
                Ok("SET".to_owned())
            }
            VariableSetKind::Default { name } => {
                self.settings.set(&name.to_lowercase(), None)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::Reset { name } => {
                self.settings.set(&name.to_lowercase(), None)?;
                Ok("RESET".to_owned())
            }
            VariableSetKind::ResetAll => {
                self.settings = Settings::default();
                Ok("RESET".to_owned())
            }
            VariableSetKind::Transaction(modes) => {
                if self.fixed.is_some() {
                    let message = "SET TRANSACTION ISOLATION LEVEL must be called before any query";
                    return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
                }
                self.isolation = isolation(modes)?;
                Ok("SET".to_owned())
            }
            VariableSetKind::FromCurrent { .. }
            | VariableSetKind::SessionCharacteristics(_)
            | VariableSetKind::TransactionSnapshot(_) => Err(SqlError::unsupported("this form of SET")),
        }
    }
}

fn isolation(modes: &[TransactionMode]) -> Result<IsolationLevel> {
    let mut level = IsolationLevel::ReadCommitted;
    for mode in modes {
        match mode {
            TransactionMode::Isolation(IsolationLevel::Serializable, _) => {
                return Err(SqlError::unsupported("ISOLATION LEVEL SERIALIZABLE"));
            }
            // PostgreSQL treats READ UNCOMMITTED as READ COMMITTED.
            TransactionMode::Isolation(IsolationLevel::ReadUncommitted, _) => level = IsolationLevel::ReadCommitted,
            TransactionMode::Isolation(l, _) => level = *l,
            TransactionMode::ReadOnly(false, _) | TransactionMode::Deferrable(false, _) => {}
            TransactionMode::ReadOnly(true, _) => return Err(SqlError::unsupported("READ ONLY")),
            TransactionMode::Deferrable(true, _) => return Err(SqlError::unsupported("DEFERRABLE")),
        }
    }
    Ok(level)
}

pub(crate) fn is_planned(kind: &StatementKind) -> bool {
    use StatementKind::{Delete, Insert, Select, Update};
    matches!(kind, Select(_) | Insert(_) | Update(_) | Delete(_))
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
    OutputColumn { name: name.to_owned(), ty: oid::TEXT, typmod: -1 }
}

/// What a statement is called: the name of its variant in words.
fn statement_name(kind: &StatementKind) -> String {
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
