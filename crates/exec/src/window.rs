//! Windows: rows in the order of partition and sort key, and for each what functions say of its partition and frame.
//!
//! The input is in that order (Q9). It is read in *sections*: some whole partitions, or, where what is asked for can be computed while
//! rows pass, some whole groups of equal rows. Rows of a section that take more than `work_mem` wait in a file; arguments and results
//! stay in memory.

mod frame;
mod function;
mod range;
mod running;

use std::ops::Range;

use plan::{Expr, FrameBound, FrameUnits, WindowCall};
use types::{Physical, Result, oid};
use vector::{CHUNK_ROWS, Chunk, Vector};

use self::running::Running;
use crate::eval::{eval, is_true};
use crate::native;
use crate::sort::work_bytes;
use crate::spill::{BlockRef, Spill};
use crate::{BoxOperator, Context, Operator, keys};

/// Computes calls over a window.
pub struct Window {
    input: BoxOperator,
    window: plan::Window,
    calls: Vec<WindowCall>,
    is_ready: bool,
    forms: Vec<Physical>,
    input_forms: Vec<Physical>,
    /// Kept from section to section, where sections need not be whole partitions.
    running: Option<Running>,
    /// Rows that were read behind the last section, and the partition of the row before them.
    rest: Chunk,
    last: Option<Vec<u8>>,
    ended: bool,
    ready: Option<Ready>,
}

/// What is yielded: rows of the input, and a result of each call for each.
struct Ready {
    spill: Option<Spill>,
    /// Where rows are that wait in the file: they come before those in memory.
    blocks: std::vec::IntoIter<BlockRef>,
    rows: Chunk,
    results: Vec<Vector>,
    /// Rows yielded, and of those in memory.
    next: (usize, usize),
    charged: usize,
}

