//! Bodies of functions that users made in SQL: their statements bound, and simple ones put in the place of their calls.

use std::sync::Arc;

use catalog::{FunctionInfo, Image};
use plan::{Expr, ExprKind, Node, OutputColumn, Routine};
use syntax::ast::{Select, SelectBody, Statement, StatementKind};
use types::{IoSettings, Oid, Result, SqlError, SqlState, oid};

use crate::coerce::Context;
use crate::expr::Place;
use crate::query::Bound;
use crate::{Binder, Names, Scope};

/// How deep calls inside of calls are put in their places.
const INLINE_MAX: usize = 16;

/// The arguments that names in the body of a function can mean.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// The function's name.
    pub function: String,
    /// Their names, empty where there is none.
    pub names: Vec<String>,
    /// Their types.
    pub types: Vec<Oid>,
}

/// What a function's last statement is to its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Nothing.
    Nothing,
    /// Its only column.
    Value,
    /// Its row.
    Row,
}

/// A statement of a body.
pub struct BoundStatement {
    /// Its plan, not optimized.
    pub node: Node,
    /// What it is called in errors.
    pub word: &'static str,
    /// Views that it reads.
    pub views: Vec<Oid>,
    /// Functions of users that it calls, those gone from its plan too.
    pub routines: Vec<Oid>,
}

/// The statements of a function.
pub struct BoundBody {
    /// They.
    pub statements: Vec<BoundStatement>,
    /// What the last one is.
    pub returns: Returns,
}

/// What a body's statements are made of.
pub struct BodySource {
    /// The text.
    pub text: Arc<str>,
    /// Where its names are looked up, if not where the caller looks.
    pub path: Option<Vec<Oid>>,
}

/// The text of a function's statements.
pub fn source_of(info: &FunctionInfo) -> BodySource {
    let Some(body) = &info.body else { return BodySource { text: info.source.clone(), path: None } };
    let (head, text) = body.split_once('\n').unwrap_or(("", body));
    let path = head.split(' ').skip(1).filter_map(|n| n.parse().ok()).map(Oid).collect();
    BodySource { text: text.into(), path: Some(path) }
}

/// What a statement is called in errors.
fn word_of(kind: &StatementKind) -> Option<&'static str> {
    Some(match kind {
        StatementKind::Select(_) => "SELECT",
        StatementKind::Insert(_) => "INSERT",
        StatementKind::Update(_) => "UPDATE",
        StatementKind::Delete(_) => "DELETE",
        StatementKind::Merge(_) => "MERGE",
        _ => return None,
    })
}

/// `42P13`: the last statement is not what the function was declared to return.
fn mismatch(names: &Names<'_>, result: Oid, detail: impl Into<String>) -> SqlError {
    let shown = types::io::TypeLookup::type_name(names, result);
    let message = format!("return type mismatch in function declared to return {shown}");
    SqlError::new(SqlState::INVALID_FUNCTION_DEFINITION, message).detail(detail)
}

/// Binds the body of a function as `routine` calls it; names are looked up in `path`. An error comes with the number of its statement, 0
/// where it is of none.
///
/// # Errors
/// What binding says; `42P13` when it does not return what it is declared to.
pub fn bind_body(
    image: &Image,
    settings: &IoSettings,
    path: &[Oid],
    info: &FunctionInfo,
    routine: &Routine,
) -> std::result::Result<BoundBody, (usize, SqlError)> {
    let source = source_of(info);
    let path = source.path.as_deref().unwrap_or(path);
    let statements = syntax::parse(&source.text).map_err(|e| (0, e))?;
    let arguments = Arc::new(Arguments {
        function: info.name.clone(),
        names: info.input_names().into_iter().map(str::to_owned).collect(),
        types: routine.args.clone(),
    });
    let (mut bound, mut last) = (Vec::new(), None);
    for (i, statement) in statements.iter().enumerate() {
        let mut binder = Binder::new(image, &source.text, settings, path);
        binder.params.clone_from(&routine.args);
        binder.arguments = Some(arguments.clone());
        let Some(word) = word_of(&statement.kind) else {
            let what = format!("{} in an SQL function", statement.kind.name());
            return Err((i + 1, SqlError::unsupported(what)));
        };
        let outcome = match &statement.kind {
            StatementKind::Select(s) => binder.query(s),
            StatementKind::Insert(s) => binder.insert(s),
            StatementKind::Update(s) => binder.update(s),
            StatementKind::Delete(s) => binder.delete(s),
            StatementKind::Merge(s) => binder.merge(s),
            _ => Err(SqlError::internal("just seen")),
        };
        let Bound { node, columns } = outcome.map_err(|e| (i + 1, e))?;
        last = Some(columns);
        bound.push(BoundStatement { node, word, views: binder.views, routines: binder.routines });
    }
    let names = Names { image, search_path: path };
    let returns = conform(&names, settings, routine, info.kind == b'p', &mut bound, last);
    let returns = returns.map_err(|e| (statements.len(), e))?;
    Ok(BoundBody { statements: bound, returns })
}

