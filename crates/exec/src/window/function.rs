//! Window functions, and aggregates over frames, for one partition.

use std::ops::Range;

use ext::Rowset;
use plan::{FrameExclusion, WindowCall};
use types::{Datum, Oid, Result, SqlError, SqlState};
use vector::Vector;

use super::Partition;
use super::frame::stretches;
use crate::Context;

/// What a call is computed from. Vectors are over all rows that were read.
pub struct Inputs<'a> {
    pub partition: &'a Partition<'a>,
    /// Frames of the partition's rows; empty when no call reads them.
    pub frames: &'a [Range<usize>],
    pub exclusion: FrameExclusion,
    pub args: &'a [Vector],
    /// Rows that the filter lets through.
    pub counts: Option<&'a [bool]>,
}

impl Inputs<'_> {
    /// Argument `n` of the partition's row `i`.
    fn arg(&self, n: usize, i: usize) -> Datum {
        self.args.get(n).map_or(Datum::Null, |v| v.get(self.partition.rows[i] as usize))
    }

    fn stretches(&self, i: usize) -> [Range<usize>; 3] {
        stretches(&self.frames[i], i, self.partition, self.exclusion)
    }
}

/// The built-in window functions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Function {
    RowNumber,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    Ntile,
    Lag,
    Lead,
    FirstValue,
    LastValue,
    NthValue,
}

/// The window function with this row of `pg_proc`.
fn function(function: Oid) -> Option<Function> {
    Some(match function.0 {
        3100 => Function::RowNumber,
        3101 => Function::Rank,
        3102 => Function::DenseRank,
        3103 => Function::PercentRank,
        3104 => Function::CumeDist,
        3105 => Function::Ntile,
        3106..=3108 => Function::Lag,
        3109..=3111 => Function::Lead,
        3112 => Function::FirstValue,
        3113 => Function::LastValue,
        3114 => Function::NthValue,
        _ => return None,
    })
}

/// Whether the frame matters to `call`.
pub fn reads_frame(call: &WindowCall) -> bool {
    let by_frame = [Function::FirstValue, Function::LastValue, Function::NthValue];
    call.aggregate || function(call.function).is_some_and(|f| by_frame.contains(&f))
}

/// Whether a function counts nothing but rows and groups up to the current one.
pub fn is_running(called: Oid) -> bool {
    matches!(function(called), Some(Function::RowNumber | Function::Rank | Function::DenseRank))
}

/// What such a function comes to, by the number of the row, of the first row equal to it, and of the group, from 1.
pub fn place(called: Oid, (row, first, group): (i64, i64, i64)) -> Datum {
    Datum::I64(match function(called) {
        Some(Function::Rank) => first,
        Some(Function::DenseRank) => group,
        _ => row,
    })
}

/// Appends the result of `call` for each row of the partition.
pub fn compute(call: &WindowCall, inputs: &Inputs<'_>, out: &mut Vector, ctx: &mut Context<'_>) -> Result<()> {
    if call.aggregate {
        return aggregate(call, inputs, out, ctx);
    }
    let Some(function) = function(call.function) else {
        return Err(SqlError::internal(format!("window function {} is not implemented", call.function)));
    };
    let partition = inputs.partition;
    let count = partition.len();
    let buckets = match function {
        Function::Ntile => buckets(inputs)?,
        _ => None,
    };
    for i in 0..count {
        let first_peer = || partition.peers(i).start;
        let result = match function {
            Function::RowNumber => Datum::I64(i as i64 + 1),
            Function::Rank => Datum::I64(first_peer() as i64 + 1),
            Function::DenseRank => Datum::I64(i64::from(partition.group_of[i]) + 1),
            Function::PercentRank => Datum::F64(if count > 1 { first_peer() as f64 / (count - 1) as f64 } else { 0.0 }),
            Function::CumeDist => Datum::F64(partition.peers(i).end as f64 / count as f64),
            Function::Ntile => match buckets {
                Some((from, n)) if i >= from => Datum::I32(bucket(i - from, count, n)),
                _ => Datum::Null,
            },
            Function::Lag | Function::Lead => neighbour(inputs, i, function == Function::Lead),
            Function::FirstValue => {
                let found = inputs.stretches(i).into_iter().find(|s| !s.is_empty());
                found.map_or(Datum::Null, |s| inputs.arg(0, s.start))
            }
            Function::LastValue => {
                let found = inputs.stretches(i).into_iter().rfind(|s| !s.is_empty());
                found.map_or(Datum::Null, |s| inputs.arg(0, s.end - 1))
            }
            Function::NthValue => nth(inputs, i)?,
        };
        out.push(&result);
        if i % 4096 == 0 {
            ctx.check_interrupts()?;
        }
    }
    Ok(())
}

