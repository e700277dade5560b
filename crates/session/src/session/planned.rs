//! Prepared statements run to their end, with the operators of their last run.

use std::sync::Arc;

use plan::{Node, OutputColumn};
use types::{Datum, Result, SqlError, SqlState};
use vector::Chunk;

use super::{Session, Sink, tell};
use crate::execution::{EVENTS_HELD_MAX, Execution, Running};
use crate::portal::same_shape;
use crate::prepared::{Operators, Prepared};

/// What running operators came to.
enum Ran {
    /// The statement's end, and what it asks for then.
    Ended(Vec<exec::Event>),
    /// The sink is full.
    Full(Box<Execution>),
}

/// Operators that have asked for more than this are not kept for the next run: there may be ten thousand sessions beside this one.
const KEPT_BYTES: usize = 1 << 20;
/// Nor are those that gave so many rows, for the room that chunks of them take.
const KEPT_ROWS: u64 = 1 << 14;

impl Session {
    /// Runs a planned statement to its end, with the operators of its last run (S5). What it did is not committed yet.
    pub(crate) fn execute_planned(
        &mut self,
        prepared: &mut Prepared,
        params: &[Datum],
        sink: &mut dyn Sink,
        tag: &mut String,
    ) -> Result<Option<Box<Running>>> {
        self.check_bind(prepared, params)?;
        loop {
            if !self.user.superuser || !prepared.is_current(self.basis()) {
                let before = prepared.columns.clone();
                self.plan_prepared(prepared)?;
                if !Arc::ptr_eq(&before, &prepared.columns) && !same_shape(&before, &prepared.columns) {
                    let message = "cached plan must not change result type";
                    return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
                }
            }
            self.begin_transaction();
            if !self.user.superuser
                && let Some((_, node)) = &prepared.plan
            {
                self.check_privileges(&prepared.sql, node)?;
            }
            let Some((basis, node)) = &prepared.plan else { return Err(SqlError::internal("just planned")) };
            if self.read_only {
                self.check_plan_reads(node)?;
            }
            let operators = prepared.operators.get_or_insert_with(|| operators(node));
            let (db, policy) = (self.db.id, self.lock_policy());
            let Some(txn) = &mut self.txn else { return Err(SqlError::internal("just begun")) };
            exec::lock_tables(txn, db, &operators.tables, policy)?;
            // Whoever held the lock may have changed the table (S3).
            if *basis == self.basis() {
                break;
            }
        }
        let Some(mut running) = prepared.operators.take() else { return Err(SqlError::internal("just made")) };
        let outcome = self.run_operators(&mut running, &prepared.columns, params, sink, tag);
        if let Ok(Ran::Full(execution)) = outcome {
            let Some((_, node)) = &prepared.plan else { return Err(SqlError::internal("just planned")) };
            let mut stopped = Running::of(node.clone(), prepared.columns.clone(), running.root, execution);
            stopped.params = params.to_vec();
            return Ok(Some(Box::new(stopped.suspended(tag.parse().unwrap_or(0), self))));
        }
        if running.is_small {
            running.root.reset();
            prepared.operators = Some(running);
        }
        if let Ran::Ended(events) = outcome?
            && !events.is_empty()
        {
            self.run_events(events, false)?;
        }
        Ok(None)
    }

    fn run_operators(
        &mut self,
        running: &mut Operators,
        columns: &[OutputColumn],
        params: &[Datum],
        sink: &mut dyn Sink,
        tag: &mut String,
    ) -> Result<Ran> {
        let mut execution = self.execution(running.writes, running.yields)?;
        let Operators { root, chunk, tables, yields, .. } = running;
        let (mut rows, mut begun, mut full) = (0, false, false);
        let mut events_max = EVENTS_HELD_MAX;
        while self.with_context(&mut execution, params, |ctx| {
            if *yields && !std::mem::replace(&mut begun, true) {
                // PostgreSQL computes what is constant before it says anything.
                let computed = tables.is_empty() && root.next(ctx, chunk)?;
                sink.columns(columns)?;
                if computed && chunk.rows > 0 {
                    rows += chunk.rows as u64;
                    sink.chunk(chunk, ctx.types)?;
                }
            }
            while root.next(ctx, chunk)? {
                if *yields && chunk.rows > 0 {
                    rows += chunk.rows as u64;
                    tell(ctx.host, sink);
                    sink.chunk(chunk, ctx.types)?;
                    if sink.is_full() {
                        full = true;
                        return Ok(false);
                    }
                }
                if ctx.state.events.len() >= events_max {
                    return Ok(true);
                }
            }
            Ok(false)
        })? {
            events_max = self.settle_some(&mut execution)?;
        }
        if full {
            // What was given out is counted on.
            tag.clear();
            tag.push_str(itoa::Buffer::new().format(rows));
            return Ok(Ran::Full(execution));
        }
        let count = if running.word == "SELECT " { rows } else { execution.state.affected };
        tag.clear();
        tag.push_str(running.word);
        tag.push_str(itoa::Buffer::new().format(count));
        let events = execution.take_events();
        running.is_small = rows < KEPT_ROWS && execution.account.taken_bytes() <= KEPT_BYTES;
        execution.clear();
        self.spare_execution = Some(execution);
        Ok(Ran::Ended(events))
    }
}

/// The operators of `node`, and what there is to know before they run.
fn operators(node: &Node) -> Operators {
    // The strongest lock first: taking it second could deadlock with another who did the same.
    let tables = node.stored_tables();
    let mut outer = node;
    while let Node::With { body, .. } = outer {
        outer = body;
    }
    let word = match outer {
        Node::Insert { .. } => "INSERT 0 ",
        Node::Update { .. } => "UPDATE ",
        Node::Delete { .. } => "DELETE ",
        Node::Merge { .. } => "MERGE ",
        _ => "SELECT ",
    };
    Operators {
        root: exec::build(node),
        quick: exec::Quick::of(node),
        chunk: Chunk::default(),
        is_small: true,
        tables,
        writes: node.writes(),
        yields: word == "SELECT " || !node.types().is_empty(),
        word,
    }
}
