//! Calls: operators, functions, aggregates.

use catalog::builtin::{self, OperatorRow, ProcRow};
use plan::{AggregateCall, CallForm, Expr, ExprKind, WindowCall};
use syntax::ast::{self, Pos, SqlValue};
use types::{Oid, Result, SqlError, SqlState, oid};

use crate::Binder;
use crate::coerce::Context;
use crate::expr::{AGGREGATES, Place};
use crate::polymorphic;
use crate::resolve::{Choice, choose};
use crate::window::{WINDOWS, WindowUse, clause_words};

/// Whether `function` yields rows instead of a value; what yields one row of several columns is run as a set too.
pub(crate) fn returns_set(function: Oid) -> bool {
    builtin::proc_by_oid(function).is_some_and(|p| p.returns_set) || functions::set_function(function).is_some()
}

/// Output columns of a set-returning function whose result type in the call is `ty`.
pub(crate) fn set_columns(function: Oid, ty: Oid) -> Vec<(String, Oid)> {
    let Some(row) = builtin::proc_by_oid(function) else { return vec![(String::new(), ty)] };
    let names: Vec<&str> = row.arg_names.split(',').collect();
    let out: Vec<(String, Oid)> = row
        .arg_modes
        .bytes()
        .zip(row.all_args)
        .enumerate()
        .filter(|(_, (mode, _))| matches!(mode, b'o' | b'b' | b't'))
        .map(|(i, (_, &ty))| (names.get(i).copied().unwrap_or_default().to_owned(), ty))
        .collect();
    if out.len() > 1 || (out.len() == 1 && ty == oid::RECORD) { out } else { vec![(String::new(), ty)] }
}

