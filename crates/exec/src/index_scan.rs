//! Index scan: the rows that an index lists in a range, in its order.

use std::sync::Arc;

use plan::{Expr, IndexRange, Needed, TableRef};
use storage::RowId;
use storage::btree::{Btree, Direction, EntryBatch};
use storage::table::Table;
use types::{Datum, Oid, Physical, Result};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::retain;
use crate::index::encode_key;
use crate::index_bounds::{Stretches, stretches};
use crate::load::{Large, Slots, fetch_large, reset, row_column};
use crate::scan::{forms, row_ids};
use crate::{Context, Operator};

/// How many entries are looked at for the first chunk: who asks for few rows shall not pay for many.
const FIRST_ENTRIES: usize = 32;

/// The rows that an index lists in a range.
pub struct IndexScan {
    table: Arc<TableRef>,
    range: IndexRange,
    filter: Option<Expr>,
    needed: Needed,
    forms: Vec<Physical>,
    /// Types of the index's columns.
    key_types: Vec<Oid>,
    handles: Option<(Table, Btree)>,
    /// What is left to read; `None` before the first.
    left: Option<Stretches>,
    batch: EntryBatch,
    /// Entry of the batch to go on with, and how many are looked at for a chunk.
    at: usize,
    room: usize,
    key: Vec<u8>,
    large: Vec<Large>,
}

impl IndexScan {
    pub fn new(table: Arc<TableRef>, range: IndexRange, filter: Option<Expr>, needed: Needed) -> IndexScan {
        let forms = forms(&table);
        let index = &table.indexes[range.index];
        let key_types = (0..index.columns.len()).map(|i| index.key_type(i, &table.columns)).collect();
        IndexScan {
            table,
            range,
            filter,
            needed,
            forms,
            key_types,
            handles: None,
            left: None,
            batch: EntryBatch::default(),
            at: 0,
            room: FIRST_ENTRIES,
            key: Vec::new(),
            large: Vec::new(),
        }
    }

    /// Makes entries be at hand; false when there are no more.
    fn fill(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        if self.handles.is_none() {
            let index = &self.table.indexes[self.range.index];
            let table = Table::new(ctx.db.clone(), ctx.db.relation(self.table.rel)?);
            let tree = Btree::new(ctx.db.clone(), ctx.db.relation(index.rel)?);
            self.handles = Some((table, tree));
        }
        let left = match &mut self.left {
            Some(left) => left,
            None => {
                let mut all = stretches(&self.table, &self.range, &mut self.key, ctx)?;
                // The next one is the last.
                if !self.range.backward {
                    all.reverse();
                }
                self.left.insert(all)
            }
        };
        let Some((_, tree)) = &self.handles else { return Ok(false) };
        let direction = if self.range.backward { Direction::Backward } else { Direction::Forward };
        while self.at >= self.batch.len() {
            let Some(bounds) = left.last_mut() else { return Ok(false) };
            self.at = 0;
            if !tree.scan(bounds, direction, &mut self.batch)? {
                left.pop();
            }
        }
        Ok(true)
    }
}

impl Operator for IndexScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if !self.fill(ctx)? {
            return Ok(false);
        }
        let Some((table, _)) = &self.handles else { return Ok(false) };
        reset(out, &self.forms, &self.needed);
        let index = &self.table.indexes[self.range.index];
        let width = self.table.columns.len();
        let mut deferred: Vec<(RowId, Vec<u8>)> = Vec::new();
        let end = self.batch.len().min(self.at + self.room);
        self.room = (self.room * 4).min(CHUNK_ROWS);
        for i in self.at..end {
            let (entry, row) = self.batch.get(i);
            let key = &mut self.key;
            let large = &mut self.large;
            let (key_types, forms, lookup) = (&self.key_types, &self.forms, ctx.types);
            let rows = out.rows;
            // What comes after a row that has to wait waits too: the order is the index's.
            let waits = !index.is_plain() || !deferred.is_empty();
            let loaded = table.read(row, ctx.snapshot, |view| -> Result<Option<bool>> {
                // Q3: the entry may be of another version of the row.
                if waits {
                    return Ok(None);
                }
                key.clear();
                for (&(column, descending, nulls_first), &ty) in index.columns.iter().zip(key_types) {
                    let Ok(datum) = view.cell(column).datum(forms[column]) else { return Ok(None) };
                    types::sortkey::encode_key_with(key, ty, &datum, descending, nulls_first, lookup)?;
                }
                if key[..] != *entry {
                    return Ok(Some(false));
                }
                for (column, v) in out.columns[..width].iter_mut().enumerate() {
                    row_column(v, view, column, (rows, column), large);
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
        self.at = end;
        for (row, entry) in deferred {
            let Some(mut values) = table.read_datums(row, ctx.snapshot)? else { continue };
            if encode_key(&mut self.key, &self.table, index, &|c| values[c].clone(), ctx)?.is_none()
                || self.key != entry
            {
                continue;
            }
            values.push(Datum::I64(row.to_u64() as i64));
            out.push_row(&values);
        }
        fetch_large(out, table, &mut self.large)?;
        if let Some(filter) = &self.filter {
            retain(filter, out, ctx)?;
        }
        Ok(true)
    }

    fn reset(&mut self) {
        (self.left, self.at, self.room) = (None, 0, FIRST_ENTRIES);
        self.batch.clear();
    }
}
