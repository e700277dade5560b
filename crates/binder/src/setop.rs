//! UNION, INTERSECT, EXCEPT.

use plan::{Expr, Node, OutputColumn, SetKind};
use syntax::ast::{self, Pos, Select, SelectBody, SetOperation, SetOperator, Target};
use types::{Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::coerce::Context;
use crate::expr::Place;
use crate::query::Bound;
use crate::resolve::common_type;
use crate::scope::Scope;

fn word(op: SetOperator) -> &'static str {
    match op {
        SetOperator::Union => "UNION",
        SetOperator::Intersect => "INTERSECT",
        SetOperator::Except => "EXCEPT",
    }
}

/// Where column `i` of a query is written.
pub(crate) fn target_location(select: &Select, i: usize) -> Pos {
    let (written, stars) = match &select.body {
        SelectBody::Query(core) => {
            let star = |t: &Target| match &t.expr.kind {
                ast::ExprKind::Star(_) => true,
                ast::ExprKind::Indirection(i) => matches!(i.path.last(), Some(ast::Indirection::Star(_))),
                _ => false,
            };
            (core.targets.get(i).map(|t| t.expr.location()), core.targets.iter().any(star))
        }
        SelectBody::Values(rows) => (rows.first().and_then(|r| r.get(i)).map(ast::Expr::location), false),
        SelectBody::SetOperation(_) => (None, false),
    };
    written.filter(|_| !stars).unwrap_or(select.pos)
}

/// Where the text of `e` begins, as PostgreSQL tells it: of a typed literal that is the literal.
fn leftmost(e: &Expr) -> Option<u32> {
    let mut at = None;
    e.visit(&mut |part| at = at.into_iter().chain((part.position > 0).then_some(part.position)).min());
    at
}

/// What the columns of each query in `op` are called, as far as they are written.
fn side_names(op: &SetOperation, out: &mut Vec<Vec<String>>) {
    for side in [&op.left, &op.right] {
        match &side.body {
            SelectBody::SetOperation(inner) => side_names(inner, out),
            SelectBody::Query(core) => {
                let name = |t: &Target| match &t.alias {
                    Some(alias) => alias.as_str().to_owned(),
                    None => crate::query::figure_name(&t.expr),
                };
                out.push(core.targets.iter().map(name).collect());
            }
            SelectBody::Values(_) => out.push(Vec::new()),
        }
    }
}

