//! RETURNING: the rows that a statement changed, and where it is asked for, what they were and have become.

use plan::{Expr, TableRef};
use storage::RowId;
use types::{Datum, Physical, Result};
use vector::Chunk;

use crate::Context;
use crate::eval::eval;
use crate::scan::forms;

/// Adds the `returning` expressions over `rows` to `out`.
pub fn give_back(returning: Option<&Vec<Expr>>, rows: &Chunk, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<()> {
    let Some(exprs) = returning else { return Ok(()) };
    let forms: Vec<Physical> = exprs.iter().map(|e| Physical::of(e.ty)).collect();
    out.reset(&forms);
    let values = exprs.iter().map(|e| eval(e, rows, ctx)).collect::<Result<Vec<_>>>()?;
    out.columns.iter_mut().zip(&values).for_each(|(c, v)| c.extend_selected(v, 0..rows.rows));
    out.rows = rows.rows;
    Ok(())
}

/// Whether `returning` reads more than the `width` columns of the row at hand: the old row, the new one, what was done.
pub fn is_wide(returning: Option<&Vec<Expr>>, width: usize) -> bool {
    returning.is_some_and(|list| list.iter().any(|e| e.span().is_some_and(|(_, high)| high >= width)))
}

/// Rows to be given back.
pub struct Returned {
    rows: Chunk,
    /// Columns of the table, its row id left aside.
    columns: usize,
    wide: bool,
}

impl Returned {
    /// Rows of `input` columns; `wide` ones have old and new row behind them, and what was done.
    pub fn new(table: &TableRef, input: &[Physical], wide: bool) -> Returned {
        let mut all = input.to_vec();
        if wide {
            let own = forms(table);
            all.extend(own.iter().chain(&own).copied().chain([Physical::Var]));
        }
        Returned { rows: Chunk::new(&all), columns: table.columns.len(), wide }
    }

    /// Adds the row at hand, with the columns of the old and of the new row.
    pub fn push(&mut self, mut row: Vec<Datum>, old: Option<&[Datum]>, new: Option<&[Datum]>, id: RowId, done: &str) {
        if self.wide {
            for side in [old, new] {
                match side {
                    Some(values) => {
                        row.extend_from_slice(&values[..self.columns]);
                        row.push(Datum::I64(id.to_u64() as i64));
                    }
                    None => row.extend(std::iter::repeat_n(Datum::Null, self.columns + 1)),
                }
            }
            row.push(Datum::text(done));
        }
        self.rows.push_row(&row);
    }

    /// Adds what `returning` makes of the rows to `out`.
    pub fn give(&self, returning: Option<&Vec<Expr>>, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<()> {
        give_back(returning, &self.rows, ctx, out)
    }
}
