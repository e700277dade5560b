//! Predicates move down to where their columns come from; equalities become hash keys.

use functions::{Callable, comparison_sign_is_equal};
use plan::{Expr, ExprKind, JoinKind, Node};
use types::Oid;

use crate::access::scan;

fn filter(node: Node, predicates: Vec<Expr>) -> Node {
    match Expr::all(predicates) {
        Some(predicate) => Node::Filter { input: Box::new(node), predicate },
        None => node,
    }
}

/// Pushes `predicates`, over the columns of `node`, as far down as they go.
pub fn push(mut node: Node, mut predicates: Vec<Expr>) -> Node {
    match node {
        Node::Filter { input, predicate } => {
            predicate.conjuncts(&mut predicates);
            push(*input, predicates)
        }
        Node::Scan { table, filter, .. } => {
            if let Some(own) = filter {
                own.conjuncts(&mut predicates);
            }
            scan(table, predicates)
        }
        Node::Join { kind, left, right, equal, condition } => join(kind, *left, *right, equal, condition, predicates),
        Node::Project { input, exprs } => {
            // A predicate over expressions that are cheap to repeat goes below them.
            let (below, above): (Vec<Expr>, Vec<Expr>) = predicates.into_iter().partition(|p| can_inline(p, &exprs));
            let below = below.into_iter().map(|p| inline(p, &exprs)).collect();
            filter(Node::Project { input: Box::new(push(*input, below)), exprs }, above)
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
                    ExprKind::Call { function, .. } => whole &= !is_volatile(*function),
                    ExprKind::Subquery(_) => whole = false,
                    _ => {}
                });
                whole
            };
            let (below, above): (Vec<Expr>, Vec<Expr>) = predicates.into_iter().partition(whole);
            filter(Node::Window { input: Box::new(push(*input, below)), window, calls }, above)
        }
        Node::With { ctes, body } => {
            let ctes = ctes.into_iter().map(|(id, n)| (id, push(n, Vec::new()))).collect();
            filter(Node::With { ctes, body: Box::new(push(*body, Vec::new())) }, predicates)
        }
        Node::Apply { kind, left, right, binds, condition } => {
            let split = left.types().len();
            let (to_left, stay): (Vec<Expr>, Vec<Expr>) =
                predicates.into_iter().partition(|e| e.span().is_some_and(|(_, high)| high < split));
            let left = Box::new(push(*left, to_left));
            let right = Box::new(push(*right, Vec::new()));
            filter(Node::Apply { kind, left, right, binds, condition }, stay)
        }
        other => {
            node = other;
            for input in node.inputs_mut() {
                let inner = std::mem::replace(input, Node::one_row());
                *input = push(inner, Vec::new());
            }
            filter(node, predicates)
        }
    }
}

fn is_volatile(function: Oid) -> bool {
    catalog::builtin::proc_by_oid(function).is_none_or(|p| p.volatility == b'v')
}

/// Whether the columns that `p` reads are plain columns or constants under a projection.
fn can_inline(p: &Expr, exprs: &[Expr]) -> bool {
    let mut can = true;
    p.visit(&mut |e| match &e.kind {
        ExprKind::Column(i) => {
            can &= exprs.get(*i).is_some_and(|e| matches!(e.kind, ExprKind::Column(_) | ExprKind::Const(_)));
        }
        ExprKind::Subquery(_) => can = false,
        _ => {}
    });
    can
}

fn inline(mut p: Expr, exprs: &[Expr]) -> Expr {
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
) -> Node {
    let split = left.types().len();
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
        condition.conjuncts(&mut own);
        for e in own {
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
    let node = Node::Join {
        kind,
        left: Box::new(push(left, to_left)),
        right: Box::new(push(right, to_right)),
        equal,
        condition: Expr::all(rest),
    };
    filter(node, stay)
}

/// Both sides of `a = b`, where both are of one type (or integers), so that equal values hash alike.
fn equality(e: &Expr) -> Option<(&Expr, &Expr, Oid)> {
    let ExprKind::Call { function, args, .. } = &e.kind else { return None };
    let [a, b] = &args[..] else { return None };
    let equal = matches!(functions::lookup(*function), Some(Callable::Compare(c)) if comparison_sign_is_equal(&c));
    equal.then_some((a, b, *function))
}
