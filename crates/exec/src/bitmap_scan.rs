//! Bitmap scan: ids of rows from several ranges of indexes, then these rows, page after page.
//!
//! The ids are those of all entries, of whatever version: each row is asked the whole condition (Q3).

use std::sync::Arc;

use plan::{Bits, Expr, IndexRange, Needed, TableRef};
use storage::RowId;
use storage::btree::{Btree, Direction, EntryBatch};
use storage::table::{ScanScratch, Table};
use types::{Physical, Result, SqlError};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::retain;
use crate::index_bounds::{Stretches, prefix, stretches};
use crate::load::{Large, Slots, fetch_large, page_column, reset};
use crate::native::Lazy;
use crate::scan::{forms, row_ids};
use crate::{Context, Operator};

/// Reads rows that indexes find in physical order.
pub struct BitmapScan {
    table: Arc<TableRef>,
    bits: Bits,
    filter: Option<Lazy>,
    needed: Needed,
    forms: Vec<Physical>,
    storage: Option<Table>,
    /// The ids, in order, and the next.
    ids: Option<Vec<u64>>,
    at: usize,
    scratch: ScanScratch,
    slots: Vec<u32>,
    large: Vec<Large>,
}

impl BitmapScan {
    pub fn new(table: Arc<TableRef>, bits: Bits, filter: Option<Expr>, needed: Needed) -> BitmapScan {
        let forms = forms(&table);
        BitmapScan {
            table,
            bits,
            filter: filter.map(Lazy::from),
            needed,
            forms,
            storage: None,
            ids: None,
            at: 0,
            scratch: ScanScratch::default(),
            slots: Vec::new(),
            large: Vec::new(),
        }
    }
}

/// The ids of `bits`, in order, each once.
fn ids(table: &TableRef, bits: &Bits, ctx: &mut Context<'_>) -> Result<Vec<u64>> {
    match bits {
        Bits::Range(range) => listed(table, range, ctx),
        Bits::Or(list) => {
            let mut all = Vec::new();
            for bits in list {
                all.append(&mut ids(table, bits, ctx)?);
            }
            all.sort_unstable();
            all.dedup();
            Ok(all)
        }
        Bits::And(list) => {
            let mut all: Option<Vec<u64>> = None;
            for bits in list {
                if all.as_ref().is_some_and(Vec::is_empty) {
                    break;
                }
                let more = ids(table, bits, ctx)?;
                all = Some(match all {
                    None => more,
                    Some(mut all) => {
                        let mut rest = &more[..];
                        all.retain(|id| {
                            rest = &rest[rest.partition_point(|r| r < id)..];
                            rest.first() == Some(id)
                        });
                        all
                    }
                });
            }
            Ok(all.unwrap_or_default())
        }
    }
}

/// The ids that a range of an index lists.
fn listed(table: &TableRef, range: &IndexRange, ctx: &mut Context<'_>) -> Result<Vec<u64>> {
    let tree = Btree::new(ctx.db.clone(), ctx.db.relation(table.indexes[range.index].rel)?);
    let (mut found, mut batch, mut key) = (Vec::new(), EntryBatch::default(), Vec::new());
    let mut all = Stretches::new();
    if prefix(table, range, &mut key, ctx, |_| {})? {
        stretches(table, range, &key, ctx, &mut all)?;
    }
    for mut bounds in all {
        let mut more = true;
        while more {
            ctx.check_interrupts()?;
            more = tree.scan(&mut bounds, Direction::Forward, &mut batch)?;
            ctx.account.charge(8 * batch.len())?;
            found.extend((0..batch.len()).map(|i| batch.get(i).1.to_u64()));
        }
    }
    tree.rel().count_scan(ctx.txn.owner(), 1, found.len() as u64);
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

impl Operator for BitmapScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.ids.is_none() {
            self.ids = Some(ids(&self.table, &self.bits, ctx)?);
            self.at = 0;
        }
        let storage = match &self.storage {
            Some(storage) => storage.clone(),
            None => self.storage.insert(Table::new(ctx.db.clone(), ctx.db.relation(self.table.rel)?)).clone(),
        };
        let BitmapScan { ids, at, slots, scratch, large, forms, .. } = self;
        let Some(ids) = ids else { return Ok(false) };
        if *at >= ids.len() {
            return Ok(false);
        }
        reset(out, forms, &self.needed);
        let width = forms.len() - 1;
        while *at < ids.len() && out.rows < CHUNK_ROWS {
            let block = RowId::from_u64(ids[*at]).block;
            let room = CHUNK_ROWS - out.rows;
            let same = ids[*at..].iter().take(room).take_while(|&&id| RowId::from_u64(id).block == block).count();
            let page_ids = &ids[*at..*at + same];
            *at += same;
            if block >= storage.blocks() {
                continue;
            }
            storage.scan_block::<_, SqlError>(block, ctx.snapshot, scratch, |page| {
                let visible = page.visible();
                slots.clear();
                slots.extend(page_ids.iter().map(|&id| u32::from(RowId::from_u64(id).slot)));
                slots.retain(|&s| visible.get(s as usize / 64).is_some_and(|word| word >> (s % 64) & 1 == 1));
                let (rows, found) = (out.rows, Slots::List(slots));
                for column in 0..width {
                    page_column(&mut out.columns[column], page, column, found, (rows, column), large);
                }
                row_ids(&mut out.columns[width].data, block, found);
                out.rows += slots.len();
                Ok(())
            })?;
        }
        fetch_large(out, &storage, large)?;
        if let Some(filter) = &mut self.filter {
            retain(filter.get(ctx), out, ctx)?;
        }
        Ok(true)
    }

    fn reset(&mut self) {
        (self.ids, self.at) = (None, 0);
    }
}
