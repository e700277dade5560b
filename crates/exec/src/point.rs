//! `Point`: a row by its key, looked for and read with nothing but storage at hand.
//!
//! Operators (`point_scan`) and statements that need no operators (`quick`) use it.

use std::sync::Arc;

use plan::{IndexKey, IndexRange, TableRef};
use smallvec::SmallVec;
use storage::btree::{Btree, Single};
use storage::table::{RowView, Table};
use storage::txn::Snapshot;
use storage::{Database, RowId};
use types::io::TypeLookup;
use types::{Datum, Oid, Physical, Result};
use vector::{Chunk, Vector};

use crate::index::entry_of_view;
use crate::index_scan::key_types;
use crate::load::{Large, Slots, fetch_large, row_column};
use crate::scan::{forms, row_ids};

/// What a column that is put out is.
#[derive(Clone, Copy)]
pub enum Source {
    /// The table's, or its row id.
    Column(usize),
    /// Nothing that anybody reads.
    Absent,
}

/// The values of a key, as far as they are integers.
#[derive(Default)]
pub struct Integers(SmallVec<[i64; 4]>);

impl Integers {
    /// Notes the next value.
    #[inline]
    pub fn note(&mut self, value: &Datum) {
        if let Some(number) = integer(value) {
            self.0.push(number);
        }
    }
}

/// A value whose equals are stored as it is, of a form that says how.
fn integer(value: &Datum) -> Option<i64> {
    match value {
        Datum::I16(v) => Some((*v).into()),
        Datum::I32(v) => Some((*v).into()),
        Datum::I64(v) => Some(*v),
        _ => None,
    }
}

/// A key that is looked for.
#[derive(Default)]
pub struct Key {
    /// Encoded.
    pub bytes: Vec<u8>,
    pub integers: Integers,
}

impl Key {
    /// Forgets it.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.integers.0.clear();
    }
}

/// Where a table's row stands in an index, and the handles of both.
pub struct Point {
    table: Arc<TableRef>,
    range: IndexRange,
    /// Forms of the table's columns and of the row id.
    pub forms: Vec<Physical>,
    key_types: Vec<Oid>,
    handles: Option<(Table, Btree)>,
    /// Room for a row's own key.
    found: Vec<u8>,
    large: Vec<Large>,
}

impl Point {
    /// In a plain index that holds one row for the key that `range` is, at most.
    pub fn new(table: &Arc<TableRef>, range: &IndexRange) -> Option<Point> {
        let index = &table.indexes[range.index];
        (index.is_plain() && range.is_single(table)).then(|| Point {
            key_types: key_types(table, index),
            forms: forms(table),
            table: table.clone(),
            range: range.clone(),
            handles: None,
            found: Vec::new(),
            large: Vec::new(),
        })
    }

    /// The table.
    pub fn table(&self) -> &Arc<TableRef> {
        &self.table
    }

    /// The range of the index that the key is.
    pub fn range(&self) -> &IndexRange {
        &self.range
    }

    fn index(&self) -> &IndexKey {
        &self.table.indexes[self.range.index]
    }

    /// What the index says of `key`.
    ///
    /// # Errors
    /// What reading its pages says; that it is not there.
    #[inline]
    pub fn find(&mut self, key: &Key, db: &Arc<Database>) -> Result<Single> {
        let (_, tree) = match &self.handles {
            Some(handles) => handles,
            None => {
                let storage = Table::new(db.clone(), db.relation(self.table.rel)?);
                self.handles.insert((storage, Btree::new(db.clone(), db.relation(self.index().rel)?)))
            }
        };
        Ok(tree.single(&key.bytes)?)
    }

    /// The table's storage, once something was looked for.
    pub fn storage(&self) -> Option<&Table> {
        self.handles.as_ref().map(|h| &h.0)
    }

    /// As [`has_integers`], of the index.
    #[inline]
    pub fn has_integers(&self, key: &Key, view: &RowView<'_>) -> Option<bool> {
        has_integers(self.index(), key, view)
    }

    /// Puts `row` out as `sources`, if its key is the one that is looked for; `None` when that cannot be told while its page is latched.
    ///
    /// # Errors
    /// What reading its pages says.
    #[inline]
    pub fn load(
        &mut self,
        row: RowId,
        key: &Key,
        sources: &[Source],
        (snapshot, types): (&Snapshot, &dyn TypeLookup),
        out: &mut Chunk,
    ) -> Result<Option<bool>> {
        let Point { table, range, forms, key_types, handles, found, large } = self;
        let index = &table.indexes[range.index];
        let Some((storage, tree)) = handles else { return Ok(None) };
        if out.columns.len() != sources.len() {
            out.columns.resize_with(sources.len(), || Vector::absent(0));
        }
        let loaded = storage.read(row, snapshot, |view| -> Result<Option<bool>> {
            match has_integers(index, key, view) {
                Some(true) => {}
                Some(false) => return Ok(Some(false)),
                None if !entry_of_view(found, tree, index, key_types, view, forms, types)? => {
                    return Ok(None);
                }
                None if *found != key.bytes => return Ok(Some(false)),
                None => {}
            }
            for (i, (source, column)) in sources.iter().zip(&mut out.columns).enumerate() {
                match *source {
                    Source::Absent => *column = Vector::absent(1),
                    Source::Column(c) if c + 1 == forms.len() => {
                        column.reset(Physical::I64);
                        row_ids(&mut column.data, row.block, Slots::Run(row.slot as usize, 1));
                    }
                    Source::Column(c) => {
                        column.reset(forms[c]);
                        row_column(column, view, c, (0, i), large);
                    }
                }
            }
            Ok(Some(true))
        })?;
        let is_found = match loaded.transpose()? {
            Some(None) => return Ok(None),
            Some(Some(is_found)) => is_found,
            None => false,
        };
        if is_found {
            out.rows = 1;
            fetch_large(out, storage, large)?;
        }
        Ok(Some(is_found))
    }
}

/// Whether a row has the integers that `key` is in `index`; `None` where that is not all that is to be compared. Q3: an entry may be of another version of
/// the row.
#[inline]
fn has_integers(index: &IndexKey, key: &Key, view: &RowView<'_>) -> Option<bool> {
    if key.integers.0.len() != index.columns.len() || !index.include.is_empty() {
        return None;
    }
    let mut all = true;
    for (&(column, ..), value) in index.columns.iter().zip(&key.integers.0) {
        let Some(stored) = view.stored(column)? else { return Some(false) };
        let own = match *stored {
            [a, b, c, d] => i32::from_le_bytes([a, b, c, d]).into(),
            [a, b, c, d, e, f, g, h] => i64::from_le_bytes([a, b, c, d, e, f, g, h]),
            [a, b] => i16::from_le_bytes([a, b]).into(),
            _ => return None,
        };
        all &= own == *value;
    }
    Some(all)
}
