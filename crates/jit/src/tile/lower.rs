//! From the steps of a program to the stencils of a tile.

use hashbrown::HashMap;

use super::Family;
use super::frame::TileLayout;
use super::jumps::{Need, Place, is_overwritten, places, read};
use crate::program::{BinaryOp, Choice, Fold, Form, Label, Output, Program, Right, Step, UnaryOp, table_span};
use crate::stencil::Stencil;
use crate::stencil_copy::{Assembly, Jump, StencilCopy};

/// Lists up to this long are searched one by one; programs with longer ones have no tiles.
pub const SHORT_LIST: usize = 16;

/// Longer programs have none: their code would take much of what memory there is.
const STEPS_MAX: usize = 4000;

/// Of more columns nothing is looked for ahead: rows of so many are few to a page, whose columns lie close together, and the processor sees that itself.
const AHEAD_MAX: usize = 64;

/// How many bits the integers have that lanes hold; floats have all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    I16,
    I32,
    I64,
}

impl Width {
    fn of(word: u64) -> Width {
        match word as i64 {
            w if i16::try_from(w).is_ok() => Width::I16,
            w if i32::try_from(w).is_ok() => Width::I32,
            _ => Width::I64,
        }
    }
}

/// Where the accumulator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// In lanes, and as a boolean too.
    Any,
    /// A boolean.
    Bool,
    /// In lanes.
    Lanes(Width),
}

impl Kind {
    /// Where it can be for both.
    fn join(self, other: Kind) -> Kind {
        match (self, other) {
            (Kind::Any, k) | (k, Kind::Any) => k,
            (Kind::Bool, Kind::Bool) => Kind::Bool,
            _ => Kind::Lanes(self.width().max(other.width())),
        }
    }

    /// Of what it has, or will have, in lanes.
    fn width(self) -> Width {
        match self {
            Kind::Lanes(width) => width,
            _ => Width::I16,
        }
    }
}

/// What the integers of an operation are cut off to.
fn width_of_binary(op: BinaryOp) -> Option<Width> {
    use BinaryOp::*;
    match op {
        AddI16 | SubI16 | MulI16 | DivI16 | RemI16 => Some(Width::I16),
        AddI32 | SubI32 | MulI32 | DivI32 | RemI32 => Some(Width::I32),
        AddI64 | SubI64 | MulI64 | DivI64 | RemI64 => Some(Width::I64),
        _ => None,
    }
}

/// The same, and whether they are cut off at all.
fn width_of_unary(op: UnaryOp) -> Option<(Width, bool)> {
    use UnaryOp::*;
    match op {
        NegI16 | AbsI16 => Some((Width::I16, true)),
        NegI32 | AbsI32 => Some((Width::I32, true)),
        NegI64 | AbsI64 => Some((Width::I64, true)),
        NarrowI16 => Some((Width::I16, false)),
        NarrowI32 => Some((Width::I32, false)),
        _ => None,
    }
}

/// Whether an operation answers a boolean.
fn is_test(op: BinaryOp) -> bool {
    use BinaryOp::*;
    matches!(
        op,
        EqInt | NeInt | LtInt | LeInt | GtInt | GeInt | EqFloat | NeFloat | LtFloat | LeFloat | GtFloat | GeFloat
    )
}

/// The least and the greatest 32-bit integer for which an operation with this one on its right is not too much: the lower and the upper half of a word.
fn within(op: BinaryOp, word: u64) -> Option<u64> {
    let right = i64::from(i32::try_from(word as i64).ok()?);
    let (min, max) = (i64::from(i32::MIN), i64::from(i32::MAX));
    let (least, greatest) = match (op, right) {
        (BinaryOp::AddI32, _) => (min - right, max - right),
        (BinaryOp::SubI32, _) => (min + right, max + right),
        (BinaryOp::MulI32, 0) => (min, max),
        (BinaryOp::MulI32, _) if right > 0 => (min / right, max / right),
        (BinaryOp::MulI32, _) => (max / right, min / right),
        _ => return None,
    };
    let half = |bound: i64| u64::from(bound.clamp(min, max) as i32 as u32);
    Some(half(least) | half(greatest) << 32)
}

/// The right side of an operation.
enum Operand {
    Step(Right),
    Input(u32),
}

/// The operation that has the accumulator on its left and an input on its right, where these steps begin with that: `Save s, Input, op s`, and nobody else reads
/// the slot.
fn right_input(steps: &[Step]) -> Option<(BinaryOp, u32)> {
    let [Step::Save(slot), Step::Input(input), Step::Binary(op, Right::Accumulator(left)), rest @ ..] = steps else {
        return None;
    };
    let next = rest.iter().find(|step| read(step) == Some(*slot) || **step == Step::Save(*slot));
    (slot == left && next.is_none_or(|step| *step == Step::Save(*slot))).then_some((*op, *input))
}

