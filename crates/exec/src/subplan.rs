//! Queries inside expressions: run for each row whose slots they read, or once a statement.

use plan::{Expr, ExprKind, SubKind, SubPlan};
use types::array::Array;
use types::compare::Sign;
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};
use vector::{Chunk, Vector};

use crate::eval::{eval as eval_expr, is_true};
use crate::{BoxOperator, Context, keys};

/// What is kept of a subplan during a statement.
pub struct Cached {
    operator: BoxOperator,
    /// What it yields, when no slot matters.
    rows: Option<Rows>,
}

/// All rows of an uncorrelated subplan.
enum Rows {
    Value(Datum),
    /// Rows that a test runs over.
    List(Vec<Chunk>),
    /// For a test that is one equality: the values, and whether NULL is among them.
    Set(std::collections::HashSet<Vec<u8>>, bool),
}

/// The values of `sub` for every row of `chunk`.
///
/// # Errors
/// `21000` when a scalar one has several rows; what running it says.
pub fn eval(sub: &SubPlan, form: Physical, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    let mut cached = match ctx.state.subplans.remove(&sub.id) {
        Some(cached) => cached,
        None => Cached { operator: crate::build(&sub.node), rows: None },
    };
    let outcome = run(sub, &mut cached, form, chunk, ctx);
    ctx.state.subplans.insert(sub.id, cached);
    outcome
}

fn run(sub: &SubPlan, cached: &mut Cached, form: Physical, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    let binds = sub.binds.iter().map(|(_, e)| eval_expr(e, chunk, ctx)).collect::<Result<Vec<_>>>()?;
    let mut out = Vector::new(form);
    for i in 0..chunk.rows {
        for ((slot, _), values) in sub.binds.iter().zip(&binds) {
            ctx.set_slot(*slot, values.get(i));
        }
        let value = if sub.correlated { once(sub, cached, ctx)? } else { shared(sub, cached, ctx)? };
        out.push(&value);
    }
    Ok(out)
}

/// Runs a correlated subplan with the slots as they are.
fn once(sub: &SubPlan, cached: &mut Cached, ctx: &mut Context<'_>) -> Result<Datum> {
    cached.operator.reset();
    let mut chunk = Chunk::default();
    let mut outcome = Outcome::new(&sub.kind, element(sub));
    while cached.operator.next(ctx, &mut chunk)? {
        if outcome.take(&sub.kind, &chunk, ctx)? {
            break;
        }
    }
    Ok(outcome.value)
}

/// The type of a subplan's first column.
fn element(sub: &SubPlan) -> Oid {
    sub.node.types().first().copied().unwrap_or(Oid::NONE)
}

/// What a subplan's rows have come to.
struct Outcome {
    value: Datum,
    seen: bool,
    list: Vec<Datum>,
    element: Oid,
}

impl Outcome {
    fn new(kind: &SubKind, element: Oid) -> Outcome {
        let value = match kind {
            SubKind::Scalar => Datum::Null,
            SubKind::Exists => Datum::Bool(false),
            SubKind::Quantified { all, .. } => Datum::Bool(*all),
            SubKind::Array => Array::empty(element).to_datum(),
        };
        Outcome { value, seen: false, list: Vec::new(), element }
    }

