//! `Column`: a column as row programs read it; and `Input`.

use vector::{Data, Vector};

use crate::program::Form;

/// Has the processor fetch what lies so many bytes ahead of `bytes` into its second cache, if there is anything: it is read soon. More lines can be on their way
/// there than to the first (ADR 0018).
#[inline]
pub fn look_ahead(bytes: &[u8], ahead: usize) {
    const LINE_BYTES: usize = 64;
    #[cfg(target_arch = "x86_64")]
    for at in (0..bytes.len()).step_by(LINE_BYTES) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        let place = bytes.as_ptr().wrapping_add(ahead + at).cast();
        // SAFETY: whatever the address is, nothing is read there, and no fault is raised.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(place) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (bytes, ahead, LINE_BYTES);
}

/// A value that is the same for all rows; NULL is none.
pub type Input = Option<u64>;

/// A column as code sees it: values one behind the other, and a bit for each that is NULL.
#[derive(Clone, Copy, Debug)]
pub struct Column<'v> {
    pub(crate) form: Form,
    pub(crate) bytes: &'v [u8],
    /// As many words as rows need; or none at all, where none is NULL.
    pub(crate) nulls: &'v [u64],
    /// Where rows lie that are read soon, in bytes from its own.
    pub(crate) ahead: usize,
}

impl<'v> Column<'v> {
    /// Values as bytes in the machine's order, aligned to their width; booleans are 0 or 1. `nulls` has a bit for each value, or is empty. `None` where the
    /// bytes are not aligned.
    #[inline]
    pub fn new(form: Form, bytes: &'v [u8], nulls: &'v [u64]) -> Option<Column<'v>> {
        (bytes.as_ptr().align_offset(form.width()) == 0).then_some(Column { form, bytes, nulls, ahead: 0 })
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
        Some(Column { form, bytes, nulls: vector.nulls.words(), ahead: 0 })
    }

    /// The same, if rows are read next that lie so many bytes ahead. That is only a hint, and that of a run's first column is for all: nothing depends on it, and there
    /// need be nothing.
    #[must_use]
    #[inline]
    pub fn read_on(self, ahead: usize) -> Column<'v> {
        Column { ahead, ..self }
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
    #[inline]
    pub(crate) fn reaches(&self, end: usize) -> bool {
        end.checked_mul(self.form.width()).is_some_and(|bytes| bytes <= self.bytes.len())
    }
}