/// What was read and computed from the input, row by row of it.
#[derive(Default)]
struct Section {
    count: usize,
    rows: Chunk,
    spill: Option<Spill>,
    blocks: Vec<BlockRef>,
    /// Where partitions and groups of equal rows start.
    partitions: Vec<usize>,
    groups: Vec<usize>,
    /// Arguments of each call.
    args: Vec<Vec<Vector>>,
    /// Whether a row counts, for calls with a filter.
    counts: Vec<Option<Vec<bool>>>,
    /// Values of the sort key whose offsets the frame counts in.
    values: Option<Vector>,
    charged: usize,
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
        let (rest, running) = (Chunk::default(), None);
        Window {
            input,
            window,
            calls,
            is_ready: false,
            forms,
            input_forms,
            running,
            rest,
            last: None,
            ended: false,
            ready: None,
        }
    }

    /// Reads the next section; none behind the last.
    fn read(&mut self, by_group: bool, ctx: &mut Context<'_>) -> Result<Option<Section>> {
        let form = |e: &Expr| Vector::new(Physical::of(e.ty));
        let frame = &self.window.frame;
        let by_value = frame.units == FrameUnits::Range
            && [&frame.start, &frame.end]
                .iter()
                .any(|b| matches!(b, FrameBound::Preceding(_) | FrameBound::Following(_)));
        let sorted_by = self.window.order.first().filter(|_| by_value).map(|k| &k.expr);
        let mut section = Section {
            args: self.calls.iter().map(|c| c.args.iter().map(form).collect()).collect(),
            counts: self.calls.iter().map(|c| c.filter.as_ref().map(|_| Vec::new())).collect(),
            values: sorted_by.map(form),
            ..Section::default()
        };
        let room = work_bytes(ctx);
        let (mut chunk, mut key): (Chunk, Vec<u8>) = Default::default();
        // Key of the row before, and where its partition's part ends.
        let mut before: Option<(Vec<u8>, usize)> = None;
        loop {
            ctx.check_interrupts()?;
            if self.rest.rows > 0 {
                std::mem::swap(&mut self.rest, &mut chunk);
                self.rest.rows = 0;
            } else if self.ended || !self.input.next(ctx, &mut chunk)? {
                self.ended = true;
                break;
            }
            let (mut partitions, mut groups): (Vec<usize>, Vec<usize>) = Default::default();
            {
                let partition =
                    self.window.partition.iter().map(|e| eval(e, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
                let order = self.window.order.iter().map(|k| eval(&k.expr, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
                for i in 0..chunk.rows {
                    key.clear();
                    for (e, v) in self.window.partition.iter().zip(&partition) {
                        keys::encode(&mut key, e.ty, v, i, false, false, ctx)?;
                    }
                    let end = key.len();
                    for (k, v) in self.window.order.iter().zip(&order) {
                        keys::encode(&mut key, k.expr.ty, v, i, k.descending, k.nulls_first, ctx)?;
                    }
                    let same = match &before {
                        Some((other, other_end)) => other[..*other_end] == key[..end],
                        // It may go on from the section before.
                        None => self.last.as_deref() == Some(&key[..end]),
                    };
                    if !same {
                        partitions.push(i);
                    }
                    if before.as_ref().is_none_or(|(other, _)| *other != key) {
                        groups.push(i);
                    }
                    let (kept, kept_end) = before.get_or_insert_default();
                    std::mem::swap(kept, &mut key);
                    *kept_end = end;
                }
            }
            let first = usize::from(section.count == 0);
            let cut = if by_group { &groups } else { &partitions };
            let cut = cut.get(first.min(cut.len())..).and_then(<[usize]>::last).copied();
            if let Some(cut) = cut {
                let (kept, rest): (Vec<u32>, Vec<u32>) =
                    ((0..cut as u32).collect(), (cut as u32..chunk.rows as u32).collect());
                self.rest = chunk.select(&rest);
                chunk.compact(&kept);
                partitions.retain(|&p| p < cut);
                groups.retain(|&g| g < cut);
            }
            section.partitions.extend(partitions.iter().map(|p| p + section.count));
            section.groups.extend(groups.iter().map(|g| g + section.count));
            self.take_chunk(&mut section, &chunk, room, ctx)?;
            if cut.is_some() {
                // The row before the rest is the section's last.
                break;
            }
        }
        if section.count == 0 {
            return Ok(None);
        }
        if by_group {
            // Whoever goes on must know the partition of the last row: it is that of the row before the rest.
            self.last = match (self.rest.rows, before) {
                (0, Some((mut key, end))) => {
                    key.truncate(end);
                    Some(key)
                }
                _ => Some(self.partition_key(&section, ctx)?),
            };
        }
        Ok(Some(section))
    }

    /// The partition's key of a section's last row.
    fn partition_key(&self, section: &Section, ctx: &mut Context<'_>) -> Result<Vec<u8>> {
        let mut key = Vec::new();
        let Some(row) = section.rows.rows.checked_sub(1) else { return Ok(key) };
        let last = section.rows.select(&[row as u32]);
        for e in &self.window.partition {
            let v = eval(e, &last, ctx)?;
            keys::encode(&mut key, e.ty, &v, 0, false, false, ctx)?;
        }
        Ok(key)
    }

    /// Adds a chunk to a section.
    fn take_chunk(&self, section: &mut Section, chunk: &Chunk, room: usize, ctx: &mut Context<'_>) -> Result<()> {
        if section.rows.columns.is_empty() {
            section.rows.columns = chunk.columns.iter().map(crate::built::empty_like).collect();
        }
        let mut bytes = 24 * chunk.rows;
        if let (Some(values), Some(first)) = (&mut section.values, self.window.order.first()) {
            values.extend_selected(&*eval(&first.expr, chunk, ctx)?, 0..chunk.rows);
        }
        for ((call, args), counts) in self.calls.iter().zip(&mut section.args).zip(&mut section.counts) {
            bytes += take(call, args, counts.as_mut(), chunk, ctx)?;
        }
        ctx.account.charge(bytes + chunk.bytes())?;
        section.charged += bytes + chunk.bytes();
        section.rows.extend_selected(chunk, 0..chunk.rows);
        section.count += chunk.rows;
        let held = section.rows.bytes();
        if held > room {
            let spill = match &mut section.spill {
                Some(spill) => spill,
                None => section.spill.insert(Spill::new(ctx)?),
            };
            // The last row stays: it says which partition it is.
            let last = section.rows.rows - 1;
            let order: Vec<u32> = (0..last as u32).collect();
            for part in order.chunks(CHUNK_ROWS) {
                section.blocks.push(spill.write(&section.rows, part, |_| &[])?);
            }
            section.rows = section.rows.select(&[last as u32]);
            ctx.account.release(held);
            section.charged = section.charged.saturating_sub(held);
        }
        Ok(())
    }

    /// The next rows to yield, and their results; none behind the last.
    fn run(&mut self, ctx: &mut Context<'_>) -> Result<Option<Ready>> {
        let by_group = running::is_running(&self.window, &self.calls);
        let Some(mut section) = self.read(by_group, ctx)? else { return Ok(None) };
        let mut results: Vec<Vector> = self.calls.iter().map(|c| Vector::new(Physical::of(c.ty))).collect();
        if by_group {
            let running = match &mut self.running {
                Some(running) => running,
                None => self.running.insert(Running::new(&self.calls)?),
            };
            running.compute((&self.window, &self.calls), &section, &mut results, ctx)?;
        } else {
            self.compute(&section, &mut results, ctx)?;
        }
        let bytes = results.iter().map(Vector::bytes).sum();
        ctx.account.charge(bytes)?;
        let blocks = std::mem::take(&mut section.blocks).into_iter();
        let charged = section.charged + bytes;
        Ok(Some(Ready { spill: section.spill, blocks, rows: section.rows, results, next: (0, 0), charged }))
    }

    /// Results of whole partitions.
    fn compute(&self, section: &Section, results: &mut [Vector], ctx: &mut Context<'_>) -> Result<()> {
        let order: Vec<u32> = (0..section.count as u32).collect();
        let bounds = frame::Bounds::new(&self.window, ctx)?;
        let ends = section.partitions.iter().skip(1).copied().chain([section.count]);
        let mut group = 0;
        for (&from, to) in section.partitions.iter().zip(ends) {
            let (mut group_of, mut groups) = (Vec::with_capacity(to - from), Vec::new());
            while let Some(&start) = section.groups.get(group).filter(|g| **g < to) {
                group += 1;
                let end = section.groups.get(group).map_or(to, |g| to.min(*g));
                group_of.resize(end - from, groups.len() as u32);
                groups.push(start - from);
            }
            groups.push(to - from);
            let partition = Partition { rows: &order[from..to], group_of, groups };
            let frames = match self.calls.iter().any(function::reads_frame) {
                true => frame::frames(&self.window, &bounds, &partition, section.values.as_ref(), ctx)?,
                false => Vec::new(),
            };
            for (i, call) in self.calls.iter().enumerate() {
                let inputs = function::Inputs {
                    partition: &partition,
                    frames: &frames,
                    exclusion: self.window.frame.exclusion,
                    args: &section.args[i],
                    counts: section.counts[i].as_deref(),
                };
                function::compute(call, &inputs, &mut results[i], ctx)?;
            }
        }
        Ok(())
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
        let keys = self.window.partition.iter_mut().chain(self.window.order.iter_mut().map(|k| &mut k.expr));
        let exprs = keys.chain(self.calls.iter_mut().flat_map(|c| c.args.iter_mut().chain(&mut c.filter)));
        native::ready(&mut self.is_ready, exprs, ctx);
        out.reset(&self.forms);
        loop {
            let Some(ready) = &mut self.ready else {
                self.ready = self.run(ctx)?;
                if self.ready.is_none() {
                    return Ok(false);
                }
                continue;
            };
            let width = self.input_forms.len();
            let rows = match (ready.blocks.next(), &ready.spill) {
                (Some(block), Some(spill)) => {
                    let read = spill.read(block)?.rows;
                    let rows = read.rows;
                    out.columns[..width].iter_mut().zip(read.columns).for_each(|(to, from)| *to = from);
                    rows
                }
                _ => {
                    let from = ready.next.1;
                    let end = ready.rows.rows.min(from + CHUNK_ROWS);
                    for (to, column) in out.columns[..width].iter_mut().zip(&ready.rows.columns) {
                        to.extend_selected(column, from..end);
                    }
                    ready.next.1 = end;
                    end - from
                }
            };
            if rows == 0 {
                ctx.account.release(ready.charged);
                self.ready = None;
                continue;
            }
            let from = ready.next.0;
            for (column, results) in out.columns[width..].iter_mut().zip(&ready.results) {
                column.extend_selected(results, from..from + rows);
            }
            out.rows = rows;
            ready.next.0 += rows;
            return Ok(true);
        }
    }

    fn reset(&mut self) {
        (self.ready, self.running, self.last, self.ended) = (None, None, None, false);
        self.rest.rows = 0;
        self.input.reset();
    }
}
