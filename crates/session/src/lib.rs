#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod acl;
mod advisory;
mod backend;
mod basis;
pub mod carrier;
mod collected;
mod copy;
mod cursor;
mod ddl;
mod describe;
mod explain;
mod export;
mod foreign_key;
mod host;
mod known;
mod lifetime;
mod monitor;
mod named;
mod notify;
mod planning;
mod portal;
mod prepared;
mod privilege;
mod read_only;
mod routine;
mod runtime;
mod session;
mod settings;
mod signal;
mod stack;
mod statement_cache;
mod view;

pub use backend::{Backend, Waker};
pub use copy::{CopyIn, CopyOut, CopyShape};
pub use ddl::auto_analyze::AutoAnalyze;
pub use known::KnownStatement;
pub use notify::Notification;
pub use plan::OutputColumn;
pub use portal::{Fetched, Portal};
pub use prepared::Prepared;
pub use runtime::{CancelHandle, DEFAULT_DATABASE, Role, Runtime, RuntimeOptions};
pub use session::{BlockState, Session, Sink};
pub use statement_cache::StatementCounts;
pub use vector::Chunk;
