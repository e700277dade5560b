//! `Given`: values of the parameters of a statement that is not planned, but has a query in it that is: EXPLAIN, DECLARE CURSOR, CREATE TABLE AS, SELECT INTO.

use std::borrow::Cow;
use std::sync::Arc;

use syntax::ast::{Execute, Statement, StatementKind};
use types::{Datum, Oid, Result};

use crate::ddl::create_as::without_into;
use crate::session::{Session, is_planned};

/// Types and values of parameters.
#[derive(Clone, Default)]
pub(crate) struct Given {
    pub types: Vec<Oid>,
    pub values: Vec<Datum>,
}

/// The text and the statement that an EXECUTE names, with the parameters that it gives.
pub(crate) type Executed = (Arc<str>, Arc<Statement>, Given);

/// The query in a statement that is not planned itself, if that may have parameters.
pub(crate) fn query_within(kind: &StatementKind) -> Option<Cow<'_, StatementKind>> {
    let query = match kind {
        StatementKind::Explain(explain) => &explain.statement.kind,
        StatementKind::DeclareCursor(declare) => &declare.query.kind,
        StatementKind::CreateTableAs(create) if !create.materialized_view => &create.source.kind,
        StatementKind::Select(select) if !is_planned(kind) => {
            return Some(Cow::Owned(StatementKind::Select(Box::new(without_into(select)))));
        }
        _ => return None,
    };
    is_planned(query).then_some(Cow::Borrowed(query))
}

impl Session {
    /// Calls `f`, whose statement has parameters of these values.
    pub(crate) fn with_given<T>(&mut self, given: Given, f: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let before = std::mem::replace(&mut self.given, given);
        let outcome = f(self);
        self.given = before;
        outcome
    }

    /// What EXECUTE runs; `None` for the empty statement.
    pub(crate) fn executed(&mut self, sql: &str, execute: &Execute) -> Result<Option<Executed>> {
        let Some(given) = self.execute_given(sql, execute)? else { return Ok(None) };
        let named = self.statement(execute.name.as_str())?;
        Ok(named.map(|prepared| (prepared.sql.clone(), prepared.statement.clone(), given)))
    }
}
