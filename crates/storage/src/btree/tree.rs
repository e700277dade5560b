//! `Btree`: look-up, insertion, splits, removal.

use std::cmp::Ordering;
use std::sync::Arc;

use smallvec::SmallVec;

use super::node::{NodeBytes, Sought};
use super::{Added, KEY_BYTES_MAX, node};
use crate::buffer::{PageRead, PageWrite};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::ids::{Lsn, PageNo, RowId};
use crate::page;
use crate::relation::Relation;
use crate::wal::Record;
use crate::wal::record::BlockRef;

/// Block of the root (T3).
pub(super) const ROOT: u32 = 0;

/// A handle on a B-tree; cheap to clone.
#[derive(Clone)]
pub struct Btree {
    pub(super) db: Arc<Database>,
    pub(super) rel: Arc<Relation>,
}

impl Btree {
    /// The tree that `rel` is.
    pub fn new(db: Arc<Database>, rel: Arc<Relation>) -> Btree {
        Btree { db, rel }
    }

    /// Its relation.
    pub fn rel(&self) -> &Arc<Relation> {
        &self.rel
    }

    /// Its database.
    pub fn db(&self) -> &Arc<Database> {
        &self.db
    }

    pub(super) fn at(&self, block: u32) -> BlockRef {
        BlockRef { db: self.db.id, rel: self.rel.id, block }
    }

    /// Makes the empty root of a new tree.
    pub(crate) fn initialise(&self) -> Result<()> {
        self.db.add_block(&self.rel, |bytes, at, page, _| {
            node::format(bytes, at, page, 0);
            self.db.log_page(&self.rel, &Record::PageImage { at, image: &node::pack(bytes) })
        })?;
        Ok(())
    }

    /// The block at `level` that covers `key` (with `below`: what is just below it), as of some moment during the call.
    pub(super) fn find(&self, key: &[u8], below: bool, level: u8) -> Result<u32> {
        struct Nothing;
        impl Look for Nothing {
            type Seen = ();
            fn look(&self, _: impl NodeBytes, _: &Sought<'_>, is_covered: bool) -> Option<()> {
                is_covered.then_some(())
            }
        }
        Ok(self.descend(key, below, level, &Nothing)?.0)
    }

