//! `Rows`: what one run reads; and `Sink`: where its values go.

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;
use vector::CHUNK_ROWS;

use crate::call::Argument;
use crate::cells::Cells;
use crate::column::{Column, Input};
use crate::given::{Given, WordList};
use crate::program::{Fold, Form, Output, Program};
use crate::provider::Suspect;

/// Words of a NULL bitmap for a chunk.
pub(crate) const NULL_WORDS: usize = CHUNK_ROWS / 64;
/// Rows that one run can go up to.
pub(crate) const ROWS_MAX: usize = 1 << 16;
/// Columns that take no allocation.
const FEW_COLUMNS: usize = 8;

pub(crate) type Columns<'v> = SmallVec<[Column<'v>; FEW_COLUMNS]>;

/// The rows of one run: they are what its program reads.
pub struct Rows<'r> {
    program: &'r Arc<Program>,
    columns: &'r [Column<'r>],
    given: Given<'r>,
    range: Range<usize>,
    nulls: u64,
    /// How many calls there were.
    called: std::cell::Cell<u64>,
}

impl<'r> Rows<'r> {
    /// `None` unless columns have the program's forms and values up to the end of `range`, and no input is missing (J2).
    pub(crate) fn new(
        program: &'r Arc<Program>,
        columns: &'r [Column<'r>],
        given: Given<'r>,
        range: Range<usize>,
    ) -> Option<Rows<'r>> {
        let fits = range.end <= ROWS_MAX
            && columns.len() == program.columns.len()
            && given.inputs.len() >= program.inputs as usize
            && columns.iter().zip(&program.columns).all(|(c, &form)| c.form == form && c.reaches(range.end));
        if !fits {
            return None;
        }
        let words = |c: &Column<'_>| c.nulls.len().min(range.end.div_ceil(64));
        // All of them: a loop that may end early takes longer.
        let has_null = |c: &Column<'_>| c.nulls[..words(c)].iter().fold(0, |all, w| all | w) != 0;
        let bit = |(i, c): (usize, &Column<'_>)| u64::from(has_null(c)) << i.min(63);
        let nulls = columns.iter().enumerate().map(bit).fold(0, |all, bit| all | bit);
        let given = Given { inputs: &given.inputs[..program.inputs as usize], ..given };
        Some(Rows { program, columns, given, range, nulls, called: std::cell::Cell::new(0) })
    }

    /// What runs over them.
    pub fn program(&self) -> &'r Arc<Program> {
        self.program
    }

    /// As many as the program has, of its forms.
    pub fn columns(&self) -> &'r [Column<'r>] {
        self.columns
    }

    /// As many as the program has.
    pub fn inputs(&self) -> &'r [Input] {
        self.given.inputs
    }

    /// As many as whoever runs the program gives.
    pub fn lists(&self) -> &'r [WordList] {
        self.given.lists
    }

    /// Calls something: what a site of the program is for a row, given its arguments.
    ///
    /// # Errors
    /// When the row is suspect to it, or nobody knows what is to be called.
    pub fn call(&self, site: u32, row: usize, args: &[Argument]) -> Result<Input, Suspect> {
        self.called.set(self.called.get() + 1);
        self.given.calls.ok_or(Suspect)?.call(site, row, args)
    }

    /// How many calls there were.
    pub(crate) fn called(&self) -> u64 {
        self.called.get()
    }

    /// Which rows of the columns.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// A bit for each column that has NULLs; those beyond the 64th share one.
    pub fn nulls(&self) -> u64 {
        self.nulls
    }
}

/// Where the values of one run go: into a vector; or, of a filter, the rows that are kept into a list; or what they are folded into.
pub struct Sink<'s> {
    pub(crate) place: Place<'s>,
    range: Range<usize>,
}

