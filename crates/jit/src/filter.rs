//! What a filter's program need not do: a filter keeps a row whose value is true, so that where nobody else looks, NULL is as good as false. So does a program
//! that folds those rows only.
//!
//! `a AND b` is written as `a, JumpIfFalse end, Save s, b, And s, Here end`: where `a` is NULL, `b` tells whether the whole is false. If only its truth matters,
//! `a, JumpUnlessTrue end, b, Here end` says the same, and `a OR b` is `a, JumpIfTrue end, b, Here end`: nothing is saved. `b` must not be suspect, though, if it
//! is skipped: whether a row is suspect stays as it was.

use std::borrow::Cow;

use hashbrown::HashMap;

use crate::program::{Label, Output, Program, Right, Step};

/// The steps of `program`, or fewer that keep the same rows and find the same ones suspect; `can_fail` says whether a step can find one so.
pub fn simplified(program: &Program, can_fail: impl Fn(&Step) -> bool) -> Cow<'_, [Step]> {
    let steps = &program.steps[..];
    let is_logic = |step: &Step| matches!(step, Step::And(_) | Step::Or(_));
    if matches!(program.output, Output::Vector(_)) || !program.passes.truth || !steps.iter().any(is_logic) {
        return Cow::Borrowed(steps);
    }
    let mut pass = Pass { steps: steps.to_vec(), labels: labels(steps), can_fail, dropped: vec![false; steps.len()] };
    pass.run();
    let kept = pass.steps.into_iter().zip(pass.dropped).filter(|(_, is_dropped)| !is_dropped);
    Cow::Owned(kept.map(|(step, _)| step).collect())
}

/// What is known of a label.
#[derive(Clone, Copy, Default)]
struct Place {
    /// Its step.
    at: usize,
    /// The first step that jumps to it.
    first: Option<usize>,
    after: After,
}

/// What is done, from some step on, with what is there.
#[derive(Clone, Copy, Default)]
struct After {
    /// Nobody tells whether the accumulator is NULL or false.
    truth_only: bool,
    /// Slots that are read before they are written; those beyond the 63rd share a bit.
    slots: u64,
}

fn labels(steps: &[Step]) -> HashMap<Label, Place> {
    let mut labels: HashMap<Label, Place> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        match (step, step.target()) {
            (_, Some(label)) => {
                labels.entry(label).or_default().first.get_or_insert(at);
            }
            (&Step::Here(label), _) => labels.entry(label).or_default().at = at,
            _ => {}
        }
    }
    labels
}

fn bit(slot: u32) -> u64 {
    1 << slot.min(63)
}

struct Pass<F> {
    steps: Vec<Step>,
    labels: HashMap<Label, Place>,
    can_fail: F,
    dropped: Vec<bool>,
}

impl<F: Fn(&Step) -> bool> Pass<F> {
    /// From the last step to the first: labels lie ahead of who jumps to them.
    fn run(&mut self) {
        let mut after = After { truth_only: true, slots: 0 };
        for at in (0..self.steps.len()).rev() {
            let step = self.steps[at].clone();
            let there = step.target().and_then(|l| self.labels.get(&l)).map_or(After::default(), |p| p.after);
            match step {
                Step::Here(label) => {
                    if let Some(place) = self.labels.get_mut(&label) {
                        place.after = after;
                    }
                }
                Step::And(_) | Step::Or(_) if after.truth_only && self.is_guarded(at) => self.dropped[at] = true,
                Step::And(s) | Step::Or(s) => after.slots |= bit(s),
                Step::Save(s) if after.slots & bit(s) == 0 => self.dropped[at] = true,
                Step::Save(s) => {
                    after.truth_only = false;
                    // Others may share the last bit.
                    after.slots &= if s < 63 { !bit(s) } else { u64::MAX };
                }
                Step::Jump(_) => after = there,
                // Who goes on is true.
                Step::JumpUnlessTrue(_) => {
                    after = After { truth_only: there.truth_only, slots: after.slots | there.slots }
                }
                Step::JumpIfTrue(_) => after.slots |= there.slots,
                Step::JumpIfFalse(_) | Step::JumpUnlessNull(_) => {
                    after = After { truth_only: false, slots: after.slots | there.slots };
                }
                Step::Restore(s) => after = After { truth_only: true, slots: after.slots | bit(s) },
                Step::Column(_) | Step::NullOf(_) | Step::Constant(_) | Step::Null | Step::Input(_) | Step::IsTrue => {
                    after.truth_only = true;
                }
                Step::Binary(_, Right::Accumulator(s)) | Step::Choose(_, s) => {
                    after = After { truth_only: false, slots: after.slots | bit(s) };
                }
                Step::Call(site) => {
                    after.truth_only = true;
                    site.slots().for_each(|s| after.slots |= bit(s));
                }
                Step::Binary(..)
                | Step::Unary(_)
                | Step::Not
                | Step::IsNull
                | Step::IsFalse
                | Step::InList(_)
                | Step::InSet(_)
                | Step::Pick(_)
                | Step::Among(_)
                | Step::Fold(..) => {
                    after.truth_only = false;
                }
            }
        }
    }

