//! Sort: all rows of the input, in order. Stable, in memory (spilling comes with the SQL core).

use plan::SortKey;
use types::{Physical, Result};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::eval;
use crate::{BoxOperator, Context, Operator, keys};

/// Sorts its input.
pub struct Sort {
    input: BoxOperator,
    keys: Vec<SortKey>,
    forms: Vec<Physical>,
    rows: Chunk,
    /// Row numbers in order; `None` before the input was read.
    order: Option<Vec<u32>>,
    next: usize,
}

impl Sort {
    pub fn new(input: BoxOperator, keys: Vec<SortKey>, forms: Vec<Physical>) -> Sort {
        Sort { input, keys, forms, rows: Chunk::default(), order: None, next: 0 }
    }

    fn read(&mut self, ctx: &mut Context<'_>) -> Result<Vec<u32>> {
        let mut chunk = Chunk::default();
        // Keys end to end, and where each starts.
        let (mut bytes, mut starts) = (Vec::new(), vec![0usize]);
        self.rows.reset(&self.forms);
        while self.input.next(ctx, &mut chunk)? {
            let values = self.keys.iter().map(|k| eval(&k.expr, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let before = bytes.len();
            for i in 0..chunk.rows {
                for (k, v) in self.keys.iter().zip(&values) {
                    keys::encode(&mut bytes, k.expr.ty, v, i, k.descending, k.nulls_first, ctx)?;
                }
                starts.push(bytes.len());
            }
            ctx.account.charge(chunk.bytes() + (bytes.len() - before) + 12 * chunk.rows)?;
            self.rows.extend_selected(&chunk, 0..chunk.rows);
        }
        let mut order: Vec<u32> = (0..self.rows.rows as u32).collect();
        order.sort_by(|&a, &b| {
            let key = |i: u32| &bytes[starts[i as usize]..starts[i as usize + 1]];
            key(a).cmp(key(b))
        });
        Ok(order)
    }
}

impl Operator for Sort {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.order.is_none() {
            self.order = Some(self.read(ctx)?);
            self.next = 0;
        }
        let order = self.order.as_deref().unwrap_or_default();
        let end = order.len().min(self.next + CHUNK_ROWS);
        out.reset(&self.forms);
        if self.next >= end {
            return Ok(false);
        }
        out.extend_selected(&self.rows, order[self.next..end].iter().map(|&i| i as usize));
        self.next = end;
        Ok(true)
    }

    fn reset(&mut self) {
        self.order = None;
        self.input.reset();
    }
}
