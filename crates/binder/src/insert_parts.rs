//! INSERT into columns of columns: `INSERT INTO t (c.a, c.b) ...`.

use plan::{Expr, Node, TableRef};
use syntax::ast::{self, Indirection, Insert, SelectBody};
use types::{Oid, Result, SqlError, SqlState};

use crate::Binder;
use crate::coerce::Context;
use crate::expr::Place;
use crate::scope::Scope;

impl Binder<'_> {
    /// The rows that INSERT adds, where some of its targets are columns of columns: one expression for each column of the table.
    pub(crate) fn insert_parts(&mut self, table: &TableRef, insert: &Insert) -> Result<Node> {
        let mut targets: Vec<(usize, &ast::AssignTarget)> = Vec::new();
        for target in &insert.columns {
            let found =
                table.columns.iter().position(|c| c.name == *target.name.text && !c.dropped).ok_or_else(|| {
                    let message =
                        format!("column \"{}\" of relation \"{}\" does not exist", target.name.text, table.name);
                    self.error(SqlState::UNDEFINED_COLUMN, message, target.name.pos)
                })?;
            let whole =
                |t: &(usize, &ast::AssignTarget)| t.0 == found && (t.1.path.is_empty() || target.path.is_empty());
            if targets.iter().any(whole) {
                let message = format!("column \"{}\" specified more than once", target.name.text);
                return Err(self.error(SqlState::DUPLICATE_COLUMN, message, target.name.pos));
            }
            targets.push((found, target));
        }
        let Some(source) = &insert.source else {
            return Err(self.unsupported("DEFAULT VALUES for parts of columns", insert.pos));
        };
        let mut types: Vec<(Oid, i32)> = Vec::new();
        for (column, target) in &targets {
            let c = &table.columns[*column];
            types.push(self.type_at(c.ty, c.typmod, &target.path)?);
        }
        let (input, count) = match &source.body {
            SelectBody::Values(rows) if source.order_by.is_empty() && source.limit.is_none() => {
                let scope = Scope::default();
                let mut bound = Vec::with_capacity(rows.len());
                for row in rows {
                    if row.len() > types.len() {
                        let message = "INSERT has more expressions than target columns";
                        return Err(self.error(SqlState::SYNTAX_ERROR, message, row[types.len()].location()));
                    }
                    let mut place = Place::new(&scope, "VALUES");
                    let mut out = Vec::with_capacity(row.len());
                    for (e, ((ty, typmod), (_, target))) in row.iter().zip(types.iter().zip(&targets)) {
                        if matches!(e.kind, ast::ExprKind::SetToDefault) {
                            return Err(self.no_default_for_part(target));
                        }
                        let value = self.expr(e, &mut place)?;
                        if *ty == types::oid::UNKNOWN {
                            out.push(self.settle(value)?);
                            continue;
                        }
                        out.push(self.assign(value, &target.name.text, *ty, *typmod, e.location())?);
                    }
                    bound.push(out);
                }
                let count = bound.first().map_or(0, Vec::len);
                (Node::Values { rows: bound, types: types[..count].iter().map(|t| t.0).collect() }, count)
            }
            _ => {
                let node = self.query(source)?.node;
                let count = node.types().len();
                (node, count)
            }
        };
        if count != targets.len() {
            let words = if count > targets.len() {
                ("expressions", "target columns")
            } else {
                ("target columns", "expressions")
            };
            let message = format!("INSERT has more {} than {}", words.0, words.1);
            return Err(self.error(SqlState::SYNTAX_ERROR, message, insert.pos));
        }
        let given = input.types();
        let mut exprs = Vec::with_capacity(table.columns.len());
        for (i, c) in table.columns.iter().enumerate() {
            let mut value: Option<Expr> = None;
            for (source, (_, target)) in targets.iter().enumerate().filter(|(_, t)| t.0 == i) {
                let column = Expr::column(source, given[source], -1);
                let old = value.unwrap_or_else(|| Expr { typmod: c.typmod, ..Expr::null(c.ty) });
                value = Some(match target.path[..] {
                    [] => self.assign(column, &c.name, c.ty, c.typmod, insert.pos)?,
                    [Indirection::Index(_) | Indirection::Slice(..), ..] => {
                        let nothing = Scope::default();
                        let mut place = Place::new(&nothing, "INSERT");
                        self.assign_part(old, &c.name, &target.path, (column, target.name.pos), &mut place)?
                    }
                    _ => {
                        let mut put = |b: &mut Self, ty: Oid, typmod: i32, _: &str| {
                            let done = b.coerce(column.clone(), ty, typmod, Context::Assignment)?;
                            done.ok_or_else(|| b.cannot_cast(column.ty, ty))
                        };
                        self.with_field(&old, &target.path, &mut put, &target.name)?
                    }
                });
            }
            exprs.push(match value {
                Some(value) => value,
                None => self.default_value(table, i)?,
            });
        }
        Ok(Node::Project { input: Box::new(input), exprs })
    }

    /// DEFAULT is no value for a part of a column.
    pub(crate) fn no_default_for_part(&self, target: &ast::AssignTarget) -> SqlError {
        let message = match target.path.first() {
            Some(Indirection::Index(_) | Indirection::Slice(..)) => "cannot set an array element to DEFAULT",
            _ => "cannot set a subfield to DEFAULT",
        };
        self.error(SqlState::FEATURE_NOT_SUPPORTED, message, target.name.pos)
    }

    /// The type of the column of a row that `path` leads to.
    fn type_at(&self, ty: Oid, typmod: i32, path: &[Indirection]) -> Result<(Oid, i32)> {
        let [Indirection::Field(name), rest @ ..] = path else {
            let element = crate::polymorphic::element_of(ty).filter(|_| crate::dml::is_element(path));
            return Ok((element.unwrap_or(ty), typmod));
        };
        let columns = self.image.fields_of(ty).unwrap_or_default();
        match columns.iter().find(|c| c.0 == name.as_str()) {
            Some((_, ty, typmod)) => self.type_at(*ty, *typmod, rest),
            // Told where the value is put.
            None => Ok((types::oid::UNKNOWN, -1)),
        }
    }
}
