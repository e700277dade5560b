//! The data file: pages are never overwritten in place.
//!
//! ```text
//!   superblock A | superblock B | ... slots of 4 KiB: pages, map leaves, blobs, free ...
//!
//!   superblock ──> cluster blob ──> database blob ──> relations
//!                                        └──────────> map leaves ──> page -> slot
//! ```
//! A page number maps to a file slot. A page that must be written goes to a free slot; the checkpoint then writes the changed map
//! leaves, the blobs that name them, all to free slots, syncs, and writes the other of the two superblocks, and syncs. Until
//! that last sync the old superblock describes a complete older state, of which nothing was touched. So a torn write harms nothing, and
//! a copy of the map is a copy of the database ([`crate::engine::Engine::fork`]).
//!
//! Invariants
//!   I1  No byte reachable from the durable superblock is overwritten.     (`slots`: a slot is free only when no map names it)
//!   F1  Of the two superblocks the valid one with the higher generation counts.          (`superblock::read`)
//!   F2  A slot that `current` alone names is garbage after a crash: working copies of evicted pages live there.
//!   F3  A slot that `durable` names is freed only after a later superblock is durable.   (`map::PageMap::install`)

pub mod data;
pub mod map;
pub mod slots;
pub mod superblock;

pub use data::{DataFile, DbFile};
pub use superblock::Superblock;

/// The unit of slots.
pub const SLOT_BYTES: usize = 4096;
/// Name of the data file.
pub const DATA_FILE: &str = "hathi.data";
/// Slots before the first that is given out: the two superblocks and room for later formats.
pub const RESERVED_SLOTS: u32 = 16;
