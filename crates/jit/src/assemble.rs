//! Copy and patch: a program's steps become the bytes of its code.
//!
//! A frame is words: the output's two, then what calls need if there are any, then data and NULLs of each column, value and NULL of each input, each slot, where
//! each list, each set and each table lies, where each given list lies and what it is, and the cells.

use crate::call;
use crate::filter::simplified;
use crate::program::{Output, Program, Right, Step, table_span};
use crate::stencil::{Stencil, Table};
use crate::stencil_copy::{Assembly, Jump, StencilCopy};

/// The places of a frame, in words.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Whether there is room for what calls need.
    pub calls: bool,
    pub columns: usize,
    pub inputs: usize,
    pub slots: usize,
    pub lists: usize,
    pub sets: usize,
    pub tables: usize,
    pub given: usize,
    /// How many lists are given.
    pub given_lists: usize,
    pub cells: usize,
    /// Words of the whole frame.
    pub words: usize,
}

impl Layout {
    pub fn of(program: &Program) -> Layout {
        let calls = program.calls();
        Layout { calls, ..Layout::behind(if calls { call::header::WORDS } else { 2 }, program) }
    }

    /// The same behind so many words.
    pub fn behind(columns: usize, program: &Program) -> Layout {
        let inputs = columns + 2 * program.columns.len();
        let slots = inputs + 2 * program.inputs as usize;
        let lists = slots + 2 * program.slots as usize;
        let sets = lists + program.lists.len();
        let tables = sets + program.sets.len();
        let given = tables + program.tables.len();
        let given_lists = program.given_lists();
        let cells = given + 2 * given_lists;
        let words = cells + 2 * program.cells() as usize;
        Layout { calls: false, columns, inputs, slots, lists, sets, tables, given, given_lists, cells, words }
    }
}

/// Lists up to this long are searched one by one.
const SHORT_LIST: usize = 6;

struct Assembler<'a> {
    program: &'a Program,
    table: &'a Table,
    layout: &'a Layout,
    /// Which columns may hold NULLs; those beyond the 64th share a bit.
    nulls: u64,
}

/// The code of `program`; `nulls` has a bit for each column that may hold NULLs. `None` where there is no stencil for a step, or a value does not fit into its hole.
pub fn assemble(program: &Program, layout: &Layout, table: &Table, nulls: u64) -> Option<Assembly> {
    let a = Assembler { program, table, layout, nulls };
    let mut copy = StencilCopy::with_capacity(64 * program.steps.len() + 128);
    let can_fail = |step: &Step| a.stencil(step).is_some_and(|s| s.0.can_fail());
    for step in simplified(program, can_fail).iter() {
        match *step {
            Step::Here(label) => copy.here(label),
            _ => {
                let (stencil, holes, jump) = a.stencil(step)?;
                copy.put(stencil, holes, jump)?;
            }
        }
    }
    let emit = match program.output {
        Output::Vector(form) => table.emit[form as usize],
        Output::Kept => table.emit_kept,
        Output::Folded(_) => table.emit_nothing,
    };
    copy.put(emit, [0, 8], Some(Jump::Back))?;
    copy.finish(table.done, table.suspect)
}

impl Assembler<'_> {
    fn offset(&self, word: usize) -> u64 {
        8 * word as u64
    }

    fn column(&self, i: u32) -> [u64; 2] {
        let at = self.layout.columns + 2 * i as usize;
        [self.offset(at), self.offset(at + 1)]
    }

    fn slot(&self, i: u32) -> [u64; 2] {
        let at = self.layout.slots + 2 * i as usize;
        [self.offset(at), self.offset(at + 1)]
    }

    /// The stencil of a step, what its holes are filled with, and where it jumps; labels have none.
    fn stencil(&self, step: &Step) -> Option<(&'static Stencil, [u64; 2], Option<Jump>)> {
        let table = self.table;
        let plain = |column: u32| usize::from(self.nulls >> column.min(63) & 1 == 0);
        Some(match *step {
            Step::Column(c) => (table.load[self.program.columns[c as usize] as usize][plain(c)], self.column(c), None),
            Step::NullOf(c) => match plain(c) {
                0 => (table.null_of, self.column(c), None),
                _ => (table.constant, [0; 2], None),
            },
            Step::Constant(word) => (table.constant, [word, 0], None),
            Step::Null => (table.absent, [0; 2], None),
            Step::Input(i) => {
                let at = self.layout.inputs + 2 * i as usize;
                (table.restore, [self.offset(at), self.offset(at + 1)], None)
            }
            Step::Restore(s) => (table.restore, self.slot(s), None),
            Step::Save(s) => (table.save, self.slot(s), None),
            Step::Binary(op, Right::Accumulator(s)) => (table.slot[op as usize], self.slot(s), None),
            Step::Binary(op, Right::Constant(word)) => (table.binary_constant[op as usize], [word, 0], None),
            Step::Binary(op, Right::Column(c)) => {
                let form = self.program.columns[c as usize];
                (table.column[op as usize][form as usize][plain(c)]?, self.column(c), None)
            }
            Step::Unary(op) => (table.unary[op as usize], [0; 2], None),
            Step::Choose(choice, s) => (table.choice[choice as usize], self.slot(s), None),
            Step::And(s) => (table.and_slot, self.slot(s), None),
            Step::Or(s) => (table.or_slot, self.slot(s), None),
            Step::Not => (table.not, [0; 2], None),
            Step::IsNull => (table.is_null, [0; 2], None),
            Step::IsTrue => (table.is_true, [0; 2], None),
            Step::IsFalse => (table.is_false, [0; 2], None),
            Step::InList(l) => {
                let len = self.program.lists[l as usize].len();
                let search = if len <= SHORT_LIST { table.in_list } else { table.in_rising_list };
                (search, [self.offset(self.layout.lists + l as usize), len as u64], None)
            }
            Step::InSet(s) => {
                let bits = 64 * (self.program.sets[s as usize].len() as u64 - 1);
                (table.in_set, [self.offset(self.layout.sets + s as usize), bits], None)
            }
            Step::Pick(t) => {
                let count = table_span(&self.program.tables[t as usize]);
                (table.pick, [self.offset(self.layout.tables + t as usize), count], None)
            }
            Step::Among(l) => {
                let at = self.layout.given + 2 * l as usize;
                (table.among, [self.offset(at), self.offset(at + 1)], None)
            }
            Step::Call(site) => (table.call, [site.to_word(), 0], None),
            Step::Jump(l) => (table.jump, [0; 2], Some(Jump::To(l))),
            Step::JumpUnlessTrue(l) => (table.jump_unless_true, [0; 2], Some(Jump::To(l))),
            Step::JumpIfFalse(l) => (table.jump_if_false, [0; 2], Some(Jump::To(l))),
            Step::JumpIfTrue(l) => (table.jump_if_true, [0; 2], Some(Jump::To(l))),
            Step::JumpUnlessNull(l) => (table.jump_unless_null, [0; 2], Some(Jump::To(l))),
            Step::Fold(fold, cell) => {
                let at = self.layout.cells + 2 * cell as usize;
                (table.fold[fold as usize], [self.offset(at), self.offset(at + 1)], None)
            }
            Step::Here(_) => return None,
        })
    }
}
