//! Coercion: from one type to another, implicitly, by assignment, or by an explicit cast (manual §10.4, CREATE CAST).

use std::sync::Arc;

use catalog::{Image, builtin};
use plan::{CallForm, DomainRules, Expr, ExprKind, ValueCheck};
use types::io::TypeLookup;
use types::{Datum, IoSettings, Oid, Result, SqlError, SqlState, oid};

use crate::{Names, polymorphic};

/// What kind of place asks for the conversion; later ones allow more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Context {
    /// An operand or argument.
    Implicit,
    /// A value stored into a column.
    Assignment,
    /// `CAST`.
    Explicit,
}

/// A type's name as error messages show it.
pub fn format_type(ty: Oid) -> String {
    if let Some(name) = types::typmod::format_type(ty, -1) {
        return name;
    }
    types::io::builtin_name(ty)
        .map_or_else(|| builtin::type_by_oid(ty).map_or_else(|| ty.to_string(), |t| t.name.to_owned()), str::to_owned)
}

/// How a conversion is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Path {
    /// The bytes stay as they are.
    Relabel,
    /// By a function.
    Function(Oid),
    /// By text output and input.
    ByText,
}

/// Whether and how `source` becomes `target` in `context`; a domain does as what it is over.
pub(crate) fn find_path(image: &Image, source: Oid, target: Oid, context: Context) -> Option<Path> {
    if source == target {
        return Some(Path::Relabel);
    }
    if let Some(cast) = image.cast(source, target) {
        return path_of(context, cast.context, cast.method, cast.function);
    }
    let (source, target) = (image.base_type(source).0, image.base_type(target).0);
    if source == target {
        return Some(Path::Relabel);
    }
    if let Some(cast) = image.cast(source, target) {
        return path_of(context, cast.context, cast.method, cast.function);
    }
    if let Some(cast) = builtin::cast(source, target) {
        return path_of(context, cast.context, cast.method, cast.function);
    }
    let is_row = |ty: Oid| builtin::type_by_oid(ty).is_some_and(|t| t.kind == b'c');
    if target == oid::RECORD && is_row(source) {
        return Some(Path::Relabel);
    }
    if target == oid::RECORD_ARRAY && polymorphic::element_of(source).is_some_and(is_row) {
        return Some(Path::Relabel);
    }
    // Vectors are arrays already.
    if matches!((source, target), (oid::OIDVECTOR, oid::OID_ARRAY) | (oid::INT2VECTOR, oid::INT2_ARRAY)) {
        return Some(Path::Relabel);
    }
    // An array becomes another as its elements do; but nothing a vector, which would draw what should go to real arrays.
    if !matches!(target, oid::OIDVECTOR | oid::INT2VECTOR)
        && let (Some(from), Some(to)) = (polymorphic::element_of(source), polymorphic::element_of(target))
        && find_path(image, from, to, context).is_some()
    {
        return Some(Path::ByText);
    }
    let category = |ty: Oid| builtin::type_by_oid(ty).map_or(0, |t| t.category);
    // Anything may be assigned to a string type through its text form, and cast from one explicitly.
    let to_string = category(target) == b'S' && context >= Context::Assignment;
    let from_string = category(source) == b'S' && context == Context::Explicit;
    (to_string || from_string).then_some(Path::ByText)
}

/// The way of a row of `pg_cast`, where `context` lets it be gone.
fn path_of(context: Context, needed: u8, method: u8, function: Oid) -> Option<Path> {
    let needed = match needed {
        b'i' => Context::Implicit,
        b'a' => Context::Assignment,
        _ => Context::Explicit,
    };
    if context < needed {
        return None;
    }
    Some(match method {
        b'f' => Path::Function(function),
        b'b' => Path::Relabel,
        _ => Path::ByText,
    })
}

/// Whether `source` becomes `target` in `context`; an untyped literal becomes anything.
pub(crate) fn can_coerce(image: &Image, source: Oid, target: Oid, context: Context) -> bool {
    source == oid::UNKNOWN
        || target == oid::ANY
        || polymorphic::accepts(image, target, source)
        || (source == oid::RECORD && image.row_type(image.base_type(target).0).is_some())
        || find_path(image, source, target, context).is_some()
}

