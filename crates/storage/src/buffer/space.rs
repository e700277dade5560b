//! `PageSpace`: one database's pages in memory; latching guards.
#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use env::sched;
use env::sync::Mutex;

use super::PageClass;
use super::frame::{Attempt, Frame};
use super::memory::Memory;
use super::pool::Pool;
use super::racy::{Optimistic, RacyBytes};
use super::touched;
use crate::error::Result;
use crate::file::superblock::BlobRef;
use crate::ids::PageNo;
use crate::table::versions::PageVersions;

/// Where pages come from and go to.
pub trait PageSource: Send + Sync {
    /// Fills `bytes` with the current content of `page`, verified.
    fn read_page(&self, page: PageNo, bytes: &mut [u8]) -> Result<()>;
    /// Keeps a working copy of a dirty page that must leave memory. May stamp checksums into `bytes`.
    fn write_back(&self, page: PageNo, bytes: &mut [u8]) -> Result<()>;
    /// Keeps a version map while its page is not in memory; nobody needs it after a crash.
    fn spill(&self, bytes: &[u8]) -> Result<BlobRef>;
    /// What was kept.
    fn unspill(&self, blob: BlobRef) -> Result<Vec<u8>>;
    /// It is not needed any more.
    fn forget_spilled(&self, blob: BlobRef);
}

/// Version maps smaller than this stay: what remains of a spilled one, and its place on disk, are not worth it.
const SPILL_MIN_BYTES: usize = 4096;
/// How far a version map may grow or shrink before the pool is told.
const ACCOUNT_STEP_BYTES: usize = 4096;

/// The pages of one database.
pub struct PageSpace {
    memory: Memory,
    source: Arc<dyn PageSource>,
    pool: Arc<Pool>,
    /// Pages that became dirty since the last checkpoint took the list.
    dirty: Mutex<Vec<(PageNo, PageClass)>>,
    /// No page from here on was ever resident.
    high: AtomicU32,
    /// The time that pages are stamped with when they may change: it grows whenever somebody is about to look whether some have.
    time: AtomicU64,
    /// Pages that were read.
    reads: AtomicU64,
    this: Weak<PageSpace>,
}

/// What an eviction did.
pub(super) enum Eviction {
    Gone,
    Kept,
    Absent,
}

impl PageSpace {
    /// A space with address room for `units` page numbers.
    ///
    /// # Errors
    /// `Io` when the system gives no address space at all.
    pub fn new(pool: Arc<Pool>, source: Arc<dyn PageSource>, units: u32, portable: bool) -> Result<Arc<PageSpace>> {
        let memory = if portable { Memory::portable(units)? } else { Memory::new(units, pool.budget_bytes())? };
        Ok(Arc::new_cyclic(|this| PageSpace {
            memory,
            source,
            pool,
            dirty: Mutex::new(Vec::new()),
            reads: AtomicU64::new(0),
            high: AtomicU32::new(0),
            time: AtomicU64::new(1),
            this: this.clone(),
        }))
    }

    /// How many page numbers there is room for.
    pub fn units(&self) -> u32 {
        self.memory.units()
    }

