//! Range scans, a leaf at a time, in both directions.

use std::ops::Range;

use super::node;
use super::tree::Btree;
use crate::buffer::PageRead;
use crate::error::Result;
use crate::ids::{PageNo, RowId};

/// Which way a scan goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Ascending.
    Forward,
    /// Descending.
    Backward,
}

/// What a scan covers: encoded keys from `lower` (inclusive) to `upper` (exclusive; `None`: to the end). A key prefix covers every
/// entry that starts with it.
#[derive(Clone, Debug, Default)]
pub struct ScanBounds {
    /// First.
    pub lower: Vec<u8>,
    /// Beyond last.
    pub upper: Option<Vec<u8>>,
}

impl ScanBounds {
    /// All entries whose key starts with `prefix`.
    pub fn prefix(prefix: &[u8]) -> ScanBounds {
        ScanBounds { lower: prefix.to_vec(), upper: after_prefix(prefix) }
    }

    /// Entries that start with `prefix`, from the key prefix `low` to the key prefix `high`, both longer than `prefix`; the flags say
    /// whether entries that start with the bound itself are within.
    pub fn range(prefix: &[u8], low: Option<(&[u8], bool)>, high: Option<(&[u8], bool)>) -> ScanBounds {
        // Beyond a bound of nothing but 0xff there is no entry: the range is empty.
        let nothing = || (vec![0xff], Some(Vec::new()));
        let lower = match low {
            None => Some(prefix.to_vec()),
            Some((key, true)) => Some(key.to_vec()),
            Some((key, false)) => after_prefix(key),
        };
        let Some(lower) = lower else {
            let (lower, upper) = nothing();
            return ScanBounds { lower, upper };
        };
        let upper = match high {
            None => after_prefix(prefix),
            Some((key, true)) => after_prefix(key),
            Some((key, false)) => Some(key.to_vec()),
        };
        ScanBounds { lower, upper }
    }

    /// Reuses the buffers for another prefix.
    pub fn set_prefix(&mut self, prefix: &[u8]) {
        self.lower.clear();
        self.lower.extend_from_slice(prefix);
        let upper = self.upper.get_or_insert_default();
        upper.clear();
        upper.extend_from_slice(prefix);
        if !increment(upper) {
            self.upper = None;
        }
    }
}

/// The smallest string greater than every string that starts with `prefix`; `None` when there is none.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut upper = prefix.to_vec();
    increment(&mut upper).then_some(upper)
}

fn increment(bytes: &mut Vec<u8>) -> bool {
    while let Some(last) = bytes.last_mut() {
        if *last < 0xff {
            *last += 1;
            return true;
        }
        bytes.pop();
    }
    false
}

/// Entries of one leaf.
#[derive(Default, Debug)]
pub struct EntryBatch {
    keys: Vec<u8>,
    entries: Vec<(Range<u32>, RowId)>,
}

impl EntryBatch {
    /// How many.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Key and row of entry `index`.
    #[inline]
    pub fn get(&self, index: usize) -> (&[u8], RowId) {
        let (range, row) = &self.entries[index];
        (&self.keys[range.start as usize..range.end as usize], *row)
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.entries.clear();
    }

    /// Makes it the entry of `row` with this key.
    pub fn set(&mut self, key: &[u8], row: RowId) {
        self.clear();
        self.keys.extend_from_slice(key);
        self.entries.push((0..key.len() as u32, row));
    }

    fn push(&mut self, entry: node::Entry<'_>) {
        let start = self.keys.len() as u32;
        let row = entry.put_key(&mut self.keys);
        self.entries.push((start..self.keys.len() as u32, row));
    }
}

/// The leaf that a batch is of, for those who answer from entries alone (T7).
#[derive(Default, Debug)]
pub struct Leaf {
    page: PageNo,
    stamp: u64,
    /// The moment before it was read.
    time: u64,
    /// All that it holds.
    all: ScanBounds,
    /// How many entries it has.
    entries: usize,
}

impl Leaf {
    /// Since when its entries are settled.
    pub fn settled(&self) -> Option<u64> {
        (self.stamp & 1 == 1).then_some(self.stamp >> 1)
    }

