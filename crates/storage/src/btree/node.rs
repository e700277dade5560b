//! A node's bytes, in one of two shapes.
//!
//! ```text
//!   header (128):
//!   24 count u16   26 heap start u16   28 garbage u16   30 level u8   31 shared u8
//!   32 right block u32 (0: none)   36 high offset u16   38 high length u16   40 low offset u16   42 low length u16
//!   44 leftmost child u32 (inner nodes)   48 stride u16 (0: slotted)   50 prefix, 14 bytes (packed)
//!
//!   slotted   header | slots 8 bytes each: offset u16, length u16, head u32 | ... free ... | entries, fences
//!   packed    header | what follows the prefix, `stride` bytes of each entry | ... free ... | fences
//! ```
//! All keys begin with the same `shared` bytes, or more. `head` holds the four bytes of the key behind those, big-endian, so that most comparisons
//! touch only the slots. An inner entry is `separator ++ child block u32`: the child holds keys from the separator on; the separator is its key. A
//! leaf's entry is its key as a whole.
//!
//! A leaf whose entries are all of one length is packed: they lie one behind the other in order, without the first `shared` bytes, which are those of the
//! prefix. Integers take eight bytes so instead of nineteen, and a look-up touches one line of memory for its entry instead of two. An entry of another
//! length makes it a slotted one; a leaf that is written anew is packed if it can be. Inner nodes are slotted.

mod change;
mod check;
mod search;

use std::cmp::Ordering;

pub use change::{
    Room, format, has_room, insert_at, pack, remove_at, separator, set_leftmost, set_low, set_right, split_point,
    truncate, unpack,
};
pub use check::check;
pub use search::{Sought, beginning_with, child_index, lower_bound, only_beginning_with};

use search::wide;

use crate::buffer::{RacyBytes, big_endian};
use crate::ids::RowId;
use crate::page::{HEADER_BYTES, u16_at, u32_at};

const COUNT_AT: usize = 24;
const HEAP_AT: usize = 26;
const GARBAGE_AT: usize = 28;
const LEVEL_AT: usize = 30;
const SHARED_AT: usize = 31;
const RIGHT_AT: usize = 32;
const HIGH_AT: usize = 36;
const LOW_AT: usize = 40;
const LEFTMOST_AT: usize = 44;
const STRIDE_AT: usize = 48;
const PREFIX_AT: usize = 50;
/// What entries of a packed leaf begin with, at most: the header has no room for more.
const PREFIX_MAX: usize = 14;
const SLOT_BYTES: usize = 8;
/// More entries than any node has.
const COUNT_MAX: usize = 4096;
/// What is compared as one number, at most.
const SHORT_BYTES: usize = 8;
/// What an inner entry ends with.
const CHILD_BYTES: usize = 4;
/// What a leaf entry ends with.
pub const ROW_ID_BYTES: usize = 6;

/// Bytes of a node, latched or not.
pub trait NodeBytes: Copy {
    /// Two little-endian bytes.
    fn u16_at(self, at: usize) -> u16;
    /// Four little-endian bytes.
    fn u32_at(self, at: usize) -> u32;
    /// Eight bytes as a big-endian number; those beyond the end are whatever they are.
    fn word_at(self, at: usize) -> u64;
    /// Compares stored bytes with `other`.
    fn compare(self, at: usize, len: usize, other: &[u8]) -> Ordering;
}

impl NodeBytes for RacyBytes<'_> {
    #[inline]
    fn u16_at(self, at: usize) -> u16 {
        RacyBytes::u16_at(&self, at)
    }
    #[inline]
    fn u32_at(self, at: usize) -> u32 {
        RacyBytes::u32_at(&self, at)
    }
    #[inline]
    fn word_at(self, at: usize) -> u64 {
        RacyBytes::word_at(&self, at).swap_bytes()
    }
    #[inline]
    fn compare(self, at: usize, len: usize, other: &[u8]) -> Ordering {
        RacyBytes::compare(&self, at, len, other)
    }
}