/// Makes the last statement yield what the function returns.
fn conform(
    names: &Names<'_>,
    settings: &IoSettings,
    routine: &Routine,
    procedure: bool,
    bound: &mut [BoundStatement],
    last: Option<Vec<OutputColumn>>,
) -> Result<Returns> {
    let result = routine.result;
    if result == oid::VOID {
        return Ok(Returns::Nothing);
    }
    let columns = match last {
        Some(columns) if !(columns.is_empty() && bound.last().is_some_and(|b| b.word != "SELECT")) => columns,
        _ => {
            let detail = "Function's final statement must be SELECT or INSERT/UPDATE/DELETE/MERGE RETURNING.";
            return Err(mismatch(names, result, detail));
        }
    };
    let Some(statement) = bound.last_mut() else { return Err(SqlError::internal("there is a last statement")) };
    let base = names.image.base_type(result).0;
    let is_row = base == oid::RECORD || catalog::builtin::type_by_oid(base).is_some_and(|t| t.kind == b'c');
    let column = |i: usize| Expr::column(i, columns[i].ty, columns[i].typmod);
    let convert = |i: usize, target: Oid, typmod: i32| {
        crate::coerce::coerce_with(column(i), target, typmod, Context::Assignment, settings, names)
    };
    let shown = |ty: Oid| types::io::TypeLookup::type_name(names, ty);
    if !is_row {
        if columns.len() != 1 {
            return Err(mismatch(names, result, "Final statement must return exactly one column."));
        }
        let Some(e) = convert(0, result, -1)? else {
            let detail = format!("Actual return type is {}.", shown(columns[0].ty));
            return Err(mismatch(names, result, detail));
        };
        project(&mut statement.node, vec![e]);
        return Ok(Returns::Value);
    }
    // The whole row as one column.
    if columns.len() == 1
        && !procedure
        && (columns[0].ty == result || (base != oid::RECORD && names.image.base_type(columns[0].ty).0 == base))
        && let Some(e) = convert(0, result, -1)?
    {
        project(&mut statement.node, vec![e]);
        return Ok(Returns::Value);
    }
    if routine.columns.is_empty() {
        return Ok(Returns::Row);
    }
    let mut exprs = Vec::with_capacity(routine.columns.len());
    for (i, c) in columns.iter().enumerate() {
        let Some((_, ty, typmod)) = routine.columns.get(i) else {
            return Err(mismatch(names, result, "Final statement returns too many columns."));
        };
        let Some(e) = convert(i, *ty, *typmod)? else {
            let detail =
                format!("Final statement returns {} instead of {} at column {}.", shown(c.ty), shown(*ty), i + 1);
            return Err(mismatch(names, result, detail));
        };
        exprs.push(e);
    }
    if exprs.len() < routine.columns.len() {
        return Err(mismatch(names, result, "Final statement returns too few columns."));
    }
    project(&mut statement.node, exprs);
    Ok(Returns::Row)
}

/// Puts `exprs` over the rows of `node`, if they are more than its columns.
fn project(node: &mut Node, exprs: Vec<Expr>) {
    let same = node.types().len() == exprs.len()
        && exprs.iter().enumerate().all(|(i, e)| matches!(e.kind, ExprKind::Column(c) if c == i));
    if !same {
        let input = Box::new(std::mem::replace(node, Node::one_row()));
        *node = Node::Project { input, exprs };
    }
}

