mod calls;
mod folds;
mod given;
mod provider;
mod tiles;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vector::{Data, Nulls, Vector};

use calls::Hashing;

use crate::{
    BinaryOp, Choice, Column, CopyAndPatch, Fold, Form, Given, Input, Jit, Label, Memory, Output, Passes, Program,
    Provider as _, Right, Site, Step, UnaryOp, WordList,
};

pub(crate) const CODE: bool = cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));

/// What makes code here. For aarch64 tests run in an emulator, which may not see what is written through another mapping.
fn native() -> Jit {
    if cfg!(target_arch = "aarch64") { in_memory(Memory::OneMapping) } else { Jit::default() }
}

fn in_memory(memory: Memory) -> Jit {
    Jit::new(CopyAndPatch::with_memory(memory))
}

const INTS: [i64; 12] =
    [0, 1, -1, 2, 10, 255, i16::MAX as i64, i16::MIN as i64, i32::MAX as i64, i32::MIN as i64, i64::MAX, i64::MIN];
const FLOATS: [f64; 10] = [0.0, -0.0, 1.0, -1.5, 3e38, 1e-40, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

fn int(rng: &mut ChaCha8Rng) -> i64 {
    match rng.random_range(0..3) {
        0 => INTS[rng.random_range(0..INTS.len())],
        1 => rng.random_range(-100..100),
        _ => rng.random(),
    }
}

fn float(rng: &mut ChaCha8Rng) -> f64 {
    if rng.random_bool(0.4) { FLOATS[rng.random_range(0..FLOATS.len())] } else { rng.random_range(-1e6..1e6) }
}

/// A column of `rows` values, NULL in every tenth row or nowhere; zero where it is.
fn column(rng: &mut ChaCha8Rng, form: Form, rows: usize) -> Vector {
    let mut nulls = Nulls::default();
    let sparse = rng.random_bool(0.5);
    (0..rows).filter(|_| sparse && rng.random_bool(0.1)).collect::<Vec<_>>().into_iter().for_each(|i| nulls.set(i));
    macro_rules! values {
        ($data:ident, $draw:expr) => {
            Data::$data((0..rows).map(|i| if nulls.get(i) { Default::default() } else { $draw }).collect())
        };
    }
    let data = match form {
        Form::Bool => values!(Bool, rng.random()),
        Form::I16 => values!(I16, int(rng) as i16),
        Form::I32 => values!(I32, int(rng) as i32),
        Form::I64 => values!(I64, int(rng)),
        Form::U32 => values!(U32, int(rng) as u32),
        Form::F32 => values!(F32, float(rng) as f32),
        Form::F64 => values!(F64, float(rng)),
    };
    Vector { data, nulls }
}

/// Draws programs whose words are what their operations expect.
struct Drawn<'r> {
    rng: &'r mut ChaCha8Rng,
    program: Program,
    labels: u32,
    /// Of integers and of floats, if operations work on one width only.
    widths: Option<[Form; 2]>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Int,
    Float,
    Bool,
}

