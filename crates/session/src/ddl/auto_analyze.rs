//! `AutoAnalyze`: a thread that now and then analyses tables of which much has changed since somebody last looked. A database that only
//! answers has none.
//!
//! Transactions count their rows per table as they commit (`Relation::counts`); what the counts were when a table was last analysed is kept in the
//! runtime, not on disk: after opening, tables count from zero. The thresholds are PostgreSQL's, and may be set per table as there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use catalog::{Image, TableInfo};
use env::sync::{Condvar, JoinHandle, Mutex, spawn};
use storage::{Database, DbId, RelId};
use types::{Oid, Result};

use super::alter::NoSink;
use crate::runtime::{DEFAULT_ROLE, Runtime};
use crate::session::Session;

/// Rows that must have changed whatever a table's size, and the part of its rows beyond: `autovacuum_analyze_threshold` and its scale factor.
const THRESHOLD: f64 = 50.0;
const SCALE_FACTOR: f64 = 0.1;

/// When a table was analysed and vacuumed, and what had changed by then.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Analysed {
    /// Its storage then: another one counts from zero.
    pub storage: RelId,
    /// Rows inserted, changed and deleted when that began.
    pub counts: [u64; 3],
    /// Microseconds since 2000 when nobody asked for it, and when somebody did.
    pub at: [Option<i64>; 2],
    /// How often each.
    pub times: [i64; 2],
    /// When somebody asked for VACUUM, how often, and how many rows had been inserted by then.
    pub vacuumed: (Option<i64>, i64, u64),
}

/// What it is told, and its thread: that starts when something has changed for the first time.
pub(crate) struct Thread {
    nap: Duration,
    /// Whether nothing has changed yet.
    idle: AtomicBool,
    stop: Mutex<bool>,
    wake: Condvar,
    handle: Mutex<Option<JoinHandle<()>>>,
}

impl Thread {
    /// Whether something has changed, so that there is a thread.
    pub(crate) fn has_begun(&self) -> bool {
        !self.idle.load(Ordering::Relaxed)
    }

    fn is_stopped(&self) -> bool {
        *self.stop.lock()
    }

    fn run(&self, runtime: &Weak<Runtime>) {
        loop {
            {
                let mut stop = self.stop.lock();
                if !*stop {
                    self.wake.wait_for(&mut stop, self.nap);
                }
                if *stop {
                    return;
                }
            }
            let Some(runtime) = runtime.upgrade() else { return };
            // What fails now is tried again: a table may have been dropped, or somebody may have locked it.
            let _ = round(&runtime, self);
        }
    }
}

/// Analyses tables until it is dropped.
pub struct AutoAnalyze {
    runtime: Weak<Runtime>,
    thread: Arc<Thread>,
}

impl AutoAnalyze {
    /// Looks through the tables of all databases each time `nap` has passed, from the first change on. A runtime has one at most.
    pub fn start(runtime: &Arc<Runtime>, nap: Duration) -> AutoAnalyze {
        let fresh = || {
            let (stop, wake, handle) = (Mutex::new(false), Condvar::new(), Mutex::new(None));
            Arc::new(Thread { nap, idle: AtomicBool::new(true), stop, wake, handle })
        };
        let thread = runtime.auto_analyze.get_or_init(fresh).clone();
        AutoAnalyze { runtime: Arc::downgrade(runtime), thread }
    }
}

impl Drop for AutoAnalyze {
    /// The thread has let go of the runtime once this returns.
    fn drop(&mut self) {
        *self.thread.stop.lock() = true;
        self.thread.wake.notify_all();
        if let Some(runtime) = self.runtime.upgrade() {
            runtime.stop_background();
        }
        if let Some(handle) = self.thread.handle.lock().take().filter(|t| !t.is_current()) {
            let _ = handle.join();
        }
    }
}

/// Analyses what needs it.
fn round(runtime: &Arc<Runtime>, thread: &Thread) -> Result<()> {
    for (id, name) in runtime.database_names()? {
        // Most have nothing new: that is seen without a session.
        if !runtime.engine().database(id)?.relations().iter().any(|r| r.changed_rows() as f64 > THRESHOLD) {
            continue;
        }
        let mut session = {
            // Whoever counts sessions finds it told of, or not there yet.
            let mut background = runtime.background.lock();
            let session = Session::of_kind(runtime, &name, DEFAULT_ROLE, "autovacuum worker")?;
            *background = Some((id, session.cancel_handle()));
            session
        };
        let outcome = session.auto_analyze(|| thread.is_stopped());
        drop(session);
        runtime.background.lock().take();
        runtime.background_gone.notify_all();
        outcome?;
    }
    Ok(())
}

