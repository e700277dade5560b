//! INSERT, UPDATE, DELETE.

use std::sync::Arc;

use plan::{Expr, OnConflict, Reference, RowRules, TableRef};
use storage::lock::Mode;
use storage::table::{Cell, RowState, Table};
use storage::txn::{Snapshot, Turn, TxnState};
use storage::{Error, RowId};
use types::{Datum, Physical, Result, SqlError, SqlState};
use vector::{Chunk, Data, Vector};

use crate::conflict::{self, Outcome};
use crate::eval::{eval, is_true, on_row};
use crate::index::{Handles, RowValues, add_entries, add_entries_of_rows, change_entries, encode_entry, encode_key};
use crate::native;
use crate::returning::{Returned, give_back};
use crate::scan::{forms, known_values};
use crate::{BoxOperator, Context, Event, Operator};

/// The cell of slot `i` of `v`.
pub fn cell(v: &Vector, i: usize) -> Cell<'_> {
    if v.nulls.get(i) {
        return Cell::Null;
    }
    match &v.data {
        Data::Bool(v) => Cell::fixed(&[u8::from(v[i])]),
        Data::I8(v) => Cell::fixed(&v[i].to_le_bytes()),
        Data::I16(v) => Cell::fixed(&v[i].to_le_bytes()),
        Data::I32(v) => Cell::fixed(&v[i].to_le_bytes()),
        Data::U32(v) => Cell::fixed(&v[i].to_le_bytes()),
        Data::I64(v) => Cell::fixed(&v[i].to_le_bytes()),
        Data::F32(v) => Cell::fixed(&v[i].to_le_bytes()),
        Data::F64(v) => Cell::fixed(&v[i].to_le_bytes()),
        Data::B16(v) => Cell::Fixed(v[i]),
        Data::Var(v) => Cell::Var(v.get(i)),
        Data::Absent(_) => Cell::Null,
    }
}

/// A value's text up to 64 bytes, and dots where there is more.
fn clipped(text: &str) -> String {
    const LONGEST: usize = 64;
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    format!("{}...", &text[..end])
}

/// A row as error details show it.
fn failing_row(table: &TableRef, row: RowValues<'_>, ctx: &Context<'_>) -> String {
    let shown: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, c)| !c.dropped)
        .map(|(i, c)| match row(i) {
            _ if c.computed => "virtual".to_owned(),
            Datum::Null => "null".to_owned(),
            d => {
                let mut text = Vec::new();
                match types::io::text_out_with(c.ty, &d, ctx.settings, ctx.types, &mut text) {
                    Ok(()) => clipped(&String::from_utf8_lossy(&text)),
                    Err(_) => String::new(),
                }
            }
        })
        .collect();
    format!("Failing row contains ({}).", shown.join(", "))
}

/// The first row of `rows` (the table's columns, perhaps more) that breaks a rule, and what PostgreSQL says of it: NOT NULL before CHECK.
///
/// # Errors
/// What evaluating a CHECK says.
pub fn check_rows(
    table: &TableRef,
    rules: &RowRules,
    rows: &Chunk,
    ctx: &mut Context<'_>,
) -> Result<Option<(usize, SqlError)>> {
    let mut worst: Option<(usize, usize)> = None;
    for (c, column) in table.columns.iter().enumerate().filter(|(_, c)| c.not_null) {
        let nulls = &rows.columns[c].nulls;
        if !nulls.none()
            && let Some(row) = (0..rows.rows).find(|&i| nulls.get(i))
            && worst.is_none_or(|w| row < w.0)
        {
            worst = Some((row, c));
        }
        let _ = column;
    }
    let mut failed: Option<(usize, &str)> = None;
    for (name, condition) in &rules.checks {
        let test = eval(condition, rows, ctx)?;
        // NULL is no failure.
        let fails = |i: &usize| !test.nulls.get(*i) && !is_true(&test, *i);
        if let Some(row) = (0..rows.rows).find(fails)
            && failed.is_none_or(|f| row < f.0)
        {
            failed = Some((row, name));
        }
    }
    let mut unseen: Option<(usize, &str)> = None;
    for (name, condition) in &rules.views {
        let test = eval(condition, rows, ctx)?;
        if let Some(row) = (0..rows.rows).find(|&i| !is_true(&test, i))
            && unseen.is_none_or(|u| row < u.0)
        {
            unseen = Some((row, name));
        }
    }
    let value = |row: usize| move |c: usize| rows.columns[c].get(row);
    if let Some((row, name)) = unseen
        && worst.is_none_or(|w| row < w.0)
        && failed.is_none_or(|f| row < f.0)
    {
        let message = format!("new row violates check option for view \"{name}\"");
        let error =
            SqlError::new(SqlState::WITH_CHECK_OPTION_VIOLATION, message).detail(failing_row(table, &value(row), ctx));
        return Ok(Some((row, error)));
    }
    Ok(match (worst, failed) {
        (Some((row, c)), failed) if failed.is_none_or(|f| row <= f.0) => {
            let name = &table.columns[c].name;
            let message =
                format!("null value in column \"{name}\" of relation \"{}\" violates not-null constraint", table.name);
            let error = SqlError::new(SqlState::NOT_NULL_VIOLATION, message)
                .detail(failing_row(table, &value(row), ctx))
                .table(&table.schema, &table.name)
                .column(name);
            Some((row, error))
        }
        (_, Some((row, name))) => {
            let message = format!("new row for relation \"{}\" violates check constraint \"{name}\"", table.name);
            let error = SqlError::new(SqlState::CHECK_VIOLATION, message)
                .detail(failing_row(table, &value(row), ctx))
                .constraint(&table.schema, &table.name, name);
            Some((row, error))
        }
        _ => None,
    })
}

