//! `Database`: one database of a cluster: its relations and the pages they take.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use env::sync::{Mutex, RwLock};

use crate::buffer::{PageClass, PageSpace, PageWrite};
use crate::engine::Shared;
use crate::error::{Error, Result};
use crate::file::DbFile;
use crate::file::superblock::BlobRef;
use crate::ids::{DbId, Lsn, PageNo, RelId};
use crate::page;
use crate::relation::{Persistence, RelKind, RelMeta, Relation, extent_of};
use crate::txn::Transaction;
use crate::wal::Record;
use crate::wal::record::BlockRef;

/// An open database.
pub struct Database {
    /// Its number.
    pub id: DbId,
    pub(crate) shared: Arc<Shared>,
    pub(crate) file: Arc<DbFile>,
    pub(crate) space: Arc<PageSpace>,
    relations: RwLock<HashMap<RelId, Arc<Relation>>>,
    free_units: Mutex<FreeUnits>,
    /// What was counted of relations that are gone.
    gone: Mutex<DatabaseCounts>,
    /// The blob that the durable superblock names, and the sum of changes it was made from.
    pub(crate) stored: Mutex<(BlobRef, u64)>,
}

/// What was counted of the relations of a database since it was opened.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DatabaseCounts {
    /// Rows that committed transactions have inserted, changed and deleted.
    pub written: [u64; 3],
    /// Rows that scans of tables found, and entries that those of indexes did.
    pub returned: u64,
    /// The latter alone.
    pub fetched: u64,
    /// Pages that were read from the disk.
    pub pages_read: u64,
}

impl DatabaseCounts {
    fn add(&mut self, rel: &Relation) {
        self.written.iter_mut().zip(rel.attempts()).for_each(|(sum, n)| *sum += n);
        let rows = rel.scan_counts().rows;
        self.returned += rows;
        if rel.kind == RelKind::Btree {
            self.fetched += rows;
        }
    }
}

/// Page numbers that no relation has.
pub(crate) struct FreeUnits {
    /// Start and length of runs below `high`.
    runs: BTreeMap<u32, u32>,
    high: u32,
    limit: u32,
}

impl FreeUnits {
    pub(crate) fn new(limit: u32) -> FreeUnits {
        FreeUnits { runs: BTreeMap::new(), high: 0, limit }
    }

    fn take(&mut self, count: u32, align: u32) -> Option<u32> {
        let fit = self.runs.iter().find_map(|(&start, &len)| {
            let aligned = start.next_multiple_of(align);
            (aligned + count <= start + len).then_some((start, len, aligned))
        });
        if let Some((start, len, aligned)) = fit {
            self.runs.remove(&start);
            if aligned > start {
                self.runs.insert(start, aligned - start);
            }
            let (end, taken_end) = (start + len, aligned + count);
            if end > taken_end {
                self.runs.insert(taken_end, end - taken_end);
            }
            return Some(aligned);
        }
        let aligned = self.high.next_multiple_of(align);
        let end = aligned.checked_add(count)?;
        if end > self.limit {
            return None;
        }
        if aligned > self.high {
            self.runs.insert(self.high, aligned - self.high);
        }
        self.high = end;
        Some(aligned)
    }

    fn give(&mut self, start: u32, count: u32) {
        let (mut start, mut count) = (start, count);
        if let Some((&before, &len)) = self.runs.range(..start).next_back()
            && before + len == start
        {
            self.runs.remove(&before);
            (start, count) = (before, count + len);
        }
        if let Some(len) = self.runs.remove(&(start + count)) {
            count += len;
        }
        self.runs.insert(start, count);
    }

    /// Marks what `taken` lists as taken and everything else as free.
    pub(crate) fn rebuild(&mut self, mut taken: Vec<(PageNo, u32)>) {
        taken.sort();
        self.runs.clear();
        self.high = 0;
        for (start, count) in taken {
            if start.0 > self.high {
                self.runs.insert(self.high, start.0 - self.high);
            }
            self.high = self.high.max(start.0 + count);
        }
    }
}

impl Database {
    pub(crate) fn new(
        id: DbId,
        shared: Arc<Shared>,
        file: Arc<DbFile>,
        space: Arc<PageSpace>,
        metas: Vec<RelMeta>,
        stored: BlobRef,
    ) -> Database {
        let relations = metas.iter().map(|m| (m.id, Arc::new(Relation::new(id, m, None)))).collect();
        let limit = space.units();
        let db = Database {
            id,
            shared,
            file,
            space,
            relations: RwLock::new(relations),
            free_units: Mutex::new(FreeUnits::new(limit)),
            gone: Mutex::default(),
            stored: Mutex::new((stored, 0)),
        };
        db.rebuild_free_units();
        db
    }

    /// Recomputes which page numbers are free, from the relations.
    pub(crate) fn rebuild_free_units(&self) {
        let taken = self.relations.read().values().flat_map(|r| r.extent_ranges()).collect();
        self.free_units.lock().rebuild(taken);
    }

    /// An open relation.
    ///
    /// # Errors
    /// `NoRelation`.
    pub fn relation(&self, id: RelId) -> Result<Arc<Relation>> {
        self.relations.read().get(&id).cloned().ok_or(Error::NoRelation(self.id, id))
    }

    /// All relations.
    pub fn relations(&self) -> Vec<Arc<Relation>> {
        let mut all: Vec<_> = self.relations.read().values().cloned().collect();
        all.sort_by_key(|r| r.id);
        all
    }

