//! Which columns of its input each node reads, so that scans load no others.

use plan::counter::Fetches;
use plan::{Expr, ExprKind, JoinKind, Needed, Node};
use types::Datum;

use crate::access;
use crate::fold::is_volatile;
use crate::statistics::{NoStatistics, Statistics};

/// Columns that are read; `None` is all.
type Wanted = Option<Vec<bool>>;

/// Adds the columns that `exprs` read.
fn add<'e>(wanted: &mut Wanted, exprs: impl IntoIterator<Item = &'e Expr>) {
    let Some(wanted) = wanted else { return };
    exprs.into_iter().for_each(|e| e.mark_columns(wanted));
}

/// Adds the columns that the expressions of `node` itself read.
fn add_own(wanted: &mut Wanted, node: &Node) {
    node.each_expr(&mut |e| add(wanted, [e]));
}

/// None of `n` columns.
fn none(n: usize) -> Wanted {
    Some(vec![false; n])
}

/// What is read of each side of a join: for what is `wanted` of it, and by its condition.
fn of_sides(wanted: Wanted, kind: JoinKind, sides: (&Node, &Node), condition: Option<&Expr>) -> (Wanted, Wanted) {
    let (left, right) = (sides.0.types().len(), sides.1.types().len());
    let mut both = wanted;
    if let Some(w) = &mut both
        && matches!(kind, JoinKind::Semi | JoinKind::Anti)
    {
        w.resize(left + right, false);
    }
    add(&mut both, condition);
    match both {
        Some(w) => (Some(w[..left].to_vec()), Some(w[left..].to_vec())),
        None => (None, None),
    }
}

/// Marks what scans under `node`, a query as it was written, must load to compute all that is written in it, be it asked for or not.
pub fn mark_written(node: &mut Node) {
    fn below(node: &mut Node) {
        // What reads its columns from further up is a reader of these expressions.
        if matches!(node, Node::Project { .. }) {
            mark(node, None, &NoStatistics);
        }
        node.each_expr_mut(&mut |e| {
            e.visit_mut(&mut |e| {
                if let ExprKind::Subquery(sub) = &mut e.kind {
                    mark_written(&mut sub.node);
                }
            });
        });
        node.inputs_mut().into_iter().for_each(below);
    }
    mark(node, None, &NoStatistics);
    below(node);
}

/// Marks what scans under `node` must load, when `wanted` of its columns are read.
pub fn mark(node: &mut Node, wanted: Wanted, s: &dyn Statistics) {
    let mut wanted = wanted;
    match node {
        Node::Filter { .. } | Node::Sort { .. } | Node::IncrementalSort { .. } => add_own(&mut wanted, node),
        Node::ProjectSet { input, .. } | Node::Aggregate { input, .. } | Node::GroupAggregate { input, .. } => {
            wanted = none(input.types().len());
            add_own(&mut wanted, node);
        }
        // Their input's columns come first in what they yield.
        Node::GroupingSets { input, .. } | Node::Window { input, .. } => {
            if let Some(wanted) = &mut wanted {
                wanted.resize(input.types().len(), false);
            }
            add_own(&mut wanted, node);
        }
        _ => {}
    }
    match node {
        // It knows itself what its filter reads: that need not be loaded for all rows, nor at all.
        Node::Scan { needed, .. } => *needed = Needed(wanted),
        Node::IndexScan { table, range, needed, filter, only } => {
            add(&mut wanted, &*filter);
            *needed = Needed(wanted);
            *only = access::is_covered(table, range.index, needed, s).then(Fetches::default);
        }
        Node::BitmapScan { needed, filter, .. } => {
            add(&mut wanted, &*filter);
            *needed = Needed(wanted);
        }
        Node::Filter { input, .. }
        | Node::Sort { input, .. }
        | Node::IncrementalSort { input, .. }
        | Node::ProjectSet { input, .. }
        | Node::Aggregate { input, .. }
        | Node::GroupAggregate { input, .. }
        | Node::GroupingSets { input, .. }
        | Node::Window { input, .. } => mark(input, wanted, s),
        Node::Limit { input, ties, .. } => {
            if let Some(wanted) = &mut wanted {
                ties.iter().flatten().for_each(|&i| wanted[i] = true);
            }
            mark(input, wanted, s);
        }
        Node::Project { input, exprs } => {
            // A column that is passed on for nobody is not needed, and what nobody reads is not computed.
            let unread = |i: usize| wanted.as_ref().is_some_and(|w| !w.get(i).copied().unwrap_or(true));
            for (_, e) in exprs.iter_mut().enumerate().filter(|(i, _)| unread(*i)) {
                if !matches!(e.kind, ExprKind::Column(_)) && !is_volatile(e) {
                    e.kind = ExprKind::Const(Datum::Null);
                }
            }
            let is_passed = |e: &Expr| matches!(e.kind, ExprKind::Column(_));
            let read = exprs.iter().enumerate().filter(|(i, e)| !(unread(*i) && is_passed(e))).map(|(_, e)| e);
            let mut inner = none(input.types().len());
            add(&mut inner, read);
            mark(input, inner, s);
        }
        Node::Join { kind, left, right, equal, condition }
        | Node::MergeJoin { kind, left, right, equal, condition } => {
            let (mut l, mut r) = of_sides(wanted, *kind, (left, right), condition.as_ref());
            add(&mut l, equal.iter().map(|e| &e.0));
            add(&mut r, equal.iter().map(|e| &e.1));
            mark(left, l, s);
            mark(right, r, s);
        }
        Node::Apply { kind, left, right, binds, condition } => {
            let (mut l, r) = of_sides(wanted, *kind, (left, right), condition.as_ref());
            add(&mut l, binds.iter().map(|b| &b.1));
            mark(left, l, s);
            mark(right, r, s);
        }
        // A row that goes need not be read, but for what refers to it and for indexes whose entries must be computed.
        Node::Delete { table, rules, input, returning: None }
            if input.types().len() == table.columns.len() + 1
                && table.indexes.iter().all(|i| i.follows_from_rows(&table.columns)) =>
        {
            let mut inner = none(input.types().len());
            if let Some(inner) = &mut inner {
                inner[table.columns.len()] = true;
                rules.referenced.iter().flat_map(|r| &r.columns).for_each(|&c| inner[c] = true);
            }
            mark(input, inner, s);
        }
        // Whole rows count.
        _ => node.inputs_mut().into_iter().for_each(|n| mark(n, None, s)),
    }
}
