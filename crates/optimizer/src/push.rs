//! Predicates move down to where their columns come from; equalities become hash keys.

use plan::{Expr, ExprKind, JoinKind, Node};
use types::compare::Sign;
use types::{Datum, Oid};

use crate::access::scan;
use crate::fold::{conjuncts, is_volatile};
use crate::statistics::Statistics;

fn filter(node: Node, predicates: Vec<Expr>) -> Node {
    match Expr::all(predicates) {
        Some(predicate) => Node::Filter { input: Box::new(node), predicate },
        None => node,
    }
}

/// Pushes `predicates`, over the columns of `node`, as far down as they go.
pub fn push(mut node: Node, mut predicates: Vec<Expr>, s: &dyn Statistics) -> Node {
    match node {
        Node::Filter { input, predicate } => {
            conjuncts(predicate, &mut predicates);
            push(*input, predicates, s)
        }
        Node::Scan { table, filter, needed } => {
            if let Some(own) = filter {
                conjuncts(own, &mut predicates);
            }
            predicates.retain(|p| p.kind != ExprKind::Const(Datum::Bool(true)));
            scan((table, needed), predicates, s)
        }
        Node::Join { kind, left, right, equal, condition } => {
            join(kind, *left, *right, equal, condition, predicates, s)
        }
        Node::Project { input, exprs } => {
            // A predicate over expressions that are cheap to repeat goes below them.
            let (below, above): (Vec<Expr>, Vec<Expr>) = predicates.into_iter().partition(|p| can_inline(p, &exprs));
            let below = below.into_iter().map(|p| inline(p, &exprs)).collect();
            filter(Node::Project { input: Box::new(push(*input, below, s)), exprs }, above)
        }
        // O3: what holds or does not for whole partitions can be asked before.
        Node::Window { input, window, calls } => {
            let whole = |p: &Expr| {
                let mut whole = p.span().is_some();
                p.visit(&mut |e| match &e.kind {
                    ExprKind::Column(i) => {
                        whole &= window.partition.iter().any(|e| matches!(e.kind, ExprKind::Column(j) if *i == j));
                    }
                    // Once for each row is not the same as once for each partition.
                    ExprKind::Subquery(_) => whole = false,
                    _ => {}
                });
                whole && !is_volatile(p)
            };
            let (below, above): (Vec<Expr>, Vec<Expr>) = predicates.into_iter().partition(whole);
            filter(Node::Window { input: Box::new(push(*input, below, s)), window, calls }, above)
        }
        // O3 for groups.
        Node::Aggregate { input, groups, calls } if !groups.is_empty() => {
            let of_group = |p: &Expr| {
                let mut of_group = p.span().is_some_and(|(_, high)| high < groups.len()) && !is_volatile(p);
                p.visit(&mut |e| of_group &= !matches!(e.kind, ExprKind::Subquery(_)));
                of_group
            };
            let (below, above): (Vec<Expr>, Vec<Expr>) = predicates.into_iter().partition(of_group);
            let below = below.into_iter().map(|p| inline(p, &groups)).collect();
            let input = Box::new(push(*input, below, s));
            filter(Node::Aggregate { input, groups, calls }, above)
        }
        Node::SetOp { kind, all, left, right } => {
            let (below, above): (Vec<Expr>, Vec<Expr>) = predicates.into_iter().partition(|p| !is_volatile(p));
            let left = Box::new(push(*left, below.clone(), s));
            let right = Box::new(push(*right, below, s));
            filter(Node::SetOp { kind, all, left, right }, above)
        }
        Node::Sort { input, keys } => {
            let (below, above): (Vec<Expr>, Vec<Expr>) = predicates.into_iter().partition(|p| !is_volatile(p));
            filter(Node::Sort { input: Box::new(push(*input, below, s)), keys }, above)
        }
        Node::Distinct { input, on: None } => {
            let (below, above): (Vec<Expr>, Vec<Expr>) = predicates.into_iter().partition(|p| !is_volatile(p));
            filter(Node::Distinct { input: Box::new(push(*input, below, s)), on: None }, above)
        }
        Node::With { ctes, body } => {
            let ctes = ctes.into_iter().map(|(id, n)| (id, push(n, Vec::new(), s))).collect();
            filter(Node::With { ctes, body: Box::new(push(*body, Vec::new(), s)) }, predicates)
        }
        Node::Apply { kind, left, right, binds, condition } => {
            let split = left.types().len();
            let (to_left, stay): (Vec<Expr>, Vec<Expr>) =
                predicates.into_iter().partition(|e| e.span().is_some_and(|(_, high)| high < split));
            let left = Box::new(push(*left, to_left, s));
            let right = Box::new(push(*right, Vec::new(), s));
            filter(Node::Apply { kind, left, right, binds, condition }, stay)
        }
        other => {
            node = other;
            for input in node.inputs_mut() {
                let inner = std::mem::replace(input, Node::one_row());
                *input = push(inner, Vec::new(), s);
            }
            filter(node, predicates)
        }
    }
}

