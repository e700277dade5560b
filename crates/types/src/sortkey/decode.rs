//! Values back out of keys, for types whose equal values are all alike.

use super::{NULL_FIRST, NULL_LAST, VALUE};
use crate::compare::{is_bytewise, is_unsigned};
use crate::oid::{self, Oid};
use crate::{Datum, Physical};

/// Whether a value of this built-in type can be had back from its key. Numbers have several forms of one value (`1.0` and `1.00`, zeros of
/// two signs), as have intervals and blank-padded strings; what other types' keys are made of only the catalog knows.
pub fn is_reversible(type_oid: Oid) -> bool {
    if type_oid.is_user_type() {
        return false;
    }
    match Physical::of(type_oid) {
        Physical::F32 | Physical::F64 => false,
        Physical::B16 => type_oid == oid::UUID,
        Physical::Var => is_bytewise(type_oid) && type_oid != oid::BPCHAR,
        _ => true,
    }
}

/// Takes the value of one column, of a reversible type, off the front of a key; `None` when that is not what stands there.
pub fn decode_key(key: &mut &[u8], type_oid: Oid, descending: bool) -> Option<Datum> {
    let (&marker, rest) = key.split_first()?;
    *key = rest;
    match marker {
        NULL_FIRST | NULL_LAST => return Some(Datum::Null),
        VALUE => {}
        _ => return None,
    }
    let form = Physical::of(type_oid);
    if form == Physical::Var {
        return unescaped(key, if descending { 0xff } else { 0 });
    }
    let (bytes, rest) = key.split_at_checked(form.width())?;
    *key = rest;
    let mut buffer = [0; 16];
    let value = buffer.get_mut(..bytes.len())?;
    value.copy_from_slice(bytes);
    if descending {
        value.iter_mut().for_each(|b| *b = !*b);
    }
    let b = &buffer;
    let four = u32::from_be_bytes([b[0], b[1], b[2], b[3]]);
    let eight = u64::from_be_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]);
    Some(match form {
        Physical::Bool => Datum::Bool(b[0] != 0),
        Physical::I8 => Datum::I8(b[0] as i8),
        Physical::I16 => Datum::I16((u16::from_be_bytes([b[0], b[1]]) ^ 1 << 15) as i16),
        Physical::I32 => Datum::I32((four ^ 1 << 31) as i32),
        Physical::U32 => Datum::U32(four),
        Physical::I64 if is_unsigned(type_oid) => Datum::I64(eight as i64),
        Physical::I64 => Datum::I64((eight ^ 1 << 63) as i64),
        Physical::B16 => Datum::B16(buffer),
        Physical::F32 | Physical::F64 | Physical::Var => return None,
    })
}

/// The inverse of `escaped`, whose bytes are xored with `mask`.
fn unescaped(key: &mut &[u8], mask: u8) -> Option<Datum> {
    // Nearly no string has a zero: then it is what stands before the end, as it is.
    let mut at = key.iter().position(|&b| b == mask)?;
    if mask == 0 && *key.get(at + 1)? == 1 {
        let value = Datum::bytes(&key[..at]);
        *key = &key[at + 2..];
        return Some(value);
    }
    let (mut value, mut from) = (Vec::new(), 0);
    loop {
        value.extend(key[from..at].iter().map(|b| b ^ mask));
        match key.get(at + 1)? ^ mask {
            0xff => value.push(0),
            0x01 => break,
            _ => return None,
        }
        from = at + 2;
        at = from + key[from..].iter().position(|&b| b == mask)?;
    }
    *key = &key[at + 2..];
    Some(Datum::from(value))
}

#[cfg(test)]
mod tests {
    use super::super::encode_key;
    use super::*;

    #[test]
    fn what_went_in_comes_out() {
        let values: &[(Oid, Vec<Datum>)] = &[
            (oid::BOOL, vec![Datum::Bool(true), Datum::Bool(false)]),
            (oid::INT2, [i16::MIN, -1, 0, i16::MAX].map(Datum::I16).into()),
            (oid::INT4, [i32::MIN, -1, 0, 7, i32::MAX].map(Datum::I32).into()),
            (oid::DATE, [i32::MIN, 0, i32::MAX].map(Datum::I32).into()),
            (oid::INT8, [i64::MIN, -1, 0, i64::MAX].map(Datum::I64).into()),
            (oid::XID8, [i64::MIN, -1, 0, i64::MAX].map(Datum::I64).into()),
            (oid::TIMESTAMPTZ, [i64::MIN, 0, i64::MAX].map(Datum::I64).into()),
            (oid::OID, [0, 7, u32::MAX].map(Datum::U32).into()),
            (oid::CHAR, [-128, 0, 65].map(Datum::I8).into()),
            (oid::UUID, vec![Datum::B16([7; 16]), Datum::B16([0xff; 16])]),
            (oid::TEXT, ["", "a", "ä€", "a longer string than twelve"].map(Datum::text).into()),
            (oid::BYTEA, [&b""[..], b"\0", b"a\0\0b", b"\xff\0\x01", b"\x01\xff"].map(Datum::bytes).into()),
        ];
        for (ty, list) in values {
            assert!(is_reversible(*ty), "{ty:?}");
            for value in list.iter().chain([&Datum::Null]) {
                for (descending, nulls_first) in [(false, false), (false, true), (true, false), (true, true)] {
                    let mut key = Vec::new();
                    encode_key(&mut key, *ty, value, descending, nulls_first).unwrap();
                    key.extend_from_slice(b"rest");
                    let mut rest = &key[..];
                    assert_eq!(decode_key(&mut rest, *ty, descending).as_ref(), Some(value), "{ty:?}");
                    assert_eq!(rest, b"rest", "{ty:?} {value:?}");
                    // Cut anywhere, it is refused or another value, never a panic.
                    (0..key.len() - 4).for_each(|n| drop(decode_key(&mut &key[..n], *ty, descending)));
                }
            }
        }
        assert!([oid::NUMERIC, oid::FLOAT8, oid::BPCHAR, oid::INTERVAL, oid::JSONB].iter().all(|&t| !is_reversible(t)));
    }
}
