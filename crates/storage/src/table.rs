//! Tables: rows in PAX pages, newest version in place, before-images in memory.
//!
//! A table page stores its columns in mini-pages (`page`). What it shows is the newest version of every row, committed or
//! not. Who may not see that finds the older state through the page's version map (`versions`): for each changed
//! slot a chain from new to old, each link saying which transaction changed the row, in which command, and what the row
//! looked like before.
//!
//! Invariants
//!   I2  A page image on disk holds only committed data.                                     (`committed::committed_image`)
//!   I6  Every version some snapshot can see is reachable: in the page or in its chain.       (`versions::PageVersions::prune`)
//!   I7  No version map: all rows of the page are visible to all snapshots, or dead to all.  (`scan`)
//!   I8  Cells of NULL and of unused slots hold zero.                                        (`page::TablePage::put`)
//!   P1  A page always has room to take back every uncommitted change, in any order: bytes that values lost by it are
//!       reserved and not given to other rows.                                               (`write::room`)
//!   P4  What is changed in place has a fixed width, and needs no such room.                  (`Table::change_in_place`)
//!   P2  A slot is reused only after its deleting transaction is older than every snapshot.   (`purge`)
//!
//! Deliberately absent: moving rows between pages. A value that no longer fits goes to the table's overflow pages.

mod access;
pub mod cell;
mod committed;
mod derived;
mod in_place;
pub mod overflow;
pub mod page;
mod scan;
pub mod versions;
mod write;

pub use access::Table;
pub use cell::Cell;
pub use committed::committed_image;
pub use derived::EntryShape;
pub(crate) use derived::{Leaving, Leavings};
pub use in_place::NewCells;
pub use page::Layout;
pub use scan::{PageView, RowView, ScanScratch};
pub use versions::PageVersions;
pub use write::{Probe, RowState};
