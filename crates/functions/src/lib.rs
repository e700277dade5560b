#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod aggregate;
mod arithmetic;
mod array;
mod bits;
mod bytes;
mod cast;
mod catalog_calls;
mod comparison;
mod datetime;
mod datetime_text;
mod float;
mod format;
mod hash;
mod json;
mod json_set;
mod net;
mod number_text;
mod numeric;
mod order;
mod pattern;
mod regex;
mod series;
mod system;
mod text;

use std::collections::HashMap;
use std::sync::OnceLock;

use ext::{Call, Definition, Function, Module, SetDefinition, SetFunction};
use types::{Datum, Oid, Result};
use vector::{Data, Vector};

pub use comparison::{Comparison, Sign};

/// Every module of built-ins.
pub const MODULES: &[Module] = &[
    arithmetic::functions::MODULE,
    float::functions::MODULE,
    numeric::functions::MODULE,
    cast::functions::MODULE,
    text::functions::MODULE,
    bytes::functions::MODULE,
    pattern::functions::MODULE,
    regex::functions::MODULE,
    format::functions::MODULE,
    datetime::functions::MODULE,
    datetime_text::functions::MODULE,
    number_text::functions::MODULE,
    array::functions::MODULE,
    series::functions::MODULE,
    json::functions::MODULE,
    json_set::functions::MODULE,
    system::functions::MODULE,
    catalog_calls::functions::MODULE,
    bits::functions::MODULE,
    net::functions::MODULE,
    hash::functions::MODULE,
    order::functions::MODULE,
    aggregate::functions::MODULE,
    aggregate::collect::functions::MODULE,
    aggregate::statistics::functions::MODULE,
];

/// How a call is carried out.
#[derive(Clone, Copy, Debug)]
pub enum Callable {
    /// By its own definition.
    Function(Function),
    /// By comparing two values of a type.
    Compare(Comparison),
}

impl Callable {
    /// Calls it with values.
    ///
    /// # Errors
    /// The function's.
    pub fn scalar(&self, call: &mut Call<'_>, args: &[Datum]) -> Result<Datum> {
        match self {
            Callable::Function(f) => (f.scalar)(call, args),
            Callable::Compare(c) => match args {
                [a, b] if a.is_null() || b.is_null() => Ok(Datum::Null),
                [a, b] => Ok(Datum::Bool(c.test(call, a, b))),
                _ => Err(ext::wrong_arguments("comparison")),
            },
        }
    }

    /// Calls it with vectors of at least `rows` values.
    ///
    /// # Errors
    /// The function's.
    pub fn kernel(&self, call: &mut Call<'_>, args: &[&Vector], rows: usize) -> Result<Vector> {
        match self {
            Callable::Function(f) => (f.kernel)(call, args, rows),
            Callable::Compare(c) => match args {
                [a, b] => Ok(c.kernel(call, a, b, rows)),
                _ => Err(ext::wrong_arguments("comparison")),
            },
        }
    }

    /// Whether a NULL argument makes a NULL result.
    pub fn is_strict(&self) -> bool {
        match self {
            Callable::Function(f) => f.strict,
            Callable::Compare(_) => true,
        }
    }
}

fn table() -> &'static HashMap<u32, &'static Definition> {
    static TABLE: OnceLock<HashMap<u32, &'static Definition>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let all = MODULES.iter().flat_map(|m| m.functions).copied().flatten();
        all.flat_map(|d| d.oids.iter().map(move |&oid| (oid, d))).collect()
    })
}

fn sets() -> &'static HashMap<u32, &'static SetDefinition> {
    static TABLE: OnceLock<HashMap<u32, &'static SetDefinition>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let all = MODULES.iter().flat_map(|m| m.sets).copied().flatten();
        all.flat_map(|d| d.oids.iter().map(move |&oid| (oid, d))).collect()
    })
}

/// How function `oid` of `pg_proc` is called; `None` when it is not implemented, or returns a set.
pub fn lookup(oid: Oid) -> Option<Callable> {
    match table().get(&oid.0) {
        Some(d) => Some(Callable::Function(d.function)),
        None => comparison::lookup(oid).map(Callable::Compare),
    }
}

/// How set-returning function `oid` of `pg_proc` is called; `None` when it is not implemented.
pub fn set_function(oid: Oid) -> Option<SetFunction> {
    sets().get(&oid.0).map(|d| d.rows)
}

/// Aggregate `oid` of `pg_proc`; `None` when it is not implemented.
pub fn aggregate(oid: Oid) -> Option<&'static ext::AggregateDefinition> {
    aggregate::lookup(oid)
}

/// Whether `comparison` tests for equality.
pub fn comparison_sign_is_equal(comparison: &Comparison) -> bool {
    comparison.sign == Sign::Equal && comparison.is_same_type()
}

/// Whether slot `i` of a boolean vector is true.
pub fn is_true(v: &Vector, i: usize) -> bool {
    matches!(&v.data, Data::Bool(b) if b[i]) && !v.nulls.get(i)
}

#[cfg(test)]
mod tests;
