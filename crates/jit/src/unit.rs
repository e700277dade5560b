//! `Jit`: the units of one runtime, each program once; and `Unit`: a program with its code.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use hashbrown::HashMap;
use parking_lot::Mutex;
use smallvec::SmallVec;
use vector::{CHUNK_ROWS, Data, Nulls, Vector};

use crate::arena::{Arena, Block};
use crate::assemble::{Layout, assemble};
use crate::interpret::{self, Sink};
use crate::program::{Form, Output, Program};
use crate::stencil::Table;

/// A value that is the same for all rows; NULL is none.
pub type Input = Option<u64>;

/// What was done so far, for views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitCounts {
    /// Programs that were made into code.
    pub compiled: u64,
    /// Programs that were there already when they were asked for.
    pub found: u64,
    /// Programs without code.
    pub refused: u64,
    /// Stencils that were copied.
    pub stencils: u64,
    /// Nanoseconds that took.
    pub nanoseconds: u64,
    /// Bytes of code there are.
    pub bytes: u64,
}

#[derive(Default)]
struct Counters {
    compiled: AtomicU64,
    found: AtomicU64,
    refused: AtomicU64,
    stencils: AtomicU64,
    nanoseconds: AtomicU64,
}

/// All units that somebody holds.
#[derive(Default)]
struct Units {
    by_program: HashMap<Arc<Program>, Weak<Unit>>,
    /// Those that were asked for last, held until [`RECENT`] others were: statements that come again find their code, whoever dropped it.
    recent: VecDeque<Arc<Unit>>,
}

/// Units that are held although nobody else does.
const RECENT: usize = 512;

impl Units {
    /// Holds `unit` for a while; answers the one that has to go, to be dropped without the lock.
    fn remember(&mut self, unit: &Arc<Unit>) -> Option<Arc<Unit>> {
        if self.recent.back().is_some_and(|last| Arc::ptr_eq(last, unit)) {
            return None;
        }
        self.recent.push_back(unit.clone());
        if self.recent.len() > RECENT { self.recent.pop_front() } else { None }
    }
}

/// What makes code of programs; units hold it, and it holds no unit.
struct Maker {
    table: OnceLock<Table>,
    arena: OnceLock<Option<Arc<Arena>>>,
    counters: Counters,
    /// Whether programs without code are interpreted.
    interprets: bool,
}

struct Shared {
    maker: Arc<Maker>,
    units: Mutex<Units>,
}

/// The compiled expressions of one runtime.
#[derive(Clone)]
pub struct Jit(Arc<Shared>);

impl Default for Jit {
    fn default() -> Jit {
        Jit::new(false)
    }
}

impl std::fmt::Debug for Jit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.counts().fmt(f)
    }
}

impl Jit {
    fn new(interprets: bool) -> Jit {
        let arena = OnceLock::new();
        if interprets {
            let _ = arena.set(None);
        }
        let maker = Maker { table: OnceLock::new(), arena, counters: Counters::default(), interprets };
        Jit(Arc::new(Shared { maker: Arc::new(maker), units: Mutex::default() }))
    }

    /// One that makes no code: all is interpreted.
    pub fn interpreter() -> Jit {
        Jit::new(true)
    }

    /// The unit of `program`, and whether others hold it already. `None` when the program is not sound.
    pub fn unit(&self, program: Program) -> Option<(Arc<Unit>, bool)> {
        if !program.is_sound() {
            return None;
        }
        let mut units = self.0.units.lock();
        if let Some(unit) = units.by_program.get(&program).and_then(Weak::upgrade) {
            self.0.maker.counters.found.fetch_add(1, Ordering::Relaxed);
            let gone = units.remember(&unit);
            drop(units);
            drop(gone);
            return Some((unit, true));
        }
        // Those that nobody holds are forgotten when there are twice as many as were held.
        if units.by_program.len() == units.by_program.capacity() {
            units.by_program.retain(|_, unit| unit.strong_count() > 0);
        }
        let program = Arc::new(program);
        let layout = Layout::of(&program);
        let unit = Unit { program: program.clone(), layout, maker: self.0.maker.clone(), code: Default::default() };
        let unit = Arc::new(unit);
        units.by_program.insert(program, Arc::downgrade(&unit));
        let gone = units.remember(&unit);
        drop(units);
        drop(gone);
        Some((unit, false))
    }

    /// What was done so far.
    pub fn counts(&self) -> JitCounts {
        let Maker { counters, arena, .. } = &*self.0.maker;
        let read = |c: &AtomicU64| c.load(Ordering::Relaxed);
        let bytes = arena.get().and_then(Option::as_ref).map_or(0, |a| a.used_bytes() as u64);
        JitCounts {
            compiled: read(&counters.compiled),
            found: read(&counters.found),
            refused: read(&counters.refused),
            stencils: read(&counters.stencils),
            nanoseconds: read(&counters.nanoseconds),
            bytes,
        }
    }
}

