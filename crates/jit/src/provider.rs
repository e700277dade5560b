//! `Provider`: whoever makes code of programs; and `Code`, what it makes.

use std::sync::Arc;

use crate::program::Program;
use crate::rows::{Rows, Sink};

/// Makes code of programs, as a `jit_provider` of PostgreSQL does. Nothing that it can do safely makes a run unsound: `Rows` and `Sink` check what is read
/// and written.
///
/// ```
/// use std::sync::Arc;
///
/// use jit::{Code, Form, Jit, Output, Program, Provider, Rows, Sink, Step, Suspect};
///
/// /// Knows a single program: the first column as it is.
/// struct Copying;
///
/// impl Provider for Copying {
///     fn name(&self) -> &str {
///         "copying"
///     }
///
///     fn compile(&self, program: &Arc<Program>, _nulls: u64) -> Option<Box<dyn Code>> {
///         (program.steps == [Step::Column(0)]).then(|| Box::new(Copy) as Box<dyn Code>)
///     }
/// }
///
/// struct Copy;
///
/// impl Code for Copy {
///     fn run(&self, rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), Suspect> {
///         rows.range().for_each(|row| sink.put(row, rows.columns()[0].value(row)));
///         Ok(())
///     }
/// }
///
/// let jit = Jit::new(Copying);
/// let (steps, columns) = (vec![Step::Column(0)], vec![Form::Bool]);
/// let program = Program { steps, columns, ..Program::new(Output::Kept) };
/// let unit = jit.unit(program).unwrap().0;
/// let column = jit::Column::new(Form::Bool, &[1, 0, 1], &[]).unwrap();
/// let mut kept = Vec::new();
/// assert!(unit.kept_in([column], &[], 0..3, &mut kept));
/// assert_eq!(kept, [0, 2]);
/// ```
pub trait Provider: Send + Sync {
    /// What users know it by.
    fn name(&self) -> &str;

    /// The code of `program`, which is sound; `nulls` has a bit for each column that may have NULLs, and those beyond the 64th share one. `None` where there
    /// is none, now or at all: it is not asked again for this unit.
    fn compile(&self, program: &Arc<Program>, nulls: u64) -> Option<Box<dyn Code>>;

    /// Whether code that is made from now on is named in the file that `perf` reads, if there is any for it to read.
    fn perf_map(&self, _is_on: bool) {}

    /// Bytes of memory that all its code takes.
    fn bytes(&self) -> usize {
        0
    }

    /// What was done with tiles so far.
    fn tiles(&self) -> TileCounts {
        TileCounts::default()
    }
}

/// What was done with tiles: code that runs many rows at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TileCounts {
    /// Programs that got tiles.
    pub compiled: u64,
    /// Stencils that were copied for them.
    pub stencils: u64,
    /// Nanoseconds that took.
    pub nanoseconds: u64,
    /// Rows that went through tiles.
    pub rows: u64,
}

/// How many rows code runs at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// There is no machine code.
    #[default]
    None,
    /// Row by row.
    Row,
    /// Tiles, where runs are long enough; row by row where they are not, or where a tile is suspect.
    Tile,
}

/// What became of a program; it is dropped when nobody holds its unit.
pub trait Code: Send + Sync {
    /// Puts the value of every row of `rows` into `sink`, in order, or says that it cannot (J3). Rows have no NULLs but in the columns that the code was made
    /// for.
    fn run(&self, rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), Suspect>;

    /// Whether the processor runs it, rather than an interpreter.
    fn is_native(&self) -> bool {
        false
    }

    /// Bytes of it.
    fn bytes(&self) -> usize {
        0
    }

    /// Stencils that it is made of.
    fn stencils(&self) -> usize {
        0
    }

    /// How many rows it runs at once, so far.
    fn tier(&self) -> Tier {
        if self.is_native() { Tier::Row } else { Tier::None }
    }

    /// Nanoseconds it took to make what was made of it since it ran.
    fn later_nanoseconds(&self) -> u64 {
        0
    }

    /// Its instructions, one a line, to be read by people; nothing where there are none.
    fn disassembly(&self) -> String {
        String::new()
    }
}

/// A run came to a row whose value only those can tell who raise errors: nothing of it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect;
