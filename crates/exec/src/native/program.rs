//! Which expressions have a row program, and how it is written.

use jit::{BinaryOp, Choice, Fold, Form, Label, Output, Program, Right, Step, UnaryOp};
use plan::{Expr, ExprKind};
use types::array::Array;
use types::compare::Sign;
use types::{Datum, Oid, Physical, oid};

/// Deeper expressions are evaluated as ever.
const DEPTH_MAX: u32 = 200;
/// Longer lists are looked up in tables.
const LIST_MAX: usize = 4096;
/// Steps that a program may have: beyond, the code of one expression would take much of what there is.
const STEPS_MAX: usize = 20_000;

/// A program, and what it reads.
pub struct Written {
    pub program: Program,
    /// Columns of the chunk, in the order of the program's.
    pub columns: Vec<usize>,
    /// What its inputs are: parameters and slots.
    pub inputs: Vec<Expr>,
}

/// The program of `e`, if it has one that does more than a kernel does in one loop.
pub fn written(e: &Expr) -> Option<Written> {
    if !matches!(
        e.kind,
        ExprKind::Call { .. }
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::Not(_)
            | ExprKind::Coalesce(_)
            | ExprKind::Case { .. }
            | ExprKind::Extreme(..)
            | ExprKind::AnyArray { .. }
    ) {
        return None;
    }
    let form = form_of_type(e.ty)?;
    let mut builder = Builder::default();
    builder.value(e, 0)?;
    if builder.work < 2 || builder.columns.is_empty() {
        return None;
    }
    builder.finished(Output::Vector(form))
}

/// Values that are folded into cells, where their filter, if they have one, is true.
pub struct Folded<'e> {
    pub filter: Option<&'e Expr>,
    /// None for rows as such.
    pub value: Option<&'e Expr>,
    pub into: &'e [(Fold, u32)],
}

/// The program that folds those rows for which `filter` is true into `cells` cells. The first counts the rows.
pub fn folding<'e>(filter: Option<&Expr>, folded: impl IntoIterator<Item = Folded<'e>>, cells: u32) -> Option<Written> {
    let mut builder = Builder::default();
    let end = builder.label();
    match filter {
        Some(filter) => {
            builder.value(filter, 0)?;
            builder.steps.push(Step::JumpUnlessTrue(end));
        }
        // Something is in the accumulator.
        None => builder.steps.push(Step::Constant(0)),
    }
    builder.steps.push(Step::Fold(Fold::Rows, 0));
    for Folded { filter, value, into } in folded {
        let next = builder.label();
        if let Some(filter) = filter {
            builder.value(filter, 0)?;
            builder.steps.push(Step::JumpUnlessTrue(next));
        }
        if let Some(value) = value {
            builder.value(value, 0)?;
        }
        builder.steps.extend(into.iter().map(|&(fold, cell)| Step::Fold(fold, cell)));
        builder.steps.push(Step::Here(next));
    }
    builder.steps.push(Step::Here(end));
    builder.finished(Output::Folded(cells))
}

/// How values of a type lie in columns, for those that words can hold.
pub fn form_of_type(ty: Oid) -> Option<Form> {
    form_of(Physical::of(ty))
}

/// The same of what a type's values are like.
#[inline]
pub fn form_of(physical: Physical) -> Option<Form> {
    Some(match physical {
        Physical::Bool => Form::Bool,
        Physical::I16 => Form::I16,
        Physical::I32 => Form::I32,
        Physical::I64 => Form::I64,
        Physical::U32 => Form::U32,
        Physical::F32 => Form::F32,
        Physical::F64 => Form::F64,
        _ => return None,
    })
}

/// A value as a word (W1).
pub fn word(d: &Datum) -> Option<u64> {
    Some(match d {
        Datum::Bool(v) => u64::from(*v),
        Datum::I16(v) => *v as i64 as u64,
        Datum::I32(v) => *v as i64 as u64,
        Datum::I64(v) => *v as u64,
        Datum::U32(v) => u64::from(*v),
        Datum::F32(v) => f64::from(*v).to_bits(),
        Datum::F64(v) => v.to_bits(),
        _ => return None,
    })
}

