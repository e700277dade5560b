//! `Touched`: pages that a thread has asked for, for whoever wants to know what a piece of work read.

use std::cell::Cell;

/// Pages asked for by one thread, or by what it did in some time.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Found in memory.
    pub hit: u64,
    /// Read from the file.
    pub read: u64,
    /// Changed first since they were last written.
    pub dirtied: u64,
}

thread_local! {
    static HIT: Cell<u64> = const { Cell::new(0) };
    static READ: Cell<u64> = const { Cell::new(0) };
    static DIRTIED: Cell<u64> = const { Cell::new(0) };
}

impl Touched {
    /// All that this thread has asked for so far.
    pub fn so_far() -> Touched {
        Touched { hit: HIT.get(), read: READ.get(), dirtied: DIRTIED.get() }
    }

    /// What came after `earlier`.
    pub fn since(self, earlier: Touched) -> Touched {
        let Touched { hit, read, dirtied } = earlier;
        Touched { hit: self.hit - hit, read: self.read - read, dirtied: self.dirtied - dirtied }
    }

    /// Counts what another thread did for this one as its own.
    pub fn adopt(self) {
        HIT.set(HIT.get() + self.hit);
        READ.set(READ.get() + self.read);
        DIRTIED.set(DIRTIED.get() + self.dirtied);
    }
}

#[inline]
pub(super) fn hit() {
    HIT.set(HIT.get() + 1);
}

pub(super) fn read() {
    READ.set(READ.get() + 1);
}

pub(super) fn dirtied() {
    DIRTIED.set(DIRTIED.get() + 1);
}
