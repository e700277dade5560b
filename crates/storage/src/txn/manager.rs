//! `TxnManager`: numbers transactions, tracks the running ones and the snapshots in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use env::sched;
use env::sync::Mutex;

use super::snapshot::TxnState;
use crate::ids::{Lsn, Xid};

/// All transactions of one engine.
pub struct TxnManager {
    next_xid: AtomicU64,
    /// Running writers, by number: they come in order.
    active: Mutex<Vec<Arc<TxnState>>>,
    /// X2.
    visible: AtomicU64,
    /// LSN of the newest commit whose session waits for the disk.
    newest_waiting: AtomicU64,
    /// Where holders publish, by owner, so that sessions on different cores do not meet here.
    holds: [Holds; HOLD_SHARDS],
}

const HOLD_SHARDS: usize = 16;

/// A snapshot in use, or zero; on a cache line of its own.
#[repr(align(128))]
#[derive(Default)]
struct HoldCell(AtomicU64);

/// Cells of some owners: those in use, and between them those that wait, zero, for the next.
#[repr(align(128))]
#[derive(Default)]
struct Holds(Mutex<HoldCells>);

#[derive(Default)]
struct HoldCells {
    all: Vec<Arc<HoldCell>>,
    free: Vec<Arc<HoldCell>>,
}

/// A place where one session publishes the snapshot it uses, so that purging spares it. Kept from statement to statement.
pub struct SnapshotHold {
    cell: Arc<HoldCell>,
    shard: usize,
    manager: Arc<TxnManager>,
}

impl TxnManager {
    /// A manager that continues after recovery: numbers from `next_xid`, everything up to `visible` committed.
    pub fn new(next_xid: Xid, visible: Lsn) -> TxnManager {
        TxnManager {
            next_xid: AtomicU64::new(next_xid.0),
            active: Mutex::new(Vec::new()),
            visible: AtomicU64::new(visible.0),
            newest_waiting: AtomicU64::new(0),
            holds: std::array::from_fn(|_| Holds::default()),
        }
    }

    /// The number the next writer gets.
    pub fn next_xid(&self) -> Xid {
        Xid(self.next_xid.load(Ordering::Relaxed))
    }

    /// A number for a subtransaction.
    pub fn new_sub_xid(&self) -> Xid {
        Xid(self.next_xid.fetch_add(1, Ordering::Relaxed))
    }

    /// Enters a new writer into the active table (X4); `log_end` is asked while the table is latched.
    pub fn start(&self, log_end: impl FnOnce() -> Lsn) -> Arc<TxnState> {
        let mut active = self.active.lock();
        let xid = self.new_sub_xid();
        let state = Arc::new(TxnState::new(xid, log_end()));
        active.push(state.clone());
        state
    }

    /// Removes a writer that has ended.
    pub fn end(&self, xid: Xid) {
        let mut active = self.active.lock();
        if let Ok(at) = active.binary_search_by_key(&xid, |t| t.xid) {
            active.remove(at);
        }
    }

    /// Whether any writer runs.
    pub fn any_running(&self) -> bool {
        !self.active.lock().is_empty()
    }

    /// A running writer.
    pub fn running(&self, xid: Xid) -> Option<Arc<TxnState>> {
        let active = self.active.lock();
        active.binary_search_by_key(&xid, |t| t.xid).ok().map(|at| active[at].clone())
    }

    /// The first LSN any running writer may have logged, or `end` when none runs. `end` is asked while the table is
    /// latched, so that no writer slips between.
    pub fn redo_bound(&self, end: impl FnOnce() -> Lsn) -> Lsn {
        let active = self.active.lock();
        let end = end();
        active.iter().map(|t| t.first_lsn).min().map_or(end, |lsn| lsn.min(end))
    }

    /// Notes the commit record at `lsn`, while the log is still latched, so in log order. Answers how far the log must be durable before
    /// [`TxnManager::publish`] may be called with `lsn` (X2): to itself if its session waits; else to the newest commit before it
    /// whose session does, since visibility is a prefix of the log and would take that commit along.
    pub fn note_commit(&self, lsn: Lsn, waits: bool) -> Lsn {
        if waits {
            self.newest_waiting.store(lsn.0, Ordering::Relaxed);
        }
        Lsn(self.newest_waiting.load(Ordering::Relaxed))
    }

    /// Lets new snapshots see commits up to `lsn`; the log is durable as far as [`TxnManager::note_commit`] said (X2).
    pub fn publish(&self, lsn: Lsn) {
        self.visible.fetch_max(lsn.0, Ordering::SeqCst);
    }

    /// What a new snapshot sees.
    #[inline]
    pub fn visible(&self) -> Lsn {
        Lsn(self.visible.load(Ordering::SeqCst))
    }

    /// A place to publish snapshots in.
    pub fn hold(self: &Arc<Self>) -> SnapshotHold {
        self.hold_of(0)
    }

    /// As [`TxnManager::hold`], for a session: different `owner`s mostly get places that are far from each other.
    pub fn hold_of(self: &Arc<Self>, owner: u32) -> SnapshotHold {
        let shard = owner as usize % HOLD_SHARDS;
        let mut cells = self.holds[shard].0.lock();
        let cell = cells.free.pop().unwrap_or_else(|| {
            let cell = Arc::new(HoldCell::default());
            cells.all.push(cell.clone());
            cell
        });
        SnapshotHold { cell, shard, manager: self.clone() }
    }

    /// No snapshot in use or to come is older than this (X3).
    pub fn oldest_snapshot(&self) -> Lsn {
        // Read `visible` first: a hold that is made or published later sees at least this much (see `SnapshotHold::take`).
        let visible = self.visible();
        sched::yield_point();
        let oldest_of = |holds: &Holds| {
            let cells = holds.0.lock();
            cells.all.iter().map(|c| c.0.load(Ordering::SeqCst)).filter(|&l| l != 0).min()
        };
        self.holds.iter().filter_map(oldest_of).min().map_or(visible, |l| visible.min(Lsn(l)))
    }
}

impl SnapshotHold {
    /// Publishes and returns the newest visible LSN.
    #[inline]
    pub fn take(&self) -> Lsn {
        loop {
            let lsn = self.manager.visible();
            // A schedule may put a commit and a purge here.
            sched::yield_point();
            // Zero means "none"; LSN 0 has no commits.
            self.cell.0.store(lsn.0.max(1), Ordering::SeqCst);
            // If `visible` moved, a purger may have missed our cell while computing its bound from the newer value.
            if self.manager.visible() == lsn {
                return lsn;
            }
        }
    }

    /// Keeps `lsn`, which some other hold has published, from being purged.
    pub fn keep(&self, lsn: Lsn) {
        self.cell.0.store(lsn.0.max(1), Ordering::SeqCst);
    }

    /// Lets go.
    #[inline]
    pub fn release(&self) {
        self.cell.0.store(0, Ordering::SeqCst);
    }
}

impl Drop for SnapshotHold {
    fn drop(&mut self) {
        self.release();
        self.manager.holds[self.shard].0.lock().free.push(self.cell.clone());
    }
}
