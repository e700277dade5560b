//! Order-preserving keys: comparing encodings byte by byte gives the SQL order of the values.
//!
//! Each column is a NULL marker byte and, unless NULL, a self-delimiting encoding; so columns simply follow one another
//! and a prefix of columns is a prefix of bytes. A descending column is the complement of the ascending one.
//!
//! Invariants
//!   K1  encode(a) < encode(b) exactly when a < b; equal values have equal encodings.
//!   K2  No encoding of a value is a proper prefix of another of the same type and direction.

mod decode;

use crate::array::ArrayView;
use crate::compare::{base_type, is_bytewise, timetz_order, trim_blanks};
use crate::datetime::Interval;
use crate::io::{BuiltinTypes, TypeKind, TypeLookup, bits, net};
use crate::jsonb::View;
use crate::numeric::Numeric;
use crate::oid::{self, Oid};
use crate::record::RecordView;
use crate::{Datum, Physical, Result};

pub use decode::{decode_key, is_reversible};

const NULL_FIRST: u8 = 0x00;
const VALUE: u8 = 0x01;
const NULL_LAST: u8 = 0x02;

const TOP16: u16 = 1 << 15;
const TOP32: u32 = 1 << 31;
const TOP64: u64 = 1 << 63;

/// Appends the key of one column.
#[inline]
pub fn encode_key(out: &mut Vec<u8>, type_oid: Oid, datum: &Datum, descending: bool, nulls_first: bool) -> Result<()> {
    encode_key_with(out, type_oid, datum, descending, nulls_first, &BuiltinTypes)
}

/// Appends the key of one column, with the catalog's knowledge.
#[inline]
pub fn encode_key_with(
    out: &mut Vec<u8>,
    type_oid: Oid,
    datum: &Datum,
    descending: bool,
    nulls_first: bool,
    types: &dyn TypeLookup,
) -> Result<()> {
    match datum {
        Datum::Null => {
            out.push(if nulls_first { NULL_FIRST } else { NULL_LAST });
            return Ok(());
        }
        // Most keys: in one piece.
        Datum::I32(v) if !descending => {
            let [a, b, c, d] = (*v as u32 ^ TOP32).to_be_bytes();
            out.extend_from_slice(&[VALUE, a, b, c, d]);
            return Ok(());
        }
        _ => {}
    }
    out.push(VALUE);
    let start = out.len();
    encode_value(out, type_oid, datum, types)?;
    if descending {
        for b in &mut out[start..] {
            *b = !*b;
        }
    }
    Ok(())
}

/// The first eight bytes of a key, big-endian, zeros after its end: what differs in order differs here most often.
#[inline]
pub fn prefix(key: &[u8]) -> u64 {
    match key.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut first = [0; 8];
            first[..key.len()].copy_from_slice(key);
            u64::from_be_bytes(first)
        }
    }
}

/// As [`encode_key_with`], of the bytes of a value of variable length.
///
/// # Errors
/// As [`encode_key_with`].
pub fn encode_var_key(
    out: &mut Vec<u8>,
    type_oid: Oid,
    bytes: &[u8],
    descending: bool,
    types: &dyn TypeLookup,
) -> Result<()> {
    out.push(VALUE);
    let start = out.len();
    encode_var(out, base_type(type_oid, types), bytes, types)?;
    if descending {
        for b in &mut out[start..] {
            *b = !*b;
        }
    }
    Ok(())
}

