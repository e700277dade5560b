//! Binding INSERT, UPDATE and DELETE.

use std::sync::Arc;

use plan::{ConflictUpdate, Expr, JoinKind, Needed, Node, OnConflict, OutputColumn, TableRef, TableSource};
use syntax::ast::{
    self, ConflictAction, ConflictTarget, Delete, ExprKind as Ast, IndexKey as AstKey, Insert, Pos, Returning,
    SelectBody, SetClause, Update,
};
use types::{Oid, Result, SqlState};

use crate::Binder;
use crate::expr::Place;
use crate::from::table_scope;
use crate::query::Bound;
use crate::scope::Scope;

impl Binder<'_> {
    /// Binds INSERT.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn insert(&mut self, insert: &Insert) -> Result<Bound> {
        self.with(insert.with.as_deref(), |b| b.insert_body(insert))
    }

    /// The table a statement writes to.
    pub(crate) fn target_table(&self, name: &ast::RangeVar, verb: &str) -> Result<TableRef> {
        let table = self.table(name)?;
        if table.source != TableSource::Stored {
            let message = format!("permission denied: \"{}\" is a system catalog", table.name);
            return Err(self.error(SqlState::INSUFFICIENT_PRIVILEGE, message, name.pos));
        }
        if self.image.by_oid(table.oid).is_some_and(|t| t.kind == b'S') {
            let message = format!("cannot {verb} sequence \"{}\"", table.name);
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, name.pos));
        }
        if self.image.by_oid(table.oid).is_some_and(|t| t.kind == b'm') {
            let message = format!("cannot change materialized view \"{}\"", table.name);
            return Err(types::SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        Ok(table)
    }

    fn insert_body(&mut self, insert: &Insert) -> Result<Bound> {
        let table = self.target_table(&insert.relation, "change")?;
        if insert.columns.iter().any(|c| !c.path.is_empty()) {
            let input = self.insert_parts(&table, insert)?;
            return self.finish_insert(insert, table, input);
        }
        let mut positions = Vec::new();
        for target in &insert.columns {
            let found = table.columns.iter().position(|c| c.name == *target.name.text).ok_or_else(|| {
                let message = format!("column \"{}\" of relation \"{}\" does not exist", target.name.text, table.name);
                self.error(SqlState::UNDEFINED_COLUMN, message, target.name.pos)
            })?;
            if positions.contains(&found) {
                let message = format!("column \"{}\" specified more than once", target.name.text);
                return Err(self.error(SqlState::DUPLICATE_COLUMN, message, target.name.pos));
            }
            positions.push(found);
        }
        if insert.columns.is_empty() {
            positions = (0..table.columns.len()).filter(|&i| !table.columns[i].dropped).collect();
        }
        let input = match &insert.source {
            None => Node::Values { rows: vec![Vec::new()], types: Vec::new() },
            Some(source) => match &source.body {
                // Literals in VALUES take the columns' types one by one.
                SelectBody::Values(rows) if source.order_by.is_empty() && source.limit.is_none() => {
                    self.insert_values(&table, &positions, rows, insert)?
                }
                _ => {
                    let mut node = self.query_unsettled(source)?.node;
                    if let Node::Project { exprs, .. } = &mut node {
                        for (e, &p) in exprs.iter_mut().zip(&positions) {
                            *e = self.settle_as(e.clone(), table.columns[p].ty)?;
                        }
                    }
                    node
                }
            },
        };
        let given = input.types().len();
        if given > positions.len() {
            return Err(self.error(
                SqlState::SYNTAX_ERROR,
                "INSERT has more expressions than target columns",
                insert.pos,
            ));
        }
        if given < positions.len() && !insert.columns.is_empty() {
            return Err(self.error(
                SqlState::SYNTAX_ERROR,
                "INSERT has more target columns than expressions",
                insert.pos,
            ));
        }
        positions.truncate(given);
        let values = insert.source.as_ref().is_some_and(|s| matches!(s.body, SelectBody::Values(_)));
        if !values {
            let given = std::mem::take(&mut positions);
            for (source, p) in given.into_iter().enumerate() {
                // A column whose values are not taken keeps its place in the source, and none in the table.
                let taken = self.takes(&table, p, insert.overriding)?;
                positions.push(if taken { p } else { usize::MAX - source });
            }
        }
        let types = input.types();
        let mut exprs = Vec::new();
        for (i, c) in table.columns.iter().enumerate() {
            exprs.push(match positions.iter().position(|&p| p == i) {
                Some(source) => {
                    let column = Expr::column(source, types[source], if types[source] == c.ty { c.typmod } else { -1 });
                    // What VALUES yields is of the column's type and length already.
                    let done = insert.source.as_ref().is_some_and(|s| matches!(s.body, SelectBody::Values(_)));
                    let column = if done { column } else { Expr { typmod: -1, ..column } };
                    self.assign(column, &c.name, c.ty, c.typmod, insert.pos)?
                }
                None => self.default_value(&table, i)?,
            });
        }
        let input = Node::Project { input: Box::new(input), exprs };
        self.finish_insert(insert, table, input)
    }

    /// The rest of INSERT, once the rows it adds are known.
    fn finish_insert(&mut self, insert: &Insert, table: TableRef, input: Node) -> Result<Bound> {
        let input = Box::new(self.with_generated(input, &table)?);
        let alias = insert.alias.as_ref().map_or(table.name.clone(), |a| a.as_str().to_owned());
        let mut scope = table_scope(&table, &alias, insert.alias.is_none(), &[]);
        scope.rows.extend(self.row_type_of(table.oid).map(|ty| (alias.clone(), ty)));
        let conflict = match &insert.on_conflict {
            Some(c) => Some(Box::new(self.on_conflict(c, &table, &scope)?)),
            None => None,
        };
        let (returning, columns) = self.returning(insert.returning.as_deref(), &scope)?;
        let rules = Arc::new(self.row_rules(&table)?);
        Ok(Bound { node: Node::Insert { table: Arc::new(table), rules, input, conflict, returning }, columns })
    }

    fn on_conflict(&mut self, c: &ast::OnConflict, table: &TableRef, scope: &Scope) -> Result<OnConflict> {
        let no_index = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
        let indexes = match &c.target {
            None if matches!(c.action, ConflictAction::Update { .. }) => {
                let message = "ON CONFLICT DO UPDATE requires inference specification or constraint name";
                return Err(self
                    .error(SqlState::SYNTAX_ERROR, message, c.pos)
                    .hint("For example, ON CONFLICT (column_name)."));
            }
            None => Vec::new(),
            Some(ConflictTarget::Constraint(name)) => {
                let found =
                    table.indexes.iter().position(|i| i.unique && i.name == *name.as_str()).ok_or_else(|| {
                        let message =
                            format!("constraint \"{}\" for table \"{}\" does not exist", name.as_str(), table.name);
                        self.error(SqlState::UNDEFINED_OBJECT, message, name.pos)
                    })?;
                vec![found]
            }
            Some(ConflictTarget::Infer { elements, where_clause, pos }) => {
                if where_clause.is_some() {
                    return Err(self.unsupported("ON CONFLICT ... WHERE of a partial index", *pos));
                }
                let mut columns = Vec::new();
                for element in elements {
                    let AstKey::Column(name) = &element.key else {
                        return Err(self.unsupported("ON CONFLICT on an expression", element.pos));
                    };
                    columns.push(table.columns.iter().position(|t| t.name == **name).ok_or_else(|| {
                        let message = format!("column \"{}\" does not exist", &**name);
                        self.error(SqlState::UNDEFINED_COLUMN, message, name.pos)
                    })?);
                }
                columns.sort_unstable();
                columns.dedup();
                let matches = |i: &plan::IndexKey| {
                    let mut own: Vec<usize> = i.columns.iter().map(|k| k.0).collect();
                    own.sort_unstable();
                    i.unique && own == columns
                };
                let found: Vec<usize> = (0..table.indexes.len()).filter(|&i| matches(&table.indexes[i])).collect();
                if found.is_empty() {
                    return Err(self.error(SqlState::INVALID_COLUMN_REFERENCE, no_index, Pos::NONE));
                }
                found
            }
        };
        let update = match &c.action {
            ConflictAction::Nothing => None,
            ConflictAction::Update { sets, where_clause } => {
                let excluded = table_scope(table, "excluded", false, &[]);
                let both = scope.clone().join(Scope {
                    // Names without a table mean the old row.
                    columns: excluded
                        .columns
                        .into_iter()
                        .map(|c| crate::scope::ScopeColumn { hidden: true, ..c })
                        .collect(),
                    ..Scope::default()
                });
                let sets = self.sets(sets, table, &both, c.pos)?;
                let condition = match where_clause {
                    Some(e) => Some(self.condition(e, &mut Place::new(&both, "WHERE"))?),
                    None => None,
                };
                Some(ConflictUpdate { sets, condition })
            }
        };
        Ok(OnConflict { indexes, update })
    }

    /// Whether INSERT takes a value for column `p`, or puts its default in its place.
    ///
    /// # Errors
    /// `428C9`.
    fn takes(&self, table: &TableRef, p: usize, overriding: ast::Overriding) -> Result<bool> {
        let name = &table.columns[p].name;
        let message = || format!("cannot insert a non-DEFAULT value into column \"{name}\"");
        if self.is_generated(table, p) {
            return Err(types::SqlError::new(SqlState::GENERATED_ALWAYS, message())
                .detail(format!("Column \"{name}\" is a generated column.")));
        }
        let identity = self.image.by_oid(table.oid).and_then(|t| t.columns.get(p)).map_or(0, |c| c.identity);
        match (identity, overriding) {
            (b'a' | b'd', ast::Overriding::UserValue) => Ok(false),
            (b'a', ast::Overriding::NotSet) => Err(types::SqlError::new(SqlState::GENERATED_ALWAYS, message())
                .detail(format!("Column \"{name}\" is an identity column defined as GENERATED ALWAYS."))
                .hint("Use OVERRIDING SYSTEM VALUE to override.")),
            _ => Ok(true),
        }
    }

    fn insert_values(
        &mut self,
        table: &TableRef,
        positions: &[usize],
        rows: &[Vec<ast::Expr>],
        insert: &Insert,
    ) -> Result<Node> {
        let scope = Scope::default();
        let mut bound = Vec::with_capacity(rows.len());
        for row in rows {
            if row.len() != rows[0].len() {
                let pos = row.first().map_or(insert.pos, |e| e.location());
                return Err(self.error(SqlState::SYNTAX_ERROR, "VALUES lists must all be the same length", pos));
            }
            if row.len() > positions.len() {
                let message = "INSERT has more expressions than target columns";
                return Err(self.error(SqlState::SYNTAX_ERROR, message, row[positions.len()].location()));
            }
            let mut place = Place::new(&scope, "VALUES");
            let mut out = Vec::with_capacity(row.len());
            for (e, &p) in row.iter().zip(positions) {
                let c = &table.columns[p];
                if matches!(e.kind, Ast::SetToDefault) || !self.takes(table, p, insert.overriding)? {
                    out.push(self.default_value(table, p)?);
                    continue;
                }
                let value = self.expr(e, &mut place)?;
                out.push(self.assign(value, &c.name, c.ty, c.typmod, e.location())?);
            }
            bound.push(out);
        }
        let types: Vec<Oid> = bound.first().map_or(Vec::new(), |r| r.iter().map(|e| e.ty).collect());
        Ok(Node::Values { rows: bound, types })
    }

    /// Binds UPDATE.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn update(&mut self, update: &Update) -> Result<Bound> {
        self.with(update.with.as_deref(), |b| b.update_body(update))
    }

    fn update_body(&mut self, update: &Update) -> Result<Bound> {
        let table = self.target_table(&update.relation, "change")?;
        let alias = update.alias.as_ref().map_or(table.name.clone(), |a| a.as_str().to_owned());
        let (input, scope) =
            self.target_rows(&table, &alias, update.alias.is_none(), &update.from, update.where_clause.as_ref())?;
        let sets = self.sets(&update.sets, &table, &scope, update.pos)?;
        let (returning, columns) = self.returning(update.returning.as_deref(), &scope)?;
        let rules = Arc::new(self.row_rules(&table)?);
        let node = Node::Update { table: Arc::new(table), rules, input: Box::new(input), sets, returning };
        Ok(Bound { node, columns })
    }

    /// The assignments of SET, over the columns of `scope`.
    fn sets(
        &mut self,
        clauses: &[SetClause],
        table: &TableRef,
        scope: &Scope,
        pos: ast::Pos,
    ) -> Result<Vec<(usize, Expr)>> {
        let mut sets: Vec<(usize, Expr)> = Vec::new();
        for set in clauses {
            let pairs: Vec<(&ast::AssignTarget, &ast::Expr)> = match set {
                SetClause::Single { target, value } => vec![(target, value)],
                SetClause::Multi { targets, source } => match &source.kind {
                    Ast::Row(row) if row.fields.len() == targets.len() => targets.iter().zip(&row.fields).collect(),
                    Ast::Row(_) => {
                        let message = "number of columns does not match number of values";
                        return Err(self.error(SqlState::SYNTAX_ERROR, message, source.pos));
                    }
                    _ if targets.len() == 1 => vec![(&targets[0], source)],
                    _ => return Err(self.unsupported("UPDATE SET (...) = (SELECT ...)", pos)),
                },
            };
            for (target, value) in pairs {
                let column = table.columns.iter().position(|c| c.name == *target.name.text).ok_or_else(|| {
                    let message =
                        format!("column \"{}\" of relation \"{}\" does not exist", target.name.text, table.name);
                    self.error(SqlState::UNDEFINED_COLUMN, message, target.name.pos)
                })?;
                if !target.path.is_empty() {
                    let known = sets.iter().position(|s| s.0 == column);
                    let c = &table.columns[column];
                    let old = known.map_or(Expr::column(column, c.ty, c.typmod), |i| sets[i].1.clone());
                    let mut place = Place::new(scope, "UPDATE");
                    let mut put = |b: &mut Self, ty: Oid, typmod: i32, name: &str| {
                        b.subfield(value, &mut place, (ty, typmod, name))
                    };
                    let new = self.with_field(&old, &target.path, &mut put, &target.name)?;
                    match known {
                        Some(i) => sets[i].1 = new,
                        None => sets.push((column, new)),
                    }
                    continue;
                }
                if sets.iter().any(|s| s.0 == column) {
                    let message = format!("multiple assignments to same column \"{}\"", target.name.text);
                    return Err(self.error(SqlState::SYNTAX_ERROR, message, target.name.pos));
                }
                let c = table.columns[column].clone();
                let always = self.is_always_identity(table, column);
                if (always || self.is_generated(table, column)) && !matches!(value.kind, Ast::SetToDefault) {
                    let name = &c.name;
                    let message = format!("column \"{name}\" can only be updated to DEFAULT");
                    let what =
                        if always { "an identity column defined as GENERATED ALWAYS" } else { "a generated column" };
                    return Err(types::SqlError::new(SqlState::GENERATED_ALWAYS, message)
                        .detail(format!("Column \"{name}\" is {what}.")));
                }
                let bound = match value.kind {
                    Ast::SetToDefault => self.default_value(table, column)?,
                    _ => {
                        let bound = self.expr(value, &mut Place::new(scope, "UPDATE"))?;
                        self.assign(bound, &c.name, c.ty, c.typmod, value.location())?
                    }
                };
                sets.push((column, bound));
            }
        }
        for (column, mut value) in self.generated(table)? {
            sets.retain(|s| s.0 != column);
            substitute(&mut value, &sets);
            if sets.iter().any(|s| crate::rules::is_volatile(&s.1)) && crate::rules::is_volatile(&value) {
                let what = "UPDATE of a column that a generated one reads to a volatile value";
                return Err(self.unsupported(what, pos));
            }
            sets.push((column, value));
        }
        Ok(sets)
    }

    /// Binds DELETE.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn delete(&mut self, delete: &Delete) -> Result<Bound> {
        self.with(delete.with.as_deref(), |b| {
            let table = b.target_table(&delete.relation, "delete from")?;
            let alias = delete.alias.as_ref().map_or(table.name.clone(), |a| a.as_str().to_owned());
            let (input, scope) =
                b.target_rows(&table, &alias, delete.alias.is_none(), &delete.using, delete.where_clause.as_ref())?;
            let (returning, columns) = b.returning(delete.returning.as_deref(), &scope)?;
            let rules = Arc::new(b.row_rules(&table)?);
            Ok(Bound {
                node: Node::Delete { table: Arc::new(table), rules, input: Box::new(input), returning },
                columns,
            })
        })
    }

    /// The rows that UPDATE or DELETE works on: the table's, joined with `others`.
    fn target_rows(
        &mut self,
        table: &TableRef,
        alias: &str,
        own: bool,
        others: &[ast::TableRef],
        condition: Option<&ast::Expr>,
    ) -> Result<(Node, Scope)> {
        let mut scope = table_scope(table, alias, own, &[]);
        scope.rows.extend(self.row_type_of(table.oid).map(|ty| (alias.to_owned(), ty)));
        let mut node = Node::Scan { table: Arc::new(table.clone()), filter: None, needed: Needed::default() };
        if !others.is_empty() {
            let (right, right_scope) = self.from(others)?;
            node = Node::Join {
                kind: JoinKind::Inner,
                left: Box::new(node),
                right: Box::new(right),
                equal: Vec::new(),
                condition: None,
            };
            scope = scope.join(right_scope);
        }
        if let Some(condition) = condition {
            let predicate = self.condition(condition, &mut Place::new(&scope, "WHERE"))?;
            node = Node::Filter { input: Box::new(node), predicate };
        }
        Ok((node, scope))
    }

    fn returning(
        &mut self,
        returning: Option<&Returning>,
        scope: &Scope,
    ) -> Result<(Option<Vec<Expr>>, Vec<OutputColumn>)> {
        let Some(returning) = returning else { return Ok((None, Vec::new())) };
        if let Some(option) = returning.options.first() {
            return Err(self.unsupported("RETURNING WITH", option.pos));
        }
        let (mut exprs, mut columns) = (Vec::new(), Vec::new());
        let mut place = Place::new(scope, "RETURNING");
        for target in &returning.targets {
            self.target(target, &mut place, &mut exprs, &mut columns, true)?;
        }
        Ok((Some(exprs), columns))
    }
}

/// Puts the assigned values in place of the columns that `e` reads.
fn substitute(e: &mut Expr, sets: &[(usize, Expr)]) {
    if let plan::ExprKind::Column(i) = e.kind {
        if let Some((_, value)) = sets.iter().find(|s| s.0 == i) {
            *e = value.clone();
        }
        return;
    }
    e.children_mut().into_iter().for_each(|c| substitute(c, sets));
}
