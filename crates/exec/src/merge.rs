//! MERGE: each row of the join of a table with a source is changed, deleted, added or left alone.
//!
//! A row of the table is locked before it is changed. If another transaction changed it meanwhile, what is done is decided anew over the
//! newest version; if that does not match its source row any more, the two are taken one by one.

use std::sync::Arc;

use plan::{Expr, MergeAction, MergeArm, MergeMatch, RowRules, TableRef};
use storage::lock::Mode;
use storage::table::RowState;
use storage::{Error, RowId};
use types::{Datum, Physical, Result, SqlError, SqlState};
use vector::Chunk;

use crate::eval::on_row;
use crate::index::Handles;
use crate::modify::{Changer, delete_row, insert_one};
use crate::native;
use crate::returning::{Returned, is_wide};
use crate::scan::known_values;
use crate::{BoxOperator, Context, Operator};

/// Does what a MERGE says.
pub struct Merge {
    table: Arc<TableRef>,
    rules: Arc<RowRules>,
    input: BoxOperator,
    forms: Vec<Physical>,
    marker: usize,
    recheck: Vec<Expr>,
    arms: Vec<MergeArm>,
    returning: Option<Vec<Expr>>,
    wide: bool,
    is_ready: bool,
    handles: Option<Handles>,
    chunk: Chunk,
}

impl Merge {
    #[allow(clippy::too_many_arguments, reason = "as many as the plan node has")]
    pub fn new(
        table: Arc<TableRef>,
        rules: Arc<RowRules>,
        input: BoxOperator,
        forms: Vec<Physical>,
        marker: usize,
        recheck: Vec<Expr>,
        arms: Vec<MergeArm>,
        returning: Option<Vec<Expr>>,
    ) -> Merge {
        let wide = is_wide(returning.as_ref(), forms.len());
        let (handles, chunk) = (None, Chunk::default());
        Merge { table, rules, input, forms, marker, recheck, arms, returning, wide, is_ready: false, handles, chunk }
    }

    /// The first arm for such a row.
    fn arm(&self, row: &[Datum], ctx: &mut Context<'_>) -> Result<Option<usize>> {
        let matched = match (row[self.table.columns.len()].is_null(), row[self.marker].is_null()) {
            (false, false) => MergeMatch::Both,
            (false, true) => MergeMatch::TargetOnly,
            (true, false) => MergeMatch::SourceOnly,
            (true, true) => return Ok(None),
        };
        for (i, arm) in self.arms.iter().enumerate().filter(|(_, a)| a.matched == matched) {
            let holds = match &arm.condition {
                Some(c) => on_row(c, &self.forms, row, ctx)? == Datum::Bool(true),
                None => true,
            };
            if holds {
                return Ok(Some(i));
            }
        }
        Ok(None)
    }