impl NodeBytes for &[u8] {
    #[inline]
    fn u16_at(self, at: usize) -> u16 {
        u16_at(self, at)
    }
    #[inline]
    fn u32_at(self, at: usize) -> u32 {
        u32_at(self, at)
    }
    #[inline]
    fn word_at(self, at: usize) -> u64 {
        let rest = self.get(at..).unwrap_or(&[]);
        rest.first_chunk().map_or_else(|| wide(rest, 0), |first| u64::from_be_bytes(*first))
    }
    #[inline]
    fn compare(self, at: usize, len: usize, other: &[u8]) -> Ordering {
        let ours = &self[at..at + len];
        let common = len.min(other.len());
        if common > SHORT_BYTES {
            return ours.cmp(other);
        }
        // Less than a call of `memcmp` takes.
        big_endian(&ours[..common]).cmp(&big_endian(&other[..common])).then(len.cmp(&other.len()))
    }
}

/// Height above the leaves.
#[inline]
pub fn level(b: impl NodeBytes) -> u8 {
    b.u16_at(LEVEL_AT) as u8
}

/// How many bytes all keys begin with.
#[inline]
fn shared(b: impl NodeBytes) -> usize {
    usize::from(b.u16_at(LEVEL_AT) >> 8)
}

/// Bytes that each entry of a packed leaf takes; 0 of a slotted node.
#[inline]
fn stride(b: impl NodeBytes) -> usize {
    b.u16_at(STRIDE_AT).into()
}

/// Bytes at the end of entries that are not of the key.
#[inline]
fn suffix(b: impl NodeBytes) -> usize {
    if level(b) > 0 { CHILD_BYTES } else { 0 }
}

/// How many entries.
#[inline]
pub fn count(b: impl NodeBytes) -> usize {
    // A racy read may see anything.
    (b.u16_at(COUNT_AT) as usize).min(COUNT_MAX)
}

/// Block of the right sibling.
#[inline]
pub fn right(b: impl NodeBytes) -> Option<u32> {
    Some(b.u32_at(RIGHT_AT)).filter(|&r| r != 0)
}

/// How the upper fence compares with `key`; `None` when there is no fence.
#[inline]
pub fn compare_high(b: impl NodeBytes, key: &[u8]) -> Option<Ordering> {
    right(b)?;
    Some(b.compare(b.u16_at(HIGH_AT) as usize, b.u16_at(HIGH_AT + 2) as usize, key))
}

/// Whether the upper fence begins with `key`.
pub fn high_begins(b: impl NodeBytes, key: &[u8]) -> bool {
    let len = b.u16_at(HIGH_AT + 2) as usize;
    right(b).is_some() && len >= key.len() && b.compare(b.u16_at(HIGH_AT) as usize, key.len(), key) == Ordering::Equal
}

#[inline]
fn slot_at(index: usize) -> usize {
    HEADER_BYTES + SLOT_BYTES * index
}

/// Where an entry's bytes are in a packed leaf: `stride` of them.
#[inline]
fn packed_at(stride: usize, index: usize) -> usize {
    HEADER_BYTES + stride * index
}

/// Where the slots end, or the packed entries, of a node with so many.
fn entries_end(bytes: &[u8], count: usize) -> usize {
    match stride(bytes) {
        0 => slot_at(count),
        stride => packed_at(stride, count),
    }
}

/// Where an entry's bytes are in a slotted node, and how many.
#[inline]
fn place(b: impl NodeBytes, index: usize) -> (usize, usize) {
    let word = b.u32_at(slot_at(index));
    ((word & 0xffff) as usize, (word >> 16) as usize)
}

/// The child at such a place of an inner node as [`child_index`] says.
#[inline]
pub fn child_at(b: impl NodeBytes, index: usize) -> u32 {
    match index {
        0 => b.u32_at(LEFTMOST_AT),
        i => {
            let (at, len) = place(b, i - 1);
            b.u32_at((at + len).saturating_sub(CHILD_BYTES))
        }
    }
}

/// How long a leaf's entry is, and whose row's.
#[inline]
pub fn length_and_row(b: impl NodeBytes, index: usize) -> (usize, RowId) {
    let (end, len) = match stride(b) {
        0 => {
            let (at, len) = place(b, index);
            (at + len, len)
        }
        stride => (packed_at(stride, index + 1), shared(b) + stride),
    };
    let id = b.word_at(end.saturating_sub(ROW_ID_BYTES)) >> 16;
    (len, RowId { block: (id >> 16) as u32, slot: id as u16 })
}

