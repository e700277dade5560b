//! `Program`: what is to be done for each row, as steps over an accumulator, slots, columns and inputs.
//!
//! The accumulator is a word and whether it is NULL. What a word looks like is said by `ops` (W1).

macro_rules! operations {
    ($(#[$doc:meta])* $enum:ident: $($op:ident $name:ident $($kind:ident)?;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "ops says what each does")]
        pub enum $enum { $($name,)* }

        impl $enum {
            /// How many there are.
            pub const COUNT: usize = [$($enum::$name,)*].len();
            /// All.
            pub const ALL: [$enum; $enum::COUNT] = [$($enum::$name,)*];
            pub(crate) const NAMES: [&'static str; $enum::COUNT] = [$(stringify!($op),)*];
        }
    };
}

macro_rules! binary {
    ($($op:ident $name:ident $kind:ident;)*) => {
        operations! {
            /// An operation of two words, NULL where one is.
            BinaryOp: $($op $name $kind;)*
        }

        impl BinaryOp {
            /// Its value, and whether that is suspect.
            #[inline]
            pub fn apply(self, a: u64, b: u64) -> (u64, bool) {
                match self { $(BinaryOp::$name => ops::$op(a, b),)* }
            }

            /// Whether it works on floats.
            pub fn is_float(self) -> bool {
                let kind = match self { $(BinaryOp::$name => stringify!($kind),)* };
                kind == "float"
            }
        }
    };
}
ops::binary_operations!(binary);

macro_rules! unary {
    ($($op:ident $name:ident;)*) => {
        operations! {
            /// An operation of one word, NULL where that is.
            UnaryOp: $($op $name;)*
        }

        impl UnaryOp {
            /// Its value, and whether that is suspect.
            #[inline]
            pub fn apply(self, a: u64) -> (u64, bool) {
                match self { $(UnaryOp::$name => ops::$op(a),)* }
            }
        }
    };
}
ops::unary_operations!(unary);

macro_rules! choices {
    ($($op:ident $name:ident;)*) => {
        operations! {
            /// A choice between two words; the other where one is NULL.
            Choice: $($op $name;)*
        }

        impl Choice {
            /// The one that is chosen; neither is NULL.
            #[inline]
            pub fn apply(self, a: u64, b: u64) -> u64 {
                match self { $(Choice::$name => ops::$op(a, b).0,)* }
            }
        }
    };
}
ops::choices!(choices);

macro_rules! folds {
    ($($op:ident $name:ident;)*) => {
        operations! {
            /// What becomes of a cell by a row's value.
            Fold: $($op $name;)*
        }

        impl Fold {
            /// A cell and one value more, or NULL.
            #[inline]
            pub fn apply(self, [x, y]: Cell, value: Option<u64>) -> Cell {
                let (a, z) = (value.unwrap_or(0), u64::from(value.is_none()));
                match self { $(Fold::$name => ops::$op(x, y, a, z).into(),)* }
            }
        }
    };
}
ops::folds!(folds);

/// What rows were folded into: a number of 128 bits, lower half first; or of extremes and logic, a word, and 1 where there were values that are not NULL.
/// Both are zero at first.
pub type Cell = [u64; 2];

macro_rules! forms {
    ($($op:ident $name:ident $ty:ident;)*) => {
        operations! {
            /// How a column's values lie in memory.
            Form: $($op $name;)*
        }
    };
}
ops::column_forms!(forms);

impl Form {
    /// Whether its words are floats.
    pub fn is_float(self) -> bool {
        matches!(self, Form::F32 | Form::F64)
    }

    /// Bytes of a value.
    #[inline]
    pub fn width(self) -> usize {
        match self {
            Form::Bool => 1,
            Form::I16 => 2,
            Form::I32 | Form::U32 | Form::F32 => 4,
            Form::I64 | Form::F64 => 8,
        }
    }

    /// Whether a binary operation can have it as its right side without loading it first.
    pub(crate) fn is_right(self) -> bool {
        !matches!(self, Form::Bool | Form::U32)
    }
}

/// A place that is jumped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(pub u32);

/// The right side of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// The accumulator is; the left side is in this slot.
    Accumulator(u32),
    /// This word; the left side is the accumulator.
    Constant(u64),
    /// This column; the left side is the accumulator.
    Column(u32),
}

/// Something that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Site {
    /// What, as whoever runs the program knows it.
    pub number: u32,
    /// The first of the slots that are its arguments.
    pub first: u32,
    /// How many there are.
    pub args: u32,
}

