//! Keys under which equal values meet: their order-preserving encoding says what is equal, as for sorting.

use types::{Datum, Oid, Result, oid};
use vector::Vector;

use crate::Context;

/// Appends the key of slot `i` of `v`.
pub fn encode(
    out: &mut Vec<u8>,
    ty: Oid,
    v: &Vector,
    i: usize,
    descending: bool,
    nulls_first: bool,
    ctx: &Context<'_>,
) -> Result<()> {
    // What has no fixed length is read where it lies.
    match v.var(i) {
        Some(bytes) => types::sortkey::encode_var_key(out, ty, bytes, descending, ctx.types),
        None => types::sortkey::encode_key_with(out, ty, &v.get(i), descending, nulls_first, ctx.types),
    }
}

/// Appends the key of row `i`, one value after the other.
pub fn encode_row(out: &mut Vec<u8>, types: &[Oid], values: &[&Vector], i: usize, ctx: &Context<'_>) -> Result<()> {
    for (&ty, v) in types.iter().zip(values) {
        encode(out, ty, v, i, false, false, ctx)?;
    }
    Ok(())
}

/// Appends the join key of row `i`: integers of any width encode alike. False when a part is NULL, which equals nothing.
pub fn encode_join(out: &mut Vec<u8>, types: &[Oid], values: &[&Vector], i: usize, ctx: &Context<'_>) -> Result<bool> {
    for (&ty, v) in types.iter().zip(values) {
        if let Some(bytes) = v.var(i) {
            let ty = if ty == oid::VARCHAR { oid::TEXT } else { ty };
            types::sortkey::encode_var_key(out, ty, bytes, false, ctx.types)?;
            continue;
        }
        let (ty, datum) = match v.get(i) {
            Datum::Null => return Ok(false),
            Datum::I16(n) => (oid::INT8, Datum::I64(i64::from(n))),
            Datum::I32(n) if ty == oid::INT4 => (oid::INT8, Datum::I64(i64::from(n))),
            other => (ty, other),
        };
        types::sortkey::encode_key_with(out, ty, &datum, false, false, ctx.types)?;
    }
    Ok(true)
}
