//! What the optimizer asks about tables.

use std::sync::Arc;

pub use catalog::ColumnStatistics;
use plan::TableRef;
use types::Oid;

/// Knows how large tables are and what is in them.
pub trait Statistics {
    /// About how many rows `table` has, and how many pages of 8 kB.
    fn size(&self, table: &TableRef) -> (f64, f64);

    /// What ANALYZE found out about column `column`, from 0, of `table`.
    fn column(&self, table: Oid, column: usize) -> Option<Arc<ColumnStatistics>>;
}

/// Knows nothing: every table is small.
pub struct NoStatistics;

impl Statistics for NoStatistics {
    fn size(&self, _: &TableRef) -> (f64, f64) {
        (1000.0, 10.0)
    }

    fn column(&self, _: Oid, _: usize) -> Option<Arc<ColumnStatistics>> {
        None
    }
}
