//! Recovery: redo only.
//!
//! The data file holds committed-only images (I2), so there is nothing to undo. [`scan`] reads the log from the superblock's redo
//! position once and notes which transactions committed; [`redo`] reads it again and applies, in LSN order, what the winners and the
//! system did. A page's own LSN says which records it has already (I9). An image that uncommitted changes were taken out of is stamped
//! with an LSN before theirs: some records are then applied a second time. They are after-images, so that does no harm; but on the way
//! a page may have to hold values of different times. A value that does not fit meanwhile waits in `Redo::overlay`
//! until the page has reached its final state, which fitted when it was made (P1).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use env::Vfs;

use crate::btree::node;
use crate::buffer::PageWrite;
use crate::checkpoint::Root;
use crate::codec::Take;
use crate::database::Database;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::ids::{DbId, Lsn, PageNo, RelId, Xid};
use crate::page;
use crate::relation::{RelKind, RelMeta, Relation};
use crate::table::cell::{self, Cell};
use crate::table::overflow;
use crate::table::page::{self as table_page, TablePageMut};
use crate::wal::Record;
use crate::wal::reader::Reader;
use crate::wal::record::BlockRef;

/// What the log tells.
pub struct Found {
    /// Transactions and subtransactions whose changes count.
    winners: HashSet<Xid>,
    redo: Lsn,
    /// Where the log ends.
    pub end: Lsn,
    /// The next transaction number.
    pub next_xid: Xid,
    /// The greatest life seen.
    pub life: u32,
}

impl Found {
    /// For a cluster that has no log.
    pub fn nothing(root: &Root) -> Found {
        let redo = root.superblock.redo;
        Found { winners: HashSet::new(), redo, end: redo, next_xid: root.next_xid, life: root.superblock.life }
    }
}

/// Reads the log from `redo` to its end.
pub fn scan(vfs: &Arc<dyn Vfs>, redo: Lsn, next_xid: Xid) -> Result<Found> {
    let mut reader = Reader::new(vfs.clone(), redo);
    let mut winners = HashSet::new();
    let mut highest = Xid(next_xid.0.saturating_sub(1));
    while let Some((_, xid, record)) = reader.next()? {
        highest = highest.max(xid);
        if let Record::Commit { subs } = record {
            winners.insert(xid);
            winners.extend(subs);
        }
    }
    let highest = winners.iter().copied().max().map_or(highest, |w| w.max(highest));
    Ok(Found { winners, redo, end: reader.position(), next_xid: Xid(highest.0 + 1), life: reader.life() })
}

/// Applies the log; answers how many records were looked at.
pub fn redo(engine: &Engine, found: &Found) -> Result<u64> {
    if found.end == found.redo {
        return Ok(0);
    }
    let mut reader = Reader::new(engine.shared().env.vfs.clone(), found.redo);
    let databases: HashMap<DbId, Arc<Database>> = engine.databases().into_iter().map(|d| (d.id, d)).collect();
    let mut redo = Redo { databases, overlay: BTreeMap::new() };
    let mut count = 0;
    while let Some((lsn, xid, record)) = reader.next()? {
        count += 1;
        if let Record::OidsReserved { next } = record {
            let mut oids = engine.shared().oids.lock();
            oids.next = oids.next.max(next);
            oids.reserved = oids.next;
        } else if xid == Xid(0) || found.winners.contains(&xid) {
            redo.apply(lsn, &record)?;
        }
    }
    redo.finish()?;
    Ok(count)
}

/// Values by slot and column.
type Waiting = BTreeMap<(u16, u16), Vec<u8>>;

struct Redo {
    databases: HashMap<DbId, Arc<Database>>,
    /// Values that did not fit: (database, relation, block) to (slot, column) to value.
    overlay: BTreeMap<(DbId, RelId, u32), Waiting>,
}

