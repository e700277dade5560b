//! `KeyTable`: numbers the different keys of rows, in the order of first sight.
//!
//! Keys of a few fixed-width columns are packed into one integer; others become bytes, kept end to end. Equal values have equal keys,
//! and that is all: keys have no order. A single number is its own place in a list, as long as the numbers lie close together: where rows come
//! in the order of their keys, so do look-ups.

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
        // By the key alone where it is one number: a table finds it in another way at another time.
        let hash = self.packed.get(i).map_or_else(|| self.hashes[i], |&k| mixed(k));
        // Dealt out anew, rows that went together must not do so again.
        let mixed = hash.rotate_left(9 * depth as u32);
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

/// A number of 64 bits that depends on all of `key`.
fn mixed(key: u128) -> u64 {
    let wide = u128::from((key ^ key >> 64) as u64 ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15;
    (wide ^ wide >> 64) as u64
}

/// Where the highest byte of a packed key begins, which says what is NULL.
const NULLS_AT: u32 = 120;
/// A list may have so many places for each key, and some whatever there are.
const PLACES_PER_KEY: usize = 16;
const PLACES_ALWAYS: usize = 1 << 16;

/// Where numbers are found.
enum Index {
    /// One column of numbers of so many bytes.
    Places {
        width: u32,
        places: Places,
    },
    Packed(HashTable<(u128, u32)>),
    /// By the hashes of bytes.
    Bytes(HashTable<(u64, u32)>),
}

/// A place for each number from the first on.
#[derive(Default)]
struct Places {
    first: i64,
    /// One more than what the number at this place has; 0 for none.
    list: Vec<u32>,
    /// The same for NULL.
    null: u32,
}

impl Places {
    fn get(&self, value: Option<i64>) -> Option<u32> {
        let found = match value {
            None => self.null,
            Some(v) => {
                let at = v.wrapping_sub(self.first).cast_unsigned();
                usize::try_from(at).ok().and_then(|at| self.list.get(at)).copied().unwrap_or(0)
            }
        };
        found.checked_sub(1)
    }

    /// Puts a number that is not there; false where it lies too far from the `count` others.
    fn put(&mut self, value: Option<i64>, number: u32, count: usize) -> bool {
        let Some(v) = value else {
            self.null = number + 1;
            return true;
        };
        if self.list.is_empty() {
            self.first = v;
        }
        let most = PLACES_PER_KEY * count + PLACES_ALWAYS;
        let at = i128::from(v) - i128::from(self.first);
        if at < 0 {
            let below = usize::try_from(-at).unwrap_or(usize::MAX);
            if below.saturating_add(self.list.len()) > most {
                return false;
            }
            // Room for as many again, so that falling numbers do not move all each time.
            let room = below.max(self.list.len().min(most - self.list.len()));
            let Some(first) = self.first.checked_sub(room as i64) else { return false };
            self.list.splice(0..0, std::iter::repeat_n(0, room));
            self.first = first;
            return self.put(value, number, count);
        }
        let Some(at) = usize::try_from(at).ok().filter(|&at| at < most) else { return false };
        if at >= self.list.len() {
            self.list.resize(at + 1, 0);
        }
        self.list[at] = number + 1;
        true
    }
}

/// The number that a packed key of one column is; none for NULL.
fn single(key: u128, width: u32) -> Option<i64> {
    let unused = 64 - 8 * width;
    (key >> NULLS_AT == 0).then(|| ((key as u64) << unused).cast_signed() >> unused)
}

/// Numbers keys.
pub struct KeyTable {
    /// Whether NULLs equal nothing, and integers of several widths meet.
    joins: bool,
    /// Widths of packed keys; `None` for bytes.
    widths: Option<Vec<u32>>,
    hasher: DefaultHashBuilder,
    index: Index,
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
        KeyTable::of(joins, widths, DefaultHashBuilder::default())
    }

    /// An empty one that has the same keys for the same values.
    pub fn like(&self) -> KeyTable {
        KeyTable::of(self.joins, self.widths.clone(), self.hasher.clone())
    }

    fn of(joins: bool, widths: Option<Vec<u32>>, hasher: DefaultHashBuilder) -> KeyTable {
        KeyTable {
            joins,
            index: KeyTable::empty(widths.as_deref()),
            widths,
            hasher,
            packed: Vec::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
            count: 0,
        }
    }

    fn empty(widths: Option<&[u32]>) -> Index {
        match widths {
            Some(&[width]) => Index::Places { width, places: Places::default() },
            Some(_) => Index::Packed(HashTable::new()),
            None => Index::Bytes(HashTable::new()),
        }
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        self.index = KeyTable::empty(self.widths.as_deref());
        self.packed.clear();
        self.bytes.clear();
        self.ends.clear();
        self.count = 0;
    }

    /// Bytes it holds.
    pub fn held_bytes(&self) -> usize {
        let index = match &self.index {
            Index::Places { places, .. } => places.list.capacity() * 4,
            Index::Packed(table) => table.capacity() * 34,
            Index::Bytes(table) => table.capacity() * 18,
        };
        index + self.packed.capacity() * 16 + self.bytes.capacity() + self.ends.capacity() * 8
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
            if let Index::Packed(_) = self.index {
                out.hashes.extend(out.packed.iter().map(|k| self.hasher.hash_one(k)));
            }
            return Ok(());
        }
        out.packed.clear();
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

    fn bytes_of(&self, number: u32) -> &[u8] {
        let n = number as usize;
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        &self.bytes[start..self.ends[n]]
    }

    /// The number of key `i`.
    #[inline]
    pub fn find(&self, keys: &Keys, i: usize) -> Option<u32> {
        match &self.index {
            Index::Places { width, places } => places.get(single(keys.packed[i], *width)),
            Index::Packed(table) => {
                let key = keys.packed[i];
                // Made before the list gave way to the table, keys have no hashes.
                let hash = keys.hashes.get(i).copied().unwrap_or_else(|| self.hasher.hash_one(key));
                table.find(hash, |e| e.0 == key).map(|e| e.1)
            }
            Index::Bytes(table) => {
                let hash = keys.hashes[i];
                table.find(hash, |e| e.0 == hash && self.bytes_of(e.1) == keys.bytes_of(i)).map(|e| e.1)
            }
        }
    }

    /// The number of key `i`, and whether it is new.
    pub fn number(&mut self, keys: &Keys, i: usize) -> (u32, bool) {
        if let Some(found) = self.find(keys, i) {
            return (found, false);
        }
        let number = self.count;
        if let Index::Places { width, places } = &mut self.index {
            if !places.put(single(keys.packed[i], *width), number, number as usize) {
                let mut table = HashTable::with_capacity(2 * self.packed.len());
                for (n, &key) in self.packed.iter().enumerate() {
                    let again = |e: &(u128, u32)| self.hasher.hash_one(e.0);
                    table.insert_unique(self.hasher.hash_one(key), (key, n as u32), again);
                }
                self.index = Index::Packed(table);
                return self.number(keys, i);
            }
            self.packed.push(keys.packed[i]);
        } else if let Index::Packed(table) = &mut self.index {
            let key = keys.packed[i];
            let again = |e: &(u128, u32)| self.hasher.hash_one(e.0);
            table.insert_unique(self.hasher.hash_one(key), (key, number), again);
            self.packed.push(key);
        } else if let Index::Bytes(table) = &mut self.index {
            let hash = keys.hashes[i];
            table.insert_unique(hash, (hash, number), |e| e.0);
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
                *key |= u128::from(v.nulls.get(i)) << (NULLS_AT as usize + column);
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

    /// Numbers near and far, in any order, are told apart by a list and by what takes its place.
    #[test]
    fn lists_give_way_to_tables() {
        let near: Vec<i64> = (0..3000).map(|i| (i * 7919) % 3000 - 1500).collect();
        let falling: Vec<i64> = (0..100_000).map(|i| -i).collect();
        let far: Vec<i64> = (0..3000).map(|i: i64| i.wrapping_mul(0x1234_5678_9abc_def1)).collect();
        let late: Vec<i64> = (0..500).chain([i64::MAX, i64::MIN, 1 << 40]).chain(500..2000).collect();
        for (values, stays) in [(near, true), (falling, true), (far, false), (late, false)] {
            let mut table = KeyTable::new(&[oid::INT8], false);
            for part in values.chunks(1000) {
                let mut column = Vector::new(Physical::I64);
                part.iter().for_each(|&v| column.push(&Datum::I64(v)));
                column.push_null();
                let mut keys = Keys::default();
                pack(&[&column], &[8], false, part.len() + 1, &mut keys.packed);
                for (i, value) in part.iter().enumerate() {
                    let known = table.len() as u32;
                    assert_eq!(table.number(&keys, i), (known, true), "{value}");
                    assert_eq!(table.number(&keys, i), (known, false));
                }
                let null = table.number(&keys, part.len()).0;
                assert_eq!(null, 1000.min(values.len() as u32));
            }
            assert_eq!(table.len(), values.len() + 1);
            assert_eq!(matches!(table.index, Index::Places { .. }), stays);
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