    /// The bounds of all that it holds.
    pub fn bounds(&self) -> ScanBounds {
        self.all.clone()
    }

    /// How many entries it has, whatever the bounds of the scan.
    pub fn entries(&self) -> usize {
        self.entries
    }
}

impl Btree {
    /// As [`Btree::scan`]; says of which leaf the entries are.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn scan_leaf(
        &self,
        bounds: &mut ScanBounds,
        direction: Direction,
        batch: &mut EntryBatch,
        leaf: &mut Leaf,
    ) -> Result<bool> {
        batch.clear();
        match direction {
            Direction::Forward => self.scan_forward(bounds, batch, Some(leaf)),
            Direction::Backward => self.scan_backward(bounds, batch, Some(leaf)),
        }
    }

    /// Notes that all entries of `leaf` belong to rows that all snapshots see, as somebody found who looked at the row of each after the leaf was
    /// read, or found its page unchanged since the leaf was last settled (T7). Nothing is noted if the leaf has changed meanwhile.
    pub fn settle(&self, leaf: &Leaf) {
        self.db.space.settle(leaf.page, leaf.stamp, leaf.time);
    }

    fn note_leaf(&self, guard: &PageRead<'_>, leaf: &mut Leaf) {
        leaf.page = guard.page();
        leaf.stamp = guard.stamp();
        // Before any row is looked at; under the leaf's latch, so that who changes it later stamps it differently.
        leaf.time = self.db.space.moment();
        leaf.entries = node::count(&**guard);
        leaf.all.lower.clear();
        leaf.all.lower.extend_from_slice(node::low(guard));
        leaf.all.upper = node::high(guard).map(<[u8]>::to_vec);
    }

    /// Fills `batch` with the next leaf's entries in `bounds` and narrows `bounds` to what is left; false when nothing is. A batch
    /// may be empty although more follows.
    ///
    /// # Errors
    /// `Io`, `Corrupt`.
    pub fn scan(&self, bounds: &mut ScanBounds, direction: Direction, batch: &mut EntryBatch) -> Result<bool> {
        batch.clear();
        match direction {
            Direction::Forward => self.scan_forward(bounds, batch, None),
            Direction::Backward => self.scan_backward(bounds, batch, None),
        }
    }

    fn scan_forward(&self, bounds: &mut ScanBounds, batch: &mut EntryBatch, noted: Option<&mut Leaf>) -> Result<bool> {
        let leaf = self.find_shared(&bounds.lower, false)?;
        if let Some(noted) = noted {
            self.note_leaf(&leaf, noted);
        }
        let bytes: &[u8] = &leaf;
        let n = node::count(bytes);
        let from = node::lower_bound(bytes, &bounds.lower);
        let upper = bounds.upper.as_deref();
        let end = upper.map_or(n, |u| node::lower_bound(bytes, u));
        (from..end).for_each(|i| batch.push(node::entry(bytes, i)));
        if end < n {
            return Ok(false);
        }
        match node::high(bytes) {
            Some(high) if upper.is_none_or(|u| high < u) => {
                bounds.lower.clear();
                bounds.lower.extend_from_slice(high);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn scan_backward(&self, bounds: &mut ScanBounds, batch: &mut EntryBatch, noted: Option<&mut Leaf>) -> Result<bool> {
        // No upper bound: every key is below a run of 0xff longer than any key.
        let top = vec![0xff; super::KEY_BYTES_MAX + 8];
        let upper = bounds.upper.as_deref().unwrap_or(&top);
        let leaf = self.find_shared(upper, true)?;
        if let Some(noted) = noted {
            self.note_leaf(&leaf, noted);
        }
        let bytes: &[u8] = &leaf;
        let end = node::lower_bound(bytes, upper);
        let from = node::lower_bound(bytes, &bounds.lower);
        (from..end).rev().for_each(|i| batch.push(node::entry(bytes, i)));
        if from > 0 {
            return Ok(false);
        }
        let low = node::low(bytes);
        if low.is_empty() || low <= &bounds.lower[..] {
            return Ok(false);
        }
        let mut next = bounds.upper.take().unwrap_or_default();
        next.clear();
        next.extend_from_slice(low);
        bounds.upper = Some(next);
        Ok(true)
    }
}
