#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

pub mod btree;
pub mod buffer;
pub mod check;
pub mod checkpoint;
pub mod codec;
pub mod database;
pub mod engine;
pub mod error;
pub mod file;
pub mod ids;
pub mod lock;
pub mod page;
pub mod poison;
pub mod purge;
pub mod recovery;
pub mod relation;
pub mod sequence;
pub mod table;
pub mod txn;
pub mod wal;
pub mod zones;

pub use database::{Database, DatabaseCounts};
pub use engine::{Damage, Engine, Options, Shared};
pub use error::{Error, Interruption, Result};
pub use ids::{DbId, Lsn, PageNo, RelId, RowId, Slot, Xid};
pub use relation::{Persistence, Predecessor, RelKind, RelMeta, Relation, ScanCounts};
