//! `to_char` and its kin.

use ext::Call;
use types::{Result, SqlError};

/// `to_char` of a timestamp.
pub(crate) fn timestamp_to_char(_: &Call<'_>, _: i64, _: bool, _: &str) -> Result<Option<String>> {
    Err(SqlError::unsupported("to_char"))
}

#[ext::module]
pub(crate) mod functions {}