/// What domains inside of `ty` ask of values; `None` when there are none.
pub(crate) fn check_of(names: &Names<'_>, ty: Oid, depth: usize) -> Result<Option<ValueCheck>> {
    if !ty.is_user_type() || depth > 32 {
        return Ok(None);
    }
    let image = names.image;
    if let Some(element) = ty.user_element() {
        return Ok(check_of(names, element, depth + 1)?.map(|c| ValueCheck::Elements(Box::new(c))));
    }
    if let Some(own) = image.domain(ty) {
        let settings = IoSettings::default();
        let (mut checks, mut not_null, mut info) = (Vec::new(), false, own);
        let inner = loop {
            not_null |= info.not_null;
            let mut list = Vec::new();
            for check in &info.checks {
                let mut binder = crate::Binder::new(image, &check.condition, &settings, &[]);
                list.push((check.name.clone(), binder.domain_condition(&check.condition, info.base, info.typmod)?));
            }
            // What is below asks first.
            list.append(&mut checks);
            checks = list;
            match image.domain(info.base) {
                Some(below) => info = below,
                None => break check_of(names, info.base, depth + 1)?.map(Box::new),
            }
        };
        if checks.is_empty() && !not_null {
            return Ok(inner.map(|c| *c));
        }
        return Ok(Some(ValueCheck::Domain(DomainRules {
            oid: ty,
            shown: names.type_name(ty),
            name: (image.namespace_name(own.namespace).to_owned(), own.name.clone()),
            not_null,
            checks,
            inner,
        })));
    }
    let Some(info) = image.row_type(ty) else { return Ok(None) };
    let mut list = Vec::new();
    for (i, column) in info.columns.iter().filter(|c| !c.dropped).enumerate() {
        if let Some(check) = check_of(names, column.ty, depth + 1)? {
            list.push((i, check));
        }
    }
    Ok((!list.is_empty()).then_some(ValueCheck::Fields(list)))
}

/// `expr`, of a type that may have domains in it, checked.
pub(crate) fn checked(expr: Expr, names: &Names<'_>) -> Result<Expr> {
    let Some(check) = check_of(names, expr.ty, 0)? else { return Ok(expr) };
    let (ty, typmod, position, collation) = (expr.ty, expr.typmod, expr.position, expr.collation);
    let kind = ExprKind::Checked { arg: Box::new(expr), check: Arc::new(check) };
    Ok(Expr { kind, ty, typmod, collation, position })
}

/// Converts `expr`; `None` when there is no way.
///
/// # Errors
/// When an untyped literal does not read as `target`; `0A000` when the cast's function is not implemented.
pub(crate) fn coerce_with(
    expr: Expr,
    target: Oid,
    typmod: i32,
    context: Context,
    settings: &IoSettings,
    names: &Names<'_>,
) -> Result<Option<Expr>> {
    let (from, image) = (expr.ty, names.image);
    if !target.is_user_type() || from == target {
        return plainly(expr, target, typmod, context, settings, names);
    }
    // A row constructor becomes a row type column by column.
    let (base, base_typmod) = image.base_type(target);
    if let (ExprKind::Row { fields, .. }, Some(info)) = (&expr.kind, image.row_type(base).filter(|_| from != base)) {
        let live: Vec<(Oid, i32)> = info.columns.iter().filter(|c| !c.dropped).map(|c| (c.ty, c.typmod)).collect();
        if from != oid::RECORD {
            return Ok(None);
        }
        if live.len() != fields.len() {
            let words = if fields.len() < live.len() { "few" } else { "many" };
            return Err(cannot(names, from, target).detail(format!("Input has too {words} columns.")));
        }
        let mut converted = Vec::with_capacity(fields.len());
        for (i, (field, (ty, typmod))) in fields.iter().cloned().zip(live).enumerate() {
            let own = field.ty;
            let done = coerce_with(field, ty, typmod, context, settings, names)?;
            converted.push(done.ok_or_else(|| {
                let (own, ty) = (names.type_name(own), names.type_name(ty));
                let detail = format!("Cannot cast type {own} to {ty} in column {}.", i + 1);
                cannot(names, from, target).detail(detail)
            })?);
        }
        let row = Expr::new(ExprKind::Row { fields: converted, names: Arc::new([]) }, base, expr.position);
        let row = Expr { ty: target, ..row };
        return checked(row, names).map(Some);
    }
    let is_null = matches!(expr.kind, ExprKind::Const(Datum::Null));
    if image.domain(target).is_some() {
        let Some(inner) = plainly(expr, base, base_typmod, context, settings, names)? else { return Ok(None) };
        let (position, collation) = (inner.position, inner.collation);
        let kind = ExprKind::Coerce { arg: Box::new(inner), explicit: context == Context::Explicit };
        let relabelled = Expr { collation, ..Expr::new(kind, target, position) };
        return checked(relabelled, names).map(Some);
    }
    let Some(done) = plainly(expr, target, typmod, context, settings, names)? else { return Ok(None) };
    // NULL has nothing inside.
    if is_null { Ok(Some(done)) } else { checked(done, names).map(Some) }
}

/// `42846`.
fn cannot(names: &Names<'_>, source: Oid, target: Oid) -> SqlError {
    let message = format!("cannot cast type {} to {}", names.type_name(source), names.type_name(target));
    SqlError::new(SqlState::CANNOT_COERCE, message)
}