/// Sign-flipped big-endian bytes order like the float; NaN is above all, -0 is 0.
fn float_key(v: f64) -> u64 {
    let bits = if v.is_nan() {
        f64::NAN.to_bits() & !(1 << 63)
    } else if v == 0.0 {
        0
    } else {
        v.to_bits()
    };
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn encode_value(out: &mut Vec<u8>, type_oid: Oid, datum: &Datum, types: &dyn TypeLookup) -> Result<()> {
    let type_oid = base_type(type_oid, types);
    match datum {
        Datum::Null => {}
        Datum::Bool(v) => out.push(u8::from(*v)),
        Datum::I8(v) => out.push(*v as u8),
        Datum::I16(v) => out.extend_from_slice(&(*v as u16 ^ TOP16).to_be_bytes()),
        Datum::I32(v) => out.extend_from_slice(&(*v as u32 ^ TOP32).to_be_bytes()),
        Datum::U32(v)
            if (type_oid.is_user_type() || Physical::of(type_oid) != Physical::U32)
                && types.kind(type_oid) == TypeKind::Enum =>
        {
            out.extend_from_slice(&float_key(types.enum_order(Oid(*v)).into()).to_be_bytes());
        }
        Datum::U32(v) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::I64(v) if crate::compare::is_unsigned(type_oid) => out.extend_from_slice(&v.to_be_bytes()),
        Datum::I64(v) => out.extend_from_slice(&(*v as u64 ^ TOP64).to_be_bytes()),
        Datum::F32(v) => out.extend_from_slice(&float_key((*v).into()).to_be_bytes()),
        Datum::F64(v) => out.extend_from_slice(&float_key(*v).to_be_bytes()),
        Datum::B16(b) => match type_oid {
            oid::INTERVAL => {
                let span = Interval::from_bytes(b).span() as u128 ^ 1 << 127;
                out.extend_from_slice(&span.to_be_bytes());
            }
            oid::TIMETZ => {
                let (micros, zone) = timetz_order(b);
                out.extend_from_slice(&(micros as u64 ^ TOP64).to_be_bytes());
                out.extend_from_slice(&(zone as u32 ^ TOP32).to_be_bytes());
            }
            _ => out.extend_from_slice(b),
        },
        Datum::Var(b) => encode_var(out, type_oid, b, types)?,
    }
    Ok(())
}

fn encode_var(out: &mut Vec<u8>, type_oid: Oid, b: &[u8], types: &dyn TypeLookup) -> Result<()> {
    match type_oid {
        oid::NUMERIC => numeric(out, &Numeric::from_bytes(b)),
        oid::BPCHAR => escaped(out, trim_blanks(b)),
        oid::BIT | oid::VARBIT => {
            let (count, bytes) = bits::parts(b);
            escaped(out, bytes);
            out.extend_from_slice(&(count as u32).to_be_bytes());
        }
        oid::JSONB => json(out, View::new(b)),
        oid::INET | oid::CIDR => net::sort_key(b, out),
        t if is_bytewise(t) => escaped(out, b),
        oid::OIDVECTOR => {
            out.extend_from_slice(&(ArrayView::new(b).len() as u32).to_be_bytes());
            array(out, b, types)?;
        }
        oid::RECORD => record(out, b, types)?,
        oid::INT2VECTOR => array(out, b, types)?,
        t => match types.kind(t) {
            TypeKind::Array { .. } => array(out, b, types)?,
            TypeKind::Composite { .. } => record(out, b, types)?,
            _ => escaped(out, b),
        },
    }
    Ok(())
}

/// The elements, each with its marker, which is above the zero that ends them; then dimensions and bounds.
fn array(out: &mut Vec<u8>, b: &[u8], types: &dyn TypeLookup) -> Result<()> {
    let v = ArrayView::new(b);
    for d in v.iter() {
        encode_key_with(out, v.element(), &d, false, false, types)?;
    }
    out.push(0);
    let dimensions = v.dimensions();
    out.push(dimensions.len() as u8);
    for d in &dimensions {
        out.extend_from_slice(&d.len.to_be_bytes());
    }
    for d in &dimensions {
        out.extend_from_slice(&(d.lower as u32 ^ 1 << 31).to_be_bytes());
    }
    Ok(())
}

/// The columns, each with its marker, then a zero.
fn record(out: &mut Vec<u8>, b: &[u8], types: &dyn TypeLookup) -> Result<()> {
    let v = RecordView::new(b);
    for i in 0..v.len() {
        encode_key_with(out, v.column_type(i), &v.get(i), false, false, types)?;
    }
    out.push(0);
    Ok(())
}

/// An object is above all; else the count of elements, one for a scalar; then whether it is a true array.
fn json(out: &mut Vec<u8>, v: View<'_>) {
    match v {
        View::Object(_) => {
            out.push(2);
            json_contents(out, v);
        }
        View::Array(c) => {
            out.push(1);
            out.extend_from_slice(&(c.len() as u32).to_be_bytes());
            out.push(1);
            (0..c.len()).for_each(|i| json_nested(out, c.element(i)));
        }
        _ => {
            out.extend_from_slice(&[1, 0, 0, 0, 1, 0]);
            json_nested(out, v);
        }
    }
}

fn json_nested(out: &mut Vec<u8>, v: View<'_>) {
    out.push(v.rank());
    json_contents(out, v);
}

fn json_contents(out: &mut Vec<u8>, v: View<'_>) {
    match v {
        View::Null => {}
        View::Bool(b) => out.push(u8::from(b)),
        View::Number(b) => numeric(out, &Numeric::from_bytes(b)),
        View::String(s) => escaped(out, s.as_bytes()),
        View::Array(c) => {
            out.extend_from_slice(&(c.len() as u32).to_be_bytes());
            (0..c.len()).for_each(|i| json_nested(out, c.element(i)));
        }
        View::Object(c) => {
            out.extend_from_slice(&(c.len() as u32).to_be_bytes());
            for i in 0..c.len() {
                escaped(out, c.key(i).as_bytes());
                json_nested(out, c.value(i));
            }
        }
    }
}

/// Bytes with 0x00 as 0x00 0xFF, ended by 0x00 0x01.
fn escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|b| *b == 0) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[0x00, 0xff]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(&[0x00, 0x01]);
}

/// Class, exponent of the leading digit, digits in pairs (pair + 1), zero; all but the class complemented if negative.
fn numeric(out: &mut Vec<u8>, n: &Numeric) {
    let (class, exponent, digits) = n.normal_digits();
    out.push((class + 3) as u8);
    if class.abs() != 1 {
        return;
    }
    let start = out.len();
    // Exponents lie between -16383 and 131071.
    out.extend_from_slice(&((exponent + (1 << 20)) as u32).to_be_bytes()[1..]);
    for pair in digits.as_bytes().chunks(2) {
        out.push((pair[0] - b'0') * 10 + pair.get(1).map_or(0, |d| d - b'0') + 1);
    }
    out.push(0);
    if class < 0 {
        for b in &mut out[start..] {
            *b = !*b;
        }
    }
}
