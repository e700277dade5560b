//! `Scope`: the columns that names can mean, here and in the queries around (N2).

use plan::{AggregateCall, Expr, ExprKind};
use syntax::ast::Pos;
use types::{Datum, Oid, Result, SqlState, oid};

use crate::Binder;

/// A column in scope; its number is its place in the input row.
#[derive(Clone, Debug)]
pub struct ScopeColumn {
    /// The table's name or alias.
    pub table: String,
    /// The table's schema, where it is one's own name and no alias.
    pub schema: Option<String>,
    /// The column's name.
    pub name: String,
    /// Its type.
    pub ty: Oid,
    /// Its type modifier.
    pub typmod: i32,
    /// Whether `*` leaves it out and only its table's name finds it: system columns, and columns that USING merged away.
    pub hidden: bool,
    /// The table and column number it is.
    pub origin: Option<(Oid, i16)>,
}

impl ScopeColumn {
    /// A column that no name finds: it is NULL where an outer join made up the row of `table`.
    pub(crate) fn mark(table: &str) -> ScopeColumn {
        let (table, name) = (table.to_owned(), String::new());
        ScopeColumn { table, schema: None, name, ty: oid::BOOL, typmod: -1, hidden: true, origin: None }
    }

    pub(crate) fn is_mark(&self) -> bool {
        self.hidden && self.name.is_empty() && self.ty == oid::BOOL && self.origin.is_none()
    }
}

/// What names mean in some place.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Columns of the input row.
    pub columns: Vec<ScopeColumn>,
    /// Columns that JOIN ... USING merged: name, and the value of either side.
    pub merged: Vec<(String, Expr)>,
    /// Columns of the aliases of USING: alias, name, and value.
    pub aliased: Vec<(String, String, Expr)>,
    /// Row types of tables, by their names or aliases.
    pub rows: Vec<(String, Oid)>,
    /// Tables whose rows an outer join may have made up.
    pub nullable: Vec<String>,
    /// Columns that `*` leaves out, though their names find them.
    pub unlisted: Vec<usize>,
}

/// A query around the one being bound.
pub(crate) struct Frame {
    /// What it has in scope where the inner query stands.
    pub scope: Scope,
    /// Slots that the inner query reads, from expressions over the frame's row.
    pub binds: Vec<(usize, Expr)>,
    /// Whether the inner query depends on any row around it.
    pub correlated: bool,
    /// Where the query is among those being printed.
    pub texts: usize,
    /// Whether names are looked up in it: the left side of a FROM item is visible to LATERAL items alone.
    pub visible: bool,
    /// Whether it is the left side of a RIGHT or FULL join, which no LATERAL item may read.
    pub combined: bool,
    /// Where its aggregates are collected, as in its `Place`: those over its columns alone may stand in the inner query.
    pub aggregates: Option<Vec<AggregateCall>>,
    /// Its clause, for errors.
    pub clause: &'static str,
}

impl Frame {
    /// A query whose expressions see `scope`, where no aggregate may stand.
    pub(crate) fn new(scope: Scope, texts: usize, clause: &'static str) -> Frame {
        Frame {
            scope,
            binds: Vec::new(),
            correlated: false,
            texts,
            visible: true,
            combined: false,
            aggregates: None,
            clause,
        }
    }
}

enum Found {
    One(Expr),
    Ambiguous,
    No,
}

impl Scope {
    /// Columns of `self`, then those of `other`.
    pub fn join(mut self, mut other: Scope) -> Scope {
        let shift = self.columns.len();
        let merged = other.merged.iter_mut().map(|m| &mut m.1);
        merged.chain(other.aliased.iter_mut().map(|a| &mut a.2)).for_each(|e| e.map_columns(&|i| i + shift));
        self.columns.extend(other.columns);
        self.unlisted.extend(other.unlisted.into_iter().map(|i| i + shift));
        self.merged.extend(other.merged);
        self.aliased.extend(other.aliased);
        self.rows.extend(other.rows);
        self.nullable.extend(other.nullable);
        self
    }

    /// Whether a table of this name is in scope.
    pub fn has_table(&self, table: &str) -> bool {
        self.columns.iter().any(|c| c.table == table) || self.aliased.iter().any(|a| a.0 == table)
    }

