//! Expressions of a query that is printed: what its columns, and those of the queries around it, are called there.

use std::collections::HashMap;

use plan::{AggregateCall, Expr, ExprKind};
use syntax::quote_ident;
use types::io::TypeLookup;
use types::{Result, oid};

use super::{Form, STEP};
use crate::deparse::{Deparser, QueryNames, WholeRow};
use crate::expr::AGGREGATES;
use crate::from::star;
use crate::scope::{Scope, ScopeColumn};
use crate::{Binder, lookup};

impl Binder<'_> {
    /// What a column of the query at `level` is called, with its table if `prefix` says so.
    fn named(&self, c: &ScopeColumn, prefix: bool, level: usize) -> String {
        let Some(texts) = &self.texts else { return quote_ident(&c.name).to_string() };
        let column = texts.column(level, c);
        match prefix && !c.table.is_empty() {
            true => format!("{}.{}", quote_ident(&texts.table(level, &c.table)), quote_ident(&column)),
            false => quote_ident(&column).to_string(),
        }
    }

    /// The tables of `scope`, each as its columns and as what its whole row is called.
    fn whole_rows(&self, scope: &Scope, level: usize) -> Vec<WholeRow> {
        let mut tables: Vec<&str> = scope.columns.iter().map(|c| c.table.as_str()).filter(|t| !t.is_empty()).collect();
        tables.dedup();
        let row = |table: &str| {
            let column = |e: Expr| match e.kind {
                ExprKind::Column(i) => Some(i),
                _ => None,
            };
            let columns = star(scope, Some(table)).0.into_iter().filter_map(column).collect();
            let ty = scope.rows.iter().rev().find(|r| r.0 == table).map_or(oid::RECORD, |r| r.1);
            let shown = self.texts.as_ref().map_or(table.to_owned(), |t| t.table(level, table));
            WholeRow { columns, ty, text: format!("{}.*", quote_ident(&shown)) }
        };
        tables.into_iter().map(row).collect()
    }

    /// An output column that is the whole row of a table: its type keeps the row from being taken apart.
    pub(super) fn whole_text(&self, e: &Expr, scope: &Scope) -> Option<String> {
        let rows = self.whole_rows(scope, self.text_level());
        let row = rows.iter().find(|r| r.is(e))?;
        let (kept, shown) = (lookup::Kept(self.names()), self.names());
        let names: &dyn TypeLookup = if self.form() == Form::Kept { &kept } else { &shown };
        Some(match e.ty {
            oid::RECORD => row.text.clone(),
            ty => format!("{}::{}", row.text, names.type_name(ty)),
        })
    }

    /// An expression over the columns of `scope` as text.
    pub(super) fn expr_text(
        &mut self,
        e: &Expr,
        scope: &Scope,
        calls: &[AggregateCall],
        prefix: bool,
        implicit: bool,
    ) -> Result<String> {
        let level = self.text_level();
        let (kept, shown) = (lookup::Kept(self.names()), self.names());
        let (names, pretty, settings): (&dyn TypeLookup, bool, _) = match self.form() {
            Form::Kept => (&kept, false, None),
            Form::Shown { pretty } => (&shown, pretty, Some(self.settings)),
        };
        let indent = self.texts.as_ref().map_or(0, |t| (t.indent + STEP) / 4);
        let around = HashMap::new();
        let mut slots = HashMap::new();
        for frame in self.frames.iter().filter(|f| !f.binds.is_empty()) {
            // A column of a query around, its whole row, or an aggregate that belongs to it.
            let query = QueryNames {
                columns: frame.scope.columns.iter().map(|c| self.named(c, true, frame.texts)).collect(),
                rows: self.whole_rows(&frame.scope, frame.texts),
                shapes: &self.shapes,
                calls: frame.aggregates.as_deref().unwrap_or_default(),
                windows: &[],
                groupings: &[],
                slots: &around,
                subqueries: None,
                level: indent,
            };
            let deparser = Deparser { columns: &[], names, pretty, query: Some(&query), settings };
            for (slot, e) in &frame.binds {
                let known = match e.kind {
                    ExprKind::Column(i) => {
                        i < query.columns.len() || i >= AGGREGATES && i - AGGREGATES < query.calls.len()
                    }
                    ExprKind::Row { .. } => query.rows.iter().any(|r| r.is(e)),
                    _ => false,
                };
                if known {
                    slots.insert(*slot, deparser.expr(e)?);
                }
            }
        }
        let query = QueryNames {
            columns: scope.columns.iter().map(|c| self.named(c, prefix, level)).collect(),
            rows: self.whole_rows(scope, level),
            shapes: &self.shapes,
            calls,
            windows: self.texts.as_ref().map_or(&[], |t| &t.windows[..]),
            groupings: self.texts.as_ref().map_or(&[], |t| &t.groupings[..]),
            slots: &slots,
            subqueries: self.texts.as_ref().map(|t| &t.subqueries),
            level: indent,
        };
        let deparser = Deparser { columns: &[], names, pretty, query: Some(&query), settings };
        if implicit { deparser.target(e) } else { deparser.expr(e) }
    }
}
