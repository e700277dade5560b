//! `ChunkKeys`: the keys of a chunk's rows in one index; what its expressions and its condition come to is computed for all of them at once.

use plan::{IndexKey, KEY_EXPRESSION, TableRef};
use storage::btree::Btree;
use types::Result;
use vector::{Chunk, Vector};

use super::encode_prefix;
use crate::Context;
use crate::eval::{eval, matching};
use crate::native::Lazy;

/// The expressions of an index, and what they came to.
pub struct ChunkKeys {
    exprs: Vec<Lazy>,
    predicate: Option<Lazy>,
    /// The rows that the index lists, unless it lists all.
    listed: Option<Vec<u32>>,
    /// Of each expression, its values for the rows that are listed.
    values: Vec<Vector>,
}

impl ChunkKeys {
    /// None yet.
    pub fn new(index: &IndexKey) -> ChunkKeys {
        let exprs = index.exprs.iter().cloned().map(Lazy::from).collect();
        ChunkKeys { exprs, predicate: index.predicate.clone().map(Lazy::from), listed: None, values: Vec::new() }
    }

    /// Computes those of `chunk`, whose columns are the table's.
    ///
    /// # Errors
    /// What computing them says.
    pub fn compute(&mut self, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<()> {
        self.listed = match &mut self.predicate {
            Some(predicate) => matching(predicate.get(ctx), chunk, ctx)?,
            None => None,
        };
        self.values.clear();
        let part = match &self.listed {
            Some(rows) if !self.exprs.is_empty() => &chunk.select(rows),
            _ => chunk,
        };
        for e in &mut self.exprs {
            let value = eval(e.get(ctx), part, ctx)?.into_owned();
            self.values.push(value);
        }
        Ok(())
    }

    /// The rows of `chunk` that the index lists, each with its place among them.
    pub fn rows(&self, chunk: &Chunk) -> impl Iterator<Item = (usize, usize)> + use<> {
        let listed = self.listed.clone();
        let count = listed.as_ref().map_or(chunk.rows, Vec::len);
        (0..count).map(move |place| (place, listed.as_ref().map_or(place, |rows| rows[place] as usize)))
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
        let mut null = false;
        for (i, &(column, ..)) in index.columns.iter().enumerate() {
            let value = match column.checked_sub(KEY_EXPRESSION) {
                Some(e) => self.values[e].get(place),
                None => chunk.columns[column].get(row),
            };
            null |= value.is_null();
            encode_prefix(entry, table, index, i, &value, ctx)?;
        }
        tree.carry(entry, index.include.iter().map(|&c| chunk.columns[c].get(row)));
        Ok(null)
    }
}
