//! `Prepared`: a statement parsed once and planned once per catalog version.

use std::sync::Arc;

use plan::{Node, OutputColumn};
use syntax::ast::{Statement, StatementKind, TransactionStatement};
use types::Oid;

use crate::basis::Basis;
use crate::statement_cache::{SharedStatement, Uses};
use crate::statement_stats::Entry;

/// A prepared statement.
pub struct Prepared {
    pub(crate) sql: Arc<str>,
    /// Stack that its tree may need.
    pub(crate) stack_bytes: usize,
    pub(crate) statement: Arc<Statement>,
    /// Where in the text it begins: 0 when it is all of it, none when it is not quite what the text says.
    pub(crate) start: Option<u32>,
    /// Types of its parameters.
    pub params: Vec<Oid>,
    /// Its result's columns.
    pub columns: Arc<Vec<OutputColumn>>,
    /// The plan and what it was made from (S3); none for statements that are not planned.
    pub(crate) plan: Option<(Basis, Arc<Node>)>,
    /// What it needs rights to that its plan does not show.
    pub(crate) uses: Arc<Uses>,
    /// The plan's operators, kept from one run to the next (S5).
    pub(crate) operators: Option<Operators>,
    /// Where its runs are counted.
    pub(crate) counted: Option<Arc<Entry>>,
    /// Whether its parameters stand for literals.
    pub(crate) is_template: bool,
}

impl Prepared {
    /// A statement without a plan.
    pub(crate) fn unplanned(sql: &str, statement: Statement, start: Option<u32>, params: Vec<Oid>) -> Prepared {
        Prepared {
            sql: Arc::from(sql),
            stack_bytes: crate::stack::need(sql),
            statement: Arc::new(statement),
            start,
            params,
            columns: Arc::default(),
            plan: None,
            uses: Arc::default(),
            operators: None,
            counted: None,
            is_template: false,
        }
    }

    /// A statement that somebody has planned.
    pub(crate) fn of(shared: &SharedStatement, basis: Basis) -> Prepared {
        Prepared {
            sql: shared.sql.clone(),
            stack_bytes: shared.stack_bytes,
            statement: shared.statement.clone(),
            start: Some(0),
            params: shared.params.clone(),
            columns: shared.columns.clone(),
            plan: Some((basis, shared.node.clone())),
            uses: shared.uses.clone(),
            operators: None,
            counted: None,
            is_template: false,
        }
    }
}

/// What running a plan over and over needs.
pub(crate) struct Operators {
    pub root: exec::BoxOperator,
    /// The plan as a statement that needs no operators (S10).
    pub quick: Option<exec::Quick>,
    /// Room for rows.
    pub chunk: vector::Chunk,
    /// Whether it has not taken much memory so far.
    pub is_small: bool,
    /// Tables it reads (false) or writes.
    pub tables: Vec<(Oid, plan::TableUse)>,
    /// Whether anything in it changes rows.
    pub writes: bool,
    /// Whether the statement answers rows.
    pub yields: bool,
    /// The first word of its tag, with what PostgreSQL puts behind INSERT.
    pub word: &'static str,
}

impl Prepared {
    /// Whether its plan is one of this basis (S3).
    pub(crate) fn is_current(&self, basis: Basis) -> bool {
        self.plan.as_ref().is_some_and(|p| p.0 == basis)
    }

    /// Whether it is what a failed transaction block still takes.
    pub(crate) fn ends_transaction(&self) -> bool {
        use TransactionStatement::{Commit, Rollback, RollbackTo};
        let StatementKind::Transaction(t) = &self.statement.kind else { return false };
        matches!(**t, Commit { .. } | Rollback { .. } | RollbackTo(_))
    }
}
