//! Bounds-checked reading of one message body, with PostgreSQL's error texts.

use bytes::{Buf, Bytes};
use types::{Oid, Result};

use crate::violation;

/// The rest of a message body. Strings and values are cut off it without copying.
pub(crate) struct Cursor(pub(crate) Bytes);

impl Cursor {
    fn need(&self, byte_count: usize) -> Result<()> {
        if self.0.len() < byte_count { Err(violation("insufficient data left in message")) } else { Ok(()) }
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        if self.0.is_empty() {
            return Err(violation("no data left in message"));
        }
        Ok(self.0.get_u8())
    }

    pub(crate) fn i16(&mut self) -> Result<i16> {
        self.need(2)?;
        Ok(self.0.get_i16())
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        self.need(2)?;
        Ok(self.0.get_u16())
    }

    pub(crate) fn i32(&mut self) -> Result<i32> {
        self.need(4)?;
        Ok(self.0.get_i32())
    }

    pub(crate) fn oid(&mut self) -> Result<Oid> {
        self.need(4)?;
        Ok(Oid(self.0.get_u32()))
    }

    pub(crate) fn bytes(&mut self, byte_count: usize) -> Result<Bytes> {
        self.need(byte_count)?;
        Ok(self.0.split_to(byte_count))
    }

    /// Bytes up to a NUL, which is dropped.
    pub(crate) fn string(&mut self) -> Result<Bytes> {
        let Some(end) = memchr::memchr(0, &self.0) else {
            return Err(violation("invalid string in message"));
        };
        let text = self.0.split_to(end);
        self.0.advance(1);
        Ok(text)
    }

    /// A length and so many bytes; -1 is NULL, other negative lengths are errors.
    pub(crate) fn value(&mut self) -> Result<Option<Bytes>> {
        match self.i32()? {
            -1 => Ok(None),
            n => match usize::try_from(n) {
                Ok(n) => self.bytes(n).map(Some),
                Err(_) => Err(violation("insufficient data left in message")),
            },
        }
    }

    pub(crate) fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn end(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(violation("invalid message format")) }
    }
}
