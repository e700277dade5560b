//! Which expressions have a row program, and how it is written.

use jit::{BinaryOp, Choice, Fold, Form, Label, Output, Passes, Program, Refusal, Right, Step, UnaryOp};
use plan::{Expr, ExprKind};
use types::array::Array;
use types::compare::Sign;
use types::{Datum, Oid, Physical, oid};

use super::sites::{Operation, Site, Source};
use super::texts::text_test;

/// Deeper expressions are evaluated as ever.
const DEPTH_MAX: u32 = 200;
/// Longer lists are looked up in tables.
const LIST_MAX: usize = 4096;
/// With fewer branches, a CASE is a chain of tests even where it could be a table.
const PICK_MIN: usize = 4;
/// Steps that a program may have: beyond, the code of one expression would take much of what there is.
const STEPS_MAX: usize = 20_000;

/// A program, and what it reads.
pub struct Written {
    pub program: Program,
    /// Columns of the chunk, in the order of the program's.
    pub columns: Vec<usize>,
    /// What its inputs are: parameters and slots.
    pub inputs: Vec<Expr>,
    /// The lists that it looks into.
    pub lists: Vec<Expr>,
    /// What it calls.
    pub sites: Vec<Site>,
    /// What its values are like, if no word holds them.
    pub result: Option<Physical>,
}

/// Why `e` itself is not called, if it is not: what is suspect is evaluated again, and queries have expressions over rows of their own.
fn refusal(e: &Expr) -> Option<Refusal> {
    let is_volatile = match &e.kind {
        ExprKind::Subquery(_) => return Some(Refusal::Query),
        ExprKind::Call { function, .. } => {
            catalog::builtin::proc_by_oid(*function).is_none_or(|p| p.volatility == b'v')
        }
        ExprKind::Routine { routine, .. } => routine.volatility == b'v',
        ExprKind::AnyArray { .. } => {
            let mut found = None;
            if let Some(list) = fixed_list(e) {
                list.visit(&mut |e| found = found.or_else(|| refusal(e)));
            }
            return found;
        }
        _ => false,
    };
    is_volatile.then_some(Refusal::Volatile)
}

/// The program of `e`, whatever it takes: what has no steps is called.
pub fn forced(e: &Expr, passes: Passes) -> Result<Written, Refusal> {
    let mut builder = Builder { calls: true, passes, ..Builder::default() };
    let is_written = builder.value(e, 0).is_some();
    let refusal = builder.refusal.unwrap_or(Refusal::Long);
    is_written.then(|| builder.written(e)).flatten().ok_or(refusal)
}

/// The program of `e`, if it has one that does more than a kernel does in one loop.
pub fn written(e: &Expr, passes: Passes) -> Option<Written> {
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
    let mut builder = Builder { passes, ..Builder::default() };
    builder.value(e, 0)?;
    builder.written(e)
}

/// Values that are folded into cells, where their filter, if they have one, is true.
pub struct Folded<'e> {
    pub filter: Option<&'e Expr>,
    /// None for rows as such.
    pub value: Option<&'e Expr>,
    pub into: &'e [(Fold, u32)],
}

/// The program that folds those rows for which `filter` is true into `cells` cells. The first counts the rows.
pub fn folding<'e>(
    filter: Option<&Expr>,
    folded: impl IntoIterator<Item = Folded<'e>>,
    cells: u32,
    passes: Passes,
) -> Option<Written> {
    let mut builder = Builder { passes, ..Builder::default() };
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
    // Pages are folded without what chunks have: calls, and lists that are made for each run.
    let is_bare = builder.sites.is_empty() && builder.given.is_empty();
    if is_bare { builder.finished(Output::Folded(cells)) } else { None }
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
    tables: Vec<Vec<u64>>,
    labels: u32,
    /// Slots in use now, and at most.
    slots: u32,
    slots_max: u32,
    /// Operations, as a measure of what a program saves.
    work: u32,
    /// Whether what has no steps is called, and what is.
    calls: bool,
    sites: Vec<Site>,
    given: Vec<Expr>,
    /// Why something in it is not called, if anything is not.
    refusal: Option<Refusal>,
    passes: Passes,
}

