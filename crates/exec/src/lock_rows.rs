//! FOR UPDATE and its kin: locks each row that passes, and looks again at those that changed meanwhile.

use plan::{Expr, LockWait, RowLock};
use storage::RowId;
use storage::lock::{Mode, WaitPolicy};
use storage::table::{RowState, Table};
use types::{Datum, Physical, Result, SqlError, SqlState};
use vector::Chunk;

use crate::eval::{eval, is_true};
use crate::scan::known_values;
use crate::{BoxOperator, Context, Operator};

/// Locks rows of its input.
pub struct LockRows {
    pub input: BoxOperator,
    pub locks: Vec<RowLock>,
    pub forms: Vec<Physical>,
    /// What each row must satisfy, asked again of rows that changed.
    pub recheck: Vec<Expr>,
    /// Whether a limit stands above: then no row is locked before it is asked for.
    pub limited: bool,
    /// Rows that were read, and the next.
    pub chunk: Chunk,
    pub at: usize,
}

fn mode(strength: u8) -> Mode {
    match strength {
        0 => Mode::ForKeyShare,
        1 => Mode::ForShare,
        2 => Mode::ForNoKeyUpdate,
        _ => Mode::ForUpdate,
    }
}

impl LockRows {
    /// Locks what `row` is made of; false when it is to be left out.
    fn lock(&self, ctx: &mut Context<'_>, row: &mut [Datum]) -> Result<bool> {
        for lock in &self.locks {
            let width = lock.table.columns.len();
            let Datum::I64(id) = row[lock.first + width] else { continue };
            let id = RowId::from_u64(id as u64);
            let storage = Table::new(ctx.db.clone(), ctx.db.relation(lock.table.rel)?);
            let policy = match lock.wait {
                LockWait::Block => ctx.lock_policy(),
                LockWait::Skip | LockWait::Fail => WaitPolicy::NoWait,
            };
            let busy = |ctx: &Context<'_>, e: SqlError| match (e.state() == SqlState::LOCK_NOT_AVAILABLE, lock.wait) {
                (true, LockWait::Skip) => Ok(()),
                (true, LockWait::Fail) => {
                    let _ = ctx;
                    let message = format!("could not obtain lock on row in relation \"{}\"", lock.table.name);
                    Err(SqlError::new(SqlState::LOCK_NOT_AVAILABLE, message))
                }
                _ => Err(e),
            };
            let mut snapshot = ctx.snapshot.clone();
            loop {
                let state = match storage.lock_row(ctx.txn, &snapshot, id, mode(lock.strength), policy) {
                    Ok(state) => state,
                    Err(e) => {
                        busy(ctx, e.into())?;
                        return Ok(false);
                    }
                };
                match state {
                    RowState::Done | RowState::SelfModified => break,
                    RowState::Busy(other) => {
                        if let Err(e) = ctx.txn.wait_for(&other, policy) {
                            busy(ctx, e.into())?;
                            return Ok(false);
                        }
                    }
                    RowState::Gone => return Ok(false),
                    RowState::Deleted | RowState::Updated if ctx.fixed_snapshot => {
                        return Err(storage::Error::Serialization.into());
                    }
                    RowState::Deleted => return Ok(false),
                    RowState::Updated => {
                        snapshot = ctx.txn.snapshot();
                        snapshot.command = ctx.snapshot.command;
                        let newest = known_values(&lock.table, &storage, id, &snapshot)?;
                        let Some(newest) = newest else { return Ok(false) };
                        row[lock.first..lock.first + width].clone_from_slice(&newest);
                        let mut chunk = Chunk::new(&self.forms);
                        chunk.push_row(row);
                        for predicate in &self.recheck {
                            if !is_true(&*eval(predicate, &chunk, ctx)?, 0) {
                                return Ok(false);
                            }
                        }
                    }
                }
            }
        }
        Ok(true)
    }
}

impl Operator for LockRows {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if self.at >= self.chunk.rows {
            self.at = 0;
            if !self.input.next(ctx, &mut self.chunk)? {
                self.chunk.rows = 0;
                return Ok(false);
            }
        }
        out.reset(&self.forms);
        while self.at < self.chunk.rows && !(self.limited && out.rows > 0) {
            let mut row = self.chunk.row(self.at);
            self.at += 1;
            if self.lock(ctx, &mut row)? {
                out.push_row(&row);
            }
        }
        Ok(true)
    }

    fn reset(&mut self) {
        (self.at, self.chunk.rows) = (0, 0);
        self.input.reset();
    }
}
