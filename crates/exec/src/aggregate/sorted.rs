//! Sorted aggregation: rows of a group stand together, so that no more than a chunk's groups are open.

use plan::{AggregateCall, Expr};
use types::{Oid, Physical, Result};
use vector::{Chunk, Vector};

use super::{Running, finished, start, take};
use crate::eval::eval;
use crate::{BoxOperator, Context, Operator, keys, native};

/// Aggregates groups one after the other.
pub struct GroupAggregate {
    input: BoxOperator,
    groups: Vec<Expr>,
    calls: Vec<AggregateCall>,
    is_ready: bool,
    forms: Vec<Physical>,
    /// Groups that are not yielded yet: the last one may go on.
    open: Option<Open>,
    ended: bool,
}

struct Open {
    running: Vec<Running>,
    known: Chunk,
    /// Key of the last group.
    last: Vec<u8>,
}

impl GroupAggregate {
    pub fn new(input: BoxOperator, groups: Vec<Expr>, calls: Vec<AggregateCall>, forms: Vec<Physical>) -> Self {
        GroupAggregate { input, groups, calls, is_ready: false, forms, open: None, ended: false }
    }

    /// Adds rows, each with the number of its group.
    fn add(&self, open: &mut Open, chunk: &Chunk, group_of: &[u32], ctx: &mut Context<'_>) -> Result<()> {
        for (call, state) in self.calls.iter().zip(&mut open.running) {
            state.groups.resize(open.known.rows);
            take(call, state, chunk, Some(group_of), ctx)?;
        }
        Ok(())
    }

    fn close(&self, mut open: Open, ctx: &mut Context<'_>) -> Result<Chunk> {
        let out = finished(&self.calls, &mut open.running, (&open.known, None), &self.forms, ctx)?;
        ctx.account.release(open.running.iter().map(|r| r.charged).sum());
        Ok(out)
    }

    fn opened(&self) -> Result<Open> {
        Ok(Open { running: start(&self.calls)?, known: Chunk::new(&self.forms[..self.groups.len()]), last: Vec::new() })
    }
}

impl Operator for GroupAggregate {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        let exprs = self.groups.iter_mut().chain(self.calls.iter_mut().flat_map(AggregateCall::exprs_mut));
        native::ready(&mut self.is_ready, exprs, ctx);
        let types: Vec<Oid> = self.groups.iter().map(|g| g.ty).collect();
        let mut chunk = Chunk::default();
        while !self.ended {
            ctx.check_interrupts()?;
            if !self.input.next(ctx, &mut chunk)? {
                self.ended = true;
                break;
            }
            if chunk.rows == 0 {
                continue;
            }
            let values = self.groups.iter().map(|g| eval(g, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
            let mut open = match self.open.take() {
                Some(open) => open,
                None => self.opened()?,
            };
            let (mut group_of, mut key): (Vec<u32>, Vec<u8>) = (Vec::with_capacity(chunk.rows), Vec::new());
            // Where the last group begins, if it begins in this chunk and is not the first of all.
            let mut cut = None;
            for i in 0..chunk.rows {
                key.clear();
                keys::encode_row(&mut key, &types, &values, i, ctx)?;
                if open.known.rows == 0 || open.last != key {
                    cut = (open.known.rows > 0).then_some(i);
                    std::mem::swap(&mut open.last, &mut key);
                    open.known.columns.iter_mut().zip(&values).for_each(|(c, v)| c.push_from(v, i));
                    open.known.rows += 1;
                }
                group_of.push(open.known.rows as u32 - 1);
            }
            let Some(cut) = cut else {
                self.add(&mut open, &chunk, &group_of, ctx)?;
                self.open = Some(open);
                continue;
            };
            // The last group starts anew.
            let mut fresh = self.opened()?;
            std::mem::swap(&mut fresh.last, &mut open.last);
            let last = open.known.rows - 1;
            fresh.known.extend_selected(&open.known, last..last + 1);
            let kept: Vec<u32> = (0..last as u32).collect();
            open.known.compact(&kept);
            let (before, after): (Vec<u32>, Vec<u32>) =
                ((0..cut as u32).collect(), (cut as u32..chunk.rows as u32).collect());
            self.add(&mut open, &chunk.select(&before), &group_of[..cut], ctx)?;
            self.add(&mut fresh, &chunk.select(&after), &vec![0; after.len()], ctx)?;
            self.open = Some(fresh);
            *out = self.close(open, ctx)?;
            return Ok(true);
        }
        match self.open.take() {
            Some(open) => {
                *out = self.close(open, ctx)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn reset(&mut self) {
        (self.open, self.ended) = (None, false);
        self.input.reset();
    }
}
