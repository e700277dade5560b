//! `CopyAndPatch`: the provider that puts stencils one behind the other; and the code that comes of it.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use crate::arena::{Arena, Block, Memory};
use crate::assemble::{Layout, assemble};
use crate::call::Callee;
use crate::cells::Cells;
use crate::disassembly::disassembly;
use crate::perf_map::PerfMap;
use crate::program::{Cell, Program};
use crate::provider::{Code, Provider, Suspect, Tier, TileCounts};
use crate::rows::{NULL_WORDS, Place, Rows, Sink};
use crate::stencil::Table;
use crate::tile::{TileCounters, Tiles};

/// Machine code by copy and patch: of rows at first, and of tiles once a program has run over some thousand rows.
pub struct CopyAndPatch {
    arena: OnceLock<Option<Arc<Arena>>>,
    /// What its memory has to be; or whatever the system gives.
    memory: Option<Memory>,
    own: Arc<Own>,
}

/// What its code has of it.
struct Own {
    perf_map: PerfMap,
    /// Rows that a program runs over before it gets tiles.
    tiles_after: u64,
    tile_counters: TileCounters,
}

/// A few chunks: tiles cost as much as some hundred rows.
const TILES_AFTER: u64 = 4096;
/// Runs of fewer rows are done row by row, unless there is as much to fold as this.
const TILES_FROM: usize = 64;
/// Steps of all rows of a run that folds.
const TILES_FROM_STEPS: usize = 256;

impl Default for CopyAndPatch {
    fn default() -> CopyAndPatch {
        let own =
            Own { perf_map: PerfMap::default(), tiles_after: TILES_AFTER, tile_counters: TileCounters::default() };
        CopyAndPatch { arena: OnceLock::new(), memory: None, own: Arc::new(own) }
    }
}

impl CopyAndPatch {
    /// One that has nothing yet: memory is taken for the first program, of the first kind that the system gives.
    pub fn new() -> CopyAndPatch {
        CopyAndPatch::default()
    }

    /// One that has memory of this kind, or none.
    pub fn with_memory(memory: Memory) -> CopyAndPatch {
        CopyAndPatch { memory: Some(memory), ..CopyAndPatch::default() }
    }

    /// The same, whose programs get tiles when they have run over so many rows. With 0 they are used for the shortest runs, too; with `u64::MAX` there are
    /// none, as on processors without AVX2.
    #[must_use]
    pub fn tiles_after(self, rows: u64) -> CopyAndPatch {
        let perf_map = PerfMap::default();
        CopyAndPatch {
            own: Arc::new(Own { perf_map, tiles_after: rows, tile_counters: TileCounters::default() }),
            ..self
        }
    }
}

impl Provider for CopyAndPatch {
    fn name(&self) -> &str {
        "copy and patch"
    }

    fn compile(&self, program: &Arc<Program>, nulls: u64) -> Option<Box<dyn Code>> {
        // Safe code may ask with what no `Jit` looked at.
        if !program.is_sound() {
            return None;
        }
        let table = Table::get()?;
        let arena = self.arena.get_or_init(|| self.memory.map_or_else(Arena::new, Arena::of)).as_ref()?;
        let layout = Layout::of(program);
        let assembly = assemble(program, &layout, table, nulls)?;
        let block = arena.place(&assembly.code)?;
        self.own.perf_map.add(block.code(), program, "row");
        Some(Box::new(Patched {
            program: program.clone(),
            layout,
            nulls,
            block,
            stencils: assembly.stencils,
            ran: AtomicU64::new(0),
            tiles: OnceLock::new(),
            own: self.own.clone(),
        }))
    }

    fn perf_map(&self, is_on: bool) {
        self.own.perf_map.set(is_on);
    }

    fn bytes(&self) -> usize {
        self.arena.get().and_then(Option::as_ref).map_or(0, |a| a.used_bytes())
    }

    fn tiles(&self) -> TileCounts {
        self.own.tile_counters.read()
    }
}

