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
    pub(crate) fn stored(
        &self,
        sql: &str,
        f: impl FnOnce(&mut Binder<'_>, &ast::Expr) -> Result<Expr>,
    ) -> Result<Expr> {
        let settings = IoSettings::default();
        let mut binder = Binder::new(self.image, sql, &settings, &[]);
        let parsed = syntax::parse_expr(sql)?;
        let mut bound = f(&mut binder, &parsed).map_err(|e| e.unplaced())?;
        bound.visit_mut(&mut |e| e.position = 0);
        Ok(bound)
    }

    /// What column `index` of `table` is when nothing is given.
    pub(crate) fn default_value(&self, table: &TableRef, index: usize) -> Result<Expr> {
        let column = &table.columns[index];
        let info = self.image.by_oid(table.oid).and_then(|t| t.columns.get(index));
        // What is generated is computed once the rest of the row is known.
        let stored = info.filter(|c| c.generated == 0).and_then(|c| c.default.clone());
        let own = info.is_none_or(|c| c.generated == 0);
        let Some(sql) = stored.or_else(|| if own { self.domain_default(column.ty) } else { None }) else {
            if own && self.image.domain(column.ty).is_some() {
                return self.as_domain(Expr::null(oid::UNKNOWN), column.ty);
            }
            return Ok(Expr { typmod: column.typmod, ..Expr::null(column.ty) });
        };
        let scope = Scope::default();
        let (base, base_typmod) = self.image.base_type(column.ty);
        let typmod = if base == column.ty { column.typmod } else { base_typmod };
        let bound = self.stored(&sql, |binder, e| {
            let bound = binder.expr(e, &mut Place::new(&scope, "DEFAULT"))?;
            if bound.ty == column.ty {
                return Ok(bound);
            }
            binder.assign(bound, &column.name, base, typmod, e.pos)
        })?;
        if bound.ty == column.ty { Ok(bound) } else { self.as_domain(bound, column.ty) }
    }

    /// A value of what domain `ty` is over as one of the domain.
    fn as_domain(&self, e: Expr, ty: Oid) -> Result<Expr> {
        let settings = IoSettings::default();
        let done = crate::coerce::coerce_with(e, ty, -1, Context::Assignment, &settings, &self.names())?;
        done.ok_or_else(|| SqlError::internal("a value is of its own type"))
    }

    /// The default that a domain gives its values, or one that it is over.
    fn domain_default(&self, ty: Oid) -> Option<std::sync::Arc<str>> {
        let mut ty = ty;
        loop {
            let info = self.image.domain(ty)?;
            match &info.default {
                Some(default) => return Some(default.clone()),
                None => ty = info.base,
            }
        }
    }

    /// [`Binder::default_value`] of a column of a target: a view may have its own.
    pub(crate) fn target_default(&self, target: &crate::target::Target, index: usize) -> Result<Expr> {
        let Some(sql) = target.view_default(index) else { return self.default_value(&target.table, index) };
        let (column, scope) = (&target.table.columns[index], Scope::default());
        self.stored(sql, |binder, e| {
            let bound = binder.expr(e, &mut Place::new(&scope, "DEFAULT"))?;
            binder.assign(bound, &column.name, column.ty, column.typmod, e.pos)
        })
    }

    /// What a new column of a table is in rows that are there, over their columns.
    ///
    /// # Errors
    /// What binding says.
    pub fn value_of_new_column(&self, table: &TableRef, index: usize) -> Result<Expr> {
        match self.generated(table)?.into_iter().find(|g| g.0 == index) {
            Some((_, e)) => Ok(e),
            None => self.default_value(table, index),
        }
    }

    /// Whether column `index` of `table` is computed from the others.
    pub(crate) fn is_generated(&self, table: &TableRef, index: usize) -> bool {
        self.image.by_oid(table.oid).and_then(|t| t.columns.get(index)).is_some_and(|c| c.generated != 0)
    }

    /// Whether column `index` of `table` takes only values that its sequence gives.
    pub(crate) fn is_always_identity(&self, table: &TableRef, index: usize) -> bool {
        self.image.by_oid(table.oid).and_then(|t| t.columns.get(index)).is_some_and(|c| c.identity == b'a')
    }

    /// The generated columns of `table` that are stored: what they are, over its columns.
    pub(crate) fn generated(&self, table: &TableRef) -> Result<Vec<(usize, Expr)>> {
        self.generated_as(table, b's')
    }

    /// The generated columns of `table` that are computed when they are read.
    pub(crate) fn virtuals(&self, table: &TableRef) -> Result<Vec<(usize, Expr)>> {
        self.generated_as(table, b'v')
    }

    fn generated_as(&self, table: &TableRef, kind: u8) -> Result<Vec<(usize, Expr)>> {
        let Some(info) = self.image.by_oid(table.oid) else { return Ok(Vec::new()) };
        let scope = table_scope(table, &table.name, false, &[]);
        let mut all = Vec::new();
        for (i, column) in info.columns.iter().enumerate().filter(|(_, c)| c.generated == kind) {
            let Some(sql) = &column.default else { continue };
            let bound = self.stored(sql, |b, e| {
                let bound = b.expr(e, &mut Place::new(&scope, "column generation expressions"))?;
                b.assign(bound, &column.name, column.ty, column.typmod, e.pos)
            })?;
            all.push((i, bound));
        }
        Ok(all)
    }

    /// Rows of a table (and more) with its generated columns computed.
    pub(crate) fn with_generated(&self, rows: plan::Node, table: &TableRef) -> Result<plan::Node> {
        let generated = self.generated(table)?;
        if generated.is_empty() {
            return Ok(rows);
        }
        let types = rows.types();
        let mut exprs: Vec<Expr> = types.iter().enumerate().map(|(i, &ty)| Expr::column(i, ty, -1)).collect();
        for (i, e) in generated {
            exprs[i] = e;
        }
        Ok(plan::Node::Project { input: Box::new(rows), exprs })
    }

    /// Binds what a generated column is, and prints it as it is kept; with the columns it reads.
    ///
    /// # Errors
    /// What binding says; what PostgreSQL forbids in such an expression.
    pub fn generated_text(&mut self, e: &ast::Expr, table: &TableRef, index: usize) -> Result<(String, Vec<usize>)> {
        let scope = table_scope(table, &table.name, false, &[]);
        self.kept = true;
        let column = &table.columns[index];
        let bound = self.expr(e, &mut Place::new(&scope, "column generation expressions"))?;
        let mut columns = Vec::new();
        let mut nested = None;
        bound.visit(&mut |e| {
            if let plan::ExprKind::Column(i) = e.kind {
                if self.is_generated(table, i) || i == index {
                    nested.get_or_insert((i, e.position));
                }
                if !columns.contains(&i) {
                    columns.push(i);
                }
            }
        });
        if let Some((i, position)) = nested {
            let name = &table.columns[i].name;
            let message = format!("cannot use generated column \"{name}\" in column generation expression");
            return Err(SqlError::new(types::SqlState::INVALID_OBJECT_DEFINITION, message)
                .detail("A generated column cannot reference another generated column.")
                .at((position > 0).then_some(position)));
        }
        let bound = self.assign(bound, &column.name, column.ty, column.typmod, e.location())?;
        if is_mutable(&bound) {
            let message = "generation expression is not immutable";
            return Err(SqlError::new(types::SqlState::INVALID_OBJECT_DEFINITION, message));
        }
        columns.sort_unstable();
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        Ok((self.qualified(&bound, &names)?, columns))
    }

    /// What a column of another type is made of, in rows that are there: `using`, or its old value.
    ///
    /// # Errors
    /// What binding says; `42804`.
    pub fn converted_column(
        &mut self,
        table: &TableRef,
        index: usize,
        (ty, typmod): (Oid, i32),
        using: Option<&ast::Expr>,
    ) -> Result<Expr> {
        let scope = table_scope(table, &table.name, false, &[]);
        let column = &table.columns[index];
        let bound = match using {
            Some(e) => self.expr(e, &mut Place::new(&scope, "transform expressions"))?,
            None => Expr::column(index, column.ty, column.typmod),
        };
        let shown = types::typmod::format_type(ty, typmod).unwrap_or_else(|| self.type_shown(ty));
        self.coerce(bound, ty, typmod, Context::Assignment)?.ok_or_else(|| {
            let name = &column.name;
            let (message, hint) = match using {
                Some(_) => (
                    format!(
                        "result of USING clause for column \"{name}\" cannot be cast automatically to type {shown}"
                    ),
                    "You might need to add an explicit cast.".to_owned(),
                ),
                None => (
                    format!("column \"{name}\" cannot be cast automatically to type {shown}"),
                    format!("You might need to specify \"USING {}::{shown}\".", syntax::quote_ident(name)),
                ),
            };
            SqlError::new(types::SqlState::DATATYPE_MISMATCH, message).hint(hint)
        })
    }

    /// The stored default `sql`, as the default of a column of type `ty`; `None` when it has no such value.
    ///
    /// # Errors
    /// What binding says.
    pub fn converted_default(&self, sql: &str, ty: Oid, typmod: i32) -> Result<Option<String>> {
        let scope = Scope::default();
        let bound = self.stored(sql, |b, e| {
            let bound = b.expr(e, &mut Place::new(&scope, "DEFAULT"))?;
            let bound = b.settle(bound)?;
            Ok(b.coerce(bound, ty, typmod, Context::Assignment)?.unwrap_or_else(|| Expr::null(oid::VOID)))
        })?;
        if bound.ty == oid::VOID {
            return Ok(None);
        }
        self.qualified(&bound, &[]).map(Some)
    }

    /// [`Binder::row_rules`] of a target, and what the views ask through which its rows are written.
    pub(crate) fn target_rules(&self, target: &crate::target::Target) -> Result<RowRules> {
        let mut rules = self.row_rules(&target.table)?;
        rules.views.clone_from(&target.checks);
        Ok(rules)
    }

    /// What CHECK constraints and foreign keys ask of rows of `table`.
    pub(crate) fn row_rules(&self, table: &TableRef) -> Result<RowRules> {
        let Some(info) = self.image.by_oid(table.oid) else { return Ok(RowRules::default()) };
        let scope = table_scope(table, &table.name, false, &[]);
        let (mut checks, virtuals) = (Vec::new(), self.virtuals(table)?);
        for check in &info.checks {
            let mut bound = self.stored(&check.condition, |b, e| b.condition(e, &mut Place::new(&scope, "CHECK")))?;
            crate::dml::substitute(&mut bound, &virtuals);
            checks.push((check.name.clone(), bound));
        }
        let reference =
            |constraint: Oid, columns: &[usize], full: bool| Reference { constraint, columns: columns.to_vec(), full };
        let references = info.foreign_keys.iter().map(|k| reference(k.oid, &k.columns, k.match_type == b'f')).collect();
        let referenced =
            self.image.referencing(info.oid).iter().map(|(_, k)| reference(k.oid, &k.target_columns, false)).collect();
        Ok(RowRules { checks, references, referenced, views: Vec::new() })
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
        let from = bound.ty;
        let bound = self.coerce(bound, ty, typmod, crate::Context::Assignment)?.ok_or_else(|| {
            let (to, from) = (self.type_shown(ty), self.type_shown(from));
            let message = format!("column \"{name}\" is of type {to} but default expression is of type {from}");
            types::SqlError::new(types::SqlState::DATATYPE_MISMATCH, message)
                .hint("You will need to rewrite or cast the expression.")
        })?;
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
    pub(crate) fn qualified(&self, bound: &Expr, columns: &[String]) -> Result<String> {
        let names = crate::lookup::Kept(crate::Names { image: self.image, search_path: &[] });
        crate::Deparser { columns, names: &names, pretty: false, query: None, settings: None }.expr(bound)
    }

    /// The stored text `sql`, an expression over columns of `table`, as the current search path shows it.
    ///
    /// # Errors
    /// When it does not bind any more: a damaged catalog.
    pub fn shown(&self, sql: &str, table: Option<&TableInfo>, pretty: bool) -> Result<String> {
        let table = table.map(|t| crate::bare_table_ref(self.image, t));
        let scope = table.as_ref().map_or_else(Scope::default, |t| table_scope(t, &t.name, false, &[]));
        let bound = self.stored(sql, |b, e| {
            b.kept = true;
            b.expr(e, &mut Place::new(&scope, "DEFAULT"))
        })?;
        let names: Vec<String> = table.iter().flat_map(|t| t.columns.iter().map(|c| c.name.clone())).collect();
        let lookup = self.names();
        let settings = Some(self.settings);
        crate::Deparser { columns: &names, names: &lookup, pretty, query: None, settings }.expr(&bound)
    }

    /// The stored text `sql`, over columns of `table`, with other names for them.
    ///
    /// # Errors
    /// As [`Binder::shown`].
    pub fn reworded(&self, sql: &str, table: &TableInfo, names: &[String]) -> Result<String> {
        let table = crate::bare_table_ref(self.image, table);
        let scope = table_scope(&table, &table.name, false, &[]);
        let bound = self.stored(sql, |b, e| {
            b.kept = true;
            b.expr(e, &mut Place::new(&scope, "CHECK"))
        })?;
        self.qualified(&bound, names)
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
            let (from, to) = (self.type_shown(from), self.type_shown(ty));
            SqlError::new(types::SqlState::DATATYPE_MISMATCH, format!("expected {to}, not {from}"))
        })
    }
}

