//! ON CONFLICT: what becomes of a row whose key another row has.

use plan::{OnConflict, RowRules, TableRef};
use storage::lock::Mode;
use storage::table::RowState;
use types::{Datum, Physical, Result, SqlError, SqlState};
use vector::Chunk;

use crate::Context;
use crate::eval::{eval, is_true};
use crate::index::{Found, Handles, encode_key, find_key};
use crate::modify::Changer;
use crate::scan::{forms, known_values};

/// What is to be done with a row.
pub enum Outcome {
    /// No row is in its way.
    Free,
    /// Nothing.
    Skip,
    /// The row in its way was changed, and is this now (with its id); its columns were these.
    Updated(Vec<Datum>, Vec<Datum>),
}

/// Whether a conflict in index `number` is meant.
fn is_meant(spec: &OnConflict, number: usize) -> bool {
    spec.indexes.is_empty() || spec.indexes.contains(&number)
}

/// Whether `error` is a duplicate key of an index that is meant.
pub fn is_arbiter(spec: &OnConflict, table: &TableRef, error: &SqlError) -> bool {
    let name = error.fields().constraint.as_deref().unwrap_or_default();
    table.indexes.iter().enumerate().any(|(i, index)| is_meant(spec, i) && index.name == name)
}

/// Looks for a row in the way of `row`, and does what ON CONFLICT says about it.
///
/// # Errors
/// `21000` when this command made the row in the way; `40001`; what the update says.
pub fn resolve(
    spec: &OnConflict,
    table: &TableRef,
    rules: &RowRules,
    handles: &mut Handles,
    row: &[Datum],
    ctx: &mut Context<'_>,
) -> Result<Outcome> {
    for (number, index) in table.indexes.iter().enumerate() {
        if !index.unique || !is_meant(spec, number) {
            continue;
        }
        if !index.immediate {
            let message =
                "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters";
            return Err(SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message).constraint(
                &table.schema,
                &table.name,
                &index.name,
            ));
        }
        let mut key = Vec::new();
        match encode_key(&mut key, table, index, &|c| row[c].clone(), ctx)? {
            Some(null) if !null || index.nulls_not_distinct => {}
            _ => continue,
        }
        loop {
            let found = find_key(ctx, &handles.storage, &handles.trees[number], table, index, &key, None)?;
            match found {
                None => break,
                Some(Found::Wait(other)) => ctx.txn.wait_for(&other, ctx.lock_policy())?,
                Some(Found::Conflict(id)) => {
                    if let Some(outcome) = update(spec, table, rules, handles, row, id, ctx)? {
                        return Ok(outcome);
                    }
                }
            }
        }
    }
    Ok(Outcome::Free)
}

/// Changes the row at `id`; `None` when it is gone meanwhile.
fn update(
    spec: &OnConflict,
    table: &TableRef,
    rules: &RowRules,
    handles: &mut Handles,
    row: &[Datum],
    id: storage::RowId,
    ctx: &mut Context<'_>,
) -> Result<Option<Outcome>> {
    let mut snapshot = ctx.txn.snapshot();
    if ctx.fixed_snapshot && handles.storage.read(id, ctx.snapshot, |_| ())?.is_none() {
        return Err(storage::Error::Serialization.into());
    }
    let Some(update) = &spec.update else { return Ok(Some(Outcome::Skip)) };
    snapshot.command = ctx.snapshot.command;
    match handles.storage.lock_row(ctx.txn, &snapshot, id, Mode::ForNoKeyUpdate, ctx.lock_policy())? {
        RowState::Done => {}
        RowState::Busy(other) => {
            ctx.txn.wait_for(&other, ctx.lock_policy())?;
            return Ok(None);
        }
        RowState::SelfModified => {
            let message = "ON CONFLICT DO UPDATE command cannot affect row a second time";
            return Err(SqlError::new(SqlState::CARDINALITY_VIOLATION, message).hint(
                "Ensure that no rows proposed for insertion within the same command have duplicate constrained values.",
            ));
        }
        RowState::Updated | RowState::Deleted | RowState::Gone => return Ok(None),
    }
    let Some(mut old) = known_values(table, &handles.storage, id, &snapshot)? else { return Ok(None) };
    old.push(Datum::I64(id.to_u64() as i64));
    let own = old.len();
    old.extend_from_slice(row);
    old.push(Datum::Null);
    let both: Vec<Physical> = forms(table).into_iter().chain(forms(table)).collect();
    if let Some(condition) = &update.condition {
        let mut chunk = Chunk::new(&both);
        chunk.push_row(&old);
        if !is_true(&*eval(condition, &chunk, ctx)?, 0) {
            return Ok(Some(Outcome::Skip));
        }
    }
    let changer = Changer { table, rules, sets: &update.sets, forms: &both, recheck: &[] };
    Ok(changer.change(ctx, handles, old, None, snapshot)?.map(|(mut new, old)| {
        new.truncate(own);
        Outcome::Updated(new, old)
    }))
}
