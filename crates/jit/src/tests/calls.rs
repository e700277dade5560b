//! Calls: the same ones, with the same arguments, in the same order, whoever runs the program; and what becomes of those that fail.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

use vector::{CHUNK_ROWS, Data, Nulls, Vector};

use super::{CODE, Kind, native, plus_one};
use crate::{Argument, BinaryOp, Calls, Form, Given, Input, Jit, Output, Program, Right, Site, Step, Suspect};

/// Answers by what it is asked, of the kind that the site says; and remembers all that it was asked.
#[derive(Default)]
pub struct Hashing {
    asked: Cell<u64>,
    count: Cell<u64>,
}

impl Hashing {
    /// The number of a site that answers with words of this kind.
    pub fn site(kind: Kind, number: u32) -> u32 {
        number * 4 + kind as u32
    }

    /// How often it was asked, and a number that tells what.
    pub fn asked(&self) -> (u64, u64) {
        (self.count.get(), self.asked.get())
    }
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

impl Calls for Hashing {
    fn call(&self, site: u32, row: usize, args: &[Argument]) -> Result<Input, Suspect> {
        let all = args.iter().map(|a| a.value().map_or(1 << 63, |w| if f64::from_bits(w).is_nan() { 1 } else { w }));
        let hash = all.fold(mix(u64::from(site), row as u64), mix);
        self.count.set(self.count.get() + 1);
        self.asked.set(mix(self.asked.get(), hash));
        match (hash >> 20 & 0xFFF, site % 4) {
            (0, _) => Err(Suspect),
            (1..400, _) => Ok(None),
            (_, 0) => Ok(Some((hash as i8 as i64) as u64)),
            (_, 1) => Ok(Some(f64::from(hash as i8).to_bits())),
            _ => Ok(Some(hash & 1)),
        }
    }
}

/// Calls with what a closure says.
struct With<F>(F);

impl<F: Fn(u32, usize, &[Argument]) -> Result<Input, Suspect>> Calls for With<F> {
    fn call(&self, site: u32, row: usize, args: &[Argument]) -> Result<Input, Suspect> {
        self.0(site, row, args)
    }
}

fn given<'g>(inputs: &'g [Input], calls: &'g dyn Calls) -> Given<'g> {
    Given { inputs, calls: Some(calls), ..Given::default() }
}

/// What site 7 says of the first column and an input, plus 1.
fn program() -> Program {
    let steps = vec![
        Step::Column(0),
        Step::Save(1),
        Step::Input(0),
        Step::Save(2),
        Step::Call(Site { number: 7, first: 1, args: 2 }),
        Step::Binary(BinaryOp::AddI64, Right::Constant(1)),
    ];
    let output = Output::Vector(Form::I64);
    Program { steps, columns: vec![Form::I64], inputs: 1, slots: 3, output, ..plus_one(1) }
}

fn column() -> Vector {
    let mut nulls = Nulls::default();
    nulls.set(3);
    Vector { data: Data::I64((0..CHUNK_ROWS as i64).map(|i| if i == 3 { 0 } else { i * 10 }).collect()), nulls }
}

fn providers() -> Vec<Jit> {
    if CODE { vec![native(), Jit::interpreter()] } else { vec![Jit::interpreter()] }
}

#[test]
fn a_call_gets_its_slots_and_its_answer_goes_on() {
    for jit in providers() {
        let unit = jit.unit(program()).unwrap().0;
        let asked = RefCell::new(Vec::new());
        let calls = With(|site, row, args: &[Argument]| {
            asked.borrow_mut().push((site, row));
            let [a, b] = args else { panic!("{args:?}") };
            assert_eq!(b.value(), Some(5));
            Ok(a.value().map(|a| a + row as u64))
        });
        let out = unit.values(&[&column()], given(&[Some(5)], &calls), 6).unwrap();
        assert_eq!(out.data, Data::I64(vec![1, 12, 23, 0, 45, 56]));
        assert!(out.nulls.get(3) && !out.nulls.get(2));
        assert_eq!(*asked.borrow(), (0..6).map(|row| (7, row)).collect::<Vec<_>>());
        let counts = jit.counts();
        assert_eq!(counts.calls, if counts.compiled > 0 { 6 } else { 0 });
    }
}

#[test]
fn a_call_that_nobody_knows_or_that_is_suspect_ends_the_run() {
    for jit in providers() {
        let unit = jit.unit(program()).unwrap().0;
        assert!(unit.values(&[&column()], &[Some(5)], 6).is_none());
        let count = Cell::new(0);
        let calls = With(|_, row, _: &[Argument]| {
            count.set(count.get() + 1);
            if row == 700 { Err(Suspect) } else { Ok(Some(1)) }
        });
        assert!(unit.values(&[&column()], given(&[None], &calls), 1000).is_none());
        assert_eq!(count.get(), 701);
        assert!(unit.values(&[&column()], given(&[None], &calls), 700).is_some());
    }
}

#[test]
fn a_panic_in_a_call_goes_on_behind_the_code() {
    for jit in providers() {
        let unit = jit.unit(program()).unwrap().0;
        let calls = With(|_, row, _: &[Argument]| {
            assert!(row < 2, "of row {row}");
            Ok(Some(1))
        });
        for _ in 0..3 {
            let run = || unit.values(&[&column()], given(&[None], &calls), 10);
            let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
            assert_eq!(panic.downcast_ref::<String>().unwrap(), "of row 2");
        }
        assert!(unit.values(&[&column()], given(&[None], &calls), 2).is_some());
    }
}

#[test]
fn a_call_may_run_the_same_code() {
    for jit in providers() {
        let unit = jit.unit(program()).unwrap().0;
        let leaf = With(|_, _, args: &[Argument]| Ok(args[0].value()));
        let calls = With(|_, row, args: &[Argument]| {
            let inner = unit.values(&[&column()], given(&[None], &leaf), row + 1).ok_or(Suspect)?;
            assert_eq!(args[1].value(), None);
            let Data::I64(values) = &inner.data else { panic!("{inner:?}") };
            Ok((!inner.nulls.get(row)).then_some(values[row] as u64))
        });
        let out = unit.values(&[&column()], given(&[None], &calls), 5).unwrap();
        assert_eq!(out.data, Data::I64(vec![2, 12, 22, 0, 42]));
    }
}

#[test]
fn sites_that_do_not_fit_are_not_sound() {
    let with = |site| Program { steps: vec![Step::Call(site)], ..program() };
    let site = Site { number: 0, first: 1, args: 2 };
    assert!(with(site).is_sound());
    assert!(!with(Site { args: 3, ..site }).is_sound());
    assert!(!with(Site { first: 3, ..site }).is_sound());
    assert!(!with(Site { number: 1 << 24, ..site }).is_sound());
    assert!(with(Site { first: 3, args: 0, ..site }).is_sound());
    assert!(with(Site { number: 9, ..site }).calls() && !plus_one(1).calls());
}
