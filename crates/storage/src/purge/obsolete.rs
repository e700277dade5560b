//! `ObsoleteLog`: the index entries that a transaction made obsolete, in order.
//!
//! A transaction that changes every row of a large table notes as many entries: they are kept end to end in a buffer, whose full parts go
//! to free slots of the data file. After a crash nobody looks at them, and their slots are free.

use std::sync::Arc;

use crate::codec::{Put, Take};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::file::DataFile;
use crate::file::superblock::BlobRef;
use crate::ids::RowId;
use crate::relation::Relation;

/// An index entry that nobody will need.
pub struct Obsolete<'a> {
    /// The index's database.
    pub db: &'a Arc<Database>,
    /// The index.
    pub index: &'a Arc<Relation>,
    /// The entry's key.
    pub key: &'a [u8],
    /// The entry's row.
    pub row: RowId,
    /// Whether that is so once the transaction has committed; else once it was rolled back.
    pub on_commit: bool,
    /// When it was noted: later revivals have greater numbers.
    pub sequence: u64,
}

/// A part of the log.
enum Part {
    Here(Vec<u8>),
    Spilled(BlobRef),
}

impl Part {
    fn bytes(&self) -> u64 {
        match self {
            Part::Here(bytes) => bytes.len() as u64,
            Part::Spilled(blob) => blob.bytes.into(),
        }
    }
}

/// A part that is larger is spilled.
const PART_BYTES: usize = 1 << 20;

/// Obsolete entries.
#[derive(Default)]
pub struct ObsoleteLog {
    indexes: Vec<(Arc<Database>, Arc<Relation>)>,
    parts: Vec<Part>,
    /// After all parts.
    tail: Vec<u8>,
    /// Where parts are spilled to, once one was.
    data: Option<Arc<DataFile>>,
    /// Entries for the case of a roll-back, and of a commit.
    counts: [u64; 2],
}

impl ObsoleteLog {
    /// A place in the log.
    pub fn position(&self) -> u64 {
        self.parts.iter().map(Part::bytes).sum::<u64>() + self.tail.len() as u64
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.counts == [0; 2] && self.indexes.is_empty()
    }

    /// Whether it has entries for the case of a commit, or else of a roll-back.
    pub fn has_any(&self, on_commit: bool) -> bool {
        self.counts[usize::from(on_commit)] > 0
    }

    /// Adds an entry.
    pub fn push(&mut self, o: &Obsolete<'_>) {
        let known = self.indexes.iter().rposition(|(_, index)| Arc::ptr_eq(index, o.index));
        let number = known.unwrap_or_else(|| {
            self.indexes.push((o.db.clone(), o.index.clone()));
            self.indexes.len() - 1
        });
        self.counts[usize::from(o.on_commit)] += 1;
        self.tail.put_u32(number as u32);
        self.tail.put_u8(u8::from(o.on_commit));
        self.tail.put_u64(o.row.to_u64());
        self.tail.put_u64(o.sequence);
        self.tail.put_bytes(o.key);
        if self.tail.len() >= PART_BYTES {
            self.spill(o.db.file.data());
        }
    }

    /// Moves the tail to the data file; where that is full, it stays.
    fn spill(&mut self, data: &Arc<DataFile>) {
        let part = match data.write_blob(&self.tail) {
            Ok(blob) => {
                self.tail.clear();
                self.data = Some(data.clone());
                Part::Spilled(blob)
            }
            Err(_) => Part::Here(std::mem::take(&mut self.tail)),
        };
        self.parts.push(part);
    }

    /// Takes out what was added after `position`.
    ///
    /// # Errors
    /// What reading a spilled part back says; the log is unchanged then.
    pub fn split_off(&mut self, position: u64) -> Result<ObsoleteLog> {
        let mut later = ObsoleteLog::default();
        (later.indexes, later.data) = (self.indexes.clone(), self.data.clone());
        let mut start = 0;
        let first = self.parts.iter().position(|p| {
            start += p.bytes();
            start > position
        });
        match first {
            None => later.tail = self.tail.split_off((position - start) as usize),
            Some(at) => {
                let part_start = start - self.parts[at].bytes();
                // The part that `position` is in ends there; what is after it goes.
                let mut front = self.part(&self.parts[at])?.into_owned();
                let back = front.split_off((position - part_start) as usize);
                later.parts.push(Part::Here(back));
                let mut moved = self.parts.drain(at..);
                if let (Some(Part::Spilled(blob)), Some(data)) = (moved.next(), &self.data) {
                    data.free_blob(blob);
                }
                later.parts.extend(moved);
                later.tail = std::mem::replace(&mut self.tail, front);
            }
        }
        let mut counts = [0; 2];
        later.each(|o| {
            counts[usize::from(o.on_commit)] += 1;
            Ok(())
        })?;
        later.counts = counts;
        (0..2).for_each(|i| self.counts[i] -= counts[i]);
        Ok(later)
    }

