//! Calls: operators, functions, aggregates.

mod aggregate;
mod operator;

use std::sync::Arc;

use catalog::{FunctionInfo, Image, builtin};
use plan::{AggregateCall, CallForm, Expr, ExprKind, Routine, WindowCall};
use syntax::ast::{self, Pos, SqlValue};
use types::{Oid, Result, SqlError, SqlState, oid};

pub(crate) use self::aggregate::ordered_kind;
use crate::Binder;
use crate::coerce::Context;
use crate::expr::{AGGREGATES, Place};
use crate::polymorphic;
use crate::proc::Proc;
use crate::resolve::{Choice, choose};
use crate::scope::Frame;
use crate::window::{WINDOWS, WindowUse, clause_words};

/// Whether `function` yields rows instead of a value; what yields one row of several columns is run as a set too.
pub(crate) fn returns_set(function: Oid) -> bool {
    builtin::proc_by_oid(function).is_some_and(|p| p.returns_set) || functions::set_function(function).is_some()
}

/// Whether `e` is a call that yields rows instead of a value.
pub(crate) fn is_set(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Call { function, .. } => returns_set(*function),
        ExprKind::Routine { routine, .. } => routine.returns_set,
        _ => false,
    }
}

/// Whether `e` calls a function that returns a set.
pub(crate) fn has_set(e: &Expr) -> bool {
    let mut found = false;
    e.visit(&mut |e| found |= is_set(e));
    found
}

/// Output columns of a built-in set-returning function whose result type in the call is `ty`.
pub(crate) fn set_columns(function: Oid, ty: Oid) -> Vec<(String, Oid)> {
    let Some(row) = builtin::proc_by_oid(function) else { return vec![(String::new(), ty)] };
    let out = Proc::Builtin(row).outputs();
    if out.len() > 1 || (out.len() == 1 && ty == oid::RECORD) { out } else { vec![(String::new(), ty)] }
}

/// The name that the only OUT parameter gives the column.
pub(crate) fn single_out_name(image: &Image, function: Oid) -> Option<String> {
    let mut outputs = Proc::by_oid(image, function)?.outputs();
    if outputs.len() != 1 {
        return None;
    }
    outputs.pop().map(|o| o.0).filter(|n| !n.is_empty())
}

/// The name of the column that an SQL value function makes.
pub(crate) fn sql_value_name(value: SqlValue) -> &'static str {
    match value {
        SqlValue::CurrentDate => "current_date",
        SqlValue::CurrentTime => "current_time",
        SqlValue::CurrentTimestamp => "current_timestamp",
        SqlValue::LocalTime => "localtime",
        SqlValue::LocalTimestamp => "localtimestamp",
        SqlValue::CurrentRole => "current_role",
        SqlValue::CurrentUser => "current_user",
        SqlValue::User => "user",
        SqlValue::SessionUser => "session_user",
        SqlValue::CurrentCatalog => "current_catalog",
        SqlValue::CurrentSchema => "current_schema",
    }
}

/// The word that an SQL value function is.
fn sql_value_word(value: SqlValue) -> &'static str {
    match value {
        SqlValue::CurrentDate => "CURRENT_DATE",
        SqlValue::CurrentTime => "CURRENT_TIME",
        SqlValue::CurrentTimestamp => "CURRENT_TIMESTAMP",
        SqlValue::LocalTime => "LOCALTIME",
        SqlValue::LocalTimestamp => "LOCALTIMESTAMP",
        SqlValue::CurrentRole => "CURRENT_ROLE",
        SqlValue::CurrentUser => "CURRENT_USER",
        SqlValue::User => "USER",
        SqlValue::SessionUser => "SESSION_USER",
        SqlValue::CurrentCatalog => "CURRENT_CATALOG",
        SqlValue::CurrentSchema => "CURRENT_SCHEMA",
    }
}

/// `pg_typeof`, which alone tells an untyped literal from text.
const PG_TYPEOF: Oid = Oid(1619);

