#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod datum;
pub mod error;
pub mod oid;

pub use datum::{Datum, Physical};
pub use error::{SqlError, SqlState};
pub use oid::Oid;

/// A result whose error is an [`SqlError`].
pub type Result<T, E = SqlError> = std::result::Result<T, E>;
