//! `Zones`: the least and the greatest value of a column in each block of a table, so that a scan passes by blocks that cannot have what it looks for.
//!
//! They are made by scans that compare the column, of pages that every snapshot sees alike (I7), and kept in memory only. Whoever may write a page
//! forgets what is known of it first, under the page's exclusive latch; whoever says what is known of it holds the shared one. So what a scan
//! finds here holds of every row of the block that its snapshot sees (Z1): a row that came later was written after the snapshot was taken, or
//! by a later command, and what was forgotten in between was true of all rows that were there before.
//!
//! Small materialized aggregates: G. Moerkotte, VLDB 1998.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use env::sync::RwLock;

/// Columns of a table of which zones are kept.
const COLUMNS_MAX: usize = 8;
/// Blocks that are kept together: one word says of which something is known.
pub const TOGETHER: usize = 64;

/// What is known of a column in one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Zone {
    /// The least value but for NULLs; greater than `high` when there are only those.
    pub low: i64,
    /// The greatest.
    pub high: i64,
    /// Rows that the block has.
    pub rows: u32,
}

/// Zones of so many blocks that follow one another.
struct Part {
    known: AtomicU64,
    low: [AtomicI64; TOGETHER],
    high: [AtomicI64; TOGETHER],
    rows: [AtomicU32; TOGETHER],
}

impl Default for Part {
    fn default() -> Part {
        Part {
            known: AtomicU64::new(0),
            low: std::array::from_fn(|_| AtomicI64::new(0)),
            high: std::array::from_fn(|_| AtomicI64::new(0)),
            rows: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }
}

impl Part {
    #[inline]
    fn get(&self, place: usize) -> Option<Zone> {
        if self.known.load(Ordering::Acquire) >> place & 1 == 0 {
            return None;
        }
        // Should it be forgotten and known anew meanwhile, both ends hold of all that the snapshot sees, whichever was found.
        let rows = self.rows[place].load(Ordering::Relaxed);
        Some(Zone {
            low: self.low[place].load(Ordering::Relaxed),
            high: self.high[place].load(Ordering::Relaxed),
            rows,
        })
    }
}

/// Zones of one column.
pub struct ColumnZones {
    column: usize,
    parts: RwLock<Vec<Arc<Part>>>,
}

/// Zones of a table.
#[derive(Default)]
pub struct Zones {
    is_used: AtomicBool,
    columns: RwLock<Vec<Arc<ColumnZones>>>,
}

impl Zones {
    /// Those of `column`; `None` where many others have some already.
    pub fn of(&self, column: usize) -> Option<Arc<ColumnZones>> {
        if let Some(found) = self.columns.read().iter().find(|c| c.column == column) {
            return Some(found.clone());
        }
        let mut columns = self.columns.write();
        if let Some(found) = columns.iter().find(|c| c.column == column) {
            return Some(found.clone());
        }
        if columns.len() == COLUMNS_MAX {
            return None;
        }
        let fresh = Arc::new(ColumnZones { column, parts: RwLock::default() });
        columns.push(fresh.clone());
        self.is_used.store(true, Ordering::SeqCst);
        Some(fresh)
    }

    /// Nothing is known of `block` any more: somebody has it latched to write it (Z1).
    #[inline]
    pub(crate) fn forget(&self, block: u32) {
        if self.is_used.load(Ordering::Acquire) {
            self.columns.read().iter().for_each(|c| c.forget(block as usize));
        }
    }
}

impl ColumnZones {
    fn forget(&self, block: usize) {
        let parts = self.parts.read();
        let Some(part) = parts.get(block / TOGETHER) else { return };
        let bit = 1 << (block % TOGETHER);
        if part.known.load(Ordering::Acquire) & bit != 0 {
            part.known.fetch_and(!bit, Ordering::SeqCst);
        }
    }

    /// What is known of `block`, for a scan whose snapshot was taken before it asks (Z1).
    #[inline]
    pub fn get(&self, block: u32) -> Option<Zone> {
        let (part, place) = (block as usize / TOGETHER, block as usize % TOGETHER);
        self.parts.read().get(part)?.get(place)
    }

    /// Of blocks that are kept together, of which `block` is one: which are not known, and for which of the others `holds`; a bit each.
    pub fn together(&self, block: u32, holds: impl Fn(&Zone) -> bool) -> [u64; 2] {
        let parts = self.parts.read();
        let Some(part) = parts.get(block as usize / TOGETHER) else { return [u64::MAX, 0] };
        (0..TOGETHER).fold([0; 2], |[unknown, held], place| match part.get(place) {
            None => [unknown | 1 << place, held],
            Some(zone) => [unknown, held | u64::from(holds(&zone)) << place],
        })
    }

    /// Notes what `block` has, which the caller has latched and every snapshot sees alike (I7).
    pub fn note(&self, block: u32, zone: Zone) {
        let (part, place) = (block as usize / TOGETHER, block as usize % TOGETHER);
        if self.parts.read().len() <= part {
            self.parts.write().resize_with(part + 1, Arc::default);
        }
        let parts = self.parts.read();
        let Some(part) = parts.get(part) else { return };
        part.low[place].store(zone.low, Ordering::Relaxed);
        part.high[place].store(zone.high, Ordering::Relaxed);
        part.rows[place].store(zone.rows, Ordering::Relaxed);
        part.known.fetch_or(1 << place, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_forgotten_of_every_column() {
        let zones = Zones::default();
        let (a, b) = (zones.of(0).unwrap(), zones.of(3).unwrap());
        let zone = |low| Zone { low, high: low + 9, rows: 10 };
        for block in [0, 63, 64, 1000] {
            a.note(block, zone(i64::from(block)));
            b.note(block, zone(-5));
        }
        assert_eq!((a.get(64), b.get(1000), a.get(65)), (Some(zone(64)), Some(zone(-5)), None));
        zones.forget(64);
        zones.forget(70_000);
        assert_eq!((a.get(64), b.get(64)), (None, None));
        assert_eq!((a.get(63), b.get(1000)), (Some(zone(63)), Some(zone(-5))));
        assert!((10..16).all(|c| zones.of(c).is_some()) && zones.of(99).is_none() && zones.of(3).is_some());
    }
}