/// The only expression of a query that is nothing else.
fn only_target(select: &Select) -> Option<&syntax::ast::Expr> {
    let SelectBody::Query(core) = &select.body else { return None };
    let plain = select.with.is_none()
        && select.order_by.is_empty()
        && select.limit.is_none()
        && select.locking.is_empty()
        && core.from.is_empty()
        && core.where_clause.is_none()
        && core.group_by.is_empty()
        && core.having.is_none()
        && core.windows.is_empty()
        && core.into.is_none()
        && core.distinct == syntax::ast::Distinct::All
        && core.targets.len() == 1;
    core.targets.first().filter(|_| plain).map(|t| &t.expr)
}

impl Binder<'_> {
    /// What stands in the place of `call`: the body of the function where that is one expression and means the same, else the call.
    pub(crate) fn inlined(&mut self, info: &Arc<FunctionInfo>, call: Expr) -> Result<Expr> {
        // What is printed keeps its calls.
        if self.kept || self.texts.is_some() || self.inlining >= INLINE_MAX {
            return Ok(call);
        }
        match self.inline(info, &call) {
            Ok(Some(e)) => match folded(&e) {
                Some(Err(error)) => Err(error.context(format!("SQL function \"{}\" during inlining", info.name))),
                _ => Ok(e),
            },
            // What is wrong with the body is told when it is run.
            Ok(None) | Err(_) => Ok(call),
        }
    }

    fn inline(&mut self, info: &Arc<FunctionInfo>, call: &Expr) -> Result<Option<Expr>> {
        let ExprKind::Routine { routine, args, .. } = &call.kind else { return Ok(None) };
        let base = self.image.base_type(routine.result).0;
        let plain = info.language == catalog::function::SQL_LANGUAGE
            && info.kind == b'f'
            && !info.security_definer
            && !info.returns_set
            && info.config.is_empty()
            && base != oid::RECORD
            && base != oid::VOID
            && routine.columns.is_empty();
        if !plain {
            return Ok(None);
        }
        let source = source_of(info);
        let statements = syntax::parse(&source.text)?;
        let [Statement { kind: StatementKind::Select(select), .. }] = &statements[..] else { return Ok(None) };
        let Some(target) = only_target(select) else { return Ok(None) };
        let settings = self.settings;
        let path: Vec<Oid> = source.path.unwrap_or_else(|| self.search_path.to_vec());
        let mut binder = Binder::new(self.image, &source.text, settings, &path);
        binder.params = routine.args.clone();
        binder.arguments = Some(Arc::new(Arguments {
            function: info.name.clone(),
            names: info.input_names().into_iter().map(str::to_owned).collect(),
            types: routine.args.clone(),
        }));
        binder.inlining = self.inlining + 1;
        binder.depth = self.depth;
        let scope = Scope::default();
        let bound = binder.expr(target, &mut Place::new(&scope, "SELECT"))?;
        let bound = binder.settle(bound)?;
        let Some(mut body) = binder.coerce(bound, routine.result, -1, Context::Assignment)? else { return Ok(None) };
        // It must promise no less than the function does.
        let mut fits = true;
        let mut uses = vec![0usize; args.len()];
        let mut strict = vec![false; args.len()];
        body.visit(&mut |e| match &e.kind {
            ExprKind::Param(i) => {
                if let Some(count) = uses.get_mut(*i) {
                    *count += 1;
                }
            }
            ExprKind::Subquery(_) => fits = false,
            ExprKind::Routine { routine, .. } => fits &= routine.oid != info.oid && !routine.returns_set,
            _ => {}
        });
        fits &= match info.volatility {
            b'i' => !crate::rules::is_mutable(&body),
            b's' => !crate::rules::is_volatile(&body),
            _ => true,
        };
        if info.strict {
            never_null(&body, &mut strict);
            fits &= strict.iter().all(|s| *s) && !can_hide_null(&body);
        }
        for (arg, &count) in args.iter().zip(&uses) {
            let cheap =
                matches!(arg.kind, ExprKind::Const(_) | ExprKind::Column(_) | ExprKind::Param(_) | ExprKind::Slot(_));
            let mut query = false;
            arg.visit(&mut |e| query |= matches!(e.kind, ExprKind::Subquery(_)));
            fits &= match count {
                1 => true,
                // An argument that is never looked at would never be computed.
                0 => cheap || !crate::rules::is_volatile(arg) && !query,
                _ => cheap,
            };
        }
        if !fits {
            return Ok(None);
        }
        substitute(&mut body, args);
        body.visit_mut(&mut |e| e.position = 0);
        self.routines.append(&mut binder.routines);
        Ok(Some(Expr { position: call.position, ..body }))
    }
}

