//! What a program's jumps need where all rows of a tile take the same way.
//!
//! A row that jumps leaves its accumulator at the label and is dead until then. Mostly less will do. Where the step behind the label loads something else, no
//! accumulator is left. AND and OR jump over what does not change them any more: `a, JumpIfFalse l, Save s, b, And s, Here l` has the same value if no row jumps. And
//! if nothing in between can be suspect or is folded, nobody need know which rows do.

use hashbrown::HashMap;

use crate::program::{Label, Right, Step};

/// What is done at a label, and by those who jump to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: nobody jumps.
    Nothing,
    /// Rows are dead until there.
    Rows,
    /// Rows are dead until there, and have the values then that they jumped with.
    Values,
    /// Rows are dead for the rest of the tile: it is the end of a program that folds. Where all are, the tile ends.
    End,
}

/// A label that is jumped to.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its number.
    pub number: usize,
    /// The first step that jumps to it.
    pub first: usize,
    at: usize,
    pub need: Need,
}

/// The labels that are jumped to; `None` where a slot may be read that some rows have written on another way than others.
pub fn places(steps: &[Step], folds: bool, can_fail: impl Fn(&Step) -> bool) -> Option<HashMap<Label, Place>> {
    let mut places: HashMap<Label, Place> = HashMap::new();
    for (at, step) in steps.iter().enumerate() {
        if let Some(label) = step.target() {
            let number = places.len();
            places.entry(label).or_insert(Place { number, first: at, at, need: Need::Values });
        } else if let Step::Here(label) = step
            && let Some(place) = places.get_mut(label)
        {
            place.at = at;
        }
    }
    slots_are_plain(steps, &places).then_some(())?;
    let ends: HashMap<Label, usize> = places.iter().map(|(&label, place)| (label, place.at)).collect();
    for (&label, place) in &mut places {
        let within = &steps[place.first..place.at];
        let jumps = (place.first..place.at).filter(|&at| steps[at].target() == Some(label));
        if jumps.clone().all(|at| is_absorbed(steps, at, label)) {
            let leaves = |step: &Step| step.target().is_some_and(|l| ends.get(&l).is_some_and(|&end| end > place.at));
            let shows = |step: &Step| matches!(step, Step::Fold(..)) || can_fail(step) || leaves(step);
            let is_needed = within.iter().any(shows);
            place.need = if is_needed { Need::Rows } else { Need::Nothing };
        } else if folds && steps[place.at..].iter().all(|step| matches!(step, Step::Here(_))) {
            place.need = Need::End;
        } else if is_overwritten(&steps[place.at..]) {
            place.need = Need::Rows;
        }
    }
    Some(places)
}

/// The slot that a step reads.
pub fn read(step: &Step) -> Option<u32> {
    match *step {
        Step::Restore(s) | Step::Choose(_, s) | Step::And(s) | Step::Or(s) | Step::Binary(_, Right::Accumulator(s)) => {
            Some(s)
        }
        _ => None,
    }
}

/// Whether every slot that is read was written by the last step before that writes it, for all rows that read it: none has jumped over that.
fn slots_are_plain(steps: &[Step], places: &HashMap<Label, Place>) -> bool {
    steps.iter().enumerate().all(|(at, step)| {
        let Some(slot) = read(step) else { return true };
        let Some(save) = steps[..at].iter().rposition(|s| *s == Step::Save(slot)) else { return false };
        steps[save..at].iter().all(|s| match s {
            Step::Here(label) => places.get(label).is_none_or(|p| p.first > save),
            _ => true,
        })
    })
}

/// Whether the accumulator is overwritten before anybody looks at it.
pub fn is_overwritten(steps: &[Step]) -> bool {
    let next = steps.iter().find(|step| !matches!(step, Step::Here(_)));
    matches!(
        next,
        Some(Step::Column(_) | Step::NullOf(_) | Step::Constant(_) | Step::Null | Step::Input(_) | Step::Restore(_))
    )
}