impl Drawn<'_> {
    fn slot(&mut self) -> u32 {
        self.program.slots += 1;
        self.program.slots - 1
    }

    fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels)
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.rng.random_range(0..list.len())]
    }

    fn word(&mut self, kind: Kind) -> u64 {
        match kind {
            Kind::Int => match self.widths {
                Some(_) if self.rng.random_bool(0.9) => self.rng.random_range(-9..9i64) as u64,
                Some([Form::I16, _]) => int(self.rng) as i16 as u64,
                Some([Form::I32, _]) => int(self.rng) as i32 as u64,
                _ => int(self.rng) as u64,
            },
            Kind::Float => match self.widths {
                Some(_) if self.rng.random_bool(0.9) => f64::from(self.rng.random_range(-9..9)).to_bits(),
                Some([_, Form::F32]) => f64::from(float(self.rng) as f32).to_bits(),
                _ => float(self.rng).to_bits(),
            },
            Kind::Bool => u64::from(self.rng.random::<bool>()),
        }
    }

    /// A word, or NULL.
    fn value(&mut self, kind: Kind) -> Option<u64> {
        self.rng.random_bool(0.8).then(|| self.word(kind))
    }

    fn column_of(&mut self, kind: Kind) -> Option<u32> {
        let fits = |form: &Form| match kind {
            Kind::Bool => *form == Form::Bool,
            Kind::Float => form.is_float(),
            Kind::Int => !form.is_float() && *form != Form::Bool,
        };
        let list: Vec<u32> =
            (0..self.program.columns.len() as u32).filter(|&i| fits(&self.program.columns[i as usize])).collect();
        (!list.is_empty()).then(|| self.pick(&list))
    }

    /// Whether an operation of this name is of the widths that there are.
    fn is_of_width(&self, name: &str) -> bool {
        let is_wrong = |form: &Form| {
            let form = format!("{form:?}");
            name.ends_with(&form) && self.widths.is_some_and(|w| w.iter().all(|own| format!("{own:?}") != form))
        };
        !Form::ALL.iter().any(is_wrong)
    }

    fn op(&mut self, kind: Kind) -> (BinaryOp, Kind) {
        let tests = |op: &BinaryOp| {
            matches!(op.apply(0, 0).0, 0 | 1)
                && format!("{op:?}").ends_with(if op.is_float() { "Float" } else { "Int" })
        };
        let of = if kind == Kind::Bool && self.rng.random() {
            Kind::Float
        } else if kind == Kind::Bool {
            Kind::Int
        } else {
            kind
        };
        let list: Vec<BinaryOp> = BinaryOp::ALL
            .into_iter()
            .filter(|op| op.is_float() == (of == Kind::Float) && tests(op) == (kind == Kind::Bool))
            .filter(|op| self.is_of_width(&format!("{op:?}")))
            .collect();
        (self.pick(&list), of)
    }

    /// Steps that leave a word of this kind in the accumulator.
    fn expression(&mut self, kind: Kind, depth: u32) {
        if depth == 0 {
            match (self.rng.random_range(0..8), self.column_of(kind)) {
                (0, Some(c)) if kind == Kind::Bool => self.program.steps.push(Step::NullOf(c)),
                (0..5, Some(c)) => self.program.steps.push(Step::Column(c)),
                (5, _) => self.program.steps.push(Step::Null),
                (6, _) if kind == Kind::Int => self.program.steps.push(Step::Input(self.rng.random_range(0..2))),
                _ => {
                    let word = self.word(kind);
                    self.program.steps.push(Step::Constant(word));
                }
            }
            return;
        }
        // Programs with calls have no tiles, which widths are for.
        match self.rng.random_range(0..if self.widths.is_none() { 8 } else { 7 }) {
            7 => {
                let args = self.rng.random_range(0..4);
                let first = self.program.slots;
                self.program.slots += args;
                for slot in first..first + args {
                    let of = self.pick(&[Kind::Int, Kind::Float, Kind::Bool]);
                    self.expression(of, depth - 1);
                    self.program.steps.push(Step::Save(slot));
                }
                let number = Hashing::site(kind, self.rng.random_range(0..1000));
                self.program.steps.push(Step::Call(Site { number, first, args }));
            }
            0..3 => {
                let (op, of) = self.op(kind);
                self.expression(of, depth - 1);
                let column = self.column_of(of).filter(|&c| self.program.columns[c as usize].is_right());
                match (self.rng.random_range(0..3), column) {
                    (0, Some(c)) => self.program.steps.push(Step::Binary(op, Right::Column(c))),
                    (1, _) => {
                        let word = self.word(of);
                        self.program.steps.push(Step::Binary(op, Right::Constant(word)));
                    }
                    _ => {
                        let slot = self.slot();
                        self.program.steps.push(Step::Save(slot));
                        self.expression(of, depth - 1);
                        self.program.steps.push(Step::Binary(op, Right::Accumulator(slot)));
                    }
                }
            }
            3 => {
                // CASE.
                let (other, end) = (self.label(), self.label());
                self.expression(Kind::Bool, depth - 1);
                self.program.steps.push(Step::JumpUnlessTrue(other));
                self.expression(kind, depth - 1);
                self.program.steps.extend([Step::Jump(end), Step::Here(other)]);
                self.expression(kind, depth - 1);
                self.program.steps.push(Step::Here(end));
            }
            4 => {
                // Coalesce.
                let end = self.label();
                self.expression(kind, depth - 1);
                self.program.steps.push(Step::JumpUnlessNull(end));
                self.expression(kind, depth - 1);
                self.program.steps.push(Step::Here(end));
            }
            5 if kind == Kind::Bool => {
                let (slot, end) = (self.slot(), self.label());
                let and = self.rng.random();
                self.expression(Kind::Bool, depth - 1);
                self.program.steps.push(if and { Step::JumpIfFalse(end) } else { Step::JumpIfTrue(end) });
                self.program.steps.push(Step::Save(slot));
                self.expression(Kind::Bool, depth - 1);
                self.program.steps.push(if and { Step::And(slot) } else { Step::Or(slot) });
                self.program.steps.push(Step::Here(end));
            }
            5 => {
                let slot = self.slot();
                self.expression(kind, depth - 1);
                self.program.steps.push(Step::Save(slot));
                self.expression(kind, depth - 1);
                let choice = self.pick(if kind == Kind::Int {
                    &[Choice::MaxInt, Choice::MinInt]
                } else {
                    &[Choice::MaxFloat, Choice::MinFloat]
                });
                self.program.steps.push(Step::Choose(choice, slot));
            }
            _ if self.rng.random_bool(0.2) => {
                self.expression(Kind::Int, depth - 1);
                let least = self.rng.random_range(-20..5i64);
                let pairs: Vec<(u64, Option<u64>)> = (0..self.rng.random_range(1..12))
                    .map(|_| ((least + self.rng.random_range(0..30)) as u64, self.value(kind)))
                    .collect();
                let other = self.value(kind);
                self.program.steps.push(Step::Pick(self.program.tables.len() as u32));
                self.program.tables.push(crate::table_of(&pairs, other).unwrap());
            }
            _ if kind == Kind::Bool && self.rng.random() => {
                self.expression(Kind::Int, depth - 1);
                if self.rng.random() {
                    self.program.steps.push(Step::Among(self.rng.random_range(0..2)));
                    return;
                }
                let mut list: Vec<u64> = (0..self.rng.random_range(1..40)).map(|_| int(self.rng) as u64).collect();
                list.sort_by_key(|&w| w as i64);
                if self.rng.random() {
                    let near: Vec<u64> = list.iter().map(|w| w % 300).chain([(-5i64) as u64]).collect();
                    self.program.sets.push(crate::set_of(&near).unwrap());
                    self.program.steps.push(Step::InSet(self.program.sets.len() as u32 - 1));
                    return;
                }
                self.program.lists.push(list);
                self.program.steps.push(Step::InList(self.program.lists.len() as u32 - 1));
            }
            _ => {
                self.expression(kind, depth - 1);
                let step = match kind {
                    Kind::Bool => self.pick(&[0, 1, 2, 3]),
                    _ => 4,
                };
                let unary = match kind {
                    Kind::Float => self.pick(&[UnaryOp::NegFloat, UnaryOp::AbsFloat]),
                    _ => {
                        let all = [
                            UnaryOp::NegI16,
                            UnaryOp::NegI32,
                            UnaryOp::NegI64,
                            UnaryOp::AbsI16,
                            UnaryOp::AbsI32,
                            UnaryOp::AbsI64,
                            UnaryOp::NarrowI16,
                            UnaryOp::NarrowI32,
                            UnaryOp::NotBits,
                        ];
                        let fits: Vec<UnaryOp> =
                            all.into_iter().filter(|op| self.is_of_width(&format!("{op:?}"))).collect();
                        self.pick(&fits)
                    }
                };
                let step = [Step::Not, Step::IsNull, Step::IsTrue, Step::IsFalse, Step::Unary(unary)][step].clone();
                self.program.steps.push(step);
            }
        }
    }
}