    /// Latches `page` shared, loading it when it is not resident.
    ///
    /// # Errors
    /// `Corrupt` or `Io` from loading.
    #[inline]
    pub fn read(&self, page: PageNo, class: PageClass) -> Result<PageRead<'_>> {
        let frame = self.memory.frame(page);
        let mut wait = Backoff::default();
        loop {
            match frame.try_shared() {
                Attempt::Got => {
                    touched::hit();
                    frame.reference();
                    return Ok(PageRead { space: self, frame, page, class });
                }
                Attempt::Busy => wait.pause(),
                Attempt::NotResident => {
                    if self.load(frame, page, class)? {
                        frame.downgrade();
                        return Ok(PageRead { space: self, frame, page, class });
                    }
                    wait.pause();
                }
            }
        }
    }

    /// Latches `page` exclusively, loading it when it is not resident.
    ///
    /// # Errors
    /// `Corrupt` or `Io` from loading.
    pub fn write(&self, page: PageNo, class: PageClass) -> Result<PageWrite<'_>> {
        self.pool.shrink();
        let frame = self.memory.frame(page);
        let mut wait = Backoff::default();
        loop {
            match frame.try_exclusive() {
                Attempt::Got => {
                    touched::hit();
                    frame.reference();
                    return Ok(self.guard(frame, page, class));
                }
                Attempt::Busy => wait.pause(),
                Attempt::NotResident => {
                    if self.load(frame, page, class)? {
                        return Ok(self.guard(frame, page, class));
                    }
                    wait.pause();
                }
            }
        }
    }

    /// The guard of an exclusive latch just taken.
    fn guard<'a>(&'a self, frame: &'a Frame, page: PageNo, class: PageClass) -> PageWrite<'a> {
        // SAFETY: the exclusive latch is held.
        let accounted = unsafe { (*frame.versions()).as_ref().map_or(0, |v| v.accounted) };
        frame.touch(self.time.load(Ordering::Relaxed));
        PageWrite { space: self, frame, page, class, accounted }
    }

    /// A moment later than all before: whoever latches a page to change it from now on stamps it with this time or a later one.
    pub fn moment(&self) -> u64 {
        self.time.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Whether nobody has latched `page` to change it since the moment `time`. It need not be resident.
    #[inline]
    pub fn is_unchanged(&self, page: PageNo, time: u64) -> bool {
        self.memory.frame(page).stamp() >> 1 < time
    }

    /// Notes that all entries of `page`, of an index, are settled since the moment `time`, unless its stamp is not `seen` any more.
    pub fn settle(&self, page: PageNo, seen: u64, time: u64) {
        self.memory.frame(page).settle(seen, time);
    }

    /// Latches `page` exclusively if that needs no waiting and no I/O.
    pub fn try_write(&self, page: PageNo, class: PageClass) -> Option<PageWrite<'_>> {
        let frame = self.memory.frame(page);
        matches!(frame.try_exclusive(), Attempt::Got).then(|| self.guard(frame, page, class))
    }

    /// A new page, all zeros, latched exclusively. What it held before is forgotten.
    ///
    /// # Errors
    /// What making room said.
    pub fn create(&self, page: PageNo, class: PageClass) -> Result<PageWrite<'_>> {
        self.pool.make_room(class)?;
        let frame = self.memory.frame(page);
        let mut wait = Backoff::default();
        loop {
            if frame.try_exclusive_evicted() {
                frame.set_class(class);
                self.memory.populate(page, class);
                self.high.fetch_max(page.0 + 1, Ordering::Relaxed);
                self.pool.admit(self.this.clone(), page, class);
                break;
            }
            if let Attempt::Got = frame.try_exclusive() {
                break;
            }
            wait.pause();
        }
        let mut guard = self.guard(frame, page, class);
        guard.fill(0);
        if let Some(blob) = guard.versions_mut().take().and_then(|v| v.spilled()) {
            self.source.forget_spilled(blob);
        }
        guard.mark_dirty();
        Ok(guard)
    }

    /// A look at a resident page without latching it; `None` when it is latched exclusively or not resident.
    #[inline]
    pub fn optimistic(&self, page: PageNo, class: PageClass) -> Option<Optimistic<'_>> {
        sched::yield_point();
        if !self.memory.is_stable() || page.0 >= self.memory.units() {
            return None;
        }
        let frame = self.memory.frame(page);
        let version = frame.optimistic_version()?;
        touched::hit();
        frame.reference();
        // SAFETY: the address range of every page stays mapped as long as the space (`is_stable`); writers hold the
        // exclusive latch; pages are aligned to 16 KiB.
        let bytes = unsafe { RacyBytes::new(self.memory.address(page), class.bytes()) };
        Some(Optimistic { frame, version, bytes })
    }

    /// How many pages were read since it was opened.
    pub fn read_count(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// Loads a page that was found not resident; true with its exclusive latch held, false when somebody else got there first.
    #[cold]
    fn load(&self, frame: &Frame, page: PageNo, class: PageClass) -> Result<bool> {
        self.pool.make_room(class)?;
        if !frame.try_exclusive_evicted() {
            return Ok(false);
        }
        frame.set_class(class);
        self.memory.populate(page, class);
        self.high.fetch_max(page.0 + 1, Ordering::Relaxed);
        // SAFETY: we hold the exclusive latch, and the page has `class.bytes()` bytes of memory.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.memory.address(page), class.bytes()) };
        // SAFETY: the exclusive latch is held.
        let versions = unsafe { &mut *frame.versions() };
        if let Err(e) = self.source.read_page(page, bytes).and_then(|()| self.bring_back(versions)) {
            self.memory.release(page, class, 1);
            frame.unlock_evicted();
            return Err(e);
        }
        self.pool.admit(self.this.clone(), page, class);
        self.reads.fetch_add(1, Ordering::Relaxed);
        touched::read();
        frame.reference();
        Ok(true)
    }

    /// Brings a spilled version map back (B6).
    fn bring_back(&self, versions: &mut Option<Box<PageVersions>>) -> Result<()> {
        let Some(v) = versions else { return Ok(()) };
        let Some(blob) = v.spilled() else { return Ok(()) };
        **v = v.read_spilled(&self.source.unspill(blob)?)?;
        self.source.forget_spilled(blob);
        self.account(v);
        Ok(())
    }

    /// Spills the version map of a page that is about to leave memory, when there is too much of them.
    fn spill(&self, versions: &mut Option<Box<PageVersions>>) {
        let Some(v) = versions else { return };
        if v.bytes() < SPILL_MIN_BYTES || v.spilled().is_some() || !self.pool.has_too_many_versions() {
            return;
        }
        // Where there is no room for it, it stays in memory.
        if v.spill(|bytes| self.source.spill(bytes)).is_ok() {
            self.account(v);
        }
    }

    /// Tells the pool what `versions` takes now.
    fn account(&self, versions: &mut PageVersions) {
        let now = versions.bytes();
        self.pool.account_versions(versions.accounted, now);
        versions.accounted = now;
    }

    /// Drops the version map of a page that is latched exclusively.
    fn drop_versions(&self, frame: &Frame) {
        // SAFETY: the exclusive latch is held, says the caller.
        if let Some(v) = unsafe { (*frame.versions()).take() } {
            self.pool.account_versions(v.accounted, 0);
            if let Some(blob) = v.spilled() {
                self.source.forget_spilled(blob);
            }
        }
    }

    /// Evicts `page` unless it is latched or was used lately (B2).
    pub(super) fn evict(&self, page: PageNo, class: PageClass) -> Result<Eviction> {
        let frame = self.memory.frame(page);
        if frame.unreference() {
            return Ok(Eviction::Kept);
        }
        match frame.try_exclusive() {
            Attempt::Busy => return Ok(Eviction::Kept),
            Attempt::NotResident => return Ok(Eviction::Absent),
            Attempt::Got => {}
        }
        if !frame.is_class(class) {
            // An entry of the page that had this number before.
            frame.unlock_exclusive();
            return Ok(Eviction::Absent);
        }
        if frame.is_dirty() {
            // SAFETY: we hold the exclusive latch of a resident page.
            let bytes = unsafe { std::slice::from_raw_parts_mut(self.memory.address(page), class.bytes()) };
            if let Err(e) = self.source.write_back(page, bytes) {
                frame.unlock_exclusive();
                return Err(e);
            }
            frame.clear_dirty();
        }
        // SAFETY: the exclusive latch is held.
        self.spill(unsafe { &mut *frame.versions() });
        self.memory.prefer_small();
        self.memory.release(page, class, 1);
        frame.unlock_evicted();
        Ok(Eviction::Gone)
    }

    /// Drops `count` pages from `first` on whose content nobody needs any more, dirty or not. Memory goes back in long pieces: each piece costs a
    /// system call, and a word with every other processor that runs the process.
    pub fn discard(&self, first: PageNo, class: PageClass, count: u32) {
        // Those latched now, and whether any of them is in memory.
        let mut latched: Vec<PageNo> = Vec::new();
        let mut resident = 0;
        let give_back = |latched: &mut Vec<PageNo>, resident: &mut usize| {
            if let (Some(&first), true) = (latched.first(), *resident > 0) {
                self.memory.release(first, class, latched.len());
                self.pool.forget(*resident * class.bytes());
            }
            latched.drain(..).for_each(|page| self.memory.frame(page).unlock_evicted());
            *resident = 0;
        };
        for page in (0..count).map(|i| PageNo(first.0 + i * class.units())) {
            let frame = self.memory.frame(page);
            let mut wait = Backoff::default();
            loop {
                match frame.try_exclusive() {
                    Attempt::Got => {
                        resident += 1;
                        break;
                    }
                    Attempt::NotResident if frame.try_exclusive_evicted() => break,
                    Attempt::NotResident => {}
                    Attempt::Busy => {
                        // Whoever has this one may wait for another that we hold.
                        give_back(&mut latched, &mut resident);
                        wait.pause();
                    }
                }
            }
            frame.clear_dirty();
            self.drop_versions(frame);
            // Its entry in the clock stays and is found absent later.
            latched.push(page);
        }
        give_back(&mut latched, &mut resident);
    }

    /// Takes the list of pages that became dirty since the last call. A page may be listed more than once or be clean by now.
    pub fn take_dirty(&self) -> Vec<(PageNo, PageClass)> {
        std::mem::take(&mut *self.dirty.lock())
    }

    /// Whether `page` is in memory.
    pub fn is_resident(&self, page: PageNo) -> bool {
        self.memory.frame(page).optimistic_version().is_some()
    }

    /// Whether a checkpoint would find pages to write.
    pub fn dirty_count(&self) -> usize {
        self.dirty.lock().len()
    }

    /// Runs `f` while the page cannot change nor come or go. It gets the page's bytes if it is resident, its version map, and whether
    /// it was dirty; afterwards the page counts as clean, unless `f` says that it must stay dirty.
    ///
    /// # Errors
    /// What `f` says; the page then stays dirty.
    pub fn flush_with(
        &self,
        page: PageNo,
        class: PageClass,
        f: impl FnOnce(Option<&[u8]>, Option<&PageVersions>, bool) -> Result<bool>,
    ) -> Result<()> {
        let frame = self.memory.frame(page);
        let mut wait = Backoff::default();
        let resident = loop {
            match frame.try_shared() {
                Attempt::Got => break true,
                Attempt::NotResident if frame.try_exclusive_evicted() => break false,
                _ => wait.pause(),
            }
        };
        if !frame.is_class(class) {
            // A note of the page that had this number before; the one that has it now has its own (B7).
            if resident {
                frame.unlock_shared();
            } else {
                frame.unlock_evicted();
            }
            return Ok(());
        }
        // SAFETY: the latch is held in one of the two modes; a resident page has its bytes.
        let (bytes, versions) = unsafe {
            let bytes = resident.then(|| std::slice::from_raw_parts(self.memory.address(page), class.bytes()));
            (bytes, (*frame.versions()).as_deref())
        };
        let was_dirty = frame.clear_dirty();
        // A spilled map is looked at where it is (B6).
        let here = versions.and_then(|v| Some((v, v.spilled()?))).map(|(v, blob)| {
            let bytes = self.source.unspill(blob)?;
            v.read_spilled(&bytes)
        });
        let outcome = here.transpose().and_then(|here| f(bytes, here.as_ref().or(versions), was_dirty));
        if !matches!(outcome, Ok(false)) && frame.set_dirty() {
            self.dirty.lock().push((page, class));
        }
        if resident {
            frame.unlock_shared();
        } else {
            // An evicted page cannot be dirty: its bytes are with the source.
            frame.clear_dirty();
            frame.unlock_evicted();
        }
        outcome.map(drop)
    }

    /// Puts `page` on the dirty list without it being resident, so that the next checkpoint looks at it again.
    pub fn remember(&self, page: PageNo, class: PageClass) {
        self.dirty.lock().push((page, class));
    }
}

