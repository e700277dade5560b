//! Operators that need no memory: values, filter, projection, limit.

use std::sync::Arc;

use plan::{Expr, ExprKind};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::{at_hand, constant, eval, retain};
use crate::narrow::Offer;
use crate::native::Lazy;
use crate::scan::is_simple;
use crate::{BoxOperator, Context, Operator, keys};

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
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if self.next >= self.rows.len() {
            out.clear();
            return Ok(false);
        }
        ctx.check_interrupts()?;
        out.reset(&self.forms);
        while out.rows < CHUNK_ROWS && self.next < self.rows.len() {
            for (column, e) in out.columns.iter_mut().zip(&self.rows[self.next]) {
                match at_hand(e, ctx)? {
                    Some(value) => column.push(value),
                    None => column.push(&constant(e, ctx)?),
                }
            }
            out.rows += 1;
            self.next += 1;
        }
        Ok(true)
    }

    fn reset(&mut self) {
        self.next = 0;
    }
}

/// Rows of a chunk of any length.
pub struct Constants {
    rows: Arc<Chunk>,
    forms: Vec<Physical>,
    next: usize,
}

impl Constants {
    pub fn new(rows: Arc<Chunk>, types: &[Oid]) -> Constants {
        Constants { rows, forms: types.iter().map(|&t| Physical::of(t)).collect(), next: 0 }
    }
}

impl Operator for Constants {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        let end = self.rows.rows.min(self.next + CHUNK_ROWS);
        if self.next >= end {
            out.clear();
            return Ok(false);
        }
        out.reset(&self.forms);
        out.extend_selected(&self.rows, self.next..end);
        self.next = end;
        Ok(true)
    }

    fn reset(&mut self) {
        self.next = 0;
    }
}

/// Rows for which a predicate is true.
pub struct Filter {
    pub input: BoxOperator,
    pub predicate: Lazy,
}

impl Operator for Filter {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if !self.input.next(ctx, out)? {
            return Ok(false);
        }
        if out.rows > 0 {
            retain(self.predicate.get(ctx), out, ctx)?;
        }
        Ok(true)
    }

    fn prepare(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        self.input.prepare(ctx)
    }

    fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        is_simple(self.predicate.bare()) && self.input.narrow(column, filter)
    }

    fn reset(&mut self) {
        self.input.reset();
    }
}

/// Expressions over each row.
pub struct Project {
    input: BoxOperator,
    exprs: Vec<Lazy>,
    chunk: Chunk,
    /// Per expression: the input column that it is, when nothing else needs it.
    moved: Vec<Option<usize>>,
}

impl Project {
    pub fn new(input: BoxOperator, exprs: Vec<Expr>) -> Project {
        let mut uses = std::collections::HashMap::<usize, usize>::new();
        for e in &exprs {
            e.visit(&mut |e| {
                if let ExprKind::Column(i) = e.kind {
                    *uses.entry(i).or_default() += 1;
                }
            });
        }
        let moved = exprs.iter().map(|e| match e.kind {
            ExprKind::Column(i) if uses.get(&i) == Some(&1) => Some(i),
            _ => None,
        });
        Project {
            moved: moved.collect(),
            input,
            exprs: exprs.into_iter().map(Lazy::from).collect(),
            chunk: Chunk::default(),
        }
    }
}

impl Operator for Project {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if !self.input.next(ctx, &mut self.chunk)? {
            return Ok(false);
        }
        out.columns.resize_with(self.exprs.len(), || vector::Vector::absent(0));
        for ((e, moved), target) in self.exprs.iter_mut().zip(&self.moved).zip(&mut out.columns) {
            if moved.is_none() {
                *target = eval(e.get(ctx), &self.chunk, ctx)?.into_owned();
            }
        }
        // What is only passed on changes places: its buffer comes back with the next chunk.
        for (moved, target) in self.moved.iter().zip(&mut out.columns) {
            if let Some(i) = moved {
                std::mem::swap(target, &mut self.chunk.columns[*i]);
            }
        }
        out.rows = self.chunk.rows;
        Ok(true)
    }

    fn prepare(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        self.input.prepare(ctx)
    }

    fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        // What changes something for each row does so for all.
        if !self.exprs.iter().all(|e| is_simple(e.bare())) {
            return false;
        }
        match self.exprs[column].bare().kind {
            ExprKind::Column(i) => self.input.narrow(i, filter),
            _ => false,
        }
    }

    fn reset(&mut self) {
        self.input.reset();
    }
}

