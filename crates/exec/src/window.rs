//! Windows: all rows of the input in order of partition and sort key, and for each what functions say of its partition and frame.

mod frame;
mod function;
mod range;

use std::ops::Range;

use plan::{Expr, FrameBound, FrameUnits, WindowCall};
use types::{Physical, Result, oid};
use vector::{CHUNK_ROWS, Chunk, Vector};

use crate::eval::{eval, is_true};
use crate::{BoxOperator, Context, Operator, keys};

/// Computes calls over a window.
pub struct Window {
    input: BoxOperator,
    window: plan::Window,
    calls: Vec<WindowCall>,
    forms: Vec<Physical>,
    input_forms: Vec<Physical>,
    ready: Option<Ready>,
    next: usize,
}

/// What is yielded: rows of the input in order, and a result of each call for each.
struct Ready {
    rows: Chunk,
    order: Vec<u32>,
    results: Vec<Vector>,
}

/// What was computed from the input, row by row of it.
struct Read {
    rows: Chunk,
    /// Sort keys end to end: where each row's starts, and where its partition's part ends.
    keys: Vec<u8>,
    starts: Vec<(usize, usize)>,
    /// Arguments of each call.
    args: Vec<Vec<Vector>>,
    /// Whether a row counts, for calls with a filter.
    counts: Vec<Option<Vec<bool>>>,
    /// Values of the sort key whose offsets the frame counts in.
    values: Option<Vector>,
}

/// Rows of one partition, in order.
struct Partition<'r> {
    /// Numbers of the rows in what was read.
    rows: &'r [u32],
    /// For each row, the number of its group of equals.
    group_of: Vec<u32>,
    /// Where each group starts, and where the last one ends.
    groups: Vec<usize>,
}

impl Partition<'_> {
    fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows equal to row `i`, and itself.
    fn peers(&self, i: usize) -> Range<usize> {
        let group = self.group_of[i] as usize;
        self.groups[group]..self.groups[group + 1]
    }
}

impl Window {
    pub fn new(
        input: BoxOperator,
        window: plan::Window,
        calls: Vec<WindowCall>,
        input_forms: Vec<Physical>,
        forms: Vec<Physical>,
    ) -> Window {
        Window { input, window, calls, forms, input_forms, ready: None, next: 0 }
    }

