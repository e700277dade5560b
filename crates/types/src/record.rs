//! Composite values: their stored form, text and binary forms.
//!
//! Stored form, integers little-endian: the count of columns as `u32`; per column its type as `u32` and physical form
//! as `u8`; per column the end of its bytes as `u32`, the top bit set for NULL; then the columns' bytes. So a value of
//! the anonymous type `record` describes itself. Where the top bit of the count is set, names follow: per column their length as `u32`,
//! and their bytes.

use std::cmp::Ordering;

use crate::array::{get_datum, put_datum};
use crate::compare::compare_with;
use crate::io::{
    BinaryReader, IoSettings, TypeLookup, binary_in_with, binary_out_with, is_space, short, text_in_with, text_out_with,
};
use crate::oid::Oid;
use crate::{Datum, Physical, Result, SqlError, SqlState};

const NULL_BIT: u32 = 1 << 31;
const NAMED_BIT: u32 = 1 << 31;

/// A stored composite value, read in place.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    bytes: &'a [u8],
    count: usize,
}

fn u32_at(b: &[u8], at: usize) -> u32 {
    b.get(at..at + 4).and_then(|s| s.try_into().ok()).map_or(0, u32::from_le_bytes)
}

impl<'a> RecordView<'a> {
    /// Looks into stored bytes.
    pub fn new(bytes: &'a [u8]) -> RecordView<'a> {
        let count = (u32_at(bytes, 0) & !NAMED_BIT) as usize;
        let fits = count.checked_mul(9).is_some_and(|n| n + 4 <= bytes.len());
        RecordView { bytes, count: if fits { count } else { 0 } }
    }

    /// How many columns.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The type of column `i`.
    pub fn column_type(&self, i: usize) -> Oid {
        Oid(u32_at(self.bytes, 4 + 5 * i))
    }

    /// Column `i`; NULL beyond the last.
    pub fn get(&self, i: usize) -> Datum {
        if i >= self.count {
            return Datum::Null;
        }
        let ends = 4 + 5 * self.count;
        let end = u32_at(self.bytes, ends + 4 * i);
        if end & NULL_BIT != 0 {
            return Datum::Null;
        }
        let start = if i == 0 { 0 } else { u32_at(self.bytes, ends + 4 * (i - 1)) & !NULL_BIT };
        let data = ends + 4 * self.count;
        let tag = self.bytes.get(8 + 5 * i).copied().unwrap_or_default();
        let physical = Physical::from_tag(tag).unwrap_or(Physical::Var);
        self.bytes.get(data + start as usize..data + end as usize).map_or(Datum::Null, |b| get_datum(physical, b))
    }
}

impl RecordView<'_> {
    /// Names of the columns, where the value knows them.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if u32_at(self.bytes, 0) & NAMED_BIT == 0 || self.count == 0 {
            return names;
        }
        let ends = 4 + 5 * self.count;
        let mut at = ends + 4 * self.count + (u32_at(self.bytes, ends + 4 * (self.count - 1)) & !NULL_BIT) as usize;
        for _ in 0..self.count {
            let len = u32_at(self.bytes, at) as usize;
            let name = self.bytes.get(at + 4..at + 4 + len).unwrap_or_default();
            names.push(String::from_utf8_lossy(name).into_owned());
            at += 4 + len;
        }
        names
    }
}

/// The stored form of a row whose columns have names that no type tells.
pub fn to_named_datum(columns: &[(Oid, Datum)], names: &[String]) -> Datum {
    let plain = to_datum(columns);
    let Some(bytes) = plain.as_bytes().filter(|_| names.len() == columns.len()) else { return plain };
    let mut out = bytes.to_vec();
    out[..4].copy_from_slice(&(columns.len() as u32 | NAMED_BIT).to_le_bytes());
    for name in names {
        out.extend_from_slice(&(name.len() as u32).to_le_bytes());
        out.extend_from_slice(name.as_bytes());
    }
    Datum::from(out)
}

/// The stored form of a row of typed columns.
pub fn to_datum(columns: &[(Oid, Datum)]) -> Datum {
    let mut out = Vec::new();
    out.extend_from_slice(&(columns.len() as u32).to_le_bytes());
    for (t, d) in columns {
        out.extend_from_slice(&t.0.to_le_bytes());
        out.push(d.physical().unwrap_or(Physical::of(*t)) as u8);
    }
    let mut data = Vec::new();
    for (_, d) in columns {
        put_datum(d, &mut data);
        let null = if d.is_null() { NULL_BIT } else { 0 };
        out.extend_from_slice(&(data.len() as u32 | null).to_le_bytes());
    }
    out.extend_from_slice(&data);
    Datum::from(out)
}

fn malformed(text: &str, detail: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("malformed record literal: \"{text}\"")).detail(detail)
}

