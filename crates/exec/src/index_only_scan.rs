//! Index-only scan: what the entries of an index say of rows, without the rows where that is sure (T7).
//!
//! An entry is taken at its word when its leaf is settled and the page of its row unchanged since. All others are looked at, and compared with their
//! row as an index scan does; if all of a leaf are found true of rows that every snapshot sees, the leaf is settled for the next reader.

use std::sync::Arc;

use plan::counter::Fetches;
use plan::{Expr, IndexKey, IndexRange, Needed, TableRef};
use storage::RowId;
use storage::btree::{Btree, Direction, EntryBatch, Leaf, ScanBounds};
use storage::table::Table;
use types::{Oid, Physical, Result};
use vector::{CHUNK_ROWS, Chunk, Data};

use crate::eval::retain;
use crate::index::{encode_entry, entry_of_view};
use crate::index_entries::Entries;
use crate::index_scan::{FIRST_ENTRIES, key_types};
use crate::load::reset;
use crate::native::Lazy;
use crate::scan::forms;
use crate::{Context, Operator};

/// A scan that reads less than one of so many entries of a leaf does not look at the others to settle it.
const WORTH_SETTLING: usize = 4;

/// What the entries in a range of an index say.
pub struct IndexOnlyScan {
    table: Arc<TableRef>,
    range: IndexRange,
    filter: Option<Lazy>,
    needed: Needed,
    fetches: Fetches,
    forms: Vec<Physical>,
    key_types: Vec<Oid>,
    /// The columns of the table that its first columns are, where they are needed.
    keys: Vec<Option<usize>>,
    /// The same of what entries carry.
    carried: Vec<Option<usize>>,
    entries: Entries,
    /// How many entries are looked at for a chunk.
    room: usize,
    /// Entries of the leaf at hand whose rows were looked at, and whether one was not true of a row that all see.
    looked: usize,
    doubt: bool,
    key: Vec<u8>,
}

impl IndexOnlyScan {
    pub fn new(
        table: Arc<TableRef>,
        range: IndexRange,
        filter: Option<Expr>,
        needed: Needed,
        fetches: Fetches,
    ) -> IndexOnlyScan {
        let index = &table.indexes[range.index];
        let width = index.columns.len();
        let (mut keys, mut carried) = (Vec::new(), vec![None; index.include.len()]);
        for column in (0..table.columns.len()).filter(|&c| needed.has(c)) {
            match index.place_of(column, &table.columns) {
                Some(place) if place >= width => carried[place - width] = Some(column),
                Some(place) => {
                    keys.resize(keys.len().max(place + 1), None);
                    keys[place] = Some(column);
                }
                None => {}
            }
        }
        IndexOnlyScan {
            forms: forms(&table),
            key_types: key_types(&table, index),
            table,
            range,
            filter: filter.map(Lazy::from),
            needed,
            fetches,
            keys,
            carried,
            entries: Entries::default(),
            room: FIRST_ENTRIES,
            looked: 0,
            doubt: false,
            key: Vec::new(),
        }
    }
}

/// What an entry says of a row.
enum Said {
    /// Nothing: the row has no such version for the snapshot.
    Nothing,
    /// The truth, and whether to all.
    Truth(bool),
}

/// Compares an entry with its row.
fn look(
    (storage, tree): (&Table, &Btree),
    (table, index): (&TableRef, &IndexKey),
    (key_types, forms): (&[Oid], &[Physical]),
    (entry, row): (&[u8], RowId),
    key: &mut Vec<u8>,
    ctx: &mut Context<'_>,
) -> Result<Said> {
    let lookup = ctx.types;
    let found = storage.read(row, ctx.snapshot, |view| -> Result<(Option<bool>, bool)> {
        let told = index.is_plain() && entry_of_view(key, tree, index, key_types, view, forms, lookup)?;
        Ok((told.then(|| key[..] == *entry), view.is_settled()))
    })?;
    let Some((same, settled)) = found.transpose()? else { return Ok(Said::Nothing) };
    let same = match same {
        Some(same) => same,
        // What is computed, and what lies in overflow pages: without the page's latch. If it changes meanwhile, nobody takes it for settled.
        None => match storage.read_datums(row, ctx.snapshot)? {
            Some(values) => {
                encode_entry(key, tree, table, index, &|c| values[c].clone(), ctx)?.is_some() && key[..] == *entry
            }
            None => false,
        },
    };
    Ok(if same { Said::Truth(settled) } else { Said::Nothing })
}

