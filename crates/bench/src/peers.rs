//! What Hathi is measured against: SQLite, PostgreSQL, PgBouncer, DuckDB, servers of canned answers, and the bare machine; and Hathi itself
//! as a server, in this process and in one of its own.

pub mod canned;
pub mod child;
pub mod duckdb;
mod endpoint;
pub mod hathi_process;
mod hathi_server;
mod machine;
mod pg_server;
pub mod pgbench;
mod pgbouncer;
pub mod processes;
mod read_rate;
pub mod sessions;
mod sqlite;

pub use endpoint::Endpoint;
pub use hathi_process::HathiProcess;
pub use hathi_server::HathiServer;
pub use machine::{BareLog, loop_rate};
pub use pg_server::{PgServer, SCRAM_ROLE};
pub use pgbouncer::PgBouncer;
pub use read_rate::read_rate_bytes_per_second;
pub use sqlite::{in_memory, on_disk};

/// The password of all who must show one.
pub const PASSWORD: &str = "bench-password";
