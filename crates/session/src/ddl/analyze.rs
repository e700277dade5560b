//! ANALYZE: a sample of a table's rows becomes rows of `pg_statistic`, which the optimizer reads.

use std::sync::Arc;

use catalog::TableInfo;
use catalog::stored::{PG_CLASS, PG_STATISTIC};
use types::array::Array;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::session::Session;

/// Rows of a sample.
const SAMPLE_MAX: usize = 30_000;
/// Most common values, and groups of a histogram.
const TARGET: usize = 100;
/// Longer values are no statistics.
const WIDTH_MAX: usize = 1024;

/// Values of a column in the sample: their sort key, the value, and the place of the row.
type Sampled = Vec<(Vec<u8>, Datum, usize)>;

/// What a sample says of a column.
#[derive(Default)]
struct Found {
    null_fraction: f64,
    width: f64,
    distinct: f64,
    common: Vec<(Datum, f64)>,
    histogram: Vec<Datum>,
    correlation: Option<f64>,
}

impl Session {
    /// Looks at `info`, at the columns called `names` or at all of them.
    pub(crate) fn analyze_table(&mut self, info: &Arc<TableInfo>, names: &[&str]) -> Result<()> {
        let mut columns: Vec<usize> = Vec::new();
        for name in names {
            match info.columns.iter().position(|c| c.name == *name && !c.dropped) {
                Some(i) => columns.push(i),
                None => {
                    let message = format!("column \"{name}\" of relation \"{}\" does not exist", info.name);
                    return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message));
                }
            }
        }
        if names.is_empty() {
            columns = (0..info.columns.len()).filter(|&i| !info.columns[i].dropped).collect();
        }
        let counts = self.db.relation(info.rel)?.counts();
        let (rows, total) = self.sample(info, &columns)?;
        let table = info.oid;
        for (at, &column) in columns.iter().enumerate() {
            let ty = info.columns[column].ty;
            let number = Datum::I16(column as i16 + 1);
            self.remove_rows(PG_STATISTIC, |r| r.oid("starelid") == table && *r.get("staattnum") == number)?;
            if rows.is_empty() {
                continue;
            }
            let values: Vec<&Datum> = rows.iter().map(|r| &r[at]).collect();
            let found = self.examine(ty, &values, total as f64)?;
            self.store(table, number, ty, &found)?;
        }
        let pages = self.db.relation(info.rel)?.size_bytes().div_ceil(8192);
        let size = [("reltuples", Datum::F32(total as f32)), ("relpages", Datum::I32(pages as i32))];
        self.change_rows(PG_CLASS, |r| r.oid("oid") == table, &size)?;
        for index in &info.indexes {
            let pages = self.db.relation(index.rel)?.size_bytes().div_ceil(8192);
            let size = [("reltuples", Datum::F32(total as f32)), ("relpages", Datum::I32(pages as i32))];
            let oid = index.oid;
            self.change_rows(PG_CLASS, |r| r.oid("oid") == oid, &size)?;
        }
        if names.is_empty() {
            self.runtime.note_analysed(&self.db, info, counts, !self.unasked);
        }
        Ok(())
    }

    /// Some rows of a table, in its order, and how many it has.
    fn sample(&mut self, info: &Arc<TableInfo>, columns: &[usize]) -> Result<(Vec<Vec<Datum>>, u64)> {
        let name = self.qualified_name(info)?;
        let list: Vec<String> =
            columns.iter().map(|&c| syntax::quote_ident(&info.columns[c].name).to_string()).collect();
        let list = if list.is_empty() { "NULL".to_owned() } else { list.join(", ") };
        let sql = format!("SELECT {list} FROM ONLY {name}");
        let statements = syntax::parse(&sql)?;
        let Some(statement) = statements.first() else { return Ok(Default::default()) };
        let (node, shown) = self.locked_plan(&sql, &statement.kind, None, &[])?;
        let mut running = self.start(node, shown)?;
        let mut rows: Vec<(u64, Vec<Datum>)> = Vec::new();
        let mut total = 0u64;
        // A reservoir: each row has the same chance to be in it. The same table gives the same sample.
        let mut seed = 0x9e37_79b9_7f4a_7c15u64 ^ u64::from(info.oid.0);
        while let Some(chunk) = running.next_chunk(self)? {
            for i in 0..chunk.rows {
                total += 1;
                if rows.len() < SAMPLE_MAX {
                    rows.push((total, chunk.row(i)));
                    continue;
                }
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let place = seed % total;
                if let Some(row) = rows.get_mut(place as usize) {
                    *row = (total, chunk.row(i));
                }
            }
        }
        rows.sort_unstable_by_key(|r| r.0);
        Ok((rows.into_iter().map(|r| r.1).collect(), total))
    }

    fn examine(&mut self, ty: Oid, values: &[&Datum], total: f64) -> Result<Found> {
        let image = self.image()?;
        let names = binder::Names { image: &image, search_path: &self.search_path };
        let sampled = values.len() as f64;
        let mut found = Found::default();
        let (mut keyed, mut widths, mut ordered): (Sampled, usize, bool) = (Vec::new(), 0, true);
        for (row, value) in values.iter().enumerate() {
            let width = width(value);
            widths += width;
            if value.is_null() || width > WIDTH_MAX {
                continue;
            }
            let mut key = Vec::new();
            if types::sortkey::encode_key_with(&mut key, ty, value, false, false, &names).is_err() {
                ordered = false;
                break;
            }
            keyed.push((key, (*value).clone(), row));
        }
        let present = values.iter().filter(|v| !v.is_null()).count();
        found.null_fraction = 1.0 - present as f64 / sampled;
        found.width = if present == 0 { 0.0 } else { widths as f64 / present as f64 };
        if !ordered || keyed.is_empty() {
            return Ok(found);
        }
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        // Runs of equal values: where each starts, and how long it is.
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for i in 0..keyed.len() {
            match runs.last_mut() {
                Some((start, n)) if keyed[*start].0 == keyed[i].0 => *n += 1,
                _ => runs.push((i, 1)),
            }
        }
        found.distinct = distinct(&runs, keyed.len() as f64, sampled, total, found.null_fraction);
        let chosen = most_common(&runs, keyed.len(), &found, total);
        found.common = chosen.iter().map(|&(start, n)| (keyed[start].1.clone(), n as f64 / sampled)).collect();
        let rest: Vec<usize> = runs
            .iter()
            .filter(|r| !chosen.iter().any(|c| c.0 == r.0))
            .flat_map(|&(start, n)| start..start + n)
            .collect();
        let others = runs.len() - chosen.len();
        if others >= 2 {
            let bounds = (TARGET + 1).min(others).min(rest.len());
            found.histogram = (0..bounds).map(|b| keyed[rest[b * (rest.len() - 1) / (bounds - 1)]].1.clone()).collect();
        }
        if runs.len() > 1 {
            found.correlation = Some(correlation(&keyed));
        }
        Ok(found)
    }

    fn store(&mut self, table: Oid, number: Datum, ty: Oid, found: &Found) -> Result<()> {
        let operator = |name: &str| {
            let found = catalog::builtin::operators_by_name(name).find(|o| o.left == ty && o.right == ty);
            Datum::from(found.map_or(Oid::NONE, |o| o.oid))
        };
        let reals = |list: Vec<f64>| {
            Array::one_dimensional(oid::FLOAT4, list.into_iter().map(|v| Datum::F32(v as f32)).collect()).to_datum()
        };
        let mut values = vec![
            ("starelid", Datum::from(table)),
            ("staattnum", number),
            ("stanullfrac", Datum::F32(found.null_fraction as f32)),
            ("stawidth", Datum::I32(found.width.round() as i32)),
            ("stadistinct", Datum::F32(found.distinct as f32)),
        ];
        if !found.common.is_empty() {
            let list = found.common.iter().map(|c| c.0.clone()).collect();
            values.extend([
                ("stakind1", Datum::I16(1)),
                ("staop1", operator("=")),
                ("stanumbers1", reals(found.common.iter().map(|c| c.1).collect())),
                ("stavalues1", Array::one_dimensional(ty, list).to_datum()),
            ]);
        }
        if !found.histogram.is_empty() {
            values.extend([
                ("stakind2", Datum::I16(2)),
                ("staop2", operator("<")),
                ("stavalues2", Array::one_dimensional(ty, found.histogram.clone()).to_datum()),
            ]);
        }
        if let Some(correlation) = found.correlation {
            values.extend([
                ("stakind3", Datum::I16(3)),
                ("staop3", operator("<")),
                ("stanumbers3", reals(vec![correlation])),
            ]);
        }
        self.add_row(PG_STATISTIC, &values)
    }
}

