//! Binding expressions.

use plan::{AggregateCall, CallForm, Expr, ExprKind};
use syntax::ast::{self, IsTest, Literal, Pos};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::coerce::{self, Context};
use crate::resolve::common_type;
use crate::returning::MERGE_TABLE;
use crate::scope::Scope;
use crate::window::WindowUse;

/// Column numbers from here on stand for aggregates of the query, in the order they were met.
pub(crate) const AGGREGATES: usize = 1 << 24;

/// The largest number of a parameter: more than the protocol can name, and no more memory than a mistyped number should cost.
/// (PostgreSQL refuses those beyond 268435455.)
const PARAMETER_MAX: usize = 1 << 20;

/// How deep expressions may be nested (N3).
const DEPTH_MAX: usize = 3000;

/// What an expression may contain where it stands.
pub(crate) struct Place<'s> {
    /// Columns it can name.
    pub scope: &'s Scope,
    /// Where aggregates are collected; `None` where they are not allowed.
    pub aggregates: Option<Vec<AggregateCall>>,
    /// Where calls over windows are collected; `None` where they are not allowed.
    pub windows: Option<Vec<WindowUse>>,
    /// Arguments of `GROUPING` calls, where aggregates are allowed.
    pub groupings: Vec<Vec<Expr>>,
    /// The clause, for errors.
    pub clause: &'static str,
    /// Whether functions that return sets may stand here.
    pub sets: bool,
}

impl<'s> Place<'s> {
    pub(crate) fn new(scope: &'s Scope, clause: &'static str) -> Place<'s> {
        Place { scope, aggregates: None, windows: None, groupings: Vec::new(), clause, sets: false }
    }
}

/// A call of an operator as written otherwise.
fn reform(call: &mut Expr, form: fn(Oid) -> CallForm) {
    if let ExprKind::Call { form: own, .. } | ExprKind::Routine { form: own, .. } = &mut call.kind
        && let CallForm::Operator(operator) = *own
    {
        *own = form(operator);
    }
}

