//! `Counter` and `Fetches`: what a node did while it ran, for EXPLAIN ANALYZE.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one node; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    rows: AtomicU64,
    loops: AtomicU64,
    first_nanos: AtomicU64,
    total_nanos: AtomicU64,
    /// Pages found in memory, read, and changed.
    pages: [AtomicU64; 3],
}

impl PartialEq for Counter {
    fn eq(&self, other: &Counter) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Counter {
    /// It starts once more.
    pub fn start(&self) {
        self.0.loops.fetch_add(1, Ordering::Relaxed);
    }

    /// It made `rows` in `nanos`; whether these were the first of this run.
    pub fn add(&self, rows: u64, nanos: u64, first: bool) {
        self.0.rows.fetch_add(rows, Ordering::Relaxed);
        self.0.total_nanos.fetch_add(nanos, Ordering::Relaxed);
        if first {
            self.0.first_nanos.fetch_add(nanos, Ordering::Relaxed);
        }
    }

    /// It asked for pages: found in memory, read from the file, changed first since they were written.
    pub fn add_pages(&self, pages: [u64; 3]) {
        for (count, more) in self.0.pages.iter().zip(pages) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// The sums of [`Counter::add_pages`].
    pub fn pages(&self) -> [u64; 3] {
        std::array::from_fn(|i| self.0.pages[i].load(Ordering::Relaxed))
    }

    /// Rows, runs, nanoseconds to the first rows and in all.
    pub fn counts(&self) -> (u64, u64, u64, u64) {
        let get = |v: &AtomicU64| v.load(Ordering::Relaxed);
        (get(&self.0.rows), get(&self.0.loops), get(&self.0.first_nanos), get(&self.0.total_nanos))
    }
}

/// How many rows an index-only scan had to look at; clones share it. It says nothing of the plan: all are equal.
#[derive(Clone, Debug, Default)]
pub struct Fetches(Arc<AtomicU64>);

impl PartialEq for Fetches {
    fn eq(&self, _: &Fetches) -> bool {
        true
    }
}

impl Fetches {
    /// So many more.
    pub fn add(&self, rows: u64) {
        self.0.fetch_add(rows, Ordering::Relaxed);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
