//! Hashing that agrees with SQL equality: values that `compare` calls equal hash alike.

use std::hash::Hasher;

use crate::Datum;
use crate::array::ArrayView;
use crate::compare::{base_type, is_bytewise, timetz_order, trim_blanks};
use crate::datetime::Interval;
use crate::io::{BuiltinTypes, TypeKind, TypeLookup};
use crate::jsonb::View;
use crate::numeric::Numeric;
use crate::oid::{self, Oid};
use crate::record::RecordView;

/// One bit pattern for each float that SQL tells apart.
fn float_bits(v: f64) -> u64 {
    if v.is_nan() {
        f64::NAN.to_bits()
    } else if v == 0.0 {
        0
    } else {
        v.to_bits()
    }
}

/// Feeds a value of a type to `state`.
pub fn hash<H: Hasher>(type_oid: Oid, datum: &Datum, state: &mut H) {
    hash_with(type_oid, datum, &BuiltinTypes, state);
}

/// Feeds a value of a type to `state`, with the catalog's knowledge.
pub fn hash_with(type_oid: Oid, datum: &Datum, types: &dyn TypeLookup, state: &mut dyn Hasher) {
    let type_oid = base_type(type_oid, types);
    match datum {
        Datum::Null => state.write_u8(0),
        Datum::Bool(v) => state.write_u8(u8::from(*v)),
        // Integers hash by value, so that int4 and int8 columns may meet in one hash join.
        Datum::I8(v) => state.write_u64(*v as u64),
        Datum::I16(v) => state.write_u64(*v as u64),
        Datum::I32(v) => state.write_u64(*v as u64),
        Datum::U32(v) => state.write_u64(u64::from(*v)),
        Datum::I64(v) => state.write_u64(*v as u64),
        Datum::F32(v) => state.write_u64(float_bits((*v).into())),
        Datum::F64(v) => state.write_u64(float_bits(*v)),
        Datum::B16(b) => match type_oid {
            oid::INTERVAL => state.write_i128(Interval::from_bytes(b).span()),
            oid::TIMETZ => {
                let (micros, zone) = timetz_order(b);
                state.write_i64(micros);
                state.write_i32(zone);
            }
            _ => state.write(b),
        },
        Datum::Var(b) => match type_oid {
            oid::NUMERIC => hash_numeric(b, state),
            oid::BPCHAR => write_bytes(trim_blanks(b), state),
            oid::JSONB => hash_json(View::new(b), state),
            t if is_bytewise(t) => write_bytes(b, state),
            oid::RECORD => hash_record(b, types, state),
            oid::INT2VECTOR | oid::OIDVECTOR => hash_array(b, types, state),
            t => match types.kind(t) {
                TypeKind::Array { .. } => hash_array(b, types, state),
                TypeKind::Composite { .. } => hash_record(b, types, state),
                _ => write_bytes(b, state),
            },
        },
    }
}

fn hash_array(b: &[u8], types: &dyn TypeLookup, state: &mut dyn Hasher) {
    let v = ArrayView::new(b);
    state.write_u32(v.len() as u32);
    for d in v.iter() {
        hash_with(v.element(), &d, types, state);
    }
}

fn hash_record(b: &[u8], types: &dyn TypeLookup, state: &mut dyn Hasher) {
    let v = RecordView::new(b);
    for i in 0..v.len() {
        hash_with(v.column_type(i), &v.get(i), types, state);
    }
}

fn hash_json(v: View<'_>, state: &mut dyn Hasher) {
    state.write_u8(v.rank());
    match v {
        View::Null => {}
        View::Bool(b) => state.write_u8(u8::from(b)),
        View::Number(b) => hash_numeric(b, state),
        View::String(s) => write_bytes(s.as_bytes(), state),
        View::Array(c) => {
            state.write_u32(c.len() as u32);
            (0..c.len()).for_each(|i| hash_json(c.element(i), state));
        }
        View::Object(c) => {
            state.write_u32(c.len() as u32);
            for i in 0..c.len() {
                write_bytes(c.key(i).as_bytes(), state);
                hash_json(c.value(i), state);
            }
        }
    }
}

/// The length keeps neighbouring columns apart.
fn write_bytes(b: &[u8], state: &mut dyn Hasher) {
    state.write(b);
    state.write_u8(0xff);
}

fn hash_numeric(b: &[u8], state: &mut dyn Hasher) {
    if let Some((mut coefficient, mut scale)) = Numeric::small_parts(b) {
        while scale > 0 && coefficient % 10 == 0 {
            coefficient /= 10;
            scale -= 1;
        }
        state.write_i64(coefficient);
        state.write_u32(scale.into());
        return;
    }
    let trimmed = Numeric::from_bytes(b).trim_scale().to_datum();
    match trimmed.as_bytes() {
        Some(t) if Numeric::small_parts(t).is_some() => hash_numeric(t, state),
        Some(t) => write_bytes(t, state),
        None => {}
    }
}