/// `jsonb_populate_record`, `json_populate_record`.
const MAKES_ROWS: [u32; 2] = [3209, 3960];

/// A function as a candidate for a call with some number of arguments.
struct Candidate<'a> {
    proc: Proc<'a>,
    /// Its parameters, one for each argument that is given, in the call's order.
    params: Vec<Oid>,
    /// Where arguments go, where some are given by name.
    places: Option<Vec<usize>>,
    variadic: bool,
    /// Whether the last argument is an array whose elements are the arguments of a parameter of any type.
    spread: bool,
}

/// `proc` for `n` arguments, the last of which have these names: VARIADIC parameters repeated, defaults used for what is missing.
fn candidate<'a>(proc: Proc<'a>, n: usize, expand: bool, named: &[&str]) -> Option<Candidate<'a>> {
    let declared = proc.args();
    let first_default = declared.len() - proc.default_count().min(declared.len());
    if !named.is_empty() {
        let (given, names) = (n - named.len(), proc.input_names());
        if n > declared.len() {
            return None;
        }
        let place = |name: &&str| names.iter().position(|p| p == name).filter(|p| *p >= given);
        let places: Vec<usize> = (0..given).map(Some).chain(named.iter().map(place)).collect::<Option<_>>()?;
        if (given..first_default).any(|i| !places.contains(&i)) {
            return None;
        }
        let params = places.iter().map(|&p| declared[p]).collect();
        return Some(Candidate { proc, params, places: Some(places), variadic: false, spread: false });
    }
    if !proc.variadic().is_none() && expand && n + 1 >= declared.len() && n >= 1 {
        let mut params = declared[..declared.len() - 1].to_vec();
        if n < params.len() {
            return None;
        }
        params.resize(n, proc.variadic());
        return Some(Candidate { proc, params, places: None, variadic: true, spread: false });
    }
    let fits = n == declared.len() || (n < declared.len() && n >= first_default);
    let spread = !expand && proc.variadic() == oid::ANY && n == declared.len();
    fits.then(|| Candidate { proc, params: declared[..n].to_vec(), places: None, variadic: false, spread })
}

impl<'a> Binder<'a> {
    #[allow(clippy::too_many_arguments, reason = "each is a part of the call")]
    fn finish_call(
        &mut self,
        function: Oid,
        params: &[Oid],
        args: Vec<Expr>,
        result: Oid,
        form: CallForm,
        pos: Pos,
        shown: &str,
    ) -> Result<Expr> {
        // N1: what is not implemented is said so.
        if functions::lookup(function).is_none() {
            return Err(self.unsupported(shown, pos));
        }
        if let ([Expr { ty: oid::UNKNOWN, .. }], PG_TYPEOF) = (&args[..], function) {
            return Ok(Expr::new(ExprKind::Call { function, args, form }, result, self.position(pos)));
        }
        let (args, ty) = self.convert(args, params, result, pos)?;
        Ok(Expr::new(ExprKind::Call { function, args, form }, ty, self.position(pos)))
    }

