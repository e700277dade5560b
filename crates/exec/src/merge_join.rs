//! Merge join: both inputs are in the order of their keys, and are walked side by side.
//!
//! Of the right, the rows of one key are kept at a time: rows of the left that have the same key meet them all. Rows whose key is NULL
//! in part meet nothing, wherever they stand in the order.

use plan::{Expr, JoinKind};
use types::{Oid, Physical, Result};
use vector::{CHUNK_ROWS, Chunk, Vector};

use crate::eval::eval;
use crate::native;
use crate::pairs::{Pairs, Test, pad_right};
use crate::{BoxOperator, Context, Operator, keys};

/// Joins two ordered inputs.
pub struct MergeJoin {
    kind: JoinKind,
    condition: Option<Expr>,
    left: Side,
    right: Side,
    /// Rows of the right: from `from` on those of the group at hand, before them those that are passed.
    held: Chunk,
    matched: Vec<bool>,
    from: usize,
    /// The key of the group at hand.
    group: Option<Vec<u8>>,
    /// How many candidates of the left's row at hand are done, and whether it has a match.
    done: usize,
    has_match: bool,
    charged: usize,
}

/// An input.
struct Side {
    input: BoxOperator,
    exprs: Vec<Expr>,
    is_ready: bool,
    types: Vec<Oid>,
    forms: Vec<Physical>,
    chunk: Chunk,
    /// Keys of the chunk's rows end to end, where each ends, and whether it equals nothing.
    bytes: Vec<u8>,
    ends: Vec<(usize, bool)>,
    at: usize,
    ended: bool,
}

impl Side {
    fn new(input: BoxOperator, exprs: Vec<Expr>, forms: Vec<Physical>) -> Side {
        let types = exprs.iter().map(|e| e.ty).collect();
        let (chunk, bytes, ends) = (Chunk::default(), Vec::new(), Vec::new());
        Side { input, exprs, is_ready: false, types, forms, chunk, bytes, ends, at: 0, ended: false }
    }

