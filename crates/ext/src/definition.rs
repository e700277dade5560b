//! What the attributes make: definitions of functions, and modules of them.

use types::{Datum, Oid, Result};
use vector::Vector;

use crate::aggregate::AggregateDefinition;
use crate::call::Call;

/// A function on single values. It deals with NULLs itself: strict ones answer NULL.
pub type Scalar = fn(&mut Call<'_>, &[Datum]) -> Result<Datum>;
/// The same on vectors of at least `rows` values; the result has `rows`.
pub type Kernel = fn(&mut Call<'_>, &[&Vector], usize) -> Result<Vector>;
/// Rows of a set, each of one or more columns.
pub type Rows = Box<dyn Iterator<Item = Result<Vec<Datum>>> + Send>;
/// A set-returning function.
pub type SetFunction = fn(&mut Call<'_>, &[Datum]) -> Result<Rows>;

/// An implemented function.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// On values.
    pub scalar: Scalar,
    /// On vectors.
    pub kernel: Kernel,
    /// Whether a NULL argument makes a NULL result.
    pub strict: bool,
}

/// Which SQL types an argument or result may have.
#[derive(Clone, Copy, Debug)]
pub enum Accepts {
    /// Those that pass the test; the second is the one an extension's signature gets.
    Some(fn(Oid) -> bool, Oid),
    /// All.
    Any,
    /// All, for every further argument.
    Rest,
}

impl Accepts {
    /// Whether a value of this type may come.
    pub fn test(&self, type_oid: Oid) -> bool {
        match self {
            Accepts::Some(test, _) => test(type_oid),
            Accepts::Any | Accepts::Rest => true,
        }
    }
}

/// What `#[function]` makes.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    /// Rows of `pg_proc` it serves; none of an extension's.
    pub oids: &'static [u32],
    /// An extension function's SQL name; a built-in's Rust name.
    pub name: &'static str,
    /// What may be passed.
    pub arguments: &'static [Accepts],
    /// What comes back.
    pub result: Accepts,
    /// `i`, `s` or `v`; of a built-in the catalog says it.
    pub volatility: u8,
    /// How it is called.
    pub function: Function,
}

/// What `#[set_function]` makes.
#[derive(Clone, Copy, Debug)]
pub struct SetDefinition {
    /// Rows of `pg_proc` it serves.
    pub oids: &'static [u32],
    /// Its name.
    pub name: &'static str,
    /// What may be passed.
    pub arguments: &'static [Accepts],
    /// Whether a NULL argument makes an empty set.
    pub strict: bool,
    /// How it is called.
    pub rows: SetFunction,
}

/// What `#[module]` makes.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// Functions.
    pub functions: &'static [&'static [Definition]],
    /// Set-returning functions.
    pub sets: &'static [&'static [SetDefinition]],
    /// Aggregates.
    pub aggregates: &'static [&'static [AggregateDefinition]],
}
