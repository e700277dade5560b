//! Arrays: their stored form, text and binary forms.
//!
//! Stored form, integers little-endian: dimension count `u8`, physical form of the elements `u8`, element type `u32`;
//! per dimension its length and lower bound as `i32`; per element the end of its bytes as `u32`, the top bit set for
//! NULL; then the elements' bytes. An element is found without reading those before it.

mod binary;
mod part;
mod text;

pub use binary::{binary_in, binary_out};
pub use part::{Bounds, assign};
pub use text::{text_in, text_out, vector_in, vector_out};

use std::cmp::Ordering;

use crate::compare::compare_with;
use crate::io::TypeLookup;
use crate::oid::Oid;
use crate::{Datum, Physical, Result, SqlError, SqlState};

/// Most dimensions an array has.
pub const DIMENSIONS_MAX: usize = 6;
/// Most elements an array has.
pub const ELEMENTS_MAX: usize = 134_217_727;
const NULL_BIT: u32 = 1 << 31;

/// Length and lower bound of one dimension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dimension {
    /// Count of elements.
    pub len: i32,
    /// Subscript of the first.
    pub lower: i32,
}

/// An array taken out of its stored form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Array {
    /// The type of the elements.
    pub element: Oid,
    /// Outermost first; none of an empty array.
    pub dimensions: Vec<Dimension>,
    /// The elements in row-major order.
    pub values: Vec<Datum>,
}

/// `54000`: too many dimensions.
pub fn too_many_dimensions() -> SqlError {
    SqlError::new(
        SqlState::PROGRAM_LIMIT_EXCEEDED,
        format!("number of array dimensions exceeds the maximum allowed ({DIMENSIONS_MAX})"),
    )
}

/// `54000`: too many elements.
pub fn too_many_elements() -> SqlError {
    SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, format!("array size exceeds the maximum allowed ({ELEMENTS_MAX})"))
}

