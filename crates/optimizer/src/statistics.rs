//! What the optimizer asks about tables, and about what it may do.

use std::sync::Arc;

pub use catalog::ColumnStatistics;
use plan::TableRef;
use types::Oid;

/// What may be avoided: PostgreSQL's `enable_` settings. What cannot be avoided is done all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as the settings are")]
pub enum Way {
    SeqScan,
    IndexScan,
    IndexOnlyScan,
    BitmapScan,
    Sort,
    IncrementalSort,
    HashJoin,
    MergeJoin,
    NestLoop,
    HashAgg,
}

impl Way {
    /// The setting that it obeys.
    pub fn setting(self) -> &'static str {
        match self {
            Way::SeqScan => "enable_seqscan",
            Way::IndexScan => "enable_indexscan",
            Way::IndexOnlyScan => "enable_indexonlyscan",
            Way::BitmapScan => "enable_bitmapscan",
            Way::Sort => "enable_sort",
            Way::IncrementalSort => "enable_incremental_sort",
            Way::HashJoin => "enable_hashjoin",
            Way::MergeJoin => "enable_mergejoin",
            Way::NestLoop => "enable_nestloop",
            Way::HashAgg => "enable_hashagg",
        }
    }
}

/// Knows how large tables are and what is in them.
pub trait Statistics {
    /// About how many rows `table` has, and how many pages of 8 kB.
    fn size(&self, table: &TableRef) -> (f64, f64);

    /// What ANALYZE found out about column `column`, from 0, of `table`.
    fn column(&self, table: Oid, column: usize) -> Option<Arc<ColumnStatistics>>;

    /// Whether `way` is one to take.
    fn allows(&self, way: Way) -> bool {
        let _ = way;
        true
    }

    /// How many threads may help with reading so many pages of a table.
    fn workers(&self, pages: f64) -> usize {
        let _ = pages;
        0
    }

    /// Memory of a sort or a hash table, in bytes.
    fn work_bytes(&self) -> f64 {
        4e6
    }
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
