//! From plan nodes to operators.

use plan::{Expr, JoinKind, Node, SortKey, TableSource};
use vector::Chunk;

use crate::BoxOperator;
use crate::aggregate::{Aggregate, GroupAggregate};
use crate::apply::Apply;
use crate::bitmap_scan::BitmapScan;
use crate::catalog_scan::CatalogScan;
use crate::counted::Counted;
use crate::cte::{CteScan, Recursive, With};
use crate::distinct::Distinct;
use crate::function_scan::{FunctionScan, ProjectSet};
use crate::gather::Gather;
use crate::grouping::GroupingSets;
use crate::incremental_sort::IncrementalSort;
use crate::index_only_scan::IndexOnlyScan;
use crate::index_scan::IndexScan;
use crate::join::Join;
use crate::lock_rows::LockRows;
use crate::merge::Merge;
use crate::merge_join::MergeJoin;
use crate::modify::{Delete, Insert, Update};
use crate::parallel::Fragment;
use crate::point_scan::PointScan;
use crate::returning::is_wide;
use crate::scan::{SeqScan, forms, is_simple};
use crate::set_op::SetOp;
use crate::simple::{Constants, Filter, Limit, Project, Values};
use crate::sort::Sort;
use crate::unique::Unique;
use crate::window::Window;