fn width(value: &Datum) -> usize {
    match value {
        Datum::Null => 0,
        Datum::Bool(_) | Datum::I8(_) => 1,
        Datum::I16(_) => 2,
        Datum::I32(_) | Datum::U32(_) | Datum::F32(_) => 4,
        Datum::I64(_) | Datum::F64(_) => 8,
        Datum::B16(_) => 16,
        Datum::Var(bytes) => bytes.len() + 1,
    }
}

/// How many values there are, after Haas and Stokes (1998): from how many there are in the sample, and how many of them once. Negative
/// numbers are a part of all rows, where values grow in number with the table.
fn distinct(runs: &[(usize, usize)], present: f64, sampled: f64, total: f64, null_fraction: f64) -> f64 {
    let seen = runs.len() as f64;
    let once = runs.iter().filter(|r| r.1 == 1).count() as f64;
    if once == seen {
        return -(1.0 - null_fraction);
    }
    if once == 0.0 || sampled >= total {
        return if seen > 0.1 * total { -(seen / total) } else { seen };
    }
    let all = total * (1.0 - null_fraction);
    let estimate = (present * seen) / ((present - once) + once * present / all.max(1.0));
    let estimate = estimate.clamp(seen, all.max(seen));
    if estimate > 0.1 * total { -(estimate / total) } else { estimate.round() }
}

