//! What can be computed while rows pass: numbers of rows, and aggregates of all rows from the partition's first to the current one.

use ext::{Groups, Rowset};
use plan::{FrameBound, FrameExclusion, FrameUnits, WindowCall};
use types::{Datum, Oid, Result, SqlError};
use vector::Vector;

use super::{Section, function};
use crate::Context;

/// Where a partition is, from one section to the next.
pub struct Running {
    /// States of aggregates; none for other calls.
    states: Vec<Option<Box<dyn Groups>>>,
    held: Vec<usize>,
    rows: i64,
    groups: i64,
}

/// Whether all `calls` can be computed so.
pub fn is_running(window: &plan::Window, calls: &[WindowCall]) -> bool {
    let frame = &window.frame;
    let grows = matches!((&frame.start, &frame.end), (FrameBound::Unbounded, FrameBound::CurrentRow))
        && frame.exclusion == FrameExclusion::Nothing;
    calls.iter().all(|c| if c.aggregate { grows } else { function::is_running(c.function) })
}

impl Running {
    pub fn new(calls: &[WindowCall]) -> Result<Running> {
        let state = |call: &WindowCall| {
            if !call.aggregate {
                return Ok(None);
            }
            let definition = functions::aggregate::lookup(call.function)
                .ok_or_else(|| SqlError::internal(format!("aggregate {} is not implemented", call.function)))?;
            let mut state = (definition.groups)();
            state.resize(1);
            Ok(Some(state))
        };
        let states = calls.iter().map(state).collect::<Result<Vec<_>>>()?;
        Ok(Running { held: vec![0; states.len()], states, rows: 0, groups: 0 })
    }

    /// Appends the results of `calls` for each row of a section, which ends where a group of equal rows does.
    pub fn compute(
        &mut self,
        (window, calls): (&plan::Window, &[WindowCall]),
        section: &Section,
        results: &mut [Vector],
        ctx: &mut Context<'_>,
    ) -> Result<()> {
        let mut partitions = section.partitions.iter().peekable();
        let ends = section.groups.iter().skip(1).copied().chain([section.count]);
        for (number, (&start, end)) in section.groups.iter().zip(ends).enumerate() {
            if number % 1024 == 0 {
                ctx.check_interrupts()?;
            }
            if partitions.next_if(|p| **p == start).is_some() {
                (self.rows, self.groups) = (0, 0);
                self.states.iter_mut().flatten().for_each(|s| s.reset(0));
            }
            self.groups += 1;
            for (i, call) in calls.iter().enumerate() {
                let Some(state) = &mut self.states[i] else {
                    for row in 0..(end - start) as i64 {
                        let places = (self.rows + row + 1, self.rows + 1, self.groups);
                        results[i].push(&function::place(call.function, places));
                    }
                    continue;
                };
                let types: Vec<Oid> = call.args.iter().map(|a| a.ty).collect();
                let args: Vec<&Vector> = section.args[i].iter().collect();
                let counts = |row: &u32| section.counts[i].as_ref().is_none_or(|c| c[*row as usize]);
                let step = if window.frame.units == FrameUnits::Rows { 1 } else { end - start };
                let mut from = start;
                while from < end {
                    let rows: Vec<u32> = (from as u32..(from + step) as u32).filter(counts).collect();
                    if !rows.is_empty() {
                        state.add_vector(&mut ctx.call(&types, call.ty), &args, Rowset::Listed(&rows), None)?;
                        let bytes = state.bytes();
                        ctx.account.charge(bytes.saturating_sub(self.held[i]))?;
                        self.held[i] = self.held[i].max(bytes);
                    }
                    let value: Datum = state.finish(&mut ctx.call(&types, call.ty), 0)?;
                    (0..step).for_each(|_| results[i].push(&value));
                    from += step;
                }
            }
            self.rows += (end - start) as i64;
        }
        Ok(())
    }
}
