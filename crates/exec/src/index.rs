//! Keeping indexes: key encoding, entries of new row versions, unique checks.

mod chunk_keys;
mod run;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use plan::{IndexKey, TableRef};
use smallvec::SmallVec;
use storage::RowId;
use storage::btree::{Added, Btree, Direction, EntryBatch, ScanBounds};
use storage::lock::{Mode, Tag, WaitPolicy};
use storage::table::{EntryShape, RowView, Table};
use types::io::TypeLookup;
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};

use crate::eval::on_row;
use crate::scan::forms;
use crate::{Context, Event};

pub use chunk_keys::ChunkKeys;
pub use run::add_entries_of_rows;

/// Appends the encoding of `values`, one for each of the first columns of `index`.
fn encode_datums(
    out: &mut Vec<u8>,
    table: &TableRef,
    index: &IndexKey,
    values: &[Datum],
    ctx: &Context<'_>,
) -> Result<()> {
    for (i, value) in values.iter().enumerate() {
        encode_prefix(out, table, index, i, value, ctx)?;
    }
    Ok(())
}

/// Appends the encoding of `value` as column `i` of `index`.
///
/// # Errors
/// `0A000` for types without an order.
pub fn encode_prefix(
    out: &mut Vec<u8>,
    table: &TableRef,
    index: &IndexKey,
    i: usize,
    value: &Datum,
    ctx: &Context<'_>,
) -> Result<()> {
    let (_, descending, nulls_first) = index.columns[i];
    let ty = index.key_type(i, &table.columns);
    types::sortkey::encode_key_with(out, ty, value, descending, nulls_first, ctx.types)
}

/// A row's values by column.
pub type RowValues<'r> = &'r dyn Fn(usize) -> Datum;

/// Puts the key of `row` in `index` into `key`; whether it has a NULL, or `None` when the index does not list such rows.
///
/// # Errors
/// `0A000` for types without an order; what computing the key says.
pub fn encode_key(
    key: &mut Vec<u8>,
    table: &TableRef,
    index: &IndexKey,
    row: RowValues<'_>,
    ctx: &mut Context<'_>,
) -> Result<Option<bool>> {
    key.clear();
    if !index.is_plain() {
        return encode_computed(key, table, index, row, ctx);
    }
    encode_columns(key, table, index, row, ctx).map(Some)
}

/// Appends the encodings of all columns of `index`, whose values `value` knows by what [`IndexKey::columns`] has; whether there is a NULL.
fn encode_columns(
    key: &mut Vec<u8>,
    table: &TableRef,
    index: &IndexKey,
    value: RowValues<'_>,
    ctx: &Context<'_>,
) -> Result<bool> {
    let mut null = false;
    for (i, &(column, ..)) in index.columns.iter().enumerate() {
        let value = value(column);
        null |= value.is_null();
        encode_prefix(key, table, index, i, &value, ctx)?;
    }
    Ok(null)
}

/// [`encode_key`] with what the entries of `index`, whose tree is `tree`, carry: the whole entry but for the row's id.
///
/// # Errors
/// As [`encode_key`].
pub fn encode_entry(
    entry: &mut Vec<u8>,
    tree: &Btree,
    table: &TableRef,
    index: &IndexKey,
    row: RowValues<'_>,
    ctx: &mut Context<'_>,
) -> Result<Option<bool>> {
    let null = encode_key(entry, table, index, row, ctx)?;
    if null.is_some() {
        tree.carry(entry, index.include.iter().map(|&c| row(c)));
    }
    Ok(null)
}

/// [`encode_entry`] of a row in a latched page and an index of plain columns of `key_types`; false when a value lies in overflow pages, whose latches
/// come later.
pub fn entry_of_view(
    entry: &mut Vec<u8>,
    tree: &Btree,
    index: &IndexKey,
    key_types: &[Oid],
    view: &RowView<'_>,
    forms: &[Physical],
    lookup: &dyn TypeLookup,
) -> Result<bool> {
    entry.clear();
    for (&(column, descending, nulls_first), &ty) in index.columns.iter().zip(key_types) {
        let Ok(datum) = view.cell(column).datum(forms[column]) else { return Ok(false) };
        types::sortkey::encode_key_with(entry, ty, &datum, descending, nulls_first, lookup)?;
    }
    if !tree.carries().is_empty() {
        let carried = index.include.iter().map(|&c| view.cell(c).datum(forms[c]));
        let Ok(carried) = carried.collect::<std::result::Result<SmallVec<[Datum; 4]>, _>>() else { return Ok(false) };
        tree.carry(entry, carried);
    }
    Ok(true)
}

