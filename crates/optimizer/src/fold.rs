//! Calls of immutable functions on constants become their values; what all arms of an OR ask for is asked for once.

use ext::{Call, NoHost};
use plan::{CallForm, Expr, ExprKind, Node};
use types::io::BuiltinTypes;
use types::{Datum, IoSettings, Oid, oid};

/// Folds the expressions of `node`, of all below it, and of subqueries in them.
pub fn fold_all(node: &mut Node) {
    if !matches!(node, Node::Values { .. } | Node::Insert { .. }) {
        node.exprs_mut().into_iter().for_each(|e| {
            fold(e);
            e.visit_mut(&mut |e| {
                if let ExprKind::Subquery(sub) = &mut e.kind {
                    fold_all(&mut sub.node);
                }
            });
        });
    }
    node.inputs_mut().into_iter().for_each(fold_all);
}

/// Expressions over one row of values become those values, in `node` and in all below it: nothing is left to project.
pub fn single_rows(node: &mut Node) {
    node.inputs_mut().into_iter().for_each(single_rows);
    if matches!(node, Node::Project { .. }) {
        *node = single_row(std::mem::replace(node, Node::one_row()));
    }
}

fn single_row(node: Node) -> Node {
    let Node::Project { input, mut exprs } = node else { return node };
    let Node::Values { rows, .. } = &*input else { return Node::Project { input, exprs } };
    let [row] = &rows[..] else { return Node::Project { input, exprs } };
    let mut uses = vec![0; row.len()];
    let mut has_query = false;
    for e in &exprs {
        has_query |= has_subquery(e);
        e.visit(&mut |e| {
            if let ExprKind::Column(i) = e.kind {
                uses[i] += 1;
            }
        });
    }
    if has_query || uses.iter().any(|&n| n != 1) {
        return Node::Project { input, exprs };
    }
    for e in &mut exprs {
        e.visit_mut(&mut |e| {
            if let ExprKind::Column(i) = e.kind {
                e.kind = row[i].kind.clone();
            }
        });
    }
    let types = exprs.iter().map(|e| e.ty).collect();
    Node::Values { rows: vec![exprs], types }
}

/// Folds `e` and what is below it.
pub fn fold(e: &mut Expr) {
    e.children_mut().into_iter().for_each(fold);
    if let Some(value) = value(e) {
        e.kind = ExprKind::Const(value);
    }
}

/// The value of a call on constants. What fails is left to fail when it is run, if it ever is.
fn value(e: &Expr) -> Option<Datum> {
    let (function, args) = match &e.kind {
        ExprKind::Call { form: CallForm::Variadic, .. } => return None,
        ExprKind::Call { function, args, .. } => (function, args),
        ExprKind::Coerce { arg, explicit } => {
            let ExprKind::Const(d) = &arg.kind else { return None };
            let same = arg.ty < Oid::FIRST_NORMAL
                && e.ty < Oid::FIRST_NORMAL
                && types::Physical::of(arg.ty) == types::Physical::of(e.ty);
            return if same { types::io::coerce(e.ty, e.typmod, d.clone(), *explicit).ok() } else { None };
        }
        ExprKind::Array(list) => return array(e.ty, list),
        _ => return None,
    };
    let builtin = catalog::builtin::proc_by_oid(*function)?;
    if builtin.volatility != b'i' || builtin.returns_set || *function >= Oid::FIRST_NORMAL {
        return None;
    }
    let constant = |a: &Expr| match &a.kind {
        ExprKind::Const(d) if a.ty < Oid::FIRST_NORMAL => Some(d.clone()),
        _ => None,
    };
    let values: Vec<Datum> = args.iter().map(constant).collect::<Option<_>>()?;
    let callable = functions::lookup(*function)?;
    if callable.is_strict() && values.iter().any(Datum::is_null) {
        return Some(Datum::Null);
    }
    let types: Vec<Oid> = args.iter().map(|a| a.ty).collect();
    let (mut host, settings) = (NoHost, IoSettings::default());
    let mut call = Call::new(&mut host, &settings, &BuiltinTypes).typed(&types, e.ty);
    let value = callable.scalar(&mut call, &values).ok()?;
    (value.is_null() || !is_large(&value)).then_some(value)
}

/// The array of a list of constants. It takes no more room than they do.
fn array(ty: Oid, list: &[Expr]) -> Option<Datum> {
    let element = types::io::builtin_element(ty)?;
    let item = |e: &Expr| match &e.kind {
        ExprKind::Const(d) if e.ty == element => Some(d.clone()),
        _ => None,
    };
    let items = list.iter().map(item).collect::<Option<Vec<Datum>>>()?;
    Some(types::array::Array::one_dimensional(element, items).to_datum())
}

/// Values that are better computed than carried around.
fn is_large(value: &Datum) -> bool {
    value.as_bytes().is_some_and(|b| b.len() > 1024)
}

/// Splits `e` into what must all hold; `(a AND b) OR (a AND c)` becomes `a` and `b OR c`.
pub fn conjuncts(e: Expr, out: &mut Vec<Expr>) {
    match e.kind {
        ExprKind::And(list) => list.into_iter().for_each(|e| conjuncts(e, out)),
        ExprKind::Or(arms) => factor(arms, e.position, out),
        _ => out.push(e),
    }
}

fn factor(arms: Vec<Expr>, position: u32, out: &mut Vec<Expr>) {
    let or = |arms: Vec<Expr>| Expr::new(ExprKind::Or(arms), oid::BOOL, position);
    if arms.iter().any(has_subquery) {
        out.push(or(arms));
        return;
    }
    let mut lists: Vec<Vec<Expr>> = Vec::new();
    for arm in &arms {
        let mut list = Vec::new();
        conjuncts(arm.clone(), &mut list);
        lists.push(list);
    }
    let Some((first, rest)) = lists.split_first() else { return };
    let shared: Vec<Expr> =
        first.iter().filter(|e| rest.iter().all(|l| l.iter().any(|o| o.same(e)))).cloned().collect();
    if shared.is_empty() {
        out.push(or(arms));
        return;
    }
    for list in &mut lists {
        list.retain(|e| !shared.iter().any(|s| s.same(e)));
    }
    out.extend(shared);
    // An arm of nothing more is true wherever what is shared is.
    if lists.iter().all(|l| !l.is_empty()) {
        out.push(or(lists.into_iter().filter_map(Expr::all).collect()));
    }
}

/// Whether `e` runs a query.
pub fn has_subquery(e: &Expr) -> bool {
    let mut has = false;
    e.visit(&mut |e| has |= matches!(e.kind, ExprKind::Subquery(_)));
    has
}

/// Whether `e` may have another value each time it is asked for.
pub fn is_volatile(e: &Expr) -> bool {
    let mut volatile = false;
    e.visit(&mut |e| match &e.kind {
        ExprKind::Call { function, .. } => {
            volatile |= catalog::builtin::proc_by_oid(*function).is_none_or(|p| p.volatility == b'v');
        }
        ExprKind::Routine { routine, .. } => volatile |= routine.volatility == b'v',
        ExprKind::Subquery(_) => volatile = true,
        _ => {}
    });
    volatile
}
