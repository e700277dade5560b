//! INSERT, UPDATE, DELETE.

use plan::{Expr, TableRef};
use storage::lock::{Mode, WaitPolicy};
use storage::table::{Cell, RowState, Table};
use storage::txn::Snapshot;
use storage::{Error, RowId};
use types::{Datum, Physical, Result, SqlError, SqlState};
use vector::Chunk;

use crate::eval::{eval, is_true, on_row};
use crate::index::{add_entries, encode_key};
use crate::{BoxOperator, Context, Operator};

fn open(ctx: &Context<'_>, table: &TableRef) -> Result<Table> {
    Ok(Table::new(ctx.db.clone(), ctx.db.relation(table.rel)?))
}

fn check_not_null(table: &TableRef, row: &[Datum]) -> Result<()> {
    let Some(i) = (0..row.len()).find(|&i| row[i].is_null() && table.columns[i].3) else { return Ok(()) };
    let settings = types::IoSettings::default();
    let shown: Vec<String> = row
        .iter()
        .zip(&table.columns)
        .map(|(d, c)| match d {
            Datum::Null => "null".to_owned(),
            d => types::io::to_text(c.1, d, &settings).unwrap_or_default(),
        })
        .collect();
    let name = &table.columns[i].0;
    Err(SqlError::new(
        SqlState::NOT_NULL_VIOLATION,
        format!("null value in column \"{name}\" of relation \"{}\" violates not-null constraint", table.name),
    )
    .detail(format!("Failing row contains ({}).", shown.join(", ")))
    .table(&table.schema, &table.name)
    .column(name))
}

/// Adds the `returning` expressions over `row` to `out`.
fn give_back(
    returning: Option<&Vec<Expr>>,
    forms: &[Physical],
    row: &[Datum],
    ctx: &Context<'_>,
    out: &mut Option<Chunk>,
) -> Result<()> {
    let Some(exprs) = returning else { return Ok(()) };
    let values = exprs.iter().map(|e| on_row(e, forms, row, ctx)).collect::<Result<Vec<_>>>()?;
    out.get_or_insert_with(|| Chunk::new(&exprs.iter().map(|e| Physical::of(e.ty)).collect::<Vec<_>>()))
        .push_row(&values);
    Ok(())
}

/// Adds rows to a table.
pub struct Insert {
    pub table: TableRef,
    pub input: BoxOperator,
    pub returning: Option<Vec<Expr>>,
}

impl Operator for Insert {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        let storage = open(ctx, &self.table)?;
        let forms: Vec<Physical> =
            self.table.columns.iter().map(|c| Physical::of(c.1)).chain([Physical::I64]).collect();
        let Some(chunk) = self.input.next(ctx)? else { return Ok(None) };
        let mut out = None;
        for i in 0..chunk.rows {
            let mut row = chunk.row(i);
            check_not_null(&self.table, &row)?;
            let cells: Vec<Cell<'_>> = row.iter().map(Cell::of).collect();
            let id = storage.insert(ctx.txn, &cells)?;
            add_entries(ctx, &storage, &self.table, id, &row, None)?;
            ctx.affected += 1;
            row.push(Datum::I64(id.to_u64() as i64));
            give_back(self.returning.as_ref(), &forms, &row, ctx, &mut out)?;
        }
        Ok(Some(out.unwrap_or_default()))
    }
}

/// The row to change as it is now, after another transaction changed it, and the snapshot that saw it so: whoever changes it on must
/// check against that very snapshot. READ COMMITTED looks again, REPEATABLE READ gives up.
fn look_again(
    ctx: &mut Context<'_>,
    storage: &Table,
    table: &TableRef,
    id: RowId,
    input: &[Datum],
    forms: &[Physical],
    recheck: &[Expr],
) -> Result<Option<(Vec<Datum>, Snapshot)>> {
    if ctx.fixed_snapshot {
        return Err(Error::Serialization.into());
    }
    // The newest committed version; other tables' columns stay as the statement first saw them.
    let mut snapshot = ctx.txn.snapshot();
    snapshot.command = ctx.snapshot.command;
    let Some(newest) = storage.read_datums(id, &snapshot)? else { return Ok(None) };
    let mut row = input.to_vec();
    row[..table.columns.len()].clone_from_slice(&newest);
    let mut chunk = Chunk::new(forms);
    chunk.push_row(&row);
    for predicate in recheck {
        if !is_true(&eval(predicate, &chunk, ctx)?, 0) {
            return Ok(None);
        }
    }
    Ok(Some((row, snapshot)))
}

/// Changes rows of a table.
pub struct Update {
    pub table: TableRef,
    pub input: BoxOperator,
    pub forms: Vec<Physical>,
    pub recheck: Vec<Expr>,
    pub sets: Vec<(usize, Expr)>,
    pub returning: Option<Vec<Expr>>,
}

