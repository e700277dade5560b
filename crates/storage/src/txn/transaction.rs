//! `Transaction`: what one transaction wrote and holds, and how it ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::held::HeldLocks;
use super::manager::SnapshotHold;
use super::snapshot::{Snapshot, TxnState};
use crate::database::Database;
use crate::engine::Shared;
use crate::error::Result;
use crate::ids::{DbId, Lsn, RelId, RowId, Xid};
use crate::lock::{Interrupt, Mode, Notes, OwnerId, Tag, WaitPolicy};
use crate::purge::{Finished, Obsolete, ObsoleteLog};
use crate::relation::Relation;
use crate::table::Table;
use crate::wal::Record;

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteKind {
    /// Rows appeared.
    Insert,
    /// A row changed.
    Update,
    /// A row was deleted.
    Delete,
}

/// Consecutive rows that one kind of write touched, in the order of writing.
#[derive(Clone, Copy, Debug)]
pub struct WriteMark {
    /// Index into the transaction's list of tables.
    pub table: u32,
    /// The page.
    pub block: u32,
    /// The first row.
    pub slot: u16,
    /// How many.
    pub count: u16,
    /// What happened to them.
    pub kind: WriteKind,
}

/// Tables that a transaction wrote to, and what it did there: most write one row.
pub(crate) type Tables = SmallVec<[Table; 1]>;
/// In the order of writing.
pub(crate) type Writes = SmallVec<[WriteMark; 2]>;

/// A point to which a transaction can go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savepoint(usize);

#[derive(Default)]
struct Level {
    xid: Option<Xid>,
    writes: usize,
    locks: usize,
    created: usize,
    dropped: usize,
    obsolete: u64,
    merged: usize,
}

/// Room for encoding that is kept from one transaction to the next.
const SCRATCH_KEPT_BYTES: usize = 64 << 10;

/// The turn of one who waits for a row: while it lasts, nobody else waits for the row's transaction.
pub struct Turn {
    shared: Arc<Shared>,
    tag: Tag,
    owner: OwnerId,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.shared.locks.release(self.tag, Mode::Exclusive, self.owner);
    }
}

/// A running transaction. Dropping it rolls it back.
pub struct Transaction {
    shared: Arc<Shared>,
    owner: OwnerId,
    interrupt: Arc<Interrupt>,
    hold: SnapshotHold,
    state: Option<Arc<TxnState>>,
    levels: Vec<Level>,
    /// Numbers of released subtransactions.
    merged: Vec<Xid>,
    tables: Tables,
    writes: Writes,
    locks: HeldLocks,
    /// Those of them that are noted.
    notes: Arc<Notes>,
    created: Vec<(Arc<Database>, Arc<Relation>)>,
    dropped: Vec<(Arc<Database>, Arc<Relation>)>,
    obsolete: ObsoleteLog,
    command: u32,
    /// The newest commit whose changes it has built on: it may not be durable yet (X5).
    built_on: Lsn,
    /// How long it waits for a lock, in milliseconds; 0: for ever.
    lock_timeout_ms: u32,
    /// Reused for encoding log records.
    pub(crate) scratch: Vec<u8>,
    ended: bool,
}

impl Transaction {
    /// Starts a transaction for session `owner`, whose waits end when `interrupt` says so.
    pub(crate) fn new(shared: Arc<Shared>, owner: OwnerId, interrupt: Arc<Interrupt>) -> Transaction {
        let (hold, notes) = (shared.txns.hold_of(owner.0), shared.locks.notes(owner));
        Transaction {
            notes,
            shared,
            owner,
            interrupt,
            hold,
            state: None,
            levels: Vec::new(),
            merged: Vec::new(),
            tables: Tables::new(),
            writes: Writes::new(),
            locks: HeldLocks::default(),
            created: Vec::new(),
            dropped: Vec::new(),
            obsolete: ObsoleteLog::default(),
            command: 1,
            built_on: Lsn(0),
            lock_timeout_ms: 0,
            scratch: Vec::new(),
            ended: false,
        }
    }

    /// The session it belongs to.
    pub fn owner(&self) -> OwnerId {
        self.owner
    }

