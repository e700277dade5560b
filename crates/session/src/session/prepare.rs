//! Statements that are planned: bound and planned once, locked and run as often as wanted.

use std::sync::Arc;

use binder::{Binder, Bound};
use plan::{Node, OutputColumn};
use storage::lock::{Mode, Tag};
use syntax::ast::{Statement, StatementKind};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::statement::is_planned;
use super::{BlockState, Session, Sink};
use crate::portal::Fetched;
use crate::prepared::Prepared;
use crate::stack;

impl Session {
    /// Parses, and plans where there is something to plan.
    ///
    /// # Errors
    /// As running it would say.
    pub fn prepare(&mut self, sql: &str, param_types: &[Oid]) -> Result<Prepared> {
        let outcome = stack::with_room(stack::need(sql), || self.prepare_inner(sql, param_types));
        if outcome.is_err() {
            self.fail();
        }
        outcome
    }

    fn prepare_inner(&mut self, sql: &str, param_types: &[Oid]) -> Result<Prepared> {
        let mut statements = syntax::parse(sql)?;
        if statements.len() > 1 {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, message));
        }
        let Some(statement) = statements.pop() else {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "the statement is empty"));
        };
        self.prepare_parsed(sql, statement, param_types.to_vec())
    }

    /// Plans a statement of `sql`, if it is one to plan.
    pub(crate) fn prepare_parsed(&mut self, sql: &str, statement: Statement, params: Vec<Oid>) -> Result<Prepared> {
        let mut prepared = Prepared {
            sql: Arc::from(sql),
            stack_bytes: stack::need(sql),
            statement: Arc::new(statement),
            params,
            columns: Arc::default(),
            plan: None,
            operators: None,
        };
        if !prepared.ends_transaction() {
            self.check_not_failed()?;
        }
        if is_planned(&prepared.statement.kind) {
            self.plan_prepared(&mut prepared)?;
        } else {
            prepared.columns = self.unplanned_columns(&prepared.statement.kind)?;
        }
        Ok(prepared)
    }

    pub(crate) fn plan_prepared(&mut self, prepared: &mut Prepared) -> Result<()> {
        let basis = self.basis();
        if prepared.plan.as_ref().is_some_and(|p| p.0 == basis) {
            return Ok(());
        }
        let started = self.txn.is_none();
        if started {
            self.begin_transaction();
        }
        let outcome = self.bind(&prepared.sql, &prepared.statement.kind, prepared.params.clone());
        let outcome = outcome.and_then(|(bound, params)| {
            Ok((self.optimized(bound.node)?, self.as_based(Arc::new(bound.columns))?, params))
        });
        if started {
            self.txn = None;
        }
        let (node, columns, params) = outcome?;
        if let Some(index) = params.iter().position(|p| *p == oid::UNKNOWN) {
            let message = format!("could not determine data type of parameter ${}", index + 1);
            return Err(SqlError::new(SqlState::INDETERMINATE_DATATYPE, message));
        }
        (prepared.columns, prepared.params) = (columns, params);
        prepared.plan = Some((basis, Arc::new(node)));
        prepared.operators = None;
        Ok(())
    }

    /// Runs a prepared statement to its end, and commits unless a transaction block is open.
    ///
    /// # Errors
    /// The statement's.
    pub fn execute(&mut self, prepared: &mut Prepared, params: &[Datum], sink: &mut dyn Sink) -> Result<()> {
        if is_planned(&prepared.statement.kind) && !matches!(prepared.statement.kind, StatementKind::Copy(_)) {
            let mut tag = std::mem::take(&mut self.tag);
            let outcome = stack::with_room(prepared.stack_bytes, || {
                self.guarded(|session| {
                    session.execute_planned(prepared, params, sink, &mut tag)?;
                    if session.block == BlockState::Idle { session.finish_implicit() } else { Ok(()) }
                })
            });
            if outcome.is_ok() {
                self.runtime.engine().nudge();
                sink.complete(&tag);
            }
            self.tag = tag;
            return outcome;
        }
        let mut portal = self.open_portal("", prepared, params.to_vec())?;
        let fetched = self.fetch(&mut portal, 0, sink)?;
        self.sync()?;
        if let Fetched::Complete(tag) = fetched {
            sink.complete(&tag);
        }
        Ok(())
    }

    pub(crate) fn bind(&mut self, sql: &str, kind: &StatementKind, params: Vec<Oid>) -> Result<(Bound, Vec<Oid>)> {
        if let StatementKind::Copy(copy) = kind {
            return Ok((self.copy_bound(sql, copy)?, params));
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
        let (params, views, written, routines) = (binder.params, binder.views, binder.written_views, binder.routines);
        let inner = binder.inner_views;
        self.check_views(&image, &views)?;
        self.check_inner_views(&image, &inner)?;
        self.check_written_views(&image, &written)?;
        self.check_routines(&image, &routines)?;
        Ok((bound, params))
    }

    /// Columns as clients are told of them: values of domains are values of what those are over.
    pub(super) fn as_based(&mut self, columns: Arc<Vec<OutputColumn>>) -> Result<Arc<Vec<OutputColumn>>> {
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
        mut plan: Option<(Arc<Node>, Arc<Vec<OutputColumn>>)>,
        types: &[Oid],
    ) -> Result<(Arc<Node>, Arc<Vec<OutputColumn>>)> {
        loop {
            let (node, columns) = match plan.take() {
                Some(plan) => plan,
                None => {
                    let (bound, params) = self.bind(sql, kind, types.to_vec())?;
                    if params.len() > types.len() {
                        return Err(no_parameter(sql, types.len() + 1));
                    }
                    (Arc::new(self.optimized(bound.node)?), Arc::new(bound.columns))
                }
            };
            self.check_privileges(sql, &node)?;
            let mut taken = false;
            let (db, policy) = (self.db.id, self.lock_policy());
            if let Some(txn) = &mut self.txn {
                let mut outcome = Ok(());
                node.visit_tables(&mut |table, writes| {
                    let mode = if writes { Mode::RowExclusive } else { Mode::AccessShare };
                    let tag = Tag::Relation(db, table.oid.0);
                    let stored = table.source == plan::TableSource::Stored;
                    if stored && outcome.is_ok() && !txn.holds(tag, mode) {
                        taken = true;
                        outcome = txn.lock(tag, mode, policy);
                    }
                });
                outcome?;
            }
            if !taken || self.catalog_dirty() || self.plan_is_current(&node)? {
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
                current &= info.is_some_and(|info| binder::table_ref(&image, info).is_ok_and(|now| now == **table));
            }
        });
        Ok(current)
    }
}

/// `42P02`: nothing gives parameter `number` a value.
pub(crate) fn no_parameter(sql: &str, number: usize) -> SqlError {
    let position = sql.find(&format!("${number}")).map(|at| sql[..at].chars().count() as u32 + 1);
    SqlError::new(SqlState::UNDEFINED_PARAMETER, format!("there is no parameter ${number}")).at(position)
}
