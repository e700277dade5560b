//! `Unit`: a program with its code.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use vector::{CHUNK_ROWS, Data, Nulls, Vector};

use crate::cells::Cells;
use crate::column::Column;
use crate::given::Given;
use crate::jit::{Made, Maker};
use crate::page::PageColumns;
use crate::program::{Form, Output, Program};
use crate::provider::{Code, Tier};
use crate::rows::{Columns, NULL_WORDS, Rows, Sink, Values};

/// What a unit's code is, so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnitCode {
    /// Bytes of it; 0 when there is none.
    pub bytes: usize,
    /// Stencils that it is made of.
    pub stencils: usize,
    /// How long that took.
    pub nanoseconds: u64,
    /// How many rows the best of it runs at once.
    pub tier: Tier,
}

/// A program, and its code once it has run.
pub struct Unit {
    program: Arc<Program>,
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

impl Unit {
    pub(crate) fn new(program: Arc<Program>, maker: Arc<Maker>) -> Unit {
        Unit { program, maker, code: Default::default() }
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What code there is so far.
    pub fn made(&self) -> UnitCode {
        self.all_made().fold(UnitCode::default(), |all, m| UnitCode {
            bytes: all.bytes + m.code.bytes(),
            stencils: all.stencils + m.code.stencils(),
            nanoseconds: all.nanoseconds + m.nanoseconds + m.code.later_nanoseconds(),
            tier: all.tier.max(m.code.tier()),
        })
    }

    /// What code there is so far, as text: one line an instruction, below one that says which columns may have NULLs.
    pub fn disassembly(&self) -> String {
        let all = self.code.iter().filter_map(|c| c.get()).filter_map(|(nulls, made)| Some((*nulls, made.as_ref()?)));
        let mut out = String::new();
        for (nulls, made) in all {
            let listed = (0..64).filter(|i| nulls >> i & 1 == 1).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
            let which = match nulls {
                0 => "no column",
                ANY => "any column",
                _ => &listed,
            };
            let _ =
                writeln!(out, "; {} bytes, {} stencils, NULLs in: {which}", made.code.bytes(), made.code.stencils());
            out.push_str(&made.code.disassembly());
        }
        out
    }

    fn all_made(&self) -> impl Iterator<Item = &Made> {
        self.code.iter().filter_map(|c| c.get()?.1.as_ref())
    }

    /// The values of a program whose output is a vector, for `rows` rows of these columns; `None` when it did not come to its end (J3), or the columns are
    /// not what it reads.
    pub fn values<'g>(&self, columns: &[&Vector], given: impl Into<Given<'g>>, rows: usize) -> Option<Vector> {
        if rows > CHUNK_ROWS {
            return None;
        }
        let columns = self.vectors(columns)?;
        let run = Rows::new(&self.program, &columns, given.into(), 0..rows)?;
        macro_rules! vector {
            ($data:ident, $ty:ty) => {{
                let mut values = vec![<$ty>::default(); rows];
                let mut nulls = [0u64; NULL_WORDS];
                self.run(&run, &mut Sink::of_values(Values::$data(&mut values), &mut nulls, rows))?;
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
            Output::Kept | Output::Folded(_) => None,
        }
    }

    /// Lists the rows that a filter keeps, of `rows` rows of these columns; false as [`Unit::values`] answers `None`.
    pub fn kept<'g>(&self, columns: &[&Vector], given: impl Into<Given<'g>>, rows: usize, out: &mut Vec<u32>) -> bool {
        out.clear();
        let Some(columns) = self.vectors(columns) else { return false };
        self.kept_in(columns, given.into(), 0..rows, out)
    }

    /// As [`Unit::kept`], of a range of rows of columns wherever they are; rows are counted from the columns' first.
    pub fn kept_in<'c>(
        &self,
        columns: impl IntoIterator<Item = Column<'c>>,
        given: impl Into<Given<'c>>,
        rows: Range<usize>,
        out: &mut Vec<u32>,
    ) -> bool {
        out.clear();
        if self.program.output != Output::Kept {
            return false;
        }
        // Filled where they stay: there are few rows, and moving columns takes as long as some of them.
        let mut all = Columns::new();
        all.extend(columns);
        let Some(run) = Rows::new(&self.program, &all, given.into(), rows.clone()) else { return false };
        self.run(&run, &mut Sink::of_kept(out, rows)).is_some()
    }

    /// Folds a range of rows of columns into `cells`, which stay as they were where it answers false, as [`Unit::values`] answers `None`.
    pub fn fold_in(&self, columns: &[Column<'_>], given: Given<'_>, rows: Range<usize>, cells: &mut Cells) -> bool {
        Rows::new(&self.program, columns, given, rows).is_some_and(|run| self.fold(&run, cells))
    }

    /// The same of the rows of a page, whose columns lie where `columns` say; the next one lies so many bytes ahead, if anybody knows. That is only a hint: there need
    /// be nothing.
    pub fn fold_page(
        &self,
        columns: &PageColumns,
        (page, ahead): (&[u8], usize),
        given: Given<'_>,
        rows: Range<usize>,
        cells: &mut Cells,
    ) -> bool {
        let run = Rows::of_page(columns, (page, ahead), given, rows);
        Arc::ptr_eq(&columns.program, &self.program) && run.is_some_and(|run| self.fold(&run, cells))
    }

    /// Where the program's columns lie on pages with so many bytes: their values and bitmaps, of so many words, begin at these places. `None` where they are not inside, or
    /// not aligned to their width.
    pub fn on_pages(
        &self,
        columns: impl IntoIterator<Item = [usize; 2]>,
        words: usize,
        bytes: usize,
    ) -> Option<PageColumns> {
        PageColumns::new(&self.program, columns, words, bytes)
    }

    fn fold(&self, rows: &Rows<'_>, cells: &mut Cells) -> bool {
        if self.program.output != Output::Folded(cells.len() as u32) {
            return false;
        }
        let is_done = self.run(rows, &mut Sink::of_cells(cells, rows.range())).is_some();
        cells.end(is_done);
        is_done
    }

    fn vectors<'v>(&self, columns: &[&'v Vector]) -> Option<Columns<'v>> {
        let fits = columns.len() == self.program.columns.len();
        let pairs = columns.iter().zip(&self.program.columns);
        fits.then(|| pairs.map(|(v, &form)| Column::of(v, form)).collect()).flatten()
    }

    /// The code for columns of which these have NULLs.
    fn code(&self, nulls: u64) -> Option<&dyn Code> {
        let (last, others) = self.code.split_last()?;
        let make = |nulls| (nulls, self.maker.compile(&self.program, nulls));
        // Whoever finds a place taken by another kind goes on to the next.
        let own = others.iter().map(|place| place.get_or_init(|| make(nulls))).find(|(kind, _)| *kind == nulls);
        let (_, made) = own.unwrap_or_else(|| last.get_or_init(|| make(ANY)));
        made.as_ref().map(|m| &*m.code)
    }

    fn run(&self, rows: &Rows<'_>, sink: &mut Sink<'_>) -> Option<()> {
        if rows.range().is_empty() {
            return Some(());
        }
        self.maker.run(self.code(rows.nulls()), rows, sink)
    }
}
