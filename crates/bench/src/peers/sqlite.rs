//! SQLite, as its own documentation says to use it.

use std::path::Path;

use rusqlite::Connection;

use crate::stage::Failure;

/// A database in memory.
pub fn in_memory() -> Result<Connection, Failure> {
    Ok(Connection::open_in_memory()?)
}

/// A durable database: write-ahead log, each commit synced.
pub fn on_disk(dir: &Path) -> Result<Connection, Failure> {
    let connection = Connection::open(dir.join("sqlite.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}
