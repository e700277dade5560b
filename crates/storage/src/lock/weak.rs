//! `WeakLocks`: modes that statements take all the time and that never conflict with each other, kept apart by transaction.
//!
//! Reading and writing statements lock their tables in modes that conflict only with DDL's; and who writes locks its own transaction, for others to wait
//! for. So that this costs two atomic operations and sessions on different cores do not meet, such a lock is a word in [`Notes`] of the transaction, which
//! it alone fills, as long as nobody wants a stronger mode of the relation, or waits for the transaction.
//! Whoever does says so first ([`WeakLocks::forbid`]), which moves what is noted to the lock table proper.
//!
//! Invariants
//!   L6  A noted lock is held, once its noter has seen nobody forbid it: the noter writes its word and then looks at the count, who forbids it
//!       counts itself and then looks at the words. So of the two either the noter sees the count, or the mover finds the note. (`note`, `take`)
//!   L7  A word is emptied once: by its noter, who gives the lock back, or by a mover, after whom it is in the lock table. Who finds its word
//!       empty holds the lock there.                                                               (`Notes::empty`)
//!   L8  A mover leaves a note that conflicts with a lock held in the table: it is not held. Whoever holds that lock counted itself before it
//!       looked at the words, and was there when the mover looked; so the noter sees a count, the holder's or the mover's, or both are gone. (`take`)
//!
//! Source: PostgreSQL's fast-path locks. Deviation: words instead of a latch for each session.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use env::sched;
use env::sync::Mutex;

use super::manager::OwnerId;
use super::mode::{Mode, Tag};
use crate::ids::{DbId, Xid};

const SHARDS: usize = 16;
const BUCKETS: usize = 256;

/// The weak locks of one transaction; on cache lines of its own. Which lock a word stands for follows from the list it is in; zero is none.
#[repr(align(128))]
pub struct Notes {
    owner: OwnerId,
    /// Its own, while it writes.
    own: [AtomicU64; 1],
    /// Tables that it reads, writes, and locks rows of. More than these are locked in the lock table.
    reads: [AtomicU64; 16],
    writes: [AtomicU64; 8],
    rows: [AtomicU64; 4],
}

/// What became of a request to note a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Noting {
    /// It is held: noted, or moved since.
    Held,
    /// It is not: ask the lock table.
    Refused,
}

