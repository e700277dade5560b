//! `pg_locks`: who holds what, and who waits.

use storage::lock::{HeldLock, Mode, OwnerId, Tag};
use types::array::Array;
use types::{Datum, oid};

use crate::host::SessionHost;

/// Columns of `pg_lock_status`.
const COLUMNS: usize = 16;

/// What PostgreSQL calls what is locked.
pub(super) fn kind(tag: &Tag) -> &'static str {
    match tag {
        Tag::Relation(..) => "relation",
        Tag::Row(..) | Tag::Turn(..) => "tuple",
        Tag::Transaction(_) => "transactionid",
        Tag::Advisory(..) => "advisory",
        Tag::Object(..) => "object",
    }
}

impl SessionHost<'_> {
    /// `pg_blocking_pids`: who keeps session `pid` from going on, because he holds what it waits for, or waits for it before it.
    pub(crate) fn blocking(&self, pid: u32) -> Datum {
        let blockers = self.runtime.engine().shared().locks.blockers(OwnerId(pid));
        let pids: Vec<Datum> = blockers.into_iter().map(|owner| Datum::I32(owner.0.cast_signed())).collect();
        match pids.is_empty() {
            true => Array::empty(oid::INT4).to_datum(),
            false => Array::one_dimensional(oid::INT4, pids).to_datum(),
        }
    }

    /// A row per lock that is held or waited for, and one for each transaction: PostgreSQL's lock themselves.
    pub(super) fn locks(&self) -> Vec<Vec<Datum>> {
        let held = self.runtime.engine().shared().locks.list();
        let number = |n: u32| Datum::U32(n);
        // A session waits for one lock at most.
        let waits = |lock: &HeldLock| -> Datum {
            let backend = self.runtime.present.lock().get(&lock.owner.0).cloned();
            let since = backend.filter(|_| !lock.granted).and_then(|b| b.waiting_since());
            since.map_or(Datum::Null, Datum::I64)
        };
        let row = |lock: &HeldLock| {
            let mut row = vec![Datum::Null; COLUMNS];
            row[0] = Datum::text(kind(&lock.tag));
            match lock.tag {
                Tag::Relation(db, relation) => (row[1], row[2]) = (number(db.0), number(relation)),
                Tag::Row(db, relation, row_id) | Tag::Turn(db, relation, row_id) => {
                    (row[1], row[2]) = (number(db.0), number(relation.0));
                    (row[3], row[4]) = (Datum::I32(row_id.block.cast_signed()), Datum::I16(row_id.slot as i16 + 1));
                }
                Tag::Transaction(xid) => row[6] = number(xid.0 as u32),
                Tag::Advisory(db, a, b, kind) => {
                    row[1] = number(db.0);
                    (row[7], row[8], row[9]) = (number(a), number(b), Datum::I16(kind as i16));
                }
                Tag::Object(db, class, object) => {
                    row[1] = number(db.0);
                    (row[7], row[8], row[9]) = (number(class), number(object), Datum::I16(0));
                }
            }
            row[10] = Datum::text(&format!("{}/0", lock.owner.0));
            row[11] = Datum::I32(lock.owner.0.cast_signed());
            row[12] = Datum::text(lock.mode.name());
            row[13] = Datum::Bool(lock.granted);
            row[14] =
                Datum::Bool(lock.granted && matches!((lock.tag, lock.mode), (Tag::Relation(..), Mode::AccessShare)));
            row[15] = waits(lock);
            row
        };
        let mut rows: Vec<Vec<Datum>> = held.iter().map(row).collect();
        let present = self.runtime.present.lock().clone();
        let in_transaction = present.values().filter(|b| b.activity.look().xact_start != 0);
        let mut owners: Vec<u32> = in_transaction.map(|b| b.pid()).collect();
        owners.sort_unstable();
        rows.extend(owners.into_iter().map(|owner| {
            let mut row = vec![Datum::Null; COLUMNS];
            let own = Datum::text(&format!("{owner}/0"));
            (row[0], row[5], row[10]) = (Datum::text("virtualxid"), own.clone(), own);
            (row[11], row[12]) = (Datum::I32(owner.cast_signed()), Datum::text(Mode::Exclusive.name()));
            (row[13], row[14]) = (Datum::Bool(true), Datum::Bool(true));
            row
        }));
        rows
    }
}