    /// The same, and what `look` sees in it at that moment.
    pub(super) fn descend<L: Look>(&self, key: &[u8], below: bool, level: u8, look: &L) -> Result<(u32, L::Seen)> {
        let key = &Sought::new(key);
        'restart: loop {
            let mut block = ROOT;
            loop {
                let (page, class) = match self.rel.locate(block) {
                    Ok(found) => found,
                    // A torn optimistic read gave a block number that never was.
                    Err(_) if block != ROOT => continue 'restart,
                    Err(e) => return Err(e),
                };
                let step = match self.db.space.optimistic(page, class) {
                    Some(racy) => {
                        let step = step(racy.bytes(), key, below, level, look);
                        if !racy.validate() {
                            continue 'restart;
                        }
                        step
                    }
                    None => {
                        let guard = self.db.space.read(page, class)?;
                        let bytes: &[u8] = &guard;
                        step(bytes, key, below, level, look)
                    }
                };
                match step {
                    Step::Here(seen) => return Ok((block, seen)),
                    Step::To(next) if next < self.rel.blocks() => block = next,
                    Step::To(_) => {
                        return Err(Error::Corrupt {
                            db: self.db.id,
                            page,
                            what: "it points to a block beyond the index's end".to_owned(),
                        });
                    }
                }
            }
        }
    }

    /// The node at `level` that covers `key`, latched exclusively.
    pub(super) fn find_exclusive(&self, key: &[u8], level: u8) -> Result<(u32, PageWrite<'_>)> {
        'restart: loop {
            let mut block = self.find(key, false, level)?;
            loop {
                let guard = self.db.write_block(&self.rel, block)?;
                if node::level(&*guard) != level {
                    // The root grew while we were on our way.
                    continue 'restart;
                }
                match node::compare_high(&*guard, key) {
                    Some(Ordering::Less | Ordering::Equal) => {
                        block = node::right(&*guard).expect("it has a fence");
                    }
                    _ => return Ok((block, guard)),
                }
            }
        }
    }

    /// The leaf that covers `key`, latched shared.
    pub(super) fn find_shared(&self, key: &[u8], below: bool) -> Result<PageRead<'_>> {
        'restart: loop {
            let mut block = self.find(key, below, 0)?;
            loop {
                let guard = self.db.read_block(&self.rel, block)?;
                if node::level(&*guard) != 0 {
                    continue 'restart;
                }
                match node::compare_high(&*guard, key) {
                    Some(Ordering::Less) => block = node::right(&*guard).expect("it has a fence"),
                    Some(Ordering::Equal) if !below => block = node::right(&*guard).expect("it has a fence"),
                    _ => return Ok(guard),
                }
            }
        }
    }

    /// Adds the entry `key ++ row`; true when it was there already (it is then kept for the new user).
    ///
    /// # Errors
    /// `Limit` when the key is too long; `Poisoned`, `DiskFull`, `Io`, `Corrupt`.
    pub fn insert(&self, key: &[u8], row: RowId) -> Result<bool> {
        Ok(self.insert_one(key, row, false)? == Added::Revived)
    }

    /// As [`Btree::insert_run`] with `unique`, of the entry `key ++ row`.
    ///
    /// # Errors
    /// As [`Btree::insert`].
    pub fn insert_unique(&self, key: &[u8], row: RowId) -> Result<Added> {
        self.insert_one(key, row, true)
    }

    fn insert_one(&self, key: &[u8], row: RowId, unique: bool) -> Result<Added> {
        if key.len() > KEY_BYTES_MAX {
            return Err(Error::Limit("index row size exceeds btree maximum"));
        }
        let mut full = SmallVec::<[u8; 64]>::from_slice(key);
        full.extend_from_slice(&row.to_bytes());
        loop {
            let (block, mut guard) = self.find_exclusive(&full, 0)?;
            let index = node::lower_bound(&*guard, &full);
            if unique && node::may_share(&guard, index, self.bare(key), |key| self.bare(key)) {
                return Ok(Added::Shared);
            }
            let n = node::count(&*guard);
            if index < n && node::entry(&guard, index).is(&full) {
                self.db.shared.purge.revive(self.db.id, self.rel.id, key, row);
                return Ok(Added::Revived);
            }
            if node::has_room(&guard, &full) {
                self.insert_here(block, &mut guard, index, &full)?;
                return Ok(Added::New);
            }
            self.split(block, guard, index == n)?;
        }
    }

    fn insert_here(&self, block: u32, guard: &mut PageWrite<'_>, index: usize, entry: &[u8]) -> Result<()> {
        let lsn = self.db.log_page(&self.rel, &Record::BtreeInsert { at: self.at(block), entry })?;
        node::insert_at(guard, index, entry);
        page::set_lsn(guard, lsn);
        guard.mark_dirty();
        Ok(())
    }

    /// Splits the node in `guard`, then tells its parent.
    pub(super) fn split<'a>(&'a self, block: u32, mut guard: PageWrite<'a>, at_end: bool) -> Result<()> {
        let level = node::level(&*guard);
        let keep = node::split_point(&guard, at_end);
        if block == ROOT {
            return self.split_root(guard, keep);
        }
        let fence = self.fence(&guard, keep, level);
        let (right_block, right_guard) = self.db.add_block(&self.rel, |bytes, at, page, _| {
            fill_right(bytes, at, page, &guard, keep, &fence);
            self.db.log_page(&self.rel, &Record::PageImage { at, image: &node::pack(bytes) })
        })?;
        let record =
            Record::BtreeTruncate { at: self.at(block), keep: keep as u32, right: right_block, high_key: &fence };
        let lsn = self.db.log_page(&self.rel, &record)?;
        node::truncate(&mut guard, keep, right_block, &fence);
        page::set_lsn(&mut guard, lsn);
        guard.mark_dirty();
        drop(right_guard);
        drop(guard);
        self.insert_separator(level + 1, &fence, right_block)
    }

    /// The key between entries `keep - 1` and `keep`.
    fn fence(&self, bytes: &[u8], keep: usize, level: u8) -> Vec<u8> {
        let right = node::entry(bytes, keep).to_vec();
        if level > 0 {
            return right[..right.len() - 4].to_vec();
        }
        node::separator(&node::entry(bytes, keep - 1).to_vec(), &right).to_vec()
    }

    /// Moves the root's entries into two new nodes (T3).
    fn split_root<'a>(&'a self, mut root: PageWrite<'a>, keep: usize) -> Result<()> {
        let level = node::level(&*root);
        let fence = self.fence(&root, keep, level);
        // Not logged one by one: until the root's record is, nobody can reach them.
        let (right_block, right) = self.db.add_block(&self.rel, |bytes, at, page, _| {
            fill_right(bytes, at, page, &root, keep, &fence);
            Ok(Lsn(0))
        })?;
        let (left_block, left) = self.db.add_block(&self.rel, |bytes, at, page, _| {
            let old: &[u8] = &root;
            node::format(bytes, at, page, level);
            node::set_low(bytes, node::low(old));
            node::set_leftmost(bytes, node::leftmost(old));
            for i in 0..keep {
                node::insert_at(bytes, i, &node::entry(old, i).to_vec());
            }
            node::set_right(bytes, right_block, &fence);
            Ok(Lsn(0))
        })?;
        let mut image = root.to_vec();
        node::format(&mut image, self.at(ROOT), root.page(), level + 1);
        node::set_leftmost(&mut image, left_block);
        let mut entry = fence.clone();
        entry.extend_from_slice(&right_block.to_le_bytes());
        node::insert_at(&mut image, 0, &entry);
        let record = Record::BtreeNewRoot {
            at: self.at(ROOT),
            left: left_block,
            right: right_block,
            root_image: &node::pack(&image),
            left_image: &node::pack(&left),
            right_image: &node::pack(&right),
        };
        let lsn = self.db.log_page(&self.rel, &record)?;
        root.copy_from_slice(&image);
        for mut guard in [root, left, right] {
            page::set_lsn(&mut guard, lsn);
            guard.mark_dirty();
        }
        Ok(())
    }

    /// Tells the parents at `level` that keys from `fence` on are in `child`.
    fn insert_separator(&self, level: u8, fence: &[u8], child: u32) -> Result<()> {
        let mut entry = fence.to_vec();
        entry.extend_from_slice(&child.to_le_bytes());
        loop {
            let (block, mut guard) = self.find_exclusive(fence, level)?;
            let index = node::lower_bound(&*guard, fence);
            if node::has_room(&guard, &entry) {
                return self.insert_here(block, &mut guard, index, &entry);
            }
            let at_end = index == node::count(&*guard);
            self.split(block, guard, at_end)?;
        }
    }

    /// Removes the entry `key ++ row`, unless `keep`, asked under the leaf's latch, says that it is needed.
    ///
    /// # Errors
    /// `Poisoned`, `Io`, `Corrupt`.
    pub fn remove_unless(&self, key: &[u8], row: RowId, keep: impl FnOnce() -> bool) -> Result<()> {
        let mut full = key.to_vec();
        full.extend_from_slice(&row.to_bytes());
        let (block, mut guard) = self.find_exclusive(&full, 0)?;
        let index = node::lower_bound(&*guard, &full);
        if index >= node::count(&*guard) || !node::entry(&guard, index).is(&full) || keep() {
            return Ok(());
        }
        let mut entries = (full.len() as u32).to_le_bytes().to_vec();
        entries.extend_from_slice(&full);
        let lsn = self.db.log_page(&self.rel, &Record::BtreeDelete { at: self.at(block), entries: &entries })?;
        node::remove_at(&mut guard, index);
        page::set_lsn(&mut guard, lsn);
        guard.mark_dirty();
        Ok(())
    }

    /// Walks the whole tree; answers each violated invariant with its page.
    ///
    /// # Errors
    /// `Io`; damage is in the answer.
    pub fn check(&self) -> Result<Vec<(PageNo, String)>> {
        let mut problems = Vec::new();
        let mut level_start = Some(ROOT);
        while let Some(first) = level_start {
            level_start = None;
            let (mut block, mut fence): (u32, Vec<u8>) = (first, Vec::new());
            let mut steps = 0;
            loop {
                let (page, _) = self.rel.locate(block)?;
                let guard = match self.db.read_block(&self.rel, block) {
                    Ok(guard) => guard,
                    Err(e) => {
                        problems.push((page, e.to_string()));
                        break;
                    }
                };
                if let Err(what) = node::check(&guard).and_then(|()| self.check_carried(&guard)) {
                    problems.push((page, what));
                    break;
                }
                if node::low(&guard) != fence {
                    problems.push((page, "T2: its lower fence is not its left sibling's upper one".to_owned()));
                }
                if block == first && node::level(&*guard) > 0 {
                    level_start = Some(node::leftmost(&guard));
                }
                steps += 1;
                match (node::right(&*guard), node::high(&guard)) {
                    (Some(next), Some(high)) if next < self.rel.blocks() && steps <= self.rel.blocks() => {
                        fence = high.to_vec();
                        block = next;
                    }
                    (None, _) => break,
                    _ => {
                        problems.push((page, "its right sibling does not exist".to_owned()));
                        break;
                    }
                }
            }
        }
        Ok(problems)
    }
}