/// Whether a row that takes the jump at `at` would come to the label with the same value if it did not: false by AND alone, or true by OR.
fn is_absorbed(steps: &[Step], at: usize, label: Label) -> bool {
    let (is_and, jump) = match steps[at] {
        Step::JumpIfFalse(_) => (true, Step::JumpIfFalse(label)),
        Step::JumpIfTrue(_) => (false, Step::JumpIfTrue(label)),
        _ => return false,
    };
    let mut at = at;
    loop {
        match steps[at] {
            Step::Here(here) => return here == label,
            ref step if *step == jump => at += 1,
            Step::Save(slot) => {
                let end = if is_and { Step::And(slot) } else { Step::Or(slot) };
                let uses =
                    |step: &Step| read(step) == Some(slot) || *step == Step::Save(slot) || *step == Step::Here(label);
                let Some(next) = steps[at + 1..].iter().position(uses) else { return false };
                if steps[at + 1 + next] != end {
                    return false;
                }
                at += next + 2;
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BinaryOp, Fold};

    fn needs(steps: &[Step]) -> Option<Vec<Need>> {
        let places = places(steps, false, |step| matches!(step, Step::Binary(BinaryOp::AddI32, _)))?;
        let mut all: Vec<Place> = places.into_values().collect();
        all.sort_by_key(|p| p.number);
        Some(all.iter().map(|p| p.need).collect())
    }

    const END: Label = Label(0);
    const TEST: Step = Step::Binary(BinaryOp::LtInt, Right::Constant(1));
    const SUM: Step = Step::Binary(BinaryOp::AddI32, Right::Constant(1));

    #[test]
    fn logic_needs_no_jumps_unless_it_hides_an_error() {
        let and = |b: &[Step]| {
            let ends = [Step::Column(0), TEST, Step::JumpIfFalse(END), Step::Save(0)];
            [&ends[..], b, &[Step::And(0), Step::Here(END)]].concat()
        };
        assert_eq!(needs(&and(&[Step::Column(1), TEST])), Some(vec![Need::Nothing]));
        assert_eq!(needs(&and(&[Step::Column(1), SUM, TEST])), Some(vec![Need::Rows]));
        // A list of three has one label.
        let chain = [&and(&[Step::Column(1), TEST])[..5], &[TEST, Step::And(0), Step::JumpIfFalse(END), Step::Save(0)]];
        let chain = [&chain.concat()[..], &[Step::NullOf(1), Step::And(0), Step::Here(END)]].concat();
        assert_eq!(needs(&chain), Some(vec![Need::Nothing]));
        // OR does not keep what is false, nor is what is negated kept.
        let mut or = and(&[Step::Column(1), TEST]);
        let at = or.len() - 2;
        or[at] = Step::Or(0);
        assert_eq!(needs(&or), Some(vec![Need::Values]));
        or[at] = Step::And(0);
        or.insert(at + 1, Step::Not);
        assert_eq!(needs(&or), Some(vec![Need::Values]));
        // Another jump leads out of it.
        let out = [&and(&[Step::Column(1), Step::JumpIfTrue(Label(9)), TEST])[..], &[Step::Not, Step::Here(Label(9))]];
        assert_eq!(needs(&out.concat()), Some(vec![Need::Rows, Need::Values]));
    }

    #[test]
    fn a_label_needs_values_if_somebody_looks_at_them() {
        let case = [
            &[Step::Column(0), TEST, Step::JumpUnlessTrue(Label(1)), Step::Column(1), Step::Jump(END)][..],
            &[Step::Here(Label(1)), Step::Column(2), Step::Here(END)],
        ];
        assert_eq!(needs(&case.concat()), Some(vec![Need::Rows, Need::Values]));
        let coalesce = [Step::Column(0), Step::JumpUnlessNull(END), Step::Column(1), Step::Here(END), SUM];
        assert_eq!(needs(&coalesce), Some(vec![Need::Values]));
    }

    #[test]
    fn rows_that_jump_to_the_end_of_a_fold_stay_there() {
        let needs = |steps: &[Step]| places(steps, true, |_| false).map(|p| p[&END].need);
        let sum = [Step::Column(1), Step::Fold(Fold::Sum, 0), Step::Here(END)];
        let steps = [&[Step::Column(0), TEST, Step::JumpUnlessTrue(END)][..], &sum].concat();
        assert_eq!(needs(&steps), Some(Need::End));
        assert_eq!(needs(&[&steps[..], &sum[..2]].concat()), Some(Need::Rows), "somebody goes on");
        // What AND skips is not skipped if it is folded.
        let and = [Step::JumpIfFalse(END), Step::Save(0), Step::Column(1), Step::Fold(Fold::Any, 0), Step::And(0)];
        let steps = [&[Step::Column(0), TEST][..], &and, &[Step::Here(END), Step::Fold(Fold::All, 1)]].concat();
        assert_eq!(needs(&steps), Some(Need::Rows));
    }

    #[test]
    fn slots_that_not_all_rows_wrote_are_refused() {
        let over = |last: Step| {
            [Step::Column(0), Step::Save(0), TEST, Step::JumpIfTrue(END), Step::Save(0), Step::Here(END), last]
        };
        assert_eq!(needs(&over(Step::Restore(0))), None);
        assert_eq!(needs(&over(Step::Not)), Some(vec![Need::Values]));
        assert_eq!(needs(&[Step::Restore(0)]), None);
    }
}