struct Lowering<'a> {
    program: &'a Program,
    family: &'static Family,
    layout: &'a TileLayout,
    places: &'a HashMap<Label, Place>,
    /// Which columns may hold NULLs; those beyond the 64th share a bit.
    nulls: u64,
    slots: Vec<Kind>,
    /// Where the accumulator is at labels, of those who came there so far.
    labels: HashMap<Label, Kind>,
    kind: Kind,
    /// Whether the accumulator is a value of a column that has no NULLs.
    is_full: bool,
    /// The cell that has counted the rows that are alive, if none has come or gone since.
    counted: Option<u32>,
    /// Cells that count the same as another.
    same: Vec<[u32; 2]>,
    copy: StencilCopy,
}

/// The code of `program` with these stencils, and its frame; `None` where a step has none.
pub fn lower(program: &Program, family: &'static Family, nulls: u64) -> Option<(Assembly, TileLayout)> {
    let find = |name: &str| family.built.find(name);
    let can_fail = |step: &Step| match step {
        Step::Binary(op, _) => find(BinaryOp::NAMES[*op as usize]).is_some_and(Stencil::can_fail),
        Step::Unary(op) => find(UnaryOp::NAMES[*op as usize]).is_some_and(Stencil::can_fail),
        Step::Fold(fold, _) => find(Fold::NAMES[*fold as usize]).is_some_and(Stencil::can_fail),
        _ => false,
    };
    // Nothing is in the accumulator before.
    if program.steps.len() > STEPS_MAX || !is_overwritten(&program.steps) {
        return None;
    }
    let places = places(&program.steps, program.folds(), can_fail)?;
    let layout = TileLayout::of(program, places.len());
    let mut lowering = Lowering {
        program,
        family,
        layout: &layout,
        places: &places,
        nulls,
        slots: vec![Kind::Any; program.slots as usize],
        labels: HashMap::new(),
        kind: Kind::Any,
        is_full: false,
        counted: None,
        same: Vec::new(),
        copy: StencilCopy::with_capacity(0),
    };
    // Who jumps first to a label needs to know where others will have the accumulator: the second time all do.
    lowering.steps()?;
    lowering.copy = StencilCopy::with_capacity(128 * program.steps.len() + 256);
    lowering.look_ahead()?;
    lowering.steps()?;
    lowering.emit()?;
    let assembly = lowering.copy.finish(find("done")?, find("suspect")?)?;
    let same = lowering.same;
    let mut layout = layout;
    layout.join(&same);
    Some((assembly, layout))
}

