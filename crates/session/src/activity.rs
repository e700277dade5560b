//! `Activity`: what a session says of itself, for whoever looks: what it runs, since when, where, and what it holds.
//!
//! A1: Only the session's own thread writes it, anybody reads it at any time. All but the text are single words that are stored without a
//! barrier: a look may find the state of one moment beside the time of the next, as in PostgreSQL's views. The text is copied under a lock that
//! is held for the copy alone, and not copied again by who runs one statement over and over. It is not handed over as the shared text of its
//! statement: sessions on other cores would meet at its count.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use env::sync::Mutex;

use crate::backend::{Farewell, Peer};
use crate::host::micros_since_2000;
use crate::session::{BlockState, Session};
use crate::settings::Settings;

/// What a session does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Doing {
    /// It has no transaction, and waits for its client.
    Idle,
    /// It runs a statement.
    Active,
    /// It waits for its client within a transaction.
    IdleInTransaction,
    /// The same, and the transaction has failed.
    IdleInFailed,
    /// It does not say (`track_activities`).
    Disabled,
}

impl Doing {
    /// All of them, in the order of their numbers.
    pub const ALL: [Doing; 5] =
        [Doing::Idle, Doing::Active, Doing::IdleInTransaction, Doing::IdleInFailed, Doing::Disabled];

    /// What PostgreSQL calls it.
    pub fn name(self) -> &'static str {
        match self {
            Doing::Idle => "idle",
            Doing::Active => "active",
            Doing::IdleInTransaction => "idle in transaction",
            Doing::IdleInFailed => "idle in transaction (aborted)",
            Doing::Disabled => "disabled",
        }
    }
}

/// Where a session is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Its program calls it.
    Program,
    /// A thread of its own serves its client.
    Thread,
    /// A carrier runs it.
    Carrier(u32),
    /// Nobody runs it: it waits for its client.
    Parked,
}

/// Numbers that stand for places; carriers count from 1.
const PROGRAM: u32 = 0;
const THREAD: u32 = u32::MAX;
const PARKED: u32 = u32::MAX - 1;

impl Place {
    /// What `hathi_sessions` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Place::Program => "program",
            Place::Thread => "thread",
            Place::Carrier(_) => "carrier",
            Place::Parked => "parked",
        }
    }
}

/// What is counted of a session's transactions and time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Count {
    /// Transactions that were committed.
    Commits,
    /// Transactions that were not.
    Rollbacks,
    /// Deadlocks that it was the victim of.
    Deadlocks,
    /// Microseconds in statements.
    ActiveTime,
    /// Microseconds between statements of a transaction.
    IdleInTransactionTime,
}

/// How many things are counted.
pub(crate) const COUNTS: usize = 5;

/// Counts of one session, or of all of a database that have ended.
#[derive(Default)]
pub(crate) struct Counts([AtomicU64; COUNTS]);