impl Binder<'_> {
    /// Binds a set operation with what surrounds it.
    pub(crate) fn set_operation(&mut self, select: &Select, op: &SetOperation) -> Result<Bound> {
        let bound = self.set_body(op)?;
        let targets: Vec<Expr> =
            bound.columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect();
        for by in &select.order_by {
            self.check_set_order(&by.expr, &bound.columns, op)?;
        }
        self.order_and_limit(select, bound.node, Scope::default(), targets, bound.columns)
    }

    /// The result of a set operation is sorted by its columns only, by name or number.
    fn check_set_order(&mut self, by: &ast::Expr, columns: &[OutputColumn], op: &SetOperation) -> Result<()> {
        if let ast::ExprKind::Column(names) = &by.kind
            && let [name] = &names[..]
            && !columns.iter().any(|c| c.name == name.as_str())
        {
            let error = self.error(
                SqlState::UNDEFINED_COLUMN,
                format!("column \"{}\" does not exist", name.as_str()),
                by.location(),
            );
            let mut sides = Vec::new();
            side_names(op, &mut sides);
            let mut having = (1..).zip(&sides).filter(|s| s.1.iter().any(|n| n == name.as_str())).map(|s| s.0);
            return Err(match (having.next(), having.next()) {
                (None, _) => error,
                (Some(side), None) => error.detail(format!(
                    "There is a column named \"{}\" in table \"*SELECT* {side}\", but it cannot be referenced from this part of the query.",
                    name.as_str()
                )),
                _ => error
                    .detail(format!(
                        "There are columns named \"{}\", but they are in tables that cannot be referenced from this part of the query.",
                        name.as_str()
                    ))
                    .hint("Try using a table-qualified name."),
            });
        }
        if matches!(by.kind, ast::ExprKind::Literal(_) | ast::ExprKind::Column(_)) {
            return Ok(());
        }
        // What is wrong in it is said first.
        let scope = self.derived_scope("", None, columns)?;
        self.expr(by, &mut Place::new(&scope, "ORDER BY"))?;
        let message = "invalid UNION/INTERSECT/EXCEPT ORDER BY clause";
        Err(self
            .error(SqlState::FEATURE_NOT_SUPPORTED, message, by.location())
            .detail("Only result column names can be used, not expressions or functions.")
            .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause."))
    }

    fn set_body(&mut self, op: &SetOperation) -> Result<Bound> {
        let (left_place, right_place) = match op.op {
            SetOperator::Union => (None, None),
            SetOperator::Intersect => (Some("INTERSECT"), Some("INTERSECT")),
            SetOperator::Except => (None, Some("EXCEPT")),
        };
        let left = self.without_recursion(left_place, |b| b.query_unsettled(&op.left))?;
        let right = self.without_recursion(right_place, |b| b.query_unsettled(&op.right))?;
        let (left, right, columns) = self.match_columns(left, right, word(op.op), op)?;
        // PostgreSQL asks this of EXCEPT ALL and INTERSECT ALL too.
        if !(op.all && op.op == SetOperator::Union) {
            let mut columns = columns.iter().enumerate();
            columns.try_for_each(|(i, c)| self.needs_equality(c.ty, target_location(&op.left, i)))?;
        }
        let kind = match op.op {
            SetOperator::Union => SetKind::Union,
            SetOperator::Intersect => SetKind::Intersect,
            SetOperator::Except => SetKind::Except,
        };
        let node = Node::SetOp { kind, all: op.all, left: Box::new(left), right: Box::new(right) };
        Ok(Bound { node, columns })
    }

    /// Converts the columns of both to their common types.
    fn match_columns(
        &mut self,
        left: Bound,
        right: Bound,
        what: &str,
        op: &SetOperation,
    ) -> Result<(Node, Node, Vec<OutputColumn>)> {
        if left.columns.len() != right.columns.len() {
            let message = format!("each {what} query must have the same number of columns");
            return Err(self.error(SqlState::SYNTAX_ERROR, message, target_location(&op.right, 0)));
        }
        let mut common: Vec<(Oid, i32)> = Vec::new();
        for (i, (l, r)) in left.columns.iter().zip(&right.columns).enumerate() {
            let ty = common_type(self.image, &[l.ty, r.ty]).ok_or_else(|| {
                let message =
                    format!("{what} types {} and {} cannot be matched", self.type_shown(l.ty), self.type_shown(r.ty));
                self.error(SqlState::DATATYPE_MISMATCH, message, target_location(&op.right, i))
            })?;
            common.push((ty, if l.typmod == r.typmod && l.ty == r.ty { l.typmod } else { -1 }));
        }
        let columns = left
            .columns
            .iter()
            .zip(&common)
            .map(|(c, &(ty, typmod))| OutputColumn { name: c.name.clone(), ty, typmod, origin: None })
            .collect();
        let (left, right) =
            (self.converted(left, &common, what, &op.left)?, self.converted(right, &common, what, &op.right)?);
        Ok((left, right, columns))
    }

    fn converted(&mut self, bound: Bound, common: &[(Oid, i32)], what: &str, from: &Select) -> Result<Node> {
        if bound.columns.iter().zip(common).all(|(c, t)| c.ty == t.0) {
            return Ok(bound.node);
        }
        // Untyped literals are read as the common type where they stand.
        let mut node = bound.node;
        if let Node::Project { exprs, .. } = &mut node {
            for (e, &(ty, _)) in exprs.iter_mut().zip(common) {
                if e.ty == oid::UNKNOWN {
                    *e = self.settle_as(e.clone(), ty)?;
                }
            }
        }
        let written: Vec<Option<u32>> = match &node {
            Node::Project { exprs, .. } => exprs.iter().map(leftmost).collect(),
            _ => Vec::new(),
        };
        let mut exprs = Vec::new();
        for (i, (c, &(ty, typmod))) in bound.columns.iter().zip(common).enumerate() {
            let column = Expr::column(i, node.types()[i], c.typmod);
            let converted = self.coerce(column, ty, typmod, Context::Implicit)?.ok_or_else(|| {
                let message =
                    format!("{what} could not convert type {} to {}", self.type_shown(c.ty), self.type_shown(ty));
                match written.get(i).copied().flatten() {
                    Some(at) => SqlError::new(SqlState::CANNOT_COERCE, message).at(Some(at)),
                    None => self.error(SqlState::CANNOT_COERCE, message, from.pos),
                }
            })?;
            exprs.push(converted);
        }
        Ok(Node::Project { input: Box::new(node), exprs })
    }
}