impl Lowering<'_> {
    fn put(&mut self, name: &str, holes: [u64; 2]) -> Option<()> {
        let stencil = self.family.built.find(name)?;
        self.copy.put(stencil, holes, Some(Jump::Back))
    }

    fn column(&self, i: u32) -> [u64; 2] {
        let at = 8 * (self.layout.base.columns + 2 * i as usize) as u64;
        [at, at + 8]
    }

    fn input(&self, i: u32) -> [u64; 2] {
        let at = 8 * (self.layout.base.inputs + 2 * i as usize) as u64;
        [at, at + 8]
    }

    fn input_width(&self) -> Width {
        if self.family.is_narrow { Width::I32 } else { Width::I64 }
    }

    fn has_nulls(&self, column: u32) -> bool {
        self.nulls >> column.min(63) & 1 == 1
    }

    /// A constant that lanes can hold.
    fn constant(&self, word: u64) -> Option<Width> {
        let width = Width::of(word);
        (!self.family.is_narrow || width <= Width::I32).then_some(width)
    }

    /// That lanes can hold so many words from the least on: beyond, a difference of lanes would come around.
    fn span(&self, least: u64, count: u64) -> Option<()> {
        let last = (least as i64).checked_add(count as i64)?;
        self.constant(least).and(self.constant(last as u64)).map(|_| ())
    }

    /// Has the accumulator in lanes.
    fn lanes(&mut self) -> Option<Width> {
        if self.kind == Kind::Bool {
            self.put("lanes_of_bool", [0; 2])?;
        }
        Some(self.kind.width())
    }

    /// Has it as a boolean.
    fn bool(&mut self) -> Option<()> {
        if matches!(self.kind, Kind::Lanes(_)) {
            self.put("bool_of_lanes", [0; 2])?;
            self.kind = Kind::Bool;
        }
        Some(())
    }

    fn load(&mut self, prefix: &str, column: u32) -> Option<Width> {
        let form = self.program.columns[column as usize];
        let how = if self.has_nulls(column) { "load" } else { "full" };
        self.put(&format!("{prefix}{how}_{}", Form::NAMES[form as usize]), self.column(column))?;
        Some(match form {
            Form::Bool | Form::I16 => Width::I16,
            Form::I32 => Width::I32,
            Form::I64 | Form::U32 | Form::F32 | Form::F64 => Width::I64,
        })
    }

    /// Has the processor look for what follows on the columns, of programs that run over pages; also where rows that a filter drops do not come to them.
    fn look_ahead(&mut self) -> Option<()> {
        let program = self.program;
        if matches!(program.output, Output::Vector(_)) || program.columns.len() > AHEAD_MAX {
            return Some(());
        }
        let is_read = |column: &usize| {
            let column = *column as u32;
            let reads =
                |step: &Step| matches!(*step, Step::Column(c) | Step::Binary(_, Right::Column(c)) if c == column);
            program.steps.iter().any(reads)
        };
        (0..program.columns.len()).filter(is_read).try_for_each(|column| {
            let name = format!("ahead_{}", Form::NAMES[program.columns[column] as usize]);
            self.put(&name, self.column(column as u32))
        })
    }

    fn steps(&mut self) -> Option<()> {
        let program = self.program;
        (self.kind, self.is_full, self.counted) = (Kind::Any, false, None);
        self.same.clear();
        let mut at = 0;
        while let Some(step) = program.steps.get(at) {
            match right_input(&program.steps[at..]) {
                Some((op, input)) => {
                    self.is_full = false;
                    self.binary(op, Operand::Input(input))?;
                    at += 3;
                }
                None => {
                    self.step(at, step)?;
                    at += 1;
                }
            }
        }
        Some(())
    }

    fn step(&mut self, at: usize, step: &Step) -> Option<()> {
        match step {
            Step::Fold(..) => {}
            Step::Column(c) => self.is_full = !self.has_nulls(*c),
            _ => self.is_full = false,
        }
        // Rows jump over the count, or away from it.
        if step.target().is_some() || matches!(step, Step::Here(_)) {
            self.counted = None;
        }
        match *step {
            Step::Column(c) => {
                let width = self.load("", c)?;
                let is_bool = self.program.columns[c as usize] == Form::Bool;
                self.kind = if is_bool { Kind::Bool } else { Kind::Lanes(width) };
            }
            Step::NullOf(c) => {
                let name = if self.has_nulls(c) { "null_of" } else { "false" };
                self.put(name, self.column(c))?;
                self.kind = Kind::Bool;
            }
            Step::Constant(word) => {
                let width = self.constant(word)?;
                self.put("constant", [word, 0])?;
                self.kind = if word <= 1 { Kind::Any } else { Kind::Lanes(width) };
            }
            Step::Null => {
                self.put("absent", [0; 2])?;
                self.kind = Kind::Any;
            }
            Step::Input(i) => {
                self.put("input", self.input(i))?;
                self.kind = Kind::Lanes(self.input_width());
            }
            Step::Restore(s) => {
                self.kind = self.slots[s as usize];
                self.by_kind(self.kind, "restore", self.layout.slot(s))?;
            }
            Step::Save(s) => {
                self.slots[s as usize] = self.kind;
                self.by_kind(self.kind, "save", self.layout.slot(s))?;
            }
            Step::Binary(op, right) => self.binary(op, Operand::Step(right))?,
            Step::Unary(op) => self.unary(op)?,
            Step::Choose(choice, s) => {
                let (own, slot) = (self.lanes()?, self.slots[s as usize]);
                if slot == Kind::Bool {
                    return None;
                }
                self.put(&format!("{}_slot", Choice::NAMES[choice as usize]), [self.layout.slot(s), 0])?;
                self.kind = Kind::Lanes(own.max(slot.width()));
            }
            Step::And(s) | Step::Or(s) => {
                self.bool()?;
                if matches!(self.slots[s as usize], Kind::Lanes(_)) {
                    return None;
                }
                let name = if matches!(step, Step::And(_)) { "and_slot" } else { "or_slot" };
                self.put(name, [self.layout.slot(s), 0])?;
                self.kind = Kind::Bool;
            }
            Step::Not => self.logic("not")?,
            Step::IsTrue => self.logic("is_true")?,
            Step::IsFalse => self.logic("is_false")?,
            Step::IsNull => {
                self.put("is_null", [0; 2])?;
                self.kind = Kind::Bool;
            }
            Step::InList(l) => {
                self.lanes()?;
                let list = &self.program.lists[l as usize];
                if list.len() > SHORT_LIST || list.iter().any(|&word| self.constant(word).is_none()) {
                    return None;
                }
                self.put("in_list", [8 * (self.layout.base.lists + l as usize) as u64, list.len() as u64])?;
                self.kind = Kind::Bool;
            }
            Step::InSet(s) => {
                self.lanes()?;
                let (least, words) = self.program.sets[s as usize].split_first()?;
                let bits = 64 * words.len() as u64;
                self.span(*least, bits)?;
                self.put("in_set", [8 * (self.layout.base.sets + s as usize) as u64, bits])?;
                self.kind = Kind::Bool;
            }
            Step::Pick(t) => {
                self.lanes()?;
                let (least, pairs) = self.program.tables[t as usize].split_first()?;
                let count = table_span(&self.program.tables[t as usize]);
                self.span(*least, count)?;
                let widths = pairs.chunks(2).map(|pair| self.constant(pair[0])).collect::<Option<Vec<Width>>>()?;
                self.put("pick", [8 * (self.layout.base.tables + t as usize) as u64, count])?;
                self.kind = Kind::Lanes(widths.into_iter().max()?);
            }
            Step::Among(l) => {
                self.lanes()?;
                let at = 8 * (self.layout.base.given + 2 * l as usize) as u64;
                self.put("among", [at, at + 8])?;
                self.kind = Kind::Bool;
            }
            // It would be one for each row anyway.
            Step::Call(_) => return None,
            Step::Jump(l) => self.jump(at, l, "always")?,
            Step::JumpUnlessNull(l) => self.jump(at, l, "unless_null")?,
            Step::JumpUnlessTrue(l) => self.jump_by_truth(at, l, "unless_true")?,
            Step::JumpIfFalse(l) => self.jump_by_truth(at, l, "if_false")?,
            Step::JumpIfTrue(l) => self.jump_by_truth(at, l, "if_true")?,
            Step::Here(l) => self.here(l)?,
            Step::Fold(Fold::Values, cell) if self.is_full && self.counted.is_some() => {
                self.same.extend(self.counted.map(|counted| [cell, counted]));
            }
            Step::Fold(fold, cell) => {
                if fold == Fold::Rows {
                    self.counted = Some(cell);
                }
                match fold {
                    Fold::All | Fold::Any => self.bool()?,
                    Fold::Rows | Fold::Values => {}
                    _ => {
                        self.lanes()?;
                    }
                }
                let place = self.layout.cells.iter().find(|place| place.cell == cell)?;
                self.put(Fold::NAMES[fold as usize], [place.at as u64, 0])?;
            }
        }
        Some(())
    }

    /// Puts a stencil whose name ends with where the accumulator is.
    fn by_kind(&mut self, kind: Kind, name: &str, place: u64) -> Option<()> {
        if kind != Kind::Bool {
            self.put(&format!("{name}_lanes"), [place, 0])?;
        }
        if !matches!(kind, Kind::Lanes(_)) {
            self.put(&format!("{name}_bool"), [place, 0])?;
        }
        Some(())
    }

    fn logic(&mut self, name: &str) -> Option<()> {
        self.bool()?;
        self.put(name, [0; 2])?;
        self.kind = Kind::Bool;
        Some(())
    }

    /// Cuts integers off that are longer than those of an operation.
    fn truncate(&mut self, prefix: &str, have: Width, wanted: Option<Width>) -> Option<()> {
        match wanted {
            Some(Width::I16) if have > Width::I16 => self.put(&format!("{prefix}truncate_i16"), [0; 2]),
            Some(Width::I32) if have > Width::I32 => self.put(&format!("{prefix}truncate_i32"), [0; 2]),
            _ => Some(()),
        }
    }

    fn binary(&mut self, op: BinaryOp, right: Operand) -> Option<()> {
        let own = self.lanes()?;
        if let Operand::Step(Right::Constant(word)) = right
            && let Some(within) = within(op, word)
            && self.family.is_narrow
        {
            self.put(&format!("{}_constant", BinaryOp::NAMES[op as usize]), [word, within])?;
            self.kind = Kind::Lanes(Width::I32);
            return Some(());
        }
        let tested = match right {
            Operand::Input(i) if is_test(op) => Some(("input", self.input(i))),
            Operand::Step(Right::Constant(word)) if is_test(op) => {
                self.constant(word)?;
                Some(("constant", [word, 0]))
            }
            _ => None,
        };
        if let Some((what, holes)) = tested {
            self.put(&format!("{}_{what}", BinaryOp::NAMES[op as usize]), holes)?;
            self.kind = Kind::Bool;
            return Some(());
        }
        let (left, right) = match right {
            Operand::Input(i) => {
                self.put("right_input", self.input(i))?;
                (own, self.input_width())
            }
            Operand::Step(Right::Constant(word)) => {
                let width = self.constant(word)?;
                self.put("right_constant", [word, 0])?;
                (own, width)
            }
            Operand::Step(Right::Column(c)) => (own, self.load("right_", c)?),
            Operand::Step(Right::Accumulator(s)) => {
                let slot = self.slots[s as usize];
                let place = [self.layout.slot(s), 0];
                if slot == Kind::Bool {
                    self.put("right_slot_bool", place)?;
                    self.put("lanes_of_bool", [0; 2])?;
                } else {
                    self.put("right_slot_lanes", place)?;
                }
                (slot.width(), own)
            }
        };
        let width = width_of_binary(op);
        self.truncate("", left, width)?;
        self.truncate("right_", right, width)?;
        self.put(BinaryOp::NAMES[op as usize], [0; 2])?;
        self.kind = match width {
            _ if is_test(op) => Kind::Bool,
            Some(width) => Kind::Lanes(width),
            None if op.is_float() => Kind::Lanes(Width::I64),
            None => Kind::Lanes(left.max(right)),
        };
        Some(())
    }

    fn unary(&mut self, op: UnaryOp) -> Option<()> {
        let own = self.lanes()?;
        let width = width_of_unary(op);
        if width.is_some_and(|(width, is_cut)| !is_cut && own <= width) {
            return Some(());
        }
        self.truncate("", own, width.filter(|w| w.1).map(|w| w.0))?;
        self.put(UnaryOp::NAMES[op as usize], [0; 2])?;
        self.kind = Kind::Lanes(match (op, width) {
            (_, Some((width, _))) => width,
            (UnaryOp::NotBits, None) => own,
            _ => Width::I64,
        });
        Some(())
    }

    fn jump_by_truth(&mut self, at: usize, label: Label, taken: &str) -> Option<()> {
        self.bool()?;
        self.jump(at, label, taken)
    }

    fn jump(&mut self, at: usize, label: Label, taken: &str) -> Option<()> {
        let place = *self.places.get(&label)?;
        match place.need {
            Need::Nothing => return Some(()),
            Need::End => {
                let stencil = self.family.built.find(&format!("end_{taken}"))?;
                return self.copy.put(stencil, [0; 2], Some(Jump::To(label)));
            }
            Need::Rows | Need::Values => {}
        }
        let holes = [self.layout.label(place.number), 0];
        self.put(&format!("taken_{taken}"), [0; 2])?;
        self.put(if place.first == at { "leave_first" } else { "leave" }, holes)?;
        if place.need == Need::Values {
            let there = self.join(label);
            self.to(there)?;
            self.by_kind(there, "leave", holes[0])?;
        }
        Some(())
    }

    /// Where the accumulator is at a label, as far as is known.
    fn join(&mut self, label: Label) -> Kind {
        let there = self.labels.entry(label).or_insert(self.kind);
        *there = there.join(self.kind);
        *there
    }

    /// Has the accumulator there, too.
    fn to(&mut self, kind: Kind) -> Option<()> {
        if matches!(kind, Kind::Lanes(_)) {
            self.lanes()?;
        }
        Some(())
    }

    fn here(&mut self, label: Label) -> Option<()> {
        let Some(&place) = self.places.get(&label) else { return Some(()) };
        let holes = [self.layout.label(place.number), 0];
        match place.need {
            Need::Nothing => return Some(()),
            Need::End => {
                self.copy.here(label);
                return Some(());
            }
            Need::Rows => {}
            Need::Values => {
                let there = self.join(label);
                self.to(there)?;
                self.by_kind(there, "here", holes[0])?;
                self.kind = there;
            }
        }
        self.put("here", holes)
    }

    fn emit(&mut self) -> Option<()> {
        match self.program.output {
            Output::Folded(_) => self.put("emit_nothing", [0; 2]),
            Output::Kept => {
                self.bool()?;
                self.put("emit_kept", [0; 2])
            }
            Output::Vector(Form::Bool) => {
                self.bool()?;
                self.put("emit_bool", [0; 2])
            }
            Output::Vector(form) => {
                self.lanes()?;
                self.put(&format!("emit_{}", Form::NAMES[form as usize]), [0; 2])
            }
        }
    }
}
