//! Statements that are planned: bound and planned once, locked and run as often as wanted.

use std::sync::Arc;
use std::time::Instant;

use binder::{Binder, Bound};
use plan::{Node, OutputColumn};
use syntax::ast::{Statement, StatementKind};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::statement::is_planned;
use super::{BlockState, Session, Sink};
use crate::basis::Basis;
use crate::execution::Running;
use crate::given::query_within;
use crate::known::Fit;
use crate::portal::Fetched;
use crate::prepared::Prepared;
use crate::stack;
use crate::statement_cache::{Kind, Known, SharedStatement, Uses};

/// A plan, what it was made from, and the columns of its result.
pub(crate) type BasedPlan = (Basis, Arc<Node>, Arc<Vec<OutputColumn>>);

/// A statement that is bound.
pub(crate) struct Meaning {
    pub bound: Bound,
    /// Types of its parameters.
    pub params: Vec<Oid>,
    pub uses: Uses,
}

impl Session {
    /// Parses, and plans where there is something to plan.
    ///
    /// # Errors
    /// As running it would say.
    pub fn prepare(&mut self, sql: &str, param_types: &[Oid]) -> Result<Prepared> {
        self.note_time();
        let outcome = stack::with_room(stack::need(sql), || self.prepare_inner(sql, param_types));
        if outcome.is_err() {
            self.fail();
            self.report_end();
        }
        outcome
    }

