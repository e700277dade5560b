//! Binary form of arrays.

use super::*;
use crate::io::{BinaryReader, binary_in_with, binary_out_with};

/// Writes an array.
pub fn binary_out(bytes: &[u8], types: &dyn TypeLookup, out: &mut Vec<u8>) -> Result<()> {
    let v = ArrayView::new(bytes);
    let nulls = v.iter().any(|d| d.is_null());
    out.extend_from_slice(&(v.dimension_count() as i32).to_be_bytes());
    out.extend_from_slice(&i32::from(nulls).to_be_bytes());
    out.extend_from_slice(&v.element().0.to_be_bytes());
    for d in v.dimensions() {
        out.extend_from_slice(&d.len.to_be_bytes());
        out.extend_from_slice(&d.lower.to_be_bytes());
    }
    for d in v.iter() {
        if d.is_null() {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            continue;
        }
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        binary_out_with(v.element(), &d, types, out)?;
        let len = (out.len() - at - 4) as i32;
        out[at..at + 4].copy_from_slice(&len.to_be_bytes());
    }
    Ok(())
}

/// Reads an array of `element`s of `typmod`.
pub fn binary_in(element: Oid, typmod: i32, bytes: &[u8], types: &dyn TypeLookup) -> Result<Datum> {
    let bad = |m: String| SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, m);
    let mut rest = BinaryReader(bytes);
    let count = rest.int()?;
    if count < 0 {
        return Err(bad(format!("invalid number of dimensions: {count}")));
    }
    if count as usize > DIMENSIONS_MAX {
        return Err(SqlError::new(
            SqlState::PROGRAM_LIMIT_EXCEEDED,
            format!("number of array dimensions ({count}) exceeds the maximum allowed ({DIMENSIONS_MAX})"),
        ));
    }
    if !matches!(rest.int()?, 0 | 1) {
        return Err(bad("invalid array flags".into()));
    }
    let found = Oid(rest.int()? as u32);
    if found != element {
        return Err(SqlError::new(
            SqlState::DATATYPE_MISMATCH,
            format!(
                "binary data has array element type {found} ({}) instead of expected {element} ({})",
                types.type_name(found),
                types.type_name(element)
            ),
        ));
    }
    let mut dimensions = Vec::new();
    for _ in 0..count {
        let (len, lower) = (rest.int()?, rest.int()?);
        if len < 0 {
            return Err(bad(format!("invalid array dimension length: {len}")));
        }
        dimensions.push(Dimension { len, lower });
    }
    check_dimensions(&dimensions)?;
    let total = if dimensions.is_empty() { 0 } else { dimensions.iter().map(|d| d.len as usize).product() };
    let mut values = Vec::new();
    for i in 0..total {
        let len = rest.int()?;
        values.push(match len {
            -1 => Datum::Null,
            n if n < 0 => return Err(bad(format!("improper binary format in array element {}", i + 1))),
            n => binary_in_with(element, typmod, rest.take(n as usize)?, types)?,
        });
    }
    if !rest.0.is_empty() {
        return Err(bad("incorrect binary data format".into()));
    }
    if total == 0 && dimensions.iter().any(|d| d.lower != 0) {
        return Ok(Array::empty(element).to_datum());
    }
    Ok(Array { element, dimensions, values }.to_datum())
}