/// [`encode_key`] of an index with expressions or a condition.
fn encode_computed(
    key: &mut Vec<u8>,
    table: &TableRef,
    index: &IndexKey,
    row: RowValues<'_>,
    ctx: &mut Context<'_>,
) -> Result<Option<bool>> {
    let Some(values) = key_values(table, index, row, ctx)? else { return Ok(None) };
    encode_datums(key, table, index, &values, ctx)?;
    Ok(Some(values.iter().any(Datum::is_null)))
}

/// The values of the columns of `index` for `row`; `None` when it does not list such rows.
///
/// # Errors
/// What computing them says.
pub fn key_values(
    table: &TableRef,
    index: &IndexKey,
    row: RowValues<'_>,
    ctx: &mut Context<'_>,
) -> Result<Option<Vec<Datum>>> {
    let forms = forms(table);
    // What a dropped column still holds is of a form that nobody knows any more.
    let kept = |i: usize| if table.columns[i].dropped { Datum::Null } else { row(i) };
    let mut values: Vec<Datum> = (0..table.columns.len()).map(kept).collect();
    values.push(Datum::Null);
    if let Some(predicate) = &index.predicate
        && on_row(predicate, &forms, &values, ctx)? != Datum::Bool(true)
    {
        return Ok(None);
    }
    let one = |(i, k): (usize, &(usize, bool, bool))| match index.expr(i) {
        Some(e) => on_row(e, &forms, &values, ctx),
        None => Ok(values[k.0].clone()),
    };
    index.columns.iter().enumerate().map(one).collect::<Result<_>>().map(Some)
}

/// How the entries of a table's indexes follow from its rows, where they do.
fn shapes_of(table: &TableRef) -> Vec<EntryShape> {
    let shape = |index: &IndexKey| EntryShape {
        index: index.rel,
        key: (index.columns.iter().enumerate())
            .map(|(i, &(column, descending, nulls_first))| {
                (column, index.key_type(i, &table.columns), descending, nulls_first)
            })
            .collect(),
        include: index.include.clone(),
    };
    table.indexes.iter().filter(|i| i.follows_from_rows(&table.columns)).map(shape).collect()
}

/// The handles of a table and its indexes, opened once.
pub struct Handles {
    /// The table.
    pub storage: Table,
    /// Its indexes, in order.
    pub trees: Vec<Btree>,
    /// Of each, whether its entries follow from rows: then nobody notes those of rows that appear or go ([`EntryShape`]).
    pub derived: Vec<bool>,
    /// Room for a new and an old key.
    pub keys: (Vec<u8>, Vec<u8>),
    /// What the indexes compute, once rows come by the chunk.
    computed: Vec<ChunkKeys>,
}

impl Handles {
    /// Opens them.
    ///
    /// # Errors
    /// When one is not there.
    pub fn open(ctx: &Context<'_>, table: &TableRef) -> Result<Handles> {
        let storage = Table::new(ctx.db.clone(), ctx.db.relation(table.rel)?);
        let tree = |i: &IndexKey| Ok(Btree::new(ctx.db.clone(), ctx.db.relation(i.rel)?));
        let trees = table.indexes.iter().map(tree).collect::<Result<Vec<_>>>()?;
        let derived = table.indexes.iter().map(|i| i.follows_from_rows(&table.columns)).collect();
        // One that is read without its indexes has others that know them.
        if !table.indexes.is_empty() {
            storage.rel().set_shapes(shapes_of(table));
        }
        Ok(Handles { storage, trees, derived, keys: Default::default(), computed: Vec::new() })
    }
}

/// Adds the entries of the new row `row`.
///
/// # Errors
/// `23505` when a unique key is taken; what waiting for its owner says.
pub fn add_entries(
    ctx: &mut Context<'_>,
    handles: &mut Handles,
    table: &TableRef,
    id: RowId,
    row: RowValues<'_>,
) -> Result<()> {
    (0..table.indexes.len()).try_for_each(|number| add_entry(ctx, handles, table, number, id, row, None))
}

