//! Sequential scan.

use std::sync::Arc;

use plan::{Expr, ExprKind, Means, Needed, TableRef};
use storage::RowId;
use storage::table::{PageView, ScanScratch, Table};
use storage::txn::Snapshot;
use types::{Datum, Physical, Result};
use vector::{CHUNK_ROWS, Chunk, Data};

use crate::eval::retain;
use crate::folding::{Folding, ScanFold};
use crate::load::{Large, Slots, fetch_large, page_column, reset};
use crate::narrow::{Narrowing, Offer, narrow};
use crate::native::{self, Lazy, Native};
use crate::page_test::{self, PageTests};
use crate::parallel::Morsels;
use crate::{Context, Operator};

/// Forms of a table's columns and of the row id after them.
pub fn forms(table: &TableRef) -> Vec<Physical> {
    table.columns.iter().map(|c| Physical::of(c.ty)).chain([Physical::I64]).collect()
}

/// The values of row `id` as plans know them: what a dropped column still holds is of a form that nobody knows any more.
pub fn known_values(
    table: &TableRef,
    storage: &Table,
    id: RowId,
    snapshot: &Snapshot,
) -> storage::Result<Option<Vec<Datum>>> {
    let mut values = storage.read_datums(id, snapshot)?;
    for (value, _) in values.iter_mut().flatten().zip(&table.columns).filter(|(_, c)| c.dropped) {
        *value = Datum::Null;
    }
    Ok(values)
}

/// Whether a filter may run while a page is latched: nothing in it waits or looks elsewhere.
pub fn is_simple(e: &Expr) -> bool {
    let mut simple = true;
    e.visit(&mut |e| {
        simple &= match &e.kind {
            ExprKind::Call { function, .. } | ExprKind::AnyArray { function, .. } => {
                catalog::builtin::proc_by_oid(*function).is_some_and(|p| p.volatility == b'i')
            }
            ExprKind::Subquery(_)
            | ExprKind::CastByText { .. }
            | ExprKind::Routine { .. }
            | ExprKind::Checked { .. } => false,
            _ => true,
        };
    });
    simple
}

/// Those of `found` that a program keeps, run over the page itself; `None` where it is better asked of values that were copied.
fn kept_on_page(means: &Means, page: &PageView<'_>, found: &Slots<'_>, ctx: &Context<'_>) -> Result<Option<Vec<u32>>> {
    match *found {
        Slots::Run(from, n) => native::kept_on_page(means, page, from..from + n, ctx),
        Slots::List(list) => {
            let (Some(&first), Some(&last)) = (list.first(), list.last()) else { return Ok(None) };
            let span = first as usize..last as usize + 1;
            // To skip a slot costs more than a program of a few steps.
            if list.len() * 2 < span.len() {
                return Ok(None);
            }
            let kept = native::kept_on_page(means, page, span, ctx)?;
            Ok(kept.map(|mut kept| {
                let mut rest = list;
                kept.retain(|slot| {
                    while let [head, tail @ ..] = rest
                        && head < slot
                    {
                        rest = tail;
                    }
                    rest.first() == Some(slot)
                });
                kept
            }))
        }
    }
}

/// Blocks that are passed by before interrupts are seen (Q1).
const PASSED_MAX: u32 = 4096;

/// Every row of a table.
pub struct SeqScan {
    table: Arc<TableRef>,
    /// What of the filter is tested before anything is loaded.
    tests: PageTests,
    /// The rest of it.
    filter: Option<Lazy>,
    /// All of it, and the program that folds what it lets through, once that was asked for.
    whole_filter: Option<Expr>,
    fold: Option<Option<Arc<Native>>>,
    needed: Needed,
    /// Columns the filter reads, when it runs on the page: the others are loaded for its rows only.
    first: Option<Needed>,
    forms: Vec<Physical>,
    storage: Option<Table>,
    block: u32,
    slot: usize,
    /// Where pages come from, when others read the table with it, and the end of those it has.
    morsels: Option<(Arc<Morsels>, u32)>,
    /// Whether the tests know what they compare with.
    bound: bool,
    /// Rows that were found and not counted yet.
    read: u64,
    scratch: ScanScratch,
    slots: Vec<u32>,
    /// What joins above have no use for, and room for what passes.
    narrowings: Vec<Narrowing>,
    passing: [Vec<u32>; 2],
    /// What the filter reads of a page.
    probe: Chunk,
    large: Vec<Large>,
}

