//! WITH: each common table expression runs once, when it is first read; recursive ones step until they yield nothing new.

use std::collections::HashSet;
use std::sync::Arc;

use types::{Oid, Result};
use vector::Chunk;

use crate::{BoxOperator, Context, Operator, keys};

/// What a common table expression yields.
pub struct Table {
    /// Its operator, until it ran.
    source: Option<BoxOperator>,
    rows: Arc<Vec<Chunk>>,
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
                let table = Table { source: Some(crate::build(node)), rows: Arc::default() };
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
                rows(*id, ctx)?;
            }
        }
        Ok(false)
    }

    fn reset(&mut self) {
        self.open = false;
        self.body.reset();
    }
}

/// The rows of common table expression `id`, run if it has not been.
fn rows(id: usize, ctx: &mut Context<'_>) -> Result<Arc<Vec<Chunk>>> {
    let Some(table) = ctx.state.ctes.get_mut(&id) else { return Ok(Arc::default()) };
    let Some(mut source) = table.source.take() else { return Ok(table.rows.clone()) };
    let mut list = Vec::new();
    let mut chunk = Chunk::default();
    let affected = ctx.state.affected;
    while source.next(ctx, &mut chunk)? {
        if chunk.rows > 0 {
            ctx.account.charge(chunk.bytes())?;
            list.push(std::mem::take(&mut chunk));
        }
    }
    ctx.state.affected = affected;
    let list = Arc::new(list);
    ctx.state.ctes.insert(id, Table { source: None, rows: list.clone() });
    Ok(list)
}

/// Reads a common table expression.
pub struct CteScan {
    pub id: usize,
    pub rows: Option<Arc<Vec<Chunk>>>,
    pub next: usize,
}

impl Operator for CteScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        let list = match &self.rows {
            Some(list) => list.clone(),
            None => {
                let list = rows(self.id, ctx)?;
                self.rows = Some(list.clone());
                list
            }
        };
        match list.get(self.next) {
            Some(chunk) => {
                out.clone_from(chunk);
                self.next += 1;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn reset(&mut self) {
        (self.rows, self.next) = (None, 0);
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
    pub fresh: Vec<Chunk>,
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
                    self.fresh.push(out.clone());
                }
                return Ok(true);
            }
            let rows = std::mem::take(&mut self.fresh);
            if rows.is_empty() {
                return Ok(false);
            }
            ctx.state.ctes.insert(self.id, Table { source: None, rows: Arc::new(rows) });
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
