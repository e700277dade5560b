//! Running a path: each step passes what it finds to the next one.

use std::cmp::Ordering;

use ext::Call;
use types::jsonpath::{Binary, Steps};
use types::jsonpath::{Path, Step};
use types::{Numeric, Result, SqlError, SqlState};

use super::Prepared;
use super::item::{Item, Stored};
use super::moment;

/// `22033`.
const INVALID_SUBSCRIPT: SqlState = SqlState::new("22033");
/// `22038`.
pub const SINGLETON_REQUIRED: SqlState = SqlState::new("22038");
/// `22039`.
pub const ARRAY_NOT_FOUND: SqlState = SqlState::new("22039");
/// `2203A`.
const MEMBER_NOT_FOUND: SqlState = SqlState::new("2203A");
/// `2203B`.
const NUMBER_NOT_FOUND: SqlState = SqlState::new("2203B");
/// `2203C`.
pub const OBJECT_NOT_FOUND: SqlState = SqlState::new("2203C");

/// How deep steps may call each other.
const DEPTH_MAX: usize = 3000;

/// How a path ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It found something.
    Found,
    /// It found nothing.
    Nothing,
    /// It failed, silently.
    Failed,
}

/// Where `$name` looks.
pub enum Variables {
    /// There are none.
    None,
    /// In an object.
    Stored(Stored),
    /// In a list.
    List(Vec<(String, Item)>),
}

/// Where found items go; none when only whether there are any is asked.
pub type Found<'f> = Option<&'f mut Vec<Item>>;

/// A path that runs over a document.
pub struct Run<'r, 'c> {
    pub(super) call: &'r Call<'c>,
    prepared: &'r Prepared,
    root: Item,
    variables: &'r Variables,
    /// Whether failures are errors.
    throws: bool,
    /// Whether the session's time zone may be used.
    pub(super) zones: bool,
    lax: bool,
    /// Whether members and elements that are not there are no failure.
    lenient: bool,
    current: Option<Item>,
    /// Length of the array whose subscripts are evaluated.
    size: Option<i64>,
    pub(super) next_id: i64,
    depth: usize,
}

/// An error, with its state and message.
pub(super) fn error(state: SqlState, message: impl Into<String>) -> SqlError {
    SqlError::new(state, message)
}

