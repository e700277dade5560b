//! `ChunkKeys`: the keys of a chunk's rows in one index; what its expressions and its condition come to is computed for all of them at once.

use plan::{Expr, IndexKey, KEY_EXPRESSION, TableRef};
use storage::btree::Btree;
use types::Result;
use vector::{Chunk, Vector};

use super::encode_columns;
use crate::Context;
use crate::eval::{eval, matching};
use crate::native::{Lazy, are_many};

/// What the expressions of an index came to.
#[derive(Default)]
pub struct ChunkKeys {
    /// Those with programs, once there were many rows: the plan's are evaluated sooner than they are copied.
    own: Option<Own>,
    /// The rows that the index lists, unless it lists all.
    listed: Option<Vec<u32>>,
    /// Of each expression, its values for the rows that are listed.
    values: Vec<Vector>,
}

/// The expressions of an index.
struct Own {
    exprs: Vec<Lazy>,
    predicate: Option<Lazy>,
}

impl ChunkKeys {
    /// Computes those of `chunk`, whose columns are the table's.
    ///
    /// # Errors
    /// What computing them says.
    pub fn compute(&mut self, index: &IndexKey, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<()> {
        if self.own.is_none() && !index.is_plain() && are_many(chunk.rows, ctx) {
            let exprs = index.exprs.iter().cloned().map(Lazy::from).collect();
            self.own = Some(Own { exprs, predicate: index.predicate.clone().map(Lazy::from) });
        }
        let ChunkKeys { own, listed, values } = self;
        let predicate = match own {
            Some(own) => own.predicate.as_mut().map(|p| p.get(ctx)),
            None => index.predicate.as_ref(),
        };
        *listed = match predicate {
            Some(predicate) => matching(predicate, chunk, ctx)?,
            None => None,
        };
        let part = match listed {
            Some(rows) if !index.exprs.is_empty() => &chunk.select(rows),
            _ => chunk,
        };
        values.clear();
        for (i, planned) in index.exprs.iter().enumerate() {
            let e: &Expr = match own {
                Some(own) => own.exprs[i].get(ctx),
                None => planned,
            };
            values.push(eval(e, part, ctx)?.into_owned());
        }
        Ok(())
    }

    /// The rows of `chunk` that the index lists, each with its place among them.
    pub fn rows(&self, chunk: &Chunk) -> impl Iterator<Item = (usize, usize)> {
        let count = self.listed.as_ref().map_or(chunk.rows, Vec::len);
        (0..count).map(|place| (place, self.listed.as_ref().map_or(place, |rows| rows[place] as usize)))
    }

    /// Puts the entry of a row of `chunk` into `entry`, but for the row's id; whether its key has a NULL.
    ///
    /// # Errors
    /// `0A000` for types without an order.
    pub fn encode(
        &self,
        entry: &mut Vec<u8>,
        (table, index, tree): (&TableRef, &IndexKey, &Btree),
        (place, row): (usize, usize),
        chunk: &Chunk,
        ctx: &Context<'_>,
    ) -> Result<bool> {
        entry.clear();
        let value = |column: usize| match column.checked_sub(KEY_EXPRESSION) {
            Some(e) => self.values[e].get(place),
            None => chunk.columns[column].get(row),
        };
        let null = encode_columns(entry, table, index, &value, ctx)?;
        tree.carry(entry, index.include.iter().map(|&c| chunk.columns[c].get(row)));
        Ok(null)
    }
}
