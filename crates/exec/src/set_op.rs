//! INTERSECT and EXCEPT, with and without ALL; the inputs of UNION, one after the other.
//!
//! Rows of the right are counted by key. When the keys take more than twice `work_mem`, no more are added: rows of both inputs with other
//! keys are dealt out to lists in files by the hashes of their keys, and list after list is compared afterwards.

use plan::SetKind;
use types::{Oid, Result};
use vector::{Chunk, Vector};

use crate::key_table::{KeyTable, Keys};
use crate::sort::hash_bytes;
use crate::spill::Parts;
use crate::{BoxOperator, Context, Operator};

/// Lists that rows are dealt out to.
const PARTS: usize = 32;

/// What is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Right,
    Left,
    /// List, and the next chunk of its left rows.
    Part(usize, usize),
}

/// Rows of two inputs of the same types. UNION yields all of both: whoever wants each once puts DISTINCT on top.
pub struct SetOp {
    kind: SetKind,
    all: bool,
    left: BoxOperator,
    right: BoxOperator,
    types: Vec<Oid>,
    stage: Stage,
    table: KeyTable,
    /// Rows of the right for each key that the left has not met yet; for EXCEPT without ALL, whether the key is out.
    counts: Vec<u64>,
    keys: Keys,
    charged: usize,
    /// Rows with other keys: of the left, of the right.
    others: Option<(Parts, Parts)>,
}

impl SetOp {
    pub fn new(kind: SetKind, all: bool, left: BoxOperator, right: BoxOperator, types: Vec<Oid>) -> SetOp {
        let stage = if kind == SetKind::Union { Stage::Left } else { Stage::Right };
        let table = KeyTable::new(&types, false);
        let keys = Keys::default();
        SetOp { kind, all, left, right, types, stage, table, counts: Vec::new(), keys, charged: 0, others: None }
    }

    /// The keys of a chunk's rows.
    fn encode(&mut self, chunk: &Chunk, ctx: &Context<'_>) -> Result<()> {
        let values: Vec<&Vector> = chunk.columns.iter().collect();
        self.table.keys(&values, &self.types, chunk.rows, ctx, &mut self.keys)
    }

    /// The number of row `i`'s key, which is added when it is new.
    fn number(&mut self, i: usize) -> usize {
        let (number, _) = self.table.number(&self.keys, i);
        self.counts.resize(self.counts.len().max(number as usize + 1), 0);
        number as usize
    }

    fn charge(&mut self, may_spill: bool, ctx: &mut Context<'_>) -> Result<()> {
        let held = self.table.held_bytes() + 8 * self.counts.len();
        ctx.account.charge(held.saturating_sub(self.charged))?;
        self.charged = self.charged.max(held);
        if may_spill && self.others.is_none() && held > hash_bytes(ctx) {
            self.others = Some((Parts::new(PARTS, ctx)?, Parts::new(PARTS, ctx)?));
        }
        Ok(())
    }

    /// The number of row `i`'s key; none where it is not known and rows are `dealing` to lists.
    fn known_number(&mut self, i: usize, dealing: bool) -> Option<usize> {
        if dealing && self.others.is_some() {
            return self.table.find(&self.keys, i).map(|number| number as usize);
        }
        Some(self.number(i))
    }

    /// Counts rows of the right; those of keys that are not known go to lists once keys are too many.
    fn count(&mut self, chunk: &Chunk, dealing: bool, ctx: &mut Context<'_>) -> Result<()> {
        self.encode(chunk, ctx)?;
        let mut dealt = Vec::new();
        for i in 0..chunk.rows {
            let Some(number) = self.known_number(i, dealing) else {
                dealt.push((i, self.keys.part(i, PARTS, 0)));
                continue;
            };
            self.counts[number] += 1;
        }
        if let Some((_, right)) = &mut self.others {
            right.add(chunk, dealt.into_iter())?;
        }
        self.charge(dealing, ctx)
    }

