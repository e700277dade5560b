//! `LockManager`: the table of locks, its queues, and the search for deadlocks.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use env::sync::Mutex;
use env::waiting::Wait;

use super::interrupt::Interrupt;
use super::mode::{Mode, Tag};
use super::weak::{self, Notes, Noting, WeakLocks};
use crate::error::{Error, Result};

/// Who holds or wants a lock: one per session. Errors name it as a process id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct OwnerId(pub u32);

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitPolicy {
    /// Until granted, or for `lock_timeout` milliseconds when that is not 0.
    Wait(u32),
    /// Not at all (NOWAIT, SKIP LOCKED).
    NoWait,
}

/// One row of `pg_locks`.
#[derive(Clone, Debug)]
pub struct HeldLock {
    /// What.
    pub tag: Tag,
    /// Who.
    pub owner: OwnerId,
    /// How.
    pub mode: Mode,
    /// Whether it is held, or waited for.
    pub granted: bool,
}

const SHARDS: usize = 16;

/// All locks of one engine.
pub struct LockManager {
    shards: [Mutex<HashMap<Tag, Entry>>; SHARDS],
    weak: WeakLocks,
    /// What each sleeping owner waits for; latched while looking for cycles, so that one of two sees the other.
    waiting: Mutex<HashMap<OwnerId, (Tag, Mode)>>,
    row_locks: AtomicUsize,
    tickets: AtomicU64,
}

#[derive(Default)]
struct Entry {
    granted: Vec<(OwnerId, Mode, u32)>,
    queue: VecDeque<Waiter>,
}

struct Waiter {
    ticket: u64,
    owner: OwnerId,
    mode: Mode,
    granted: Arc<AtomicBool>,
    interrupt: Arc<Interrupt>,
}

impl Entry {
    fn conflicts(&self, owner: OwnerId, mode: Mode) -> bool {
        self.granted.iter().any(|&(o, m, _)| o != owner && m.conflicts(mode))
    }

    fn holds(&self, owner: OwnerId) -> bool {
        self.granted.iter().any(|g| g.0 == owner)
    }

    /// L1: the caller made sure that nothing conflicts.
    fn grant(&mut self, owner: OwnerId, mode: Mode) {
        debug_assert!(!self.conflicts(owner, mode), "L1");
        match self.granted.iter_mut().find(|g| g.0 == owner && g.1 == mode) {
            Some(g) => g.2 += 1,
            None => self.granted.push((owner, mode, 1)),
        }
    }

    /// Grants to every waiter that conflicts with no holder and with no waiter before it (L2). To stop at the first that must wait would let
    /// others wait for it whom `search` does not see waiting.
    fn promote(&mut self) {
        let mut at = 0;
        while let Some(waiter) = self.queue.get(at) {
            let behind = self.queue.range(..at).any(|w| w.mode.conflicts(waiter.mode));
            if behind || self.conflicts(waiter.owner, waiter.mode) {
                at += 1;
                continue;
            }
            let waiter = self.queue.remove(at).expect("just seen");
            self.grant(waiter.owner, waiter.mode);
            waiter.granted.store(true, Ordering::Release);
            waiter.interrupt.nudge();
        }
    }
}

impl Default for LockManager {
    fn default() -> LockManager {
        LockManager {
            shards: std::array::from_fn(|_| Mutex::default()),
            weak: WeakLocks::default(),
            waiting: Mutex::default(),
            row_locks: AtomicUsize::new(0),
            tickets: AtomicU64::new(0),
        }
    }
}

impl LockManager {
    fn shard(&self, tag: &Tag) -> &Mutex<HashMap<Tag, Entry>> {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        let h = BuildHasherDefault::<DefaultHasher>::default().hash_one(tag);
        &self.shards[h as usize % SHARDS]
    }

    /// Whether anyone may hold a lock on a row. Asked under the row's page latch (see `table::write`).
    #[inline]
    pub fn has_row_locks(&self) -> bool {
        self.row_locks.load(Ordering::SeqCst) != 0
    }

    /// Where a transaction of `owner` notes weak locks. To be given back with [`LockManager::forget`].
    pub fn notes(&self, owner: OwnerId) -> Arc<Notes> {
        self.weak.notes(owner)
    }

    /// The transaction of these notes is no more, and has released its locks.
    pub fn forget(&self, notes: &Arc<Notes>) {
        self.weak.forget(notes);
    }

