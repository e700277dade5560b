//! Set-returning functions: as tables in FROM, and among the expressions of a select list.

use plan::{Expr, ExprKind};
use smallvec::smallvec;
use types::{Datum, Oid, Physical, Result, SqlError};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::{constant, eval};
use crate::native;
use crate::{BoxOperator, Context, Operator};

/// The rows that a call of `function` yields.
fn call(
    function: Oid,
    args: &[Datum],
    types: &[Oid],
    result: Oid,
    columns: &[(String, Oid)],
    ctx: &mut Context<'_>,
) -> Result<ext::definition::Rows> {
    let Some(implementation) = functions::set_function(function) else {
        return Err(SqlError::internal(format!("function {function} is not implemented")));
    };
    let mut call = ctx.call(types, result);
    call.columns = columns;
    (implementation)(&mut call, args)
}

/// The rows of a function in FROM.
pub struct FunctionScan {
    pub function: Oid,
    pub routine: Option<std::sync::Arc<plan::Routine>>,
    pub args: Vec<Expr>,
    pub types: Vec<Oid>,
    pub names: Vec<String>,
    pub ordinality: bool,
    pub rows: Option<ext::definition::Rows>,
    pub count: i64,
}

impl Operator for FunctionScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.rows.is_none() {
            let values = self.args.iter().map(|a| constant(a, ctx)).collect::<Result<Vec<_>>>()?;
            let types: Vec<Oid> = self.args.iter().map(|a| a.ty).collect();
            let result = if self.types.len() == 1 { self.types[0] } else { types::oid::RECORD };
            self.rows = Some(match &self.routine {
                Some(routine) => crate::routine::rows(routine, values, ctx)?,
                None => {
                    let columns: Vec<(String, Oid)> =
                        self.names.iter().cloned().zip(self.types.iter().copied()).collect();
                    call(self.function, &values, &types, result, &columns, ctx)?
                }
            });
            self.count = 0;
        }
        let mut forms: Vec<Physical> = self.types.iter().map(|&t| Physical::of(t)).collect();
        forms.extend(self.ordinality.then_some(Physical::I64));
        out.reset(&forms);
        let Some(rows) = &mut self.rows else { return Ok(false) };
        while out.rows < CHUNK_ROWS {
            let Some(row) = rows.next() else { break };
            let mut row = row?;
            self.count += 1;
            row.extend(self.ordinality.then_some(Datum::I64(self.count)));
            out.push_row(&row);
        }
        Ok(out.rows > 0)
    }

    fn reset(&mut self) {
        self.rows = None;
    }
}

/// Expressions over each row, set-returning ones several rows each: as many as the longest, the others padded with NULL.
pub struct ProjectSet {
    pub input: BoxOperator,
    pub exprs: Vec<Expr>,
    pub is_ready: bool,
    pub chunk: Chunk,
    pub row: usize,
    /// The sets of the row at hand.
    pub sets: Option<Vec<Option<ext::definition::Rows>>>,
}

/// Whether `e` yields a set.
fn yields_set(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Call { function, .. } => functions::set_function(*function).is_some(),
        ExprKind::Routine { routine, .. } => routine.returns_set,
        _ => false,
    }
}

impl ProjectSet {
    fn open(&self, ctx: &mut Context<'_>) -> Result<Vec<Option<ext::definition::Rows>>> {
        let row = self.chunk.select(&[self.row as u32]);
        let open = |e: &Expr| match &e.kind {
            ExprKind::Call { function, args, .. } if functions::set_function(*function).is_some() => {
                let values = args.iter().map(|a| Ok(eval(a, &row, ctx)?.get(0))).collect::<Result<Vec<_>>>()?;
                let types: Vec<Oid> = args.iter().map(|a| a.ty).collect();
                Ok(Some(functions::as_one_column(*function, call(*function, &values, &types, e.ty, &[], ctx)?)))
            }
            _ => crate::routine::set_of(e, &row, ctx),
        };
        self.exprs.iter().map(open).collect()
    }
}

impl Operator for ProjectSet {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        // A row has one value of what yields sets: only its arguments become programs.
        let exprs = self.exprs.iter_mut().flat_map(|e| if yields_set(e) { e.children_mut() } else { smallvec![e] });
        native::ready(&mut self.is_ready, exprs, ctx);
        let forms: Vec<Physical> = self.exprs.iter().map(|e| Physical::of(e.ty)).collect();
        out.reset(&forms);
        while out.rows < CHUNK_ROWS {
            ctx.check_interrupts()?;
            if self.row >= self.chunk.rows {
                self.row = 0;
                if !self.input.next(ctx, &mut self.chunk)? {
                    self.chunk.rows = 0;
                    return Ok(out.rows > 0);
                }
                continue;
            }
            let mut sets = match self.sets.take() {
                Some(sets) => sets,
                None => self.open(ctx)?,
            };
            let one = self.chunk.select(&[self.row as u32]);
            let plain = self
                .exprs
                .iter()
                .zip(&sets)
                .map(|(e, set)| if set.is_some() { Ok(Datum::Null) } else { Ok(eval(e, &one, ctx)?.get(0)) })
                .collect::<Result<Vec<_>>>()?;
            let mut ended = false;
            while out.rows < CHUNK_ROWS {
                let mut row = plain.clone();
                let mut any = false;
                for (value, set) in row.iter_mut().zip(&mut sets) {
                    if let Some(next) = set.as_mut().and_then(Iterator::next) {
                        *value = next?.into_iter().next().unwrap_or_default();
                        any = true;
                    }
                }
                if !any {
                    ended = true;
                    break;
                }
                out.push_row(&row);
            }
            if ended {
                self.row += 1;
            } else {
                self.sets = Some(sets);
            }
        }
        Ok(true)
    }

    fn reset(&mut self) {
        (self.row, self.chunk.rows, self.sets) = (0, 0, None);
        self.input.reset();
    }
}
