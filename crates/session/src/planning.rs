//! What the optimizer is told about tables.

use std::sync::Arc;

use catalog::{ColumnStatistics, Image};
use optimizer::{Statistics, Way};
use plan::{Node, TableRef, TableSource};
use storage::Database;
use types::{Oid, Physical, Result};

use crate::session::Session;
use crate::settings::Settings;

/// The statistics of a database, as a catalog image has them.
pub(crate) struct Known<'a> {
    pub(crate) image: &'a Image,
    pub(crate) db: &'a Database,
    /// What the session says of ways to take; nothing where there is no session.
    pub(crate) settings: Option<&'a Settings>,
}

impl Statistics for Known<'_> {
    fn size(&self, table: &TableRef) -> (f64, f64) {
        if let TableSource::Catalog { .. } = table.source {
            let rows = catalog::rows::of(table.oid).len().max(50) as f64;
            return (rows, (rows / 50.0).ceil());
        }
        let Ok(relation) = self.db.relation(table.rel) else { return (1.0, 1.0) };
        let pages = relation.size_bytes().div_ceil(8192) as f64;
        // As dense as when somebody looked; before that, by the widths of its columns.
        let density = match self.image.size(table.oid) {
            Some(size) if size.rows >= 0.0 && size.pages > 0 => f64::from(size.rows) / f64::from(size.pages),
            _ => {
                let width: f64 = table
                    .columns
                    .iter()
                    .map(|c| match Physical::of(c.ty) {
                        Physical::Var | Physical::B16 => 24.0,
                        Physical::I64 | Physical::F64 => 8.0,
                        _ => 4.0,
                    })
                    .sum();
                8192.0 / (width + 8.0)
            }
        };
        ((pages * density).round().max(1.0), pages)
    }

    fn column(&self, table: Oid, column: usize) -> Option<Arc<ColumnStatistics>> {
        self.image.statistics(table, column as i16 + 1).cloned()
    }

    fn allows(&self, way: Way) -> bool {
        self.settings.is_none_or(|s| !s.is_off(way.setting()))
    }

    fn workers(&self, pages: f64) -> usize {
        let Some(settings) = self.settings else { return 0 };
        let number = |name: &str| settings.get(name).ok().and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        let most = number("max_parallel_workers_per_gather").min(number("max_parallel_workers"));
        let least = settings.get("min_parallel_table_scan_size").map_or(0, |text| exec::size_bytes(&text));
        let mut pages_of_next = (least as f64 / 8192.0).max(1.0);
        if most == 0 || pages < least as f64 / 8192.0 {
            return 0;
        }
        // One more for each time the table is three times as large, as in PostgreSQL; but no more than can run.
        let mut workers = 1;
        while pages >= pages_of_next * 3.0 {
            workers += 1;
            pages_of_next *= 3.0;
        }
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        workers.min(most).min(processors - 1)
    }

    fn work_bytes(&self) -> f64 {
        let text = self.settings.and_then(|s| s.get("work_mem").ok());
        text.map_or(4e6, |text| exec::size_bytes(&text) as f64)
    }
}

impl Session {
    /// The plan of a bound statement.
    pub(crate) fn optimized(&mut self, node: Node) -> Result<Node> {
        let image = self.image()?;
        Ok(optimizer::optimize(node, &Known { image: &image, db: &self.db, settings: Some(&self.settings) }))
    }
}