    /// As [`LockManager::acquire`], for the transaction with these notes, which does not hold the lock; to be released with
    /// [`LockManager::release_noted`].
    ///
    /// # Errors
    /// As [`LockManager::acquire`].
    #[inline]
    pub fn acquire_noted(
        &self,
        notes: &Notes,
        tag: Tag,
        mode: Mode,
        policy: WaitPolicy,
        interrupt: &Arc<Interrupt>,
    ) -> Result<()> {
        match self.weak.note(notes, &tag, mode) {
            Noting::Held => Ok(()),
            Noting::Refused => self.acquire(tag, mode, notes.owner(), policy, interrupt),
        }
    }

    /// Gives back what [`LockManager::acquire_noted`] took.
    #[inline]
    pub fn release_noted(&self, notes: &Notes, tag: Tag, mode: Mode) {
        if !notes.release(&tag, mode) {
            self.release(tag, mode, notes.owner());
        }
    }

    /// Takes `mode` of `tag` for `owner`; taken twice, it must be released twice.
    ///
    /// # Errors
    /// `LockNotAvailable` (NOWAIT), `LockTimeout`, `Deadlock`, `Interrupted`.
    pub fn acquire(
        &self,
        tag: Tag,
        mode: Mode,
        owner: OwnerId,
        policy: WaitPolicy,
        interrupt: &Arc<Interrupt>,
    ) -> Result<()> {
        let is_row = matches!(tag, Tag::Row(..));
        let is_strong = weak::is_strong(&tag, mode);
        if is_row {
            self.row_locks.fetch_add(1, Ordering::SeqCst);
        }
        if is_strong {
            self.weak.forbid(&tag);
        }
        let outcome = self.acquire_inner(tag, mode, owner, policy, interrupt);
        if outcome.is_err() {
            if is_row {
                self.row_locks.fetch_sub(1, Ordering::SeqCst);
            }
            if is_strong {
                self.weak.permit(&tag);
            }
        }
        outcome
    }

    fn acquire_inner(
        &self,
        tag: Tag,
        mode: Mode,
        owner: OwnerId,
        policy: WaitPolicy,
        interrupt: &Arc<Interrupt>,
    ) -> Result<()> {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let granted = Arc::new(AtomicBool::new(false));
        {
            let mut shard = self.shard(&tag).lock();
            let entry = shard.entry(tag).or_default();
            if weak::is_strong(&tag, mode) {
                let noted = self.weak.take(&tag, |owner, mode| !entry.conflicts(owner, mode));
                noted.into_iter().for_each(|(owner, mode)| entry.grant(owner, mode));
            }
            // Whoever waits already goes first, unless we hold something here: then waiting behind them could never end.
            let fair = entry.holds(owner) || entry.queue.iter().all(|w| !w.mode.conflicts(mode));
            if fair && !entry.conflicts(owner, mode) {
                entry.grant(owner, mode);
                return Ok(());
            }
            if policy == WaitPolicy::NoWait {
                if entry.granted.is_empty() && entry.queue.is_empty() {
                    shard.remove(&tag);
                }
                return Err(Error::LockNotAvailable);
            }
            let waiter = Waiter { ticket, owner, mode, granted: granted.clone(), interrupt: interrupt.clone() };
            if entry.holds(owner) {
                entry.queue.push_front(waiter);
            } else {
                entry.queue.push_back(waiter);
            }
        }
        let cycle = {
            let mut waiting = self.waiting.lock();
            waiting.insert(owner, (tag, mode));
            self.find_cycle(owner, &waiting)
        };
        let outcome = match cycle {
            Some(cycle) => Err(Error::Deadlock(cycle)),
            None => {
                let until = match policy {
                    WaitPolicy::Wait(ms) if ms > 0 => interrupt.clock().monotonic_nanos() + u64::from(ms) * 1_000_000,
                    _ => 0,
                };
                let answer = interrupt.wait(Wait::Lock, until, || granted.load(Ordering::Acquire).then_some(()));
                answer.and_then(|a| a.ok_or(Error::LockTimeout))
            }
        };
        self.waiting.lock().remove(&owner);
        if let Err(e) = outcome {
            let mut shard = self.shard(&tag).lock();
            if granted.load(Ordering::Acquire) {
                // Granted at the last moment: the caller will not know of it, so give it back.
                drop(shard);
                self.release_inner(tag, mode, owner);
            } else if let Some(entry) = shard.get_mut(&tag) {
                entry.queue.retain(|w| w.ticket != ticket);
                entry.promote();
                if entry.granted.is_empty() && entry.queue.is_empty() {
                    shard.remove(&tag);
                }
            }
            return Err(e);
        }
        Ok(())
    }

