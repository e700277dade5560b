//! Binding queries: FROM, WHERE, GROUP BY, HAVING, the target list, DISTINCT, ORDER BY, LIMIT.

use plan::{Expr, ExprKind, Node, OutputColumn, SortKey};
use syntax::ast::{self, Distinct, ExprKind as Ast, Literal, NullsOrder, Pos, Select, SelectBody, SortDirection};
use types::{Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::coerce::Context;
use crate::expr::{AGGREGATES, Place};
use crate::from::star;
use crate::grouping::{GROUPINGS, Grouping};
use crate::scope::Scope;
use crate::window::WINDOWS;

/// A bound query: its plan, and what its columns are called.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The plan.
    pub node: Node,
    /// Its columns.
    pub columns: Vec<OutputColumn>,
}

/// Columns that a query may yield, as PostgreSQL's rows have room for.
const TARGETS_MAX: usize = 1664;

impl Binder<'_> {
    /// Binds a query.
    ///
    /// # Errors
    /// What PostgreSQL says of it; `0A000` for what is not supported yet.
    pub fn query(&mut self, select: &Select) -> Result<Bound> {
        self.queries += 1;
        let outcome = self.with(select.with.as_deref(), |b| match &select.body {
            SelectBody::Query(core) => b.core(select, core),
            SelectBody::Values(rows) => b.values(select, rows),
            SelectBody::SetOperation(op) => b.set_operation(select, op),
        });
        self.queries -= 1;
        outcome
    }

    /// Binds a query whose untyped literals are given a type by what it is part of.
    pub(crate) fn query_unsettled(&mut self, select: &Select) -> Result<Bound> {
        self.unsettled = true;
        let outcome = self.query(select);
        self.unsettled = false;
        outcome
    }

    fn values(&mut self, select: &Select, rows: &[Vec<ast::Expr>]) -> Result<Bound> {
        self.unsettled = false;
        if let Some(lock) = select.locking.first() {
            let message = "FOR UPDATE cannot be applied to VALUES";
            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, lock.pos));
        }
        let scope = Scope::default();
        let mut bound: Vec<Vec<Expr>> = Vec::new();
        for row in rows {
            if row.len() != rows[0].len() {
                let pos = row.first().map_or(select.pos, |e| e.location());
                return Err(self.error(SqlState::SYNTAX_ERROR, "VALUES lists must all be the same length", pos));
            }
            let mut place = Place::new(&scope, "VALUES");
            bound.push(row.iter().map(|e| self.expr(e, &mut place)).collect::<Result<_>>()?);
        }
        for column in 0..rows[0].len() {
            let items = bound.iter().map(|r| r[column].clone()).collect();
            let at: Vec<Pos> = rows.iter().map(|r| r[column].location()).collect();
            for (row, item) in bound.iter_mut().zip(self.unify(items, "VALUES", &at)?) {
                row[column] = item;
            }
        }
        let types: Vec<types::Oid> = bound[0].iter().map(|e| e.ty).collect();
        let columns: Vec<OutputColumn> = types
            .iter()
            .enumerate()
            .map(|(i, &ty)| OutputColumn { name: format!("column{}", i + 1), ty, typmod: -1, origin: None })
            .collect();
        let node = Node::Values { rows: bound, types };
        let targets: Vec<Expr> = columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect();
        self.order_and_limit(select, node, Scope::default(), targets, columns)
    }

    fn core(&mut self, select: &Select, core: &ast::SelectCore) -> Result<Bound> {
        let (unsettled, around) = (self.unsettled, std::mem::take(&mut self.made_up));
        let (mut bound, nullable) = self.core_once(select, core)?;
        let asked = std::mem::replace(&mut self.made_up, around);
        let (own, outer): (Vec<String>, Vec<String>) = asked.into_iter().partition(|t| nullable.contains(t));
        self.made_up.extend(outer);
        if !own.is_empty() {
            // Rows that may be made up are asked for as a whole: bound once more, with columns that tell.
            let marked = self.marked.len();
            self.marked.extend(own);
            self.unsettled = unsettled;
            bound = self.core_once(select, core)?.0;
            self.marked.truncate(marked);
        }
        Ok(bound)
    }

    /// A query, and the tables of its FROM whose rows an outer join may have made up.
    fn core_once(&mut self, select: &Select, core: &ast::SelectCore) -> Result<(Bound, Vec<String>)> {
        if let Some(into) = &core.into {
            let message = "SELECT ... INTO is not allowed here";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, into.relation.pos));
        }
        let unsettled = std::mem::take(&mut self.unsettled);
        let (mut node, scope) = self.from(&core.from)?;
        let mut place = Place {
            scope: &scope,
            aggregates: Some(Vec::new()),
            windows: Some(Vec::new()),
            groupings: Vec::new(),
            clause: "SELECT",
            sets: true,
        };
        let (mut targets, mut columns) = (Vec::new(), Vec::new());
        for target in &core.targets {
            self.list_item(target, &mut place, &mut targets, &mut columns, !unsettled)?;
        }
        place.sets = false;
        if targets.len() > TARGETS_MAX {
            let message = format!("target lists can have at most {TARGETS_MAX} entries");
            return Err(SqlError::new(SqlState::TOO_MANY_COLUMNS, message));
        }
        if let Some(condition) = &core.where_clause {
            let predicate = self.condition(condition, &mut Place::new(&scope, "WHERE"))?;
            node = Node::Filter { input: Box::new(node), predicate };
        }
        let mut grouping = self.grouping(core, &scope, &targets, &columns)?;
        let having = match &core.having {
            Some(having) => {
                place.clause = "HAVING";
                let uses = place.windows.take();
                let having = self.condition(having, &mut place)?;
                place.windows = uses;
                Some(having)
            }
            None => None,
        };
        // ORDER BY may bring aggregates of its own.
        place.clause = "ORDER BY";
        let mut keys = Vec::new();
        for by in &select.order_by {
            keys.push(self.sort_expr(by, &mut place, &targets, &columns)?);
        }
        let on = match &core.distinct {
            Distinct::On(list) => {
                place.clause = "DISTINCT ON";
                let mut on = Vec::new();
                for e in list {
                    on.push(self.output_expr(e, &mut place, &targets, &columns, "DISTINCT ON")?);
                }
                on
            }
            _ => Vec::new(),
        };
        let mut on = on;
        let uses = place.windows.take().unwrap_or_default();
        let windowed = !uses.is_empty();
        let mut windows = self.windows(&core.windows, uses, &mut place)?;
        let calls = place.aggregates.take().unwrap_or_default();
        let called = std::mem::take(&mut place.groupings);
        let grouped = !calls.is_empty() || grouping.present || having.is_some() || !called.is_empty();
        if !calls.is_empty() && self.self_reference(&core.from).is_some() {
            let message = "aggregate functions are not allowed in a recursive query's recursive term";
            let mut at = None;
            targets.iter().chain(&having).for_each(|e| {
                e.visit(&mut |e| match e.kind {
                    ExprKind::Column(i) if (AGGREGATES..WINDOWS).contains(&i) => at = at.or(Some(e.position)),
                    _ => {}
                });
            });
            return Err(SqlError::new(SqlState::INVALID_RECURSION, message).at(at));
        }
        if grouped && !select.locking.is_empty() {
            let message = "FOR UPDATE is not allowed with GROUP BY clause or aggregate functions";
            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, select.locking[0].pos));
        }
        if grouped {
            let read = targets.iter().chain(&keys).chain(&on).chain(&having).chain(windows.exprs());
            if grouping.sets.is_none() {
                self.add_dependent_groups(read, &mut grouping.groups, &scope);
            }
            let replace = |e: &mut Expr| self.replace_grouped(e, &grouping, &called, &scope);
            targets.iter_mut().try_for_each(replace)?;
            keys.iter_mut().try_for_each(replace)?;
            on.iter_mut().try_for_each(replace)?;
            windows.exprs_mut().into_iter().try_for_each(replace)?;
            let having = match having {
                Some(mut h) => {
                    replace(&mut h)?;
                    Some(h)
                }
                None => None,
            };
            for e in calls.iter().flat_map(|c| c.split_args().1) {
                self.replace_grouped(&mut e.clone(), &grouping, &called, &scope).map_err(|e| {
                    e.detail("Direct arguments of an ordered-set aggregate must use only grouped columns.")
                })?;
            }
            if grouping.groups.iter().any(crate::call::has_set) {
                let groups = std::mem::take(&mut grouping.groups);
                (node, grouping.groups) = crate::sets::spread(node, groups);
            }
            node = grouping.plan(node, calls);
            if let Some(predicate) = having {
                node = Node::Filter { input: Box::new(node), predicate };
            }
        }
        if !select.locking.is_empty() {
            if windowed {
                let message = "FOR UPDATE is not allowed with window functions";
                return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
            }
            node = self.locks(select, node, &scope)?;
        }
        if windowed {
            let sorted: Vec<Expr> = keys.iter().chain(&on).cloned().collect();
            let (above, places) = windows.plan(node, &sorted);
            node = above;
            for e in targets.iter_mut().chain(&mut keys).chain(&mut on) {
                e.map_columns(&|i| if i >= WINDOWS { places[i - WINDOWS] } else { i });
            }
        }
        let bound = self.project(select, &core.distinct, node, targets, columns, keys, on, &scope)?;
        Ok((bound, scope.nullable))
    }

    pub(crate) fn list_item(
        &mut self,
        target: &ast::Target,
        place: &mut Place<'_>,
        targets: &mut Vec<Expr>,
        columns: &mut Vec<OutputColumn>,
        settled: bool,
    ) -> Result<()> {
        if let Ast::Star(names) = &target.expr.kind {
            let table = names.last().map(|n| &**n);
            if let Some(table) = table
                && !place.scope.has_table(table)
                && let Some(argument) = self.not_a_column(place.scope, None, None, table, target.expr.pos)?
            {
                for (name, e) in self.expanded(argument, target.expr.pos)? {
                    columns.push(OutputColumn { name, ty: e.ty, typmod: e.typmod, origin: None });
                    targets.push(e);
                }
                return Ok(());
            }
            if let Some(table) = table
                && !place.scope.has_table(table)
            {
                let message = format!("missing FROM-clause entry for table \"{table}\"");
                return Err(self.error(SqlState::UNDEFINED_TABLE, message, target.expr.pos));
            }
            let (exprs, shown) = star(place.scope, table);
            if place.scope.columns.is_empty() && table.is_none() {
                let message = "SELECT * with no tables specified is not valid";
                return Err(self.error(SqlState::SYNTAX_ERROR, message, target.expr.pos));
            }
            targets.extend(exprs);
            columns.extend(shown);
            return Ok(());
        }
        if let Ast::Indirection(i) = &target.expr.kind
            && let Some((ast::Indirection::Star(_), path)) = i.path.split_last()
        {
            let whole = match path {
                [] => self.expr(&i.arg, place)?,
                path => {
                    let inner = ast::IndirectionExpr { arg: i.arg.clone(), path: path.to_vec() };
                    self.indirection(&inner, target.expr.pos, place)?
                }
            };
            for (name, e) in self.expanded(whole, i.arg.location())? {
                columns.push(OutputColumn { name, ty: e.ty, typmod: e.typmod, origin: None });
                targets.push(e);
            }
            return Ok(());
        }
        let bound = self.expr(&target.expr, place)?;
        let bound = if settled { self.settle(bound)? } else { bound };
        let name = target.alias.as_ref().map_or_else(|| figure_name(&target.expr), |a| a.as_str().to_owned());
        let origin = match bound.kind {
            ExprKind::Column(i) if i < place.scope.columns.len() => place.scope.columns[i].origin,
            _ => None,
        };
        let typmod = self.shaped(&bound);
        columns.push(OutputColumn { name, ty: bound.ty, typmod, origin });
        targets.push(bound);
        Ok(())
    }

    /// An item of GROUP BY: an input column, an output column by name or number, or an expression.
    pub(crate) fn group(
        &mut self,
        expr: &ast::Expr,
        scope: &Scope,
        targets: &[Expr],
        columns: &[OutputColumn],
    ) -> Result<Expr> {
        let found = match &expr.kind {
            Ast::Literal(Literal::Integer(n)) => {
                let index = usize::try_from(*n).ok().and_then(|n| n.checked_sub(1)).filter(|&i| i < targets.len());
                let message = format!("GROUP BY position {n} is not in select list");
                Some(index.ok_or_else(|| self.error(SqlState::INVALID_COLUMN_REFERENCE, message, expr.pos))?)
            }
            Ast::Literal(_) => {
                return Err(self.error(SqlState::SYNTAX_ERROR, "non-integer constant in GROUP BY", expr.pos));
            }
            // A name means an input column first, then an output column.
            Ast::Column(names) if names.len() == 1 && !scope.columns.iter().any(|c| c.name == *names[0].text) => {
                columns.iter().position(|c| c.name == *names[0].text)
            }
            _ => None,
        };
        match found {
            Some(index) => {
                let (mut aggregate, mut window) = (None, None);
                targets[index].visit(&mut |e| match e.kind {
                    ExprKind::Column(i) if (WINDOWS..GROUPINGS).contains(&i) => window = Some(e.position),
                    ExprKind::Column(i) if i >= AGGREGATES => aggregate = Some(e.position),
                    _ => {}
                });
                if let Some(position) = aggregate {
                    let message = "aggregate functions are not allowed in GROUP BY";
                    return Err(SqlError::new(SqlState::GROUPING_ERROR, message).at(Some(position)));
                }
                if let Some(position) = window {
                    let message = "window functions are not allowed in GROUP BY";
                    return Err(SqlError::new(SqlState::WINDOWING_ERROR, message).at(Some(position)));
                }
                self.needs_equality(targets[index].ty, expr.location())?;
                Ok(targets[index].clone())
            }
            None => {
                let bound = self.expr(expr, &mut Place::new(scope, "GROUP BY"))?;
                let bound = self.settle(bound)?;
                self.needs_equality(bound.ty, expr.location())?;
                Ok(bound)
            }
        }
    }

    /// An ORDER BY item: an output column by name or number, or an expression.
    fn sort_expr(
        &mut self,
        by: &ast::SortBy,
        place: &mut Place<'_>,
        targets: &[Expr],
        columns: &[OutputColumn],
    ) -> Result<Expr> {
        self.output_expr(&by.expr, place, targets, columns, "ORDER BY")
    }

    pub(crate) fn output_expr(
        &mut self,
        expr: &ast::Expr,
        place: &mut Place<'_>,
        targets: &[Expr],
        columns: &[OutputColumn],
        clause: &str,
    ) -> Result<Expr> {
        match &expr.kind {
            Ast::Literal(Literal::Integer(n)) => {
                let index = usize::try_from(*n).ok().and_then(|n| n.checked_sub(1)).filter(|&i| i < targets.len());
                let message = format!("{clause} position {n} is not in select list");
                let index = index.ok_or_else(|| self.error(SqlState::INVALID_COLUMN_REFERENCE, message, expr.pos))?;
                Ok(targets[index].clone())
            }
            Ast::Literal(_) => {
                let message = format!("non-integer constant in {clause}");
                Err(self.error(SqlState::SYNTAX_ERROR, message, expr.pos))
            }
            Ast::Column(names) if names.len() == 1 => {
                let mut found = (0..columns.len()).filter(|&i| columns[i].name == *names[0].text);
                match (found.next(), found.next()) {
                    (Some(i), None) => Ok(targets[i].clone()),
                    (Some(i), Some(j)) if !targets[i].same(&targets[j]) => {
                        let message = format!("{clause} \"{}\" is ambiguous", names[0].text);
                        Err(self.error(SqlState::AMBIGUOUS_COLUMN, message, expr.pos))
                    }
                    (Some(i), Some(_)) => Ok(targets[i].clone()),
                    (None, _) => self.expr(expr, place),
                }
            }
            _ => {
                let bound = self.expr(expr, place)?;
                self.settle(bound)
            }
        }
    }

    /// Columns of a table whose primary key is grouped by have one value a group: they are grouped by as well.
    fn add_dependent_groups<'e>(&self, read: impl Iterator<Item = &'e Expr>, groups: &mut Vec<Expr>, scope: &Scope) {
        let grouped = |table: types::Oid, column: usize, groups: &[Expr]| {
            groups.iter().any(|g| match g.kind {
                ExprKind::Column(i) => {
                    scope.columns.get(i).is_some_and(|c| c.origin == Some((table, column as i16 + 1)))
                }
                _ => false,
            })
        };
        let mut found: Vec<Expr> = Vec::new();
        for e in read {
            e.visit(&mut |e| {
                let ExprKind::Column(i) = e.kind else { return };
                let Some((table, _)) = scope.columns.get(i).and_then(|c| c.origin) else { return };
                let Some(info) = self.image.by_oid(table) else { return };
                let Some(key) = info.indexes.iter().find(|k| k.primary) else { return };
                let known = groups.iter().chain(&found).any(|g| g.same(e));
                if !known && key.columns.iter().all(|k| grouped(table, k.0, groups)) {
                    found.push(Expr { position: 0, ..e.clone() });
                }
            });
        }
        groups.extend(found);
    }

    /// Rewrites an expression over input rows as one over groups.
    fn replace_grouped(&self, expr: &mut Expr, grouping: &Grouping, called: &[Vec<Expr>], scope: &Scope) -> Result<()> {
        let groups = &grouping.groups;
        if let Some(index) = groups.iter().position(|g| g.same(expr)) {
            expr.kind = ExprKind::Column(index);
            return Ok(());
        }
        match &mut expr.kind {
            ExprKind::Column(i) if *i >= GROUPINGS => {
                expr.kind = grouping.call(&called[*i - GROUPINGS])?;
                Ok(())
            }
            // Windows come later (N4).
            ExprKind::Column(i) if *i >= WINDOWS => Ok(()),
            ExprKind::Column(i) if *i >= AGGREGATES => {
                *i = *i - AGGREGATES + groups.len() + grouping.extra();
                Ok(())
            }
            ExprKind::Subquery(sub) => {
                let mut binds = sub.binds.iter_mut().map(|b| &mut b.1);
                binds.try_for_each(|e| {
                    let ungrouped = match e.kind {
                        ExprKind::Column(i) => scope.columns.get(i),
                        _ => None,
                    };
                    self.replace_grouped(e, grouping, called, scope).map_err(|error| match ungrouped {
                        Some(c) if error.state() == SqlState::GROUPING_ERROR => {
                            let (table, name) = (&c.table, &c.name);
                            let message = format!("subquery uses ungrouped column \"{table}.{name}\" from outer query");
                            SqlError::new(SqlState::GROUPING_ERROR, message).at(error.fields().position)
                        }
                        _ => error,
                    })
                })
            }
            ExprKind::Column(i) => {
                let c = &scope.columns[*i];
                let message = format!(
                    "column \"{}.{}\" must appear in the GROUP BY clause or be used in an aggregate function",
                    c.table, c.name
                );
                let at = (expr.position > 0).then_some(expr.position);
                Err(SqlError::new(SqlState::GROUPING_ERROR, message).at(at))
            }
            _ => expr.children_mut().into_iter().try_for_each(|e| self.replace_grouped(e, grouping, called, scope)),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "each is a clause")]
    fn project(
        &mut self,
        select: &Select,
        distinct: &Distinct,
        node: Node,
        targets: Vec<Expr>,
        columns: Vec<OutputColumn>,
        keys: Vec<Expr>,
        on: Vec<Expr>,
        scope: &Scope,
    ) -> Result<Bound> {
        let shown = targets.len();
        let mut exprs = targets;
        let mut sort = Vec::new();
        for (by, key) in select.order_by.iter().zip(keys) {
            let index = match exprs.iter().position(|t| t.same(&key)) {
                Some(index) => index,
                None if *distinct == Distinct::Distinct => {
                    let message = "for SELECT DISTINCT, ORDER BY expressions must appear in select list";
                    return Err(self.error(SqlState::INVALID_COLUMN_REFERENCE, message, by.expr.location()));
                }
                None => {
                    exprs.push(key);
                    exprs.len() - 1
                }
            };
            sort.push(self.sort_key(by, Expr::column(index, exprs[index].ty, exprs[index].typmod))?);
        }
        let mut on_columns = Vec::new();
        if let Distinct::On(list) = distinct {
            on.iter().zip(list).try_for_each(|(e, written)| self.needs_equality(e.ty, written.location()))?;
        }
        if *distinct == Distinct::Distinct {
            let mut shown = exprs[..shown].iter().enumerate();
            shown.try_for_each(|(i, e)| self.needs_equality(e.ty, crate::setop::target_location(select, i)))?;
        }
        for e in on {
            let index = exprs.iter().position(|t| t.same(&e)).unwrap_or(exprs.len());
            if index == exprs.len() {
                exprs.push(e);
            }
            on_columns.push(index);
        }
        if let Distinct::On(list) = distinct {
            let leading = sort.iter().take(on_columns.len()).filter_map(|k| match k.expr.kind {
                ExprKind::Column(i) => Some(i),
                _ => None,
            });
            if !leading.clone().all(|i| on_columns.contains(&i)) {
                let message = "SELECT DISTINCT ON expressions must match initial ORDER BY expressions";
                let pos = list.first().map_or(select.pos, ast::Expr::location);
                return Err(self.error(SqlState::INVALID_COLUMN_REFERENCE, message, pos));
            }
        }
        let hidden = exprs.len() > shown;
        let is_set = crate::call::is_set;
        let mut sets = false;
        exprs.iter().for_each(|e| e.visit(&mut |e| sets |= is_set(e)));
        let mut node = if sets {
            match exprs.iter().any(|e| e.children().into_iter().any(crate::call::has_set)) {
                true => {
                    let (input, exprs) = crate::sets::spread(node, exprs);
                    Node::Project { input: Box::new(input), exprs }
                }
                false => Node::ProjectSet { input: Box::new(node), exprs },
            }
        } else {
            Node::Project { input: Box::new(node), exprs }
        };
        if *distinct == Distinct::Distinct {
            node = Node::Distinct { input: Box::new(node), on: None };
        }
        let ties = sort.iter().filter_map(|k: &SortKey| match k.expr.kind {
            ExprKind::Column(i) => Some(i),
            _ => None,
        });
        let ties = ties.collect();
        if !sort.is_empty() {
            node = Node::Sort { input: Box::new(node), keys: sort };
        }
        if matches!(distinct, Distinct::On(_)) {
            node = Node::Distinct { input: Box::new(node), on: Some(on_columns) };
        }
        node = self.limit(select, node, ties, scope)?;
        if hidden {
            let exprs = columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect();
            node = Node::Project { input: Box::new(node), exprs };
        }
        Ok(Bound { node, columns })
    }

    pub(crate) fn order_and_limit(
        &mut self,
        select: &Select,
        node: Node,
        scope: Scope,
        targets: Vec<Expr>,
        columns: Vec<OutputColumn>,
    ) -> Result<Bound> {
        let mut keys = Vec::new();
        for by in &select.order_by {
            keys.push(self.sort_expr(by, &mut Place::new(&scope, "ORDER BY"), &targets, &columns)?);
        }
        if !select.locking.is_empty() {
            let message = "FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        self.project(select, &Distinct::All, node, targets, columns, keys, Vec::new(), &scope)
    }

    /// FOR UPDATE and its kin.
    fn locks(&mut self, select: &Select, node: Node, scope: &Scope) -> Result<Node> {
        let mut tables: Vec<(usize, std::sync::Arc<plan::TableRef>)> = Vec::new();
        let mut first = 0;
        collect_tables(&node, &mut first, &mut tables);
        let mut locks = Vec::new();
        for item in &select.locking {
            let strength = item.strength as u8;
            let wait = match item.wait {
                ast::LockWait::Block => plan::LockWait::Block,
                ast::LockWait::SkipLocked => plan::LockWait::Skip,
                ast::LockWait::NoWait => plan::LockWait::Fail,
            };
            for name in &item.of {
                if !scope.has_table(&name.name) {
                    let message = format!("relation \"{}\" in FOR UPDATE clause not found in FROM clause", &*name.name);
                    return Err(self.error(SqlState::UNDEFINED_TABLE, message, name.pos));
                }
            }
            for (first, table) in &tables {
                let alias = scope.columns.get(*first).map_or("", |c| &c.table);
                if item.of.is_empty() || item.of.iter().any(|n| *n.name == *alias) {
                    locks.push(plan::RowLock { table: table.clone(), first: *first, strength, wait });
                }
            }
        }
        Ok(Node::LockRows { input: Box::new(node), locks })
    }

    pub(crate) fn sort_key(&self, by: &ast::SortBy, expr: Expr) -> Result<SortKey> {
        let descending = match &by.direction {
            SortDirection::Default | SortDirection::Asc => false,
            SortDirection::Desc => true,
            SortDirection::Using(op) => self.descends(op)?,
        };
        if !matches!(by.direction, SortDirection::Using(_)) {
            self.needs_order(expr.ty, by.expr.location())?;
        }
        let nulls_first = match by.nulls {
            NullsOrder::Default => descending,
            NullsOrder::First => true,
            NullsOrder::Last => false,
        };
        Ok(SortKey { expr, descending, nulls_first })
    }

    /// Whether USING this operator means descending order.
    pub(crate) fn descends(&self, op: &ast::Operator) -> Result<bool> {
        match &*op.name {
            // Text is in the order of its bytes either way.
            "<" | "~<~" => Ok(false),
            ">" | "~>~" => Ok(true),
            name => {
                let message = format!("operator {name} is not a valid ordering operator");
                Err(self
                    .error(SqlState::WRONG_OBJECT_TYPE, message, op.pos)
                    .hint("Ordering operators must be \"<\" or \">\" members of btree operator families."))
            }
        }
    }

    fn limit(&mut self, select: &Select, node: Node, ties: Vec<usize>, scope: &Scope) -> Result<Node> {
        let Some(limit) = &select.limit else { return Ok(node) };
        let mut bind = |e: &Option<ast::Expr>, clause: &'static str| -> Result<Option<Expr>> {
            let Some(e) = e else { return Ok(None) };
            let bound = self.expr(e, &mut Place::new(scope, clause))?;
            if let ExprKind::Param(index) = bound.kind
                && bound.ty == oid::UNKNOWN
            {
                self.params[index] = oid::INT8;
                return Ok(Some(Expr { ty: oid::INT8, ..bound }));
            }
            let from = bound.ty;
            let Some(bound) = self.coerce(bound, oid::INT8, -1, Context::Assignment)? else {
                let message = format!("argument of {clause} must be type bigint, not type {}", self.type_shown(from));
                return Err(self.error(SqlState::DATATYPE_MISMATCH, message, e.location()));
            };
            let mut column = None;
            bound.visit(&mut |e| {
                if matches!(e.kind, ExprKind::Column(_)) {
                    column = column.or(Some(e.position));
                }
            });
            if column.is_some() {
                let message = format!("argument of {clause} must not contain variables");
                let error = SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message);
                return Err(error.at(column.filter(|p| *p > 0)));
            }
            Ok(Some(bound))
        };
        let (count, offset) = (bind(&limit.count, "LIMIT")?, bind(&limit.offset, "OFFSET")?);
        let ties = limit.with_ties.then_some(ties);
        Ok(Node::Limit { input: Box::new(node), count, offset, ties })
    }
}

