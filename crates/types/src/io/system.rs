//! `tid`, `pg_lsn` and the OID aliases.

use super::{TypeLookup, bad_input, builtin_name, exact, integer};
use crate::oid::{self, Oid};
use crate::{Datum, Result, SqlError, SqlState};

/// Reads a `tid`, `(block,slot)`: block << 16 | slot.
pub fn parse_tid(text: &str) -> Result<i64> {
    let read = || {
        let body = text.split_once('(')?.1.split_once(')')?.0;
        let (block, slot) = body.split_once(',')?;
        let block = block.trim_start();
        let block = match block.strip_prefix('-') {
            Some(b) => (b.parse::<u32>().ok()? as i32).wrapping_neg() as u32,
            None => block.parse::<u32>().ok()?,
        };
        Some(i64::from(block) << 16 | i64::from(slot.trim_start().parse::<u16>().ok()?))
    };
    read().ok_or_else(|| bad_input("tid", text))
}

/// Writes a `tid`.
pub fn format_tid(v: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("({},{})", (v >> 16) as u32, v as u16).as_bytes());
}

/// Reads a `tid`'s binary form: four bytes of block, two of slot.
pub(crate) fn tid_binary_in(bytes: &[u8]) -> Result<Datum> {
    let b = exact::<6>(bytes)?;
    let v = b.iter().fold(0i64, |v, b| v << 8 | i64::from(*b));
    Ok(Datum::I64(v))
}

/// Writes a `tid`'s binary form.
pub(crate) fn tid_binary_out(v: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(&v.to_be_bytes()[2..]);
}

/// Reads a `pg_lsn`: two hexadecimal numbers of up to eight digits with a slash between.
pub fn parse_lsn(text: &str) -> Result<i64> {
    let part = |s: &str| {
        ((1..=8).contains(&s.len()) && s.bytes().all(|c| c.is_ascii_hexdigit()))
            .then(|| u64::from_str_radix(s, 16).ok())
            .flatten()
    };
    let read = || {
        let (high, low) = text.split_once('/')?;
        Some((part(high)? << 32 | part(low)?) as i64)
    };
    read().ok_or_else(|| bad_input("pg_lsn", text))
}

/// Writes a `pg_lsn`.
pub fn format_lsn(v: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{:X}/{:X}", (v as u64) >> 32, v as u32).as_bytes());
}

/// Reads an OID alias: a number, `-` for none, or a name the catalog knows.
pub(crate) fn parse_reg(reg_type: Oid, text: &str, types: &dyn TypeLookup) -> Result<u32> {
    if text == "-" {
        return Ok(0);
    }
    if !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) {
        return integer::parse_u32(text, "oid");
    }
    if let Some(found) = types.reg_in(reg_type, text)? {
        return Ok(found.0);
    }
    let name = builtin_name(reg_type).unwrap_or("reg");
    Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, format!("{name} input by name is not supported here")))
}

/// Writes an OID alias: the catalog's name for it, else the number.
pub(crate) fn format_reg(reg_type: Oid, v: u32, types: &dyn TypeLookup, out: &mut Vec<u8>) {
    let zero_is_dash = !matches!(reg_type, oid::REGOPER | oid::REGOPERATOR);
    let text = match types.reg_out(reg_type, Oid(v)) {
        Some(name) => name,
        None if v == 0 && zero_is_dash => "-".to_owned(),
        None => v.to_string(),
    };
    out.extend_from_slice(text.as_bytes());
}
