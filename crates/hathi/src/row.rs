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
    bytes: SmallVec<[u8; 32]>,
    /// Where each value lies; `None` is NULL.
    ranges: SmallVec<[Option<std::ops::Range<u32>>; 3]>,
}

impl Row {
    /// A row of these columns that has no values yet.
    pub(crate) fn empty(columns: Arc<Vec<Column>>) -> Row {
        Row { columns, bytes: SmallVec::new(), ranges: SmallVec::new() }
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
    pub(crate) fn add_value(&mut self, bytes: &[u8]) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        self.ranges.push(Some(start..self.bytes.len() as u32));
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
    pub fn try_get<'a, I: RowIndex, T: FromSql<'a>>(&'a self, index: I) -> Result<T> {
        let Some(i) = index.find(&self.columns) else {
            return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, "the row has no such column"));
        };
        let ty = &self.columns[i].ty;
        if !T::accepts(ty) {
            let message = format!("a column of type {ty} does not become a {}", std::any::type_name::<T>());
            return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        let bytes = self.ranges[i].as_ref().map(|r| &self.bytes[r.start as usize..r.end as usize]);
        T::from_sql_nullable(ty, bytes).map_err(|e| SqlError::new(SqlState::DATATYPE_MISMATCH, e.to_string()))
    }

    /// The value of a column.
    ///
    /// # Panics
    /// Where [`Row::try_get`] has an error.
    pub fn get<'a, I: RowIndex, T: FromSql<'a>>(&'a self, index: I) -> T {
        self.try_get(index).unwrap_or_else(|e| panic!("{e}"))
    }
}
