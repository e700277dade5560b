#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod account;
mod aggregate;
mod apply;
mod bitmap_scan;
mod build;
mod built;
mod catalog_scan;
mod composite;
mod conflict;
mod counted;
mod cte;
mod distinct;
mod eval;
mod feed;
mod folding;
mod function_scan;
mod gather;
mod grouping;
mod incremental_sort;
mod index;
mod index_bounds;
mod index_entries;
mod index_only_scan;
mod index_scan;
mod join;
mod json;
mod key_table;
mod keys;
mod load;
mod lock_rows;
mod merge;
mod merge_join;
mod modify;
mod narrow;
mod native;
mod ordered_set;
mod own_aggregate;
mod page_test;
mod pairs;
mod parallel;
mod point;
mod point_scan;
mod quick;
mod returning;
mod routine;
mod scan;
mod set_op;
mod simple;
mod sort;
mod spill;
mod subplan;
mod unique;
mod window;

use std::collections::HashMap;
use std::sync::Arc;

use ext::{Call, Host};
use storage::Database;
use storage::txn::{Snapshot, Transaction};
use types::io::TypeLookup;
use types::{Datum, IoSettings, Oid, Result};
use vector::Chunk;

use folding::Folding;

pub use account::{Account, Meter};
pub use build::{build, build_over};
pub use composite::check_value;
pub use eval::{constant, on_row};
pub use feed::Feed;
pub use index::{
    ChunkKeys, Found, Handles, add_entries, encode_entry, encode_key, find_key, key_values, shown_index_key, violation,
};
pub use index_only_scan::settle;
pub use modify::check_rows;
pub use native::{JitUse, Programs};
pub use quick::Quick;
pub use routine::{Body, BodyResult, BodyStatement, NoRoutines, Routines, lock_mode, lock_tables, placed};
pub use sort::size_bytes;

/// What operators work with while a statement runs.
pub struct Context<'a> {
    /// The database.
    pub db: &'a Arc<Database>,
    /// The database of what all databases share.
    pub shared: &'a Arc<Database>,
    /// The transaction.
    pub txn: &'a mut Transaction,
    /// What the statement sees.
    pub snapshot: &'a Snapshot,
    /// Whether rows changed since the snapshot are an error (REPEATABLE READ) instead of being looked at anew.
    pub fixed_snapshot: bool,
    /// Values of parameters.
    pub params: &'a [Datum],
    /// Settings that text forms depend on.
    pub settings: &'a IoSettings,
    /// What the catalog knows about types.
    pub types: &'a dyn TypeLookup,
    /// The session, as functions see it.
    pub host: &'a mut dyn Host,
    /// Functions that users made.
    pub routines: &'a dyn Routines,
    /// Where expressions get their programs; nowhere when all are evaluated as they are.
    pub programs: Option<Programs<'a>>,
    /// Memory the statement may use.
    pub account: &'a mut Account,
    /// What the statement keeps while it runs.
    pub state: &'a mut State,
}

/// What a statement keeps while it runs, beside its operators.
#[derive(Default)]
pub struct State {
    /// Rows inserted, updated or deleted so far by the statement itself, not by queries in its WITH.
    pub affected: u64,
    /// Whether changes may build on commits that are not durable yet: where the statement answers no rows (X5).
    pub builds_early: bool,
    /// Values of outer rows.
    pub slots: Vec<Datum>,
    /// What is to be done at the end of the statement, oldest first.
    pub events: Vec<Event>,
    /// Files made for what does not fit into memory.
    spills: u64,
    /// How many functions of users are being called.
    depth: usize,
    /// Operators of such functions, by where they are called.
    routines: HashMap<usize, Vec<routine::Kept>>,
    /// What samples of tables depend on.
    sample_seed: Option<u64>,
    /// What its expressions became that were evaluated for the first time.
    natives: Vec<Arc<native::Native>>,
    subplans: HashMap<usize, subplan::Cached>,
    ctes: HashMap<usize, cte::Table>,
}

impl State {
    /// Makes it that of a statement about to begin; room is kept.
    pub fn clear(&mut self) {
        let State {
            affected,
            builds_early,
            slots,
            events,
            spills,
            depth,
            routines,
            sample_seed,
            natives,
            subplans,
            ctes,
        } = self;
        (*affected, *builds_early, *spills, *depth, *sample_seed) = (0, false, 0, 0, None);
        slots.clear();
        events.clear();
        natives.clear();
        routines.clear();
        subplans.clear();
        ctes.clear();
    }

