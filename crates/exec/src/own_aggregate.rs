//! Aggregates that users made: states kept as values, stepped by calls.

use plan::OwnAggregate;
use types::{Datum, Oid, Physical, Result};
use vector::Vector;

use crate::Context;
use crate::eval::on_row;

/// The states of one such aggregate, one for each group.
#[derive(Default)]
pub struct OwnStates {
    /// Each with whether it has begun.
    states: Vec<(Datum, bool)>,
}

impl OwnStates {
    /// Makes states up to `count`.
    pub fn resize(&mut self, own: &OwnAggregate, count: usize) {
        let begun = !own.strict || !own.initial.is_null();
        self.states.resize(count, (own.initial.clone(), begun));
    }

    /// Adds row `i` of `values` to `group`.
    ///
    /// # Errors
    /// The function's.
    pub fn add(
        &mut self,
        own: &OwnAggregate,
        group: usize,
        (values, types): (&[&Vector], &[Oid]),
        i: usize,
        ctx: &mut Context<'_>,
    ) -> Result<()> {
        let args: Vec<Datum> = values.iter().map(|v| v.get(i)).collect();
        if own.strict && args.iter().any(Datum::is_null) {
            return Ok(());
        }
        let (state, begun) = &mut self.states[group];
        if !*begun {
            *begun = true;
            *state = args.into_iter().next().unwrap_or_default();
            return Ok(());
        }
        // A strict function is not called again once it said NULL.
        if own.strict && state.is_null() {
            return Ok(());
        }
        let forms: Vec<Physical> = std::iter::once(own.state).chain(types.iter().copied()).map(Physical::of).collect();
        let mut row = vec![std::mem::take(state)];
        row.extend(args);
        *state = on_row(&own.step, &forms, &row, ctx)?;
        Ok(())
    }

    /// The result of a group.
    ///
    /// # Errors
    /// The function's.
    pub fn finish(&self, own: &OwnAggregate, group: usize, ctx: &mut Context<'_>) -> Result<Datum> {
        let state = self.states.get(group).map_or(Datum::Null, |s| s.0.clone());
        match &own.finish {
            Some(finish) => on_row(finish, &[Physical::of(own.state)], &[state], ctx),
            None => Ok(state),
        }
    }

    /// Bytes that the states hold.
    pub fn bytes(&self) -> usize {
        self.states.iter().map(|s| 40 + s.0.as_bytes().map_or(0, <[u8]>::len)).sum()
    }
}