impl Maker {
    fn compile(&self, program: &Program, nulls: u64) -> Option<Made> {
        let table = self.table.get_or_init(Table::new);
        let arena = self.arena.get_or_init(Arena::new).as_ref();
        let start = Instant::now();
        let assembly = arena.and_then(|arena| Some((arena, assemble(program, table, nulls)?)));
        let placed = assembly.and_then(|(arena, a)| Some((arena.place(&a.code)?, a.stencils)));
        let counters = &self.counters;
        match placed {
            Some((block, stencils)) => {
                counters.compiled.fetch_add(1, Ordering::Relaxed);
                counters.stencils.fetch_add(stencils as u64, Ordering::Relaxed);
                let nanoseconds = start.elapsed().as_nanos() as u64;
                counters.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
                Some(Made { block, stencils, nanoseconds })
            }
            None => {
                counters.refused.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }
}

/// What became of a program.
struct Made {
    block: Block,
    stencils: usize,
    nanoseconds: u64,
}

/// What a unit's code is, so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitCode {
    /// Bytes of it; 0 when there is none.
    pub bytes: usize,
    /// Stencils that it is made of.
    pub stencils: usize,
    /// How long that took.
    pub nanoseconds: u64,
}

/// A program, and its code once it has run.
pub struct Unit {
    program: Arc<Program>,
    layout: Layout,
    maker: Arc<Maker>,
    /// By which columns have NULLs; the last is for any.
    code: [OnceLock<(u64, Option<Made>)>; VARIANTS],
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.program.fmt(f)
    }
}

/// A column as code sees it: values one behind the other, and a bit for each that is NULL.
#[derive(Clone, Copy, Debug)]
pub struct Column<'v> {
    form: Form,
    bytes: &'v [u8],
    /// As many words as rows need; or none at all, where none is NULL.
    nulls: &'v [u64],
}

impl<'v> Column<'v> {
    /// Values as bytes in the machine's order, aligned to their width; booleans are 0 or 1. `nulls` has a bit for each value, or is empty. `None` where the
    /// bytes are not aligned.
    pub fn new(form: Form, bytes: &'v [u8], nulls: &'v [u64]) -> Option<Column<'v>> {
        (bytes.as_ptr().align_offset(form.width()) == 0).then_some(Column { form, bytes, nulls })
    }

    /// The values of `vector`; `None` where it is of another form.
    fn of(vector: &'v Vector, form: Form) -> Option<Column<'v>> {
        let bytes = match (&vector.data, form) {
            (Data::Bool(v), Form::Bool) => bytemuck::cast_slice(v),
            (Data::I16(v), Form::I16) => bytemuck::cast_slice(v),
            (Data::I32(v), Form::I32) => bytemuck::cast_slice(v),
            (Data::I64(v), Form::I64) => bytemuck::cast_slice(v),
            (Data::U32(v), Form::U32) => bytemuck::cast_slice(v),
            (Data::F32(v), Form::F32) => bytemuck::cast_slice(v),
            (Data::F64(v), Form::F64) => bytemuck::cast_slice(v),
            _ => return None,
        };
        Some(Column { form, bytes, nulls: vector.nulls.words() })
    }

    /// The value of a row, and whether it is NULL.
    pub(crate) fn get(&self, row: usize) -> (u64, bool) {
        macro_rules! read {
            ($ty:ty, |$v:ident| $word:expr) => {{
                let $v: $ty = bytemuck::pod_read_unaligned(&self.bytes[row * size_of::<$ty>()..][..size_of::<$ty>()]);
                $word
            }};
        }
        let word = match self.form {
            Form::Bool => u64::from(self.bytes[row]),
            Form::I16 => read!(i16, |v| v as i64 as u64),
            Form::I32 => read!(i32, |v| v as i64 as u64),
            Form::I64 => read!(u64, |v| v),
            Form::U32 => read!(u32, |v| u64::from(v)),
            Form::F32 => read!(f32, |v| f64::from(v).to_bits()),
            Form::F64 => read!(u64, |v| v),
        };
        (word, self.nulls.get(row / 64).is_some_and(|w| w >> (row % 64) & 1 == 1))
    }

    /// Whether there are values up to row `end`.
    fn reaches(&self, end: usize) -> bool {
        self.bytes.len() / self.form.width() >= end
    }
}

/// Codes of a unit at most.
const VARIANTS: usize = 3;
/// Columns that all may have NULLs.
const ANY: u64 = u64::MAX;

