//! Rows as values: constructors, whole rows of tables, their columns; and values of domains.

use std::sync::Arc;

use plan::{Expr, ExprKind};
use syntax::ast::{self, Pos};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::coerce::Context;
use crate::expr::Place;
use crate::from::star;
use crate::proc::Proc;
use crate::scope::{Scope, ScopeColumn};

impl Binder<'_> {
    /// A domain's value as one of the type it is over.
    pub(crate) fn based(&self, e: Expr) -> Expr {
        let Some(_) = self.image.domain(e.ty) else { return e };
        let (base, typmod) = self.image.base_type(e.ty);
        let (position, collation) = (e.position, e.collation);
        let kind = ExprKind::Coerce { arg: Box::new(e), explicit: false };
        // The value has this typmod already.
        let _ = typmod;
        Expr { collation, ..Expr::new(kind, base, position) }
    }

    /// What a domain over `base` asks, as a condition on column 0.
    pub(crate) fn domain_condition(&mut self, sql: &str, base: Oid, typmod: i32) -> Result<Expr> {
        let parsed = syntax::parse_expr(sql)?;
        let scope = domain_scope(base, typmod);
        let mut bound = self.condition(&parsed, &mut Place::new(&scope, "CHECK")).map_err(|e| e.at(None))?;
        bound.visit_mut(&mut |e| e.position = 0);
        Ok(bound)
    }

    /// Binds the condition of a domain's CHECK, and prints it as it is kept.
    ///
    /// # Errors
    /// What binding says.
    pub fn domain_text(&mut self, e: &ast::Expr, base: Oid, typmod: i32) -> Result<String> {
        let scope = domain_scope(base, typmod);
        self.kept = true;
        let bound = self.condition(e, &mut Place::new(&scope, "CHECK constraints"))?;
        let kept = crate::lookup::Kept(crate::Names { image: self.image, search_path: &[] });
        domain_printed(&bound, &kept, false)
    }

    /// The kept condition of a domain's CHECK as the current search path shows it.
    ///
    /// # Errors
    /// When it does not bind any more: a damaged catalog.
    pub fn domain_shown(&self, sql: &str, base: Oid, typmod: i32, pretty: bool) -> Result<String> {
        let settings = types::IoSettings::default();
        let mut binder = Binder::new(self.image, sql, &settings, &[]);
        binder.kept = true;
        let bound = binder.domain_condition(sql, base, typmod)?;
        let names = self.names();
        domain_printed(&bound, &names, pretty)
    }

    /// `ROW(...)`.
    pub(crate) fn row(&mut self, row: &ast::Row, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let mut fields = Vec::with_capacity(row.fields.len());
        for field in &row.fields {
            match &field.kind {
                ast::ExprKind::Star(names) if !names.is_empty() => {
                    fields.extend(star(place.scope, names.last().map(|n| &**n)).0);
                }
                _ => fields.push(self.expr(field, place)?),
            }
        }
        let kind = ExprKind::Row { fields, names: Arc::new([]) };
        Ok(Expr::new(kind, oid::RECORD, self.position(pos)))
    }

    /// All columns of `table` as one value; `None` when there is no such table in sight.
    pub(crate) fn whole_row(&mut self, scope: &Scope, table: &str) -> Option<Expr> {
        if let Some(e) = self.row_in(scope, table) {
            return Some(e);
        }
        for depth in (0..self.frames.len()).rev() {
            if !self.frames[depth].visible {
                continue;
            }
            let outer = std::mem::take(&mut self.frames[depth].scope);
            let found = self.row_in(&outer, table);
            self.frames[depth].scope = outer;
            if let Some(e) = found {
                return Some(self.outer(depth, e));
            }
        }
        None
    }

    fn row_in(&mut self, scope: &Scope, table: &str) -> Option<Expr> {
        if !scope.has_table(table) {
            return None;
        }
        let (fields, columns) = star(scope, Some(table));
        let ty = scope.rows.iter().rev().find(|r| r.0 == table).map_or(oid::RECORD, |r| r.1);
        let names = match ty {
            oid::RECORD => columns.iter().map(|c| c.name.clone()).collect(),
            _ => Arc::new([]) as Arc<[String]>,
        };
        let row = Expr::new(ExprKind::Row { fields, names }, ty, 0);
        if self.texts.is_some() {
            return Some(row);
        }
        // A row that an outer join made up is NULL as a whole.
        let mark = |c: &ScopeColumn| c.table == table && (c.name == "ctid" && c.ty == oid::TID || c.is_mark());
        let Some(id) = scope.columns.iter().position(mark) else {
            if scope.nullable.iter().any(|t| t == table) && !self.made_up.iter().any(|t| t == table) {
                self.made_up.push(table.to_owned());
            }
            return Some(row);
        };
        let id = Expr::column(id, scope.columns[id].ty, -1);
        let missing = Expr::new(ExprKind::IsNull(Box::new(id)), oid::BOOL, 0);
        let whens = vec![(missing, Expr::null(ty))];
        Some(Expr::new(ExprKind::Case { whens, default: Box::new(row) }, ty, 0))
    }

    /// What a name that is no column may still mean: a whole row, a function of a row, an argument.
    pub(crate) fn not_a_column(
        &mut self,
        scope: &Scope,
        schema: Option<&str>,
        table: Option<&str>,
        name: &str,
        pos: Pos,
    ) -> Result<Option<Expr>> {
        let position = self.position(pos);
        let found = match (schema, table) {
            (None, None) => self.whole_row(scope, name),
            (None, Some(table)) => match self.whole_row(scope, table) {
                Some(row) if !Proc::named(self.image, None, name, self.search_path).is_empty() => {
                    return self.function_of(name, row, pos).map(Some);
                }
                _ => None,
            },
            _ => None,
        };
        let found = match found {
            Some(e) => Some(e),
            None => self.argument(schema, table, name, pos)?,
        };
        Ok(found.map(|e| Expr { position, ..e }))
    }

    /// An argument of the function whose body is bound, or a column of one.
    fn argument(&mut self, schema: Option<&str>, table: Option<&str>, name: &str, pos: Pos) -> Result<Option<Expr>> {
        let Some(arguments) = self.arguments.clone() else { return Ok(None) };
        let of = |name: &str| {
            let index = arguments.names.iter().position(|n| n == name && !n.is_empty())?;
            let ty = arguments.types[index];
            Some(Expr::new(ExprKind::Param(index), ty, 0))
        };
        let own = |t: &str| t == arguments.function;
        match (schema, table) {
            (None, None) => Ok(of(name)),
            (None, Some(t)) => {
                if own(t)
                    && let Some(e) = of(name)
                {
                    return Ok(Some(e));
                }
                match of(t) {
                    Some(e) => self.field_of(e, name, pos).map(Some),
                    None => Ok(None),
                }
            }
            (Some(f), Some(t)) if own(f) => match of(t) {
                Some(e) => self.field_of(e, name, pos).map(Some),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// Name, type and typmod of the columns of the row that `e` is; `None` when it is no row, or nobody knows.
    pub(crate) fn columns_of_row(&self, e: &Expr) -> Option<Vec<(String, Oid, i32)>> {
        if e.ty == oid::RECORD
            && let Ok(shape) = usize::try_from(e.typmod)
        {
            return self.shapes.get(shape).cloned();
        }
        if let Some(fields) = self.image.fields_of(e.ty) {
            return Some(fields);
        }
        match &e.kind {
            ExprKind::Row { fields, names } => {
                let name = |i: usize| names.get(i).cloned().unwrap_or_else(|| format!("f{}", i + 1));
                Some(fields.iter().enumerate().map(|(i, f)| (name(i), f.ty, f.typmod)).collect())
            }
            ExprKind::Routine { routine, .. } if !routine.columns.is_empty() => Some(routine.columns.clone()),
            ExprKind::Call { function, .. } if e.ty == oid::RECORD => {
                let outputs = Proc::by_oid(self.image, *function)?.outputs();
                (outputs.len() > 1).then(|| outputs.into_iter().map(|(n, t)| (n, t, -1)).collect())
            }
            ExprKind::Case { default, .. } => self.columns_of_row(default),
            ExprKind::Coalesce(list) => self.columns_of_row(list.first()?),
            ExprKind::Slot(slot) if e.ty == oid::RECORD => {
                let binds = self.frames.iter().flat_map(|f| &f.binds);
                let bound = binds.into_iter().find(|b| b.0 == *slot).map(|b| &b.1)?;
                self.columns_of_row(bound)
            }
            _ => None,
        }
    }

    /// The typmod of a query's column that is `e`: which columns it has, if it is an anonymous row.
    pub(crate) fn shaped(&mut self, e: &Expr) -> i32 {
        if e.ty != oid::RECORD || e.typmod >= 0 {
            return e.typmod;
        }
        let Some(columns) = self.columns_of_row(e) else { return e.typmod };
        let known = self.shapes.iter().position(|s| *s == columns);
        known.unwrap_or_else(|| {
            self.shapes.push(columns);
            self.shapes.len() - 1
        }) as i32
    }

    /// Column `name` of the row that `e` is, or what a function of that name makes of it.
    pub(crate) fn field_of(&mut self, e: Expr, name: &str, pos: Pos) -> Result<Expr> {
        let columns = self.columns_of_row(&e);
        let found = columns.as_ref().and_then(|c| c.iter().position(|c| c.0 == name));
        if let (Some(index), Some(columns)) = (found, &columns) {
            return Ok(self.nth_field(e, index, columns));
        }
        if !Proc::named(self.image, None, name, self.search_path).is_empty() {
            return self.function_of(name, e, pos);
        }
        let base = self.image.base_type(e.ty).0;
        let message = match (&columns, base) {
            (None, oid::RECORD) if matches!(e.kind, ExprKind::Column(_)) => {
                return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, "record type has not been registered"));
            }
            (None, oid::RECORD) => format!("could not identify column \"{name}\" in record data type"),
            (Some(_), oid::RECORD) => format!("could not identify column \"{name}\" in record data type"),
            (Some(_), _) => format!("column \"{name}\" not found in data type {}", self.type_shown(e.ty)),
            (None, _) => {
                let shown = self.type_shown(e.ty);
                let message = format!("column notation .{name} applied to type {shown}, which is not a composite type");
                return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
            }
        };
        Err(self.error(SqlState::UNDEFINED_COLUMN, message, pos))
    }

    /// Column `index` of a row of `columns`.
    pub(crate) fn nth_field(&self, e: Expr, index: usize, columns: &[(String, Oid, i32)]) -> Expr {
        let (ty, typmod, position) = (columns[index].1, columns[index].2, e.position);
        let e = self.based(e);
        if let ExprKind::Row { fields, .. } = &e.kind
            && let Some(field) = fields.get(index)
        {
            return field.clone();
        }
        let kind = ExprKind::Field { arg: Box::new(e), index };
        Expr { typmod, ..Expr::new(kind, ty, position) }
    }

    /// `name(x)` that may be a column of the row `x`.
    pub(crate) fn field_by_call(
        &mut self,
        name: &str,
        arg: &ast::Expr,
        pos: Pos,
        place: &mut Place<'_>,
    ) -> Result<Option<Expr>> {
        let plain = matches!(&arg.kind, ast::ExprKind::Column(c) if c.len() == 1)
            || matches!(arg.kind, ast::ExprKind::Indirection(_));
        if !plain {
            return Ok(None);
        }
        let sets = std::mem::take(&mut place.sets);
        let bound = self.expr(arg, place);
        place.sets = sets;
        let Ok(bound) = bound else { return Ok(None) };
        let Some(columns) = self.columns_of_row(&bound) else { return Ok(None) };
        let found = columns.iter().position(|c| c.0 == name);
        let _ = pos;
        Ok(found.map(|i| self.nth_field(bound, i, &columns)))
    }

    /// `name(e)`, of an expression that is bound already.
    fn function_of(&mut self, name: &str, e: Expr, pos: Pos) -> Result<Expr> {
        self.call_bound(name, vec![e], pos)
    }

    /// `e.field`, `e[1]` and so on, step by step.
    pub(crate) fn indirection(&mut self, i: &ast::IndirectionExpr, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let mut e = self.expr(&i.arg, place)?;
        let mut at = 0;
        while let Some(step) = i.path.get(at) {
            match step {
                ast::Indirection::Field(name) => e = self.field_of(e, name, i.arg.pos)?,
                ast::Indirection::Star(_) => {
                    let message = "row expansion via \"*\" is not supported here";
                    return Err(self.error(SqlState::SYNTAX_ERROR, message, pos));
                }
                ast::Indirection::Slice(..) | ast::Indirection::Index(_) => {
                    let is_subscript =
                        |s: &&ast::Indirection| !matches!(s, ast::Indirection::Field(_) | ast::Indirection::Star(_));
                    let count = i.path[at..].iter().take_while(is_subscript).count();
                    e = self.subscripted(e, &i.path[at..at + count], i.arg.location(), pos, place)?;
                    at += count;
                    continue;
                }
            }
            at += 1;
        }
        Ok(e)
    }

    /// `(e).*` as its columns.
    pub(crate) fn expanded(&mut self, e: Expr, pos: Pos) -> Result<Vec<(String, Expr)>> {
        let Some(columns) = self.columns_of_row(&e) else {
            let shown = self.type_shown(e.ty);
            if e.ty == oid::RECORD {
                let message = "record type has not been registered";
                return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
            }
            let message = format!("type {shown} is not composite");
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        };
        Ok((0..columns.len()).map(|i| (columns[i].0.clone(), self.nth_field(e.clone(), i, &columns))).collect())
    }

    /// `e IS [NOT] NULL` of a row: whether all its columns are, or none is.
    pub(crate) fn row_is_null(&self, e: &Expr, not: bool) -> Option<Expr> {
        if builtin_kind(self.image.base_type(e.ty).0) != Some(b'c') && e.ty != oid::RECORD {
            return None;
        }
        // It is printed as it is written.
        let columns = self.columns_of_row(e).filter(|_| self.texts.is_none())?;
        let test = |i: usize| {
            let field = self.nth_field(e.clone(), i, &columns);
            let test = Expr::new(ExprKind::IsNull(Box::new(field)), oid::BOOL, e.position);
            if not { Expr::new(ExprKind::Not(Box::new(test)), oid::BOOL, e.position) } else { test }
        };
        let all = Expr::all((0..columns.len()).map(test).collect());
        Some(all.unwrap_or_else(|| Expr::new(ExprKind::Const(Datum::Bool(true)), oid::BOOL, 0)))
    }

    /// `value` of a row type with the column that `path` leads to replaced by what `put` makes for its type, typmod and name.
    pub(crate) fn with_field(
        &mut self,
        value: &Expr,
        path: &[ast::Indirection],
        put: &mut dyn FnMut(&mut Self, Oid, i32, &str) -> Result<Expr>,
        column: &ast::Name,
    ) -> Result<Expr> {
        let (at, column_name) = (column.pos, column.as_str());
        let [ast::Indirection::Field(name), rest @ ..] = path else {
            return Err(self.unsupported("assignment to an element of an array", at));
        };
        let (ty, position) = (value.ty, value.position);
        let shown = |b: &Self| b.type_shown(ty);
        let Some(columns) = self.image.fields_of(ty) else {
            let message = format!(
                "cannot assign to field \"{}\" of column \"{column_name}\" because its type {} is not a composite type",
                name.as_str(),
                shown(self)
            );
            return Err(self.error(SqlState::DATATYPE_MISMATCH, message, at));
        };
        let Some(index) = columns.iter().position(|c| c.0 == name.as_str()) else {
            let message = format!(
                "cannot assign to field \"{}\" of column \"{column_name}\" because there is no such column in data type {}",
                name.as_str(),
                shown(self)
            );
            return Err(self.error(SqlState::UNDEFINED_COLUMN, message, at));
        };
        let mut fields: Vec<Expr> = (0..columns.len()).map(|i| self.nth_field(value.clone(), i, &columns)).collect();
        let (name, field_type, typmod) = columns[index].clone();
        fields[index] = if rest.is_empty() {
            put(self, field_type, typmod, &name)?
        } else {
            let old = fields[index].clone();
            self.with_field(&old, rest, put, column)?
        };
        let base = self.image.base_type(ty).0;
        let row = Expr::new(ExprKind::Row { fields, names: Arc::new([]) }, base, position);
        let done = self.coerce(row, ty, -1, Context::Implicit)?;
        done.ok_or_else(|| types::SqlError::internal("a row is of its domain's type"))
    }

    /// The new value of a column of a column that SET assigns.
    pub(crate) fn subfield(
        &mut self,
        new: &ast::Expr,
        place: &mut Place<'_>,
        (ty, typmod, name): (Oid, i32, &str),
    ) -> Result<Expr> {
        let bound = self.expr(new, place)?;
        let from = bound.ty;
        let done = self.coerce(bound, ty, typmod, Context::Assignment)?;
        done.ok_or_else(|| {
            let (ty, from) = (self.type_shown(ty), self.type_shown(from));
            let message = format!("subfield \"{name}\" is of type {ty} but expression is of type {from}");
            self.error(SqlState::DATATYPE_MISMATCH, message, new.location())
                .hint("You will need to rewrite or cast the expression.")
        })
    }
}

fn builtin_kind(ty: Oid) -> Option<u8> {
    catalog::builtin::type_by_oid(ty).map(|t| t.kind)
}

/// A domain's condition as SQL.
fn domain_printed(bound: &Expr, names: &dyn types::io::TypeLookup, pretty: bool) -> Result<String> {
    let slots = std::collections::HashMap::new();
    let query = crate::deparse::QueryNames {
        columns: vec!["VALUE".to_owned()],
        rows: Vec::new(),
        shapes: &[],
        calls: &[],
        windows: &[],
        groupings: &[],
        slots: &slots,
        subqueries: None,
        level: 0,
    };
    crate::Deparser { columns: &[], names, pretty, query: Some(&query), settings: None }.expr(bound)
}

/// What a domain's condition can name.
fn domain_scope(base: Oid, typmod: i32) -> Scope {
    let column = ScopeColumn {
        table: String::new(),
        schema: None,
        name: "value".to_owned(),
        ty: base,
        typmod,
        hidden: false,
        origin: None,
    };
    Scope { columns: vec![column], ..Scope::default() }
}
