#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::sync::Arc;

use types::{Datum, Physical};

/// Rows in a full chunk.
pub const CHUNK_ROWS: usize = 1024;

/// Which slots are NULL: a bitmap, empty while none is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nulls(Vec<u64>);

impl Nulls {
    /// Whether slot `i` is NULL.
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    /// Makes slot `i` NULL.
    pub fn set(&mut self, i: usize) {
        if self.0.len() <= i / 64 {
            self.0.resize(i / 64 + 1, 0);
        }
        self.0[i / 64] |= 1 << (i % 64);
    }

    /// Whether no slot is NULL.
    #[inline]
    pub fn none(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// One bit per slot, 64 to a word; missing words are zero.
    pub fn words(&self) -> &[u64] {
        &self.0
    }

    /// From words as [`Nulls::words`] gives them; words of all zeros are dropped from the end.
    pub fn from_words(mut words: Vec<u64>) -> Nulls {
        while words.last() == Some(&0) {
            words.pop();
        }
        Nulls(words)
    }

    /// Forgets slots from `len` on.
    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len.div_ceil(64));
        if let Some(last) = self.0.get_mut(len / 64) {
            *last &= (1 << (len % 64)) - 1;
        }
    }

    /// Slots that are NULL here or there.
    pub fn union(&self, other: &Nulls) -> Nulls {
        let n = self.0.len().max(other.0.len());
        let word = |v: &[u64], i: usize| v.get(i).copied().unwrap_or(0);
        Nulls((0..n).map(|i| word(&self.0, i) | word(&other.0, i)).collect())
    }
}

/// Variable-length values, end to end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VarData {
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl VarData {
    /// The bytes of slot `i`.
    #[inline]
    pub fn get(&self, i: usize) -> &[u8] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.bytes[start..self.ends[i] as usize]
    }

    /// Appends the value that `write` appends to the bytes.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len() as u32);
    }

    /// Appends a value.
    #[inline]
    pub fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len() as u32);
    }

    /// The values, where each has `N` bytes.
    pub fn records<const N: usize>(&self) -> Option<&[[u8; N]]> {
        let uniform = self.ends.iter().zip(1..).all(|(&end, i)| end == N as u32 * i);
        uniform.then(|| self.bytes.as_chunks().0)
    }

    /// Values of `N` bytes each.
    pub fn from_records<const N: usize>(records: Vec<[u8; N]>) -> VarData {
        VarData { ends: (1..=records.len() as u32).map(|i| N as u32 * i).collect(), bytes: records.into_flattened() }
    }

    /// Appends at most twelve bytes, the first `len` of these.
    #[inline]
    pub fn push_short(&mut self, bytes: &[u8; 12], len: usize) {
        let end = self.bytes.len() + len;
        self.bytes.extend_from_slice(bytes);
        self.bytes.truncate(end);
        self.ends.push(end as u32);
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all values.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    fn clear(&mut self) {
        self.ends.clear();
        self.bytes.clear();
    }

    fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.bytes.truncate(self.ends.last().map_or(0, |&end| end as usize));
    }

    /// Keeps the values that `selection`, in rising order, lists.
    fn compact(&mut self, selection: &[u32]) {
        let mut ends = Vec::with_capacity(selection.len());
        let mut at = 0;
        for &from in selection {
            let from = from as usize;
            let start = if from == 0 { 0 } else { self.ends[from - 1] as usize };
            let end = self.ends[from] as usize;
            // Values move towards the front only.
            self.bytes.copy_within(start..end, at);
            at += end - start;
            ends.push(at as u32);
        }
        self.ends = ends;
        self.bytes.truncate(at);
    }
}

