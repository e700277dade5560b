//! Binding INSERT, UPDATE and DELETE.

use plan::{Expr, ExprKind, JoinKind, Node, OutputColumn, TableRef};
use syntax::ast::{self, Delete, ExprKind as Ast, Insert, Returning, SelectBody, SetClause, Update};
use types::{Datum, Oid, Result, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::query::{Bound, table_scope};
use crate::scope::Scope;

impl Binder<'_> {
    /// Binds INSERT.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn insert(&mut self, insert: &Insert) -> Result<Bound> {
        if insert.with.is_some() {
            return Err(self.unsupported("WITH", insert.pos));
        }
        if insert.on_conflict.is_some() {
            return Err(self.unsupported("ON CONFLICT", insert.pos));
        }
        let table = self.table(&insert.relation)?;
        let mut positions = Vec::new();
        for target in &insert.columns {
            let found = table.columns.iter().position(|c| c.0 == *target.name.text).ok_or_else(|| {
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
            positions = (0..table.columns.len()).collect();
        }
        let input = match &insert.source {
            None => Node::Values { rows: vec![Vec::new()], types: Vec::new() },
            Some(source) => match &source.body {
                // Literals in VALUES take the columns' types one by one.
                SelectBody::Values(rows) if source.order_by.is_empty() && source.limit.is_none() => {
                    self.insert_values(&table, &positions, rows, insert)?
                }
                _ => self.query(source)?.node,
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
        let types = input.types();
        let mut exprs = Vec::new();
        for (i, (name, ty, typmod, _)) in table.columns.iter().enumerate() {
            exprs.push(match positions.iter().position(|&p| p == i) {
                Some(source) => {
                    let column = Expr::column(source, types[source], -1);
                    self.assign(column, name, *ty, *typmod, insert.pos)?
                }
                None => Expr { typmod: *typmod, ..Expr::new(ExprKind::Const(Datum::Null), *ty, 0) },
            });
        }
        let input = Box::new(Node::Project { input: Box::new(input), exprs });
        let alias = insert.alias.as_ref().map_or(table.name.clone(), |a| a.as_str().to_owned());
        let scope = table_scope(&table, &alias, &[]);
        let (returning, columns) = self.returning(insert.returning.as_deref(), &scope)?;
        Ok(Bound { node: Node::Insert { table, input, returning }, columns })
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
                let (name, ty, typmod, _) = &table.columns[p];
                if matches!(e.kind, Ast::SetToDefault) {
                    out.push(Expr { typmod: *typmod, ..Expr::new(ExprKind::Const(Datum::Null), *ty, 0) });
                    continue;
                }
                let value = self.expr(e, &mut place)?;
                out.push(self.assign_typed(value, name, *ty, *typmod, e)?);
            }
            bound.push(out);
        }
        let types: Vec<Oid> = bound.first().map_or(Vec::new(), |r| r.iter().map(|e| e.ty).collect());
        Ok(Node::Values { rows: bound, types })
    }

    fn assign_typed(&mut self, value: Expr, name: &str, ty: Oid, typmod: i32, e: &ast::Expr) -> Result<Expr> {
        if let ExprKind::Param(index) = value.kind
            && value.ty == oid::UNKNOWN
        {
            self.params[index] = ty;
            return self.assign(Expr { ty, ..value }, name, ty, typmod, e.location());
        }
        self.assign(value, name, ty, typmod, e.location())
    }

    /// Binds UPDATE.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn update(&mut self, update: &Update) -> Result<Bound> {
        if update.with.is_some() {
            return Err(self.unsupported("WITH", update.pos));
        }
        let table = self.table(&update.relation)?;
        let alias = update.alias.as_ref().map_or(table.name.clone(), |a| a.as_str().to_owned());
        let (input, scope) = self.target_rows(&table, &alias, &update.from, update.where_clause.as_ref())?;
        let mut sets = Vec::new();
        for set in &update.sets {
            let SetClause::Single { target, value } = set else {
                return Err(self.unsupported("UPDATE SET with a list of columns", update.pos));
            };
            if !target.path.is_empty() {
                return Err(self.unsupported("assignment to a part of a column", target.name.pos));
            }
            let column = table.columns.iter().position(|c| c.0 == *target.name.text).ok_or_else(|| {
                let message = format!("column \"{}\" of relation \"{}\" does not exist", target.name.text, table.name);
                self.error(SqlState::UNDEFINED_COLUMN, message, target.name.pos)
            })?;
            if sets.iter().any(|s: &(usize, Expr)| s.0 == column) {
                let message = format!("multiple assignments to same column \"{}\"", target.name.text);
                return Err(self.error(SqlState::SYNTAX_ERROR, message, target.name.pos));
            }
            let (name, ty, typmod, _) = table.columns[column].clone();
            let bound = match value.kind {
                Ast::SetToDefault => Expr { typmod, ..Expr::new(ExprKind::Const(Datum::Null), ty, 0) },
                _ => {
                    let bound = self.expr(value, &mut Place::new(&scope, "UPDATE"))?;
                    self.assign_typed(bound, &name, ty, typmod, value)?
                }
            };
            sets.push((column, bound));
        }
        let (returning, columns) = self.returning(update.returning.as_deref(), &scope)?;
        Ok(Bound { node: Node::Update { table, input: Box::new(input), sets, returning }, columns })
    }

    /// Binds DELETE.
    ///
    /// # Errors
    /// As [`Binder::query`].
    pub fn delete(&mut self, delete: &Delete) -> Result<Bound> {
        if delete.with.is_some() {
            return Err(self.unsupported("WITH", delete.pos));
        }
        let table = self.table(&delete.relation)?;
        let alias = delete.alias.as_ref().map_or(table.name.clone(), |a| a.as_str().to_owned());
        let (input, scope) = self.target_rows(&table, &alias, &delete.using, delete.where_clause.as_ref())?;
        let (returning, columns) = self.returning(delete.returning.as_deref(), &scope)?;
        Ok(Bound { node: Node::Delete { table, input: Box::new(input), returning }, columns })
    }

    /// The rows that UPDATE or DELETE works on: the table's, joined with `others`.
    fn target_rows(
        &mut self,
        table: &TableRef,
        alias: &str,
        others: &[ast::TableRef],
        condition: Option<&ast::Expr>,
    ) -> Result<(Node, Scope)> {
        let mut scope = table_scope(table, alias, &[]);
        let mut node = Node::Scan { table: table.clone(), filter: None };
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
            self.target(target, &mut place, &mut exprs, &mut columns)?;
        }
        Ok((Some(exprs), columns))
    }
}

/// Type and typmod of a column definition.
///
/// # Errors
/// `42704`, or what is wrong with its modifiers.
pub fn bind_column_type(binder: &Binder<'_>, ty: &ast::TypeName) -> Result<(Oid, i32)> {
    binder.type_name(ty)
}