/// The key of `reference` in a row; `None` when it is NULL and refers to nothing.
fn key_of(reference: &Reference, row: RowValues<'_>) -> Result<Option<Vec<Datum>>> {
    let key: Vec<Datum> = reference.columns.iter().map(|&c| row(c)).collect();
    let nulls = key.iter().filter(|d| d.is_null()).count();
    if reference.full && nulls > 0 && nulls < key.len() {
        // The session words it: it knows the constraint.
        return Ok(Some(key));
    }
    Ok((nulls == 0).then_some(key))
}

/// Notes what foreign keys ask about a row that changed from `old` to `new`.
fn note_keys(
    rules: &RowRules,
    old: Option<RowValues<'_>>,
    new: Option<RowValues<'_>>,
    ctx: &mut Context<'_>,
) -> Result<()> {
    let of = |r: &Reference, row: Option<RowValues<'_>>| row.map_or(Ok(None), |row| key_of(r, row));
    for r in &rules.references {
        let key = of(r, new)?;
        if let Some(key) = key
            && of(r, old)?.as_ref() != Some(&key)
        {
            let event = Event::Refers { constraint: r.constraint, key };
            ctx.account.charge(event.bytes())?;
            ctx.state.events.push(event);
        }
    }
    for r in &rules.referenced {
        if let Some(old) = of(r, old)? {
            let new: Option<Vec<Datum>> = new.map(|row| r.columns.iter().map(|&c| row(c)).collect());
            if new.as_ref() != Some(&old) {
                let event = Event::Referred { constraint: r.constraint, old, new };
                ctx.account.charge(event.bytes())?;
                ctx.state.events.push(event);
            }
        }
    }
    Ok(())
}

/// Adds rows to a table.
pub struct Insert {
    pub table: Arc<TableRef>,
    pub rules: Arc<RowRules>,
    pub input: BoxOperator,
    pub conflict: Option<Box<OnConflict>>,
    pub returning: Option<Vec<Expr>>,
    /// Whether RETURNING reads the old and the new row.
    pub wide: bool,
    pub is_ready: bool,
    pub are_rules_ready: bool,
    pub handles: Option<Handles>,
    pub chunk: Chunk,
}

impl Insert {
    /// Adds the first `count` rows of the chunk: to the table page by page, then to its indexes.
    fn insert_rows(&mut self, count: usize, ids: &mut Vec<RowId>, ctx: &mut Context<'_>) -> Result<()> {
        let Some(handles) = &self.handles else { return Err(SqlError::internal("the table was opened")) };
        let columns = &self.chunk.columns;
        handles.storage.insert_rows(
            ctx.txn,
            count,
            |i, cells| cells.extend(columns.iter().map(|c| cell(c, i))),
            ids,
        )?;
        let Some(handles) = &mut self.handles else { return Err(SqlError::internal("the table was opened")) };
        let mut broken = 0;
        // Nothing is computed for rows that are not added.
        let part = if count < self.chunk.rows {
            &self.chunk.select(&(0..count as u32).collect::<Vec<_>>())
        } else {
            &self.chunk
        };
        if let Err(e) = add_entries_of_rows(ctx, handles, &self.table, ids, part, &mut broken) {
            // Who shows the row counts those before it.
            ctx.state.affected += broken as u64;
            return Err(e);
        }
        if !self.rules.references.is_empty() {
            for i in 0..ids.len() {
                note_keys(&self.rules, None, Some(&|c| columns[c].get(i)), ctx)?;
            }
        }
        ctx.state.affected += ids.len() as u64;
        Ok(())
    }

