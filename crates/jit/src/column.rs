//! `Column`: a column as row programs read it; and `Input`.

use vector::{Data, Vector};

use crate::program::Form;

/// A value that is the same for all rows; NULL is none.
pub type Input = Option<u64>;

/// A column as code sees it: values one behind the other, and a bit for each that is NULL.
#[derive(Clone, Copy, Debug)]
pub struct Column<'v> {
    pub(crate) form: Form,
    pub(crate) bytes: &'v [u8],
    /// As many words as rows need; or none at all, where none is NULL.
    pub(crate) nulls: &'v [u64],
}

impl<'v> Column<'v> {
    /// Values as bytes in the machine's order, aligned to their width; booleans are 0 or 1. `nulls` has a bit for each value, or is empty. `None` where the
    /// bytes are not aligned.
    pub fn new(form: Form, bytes: &'v [u8], nulls: &'v [u64]) -> Option<Column<'v>> {
        (bytes.as_ptr().align_offset(form.width()) == 0).then_some(Column { form, bytes, nulls })
    }

    /// The values of `vector`; `None` where it is of another form.
    pub(crate) fn of(vector: &'v Vector, form: Form) -> Option<Column<'v>> {
        let bytes = match (&vector.data, form) {
            (Data::Bool(v), Form::Bool) => bytemuck::cast_slice(v),
            (Data::I16(v), Form::I16) => bytemuck::cast_slice(v),
            (Data::I32(v), Form::I32) => bytemuck::cast_slice(v),
            (Data::I64(v), Form::I64) => bytemuck::cast_slice(v),
            (Data::U32(v), Form::U32) => bytemuck::cast_slice(v),
            (Data::F32(v), Form::F32) => bytemuck::cast_slice(v),
            (Data::F64(v), Form::F64) => bytemuck::cast_slice(v),
            _ => return None,
        };
        Some(Column { form, bytes, nulls: vector.nulls.words() })
    }

    /// How its values lie in memory.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Values one behind the other, aligned, in the machine's order.
    pub fn bytes(&self) -> &'v [u8] {
        self.bytes
    }

    /// A bit for each row that is NULL; those beyond its end are not.
    pub fn nulls(&self) -> &'v [u64] {
        self.nulls
    }

    /// The value of a row as a word, or NULL.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn value(&self, row: usize) -> Option<u64> {
        let (word, is_null) = self.get(row);
        (!is_null).then_some(word)
    }

    /// The value of a row, and whether it is NULL.
    pub(crate) fn get(&self, row: usize) -> (u64, bool) {
        macro_rules! read {
            ($ty:ty, |$v:ident| $word:expr) => {{
                let $v: $ty = bytemuck::pod_read_unaligned(&self.bytes[row * size_of::<$ty>()..][..size_of::<$ty>()]);
                $word
            }};
        }
        let word = match self.form {
            Form::Bool => u64::from(self.bytes[row]),
            Form::I16 => read!(i16, |v| v as i64 as u64),
            Form::I32 => read!(i32, |v| v as i64 as u64),
            Form::I64 => read!(u64, |v| v),
            Form::U32 => read!(u32, |v| u64::from(v)),
            Form::F32 => read!(f32, |v| f64::from(v).to_bits()),
            Form::F64 => read!(u64, |v| v),
        };
        (word, self.nulls.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1))
    }

    /// Whether there are values up to row `end`.
    pub(crate) fn reaches(&self, end: usize) -> bool {
        end.checked_mul(self.form.width()).is_some_and(|bytes| bytes <= self.bytes.len())
    }
}
