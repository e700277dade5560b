//! The entries that an index lists in a range, a leaf at a time.

use plan::{IndexRange, TableRef};
use storage::btree::{Btree, Direction, EntryBatch, Leaf, Single};
use storage::table::Table;
use types::Result;

use crate::Context;
use crate::index_bounds::{Stretches, prefix, stretches};

/// A table and the index of a range.
///
/// # Errors
/// When one is not there.
pub fn open(table: &TableRef, range: &IndexRange, ctx: &Context<'_>) -> Result<(Table, Btree)> {
    let relation = |rel| ctx.db.relation(rel);
    let storage = Table::new(ctx.db.clone(), relation(table.rel)?);
    Ok((storage, Btree::new(ctx.db.clone(), relation(table.indexes[range.index].rel)?)))
}

/// Reads the entries of a range.
#[derive(Default)]
pub struct Entries {
    /// The table and its index, once they are open.
    pub handles: Option<(Table, Btree)>,
    /// What is left to read; `None` before the first.
    left: Option<Stretches>,
    /// Room for the next run's.
    spare: Stretches,
    /// Entries of one leaf, and the one to go on with.
    pub batch: EntryBatch,
    pub at: usize,
    /// Their leaf, for those who ask for it.
    pub leaf: Leaf,
}

impl Entries {
    /// Makes entries be at hand, with their leaf if that is `noted`; false when there are no more. `key` is room for keys.
    pub fn fill(
        &mut self,
        table: &TableRef,
        range: &IndexRange,
        noted: bool,
        key: &mut Vec<u8>,
        ctx: &mut Context<'_>,
    ) -> Result<bool> {
        let (_, tree) = match &self.handles {
            Some(handles) => handles,
            None => self.handles.insert(open(table, range, ctx)?),
        };
        let left = match &mut self.left {
            Some(left) => left,
            None => {
                tree.rel().count_scan(ctx.txn.owner(), 1, 0);
                if !prefix(table, range, key, ctx, |_| {})? {
                    self.left = Some(Stretches::new());
                    return Ok(false);
                }
                if !noted && range.is_single(table) {
                    match tree.single(key)? {
                        Single::Unclear => {}
                        single => {
                            self.left = Some(Stretches::new());
                            let Single::One(row) = single else { return Ok(false) };
                            self.batch.set(key, row);
                            return Ok(true);
                        }
                    }
                }
                let mut all = std::mem::take(&mut self.spare);
                stretches(table, range, key, ctx, &mut all)?;
                // The next one is the last.
                if !range.backward {
                    all.reverse();
                }
                self.left.insert(all)
            }
        };
        let direction = if range.backward { Direction::Backward } else { Direction::Forward };
        while self.at >= self.batch.len() {
            let Some(bounds) = left.last_mut() else { return Ok(false) };
            self.at = 0;
            let more = match noted {
                true => tree.scan_leaf(bounds, direction, &mut self.batch, &mut self.leaf)?,
                false => tree.scan(bounds, direction, &mut self.batch)?,
            };
            if !more {
                self.spare.clear();
                self.spare.extend(left.pop());
            }
        }
        Ok(true)
    }

    /// Begins anew.
    pub fn reset(&mut self) {
        self.at = 0;
        if let Some(left) = self.left.take().filter(|left| !left.is_empty()) {
            self.spare = left;
        }
        self.batch.clear();
    }
}
