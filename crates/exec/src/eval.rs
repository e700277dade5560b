//! Evaluating expressions over chunks.

mod listed;

use std::borrow::Cow;

use ext::Call;
use functions::decimal::Operand;
use plan::{CallForm, Expr, ExprKind};
use smallvec::SmallVec;
use types::array::{Array, ArrayView, Dimension};
use types::{Datum, Oid, Physical, Result, SqlError, SqlState, oid};
use vector::{Chunk, Data, Nulls, Vector};

use crate::{Context, subplan};

pub use listed::as_wide;

/// The values of `expr` for every row of `chunk`.
///
/// # Errors
/// What a function says.
pub fn eval<'c>(expr: &Expr, chunk: &'c Chunk, ctx: &mut Context<'_>) -> Result<Cow<'c, Vector>> {
    declined(expr, chunk.rows, ctx);
    node(expr, chunk, ctx)
}

/// Counts an operation that is done otherwise than by a program, if all that can be are to be.
fn declined(expr: &Expr, rows: usize, ctx: &Context<'_>) {
    if let Some(programs) = ctx.programs
        && programs.force
        && !expr.is_leaf()
        && !matches!(expr.kind, ExprKind::Native { .. })
    {
        programs.jit.decline(rows as u64);
    }
}

/// As [`eval`].
fn node<'c>(expr: &Expr, chunk: &'c Chunk, ctx: &mut Context<'_>) -> Result<Cow<'c, Vector>> {
    let rows = chunk.rows;
    let form = Physical::of(expr.ty);
    Ok(Cow::Owned(match &expr.kind {
        ExprKind::Column(i) => return Ok(Cow::Borrowed(&chunk.columns[*i])),
        ExprKind::Const(datum) => Vector::constant(form, datum, rows),
        ExprKind::Param(i) => Vector::constant(form, parameter(ctx, *i)?, rows),
        ExprKind::Slot(i) => Vector::constant(form, ctx.state.slots.get(*i).unwrap_or(&Datum::Null), rows),
        ExprKind::Call { function, args, .. } => {
            call(expr, *function, args, chunk, ctx).map_err(|e| in_sql_function(e, *function, args))?
        }
        ExprKind::Routine { routine, args, .. } => crate::routine::call(routine, args, form, chunk, ctx)?,
        ExprKind::Row { fields, names } => crate::composite::row(fields, names, chunk, ctx)?,
        ExprKind::Field { arg, index } => crate::composite::field(arg, *index, expr.ty, chunk, ctx)?,
        ExprKind::Checked { arg, check } => {
            let v = eval(arg, chunk, ctx)?;
            for i in 0..rows {
                crate::composite::check_value(check, &v.get(i), ctx)?;
            }
            v.into_owned()
        }
        ExprKind::And(list) => logic(list, chunk, ctx, false)?,
        ExprKind::Or(list) => logic(list, chunk, ctx, true)?,
        ExprKind::Not(arg) => {
            let mut v = eval(arg, chunk, ctx)?.into_owned();
            if let Data::Bool(values) = &mut v.data {
                for (i, b) in values.iter_mut().enumerate() {
                    *b = !*b && !v.nulls.get(i);
                }
            }
            v
        }
        ExprKind::IsNull(arg) => {
            let v = eval(arg, chunk, ctx)?;
            booleans((0..rows).map(|i| v.nulls.get(i)))
        }
        ExprKind::IsBool(arg, wanted) => {
            let v = eval(arg, chunk, ctx)?;
            booleans((0..rows).map(|i| v.get(i) == Datum::Bool(*wanted)))
        }
        ExprKind::IsDistinct { equal, args } => {
            let types = [args[0].ty, args[1].ty];
            let (a, b) = (eval(&args[0], chunk, ctx)?, eval(&args[1], chunk, ctx)?);
            let Some(function) = functions::lookup(*equal) else { return Err(missing(*equal)) };
            let same = function.kernel(&mut ctx.call(&types, types::oid::BOOL), &[&a, &b], rows)?;
            booleans((0..rows).map(|i| match (a.nulls.get(i), b.nulls.get(i)) {
                (true, true) => false,
                (false, false) => !is_true(&same, i),
                _ => true,
            }))
        }
        ExprKind::CastByText { arg, explicit } => {
            let v = eval(arg, chunk, ctx)?;
            let (settings, lookup) = (ctx.settings, ctx.types);
            let mut text = Vec::new();
            map(&v, rows, form, |d| {
                text.clear();
                types::io::text_out_with(arg.ty, &d, settings, lookup, &mut text)?;
                let text = std::str::from_utf8(&text).map_err(|_| SqlError::internal("text forms are UTF-8"))?;
                let value = types::io::text_in_with(expr.ty, -1, text, settings, lookup)?;
                if expr.typmod < 0 { Ok(value) } else { types::io::coerce(expr.ty, expr.typmod, value, *explicit) }
            })?
        }
        ExprKind::Coerce { arg, explicit } => {
            let v = eval(arg, chunk, ctx)?;
            let v = match (&v.data, form) {
                (Data::I32(_), Physical::U32) | (Data::U32(_), Physical::I32) => {
                    Cow::Owned(relabelled(v.into_owned(), form))
                }
                _ => v,
            };
            if expr.typmod < 0 {
                return Ok(v);
            }
            map(&v, rows, form, |d| types::io::coerce(expr.ty, expr.typmod, d, *explicit))?
        }
        ExprKind::Coalesce(list) => {
            let mut out: Vec<Datum> = vec![Datum::Null; rows];
            let mut open: Vec<u32> = (0..rows as u32).collect();
            for arg in list {
                if open.is_empty() {
                    break;
                }
                let part = narrowed(chunk, &open, arg);
                let v = eval(arg, &part, ctx)?;
                open.iter().enumerate().for_each(|(i, &row)| out[row as usize] = v.get(i));
                open.retain(|&row| out[row as usize].is_null());
            }
            from_datums(form, &out)
        }
        ExprKind::Case { whens, default } => case(whens, default, form, chunk, ctx)?,
        ExprKind::Extreme(greatest, list) => {
            let values = list.iter().map(|e| eval(e, chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let wanted = if *greatest { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less };
            let mut out = Vector::new(form);
            for i in 0..rows {
                let mut best = Datum::Null;
                for v in &values {
                    let d = v.get(i);
                    if !d.is_null()
                        && (best.is_null() || types::compare::compare_with(expr.ty, &d, &best, ctx.types) == wanted)
                    {
                        best = d;
                    }
                }
                out.push(&best);
            }
            out
        }
        ExprKind::AnyArray { all, function, args, .. } => listed::any_array(*all, *function, args, chunk, ctx)?,
        ExprKind::Array(list) => array(expr.ty, list, chunk, ctx)?,
        ExprKind::Subscript { array, indexes } => subscript(expr.ty, array, indexes, chunk, ctx)?,
        ExprKind::SqlJson { call, args } => crate::json::eval(expr, call, args, chunk, ctx)?,
        ExprKind::Sampled { args, blocks } => sampled(args, *blocks, chunk, ctx)?,
        ExprKind::CurrentRow { cursor, table, shown } => {
            let id = ctx.host.current_row(cursor, *table, shown)?;
            Vector::constant(form, &Datum::I64(id), rows)
        }
        ExprKind::Part { array, element, bounds, slice, value } => {
            part(*element, (array, bounds, *slice), value.as_deref(), chunk, ctx)?
        }
        ExprKind::Subquery(sub) => subplan::eval(sub, form, chunk, ctx)?,
        ExprKind::Native { original, means } => return crate::native::values(original, means, chunk, ctx),
    }))
}

/// The value of parameter `i`, from 0.
///
/// # Errors
/// When it has none.
pub fn parameter<'p>(ctx: &Context<'p>, i: usize) -> Result<&'p Datum> {
    ctx.params.get(i).ok_or_else(|| SqlError::internal(format!("no value for ${}", i + 1)))
}

