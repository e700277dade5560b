//! Other generators of code: closures, one that asks another, and one that mixes programs up.

use std::sync::Arc;

use vector::{Data, Nulls, Vector};

use super::plus_one;
use crate::{
    BinaryOp, Code, Column, CopyAndPatch, Form, Jit, Output, Program, Provider, Right, Rows, Sink, Step, Suspect,
};

/// The accumulator after a step, or that the row is suspect.
type Act = Box<dyn Fn(Option<u64>, &[Column<'_>], usize) -> Result<Option<u64>, Suspect> + Send + Sync>;

/// Makes a closure of each step; knows columns and operations with constants.
struct Closures;

struct Chain(Vec<Act>);

impl Provider for Closures {
    fn name(&self) -> &str {
        "closures"
    }

    fn compile(&self, program: &Arc<Program>, _: u64) -> Option<Box<dyn Code>> {
        let act = |step: &Step| -> Option<Act> {
            match *step {
                Step::Column(c) => Some(Box::new(move |_, columns, row| Ok(columns[c as usize].value(row)))),
                Step::Binary(op, Right::Constant(b)) => {
                    Some(Box::new(move |a, _, _| match a.map(|a| op.apply(a, b)) {
                        Some((_, true)) => Err(Suspect),
                        other => Ok(other.map(|o| o.0)),
                    }))
                }
                _ => None,
            }
        };
        let chain: Option<Vec<Act>> = program.steps.iter().map(act).collect();
        Some(Box::new(Chain(chain?)))
    }

    fn bytes(&self) -> usize {
        77
    }
}

impl Code for Chain {
    fn run(&self, rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), Suspect> {
        for row in rows.range() {
            let value = self.0.iter().try_fold(None, |a, act| act(a, rows.columns(), row))?;
            sink.put(row, value);
        }
        Ok(())
    }
}

fn ints(values: Vec<i32>) -> Vector {
    let mut nulls = Nulls::default();
    nulls.set(1);
    Vector { data: Data::I32(values), nulls }
}

#[test]
fn another_provider_can_be_plugged_in() {
    let jit = Jit::new(Closures);
    assert_eq!(jit.provider().name(), "closures");
    let column = ints(vec![1, 0, 3]);
    let unit = jit.unit(plus_one(1)).unwrap().0;
    let values = unit.values(&[&column], &[], 3).unwrap();
    assert_eq!((values.data, values.nulls.words()), (Data::I32(vec![2, 0, 4]), &[2][..]));
    // As the others do, it says that a row is suspect, and that there is something it does not know.
    assert!(unit.values(&[&ints(vec![1, 0, i32::MAX])], &[], 3).is_none());
    assert!(unit.values(&[&ints(vec![1, i32::MAX, 1])], &[], 3).is_some(), "NULL");
    let unknown = jit.unit(Program { steps: vec![Step::Null], ..plus_one(1) }).unwrap().0;
    assert!(unknown.values(&[&column], &[], 3).is_none());
    let steps = vec![Step::Column(0), Step::Binary(BinaryOp::LtInt, Right::Constant(2))];
    let filter = jit.unit(Program { steps, output: Output::Kept, ..plus_one(1) }).unwrap().0;
    let mut kept = Vec::new();
    assert!(filter.kept(&[&column], &[], 3, &mut kept));
    assert_eq!(kept, [0]);
    let counts = jit.counts();
    assert_eq!((counts.refused, counts.compiled, counts.bytes), (1, 0, 77), "closures are no machine code");
}

/// Whatever it is asked for, it hands out the code of another program.
struct Mistaken(CopyAndPatch, Arc<Program>);

impl Provider for Mistaken {
    fn name(&self) -> &str {
        "mistaken"
    }

    fn compile(&self, _: &Arc<Program>, nulls: u64) -> Option<Box<dyn Code>> {
        self.0.compile(&self.1, nulls)
    }
}

#[test]
fn code_runs_over_rows_of_its_own_program_only() {
    let column = ints(vec![1, 0, 3]);
    let wide = Program { columns: vec![Form::I64; 3], steps: vec![Step::Column(2)], ..plus_one(1) };
    let jit = Jit::new(Mistaken(CopyAndPatch::new(), Arc::new(wide)));
    assert!(jit.unit(plus_one(1)).unwrap().0.values(&[&column], &[], 3).is_none());
    let unsound = Program { steps: vec![Step::Column(9)], ..plus_one(1) };
    assert!(CopyAndPatch::new().compile(&Arc::new(unsound), 0).is_none());
}

/// Asks another for the code, and counts how often.
struct Asking(CopyAndPatch, Arc<std::sync::atomic::AtomicU64>);

impl Provider for Asking {
    fn name(&self) -> &str {
        "asking"
    }

    fn compile(&self, program: &Arc<Program>, nulls: u64) -> Option<Box<dyn Code>> {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.0.compile(program, nulls)
    }
}

#[test]
fn a_provider_is_asked_once_for_each_kind_of_rows() {
    let asked = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let jit = Jit::new(Asking(CopyAndPatch::new(), asked.clone()));
    let unit = jit.unit(plus_one(1)).unwrap().0;
    let full = Vector { data: Data::I32(vec![1, 2]), nulls: Nulls::default() };
    for column in [&full, &ints(vec![1, 0]), &full, &ints(vec![1, 0])] {
        assert_eq!(unit.values(&[column], &[], 2).is_some(), super::CODE);
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 2);
}

/// Puts one value where nobody asked for one.
struct Beyond(usize);

impl Provider for Beyond {
    fn name(&self) -> &str {
        "beyond"
    }

    fn compile(&self, _: &Arc<Program>, _: u64) -> Option<Box<dyn Code>> {
        Some(Box::new(Beyond(self.0)))
    }
}

impl Code for Beyond {
    fn run(&self, _: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), Suspect> {
        sink.put(self.0, Some(1));
        Ok(())
    }
}

#[test]
#[should_panic(expected = "row 3 of 0..3")]
fn a_row_that_is_not_there_has_no_value() {
    let unit = Jit::new(Beyond(3)).unit(plus_one(1)).unwrap().0;
    unit.values(&[&ints(vec![1, 0, 3])], &[], 3);
}
