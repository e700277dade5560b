//! Where in an index the entries of a range stand.

use plan::{Bound, ExprKind, IndexRange, TableRef};
use smallvec::{SmallVec, smallvec};
use storage::btree::ScanBounds;
use types::array::Array;
use types::{Datum, Physical, Result};

use crate::Context;
use crate::eval::{as_wide, at_hand, constant};
use crate::index::encode_prefix;

/// Stretches of an index, in its order: nearly always one.
pub type Stretches = SmallVec<[ScanBounds; 1]>;

/// Makes `key` the values of the first columns that `range` names, and shows them to `see`; false where one is NULL, so that nothing matches.
///
/// # Errors
/// What computing the values says.
pub fn prefix(
    table: &TableRef,
    range: &IndexRange,
    key: &mut Vec<u8>,
    ctx: &mut Context<'_>,
    mut see: impl FnMut(&Datum),
) -> Result<bool> {
    let index = &table.indexes[range.index];
    key.clear();
    for (i, e) in range.equal.iter().enumerate() {
        let computed;
        let value = match at_hand(e, ctx)? {
            Some(value) => value,
            None => {
                computed = constant(e, ctx)?;
                &computed
            }
        };
        if value.is_null() && !matches!(e.kind, ExprKind::Const(_)) {
            return Ok(false);
        }
        encode_prefix(key, table, index, i, value, ctx)?;
        see(value);
    }
    Ok(true)
}

/// Makes `out` the stretches of `range`, whose [`prefix`] is `key`. What is in `out` is used again.
///
/// # Errors
/// What computing the values says.
pub fn stretches(
    table: &TableRef,
    range: &IndexRange,
    key: &[u8],
    ctx: &mut Context<'_>,
    out: &mut Stretches,
) -> Result<()> {
    let spare = out.pop();
    out.clear();
    if has_bounds(range) {
        *out = ranges(table, range, key, ctx)?;
        return Ok(());
    }
    let mut bounds = spare.unwrap_or_default();
    bounds.set_prefix(key);
    out.push(bounds);
    Ok(())
}

/// Whether it is more than values of its first columns.
fn has_bounds(range: &IndexRange) -> bool {
    range.any.is_some() || range.low.is_some() || range.high.is_some() || range.not_null
}

/// The stretches of a range that is more than values of its first columns, which `key` has.
fn ranges(table: &TableRef, range: &IndexRange, key: &[u8], ctx: &mut Context<'_>) -> Result<Stretches> {
    let index = &table.indexes[range.index];
    let next = range.equal.len();
    if let Some(array) = &range.any {
        let array = constant(array, ctx)?;
        let mut keys: Vec<Vec<u8>> = Vec::new();
        let form = Physical::of(index.key_type(next, &table.columns));
        let values = Array::from_datum(&array).values;
        for value in values.iter().filter(|v| !v.is_null()).filter_map(|v| as_wide(v, form)) {
            let mut own = key.to_vec();
            encode_prefix(&mut own, table, index, next, &value, ctx)?;
            keys.push(own);
        }
        keys.sort_unstable();
        keys.dedup();
        return Ok(keys.iter().map(|k| ScanBounds::prefix(k)).collect());
    }
    // `None` is NULL, `Some(None)` no bound.
    type Encoded = Option<Option<(Vec<u8>, bool)>>;
    let bound = |b: &Option<Bound>, ctx: &mut Context<'_>| -> Result<Encoded> {
        let Some(b) = b else { return Ok(Some(None)) };
        let value = constant(&b.value, ctx)?;
        if value.is_null() {
            return Ok(None);
        }
        let mut key = key.to_vec();
        encode_prefix(&mut key, table, index, next, &value, ctx)?;
        Ok(Some(Some((key, b.inclusive))))
    };
    let (Some(low), Some(high)) = (bound(&range.low, ctx)?, bound(&range.high, ctx)?) else {
        return Ok(Stretches::new());
    };
    // NULLs stand at one end.
    let mut null = key.to_vec();
    encode_prefix(&mut null, table, index, next, &Datum::Null, ctx)?;
    let at_end = !index.columns[next].2;
    let null = Some((&null[..], false));
    let low = low.as_ref().map(|b| (&b.0[..], b.1)).or(null.filter(|_| !at_end));
    let high = high.as_ref().map(|b| (&b.0[..], b.1)).or(null.filter(|_| at_end));
    Ok(smallvec![ScanBounds::range(key, low, high)])
}
