//! Binding of SQL/JSON functions.

use std::sync::Arc;

use plan::json::{JsonBehavior, JsonCall, JsonKind, JsonQuery, JsonQueryKind, JsonWrapper};
use plan::{Expr, ExprKind};
use syntax::ast::{self, JsonExpr, JsonOutput, JsonValueExpr, Name, Pos};
use types::{Oid, Result, SqlState, oid};

use crate::Binder;
use crate::coerce::Context;
use crate::expr::Place;

/// The name of the column that a function makes.
pub(crate) fn name(e: &JsonExpr) -> &'static str {
    match e {
        JsonExpr::Object { .. } => "json_object",
        JsonExpr::Array { .. } | JsonExpr::ArrayQuery { .. } => "json_array",
        JsonExpr::ObjectAgg { .. } => "json_objectagg",
        JsonExpr::ArrayAgg { .. } => "json_arrayagg",
        JsonExpr::Parse { .. } => "json",
        JsonExpr::Scalar(_) => "json_scalar",
        JsonExpr::Serialize { .. } => "json_serialize",
        JsonExpr::Query(q) => query_name(q.kind),
    }
}

fn query_name(kind: ast::JsonQueryKind) -> &'static str {
    match kind {
        ast::JsonQueryKind::Exists => "json_exists",
        ast::JsonQueryKind::Query => "json_query",
        ast::JsonQueryKind::Value => "json_value",
    }
}

/// Whether a value stands there as JSON.
fn is_text(ty: Oid) -> bool {
    matches!(ty, oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::UNKNOWN)
}

