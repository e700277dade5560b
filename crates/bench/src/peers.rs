//! What Hathi is measured against: SQLite, PostgreSQL, DuckDB, and the bare machine; and Hathi itself as a server.

pub mod duckdb;
mod hathi_server;
mod machine;
mod pg_server;
mod sqlite;

pub use hathi_server::HathiServer;
pub use machine::{BareLog, loop_rate, read_rate_bytes_per_second};
pub use pg_server::PgServer;
pub use sqlite::{in_memory, on_disk};