    fn part<'a>(&self, part: &'a Part) -> Result<std::borrow::Cow<'a, [u8]>> {
        match (part, &self.data) {
            (Part::Here(bytes), _) => Ok(bytes.into()),
            (Part::Spilled(blob), Some(data)) => Ok(data.read_blob(*blob)?.into()),
            (Part::Spilled(_), None) => Err(Error::Damaged("a spilled part without a file".to_owned())),
        }
    }

    /// Calls `f` with each entry, in order.
    ///
    /// # Errors
    /// What reading a spilled part back says; the first of `f`.
    pub fn each(&self, mut f: impl FnMut(&Obsolete<'_>) -> Result<()>) -> Result<()> {
        let mut entries = |bytes: &[u8]| -> Result<()> {
            let mut t = Take(bytes);
            while !t.is_empty() {
                let (number, on_commit, row, sequence) = (t.u32()? as usize, t.u8()? != 0, t.u64()?, t.u64()?);
                let key = t.bytes()?;
                let Some((db, index)) = self.indexes.get(number) else {
                    return Err(Error::Damaged("an obsolete entry of no index".to_owned()));
                };
                f(&Obsolete { db, index, key, row: RowId::from_u64(row), on_commit, sequence })?;
            }
            Ok(())
        };
        for part in &self.parts {
            entries(&self.part(part)?)?;
        }
        entries(&self.tail)
    }
}

impl Drop for ObsoleteLog {
    fn drop(&mut self) {
        if let Some(data) = &self.data {
            for part in &self.parts {
                if let Part::Spilled(blob) = part {
                    data.free_blob(*blob);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, Options};
    use crate::ids::RelId;
    use crate::relation::{Persistence, RelKind, RelMeta};

    #[test]
    fn entries_come_back_in_order_from_wherever_they_are() {
        let engine = Engine::open(env::Env::in_memory(), Options::default()).unwrap();
        let db = engine.create_database().unwrap();
        let mut txn = engine.begin(crate::lock::OwnerId(1), engine.new_interrupt());
        let meta = RelMeta::new(RelId(7), RelKind::Btree, Persistence::Permanent, Vec::new());
        let index = db.create_relation(&mut txn, meta).unwrap();
        let mut log = ObsoleteLog::default();
        let key = |i: u64| vec![i as u8; 40 + (i % 50) as usize];
        let mut positions = Vec::new();
        const COUNT: u64 = 60_000;
        for i in 0..COUNT {
            positions.push(log.position());
            let row = RowId { block: i as u32, slot: 3 };
            log.push(&Obsolete {
                db: &db,
                index: &index,
                key: &key(i),
                row,
                on_commit: i.is_multiple_of(3),
                sequence: i,
            });
        }
        assert!(log.parts.iter().filter(|p| matches!(p, Part::Spilled(_))).count() > 2);
        let check = |log: &ObsoleteLog, mut from: u64, to: u64| {
            log.each(|o| {
                assert_eq!((o.key, o.row.block, o.on_commit), (&key(from)[..], from as u32, from.is_multiple_of(3)));
                from += 1;
                Ok(())
            })
            .unwrap();
            assert_eq!(from, to);
        };
        check(&log, 0, COUNT);
        // In the tail, within a spilled part, at the very start.
        for (at, end) in [(COUNT - 5, COUNT), (COUNT / 2, COUNT - 5), (1, COUNT / 2), (0, 1)] {
            let later = log.split_off(positions[at as usize]).unwrap();
            check(&later, at, end);
            check(&log, 0, at);
            assert_eq!(log.position(), positions[at as usize]);
            assert_eq!(later.has_any(true), (at..end).any(|i| i.is_multiple_of(3)));
        }
        assert!(!log.has_any(true) && !log.has_any(false));
    }
}
