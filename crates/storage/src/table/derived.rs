//! `EntryShape`: how the entries of an index follow from rows, so that nobody has to note them when their rows go.
//!
//! A row that was deleted keeps its slot and its values until no snapshot sees it; one whose insertion is taken back, until that is done. So
//! whoever frees the slot can still tell which entries it leaves behind, and takes them away first: all of a page's rows together, in the order of
//! their keys. Before the slot is free nobody else can need such an entry, so unlike those that updates leave behind (`purge`) none comes back to life.
//!
//! When taking them away fails, they stay: an index is a superset of the truth (T4).

use std::sync::Arc;

use smallvec::SmallVec;
use types::{Datum, Oid};

use super::access::Table;
use super::cell::OverflowRef;
use super::page::TablePage;
use super::versions::PageVersions;
use crate::btree::{Btree, NewEntries};
use crate::error::Result;
use crate::ids::{Lsn, RelId, RowId};

/// How the entries of an index follow from rows of its table: each row has one.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryShape {
    /// The index.
    pub index: RelId,
    /// The columns of its key, as `types::sortkey` encodes them: which, of what type, whether descending and with NULLs first.
    pub key: Vec<(usize, Oid, bool, bool)>,
    /// Columns that entries carry.
    pub include: Vec<usize>,
}

/// Entries that rows leave behind, by index.
pub(crate) struct Leavings {
    shapes: Arc<[EntryShape]>,
    trees: Vec<Option<(Btree, NewEntries)>>,
}

/// Which rows of a page are asked for.
pub(crate) enum Leaving {
    /// Those that are dead to all snapshots from there on.
    DeadSince(Lsn),
    /// So many from a slot on.
    Run(u16, u16),
}

/// A row's values by column; large ones are elsewhere.
type Values = SmallVec<[std::result::Result<Datum, OverflowRef>; 4]>;

impl Leavings {
    /// None yet, of `table`; `None` when nobody said how its entries follow from its rows, or it has none.
    pub fn of(table: &Table) -> Option<Leavings> {
        let shapes = table.rel.shapes()?;
        let tree = |s: &EntryShape| {
            let rel = table.db.relation(s.index).ok()?;
            Some((Btree::new(table.db.clone(), rel), NewEntries::default()))
        };
        let trees = shapes.iter().map(tree).collect();
        (!shapes.is_empty()).then_some(Leavings { shapes, trees })
    }

    /// Adds the entries of rows in `block`.
    ///
    /// # Errors
    /// `Io` or `Corrupt` from pages; what encoding a key says.
    pub fn collect(&mut self, table: &Table, block: u32, which: &Leaving) -> Result<()> {
        let mut rows: Vec<(RowId, Values)> = Vec::new();
        let columns: Vec<usize> =
            self.shapes.iter().flat_map(|s| s.key.iter().map(|k| k.0).chain(s.include.iter().copied())).collect();
        {
            let guard = table.db.read_block(&table.rel, block)?;
            let page = TablePage::new(&guard, &table.rel.layout);
            let forms = table.rel.layout.columns();
            let mut add = |slot: u16| {
                if page.is_used(slot as usize) {
                    let value = |&c: &usize| page.cell(slot as usize, c).datum(forms[c]);
                    rows.push((RowId { block, slot }, columns.iter().map(value).collect()));
                }
            };
            match *which {
                Leaving::DeadSince(oldest) => {
                    guard.versions().into_iter().flat_map(|v: &PageVersions| v.dead_since(oldest)).for_each(&mut add);
                }
                Leaving::Run(first, count) => (first..first + count).for_each(&mut add),
            }
        }
        let (mut entry, mut taken): (Vec<u8>, SmallVec<[Datum; 4]>) = Default::default();
        for (id, values) in rows {
            taken.clear();
            for value in values {
                taken.push(match value {
                    Ok(datum) => datum,
                    Err(large) => Datum::from(table.fetch(&large)?),
                });
            }
            let mut values = &taken[..];
            for (shape, tree) in self.shapes.iter().zip(&mut self.trees) {
                let (key, rest) = values.split_at(shape.key.len());
                let (include, rest) = rest.split_at(shape.include.len());
                values = rest;
                let Some((tree, entries)) = tree else { continue };
                entry.clear();
                for (value, &(_, ty, descending, nulls_first)) in key.iter().zip(&shape.key) {
                    let encoded = types::sortkey::encode_key(&mut entry, ty, value, descending, nulls_first);
                    encoded.map_err(|e| crate::Error::Damaged(e.to_string()))?;
                }
                tree.carry(&mut entry, include.iter().cloned());
                entries.push(&entry, id, 0);
            }
        }
        Ok(())
    }