/// Adds the entries that the new version `row` needs where its key differs from that of `old`; only in columns for which `is_set` may they differ.
///
/// # Errors
/// As [`add_entries`].
pub fn change_entries(
    ctx: &mut Context<'_>,
    handles: &mut Handles,
    table: &TableRef,
    id: RowId,
    (old, row): (RowValues<'_>, RowValues<'_>),
    is_set: impl Fn(usize) -> bool,
) -> Result<()> {
    for (number, index) in table.indexes.iter().enumerate() {
        let mut columns = index.columns.iter().map(|k| k.0).chain(index.include.iter().copied());
        if !index.is_plain() || columns.any(&is_set) {
            add_entry(ctx, handles, table, number, id, row, Some(old))?;
        }
    }
    Ok(())
}

/// Whether an index lets no other row have a key, with NULLs in it or without: they differ from each other, unless it says otherwise.
fn is_distinct(index: &IndexKey, null: bool) -> bool {
    index.unique && (index.nulls_not_distinct || !null)
}

/// [`add_entries`] for one index.
fn add_entry(
    ctx: &mut Context<'_>,
    handles: &mut Handles,
    table: &TableRef,
    number: usize,
    id: RowId,
    row: RowValues<'_>,
    old: Option<RowValues<'_>>,
) -> Result<()> {
    let Handles { storage, trees, derived, keys: (key, old_key), .. } = handles;
    let (index, tree) = (&table.indexes[number], &trees[number]);
    let listed = encode_entry(key, tree, table, index, row, ctx)?;
    if let Some(old) = old {
        let was_listed = encode_entry(old_key, tree, table, index, old, ctx)?.is_some();
        if was_listed && listed.is_some() && old_key == key {
            return Ok(());
        }
        if was_listed {
            ctx.txn.note_obsolete(ctx.db, tree.rel(), old_key, id, true);
        }
    }
    let Some(null) = listed else { return Ok(()) };
    let distinct = is_distinct(index, null);
    let existed = if distinct && index.immediate {
        insert_unique(ctx, storage, tree, table, index, key, id, row)?
    } else {
        tree.insert(key, id)?
    };
    let bare = tree.bare(key);
    if distinct && !index.immediate && find_key(ctx, storage, tree, table, index, bare, Some(id))?.is_some() {
        let event = Event::Unique { index: index.oid, row: id, key: bare.to_vec() };
        ctx.account.charge(event.bytes())?;
        ctx.state.events.push(event);
    }
    if !existed && (old.is_some() || !derived[number]) {
        ctx.txn.note_obsolete(ctx.db, tree.rel(), key, id, false);
    }
    Ok(())
}

/// Inserts an entry once no other row has its key. Mostly no entry has it, and looking and inserting are one step, under a leaf's latch.
/// Otherwise they are one step for all who find such entries: they meet at a lock on the key's hash, which nobody holds while waiting for
/// a transaction. Entries may be purged meanwhile and others come by the short way, so whoever came the long way looks again.
#[allow(clippy::too_many_arguments, reason = "one caller")]
fn insert_unique(
    ctx: &mut Context<'_>,
    storage: &Table,
    tree: &Btree,
    table: &TableRef,
    index: &IndexKey,
    entry: &[u8],
    id: RowId,
    row: RowValues<'_>,
) -> Result<bool> {
    if tree.insert_unique(entry, id)? == Added::New {
        return Ok(false);
    }
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(tree.bare(entry)) as u32;
    let tag = Tag::Object(ctx.db.id, index.rel.0, hash);
    let (owner, interrupt) = (ctx.txn.owner(), ctx.txn.interrupt().clone());
    let locks = &ctx.db.shared().clone().locks;
    loop {
        locks.acquire(tag, Mode::Exclusive, owner, WaitPolicy::Wait(0), &interrupt)?;
        let outcome = insert_checked(ctx, storage, tree, table, index, entry, id);
        locks.release(tag, Mode::Exclusive, owner);
        match outcome? {
            Ok(existed) => return Ok(existed),
            Err(Found::Conflict(_)) => return Err(violation(table, index, row, ctx)),
            Err(Found::Wait(other)) => ctx.txn.wait_for(&other, ctx.lock_policy())?,
        }
    }
}

/// Inserts an entry, whether it was there already, unless something stands against it before or after.
fn insert_checked(
    ctx: &mut Context<'_>,
    storage: &Table,
    tree: &Btree,
    table: &TableRef,
    index: &IndexKey,
    entry: &[u8],
    id: RowId,
) -> Result<std::result::Result<bool, Found>> {
    let key = tree.bare(entry);
    if let Some(found) = find_key(ctx, storage, tree, table, index, key, Some(id))? {
        return Ok(Err(found));
    }
    let existed = tree.insert(entry, id)?;
    match find_key(ctx, storage, tree, table, index, key, Some(id))? {
        None => Ok(Ok(existed)),
        Some(found) => {
            if !existed {
                tree.remove_unless(entry, id, || false)?;
            }
            Ok(Err(found))
        }
    }
}