/// The name that the only OUT parameter gives the column.
pub(crate) fn single_out_name(function: Oid) -> Option<String> {
    let row = builtin::proc_by_oid(function)?;
    let names: Vec<&str> = row.arg_names.split(',').collect();
    let index = row.arg_modes.bytes().position(|m| matches!(m, b'o' | b't'))?;
    names.get(index).map(|n| (*n).to_owned()).filter(|n| !n.is_empty())
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

/// A function as a candidate for a call with some number of arguments: its parameters, one for each argument and default used.
struct Candidate {
    row: &'static ProcRow,
    params: Vec<Oid>,
    variadic: bool,
}

/// The parameters of `row` for `n` arguments: VARIADIC ones repeated, defaults used for what is missing.
fn candidate(row: &'static ProcRow, n: usize, expand: bool) -> Option<Candidate> {
    let declared = row.args;
    if !row.variadic.is_none() && expand && n + 1 >= declared.len() && n >= 1 {
        let mut params = declared[..declared.len() - 1].to_vec();
        if n < params.len() {
            return None;
        }
        params.resize(n, row.variadic);
        return Some(Candidate { row, params, variadic: true });
    }
    let fits = n == declared.len() || (n < declared.len() && n + usize::from(row.default_count) >= declared.len());
    fits.then(|| Candidate { row, params: declared[..n].to_vec(), variadic: false })
}

/// The names of the parameters that a call gives arguments for.
fn input_names(row: &'static ProcRow) -> Vec<&'static str> {
    let names = row.arg_names.split(',');
    if row.arg_modes.is_empty() {
        return names.collect();
    }
    let modes = row.arg_modes.chars().filter(|mode| *mode != ',');
    names.zip(modes).filter(|(_, mode)| matches!(mode, 'i' | 'b' | 'v')).map(|(name, _)| name).collect()
}

impl Binder<'_> {
    pub(crate) fn operator(&mut self, op: &ast::Operator, args: Vec<Expr>) -> Result<Expr> {
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
        let rows: Vec<&'static OperatorRow> = builtin::operators_by_name(name).filter(|o| o.kind == kind).collect();
        let types: Vec<[Oid; 2]> = rows.iter().map(|o| [o.left, o.right]).collect();
        let skip = 2 - args.len();
        let candidates: Vec<&[Oid]> = types.iter().map(|t| &t[skip..]).collect();
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let shown = || {
            let left = if skip == 1 { String::new() } else { format!("{} ", self.type_shown(actual[0])) };
            format!("{left}{name} {}", self.type_shown(actual[actual.len() - 1]))
        };
        match choose(&candidates, &actual) {
            Choice::One(i) => {
                let form = CallForm::Operator(rows[i].oid);
                let shown = shown();
                self.finish_call(rows[i].function, candidates[i], args, rows[i].result, form, pos, &shown)
            }
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
        let (args, ty) = self.convert(args, params, result, pos)?;
        Ok(Expr::new(ExprKind::Call { function, args, form }, ty, self.position(pos)))
    }

    /// Converts arguments to the types of `params`, polymorphic ones to what they stand for; the result's type then.
    fn convert(&mut self, args: Vec<Expr>, params: &[Oid], result: Oid, pos: Pos) -> Result<(Vec<Expr>, Oid)> {
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let Some((params, ty)) = polymorphic::settle(params, &actual, result) else {
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
        Ok((out, ty))
    }

    /// The built-in function `name` on `args`.
    pub(crate) fn named_function(&mut self, name: &str, args: Vec<Expr>, pos: Pos) -> Result<Expr> {
        self.choose_function(name, args, true, pos)
            .and_then(|(c, args, shown)| self.finish_function(&c, args, pos, &shown))
    }

    fn finish_function(&mut self, c: &Candidate, args: Vec<Expr>, pos: Pos, shown: &str) -> Result<Expr> {
        let args = self.with_defaults(c, args)?;
        let params: Vec<Oid> = if c.variadic { c.params.clone() } else { c.row.args.to_vec() };
        self.finish_call(c.row.oid, &params, args, c.row.result, CallForm::Function, pos, shown)
    }

    /// Adds the defaults of parameters that got no argument.
    fn with_defaults(&mut self, c: &Candidate, mut args: Vec<Expr>) -> Result<Vec<Expr>> {
        let missing = if c.variadic { 0 } else { c.row.args.len().saturating_sub(args.len()) };
        if missing == 0 {
            return Ok(args);
        }
        let list = format!("ROW({})", c.row.defaults);
        let ast::ExprKind::Row(row) = syntax::parse_expr(&list)?.kind else {
            return Err(SqlError::internal("defaults of a function are a list"));
        };
        let skip = row.fields.len().saturating_sub(missing);
        let scope = crate::Scope::default();
        for field in &row.fields[skip..] {
            let bound = self.expr(field, &mut Place::new(&scope, "DEFAULT"))?;
            args.push(Expr { position: 0, ..bound });
        }
        Ok(args)
    }

    /// Picks the function that a call of `name` means; the words it is named by in errors.
    fn choose_function(
        &mut self,
        name: &str,
        args: Vec<Expr>,
        expand: bool,
        pos: Pos,
    ) -> Result<(Candidate, Vec<Expr>, String)> {
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let types: Vec<String> = actual.iter().map(|&t| self.type_shown(t)).collect();
        let shown = format!("function {name}({})", types.join(", "));
        let mut candidates: Vec<Candidate> =
            builtin::procs_by_name(name).filter_map(|row| candidate(row, actual.len(), expand)).collect();
        // A function of just these parameters goes before one that repeats a VARIADIC one or uses defaults.
        candidates.sort_by_key(|c| (c.variadic, c.row.args.len()));
        let mut seen: Vec<Vec<Oid>> = Vec::new();
        candidates.retain(|c| {
            let fresh = !seen.contains(&c.params);
            seen.push(c.params.clone());
            fresh
        });
        // Arguments that do not agree on what a polymorphic parameter stands for do not match.
        candidates.retain(|c| polymorphic::settle(&c.params, &actual, c.row.result).is_some());
        let slices: Vec<&[Oid]> = candidates.iter().map(|c| &c.params[..]).collect();
        match choose(&slices, &actual) {
            Choice::One(i) => Ok((candidates.swap_remove(i), args, shown)),
            Choice::None => {
                let message = format!("{shown} does not exist");
                Err(self.error(SqlState::UNDEFINED_FUNCTION, message, pos).hint(
                    "No function matches the given name and argument types. You might need to add explicit type casts.",
                ))
            }
            Choice::Ambiguous => {
                let message = format!("{shown} is not unique");
                Err(self
                    .error(SqlState::AMBIGUOUS_FUNCTION, message, pos)
                    .hint("Could not choose a best candidate function. You might need to add explicit type casts."))
            }
        }
    }

    /// `left op ANY (array)`, or ALL.
    pub(crate) fn any_array(&mut self, left: Expr, operator: &str, all: bool, array: Expr, pos: Pos) -> Result<Expr> {
        let array = if array.ty == oid::UNKNOWN {
            let element = if left.ty == oid::UNKNOWN { oid::TEXT } else { left.ty };
            let ty = polymorphic::array_of(element).unwrap_or(oid::TEXT_ARRAY);
            self.settle_as(array, ty)?
        } else {
            array
        };
        let element = match array.ty {
            oid::INT2VECTOR => Some(oid::INT2),
            oid::OIDVECTOR => Some(oid::OID),
            ty => polymorphic::element_of(ty),
        };
        let Some(element) = element else {
            let message = "op ANY/ALL (array) requires array on right side";
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        };
        // What the operator makes of the element type decides; the array is converted as a whole.
        let stand_in = Expr::column(0, element, -1);
        let test = self.named_operator(operator, vec![left, stand_in], pos)?;
        let ExprKind::Call { function, mut args, form: CallForm::Operator(operator) } = test.kind else {
            return Err(SqlError::internal("an operator is a call"));
        };
        if test.ty != oid::BOOL {
            let message = "op ANY/ALL (array) requires operator to yield boolean";
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        let (right, left) = (args.pop(), args.pop());
        let (Some(left), Some(right)) = (left, right) else {
            return Err(SqlError::internal("an operator has operands"));
        };
        let array = if right.ty == element || array.ty == oid::INT2VECTOR || array.ty == oid::OIDVECTOR {
            array
        } else {
            let ty = polymorphic::array_of(right.ty).unwrap_or(array.ty);
            let from = array.ty;
            let converted = self.coerce(array, ty, -1, Context::Explicit)?;
            converted.ok_or_else(|| self.cannot_cast(from, ty).at(self.char_position(pos)))?
        };
        let kind = ExprKind::AnyArray { all, function, operator, args: Box::new([left, array]) };
        Ok(Expr::new(kind, oid::BOOL, self.position(pos)))
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
            return Err(self.unsupported("WITHIN GROUP", pos));
        }
        let builtin_schema = f.name.len() == 1 || &*f.name[0] == "pg_catalog";
        let is_aggregate = builtin_schema && builtin::procs_by_name(name).any(|r| r.kind == b'a');
        let sets = std::mem::take(&mut place.sets);
        let args = match (&f.over, is_aggregate) {
            (Some(_), _) => self.window_args(f, place),
            (None, true) => self.aggregate_args(f, place),
            (None, false) => self.plain_args(f, place),
        };
        place.sets = sets;
        let mut args = args?;
        if let Some(named) = f.args.iter().position(|a| a.name.is_some()) {
            args = self.in_order(f, name, named, args, pos)?;
        }
        // `type(x)` is a cast where there is no such function.
        let known = builtin_schema && builtin::procs_by_name(name).any(|r| r.args.len() == args.len());
        if let (false, [_], Some(ty)) = (known || f.over.is_some(), &args[..], builtin::type_by_name(name)) {
            let arg = args.remove(0);
            let from = arg.ty;
            let bound = self.coerce(arg, ty.oid, -1, Context::Explicit)?;
            return bound.ok_or_else(|| self.cannot_cast(from, ty.oid).at(self.char_position(pos)));
        }
        if !builtin_schema {
            let types: Vec<String> = args.iter().map(|a| self.type_shown(a.ty)).collect();
            let shown = f.name.iter().map(|n| &**n).collect::<Vec<_>>().join(".");
            let message = format!("function {shown}({}) does not exist", types.join(", "));
            return Err(self.error(SqlState::UNDEFINED_FUNCTION, message, pos).hint(
                "No function matches the given name and argument types. You might need to add explicit type casts.",
            ));
        }
        let (chosen, args, shown) = self.choose_function(name, args, !f.variadic, pos)?;
        if let Some(over) = &f.over {
            return self.over(f, over, &chosen, args, pos, place, &shown);
        }
        if chosen.row.kind == b'w' {
            let message = format!("window function {name} requires an OVER clause");
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        if chosen.row.kind != b'a' {
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
            if chosen.row.returns_set && !place.sets && matches!(place.clause, "aggregate" | "window") {
                let message = format!("{} function calls cannot contain set-returning function calls", place.clause);
                return Err(self
                    .error(SqlState::FEATURE_NOT_SUPPORTED, message, pos)
                    .hint("You might be able to move the set-returning function into a LATERAL FROM item."));
            }
            if chosen.row.returns_set && !place.sets {
                let message = format!("set-returning functions are not allowed in {}", place.clause);
                return Err(self.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos));
            }
            if chosen.row.returns_set && functions::set_function(chosen.row.oid).is_none() {
                return Err(self.unsupported(&shown, pos));
            }
            if returns_set(chosen.row.oid) {
                let args = self.with_defaults(&chosen, args)?;
                let params: Vec<Oid> = if chosen.variadic { chosen.params } else { chosen.row.args.to_vec() };
                let (args, ty) = self.convert(args, &params, chosen.row.result, pos)?;
                let kind = ExprKind::Call { function: chosen.row.oid, args, form: CallForm::Function };
                return Ok(Expr::new(kind, ty, self.position(pos)));
            }
            return self.finish_function(&chosen, args, pos, &shown);
        }
        self.aggregate(f, &chosen, args, pos, place, &shown)
    }

    /// Arguments given by name, put where the parameters of these names stand; gaps get their defaults.
    fn in_order(
        &mut self,
        f: &ast::FuncCall,
        name: &str,
        named: usize,
        args: Vec<Expr>,
        pos: Pos,
    ) -> Result<Vec<Expr>> {
        if let Some(late) = f.args[named..].iter().find(|a| a.name.is_none()) {
            let message = "positional argument cannot follow named argument";
            return Err(self.error(SqlState::SYNTAX_ERROR, message, late.value.pos));
        }
        let names: Vec<&str> = f.args[named..].iter().filter_map(|a| a.name.as_ref()).map(|n| n.as_str()).collect();
        if let Some(twice) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
            let message = format!("argument name \"{}\" used more than once", names[twice]);
            return Err(self.error(SqlState::SYNTAX_ERROR, message, f.args[named + twice].location()));
        }
        for row in builtin::procs_by_name(name) {
            let parameters = input_names(row);
            let count = row.args.len();
            let places: Option<Vec<usize>> = names
                .iter()
                .map(|name| parameters.iter().position(|p| p == name).filter(|place| (named..count).contains(place)))
                .collect();
            let Some(places) = places else { continue };
            let first_default = count - usize::from(row.default_count);
            if (named..first_default).any(|i| !places.contains(&i)) {
                continue;
            }
            let defaults = Candidate { row, params: row.args[..first_default].to_vec(), variadic: false };
            let dummies: Vec<Expr> = (0..first_default).map(|i| Expr::column(i, oid::UNKNOWN, -1)).collect();
            let mut full = self.with_defaults(&defaults, dummies)?;
            for (i, arg) in args.into_iter().enumerate() {
                let place = if i < named { i } else { places[i - named] };
                full[place] = arg;
            }
            return Ok(full);
        }
        let types = args.iter().enumerate().map(|(i, arg)| match i.checked_sub(named) {
            Some(i) => format!("{} => {}", names[i], self.type_shown(arg.ty)),
            None => self.type_shown(arg.ty),
        });
        let message = format!("function {name}({}) does not exist", types.collect::<Vec<_>>().join(", "));
        Err(self
            .error(SqlState::UNDEFINED_FUNCTION, message, pos)
            .hint("No function matches the given name and argument types. You might need to add explicit type casts."))
    }

    fn plain_args(&mut self, f: &ast::FuncCall, place: &mut Place<'_>) -> Result<Vec<Expr>> {
        f.args.iter().map(|a| self.expr(&a.value, place)).collect()
    }

    /// Arguments of an aggregate see the rows, not other aggregates.
    fn aggregate_args(&mut self, f: &ast::FuncCall, place: &mut Place<'_>) -> Result<Vec<Expr>> {
        let mut inner = Place::new(place.scope, "aggregate");
        f.args.iter().map(|a| self.expr(&a.value, &mut inner)).collect()
    }

    /// Arguments of a call over a window see aggregates, not other such calls.
    fn window_args(&mut self, f: &ast::FuncCall, place: &mut Place<'_>) -> Result<Vec<Expr>> {
        let (uses, clause) = (place.windows.take(), place.clause);
        // What may not stand here at all is said first of the outermost.
        place.clause = if uses.is_some() { "window" } else { clause };
        let args = self.plain_args(f, place);
        (place.windows, place.clause) = (uses, clause);
        args
    }

    /// A call over a window.
    #[allow(clippy::too_many_arguments, reason = "each is a part of the call")]
    fn over(
        &mut self,
        f: &ast::FuncCall,
        over: &ast::Over,
        chosen: &Candidate,
        args: Vec<Expr>,
        pos: Pos,
        place: &mut Place<'_>,
        shown: &str,
    ) -> Result<Expr> {
        let name = f.name.last().map_or("", |n| &**n);
        let aggregate = chosen.row.kind == b'a';
        let refused = |b: &Self, message: &str| Err(b.error(SqlState::FEATURE_NOT_SUPPORTED, message, pos));
        if !aggregate && chosen.row.kind != b'w' {
            let message = format!("OVER specified, but {name} is not a window function nor an aggregate function");
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        if aggregate && !functions::aggregate::is_implemented(chosen.row.oid) {
            return Err(self.unsupported(&format!("aggregate {shown}"), pos));
        }
        if f.distinct {
            return refused(self, "DISTINCT is not implemented for window functions");
        }
        if aggregate && args.is_empty() && !f.star {
            let message = format!("{name}(*) must be used to call a parameterless aggregate function");
            return Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos));
        }
        if !f.order_by.is_empty() {
            return refused(self, "aggregate ORDER BY is not implemented for window functions");
        }
        if !aggregate && f.filter.is_some() {
            return refused(self, "FILTER is not implemented for non-aggregate window functions");
        }
        if place.windows.is_none() {
            return Err(self.no_window_here(place.clause, pos));
        }
        let (args, ty) = self.convert(args, &chosen.params, chosen.row.result, pos)?;
        let args = args.into_iter().map(|a| self.settle(a)).collect::<Result<Vec<_>>>()?;
        let mut inner = Place::new(place.scope, "FILTER");
        let filter = f.filter.as_ref().map(|filter| self.condition(filter, &mut inner)).transpose()?;
        let position = self.position(pos);
        let call = WindowCall { function: chosen.row.oid, aggregate, args, filter, ty };
        let uses = place.windows.get_or_insert_default();
        uses.push(WindowUse { call, over: over.clone() });
        Ok(Expr::new(ExprKind::Column(WINDOWS + uses.len() - 1), ty, position))
    }

    fn aggregate(
        &mut self,
        f: &ast::FuncCall,
        chosen: &Candidate,
        args: Vec<Expr>,
        pos: Pos,
        place: &mut Place<'_>,
        shown: &str,
    ) -> Result<Expr> {
        if !functions::aggregate::is_implemented(chosen.row.oid) {
            return Err(self.unsupported(&format!("aggregate {shown}"), pos));
        }
        let (args, ty) = self.convert(args, &chosen.params, chosen.row.result, pos)?;
        // An aggregate over nothing but outer columns belongs to the outer query.
        let mut reads = (false, false);
        args.iter().for_each(|a| {
            a.visit(&mut |e| match e.kind {
                ExprKind::Column(_) => reads.0 = true,
                ExprKind::Slot(_) => reads.1 = true,
                _ => {}
            });
        });
        if reads == (false, true) {
            return Err(self.unsupported("an aggregate of an outer query", pos));
        }
        let mut inner = Place::new(place.scope, "FILTER");
        let filter = f.filter.as_ref().map(|filter| self.condition(filter, &mut inner)).transpose()?;
        let mut order = Vec::new();
        for by in &f.order_by {
            let bound = self.expr(&by.expr, &mut Place::new(place.scope, "aggregate ORDER BY"))?;
            let bound = self.settle(bound)?;
            if f.distinct && !args.iter().any(|a| a.same(&bound)) {
                let message = "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list";
                return Err(self.error(SqlState::INVALID_COLUMN_REFERENCE, message, by.expr.location()));
            }
            order.push(self.sort_key(by, bound)?);
        }
        let position = self.position(pos);
        let Some(calls) = &mut place.aggregates else {
            let message = match place.clause {
                "aggregate" => "aggregate function calls cannot be nested".to_owned(),
                clause => format!("aggregate functions are not allowed in {}", clause_words(clause)),
            };
            return Err(self.error(SqlState::GROUPING_ERROR, message, pos));
        };
        let call = AggregateCall { function: chosen.row.oid, args, distinct: f.distinct, order, filter, ty };
        let index = calls.iter().position(|c| *c == call).unwrap_or_else(|| {
            calls.push(call);
            calls.len() - 1
        });
        Ok(Expr::new(ExprKind::Column(AGGREGATES + index), ty, position))
    }
}
