//! Grouping sets: each row of the input once for each set, with the columns NULL that the set does not group by.

use plan::Expr;
use types::{Datum, Physical, Result};
use vector::{Chunk, Vector};

use crate::eval::eval;
use crate::native;
use crate::{BoxOperator, Context, Operator};

/// Repeats its input for grouping sets.
pub struct GroupingSets {
    input: BoxOperator,
    groups: Vec<Expr>,
    is_ready: bool,
    sets: Vec<Vec<bool>>,
    forms: Vec<Physical>,
    input_columns: usize,
    chunk: Chunk,
    /// The set that the chunk is given out for next.
    set: usize,
    any: bool,
    done: bool,
}

impl GroupingSets {
    pub fn new(
        input: BoxOperator,
        groups: Vec<Expr>,
        sets: Vec<Vec<bool>>,
        input_columns: usize,
        forms: Vec<Physical>,
    ) -> GroupingSets {
        let set = sets.len();
        GroupingSets {
            input,
            groups,
            is_ready: false,
            sets,
            forms,
            input_columns,
            chunk: Chunk::default(),
            set,
            any: false,
            done: false,
        }
    }

    /// A row for each set of no columns, that is none: a total of nothing is still a row.
    fn empty_totals(&mut self, out: &mut Chunk) -> bool {
        self.done = true;
        let columns = self.forms.len();
        for (number, _) in self.sets.iter().enumerate().filter(|(_, s)| !s.contains(&true)) {
            let mut row = vec![Datum::Null; columns];
            row[columns - 2] = Datum::I32(number as i32);
            row[columns - 1] = Datum::Bool(false);
            out.push_row(&row);
        }
        out.rows > 0
    }
}

impl Operator for GroupingSets {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        out.reset(&self.forms);
        if self.done {
            return Ok(false);
        }
        while self.set == self.sets.len() {
            if !self.input.next(ctx, &mut self.chunk)? {
                return Ok(!self.any && self.empty_totals(out));
            }
            if self.chunk.rows > 0 {
                (self.set, self.any) = (0, true);
            }
        }
        native::ready(&mut self.is_ready, &mut self.groups, ctx);
        let rows = self.chunk.rows;
        for (column, from) in out.columns.iter_mut().zip(&self.chunk.columns[..self.input_columns]) {
            column.extend_selected(from, 0..rows);
        }
        for (i, e) in self.groups.iter().enumerate() {
            let column = &mut out.columns[self.input_columns + i];
            if self.sets[self.set][i] {
                column.extend_selected(&*eval(e, &self.chunk, ctx)?, 0..rows);
            } else {
                *column = Vector::constant(Physical::of(e.ty), &Datum::Null, rows);
            }
        }
        let last = out.columns.len() - 1;
        out.columns[last - 1] = Vector::constant(Physical::I32, &Datum::I32(self.set as i32), rows);
        out.columns[last] = Vector::constant(Physical::Bool, &Datum::Bool(true), rows);
        out.rows = rows;
        self.set += 1;
        Ok(true)
    }

    fn reset(&mut self) {
        (self.set, self.any, self.done) = (self.sets.len(), false, false);
        self.input.reset();
    }
}