impl Redo {
    /// Relation and page of `at`; `None` when its database or relation is gone.
    fn relation(&self, at: &BlockRef) -> Option<(Arc<Database>, Arc<Relation>)> {
        let db = self.databases.get(&at.db)?;
        Some((db.clone(), db.relation(at.rel).ok()?))
    }

    /// The page of `at` when it lacks the record `lsn`.
    fn stale_page<'a>(
        &self,
        db: &'a Database,
        rel: &Relation,
        at: &BlockRef,
        lsn: Lsn,
    ) -> Result<Option<PageWrite<'a>>> {
        let guard = db.write_block(rel, at.block)?;
        Ok((page::lsn(&guard) < lsn).then_some(guard))
    }

    /// The page of `at`, made anew when the record at `lsn` is what makes it; `None` when it has that already.
    fn new_page<'a>(&self, db: &'a Database, rel: &Relation, at: &BlockRef, lsn: Lsn) -> Result<Option<PageWrite<'a>>> {
        rel.set_blocks(at.block + 1);
        let (page, class) = rel.locate(at.block)?;
        let known = db.file.map().lock().current(page).is_some_and(|e| e.class() == class);
        if known || db.space.is_resident(page) {
            let guard = db.space.write(page, class)?;
            if page::rel(&guard) == at.rel && page::lsn(&guard) >= lsn {
                return Ok(None);
            }
            drop(guard);
        }
        db.space.create(page, class).map(Some)
    }

    fn apply(&mut self, lsn: Lsn, record: &Record<'_>) -> Result<()> {
        match record {
            Record::RowsInsert { at, count, rows } => self.on_page(lsn, at, |redo, db, rel, guard| {
                let mut t = Take(rows);
                for _ in 0..*count {
                    let slot = t.u16()?;
                    {
                        let mut page = TablePageMut::new(guard, &rel.layout);
                        in_range(db, guard_page(rel, at)?, slot, page.as_ref().capacity())?;
                        page.occupy(slot as usize);
                    }
                    for (column, &physical) in rel.layout.columns().iter().enumerate() {
                        let cell = cell::decode(&mut t, physical)?;
                        redo.put(at, rel, guard, slot, column as u16, &cell);
                    }
                }
                Ok(())
            }),
            Record::RowUpdate { at, slot, cells } => self.on_page(lsn, at, |redo, db, rel, guard| {
                let page = TablePageMut::new(guard, &rel.layout);
                in_range(db, guard_page(rel, at)?, *slot, page.as_ref().capacity())?;
                // A row that is gone by the time of the image was deleted by a winner: its delete record follows.
                let gone = !page.as_ref().is_used(*slot as usize);
                let mut t = Take(cells);
                while !gone && !t.is_empty() {
                    let column = t.u16()?;
                    let physical =
                        *rel.layout.columns().get(column as usize).ok_or_else(|| {
                            Error::Damaged("a log record names a column that is not there".to_owned())
                        })?;
                    let cell = cell::decode(&mut t, physical)?;
                    redo.put(at, rel, guard, *slot, column, &cell);
                }
                Ok(())
            }),
            Record::RowDelete { at, slot } => self.on_page(lsn, at, |_, db, rel, guard| {
                let mut page = TablePageMut::new(guard, &rel.layout);
                in_range(db, guard_page(rel, at)?, *slot, page.as_ref().capacity())?;
                page.set_dead(*slot as usize, true);
                Ok(())
            }),
            Record::RowsDelete { at, slots } => self.on_page(lsn, at, |_, db, rel, guard| {
                let mut t = Take(slots);
                while !t.is_empty() {
                    let slot = t.u16()?;
                    let mut page = TablePageMut::new(guard, &rel.layout);
                    in_range(db, guard_page(rel, at)?, slot, page.as_ref().capacity())?;
                    page.set_dead(slot as usize, true);
                }
                Ok(())
            }),
            Record::TablePageFormat { at, capacity } => {
                let Some((db, rel)) = self.relation(at) else { return Ok(()) };
                let (page, class) = rel.locate(at.block)?;
                if let Some(mut guard) = self.new_page(&db, &rel, at, lsn)? {
                    self.overlay.remove(&(at.db, at.rel, at.block));
                    match rel.kind {
                        RelKind::Overflow => overflow::format(&mut guard, *at, page),
                        _ => {
                            let capacity = *capacity as usize;
                            table_page::format(&mut guard, class, at.db, at.rel, page, &rel.layout, capacity);
                        }
                    }
                    finish_page(guard, lsn);
                }
                Ok(())
            }
            Record::RelExtend { db, rel, index, start } => {
                if let Some(rel) = self.databases.get(db).and_then(|d| d.relation(*rel).ok()) {
                    rel.set_extent(*index as usize, *start);
                }
                Ok(())
            }
            Record::RelCreate { db, meta } => {
                let Some(db) = self.databases.get(db) else { return Ok(()) };
                let mut t = Take(meta);
                let meta = RelMeta::decode(&mut t)?;
                if db.relation(meta.id).is_ok() {
                    return Ok(());
                }
                if meta.kind == RelKind::Overflow {
                    let Ok(table) = db.relation(RelId(t.u32()?)) else { return Ok(()) };
                    table.set_overflow(meta.id);
                }
                db.insert_relation(Arc::new(Relation::new(db.id, &meta, None)));
                Ok(())
            }
            Record::RelDrop { db, rel } => {
                if let Some(db) = self.databases.get(db)
                    && let Ok(rel) = db.relation(*rel)
                {
                    self.overlay.retain(|k, _| (k.0, k.1) != (db.id, rel.id));
                    db.forget(&rel);
                }
                Ok(())
            }
            Record::PageImage { at, image } => self.replace_page(lsn, at, image),
            Record::BtreeNewRoot { at, left, right, root_image, left_image, right_image } => {
                self.replace_page(lsn, &BlockRef { block: *right, ..*at }, right_image)?;
                self.replace_page(lsn, &BlockRef { block: *left, ..*at }, left_image)?;
                self.replace_page(lsn, at, root_image)
            }
            Record::BtreeInsert { at, entry } => self.on_page(lsn, at, |_, _, _, guard| {
                let index = node::lower_bound(&**guard, node::compared_of(guard, entry));
                if !node::has_room(guard, entry) {
                    return Err(Error::Damaged("an index page has no room for what its log says".to_owned()));
                }
                node::insert_at(guard, index, entry);
                Ok(())
            }),
            Record::BtreeInsertRun { at, entries } => self.on_page(lsn, at, |_, _, _, guard| {
                let mut t = Take(entries);
                while !t.is_empty() {
                    let entry = t.bytes()?;
                    if !node::has_room(guard, entry) {
                        return Err(Error::Damaged("an index page has no room for what its log says".to_owned()));
                    }
                    let index = node::lower_bound(&**guard, entry);
                    node::insert_at(guard, index, entry);
                }
                Ok(())
            }),
            Record::BtreeDelete { at, entries } => self.on_page(lsn, at, |_, _, _, guard| {
                let mut t = Take(entries);
                while !t.is_empty() {
                    let entry = t.bytes()?;
                    let index = node::lower_bound(&**guard, entry);
                    if index < node::count(&**guard) && node::entry(guard, index).is(entry) {
                        node::remove_at(guard, index);
                    }
                }
                Ok(())
            }),
            Record::BtreeTruncate { at, keep, right, high_key } => self.on_page(lsn, at, |_, _, _, guard| {
                node::truncate(guard, *keep as usize, *right, high_key);
                Ok(())
            }),
            Record::OverflowInsert { at, item, bytes } => {
                self.on_page(lsn, at, |_, _, _, guard| overflow::put_item(guard, *item, bytes))
            }
            Record::OverflowDelete { at, item } => self.on_page(lsn, at, |_, _, _, guard| {
                overflow::remove_item(guard, *item);
                Ok(())
            }),
            Record::SequenceSet { db, rel, last, called } => {
                if let Some(rel) = self.databases.get(db).and_then(|d| d.relation(*rel).ok()) {
                    crate::sequence::restore(&rel, *last as i64, *called != 0);
                }
                Ok(())
            }
            Record::Commit { .. } | Record::OidsReserved { .. } => Ok(()),
        }
    }

    fn on_page(
        &mut self,
        lsn: Lsn,
        at: &BlockRef,
        f: impl FnOnce(&mut Redo, &Database, &Relation, &mut PageWrite<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some((db, rel)) = self.relation(at) else { return Ok(()) };
        if let Some(mut guard) = self.stale_page(&db, &rel, at, lsn)? {
            f(self, &db, &rel, &mut guard)?;
            finish_page(guard, lsn);
        }
        Ok(())
    }

    fn replace_page(&mut self, lsn: Lsn, at: &BlockRef, image: &[u8]) -> Result<()> {
        let Some((db, rel)) = self.relation(at) else { return Ok(()) };
        if let Some(mut guard) = self.new_page(&db, &rel, at, lsn)? {
            if !node::unpack(&mut guard, image) {
                return Err(Error::Damaged("a page image in the log is damaged".to_owned()));
            }
            finish_page(guard, lsn);
        }
        Ok(())
    }

    /// Stores a cell, or keeps it aside until the page has room.
    fn put(
        &mut self,
        at: &BlockRef,
        rel: &Relation,
        guard: &mut PageWrite<'_>,
        slot: u16,
        column: u16,
        cell: &Cell<'_>,
    ) {
        let key = (at.db, at.rel, at.block);
        if let Some(waiting) = self.overlay.get_mut(&key) {
            waiting.remove(&(slot, column));
        }
        let mut page = TablePageMut::new(guard, &rel.layout);
        if !page.put(slot as usize, column as usize, cell)
            && let Cell::Var(bytes) = cell
        {
            page.put(slot as usize, column as usize, &Cell::Null);
            self.overlay.entry(key).or_default().insert((slot, column), bytes.to_vec());
        }
    }

    /// Puts what was kept aside.
    fn finish(&mut self) -> Result<()> {
        for ((db, rel, block), values) in std::mem::take(&mut self.overlay) {
            let at = BlockRef { db, rel, block };
            let Some((db, rel)) = self.relation(&at) else { continue };
            let mut guard = db.write_block(&rel, block)?;
            let mut page = TablePageMut::new(&mut guard, &rel.layout);
            // Rows dead to everybody give their room first.
            let dead: Vec<usize> =
                (0..page.as_ref().high()).filter(|&s| page.as_ref().is_used(s) && page.as_ref().is_dead(s)).collect();
            if !values.is_empty() {
                dead.iter().for_each(|&s| page.free(s));
            }
            for ((slot, column), bytes) in values {
                if dead.contains(&(slot as usize)) {
                    continue;
                }
                if !page.put(slot as usize, column as usize, &Cell::Var(&bytes)) {
                    return Err(Error::Damaged(format!("P1: block {block} of relation {} is too full", rel.id)));
                }
            }
            guard.mark_dirty();
        }
        Ok(())
    }
}

fn finish_page(mut guard: PageWrite<'_>, lsn: Lsn) {
    page::set_lsn(&mut guard, lsn);
    guard.mark_dirty();
}

fn guard_page(rel: &Relation, at: &BlockRef) -> Result<PageNo> {
    Ok(rel.locate(at.block)?.0)
}

fn in_range(db: &Database, page: PageNo, slot: u16, capacity: usize) -> Result<()> {
    if (slot as usize) < capacity {
        return Ok(());
    }
    Err(Error::Corrupt { db: db.id, page, what: format!("the log names slot {slot} of {capacity}") })
}