/// What stands against a unique key.
pub enum Found {
    /// This row has it.
    Conflict(RowId),
    /// This transaction decides whether a row has it.
    Wait(std::sync::Arc<storage::txn::TxnState>),
}

/// The row other than `except` that has `key` in a unique index.
///
/// # Errors
/// What reading pages says.
pub fn find_key(
    ctx: &mut Context<'_>,
    storage: &Table,
    tree: &Btree,
    table: &TableRef,
    index: &IndexKey,
    key: &[u8],
    except: Option<RowId>,
) -> Result<Option<Found>> {
    let own = ctx.txn.writer()?;
    let ctx = std::cell::RefCell::new(ctx);
    let mut bounds = ScanBounds::prefix(key);
    let mut batch = EntryBatch::default();
    loop {
        let more = tree.scan(&mut bounds, Direction::Forward, &mut batch)?;
        for i in 0..batch.len() {
            let (entry, row) = batch.get(i);
            if Some(row) == except || tree.bare(entry) != key {
                continue;
            }
            let has_key = |view: &RowView<'_>| {
                key_of_view(storage, table, index, view, &mut ctx.borrow_mut()).is_some_and(|k| k == key)
            };
            match storage.probe_unique(row, Some(&own), has_key)? {
                storage::table::Probe::Free => {}
                storage::table::Probe::Conflict => return Ok(Some(Found::Conflict(row))),
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
fn key_of_view(
    storage: &Table,
    table: &TableRef,
    index: &IndexKey,
    view: &RowView<'_>,
    ctx: &mut Context<'_>,
) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    if !index.is_plain() {
        let mut values = Vec::with_capacity(table.columns.len());
        for (c, column) in table.columns.iter().enumerate() {
            values.push(match view.cell(c).datum(Physical::of(column.ty)) {
                Ok(datum) => datum,
                Err(large) => storage.fetch(&large).ok().map(Datum::from)?,
            });
        }
        encode_computed(&mut key, table, index, &|c| values[c].clone(), ctx).ok()??;
        return Some(key);
    }
    let lookup = ctx.types;
    for &(c, descending, nulls_first) in &index.columns {
        let ty = table.columns[c].ty;
        let datum = match view.cell(c).datum(Physical::of(ty)) {
            Ok(datum) => datum,
            Err(large) => storage.fetch(&large).ok().map(Datum::from)?,
        };
        types::sortkey::encode_key_with(&mut key, ty, &datum, descending, nulls_first, lookup).ok()?;
    }
    Some(key)
}

/// A duplicate key.
pub fn violation(table: &TableRef, index: &IndexKey, row: RowValues<'_>, ctx: &mut Context<'_>) -> SqlError {
    let message = format!("duplicate key value violates unique constraint \"{}\"", index.name);
    SqlError::new(SqlState::UNIQUE_VIOLATION, message)
        .detail(format!("Key {} already exists.", shown_index_key(table, index, row, ctx)))
        .constraint(&table.schema, &table.name, &index.name)
}

/// Columns and values of a row's key in `index`, as error details show them: `(a, lower(b))=(1, x)`.
pub fn shown_index_key(table: &TableRef, index: &IndexKey, row: RowValues<'_>, ctx: &mut Context<'_>) -> String {
    let values = match index.is_plain() {
        true => index.columns.iter().map(|k| row(k.0)).collect(),
        false => key_values(table, index, row, ctx).ok().flatten().unwrap_or_default(),
    };
    let names: Vec<String> = match index.labels.is_empty() {
        true => index.columns.iter().map(|k| syntax::quote_ident(&table.columns[k.0].name)).collect(),
        false => index.labels.clone(),
    };
    let value = |(i, datum): (usize, &Datum)| {
        let mut text = Vec::new();
        if datum.is_null() {
            return "null".to_owned();
        }
        match types::io::text_out_with(index.key_type(i, &table.columns), datum, ctx.settings, ctx.types, &mut text) {
            Ok(()) => String::from_utf8_lossy(&text).into_owned(),
            Err(_) => String::new(),
        }
    };
    let values: Vec<String> = values.iter().enumerate().map(value).collect();
    format!("({})=({})", names.join(", "), values.join(", "))
}
