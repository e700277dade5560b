//! Joins: the right input is kept, hashed by the equalities if there are any; the left one streams past it.
//!
//! When the right input does not fit into twice `work_mem`, both are dealt out to lists in files by the hashes of their keys, and list
//! after list is joined.

use std::sync::Arc;

use env::sync::Mutex;
use plan::{Expr, ExprKind, JoinKind};
use types::{Oid, Physical, Result};
use vector::{CHUNK_ROWS, Chunk, Vector};

use crate::built::{Built, NO_KEY, empty_like};
use crate::eval::eval;
use crate::gather::Made;
use crate::key_table::{KeyTable, Keys};
use crate::narrow::{Offer, is_narrowing};
use crate::pairs::{Pairs, Test};
use crate::sort::hash_bytes;
use crate::spill::Parts;
use crate::{BoxOperator, Context, Operator, native};

/// Joins two inputs.
pub struct Join {
    kind: JoinKind,
    left: BoxOperator,
    right: BoxOperator,
    left_forms: Vec<Physical>,
    right_forms: Vec<Physical>,
    equal: Vec<(Expr, Expr, Oid)>,
    condition: Option<Expr>,
    is_ready: bool,
    built: Option<Arc<Built>>,
    /// Rows of the right that have had a match, where that is asked.
    matched: Vec<bool>,
    /// Where `built` is for all joins of a fragment.
    hub: Option<Hub>,
    finished: bool,
    chunk: Chunk,
    /// Keys of `chunk`.
    keys: Keys,
    /// Row of `chunk` to go on with, and how many of its candidates are done.
    at: (usize, usize),
    more: bool,
    /// Whether the row at hand has had a match.
    has_match: bool,
    /// Next row of the right to pad, at the end.
    pad: usize,
    /// What was charged for what is built.
    charged: usize,
    dealt: Option<Dealt>,
}

/// Both inputs, dealt out.
struct Dealt {
    left: Parts,
    right: Parts,
    /// The list that is joined, and the next chunk of its left.
    part: usize,
    next: usize,
}

/// Lists of a join that does not fit into memory.
const PARTS: usize = 32;
/// So many rows of the right are hashed by several threads, if those have made them.
const SPREAD_ROWS_MIN: usize = 1 << 14;

/// What the joins of a fragment share.
pub type Hub = Arc<Mutex<Meeting>>;

/// What one of them has built for all, and which of its rows they have found.
#[derive(Default)]
pub struct Meeting {
    built: Option<Arc<Built>>,
    /// By those that are done with their left.
    matched: Vec<bool>,
    /// How many are not.
    busy: usize,
    /// Whether one of them has what none has found. Who comes later finds nothing on the left: all there was there had been taken by those who were busy.
    is_padded: bool,
}

impl Join {
    pub fn new(
        kind: JoinKind,
        left: BoxOperator,
        right: BoxOperator,
        forms: (Vec<Physical>, Vec<Physical>),
        equal: Vec<(Expr, Expr, Oid)>,
        condition: Option<Expr>,
    ) -> Join {
        let (left_forms, right_forms) = forms;
        Join {
            kind,
            left,
            right,
            left_forms,
            right_forms,
            equal,
            condition,
            is_ready: false,
            built: None,
            matched: Vec::new(),
            hub: None,
            finished: false,
            chunk: Chunk::default(),
            keys: Keys::default(),
            at: (0, 0),
            more: false,
            has_match: false,
            pad: 0,
            charged: 0,
            dealt: None,
        }
    }

    /// It reads of its right what the join that [is prepared](Operator::prepare) puts into `hub`.
    pub fn sharing(self, hub: Hub) -> Join {
        Join { hub: Some(hub), ..self }
    }

    /// The next chunk of the right: of the input, or of the list at hand.
    fn next_right(&mut self, n: usize, chunk: &mut Chunk, ctx: &mut Context<'_>) -> Result<bool> {
        let Some(dealt) = &self.dealt else { return self.right.next(ctx, chunk) };
        match dealt.right.chunk(dealt.part, n)? {
            Some(read) => *chunk = read,
            None => return Ok(false),
        }
        Ok(true)
    }

    /// The same for the left.
    fn next_left(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        let Some(dealt) = &mut self.dealt else { return self.left.next(ctx, &mut self.chunk) };
        match dealt.left.chunk(dealt.part, dealt.next)? {
            Some(read) => self.chunk = read,
            None => return Ok(false),
        }
        dealt.next += 1;
        Ok(true)
    }

