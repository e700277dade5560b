//! `TxnState` and `Snapshot`: who wrote, and what one may see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ids::{Lsn, Xid};

/// A writing transaction as others see it.
#[derive(Debug)]
pub struct TxnState {
    /// Its number.
    pub xid: Xid,
    /// A lower bound of the LSN of its first record (X4).
    pub first_lsn: Lsn,
    /// Zero while it runs, and for ever when it was rolled back: its versions are then taken out one by one.
    commit_lsn: AtomicU64,
}

impl TxnState {
    /// A running transaction.
    pub fn new(xid: Xid, first_lsn: Lsn) -> TxnState {
        TxnState { xid, first_lsn, commit_lsn: AtomicU64::new(0) }
    }

    /// The LSN of its commit record, if it has one.
    #[inline]
    pub fn commit_lsn(&self) -> Option<Lsn> {
        match self.commit_lsn.load(Ordering::Acquire) {
            0 => None,
            lsn => Some(Lsn(lsn)),
        }
    }

    pub(crate) fn set_commit_lsn(&self, lsn: Lsn) {
        self.commit_lsn.store(lsn.0, Ordering::Release);
    }
}

/// What a statement sees.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Commits up to here are visible.
    pub lsn: Lsn,
    /// The statement's own transaction, once it wrote.
    pub own: Option<Arc<TxnState>>,
    /// Own changes of earlier commands are visible.
    pub command: u32,
}

impl Snapshot {
    /// Whether a change of `txn` in its command `command` is visible (X1).
    #[inline]
    pub fn sees(&self, txn: &TxnState, command: u32) -> bool {
        if self.is_own(txn) {
            return command < self.command;
        }
        txn.commit_lsn().is_some_and(|lsn| lsn <= self.lsn)
    }

    /// Whether `txn` is the snapshot's own transaction.
    #[inline]
    pub fn is_own(&self, txn: &TxnState) -> bool {
        self.own.as_ref().is_some_and(|own| std::ptr::eq(&**own, txn))
    }
}
