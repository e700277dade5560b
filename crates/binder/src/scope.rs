//! `Scope`: the columns that names can mean.

use plan::Expr;
use syntax::ast::Pos;
use types::{Oid, Result, SqlState};

use crate::Binder;

/// A column in scope; its number is its place in the input row.
#[derive(Clone, Debug)]
pub struct ScopeColumn {
    /// The table's name or alias.
    pub table: String,
    /// The column's name.
    pub name: String,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Whether only its own name finds it: row ids, and columns that USING merged away.
    pub hidden: bool,
}

/// What names mean in some place.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Columns of the input row.
    pub columns: Vec<ScopeColumn>,
}

impl Scope {
    /// Columns of `self`, then those of `other`.
    pub fn join(mut self, other: Scope) -> Scope {
        self.columns.extend(other.columns);
        self
    }

    /// Whether a table of this name is in scope.
    pub fn has_table(&self, table: &str) -> bool {
        self.columns.iter().any(|c| c.table == table)
    }

    /// The columns that `*`, or `table.*`, stands for.
    pub fn star(&self, table: Option<&str>) -> Vec<usize> {
        let wanted = |c: &ScopeColumn| !c.hidden && table.is_none_or(|t| c.table == t);
        (0..self.columns.len()).filter(|&i| wanted(&self.columns[i])).collect()
    }

    /// The column that `[table.]name` means.
    pub(crate) fn resolve(&self, binder: &Binder<'_>, table: Option<&str>, name: &str, pos: Pos) -> Result<Expr> {
        let matches = |c: &ScopeColumn| c.name == name && table.map_or(!c.hidden, |t| c.table == t);
        let mut found = (0..self.columns.len()).filter(|&i| matches(&self.columns[i]));
        match (found.next(), found.next()) {
            (Some(i), None) => {
                let c = &self.columns[i];
                Ok(Expr { position: binder.position(pos), ..Expr::column(i, c.ty, c.typmod) })
            }
            (Some(_), Some(_)) => {
                let message = format!("column reference \"{name}\" is ambiguous");
                Err(binder.error(SqlState::AMBIGUOUS_COLUMN, message, pos))
            }
            (None, _) => Err(match table {
                Some(t) if !self.has_table(t) => {
                    binder.error(SqlState::UNDEFINED_TABLE, format!("missing FROM-clause entry for table \"{t}\""), pos)
                }
                Some(t) => binder.error(SqlState::UNDEFINED_COLUMN, format!("column {t}.{name} does not exist"), pos),
                None => binder.error(SqlState::UNDEFINED_COLUMN, format!("column \"{name}\" does not exist"), pos),
            }),
        }
    }
}
