//! What was counted of tables and databases, for `pg_stat_all_tables`, `pg_stat_database` and their kin.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use storage::{Database, DbId, RelKind};
use types::{Datum, Oid, Result, SqlError};

use crate::activity::Count;
use crate::backend::Backend;
use crate::host::SessionHost;
use crate::runtime::Runtime;

fn number(n: u64) -> Datum {
    Datum::I64(i64::try_from(n).unwrap_or(i64::MAX))
}

/// What was counted of the sessions of one database.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct SessionCounts {
    pub counts: [u64; crate::activity::COUNTS],
    pub begun: u64,
    pub killed: u64,
    /// Those whose client was lost, and those that ended with an error.
    pub abandoned: u64,
    pub fatal: u64,
    /// Microseconds that sessions were there.
    pub time: u64,
}

impl SessionCounts {
    pub(crate) fn get(&self, what: Count) -> u64 {
        self.counts[what as usize]
    }
}

impl Runtime {
    /// What the sessions of a database have counted, those among them that are there.
    pub(crate) fn session_counts(&self, db: DbId) -> SessionCounts {
        let present: Vec<Arc<Backend>> = self.present.lock().values().cloned().collect();
        let catalog = self.catalog(db);
        let kept = &catalog.counts;
        let mut sum = SessionCounts {
            counts: kept.ended.get(),
            begun: kept.begun.load(Ordering::Relaxed),
            killed: kept.killed.load(Ordering::Relaxed),
            abandoned: kept.abandoned.load(Ordering::Relaxed),
            fatal: kept.fatal.load(Ordering::Relaxed),
            time: kept.time.load(Ordering::Relaxed),
        };
        let now = self.micros_since_2000();
        for backend in present.iter().filter(|b| b.database.0 == db.0) {
            for (sum, n) in sum.counts.iter_mut().zip(backend.activity.counts.get()) {
                *sum += n;
            }
            sum.time += now.saturating_sub(backend.since).max(0).cast_unsigned();
        }
        sum
    }
}

impl SessionHost<'_> {
    /// What was counted of a table since the cluster was opened: nothing of those that are not there.
    pub(crate) fn table_count(&self, name: &str, table: Oid) -> Result<Datum> {
        let info = self.image.by_oid(table);
        let analysed = self.runtime.analysed(self.db, table).unwrap_or_default();
        let relation = info.and_then(|i| self.db.relation(i.rel).ok());
        let before = relation.as_ref().and_then(|r| r.predecessor()).unwrap_or_default();
        let own = relation.map_or([0; 3], |r| r.attempts());
        let counts: [u64; 3] = std::array::from_fn(|i| before.attempts[i] + own[i]);
        let since = info.map_or([0; 3], |info| self.runtime.counts_since_analyze(self.db, info));
        let time = |at: Option<i64>| at.map_or(Datum::Null, Datum::I64);
        let number = |n: u64| Datum::I64(i64::try_from(n).unwrap_or(i64::MAX));
        let scans = || {
            let rel = match info {
                Some(info) => Some(info.rel),
                None => self.image.storage_of_index(table),
            };
            let relation = rel.and_then(|rel| self.db.relation(rel).ok());
            let Some(relation) = relation else { return Default::default() };
            let (mut counts, before) = (relation.scan_counts(), relation.predecessor().unwrap_or_default().scans);
            (counts.scans, counts.rows) = (counts.scans + before.scans, counts.rows + before.rows);
            (counts, relation.kind == RelKind::Btree)
        };
        Ok(match name {
            "pg_stat_get_numscans" => number(scans().0.scans),
            "pg_stat_get_tuples_returned" => number(scans().0.rows),
            // Of a table: what others than indexes told of.
            "pg_stat_get_tuples_fetched" => {
                let (counts, is_index) = scans();
                number(if is_index { counts.rows } else { 0 })
            }
            "pg_stat_get_tuples_inserted" => number(counts[0]),
            "pg_stat_get_tuples_updated" => number(counts[1]),
            "pg_stat_get_tuples_deleted" => number(counts[2]),
            "pg_stat_get_live_tuples" => {
                let known = self.image.size(table).map_or(0.0, |s| f64::from(s.rows.max(0.0))) as u64;
                // TRUNCATE does not change what `pg_class` says.
                let is_older = before.is_emptied && info.is_none_or(|info| analysed.storage != info.rel);
                let then = if is_older { 0 } else { known };
                number((then + since[0]).saturating_sub(since[2]))
            }
            "pg_stat_get_mod_since_analyze" => number(since.iter().sum()),
            "pg_stat_get_ins_since_vacuum" => {
                let then =
                    if before.is_emptied { before.attempts[0].max(analysed.vacuumed.2) } else { analysed.vacuumed.2 };
                number(counts[0].saturating_sub(then))
            }
            "pg_stat_get_last_vacuum_time" => time(analysed.vacuumed.0),
            "pg_stat_get_vacuum_count" => Datum::I64(analysed.vacuumed.1),
            "pg_stat_get_last_autoanalyze_time" => time(analysed.at[0]),
            "pg_stat_get_last_analyze_time" => time(analysed.at[1]),
            "pg_stat_get_autoanalyze_count" => Datum::I64(analysed.times[0]),
            "pg_stat_get_analyze_count" => Datum::I64(analysed.times[1]),
            _ => return Err(SqlError::unsupported(format!("function {name}"))),
        })
    }

    /// What was counted of a database: nothing of those that are not there, as of what all of them share.
    pub(crate) fn database_count(&self, name: &str, database: Oid) -> Result<Datum> {
        let db: Option<Arc<Database>> = self.runtime.engine().database(DbId(database.0)).ok();
        let sessions = || db.as_ref().map(|db| self.runtime.session_counts(db.id)).unwrap_or_default();
        let of = |what: Count| sessions().get(what);
        let milliseconds = |micros: u64| Datum::F64(micros as f64 / 1e3);
        let relations = || db.as_ref().map(|db| db.counts()).unwrap_or_default();
        let rows = |kind: usize| number(relations().written[kind]);
        Ok(match name {
            "pg_stat_get_db_numbackends" => {
                let present = self.runtime.present.lock();
                let count = present.values().filter(|b| b.database == database).count();
                Datum::I32(i32::try_from(count).unwrap_or(i32::MAX))
            }
            "pg_stat_get_db_xact_commit" => number(of(Count::Commits)),
            "pg_stat_get_db_xact_rollback" => number(of(Count::Rollbacks)),
            "pg_stat_get_db_deadlocks" => number(of(Count::Deadlocks)),
            "pg_stat_get_db_active_time" => milliseconds(of(Count::ActiveTime)),
            "pg_stat_get_db_idle_in_transaction_time" => milliseconds(of(Count::IdleInTransactionTime)),
            "pg_stat_get_db_session_time" => milliseconds(sessions().time),
            "pg_stat_get_db_sessions" => number(sessions().begun),
            "pg_stat_get_db_sessions_abandoned" => number(sessions().abandoned),
            "pg_stat_get_db_sessions_fatal" => number(sessions().fatal),
            "pg_stat_get_db_sessions_killed" => number(sessions().killed),
            "pg_stat_get_db_tuples_inserted" => rows(0),
            "pg_stat_get_db_tuples_updated" => rows(1),
            "pg_stat_get_db_tuples_deleted" => rows(2),
            "pg_stat_get_db_tuples_returned" => number(relations().returned),
            "pg_stat_get_db_tuples_fetched" => number(relations().fetched),
            "pg_stat_get_db_blocks_fetched" => number(relations().pages_read),
            _ => return Err(SqlError::unsupported(format!("function {name}"))),
        })
    }
}