/// Reads a row of columns of the given types and typmods.
pub fn text_in(fields: &[(Oid, i32)], text: &str, settings: &IoSettings, types: &dyn TypeLookup) -> Result<Datum> {
    let body = text.trim_start_matches(is_space);
    let Some(mut rest) = body.strip_prefix('(') else { return Err(malformed(text, "Missing left parenthesis.")) };
    let mut columns = Vec::with_capacity(fields.len());
    for (i, (t, typmod)) in fields.iter().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix(',').ok_or_else(|| malformed(text, "Too few columns."))?;
        }
        let value = if rest.starts_with([',', ')']) {
            Datum::Null
        } else {
            let (value, tail) = column(rest).ok_or_else(|| malformed(text, "Unexpected end of input."))?;
            rest = tail;
            text_in_with(*t, *typmod, &value, settings, types)?
        };
        columns.push((*t, value));
    }
    let Some(rest) = rest.strip_prefix(')') else { return Err(malformed(text, "Too many columns.")) };
    if !rest.trim_start_matches(is_space).is_empty() {
        return Err(malformed(text, "Junk after right parenthesis."));
    }
    Ok(to_datum(&columns))
}

/// One column's text, unquoted, and what follows it; none when the text ends within.
fn column(s: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut quoted = false;
    let mut chars = s.char_indices();
    loop {
        let (i, c) = chars.next()?;
        match c {
            ',' | ')' if !quoted => return Some((out, &s[i..])),
            '\\' => out.push(chars.next()?.1),
            '"' if !quoted => quoted = true,
            '"' if s[i + 1..].starts_with('"') => {
                chars.next();
                out.push('"');
            }
            '"' => quoted = false,
            c => out.push(c),
        }
    }
}

/// Writes a row of at least `fields` columns: those added to its type since it was stored are NULL.
pub fn text_out(
    bytes: &[u8],
    fields: usize,
    settings: &IoSettings,
    types: &dyn TypeLookup,
    out: &mut Vec<u8>,
) -> Result<()> {
    let v = RecordView::new(bytes);
    out.push(b'(');
    let mut text = Vec::new();
    for i in 0..v.len().max(fields) {
        if i > 0 {
            out.push(b',');
        }
        let d = v.get(i);
        if d.is_null() {
            continue;
        }
        text.clear();
        text_out_with(v.column_type(i), &d, settings, types, &mut text)?;
        let special = |c: &u8| matches!(c, b'"' | b'\\' | b'(' | b')' | b',') || is_space(char::from(*c));
        if text.is_empty() || text.iter().any(special) {
            out.push(b'"');
            for c in &text {
                if matches!(c, b'"' | b'\\') {
                    out.push(*c);
                }
                out.push(*c);
            }
            out.push(b'"');
        } else {
            out.extend_from_slice(&text);
        }
    }
    out.push(b')');
    Ok(())
}

/// Writes the binary form: per column its type, length and bytes.
pub fn binary_out(bytes: &[u8], types: &dyn TypeLookup, out: &mut Vec<u8>) -> Result<()> {
    let v = RecordView::new(bytes);
    out.extend_from_slice(&(v.len() as i32).to_be_bytes());
    for i in 0..v.len() {
        out.extend_from_slice(&v.column_type(i).0.to_be_bytes());
        let d = v.get(i);
        if d.is_null() {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            continue;
        }
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        binary_out_with(v.column_type(i), &d, types, out)?;
        let len = (out.len() - at - 4) as i32;
        out[at..at + 4].copy_from_slice(&len.to_be_bytes());
    }
    Ok(())
}

/// Reads the binary form of a row of columns of the given types and typmods.
pub fn binary_in(fields: &[(Oid, i32)], bytes: &[u8], types: &dyn TypeLookup) -> Result<Datum> {
    let mut rest = BinaryReader(bytes);
    let count = rest.int()?;
    if count != fields.len() as i32 {
        return Err(SqlError::new(
            SqlState::DATATYPE_MISMATCH,
            format!("wrong number of columns: {count}, expected {}", fields.len()),
        ));
    }
    let mut columns = Vec::with_capacity(fields.len());
    for (i, (t, typmod)) in fields.iter().enumerate() {
        let found = Oid(rest.int()? as u32);
        if found != *t {
            return Err(SqlError::new(
                SqlState::DATATYPE_MISMATCH,
                format!(
                    "binary data has type {found} ({}) instead of expected {t} ({}) in record column {}",
                    types.type_name(found),
                    types.type_name(*t),
                    i + 1
                ),
            ));
        }
        let len = rest.int()?;
        let value = match len {
            -1 => Datum::Null,
            n if n < 0 => return Err(short()),
            n => binary_in_with(*t, *typmod, rest.take(n as usize)?, types)?,
        };
        columns.push((*t, value));
    }
    if !rest.0.is_empty() {
        return Err(SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, "incorrect binary data format"));
    }
    Ok(to_datum(&columns))
}

/// SQL order: column by column, NULLs equal and last; then by count.
pub(crate) fn compare_records(a: &[u8], b: &[u8], types: &dyn TypeLookup) -> Ordering {
    let (a, b) = (RecordView::new(a), RecordView::new(b));
    (0..a.len().min(b.len()))
        .map(|i| compare_with(a.column_type(i), &a.get(i), &b.get(i), types))
        .find(|o| o.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests;
