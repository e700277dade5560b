//! Joins: the right input is kept, hashed by the equalities if there are any; the left one streams past it.

use std::collections::HashMap;

use plan::{Expr, JoinKind};
use types::{Oid, Physical, Result};
use vector::{CHUNK_ROWS, Chunk, Vector};

use crate::eval::{eval, matching};
use crate::{BoxOperator, Context, Operator, keys};

/// Joins two inputs.
pub struct Join {
    kind: JoinKind,
    left: BoxOperator,
    right: BoxOperator,
    left_forms: Vec<Physical>,
    right_forms: Vec<Physical>,
    equal: Vec<(Expr, Expr, Oid)>,
    condition: Option<Expr>,
    built: Option<Built>,
    finished: bool,
    chunk: Chunk,
    /// Row of `chunk` to go on with, and how many of its candidates are done.
    at: (usize, usize),
    more: bool,
    /// Whether the row at hand has had a match.
    has_match: bool,
    /// Next row of the right to pad, at the end.
    pad: usize,
}

struct Built {
    rows: Chunk,
    /// Rows by key; unused without equalities.
    by_key: HashMap<Vec<u8>, Vec<u32>>,
    matched: Vec<bool>,
    all: Vec<u32>,
}

impl Join {
    pub fn new(
        kind: JoinKind,
        left: BoxOperator,
        right: BoxOperator,
        forms: (Vec<Physical>, Vec<Physical>),
        equal: Vec<(Expr, Expr, Oid)>,
        condition: Option<Expr>,
    ) -> Join {
        let (left_forms, right_forms) = forms;
        Join {
            kind,
            left,
            right,
            left_forms,
            right_forms,
            equal,
            condition,
            built: None,
            finished: false,
            chunk: Chunk::default(),
            at: (0, 0),
            more: false,
            has_match: false,
            pad: 0,
        }
    }