    /// Takes rows; true when further ones change nothing.
    fn take(&mut self, kind: &SubKind, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<bool> {
        if chunk.rows == 0 {
            return Ok(false);
        }
        match kind {
            SubKind::Exists => {
                self.value = Datum::Bool(true);
                Ok(true)
            }
            SubKind::Scalar => {
                if self.seen || chunk.rows > 1 {
                    let message = "more than one row returned by a subquery used as an expression";
                    return Err(SqlError::new(SqlState::CARDINALITY_VIOLATION, message));
                }
                self.seen = true;
                self.value = chunk.columns[0].get(0);
                Ok(false)
            }
            SubKind::Array => {
                ctx.account.charge(chunk.bytes() + 24 * chunk.rows)?;
                self.list.extend((0..chunk.rows).map(|i| chunk.columns[0].get(i)));
                self.value = Array::one_dimensional(self.element, self.list.clone()).to_datum();
                Ok(false)
            }
            SubKind::Quantified { all, test } => {
                let tests = eval_expr(test, chunk, ctx)?;
                for i in 0..chunk.rows {
                    match (tests.nulls.get(i), is_true(&tests, i)) {
                        (true, _) => self.value = Datum::Null,
                        (false, b) if b != *all => {
                            self.value = Datum::Bool(b);
                            return Ok(true);
                        }
                        _ => {}
                    }
                }
                Ok(false)
            }
        }
    }
}

/// The answer of a subplan that reads no slots but in its test.
fn shared(sub: &SubPlan, cached: &mut Cached, ctx: &mut Context<'_>) -> Result<Datum> {
    if cached.rows.is_none() {
        cached.rows = Some(collect(sub, &mut cached.operator, ctx)?);
    }
    match (&cached.rows, &sub.kind) {
        (Some(Rows::Value(value)), _) => Ok(value.clone()),
        (Some(Rows::Set(set, has_null)), SubKind::Quantified { all, test }) => {
            let (left, ty) = hashable(test).map(|h| (h.0, h.1)).unwrap_or((test, Oid::NONE));
            let value = crate::constant(left, ctx)?;
            if value.is_null() {
                return Ok(if set.is_empty() && !has_null { Datum::Bool(*all) } else { Datum::Null });
            }
            let mut key = Vec::new();
            let one = crate::eval::from_datums(Physical::of(ty), &[value]);
            keys::encode_join(&mut key, &[ty], &[&one], 0, ctx)?;
            let found = set.contains(&key);
            // `= ANY` and `<> ALL`.
            Ok(match (found, has_null) {
                (true, _) => Datum::Bool(!*all),
                (false, true) => Datum::Null,
                (false, false) => Datum::Bool(*all),
            })
        }
        (Some(Rows::List(chunks)), kind) => {
            let mut outcome = Outcome::new(kind, element(sub));
            for chunk in chunks {
                if outcome.take(kind, chunk, ctx)? {
                    break;
                }
            }
            Ok(outcome.value)
        }
        _ => Err(SqlError::internal("a subplan was collected in another form")),
    }
}

/// The left side and its type, when `test` is one equality (or for ALL one inequality) between something fixed and the only column.
fn hashable(test: &Expr) -> Option<(&Expr, Oid)> {
    let ExprKind::Call { function, args, .. } = &test.kind else { return None };
    let [left, right] = &args[..] else { return None };
    let sign = functions::sign(*function)?;
    let plain = matches!(right.kind, ExprKind::Column(0)) && left.is_fixed();
    (plain && matches!(sign, Sign::Equal | Sign::NotEqual) && left.ty == right.ty).then_some((left, right.ty))
}

fn collect(sub: &SubPlan, operator: &mut BoxOperator, ctx: &mut Context<'_>) -> Result<Rows> {
    operator.reset();
    let mut chunk = Chunk::default();
    let SubKind::Quantified { all, test } = &sub.kind else {
        let mut outcome = Outcome::new(&sub.kind, element(sub));
        while operator.next(ctx, &mut chunk)? {
            if outcome.take(&sub.kind, &chunk, ctx)? {
                break;
            }
        }
        return Ok(Rows::Value(outcome.value));
    };
    let equal = match &test.kind {
        ExprKind::Call { function, .. } => {
            functions::sign(*function) == Some(if *all { Sign::NotEqual } else { Sign::Equal })
        }
        _ => false,
    };
    if let (Some((_, ty)), true) = (hashable(test), equal) {
        let mut set = std::collections::HashSet::new();
        let mut has_null = false;
        while operator.next(ctx, &mut chunk)? {
            for i in 0..chunk.rows {
                let mut key = Vec::new();
                if keys::encode_join(&mut key, &[ty], &[&chunk.columns[0]], i, ctx)? {
                    ctx.account.charge(key.len() + 40)?;
                    set.insert(key);
                } else {
                    has_null = true;
                }
            }
        }
        return Ok(Rows::Set(set, has_null));
    }
    let mut list = Vec::new();
    while operator.next(ctx, &mut chunk)? {
        ctx.account.charge(chunk.bytes())?;
        list.push(chunk.clone());
    }
    Ok(Rows::List(list))
}
