#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

extern crate self as ext;

pub mod aggregate;
pub mod argument;
pub mod call;
pub mod definition;
pub mod fail;
pub mod host;
pub mod kernel;
pub mod newtype;
pub mod output;

pub use aggregate::{AggregateDefinition, GroupStates, Groups, Rowset, Steps};
pub use argument::{Argument, Lane, wrong_arguments};
pub use call::Call;
pub use definition::{Accepts, Definition, Function, Kernel, Module, Rows, Scalar, SetDefinition, SetFunction};
pub use ext_macros::{aggregate, function, module, set_function};
pub use fail::Fail;
pub use host::{Describe, Host, NoHost};
pub use newtype::{Bits, Date, JsonText, Jsonb, Lsn, Money, Time, TimeTz, Timestamp, Timestamptz, Uuid, Void};
pub use output::{Output, Row};
pub use types::datetime::Interval;
pub use types::{Datum, IoSettings, Numeric, Oid, Result, SqlError, SqlState};
pub use vector::Vector;

#[cfg(test)]
mod tests;