    /// How many entries of the first index there are.
    pub fn len(&self) -> usize {
        self.trees.iter().flatten().next().map_or(0, |t| t.1.len())
    }

    /// Takes them out of their trees.
    ///
    /// # Errors
    /// As [`Btree::remove_run`].
    pub fn remove(&mut self) -> Result<()> {
        for (tree, entries) in self.trees.iter_mut().flatten() {
            if !tree.rel().dropped.load(std::sync::atomic::Ordering::Acquire) {
                entries.sort();
                tree.remove_run(entries)?;
            }
            entries.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use types::oid;

    use super::*;
    use crate::btree::{Direction, EntryBatch, ScanBounds};
    use crate::engine::{Engine, Options};
    use crate::relation::{Persistence, RelKind, RelMeta};
    use crate::table::Cell;

    #[test]
    fn rows_that_go_take_their_entries_along() {
        let options = Options { background: false, ..Options::default() };
        let engine = Engine::open(env::Env::in_memory(), options).unwrap();
        let db = engine.create_database().unwrap();
        let begin = || engine.begin(engine.new_owner(), engine.new_interrupt());
        let mut txn = begin();
        let columns = vec![types::Physical::I32, types::Physical::Var];
        let carried = vec![types::Physical::I32];
        let meta = RelMeta::new(RelId(7), RelKind::Table, Persistence::Permanent, columns);
        let table = Table::new(db.clone(), db.create_relation(&mut txn, meta).unwrap());
        let meta = RelMeta::new(RelId(8), RelKind::Btree, Persistence::Permanent, carried);
        let index = Btree::new(db.clone(), db.create_relation(&mut txn, meta).unwrap());
        txn.commit(true).unwrap();
        let key = vec![(1, oid::TEXT, true, false)];
        table.rel().set_shapes(vec![EntryShape { index: RelId(8), key, include: vec![0] }]);
        // Some go to overflow pages.
        let text = |n: i32| vec![b'a' + (n % 20) as u8; if n % 50 == 0 { 2500 } else { (n % 30) as usize }];
        let add = |txn: &mut crate::txn::Transaction, n: i32| {
            let row = table.insert(txn, &[Cell::fixed(&n.to_le_bytes()), Cell::Var(&text(n))]).unwrap();
            let mut entry = Vec::new();
            let value = Datum::from(text(n));
            types::sortkey::encode_key(&mut entry, oid::TEXT, &value, true, false).unwrap();
            index.carry(&mut entry, [Datum::I32(n)]);
            index.insert(&entry, row).unwrap();
            row
        };
        let entries = || {
            let (mut batch, mut bounds) = (EntryBatch::default(), ScanBounds::default());
            let mut count = 0;
            loop {
                let more = index.scan(&mut bounds, Direction::Forward, &mut batch).unwrap();
                count += batch.len();
                if !more {
                    return count;
                }
            }
        };
        let mut txn = begin();
        let rows: Vec<RowId> = (0..1000).map(|n| add(&mut txn, n)).collect();
        txn.commit(true).unwrap();
        assert_eq!(entries(), 1000);
        // Taken back, whole or in part.
        let mut txn = begin();
        add(&mut txn, 1001);
        let savepoint = txn.savepoint();
        for n in 2000..2300 {
            add(&mut txn, n);
        }
        txn.rollback_to(savepoint).unwrap();
        assert_eq!(entries(), 1001);
        txn.rollback().unwrap();
        assert_eq!(entries(), 1000);
        // Deleted: the entries stay while somebody may look for them.
        let mut reader = begin();
        let old = reader.snapshot();
        let mut txn = begin();
        let snapshot = txn.snapshot();
        let mut outcomes = Vec::new();
        table.delete_rows(&mut txn, &snapshot, &rows[100..], &mut outcomes).unwrap();
        assert!(outcomes.len() == 900 && outcomes.iter().all(|o| matches!(o, crate::table::RowState::Done)));
        txn.commit(true).unwrap();
        engine.purge().unwrap();
        assert_eq!(entries(), 1000);
        assert!(table.read(rows[500], &old, |_| ()).unwrap().is_some());
        drop(reader);
        engine.purge().unwrap();
        assert_eq!(entries(), 100);
        assert!(index.check().unwrap().is_empty());
    }
}
