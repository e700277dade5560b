//! What ANALYZE found out about tables and columns, as the optimizer reads it.

use types::array::Array;
use types::{Datum, Oid};

use crate::stored::Fields;

/// `pg_statistic.stakindN` of most common values, a histogram, a correlation.
pub const KINDS: [i16; 3] = [1, 2, 3];

/// How large a table was when it was last looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableSize {
    /// Rows; negative when nobody looked.
    pub rows: f32,
    /// Pages of 8 kB.
    pub pages: i32,
}

/// A row of `pg_statistic`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnStatistics {
    /// Which part of the values is NULL.
    pub null_fraction: f64,
    /// Bytes of a value, on average.
    pub width: i32,
    /// Different values when positive; when negative, minus their part of all rows.
    pub distinct: f64,
    /// The most common values, and their parts of all rows.
    pub common: Vec<(Datum, f64)>,
    /// Bounds of groups of as many values each, without the most common ones.
    pub histogram: Vec<Datum>,
    /// How far rising values are in the order of their rows: -1 to 1.
    pub correlation: Option<f64>,
}

impl ColumnStatistics {
    /// The table and column number, and what a row of `pg_statistic` says of it.
    pub fn of_row(row: Fields<'_>) -> ((Oid, i16), ColumnStatistics) {
        let real = |d: &Datum| match d {
            Datum::F32(v) => f64::from(*v),
            _ => 0.0,
        };
        let list = |d: &Datum| if d.is_null() { Vec::new() } else { Array::from_datum(d).values };
        let mut found = ColumnStatistics {
            null_fraction: real(row.get("stanullfrac")),
            width: row.int("stawidth") as i32,
            distinct: real(row.get("stadistinct")),
            ..ColumnStatistics::default()
        };
        for slot in 1..=5 {
            let numbers = || list(row.get(&format!("stanumbers{slot}"))).iter().map(real).collect::<Vec<f64>>();
            let values = || list(row.get(&format!("stavalues{slot}")));
            match row.int(&format!("stakind{slot}")) {
                1 => found.common = values().into_iter().zip(numbers()).collect(),
                2 => found.histogram = values(),
                3 => found.correlation = numbers().first().copied(),
                _ => {}
            }
        }
        ((row.oid("starelid"), row.int("staattnum") as i16), found)
    }
}