    /// A call of a user's function.
    pub(crate) fn routine_call(
        &mut self,
        info: &Arc<FunctionInfo>,
        params: &[Oid],
        args: Vec<Expr>,
        form: CallForm,
        pos: Pos,
    ) -> Result<Expr> {
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        if params.iter().any(|p| polymorphic::is_polymorphic(*p))
            && params.iter().zip(&actual).all(|(p, a)| !polymorphic::is_polymorphic(*p) || *a == oid::UNKNOWN)
            && !params.iter().any(|p| polymorphic::is_compatible(*p))
        {
            let message = "could not determine polymorphic type because input has type unknown";
            return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message));
        }
        let outputs = info.outputs();
        let mut wanted = vec![info.result];
        wanted.extend(outputs.iter().map(|o| o.1));
        let mismatch = || {
            let message = "arguments declared \"anyelement\" are not all alike";
            self.error(SqlState::DATATYPE_MISMATCH, message, pos)
        };
        let (_, results) = polymorphic::settle(self.image, params, &actual, &wanted).ok_or_else(mismatch)?;
        let (args, ty) = self.convert(args, params, info.result, pos)?;
        let columns = match outputs.len() {
            2.. => outputs.iter().zip(&results[1..]).map(|(o, &t)| (o.0.clone(), t, -1)).collect(),
            _ => self.image.fields_of(ty).unwrap_or_default(),
        };
        // A column that was given no name has its number.
        let columns: Vec<(String, Oid, i32)> = columns
            .into_iter()
            .enumerate()
            .map(|(i, (n, t, m))| (if n.is_empty() { format!("column{}", i + 1) } else { n }, t, m))
            .collect();
        self.routines.push(info.oid);
        let types = args.iter().map(|a| a.ty).collect();
        let routine = Arc::new(routine_of(info, types, ty, columns));
        let mut call = Expr::new(ExprKind::Routine { routine, args, form }, ty, self.position(pos));
        if let Some((base, _)) = self.image.domain(ty).map(|_| self.image.base_type(ty)) {
            call.collation = Expr::new(ExprKind::Param(0), base, 0).collation;
        }
        self.inlined(info, call)
    }

    /// Converts arguments to the types of `params`, polymorphic ones to what they stand for; the result's type then.
    fn convert(&mut self, args: Vec<Expr>, params: &[Oid], result: Oid, pos: Pos) -> Result<(Vec<Expr>, Oid)> {
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let Some((params, ty)) = polymorphic::settle(self.image, params, &actual, &[result]) else {
            let message = "arguments declared \"anyelement\" are not all alike";
            return Err(self.error(SqlState::DATATYPE_MISMATCH, message, pos));
        };
        let mut out = Vec::with_capacity(args.len());
        for (arg, &target) in args.into_iter().zip(&params) {
            if target == oid::ANY {
                out.push(self.settle(arg)?);
                continue;
            }
            let from = arg.ty;
            let bound = self.coerce(arg, target, -1, Context::Implicit)?;
            out.push(bound.ok_or_else(|| self.cannot_cast(from, target).at(self.char_position(pos)))?);
        }
        Ok((out, ty[0]))
    }

    /// The built-in function `name` on `args`.
    pub(crate) fn named_function(&mut self, name: &str, args: Vec<Expr>, pos: Pos) -> Result<Expr> {
        self.choose_function(Some("pg_catalog"), name, args, &[], true, pos)
            .and_then(|(c, args, shown)| self.finish_function(&c, args, pos, &shown))
    }

    fn finish_function(&mut self, c: &Candidate<'_>, args: Vec<Expr>, pos: Pos, shown: &str) -> Result<Expr> {
        let args = self.with_defaults(c, args)?;
        let (args, params) = self.gathered(c, args, pos)?;
        match c.proc {
            Proc::User(info) if c.proc.builtin().is_none() => {
                if info.language != catalog::function::SQL_LANGUAGE {
                    return Err(self.unsupported(shown, pos));
                }
                self.routine_call(info, &params, args, CallForm::Function, pos)
            }
            _ => {
                let function = c.proc.builtin().unwrap_or(c.proc.oid());
                let last = args.last().filter(|_| c.spread);
                if let Some(last) = last
                    && polymorphic::element_of(self.image.base_type(last.ty).0).is_none()
                {
                    let message = "VARIADIC argument must be an array";
                    let at = (last.position > 0).then_some(last.position);
                    return Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message).at(at));
                }
                let form = if c.spread { CallForm::Variadic } else { CallForm::Function };
                let call = self.finish_call(function, &params, args, c.proc.result(), form, pos, shown)?;
                // What makes rows of a user's type makes values of its domains.
                if call.ty.is_user_type() && MAKES_ROWS.contains(&function.0) {
                    return crate::coerce::checked(call, &self.names());
                }
                Ok(call)
            }
        }
    }

    /// Arguments for a VARIADIC parameter become an array, unless they may be of any type; the types of the parameters then.
    fn gathered(&mut self, c: &Candidate<'_>, args: Vec<Expr>, pos: Pos) -> Result<(Vec<Expr>, Vec<Oid>)> {
        if !c.variadic {
            return Ok((args, c.proc.args().to_vec()));
        }
        if c.proc.variadic() == oid::ANY {
            return Ok((args, c.params.clone()));
        }
        let fixed = c.proc.args().len() - 1;
        let (mut args, _) = self.convert(args, &c.params, oid::VOID, pos)?;
        let rest = args.split_off(fixed);
        let element = rest.first().map_or(c.proc.variadic(), |a| a.ty);
        let array = polymorphic::array_of(element).ok_or_else(|| self.unsupported("this VARIADIC argument", pos))?;
        args.push(Expr::new(ExprKind::Array(rest), array, 0));
        Ok((args, c.proc.args().to_vec()))
    }

    /// Puts arguments where their parameters stand, and adds the defaults of parameters that got none.
    fn with_defaults(&mut self, c: &Candidate<'_>, args: Vec<Expr>) -> Result<Vec<Expr>> {
        let declared = c.proc.args().len();
        if c.variadic || (c.places.is_none() && args.len() >= declared) {
            return Ok(args);
        }
        let mut full: Vec<Option<Expr>> = vec![None; declared];
        for (i, arg) in args.into_iter().enumerate() {
            full[c.places.as_ref().map_or(i, |p| p[i])] = Some(arg);
        }
        let list = format!("ROW({})", c.proc.defaults());
        let ast::ExprKind::Row(row) = syntax::parse_expr(&list)?.kind else {
            return Err(SqlError::internal("defaults of a function are a list"));
        };
        let first = declared - row.fields.len().min(declared);
        let settings = types::IoSettings::default();
        for (i, slot) in full.iter_mut().enumerate().filter(|(_, s)| s.is_none()) {
            let Some(field) = i.checked_sub(first).and_then(|i| row.fields.get(i)) else {
                return Err(SqlError::internal("a parameter without default was given no argument"));
            };
            let scope = crate::Scope::default();
            // What is kept has qualified names.
            let mut binder = Binder::new(self.image, &list, &settings, &[]);
            let bound = binder.expr(field, &mut Place::new(&scope, "DEFAULT"))?;
            *slot = Some(Expr { position: 0, ..bound });
        }
        Ok(full.into_iter().flatten().collect())
    }

    /// Picks the function that a call of `name` means, whose last arguments may be `named`; the words it is named by in errors.
    fn choose_function(
        &mut self,
        schema: Option<&str>,
        name: &str,
        args: Vec<Expr>,
        named: &[&str],
        expand: bool,
        pos: Pos,
    ) -> Result<(Candidate<'a>, Vec<Expr>, String)> {
        let image = self.image;
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let given = args.len() - named.len();
        let types: Vec<String> = actual
            .iter()
            .enumerate()
            .map(|(i, &t)| match i.checked_sub(given) {
                Some(i) => format!("{} => {}", named[i], self.type_shown(t)),
                None => self.type_shown(t),
            })
            .collect();
        let prefix = schema.map_or(String::new(), |s| format!("{s}."));
        let shown = format!("function {prefix}{name}({})", types.join(", "));
        let procs = Proc::named(image, schema, name, self.search_path);
        let mut candidates: Vec<Candidate<'_>> =
            procs.into_iter().filter_map(|p| candidate(p, actual.len(), expand, named)).collect();
        // A function of just these parameters goes before one that repeats a VARIADIC one or uses defaults.
        candidates.sort_by_key(|c| (c.variadic, c.proc.args().len()));
        let mut seen: Vec<(Vec<Oid>, usize)> = Vec::new();
        let mut tied: Option<Vec<Oid>> = None;
        candidates.retain(|c| {
            let known = seen.iter().find(|s| s.0 == c.params);
            // Two that need a different number of defaults are not told apart.
            if let Some((params, len)) = known
                && matches!(c.proc, Proc::User(_))
                && *len > actual.len()
                && c.proc.args().len() > actual.len()
                && !c.variadic
            {
                tied = Some(params.clone());
            }
            let fresh = known.is_none();
            seen.push((c.params.clone(), c.proc.args().len()));
            fresh
        });
        // Arguments that do not agree on what a polymorphic parameter stands for do not match.
        candidates.retain(|c| polymorphic::settle(image, &c.params, &actual, &[c.proc.result()]).is_some());
        let slices: Vec<&[Oid]> = candidates.iter().map(|c| &c.params[..]).collect();
        match choose(image, &slices, &actual) {
            Choice::One(i) if tied.as_ref().is_none_or(|t| *t != candidates[i].params) => {
                Ok((candidates.swap_remove(i), args, shown))
            }
            Choice::None => {
                let message = format!("{shown} does not exist");
                Err(self.error(SqlState::UNDEFINED_FUNCTION, message, pos).hint(
                    "No function matches the given name and argument types. You might need to add explicit type casts.",
                ))
            }
            _ => {
                let message = format!("{shown} is not unique");
                Err(self
                    .error(SqlState::AMBIGUOUS_FUNCTION, message, pos)
                    .hint("Could not choose a best candidate function. You might need to add explicit type casts."))
            }
        }
    }

    /// `CURRENT_TIMESTAMP` and its kin.
    pub(crate) fn sql_value(&mut self, value: SqlValue, precision: Option<i32>, pos: Pos) -> Result<Expr> {
        let (function, ty) = match value {
            SqlValue::CurrentDate => ("now", oid::DATE),
            SqlValue::CurrentTime => ("now", oid::TIMETZ),
            SqlValue::CurrentTimestamp => ("now", oid::TIMESTAMPTZ),
            SqlValue::LocalTime => ("now", oid::TIME),
            SqlValue::LocalTimestamp => ("now", oid::TIMESTAMP),
            SqlValue::CurrentRole | SqlValue::CurrentUser | SqlValue::User => ("current_user", oid::NAME),
            SqlValue::SessionUser => ("session_user", oid::NAME),
            SqlValue::CurrentCatalog => ("current_database", oid::NAME),
            SqlValue::CurrentSchema => ("current_schema", oid::NAME),
        };
        let call = self.named_function(function, Vec::new(), pos)?;
        let from = call.ty;
        let typmod = precision.map_or(-1, |p| p.clamp(0, 6));
        let cast = self.coerce(call, ty, -1, Context::Explicit)?;
        let mut cast = cast.ok_or_else(|| self.cannot_cast(from, ty).at(self.char_position(pos)))?;
        if let ExprKind::Call { form, .. } = &mut cast.kind {
            *form = CallForm::Word(sql_value_word(value));
        }
        let cut = self.coerce(cast, ty, typmod, Context::Explicit)?;
        cut.ok_or_else(|| self.cannot_cast(from, ty).at(self.char_position(pos)))
    }

    pub(crate) fn call(&mut self, f: &ast::FuncCall, pos: Pos, place: &mut Place<'_>) -> Result<Expr> {
        let name = f.name.last().map_or("", |n| &**n);
        if f.within_group {
            return self.within_group(f, pos, place);
        }
        let schema = f.name.len().checked_sub(2).map(|i| &*f.name[i]);
        if let Some(schema) = schema
            && schema != "pg_catalog"
            && self.image.namespace_in(schema, self.search_path).is_none()
        {
            let message = format!("schema \"{schema}\" does not exist");
            return Err(self.error(SqlState::INVALID_SCHEMA_NAME, message, pos));
        }
        let image = self.image;
        let procs = Proc::named(image, schema, name, self.search_path);
        let is_aggregate = procs.iter().any(|p| p.kind() == b'a');
        if let ([arg], false) = (&f.args[..], f.star || f.over.is_some())
            && f.name.len() == 1
            && procs.is_empty()
            && let Some(field) = self.field_by_call(name, &arg.value, pos, place)?
        {
            return Ok(field);
        }
        let sets = std::mem::take(&mut place.sets);
        let before = self.binds_before();
        let args = match (&f.over, is_aggregate) {
            (Some(_), _) => self.window_args(f, place),
            (None, true) => self.aggregate_args(f, place),
            (None, false) => self.plain_args(f, place),
        };
        place.sets = sets;
        let mut args = args?;
        let named = self.argument_names(f)?;
        // `type(x)` is a cast where there is no such function.
        let known = procs.iter().any(|p| p.args().len() == args.len());
        if let (false, [_]) = (known || f.over.is_some(), &args[..])
            && let Some(ty) = self.type_called(schema, name)
        {
            let arg = args.remove(0);
            let from = arg.ty;
            let bound = self.coerce(arg, ty, -1, Context::Explicit)?;
            return bound.ok_or_else(|| self.cannot_cast(from, ty).at(self.char_position(pos)));
        }
        let chosen = self.choose_function(schema, name, args, &named, !f.variadic, pos);
        let (chosen, args, shown) = match (chosen, &f.filter) {
            // A wrong filter is said first.
            (Err(error), Some(filter)) => {
                self.condition(filter, &mut Place::new(place.scope, "FILTER"))?;
                return Err(error);
            }
            (chosen, _) => chosen?,
        };
        if chosen.proc.kind() == b'a' && args.is_empty() && !f.star {
            let message = format!("{name}(*) must be used to call a parameterless aggregate function");
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        if chosen.proc.kind() == b'p' {
            let message = format!("{} is a procedure", shown.strip_prefix("function ").unwrap_or(&shown));
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos).hint("To call a procedure, use CALL."));
        }
        if chosen.proc.kind() == b'a' && ordered_kind(chosen.proc.oid()) != b'n' {
            let message = format!("WITHIN GROUP is required for ordered-set aggregate {name}");
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        if let Some(over) = &f.over {
            return self.over(f, over, &chosen, args, pos, place, &shown);
        }
        if chosen.proc.kind() == b'w' {
            let message = format!("window function {name} requires an OVER clause");
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        if chosen.proc.kind() != b'a' {
            if f.distinct || f.filter.is_some() || f.star || !f.order_by.is_empty() {
                let what = match () {
                    () if f.star => "(*)",
                    () if f.distinct => "DISTINCT",
                    () if f.filter.is_some() => "FILTER",
                    () => "ORDER BY",
                };
                let message = format!("{what} specified, but {name} is not an aggregate function");
                return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
            }
            if chosen.proc.returns_set() && !place.sets && matches!(place.clause, "aggregate" | "window") {
                let message = format!("{} function calls cannot contain set-returning function calls", place.clause);
                return Err(self
                    .error(SqlState::FEATURE_NOT_SUPPORTED, message, pos)
                    .hint("You might be able to move the set-returning function into a LATERAL FROM item."));
            }
            if chosen.proc.returns_set() && !place.sets {
                let message = format!("set-returning functions are not allowed in {}", place.clause);
                return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos));
            }
            let builtin = chosen.proc.builtin();
            if chosen.proc.returns_set() && builtin.is_some_and(|f| functions::set_function(f).is_none()) {
                return Err(self.unsupported(&shown, pos));
            }
            if let Some(function) = builtin.filter(|&f| returns_set(f)) {
                let args = self.with_defaults(&chosen, args)?;
                let params = if chosen.variadic { chosen.params } else { chosen.proc.args().to_vec() };
                let (args, ty) = self.convert(args, &params, chosen.proc.result(), pos)?;
                let kind = ExprKind::Call { function, args, form: CallForm::Function };
                return Ok(Expr::new(kind, ty, self.position(pos)));
            }
            return self.finish_function(&chosen, args, pos, &shown);
        }
        if matches!(chosen.proc, Proc::Builtin(_)) && !functions::aggregate::is_implemented(chosen.proc.oid()) {
            return Err(self.unsupported(&format!("aggregate {shown}"), pos));
        }
        self.aggregate(f, &chosen, args, pos, place, &before)
    }

    /// The function `name` on arguments that are bound already.
    pub(crate) fn call_bound(&mut self, name: &str, args: Vec<Expr>, pos: Pos) -> Result<Expr> {
        let (chosen, args, shown) = self.choose_function(None, name, args, &[], true, pos)?;
        if chosen.proc.kind() != b'f' || (chosen.proc.returns_set() && chosen.proc.builtin().is_some()) {
            return Err(self.unsupported(&format!("{shown} in this notation"), pos));
        }
        self.finish_function(&chosen, args, pos, &shown)
    }

    /// The names of the last arguments, which are given by them.
    fn argument_names<'f>(&self, f: &'f ast::FuncCall) -> Result<Vec<&'f str>> {
        let Some(named) = f.args.iter().position(|a| a.name.is_some()) else { return Ok(Vec::new()) };
        if let Some(late) = f.args[named..].iter().find(|a| a.name.is_none()) {
            let message = "positional argument cannot follow named argument";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, late.value.pos));
        }
        let names: Vec<&str> = f.args[named..].iter().filter_map(|a| a.name.as_ref()).map(|n| n.as_str()).collect();
        if let Some(twice) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
            let message = format!("argument name \"{}\" used more than once", names[twice]);
            return Err(self.error(SqlState::SYNTAX_ERROR, message, f.args[named + twice].location()));
        }
        Ok(names)
    }

    /// The type called `name`, that a call with its name may be a cast to.
    fn type_called(&self, schema: Option<&str>, name: &str) -> Option<Oid> {
        let builtin = builtin::type_by_name(name).filter(|_| schema.is_none_or(|s| s == "pg_catalog"));
        // A row type is not called.
        let own = || self.names().user_type(schema, name).filter(|t| self.image.row_type(*t).is_none());
        builtin.map(|t| t.oid).or_else(own)
    }

    fn plain_args(&mut self, f: &ast::FuncCall, place: &mut Place<'_>) -> Result<Vec<Expr>> {
        f.args.iter().map(|a| self.expr(&a.value, place)).collect()
    }
}