/// Words of a NULL bitmap for a chunk.
const NULL_WORDS: usize = CHUNK_ROWS / 64;
/// Rows that one run can go up to.
const ROWS_MAX: usize = 1 << 16;
/// Columns and words of a frame that take no allocation.
const FEW_COLUMNS: usize = 8;
const FEW_WORDS: usize = 32;

static NO_NULLS: [u64; ROWS_MAX / 64] = [0; ROWS_MAX / 64];

impl Unit {
    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What code there is so far.
    pub fn made(&self) -> UnitCode {
        let made = self.code.iter().filter_map(|c| c.get()?.1.as_ref());
        made.fold(UnitCode::default(), |all, m| UnitCode {
            bytes: all.bytes + m.block.bytes(),
            stencils: all.stencils + m.stencils,
            nanoseconds: all.nanoseconds + m.nanoseconds,
        })
    }

    /// The values of a program whose output is a vector, for `rows` rows of these columns; `None` when it did not come to its end (J3), or the columns are
    /// not what it reads.
    pub fn values(&self, columns: &[&Vector], inputs: &[Input], rows: usize) -> Option<Vector> {
        if rows > CHUNK_ROWS {
            return None;
        }
        let frame = self.frame(self.vectors(columns)?, inputs, 0..rows)?;
        macro_rules! vector {
            ($data:ident, $ty:ty) => {{
                let mut values = vec![<$ty>::default(); rows];
                let mut nulls = [0u64; NULL_WORDS];
                match self.code(frame.nulls) {
                    // SAFETY: `values` has room for `rows` values of the output's form.
                    Some(code) => unsafe { self.run(code, &frame, values.as_mut_ptr().cast(), &mut nulls) },
                    None => self.interpret(
                        &frame,
                        &mut Sink::Values(&mut |row, word, null| {
                            values[row] = <$ty>::narrow(word);
                            nulls[row / 64] |= u64::from(null) << (row % 64);
                        }),
                    ),
                }?;
                let used = &nulls[..rows.div_ceil(64)];
                let is_full = used.iter().all(|w| *w == 0);
                let nulls = if is_full { Nulls::default() } else { Nulls::from_words(used.to_vec()) };
                Some(Vector { data: Data::$data(values), nulls })
            }};
        }
        match self.program.output {
            Output::Vector(Form::Bool) => vector!(Bool, bool),
            Output::Vector(Form::I16) => vector!(I16, i16),
            Output::Vector(Form::I32) => vector!(I32, i32),
            Output::Vector(Form::I64) => vector!(I64, i64),
            Output::Vector(Form::U32) => vector!(U32, u32),
            Output::Vector(Form::F32) => vector!(F32, f32),
            Output::Vector(Form::F64) => vector!(F64, f64),
            Output::Kept => None,
        }
    }

    /// Lists the rows that a filter keeps, of `rows` rows of these columns; false as [`Unit::values`] answers `None`.
    pub fn kept(&self, columns: &[&Vector], inputs: &[Input], rows: usize, out: &mut Vec<u32>) -> bool {
        out.clear();
        let Some(columns) = self.vectors(columns) else { return false };
        self.kept_in(columns, inputs, 0..rows, out)
    }