impl SeqScan {
    /// `needed` are the columns that the scan's reader needs; what the filter reads comes on top.
    pub fn new(table: Arc<TableRef>, filter: Option<Expr>, mut needed: Needed) -> SeqScan {
        let forms = forms(&table);
        let whole_filter = filter.clone();
        let (tests, filter) = page_test::split(filter, &table);
        let mut first = None;
        if let Some(filter) = &filter {
            let mut used = vec![false; forms.len()];
            filter.mark_columns(&mut used);
            // A filter over a value in overflow pages must fetch it first.
            if is_simple(filter) && (0..forms.len()).all(|i| !used[i] || forms[i] != Physical::Var) {
                first = Some(Needed(Some(used)));
            } else if let Some(needed) = &mut needed.0 {
                needed.resize(forms.len(), false);
                needed.iter_mut().zip(used).for_each(|(n, used)| *n |= used);
            }
        }
        SeqScan {
            table,
            tests,
            filter: filter.map(Lazy::from),
            whole_filter,
            fold: None,
            needed,
            first,
            forms,
            storage: None,
            block: 0,
            slot: 0,
            morsels: None,
            bound: false,
            read: 0,
            scratch: ScanScratch::default(),
            slots: Vec::new(),
            narrowings: Vec::new(),
            passing: Default::default(),
            probe: Chunk::default(),
            large: Vec::new(),
        }
    }

    /// It reads only the pages it takes from `morsels`.
    pub fn of_morsels(self, morsels: Arc<Morsels>) -> SeqScan {
        SeqScan { morsels: Some((morsels, 0)), ..self }
    }

    /// Whether there is a page to read.
    fn has_page(&mut self, storage: &Table) -> bool {
        let blocks = storage.blocks();
        if let Some((morsels, end)) = &mut self.morsels
            && self.block >= *end
        {
            let taken = morsels.take(blocks);
            (self.block, self.slot, *end) = (taken.start, 0, taken.end);
        }
        self.block < blocks
    }

    /// Loads rows of the page at hand, or folds all of it.
    fn load_block(
        &mut self,
        storage: &Table,
        ctx: &mut Context<'_>,
        out: &mut Chunk,
        fold: Option<(&mut ScanFold<'_>, &mut Folding)>,
    ) -> Result<()> {
        let (block, from) = (self.block, self.slot);
        let mut fold = fold.filter(|_| from == 0);
        let SeqScan { forms, first, tests, filter, slots, probe, large, scratch, narrowings, passing, read, .. } = self;
        let width = forms.len() - 1;
        let snapshot = ctx.snapshot;
        let next = storage.scan_block::<_, types::SqlError>(block, snapshot, scratch, |page| {
            if from == 0 {
                tests.note_zones(block, page);
                *read += page.visible_rows() as u64;
            }
            if let Some((fold, folding)) = &mut fold
                && folding.take_page(fold, page)
            {
                return Ok(None);
            }
            let filter = filter.as_mut().map(|f| f.get(ctx));
            let rows = out.rows;
            let room = CHUNK_ROWS - rows;
            let (mut found, next) = if tests.is_empty() {
                visible_slots(page, from, room, slots)
            } else {
                // Whole eights, as the tests want them.
                let stop = page.slots().min(from + room / 8 * 8);
                tests.passing(page, from, stop, slots);
                (Slots::List(slots), (stop < page.slots()).then_some(stop))
            };
            let [list, spare] = passing;
            if found.len() > 0 && narrow(narrowings, page, found, list, spare) {
                found = Slots::List(list);
            }
            if found.len() == 0 {
                return Ok(next);
            }
            let hits;
            let on_page = match filter.map(|f| &f.kind) {
                Some(ExprKind::Native { means, .. }) if first.is_some() => kept_on_page(means, page, &found, ctx)?,
                _ => None,
            };
            if let Some(kept) = on_page {
                if kept.len() < found.len() {
                    hits = kept;
                    found = Slots::List(&hits);
                }
            } else if let (Some(filter), Some(first)) = (filter, first.as_ref()) {
                // The filter's columns, then the others for the rows it lets through.
                reset(probe, forms, first);
                for column in (0..width).filter(|&c| first.has(c)) {
                    page_column(&mut probe.columns[column], page, column, found, (0, column), large);
                }
                if first.has(width) {
                    row_ids(&mut probe.columns[width].data, block, found);
                }
                probe.rows = found.len();
                probe.columns.iter_mut().for_each(|c| {
                    if let Data::Absent(n) = &mut c.data {
                        *n = probe.rows;
                    }
                });
                if let Some(mut chosen) = crate::eval::matching(filter, probe, ctx)? {
                    match found {
                        Slots::Run(from, _) => chosen.iter_mut().for_each(|hit| *hit += from as u32),
                        Slots::List(list) => chosen.iter_mut().for_each(|hit| *hit = list[*hit as usize]),
                    }
                    hits = chosen;
                    found = Slots::List(&hits);
                }
            }
            for column in 0..width {
                page_column(&mut out.columns[column], page, column, found, (rows, column), large);
            }
            row_ids(&mut out.columns[width].data, block, found);
            out.rows += found.len();
            Ok(next)
        })?;
        match next {
            Some(slot) => self.slot = slot,
            None => (self.block, self.slot) = (block + 1, 0),
        }
        Ok(())
    }
}

/// The first visible slots of a page from `from` on, at most `room`, and where to go on; `slots` is room for a list.
fn visible_slots<'s>(
    page: &storage::table::PageView<'_>,
    from: usize,
    room: usize,
    slots: &'s mut Vec<u32>,
) -> (Slots<'s>, Option<usize>) {
    let (visible, end) = (page.visible(), page.slots());
    let stop = end.min(from + room);
    let mut run = if page.is_whole() { stop } else { from };
    while run < stop {
        let ones = (!(visible[run / 64] >> (run % 64))).trailing_zeros() as usize;
        let in_word = 64 - run % 64;
        run += ones.min(in_word);
        if ones < in_word {
            break;
        }
    }
    if run >= stop {
        return (Slots::Run(from, stop.saturating_sub(from)), (stop < end).then_some(stop));
    }
    slots.clear();
    let mut slot = from;
    while slot < end && slots.len() < room {
        let word = visible[slot / 64] >> (slot % 64);
        if word == 0 {
            slot = (slot / 64 + 1) * 64;
            continue;
        }
        let skip = word.trailing_zeros() as usize;
        slot += skip;
        let run = (word >> skip).trailing_ones() as usize;
        let run = run.min(room - slots.len());
        slots.extend((slot..slot + run).map(|s| s as u32));
        slot += run;
    }
    (Slots::List(slots), (slot < end).then_some(slot))
}