    /// Whether `table` is read with the ids of its rows.
    pub(crate) fn find_ctid(&self, table: &str) -> bool {
        self.columns.iter().any(|c| c.table == table && c.name == "ctid" && c.ty == oid::TID)
    }

    fn find(&self, schema: Option<&str>, table: Option<&str>, name: &str) -> Found {
        if table.is_none() {
            let mut merged = self.merged.iter().filter(|m| m.0 == name);
            match (merged.next(), merged.next()) {
                (Some((_, e)), None) => return Found::One(e.clone()),
                (Some(_), Some(_)) => return Found::Ambiguous,
                _ => {}
            }
        }
        let aliased = |t: &str| self.aliased.iter().find(|a| a.0 == t && a.1 == name && schema.is_none());
        if let Some((_, _, e)) = table.and_then(aliased) {
            return Found::One(e.clone());
        }
        let in_schema = |c: &ScopeColumn| schema.is_none_or(|s| c.schema.as_deref() == Some(s));
        let system = name == "ctid";
        let matches =
            |c: &ScopeColumn| c.name == name && table.map_or(!c.hidden || system, |t| c.table == t && in_schema(c));
        let mut found = (0..self.columns.len()).filter(|&i| matches(&self.columns[i]));
        match (found.next(), found.next()) {
            (Some(i), None) => Found::One(Expr::column(i, self.columns[i].ty, self.columns[i].typmod)),
            (Some(_), Some(_)) => Found::Ambiguous,
            (None, _) if name == "tableoid" => self.tableoid(table),
            (None, _) => Found::No,
        }
    }

    fn tableoid(&self, table: Option<&str>) -> Found {
        let mut owners: Vec<Oid> = self
            .columns
            .iter()
            .filter(|c| table.is_none_or(|t| c.table == t))
            .filter_map(|c| c.origin.map(|o| o.0))
            .collect();
        owners.dedup();
        match owners[..] {
            [one] => Found::One(Expr::new(ExprKind::Const(Datum::from(one)), oid::OID, 0)),
            [] => Found::No,
            _ => Found::Ambiguous,
        }
    }
}

