//! Binding expressions.

use catalog::builtin::{self, OperatorRow};
use plan::{AggregateCall, Expr, ExprKind};
use syntax::ast::{self, IsTest, Literal, Pos, TypeName};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::coerce::{Context, cannot_cast, coerce, format_type};
use crate::resolve::{Choice, choose, common_type};
use crate::scope::Scope;

/// Column numbers from here on stand for aggregates of the query, in the order they were met.
pub(crate) const AGGREGATES: usize = 1 << 24;

/// What an expression may contain where it stands.
pub(crate) struct Place<'s> {
    /// Columns it can name.
    pub scope: &'s Scope,
    /// Where aggregates are collected; `None` where they are not allowed.
    pub aggregates: Option<Vec<AggregateCall>>,
    /// The clause, for errors.
    pub clause: &'static str,
}

impl<'s> Place<'s> {
    pub(crate) fn new(scope: &'s Scope, clause: &'static str) -> Place<'s> {
        Place { scope, aggregates: None, clause }
    }
}

impl Binder<'_> {
    /// Binds `expr` and converts it to boolean.
    pub(crate) fn condition(&mut self, expr: &ast::Expr, place: &mut Place<'_>) -> Result<Expr> {
        let bound = self.expr(expr, place)?;
        self.to_bool(bound, place.clause, expr.location())
    }

    pub(crate) fn to_bool(&self, bound: Expr, clause: &str, pos: Pos) -> Result<Expr> {
        let ty = bound.ty;
        coerce(bound, oid::BOOL, -1, Context::Implicit, self.settings)?.ok_or_else(|| {
            let message = format!("argument of {clause} must be type boolean, not type {}", format_type(ty));
            self.error(SqlState::DATATYPE_MISMATCH, message, pos)
        })
    }

    /// Converts `bound` for column `name`.
    pub(crate) fn assign(&self, bound: Expr, name: &str, ty: Oid, typmod: i32, pos: Pos) -> Result<Expr> {
        let from = bound.ty;
        coerce(bound, ty, typmod, Context::Assignment, self.settings)?.ok_or_else(|| {
            let message = format!(
                "column \"{name}\" is of type {} but expression is of type {}",
                format_type(ty),
                format_type(from)
            );
            self.error(SqlState::DATATYPE_MISMATCH, message, pos)
                .hint("You will need to rewrite or cast the expression.")
        })
    }

    /// An untyped literal that nobody gave a type becomes text.
    pub(crate) fn settle(&self, bound: Expr) -> Result<Expr> {
        if bound.ty == oid::UNKNOWN {
            return Ok(coerce(bound, oid::TEXT, -1, Context::Implicit, self.settings)?.expect("anything becomes text"));
        }
        Ok(bound)
    }

    /// Binds `expr`.
    pub(crate) fn expr(&mut self, expr: &ast::Expr, place: &mut Place<'_>) -> Result<Expr> {
        let position = self.position(expr.pos);
        let make = |kind, ty| Expr::new(kind, ty, position);
        match &expr.kind {
            ast::ExprKind::Literal(l) => self.literal(l, expr.pos),
            ast::ExprKind::Column(names) => match &names[..] {
                [column] => place.scope.resolve(self, None, column, expr.pos),
                [table, column] | [_, table, column] => place.scope.resolve(self, Some(table), column, expr.pos),
                _ => {
                    Err(self.error(SqlState::SYNTAX_ERROR, "improper qualified name (too many dotted names)", expr.pos))
                }
            },
            ast::ExprKind::Param(n) => {
                let index = (*n as usize).checked_sub(1).ok_or_else(|| {
                    self.error(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter ${n}"), expr.pos)
                })?;
                if self.params.len() <= index {
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
                    all.push(self.to_bool(bound, word, e.location())?);
                }
                Ok(make(if and { ExprKind::And(all) } else { ExprKind::Or(all) }, oid::BOOL))
            }
            ast::ExprKind::Not(e) => {
                let bound = self.expr(e, place)?;
                let arg = self.to_bool(bound, "NOT", e.location())?;
                Ok(make(ExprKind::Not(Box::new(arg)), oid::BOOL))
            }
            ast::ExprKind::Unary(u) => {
                let arg = self.expr(&u.arg, place)?;
                self.operator(&u.op, vec![arg])
            }
            ast::ExprKind::Binary(b) => {
                let args = vec![self.expr(&b.left, place)?, self.expr(&b.right, place)?];
                self.operator(&b.op, args)
            }
            ast::ExprKind::Between(b) => {
                if b.symmetric {
                    return Err(self.unsupported("BETWEEN SYMMETRIC", expr.pos));
                }
                let arg = self.expr(&b.arg, place)?;
                let (low, high) = (self.expr(&b.low, place)?, self.expr(&b.high, place)?);
                let (first, second) = if b.not { ("<", ">") } else { (">=", "<=") };
                let both = vec![
                    self.named_operator(first, vec![arg.clone(), low], expr.pos)?,
                    self.named_operator(second, vec![arg, high], expr.pos)?,
                ];
                Ok(make(if b.not { ExprKind::Or(both) } else { ExprKind::And(both) }, oid::BOOL))
            }
            ast::ExprKind::InList(i) => {
                let arg = self.expr(&i.arg, place)?;
                let sign = if i.not { "<>" } else { "=" };
                let mut tests = Vec::new();
                for e in &i.list {
                    let item = self.expr(e, place)?;
                    tests.push(self.named_operator(sign, vec![arg.clone(), item], expr.pos)?);
                }
                Ok(make(if i.not { ExprKind::And(tests) } else { ExprKind::Or(tests) }, oid::BOOL))
            }
            ast::ExprKind::Like(l) if l.kind != ast::LikeKind::SimilarTo && l.escape.is_none() => {
                let args = vec![self.expr(&l.arg, place)?, self.expr(&l.pattern, place)?];
                self.named_operator(l.operator(), args, expr.pos)
            }
            ast::ExprKind::Is(i) => {
                let arg = self.expr(&i.arg, place)?;
                let test = match i.test {
                    IsTest::Null => ExprKind::IsNull(Box::new(self.settle(arg)?)),
                    IsTest::Unknown => ExprKind::IsNull(Box::new(self.to_bool(arg, "IS UNKNOWN", i.arg.location())?)),
                    IsTest::True | IsTest::False => {
                        let wanted = i.test == IsTest::True;
                        let word = if wanted { "IS TRUE" } else { "IS FALSE" };
                        ExprKind::IsBool(Box::new(self.to_bool(arg, word, i.arg.location())?), wanted)
                    }
                    IsTest::Document => return Err(self.unsupported("IS DOCUMENT", expr.pos)),
                };
                let test = make(test, oid::BOOL);
                Ok(if i.not { make(ExprKind::Not(Box::new(test)), oid::BOOL) } else { test })
            }
            ast::ExprKind::IsDistinctFrom(d) => {
                let args = vec![self.expr(&d.left, place)?, self.expr(&d.right, place)?];
                let equal = self.named_operator("=", args, expr.pos)?;
                let ExprKind::Call { function, args } = equal.kind else {
                    return Err(SqlError::internal("an operator is a function call"));
                };
                let args: [Expr; 2] = args.try_into().map_err(|_| SqlError::internal("= has two operands"))?;
                let test = make(ExprKind::IsDistinct { equal: function, args: Box::new(args) }, oid::BOOL);
                Ok(if d.not { make(ExprKind::Not(Box::new(test)), oid::BOOL) } else { test })
            }
            ast::ExprKind::Coalesce(list) => {
                let args = self.exprs(list, place)?;
                let args = self.unify(args, "COALESCE", expr.pos)?;
                let ty = args[0].ty;
                Ok(make(ExprKind::Coalesce(args), ty))
            }
            ast::ExprKind::NullIf(both) => {
                let (a, b) = (self.expr(&both[0], place)?, self.expr(&both[1], place)?);
                let equal = self.named_operator("=", vec![a.clone(), b], expr.pos)?;
                let a = self.settle(a)?;
                let ty = a.ty;
                let null = make(ExprKind::Const(Datum::Null), ty);
                Ok(make(ExprKind::Case { whens: vec![(equal, null)], default: Box::new(a) }, ty))
            }
            ast::ExprKind::Case(c) => self.case(c, expr.pos, place),
            ast::ExprKind::Cast(c) => {
                let (ty, typmod) = self.type_name(&c.ty)?;
                let arg = self.expr(&c.arg, place)?;
                let from = arg.ty;
                if let ExprKind::Param(index) = arg.kind
                    && from == oid::UNKNOWN
                {
                    self.params[index] = ty;
                    return Ok(make(ExprKind::Param(index), ty));
                }
                let at = c.arg.location();
                let bound = coerce(arg, ty, typmod, Context::Explicit, self.settings)?;
                bound.ok_or_else(|| cannot_cast(from, ty).at(at.char_position(self.sql)))
            }
            ast::ExprKind::FuncCall(f) => self.call(f, expr.pos, place),
            ast::ExprKind::ScalarSubquery(_) | ast::ExprKind::Exists(_) | ast::ExprKind::InSubquery(_) => {
                Err(self.unsupported("a subquery in an expression", expr.pos))
            }
            ast::ExprKind::Collate(_) => Err(self.unsupported("COLLATE", expr.pos)),
            ast::ExprKind::Row(_) => Err(self.unsupported("a row constructor", expr.pos)),
            ast::ExprKind::Array(_) | ast::ExprKind::ArraySubquery(_) => {
                Err(self.unsupported("an array constructor", expr.pos))
            }
            ast::ExprKind::SqlValue(..) => Err(self.unsupported("an SQL value function", expr.pos)),
            ast::ExprKind::SetToDefault => {
                Err(self.error(SqlState::SYNTAX_ERROR, "DEFAULT is not allowed in this context", expr.pos))
            }
            _ => Err(self.unsupported("this kind of expression", expr.pos)),
        }
    }

    fn exprs(&mut self, list: &[ast::Expr], place: &mut Place<'_>) -> Result<Vec<Expr>> {
        list.iter().map(|e| self.expr(e, place)).collect()
    }

    /// Converts `args` to their common type.
    pub(crate) fn unify(&self, args: Vec<Expr>, what: &str, pos: Pos) -> Result<Vec<Expr>> {
        let types: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let mismatch = |a: Oid, b: Oid| {
            let message = format!("{what} types {} and {} cannot be matched", format_type(a), format_type(b));
            self.error(SqlState::DATATYPE_MISMATCH, message, pos)
        };
        let known: Vec<Oid> = types.iter().copied().filter(|&t| t != oid::UNKNOWN).collect();
        let Some(common) = common_type(&types) else {
            let other = known.iter().find(|&&t| common_type(&[known[0], t]).is_none());
            return Err(mismatch(known[0], *other.unwrap_or(&known[0])));
        };
        args.into_iter()
            .map(|a| {
                let from = a.ty;
                coerce(a, common, -1, Context::Implicit, self.settings)?.ok_or_else(|| mismatch(common, from))
            })
            .collect()
    }

    fn case(&mut self, c: &ast::Case, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let operand = c.operand.as_ref().map(|o| self.expr(o, place)).transpose()?;
        let (mut conditions, mut results) = (Vec::new(), Vec::new());
        for when in &c.whens {
            let condition = self.expr(&when.condition, place)?;
            conditions.push(match &operand {
                Some(operand) => self.named_operator("=", vec![operand.clone(), condition], when.condition.pos)?,
                None => self.to_bool(condition, "CASE/WHEN", when.condition.location())?,
            });
            results.push(self.expr(&when.result, place)?);
        }
        results.push(match &c.default {
            Some(default) => self.expr(default, place)?,
            None => Expr::new(ExprKind::Const(Datum::Null), oid::UNKNOWN, 0),
        });
        let mut results = self.unify(results, "CASE", pos)?;
        let default = Box::new(results.pop().expect("the default was pushed"));
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
                Ok(n) => make(Datum::I64(n), oid::INT8),
                Err(_) => make(types::io::text_in(oid::NUMERIC, -1, text, self.settings)?, oid::NUMERIC),
            },
            Literal::String(text) => make(Datum::text(text), oid::UNKNOWN),
            Literal::BitString(_) => Err(self.unsupported("a bit string literal", pos)),
        }
    }

    /// The type that `name` means, with its typmod.
    pub(crate) fn type_name(&self, name: &TypeName) -> Result<(Oid, i32)> {
        let shown = name.names.iter().map(|n| &**n).collect::<Vec<_>>().join(".");
        let last = name.names.last().map_or("", |n| &**n);
        let in_catalog = name.names.len() == 1 || &*name.names[0] == "pg_catalog";
        let row = builtin::type_by_name(last).filter(|_| in_catalog).ok_or_else(|| {
            self.error(SqlState::UNDEFINED_OBJECT, format!("type \"{shown}\" does not exist"), name.pos)
        })?;
        if name.setof || name.pct_type {
            return Err(self.unsupported("SETOF or %TYPE here", name.pos));
        }
        let ty = if name.array_bounds.is_empty() { row.oid } else { row.array };
        let mut numbers = Vec::new();
        for typmod in &name.typmods {
            match &typmod.kind {
                ast::ExprKind::Literal(Literal::Integer(n)) => numbers.push(*n),
                _ => {
                    let message = "type modifiers must be simple constants or identifiers";
                    return Err(self.error(SqlState::SYNTAX_ERROR, message, typmod.pos));
                }
            }
        }
        let typmod = self.typmod(row.oid, &numbers, name.pos)?;
        Ok((ty, typmod))
    }

    fn typmod(&self, ty: Oid, numbers: &[i32], pos: Pos) -> Result<i32> {
        let invalid = |message: String| Err(self.error(SqlState::INVALID_PARAMETER_VALUE, message, pos));
        match (ty, numbers) {
            (_, []) => Ok(-1),
            (oid::VARCHAR | oid::BPCHAR, &[n]) => {
                let name = if ty == oid::VARCHAR { "varchar" } else { "char" };
                match n {
                    n if n < 1 => invalid(format!("length for type {name} must be at least 1")),
                    n if n > 10_485_760 => invalid(format!("length for type {name} cannot exceed 10485760")),
                    n => Ok(n + 4),
                }
            }
            (oid::NUMERIC, &[precision]) if (1..=1000).contains(&precision) => Ok((precision << 16) + 4),
            (oid::NUMERIC, &[precision, scale])
                if (1..=1000).contains(&precision) && (-1000..=1000).contains(&scale) =>
            {
                Ok(((precision << 16) | (scale & 0x7ff)) + 4)
            }
            (oid::NUMERIC, &[precision, ..]) if !(1..=1000).contains(&precision) => {
                invalid(format!("NUMERIC precision {precision} must be between 1 and 1000"))
            }
            (oid::NUMERIC, &[_, scale]) => invalid(format!("NUMERIC scale {scale} must be between -1000 and 1000")),
            (oid::TIME | oid::TIMETZ | oid::TIMESTAMP | oid::TIMESTAMPTZ, &[n]) => Ok(n.clamp(0, 6)),
            (oid::BIT | oid::VARBIT, &[n]) if n >= 1 => Ok(n),
            (oid::INTERVAL, &[mask]) => Ok((mask << 16) | 0xffff),
            (oid::INTERVAL, &[mask, precision]) => Ok((mask << 16) | precision.clamp(0, 6)),
            _ => Err(self.error(SqlState::SYNTAX_ERROR, "invalid type modifier", pos)),
        }
    }

    fn operator(&mut self, op: &ast::Operator, args: Vec<Expr>) -> Result<Expr> {
        if op.schema.last().is_some_and(|s| &**s != "pg_catalog") {
            return Err(self.unsupported("an operator outside pg_catalog", op.pos));
        }
        self.named_operator(&op.name, args, op.pos)
    }

    /// The operator `name` on `args`.
    pub(crate) fn named_operator(&mut self, name: &str, args: Vec<Expr>, pos: Pos) -> Result<Expr> {
        // `!=` is another spelling.
        let name = if name == "!=" { "<>" } else { name };
        let kind = if args.len() == 1 { b'l' } else { b'b' };
        let rows: Vec<&OperatorRow> = builtin::operators_by_name(name).filter(|o| o.kind == kind).collect();
        let types: Vec<[Oid; 2]> = rows.iter().map(|o| [o.left, o.right]).collect();
        let skip = 2 - args.len();
        let candidates: Vec<&[Oid]> = types.iter().map(|t| &t[skip..]).collect();
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let shown = || {
            let left = if skip == 1 { String::new() } else { format!("{} ", format_type(actual[0])) };
            format!("{left}{name} {}", format_type(actual[actual.len() - 1]))
        };
        match choose(&candidates, &actual) {
            Choice::One(i) => self.finish_call(rows[i].function, candidates[i], args, rows[i].result, pos, &shown()),
            Choice::None => Err(self
                .error(SqlState::UNDEFINED_FUNCTION, format!("operator does not exist: {}", shown()), pos)
                .hint(if skip == 1 {
                    "No operator matches the given name and argument type. You might need to add an explicit type cast."
                } else {
                    "No operator matches the given name and argument types. You might need to add explicit type casts."
                })),
            Choice::Ambiguous => Err(self
                .error(SqlState::AMBIGUOUS_FUNCTION, format!("operator is not unique: {}", shown()), pos)
                .hint("Could not choose a best candidate operator. You might need to add explicit type casts.")),
        }
    }

    fn finish_call(
        &mut self,
        function: Oid,
        params: &[Oid],
        args: Vec<Expr>,
        result: Oid,
        pos: Pos,
        shown: &str,
    ) -> Result<Expr> {
        // N1: what is not implemented is said so.
        if functions::lookup(function).is_none() {
            return Err(self.unsupported(shown, pos));
        }
        let args = self.convert(args, params, pos)?;
        Ok(Expr::new(ExprKind::Call { function, args }, result, self.position(pos)))
    }

    fn convert(&mut self, args: Vec<Expr>, params: &[Oid], pos: Pos) -> Result<Vec<Expr>> {
        let mut out = Vec::with_capacity(args.len());
        for (arg, &target) in args.into_iter().zip(params) {
            if let ExprKind::Param(index) = arg.kind
                && arg.ty == oid::UNKNOWN
            {
                self.params[index] = target;
                out.push(Expr { ty: target, ..arg });
                continue;
            }
            if target == oid::ANY {
                out.push(self.settle(arg)?);
                continue;
            }
            let from = arg.ty;
            let bound = coerce(arg, target, -1, Context::Implicit, self.settings)?;
            out.push(bound.ok_or_else(|| cannot_cast(from, target).at(pos.char_position(self.sql)))?);
        }
        Ok(out)
    }

    fn call(&mut self, f: &ast::FuncCall, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let name = f.name.last().map_or("", |n| &**n);
        let refuse = |what: &str| Err(self.unsupported(what, pos));
        if f.over.is_some() {
            return refuse("a window function");
        }
        if f.variadic || f.args.iter().any(|a| a.name.is_some()) {
            return refuse("VARIADIC or named notation");
        }
        if !f.order_by.is_empty() || f.within_group {
            return refuse("ORDER BY in an aggregate");
        }
        let rows: Vec<_> =
            builtin::procs_by_name(name).filter(|_| f.name.len() == 1 || &*f.name[0] == "pg_catalog").collect();
        let is_aggregate = rows.iter().any(|r| r.kind == b'a');
        let mut args = Vec::new();
        {
            // Arguments of an aggregate see the rows, not other aggregates.
            let mut inner = Place { scope: place.scope, aggregates: None, clause: place.clause };
            for a in &f.args {
                args.push(if is_aggregate {
                    inner.clause = "aggregate";
                    self.expr(&a.value, &mut inner)?
                } else {
                    self.expr(&a.value, place)?
                });
            }
        }
        let candidates: Vec<&[Oid]> = rows.iter().map(|r| r.args).collect();
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let shown = {
            let types: Vec<String> = actual.iter().map(|&t| format_type(t)).collect();
            format!("{name}({})", types.join(", "))
        };
        let row = match choose(&candidates, &actual) {
            Choice::One(i) => rows[i],
            // `type(x)` is a cast where there is no such function.
            Choice::None if args.len() == 1 && builtin::type_by_name(name).is_some() => {
                let ty = builtin::type_by_name(name).map_or(Oid::NONE, |t| t.oid);
                let arg = args.remove(0);
                let from = arg.ty;
                let bound = coerce(arg, ty, -1, Context::Explicit, self.settings)?;
                return bound.ok_or_else(|| cannot_cast(from, ty).at(pos.char_position(self.sql)));
            }
            Choice::None => {
                let message = format!("function {shown} does not exist");
                return Err(self.error(SqlState::UNDEFINED_FUNCTION, message, pos).hint(
                    "No function matches the given name and argument types. You might need to add explicit type casts.",
                ));
            }
            Choice::Ambiguous => {
                let message = format!("function {shown} is not unique");
                return Err(self
                    .error(SqlState::AMBIGUOUS_FUNCTION, message, pos)
                    .hint("Could not choose a best candidate function. You might need to add explicit type casts."));
            }
        };
        if row.kind != b'a' {
            if f.distinct || f.filter.is_some() || f.star {
                let message = format!("{name}(*) or DISTINCT specified, but {name} is not an aggregate function");
                return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
            }
            return self.finish_call(row.oid, row.args, args, row.result, pos, &format!("function {shown}"));
        }
        if !functions::aggregate::is_implemented(row.oid) {
            return Err(self.unsupported(&format!("aggregate function {shown}"), pos));
        }
        let args = self.convert(args, row.args, pos)?;
        let filter = match &f.filter {
            Some(filter) => {
                let mut inner = Place { scope: place.scope, aggregates: None, clause: "FILTER" };
                Some(self.condition(filter, &mut inner)?)
            }
            None => None,
        };
        let Some(calls) = &mut place.aggregates else {
            let message = match place.clause {
                "aggregate" => "aggregate function calls cannot be nested".to_owned(),
                clause => format!("aggregate functions are not allowed in {clause}"),
            };
            return Err(self.error(SqlState::GROUPING_ERROR, message, pos));
        };
        let ty = if row.result == oid::ANYELEMENT { args[0].ty } else { row.result };
        let call = AggregateCall { function: row.oid, args, distinct: f.distinct, filter, ty };
        let index = calls.iter().position(|c| *c == call).unwrap_or_else(|| {
            calls.push(call);
            calls.len() - 1
        });
        Ok(Expr::new(ExprKind::Column(AGGREGATES + index), ty, self.position(pos)))
    }
}
