//! DISTINCT: each row once.
//!
//! When the keys take more than twice `work_mem`, no more are added: rows with other keys are dealt out to lists in a file by the hashes of
//! their keys, and list after list is looked through afterwards. DISTINCT ON keeps the order of its input, and all its keys.

use types::{Oid, Result};
use vector::{Chunk, Vector};

use crate::key_table::{KeyTable, Keys};
use crate::sort::hash_bytes;
use crate::spill::Parts;
use crate::{BoxOperator, Context, Operator};

/// Lists that rows are dealt out to, at a time.
const PARTS: usize = 16;
/// How often rows are dealt out anew.
const DEPTH_MAX: usize = 6;

/// Each distinct row once, in the order of first sight; with `on`, each distinct combination of these columns.
pub struct Distinct {
    input: BoxOperator,
    types: Vec<Oid>,
    on: Option<Vec<usize>>,
    seen: KeyTable,
    keys: Keys,
    charged: usize,
    /// Rows with other keys than those seen.
    others: Option<Parts>,
    /// Files of rows to be looked at later, each with the list it is at, and the next chunk of that.
    later: Vec<(Parts, usize, usize)>,
    /// Whether the input has ended.
    ended: bool,
}

impl Distinct {
    pub fn new(input: BoxOperator, types: Vec<Oid>, on: Option<Vec<usize>>) -> Distinct {
        let (seen, keys) = (KeyTable::new(&[], false), Keys::default());
        let mut distinct =
            Distinct { input, types, on, seen, keys, charged: 0, others: None, later: Vec::new(), ended: false };
        distinct.seen = distinct.table();
        distinct
    }

    /// An empty table of keys.
    fn table(&self) -> KeyTable {
        let columns: Vec<usize> = self.on.clone().unwrap_or_else(|| (0..self.types.len()).collect());
        KeyTable::new(&columns.iter().map(|&c| self.types[c]).collect::<Vec<_>>(), false)
    }

    /// The next rows to look at; false when the source at hand has no more.
    fn source(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if !self.ended {
            self.ended = !self.input.next(ctx, out)?;
            return Ok(!self.ended);
        }
        let Some((parts, part, next)) = self.later.last_mut() else { return Ok(false) };
        match parts.chunk(*part, *next)? {
            Some(chunk) => {
                *next += 1;
                *out = chunk;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Turns to the next list; false when there is none.
    fn turn(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        if let Some((_, part, next)) = self.later.last_mut() {
            (*part, *next) = (*part + 1, 0);
        }
        if let Some(mut others) = self.others.take() {
            others.finish()?;
            self.later.push((others, 0, 0));
        }
        while self.later.last().is_some_and(|(parts, part, _)| *part >= parts.len()) {
            self.later.pop();
        }
        self.seen = self.table();
        ctx.account.release(std::mem::take(&mut self.charged));
        Ok(!self.later.is_empty())
    }
}

impl Operator for Distinct {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        while !self.source(ctx, out)? {
            if !self.turn(ctx)? {
                return Ok(false);
            }
        }
        let columns: Vec<usize> = self.on.clone().unwrap_or_else(|| (0..self.types.len()).collect());
        let types: Vec<Oid> = columns.iter().map(|&c| self.types[c]).collect();
        let values: Vec<&Vector> = columns.iter().map(|&c| &out.columns[c]).collect();
        self.seen.keys(&values, &types, out.rows, ctx, &mut self.keys)?;
        let mut fresh: Vec<u32> = Vec::new();
        if let Some(others) = &mut self.others {
            let (depth, count) = (self.later.len(), others.len());
            let unknown = (0..out.rows).filter(|&i| self.seen.find(&self.keys, i).is_none());
            let dealt: Vec<(usize, usize)> = unknown.map(|i| (i, self.keys.part(i, count, depth))).collect();
            others.add(out, dealt.into_iter())?;
        } else {
            fresh.extend((0..out.rows as u32).filter(|&i| self.seen.number(&self.keys, i as usize).1));
            let held = self.seen.held_bytes();
            ctx.account.charge(held.saturating_sub(self.charged))?;
            self.charged = self.charged.max(held);
            let room = hash_bytes(ctx);
            if held > room && self.on.is_none() && self.later.len() < DEPTH_MAX {
                self.others = Some(Parts::new(PARTS, ctx)?);
            }
        }
        out.compact(&fresh);
        Ok(true)
    }

    fn reset(&mut self) {
        self.seen.clear();
        (self.others, self.ended, self.charged) = (None, false, 0);
        self.later.clear();
        self.input.reset();
    }
}
