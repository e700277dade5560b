#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod account;
mod aggregate;
mod build;
mod eval;
mod feed;
mod index;
mod join;
mod modify;
mod scan;
mod simple;
mod sort;

use std::sync::Arc;

use storage::Database;
use storage::txn::{Snapshot, Transaction};
use types::{Datum, IoSettings, Result};
use vector::Chunk;

pub use account::Account;
pub use build::{build, build_over};
pub use feed::Feed;
pub use index::{add_entries, encode_key};

/// What operators work with while a statement runs.
pub struct Context<'a> {
    /// The database.
    pub db: &'a Arc<Database>,
    /// The transaction.
    pub txn: &'a mut Transaction,
    /// What the statement sees.
    pub snapshot: Snapshot,
    /// Whether rows changed since the snapshot are an error (REPEATABLE READ) instead of being looked at anew.
    pub fixed_snapshot: bool,
    /// Values of parameters.
    pub params: &'a [Datum],
    /// Settings that text forms depend on.
    pub settings: &'a IoSettings,
    /// Memory the statement may use.
    pub account: Account,
    /// Rows inserted, updated or deleted so far.
    pub affected: u64,
}

impl Context<'_> {
    /// Fails when the statement is to stop (Q1).
    ///
    /// # Errors
    /// `57014`, `57P01`.
    pub fn check_interrupts(&self) -> Result<()> {
        Ok(self.txn.interrupt().check()?)
    }
}

/// A physical operator. It may move between threads, as the portal does that keeps it.
pub trait Operator: Send {
    /// The next rows; `None` when there are no more. A chunk may be empty.
    ///
    /// # Errors
    /// What evaluating, storing or waiting says.
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>>;
}

/// An operator, owned.
pub type BoxOperator = Box<dyn Operator>;
