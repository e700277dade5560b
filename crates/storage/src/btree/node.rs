//! A node's bytes.
//!
//! ```text
//!   header (128) | slots 8 bytes each: offset u16, length u16, head u32 | ... free ... | entries, fences
//!   24 count u16   26 heap start u16   28 garbage u16   30 level u8
//!   32 right block u32 (0: none)   36 high offset u16   38 high length u16   40 low offset u16   42 low length u16
//!   44 leftmost child u32 (inner nodes)
//! ```
//! `head` holds the first four bytes of the entry, big-endian, so that most comparisons touch only the slots. An inner entry is
//! `separator ++ child block u32`: the child holds keys from the separator on.

use std::cmp::Ordering;

use crate::buffer::{PageClass, RacyBytes};
use crate::ids::PageNo;
use crate::page::{self, HEADER_BYTES, PageKind, set_u16, set_u32, u16_at, u32_at};
use crate::wal::record::BlockRef;

const COUNT_AT: usize = 24;
const HEAP_AT: usize = 26;
const GARBAGE_AT: usize = 28;
const LEVEL_AT: usize = 30;
const RIGHT_AT: usize = 32;
const HIGH_AT: usize = 36;
const LOW_AT: usize = 40;
const LEFTMOST_AT: usize = 44;
const SLOT_BYTES: usize = 8;
/// What is compared byte by byte, at most.
const SHORT_BYTES: usize = 8;
/// What a leaf entry ends with.
pub const ROW_ID_BYTES: usize = 6;

/// Bytes of a node, latched or not.
pub trait NodeBytes: Copy {
    /// Two little-endian bytes.
    fn u16_at(self, at: usize) -> u16;
    /// Four little-endian bytes.
    fn u32_at(self, at: usize) -> u32;
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
    fn compare(self, at: usize, len: usize, other: &[u8]) -> Ordering {
        let ours = &self[at..at + len];
        if len.min(other.len()) > SHORT_BYTES {
            return ours.cmp(other);
        }
        // Less than a call of `memcmp` takes.
        match ours.iter().zip(other).find(|(a, b)| a != b) {
            Some((a, b)) => a.cmp(b),
            None => len.cmp(&other.len()),
        }
    }
}

/// The first four bytes of `key`, as slots hold them.
fn head_of(key: &[u8]) -> u32 {
    let mut b = [0; 4];
    let n = key.len().min(4);
    b[..n].copy_from_slice(&key[..n]);
    u32::from_be_bytes(b)
}

/// Height above the leaves.
pub fn level(b: impl NodeBytes) -> u8 {
    b.u16_at(LEVEL_AT) as u8
}

/// How many entries.
pub fn count(b: impl NodeBytes) -> usize {
    // A racy read may see anything; no node has more than this.
    (b.u16_at(COUNT_AT) as usize).min(2048)
}

/// Block of the right sibling.
pub fn right(b: impl NodeBytes) -> Option<u32> {
    Some(b.u32_at(RIGHT_AT)).filter(|&r| r != 0)
}

/// How the upper fence compares with `key`; `None` when there is no fence.
pub fn compare_high(b: impl NodeBytes, key: &[u8]) -> Option<Ordering> {
    right(b)?;
    Some(b.compare(b.u16_at(HIGH_AT) as usize, b.u16_at(HIGH_AT + 2) as usize, key))
}

fn slot_at(index: usize) -> usize {
    HEADER_BYTES + SLOT_BYTES * index
}

#[inline]
fn compare_entry(b: impl NodeBytes, index: usize, key: &[u8], head: u32, suffix: usize) -> Ordering {
    let slot = slot_at(index);
    match b.u32_at(slot + 4).cmp(&head) {
        Ordering::Equal => {
            let len = (b.u16_at(slot + 2) as usize).saturating_sub(suffix);
            // Equal heads are equal bytes, as many as both have.
            let same = len.min(key.len()).min(4);
            b.compare(b.u16_at(slot) as usize + same, len - same, &key[same..])
        }
        unequal => unequal,
    }
}

