//! Operators that need no memory: values, filter, projection, limit.

use plan::Expr;
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::{constant, eval, select};
use crate::{BoxOperator, Context, Operator};

/// Rows of expressions.
pub struct Values {
    rows: Vec<Vec<Expr>>,
    forms: Vec<Physical>,
    next: usize,
}

impl Values {
    pub fn new(rows: Vec<Vec<Expr>>, types: &[Oid]) -> Values {
        Values { rows, forms: types.iter().map(|&t| Physical::of(t)).collect(), next: 0 }
    }
}

impl Operator for Values {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        ctx.check_interrupts()?;
        if self.next >= self.rows.len() {
            return Ok(None);
        }
        let mut chunk = Chunk::new(&self.forms);
        while chunk.rows < CHUNK_ROWS && self.next < self.rows.len() {
            let row = self.rows[self.next].iter().map(|e| constant(e, ctx)).collect::<Result<Vec<_>>>()?;
            chunk.push_row(&row);
            self.next += 1;
        }
        Ok(Some(chunk))
    }
}

/// Rows for which a predicate is true.
pub struct Filter {
    pub input: BoxOperator,
    pub predicate: Expr,
}

impl Operator for Filter {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        match self.input.next(ctx)? {
            Some(chunk) => Ok(Some(select(&self.predicate, chunk, ctx)?)),
            None => Ok(None),
        }
    }
}

/// Expressions over each row.
pub struct Project {
    pub input: BoxOperator,
    pub exprs: Vec<Expr>,
}

impl Operator for Project {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        let Some(chunk) = self.input.next(ctx)? else { return Ok(None) };
        let columns = self.exprs.iter().map(|e| eval(e, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
        Ok(Some(Chunk { columns, rows: chunk.rows }))
    }
}

/// Some of the rows.
pub struct Limit {
    input: BoxOperator,
    count: Option<Expr>,
    offset: Option<Expr>,
    /// Rows to skip and rows to yield, once known.
    left: Option<(u64, u64)>,
}

impl Limit {
    pub fn new(input: BoxOperator, count: Option<Expr>, offset: Option<Expr>) -> Limit {
        Limit { input, count, offset, left: None }
    }
}

fn number(expr: Option<&Expr>, ctx: &Context<'_>, default: u64, clause: &str, state: SqlState) -> Result<u64> {
    let Some(expr) = expr else { return Ok(default) };
    match constant(expr, ctx)? {
        Datum::I64(n) => u64::try_from(n).map_err(|_| SqlError::new(state, format!("{clause} must not be negative"))),
        _ => Ok(default),
    }
}

impl Operator for Limit {
    fn next(&mut self, ctx: &mut Context<'_>) -> Result<Option<Chunk>> {
        let (skip, take) = match self.left {
            Some(left) => left,
            None => (
                number(self.offset.as_ref(), ctx, 0, "OFFSET", SqlState::INVALID_ROW_COUNT_IN_OFFSET)?,
                number(self.count.as_ref(), ctx, u64::MAX, "LIMIT", SqlState::INVALID_ROW_COUNT_IN_LIMIT)?,
            ),
        };
        if take == 0 {
            return Ok(None);
        }
        let Some(chunk) = self.input.next(ctx)? else { return Ok(None) };
        let rows = chunk.rows as u64;
        let from = skip.min(rows);
        let to = rows.min(from.saturating_add(take));
        self.left = Some((skip - from, take - (to - from)));
        if (from, to) == (0, rows) {
            return Ok(Some(chunk));
        }
        let selection: Vec<u32> = (from as u32..to as u32).collect();
        Ok(Some(chunk.select(&selection)))
    }
}