impl Site {
    /// The slots that are its arguments.
    pub fn slots(self) -> std::ops::Range<u32> {
        self.first..self.first + self.args
    }
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Loads a column.
    Column(u32),
    /// Loads whether a column is NULL.
    NullOf(u32),
    /// Loads a word.
    Constant(u64),
    /// Loads NULL.
    Null,
    /// Loads an input.
    Input(u32),
    /// Loads a slot.
    Restore(u32),
    /// Puts the accumulator into a slot.
    Save(u32),
    /// An operation.
    Binary(BinaryOp, Right),
    /// An operation.
    Unary(UnaryOp),
    /// The slot or the accumulator.
    Choose(Choice, u32),
    /// AND of a slot and the accumulator.
    And(u32),
    /// OR of a slot and the accumulator.
    Or(u32),
    /// The opposite of a boolean.
    Not,
    /// Whether the accumulator is NULL.
    IsNull,
    /// Whether it is true.
    IsTrue,
    /// Whether it is false.
    IsFalse,
    /// Whether it is in the list of this number; NULL where it is.
    InList(u32),
    /// The same of a set.
    InSet(u32),
    /// Loads what the table of this number has for it.
    Pick(u32),
    /// Whether it is among the values of the given list of this number.
    Among(u32),
    /// Calls something.
    Call(Site),
    /// Goes on at a label.
    Jump(Label),
    /// Does so unless the accumulator is true.
    JumpUnlessTrue(Label),
    /// Does so if it is false.
    JumpIfFalse(Label),
    /// Does so if it is true.
    JumpIfTrue(Label),
    /// Does so unless it is NULL.
    JumpUnlessNull(Label),
    /// Here is a label.
    Here(Label),
    /// Folds the accumulator into a cell.
    Fold(Fold, u32),
}

impl Step {
    /// The label that it may jump to.
    pub fn target(&self) -> Option<Label> {
        match *self {
            Step::Jump(l)
            | Step::JumpUnlessTrue(l)
            | Step::JumpIfFalse(l)
            | Step::JumpIfTrue(l)
            | Step::JumpUnlessNull(l) => Some(l),
            _ => None,
        }
    }
}

/// What becomes of the rows' values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// They are put into a vector of this form.
    Vector(Form),
    /// The rows for which they are true are listed.
    Kept,
    /// Nothing: steps fold them into so many cells, each one step's.
    Folded(u32),
}

/// A row program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Program {
    /// In order; labels are jumped to from before them only, so every row ends.
    pub steps: Vec<Step>,
    /// Forms of the columns it reads.
    pub columns: Vec<Form>,
    /// How many inputs it reads.
    pub inputs: u32,
    /// How many slots it needs.
    pub slots: u32,
    /// Lists of words, none empty; rising as signed numbers.
    pub lists: Vec<Vec<u64>>,
    /// Sets of words: the least, then 64 bits a word for those from there on; none without bits.
    pub sets: Vec<Vec<u64>>,
    /// Tables of words: the least that one is about, then pairs of a value and whether that is NULL, 0 or 1, for those from there on; the last pair is for all
    /// other words, and for NULL.
    pub tables: Vec<Vec<u64>>,
    /// What it is for.
    pub output: Output,
    /// What its code may be made better by.
    pub passes: Passes,
}

/// What makes code better that would be right without it, so that what each is worth can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Passes {
    /// Operands that are constants or columns become part of the operation's stencil. Done by whoever writes the program: [`Right`].
    pub merge: bool,
    /// What is chosen by the value of one integer is looked up. Done by whoever writes the program: [`Step::Pick`].
    pub pick: bool,
    /// Filters do not save, nor put together, what tells only NULL from false: booleans stay in registers.
    pub truth: bool,
    /// Rows are done 32 or 16 at once, in registers, where there are many.
    pub tiles: bool,
}

impl Default for Passes {
    /// All.
    fn default() -> Passes {
        Passes { merge: true, pick: true, truth: true, tiles: true }
    }
}

/// Values of a set, or of a table, lie at most so far apart.
const SET_SPAN: u64 = 64 * 64;

/// The least of these words, and how far the greatest lies from it; `None` where that is too far, or there are none.
fn span_of(words: impl Iterator<Item = u64> + Clone) -> Option<(u64, u64)> {
    let least = words.clone().map(|w| w as i64).min()? as u64;
    let span = words.map(|w| w.wrapping_sub(least)).max()?;
    (span < SET_SPAN).then_some((least, span))
}

