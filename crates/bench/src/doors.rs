//! `Doors`: the servers whose front doors are compared, each started when it is first asked for and open until the run ends.

use std::cell::OnceCell;

use server::SessionMode;
use tempfile::TempDir;

use crate::figure::Figure;
use crate::peers::canned::{Canned, Form};
use crate::peers::hathi_process::Entry;
use crate::peers::{Endpoint, HathiProcess, PgBouncer};
use crate::stage::{Failure, Stage};

/// Our server as it is unless told otherwise: its sessions pooled, a slot per processor.
pub const HATHI: &str = "Hathi";
/// The same with a thread for each session.
pub const HATHI_THREAD: &str = "Hathi, thread";
/// PostgreSQL by its unix socket.
pub const POSTGRESQL: &str = "PostgreSQL";
/// PgBouncer in front of it.
pub const PGBOUNCER: &str = "PgBouncer";
/// Canned answers, a thread for each client.
pub const CANNED_THREADS: &str = "canned answers, threads";
/// Canned answers, one thread for all.
pub const CANNED_EVENTS: &str = "canned answers, events";

/// A server that may be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Door {
    /// `HATHI`
    Hathi,
    /// `HATHI_THREAD`
    HathiThread,
    /// `POSTGRESQL`
    PostgreSql,
    /// `PGBOUNCER`
    PgBouncer,
    /// `CANNED_THREADS`
    CannedThreads,
    /// `CANNED_EVENTS`
    CannedEvents,
}

type Once<T> = OnceCell<Result<T, String>>;

/// Servers that were asked for.
#[derive(Default)]
pub struct Doors {
    hathi: Once<(HathiProcess, TempDir)>,
    hathi_thread: Once<(HathiProcess, TempDir)>,
    pgbouncer: Once<PgBouncer>,
    canned_threads: Once<Canned>,
    canned_events: Once<Canned>,
}

fn once<T>(cell: &Once<T>, start: impl FnOnce() -> Result<T, Failure>) -> Result<&T, String> {
    cell.get_or_init(|| start().map_err(|e| e.to_string())).as_ref().map_err(String::clone)
}

impl Stage {
    /// Where the server behind `door` listens; else why it does not.
    pub fn open(&self, door: Door) -> Result<Endpoint, String> {
        let doors = &self.doors;
        let hathi = |who, mode| {
            let dir = self.new_dir()?;
            Ok((HathiProcess::start(who, &dir.path().join("hathi"), mode, Entry::Open)?, dir))
        };
        Ok(match door {
            Door::Hathi => once(&doors.hathi, || hathi(HATHI, SessionMode::default()))?.0.endpoint().clone(),
            Door::HathiThread => {
                once(&doors.hathi_thread, || hathi(HATHI_THREAD, SessionMode::Thread))?.0.endpoint().clone()
            }
            Door::PostgreSql => self.postgres()?.endpoint(),
            Door::PgBouncer => self.pgbouncer()?.endpoint().clone(),
            Door::CannedThreads => {
                once(&doors.canned_threads, || Canned::start(CANNED_THREADS, Form::Threads))?.endpoint().clone()
            }
            Door::CannedEvents => {
                once(&doors.canned_events, || Canned::start(CANNED_EVENTS, Form::Events))?.endpoint().clone()
            }
        })
    }

    /// PgBouncer in front of the stage's PostgreSQL; else why not.
    pub fn pgbouncer(&self) -> Result<&PgBouncer, String> {
        once(&self.doors.pgbouncer, || PgBouncer::start(PGBOUNCER, self.postgres()?))
    }

    /// Those of `doors` that open. Why a peer's does not is noted; ours and the canned ones must.
    ///
    /// # Errors
    /// When one of ours does not.
    pub fn open_all(&self, doors: &[Door], figure: &mut Figure) -> Result<Vec<Endpoint>, Failure> {
        let mut open = Vec::new();
        for &door in doors {
            match self.open(door) {
                Ok(endpoint) => open.push(endpoint),
                Err(why) if matches!(door, Door::PostgreSql | Door::PgBouncer) => figure.note(why),
                Err(why) => return Err(why.into()),
            }
        }
        Ok(open)
    }
}
