//! A node's bytes.
//!
//! ```text
//!   header (128) | slots 8 bytes each: offset u16, length u16, head u32 | ... free ... | entries, fences
//!   24 count u16   26 heap start u16   28 garbage u16   30 level u8   31 shared u8
//!   32 right block u32 (0: none)   36 high offset u16   38 high length u16   40 low offset u16   42 low length u16
//!   44 leftmost child u32 (inner nodes)
//! ```
//! All keys begin with the same `shared` bytes, or more. `head` holds the four bytes of the key behind those, big-endian, so that most comparisons
//! touch only the slots. An inner entry is `separator ++ child block u32`: the child holds keys from the separator on; the separator is its key. A
//! leaf's entry is its key as a whole.

use std::cmp::Ordering;

use crate::buffer::{PageClass, RacyBytes, big_endian};
use crate::ids::PageNo;
use crate::page::{self, HEADER_BYTES, PageKind, set_u16, set_u32, u16_at, u32_at};
use crate::wal::record::BlockRef;

const COUNT_AT: usize = 24;
const HEAP_AT: usize = 26;
const GARBAGE_AT: usize = 28;
const LEVEL_AT: usize = 30;
const SHARED_AT: usize = 31;
const RIGHT_AT: usize = 32;
const HIGH_AT: usize = 36;
const LOW_AT: usize = 40;
const LEFTMOST_AT: usize = 44;
const SLOT_BYTES: usize = 8;
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

/// The first four bytes of `key`, as slots hold them.
#[inline]
fn head_of(key: &[u8]) -> u32 {
    match key.first_chunk::<4>() {
        Some(b) => u32::from_be_bytes(*b),
        None => key.iter().zip([24, 16, 8]).fold(0, |head, (b, shift)| head | u32::from(*b) << shift),
    }
}

/// Eight bytes of `key` from `from` on, big-endian, zeros behind its end.
#[inline]
fn wide(key: &[u8], from: usize) -> u64 {
    let rest = &key[from.min(key.len())..];
    match rest.len() {
        0 => 0,
        n if n >= 8 => big_endian(&rest[..8]),
        n => big_endian(rest) << (64 - 8 * n),
    }
}

/// A key that is looked for, with its first sixteen bytes as a number: what nodes compare mostly lies in those.
#[derive(Clone, Copy)]
pub struct Sought<'k> {
    bytes: &'k [u8],
    first: u128,
}

impl<'k> Sought<'k> {
    /// Of these bytes.
    #[inline]
    pub fn new(bytes: &'k [u8]) -> Sought<'k> {
        Sought { bytes, first: u128::from(wide(bytes, 0)) << 64 | u128::from(wide(bytes, 8)) }
    }

    /// All of it.
    pub fn bytes(&self) -> &'k [u8] {
        self.bytes
    }

    /// The four bytes behind the first `shared`, as slots hold them.
    #[inline]
    fn head_behind(&self, shared: usize) -> u32 {
        match shared {
            ..=12 => (self.first << (8 * shared) >> 96) as u32,
            _ => head_of(self.bytes.get(shared..).unwrap_or(&[])),
        }
    }