    /// Deals out a chunk of one side.
    fn deal(
        &self,
        table: &KeyTable,
        parts: &mut Parts,
        chunk: &Chunk,
        right: bool,
        ctx: &mut Context<'_>,
    ) -> Result<()> {
        let side = |e: &'_ (Expr, Expr, Oid)| if right { e.1.clone() } else { e.0.clone() };
        let exprs: Vec<Expr> = self.equal.iter().map(side).collect();
        let types: Vec<Oid> = exprs.iter().map(|e| e.ty).collect();
        let values = exprs.iter().map(|e| eval(e, chunk, ctx)).collect::<Result<Vec<_>>>()?;
        let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
        let mut keys = Keys::default();
        table.keys(&values, &types, chunk.rows, ctx, &mut keys)?;
        let count = parts.len();
        parts.add(chunk, (0..chunk.rows).map(|i| (i, keys.part(i, count, 0))))
    }

    /// Deals out the rows of the right that were read, and all that is to come of both sides.
    fn deal_all(&mut self, read: Chunk, table: KeyTable, ctx: &mut Context<'_>) -> Result<()> {
        let (mut left, mut right) = (Parts::new(PARTS, ctx)?, Parts::new(PARTS, ctx)?);
        let rows: Vec<u32> = (0..read.rows as u32).collect();
        for part in rows.chunks(CHUNK_ROWS) {
            self.deal(&table, &mut right, &read.select(part), true, ctx)?;
        }
        drop(read);
        ctx.account.release(std::mem::take(&mut self.charged));
        let mut chunk = Chunk::default();
        while self.right.next(ctx, &mut chunk)? {
            self.deal(&table, &mut right, &chunk, true, ctx)?;
        }
        while self.left.next(ctx, &mut chunk)? {
            self.deal(&table, &mut left, &chunk, false, ctx)?;
        }
        left.finish()?;
        right.finish()?;
        self.dealt = Some(Dealt { left, right, part: 0, next: 0 });
        Ok(())
    }

    /// Keeps the right where threads have made it and may hash it; `None` where it is to be read, now or at all.
    fn build_made(&mut self, ctx: &mut Context<'_>) -> Result<Option<Built>> {
        let column = |e: &(Expr, Expr, Oid)| match e.1.kind {
            ExprKind::Column(i) => Some(i),
            _ => None,
        };
        let columns: Option<Vec<usize>> = self.equal.iter().map(column).collect();
        let (Some(columns), None) = (columns.filter(|c| !c.is_empty()), &self.dealt) else { return Ok(None) };
        // They are there twice for a while.
        let room = hash_bytes(ctx) / 2;
        let are_many = |rows: usize, bytes: usize| rows >= SPREAD_ROWS_MIN && bytes + 32 * rows <= room;
        let Some(Made { chunks, bytes, threads }) = self.right.take_made(ctx, &are_many)? else { return Ok(None) };
        let types: Vec<Oid> = self.equal.iter().map(|e| e.1.ty).collect();
        let (built, held) = Built::of_chunks(&chunks, (&columns, &types), threads, ctx)?;
        ctx.account.charge(held)?;
        self.charged += bytes + held;
        Ok(Some(built))
    }

    /// Reads the right. `None` when it is more than fits and others share it, so that it cannot be dealt out.
    fn build(&mut self, ctx: &mut Context<'_>) -> Result<Option<Built>> {
        let built = match self.build_made(ctx)? {
            Some(built) => Some(built),
            None => self.build_read(ctx)?,
        };
        if let Some(built) = built.as_ref().filter(|_| self.kind.keeps_right()) {
            self.matched = vec![false; built.rows.rows];
        }
        Ok(built)
    }