/// Code in an arena.
struct Patched {
    program: Arc<Program>,
    layout: Layout,
    /// Which columns may have NULLs.
    nulls: u64,
    block: Block,
    stencils: usize,
    /// Rows it ran over before there were tiles.
    ran: AtomicU64,
    tiles: OnceLock<Option<Tiles>>,
    own: Arc<Own>,
}

/// Words of a frame that take no allocation.
const FEW_WORDS: usize = 32;

impl Code for Patched {
    fn run(&self, rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), Suspect> {
        let range = rows.range();
        let is_own = Arc::ptr_eq(&self.program, rows.program()) && rows.nulls() & !self.nulls == 0;
        let is_own = is_own && rows.lists().len() >= self.layout.given_lists;
        if !is_own || !sink.is_for(self.program.output, &range) {
            return Err(Suspect);
        }
        if range.is_empty() {
            return Ok(());
        }
        match &mut sink.place {
            Place::Values(values, nulls) => {
                // SAFETY: `values` has room for values of the output's form up to the end of the rows (`Sink::is_for`).
                unsafe { self.enter(rows, values.as_mut_ptr(), nulls, None) }.map(|_| ())
            }
            Place::Kept(kept) => {
                // The row at hand is written behind those that are kept, whether it is or not; with tiles, eight are.
                kept.clear();
                kept.reserve(range.len() + 7);
                // SAFETY: `kept` has room for the numbers of all rows and seven more.
                let count = unsafe { self.enter(rows, kept.as_mut_ptr().cast(), &mut [0; NULL_WORDS], None) }?;
                // SAFETY: the numbers of the rows that are kept were written there, and are no more than there are rows.
                unsafe { kept.set_len(count) };
                Ok(())
            }
            // SAFETY: nothing is put anywhere but into the frame.
            Place::Folded(cells) => unsafe {
                self.enter(rows, std::ptr::null_mut(), &mut [0; NULL_WORDS], Some(cells)).map(|_| ())
            },
        }
    }

    fn is_native(&self) -> bool {
        true
    }

    fn bytes(&self) -> usize {
        self.block.bytes() + self.made_tiles().map_or(0, Tiles::bytes)
    }

    fn stencils(&self) -> usize {
        self.stencils + self.made_tiles().map_or(0, |t| t.stencils)
    }

    fn tier(&self) -> Tier {
        if self.made_tiles().is_some() { Tier::Tile } else { Tier::Row }
    }

    fn later_nanoseconds(&self) -> u64 {
        self.made_tiles().map_or(0, |t| t.nanoseconds)
    }

    fn disassembly(&self) -> String {
        disassembly(self.block.code()) + &self.made_tiles().map_or(String::new(), Tiles::disassembly)
    }
}

/// Bitmaps that were copied to be made whole.
type Whole = SmallVec<[[u64; NULL_WORDS]; 2]>;

impl Patched {
    fn made_tiles(&self) -> Option<&Tiles> {
        self.tiles.get().and_then(Option::as_ref)
    }

    /// The tiles that are to run over these rows, made if it is time.
    fn tiles(&self, rows: &Rows<'_>) -> Option<&Tiles> {
        let (len, after) = (rows.range().len(), self.own.tiles_after);
        let is_short =
            len < TILES_FROM && !(self.program.folds() && len * self.program.steps.len() >= TILES_FROM_STEPS);
        if (is_short && after > 0) || !self.program.passes.tiles {
            return None;
        }
        let tiles = match self.tiles.get() {
            Some(tiles) => tiles,
            None if self.ran.fetch_add(len as u64, Ordering::Relaxed) < after => return None,
            None => self.tiles.get_or_init(|| {
                let Own { perf_map, tile_counters, .. } = &*self.own;
                Tiles::new(&self.program, self.nulls, self.block.arena(), perf_map, tile_counters)
            }),
        };
        tiles.as_ref().filter(|tiles| tiles.take(rows))
    }

