//! Coercion: from one type to another, implicitly, by assignment, or by an explicit cast (manual §10.4, CREATE CAST).

use catalog::builtin;
use plan::{CallForm, Expr, ExprKind};
use types::io::{BuiltinTypes, TypeLookup};
use types::{Datum, IoSettings, Oid, Result, SqlError, SqlState, oid};

use crate::polymorphic;

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

/// Whether and how `source` becomes `target` in `context`.
pub(crate) fn find_path(source: Oid, target: Oid, context: Context) -> Option<Path> {
    if source == target {
        return Some(Path::Relabel);
    }
    if let Some(cast) = builtin::cast(source, target) {
        let needed = match cast.context {
            b'i' => Context::Implicit,
            b'a' => Context::Assignment,
            _ => Context::Explicit,
        };
        if context < needed {
            return None;
        }
        return Some(match cast.method {
            b'f' => Path::Function(cast.function),
            b'b' => Path::Relabel,
            _ => Path::ByText,
        });
    }
    // Vectors are arrays already.
    if matches!((source, target), (oid::OIDVECTOR, oid::OID_ARRAY) | (oid::INT2VECTOR, oid::INT2_ARRAY)) {
        return Some(Path::Relabel);
    }
    // An array becomes another as its elements do; but nothing a vector, which would draw what should go to real arrays.
    if !matches!(target, oid::OIDVECTOR | oid::INT2VECTOR)
        && let (Some(from), Some(to)) = (polymorphic::element_of(source), polymorphic::element_of(target))
        && find_path(from, to, context).is_some()
    {
        return Some(Path::ByText);
    }
    let category = |ty: Oid| builtin::type_by_oid(ty).map_or(0, |t| t.category);
    // Anything may be assigned to a string type through its text form, and cast from one explicitly.
    let to_string = category(target) == b'S' && context >= Context::Assignment;
    let from_string = category(source) == b'S' && context == Context::Explicit;
    (to_string || from_string).then_some(Path::ByText)
}

/// Whether `source` becomes `target` in `context`; an untyped literal becomes anything.
pub(crate) fn can_coerce(source: Oid, target: Oid, context: Context) -> bool {
    source == oid::UNKNOWN
        || target == oid::ANY
        || polymorphic::accepts(target, source)
        || find_path(source, target, context).is_some()
}

/// Converts `expr`; `None` when there is no way.
///
/// # Errors
/// When an untyped literal does not read as `target`; `0A000` when the cast's function is not implemented.
pub fn coerce(expr: Expr, target: Oid, typmod: i32, context: Context, settings: &IoSettings) -> Result<Option<Expr>> {
    coerce_with(expr, target, typmod, context, settings, &BuiltinTypes)
}

/// [`coerce()`] with a catalog to look names up in.
pub(crate) fn coerce_with(
    expr: Expr,
    target: Oid,
    typmod: i32,
    context: Context,
    settings: &IoSettings,
    names: &dyn TypeLookup,
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
                ExprKind::Const(types::io::text_in_with(target, typmod, text, settings, names).map_err(|e| e.at(at))?)
            }
            other => other.clone(),
        };
        let typed = Expr::new(kind, target, position);
        return Ok(Some(with_typmod(typed, typmod, context)));
    }
    let Some(path) = find_path(expr.ty, target, context) else { return Ok(None) };
    let converted = match path {
        Path::Relabel if expr.ty == target => expr,
        Path::Relabel => {
            let explicit = context == Context::Explicit;
            Expr::new(ExprKind::Coerce { arg: Box::new(expr), explicit }, target, position)
        }
        Path::ByText => {
            let explicit = context == Context::Explicit;
            Expr::new(ExprKind::CastByText { arg: Box::new(expr), explicit }, target, position)
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