    fn build_read(&mut self, ctx: &mut Context<'_>) -> Result<Option<Built>> {
        let types: Vec<Oid> = self.equal.iter().map(|e| e.1.ty).collect();
        let (mut rows, mut table) = (Chunk::default(), KeyTable::new(&types, true));
        let room = hash_bytes(ctx);
        let (mut key_of, mut keys): (Vec<u32>, Keys) = (Vec::new(), Keys::default());
        let mut charged = 0;
        let mut chunk = Chunk::default();
        let mut first = true;
        let mut n = 0;
        while self.next_right(n, &mut chunk, ctx)? {
            n += 1;
            if first {
                // Absent columns stay absent.
                rows = Chunk { columns: chunk.columns.iter().map(empty_like).collect(), rows: 0 };
                first = false;
            }
            let values = self.equal.iter().map(|e| eval(&e.1, &chunk, ctx)).collect::<Result<Vec<_>>>()?;
            let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
            ctx.account.charge(chunk.bytes() + chunk.rows)?;
            self.charged += chunk.bytes() + chunk.rows;
            if !self.equal.is_empty() {
                table.keys(&values, &types, chunk.rows, ctx, &mut keys)?;
                for i in 0..chunk.rows {
                    key_of.push(if keys.is_void(i) { NO_KEY } else { table.number(&keys, i).0 });
                }
                let held = table.held_bytes() + 12 * key_of.len();
                ctx.account.charge(held.saturating_sub(charged))?;
                self.charged += held.saturating_sub(charged);
                charged = charged.max(held);
            }
            rows.extend_selected(&chunk, 0..chunk.rows);
            if self.charged > room && self.dealt.is_none() && !self.equal.is_empty() {
                if self.hub.is_some() {
                    return Ok(None);
                }
                let full = std::mem::replace(&mut table, KeyTable::new(&types, true));
                self.deal_all(std::mem::take(&mut rows), full, ctx)?;
                key_of.clear();
                (charged, first, n) = (0, true, 0);
            }
        }
        if first {
            rows.reset(&self.right_forms);
        }
        Ok(Some(match self.equal.is_empty() {
            true => Built::without_keys(rows, table),
            false => Built::of(rows, table, &key_of),
        }))
    }

    /// Tells the left which of its rows find nothing here (N1).
    fn narrow_left(&mut self) {
        let Some(built) = &self.built else { return };
        // What was dealt out has read all of the left.
        if self.dealt.is_some() || !matches!(self.kind, JoinKind::Inner | JoinKind::Right | JoinKind::Semi) {
            return;
        }
        for (i, (left, right, _)) in self.equal.iter().enumerate() {
            if let (ExprKind::Column(column), ExprKind::Column(key)) = (&left.kind, &right.kind)
                && left.ty == right.ty
                && is_narrowing(left.ty)
            {
                self.left.narrow(*column, &|| built.filter(i, *key));
            }
        }
    }

    /// The keys of the left chunk.
    fn find_keys(&mut self, ctx: &mut Context<'_>) -> Result<()> {
        let Some(built) = &self.built else { return Ok(()) };
        if self.equal.is_empty() {
            return Ok(());
        }
        let types: Vec<Oid> = self.equal.iter().map(|e| e.0.ty).collect();
        let values = self.equal.iter().map(|e| eval(&e.0, &self.chunk, ctx)).collect::<Result<Vec<_>>>()?;
        let values: Vec<&Vector> = values.iter().map(|v| &**v).collect();
        built.table().keys(&values, &types, self.chunk.rows, ctx, &mut self.keys)
    }