    /// How many rows were kept. The program's cells are folded into, and tell nothing where a row was suspect.
    ///
    /// # Safety
    /// `rows` are this program's, and not none; `out` has room for a value of the output's form for each row up to their end, or for a number for each of them
    /// and seven more, whichever the output is.
    unsafe fn enter(
        &self,
        rows: &Rows<'_>,
        out: *mut u8,
        nulls: &mut [u64; NULL_WORDS],
        cells: Option<&mut Cells>,
    ) -> Result<usize, Suspect> {
        let range = rows.range();
        // Bitmaps that end early are made whole: those of vectors do.
        let needed = range.end.div_ceil(64);
        let short = rows.short(needed).count();
        if needed > NULL_WORDS && short > 0 {
            return Err(Suspect);
        }
        let mut whole = Whole::new();
        whole.reserve(short);
        for column in rows.short(needed) {
            let mut copy = [0; NULL_WORDS];
            copy[..column.nulls.len()].copy_from_slice(column.nulls);
            whole.push(copy);
        }
        let (out, nulls) = (out.expose_provenance() as u64, nulls.as_mut_ptr().expose_provenance() as u64);
        let exact = |range: Range<usize>, kept: usize, cells: &mut [Cell]| {
            let mut words: SmallVec<[u64; FEW_WORDS]> = SmallVec::from_elem(0, self.layout.words);
            (words[0], words[1]) = (out, nulls);
            self.fill(&self.layout, rows, needed, &whole, &mut words);
            words[self.layout.cells..].copy_from_slice(cells.as_flattened());
            let callee = self.layout.calls.then(|| Callee::new(rows, self.layout.slots));
            if let Some(callee) = &callee {
                callee.enter(&mut words);
            }
            // SAFETY: the program is sound (`compile`) and the frame laid out by its layout, with who is called, if anybody is; columns have the forms it reads
            // and at least so many values, bitmaps as many words as those need (`Rows::new`), and `out` the room that the caller says (J2). The range is of
            // `rows`, and not empty.
            let answer = unsafe { self.block.run(words.as_mut_ptr(), range, kept) };
            if let Some(callee) = callee {
                callee.leave();
            }
            cells.as_flattened_mut().copy_from_slice(&words[self.layout.cells..]);
            // A suspect row is answered as its complement.
            usize::try_from(answer as i64).map_err(|_| Suspect)
        };
        let ahead = rows.ahead() as u64;
        let fill = |layout: &Layout, words: &mut [u64]| self.fill(layout, rows, needed, &whole, words);
        let counters = &self.own.tile_counters;
        match (self.tiles(rows), cells) {
            (None, None) => exact(range, 0, &mut []),
            (None, Some(cells)) => exact(range, 0, cells.fresh()),
            (Some(tiles), None) => {
                let exact = |range: Range<usize>, kept: usize| exact(range, kept, &mut []);
                // SAFETY: as above, of the same program, which `tiles` take these rows for.
                unsafe { tiles.run(range, (out, nulls, ahead), counters, fill, exact) }
            }
            (Some(tiles), Some(cells)) => {
                let exact = |range: Range<usize>, cells: &mut [Cell]| exact(range, 0, cells).map(|_| ());
                // SAFETY: the same.
                unsafe { tiles.fold(range, ahead, cells, counters, fill, exact).map(|()| 0) }
            }
        }
    }

    /// Fills a frame with what is read; `whole` has the bitmaps of those columns that have fewer words than `needed`.
    fn fill(&self, layout: &Layout, rows: &Rows<'_>, needed: usize, whole: &Whole, words: &mut [u64]) {
        let address = |at: *const u64| at.expose_provenance() as u64;
        rows.place(&mut words[layout.columns..layout.inputs], needed, whole);
        for (i, input) in rows.inputs().iter().enumerate() {
            let at = layout.inputs + 2 * i;
            (words[at], words[at + 1]) = (input.unwrap_or(0), u64::from(input.is_none()));
        }
        let Program { lists, sets, tables, .. } = &*self.program;
        for (at, all) in [(layout.lists, lists), (layout.sets, sets), (layout.tables, tables)] {
            for (i, known) in all.iter().enumerate() {
                words[at + i] = address(known.as_ptr());
            }
        }
        for (i, list) in rows.lists().iter().take(layout.given_lists).enumerate() {
            let (at, info) = list.parts();
            (words[layout.given + 2 * i], words[layout.given + 2 * i + 1]) = (address(at), info);
        }
    }
}
