//! `PageVersions`: what the rows of one page looked like before.

mod chains;
mod spill;

use std::sync::Arc;

use smallvec::SmallVec;

use chains::Chains;

use crate::ids::Lsn;
use crate::lock::Mode;
use crate::txn::{Snapshot, TxnState};

/// The version map of a page. Exists only while some snapshot may need an older state, or some change is uncommitted.
#[derive(Default, Debug)]
pub struct PageVersions {
    /// Newest change first, per slot. Most rows are changed once: that takes no allocation.
    chains: Chains,
    /// Rows that came to be, where nothing else is remembered; sorted by first slot, disjoint.
    inserts: Vec<InsertRun>,
    /// Memory that all of this takes, about.
    bytes: usize,
    /// Of that, what the pool knows of.
    pub(crate) accounted: usize,
    /// Heap bytes that taking back the changes of a transaction may need, by transaction; those that have ended are forgotten now and then.
    reserved: SmallVec<[(Arc<TxnState>, usize); 1]>,
    /// Set while it is all elsewhere; then the page is not resident (B6).
    spilled: Option<Box<spill::Spilled>>,
}

/// What a version takes, about: itself and its share of the map.
const VERSION_BYTES: usize = size_of::<Version>() + 32;

/// A change of one row.
#[derive(Debug)]
pub struct Version {
    /// Who changed it.
    pub txn: Arc<TxnState>,
    /// In which of its commands.
    pub command: u32,
    /// LSN of the change's log record.
    pub lsn: Lsn,
    /// What it was.
    pub change: Change,
    /// Which row locks it conflicts with.
    pub mode: Mode,
    /// Heap bytes that taking it back may need (P1).
    pub reserve: u32,
    /// The change before, if anyone may need it.
    pub older: Option<Box<Version>>,
}

/// Columns as they were: `(column u16, old cell)*`. One of eight bytes, or two of four, take no allocation.
pub type Image = SmallVec<[u8; 16]>;

/// What a change did, with what it takes to undo it.
#[derive(Debug)]
pub enum Change {
    /// The row was not there before (only where a slot was reused within a chain).
    Insert,
    /// Columns changed: `(column u16, old cell)*`.
    Update(Image),
    /// The row was there.
    Delete,
}

impl Change {
    fn image_bytes(&self) -> usize {
        if let Change::Update(cells) = self { cells.len() } else { 0 }
    }
}

/// Consecutive slots inserted by one command.
#[derive(Debug, Clone)]
struct InsertRun {
    first: u16,
    count: u16,
    command: u32,
    /// LSN of the first row's log record.
    lsn: Lsn,
    txn: Arc<TxnState>,
}

impl InsertRun {
    fn end(&self) -> u32 {
        u32::from(self.first) + u32::from(self.count)
    }
}

/// How a snapshot sees a slot.
#[derive(Debug)]
pub enum Seen<'a> {
    /// As the page shows it.
    AsStored,
    /// Not at all, whatever the page shows.
    Absent,
    /// With these undone, newest first; the row is there whether or not the page says it is dead.
    Undo(Vec<&'a [u8]>),
}

