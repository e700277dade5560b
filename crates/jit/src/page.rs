//! `PageColumns`: where the columns of a program lie on pages that are all laid out alike.
//!
//! To look up and check each column of each page takes longer than a dozen of its rows, and pages of wide tables have no more. So it is done once; then a page is nothing
//! but the address that its places are counted from.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::column::{Column, look_ahead};
use crate::program::Program;

/// Columns whose places take no allocation.
const FEW_COLUMNS: usize = 8;
/// Columns that have a bit of their own where it is told which have NULLs.
const OWN_BITS: usize = 63;
/// Bytes that pages are aligned to.
const ALIGNMENT: usize = 8;
/// Bytes of a cache line.
const LINE_BYTES: usize = 64;

/// Where the columns of a program lie, counted from the first byte of a page: the same on all pages of a layout.
#[derive(Clone, Debug)]
pub struct PageColumns {
    pub(crate) program: Arc<Program>,
    /// For each column, where its first value is and where its bitmap is, in bytes.
    pub(crate) places: SmallVec<[u64; 2 * FEW_COLUMNS]>,
    /// Words of each bitmap.
    words: usize,
    /// Bytes that pages have at least.
    bytes: usize,
    /// So many rows can be read of every column, whether a page has them or not.
    readable: usize,
    /// Where the bitmaps lie: a place in each line of a cache that they touch.
    bitmap_lines: SmallVec<[u32; FEW_COLUMNS]>,
}

impl PageColumns {
    /// Columns whose values and bitmaps of so many words begin at these places of pages with so many bytes; `None` where they are not inside, or not aligned.
    pub(crate) fn new(
        program: &Arc<Program>,
        columns: impl IntoIterator<Item = [usize; 2]>,
        words: usize,
        bytes: usize,
    ) -> Option<PageColumns> {
        let mut places = SmallVec::with_capacity(2 * program.columns.len());
        let mut bitmap_lines = SmallVec::new();
        let mut readable = 64 * words;
        for ([values, bitmap], form) in columns.into_iter().zip(&program.columns) {
            let is_aligned = values.is_multiple_of(form.width()) && bitmap.is_multiple_of(size_of::<u64>());
            if !is_aligned || bitmap.checked_add(8 * words)? > bytes {
                return None;
            }
            readable = readable.min(bytes.checked_sub(values)? / form.width());
            places.extend([values as u64, bitmap as u64]);
            for line in bitmap / LINE_BYTES..(bitmap + 8 * words).div_ceil(LINE_BYTES) {
                let at = u32::try_from(line * LINE_BYTES).ok()?;
                if bitmap_lines.last() != Some(&at) {
                    bitmap_lines.push(at);
                }
            }
        }
        let is_whole = places.len() == 2 * program.columns.len();
        is_whole.then(|| PageColumns { program: program.clone(), places, words, bytes, readable, bitmap_lines })
    }

    /// Has the processor look for the bitmaps that lie so many bytes ahead of this page's: they are read soon. It does so on its own for what is read of columns.
    pub fn look_ahead(&self, page: &[u8], ahead: usize) {
        for line in self.bitmap_lines.iter().filter_map(|&at| page.get(at as usize..)?.first_chunk::<1>()) {
            look_ahead(line, ahead);
        }
    }

    /// Whether `page` is large enough, and aligned.
    pub(crate) fn fit(&self, page: &[u8]) -> bool {
        page.len() >= self.bytes && page.as_ptr().align_offset(ALIGNMENT) == 0
    }

    /// Whether values and bitmaps of a page that fits can be read up to row `end`, whether it has them or not.
    pub(crate) fn reach(&self, end: usize) -> bool {
        end <= self.readable
    }

    /// A bit for each column that has NULLs in the first `rows` rows of a page that fits; those beyond the 64th share one.
    pub(crate) fn nulls(&self, page: &[u8], rows: usize) -> u64 {
        let used = 8 * rows.div_ceil(64).min(self.words);
        // All words: a loop that may end early takes longer.
        let bits = |place: &[u64]| {
            let words: &[u64] = bytemuck::cast_slice(&page[place[1] as usize..][..used]);
            words.iter().fold(0, |all, word| all | word)
        };
        let (own, shared) = self.places.split_at(self.places.len().min(2 * OWN_BITS));
        let shared = shared.chunks_exact(2).fold(0, |all, place| all | bits(place));
        let own = own.chunks_exact(2).zip(0..).fold(0, |all, (place, i)| all | u64::from(bits(place) != 0) << i);
        own | u64::from(shared != 0) << OWN_BITS
    }

    /// The columns of a page that fits, one by one.
    pub(crate) fn columns<'p>(&self, page: &'p [u8]) -> Vec<Column<'p>> {
        let column = |(place, &form): (&[u64], _)| {
            let [values, bitmap] = [place[0] as usize, place[1] as usize];
            let nulls = bytemuck::cast_slice(&page[bitmap..bitmap + 8 * self.words]);
            Column { form, bytes: &page[values..], nulls, ahead: 0 }
        };
        self.places.chunks_exact(2).zip(&self.program.columns).map(column).collect()
    }
}
