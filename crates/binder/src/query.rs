//! Binding queries: FROM, WHERE, GROUP BY, HAVING, the target list, DISTINCT, ORDER BY, LIMIT.

use plan::{Expr, ExprKind, JoinKind, Node, OutputColumn, SortKey};
use syntax::ast::{
    self, Distinct, ExprKind as Ast, GroupItem, JoinCondition, Literal, NullsOrder, Select, SelectBody, SortDirection,
    TableRef,
};
use types::{Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::coerce::{Context, coerce};
use crate::expr::{AGGREGATES, Place};
use crate::scope::{Scope, ScopeColumn};

/// A bound query: its plan, and what its columns are called.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The plan.
    pub node: Node,
    /// Its columns.
    pub columns: Vec<OutputColumn>,
}

impl Binder<'_> {
    /// Binds a query.
    ///
    /// # Errors
    /// What PostgreSQL says of it; `0A000` for what is not supported yet.
    pub fn query(&mut self, select: &Select) -> Result<Bound> {
        if select.with.is_some() {
            return Err(self.unsupported("WITH", select.pos));
        }
        if !select.locking.is_empty() {
            return Err(self.unsupported("FOR UPDATE and its kin", select.pos));
        }
        match &select.body {
            SelectBody::Query(core) => self.core(select, core),
            SelectBody::Values(rows) => self.values(select, rows),
            SelectBody::SetOperation(op) => Err(self.unsupported("UNION, INTERSECT and EXCEPT", op.pos)),
        }
    }

    fn values(&mut self, select: &Select, rows: &[Vec<ast::Expr>]) -> Result<Bound> {
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
            for (row, item) in bound.iter_mut().zip(self.unify(items, "VALUES", select.pos)?) {
                row[column] = item;
            }
        }
        let types: Vec<Oid> = bound[0].iter().map(|e| e.ty).collect();
        let columns: Vec<OutputColumn> = types
            .iter()
            .enumerate()
            .map(|(i, &ty)| OutputColumn { name: format!("column{}", i + 1), ty, typmod: -1 })
            .collect();
        let node = Node::Values { rows: bound, types };
        let targets: Vec<Expr> = columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect();
        self.order_and_limit(select, node, Scope::default(), targets, columns)
    }

    fn core(&mut self, select: &Select, core: &ast::SelectCore) -> Result<Bound> {
        if core.into.is_some() {
            return Err(self.unsupported("SELECT INTO", select.pos));
        }
        if !core.windows.is_empty() {
            return Err(self.unsupported("WINDOW", select.pos));
        }
        let (mut node, scope) = self.from(&core.from)?;
        if let Some(condition) = &core.where_clause {
            let predicate = self.condition(condition, &mut Place::new(&scope, "WHERE"))?;
            node = Node::Filter { input: Box::new(node), predicate };
        }
        let mut place = Place { scope: &scope, aggregates: Some(Vec::new()), clause: "SELECT" };
        let (mut targets, mut columns) = (Vec::new(), Vec::new());
        for target in &core.targets {
            self.target(target, &mut place, &mut targets, &mut columns)?;
        }
        let mut groups = Vec::new();
        for item in &core.group_by {
            groups.push(self.group(item, &scope, &targets, &columns)?);
        }
        let having = match &core.having {
            Some(having) => {
                place.clause = "HAVING";
                Some(self.condition(having, &mut place)?)
            }
            None => None,
        };
        // ORDER BY may bring aggregates of its own.
        place.clause = "ORDER BY";
        let mut keys = Vec::new();
        for by in &select.order_by {
            keys.push(self.sort_expr(by, &mut place, &targets, &columns)?);
        }
        let calls = place.aggregates.take().unwrap_or_default();
        if !calls.is_empty() || !groups.is_empty() || having.is_some() {
            let replace = |e: &mut Expr| self.replace_grouped(e, &groups, &scope);
            targets.iter_mut().try_for_each(replace)?;
            keys.iter_mut().try_for_each(replace)?;
            let having = match having {
                Some(mut h) => {
                    self.replace_grouped(&mut h, &groups, &scope)?;
                    Some(h)
                }
                None => None,
            };
            node = Node::Aggregate { input: Box::new(node), groups, calls };
            if let Some(predicate) = having {
                node = Node::Filter { input: Box::new(node), predicate };
            }
        }
        self.project(select, &core.distinct, node, targets, columns, keys)
    }

    pub(crate) fn target(
        &mut self,
        target: &ast::Target,
        place: &mut Place<'_>,
        targets: &mut Vec<Expr>,
        columns: &mut Vec<OutputColumn>,
    ) -> Result<()> {
        if let Ast::Star(names) = &target.expr.kind {
            let table = names.last().map(|n| &**n);
            if let Some(table) = table
                && !place.scope.has_table(table)
            {
                let message = format!("missing FROM-clause entry for table \"{table}\"");
                return Err(self.error(SqlState::UNDEFINED_TABLE, message, target.expr.pos));
            }
            let all = place.scope.star(table);
            if all.is_empty() && table.is_none() {
                let message = "SELECT * with no tables specified is not valid";
                return Err(self.error(SqlState::SYNTAX_ERROR, message, target.expr.pos));
            }
            for i in all {
                let c = &place.scope.columns[i];
                targets.push(Expr::column(i, c.ty, c.typmod));
                columns.push(OutputColumn { name: c.name.clone(), ty: c.ty, typmod: c.typmod });
            }
            return Ok(());
        }
        let bound = self.expr(&target.expr, place)?;
        let bound = self.settle(bound)?;
        let name = target.alias.as_ref().map_or_else(|| figure_name(&target.expr), |a| a.as_str().to_owned());
        columns.push(OutputColumn { name, ty: bound.ty, typmod: bound.typmod });
        targets.push(bound);
        Ok(())
    }

    fn group(&mut self, item: &GroupItem, scope: &Scope, targets: &[Expr], columns: &[OutputColumn]) -> Result<Expr> {
        let expr = match item {
            GroupItem::Expr(expr) => expr,
            GroupItem::Empty(pos)
            | GroupItem::Rollup(_, pos)
            | GroupItem::Cube(_, pos)
            | GroupItem::GroupingSets(_, pos) => {
                return Err(self.unsupported("GROUPING SETS", *pos));
            }
        };
        let found = match &expr.kind {
            Ast::Literal(Literal::Integer(n)) => {
                let index = usize::try_from(*n).ok().and_then(|n| n.checked_sub(1)).filter(|&i| i < targets.len());
                let message = format!("GROUP BY position {n} is not in select list");
                Some(index.ok_or_else(|| self.error(SqlState::INVALID_COLUMN_REFERENCE, message, expr.pos))?)
            }
            // A name means an input column first, then an output column.
            Ast::Column(names) if names.len() == 1 && !scope.columns.iter().any(|c| c.name == *names[0].text) => {
                columns.iter().position(|c| c.name == *names[0].text)
            }
            _ => None,
        };
        match found {
            Some(index) => Ok(targets[index].clone()),
            None => {
                let bound = self.expr(expr, &mut Place::new(scope, "GROUP BY"))?;
                self.settle(bound)
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
        match &by.expr.kind {
            Ast::Literal(Literal::Integer(n)) => {
                let index = usize::try_from(*n).ok().and_then(|n| n.checked_sub(1)).filter(|&i| i < targets.len());
                let message = format!("ORDER BY position {n} is not in select list");
                let index =
                    index.ok_or_else(|| self.error(SqlState::INVALID_COLUMN_REFERENCE, message, by.expr.pos))?;
                Ok(targets[index].clone())
            }
            Ast::Column(names) if names.len() == 1 => {
                let mut found = (0..columns.len()).filter(|&i| columns[i].name == *names[0].text);
                match (found.next(), found.next()) {
                    (Some(i), None) => Ok(targets[i].clone()),
                    (Some(i), Some(j)) if targets[i] != targets[j] => {
                        let message = format!("ORDER BY \"{}\" is ambiguous", names[0].text);
                        Err(self.error(SqlState::AMBIGUOUS_COLUMN, message, by.expr.pos))
                    }
                    (Some(i), Some(_)) => Ok(targets[i].clone()),
                    (None, _) => self.expr(&by.expr, place),
                }
            }
            _ => {
                let bound = self.expr(&by.expr, place)?;
                self.settle(bound)
            }
        }
    }

    /// Rewrites an expression over input rows as one over groups.
    fn replace_grouped(&self, expr: &mut Expr, groups: &[Expr], scope: &Scope) -> Result<()> {
        if let Some(index) = groups.iter().position(|g| same(g, expr)) {
            expr.kind = ExprKind::Column(index);
            return Ok(());
        }
        match &mut expr.kind {
            ExprKind::Column(i) if *i >= AGGREGATES => {
                *i = *i - AGGREGATES + groups.len();
                Ok(())
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
            ExprKind::Const(_) | ExprKind::Param(_) => Ok(()),
            ExprKind::Call { args, .. } | ExprKind::And(args) | ExprKind::Or(args) | ExprKind::Coalesce(args) => {
                args.iter_mut().try_for_each(|a| self.replace_grouped(a, groups, scope))
            }
            ExprKind::CastByText(a) | ExprKind::Not(a) | ExprKind::IsNull(a) | ExprKind::IsBool(a, _) => {
                self.replace_grouped(a, groups, scope)
            }
            ExprKind::Coerce { arg, .. } => self.replace_grouped(arg, groups, scope),
            ExprKind::IsDistinct { args, .. } => {
                args.iter_mut().try_for_each(|a| self.replace_grouped(a, groups, scope))
            }
            ExprKind::Case { whens, default } => {
                for (condition, result) in whens {
                    self.replace_grouped(condition, groups, scope)?;
                    self.replace_grouped(result, groups, scope)?;
                }
                self.replace_grouped(default, groups, scope)
            }
        }
    }

    fn project(
        &mut self,
        select: &Select,
        distinct: &Distinct,
        node: Node,
        targets: Vec<Expr>,
        columns: Vec<OutputColumn>,
        keys: Vec<Expr>,
    ) -> Result<Bound> {
        let shown = targets.len();
        let mut exprs = targets;
        let mut sort = Vec::new();
        for (by, key) in select.order_by.iter().zip(keys) {
            let index = match exprs.iter().position(|t| same(t, &key)) {
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
        let hidden = exprs.len() > shown;
        let mut node = Node::Project { input: Box::new(node), exprs };
        match distinct {
            Distinct::All => {}
            Distinct::Distinct => node = Node::Distinct { input: Box::new(node) },
            Distinct::On(_) => return Err(self.unsupported("DISTINCT ON", select.pos)),
        }
        if !sort.is_empty() {
            node = Node::Sort { input: Box::new(node), keys: sort };
        }
        node = self.limit(select, node)?;
        if hidden {
            let exprs = columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect();
            node = Node::Project { input: Box::new(node), exprs };
        }
        Ok(Bound { node, columns })
    }

    fn order_and_limit(
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
        self.project(select, &Distinct::All, node, targets, columns, keys)
    }

    fn sort_key(&self, by: &ast::SortBy, expr: Expr) -> Result<SortKey> {
        let descending = match &by.direction {
            SortDirection::Default | SortDirection::Asc => false,
            SortDirection::Desc => true,
            SortDirection::Using(op) => return Err(self.unsupported("ORDER BY USING", op.pos)),
        };
        let nulls_first = match by.nulls {
            NullsOrder::Default => descending,
            NullsOrder::First => true,
            NullsOrder::Last => false,
        };
        Ok(SortKey { expr, descending, nulls_first })
    }

    fn limit(&mut self, select: &Select, node: Node) -> Result<Node> {
        let Some(limit) = &select.limit else { return Ok(node) };
        if limit.with_ties {
            return Err(self.unsupported("FETCH WITH TIES", select.pos));
        }
        let scope = Scope::default();
        let mut bind = |e: &Option<ast::Expr>, clause: &'static str| -> Result<Option<Expr>> {
            let Some(e) = e else { return Ok(None) };
            let bound = self.expr(e, &mut Place::new(&scope, clause))?;
            if let ExprKind::Param(index) = bound.kind
                && bound.ty == oid::UNKNOWN
            {
                self.params[index] = oid::INT8;
                return Ok(Some(Expr { ty: oid::INT8, ..bound }));
            }
            let bound = coerce(bound, oid::INT8, -1, Context::Assignment, self.settings)?;
            let message = format!("argument of {clause} must be type bigint");
            Ok(Some(bound.ok_or_else(|| self.error(SqlState::DATATYPE_MISMATCH, message, e.location()))?))
        };
        let (count, offset) = (bind(&limit.count, "LIMIT")?, bind(&limit.offset, "OFFSET")?);
        Ok(Node::Limit { input: Box::new(node), count, offset })
    }

    /// Binds a FROM list.
    pub(crate) fn from(&mut self, list: &[TableRef]) -> Result<(Node, Scope)> {
        let mut all: Option<(Node, Scope)> = None;
        for item in list {
            let (node, scope) = self.table_ref(item)?;
            all = Some(match all {
                None => (node, scope),
                Some((left, left_scope)) => {
                    self.check_aliases(&left_scope, &scope)?;
                    (join(JoinKind::Inner, left, node, None), left_scope.join(scope))
                }
            });
        }
        Ok(all.unwrap_or((Node::Values { rows: vec![Vec::new()], types: Vec::new() }, Scope::default())))
    }

    fn check_aliases(&self, left: &Scope, right: &Scope) -> Result<()> {
        match right.columns.iter().find(|c| left.has_table(&c.table)) {
            None => Ok(()),
            Some(c) => Err(SqlError::new(
                SqlState::DUPLICATE_ALIAS,
                format!("table name \"{}\" specified more than once", c.table),
            )),
        }
    }

    fn table_ref(&mut self, item: &TableRef) -> Result<(Node, Scope)> {
        match item {
            TableRef::Relation(r) => {
                if r.sample.is_some() {
                    return Err(self.unsupported("TABLESAMPLE", r.relation.pos));
                }
                let table = self.table(&r.relation)?;
                let alias = r.alias.as_ref().map_or(r.relation.name.as_str(), |a| a.name.as_str()).to_owned();
                let renames = r.alias.as_ref().map_or(&[][..], |a| &a.columns[..]);
                let scope = table_scope(&table, &alias, renames);
                Ok((Node::Scan { table, filter: None }, scope))
            }
            TableRef::Subquery(s) => {
                if s.lateral {
                    return Err(self.unsupported("LATERAL", s.pos));
                }
                let bound = self.query(&s.query)?;
                let alias = s.alias.as_ref().map_or(String::new(), |a| a.name.as_str().to_owned());
                let renames = s.alias.as_ref().map_or(&[][..], |a| &a.columns[..]);
                let columns = bound.columns.iter().enumerate().map(|(i, c)| ScopeColumn {
                    table: alias.clone(),
                    name: renames.get(i).map_or_else(|| c.name.clone(), |n| n.as_str().to_owned()),
                    ty: c.ty,
                    typmod: c.typmod,
                    hidden: false,
                });
                let scope = Scope { columns: columns.collect() };
                Ok((bound.node, scope))
            }
            TableRef::Join(j) => self.join(j),
            TableRef::Function(f) => Err(self.unsupported("a function in FROM", f.pos)),
            TableRef::XmlTable(t) => Err(self.unsupported("XMLTABLE", t.pos)),
            TableRef::JsonTable(t) => Err(self.unsupported("JSON_TABLE", t.pos)),
        }
    }

    fn join(&mut self, j: &ast::Join) -> Result<(Node, Scope)> {
        if j.alias.is_some() {
            return Err(self.unsupported("an alias of a join", j.pos));
        }
        let (left, left_scope) = self.table_ref(&j.left)?;
        let (right, right_scope) = self.table_ref(&j.right)?;
        self.check_aliases(&left_scope, &right_scope)?;
        let kind = match j.kind {
            ast::JoinKind::Inner => JoinKind::Inner,
            ast::JoinKind::Left => JoinKind::Left,
            ast::JoinKind::Right => JoinKind::Right,
            ast::JoinKind::Full => JoinKind::Full,
        };
        let split = left_scope.columns.len();
        let names: Vec<String> = match &j.condition {
            JoinCondition::Using(names, None) => names.iter().map(|n| n.as_str().to_owned()).collect(),
            JoinCondition::Using(_, Some(_)) => return Err(self.unsupported("an alias of USING", j.pos)),
            JoinCondition::Natural => left_scope
                .columns
                .iter()
                .filter(|c| !c.hidden && right_scope.columns.iter().any(|r| !r.hidden && r.name == c.name))
                .map(|c| c.name.clone())
                .collect(),
            JoinCondition::On(_) | JoinCondition::None => Vec::new(),
        };
        if !names.is_empty() && matches!(kind, JoinKind::Right | JoinKind::Full) {
            return Err(self.unsupported("USING with RIGHT or FULL JOIN", j.pos));
        }
        let mut scope = left_scope.join(right_scope);
        let mut tests = Vec::new();
        for name in &names {
            let side = |range: std::ops::Range<usize>, which: &str| {
                let found = range.clone().find(|&i| !scope.columns[i].hidden && scope.columns[i].name == *name);
                found.ok_or_else(|| {
                    let message =
                        format!("column \"{name}\" specified in USING clause does not exist in {which} table");
                    self.error(SqlState::UNDEFINED_COLUMN, message, j.pos)
                })
            };
            let (l, r) = (side(0..split, "left")?, side(split..scope.columns.len(), "right")?);
            let column = |i: usize| Expr::column(i, scope.columns[i].ty, scope.columns[i].typmod);
            let args = vec![column(l), column(r)];
            tests.push(self.named_operator("=", args, j.pos)?);
            scope.columns[r].hidden = true;
        }
        if let JoinCondition::On(condition) = &j.condition {
            tests.push(self.condition(condition, &mut Place::new(&scope, "JOIN/ON"))?);
        }
        let condition = match tests.len() {
            0 => None,
            1 => tests.pop(),
            _ => Some(Expr::new(ExprKind::And(tests), oid::BOOL, 0)),
        };
        Ok((join(kind, left, right, condition), scope))
    }
}

fn join(kind: JoinKind, left: Node, right: Node, condition: Option<Expr>) -> Node {
    Node::Join { kind, left: Box::new(left), right: Box::new(right), equal: Vec::new(), condition }
}

/// The columns of a scan of `table`, its row id last.
pub(crate) fn table_scope(table: &plan::TableRef, alias: &str, renames: &[ast::Name]) -> Scope {
    let mut columns: Vec<ScopeColumn> = table
        .columns
        .iter()
        .enumerate()
        .map(|(i, (name, ty, typmod, _))| ScopeColumn {
            table: alias.to_owned(),
            name: renames.get(i).map_or_else(|| name.clone(), |n| n.as_str().to_owned()),
            ty: *ty,
            typmod: *typmod,
            hidden: false,
        })
        .collect();
    // No name finds it: `ctid` comes with the system columns.
    columns.push(ScopeColumn { table: alias.to_owned(), name: String::new(), ty: oid::INT8, typmod: -1, hidden: true });
    Scope { columns }
}

/// Whether two expressions are the same wherever they were written.
fn same(a: &Expr, b: &Expr) -> bool {
    fn strip(e: &Expr) -> Expr {
        let mut e = e.clone();
        clear(&mut e);
        e
    }
    fn clear(e: &mut Expr) {
        e.position = 0;
        match &mut e.kind {
            ExprKind::Call { args, .. } | ExprKind::And(args) | ExprKind::Or(args) | ExprKind::Coalesce(args) => {
                args.iter_mut().for_each(clear);
            }
            ExprKind::CastByText(a) | ExprKind::Not(a) | ExprKind::IsNull(a) | ExprKind::IsBool(a, _) => clear(a),
            ExprKind::Coerce { arg, .. } => clear(arg),
            ExprKind::IsDistinct { args, .. } => args.iter_mut().for_each(clear),
            ExprKind::Case { whens, default } => {
                for (c, r) in whens {
                    clear(c);
                    clear(r);
                }
                clear(default);
            }
            ExprKind::Const(_) | ExprKind::Column(_) | ExprKind::Param(_) => {}
        }
    }
    strip(a) == strip(b)
}

/// The name of an output column that was given none.
fn figure_name(expr: &ast::Expr) -> String {
    match &expr.kind {
        Ast::Column(names) => names.last().map_or("?column?", |n| n.as_str()).to_owned(),
        Ast::FuncCall(f) => f.name.last().map_or("?column?", |n| n.as_str()).to_owned(),
        Ast::Cast(c) => match figure_name(&c.arg).as_str() {
            "?column?" => c.ty.names.last().map_or("?column?", |n| n.as_str()).to_owned(),
            inner => inner.to_owned(),
        },
        Ast::Case(c) => match &c.default {
            Some(default) if figure_name(default) != "?column?" => figure_name(default),
            _ => "case".to_owned(),
        },
        Ast::Coalesce(_) => "coalesce".to_owned(),
        Ast::NullIf(_) => "nullif".to_owned(),
        _ => "?column?".to_owned(),
    }
}
