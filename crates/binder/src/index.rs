//! Indexes on expressions and on parts of tables: what CREATE INDEX keeps of them, what plans know of them, and which of them ON CONFLICT
//! means.

use catalog::{Image, IndexInfo};
use plan::{Expr, ExprKind, IndexKey, TableRef};
use syntax::ast;
use types::{IoSettings, Oid, Result, SqlError, SqlState};

use crate::Binder;
use crate::expr::Place;
use crate::from::table_scope;
use crate::target::{Part, Row, Target};

/// An expression of an index, or the condition of a partial one.
pub struct IndexExpression {
    /// As it is kept.
    pub text: String,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Columns that it reads.
    pub columns: Vec<usize>,
    /// What an index column of it is called.
    pub name: String,
}

/// An index as plans refer to it.
pub(crate) fn index_key(image: &Image, table: &TableRef, info: &IndexInfo) -> Result<IndexKey> {
    let mut key = IndexKey {
        oid: info.oid,
        name: info.name.clone(),
        rel: info.rel,
        columns: info.columns.clone(),
        include: info.include.clone(),
        exprs: Vec::new(),
        labels: Vec::new(),
        predicate: None,
        unique: info.unique,
        nulls_not_distinct: info.nulls_not_distinct,
        immediate: info.immediate,
        hash: info.method == HASH,
    };
    if info.is_plain() {
        return Ok(key);
    }
    for (k, _) in key.columns.iter_mut().zip(&info.columns).filter(|(_, own)| own.0 >= catalog::KEY_EXPRESSION) {
        k.0 = k.0 - catalog::KEY_EXPRESSION + plan::KEY_EXPRESSION;
    }
    let settings = IoSettings::default();
    let binder = Binder::new(image, "", &settings, &[]);
    let scope = table_scope(table, &table.name, false, &[]);
    let bind = |sql: &str, clause| {
        binder.stored(sql, |b, e| {
            let bound = b.expr(e, &mut Place::new(&scope, clause))?;
            b.settle(bound)
        })
    };
    key.exprs = info.expressions.iter().map(|sql| bind(sql, "index expressions")).collect::<Result<_>>()?;
    key.predicate = info.predicate.as_ref().map(|sql| bind(sql, "index predicates")).transpose()?;
    if !key.exprs.is_empty() {
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        let lookup = crate::Names { image, search_path: &[] };
        let deparser = crate::Deparser { columns: &names, names: &lookup, pretty: true, query: None, settings: None };
        let label = |i: usize| match key.expr(i) {
            Some(e) => Ok(enclosed(e, deparser.expr(e)?)),
            None => Ok(syntax::quote_ident(&table.columns[key.columns[i].0].name).to_string()),
        };
        key.labels = (0..key.columns.len()).map(label).collect::<Result<_>>()?;
    }
    Ok(key)
}

/// `pg_am` OID of hash.
const HASH: Oid = Oid(405);

/// The text of an index's expression, in parentheses unless it looks like a call.
fn enclosed(e: &Expr, text: String) -> String {
    let is_call = matches!(
        &e.kind,
        ExprKind::Call { form: plan::CallForm::Function | plan::CallForm::Syntax, .. }
            | ExprKind::Coalesce(_)
            | ExprKind::Extreme(..)
    );
    if is_call { text } else { format!("({text})") }
}