impl Builder {
    /// The program of `e`, whose steps are there.
    fn written(mut self, e: &Expr) -> Option<Written> {
        let result = Physical::of(e.ty);
        let form = form_of(result);
        // Kernels over whole vectors of texts are as quick as calls.
        let is_worth_it = self.calls || self.work >= 2 && !self.columns.is_empty() && self.sites.is_empty();
        if !is_worth_it {
            return None;
        }
        if form.is_none() {
            let slot = self.slot();
            self.steps.push(Step::Save(slot));
            self.call(Site::Result(result), slot, 1);
        }
        let output = Output::Vector(form.unwrap_or(Form::Bool));
        let written = self.finished(output)?;
        Some(Written { result: form.is_none().then_some(result), ..written })
    }

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
            tables: self.tables,
            output,
            passes: self.passes,
        };
        Some(Written { program, columns, inputs: self.inputs, lists: self.given, sites: self.sites, result: None })
    }

    fn call(&mut self, site: Site, first: u32, args: u32) {
        self.steps.push(Step::Call(jit::Site { number: self.sites.len() as u32, first, args }));
        self.sites.push(site);
    }

    /// Calls what `e` is, over what its arguments are.
    fn operation(&mut self, e: &Expr, depth: u32) -> Option<()> {
        let mut expr = e.clone();
        let (mut sources, mut forms, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for child in operands(&mut expr) {
            let source = match child.kind {
                // It is looked up, or there are no rows that it depends on.
                ExprKind::Const(_) | ExprKind::Param(_) | ExprKind::Slot(_) => continue,
                ExprKind::Column(c) => Source::Column(c),
                _ => Source::Argument(open.len()),
            };
            let (ty, typmod, collation, position) = (child.ty, child.typmod, child.collation, child.position);
            let kind = ExprKind::Column(sources.len());
            let original = std::mem::replace(child, Expr { kind, ty, typmod, collation, position });
            if matches!(source, Source::Argument(_)) {
                open.push(original);
            }
            sources.push(source);
            forms.push(Physical::of(ty));
        }
        let (first, args) = (self.slots, open.len() as u32);
        self.slots += args;
        self.slots_max = self.slots_max.max(self.slots);
        for (slot, child) in (first..).zip(&open) {
            self.value(child, depth + 1)?;
            self.steps.push(Step::Save(slot));
        }
        self.slots -= args;
        self.call(Site::Operation(Operation { expr, sources, forms }), first, args);
        Some(())
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
        if self.calls
            && let Some(refusal) = refusal(e)
        {
            self.refusal = Some(refusal);
            return None;
        }
        match self.lowering(e) {
            Some(lowering) => self.lower(lowering, e, depth),
            None if self.calls => self.operation(e, depth),
            None => None,
        }
    }

    /// How `e` itself becomes steps, if it does.
    fn lowering<'e>(&self, e: &'e Expr) -> Option<Lowering<'e>> {
        let form = form_of_type(e.ty);
        let is_alike = |arg: &Expr| Physical::of(arg.ty) == Physical::of(e.ty);
        // Handles can be passed on, if there are any.
        if form.is_none() && !self.calls {
            return None;
        }
        Some(match &e.kind {
            ExprKind::Const(Datum::Null) => Lowering::One(Step::Null),
            ExprKind::Coerce { arg, .. } if e.typmod < 0 && is_alike(arg) => Lowering::Same(arg),
            ExprKind::Coalesce(list) if list.iter().all(is_alike) => Lowering::Coalesce(list),
            ExprKind::Case { whens, default } if whens.iter().map(|w| &w.1).chain([&**default]).all(is_alike) => {
                match self.passes.pick.then(|| Picked::of(whens, default)).flatten() {
                    Some(picked) => Lowering::Pick(picked, default),
                    None => Lowering::Case(whens, default),
                }
            }
            ExprKind::Column(i) => Lowering::Column(*i, form?),
            ExprKind::Const(d) if d.physical() == Some(Physical::of(e.ty)) => Lowering::One(Step::Constant(word(d)?)),
            ExprKind::Param(_) | ExprKind::Slot(_) if form.is_some() => Lowering::Input,
            ExprKind::Call { function, args, .. } => match &args[..] {
                [a] => Lowering::Unary(unary(*function)?, a),
                [a, b] => match binary(*function) {
                    Some(op) => Lowering::Binary(op, a, b),
                    None => Lowering::Call(Site::Text(text_test(e)?)),
                },
                _ => return None,
            },
            ExprKind::And(list) => Lowering::Logic(list, true),
            ExprKind::Or(list) => Lowering::Logic(list, false),
            ExprKind::Not(arg) => Lowering::After(arg, Step::Not),
            ExprKind::IsNull(arg) => match arg.kind {
                ExprKind::Column(i) => match form_of_type(arg.ty) {
                    Some(form) => Lowering::NullOf(i, form),
                    None => Lowering::Call(Site::NullOf(i)),
                },
                _ => Lowering::After(arg, Step::IsNull),
            },
            ExprKind::IsBool(arg, true) => Lowering::After(arg, Step::IsTrue),
            ExprKind::IsBool(arg, false) => Lowering::After(arg, Step::IsFalse),
            ExprKind::IsDistinct { equal, args } => Lowering::Distinct(binary(*equal)?, args),
            ExprKind::Extreme(greatest, list) if list.iter().all(is_alike) => {
                let choice = match (form?, greatest) {
                    (Form::F32 | Form::F64, true) => Choice::MaxFloat,
                    (Form::F32 | Form::F64, false) => Choice::MinFloat,
                    _ if !is_ordered_as_number(e.ty) => return None,
                    (_, true) => Choice::MaxInt,
                    (_, false) => Choice::MinInt,
                };
                Lowering::Extreme(choice, list)
            }
            ExprKind::AnyArray { all, function, args, .. } if is_membership(*all, *function, args) => {
                match words_of(&args[1]) {
                    Some(words) => Lowering::Among(words, &args[0], *all),
                    None if is_given(&args[1]) => Lowering::Given(&args[1], &args[0], *all),
                    None => return None,
                }
            }
            ExprKind::AnyArray { .. } => Lowering::Call(Site::Text(text_test(e)?)),
            _ => return None,
        })
    }

    fn lower(&mut self, lowering: Lowering<'_>, e: &Expr, depth: u32) -> Option<()> {
        match lowering {
            Lowering::One(step) => self.steps.push(step),
            Lowering::Same(arg) => self.value(arg, depth + 1)?,
            Lowering::Column(i, form) => {
                let column = self.column(i, form);
                self.steps.push(Step::Column(column));
            }
            Lowering::NullOf(i, form) => {
                let column = self.column(i, form);
                self.steps.push(Step::NullOf(column));
                self.work += 1;
            }
            Lowering::Input => {
                self.inputs.push(e.clone());
                self.steps.push(Step::Input(self.inputs.len() as u32 - 1));
            }
            Lowering::Call(site) => {
                self.call(site, 0, 0);
                self.work += 1;
            }
            Lowering::Unary(op, arg) => {
                self.value(arg, depth + 1)?;
                if let Some(op) = op {
                    self.steps.push(Step::Unary(op));
                    self.work += 1;
                }
            }
            Lowering::Binary(op, a, b) => self.binary(op, a, b, depth)?,
            Lowering::Logic(list, and) => self.logic(list, and, depth)?,
            Lowering::After(arg, step) => {
                self.value(arg, depth + 1)?;
                self.steps.push(step);
                self.work += 1;
            }
            Lowering::Coalesce(list) => {
                let end = self.label();
                for (i, arg) in list.iter().enumerate() {
                    if i > 0 {
                        self.steps.push(Step::JumpUnlessNull(end));
                    }
                    self.value(arg, depth + 1)?;
                }
                self.steps.push(Step::Here(end));
                self.work += 2;
            }
            Lowering::Pick(picked, default) => self.pick(picked, default, depth)?,
            Lowering::Case(whens, default) => {
                let end = self.label();
                for (condition, result) in whens {
                    let next = self.label();
                    self.value(condition, depth + 1)?;
                    self.steps.push(Step::JumpUnlessTrue(next));
                    self.value(result, depth + 1)?;
                    self.steps.extend([Step::Jump(end), Step::Here(next)]);
                }
                self.value(default, depth + 1)?;
                self.steps.push(Step::Here(end));
                self.work += 2;
            }
            Lowering::Extreme(choice, list) => {
                for (i, arg) in list.iter().enumerate() {
                    if i == 0 {
                        self.value(arg, depth + 1)?;
                        continue;
                    }
                    let slot = self.slot();
                    self.steps.push(Step::Save(slot));
                    self.value(arg, depth + 1)?;
                    self.steps.push(Step::Choose(choice, slot));
                    self.slots -= 1;
                }
                self.work += 2;
            }
            Lowering::Distinct(equal, args) => self.distinct(equal, args, depth)?,
            Lowering::Given(list, x, all) => {
                self.value(x, depth + 1)?;
                self.steps.push(Step::Among(self.given.len() as u32));
                self.given.push(list.clone());
                if all {
                    self.steps.push(Step::Not);
                }
                self.work += 2;
            }
            Lowering::Among(words, x, all) => {
                self.value(x, depth + 1)?;
                self.among(words);
                if all {
                    self.steps.push(Step::Not);
                }
                self.work += 2;
            }
        }
        Some(())
    }

    /// Whether two values differ: unless they are equal, or, where one of them is NULL, both are.
    fn distinct(&mut self, equal: BinaryOp, [a, b]: &[Expr; 2], depth: u32) -> Option<()> {
        let (left, right, is_null, end) = (self.slot(), self.slot(), self.slot(), self.label());
        self.value(a, depth + 1)?;
        self.steps.push(Step::Save(left));
        self.value(b, depth + 1)?;
        self.steps.extend([
            Step::Save(right),
            Step::Binary(equal, Right::Accumulator(left)),
            Step::JumpUnlessNull(end),
            Step::Restore(left),
            Step::IsNull,
            Step::Save(is_null),
            Step::Restore(right),
            Step::IsNull,
            Step::And(is_null),
            Step::Here(end),
            Step::Not,
        ]);
        self.slots -= 3;
        self.work += 3;
        Some(())
    }

    fn pick(&mut self, picked: Picked<'_>, default: &Expr, depth: u32) -> Option<()> {
        self.value(picked.asked, depth + 1)?;
        let step = Step::Pick(self.tables.len() as u32);
        self.tables.push(picked.table);
        self.work += 2;
        let Some(keys) = picked.keys else {
            self.steps.push(step);
            return Some(());
        };
        let (slot, next, end) = (self.slot(), self.label(), self.label());
        self.steps.push(Step::Save(slot));
        self.among(keys);
        self.steps.extend([Step::JumpUnlessTrue(next), Step::Restore(slot), step, Step::Jump(end), Step::Here(next)]);
        self.slots -= 1;
        self.value(default, depth + 1)?;
        self.steps.push(Step::Here(end));
        Some(())
    }

    fn binary(&mut self, op: BinaryOp, a: &Expr, b: &Expr, depth: u32) -> Option<()> {
        self.work += 1;
        self.value(a, depth + 1)?;
        if !self.passes.merge {
            return self.slotted(op, b, depth);
        }
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

    /// Whether the accumulator is among these.
    fn among(&mut self, words: Vec<u64>) {
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
    }
}

