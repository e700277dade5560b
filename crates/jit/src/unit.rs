//! `Unit`: a program with its code.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;
use vector::{CHUNK_ROWS, Data, Nulls, Vector};

use crate::arena::Block;
use crate::assemble::Layout;
use crate::column::{Column, Input};
use crate::interpret::{self, Sink};
use crate::jit::{Made, Maker};
use crate::program::{Form, Output, Program};

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
    pub(crate) fn new(program: Arc<Program>, maker: Arc<Maker>) -> Unit {
        let layout = Layout::of(&program);
        Unit { program, layout, maker, code: Default::default() }
    }

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