/// The operator tree of `node`.
pub fn build(node: &Node) -> BoxOperator {
    match node {
        Node::Values { rows, types } => Box::new(Values::new(rows.clone(), types)),
        Node::Constants { rows, types } => Box::new(Constants::new(rows.clone(), types)),
        Node::Scan { table, filter, needed } => match table.source {
            TableSource::Stored => Box::new(SeqScan::new(table.clone(), filter.clone(), needed.clone())),
            TableSource::Catalog { .. } => Box::new(CatalogScan {
                table: table.clone(),
                filter: filter.clone().map(Into::into),
                forms: forms(table),
                stored: None,
                next: 0,
            }),
        },
        Node::IndexScan { table, range, filter, needed, only: None } => match point_scan(node, None) {
            Some(point) => Box::new(point),
            None => Box::new(IndexScan::new(table.clone(), range.clone(), filter.clone(), needed.clone())),
        },
        Node::IndexScan { table, range, filter, needed, only: Some(fetches) } => {
            Box::new(IndexOnlyScan::new(table.clone(), range.clone(), filter.clone(), needed.clone(), fetches.clone()))
        }
        Node::BitmapScan { table, bits, filter, needed } => {
            Box::new(BitmapScan::new(table.clone(), bits.clone(), filter.clone(), needed.clone()))
        }
        Node::FunctionScan { function, routine, args, types, names, ordinality, .. } => Box::new(FunctionScan {
            names: names.clone(),
            function: *function,
            routine: routine.clone(),
            args: args.clone(),
            types: types.clone(),
            ordinality: *ordinality,
            rows: None,
            count: 0,
        }),
        Node::Counted { input, counter } => {
            Box::new(Counted { input: build(input), counter: counter.clone(), begun: (false, false) })
        }
        Node::Filter { input, predicate } => {
            Box::new(Filter { input: build(input), predicate: predicate.clone().into() })
        }
        Node::Project { input, exprs } => match point_scan(input, Some(exprs)) {
            Some(point) => Box::new(point),
            None => Box::new(Project::new(build(input), exprs.clone())),
        },
        Node::ProjectSet { input, exprs } => Box::new(ProjectSet {
            input: build(input),
            exprs: exprs.clone(),
            is_ready: false,
            chunk: Chunk::default(),
            row: 0,
            sets: None,
        }),
        Node::Join { kind, left, right, equal, condition } => Box::new(Join::new(
            *kind,
            build(left),
            build(right),
            (left.forms(), right.forms()),
            equal.clone(),
            condition.clone(),
        )),
        Node::MergeJoin { kind, left, right, equal, condition } => Box::new(MergeJoin::new(
            *kind,
            build(left),
            build(right),
            (left.forms(), right.forms()),
            equal.clone(),
            condition.clone(),
        )),
        Node::Apply { kind, left, right, binds, condition } => {
            Box::new(apply(*kind, build(left), (left, right), binds, condition.as_ref()))
        }
        Node::Aggregate { input, groups, calls } => {
            let (input, fragment) = below_gather(input);
            let aggregate = Aggregate::new(build(input), groups.clone(), calls.clone(), node.forms());
            Box::new(aggregate.in_parallel(fragment))
        }
        Node::Gather { input, workers, .. } => match Fragment::of(input, *workers) {
            Some(fragment) => Box::new(Gather::new(build(input), fragment)),
            None => build(input),
        },
        Node::GroupAggregate { input, groups, calls } => {
            Box::new(GroupAggregate::new(build(input), groups.clone(), calls.clone(), node.forms()))
        }
        Node::GroupingSets { input, groups, sets } => {
            Box::new(GroupingSets::new(build(input), groups.clone(), sets.clone(), input.types().len(), node.forms()))
        }
        Node::Window { input, window, calls } => {
            Box::new(Window::new(build(input), window.clone(), calls.clone(), input.forms(), node.forms()))
        }
        Node::Sort { input, keys } => Box::new(sort(input, keys, None)),
        Node::IncrementalSort { input, keys, presorted } => {
            Box::new(IncrementalSort::new(build(input), keys.clone(), *presorted, input.forms()))
        }
        Node::Unique { input, on } => {
            let types = input.types();
            Box::new(Unique::new(build(input), on.clone(), on.iter().map(|&c| types[c]).collect()))
        }
        Node::Distinct { input, on } => Box::new(Distinct::new(build(input), input.types(), on.clone())),
        Node::Limit { input, count, offset, ties } => {
            let ties = ties.as_ref().map(|columns| {
                let types = input.types();
                columns.iter().map(|&c| (c, types[c])).collect()
            });
            // Rows that nobody asks for need not be sorted.
            let below = match (&**input, count) {
                (Node::Sort { input: sorted, keys }, Some(count))
                    if ties.is_none() && [Some(count), offset.as_ref()].into_iter().flatten().all(is_steady) =>
                {
                    let limit = Some((count.clone(), offset.clone()));
                    Box::new(sort(sorted, keys, limit))
                }
                _ => build_limited(input),
            };
            Box::new(Limit::new(below, count.clone(), offset.clone(), ties))
        }
        Node::SetOp { kind, all, left, right } => {
            let both = Box::new(SetOp::new(*kind, *all, build(left), build(right), left.types()));
            match (kind, all) {
                (plan::SetKind::Union, false) => Box::new(Distinct::new(both, left.types(), None)),
                _ => both,
            }
        }
        Node::With { ctes, body } => Box::new(With { ctes: ctes.clone(), body: build(body), open: false }),
        Node::CteScan { id, .. } => Box::new(CteScan { id: *id, working: None, next: 0 }),
        Node::Recursive { id, base, step, distinct } => Box::new(Recursive {
            id: *id,
            types: base.types(),
            base: build(base),
            step: build(step),
            distinct: *distinct,
            seen: Default::default(),
            fresh: Vec::new(),
            in_step: false,
        }),
        Node::LockRows { input, locks } => Box::new(lock_rows(input, locks, false)),
        Node::Insert { table, rules, input, conflict, returning } => Box::new(Insert {
            table: table.clone(),
            rules: rules.clone(),
            input: build(input),
            conflict: conflict.clone(),
            wide: is_wide(returning.as_ref(), table.columns.len() + 1),
            is_ready: false,
            are_rules_ready: false,
            returning: returning.clone(),
            handles: None,
            chunk: Chunk::default(),
        }),
        Node::Update { table, rules, input, sets, returning } => Box::new(Update {
            table: table.clone(),
            rules: rules.clone(),
            forms: input.forms(),
            recheck: predicates(input),
            input: build(input),
            sets: sets.clone(),
            wide: is_wide(returning.as_ref(), input.types().len()),
            is_ready: false,
            are_rules_ready: false,
            returning: returning.clone(),
            handles: None,
            chunk: Chunk::default(),
        }),
        Node::Delete { table, rules, input, returning } => Box::new(Delete {
            table: table.clone(),
            rules: rules.clone(),
            forms: input.forms(),
            recheck: predicates(input),
            input: build(input),
            wide: is_wide(returning.as_ref(), input.types().len()),
            returning: returning.clone(),
            handles: None,
            chunk: Chunk::default(),
        }),
        Node::Merge { table, rules, input, marker, recheck, arms, returning } => Box::new(Merge::new(
            table.clone(),
            rules.clone(),
            build(input),
            input.forms(),
            *marker,
            recheck.clone(),
            arms.clone(),
            returning.clone(),
        )),
    }
}

/// For each row of `below`, which is the left of these, the rows of the right.
pub fn apply(
    kind: JoinKind,
    below: BoxOperator,
    (left, right): (&Node, &Node),
    binds: &[(usize, Expr)],
    condition: Option<&Expr>,
) -> Apply {
    let mut is_steady = kind != JoinKind::Right && condition.is_none_or(is_simple);
    right.visit(&mut |node| node.each_expr(&mut |e| is_steady &= is_simple(e)));
    Apply {
        kind,
        is_steady,
        left: below,
        right: build(right),
        left_forms: left.forms(),
        right_forms: right.forms(),
        binds: binds.to_vec(),
        condition: condition.cloned(),
        is_ready: false,
        chunk: Chunk::default(),
        row: 0,
    }
}