impl Drawn<'_> {
    /// Steps that fold some expressions, perhaps of some rows only.
    fn folds(&mut self, depth: u32) {
        let end = self.label();
        if self.rng.random() {
            self.expression(Kind::Bool, depth);
            self.program.steps.push(Step::JumpUnlessTrue(end));
        }
        let cells = self.rng.random_range(1..4);
        for cell in 0..cells {
            let after = self.rng.random_bool(0.3).then(|| self.label());
            if let Some(after) = after {
                self.expression(Kind::Bool, depth.min(2));
                self.program.steps.push(Step::JumpUnlessTrue(after));
            }
            let kind = self.pick(&[Kind::Int, Kind::Int, Kind::Float, Kind::Bool]);
            self.expression(kind, depth.min(2));
            let fold = match kind {
                Kind::Int => self.pick(&[Fold::Sum, Fold::Sum, Fold::MaxInt, Fold::MinInt, Fold::Values]),
                Kind::Float => self.pick(&[Fold::MaxFloat, Fold::MinFloat, Fold::Values]),
                Kind::Bool => self.pick(&[Fold::All, Fold::Any, Fold::Rows, Fold::Values]),
            };
            self.program.steps.push(Step::Fold(fold, cell));
            self.program.steps.extend(after.map(Step::Here));
        }
        self.program.steps.push(Step::Here(end));
        self.program.output = Output::Folded(cells);
    }
}

