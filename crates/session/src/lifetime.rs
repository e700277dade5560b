//! `Portals`: how long portals live: to the end of their transaction, or of the savepoint they were opened after.

use crate::portal::Portal;
use crate::session::Session;

/// When a portal was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Birth {
    epoch: u64,
    number: u64,
}

/// Counts portals and what ended them.
#[derive(Default)]
pub(crate) struct Portals {
    /// Counts transactions.
    epoch: u64,
    opened: u64,
    /// Numbers of portals that went with a rollback to a savepoint: after, and up to.
    rolled_back: Vec<(u64, u64)>,
    endings: u64,
}

impl Portals {
    /// A portal is opened now.
    pub(crate) fn birth(&mut self) -> Birth {
        self.opened += 1;
        Birth { epoch: self.epoch, number: self.opened }
    }

    /// How many portals were opened up to now.
    pub(crate) fn opened(&self) -> u64 {
        self.opened
    }

    /// The transaction ended.
    pub(crate) fn end_transaction(&mut self) {
        self.epoch += 1;
        self.endings += 1;
        self.rolled_back.clear();
    }

    /// What was opened after the first `opened` is rolled back.
    pub(crate) fn roll_back(&mut self, opened: u64) {
        self.endings += 1;
        self.rolled_back.push((opened, self.opened));
    }

    pub(crate) fn is_alive(&self, birth: Birth) -> bool {
        let gone = |&(after, to): &(u64, u64)| birth.number > after && birth.number <= to;
        birth.epoch == self.epoch && !self.rolled_back.iter().any(gone)
    }
}

impl Session {
    /// Whether the transaction, or savepoint, that `portal` was opened in is still there.
    pub fn is_alive(&self, portal: &Portal) -> bool {
        self.portals.is_alive(portal.birth())
    }

    /// Grows whenever portals may have ended.
    pub fn portal_endings(&self) -> u64 {
        self.portals.endings
    }
}
