//! WITH: each common table expression runs once, as far as it is read; recursive ones step until they yield nothing new.
//!
//! What one yields beyond twice `work_mem` goes to a file, and is read from there by whoever comes to it.

use std::collections::HashSet;
use std::sync::Arc;

use types::{Oid, Result, SqlError};
use vector::Chunk;

use crate::sort::hash_bytes;
use crate::spill::{BlockRef, Spill};
use crate::{BoxOperator, Context, Operator, keys};

/// What a common table expression yields.
pub struct Table {
    /// Its operator, while it may have more; taken out while it runs.
    source: Option<BoxOperator>,
    /// What it yielded so far, which every reader reads from the beginning.
    rows: Vec<Kept>,
    /// Where what does not fit into memory is, and the bytes that are there.
    spill: Option<Spill>,
    held_bytes: usize,
    /// Whether it runs to its end when it is first read.
    whole: bool,
    /// While it runs and is recursive: the rows that its step reads under its name.
    working: Option<Arc<Vec<Arc<Chunk>>>>,
}

/// Rows that were yielded.
enum Kept {
    Here(Arc<Chunk>),
    InFile(BlockRef),
}

/// Sets up common table expressions for its body.
pub struct With {
    pub ctes: Vec<(usize, plan::Node)>,
    pub body: BoxOperator,
    pub open: bool,
}

impl Operator for With {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        if !self.open {
            for (id, node) in &self.ctes {
                let source = Some(crate::build(node));
                let table =
                    Table { source, rows: Vec::new(), spill: None, held_bytes: 0, whole: node.writes(), working: None };
                ctx.state.ctes.insert(*id, table);
            }
            self.open = true;
        }
        if self.body.next(ctx, out)? {
            return Ok(true);
        }
        // Those that change rows run to their end, whether they are read or not.
        for (id, node) in &self.ctes {
            if node.writes() {
                chunk(*id, usize::MAX, ctx)?;
            }
        }
        Ok(false)
    }

    fn reset(&mut self) {
        self.open = false;
        self.body.reset();
    }
}

/// Chunk `number` of common table expression `id`, which runs until it has yielded that many.
fn chunk(id: usize, number: usize, ctx: &mut Context<'_>) -> Result<Option<Arc<Chunk>>> {
    loop {
        let Some(table) = ctx.state.ctes.get_mut(&id) else { return Ok(None) };
        if !(table.whole && table.source.is_some())
            && let Some(kept) = table.rows.get(number)
        {
            return Ok(Some(match (kept, &table.spill) {
                (Kept::Here(chunk), _) => chunk.clone(),
                (Kept::InFile(block), Some(spill)) => Arc::new(spill.read(*block)?.rows),
                (Kept::InFile(_), None) => return Err(SqlError::internal("rows are in a file")),
            }));
        }
        let Some(mut source) = table.source.take() else { return Ok(None) };
        let mut fresh = Chunk::default();
        // What it changes is not what the statement reports.
        let affected = ctx.state.affected;
        let more = source.next(ctx, &mut fresh)?;
        ctx.state.affected = affected;
        let room = hash_bytes(ctx);
        let held = ctx.state.ctes.get(&id).map_or(0, |t| t.held_bytes);
        let kept = match more && fresh.rows > 0 {
            false => None,
            true if held + fresh.bytes() <= room => {
                ctx.account.charge(fresh.bytes())?;
                Some((fresh.bytes(), Kept::Here(Arc::new(fresh))))
            }
            true => Some((0, Kept::InFile(write(id, &fresh, ctx)?))),
        };
        let Some(table) = ctx.state.ctes.get_mut(&id) else { return Ok(None) };
        if more {
            table.source = Some(source);
        }
        if let Some((bytes, kept)) = kept {
            table.held_bytes += bytes;
            table.rows.push(kept);
        }
    }
}

/// Puts rows of common table expression `id` into its file.
fn write(id: usize, rows: &Chunk, ctx: &mut Context<'_>) -> Result<BlockRef> {
    let spill = ctx.state.ctes.get_mut(&id).and_then(|t| t.spill.take());
    let mut spill = match spill {
        Some(spill) => spill,
        None => Spill::new(ctx)?,
    };
    let all: Vec<u32> = (0..rows.rows as u32).collect();
    let block = spill.write(rows, &all, |_| &[]);
    if let Some(table) = ctx.state.ctes.get_mut(&id) {
        table.spill = Some(spill);
    }
    block
}

/// Reads a common table expression.
pub struct CteScan {
    pub id: usize,
    /// The rows of the step before, when it stands in a recursive one's step.
    pub working: Option<Arc<Vec<Arc<Chunk>>>>,
    pub next: usize,
}

impl Operator for CteScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.next == 0 {
            // While it runs, whoever reads it is its own step.
            let table = ctx.state.ctes.get(&self.id);
            self.working = table.filter(|table| table.source.is_none()).and_then(|table| table.working.clone());
        }
        let found = match &self.working {
            Some(rows) => rows.get(self.next).cloned(),
            None => chunk(self.id, self.next, ctx)?,
        };
        match found {
            Some(chunk) => {
                out.clone_from(&chunk);
                self.next += 1;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn reset(&mut self) {
        (self.working, self.next) = (None, 0);
    }
}

/// The rows of `base`, then of `step` run over and over on the rows before.
pub struct Recursive {
    pub id: usize,
    pub base: BoxOperator,
    pub step: BoxOperator,
    pub distinct: bool,
    pub types: Vec<Oid>,
    pub seen: HashSet<Vec<u8>>,
    /// Rows of the step at hand, for the next.
    pub fresh: Vec<Arc<Chunk>>,
    pub in_step: bool,
}

impl Recursive {
    /// Leaves rows that were seen before out of `chunk`.
    fn only_new(&mut self, chunk: &mut Chunk, ctx: &mut Context<'_>) -> Result<()> {
        if !self.distinct {
            return Ok(());
        }
        let mut kept = Vec::new();
        for i in 0..chunk.rows {
            let mut key = Vec::new();
            let values: Vec<&vector::Vector> = chunk.columns.iter().collect();
            keys::encode_row(&mut key, &self.types, &values, i, ctx)?;
            let bytes = key.len() + 32;
            if self.seen.insert(key) {
                ctx.account.charge(bytes)?;
                kept.push(i as u32);
            }
        }
        chunk.compact(&kept);
        Ok(())
    }
}

impl Operator for Recursive {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        loop {
            ctx.check_interrupts()?;
            let more = if self.in_step { self.step.next(ctx, out)? } else { self.base.next(ctx, out)? };
            if more {
                self.only_new(out, ctx)?;
                if out.rows > 0 {
                    ctx.account.charge(out.bytes())?;
                    self.fresh.push(Arc::new(out.clone()));
                }
                return Ok(true);
            }
            let rows = std::mem::take(&mut self.fresh);
            let working = (!rows.is_empty()).then(|| Arc::new(rows));
            let ended = working.is_none();
            if let Some(table) = ctx.state.ctes.get_mut(&self.id) {
                table.working = working;
            }
            if ended {
                return Ok(false);
            }
            self.in_step = true;
            self.step.reset();
        }
    }

    fn reset(&mut self) {
        self.seen.clear();
        self.fresh.clear();
        self.in_step = false;
        self.base.reset();
        self.step.reset();
    }
}
