#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod copy;
mod ddl;
mod portal;
mod prepared;
mod runtime;
mod session;
mod settings;

pub use copy::{CopyIn, CopyOut, CopyShape};
pub use plan::OutputColumn;
pub use portal::{Fetched, Portal};
pub use prepared::Prepared;
pub use runtime::{CancelHandle, DEFAULT_DATABASE, Runtime, RuntimeOptions};
pub use session::{BlockState, Session, Sink};
pub use vector::Chunk;
