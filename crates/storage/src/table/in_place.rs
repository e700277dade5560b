//! Changing a row in place: fixed-width columns, computed from the row itself, under one latch.
//!
//! What most updates by key are. Nothing is read before, nothing is copied but the before-image, and where anything is out of the ordinary nothing is done:
//! the caller then goes the long way (`Table::read`, `Table::update`), which knows how to wait and what to say.
//!
//! Invariants
//!   P4  A change in place is of fixed-width columns only: it takes no room in the page's heap, and none need be reserved for taking it back (P1).

use smallvec::SmallVec;

use super::access::Table;
use super::cell::{self, Cell};
use super::page::{TablePage, TablePageMut};
use super::scan::RowView;
use super::versions::{Change, Image};
use super::write::RowState;
use crate::codec::Put;
use crate::error::Result;
use crate::ids::RowId;
use crate::lock::Mode;
use crate::page;
use crate::txn::{Snapshot, Transaction, WriteKind};
use crate::wal::Record;

/// Columns and what they are to hold.
pub type NewCells = SmallVec<[(u16, Cell<'static>); 2]>;

impl Table {
    /// Changes the columns of a row that `compute` names when it is shown the row as `snapshot` sees it, each once and none of them a key; the page is latched
    /// meanwhile: it must not wait. False, with nothing done, when `compute` says so; and when the row is not there, somebody else has changed it or is
    /// changing it, or rows are locked.
    ///
    /// # Errors
    /// As [`Table::update`].
    pub fn change_in_place(
        &self,
        txn: &mut Transaction,
        snapshot: &Snapshot,
        row: RowId,
        compute: impl FnOnce(&RowView<'_>, &mut NewCells) -> bool,
    ) -> Result<bool> {
        if row.block >= self.rel.blocks() {
            return Ok(false);
        }
        let xid = txn.record_xid()?;
        let (layout, slot) = (&self.rel.layout, row.slot as usize);
        let mut guard = self.db.write_block(&self.rel, row.block)?;
        let (bytes, versions) = guard.parts();
        let state = self.writable(bytes, versions.as_deref(), row.slot, snapshot);
        // Asked under the latch, as in `change`.
        if !matches!(state, RowState::Done) || self.db.shared.locks.has_row_locks() {
            return Ok(false);
        }
        let page = TablePage::new(bytes, layout);
        let mut cells = NewCells::new();
        if !compute(&RowView::new(page, slot, &[]), &mut cells) {
            return Ok(false);
        }
        let mut before = Image::new();
        for (column, _) in &cells {
            let form = layout.columns()[*column as usize];
            assert!(form != types::Physical::Var, "P4");
            cell::encode_stored(&mut before, *column, page.stored(slot, *column as usize));
        }
        let lsn = if self.is_logged() && self.db.shared.log.is_enabled() {
            let mut after = std::mem::take(&mut txn.scratch);
            after.clear();
            for (column, cell) in &cells {
                after.put_u16(*column);
                cell::encode(&mut after, layout.columns()[*column as usize], cell);
            }
            let record = Record::RowUpdate { at: self.at(row.block), slot: row.slot, cells: &after };
            let lsn = self.log_row(xid, &record);
            txn.scratch = after;
            lsn?
        } else {
            self.log_row(xid, &Record::RowUpdate { at: self.at(row.block), slot: row.slot, cells: &[] })?
        };
        let mut page = TablePageMut::new(bytes, layout);
        cells.iter().for_each(|(column, cell)| page.put_fixed(slot, *column as usize, cell));
        let (command, state) = (txn.command(), txn.begin_writing()?);
        let versions = versions.get_or_insert_with(Box::default);
        versions.push(row.slot, state, command, lsn, (Change::Update(before), 0), Mode::ForNoKeyUpdate);
        page::set_lsn(bytes, lsn);
        guard.mark_dirty();
        drop(guard);
        txn.mark(self, row, WriteKind::Update);
        Ok(true)
    }
}
