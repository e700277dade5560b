//! RETURNING: what a changed row is, was (`old`) and has become (`new`).

use plan::{Expr, OutputColumn};
use syntax::ast::{self, ExprKind as Ast, Returning};
use types::{Result, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::scope::{Scope, ScopeColumn};
use crate::target::{Part, Row, Target};

/// The table name under which RETURNING of a MERGE finds what was done; no SQL can write it.
pub(crate) const MERGE_TABLE: &str = "\0merge";

impl Binder<'_> {
    /// Binds RETURNING over the rows of `target` and `others` more columns, which `scope` names. Behind them in the row are the old row,
    /// the new row, and for MERGE what was done.
    pub(crate) fn returning(
        &mut self,
        returning: Option<&Returning>,
        target: &Target,
        scope: &Scope,
        others: usize,
        merge: bool,
    ) -> Result<(Option<Vec<Expr>>, Vec<OutputColumn>)> {
        let Some(returning) = returning else { return Ok((None, Vec::new())) };
        let mut names = [None, None];
        for option in &returning.options {
            let (slot, word) = if option.new { (1, "NEW") } else { (0, "OLD") };
            if names[slot].is_some() {
                let message = format!("{word} cannot be specified multiple times");
                return Err(self.error(SqlState::SYNTAX_ERROR, message, option.pos));
            }
            let name = option.name.as_str();
            if scope.has_table(name) || names.iter().flatten().any(|n| *n == name) {
                let message = format!("table name \"{name}\" specified more than once");
                return Err(self.error(SqlState::DUPLICATE_ALIAS, message, option.pos));
            }
            names[slot] = Some(name);
        }
        let (width, mut full) = (target.width(), scope.clone());
        let at = width + others;
        let plain = scope.columns.len() - target.scope_width();
        let mut parts = vec![Part::Target(target, 0), Part::Plain(plain, width)];
        for (slot, usual) in [(0, "old"), (1, "new")] {
            // A table of that name in the statement hides it.
            let name = names[slot].unwrap_or(if scope.has_table(usual) { "\0" } else { usual });
            let mut own = self.target_scope(target, name, false);
            own.columns.iter_mut().for_each(|c| c.hidden = true);
            full = full.join(own);
            parts.push(Part::Target(target, at + slot * width));
        }
        if merge {
            full.columns.push(ScopeColumn {
                table: MERGE_TABLE.to_owned(),
                schema: None,
                name: "merge_action".to_owned(),
                ty: oid::TEXT,
                typmod: -1,
                hidden: true,
                origin: None,
            });
            parts.push(Part::Plain(1, at + 2 * width));
        }
        let (mut exprs, mut columns) = (Vec::new(), Vec::new());
        let mut place = Place::new(&full, "RETURNING");
        for item in &returning.targets {
            let first = exprs.len();
            self.target_item(item, &mut place, &mut exprs, &mut columns)?;
            if merge && matches!(&item.expr.kind, Ast::Star(names) if names.is_empty()) {
                // The source's columns come before the target's.
                let own = |e: &Expr| matches!(e.kind, plan::ExprKind::Column(i) if i < target.scope_width());
                let mut both: Vec<(Expr, OutputColumn)> = exprs.drain(first..).zip(columns.drain(first..)).collect();
                both.sort_by_key(|(e, _)| own(e));
                both.into_iter().for_each(|(e, c)| {
                    exprs.push(e);
                    columns.push(c);
                });
            }
        }
        let row = Row(parts);
        exprs.iter_mut().for_each(|e| row.lower(e));
        Ok((Some(exprs), columns))
    }

    /// An item of a list of results.
    pub(crate) fn target_item(
        &mut self,
        item: &ast::Target,
        place: &mut Place<'_>,
        exprs: &mut Vec<Expr>,
        columns: &mut Vec<OutputColumn>,
    ) -> Result<()> {
        self.list_item(item, place, exprs, columns, true)
    }
}
