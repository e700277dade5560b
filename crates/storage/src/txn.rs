//! Transactions: identity, snapshots, commit order.
//!
//! A snapshot is one word: the LSN up to which commits are visible. A transaction's commit LSN is the LSN of its commit
//! record, stored in its [`TxnState`] while the log is latched (W1). So *visibility order is log order*: whatever
//! sees a commit also sees every earlier one, on this engine and on whatever replays its log.
//!
//! Invariants
//!   X1  A change is visible to a snapshot iff its transaction's commit LSN is set and not above the snapshot's LSN, or it is
//!       the snapshot's own transaction and the change's command came before the snapshot's.   (`Snapshot::sees`)
//!   X2  `visible` passes a commit LSN only when that commit is durable, or its session asked not to wait.  (`TxnManager::note_commit`)
//!   X3  No version that a registered snapshot may need is purged: purging asks for `oldest_snapshot` first. (`purge`)
//!   X4  A transaction is in the active table, with a first LSN not above its first record's, before it logs anything.
//!
//! Deliberately absent: a list of running transactions inside snapshots, hint bits, wraparound.

mod held;
mod manager;
mod snapshot;
mod transaction;

pub use manager::{SnapshotHold, TxnManager};
pub use snapshot::{Snapshot, TxnState};
pub use transaction::{Savepoint, Transaction, Turn, WriteKind, WriteMark};
pub(crate) use transaction::{Tables, Writes};