/// A user's function as a plan calls it.
pub(crate) fn routine_of(
    info: &FunctionInfo,
    args: Vec<Oid>,
    result: Oid,
    columns: Vec<(String, Oid, i32)>,
) -> Routine {
    Routine {
        oid: info.oid,
        namespace: info.namespace,
        name: info.name.clone(),
        volatility: info.volatility,
        strict: info.strict,
        returns_set: info.returns_set,
        args,
        result,
        columns,
    }
}

/// Whether values of `source` are values of `target` as they are.
pub fn binary_coercible(image: &Image, source: Oid, target: Oid) -> bool {
    source == target
        || target == oid::ANY
        || crate::coerce::find_path(image, source, target, Context::Implicit) == Some(crate::coerce::Path::Relabel)
}

impl<'a> Binder<'a> {
    /// The function `name` that takes arguments of types `args` as they are, and what it returns for them; `None` when there is none. Where
    /// it need not be of `exact`ly these types, one that would convert them is an error.
    ///
    /// # Errors
    /// `42725`, `42804`; what the catalog says.
    pub fn function_for(
        &mut self,
        schema: Option<&str>,
        name: &str,
        args: &[Oid],
        exact: bool,
    ) -> Result<Option<(Proc<'a>, Oid)>> {
        if exact {
            let procs = Proc::named(self.image, schema, name, self.search_path);
            return Ok(procs.into_iter().find(|p| p.args() == args).map(|p| (p, p.result())));
        }
        let exprs: Vec<Expr> = args.iter().enumerate().map(|(i, &ty)| Expr::column(i, ty, -1)).collect();
        let chosen = match self.choose_function(schema, name, exprs, &[], true, Pos::NONE) {
            Ok((chosen, ..)) => chosen,
            Err(e) if e.state() == SqlState::UNDEFINED_FUNCTION => return Ok(None),
            Err(e) => return Err(e),
        };
        let settled = polymorphic::settle(self.image, &chosen.params, args, &[chosen.proc.result()]);
        let Some((params, results)) = settled else { return Ok(None) };
        let fits = |(&p, &a): (&Oid, &Oid)| binary_coercible(self.image, a, p) || polymorphic::is_polymorphic(a);
        if params.iter().zip(args).all(fits) {
            return Ok(Some((chosen.proc, results[0])));
        }
        let shown: Vec<String> = params.iter().map(|&t| self.type_shown(t)).collect();
        let message = format!("function {name}({}) requires run-time type coercion", shown.join(", "));
        Err(SqlError::new(SqlState::DATATYPE_MISMATCH, message))
    }

