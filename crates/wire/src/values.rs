//! Views of the repeated parts of messages: format codes, type OIDs, values. They allocate nothing.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use types::{Oid, Result};

use crate::cursor::Cursor;
use crate::frame::{put_counted, put_value};

/// Format codes as sent: 0 text, 1 binary; others are for the reader to refuse.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Formats(Bytes);

impl Formats {
    /// The given codes.
    pub fn new(codes: &[i16]) -> Formats {
        let mut buf = BytesMut::with_capacity(codes.len() * 2);
        codes.iter().for_each(|&c| buf.put_i16(c));
        Formats(buf.freeze())
    }

    pub(crate) fn read(cursor: &mut Cursor) -> Result<Formats> {
        let count = usize::from(cursor.u16()?);
        Ok(Formats(cursor.bytes(count * 2)?))
    }

    pub(crate) fn write(&self, buf: &mut BytesMut) {
        put_counted(buf, self.iter(), BytesMut::put_i16);
    }

    /// The same in memory of its own: what was read with it is not kept.
    #[must_use]
    pub fn detached(&self) -> Formats {
        Formats(Bytes::copy_from_slice(&self.0))
    }

    /// How many codes were sent.
    pub fn len(&self) -> usize {
        self.0.len() / 2
    }

    /// Whether none was sent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The codes as sent.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = i16> + '_ {
        self.0.chunks_exact(2).map(|b| i16::from_be_bytes([b[0], b[1]]))
    }

    /// The code of item `index`: none sent means text, one holds for all. `None` past the end.
    pub fn of(&self, index: usize) -> Option<i16> {
        match self.len() {
            0 => Some(0),
            1 => self.iter().next(),
            _ => self.iter().nth(index),
        }
    }
}

impl fmt::Debug for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Type OIDs as sent; zero leaves the type open.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Oids(Bytes);

impl Oids {
    /// The given OIDs.
    pub fn new(oids: &[Oid]) -> Oids {
        let mut buf = BytesMut::with_capacity(oids.len() * 4);
        oids.iter().for_each(|o| buf.put_u32(o.0));
        Oids(buf.freeze())
    }

    pub(crate) fn read(cursor: &mut Cursor) -> Result<Oids> {
        let count = usize::from(cursor.u16()?);
        Ok(Oids(cursor.bytes(count * 4)?))
    }

    pub(crate) fn write(&self, buf: &mut BytesMut) {
        put_counted(buf, self.iter(), |buf, o| buf.put_u32(o.0));
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len() / 4
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The OIDs in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Oid> + '_ {
        self.0.chunks_exact(4).map(|b| Oid(u32::from_be_bytes([b[0], b[1], b[2], b[3]])))
    }
}

impl fmt::Debug for Oids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|o| o.0)).finish()
    }
}

/// Values with lengths, checked when decoded.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Values {
    count: u16,
    bytes: Bytes,
}

impl Values {
    /// The given values; at most 65535.
    pub fn new(values: &[Option<&[u8]>]) -> Values {
        let mut buf = BytesMut::new();
        put_counted(&mut buf, values, |buf, v| put_value(buf, *v));
        let count = buf.get_u16();
        Values { count, bytes: buf.freeze() }
    }

    pub(crate) fn read(cursor: &mut Cursor) -> Result<Values> {
        let count = cursor.u16()?;
        Values::read_counted(cursor, count)
    }

    pub(crate) fn read_counted(cursor: &mut Cursor, count: u16) -> Result<Values> {
        let whole = cursor.0.clone();
        for _ in 0..count {
            cursor.value()?;
        }
        let byte_count = whole.len() - cursor.0.len();
        Ok(Values { count, bytes: whole.slice(..byte_count) })
    }

    pub(crate) fn write(&self, buf: &mut BytesMut) {
        buf.put_u16(self.count);
        buf.put_slice(&self.bytes);
    }

    /// How many.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The values in order; `None` is NULL. Each shares the message's memory.
    pub fn iter(&self) -> impl Iterator<Item = Option<Bytes>> + use<> {
        let mut cursor = Cursor(self.bytes.clone());
        (0..self.count).map(move |_| cursor.value().unwrap_or_default())
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
