//! Quick statements: one row by its key, read or changed, or one made of parameters, outside of a transaction block, with a transaction that is a
//! snapshot, one weak lock if there is a table and, where a row changes, a commit.
//!
//! Nothing is made for them that they do not use: no [`crate::execution::Execution`], no host, no context; and nobody asks them for the time, so they do
//! not read the clock. What is not ordinary about the session or the row sends them the long way (`Session::execute_planned`).
//!
//! Invariants
//!   S10  A quick statement runs only where the long way would do nothing more: no block is open, nothing waits for the end of a statement or a
//!        transaction, no time is set to it, its role may do all, and plan and catalog are current before and after its table is locked (S3). Left
//!        undone, it leaves nothing behind: its transaction has ended.                                                          (`is_plain`)

use std::panic::{AssertUnwindSafe, catch_unwind};

use binder::Names;
use storage::lock::Tag;
use storage::txn::Transaction;
use types::{Datum, Result, SqlError};

use super::{BlockState, Session, Sink};
use crate::activity::Count;
use crate::host::micros_since_2000;
use crate::prepared::Prepared;
use crate::statement_stats::{Took, UNTIMED};

impl Session {
    /// Runs `prepared` the short way; `None`, with nothing done, where it must go the long way.
    #[inline]
    pub(crate) fn execute_quick(
        &mut self,
        prepared: &mut Prepared,
        params: &[Datum],
        sink: &mut dyn Sink,
    ) -> Option<Result<()>> {
        let Some(operators) = &mut prepared.operators else { return None };
        let Some(quick) = &mut operators.quick else { return None };
        let basis = self.basis();
        let is_current = prepared.plan.as_ref().is_some_and(|p| p.0 == basis) && params.len() == prepared.params.len();
        let may_not = quick.writes() && self.read_only || quick.computes() && self.forces_programs();
        if !is_current || !self.is_plain() || may_not {
            return None;
        }
        self.report_begin_if_idle(&prepared.sql);
        self.interrupt.start_statement(0);
        let is_timed = self.times_all || self.quick_count.is_multiple_of(UNTIMED + 1);
        let began = is_timed.then(|| micros_since_2000(&self.interrupt));
        let mut txn = self.new_transaction();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            // A transaction that begins holds nothing yet.
            for &(table, how) in &operators.tables {
                txn.lock(Tag::Relation(self.db.id, table.0), exec::lock_mode(how), self.lock_policy())?;
            }
            // Whoever held the lock may have changed the table (S3).
            if basis != self.basis() {
                return Ok(None);
            }
            txn.interrupt().check()?;
            txn.next_command();
            let snapshot = txn.snapshot();
            if quick.writes() {
                return quick.change(&self.db, &mut txn, &snapshot, params, &self.settings.io);
            }
            let Some(view) = &self.view else { return Ok(None) };
            let names = Names { image: view.catalog(), search_path: &self.search_path };
            let chunk = &mut operators.chunk;
            let Some(is_found) = quick.read(&self.db, &snapshot, params, (&self.settings.io, &names), chunk)? else {
                return Ok(None);
            };
            sink.columns(&prepared.columns)?;
            if is_found {
                sink.chunk(chunk, &names)?;
            }
            Ok(Some(u64::from(is_found)))
        }));
        match outcome {
            Ok(Ok(count)) => {
                if let Some(count) = count {
                    quick.count(self.owner, count > 0);
                }
                let ended = self.end_quickly(txn);
                let count = count?;
                if let Err(e) = ended {
                    return Some(Err(e));
                }
                sink.complete(match (quick.writes(), count) {
                    (false, 0) => "SELECT 0",
                    (false, _) => "SELECT 1",
                    (true, 0) => "UPDATE 0",
                    (true, _) => "UPDATE 1",
                });
                self.note_quick(prepared, began, count);
                Some(Ok(()))
            }
            // Dropped, it is rolled back.
            Ok(Err(e)) => Some(Err(e)),
            Err(panic) => Some(Err(super::transaction::panicked(&*panic))),
        }
    }

    /// How many of its statements were tried the short way.
    pub fn quick_count(&self) -> u64 {
        self.quick_count
    }

    /// Whether nothing about the session is out of the ordinary (S10).
    #[inline]
    fn is_plain(&self) -> bool {
        let is_viewed = self.view.as_ref().is_some_and(|view| {
            view.version() == self.catalog.version() && view.is_of(&self.settings) && !self.catalog_dirty()
        });
        self.txn.is_none()
            && self.block == BlockState::Idle
            && self.user.superuser
            && self.settings.statement_timeout_ms == 0
            && self.on_commit.is_empty()
            && self.before.is_none()
            && self.pending.is_empty()
            && self.deferral.events.is_empty()
            && !self.listening.has_wishes()
            && !self.latest
            && is_viewed
    }

    /// Whether everything that is computed is to be so by programs.
    #[inline]
    fn forces_programs(&self) -> bool {
        self.settings.programs(&self.runtime.jit).is_some_and(|p| p.force)
    }

    /// One has ended that found so many rows. The clock was read for one of many, which stands for the others.
    #[inline]
    fn note_quick(&mut self, prepared: &mut Prepared, began: Option<i64>, count: u64) {
        let mut slot = prepared.counted.take();
        let took = began.map(|began| {
            self.ended = micros_since_2000(&self.interrupt);
            self.ended.saturating_sub(began)
        });
        if let Some(entry) = self.counted(&mut slot, &prepared.sql, prepared.is_template) {
            let took = match took {
                Some(time) if self.times_all => Took::Exactly(time),
                other => other.map_or(Took::Unknown, Took::Sample),
            };
            entry.add(self.owner.0, took, count);
        }
        if let Some(took) = took {
            self.note_slow(&prepared.sql, took);
        }
        prepared.counted = slot;
        self.backend.activity.counts.add(Count::Commits, 1);
        self.report_quick(began);
    }

    /// Ends the transaction of a quick statement.
    #[inline]
    fn end_quickly(&mut self, mut txn: Box<Transaction>) -> Result<()> {
        let wrote = txn.has_written();
        let outcome = txn.commit_with(self.settings.synchronous_commit, |_| ());
        self.spare = Some(txn);
        self.quick_count += 1;
        self.portals.end_transaction();
        if wrote {
            self.runtime.engine().nudge();
            if outcome.is_ok() {
                self.runtime.note_change();
            }
        }
        outcome.map_err(SqlError::from)
    }
}
