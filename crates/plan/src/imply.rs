//! Whether rows that satisfy some conditions satisfy another: what makes a partial index usable.
//!
//! Only what is simple is seen, as in PostgreSQL: the same condition, parts of AND and OR, IS NOT NULL of what a comparison reads, and
//! comparisons of one expression with constants.

use std::cmp::Ordering;

use types::compare::Sign;
use types::{Datum, Oid, oid};

use crate::expr::{Expr, ExprKind};

/// What is known of functions by OID: which comparison of two values of one type they are.
pub type Comparisons<'a> = &'a dyn Fn(Oid) -> Option<Sign>;

/// Whether `wanted` is true of all rows of which all `given` are.
pub fn implies(given: &[Expr], wanted: &Expr, comparisons: Comparisons<'_>) -> bool {
    match &wanted.kind {
        ExprKind::And(list) => return list.iter().all(|w| implies(given, w, comparisons)),
        ExprKind::Const(Datum::Bool(true)) => return true,
        _ => {}
    }
    if given.iter().any(|g| one_implies(g, wanted, comparisons)) {
        return true;
    }
    match &wanted.kind {
        ExprKind::Or(list) => list.iter().any(|w| implies(given, w, comparisons)),
        _ => false,
    }
}

fn one_implies(given: &Expr, wanted: &Expr, comparisons: Comparisons<'_>) -> bool {
    if given.same(wanted) {
        return true;
    }
    match &given.kind {
        ExprKind::And(list) => return implies(list, wanted, comparisons),
        ExprKind::Or(list) => return list.iter().all(|g| implies(std::slice::from_ref(g), wanted, comparisons)),
        ExprKind::AnyArray { all: false, function, args, .. } => {
            return list_implies(*function, args, wanted, comparisons);
        }
        _ => {}
    }
    if let ExprKind::Not(inner) = &wanted.kind
        && let ExprKind::IsNull(value) = &inner.kind
    {
        return rejects_null(given, value, comparisons);
    }
    let (Some(g), Some(w)) = (compared(given, comparisons), compared(wanted, comparisons)) else { return false };
    // The order of a user's type is not known here.
    g.0.same(w.0) && g.0.ty == w.0.ty && !g.0.ty.is_user_type() && follows(g.1, g.2, w.1, w.2, g.0.ty)
}

/// `x = ANY ('{1,2}')`: what each of the values implies.
fn list_implies(function: Oid, args: &[Expr; 2], wanted: &Expr, comparisons: Comparisons<'_>) -> bool {
    let ExprKind::Array(items) = &args[1].kind else { return false };
    if items.is_empty() || items.iter().any(|i| !matches!(i.kind, ExprKind::Const(_))) {
        return false;
    }
    items.iter().all(|item| {
        let form = crate::expr::CallForm::Function;
        let call = ExprKind::Call { function, args: vec![args[0].clone(), item.clone()], form };
        one_implies(&Expr::new(call, oid::BOOL, 0), wanted, comparisons)
    })
}

/// Whether `given` is not true when `value` is NULL.
fn rejects_null(given: &Expr, value: &Expr, comparisons: Comparisons<'_>) -> bool {
    match &given.kind {
        ExprKind::Call { function, args, .. } if comparisons(*function).is_some() => {
            args.iter().any(|a| a.same(value) || is_cast_of(a, value))
        }
        ExprKind::IsBool(arg, _) => arg.same(value),
        ExprKind::Column(_) => given.same(value),
        ExprKind::Not(arg) => matches!(arg.kind, ExprKind::Column(_)) && arg.same(value),
        _ => false,
    }
}

/// Whether `e` is `value` under another type's name.
fn is_cast_of(e: &Expr, value: &Expr) -> bool {
    matches!(&e.kind, ExprKind::Coerce { arg, .. } if arg.same(value))
}

/// An expression, its comparison, and the constant it is compared with.
fn compared<'e>(e: &'e Expr, comparisons: Comparisons<'_>) -> Option<(&'e Expr, Sign, &'e Datum)> {
    // A condition may be a boolean column itself.
    let ExprKind::Call { function, args, .. } = &e.kind else { return None };
    let [a, b] = &args[..] else { return None };
    let sign = comparisons(*function)?;
    match (&a.kind, &b.kind) {
        (_, ExprKind::Const(d)) if !d.is_null() && a.ty == b.ty => Some((a, sign, d)),
        (ExprKind::Const(d), _) if !d.is_null() && a.ty == b.ty => Some((b, sign.turned(), d)),
        _ => None,
    }
}

/// Whether `x wanted b` follows of `x given a`.
fn follows(given: Sign, a: &Datum, wanted: Sign, b: &Datum, ty: Oid) -> bool {
    use Sign::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
    let order = types::compare::compare(ty, a, b);
    match (given, wanted) {
        (Equal, Equal) => order == Ordering::Equal,
        (Equal, NotEqual) => order != Ordering::Equal,
        (Equal | Less | LessEqual, Less) => match given {
            Less => order != Ordering::Greater,
            _ => order == Ordering::Less,
        },
        (Equal | Less | LessEqual, LessEqual) => order != Ordering::Greater,
        (Equal | Greater | GreaterEqual, Greater) => match given {
            Greater => order != Ordering::Less,
            _ => order == Ordering::Greater,
        },
        (Equal | Greater | GreaterEqual, GreaterEqual) => order != Ordering::Less,
        (Less, NotEqual) => order != Ordering::Greater,
        (LessEqual, NotEqual) => order == Ordering::Less,
        (Greater, NotEqual) => order != Ordering::Less,
        (GreaterEqual, NotEqual) => order == Ordering::Greater,
        (NotEqual, NotEqual) => order == Ordering::Equal,
        _ => false,
    }
}
