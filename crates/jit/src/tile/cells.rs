//! Cells in the frame of a tile, where lanes fold side by side; and what they come to in the end.
//!
//! Sums are kept in halves, so that no lane overflows: a run has 65,536 rows at most. Of narrow lanes the lower 16 bits are added up as they are, and the upper as
//! signed numbers; of wide ones the lower 32 bits, and the upper as what they are above the least. Extremes are kept lane by lane; which of equals comes first can only
//! be told of -0.0 and 0.0, and -0.0 is suspect to tiles.

use std::ops::Range;

use super::header;
use crate::program::{Cell, Fold, Step};
use crate::rows::ROWS_MAX;

/// Words of a register.
const LANES: usize = 4;

/// A cell of a frame.
#[derive(Clone, Copy, Debug)]
pub struct TileCell {
    pub fold: Fold,
    /// Its number.
    pub cell: u32,
    /// Where it lies, in bytes.
    pub at: usize,
}

impl TileCell {
    /// The cell that a step folds into, behind so many bytes.
    pub fn of(step: &Step, bytes: &mut usize) -> Option<TileCell> {
        let Step::Fold(fold, cell) = *step else { return None };
        let at = *bytes;
        *bytes += header::CELL_LANES + 8 * LANES * registers(fold);
        Some(TileCell { fold, cell, at })
    }

    fn words(&self) -> Range<usize> {
        self.at / 8..(self.at + header::CELL_LANES) / 8 + LANES * registers(self.fold)
    }

    /// Makes it empty, in a frame of zeros.
    pub fn begin(&self, frame: &mut [u64], is_narrow: bool) {
        let both = |half: i32| u64::from(half as u32) | u64::from(half as u32) << 32;
        // What every value is chosen over.
        let last = match self.fold {
            Fold::MaxInt if is_narrow => both(i32::MIN),
            Fold::MinInt if is_narrow => both(i32::MAX),
            Fold::MaxInt => i64::MIN as u64,
            Fold::MinInt => i64::MAX as u64,
            Fold::MaxFloat => f64::NEG_INFINITY.to_bits(),
            Fold::MinFloat => f64::NAN.to_bits(),
            _ => return,
        };
        frame[self.words()][header::CELL_LANES / 8..].fill(last);
    }

    /// What `before` comes to with it.
    pub fn end(&self, before: Cell, frame: &[u64], is_narrow: bool) -> Cell {
        let (own, lanes) = frame[self.words()].split_at(header::CELL_LANES / 8);
        let (count, has_seen) = (own[header::CELL_COUNT / 8], own[header::CELL_SEEN / 8] != 0);
        let fold = self.fold;
        match fold {
            Fold::Rows | Fold::Values => [before[0].wrapping_add(count), before[1]],
            Fold::All if has_seen => fold.apply(before, Some(u64::from(count == 0))),
            Fold::Any if has_seen => fold.apply(before, Some(u64::from(count != 0))),
            Fold::Sum => {
                let (low, high) = lanes.split_at(LANES);
                let sum = if is_narrow {
                    let low: i64 = low.iter().map(|w| (w & 0xFFFF_FFFF) as i64 + (w >> 32) as i64).sum();
                    let high: i64 = high.iter().map(|w| i64::from(*w as i32) + i64::from((w >> 32) as i32)).sum();
                    i128::from(low + (high << 16))
                } else {
                    let sum = |words: &[u64]| words.iter().map(|w| i128::from(*w)).sum::<i128>();
                    sum(low) + ((sum(high) - i128::from(count) * (16 << 31)) << 32)
                };
                let before = (u128::from(before[1]) << 64 | u128::from(before[0])) as i128;
                let both = before.wrapping_add(sum) as u128;
                [both as u64, (both >> 64) as u64]
            }
            Fold::MaxInt | Fold::MinInt if has_seen && is_narrow => {
                let words = lanes.iter().flat_map(|w| [*w as i32, (w >> 32) as i32]).map(|half| half as i64 as u64);
                words.fold(before, |cell, word| fold.apply(cell, Some(word)))
            }
            Fold::MaxInt | Fold::MinInt | Fold::MaxFloat | Fold::MinFloat if has_seen => {
                lanes.iter().fold(before, |cell, &word| fold.apply(cell, Some(word)))
            }
            _ => before,
        }
    }
}

/// How many registers a cell has: counts and logic need none.
fn registers(fold: Fold) -> usize {
    match fold {
        Fold::Rows | Fold::Values | Fold::All | Fold::Any => 0,
        Fold::Sum => 2,
        Fold::MaxInt | Fold::MinInt | Fold::MaxFloat | Fold::MinFloat => 1,
    }
}

// A lane gets the halves of all rows at most: below 2^16 each, or signed and of 16 bits.
const _: () = assert!((ROWS_MAX as u64) << 16 <= 1 << 32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_saw_nothing_change_nothing() {
        for fold in Fold::ALL {
            for is_narrow in [false, true] {
                let (mut bytes, mut frame) = (32, [0; 32]);
                let cell = TileCell::of(&Step::Fold(fold, 0), &mut bytes).unwrap();
                cell.begin(&mut frame, is_narrow);
                assert_eq!((&frame[..4], &frame[bytes / 8..]), (&[0; 4][..], &[0; 32][bytes / 8..]));
                for before in [[0, 0], [1, 1]] {
                    assert_eq!(cell.end(before, &frame, is_narrow), before, "{fold:?}");
                }
            }
        }
    }
}