impl<'r, 'c> Run<'r, 'c> {
    /// A run of a path over `root`.
    pub fn new(
        call: &'r Call<'c>,
        prepared: &'r Prepared,
        root: Item,
        variables: &'r Variables,
        throws: bool,
        zones: bool,
    ) -> Run<'r, 'c> {
        let Path { lax, .. } = *prepared.path;
        let known = match variables {
            Variables::None => 0,
            Variables::Stored(_) => 1,
            Variables::List(list) => list.len() as i64,
        };
        Run {
            call,
            prepared,
            current: Some(root.clone()),
            root,
            variables,
            throws,
            zones,
            lax,
            lenient: lax,
            size: None,
            next_id: 1 + known,
            depth: 0,
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// Those of the path, unless it is silent.
    pub fn start(mut self, found: Found<'_>) -> Result<Outcome> {
        let (prepared, root) = (self.prepared, self.root.clone());
        if found.is_some() || self.lax {
            return self.steps(&prepared.path.steps, root, found);
        }
        // Strict: a failure behind what is found counts.
        let mut all = Vec::new();
        Ok(match self.steps(&prepared.path.steps, root, Some(&mut all))? {
            Outcome::Failed => Outcome::Failed,
            _ if all.is_empty() => Outcome::Nothing,
            _ => Outcome::Found,
        })
    }

    pub(super) fn lax(&self) -> bool {
        self.lax
    }

    /// A failure: an error, unless the run is silent.
    pub(super) fn fail(&self, error: impl FnOnce() -> SqlError) -> Result<Outcome> {
        if self.throws { Err(error()) } else { Ok(Outcome::Failed) }
    }

    /// What `attempt` gives; its error, if the run is silent, is a failure.
    pub(super) fn attempt<T>(&self, attempt: Result<T>) -> Result<Option<T>> {
        match attempt {
            Ok(v) => Ok(Some(v)),
            Err(e) if self.throws => Err(e),
            Err(_) => Ok(None),
        }
    }

    fn steps(&mut self, steps: &[Step], item: Item, found: Found<'_>) -> Result<Outcome> {
        let unwrap = self.lax;
        self.step(steps, item, found, unwrap)
    }

    /// Passes an item that a step found on to the steps after it.
    pub(super) fn next(&mut self, rest: &[Step], item: Item, found: Found<'_>) -> Result<Outcome> {
        if !rest.is_empty() {
            return self.steps(rest, item, found);
        }
        if let Some(list) = found {
            list.push(item);
        }
        Ok(Outcome::Found)
    }

    /// Applies the first of `steps`; `unwrap` says that an array stands for its elements.
    fn step(&mut self, steps: &[Step], item: Item, found: Found<'_>, unwrap: bool) -> Result<Outcome> {
        if self.depth >= DEPTH_MAX {
            return Err(error(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.depth += 1;
        let outcome = self.step_inner(steps, item, found, unwrap);
        self.depth -= 1;
        outcome
    }

    fn step_inner(&mut self, steps: &[Step], item: Item, found: Found<'_>, unwrap: bool) -> Result<Outcome> {
        let Some((step, rest)) = steps.split_first() else { return self.next(steps, item, found) };
        let needless = rest.is_empty() && found.is_none();
        match step {
            Step::Null | Step::Bool(_) | Step::Number(_) | Step::String(_) if needless => Ok(Outcome::Found),
            Step::Null => self.next(rest, Item::Null, found),
            Step::Bool(b) => self.next(rest, Item::Bool(*b), found),
            Step::Number(n) => self.next(rest, Item::Number(n.clone()), found),
            Step::String(s) => self.next(rest, Item::String(s.clone()), found),
            Step::Variable(name) => {
                let value = self.variable(name)?;
                self.next(rest, value, found)
            }
            Step::Root => self.next(rest, self.root.clone(), found),
            Step::Current => {
                let current = self.current.clone().unwrap_or(Item::Null);
                self.next(rest, current, found)
            }
            Step::Last => {
                let Some(size) = self.size else {
                    return Err(SqlError::internal("evaluating jsonpath LAST outside of array subscript"));
                };
                self.next(rest, Item::Number(Numeric::from(size - 1)), found)
            }
            Step::Binary(operator, both) if !operator.is_predicate() => {
                self.calculate(*operator, both, rest, item, found)
            }
            Step::Sign(minus, operand) => self.sign(*minus, operand, rest, item, found),
            Step::Binary(..) | Step::Not(_) | Step::IsUnknown(_) | Step::Exists(_) | Step::LikeRegex { .. } => {
                let truth = self.truth(step, &item)?;
                if needless {
                    return Ok(Outcome::Found);
                }
                self.next(rest, truth.map_or(Item::Null, Item::Bool), found)
            }
            Step::Key(key) => match &item {
                Item::Object(o) => match o.find(key) {
                    Some(value) => self.next(rest, value, found),
                    None if self.lenient => Ok(Outcome::Nothing),
                    None => {
                        let message = format!("JSON object does not contain key \"{key}\"");
                        self.fail(|| error(MEMBER_NOT_FOUND, message))
                    }
                },
                Item::Array(a) if unwrap => self.unwrapped(steps, a, found),
                _ if self.lenient => Ok(Outcome::Nothing),
                _ => {
                    let message = "jsonpath member accessor can only be applied to an object";
                    self.fail(|| error(MEMBER_NOT_FOUND, message))
                }
            },
            Step::AnyKey => match &item {
                Item::Object(o) => self.descend(Some(rest), o, found, (1, 1, 1), false, self.lax),
                Item::Array(a) if unwrap => self.unwrapped(steps, a, found),
                _ if self.lenient => Ok(Outcome::Nothing),
                _ => {
                    let message = "jsonpath wildcard member accessor can only be applied to an object";
                    self.fail(|| error(OBJECT_NOT_FOUND, message))
                }
            },
            Step::AnyElement => match &item {
                Item::Array(a) => self.descend(Some(rest), a, found, (1, 1, 1), false, self.lax),
                _ if self.lax => self.next(rest, item, found),
                _ => {
                    let message = "jsonpath wildcard array accessor can only be applied to an array";
                    self.fail(|| error(ARRAY_NOT_FOUND, message))
                }
            },
            Step::Index(list) => {
                if !matches!(item, Item::Array(_)) && !self.lax {
                    let message = "jsonpath array accessor can only be applied to an array";
                    return self.fail(|| error(ARRAY_NOT_FOUND, message));
                }
                let outer = self.size;
                let outcome = self.elements(list, rest, &item, found);
                self.size = outer;
                outcome
            }
            Step::Any(first, last) => {
                let (mut found, mut outcome) = (found, Outcome::Nothing);
                if *first == 0 {
                    let outer = std::mem::replace(&mut self.lenient, true);
                    let whole = self.next(rest, item.clone(), found.as_deref_mut());
                    self.lenient = outer;
                    outcome = whole?;
                    if outcome == Outcome::Failed || (outcome == Outcome::Found && found.is_none()) {
                        return Ok(outcome);
                    }
                }
                match &item {
                    Item::Array(c) | Item::Object(c) => {
                        self.descend(Some(rest), c, found, (1, *first, *last), true, self.lax)
                    }
                    _ => Ok(outcome),
                }
            }
            Step::Filter(condition) => {
                if let (Item::Array(a), true) = (&item, unwrap) {
                    return self.unwrapped(steps, a, found);
                }
                let outer = self.current.replace(item.clone());
                let truth = self.truth_of(condition, &item);
                self.current = outer;
                if truth? == Some(true) { self.next(rest, item, found) } else { Ok(Outcome::Nothing) }
            }
            Step::Method(method, arguments) => {
                use types::jsonpath::Method;
                match &item {
                    Item::Array(a) if unwrap && !matches!(method, Method::Type | Method::Size) => {
                        self.unwrapped(steps, a, found)
                    }
                    _ => self.method(*method, arguments, rest, item, found),
                }
            }
        }
    }

    /// The same steps over the elements of an array.
    fn unwrapped(&mut self, steps: &[Step], array: &Stored, found: Found<'_>) -> Result<Outcome> {
        self.descend(Some(steps), array, found, (1, 1, 1), false, false)
    }

    /// Steps over what is in a container, from the first to the last of the `levels` below it; the present one is the first number.
    fn descend(
        &mut self,
        steps: Option<&[Step]>,
        container: &Stored,
        mut found: Found<'_>,
        (level, first, last): (u32, u32, u32),
        lenient: bool,
        unwrap: bool,
    ) -> Result<Outcome> {
        let mut outcome = Outcome::Nothing;
        if level > last {
            return Ok(outcome);
        }
        if self.depth >= DEPTH_MAX {
            return Err(error(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.call.host.check_interrupts()?;
        for i in 0..container.len() {
            let child = container.child(i);
            let inner = match &child {
                Item::Array(c) | Item::Object(c) => Some(c.clone()),
                _ => None,
            };
            if level >= first || (first == u32::MAX && last == u32::MAX && inner.is_none()) {
                match steps {
                    Some(steps) if !steps.is_empty() => {
                        let outer = self.lenient;
                        self.lenient |= lenient;
                        let done = self.step(steps, child, found.as_deref_mut(), unwrap);
                        self.lenient = outer;
                        outcome = done?;
                        if outcome == Outcome::Failed || (outcome == Outcome::Found && found.is_none()) {
                            return Ok(outcome);
                        }
                    }
                    _ => match found.as_deref_mut() {
                        Some(list) => {
                            list.push(child);
                            outcome = Outcome::Found;
                        }
                        None => return Ok(Outcome::Found),
                    },
                }
            }
            if let Some(inner) = inner
                && level < last
            {
                self.depth += 1;
                let deeper =
                    self.descend(steps, &inner, found.as_deref_mut(), (level + 1, first, last), lenient, unwrap);
                self.depth -= 1;
                outcome = deeper?;
                if outcome == Outcome::Failed || (outcome == Outcome::Found && found.is_none()) {
                    return Ok(outcome);
                }
            }
        }
        Ok(outcome)
    }

    fn elements(
        &mut self,
        list: &[(Steps, Option<Steps>)],
        rest: &[Step],
        item: &Item,
        mut found: Found<'_>,
    ) -> Result<Outcome> {
        let array = match item {
            Item::Array(a) => Some(a),
            _ => None,
        };
        let size = array.map_or(1, |a| a.len() as i64);
        let mut outcome = Outcome::Nothing;
        for (from, to) in list {
            self.size = Some(size);
            let Some(low) = self.subscript(from, item)? else { return Ok(Outcome::Failed) };
            let high = match to {
                Some(to) => {
                    let Some(high) = self.subscript(to, item)? else { return Ok(Outcome::Failed) };
                    high
                }
                None => low,
            };
            if !self.lenient && (low < 0 || low > high || high >= size) {
                let message = "jsonpath array subscript is out of bounds";
                return self.fail(|| error(INVALID_SUBSCRIPT, message));
            }
            for i in low.max(0)..=high.min(size - 1) {
                if rest.is_empty() && found.is_none() {
                    return Ok(Outcome::Found);
                }
                let value = array.map_or_else(|| item.clone(), |a| a.child(i as usize));
                outcome = self.next(rest, value, found.as_deref_mut())?;
                if outcome == Outcome::Failed || (outcome == Outcome::Found && found.is_none()) {
                    return Ok(outcome);
                }
            }
        }
        Ok(outcome)
    }

    /// The number that a subscript is; none when it failed silently.
    fn subscript(&mut self, steps: &Steps, item: &Item) -> Result<Option<i64>> {
        let mut found = Vec::new();
        if self.steps(steps, item.clone(), Some(&mut found))? == Outcome::Failed {
            return Ok(None);
        }
        let [Item::Number(n)] = &found[..] else {
            let message = "jsonpath array subscript is not a single numeric value";
            self.fail(|| error(INVALID_SUBSCRIPT, message))?;
            return Ok(None);
        };
        match n.trunc(0).to_i32() {
            Ok(i) => Ok(Some(i.into())),
            Err(_) => {
                let message = "jsonpath array subscript is out of integer range";
                self.fail(|| error(INVALID_SUBSCRIPT, message))?;
                Ok(None)
            }
        }
    }

    fn variable(&self, name: &str) -> Result<Item> {
        let value = match self.variables {
            Variables::None => None,
            Variables::Stored(object) => object.find(name),
            Variables::List(list) => list.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()),
        };
        value.ok_or_else(|| error(SqlState::UNDEFINED_OBJECT, format!("could not find jsonpath variable \"{name}\"")))
    }

    /// All that an operand yields, with arrays taken apart in lax mode.
    fn operand(&mut self, steps: &Steps, item: &Item, unwrap: bool, out: &mut Vec<Item>) -> Result<Outcome> {
        if !unwrap || !self.lax {
            return self.steps(steps, item.clone(), Some(out));
        }
        let mut found = Vec::new();
        if self.steps(steps, item.clone(), Some(&mut found))? == Outcome::Failed {
            return Ok(Outcome::Failed);
        }
        for item in found {
            match &item {
                Item::Array(a) => (0..a.len()).for_each(|i| out.push(a.child(i))),
                _ => out.push(item),
            }
        }
        Ok(Outcome::Found)
    }

    /// The same, without errors.
    fn quietly<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.throws, false);
        let outcome = f(self);
        self.throws = outer;
        outcome
    }

    fn calculate(
        &mut self,
        operator: Binary,
        both: &[Steps; 2],
        rest: &[Step],
        item: Item,
        found: Found<'_>,
    ) -> Result<Outcome> {
        let mut operands = Vec::with_capacity(2);
        let mut values = [Vec::new(), Vec::new()];
        for (steps, values) in both.iter().zip(&mut values) {
            if self.operand(steps, &item, true, values)? == Outcome::Failed {
                return Ok(Outcome::Failed);
            }
        }
        for (values, side) in values.iter().zip(["left", "right"]) {
            let [Item::Number(n)] = &values[..] else {
                let message =
                    format!("{side} operand of jsonpath operator {} is not a single numeric value", operator.sign());
                return self.fail(|| error(SINGLETON_REQUIRED, message));
            };
            operands.push(n.clone());
        }
        let (a, b) = (&operands[0], &operands[1]);
        let result = match operator {
            Binary::Add => a.add(b),
            Binary::Subtract => a.sub(b),
            Binary::Multiply => a.mul(b),
            Binary::Divide => a.div(b),
            _ => a.rem(b),
        };
        match self.attempt(result)? {
            Some(n) => self.next(rest, Item::Number(n), found),
            None => Ok(Outcome::Failed),
        }
    }

    fn sign(
        &mut self,
        minus: bool,
        operand: &Steps,
        rest: &[Step],
        item: Item,
        mut found: Found<'_>,
    ) -> Result<Outcome> {
        let needless = rest.is_empty() && found.is_none();
        let mut values = Vec::new();
        if self.operand(operand, &item, true, &mut values)? == Outcome::Failed {
            return Ok(Outcome::Failed);
        }
        let mut outcome = Outcome::Nothing;
        for value in values {
            let number = match value {
                Item::Number(_) if needless => return Ok(Outcome::Found),
                Item::Number(n) => n,
                _ if needless => continue,
                _ => {
                    let sign = if minus { '-' } else { '+' };
                    let message = format!("operand of unary jsonpath operator {sign} is not a numeric value");
                    return self.fail(|| error(NUMBER_NOT_FOUND, message));
                }
            };
            let number = if minus { number.neg() } else { number };
            match self.next(rest, Item::Number(number), found.as_deref_mut())? {
                Outcome::Failed => return Ok(Outcome::Failed),
                Outcome::Found => {
                    if found.is_none() {
                        return Ok(Outcome::Found);
                    }
                    outcome = Outcome::Found;
                }
                Outcome::Nothing => {}
            }
        }
        Ok(outcome)
    }

    /// The truth of a predicate; none is unknown.
    fn truth_of(&mut self, predicate: &Steps, item: &Item) -> Result<Option<bool>> {
        match &predicate[..] {
            [step] => self.truth(step, item),
            _ => Err(SqlError::internal("a predicate is one step")),
        }
    }

    fn truth(&mut self, step: &Step, item: &Item) -> Result<Option<bool>> {
        if self.depth >= DEPTH_MAX {
            return Err(error(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        self.depth += 1;
        let truth = self.truth_inner(step, item);
        self.depth -= 1;
        truth
    }

    fn truth_inner(&mut self, step: &Step, item: &Item) -> Result<Option<bool>> {
        match step {
            Step::Binary(operator @ (Binary::And | Binary::Or), both) => {
                let decisive = Some(*operator == Binary::Or);
                let left = self.truth_of(&both[0], item)?;
                if left == decisive {
                    return Ok(left);
                }
                let right = self.truth_of(&both[1], item)?;
                Ok(if right == decisive || left.is_some() { right } else { None })
            }
            Step::Not(inner) => Ok(self.truth_of(inner, item)?.map(|b| !b)),
            Step::IsUnknown(inner) => Ok(Some(self.truth_of(inner, item)?.is_none())),
            Step::Exists(inner) => self.quietly(|run| {
                if run.lax {
                    return Ok(match run.steps(inner, item.clone(), None)? {
                        Outcome::Failed => None,
                        outcome => Some(outcome == Outcome::Found),
                    });
                }
                let mut all = Vec::new();
                Ok(match run.steps(inner, item.clone(), Some(&mut all))? {
                    Outcome::Failed => None,
                    _ => Some(!all.is_empty()),
                })
            }),
            Step::Binary(Binary::StartsWith, both) => {
                let starts = |_: &mut Self, whole: &Item, initial: &Item| match (whole, initial) {
                    (Item::String(whole), Item::String(initial)) => Ok(Some(whole.starts_with(initial.as_str()))),
                    _ => Ok(None),
                };
                self.any_pair(&both[0], Some((&both[1], false)), item, starts)
            }
            Step::Binary(operator, both) => {
                let operator = *operator;
                self.any_pair(&both[0], Some((&both[1], true)), item, |run, a, b| run.compare(operator, a, b))
            }
            Step::LikeRegex { operand, number, .. } => {
                let number = *number;
                self.any_pair(operand, None, item, |run, text, _| {
                    let (Item::String(text), Some(pattern)) = (text, run.prepared.patterns.get(number)) else {
                        return Ok(None);
                    };
                    Ok(Some(pattern.is_match(text).unwrap_or(false)))
                })
            }
            _ => Err(SqlError::internal("only predicates have truth")),
        }
    }

    /// Whether `test` holds for any pair of what the operands yield; strict mode minds every unknown one.
    fn any_pair(
        &mut self,
        left: &Steps,
        right: Option<(&Steps, bool)>,
        item: &Item,
        mut test: impl FnMut(&mut Self, &Item, &Item) -> Result<Option<bool>>,
    ) -> Result<Option<bool>> {
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        if self.quietly(|run| run.operand(left, item, true, &mut lefts))? == Outcome::Failed {
            return Ok(None);
        }
        match right {
            Some((right, unwrap)) => {
                if self.quietly(|run| run.operand(right, item, unwrap, &mut rights))? == Outcome::Failed {
                    return Ok(None);
                }
            }
            None => rights.push(Item::Null),
        }
        let (mut holds, mut unknown) = (false, false);
        for a in &lefts {
            for b in &rights {
                match test(self, a, b)? {
                    None if !self.lax => return Ok(None),
                    None => unknown = true,
                    Some(true) if self.lax => return Ok(Some(true)),
                    Some(true) => holds = true,
                    Some(false) => {}
                }
            }
        }
        Ok(if holds {
            Some(true)
        } else if unknown {
            None
        } else {
            Some(false)
        })
    }

    fn compare(&mut self, operator: Binary, a: &Item, b: &Item) -> Result<Option<bool>> {
        let order = match (a, b) {
            (Item::Null, Item::Null) => Ordering::Equal,
            // Null differs from everything else, and has no order.
            (Item::Null, _) | (_, Item::Null) => return Ok(Some(operator == Binary::NotEqual)),
            (Item::Bool(a), Item::Bool(b)) => a.cmp(b),
            (Item::Number(a), Item::Number(b)) => a.cmp_sql(b),
            (Item::String(a), Item::String(b)) => a.cmp(b),
            (Item::Moment(a), Item::Moment(b)) => match moment::compare(self.call, a, b, self.zones)? {
                Some(order) => order,
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(match operator {
            Binary::Equal => Some(order.is_eq()),
            Binary::NotEqual => Some(order.is_ne()),
            Binary::Less => Some(order.is_lt()),
            Binary::Greater => Some(order.is_gt()),
            Binary::LessOrEqual => Some(order.is_le()),
            Binary::GreaterOrEqual => Some(order.is_ge()),
            _ => None,
        })
    }
}
