//! `Export`: a snapshot that others may use while the transaction that has exported it runs.

use std::sync::Arc;

use storage::txn::SnapshotHold;
use storage::{DbId, Lsn};
use syntax::ast::IsolationLevel;
use types::{Result, SqlError, SqlState};

use crate::runtime::Runtime;
use crate::session::Session;

/// What is found by a snapshot's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exported {
    db: DbId,
    lsn: Lsn,
}

/// An exported snapshot, there until it is dropped.
pub(crate) struct Export {
    runtime: Arc<Runtime>,
    name: String,
    /// Released after the name is gone, so that whoever finds the name finds the rows too.
    _hold: SnapshotHold,
}

impl Export {
    /// Lets others see what is seen at `lsn`.
    pub(crate) fn new(runtime: &Arc<Runtime>, db: DbId, lsn: Lsn, pid: u32, count: usize) -> Export {
        let hold = runtime.engine().shared().txns.hold();
        hold.keep(lsn);
        let name = format!("{pid:08X}-{:08X}-{}", lsn.0 as u32, count + 1);
        runtime.exported.lock().insert(name.clone(), Exported { db, lsn });
        Export { runtime: runtime.clone(), name, _hold: hold }
    }

    /// What others find it by.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        self.runtime.exported.lock().remove(&self.name);
    }
}

impl Session {
    /// SET TRANSACTION SNAPSHOT.
    pub(crate) fn import_snapshot(&mut self, name: &str) -> Result<()> {
        if self.has_queried() {
            let message = "SET TRANSACTION SNAPSHOT must be called before any query";
            return Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message));
        }
        if self.isolation != IsolationLevel::RepeatableRead {
            let message = "a snapshot-importing transaction must have isolation level SERIALIZABLE or REPEATABLE READ";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        // While the name is there, so is its hold: ours begins under the lock of the names.
        let runtime = self.runtime.clone();
        let exported = runtime.exported.lock();
        let Some(found) = exported.get(name) else {
            let known = name.len() >= 3 && name.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
            let (state, message) = match known {
                true => (SqlState::UNDEFINED_OBJECT, format!("snapshot \"{name}\" does not exist")),
                false => (SqlState::INVALID_PARAMETER_VALUE, format!("invalid snapshot identifier: \"{name}\"")),
            };
            return Err(SqlError::new(state, message));
        };
        if found.db != self.db.id {
            let message = "cannot import a snapshot from a different database";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        let hold = runtime.engine().shared().txns.hold();
        hold.keep(found.lsn);
        self.fixed = Some((found.lsn, hold));
        self.report_fixed();
        Ok(())
    }
}
