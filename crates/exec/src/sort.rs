//! Sort: all rows of the input, in order. Stable.
//!
//! Up to `work_mem` rows stay in memory. Beyond it, what there is is sorted and written out as a *run*, and at the end the runs are
//! merged. With a limit, rows that cannot be among the first any more are dropped on the way.

use plan::{Expr, SortKey};
use types::sortkey::prefix;
use types::{Datum, Physical, Result};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::{constant, eval};
use crate::native;
use crate::spill::{Block, BlockRef, Spill};
use crate::{BoxOperator, Context, Operator, keys};

/// Memory of a sort where `work_mem` says nothing.
const WORK_BYTES: usize = 4 << 20;
/// With a limit, rows are dropped when there are this many more.
const SLACK_ROWS: usize = 4 * CHUNK_ROWS;

/// Sorts its input.
pub struct Sort {
    input: BoxOperator,
    keys: Vec<SortKey>,
    is_ready: bool,
    forms: Vec<Physical>,
    /// COUNT and OFFSET of a limit right above: no more rows are asked for.
    limit: Option<(Expr, Option<Expr>)>,
    held: Held,
    runs: Vec<Run>,
    spill: Option<Spill>,
    output: Output,
}

/// Rows in memory.
#[derive(Default)]
struct Held {
    rows: Chunk,
    /// Keys end to end, and where each starts; the end at the end.
    bytes: Vec<u8>,
    starts: Vec<usize>,
    charged: usize,
}

impl Held {
    fn key(&self, i: u32) -> &[u8] {
        &self.bytes[self.starts[i as usize]..self.starts[i as usize + 1]]
    }

    fn order(&self) -> Vec<u32> {
        let mut order: Vec<(u64, u32)> = (0..self.rows.rows as u32).map(|i| (prefix(self.key(i)), i)).collect();
        // Rows with the same key in the order they came in.
        order.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.key(a.1).cmp(self.key(b.1))).then_with(|| a.1.cmp(&b.1))
        });
        order.into_iter().map(|o| o.1).collect()
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.bytes.clear();
        self.starts.clear();
        self.starts.push(0);
    }

    /// Keeps the first `limit` rows, in their order.
    fn shorten(&mut self, limit: usize) {
        let mut order = self.order();
        order.truncate(limit);
        let (mut bytes, mut starts) = (Vec::new(), vec![0]);
        for &i in &order {
            bytes.extend_from_slice(self.key(i));
            starts.push(bytes.len());
        }
        self.rows = self.rows.select(&order);
        (self.bytes, self.starts) = (bytes, starts);
    }
}

/// Sorted rows in the file.
struct Run {
    blocks: std::vec::IntoIter<BlockRef>,
    block: Block,
    next: usize,
    /// That of the next row's key; none behind the last row.
    prefix: Option<u64>,
}

impl Run {
    /// Makes the next row be there, if there is one.
    fn refill(&mut self, spill: &Spill) -> Result<()> {
        if self.next >= self.block.rows.rows {
            match self.blocks.next() {
                Some(at) => (self.block, self.next) = (spill.read(at)?, 0),
                None => {
                    self.prefix = None;
                    return Ok(());
                }
            }
        }
        self.prefix = Some(prefix(self.block.key(self.next)));
        Ok(())
    }

    /// Whether its next row comes before that of `other`, a later run. One that has none comes last.
    fn comes_before(&self, other: &Run) -> bool {
        match (self.prefix, other.prefix) {
            (_, None) => true,
            (None, _) => false,
            (Some(a), Some(b)) if a != b => a < b,
            _ => self.block.key(self.next) <= other.block.key(other.next),
        }
    }
}

/// A tournament of runs: at its leaves the runs, in every node above the run that lost there, on top the winner (Knuth, volume 3, 5.4.1).
struct Tournament {
    losers: Vec<usize>,
    winner: usize,
}

impl Tournament {
    fn new(runs: &[Run]) -> Tournament {
        let n = runs.len();
        let mut winners = vec![0; 2 * n];
        let mut losers = vec![0; n];
        for node in (1..2 * n).rev() {
            if node >= n {
                winners[node] = node - n;
                continue;
            }
            let (a, b) = (winners[2 * node], winners[2 * node + 1]);
            (winners[node], losers[node]) = if first(runs, a, b) { (a, b) } else { (b, a) };
        }
        Tournament { losers, winner: winners[1] }
    }

    /// Finds the winner after the last one's run has moved on.
    fn replay(&mut self, runs: &[Run]) {
        let mut node = (self.winner + runs.len()) / 2;
        while node > 0 {
            if !first(runs, self.winner, self.losers[node]) {
                std::mem::swap(&mut self.winner, &mut self.losers[node]);
            }
            node /= 2;
        }
    }
}

/// Whether run `a`'s next row comes before run `b`'s; of equal ones that of the earlier run.
fn first(runs: &[Run], a: usize, b: usize) -> bool {
    if a < b { runs[a].comes_before(&runs[b]) } else { !runs[b].comes_before(&runs[a]) }
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
        Sort { input, keys, is_ready: false, forms, limit, held, runs, spill: None, output: Output::None }
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

    fn read(&mut self, ctx: &mut Context<'_>) -> Result<()> {
        native::ready(&mut self.is_ready, self.keys.iter_mut().map(|k| &mut k.expr), ctx);
        let mut chunk = Chunk::default();
        let wanted = self.wanted(ctx)?;
        let work_bytes = work_bytes(ctx);
        let mut first = true;
        self.held.clear();
        while self.input.next(ctx, &mut chunk)? {
            if chunk.rows == 0 {
                continue;
            }
            if first {
                // Absent columns stay absent.
                self.held.rows =
                    Chunk { columns: chunk.columns.iter().map(crate::join::empty_like).collect(), rows: 0 };
                first = false;
            }
            let values = self.keys.iter().map(|k| eval(&k.expr, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let before = self.held.bytes.len();
            for i in 0..chunk.rows {
                for (k, v) in self.keys.iter().zip(&values) {
                    keys::encode(&mut self.held.bytes, k.expr.ty, v, i, k.descending, k.nulls_first, ctx)?;
                }
                self.held.starts.push(self.held.bytes.len());
            }
            let more = chunk.bytes() + (self.held.bytes.len() - before) + 12 * chunk.rows;
            ctx.account.charge(more)?;
            self.held.charged += more;
            self.held.rows.extend_selected(&chunk, 0..chunk.rows);
            match wanted {
                Some(wanted) if self.held.rows.rows > wanted.saturating_mul(2).saturating_add(SLACK_ROWS) => {
                    self.held.shorten(wanted);
                    let left = self.held.rows.bytes() + self.held.bytes.len() + 12 * wanted;
                    ctx.account.release(self.held.charged.saturating_sub(left));
                    self.held.charged = self.held.charged.min(left);
                }
                _ => {}
            }
            if self.held.charged > work_bytes {
                self.write_run(ctx)?;
            }
        }
        if first {
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
            *out = Chunk { columns: run.block.rows.columns.iter().map(crate::join::empty_like).collect(), rows: 0 };
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
    }
}