impl Drop for PageSpace {
    fn drop(&mut self) {
        // Frames live in raw memory: drop what the version maps own. Units that never were a page are all zero.
        for page in 0..*self.high.get_mut() {
            // `&mut self`, so no latch is held by anyone.
            self.drop_versions(self.memory.frame(PageNo(page)));
        }
    }
}

// SAFETY: all access to pages and version maps goes through the latches above; `PageVersions` is Send and Sync.
unsafe impl Send for PageSpace {}
// SAFETY: as above.
unsafe impl Sync for PageSpace {}

/// A page latched shared.
pub struct PageRead<'a> {
    space: &'a PageSpace,
    frame: &'a Frame,
    page: PageNo,
    class: PageClass,
}

/// A page latched exclusively.
pub struct PageWrite<'a> {
    space: &'a PageSpace,
    frame: &'a Frame,
    page: PageNo,
    class: PageClass,
    /// What the pool knew of its version map when it was latched.
    accounted: usize,
}

impl PageRead<'_> {
    /// Which page.
    pub fn page(&self) -> PageNo {
        self.page
    }

    /// What is noted of its last change; see [`PageSpace::settle`].
    pub fn stamp(&self) -> u64 {
        self.frame.stamp()
    }

    /// The in-memory version map; `None` when every snapshot sees the page as it is (I7).
    #[inline]
    pub fn versions(&self) -> Option<&PageVersions> {
        // SAFETY: the shared latch is held, so nobody changes the cell.
        unsafe { (*self.frame.versions()).as_deref() }
    }
}