    /// What stops it.
    pub fn interrupt(&self) -> &Arc<Interrupt> {
        &self.interrupt
    }

    /// Says how long it waits for a lock, and changes of rows for those who have locked them, in milliseconds; 0: for ever.
    pub fn set_lock_timeout(&mut self, ms: u32) {
        self.lock_timeout_ms = ms;
    }

    /// How it waits for locks where nothing else is said.
    pub fn lock_policy(&self) -> WaitPolicy {
        WaitPolicy::Wait(self.lock_timeout_ms)
    }

    /// Takes a new snapshot of what is committed now; the one before is no longer protected from purging.
    #[inline]
    pub fn snapshot(&mut self) -> Snapshot {
        let lsn = self.hold.take().max(self.built_on);
        self.snapshot_at(lsn)
    }

    /// A snapshot of `lsn`, which the caller protects, as of the current command.
    #[inline]
    pub fn snapshot_at(&self, lsn: Lsn) -> Snapshot {
        Snapshot { lsn, own: self.state.clone(), command: self.command }
    }

    /// Gives up the protection of the last snapshot, between statements of READ COMMITTED.
    pub fn release_snapshot(&self) {
        self.hold.release();
    }

    /// The running command's number: its own changes are seen by later ones.
    pub fn command(&self) -> u32 {
        self.command
    }

    /// Starts the next command: from now on what the last one wrote is seen.
    #[inline]
    pub fn next_command(&mut self) {
        self.command += 1;
    }

    /// Whether it wrote anything.
    pub fn has_written(&self) -> bool {
        self.state.is_some()
    }

    /// Its number, if it wrote.
    pub fn xid(&self) -> Option<Xid> {
        self.state.as_ref().map(|s| s.xid)
    }

    /// Itself as others see it; it gets a number now if it has none. Snapshots taken before do not know it as their own:
    /// writers call this before taking theirs.
    ///
    /// # Errors
    /// `Poisoned`.
    pub fn writer(&mut self) -> Result<Arc<TxnState>> {
        self.begin_writing().cloned()
    }

    /// As [`Transaction::writer`], lent: whoever writes row after row need not count its handles.
    ///
    /// # Errors
    /// As [`Transaction::writer`].
    pub fn begin_writing(&mut self) -> Result<&Arc<TxnState>> {
        if self.state.is_none() {
            self.shared.poison.check()?;
            let state = self.shared.txns.start(|| self.shared.log.end_lsn());
            let tag = Tag::Transaction(state.xid);
            self.shared.locks.acquire_noted(&self.notes, tag, Mode::Exclusive, WaitPolicy::Wait(0), &self.interrupt)?;
            self.state = Some(state);
        }
        Ok(self.state.as_ref().expect("just begun"))
    }

    /// The number that log records of the innermost level carry.
    pub(crate) fn record_xid(&mut self) -> Result<Xid> {
        let xid = self.begin_writing()?.xid;
        match self.levels.last_mut() {
            None => Ok(xid),
            Some(level) => Ok(*level.xid.get_or_insert_with(|| self.shared.txns.new_sub_xid())),
        }
    }

    fn table_index(&mut self, table: &Table) -> u32 {
        // Nearly always the last one used.
        match self.tables.iter().rposition(|t| Arc::ptr_eq(t.rel(), table.rel())) {
            Some(i) => i as u32,
            None => {
                self.tables.push(table.clone());
                self.tables.len() as u32 - 1
            }
        }
    }

    pub(crate) fn mark(&mut self, table: &Table, row: RowId, kind: WriteKind) {
        let index = self.table_index(table);
        let floor = self.levels.last().map_or(0, |l| l.writes);
        if self.writes.len() > floor
            && let Some(last) = self.writes.last_mut()
            && (last.table, last.block, last.kind) == (index, row.block, kind)
            && u32::from(last.slot) + u32::from(last.count) == u32::from(row.slot)
        {
            last.count += 1;
            return;
        }
        self.writes.push(WriteMark { table: index, block: row.block, slot: row.slot, count: 1, kind });
    }