/// The first row whose argument is not NULL, and how many buckets it asks for.
fn buckets(inputs: &Inputs<'_>) -> Result<Option<(usize, usize)>> {
    for i in 0..inputs.partition.len() {
        let Datum::I32(n) = inputs.arg(0, i) else { continue };
        return match usize::try_from(n) {
            Ok(n) if n > 0 => Ok(Some((i, n))),
            _ => {
                let message = "argument of ntile must be greater than zero";
                Err(SqlError::new(SqlState::INVALID_ARGUMENT_FOR_NTILE, message))
            }
        };
    }
    Ok(None)
}

/// The bucket, from 1, of row `i` of `count` when they are spread over `n`: the first ones get one more.
fn bucket(i: usize, count: usize, n: usize) -> i32 {
    let (size, larger) = (count / n, count % n);
    let in_larger = larger * (size + 1);
    let bucket = if i < in_larger { i / (size + 1) } else { larger + (i - in_larger) / size.max(1) };
    bucket as i32 + 1
}

/// `lag` and `lead`.
fn neighbour(inputs: &Inputs<'_>, i: usize, ahead: bool) -> Datum {
    let offset = match inputs.args.len() {
        0 | 1 => 1,
        _ => match inputs.arg(1, i) {
            Datum::I32(n) => i64::from(n),
            _ => return Datum::Null,
        },
    };
    let at = i as i64 + if ahead { offset } else { -offset };
    match usize::try_from(at) {
        Ok(at) if at < inputs.partition.len() => inputs.arg(0, at),
        _ => inputs.arg(2, i),
    }
}

fn nth(inputs: &Inputs<'_>, i: usize) -> Result<Datum> {
    let Datum::I32(n) = inputs.arg(1, i) else { return Ok(Datum::Null) };
    let Some(mut left) = usize::try_from(n).ok().and_then(|n| n.checked_sub(1)) else {
        let message = "argument of nth_value must be greater than zero";
        return Err(SqlError::new(SqlState::INVALID_ARGUMENT_FOR_NTH_VALUE, message));
    };
    for stretch in inputs.stretches(i) {
        if left < stretch.len() {
            return Ok(inputs.arg(0, stretch.start + left));
        }
        left -= stretch.len();
    }
    Ok(Datum::Null)
}

/// An aggregate over the frame of each row. What the frame before shared is not added again; what it had too much is taken out where
/// the aggregate can, or else all is added anew.
fn aggregate(call: &WindowCall, inputs: &Inputs<'_>, out: &mut Vector, ctx: &mut Context<'_>) -> Result<()> {
    let Some(definition) = functions::aggregate::lookup(call.function) else {
        return Err(SqlError::internal(format!("aggregate {} is not implemented", call.function)));
    };
    let types: Vec<Oid> = call.args.iter().map(|a| a.ty).collect();
    let args: Vec<&Vector> = inputs.args.iter().collect();
    let mut state = (definition.groups)();
    state.resize(1);
    let mut held = 0;
    let mut seen: [Range<usize>; 3] = [0..0, 0..0, 0..0];
    let mut result: Option<Datum> = None;
    let mut rows: Vec<u32> = Vec::new();
    let counted = |r: Range<usize>, rows: &mut Vec<u32>| {
        let counts = |&row: &u32| inputs.counts.is_none_or(|c| c[row as usize]);
        rows.extend(inputs.partition.rows[r].iter().copied().filter(counts));
    };
    for i in 0..inputs.partition.len() {
        let wanted = inputs.stretches(i);
        if let Some(result) = result.as_ref().filter(|_| wanted == seen) {
            out.push(result);
            continue;
        }
        let plain = |s: &[Range<usize>; 3]| s[1].is_empty() && s[2].is_empty();
        let (old, new) = (&seen[0], &wanted[0]);
        let grows = plain(&seen) && plain(&wanted) && old.start <= new.start && old.end <= new.end;
        rows.clear();
        if grows && (old.start == new.start || (definition.can_remove && new.start < old.end)) {
            counted(old.start..new.start, &mut rows);
            for &row in &rows {
                let values: Vec<Datum> = args.iter().map(|v| v.get(row as usize)).collect();
                state.remove(&mut ctx.call(&types, call.ty), 0, &values)?;
            }
            rows.clear();
            counted(old.end..new.end, &mut rows);
        } else {
            state.reset(0);
            wanted.iter().for_each(|s| counted(s.clone(), &mut rows));
            ctx.check_interrupts()?;
        }
        if !rows.is_empty() {
            state.add_vector(&mut ctx.call(&types, call.ty), &args, Rowset::Listed(&rows), None)?;
            let bytes = state.bytes();
            ctx.account.charge(bytes.saturating_sub(held))?;
            held = held.max(bytes);
        }
        let value = state.finish(&mut ctx.call(&types, call.ty), 0)?;
        out.push(&value);
        result = Some(value);
        seen = wanted;
        if i % 4096 == 0 {
            ctx.check_interrupts()?;
        }
    }
    Ok(())
}