    /// The code of each expression that was evaluated for the first time, an instruction a line.
    pub fn jit_disassembly(&self) -> Vec<String> {
        self.natives.iter().map(|native| native.disassembly()).collect()
    }

    /// What its expressions became that were evaluated for the first time, in numbers.
    pub fn jit_use(&self) -> JitUse {
        JitUse::of(&self.natives)
    }
}

/// What a changed row asks to be checked at the end of the statement, or at COMMIT.
#[derive(Clone, Debug)]
pub enum Event {
    /// The row that foreign key `constraint` refers to with `key` must be there.
    Refers {
        /// OID of the constraint.
        constraint: Oid,
        /// Values of its columns.
        key: Vec<Datum>,
    },
    /// A row to which foreign key `constraint` may refer is gone, or has another key.
    Referred {
        /// OID of the constraint.
        constraint: Oid,
        /// The key it had.
        old: Vec<Datum>,
        /// The key it has now; `None` when it was deleted.
        new: Option<Vec<Datum>>,
    },
    /// No other row may have the key that `row` has in a unique index.
    Unique {
        /// OID of the index.
        index: Oid,
        /// The row.
        row: storage::RowId,
        /// Its key, encoded.
        key: Vec<u8>,
    },
}

impl Event {
    /// Memory it takes, about.
    pub fn bytes(&self) -> usize {
        match self {
            Event::Refers { key, .. } => 48 + 24 * key.len(),
            Event::Referred { old, .. } => 64 + 48 * old.len(),
            Event::Unique { key, .. } => 64 + key.len(),
        }
    }
}

impl<'a> Context<'a> {
    /// Fails when the statement is to stop (Q1).
    ///
    /// # Errors
    /// `57014`, `57P01`.
    pub fn check_interrupts(&self) -> Result<()> {
        Ok(self.txn.interrupt().check()?)
    }

    /// How long to wait for a lock.
    pub fn lock_policy(&self) -> storage::lock::WaitPolicy {
        self.txn.lock_policy()
    }

    /// A call of a function with these types.
    pub(crate) fn call<'c>(&'c mut self, arg_types: &'c [Oid], result_type: Oid) -> Call<'c> {
        Call::new(&mut *self.host, self.settings, self.types).typed(arg_types, result_type)
    }

    pub(crate) fn set_slot(&mut self, slot: usize, value: Datum) {
        if self.state.slots.len() <= slot {
            self.state.slots.resize(slot + 1, Datum::Null);
        }
        self.state.slots[slot] = value;
    }
}

/// A physical operator.
pub trait Operator: Send {
    /// Puts the next rows into `out`, in place of what it holds; false when there are no more. A chunk may be empty.
    ///
    /// # Errors
    /// What evaluating, storing or waiting says.
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool>;

    /// As [`Operator::next`], but rows that `folding` takes where they lie are not among those that it yields.
    ///
    /// # Errors
    /// As [`Operator::next`].
    fn next_folded(&mut self, ctx: &mut Context<'_>, out: &mut Chunk, folding: &mut Folding) -> Result<bool> {
        let _ = folding;
        self.next(ctx, out)
    }

    /// Makes what all threads of a fragment (`parallel`) read, before they start; false when that is more than memory may hold.
    ///
    /// # Errors
    /// As [`Operator::next`].
    fn prepare(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        let _ = ctx;
        Ok(true)
    }

    /// All rows at once, where several threads make them for whoever keeps all anyway, if `wanted` says so of how many those are and of their bytes; otherwise they
    /// are yielded.
    ///
    /// # Errors
    /// As [`Operator::next`].
    fn take_made(
        &mut self,
        ctx: &mut Context<'_>,
        wanted: &dyn Fn(usize, usize) -> bool,
    ) -> Result<Option<gather::Made>> {
        let _ = (ctx, wanted);
        Ok(None)
    }

    /// Rows whose value in `column` `filter` does not have need not be yielded until it is reset (N1); whether that was of use to anybody.
    fn narrow(&mut self, column: usize, filter: narrow::Offer<'_>) -> bool {
        let _ = (column, filter);
        false
    }

    /// Makes it ready to run again, keeping memory (Q5).
    fn reset(&mut self);
}

/// An operator, owned.
pub type BoxOperator = Box<dyn Operator>;