/// The values of a vector, by physical form.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each variant is named after its physical form")]
pub enum Data {
    Bool(Vec<bool>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    U32(Vec<u32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    B16(Vec<[u8; 16]>),
    Var(VarData),
    /// So many values that nobody reads (V3).
    Absent(usize),
}

macro_rules! each {
    ($data:expr, $v:ident => $body:expr, var $w:ident => $var:expr, absent $n:ident => $absent:expr) => {
        match $data {
            Data::Bool($v) => $body,
            Data::I8($v) => $body,
            Data::I16($v) => $body,
            Data::I32($v) => $body,
            Data::U32($v) => $body,
            Data::I64($v) => $body,
            Data::F32($v) => $body,
            Data::F64($v) => $body,
            Data::B16($v) => $body,
            Data::Var($w) => $var,
            Data::Absent($n) => $absent,
        }
    };
}

/// A column of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// The values; zero where NULL (V2).
    pub data: Data,
    /// Which are NULL.
    pub nulls: Nulls,
}

impl Vector {
    /// An empty vector of form `physical`.
    pub fn new(physical: Physical) -> Vector {
        let data = match physical {
            Physical::Bool => Data::Bool(Vec::new()),
            Physical::I8 => Data::I8(Vec::new()),
            Physical::I16 => Data::I16(Vec::new()),
            Physical::I32 => Data::I32(Vec::new()),
            Physical::U32 => Data::U32(Vec::new()),
            Physical::I64 => Data::I64(Vec::new()),
            Physical::F32 => Data::F32(Vec::new()),
            Physical::F64 => Data::F64(Vec::new()),
            Physical::B16 => Data::B16(Vec::new()),
            Physical::Var => Data::Var(VarData::default()),
        };
        Vector { data, nulls: Nulls::default() }
    }

