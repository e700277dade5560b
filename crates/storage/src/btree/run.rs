//! Adding entries in runs: as many as belong in one leaf under one latch, with one log record.

use std::cmp::Ordering;

use super::{Btree, KEY_BYTES_MAX, node};
use crate::codec::Put;
use crate::error::{Error, Result};
use crate::ids::RowId;
use crate::page;
use crate::wal::Record;

/// Entries to be added to a tree, each with a number by which its owner knows it.
#[derive(Default)]
pub struct NewEntries {
    /// Entries, end to end.
    bytes: Vec<u8>,
    items: Vec<Item>,
}

struct Item {
    /// As [`types::sortkey::prefix`] says.
    prefix: u64,
    at: usize,
    len: u32,
    number: u32,
}

/// What became of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added {
    /// It is new.
    New,
    /// It was there, and is kept for its new user.
    Revived,
    /// Nothing was done: another entry has its key, or one in another leaf may have.
    Shared,
}

impl NewEntries {
    /// Appends `key ++ row`.
    pub fn push(&mut self, key: &[u8], row: RowId, number: u32) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(&row.to_bytes());
        let entry = &self.bytes[at..];
        self.items.push(Item { prefix: types::sortkey::prefix(entry), at, len: entry.len() as u32, number });
    }

    /// Sorts them.
    pub fn sort(&mut self) {
        let bytes = &self.bytes;
        let whole = |i: &Item| &bytes[i.at..i.at + i.len as usize];
        self.items.sort_unstable_by(|a, b| a.prefix.cmp(&b.prefix).then_with(|| whole(a).cmp(whole(b))));
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes of memory they take, about.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.items.len() * size_of::<Item>()
    }

    /// Forgets them; memory is kept.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }

    /// The number of entry `i`.
    pub fn number(&self, i: usize) -> u32 {
        self.items[i].number
    }

    /// The key of entry `i`.
    pub fn key(&self, i: usize) -> &[u8] {
        let entry = self.entry(i);
        &entry[..entry.len() - node::ROW_ID_BYTES]
    }

    /// The row of entry `i`.
    pub fn row(&self, i: usize) -> RowId {
        let entry = self.entry(i);
        RowId::from_bytes(entry[entry.len() - node::ROW_ID_BYTES..].try_into().expect("six bytes"))
    }

    fn entry(&self, i: usize) -> &[u8] {
        let item = &self.items[i];
        &self.bytes[item.at..item.at + item.len as usize]
    }
}

impl Btree {
    /// Adds `entries`, which are sorted. With `unique`, only those whose key no entry has: looking and adding are one step, under the
    /// leaf's latch; their keys must be self-delimiting. What became of the first ones is in `outcomes`: of all unless this fails.
    ///
    /// # Errors
    /// `Limit` when a key is too long; `Poisoned`, `DiskFull`, `Io`, `Corrupt`.
    pub fn insert_run(&self, entries: &NewEntries, unique: bool, outcomes: &mut Vec<Added>) -> Result<()> {
        outcomes.clear();
        let mut logged = Vec::new();
        let mut fresh: Vec<usize> = Vec::new();
        while outcomes.len() < entries.len() {
            let first = outcomes.len();
            let (block, mut guard) = self.find_exclusive(entries.entry(first), 0)?;
            logged.clear();
            fresh.clear();
            let mut room = node::Room::of(&guard);
            // Where the first entry belongs that the leaf has no room for.
            let mut full = None;
            // Behind one that belongs at the leaf's end, all do.
            let mut at_end = false;
            for i in first..entries.len() {
                let entry = entries.entry(i);
                let key = entries.key(i);
                let bare = self.bare(key);
                if key.len() > KEY_BYTES_MAX {
                    outcomes.truncate(first);
                    return Err(Error::Limit("index row size exceeds btree maximum"));
                }
                let beyond = matches!(node::compare_high(&*guard, entry), Some(Ordering::Less | Ordering::Equal));
                if i > first && beyond {
                    break;
                }
                let n = node::count(&*guard);
                let index = if at_end { n } else { node::lower_bound(&*guard, entry) };
                at_end = index == n;
                if unique {
                    let before = i > 0 && self.bare(entries.key(i - 1)) == bare;
                    if before || node::may_share(&guard, index, bare, |key| self.bare(key)) {
                        outcomes.push(Added::Shared);
                        continue;
                    }
                } else if (index < n && node::entry(&guard, index).is(entry))
                    || (i > first && entries.entry(i - 1) == entry)
                {
                    self.db.shared.purge.revive(self.db.id, self.rel.id, key, entries.row(i));
                    outcomes.push(Added::Revived);
                    continue;
                }
                if !room.take(entry) {
                    full = Some(index == n);
                    break;
                }
                logged.put_bytes(entry);
                fresh.push(i);
                outcomes.push(Added::New);
            }
            if !fresh.is_empty() {
                let record = Record::BtreeInsertRun { at: self.at(block), entries: &logged };
                let lsn = match self.db.log_page(&self.rel, &record) {
                    Ok(lsn) => lsn,
                    Err(e) => {
                        outcomes.truncate(first);
                        return Err(e);
                    }
                };
                let mut at_end = false;
                for &i in &fresh {
                    let n = node::count(&*guard);
                    let index = if at_end { n } else { node::lower_bound(&*guard, entries.entry(i)) };
                    at_end = index == n;
                    node::insert_at(&mut guard, index, entries.entry(i));
                }
                page::set_lsn(&mut guard, lsn);
                guard.mark_dirty();
            }
            if let Some(at_end) = full {
                self.split(block, guard, at_end)?;
            }
        }
        Ok(())
    }

    /// Removes `entries`, which are sorted, as far as they are there: those of a leaf under one latch, with one log record.
    ///
    /// # Errors
    /// `Poisoned`, `Io`, `Corrupt`.
    pub(crate) fn remove_run(&self, entries: &NewEntries) -> Result<()> {
        let mut logged = Vec::new();
        let mut found: Vec<usize> = Vec::new();
        let mut next = 0;
        while next < entries.len() {
            let (block, mut guard) = self.find_exclusive(entries.entry(next), 0)?;
            logged.clear();
            found.clear();
            let first = next;
            while next < entries.len() {
                let entry = entries.entry(next);
                let beyond = matches!(node::compare_high(&*guard, entry), Some(Ordering::Less | Ordering::Equal));
                if next > first && beyond {
                    break;
                }
                next += 1;
                let index = node::lower_bound(&*guard, entry);
                if index < node::count(&*guard)
                    && node::entry(&guard, index).is(entry)
                    && found.last().is_none_or(|&last| last != index)
                {
                    logged.put_bytes(entry);
                    found.push(index);
                }
            }
            if found.is_empty() {
                continue;
            }
            let record = Record::BtreeDelete { at: self.at(block), entries: &logged };
            let lsn = self.db.log_page(&self.rel, &record)?;
            // From the back: what stands before one keeps its place.
            found.iter().rev().for_each(|&index| node::remove_at(&mut guard, index));
            page::set_lsn(&mut guard, lsn);
            guard.mark_dirty();
        }
        Ok(())
    }
}
