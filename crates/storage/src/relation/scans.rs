//! `Scans`: how often a relation was scanned, and how many rows that found.
//!
//! Counted once per scan, per page or per run of entries, never per row; sessions on different cores count in different places, of which a
//! relation has none before it is scanned for the first time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Places to count in.
const PLACES: usize = 8;

/// What was counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ScanCounts {
    /// Scans that were begun.
    pub scans: u64,
    /// Rows that they found, before any filter.
    pub rows: u64,
}

/// On a cache line of its own.
#[repr(align(128))]
#[derive(Default)]
struct Place {
    scans: AtomicU64,
    rows: AtomicU64,
}

/// The counts of one relation.
#[derive(Default)]
pub(super) struct Scans(OnceLock<Box<[Place; PLACES]>>);

impl Scans {
    #[inline]
    pub(super) fn add(&self, owner: u32, scans: u64, rows: u64) {
        let place = &self.0.get_or_init(Box::default)[owner as usize % PLACES];
        if scans > 0 {
            place.scans.fetch_add(scans, Ordering::Relaxed);
        }
        if rows > 0 {
            place.rows.fetch_add(rows, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self) -> ScanCounts {
        let places = self.0.get().into_iter().flat_map(|places| places.iter());
        places.fold(ScanCounts::default(), |sum, place| ScanCounts {
            scans: sum.scans + place.scans.load(Ordering::Relaxed),
            rows: sum.rows + place.rows.load(Ordering::Relaxed),
        })
    }
}