/// Whether the value of `e` may change without its arguments changing.
pub(crate) fn is_mutable(e: &Expr) -> bool {
    let mut found = false;
    e.visit(&mut |e| {
        if let plan::ExprKind::Call { function, args, .. } = &e.kind
            && [TEXT_ANY_CONCAT, ANY_TEXT_CONCAT].contains(function)
        {
            // As the text form of what is not text.
            found |= args.iter().any(|a| has_mutable_text(a.ty));
            return;
        }
        if let plan::ExprKind::Call { function, .. } | plan::ExprKind::AnyArray { function, .. } = &e.kind {
            found |= catalog::builtin::proc_by_oid(*function).is_some_and(|p| p.volatility != b'i');
        }
        if let plan::ExprKind::CastByText { arg, .. } = &e.kind {
            // What writes a user's type, or reads one, looks into the catalog.
            let stable = |ty: Oid, function: fn(&catalog::builtin::TypeRow) -> Oid| {
                let proc = catalog::builtin::type_by_oid(ty).and_then(|t| catalog::builtin::proc_by_oid(function(t)));
                proc.is_none_or(|p| p.volatility != b'i')
            };
            found |= stable(arg.ty, |t| t.output) || stable(e.ty, |t| t.input);
        }
        if let plan::ExprKind::Routine { routine, .. } = &e.kind {
            found |= routine.volatility != b'i';
        }
    });
    found
}