/// The stored tables whose rows are parts of the rows of `node`, with their first columns.
fn collect_tables(node: &Node, first: &mut usize, out: &mut Vec<(usize, std::sync::Arc<plan::TableRef>)>) {
    match node {
        Node::Scan { table, .. } => {
            if table.source == plan::TableSource::Stored {
                out.push((*first, table.clone()));
            }
            *first += table.columns.len() + 1;
        }
        Node::Filter { input, .. } => collect_tables(input, first, out),
        Node::Join { left, right, .. } | Node::Apply { left, right, .. } => {
            collect_tables(left, first, out);
            collect_tables(right, first, out);
        }
        other => *first += other.types().len(),
    }
}

/// Whether a cast of `expr` takes the name of `expr` rather than its own type's.
fn named_by_more_than_a_type(expr: &ast::Expr) -> bool {
    match &expr.kind {
        Ast::Cast(c) => named_by_more_than_a_type(&c.arg),
        Ast::ScalarSubquery(_) => true,
        Ast::Collate(c) => named_by_more_than_a_type(&c.arg),
        Ast::Case(c) => c.default.as_ref().is_some_and(named_by_more_than_a_type),
        Ast::Indirection(i) if !matches!(i.path.last(), Some(ast::Indirection::Field(_))) => {
            named_by_more_than_a_type(&i.arg)
        }
        _ => figure_name(expr) != "?column?",
    }
}

