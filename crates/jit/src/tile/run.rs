//! `Tiles`: the tile code of a program, and how rows are run through it.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::frame::{Frame, TileLayout};
use super::lower::{SHORT_LIST, lower};
use super::{Family, families, header};
use crate::arena::{Arena, Block};
use crate::assemble::Layout;
use crate::cells::Cells;
use crate::disassembly::disassembly;
use crate::perf_map::PerfMap;
use crate::program::{Cell, Program};
use crate::provider::{Suspect, TileCounts};
use crate::rows::Rows;

/// What was done with tiles so far, of all programs of a provider. All threads write it: what they read lies elsewhere.
#[derive(Default)]
#[repr(align(128))]
pub struct TileCounters {
    compiled: AtomicU64,
    stencils: AtomicU64,
    nanoseconds: AtomicU64,
    rows: AtomicU64,
}

impl TileCounters {
    pub fn read(&self) -> TileCounts {
        let read = |c: &AtomicU64| c.load(Ordering::Relaxed);
        TileCounts {
            compiled: read(&self.compiled),
            stencils: read(&self.stencils),
            nanoseconds: read(&self.nanoseconds),
            rows: read(&self.rows),
        }
    }
}

/// Code that runs tiles.
pub struct Tiles {
    /// Which these are, of all there ever were.
    id: u64,
    family: &'static Family,
    block: Block,
    layout: TileLayout,
    pub stencils: usize,
    pub nanoseconds: u64,
    /// Tiles that were suspect, and rows of those that were not.
    suspects: AtomicU64,
    rows: AtomicU64,
}

/// The number of those that are made next; 0 are none.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Suspect tiles of one run, after which its other rows are run one by one.
const SUSPECTS_MAX: usize = 4;
/// Suspect tiles of a program that do not matter.
const SUSPECTS_FEW: u64 = 64;

impl Tiles {
    /// The code of `program`, for columns of which these have NULLs; `None` where there is none, for this program or on this processor.
    pub fn new(
        program: &Program,
        nulls: u64,
        arena: &Arc<Arena>,
        perf_map: &PerfMap,
        counters: &TileCounters,
    ) -> Option<Tiles> {
        let start = Instant::now();
        let lowered = families().iter().find_map(|family| Some((*family, lower(program, family, nulls)?)));
        let (family, (assembly, layout)) = lowered?;
        let block = arena.place(&assembly.code)?;
        perf_map.add(block.code(), program, "tiles of");
        let (stencils, nanoseconds) = (assembly.stencils, start.elapsed().as_nanos() as u64);
        counters.compiled.fetch_add(1, Ordering::Relaxed);
        counters.stencils.fetch_add(stencils as u64, Ordering::Relaxed);
        counters.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        let (suspects, rows) = Default::default();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Some(Tiles { id, family, block, layout, stencils, nanoseconds, suspects, rows })
    }

    pub fn bytes(&self) -> usize {
        self.block.bytes()
    }

    pub fn disassembly(&self) -> String {
        let (rows, bytes, stencils) = (self.family.rows, self.block.bytes(), self.stencils);
        format!("; tiles of {rows} rows: {bytes} bytes, {stencils} stencils\n{}", disassembly(self.block.code()))
    }

    /// Whether they are worth it: there is a tile of rows, or, of a program that folds, columns that can be read as far; inputs and given lists fit into lanes, and not
    /// too many tiles were suspect.
    pub fn take(&self, rows: &Rows<'_>) -> bool {
        let read = |c: &AtomicU64| c.load(Ordering::Relaxed);
        let suspect_rows = read(&self.suspects).saturating_sub(SUSPECTS_FEW) * self.family.rows as u64;
        let fits = |word: u64| !self.family.is_narrow || i32::try_from(word as i64).is_ok();
        let tile = self.family.rows;
        let range = rows.range();
        (range.len() >= tile || rows.program().folds() && rows.reach(range.start + tile))
            && suspect_rows <= read(&self.rows) / 8
            && rows.inputs().iter().all(|input| input.is_none_or(fits))
            && rows.lists().iter().take(self.layout.base.given_lists).all(|list| list.fits(SHORT_LIST, fits))
    }