/// How an expression becomes steps.
enum Lowering<'e> {
    One(Step),
    /// As its argument: only the name of the type changes.
    Same(&'e Expr),
    Column(usize, Form),
    NullOf(usize, Form),
    Input,
    /// Called without arguments.
    Call(Site),
    /// An operation, if it changes the word.
    Unary(Option<UnaryOp>, &'e Expr),
    Binary(BinaryOp, &'e Expr, &'e Expr),
    /// AND, or OR.
    Logic(&'e [Expr], bool),
    /// The argument, and then this.
    After(&'e Expr, Step),
    Coalesce(&'e [Expr]),
    Case(&'e [(Expr, Expr)], &'e Expr),
    /// A CASE that looks up what it comes to; otherwise this.
    Pick(Picked<'e>, &'e Expr),
    Extreme(Choice, &'e [Expr]),
    Distinct(BinaryOp, &'e [Expr; 2]),
    /// Whether it is in a list that is known when the program runs, or, of ALL, not.
    Given(&'e Expr, &'e Expr, bool),
    /// Whether it is one of these words, or, of ALL, none.
    Among(Vec<u64>, &'e Expr, bool),
}

/// What an operation is called over: its children, but for a list that is the same for all rows. A column is called over itself.
fn operands(e: &mut Expr) -> Vec<&mut Expr> {
    if matches!(e.kind, ExprKind::Column(_)) {
        return vec![e];
    }
    let count = if fixed_list(e).is_some() { 1 } else { usize::MAX };
    e.children_mut().into_iter().take(count).collect()
}

/// The list that values are looked up in, if it is the same for all rows.
fn fixed_list(e: &Expr) -> Option<&Expr> {
    match &e.kind {
        ExprKind::AnyArray { args, .. } => Some(&args[1]).filter(|list| list.is_fixed()),
        _ => None,
    }
}

/// Whether `x op ANY (list)`, or ALL, asks whether a word is in a list of words, or not.
fn is_membership(all: bool, function: Oid, [x, _]: &[Expr; 2]) -> bool {
    let wanted = if all { Sign::NotEqual } else { Sign::Equal };
    functions::sign(function) == Some(wanted)
        && binary(function).is_some_and(|op| !op.is_float())
        && form_of_type(x.ty).is_some_and(|form| !form.is_float())
}

/// The words of a constant list, rising; none of one that is short of values, or has too many or a NULL.
fn words_of(list: &Expr) -> Option<Vec<u64>> {
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
    Some(words)
}

/// The word of a constant, NULL being none; none at all of what is no constant, or has no word.
fn value_of(e: &Expr) -> Option<Option<u64>> {
    match &e.kind {
        ExprKind::Const(Datum::Null) => Some(None),
        ExprKind::Const(d) if d.physical() == Some(Physical::of(e.ty)) => word(d).map(Some),
        _ => None,
    }
}

/// A CASE about the values of one integer.
struct Picked<'e> {
    asked: &'e Expr,
    /// What it comes to ([`Program::tables`]).
    table: Vec<u64>,
    /// The values that the table is about, rising, where there is none for others.
    keys: Option<Vec<u64>>,
}

impl Picked<'_> {
    /// Of conditions that are all `x = integer`, and come to constants.
    fn of<'e>(whens: &'e [(Expr, Expr)], default: &Expr) -> Option<Picked<'e>> {
        let mut asked: Option<&Expr> = None;
        let mut pairs = Vec::with_capacity(whens.len());
        for (condition, result) in whens {
            let ExprKind::Call { function, args, .. } = &condition.kind else { return None };
            let [x, key] = &args[..] else { return None };
            if binary(*function) != Some(BinaryOp::EqInt) || asked.replace(x).is_some_and(|other| other != x) {
                return None;
            }
            pairs.push((value_of(key)??, value_of(result)?));
        }
        let asked = asked.filter(|_| pairs.len() >= PICK_MIN)?;
        let other = value_of(default);
        let table = jit::table_of(&pairs, other.unwrap_or_default())?;
        let keys = other.is_none().then(|| {
            let mut keys: Vec<u64> = pairs.iter().map(|p| p.0).collect();
            keys.sort_unstable_by_key(|&w| w as i64);
            keys
        });
        Some(Picked { asked, table, keys })
    }
}

/// Whether the values of a list are looked up when a program runs.
fn is_given(list: &Expr) -> bool {
    let is_at_hand = |e: &Expr| matches!(e.kind, ExprKind::Const(_) | ExprKind::Param(_) | ExprKind::Slot(_));
    match &list.kind {
        ExprKind::Array(items) => items.len() <= LIST_MAX && items.iter().all(is_at_hand),
        _ => is_at_hand(list),
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

/// The operation that a function of one argument is; none where the word stays as it is.
fn unary(function: Oid) -> Option<Option<UnaryOp>> {
    Some(Some(match catalog::builtin::proc_by_oid(function)?.source {
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
        "i2toi4" | "int28" | "int48" | "ftod" => return Some(None),
        _ => return None,
    }))
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