/// The name of an output column that was given none.
pub(crate) fn figure_name(expr: &ast::Expr) -> String {
    match &expr.kind {
        Ast::Column(names) => names.last().map_or("?column?", |n| n.as_str()).to_owned(),
        Ast::FuncCall(f) => f.name.last().map_or("?column?", |n| n.as_str()).to_owned(),
        Ast::Cast(c) => match named_by_more_than_a_type(&c.arg) {
            true => figure_name(&c.arg),
            false => c.ty.names.last().map_or("?column?", |n| n.as_str()).to_owned(),
        },
        Ast::Case(c) => match &c.default {
            Some(default) if named_by_more_than_a_type(default) => figure_name(default),
            _ => "case".to_owned(),
        },
        Ast::Coalesce(_) => "coalesce".to_owned(),
        Ast::NullIf(_) => "nullif".to_owned(),
        Ast::Greatest(_) => "greatest".to_owned(),
        Ast::Least(_) => "least".to_owned(),
        Ast::Exists(_) => "exists".to_owned(),
        Ast::Grouping(_) => "grouping".to_owned(),
        Ast::Array(_) | Ast::ArraySubquery(_) => "array".to_owned(),
        Ast::Row(_) => "row".to_owned(),
        Ast::Collate(c) => figure_name(&c.arg),
        Ast::ScalarSubquery(s) => match &s.body {
            SelectBody::Query(core) => match core.targets.first() {
                Some(t) => t.alias.as_ref().map_or_else(|| figure_name(&t.expr), |a| a.as_str().to_owned()),
                None => "?column?".to_owned(),
            },
            _ => "?column?".to_owned(),
        },
        Ast::Indirection(i) => match i.path.last() {
            Some(ast::Indirection::Field(name)) => name.as_str().to_owned(),
            _ => figure_name(&i.arg),
        },
        Ast::Json(e) => crate::sql_json::name(e).to_owned(),
        Ast::MergeAction => "merge_action".to_owned(),
        Ast::SqlValue(v, _) => crate::call::sql_value_name(*v).to_owned(),
        _ => "?column?".to_owned(),
    }
}
