//! `Pool`: the memory budget that all databases of an engine share, and the clock that decides which page goes.

use std::collections::VecDeque;
use std::sync::Weak;
use std::sync::atomic::{AtomicUsize, Ordering};

use env::sync::Mutex;

use super::PageClass;
use super::space::{Eviction, PageSpace};
use crate::error::Result;
use crate::ids::PageNo;

/// Pages that are given a chance by a writer who finds too much in memory.
const SHRINK_CHANCES: usize = 8;

/// Budget and clock.
pub struct Pool {
    budget_bytes: usize,
    resident_bytes: AtomicUsize,
    /// Memory of the pages' version maps, about.
    version_bytes: AtomicUsize,
    clock: Mutex<VecDeque<(Weak<PageSpace>, PageNo, PageClass)>>,
}

impl Pool {
    /// A pool that keeps about `budget_bytes` of pages in memory.
    pub fn new(budget_bytes: usize) -> Pool {
        Pool {
            budget_bytes,
            resident_bytes: AtomicUsize::new(0),
            version_bytes: AtomicUsize::new(0),
            clock: Mutex::new(VecDeque::new()),
        }
    }

    /// Bytes of resident pages.
    pub fn resident_bytes(&self) -> usize {
        self.resident_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of version maps in memory, about.
    pub fn version_bytes(&self) -> usize {
        self.version_bytes.load(Ordering::Relaxed)
    }

    /// Whether version maps take more than their share, so that those of pages that leave memory are spilled.
    pub(super) fn has_too_many_versions(&self) -> bool {
        self.version_bytes() > self.budget_bytes / 8
    }

    /// A version map that took `before` bytes takes `now`.
    pub(super) fn account_versions(&self, before: usize, now: usize) {
        if now >= before {
            self.version_bytes.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.version_bytes.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// Whether so many bytes more fit.
    #[inline]
    fn has_room(&self, bytes: usize) -> bool {
        self.resident_bytes() + self.version_bytes() + bytes <= self.budget_bytes
    }

    /// The budget.
    pub fn budget_bytes(&self) -> usize {
        self.budget_bytes
    }

    /// Counts a page that became resident.
    pub(super) fn admit(&self, space: Weak<PageSpace>, page: PageNo, class: PageClass) {
        self.resident_bytes.fetch_add(class.bytes(), Ordering::Relaxed);
        self.clock.lock().push_back((space, page, class));
    }

    /// Counts memory that was given back without the clock's doing.
    pub(super) fn forget(&self, bytes: usize) {
        self.resident_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Evicts until `class` more bytes fit, or until everything was given two chances. Call it with no latch held.
    ///
    /// # Errors
    /// What writing a dirty page back said.
    pub(super) fn make_room(&self, class: PageClass) -> Result<()> {
        if self.has_room(class.bytes()) {
            return Ok(());
        }
        let chances = self.clock.lock().len() * 2;
        self.evict(class.bytes(), chances)
    }

    /// Evicts a few pages, where that works, if there is too much in memory: version maps grow where no page is admitted. Call it with no latch held.
    #[inline]
    pub(super) fn shrink(&self) {
        if !self.has_room(0) {
            // What cannot be written back stays, and is told to whoever needs its room.
            let _ = self.evict(0, SHRINK_CHANCES);
        }
    }

    /// Evicts until so many bytes more fit, or until so many chances were given.
    #[cold]
    fn evict(&self, bytes: usize, mut chances: usize) -> Result<()> {
        while !self.has_room(bytes) && chances > 0 {
            chances -= 1;
            let Some((space, page, class)) = self.clock.lock().pop_front() else { return Ok(()) };
            let Some(owner) = space.upgrade() else { continue };
            let outcome = owner.evict(page, class);
            match outcome {
                Ok(Eviction::Gone) => self.forget(class.bytes()),
                Ok(Eviction::Absent) => {}
                Ok(Eviction::Kept) => self.clock.lock().push_back((space, page, class)),
                Err(e) => {
                    self.clock.lock().push_back((space, page, class));
                    return Err(e);
                }
            }
        }
        Ok(())
    }
}
