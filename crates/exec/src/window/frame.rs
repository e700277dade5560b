//! Frames: which rows of its partition each row sees.

use std::ops::Range;

use plan::{FrameBound, FrameExclusion, FrameUnits, Window};
use types::{Datum, Oid, Result, SqlError, SqlState};
use vector::Vector;

use super::Partition;
use super::range::{self, Offset};
use crate::Context;
use crate::eval::constant;

/// An end of a frame whose offset is known.
enum Bound {
    Unbounded,
    CurrentRow,
    /// Rows or groups before (true) or behind.
    Count(bool, usize),
    /// A distance in the sort key's values, before (true) or behind.
    Distance(bool, Offset),
}

/// Both ends.
pub struct Bounds {
    start: Bound,
    end: Bound,
}

impl Bounds {
    /// The ends of the frame of `window`, offsets evaluated.
    pub fn new(window: &Window, ctx: &mut Context<'_>) -> Result<Bounds> {
        let mut bound = |b: &FrameBound, which: &str| -> Result<Bound> {
            let (before, offset) = match b {
                FrameBound::Unbounded => return Ok(Bound::Unbounded),
                FrameBound::CurrentRow => return Ok(Bound::CurrentRow),
                FrameBound::Preceding(e) => (true, e),
                FrameBound::Following(e) => (false, e),
            };
            let value = constant(offset, ctx)?;
            if value.is_null() {
                let message = format!("frame {which} offset must not be null");
                return Err(SqlError::new(SqlState::NULL_VALUE_NOT_ALLOWED, message));
            }
            if window.frame.units == FrameUnits::Range {
                return Ok(Bound::Distance(before, Offset::new(offset.ty, &value)));
            }
            let Datum::I64(n) = value else { return Err(SqlError::internal("an offset of rows is a bigint")) };
            let n = usize::try_from(n).map_err(|_| {
                let message = format!("frame {which} offset must not be negative");
                SqlError::new(SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE, message)
            })?;
            Ok(Bound::Count(before, n))
        };
        Ok(Bounds { start: bound(&window.frame.start, "starting")?, end: bound(&window.frame.end, "ending")? })
    }
}

/// For each row of `partition` the rows from the first to the last of its frame, before anything is left out; `values` are those
/// of the sort key, for all rows that were read.
pub fn frames(
    window: &Window,
    bounds: &Bounds,
    partition: &Partition<'_>,
    values: Option<&Vector>,
    ctx: &mut Context<'_>,
) -> Result<Vec<Range<usize>>> {
    let count = partition.len();
    ctx.account.charge(count * size_of::<Range<usize>>())?;
    let units = window.frame.units;
    let mut frames = Vec::with_capacity(count);
    let key = window.order.first();
    let (mut head, mut tail) = (0, 0);
    for i in 0..count {
        let reach = |at: usize, before: bool, offset: &Offset, is_end: bool, ctx: &Context<'_>| -> Result<usize> {
            let (Some(values), Some(key)) = (values, key) else {
                return Err(SqlError::internal("a frame by values has a sort key"));
            };
            let sorted = Sorted { values, rows: partition.rows, ty: key.expr.ty, nulls_first: key.nulls_first };
            // In falling order what comes before is larger.
            let subtract = before != key.descending;
            sorted.reach(at, i, offset, subtract, is_end, key.descending, ctx)
        };
        let start = match &bounds.start {
            Bound::Unbounded => 0,
            Bound::CurrentRow if units == FrameUnits::Rows => i,
            Bound::CurrentRow => partition.peers(i).start,
            Bound::Count(before, n) if units == FrameUnits::Rows => {
                if *before {
                    i.saturating_sub(*n)
                } else {
                    i.saturating_add(*n).min(count)
                }
            }
            Bound::Count(before, n) => {
                let group = partition.group_of[i] as usize;
                let group = if *before { group.saturating_sub(*n) } else { group.saturating_add(*n) };
                partition.groups.get(group).copied().unwrap_or(count)
            }
            Bound::Distance(before, offset) => {
                head = reach(head, *before, offset, false, ctx)?;
                head
            }
        };
        let end = match &bounds.end {
            Bound::Unbounded => count,
            Bound::CurrentRow if units == FrameUnits::Rows => i + 1,
            Bound::CurrentRow => partition.peers(i).end,
            Bound::Count(before, n) if units == FrameUnits::Rows => {
                if *before {
                    (i + 1).saturating_sub(*n)
                } else {
                    (i + 1).saturating_add(*n).min(count)
                }
            }
            Bound::Count(before, n) => {
                let next = partition.group_of[i] as usize + 1;
                let next = if *before { next.saturating_sub(*n) } else { next.saturating_add(*n) };
                partition.groups.get(next).copied().unwrap_or(count)
            }
            Bound::Distance(before, offset) => {
                tail = reach(tail, *before, offset, true, ctx)?;
                tail
            }
        };
        frames.push(start..end.max(start));
        if i % 4096 == 0 {
            ctx.check_interrupts()?;
        }
    }
    Ok(frames)
}

/// Values of the sort key, in order.
struct Sorted<'a> {
    values: &'a Vector,
    rows: &'a [u32],
    ty: Oid,
    nulls_first: bool,
}

impl Sorted<'_> {
    /// The first row from `at` on that is not before the frame of row `i` (its start), or is behind it (its end). Frames of later rows
    /// do not start or end earlier, so `at` may be what the row before gave.
    #[allow(clippy::too_many_arguments, reason = "a frame's end has many properties")]
    fn reach(
        &self,
        mut at: usize,
        i: usize,
        offset: &Offset,
        subtract: bool,
        is_end: bool,
        descending: bool,
        ctx: &Context<'_>,
    ) -> Result<usize> {
        let current = self.values.get(self.rows[i] as usize);
        while at < self.rows.len() {
            let value = self.values.get(self.rows[at] as usize);
            // NULLs are only within reach of each other.
            let within = match (value.is_null(), current.is_null()) {
                (true, true) => true,
                (true, false) => self.nulls_first == is_end,
                (false, true) => self.nulls_first != is_end,
                (false, false) => {
                    // At the start it must not be too small (in falling order: too large), at the end not too large.
                    let at_most = is_end != descending;
                    range::within(self.ty, &value, &current, offset, subtract, at_most, ctx.settings)?
                }
            };
            if within != is_end {
                break;
            }
            at += 1;
        }
        Ok(at)
    }
}

/// What is left of `frame` of row `i`: up to three stretches, in order.
pub fn stretches(
    frame: &Range<usize>,
    i: usize,
    partition: &Partition<'_>,
    exclusion: FrameExclusion,
) -> [Range<usize>; 3] {
    let without = |gap: Range<usize>| {
        let before = frame.start..gap.start.clamp(frame.start, frame.end);
        let behind = gap.end.clamp(frame.start, frame.end)..frame.end;
        (before, behind)
    };
    match exclusion {
        FrameExclusion::Nothing => [frame.clone(), 0..0, 0..0],
        FrameExclusion::CurrentRow => {
            let (before, behind) = without(i..i + 1);
            [before, 0..0, behind]
        }
        FrameExclusion::Group => {
            let (before, behind) = without(partition.peers(i));
            [before, 0..0, behind]
        }
        FrameExclusion::Ties => {
            let (before, behind) = without(partition.peers(i));
            let own = if frame.contains(&i) { i..i + 1 } else { 0..0 };
            [before, own, behind]
        }
    }
}