    /// Makes a row be at hand; false when there is none.
    fn fill(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        while self.at >= self.chunk.rows {
            if self.ended {
                return Ok(false);
            }
            (self.at, self.chunk.rows) = (0, 0);
            if !self.input.next(ctx, &mut self.chunk)? {
                (self.ended, self.chunk.rows) = (true, 0);
                return Ok(false);
            }
            native::ready(&mut self.is_ready, &mut self.exprs, ctx);
            let values = self.exprs.iter().map(|e| eval(e, &self.chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
            self.bytes.clear();
            self.ends.clear();
            for i in 0..self.chunk.rows {
                let is_key = keys::encode_join(&mut self.bytes, &self.types, &values, i, ctx)?;
                self.ends.push((self.bytes.len(), !is_key));
            }
        }
        Ok(true)
    }

    /// Key of row `i` of the chunk; `None` when it equals nothing.
    fn key(&self, i: usize) -> Option<&[u8]> {
        let start = if i == 0 { 0 } else { self.ends[i - 1].0 };
        let (end, void) = self.ends[i];
        (!void).then(|| &self.bytes[start..end])
    }

    fn reset(&mut self) {
        (self.at, self.ended, self.chunk.rows) = (0, false, 0);
        self.input.reset();
    }
}

impl MergeJoin {
    pub fn new(
        kind: JoinKind,
        left: BoxOperator,
        right: BoxOperator,
        forms: (Vec<Physical>, Vec<Physical>),
        equal: Vec<(Expr, Expr, Oid)>,
        condition: Option<Expr>,
    ) -> MergeJoin {
        let (lefts, rights) = equal.into_iter().map(|(a, b, _)| (a, b)).unzip();
        MergeJoin {
            kind,
            condition,
            left: Side::new(left, lefts, forms.0),
            right: Side::new(right, rights, forms.1),
            held: Chunk::default(),
            matched: Vec::new(),
            from: 0,
            group: None,
            done: 0,
            has_match: false,
            charged: 0,
        }
    }

    fn pads_right(&self) -> bool {
        self.kind.keeps_right()
    }

    /// Turns to the right's next key; there is no group when there is none. `referred` says that pairs refer to rows that are held.
    fn next_group(&mut self, referred: bool, ctx: &mut Context<'_>) -> Result<()> {
        self.group = None;
        if !referred && !self.pads_right() {
            self.held.rows = 0;
            self.held.columns.iter_mut().for_each(Vector::clear);
            self.matched.clear();
        }
        self.from = self.held.rows;
        while self.right.fill(ctx)? {
            let row = self.right.at;
            match (self.right.key(row), &self.group) {
                (None, None) => {
                    if self.pads_right() {
                        self.hold(row, row + 1);
                        self.from = self.held.rows;
                    }
                    self.right.at += 1;
                    if self.from >= CHUNK_ROWS {
                        return Ok(());
                    }
                }
                (Some(key), None) => self.group = Some(key.to_vec()),
                (Some(key), Some(group)) if key == &group[..] => {
                    let rows = self.right.chunk.rows;
                    let end = (row + 1..rows).find(|&i| self.right.key(i) != Some(group)).unwrap_or(rows);
                    self.hold(row, end);
                    self.right.at = end;
                    let bytes = self.held.bytes();
                    ctx.account.charge(bytes.saturating_sub(self.charged))?;
                    self.charged = self.charged.max(bytes);
                }
                (_, Some(_)) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Keeps rows of the right's chunk.
    fn hold(&mut self, from: usize, to: usize) {
        if self.held.columns.len() != self.right.chunk.columns.len() {
            self.held.columns = self.right.chunk.columns.iter().map(crate::built::empty_like).collect();
        }
        self.held.extend_selected(&self.right.chunk, from..to);
        self.matched.resize(self.held.rows, false);
    }

    /// Gathers pairs until there are enough, the left's chunk is done, or enough of the right is passed.
    fn gather(&mut self, ctx: &mut Context<'_>) -> Result<Pairs> {
        let any_match = matches!(self.kind, JoinKind::Semi | JoinKind::Anti) && self.condition.is_none();
        let mut pairs = Pairs::default();
        while !pairs.is_full() {
            if self.left.at >= self.left.chunk.rows && (pairs.has_ends() || !self.left.fill(ctx)?) {
                break;
            }
            let row = self.left.at;
            while let Some(key) = self.left.key(row)
                && !(self.group.is_none() && self.right.ended)
                && self.group.as_deref().is_none_or(|g| g < key)
            {
                if self.from >= CHUNK_ROWS && (self.pads_right() || !pairs.is_empty()) {
                    return Ok(pairs);
                }
                self.next_group(!pairs.is_empty(), ctx)?;
            }
            let meets = self.group.is_some() && self.left.key(row) == self.group.as_deref();
            let end = match meets {
                false => self.from,
                true if any_match => self.from + 1,
                true => self.held.rows,
            };
            let candidates = self.from as u32 + self.done as u32..end as u32;
            let count = candidates.len();
            let taken = pairs.add(row, candidates);
            if taken < count {
                self.done += taken;
                break;
            }
            pairs.end(row);
            self.done = 0;
            self.left.at += 1;
        }
        Ok(pairs)
    }

    /// Yields what was passed of the right without a match, and lets it go.
    fn release(&mut self, out: &mut Chunk) {
        if self.from == 0 {
            return;
        }
        if self.pads_right() {
            let unmatched = (0..self.from).filter(|&i| !self.matched[i]);
            pad_right(out, self.left.forms.len(), &self.held, unmatched);
        }
        let kept: Vec<u32> = (self.from as u32..self.held.rows as u32).collect();
        self.held.compact(&kept);
        self.matched.drain(..self.from);
        self.from = 0;
    }

    /// Whether nothing more can come of the left's rows.
    fn is_over(&self) -> bool {
        let right_over = self.right.ended && self.group.is_none() && self.right.at >= self.right.chunk.rows;
        let left_over = self.left.ended && self.left.at >= self.left.chunk.rows;
        left_over || (right_over && matches!(self.kind, JoinKind::Inner | JoinKind::Semi | JoinKind::Right))
    }
}

impl Operator for MergeJoin {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if matches!(self.kind, JoinKind::Semi | JoinKind::Anti) {
            out.reset(&self.left.forms);
        } else {
            let forms: Vec<Physical> = self.left.forms.iter().chain(&self.right.forms).copied().collect();
            out.reset(&forms);
        }
        if !self.is_over() {
            let pairs = self.gather(ctx)?;
            let test = Test { kind: self.kind, condition: self.condition.as_ref(), split: self.left.forms.len() };
            let notes = (&mut self.matched[..], &mut self.has_match);
            pairs.put(&test, (&self.left.chunk, &self.held), notes, out, ctx)?;
            self.release(out);
            return Ok(true);
        }
        if !self.pads_right() {
            return Ok(false);
        }
        // What is left of the right.
        loop {
            self.from = self.held.rows;
            self.group = None;
            if self.held.rows >= CHUNK_ROWS || !self.right.fill(ctx)? {
                break;
            }
            let (at, rows) = (self.right.at, self.right.chunk.rows);
            self.hold(at, rows);
            self.right.at = rows;
        }
        let any = self.from > 0;
        self.release(out);
        Ok(any)
    }

    fn reset(&mut self) {
        self.left.reset();
        self.right.reset();
        self.held.clear();
        self.matched.clear();
        (self.from, self.group, self.done, self.has_match, self.charged) = (0, None, 0, false, 0);
    }
}
