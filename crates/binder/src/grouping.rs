//! GROUP BY: plain items, grouping sets, and `GROUPING`, which says what a row was not grouped by.

use plan::{AggregateCall, CallForm, Expr, ExprKind, Node, OutputColumn};
use syntax::ast::{self, GroupItem, Pos};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::scope::Scope;

/// Column numbers from here on stand for `GROUPING` calls of the query, in the order they were met.
pub(crate) const GROUPINGS: usize = 1 << 26;

const SETS_MAX: usize = 4096;
const CUBE_MAX: usize = 12;
const INT4_EQUAL: Oid = Oid(65);

/// What a query groups by.
pub(crate) struct Grouping {
    /// All expressions that any set groups by.
    pub groups: Vec<Expr>,
    /// For each set and group, whether it is in it; `None` when all are in the only one.
    pub sets: Option<Vec<Vec<bool>>>,
    /// Whether there was a GROUP BY, be it one of nothing.
    pub present: bool,
}

/// Numbers of groups.
type Set = Vec<usize>;

impl Binder<'_> {
    /// Binds GROUP BY.
    pub(crate) fn grouping(
        &mut self,
        core: &ast::SelectCore,
        scope: &Scope,
        targets: &[Expr],
        columns: &[OutputColumn],
    ) -> Result<Grouping> {
        let mut groups = Vec::new();
        if core.group_by.iter().all(|i| matches!(i, GroupItem::Expr(e) if implicit_row(e).is_none())) {
            for item in &core.group_by {
                if let GroupItem::Expr(e) = item {
                    groups.push(self.group(e, scope, targets, columns)?);
                }
            }
            return Ok(Grouping { present: !groups.is_empty(), groups, sets: None });
        }
        let mut bind = |b: &mut Self, e: &ast::Expr| -> Result<Set> {
            let mut set = Set::new();
            for e in implicit_row(e).unwrap_or(std::slice::from_ref(e)) {
                let bound = b.group(e, scope, targets, columns)?;
                let index = groups.iter().position(|g: &Expr| g.same(&bound)).unwrap_or_else(|| {
                    groups.push(bound);
                    groups.len() - 1
                });
                set.push(index);
            }
            Ok(set)
        };
        // Items multiply.
        let mut sets: Vec<Set> = vec![Vec::new()];
        for item in &core.group_by {
            let own = self.item_sets(item, &mut bind)?;
            if sets.len() * own.len() > SETS_MAX {
                let message = format!("too many grouping sets present (maximum {SETS_MAX})");
                return Err(self.error(SqlState::STATEMENT_TOO_COMPLEX, message, Pos::NONE));
            }
            sets = sets.iter().flat_map(|s| own.iter().map(|o| [&s[..], o].concat())).collect();
        }
        let mut lists: Vec<Vec<bool>> =
            sets.iter().map(|s| (0..groups.len()).map(|g| s.contains(&g)).collect()).collect();
        if core.group_distinct {
            let mut kept: Vec<Vec<bool>> = Vec::new();
            lists.into_iter().for_each(|l| {
                if !kept.contains(&l) {
                    kept.push(l);
                }
            });
            lists = kept;
        }
        let sets = (lists.len() > 1).then_some(lists);
        Ok(Grouping { groups, sets, present: true })
    }

    fn item_sets(
        &mut self,
        item: &GroupItem,
        bind: &mut dyn FnMut(&mut Self, &ast::Expr) -> Result<Set>,
    ) -> Result<Vec<Set>> {
        Ok(match item {
            GroupItem::Expr(e) => vec![bind(self, e)?],
            GroupItem::Empty(_) => vec![Vec::new()],
            GroupItem::Rollup(list, _) => {
                let parts = list.iter().map(|e| bind(self, e)).collect::<Result<Vec<Set>>>()?;
                (0..=parts.len()).rev().map(|n| parts[..n].concat()).collect()
            }
            GroupItem::Cube(list, pos) => {
                if list.len() > CUBE_MAX {
                    let message = format!("CUBE is limited to {CUBE_MAX} elements");
                    return Err(self.error(SqlState::TOO_MANY_COLUMNS, message, *pos));
                }
                let parts = list.iter().map(|e| bind(self, e)).collect::<Result<Vec<Set>>>()?;
                let chosen = |mask: usize| {
                    let with = parts.iter().enumerate().filter(|(i, _)| mask >> (parts.len() - 1 - i) & 1 == 1);
                    with.flat_map(|(_, p)| p.iter().copied()).collect()
                };
                (0..1usize << parts.len()).rev().map(chosen).collect()
            }
            GroupItem::GroupingSets(items, pos) => {
                let mut all = Vec::new();
                for item in items {
                    all.extend(self.item_sets(item, bind)?);
                    if all.len() > SETS_MAX {
                        let message = format!("too many grouping sets present (maximum {SETS_MAX})");
                        return Err(self.error(SqlState::STATEMENT_TOO_COMPLEX, message, *pos));
                    }
                }
                all
            }
        })
    }

    /// `GROUPING(...)`.
    pub(crate) fn grouping_call(&mut self, args: &[ast::Expr], pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        if args.len() > 31 {
            let message = "GROUPING must have fewer than 32 arguments";
            return Err(self.error(SqlState::TOO_MANY_ARGUMENTS, message, pos));
        }
        // An aggregate in it would be one in an aggregate.
        let mut inner = Place::new(place.scope, "aggregate");
        let bound = args.iter().map(|e| self.expr(e, &mut inner)).collect::<Result<Vec<_>>>()?;
        if place.aggregates.is_none() {
            let message = match place.clause {
                "aggregate" => "aggregate function calls cannot be nested".to_owned(),
                clause => format!("grouping operations are not allowed in {}", crate::window::clause_words(clause)),
            };
            return Err(self.error(SqlState::GROUPING_ERROR, message, pos));
        }
        place.groupings.push(bound);
        let index = GROUPINGS + place.groupings.len() - 1;
        Ok(Expr::new(ExprKind::Column(index), oid::INT4, self.position(pos)))
    }
}

