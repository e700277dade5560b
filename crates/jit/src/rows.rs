//! `Rows`: what one run reads; and `Sink`: where its values go.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;
use vector::CHUNK_ROWS;

use crate::call::Argument;
use crate::cells::Cells;
use crate::column::{Column, Input};
use crate::given::{Given, WordList};
use crate::page::PageColumns;
use crate::program::{Fold, Form, Output, Program};
use crate::provider::Suspect;

/// Words of a NULL bitmap for a chunk.
pub(crate) const NULL_WORDS: usize = CHUNK_ROWS / 64;
/// Rows that one run can go up to.
pub(crate) const ROWS_MAX: usize = 1 << 16;
/// Columns that take no allocation.
const FEW_COLUMNS: usize = 8;

static NO_NULLS: [u64; ROWS_MAX / 64] = [0; ROWS_MAX / 64];

pub(crate) type Columns<'v> = SmallVec<[Column<'v>; FEW_COLUMNS]>;

/// The rows of one run: they are what its program reads.
pub struct Rows<'r> {
    program: &'r Arc<Program>,
    source: Source<'r>,
    given: Given<'r>,
    range: Range<usize>,
    nulls: u64,
    /// How many calls there were.
    called: std::cell::Cell<u64>,
}

/// Where columns are.
enum Source<'r> {
    /// Wherever they say.
    Columns(&'r [Column<'r>]),
    /// On a page, which fits; and how far ahead the next one lies. They are looked up for those who ask for them.
    Page { page: &'r [u8], columns: &'r PageColumns, ahead: usize, looked_up: OnceCell<Vec<Column<'r>>> },
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
        Some(Rows { program, source: Source::Columns(columns), given, range, nulls, called: std::cell::Cell::new(0) })
    }

    /// The same of a page, of which the next lies so many bytes ahead. `None` unless it has room for rows up to the end of `range`, and no input is missing (J2).
    pub(crate) fn of_page(
        columns: &'r PageColumns,
        (page, ahead): (&'r [u8], usize),
        given: Given<'r>,
        range: Range<usize>,
    ) -> Option<Rows<'r>> {
        let program = &columns.program;
        let has_inputs = given.inputs.len() >= program.inputs as usize;
        if range.end > ROWS_MAX || !columns.fit(page) || !columns.reach(range.end) || !has_inputs {
            return None;
        }
        let nulls = columns.nulls(page, range.end);
        let given = Given { inputs: &given.inputs[..program.inputs as usize], ..given };
        let source = Source::Page { page, columns, ahead, looked_up: OnceCell::new() };
        Some(Rows { program, source, given, range, nulls, called: std::cell::Cell::new(0) })
    }

    /// What runs over them.
    pub fn program(&self) -> &'r Arc<Program> {
        self.program
    }

    /// As many as the program has, of its forms.
    pub fn columns(&self) -> &[Column<'r>] {
        match &self.source {
            Source::Columns(columns) => columns,
            Source::Page { page, columns, looked_up, .. } => looked_up.get_or_init(|| columns.columns(page)),
        }
    }

    /// How far ahead those rows lie that are read next, in bytes.
    pub(crate) fn ahead(&self) -> usize {
        match &self.source {
            Source::Columns(columns) => columns.first().map_or(0, |c| c.ahead),
            Source::Page { ahead, .. } => *ahead,
        }
    }

    /// Columns with fewer words of bits than so many, but with some.
    pub(crate) fn short(&self, words: usize) -> impl Iterator<Item = &'r Column<'r>> {
        let columns = match self.source {
            Source::Columns(columns) => columns,
            // Bitmaps of pages have words for all rows.
            Source::Page { .. } => &[],
        };
        columns.iter().filter(move |c| !c.nulls.is_empty() && c.nulls.len() < words)
    }

    /// Fills in where the values and the bits of each column are. `whole` has the bitmaps, made longer, of those that are `short` of so many words.
    pub(crate) fn place(&self, words: &mut [u64], needed: usize, whole: &[[u64; NULL_WORDS]]) {
        let address = |at: *const u64| at.expose_provenance() as u64;
        match self.source {
            Source::Columns(columns) => {
                let mut whole = whole.iter();
                for (column, words) in columns.iter().zip(words.chunks_exact_mut(2)) {
                    words[0] = column.bytes.as_ptr().expose_provenance() as u64;
                    words[1] = if column.nulls.is_empty() {
                        address(NO_NULLS.as_ptr())
                    } else if column.nulls.len() < needed {
                        whole.next().map_or(0, |w| address(w.as_ptr()))
                    } else {
                        address(column.nulls.as_ptr())
                    };
                }
            }
            Source::Page { page, columns, .. } => {
                let start = page.as_ptr().expose_provenance() as u64;
                words.iter_mut().zip(&columns.places).for_each(|(word, place)| *word = start + place);
            }
        }
    }

    /// Whether all columns have values and bits that can be read up to row `end`, whatever they are.
    pub(crate) fn reach(&self, end: usize) -> bool {
        let has_bits = |c: &Column<'_>| c.nulls.is_empty() || c.nulls.len() >= end.div_ceil(64);
        match self.source {
            Source::Columns(columns) => columns.iter().all(|c| c.reaches(end) && has_bits(c)),
            Source::Page { columns, .. } => columns.reach(end),
        }
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
