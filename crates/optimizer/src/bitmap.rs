//! Which sets of row ids several indexes can make for some predicates.

use plan::{Bits, Expr, ExprKind, IndexRange, Node, TableRef};

use crate::access;
use crate::estimate::{bits_estimate, table_columns};
use crate::fold::{conjuncts, has_subquery};
use crate::statistics::{Statistics, Way};

/// Rows of a single range that are not worth a bitmap.
const FEW: f64 = 64.0;

/// Sets that hold all rows that satisfy `predicates`, whose ranges are `ranges`: those worth a look.
pub fn choices(table: &TableRef, ranges: &[IndexRange], predicates: &[Expr], s: &dyn Statistics) -> Vec<Bits> {
    if !s.allows(Way::BitmapScan) {
        return Vec::new();
    }
    let mut parts: Vec<Bits> = ranges.iter().filter(|r| !r.is_whole()).cloned().map(Bits::Range).collect();
    // A list of values is a range already.
    let is_open = |p: &&Expr| !ranges.iter().any(|r| r.implied.contains(p) || r.equals.contains(p));
    parts.extend(predicates.iter().filter(is_open).filter_map(|p| either(table, p, s)));
    let (rows, _) = s.size(table);
    let columns = table_columns(table, rows, s);
    parts.sort_by(|a, b| {
        let listed = |bits: &Bits| bits_estimate(table, bits, rows, &columns).0;
        listed(a).total_cmp(&listed(b))
    });
    // Few rows of one range are as well read in its order, without a wait for the last one; and few they are taken for as long as nothing
    // is known of them.
    let is_many = |bits: &&Bits| match bits {
        Bits::Range(range) if s.allows(Way::IndexScan) => {
            let mut used = table.indexes[range.index].columns.iter().take(range.equal.len() + 1);
            used.any(|k| s.column(table.oid, k.0).is_some()) && bits_estimate(table, bits, rows, &columns).0 >= FEW
        }
        _ => true,
    };
    let mut found: Vec<Bits> = parts.iter().filter(is_many).cloned().collect();
    // The smallest set, and what takes some more away from it.
    if parts.len() > 1 {
        let mut together = vec![parts[0].clone()];
        for part in &parts[1..] {
            let used = |bits: &Bits| -> Vec<Expr> {
                bits.ranges().into_iter().flat_map(|r| r.equals.iter().chain(&r.bounds).cloned()).collect()
            };
            let mine = used(part);
            if together.iter().all(|t| used(t).iter().all(|e| !mine.contains(e))) {
                together.push(part.clone());
                found.push(Bits::And(together.clone()));
            }
        }
    }
    found
}

/// Rows that are deleted are best found page after page, whichever their number, as nobody asks for their order: a page is latched and logged
/// once for all of its rows.
pub fn by_pages(node: &mut Node, s: &dyn Statistics) {
    let Node::IndexScan { range, .. } = &*node else { return };
    if (range.low.is_none() && range.high.is_none()) || !s.allows(Way::BitmapScan) {
        return;
    }
    let bits = Bits::Range(range.clone());
    let Some((of, predicates)) = access::scanned(node) else { return };
    *node = access::bitmap_scan(of, bits, predicates);
}

/// The rows that an OR lets through, where each of its arms is a range of an index.
fn either(table: &TableRef, p: &Expr, s: &dyn Statistics) -> Option<Bits> {
    let ExprKind::Or(arms) = &p.kind else { return None };
    if has_subquery(p) {
        return None;
    }
    let (rows, _) = s.size(table);
    let columns = table_columns(table, rows, s);
    let arm = |e: &Expr| {
        let mut list = Vec::new();
        conjuncts(e.clone(), &mut list);
        let ranges = access::ranges(table, &list).into_iter().filter(|r| !r.is_whole()).map(Bits::Range);
        let nested = list.iter().filter_map(|p| either(table, p, s));
        ranges.chain(nested).min_by(|a, b| {
            let listed = |bits: &Bits| bits_estimate(table, bits, rows, &columns).0;
            listed(a).total_cmp(&listed(b))
        })
    };
    arms.iter().map(arm).collect::<Option<Vec<_>>>().map(Bits::Or)
}
