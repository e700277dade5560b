//! IN lists, and comparisons of rows field by field.

use plan::{Expr, ExprKind};
use syntax::ast::{self, Pos};
use types::{Oid, Result, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::resolve::common_type;

impl Binder<'_> {
    /// `x IN (list)`.
    pub(crate) fn in_list(&mut self, i: &ast::InList, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let sign = if i.not { "<>" } else { "=" };
        if i.list.len() > 1
            && let Some(test) = self.kept_list(i, pos, place)?
        {
            return Ok(test);
        }
        let mut tests = Vec::new();
        let mut left: Option<Expr> = None;
        for e in &i.list {
            if let (ast::ExprKind::Row(l), ast::ExprKind::Row(r)) = (&i.arg.kind, &e.kind) {
                tests.push(self.row_comparison(sign, &l.fields, &r.fields, pos, place)?);
                continue;
            }
            let mut own = match left.take() {
                Some(bound) => bound,
                None => self.expr(&i.arg, place)?,
            };
            if let (ExprKind::Param(n), oid::UNKNOWN) = (&own.kind, own.ty) {
                // What it was compared with first has given it a type.
                own.ty = self.params[*n];
            }
            let both = vec![own.clone(), self.expr(e, place)?];
            left = Some(own);
            tests.push(self.named_operator(sign, both, pos)?);
        }
        if tests.len() == 1 {
            return Ok(tests.remove(0));
        }
        let kind = if i.not { ExprKind::And(tests) } else { ExprKind::Or(tests) };
        Ok(Expr::new(kind, oid::BOOL, self.position(pos)))
    }

    /// `x IN (list)` as `x = ANY (ARRAY[list])`, where its values have a common type and read no columns.
    fn kept_list(&mut self, i: &ast::InList, pos: Pos, place: &mut Place<'_>) -> Result<Option<Expr>> {
        if matches!(i.arg.kind, ast::ExprKind::Row(_)) {
            return Ok(None);
        }
        let left = self.expr(&i.arg, place)?;
        let mut values = self.exprs(&i.list, place)?;
        // Those that read columns are compared one by one.
        let (apart, kept): (Vec<Expr>, Vec<Expr>) = values.into_iter().partition(|v| v.span().is_some());
        if kept.len() < 2 {
            return Ok(None);
        }
        values = kept;
        let types: Vec<Oid> = std::iter::once(left.ty).chain(values.iter().map(|v| v.ty)).collect();
        let Some(common) = common_type(self.image, &types) else { return Ok(None) };
        let Some(array) = crate::polymorphic::array_of(common) else { return Ok(None) };
        values = self.unify(std::iter::once(left.clone()).chain(values).collect(), "IN", &[pos])?.split_off(1);
        let array = Expr::new(ExprKind::Array(values), array, self.position(pos));
        let sign = if i.not { "<>" } else { "=" };
        let mut tests = vec![self.any_array(left.clone(), sign, i.not, array, pos)?];
        for e in apart {
            tests.push(self.named_operator(sign, vec![left.clone(), e], pos)?);
        }
        if tests.len() == 1 {
            return Ok(tests.pop());
        }
        let kind = if i.not { ExprKind::And(tests) } else { ExprKind::Or(tests) };
        Ok(Some(Expr::new(kind, oid::BOOL, self.position(pos))))
    }

    /// `(a, b) op (c, d)`.
    pub(crate) fn row_comparison(
        &mut self,
        operator: &str,
        left: &[ast::Expr],
        right: &[ast::Expr],
        pos: Pos,
        place: &mut Place<'_>,
    ) -> Result<Expr> {
        if left.len() != right.len() {
            return Err(self.error(SqlState::SYNTAX_ERROR, "unequal number of entries in row expressions", pos));
        }
        let (left, right) = (self.exprs(left, place)?, self.exprs(right, place)?);
        self.compare_rows(operator, left.into_iter().zip(right).collect(), pos)
    }

    /// The comparison of two rows, whose fields are `pairs`.
    pub(crate) fn compare_rows(&mut self, operator: &str, pairs: Vec<(Expr, Expr)>, pos: Pos) -> Result<Expr> {
        let position = self.position(pos);
        let make = |kind| Expr::new(kind, oid::BOOL, position);
        match operator {
            "=" | "<>" | "!=" => {
                let mut tests = Vec::new();
                for (l, r) in pairs {
                    tests.push(self.field_comparison(operator, l, r, pos)?);
                }
                match (tests.len(), operator) {
                    (1, _) => Ok(tests.remove(0)),
                    (_, "=") => Ok(make(ExprKind::And(tests))),
                    _ => Ok(make(ExprKind::Or(tests))),
                }
            }
            "<" | "<=" | ">" | ">=" => {
                // a < c OR (a = c AND (b < d ...)), from the last pair outwards; only the last may be equal.
                let strict = &operator[..1];
                let mut outcome: Option<Expr> = None;
                for (l, r) in pairs.into_iter().rev() {
                    outcome = Some(match outcome {
                        None => self.named_operator(operator, vec![l, r], pos)?,
                        Some(rest) => {
                            let less = self.named_operator(strict, vec![l.clone(), r.clone()], pos)?;
                            let equal = self.named_operator("=", vec![l, r], pos)?;
                            make(ExprKind::Or(vec![less, make(ExprKind::And(vec![equal, rest]))]))
                        }
                    });
                }
                outcome.ok_or_else(|| self.error(SqlState::SYNTAX_ERROR, "cannot compare rows of zero length", pos))
            }
            _ => {
                let mut tests = Vec::new();
                for (l, r) in pairs {
                    tests.push(self.field_comparison(operator, l, r, pos)?);
                }
                if tests.len() == 1 {
                    return Ok(tests.remove(0));
                }
                let message = format!("could not determine interpretation of row comparison operator {operator}");
                Err(self
                    .error(SqlState::FEATURE_NOT_SUPPORTED, message, pos)
                    .hint("Row comparison operators must be associated with btree operator families."))
            }
        }
    }

    /// The comparison of one field of two rows.
    fn field_comparison(&mut self, operator: &str, left: Expr, right: Expr, pos: Pos) -> Result<Expr> {
        let test = self.named_operator(operator, vec![left, right], pos)?;
        if test.ty == oid::BOOL {
            return Ok(test);
        }
        let message = format!("row comparison operator must yield type boolean, not type {}", self.type_shown(test.ty));
        Err(self.error(SqlState::DATATYPE_MISMATCH, message, pos))
    }
}
