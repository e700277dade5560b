//! What a table asks of its rows: defaults, CHECK constraints, keys of others.

use catalog::TableInfo;
use plan::{Expr, Reference, RowRules, TableRef};
use syntax::ast;
use types::{IoSettings, Oid, Result, SqlError, oid};

use crate::Binder;
use crate::coerce::Context;
use crate::expr::Place;
use crate::from::table_scope;
use crate::scope::Scope;

impl Binder<'_> {
    /// A binder for an expression kept in the catalog: its names are qualified, its positions nobody's.
    fn stored(&self, sql: &str, f: impl FnOnce(&mut Binder<'_>, &ast::Expr) -> Result<Expr>) -> Result<Expr> {
        let settings = IoSettings::default();
        let mut binder = Binder::new(self.image, sql, &settings, &[]);
        let parsed = syntax::parse_expr(sql)?;
        let mut bound = f(&mut binder, &parsed).map_err(|e| e.at(None))?;
        bound.visit_mut(&mut |e| e.position = 0);
        Ok(bound)
    }

    /// What column `index` of `table` is when nothing is given.
    pub(crate) fn default_value(&self, table: &TableRef, index: usize) -> Result<Expr> {
        let column = &table.columns[index];
        let stored = self.image.by_oid(table.oid).and_then(|t| t.columns.get(index)).and_then(|c| c.default.clone());
        let Some(sql) = stored else {
            return Ok(Expr { typmod: column.typmod, ..Expr::null(column.ty) });
        };
        let scope = Scope::default();
        self.stored(&sql, |binder, e| {
            let bound = binder.expr(e, &mut Place::new(&scope, "DEFAULT"))?;
            binder.assign(bound, &column.name, column.ty, column.typmod, e.pos)
        })
    }

    /// What CHECK constraints and foreign keys ask of rows of `table`.
    pub(crate) fn row_rules(&self, table: &TableRef) -> Result<RowRules> {
        let Some(info) = self.image.by_oid(table.oid) else { return Ok(RowRules::default()) };
        let scope = table_scope(table, &table.name, false, &[]);
        let mut checks = Vec::new();
        for check in &info.checks {
            let bound = self.stored(&check.condition, |b, e| b.condition(e, &mut Place::new(&scope, "CHECK")))?;
            checks.push((check.name.clone(), bound));
        }
        let reference =
            |constraint: Oid, columns: &[usize], full: bool| Reference { constraint, columns: columns.to_vec(), full };
        let references = info.foreign_keys.iter().map(|k| reference(k.oid, &k.columns, k.match_type == b'f')).collect();
        let referenced =
            self.image.referencing(info.oid).iter().map(|(_, k)| reference(k.oid, &k.target_columns, false)).collect();
        Ok(RowRules { checks, references, referenced })
    }

    /// Binds an expression to be kept as the default of a column, and prints it as it is kept.
    ///
    /// # Errors
    /// What binding says; what PostgreSQL forbids in a default.
    pub fn default_text(&mut self, e: &ast::Expr, name: &str, ty: Oid, typmod: i32) -> Result<Option<String>> {
        let scope = Scope::default();
        if let ast::ExprKind::Column(_) = &e.kind {
            let message = "cannot use column reference in DEFAULT expression";
            return Err(self.error(types::SqlState::FEATURE_NOT_SUPPORTED, message, e.pos));
        }
        self.kept = true;
        let bound = self.expr(e, &mut Place::new(&scope, "DEFAULT expressions"))?;
        let bound = self.assign(bound, name, ty, typmod, e.location())?;
        if matches!(bound.kind, plan::ExprKind::Const(types::Datum::Null)) {
            return Ok(None);
        }
        self.qualified(&bound, &[]).map(Some)
    }

    /// Binds the condition of a CHECK constraint on a table of `columns`, and prints it as it is kept; with the columns it reads.
    ///
    /// # Errors
    /// What binding says.
    pub fn check_text(&mut self, e: &ast::Expr, table: &TableRef) -> Result<(String, Vec<usize>)> {
        let scope = table_scope(table, &table.name, false, &[]);
        self.kept = true;
        let bound = self.condition(e, &mut Place::new(&scope, "CHECK constraints"))?;
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        let mut columns = Vec::new();
        bound.visit(&mut |e| {
            if let plan::ExprKind::Column(i) = e.kind
                && !columns.contains(&i)
            {
                columns.push(i);
            }
        });
        columns.sort_unstable();
        Ok((self.qualified(&bound, &names)?, columns))
    }

    /// The text of `bound` with every user-made name qualified.
    fn qualified(&self, bound: &Expr, columns: &[String]) -> Result<String> {
        let names = crate::Names { image: self.image, search_path: &[] };
        crate::Deparser { columns, names: &names, pretty: false }.expr(bound)
    }

    /// The stored text `sql`, an expression over columns of `table`, as the current search path shows it.
    ///
    /// # Errors
    /// When it does not bind any more: a damaged catalog.
    pub fn shown(&self, sql: &str, table: Option<&TableInfo>, pretty: bool) -> Result<String> {
        let table = table.map(|t| crate::table_ref(self.image, t));
        let scope = table.as_ref().map_or_else(Scope::default, |t| table_scope(t, &t.name, false, &[]));
        let bound = self.stored(sql, |b, e| b.expr(e, &mut Place::new(&scope, "DEFAULT")))?;
        let names: Vec<String> = table.iter().flat_map(|t| t.columns.iter().map(|c| c.name.clone())).collect();
        let lookup = self.names();
        crate::Deparser { columns: &names, names: &lookup, pretty }.expr(&bound)
    }

    /// The sequences that the text of a default names.
    pub fn sequences_in(&self, sql: &str) -> Result<Vec<Oid>> {
        let scope = Scope::default();
        let bound = self.stored(sql, |b, e| b.expr(e, &mut Place::new(&scope, "DEFAULT")))?;
        let mut found = Vec::new();
        bound.visit(&mut |e| {
            if let (plan::ExprKind::Const(types::Datum::U32(oid)), oid::REGCLASS) = (&e.kind, e.ty) {
                found.push(Oid(*oid));
            }
        });
        Ok(found)
    }

    /// Converts `e` for a bound that must be known before the statement runs, such as COPY's WHERE.
    ///
    /// # Errors
    /// What binding says.
    pub fn condition_over(&mut self, e: &ast::Expr, table: &TableRef, clause: &'static str) -> Result<Expr> {
        let scope = table_scope(table, &table.name, true, &[]);
        self.condition(e, &mut Place::new(&scope, clause))
    }

    /// An expression over nothing, of type `ty`.
    ///
    /// # Errors
    /// What binding says; `42804` when it is of another type.
    pub fn constant_of(&mut self, e: &ast::Expr, ty: Oid) -> Result<Expr> {
        let scope = Scope::default();
        let bound = self.expr(e, &mut Place::new(&scope, "this place"))?;
        let from = bound.ty;
        self.coerce(bound, ty, -1, Context::Assignment)?.ok_or_else(|| {
            let (from, to) = (crate::format_type(from), crate::format_type(ty));
            SqlError::new(types::SqlState::DATATYPE_MISMATCH, format!("expected {to}, not {from}"))
        })
    }
}