    /// How many values.
    pub fn len(&self) -> usize {
        each!(&self.data, v => v.len(), var w => w.len(), absent n => *n)
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all values; memory is kept.
    pub fn clear(&mut self) {
        self.nulls.0.clear();
        each!(&mut self.data, v => v.clear(), var w => w.clear(), absent n => *n = 0);
    }

    /// Removes the values from `len` on, if there are so many.
    pub fn truncate(&mut self, len: usize) {
        self.nulls.truncate(len);
        each!(&mut self.data, v => v.truncate(len), var w => w.truncate(len), absent n => *n = (*n).min(len));
    }

    /// Appends NULL.
    pub fn push_null(&mut self) {
        self.nulls.set(self.len());
        each!(&mut self.data, v => v.push(Default::default()), var w => w.push(&[]), absent n => *n += 1);
    }

    /// Appends a value.
    ///
    /// # Panics
    /// When its form is not the vector's.
    pub fn push(&mut self, datum: &Datum) {
        match (&mut self.data, datum) {
            (Data::Absent(n), _) => *n += 1,
            (_, Datum::Null) => self.push_null(),
            (Data::Bool(v), Datum::Bool(x)) => v.push(*x),
            (Data::I8(v), Datum::I8(x)) => v.push(*x),
            (Data::I16(v), Datum::I16(x)) => v.push(*x),
            (Data::I32(v), Datum::I32(x)) => v.push(*x),
            (Data::U32(v), Datum::U32(x)) => v.push(*x),
            (Data::I64(v), Datum::I64(x)) => v.push(*x),
            (Data::F32(v), Datum::F32(x)) => v.push(*x),
            (Data::F64(v), Datum::F64(x)) => v.push(*x),
            (Data::B16(v), Datum::B16(x)) => v.push(*x),
            (Data::Var(v), Datum::Var(x)) => v.push(x),
            (data, datum) => panic!("a {datum:?} does not go into {data:?}"),
        }
    }

    /// The value in slot `i`.
    pub fn get(&self, i: usize) -> Datum {
        if self.nulls.get(i) {
            return Datum::Null;
        }
        match &self.data {
            Data::Bool(v) => Datum::Bool(v[i]),
            Data::I8(v) => Datum::I8(v[i]),
            Data::I16(v) => Datum::I16(v[i]),
            Data::I32(v) => Datum::I32(v[i]),
            Data::U32(v) => Datum::U32(v[i]),
            Data::I64(v) => Datum::I64(v[i]),
            Data::F32(v) => Datum::F32(v[i]),
            Data::F64(v) => Datum::F64(v[i]),
            Data::B16(v) => Datum::B16(v[i]),
            Data::Var(v) => Datum::Var(Arc::from(v.get(i))),
            Data::Absent(_) => Datum::Null,
        }
    }

    /// `n` times the same value.
    pub fn constant(physical: Physical, datum: &Datum, n: usize) -> Vector {
        let data = match (datum, physical) {
            (Datum::Bool(x), Physical::Bool) => Data::Bool(vec![*x; n]),
            (Datum::I8(x), Physical::I8) => Data::I8(vec![*x; n]),
            (Datum::I16(x), Physical::I16) => Data::I16(vec![*x; n]),
            (Datum::I32(x), Physical::I32) => Data::I32(vec![*x; n]),
            (Datum::U32(x), Physical::U32) => Data::U32(vec![*x; n]),
            (Datum::I64(x), Physical::I64) => Data::I64(vec![*x; n]),
            (Datum::F32(x), Physical::F32) => Data::F32(vec![*x; n]),
            (Datum::F64(x), Physical::F64) => Data::F64(vec![*x; n]),
            (Datum::B16(x), Physical::B16) => Data::B16(vec![*x; n]),
            (Datum::Var(x), Physical::Var) => {
                let len = x.len() as u32;
                Data::Var(VarData { ends: (1..=n as u32).map(|i| len * i).collect(), bytes: x.repeat(n) })
            }
            _ => {
                let mut v = Vector::new(physical);
                (0..n).for_each(|_| v.push(datum));
                return v;
            }
        };
        Vector { data, nulls: Nulls::default() }
    }

    /// A vector of `n` values that nobody reads.
    pub fn absent(n: usize) -> Vector {
        Vector { data: Data::Absent(n), nulls: Nulls::default() }
    }

    /// Whether it is of form `physical`.
    pub fn is_form(&self, physical: Physical) -> bool {
        matches!(
            (&self.data, physical),
            (Data::Bool(_), Physical::Bool)
                | (Data::I8(_), Physical::I8)
                | (Data::I16(_), Physical::I16)
                | (Data::I32(_), Physical::I32)
                | (Data::U32(_), Physical::U32)
                | (Data::I64(_), Physical::I64)
                | (Data::F32(_), Physical::F32)
                | (Data::F64(_), Physical::F64)
                | (Data::B16(_), Physical::B16)
                | (Data::Var(_), Physical::Var)
        )
    }

    /// Makes it empty and of form `physical`, keeping memory where it can.
    #[inline]
    pub fn reset(&mut self, physical: Physical) {
        if self.is_form(physical) { self.clear() } else { *self = Vector::new(physical) }
    }

    /// Appends slot `i` of `other`, a vector of the same form.
    ///
    /// # Panics
    /// When its form is not this one's.
    pub fn push_from(&mut self, other: &Vector, i: usize) {
        if other.nulls.get(i) {
            return self.push_null();
        }
        match (&mut self.data, &other.data) {
            (Data::Bool(v), Data::Bool(o)) => v.push(o[i]),
            (Data::I8(v), Data::I8(o)) => v.push(o[i]),
            (Data::I16(v), Data::I16(o)) => v.push(o[i]),
            (Data::I32(v), Data::I32(o)) => v.push(o[i]),
            (Data::U32(v), Data::U32(o)) => v.push(o[i]),
            (Data::I64(v), Data::I64(o)) => v.push(o[i]),
            (Data::F32(v), Data::F32(o)) => v.push(o[i]),
            (Data::F64(v), Data::F64(o)) => v.push(o[i]),
            (Data::B16(v), Data::B16(o)) => v.push(o[i]),
            (Data::Var(v), Data::Var(o)) => v.push(o.get(i)),
            (Data::Absent(n), _) => *n += 1,
            (_, Data::Absent(_)) => self.push_null(),
            (data, other) => panic!("values of {other:?} do not go into {data:?}"),
        }
    }

    /// Appends the slots of `other` that `selection` lists.
    ///
    /// # Panics
    /// As [`Vector::push_from`].
    pub fn extend_selected(&mut self, other: &Vector, selection: impl Iterator<Item = usize> + Clone) {
        if let Data::Absent(n) = &mut self.data {
            *n += selection.count();
            return;
        }
        let start = self.len();
        macro_rules! extend {
            ($v:ident, $o:ident) => {
                $v.extend(selection.clone().map(|i| $o[i]))
            };
        }
        match (&mut self.data, &other.data) {
            (Data::Bool(v), Data::Bool(o)) => extend!(v, o),
            (Data::I8(v), Data::I8(o)) => extend!(v, o),
            (Data::I16(v), Data::I16(o)) => extend!(v, o),
            (Data::I32(v), Data::I32(o)) => extend!(v, o),
            (Data::U32(v), Data::U32(o)) => extend!(v, o),
            (Data::I64(v), Data::I64(o)) => extend!(v, o),
            (Data::F32(v), Data::F32(o)) => extend!(v, o),
            (Data::F64(v), Data::F64(o)) => extend!(v, o),
            (Data::B16(v), Data::B16(o)) => extend!(v, o),
            (Data::Var(v), Data::Var(o)) => selection.clone().for_each(|i| v.push(o.get(i))),
            (_, Data::Absent(_)) => {
                selection.for_each(|_| self.push_null());
                return;
            }
            (data, other) => panic!("values of {other:?} do not go into {data:?}"),
        }
        if !other.nulls.none() {
            for (to, from) in selection.enumerate() {
                if other.nulls.get(from) {
                    self.nulls.set(start + to);
                }
            }
        }
    }

    /// Keeps the slots that `selection`, in rising order, lists.
    pub fn compact(&mut self, selection: &[u32]) {
        if !self.nulls.none() {
            let mut nulls = Nulls::default();
            for (to, &from) in selection.iter().enumerate() {
                if self.nulls.get(from as usize) {
                    nulls.set(to);
                }
            }
            self.nulls = nulls;
        }
        each!(&mut self.data, v => {
            for (to, &from) in selection.iter().enumerate() {
                v[to] = v[from as usize];
            }
            v.truncate(selection.len());
        }, var w => w.compact(selection), absent n => *n = selection.len());
    }

    /// Bytes it takes, about.
    pub fn bytes(&self) -> usize {
        let width = each!(&self.data, v => size_of_val(&v[..]), var w => w.byte_len() + 4 * w.len(), absent _n => 0);
        width + self.nulls.0.len() * 8
    }

    /// The bytes of slot `i` of a variable-length vector.
    pub fn var(&self, i: usize) -> Option<&[u8]> {
        match &self.data {
            Data::Var(v) if !self.nulls.get(i) => Some(v.get(i)),
            _ => None,
        }
    }

    /// The values of the slots that `selection` lists.
    pub fn select(&self, selection: &[u32]) -> Vector {
        let mut nulls = Nulls::default();
        if !self.nulls.none() {
            for (to, &from) in selection.iter().enumerate() {
                if self.nulls.get(from as usize) {
                    nulls.set(to);
                }
            }
        }
        macro_rules! gather {
            ($variant:ident, $v:expr) => {
                Data::$variant(selection.iter().map(|&i| $v[i as usize]).collect())
            };
        }
        let data = match &self.data {
            Data::Bool(v) => gather!(Bool, v),
            Data::I8(v) => gather!(I8, v),
            Data::I16(v) => gather!(I16, v),
            Data::I32(v) => gather!(I32, v),
            Data::U32(v) => gather!(U32, v),
            Data::I64(v) => gather!(I64, v),
            Data::F32(v) => gather!(F32, v),
            Data::F64(v) => gather!(F64, v),
            Data::B16(v) => gather!(B16, v),
            Data::Var(v) => {
                let mut out = VarData::default();
                selection.iter().for_each(|&i| out.push(v.get(i as usize)));
                Data::Var(out)
            }
            Data::Absent(_) => Data::Absent(selection.len()),
        };
        Vector { data, nulls }
    }
}

/// Some rows, column by column (V1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk {
    /// The columns.
    pub columns: Vec<Vector>,
    /// How many rows; also right when there are no columns.
    pub rows: usize,
}

impl Chunk {
    /// An empty chunk of columns of these forms.
    pub fn new(forms: &[Physical]) -> Chunk {
        Chunk { columns: forms.iter().map(|&p| Vector::new(p)).collect(), rows: 0 }
    }