    /// How the `len` bytes that node `b` has at `at`, one at least, compare with the first of the key, which has as many.
    #[inline(always)]
    fn compare_start(&self, b: impl NodeBytes, at: usize, len: usize) -> Ordering {
        if (1..=SHORT_BYTES).contains(&len) {
            let unused = 64 - 8 * len;
            return (b.word_at(at) >> unused).cmp(&((self.first >> 64) as u64 >> unused));
        }
        b.compare(at, len, &self.bytes[..len])
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

/// Bytes at the end of entries that are not of the key.
#[inline]
fn suffix(b: impl NodeBytes) -> usize {
    if level(b) > 0 { CHILD_BYTES } else { 0 }
}

/// How many entries.
#[inline]
pub fn count(b: impl NodeBytes) -> usize {
    // A racy read may see anything; no node has more than this.
    (b.u16_at(COUNT_AT) as usize).min(2048)
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

#[inline]
fn slot_at(index: usize) -> usize {
    HEADER_BYTES + SLOT_BYTES * index
}

/// How the key of an entry whose head is that of `rest` compares with a key; both begin with `shared` bytes, and `rest` is what the key has behind them.
#[inline]
fn compare_behind_head(b: impl NodeBytes, index: usize, rest: &[u8], shared: usize, suffix: usize) -> Ordering {
    let slot = slot_at(index);
    let len = (b.u16_at(slot + 2) as usize).saturating_sub(suffix + shared);
    if rest.len() <= 4 || len <= 4 {
        // The heads have all that one of them has, and zeros in the other's place: the longer one is the greater.
        return len.cmp(&rest.len());
    }
    // Equal heads are equal bytes, as many as both have.
    let same = len.min(rest.len()).min(4);
    b.compare(b.u16_at(slot) as usize + shared + same, len - same, &rest[same..])
}

/// Index of the first entry whose key is not less than `key`.
pub fn lower_bound(b: impl NodeBytes, key: &[u8]) -> usize {
    search(b, &Sought::new(key)).0
}

/// How many bytes all keys begin with, the key sought among them; or where it belongs, if it begins otherwise.
#[inline(always)]
fn begin_alike(b: impl NodeBytes, key: &Sought<'_>) -> Result<usize, usize> {
    let (n, shared) = (count(b), shared(b));
    if n == 0 {
        return Err(0);
    }
    if shared == 0 {
        return Ok(0);
    }
    let at = b.u16_at(slot_at(0)) as usize;
    if key.bytes.len() < shared {
        return Err(if b.compare(at, key.bytes.len(), key.bytes) == Ordering::Less { n } else { 0 });
    }
    match key.compare_start(b, at, shared) {
        Ordering::Less => Err(n),
        Ordering::Equal => Ok(shared),
        Ordering::Greater => Err(0),
    }
}

/// As [`lower_bound`], and whether that entry's key is `key`.
#[inline]
fn search(b: impl NodeBytes, key: &Sought<'_>) -> (usize, bool) {
    match begin_alike(b, key) {
        Ok(shared) => search_behind(b, key, shared),
        Err(index) => (index, false),
    }
}

/// As [`lower_bound`], and how many entries from there on begin with `key`: two stands for more.
#[inline]
pub fn beginning_with(b: impl NodeBytes, key: &Sought<'_>) -> (usize, usize) {
    let (index, rest) = match begin_alike(b, key) {
        Ok(shared) => (search_behind(b, key, shared).0, Some((&key.bytes[shared..], key.head_behind(shared)))),
        Err(index) => (index, None),
    };
    let n = count(b);
    let begins = |index: usize| {
        if index >= n {
            return false;
        }
        let (at, len) = place(b, index);
        if len < key.bytes.len() {
            return false;
        }
        match rest {
            Some(([], _)) => true,
            // The head says it.
            Some((rest, head)) if rest.len() <= 4 => {
                (b.u32_at(slot_at(index) + 4) ^ head) >> (32 - 8 * rest.len()) == 0
            }
            _ => b.compare(at, key.bytes.len(), key.bytes) == Ordering::Equal,
        }
    };
    let found = match begins(index) {
        true => 1 + usize::from(begins(index + 1)),
        false => 0,
    };
    (index, found)
}

/// Where the only entry that begins with `key` lies, when heads decide that and another entry follows it, so that the node covers the key and those that
/// follow. `None` says nothing.
#[inline]
pub fn only_beginning_with(b: impl NodeBytes, key: &Sought<'_>) -> Option<(usize, usize)> {
    let (n, shared) = (count(b), shared(b));
    let bits = match key.bytes.len().checked_sub(shared) {
        Some(rest @ 1..=4) => 8 * rest as u32,
        _ => return None,
    };
    let head = key.head_behind(shared);
    // The bytes that all have are not looked at before: who has all of the key has these.
    let index = first_head(b, head, n);
    if index + 1 >= n {
        return None;
    }
    let (at, len) = place(b, index);
    let is_it = len >= key.bytes.len() && key.compare_start(b, at, key.bytes.len()) == Ordering::Equal;
    let is_alone = (b.u32_at(slot_at(index + 1) + 4) ^ head) >> (32 - bits) != 0;
    (is_it && is_alone).then_some((at, len))
}

/// How far around a guess a head is looked for before it counts as wrong.
const GUESS_REACH: usize = 8;

/// Index of the first entry whose head is not below `head`. Numbers that were given out one after the other stand where their distance from the
/// first one says, or nearly: looking there first touches two lines of memory instead of seven. Where that is wrong, half by half.
#[inline(always)]
fn first_head(b: impl NodeBytes, head: u32, n: usize) -> usize {
    let head_at = |index: usize| b.u32_at(slot_at(index) + 4);
    let (mut low, mut len) = (0, n);
    if n > 2 * GUESS_REACH {
        let (first, last) = (head_at(0), head_at(n - 1));
        if head <= first {
            return 0;
        }
        if head > last {
            return n;
        }
        // Above 0, as `first < head <= last`; or this is a racy read, and whatever comes of it is thrown away.
        let span = u64::from(last.wrapping_sub(first)).max(1);
        let guess = u64::from(head - first) * (n as u64 - 1) / span;
        let guess = (guess as usize).min(n - 1);
        if head_at(guess) < head {
            if head_at(guess + 1) >= head {
                return guess + 1;
            }
            let end = (guess + GUESS_REACH).min(n - 1);
            // The last one is not below it.
            (low, len) = if head_at(end) < head { (end + 1, n - 1 - end) } else { (guess + 1, end - guess) };
        } else if guess > 0 && head_at(guess - 1) < head {
            return guess;
        } else {
            let start = guess.saturating_sub(GUESS_REACH);
            // The first one is below it.
            (low, len) = if head_at(start) < head { (start + 1, guess - start) } else { (0, start + 1) };
        }
    }
    // No processor would predict which half it is.
    while len > 1 {
        let half = len / 2;
        let below = head_at(low + half - 1) < head;
        low = std::hint::select_unpredictable(below, low + half, low);
        len -= half;
    }
    low + usize::from(low < n && head_at(low) < head)
}

/// [`search`] for a key that begins with the `shared` bytes that all have.
#[inline]
fn search_behind(b: impl NodeBytes, key: &Sought<'_>, shared: usize) -> (usize, bool) {
    let n = count(b);
    let head = key.head_behind(shared);
    let low = first_head(b, head, n);
    if low >= n || b.u32_at(slot_at(low) + 4) != head {
        return (low, false);
    }
    let (suffix, rest) = (suffix(b), &key.bytes[shared..]);
    match compare_behind_head(b, low, rest, shared, suffix) {
        Ordering::Less => {}
        found => return (low, found == Ordering::Equal),
    }
    let (mut low, mut high, mut is_there) = (low + 1, n, false);
    while low < high {
        let middle = usize::midpoint(low, high);
        let found = b.u32_at(slot_at(middle) + 4).cmp(&head);
        match found.then_with(|| compare_behind_head(b, middle, rest, shared, suffix)) {
            Ordering::Less => low = middle + 1,
            found => (high, is_there) = (middle, found == Ordering::Equal),
        }
    }
    (low, is_there)
}

/// Where in an inner node a key's child stands: 0 is the leftmost. With `below`, the child that covers what is just below the key.
#[inline]
pub fn child_index(b: impl NodeBytes, key: &Sought<'_>, below: bool) -> usize {
    let (index, is_there) = search(b, key);
    index + usize::from(is_there && !below)
}

/// The child at such a place.
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

/// Where an entry's bytes are, and how many.
#[inline]
pub fn place(b: impl NodeBytes, index: usize) -> (usize, usize) {
    let word = b.u32_at(slot_at(index));
    ((word & 0xffff) as usize, (word >> 16) as usize)
}

/// Whether the upper fence begins with `key`.
pub fn high_begins(b: impl NodeBytes, key: &[u8]) -> bool {
    let len = b.u16_at(HIGH_AT + 2) as usize;
    right(b).is_some() && len >= key.len() && b.compare(b.u16_at(HIGH_AT) as usize, key.len(), key) == Ordering::Equal
}

/// An entry's bytes.
pub fn entry(bytes: &[u8], index: usize) -> &[u8] {
    let (at, len) = place(bytes, index);
    &bytes[at..at + len]
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

/// How many bytes two keys begin with, at most as many as a node can say.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count().min(usize::from(u8::MAX))
}

/// What is compared of an entry that is in this node, or is to be.
pub fn compared_of<'e>(bytes: &[u8], entry: &'e [u8]) -> &'e [u8] {
    &entry[..entry.len().saturating_sub(suffix(bytes))]
}

/// The key of an entry: all of it that is compared.
fn compared(bytes: &[u8], index: usize) -> &[u8] {
    compared_of(bytes, entry(bytes, index))
}

/// Says that all keys begin with `shared` bytes, which they do.
fn set_shared(bytes: &mut [u8], shared: usize) {
    bytes[SHARED_AT] = shared as u8;
    for i in 0..count(&*bytes) {
        let head = compared(bytes, i).get(shared..).map_or(0, head_of);
        set_u32(bytes, slot_at(i) + 4, head);
    }
}

/// Inserts an entry at `index`; the caller made sure of the room.
pub fn insert_at(bytes: &mut [u8], index: usize, data: &[u8]) {
    if free_between(bytes) < data.len() + SLOT_BYTES {
        rebuild(bytes, |_| true);
    }
    let key = compared_of(bytes, data);
    let shared = match count(&*bytes) {
        0 => key.len().min(usize::from(u8::MAX)),
        _ => common(key, compared(bytes, 0)).min(shared(&*bytes)),
    };
    if shared != self::shared(&*bytes) {
        set_shared(bytes, shared);
    }
    push_at(bytes, index, data);
}

/// The same of one whose key begins as all others do, into what is free already.
fn push_at(bytes: &mut [u8], index: usize, data: &[u8]) {
    let n = count(&*bytes);
    let offset = push_heap(bytes, data);
    bytes.copy_within(slot_at(index)..slot_at(n), slot_at(index + 1));
    let slot = slot_at(index);
    let head = head_of(&compared_of(bytes, data)[shared(&*bytes)..]);
    set_u16(bytes, slot, offset);
    set_u16(bytes, slot + 2, data.len() as u16);
    set_u32(bytes, slot + 4, head);
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
    let kept = || (0..n).filter(|&i| keep(i));
    if let (Some(first), Some(last)) = (kept().next(), kept().next_back()) {
        let of_all = common(compared(&old, first), compared(&old, last));
        bytes[SHARED_AT] = of_all as u8;
    }
    for (at, i) in kept().enumerate() {
        push_at(bytes, at, entry(&old, i));
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
    let (shared, suffix) = (shared(bytes), suffix(bytes));
    let shortest = if suffix > 0 { suffix } else { ROW_ID_BYTES };
    for i in 0..n {
        let slot = slot_at(i);
        let (at, len) = (u16_at(bytes, slot) as usize, u16_at(bytes, slot + 2) as usize);
        if !inside(at, len) {
            return Err(format!("entry {i} lies outside the page"));
        }
        if len < shortest {
            return Err(format!("entry {i} has {len} bytes only"));
        }
        let Some((start, rest)) = compared(bytes, i).split_at_checked(shared) else {
            return Err(format!("entry {i} has less than the {shared} bytes that all have"));
        };
        if !compared(bytes, 0).starts_with(start) {
            return Err(format!("entry {i} does not begin with the {shared} bytes that all have"));
        }
        // Before version 4, heads of short separators went on with the child.
        let decided = u32::MAX.checked_shl(32 - 8 * rest.len().min(4) as u32).unwrap_or(0);
        if (u32_at(bytes, slot + 4) ^ head_of(rest)) & decided != 0 {
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
    let key = |i: usize| compared(bytes, i);
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