    /// As [`Unit::kept`], of a range of rows of columns wherever they are; rows are counted from the columns' first.
    pub fn kept_in<'c>(
        &self,
        columns: impl IntoIterator<Item = Column<'c>>,
        inputs: &'c [Input],
        rows: Range<usize>,
        out: &mut Vec<u32>,
    ) -> bool {
        out.clear();
        let count = rows.len();
        let Some(frame) = self.frame(columns.into_iter().collect(), inputs, rows) else { return false };
        if self.program.output != Output::Kept {
            return false;
        }
        let done = match self.code(frame.nulls) {
            Some(code) => {
                // The row at hand is written behind those that are kept, whether it is or not.
                out.resize(count, 0);
                // SAFETY: `out` has room for the numbers of all rows.
                let done = unsafe { self.run(code, &frame, out.as_mut_ptr().cast(), &mut [0; NULL_WORDS]) };
                out.truncate(done.unwrap_or(0));
                done
            }
            None => self.interpret(&frame, &mut Sink::Kept(&mut |row| out.push(row))),
        };
        done.is_some()
    }

    fn vectors<'v>(&self, columns: &[&'v Vector]) -> Option<Columns<'v>> {
        let fits = columns.len() == self.program.columns.len();
        let pairs = columns.iter().zip(&self.program.columns);
        fits.then(|| pairs.map(|(v, &form)| Column::of(v, form)).collect()).flatten()
    }

    /// What the rows are, when they are what the program reads (J2).
    fn frame<'f>(&self, columns: Columns<'f>, inputs: &'f [Input], rows: Range<usize>) -> Option<Frame<'f>> {
        let program = &*self.program;
        let fits = rows.end <= ROWS_MAX
            && columns.len() == program.columns.len()
            && inputs.len() >= program.inputs as usize
            && columns.iter().zip(&program.columns).all(|(c, &form)| c.form == form && c.reaches(rows.end));
        if !fits {
            return None;
        }
        // Columns beyond the 64th share a bit.
        let words = |c: &Column<'_>| c.nulls.len().min(rows.end.div_ceil(64));
        let has_null = |c: &Column<'_>| c.nulls[..words(c)].iter().any(|w| *w != 0);
        let bit = |(i, c): (usize, &Column<'_>)| u64::from(has_null(c)) << i.min(63);
        let nulls = columns.iter().enumerate().map(bit).fold(0, |all, bit| all | bit);
        Some(Frame { columns, inputs, rows, nulls })
    }

    /// The code for columns of which these have NULLs.
    fn code(&self, nulls: u64) -> Option<&Block> {
        let (last, others) = self.code.split_last()?;
        let make = |nulls| (nulls, self.maker.compile(&self.program, nulls));
        // Whoever finds a place taken by another kind goes on to the next.
        let own = others.iter().map(|place| place.get_or_init(|| make(nulls))).find(|(kind, _)| *kind == nulls);
        let (_, made) = own.unwrap_or_else(|| last.get_or_init(|| make(ANY)));
        made.as_ref().map(|m| &m.block)
    }

    fn interpret(&self, frame: &Frame<'_>, sink: &mut Sink<'_>) -> Option<usize> {
        if !self.maker.interprets {
            return None;
        }
        interpret::run(&self.program, &frame.columns, frame.inputs, frame.rows.clone(), sink).ok()
    }

    /// How many rows were kept; `None` at a suspect one.
    ///
    /// # Safety
    /// `code` is this unit's for such columns, `frame` this unit's; `out` has room for as many values of the output's form as there are rows.
    unsafe fn run(
        &self,
        code: &Block,
        frame: &Frame<'_>,
        out: *mut u8,
        nulls: &mut [u64; NULL_WORDS],
    ) -> Option<usize> {
        if frame.rows.is_empty() {
            return Some(0);
        }
        // Bitmaps that end early are made whole: those of vectors do.
        let needed = frame.rows.end.div_ceil(64);
        let is_short = |c: &Column<'_>| !c.nulls.is_empty() && c.nulls.len() < needed;
        if needed > NULL_WORDS && frame.columns.iter().any(is_short) {
            return None;
        }
        let mut whole: SmallVec<[[u64; NULL_WORDS]; 2]> = SmallVec::new();
        whole.reserve(frame.columns.iter().filter(|c| is_short(c)).count());
        let mut words: SmallVec<[u64; FEW_WORDS]> = SmallVec::from_elem(0, self.layout.words);
        let address = |at: *const u64| at.expose_provenance() as u64;
        words[0] = out.expose_provenance() as u64;
        words[1] = address(nulls.as_mut_ptr());
        for (i, column) in frame.columns.iter().enumerate() {
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
        for (i, input) in frame.inputs.iter().enumerate().take(self.program.inputs as usize) {
            let at = self.layout.inputs + 2 * i;
            (words[at], words[at + 1]) = (input.unwrap_or(0), u64::from(input.is_none()));
        }
        for (i, list) in self.program.lists.iter().enumerate() {
            words[self.layout.lists + i] = address(list.as_ptr());
        }
        for (i, set) in self.program.sets.iter().enumerate() {
            words[self.layout.sets + i] = address(set.as_ptr());
        }
        // SAFETY: the program is sound (`Jit::unit`) and the frame laid out by its layout; columns have the forms it reads and at least so many
        // values, bitmaps as many words as those need (`frame`), and `out` the room that the caller says (J2).
        let answer = unsafe { code.run(words.as_mut_ptr(), frame.rows.clone()) };
        // A suspect row is answered as its complement.
        usize::try_from(answer as i64).ok()
    }
}

type Columns<'v> = SmallVec<[Column<'v>; FEW_COLUMNS]>;

/// The rows of one run.
struct Frame<'f> {
    columns: Columns<'f>,
    inputs: &'f [Input],
    rows: Range<usize>,
    /// Which columns have NULLs.
    nulls: u64,
}

/// A word as a value of a vector.
trait Narrow {
    fn narrow(word: u64) -> Self;
}

macro_rules! narrows {
    ($($ty:ident |$w:ident| $value:expr;)*) => {$(impl Narrow for $ty {
        fn narrow($w: u64) -> $ty { $value }
    })*};
}
narrows! {
    bool |w| w & 1 == 1;
    i16 |w| w as i16;
    i32 |w| w as i32;
    i64 |w| w as i64;
    u32 |w| w as u32;
    f32 |w| f64::from_bits(w) as f32;
    f64 |w| f64::from_bits(w);
}