    /// Adds row `i` of the chunk.
    fn insert_row(&mut self, i: usize, ctx: &mut Context<'_>) -> Result<RowId> {
        let Some(handles) = &self.handles else { return Err(SqlError::internal("the table was opened")) };
        let mut cells = smallvec::SmallVec::<[Cell<'_>; 16]>::new();
        for column in &self.chunk.columns {
            cells.push(cell(column, i));
        }
        let id = handles.storage.insert(ctx.txn, &cells)?;
        drop(cells);
        self.add_row(i, id, ctx)?;
        Ok(id)
    }

    /// Adds row `i` of the chunk, which is in the table as `id`, to its indexes, and notes what it refers to.
    fn add_row(&mut self, i: usize, id: RowId, ctx: &mut Context<'_>) -> Result<()> {
        let Some(handles) = &mut self.handles else { return Err(SqlError::internal("the table was opened")) };
        let columns = &self.chunk.columns;
        let row = |c: usize| columns[c].get(i);
        add_entries(ctx, handles, &self.table, id, &row)?;
        if !self.rules.references.is_empty() {
            note_keys(&self.rules, None, Some(&row), ctx)?;
        }
        ctx.state.affected += 1;
        Ok(())
    }
}

impl Operator for Insert {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if self.handles.is_none() {
            self.handles = Some(Handles::open(ctx, &self.table)?);
        }
        out.clear();
        if !self.input.next(ctx, &mut self.chunk)? {
            return Ok(false);
        }
        let changed = self
            .conflict
            .iter_mut()
            .flat_map(|c| &mut c.update)
            .flat_map(|u| u.sets.iter_mut().map(|s| &mut s.1).chain(&mut u.condition));
        native::ready(&mut self.is_ready, self.returning.iter_mut().flatten().chain(changed), ctx);
        native::ready_rules(&mut self.are_rules_ready, &mut self.rules, self.chunk.rows, ctx);
        // Rows before one that breaks a rule go in first, as they do one by one: they may fail for another reason.
        let broken = check_rows(&self.table, &self.rules, &self.chunk, ctx)?;
        let end = broken.as_ref().map_or(self.chunk.rows, |b| b.0);
        let width = self.table.columns.len();
        let mut ids: Vec<RowId> = Vec::new();
        let mut replaced: Option<Chunk> = None;
        let mut wide = self.wide.then(|| Returned::new(&self.table, &forms(&self.table), true));
        let mut kept: Vec<u32> = Vec::new();
        if self.conflict.is_none() && end > 1 {
            self.insert_rows(end, &mut ids, ctx)?;
            kept.extend(0..end as u32);
        }
        let one_by_one = if ids.is_empty() { end } else { 0 };
        for i in 0..one_by_one {
            if self.conflict.is_none() {
                let id = self.insert_row(i, ctx)?;
                if self.returning.is_some() {
                    ids.push(id);
                    kept.push(i as u32);
                }
                continue;
            }
            let spec = self.conflict.clone().unwrap_or_else(|| unreachable!("just seen"));
            while let Some(handles) = &mut self.handles {
                let row: Vec<Datum> = self.chunk.columns[..width].iter().map(|c| c.get(i)).collect();
                match conflict::resolve(&spec, &self.table, &self.rules, handles, &row, ctx)? {
                    Outcome::Free => {
                        let savepoint = ctx.txn.savepoint();
                        match self.insert_row(i, ctx) {
                            Ok(id) => {
                                ctx.txn.release(savepoint);
                                match &mut wide {
                                    Some(rows) => push_new(rows, &self.chunk, i, width, id),
                                    None => {
                                        ids.push(id);
                                        kept.push(i as u32);
                                    }
                                }
                                break;
                            }
                            // Someone was faster: look again.
                            Err(e)
                                if e.state() == SqlState::UNIQUE_VIOLATION
                                    && conflict::is_arbiter(&spec, &self.table, &e) =>
                            {
                                ctx.txn.rollback_to(savepoint)?;
                            }
                            Err(e) => return Err(e),
                        }
                    }
                    Outcome::Skip => break,
                    Outcome::Updated(new, old) => {
                        if let Some(rows) = &mut wide {
                            let Datum::I64(id) = new[width] else { break };
                            let now = new[..width].to_vec();
                            rows.push(new, Some(&old), Some(&now), RowId::from_u64(id as u64), "INSERT");
                            break;
                        }
                        // RETURNING shows what the row is now, in its place among the others.
                        let all = replaced.get_or_insert_with(|| Chunk::new(&forms(&self.table)));
                        flush(all, &mut kept, &mut ids, &self.chunk);
                        all.push_row(&new);
                        break;
                    }
                }
            }
        }
        if let Some((_, error)) = broken {
            return Err(error);
        }
        if let Some(mut rows) = wide {
            kept.iter().zip(&ids).for_each(|(&i, &id)| push_new(&mut rows, &self.chunk, i as usize, width, id));
            rows.give(self.returning.as_ref(), ctx, out)?;
        } else if self.returning.is_some() {
            let mut rows = replaced.unwrap_or_else(|| Chunk::new(&forms(&self.table)));
            flush(&mut rows, &mut kept, &mut ids, &self.chunk);
            give_back(self.returning.as_ref(), &rows, ctx, out)?;
        }
        Ok(true)
    }

