//! `Interpreter`: the provider that makes no code; what code is compared with.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::call::Argument;
use crate::program::{Program, Right, Step, table_span};
use crate::provider::{Code, Provider, Suspect};
use crate::rows::{Rows, Sink};

/// Interprets every program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interpreter;

impl Provider for Interpreter {
    fn name(&self) -> &str {
        "interpreter"
    }

    fn compile(&self, _: &Arc<Program>, _: u64) -> Option<Box<dyn Code>> {
        Some(Box::new(Interpreted))
    }
}

/// Whatever program comes with the rows.
struct Interpreted;

impl Code for Interpreted {
    fn run(&self, rows: &Rows<'_>, sink: &mut Sink<'_>) -> Result<(), Suspect> {
        let program = rows.program();
        let mut slots = vec![(0u64, false); program.slots as usize];
        for row in rows.range() {
            let (a, z) = one(rows, &mut slots, sink, row).ok_or(Suspect)?;
            if !program.folds() {
                sink.put(row, (!z).then_some(a));
            }
        }
        Ok(())
    }
}

/// The value for one row; none where it is suspect.
fn one(rows: &Rows<'_>, slots: &mut [(u64, bool)], sink: &mut Sink<'_>, row: usize) -> Option<(u64, bool)> {
    let (program, columns, inputs) = (&**rows.program(), rows.columns(), rows.inputs());
    let (mut a, mut z) = (0u64, false);
    let mut at = 0;
    while let Some(step) = program.steps.get(at) {
        at += 1;
        let mut jump = None;
        match *step {
            Step::Column(c) => (a, z) = columns[c as usize].get(row),
            Step::NullOf(c) => (a, z) = (u64::from(columns[c as usize].get(row).1), false),
            Step::Constant(word) => (a, z) = (word, false),
            Step::Null => (a, z) = (0, true),
            Step::Input(i) => {
                let input = inputs[i as usize];
                (a, z) = (input.unwrap_or(0), input.is_none());
            }
            Step::Restore(s) => (a, z) = slots[s as usize],
            Step::Save(s) => slots[s as usize] = (a, z),
            Step::Binary(op, right) => {
                let ((x, xz), (y, yz)) = match right {
                    Right::Accumulator(s) => (slots[s as usize], (a, z)),
                    Right::Constant(word) => ((a, z), (word, false)),
                    Right::Column(c) => ((a, z), columns[c as usize].get(row)),
                };
                let (v, bad) = op.apply(x, y);
                (a, z) = (v, xz | yz);
                if bad && !z {
                    return None;
                }
            }
            Step::Unary(op) => {
                let (v, bad) = op.apply(a);
                if bad && !z {
                    return None;
                }
                a = v;
            }
            Step::Choose(choice, s) => {
                let (x, xz) = slots[s as usize];
                a = match (xz, z) {
                    (_, true) => x,
                    (true, false) => a,
                    (false, false) => choice.apply(x, a),
                };
                z &= xz;
            }
            Step::And(s) => {
                let (x, xz) = slots[s as usize];
                let decided = (a & 1 == 0 && !z) || (x & 1 == 0 && !xz);
                (a, z) = (u64::from(!decided), (z || xz) && !decided);
            }
            Step::Or(s) => {
                let (x, xz) = slots[s as usize];
                let decided = (a & 1 == 1 && !z) || (x & 1 == 1 && !xz);
                (a, z) = (u64::from(decided), (z || xz) && !decided);
            }
            Step::Not => a ^= 1,
            Step::IsNull => (a, z) = (u64::from(z), false),
            Step::IsTrue => (a, z) = (u64::from(a & 1 == 1 && !z), false),
            Step::IsFalse => (a, z) = (u64::from(a & 1 == 0 && !z), false),
            Step::InList(l) => a = u64::from(program.lists[l as usize].contains(&a)),
            Step::InSet(s) => {
                let (least, bits) = program.sets[s as usize].split_first()?;
                let at = a.wrapping_sub(*least);
                let word = bits.get((at / 64) as usize);
                a = word.map_or(0, |w| w >> (at % 64) & 1);
            }
            Step::Pick(t) => {
                let table = &program.tables[t as usize];
                let at = a.wrapping_sub(*table.first()?);
                let pair = if !z && at < table_span(table) { at } else { table_span(table) };
                let &[value, null] = table.get(1 + 2 * pair as usize..)?.first_chunk()?;
                (a, z) = (value, null == 1);
            }
            Step::Among(l) => {
                let value = rows.lists().get(l as usize)?.has((!z).then_some(a));
                (a, z) = (value.unwrap_or(0), value.is_none());
            }
            Step::Call(site) => {
                let slot = |s: u32| slots[s as usize];
                let args: SmallVec<[Argument; 8]> =
                    site.slots().map(slot).map(|(word, z)| Argument { word, null: u64::from(z) }).collect();
                let value = rows.call(site.number, row, &args).ok()?;
                (a, z) = (value.unwrap_or(0), value.is_none());
            }
            Step::Jump(l) => jump = Some(l),
            Step::JumpUnlessTrue(l) if a & 1 == 0 || z => jump = Some(l),
            Step::JumpIfFalse(l) if a & 1 == 0 && !z => jump = Some(l),
            Step::JumpIfTrue(l) if a & 1 == 1 && !z => jump = Some(l),
            Step::JumpUnlessNull(l) if !z => jump = Some(l),
            Step::JumpUnlessTrue(_) | Step::JumpIfFalse(_) | Step::JumpIfTrue(_) | Step::JumpUnlessNull(_) => {}
            Step::Here(_) => {}
            Step::Fold(fold, cell) => sink.fold(fold, cell, (!z).then_some(a)),
        }
        if let Some(label) = jump {
            at += program.steps[at..].iter().position(|s| *s == Step::Here(label))?;
        }
    }
    Some((a, z))
}