    fn build(&mut self, ctx: &mut Context<'_>) -> Result<Built> {
        let types: Vec<Oid> = self.equal.iter().map(|e| e.1.ty).collect();
        let mut built = Built { rows: Chunk::default(), by_key: HashMap::new(), matched: Vec::new(), all: Vec::new() };
        let mut chunk = Chunk::default();
        let mut first = true;
        let mut key = Vec::new();
        while self.right.next(ctx, &mut chunk)? {
            if first {
                // Absent columns stay absent.
                built.rows = Chunk { columns: chunk.columns.iter().map(empty_like).collect(), rows: 0 };
                first = false;
            }
            let values = self.equal.iter().map(|e| eval(&e.1, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
            ctx.account.charge(chunk.bytes() + chunk.rows)?;
            for i in 0..chunk.rows {
                if self.equal.is_empty() {
                    continue;
                }
                key.clear();
                if keys::encode_join(&mut key, &types, &values, i, ctx)? {
                    let row = (built.rows.rows + i) as u32;
                    match built.by_key.get_mut(&key) {
                        Some(rows) => rows.push(row),
                        None => {
                            ctx.account.charge(key.len() + 72)?;
                            built.by_key.insert(key.clone(), vec![row]);
                        }
                    }
                }
            }
            built.rows.extend_selected(&chunk, 0..chunk.rows);
        }
        if first {
            built.rows.reset(&self.right_forms);
        }
        built.matched = vec![false; built.rows.rows];
        if self.equal.is_empty() {
            built.all = (0..built.rows.rows as u32).collect();
        }
        Ok(built)
    }

    /// Joins rows of the left chunk until `out` is full or the chunk is done.
    fn probe(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<()> {
        let Some(built) = &mut self.built else { return Ok(()) };
        let types: Vec<Oid> = self.equal.iter().map(|e| e.0.ty).collect();
        let values = self.equal.iter().map(|e| eval(&e.0, &self.chunk, ctx)).collect::<Result<Vec<_>>>()?;
        let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
        let one_sided = matches!(self.kind, JoinKind::Semi | JoinKind::Anti);
        let pads_left = matches!(self.kind, JoinKind::Left | JoinKind::Full);
        let split = self.left_forms.len();
        let mut key = Vec::new();
        // Candidate pairs are gathered for many left rows, then tested at once.
        let (mut lefts, mut rights): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut ends: Vec<(usize, usize)> = Vec::new();
        while self.at.0 < self.chunk.rows && lefts.len() < CHUNK_ROWS {
            let row = self.at.0;
            let candidates: &[u32] = if self.equal.is_empty() {
                &built.all
            } else {
                key.clear();
                if keys::encode_join(&mut key, &types, &values, row, ctx)? {
                    built.by_key.get(&key).map_or(&[], |v| &v[..])
                } else {
                    &[]
                }
            };
            let rest = &candidates[self.at.1..];
            let take = rest.len().min(CHUNK_ROWS - lefts.len());
            lefts.extend(std::iter::repeat_n(row as u32, take));
            rights.extend_from_slice(&rest[..take]);
            if take < rest.len() {
                self.at.1 += take;
                break;
            }
            ends.push((row, lefts.len()));
            self.at = (row + 1, 0);
        }
        let mut pairs = Chunk { columns: Vec::with_capacity(split + self.right_forms.len()), rows: lefts.len() };
        if !one_sided || self.condition.is_some() {
            pairs.columns.extend(self.chunk.columns.iter().map(|c| c.select(&lefts)));
            pairs.columns.extend(built.rows.columns.iter().map(|c| c.select(&rights)));
        }
        let hits = match &self.condition {
            Some(condition) if !lefts.is_empty() => matching(condition, &pairs, ctx)?,
            _ => None,
        };
        let is_hit: Option<Vec<bool>> = hits.as_ref().map(|hits| {
            let mut is_hit = vec![false; lefts.len()];
            hits.iter().for_each(|&h| is_hit[h as usize] = true);
            is_hit
        });
        let hit = |pair: usize| is_hit.as_ref().is_none_or(|h| h[pair]);
        if matches!(self.kind, JoinKind::Right | JoinKind::Full) {
            (0..lefts.len()).filter(|&p| hit(p)).for_each(|p| built.matched[rights[p] as usize] = true);
        }
        if !one_sided && !pads_left {
            pairs.columns.iter_mut().zip(&mut out.columns).for_each(|(from, to)| std::mem::swap(from, to));
            out.rows = lefts.len();
            if let Some(hits) = &hits {
                out.compact(hits);
            }
            return Ok(());
        }
        // Row by row: the pairs of each left row in turn, and whether any matched.
        let mut from = 0;
        let mut kept: Vec<u32> = Vec::new();
        for (row, to) in ends {
            let any = self.has_match || (from..to).any(hit);
            self.has_match = false;
            match self.kind {
                JoinKind::Semi if any => kept.push(row as u32),
                JoinKind::Anti if !any => kept.push(row as u32),
                JoinKind::Left | JoinKind::Full => {
                    let selection = (from..to).filter(|&p| hit(p));
                    out.extend_selected(&pairs, selection);
                    if !any {
                        for (column, left) in out.columns[..split].iter_mut().zip(&self.chunk.columns) {
                            column.push_from(left, row);
                        }
                        out.columns[split..].iter_mut().for_each(Vector::push_null);
                        out.rows += 1;
                    }
                }
                _ => {}
            }
            from = to;
        }
        // The last row's pairs may go on in the next round.
        if from < lefts.len() {
            self.has_match |= (from..lefts.len()).any(hit);
            if pads_left {
                out.extend_selected(&pairs, (from..lefts.len()).filter(|&p| hit(p)));
            }
        }
        if one_sided {
            out.extend_selected(&self.chunk, kept.iter().map(|&r| r as usize));
        }
        Ok(())
    }

    /// Rows of the right that matched nothing.
    fn pad(&mut self, out: &mut Chunk) -> bool {
        let Some(built) = &self.built else { return false };
        let split = self.left_forms.len();
        while self.pad < built.matched.len() && out.rows < CHUNK_ROWS {
            if !built.matched[self.pad] {
                out.columns[..split].iter_mut().for_each(Vector::push_null);
                for (column, right) in out.columns[split..].iter_mut().zip(&built.rows.columns) {
                    column.push_from(right, self.pad);
                }
                out.rows += 1;
            }
            self.pad += 1;
        }
        out.rows > 0
    }

    fn reset_out(&self, out: &mut Chunk) {
        if matches!(self.kind, JoinKind::Semi | JoinKind::Anti) {
            out.reset(&self.left_forms);
        } else {
            let forms: Vec<Physical> = self.left_forms.iter().chain(&self.right_forms).copied().collect();
            out.reset(&forms);
        }
    }
}

/// An empty vector of the form of `v`.
pub fn empty_like(v: &Vector) -> Vector {
    let mut v = v.select(&[]);
    v.clear();
    v
}

impl Operator for Join {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if self.built.is_none() {
            self.built = Some(self.build(ctx)?);
        }
        self.reset_out(out);
        if !self.finished {
            ctx.check_interrupts()?;
            if !self.more {
                self.more = self.left.next(ctx, &mut self.chunk)?;
                self.at = (0, 0);
                self.has_match = false;
            }
            if self.more {
                self.probe(ctx, out)?;
                self.more = self.at.0 < self.chunk.rows;
                return Ok(true);
            }
            self.finished = true;
        }
        Ok(matches!(self.kind, JoinKind::Right | JoinKind::Full) && self.pad(out))
    }

    fn reset(&mut self) {
        (self.built, self.finished, self.more, self.pad) = (None, false, false, 0);
        self.left.reset();
        self.right.reset();
    }
}
