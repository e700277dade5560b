//! `Error`: what can go wrong below SQL, and its SQLSTATE.

use std::io;
use std::sync::Arc;

use types::{SqlError, SqlState};

use crate::ids::{DbId, PageNo, RelId};

/// An error of the storage engine.
#[derive(Clone, Debug)]
pub enum Error {
    /// The operating system refused an operation.
    Io(Arc<io::Error>, &'static str),
    /// A page does not hold what its checksum and header promise.
    Corrupt {
        /// Its database.
        db: DbId,
        /// The page.
        page: PageNo,
        /// What is wrong.
        what: String,
    },
    /// A file's header, superblock or log is damaged.
    Damaged(String),
    /// A write or sync failed earlier, or a panic left a page half changed: nothing more is done until reopened.
    Poisoned(Arc<str>),
    /// The disk or the log's space is full.
    DiskFull,
    /// Another process, or another engine of this one, has the directory open.
    InUse,
    /// The directory was written by an incompatible version.
    Version(u32),
    /// A REPEATABLE READ transaction met a row changed since its snapshot.
    Serialization,
    /// Waiting would never end; names the cycle.
    Deadlock(String),
    /// A lock was not to be had at once (NOWAIT).
    LockNotAvailable,
    /// The wait was longer than `lock_timeout`.
    LockTimeout,
    /// The statement was cancelled or its deadline passed; carries the reason.
    Interrupted(Interruption),
    /// No such relation here.
    NoRelation(DbId, RelId),
    /// No such database here.
    NoDatabase(DbId),
    /// A hard limit of the format.
    Limit(&'static str),
    /// A memory budget is used up.
    OutOfMemory(&'static str),
}

/// Why a statement stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The user asked for it.
    Cancel,
    /// `statement_timeout`.
    StatementTimeout,
    /// The session is to end (`pg_terminate_backend`, shutdown).
    Terminate,
    /// Nobody waits for its answer any more (`client_connection_check_interval`).
    ClientLost,
}

/// A result of the storage engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An I/O error met while doing `what`.
    pub fn io(what: &'static str) -> impl Fn(io::Error) -> Error {
        move |e| match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::DiskFull,
            _ => Error::Io(Arc::new(e), what),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(SqlError::from(self.clone()).message())
    }
}

impl std::error::Error for Error {}

impl From<Interruption> for SqlError {
    fn from(i: Interruption) -> SqlError {
        match i {
            Interruption::Cancel => SqlError::new(SqlState::QUERY_CANCELED, "canceling statement due to user request"),
            Interruption::StatementTimeout => {
                SqlError::new(SqlState::QUERY_CANCELED, "canceling statement due to statement timeout")
            }
            Interruption::ClientLost => SqlError::new(SqlState::CONNECTION_FAILURE, "connection to client lost")
                .severity(types::error::Severity::Fatal),
            Interruption::Terminate => {
                SqlError::new(SqlState::ADMIN_SHUTDOWN, "terminating connection due to administrator command")
                    .severity(types::error::Severity::Fatal)
            }
        }
    }
}

impl From<Error> for SqlError {
    fn from(e: Error) -> SqlError {
        match e {
            Error::Io(e, what) => SqlError::new(SqlState::IO_ERROR, format!("could not {what}: {e}")),
            Error::Corrupt { db, page, what } => {
                SqlError::new(SqlState::DATA_CORRUPTED, format!("invalid page {page} of database {db}: {what}"))
            }
            Error::Damaged(what) => SqlError::new(SqlState::DATA_CORRUPTED, what),
            Error::Poisoned(why) => SqlError::new(SqlState::IO_ERROR, "the database must be reopened")
                .detail(format!("An earlier failure left its state unknown: {why}.")),
            Error::DiskFull => SqlError::new(SqlState::DISK_FULL, "no space left on device")
                .hint("Free disk space and run the statement again."),
            Error::InUse => SqlError::new(SqlState::LOCK_FILE_EXISTS, "the database directory is in use")
                .detail("Another process, or another part of this one, has it open."),
            Error::Version(v) => SqlError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("the database directory has format version {v}, which this version does not read"),
            ),
            Error::Serialization => {
                SqlError::new(SqlState::SERIALIZATION_FAILURE, "could not serialize access due to concurrent update")
            }
            Error::Deadlock(cycle) => SqlError::new(SqlState::DEADLOCK_DETECTED, "deadlock detected").detail(cycle),
            Error::LockNotAvailable => SqlError::new(SqlState::LOCK_NOT_AVAILABLE, "could not obtain lock"),
            Error::LockTimeout => {
                SqlError::new(SqlState::LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")
            }
            Error::Interrupted(i) => i.into(),
            Error::NoRelation(db, rel) => SqlError::internal(format!("could not open relation {rel} of database {db}")),
            Error::NoDatabase(db) => SqlError::new(SqlState::INVALID_CATALOG_NAME, format!("database {db} is gone")),
            Error::Limit(what) => SqlError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, what),
            Error::OutOfMemory(what) => {
                SqlError::new(SqlState::OUT_OF_MEMORY, "out of memory").detail(format!("Failed on {what}."))
            }
        }
    }
}
