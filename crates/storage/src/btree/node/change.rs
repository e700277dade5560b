//! Changes of a node.

use super::search::head_of;
use super::{
    COUNT_AT, Entry, GARBAGE_AT, HEAP_AT, HIGH_AT, LEFTMOST_AT, LEVEL_AT, LOW_AT, PREFIX_AT, PREFIX_MAX, RIGHT_AT,
    ROW_ID_BYTES, SHARED_AT, SLOT_BYTES, STRIDE_AT, compared, compared_of, count, entries_end, entry, high, level, low,
    packed_at, right, shared, slot_at, stride,
};
use crate::buffer::PageClass;
use crate::ids::PageNo;
use crate::page::{self, HEADER_BYTES, PageKind, set_u16, set_u32, u16_at};
use crate::wal::record::BlockRef;

/// Formats an empty node.
pub fn format(bytes: &mut [u8], at: BlockRef, page: PageNo, level: u8) {
    bytes.fill(0);
    page::format(bytes, PageKind::Btree, PageClass::Small, at.db, at.rel, page);
    let end = bytes.len() as u16;
    set_u16(bytes, HEAP_AT, end);
    set_u16(bytes, LEVEL_AT, u16::from(level));
}

fn free_between(bytes: &[u8]) -> usize {
    (u16_at(bytes, HEAP_AT) as usize).saturating_sub(entries_end(bytes, count(bytes)))
}

/// How many bytes two strings begin with.
fn common(a: impl IntoIterator<Item = u8>, b: &[u8]) -> usize {
    a.into_iter().zip(b).take_while(|(a, b)| a == *b).count()
}

/// How many bytes the entries of a packed leaf share, of which one has `len` and all begin with the same `common`.
fn packed_prefix(common: usize, len: usize) -> usize {
    common.min(PREFIX_MAX).min(len - ROW_ID_BYTES)
}

/// What a node has room for.
pub struct Room {
    /// Bytes for entries, and how many of these they take.
    total: usize,
    used: usize,
    shape: Shape,
}

/// What entries make of a node.
enum Shape {
    /// There are none; whether it is a leaf.
    Empty(bool),
    /// So many, all of one length, that begin alike.
    Packed {
        count: usize,
        len: usize,
        prefix: [u8; PREFIX_MAX],
        shared: usize,
    },
    Slotted,
}

impl Room {
    /// That of a node as it is.
    pub fn of(bytes: &[u8]) -> Room {
        let free = free_between(bytes) + u16_at(bytes, GARBAGE_AT) as usize;
        let (count, stride, shared) = (count(bytes), stride(bytes), shared(bytes));
        if count == 0 {
            return Room { total: free, used: 0, shape: Shape::Empty(level(bytes) == 0) };
        }
        if stride == 0 {
            return Room { total: free, used: 0, shape: Shape::Slotted };
        }
        let mut prefix = [0; PREFIX_MAX];
        prefix[..shared].copy_from_slice(&bytes[PREFIX_AT..PREFIX_AT + shared]);
        let shape = Shape::Packed { count, len: shared + stride, prefix, shared };
        Room { total: free + count * stride, used: count * stride, shape }
    }

    /// Takes room for an entry, perhaps after compaction or in another shape; false, and nothing taken, if there is none.
    pub fn take(&mut self, entry: &[u8]) -> bool {
        let len = entry.len();
        let (used, shape) = match self.shape {
            Shape::Empty(true) if len >= ROW_ID_BYTES => {
                let shared = packed_prefix(len, len);
                let mut prefix = [0; PREFIX_MAX];
                prefix[..shared].copy_from_slice(&entry[..shared]);
                (len, Shape::Packed { count: 1, len, prefix, shared })
            }
            Shape::Packed { count, len: of_all, prefix, shared } if len == of_all => {
                let shared = common(prefix[..shared].iter().copied(), entry);
                // A fence that takes the place of the last entry may have what the entry leaves out.
                let used = (count + 1) * (len - shared) + shared;
                (used, Shape::Packed { count: count + 1, len, prefix, shared })
            }
            Shape::Packed { count, len: of_all, .. } => {
                (count * (of_all + SLOT_BYTES) + len + SLOT_BYTES, Shape::Slotted)
            }
            Shape::Empty(_) | Shape::Slotted => (self.used + len + SLOT_BYTES, Shape::Slotted),
        };
        if used > self.total {
            return false;
        }
        (self.used, self.shape) = (used, shape);
        true
    }
}

/// Whether an entry fits, perhaps after compaction or in another shape.
pub fn has_room(bytes: &[u8], entry: &[u8]) -> bool {
    Room::of(bytes).take(entry)
}

fn push_heap(bytes: &mut [u8], data: &[u8]) -> u16 {
    let at = u16_at(bytes, HEAP_AT) as usize - data.len();
    bytes[at..at + data.len()].copy_from_slice(data);
    set_u16(bytes, HEAP_AT, at as u16);
    at as u16
}

