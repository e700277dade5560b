//! Binding COPY: the rows that COPY FROM makes of its fields, the rows of a table that COPY TO writes.

use std::sync::Arc;

use plan::{Expr, ExprKind, Needed, Node, OutputColumn, TableRef};
use syntax::ast::{self, Name, RangeVar};
use types::{Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::from::table_scope;
use crate::query::Bound;

/// COPY FROM as the session runs it.
pub struct CopyIn {
    /// The table.
    pub table: TableRef,
    /// Its columns that the data have, in their order.
    pub columns: Vec<usize>,
    /// Which columns of the table have a default.
    pub has_default: Vec<bool>,
    /// From fields to rows: a Filter and a Project over Values without rows, which the data stand in for. Input: the fields; then, where
    /// fields may ask for defaults, whether each does (`bool`); then a number (`int8`). Output: a row of the table, then the number.
    pub rows: Node,
    /// Adds such rows, without the number.
    pub insert: Node,
}

impl Binder<'_> {
    /// Numbers of the columns called `names`; all when there are no names.
    ///
    /// # Errors
    /// `42703`, `42701`.
    pub fn copy_columns(&self, table: &TableRef, names: &[impl AsRef<str>]) -> Result<Vec<usize>> {
        if names.is_empty() {
            let listed = |&i: &usize| !table.columns[i].dropped && !self.is_generated(table, i);
            return Ok((0..table.columns.len()).filter(listed).collect());
        }
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            let name = name.as_ref();
            let column = table.columns.iter().position(|c| c.name == name).ok_or_else(|| {
                let message = format!("column \"{name}\" of relation \"{}\" does not exist", table.name);
                SqlError::new(SqlState::UNDEFINED_COLUMN, message)
            })?;
            if self.is_generated(table, column) {
                let message = format!("column \"{name}\" is a generated column");
                return Err(SqlError::new(SqlState::INVALID_COLUMN_REFERENCE, message)
                    .detail("Generated columns cannot be used in COPY."));
            }
            if found.contains(&column) {
                let message = format!("column \"{name}\" specified more than once");
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
            }
            found.push(column);
        }
        Ok(found)
    }

    /// The table of COPY; PostgreSQL tells no position.
    ///
    /// # Errors
    /// As [`Binder::table`].
    pub fn copy_table(&self, relation: &RangeVar) -> Result<TableRef> {
        self.table(relation).map_err(|mut e| {
            e.fields_mut().position = None;
            e
        })
    }

    /// The WHERE of COPY FROM.
    ///
    /// # Errors
    /// What binding says.
    pub fn copy_condition(&mut self, table: &TableRef, condition: &ast::Expr) -> Result<Expr> {
        let scope = table_scope(table, &table.name, true, &[]);
        let bound = self.condition(condition, &mut Place::new(&scope, "WHERE")).map_err(|mut e| {
            if let Some(start) = e.message().strip_suffix(" not allowed in WHERE") {
                e.fields_mut().message = format!("{start} not allowed in COPY FROM WHERE conditions");
            }
            e
        })?;
        let mut query = None;
        bound.visit(&mut |e| {
            if matches!(e.kind, ExprKind::Subquery(_)) {
                query.get_or_insert(e.position);
            }
        });
        if let Some(position) = query {
            let message = "cannot use subquery in COPY FROM WHERE condition";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message).at(Some(position)));
        }
        Ok(bound)
    }

    /// COPY FROM into `columns` of `table`; with `defaults`, fields may ask for their column's default.
    ///
    /// # Errors
    /// What binding defaults says.
    pub fn copy_in(
        &mut self,
        table: TableRef,
        columns: Vec<usize>,
        condition: Option<Expr>,
        defaults: bool,
    ) -> Result<CopyIn> {
        let mut types: Vec<Oid> = columns.iter().map(|&c| table.columns[c].ty).collect();
        let fields = types.len();
        if defaults {
            types.extend(vec![oid::BOOL; fields]);
        }
        let number = types.len();
        types.push(oid::INT8);
        let mut exprs = Vec::with_capacity(table.columns.len() + 1);
        for (i, c) in table.columns.iter().enumerate() {
            let (ty, typmod) = (&c.ty, &c.typmod);
            let Some(field) = columns.iter().position(|&c| c == i) else {
                exprs.push(self.default_value(&table, i)?);
                continue;
            };
            let value = crate::coerce::checked(Expr::column(field, *ty, *typmod), &self.names())?;
            exprs.push(if defaults {
                let flag = Expr::column(fields + field, oid::BOOL, -1);
                let whens = vec![(flag, self.default_value(&table, i)?)];
                Expr { typmod: *typmod, ..Expr::new(ExprKind::Case { whens, default: Box::new(value) }, *ty, 0) }
            } else {
                value
            });
        }
        exprs.push(Expr::column(number, oid::INT8, -1));
        let mut rows = Node::Project { input: Box::new(Node::Values { rows: Vec::new(), types }), exprs };
        if let Some(predicate) = condition {
            rows = Node::Filter { input: Box::new(rows), predicate };
        }
        rows = self.with_generated(rows, &table)?;
        let types = table.columns.iter().map(|c| c.ty).collect();
        let input = Box::new(Node::Values { rows: Vec::new(), types });
        let rules = Arc::new(self.row_rules(&table)?);
        let shared = Arc::new(table.clone());
        let insert = Node::Insert { table: shared, rules, input, conflict: None, returning: None };
        let info = self.image.by_oid(table.oid);
        let default = |i: usize| info.and_then(|t| t.columns.get(i)).is_some_and(|c| c.default.is_some());
        let has_default = (0..table.columns.len()).map(default).collect();
        Ok(CopyIn { table, columns, has_default, rows, insert })
    }

    /// The rows of a table that COPY TO writes.
    ///
    /// # Errors
    /// `42P01`, `42703`, `42701`.
    pub fn copy_out(&mut self, relation: &RangeVar, names: &[Name]) -> Result<Bound> {
        let table = self.copy_table(relation)?;
        let names: Vec<&str> = names.iter().map(Name::as_str).collect();
        let columns = self.copy_columns(&table, &names)?;
        let of = |&i: &usize| {
            let c = &table.columns[i];
            let origin = Some((table.oid, i as i16 + 1));
            OutputColumn { name: c.name.clone(), ty: c.ty, typmod: c.typmod, origin }
        };
        let output = columns.iter().map(of).collect();
        let exprs = columns.iter().map(|&i| Expr::column(i, table.columns[i].ty, table.columns[i].typmod)).collect();
        let node = Node::Project {
            input: Box::new(Node::Scan { table: Arc::new(table), filter: None, needed: Needed::default() }),
            exprs,
        };
        Ok(Bound { node, columns: output })
    }
}
