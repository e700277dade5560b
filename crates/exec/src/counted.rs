//! An operator that is watched while it runs.

use plan::counter::Counter;
use storage::buffer::Touched;
use types::Result;
use vector::Chunk;

use crate::folding::Folding;
use crate::gather::Made;
use crate::narrow::Offer;
use crate::{BoxOperator, Context, Operator};

/// Counts what its input does.
pub struct Counted {
    pub input: BoxOperator,
    pub counter: Counter,
    /// Whether this run has begun, and whether it has yielded anything.
    pub begun: (bool, bool),
}

/// How many rows an operator yielded.
fn yielded(outcome: &Result<bool>, out: &Chunk) -> u64 {
    if matches!(outcome, Ok(true)) { out.rows as u64 } else { 0 }
}

impl Counted {
    /// Counts what `next` does, which tells how many rows there are.
    fn count<T>(
        &mut self,
        ctx: &mut Context<'_>,
        next: impl FnOnce(&mut BoxOperator, &mut Context<'_>) -> (Result<T>, u64),
    ) -> Result<T> {
        if !self.begun.0 {
            self.counter.start();
        }
        let before = ctx.txn.interrupt().clock().monotonic_nanos();
        let touched = Touched::so_far();
        let (outcome, rows) = next(&mut self.input, ctx);
        let Touched { hit, read, dirtied } = Touched::so_far().since(touched);
        self.counter.add_pages([hit, read, dirtied]);
        let nanos = ctx.txn.interrupt().clock().monotonic_nanos() - before;
        self.counter.add(rows, nanos, !self.begun.1);
        self.begun = (true, self.begun.1 || rows > 0);
        outcome
    }
}

impl Operator for Counted {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        self.count(ctx, |input, ctx| {
            let outcome = input.next(ctx, out);
            let rows = yielded(&outcome, out);
            (outcome, rows)
        })
    }

    fn next_folded(&mut self, ctx: &mut Context<'_>, out: &mut Chunk, folding: &mut Folding) -> Result<bool> {
        self.count(ctx, |input, ctx| {
            let before = folding.rows();
            let outcome = input.next_folded(ctx, out, folding);
            let rows = yielded(&outcome, out) + folding.rows() - before;
            (outcome, rows)
        })
    }

    fn prepare(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        self.input.prepare(ctx)
    }

    fn take_made(&mut self, ctx: &mut Context<'_>, wanted: &dyn Fn(usize, usize) -> bool) -> Result<Option<Made>> {
        self.count(ctx, |input, ctx| {
            let made = input.take_made(ctx, wanted);
            let rows = match &made {
                Ok(Some(made)) => made.chunks.iter().map(|chunk| chunk.rows as u64).sum(),
                _ => 0,
            };
            (made, rows)
        })
    }

    fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        self.input.narrow(column, filter)
    }

    fn reset(&mut self) {
        self.begun = (false, false);
        self.input.reset();
    }
}