/// The set of these words, as [`Program::sets`] has it; `None` where they lie too far apart, or are none.
pub fn set_of(words: &[u64]) -> Option<Vec<u64>> {
    let (least, span) = span_of(words.iter().copied())?;
    let mut set = vec![0; 2 + span as usize / 64];
    set[0] = least;
    for word in words {
        let at = word.wrapping_sub(least);
        set[1 + at as usize / 64] |= 1 << (at % 64);
    }
    Some(set)
}

/// A table that has these values for these words, of equal ones the first's, and `other` for the rest, as [`Program::tables`] has it; NULL is none. `None` where
/// the words lie too far apart, or there are none.
pub fn table_of(pairs: &[(u64, Option<u64>)], other: Option<u64>) -> Option<Vec<u64>> {
    let (least, span) = span_of(pairs.iter().map(|p| p.0))?;
    let pair = |value: Option<u64>| [value.unwrap_or(0), u64::from(value.is_none())];
    let mut table = vec![least];
    (0..=span + 1).for_each(|_| table.extend(pair(other)));
    for &(word, value) in pairs.iter().rev() {
        let at = 1 + 2 * word.wrapping_sub(least) as usize;
        table[at..at + 2].copy_from_slice(&pair(value));
    }
    Some(table)
}

/// Whether these are a least word and pairs, one of them for the rest.
fn is_table(table: &[u64]) -> bool {
    let [_, pairs @ ..] = table else { return false };
    pairs.len() >= 2
        && pairs.len() % 2 == 0
        && pairs.len() / 2 <= SET_SPAN as usize + 1
        && pairs.chunks(2).all(|p| p[1] < 2)
}

/// How many words a table is about.
pub(crate) fn table_span(table: &[u64]) -> u64 {
    (table.len() as u64 / 2).saturating_sub(1)
}

impl Program {
    /// One without steps.
    pub fn new(output: Output) -> Program {
        Program {
            steps: Vec::new(),
            columns: Vec::new(),
            inputs: 0,
            slots: 0,
            lists: Vec::new(),
            sets: Vec::new(),
            tables: Vec::new(),
            output,
            passes: Passes::default(),
        }
    }

    /// Whether it folds values, instead of putting them out.
    pub fn folds(&self) -> bool {
        matches!(self.output, Output::Folded(_))
    }

    /// How many cells it folds into.
    pub fn cells(&self) -> u32 {
        if let Output::Folded(cells) = self.output { cells } else { 0 }
    }

    /// How many lists it is to be given.
    pub fn given_lists(&self) -> usize {
        let number = |step: &Step| if let Step::Among(l) = step { *l as usize + 1 } else { 0 };
        self.steps.iter().map(number).max().unwrap_or(0)
    }

    /// Whether it calls something.
    pub fn calls(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Call(_)))
    }

    /// Whether it keeps what the rest of this crate relies on: everything it names exists, labels lie ahead of who jumps to them, and forms fit.
    pub fn is_sound(&self) -> bool {
        let mut open: Vec<Label> = Vec::new();
        let mut seen: Vec<Label> = Vec::new();
        let mut folded: Vec<u32> = Vec::new();
        for step in &self.steps {
            let fits = match *step {
                Step::Column(c) | Step::NullOf(c) => (c as usize) < self.columns.len(),
                Step::Input(i) => i < self.inputs,
                Step::Restore(s) | Step::Save(s) | Step::Choose(_, s) | Step::And(s) | Step::Or(s) => s < self.slots,
                Step::Binary(_, Right::Accumulator(s)) => s < self.slots,
                Step::Binary(op, Right::Column(c)) => {
                    self.columns.get(c as usize).is_some_and(|f| f.is_right() && f.is_float() == op.is_float())
                }
                Step::InList(l) => self.lists.get(l as usize).is_some_and(|l| !l.is_empty()),
                Step::InSet(s) => self.sets.get(s as usize).is_some_and(|s| s.len() > 1),
                Step::Pick(t) => self.tables.get(t as usize).is_some_and(|t| is_table(t)),
                Step::Call(site) => site.fits() && site.slots().end <= self.slots,
                Step::Here(l) => {
                    let is_new = !seen.contains(&l);
                    seen.push(l);
                    is_new
                }
                Step::Fold(_, cell) => {
                    let is_new = !folded.contains(&cell);
                    folded.push(cell);
                    is_new && cell < self.cells()
                }
                _ => step.target().is_none_or(|l| {
                    open.push(l);
                    !seen.contains(&l)
                }),
            };
            if !fits {
                return false;
            }
        }
        open.iter().all(|l| seen.contains(l)) && self.lists.iter().all(|l| l.is_sorted_by_key(|&w| w as i64))
    }
}