    /// Appends a row.
    pub fn push_row(&mut self, row: &[Datum]) {
        for (column, datum) in self.columns.iter_mut().zip(row) {
            column.push(datum);
        }
        self.rows += 1;
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> Vec<Datum> {
        self.columns.iter().map(|c| c.get(i)).collect()
    }

    /// The rows that `selection` lists.
    pub fn select(&self, selection: &[u32]) -> Chunk {
        Chunk { columns: self.columns.iter().map(|c| c.select(selection)).collect(), rows: selection.len() }
    }

    /// Makes it empty, of columns of these forms, keeping memory where it can.
    pub fn reset(&mut self, forms: &[Physical]) {
        self.columns.truncate(forms.len());
        for (i, &form) in forms.iter().enumerate() {
            match self.columns.get_mut(i) {
                Some(column) => column.reset(form),
                None => self.columns.push(Vector::new(form)),
            }
        }
        self.rows = 0;
    }

    /// Keeps the rows that `selection`, in rising order, lists.
    pub fn compact(&mut self, selection: &[u32]) {
        self.columns.iter_mut().for_each(|c| c.compact(selection));
        self.rows = selection.len();
    }

    /// Appends the rows of `other` that `selection` lists; `other` may have fewer columns.
    pub fn extend_selected(&mut self, other: &Chunk, selection: impl Iterator<Item = usize> + Clone) {
        self.rows += selection.clone().count();
        for (column, from) in self.columns.iter_mut().zip(&other.columns) {
            column.extend_selected(from, selection.clone());
        }
    }

    /// Bytes it takes, about.
    pub fn bytes(&self) -> usize {
        self.columns.iter().map(Vector::bytes).sum()
    }

    /// Removes all rows.
    pub fn clear(&mut self) {
        self.columns.iter_mut().for_each(Vector::clear);
        self.rows = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_and_nulls_hold_zero() {
        let mut v = Vector::new(Physical::Var);
        let values = [Datum::text("a"), Datum::Null, Datum::text(""), Datum::text("longer than twelve bytes")];
        values.iter().for_each(|d| v.push(d));
        assert_eq!((0..4).map(|i| v.get(i)).collect::<Vec<_>>(), values);
        let picked = v.select(&[3, 1]);
        assert_eq!([picked.get(0), picked.get(1)], [values[3].clone(), Datum::Null]);
        let mut n = Vector::new(Physical::I32);
        n.push_null();
        assert_eq!(n.data, Data::I32(vec![0]));
    }

    #[test]
    fn compacting_is_selecting_in_place() {
        let mut v = Vector::new(Physical::Var);
        let texts = ["one", "", "three", "a long fourth value", "5"];
        texts.iter().for_each(|t| v.push(&Datum::text(t)));
        v.push_null();
        for selection in [vec![], vec![0], vec![1, 2, 5], vec![0, 1, 2, 3, 4, 5], vec![3, 4]] {
            let expected = v.select(&selection);
            let mut compacted = v.clone();
            compacted.compact(&selection);
            assert_eq!(compacted.len(), expected.len());
            assert!((0..expected.len()).all(|i| compacted.get(i) == expected.get(i)), "{selection:?}");
            let mut copied = Vector::new(Physical::Var);
            copied.extend_selected(&v, selection.iter().map(|&i| i as usize));
            assert!((0..expected.len()).all(|i| copied.get(i) == expected.get(i)), "{selection:?}");
        }
    }

    #[test]
    fn absent_columns_count_rows_and_no_more() {
        let mut chunk = Chunk { columns: vec![Vector::absent(3), Vector::new(Physical::I32)], rows: 0 };
        for i in 0..3 {
            chunk.columns[1].push(&Datum::I32(i));
        }
        chunk.rows = 3;
        chunk.compact(&[0, 2]);
        assert_eq!(chunk.row(1), [Datum::Null, Datum::I32(2)]);
        assert_eq!(chunk.columns[0].len(), 2);
    }
}
