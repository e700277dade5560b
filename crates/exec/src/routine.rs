//! Functions that users made in SQL: their statements run one after the other inside the statement that calls them.
//!
//! A body is planned by the session ([`Routines::body`]) and its operators are kept while the calling statement runs, so that a call
//! costs no planning. Each call has a [`State`] of its own; what its changes ask to be checked is checked with the caller's.

use std::sync::Arc;

use ext::definition::Rows;
use plan::{ExprKind, Node, Routine, TableUse};
use storage::lock::{Mode, Tag, WaitPolicy};
use storage::txn::Transaction;
use storage::{DbId, Lsn};
use types::record::RecordView;
use types::{Datum, Oid, Physical, Result, SqlError, SqlState};
use vector::{Chunk, Vector};

use crate::eval::eval;
use crate::{BoxOperator, Context, State};

/// The lock that a statement takes of a table.
pub fn lock_mode(how: TableUse) -> Mode {
    match how {
        TableUse::Read => Mode::AccessShare,
        TableUse::LockRows => Mode::RowShare,
        TableUse::Write => Mode::RowExclusive,
    }
}

/// Locks tables as they are used; whether any was not locked so before.
///
/// # Errors
/// What waiting says.
pub fn lock_tables(txn: &mut Transaction, db: DbId, tables: &[(Oid, TableUse)], policy: WaitPolicy) -> Result<bool> {
    let mut any = false;
    for &(table, how) in tables {
        let (tag, mode) = (Tag::Relation(db, table.0), lock_mode(how));
        if !txn.holds(tag, mode) {
            txn.lock(tag, mode, policy)?;
            any = true;
        }
    }
    Ok(any)
}

/// How deep calls may be nested.
const DEPTH_MAX: usize = 1500;
/// Stack that a call needs at least, and that is added where there is less.
const STACK_BYTES: (usize, usize) = (256 << 10, 4 << 20);

/// What a running statement asks of the session about functions.
pub trait Routines {
    /// The statements of a function, planned; `user` is who runs them.
    ///
    /// # Errors
    /// `42501`; what binding them says.
    fn body(&self, routine: &Routine, user: &str) -> Result<Arc<Body>>;
    /// What is committed by now.
    fn newest(&self) -> Lsn;
    /// Whether the catalog is still the one that bodies are planned from.
    fn is_current(&self) -> bool;
}

/// No functions but built-in ones.
pub struct NoRoutines;

impl Routines for NoRoutines {
    fn body(&self, routine: &Routine, _user: &str) -> Result<Arc<Body>> {
        Err(SqlError::unsupported(format!("function {} here", routine.name)))
    }
    fn newest(&self) -> Lsn {
        Lsn(0)
    }
    fn is_current(&self) -> bool {
        true
    }
}

/// What the last statement of a function is to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyResult {
    /// Nothing: the function returns `void`.
    Nothing,
    /// Its only column.
    Value,
    /// Its row.
    Row,
}

/// A function's statements, planned.
#[derive(Debug)]
pub struct Body {
    /// Its source, for errors.
    pub source: Arc<str>,
    /// Its statements.
    pub statements: Vec<BodyStatement>,
    /// What its last statement yields.
    pub result: BodyResult,
    /// Whether it sees what happened since its caller began.
    pub volatile: bool,
    /// Who it runs as, if not as its caller.
    pub definer: Option<Oid>,
}

/// A statement of a function.
#[derive(Debug)]
pub struct BodyStatement {
    /// Its plan.
    pub node: Arc<Node>,
    /// Tables it reads (false) or writes.
    pub tables: Vec<(Oid, TableUse)>,
    /// Whether anything in it changes rows.
    pub writes: bool,
    /// What it is called in errors.
    pub word: &'static str,
}

/// A body whose operators are ready.
pub(crate) struct Kept {
    routine: Arc<Routine>,
    body: Arc<Body>,
    operators: Vec<BoxOperator>,
}

/// The value of a call.
pub(crate) fn value(routine: &Arc<Routine>, args: Vec<Datum>, ctx: &mut Context<'_>) -> Result<Datum> {
    if routine.strict && args.iter().any(Datum::is_null) {
        return Ok(Datum::Null);
    }
    let mut found = Datum::Null;
    run(routine, &args, ctx, false, &mut |result, row| {
        found = whole(routine, result, row);
        Ok(())
    })?;
    Ok(found)
}

/// The rows of a call, each of one column.
pub(crate) fn one_column(routine: &Arc<Routine>, args: Vec<Datum>, ctx: &mut Context<'_>) -> Result<Rows> {
    collect(routine, args, ctx, &mut |result, row| vec![whole(routine, result, row)])
}