    /// What the engine's parts share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Makes a relation as part of `txn`: it is gone again when that rolls back.
    ///
    /// # Errors
    /// `Limit`, `Poisoned`, or what logging says.
    pub fn create_relation(self: &Arc<Self>, txn: &mut Transaction, meta: RelMeta) -> Result<Arc<Relation>> {
        let state = txn.writer()?;
        if meta.persistence == Persistence::Permanent {
            let xid = txn.record_xid()?;
            let mut bytes = Vec::new();
            meta.encode(&mut bytes);
            self.shared.log.append(xid, &Record::RelCreate { db: self.id, meta: &bytes })?;
        }
        let rel = Arc::new(Relation::new(self.id, &meta, Some(state)));
        self.relations.write().insert(meta.id, rel.clone());
        txn.note_created(self.clone(), rel.clone());
        if rel.kind == RelKind::Btree {
            crate::btree::Btree::new(self.clone(), rel.clone()).initialise()?;
        }
        Ok(rel)
    }

    /// Drops a relation as part of `txn`: its pages are free once that has committed.
    ///
    /// # Errors
    /// What logging says.
    pub fn drop_relation(self: &Arc<Self>, txn: &mut Transaction, rel: &Arc<Relation>) -> Result<()> {
        txn.writer()?;
        if let Some(overflow) = rel.overflow()
            && let Ok(overflow) = self.relation(overflow)
        {
            self.drop_one(txn, &overflow)?;
        }
        self.drop_one(txn, rel)
    }

    fn drop_one(self: &Arc<Self>, txn: &mut Transaction, rel: &Arc<Relation>) -> Result<()> {
        if rel.is_logged() {
            let xid = txn.record_xid()?;
            self.shared.log.append(xid, &Record::RelDrop { db: self.id, rel: rel.id })?;
        }
        txn.note_dropped(self.clone(), rel.clone());
        Ok(())
    }

    /// Takes a relation out and frees its pages; nobody can reach it any more.
    pub(crate) fn forget(&self, rel: &Arc<Relation>) {
        rel.dropped.store(true, Ordering::Release);
        if self.relations.write().remove(&rel.id).is_some() {
            self.gone.lock().add(rel);
        }
        for (index, (start, units)) in rel.extent_ranges().into_iter().enumerate() {
            let class = rel.class(if index == 0 { 0 } else { 1 });
            let count = units / class.units();
            self.space.discard(start, class, count);
            let garbage: Vec<_> = {
                let mut map = self.file.map().lock();
                (0..count).flat_map(|i| map.remove(PageNo(start.0 + i * class.units()))).collect()
            };
            garbage.into_iter().for_each(|e| self.file.free(e));
            self.free_units.lock().give(start.0, units);
        }
    }

    /// What was counted of its relations.
    pub fn counts(&self) -> DatabaseCounts {
        // Before those that are there: one that goes meanwhile is missed rather than counted twice.
        let mut sum = *self.gone.lock();
        self.relations().iter().for_each(|rel| sum.add(rel));
        sum.pages_read = self.space.read_count();
        sum
    }

    pub(crate) fn insert_relation(&self, rel: Arc<Relation>) {
        self.relations.write().insert(rel.id, rel);
    }

    /// The page of a block, latched shared.
    #[inline]
    pub(crate) fn read_block(&self, rel: &Relation, block: u32) -> Result<crate::buffer::PageRead<'_>> {
        let (page, class) = rel.locate(block)?;
        self.space.read(page, class)
    }

    /// The page of a block, latched exclusively, to be written (Z1).
    #[inline]
    pub(crate) fn write_block(&self, rel: &Relation, block: u32) -> Result<PageWrite<'_>> {
        let (page, class) = rel.locate(block)?;
        let guard = self.space.write(page, class)?;
        rel.zones().forget(block);
        Ok(guard)
    }

    /// Makes sure that `rel` has a page number for `block`. The caller holds `rel.growth`, or is recovery.
    pub(crate) fn reserve_block(&self, rel: &Relation, block: u32) -> Result<(PageNo, PageClass)> {
        let (index, _) = extent_of(block);
        if rel.extent_count() <= index {
            let units = rel.extent_units(index);
            let align = if rel.class(block) == PageClass::Large { 4 } else { 1 };
            let start = self.free_units.lock().take(units, align);
            let start = PageNo(start.ok_or(Error::Limit("the database is as large as it may get"))?);
            if rel.is_logged() {
                let index = index as u32;
                self.shared
                    .log
                    .append(crate::ids::Xid(0), &Record::RelExtend { db: self.id, rel: rel.id, index, start })?;
            }
            rel.set_extent(index, start);
        }
        rel.locate(block)
    }

    /// Adds a block at the end of `rel`, zeroed and with the common header, latched. `fill` formats it and answers the LSN
    /// of the record that says so.
    pub(crate) fn add_block(
        &self,
        rel: &Relation,
        fill: impl FnOnce(&mut [u8], BlockRef, PageNo, PageClass) -> Result<Lsn>,
    ) -> Result<(u32, PageWrite<'_>)> {
        let _growing = rel.growth.lock();
        let block = rel.blocks();
        let (page, class) = self.reserve_block(rel, block)?;
        let mut guard = self.space.create(page, class)?;
        let lsn = fill(&mut guard, BlockRef { db: self.id, rel: rel.id, block }, page, class)?;
        page::set_lsn(&mut guard, lsn);
        guard.mark_dirty();
        rel.set_blocks(block + 1);
        Ok((block, guard))
    }

    /// Appends a system record about a page of `rel`; a relation that is not logged only gets the log's position.
    pub(crate) fn log_page(&self, rel: &Relation, record: &Record<'_>) -> Result<Lsn> {
        if rel.is_logged() {
            self.shared.log.append(crate::ids::Xid(0), record)
        } else {
            self.shared.poison.check()?;
            Ok(self.shared.log.end_lsn())
        }
    }
}
