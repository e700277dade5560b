#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod array;
pub mod compare;
pub mod datetime;
pub mod datum;
pub mod error;
#[cfg(test)]
mod fuzz;
pub mod hash;
pub mod io;
pub mod json;
pub mod jsonb;
pub mod jsonpath;
pub mod numeric;
pub mod oid;
pub mod record;
#[cfg(test)]
mod recorded;
pub mod sortkey;
pub mod typmod;

pub use datum::{Datum, Physical};
pub use error::{SqlError, SqlState};
pub use io::{IoSettings, TypeLookup};
pub use numeric::Numeric;
pub use oid::Oid;

/// A result whose error is an [`SqlError`].
pub type Result<T, E = SqlError> = std::result::Result<T, E>;