impl Grouping {
    /// Columns that come between the groups and the aggregates.
    pub(crate) fn extra(&self) -> usize {
        usize::from(self.sets.is_some())
    }

    /// What a `GROUPING` call of these arguments is, over the aggregated rows.
    pub(crate) fn call(&self, args: &[Expr]) -> Result<ExprKind> {
        let mut numbers = Vec::new();
        for arg in args {
            let Some(index) = self.groups.iter().position(|g| g.same(arg)) else {
                let message = "arguments to GROUPING must be grouping expressions of the associated query level";
                let at = (arg.position > 0).then_some(arg.position);
                return Err(SqlError::new(SqlState::GROUPING_ERROR, message).at(at));
            };
            numbers.push(index);
        }
        let constant = |n: i32| Expr::new(ExprKind::Const(Datum::I32(n)), oid::INT4, 0);
        let Some(sets) = &self.sets else { return Ok(constant(0).kind) };
        let mask = |set: &Vec<bool>| numbers.iter().fold(0, |mask, &g| mask << 1 | i32::from(!set[g]));
        let is_set = |number: usize| {
            let args = vec![Expr::column(self.groups.len(), oid::INT4, -1), constant(number as i32)];
            Expr::new(ExprKind::Call { function: INT4_EQUAL, args, form: CallForm::Function }, oid::BOOL, 0)
        };
        let whens = sets.iter().enumerate().map(|(i, s)| (is_set(i), constant(mask(s)))).collect();
        Ok(ExprKind::Case { whens, default: Box::new(constant(0)) })
    }

    /// `input` grouped, with the aggregates `calls`: group columns, the set's number where there are sets, aggregates.
    pub(crate) fn plan(self, input: Node, mut calls: Vec<AggregateCall>) -> Node {
        let Some(sets) = self.sets else {
            return Node::Aggregate { input: Box::new(input), groups: self.groups, calls };
        };
        let first = input.types().len();
        let mut groups: Vec<Expr> = self
            .groups
            .iter()
            .enumerate()
            .map(|(i, g)| Expr { collation: g.collation, ..Expr::column(first + i, g.ty, g.typmod) })
            .collect();
        groups.push(Expr::column(first + groups.len(), oid::INT4, -1));
        // The total of nothing is made of a row that does not count.
        if sets.iter().any(|s| !s.contains(&true)) {
            let counts = Expr::column(first + groups.len(), oid::BOOL, -1);
            for call in &mut calls {
                let filter = std::iter::once(counts.clone()).chain(call.filter.take()).collect();
                call.filter = Expr::all(filter);
            }
        }
        // Direct arguments see what the row is grouped by, NULL where the set lacks it.
        for call in &mut calls {
            let first_direct = call.args.len() - call.direct;
            for e in &mut call.args[first_direct..] {
                e.visit_mut(&mut |e| {
                    if let Some(g) = self.groups.iter().position(|g| g.same(e)) {
                        e.kind = ExprKind::Column(first + g);
                    }
                });
            }
        }
        let input = Node::GroupingSets { input: Box::new(input), groups: self.groups, sets };
        Node::Aggregate { input: Box::new(input), groups, calls }
    }
}

/// The fields of `(a, b)` written without the word ROW.
fn implicit_row(e: &ast::Expr) -> Option<&[ast::Expr]> {
    match &e.kind {
        ast::ExprKind::Row(row) if !row.explicit => Some(&row.fields),
        _ => None,
    }
}
