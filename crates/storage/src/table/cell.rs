//! `Cell`: one column value of one row on its way into or out of a page, and its encoding in log records and before-images.

use types::Physical;

use crate::codec::{Put, Take};
use crate::error::{Error, Result};

/// A column value as storage sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// A fixed-width value: its little-endian bytes, then zeros.
    Fixed([u8; 16]),
    /// A variable-length value.
    Var(&'a [u8]),
    /// A variable-length value that lies in the table's overflow pages.
    Overflow(OverflowRef),
}

/// Where a large value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverflowRef {
    /// Length of the value.
    pub raw_bytes: u32,
    /// Its first four bytes.
    pub prefix: [u8; 4],
    /// Block of its first part.
    pub block: u32,
    /// Item of its first part.
    pub item: u16,
    /// Whether it is stored lz4-compressed.
    pub compressed: bool,
}

impl Cell<'_> {
    /// A cell of up to 16 bytes.
    #[inline]
    pub fn fixed(bytes: &[u8]) -> Cell<'static> {
        let mut b = [0; 16];
        // Copies of a known length are a load each.
        match bytes.len() {
            4 => b[..4].copy_from_slice(bytes),
            8 => b[..8].copy_from_slice(bytes),
            n => b[..n].copy_from_slice(bytes),
        }
        Cell::Fixed(b)
    }

    /// Bytes it needs in a page's string heap.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Cell::Var(b) if b.len() > INLINE_BYTES => b.len(),
            _ => 0,
        }
    }
}

/// A variable-length value up to this long lies inside its view.
pub const INLINE_BYTES: usize = 12;

const NULL: u8 = 0;
const FIXED: u8 = 1;
const VAR: u8 = 2;
const OVERFLOW: u8 = 3;

/// Appends `cell` of a column of form `physical`.
pub fn encode(out: &mut impl Put, physical: Physical, cell: &Cell<'_>) {
    match cell {
        Cell::Null => out.put_u8(NULL),
        Cell::Fixed(b) => {
            let mut fixed = [FIXED; 17];
            fixed[1..].copy_from_slice(b);
            // Each by its known width: no call for a few bytes.
            match physical.width() {
                4 => out.put_raw(&fixed[..5]),
                8 => out.put_raw(&fixed[..9]),
                width => out.put_raw(&fixed[..1 + width]),
            }
        }
        Cell::Var(b) => {
            let mut head = [VAR; 5];
            head[1..].copy_from_slice(&(b.len() as u32).to_le_bytes());
            out.put_raw(&head);
            out.put_raw(b);
        }
        Cell::Overflow(r) => {
            out.put_u8(OVERFLOW);
            encode_overflow(out, r);
        }
    }
}

/// Appends column number and cell of a value of fixed width, whose bytes these are; `None` is NULL.
#[inline]
pub(super) fn encode_stored(out: &mut impl Put, column: u16, stored: Option<&[u8]>) {
    let mut all = [0; 3 + 16];
    all[..2].copy_from_slice(&column.to_le_bytes());
    let Some(stored) = stored else { return out.put_raw(&all[..3]) };
    all[2] = FIXED;
    // Each by its known width: no call for a few bytes.
    match *stored {
        [a, b, c, d] => {
            all[3..7].copy_from_slice(&[a, b, c, d]);
            out.put_raw(&all[..7]);
        }
        [a, b, c, d, e, f, g, h] => {
            all[3..11].copy_from_slice(&[a, b, c, d, e, f, g, h]);
            out.put_raw(&all[..11]);
        }
        _ => {
            all[3..3 + stored.len()].copy_from_slice(stored);
            out.put_raw(&all[..3 + stored.len()]);
        }
    }
}

fn encode_overflow(out: &mut impl Put, r: &OverflowRef) {
    out.put_u32(r.raw_bytes);
    out.put_raw(&r.prefix);
    out.put_u32(r.block);
    out.put_u16(r.item);
    out.put_u16(u16::from(r.compressed));
}

/// The inverse of [`encode`].
///
/// # Errors
/// `Damaged` when the bytes do not fit the form.
pub fn decode<'a>(t: &mut Take<'a>, physical: Physical) -> Result<Cell<'a>> {
    match (t.u8()?, physical) {
        (NULL, _) => Ok(Cell::Null),
        (FIXED, p) if p != Physical::Var => Ok(Cell::fixed(t.slice(p.width())?)),
        (VAR, Physical::Var) => Ok(Cell::Var(t.bytes()?)),
        (OVERFLOW, Physical::Var) => {
            let raw_bytes = t.u32()?;
            let prefix = t.slice(4)?.try_into().expect("four bytes");
            let (block, item, compressed) = (t.u32()?, t.u16()?, t.u16()? != 0);
            Ok(Cell::Overflow(OverflowRef { raw_bytes, prefix, block, item, compressed }))
        }
        _ => Err(Error::Damaged("a stored value has the wrong form".to_owned())),
    }
}

impl<'a> Cell<'a> {
    /// The cell of a value.
    #[inline]
    pub fn of(datum: &'a types::Datum) -> Cell<'a> {
        use types::Datum;
        match datum {
            Datum::Null => Cell::Null,
            Datum::Bool(v) => Cell::fixed(&[u8::from(*v)]),
            Datum::I8(v) => Cell::fixed(&v.to_le_bytes()),
            Datum::I16(v) => Cell::fixed(&v.to_le_bytes()),
            Datum::I32(v) => Cell::fixed(&v.to_le_bytes()),
            Datum::U32(v) => Cell::fixed(&v.to_le_bytes()),
            Datum::I64(v) => Cell::fixed(&v.to_le_bytes()),
            Datum::F32(v) => Cell::fixed(&v.to_le_bytes()),
            Datum::F64(v) => Cell::fixed(&v.to_le_bytes()),
            Datum::B16(v) => Cell::Fixed(*v),
            Datum::Var(v) => Cell::Var(v),
        }
    }

    /// The value of a cell of form `physical`; a large value must be fetched instead.
    ///
    /// # Errors
    /// The reference of a value that lies in overflow pages.
    pub fn datum(&self, physical: Physical) -> Result<types::Datum, OverflowRef> {
        use types::Datum;
        let b = match self {
            Cell::Null => return Ok(Datum::Null),
            Cell::Var(b) => return Ok(Datum::bytes(b)),
            Cell::Overflow(r) => return Err(*r),
            Cell::Fixed(b) => b,
        };
        let four = [b[0], b[1], b[2], b[3]];
        let eight = [b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]];
        Ok(match physical {
            Physical::Bool => Datum::Bool(b[0] != 0),
            Physical::I8 => Datum::I8(b[0] as i8),
            Physical::I16 => Datum::I16(i16::from_le_bytes([b[0], b[1]])),
            Physical::I32 => Datum::I32(i32::from_le_bytes(four)),
            Physical::U32 => Datum::U32(u32::from_le_bytes(four)),
            Physical::I64 => Datum::I64(i64::from_le_bytes(eight)),
            Physical::F32 => Datum::F32(f32::from_le_bytes(four)),
            Physical::F64 => Datum::F64(f64::from_le_bytes(eight)),
            Physical::B16 | Physical::Var => Datum::B16(*b),
        })
    }
}
