//! Sort: all rows of the input, in order. Stable.
//!
//! Up to `work_mem` rows stay in memory. Beyond it, what there is is sorted and written out as a *run*, and at the end the runs are
//! merged. With a limit, rows that cannot be among the first any more are dropped on the way. Where several threads run the input, each sorts what it has
//! read, and what they have is merged in memory.

mod held;
mod run;

use plan::{Expr, SortKey};
use types::{Datum, Physical, Result};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::constant;
use crate::native;
use crate::parallel::Fragment;
use crate::spill::{Block, Spill};
use crate::{BoxOperator, Context, Operator};
use held::{Held, Sorted};
use run::{Run, Tournament};

/// Memory of a sort where `work_mem` says nothing.
const WORK_BYTES: usize = 4 << 20;

/// Sorts its input.
pub struct Sort {
    input: BoxOperator,
    keys: Vec<SortKey>,
    is_ready: bool,
    forms: Vec<Physical>,
    /// COUNT and OFFSET of a limit right above: no more rows are asked for.
    limit: Option<(Expr, Option<Expr>)>,
    fragment: Option<Fragment>,
    held: Held,
    runs: Vec<Run>,
    spill: Option<Spill>,
    output: Output,
}

enum Output {
    /// The input was not read yet.
    None,
    /// Row numbers in order, and the next.
    Memory(Vec<u32>, usize),
    /// Which run has the next row.
    Merge(Tournament),
}

impl Sort {
    pub fn new(
        input: BoxOperator,
        keys: Vec<SortKey>,
        forms: Vec<Physical>,
        limit: Option<(Expr, Option<Expr>)>,
    ) -> Sort {
        let (held, runs) = (Held::default(), Vec::new());
        Sort {
            input,
            keys,
            is_ready: false,
            forms,
            limit,
            fragment: None,
            held,
            runs,
            spill: None,
            output: Output::None,
        }
    }

    /// It sorts on several threads, if it can.
    pub fn in_parallel(self, fragment: Option<Fragment>) -> Sort {
        Sort { fragment, ..self }
    }

    /// Makes it ready to sort what its input yields next.
    pub fn restart(&mut self, ctx: &mut Context<'_>) {
        ctx.account.release(self.held.charged);
        self.forget();
    }

    fn forget(&mut self) {
        self.output = Output::None;
        self.held.clear();
        self.held.charged = 0;
        self.runs.clear();
        self.spill = None;
    }

    /// How many rows are asked for, if that is known to be few.
    fn wanted(&self, ctx: &mut Context<'_>) -> Result<Option<usize>> {
        let Some((count, offset)) = &self.limit else { return Ok(None) };
        let number = |d: Datum| match d {
            Datum::I64(n) => usize::try_from(n).ok(),
            _ => None,
        };
        let Some(count) = number(constant(count, ctx)?) else { return Ok(None) };
        let offset = match offset {
            Some(offset) => match constant(offset, ctx)? {
                Datum::Null => 0,
                other => number(other).unwrap_or(0),
            },
            None => 0,
        };
        Ok(count.checked_add(offset))
    }

    /// Reads and sorts on several threads, where there is a fragment for that and its rows fit into memory.
    fn read_parallel(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        let (wanted, room) = (self.wanted(ctx)?, work_bytes(ctx));
        let Sort { fragment: Some(fragment), keys, .. } = self else { return Ok(false) };
        let parts = fragment.run(ctx, |input, ctx| {
            let mut held = Held::default();
            let mut chunk = Chunk::default();
            while input.next(ctx, &mut chunk)? {
                held.take(keys, &chunk, wanted, ctx)?;
                if held.charged > room {
                    return Ok(None);
                }
            }
            Ok(Some(Sorted::of(held)))
        })?;
        let Some(parts) = parts else { return Ok(false) };
        // What they charged was given back with their shares.
        let charged = parts.iter().map(Sorted::charged).sum();
        ctx.account.charge(charged)?;
        let (held, order) = Sorted::merged(parts, &self.forms);
        self.held = held;
        self.output = Output::Memory(order, 0);
        Ok(true)
    }

