//! [`Basis`]: what a plan was made from, and [`Changes`]: what a transaction changed of it.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use catalog::Change;

use crate::session::Session;

/// What a plan is made from: two that are equal give the same plan (S3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Basis {
    /// Whose: a statement may be carried from one session to another, of another database even.
    session: u64,
    /// The committed catalog's version.
    version: u64,
    /// The transaction's own changes.
    stamp: u64,
    /// The generation of the session's settings.
    generation: u64,
}

impl Basis {
    /// With the committed catalog as it was at `version`.
    pub(crate) fn at(self, version: u64) -> Basis {
        Basis { version, ..self }
    }

    /// The committed catalog's version.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Whether a transaction's own changes are in it.
    pub(crate) fn has_changes(&self) -> bool {
        self.stamp != 0
    }
}

/// A number for a session that no other of this process has.
pub(crate) fn session_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Changes of the catalog by the transaction under way, in their order.
#[derive(Default)]
pub(crate) struct Changes {
    list: Vec<Change>,
    /// 0 where there are none; else a number that these changes alone have had in this session.
    stamp: u64,
    last_stamp: u64,
}

impl Changes {
    pub(crate) fn push(&mut self, change: Change) {
        self.list.push(change);
        self.restamp();
    }

    pub(crate) fn extend(&mut self, changes: Vec<Change>) {
        self.list.extend(changes);
        self.restamp();
    }

    /// Forgets those after the first `count`; whether there were any.
    pub(crate) fn truncate(&mut self, count: usize) -> bool {
        let more = self.list.len() > count;
        if more {
            self.list.truncate(count);
            self.restamp();
        }
        more
    }

    /// Takes them all: they are committed.
    pub(crate) fn take(&mut self) -> Vec<Change> {
        self.stamp = 0;
        std::mem::take(&mut self.list)
    }

    fn restamp(&mut self) {
        self.last_stamp += 1;
        self.stamp = if self.list.is_empty() { 0 } else { self.last_stamp };
    }
}

impl Deref for Changes {
    type Target = [Change];

    fn deref(&self) -> &[Change] {
        &self.list
    }
}

impl Session {
    /// What a plan made now would be made from.
    #[inline]
    pub(crate) fn basis(&self) -> Basis {
        Basis {
            session: self.number,
            version: self.catalog.version(),
            stamp: self.changes.stamp,
            generation: self.settings.generation,
        }
    }
}
