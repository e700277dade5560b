//! `x = ANY (list)` and `x <> ALL (list)`: whether a value is in a list, or an array.

use std::borrow::Cow;
use std::hash::Hash;

use functions::Callable;
use hashbrown::HashSet;
use plan::Expr;
use types::array::ArrayView;
use types::compare::Sign;
use types::{Datum, Oid, Physical, Result, oid};
use vector::{Chunk, Data, Vector};

use super::{constant, element_type, eval, missing};
use crate::Context;

/// Lists up to this long are searched from one end.
const SHORT: usize = 8;

/// The values of `x op ANY (array)`, or with `all` those of `x op ALL (array)`.
pub(super) fn any_array(
    all: bool,
    function: Oid,
    args: &[Expr; 2],
    chunk: &Chunk,
    ctx: &mut Context<'_>,
) -> Result<Vector> {
    let Some(implementation) = functions::lookup(function) else { return Err(missing(function)) };
    let types = [args[0].ty, element_type(args[1].ty)];
    if chunk.rows == 0 {
        return Ok(Vector::new(Physical::Bool));
    }
    if !args[1].is_fixed() {
        let (left, arrays) = (eval(&args[0], chunk, ctx)?, eval(&args[1], chunk, ctx)?);
        return one_by_one(
            all,
            implementation,
            &types,
            &left,
            |i| items_of(&arrays.get(i)).map(Cow::Owned),
            chunk.rows,
            ctx,
        );
    }
    let left = eval(&args[0], chunk, ctx)?;
    let items = items_of(&constant(&args[1], ctx)?);
    let member = match (implementation, all) {
        (Callable::Compare(c), false) if c.is_same_type() && c.sign == Sign::Equal => Some(true),
        (Callable::Compare(c), true) if c.is_same_type() && c.sign == Sign::NotEqual => Some(false),
        _ => None,
    };
    if let (Some(member), Some(items)) = (member, items.as_deref().filter(|items| !items.is_empty()))
        && let Some(mut found) = listed(&left, types[0], items)
    {
        let mut nulls = left.nulls.clone();
        let unknown = items.iter().any(Datum::is_null);
        for (i, value) in found.iter_mut().enumerate() {
            let null = left.nulls.get(i);
            if null || !*value && unknown {
                nulls.set(i);
            }
            *value = !null && if *value { member } else { !unknown && !member };
        }
        return Ok(Vector { data: Data::Bool(found), nulls });
    }
    let items = items.as_deref();
    one_by_one(all, implementation, &types, &left, |_| items.map(Cow::Borrowed), chunk.rows, ctx)
}

/// `value` in `form`, if both are integers; `None` for those that it cannot hold, which equal none that it does.
pub fn as_wide(value: &Datum, form: Physical) -> Option<Cow<'_, Datum>> {
    let n = match value {
        Datum::I16(n) => i64::from(*n),
        Datum::I32(n) => i64::from(*n),
        Datum::I64(n) => *n,
        other => return Some(Cow::Borrowed(other)),
    };
    Some(Cow::Owned(match form {
        Physical::I16 => Datum::I16(n.try_into().ok()?),
        Physical::I32 => Datum::I32(n.try_into().ok()?),
        Physical::I64 => Datum::I64(n),
        _ => return Some(Cow::Borrowed(value)),
    }))
}

/// The elements of an array; none of NULL.
fn items_of(array: &Datum) -> Option<Vec<Datum>> {
    Some(ArrayView::new(array.as_bytes()?).iter().collect())
}

/// Which values of `left`, of type `ty`, are in `items`; `None` for types whose equal values may differ in their bytes. What it says
/// of NULL means nothing.
fn listed(left: &Vector, ty: Oid, items: &[Datum]) -> Option<Vec<bool>> {
    macro_rules! among {
        ($values:ident, $form:ident) => {{
            let own = |d| match as_wide(d, Physical::$form).as_deref() {
                Some(Datum::$form(x)) => Some(*x),
                _ => None,
            };
            let items = items.iter().filter_map(own);
            let list = List::new(items.collect());
            $values.iter().map(|x| list.has(x)).collect()
        }};
    }
    Some(match &left.data {
        Data::I16(values) => among!(values, I16),
        Data::I32(values) => among!(values, I32),
        Data::U32(values) => among!(values, U32),
        Data::I64(values) => among!(values, I64),
        Data::Var(values) if matches!(ty, oid::TEXT | oid::VARCHAR) => {
            let list: List<&[u8]> = List::new(items.iter().filter_map(Datum::as_bytes).collect());
            (0..values.len()).map(|i| list.has(&values.get(i))).collect()
        }
        _ => return None,
    })
}

/// Values to be looked for.
enum List<T> {
    Short(Vec<T>),
    Long(HashSet<T>),
}

impl<T: Eq + Hash> List<T> {
    fn new(items: Vec<T>) -> List<T> {
        if items.len() <= SHORT { List::Short(items) } else { List::Long(items.into_iter().collect()) }
    }

    fn has(&self, value: &T) -> bool {
        match self {
            List::Short(items) => items.iter().any(|i| i == value),
            List::Long(items) => items.contains(value),
        }
    }
}

/// Any operator, any types: value by value.
fn one_by_one<'i>(
    all: bool,
    implementation: Callable,
    types: &[Oid; 2],
    left: &Vector,
    items: impl Fn(usize) -> Option<Cow<'i, [Datum]>>,
    rows: usize,
    ctx: &mut Context<'_>,
) -> Result<Vector> {
    let mut out = Vector::new(Physical::Bool);
    for i in 0..rows {
        let Some(items) = items(i) else {
            out.push_null();
            continue;
        };
        let value = left.get(i);
        let mut outcome = Datum::Bool(all);
        for item in items.iter() {
            let test = implementation.scalar(&mut ctx.call(types, oid::BOOL), &[value.clone(), item.clone()])?;
            match test {
                Datum::Bool(b) if b != all => {
                    outcome = Datum::Bool(b);
                    break;
                }
                Datum::Bool(_) => {}
                _ => outcome = Datum::Null,
            }
        }
        out.push(&outcome);
    }
    Ok(out)
}
