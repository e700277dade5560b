//! What programs call: operations that have no steps, evaluated row by row; and values that no word holds.
//!
//! A value that no word holds is a *handle*, the number of a value that the run keeps until its row is done. An operation's arguments are what lies at hand,
//! columns and constants, and slots: words, or handles. It is evaluated as ever (`eval::row_value`), so that what it means is said in one place.

use std::cell::RefCell;

use jit::{Argument, Calls, Input, Suspect};
use plan::Expr;
use smallvec::SmallVec;
use types::{Datum, Physical, Result, SqlError};
use vector::{Chunk, Vector};

use super::program::{datum, form_of, word};
use super::texts::TextTest;
use crate::Context;
use crate::eval::row_value;

/// Something that a program calls.
#[derive(Debug)]
pub enum Site {
    /// An operation over arguments.
    Operation(Operation),
    /// A test of texts.
    Text(TextTest),
    /// Whether a column that no word holds is NULL.
    NullOf(usize),
    /// Takes the value of the row: its only argument.
    Result(Physical),
}

/// An operation whose arguments are columns of a row of its own.
#[derive(Debug)]
pub struct Operation {
    pub expr: Expr,
    /// What the columns are.
    pub sources: Vec<Source>,
    /// What their values are like.
    pub forms: Vec<Physical>,
}

/// Where an argument comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A column of the chunk.
    Column(usize),
    /// An argument of the call.
    Argument(usize),
}

/// The calls of one run over the rows of a chunk.
pub struct Run<'r, 'c> {
    sites: &'r [Site],
    chunk: &'r Chunk,
    state: RefCell<State<'r, 'c>>,
}

struct State<'r, 'c> {
    ctx: &'r mut Context<'c>,
    /// The row at hand.
    row: usize,
    /// Its values that no word holds.
    values: Vec<Datum>,
    /// The values of all rows, if no word holds those.
    out: Option<Vector>,
    /// What ends the statement, whoever evaluates the rest.
    error: Option<SqlError>,
}

impl<'r, 'c> Run<'r, 'c> {
    /// Of rows of `chunk`; `result` is what the values are like, if no word holds them.
    pub fn new(sites: &'r [Site], result: Option<Physical>, chunk: &'r Chunk, ctx: &'r mut Context<'c>) -> Run<'r, 'c> {
        let state = State { ctx, row: 0, values: Vec::new(), out: result.map(Vector::new), error: None };
        Run { sites, chunk, state: RefCell::new(state) }
    }

    /// The values of rows that have run, if no word holds them.
    ///
    /// # Errors
    /// What would not come again if the rows were evaluated otherwise: an interrupt.
    pub fn values(self) -> Result<Option<Vector>> {
        let state = self.state.into_inner();
        state.error.map_or(Ok(state.out), Err)
    }
}

impl Calls for Run<'_, '_> {
    fn call(&self, site: u32, row: usize, args: &[Argument]) -> Result<Input, Suspect> {
        let site = self.sites.get(site as usize).ok_or(Suspect)?;
        let mut state = self.state.try_borrow_mut().map_err(|_| Suspect)?;
        let state = &mut *state;
        if state.row != row {
            state.row = row;
            state.values.clear();
        }
        match site {
            Site::Operation(operation) => {
                let value = state.value(operation, self.chunk, row, args)?;
                state.input(value, Physical::of(operation.expr.ty))
            }
            Site::Text(test) => test.of(self.chunk, row, state.ctx),
            Site::NullOf(c) => {
                let column = self.chunk.columns.get(*c).ok_or(Suspect)?;
                Ok(Some(u64::from(column.nulls.get(row))))
            }
            Site::Result(form) => {
                let value = state.argument(*args.first().ok_or(Suspect)?, *form)?;
                let out = state.out.as_mut().ok_or(Suspect)?;
                out.push(&value);
                Ok(None)
            }
        }
    }
}

impl State<'_, '_> {
    fn value(&mut self, operation: &Operation, chunk: &Chunk, row: usize, args: &[Argument]) -> Result<Datum, Suspect> {
        let mut values: SmallVec<[Datum; 4]> = SmallVec::new();
        for (source, &form) in operation.sources.iter().zip(&operation.forms) {
            values.push(match *source {
                Source::Column(c) => chunk.columns.get(c).ok_or(Suspect)?.get(row),
                Source::Argument(i) => self.argument(*args.get(i).ok_or(Suspect)?, form)?,
            });
        }
        row_value(&operation.expr, &operation.forms, &values, self.ctx).map_err(|error| {
            // An interrupt comes once.
            self.error = (error.state().class() == "57").then_some(error);
            Suspect
        })
    }

    /// The value of an argument that is like this.
    fn argument(&self, argument: Argument, form: Physical) -> Result<Datum, Suspect> {
        match (argument.value(), form_of(form)) {
            (None, _) => Ok(Datum::Null),
            (Some(word), Some(form)) => Ok(datum(form, word)),
            (Some(handle), None) => self.values.get(handle as usize).cloned().ok_or(Suspect),
        }
    }

    /// What a program makes of a value that is like this.
    fn input(&mut self, value: Datum, form: Physical) -> Result<Input, Suspect> {
        match value {
            Datum::Null => Ok(None),
            // In another form than its type's, a value is evaluated as ever.
            d if d.physical() != Some(form) => Err(Suspect),
            d if form_of(form).is_some() => Ok(word(&d)),
            d => {
                self.values.push(d);
                Ok(Some(self.values.len() as u64 - 1))
            }
        }
    }
}