impl Update {
    fn update_row(
        &self,
        ctx: &mut Context<'_>,
        storage: &Table,
        mut row: Vec<Datum>,
        out: &mut Option<Chunk>,
    ) -> Result<()> {
        let width = self.table.columns.len();
        let Datum::I64(id) = row[width] else { return Ok(()) };
        let id = RowId::from_u64(id as u64);
        let mut snapshot = ctx.snapshot.clone();
        loop {
            let mut new = row[..width].to_vec();
            for (column, expr) in &self.sets {
                new[*column] = on_row(expr, &self.forms, &row, ctx)?;
            }
            check_not_null(&self.table, &new)?;
            let changes: Vec<(u16, Cell<'_>)> = self
                .sets
                .iter()
                .filter(|(c, _)| new[*c] != row[*c])
                .map(|(c, _)| (*c as u16, Cell::of(&new[*c])))
                .collect();
            let mut mode = Mode::ForNoKeyUpdate;
            for index in self.table.indexes.iter().filter(|i| i.unique) {
                if encode_key(&self.table, index, &new)? != encode_key(&self.table, index, &row)? {
                    mode = Mode::ForUpdate;
                }
            }
            match storage.update(ctx.txn, &snapshot, id, &changes, mode)? {
                RowState::Done => {
                    add_entries(ctx, storage, &self.table, id, &new, Some(&row[..width]))?;
                    ctx.affected += 1;
                    row[..width].clone_from_slice(&new);
                    return give_back(self.returning.as_ref(), &self.forms, &row, ctx, out);
                }
                RowState::Busy(other) => ctx.txn.wait_for(&other, WaitPolicy::Wait(0))?,
                RowState::Deleted if ctx.fixed_snapshot => return Err(Error::Serialization.into()),
                // The first change of a command wins, as in PostgreSQL.
                RowState::SelfModified | RowState::Gone | RowState::Deleted => return Ok(()),
                RowState::Updated => {
                    match look_again(ctx, storage, &self.table, id, &row, &self.forms, &self.recheck)? {
                        Some(newest) => (row, snapshot) = newest,
                        None => return Ok(()),
                    }
                }
            }
        }
    }
}

impl Operator for Update {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        let storage = open(ctx, &self.table)?;
        let Some(chunk) = self.input.next(ctx)? else { return Ok(None) };
        let mut out = None;
        for i in 0..chunk.rows {
            self.update_row(ctx, &storage, chunk.row(i), &mut out)?;
        }
        Ok(Some(out.unwrap_or_default()))
    }
}

/// Deletes rows of a table.
pub struct Delete {
    pub table: TableRef,
    pub input: BoxOperator,
    pub forms: Vec<Physical>,
    pub recheck: Vec<Expr>,
    pub returning: Option<Vec<Expr>>,
}

impl Delete {
    fn delete_row(
        &self,
        ctx: &mut Context<'_>,
        storage: &Table,
        mut row: Vec<Datum>,
        out: &mut Option<Chunk>,
    ) -> Result<()> {
        let width = self.table.columns.len();
        let Datum::I64(id) = row[width] else { return Ok(()) };
        let id = RowId::from_u64(id as u64);
        let mut snapshot = ctx.snapshot.clone();
        loop {
            match storage.delete(ctx.txn, &snapshot, id)? {
                RowState::Done => {
                    for index in &self.table.indexes {
                        let key = encode_key(&self.table, index, &row)?;
                        let rel = ctx.db.relation(index.rel)?;
                        ctx.txn.note_obsolete(ctx.db, &rel, &key, id, true);
                    }
                    ctx.affected += 1;
                    return give_back(self.returning.as_ref(), &self.forms, &row, ctx, out);
                }
                RowState::Busy(other) => ctx.txn.wait_for(&other, WaitPolicy::Wait(0))?,
                RowState::Deleted if ctx.fixed_snapshot => return Err(Error::Serialization.into()),
                RowState::SelfModified | RowState::Gone | RowState::Deleted => return Ok(()),
                RowState::Updated => {
                    match look_again(ctx, storage, &self.table, id, &row, &self.forms, &self.recheck)? {
                        Some(newest) => (row, snapshot) = newest,
                        None => return Ok(()),
                    }
                }
            }
        }
    }
}

impl Operator for Delete {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        let storage = open(ctx, &self.table)?;
        let Some(chunk) = self.input.next(ctx)? else { return Ok(None) };
        let mut out = None;
        for i in 0..chunk.rows {
            self.delete_row(ctx, &storage, chunk.row(i), &mut out)?;
        }
        Ok(Some(out.unwrap_or_default()))
    }
}
