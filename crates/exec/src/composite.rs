//! Rows as values: making them, taking a column out of them; and what domains ask of values.

use plan::{Expr, ValueCheck};
use types::array::ArrayView;
use types::record::{RecordView, to_datum, to_named_datum};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};
use vector::{Chunk, Vector};

use crate::Context;
use crate::eval::{eval, on_row};

/// The rows of `fields` over each row of `chunk`.
pub(crate) fn row(fields: &[Expr], names: &[String], chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    let values = fields.iter().map(|e| eval(e, chunk, ctx)).collect::<Result<Vec<_>>>()?;
    let mut out = Vector::new(Physical::Var);
    for i in 0..chunk.rows {
        let columns: Vec<(Oid, Datum)> = fields.iter().zip(&values).map(|(f, v)| (f.ty, v.get(i))).collect();
        out.push(&if names.is_empty() { to_datum(&columns) } else { to_named_datum(&columns, names) });
    }
    Ok(out)
}

/// Column `index` of each row value.
pub(crate) fn field(arg: &Expr, index: usize, ty: Oid, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    let rows = eval(arg, chunk, ctx)?;
    let mut out = Vector::new(Physical::of(ty));
    for i in 0..chunk.rows {
        match rows.get(i).as_bytes() {
            Some(bytes) => {
                let view = RecordView::new(bytes);
                // An anonymous row may be of other columns than those it was said to have.
                if arg.ty == types::oid::RECORD || index >= view.len() {
                    check_column(&view, index, ty, ctx)?;
                }
                out.push(&view.get(index));
            }
            None => out.push_null(),
        }
    }
    Ok(out)
}

/// Fails unless column `index` of a row is of type `ty`, or the row ends before it.
///
/// # Errors
/// `42804`.
pub(crate) fn check_column(view: &RecordView<'_>, index: usize, ty: Oid, ctx: &Context<'_>) -> Result<()> {
    let own = view.column_type(index);
    if index >= view.len() || own == ty {
        return Ok(());
    }
    let (own, wanted) = (ctx.types.type_name(own), ctx.types.type_name(ty));
    let detail = format!("Returned type {own} at ordinal position {}, but query expects {wanted}.", index + 1);
    Err(unlike().detail(detail))
}

/// `42804`: a row is not of the columns that it was said to have.
pub(crate) fn unlike() -> SqlError {
    let message = "function return row and query-specified return row do not match";
    SqlError::new(SqlState::DATATYPE_MISMATCH, message)
}

/// Fails unless `value` is what `check` asks for.
///
/// # Errors
/// `23502`, `23514`.
pub fn check_value(check: &ValueCheck, value: &Datum, ctx: &mut Context<'_>) -> Result<()> {
    match check {
        ValueCheck::Domain(rules) => {
            if rules.not_null && value.is_null() {
                let message = format!("domain {} does not allow null values", rules.shown);
                return Err(of_type(SqlError::new(SqlState::NOT_NULL_VIOLATION, message), rules));
            }
            if let Some(inner) = &rules.inner {
                check_value(inner, value, ctx)?;
            }
            for (name, condition) in &rules.checks {
                let form = [Physical::of(rules.oid)];
                if on_row(condition, &form, std::slice::from_ref(value), ctx)? == Datum::Bool(false) {
                    let message = format!("value for domain {} violates check constraint \"{name}\"", rules.shown);
                    let mut e = of_type(SqlError::new(SqlState::CHECK_VIOLATION, message), rules);
                    e.fields_mut().constraint = Some(name.clone());
                    return Err(e);
                }
            }
            Ok(())
        }
        ValueCheck::Elements(inner) => match value.as_bytes() {
            Some(bytes) => ArrayView::new(bytes).iter().try_for_each(|d| check_value(inner, &d, ctx)),
            None => Ok(()),
        },
        ValueCheck::Fields(list) => match value.as_bytes() {
            Some(bytes) => {
                let view = RecordView::new(bytes);
                list.iter().try_for_each(|(i, inner)| check_value(inner, &view.get(*i), ctx))
            }
            None => Ok(()),
        },
    }
}

fn of_type(mut e: SqlError, rules: &plan::DomainRules) -> SqlError {
    let fields = e.fields_mut();
    fields.schema = Some(rules.name.0.clone());
    fields.data_type = Some(rules.name.1.clone());
    e
}