impl Binder<'_> {
    /// A function of SQL/JSON.
    pub(crate) fn sql_json(&mut self, e: &JsonExpr, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        match e {
            JsonExpr::Object { members, null_on_null, unique, output } => {
                let mut args = Vec::with_capacity(2 * members.len());
                for member in members {
                    let key = self.expr(&member.key, place)?;
                    args.push(self.settle(key)?);
                    args.push(self.json_argument(&member.value, place)?);
                }
                let call = JsonCall::Object { absent: !null_on_null, unique: *unique };
                self.made(call, args, output.as_ref(), pos)
            }
            JsonExpr::Array { values, null_on_null, output } => {
                let args = values.iter().map(|v| self.json_argument(v, place)).collect::<Result<_>>()?;
                self.made(JsonCall::Array { absent: !null_on_null }, args, output.as_ref(), pos)
            }
            JsonExpr::ArrayQuery { query, format, output } => {
                if format.is_some() {
                    return Err(self.unsupported("FORMAT JSON of a query", pos));
                }
                let array = self.array_subquery(query, pos, place)?;
                self.made(JsonCall::Collected, vec![array], output.as_ref(), pos)
            }
            JsonExpr::ObjectAgg { member, null_on_null, unique, output, tail } => {
                let binary = self.is_binary(output.as_ref())?;
                let function = match (binary, *null_on_null, *unique) {
                    (false, true, false) => "json_object_agg",
                    (false, false, false) => "json_object_agg_strict",
                    (false, true, true) => "json_object_agg_unique",
                    (false, false, true) => "json_object_agg_unique_strict",
                    (true, true, false) => "jsonb_object_agg",
                    (true, false, false) => "jsonb_object_agg_strict",
                    (true, true, true) => "jsonb_object_agg_unique",
                    (true, false, true) => "jsonb_object_agg_unique_strict",
                };
                let args = vec![member.key.clone(), formatted(&member.value, pos)];
                self.json_aggregate(function, args, tail, output.as_ref(), pos, place)
            }
            JsonExpr::ArrayAgg { value, null_on_null, output, tail } => {
                let function = match (self.is_binary(output.as_ref())?, *null_on_null) {
                    (false, true) => "json_agg",
                    (false, false) => "json_agg_strict",
                    (true, true) => "jsonb_agg",
                    (true, false) => "jsonb_agg_strict",
                };
                self.json_aggregate(function, vec![formatted(value, pos)], tail, output.as_ref(), pos, place)
            }
            JsonExpr::Parse { value, unique } => {
                let arg = self.expr(&value.expr, place)?;
                let arg = self.settle(arg)?;
                if *unique && is_text(arg.ty) {
                    let kind = ExprKind::SqlJson { call: Arc::new(JsonCall::Parse(true)), args: vec![arg] };
                    return Ok(Expr::new(kind, oid::JSON, self.position(pos)));
                }
                if *unique {
                    return Err(self.unsupported("JSON() WITH UNIQUE KEYS of this type", pos));
                }
                self.cast_to_json(arg, oid::JSON, value.expr.location())
            }
            JsonExpr::Scalar(e) => {
                let arg = self.expr(e, place)?;
                let arg = self.settle(arg)?;
                self.named_function("to_json", vec![arg], pos)
            }
            JsonExpr::Serialize { value, output } => {
                let arg = self.expr(&value.expr, place)?;
                let arg = self.settle(arg)?;
                let arg = if is_text(arg.ty) { self.cast_to_json(arg, oid::JSON, value.expr.location())? } else { arg };
                let (ty, typmod) = self.output(output.as_ref(), oid::TEXT)?;
                if !is_text(ty) {
                    if ty == oid::BYTEA {
                        return Err(self.unsupported("JSON_SERIALIZE RETURNING bytea", pos));
                    }
                    let message =
                        format!("cannot use type {} in RETURNING clause of JSON_SERIALIZE()", self.type_shown(ty));
                    return Err(types::SqlError::new(SqlState::DATATYPE_MISMATCH, message)
                        .hint("Try returning a string type or bytea."));
                }
                self.returned(arg, ty, typmod)
            }
            JsonExpr::Query(q) => self.json_query(q, pos, place),
        }
    }

    /// `x IS JSON`.
    pub(crate) fn is_json(&mut self, e: &ast::IsJson, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let arg = self.expr(&e.arg, place)?;
        let arg = self.settle(arg)?;
        let arg = self.based(arg);
        if !is_text(arg.ty) && !matches!(arg.ty, oid::JSON | oid::JSONB) {
            if arg.ty == oid::BYTEA {
                return Err(self.unsupported("IS JSON of bytea", pos));
            }
            let message = format!("cannot use type {} in IS JSON predicate", self.type_shown(arg.ty));
            return Err(types::SqlError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        let kind = match e.item {
            ast::JsonItemType::Any => JsonKind::Value,
            ast::JsonItemType::Object => JsonKind::Object,
            ast::JsonItemType::Array => JsonKind::Array,
            ast::JsonItemType::Scalar => JsonKind::Scalar,
        };
        let call = Arc::new(JsonCall::Is { kind, unique: e.unique_keys });
        let test = Expr::new(ExprKind::SqlJson { call, args: vec![arg] }, oid::BOOL, self.position(pos));
        Ok(if e.not { Expr::new(ExprKind::Not(Box::new(test)), oid::BOOL, self.position(pos)) } else { test })
    }

    /// The type of RETURNING, or `usual`.
    fn output(&mut self, output: Option<&JsonOutput>, usual: Oid) -> Result<(Oid, i32)> {
        let Some(output) = output else { return Ok((usual, -1)) };
        if let Some(format) = &output.format
            && let Some(encoding) = &format.encoding
            && !encoding.eq_ignore_ascii_case("utf8")
        {
            return Err(self.unsupported("JSON in another encoding than UTF8", format.pos));
        }
        self.type_name(&output.ty)
    }

    fn is_binary(&mut self, output: Option<&JsonOutput>) -> Result<bool> {
        Ok(self.output(output, oid::JSON)?.0 == oid::JSONB)
    }

    /// A value of a constructor: with FORMAT JSON, a text is JSON.
    fn json_argument(&mut self, v: &JsonValueExpr, place: &mut Place<'_>) -> Result<Expr> {
        let arg = self.expr(&v.expr, place)?;
        if v.format.is_some() && is_text(arg.ty) {
            return self.cast_to_json(arg, oid::JSON, v.expr.location());
        }
        self.settle(arg)
    }

    /// An explicit cast.
    fn cast_to_json(&mut self, arg: Expr, ty: Oid, at: Pos) -> Result<Expr> {
        let from = arg.ty;
        let cast = self.coerce(arg, ty, -1, Context::Explicit)?;
        cast.ok_or_else(|| self.cannot_cast(from, ty).at(self.char_position(at)))
    }

    /// `made` as RETURNING asks.
    fn returned(&mut self, made: Expr, ty: Oid, typmod: i32) -> Result<Expr> {
        let from = made.ty;
        let cast = self.coerce(made, ty, typmod, Context::Assignment)?;
        cast.ok_or_else(|| self.cannot_cast(from, ty))
    }

    /// A constructor's call.
    fn made(&mut self, call: JsonCall, args: Vec<Expr>, output: Option<&JsonOutput>, pos: Pos) -> Result<Expr> {
        let (ty, typmod) = self.output(output, oid::JSON)?;
        if ty == oid::BYTEA {
            return Err(self.unsupported("RETURNING bytea", pos));
        }
        let own = if ty == oid::JSONB { oid::JSONB } else { oid::JSON };
        let kind = ExprKind::SqlJson { call: Arc::new(call), args };
        let made = Expr::new(kind, own, self.position(pos));
        if ty == own || typmod >= 0 {
            return self.returned(made, ty, typmod);
        }
        // As a cast it is printed.
        self.cast_to_json(made, ty, pos).map_err(types::SqlError::unplaced)
    }

    fn json_aggregate(
        &mut self,
        function: &'static str,
        args: Vec<ast::Expr>,
        tail: &ast::JsonAggTail,
        output: Option<&JsonOutput>,
        pos: Pos,
        place: &mut Place<'_>,
    ) -> Result<Expr> {
        let part = |text: &str| Name { text: text.into(), pos };
        let call = ast::FuncCall {
            name: vec![part("pg_catalog"), part(function)],
            args: args.into_iter().map(|value| ast::FuncArg { name: None, value }).collect(),
            star: false,
            distinct: false,
            variadic: false,
            order_by: tail.order_by.clone(),
            within_group: false,
            filter: tail.filter.clone(),
            over: tail.over.clone(),
            sql_syntax: false,
        };
        let made = self.call(&call, pos, place)?;
        let (ty, typmod) = self.output(output, made.ty)?;
        self.returned(made, ty, typmod)
    }

    fn json_query(&mut self, q: &ast::JsonQuery, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let document = self.expr(&q.context.expr, place)?;
        let document = self.settle(document)?;
        let document = self.cast_to_json(document, oid::JSONB, q.context.expr.location())?;
        let path = self.expr(&q.path, place)?;
        let path = self.settle_as(path, oid::JSONPATH)?;
        if path.ty != oid::JSONPATH {
            let message =
                format!("JSON path expression must be of type jsonpath, not of type {}", self.type_shown(path.ty));
            return Err(self.error(SqlState::DATATYPE_MISMATCH, message, q.path.location()));
        }
        let mut args = vec![document, path];
        let mut names = Vec::new();
        for argument in &q.passing {
            args.push(self.json_argument(&argument.value, place)?);
            names.push(argument.name.as_str().to_owned());
        }
        let (kind, usual) = match q.kind {
            ast::JsonQueryKind::Exists => (JsonQueryKind::Exists, oid::BOOL),
            ast::JsonQueryKind::Query => (JsonQueryKind::Query, oid::JSONB),
            ast::JsonQueryKind::Value => (JsonQueryKind::Value, oid::TEXT),
        };
        let (ty, typmod) = self.output(q.output.as_ref(), usual)?;
        if self.image.domain(ty).is_some() || ty == oid::BYTEA {
            return Err(self.unsupported("RETURNING this type", pos));
        }
        let wrapper = match q.wrapper {
            ast::JsonWrapper::Unspecified | ast::JsonWrapper::None => JsonWrapper::Never,
            ast::JsonWrapper::Conditional => JsonWrapper::Conditional,
            ast::JsonWrapper::Unconditional => JsonWrapper::Always,
        };
        if wrapper != JsonWrapper::Never && q.quotes == ast::JsonQuotes::Omit {
            let message = "SQL/JSON QUOTES behavior must not be specified when WITH WRAPPER is used";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, pos));
        }
        let usual = if kind == JsonQueryKind::Exists { JsonBehavior::False } else { JsonBehavior::Null };
        let mut behaviors = [usual; 2];
        for ((behavior, written), when) in
            behaviors.iter_mut().zip([&q.on_empty, &q.on_error]).zip(["ON EMPTY", "ON ERROR"])
        {
            let Some(written) = written else { continue };
            *behavior = self.json_behavior(written, kind, when, (ty, typmod), &mut args, place)?;
        }
        let [on_empty, on_error] = behaviors;
        let omit_quotes = q.quotes == ast::JsonQuotes::Omit;
        let call = JsonCall::Query(JsonQuery { kind, names, wrapper, omit_quotes, on_empty, on_error });
        let kind = ExprKind::SqlJson { call: Arc::new(call), args };
        Ok(Expr { typmod, ..Expr::new(kind, ty, self.position(pos)) })
    }

    fn json_behavior(
        &mut self,
        written: &ast::JsonBehavior,
        kind: JsonQueryKind,
        when: &str,
        (ty, typmod): (Oid, i32),
        args: &mut Vec<Expr>,
        place: &mut Place<'_>,
    ) -> Result<JsonBehavior> {
        use ast::JsonBehavior as Written;
        let found = match written {
            Written::Null => JsonBehavior::Null,
            Written::Error => JsonBehavior::Error,
            Written::Empty | Written::EmptyArray => JsonBehavior::EmptyArray,
            Written::EmptyObject => JsonBehavior::EmptyObject,
            Written::True => JsonBehavior::True,
            Written::False => JsonBehavior::False,
            Written::Unknown => JsonBehavior::Null,
            Written::Default(_) => JsonBehavior::Default(args.len()),
        };
        let (allowed, words, function) = match kind {
            JsonQueryKind::Exists => (
                matches!(written, Written::Error | Written::True | Written::False | Written::Unknown),
                "ERROR, TRUE, FALSE, or UNKNOWN",
                "JSON_EXISTS",
            ),
            JsonQueryKind::Value => (
                matches!(written, Written::Error | Written::Null | Written::Default(_)),
                "ERROR, NULL, or DEFAULT expression",
                "JSON_VALUE",
            ),
            JsonQueryKind::Query => (
                !matches!(written, Written::True | Written::False | Written::Unknown),
                "ERROR, NULL, EMPTY ARRAY, EMPTY OBJECT, or DEFAULT expression",
                "JSON_QUERY",
            ),
        };
        if !allowed {
            return Err(types::SqlError::new(SqlState::SYNTAX_ERROR, format!("invalid {when} behavior"))
                .detail(format!("Only {words} is allowed in {when} for {function}().")));
        }
        if let Written::Default(e) = written {
            let bound = self.expr(e, place)?;
            let mut fixed = true;
            bound.visit(&mut |e| fixed &= !matches!(e.kind, ExprKind::Column(_) | ExprKind::Slot(_)));
            if !fixed {
                let message = "DEFAULT expression must not contain column references";
                return Err(self.error(SqlState::DATATYPE_MISMATCH, message, e.location()));
            }
            let from = bound.ty;
            let cast = self.coerce(bound, ty, typmod, Context::Assignment)?;
            args.push(cast.ok_or_else(|| self.cannot_cast(from, ty).at(self.char_position(e.location())))?);
        }
        Ok(found)
    }
}

/// A value of an aggregate: with FORMAT JSON, cast to it.
fn formatted(v: &JsonValueExpr, pos: Pos) -> ast::Expr {
    if v.format.is_none() {
        return v.expr.clone();
    }
    let part = |text: &str| Name { text: text.into(), pos };
    let ty = ast::TypeName {
        names: vec![part("pg_catalog"), part("json")],
        typmods: Vec::new(),
        array_bounds: Vec::new(),
        setof: false,
        pct_type: false,
        pos,
    };
    ast::Expr::new(ast::ExprKind::Cast(Box::new(ast::Cast { arg: v.expr.clone(), ty })), pos)
}