impl Binder<'_> {
    /// The column that `[[schema.]table.]name` means in `scope`, or in a query around it.
    pub(crate) fn resolve(
        &mut self,
        scope: &Scope,
        schema: Option<&str>,
        table: Option<&str>,
        name: &str,
        pos: Pos,
    ) -> Result<Expr> {
        let position = self.position(pos);
        let ambiguous =
            |b: &Self| b.error(SqlState::AMBIGUOUS_COLUMN, format!("column reference \"{name}\" is ambiguous"), pos);
        match scope.find(schema, table, name) {
            Found::One(e) => return Ok(Expr { position, ..e }),
            Found::Ambiguous => return Err(ambiguous(self)),
            Found::No => {}
        }
        // A table of that name here hides those further out.
        let here = table.is_some_and(|t| scope.has_table(t));
        for depth in (0..self.frames.len()).rev().take_while(|_| !here) {
            if !self.frames[depth].visible {
                continue;
            }
            match self.frames[depth].scope.find(schema, table, name) {
                Found::One(_) if self.frames[depth].combined => return Err(self.not_lateral(depth, table, name, pos)),
                Found::One(e) => {
                    // Its own place is told of one that is not grouped by.
                    let e = Expr { position, ..e };
                    return Ok(Expr { position, ..self.outer(depth, e) });
                }
                Found::Ambiguous => return Err(ambiguous(self)),
                Found::No if table.is_some_and(|t| self.frames[depth].scope.has_table(t)) => break,
                Found::No => {}
            }
        }
        if let Some(e) = self.not_a_column(scope, schema, table, name, pos)? {
            return Ok(e);
        }
        Err(self.no_column(scope, table, name, pos))
    }

    /// A name that means a column of what a LATERAL item may not read.
    fn not_lateral(&self, depth: usize, table: Option<&str>, name: &str, pos: Pos) -> types::SqlError {
        let named = |c: &&ScopeColumn| c.name == name && !c.hidden;
        let owner = || self.frames[depth].scope.columns.iter().find(named).map(|c| c.table.as_str());
        let table = table.or_else(owner).unwrap_or("");
        let message = format!("invalid reference to FROM-clause entry for table \"{table}\"");
        self.error(SqlState::INVALID_COLUMN_REFERENCE, message, pos)
            .detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
    }

    /// Makes `e`, over the row of the frame at `depth`, available to the query being bound.
    pub(crate) fn outer(&mut self, depth: usize, e: Expr) -> Expr {
        self.frames[depth..].iter_mut().for_each(|f| f.correlated = true);
        let (ty, typmod) = (e.ty, e.typmod);
        let known = self.frames[depth].binds.iter().find(|b| b.1.same(&e)).map(|b| b.0);
        let slot = known.unwrap_or_else(|| {
            self.slots += 1;
            self.frames[depth].binds.push((self.slots - 1, e));
            self.slots - 1
        });
        Expr { typmod, ..Expr::new(ExprKind::Slot(slot), ty, 0) }
    }

    fn no_column(&self, scope: &Scope, table: Option<&str>, name: &str, pos: Pos) -> types::SqlError {
        if ["xmin", "xmax", "cmin", "cmax"].contains(&name) && !scope.columns.is_empty() {
            return self.unsupported(&format!("system column {name}"), pos);
        }
        let invisible = |t: &str| self.frames.iter().any(|f| !f.visible && f.scope.has_table(t));
        match table {
            Some(t) if !scope.has_table(t) => {
                // A table of a query around this one is known, its column is not.
                let around = self.frames.iter().rev().find(|f| f.visible && f.scope.has_table(t));
                if let Some(frame) = around {
                    let message = format!("column {t}.{name} does not exist");
                    return self.suggest(
                        self.error(SqlState::UNDEFINED_COLUMN, message, pos),
                        &frame.scope,
                        table,
                        name,
                    );
                }
                if invisible(t) {
                    let message = format!("invalid reference to FROM-clause entry for table \"{t}\"");
                    return self
                        .error(SqlState::UNDEFINED_TABLE, message, pos)
                        .detail(format!(
                            "There is an entry for table \"{t}\", but it cannot be referenced from this part of the query."
                        ))
                        .hint("To reference that table, you must mark this subquery with LATERAL.");
                }
                let renamed = scope.columns.iter().find(|c| {
                    let own = c.origin.and_then(|(table, _)| self.image.by_oid(table)).map(|info| info.name.as_str());
                    own == Some(t) && c.table != t
                });
                if let Some(renamed) = renamed {
                    let message = format!("invalid reference to FROM-clause entry for table \"{t}\"");
                    let hint = format!("Perhaps you meant to reference the table alias \"{}\".", renamed.table);
                    return self.error(SqlState::UNDEFINED_TABLE, message, pos).hint(hint);
                }
                self.error(SqlState::UNDEFINED_TABLE, format!("missing FROM-clause entry for table \"{t}\""), pos)
            }
            Some(t) => {
                let message = format!("column {t}.{name} does not exist");
                self.suggest(self.error(SqlState::UNDEFINED_COLUMN, message, pos), scope, table, name)
            }
            None => {
                let message = format!("column \"{name}\" does not exist");
                self.suggest(self.error(SqlState::UNDEFINED_COLUMN, message, pos), scope, table, name)
            }
        }
    }

    /// Adds the column that was perhaps meant: the one, or two, whose names differ least, by three letters at most and by no more than half.
    fn suggest(&self, error: types::SqlError, scope: &Scope, table: Option<&str>, name: &str) -> types::SqlError {
        const DISTANCE_MAX: usize = 3;
        let mut best: Vec<&ScopeColumn> = Vec::new();
        let mut least = DISTANCE_MAX + 1;
        for c in scope.columns.iter().filter(|c| c.name != "ctid") {
            let table_distance = table.map_or(0, |t| strsim::levenshtein(t, &c.table));
            let column_distance = strsim::levenshtein(name, &c.name);
            let distance = table_distance + column_distance;
            if column_distance > name.chars().count() / 2 || distance > DISTANCE_MAX {
                continue;
            }
            match distance.cmp(&least) {
                std::cmp::Ordering::Less => (least, best) = (distance, vec![c]),
                std::cmp::Ordering::Equal => best.push(c),
                std::cmp::Ordering::Greater => {}
            }
        }
        match best[..] {
            [one] => error.hint(format!("Perhaps you meant to reference the column \"{}.{}\".", one.table, one.name)),
            [a, b] => error.hint(format!(
                "Perhaps you meant to reference the column \"{}.{}\" or the column \"{}.{}\".",
                a.table, a.name, b.table, b.name
            )),
            _ => error,
        }
    }
}
