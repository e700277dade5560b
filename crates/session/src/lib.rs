#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod ddl;
mod prepared;
mod runtime;
mod session;
mod settings;

pub use plan::OutputColumn;
pub use prepared::Prepared;
pub use runtime::{CancelHandle, Runtime, RuntimeOptions};
pub use session::{BlockState, Session, Sink};
pub use vector::Chunk;