impl Counts {
    /// Adds to a count; only its owner does.
    #[inline]
    pub(crate) fn add(&self, what: Count, n: u64) {
        let count = &self.0[what as usize];
        count.store(count.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> [u64; COUNTS] {
        std::array::from_fn(|i| self.0[i].load(Ordering::Relaxed))
    }

    /// Takes over what a session that ends has counted; several may do so at a time.
    pub(crate) fn take_over(&self, other: &Counts) {
        for (sum, n) in self.0.iter().zip(other.get()) {
            sum.fetch_add(n, Ordering::Relaxed);
        }
    }
}

/// What was counted of the sessions of a database.
#[derive(Default)]
pub(crate) struct DatabaseCounts {
    /// Sessions that have begun.
    pub begun: AtomicU64,
    /// Those that were told to end (`pg_terminate_backend`, a server that stops).
    pub killed: AtomicU64,
    /// Those that were neither told to end nor said so.
    pub abandoned: AtomicU64,
    /// Those that ended with an error.
    pub fatal: AtomicU64,
    /// Microseconds that sessions were there which have ended.
    pub time: AtomicU64,
    /// What those have counted.
    pub ended: Counts,
}

/// What a session has told of itself.
#[derive(Default)]
pub(crate) struct Activity {
    /// The text of its last statement, and its `application_name`.
    texts: Mutex<(String, String)>,
    doing: AtomicU8,
    /// Microseconds since 2000; 0: none.
    query_start: AtomicI64,
    xact_start: AtomicI64,
    state_change: AtomicI64,
    /// 0: none.
    query_id: AtomicI64,
    /// Number of the oldest transaction that its fixed snapshot does not see the end of; 0: none.
    xmin: AtomicU64,
    place: AtomicU32,
    /// When it was parked.
    parked_at: AtomicI64,
    /// Bytes that the session, and what serves its client, hold between statements; prepared statements and portals among them.
    session_bytes: AtomicUsize,
    connection_bytes: AtomicUsize,
    prepared: AtomicUsize,
    portals: AtomicUsize,
    pub(crate) counts: Counts,
}

/// What others see of it, at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub query: String,
    pub application: String,
    pub doing: Doing,
    pub query_start: i64,
    pub xact_start: i64,
    pub state_change: i64,
    pub query_id: i64,
    pub xmin: u64,
    pub place: Place,
    pub parked_at: i64,
    pub bytes: usize,
    pub prepared: usize,
    pub portals: usize,
}

/// As much of a text as `bytes` hold.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

impl Activity {
    pub(crate) fn doing(&self) -> Doing {
        Doing::ALL.get(usize::from(self.doing.load(Ordering::Relaxed))).copied().unwrap_or(Doing::Disabled)
    }

    fn set_doing(&self, doing: Doing) {
        self.doing.store(doing as u8, Ordering::Relaxed);
    }

    pub(crate) fn place(&self) -> Place {
        match self.place.load(Ordering::Relaxed) {
            PROGRAM => Place::Program,
            THREAD => Place::Thread,
            PARKED => Place::Parked,
            n => Place::Carrier(n),
        }
    }

    /// A thread runs it now: a carrier by its number, or one of its own (0).
    pub(crate) fn run_by(&self, carrier: u32) {
        self.place.store(if carrier == 0 { THREAD } else { carrier }, Ordering::Relaxed);
    }

    /// Nobody does.
    pub(crate) fn park(&self, now: impl FnOnce() -> i64) {
        // It has just said when it became idle.
        let since = if self.doing() == Doing::Active { now() } else { self.state_change.load(Ordering::Relaxed) };
        self.parked_at.store(since, Ordering::Relaxed);
        self.place.store(PARKED, Ordering::Relaxed);
    }

    pub(crate) fn set_connection(&self, bytes: usize, portals: usize) {
        self.connection_bytes.store(bytes, Ordering::Relaxed);
        self.portals.store(portals, Ordering::Relaxed);
    }

    pub(crate) fn set_transaction_start(&self, at: i64) {
        self.xact_start.store(at, Ordering::Relaxed);
    }

    pub(crate) fn set_xmin(&self, xmin: u64) {
        self.xmin.store(xmin, Ordering::Relaxed);
    }

    pub(crate) fn set_query_id(&self, id: i64) {
        self.query_id.store(id, Ordering::Relaxed);
    }

    pub(crate) fn set_application(&self, name: &str) {
        name.clone_into(&mut self.texts.lock().1);
    }

    /// A text is about to be run; since when the session was idle in a transaction, or 0.
    fn begin(&self, sql: &str, settings: &Settings, is_new: bool) -> i64 {
        if !settings.track_activities {
            self.set_doing(Doing::Disabled);
            return 0;
        }
        if is_new {
            let mut texts = self.texts.lock();
            texts.0.clear();
            texts.0.push_str(cut(sql, settings.activity_bytes));
        }
        self.set_query_id(0);
        let waited = matches!(self.doing(), Doing::IdleInTransaction | Doing::IdleInFailed);
        self.set_doing(Doing::Active);
        if waited { self.state_change.load(Ordering::Relaxed) } else { 0 }
    }