/// Whether the columns that `p` reads are plain columns or constants under a projection.
fn can_inline(p: &Expr, exprs: &[Expr]) -> bool {
    let mut can = true;
    p.visit(&mut |e| match &e.kind {
        ExprKind::Column(i) => {
            can &= exprs.get(*i).is_some_and(|e| !is_volatile(e));
        }
        ExprKind::Subquery(_) => can = false,
        _ => {}
    });
    can
}

/// `p`, over what `exprs` compute, over what they are computed from.
pub fn inline(mut p: Expr, exprs: &[Expr]) -> Expr {
    fn go(e: &mut Expr, exprs: &[Expr]) {
        if let ExprKind::Column(i) = e.kind {
            let position = e.position;
            e.clone_from(&exprs[i]);
            e.position = position;
            return;
        }
        e.children_mut().into_iter().for_each(|c| go(c, exprs));
    }
    go(&mut p, exprs);
    p
}

fn join(
    kind: JoinKind,
    left: Node,
    right: Node,
    mut equal: Vec<(Expr, Expr, Oid)>,
    condition: Option<Expr>,
    above: Vec<Expr>,
    s: &dyn Statistics,
) -> Node {
    let split = left.types().len();
    let kind = simplified(kind, &above, split);
    let (mut to_left, mut to_right, mut stay, mut on) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let is_left = |e: &Expr| e.span().is_some_and(|(_, high)| high < split);
    let is_right = |e: &Expr| e.span().is_some_and(|(low, _)| low >= split);
    let down = |mut e: Expr| {
        e.map_columns(&|i| i - split);
        e
    };
    for e in above {
        match kind {
            JoinKind::Inner if is_left(&e) => to_left.push(e),
            JoinKind::Inner if is_right(&e) => to_right.push(down(e)),
            JoinKind::Inner => on.push(e),
            // O2
            JoinKind::Left if is_left(&e) => to_left.push(e),
            JoinKind::Right if is_right(&e) => to_right.push(down(e)),
            JoinKind::Semi | JoinKind::Anti => to_left.push(e),
            _ => stay.push(e),
        }
    }
    if let Some(condition) = condition {
        let mut own = Vec::new();
        conjuncts(condition, &mut own);
        for e in own {
            if e.kind == ExprKind::Const(Datum::Bool(true)) {
                continue;
            }
            match kind {
                JoinKind::Inner | JoinKind::Right | JoinKind::Semi if is_left(&e) => to_left.push(e),
                JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti if is_right(&e) => {
                    to_right.push(down(e));
                }
                _ => on.push(e),
            }
        }
    }
    let mut rest = Vec::new();
    for e in on {
        match equality(&e) {
            Some((a, b, function)) if is_left(a) && is_right(b) => equal.push((a.clone(), down(b.clone()), function)),
            Some((a, b, function)) if is_right(a) && is_left(b) => equal.push((b.clone(), down(a.clone()), function)),
            _ => rest.push(e),
        }
    }
    // What is asked of one side of an equality holds for the other side.
    if matches!(kind, JoinKind::Inner | JoinKind::Semi) {
        for (a, b, _) in equal.iter().filter(|e| e.0.ty == e.1.ty) {
            let implied = |from: &[Expr], x: &Expr, y: &Expr| -> Vec<Expr> {
                from.iter().filter_map(|p| moved(p, x, y)).collect()
            };
            let (rightwards, leftwards) = (implied(&to_left, a, b), implied(&to_right, b, a));
            for (list, more) in [(&mut to_right, rightwards), (&mut to_left, leftwards)] {
                for p in more {
                    if !list.iter().any(|q| q.same(&p)) {
                        list.push(p);
                    }
                }
            }
        }
        // What holds of a pair may ask something of each side.
        for p in &rest {
            to_left.extend(restriction(p, &is_left));
            to_right.extend(restriction(p, &is_right).map(down));
        }
    }
    // Rows whose keys are NULL find nothing: where they are dropped then, they need not have been padded before.
    let (mut left, mut right) = (left, right);
    let keys = equal.iter().filter(|e| is_strict(e.2));
    if matches!(kind, JoinKind::Inner | JoinKind::Right | JoinKind::Semi) {
        strengthen(&mut left, &keys.clone().map(|e| &e.0).collect::<Vec<_>>());
    }
    if matches!(kind, JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti) {
        strengthen(&mut right, &keys.map(|e| &e.1).collect::<Vec<_>>());
    }
    let node = Node::Join {
        kind,
        left: Box::new(push(left, to_left, s)),
        right: Box::new(push(right, to_right, s)),
        equal,
        condition: Expr::all(rest),
    };
    filter(node, stay)
}