/// The value that a word of this form is.
pub fn datum(form: Form, word: u64) -> Datum {
    match form {
        Form::Bool => Datum::Bool(word & 1 == 1),
        Form::I16 => Datum::I16(word as i16),
        Form::I32 => Datum::I32(word as i32),
        Form::I64 => Datum::I64(word as i64),
        Form::U32 => Datum::U32(word as u32),
        Form::F32 => Datum::F32(f64::from_bits(word) as f32),
        Form::F64 => Datum::F64(f64::from_bits(word)),
    }
}

/// Writes a program. Every method answers `None` when something has none.
#[derive(Default)]
struct Builder {
    steps: Vec<Step>,
    columns: Vec<(usize, Form)>,
    inputs: Vec<Expr>,
    lists: Vec<Vec<u64>>,
    sets: Vec<Vec<u64>>,
    labels: u32,
    /// Slots in use now, and at most.
    slots: u32,
    slots_max: u32,
    /// Operations, as a measure of what a program saves.
    work: u32,
}

impl Builder {
    fn finished(self, output: Output) -> Option<Written> {
        if self.steps.len() > STEPS_MAX {
            return None;
        }
        let (columns, forms): (Vec<usize>, Vec<Form>) = self.columns.into_iter().unzip();
        let program = Program {
            steps: self.steps,
            columns: forms,
            inputs: self.inputs.len() as u32,
            slots: self.slots_max,
            lists: self.lists,
            sets: self.sets,
            output,
        };
        Some(Written { program, columns, inputs: self.inputs })
    }

    fn slot(&mut self) -> u32 {
        self.slots += 1;
        self.slots_max = self.slots_max.max(self.slots);
        self.slots - 1
    }

    fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels)
    }

    fn column(&mut self, i: usize, form: Form) -> u32 {
        let known = self.columns.iter().position(|&c| c == (i, form));
        known.unwrap_or_else(|| {
            self.columns.push((i, form));
            self.columns.len() - 1
        }) as u32
    }

    /// Steps after which the accumulator has the value of `e`.
    fn value(&mut self, e: &Expr, depth: u32) -> Option<()> {
        if depth > DEPTH_MAX || self.steps.len() > STEPS_MAX {
            return None;
        }
        let form = form_of_type(e.ty)?;
        match &e.kind {
            ExprKind::Column(i) => {
                let column = self.column(*i, form);
                self.steps.push(Step::Column(column));
            }
            ExprKind::Const(Datum::Null) => self.steps.push(Step::Null),
            ExprKind::Const(d) if d.physical() == Some(Physical::of(e.ty)) => self.steps.push(Step::Constant(word(d)?)),
            ExprKind::Param(_) | ExprKind::Slot(_) => {
                self.inputs.push(e.clone());
                self.steps.push(Step::Input(self.inputs.len() as u32 - 1));
            }
            // Only the name of the type changes.
            ExprKind::Coerce { arg, .. } if e.typmod < 0 && form_of_type(arg.ty) == Some(form) => {
                self.value(arg, depth + 1)?
            }
            ExprKind::Call { function, args, .. } => match &args[..] {
                [a] => self.unary(*function, a, depth)?,
                [a, b] => {
                    let op = binary(*function)?;
                    self.binary(op, a, b, depth)?;
                }
                _ => return None,
            },
            ExprKind::And(list) => self.logic(list, true, depth)?,
            ExprKind::Or(list) => self.logic(list, false, depth)?,
            ExprKind::Not(arg) => {
                self.value(arg, depth + 1)?;
                self.steps.push(Step::Not);
                self.work += 1;
            }
            ExprKind::IsNull(arg) => {
                match arg.kind {
                    ExprKind::Column(i) => {
                        let column = self.column(i, form_of_type(arg.ty)?);
                        self.steps.push(Step::NullOf(column));
                    }
                    _ => {
                        self.value(arg, depth + 1)?;
                        self.steps.push(Step::IsNull);
                    }
                }
                self.work += 1;
            }
            ExprKind::IsBool(arg, wanted) => {
                self.value(arg, depth + 1)?;
                self.steps.push(if *wanted { Step::IsTrue } else { Step::IsFalse });
                self.work += 1;
            }
            ExprKind::Coalesce(list) => {
                let end = self.label();
                for (i, arg) in list.iter().enumerate() {
                    if i > 0 {
                        self.steps.push(Step::JumpUnlessNull(end));
                    }
                    self.same_form(arg, form, depth)?;
                }
                self.steps.push(Step::Here(end));
                self.work += 2;
            }
            ExprKind::Case { whens, default } => {
                let end = self.label();
                for (condition, result) in whens {
                    let next = self.label();
                    self.value(condition, depth + 1)?;
                    self.steps.push(Step::JumpUnlessTrue(next));
                    self.same_form(result, form, depth)?;
                    self.steps.extend([Step::Jump(end), Step::Here(next)]);
                }
                self.same_form(default, form, depth)?;
                self.steps.push(Step::Here(end));
                self.work += 2;
            }
            ExprKind::Extreme(greatest, list) => {
                let choice = match (form, greatest) {
                    (Form::F32 | Form::F64, true) => Choice::MaxFloat,
                    (Form::F32 | Form::F64, false) => Choice::MinFloat,
                    _ if !is_ordered_as_number(e.ty) => return None,
                    (_, true) => Choice::MaxInt,
                    (_, false) => Choice::MinInt,
                };
                for (i, arg) in list.iter().enumerate() {
                    if i == 0 {
                        self.same_form(arg, form, depth)?;
                        continue;
                    }
                    let slot = self.slot();
                    self.steps.push(Step::Save(slot));
                    self.same_form(arg, form, depth)?;
                    self.steps.push(Step::Choose(choice, slot));
                    self.slots -= 1;
                }
                self.work += 2;
            }
            ExprKind::AnyArray { all, function, args, .. } => self.in_list(*all, *function, args, depth)?,
            _ => return None,
        }
        Some(())
    }

    /// The value of `e`, whose words are those of `form`.
    fn same_form(&mut self, e: &Expr, form: Form, depth: u32) -> Option<()> {
        if form_of_type(e.ty)? == form { self.value(e, depth + 1) } else { None }
    }

    fn binary(&mut self, op: BinaryOp, a: &Expr, b: &Expr, depth: u32) -> Option<()> {
        self.work += 1;
        self.value(a, depth + 1)?;
        let right = match &b.kind {
            ExprKind::Const(d) if !d.is_null() && d.physical() == Some(Physical::of(b.ty)) => Right::Constant(word(d)?),
            ExprKind::Column(i) => match form_of_type(b.ty)? {
                form if form.is_float() == op.is_float() && !matches!(form, Form::Bool | Form::U32) => {
                    Right::Column(self.column(*i, form))
                }
                _ => return self.slotted(op, b, depth),
            },
            _ => return self.slotted(op, b, depth),
        };
        self.steps.push(Step::Binary(op, right));
        Some(())
    }

    /// The accumulator is the left side, `b` the right one.
    fn slotted(&mut self, op: BinaryOp, b: &Expr, depth: u32) -> Option<()> {
        let slot = self.slot();
        self.steps.push(Step::Save(slot));
        self.value(b, depth + 1)?;
        self.steps.push(Step::Binary(op, Right::Accumulator(slot)));
        self.slots -= 1;
        Some(())
    }

    fn unary(&mut self, function: Oid, arg: &Expr, depth: u32) -> Option<()> {
        self.value(arg, depth + 1)?;
        let op = match catalog::builtin::proc_by_oid(function)?.source {
            "int2um" => UnaryOp::NegI16,
            "int4um" => UnaryOp::NegI32,
            "int8um" => UnaryOp::NegI64,
            "int2abs" => UnaryOp::AbsI16,
            "int4abs" => UnaryOp::AbsI32,
            "int8abs" => UnaryOp::AbsI64,
            "int2not" | "int4not" | "int8not" => UnaryOp::NotBits,
            "float4um" | "float8um" => UnaryOp::NegFloat,
            "float4abs" | "float8abs" => UnaryOp::AbsFloat,
            "i4toi2" | "int82" => UnaryOp::NarrowI16,
            "int84" => UnaryOp::NarrowI32,
            "i2tod" | "i4tod" | "i8tod" => UnaryOp::IntToF64,
            "i2tof" | "i4tof" | "i8tof" => UnaryOp::IntToF32,
            // The word stays as it is.
            "i2toi4" | "int28" | "int48" | "ftod" => return Some(()),
            _ => return None,
        };
        self.steps.push(Step::Unary(op));
        self.work += 1;
        Some(())
    }

    /// AND, or OR.
    fn logic(&mut self, list: &[Expr], and: bool, depth: u32) -> Option<()> {
        let end = self.label();
        for (i, arg) in list.iter().enumerate() {
            if i == 0 {
                self.value(arg, depth + 1)?;
                continue;
            }
            // What decides ends it: behind it there may be an error, or a long way.
            if !is_short(arg) {
                self.steps.push(if and { Step::JumpIfFalse(end) } else { Step::JumpIfTrue(end) });
            }
            let slot = self.slot();
            self.steps.push(Step::Save(slot));
            self.value(arg, depth + 1)?;
            self.steps.push(if and { Step::And(slot) } else { Step::Or(slot) });
            self.slots -= 1;
            self.work += 1;
        }
        self.steps.push(Step::Here(end));
        Some(())
    }

    fn in_list(&mut self, all: bool, function: Oid, [x, list]: &[Expr; 2], depth: u32) -> Option<()> {
        let wanted = if all { Sign::NotEqual } else { Sign::Equal };
        if functions::sign(function)? != wanted || binary(function)?.is_float() || form_of_type(x.ty)?.is_float() {
            return None;
        }
        let datums: Vec<Datum> = match &list.kind {
            ExprKind::Const(d @ Datum::Var(_)) => Array::from_datum(d).values,
            ExprKind::Array(items) => items
                .iter()
                .map(|e| match &e.kind {
                    ExprKind::Const(d) => Some(d.clone()),
                    _ => None,
                })
                .collect::<Option<_>>()?,
            _ => return None,
        };
        let mut words = datums.iter().map(word).collect::<Option<Vec<u64>>>()?;
        if words.is_empty() || words.len() > LIST_MAX {
            return None;
        }
        words.sort_unstable_by_key(|&w| w as i64);
        self.value(x, depth + 1)?;
        match jit::set_of(&words) {
            Some(set) => {
                self.sets.push(set);
                self.steps.push(Step::InSet(self.sets.len() as u32 - 1));
            }
            None => {
                self.lists.push(words);
                self.steps.push(Step::InList(self.lists.len() as u32 - 1));
            }
        }
        if all {
            self.steps.push(Step::Not);
        }
        self.work += 2;
        Some(())
    }
}