/// Whether so many changed rows of a table are worth a look.
fn is_due(image: &Image, info: &TableInfo, changed: u64) -> bool {
    let option = |name: &str| info.options.iter().find_map(|o| o.strip_prefix(name)?.strip_prefix('='));
    let number = |name: &str, default: f64| option(name).and_then(|v| v.parse().ok()).unwrap_or(default);
    let rows = image.size(info.oid).map_or(0.0, |s| f64::from(s.rows.max(0.0)));
    let threshold = number("autovacuum_analyze_threshold", THRESHOLD)
        + number("autovacuum_analyze_scale_factor", SCALE_FACTOR) * rows;
    let enabled = !matches!(option("autovacuum_enabled"), Some("false" | "off" | "no" | "0"));
    enabled && changed as f64 > threshold
}

impl Session {
    /// Analyses the tables that need it, until `stop` says so.
    fn auto_analyze(&mut self, stop: impl Fn() -> bool) -> Result<()> {
        // Whoever holds a table locked needs it more.
        self.run("SET lock_timeout = '1s'; BEGIN", &mut NoSink)?;
        let image = self.image()?;
        let mut due = Vec::new();
        for info in image.tables().into_iter().filter(|t| matches!(t.kind, b'r' | b'm') && t.persistence != b't') {
            if is_due(&image, info, self.runtime.changed_since_analyze(&self.db, info)) {
                due.push(self.qualified_name(info)?);
            }
        }
        self.run("COMMIT", &mut NoSink)?;
        for name in due {
            if stop() {
                break;
            }
            self.unasked = true;
            // One that fails does not keep the others from it.
            let _ = self.run(&format!("ANALYZE {name}"), &mut NoSink);
            self.unasked = false;
        }
        Ok(())
    }
}

impl Runtime {
    /// Something was changed: [`AutoAnalyze`] may have something to do.
    pub(crate) fn note_change(self: &Arc<Self>) {
        let Some(thread) = self.auto_analyze.get().filter(|t| t.idle.load(Ordering::Relaxed)) else { return };
        let mut handle = thread.handle.lock();
        if thread.idle.swap(false, Ordering::Relaxed) && !thread.is_stopped() {
            let (own, runtime) = (thread.clone(), Arc::downgrade(self));
            *handle = Some(spawn("hathi-analyze", move || own.run(&runtime)));
        }
    }

    /// Rows of a table that were changed since it was last analysed.
    pub(crate) fn changed_since_analyze(&self, db: &Database, info: &TableInfo) -> u64 {
        self.counts_since_analyze(db, info).iter().sum()
    }

    /// How many were inserted, changed and deleted.
    pub(crate) fn counts_since_analyze(&self, db: &Database, info: &TableInfo) -> [u64; 3] {
        let Ok(relation) = db.relation(info.rel) else { return [0; 3] };
        let known = self.analysed(db, info.oid).filter(|a| a.storage == info.rel).map_or([0; 3], |a| a.counts);
        let now = relation.counts();
        std::array::from_fn(|i| now[i].saturating_sub(known[i]))
    }

    /// When a table was analysed, if it was since this cluster was opened.
    pub(crate) fn analysed(&self, db: &Database, table: Oid) -> Option<Analysed> {
        self.analysed.lock().get(&(db.id, table)).copied()
    }

    /// Notes that all of a table was analysed, when its rows were counted so.
    pub(crate) fn note_analysed(&self, db: &Database, info: &TableInfo, counts: [u64; 3], asked: bool) {
        let mut all = self.analysed.lock();
        let analysed = all.entry((db.id, info.oid)).or_default();
        (analysed.storage, analysed.counts) = (info.rel, counts);
        analysed.at[usize::from(asked)] = Some(self.micros_since_2000());
        analysed.times[usize::from(asked)] += 1;
    }

    /// Notes that a table was vacuumed.
    pub(crate) fn note_vacuumed(&self, db: &Database, info: &TableInfo) {
        let Ok(relation) = db.relation(info.rel) else { return };
        let inserted = relation.attempts()[0] + relation.predecessor().unwrap_or_default().attempts[0];
        let mut all = self.analysed.lock();
        let (_, times, _) = all.get(&(db.id, info.oid)).copied().unwrap_or_default().vacuumed;
        all.entry((db.id, info.oid)).or_default().vacuumed = (Some(self.micros_since_2000()), times + 1, inserted);
    }

    /// Tells a thread of the cluster's own to end what it does.
    fn stop_background(&self) {
        if let Some((_, handle)) = &*self.background.lock() {
            handle.terminate();
        }
    }

    /// Ends what a thread of the cluster's own does on database `id`; how many sessions are on it then, which are others'.
    pub(crate) fn sessions_of_others(&self, id: DbId) -> usize {
        let mut background = self.background.lock();
        while let Some((_, handle)) = background.as_ref().filter(|b| b.0 == id) {
            handle.terminate();
            self.background_gone.wait(&mut background);
        }
        self.count_sessions(id, 0)
    }
}
