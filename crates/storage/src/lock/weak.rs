//! `WeakLocks`: modes that statements take all the time and that never conflict with each other, kept apart by owner.
//!
//! Reading and writing statements lock their tables in modes that conflict only with DDL's; and who writes locks its own transaction, for others to wait
//! for. So that sessions on different cores do not meet at one latch for that, such a lock is noted in a shard of its *owner* as long as nobody wants a
//! stronger mode of the relation, or waits for the transaction.
//! Whoever does says so first ([`WeakLocks::forbid`]), which moves what is held here to the lock table proper.
//!
//! A lock is noted only while its shard's latch is held and nobody forbids it; `forbid` counts itself before it takes the shards' latches one
//! by one. So of the two either the noter sees the count, or the mover finds the note.

use std::sync::atomic::{AtomicU32, Ordering};

use env::sync::Mutex;

use super::manager::OwnerId;
use super::mode::{Mode, Tag};

const SHARDS: usize = 16;
const BUCKETS: usize = 256;

/// On a cache line of its own.
#[repr(align(128))]
#[derive(Default)]
struct Shard(Mutex<Vec<(OwnerId, Tag, Mode)>>);

/// Weak locks that are held, by owner.
pub struct WeakLocks {
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

/// Whether `mode` of `tag` may be noted here.
pub fn is_weak(tag: &Tag, mode: Mode) -> bool {
    match tag {
        Tag::Relation(..) => matches!(mode, Mode::AccessShare | Mode::RowShare | Mode::RowExclusive),
        // L4.
        Tag::Transaction(_) => mode == Mode::Exclusive,
        _ => false,
    }
}

/// Whether `mode` of `tag` conflicts with some mode that may be noted here.
pub fn is_strong(tag: &Tag, mode: Mode) -> bool {
    matches!(tag, Tag::Relation(..) | Tag::Transaction(_)) && !is_weak(tag, mode)
}

impl WeakLocks {
    fn bucket(&self, tag: &Tag) -> &AtomicU32 {
        let number = match tag {
            Tag::Relation(db, rel) => u64::from(db.0) << 32 | u64::from(*rel),
            Tag::Transaction(xid) => !xid.0,
            _ => unreachable!("only relations and transactions have weak modes"),
        };
        let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        &self.strong[(mixed >> 56) as usize]
    }

    fn shard(&self, owner: OwnerId) -> &Mutex<Vec<(OwnerId, Tag, Mode)>> {
        &self.shards[owner.0 as usize % SHARDS].0
    }

    /// Notes the lock; false when somebody holds or wants a strong mode of `tag`, perhaps.
    #[inline]
    pub fn try_acquire(&self, tag: Tag, mode: Mode, owner: OwnerId) -> bool {
        let mut held = self.shard(owner).lock();
        if self.bucket(&tag).load(Ordering::SeqCst) != 0 {
            return false;
        }
        held.push((owner, tag, mode));
        true
    }

    /// Forgets the lock; false when it is not noted here.
    #[inline]
    pub fn release(&self, tag: Tag, mode: Mode, owner: OwnerId) -> bool {
        let mut held = self.shard(owner).lock();
        match held.iter().rposition(|&h| h == (owner, tag, mode)) {
            Some(at) => {
                held.swap_remove(at);
                true
            }
            None => false,
        }
    }

    /// No weak lock of `tag` is noted from now on. Called before the lock table is latched.
    pub fn forbid(&self, tag: &Tag) {
        self.bucket(tag).fetch_add(1, Ordering::SeqCst);
    }

    /// Takes out every note of `tag`. The caller forbade them and holds the lock table's latch of `tag`, so that who releases one meanwhile
    /// and does not find it here finds it there.
    pub fn take(&self, tag: &Tag) -> Vec<(OwnerId, Mode)> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            shard.0.lock().retain(|&(owner, t, mode)| {
                let moves = t == *tag;
                taken.extend(moves.then_some((owner, mode)));
                !moves
            });
        }
        taken
    }

    /// Takes back a [`WeakLocks::forbid`].
    pub fn permit(&self, tag: &Tag) {
        self.bucket(tag).fetch_sub(1, Ordering::SeqCst);
    }

    /// All that is noted.
    pub fn list(&self) -> Vec<(OwnerId, Tag, Mode)> {
        self.shards.iter().flat_map(|s| s.0.lock().clone()).collect()
    }
}