impl Binder<'_> {
    /// Binds an expression of an index on `table`.
    ///
    /// # Errors
    /// What binding says; `42P17`.
    pub fn index_expression(&mut self, e: &ast::Expr, table: &TableRef) -> Result<IndexExpression> {
        let scope = table_scope(table, &table.name, false, &[]);
        self.kept = true;
        let bound = self.expr(e, &mut Place::new(&scope, "index expressions"))?;
        let bound = self.settle(bound)?;
        if crate::rules::is_mutable(&bound) {
            let message = "functions in index expression must be marked IMMUTABLE";
            return Err(SqlError::new(SqlState::INVALID_OBJECT_DEFINITION, message));
        }
        let name = crate::query::figure_name(e);
        let name = if name == "?column?" { "expr".to_owned() } else { name };
        self.kept_expression(&bound, table, name)
    }

    /// Binds the condition of a partial index on `table`.
    ///
    /// # Errors
    /// As [`Binder::index_expression`].
    pub fn index_predicate(&mut self, e: &ast::Expr, table: &TableRef) -> Result<IndexExpression> {
        let scope = table_scope(table, &table.name, false, &[]);
        self.kept = true;
        let bound = self.expr(e, &mut Place::new(&scope, "index predicates"))?;
        let bound = self.boolean(bound, "WHERE", e.location())?;
        if crate::rules::is_mutable(&bound) {
            let message = "functions in index predicate must be marked IMMUTABLE";
            return Err(SqlError::new(SqlState::INVALID_OBJECT_DEFINITION, message));
        }
        self.kept_expression(&bound, table, String::new())
    }

    fn kept_expression(&self, bound: &Expr, table: &TableRef, name: String) -> Result<IndexExpression> {
        let mut columns = Vec::new();
        let mut system = false;
        bound.visit(&mut |e| {
            if let ExprKind::Column(i) = e.kind {
                system |= i >= table.columns.len();
                if !columns.contains(&i) {
                    columns.push(i);
                }
            }
        });
        let computed = |i: &usize| table.columns.get(*i).is_some_and(|c| c.computed);
        if columns.iter().any(computed) {
            let message = "indexes on virtual generated columns are not supported";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        if system {
            let message = "index creation on system columns is not supported";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        }
        columns.sort_unstable();
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        let text = self.qualified(bound, &names)?;
        Ok(IndexExpression { text, ty: bound.ty, typmod: bound.typmod, columns, name })
    }

    /// An index's kept expression as `pg_get_indexdef` shows it as a column.
    ///
    /// # Errors
    /// As [`Binder::shown`].
    pub fn shown_key(&self, sql: &str, table: &catalog::TableInfo, pretty: bool) -> Result<String> {
        let text = self.shown(sql, Some(table), pretty)?;
        let table = crate::bare_table_ref(self.image, table);
        let scope = table_scope(&table, &table.name, false, &[]);
        let bound = self.stored(sql, |b, e| {
            let bound = b.expr(e, &mut Place::new(&scope, "index expressions"))?;
            b.settle(bound)
        })?;
        Ok(enclosed(&bound, text))
    }

    /// The unique indexes that ON CONFLICT (`elements`) WHERE `condition` means.
    pub(crate) fn arbiters(
        &mut self,
        elements: &[ast::IndexElement],
        condition: Option<&ast::Expr>,
        target: &Target,
        pos: ast::Pos,
    ) -> Result<Vec<usize>> {
        let table = &target.table;
        let scope = target.scope(target.name(), true);
        let row = Row(vec![Part::Target(target, 0)]);
        let (mut columns, mut exprs): (Vec<usize>, Vec<Expr>) = (Vec::new(), Vec::new());
        for element in elements {
            if element.descending.is_some() {
                let message = "ASC/DESC is not allowed in ON CONFLICT clause";
                return Err(self.error(SqlState::INVALID_COLUMN_REFERENCE, message, pos));
            }
            if element.nulls != ast::NullsOrder::Default {
                let message = "NULLS FIRST/LAST is not allowed in ON CONFLICT clause";
                return Err(self.error(SqlState::INVALID_COLUMN_REFERENCE, message, pos));
            }
            let bound = match &element.key {
                ast::IndexKey::Column(name) => self.resolve(&scope, None, None, name.as_str(), pos)?,
                ast::IndexKey::Expr(e) => {
                    let bound = self.expr(e, &mut Place::new(&scope, "index expressions"))?;
                    self.settle(bound)?
                }
            };
            let mut bound = bound;
            row.lower(&mut bound);
            match bound.kind {
                ExprKind::Column(i) if !columns.contains(&i) => columns.push(i),
                ExprKind::Column(_) => {}
                _ => exprs.push(bound),
            }
        }
        let mut given = Vec::new();
        if let Some(e) = condition {
            let bound = self.expr(e, &mut Place::new(&scope, "index predicates"))?;
            let mut bound = self.boolean(bound, "WHERE", e.location())?;
            row.lower(&mut bound);
            bound.conjuncts(&mut given);
        }
        columns.sort_unstable();
        let matches = |i: &&IndexKey| {
            let mut own: Vec<usize> = i.columns.iter().map(|k| k.0).filter(|&c| c < plan::KEY_EXPRESSION).collect();
            own.sort_unstable();
            own.dedup();
            i.unique
                && own == columns
                && exprs.iter().all(|e| i.exprs.iter().any(|own| own.same(e)))
                && i.exprs.iter().all(|own| exprs.iter().any(|e| own.same(e)))
                && i.predicate.as_ref().is_none_or(|p| plan::implies(&given, p, &functions::sign))
        };
        Ok((0..table.indexes.len()).filter(|&i| matches(&&table.indexes[i])).collect())
    }
}
