//! Write-ahead log: what is appended here, in order, is what happened.
//!
//! The log is one endless string of bytes, cut into segment files. A position in it is an [`Lsn`]; a record is named by
//! the LSN *after* its last byte, so "durable up to x" means that the record named x survives a power cut.
//!
//! ```text
//!   append ──> buffer ──(leader: write, fdatasync)──> segment files ──> durable_lsn ──> waiting committers return
//! ```
//!
//! **Group commit.** [`Log::sync_to`] returns at once when its LSN is durable. Otherwise, if nobody is flushing, the caller
//! becomes the leader: it takes the whole buffer, writes it and syncs. Whoever comes meanwhile appends to the fresh buffer and waits;
//! the first of them to wake leads the next flush, after letting those run whom the last one let go, as long as that brings more records
//! (`Log::gather`). So one client waits for exactly one sync, and n clients share about one. There is no timer.
//!
//! **Long transactions** have their log written and synced while they go on, by the background thread (`Log::run_ahead`): their commit waits
//! for the last half megabyte at most, not for all of it.
//!
//! **Segments** are written once with zeros before they are used and recycled by renaming, so that a commit overwrites
//! blocks the file system already allocated: about half the latency of extending a file (STORAGE.md §3).
//!
//! Invariants
//!   W1  LSNs of records grow in append order; a commit record's LSN is stored in its transaction before any later
//!       record can be appended, so visibility order is log order.                            (`Log::append_with`)
//!   W2  `durable_lsn` grows only after a successful sync of every byte below it.             (`Log::sync_to`)
//!   W3  After a failed write or sync nothing more is acknowledged: the engine is poisoned.   (`Log::flush`)
//!   W4  The end of the log is the first record whose checksum fails; the checksum covers the record's LSN, so bytes
//!       that a recycled segment had before are never taken for records.                      (`reader`)
//!   W5  No segment below the durable redo start is needed; no other is removed.              (`Log::recycle`)
//!
//! Source: group commit after DeWitt et al., "Implementation Techniques for Main Memory Database Systems" (1984).
//! Deliberately absent: full-page images (torn pages are harmless, see `file`), compression, a commit delay.

mod log;
pub mod reader;
pub mod record;
mod segment;

pub use log::{Log, LogOptions};
pub use record::Record;

#[cfg(test)]
mod tests;

#[doc(no_inline)]
pub use crate::ids::Lsn;
