//! `Advisory`: locks on numbers that applications agree on, held by the session or by its transaction.

use std::sync::Arc;

use ext::host::{AdvisoryKey, AdvisoryRequest};
use storage::ids::DbId;
use storage::lock::{Interrupt, LockManager, Mode, OwnerId, Tag, WaitPolicy};
use types::Result;

/// Those of one session, each as often as it was taken.
#[derive(Default)]
pub(crate) struct Advisory {
    session: Vec<(Tag, Mode)>,
    transaction: Vec<(Tag, Mode)>,
}

/// Who asks, of whom.
pub(crate) struct Asker<'a> {
    pub locks: &'a LockManager,
    pub db: DbId,
    pub owner: OwnerId,
    pub interrupt: &'a Arc<Interrupt>,
    pub lock_timeout_ms: u32,
}

impl Advisory {
    /// Takes or gives back; false when it is not had.
    pub(crate) fn ask(&mut self, asker: &Asker<'_>, key: AdvisoryKey, request: AdvisoryRequest) -> Result<bool> {
        let db = asker.db;
        let tag = match key {
            AdvisoryKey::One(n) => Tag::Advisory(db, (n >> 32) as u32, n as u32, 1),
            AdvisoryKey::Two(a, b) => Tag::Advisory(db, a.cast_unsigned(), b.cast_unsigned(), 2),
            AdvisoryKey::All => {
                Advisory::give_back(&mut self.session, asker.locks, asker.owner);
                return Ok(true);
            }
        };
        let mode = if request.shared { Mode::Share } else { Mode::Exclusive };
        if request.unlock {
            let Some(at) = self.session.iter().rposition(|held| *held == (tag, mode)) else { return Ok(false) };
            self.session.swap_remove(at);
            asker.locks.release(tag, mode, asker.owner);
            return Ok(true);
        }
        let policy = if request.no_wait { WaitPolicy::NoWait } else { WaitPolicy::Wait(asker.lock_timeout_ms) };
        match asker.locks.acquire(tag, mode, asker.owner, policy, asker.interrupt) {
            Ok(()) => {}
            Err(storage::Error::LockNotAvailable) if request.no_wait => return Ok(false),
            Err(e) => return Err(e.into()),
        }
        let held = if request.transaction { &mut self.transaction } else { &mut self.session };
        held.push((tag, mode));
        Ok(true)
    }

    fn give_back(held: &mut Vec<(Tag, Mode)>, locks: &LockManager, owner: OwnerId) {
        held.drain(..).for_each(|(tag, mode)| locks.release(tag, mode, owner));
    }

    /// The transaction has ended.
    pub(crate) fn end_transaction(&mut self, locks: &LockManager, owner: OwnerId) {
        Advisory::give_back(&mut self.transaction, locks, owner);
    }

    /// The session ends, or DISCARD ALL is run.
    pub(crate) fn end(&mut self, locks: &LockManager, owner: OwnerId) {
        Advisory::give_back(&mut self.transaction, locks, owner);
        Advisory::give_back(&mut self.session, locks, owner);
    }

    /// Whether the transaction has any.
    pub(crate) fn in_transaction(&self) -> bool {
        !self.transaction.is_empty()
    }
}