    fn prepare_inner(&mut self, sql: &str, param_types: &[Oid]) -> Result<Prepared> {
        if let Some(prepared) = self.prepared_before(sql, param_types)? {
            return Ok(prepared);
        }
        let mut statements = syntax::parse(sql)?;
        if statements.len() > 1 {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
        }
        let Some(statement) = statements.pop() else {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "the statement is empty"));
        };
        self.prepare_parsed(sql, statement, Some(0), param_types.to_vec())
    }

    /// The statement that `sql` is, if some session has planned it.
    fn prepared_before(&mut self, sql: &str, param_types: &[Oid]) -> Result<Option<Prepared>> {
        if self.block == BlockState::Failed || !syntax::starts_plan(sql) {
            return Ok(None);
        }
        self.in_some_transaction(|session| {
            let basis = session.basis();
            let Some((key, version)) = session.shared_key(Kind::Prepared, sql, 0, param_types)? else {
                return Ok(None);
            };
            Ok(match session.shared_known(&key, version)? {
                Some(Known::Ready(shared)) => Some(Prepared::of(&shared, basis)),
                _ => None,
            })
        })
    }

    /// Calls `f` in the transaction that is open, or in one for this alone.
    pub(crate) fn in_some_transaction<T>(&mut self, f: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let started = self.txn.is_none();
        if started {
            self.begin_transaction();
        }
        let outcome = f(self);
        if started {
            self.txn = None;
        }
        outcome
    }

    /// Plans a statement of `sql`, if it is one to plan.
    pub(crate) fn prepare_parsed(
        &mut self,
        sql: &str,
        statement: Statement,
        start: Option<u32>,
        params: Vec<Oid>,
    ) -> Result<Prepared> {
        let mut prepared = Prepared::unplanned(sql, statement, start, params);
        if !prepared.ends_transaction() {
            self.check_not_failed()?;
        }
        if is_planned(&prepared.statement.kind) {
            self.plan_prepared(&mut prepared)?;
        } else {
            // Nothing to infer where no parameter is written.
            if sql.contains('$')
                && let Some(query) = query_within(&prepared.statement.kind)
            {
                let params = std::mem::take(&mut prepared.params);
                let (_, types) = self.in_some_transaction(|session| session.bind(sql, &query, params))?;
                check_determined(&types)?;
                prepared.params = types;
            }
            prepared.columns = self.unplanned_columns(&prepared.statement.kind)?;
        }
        Ok(prepared)
    }

    pub(crate) fn plan_prepared(&mut self, prepared: &mut Prepared) -> Result<()> {
        let basis = self.basis();
        if prepared.is_current(basis) {
            // Who runs it may be another than who planned it, and may no longer what it could.
            let is_free = self.user.superuser || prepared.uses.is_empty();
            return if is_free { Ok(()) } else { self.in_some_transaction(|s| s.check_uses(&prepared.uses)) };
        }
        self.in_some_transaction(|session| session.plan_shared(prepared, basis))
    }

    /// Gives `prepared` a plan: what some session has made, or its own, which others will find.
    fn plan_shared(&mut self, prepared: &mut Prepared, basis: Basis) -> Result<()> {
        let key = match prepared.start {
            Some(start) => self.shared_key(Kind::Prepared, &prepared.sql, start, &prepared.params)?,
            None => None,
        };
        if let Some((key, version)) = &key
            && let Some(Known::Ready(shared)) = self.shared_known(key, *version)?
        {
            *prepared = Prepared { start: prepared.start, ..Prepared::of(&shared, basis) };
            return Ok(());
        }
        let since = Instant::now();
        let Meaning { bound, params, uses } =
            self.meaning(&prepared.sql, &prepared.statement.kind, prepared.params.clone())?;
        let node = Arc::new(self.optimized(bound.node)?);
        let columns = self.as_based(Arc::new(bound.columns))?;
        check_determined(&params)?;
        (prepared.columns, prepared.params) = (columns, params);
        prepared.plan = Some((basis, node.clone()));
        prepared.uses = Arc::new(uses);
        prepared.operators = None;
        if let Some((key, version)) = key {
            let shared = SharedStatement::of(prepared, node, Fit::All, &self.db, since);
            self.share(key, version, Known::Ready(Arc::new(shared)));
        }
        Ok(())
    }

    /// Runs a prepared statement to its end, and commits unless a transaction block is open.
    ///
    /// # Errors
    /// The statement's.
    pub fn execute(&mut self, prepared: &mut Prepared, params: &[Datum], sink: &mut dyn Sink) -> Result<()> {
        let outcome = self.execute_or_suspend(prepared, params, sink);
        self.report_end();
        crate::run::ended(outcome)
    }

    /// The same, but where `sink` suspends and is full, what is under way is answered.
    pub(crate) fn execute_or_suspend(
        &mut self,
        prepared: &mut Prepared,
        params: &[Datum],
        sink: &mut dyn Sink,
    ) -> Result<Option<Box<Running>>> {
        if let Some(outcome) = self.execute_quick(prepared, params, sink) {
            return outcome.map(|()| None);
        }
        self.report_begin_if_idle(&prepared.sql);
        if is_planned(&prepared.statement.kind) {
            let mut tag = std::mem::take(&mut self.tag);
            let mut slot = prepared.counted.take();
            let is_counted = self.counted(&mut slot, &prepared.sql, prepared.is_template).is_some();
            let deadline = self.start_deadline();
            let mut outcome = stack::with_room(prepared.stack_bytes, || {
                self.guarded_telling(deadline, sink, |session, sink| {
                    let suspended = session.execute_planned(prepared, params, sink, &mut tag)?;
                    if suspended.is_none() && session.block == BlockState::Idle {
                        session.finish_implicit()?;
                    }
                    Ok(suspended)
                })
            });
            if let Ok(None) = outcome {
                sink.complete(&tag);
                let entry = slot.as_ref().filter(|_| is_counted);
                self.note_end(entry, &prepared.sql, self.ended - self.started.1, &tag);
            }
            if let Ok(Some(stopped)) = &mut outcome {
                stopped.deadline = deadline;
            }
            prepared.counted = slot;
            self.tag = tag;
            return outcome;
        }
        let mut portal = self.open_portal("", prepared, params.to_vec())?;
        let fetched = self.fetch(&mut portal, 0, sink)?;
        self.sync()?;
        if let Fetched::Complete(tag) = fetched {
            sink.complete(&tag);
        }
        Ok(None)
    }

    /// What a statement means, and the types of its parameters.
    pub(crate) fn bind(&mut self, sql: &str, kind: &StatementKind, params: Vec<Oid>) -> Result<(Bound, Vec<Oid>)> {
        let Meaning { bound, params, .. } = self.meaning(sql, kind, params)?;
        Ok((bound, params))
    }

    /// The same with what it needs rights to, which are checked.
    pub(crate) fn meaning(&mut self, sql: &str, kind: &StatementKind, params: Vec<Oid>) -> Result<Meaning> {
        self.runtime.statements.count_planned();
        if let StatementKind::Copy(copy) = kind {
            return Ok(Meaning { bound: self.copy_bound(sql, copy)?, params, uses: Uses::default() });
        }
        let image = self.image()?;
        let characters = self.characters(sql);
        let mut binder = Binder::within(&image, sql, characters, &self.settings.io, &self.search_path);
        binder.params = params;
        let mut bound = match kind {
            StatementKind::Select(s) => binder.query(s)?,
            StatementKind::Insert(s) => binder.insert(s)?,
            StatementKind::Update(s) => binder.update(s)?,
            StatementKind::Delete(s) => binder.delete(s)?,
            StatementKind::Merge(s) => binder.merge(s)?,
            _ => return Err(SqlError::internal("only queries and DML are planned")),
        };
        // Which columns a row has is known within the statement only.
        bound.columns.iter_mut().filter(|c| c.ty == oid::RECORD).for_each(|c| c.typmod = -1);
        let Binder { params, views, inner_views, written_views, routines, .. } = binder;
        let uses = Uses { views, inner_views, written_views, routines };
        self.check_uses(&uses)?;
        Ok(Meaning { bound, params, uses })
    }

    /// Columns as clients are told of them: values of domains are values of what those are over.
    pub(crate) fn as_based(&mut self, columns: Arc<Vec<OutputColumn>>) -> Result<Arc<Vec<OutputColumn>>> {
        if !columns.iter().any(|c| c.ty.user_kind() == Some(oid::UserType::Domain)) {
            return Ok(columns);
        }
        let image = self.image()?;
        let based = |c: &OutputColumn| {
            let (ty, typmod) = image.base_type(c.ty);
            let typmod = if ty == c.ty { c.typmod } else { typmod };
            OutputColumn { ty, typmod, ..c.clone() }
        };
        Ok(Arc::new(columns.iter().map(based).collect()))
    }

    /// A plan whose tables are locked, made from a catalog in which they are as they are (S3).
    pub(crate) fn locked_plan(
        &mut self,
        sql: &str,
        kind: &StatementKind,
        mut plan: Option<BasedPlan>,
        types: &[Oid],
    ) -> Result<(Arc<Node>, Arc<Vec<OutputColumn>>)> {
        loop {
            let (basis, node, columns) = match plan.take() {
                Some(plan) => plan,
                None => {
                    let basis = self.basis();
                    let (bound, params) = self.bind(sql, kind, types.to_vec())?;
                    if params.len() > types.len() {
                        return Err(no_parameter(sql, types.len() + 1));
                    }
                    (basis, Arc::new(self.optimized(bound.node)?), Arc::new(bound.columns))
                }
            };
            self.check_privileges(sql, &node)?;
            let mut taken = false;
            let (db, policy) = (self.db.id, self.lock_policy());
            if let Some(txn) = &mut self.txn {
                taken = exec::lock_tables(txn, db, &node.stored_tables(), policy)?;
            }
            if !taken || basis == self.basis() || self.catalog_dirty() || self.plan_is_current(&node)? {
                return Ok((node, columns));
            }
        }
    }

    /// Whether the catalog still has the tables that `node` was planned for, as they were.
    fn plan_is_current(&mut self, node: &Node) -> Result<bool> {
        let image = self.image()?;
        let mut current = true;
        node.visit_tables(&mut |table, _| {
            if table.source == plan::TableSource::Stored {
                let info = image.by_oid(table.oid);
                current &= info.is_some_and(|i| binder::table_ref(&image, i).is_ok_and(|now| now.is_same_table(table)));
            }
        });
        Ok(current)
    }
}

/// Whether all parameters have types.
fn check_determined(params: &[Oid]) -> Result<()> {
    match params.iter().position(|p| *p == oid::UNKNOWN) {
        None => Ok(()),
        Some(index) => {
            let message = format!("could not determine data type of parameter ${}", index + 1);
            Err(SqlError::new(SqlState::INDETERMINATE_DATATYPE, message))
        }
    }
}

/// `42P02`: nothing gives parameter `number` a value.
pub(crate) fn no_parameter(sql: &str, number: usize) -> SqlError {
    let position = sql.find(&format!("${number}")).map(|at| sql[..at].chars().count() as u32 + 1);
    SqlError::new(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter ${number}")).at(position)
}