    fn read(&mut self, ctx: &mut Context<'_>) -> Result<Read> {
        let form = |e: &Expr| Vector::new(Physical::of(e.ty));
        let frame = &self.window.frame;
        let by_value = frame.units == FrameUnits::Range
            && [&frame.start, &frame.end]
                .iter()
                .any(|b| matches!(b, FrameBound::Preceding(_) | FrameBound::Following(_)));
        let sorted_by = self.window.order.first().filter(|_| by_value).map(|k| &k.expr);
        let mut read = Read {
            rows: Chunk::new(&self.input_forms),
            keys: Vec::new(),
            starts: Vec::new(),
            args: self.calls.iter().map(|c| c.args.iter().map(form).collect()).collect(),
            counts: self.calls.iter().map(|c| c.filter.as_ref().map(|_| Vec::new())).collect(),
            values: sorted_by.map(form),
        };
        let mut chunk = Chunk::default();
        while self.input.next(ctx, &mut chunk)? {
            let all = 0..chunk.rows;
            let partition = self.window.partition.iter().map(|e| eval(e, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let order = self.window.order.iter().map(|k| eval(&k.expr, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let before = read.keys.len();
            for i in all.clone() {
                let start = read.keys.len();
                for (e, v) in self.window.partition.iter().zip(&partition) {
                    keys::encode(&mut read.keys, e.ty, v, i, false, false, ctx)?;
                }
                read.starts.push((start, read.keys.len()));
                for (k, v) in self.window.order.iter().zip(&order) {
                    keys::encode(&mut read.keys, k.expr.ty, v, i, k.descending, k.nulls_first, ctx)?;
                }
            }
            if let (Some(values), Some(first)) = (&mut read.values, order.first()) {
                values.extend_selected(first, all.clone());
            }
            let mut bytes = chunk.bytes() + (read.keys.len() - before) + 24 * chunk.rows;
            for ((call, args), counts) in self.calls.iter().zip(&mut read.args).zip(&mut read.counts) {
                bytes += take(call, args, counts.as_mut(), &chunk, ctx)?;
            }
            ctx.account.charge(bytes)?;
            read.rows.extend_selected(&chunk, all);
        }
        Ok(read)
    }

    fn run(&mut self, ctx: &mut Context<'_>) -> Result<Ready> {
        let read = self.read(ctx)?;
        let count = read.rows.rows;
        let end = |i: usize| read.starts.get(i + 1).map_or(read.keys.len(), |s| s.0);
        let key = |i: u32| &read.keys[read.starts[i as usize].0..end(i as usize)];
        let partition_key = |i: u32| &read.keys[read.starts[i as usize].0..read.starts[i as usize].1];
        let mut order: Vec<u32> = (0..count as u32).collect();
        if !self.window.partition.is_empty() || !self.window.order.is_empty() {
            // Most keys differ in their first bytes, which are then at hand.
            let head = |i: u32| {
                let mut head = [0; 8];
                head.iter_mut().zip(key(i)).for_each(|(h, k)| *h = *k);
                u64::from_be_bytes(head)
            };
            let mut heads: Vec<(u64, u32)> = order.iter().map(|&i| (head(i), i)).collect();
            heads.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| key(a.1).cmp(key(b.1))));
            order = heads.into_iter().map(|h| h.1).collect();
        }
        let mut results: Vec<Vector> = self.calls.iter().map(|c| Vector::new(Physical::of(c.ty))).collect();
        if count > 0 {
            let bounds = frame::Bounds::new(&self.window, ctx)?;
            let mut from = 0;
            while from < count {
                let first = partition_key(order[from]);
                // One partition, or they are looked for.
                let to = match self.window.partition.is_empty() {
                    true => count,
                    false => order[from..].iter().position(|&r| partition_key(r) != first).map_or(count, |n| from + n),
                };
                let rows = &order[from..to];
                let (mut group_of, mut groups) = (Vec::with_capacity(rows.len()), Vec::new());
                for (i, &row) in rows.iter().enumerate() {
                    if i == 0 || key(row) != key(rows[i - 1]) {
                        groups.push(i);
                    }
                    group_of.push(groups.len() as u32 - 1);
                }
                groups.push(rows.len());
                let partition = Partition { rows, group_of, groups };
                let frames = match self.calls.iter().any(function::reads_frame) {
                    true => frame::frames(&self.window, &bounds, &partition, read.values.as_ref(), ctx)?,
                    false => Vec::new(),
                };
                for (i, call) in self.calls.iter().enumerate() {
                    let inputs = function::Inputs {
                        partition: &partition,
                        frames: &frames,
                        exclusion: self.window.frame.exclusion,
                        args: &read.args[i],
                        counts: read.counts[i].as_deref(),
                    };
                    function::compute(call, &inputs, &mut results[i], ctx)?;
                }
                from = to;
            }
            ctx.account.charge(results.iter().map(Vector::bytes).sum())?;
        }
        Ok(Ready { rows: read.rows, order, results })
    }
}

/// Adds a chunk's arguments of `call`; the bytes they take. Those of rows that the filter drops are not evaluated (Q2).
fn take(
    call: &WindowCall,
    args: &mut [Vector],
    counts: Option<&mut Vec<bool>>,
    chunk: &Chunk,
    ctx: &mut Context<'_>,
) -> Result<usize> {
    let mut bytes = 0;
    match (&call.filter, counts) {
        (Some(filter), Some(counts)) => {
            let test = eval(filter, chunk, ctx)?;
            let hits: Vec<u32> = (0..chunk.rows as u32).filter(|&i| is_true(&test, i as usize)).collect();
            let part = chunk.select(&hits);
            for (e, all) in call.args.iter().zip(args) {
                let values = eval(e, &part, ctx)?;
                bytes += values.bytes();
                let mut next = 0;
                for row in 0..chunk.rows as u32 {
                    if hits.get(next) == Some(&row) {
                        all.push_from(&values, next);
                        next += 1;
                    } else {
                        all.push_null();
                    }
                }
            }
            let before = counts.len();
            counts.resize(before + chunk.rows, false);
            hits.iter().for_each(|&i| counts[before + i as usize] = true);
        }
        _ => {
            for (e, all) in call.args.iter().zip(args) {
                // What stands for any type may be of a form of its own.
                debug_assert_ne!(e.ty, oid::UNKNOWN, "arguments are settled");
                let values = eval(e, chunk, ctx)?;
                bytes += values.bytes();
                all.extend_selected(&values, 0..chunk.rows);
            }
        }
    }
    Ok(bytes)
}

impl Operator for Window {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.ready.is_none() {
            self.ready = Some(self.run(ctx)?);
            self.next = 0;
        }
        out.reset(&self.forms);
        let Some(ready) = &self.ready else { return Ok(false) };
        let end = ready.order.len().min(self.next + CHUNK_ROWS);
        if self.next >= end {
            return Ok(false);
        }
        out.extend_selected(&ready.rows, ready.order[self.next..end].iter().map(|&i| i as usize));
        for (column, results) in out.columns[self.input_forms.len()..].iter_mut().zip(&ready.results) {
            column.extend_selected(results, self.next..end);
        }
        self.next = end;
        Ok(true)
    }

    fn reset(&mut self) {
        self.ready = None;
        self.input.reset();
    }
}