/// Appends the ids of rows of a page.
pub fn row_ids(data: &mut Data, block: u32, slots: Slots<'_>) {
    let id = |slot: usize| RowId { block, slot: slot as u16 }.to_u64() as i64;
    match (data, slots) {
        (Data::I64(v), Slots::Run(from, n)) => v.extend((from..from + n).map(id)),
        (Data::I64(v), Slots::List(list)) => v.extend(list.iter().map(|&s| id(s as usize))),
        (Data::Absent(n), slots) => *n += slots.len(),
        _ => {}
    }
}

impl SeqScan {
    /// The next rows but for those that are folded.
    fn load(&mut self, ctx: &mut Context<'_>, out: &mut Chunk, mut folding: Option<&mut Folding>) -> Result<bool> {
        ctx.check_interrupts()?;
        let storage = match &self.storage {
            Some(storage) => storage.clone(),
            None => {
                let opened = Table::new(ctx.db.clone(), ctx.db.relation(self.table.rel)?);
                self.storage = Some(opened.clone());
                opened
            }
        };
        reset(out, &self.forms, &self.needed);
        // Interrupts are seen at least once for so many pages (Q1).
        let (mut pages, mut passed) = (0, 0);
        // What a filter leaves need not fill the chunk to the last row: reading pages in ever smaller parts costs more than it saves.
        let filtered = self.filter.is_some() || !self.tests.is_empty() || !self.narrowings.is_empty();
        let enough = if filtered { CHUNK_ROWS / 2 } else { CHUNK_ROWS };
        let begins = !std::mem::replace(&mut self.bound, true);
        if begins {
            self.tests.bind(ctx)?;
            self.tests.find_zones(storage.rel());
        }
        let program = folding.as_ref().and_then(|_| self.fold.clone().flatten());
        let mut fold = match &program {
            Some(program) => ScanFold::new(program, ctx)?,
            None => None,
        };
        while out.rows < enough && pages < 64 && self.has_page(&storage) {
            if self.slot == 0
                && let Some(rows) = self.tests.excluded(self.block)
            {
                // Its rows count as read: whoever asks need not know how they were.
                (self.read, self.block, passed) = (self.read + u64::from(rows), self.block + 1, passed + 1);
                if passed % PASSED_MAX == 0 {
                    break;
                }
                continue;
            }
            self.load_block(&storage, ctx, out, fold.as_mut().zip(folding.as_deref_mut()))?;
            pages += 1;
        }
        storage.rel().count_scan(ctx.txn.owner(), begins.into(), std::mem::take(&mut self.read));
        if out.rows == 0 {
            return Ok(self.has_page(&storage));
        }
        fetch_large(out, &storage, &mut self.large)?;
        if let (Some(filter), None) = (&mut self.filter, &self.first) {
            retain(filter.get(ctx), out, ctx)?;
        }
        Ok(true)
    }
}

impl Operator for SeqScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        self.load(ctx, out, None)
    }

    fn next_folded(&mut self, ctx: &mut Context<'_>, out: &mut Chunk, folding: &mut Folding) -> Result<bool> {
        if self.fold.is_none() && ctx.programs.is_some() {
            self.fold = Some(folding.folds().program(self.whole_filter.as_ref(), ctx));
        }
        let is_folded = ctx.programs.is_some() && self.narrowings.is_empty();
        self.load(ctx, out, is_folded.then_some(folding))
    }

    fn narrow(&mut self, column: usize, filter: Offer<'_>) -> bool {
        let stored = self.table.columns.get(column).is_some_and(|c| !c.computed && !c.dropped);
        let simple = self.filter.as_ref().is_none_or(|f| is_simple(f.bare()));
        let used = stored && simple && Narrowing::fits(self.forms[column]);
        if used && let Some(filter) = filter() {
            self.narrowings.push(Narrowing::new(column, filter));
        }
        used
    }

    fn reset(&mut self) {
        (self.block, self.slot, self.bound) = (0, 0, false);
        self.narrowings.clear();
        if let Some((_, end)) = &mut self.morsels {
            *end = 0;
        }
    }
}