    fn read(&mut self, ctx: &mut Context<'_>) -> Result<()> {
        native::ready(&mut self.is_ready, self.keys.iter_mut().map(|k| &mut k.expr), ctx);
        if self.read_parallel(ctx)? {
            return Ok(());
        }
        let mut chunk = Chunk::default();
        let wanted = self.wanted(ctx)?;
        let work_bytes = work_bytes(ctx);
        self.held.restart();
        while self.input.next(ctx, &mut chunk)? {
            self.held.take(&self.keys, &chunk, wanted, ctx)?;
            if self.held.charged > work_bytes {
                self.write_run(ctx)?;
            }
        }
        if self.held.is_new() {
            self.held.rows.reset(&self.forms);
        }
        if self.runs.is_empty() {
            self.output = Output::Memory(self.held.order(), 0);
            return Ok(());
        }
        if self.held.rows.rows > 0 {
            self.write_run(ctx)?;
        }
        if let Some(spill) = &self.spill {
            self.runs.iter_mut().try_for_each(|run| run.refill(spill))?;
        }
        self.output = Output::Merge(Tournament::new(&self.runs));
        Ok(())
    }

    /// Writes what is in memory as a run.
    fn write_run(&mut self, ctx: &mut Context<'_>) -> Result<()> {
        ctx.check_interrupts()?;
        let spill = match &mut self.spill {
            Some(spill) => spill,
            None => self.spill.insert(Spill::new(ctx)?),
        };
        let held = &self.held;
        let order = held.order();
        let blocks = order.chunks(CHUNK_ROWS).map(|part| spill.write(&held.rows, part, |i| held.key(i)));
        let blocks = blocks.collect::<Result<Vec<_>>>()?;
        self.runs.push(Run { blocks: blocks.into_iter(), block: Block::default(), next: 0, prefix: None });
        ctx.account.release(self.held.charged);
        self.held.charged = 0;
        self.held.clear();
        Ok(())
    }

    fn merge(&mut self, out: &mut Chunk) -> Result<bool> {
        let (Output::Merge(tournament), Some(spill)) = (&mut self.output, &self.spill) else { return Ok(false) };
        let form = self.runs.iter().find(|r| !r.block.rows.columns.is_empty());
        if let Some(run) = form {
            *out = Chunk { columns: run.block.rows.columns.iter().map(crate::built::empty_like).collect(), rows: 0 };
        }
        while out.rows < CHUNK_ROWS {
            let at = &mut self.runs[tournament.winner];
            if at.prefix.is_none() {
                break;
            }
            for (column, from) in out.columns.iter_mut().zip(&at.block.rows.columns) {
                column.push_from(from, at.next);
            }
            out.rows += 1;
            at.next += 1;
            at.refill(spill)?;
            tournament.replay(&self.runs);
        }
        Ok(out.rows > 0)
    }
}

/// `work_mem`, in bytes.
pub fn work_bytes(ctx: &Context<'_>) -> usize {
    within_budget(ctx.host.setting("work_mem").map_or(WORK_BYTES, |text| size_bytes(&text)), ctx)
}

/// Memory that something hashed may take: `work_mem` times `hash_mem_multiplier`.
pub fn hash_bytes(ctx: &Context<'_>) -> usize {
    let times: f64 = ctx.host.setting("hash_mem_multiplier").and_then(|text| text.parse().ok()).unwrap_or(2.0);
    within_budget((work_bytes(ctx) as f64 * times) as usize, ctx)
}

/// `bytes`, but no more than leaves room for others of the same statement: to spill is better than to fail.
fn within_budget(bytes: usize, ctx: &Context<'_>) -> usize {
    bytes.min(ctx.account.budget_bytes() / 4)
}

/// A setting like `4MB`, in bytes.
pub fn size_bytes(text: &str) -> usize {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "MB" => 1 << 20,
        "GB" => 1 << 30,
        "TB" => 1 << 40,
        "B" => 1,
        _ => 1 << 10,
    };
    digits.parse::<usize>().map_or(WORK_BYTES, |n| n.saturating_mul(unit))
}

impl Operator for Sort {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if matches!(self.output, Output::None) {
            self.read(ctx)?;
        }
        out.reset(&self.forms);
        let (order, next) = match &mut self.output {
            Output::Memory(order, next) => (order, next),
            _ => return self.merge(out),
        };
        let end = order.len().min(*next + CHUNK_ROWS);
        if *next >= end {
            return Ok(false);
        }
        out.extend_selected(&self.held.rows, order[*next..end].iter().map(|&i| i as usize));
        *next = end;
        Ok(true)
    }

    fn reset(&mut self) {
        self.forget();
        self.input.reset();
        self.fragment.iter_mut().for_each(Fragment::reset);
    }
}