impl Binder<'_> {
    /// Binds `expr` and converts it to boolean.
    pub(crate) fn condition(&mut self, expr: &ast::Expr, place: &mut Place<'_>) -> Result<Expr> {
        let bound = self.expr(expr, place)?;
        self.boolean(bound, place.clause, expr.location())
    }

    pub(crate) fn boolean(&mut self, bound: Expr, clause: &str, pos: Pos) -> Result<Expr> {
        let ty = bound.ty;
        self.coerce(bound, oid::BOOL, -1, Context::Implicit)?.ok_or_else(|| {
            let clause = if clause == "CHECK constraints" { "CHECK" } else { clause };
            let message = format!("argument of {clause} must be type boolean, not type {}", self.type_shown(ty));
            self.error(SqlState::DATATYPE_MISMATCH, message, pos)
        })
    }

    /// Converts `bound` for column `name`.
    pub(crate) fn assign(&mut self, bound: Expr, name: &str, ty: Oid, typmod: i32, pos: Pos) -> Result<Expr> {
        let from = bound.ty;
        self.coerce(bound, ty, typmod, Context::Assignment)?.ok_or_else(|| {
            let message = format!(
                "column \"{name}\" is of type {} but expression is of type {}",
                self.type_shown(ty),
                self.type_shown(from)
            );
            self.error(SqlState::DATATYPE_MISMATCH, message, pos)
                .hint("You will need to rewrite or cast the expression.")
        })
    }

    /// An untyped literal that nobody gave a type becomes text.
    pub(crate) fn settle(&mut self, bound: Expr) -> Result<Expr> {
        self.settle_as(bound, oid::TEXT)
    }

    /// Gives an untyped literal or parameter type `ty`; anything else stays.
    pub(crate) fn settle_as(&mut self, bound: Expr, ty: Oid) -> Result<Expr> {
        if bound.ty != oid::UNKNOWN {
            return Ok(bound);
        }
        if let ExprKind::Param(index) = bound.kind {
            self.params[index] = ty;
            return Ok(Expr::new(ExprKind::Param(index), ty, bound.position));
        }
        match self.coerce(bound, ty, -1, Context::Implicit)? {
            Some(typed) => Ok(typed),
            None => Err(SqlError::internal("an untyped literal becomes anything")),
        }
    }

    /// [`coerce()`] with this binder's names; an untyped parameter takes the target's type.
    pub(crate) fn coerce(&mut self, e: Expr, target: Oid, typmod: i32, context: Context) -> Result<Option<Expr>> {
        let e = match e.kind {
            // It has no length of its own: what the target asks of lengths is still to be done.
            ExprKind::Param(index) if e.ty == oid::UNKNOWN => {
                let base = if self.image.domain(target).is_some() { self.image.base_type(target).0 } else { target };
                self.params[index] = base;
                Expr::new(ExprKind::Param(index), base, e.position)
            }
            _ => e,
        };
        coerce::coerce_with(e, target, typmod, context, self.settings, &self.names())
    }

    /// Binds `expr`.
    pub(crate) fn expr(&mut self, expr: &ast::Expr, place: &mut Place<'_>) -> Result<Expr> {
        // N3
        if self.depth >= DEPTH_MAX {
            let message = "stack depth limit exceeded";
            return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, message).hint(format!(
                "Expressions may be nested {DEPTH_MAX} deep; long chains of one operator count as nested."
            )));
        }
        self.depth += 1;
        let outcome = self.expr_inner(expr, place);
        self.depth -= 1;
        outcome
    }

    fn expr_inner(&mut self, expr: &ast::Expr, place: &mut Place<'_>) -> Result<Expr> {
        let position = self.position(expr.pos);
        let make = |kind, ty| Expr::new(kind, ty, position);
        match &expr.kind {
            ast::ExprKind::Literal(l) => self.literal(l, expr.pos),
            ast::ExprKind::Column(names) => match &names[..] {
                [column] => self.resolve(place.scope, None, None, column, expr.pos),
                [table, column] => self.resolve(place.scope, None, Some(table), column, expr.pos),
                [schema, table, column] | [_, schema, table, column] => {
                    self.resolve(place.scope, Some(schema), Some(table), column, expr.pos)
                }
                names => {
                    let names: Vec<&str> = names.iter().map(|n| &*n.text).collect();
                    let message = format!("improper qualified name (too many dotted names): {}", names.join("."));
                    Err(self.error(SqlState::SYNTAX_ERROR, message, expr.pos))
                }
            },
            ast::ExprKind::Param(n) => {
                let number = Some(*n as usize).filter(|n| *n <= PARAMETER_MAX);
                let index = number.and_then(|n| n.checked_sub(1)).ok_or_else(|| {
                    self.error(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter ${n}"), expr.pos)
                })?;
                if self.params.len() <= index {
                    if self.arguments.is_some() {
                        let message = format!("there is no parameter ${n}");
                        return Err(self.error(SqlState::UNDEFINED_PARAMETER, message, expr.pos));
                    }
                    self.params.resize(index + 1, oid::UNKNOWN);
                }
                let ty = self.params[index];
                if ty == oid::UNKNOWN {
                    return Ok(make(ExprKind::Param(index), oid::UNKNOWN));
                }
                Ok(make(ExprKind::Param(index), ty))
            }
            ast::ExprKind::And(list) | ast::ExprKind::Or(list) => {
                let and = matches!(expr.kind, ast::ExprKind::And(_));
                let word = if and { "AND" } else { "OR" };
                let mut all = Vec::with_capacity(list.len());
                for e in list {
                    let bound = self.expr(e, place)?;
                    all.push(self.boolean(bound, word, e.location())?);
                }
                Ok(make(if and { ExprKind::And(all) } else { ExprKind::Or(all) }, oid::BOOL))
            }
            ast::ExprKind::Not(e) => {
                let bound = self.expr(e, place)?;
                let arg = self.boolean(bound, "NOT", e.location())?;
                Ok(make(ExprKind::Not(Box::new(arg)), oid::BOOL))
            }
            ast::ExprKind::Unary(u) => {
                let arg = self.expr(&u.arg, place)?;
                self.operator(&u.op, vec![arg])
            }
            ast::ExprKind::Binary(b) => {
                if let (ast::ExprKind::Row(l), ast::ExprKind::Row(r)) = (&b.left.kind, &b.right.kind) {
                    return self.row_comparison(&b.op.name, &l.fields, &r.fields, expr.pos, place);
                }
                if let (ast::ExprKind::Row(l), ast::ExprKind::ScalarSubquery(select)) = (&b.left.kind, &b.right.kind) {
                    return self.row_against(&l.fields, &b.op.name, select, expr.pos, place);
                }
                let args = vec![self.expr(&b.left, place)?, self.expr(&b.right, place)?];
                self.operator(&b.op, args)
            }
            ast::ExprKind::Between(b) => {
                let arg = self.expr(&b.arg, place)?;
                let (low, high) = (self.expr(&b.low, place)?, self.expr(&b.high, place)?);
                let within = |binder: &mut Self, low: Expr, high: Expr| -> Result<Expr> {
                    let (first, second) = if b.not { ("<", ">") } else { (">=", "<=") };
                    let both = vec![
                        binder.named_operator(first, vec![arg.clone(), low], expr.pos)?,
                        binder.named_operator(second, vec![arg.clone(), high], expr.pos)?,
                    ];
                    Ok(make(if b.not { ExprKind::Or(both) } else { ExprKind::And(both) }, oid::BOOL))
                };
                if !b.symmetric {
                    return within(self, low, high);
                }
                let both = vec![within(self, low.clone(), high.clone())?, within(self, high, low)?];
                Ok(make(if b.not { ExprKind::And(both) } else { ExprKind::Or(both) }, oid::BOOL))
            }
            ast::ExprKind::InList(i) => self.in_list(i, expr.pos, place),
            ast::ExprKind::InSubquery(i) => {
                let (operator, all) = if i.not { ("<>", true) } else { ("=", false) };
                self.quantified(&i.arg, operator, all, &i.query, expr.pos, place)
            }
            ast::ExprKind::Quantified(q) => match &q.source {
                ast::QuantifiedSource::Query(query) => {
                    self.quantified(&q.left, &q.op.name, q.all, query, expr.pos, place)
                }
                ast::QuantifiedSource::Array(array) => {
                    let (left, array) = (self.expr(&q.left, place)?, self.expr(array, place)?);
                    self.any_array(left, &q.op.name, q.all, array, expr.pos)
                }
            },
            ast::ExprKind::Like(l) => {
                let (arg, mut pattern) = (self.expr(&l.arg, place)?, self.expr(&l.pattern, place)?);
                let similar = l.kind == ast::LikeKind::SimilarTo;
                if similar || l.escape.is_some() {
                    let mut args = vec![pattern];
                    args.extend(l.escape.as_ref().map(|e| self.expr(e, place)).transpose()?);
                    let function = if similar { "similar_to_escape" } else { "like_escape" };
                    pattern = self.named_function(function, args, expr.pos)?;
                }
                self.named_operator(l.operator(), vec![arg, pattern], expr.pos)
            }
            ast::ExprKind::Is(i) if i.test == IsTest::Null && matches!(i.arg.kind, ast::ExprKind::Row(_)) => {
                let ast::ExprKind::Row(row) = &i.arg.kind else { unreachable!("just seen") };
                let mut tests = Vec::new();
                for f in &row.fields {
                    let field = self.expr(f, place)?;
                    let test = make(ExprKind::IsNull(Box::new(self.settle(field)?)), oid::BOOL);
                    tests.push(if i.not { make(ExprKind::Not(Box::new(test)), oid::BOOL) } else { test });
                }
                Ok(Expr::all(tests).unwrap_or_else(|| make(ExprKind::Const(Datum::Bool(true)), oid::BOOL)))
            }
            ast::ExprKind::Is(i) => {
                let arg = self.expr(&i.arg, place)?;
                if i.test == IsTest::Null
                    && let Some(test) = self.row_is_null(&arg, i.not)
                {
                    return Ok(test);
                }
                let test = match i.test {
                    IsTest::Null => ExprKind::IsNull(Box::new(self.settle(arg)?)),
                    IsTest::Unknown => ExprKind::IsNull(Box::new(self.boolean(arg, "IS UNKNOWN", i.arg.location())?)),
                    IsTest::True | IsTest::False => {
                        let wanted = i.test == IsTest::True;
                        let word = if wanted { "IS TRUE" } else { "IS FALSE" };
                        ExprKind::IsBool(Box::new(self.boolean(arg, word, i.arg.location())?), wanted)
                    }
                    IsTest::Document => return Err(self.unsupported("IS DOCUMENT", expr.pos)),
                };
                let test = make(test, oid::BOOL);
                Ok(if i.not { make(ExprKind::Not(Box::new(test)), oid::BOOL) } else { test })
            }
            ast::ExprKind::IsDistinctFrom(d) => {
                let args = vec![self.expr(&d.left, place)?, self.expr(&d.right, place)?];
                let equal = self.named_operator("=", args, expr.pos)?;
                let ExprKind::Call { function, args, .. } = equal.kind else {
                    return Err(self.unsupported("IS DISTINCT FROM by an operator of a user's function", expr.pos));
                };
                let args: [Expr; 2] = args.try_into().map_err(|_| SqlError::internal("= has two operands"))?;
                let test = make(ExprKind::IsDistinct { equal: function, args: Box::new(args) }, oid::BOOL);
                Ok(if d.not { make(ExprKind::Not(Box::new(test)), oid::BOOL) } else { test })
            }
            ast::ExprKind::Coalesce(list) => {
                let args = self.exprs(list, place)?;
                let at: Vec<Pos> = list.iter().map(ast::Expr::location).collect();
                let args = self.unify(args, "COALESCE", &at)?;
                let ty = args[0].ty;
                Ok(make(ExprKind::Coalesce(args), ty))
            }
            ast::ExprKind::NullIf(both) => {
                let (a, b) = (self.expr(&both[0], place)?, self.expr(&both[1], place)?);
                let mut equal = self.named_operator("=", vec![a.clone(), b], expr.pos)?;
                reform(&mut equal, CallForm::NullIf);
                // It is of the type that is compared.
                let a = match &equal.kind {
                    ExprKind::Call { args, .. } | ExprKind::Routine { args, .. } => args[0].clone(),
                    _ => self.settle(a)?,
                };
                let ty = a.ty;
                let null = make(ExprKind::Const(Datum::Null), ty);
                Ok(make(ExprKind::Case { whens: vec![(equal, null)], default: Box::new(a) }, ty))
            }
            ast::ExprKind::Case(c) => self.case(c, expr.pos, place),
            ast::ExprKind::Cast(c) => {
                let (ty, typmod) = self.type_name(&c.ty)?;
                let arg = match &c.arg.kind {
                    ast::ExprKind::Array(list) => match crate::polymorphic::element_of(self.image.base_type(ty).0) {
                        Some(element) => self.array_of_type(list, element, typmod, c.arg.pos, place)?,
                        None => self.expr(&c.arg, place)?,
                    },
                    _ => self.expr(&c.arg, place)?,
                };
                let from = arg.ty;
                if let ExprKind::Param(index) = arg.kind
                    && from == oid::UNKNOWN
                {
                    // What a domain asks is asked of what comes.
                    let base = if self.image.domain(ty).is_some() { self.image.base_type(ty).0 } else { ty };
                    self.params[index] = base;
                    let param = make(ExprKind::Param(index), base);
                    if base == ty && typmod < 0 {
                        return Ok(param);
                    }
                    let done = self.coerce(param, ty, typmod, Context::Explicit)?;
                    return done.ok_or_else(|| self.cannot_cast(base, ty));
                }
                let bound = self.coerce(arg, ty, typmod, Context::Explicit).map_err(|e| match e.state() {
                    SqlState::CANNOT_COERCE => e.at(self.char_position(expr.pos)),
                    _ => e,
                })?;
                bound.ok_or_else(|| self.cannot_cast(from, ty).at(self.char_position(expr.pos)))
            }
            ast::ExprKind::Grouping(args) => self.grouping_call(args, expr.pos, place),
            ast::ExprKind::FuncCall(f) => {
                let mut bound = self.call(f, expr.pos, place)?;
                if let (true, ExprKind::Call { form: form @ CallForm::Function, .. }) = (f.sql_syntax, &mut bound.kind)
                {
                    *form = CallForm::Syntax;
                }
                Ok(bound)
            }
            ast::ExprKind::ScalarSubquery(select) => self.scalar_subquery(select, expr.pos, place),
            ast::ExprKind::Exists(select) => self.exists(select, expr.pos, place),
            ast::ExprKind::ArraySubquery(select) => self.array_subquery(select, expr.pos, place),
            ast::ExprKind::Greatest(list) | ast::ExprKind::Least(list) => {
                let greatest = matches!(expr.kind, ast::ExprKind::Greatest(_));
                let args = self.exprs(list, place)?;
                let at: Vec<Pos> = list.iter().map(ast::Expr::location).collect();
                let args = self.unify(args, if greatest { "GREATEST" } else { "LEAST" }, &at)?;
                let ty = args[0].ty;
                // The type must have an order.
                self.named_operator("<", vec![args[0].clone(), args[0].clone()], expr.pos)?;
                Ok(make(ExprKind::Extreme(greatest, args), ty))
            }
            ast::ExprKind::Array(list) => self.array(list, expr.pos, place),
            ast::ExprKind::Indirection(i) => self.indirection(i, expr.pos, place),
            ast::ExprKind::Collate(c) => {
                let name = c.collation.last().map_or("", |n| &**n);
                if !["C", "POSIX", "default", "ucs_basic"].contains(&name) {
                    return Err(self.unsupported(&format!("collation \"{name}\""), expr.pos));
                }
                // All of these order by bytes.
                let bound = self.expr(&c.arg, place)?;
                self.settle(bound)
            }
            ast::ExprKind::Row(row) => self.row(row, expr.pos, place),
            ast::ExprKind::Star(names) if !names.is_empty() => {
                let table = names.last().map_or("", |n| n.as_str());
                self.whole_row(place.scope, table).ok_or_else(|| {
                    let message = format!("missing FROM-clause entry for table \"{table}\"");
                    self.error(SqlState::UNDEFINED_TABLE, message, expr.pos)
                })
            }
            ast::ExprKind::SqlValue(value, precision) => self.sql_value(*value, *precision, expr.pos),
            ast::ExprKind::MergeAction => {
                let found = self.resolve(place.scope, None, Some(MERGE_TABLE), "merge_action", expr.pos);
                found.map_err(|_| {
                    let message = "MERGE_ACTION() can only be used in the RETURNING list of a MERGE command";
                    self.error(SqlState::SYNTAX_ERROR, message, expr.pos)
                })
            }
            ast::ExprKind::Json(e) => self.sql_json(e, expr.pos, place),
            ast::ExprKind::IsJson(e) => self.is_json(e, expr.pos, place),
            ast::ExprKind::SetToDefault => {
                Err(self.error(SqlState::SYNTAX_ERROR, "DEFAULT is not allowed in this context", expr.pos))
            }
            _ => Err(self.unsupported("this kind of expression", expr.pos)),
        }
    }

    pub(crate) fn exprs(&mut self, list: &[ast::Expr], place: &mut Place<'_>) -> Result<Vec<Expr>> {
        list.iter().map(|e| self.expr(e, place)).collect()
    }

    /// Converts `args`, written at `at` (the last of them counts for what comes after), to their common type.
    pub(crate) fn unify(&mut self, args: Vec<Expr>, what: &str, at: &[Pos]) -> Result<Vec<Expr>> {
        let types: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let located: Vec<Option<u32>> =
            (0..args.len()).map(|i| at.get(i).or(at.last()).and_then(|p| self.char_position(*p))).collect();
        let common = match common_type(self.image, &types) {
            Some(common) => common,
            None => {
                // The first that does not go with those before it.
                let count = (1..=types.len()).find(|&n| common_type(self.image, &types[..n]).is_none());
                let index = count.map_or(0, |n| n - 1);
                let before = common_type(self.image, &types[..index]).unwrap_or(types[0]);
                let (a, b) = (self.type_shown(before), self.type_shown(types[index]));
                let message = format!("{what} types {a} and {b} cannot be matched");
                return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message).at(located[index]));
            }
        };
        let mut done = Vec::with_capacity(args.len());
        for (i, (a, at)) in args.into_iter().zip(located).enumerate() {
            let from = a.ty;
            let converted = self.coerce(a, common, -1, Context::Implicit)?;
            done.push(converted.ok_or_else(|| {
                let (from, to) = (self.type_shown(from), self.type_shown(common));
                let what = match (what, i) {
                    ("CASE", 0) => "CASE/ELSE",
                    ("CASE", _) => "CASE/WHEN",
                    _ => what,
                };
                let message = format!("{what} could not convert type {from} to {to}");
                SqlError::new(SqlState::CANNOT_COERCE, message).at(at)
            })?);
        }
        Ok(done)
    }

    fn case(&mut self, c: &ast::Case, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let operand = c.operand.as_ref().map(|o| self.expr(o, place)).transpose()?;
        let (mut conditions, mut results) = (Vec::new(), Vec::new());
        for when in &c.whens {
            let condition = self.expr(&when.condition, place)?;
            conditions.push(match &operand {
                Some(operand) => {
                    let mut test = self.named_operator("=", vec![operand.clone(), condition], when.condition.pos)?;
                    reform(&mut test, CallForm::CaseTest);
                    test
                }
                None => self.boolean(condition, "CASE/WHEN", when.condition.location())?,
            });
            results.push(self.expr(&when.result, place)?);
        }
        let default = match &c.default {
            Some(default) => self.expr(default, place)?,
            None => Expr::null(oid::UNKNOWN),
        };
        // The default's type counts first.
        results.insert(0, default);
        let of_default = c.default.as_ref().map_or(pos, ast::Expr::location);
        let at: Vec<Pos> = std::iter::once(of_default).chain(c.whens.iter().map(|w| w.result.location())).collect();
        let mut results = self.unify(results, "CASE", &at)?;
        let default = Box::new(results.remove(0));
        let ty = default.ty;
        let whens = conditions.into_iter().zip(results).collect();
        Ok(Expr::new(ExprKind::Case { whens, default }, ty, self.position(pos)))
    }

    fn literal(&self, literal: &Literal, pos: Pos) -> Result<Expr> {
        let position = self.position(pos);
        let make = |datum, ty| Ok(Expr::new(ExprKind::Const(datum), ty, position));
        match literal {
            Literal::Null => make(Datum::Null, oid::UNKNOWN),
            Literal::Bool(b) => make(Datum::Bool(*b), oid::BOOL),
            Literal::Integer(i) => make(Datum::I32(*i), oid::INT4),
            Literal::Number(text) => match text.parse::<i64>() {
                // Only the least of them is written with a sign that makes it fit.
                Ok(i) if i32::try_from(i).is_ok() => make(Datum::I32(i as i32), oid::INT4),
                Ok(n) => make(Datum::I64(n), oid::INT8),
                Err(_) => make(types::io::text_in(oid::NUMERIC, -1, text, self.settings)?, oid::NUMERIC),
            },
            Literal::String(text) => make(Datum::text(text), oid::UNKNOWN),
            Literal::BitString(text) => {
                let bits = types::io::text_in(oid::BIT, -1, text, self.settings);
                make(bits.map_err(|error| error.at(self.char_position(pos)))?, oid::BIT)
            }
        }
    }

    /// `ARRAY[...]::type[]`: each element is cast by itself.
    fn array_of_type(
        &mut self,
        list: &[ast::Expr],
        element: Oid,
        typmod: i32,
        pos: Pos,
        place: &mut Place<'_>,
    ) -> Result<Expr> {
        let mut items = Vec::with_capacity(list.len());
        for item in list {
            if let ast::ExprKind::Array(inner) = &item.kind {
                items.push(self.array_of_type(inner, element, typmod, item.pos, place)?);
                continue;
            }
            let bound = self.expr(item, place)?;
            let from = bound.ty;
            let cast = self.coerce(bound, element, typmod, Context::Explicit)?;
            items.push(cast.ok_or_else(|| self.cannot_cast(from, element).at(self.char_position(item.location())))?);
        }
        let ty = crate::polymorphic::array_of(element).ok_or_else(|| SqlError::internal("an element of an array"))?;
        Ok(Expr::new(ExprKind::Array(items), ty, self.position(pos)))
    }

    fn array(&mut self, list: &[ast::Expr], pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let items = self.exprs(list, place)?;
        if items.is_empty() {
            let message = "cannot determine type of empty array";
            return Err(self
                .error(SqlState::INDETERMINATE_DATATYPE, message, pos)
                .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[]."));
        }
        let at: Vec<Pos> = list.iter().map(ast::Expr::location).collect();
        let items = self.unify(items, "ARRAY", &at)?;
        let element = items[0].ty;
        let nested = list.iter().all(|e| matches!(e.kind, ast::ExprKind::Array(_)));
        let ty = if nested { Some(element) } else { crate::polymorphic::array_of(element) };
        let ty = ty.ok_or_else(|| {
            let message = format!("could not find array type for data type {}", self.type_shown(element));
            self.error(SqlState::UNDEFINED_OBJECT, message, pos)
        })?;
        Ok(Expr::new(ExprKind::Array(items), ty, self.position(pos)))
    }

    /// `array[1][2:3]`: what the subscripts lead to.
    pub(crate) fn subscripted(
        &mut self,
        array: Expr,
        path: &[ast::Indirection],
        at: Pos,
        pos: Pos,
        place: &mut Place<'_>,
    ) -> Result<Expr> {
        let array = self.based(array);
        if array.ty == oid::JSONB {
            return self.jsonb_part(array, path, pos, place);
        }
        // A name is an array of bytes, counted from 0.
        if let (oid::NAME, [ast::Indirection::Index(index)]) = (array.ty, path) {
            let one = |n: i32| Expr::new(ExprKind::Const(Datum::I32(n)), oid::INT4, self.position(pos));
            let (one_more, single) = (one(1), one(1));
            let index = self.array_index(index, place)?;
            let start = self.named_operator("+", vec![index, one_more], pos)?;
            let cannot = || SqlError::internal("names, text and letters are cast to each other");
            let text = self.coerce(array, oid::TEXT, -1, Context::Explicit)?.ok_or_else(cannot)?;
            let letter = self.named_function("substr", vec![text, start, single], pos)?;
            return self.coerce(letter, oid::CHAR, -1, Context::Explicit)?.ok_or_else(cannot);
        }
        let (bounds, slice) = self.bounds(path, pos, place)?;
        if slice {
            let Some(element) = crate::polymorphic::element_of(array.ty) else {
                return Err(self.not_subscriptable(array.ty, at));
            };
            let (ty, typmod) = (array.ty, array.typmod);
            let kind = ExprKind::Part { array: Box::new(array), element, bounds, slice, value: None };
            return Ok(Expr { typmod, ..Expr::new(kind, ty, self.position(pos)) });
        }
        let indexes = bounds.into_iter().flat_map(|[_, index]| index).collect();
        // Vectors are arrays too, counted from 0.
        let element = match array.ty {
            oid::INT2VECTOR => Some(oid::INT2),
            oid::OIDVECTOR => Some(oid::OID),
            ty => crate::polymorphic::element_of(ty),
        };
        let element = element.ok_or_else(|| self.not_subscriptable(array.ty, at))?;
        Ok(Expr::new(ExprKind::Subscript { array: Box::new(array), indexes }, element, self.position(pos)))
    }

    fn not_subscriptable(&self, ty: Oid, pos: Pos) -> SqlError {
        let message = format!("cannot subscript type {} because it does not support subscripting", self.type_shown(ty));
        self.error(SqlState::DATATYPE_MISMATCH, message, pos)
    }

    /// The subscripts of an array, and whether any is a slice: then an index alone is `1:index`.
    fn bounds(
        &mut self,
        path: &[ast::Indirection],
        pos: Pos,
        place: &mut Place<'_>,
    ) -> Result<(Vec<[Option<Expr>; 2]>, bool)> {
        let slice = path.iter().any(|s| matches!(s, ast::Indirection::Slice(..)));
        let mut bounds = Vec::new();
        for step in path {
            bounds.push(match step {
                ast::Indirection::Index(e) => {
                    let one = Expr::new(ExprKind::Const(Datum::I32(1)), oid::INT4, 0);
                    [slice.then_some(one), Some(self.array_index(e, place)?)]
                }
                ast::Indirection::Slice(low, high) => {
                    let low = low.as_ref().map(|e| self.array_index(e, place)).transpose()?;
                    [low, high.as_ref().map(|e| self.array_index(e, place)).transpose()?]
                }
                ast::Indirection::Field(_) | ast::Indirection::Star(_) => {
                    return Err(self.unsupported("a field of a composite value", pos));
                }
            });
        }
        Ok((bounds, slice))
    }

    fn array_index(&mut self, e: &ast::Expr, place: &mut Place<'_>) -> Result<Expr> {
        let index = self.expr(e, place)?;
        let index = self.coerce(index, oid::INT4, -1, Context::Assignment)?;
        index.ok_or_else(|| {
            self.error(SqlState::DATATYPE_MISMATCH, "array subscript must have type integer", e.location())
        })
    }

    /// `j['a'][0]`: what the path leads to.
    fn jsonb_part(&mut self, value: Expr, path: &[ast::Indirection], pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let mut keys = Vec::new();
        for step in path {
            let key = self.jsonb_key(step, pos, place)?;
            let key = self.coerce(key, oid::TEXT, -1, Context::Explicit)?;
            keys.push(key.ok_or_else(|| SqlError::internal("a key becomes text"))?);
        }
        let path = Expr::new(ExprKind::Array(keys), oid::TEXT_ARRAY, 0);
        self.named_operator("#>", vec![value, path], pos)
    }

    /// A subscript of jsonb: a number or a text.
    fn jsonb_key(&mut self, step: &ast::Indirection, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let e = match step {
            ast::Indirection::Index(e) => e,
            ast::Indirection::Slice(low, high) => {
                let at = high.as_ref().or(low.as_ref()).map_or(pos, |e| e.location());
                let message = "jsonb subscript does not support slices";
                return Err(self.error(SqlState::DATATYPE_MISMATCH, message, at));
            }
            _ => return Err(self.unsupported("a field of a composite value", pos)),
        };
        let key = self.expr(e, place)?;
        let ty = key.ty;
        let key = self.settle(key)?;
        let wanted = match key.ty {
            oid::INT4 => return Ok(key),
            oid::INT2 => oid::INT4,
            oid::TEXT | oid::INT8 | oid::VARCHAR => oid::TEXT,
            _ => {
                let message = format!("subscript type {} is not supported", self.type_shown(ty));
                return Err(self
                    .error(SqlState::DATATYPE_MISMATCH, message, e.location())
                    .hint("jsonb subscript must be coercible to either integer or text."));
            }
        };
        let key = self.coerce(key, wanted, -1, Context::Explicit)?;
        key.ok_or_else(|| SqlError::internal("numbers and texts become keys"))
    }

    /// `value` as the part that `path` leads to in column `name` of type `ty` takes it.
    pub(crate) fn part_value(
        &mut self,
        value: Expr,
        name: &str,
        (ty, typmod): (Oid, i32),
        path: &[ast::Indirection],
        pos: Pos,
    ) -> Result<Expr> {
        let element = match crate::polymorphic::element_of(ty) {
            Some(element) => element,
            None if ty == oid::JSONB => ty,
            None => return Err(self.not_subscriptable(ty, pos)),
        };
        let slice = path.iter().any(|s| matches!(s, ast::Indirection::Slice(..)));
        let (wanted, from) = (if slice { ty } else { element }, value.ty);
        self.coerce(value, wanted, typmod, Context::Assignment)?.ok_or_else(|| {
            let message = format!(
                "subscripted assignment to \"{name}\" requires type {} but expression is of type {}",
                self.type_shown(wanted),
                self.type_shown(from)
            );
            self.error(SqlState::DATATYPE_MISMATCH, message, pos)
                .hint("You will need to rewrite or cast the expression.")
        })
    }

    /// `array` with the part that `path` leads to set to `value`, for column `name`.
    pub(crate) fn assign_part(
        &mut self,
        array: Expr,
        name: &str,
        path: &[ast::Indirection],
        (value, pos): (Expr, Pos),
        place: &mut Place<'_>,
    ) -> Result<Expr> {
        let (ty, typmod) = (array.ty, array.typmod);
        let value = self.part_value(value, name, (ty, typmod), path, pos)?;
        let element = crate::polymorphic::element_of(ty).unwrap_or(Oid::NONE);
        let (bounds, slice) = if ty == oid::JSONB {
            let keys = path.iter().map(|step| Ok([None, Some(self.jsonb_key(step, pos, place)?)]));
            (keys.collect::<Result<_>>()?, false)
        } else {
            self.bounds(path, pos, place)?
        };
        let kind = ExprKind::Part { array: Box::new(array), element, bounds, slice, value: Some(Box::new(value)) };
        Ok(Expr { typmod, ..Expr::new(kind, ty, 0) })
    }
}
