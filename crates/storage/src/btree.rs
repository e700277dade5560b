//! B+-trees over byte strings: keys that sort as `memcmp` does, each with the id of its row.
//!
//! An entry is `key ++ row id`, unique as a whole; between them it may carry values that are not compared (`carried`). Keys are order-preserving and self-delimiting encodings (`types::sortkey`), so the tree
//! knows nothing of types. Every node has a right sibling and an upper fence ("high key"); a search that finds its key at or
//! above the fence moves right. So a split need not touch the parent at once, and a crash between the two leaves a tree that works.
//!
//! Readers descend without latches and check each node's version word afterwards; leaves are read under a shared latch.
//! Writers latch a leaf exclusively, and at most its new right sibling with it; the parent is latched after both are released.
//!
//! Invariants
//!   T1  Entries of a node are sorted and lie in [low key, high key).                                       (`node::check`)
//!   T2  A node's right sibling's low key is its high key.                                                  (`check`)
//!   T3  The root stays in block 0; pages never leave the tree, so a block number once read stays meaningful.
//!   T4  An index is a superset of the truth: whoever finds an entry looks at the row and compares its key. (callers)
//!   T5  Index pages hold nothing uncommitted: an entry is there or not, whoever added it. Recovery applies all records.
//!   T6  A unique entry goes in by one look at its leaf only when no other entry with its key can be elsewhere. (`node::may_share`)
//!   T7  All entries of a leaf that is settled since a moment belong to the rows that pages unchanged since then hold, and all see those.
//!       (`Btree::scan_leaf`, `PageSpace::settle`)
//!   T8  Entries of a packed leaf are all of one length and begin with its prefix; so are those that a run of insertions is told to have room for.
//!       (`node::Room`, `node::insert_at`)
//!
//! Source: Lehman and Yao, "Efficient Locking for Concurrent Operations on B-Trees" (1981); Leis et al., "The ART of Practical
//! Synchronization" (2016) for version words; Bayer and Unterauer, "Prefix B-Trees" (1977) for short separators and for what packed leaves leave out. Deviations: latches on
//! one level are coupled only while splitting; empty leaves stay.

mod carried;
pub(crate) mod node;
mod run;
mod scan;
mod single;
mod tree;

pub use run::{Added, NewEntries};
pub use scan::{Direction, EntryBatch, Leaf, ScanBounds};
pub use single::Single;
pub use tree::Btree;

/// Longest key, without the row id. PostgreSQL's limit is 2704 bytes for the whole index row.
pub const KEY_BYTES_MAX: usize = 2700;

#[cfg(test)]
mod tests;
