//! Transactions and their blocks: how they begin, fail and end, and what their statements see.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use env::waiting::Wait;
use storage::lock::WaitPolicy;
use storage::txn::{Savepoint, Snapshot, Transaction};
use syntax::ast::{IsolationLevel, TransactionStatement};
use types::{Result, SqlError, SqlState};

use super::{BlockState, Session, Sink};
use crate::activity::Count;
use crate::foreign_key::Deferral;
use crate::given::Given;
use crate::host::micros_since_2000;

/// A savepoint that is open.
pub(super) struct OpenSavepoint {
    name: String,
    savepoint: Savepoint,
    /// Changes of the catalog before it.
    changes: usize,
    /// What it had asked for of channels before it.
    wishes: usize,
    /// Waiting checks before it.
    events: usize,
    /// Portals opened before it.
    portals: u64,
}

impl Session {
    /// Commits what was done outside of a transaction block: the end of a message of several statements, or of a series of prepared ones.
    ///
    /// # Errors
    /// What committing says; then all of it is rolled back.
    pub fn sync(&mut self) -> Result<()> {
        if self.block != BlockState::Idle || self.txn.is_none() {
            return Ok(());
        }
        self.guarded(Session::finish_implicit)
    }

    /// Something outside of the session went wrong in the middle of the transaction: it is as if a statement had failed.
    pub fn fail_transaction(&mut self) {
        self.fail();
    }

    /// Calls `f` as a statement: under its deadline, its panics and errors ending it (S1, S2, S4).
    pub(crate) fn guarded<T>(&mut self, f: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let deadline = self.start_deadline();
        self.guarded_until(deadline, f)
    }

    /// A statement begins; when its time is up.
    pub(crate) fn start_deadline(&self) -> Option<u64> {
        let deadline = match self.settings.statement_timeout_ms {
            0 => None,
            ms => Some(self.interrupt.clock().monotonic_nanos() + ms * 1_000_000),
        };
        self.interrupt.start_statement(deadline.unwrap_or(0));
        deadline
    }

    /// As [`Session::guarded`], for a statement that has begun before: a cancel request that came meanwhile is for it.
    pub(crate) fn guarded_until<T>(
        &mut self,
        deadline: Option<u64>,
        f: impl FnOnce(&mut Session) -> Result<T>,
    ) -> Result<T> {
        self.interrupt.resume_statement(deadline.unwrap_or(0));
        self.trusted = false;
        self.started.1 = micros_since_2000(&self.interrupt);
        self.report_time(self.started.1);
        let outcome = catch_unwind(AssertUnwindSafe(|| f(self)));
        let outcome = outcome.unwrap_or_else(|panic| Err(panicked(&*panic)));
        self.interrupt.resume_statement(0);
        self.ended = micros_since_2000(&self.interrupt);
        let outcome = outcome.and_then(|value| self.apply_pending().map(|()| value));
        if let Err(e) = &outcome {
            if e.state() == SqlState::DEADLOCK_DETECTED {
                self.backend.activity.counts.add(Count::Deadlocks, 1);
            }
            self.pending.clear();
            self.fail();
        }
        outcome
    }

    /// As [`Session::guarded_until`]; what functions have to say is told to `sink`, whatever becomes of the statement.
    pub(crate) fn guarded_telling<T>(
        &mut self,
        deadline: Option<u64>,
        sink: &mut dyn Sink,
        f: impl FnOnce(&mut Session, &mut dyn Sink) -> Result<T>,
    ) -> Result<T> {
        let outcome = self.guarded_until(deadline, |session| f(session, sink));
        self.notices.drain(..).for_each(|notice| sink.notice(&notice));
        outcome
    }

    /// A statement failed: its block has too (S1), or its own transaction is rolled back (S2).
    pub(crate) fn fail(&mut self) {
        // A panic has passed by who gave them.
        self.given = Given::default();
        match self.block {
            BlockState::Idle => self.end_transaction(),
            BlockState::InBlock => {
                // X5: the error may tell of what it has built on. A log that cannot be written is told by the next statement.
                let _ = self.txn.as_ref().map_or(Ok(()), |txn| txn.settle());
                // What was done since the last savepoint is undone now: nobody is to wait for its locks until the user has said what to do.
                match self.savepoints.len().checked_sub(1) {
                    // Who cannot undo has poisoned the database, which the next statement tells.
                    Some(last) => drop(self.undo_to(last)),
                    None => {
                        let modes = (self.isolation, self.read_only);
                        self.end_transaction();
                        (self.isolation, self.read_only) = modes;
                    }
                }
                self.block = BlockState::Failed;
            }
            BlockState::Failed => {}
        }
    }

    pub(super) fn end_transaction(&mut self) {
        if let Some(txn) = self.txn.take() {
            let wrote = txn.xid().is_some();
            drop(txn);
            self.backend.activity.counts.add(Count::Rollbacks, 1);
            if wrote {
                self.runtime.engine().nudge();
            }
        }
        self.exports.clear();
        if self.advisory.in_transaction() {
            self.advisory.end_transaction(&self.runtime.engine().shared().locks, self.owner);
        }
        self.portals.end_transaction();
        // What they hold is given back now.
        self.forget_dead_cursors();
        if self.fixed.take().is_some() {
            self.backend.activity.set_xmin(0);
        }
        self.backend.activity.set_transaction_start(0);
        self.savepoints.clear();
        self.forget_changes(0);
        self.deferral = Deferral::default();
        self.listening.forget_wishes(0);
        self.block = BlockState::Idle;
        if let Some((settings, _)) = self.before.take() {
            let generation = self.settings.generation + 1;
            self.settings = *settings;
            self.settings.generation = generation;
            self.follow_role();
        }
        self.default_modes();
    }

