//! Sessions as rows: `pg_stat_activity`, `hathi_sessions`; and what runs them: `hathi_carriers`, `hathi_waits`.

use std::collections::HashMap;
use std::sync::Arc;

use env::waiting::Wait;
use storage::lock::Tag;
use types::{Datum, Oid, Result, oid};

use super::locks;
use crate::activity::{Doing, Look, Place};
use crate::backend::{Backend, Peer};
use crate::host::SessionHost;

/// Columns of `pg_stat_get_activity`.
const COLUMNS: usize = 31;
/// `pg_read_all_stats`.
const READ_ALL_STATS: Oid = Oid(3375);

/// A time of which 0 is none.
fn time(at: i64) -> Datum {
    if at == 0 { Datum::Null } else { Datum::I64(at) }
}

fn number(n: impl TryInto<i64>) -> Datum {
    Datum::I64(n.try_into().unwrap_or(i64::MAX))
}

/// What transactions hold and wait for, by sessions.
struct Locked {
    xids: HashMap<u32, u64>,
    awaited: HashMap<u32, &'static str>,
}

impl SessionHost<'_> {
    /// Whether the role that acts may see what sessions of others do.
    pub(crate) fn reads_all_stats(&self) -> Result<bool> {
        Ok(self.acting().superuser || self.runtime.has_role(self.acting(), READ_ALL_STATS, "USAGE")?)
    }

    /// The same of sessions of `user`.
    pub(super) fn may_see(&self, all: bool, user: Oid) -> Result<bool> {
        Ok(all || self.acting().oid == user || self.runtime.has_role(self.acting(), user, "USAGE")?)
    }

    fn locked(&self) -> Locked {
        let (mut xids, mut awaited) = (HashMap::new(), HashMap::new());
        for lock in self.runtime.engine().shared().locks.list() {
            match lock.tag {
                _ if !lock.granted => drop(awaited.insert(lock.owner.0, locks::kind(&lock.tag))),
                // Of its own: another's is only waited for.
                Tag::Transaction(xid) => drop(xids.insert(lock.owner.0, xid.0)),
                _ => {}
            }
        }
        Locked { xids, awaited }
    }

    /// Type and name of what a session waits for.
    fn wait_event(&self, backend: &Backend, look: &Look, locked: &Locked) -> Option<(&'static str, &'static str)> {
        let waits = backend.waiting().filter(|_| backend.pid() != self.pid);
        match waits {
            Some(Wait::Lock) => Some(("Lock", locked.awaited.get(&backend.pid()).copied().unwrap_or("transactionid"))),
            Some(wait) => Some(wait.name()),
            // Its program is to say something.
            None if !matches!(look.doing, Doing::Active | Doing::Disabled) => Some(Wait::ClientRead.name()),
            None => None,
        }
    }

    /// A row per session, and one per thread of the cluster's own.
    pub(super) fn activity(&self, only: Option<&Datum>) -> Result<Vec<Vec<Datum>>> {
        let only = match only {
            Some(Datum::I32(pid)) => Some(pid.cast_unsigned()),
            _ => None,
        };
        let present = self.runtime.present.lock().clone();
        let (all, locked) = (self.reads_all_stats()?, self.locked());
        let mut rows = Vec::with_capacity(present.len() + 2);
        for backend in present.into_values().filter(|b| only.is_none_or(|o| o == b.pid())) {
            let shown = self.may_see(all, backend.user)?;
            rows.push(self.session_row(&backend, shown, &locked)?);
        }
        for (pid, kind, since) in self.runtime.threads() {
            if only.is_none_or(|o| o == pid) {
                let mut row = vec![Datum::Null; COLUMNS];
                (row[1], row[3]) = (Datum::I32(pid.cast_signed()), Datum::text(""));
                row[5] = Datum::text(if all { "" } else { "<insufficient privilege>" });
                if all {
                    (row[10], row[17]) = (Datum::I64(since), Datum::text(kind));
                }
                rows.push(row);
            }
        }
        Ok(rows)
    }

    fn session_row(&self, backend: &Arc<Backend>, shown: bool, locked: &Locked) -> Result<Vec<Datum>> {
        let look = backend.activity.look();
        let own = backend.pid() == self.pid;
        let mut row = vec![Datum::Null; COLUMNS];
        (row[0], row[1]) = (Datum::from(backend.database), Datum::I32(backend.pid().cast_signed()));
        (row[2], row[3]) = (Datum::from(backend.user), Datum::text(&look.application));
        let xid = if own { self.xid } else { locked.xids.get(&backend.pid()).copied() };
        row[15] = xid.map_or(Datum::Null, |x| Datum::U32(x as u32));
        let oldest = || self.runtime.engine().shared().txns.oldest_xid().0;
        row[16] = match look.xmin {
            // What runs this sees what there is now.
            0 if own => Datum::U32(oldest() as u32),
            0 => Datum::Null,
            xmin => Datum::U32(xmin as u32),
        };
        if !shown {
            row[5] = Datum::text("<insufficient privilege>");
            return Ok(row);
        }
        row[4] = Datum::text(look.doing.name());
        row[5] = Datum::text(if look.doing == Doing::Disabled { "" } else { &look.query });
        if let Some((ty, event)) = self.wait_event(backend, &look, locked) {
            (row[6], row[7]) = (Datum::text(ty), Datum::text(event));
        }
        row[10] = Datum::I64(backend.since);
        if look.doing != Doing::Disabled {
            (row[8], row[9], row[11]) = (time(look.xact_start), time(look.query_start), time(look.state_change));
            row[30] = time(look.query_id);
        }
        match backend.peer() {
            Peer::Program => {}
            Peer::Local => row[14] = Datum::I32(-1),
            Peer::Network(address) => {
                let ip = address.ip().to_canonical().to_string();
                row[12] = types::io::text_in(oid::INET, -1, &ip, &types::IoSettings::default())?;
                row[14] = Datum::I32(address.port().into());
            }
        }
        row[17] = Datum::text(backend.kind);
        [18, 25, 27, 28].into_iter().for_each(|column| row[column] = Datum::Bool(false));
        Ok(row)
    }

    /// Rows of `hathi_sessions`: where each session is, and what it holds.
    pub(super) fn session_places(&self) -> Result<Vec<Vec<Datum>>> {
        let present = self.runtime.present.lock().clone();
        let (all, locked) = (self.reads_all_stats()?, self.locked());
        let mut rows = Vec::with_capacity(present.len());
        for backend in present.into_values() {
            if !self.may_see(all, backend.user)? {
                continue;
            }
            let look = backend.activity.look();
            let place = look.place;
            let mut row = vec![Datum::Null; 10];
            (row[0], row[1]) = (Datum::I32(backend.pid().cast_signed()), Datum::text(place.name()));
            if let Place::Carrier(carrier) = place {
                row[2] = Datum::I64(carrier.into());
            }
            row[3] = time(if place == Place::Parked { look.parked_at } else { look.state_change });
            if let Some((ty, event)) = self.wait_event(&backend, &look, &locked) {
                (row[4], row[5]) = (Datum::text(ty), Datum::text(event));
            }
            (row[6], row[7]) = (number(look.bytes), number(backend.meter.used_bytes()));
            (row[8], row[9]) = (number(look.prepared), number(look.portals));
            rows.push(row);
        }
        Ok(rows)
    }

    /// Rows of `hathi_carriers`.
    pub(super) fn carriers(&self) -> Vec<Vec<Datum>> {
        let views = self.runtime.carriers.lock().clone();
        let row = |c: crate::carrier::CarrierState| {
            let (ty, event) = c.waits_for.map(Wait::name).unzip();
            let word = |w: Option<&str>| w.map_or(Datum::Null, Datum::text);
            vec![
                number(c.number),
                Datum::Bool(c.has_slot),
                c.busy.map_or(Datum::Null, |busy| Datum::F64(busy.as_secs_f64() * 1e3)),
                word(ty),
                word(event),
                number(c.runs),
                Datum::Bool(c.attends),
            ]
        };
        views.iter().flat_map(|v| v.carriers()).map(row).collect()
    }

    /// Rows of `hathi_waits`.
    pub(super) fn waits(&self) -> Vec<Vec<Datum>> {
        let views = self.runtime.carriers.lock().clone();
        let row = |w: crate::carrier::WaitState| {
            let (ty, event) = w.wait.name();
            vec![
                Datum::text(ty),
                Datum::text(event),
                number(w.times),
                Datum::F64(w.total.as_secs_f64() * 1e3),
                number(w.now),
            ]
        };
        views.iter().flat_map(|v| v.waits()).map(row).collect()
    }
}