impl PageWrite<'_> {
    /// Which page.
    pub fn page(&self) -> PageNo {
        self.page
    }

    /// The in-memory version map.
    pub fn versions_mut(&mut self) -> &mut Option<Box<PageVersions>> {
        // SAFETY: the exclusive latch is held, and `&mut self` makes this the only reference.
        unsafe { &mut *self.frame.versions() }
    }

    /// The page and its version map at once.
    pub fn parts(&mut self) -> (&mut [u8], &mut Option<Box<PageVersions>>) {
        // SAFETY: the exclusive latch is held; bytes and map are disjoint.
        unsafe {
            let bytes = std::slice::from_raw_parts_mut(self.space.memory.address(self.page), self.class.bytes());
            (bytes, &mut *self.frame.versions())
        }
    }

    /// Says that the bytes or the version map changed, so that the next checkpoint writes the page.
    pub fn mark_dirty(&self) {
        if self.frame.set_dirty() {
            touched::dirtied();
            self.space.dirty.lock().push((self.page, self.class));
        }
    }
}

impl Deref for PageRead<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: the shared latch keeps the page resident and unchanged.
        unsafe { std::slice::from_raw_parts(self.space.memory.address(self.page), self.class.bytes()) }
    }
}

impl Deref for PageWrite<'_> {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: the exclusive latch keeps the page resident and ours.
        unsafe { std::slice::from_raw_parts(self.space.memory.address(self.page), self.class.bytes()) }
    }
}

impl DerefMut for PageWrite<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.parts().0
    }
}

impl Drop for PageRead<'_> {
    #[inline]
    fn drop(&mut self) {
        self.frame.unlock_shared();
    }
}

impl Drop for PageWrite<'_> {
    #[inline]
    fn drop(&mut self) {
        let accounted = self.accounted;
        let now = self.versions_mut().as_ref().map_or(0, |v| v.bytes());
        let gone = accounted > 0 && self.versions_mut().is_none();
        if now.abs_diff(accounted) >= ACCOUNT_STEP_BYTES || gone {
            self.space.pool.account_versions(accounted, now);
            if let Some(v) = self.versions_mut() {
                v.accounted = now;
            }
        } else if let Some(v) = self.versions_mut() {
            v.accounted = accounted;
        }
        self.frame.unlock_exclusive();
    }
}

/// Waits for a latch: spins, then yields, then naps.
#[derive(Default)]
pub(super) struct Backoff(u32);

impl Backoff {
    #[cold]
    pub fn pause(&mut self) {
        self.0 += 1;
        if sched::is_simulated() {
            sched::yield_point();
        } else if self.0 < 64 {
            std::hint::spin_loop();
        } else if self.0 < 256 {
            std::thread::yield_now();
        } else {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}
