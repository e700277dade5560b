//! What can be locked, and how.

use crate::ids::{DbId, RelId, RowId, Xid};

/// A thing that can be locked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Tag {
    /// A relation, by its OID in `pg_class`.
    Relation(DbId, u32),
    /// A row.
    Row(DbId, RelId, RowId),
    /// The turn of those who wait for a row: whoever has it is next.
    Turn(DbId, RelId, RowId),
    /// A transaction: held exclusively by itself while it runs.
    Transaction(Xid),
    /// An advisory lock: database, two keys, and which of the two key spaces.
    Advisory(DbId, u32, u32, u16),
    /// Some other object, by catalog OID and OID.
    Object(DbId, u32, u32),
}

/// PostgreSQL's lock modes. Transaction, advisory and object locks use `Share` and `Exclusive`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mode {
    /// SELECT.
    AccessShare = 1,
    /// SELECT FOR UPDATE and its kin.
    RowShare = 2,
    /// INSERT, UPDATE, DELETE.
    RowExclusive = 3,
    /// VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY.
    ShareUpdateExclusive = 4,
    /// CREATE INDEX.
    Share = 5,
    /// CREATE TRIGGER, foreign keys.
    ShareRowExclusive = 6,
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive = 7,
    /// DROP, TRUNCATE, most of ALTER TABLE.
    AccessExclusive = 8,
    /// Row: FOR KEY SHARE.
    ForKeyShare = 9,
    /// Row: FOR SHARE.
    ForShare = 10,
    /// Row: FOR NO KEY UPDATE, UPDATE that keeps the key.
    ForNoKeyUpdate = 11,
    /// Row: FOR UPDATE, DELETE, UPDATE of a key.
    ForUpdate = 12,
}

/// Conflicts of each mode, as bits of mode numbers: the tables of manual §13.3.
const CONFLICTS: [u16; 13] = {
    const fn bits(modes: &[u8]) -> u16 {
        let mut b = 0;
        let mut i = 0;
        while i < modes.len() {
            b |= 1 << modes[i];
            i += 1;
        }
        b
    }
    [
        0,
        bits(&[8]),
        bits(&[7, 8]),
        bits(&[5, 6, 7, 8]),
        bits(&[4, 5, 6, 7, 8]),
        bits(&[3, 4, 6, 7, 8]),
        bits(&[3, 4, 5, 6, 7, 8]),
        bits(&[2, 3, 4, 5, 6, 7, 8]),
        bits(&[1, 2, 3, 4, 5, 6, 7, 8]),
        bits(&[12]),
        bits(&[11, 12]),
        bits(&[10, 11, 12]),
        bits(&[9, 10, 11, 12]),
    ]
};

impl Mode {
    /// Whether two owners cannot hold `self` and `other` of one tag at once.
    pub fn conflicts(self, other: Mode) -> bool {
        CONFLICTS[self as usize] >> other as u8 & 1 == 1
    }

    /// PostgreSQL's name, as in `pg_locks` and error details. Those of rows are called as the lock that PostgreSQL takes of a row's place
    /// while it waits.
    pub fn name(self) -> &'static str {
        match self {
            Mode::AccessShare | Mode::ForKeyShare => "AccessShareLock",
            Mode::RowShare | Mode::ForShare => "RowShareLock",
            Mode::RowExclusive => "RowExclusiveLock",
            Mode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            Mode::Share => "ShareLock",
            Mode::ShareRowExclusive => "ShareRowExclusiveLock",
            Mode::Exclusive | Mode::ForNoKeyUpdate => "ExclusiveLock",
            Mode::AccessExclusive | Mode::ForUpdate => "AccessExclusiveLock",
        }
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Tag::Relation(db, oid) => write!(f, "relation {oid} of database {db}"),
            Tag::Row(db, rel, row) | Tag::Turn(db, rel, row) => {
                write!(f, "tuple ({},{}) of relation {rel} of database {db}", row.block, u32::from(row.slot) + 1)
            }
            Tag::Transaction(xid) => write!(f, "transaction {xid}"),
            Tag::Advisory(db, a, b, kind) => write!(f, "advisory lock [{db},{a},{b},{kind}]"),
            Tag::Object(db, class, oid) => write!(f, "object {oid} of class {class} of database {db}"),
        }
    }
}
