//! `Observed`: what a whole cluster does and has done, for whoever watches it from outside.

use std::sync::Arc;

use storage::DbId;

use crate::activity::{Count, Doing};
use crate::backend::Backend;
use crate::carrier::{CarrierState, WaitState};
use crate::runtime::Runtime;
use crate::statement_cache::StatementCounts;

/// What was counted of one database.
#[derive(Clone, Debug, Default)]
pub struct ObservedDatabase {
    /// Its name.
    pub name: String,
    /// Transactions that were committed.
    pub commits: u64,
    /// Transactions that were not.
    pub rollbacks: u64,
    /// Transactions that were the victims of deadlocks.
    pub deadlocks: u64,
    /// Sessions that have begun.
    pub sessions: u64,
    /// Rows inserted, changed and deleted.
    pub rows_written: [u64; 3],
    /// Pages read from the disk.
    pub pages_read: u64,
}

/// A cluster at one moment.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Sessions by what they do, in the order of [`Doing::ALL`].
    pub sessions: [usize; Doing::ALL.len()],
    /// Those of them that no thread runs.
    pub parked: usize,
    /// Bytes that they and their connections hold between statements.
    pub session_bytes: usize,
    /// Threads that run sessions.
    pub carriers: Vec<CarrierState>,
    /// What those waited for.
    pub waits: Vec<WaitState>,
    /// How often a slot was lent.
    pub lent: u64,
    /// Databases.
    pub databases: Vec<ObservedDatabase>,
    /// Statements that were planned, and found planned.
    pub plans: StatementCounts,
    /// Runs of statements that `pg_stat_statements` shows.
    pub calls: u64,
    /// How often the log was written to the disk for good.
    pub log_syncs: u64,
    /// Bytes of log since the cluster was made.
    pub log_bytes: u64,
    /// Bytes of pages in memory, of old versions of rows, and of what statements and cursors take.
    pub page_bytes: usize,
    /// See `page_bytes`.
    pub version_bytes: usize,
    /// See `page_bytes`.
    pub statement_bytes: usize,
}

impl Runtime {
    /// What it does and has done.
    ///
    /// # Errors
    /// What reading the list of databases says.
    pub fn observed(&self) -> types::Result<Observed> {
        let present: Vec<Arc<Backend>> = self.present.lock().values().cloned().collect();
        let (mut sessions, mut parked, mut session_bytes) = ([0; Doing::ALL.len()], 0, 0);
        for backend in &present {
            sessions[backend.doing() as usize] += 1;
            parked += usize::from(backend.is_parked());
            session_bytes += backend.activity.held_bytes();
        }
        let views = self.carriers.lock().clone();
        let database = |(id, name): (DbId, String)| {
            let counts = self.session_counts(id);
            let stored = self.engine().database(id).map(|db| db.counts()).unwrap_or_default();
            ObservedDatabase {
                name,
                commits: counts.get(Count::Commits),
                rollbacks: counts.get(Count::Rollbacks),
                deadlocks: counts.get(Count::Deadlocks),
                sessions: counts.begun,
                rows_written: stored.written,
                pages_read: stored.pages_read,
            }
        };
        let shared = self.engine().shared();
        Ok(Observed {
            sessions,
            parked,
            session_bytes,
            carriers: views.iter().flat_map(|v| v.carriers()).collect(),
            waits: views.iter().flat_map(|v| v.waits()).collect(),
            lent: views.iter().map(|v| v.counts().0).sum(),
            databases: self.database_names()?.into_iter().map(database).collect(),
            plans: self.statement_counts(),
            calls: self.stats.calls(),
            log_syncs: shared.log.sync_count(),
            log_bytes: shared.log.end_lsn().0,
            page_bytes: shared.resident_bytes(),
            version_bytes: shared.version_bytes(),
            statement_bytes: self.memory_used(),
        })
    }
}
