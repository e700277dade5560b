//! Scans of catalog tables: the rows that ship with the binary, and those users added.

use std::sync::Arc;

use plan::{TableRef, TableSource};
use storage::table::Table;
use types::{Datum, Physical, Result, SqlError};
use vector::{CHUNK_ROWS, Chunk};

use crate::eval::retain;
use crate::native::Lazy;
use crate::{Context, Operator};

/// The rows of a catalog table.
pub struct CatalogScan {
    pub table: Arc<TableRef>,
    pub filter: Option<Lazy>,
    pub forms: Vec<Physical>,
    /// Stored rows, read at the start; catalogs are small.
    pub stored: Option<Vec<Vec<Datum>>>,
    pub next: usize,
}

impl CatalogScan {
    fn read(&self, ctx: &Context<'_>) -> Result<Vec<Vec<Datum>>> {
        let TableSource::Catalog { shared, stored: true } = self.table.source else { return Ok(Vec::new()) };
        let db = if shared { ctx.shared } else { ctx.db };
        let mut rows = Vec::new();
        Table::new(db.clone(), db.relation(self.table.rel)?).for_each::<SqlError>(ctx.snapshot, |id, mut row| {
            row.push(Datum::I64(id.to_u64() as i64));
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }
}

impl Operator for CatalogScan {
    fn next(&mut self, ctx: &mut Context<'_>, out: &mut Chunk) -> Result<bool> {
        ctx.check_interrupts()?;
        if self.stored.is_none() {
            self.stored = Some(self.read(ctx)?);
        }
        let stored = self.stored.as_deref().unwrap_or_default();
        let fixed = catalog::rows::of(self.table.oid);
        out.reset(&self.forms);
        let has_oid = self.table.columns.first().is_some_and(|c| c.name == "oid");
        while out.rows < CHUNK_ROWS && self.next < fixed.len() + stored.len() {
            let at = self.next;
            self.next += 1;
            match fixed.get(at) {
                // C5: a stored row takes the place of the built-in one of its OID.
                Some(row) if has_oid && stored.iter().any(|s| s[0] == row[0]) => {}
                Some(row) => {
                    out.columns.iter_mut().zip(row.iter()).for_each(|(c, d)| c.push(d));
                    if let Some(id) = out.columns.last_mut() {
                        id.push(&Datum::I64(0));
                    }
                    out.rows += 1;
                }
                None => out.push_row(&stored[at - fixed.len()]),
            }
        }
        if out.rows == 0 {
            return Ok(false);
        }
        if let Some(filter) = &mut self.filter {
            retain(filter.get(ctx), out, ctx)?;
        }
        Ok(true)
    }

    fn reset(&mut self) {
        (self.stored, self.next) = (None, 0);
    }
}