/// [`coerce_with`] without what domains ask.
fn plainly(
    expr: Expr,
    target: Oid,
    typmod: i32,
    context: Context,
    settings: &IoSettings,
    names: &Names<'_>,
) -> Result<Option<Expr>> {
    let position = expr.position;
    let at = (position > 0).then_some(position);
    if expr.ty == oid::UNKNOWN {
        let kind = match &expr.kind {
            ExprKind::Const(Datum::Null) => ExprKind::Const(Datum::Null),
            ExprKind::Const(text) => {
                let text = text.as_str().unwrap_or_default();
                // The literal is read without the typmod, which then cuts or refuses as the context says.
                let typmod = if target == oid::INTERVAL { typmod } else { -1 };
                // A domain's value is read as what it is over.
                let ty = names.image.base_type(target).0;
                ExprKind::Const(types::io::text_in_with(ty, typmod, text, settings, names).map_err(|e| e.at(at))?)
            }
            other => other.clone(),
        };
        let typed = Expr::new(kind, target, position);
        return Ok(Some(with_typmod(typed, typmod, context)));
    }
    let Some(path) = find_path(names.image, expr.ty, target, context) else { return Ok(None) };
    let from = expr.ty;
    let mut converted = match path {
        // A row stays of its own type, which knows what its columns are called.
        Path::Relabel if expr.ty == target || matches!(target, oid::RECORD | oid::RECORD_ARRAY) => expr,
        Path::Relabel => {
            let explicit = context == Context::Explicit;
            Expr::new(ExprKind::Coerce { arg: Box::new(expr), explicit }, target, position)
        }
        Path::ByText => {
            let explicit = context == Context::Explicit;
            Expr::new(ExprKind::CastByText { arg: Box::new(expr), explicit }, target, position)
        }
        Path::Function(function) if names.image.function(function).is_some() => {
            let Some(info) = names.image.function(function) else { return Ok(None) };
            let explicit = context == Context::Explicit;
            let form = if explicit { CallForm::ExplicitCast } else { CallForm::ImplicitCast };
            let own = info.args.first().copied().unwrap_or(expr.ty);
            let Some(arg) = plainly(expr, own, -1, Context::Implicit, settings, names)? else { return Ok(None) };
            let mut args = vec![arg];
            if info.args.len() > 1 {
                args.push(Expr::new(ExprKind::Const(Datum::I32(typmod)), oid::INT4, 0));
            }
            if info.args.len() > 2 {
                args.push(Expr::new(ExprKind::Const(Datum::Bool(explicit)), oid::BOOL, 0));
            }
            let kind = match crate::Proc::User(info).builtin() {
                Some(function) => ExprKind::Call { function, args, form },
                None => {
                    let types = args.iter().map(|a| a.ty).collect();
                    let columns = names.image.fields_of(info.result).unwrap_or_default();
                    let routine = Arc::new(crate::call::routine_of(info, types, info.result, columns));
                    ExprKind::Routine { routine, args, form }
                }
            };
            let call = Expr::new(kind, info.result, position);
            if info.result == target {
                call
            } else {
                Expr::new(ExprKind::Coerce { arg: Box::new(call), explicit }, target, position)
            }
        }
        Path::Function(function) => {
            if functions::lookup(function).is_none() {
                let what = format!("cast from type {} to type {}", format_type(expr.ty), format_type(target));
                return Err(SqlError::unsupported(what).at(at));
            }
            let explicit = context == Context::Explicit;
            let form = if explicit { CallForm::ExplicitCast } else { CallForm::ImplicitCast };
            let mut args = vec![expr];
            // Some take the length and whether the cast is explicit, too.
            let count = builtin::proc_by_oid(function).map_or(1, |p| p.args.len());
            if count > 1 {
                args.push(Expr::new(ExprKind::Const(Datum::I32(typmod)), oid::INT4, 0));
            }
            if count > 2 {
                args.push(Expr::new(ExprKind::Const(Datum::Bool(explicit)), oid::BOOL, 0));
            }
            Expr::new(ExprKind::Call { function, args, form }, target, position)
        }
    };
    // With a length, that is the cast that was written, not the change of type on the way.
    if typmod >= 0 && from != target {
        match &mut converted.kind {
            ExprKind::Call { form: form @ CallForm::ExplicitCast, .. } => *form = CallForm::ImplicitCast,
            ExprKind::Coerce { explicit, .. } | ExprKind::CastByText { explicit, .. } => *explicit = false,
            _ => {}
        }
    }
    Ok(Some(with_typmod(converted, typmod, context)))
}

fn with_typmod(expr: Expr, typmod: i32, context: Context) -> Expr {
    if typmod < 0 || expr.typmod == typmod {
        return expr;
    }
    let (ty, position) = (expr.ty, expr.position);
    let kind = ExprKind::Coerce { arg: Box::new(expr), explicit: context == Context::Explicit };
    Expr { typmod, ..Expr::new(kind, ty, position) }
}

impl crate::Binder<'_> {
    /// `42846`.
    pub(crate) fn cannot_cast(&self, source: Oid, target: Oid) -> SqlError {
        let message = format!("cannot cast type {} to {}", self.type_shown(source), self.type_shown(target));
        SqlError::new(SqlState::CANNOT_COERCE, message)
    }
}