/// Makes an outer join pad no rows in which one of `wanted`, over its columns, is NULL because of that.
fn strengthen(node: &mut Node, wanted: &[&Expr]) {
    let Node::Join { kind, left, .. } = node else { return };
    let split = left.types().len();
    *kind = unpadded(*kind, &|right| wanted.iter().any(|e| is_null_with(e, &|i| (i >= split) == right)));
}

/// The kind of an outer join when rows above it are `refused` where a side, the right or the left one, is padded.
fn unpadded(kind: JoinKind, refused: &dyn Fn(bool) -> bool) -> JoinKind {
    match kind {
        JoinKind::Left if refused(true) => JoinKind::Inner,
        JoinKind::Right if refused(false) => JoinKind::Inner,
        JoinKind::Full => match (refused(false), refused(true)) {
            (true, true) => JoinKind::Inner,
            // Rows that are padded on the left go: all that is left has a left row.
            (true, false) => JoinKind::Left,
            (false, true) => JoinKind::Right,
            (false, false) => JoinKind::Full,
        },
        other => other,
    }
}

/// Whether a function gives NULL for NULL.
fn is_strict(function: Oid) -> bool {
    catalog::builtin::proc_by_oid(function).is_some_and(|p| p.strict && !p.returns_set)
}

/// The kind of an outer join when rows above it must satisfy `above`: a side whose NULLs they refuse need not be padded.
fn simplified(kind: JoinKind, above: &[Expr], split: usize) -> JoinKind {
    unpadded(kind, &|right| above.iter().any(|p| refuses_nulls(p, &|i| (i >= split) == right)))
}

/// Whether `p` cannot be true when the columns `of` a side are all NULL.
fn refuses_nulls(p: &Expr, of: &dyn Fn(usize) -> bool) -> bool {
    match &p.kind {
        ExprKind::And(list) => list.iter().any(|e| refuses_nulls(e, of)),
        ExprKind::Or(list) => list.iter().all(|e| refuses_nulls(e, of)),
        ExprKind::Not(e) => match &e.kind {
            ExprKind::IsNull(e) => is_null_with(e, of),
            _ => is_null_with(e, of),
        },
        ExprKind::IsBool(e, true) => refuses_nulls(e, of),
        // False of an empty array, so this is no NULL.
        ExprKind::AnyArray { all: false, args, .. } => is_null_with(&args[0], of),
        _ => is_null_with(p, of),
    }
}

/// Whether `e` is NULL when the columns `of` a side are.
fn is_null_with(e: &Expr, of: &dyn Fn(usize) -> bool) -> bool {
    match &e.kind {
        ExprKind::Column(i) => of(*i),
        ExprKind::Call { function, args, .. } => {
            catalog::builtin::proc_by_oid(*function).is_some_and(|p| p.strict && !p.returns_set)
                && args.iter().any(|a| is_null_with(a, of))
        }
        ExprKind::Routine { routine, args, .. } => {
            routine.strict && !routine.returns_set && args.iter().any(|a| is_null_with(a, of))
        }
        ExprKind::CastByText { arg, .. } | ExprKind::Coerce { arg, .. } => is_null_with(arg, of),
        _ => false,
    }
}

/// `p`, a comparison of `x` with something fixed, about `y` instead.
fn moved(p: &Expr, x: &Expr, y: &Expr) -> Option<Expr> {
    let ExprKind::Call { function, args, .. } = &p.kind else { return None };
    let [a, b] = &args[..] else { return None };
    functions::sign(*function)?;
    let mut moved = p.clone();
    let ExprKind::Call { args, .. } = &mut moved.kind else { return None };
    if a.same(x) && b.is_fixed() && !is_volatile(b) {
        args[0] = y.clone();
    } else if b.same(x) && a.is_fixed() && !is_volatile(a) {
        args[1] = y.clone();
    } else {
        return None;
    }
    Some(moved)
}

/// What an OR asks of the columns of one side: in each of its arms something.
fn restriction(p: &Expr, is_side: &dyn Fn(&Expr) -> bool) -> Option<Expr> {
    let ExprKind::Or(arms) = &p.kind else { return None };
    if is_volatile(p) {
        return None;
    }
    let mut own = Vec::new();
    for arm in arms {
        let mut list = Vec::new();
        conjuncts(arm.clone(), &mut list);
        list.retain(|e| is_side(e));
        own.push(Expr::all(list)?);
    }
    Some(Expr::new(ExprKind::Or(own), types::oid::BOOL, p.position))
}

/// Both sides of `a = b`, where both are of one type (or integers), so that equal values hash alike.
pub fn equality(e: &Expr) -> Option<(&Expr, &Expr, Oid)> {
    let ExprKind::Call { function, args, .. } = &e.kind else { return None };
    let [a, b] = &args[..] else { return None };
    let equal = functions::sign(*function) == Some(Sign::Equal);
    equal.then_some((a, b, *function))
}
