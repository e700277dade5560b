//! UNION, INTERSECT, EXCEPT, with and without ALL.

use std::collections::HashMap;

use plan::SetKind;
use types::{Oid, Result};
use vector::{Chunk, Vector};

use crate::{BoxOperator, Context, Operator, keys};

/// Rows of two inputs of the same types.
pub struct SetOp {
    pub kind: SetKind,
    pub all: bool,
    pub left: BoxOperator,
    pub right: BoxOperator,
    pub types: Vec<Oid>,
    /// Rows of the right, counted; for UNION rows seen.
    pub counts: Option<HashMap<Vec<u8>, u64>>,
    pub in_right: bool,
}

impl SetOp {
    fn key(&self, chunk: &Chunk, i: usize, ctx: &Context<'_>) -> Result<Vec<u8>> {
        let mut key = Vec::new();
        let values: Vec<&Vector> = chunk.columns.iter().collect();
        keys::encode_row(&mut key, &self.types, &values, i, ctx)?;
        Ok(key)
    }

    fn union(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if !self.in_right {
            if self.left.next(ctx, out)? {
                return self.only_new(ctx, out);
            }
            self.in_right = true;
        }
        if self.right.next(ctx, out)? { self.only_new(ctx, out) } else { Ok(false) }
    }

    fn only_new(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if self.all {
            return Ok(true);
        }
        let mut kept = Vec::new();
        for i in 0..out.rows {
            let key = self.key(out, i, ctx)?;
            let bytes = key.len() + 48;
            if self.counts.get_or_insert_default().insert(key, 1).is_none() {
                ctx.account.charge(bytes)?;
                kept.push(i as u32);
            }
        }
        out.compact(&kept);
        Ok(true)
    }

    fn count_right(&mut self, ctx: &mut Context<'_>) -> Result<HashMap<Vec<u8>, u64>> {
        let mut counts: HashMap<Vec<u8>, u64> = HashMap::new();
        let mut chunk = Chunk::default();
        while self.right.next(ctx, &mut chunk)? {
            for i in 0..chunk.rows {
                let key = self.key(&chunk, i, ctx)?;
                ctx.account.charge(key.len() + 48)?;
                *counts.entry(key).or_default() += 1;
            }
        }
        Ok(counts)
    }
}

impl Operator for SetOp {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.kind == SetKind::Union {
            return self.union(ctx, out);
        }
        if self.counts.is_none() {
            self.counts = Some(self.count_right(ctx)?);
        }
        if !self.left.next(ctx, out)? {
            return Ok(false);
        }
        let mut kept = Vec::new();
        for i in 0..out.rows {
            let key = self.key(out, i, ctx)?;
            let Some(counts) = &mut self.counts else { break };
            let count = counts.get(&key).copied().unwrap_or(0);
            let keep = match (self.kind, self.all) {
                (SetKind::Intersect, true) if count > 0 => {
                    counts.insert(key, count - 1);
                    true
                }
                // Once is enough: the next of its kind finds nothing.
                (SetKind::Intersect, false) if count > 0 => {
                    counts.remove(&key);
                    true
                }
                (SetKind::Except, true) if count > 0 => {
                    counts.insert(key, count - 1);
                    false
                }
                (SetKind::Except, true) => true,
                (SetKind::Except, false) if count == 0 => {
                    counts.insert(key, 1);
                    true
                }
                _ => false,
            };
            if keep {
                kept.push(i as u32);
            }
        }
        out.compact(&kept);
        Ok(true)
    }

    fn reset(&mut self) {
        (self.counts, self.in_right) = (None, false);
        self.left.reset();
        self.right.reset();
    }
}
