//! Keeping indexes: key encoding, entries of new row versions, unique checks.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use plan::{IndexKey, TableRef};
use storage::RowId;
use storage::btree::{Btree, Direction, EntryBatch, ScanBounds};
use storage::lock::{Mode, Tag, WaitPolicy};
use storage::table::{RowView, Table};
use types::{Datum, IoSettings, Physical, Result, SqlError, SqlState};

use crate::Context;

/// Appends the encoding of `values`, one for each of the first columns of `index`.
///
/// # Errors
/// `0A000` for types without an order.
pub fn encode_datums(out: &mut Vec<u8>, table: &TableRef, index: &IndexKey, values: &[Datum]) -> Result<()> {
    for (&(column, descending), value) in index.columns.iter().zip(values) {
        types::sortkey::encode_key(out, table.columns[column].1, value, descending, descending)?;
    }
    Ok(())
}

/// The key of `row` in `index`.
///
/// # Errors
/// `0A000` for types without an order.
pub fn encode_key(table: &TableRef, index: &IndexKey, row: &[Datum]) -> Result<Vec<u8>> {
    let values: Vec<Datum> = index.columns.iter().map(|&(c, _)| row[c].clone()).collect();
    let mut key = Vec::new();
    encode_datums(&mut key, table, index, &values)?;
    Ok(key)
}

/// Adds the entries that the new version `row` needs; with `old`, only where its key differs from the old version's.
///
/// # Errors
/// `23505` when a unique key is taken; what waiting for its owner says.
pub fn add_entries(
    ctx: &mut Context<'_>,
    storage: &Table,
    table: &TableRef,
    id: RowId,
    row: &[Datum],
    old: Option<&[Datum]>,
) -> Result<()> {
    for index in &table.indexes {
        let key = encode_key(table, index, row)?;
        let tree = Btree::new(ctx.db.clone(), ctx.db.relation(index.rel)?);
        if let Some(old) = old {
            let old_key = encode_key(table, index, old)?;
            if old_key == key {
                continue;
            }
            ctx.txn.note_obsolete(ctx.db, tree.rel(), &old_key, id, true);
        }
        let has_null = index.columns.iter().any(|&(c, _)| row[c].is_null());
        let existed = if index.unique && !has_null {
            insert_unique(ctx, storage, &tree, table, index, &key, id, row)?
        } else {
            tree.insert(&key, id)?
        };
        if !existed {
            ctx.txn.note_obsolete(ctx.db, tree.rel(), &key, id, false);
        }
    }
    Ok(())
}

/// Inserts an entry once no other row has its key. Checking and inserting are one step for all who insert the same key: they meet at a
/// lock on the key's hash, which nobody holds while waiting for a transaction.
#[allow(clippy::too_many_arguments, reason = "one caller")]
fn insert_unique(
    ctx: &mut Context<'_>,
    storage: &Table,
    tree: &Btree,
    table: &TableRef,
    index: &IndexKey,
    key: &[u8],
    id: RowId,
    row: &[Datum],
) -> Result<bool> {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key) as u32;
    let tag = Tag::Object(ctx.db.id, index.rel.0, hash);
    let (owner, interrupt) = (ctx.txn.owner(), ctx.txn.interrupt().clone());
    let locks = &ctx.db.shared().clone().locks;
    loop {
        locks.acquire(tag, Mode::Exclusive, owner, WaitPolicy::Wait(0), &interrupt)?;
        let outcome = probe(ctx, storage, tree, table, index, key, id);
        let outcome = match outcome {
            Ok(None) => tree.insert(key, id).map(Some).map_err(SqlError::from),
            Ok(Some(Found::Conflict)) => Err(violation(table, index, row)),
            Ok(Some(Found::Wait(other))) => {
                locks.release(tag, Mode::Exclusive, owner);
                ctx.txn.wait_for(&other, WaitPolicy::Wait(0))?;
                continue;
            }
            Err(e) => Err(e),
        };
        locks.release(tag, Mode::Exclusive, owner);
        return outcome.map(|existed| existed.unwrap_or(false));
    }
}

enum Found {
    Conflict,
    Wait(std::sync::Arc<storage::txn::TxnState>),
}

fn probe(
    ctx: &mut Context<'_>,
    storage: &Table,
    tree: &Btree,
    table: &TableRef,
    index: &IndexKey,
    key: &[u8],
    id: RowId,
) -> Result<Option<Found>> {
    let own = ctx.txn.writer()?;
    let mut bounds = ScanBounds::prefix(key);
    let mut batch = EntryBatch::default();
    loop {
        let more = tree.scan(&mut bounds, Direction::Forward, &mut batch)?;
        for i in 0..batch.len() {
            let (entry, row) = batch.get(i);
            if row == id || entry != key {
                continue;
            }
            let has_key = |view: &RowView<'_>| key_of_view(storage, table, index, view).is_some_and(|k| k == key);
            match storage.probe_unique(row, Some(&own), has_key)? {
                storage::table::Probe::Free => {}
                storage::table::Probe::Conflict => return Ok(Some(Found::Conflict)),
                storage::table::Probe::Wait(other) => return Ok(Some(Found::Wait(other))),
            }
        }
        if !more {
            return Ok(None);
        }
    }
}

/// The key of a stored row; `None` when its large values cannot be read. The row's page is latched: overflow pages come after table
/// pages in the order of latches.
fn key_of_view(storage: &Table, table: &TableRef, index: &IndexKey, view: &RowView<'_>) -> Option<Vec<u8>> {
    let values = index
        .columns
        .iter()
        .map(|&(c, _)| match view.cell(c).datum(Physical::of(table.columns[c].1)) {
            Ok(datum) => Some(datum),
            Err(large) => storage.fetch(&large).ok().map(Datum::from),
        })
        .collect::<Option<Vec<_>>>()?;
    let mut key = Vec::new();
    encode_datums(&mut key, table, index, &values).ok()?;
    Some(key)
}

fn violation(table: &TableRef, index: &IndexKey, row: &[Datum]) -> SqlError {
    let settings = IoSettings::default();
    let names: Vec<&str> = index.columns.iter().map(|&(c, _)| &*table.columns[c].0).collect();
    let values: Vec<String> = index
        .columns
        .iter()
        .map(|&(c, _)| types::io::to_text(table.columns[c].1, &row[c], &settings).unwrap_or_default())
        .collect();
    let message = format!("duplicate key value violates unique constraint \"{}\"", index.name);
    SqlError::new(SqlState::UNIQUE_VIOLATION, message)
        .detail(format!("Key ({})=({}) already exists.", names.join(", "), values.join(", ")))
        .constraint(&table.schema, &table.name, &index.name)
}