    /// Joins rows of the left chunk until `out` is full or the chunk is done.
    fn probe(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<()> {
        let Some(built) = &self.built else { return Ok(()) };
        // Without a condition, one match is as good as all.
        let any_match = matches!(self.kind, JoinKind::Semi | JoinKind::Anti) && self.condition.is_none();
        // Candidate pairs are gathered for many left rows, then tested at once.
        let mut pairs = Pairs::default();
        while self.at.0 < self.chunk.rows && !pairs.is_full() {
            let row = self.at.0;
            let candidates = if self.equal.is_empty() { built.all() } else { built.rows_of(&self.keys, row) };
            let candidates = if any_match { &candidates[..candidates.len().min(1)] } else { candidates };
            let rest = &candidates[self.at.1..];
            let taken = pairs.add(row, rest.iter().copied());
            if taken < rest.len() {
                self.at.1 += taken;
                break;
            }
            pairs.end(row);
            self.at = (row + 1, 0);
        }
        let test = Test { kind: self.kind, condition: self.condition.as_ref(), split: self.left_forms.len() };
        let notes = (&mut self.matched[..], &mut self.has_match);
        pairs.put(&test, (&self.chunk, &built.rows), notes, out, ctx)
    }

    /// The left has no more rows. Of the joins of a fragment the last to say so knows what none has found; others have nothing to pad.
    fn finish(&mut self) {
        self.finished = true;
        let Some(hub) = self.hub.as_ref().filter(|_| self.kind.keeps_right()) else { return };
        let mut met = hub.lock();
        met.busy -= 1;
        if met.matched.is_empty() {
            met.matched = std::mem::take(&mut self.matched);
        } else {
            met.matched.iter_mut().zip(&self.matched).for_each(|(all, own)| *all |= own);
            self.matched.clear();
        }
        if met.busy == 0 && !std::mem::replace(&mut met.is_padded, true) {
            self.matched = std::mem::take(&mut met.matched);
        }
    }

    /// Takes what is built for all joins of a fragment.
    fn meet(&mut self, hub: &Hub) -> Option<Arc<Built>> {
        let mut met = hub.lock();
        met.busy += 1;
        if let Some(built) = met.built.as_ref().filter(|_| self.kind.keeps_right()) {
            self.matched = vec![false; built.rows.rows];
        }
        met.built.clone()
    }

    /// Rows of the right that matched nothing.
    fn pad(&mut self, out: &mut Chunk) -> bool {
        let Some(built) = &self.built else { return false };
        let split = self.left_forms.len();
        while self.pad < self.matched.len() && out.rows < CHUNK_ROWS {
            if !self.matched[self.pad] {
                out.columns[..split].iter_mut().for_each(Vector::push_null);
                for (column, right) in out.columns[split..].iter_mut().zip(&built.rows.columns) {
                    column.push_from(right, self.pad);
                }
                out.rows += 1;
            }
            self.pad += 1;
        }
        out.rows > 0
    }

    fn reset_out(&self, out: &mut Chunk) {
        if matches!(self.kind, JoinKind::Semi | JoinKind::Anti) {
            out.reset(&self.left_forms);
        } else {
            let forms: Vec<Physical> = self.left_forms.iter().chain(&self.right_forms).copied().collect();
            out.reset(&forms);
        }
    }
}

impl Operator for Join {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        let sides = self.equal.iter_mut().flat_map(|e| [&mut e.0, &mut e.1]);
        native::ready(&mut self.is_ready, self.condition.iter_mut().chain(sides), ctx);
        loop {
            if self.built.is_none() {
                self.built = match self.hub.clone() {
                    Some(hub) => self.meet(&hub),
                    None => self.build(ctx)?.map(Arc::new),
                };
                self.narrow_left();
            }
            self.reset_out(out);
            if !self.finished {
                ctx.check_interrupts()?;
                if !self.more {
                    self.more = self.next_left(ctx)?;
                    self.at = (0, 0);
                    self.has_match = false;
                    if self.more {
                        self.find_keys(ctx)?;
                    }
                }
                if self.more {
                    self.probe(ctx, out)?;
                    self.more = self.at.0 < self.chunk.rows;
                    return Ok(true);
                }
                self.finish();
            }
            if self.kind.keeps_right() && self.pad(out) {
                return Ok(true);
            }
            // The next list.
            let Some(dealt) = &mut self.dealt else { return Ok(false) };
            if dealt.part + 1 >= dealt.right.len() {
                return Ok(false);
            }
            (dealt.part, dealt.next) = (dealt.part + 1, 0);
            (self.built, self.finished, self.more, self.pad) = (None, false, false, 0);
            ctx.account.release(std::mem::take(&mut self.charged));
        }
    }

    fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        // Without a row of the left its pairs are not there, and nothing takes their place.
        if self.kind.keeps_right() {
            return false;
        }
        match column.checked_sub(self.left_forms.len()) {
            None => self.left.narrow(column, filter),
            Some(column) => self.kind == JoinKind::Inner && self.built.is_none() && self.right.narrow(column, filter),
        }
    }

    fn prepare(&mut self, ctx: &mut Context<'_>) -> Result<bool> {
        let Some(built) = self.build(ctx)? else { return Ok(false) };
        if let Some(hub) = &self.hub {
            *hub.lock() = Meeting { built: Some(Arc::new(built)), ..Meeting::default() };
        }
        self.left.prepare(ctx)
    }

    fn reset(&mut self) {
        (self.built, self.finished, self.more, self.pad) = (None, false, false, 0);
        (self.dealt, self.charged) = (None, 0);
        if let Some(hub) = &self.hub {
            *hub.lock() = Meeting::default();
        }
        self.left.reset();
        self.right.reset();
    }
}
