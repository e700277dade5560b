//! Changing rows: insert, update, delete, undo, purge.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::access::Table;
use super::cell::{self, Cell, OverflowRef};
use super::derived::{Leaving, Leavings};
use super::overflow;
use super::page::{self as table_page, TablePage, TablePageMut};
use super::scan::{RowView, each_in_image};
use super::versions::{Change, Image, PageVersions, Seen};
use crate::buffer::PageWrite;
use crate::codec::Put;
use crate::error::Result;
use crate::ids::{Lsn, RowId};
use crate::lock::{Mode, Tag, WaitPolicy};
use crate::page;
use crate::txn::{Snapshot, Transaction, TxnState, WriteKind, WriteMark};
use crate::wal::Record;
use crate::wal::record::BlockRef;

/// A value longer than this goes to overflow pages at once.
const OVERFLOW_BYTES: usize = 2000;

/// A log record of inserted rows gets no more once it is so long.
const RECORD_ROWS_BYTES: usize = 32 << 10;

/// What an attempt to change or lock a row met.
#[derive(Debug, Clone)]
pub enum RowState {
    /// It is done; or the row is there and free.
    Done,
    /// Another transaction, still running, changed the row: wait for it and try again.
    Busy(Arc<TxnState>),
    /// Another transaction changed the row and committed after the snapshot.
    Updated,
    /// Another transaction deleted the row and committed after the snapshot.
    Deleted,
    /// The running command itself, or a later one of this transaction, changed the row.
    SelfModified,
    /// The snapshot does not see such a row.
    Gone,
}

/// What a row means for a unique index.
#[derive(Debug)]
pub enum Probe {
    /// No row with that key here, whatever happens.
    Free,
    /// A row with that key.
    Conflict,
    /// That depends on how this transaction ends.
    Wait(Arc<TxnState>),
}

type Cells<'a> = SmallVec<[Cell<'a>; 16]>;

impl Table {
    pub(super) fn at(&self, block: u32) -> BlockRef {
        BlockRef { db: self.db.id, rel: self.rel.id, block }
    }

    pub(super) fn is_logged(&self) -> bool {
        self.rel.is_logged()
    }