    /// Without a transaction, what is read from now on means the time it is now by `'now'`.
    pub(crate) fn note_time(&mut self) {
        if self.txn.is_none() {
            self.started.1 = micros_since_2000(&self.interrupt);
            self.settings.io.now = self.started.1;
        }
    }

    /// A transaction that has begun, in the memory of one that has ended if there is one.
    #[inline]
    pub(super) fn new_transaction(&mut self) -> Box<Transaction> {
        match self.spare.take() {
            Some(mut spare) => {
                spare.begin_again();
                spare
            }
            None => Box::new(self.runtime.engine().begin(self.owner, self.interrupt.clone())),
        }
    }

    pub(crate) fn begin_transaction(&mut self) {
        if self.txn.is_none() {
            self.txn = Some(self.new_transaction());
            if self.started.1 == 0 {
                self.started.1 = micros_since_2000(&self.interrupt);
            }
            self.started.0 = self.started.1;
            self.settings.io.now = self.started.0;
            self.backend.activity.set_transaction_start(self.started.0);
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
        let (changes, wrote) = (self.changes.take(), txn.xid().is_some());
        let catalog = &self.catalog;
        // Before locks are released: whoever waited for one of them must see that its plan is old (S3).
        let wait = self.settings.synchronous_commit;
        let catalog = catalog.clone();
        let outcome = self.commit_with_wishes(|session| {
            let mut committed = None;
            if wrote && wait {
                session.interrupt.set_waiting(Some(Wait::LogSync));
            }
            let changing = if wrote { session.runtime.changing(&txn) } else { None };
            let outcome = txn.commit_with(wait, |lsn| {
                committed = Some(lsn);
                if !changes.is_empty() {
                    catalog.publish(&changes);
                }
            });
            drop(changing);
            session.spare = Some(txn);
            if wrote && wait {
                session.interrupt.set_waiting(None);
            }
            outcome.map(|()| committed).map_err(SqlError::from)
        });
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
        if wrote {
            self.runtime.engine().nudge();
        }
        self.backend.activity.counts.add(if outcome.is_ok() { Count::Commits } else { Count::Rollbacks }, 1);
        if outcome.is_ok() {
            if wrote {
                self.runtime.note_change();
            }
            self.keep_held_cursors();
        }
        self.end_transaction();
        outcome
    }

    /// Commits, then does `f`, which must not be before.
    pub(crate) fn finish_and(&mut self, f: impl FnOnce(&mut Session) -> Result<()>) -> Result<()> {
        self.finish_implicit()?;
        f(self)
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
                self.report_fixed();
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

    /// A statement begins, in a transaction that has not failed.
    ///
    /// # Errors
    /// As [`Session::check_not_failed`].
    pub(crate) fn enter(&mut self) -> Result<()> {
        self.check_not_failed()?;
        self.begin_transaction();
        Ok(())
    }

    /// `25P02` in a failed transaction block.
    ///
    /// # Errors
    /// That.
    pub fn check_not_failed(&self) -> Result<()> {
        if self.block == BlockState::Failed { Err(aborted()) } else { Ok(()) }
    }

    pub(super) fn transaction(&mut self, t: &TransactionStatement, sink: &mut dyn Sink) -> Result<String> {
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
                        wishes: self.listening.wish_count(),
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
                let (index, _) = self.find_savepoint(name)?;
                self.undo_to(index)?;
                self.block = BlockState::InBlock;
                Ok("ROLLBACK".to_owned())
            }
            TransactionStatement::Prepare(_)
            | TransactionStatement::CommitPrepared(_)
            | TransactionStatement::RollbackPrepared(_) => Err(SqlError::unsupported("PREPARE TRANSACTION")),
        }
    }

    /// Undoes what was done since a savepoint, which itself stays.
    fn undo_to(&mut self, index: usize) -> Result<()> {
        let Some(txn) = &mut self.txn else { return Ok(()) };
        txn.rollback_to(self.savepoints[index].savepoint)?;
        let again = txn.savepoint();
        self.savepoints.truncate(index + 1);
        let open = &mut self.savepoints[index];
        open.savepoint = again;
        let (changes, events, portals, wishes) = (open.changes, open.events, open.portals, open.wishes);
        self.listening.forget_wishes(wishes);
        self.portals.roll_back(portals);
        self.forget_changes(changes);
        self.deferral.events.truncate(events);
        Ok(())
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
}

/// What a panic ends its statement with (S4).
#[cold]
pub(super) fn panicked(panic: &(dyn Any + Send)) -> SqlError {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
    SqlError::internal(format!("internal error: {}", text.unwrap_or_default()))
}

/// `25P02`.
pub(crate) fn aborted() -> SqlError {
    let message = "current transaction is aborted, commands ignored until end of transaction block";
    SqlError::new(SqlState::IN_FAILED_SQL_TRANSACTION, message)
}
