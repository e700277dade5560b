#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod copy;
mod database;
mod row;
mod session;
mod transaction;

pub use ::session::Notification;
pub use copy::{CopyIn, CopyOut};
pub use database::{Builder, Database};
pub use postgres_types::{FromSql, ToSql, Type};
pub use row::{Column, Row, RowIndex};
pub use session::{CancelHandle, Session, Statement};
pub use transaction::Transaction;
/// What went wrong: SQLSTATE, message, detail, hint, position.
pub use types::SqlError as Error;
pub use types::SqlState;

/// A result whose error is an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
