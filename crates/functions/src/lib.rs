#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accumulate;
mod advisory;
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
pub mod decimal;
mod float;
mod format;
mod hash;
mod json;
pub mod json_assign;
mod json_set;
mod jsonpath;
mod net;
mod number_text;
mod numeric;
mod order;
mod pattern;
mod random;
mod regex;
mod series;
mod size;
pub mod sql_json;
mod system;
mod text;
mod value_form;

use std::collections::HashMap;
use std::sync::OnceLock;

use ext::{Call, Function, Module, SetDefinition, SetFunction};
use types::compare::Sign;
use types::{Datum, Oid, Result};
use vector::{Data, Vector};

pub use comparison::Comparison;
pub use regex::Pattern;

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
    datetime::interval::functions::MODULE,
    datetime::make::functions::MODULE,
    datetime::overlap::functions::MODULE,
    datetime::part::functions::MODULE,
    datetime_text::functions::MODULE,
    number_text::functions::MODULE,
    array::functions::MODULE,
    series::functions::MODULE,
    json::functions::MODULE,
    json_set::functions::MODULE,
    jsonpath::functions::MODULE,
    system::functions::MODULE,
    random::functions::MODULE,
    size::functions::MODULE,
    advisory::functions::MODULE,
    value_form::functions::MODULE,
    catalog_calls::functions::MODULE,
    bits::functions::MODULE,
    net::functions::MODULE,
    hash::functions::MODULE,
    order::functions::MODULE,
    accumulate::functions::MODULE,
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

/// How the functions of `pg_proc` are called, by OID: looked up per call, so without hashing.
struct Table {
    /// Per OID: one more than the place among the callables; 0 is none.
    places: Vec<u16>,
    callables: Vec<Callable>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let defined = MODULES.iter().flat_map(|m| m.functions).copied().flatten();
        let defined = defined.flat_map(|d| d.oids.iter().map(move |&oid| (oid, Callable::Function(d.function))));
        // A definition of its own comes before a comparison.
        let all = comparison::all().map(|(oid, c)| (oid.0, Callable::Compare(c))).chain(defined);
        let mut table = Table { places: Vec::new(), callables: Vec::new() };
        for (oid, callable) in all {
            let oid = oid as usize;
            if table.places.len() <= oid {
                table.places.resize(oid + 1, 0);
            }
            table.callables.push(callable);
            table.places[oid] = table.callables.len() as u16;
        }
        table
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
    let table = table();
    let place = table.places.get(oid.0 as usize)?.checked_sub(1)?;
    table.callables.get(place as usize).copied()
}

/// How set-returning function `oid` of `pg_proc` is called; `None` when it is not implemented.
pub fn set_function(oid: Oid) -> Option<SetFunction> {
    sets().get(&oid.0).map(|d| d.rows)
}

/// The rows of set-returning function `oid` as one column each: a row of several becomes one `record`, as in a select list.
pub fn as_one_column(oid: Oid, rows: ext::Rows) -> ext::Rows {
    let Some(row) = catalog::builtin::proc_by_oid(oid) else { return rows };
    let modes = row.arg_modes.bytes().zip(row.all_args);
    let types: Vec<Oid> = modes.filter(|(m, _)| matches!(m, b'o' | b'b' | b't')).map(|(_, &t)| t).collect();
    if types.len() < 2 {
        return rows;
    }
    let one = move |values: Vec<Datum>| {
        let columns: Vec<(Oid, Datum)> = types.iter().copied().zip(values).collect();
        vec![types::record::to_datum(&columns)]
    };
    Box::new(rows.map(move |values| values.map(&one)))
}

/// Aggregate `oid` of `pg_proc`; `None` when it is not implemented.
pub fn aggregate(oid: Oid) -> Option<&'static ext::AggregateDefinition> {
    aggregate::lookup(oid)
}

/// Which test of two values of one type function `oid` of `pg_proc` is.
pub fn sign(oid: Oid) -> Option<Sign> {
    match lookup(oid)? {
        Callable::Compare(c) if c.is_same_type() => Some(c.sign),
        _ => None,
    }
}

/// Whether slot `i` of a boolean vector is true.
pub fn is_true(v: &Vector, i: usize) -> bool {
    matches!(&v.data, Data::Bool(b) if b[i]) && !v.nulls.get(i)
}

#[cfg(test)]
mod tests;
