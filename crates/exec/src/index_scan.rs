//! Index scan: the rows that an index lists in a range, in its order.

use std::sync::Arc;

use plan::{Expr, IndexKey, IndexRange, Needed, TableRef};
use storage::RowId;
use types::{Datum, Oid, Physical, Result};
use vector::{CHUNK_ROWS, Chunk, Data};

use crate::eval::retain;
use crate::index::{encode_entry, entry_of_view};
use crate::index_entries::Entries;
use crate::load::{Large, Slots, fetch_large, reset, row_column};
use crate::native::Lazy;
use crate::scan::{forms, row_ids};
use crate::{Context, Operator};

/// How many entries are looked at for the first chunk: who asks for few rows shall not pay for many.
pub const FIRST_ENTRIES: usize = 32;

/// Types of the columns of `index`.
pub fn key_types(table: &TableRef, index: &IndexKey) -> Vec<Oid> {
    (0..index.columns.len()).map(|i| index.key_type(i, &table.columns)).collect()
}

/// The rows that an index lists in a range.
pub struct IndexScan {
    table: Arc<TableRef>,
    range: IndexRange,
    filter: Option<Lazy>,
    needed: Needed,
    /// The columns that are needed.
    wanted: Vec<usize>,
    forms: Vec<Physical>,
    /// Types of the index's columns.
    key_types: Vec<Oid>,
    entries: Entries,
    /// How many entries are looked at for a chunk.
    room: usize,
    key: Vec<u8>,
    large: Vec<Large>,
}

impl IndexScan {
    pub fn new(table: Arc<TableRef>, range: IndexRange, filter: Option<Expr>, needed: Needed) -> IndexScan {
        let forms = forms(&table);
        let index = &table.indexes[range.index];
        let key_types = key_types(&table, index);
        IndexScan {
            wanted: (0..table.columns.len()).filter(|&c| needed.has(c)).collect(),
            table,
            range,
            filter: filter.map(Lazy::from),
            needed,
            forms,
            key_types,
            entries: Entries::default(),
            room: FIRST_ENTRIES,
            key: Vec::new(),
            large: Vec::new(),
        }
    }
}

impl Operator for IndexScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if !self.entries.fill(&self.table, &self.range, false, &mut self.key, ctx)? {
            return Ok(false);
        }
        let Some((table, tree)) = &self.entries.handles else { return Ok(false) };
        reset(out, &self.forms, &self.needed);
        let index = &self.table.indexes[self.range.index];
        let width = self.table.columns.len();
        let mut deferred: Vec<(RowId, Vec<u8>)> = Vec::new();
        let end = self.entries.batch.len().min(self.entries.at + self.room);
        self.room = (self.room * 4).min(CHUNK_ROWS);
        for i in self.entries.at..end {
            let (entry, row) = self.entries.batch.get(i);
            let key = &mut self.key;
            let (large, wanted) = (&mut self.large, &self.wanted);
            let (key_types, forms, lookup) = (&self.key_types, &self.forms, ctx.types);
            let rows = out.rows;
            // What comes after a row that has to wait waits too: the order is the index's.
            let waits = !index.is_plain() || !deferred.is_empty();
            let loaded = table.read(row, ctx.snapshot, |view| -> Result<Option<bool>> {
                // Q3: the entry may be of another version of the row.
                if waits || !entry_of_view(key, tree, index, key_types, view, forms, lookup)? {
                    return Ok(None);
                }
                if key[..] != *entry {
                    return Ok(Some(false));
                }
                for &column in wanted {
                    row_column(&mut out.columns[column], view, column, (rows, column), large);
                }
                Ok(Some(true))
            })?;
            match loaded.transpose()? {
                Some(Some(true)) => {
                    row_ids(&mut out.columns[width].data, row.block, Slots::Run(row.slot as usize, 1));
                    out.rows += 1;
                }
                // A key column in overflow pages: their latches come after this page's. What is computed is computed without any.
                Some(None) => deferred.push((row, entry.to_vec())),
                _ => {}
            }
        }
        self.entries.at = end;
        for (row, entry) in deferred {
            let Some(mut values) = table.read_datums(row, ctx.snapshot)? else { continue };
            if encode_entry(&mut self.key, tree, &self.table, index, &|c| values[c].clone(), ctx)?.is_none()
                || self.key != entry
            {
                continue;
            }
            values.push(Datum::I64(row.to_u64() as i64));
            out.push_row(&values);
        }
        for v in &mut out.columns[..width] {
            if let Data::Absent(n) = &mut v.data {
                *n = out.rows;
            }
        }
        tree.rel().count_scan(ctx.txn.owner(), 0, out.rows as u64);
        fetch_large(out, table, &mut self.large)?;
        if let Some(filter) = &mut self.filter {
            retain(filter.get(ctx), out, ctx)?;
        }
        Ok(true)
    }

    fn reset(&mut self) {
        self.entries.reset();
        self.room = FIRST_ENTRIES;
    }
}
