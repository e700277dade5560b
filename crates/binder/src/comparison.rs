//! IN lists, and comparisons of rows field by field.

use plan::{Expr, ExprKind};
use syntax::ast::{self, Pos};
use types::{Oid, Result, SqlState, oid};

use crate::Binder;
use crate::expr::Place;
use crate::resolve::common_type;

impl Binder<'_> {
    /// `x IN (list)`. Each expression is bound once, as lists may stand in lists.
    pub(crate) fn in_list(&mut self, i: &ast::InList, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let sign = if i.not { "<>" } else { "=" };
        let mut tests = if let ast::ExprKind::Row(l) = &i.arg.kind {
            let mut left: Option<Expr> = None;
            let mut tests = Vec::new();
            for e in &i.list {
                if let ast::ExprKind::Row(r) = &e.kind {
                    tests.push(self.row_comparison(sign, &l.fields, &r.fields, pos, place)?);
                    continue;
                }
                let own = match left.take() {
                    Some(bound) => bound,
                    None => self.expr(&i.arg, place)?,
                };
                let both = vec![own.clone(), self.expr(e, place)?];
                left = Some(own);
                tests.push(self.named_operator(sign, both, pos)?);
            }
            tests
        } else {
            let left = self.expr(&i.arg, place)?;
            let values = self.exprs(&i.list, place)?;
            self.among(left, values, i.not, pos)?
        };
        if tests.len() == 1 {
            return Ok(tests.remove(0));
        }
        let kind = if i.not { ExprKind::And(tests) } else { ExprKind::Or(tests) };
        Ok(Expr::new(kind, oid::BOOL, self.position(pos)))
    }

    /// The tests that `left IN (values)` is made of: those of its values that read no columns and have a common type as `left = ANY (ARRAY[...])`, where they
    /// are several, the others one by one.
    fn among(&mut self, mut left: Expr, values: Vec<Expr>, not: bool, pos: Pos) -> Result<Vec<Expr>> {
        let sign = if not { "<>" } else { "=" };
        let mut tests = Vec::new();
        let kept: Vec<&Expr> = values.iter().filter(|v| v.span().is_none()).collect();
        let types: Vec<Oid> = std::iter::once(left.ty).chain(kept.iter().map(|v| v.ty)).collect();
        let common = if kept.len() > 1 { common_type(self.image, &types) } else { None };
        let array = common.and_then(crate::polymorphic::array_of);
        if let Some(array) = array {
            let together = std::iter::once(&left).chain(kept).cloned().collect();
            let list = self.unify(together, "IN", &[pos])?.split_off(1);
            let array = Expr::new(ExprKind::Array(list), array, self.position(pos));
            tests.push(self.any_array(left.clone(), sign, not, array, pos)?);
        }
        for e in values {
            if array.is_some() && e.span().is_none() {
                continue;
            }
            if let (ExprKind::Param(n), oid::UNKNOWN) = (&left.kind, left.ty) {
                // What it was compared with first has given it a type.
                left.ty = self.params[*n];
            }
            tests.push(self.named_operator(sign, vec![left.clone(), e], pos)?);
        }
        Ok(tests)
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