    /// It says nothing any more.
    fn disable(&self) {
        self.set_doing(Doing::Disabled);
        self.texts.lock().0.clear();
    }

    /// Bytes that are held between statements.
    pub(crate) fn held_bytes(&self) -> usize {
        self.session_bytes.load(Ordering::Relaxed) + self.connection_bytes.load(Ordering::Relaxed)
    }

    /// The session is there.
    pub(crate) fn appear(&self, now: i64) {
        self.state_change.store(now, Ordering::Relaxed);
    }

    /// What is to be seen now.
    pub(crate) fn look(&self) -> Look {
        let (query, application) = self.texts.lock().clone();
        let time = |t: &AtomicI64| t.load(Ordering::Relaxed);
        let size = |n: &AtomicUsize| n.load(Ordering::Relaxed);
        Look {
            query,
            application,
            doing: self.doing(),
            query_start: time(&self.query_start),
            xact_start: time(&self.xact_start),
            state_change: time(&self.state_change),
            query_id: time(&self.query_id),
            xmin: self.xmin.load(Ordering::Relaxed),
            place: self.place(),
            parked_at: time(&self.parked_at),
            bytes: self.held_bytes(),
            prepared: size(&self.prepared),
            portals: size(&self.portals),
        }
    }
}

impl Session {
    /// A text that a client has sent is about to be run. When it began is said by the first statement of it (`Session::report_time`).
    pub fn report_begin(&mut self, sql: &str) {
        self.told = None;
        self.begin_report(sql, true);
    }

    /// The text that is run now is `sql`, or still the last one. Its time is not known yet.
    #[inline]
    fn begin_report(&mut self, sql: &str, is_new: bool) {
        self.idle_since = self.backend.activity.begin(sql, &self.settings, is_new);
        self.untimed = true;
    }

    /// The same of a text that is kept: it is not copied again if it was the last.
    #[inline]
    pub(crate) fn report_kept(&mut self, sql: &Arc<str>) {
        let is_new = !self.told.as_ref().is_some_and(|told| Arc::ptr_eq(told, sql));
        if is_new {
            self.told = Some(sql.clone());
        }
        self.begin_report(sql, is_new);
    }

    /// The same of a prepared statement.
    pub fn report_statement(&mut self, name: &str) {
        let sql = match self.named.get(name) {
            Some(prepared) if self.told.as_ref().is_some_and(|told| Arc::ptr_eq(told, &prepared.sql)) => None,
            Some(prepared) => Some(prepared.sql.clone()),
            None => return,
        };
        match sql {
            Some(sql) => self.report_kept(&sql),
            None => self.begin_report("", false),
        }
    }

    /// As [`Session::report_kept`], where nothing is being run yet.
    #[inline]
    pub(crate) fn report_begin_if_idle(&mut self, sql: &Arc<str>) {
        if self.backend.activity.doing() != Doing::Active {
            self.report_kept(sql);
        }
    }

    /// A statement has begun at `now`.
    #[inline]
    pub(crate) fn report_time(&mut self, now: i64) {
        if !std::mem::replace(&mut self.untimed, false) {
            return;
        }
        let activity = &self.backend.activity;
        if activity.doing() != Doing::Active {
            return;
        }
        activity.query_start.store(now, Ordering::Relaxed);
        activity.state_change.store(now, Ordering::Relaxed);
        if self.idle_since > 0 {
            let idle = now.saturating_sub(std::mem::take(&mut self.idle_since));
            activity.counts.add(Count::IdleInTransactionTime, idle.max(0).cast_unsigned());
        }
    }

    /// A quick statement has ended; its times are told where somebody has looked at the clock.
    #[inline]
    pub(crate) fn report_quick(&mut self, began: Option<i64>) {
        let activity = &self.backend.activity;
        self.untimed = false;
        if activity.doing() != Doing::Active {
            return;
        }
        if let Some(began) = began {
            activity.query_start.store(began, Ordering::Relaxed);
            activity.state_change.store(std::mem::take(&mut self.ended), Ordering::Relaxed);
        }
        activity.set_doing(Doing::Idle);
    }

