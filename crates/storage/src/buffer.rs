//! Buffer pool: pages at addresses computed from their number, latched by one word each, evicted by a clock.
//!
//! A database's pages are mapped into one reserved range of virtual memory: page `n` lies at `base + n * 16 KiB`, whether
//! resident or not. So finding a resident page is arithmetic and one compare-and-swap on its latch word.
//!
//! ```text
//!   Evicted --load--> Exclusive --unlock--> Unlocked <--> Shared(n)
//!      ^                                        |
//!      +------------ evict (exclusive) ---------+
//! ```
//!
//! Beyond its first 16 MiB, and up to the pool's budget, the range asks the system for huge pages: a scan misses the translation cache
//! at every page otherwise. The first eviction takes that wish back, lest one huge page bring back what many evictions gave.
//!
//! Invariants
//!   B1  A page's bytes are changed only under its exclusive latch; its version counter grows when that is released.
//!   B2  A latched page is never evicted.                                              (`PageSpace::evict`)
//!   B3  A dirty page leaves memory only through `PageSource::write_back`.              (`PageSpace::evict`)
//!   B4  No latch is held while waiting for a lock or for a client. Latches are ordered: a holder takes another one only for
//!       a page that comes later in its structure's own order (see `btree`), or that nobody else can reach yet.
//!   B7  A page number may come back with another class: whoever kept one asks the frame.   (`Frame::is_class`)
//!   B6  A resident page's version map is in memory; one of an evicted page may be spilled. (`PageSpace::bring_back`)
//!
//! Source: Leis et al., "Virtual-Memory Assisted Buffer Management" (SIGMOD 2023). Deviations: dirty pages go to fresh file
//! slots (`file`), so eviction needs no write-ahead ordering; the clock is a queue with a second chance.
//! Deliberately absent: reading ahead from the file.

mod frame;
mod memory;
mod pool;
mod racy;
mod space;
mod touched;

pub use frame::Frame;
pub use pool::Pool;
pub use racy::{Optimistic, RacyBytes, big_endian};
pub use space::{PageRead, PageSource, PageSpace, PageWrite};
pub use touched::Touched;

/// The smallest page and the unit of page numbers.
pub const UNIT_BYTES: usize = 16 << 10;

/// How big a page is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PageClass {
    /// 16 KiB: B-trees, catalogs, small tables, overflow values.
    Small = 0,
    /// 64 KiB: tables that outgrew a page.
    Large = 1,
}

impl PageClass {
    /// Bytes in such a page.
    pub const fn bytes(self) -> usize {
        match self {
            PageClass::Small => UNIT_BYTES,
            PageClass::Large => 4 * UNIT_BYTES,
        }
    }

    /// Page numbers it takes.
    pub const fn units(self) -> u32 {
        (self.bytes() / UNIT_BYTES) as u32
    }
}

#[cfg(test)]
mod tests;
