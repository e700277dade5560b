//! FROM: tables, sub-queries, functions, joins.

mod function;

use std::sync::Arc;

use plan::{CheckAs, Expr, JoinKind, Needed, Node, OutputColumn};
use syntax::ast::{self, JoinCondition, StatementKind, TableRef};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::expr::Place;
use crate::query::Bound;
use crate::scope::{Frame, Scope, ScopeColumn};
use crate::{Binder, Relation};

/// How deep views may be nested, so that binding them fits the stack (N3).
const VIEWS_MAX: usize = 32;

/// `pg_get_sequence_data`.
const SEQUENCE_DATA: Oid = Oid(6427);

impl Binder<'_> {
    /// Binds a FROM list.
    pub(crate) fn from(&mut self, list: &[TableRef]) -> Result<(Node, Scope)> {
        let mut all: Option<(Node, Scope)> = None;
        for item in list {
            all = Some(match all {
                None => self.table_ref(item)?,
                Some((left, left_scope)) => {
                    let ((node, scope), frame) = self.beside(&left_scope, |b| b.table_ref(item))?;
                    self.check_aliases(&left_scope, &scope)?;
                    let node = beside(JoinKind::Inner, left, node, frame, None);
                    (node, left_scope.join(scope))
                }
            });
        }
        Ok(all.unwrap_or((Node::one_row(), Scope::default())))
    }

    /// Runs `f` with `left` where LATERAL items can see it.
    pub(crate) fn beside<T>(&mut self, left: &Scope, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, Frame)> {
        self.beside_combined(left, false, f)
    }

    /// As [`Binder::beside`]; `combined` are the sides of RIGHT and FULL joins.
    fn beside_combined<T>(
        &mut self,
        left: &Scope,
        combined: bool,
        f: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<(T, Frame)> {
        let texts = self.text_level();
        let frame = Frame::new(left.clone(), texts, "FROM clause of their own query level");
        self.frames.push(Frame { visible: false, combined, ..frame });
        let outcome = f(self);
        let frame = self.frames.pop().unwrap_or_else(|| unreachable!("it was pushed above"));
        Ok((outcome?, frame))
    }

    /// Runs `f` with the left sides of the joins around it in sight.
    pub(crate) fn lateral<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let level = self.level;
        let before: Vec<bool> = self.frames[level..].iter().map(|f| f.visible).collect();
        self.frames[level..].iter_mut().for_each(|f| f.visible = true);
        let outcome = f(self);
        self.frames[level..].iter_mut().zip(before).for_each(|(f, v)| f.visible = v);
        outcome
    }

    /// Binds a query of its own, not an expression of this one: it sees only the queries around.
    fn nested(&mut self, query: &ast::Select) -> Result<Bound> {
        let level = std::mem::replace(&mut self.level, self.frames.len());
        let outcome = self.query(query);
        self.level = level;
        outcome
    }

    pub(crate) fn check_aliases(&self, left: &Scope, right: &Scope) -> Result<()> {
        let clash = right.columns.iter().find(|c| {
            !c.table.is_empty()
                && left.columns.iter().any(|l| {
                    // Tables of the same name in two schemas are told apart by their schemas.
                    l.table == c.table && (l.schema.is_none() || c.schema.is_none() || l.schema == c.schema)
                })
        });
        let aliases = |s: &Scope, other: &Scope| s.aliased.iter().find(|a| other.has_table(&a.0)).map(|a| a.0.clone());
        let clash = clash.map(|c| c.table.clone());
        match clash.or_else(|| aliases(left, right)).or_else(|| aliases(right, left)) {
            None => Ok(()),
            Some(name) => Err(taken_alias(&name)),
        }
    }

    fn table_ref(&mut self, item: &TableRef) -> Result<(Node, Scope)> {
        let (node, mut scope) = self.bare_table_ref(item)?;
        let Some(table) = scope.columns.first().map(|c| c.table.clone()) else { return Ok((node, scope)) };
        if matches!(item, TableRef::Join(_)) || !self.marked.contains(&table) || scope.find_ctid(&table) {
            return Ok((node, scope));
        }
        let mut exprs: Vec<Expr> =
            scope.columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect();
        exprs.push(Expr::new(plan::ExprKind::Const(Datum::Bool(true)), oid::BOOL, 0));
        scope.columns.push(ScopeColumn::mark(&table));
        Ok((Node::Project { input: Box::new(node), exprs }, scope))
    }

    fn bare_table_ref(&mut self, item: &TableRef) -> Result<(Node, Scope)> {
        match item {
            TableRef::Relation(r) => self.relation_ref(r),
            TableRef::Subquery(s) => {
                let bound = if s.lateral { self.lateral(|b| b.nested(&s.query))? } else { self.nested(&s.query)? };
                let alias = s.alias.as_ref().map_or("", |a| a.name.as_str());
                let scope = self.derived_scope(alias, s.alias.as_ref(), &bound.columns)?;
                Ok((bound.node, scope))
            }
            TableRef::Join(j) => self.join(j),
            TableRef::Function(f) => self.lateral(|b| b.function_ref(f)),
            TableRef::XmlTable(t) => Err(self.unsupported("XMLTABLE", t.pos)),
            TableRef::JsonTable(t) => Err(self.unsupported("JSON_TABLE", t.pos)),
        }
    }

    /// The columns of a derived table called `table`.
    pub(crate) fn derived_scope(
        &self,
        table: &str,
        alias: Option<&ast::Alias>,
        columns: &[OutputColumn],
    ) -> Result<Scope> {
        let renames = alias.map_or(&[][..], |a| &a.columns[..]);
        if renames.len() > columns.len() {
            let message = format!(
                "table \"{table}\" has {} columns available but {} columns specified",
                columns.len(),
                renames.len()
            );
            return Err(SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message));
        }
        let column = |(i, c): (usize, &OutputColumn)| ScopeColumn {
            table: table.to_owned(),
            schema: None,
            name: renames.get(i).map_or_else(|| c.name.clone(), |n| n.as_str().to_owned()),
            ty: c.ty,
            typmod: c.typmod,
            hidden: false,
            origin: c.origin,
        };
        Ok(Scope { columns: columns.iter().enumerate().map(column).collect(), ..Scope::default() })
    }

    fn relation_ref(&mut self, r: &ast::RelationRef) -> Result<(Node, Scope)> {
        let name = r.relation.name.as_str();
        let alias = r.alias.as_ref().map_or(name, |a| a.name.as_str()).to_owned();
        if let Some(at) = self.cte_named(&r.relation) {
            return self.cte_ref(at, r, &alias);
        }
        match self.relation(&r.relation)? {
            Relation::Table(mut table) => {
                table.label = self.label(&alias, &Scope::default());
                let renames = r.alias.as_ref().map_or(&[][..], |a| &a.columns[..]);
                let own = r.alias.is_none();
                let mut scope = table_scope(&table, &alias, own, renames);
                let row_type = self.row_type_of(table.oid);
                scope.rows.extend(row_type.map(|ty| (alias.clone(), ty)));
                let virtuals = self.virtuals(&table)?;
                let width = table.columns.len();
                let kind = self.image.by_oid(table.oid).map_or(0, |t| t.kind);
                if kind == b'S' {
                    let node = self.sequence_row(table.oid);
                    let column = |name: &str, ty| OutputColumn { name: name.to_owned(), ty, typmod: -1, origin: None };
                    let columns = [("last_value", oid::INT8), ("log_cnt", oid::INT8), ("is_called", oid::BOOL)];
                    let columns = columns.map(|(name, ty)| column(name, ty));
                    return Ok((node, self.derived_scope(&alias, r.alias.as_ref(), &columns)?));
                }
                let scan = Node::Scan { table: Arc::new(table), filter: None, needed: Needed::default() };
                let mut node = match &r.sample {
                    None => scan,
                    Some(_) if !matches!(kind, b'r' | b'm') => return Err(self.not_sampled(r)),
                    Some(sample) => {
                        let predicate = self.sample(sample, width)?;
                        Node::Filter { input: Box::new(scan), predicate }
                    }
                };
                if !virtuals.is_empty() {
                    let types = node.types();
                    let mut exprs: Vec<Expr> =
                        types.iter().enumerate().map(|(i, &ty)| Expr::column(i, ty, -1)).collect();
                    for (i, e) in virtuals {
                        exprs[i] = e;
                    }
                    node = Node::Project { input: Box::new(node), exprs };
                }
                Ok((node, scope))
            }
            _ if r.sample.is_some() => Err(self.not_sampled(r)),
            Relation::Stored(info) => {
                let bound = self.stored_view(&info)?;
                let mut scope = self.derived_scope(&alias, r.alias.as_ref(), &bound.columns)?;
                let schema = r.alias.is_none().then(|| self.image.namespace_name(info.namespace).to_owned());
                for (i, column) in scope.columns.iter_mut().enumerate() {
                    column.origin = Some((info.oid, i as i16 + 1));
                    column.schema.clone_from(&schema);
                }
                scope.rows.extend(self.row_type_of(info.oid).map(|ty| (alias.clone(), ty)));
                Ok((bound.node, scope))
            }
            Relation::View { schema, name, sql } => {
                let Some(sql) = sql else {
                    return Err(SqlError::unsupported(format!("system view \"{name}\"")));
                };
                let bound = self.system_view(&sql)?;
                let mut scope = self.derived_scope(&alias, r.alias.as_ref(), &bound.columns)?;
                scope.columns.iter_mut().for_each(|c| c.schema = Some(schema.to_owned()));
                Ok((bound.node, scope))
            }
        }
    }

    /// The only row of a sequence.
    fn sequence_row(&mut self, sequence: Oid) -> Node {
        self.views.push(sequence);
        let own = Expr::new(plan::ExprKind::Const(Datum::U32(sequence.0)), oid::REGCLASS, 0);
        let input = Box::new(Node::FunctionScan {
            function: SEQUENCE_DATA,
            routine: None,
            args: vec![own],
            types: vec![oid::INT8, oid::BOOL, oid::INT8],
            names: ["last_value", "is_called", "log_cnt"].map(str::to_owned).to_vec(),
            ordinality: false,
            label: plan::Label::default(),
        });
        let exprs =
            vec![Expr::column(0, oid::INT8, -1), Expr::column(2, oid::INT8, -1), Expr::column(1, oid::BOOL, -1)];
        Node::Project { input, exprs }
    }

    /// The type that rows of a relation have.
    pub(crate) fn row_type_of(&self, relation: Oid) -> Option<Oid> {
        let own = self.image.by_oid(relation).map(|t| t.row_type);
        let ty = own.or_else(|| catalog::builtin::relation_by_oid(relation).map(|r| r.row_type))?;
        (!ty.is_none()).then_some(ty)
    }

    pub(crate) fn not_sampled(&self, r: &ast::RelationRef) -> SqlError {
        let message = "TABLESAMPLE clause can only be applied to tables and materialized views";
        self.error(SqlState::FEATURE_NOT_SUPPORTED, message, r.relation.pos)
    }

    /// Whether a row of a table of so many columns is in a sample of it.
    pub(crate) fn sample(&mut self, sample: &ast::TableSample, width: usize) -> Result<Expr> {
        let name = sample.method.last().map_or("", |n| &**n);
        let blocks = match name {
            "bernoulli" => false,
            "system" => true,
            _ => {
                let message = format!("tablesample method {name} does not exist");
                let pos = sample.method.first().map_or(sample.pos, |n| n.pos);
                return Err(self.error(SqlState::UNDEFINED_OBJECT, message, pos));
            }
        };
        if sample.args.len() != 1 {
            let message = format!("tablesample method {name} requires 1 argument, not {}", sample.args.len());
            let pos = sample.method.first().map_or(sample.pos, |n| n.pos);
            return Err(self.error(SqlState::INVALID_TABLESAMPLE_ARGUMENT, message, pos));
        }
        let scope = Scope::default();
        let mut args = vec![Expr::column(width, oid::TID, -1)];
        for (e, ty) in
            sample.args.iter().map(|e| (e, oid::FLOAT4)).chain(sample.repeatable.iter().map(|e| (e, oid::FLOAT8)))
        {
            let word = if ty == oid::FLOAT4 { "TABLESAMPLE" } else { "REPEATABLE" };
            let bound = self.expr(e, &mut Place::new(&scope, "TABLESAMPLE"))?;
            let from = bound.ty;
            args.push(self.coerce(bound, ty, -1, crate::Context::Assignment)?.ok_or_else(|| {
                let (to, from) = (self.type_shown(ty), self.type_shown(from));
                let message = format!("argument of {word} must be type {to}, not type {from}");
                self.error(SqlState::DATATYPE_MISMATCH, message, e.location())
            })?);
        }
        Ok(Expr::new(plan::ExprKind::Sampled { args, blocks }, oid::BOOL, 0))
    }

    /// A view of the system's: its query sees nothing of the statement around it.
    fn system_view(&mut self, sql: &str) -> Result<Bound> {
        let mut binder = Binder::new(self.image, sql, self.settings, &[]);
        (binder.slots, binder.subs, binder.next_cte) = (self.slots, self.subs, self.next_cte);
        binder.items = self.items;
        let statements = syntax::parse(sql)?;
        let Some(StatementKind::Select(select)) = statements.first().map(|s| &s.kind) else {
            return Err(SqlError::internal("a system view is a query"));
        };
        let mut bound = binder.query(select)?;
        // The shapes of its rows are not ours.
        bound.columns.iter_mut().filter(|c| c.ty == oid::RECORD).for_each(|c| c.typmod = -1);
        check_as(&mut bound.node, CheckAs::Nobody);
        (self.slots, self.subs, self.next_cte) = (binder.slots, binder.subs, binder.next_cte);
        self.items = binder.items;
        Ok(bound)
    }

    /// A user's view: its query, as it is kept, and the names of its columns.
    fn stored_view(&mut self, info: &catalog::TableInfo) -> Result<Bound> {
        let Some(sql) = info.view.clone() else { return Err(SqlError::internal("a view has a query")) };
        if self.view_depth >= VIEWS_MAX {
            return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
                .hint(format!("Views may be nested {VIEWS_MAX} deep.")));
        }
        let settings = types::IoSettings::default();
        let mut binder = Binder::new(self.image, &sql, &settings, &[]);
        (binder.slots, binder.subs, binder.next_cte) = (self.slots, self.subs, self.next_cte);
        binder.items = self.items;
        (binder.depth, binder.view_depth) = (self.depth, self.view_depth + 1);
        let statements = syntax::parse(&sql)?;
        let Some(StatementKind::Select(select)) = statements.first().map(|s| &s.kind) else {
            return Err(SqlError::internal("a view is a query"));
        };
        let mut bound = binder.query(select).map_err(|mut e| {
            e.fields_mut().position = None;
            e
        })?;
        self.inner_views.append(&mut binder.inner_views);
        if info.options.iter().any(|o| o == "security_invoker=true") {
            self.views.append(&mut binder.views);
        } else {
            check_as(&mut bound.node, CheckAs::Role(info.owner));
            self.inner_views.extend(binder.views.iter().map(|v| (*v, info.owner)));
        }
        (self.slots, self.subs, self.next_cte) = (binder.slots, binder.subs, binder.next_cte);
        self.items = binder.items;
        self.views.push(info.oid);
        for (column, own) in bound.columns.iter_mut().zip(&info.columns) {
            column.name.clone_from(&own.name);
        }
        Ok(bound)
    }

    /// What EXPLAIN calls an item of FROM.
    pub(crate) fn label(&mut self, alias: &str, scope: &Scope) -> plan::Label {
        self.items += 1;
        let columns = scope.columns.iter().map(|c| c.name.clone()).collect();
        plan::Label { alias: alias.to_owned(), number: self.items, columns }
    }

    fn join(&mut self, j: &ast::Join) -> Result<(Node, Scope)> {
        let (left_nulled, right_nulled) = match j.kind {
            ast::JoinKind::Inner => (None, None),
            ast::JoinKind::Left => (None, Some("an outer join")),
            ast::JoinKind::Right => (Some("an outer join"), None),
            ast::JoinKind::Full => (Some("an outer join"), Some("an outer join")),
        };
        let (left, left_scope) = self.without_recursion(left_nulled, |b| b.table_ref(&j.left))?;
        let right = |b: &mut Self| b.without_recursion(right_nulled, |b| b.table_ref(&j.right));
        let combined = matches!(j.kind, ast::JoinKind::Right | ast::JoinKind::Full);
        let ((right, right_scope), frame) = self.beside_combined(&left_scope, combined, right)?;
        self.check_aliases(&left_scope, &right_scope)?;
        let mut nullable = Vec::new();
        for (scope, nulled) in [(&left_scope, left_nulled), (&right_scope, right_nulled)] {
            let tables = scope.columns.iter().filter(|_| nulled.is_some()).map(|c| c.table.clone());
            nullable.extend(tables);
        }
        nullable.dedup();
        let kind = match j.kind {
            ast::JoinKind::Inner => JoinKind::Inner,
            ast::JoinKind::Left => JoinKind::Left,
            ast::JoinKind::Right => JoinKind::Right,
            ast::JoinKind::Full => JoinKind::Full,
        };
        let split = left_scope.columns.len();
        let names: Vec<String> = match &j.condition {
            JoinCondition::Using(names, _) => names.iter().map(|n| n.as_str().to_owned()).collect(),
            JoinCondition::Natural => left_scope
                .columns
                .iter()
                .filter(|c| !c.hidden && right_scope.columns.iter().any(|r| !r.hidden && r.name == c.name))
                .map(|c| c.name.clone())
                .collect(),
            JoinCondition::On(_) | JoinCondition::None => Vec::new(),
        };
        let mut scope = left_scope.join(right_scope);
        scope.nullable.extend(nullable);
        let mut tests = Vec::new();
        let mut merged = Vec::new();
        for name in &names {
            let (l, r) = (self.using_side(&scope, 0..split, name, "left")?, {
                let all = scope.columns.len();
                self.using_side(&scope, split..all, name, "right")?
            });
            let column = |i: usize| Expr::column(i, scope.columns[i].ty, scope.columns[i].typmod);
            tests.push(self.named_operator("=", vec![column(l), column(r)], j.pos)?);
            let value = match kind {
                JoinKind::Right => column(r),
                JoinKind::Full => {
                    let both = self.unify(vec![column(l), column(r)], "JOIN/USING", &[j.pos])?;
                    let ty = both[0].ty;
                    Expr::new(plan::ExprKind::Coalesce(both), ty, 0)
                }
                _ => column(l),
            };
            scope.columns[l].hidden = true;
            scope.columns[r].hidden = true;
            merged.push((name.clone(), value));
        }
        if let JoinCondition::Using(_, Some(alias)) = &j.condition {
            if scope.has_table(alias.as_str()) {
                return Err(taken_alias(alias.as_str()));
            }
            let columns = merged.iter().map(|(name, e)| (alias.as_str().to_owned(), name.clone(), e.clone()));
            scope.aliased.extend(columns.collect::<Vec<_>>());
        }
        // A chain of USING merges merged columns on.
        scope.merged.retain(|m| !names.contains(&m.0));
        merged.extend(std::mem::take(&mut scope.merged));
        scope.merged = merged;
        if let JoinCondition::On(condition) = &j.condition {
            tests.push(self.condition(condition, &mut Place::new(&scope, "JOIN/ON"))?);
        }
        let node = beside(kind, left, right, frame, Expr::all(tests));
        if let Some(alias) = &j.alias {
            return self.aliased_join(node, scope, alias);
        }
        Ok((node, scope))
    }

    fn using_side(&self, scope: &Scope, range: std::ops::Range<usize>, name: &str, which: &str) -> Result<usize> {
        // A column that an inner USING merged is found by either of its sides.
        if let Some((_, e)) = scope.merged.iter().find(|m| m.0 == name)
            && let plan::ExprKind::Column(i) = e.kind
            && range.contains(&i)
        {
            return Ok(i);
        }
        let mut found = range.filter(|&i| !scope.columns[i].hidden && scope.columns[i].name == name);
        match (found.next(), found.next()) {
            (Some(i), None) => Ok(i),
            (Some(_), Some(_)) => {
                let message = format!("common column name \"{name}\" appears more than once in {which} table");
                Err(SqlError::new(SqlState::AMBIGUOUS_COLUMN, message))
            }
            (None, _) => {
                let message = format!("column \"{name}\" specified in USING clause does not exist in {which} table");
                Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message))
            }
        }
    }

    /// `(a JOIN b) AS x`: only `x` names its columns.
    fn aliased_join(&mut self, node: Node, scope: Scope, alias: &ast::Alias) -> Result<(Node, Scope)> {
        let (exprs, columns) = star(&scope, None);
        let scope = self.derived_scope(&alias.name, Some(alias), &columns)?;
        Ok((Node::Project { input: Box::new(node), exprs }, scope))
    }
}