/// What is done with the node that a search ends at.
pub(super) trait Look {
    /// What it sees.
    type Seen;
    /// Looks; at bytes that may change meanwhile, and then again. `None` when it is not known that the node covers the key, and this cannot tell either.
    fn look(&self, bytes: impl NodeBytes, key: &Sought<'_>, is_covered: bool) -> Option<Self::Seen>;
}

enum Step<S> {
    Here(S),
    To(u32),
}

/// Where a search for `key` at `level` goes from this node. Whoever finds an entry that is not below the key knows that the node covers it (T1): the fence is
/// looked at only where there is none.
#[inline]
fn step<L: Look>(b: impl NodeBytes, key: &Sought<'_>, below: bool, level: u8, look: &L) -> Step<L::Seen> {
    let beyond = || match node::compare_high(b, key.bytes()) {
        Some(Ordering::Less) => true,
        Some(Ordering::Equal) => !below,
        _ => false,
    };
    let to_right = || Step::To(node::right(b).unwrap_or(u32::MAX));
    if node::level(b) > level {
        let index = node::child_index(b, key, below);
        return if index >= node::count(b) && beyond() { to_right() } else { Step::To(node::child_at(b, index)) };
    }
    if let Some(seen) = look.look(b, key, false) {
        return Step::Here(seen);
    }
    match beyond() {
        true => to_right(),
        // A search that does not say what it sees of a node that covers its key never ends.
        false => look.look(b, key, true).map_or_else(to_right, Step::Here),
    }
}

/// Fills a new right sibling with the entries of `old` from `keep` on.
fn fill_right(bytes: &mut [u8], at: BlockRef, page: PageNo, old: &[u8], keep: usize, fence: &[u8]) {
    let level = node::level(old);
    node::format(bytes, at, page, level);
    node::set_low(bytes, fence);
    if let (Some(right), Some(high)) = (node::right(old), node::high(old)) {
        node::set_right(bytes, right, high);
    }
    let mut from = keep;
    if level > 0 {
        // The first separator moves up; its child becomes the leftmost.
        let first = node::entry(old, keep).to_vec();
        let child = u32::from_le_bytes(first[first.len() - 4..].try_into().expect("four bytes"));
        node::set_leftmost(bytes, child);
        from += 1;
    }
    for (i, j) in (from..node::count(old)).enumerate() {
        node::insert_at(bytes, i, &node::entry(old, j).to_vec());
    }
}
