//! `KeyTable`: numbers the different keys of rows, in the order of first sight.
//!
//! Keys of a few fixed-width columns are packed into one integer; others become bytes, kept end to end. Equal values have equal keys,
//! and that is all: keys have no order.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use types::{Datum, Oid, Physical, Result, oid};
use vector::{Data, Vector};

use crate::Context;

/// The keys of a chunk's rows.
#[derive(Default)]
pub struct Keys {
    packed: Vec<u128>,
    bytes: Vec<u8>,
    /// Where each row's bytes end.
    ends: Vec<usize>,
    hashes: Vec<u64>,
    /// Rows that equal nothing, because a part is NULL: only where NULLs do not meet.
    void: Vec<bool>,
}

impl Keys {
    fn bytes_of(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.bytes[start..self.ends[i]]
    }

    /// Where row `i` goes when rows are dealt out: equal keys go to the same place. `depth` is how often they were dealt out before.
    pub fn part(&self, i: usize, parts: usize, depth: usize) -> usize {
        // Dealt out anew, rows that went together must not do so again.
        let mixed = self.hashes[i].rotate_left(9 * depth as u32);
        if self.is_void(i) { 0 } else { (mixed >> 40) as usize % parts }
    }

    /// Whether row `i` equals nothing.
    pub fn is_void(&self, i: usize) -> bool {
        self.void.get(i).copied().unwrap_or(false)
    }
}

/// Bytes that a value of this type takes in a packed key.
fn packed_width(ty: Oid, joins: bool) -> Option<u32> {
    Some(match Physical::of(ty) {
        // Integers of any width may meet in a join.
        Physical::I16 | Physical::I32 if joins && matches!(ty, oid::INT2 | oid::INT4) => 8,
        Physical::Bool | Physical::I8 => 1,
        Physical::I16 => 2,
        Physical::I32 => 4,
        // Values of enums are of this form as well, and differ as their numbers do.
        Physical::U32 => 4,
        Physical::I64 => 8,
        _ => return None,
    })
}

/// Numbers keys.
pub struct KeyTable {
    /// Whether NULLs equal nothing, and integers of several widths meet.
    joins: bool,
    /// Widths of packed keys; `None` for bytes.
    widths: Option<Vec<u32>>,
    hasher: DefaultHashBuilder,
    table: HashTable<(u64, u32)>,
    packed: Vec<u128>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    count: u32,
}

impl KeyTable {
    /// A table of keys of `types`. With `joins`, a key that is NULL in part equals nothing.
    pub fn new(types: &[Oid], joins: bool) -> KeyTable {
        let widths: Option<Vec<u32>> = types.iter().map(|&t| packed_width(t, joins)).collect();
        // One byte for which are NULL.
        let room = if joins { 16 } else { 15 };
        let widths = widths.filter(|w| w.iter().sum::<u32>() <= room && w.len() <= 8);
        KeyTable {
            joins,
            widths,
            hasher: DefaultHashBuilder::default(),
            table: HashTable::new(),
            packed: Vec::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
            count: 0,
        }
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        self.table.clear();
        self.packed.clear();
        self.bytes.clear();
        self.ends.clear();
        self.count = 0;
    }

    /// Bytes it holds.
    pub fn held_bytes(&self) -> usize {
        self.table.capacity() * 18 + self.packed.capacity() * 16 + self.bytes.capacity() + self.ends.capacity() * 8
    }

    /// Puts the keys of `rows` rows into `out`. `values` may be of other integer types than the table's.
    pub fn keys(
        &self,
        values: &[&Vector],
        types: &[Oid],
        rows: usize,
        ctx: &Context<'_>,
        out: &mut Keys,
    ) -> Result<()> {
        out.void.clear();
        if self.joins {
            out.void.resize(rows, false);
            for v in values.iter().filter(|v| !v.nulls.none()) {
                (0..rows).for_each(|i| out.void[i] |= v.nulls.get(i));
            }
        }
        out.hashes.clear();
        if let Some(widths) = &self.widths {
            pack(values, widths, self.joins, rows, &mut out.packed);
            out.hashes.extend(out.packed.iter().map(|k| self.hasher.hash_one(k)));
            return Ok(());
        }
        out.bytes.clear();
        out.ends.clear();
        for i in 0..rows {
            if !out.is_void(i) {
                for (v, &ty) in values.iter().zip(types) {
                    append(&mut out.bytes, ty, v, i, self.joins, ctx)?;
                }
            }
            out.ends.push(out.bytes.len());
            let hash = self.hasher.hash_one(out.bytes_of(i));
            out.hashes.push(hash);
        }
        Ok(())
    }

    fn is(&self, number: u32, keys: &Keys, i: usize) -> bool {
        let n = number as usize;
        if self.widths.is_some() {
            return self.packed[n] == keys.packed[i];
        }
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        self.bytes[start..self.ends[n]] == *keys.bytes_of(i)
    }

    /// The number of key `i`.
    pub fn find(&self, keys: &Keys, i: usize) -> Option<u32> {
        let hash = keys.hashes[i];
        self.table.find(hash, |e| e.0 == hash && self.is(e.1, keys, i)).map(|e| e.1)
    }