/// The rows of a call, in the columns that the function returns.
pub(crate) fn rows(routine: &Arc<Routine>, args: Vec<Datum>, ctx: &mut Context<'_>) -> Result<Rows> {
    let width = routine.columns.len();
    if width == 0 {
        return one_column(routine, args, ctx);
    }
    let mut whole = false;
    let rows = collect(routine, args, ctx, &mut |result, row| {
        whole |= result == BodyResult::Value;
        row
    })?;
    if !whole {
        return Ok(rows);
    }
    let mut values: Vec<Vec<Datum>> = Vec::new();
    for row in rows {
        values.push(spread(routine, row?, ctx)?);
    }
    Ok(Box::new(values.into_iter().map(Ok)))
}

/// The columns of a row that came as one value of the row type that the function returns.
fn spread(routine: &Routine, mut row: Vec<Datum>, ctx: &Context<'_>) -> Result<Vec<Datum>> {
    let width = routine.columns.len();
    let one = row.pop().unwrap_or_default();
    let Some(bytes) = one.as_bytes() else { return Ok(vec![Datum::Null; width]) };
    let view = RecordView::new(bytes);
    if view.len() > width || (routine.result == types::oid::RECORD && view.len() != width) {
        let plural = if view.len() == 1 { "" } else { "s" };
        let detail = format!("Returned row contains {} attribute{plural}, but query expects {width}.", view.len());
        return Err(crate::composite::unlike().detail(detail));
    }
    for (i, column) in routine.columns.iter().enumerate() {
        crate::composite::check_column(&view, i, column.1, ctx)?;
    }
    Ok((0..width).map(|i| view.get(i)).collect())
}

fn collect(
    routine: &Arc<Routine>,
    args: Vec<Datum>,
    ctx: &mut Context<'_>,
    shape: &mut dyn FnMut(BodyResult, Vec<Datum>) -> Vec<Datum>,
) -> Result<Rows> {
    let mut all: Vec<Vec<Datum>> = Vec::new();
    if routine.strict && args.iter().any(Datum::is_null) {
        if !routine.returns_set {
            all.push(vec![Datum::Null; routine.columns.len().max(1)]);
        }
        return Ok(Box::new(all.into_iter().map(Ok)));
    }
    run(routine, &args, ctx, routine.returns_set, &mut |result, row| {
        all.push(shape(result, row));
        Ok(())
    })?;
    if all.is_empty() && !routine.returns_set {
        all.push(vec![Datum::Null; routine.columns.len().max(1)]);
    }
    for row in &all {
        ctx.account.charge_row(row)?;
    }
    Ok(Box::new(all.into_iter().map(Ok)))
}

/// A row as one value.
fn whole(routine: &Routine, result: BodyResult, mut row: Vec<Datum>) -> Datum {
    match result {
        BodyResult::Nothing => Datum::Null,
        BodyResult::Value => row.drain(..1).next().unwrap_or_default(),
        BodyResult::Row => {
            let columns: Vec<(Oid, Datum)> = routine.columns.iter().map(|c| c.1).zip(row).collect();
            match routine.result {
                types::oid::RECORD => {
                    let names: Vec<String> = routine.columns.iter().map(|c| c.0.clone()).collect();
                    types::record::to_named_datum(&columns, &names)
                }
                _ => types::record::to_datum(&columns),
            }
        }
    }
}

/// The values of a call for every row of `chunk`.
pub(crate) fn call(
    routine: &Arc<Routine>,
    args: &[plan::Expr],
    form: Physical,
    chunk: &Chunk,
    ctx: &mut Context<'_>,
) -> Result<Vector> {
    let values = args.iter().map(|a| eval(a, chunk, ctx)).collect::<Result<Vec<_>>>()?;
    let mut out = Vector::new(form);
    for i in 0..chunk.rows {
        let args = values.iter().map(|v| v.get(i)).collect();
        out.push(&value(routine, args, ctx)?);
    }
    Ok(out)
}