/// An entry's bytes, which may lie in two places.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What it shares with others, if that is not stored with it.
    start: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Entry<'a> {
    /// One whose bytes lie together.
    fn whole(rest: &'a [u8]) -> Entry<'a> {
        Entry { start: &[], rest }
    }

    /// Bytes of all of it.
    pub fn len(&self) -> usize {
        self.start.len() + self.rest.len()
    }

    /// All of it.
    pub fn to_vec(self) -> Vec<u8> {
        [self.start, self.rest].concat()
    }

    /// Whether it begins with `bytes`.
    fn begins_with(&self, bytes: &[u8]) -> bool {
        match bytes.split_at_checked(self.start.len()) {
            Some((start, rest)) => self.start == start && self.rest.starts_with(rest),
            None => self.start.starts_with(bytes),
        }
    }

    /// Whether it is `bytes`.
    pub fn is(&self, bytes: &[u8]) -> bool {
        self.len() == bytes.len() && self.begins_with(bytes)
    }

    /// Appends the key of a leaf's entry; whose row's it is.
    #[inline]
    pub fn put_key(&self, out: &mut Vec<u8>) -> RowId {
        let (key, row) = self.rest.split_last_chunk::<ROW_ID_BYTES>().unwrap_or((&[], &[0; ROW_ID_BYTES]));
        out.extend_from_slice(self.start);
        out.extend_from_slice(key);
        RowId::from_bytes(*row)
    }

    /// Without its last `count` bytes.
    fn without_last(self, count: usize) -> Entry<'a> {
        Entry { start: self.start, rest: &self.rest[..self.rest.len().saturating_sub(count)] }
    }
}

/// An entry.
#[inline]
pub fn entry(bytes: &[u8], index: usize) -> Entry<'_> {
    match stride(bytes) {
        0 => {
            let (at, len) = place(bytes, index);
            Entry::whole(&bytes[at..at + len])
        }
        stride => Entry {
            start: &bytes[PREFIX_AT..PREFIX_AT + shared(bytes)],
            rest: &bytes[packed_at(stride, index)..][..stride],
        },
    }
}

/// The key of a leaf's entry.
pub fn key(bytes: &[u8], index: usize) -> Vec<u8> {
    entry(bytes, index).without_last(ROW_ID_BYTES).to_vec()
}

/// What is compared of an entry that is in this node, or is to be.
pub fn compared_of<'e>(bytes: &[u8], entry: &'e [u8]) -> &'e [u8] {
    &entry[..entry.len().saturating_sub(suffix(bytes))]
}

/// The key of an entry: all of it that is compared.
fn compared(bytes: &[u8], index: usize) -> Entry<'_> {
    entry(bytes, index).without_last(suffix(bytes))
}

/// Whether an entry beside place `index`, where one with `key` belongs, has that key, or one in another leaf may have; `bare` takes off
/// what entries carry behind their keys.
pub fn may_share(bytes: &[u8], index: usize, key: &[u8], bare: impl Fn(&[u8]) -> &[u8]) -> bool {
    let has_key = |i: usize| entry(bytes, i).begins_with(key) && bare(&self::key(bytes, i)) == key;
    let inside = low(bytes) <= key && high(bytes).is_none_or(|h| h > key && !h.starts_with(key));
    !inside || (index > 0 && has_key(index - 1)) || (index < count(bytes) && has_key(index))
}

/// The upper fence.
pub fn high(bytes: &[u8]) -> Option<&[u8]> {
    right(bytes)?;
    let at = u16_at(bytes, HIGH_AT) as usize;
    Some(&bytes[at..at + u16_at(bytes, HIGH_AT + 2) as usize])
}

/// The lower fence; empty in the leftmost node of a level.
pub fn low(bytes: &[u8]) -> &[u8] {
    let at = u16_at(bytes, LOW_AT) as usize;
    &bytes[at..at + u16_at(bytes, LOW_AT + 2) as usize]
}

/// The leftmost child of an inner node.
pub fn leftmost(bytes: &[u8]) -> u32 {
    u32_at(bytes, LEFTMOST_AT)
}