    /// Notes an index entry that nobody needs once this transaction has committed (`on_commit`) or was rolled back.
    pub fn note_obsolete(
        &mut self,
        db: &Arc<Database>,
        index: &Arc<Relation>,
        key: &[u8],
        row: RowId,
        on_commit: bool,
    ) {
        let sequence = self.shared.purge.next_sequence();
        self.obsolete.push(&Obsolete { db, index, key, row, on_commit, sequence });
    }

    /// A transaction for another thread that reads beside this one, with its snapshots, and stops when it is to stop. This one must outlive it.
    pub fn companion(&self) -> Transaction {
        Transaction::new(self.shared.clone(), self.owner, self.interrupt.clone())
    }

    /// Takes a lock until the transaction, or the savepoint it was taken under, ends.
    ///
    /// # Errors
    /// As [`crate::lock::LockManager::acquire`].
    #[inline]
    pub fn lock(&mut self, tag: Tag, mode: Mode, policy: WaitPolicy) -> Result<()> {
        if self.locks.contains((tag, mode)) {
            return Ok(());
        }
        self.shared.locks.acquire_noted(&self.notes, tag, mode, policy, &self.interrupt)?;
        self.locks.push((tag, mode));
        Ok(())
    }

    /// Whether it has taken `mode` of `tag` with [`Transaction::lock`].
    pub fn holds(&self, tag: Tag, mode: Mode) -> bool {
        self.locks.contains((tag, mode))
    }

    /// Waits until `other` has ended and, if it has committed, until new snapshots see that.
    ///
    /// # Errors
    /// `Deadlock`, `Interrupted`, `LockNotAvailable`, `LockTimeout`; `Poisoned` when the log cannot be written.
    pub fn wait_for(&self, other: &TxnState, policy: WaitPolicy) -> Result<()> {
        self.wait_for_end(other, policy)?;
        other.commit_lsn().map_or(Ok(()), |lsn| self.make_visible(lsn))
    }

    /// As [`Transaction::wait_for`], but what `other` has committed need not be durable yet: later snapshots of this transaction see it all
    /// the same, and whatever it answers waits for that (X5). Whether it has committed.
    ///
    /// # Errors
    /// As [`Transaction::wait_for`].
    pub fn build_on(&mut self, other: &TxnState, policy: WaitPolicy) -> Result<bool> {
        self.wait_for_end(other, policy)?;
        let committed = other.commit_lsn();
        self.built_on = self.built_on.max(committed.unwrap_or(Lsn(0)));
        Ok(committed.is_some())
    }

    /// Waits for its turn among those who wait for a row (L5); it has it until what is answered is dropped.
    ///
    /// # Errors
    /// As [`crate::lock::LockManager::acquire`].
    pub fn take_turn(&self, table: &Table, row: RowId, policy: WaitPolicy) -> Result<Turn> {
        let tag = Tag::Turn(table.db().id, table.rel().id, row);
        self.shared.locks.acquire(tag, Mode::Exclusive, self.owner, policy, &self.interrupt)?;
        Ok(Turn { shared: self.shared.clone(), tag, owner: self.owner })
    }

    /// Returns when all that this transaction has built on is durable (X5).
    ///
    /// # Errors
    /// `Poisoned` when the log cannot be written.
    pub fn settle(&self) -> Result<()> {
        if self.built_on == Lsn(0) { Ok(()) } else { self.make_visible(self.built_on) }
    }

    /// Has new snapshots see the commit at `lsn`, which must be durable for that.
    fn make_visible(&self, lsn: Lsn) -> Result<()> {
        if self.shared.txns.visible() < lsn {
            self.shared.log.sync_to(lsn)?;
            self.shared.txns.publish(lsn);
        }
        Ok(())
    }

    fn wait_for_end(&self, other: &TxnState, policy: WaitPolicy) -> Result<()> {
        let tag = Tag::Transaction(other.xid);
        self.shared.locks.acquire(tag, Mode::Share, self.owner, policy, &self.interrupt)?;
        self.shared.locks.release(tag, Mode::Share, self.owner);
        // A commit that failed half-way has ended, but will never be visible: who waited must not try again for ever.
        self.shared.poison.check()
    }

    pub(crate) fn note_created(&mut self, db: Arc<Database>, rel: Arc<Relation>) {
        self.created.push((db, rel));
    }

