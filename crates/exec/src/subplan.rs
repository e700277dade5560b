//! Queries inside expressions: run for each row whose slots they read, or once a statement.

use std::sync::Arc;

use hashbrown::HashSet;
use plan::{Expr, ExprKind, SubKind, SubPlan};
use types::array::Array;
use types::compare::Sign;
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};
use vector::{Chunk, Vector};

use crate::eval::{eval as eval_expr, is_true};
use crate::simple::Values;
use crate::{BoxOperator, Context, State, keys};

/// What is kept of a subplan during a statement.
pub struct Cached {
    operator: BoxOperator,
    /// What it yields, when no slot matters.
    rows: Option<Arc<Rows>>,
}

/// What an uncorrelated subplan yields, for threads that cannot run it.
pub struct Answers {
    id: usize,
    rows: Arc<Rows>,
}

impl Answers {
    /// Has a thread with this state find them there.
    pub fn give(&self, state: &mut State) {
        let operator = Box::new(Values::new(Vec::new(), &[]));
        state.subplans.insert(self.id, Cached { operator, rows: Some(self.rows.clone()) });
    }
}

/// Runs an uncorrelated subplan, unless that was done.
///
/// # Errors
/// As [`eval`].
pub fn answers(sub: &SubPlan, ctx: &mut Context<'_>) -> Result<Answers> {
    let rows = with_cached(sub, ctx, |cached, ctx| known_rows(sub, cached, ctx))?;
    Ok(Answers { id: sub.id, rows })
}

/// Calls `f` with what is kept of `sub`; that may keep others'.
fn with_cached<T>(sub: &SubPlan, ctx: &mut Context<'_>, f: impl FnOnce(&mut Cached, &mut Context<'_>) -> T) -> T {
    let cached = ctx.state.subplans.remove(&sub.id);
    let mut cached = cached.unwrap_or_else(|| Cached { operator: crate::build(&sub.node), rows: None });
    let outcome = f(&mut cached, ctx);
    ctx.state.subplans.insert(sub.id, cached);
    outcome
}

/// All rows of an uncorrelated subplan.
enum Rows {
    Value(Datum),
    /// Rows that a test runs over.
    List(Vec<Chunk>),
    /// Of a test that is one equality.
    Set(Set),
}

/// Values that others are compared with.
#[derive(Default)]
struct Set {
    /// Their keys, as those of joins.
    keys: HashSet<Vec<u8>>,
    /// Whether NULL is among them.
    has_null: bool,
}

impl Set {
    /// What `= ANY`, or `<> ALL`, is of the value of this key; none is that of NULL.
    fn answer(&self, all: bool, key: Option<&[u8]>) -> Datum {
        match key {
            Some(key) if self.keys.contains(key) => Datum::Bool(!all),
            Some(_) if !self.has_null => Datum::Bool(all),
            None if self.keys.is_empty() && !self.has_null => Datum::Bool(all),
            _ => Datum::Null,
        }
    }
}

/// The values of `sub` for every row of `chunk`.
///
/// # Errors
/// `21000` when a scalar one has several rows; what running it says.
pub fn eval(sub: &SubPlan, form: Physical, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    with_cached(sub, ctx, |cached, ctx| run(sub, cached, form, chunk, ctx))
}

fn run(sub: &SubPlan, cached: &mut Cached, form: Physical, chunk: &Chunk, ctx: &mut Context<'_>) -> Result<Vector> {
    let binds = sub.binds.iter().map(|(_, e)| eval_expr(e, chunk, ctx)).collect::<Result<Vec<_>>>()?;
    let known = match sub.correlated || chunk.rows == 0 {
        true => None,
        false => Some(known_rows(sub, cached, ctx)?),
    };
    let mut out = Vector::new(form);
    if let (Some(Rows::Set(set)), SubKind::Quantified { all, test }) = (known.as_deref(), &sub.kind)
        && let Some((ExprKind::Slot(slot), ty)) = hashable(test).map(|(left, ty)| (&left.kind, ty))
        && let Some(at) = sub.binds.iter().position(|b| b.0 == *slot)
    {
        let mut key = Vec::new();
        for i in 0..chunk.rows {
            key.clear();
            let is_value = keys::encode_join(&mut key, &[ty], &[&*binds[at]], i, ctx)?;
            out.push(&set.answer(*all, is_value.then_some(&key)));
        }
        return Ok(out);
    }
    for i in 0..chunk.rows {
        for ((slot, _), values) in sub.binds.iter().zip(&binds) {
            ctx.set_slot(*slot, values.get(i));
        }
        let value = match &known {
            None => once(sub, cached, ctx)?,
            Some(rows) => shared(sub, rows, ctx)?,
        };
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

/// All rows of an uncorrelated subplan, which runs for them once.
fn known_rows(sub: &SubPlan, cached: &mut Cached, ctx: &mut Context<'_>) -> Result<Arc<Rows>> {
    if let Some(rows) = &cached.rows {
        return Ok(rows.clone());
    }
    let rows = Arc::new(collect(sub, &mut cached.operator, ctx)?);
    cached.rows = Some(rows.clone());
    Ok(rows)
}

/// The answer of a subplan that reads no slots but in its test.
fn shared(sub: &SubPlan, rows: &Rows, ctx: &mut Context<'_>) -> Result<Datum> {
    match (rows, &sub.kind) {
        (Rows::Value(value), _) => Ok(value.clone()),
        (Rows::Set(set), SubKind::Quantified { all, test }) => {
            let (left, ty) = hashable(test).map(|h| (h.0, h.1)).unwrap_or((test, Oid::NONE));
            let one = crate::eval::from_datums(Physical::of(ty), &[crate::constant(left, ctx)?]);
            let mut key = Vec::new();
            let is_value = keys::encode_join(&mut key, &[ty], &[&one], 0, ctx)?;
            Ok(set.answer(*all, is_value.then_some(&key)))
        }
        (Rows::List(chunks), kind) => {
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
        let mut set = Set::default();
        while operator.next(ctx, &mut chunk)? {
            for i in 0..chunk.rows {
                let mut key = Vec::new();
                if keys::encode_join(&mut key, &[ty], &[&chunk.columns[0]], i, ctx)? {
                    ctx.account.charge(key.len() + 40)?;
                    set.keys.insert(key);
                } else {
                    set.has_null = true;
                }
            }
        }
        return Ok(Rows::Set(set));
    }
    let mut list = Vec::new();
    while operator.next(ctx, &mut chunk)? {
        ctx.account.charge(chunk.bytes())?;
        list.push(chunk.clone());
    }
    Ok(Rows::List(list))
}