/// Appends a value's bytes in its physical form.
pub(crate) fn put_datum(d: &Datum, out: &mut Vec<u8>) {
    match d {
        Datum::Null => {}
        Datum::Bool(v) => out.push(u8::from(*v)),
        Datum::I8(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::I16(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::I32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::U32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::I64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::F32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::F64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::B16(b) => out.extend_from_slice(b),
        Datum::Var(b) => out.extend_from_slice(b),
    }
}

/// The value whose bytes in `physical` form are `b`; NULL if they cannot be.
pub(crate) fn get_datum(physical: Physical, b: &[u8]) -> Datum {
    fn fixed<const N: usize>(b: &[u8], make: impl Fn([u8; N]) -> Datum) -> Datum {
        b.try_into().map_or(Datum::Null, make)
    }
    match physical {
        Physical::Bool => fixed(b, |[v]| Datum::Bool(v != 0)),
        Physical::I8 => fixed(b, |v| Datum::I8(i8::from_le_bytes(v))),
        Physical::I16 => fixed(b, |v| Datum::I16(i16::from_le_bytes(v))),
        Physical::I32 => fixed(b, |v| Datum::I32(i32::from_le_bytes(v))),
        Physical::U32 => fixed(b, |v| Datum::U32(u32::from_le_bytes(v))),
        Physical::I64 => fixed(b, |v| Datum::I64(i64::from_le_bytes(v))),
        Physical::F32 => fixed(b, |v| Datum::F32(f32::from_le_bytes(v))),
        Physical::F64 => fixed(b, |v| Datum::F64(f64::from_le_bytes(v))),
        Physical::B16 => fixed(b, Datum::B16),
        Physical::Var => Datum::bytes(b),
    }
}

fn u32_at(b: &[u8], at: usize) -> u32 {
    b.get(at..at + 4).and_then(|s| s.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// A stored array, read in place.
#[derive(Clone, Copy, Debug)]
pub struct ArrayView<'a> {
    bytes: &'a [u8],
    len: usize,
}

impl<'a> ArrayView<'a> {
    /// Looks into stored bytes.
    pub fn new(bytes: &'a [u8]) -> ArrayView<'a> {
        let mut v = ArrayView { bytes, len: 0 };
        let dimensions = v.dimension_count();
        let total = (0..dimensions).try_fold(1usize, |n, i| n.checked_mul(v.dimension(i).len.max(0) as usize));
        // Bytes that no array was written to may claim anything.
        let fits = |n: &usize| n.checked_mul(4).is_some_and(|ends| 6 + 8 * dimensions + ends <= bytes.len());
        v.len = if dimensions == 0 { 0 } else { total.filter(fits).unwrap_or(0) };
        v
    }

    /// How many dimensions.
    pub fn dimension_count(&self) -> usize {
        self.bytes.first().map_or(0, |n| usize::from(*n).min(DIMENSIONS_MAX))
    }

    /// The type of the elements.
    pub fn element(&self) -> Oid {
        Oid(u32_at(self.bytes, 2))
    }

    /// Dimension `i`, outermost first.
    pub fn dimension(&self, i: usize) -> Dimension {
        Dimension { len: u32_at(self.bytes, 6 + 8 * i) as i32, lower: u32_at(self.bytes, 10 + 8 * i) as i32 }
    }

    /// All dimensions.
    pub fn dimensions(&self) -> Vec<Dimension> {
        (0..self.dimension_count()).map(|i| self.dimension(i)).collect()
    }

    /// How many elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Element `i` in row-major order; NULL beyond the end.
    pub fn get(&self, i: usize) -> Datum {
        if i >= self.len {
            return Datum::Null;
        }
        let ends = 6 + 8 * self.dimension_count();
        let end = u32_at(self.bytes, ends + 4 * i);
        if end & NULL_BIT != 0 {
            return Datum::Null;
        }
        let start = if i == 0 { 0 } else { u32_at(self.bytes, ends + 4 * (i - 1)) & !NULL_BIT };
        let data = ends + 4 * self.len;
        let physical = Physical::from_tag(self.bytes[1]).unwrap_or(Physical::Var);
        self.bytes.get(data + start as usize..data + end as usize).map_or(Datum::Null, |b| get_datum(physical, b))
    }

    /// The elements in row-major order.
    pub fn iter(self) -> impl Iterator<Item = Datum> + 'a {
        (0..self.len).map(move |i| self.get(i))
    }

    /// Row-major index of the element at `subscripts`; none when out of bounds.
    pub fn index_of(&self, subscripts: &[i32]) -> Option<usize> {
        if subscripts.len() != self.dimension_count() {
            return None;
        }
        subscripts.iter().enumerate().try_fold(0usize, |index, (i, s)| {
            let d = self.dimension(i);
            let at = i64::from(*s) - i64::from(d.lower);
            (0..i64::from(d.len)).contains(&at).then(|| index * d.len as usize + at as usize)
        })
    }
}

impl Array {
    /// An array of no elements.
    pub fn empty(element: Oid) -> Array {
        Array { element, dimensions: Vec::new(), values: Vec::new() }
    }

    /// A one-dimensional array with subscripts from 1.
    pub fn one_dimensional(element: Oid, values: Vec<Datum>) -> Array {
        if values.is_empty() {
            return Array::empty(element);
        }
        Array { element, dimensions: vec![Dimension { len: values.len() as i32, lower: 1 }], values }
    }

    /// Takes a stored array apart.
    pub fn from_bytes(bytes: &[u8]) -> Array {
        let v = ArrayView::new(bytes);
        Array { element: v.element(), dimensions: v.dimensions(), values: v.iter().collect() }
    }

    /// Takes an array datum apart; an empty array of anything else.
    pub fn from_datum(d: &Datum) -> Array {
        Array::from_bytes(d.as_bytes().unwrap_or_default())
    }

    /// The stored form.
    pub fn to_datum(&self) -> Datum {
        let physical = self.values.iter().find_map(Datum::physical).unwrap_or(Physical::of(self.element));
        let mut out = vec![self.dimensions.len() as u8, physical as u8];
        out.extend_from_slice(&self.element.0.to_le_bytes());
        for d in &self.dimensions {
            out.extend_from_slice(&d.len.to_le_bytes());
            out.extend_from_slice(&d.lower.to_le_bytes());
        }
        let mut data = Vec::new();
        for v in &self.values {
            put_datum(v, &mut data);
            let null = if v.is_null() { NULL_BIT } else { 0 };
            out.extend_from_slice(&(data.len() as u32 | null).to_le_bytes());
        }
        out.extend_from_slice(&data);
        Datum::from(out)
    }
}

/// Checks bounds that a new array is to have.
pub fn check_dimensions(dimensions: &[Dimension]) -> Result<()> {
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(too_many_dimensions());
    }
    let mut total = 1usize;
    for d in dimensions {
        total =
            total.checked_mul(d.len.max(0) as usize).filter(|t| *t <= ELEMENTS_MAX).ok_or_else(too_many_elements)?;
        if d.lower.checked_add(d.len).is_none() {
            return Err(SqlError::new(
                SqlState::PROGRAM_LIMIT_EXCEEDED,
                format!("array lower bound is too large: {}", d.lower),
            ));
        }
    }
    Ok(())
}

/// SQL order: element by element, then by count, dimensions and bounds.
pub(crate) fn compare_arrays(a: &[u8], b: &[u8], types: &dyn TypeLookup) -> Ordering {
    let (a, b) = (ArrayView::new(a), ArrayView::new(b));
    let element = a.element();
    for i in 0..a.len().min(b.len()) {
        match compare_with(element, &a.get(i), &b.get(i), types) {
            Ordering::Equal => {}
            different => return different,
        }
    }
    let lengths = |v: &ArrayView<'_>| v.dimensions().iter().map(|d| d.len).collect::<Vec<_>>();
    let bounds = |v: &ArrayView<'_>| v.dimensions().iter().map(|d| d.lower).collect::<Vec<_>>();
    a.len()
        .cmp(&b.len())
        .then_with(|| a.dimension_count().cmp(&b.dimension_count()))
        .then_with(|| lengths(&a).cmp(&lengths(&b)))
        .then_with(|| bounds(&a).cmp(&bounds(&b)))
}