    pub(crate) fn note_dropped(&mut self, db: Arc<Database>, rel: Arc<Relation>) {
        self.dropped.push((db, rel));
    }

    /// Whether this transaction made relation `id` of `db`.
    pub fn created(&self, db: &Database, id: RelId) -> bool {
        self.created.iter().any(|(d, r)| d.id == db.id && r.id == id)
    }

    /// Starts a subtransaction.
    pub fn savepoint(&mut self) -> Savepoint {
        self.levels.push(Level {
            xid: None,
            writes: self.writes.len(),
            locks: self.locks.len(),
            created: self.created.len(),
            dropped: self.dropped.len(),
            obsolete: self.obsolete.position(),
            merged: self.merged.len(),
        });
        Savepoint(self.levels.len() - 1)
    }

    /// Ends `savepoint` and those within it, keeping what was done.
    pub fn release(&mut self, savepoint: Savepoint) {
        for level in self.levels.drain(savepoint.0..) {
            self.merged.extend(level.xid);
        }
    }

    /// Undoes what was done since `savepoint` and ends it and those within it. Locks taken since are released.
    ///
    /// # Errors
    /// `Io`, `Corrupt` or `Poisoned` from reading pages back; the engine is poisoned then, since the rows are half undone.
    pub fn rollback_to(&mut self, savepoint: Savepoint) -> Result<()> {
        let mut levels = self.levels.drain(savepoint.0..);
        let Some(first) = levels.next() else { return Ok(()) };
        drop(levels);
        self.merged.truncate(first.merged);
        self.undo(&first)
    }

    fn undo(&mut self, to: &Level) -> Result<()> {
        let outcome = self.undo_writes(to.writes);
        if let Err(e) = &outcome
            && !self.shared.poison.is_set()
        {
            self.shared.poison.set(&format!("a rollback failed: {e}"));
        }
        for (db, rel) in self.created.drain(to.created..) {
            db.forget(&rel);
        }
        self.dropped.truncate(to.dropped);
        match self.obsolete.split_off(to.obsolete) {
            Ok(obsolete) if !obsolete.has_any(false) => {}
            Ok(obsolete) => {
                let lsn = self.shared.txns.visible();
                let obsolete = Some(Box::new(obsolete));
                let finished =
                    Finished { lsn, tables: Tables::new(), writes: Writes::new(), obsolete, committed: false };
                self.shared.purge.push(finished);
            }
            Err(e) => drop(self.shared.poison.set(&format!("a rollback failed: {e}"))),
        }
        for (tag, mode) in self.locks.drain_from(to.locks) {
            self.shared.locks.release_noted(&self.notes, tag, mode);
        }
        outcome
    }

    fn undo_writes(&mut self, to: usize) -> Result<()> {
        while self.writes.len() > to {
            let mark = self.writes.pop().expect("longer than `to`");
            let table = self.tables[mark.table as usize].clone();
            if table.rel().dropped.load(Ordering::Acquire) {
                continue;
            }
            table.undo(&mark)?;
            table.rel().count_undone(mark.kind, mark.count.into());
        }
        Ok(())
    }

    /// Commits. With `wait`, returns once the commit is durable (I5); without, it waits only for commits before it that must be (X2).
    ///
    /// # Errors
    /// `Poisoned` when the log could not be written: whether it committed is known after reopening.
    pub fn commit(mut self, wait: bool) -> Result<()> {
        self.commit_with(wait, |_| ())
    }