/// The value of what is looked up; `None` where there is something to compute.
///
/// # Errors
/// As [`parameter`].
pub fn at_hand<'v>(e: &'v Expr, ctx: &'v Context<'_>) -> Result<Option<&'v Datum>> {
    Ok(match &e.kind {
        ExprKind::Const(datum) => Some(datum),
        ExprKind::Param(i) => Some(parameter(ctx, *i)?),
        ExprKind::Slot(i) => Some(ctx.state.slots.get(*i).unwrap_or(&Datum::Null)),
        _ => None,
    })
}

fn missing(function: Oid) -> SqlError {
    SqlError::internal(format!("function {function} is not implemented"))
}

/// The surroundings of the call that `expr` is.
fn call_of<'c>(expr: &Expr, types: &'c [Oid], ctx: &'c mut Context<'_>) -> Call<'c> {
    let mut call = ctx.call(types, expr.ty);
    call.variadic = matches!(expr.kind, ExprKind::Call { form: CallForm::Variadic, .. });
    call
}

/// What PostgreSQL says around an error of a built-in function that is written in SQL there, where it runs that function instead of putting its
/// body in its place: on constants.
fn in_sql_function(error: SqlError, function: Oid, args: &[Expr]) -> SqlError {
    let constant = args.iter().all(|a| matches!(a.kind, ExprKind::Const(_)));
    match catalog::builtin::proc_by_oid(function) {
        // Nothing but such a body is not in `prosrc`.
        Some(p) if constant && p.source.is_empty() => error.context(format!("SQL function \"{}\" statement 1", p.name)),
        _ => error,
    }
}