    /// The operator `name` on operands of types `args`; `None` when there is none.
    ///
    /// # Errors
    /// What the catalog says.
    pub fn operator_for(&mut self, schema: Option<&str>, name: &str, args: &[Oid]) -> Result<Option<Oid>> {
        let exprs: Vec<Expr> = args.iter().enumerate().map(|(i, &ty)| Expr::column(i, ty, -1)).collect();
        match self.qualified_operator(schema, name, exprs, Pos::NONE) {
            Ok(Expr { kind: ExprKind::Call { form, .. } | ExprKind::Routine { form, .. }, .. }) => Ok(match form {
                CallForm::Operator(oid) => Some(oid),
                _ => None,
            }),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// How an aggregate that a user made is computed for arguments of these types, and what it yields.
    fn own_aggregate(
        &mut self,
        info: &Arc<FunctionInfo>,
        args: &[Expr],
        pos: Pos,
    ) -> Result<(plan::OwnAggregate, Oid)> {
        let image = self.image;
        let Some(aggregate) = image.aggregate(info.oid).cloned() else {
            return Err(SqlError::internal(format!("cache lookup failed for aggregate {}", info.oid)));
        };
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let params = if args.len() == info.args.len() {
            info.args.clone()
        } else {
            let mut params = info.args.clone();
            params.pop();
            params.resize(args.len(), info.variadic);
            params
        };
        let settled = polymorphic::settle(image, &params, &actual, &[info.result, aggregate.state]);
        let Some((_, settled)) = settled else { return Err(self.unsupported("this polymorphic aggregate", pos)) };
        let (result, state) = (settled[0], settled[1]);
        if state == oid::INTERNAL {
            return Err(self.unsupported("an aggregate with a state of type internal", pos));
        }
        let mut inputs = vec![Expr::column(0, state, -1)];
        inputs.extend(actual.iter().enumerate().map(|(i, &ty)| Expr::column(i + 1, ty, -1)));
        let Some(transition) = Proc::by_oid(image, aggregate.transition) else {
            return Err(SqlError::internal("an aggregate has a transition function"));
        };
        let strict = transition.is_strict();
        let step = self.call_of(transition, inputs, pos)?;
        let finish = match Proc::by_oid(image, aggregate.finish) {
            None => None,
            Some(proc) => {
                let mut inputs = vec![Expr::column(0, state, -1)];
                if aggregate.finish_extra {
                    inputs.extend(actual.iter().map(|&ty| Expr::null(ty)));
                }
                Some(self.call_of(proc, inputs, pos)?)
            }
        };
        let initial = match &aggregate.initial {
            None => types::Datum::Null,
            Some(text) => types::io::text_in_with(state, -1, text, self.settings, &self.names())?,
        };
        self.routines.push(info.oid);
        Ok((plan::OwnAggregate { name: info.name.clone(), state, initial, strict, step, finish }, result))
    }

    /// A call of a function that is known.
    fn call_of(&mut self, proc: Proc<'a>, args: Vec<Expr>, pos: Pos) -> Result<Expr> {
        let shown = format!("function {}", proc.name());
        let variadic = args.len() > proc.args().len();
        let candidate = Candidate {
            proc,
            params: match variadic {
                true => {
                    let mut params = proc.args().to_vec();
                    params.pop();
                    params.resize(args.len(), proc.variadic());
                    params
                }
                false => proc.args()[..args.len()].to_vec(),
            },
            places: None,
            variadic,
            spread: false,
        };
        self.finish_function(&candidate, args, pos, &shown)
    }
}
