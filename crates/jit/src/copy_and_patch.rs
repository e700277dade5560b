//! `CopyAndPatch`: the provider that puts stencils one behind the other; and the code that comes of it.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use crate::arena::{Arena, Block, Memory};
use crate::assemble::{Layout, assemble};
use crate::column::Column;
use crate::disassembly::disassembly;
use crate::perf_map::PerfMap;
use crate::program::Program;
use crate::provider::{Code, Provider, Suspect};
use crate::rows::{NULL_WORDS, Place, ROWS_MAX, Rows, Sink};
use crate::stencil::Table;

/// Machine code by copy and patch.
#[derive(Default)]
pub struct CopyAndPatch {
    arena: OnceLock<Option<Arc<Arena>>>,
    /// What its memory has to be; or whatever the system gives.
    memory: Option<Memory>,
    perf_map: PerfMap,
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
        self.perf_map.add(block.code(), program);
        Some(Box::new(Patched { program: program.clone(), layout, nulls, block, stencils: assembly.stencils }))
    }

    fn perf_map(&self, is_on: bool) {
        self.perf_map.set(is_on);
    }

    fn bytes(&self) -> usize {
        self.arena.get().and_then(Option::as_ref).map_or(0, |a| a.used_bytes())
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
}

/// Words of a frame that take no allocation.
const FEW_WORDS: usize = 32;

static NO_NULLS: [u64; ROWS_MAX / 64] = [0; ROWS_MAX / 64];

impl Code for Patched {
    fn run(&self, rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), Suspect> {
        let range = rows.range();
        let is_own = Arc::ptr_eq(&self.program, rows.program()) && rows.nulls() & !self.nulls == 0;
        if !is_own || !sink.is_for(self.program.output, &range) {
            return Err(Suspect);
        }
        if range.is_empty() {
            return Ok(());
        }
        match &mut sink.place {
            Place::Values(values, nulls) => {
                // SAFETY: `values` has room for values of the output's form up to the end of the rows (`Sink::is_for`).
                unsafe { self.enter(rows, values.as_mut_ptr(), nulls) }.map(|_| ())
            }
            Place::Kept(kept) => {
                // The row at hand is written behind those that are kept, whether it is or not.
                kept.clear();
                kept.resize(range.len(), 0);
                // SAFETY: `kept` has room for the numbers of all rows.
                let count = unsafe { self.enter(rows, kept.as_mut_ptr().cast(), &mut [0; NULL_WORDS]) };
                kept.truncate(count.unwrap_or(0));
                count.map(|_| ())
            }
        }
    }

    fn is_native(&self) -> bool {
        true
    }

    fn bytes(&self) -> usize {
        self.block.bytes()
    }

    fn stencils(&self) -> usize {
        self.stencils
    }

    fn disassembly(&self) -> String {
        disassembly(self.block.code())
    }
}

impl Patched {
    /// How many rows were kept.
    ///
    /// # Safety
    /// `rows` are this program's, and not none; `out` has room for a value of the output's form for each row up to their end, or for a number for each of them,
    /// whichever the output is.
    unsafe fn enter(&self, rows: &Rows<'_>, out: *mut u8, nulls: &mut [u64; NULL_WORDS]) -> Result<usize, Suspect> {
        let range = rows.range();
        // Bitmaps that end early are made whole: those of vectors do.
        let needed = range.end.div_ceil(64);
        let is_short = |c: &Column<'_>| !c.nulls.is_empty() && c.nulls.len() < needed;
        if needed > NULL_WORDS && rows.columns().iter().any(is_short) {
            return Err(Suspect);
        }
        let mut whole: SmallVec<[[u64; NULL_WORDS]; 2]> = SmallVec::new();
        whole.reserve(rows.columns().iter().filter(|c| is_short(c)).count());
        let mut words: SmallVec<[u64; FEW_WORDS]> = SmallVec::from_elem(0, self.layout.words);
        let address = |at: *const u64| at.expose_provenance() as u64;
        words[0] = out.expose_provenance() as u64;
        words[1] = address(nulls.as_mut_ptr());
        for (i, column) in rows.columns().iter().enumerate() {
            let at = self.layout.columns + 2 * i;
            words[at] = column.bytes.as_ptr().expose_provenance() as u64;
            words[at + 1] = if column.nulls.is_empty() {
                address(NO_NULLS.as_ptr())
            } else if is_short(column) {
                // It was given all the room it needs: nothing moves.
                let mut copy = [0; NULL_WORDS];
                copy[..column.nulls.len()].copy_from_slice(column.nulls);
                whole.push(copy);
                whole.last().map_or(0, |w| address(w.as_ptr()))
            } else {
                address(column.nulls.as_ptr())
            };
        }
        for (i, input) in rows.inputs().iter().enumerate() {
            let at = self.layout.inputs + 2 * i;
            (words[at], words[at + 1]) = (input.unwrap_or(0), u64::from(input.is_none()));
        }
        for (i, list) in self.program.lists.iter().enumerate() {
            words[self.layout.lists + i] = address(list.as_ptr());
        }
        for (i, set) in self.program.sets.iter().enumerate() {
            words[self.layout.sets + i] = address(set.as_ptr());
        }
        // SAFETY: the program is sound (`compile`) and the frame laid out by its layout; columns have the forms it reads and at least so many
        // values, bitmaps as many words as those need (`Rows::new`), and `out` the room that the caller says (J2).
        let answer = unsafe { self.block.run(words.as_mut_ptr(), range) };
        // A suspect row is answered as its complement.
        usize::try_from(answer as i64).map_err(|_| Suspect)
    }
}
