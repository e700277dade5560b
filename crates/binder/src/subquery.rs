//! Queries inside expressions.

use plan::{Expr, ExprKind, Node, SubKind, SubPlan};
use syntax::ast::{self, Pos, Select};
use types::{Result, SqlState, oid};

use crate::expr::Place;
use crate::query::Bound;
use crate::scope::Frame;
use crate::{Binder, polymorphic};

impl Binder<'_> {
    /// Binds `select` with the columns of `place` around it.
    fn inner(&mut self, select: &Select, pos: Pos, place: &mut Place<'_>) -> Result<(Bound, Frame)> {
        let kept = match place.clause {
            "CHECK constraints" => "check constraint",
            "DEFAULT expressions" => "DEFAULT expression",
            "column generation expressions" => "column generation expression",
            "index expressions" => "index expression",
            "index predicates" => "index predicate",
            "transform expressions" => "transform expression",
            _ => "",
        };
        if !kept.is_empty() {
            let message = format!("cannot use subquery in {kept}");
            return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos));
        }
        let texts = self.text_level();
        let frame = Frame::new(place.scope.clone(), texts, place.clause);
        self.frames.push(Frame { aggregates: place.aggregates.take(), ..frame });
        let level = std::mem::replace(&mut self.level, self.frames.len());
        let outcome = match self.without_recursion(Some("a subquery"), |b| b.query(select)) {
            Ok(bound) if self.texts.is_some() => self.inner_text(select).map(|()| bound),
            outcome => outcome,
        };
        self.level = level;
        let mut frame = self.frames.pop().unwrap_or_else(|| unreachable!("it was pushed above"));
        place.aggregates = frame.aggregates.take();
        Ok((outcome?, frame))
    }

    fn sub(&mut self, kind: SubKind, bound: Bound, frame: Frame) -> ExprKind {
        self.subs += 1;
        let (binds, correlated) = (frame.binds, frame.correlated);
        let id = self.subs - 1;
        if let Some(texts) = &mut self.texts
            && let Some(text) = texts.last.take()
        {
            texts.subqueries.insert(id, text);
        }
        ExprKind::Subquery(Box::new(SubPlan { kind, node: bound.node, binds, correlated, id: self.subs - 1 }))
    }

    /// `(SELECT ...)` as a value.
    pub(crate) fn scalar_subquery(&mut self, select: &Select, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let (bound, frame) = self.inner(select, pos, place)?;
        let [column] = &bound.columns[..] else {
            return Err(self.error(SqlState::SYNTAX_ERROR, "subquery must return only one column", pos));
        };
        // As in PostgreSQL, nobody looks through it for the columns of a row.
        let (ty, typmod) = (column.ty, if column.ty == oid::RECORD { -1 } else { column.typmod });
        let kind = self.sub(SubKind::Scalar, bound, frame);
        Ok(Expr { typmod, ..Expr::new(kind, ty, self.position(pos)) })
    }

    /// Column `at` of the only row of a query, which must have `count`.
    pub(crate) fn field_of_row(
        &mut self,
        select: &Select,
        at: usize,
        count: usize,
        pos: Pos,
        place: &mut Place<'_>,
    ) -> Result<Expr> {
        let (mut bound, frame) = self.inner(select, pos, place)?;
        if bound.columns.len() != count {
            let message = "number of columns does not match number of values";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, pos));
        }
        let columns: Vec<Expr> =
            bound.columns.iter().enumerate().map(|(i, c)| Expr::column(i, c.ty, c.typmod)).collect();
        let mut volatile = false;
        bound.node.visit(&mut |n| volatile |= n.exprs().into_iter().any(crate::rules::is_volatile));
        if volatile && count > 1 {
            // Its row would be made once for each column.
            return Err(self.unsupported("a volatile query that sets several columns", pos));
        }
        let column = columns[at].clone();
        let (ty, typmod) = (column.ty, column.typmod);
        bound.node = Node::Project { input: Box::new(bound.node), exprs: vec![column] };
        let kind = self.sub(SubKind::Scalar, bound, frame);
        Ok(Expr { typmod, ..Expr::new(kind, ty, self.position(pos)) })
    }

    pub(crate) fn array_subquery(&mut self, select: &Select, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let (bound, frame) = self.inner(select, pos, place)?;
        let [column] = &bound.columns[..] else {
            return Err(self.error(SqlState::SYNTAX_ERROR, "subquery must return only one column", pos));
        };
        let ty = column.ty;
        let array = polymorphic::array_of(ty).ok_or_else(|| {
            let message = format!("could not find array type for data type {}", self.type_shown(ty));
            self.error(SqlState::UNDEFINED_OBJECT, message, pos)
        })?;
        let kind = self.sub(SubKind::Array, bound, frame);
        Ok(Expr::new(kind, array, self.position(pos)))
    }

    pub(crate) fn exists(&mut self, select: &Select, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let (bound, frame) = self.inner(select, pos, place)?;
        let kind = self.sub(SubKind::Exists, bound, frame);
        Ok(Expr::new(kind, oid::BOOL, self.position(pos)))
    }

    /// `left op ANY (SELECT ...)`, or ALL; `left` may be a row.
    pub(crate) fn quantified(
        &mut self,
        left: &ast::Expr,
        operator: &str,
        all: bool,
        select: &Select,
        pos: Pos,
        place: &mut Place<'_>,
    ) -> Result<Expr> {
        let fields = match &left.kind {
            ast::ExprKind::Row(row) => &row.fields[..],
            _ => std::slice::from_ref(left),
        };
        let left = fields.iter().map(|f| self.expr(f, place)).collect::<Result<Vec<_>>>()?;
        let (bound, mut frame) = self.inner(select, pos, place)?;
        let test = self.test_of_row(left, operator, &bound, &mut frame, pos)?;
        let kind = self.sub(SubKind::Quantified { all, test: Box::new(test) }, bound, frame);
        Ok(Expr::new(kind, oid::BOOL, self.position(pos)))
    }

    /// `(left, ...) op (SELECT ...)`: NULL where the query has no row.
    pub(crate) fn row_against(
        &mut self,
        left: &[ast::Expr],
        operator: &str,
        select: &Select,
        pos: Pos,
        place: &mut Place<'_>,
    ) -> Result<Expr> {
        let left = left.iter().map(|f| self.expr(f, place)).collect::<Result<Vec<_>>>()?;
        let (mut bound, mut frame) = self.inner(select, pos, place)?;
        let test = self.test_of_row(left, operator, &bound, &mut frame, pos)?;
        bound.node = Node::Project { input: Box::new(bound.node), exprs: vec![test] };
        // The comparison is made in the query, with a left side that comes through slots.
        frame.correlated = true;
        let kind = self.sub(SubKind::Scalar, bound, frame);
        Ok(Expr::new(kind, oid::BOOL, self.position(pos)))
    }

    /// The comparison of `left` with the columns of a query.
    fn test_of_row(
        &mut self,
        left: Vec<Expr>,
        operator: &str,
        bound: &Bound,
        frame: &mut Frame,
        pos: Pos,
    ) -> Result<Expr> {
        if bound.columns.len() != left.len() {
            let words = if bound.columns.len() < left.len() { "few" } else { "many" };
            return Err(self.error(SqlState::SYNTAX_ERROR, format!("subquery has too {words} columns"), pos));
        }
        let mut pairs = Vec::new();
        for (i, (value, column)) in left.into_iter().zip(&bound.columns).enumerate() {
            // The comparison decides what the left side becomes; its value is then read from a slot.
            let column = Expr::column(i, column.ty, column.typmod);
            let ty = value.ty;
            let value = if ty == oid::UNKNOWN && matches!(value.kind, ExprKind::Const(_)) {
                value
            } else {
                let slot = self.slots;
                self.slots += 1;
                let typmod = value.typmod;
                frame.binds.push((slot, value));
                Expr { typmod, ..Expr::new(ExprKind::Slot(slot), ty, 0) }
            };
            pairs.push((value, column));
        }
        self.compare_rows(operator, pairs, pos)
    }
}