/// Index of the first entry that is not less than `key`. `suffix` bytes at the end of entries do not count (the child of inner ones).
pub fn lower_bound(b: impl NodeBytes, key: &[u8], suffix: usize) -> usize {
    let head = head_of(key);
    let (mut low, mut high) = (0, count(b));
    while low < high {
        let middle = (low + high) / 2;
        if compare_entry(b, middle, key, head, suffix) == Ordering::Less {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The child of an inner node that covers `key`; with `below`, the one that covers what is just below it.
pub fn child_for(b: impl NodeBytes, key: &[u8], below: bool) -> u32 {
    let mut index = lower_bound(b, key, 4);
    let n = count(b);
    if !below && index < n && compare_entry(b, index, key, head_of(key), 4) == Ordering::Equal {
        index += 1;
    }
    match index {
        0 => b.u32_at(LEFTMOST_AT),
        i => {
            let slot = slot_at(i - 1);
            let end = b.u16_at(slot) as usize + b.u16_at(slot + 2) as usize;
            b.u32_at(end.saturating_sub(4))
        }
    }
}

/// An entry's bytes.
pub fn entry(bytes: &[u8], index: usize) -> &[u8] {
    let slot = slot_at(index);
    let at = u16_at(bytes, slot) as usize;
    &bytes[at..at + u16_at(bytes, slot + 2) as usize]
}

/// The key of a leaf's entry.
pub fn key(bytes: &[u8], index: usize) -> &[u8] {
    let entry = entry(bytes, index);
    &entry[..entry.len().saturating_sub(ROW_ID_BYTES)]
}

/// Whether an entry beside place `index`, where one with `key` belongs, has that key, or one in another leaf may have; `bare` takes off
/// what entries carry behind their keys.
pub fn may_share(bytes: &[u8], index: usize, key: &[u8], bare: impl Fn(&[u8]) -> &[u8]) -> bool {
    let has_key = |i: usize| bare(self::key(bytes, i)) == key;
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

/// Formats an empty node.
pub fn format(bytes: &mut [u8], at: BlockRef, page: PageNo, level: u8) {
    bytes.fill(0);
    page::format(bytes, PageKind::Btree, PageClass::Small, at.db, at.rel, page);
    let end = bytes.len() as u16;
    set_u16(bytes, HEAP_AT, end);
    set_u16(bytes, LEVEL_AT, u16::from(level));
}

fn free_between(bytes: &[u8]) -> usize {
    (u16_at(bytes, HEAP_AT) as usize).saturating_sub(slot_at(count(bytes)))
}

/// Free bytes, counting those that compaction would win.
pub fn room(bytes: &[u8]) -> usize {
    free_between(bytes) + u16_at(bytes, GARBAGE_AT) as usize
}

/// Bytes that an entry of `len` bytes needs.
pub fn room_for(len: usize) -> usize {
    len + SLOT_BYTES
}

/// Whether an entry of `len` bytes fits, perhaps after compaction.
pub fn has_room(bytes: &[u8], len: usize) -> bool {
    room(bytes) >= room_for(len)
}

fn push_heap(bytes: &mut [u8], data: &[u8]) -> u16 {
    let at = u16_at(bytes, HEAP_AT) as usize - data.len();
    bytes[at..at + data.len()].copy_from_slice(data);
    set_u16(bytes, HEAP_AT, at as u16);
    at as u16
}

/// Inserts an entry at `index`; the caller made sure of the room.
pub fn insert_at(bytes: &mut [u8], index: usize, data: &[u8]) {
    if free_between(bytes) < data.len() + SLOT_BYTES {
        rebuild(bytes, |_| true);
    }
    let n = count(&*bytes);
    let offset = push_heap(bytes, data);
    bytes.copy_within(slot_at(index)..slot_at(n), slot_at(index + 1));
    let slot = slot_at(index);
    set_u16(bytes, slot, offset);
    set_u16(bytes, slot + 2, data.len() as u16);
    set_u32(bytes, slot + 4, head_of(data));
    set_u16(bytes, COUNT_AT, n as u16 + 1);
}

/// Removes the entry at `index`.
pub fn remove_at(bytes: &mut [u8], index: usize) {
    let n = count(&*bytes);
    let len = u16_at(bytes, slot_at(index) + 2);
    bytes.copy_within(slot_at(index + 1)..slot_at(n), slot_at(index));
    set_u16(bytes, COUNT_AT, n as u16 - 1);
    let garbage = u16_at(bytes, GARBAGE_AT) + len;
    set_u16(bytes, GARBAGE_AT, garbage);
}

/// Sets right sibling and upper fence; the caller made sure of the room by removing entries first.
pub fn set_right(bytes: &mut [u8], right: u32, high: &[u8]) {
    if free_between(bytes) < high.len() {
        rebuild(bytes, |_| true);
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

/// Keeps the entries for whose index `keep` holds, and the fences; the heap has no garbage afterwards.
fn rebuild(bytes: &mut [u8], keep: impl Fn(usize) -> bool) {
    let old = bytes.to_vec();
    let n = count(&old[..]);
    let end = bytes.len() as u16;
    bytes[HEADER_BYTES..].fill(0);
    set_u16(bytes, COUNT_AT, 0);
    set_u16(bytes, HEAP_AT, end);
    set_u16(bytes, GARBAGE_AT, 0);
    set_low(bytes, low(&old));
    if let Some(fence) = high(&old) {
        set_right(bytes, right(&old[..]).unwrap_or(0), fence);
    }
    for (at, i) in (0..n).filter(|&i| keep(i)).enumerate() {
        insert_at(bytes, at, entry(&old, i));
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
        rebuild(bytes, |i| i < keep);
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
    let total: usize = (0..n).map(|i| u16_at(bytes, slot_at(i) + 2) as usize + SLOT_BYTES).sum();
    let mut left = 0;
    for i in 0..n {
        left += u16_at(bytes, slot_at(i) + 2) as usize + SLOT_BYTES;
        if left * 2 >= total {
            return (i + 1).clamp(1, n - 1);
        }
    }
    n - 1
}

/// The shortest string that is greater than `left` and not greater than `right`.
pub fn separator<'a>(left: &[u8], right: &'a [u8]) -> &'a [u8] {
    let common = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    &right[..(common + 1).min(right.len())]
}

/// The page without its free middle, for a log record: `(front length u32, front, back)`.
pub fn pack(bytes: &[u8]) -> Vec<u8> {
    let front = slot_at(count(bytes));
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

/// Whether the node keeps T1 and its offsets stay inside the page.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let n = u16_at(bytes, COUNT_AT) as usize;
    if slot_at(n) > bytes.len() {
        return Err(format!("{n} entries do not fit"));
    }
    let heap = u16_at(bytes, HEAP_AT) as usize;
    if heap < slot_at(n) || heap > bytes.len() {
        return Err("the heap overlaps the slots".to_owned());
    }
    let inside = |at: usize, len: usize| at >= heap && at + len <= bytes.len();
    let (suffix, shortest) = if level(bytes) > 0 { (4, 4) } else { (0, ROW_ID_BYTES) };
    for i in 0..n {
        let slot = slot_at(i);
        let (at, len) = (u16_at(bytes, slot) as usize, u16_at(bytes, slot + 2) as usize);
        if !inside(at, len) {
            return Err(format!("entry {i} lies outside the page"));
        }
        if len < shortest {
            return Err(format!("entry {i} has {len} bytes only"));
        }
        if u32_at(bytes, slot + 4) != head_of(entry(bytes, i)) {
            return Err(format!("entry {i} has another head than its slot says"));
        }
    }
    for at in [HIGH_AT, LOW_AT] {
        let (offset, len) = (u16_at(bytes, at) as usize, u16_at(bytes, at + 2) as usize);
        let absent = len == 0 && offset <= bytes.len();
        if !absent && !inside(offset, len) {
            return Err("a fence lies outside the page".to_owned());
        }
    }
    let key = |i: usize| &entry(bytes, i)[..entry(bytes, i).len().saturating_sub(suffix)];
    for i in 0..n {
        if i > 0 && key(i - 1) >= key(i) {
            return Err(format!("T1: entries {} and {i} are out of order", i - 1));
        }
        if key(i) < low(bytes) || high(bytes).is_some_and(|h| key(i) >= h) {
            return Err(format!("T1: entry {i} lies outside the fences"));
        }
    }
    Ok(())
}
