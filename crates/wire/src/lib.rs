#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod backend;
mod cursor;
mod frame;
pub mod frontend;
pub mod startup;
pub mod text;
mod values;

pub use scram;

pub use backend::{BackendDecoder, BackendMessage, DataRow, FieldDescription, TransactionStatus};
pub use frontend::{AuthenticationReply, Decoder, FrontendMessage, Limits, Target};
pub use startup::{CancelRequest, ProtocolVersion, StartupMessage, StartupParameters};
pub use values::{Formats, Oids, Values};

use types::{SqlError, SqlState};

/// `08P01`: the peer broke the protocol.
pub(crate) fn violation(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::PROTOCOL_VIOLATION, message)
}