/// Some of the rows.
pub struct Limit {
    input: BoxOperator,
    count: Option<Expr>,
    offset: Option<Expr>,
    /// Rows to skip and rows to yield, once known.
    left: Option<(u64, u64)>,
    /// WITH TIES: columns that decide, with their types.
    ties: Option<Vec<(usize, Oid)>>,
    /// Their key in the last row that the count let through.
    last: Option<Vec<u8>>,
}

impl Limit {
    pub fn new(
        input: BoxOperator,
        count: Option<Expr>,
        offset: Option<Expr>,
        ties: Option<Vec<(usize, Oid)>>,
    ) -> Limit {
        Limit { input, count, offset, left: None, ties, last: None }
    }

    /// The rows from `from` on that agree with the last one before; none of them is left out.
    fn tied(&self, last: &[u8], chunk: &Chunk, from: usize, ctx: &Context<'_>) -> Result<usize> {
        for i in from..chunk.rows {
            if tie_key(self.ties.as_deref().unwrap_or_default(), chunk, i, ctx)? != last {
                return Ok(i);
            }
        }
        Ok(chunk.rows)
    }
}

fn tie_key(ties: &[(usize, Oid)], chunk: &Chunk, i: usize, ctx: &Context<'_>) -> Result<Vec<u8>> {
    let mut key = Vec::new();
    for &(column, ty) in ties {
        keys::encode(&mut key, ty, &chunk.columns[column], i, false, false, ctx)?;
    }
    Ok(key)
}

fn number(expr: Option<&Expr>, ctx: &mut Context<'_>, default: u64, clause: &str, state: SqlState) -> Result<u64> {
    let Some(expr) = expr else { return Ok(default) };
    match constant(expr, ctx)? {
        Datum::I64(n) => u64::try_from(n).map_err(|_| SqlError::new(state, format!("{clause} must not be negative"))),
        _ => Ok(default),
    }
}

impl Operator for Limit {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        let (skip, take) = match self.left {
            Some(left) => left,
            None => (
                number(self.offset.as_ref(), ctx, 0, "OFFSET", SqlState::INVALID_ROW_COUNT_IN_OFFSET)?,
                number(self.count.as_ref(), ctx, u64::MAX, "LIMIT", SqlState::INVALID_ROW_COUNT_IN_LIMIT)?,
            ),
        };
        self.left = Some((skip, take));
        if (take == 0 && self.last.is_none()) || !self.input.next(ctx, out)? {
            out.clear();
            return Ok(false);
        }
        let rows = out.rows as u64;
        let from = skip.min(rows);
        let mut to = rows.min(from.saturating_add(take));
        self.left = Some((skip - from, take - (to - from)));
        if let Some(ties) = &self.ties
            && take == to - from
            && rows > 0
        {
            let last = match self.last.take() {
                Some(last) if take == 0 => last,
                _ => tie_key(ties, out, to as usize - 1, ctx)?,
            };
            to = self.tied(&last, out, to as usize, ctx)? as u64;
            // They may go on in the next chunk.
            self.last = (to == rows).then_some(last);
        }
        if (from, to) != (0, rows) {
            let selection: Vec<u32> = (from as u32..to as u32).collect();
            out.compact(&selection);
        }
        Ok(true)
    }

    fn reset(&mut self) {
        (self.left, self.last) = (None, None);
        self.input.reset();
    }
}
