//! Apply: for each row of the left, what the right yields once that row's values are in its slots (LATERAL).

use plan::{Expr, JoinKind};
use types::{Physical, Result};
use vector::{Chunk, Vector};

use crate::eval::{eval, matching};
use crate::narrow::Offer;
use crate::native;
use crate::{BoxOperator, Context, Operator};

/// Runs its right input once for each row of the left.
pub struct Apply {
    pub kind: JoinKind,
    pub left: BoxOperator,
    pub right: BoxOperator,
    pub left_forms: Vec<Physical>,
    pub right_forms: Vec<Physical>,
    pub binds: Vec<(usize, Expr)>,
    pub condition: Option<Expr>,
    pub is_ready: bool,
    /// Whether what its right does is a matter of what it reads.
    pub is_steady: bool,
    pub chunk: Chunk,
    pub row: usize,
}

impl Operator for Apply {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        let exprs = self.binds.iter_mut().map(|b| &mut b.1).chain(&mut self.condition);
        native::ready(&mut self.is_ready, exprs, ctx);
        let one_sided = matches!(self.kind, JoinKind::Semi | JoinKind::Anti);
        let forms: Vec<Physical> = self.left_forms.iter().chain(&self.right_forms).copied().collect();
        out.reset(if one_sided { &self.left_forms } else { &forms });
        if self.row >= self.chunk.rows {
            self.row = 0;
            if !self.left.next(ctx, &mut self.chunk)? {
                self.chunk.rows = 0;
                return Ok(false);
            }
        }
        let split = self.left_forms.len();
        let binds = self.binds.iter().map(|b| eval(&b.1, &self.chunk, ctx)).collect::<Result<Vec<_>>>()?;
        let mut rights = Chunk::default();
        while self.row < self.chunk.rows && out.rows < vector::CHUNK_ROWS {
            ctx.check_interrupts()?;
            for ((slot, _), values) in self.binds.iter().zip(&binds) {
                ctx.set_slot(*slot, values.get(self.row));
            }
            self.right.reset();
            let mut any = false;
            while self.right.next(ctx, &mut rights)? {
                if one_sided && self.condition.is_none() {
                    any |= rights.rows > 0;
                    if any {
                        break;
                    }
                    continue;
                }
                if self.condition.is_none() {
                    // The row beside all that were found, straight into place.
                    let (row, found) = (self.row, rights.rows);
                    let (lefts, others) = out.columns.split_at_mut(split);
                    for (column, left) in lefts.iter_mut().zip(&self.chunk.columns) {
                        column.extend_selected(left, std::iter::repeat_n(row, found));
                    }
                    for (column, right) in others.iter_mut().zip(&rights.columns) {
                        column.extend_selected(right, 0..found);
                    }
                    out.rows += found;
                    any |= found > 0;
                    continue;
                }
                let lefts = vec![self.row as u32; rights.rows];
                let mut pairs = Chunk { columns: Vec::with_capacity(forms.len()), rows: rights.rows };
                pairs.columns.extend(self.chunk.columns.iter().map(|c| c.select(&lefts)));
                pairs.columns.append(&mut rights.columns);
                if let Some(condition) = &self.condition
                    && let Some(hits) = matching(condition, &pairs, ctx)?
                {
                    pairs.compact(&hits);
                }
                any |= pairs.rows > 0;
                if one_sided {
                    if any {
                        break;
                    }
                    continue;
                }
                out.extend_selected(&pairs, 0..pairs.rows);
            }
            if !any && self.kind == JoinKind::Left {
                for (column, left) in out.columns[..split].iter_mut().zip(&self.chunk.columns) {
                    column.push_from(left, self.row);
                }
                out.columns[split..].iter_mut().for_each(Vector::push_null);
                out.rows += 1;
            }
            if one_sided && any == (self.kind == JoinKind::Semi) {
                for (column, left) in out.columns.iter_mut().zip(&self.chunk.columns) {
                    column.push_from(left, self.row);
                }
                out.rows += 1;
            }
            self.row += 1;
        }
        Ok(true)
    }

    fn prepare(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        self.left.prepare(ctx)
    }

    fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        // What its right does for a row changes nothing else, so it need not be done.
        self.is_steady && column < self.left_forms.len() && self.left.narrow(column, filter)
    }

    fn reset(&mut self) {
        (self.row, self.chunk.rows) = (0, 0);
        self.left.reset();
        self.right.reset();
    }
}
