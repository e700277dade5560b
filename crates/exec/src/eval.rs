//! Evaluating expressions over chunks.

use ext::{Call, NoHost};
use functions::Callable;
use plan::{Expr, ExprKind};
use types::io::BuiltinTypes;
use types::{Datum, Oid, Physical, Result, SqlError};
use vector::{Chunk, Data, Vector};

use crate::Context;

/// The values of `expr` for every row of `chunk`.
///
/// # Errors
/// What a function says, with the call's position.
pub fn eval(expr: &Expr, chunk: &Chunk, ctx: &Context<'_>) -> Result<Vector> {
    let rows = chunk.rows;
    let form = Physical::of(expr.ty);
    let at = |e: SqlError| e.at(None);
    match &expr.kind {
        ExprKind::Const(datum) => Ok(Vector::constant(form, datum, rows)),
        ExprKind::Column(i) => Ok(chunk.columns[*i].clone()),
        ExprKind::Param(i) => {
            let value = ctx.params.get(*i).ok_or_else(|| SqlError::internal(format!("no value for ${}", i + 1)))?;
            Ok(Vector::constant(form, value, rows))
        }
        ExprKind::Call { function, args } => {
            let types: Vec<Oid> = args.iter().map(|a| a.ty).collect();
            let args = args.iter().map(|a| eval(a, chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let args: Vec<&Vector> = args.iter().collect();
            let Some(callable) = functions::lookup(*function) else {
                return Err(SqlError::internal(format!("function {function} is not implemented")));
            };
            with_call(ctx, &types, expr.ty, |call| callable.kernel(call, &args, rows)).map_err(at)
        }
        ExprKind::And(list) => logic(list, chunk, ctx, false),
        ExprKind::Or(list) => logic(list, chunk, ctx, true),
        ExprKind::Not(arg) => {
            let mut v = eval(arg, chunk, ctx)?;
            if let Data::Bool(values) = &mut v.data {
                for (i, b) in values.iter_mut().enumerate() {
                    *b = !*b && !v.nulls.get(i);
                }
            }
            Ok(v)
        }
        ExprKind::IsNull(arg) => {
            let v = eval(arg, chunk, ctx)?;
            Ok(booleans((0..rows).map(|i| v.nulls.get(i))))
        }
        ExprKind::IsBool(arg, wanted) => {
            let v = eval(arg, chunk, ctx)?;
            Ok(booleans((0..rows).map(|i| v.get(i) == Datum::Bool(*wanted))))
        }
        ExprKind::IsDistinct { equal, args } => {
            let (a, b) = (eval(&args[0], chunk, ctx)?, eval(&args[1], chunk, ctx)?);
            let Some(Callable::Compare(c)) = functions::lookup(*equal) else {
                return Err(SqlError::unsupported("IS DISTINCT FROM for these types"));
            };
            let types = [args[0].ty, args[1].ty];
            Ok(with_call(ctx, &types, expr.ty, |call| {
                booleans((0..rows).map(|i| match (a.nulls.get(i), b.nulls.get(i)) {
                    (true, true) => false,
                    (false, false) => !c.test(call, &a.get(i), &b.get(i)),
                    _ => true,
                }))
            }))
        }
        ExprKind::CastByText(arg) => {
            let v = eval(arg, chunk, ctx)?;
            map(&v, rows, form, |d| {
                let text = types::io::to_text(arg.ty, &d, ctx.settings)?;
                types::io::text_in(expr.ty, -1, &text, ctx.settings)
            })
        }
        ExprKind::Coerce { arg, explicit } => {
            let v = eval(arg, chunk, ctx)?;
            if expr.typmod < 0 {
                return Ok(v);
            }
            map(&v, rows, form, |d| types::io::coerce(expr.ty, expr.typmod, d, *explicit))
        }
        ExprKind::Coalesce(list) => {
            let mut out: Vec<Datum> = vec![Datum::Null; rows];
            let mut open: Vec<u32> = (0..rows as u32).collect();
            for arg in list {
                if open.is_empty() {
                    break;
                }
                let v = eval(arg, &chunk.select(&open), ctx)?;
                open.iter().enumerate().for_each(|(i, &row)| out[row as usize] = v.get(i));
                open.retain(|&row| out[row as usize].is_null());
            }
            Ok(from_datums(form, &out))
        }
        ExprKind::Case { whens, default } => {
            let mut out: Vec<Datum> = vec![Datum::Null; rows];
            let mut open: Vec<u32> = (0..rows as u32).collect();
            for (condition, result) in whens {
                if open.is_empty() {
                    break;
                }
                let test = eval(condition, &chunk.select(&open), ctx)?;
                let hits: Vec<u32> = (0..open.len()).filter(|&i| is_true(&test, i)).map(|i| open[i]).collect();
                if hits.is_empty() {
                    continue;
                }
                let v = eval(result, &chunk.select(&hits), ctx)?;
                hits.iter().enumerate().for_each(|(i, &row)| out[row as usize] = v.get(i));
                open.retain(|row| !hits.contains(row));
            }
            if !open.is_empty() {
                let v = eval(default, &chunk.select(&open), ctx)?;
                open.iter().enumerate().for_each(|(i, &row)| out[row as usize] = v.get(i));
            }
            Ok(from_datums(form, &out))
        }
    }
}

/// Runs `f` with a call of these types.
pub fn with_call<T>(ctx: &Context<'_>, types: &[Oid], result: Oid, f: impl FnOnce(&mut Call<'_>) -> T) -> T {
    let mut host = NoHost;
    f(&mut Call::new(&mut host, ctx.settings, &BuiltinTypes).typed(types, result))
}

/// AND (`decisive` false) or OR (`decisive` true): an operand with the decisive value ends it for its row (Q2).
fn logic(list: &[Expr], chunk: &Chunk, ctx: &Context<'_>, decisive: bool) -> Result<Vector> {
    let mut out: Vec<Datum> = vec![Datum::Bool(!decisive); chunk.rows];
    let mut open: Vec<u32> = (0..chunk.rows as u32).collect();
    for arg in list {
        if open.is_empty() {
            break;
        }
        let v = if open.len() == chunk.rows { eval(arg, chunk, ctx)? } else { eval(arg, &chunk.select(&open), ctx)? };
        let mut still = Vec::with_capacity(open.len());
        for (i, &row) in open.iter().enumerate() {
            match v.get(i) {
                Datum::Bool(b) if b == decisive => {
                    out[row as usize] = Datum::Bool(decisive);
                    continue;
                }
                Datum::Null => out[row as usize] = Datum::Null,
                _ => {}
            }
            still.push(row);
        }
        open = still;
    }
    Ok(from_datums(Physical::Bool, &out))
}

fn booleans(values: impl Iterator<Item = bool>) -> Vector {
    Vector { data: Data::Bool(values.collect()), nulls: Default::default() }
}

fn from_datums(form: Physical, values: &[Datum]) -> Vector {
    let mut v = Vector::new(form);
    values.iter().for_each(|d| v.push(d));
    v
}

fn map(v: &Vector, rows: usize, form: Physical, f: impl Fn(Datum) -> Result<Datum>) -> Result<Vector> {
    let mut out = Vector::new(form);
    for i in 0..rows {
        match v.get(i) {
            Datum::Null => out.push_null(),
            d => out.push(&f(d)?),
        }
    }
    Ok(out)
}

/// Whether slot `i` of a boolean vector is true.
pub fn is_true(v: &Vector, i: usize) -> bool {
    matches!(&v.data, Data::Bool(b) if b[i]) && !v.nulls.get(i)
}

/// The rows for which `predicate` is true.
///
/// # Errors
/// As [`eval`].
pub fn select(predicate: &Expr, chunk: Chunk, ctx: &Context<'_>) -> Result<Chunk> {
    let test = eval(predicate, &chunk, ctx)?;
    let hits: Vec<u32> = (0..chunk.rows).filter(|&i| is_true(&test, i)).map(|i| i as u32).collect();
    Ok(if hits.len() == chunk.rows { chunk } else { chunk.select(&hits) })
}

/// The value of an expression that reads no columns.
///
/// # Errors
/// As [`eval`].
pub fn constant(expr: &Expr, ctx: &Context<'_>) -> Result<Datum> {
    let one = Chunk { columns: Vec::new(), rows: 1 };
    Ok(eval(expr, &one, ctx)?.get(0))
}

/// The value of an expression for one row.
///
/// # Errors
/// As [`eval`].
pub fn on_row(expr: &Expr, forms: &[Physical], row: &[Datum], ctx: &Context<'_>) -> Result<Datum> {
    let mut chunk = Chunk::new(forms);
    chunk.push_row(row);
    Ok(eval(expr, &chunk, ctx)?.get(0))
}