/// A list to be given: close together or not, with a NULL or not, empty, NULL.
fn list(rng: &mut ChaCha8Rng) -> WordList {
    let count = [0, 1, 3, 20][rng.random_range(0..4)];
    let is_near = rng.random::<bool>();
    let mut values: Vec<Input> =
        (0..count).map(|_| if is_near { int(rng) % 300 } else { int(rng) }).map(|n| Some(n as u64)).collect();
    if rng.random_bool(0.3) {
        values.push(None);
    }
    if rng.random_bool(0.1) { WordList::null() } else { WordList::new(values) }
}

fn drawn(rng: &mut ChaCha8Rng) -> Program {
    drawn_of(rng, None)
}

/// One whose operations and columns are of these widths.
fn drawn_of(rng: &mut ChaCha8Rng, widths: Option<[Form; 2]>) -> Program {
    let forms = widths.map_or(Form::ALL.to_vec(), |[int, float]| vec![Form::Bool, int, int, float]);
    let columns = (0..rng.random_range(1..6)).map(|_| forms[rng.random_range(0..forms.len())]).collect();
    let form = forms[rng.random_range(0..forms.len())];
    let (kind, output) = match rng.random_range(0..3) {
        0 => (Kind::Bool, Output::Kept),
        _ if form == Form::Bool => (Kind::Bool, Output::Vector(form)),
        _ if form.is_float() => (Kind::Float, Output::Vector(form)),
        _ => (Kind::Int, Output::Vector(form)),
    };
    let passes = Passes { truth: rng.random_bool(0.8), ..Passes::default() };
    let program = Program { columns, inputs: 2, passes, ..Program::new(output) };
    let depth = rng.random_range(0..5);
    let mut drawn = Drawn { rng, program, labels: 0, widths };
    if drawn.rng.random_bool(0.3) {
        drawn.folds(depth);
    } else {
        drawn.expression(kind, depth);
    }
    drawn.program
}

/// Bits of all values and NULLs: floats that are not numbers are equal to themselves so.
fn bits(v: &Vector) -> (Vec<u64>, Vec<u64>) {
    let words = match &v.data {
        Data::Bool(v) => v.iter().map(|&v| u64::from(v)).collect(),
        Data::I16(v) => v.iter().map(|&v| v as u64).collect(),
        Data::I32(v) => v.iter().map(|&v| v as u64).collect(),
        Data::I64(v) => v.iter().map(|&v| v as u64).collect(),
        Data::U32(v) => v.iter().map(|&v| u64::from(v)).collect(),
        Data::F32(v) => v.iter().map(|&v| if v.is_nan() { 1 } else { u64::from(v.to_bits()) }).collect(),
        Data::F64(v) => v.iter().map(|&v| if v.is_nan() { 1 } else { v.to_bits() }).collect(),
        other => panic!("{other:?}"),
    };
    (words, v.nulls.words().to_vec())
}

#[test]
fn code_and_interpreter_give_the_same_bytes() {
    if CODE {
        compared(native(), 0..6000, false);
    }
}

#[test]
fn where_code_lies_does_not_matter() {
    if cfg!(target_arch = "aarch64") {
        // No place is used twice, so that an emulator sees what is there.
        compared(in_memory(Memory::TwoMappings), 6000..9000, true);
    } else if CODE {
        compared(in_memory(Memory::OneMapping), 6000..9000, false);
    }
}