/// Settles the leaves of an index within `bounds` whose entries are all true of rows that every snapshot sees.
///
/// # Errors
/// What reading pages and computing keys says.
pub fn settle(
    storage: &Table,
    tree: &Btree,
    table: &TableRef,
    index: &IndexKey,
    mut bounds: ScanBounds,
    ctx: &mut Context<'_>,
) -> Result<()> {
    let (key_types, forms) = (key_types(table, index), forms(table));
    let (mut batch, mut leaf, mut key) = (EntryBatch::default(), Leaf::default(), Vec::new());
    let mut more = true;
    while more {
        ctx.check_interrupts()?;
        more = tree.scan_leaf(&mut bounds, Direction::Forward, &mut batch, &mut leaf)?;
        let mut sound = batch.len() == leaf.entries();
        for i in 0..batch.len() {
            let (entry, row) = batch.get(i);
            if leaf.settled().is_some_and(|since| storage.is_unchanged(row, since)) {
                continue;
            }
            let said = look((storage, tree), (table, index), (&key_types, &forms), (entry, row), &mut key, ctx)?;
            sound &= matches!(said, Said::Truth(true));
            if !sound {
                break;
            }
        }
        if sound {
            tree.settle(&leaf);
        }
    }
    Ok(())
}

impl Operator for IndexOnlyScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if !self.entries.fill(&self.table, &self.range, true, &mut self.key, ctx)? {
            return Ok(false);
        }
        let Some((storage, tree)) = &self.entries.handles else { return Ok(false) };
        reset(out, &self.forms, &self.needed);
        let index = &self.table.indexes[self.range.index];
        // An index that is older than what it should carry.
        let lacks = tree.carries().len() != index.include.len();
        let settled = self.entries.leaf.settled();
        let (at, end) = (self.entries.at, self.entries.batch.len().min(self.entries.at + self.room));
        self.room = (self.room * 4).min(CHUNK_ROWS);
        let looked = self.looked;
        for i in at..end {
            let (entry, row) = self.entries.batch.get(i);
            if lacks || !settled.is_some_and(|since| storage.is_unchanged(row, since)) {
                self.looked += 1;
                let shape = (&self.key_types[..], &self.forms[..]);
                match look((storage, tree), (&self.table, index), shape, (entry, row), &mut self.key, ctx)? {
                    Said::Truth(to_all) => self.doubt |= !to_all,
                    Said::Nothing => {
                        self.doubt = true;
                        continue;
                    }
                }
            }
            if lacks {
                let Some(values) = storage.read_datums(row, ctx.snapshot)? else { continue };
                for &column in self.keys.iter().chain(&self.carried).flatten() {
                    out.columns[column].push(&values[column]);
                }
            } else {
                let mut key = entry;
                for (i, column) in self.keys.iter().enumerate() {
                    let value = types::sortkey::decode_key(&mut key, self.key_types[i], index.columns[i].1);
                    let value = value.ok_or_else(|| storage::Error::Damaged("an index entry is cut off".to_owned()))?;
                    column.iter().for_each(|&c| out.columns[c].push(&value));
                }
                if self.carried.iter().any(Option::is_some) {
                    tree.each_carried(entry, |i, cell| {
                        let Some(column) = self.carried[i] else { return };
                        // No entry carries a reference to an overflow page.
                        out.columns[column].push(&cell.datum(self.forms[column]).unwrap_or(types::Datum::Null));
                    })?;
                }
            }
            out.rows += 1;
        }
        self.fetches.add((self.looked - looked) as u64);
        self.entries.at = end;
        let (leaf, read) = (&self.entries.leaf, self.entries.batch.len());
        if end == read {
            // All entries of the leaf that are in the range have been read.
            let (looked, doubt) = (std::mem::take(&mut self.looked), std::mem::take(&mut self.doubt));
            if looked > 0 && !doubt && read == leaf.entries() {
                tree.settle(leaf);
            } else if looked > 0 && !doubt && read * WORTH_SETTLING >= leaf.entries() {
                settle(storage, tree, &self.table, index, leaf.bounds(), ctx)?;
            }
        }
        for column in &mut out.columns {
            if let Data::Absent(rows) = &mut column.data {
                *rows = out.rows;
            }
        }
        if let Some(filter) = &mut self.filter {
            retain(filter.get(ctx), out, ctx)?;
        }
        Ok(true)
    }

    fn reset(&mut self) {
        self.entries.reset();
        (self.room, self.looked, self.doubt) = (FIRST_ENTRIES, 0, false);
    }
}
