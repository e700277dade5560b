//! Rows of a result.

use std::sync::Arc;

use postgres_types::{FromSql, Type};
use smallvec::SmallVec;
use types::{SqlError, SqlState};

use crate::Result;

/// A column of a result.
#[derive(Clone, Debug)]
pub struct Column {
    name: String,
    ty: Type,
}

impl Column {
    pub(crate) fn new(name: String, oid: u32) -> Column {
        Column { name, ty: Type::from_oid(oid).unwrap_or(Type::UNKNOWN) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its type.
    pub fn type_(&self) -> &Type {
        &self.ty
    }
}

/// A row. Values are lent from it without a copy.
#[derive(Clone, Debug)]
pub struct Row {
    columns: Arc<Vec<Column>>,
    /// Binary forms, end to end.
    bytes: RowBytes,
    /// Where each value lies; `None` is NULL.
    ranges: SmallVec<[Option<std::ops::Range<u32>>; 3]>,
}

impl Row {
    /// A row of these columns that has no values yet.
    pub(crate) fn empty(columns: Arc<Vec<Column>>) -> Row {
        Row { columns, bytes: RowBytes::default(), ranges: SmallVec::new() }
    }

    /// Forgets its values.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ranges.clear();
    }

    /// Adds a NULL.
    pub(crate) fn add_null(&mut self) {
        self.ranges.push(None);
    }

    /// Adds a value's binary form.
    #[inline]
    pub(crate) fn add_value(&mut self, bytes: &[u8]) {
        let start = self.bytes.len as u32;
        self.bytes.push(bytes);
        self.ranges.push(Some(start..self.bytes.len as u32));
    }
}

/// So many bytes of a row take no allocation.
const FEW_BYTES: usize = 40;

/// Bytes of a row.
#[derive(Clone, Debug)]
struct RowBytes {
    len: usize,
    /// The first ones, as long as these are all.
    few: [u8; FEW_BYTES],
    /// All of them, once they are more.
    many: Vec<u8>,
}

impl Default for RowBytes {
    fn default() -> RowBytes {
        RowBytes { len: 0, few: [0; FEW_BYTES], many: Vec::new() }
    }
}

impl RowBytes {
    fn clear(&mut self) {
        self.len = 0;
        self.many.clear();
    }

    #[inline]
    fn push(&mut self, bytes: &[u8]) {
        let (start, end) = (self.len, self.len + bytes.len());
        self.len = end;
        if let Some(place) = self.few.get_mut(start..end) {
            return place.copy_from_slice(bytes);
        }
        if start <= FEW_BYTES && self.many.is_empty() {
            self.many.extend_from_slice(&self.few[..start]);
        }
        self.many.extend_from_slice(bytes);
    }

    #[inline]
    fn get(&self, range: &std::ops::Range<u32>) -> &[u8] {
        let all = if self.len <= FEW_BYTES { &self.few } else { &self.many[..] };
        &all[range.start as usize..range.end as usize]
    }
}

/// What names a column of a row: its number from 0, or its name.
pub trait RowIndex {
    /// The column's number.
    fn find(&self, columns: &[Column]) -> Option<usize>;
}

impl RowIndex for usize {
    fn find(&self, columns: &[Column]) -> Option<usize> {
        (*self < columns.len()).then_some(*self)
    }
}

impl RowIndex for &str {
    fn find(&self, columns: &[Column]) -> Option<usize> {
        columns.iter().position(|c| c.name == *self)
    }
}

impl Row {
    /// Its columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// How many columns it has.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether it has no columns.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The value of a column.
    ///
    /// # Errors
    /// `42703` when there is no such column; `42804` when its type is not `T`'s.
    #[inline]
    pub fn try_get<'a, I: RowIndex, T: FromSql<'a>>(&'a self, index: I) -> Result<T> {
        let Some(i) = index.find(&self.columns) else {
            return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, "the row has no such column"));
        };
        let ty = &self.columns[i].ty;
        if !T::accepts(ty) {
            let message = format!("a column of type {ty} does not become a {}", std::any::type_name::<T>());
            return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        let bytes = self.ranges[i].as_ref().map(|r| self.bytes.get(r));
        T::from_sql_nullable(ty, bytes).map_err(|e| SqlError::new(SqlState::DATATYPE_MISMATCH, e.to_string()))
    }

    /// The value of a column.
    ///
    /// # Panics
    /// Where [`Row::try_get`] has an error.
    #[inline]
    pub fn get<'a, I: RowIndex, T: FromSql<'a>>(&'a self, index: I) -> T {
        self.try_get(index).unwrap_or_else(|e| panic!("{e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_wherever_they_lie() {
        // Around the place where they move: nothing at the end, all at once, one by one.
        for lengths in [&[4, 36, 0][..], &[40, 0, 1], &[41], &[0, 0, 39, 1, 1, 500], &[20, 20, 20, 20], &[0, 41, 3]] {
            let mut row = Row::empty(Arc::default());
            for round in 0..3u8 {
                row.clear();
                let value = |i: usize| vec![i as u8 ^ round; lengths[i]];
                (0..lengths.len()).for_each(|i| row.add_value(&value(i)));
                for i in 0..lengths.len() {
                    let found = row.ranges[i].as_ref().map(|r| row.bytes.get(r));
                    assert_eq!(found, Some(&value(i)[..]), "{lengths:?}");
                }
            }
        }
    }
}
