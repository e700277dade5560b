//! Cells in the frame of a tile, where lanes fold side by side; and what they come to in the end.
//!
//! Sums are kept in halves, so that no lane overflows: a run has 65,536 rows at most. Of narrow lanes the lower 16 bits are added up as they are, and the upper as
//! signed numbers; of wide ones the lower 32 bits, and the upper as what they are above the least. Extremes are kept lane by lane; which of equals comes first can only
//! be told of -0.0 and 0.0, and -0.0 is suspect to tiles.

use super::header;
use crate::program::{Cell, Fold, Program, Step};
use crate::rows::ROWS_MAX;

/// Words of lanes that are folded into at once.
const LANES: usize = 4;
const SEEN: usize = header::CELL_SEEN / 8;
const COUNT: usize = header::CELL_COUNT / 8;

/// What is folded into each cell.
pub fn folds(program: &Program) -> Vec<(Fold, u32)> {
    let fold = |step: &Step| if let Step::Fold(fold, cell) = *step { Some((fold, cell)) } else { None };
    program.steps.iter().filter_map(fold).collect()
}

/// Makes a cell empty that is all zeros.
pub fn begin(fold: Fold, cell: &mut [u64], is_narrow: bool) {
    let both = |half: i32| u64::from(half as u32) | u64::from(half as u32) << 32;
    // What every value is chosen over.
    let last = match fold {
        Fold::MaxInt if is_narrow => both(i32::MIN),
        Fold::MinInt if is_narrow => both(i32::MAX),
        Fold::MaxInt => i64::MIN as u64,
        Fold::MinInt => i64::MAX as u64,
        Fold::MaxFloat => f64::NEG_INFINITY.to_bits(),
        Fold::MinFloat => f64::NAN.to_bits(),
        _ => return,
    };
    cell[..LANES].fill(last);
}

/// What `before` comes to with a cell of the frame.
pub fn end(fold: Fold, before: Cell, cell: &[u64], is_narrow: bool) -> Cell {
    let has_seen = cell[SEEN] != 0;
    let (first, second) = (&cell[..LANES], &cell[LANES..2 * LANES]);
    let halves = |words: &[u64]| words.iter().flat_map(|w| [*w as u32, (w >> 32) as u32]).collect::<Vec<u32>>();
    match fold {
        Fold::Rows | Fold::Values => [before[0].wrapping_add(cell[COUNT]), before[1]],
        Fold::All if has_seen => fold.apply(before, Some(u64::from(cell[COUNT] == 0))),
        Fold::Any if has_seen => fold.apply(before, Some(u64::from(cell[COUNT] != 0))),
        Fold::Sum => {
            let sum = if is_narrow {
                let low: i128 = halves(first).into_iter().map(i128::from).sum();
                let high: i128 = halves(second).into_iter().map(|half| i128::from(half as i32)).sum();
                low + (high << 16)
            } else {
                let sum = |words: &[u64]| words.iter().map(|w| i128::from(*w)).sum::<i128>();
                let above = i128::from(cell[COUNT]) * (16 << 31);
                sum(first) + ((sum(second) - above) << 32)
            };
            let before = (u128::from(before[1]) << 64 | u128::from(before[0])) as i128;
            let both = before.wrapping_add(sum) as u128;
            [both as u64, (both >> 64) as u64]
        }
        Fold::MaxInt | Fold::MinInt if has_seen && is_narrow => {
            let words = halves(first).into_iter().map(|half| half as i32 as i64 as u64);
            words.fold(before, |cell, word| fold.apply(cell, Some(word)))
        }
        Fold::MaxInt | Fold::MinInt | Fold::MaxFloat | Fold::MinFloat if has_seen => {
            first.iter().fold(before, |cell, &word| fold.apply(cell, Some(word)))
        }
        _ => before,
    }
}

// Eight lanes of each half get at most so many numbers below 2^16.
const _: () = assert!((ROWS_MAX / 8) << 16 <= 1 << 31);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_saw_nothing_change_nothing() {
        for fold in Fold::ALL {
            for is_narrow in [false, true] {
                let mut cell = [0; header::SLOT_BYTES / 8];
                begin(fold, &mut cell, is_narrow);
                for before in [[0, 0], [1, 1]] {
                    assert_eq!(end(fold, before, &cell, is_narrow), before, "{fold:?}");
                }
            }
        }
    }
}