    /// Puts long values into overflow pages until the rest fits a page.
    fn shrink<'a>(&self, txn: &mut Transaction, cells: &[Cell<'a>], heap_max: usize) -> Result<Cells<'a>> {
        let mut out: Cells<'a> = cells.into();
        for cell in &mut out {
            if cell.heap_bytes() > OVERFLOW_BYTES {
                self.push_out(txn, cell)?;
            }
        }
        while out.iter().map(Cell::heap_bytes).sum::<usize>() > heap_max {
            let Some(longest) = out.iter_mut().max_by_key(|c| c.heap_bytes()) else { break };
            if longest.heap_bytes() == 0 {
                break;
            }
            self.push_out(txn, longest)?;
        }
        Ok(out)
    }

    fn push_out(&self, txn: &mut Transaction, cell: &mut Cell<'_>) -> Result<()> {
        if let Cell::Var(bytes) = *cell {
            *cell = Cell::Overflow(overflow::store(&self.db, &self.rel, txn, bytes)?);
        }
        Ok(())
    }

    /// Adds a row.
    ///
    /// # Errors
    /// `Poisoned`, `DiskFull`, `Limit`, `Io`, `Corrupt`.
    pub fn insert(&self, txn: &mut Transaction, cells: &[Cell<'_>]) -> Result<RowId> {
        debug_assert_eq!(cells.len(), self.rel.layout.columns().len());
        let xid = txn.record_xid()?;
        let heap_max = self.rel.layout.heap_room(self.rel.class(0), 1).unwrap_or(0) / 2;
        let (mut heap, mut longest) = (0, 0);
        for bytes in cells.iter().map(Cell::heap_bytes) {
            heap += bytes;
            longest = longest.max(bytes);
        }
        let shrunk;
        let mut cells = cells;
        if heap > heap_max || longest > OVERFLOW_BYTES {
            shrunk = self.shrink(txn, cells, heap_max)?;
            cells = &shrunk[..];
            heap = cells.iter().map(Cell::heap_bytes).sum();
        }
        self.rel.observe_heap_bytes(heap);
        let mut row = std::mem::take(&mut txn.scratch);
        row.clear();
        if self.is_logged() && self.db.shared.log.is_enabled() {
            row.put_u16(0);
            for (cell, &physical) in cells.iter().zip(self.rel.layout.columns()) {
                cell::encode(&mut row, physical, cell);
            }
        }
        let lane = txn.owner().0 as usize;
        let outcome = (|| {
            let (block, slot, mut guard) = self.find_room(lane, heap)?;
            let lsn = if self.is_logged() {
                if !row.is_empty() {
                    row[..2].copy_from_slice(&(slot as u16).to_le_bytes());
                }
                let record = Record::RowsInsert { at: self.at(block), count: 1, rows: &row };
                self.db.shared.log.append(xid, &record)?
            } else {
                self.db.shared.log.end_lsn()
            };
            let (bytes, versions) = guard.parts();
            put_row(bytes, self, slot, cells);
            let versions = versions.get_or_insert_with(Box::default);
            let command = txn.command();
            versions.push_insert(slot as u16, txn.begin_writing()?, command, lsn);
            page::set_lsn(bytes, lsn);
            guard.mark_dirty();
            Ok(RowId { block, slot: slot as u16 })
        })();
        txn.scratch = row;
        let id = outcome?;
        txn.mark(self, id, WriteKind::Insert);
        Ok(id)
    }

    /// Adds `count` rows, page by page: one latch and one log record for as many as a page takes. `fill` appends the cells of a row; it
    /// may be asked for one twice. Ids are appended to `ids` in order.
    ///
    /// # Errors
    /// As [`Table::insert`]; rows added before are in `ids`.
    pub fn insert_rows<'a>(
        &self,
        txn: &mut Transaction,
        count: usize,
        mut fill: impl FnMut(usize, &mut SmallVec<[Cell<'a>; 16]>),
        ids: &mut Vec<RowId>,
    ) -> Result<()> {
        let state = txn.writer()?;
        let xid = txn.record_xid()?;
        let heap_max = self.rel.layout.heap_room(self.rel.class(0), 1).unwrap_or(0) / 2;
        let logs = self.is_logged() && self.db.shared.log.is_enabled();
        let lane = txn.owner().0 as usize;
        let mut cells: Cells<'a> = SmallVec::new();
        // The heap bytes of row `i`, whose cells are then in `cells`; `None` when some of it must go elsewhere first.
        let mut load = |i: usize, cells: &mut Cells<'a>| {
            cells.clear();
            fill(i, cells);
            let heap: usize = cells.iter().map(Cell::heap_bytes).sum();
            let fits = heap <= heap_max && cells.iter().all(|c| c.heap_bytes() <= OVERFLOW_BYTES);
            fits.then_some(heap)
        };
        let mut next = 0;
        while next < count {
            let Some(mut heap) = load(next, &mut cells) else {
                ids.push(self.insert(txn, &cells)?);
                next += 1;
                continue;
            };
            let first = ids.len();
            let mut rows = std::mem::take(&mut txn.scratch);
            rows.clear();
            let outcome = (|| {
                let (block, mut slot, mut guard) = self.find_room(lane, heap)?;
                loop {
                    self.rel.observe_heap_bytes(heap);
                    if logs {
                        rows.put_u16(slot as u16);
                        for (cell, &physical) in cells.iter().zip(self.rel.layout.columns()) {
                            cell::encode(&mut rows, physical, cell);
                        }
                    }
                    put_row(guard.parts().0, self, slot, &cells);
                    ids.push(RowId { block, slot: slot as u16 });
                    next += 1;
                    if next == count || rows.len() >= RECORD_ROWS_BYTES {
                        break;
                    }
                    heap = match load(next, &mut cells) {
                        Some(heap) => heap,
                        None => break,
                    };
                    slot = match self.room(&mut guard, heap) {
                        Some(slot) => slot,
                        None => break,
                    };
                }
                let added = &ids[first..];
                let record = Record::RowsInsert { at: self.at(block), count: added.len() as u16, rows: &rows };
                let lsn = match self.log_row(xid, &record) {
                    Ok(lsn) => lsn,
                    Err(e) => {
                        // Nobody has seen them: the latch is still held.
                        let mut page = TablePageMut::new(guard.parts().0, &self.rel.layout);
                        added.iter().for_each(|id| page.free(id.slot as usize));
                        ids.truncate(first);
                        return Err(e);
                    }
                };
                let (bytes, versions) = guard.parts();
                let versions = versions.get_or_insert_with(Box::default);
                added.iter().for_each(|id| versions.push_insert(id.slot, &state, txn.command(), lsn));
                page::set_lsn(bytes, lsn);
                guard.mark_dirty();
                Ok(())
            })();
            txn.scratch = rows;
            outcome?;
            ids[first..].iter().for_each(|&id| txn.mark(self, id, WriteKind::Insert));
        }
        Ok(())
    }

    /// A free slot with `heap` bytes of room, its page latched.
    fn find_room(&self, lane: usize, heap: usize) -> Result<(u32, usize, PageWrite<'_>)> {
        let target = self.rel.target(lane);
        let mut block = target.load(Ordering::Relaxed);
        let mut tries = 0;
        while block < self.rel.blocks() && tries < 4 {
            let mut guard = self.db.write_block(&self.rel, block)?;
            if let Some(slot) = self.room(&mut guard, heap) {
                target.store(block, Ordering::Relaxed);
                return Ok((block, slot, guard));
            }
            drop(guard);
            tries += 1;
            match self.rel.take_roomy() {
                Some(next) => block = next,
                None => break,
            }
        }
        let (block, guard) = self.add_page(heap)?;
        target.store(block, Ordering::Relaxed);
        Ok((block, 0, guard))
    }

    fn add_page(&self, heap: usize) -> Result<(u32, PageWrite<'_>)> {
        let layout = &self.rel.layout;
        self.db.add_block(&self.rel, |bytes, at, page, class| {
            // A little to spare, for values that grow.
            let expected = self.rel.expected_heap_bytes();
            let mut capacity = layout.capacity(class, expected + expected / 8);
            if layout.heap_room(class, capacity).unwrap_or(0) < heap {
                capacity = layout.capacity(class, heap);
            }
            let record = Record::TablePageFormat { at, capacity: capacity as u16 };
            let lsn = self.db.log_page(&self.rel, &record)?;
            table_page::format(bytes, class, at.db, at.rel, page, layout, capacity);
            Ok(lsn)
        })
    }

    /// A free slot in this page, if it also has `heap` bytes that no before-image may need (P1).
    fn room(&self, guard: &mut PageWrite<'_>, heap: usize) -> Option<usize> {
        let (bytes, versions) = guard.parts();
        let page = TablePage::new(bytes, &self.rel.layout);
        let mut slot = page.free_slot();
        if slot.is_none() && versions.is_none() && page.live() < page.capacity() {
            // Rows that were dead when the page was last loaded: nobody can see them, and the purge that knew of them is long gone.
            let dead: Vec<usize> = (0..page.high()).filter(|&s| page.is_used(s) && page.is_dead(s)).collect();
            let mut page = TablePageMut::new(bytes, &self.rel.layout);
            dead.into_iter().for_each(|s| page.free(s));
            slot = page.as_ref().free_slot();
        }
        let page = TablePage::new(bytes, &self.rel.layout);
        let fits = match versions {
            Some(v) if heap > 0 => heap + v.reserved_bytes() <= page.total_room(),
            _ => page.total_room() >= heap,
        };
        fits.then_some(slot).flatten()
    }

    /// How `snapshot`'s transaction may change the row in `slot`.
    pub(super) fn writable(
        &self,
        bytes: &[u8],
        versions: Option<&PageVersions>,
        slot: u16,
        snapshot: &Snapshot,
    ) -> RowState {
        let page = TablePage::new(bytes, &self.rel.layout);
        if !page.is_used(slot as usize) {
            return RowState::Gone;
        }
        let dead = page.is_dead(slot as usize);
        let Some((txn, command)) = versions.and_then(|v| v.newest(slot)) else {
            return if dead { RowState::Gone } else { RowState::Done };
        };
        if snapshot.is_own(txn) {
            return match command < snapshot.command {
                true if dead => RowState::Gone,
                true => RowState::Done,
                false => RowState::SelfModified,
            };
        }
        match txn.commit_lsn() {
            None => RowState::Busy(txn.clone()),
            Some(lsn) if lsn <= snapshot.lsn => {
                if dead {
                    RowState::Gone
                } else {
                    RowState::Done
                }
            }
            // It has its commit record, but may not be seen yet (X2): whoever waits for its end finds it visible.
            Some(lsn) if lsn > self.db.shared.txns.visible() => RowState::Busy(txn.clone()),
            Some(_) if dead => RowState::Deleted,
            Some(_) => RowState::Updated,
        }
    }

    /// Changes columns of a row. `changes` holds each changed column once; `mode` says whether a key changes (`ForUpdate`) or not
    /// (`ForNoKeyUpdate`).
    ///
    /// # Errors
    /// As [`Table::insert`], and what waiting for a row lock says.
    pub fn update(
        &self,
        txn: &mut Transaction,
        snapshot: &Snapshot,
        row: RowId,
        changes: &[(u16, Cell<'_>)],
        mode: Mode,
    ) -> Result<RowState> {
        let cells: SmallVec<[Cell<'_>; 16]> = changes.iter().map(|c| c.1).collect();
        let cells = self.shrink(txn, &cells, usize::MAX)?;
        let mut changes: SmallVec<[(u16, Cell<'_>); 16]> =
            changes.iter().zip(&cells).map(|(&(column, _), &cell)| (column, cell)).collect();
        self.change(txn, snapshot, row, mode, |txn, bytes, versions, state, xid| {
            let layout = &self.rel.layout;
            let page = TablePage::new(bytes, layout);
            let old_heap = |column: u16| page.cell(row.slot as usize, column as usize).heap_bytes();
            // Columns change one by one, and are taken back one by one: what one loses does not help another.
            let growth = |c: &(u16, Cell<'_>)| c.1.heap_bytes().saturating_sub(old_heap(c.0));
            while let grown = changes.iter().map(growth).sum::<usize>()
                && grown > 0
                && grown + versions.as_ref().map_or(0, |v| v.reserved_bytes()) > page.total_room()
            {
                let longest = changes.iter_mut().max_by_key(|c| growth(c)).expect("the sum is not zero");
                self.push_out(txn, &mut longest.1)?;
            }
            let shrunk = changes.iter().map(|c| old_heap(c.0).saturating_sub(c.1.heap_bytes())).sum::<usize>() as u32;
            let mut before = Image::new();
            let mut after = std::mem::take(&mut txn.scratch);
            after.clear();
            for (column, cell) in &changes {
                let physical = layout.columns()[*column as usize];
                before.put_u16(*column);
                cell::encode(&mut before, physical, &page.cell(row.slot as usize, *column as usize));
                after.put_u16(*column);
                cell::encode(&mut after, physical, cell);
            }
            let record = Record::RowUpdate { at: self.at(row.block), slot: row.slot, cells: &after };
            let lsn = self.log_row(xid, &record);
            txn.scratch = after;
            let lsn = lsn?;
            let mut page = TablePageMut::new(bytes, layout);
            for (column, cell) in &changes {
                let fits = page.put(row.slot as usize, *column as usize, cell);
                assert!(fits, "P1: room was checked under the same latch");
            }
            let change = (Change::Update(before), shrunk);
            versions.get_or_insert_with(Box::default).push(row.slot, state, txn.command(), lsn, change, mode);
            Ok((lsn, WriteKind::Update))
        })
    }

    /// Deletes a row.
    ///
    /// # Errors
    /// As [`Table::update`].
    pub fn delete(&self, txn: &mut Transaction, snapshot: &Snapshot, row: RowId) -> Result<RowState> {
        self.change(txn, snapshot, row, Mode::ForUpdate, |txn, bytes, versions, state, xid| {
            let lsn = self.log_row(xid, &Record::RowDelete { at: self.at(row.block), slot: row.slot })?;
            TablePageMut::new(bytes, &self.rel.layout).set_dead(row.slot as usize, true);
            let versions = versions.get_or_insert_with(Box::default);
            versions.push(row.slot, state, txn.command(), lsn, (Change::Delete, 0), Mode::ForUpdate);
            Ok((lsn, WriteKind::Delete))
        })
    }

    /// Deletes rows, each once in `rows`: one latch and one log record for as many as follow each other in a page. What became of the first ones
    /// is in `outcomes`: of all unless this fails.
    ///
    /// # Errors
    /// As [`Table::update`].
    pub fn delete_rows(
        &self,
        txn: &mut Transaction,
        snapshot: &Snapshot,
        rows: &[RowId],
        outcomes: &mut Vec<RowState>,
    ) -> Result<()> {
        outcomes.clear();
        let state = txn.writer()?;
        let xid = txn.record_xid()?;
        while let Some(&first) = rows.get(outcomes.len()) {
            let run = &rows[outcomes.len()..];
            let run = &run[..run.iter().take_while(|r| r.block == first.block).count()];
            // Locked rows are asked for one by one; so they are under the latch (`change`).
            if run.len() == 1 || first.block >= self.rel.blocks() || self.db.shared.locks.has_row_locks() {
                outcomes.push(self.delete(txn, snapshot, first)?);
                continue;
            }
            let start = outcomes.len();
            let mut slots = std::mem::take(&mut txn.scratch);
            slots.clear();
            let outcome = (|| {
                let mut guard = self.db.write_block(&self.rel, first.block)?;
                if self.db.shared.locks.has_row_locks() {
                    return Ok(());
                }
                let (bytes, versions) = guard.parts();
                for row in run {
                    let found = self.writable(bytes, versions.as_deref(), row.slot, snapshot);
                    if matches!(found, RowState::Done) {
                        slots.put_u16(row.slot);
                    }
                    outcomes.push(found);
                }
                if slots.is_empty() {
                    return Ok(());
                }
                let record = Record::RowsDelete { at: self.at(first.block), slots: &slots };
                let lsn = self.log_row(xid, &record).inspect_err(|_| outcomes.truncate(start))?;
                let versions = versions.get_or_insert_with(Box::default);
                versions.expect(slots.len() / 2);
                let mut page = TablePageMut::new(bytes, &self.rel.layout);
                for (row, _) in run.iter().zip(&outcomes[start..]).filter(|(_, o)| matches!(o, RowState::Done)) {
                    page.set_dead(row.slot as usize, true);
                    versions.push(row.slot, &state, txn.command(), lsn, (Change::Delete, 0), Mode::ForUpdate);
                }
                page::set_lsn(bytes, lsn);
                guard.mark_dirty();
                Ok(())
            })();
            txn.scratch = slots;
            outcome?;
            if outcomes.len() == start {
                outcomes.push(self.delete(txn, snapshot, first)?);
                continue;
            }
            for (row, _) in run.iter().zip(&outcomes[start..]).filter(|(_, o)| matches!(o, RowState::Done)) {
                txn.mark(self, *row, WriteKind::Delete);
            }
        }
        Ok(())
    }

    pub(super) fn log_row(&self, xid: crate::ids::Xid, record: &Record<'_>) -> Result<Lsn> {
        match self.is_logged() {
            true => self.db.shared.log.append(xid, record),
            false => Ok(self.db.shared.log.end_lsn()),
        }
    }

    /// Latches the row's page, checks that the row may be changed, and lets `apply` do it.
    #[allow(clippy::type_complexity, reason = "the closure is the point")]
    fn change(
        &self,
        txn: &mut Transaction,
        snapshot: &Snapshot,
        row: RowId,
        mode: Mode,
        apply: impl FnOnce(
            &mut Transaction,
            &mut [u8],
            &mut Option<Box<PageVersions>>,
            &Arc<TxnState>,
            crate::ids::Xid,
        ) -> Result<(Lsn, WriteKind)>,
    ) -> Result<RowState> {
        if row.block >= self.rel.blocks() {
            return Ok(RowState::Gone);
        }
        let state = txn.writer()?;
        let xid = txn.record_xid()?;
        let mut locked = false;
        loop {
            let mut guard = self.db.write_block(&self.rel, row.block)?;
            let (bytes, versions) = guard.parts();
            let outcome = self.writable(bytes, versions.as_deref(), row.slot, snapshot);
            if !matches!(outcome, RowState::Done) {
                return Ok(outcome);
            }
            // Asked under the latch: whoever locks the row after this will see our version in the page.
            if !locked && self.db.shared.locks.has_row_locks() {
                drop(guard);
                let policy = txn.lock_policy();
                txn.lock(Tag::Row(self.db.id, self.rel.id, row), mode, policy)?;
                locked = true;
                continue;
            }
            let (lsn, kind) = apply(txn, bytes, versions, &state, xid)?;
            page::set_lsn(bytes, lsn);
            guard.mark_dirty();
            drop(guard);
            txn.mark(self, row, kind);
            return Ok(RowState::Done);
        }
    }

    /// Locks a row without changing it; the lock lasts as the transaction's other locks do.
    ///
    /// # Errors
    /// What waiting says.
    pub fn lock_row(
        &self,
        txn: &mut Transaction,
        snapshot: &Snapshot,
        row: RowId,
        mode: Mode,
        policy: WaitPolicy,
    ) -> Result<RowState> {
        if row.block >= self.rel.blocks() {
            return Ok(RowState::Gone);
        }
        txn.lock(Tag::Row(self.db.id, self.rel.id, row), mode, policy)?;
        let guard = self.db.read_block(&self.rel, row.block)?;
        let outcome = self.writable(&guard, guard.versions(), row.slot, snapshot);
        if let RowState::Busy(_) = outcome
            && let Some(versions) = guard.versions()
            && versions.chain(row.slot).is_some_and(|v| !v.mode.conflicts(mode))
        {
            // A running update that leaves the key alone does not disturb FOR KEY SHARE.
            return Ok(RowState::Done);
        }
        Ok(outcome)
    }

    /// Says what the row at `row` means for a unique key: `has_key` tells whether a version of it has that key.
    ///
    /// # Errors
    /// `Io` or `Corrupt` from the page.
    pub fn probe_unique(
        &self,
        row: RowId,
        own: Option<&TxnState>,
        has_key: impl Fn(&RowView<'_>) -> bool,
    ) -> Result<Probe> {
        if row.block >= self.rel.blocks() {
            return Ok(Probe::Free);
        }
        let guard = self.db.read_block(&self.rel, row.block)?;
        let page = TablePage::new(&guard, &self.rel.layout);
        let slot = row.slot as usize;
        if !page.is_used(slot) {
            return Ok(Probe::Free);
        }
        let stored = || !page.is_dead(slot) && has_key(&RowView::new(page, slot, &[]));
        let newest = guard.versions().and_then(|v| Some((v, v.newest(row.slot)?.0)));
        let Some((versions, txn)) = newest else {
            return Ok(if stored() { Probe::Conflict } else { Probe::Free });
        };
        let visible = || txn.commit_lsn().is_some_and(|lsn| lsn <= self.db.shared.txns.visible());
        if own.is_some_and(|own| std::ptr::eq(own, &**txn)) || visible() {
            return Ok(if stored() { Probe::Conflict } else { Probe::Free });
        }
        let before = match versions.see_with(row.slot, |t, _| !std::ptr::eq(t, &**txn)) {
            Seen::Absent => false,
            Seen::AsStored => stored(),
            Seen::Undo(undo) => has_key(&RowView::new(page, slot, &undo)),
        };
        Ok(if before || stored() { Probe::Wait(txn.clone()) } else { Probe::Free })
    }

    /// Takes back what `mark` stands for, newest first.
    pub(crate) fn undo(&self, mark: &WriteMark) -> Result<()> {
        if mark.kind == WriteKind::Insert
            && let Some(mut leavings) = Leavings::of(self)
        {
            // A full disk must not keep anyone from rolling back: entries that stay are of a row that is not there (T4).
            let _ = leavings
                .collect(self, mark.block, &Leaving::Run(mark.slot, mark.count))
                .and_then(|()| leavings.remove());
        }
        let mut freed = Vec::new();
        {
            let mut guard = self.db.write_block(&self.rel, mark.block)?;
            let (bytes, cell) = guard.parts();
            let Some(versions) = cell else {
                return Err(crate::Error::Damaged("a page lost the versions of a running transaction".to_owned()));
            };
            let mut page = TablePageMut::new(bytes, &self.rel.layout);
            for slot in (0..mark.count).rev().map(|i| mark.slot + i) {
                let s = slot as usize;
                match versions.pop(slot) {
                    None | Some(Change::Insert) => {
                        overflow_cells(&page.as_ref(), s, &mut freed);
                        page.free(s);
                    }
                    Some(Change::Delete) => page.set_dead(s, false),
                    Some(Change::Update(image)) => {
                        each_in_image(&image, &self.rel.layout, |column, old| {
                            if let Cell::Overflow(r) = page.as_ref().cell(s, column) {
                                freed.push(r);
                            }
                            let fits = page.put(s, column, &old);
                            assert!(fits, "P1: the before-image's room is reserved");
                        });
                    }
                }
            }
            if versions.is_empty() {
                *cell = None;
            }
            guard.mark_dirty();
        }
        self.rel.note_room(mark.block);
        freed.iter().try_for_each(|r| overflow::free(&self.db, &self.rel, r))
    }

    /// Forgets versions of `block` that no snapshot from `oldest` on needs, and frees the slots of rows dead to all (P2).
    pub(crate) fn prune(&self, block: u32, oldest: Lsn) -> Result<()> {
        let mut freed = Vec::new();
        let mut dead = Vec::new();
        {
            let mut guard = self.db.write_block(&self.rel, block)?;
            let (bytes, cell) = guard.parts();
            let Some(versions) = cell else { return Ok(()) };
            versions.prune(
                oldest,
                |slot| dead.push(slot as usize),
                |image| {
                    each_in_image(image, &self.rel.layout, |_, old| {
                        if let Cell::Overflow(r) = old {
                            freed.push(r);
                        }
                    });
                },
            );
            if versions.is_empty() {
                *cell = None;
            }
            let mut page = TablePageMut::new(bytes, &self.rel.layout);
            for &slot in &dead {
                overflow_cells(&page.as_ref(), slot, &mut freed);
                page.free(slot);
            }
            if !dead.is_empty() {
                guard.mark_dirty();
            }
        }
        if !dead.is_empty() {
            self.rel.note_room(block);
        }
        freed.iter().try_for_each(|r| overflow::free(&self.db, &self.rel, r))
    }
}

/// Fills `slot`, which is free, with a row; the caller made sure of the room.
fn put_row(bytes: &mut [u8], table: &Table, slot: usize, cells: &[Cell<'_>]) {
    let fits = TablePageMut::new(bytes, &table.rel.layout).fill(slot, cells);
    assert!(fits, "P1: room was checked under the same latch");
}

/// Collects the large values of the row in `slot`.
fn overflow_cells(page: &TablePage<'_>, slot: usize, out: &mut Vec<OverflowRef>) {
    for (column, &physical) in page.layout().columns().iter().enumerate() {
        if physical == types::Physical::Var
            && let Cell::Overflow(r) = page.cell(slot, column)
        {
            out.push(r);
        }
    }
}