impl PageVersions {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty() && self.inserts.is_empty() && self.spilled.is_none()
    }

    /// Memory it takes, about.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reserves heap bytes for `txn`.
    fn reserve(&mut self, txn: &Arc<TxnState>, bytes: u32) {
        if bytes == 0 || txn.commit_lsn().is_some() {
            return;
        }
        if let Some(entry) = self.reserved.iter_mut().rfind(|r| Arc::ptr_eq(&r.0, txn)) {
            entry.1 += bytes as usize;
            return;
        }
        self.reserved.retain(|r| r.0.commit_lsn().is_none());
        self.reserved.push((txn.clone(), bytes as usize));
    }

    /// A change was taken back: so is what was reserved for that.
    fn unreserve(&mut self, version: &Version) {
        if let Some(entry) = self.reserved.iter_mut().rfind(|r| Arc::ptr_eq(&r.0, &version.txn)) {
            entry.1 = entry.1.saturating_sub(version.reserve as usize);
        }
    }

    /// Slots for which something is remembered; insert runs as ranges.
    pub fn touched(&self) -> impl Iterator<Item = u16> + '_ {
        let runs = self.inserts.iter().flat_map(|r| (u32::from(r.first)..r.end()).map(|s| s as u16));
        self.chains.iter().map(|c| c.0).chain(runs.filter(|&s| self.chains.get(s).is_none()))
    }

    /// The newest remembered change of `slot`.
    pub fn newest(&self, slot: u16) -> Option<(&Arc<TxnState>, u32)> {
        match self.chains.get(slot) {
            Some(v) => Some((&v.txn, v.command)),
            None => self.run_of(slot).map(|r| (&r.txn, r.command)),
        }
    }

    /// The newest change of `slot` that is in a chain.
    pub fn chain(&self, slot: u16) -> Option<&Version> {
        self.chains.get(slot)
    }

    /// When the remembered changes of `slot` were committed, newest first; the end of time for those that are not.
    pub fn commits(&self, slot: u16) -> impl Iterator<Item = Lsn> + '_ {
        let chain = std::iter::successors(self.chain(slot), |v| v.older.as_deref());
        chain.map(|v| v.txn.commit_lsn().unwrap_or(Lsn(u64::MAX)))
    }

    fn run_of(&self, slot: u16) -> Option<&InsertRun> {
        let i = self.inserts.partition_point(|r| r.first <= slot).checked_sub(1)?;
        let run = &self.inserts[i];
        (u32::from(slot) < run.end()).then_some(run)
    }

    /// Remembers that `slot` was inserted.
    pub fn push_insert(&mut self, slot: u16, txn: &Arc<TxnState>, command: u32, lsn: Lsn) {
        if self.chains.get(slot).is_some() {
            self.push(slot, txn, command, lsn, (Change::Insert, 0), Mode::ForUpdate);
            return;
        }
        // Rows mostly come one behind the other.
        let i = match self.inserts.last() {
            Some(last) if last.first <= slot => self.inserts.len(),
            _ => self.inserts.partition_point(|r| r.first <= slot),
        };
        if let Some(last) = i.checked_sub(1).map(|i| &mut self.inserts[i])
            && last.end() == u32::from(slot)
            && last.command == command
            && Arc::ptr_eq(&last.txn, txn)
        {
            last.count += 1;
            return;
        }
        self.bytes += size_of::<InsertRun>();
        self.inserts.insert(i, InsertRun { first: slot, count: 1, command, lsn, txn: txn.clone() });
    }

    /// Remembers a change of `slot`, and how many heap bytes taking it back may need.
    pub fn push(
        &mut self,
        slot: u16,
        txn: &Arc<TxnState>,
        command: u32,
        lsn: Lsn,
        (change, reserve): (Change, u32),
        mode: Mode,
    ) {
        self.bytes += VERSION_BYTES + change.image_bytes();
        self.reserve(txn, reserve);
        let version = Version { txn: txn.clone(), command, lsn, change, mode, reserve, older: None };
        match self.chains.get_mut(slot) {
            None => self.chains.insert(slot, version),
            Some(head) => {
                let older = std::mem::replace(head, version);
                head.older = Some(Box::new(older));
            }
        }
    }

    /// Takes back the newest change of `slot`; `None` when that is an insert, whose run then lost the slot.
    pub fn pop(&mut self, slot: u16) -> Option<Change> {
        if let Some(mut head) = self.chains.remove(slot) {
            if let Some(older) = head.older.take() {
                self.chains.insert(slot, *older);
            }
            self.bytes = self.bytes.saturating_sub(VERSION_BYTES + head.change.image_bytes());
            self.unreserve(&head);
            return Some(head.change);
        }
        self.remove_from_run(slot);
        None
    }

    fn remove_from_run(&mut self, slot: u16) {
        let Some(i) = self.inserts.partition_point(|r| r.first <= slot).checked_sub(1) else { return };
        let run = self.inserts[i].clone();
        if u32::from(slot) >= run.end() {
            return;
        }
        let before = slot - run.first;
        let after = run.count - before - 1;
        let tail = InsertRun { first: slot + 1, count: after, ..run };
        self.inserts[i].count = before;
        if after > 0 {
            self.bytes += size_of::<InsertRun>();
            self.inserts.insert(i + 1, tail);
        }
        if before == 0 {
            self.bytes = self.bytes.saturating_sub(size_of::<InsertRun>());
            self.inserts.remove(i);
        }
    }

    /// How `snapshot` sees `slot`.
    pub fn see(&self, slot: u16, snapshot: &Snapshot) -> Seen<'_> {
        self.see_with(slot, |txn, command| snapshot.sees(txn, command))
    }

    /// How an observer sees `slot` for whom exactly the changes count of which `sees` is true.
    pub fn see_with(&self, slot: u16, sees: impl Fn(&TxnState, u32) -> bool) -> Seen<'_> {
        let mut undo = Vec::new();
        // Whether undoing made the slot empty at this point of its history.
        let mut absent = false;
        let mut undone = false;
        let mut next = self.chains.get(slot);
        while let Some(v) = next {
            if sees(&v.txn, v.command) {
                return match (absent, undone) {
                    (true, _) => Seen::Absent,
                    (false, false) => Seen::AsStored,
                    (false, true) => Seen::Undo(undo),
                };
            }
            undone = true;
            match &v.change {
                Change::Insert => absent = true,
                Change::Update(cells) => undo.push(&**cells),
                Change::Delete => absent = false,
            }
            next = v.older.as_deref();
        }
        if let Some(run) = self.run_of(slot)
            && !sees(&run.txn, run.command)
        {
            return Seen::Absent;
        }
        match (absent, undone) {
            (true, _) => Seen::Absent,
            (false, false) => Seen::AsStored,
            (false, true) => Seen::Undo(undo),
        }
    }

    /// Bytes of the page's heap that taking back every uncommitted change may need (P1).
    pub fn reserved_bytes(&self) -> usize {
        self.reserved.iter().filter(|r| r.0.commit_lsn().is_none()).map(|r| r.1).sum()
    }

    /// The smallest LSN of an uncommitted change; `None` when all are committed.
    pub fn first_uncommitted(&self) -> Option<Lsn> {
        let mut first: Option<Lsn> = None;
        let mut note = |lsn: Lsn| first = Some(first.map_or(lsn, |f| f.min(lsn)));
        for (_, head) in self.chains.iter() {
            let mut next = Some(head);
            while let Some(v) = next {
                if v.txn.commit_lsn().is_none() {
                    note(v.lsn);
                }
                next = v.older.as_deref();
            }
        }
        for run in &self.inserts {
            if run.txn.commit_lsn().is_none() {
                note(run.lsn);
            }
        }
        first
    }

    /// Slots whose deletion all snapshots from `oldest` on see.
    pub fn dead_since(&self, oldest: Lsn) -> impl Iterator<Item = u16> + '_ {
        let dead = move |v: &Version| {
            matches!(v.change, Change::Delete) && v.txn.commit_lsn().is_some_and(|lsn| lsn <= oldest)
        };
        self.chains.iter().filter(move |(_, v)| dead(v)).map(|(slot, _)| slot)
    }

    /// Makes room for changes of `count` more rows.
    pub fn expect(&mut self, count: usize) {
        self.chains.reserve(count);
    }

    /// Forgets what no snapshot from `oldest` on needs (I6, X3). Calls `dead` for every slot whose deletion is now seen by all, and
    /// `old` for the before-image of every update that is forgotten.
    pub fn prune(&mut self, oldest: Lsn, mut dead: impl FnMut(u16), mut old: impl FnMut(&[u8])) {
        let settled = |txn: &TxnState| txn.commit_lsn().is_some_and(|lsn| lsn <= oldest);
        let bytes = &mut self.bytes;
        let mut forget = |mut chain: Option<&Version>| {
            while let Some(v) = chain {
                let image = v.change.image_bytes();
                *bytes = bytes.saturating_sub(VERSION_BYTES + image);
                if let Change::Update(cells) = &v.change {
                    old(cells);
                }
                chain = v.older.as_deref();
            }
        };
        self.inserts.retain(|run| !settled(&run.txn));
        self.reserved.retain(|r| r.0.commit_lsn().is_none());
        self.chains.retain(|slot, head| {
            if settled(&head.txn) {
                forget(Some(head));
                if matches!(head.change, Change::Delete) {
                    dead(slot);
                }
                return false;
            }
            let mut at = head;
            loop {
                match &at.older {
                    None => break,
                    Some(older) if settled(&older.txn) => {
                        forget(Some(older));
                        at.older = None;
                        break;
                    }
                    Some(_) => at = at.older.as_mut().expect("just seen"),
                }
            }
            true
        });
        if self.is_empty() {
            self.bytes = 0;
        }
    }
}
