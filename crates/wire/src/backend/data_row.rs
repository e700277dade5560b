//! DataRow, written in place: no intermediate value, lengths patched afterwards.

use bytes::{BufMut, BytesMut};
use types::{Result, SqlError, SqlState};

use crate::frame::{ALLOCATION_BYTES_MAX, patch_length};

/// A DataRow being written. Dropped unfinished it leaves the buffer as it was.
#[must_use = "a row is sent only when finished"]
pub struct DataRow<'a> {
    buf: &'a mut BytesMut,
    start: usize,
    fields_left: u16,
}

impl<'a> DataRow<'a> {
    /// Starts a row of `field_count` fields.
    pub fn begin(buf: &'a mut BytesMut, field_count: u16) -> DataRow<'a> {
        let start = buf.len();
        buf.put_u8(b'D');
        buf.put_i32(0);
        buf.put_u16(field_count);
        DataRow { buf, start, fields_left: field_count }
    }

    fn count(&mut self) {
        debug_assert!(self.fields_left > 0, "a row gets the fields it announced");
        self.fields_left = self.fields_left.wrapping_sub(1);
    }

    /// A NULL field.
    pub fn null(&mut self) {
        self.count();
        self.buf.put_i32(-1);
    }

    /// A field of the given bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        self.with(|buf| buf.put_slice(value));
    }

    /// A field whose bytes `write` appends; it must not touch what is there already.
    pub fn with<R>(&mut self, write: impl FnOnce(&mut BytesMut) -> R) -> R {
        self.count();
        let at = self.buf.len();
        self.buf.put_i32(0);
        let result = write(self.buf);
        patch_length(self.buf, at, self.buf.len() - at - 4);
        result
    }

    /// Completes the row; refused when it is too long or has another number of fields than announced.
    pub fn finish(mut self) -> Result<()> {
        let row_bytes = self.buf.len() - self.start - 5;
        if self.fields_left != 0 {
            return Err(SqlError::internal("data row has another number of fields than announced"));
        }
        if row_bytes >= ALLOCATION_BYTES_MAX {
            return Err(too_long());
        }
        patch_length(self.buf, self.start + 1, row_bytes + 4);
        self.start = self.buf.len();
        Ok(())
    }
}

impl Drop for DataRow<'_> {
    fn drop(&mut self) {
        // `finish` moved `start` to the end.
        self.buf.truncate(self.start);
    }
}

/// `54000` for something past 1 GB.
pub(crate) fn too_long() -> SqlError {
    SqlError::new(
        SqlState::PROGRAM_LIMIT_EXCEEDED,
        format!("string buffer exceeds maximum allowed length ({ALLOCATION_BYTES_MAX} bytes)"),
    )
}
