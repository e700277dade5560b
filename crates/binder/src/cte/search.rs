//! SEARCH and CYCLE of a recursive query: columns that say where a row stands in the search, and whether its path meets itself.
//!
//! The step hands on what its own row of the query had in these columns; a projection above it makes the new row's values of them.

use plan::{Expr, ExprKind, Node, OutputColumn};
use syntax::ast::{self, Pos};
use types::{Datum, Oid, Result, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::query::Bound;
use crate::scope::Scope;

/// What SEARCH and CYCLE add to a query.
pub(super) struct Added<'c> {
    search: Option<&'c ast::CteSearch>,
    cycle: Option<&'c ast::CteCycle>,
    /// The values of CYCLE's mark: of rows that were met before, and of others.
    marks: Option<(Expr, Expr)>,
    /// The columns, in their order.
    pub(super) columns: Vec<OutputColumn>,
}

/// The first field of what SEARCH BREADTH FIRST adds: how deep the row is.
const DEPTH: usize = 0;

impl Binder<'_> {
    /// What the clauses of `cte` add.
    pub(super) fn added<'c>(&mut self, cte: &'c ast::Cte) -> Result<Added<'c>> {
        let (search, cycle) = (cte.search.as_ref(), cte.cycle.as_deref());
        if let Some(cycle) = cycle {
            self.check_cycle_names(search, cycle)?;
        }
        let column = |name: &ast::Name, ty: Oid, typmod: i32| {
            let name = name.as_str().to_owned();
            OutputColumn { name, ty, typmod, origin: None }
        };
        let mut columns = Vec::new();
        if let Some(search) = search {
            let ty = if search.breadth_first { oid::RECORD } else { oid::RECORD_ARRAY };
            columns.push(column(&search.sequence, ty, -1));
        }
        let mut marks = None;
        if let Some(cycle) = cycle {
            let (value, default) = self.cycle_marks(cycle)?;
            columns.push(column(&cycle.mark, value.ty, value.typmod));
            columns.push(column(&cycle.path, oid::RECORD_ARRAY, -1));
            marks = Some((value, default));
        }
        Ok(Added { search, cycle, marks, columns })
    }

    /// The values of CYCLE's mark, of one type.
    pub(crate) fn cycle_marks(&mut self, cycle: &ast::CteCycle) -> Result<(Expr, Expr)> {
        let scope = Scope::default();
        let mut place = Place::new(&scope, "CYCLE");
        let (value, default) = (&cycle.mark_value, &cycle.mark_default);
        let both = vec![self.expr(value, &mut place)?, self.expr(default, &mut place)?];
        let mut both = self.unify(both, "CYCLE", &[value.location(), default.location()])?.into_iter();
        let (Some(value), Some(default)) = (both.next(), both.next()) else { unreachable!("two were given") };
        self.needs_equality(value.ty, Pos::NONE)?;
        Ok((value, default))
    }

    /// The step of `name`, with the columns that are added at its end; rows that close a cycle are not followed.
    pub(super) fn searching_step(&mut self, name: &str, op: &ast::SetOperation, added: &Added<'_>) -> Result<Bound> {
        if matches!(op.left.body, ast::SelectBody::SetOperation(_)) {
            let message = "with a SEARCH or CYCLE clause, the left side of the UNION must be a SELECT";
            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, Pos::NONE));
        }
        if matches!(op.right.body, ast::SelectBody::SetOperation(_)) {
            let message = "with a SEARCH or CYCLE clause, the right side of the UNION must be a SELECT";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, Pos::NONE));
        }
        let own = match &op.right.body {
            ast::SelectBody::Query(core) => self.self_reference(&core.from),
            _ => None,
        };
        let Some(own) = own else {
            let unread = self.query(&op.right)?;
            let read = self.ctes.iter().rfind(|c| c.name == name).is_some_and(|c| c.read);
            if !read {
                return Ok(unread);
            }
            let message = format!(
                "with a SEARCH or CYCLE clause, the recursive reference to WITH query \"{name}\" must be at the top level of its right-hand SELECT"
            );
            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, Pos::NONE));
        };
        let mut step = op.right.clone();
        let ast::SelectBody::Query(core) = &mut step.body else { unreachable!("it has a FROM") };
        let reference = |column: &str| {
            let names = vec![own.clone(), ast::Name::new(column, Pos::NONE)];
            ast::Expr::new(ast::ExprKind::Column(names), Pos::NONE)
        };
        for column in &added.columns {
            core.targets.push(ast::Target { expr: reference(&column.name), alias: None, pos: Pos::NONE });
        }
        if let Some(cycle) = added.cycle {
            let op = ast::Operator { schema: Vec::new(), name: ast::Ident::new("<>"), pos: Pos::NONE };
            let (left, right) = (reference(cycle.mark.as_str()), cycle.mark_value.clone());
            let open = ast::ExprKind::Binary(Box::new(ast::Binary { op, left, right }));
            let both = core.where_clause.take().into_iter().chain([ast::Expr::new(open, Pos::NONE)]).collect();
            core.where_clause = Some(ast::Expr::new(ast::ExprKind::And(both), Pos::NONE));
        }
        self.query(&step)
    }

    /// `base` and `step` with the values of the columns that are added, behind `columns`.
    pub(super) fn searched(
        &mut self,
        added: &Added<'_>,
        columns: &[OutputColumn],
        base: Node,
        step: Node,
    ) -> Result<(Node, Node)> {
        let shown: Vec<Expr> = columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect();
        let carried: Vec<Expr> =
            added.columns.iter().enumerate().map(|(i, c)| Expr::column(columns.len() + i, c.ty, c.typmod)).collect();
        let (mut first, mut next) = (shown.clone(), shown.clone());
        if let Some(search) = added.search {
            let fields = self.named_columns("search", &search.columns, columns, search.pos)?;
            let (sequence, pos) = (&carried[0], search.pos);
            if columns.iter().any(|c| c.name == search.sequence.as_str()) {
                return Err(self.already_used("search sequence", &search.sequence, pos));
            }
            if search.breadth_first {
                let depth = |n: i64| Expr::new(ExprKind::Const(Datum::I64(n)), oid::INT8, 0);
                let before = self.nth_field(sequence.clone(), DEPTH, &[("f1".to_owned(), oid::INT8, -1)]);
                let deeper = self.named_operator("+", vec![before, depth(1)], pos)?;
                first.push(record(std::iter::once(depth(0)).chain(fields.clone()).collect()));
                next.push(record(std::iter::once(deeper).chain(fields).collect()));
            } else {
                first.push(path_of(record(fields.clone())));
                next.push(self.named_operator("||", vec![sequence.clone(), record(fields)], pos)?);
            }
        }
        if let (Some(cycle), Some((value, default))) = (added.cycle, &added.marks) {
            let fields = self.named_columns("cycle", &cycle.columns, columns, cycle.pos)?;
            for (what, name) in [("cycle mark", &cycle.mark), ("cycle path", &cycle.path)] {
                if columns.iter().any(|c| c.name == name.as_str()) {
                    return Err(self.already_used(what, name, cycle.pos));
                }
            }
            let path = carried[carried.len() - 1].clone();
            first.extend([default.clone(), path_of(record(fields.clone()))]);
            let met = self.any_array(record(fields.clone()), "=", false, path.clone(), cycle.pos)?;
            let mark = ExprKind::Case { whens: vec![(met, value.clone())], default: Box::new(default.clone()) };
            next.push(Expr::new(mark, value.ty, 0));
            next.push(self.named_operator("||", vec![path, record(fields)], cycle.pos)?);
        }
        let project = |input: Node, exprs| Node::Project { input: Box::new(input), exprs };
        Ok((project(base, first), project(step, next)))
    }

    /// The columns that a clause names.
    fn named_columns(&self, what: &str, names: &[ast::Name], columns: &[OutputColumn], pos: Pos) -> Result<Vec<Expr>> {
        let mut found = Vec::with_capacity(names.len());
        for (n, name) in names.iter().enumerate() {
            let Some(i) = columns.iter().position(|c| c.name == name.as_str()) else {
                let message = format!("{what} column \"{}\" not in WITH query column list", name.as_str());
                return Err(self.error(SqlState::SYNTAX_ERROR, message, pos));
            };
            if names[..n].iter().any(|m| m.as_str() == name.as_str()) {
                let message = format!("{what} column \"{}\" specified more than once", name.as_str());
                return Err(self.error(SqlState::DUPLICATE_COLUMN, message, pos));
            }
            found.push(Expr::column(i, columns[i].ty, columns[i].typmod));
        }
        Ok(found)
    }

    fn already_used(&self, what: &str, name: &ast::Name, pos: Pos) -> types::SqlError {
        let message = format!("{what} column name \"{}\" already used in WITH query column list", name.as_str());
        self.error(SqlState::SYNTAX_ERROR, message, pos)
    }

    /// Fails where two of the columns that are added are called alike.
    fn check_cycle_names(&self, search: Option<&ast::CteSearch>, cycle: &ast::CteCycle) -> Result<()> {
        let same = |a: &ast::Name, b: &ast::Name| a.as_str() == b.as_str();
        let clash = match search {
            _ if same(&cycle.mark, &cycle.path) => Some(("cycle mark", "cycle path", cycle.pos)),
            Some(s) if same(&s.sequence, &cycle.mark) => Some(("search sequence", "cycle mark", s.pos)),
            Some(s) if same(&s.sequence, &cycle.path) => Some(("search sequence", "cycle path", s.pos)),
            _ => None,
        };
        match clash {
            None => Ok(()),
            Some((one, other, pos)) => {
                let message = format!("{one} column name and {other} column name are the same");
                Err(self.error(SqlState::SYNTAX_ERROR, message, pos))
            }
        }
    }
}

fn record(fields: Vec<Expr>) -> Expr {
    Expr::new(ExprKind::Row { fields, names: [].into() }, oid::RECORD, 0)
}

fn path_of(record: Expr) -> Expr {
    Expr::new(ExprKind::Array(vec![record]), oid::RECORD_ARRAY, 0)
}