    /// Leaves of a chunk of the left what belongs to the result.
    fn compare(&mut self, chunk: &mut Chunk, dealing: bool, ctx: &mut Context<'_>) -> Result<()> {
        self.encode(chunk, ctx)?;
        let (mut kept, mut dealt) = (Vec::new(), Vec::new());
        for i in 0..chunk.rows {
            let Some(number) = self.known_number(i, dealing) else {
                dealt.push((i, self.keys.part(i, PARTS, 0)));
                continue;
            };
            let count = &mut self.counts[number];
            let keep = match (self.kind, self.all) {
                (SetKind::Intersect, true) if *count > 0 => {
                    *count -= 1;
                    true
                }
                // Once is enough: the next of its kind finds nothing.
                (SetKind::Intersect, false) if *count > 0 => {
                    *count = 0;
                    true
                }
                (SetKind::Except, true) if *count > 0 => {
                    *count -= 1;
                    false
                }
                (SetKind::Except, true) => true,
                (SetKind::Except, false) if *count == 0 => {
                    *count = 1;
                    true
                }
                _ => false,
            };
            if keep {
                kept.push(i as u32);
            }
        }
        if let Some((left, _)) = &mut self.others {
            left.add(chunk, dealt.into_iter())?;
        }
        chunk.compact(&kept);
        self.charge(dealing, ctx)
    }

    /// Forgets the keys of what has been compared.
    fn forget(&mut self, ctx: &mut Context<'_>) {
        self.table = KeyTable::new(&self.types, false);
        self.counts = Vec::new();
        ctx.account.release(std::mem::take(&mut self.charged));
    }

    /// Counts the right rows of list `part`.
    fn open_part(&mut self, part: usize, ctx: &mut Context<'_>) -> Result<()> {
        self.forget(ctx);
        let mut n = 0;
        loop {
            let chunk = match &self.others {
                Some((_, right)) => right.chunk(part, n)?,
                None => None,
            };
            let Some(chunk) = chunk else { return Ok(()) };
            self.count(&chunk, false, ctx)?;
            n += 1;
        }
    }
}

impl Operator for SetOp {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.kind == SetKind::Union {
            if self.stage == Stage::Left {
                if self.left.next(ctx, out)? {
                    return Ok(true);
                }
                self.stage = Stage::Right;
            }
            return self.right.next(ctx, out);
        }
        if self.stage == Stage::Right {
            let mut chunk = Chunk::default();
            while self.right.next(ctx, &mut chunk)? {
                self.count(&chunk, true, ctx)?;
            }
            self.stage = Stage::Left;
        }
        if self.stage == Stage::Left {
            if self.left.next(ctx, out)? {
                self.compare(out, true, ctx)?;
                return Ok(true);
            }
            let Some((left, right)) = &mut self.others else { return Ok(false) };
            left.finish()?;
            right.finish()?;
            self.stage = Stage::Part(0, 0);
            self.open_part(0, ctx)?;
        }
        while let Stage::Part(part, n) = self.stage {
            let chunk = match &self.others {
                Some((left, _)) if part < PARTS => left.chunk(part, n)?,
                _ => return Ok(false),
            };
            match chunk {
                Some(chunk) => {
                    *out = chunk;
                    self.stage = Stage::Part(part, n + 1);
                    self.compare(out, false, ctx)?;
                    return Ok(true);
                }
                None => {
                    self.stage = Stage::Part(part + 1, 0);
                    if part + 1 < PARTS {
                        self.open_part(part + 1, ctx)?;
                    }
                }
            }
        }
        Ok(false)
    }

    fn reset(&mut self) {
        self.stage = if self.kind == SetKind::Union { Stage::Left } else { Stage::Right };
        self.table.clear();
        self.counts.clear();
        (self.others, self.charged) = (None, 0);
        self.left.reset();
        self.right.reset();
    }
}