/// Compares the code of random programs with what the interpreter says, over more than a hundred random rows each; units are held until all are compared, or not.
fn compared(jit: Jit, seeds: std::ops::Range<u64>, hold: bool) {
    let mut held = Vec::new();
    let other = Jit::interpreter();
    let drawn_programs = seeds.end - seeds.start;
    let (mut pairs, mut called, mut ended, mut suspect) = (0, 0, 0, 0);
    for seed in seeds {
        let rng = &mut ChaCha8Rng::seed_from_u64(seed);
        let program = drawn(rng);
        assert!(program.is_sound(), "seed {seed}: {program:?}");
        let (code, interpreted) = (jit.unit(program.clone()).unwrap().0, other.unit(program.clone()).unwrap().0);
        held.extend(hold.then(|| code.clone()));
        for _ in 0..4 {
            // Short runs mostly end without anything suspect.
            let rows = [1, 7, 64, 100, 1024][rng.random_range(0..5)];
            let columns: Vec<Vector> = program.columns.iter().map(|&form| column(rng, form, rows)).collect();
            let columns: Vec<&Vector> = columns.iter().collect();
            let inputs: [Input; 2] = [Some(int(rng) as u64), rng.random_bool(0.5).then_some(7)];
            pairs += rows;
            let lists = [(); 2].map(|()| list(rng));
            let calls = [Hashing::default(), Hashing::default()];
            let [by_code, by_interpreter] =
                [0, 1].map(|i| Given { inputs: &inputs, lists: &lists, calls: Some(&calls[i]) });
            let is_done = if program.cells() > 0 {
                folds::alike([&code, &interpreted], &columns, [by_code, by_interpreter], rows, rng)
            } else if program.output == Output::Kept {
                let (mut a, mut b) = (Vec::new(), Vec::new());
                let done = (
                    code.kept(&columns, by_code, rows, &mut a),
                    interpreted.kept(&columns, by_interpreter, rows, &mut b),
                );
                assert_eq!(done.0, done.1, "seed {seed}: {program:?}");
                assert!(!done.0 || a == b, "seed {seed}: {program:?}");
                done.0
            } else {
                let (a, b) = (code.values(&columns, by_code, rows), interpreted.values(&columns, by_interpreter, rows));
                assert_eq!(a.as_ref().map(bits), b.as_ref().map(bits), "seed {seed}: {program:?}");
                a.is_some()
            };
            assert_eq!(calls[0].asked(), calls[1].asked(), "seed {seed}: {program:?}");
            called += calls[0].asked().0;
            if is_done { ended += 1 } else { suspect += 1 }
        }
    }
    drop(held);
    let each = pairs as u64 / drawn_programs;
    assert!(each > 170 && ended > drawn_programs && suspect > drawn_programs / 3, "{each} {ended} {suspect}");
    let counts = jit.counts();
    assert_eq!((counts.refused, counts.calls), (0, called));
    assert!(called > 5 * drawn_programs, "{called} calls");
    assert!(counts.compiled > drawn_programs * 2 / 3, "{counts:?}");
    assert_eq!(other.counts().compiled, 0);
}

pub(crate) fn plus_one(k: u64) -> Program {
    let steps = vec![Step::Column(0), Step::Binary(BinaryOp::AddI32, Right::Constant(k))];
    Program { steps, columns: vec![Form::I32], ..Program::new(Output::Vector(Form::I32)) }
}

#[test]
fn a_program_that_others_hold_is_compiled_once() {
    let jit = if CODE { native() } else { Jit::interpreter() };
    let column = Vector { data: Data::I32(vec![1, 2, 3]), nulls: Nulls::default() };
    let (a, b) = (jit.unit(plus_one(1)).unwrap(), jit.unit(plus_one(1)).unwrap());
    assert!(!a.1 && b.1);
    let (a, b) = (a.0, b.0);
    for unit in [&a, &b] {
        assert_eq!(unit.values(&[&column], &[], 3).unwrap().data, Data::I32(vec![2, 3, 4]));
    }
    assert!(jit.counts().compiled <= 1 && jit.counts().found == 1);
}

