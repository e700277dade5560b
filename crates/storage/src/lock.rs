//! Locks: what transactions hold until they end, and how they wait for each other.
//!
//! Lock modes are PostgreSQL's: eight for relations (manual §13.3.1), four for rows (§13.3.2), shared and exclusive for
//! transactions and advisory keys. All live in memory, keyed by [`Tag`]; row locks cost no page write.
//!
//! A writer of a row needs no entry here: the newest version of the row names it, and others wait for its [`Tag::Transaction`]. An
//! entry for a row exists only when someone locked it without changing it (SELECT FOR ..., foreign keys).
//!
//! The weak modes of relations, which every statement takes, and a transaction's own lock are kept apart by transaction while nobody wants a strong mode
//! or waits (`weak`).
//!
//! Invariants
//!   L1  Two owners hold conflicting modes of a tag at no time.                                        (`LockManager::grant`)
//!   L2  A waiter is granted once it conflicts with no holder and no waiter before it; holders wait in front. (`Entry::promote`)
//!   L3  Before anyone sleeps, the wait-for graph with it added is searched; a cycle is an error for it. (`LockManager::find_cycle`)
//!   L4  A transaction alone asks for Exclusive of itself.                                              (`weak::is_weak`)
//!   L5  Of those who wait for one row only one waits for the transaction that has changed it, the others for its turn, in the
//!       order in which they came.                                              (`Transaction::take_turn`, `exec::modify`)
//!   L6  A noted lock is held: either its noter sees who forbids it, or who does finds the note.        (`WeakLocks::note`, `take`)
//!   L7  A note is emptied once; who finds its own empty holds the lock in the lock table.              (`Notes::empty`)
//!   L8  A note that conflicts with a lock held in the table is not held yet, and will be taken back.   (`WeakLocks::take`)

mod interrupt;
mod manager;
mod mode;
mod weak;

pub use interrupt::{Interrupt, Probe};
pub use manager::{HeldLock, LockManager, OwnerId, WaitPolicy};
pub use mode::{Mode, Tag};
pub use weak::Notes;

#[cfg(test)]
mod tests;