    fn holds(&self, row: &[Datum], ctx: &mut Context<'_>) -> Result<bool> {
        for e in &self.recheck {
            if on_row(e, &self.forms, row, ctx)? != Datum::Bool(true) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn row(&self, mut row: Vec<Datum>, handles: &mut Handles, ctx: &mut Context<'_>, out: &mut Returned) -> Result<()> {
        let width = self.table.columns.len();
        let mut snapshot = ctx.snapshot.clone();
        loop {
            let Some(arm) = self.arm(&row, ctx)? else { return Ok(()) };
            let arm = &self.arms[arm];
            match &arm.action {
                MergeAction::Nothing => return Ok(()),
                MergeAction::Insert(values) => {
                    let mut new = Vec::with_capacity(values.len());
                    for e in values {
                        new.push(on_row(e, &self.forms, &row, ctx)?);
                    }
                    let id = insert_one(ctx, handles, &self.table, &self.rules, &new)?;
                    if self.returning.is_some() {
                        row[..width].clone_from_slice(&new);
                        row[width] = Datum::I64(id.to_u64() as i64);
                        out.push(row, None, Some(&new), id, "INSERT");
                    }
                    return Ok(());
                }
                MergeAction::Update(_) | MergeAction::Delete => {}
            }
            let Datum::I64(id) = row[width] else { return Ok(()) };
            let id = RowId::from_u64(id as u64);
            let mode = if matches!(arm.action, MergeAction::Delete) { Mode::ForUpdate } else { Mode::ForNoKeyUpdate };
            match handles.storage.lock_row(ctx.txn, &snapshot, id, mode, ctx.lock_policy())? {
                RowState::Done => return self.change(arm, row, id, snapshot, handles, ctx, out),
                RowState::Busy(other) => ctx.txn.wait_for(&other, ctx.lock_policy())?,
                RowState::SelfModified => {
                    let message = "MERGE command cannot affect row a second time";
                    return Err(SqlError::new(SqlState::CARDINALITY_VIOLATION, message)
                        .hint("Ensure that not more than one source row matches any one target row."));
                }
                RowState::Updated | RowState::Deleted | RowState::Gone if ctx.fixed_snapshot => {
                    return Err(Error::Serialization.into());
                }
                RowState::Deleted | RowState::Gone => row[..=width].fill(Datum::Null),
                RowState::Updated => {
                    snapshot = ctx.txn.snapshot();
                    snapshot.command = ctx.snapshot.command;
                    match known_values(&self.table, &handles.storage, id, &snapshot)? {
                        None => row[..=width].fill(Datum::Null),
                        Some(newest) => row[..width].clone_from_slice(&newest),
                    }
                    if !row[width].is_null() && !row[self.marker].is_null() && !self.holds(&row, ctx)? {
                        let mut alone = row.clone();
                        alone[width + 1..].fill(Datum::Null);
                        row[..=width].fill(Datum::Null);
                        self.row(alone, handles, ctx, out)?;
                    }
                }
            }
        }
    }

    /// Does what `arm` says to a row that is locked.
    #[allow(clippy::too_many_arguments, reason = "one caller")]
    fn change(
        &self,
        arm: &MergeArm,
        row: Vec<Datum>,
        id: RowId,
        snapshot: storage::txn::Snapshot,
        handles: &mut Handles,
        ctx: &mut Context<'_>,
        out: &mut Returned,
    ) -> Result<()> {
        let width = self.table.columns.len();
        match &arm.action {
            MergeAction::Update(sets) => {
                let (table, rules, forms) = (&*self.table, &*self.rules, &self.forms[..]);
                let changer = Changer { table, rules, sets, forms, recheck: &[] };
                let changed = changer.change(ctx, handles, row, None, snapshot)?;
                if let (Some((new, old)), true) = (changed, self.returning.is_some()) {
                    let now = new[..width].to_vec();
                    out.push(new, Some(&old), Some(&now), id, "UPDATE");
                }
            }
            _ => {
                let deleted = delete_row(ctx, handles, (&self.table, &self.rules), &self.forms, &[], row, snapshot)?;
                if let (Some(row), true) = (deleted, self.returning.is_some()) {
                    let old = row[..width].to_vec();
                    out.push(row, Some(&old), None, id, "DELETE");
                }
            }
        }
        Ok(())
    }
}

impl Operator for Merge {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        let mut handles = match self.handles.take() {
            Some(handles) => handles,
            None => Handles::open(ctx, &self.table)?,
        };
        out.clear();
        let mut chunk = std::mem::take(&mut self.chunk);
        let more = self.input.next(ctx, &mut chunk)?;
        let exprs = self.arms.iter_mut().flat_map(MergeArm::exprs_mut).chain(self.returning.iter_mut().flatten());
        native::ready(&mut self.is_ready, exprs, ctx);
        let mut returned = Returned::new(&self.table, &self.forms, self.wide);
        for i in 0..if more { chunk.rows } else { 0 } {
            self.row(chunk.row(i), &mut handles, ctx, &mut returned)?;
        }
        (self.chunk, self.handles) = (chunk, Some(handles));
        if more {
            returned.give(self.returning.as_ref(), ctx, out)?;
        }
        Ok(more)
    }

    fn reset(&mut self) {
        self.input.reset();
    }
}