/// Runs a function: what its last statement yields goes to `take`, all rows or the first.
fn run(
    routine: &Arc<Routine>,
    args: &[Datum],
    ctx: &mut Context<'_>,
    all: bool,
    take: &mut dyn FnMut(BodyResult, Vec<Datum>) -> Result<()>,
) -> Result<()> {
    if ctx.state.depth >= DEPTH_MAX {
        return Err(SqlError::new(SqlState::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded")
            .hint(format!("Functions may call functions {DEPTH_MAX} deep.")));
    }
    stacker::maybe_grow(STACK_BYTES.0, STACK_BYTES.1, || {
        let key = Arc::as_ptr(routine) as usize;
        let mut kept = match ctx.state.routines.get_mut(&key).and_then(Vec::pop) {
            Some(kept) => kept,
            None => {
                let user = ctx.host.current_user().to_owned();
                let body = ctx.routines.body(routine, &user)?;
                let operators = body.statements.iter().map(|s| crate::build(&s.node)).collect();
                Kept { routine: routine.clone(), body, operators }
            }
        };
        let body = kept.body.clone();
        if let Some(role) = body.definer {
            ctx.host.enter_role(role)?;
        }
        let outcome = statements(&mut kept, args, ctx, all, take);
        if body.definer.is_some() {
            ctx.host.leave_role();
        }
        outcome?;
        ctx.state.routines.entry(key).or_default().push(kept);
        Ok(())
    })
}

fn statements(
    kept: &mut Kept,
    args: &[Datum],
    ctx: &mut Context<'_>,
    all: bool,
    take: &mut dyn FnMut(BodyResult, Vec<Datum>) -> Result<()>,
) -> Result<()> {
    let Kept { body, operators, routine } = kept;
    let count = body.statements.len();
    for (i, (statement, operator)) in body.statements.iter().zip(operators).enumerate() {
        let result = if i + 1 == count { body.result } else { BodyResult::Nothing };
        operator.reset();
        one(body, statement, operator, args, ctx, result, all, take).map_err(|e| {
            placed(e, &body.source).context(format!("SQL function \"{}\" statement {}", routine.name, i + 1))
        })?;
    }
    Ok(())
}

/// An error with a position in a function's source, told as one of an inner statement.
pub fn placed(mut e: SqlError, source: &str) -> SqlError {
    let fields = e.fields_mut();
    if let Some(position) = fields.position.take() {
        fields.internal_position = Some(position);
        fields.internal_query = Some(source.to_owned());
    }
    e
}

#[allow(clippy::too_many_arguments, reason = "each is a part of the call")]
fn one(
    body: &Body,
    statement: &BodyStatement,
    operator: &mut BoxOperator,
    args: &[Datum],
    ctx: &mut Context<'_>,
    result: BodyResult,
    all: bool,
    take: &mut dyn FnMut(BodyResult, Vec<Datum>) -> Result<()>,
) -> Result<()> {
    ctx.check_interrupts()?;
    if statement.writes && !body.volatile {
        let message = format!("{} is not allowed in a non-volatile function", statement.word);
        return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
    }
    let policy = ctx.lock_policy();
    if lock_tables(ctx.txn, ctx.db.id, &statement.tables, policy)? && !ctx.routines.is_current() {
        let message = "could not run a function because the catalog was changed concurrently";
        return Err(SqlError::new(SqlState::SERIALIZATION_FAILURE, message));
    }
    ctx.txn.next_command();
    if statement.writes {
        ctx.txn.writer()?;
    }
    let snapshot = match (body.volatile, ctx.fixed_snapshot) {
        (false, _) => ctx.snapshot.clone(),
        (true, true) => ctx.txn.snapshot_at(ctx.snapshot.lsn),
        // The caller's snapshot, which is older, is protected, and so is this one.
        (true, false) => ctx.txn.snapshot_at(ctx.routines.newest().max(ctx.snapshot.lsn)),
    };
    let mut state = State {
        routines: std::mem::take(&mut ctx.state.routines),
        depth: ctx.state.depth + 1,
        spills: ctx.state.spills,
        ..State::default()
    };
    let mut inner = Context {
        db: ctx.db,
        shared: ctx.shared,
        txn: &mut *ctx.txn,
        snapshot: &snapshot,
        fixed_snapshot: ctx.fixed_snapshot,
        params: args,
        settings: ctx.settings,
        types: ctx.types,
        host: &mut *ctx.host,
        routines: ctx.routines,
        programs: ctx.programs,
        account: &mut *ctx.account,
        state: &mut state,
    };
    let outcome = pull(operator, &mut inner, result, all || statement.writes, all, take);
    ctx.state.routines = state.routines;
    ctx.state.spills = state.spills;
    ctx.state.events.extend(state.events);
    outcome
}

/// Runs a plan: to its end if `whole`, else to its first row.
fn pull(
    operator: &mut BoxOperator,
    ctx: &mut Context<'_>,
    result: BodyResult,
    whole: bool,
    all: bool,
    take: &mut dyn FnMut(BodyResult, Vec<Datum>) -> Result<()>,
) -> Result<()> {
    let mut chunk = Chunk::default();
    let mut taken = false;
    while operator.next(ctx, &mut chunk)? {
        if result == BodyResult::Nothing {
            continue;
        }
        for i in 0..chunk.rows {
            if all || !taken {
                take(result, chunk.row(i))?;
                taken = true;
            }
        }
        if taken && !whole {
            break;
        }
    }
    Ok(())
}

/// The rows of a call among the expressions of a select list; `None` when `e` is no call of a function that returns a set.
pub(crate) fn set_of(e: &plan::Expr, row: &Chunk, ctx: &mut Context<'_>) -> Result<Option<Rows>> {
    let ExprKind::Routine { routine, args, .. } = &e.kind else { return Ok(None) };
    if !routine.returns_set {
        return Ok(None);
    }
    let values = args.iter().map(|a| Ok(eval(a, row, ctx)?.get(0))).collect::<Result<Vec<_>>>()?;
    one_column(routine, values, ctx).map(Some)
}
