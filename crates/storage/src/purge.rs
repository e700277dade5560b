//! Purge: takes away what no snapshot needs any more, driven by commits; no table is swept.
//!
//! Each committed transaction leaves the list of rows it touched and of index entries it made obsolete. When its commit is
//! older than every snapshot in use (X3), the purger first deletes those entries, and those that follow from rows that are gone
//! (`table::derived`), then cuts the version chains of those rows and frees the slots of deleted ones (P2).
//!
//! An entry that was made obsolete may have come back to life: another row version needs the same (key, row) pair, and the index,
//! which holds each pair once, kept it. `PurgeQueue::revive` notes that; the purger then leaves the entry alone.

mod obsolete;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use env::sync::Mutex;

use crate::btree::Btree;
use crate::engine::Shared;
use crate::error::Result;
use crate::ids::{DbId, Lsn, RelId, RowId};
use crate::table::{Leaving, Leavings, Table};
use crate::txn::{Tables, Writes};

/// What a transaction left to be purged.
pub struct Finished {
    pub(crate) lsn: Lsn,
    pub(crate) tables: Tables,
    pub(crate) writes: Writes,
    /// Entries that nobody needs any more, with others that do not count: see `committed`.
    pub(crate) obsolete: Option<Box<ObsoleteLog>>,
    /// Whether it committed; else it, or a part of it, was rolled back.
    pub(crate) committed: bool,
}

pub use obsolete::{Obsolete, ObsoleteLog};

type Pair = (DbId, RelId, Box<[u8]>, RowId);

/// Entries that are taken out of an index together.
const LEAVINGS_MAX: usize = 8192;

/// Work for the purger.
#[derive(Default)]
pub struct PurgeQueue {
    /// One purges at a time: slots that one has found dead, another would free and give to new rows.
    purging: Mutex<()>,
    queue: Mutex<VecDeque<Finished>>,
    length: AtomicUsize,
    sequence: AtomicU64,
    /// Pairs that are needed again, and since when.
    revived: Mutex<HashMap<Pair, u64>>,
}

impl PurgeQueue {
    /// The place in time of a note that an entry is obsolete: later revivals have greater ones.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn push(&self, finished: Finished) {
        self.queue.lock().push_back(finished);
        self.length.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets everything, when the engine ends: what waits here holds the databases.
    pub(crate) fn clear(&self) {
        self.queue.lock().clear();
    }

    /// How many transactions wait to be purged.
    pub fn len(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Notes that an existing index entry is needed again. Called under its leaf's latch.
    pub(crate) fn revive(&self, db: DbId, index: RelId, key: &[u8], row: RowId) {
        let sequence = self.sequence.fetch_add(1, Ordering::SeqCst);
        self.revived.lock().insert((db, index, key.into(), row), sequence);
    }

    fn is_revived(&self, o: &Obsolete<'_>) -> bool {
        let revived = self.revived.lock();
        !revived.is_empty()
            && revived.get(&(o.db.id, o.index.id, o.key.into(), o.row)).is_some_and(|&since| since > o.sequence)
    }
}

/// Purges what can be purged now; answers how many transactions that were.
///
/// # Errors
/// `Io` or `Corrupt` from pages that had to be read.
pub fn purge(shared: &Shared) -> Result<usize> {
    let _purging = shared.purge.purging.lock();
    let mut done = 0;
    // Once for all: to ask every session takes longer than to purge after one. What ends meanwhile is for the next time.
    let oldest = shared.txns.oldest_snapshot();
    loop {
        let finished = {
            let mut queue = shared.purge.queue.lock();
            match queue.front() {
                Some(f) if f.lsn <= oldest => queue.pop_front(),
                _ => None,
            }
        };
        let Some(finished) = finished else { break };
        shared.purge.length.fetch_sub(1, Ordering::Relaxed);
        purge_one(shared, &finished, oldest)?;
        done += 1;
    }
    if shared.purge.is_empty() && done > 0 {
        let mut revived = shared.purge.revived.lock();
        // Running transactions may have notes that are older than a revival; those to come have only newer ones.
        if shared.purge.queue.lock().is_empty() && !shared.txns.any_running() {
            revived.clear();
        }
    }
    Ok(done)
}

fn purge_one(shared: &Shared, finished: &Finished, oldest: Lsn) -> Result<()> {
    finished.obsolete.iter().try_for_each(|log| {
        log.each(|o| {
            if o.on_commit != finished.committed || o.index.dropped.load(Ordering::Acquire) {
                return Ok(());
            }
            Btree::new(o.db.clone(), o.index.clone()).remove_unless(o.key, o.row, || shared.purge.is_revived(o))?;
            Ok(())
        })
    })?;
    let mut marks = &finished.writes[..];
    while let Some(first) = marks.first() {
        let table = &finished.tables[first.table as usize];
        let ours = marks.iter().take_while(|m| m.table == first.table).count();
        let (run, rest) = marks.split_at(ours);
        marks = rest;
        if !table.rel().dropped.load(Ordering::Acquire) {
            prune(table, run.iter().map(|m| m.block), oldest)?;
        }
    }
    Ok(())
}

/// Forgets what nobody needs of `blocks`, and takes away the entries of rows whose slots that frees.
fn prune(table: &Table, blocks: impl Iterator<Item = u32>, oldest: Lsn) -> Result<()> {
    let mut leavings = Leavings::of(table);
    // Those whose entries are collected.
    let mut waiting: Vec<u32> = Vec::new();
    let finish = |leavings: &mut Option<Leavings>, waiting: &mut Vec<u32>| -> Result<()> {
        leavings.as_mut().map_or(Ok(()), Leavings::remove)?;
        waiting.drain(..).try_for_each(|block| table.prune(block, oldest))
    };
    for block in blocks {
        if waiting.last() == Some(&block) {
            continue;
        }
        if let Some(leavings) = &mut leavings {
            leavings.collect(table, block, &Leaving::DeadSince(oldest))?;
        }
        waiting.push(block);
        if leavings.as_ref().is_none_or(|l| l.len() >= LEAVINGS_MAX) {
            finish(&mut leavings, &mut waiting)?;
        }
    }
    finish(&mut leavings, &mut waiting)
}
