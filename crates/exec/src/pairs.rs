//! [`Pairs`]: rows of the left of a join with their candidates of the right, tested at once and yielded as the kind of join asks.

use plan::{Expr, JoinKind};
use types::Result;
use vector::{CHUNK_ROWS, Chunk, Vector};

use crate::Context;
use crate::eval::matching;

/// Candidate pairs.
#[derive(Default)]
pub struct Pairs {
    lefts: Vec<u32>,
    rights: Vec<u32>,
    /// Rows of the left all of whose candidates are there, each with where they end.
    ends: Vec<(usize, usize)>,
}

/// How candidates become rows.
pub struct Test<'a> {
    pub kind: JoinKind,
    pub condition: Option<&'a Expr>,
    /// How many columns the left has.
    pub split: usize,
}

impl Pairs {
    /// Whether no row of the right is in them.
    pub fn is_empty(&self) -> bool {
        self.lefts.is_empty()
    }

    /// Whether there is no room for more.
    pub fn is_full(&self) -> bool {
        self.lefts.len() >= CHUNK_ROWS
    }

    /// Whether rows of the left are complete.
    pub fn has_ends(&self) -> bool {
        !self.ends.is_empty()
    }

    /// Adds candidates of the left's row `row` as far as there is room; how many.
    pub fn add(&mut self, row: usize, candidates: impl ExactSizeIterator<Item = u32>) -> usize {
        let take = candidates.len().min(CHUNK_ROWS - self.lefts.len());
        self.lefts.extend(std::iter::repeat_n(row as u32, take));
        self.rights.extend(candidates.take(take));
        take
    }

    /// Notes that `row` has no more candidates.
    pub fn end(&mut self, row: usize) {
        self.ends.push((row, self.lefts.len()));
    }

    /// Tests the pairs and puts what they come to into `out`, which is empty. `matched` notes rows of the right that have a match, for
    /// kinds that ask; `has_match` whether the row that is not complete has one.
    pub fn put(
        self,
        test: &Test<'_>,
        (left, right): (&Chunk, &Chunk),
        (matched, has_match): (&mut [bool], &mut bool),
        out: &mut Chunk,
        ctx: &mut Context<'_>,
    ) -> Result<()> {
        let Pairs { lefts, rights, ends } = self;
        let one_sided = matches!(test.kind, JoinKind::Semi | JoinKind::Anti);
        let pads_left = matches!(test.kind, JoinKind::Left | JoinKind::Full);
        let split = test.split;
        if lefts.is_empty() && !one_sided && !pads_left {
            return Ok(());
        }
        let mut pairs = Chunk { columns: Vec::with_capacity(split + right.columns.len()), rows: lefts.len() };
        if !one_sided || test.condition.is_some() {
            pairs.columns.extend(left.columns.iter().map(|c| c.select(&lefts)));
            pairs.columns.extend(right.columns.iter().map(|c| c.select(&rights)));
        }
        let hits = match test.condition {
            Some(condition) if !lefts.is_empty() => matching(condition, &pairs, ctx)?,
            _ => None,
        };
        let is_hit: Option<Vec<bool>> = hits.as_ref().map(|hits| {
            let mut is_hit = vec![false; lefts.len()];
            hits.iter().for_each(|&h| is_hit[h as usize] = true);
            is_hit
        });
        let hit = |pair: usize| is_hit.as_ref().is_none_or(|h| h[pair]);
        if test.kind.keeps_right() {
            (0..lefts.len()).filter(|&p| hit(p)).for_each(|p| matched[rights[p] as usize] = true);
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
            let any = *has_match || (from..to).any(hit);
            *has_match = false;
            match test.kind {
                JoinKind::Semi if any => kept.push(row as u32),
                JoinKind::Anti if !any => kept.push(row as u32),
                JoinKind::Left | JoinKind::Full => {
                    let selection = (from..to).filter(|&p| hit(p));
                    out.extend_selected(&pairs, selection);
                    if !any {
                        for (column, left) in out.columns[..split].iter_mut().zip(&left.columns) {
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
            *has_match |= (from..lefts.len()).any(hit);
            if pads_left {
                out.extend_selected(&pairs, (from..lefts.len()).filter(|&p| hit(p)));
            }
        }
        if one_sided {
            out.extend_selected(left, kept.iter().map(|&r| r as usize));
        }
        Ok(())
    }
}

/// Adds rows of the right that matched nothing.
pub fn pad_right(out: &mut Chunk, split: usize, right: &Chunk, rows: impl Iterator<Item = usize>) {
    for row in rows {
        out.columns[..split].iter_mut().for_each(Vector::push_null);
        for (column, right) in out.columns[split..].iter_mut().zip(&right.columns) {
            column.push_from(right, row);
        }
        out.rows += 1;
    }
}