#[test]
fn code_is_given_back() {
    let jit = if CODE { native() } else { Jit::interpreter() };
    let column = Vector { data: Data::I32(vec![1; 100]), nulls: Nulls::default() };
    for k in 0..10_000 {
        let unit = jit.unit(plus_one(k)).unwrap().0;
        assert_eq!(unit.values(&[&column], &[], 100).unwrap().data, Data::I32(vec![1 + k as i32; 100]));
    }
    let one = jit.unit(plus_one(9999)).unwrap().0.made().bytes as u64;
    assert!(jit.counts().bytes <= 520 * one, "{:?}", jit.counts());
    assert_eq!(jit.counts().refused, 0);
}

#[test]
fn all_code_is_given_back() {
    for memory in [Memory::TwoMappings, Memory::OneMapping] {
        let provider = CopyAndPatch::with_memory(memory);
        let all: Vec<_> = (0..100).filter_map(|k| provider.compile(&plus_one(k).into(), 0)).collect();
        let bytes: usize = all.iter().map(|code| code.bytes()).sum();
        assert_eq!((all.len(), provider.bytes()), (if CODE { 100 } else { 0 }, bytes));
        drop(all);
        assert_eq!(provider.bytes(), 0);
    }
}

#[test]
fn a_filter_runs_over_a_range_of_what_lies_anywhere() {
    let jit = if CODE { native() } else { Jit::interpreter() };
    let steps = vec![
        Step::Column(0),
        Step::Binary(BinaryOp::AddI32, Right::Column(1)),
        Step::Binary(BinaryOp::LtInt, Right::Constant(10)),
    ];
    let program = Program { steps, columns: vec![Form::I32; 2], output: Output::Kept, ..plus_one(1) };
    let unit = jit.unit(program).unwrap().0;
    let (a, b): (Vec<i32>, Vec<i32>) = ((0..5000).map(|i| i % 17).collect(), (0..5000).map(|i| i % 5).collect());
    let mut nulls = vec![0u64; 5000usize.div_ceil(64)];
    (0..5000).step_by(3).for_each(|i| nulls[i / 64] |= 1 << (i % 64));
    let column = |values, nulls| Column::new(Form::I32, bytemuck::cast_slice(values), nulls).unwrap();
    let mut kept = Vec::new();
    for (from, to) in [(0, 5000), (100, 101), (63, 129), (4999, 5000), (7, 7)] {
        for nulls in [&nulls[..], &[]] {
            assert!(unit.kept_in([column(&a, nulls), column(&b, &[])], &[], from..to, &mut kept));
            let is_kept = |&i: &usize| a[i] + b[i] < 10 && (nulls.is_empty() || i % 3 != 0);
            let wanted: Vec<u32> = (from..to).filter(is_kept).map(|i| i as u32).collect();
            assert_eq!(kept, wanted, "{from}..{to}");
        }
    }
    assert!(!unit.kept_in([column(&a, &[]), column(&b, &[])], &[], 0..5001, &mut kept), "there is no such row");
    assert!(!unit.kept_in([column(&a, &nulls[..20]), column(&b, &[])], &[], 0..5000, &mut kept), "nor such a bit");
    assert!(!unit.kept_in([column(&a, &[])], &[], 0..10, &mut kept));
    let bytes: &[u8] = bytemuck::cast_slice(&a);
    assert!(Column::new(Form::I32, &bytes[1..], &[]).is_none(), "not aligned");
}

#[test]
fn sets_hold_what_they_are_made_of() {
    let jit = if CODE { native() } else { Jit::interpreter() };
    let words = |list: &[i64]| list.iter().map(|&v| v as u64).collect::<Vec<u64>>();
    for list in [&[0, 47, 94, 893][..], &[-70, -3, 1], &[i64::MIN, i64::MIN + 64], &[i64::MAX - 1, i64::MAX], &[7]] {
        let sets = vec![crate::set_of(&words(list)).unwrap()];
        let steps = vec![Step::Column(0), Step::InSet(0)];
        let (columns, output) = (vec![Form::I64], Output::Kept);
        let unit = jit.unit(Program { steps, columns, sets, output, ..plus_one(1) }).unwrap().0;
        let near = list.iter().flat_map(|v| (-66..66).map(move |d| v.wrapping_add(d)));
        let values: Vec<i64> = near.chain([0, i64::MIN, i64::MAX]).collect();
        let column = Vector { data: Data::I64(values.clone()), nulls: Nulls::default() };
        let mut kept = Vec::new();
        assert!(unit.kept(&[&column], &[], values.len(), &mut kept));
        let wanted: Vec<u32> = (0..values.len()).filter(|&i| list.contains(&values[i])).map(|i| i as u32).collect();
        assert_eq!(kept, wanted, "{list:?}");
    }
    assert!(crate::set_of(&words(&[0, 1 << 13])).is_none() && crate::set_of(&[]).is_none());
}

