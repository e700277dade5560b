//! CREATE TABLE AS, SELECT INTO.

use std::sync::Arc;

use plan::{Node, RowRules};
use storage::{RelId, RelKind, RelMeta};
use syntax::ast::{CreateTableAs, IntoTable, Name, Select, SelectBody, StatementKind};
use types::{Physical, Result, SqlError, SqlState, oid};

use super::depend::Address;
use super::storage_option::{Of, check_options};
use super::table::{NewColumn, check_attribute_type, is_system_column};
use super::temporary::stored_as;
use super::{HEAP, NewClass, notice, refuse};
use crate::given::Given;
use crate::session::{Session, Sink};

/// The table that SELECT INTO makes, if a query is one.
pub fn into_table(select: &Select) -> Option<&IntoTable> {
    match &select.body {
        SelectBody::Query(core) => core.into.as_deref(),
        SelectBody::SetOperation(op) => into_table(&op.left),
        SelectBody::Values(_) => None,
    }
}

/// The query of SELECT INTO without its INTO.
pub(crate) fn without_into(select: &Select) -> Select {
    let mut select = select.clone();
    let mut inner = &mut select;
    loop {
        match &mut inner.body {
            SelectBody::Query(core) => {
                core.into = None;
                return select;
            }
            SelectBody::SetOperation(op) => inner = &mut op.left,
            SelectBody::Values(_) => return select,
        }
    }
}

impl Session {
    pub(crate) fn select_into(&mut self, sql: &str, select: &Select) -> Result<String> {
        let Some(into) = into_table(select) else { return Err(SqlError::internal("a query without INTO")) };
        let source = StatementKind::Select(Box::new(without_into(select)));
        self.make_table_of(sql, into, &source, true)
    }

    pub(crate) fn create_table_as(&mut self, sql: &str, create: &CreateTableAs, sink: &mut dyn Sink) -> Result<String> {
        let namespace = self.target(sql, &create.into.relation, create.into.persistence)?.namespace;
        let name = create.into.relation.name.as_str();
        if create.if_not_exists && self.image()?.is_taken(namespace, name) {
            notice(sink, SqlState::DUPLICATE_TABLE, format!("relation \"{name}\" already exists, skipping"));
            return Ok("CREATE TABLE AS".to_owned());
        }
        match &create.source.kind {
            StatementKind::Execute(execute) => {
                let executed = self.executed(sql, execute)?;
                let Some((text, statement, given)) = executed.filter(|e| matches!(e.1.kind, StatementKind::Select(_)))
                else {
                    return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, "prepared statement is not a SELECT"));
                };
                self.with_given(given, |session| {
                    session.make_table_of(&text, &create.into, &statement.kind, create.with_data)
                })
            }
            kind => self.make_table_of(sql, &create.into, kind, create.with_data),
        }
    }

    /// Makes a table of what a query yields.
    fn make_table_of(
        &mut self,
        sql: &str,
        into: &IntoTable,
        source: &StatementKind,
        with_data: bool,
    ) -> Result<String> {
        if into.tablespace.as_ref().is_some_and(|t| &**t != "pg_default") {
            return refuse("tablespaces", into.relation.pos, sql);
        }
        let options = check_options(&into.options, sql, Of::Table)?;
        let target = self.target(sql, &into.relation, into.persistence)?;
        let namespace = target.namespace;
        let name = into.relation.name.as_str();
        self.claim_name(namespace, name, false, &mut super::alter::NoSink)?;
        let Given { types, values } = self.given.clone();
        let (node, columns) = self.locked_plan(sql, source, None, &types)?;
        if into.columns.len() > columns.len() {
            return Err(SqlError::new(SqlState::SYNTAX_ERROR, "too many column names were specified"));
        }
        let mut new: Vec<NewColumn<'_>> = Vec::new();
        for (i, c) in columns.iter().enumerate() {
            let column = into.columns.get(i).map_or(c.name.clone(), |n: &Name| n.as_str().to_owned());
            if new.iter().any(|n| n.name == column) {
                let message = format!("column \"{column}\" specified more than once");
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
            }
            if is_system_column(&column) {
                let message = format!("column name \"{column}\" conflicts with a system column name");
                return Err(SqlError::new(SqlState::DUPLICATE_COLUMN, message));
            }
            let ty = if c.ty == oid::UNKNOWN { oid::TEXT } else { c.ty };
            check_attribute_type(&column, ty)?;
            new.push(NewColumn::plain(column, ty, c.typmod));
        }
        let (db, table, owner) = (self.db.clone(), self.new_oid()?, self.user.oid);
        let forms = new.iter().map(|c| Physical::of(c.ty)).collect();
        let meta = RelMeta::new(RelId(table.0), RelKind::Table, stored_as(target.persistence), forms);
        db.create_relation(self.txn_mut(), meta)?;
        let columns = new.len();
        let persistence = target.persistence;
        let access_method = HEAP;
        self.add_class(&NewClass {
            oid: table,
            name,
            namespace,
            owner,
            kind: b'r',
            columns,
            access_method,
            persistence,
        })?;
        self.keep_options(table, &options)?;
        self.note_on_commit(table, target, into.on_commit)?;
        self.depend(Address::relation(table), Address::schema(namespace), b'n')?;
        for (i, column) in new.iter().enumerate() {
            self.add_attribute(table, i, column)?;
        }
        if !with_data {
            return Ok("CREATE TABLE AS".to_owned());
        }
        let target = self.plan_table(table)?;
        let insert = Node::Insert {
            table: Arc::new(target),
            rules: Arc::new(RowRules::default()),
            input: Box::new(Node::clone(&node)),
            conflict: None,
            returning: None,
        };
        let mut running = self.start(Arc::new(insert), Arc::default())?;
        running.params = values;
        while running.next_chunk(self)?.is_some() {}
        let events = running.take_events();
        self.run_events(events, false)?;
        Ok(running.tag().replace("INSERT 0 ", "SELECT "))
    }
}