/// `text || anynonarray` and `anynonarray || text`: functions in SQL, which PostgreSQL looks through.
const TEXT_ANY_CONCAT: Oid = Oid(2003);
const ANY_TEXT_CONCAT: Oid = Oid(2004);

/// Whether the text form of values of a type depends on settings or on the catalog.
fn has_mutable_text(ty: Oid) -> bool {
    let money = Oid(790);
    ty.is_user_type()
        || matches!(ty, oid::DATE | oid::TIMESTAMP | oid::TIMESTAMPTZ | oid::RECORD)
        || ty == money
        || types::io::is_reg(ty)
        || catalog::builtin::type_by_oid(ty).is_some_and(|t| t.category == b'A')
}

/// Whether each evaluation of `e` may give another value.
pub(crate) fn is_volatile(e: &Expr) -> bool {
    has_volatility(e, |v| v == b'v')
}

fn has_volatility(e: &Expr, wanted: impl Fn(u8) -> bool) -> bool {
    let mut found = false;
    e.visit(&mut |e| {
        if let plan::ExprKind::Call { function, .. } | plan::ExprKind::AnyArray { function, .. } = &e.kind {
            found |= catalog::builtin::proc_by_oid(*function).is_some_and(|p| wanted(p.volatility));
        }
        if let plan::ExprKind::Routine { routine, .. } = &e.kind {
            found |= wanted(routine.volatility);
        }
    });
    found
}
