//! From plan nodes to operators.

use plan::Node;

use crate::BoxOperator;
use crate::aggregate::{Aggregate, Distinct};
use crate::join::Join;
use crate::modify::{Delete, Insert, Update};
use crate::scan::{IndexScan, SeqScan};
use crate::simple::{Filter, Limit, Project, Values};
use crate::sort::Sort;

/// The operator tree of `node`.
pub fn build(node: &Node) -> BoxOperator {
    match node {
        Node::Values { rows, types } => Box::new(Values::new(rows.clone(), types)),
        Node::Scan { table, filter } => Box::new(SeqScan::new(table.clone(), filter.clone())),
        Node::IndexScan { table, index, keys, filter } => {
            Box::new(IndexScan::new(table.clone(), *index, keys.clone(), filter.clone()))
        }
        Node::Filter { input, predicate } => Box::new(Filter { input: build(input), predicate: predicate.clone() }),
        Node::Project { input, exprs } => Box::new(Project { input: build(input), exprs: exprs.clone() }),
        Node::Join { kind, left, right, equal, condition } => Box::new(Join::new(
            *kind,
            build(left),
            build(right),
            (left.forms(), right.forms()),
            equal.clone(),
            condition.clone(),
        )),
        Node::Aggregate { input, groups, calls } => {
            Box::new(Aggregate::new(build(input), groups.clone(), calls.clone(), node.forms()))
        }
        Node::Sort { input, keys } => Box::new(Sort::new(build(input), keys.clone(), input.forms())),
        Node::Distinct { input } => Box::new(Distinct::new(build(input), input.types())),
        Node::Limit { input, count, offset } => Box::new(Limit::new(build(input), count.clone(), offset.clone())),
        Node::Insert { table, input, returning } => {
            Box::new(Insert { table: table.clone(), input: build(input), returning: returning.clone() })
        }
        Node::Update { table, input, sets, returning } => Box::new(Update {
            table: table.clone(),
            forms: input.forms(),
            recheck: predicates(input),
            input: build(input),
            sets: sets.clone(),
            returning: returning.clone(),
        }),
        Node::Delete { table, input, returning } => Box::new(Delete {
            table: table.clone(),
            forms: input.forms(),
            recheck: predicates(input),
            input: build(input),
            returning: returning.clone(),
        }),
    }
}

/// The operators of `node`, a chain of Insert, Filter and Project, with `input` in place of what stands below them. They take one
/// chunk of it at a time, and answer `None` when it does: it may have more later.
pub fn build_over(node: &Node, input: BoxOperator) -> BoxOperator {
    match node {
        Node::Filter { input: below, predicate } => {
            Box::new(Filter { input: build_over(below, input), predicate: predicate.clone() })
        }
        Node::Project { input: below, exprs } => {
            Box::new(Project { input: build_over(below, input), exprs: exprs.clone() })
        }
        Node::Insert { table, input: below, returning } => {
            Box::new(Insert { table: table.clone(), input: build_over(below, input), returning: returning.clone() })
        }
        _ => input,
    }
}

/// What a target row must satisfy, to be asked again when it changed: all predicates over the whole input row. For a join, those
/// are its conditions, moved to the joined row's columns.
fn predicates(node: &Node) -> Vec<plan::Expr> {
    match node {
        Node::Filter { input, predicate } => {
            let mut all = predicates(input);
            all.push(predicate.clone());
            all
        }
        Node::Scan { filter, .. } | Node::IndexScan { filter, .. } => filter.iter().cloned().collect(),
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
                plan::Expr::new(plan::ExprKind::Call { function: *function, args }, types::oid::BOOL, 0)
            }));
            all
        }
        _ => Vec::new(),
    }
}