    /// As [`Transaction::commit`]; `visible` runs with the commit's LSN when new snapshots see it, before any lock on a relation is
    /// released. What is left may [begin again](Transaction::begin_again).
    ///
    /// # Errors
    /// As [`Transaction::commit`].
    pub fn commit_with(&mut self, wait: bool, visible: impl FnOnce(Lsn)) -> Result<()> {
        self.ended = true;
        if self.state.is_none() && self.levels.is_empty() {
            // It has only read.
            let outcome = self.settle();
            self.release_locks();
            return outcome;
        }
        self.levels.drain(..).for_each(|l| self.merged.extend(l.xid));
        let mut outcome = Ok(());
        if let Some(state) = self.state.take() {
            let shared = &self.shared;
            let subs = std::mem::take(&mut self.merged);
            let mut durable_first = Lsn(0);
            let logged = shared.log.append_with(state.xid, &Record::Commit { subs }, |lsn| {
                state.set_commit_lsn(lsn);
                durable_first = shared.txns.note_commit(lsn, wait);
            });
            let released = logged.is_ok();
            if released {
                // X5: whoever waits for a row may go on before the disk has the commit; locks of relations stay.
                shared.locks.release_noted(&self.notes, Tag::Transaction(state.xid), Mode::Exclusive);
            }
            let published = logged.and_then(|lsn| {
                // X2. Without `wait` this is nearly always durable already; else it joins the sync of those who wait.
                shared.log.sync_to(durable_first)?;
                shared.txns.publish(lsn);
                visible(lsn);
                Ok(lsn)
            });
            outcome = published.map(|lsn| self.after_commit(lsn));
            let shared = &self.shared;
            shared.txns.end(state.xid);
            if !released {
                shared.locks.release_noted(&self.notes, Tag::Transaction(state.xid), Mode::Exclusive);
            }
        }
        self.release_locks();
        self.forget();
        outcome
    }

    /// Whether it has written to tables of database `db`.
    pub fn has_written_to(&self, db: DbId) -> bool {
        self.tables.iter().any(|table| table.db().id == db)
    }

    /// A new transaction of the same session, in the memory of this one, which has ended.
    ///
    /// # Panics
    /// When it has not.
    #[inline]
    pub fn begin_again(&mut self) {
        assert!(self.ended, "a running transaction cannot begin again");
        self.command = 1;
        self.built_on = Lsn(0);
        self.ended = false;
    }

    /// Forgets what was done: it has ended, and others must not be kept from freeing what it used.
    fn forget(&mut self) {
        self.levels.clear();
        self.merged.clear();
        self.tables.clear();
        self.writes.clear();
        self.created.clear();
        self.dropped.clear();
        if !self.obsolete.is_empty() {
            self.obsolete = ObsoleteLog::default();
        }
        if self.scratch.capacity() > SCRATCH_KEPT_BYTES {
            self.scratch = Vec::new();
        }
    }

    fn after_commit(&mut self, lsn: Lsn) {
        for (_, rel) in self.created.drain(..) {
            *rel.creator.lock() = None;
            rel.touch();
        }
        for (db, rel) in self.dropped.drain(..) {
            db.forget(&rel);
        }
        let obsolete = self.obsolete.has_any(true).then(|| Box::new(std::mem::take(&mut self.obsolete)));
        let writes = std::mem::take(&mut self.writes);
        for run in writes.chunk_by(|a, b| (a.table, a.kind) == (b.table, b.kind)) {
            let rows = run.iter().map(|mark| u64::from(mark.count)).sum();
            self.tables[run[0].table as usize].rel().count(run[0].kind, rows);
        }
        if !writes.is_empty() || obsolete.is_some() {
            let tables = std::mem::take(&mut self.tables);
            self.shared.purge.push(Finished { lsn, tables, writes, obsolete, committed: true });
        }
    }

    /// Rolls back.
    ///
    /// # Errors
    /// As [`Transaction::rollback_to`].
    pub fn rollback(mut self) -> Result<()> {
        self.rollback_inner()
    }

    fn rollback_inner(&mut self) -> Result<()> {
        self.ended = true;
        self.levels.clear();
        // X5: what its client is told, if only that it failed, may rest on them.
        let settled = self.settle();
        let outcome = self.undo(&Level::default()).and(settled);
        if let Some(state) = self.state.take() {
            self.shared.txns.end(state.xid);
            self.shared.locks.release_noted(&self.notes, Tag::Transaction(state.xid), Mode::Exclusive);
        }
        self.release_locks();
        outcome
    }

    #[inline]
    fn release_locks(&mut self) {
        self.hold.release();
        for (tag, mode) in self.locks.drain_from(0) {
            self.shared.locks.release_noted(&self.notes, tag, mode);
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.ended {
            // A failure here has poisoned the engine, which the next statement reports.
            let _ = self.rollback_inner();
        }
        self.shared.locks.forget(&self.notes);
    }
}