/// A sort of the rows of `input`.
fn sort(input: &Node, keys: &[SortKey], limit: Option<(Expr, Option<Expr>)>) -> Sort {
    let (input, fragment) = below_gather(input);
    Sort::new(build(input), keys.to_vec(), input.forms(), limit).in_parallel(fragment)
}

/// What stands below a Gather, and the fragment that it is; or `input` as it is.
fn below_gather(input: &Node) -> (&Node, Option<Fragment>) {
    match Fragment::below(input) {
        Some((below, fragment)) => (below, Some(fragment)),
        None => (input, None),
    }
}

/// A scan for one row that `node` is, below a projection if there is one.
fn point_scan(node: &Node, projection: Option<&[Expr]>) -> Option<PointScan> {
    match node {
        Node::IndexScan { table, range, filter: None, needed, only: None } => {
            PointScan::new(table, range, needed, projection)
        }
        _ => None,
    }
}

/// The operators of `node`, a chain of Insert, Filter and Project, with `input` in place of what stands below them. They take one
/// chunk of it at a time, and answer false when it does: it may have more later.
pub fn build_over(node: &Node, input: BoxOperator) -> BoxOperator {
    match node {
        Node::Filter { input: below, predicate } => {
            Box::new(Filter { input: build_over(below, input), predicate: predicate.clone().into() })
        }
        Node::Project { input: below, exprs } => Box::new(Project::new(build_over(below, input), exprs.clone())),
        Node::Insert { table, rules, input: below, conflict, returning } => Box::new(Insert {
            table: table.clone(),
            rules: rules.clone(),
            input: build_over(below, input),
            conflict: conflict.clone(),
            wide: is_wide(returning.as_ref(), table.columns.len() + 1),
            is_ready: false,
            are_rules_ready: false,
            returning: returning.clone(),
            handles: None,
            chunk: Chunk::default(),
        }),
        _ => input,
    }
}

/// The operators of `node`, of which only some rows are asked for.
fn build_limited(node: &Node) -> BoxOperator {
    match node {
        Node::Project { input, exprs } => Box::new(Project::new(build_limited(input), exprs.clone())),
        Node::Counted { input, counter } => {
            Box::new(Counted { input: build_limited(input), counter: counter.clone(), begun: (false, false) })
        }
        Node::LockRows { input, locks } => Box::new(lock_rows(input, locks, true)),
        other => build(other),
    }
}

fn lock_rows(input: &Node, locks: &[plan::RowLock], limited: bool) -> LockRows {
    LockRows {
        forms: input.forms(),
        recheck: predicates(input),
        input: build(input),
        locks: locks.to_vec(),
        limited,
        chunk: Chunk::default(),
        at: 0,
    }
}

/// Whether `e` is the same each time it is asked for.
fn is_steady(e: &plan::Expr) -> bool {
    let mut steady = true;
    e.visit(&mut |e| {
        steady &= match &e.kind {
            plan::ExprKind::Const(_) | plan::ExprKind::Param(_) | plan::ExprKind::Coerce { .. } => true,
            plan::ExprKind::Call { function, .. } => {
                catalog::builtin::proc_by_oid(*function).is_some_and(|p| p.volatility == b'i')
            }
            _ => false,
        };
    });
    steady
}

/// What a target row must satisfy, to be asked again when it changed: all predicates over the whole input row. For a join, those
/// are its conditions, moved to the joined row's columns.
fn predicates(node: &Node) -> Vec<plan::Expr> {
    match node {
        Node::Counted { input, .. } | Node::Sort { input, .. } | Node::IncrementalSort { input, .. } => {
            predicates(input)
        }
        Node::Filter { input, predicate } => {
            let mut all = predicates(input);
            all.push(predicate.clone());
            all
        }
        // Each column in its place, but for those that are computed: what is below asks for none of these.
        Node::Project { input, exprs }
            if exprs.len() == input.types().len()
                && exprs.iter().enumerate().all(|(i, e)| !matches!(e.kind, plan::ExprKind::Column(c) if c != i)) =>
        {
            predicates(input)
        }
        Node::Scan { filter, .. } | Node::BitmapScan { filter, .. } => filter.iter().cloned().collect(),
        Node::IndexScan { range, filter, .. } => filter.iter().chain(&range.implied).cloned().collect(),
        Node::Join { left, right, equal, condition, .. } => {
            let split = left.types().len();
            let shift = |mut e: plan::Expr| {
                e.map_columns(&|i| i + split);
                e
            };
            let mut all = predicates(left);
            all.extend(predicates(right).into_iter().map(shift));
            all.extend(condition.clone());
            all.extend(equal.iter().map(|(a, b, function)| {
                let args = vec![a.clone(), shift(b.clone())];
                let form = plan::CallForm::Function;
                plan::Expr::new(plan::ExprKind::Call { function: *function, args, form }, types::oid::BOOL, 0)
            }));
            all
        }
        _ => Vec::new(),
    }
}
