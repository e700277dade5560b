//! `Table`: a table's rows, by id.

use std::sync::Arc;

use super::cell::{Cell, OverflowRef};
use super::overflow;
use super::page::TablePage;
use super::scan::RowView;
use super::versions::Seen;
use crate::database::Database;
use crate::error::Result;
use crate::ids::RowId;
use crate::relation::Relation;
use crate::txn::Snapshot;

/// A handle on a table; cheap to clone.
#[derive(Clone)]
pub struct Table {
    pub(super) db: Arc<Database>,
    pub(super) rel: Arc<Relation>,
}

impl Table {
    /// The table that `rel` is.
    pub fn new(db: Arc<Database>, rel: Arc<Relation>) -> Table {
        Table { db, rel }
    }

    /// Its relation.
    pub fn rel(&self) -> &Arc<Relation> {
        &self.rel
    }

    /// Its database.
    pub fn db(&self) -> &Arc<Database> {
        &self.db
    }

    /// Pages it has.
    pub fn blocks(&self) -> u32 {
        self.rel.blocks()
    }

    /// Shows `f` the row as `snapshot` sees it; `None` when it does not. The page is latched meanwhile: `f` must not wait.
    ///
    /// # Errors
    /// `Io` or `Corrupt` from the page.
    #[inline]
    pub fn read<R>(&self, row: RowId, snapshot: &Snapshot, f: impl FnOnce(&RowView<'_>) -> R) -> Result<Option<R>> {
        if row.block >= self.rel.blocks() {
            return Ok(None);
        }
        let guard = self.db.read_block(&self.rel, row.block)?;
        let page = TablePage::new(&guard, &self.rel.layout);
        let slot = row.slot as usize;
        if !page.is_used(slot) {
            return Ok(None);
        }
        let seen = match guard.versions() {
            None => Seen::AsStored,
            Some(v) => v.see(row.slot, snapshot),
        };
        Ok(match seen {
            Seen::Absent => None,
            Seen::AsStored if page.is_dead(slot) => None,
            Seen::AsStored => {
                Some(f(&RowView { settled: guard.versions().is_none(), ..RowView::new(page, slot, &[]) }))
            }
            Seen::Undo(undo) => Some(f(&RowView::new(page, slot, &undo))),
        })
    }

    /// Whether nobody has latched the page of `row` to change it since the moment `time`.
    #[inline]
    pub fn is_unchanged(&self, row: RowId, time: u64) -> bool {
        self.rel.locate(row.block).is_ok_and(|(page, _)| self.db.space.is_unchanged(page, time))
    }

    /// The bytes of a large value.
    ///
    /// # Errors
    /// `Io` or `Corrupt` from its pages.
    pub fn fetch(&self, value: &OverflowRef) -> Result<Vec<u8>> {
        overflow::fetch(&self.db, &self.rel, value)
    }

    /// The bytes of a variable-length cell, wherever they are; `None` for NULL.
    ///
    /// # Errors
    /// As [`Table::fetch`].
    pub fn var_bytes<'a>(&self, cell: &Cell<'a>) -> Result<Option<std::borrow::Cow<'a, [u8]>>> {
        Ok(match cell {
            Cell::Null => None,
            Cell::Var(b) => Some((*b).into()),
            Cell::Overflow(r) => Some(self.fetch(r)?.into()),
            Cell::Fixed(b) => Some(b.to_vec().into()),
        })
    }
}

impl Table {
    /// The row as values, as `snapshot` sees it.
    ///
    /// # Errors
    /// `Io` or `Corrupt` from its pages.
    pub fn read_datums(&self, row: RowId, snapshot: &Snapshot) -> Result<Option<Vec<types::Datum>>> {
        let forms = self.rel.layout.columns();
        let found = self.read(row, snapshot, |view| {
            forms.iter().enumerate().map(|(i, &p)| view.cell(i).datum(p)).collect::<Vec<_>>()
        })?;
        found.map(|values| self.fetched(values)).transpose()
    }

    /// A row's values, the large ones fetched from their pages: no latch may be held.
    fn fetched(&self, values: Vec<Result<types::Datum, OverflowRef>>) -> Result<Vec<types::Datum>> {
        let fetch = |v| match v {
            Ok(datum) => Ok(datum),
            Err(large) => Ok(types::Datum::from(self.fetch(&large)?)),
        };
        values.into_iter().map(fetch).collect()
    }

    /// Calls `f` with the id and values of every row that `snapshot` sees.
    ///
    /// # Errors
    /// `Io` or `Corrupt` from its pages; what `f` says.
    pub fn for_each<E: From<crate::Error>>(
        &self,
        snapshot: &Snapshot,
        mut f: impl FnMut(RowId, Vec<types::Datum>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut scratch = super::scan::ScanScratch::default();
        let forms = self.rel.layout.columns();
        for block in 0..self.blocks() {
            let rows = self.scan_block::<_, crate::Error>(block, snapshot, &mut scratch, |page| {
                let visible = |s: &usize| page.visible()[s / 64] >> (s % 64) & 1 == 1;
                let row =
                    |s: usize| forms.iter().enumerate().map(|(c, &p)| page.cell(c, s).datum(p)).collect::<Vec<_>>();
                Ok((0..page.slots()).filter(visible).map(|s| (s, row(s))).collect::<Vec<_>>())
            })?;
            for (slot, values) in rows {
                f(RowId { block, slot: slot as u16 }, self.fetched(values)?)?;
            }
        }
        Ok(())
    }

    /// Calls `f` with the id and values of every older version of a row that some snapshot may see: what it was before each change that is
    /// remembered. A version may come more than once. Nobody else may be writing to the table.
    ///
    /// # Errors
    /// `Io` or `Corrupt` from its pages; what `f` says.
    pub fn for_each_older<E: From<crate::Error>>(
        &self,
        mut f: impl FnMut(RowId, Vec<types::Datum>) -> Result<(), E>,
    ) -> Result<(), E> {
        let forms = self.rel.layout.columns();
        for block in 0..self.blocks() {
            let mut found = Vec::new();
            {
                let guard = self.db.read_block(&self.rel, block)?;
                let Some(versions) = guard.versions() else { continue };
                let page = TablePage::new(&guard, &self.rel.layout);
                for slot in versions.touched() {
                    // Each change that is remembered ends a version.
                    for end in versions.commits(slot) {
                        let seen = versions.see_with(slot, |t, _| t.commit_lsn().is_some_and(|l| l < end));
                        if let Seen::Undo(undo) = seen {
                            let view = RowView::new(page, slot as usize, &undo);
                            let row = forms.iter().enumerate().map(|(c, &p)| view.cell(c).datum(p));
                            found.push((slot, row.collect::<Vec<_>>()));
                        }
                    }
                }
            }
            for (slot, values) in found {
                f(RowId { block, slot }, self.fetched(values)?)?;
            }
        }
        Ok(())
    }
}
