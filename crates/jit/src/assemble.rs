//! Copy and patch: a program's steps become the bytes of its code.
//!
//! A frame is words: the output's two, then data and NULLs of each column, value and NULL of each input, each slot, and where each list and each set lies.

use crate::encode::{self, JUMP_BYTES};
use crate::filter::simplified;
use crate::patch::What;
use crate::program::{Label, Output, Program, Right, Step};
use crate::stencil::{Stencil, Table};

/// The places of a frame, in words.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub columns: usize,
    pub inputs: usize,
    pub slots: usize,
    pub lists: usize,
    pub sets: usize,
    /// Words of the whole frame.
    pub words: usize,
}

impl Layout {
    pub fn of(program: &Program) -> Layout {
        let columns = 2;
        let inputs = columns + 2 * program.columns.len();
        let slots = inputs + 2 * program.inputs as usize;
        let lists = slots + 2 * program.slots as usize;
        let sets = lists + program.lists.len();
        Layout { columns, inputs, slots, lists, sets, words: sets + program.sets.len() }
    }
}

/// Lists up to this long are searched one by one.
const SHORT_LIST: usize = 6;

/// The code of a program, as bytes that may lie anywhere, and how many stencils it is made of.
pub struct Assembly {
    pub code: Vec<u8>,
    pub stencils: usize,
}

struct Assembler<'a> {
    program: &'a Program,
    table: &'a Table,
    layout: &'a Layout,
    /// Which columns may hold NULLs; those beyond the 64th share a bit.
    nulls: u64,
    code: Vec<u8>,
    stencils: usize,
    /// Where labels are.
    labels: Vec<(Label, usize)>,
    /// Distances that are not known yet: where, and to what.
    open: Vec<(usize, Target)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Label(Label),
    Suspect,
}

/// The code of `program`; `nulls` has a bit for each column that may hold NULLs. `None` where there is no stencil for a step, or a value does not fit into its hole.
pub fn assemble(program: &Program, layout: &Layout, table: &Table, nulls: u64) -> Option<Assembly> {
    let mut a = Assembler {
        program,
        table,
        layout,
        nulls,
        code: Vec::with_capacity(64 * program.steps.len() + 128),
        stencils: 0,
        labels: Vec::new(),
        open: Vec::new(),
    };
    let can_fail = |step: &Step| a.stencil(step).is_some_and(|s| s.0.can_fail());
    let steps = simplified(program, can_fail);
    for step in steps.iter() {
        match *step {
            Step::Here(label) => a.labels.push((label, a.code.len())),
            _ => {
                let (stencil, holes, jump) = a.stencil(step)?;
                a.put(stencil, holes, jump)?;
            }
        }
    }
    let emit = match program.output {
        Output::Vector(form) => table.emit[form as usize],
        Output::Kept => table.emit_kept,
    };
    a.put(emit, [0, 8], Some(Jump::Back))?;
    a.put(table.done, [0; 2], None)?;
    let suspect = a.code.len();
    a.put(table.suspect, [0; 2], None)?;
    for (at, target) in std::mem::take(&mut a.open) {
        let to = match target {
            Target::Suspect => suspect,
            Target::Label(label) => a.labels.iter().find(|l| l.0 == label)?.1,
        };
        encode::distance(&mut a.code, at, to)?;
    }
    Some(Assembly { code: a.code, stencils: a.stencils })
}

/// Where a step jumps.
#[derive(Clone, Copy)]
enum Jump {
    /// To the first step, for the next row.
    Back,
    To(Label),
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
            Step::Jump(l) => (table.jump, [0; 2], Some(Jump::To(l))),
            Step::JumpUnlessTrue(l) => (table.jump_unless_true, [0; 2], Some(Jump::To(l))),
            Step::JumpIfFalse(l) => (table.jump_if_false, [0; 2], Some(Jump::To(l))),
            Step::JumpIfTrue(l) => (table.jump_if_true, [0; 2], Some(Jump::To(l))),
            Step::JumpUnlessNull(l) => (table.jump_unless_null, [0; 2], Some(Jump::To(l))),
            Step::Here(_) => return None,
        })
    }

    /// Copies a stencil and fills its holes.
    fn put(&mut self, stencil: &Stencil, holes: [u64; 2], jump: Option<Jump>) -> Option<()> {
        let base = self.code.len();
        let len = stencil.code.len() - if stencil.falls { JUMP_BYTES } else { 0 };
        self.code.extend_from_slice(&stencil.code[..len]);
        self.stencils += 1;
        for patch in stencil.patches.iter().filter(|p| p.at < len) {
            let at = base + patch.at;
            match patch.what {
                What::Next => encode::distance(&mut self.code, at, base + len)?,
                What::Fail => self.open.push((at, Target::Suspect)),
                What::Jump => match jump? {
                    Jump::Back => encode::distance(&mut self.code, at, 0)?,
                    Jump::To(label) => self.open.push((at, Target::Label(label))),
                },
                hole => encode::hole(&mut self.code, at, hole, holes)?,
            }
        }
        Some(())
    }
}