#[test]
fn steps_are_counted_where_they_run() {
    let ints = |values| Vector { data: Data::I32(values), nulls: Nulls::default() };
    let counted = |jit: &Jit| {
        let unit = jit.unit(plus_one(1)).unwrap().0;
        unit.values(&[&ints(vec![1; 100])], &[], 100);
        unit.values(&[&ints(vec![1; 7])], &[], 7);
        unit.values(&[&ints(vec![i32::MAX; 3])], &[], 3);
        unit.values(&[], &[], 100);
        let counts = jit.counts();
        (counts.native_steps, counts.interpreted_steps, counts.declined_steps)
    };
    assert_eq!(counted(&Jit::interpreter()), (0, 214, 6));
    assert_eq!(counted(&native()), if CODE { (214, 0, 6) } else { (0, 0, 220) });
}

#[test]
fn nothing_outlives_its_runtime() {
    let jit = Jit::default();
    let unit = jit.unit(plus_one(1)).unwrap().0;
    let watched = std::sync::Arc::downgrade(&unit);
    drop(unit);
    assert!(watched.upgrade().is_some(), "held for who asks next");
    drop(jit);
    assert!(watched.upgrade().is_none());
}

#[test]
fn a_full_arena_is_no_error() {
    fills_up(native());
    fills_up(in_memory(Memory::OneMapping));
}

fn fills_up(jit: Jit) {
    let column = Vector { data: Data::I32(vec![1; 10]), nulls: Nulls::default() };
    let mut held = Vec::new();
    for k in 0..200_000 {
        let unit = jit.unit(plus_one(k)).unwrap().0;
        let values = unit.values(&[&column], &[], 10);
        assert!(values.is_none_or(|v| v.data == Data::I32(vec![1 + k as i32; 10])));
        held.push(unit);
        if jit.counts().refused > 10 {
            break;
        }
    }
    drop(held);
    let unit = jit.unit(plus_one(0)).unwrap().0;
    assert_eq!(unit.values(&[&column], &[], 10).is_some(), CODE, "there is room again");
    if CODE {
        assert!(jit.counts().refused > 10);
    }
}

#[test]
fn columns_that_do_not_fit_are_not_read() {
    let jit = if CODE { native() } else { Jit::interpreter() };
    let unit = jit.unit(plus_one(1)).unwrap().0;
    let wide = Vector { data: Data::I64(vec![1, 2, 3]), nulls: Nulls::default() };
    let short = Vector { data: Data::I32(vec![1, 2]), nulls: Nulls::default() };
    assert!(unit.values(&[&wide], &[], 3).is_none());
    assert!(unit.values(&[&short], &[], 3).is_none());
    assert!(unit.values(&[], &[], 3).is_none());
    assert!(unit.values(&[&short], &[], 2).is_some());
    assert!(unit.values(&[&short], &[], 0).is_some());
}

#[test]
fn programs_that_jump_back_or_nowhere_are_refused() {
    let jit = Jit::default();
    let with = |steps| Program { steps, ..plus_one(1) };
    assert!(jit.unit(with(vec![Step::Here(Label(1)), Step::Column(0), Step::Jump(Label(1))])).is_none());
    assert!(jit.unit(with(vec![Step::Column(0), Step::Jump(Label(1))])).is_none());
    assert!(jit.unit(with(vec![Step::Column(1)])).is_none());
    assert!(jit.unit(with(vec![Step::Save(0)])).is_none());
    assert!(jit.unit(with(vec![Step::Column(0), Step::Binary(BinaryOp::AddF64, Right::Column(0))])).is_none());
}