/// The values that are so common that they are listed: all when they are few, else those that are clearly more common than the average.
fn most_common(runs: &[(usize, usize)], present: usize, found: &Found, total: f64) -> Vec<(usize, usize)> {
    let repeated = runs.iter().filter(|r| r.1 > 1).count();
    if runs.len() <= TARGET && repeated == runs.len() && found.distinct > 0.0 {
        let mut all = runs.to_vec();
        all.sort_by_key(|r| std::cmp::Reverse(r.1));
        return all;
    }
    let distinct = if found.distinct < 0.0 { -found.distinct * total } else { found.distinct };
    let mut chosen: Vec<(usize, usize)> = runs.iter().filter(|r| r.1 > 1).copied().collect();
    chosen.sort_by_key(|r| std::cmp::Reverse(r.1));
    chosen.truncate(TARGET);
    // The least common one goes while its count may be chance: within two deviations of what the values that are not listed have.
    let sampled = present as f64 / (1.0 - found.null_fraction).max(1e-9);
    while let Some(&(_, least)) = chosen.last() {
        let others: usize = chosen[..chosen.len() - 1].iter().map(|c| c.1).sum();
        let rest = (1.0 - others as f64 / sampled - found.null_fraction).max(0.0);
        let expected = (rest / (distinct - (chosen.len() - 1) as f64).max(1.0)).min(1.0) * sampled;
        let in_table = total * least as f64 / sampled;
        // Of a draw without replacement.
        let variance =
            sampled * in_table * (total - in_table) * (total - sampled) / (total * total * (total - 1.0).max(1.0));
        if least as f64 > expected + 2.0 * variance.max(0.0).sqrt() + 0.5 {
            break;
        }
        chosen.pop();
    }
    chosen
}

/// How far the order of values is the order of rows.
fn correlation(keyed: &[(Vec<u8>, Datum, usize)]) -> f64 {
    let n = keyed.len() as f64;
    let places: f64 = keyed.iter().enumerate().map(|(i, k)| i as f64 * k.2 as f64).sum();
    let mean = |f: &dyn Fn(usize, usize) -> f64| keyed.iter().enumerate().map(|(i, k)| f(i, k.2)).sum::<f64>() / n;
    let (rank, row) = (mean(&|i, _| i as f64), mean(&|_, r| r as f64));
    let (rank2, row2) = (mean(&|i, _| (i * i) as f64), mean(&|_, r| (r * r) as f64));
    let spread = ((rank2 - rank * rank) * (row2 - row * row)).sqrt();
    if spread > 0.0 { ((places / n - rank * row) / spread).clamp(-1.0, 1.0) } else { 0.0 }
}