/// Whether a boolean is as quickly had as jumped over, and never fails.
fn is_short(e: &Expr) -> bool {
    let is_leaf =
        |e: &Expr| matches!(e.kind, ExprKind::Column(_) | ExprKind::Const(_) | ExprKind::Param(_) | ExprKind::Slot(_));
    match &e.kind {
        ExprKind::Call { function, args, .. } => functions::sign(*function).is_some() && args.iter().all(is_leaf),
        ExprKind::IsNull(a) | ExprKind::Not(a) | ExprKind::IsBool(a, _) => is_leaf(a),
        _ => is_leaf(e),
    }
}

/// Whether values of a type are ordered as their words are.
fn is_ordered_as_number(ty: Oid) -> bool {
    const OTHERWISE: [Oid; 3] = [oid::PG_LSN, oid::XID8, oid::TID];
    form_of_type(ty).is_some() && !OTHERWISE.contains(&ty)
}

/// The operation that a function of two arguments is.
fn binary(function: Oid) -> Option<BinaryOp> {
    let row = catalog::builtin::proc_by_oid(function)?;
    if let Some(sign) = functions::sign(function) {
        let [left, right] = row.args else { return None };
        let (l, r) = (form_of_type(*left)?, form_of_type(*right)?);
        const INTEGERS: [Oid; 3] = [oid::INT2, oid::INT4, oid::INT8];
        let whole = INTEGERS.contains(left) && INTEGERS.contains(right);
        return Some(match (l.is_float() && r.is_float(), sign) {
            (true, Sign::Equal) => BinaryOp::EqFloat,
            (true, Sign::NotEqual) => BinaryOp::NeFloat,
            (true, Sign::Less) => BinaryOp::LtFloat,
            (true, Sign::LessEqual) => BinaryOp::LeFloat,
            (true, Sign::Greater) => BinaryOp::GtFloat,
            (true, Sign::GreaterEqual) => BinaryOp::GeFloat,
            // Dates and timestamps are not alike; enums have an order of their own.
            _ if !(whole || left == right && is_ordered_as_number(*left) && *left != oid::ANYENUM) => return None,
            (false, Sign::Equal) => BinaryOp::EqInt,
            (false, Sign::NotEqual) => BinaryOp::NeInt,
            (false, Sign::Less) => BinaryOp::LtInt,
            (false, Sign::LessEqual) => BinaryOp::LeInt,
            (false, Sign::Greater) => BinaryOp::GtInt,
            (false, Sign::GreaterEqual) => BinaryOp::GeInt,
        });
    }
    let width = form_of_type(row.result)?;
    macro_rules! by_width {
        ($i16:ident $i32:ident $i64:ident) => {
            match width {
                Form::I16 => BinaryOp::$i16,
                Form::I32 => BinaryOp::$i32,
                Form::I64 => BinaryOp::$i64,
                _ => return None,
            }
        };
        ($f32:ident $f64:ident) => {
            match width {
                Form::F32 => BinaryOp::$f32,
                Form::F64 => BinaryOp::$f64,
                _ => return None,
            }
        };
    }
    Some(match row.source {
        "int2pl" | "int4pl" | "int8pl" | "int24pl" | "int42pl" | "int28pl" | "int82pl" | "int48pl" | "int84pl" => {
            by_width!(AddI16 AddI32 AddI64)
        }
        "int2mi" | "int4mi" | "int8mi" | "int24mi" | "int42mi" | "int28mi" | "int82mi" | "int48mi" | "int84mi" => {
            by_width!(SubI16 SubI32 SubI64)
        }
        "int2mul" | "int4mul" | "int8mul" | "int24mul" | "int42mul" | "int28mul" | "int82mul" | "int48mul"
        | "int84mul" => {
            by_width!(MulI16 MulI32 MulI64)
        }
        "int2div" | "int4div" | "int8div" | "int24div" | "int42div" | "int28div" | "int82div" | "int48div"
        | "int84div" => {
            by_width!(DivI16 DivI32 DivI64)
        }
        "int2mod" | "int4mod" | "int8mod" => by_width!(RemI16 RemI32 RemI64),
        "int2and" | "int4and" | "int8and" => BinaryOp::AndBits,
        "int2or" | "int4or" | "int8or" => BinaryOp::OrBits,
        "int2xor" | "int4xor" | "int8xor" => BinaryOp::XorBits,
        "float4pl" | "float8pl" | "float48pl" | "float84pl" => by_width!(AddF32 AddF64),
        "float4mi" | "float8mi" | "float48mi" | "float84mi" => by_width!(SubF32 SubF64),
        "float4mul" | "float8mul" | "float48mul" | "float84mul" => by_width!(MulF32 MulF64),
        "float4div" | "float8div" | "float48div" | "float84div" => by_width!(DivF32 DivF64),
        _ => return None,
    })
}