    /// The number of key `i`, and whether it is new.
    pub fn number(&mut self, keys: &Keys, i: usize) -> (u32, bool) {
        if let Some(found) = self.find(keys, i) {
            return (found, false);
        }
        let (hash, number) = (keys.hashes[i], self.count);
        self.table.insert_unique(hash, (hash, number), |e| e.0);
        if self.widths.is_some() {
            self.packed.push(keys.packed[i]);
        } else {
            self.bytes.extend_from_slice(keys.bytes_of(i));
            self.ends.push(self.bytes.len());
        }
        self.count += 1;
        (number, true)
    }
}

/// Packs each row's values into one integer.
fn pack(values: &[&Vector], widths: &[u32], joins: bool, rows: usize, out: &mut Vec<u128>) {
    out.clear();
    out.resize(rows, 0);
    for (v, &width) in values.iter().zip(widths) {
        let shift = 8 * width;
        macro_rules! put {
            ($values:expr, $as:expr) => {
                for (key, value) in out.iter_mut().zip($values) {
                    *key = (*key << shift) | u128::from($as(*value));
                }
            };
        }
        match &v.data {
            Data::Bool(x) => put!(x, u8::from),
            Data::I8(x) => put!(x, |n: i8| n.cast_unsigned()),
            Data::I16(x) if width == 8 => put!(x, |n: i16| i64::from(n).cast_unsigned()),
            Data::I16(x) => put!(x, |n: i16| n.cast_unsigned()),
            Data::I32(x) if width == 8 => put!(x, |n: i32| i64::from(n).cast_unsigned()),
            Data::I32(x) => put!(x, |n: i32| n.cast_unsigned()),
            Data::U32(x) => put!(x, |n: u32| n),
            Data::I64(x) => put!(x, |n: i64| n.cast_unsigned()),
            _ => out.iter_mut().for_each(|key| *key <<= shift),
        }
    }
    // The value of a NULL is zero (V2); the highest byte says which are.
    if !joins {
        for (column, v) in values.iter().enumerate().filter(|(_, v)| !v.nulls.none()) {
            for (i, key) in out.iter_mut().enumerate() {
                *key |= u128::from(v.nulls.get(i)) << (120 + column);
            }
        }
    }
}

/// Appends a value, so that equal ones are equal bytes and none is the beginning of another.
fn append(out: &mut Vec<u8>, ty: Oid, v: &Vector, i: usize, joins: bool, ctx: &Context<'_>) -> Result<()> {
    if v.nulls.get(i) {
        out.push(0);
        return Ok(());
    }
    let text = |out: &mut Vec<u8>, bytes: &[u8]| {
        out.push(1);
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    };
    let integer = |out: &mut Vec<u8>, n: i64| {
        out.push(1);
        out.extend_from_slice(&n.to_le_bytes());
    };
    match (&v.data, ty) {
        (Data::Var(x), oid::TEXT | oid::VARCHAR | oid::NAME | oid::BYTEA) => text(out, x.get(i)),
        (Data::Var(x), oid::BPCHAR) => {
            let bytes = x.get(i);
            let len = bytes.iter().rposition(|b| *b != b' ').map_or(0, |p| p + 1);
            text(out, &bytes[..len]);
        }
        (Data::I16(x), _) => integer(out, x[i].into()),
        (Data::I32(x), _) => integer(out, x[i].into()),
        (Data::I64(x), _) => integer(out, x[i]),
        _ => match v.get(i) {
            Datum::Null => out.push(0),
            datum => {
                let ty = if joins && ty == oid::VARCHAR { oid::TEXT } else { ty };
                types::sortkey::encode_key_with(out, ty, &datum, false, false, ctx.types)?;
            }
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(physical: Physical, values: &[Datum]) -> Vector {
        let mut v = Vector::new(physical);
        values.iter().for_each(|d| v.push(d));
        v
    }

    #[test]
    fn packed_keys_tell_nulls_from_zeros_in_every_column() {
        let a = vector(Physical::I32, &[Datum::I32(0), Datum::Null, Datum::I32(0), Datum::Null, Datum::I32(-1)]);
        let b = vector(Physical::I64, &[Datum::I64(0), Datum::I64(0), Datum::Null, Datum::Null, Datum::I64(-1)]);
        let mut keys = Vec::new();
        pack(&[&a, &b], &[4, 8], false, 5, &mut keys);
        for i in 0..5 {
            for j in 0..5 {
                assert_eq!(keys[i] == keys[j], i == j, "{i} and {j}");
            }
        }
    }

    #[test]
    fn integers_of_several_widths_meet_in_joins() {
        let narrow = vector(Physical::I16, &[Datum::I16(-3)]);
        let wide = vector(Physical::I64, &[Datum::I64(-3)]);
        let (mut a, mut b) = (Vec::new(), Vec::new());
        pack(&[&narrow], &[8], true, 1, &mut a);
        pack(&[&wide], &[8], true, 1, &mut b);
        assert_eq!(a, b);
    }
}