pub(crate) enum Place<'s> {
    /// Values from row 0 on, and a bit for each that is NULL.
    Values(Values<'s>, &'s mut [u64; NULL_WORDS]),
    Kept(&'s mut Vec<u32>),
    Folded(&'s mut Cells),
}

impl<'s> Sink<'s> {
    /// For the values of rows `0..rows`, of which there are as many, and not more than a chunk's.
    pub(crate) fn of_values(values: Values<'s>, nulls: &'s mut [u64; NULL_WORDS], rows: usize) -> Sink<'s> {
        Sink { place: Place::Values(values, nulls), range: 0..rows }
    }

    /// For the numbers of those rows of `range` that are kept; nothing is listed yet.
    pub(crate) fn of_kept(kept: &'s mut Vec<u32>, range: Range<usize>) -> Sink<'s> {
        Sink { place: Place::Kept(kept), range }
    }

    /// For what the rows are folded into; if the run does not come to its end, none of it counts.
    pub(crate) fn of_cells(cells: &'s mut Cells, range: Range<usize>) -> Sink<'s> {
        Sink { place: Place::Folded(cells), range }
    }

    /// Folds a value, or NULL, into a cell.
    ///
    /// # Panics
    /// When the program has no such cell.
    #[inline]
    pub fn fold(&mut self, fold: Fold, cell: u32, value: Option<u64>) {
        match &mut self.place {
            Place::Folded(cells) => {
                let cell = &mut cells.fresh()[cell as usize];
                *cell = fold.apply(*cell, value);
            }
            _ => panic!("cell {cell} of a program without cells"),
        }
    }

    /// Puts the value of a row, a word that looks as the program's output says, or NULL; a filter keeps the rows whose value is true.
    ///
    /// # Panics
    /// When the run has no such row, or, of a filter, it does not come behind those that are kept.
    #[inline]
    pub fn put(&mut self, row: usize, value: Option<u64>) {
        assert!(self.range.contains(&row), "row {row} of {:?}", self.range);
        match &mut self.place {
            Place::Values(values, nulls) => {
                values.set(row, value.unwrap_or(0));
                nulls[row / 64] |= u64::from(value.is_none()) << (row % 64);
            }
            Place::Kept(kept) => {
                if value.is_some_and(|w| w & 1 == 1) {
                    assert!(kept.last().is_none_or(|&last| (last as usize) < row), "row {row} is late");
                    kept.push(row as u32);
                }
            }
            Place::Folded(_) => panic!("a program that folds has no values"),
        }
    }

    /// Whether it is for this output, of rows up to the end of `range` if they are values.
    pub(crate) fn is_for(&self, output: Output, range: &Range<usize>) -> bool {
        match (&self.place, output) {
            (Place::Values(values, _), Output::Vector(form)) => {
                values.form() == form && range.end <= self.range.end && range.end <= values.len()
            }
            (Place::Kept(_), Output::Kept) => true,
            (Place::Folded(cells), Output::Folded(count)) => cells.len() == count as usize,
            _ => false,
        }
    }
}

macro_rules! values {
    ($($form:ident $ty:ty, $narrow:expr;)*) => {
        /// Values of a vector that are not all there yet.
        pub(crate) enum Values<'s> {
            $($form(&'s mut [$ty]),)*
        }

        impl Values<'_> {
            fn set(&mut self, row: usize, word: u64) {
                match self {
                    $(Values::$form(values) => values[row] = $narrow(word),)*
                }
            }

            fn form(&self) -> Form {
                match self {
                    $(Values::$form(_) => Form::$form,)*
                }
            }

            fn len(&self) -> usize {
                match self {
                    $(Values::$form(values) => values.len(),)*
                }
            }

            /// Where they lie.
            pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
                match self {
                    $(Values::$form(values) => values.as_mut_ptr().cast(),)*
                }
            }
        }
    };
}
values! {
    Bool bool, |w: u64| w & 1 == 1;
    I16 i16, |w: u64| w as i16;
    I32 i32, |w: u64| w as i32;
    I64 i64, |w: u64| w as i64;
    U32 u32, |w: u64| w as u32;
    F32 f32, |w: u64| f64::from_bits(w) as f32;
    F64 f64, |w: u64| f64::from_bits(w);
}
