#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![allow(clippy::redundant_closure_call, reason = "`functions!` wraps each body so that `?` and `return` work in it")]

pub mod aggregate;
#[macro_use]
mod define;
mod arithmetic;
mod cast;
mod comparison;
mod text;

use std::collections::HashMap;
use std::sync::OnceLock;

use types::{Datum, Oid, Result};
use vector::Vector;

/// A function on single values, none of them NULL (U2).
pub type Scalar = fn(&[Datum]) -> Result<Datum>;
/// The same on vectors of `rows` values; the result has them too, NULL where an argument is NULL.
pub type Kernel = fn(&[Vector], usize) -> Result<Vector>;

/// An implemented function.
#[derive(Clone, Copy)]
pub struct Function {
    /// On values.
    pub scalar: Scalar,
    /// On vectors.
    pub kernel: Kernel,
}

/// One definition, as the modules list them.
pub(crate) struct Definition {
    pub oid: u32,
    pub function: Function,
}

/// How a call is carried out.
#[derive(Clone, Copy)]
pub enum Callable {
    /// By its own definition.
    Function(Function),
    /// By comparing two values of a type.
    Compare(comparison::Comparison),
}

pub use comparison::Comparison;

fn table() -> &'static HashMap<u32, Function> {
    static TABLE: OnceLock<HashMap<u32, Function>> = OnceLock::new();
    TABLE.get_or_init(|| {
        [arithmetic::DEFINITIONS, cast::DEFINITIONS, text::DEFINITIONS]
            .into_iter()
            .flatten()
            .map(|d| (d.oid, d.function))
            .collect()
    })
}

/// How function `oid` of `pg_proc` is called; `None` when it is not implemented.
pub fn lookup(oid: Oid) -> Option<Callable> {
    match table().get(&oid.0) {
        Some(&function) => Some(Callable::Function(function)),
        None => comparison::lookup(oid).map(Callable::Compare),
    }
}

/// Whether `comparison` tests for equality.
pub fn comparison_sign_is_equal(comparison: &Comparison) -> bool {
    comparison.sign == comparison::Sign::Equal
}

#[cfg(test)]
mod tests;
