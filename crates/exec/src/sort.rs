//! Sort: all rows of the input, in order. Stable, in memory (spilling comes with the SQL core).

use plan::SortKey;
use types::{Datum, Physical, Result};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::eval;
use crate::{BoxOperator, Context, Operator};

/// Sorts its input.
pub struct Sort {
    input: BoxOperator,
    keys: Vec<SortKey>,
    forms: Vec<Physical>,
    sorted: Option<std::vec::IntoIter<(Vec<u8>, Vec<Datum>)>>,
}

impl Sort {
    pub fn new(input: BoxOperator, keys: Vec<SortKey>, forms: Vec<Physical>) -> Sort {
        Sort { input, keys, forms, sorted: None }
    }
}

impl Operator for Sort {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        if self.sorted.is_none() {
            let mut rows = Vec::new();
            while let Some(chunk) = self.input.next(ctx)? {
                let keys = self.keys.iter().map(|k| eval(&k.expr, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
                for i in 0..chunk.rows {
                    let mut key = Vec::new();
                    for (k, v) in self.keys.iter().zip(&keys) {
                        types::sortkey::encode_key(&mut key, k.expr.ty, &v.get(i), k.descending, k.nulls_first)?;
                    }
                    let row = chunk.row(i);
                    ctx.account.charge_row(&row)?;
                    ctx.account.charge(key.len() + 24)?;
                    rows.push((key, row));
                }
            }
            rows.sort_by(|a, b| a.0.cmp(&b.0));
            self.sorted = Some(rows.into_iter());
        }
        ctx.check_interrupts()?;
        let mut chunk = Chunk::new(&self.forms);
        for (_, row) in self.sorted.as_mut().expect("sorted above").by_ref().take(CHUNK_ROWS) {
            chunk.push_row(&row);
        }
        Ok((chunk.rows > 0).then_some(chunk))
    }
}
