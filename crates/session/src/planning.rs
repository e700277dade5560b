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