impl Notes {
    fn new(owner: OwnerId) -> Notes {
        Notes {
            owner,
            own: std::array::from_fn(|_| AtomicU64::new(0)),
            reads: std::array::from_fn(|_| AtomicU64::new(0)),
            writes: std::array::from_fn(|_| AtomicU64::new(0)),
            rows: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// The session that the transaction is of.
    pub fn owner(&self) -> OwnerId {
        self.owner
    }

    /// Where such locks are noted.
    #[inline]
    fn words(&self, tag: &Tag, mode: Mode) -> &[AtomicU64] {
        match (tag, mode) {
            (Tag::Relation(..), Mode::AccessShare) => &self.reads,
            (Tag::Relation(..), Mode::RowExclusive) => &self.writes,
            (Tag::Relation(..), Mode::RowShare) => &self.rows,
            // L4.
            (Tag::Transaction(_), Mode::Exclusive) => &self.own,
            _ => &[],
        }
    }

    /// Empties a word that holds `number`; false when it does not any more (L7).
    #[inline]
    fn empty(word: &AtomicU64, number: u64) -> bool {
        word.load(Ordering::Relaxed) == number
            && word.compare_exchange(number, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Gives back a lock; false when it is not noted here.
    #[inline]
    pub fn release(&self, tag: &Tag, mode: Mode) -> bool {
        let number = number_of(tag);
        self.words(tag, mode).iter().any(|word| Notes::empty(word, number))
    }

    /// Calls `f` with every lock that is noted.
    fn each(&self, mut f: impl FnMut(Tag, Mode)) {
        let relation = |number: u64| Tag::Relation(DbId((number >> 32) as u32), number as u32);
        let lists = [
            (&self.reads[..], Mode::AccessShare),
            (&self.writes[..], Mode::RowExclusive),
            (&self.rows[..], Mode::RowShare),
        ];
        let noted = |word: &AtomicU64| Some(word.load(Ordering::SeqCst)).filter(|&n| n != 0);
        for (list, mode) in lists {
            list.iter().filter_map(noted).for_each(|number| f(relation(number), mode));
        }
        self.own.iter().filter_map(noted).for_each(|number| f(Tag::Transaction(Xid(number)), Mode::Exclusive));
    }
}

/// What a word says that stands for `tag`, whose kind follows from where it is.
#[inline]
fn number_of(tag: &Tag) -> u64 {
    match tag {
        Tag::Relation(db, rel) => u64::from(db.0) << 32 | u64::from(*rel),
        Tag::Transaction(xid) => xid.0,
        // These have no weak modes.
        _ => 0,
    }
}

/// The modes that may be noted.
const WEAK: [Mode; 4] = [Mode::AccessShare, Mode::RowShare, Mode::RowExclusive, Mode::Exclusive];

/// On a cache line of its own.
#[repr(align(128))]
#[derive(Default)]
struct Shard(Mutex<Vec<Arc<Notes>>>);

/// Weak locks that are held.
pub struct WeakLocks {
    /// Notes of all transactions that there are, by owner.
    shards: [Shard; SHARDS],
    /// Holders of and waiters for strong modes, by hash of the tag: a collision only costs time.
    strong: [AtomicU32; BUCKETS],
}

impl Default for WeakLocks {
    fn default() -> WeakLocks {
        WeakLocks {
            shards: std::array::from_fn(|_| Shard::default()),
            strong: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }
}

/// Whether `mode` of `tag` may be noted.
#[inline]
pub fn is_weak(tag: &Tag, mode: Mode) -> bool {
    match tag {
        Tag::Relation(..) => matches!(mode, Mode::AccessShare | Mode::RowShare | Mode::RowExclusive),
        // L4.
        Tag::Transaction(_) => mode == Mode::Exclusive,
        _ => false,
    }
}

/// Whether `mode` of `tag` conflicts with some mode that may be noted.
pub fn is_strong(tag: &Tag, mode: Mode) -> bool {
    matches!(tag, Tag::Relation(..) | Tag::Transaction(_)) && !is_weak(tag, mode)
}

impl WeakLocks {
    #[inline]
    fn bucket(&self, tag: &Tag) -> &AtomicU32 {
        let number = match tag {
            Tag::Transaction(xid) => !xid.0,
            tag => number_of(tag),
        };
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        &self.strong[(mixed >> 56) as usize]
    }

    fn shard(&self, owner: OwnerId) -> &Mutex<Vec<Arc<Notes>>> {
        &self.shards[owner.0 as usize % SHARDS].0
    }

    /// Notes for a transaction of `owner`.
    pub fn notes(&self, owner: OwnerId) -> Arc<Notes> {
        let notes = Arc::new(Notes::new(owner));
        self.shard(owner).lock().push(notes.clone());
        notes
    }

    /// The transaction is no more; all its locks were given back.
    pub fn forget(&self, notes: &Arc<Notes>) {
        self.shard(notes.owner).lock().retain(|n| !Arc::ptr_eq(n, notes));
    }

    /// Notes a lock that is not noted there, unless somebody holds or wants a strong mode of `tag`, perhaps, or there is no room (L6).
    #[inline]
    pub fn note(&self, notes: &Notes, tag: &Tag, mode: Mode) -> Noting {
        let number = number_of(tag);
        let free = notes.words(tag, mode).iter().find(|word| word.load(Ordering::Relaxed) == 0);
        let Some(word) = free.filter(|_| number != 0) else { return Noting::Refused };
        word.store(number, Ordering::SeqCst);
        // A schedule may put a mover here.
        sched::yield_point();
        if self.bucket(tag).load(Ordering::SeqCst) == 0 {
            return Noting::Held;
        }
        // A mover may have been faster.
        if Notes::empty(word, number) { Noting::Refused } else { Noting::Held }
    }

    /// No weak lock of `tag` is noted from now on. Called before the lock table is latched.
    pub fn forbid(&self, tag: &Tag) {
        self.bucket(tag).fetch_add(1, Ordering::SeqCst);
    }

    /// Takes out every note of `tag` that `may_be_held` (L8). The caller forbade them and holds the lock table's latch of `tag`, so that who releases
    /// one meanwhile and does not find it noted finds it there.
    pub fn take(&self, tag: &Tag, may_be_held: impl Fn(OwnerId, Mode) -> bool) -> Vec<(OwnerId, Mode)> {
        let number = number_of(tag);
        let mut taken = Vec::new();
        for shard in &self.shards {
            for notes in shard.0.lock().iter() {
                for mode in WEAK {
                    for word in notes.words(tag, mode) {
                        let found = word.load(Ordering::SeqCst) == number;
                        if found && may_be_held(notes.owner, mode) && Notes::empty(word, number) {
                            taken.push((notes.owner, mode));
                        }
                    }
                }
            }
        }
        taken
    }

    /// Takes back a [`WeakLocks::forbid`].
    pub fn permit(&self, tag: &Tag) {
        self.bucket(tag).fetch_sub(1, Ordering::SeqCst);
    }

    /// All that is noted.
    pub fn list(&self) -> Vec<(OwnerId, Tag, Mode)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            shard.0.lock().iter().for_each(|n| n.each(|tag, mode| all.push((n.owner, tag, mode))));
        }
        all
    }
}