fn call(expr: &Expr, function: Oid, args: &[Expr], chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    let Some(implementation) = functions::lookup(function) else { return Err(missing(function)) };
    let mut types = [Oid::NONE; 8];
    let spilled: Vec<Oid>;
    let types: &[Oid] = if args.len() <= types.len() {
        args.iter().enumerate().for_each(|(i, a)| types[i] = a.ty);
        &types[..args.len()]
    } else {
        spilled = args.iter().map(|a| a.ty).collect();
        &spilled
    };
    match args {
        [a] => {
            let a = eval(a, chunk, ctx)?;
            implementation.kernel(&mut call_of(expr, types, ctx), &[&a], chunk.rows)
        }
        [a, b] if a.ty == oid::NUMERIC && functions::decimal::is_known(function) => {
            let (a, b) = (operand(a, chunk, ctx)?, operand(b, chunk, ctx)?);
            if let Some(v) = functions::decimal::binary(function, &a, &b, chunk.rows) {
                return Ok(v);
            }
            let (a, b) = (a.into_vector(chunk.rows), b.into_vector(chunk.rows));
            implementation.kernel(&mut call_of(expr, types, ctx), &[&a, &b], chunk.rows)
        }
        [a, b] => {
            let (a, b) = (eval(a, chunk, ctx)?, eval(b, chunk, ctx)?);
            implementation.kernel(&mut call_of(expr, types, ctx), &[&a, &b], chunk.rows)
        }
        _ => {
            let values = args.iter().map(|a| eval(a, chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
            implementation.kernel(&mut call_of(expr, types, ctx), &values, chunk.rows)
        }
    }
}

/// An argument: what is one value for all rows is not made a column.
fn operand<'c>(e: &Expr, chunk: &'c Chunk, ctx: &mut Context<'_>) -> Result<Operand<'c>> {
    Ok(match e.kind {
        ExprKind::Const(_) | ExprKind::Param(_) | ExprKind::Slot(_) => Operand::One(constant(e, ctx)?),
        _ => Operand::Column(eval(e, chunk, ctx)?),
    })
}

/// The rows of `chunk` that `rows` lists, with the columns that `read` reads: to copy the others would often cost more than what is computed.
fn narrowed(chunk: &Chunk, rows: &[u32], read: &Expr) -> Chunk {
    let mut wanted = SmallVec::<[bool; 64]>::from_elem(false, chunk.columns.len());
    read.mark_columns(&mut wanted);
    let column = |(v, wanted): (&Vector, bool)| if wanted { v.select(rows) } else { Vector::absent(rows.len()) };
    Chunk { columns: chunk.columns.iter().zip(wanted).map(column).collect(), rows: rows.len() }
}

fn case(
    whens: &[(Expr, Expr)],
    default: &Expr,
    form: Physical,
    chunk: &Chunk,
    ctx: &mut Context<'_>,
) -> Result<Vector> {
    let mut out: Vec<Datum> = vec![Datum::Null; chunk.rows];
    let mut open: Vec<u32> = (0..chunk.rows as u32).collect();
    for (condition, result) in whens {
        if open.is_empty() {
            break;
        }
        let part = narrowed(chunk, &open, condition);
        let test = eval(condition, &part, ctx)?;
        let mut hits = Vec::new();
        let mut rest = Vec::new();
        for (i, &row) in open.iter().enumerate() {
            if is_true(&test, i) { hits.push(row) } else { rest.push(row) }
        }
        if hits.is_empty() {
            continue;
        }
        let part = narrowed(chunk, &hits, result);
        let v = eval(result, &part, ctx)?;
        hits.iter().enumerate().for_each(|(i, &row)| out[row as usize] = v.get(i));
        open = rest;
    }
    if !open.is_empty() {
        let part = narrowed(chunk, &open, default);
        let v = eval(default, &part, ctx)?;
        open.iter().enumerate().for_each(|(i, &row)| out[row as usize] = v.get(i));
    }
    Ok(from_datums(form, &out))
}

/// AND (`decisive` false) or OR (`decisive` true): an operand with the decisive value ends it for its row (Q2).
fn logic(list: &[Expr], chunk: &Chunk, ctx: &mut Context<'_>, decisive: bool) -> Result<Vector> {
    let mut out = vec![!decisive; chunk.rows];
    let mut nulls = Nulls::default();
    let mut open: Option<Vec<u32>> = None;
    for arg in list {
        let selected;
        let part = match &open {
            Some(rows) if rows.is_empty() => break,
            Some(rows) => {
                selected = narrowed(chunk, rows, arg);
                &selected
            }
            None => chunk,
        };
        let v = eval(arg, part, ctx)?;
        let Data::Bool(values) = &v.data else { return Err(SqlError::internal("an operand of AND or OR is boolean")) };
        let mut still = Vec::new();
        for (i, &value) in values.iter().enumerate().take(part.rows) {
            let row = open.as_ref().map_or(i as u32, |rows| rows[i]);
            if v.nulls.get(i) {
                nulls.set(row as usize);
            } else if value == decisive {
                out[row as usize] = decisive;
                continue;
            }
            still.push(row);
        }
        open = if still.len() == chunk.rows { None } else { Some(still) };
    }
    if !nulls.none() {
        // A later decisive operand overrules a NULL.
        let mut left = Nulls::default();
        for (i, value) in out.iter_mut().enumerate() {
            if nulls.get(i) && *value != decisive {
                left.set(i);
                *value = false;
            }
        }
        nulls = left;
    }
    Ok(Vector { data: Data::Bool(out), nulls })
}

fn element_type(ty: Oid) -> Oid {
    match ty {
        types::oid::INT2VECTOR => types::oid::INT2,
        types::oid::OIDVECTOR => types::oid::OID,
        ty => types::io::builtin_element(ty).unwrap_or(types::oid::TEXT),
    }
}

fn array(ty: Oid, list: &[Expr], chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    let element = element_type(ty);
    let nested = list.iter().all(|e| e.ty == ty);
    let values = list.iter().map(|e| eval(e, chunk, ctx)).collect::<Result<Vec<_>>>()?;
    let mut out = Vector::new(Physical::Var);
    for i in 0..chunk.rows {
        let items: Vec<Datum> = values.iter().map(|v| v.get(i)).collect();
        let built = if nested { stack(element, &items)? } else { Array::one_dimensional(element, items) };
        out.push(&built.to_datum());
    }
    Ok(out)
}

/// An array whose elements along a new first dimension are the arrays `items`.
fn stack(element: Oid, items: &[Datum]) -> Result<Array> {
    let arrays: Vec<Array> = items.iter().map(Array::from_datum).collect();
    let inner = arrays.first().map_or(Vec::new(), |a| a.dimensions.clone());
    if items.iter().any(Datum::is_null) || arrays.iter().any(|a| a.dimensions != inner) {
        let message = "multidimensional arrays must have array expressions with matching dimensions";
        return Err(SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message));
    }
    if inner.is_empty() {
        return Ok(Array::empty(element));
    }
    let first = Dimension { len: arrays.len() as i32, lower: 1 };
    let dimensions: Vec<Dimension> = std::iter::once(first).chain(inner).collect();
    types::array::check_dimensions(&dimensions)?;
    Ok(Array { element, dimensions, values: arrays.into_iter().flat_map(|a| a.values).collect() })
}

fn subscript(ty: Oid, array: &Expr, indexes: &[Expr], chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    let arrays = eval(array, chunk, ctx)?;
    let indexes = indexes.iter().map(|e| eval(e, chunk, ctx)).collect::<Result<Vec<_>>>()?;
    let mut out = Vector::new(Physical::of(ty));
    for i in 0..chunk.rows {
        let value = arrays.get(i);
        let places: Option<Vec<i32>> = indexes
            .iter()
            .map(|v| match v.get(i) {
                Datum::I32(n) => Some(n),
                _ => None,
            })
            .collect();
        match (value.as_bytes(), places) {
            (Some(bytes), Some(places)) => {
                let array = ArrayView::new(bytes);
                out.push(&array.index_of(&places).map(|at| array.get(at)).unwrap_or_default());
            }
            _ => out.push_null(),
        }
    }
    Ok(out)
}

/// Which rows are in a sample: those whose ids, or blocks, hash to low numbers.
fn sampled(args: &[Expr], blocks: bool, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    let ids = eval(&args[0], chunk, ctx)?;
    let percents = eval(&args[1], chunk, ctx)?;
    let seeds = args.get(2).map(|e| eval(e, chunk, ctx)).transpose()?;
    let now = ctx.host.clock_timestamp().wrapping_add(i64::from(ctx.snapshot.command));
    let once = *ctx.state.sample_seed.get_or_insert(now as u64);
    let mut chosen = Vec::with_capacity(chunk.rows);
    for i in 0..chunk.rows {
        let percent = match percents.get(i) {
            Datum::F32(p) => f64::from(p),
            _ => {
                let message = "TABLESAMPLE parameter cannot be null";
                return Err(SqlError::new(types::SqlState::INVALID_TABLESAMPLE_ARGUMENT, message));
            }
        };
        if !(0.0..=100.0).contains(&percent) {
            let message = "sample percentage must be between 0 and 100";
            return Err(SqlError::new(types::SqlState::INVALID_TABLESAMPLE_ARGUMENT, message));
        }
        let seed = match seeds.as_ref().map(|s| s.get(i)) {
            None => once,
            Some(Datum::F64(s)) => s.to_bits(),
            Some(_) => {
                let message = "TABLESAMPLE REPEATABLE parameter cannot be null";
                return Err(SqlError::new(types::SqlState::INVALID_TABLESAMPLE_REPEAT, message));
            }
        };
        let Datum::I64(id) = ids.get(i) else {
            chosen.push(false);
            continue;
        };
        let id = storage::RowId::from_u64(id as u64);
        let place = (id.block, if blocks { 0 } else { u32::from(id.slot) + 1 });
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((place, seed)) >> 32;
        chosen.push((hash as f64) < percent / 100.0 * f64::from(u32::MAX) + if percent >= 100.0 { 1.0 } else { 0.0 });
    }
    Ok(booleans(chosen.into_iter()))
}

/// Slices of arrays, or arrays with a part assigned.
fn part(
    element: Oid,
    (array, bounds, slice): (&Expr, &[[Option<Expr>; 2]], bool),
    value: Option<&Expr>,
    chunk: &Chunk,
    ctx: &mut Context<'_>,
) -> Result<Vector> {
    let arrays = eval(array, chunk, ctx)?;
    let mut ends = Vec::with_capacity(2 * bounds.len());
    for end in bounds.iter().flatten() {
        ends.push(end.as_ref().map(|e| eval(e, chunk, ctx)).transpose()?);
    }
    let values = value.map(|e| eval(e, chunk, ctx)).transpose()?;
    let mut out = Vector::new(Physical::Var);
    for i in 0..chunk.rows {
        let own: Vec<[Option<Datum>; 2]> = ends
            .chunks(2)
            .map(|pair| [pair[0].as_ref().map(|v| v.get(i)), pair[1].as_ref().map(|v| v.get(i))])
            .collect();
        let current = arrays.get(i);
        if let (Some(values), types::oid::JSONB) = (&values, array.ty) {
            let keys: Vec<Datum> = own.into_iter().map(|[_, key]| key.unwrap_or_default()).collect();
            out.push(&functions::json_assign::assign(&current, &keys, &values.get(i))?);
            continue;
        }
        if let Some(values) = &values {
            out.push(&types::array::assign(&current, element, &own, slice, &values.get(i))?);
            continue;
        }
        let numbers: Option<Vec<types::array::Bounds>> = own
            .iter()
            .map(|pair| {
                let number = |d: &Option<Datum>| match d {
                    None => Some(None),
                    Some(Datum::I32(n)) => Some(Some(*n)),
                    Some(_) => None,
                };
                Some([number(&pair[0])?, number(&pair[1])?])
            })
            .collect();
        match numbers.filter(|_| !current.is_null()) {
            Some(numbers) => out.push(&types::array::Array::from_datum(&current).slice(&numbers).to_datum()),
            None => out.push_null(),
        }
    }
    Ok(out)
}

fn booleans(values: impl Iterator<Item = bool>) -> Vector {
    Vector { data: Data::Bool(values.collect()), nulls: Nulls::default() }
}

/// A vector of `values`.
pub fn from_datums(form: Physical, values: &[Datum]) -> Vector {
    let mut v = Vector::new(form);
    values.iter().for_each(|d| v.push(d));
    v
}

fn map(v: &Vector, rows: usize, form: Physical, mut f: impl FnMut(Datum) -> Result<Datum>) -> Result<Vector> {
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
#[inline]
pub fn is_true(v: &Vector, i: usize) -> bool {
    matches!(&v.data, Data::Bool(b) if b[i]) && !v.nulls.get(i)
}

/// The rows for which `predicate` is true; `None` for all.
///
/// # Errors
/// As `eval`.
pub fn matching(predicate: &Expr, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Option<Vec<u32>>> {
    if let ExprKind::Native { means, .. } = &predicate.kind
        && let Some(rows) = crate::native::kept(means, chunk, ctx)?
    {
        return Ok((rows.len() < chunk.rows).then_some(rows));
    }
    let test = eval(predicate, chunk, ctx)?;
    let Data::Bool(values) = &test.data else { return Err(SqlError::internal("a predicate is boolean")) };
    let values = &values[..chunk.rows];
    // NULL slots hold false (V2).
    Ok(if values.iter().all(|&b| b) { None } else { Some(true_slots(values)) })
}

/// The slots of the values that are true; without a branch per slot, which no processor would predict.
fn true_slots(values: &[bool]) -> Vec<u32> {
    let mut hits = vec![0u32; values.len() + 1];
    let mut found = 0;
    for (i, &value) in values.iter().enumerate() {
        // The slot after the last hit is written over until a hit moves on.
        if let Some(place) = hits.get_mut(found) {
            *place = i as u32;
        }
        found += usize::from(value);
    }
    hits.truncate(found);
    hits
}

/// The same bits in another form: `int4` and `oid` are binary coercible in PostgreSQL, but not alike here.
fn relabelled(v: Vector, form: Physical) -> Vector {
    let Vector { data, nulls } = v;
    let data = match (data, form) {
        (Data::I32(values), Physical::U32) => Data::U32(values.into_iter().map(|i| i as u32).collect()),
        (Data::U32(values), Physical::I32) => Data::I32(values.into_iter().map(|i| i as i32).collect()),
        (data, _) => data,
    };
    Vector { data, nulls }
}

/// Keeps the rows for which `predicate` is true.
///
/// # Errors
/// As `eval`.
pub fn retain(predicate: &Expr, chunk: &mut Chunk, ctx: &mut Context<'_>) -> Result<()> {
    if let Some(hits) = matching(predicate, chunk, ctx)? {
        chunk.compact(&hits);
    }
    Ok(())
}

/// The value of an expression that reads no columns.
///
/// # Errors
/// As `eval`.
pub fn constant(expr: &Expr, ctx: &mut Context<'_>) -> Result<Datum> {
    row_value(expr, &[], &[], ctx)
}

/// The value of an expression for one row: without vectors as far as that goes.
///
/// # Errors
/// As `eval`.
pub fn on_row(expr: &Expr, forms: &[Physical], row: &[Datum], ctx: &mut Context<'_>) -> Result<Datum> {
    // What reads no row is computed once.
    if !forms.is_empty() {
        declined(expr, 1, ctx);
    }
    row_value(expr, forms, row, ctx)
}

/// As [`on_row`].
pub fn row_value(expr: &Expr, forms: &[Physical], row: &[Datum], ctx: &mut Context<'_>) -> Result<Datum> {
    match &expr.kind {
        ExprKind::Column(i) => Ok(row[*i].clone()),
        ExprKind::Const(datum) => Ok(datum.clone()),
        ExprKind::Param(i) => parameter(ctx, *i).cloned(),
        ExprKind::Slot(i) => Ok(ctx.state.slots.get(*i).cloned().unwrap_or_default()),
        // A program for one row is slower than none.
        ExprKind::Native { original, .. } if !ctx.programs.is_some_and(|p| p.force) => {
            row_value(original, forms, row, ctx)
        }
        ExprKind::Coerce { arg, explicit } => {
            let value = match (row_value(arg, forms, row, ctx)?, Physical::of(expr.ty)) {
                (Datum::I32(v), Physical::U32) => Datum::U32(v.cast_unsigned()),
                (Datum::U32(v), Physical::I32) => Datum::I32(v.cast_signed()),
                (value, _) => value,
            };
            types::io::coerce(expr.ty, expr.typmod, value, *explicit)
        }
        ExprKind::Call { function, args, .. } => {
            let Some(implementation) = functions::lookup(*function) else { return Err(missing(*function)) };
            let types: SmallVec<[Oid; 4]> = args.iter().map(|a| a.ty).collect();
            let mut values: SmallVec<[Datum; 4]> = SmallVec::new();
            for arg in args {
                values.push(row_value(arg, forms, row, ctx)?);
            }
            let value = implementation.scalar(&mut call_of(expr, &types, ctx), &values);
            value.map_err(|e| in_sql_function(e, *function, args))
        }
        ExprKind::IsNull(arg) => Ok(Datum::Bool(row_value(arg, forms, row, ctx)?.is_null())),
        ExprKind::And(list) => decided(list, forms, row, ctx, false),
        ExprKind::Or(list) => decided(list, forms, row, ctx, true),
        _ => {
            let mut chunk = Chunk::new(forms);
            chunk.push_row(row);
            Ok(node(expr, &chunk, ctx)?.get(0))
        }
    }
}

/// AND (`decisive` false) or OR (`decisive` true) of one row, as in `logic` (Q2).
fn decided(list: &[Expr], forms: &[Physical], row: &[Datum], ctx: &mut Context<'_>, decisive: bool) -> Result<Datum> {
    let mut outcome = Datum::Bool(!decisive);
    for arg in list {
        match row_value(arg, forms, row, ctx)? {
            Datum::Bool(b) if b == decisive => return Ok(Datum::Bool(decisive)),
            Datum::Bool(_) => {}
            _ => outcome = Datum::Null,
        }
    }
    Ok(outcome)
}