    /// Gives back one `mode` of `tag`.
    pub fn release(&self, tag: Tag, mode: Mode, owner: OwnerId) {
        if !self.release_inner(tag, mode, owner) {
            return;
        }
        if matches!(tag, Tag::Row(..)) {
            self.row_locks.fetch_sub(1, Ordering::SeqCst);
        }
        if weak::is_strong(&tag, mode) {
            self.weak.permit(&tag);
        }
    }

    fn release_inner(&self, tag: Tag, mode: Mode, owner: OwnerId) -> bool {
        let mut shard = self.shard(&tag).lock();
        let Some(entry) = shard.get_mut(&tag) else { return false };
        let Some(i) = entry.granted.iter().position(|g| g.0 == owner && g.1 == mode) else { return false };
        entry.granted[i].2 -= 1;
        if entry.granted[i].2 == 0 {
            entry.granted.swap_remove(i);
            entry.promote();
        }
        if entry.granted.is_empty() && entry.queue.is_empty() {
            shard.remove(&tag);
        }
        true
    }

    /// Looks for a way from what `start` waits for back to `start` (L3); describes it as PostgreSQL does.
    fn find_cycle(&self, start: OwnerId, waiting: &HashMap<OwnerId, (Tag, Mode)>) -> Option<String> {
        let mut path: Vec<(OwnerId, Tag, Mode, OwnerId)> = Vec::new();
        let mut visited = std::collections::HashSet::new();
        self.search(start, start, waiting, &mut visited, &mut path).then(|| {
            let lines: Vec<String> = path
                .iter()
                .rev()
                .map(|(who, tag, mode, by)| {
                    format!("Process {} waits for {} on {tag}; blocked by process {}.", who.0, mode.name(), by.0)
                })
                .collect();
            lines.join("\n")
        })
    }

    fn search(
        &self,
        at: OwnerId,
        start: OwnerId,
        waiting: &HashMap<OwnerId, (Tag, Mode)>,
        visited: &mut std::collections::HashSet<OwnerId>,
        path: &mut Vec<(OwnerId, Tag, Mode, OwnerId)>,
    ) -> bool {
        let Some(&(tag, mode)) = waiting.get(&at) else { return false };
        let blockers: Vec<OwnerId> = {
            let shard = self.shard(&tag).lock();
            let Some(entry) = shard.get(&tag) else { return false };
            // Granted already, but not yet awake: it waits for nobody.
            if !entry.queue.iter().any(|w| w.owner == at) {
                return false;
            }
            let holders = entry.granted.iter().filter(|g| g.0 != at && g.1.conflicts(mode)).map(|g| g.0);
            let ahead = entry.queue.iter().take_while(|w| w.owner != at).filter(|w| w.mode.conflicts(mode));
            holders.chain(ahead.map(|w| w.owner)).collect()
        };
        for blocker in blockers {
            let found =
                blocker == start || visited.insert(blocker) && self.search(blocker, start, waiting, visited, path);
            if found {
                path.push((at, tag, mode, blocker));
                return true;
            }
        }
        false
    }

    /// Whom an owner waits for: who holds what it wants, and who waits for that before it.
    pub fn blockers(&self, waiter: OwnerId) -> Vec<OwnerId> {
        for shard in &self.shards {
            for entry in shard.lock().values() {
                let Some(own) = entry.queue.iter().find(|w| w.owner == waiter) else { continue };
                let holders = entry.granted.iter().filter(|g| g.0 != waiter && g.1.conflicts(own.mode)).map(|g| g.0);
                let ahead = entry.queue.iter().take_while(|w| w.owner != waiter).filter(|w| w.mode.conflicts(own.mode));
                let mut found: Vec<OwnerId> = holders.chain(ahead.map(|w| w.owner)).collect();
                found.sort_unstable();
                found.dedup();
                return found;
            }
        }
        Vec::new()
    }

    /// Every lock held or waited for.
    pub fn list(&self) -> Vec<HeldLock> {
        let noted = self.weak.list().into_iter();
        let mut all: Vec<HeldLock> =
            noted.map(|(owner, tag, mode)| HeldLock { tag, owner, mode, granted: true }).collect();
        for shard in &self.shards {
            for (&tag, entry) in &*shard.lock() {
                all.extend(entry.granted.iter().map(|&(owner, mode, _)| HeldLock { tag, owner, mode, granted: true }));
                all.extend(entry.queue.iter().map(|w| HeldLock { tag, owner: w.owner, mode: w.mode, granted: false }));
            }
        }
        all.sort_by_key(|l| (l.tag, l.owner, l.mode));
        all
    }
}