    /// Runs rows through tiles, and those of suspect tiles through `exact`, which is given rows and how many were kept before them, and answers how many were kept with
    /// them. `fill` fills the frame's words from its columns on. Answers how many rows were kept.
    ///
    /// # Safety
    /// `Tiles::take` said so of these rows, whose program is the one that the code was made of, and which have no NULLs but where it knows of; `out` has room for a
    /// value of the output's form for each row up to their end, or for a number for each of them and seven more, whichever the output is; `nulls` for a bit for
    /// each row up to their end. `fill` fills in addresses of columns' first rows, of bitmaps with a bit for each row up to their end, and of the program's lists.
    pub unsafe fn run(
        &self,
        range: Range<usize>,
        (out, nulls, ahead): (u64, u64, u64),
        counters: &TileCounters,
        fill: impl FnOnce(&Layout, &mut [u64]),
        mut exact: impl FnMut(Range<usize>, usize) -> Result<usize, Suspect>,
    ) -> Result<usize, Suspect> {
        let (tile, end) = (self.family.rows, range.end);
        let mut frame = Frame::default();
        let words = frame.begin(&self.layout, self.family, out, nulls);
        fill(&self.layout.base, words);
        words[header::AHEAD / 8] = ahead;
        let (mut row, mut kept, mut suspects, mut exact_rows) = (range.start, 0, 0, 0);
        while row < end {
            // The last tile starts before its first row if there are too few.
            let from = row.min(end - tile);
            words[header::DONE / 8] = (1 << (row - from)) - 1;
            words[header::DEAD / 8] = 0;
            // SAFETY: the frame is laid out for this code; there is a tile of rows at least, as there was one in `range` (`take`). A filter writes eight numbers at
            // a time, of which at most as many count as there are rows before; and the rest is the caller's.
            let answer = unsafe { self.block.run(words.as_mut_ptr(), from..end, kept) };
            if answer as i64 >= 0 {
                kept = answer as usize;
                break;
            }
            // Tiles follow one another, but for the last.
            let at = !answer as usize;
            row += at.saturating_sub(row).next_multiple_of(tile);
            suspects += 1;
            let till = if suspects < SUSPECTS_MAX { end.min(row + tile) } else { end };
            kept = exact(row..till, words[header::KEPT / 8] as usize)?;
            exact_rows += till - row;
            row = till;
        }
        self.count(range.len() - exact_rows, suspects, counters);
        Ok(kept)
    }

    /// Folds rows through tiles into the lanes of `cells`; or, if one tile is suspect, all of them through `exact` into cells, the lanes being as they were.
    ///
    /// # Safety
    /// As [`Tiles::run`], but that nothing is put out.
    pub unsafe fn fold(
        &self,
        range: Range<usize>,
        ahead: u64,
        cells: &mut Cells,
        counters: &TileCounters,
        fill: impl FnOnce(&Layout, &mut [u64]),
        exact: impl FnOnce(Range<usize>, &mut [Cell]) -> Result<(), Suspect>,
    ) -> Result<(), Suspect> {
        let lanes = cells.lanes(self.id, range.len());
        if !lanes.is_of(self.id) {
            lanes.begin(self.id, &self.layout, self.family);
        }
        let before = lanes.save();
        let words = lanes.words();
        fill(&self.layout.base, words);
        words[header::AHEAD / 8] = ahead;
        // Of less than a tile, the rows behind the last are dead.
        let (len, tile) = (range.len(), self.family.rows);
        words[header::DEAD / 8] = if len < tile { (1 << tile) - (1 << len) } else { 0 };
        let reached = range.start..range.end.max(range.start + tile);
        // SAFETY: the frame was laid out for this code, and nobody else has run with it (`Lanes::is_of`); there is a tile of rows at least, or what can be read as
        // one (`take`); and the rest is the caller's.
        let answer = unsafe { self.block.run(words.as_mut_ptr(), reached, 0) };
        if answer as i64 >= 0 {
            lanes.count(range.len());
            self.count(range.len(), 0, counters);
            return Ok(());
        }
        lanes.restore(&before);
        self.count(0, SUSPECTS_MAX, counters);
        exact(range, cells.fresh())
    }

    fn count(&self, rows: usize, suspects: usize, counters: &TileCounters) {
        counters.rows.fetch_add(rows as u64, Ordering::Relaxed);
        if suspects > 0 {
            self.suspects.fetch_add(suspects as u64, Ordering::Relaxed);
        }
        if suspects > 0 || self.suspects.load(Ordering::Relaxed) > 0 {
            self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        }
    }
}
