//! What all pages have in common: the header, and checksums per 4 KiB.
//!
//! ```text
//!   0     1      2        4         8       12       16     24                     64                 128
//!   | kind | class | format | page no | db id | rel id | lsn  | (kind's own fields) | 16 x crc32 u32   | ...
//! ```
//! Block i of the page (4 KiB each) has its checksum in field i; it is seeded with database, page number and i. Block 0's leaves out the
//! fields that hold this page's checksums (4 of the 16 in a page of 16 KiB). So rot, a torn write and a page read from or written to the wrong place are all told (DESIGN §5).

use crate::buffer::PageClass;
use crate::error::{Error, Result};
use crate::ids::{DbId, Lsn, PageNo, RelId};

/// Bytes of the header.
pub const HEADER_BYTES: usize = 128;
/// Version of the page formats, in every header.
pub const FORMAT: u16 = 1;
const CRC_AT: usize = 64;
const BLOCK_BYTES: usize = 4096;

/// What a page is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum PageKind {
    /// Rows, see `table::page`.
    Table = 1,
    /// A B-tree node, see `btree::node`.
    Btree = 2,
    /// Parts of large values, see `table::overflow`.
    Overflow = 3,
}

fn get<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a page is longer than its header")
}

/// Writes the common header of a fresh page.
pub fn format(bytes: &mut [u8], kind: PageKind, class: PageClass, db: DbId, rel: RelId, page: PageNo) {
    bytes[0] = kind as u8;
    bytes[1] = class as u8;
    bytes[2..4].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[4..8].copy_from_slice(&page.0.to_le_bytes());
    bytes[8..12].copy_from_slice(&db.0.to_le_bytes());
    bytes[12..16].copy_from_slice(&rel.0.to_le_bytes());
}

/// The kind byte.
pub fn kind(bytes: &[u8]) -> u8 {
    bytes[0]
}

/// Which relation it belongs to.
pub fn rel(bytes: &[u8]) -> RelId {
    RelId(u32::from_le_bytes(get(bytes, 12)))
}

/// LSN of the last change in it.
pub fn lsn(bytes: &[u8]) -> Lsn {
    Lsn(u64::from_le_bytes(get(bytes, 16)))
}

/// Stamps the LSN of a change.
#[inline]
pub fn set_lsn(bytes: &mut [u8], lsn: Lsn) {
    bytes[16..24].copy_from_slice(&lsn.0.to_le_bytes());
}

/// A header field of two bytes.
#[inline]
pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(get(bytes, at))
}

/// A header field of four bytes.
#[inline]
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(get(bytes, at))
}

/// Sets a header field of two bytes.
#[inline]
pub fn set_u16(bytes: &mut [u8], at: usize, v: u16) {
    bytes[at..at + 2].copy_from_slice(&v.to_le_bytes());
}

/// Sets a header field of four bytes.
#[inline]
pub fn set_u32(bytes: &mut [u8], at: usize, v: u32) {
    bytes[at..at + 4].copy_from_slice(&v.to_le_bytes());
}

/// Checksum of block `index` of a page of `count` blocks; the fields that such a page does not use are covered too.
fn checksum(block: &[u8], db: DbId, page: PageNo, index: usize, count: usize) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    let mut seed = [0u8; 12];
    seed[..4].copy_from_slice(&db.0.to_le_bytes());
    seed[4..8].copy_from_slice(&page.0.to_le_bytes());
    seed[8..].copy_from_slice(&(index as u32).to_le_bytes());
    hasher.update(&seed);
    if index == 0 {
        hasher.update(&block[..CRC_AT]);
        hasher.update(&block[CRC_AT + 4 * count..]);
    } else {
        hasher.update(block);
    }
    hasher.finalize()
}

/// Stamps database and checksums, before a write. The database is the *lineage*: a fork's pages carry the number of the
/// database that the first of its ancestors was, since they may share slots.
pub fn seal(bytes: &mut [u8], db: DbId, page: PageNo) {
    set_u32(bytes, 8, db.0);
    let count = bytes.len() / BLOCK_BYTES;
    for index in 0..count {
        let crc = checksum(&bytes[index * BLOCK_BYTES..(index + 1) * BLOCK_BYTES], db, page, index, count);
        set_u32(bytes, CRC_AT + 4 * index, crc);
    }
}

/// Checks a page that was read.
///
/// # Errors
/// `Corrupt`, saying which 4 KiB block is wrong.
pub fn verify(bytes: &[u8], db: DbId, page: PageNo) -> Result<()> {
    let count = bytes.len() / BLOCK_BYTES;
    let corrupt = |what: String| Err(Error::Corrupt { db, page, what });
    for index in 0..count {
        let crc = checksum(&bytes[index * BLOCK_BYTES..(index + 1) * BLOCK_BYTES], db, page, index, count);
        if crc != u32_at(bytes, CRC_AT + 4 * index) {
            return corrupt(format!("checksum of block {index} does not match"));
        }
    }
    if u32_at(bytes, 4) != page.0 || u32_at(bytes, 8) != db.0 {
        return corrupt("it names another page".to_owned());
    }
    if u16_at(bytes, 2) != FORMAT {
        return corrupt(format!("unknown page format {}", u16_at(bytes, 2)));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
