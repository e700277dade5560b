//! Optimistic reads: look at a page without a latch, then ask whether it held still.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

use super::frame::Frame;

/// Bytes that another thread may be changing. Every read is bounds-checked and tear-tolerant: the caller may see garbage,
/// must survive it, and must not believe anything before [`Optimistic::validate`].
#[derive(Clone, Copy)]
pub struct RacyBytes<'a> {
    base: *const u8,
    len: usize,
    life: PhantomData<&'a [AtomicU8]>,
}

impl<'a> RacyBytes<'a> {
    /// # Safety
    /// `base` must point to `len` bytes, aligned to 8, that stay mapped for `'a` and are written to only by threads that hold the
    /// page's exclusive latch.
    pub(super) unsafe fn new(base: *const u8, len: usize) -> RacyBytes<'a> {
        RacyBytes { base, len, life: PhantomData }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A byte; 0 when out of bounds.
    #[inline]
    pub fn u8_at(&self, at: usize) -> u8 {
        if at >= self.len {
            return 0;
        }
        // SAFETY: in bounds; an atomic load tolerates concurrent writers.
        unsafe { (*self.base.add(at).cast::<AtomicU8>()).load(Ordering::Relaxed) }
    }

    /// Two little-endian bytes; 0 when out of bounds.
    #[inline]
    pub fn u16_at(&self, at: usize) -> u16 {
        if at.is_multiple_of(2) && at + 2 <= self.len {
            // SAFETY: in bounds and aligned, see `u8_at`.
            u16::from_le(unsafe { (*self.base.add(at).cast::<AtomicU16>()).load(Ordering::Relaxed) })
        } else {
            u16::from(self.u8_at(at)) | u16::from(self.u8_at(at + 1)) << 8
        }
    }

    /// Four little-endian bytes; 0 when out of bounds.
    #[inline]
    pub fn u32_at(&self, at: usize) -> u32 {
        if at.is_multiple_of(4) && at + 4 <= self.len {
            // SAFETY: in bounds and aligned, see `u8_at`.
            u32::from_le(unsafe { (*self.base.add(at).cast::<AtomicU32>()).load(Ordering::Relaxed) })
        } else {
            u32::from(self.u16_at(at)) | u32::from(self.u16_at(at + 2)) << 16
        }
    }

    /// Eight little-endian bytes; 0 for those out of bounds.
    #[inline]
    pub fn word_at(&self, at: usize) -> u64 {
        let aligned = |at: usize| {
            if at + 8 > self.len {
                return 0;
            }
            // SAFETY: in bounds; aligned, as `at` is a multiple of eight and so is the base; see `u8_at`.
            u64::from_le(unsafe { (*self.base.add(at).cast::<AtomicU64>()).load(Ordering::Relaxed) })
        };
        let (word, shift) = (at / 8 * 8, at % 8 * 8);
        // The same word again, of which nothing is left, where that is all.
        aligned(word) >> shift | aligned(at.next_multiple_of(8)) << 1 << (63 - shift)
    }

    /// How the `len` bytes from `at` compare with `other`, as `memcmp` and then by length. Garbage in, garbage out.
    #[inline]
    pub fn compare(&self, at: usize, len: usize, other: &[u8]) -> std::cmp::Ordering {
        let len = len.min(self.len.saturating_sub(at));
        let common = len.min(other.len());
        let mut i = 0;
        while i < common {
            let n = (common - i).min(8);
            let ours = self.word_at(at + i).swap_bytes() >> (64 - 8 * n);
            let theirs = big_endian(&other[i..i + n]);
            if ours != theirs {
                return ours.cmp(&theirs);
            }
            i += 8;
        }
        len.cmp(&other.len())
    }
}

/// Up to eight bytes as a big-endian number: it is ordered as they are.
#[inline]
pub fn big_endian(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(all), ..) => u64::from_be_bytes(*all),
        (None, Some(first), Some(last)) => {
            // The last four are some of the first again.
            let new = 8 * (bytes.len() as u32 - 4);
            u64::from(u32::from_be_bytes(*first)) << new | u64::from(u32::from_be_bytes(*last)) & ((1 << new) - 1)
        }
        _ => bytes.iter().fold(0, |word, b| word << 8 | u64::from(*b)),
    }
}

/// A look at a page without a latch.
pub struct Optimistic<'a> {
    pub(super) frame: &'a Frame,
    pub(super) version: u64,
    pub(super) bytes: RacyBytes<'a>,
}

impl<'a> Optimistic<'a> {
    /// The page.
    #[inline]
    pub fn bytes(&self) -> RacyBytes<'a> {
        self.bytes
    }

    /// Whether everything read so far was unchanged.
    #[inline]
    pub fn validate(&self) -> bool {
        self.frame.still(self.version)
    }
}
