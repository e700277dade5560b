//! `Frame`: a page's latch word and what else is known of it while the database is open.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::PageClass;
use crate::table::versions::PageVersions;

const EVICTED: u64 = 0;
const UNLOCKED: u64 = 1;
const SHARED_MAX: u64 = 253;
const EXCLUSIVE: u64 = 255;
const STATE: u64 = 0xff;

/// State of one page. All-zero bytes are a valid, evicted frame, so fresh mappings need no initialisation.
#[repr(C)]
pub struct Frame {
    /// Low byte: evicted, unlocked, shared by n-1, or exclusive. The rest: the version counter (B1).
    word: AtomicU64,
    flags: AtomicU8,
    /// Twice the space's time when the page was last latched to be changed; or one more than twice the time since which all entries of an
    /// index page are settled (T7). It outlives eviction.
    stamp: AtomicU64,
    /// Guarded by the latch: read under any, changed under the exclusive one. Outlives eviction.
    versions: UnsafeCell<Option<Box<PageVersions>>>,
}

const _: () = assert!(size_of::<Frame>() == 32);

/// What an attempt on the latch found.
pub(super) enum Attempt {
    Got,
    NotResident,
    Busy,
}

const DIRTY: u8 = 1;
const REFERENCED: u8 = 2;
/// The page is a large one (B7).
const LARGE: u8 = 4;

impl Frame {
    /// The word for an optimistic reader; `None` when the page is latched exclusively or not resident.
    #[inline]
    pub(super) fn optimistic_version(&self) -> Option<u64> {
        let word = self.word.load(Ordering::Acquire);
        match word & STATE {
            EVICTED | EXCLUSIVE => None,
            _ => Some(word >> 8),
        }
    }

    /// Whether nothing changed since `version` was read.
    #[inline]
    pub(super) fn still(&self, version: u64) -> bool {
        std::sync::atomic::fence(Ordering::Acquire);
        let word = self.word.load(Ordering::Relaxed);
        word >> 8 == version && word & STATE != EXCLUSIVE
    }

    #[inline]
    pub(super) fn try_shared(&self) -> Attempt {
        let word = self.word.load(Ordering::Relaxed);
        match word & STATE {
            EVICTED => Attempt::NotResident,
            s if s >= SHARED_MAX => Attempt::Busy,
            _ => match self.word.compare_exchange_weak(word, word + 1, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => Attempt::Got,
                Err(_) => Attempt::Busy,
            },
        }
    }

    #[inline]
    pub(super) fn unlock_shared(&self) {
        self.word.fetch_sub(1, Ordering::Release);
    }

    /// Takes the latch exclusively if the page is resident and free.
    #[inline]
    pub(super) fn try_exclusive(&self) -> Attempt {
        self.try_lock_from(UNLOCKED)
    }

    /// Takes the latch exclusively if the page is not resident.
    pub(super) fn try_exclusive_evicted(&self) -> bool {
        matches!(self.try_lock_from(EVICTED), Attempt::Got)
    }

    fn try_lock_from(&self, state: u64) -> Attempt {
        let word = self.word.load(Ordering::Relaxed);
        match word & STATE {
            s if s == state => match self.word.compare_exchange(
                word,
                (word & !STATE) | EXCLUSIVE,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    // Orders the lock before the writes that follow, for optimistic readers.
                    std::sync::atomic::fence(Ordering::Release);
                    Attempt::Got
                }
                Err(_) => Attempt::Busy,
            },
            EVICTED => Attempt::NotResident,
            _ => Attempt::Busy,
        }
    }

    fn leave_exclusive(&self, state: u64) {
        let version = self.word.load(Ordering::Relaxed) >> 8;
        self.word.store((version + 1) << 8 | state, Ordering::Release);
    }

    #[inline]
    pub(super) fn unlock_exclusive(&self) {
        self.leave_exclusive(UNLOCKED);
    }

    /// Exclusive becomes shared by one.
    pub(super) fn downgrade(&self) {
        self.leave_exclusive(UNLOCKED + 1);
    }

    /// Exclusive becomes evicted.
    pub(super) fn unlock_evicted(&self) {
        self.leave_exclusive(EVICTED);
    }

    /// Sets the dirty flag; true when it was clear.
    pub(super) fn set_dirty(&self) -> bool {
        self.flags.fetch_or(DIRTY, Ordering::AcqRel) & DIRTY == 0
    }

    /// Clears the dirty flag; true when it was set.
    pub(super) fn clear_dirty(&self) -> bool {
        self.flags.fetch_and(!DIRTY, Ordering::AcqRel) & DIRTY != 0
    }

    /// Notes the class of the page that this frame holds from now on. The exclusive latch is held.
    pub(super) fn set_class(&self, class: PageClass) {
        match class {
            PageClass::Large => self.flags.fetch_or(LARGE, Ordering::AcqRel),
            PageClass::Small => self.flags.fetch_and(!LARGE, Ordering::AcqRel),
        };
    }

    /// Whether the page that it held last is of `class`.
    pub(super) fn is_class(&self, class: PageClass) -> bool {
        (self.flags.load(Ordering::Acquire) & LARGE != 0) == (class == PageClass::Large)
    }

    pub(super) fn is_dirty(&self) -> bool {
        self.flags.load(Ordering::Acquire) & DIRTY != 0
    }

    #[inline]
    pub(super) fn reference(&self) {
        if self.flags.load(Ordering::Relaxed) & REFERENCED == 0 {
            self.flags.fetch_or(REFERENCED, Ordering::Relaxed);
        }
    }

    /// Clears the reference flag; true when it was set.
    pub(super) fn unreference(&self) -> bool {
        self.flags.fetch_and(!REFERENCED, Ordering::Relaxed) & REFERENCED != 0
    }

    /// Notes that the page may be changed from now on. The exclusive latch is held.
    #[inline]
    pub(super) fn touch(&self, now: u64) {
        self.stamp.store(now << 1, Ordering::Relaxed);
    }

    /// What is noted of its last change.
    #[inline]
    pub(super) fn stamp(&self) -> u64 {
        self.stamp.load(Ordering::Acquire)
    }

    /// Replaces the stamp `seen` by that of a page that is settled since `time`, unless it is another one by now.
    pub(super) fn settle(&self, seen: u64, time: u64) {
        // Whoever was faster knew something newer.
        let _ = self.stamp.compare_exchange(seen, time << 1 | 1, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// The cell of the version map. Dereference it only under the latch, as its field says.
    pub(super) fn versions(&self) -> *mut Option<Box<PageVersions>> {
        self.versions.get()
    }
}
