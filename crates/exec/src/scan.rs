//! Table and index scans.

use plan::{Expr, TableRef};
use storage::btree::{Btree, Direction, EntryBatch, ScanBounds};
use storage::table::{Cell, ScanScratch, Table};
use storage::{Error, RowId};
use types::{Datum, Physical, Result};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::{constant, select};
use crate::index::encode_datums;
use crate::{Context, Operator};

fn forms(table: &TableRef) -> Vec<Physical> {
    table.columns.iter().map(|c| Physical::of(c.1)).chain([Physical::I64]).collect()
}

/// Every row of a table.
pub struct SeqScan {
    table: TableRef,
    filter: Option<Expr>,
    forms: Vec<Physical>,
    storage: Option<Table>,
    block: u32,
    slot: usize,
    scratch: ScanScratch,
}

impl SeqScan {
    pub fn new(table: TableRef, filter: Option<Expr>) -> SeqScan {
        let forms = forms(&table);
        SeqScan { table, filter, forms, storage: None, block: 0, slot: 0, scratch: ScanScratch::default() }
    }
}

impl Operator for SeqScan {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        ctx.check_interrupts()?;
        if self.storage.is_none() {
            self.storage = Some(Table::new(ctx.db.clone(), ctx.db.relation(self.table.rel)?));
        }
        let storage = self.storage.as_ref().expect("just opened");
        let columns = self.table.columns.len();
        let mut chunk = Chunk::new(&self.forms);
        let mut large: Vec<(usize, usize, storage::table::cell::OverflowRef)> = Vec::new();
        while chunk.rows < CHUNK_ROWS {
            if self.block >= storage.blocks() {
                break;
            }
            let (block, from) = (self.block, self.slot);
            let next = storage.scan_block::<_, Error>(block, &ctx.snapshot, &mut self.scratch, |page| {
                let mut slot = from;
                while slot < page.slots() && chunk.rows < CHUNK_ROWS {
                    if page.visible()[slot / 64] >> (slot % 64) & 1 == 1 {
                        for c in 0..columns {
                            match page.cell(c, slot) {
                                Cell::Null => chunk.columns[c].push_null(),
                                Cell::Overflow(r) => {
                                    large.push((chunk.rows, c, r));
                                    chunk.columns[c].push(&Datum::Var(Default::default()));
                                }
                                cell => {
                                    let datum = cell.datum(self.forms[c]).unwrap_or_default();
                                    chunk.columns[c].push(&datum);
                                }
                            }
                        }
                        let row = RowId { block, slot: slot as u16 };
                        chunk.columns[columns].push(&Datum::I64(row.to_u64() as i64));
                        chunk.rows += 1;
                    }
                    slot += 1;
                }
                Ok((slot < page.slots()).then_some(slot))
            })?;
            match next {
                Some(slot) => self.slot = slot,
                None => (self.block, self.slot) = (block + 1, 0),
            }
        }
        if chunk.rows == 0 {
            return Ok(None);
        }
        if !large.is_empty() {
            fetch_large(&mut chunk, storage, large)?;
        }
        Ok(Some(match &self.filter {
            Some(filter) => select(filter, chunk, ctx)?,
            None => chunk,
        }))
    }
}

/// Puts large values where their placeholders are.
fn fetch_large(
    chunk: &mut Chunk,
    table: &Table,
    large: Vec<(usize, usize, storage::table::cell::OverflowRef)>,
) -> Result<()> {
    let mut by_column: std::collections::BTreeMap<usize, Vec<(usize, Vec<u8>)>> = Default::default();
    for (row, column, r) in large {
        by_column.entry(column).or_default().push((row, table.fetch(&r)?));
    }
    for (column, values) in by_column {
        let old = std::mem::replace(&mut chunk.columns[column], vector::Vector::new(Physical::Var));
        let mut values = values.into_iter().peekable();
        for row in 0..chunk.rows {
            match values.next_if(|v| v.0 == row) {
                Some((_, bytes)) => chunk.columns[column].push(&Datum::from(bytes)),
                None => chunk.columns[column].push(&old.get(row)),
            }
        }
    }
    Ok(())
}

/// The rows that an index lists for a key.
pub struct IndexScan {
    table: TableRef,
    index: usize,
    keys: Vec<Expr>,
    filter: Option<Expr>,
    forms: Vec<Physical>,
    state: Option<(Table, Btree, ScanBounds)>,
    done: bool,
    batch: EntryBatch,
}

impl IndexScan {
    pub fn new(table: TableRef, index: usize, keys: Vec<Expr>, filter: Option<Expr>) -> IndexScan {
        let forms = forms(&table);
        IndexScan { table, index, keys, filter, forms, state: None, done: false, batch: EntryBatch::default() }
    }
}

impl Operator for IndexScan {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        ctx.check_interrupts()?;
        if self.done {
            return Ok(None);
        }
        let index = &self.table.indexes[self.index];
        if self.state.is_none() {
            let mut values = Vec::with_capacity(self.keys.len());
            for key in &self.keys {
                values.push(constant(key, ctx)?);
            }
            if values.iter().any(Datum::is_null) {
                self.done = true;
                return Ok(None);
            }
            let mut prefix = Vec::new();
            encode_datums(&mut prefix, &self.table, index, &values)?;
            let table = Table::new(ctx.db.clone(), ctx.db.relation(self.table.rel)?);
            let tree = Btree::new(ctx.db.clone(), ctx.db.relation(index.rel)?);
            self.state = Some((table, tree, ScanBounds::prefix(&prefix)));
        }
        let (table, tree, bounds) = self.state.as_mut().expect("just opened");
        let more = tree.scan(bounds, Direction::Forward, &mut self.batch)?;
        self.done = !more;
        let mut chunk = Chunk::new(&self.forms);
        let mut entry_key = Vec::new();
        for i in 0..self.batch.len() {
            let (key, row) = self.batch.get(i);
            let Some(mut values) = table.read_datums(row, &ctx.snapshot)? else { continue };
            // Q3: the entry may be of another version of the row.
            entry_key.clear();
            let own: Vec<Datum> = index.columns.iter().map(|&(c, _)| values[c].clone()).collect();
            encode_datums(&mut entry_key, &self.table, index, &own)?;
            if entry_key != key {
                continue;
            }
            values.push(Datum::I64(row.to_u64() as i64));
            chunk.push_row(&values);
        }
        Ok(Some(match &self.filter {
            Some(filter) => select(filter, chunk, ctx)?,
            None => chunk,
        }))
    }
}