fn taken_alias(name: &str) -> SqlError {
    SqlError::new(SqlState::DUPLICATE_ALIAS, format!("table name \"{name}\" specified more than once"))
}

/// What `*`, or `table.*`, stands for.
pub(crate) fn star(scope: &Scope, table: Option<&str>) -> (Vec<Expr>, Vec<OutputColumn>) {
    let (mut exprs, mut columns) = (Vec::new(), Vec::new());
    if table.is_none() {
        for (name, e) in &scope.merged {
            exprs.push(e.clone());
            columns.push(OutputColumn { name: name.clone(), ty: e.ty, typmod: e.typmod, origin: None });
        }
    }
    for (alias, name, e) in &scope.aliased {
        if table == Some(alias) {
            exprs.push(e.clone());
            columns.push(OutputColumn { name: name.clone(), ty: e.ty, typmod: e.typmod, origin: None });
        }
    }
    for (i, c) in scope.columns.iter().enumerate() {
        let shown = match table {
            None => !c.hidden,
            // Merged columns are still its table's.
            Some(t) => c.table == t && !(c.hidden && c.name == "ctid") && !c.name.is_empty(),
        };
        if shown && !scope.unlisted.contains(&i) {
            exprs.push(Expr::column(i, c.ty, c.typmod));
            columns.push(OutputColumn { name: c.name.clone(), ty: c.ty, typmod: c.typmod, origin: c.origin });
        }
    }
    (exprs, columns)
}

