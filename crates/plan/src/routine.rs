//! Functions that users made, and what domains ask of values.

use types::{Datum, Oid};

use crate::expr::Expr;

/// A function that a user made, as a call of it needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Routine {
    /// OID in `pg_proc`.
    pub oid: Oid,
    /// Its schema.
    pub namespace: Oid,
    /// Its name.
    pub name: String,
    /// `i`, `s` or `v`.
    pub volatility: u8,
    /// Whether a NULL argument makes a NULL result.
    pub strict: bool,
    /// Whether it yields rows instead of a value.
    pub returns_set: bool,
    /// Types of its arguments in this call, those that are polymorphic as the call has them.
    pub args: Vec<Oid>,
    /// What it returns in this call.
    pub result: Oid,
    /// Columns of the row it returns; none when it returns a plain value.
    pub columns: Vec<(String, Oid, i32)>,
}

/// What domains inside of a type ask of its values.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueCheck {
    /// The value is a domain's.
    Domain(DomainRules),
    /// Elements of an array are to be checked.
    Elements(Box<ValueCheck>),
    /// Columns of a row are, by their numbers from 0.
    Fields(Vec<(usize, ValueCheck)>),
}

/// A domain's constraints.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainRules {
    /// Its OID.
    pub oid: Oid,
    /// Its name, as errors show it.
    pub shown: String,
    /// Its schema's name and its own.
    pub name: (String, String),
    /// Whether NULL is refused.
    pub not_null: bool,
    /// Name of each CHECK, and what must not be false of column 0.
    pub checks: Vec<(String, Expr)>,
    /// What the type it is over asks.
    pub inner: Option<Box<ValueCheck>>,
}

/// An aggregate that a user made.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnAggregate {
    /// Its name.
    pub name: String,
    /// Type of its state.
    pub state: Oid,
    /// The state it begins with.
    pub initial: Datum,
    /// Whether rows with a NULL argument leave the state as it is; then the first argument is the first state where there is none.
    pub strict: bool,
    /// The next state, of the state (column 0) and the arguments.
    pub step: Expr,
    /// The result, of the state (column 0); the state itself where there is none.
    pub finish: Option<Expr>,
}