/// The value of calls of immutable built-in functions on constants; `None` where there is anything else.
fn folded(e: &Expr) -> Option<Result<types::Datum>> {
    match &e.kind {
        ExprKind::Const(d) => Some(Ok(d.clone())),
        ExprKind::Call { function, args, .. } => {
            let row = catalog::builtin::proc_by_oid(*function)?;
            if row.volatility != b'i' || row.returns_set {
                return None;
            }
            let mut values = Vec::with_capacity(args.len());
            for arg in args {
                match folded(arg)? {
                    Ok(value) => values.push(value),
                    Err(e) => return Some(Err(e)),
                }
            }
            let callable = functions::lookup(*function)?;
            if callable.is_strict() && values.iter().any(types::Datum::is_null) {
                return Some(Ok(types::Datum::Null));
            }
            let types: Vec<Oid> = args.iter().map(|a| a.ty).collect();
            let (mut host, settings) = (ext::NoHost, IoSettings::default());
            let lookup = types::io::BuiltinTypes;
            let mut call = ext::Call::new(&mut host, &settings, &lookup).typed(&types, e.ty);
            Some(callable.scalar(&mut call, &values))
        }
        _ => None,
    }
}

/// Notes the parameters that make `e` NULL when they are.
fn never_null(e: &Expr, strict: &mut [bool]) {
    match &e.kind {
        ExprKind::Param(i) => {
            if let Some(s) = strict.get_mut(*i) {
                *s = true;
            }
        }
        ExprKind::Call { function, args, .. } if catalog::builtin::proc_by_oid(*function).is_some_and(|p| p.strict) => {
            args.iter().for_each(|a| never_null(a, strict));
        }
        ExprKind::CastByText { arg, .. } | ExprKind::Coerce { arg, .. } => never_null(arg, strict),
        _ => {}
    }
}

/// Whether anything in `e` may make something of a NULL.
fn can_hide_null(e: &Expr) -> bool {
    let mut hides = false;
    e.visit(&mut |e| {
        hides |= match &e.kind {
            ExprKind::Param(_) | ExprKind::Const(_) | ExprKind::CastByText { .. } | ExprKind::Coerce { .. } => false,
            ExprKind::Call { function, .. } => catalog::builtin::proc_by_oid(*function).is_none_or(|p| !p.strict),
            _ => true,
        };
    });
    hides
}

/// Puts arguments in the places of parameters.
fn substitute(e: &mut Expr, args: &[Expr]) {
    if let ExprKind::Param(i) = e.kind {
        if let Some(arg) = args.get(i) {
            *e = arg.clone();
        }
        return;
    }
    e.children_mut().into_iter().for_each(|c| substitute(c, args));
}