    /// Microseconds that the last statement took, or the last piece of one.
    pub(crate) fn last_took(&self) -> i64 {
        self.ended.saturating_sub(self.started.1)
    }

    /// What the client has sent is done: the next word is its own.
    pub fn report_end(&mut self) {
        let activity = &self.backend.activity;
        // Whoever has just been told to say nothing says no more; who was told to speak begins with what it does now.
        let begins = activity.doing() == Doing::Disabled && self.settings.track_activities;
        if !self.settings.track_activities {
            activity.disable();
        }
        if activity.doing() != Doing::Active && !begins {
            self.untimed = false;
            return;
        }
        // The end of the last statement, if there was one.
        let ended = match std::mem::take(&mut self.ended) {
            0 => micros_since_2000(&self.interrupt),
            at => at,
        };
        if self.untimed {
            self.report_time(ended);
        }
        let activity = &self.backend.activity;
        let began = activity.query_start.load(Ordering::Relaxed);
        if !begins {
            activity.counts.add(Count::ActiveTime, ended.saturating_sub(began).max(0).cast_unsigned());
        }
        activity.state_change.store(ended, Ordering::Relaxed);
        activity.session_bytes.store(self.held_bytes(), Ordering::Relaxed);
        activity.prepared.store(self.named.statement_count(), Ordering::Relaxed);
        let doing = match self.block_state() {
            BlockState::Idle => Doing::Idle,
            BlockState::InBlock => Doing::IdleInTransaction,
            BlockState::Failed => Doing::IdleInFailed,
        };
        if self.txn.is_none() {
            activity.set_transaction_start(0);
        }
        activity.set_doing(doing);
    }

    /// What keeps it from being purged that a transaction of a fixed snapshot sees.
    pub(crate) fn report_fixed(&self) {
        self.backend.activity.set_xmin(self.runtime.engine().shared().txns.oldest_xid().0);
    }

    /// Its `application_name` may have changed.
    pub(crate) fn report_application(&self) {
        self.backend.activity.set_application(self.settings.application_name());
    }

    /// Nobody sees it any more; what it counted stays.
    pub(crate) fn leave(&mut self) {
        self.runtime.present.lock().remove(&self.owner.0);
        let (counts, activity) = (&self.catalog.counts, &self.backend.activity);
        let time = micros_since_2000(&self.interrupt).saturating_sub(self.backend.since);
        counts.time.fetch_add(time.max(0).cast_unsigned(), Ordering::Relaxed);
        let how = match self.backend.farewell() {
            _ if self.backend.is_terminated() => Some(&counts.killed),
            Farewell::Lost if self.backend.peer() != Peer::Program => Some(&counts.abandoned),
            Farewell::Error => Some(&counts.fatal),
            _ => None,
        };
        if let Some(count) = how {
            count.fetch_add(1, Ordering::Relaxed);
        }
        counts.ended.take_over(&activity.counts);
    }

    /// Bytes that it holds between statements, but for what its statements and cursors take: an estimate. Plans and texts that sessions share are not its own.
    fn held_bytes(&self) -> usize {
        size_of::<Session>() + self.named.bytes() + self.known.bytes() + self.settings.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("SELECT 'äöü'", 9), "SELECT '");
        assert_eq!(cut("SELECT 'äöü'", 10), "SELECT 'ä");
        assert_eq!(cut("SELECT 1", 100), "SELECT 1");
    }

    #[test]
    fn what_ended_sessions_counted_stays() {
        let (own, all) = (Counts::default(), Counts::default());
        own.add(Count::Commits, 2);
        own.add(Count::Commits, 3);
        all.take_over(&own);
        all.take_over(&own);
        assert_eq!(all.get()[Count::Commits as usize], 10);
    }
}