/// Joins `right`, bound beside `frame`, to `left`.
fn beside(kind: JoinKind, left: Node, right: Node, frame: Frame, condition: Option<Expr>) -> Node {
    let (left, right) = (Box::new(left), Box::new(right));
    if frame.binds.is_empty() {
        return Node::Join { kind, left, right, equal: Vec::new(), condition };
    }
    Node::Apply { kind, left, right, binds: frame.binds, condition }
}

/// The columns of a scan of `table`, its row id last.
pub(crate) fn table_scope(table: &plan::TableRef, alias: &str, own: bool, renames: &[ast::Name]) -> Scope {
    let schema = own.then(|| table.schema.clone());
    let mut renames = renames.iter();
    let mut columns: Vec<ScopeColumn> = table
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| ScopeColumn {
            table: alias.to_owned(),
            schema: schema.clone(),
            // Dropped columns have no name.
            name: match c.dropped {
                true => String::new(),
                false => renames.next().map_or_else(|| c.name.clone(), |n| n.as_str().to_owned()),
            },
            ty: c.ty,
            typmod: c.typmod,
            hidden: c.dropped,
            origin: Some((table.oid, i as i16 + 1)),
        })
        .collect();
    columns.push(ScopeColumn {
        table: alias.to_owned(),
        schema,
        name: "ctid".to_owned(),
        ty: oid::TID,
        typmod: -1,
        hidden: true,
        origin: None,
    });
    Scope { columns, ..Scope::default() }
}

/// Has `role` answer for all tables that queries in `e` read, if nobody else does.
pub(crate) fn check_expr_as(e: &mut Expr, role: CheckAs) {
    e.visit_mut(&mut |e| {
        if let plan::ExprKind::Subquery(sub) = &mut e.kind {
            check_as(&mut sub.node, role);
        }
    });
}

/// Has `role` answer for all tables that `node` reads, if nobody else does: whoever may read a view reads what its owner may.
fn check_as(node: &mut Node, role: CheckAs) {
    match node {
        Node::Scan { table, .. } | Node::IndexScan { table, .. } | Node::BitmapScan { table, .. }
            if table.check_as == CheckAs::Session =>
        {
            Arc::make_mut(table).check_as = role;
        }
        _ => {}
    }
    node.exprs_mut().into_iter().for_each(|e| check_expr_as(e, role));
    node.inputs_mut().into_iter().for_each(|n| check_as(n, role));
}