impl Binder<'_> {
    /// From here on the body of a function is bound.
    pub fn for_function(&mut self, function: &str, names: Vec<String>, types: Vec<Oid>) {
        self.params.clone_from(&types);
        self.arguments = Some(Arc::new(Arguments { function: function.to_owned(), names, types }));
    }

    /// Binds what RETURN returns, and prints it as it is kept.
    ///
    /// # Errors
    /// What binding says.
    pub fn return_text(&mut self, e: &syntax::ast::Expr) -> Result<String> {
        let scope = Scope::default();
        self.kept = true;
        let bound = self.expr(e, &mut Place::new(&scope, "SELECT"))?;
        let bound = self.settle(bound)?;
        self.qualified(&bound, &[])
    }

    /// What a function kept by [`Binder::return_text`] returns, as the current search path shows it.
    ///
    /// # Errors
    /// When it does not bind any more: a damaged catalog.
    pub fn return_shown(&self, info: &FunctionInfo) -> Result<String> {
        let source = source_of(info);
        let statements = syntax::parse(&source.text)?;
        let Some(Statement { kind: StatementKind::Select(select), .. }) = statements.first() else {
            return Err(SqlError::internal("RETURN is kept as a query"));
        };
        let Some(target) = only_target(select) else { return Err(SqlError::internal("RETURN returns one value")) };
        let settings = IoSettings::default();
        let mut binder = Binder::new(self.image, &source.text, &settings, &[]);
        binder.kept = true;
        let names: Vec<String> = info.input_names().into_iter().map(str::to_owned).collect();
        binder.for_function(&info.name, names.clone(), info.args.clone());
        let scope = Scope::default();
        let mut bound = binder.expr(target, &mut Place::new(&scope, "SELECT"))?;
        bound.visit_mut(&mut |e| {
            if let ExprKind::Param(i) = e.kind
                && names.get(i).is_some_and(|n| !n.is_empty())
            {
                e.kind = ExprKind::Column(i);
            }
        });
        let lookup = self.names();
        crate::Deparser { columns: &names, names: &lookup, pretty: false, query: None, settings: None }.expr(&bound)
    }

    /// The statements of BEGIN ATOMIC as they are shown: as they were written.
    pub fn atomic_shown(&self, info: &FunctionInfo) -> String {
        let source = source_of(info);
        let Ok(statements) = syntax::parse(&source.text) else { return String::new() };
        statements.iter().map(|s| format!(" {};\n", s.span.text(&source.text))).collect()
    }

    /// The default of a parameter of type `ty`, as it is kept.
    ///
    /// # Errors
    /// What binding says; what PostgreSQL forbids in one.
    pub fn argument_default(&mut self, e: &syntax::ast::Expr, ty: Oid) -> Result<String> {
        let scope = Scope::default();
        self.kept = true;
        let bound = self.expr(e, &mut Place::new(&scope, "DEFAULT expressions")).map_err(|e| match e.state() {
            SqlState::UNDEFINED_COLUMN | SqlState::UNDEFINED_TABLE => e,
            _ => e,
        })?;
        let from = bound.ty;
        let done = match crate::polymorphic::is_polymorphic(ty) {
            true => Some(self.settle(bound)?),
            false => self.coerce(bound, ty, -1, Context::Assignment)?,
        };
        let done = done.ok_or_else(|| {
            let (ty, from) = (self.type_shown(ty), self.type_shown(from));
            let message = format!("argument of DEFAULT must be type {ty}, not type {from}");
            self.error(SqlState::DATATYPE_MISMATCH, message, e.location())
        })?;
        self.qualified(&done, &[])
    }

    /// The procedure that CALL calls, and its arguments.
    ///
    /// # Errors
    /// `42883`, `42809`; what binding arguments says.
    pub fn procedure_call(&mut self, f: &syntax::ast::FuncCall, pos: syntax::ast::Pos) -> Result<(Routine, Vec<Expr>)> {
        let name = f.name.last().map_or("", |n| n.as_str());
        let schema = f.name.len().checked_sub(2).map(|i| f.name[i].as_str());
        let scope = Scope::default();
        let mut place = Place::new(&scope, "CALL arguments");
        let mut args = Vec::with_capacity(f.args.len());
        for arg in &f.args {
            args.push(self.expr(&arg.value, &mut place)?);
        }
        let procs = crate::Proc::named(self.image, schema, name, self.search_path);
        let mut found: Vec<(Arc<FunctionInfo>, Vec<usize>, Vec<Oid>)> = Vec::new();
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        for proc in &procs {
            let crate::Proc::User(info) = proc else { continue };
            if info.kind != b'p' {
                continue;
            }
            if let Some(places) = placed(info, f) {
                let params = places.iter().map(|&p| info.all_args[p]).collect();
                found.push(((*info).clone(), places, params));
            }
        }
        let candidates: Vec<&[Oid]> = found.iter().map(|c| &c.2[..]).collect();
        let given: Vec<String> = actual.iter().map(|&t| self.type_shown(t)).collect();
        let prefix = schema.map_or(String::new(), |s| format!("{s}."));
        let shown = format!("{prefix}{name}({})", given.join(", "));
        match crate::resolve::choose(self.image, &candidates, &actual) {
            crate::resolve::Choice::One(i) => {
                let (info, places, params) = found.swap_remove(i);
                self.finish_procedure(&info, &places, &params, args, pos)
            }
            crate::resolve::Choice::Ambiguous => {
                let message = format!("procedure {shown} is not unique");
                Err(self
                    .error(SqlState::AMBIGUOUS_FUNCTION, message, pos)
                    .hint("Could not choose a best candidate procedure. You might need to add explicit type casts."))
            }
            crate::resolve::Choice::None if procs.iter().any(|p| p.kind() != b'p' && p.args().len() == args.len()) => {
                let message = format!("{shown} is not a procedure");
                Err(self.error(SqlState::WRONG_OBJECT_TYPE, message, pos).hint("To call a function, use SELECT."))
            }
            crate::resolve::Choice::None => {
                let message = format!("procedure {shown} does not exist");
                Err(self.error(SqlState::UNDEFINED_FUNCTION, message, pos).hint(
                    "No procedure matches the given name and argument types. You might need to add explicit type casts.",
                ))
            }
        }
    }

    fn finish_procedure(
        &mut self,
        info: &Arc<FunctionInfo>,
        places: &[usize],
        params: &[Oid],
        args: Vec<Expr>,
        pos: syntax::ast::Pos,
    ) -> Result<(Routine, Vec<Expr>)> {
        let actual: Vec<Oid> = args.iter().map(|a| a.ty).collect();
        let outputs = info.outputs();
        let wanted: Vec<Oid> = outputs.iter().map(|o| o.1).collect();
        let settled = crate::polymorphic::settle(self.image, params, &actual, &wanted);
        let (params, results) = settled.ok_or_else(|| self.unsupported("this polymorphic call", pos))?;
        let mut full: Vec<Option<Expr>> = vec![None; info.all_args.len()];
        for ((arg, &place), ty) in args.into_iter().zip(places).zip(params) {
            let from = arg.ty;
            // What stands for an OUT parameter is not computed.
            let done = match info.mode(place) {
                b'o' => Some(Expr::null(ty)),
                _ => self.coerce(arg, ty, -1, Context::Implicit)?,
            };
            full[place] = Some(done.ok_or_else(|| self.cannot_cast(from, ty))?);
        }
        let list = format!("ROW({})", info.defaults);
        let syntax::ast::ExprKind::Row(row) = syntax::parse_expr(&list)?.kind else {
            return Err(SqlError::internal("defaults of a procedure are a list"));
        };
        let settings = IoSettings::default();
        let scope = Scope::default();
        let (mut inputs, mut input) = (Vec::new(), 0usize);
        let first = info.args.len() - row.fields.len().min(info.args.len());
        for (i, value) in full.into_iter().enumerate() {
            if !matches!(info.mode(i), b'i' | b'b' | b'v') {
                continue;
            }
            let value = match value {
                Some(value) => value,
                None => {
                    let field = input.checked_sub(first).and_then(|n| row.fields.get(n));
                    let Some(field) = field else { return Err(SqlError::internal("a parameter without default")) };
                    let mut binder = Binder::new(self.image, &list, &settings, &[]);
                    binder.expr(field, &mut Place::new(&scope, "DEFAULT"))?
                }
            };
            inputs.push(value);
            input += 1;
        }
        self.routines.push(info.oid);
        let columns = outputs.into_iter().zip(results).enumerate();
        let columns = columns
            .map(|(i, ((n, _), t))| (if n.is_empty() { format!("column{}", i + 1) } else { n }, t, -1))
            .collect();
        let types = inputs.iter().map(|a| a.ty).collect();
        Ok((crate::call::routine_of(info, types, info.result, columns), inputs))
    }
}

/// Where the arguments of a call go among all parameters of a procedure; `None` when they do not fit.
fn placed(info: &FunctionInfo, f: &syntax::ast::FuncCall) -> Option<Vec<usize>> {
    let total = info.all_args.len();
    let mut places = Vec::new();
    for (i, arg) in f.args.iter().enumerate() {
        let place = match &arg.name {
            None => i,
            Some(name) => info.names.iter().position(|n| n == name.as_str())?,
        };
        if place >= total || places.contains(&place) {
            return None;
        }
        places.push(place);
    }
    let inputs: Vec<usize> = (0..total).filter(|&i| matches!(info.mode(i), b'i' | b'b' | b'v')).collect();
    let first_default = inputs.len() - info.default_count.min(inputs.len());
    let missing = |i: usize| !places.contains(&i);
    let lacking = (0..total).filter(|&i| missing(i)).any(|i| match inputs.iter().position(|&p| p == i) {
        Some(n) => n < first_default,
        // Every OUT parameter has its argument.
        None => true,
    });
    (!lacking).then_some(places)
}