    /// Whether AND or OR at step `at` is reached only where its slot tells nothing: true, or, of OR, not true. A jump of AND is made to see to that.
    fn is_guarded(&mut self, at: usize) -> bool {
        let (slot, is_and) = match self.steps[at] {
            Step::And(s) => (s, true),
            Step::Or(s) => (s, false),
            _ => return false,
        };
        let Some(save) = self.steps[..at].iter().rposition(|step| *step == Step::Save(slot)) else { return false };
        let Some(jump) = save.checked_sub(1) else { return false };
        let between = &self.steps[save + 1..at];
        let is_entered = between.iter().any(|step| match step {
            Step::Here(l) => self.labels.get(l).and_then(|p| p.first).is_some_and(|first| first <= save),
            _ => false,
        });
        if is_entered {
            return false;
        }
        match self.steps[jump] {
            Step::JumpIfTrue(_) => !is_and,
            Step::JumpUnlessTrue(_) => is_and,
            Step::JumpIfFalse(label) if is_and => {
                let is_safe = !between.iter().any(&self.can_fail);
                let is_fine = self.labels.get(&label).is_some_and(|p| p.at > at && p.after.truth_only);
                if is_safe && is_fine {
                    self.steps[jump] = Step::JumpUnlessTrue(label);
                }
                is_safe && is_fine
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BinaryOp, Form};

    fn test(column: u32) -> [Step; 2] {
        [Step::Column(column), Step::Binary(BinaryOp::LtInt, Right::Constant(5))]
    }

    fn program(steps: Vec<Step>) -> Program {
        let columns = vec![Form::I32; 3];
        let program = Program { steps, columns, slots: 3, ..Program::new(Output::Kept) };
        assert!(program.is_sound());
        program
    }

    fn logic(jump: fn(Label) -> Step, op: fn(u32) -> Step, left: &[Step], right: &[Step]) -> Vec<Step> {
        let end = Label((left.len() * 100 + right.len()) as u32);
        [left, &[jump(end), Step::Save(0)], right, &[op(0), Step::Here(end)]].concat()
    }

    fn and(left: &[Step], right: &[Step]) -> Vec<Step> {
        logic(Step::JumpIfFalse, Step::And, left, right)
    }

    fn or(left: &[Step], right: &[Step]) -> Vec<Step> {
        logic(Step::JumpIfTrue, Step::Or, left, right)
    }

    fn saves(steps: &[Step]) -> usize {
        let can_fail = |step: &Step| matches!(step, Step::Binary(BinaryOp::AddI32, _));
        let program = program(steps.to_vec());
        simplified(&program, can_fail).iter().filter(|s| matches!(s, Step::Save(_))).count()
    }

    #[test]
    fn a_filter_saves_nothing_for_and_and_or() {
        let (a, b, c) = (&test(0)[..], &test(1)[..], &test(2)[..]);
        assert_eq!(saves(&and(a, b)), 0);
        assert_eq!(saves(&or(a, b)), 0);
        assert_eq!(saves(&and(&and(a, b), c)), 0);
        assert_eq!(saves(&and(&or(a, b), c)), 0);
        let steps = and(a, b);
        let simple = simplified(&program(steps), |_| false).into_owned();
        let wanted = [a, &[Step::JumpUnlessTrue(Label(202))], b, &[Step::Here(Label(202))]].concat();
        assert_eq!(simple, wanted);
    }

    #[test]
    fn what_somebody_tells_from_false_is_saved() {
        let (a, b) = (&test(0)[..], &test(1)[..]);
        assert_eq!(saves(&[&and(a, b)[..], &[Step::Not]].concat()), 1, "NOT NULL is not NOT false");
        assert_eq!(saves(&[&and(a, b)[..], &[Step::IsNull]].concat()), 1);
        assert_eq!(saves(&[&and(a, b)[..], &[Step::Not, Step::IsTrue]].concat()), 1);
        assert_eq!(saves(&[&and(a, b)[..], &[Step::IsTrue]].concat()), 0);
        let sum = [Step::Column(1), Step::Binary(BinaryOp::AddI32, Right::Column(2))];
        assert_eq!(saves(&and(a, &sum)), 1, "the sum is suspect even where the left side is NULL");
        assert_eq!(saves(&or(a, &sum)), 0);
    }

    #[test]
    fn a_slot_that_others_read_or_that_is_jumped_over_is_saved() {
        let (a, b) = (&test(0)[..], &test(1)[..]);
        let read_again = [&and(a, b)[..], &[Step::Restore(0)]].concat();
        assert_eq!(saves(&read_again), 1);
        // AND can be reached without the jump before it.
        let around = [
            &test(2)[..],
            &[Step::Save(0), Step::JumpIfTrue(Label(9))],
            a,
            &[Step::JumpIfFalse(Label(1)), Step::Save(0)],
            b,
            &[Step::Here(Label(9)), Step::And(0), Step::Here(Label(1))],
        ];
        assert_eq!(saves(&around.concat()), 2);
    }
    #[test]
    fn what_is_done_where_a_jump_goes_counts_too() {
        let (a, b, c) = (&test(0)[..], &test(1)[..], &test(2)[..]);
        // Whoever is false takes another way, on which NULL would become something else.
        let apart = [
            a,
            &[Step::JumpIfFalse(Label(1)), Step::Save(0)],
            b,
            &[Step::And(0), Step::Jump(Label(2)), Step::Here(Label(1)), Step::Not, Step::Here(Label(2))],
        ];
        assert_eq!(saves(&apart.concat()), 1);
        for jump in [Step::JumpIfTrue, Step::JumpIfFalse, Step::JumpUnlessTrue, Step::JumpUnlessNull] {
            let read_there = [
                &and(a, b)[..],
                &[Step::Save(1)],
                c,
                &[jump(Label(1)), Step::Null, Step::Jump(Label(2))],
                &[Step::Here(Label(1)), Step::Restore(1), Step::Here(Label(2))],
            ];
            assert_eq!(saves(&read_there.concat()), 2, "{:?}", jump(Label(1)));
        }
    }
}