/// Says that all keys of a slotted node begin with `shared` bytes, which they do.
fn set_shared(bytes: &mut [u8], shared: usize) {
    bytes[SHARED_AT] = shared as u8;
    for i in 0..count(&*bytes) {
        let head = compared(bytes, i).rest.get(shared..).map_or(0, head_of);
        set_u32(bytes, slot_at(i) + 4, head);
    }
}

/// Stores more of each entry of a packed leaf: all but the first `shared` bytes, which are fewer than before.
fn widen(bytes: &mut [u8], shared: usize) {
    let (n, old_shared, old) = (count(&*bytes), self::shared(&*bytes), stride(&*bytes));
    let more = old_shared - shared;
    let mut start = [0; PREFIX_MAX];
    start[..more].copy_from_slice(&bytes[PREFIX_AT + shared..PREFIX_AT + old_shared]);
    for i in (0..n).rev() {
        let to = packed_at(old + more, i);
        bytes.copy_within(packed_at(old, i)..packed_at(old, i + 1), to + more);
        bytes[to..to + more].copy_from_slice(&start[..more]);
    }
    bytes[SHARED_AT] = shared as u8;
    set_u16(bytes, STRIDE_AT, (old + more) as u16);
}

/// Makes an empty leaf a packed one, for entries of `first`'s length that begin with the same `common` bytes as it.
fn begin_packed(bytes: &mut [u8], first: &[u8], common: usize) {
    let shared = packed_prefix(common, first.len());
    bytes[SHARED_AT] = shared as u8;
    bytes[PREFIX_AT..PREFIX_AT + shared].copy_from_slice(&first[..shared]);
    set_u16(bytes, STRIDE_AT, (first.len() - shared) as u16);
}

/// Inserts an entry at `index`; the caller made sure of the room ([`Room`]).
pub fn insert_at(bytes: &mut [u8], index: usize, data: &[u8]) {
    let is_new = count(&*bytes) == 0 && level(&*bytes) == 0 && data.len() >= ROW_ID_BYTES;
    let of_all = stride(&*bytes) + shared(&*bytes);
    if is_new {
        if free_between(bytes) < data.len() {
            rebuild(bytes, |_| true, true);
        }
        begin_packed(bytes, data, data.len());
    } else if stride(&*bytes) > 0 && data.len() == of_all {
        let shared_with = |bytes: &[u8]| common(bytes[PREFIX_AT..PREFIX_AT + shared(bytes)].iter().copied(), data);
        let end = packed_at(of_all - shared_with(bytes), count(&*bytes) + 1);
        if end > u16_at(bytes, HEAP_AT) as usize {
            rebuild(bytes, |_| true, true);
        }
        let shared = shared_with(bytes);
        if shared < self::shared(&*bytes) {
            widen(bytes, shared);
        }
    } else {
        if stride(&*bytes) > 0 || free_between(bytes) < data.len() + SLOT_BYTES {
            rebuild(bytes, |_| true, false);
        }
        let key = compared_of(bytes, data);
        let shared = match count(&*bytes) {
            0 => key.len().min(usize::from(u8::MAX)),
            _ => common(key.iter().copied(), compared(bytes, 0).rest).min(shared(&*bytes)),
        };
        if shared != self::shared(&*bytes) {
            set_shared(bytes, shared);
        }
    }
    push_at(bytes, index, data);
}

/// The same of one whose key begins as all others do, into what is free already.
fn push_at(bytes: &mut [u8], index: usize, data: &[u8]) {
    let (n, shared) = (count(&*bytes), shared(&*bytes));
    let end = entries_end(bytes, n);
    match stride(&*bytes) {
        0 => {
            let offset = push_heap(bytes, data);
            bytes.copy_within(slot_at(index)..end, slot_at(index + 1));
            let slot = slot_at(index);
            let head = head_of(&compared_of(bytes, data)[shared..]);
            set_u16(bytes, slot, offset);
            set_u16(bytes, slot + 2, data.len() as u16);
            set_u32(bytes, slot + 4, head);
        }
        stride => {
            let at = packed_at(stride, index);
            bytes.copy_within(at..end, at + stride);
            bytes[at..at + stride].copy_from_slice(&data[shared..]);
        }
    }
    set_u16(bytes, COUNT_AT, n as u16 + 1);
}

/// Removes the entry at `index`.
pub fn remove_at(bytes: &mut [u8], index: usize) {
    let n = count(&*bytes);
    let end = entries_end(bytes, n);
    match stride(&*bytes) {
        0 => {
            let garbage = u16_at(bytes, GARBAGE_AT) + u16_at(bytes, slot_at(index) + 2);
            bytes.copy_within(slot_at(index + 1)..end, slot_at(index));
            set_u16(bytes, GARBAGE_AT, garbage);
        }
        stride => {
            let at = packed_at(stride, index);
            bytes.copy_within(at + stride..end, at);
        }
    }
    set_u16(bytes, COUNT_AT, n as u16 - 1);
    if n == 1 {
        set_u16(bytes, STRIDE_AT, 0);
    }
}