    fn reset(&mut self) {
        self.input.reset();
    }
}

/// Adds row `i` of `chunk`, which was inserted as `id`.
fn push_new(rows: &mut Returned, chunk: &Chunk, i: usize, width: usize, id: RowId) {
    let new: Vec<Datum> = chunk.columns[..width].iter().map(|c| c.get(i)).collect();
    let mut row = new.clone();
    row.push(Datum::I64(id.to_u64() as i64));
    rows.push(row, None, Some(&new), id, "INSERT");
}

/// Adds one row to a table.
pub fn insert_one(
    ctx: &mut Context<'_>,
    handles: &mut Handles,
    table: &TableRef,
    rules: &RowRules,
    values: &[Datum],
) -> Result<RowId> {
    check_one(table, rules, values, ctx)?;
    let cells: smallvec::SmallVec<[Cell<'_>; 16]> = values.iter().map(Cell::of).collect();
    let id = handles.storage.insert(ctx.txn, &cells)?;
    let row = |c: usize| values[c].clone();
    add_entries(ctx, handles, table, id, &row)?;
    if !rules.references.is_empty() {
        note_keys(rules, None, Some(&row), ctx)?;
    }
    ctx.state.affected += 1;
    Ok(id)
}

/// Fails when a row breaks a rule of its table.
fn check_one(table: &TableRef, rules: &RowRules, new: &[Datum], ctx: &mut Context<'_>) -> Result<()> {
    let null = table.columns.iter().zip(new).any(|(c, d)| c.not_null && d.is_null());
    if !null && rules.checks.is_empty() && rules.views.is_empty() {
        return Ok(());
    }
    let forms: Vec<Physical> = table.columns.iter().map(|c| Physical::of(c.ty)).collect();
    let mut chunk = Chunk::new(&forms);
    chunk.push_row(new);
    match check_rows(table, rules, &chunk, ctx)? {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

/// Appends the inserted rows `kept` of `chunk`, with their ids.
fn flush(rows: &mut Chunk, kept: &mut Vec<u32>, ids: &mut Vec<RowId>, chunk: &Chunk) {
    rows.extend_selected(chunk, kept.iter().map(|&i| i as usize));
    if let Some(column) = rows.columns.last_mut() {
        ids.iter().for_each(|id| column.push(&Datum::I64(id.to_u64() as i64)));
    }
    kept.clear();
    ids.clear();
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
    // What is committed now, as the running command sees it.
    let mut snapshot = ctx.txn.snapshot();
    snapshot.command = ctx.snapshot.command;
    // The newest committed version; other tables' columns stay as the statement first saw them.
    let Some(newest) = known_values(table, storage, id, &snapshot)? else { return Ok(None) };
    let mut row = input.to_vec();
    row[..table.columns.len()].clone_from_slice(&newest);
    let mut chunk = Chunk::new(forms);
    chunk.push_row(&row);
    for predicate in recheck {
        if !is_true(&*eval(predicate, &chunk, ctx)?, 0) {
            return Ok(None);
        }
    }
    Ok(Some((row, snapshot)))
}

/// Waits until `other`, which has changed a row, has ended; whether it has committed something that no ordinary snapshot sees yet, but
/// later ones of this transaction do (X5).
///
/// `turn` is taken first, and kept until the row is changed: of many who wait for one row only the next wakes when it is free (L5).
fn wait_for_row(
    ctx: &mut Context<'_>,
    (table, row): (&Table, RowId),
    other: &TxnState,
    turn: &mut Option<Turn>,
) -> Result<bool> {
    let policy = ctx.lock_policy();
    if turn.is_none() {
        *turn = Some(ctx.txn.take_turn(table, row, policy)?);
    }
    if ctx.fixed_snapshot || !ctx.state.builds_early {
        ctx.txn.wait_for(other, policy)?;
        return Ok(false);
    }
    Ok(ctx.txn.build_on(other, policy)?)
}

/// What an update of rows needs to know.
pub struct Changer<'a> {
    pub table: &'a TableRef,
    pub rules: &'a RowRules,
    pub sets: &'a [(usize, Expr)],
    /// Forms of the rows that `sets` and `recheck` are over.
    pub forms: &'a [Physical],
    pub recheck: &'a [Expr],
}

impl Changer<'_> {
    /// Changes the row that `row` (columns, id, more) was read as, with the values `new` that `sets` gave for it; the row as it is then,
    /// and its columns as they were; `None` when it is not changed after all.
    pub fn change(
        &self,
        ctx: &mut Context<'_>,
        handles: &mut Handles,
        mut row: Vec<Datum>,
        mut computed: Option<Vec<Datum>>,
        mut snapshot: Snapshot,
    ) -> Result<Option<(Vec<Datum>, Vec<Datum>)>> {
        let width = self.table.columns.len();
        let Datum::I64(id) = row[width] else { return Ok(None) };
        let id = RowId::from_u64(id as u64);
        let mut turn = None;
        loop {
            let values = match computed.take() {
                Some(values) => values,
                None => {
                    let mut values = Vec::with_capacity(self.sets.len());
                    for (_, expr) in self.sets {
                        values.push(on_row(expr, self.forms, &row, ctx)?);
                    }
                    values
                }
            };
            let mut new = row[..width].to_vec();
            for ((column, _), value) in self.sets.iter().zip(values) {
                new[*column] = value;
            }
            check_one(self.table, self.rules, &new, ctx)?;
            let changes: smallvec::SmallVec<[(u16, Cell<'_>); 8]> = self
                .sets
                .iter()
                .filter(|(c, _)| new[*c] != row[*c])
                .map(|(c, _)| (*c as u16, Cell::of(&new[*c])))
                .collect();
            let mode = self.mode(handles, &row, &new, ctx)?;
            match handles.storage.update(ctx.txn, &snapshot, id, &changes, mode)? {
                RowState::Done => {
                    let (old_of, new_of) = (|c: usize| row[c].clone(), |c: usize| new[c].clone());
                    let is_set = |column| self.sets.iter().any(|s| s.0 == column);
                    change_entries(ctx, handles, self.table, id, (&old_of, &new_of), is_set)?;
                    if !self.rules.references.is_empty() || !self.rules.referenced.is_empty() {
                        note_keys(self.rules, Some(&old_of), Some(&new_of), ctx)?;
                    }
                    ctx.state.affected += 1;
                    drop(changes);
                    row[..width].swap_with_slice(&mut new);
                    return Ok(Some((row, new)));
                }
                RowState::Deleted if ctx.fixed_snapshot => return Err(Error::Serialization.into()),
                // The first change of a command wins, as in PostgreSQL.
                RowState::SelfModified | RowState::Gone | RowState::Deleted => return Ok(None),
                state @ (RowState::Updated | RowState::Busy(_)) => {
                    drop(changes);
                    if let RowState::Busy(other) = &state
                        && !wait_for_row(ctx, (&handles.storage, id), other, &mut turn)?
                    {
                        continue;
                    }
                    match look_again(ctx, &handles.storage, self.table, id, &row, self.forms, self.recheck)? {
                        Some(newest) => (row, snapshot) = newest,
                        None => return Ok(None),
                    }
                }
            }
        }
    }

    /// The lock an update needs: a stronger one when a unique key changes, for others may refer to it.
    fn mode(&self, handles: &mut Handles, row: &[Datum], new: &[Datum], ctx: &mut Context<'_>) -> Result<Mode> {
        let (key, old_key) = &mut handles.keys;
        for index in self.table.indexes.iter().filter(|i| i.unique && i.immediate && i.is_plain()) {
            if !index.columns.iter().any(|k| self.sets.iter().any(|s| s.0 == k.0)) {
                continue;
            }
            encode_key(key, self.table, index, &|c| new[c].clone(), ctx)?;
            encode_key(old_key, self.table, index, &|c| row[c].clone(), ctx)?;
            if key != old_key {
                return Ok(Mode::ForUpdate);
            }
        }
        Ok(Mode::ForNoKeyUpdate)
    }
}

/// Changes rows of a table.
pub struct Update {
    pub table: Arc<TableRef>,
    pub rules: Arc<RowRules>,
    pub input: BoxOperator,
    pub forms: Vec<Physical>,
    pub recheck: Vec<Expr>,
    pub sets: Vec<(usize, Expr)>,
    pub returning: Option<Vec<Expr>>,
    /// Whether RETURNING reads the old and the new row.
    pub wide: bool,
    pub is_ready: bool,
    pub are_rules_ready: bool,
    pub handles: Option<Handles>,
    pub chunk: Chunk,
}

impl Operator for Update {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if self.handles.is_none() {
            self.handles = Some(Handles::open(ctx, &self.table)?);
        }
        out.clear();
        if !self.input.next(ctx, &mut self.chunk)? {
            return Ok(false);
        }
        let exprs = self.returning.iter_mut().flatten().chain(self.sets.iter_mut().map(|s| &mut s.1));
        native::ready(&mut self.is_ready, exprs, ctx);
        native::ready_rules(&mut self.are_rules_ready, &mut self.rules, self.chunk.rows, ctx);
        let Update { table, rules, forms, recheck, sets, handles, chunk, .. } = self;
        let Some(handles) = handles else { return Ok(false) };
        let changer = Changer { table, rules, sets, forms, recheck };
        // Those of a single row are computed without vectors.
        let values = match chunk.rows {
            1 => None,
            _ => Some(changer.sets.iter().map(|s| eval(&s.1, chunk, ctx)).collect::<Result<Vec<_>>>()?),
        };
        let mut rows = self.returning.is_some().then(|| Returned::new(table, forms, self.wide));
        let width = table.columns.len();
        for i in 0..chunk.rows {
            let computed = values.as_ref().map(|values| values.iter().map(|v| v.get(i)).collect());
            let snapshot = ctx.snapshot.clone();
            let changed = changer.change(ctx, handles, chunk.row(i), computed, snapshot)?;
            if let (Some((row, old)), Some(rows)) = (changed, &mut rows) {
                let now = if self.wide { row[..width].to_vec() } else { Vec::new() };
                let id = row_id(&row[width]);
                rows.push(row, Some(&old), Some(&now), id, "UPDATE");
            }
        }
        if let Some(rows) = rows {
            rows.give(self.returning.as_ref(), ctx, out)?;
        }
        Ok(true)
    }

    fn reset(&mut self) {
        self.input.reset();
    }
}

/// Deletes rows of a table.
pub struct Delete {
    pub table: Arc<TableRef>,
    pub rules: Arc<RowRules>,
    pub input: BoxOperator,
    pub forms: Vec<Physical>,
    pub recheck: Vec<Expr>,
    pub returning: Option<Vec<Expr>>,
    /// Whether RETURNING reads the old and the new row.
    pub wide: bool,
    pub handles: Option<Handles>,
    pub chunk: Chunk,
}

/// The id in a row's column of ids.
fn row_id(datum: &Datum) -> RowId {
    match datum {
        Datum::I64(id) => RowId::from_u64(*id as u64),
        _ => RowId::from_u64(0),
    }
}

/// Notes what the deletion of `row` leaves behind and asks for.
fn note_deleted(
    ctx: &mut Context<'_>,
    handles: &mut Handles,
    (table, rules): (&TableRef, &RowRules),
    id: RowId,
    row: &[Datum],
) -> Result<()> {
    let old = |c: usize| row[c].clone();
    let indexes = table.indexes.iter().zip(&handles.trees).zip(&handles.derived);
    for ((index, tree), _) in indexes.filter(|(_, derived)| !**derived) {
        if encode_entry(&mut handles.keys.0, tree, table, index, &old, ctx)?.is_some() {
            ctx.txn.note_obsolete(ctx.db, tree.rel(), &handles.keys.0, id, true);
        }
    }
    if !rules.referenced.is_empty() {
        note_keys(rules, Some(&old), None, ctx)?;
    }
    ctx.state.affected += 1;
    Ok(())
}

/// Deletes the row that `row` was read as; the row as it was then, `None` when it is not deleted after all.
pub fn delete_row(
    ctx: &mut Context<'_>,
    handles: &mut Handles,
    (table, rules): (&TableRef, &RowRules),
    forms: &[Physical],
    recheck: &[Expr],
    mut row: Vec<Datum>,
    mut snapshot: Snapshot,
) -> Result<Option<Vec<Datum>>> {
    let width = table.columns.len();
    let Datum::I64(id) = row[width] else { return Ok(None) };
    let id = RowId::from_u64(id as u64);
    let mut turn = None;
    loop {
        match handles.storage.delete(ctx.txn, &snapshot, id)? {
            RowState::Done => {
                note_deleted(ctx, handles, (table, rules), id, &row)?;
                return Ok(Some(row));
            }
            RowState::Deleted if ctx.fixed_snapshot => return Err(Error::Serialization.into()),
            RowState::SelfModified | RowState::Gone | RowState::Deleted => return Ok(None),
            state @ (RowState::Updated | RowState::Busy(_)) => {
                if let RowState::Busy(other) = &state
                    && !wait_for_row(ctx, (&handles.storage, id), other, &mut turn)?
                {
                    continue;
                }
                match look_again(ctx, &handles.storage, table, id, &row, forms, recheck)? {
                    Some(newest) => (row, snapshot) = newest,
                    None => return Ok(None),
                }
            }
        }
    }
}

impl Operator for Delete {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if self.handles.is_none() {
            self.handles = Some(Handles::open(ctx, &self.table)?);
        }
        out.clear();
        let mut chunk = std::mem::take(&mut self.chunk);
        if !self.input.next(ctx, &mut chunk)? {
            return Ok(false);
        }
        let Delete { table, rules, forms, recheck, handles, .. } = self;
        let Some(handles) = handles else { return Ok(false) };
        let mut rows = Returned::new(table, forms, self.wide);
        let width = table.columns.len();
        // Rows of a page together. What a join yields twice is deleted once.
        let id = |i: usize| row_id(&chunk.columns[width].get(i));
        let mut order: Vec<(RowId, usize)> = (0..chunk.rows).map(|i| (id(i), i)).collect();
        order.sort_unstable();
        order.dedup_by_key(|o| o.0);
        let ids: Vec<RowId> = order.iter().map(|o| o.0).collect();
        let mut outcomes = Vec::new();
        handles.storage.delete_rows(ctx.txn, ctx.snapshot, &ids, &mut outcomes)?;
        let is_noted = handles.derived.iter().all(|&d| d) && rules.referenced.is_empty() && self.returning.is_none();
        if is_noted && outcomes.iter().all(|o| matches!(o, RowState::Done)) {
            ctx.state.affected += ids.len() as u64;
            self.chunk = chunk;
            return Ok(true);
        }
        let mut done = vec![None; chunk.rows];
        order.iter().zip(outcomes).for_each(|(&(id, i), outcome)| done[i] = Some((id, outcome)));
        for (i, done) in done.into_iter().enumerate() {
            let Some((id, outcome)) = done else { continue };
            let row = chunk.row(i);
            let deleted = if let RowState::Done = outcome {
                note_deleted(ctx, handles, (table, rules), id, &row)?;
                Some(row)
            } else {
                let snapshot = ctx.snapshot.clone();
                delete_row(ctx, handles, (table, rules), forms, recheck, row, snapshot)?
            };
            if let (Some(row), true) = (deleted, self.returning.is_some()) {
                let old = if self.wide { row[..width].to_vec() } else { Vec::new() };
                rows.push(row, Some(&old), None, id, "DELETE");
            }
        }
        self.chunk = chunk;
        rows.give(self.returning.as_ref(), ctx, out)?;
        Ok(true)
    }

    fn reset(&mut self) {
        self.input.reset();
    }
}
