//! Unique: the first of neighbouring rows that agree in some columns.

use types::{Oid, Result};
use vector::{Chunk, Vector};

use crate::{BoxOperator, Context, Operator, keys};

/// Drops rows that agree with the one before.
pub struct Unique {
    input: BoxOperator,
    on: Vec<usize>,
    types: Vec<Oid>,
    /// The last row's key, and room for the next.
    last: Option<Vec<u8>>,
    key: Vec<u8>,
}

impl Unique {
    /// `types` are those of the columns `on`.
    pub fn new(input: BoxOperator, on: Vec<usize>, types: Vec<Oid>) -> Unique {
        Unique { input, on, types, last: None, key: Vec::new() }
    }
}

impl Operator for Unique {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if !self.input.next(ctx, out)? {
            return Ok(false);
        }
        let mut fresh: Vec<u32> = Vec::new();
        let values: Vec<&Vector> = self.on.iter().map(|&c| &out.columns[c]).collect();
        for i in 0..out.rows {
            self.key.clear();
            keys::encode_row(&mut self.key, &self.types, &values, i, ctx)?;
            if self.last.as_ref() != Some(&self.key) {
                fresh.push(i as u32);
                std::mem::swap(self.last.get_or_insert_default(), &mut self.key);
            }
        }
        out.compact(&fresh);
        Ok(true)
    }

    fn reset(&mut self) {
        self.last = None;
        self.input.reset();
    }
}