/// Sets right sibling and upper fence; the caller made sure of the room by removing entries first.
pub fn set_right(bytes: &mut [u8], right: u32, high: &[u8]) {
    if free_between(bytes) < high.len() {
        rebuild(bytes, |_| true, true);
    }
    let at = push_heap(bytes, high);
    set_u32(bytes, RIGHT_AT, right);
    set_u16(bytes, HIGH_AT, at);
    set_u16(bytes, HIGH_AT + 2, high.len() as u16);
}

/// Sets the lower fence.
pub fn set_low(bytes: &mut [u8], low: &[u8]) {
    let at = push_heap(bytes, low);
    set_u16(bytes, LOW_AT, at);
    set_u16(bytes, LOW_AT + 2, low.len() as u16);
}

/// Sets the leftmost child.
pub fn set_leftmost(bytes: &mut [u8], child: u32) {
    set_u32(bytes, LEFTMOST_AT, child);
}

/// Keeps the entries for whose index `keep` holds, and the fences; the heap has no garbage afterwards. A leaf is packed, if it can be and `may_pack`.
fn rebuild(bytes: &mut [u8], keep: impl Fn(usize) -> bool, may_pack: bool) {
    let old = bytes.to_vec();
    let n = count(&old[..]);
    let end = bytes.len() as u16;
    bytes[HEADER_BYTES..].fill(0);
    set_u16(bytes, COUNT_AT, 0);
    set_u16(bytes, HEAP_AT, end);
    set_u16(bytes, GARBAGE_AT, 0);
    set_u16(bytes, STRIDE_AT, 0);
    set_low(bytes, low(&old));
    if let Some(fence) = high(&old) {
        set_right(bytes, right(&old[..]).unwrap_or(0), fence);
    }
    let kept = || (0..n).filter(|&i| keep(i));
    let (Some(first), Some(last)) = (kept().next(), kept().next_back()) else { return };
    let (first, last) = (compared(&old, first).to_vec(), compared(&old, last).to_vec());
    let of_all = common(first.iter().copied(), &last);
    if may_pack && level(&old[..]) == 0 && kept().all(|i| entry(&old, i).len() == first.len()) {
        begin_packed(bytes, &first, of_all);
    } else {
        bytes[SHARED_AT] = of_all.min(usize::from(u8::MAX)) as u8;
    }
    for (at, i) in kept().enumerate() {
        match entry(&old, i) {
            Entry { start: [], rest } => push_at(bytes, at, rest),
            parted => push_at(bytes, at, &parted.to_vec()),
        }
    }
}

/// Keeps the first `keep` entries and sets the new right sibling.
pub fn truncate(bytes: &mut [u8], keep: usize, right: u32, high: &[u8]) {
    if keep + 1 == count(&*bytes) && self::right(&*bytes).is_none() {
        // As ascending loads do, page after page: all others stay where they are.
        remove_at(bytes, keep);
    } else {
        // The old fence is dropped before the heap is rebuilt: the new one may need its room.
        set_u32(bytes, RIGHT_AT, 0);
        rebuild(bytes, |i| i < keep, true);
    }
    set_right(bytes, right, high);
}

/// Where to split so that both halves hold about the same bytes; `at_end` (the new entry goes behind all others of a level's last
/// node) keeps nearly all on the left, for ascending loads.
pub fn split_point(bytes: &[u8], at_end: bool) -> usize {
    let n = count(bytes);
    if at_end && right(bytes).is_none() {
        return n - 1;
    }
    let total: usize = (0..n).map(|i| entry(bytes, i).len() + SLOT_BYTES).sum();
    let mut left = 0;
    for i in 0..n {
        left += entry(bytes, i).len() + SLOT_BYTES;
        if left * 2 >= total {
            return (i + 1).clamp(1, n - 1);
        }
    }
    n - 1
}

/// The shortest string that is greater than `left` and not greater than `right`.
pub fn separator<'a>(left: &[u8], right: &'a [u8]) -> &'a [u8] {
    let common = common(left.iter().copied(), right);
    &right[..(common + 1).min(right.len())]
}

/// The page without its free middle, for a log record: `(front length u32, front, back)`.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    let front = entries_end(bytes, count(bytes));
    let heap = u16_at(bytes, HEAP_AT) as usize;
    let mut out = Vec::with_capacity(4 + front + bytes.len() - heap);
    out.extend_from_slice(&(front as u32).to_le_bytes());
    out.extend_from_slice(&bytes[..front]);
    out.extend_from_slice(&bytes[heap..]);
    out
}

/// The inverse of [`pack`]; false when the image does not fit.
pub fn unpack(bytes: &mut [u8], image: &[u8]) -> bool {
    let Some((len, rest)) = image.split_first_chunk::<4>() else { return false };
    let front = u32::from_le_bytes(*len) as usize;
    if front > rest.len() || rest.len() > bytes.len() {
        return false;
    }
    bytes.fill(0);
    bytes[..front].copy_from_slice(&rest[..front]);
    let back = &rest[front..];
    let at = bytes.len() - back.len();
    bytes[at..].copy_from_slice(back);
    true
}
