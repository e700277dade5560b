//! An operator that is watched while it runs.

use plan::counter::Counter;
use storage::buffer::Touched;
use types::Result;
use vector::Chunk;

use crate::narrow::Offer;
use crate::{BoxOperator, Context, Operator};

/// Counts what its input does.
pub struct Counted {
    pub input: BoxOperator,
    pub counter: Counter,
    /// Whether this run has begun, and whether it has yielded anything.
    pub begun: (bool, bool),
}

impl Operator for Counted {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if !self.begun.0 {
            self.counter.start();
        }
        let before = ctx.txn.interrupt().clock().monotonic_nanos();
        let touched = Touched::so_far();
        let outcome = self.input.next(ctx, out);
        let Touched { hit, read, dirtied } = Touched::so_far().since(touched);
        self.counter.add_pages([hit, read, dirtied]);
        let nanos = ctx.txn.interrupt().clock().monotonic_nanos() - before;
        let rows = if matches!(outcome, Ok(true)) { out.rows as u64 } else { 0 };
        self.counter.add(rows, nanos, !self.begun.1);
        self.begun = (true, self.begun.1 || rows > 0);
        outcome
    }

    fn prepare(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        self.input.prepare(ctx)
    }

    fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        self.input.narrow(column, filter)
    }

    fn reset(&mut self) {
        self.begun = (false, false);
        self.input.reset();
    }
}
