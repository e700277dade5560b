//! Where a key stands in a node.

use std::cmp::Ordering;

use super::{NodeBytes, PREFIX_AT, SHORT_BYTES, count, packed_at, place, shared, slot_at, stride, suffix};
use crate::buffer::big_endian;

/// The first four bytes of `key`, as slots hold them.
#[inline]
pub(super) fn head_of(key: &[u8]) -> u32 {
    match key.first_chunk::<4>() {
        Some(b) => u32::from_be_bytes(*b),
        None => key.iter().zip([24, 16, 8]).fold(0, |head, (b, shift)| head | u32::from(*b) << shift),
    }
}

/// Eight bytes of `key` from `from` on, big-endian, zeros behind its end.
#[inline]
pub(super) fn wide(key: &[u8], from: usize) -> u64 {
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

/// A node's entries, as a search sees them.
#[derive(Clone, Copy)]
struct Entries<B> {
    b: B,
    count: usize,
    shared: usize,
    stride: usize,
}

impl<B: NodeBytes> Entries<B> {
    #[inline(always)]
    fn of(b: B) -> Entries<B> {
        Entries { b, count: count(b), shared: shared(b), stride: stride(b) }
    }

    /// The first four bytes of an entry behind those that all share.
    #[inline(always)]
    fn head(&self, index: usize) -> u32 {
        match self.stride {
            0 => self.b.u32_at(slot_at(index) + 4),
            stride => (self.b.word_at(packed_at(stride, index)) >> 32) as u32,
        }
    }

    /// Where that begins which an entry's key has behind those that all share, and how many bytes.
    #[inline]
    fn rest(&self, index: usize) -> (usize, usize) {
        match self.stride {
            0 => {
                let (at, len) = place(self.b, index);
                (at + self.shared, len.saturating_sub(suffix(self.b) + self.shared))
            }
            stride => (packed_at(stride, index), stride),
        }
    }

    /// Where the bytes are that all share.
    #[inline]
    fn prefix_at(&self) -> usize {
        match self.stride {
            0 => place(self.b, 0).0,
            _ => PREFIX_AT,
        }
    }

    /// How the key of an entry whose head is that of `rest` compares with a key; `rest` is what the key has behind the bytes that all share, it too.
    #[inline]
    fn compare_behind_head(&self, index: usize, rest: &[u8]) -> Ordering {
        let (at, len) = self.rest(index);
        if rest.len() <= 4 || len <= 4 {
            // The heads have all that one of them has, and zeros in the other's place: the longer one is the greater.
            return len.cmp(&rest.len());
        }
        self.b.compare(at + 4, len - 4, &rest[4..])
    }

    /// How many bytes all keys begin with, the key sought among them; or where it belongs, if it begins otherwise.
    #[inline(always)]
    fn begin_alike(&self, key: &Sought<'_>) -> Result<usize, usize> {
        let (n, shared) = (self.count, self.shared);
        if n == 0 {
            return Err(0);
        }
        if shared == 0 {
            return Ok(0);
        }
        let at = self.prefix_at();
        if key.bytes.len() < shared {
            return Err(if self.b.compare(at, key.bytes.len(), key.bytes) == Ordering::Less { n } else { 0 });
        }
        match key.compare_start(self.b, at, shared) {
            Ordering::Less => Err(n),
            Ordering::Equal => Ok(shared),
            Ordering::Greater => Err(0),
        }
    }

    /// Index of the first entry whose key is not less than `key`, and whether it is the same.
    #[inline]
    fn search(&self, key: &Sought<'_>) -> (usize, bool) {
        match self.begin_alike(key) {
            Ok(shared) => self.search_behind(key, shared),
            Err(index) => (index, false),
        }
    }

    /// The same of a key that begins with the `shared` bytes that all have.
    #[inline]
    fn search_behind(&self, key: &Sought<'_>, shared: usize) -> (usize, bool) {
        let head = key.head_behind(shared);
        let low = self.first_head(head);
        if low >= self.count || self.head(low) != head {
            return (low, false);
        }
        let rest = &key.bytes[shared..];
        match self.compare_behind_head(low, rest) {
            Ordering::Less => {}
            found => return (low, found == Ordering::Equal),
        }
        let (mut low, mut high, mut is_there) = (low + 1, self.count, false);
        while low < high {
            let middle = usize::midpoint(low, high);
            let found = self.head(middle).cmp(&head);
            match found.then_with(|| self.compare_behind_head(middle, rest)) {
                Ordering::Less => low = middle + 1,
                found => (high, is_there) = (middle, found == Ordering::Equal),
            }
        }
        (low, is_there)
    }

    /// Index of the first entry whose head is not below `head`. Numbers that were given out one after the other stand where their distance from the
    /// first one says, or nearly: looking there first touches two lines of memory instead of seven. Where that is wrong, half by half.
    #[inline(always)]
    fn first_head(&self, head: u32) -> usize {
        let n = self.count;
        let head_at = |index: usize| self.head(index);
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
}

/// How far around a guess a head is looked for before it counts as wrong.
const GUESS_REACH: usize = 8;

/// Index of the first entry whose key is not less than `key`.
pub fn lower_bound(b: impl NodeBytes, key: &[u8]) -> usize {
    Entries::of(b).search(&Sought::new(key)).0
}

/// As [`lower_bound`], and how many entries from there on begin with `key`: two stands for more.
#[inline]
pub fn beginning_with(b: impl NodeBytes, key: &Sought<'_>) -> (usize, usize) {
    let entries = Entries::of(b);
    let n = entries.count;
    let (index, shared) = match entries.begin_alike(key) {
        Ok(shared) => (entries.search_behind(key, shared).0, shared),
        // All begin with a key that is shorter than what they share, or none does.
        Err(index) => {
            let len = key.bytes.len();
            let do_begin =
                n > 0 && len < entries.shared && b.compare(entries.prefix_at(), len, key.bytes) == Ordering::Equal;
            return (index, if do_begin { n.min(2) } else { 0 });
        }
    };
    let (rest, head) = (&key.bytes[shared..], key.head_behind(shared));
    let begins = |index: usize| {
        let (at, len) = entries.rest(index);
        match rest.len() {
            0 => true,
            more if len < more => false,
            // The head says it.
            few @ ..=4 => (entries.head(index) ^ head) >> (32 - 8 * few) == 0,
            more => b.compare(at, more, rest) == Ordering::Equal,
        }
    };
    let found = (index..n).take(2).take_while(|&i| begins(i)).count();
    (index, found)
}

/// The only entry that begins with `key`, when heads decide that and another entry follows it, so that the node covers the key and those that
/// follow. `None` says nothing.
#[inline]
pub fn only_beginning_with(b: impl NodeBytes, key: &Sought<'_>) -> Option<usize> {
    let entries = Entries::of(b);
    let bits = match key.bytes.len().checked_sub(entries.shared) {
        Some(rest @ 1..=4) => 8 * rest as u32,
        _ => return None,
    };
    let head = key.head_behind(entries.shared);
    // The bytes that all have are not looked at before: who has all of the key has these.
    let index = entries.first_head(head);
    if index + 1 >= entries.count {
        return None;
    }
    let differs = |index: usize| (entries.head(index) ^ head) >> (32 - bits) != 0;
    let is_it = match entries.stride {
        0 => {
            let (at, len) = place(b, index);
            len >= key.bytes.len() && key.compare_start(b, at, key.bytes.len()) == Ordering::Equal
        }
        _ => !differs(index) && key.compare_start(b, PREFIX_AT, entries.shared) == Ordering::Equal,
    };
    (is_it && differs(index + 1)).then_some(index)
}

/// Where in an inner node a key's child stands: 0 is the leftmost. With `below`, the child that covers what is just below the key.
#[inline]
pub fn child_index(b: impl NodeBytes, key: &Sought<'_>, below: bool) -> usize {
    let (index, is_there) = Entries::of(b).search(key);
    index + usize::from(is_there && !below)
}
