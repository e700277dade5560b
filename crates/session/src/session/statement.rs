//! Texts: their statements are run one after the other.

use syntax::ast::{Statement, StatementKind};
use types::{Datum, Oid, Result, SqlError};

use super::Session;
use super::sink::{Quiet, Sink};
use crate::notify::Wish;

/// A text of several statements, and how far its characters are counted.
pub(crate) struct Script {
    /// Where the text lies, and how long it is: while it runs no other does.
    place: (usize, usize),
    characters: binder::Characters,
}

impl Script {
    pub(crate) fn new(sql: &str) -> Script {
        Script { place: (sql.as_ptr().addr(), sql.len()), characters: binder::Characters::of(sql) }
    }

    /// What comes before its byte `start` is behind us.
    pub(crate) fn before(&mut self, sql: &str, start: usize) {
        self.characters.before(sql, start);
    }

    fn is(&self, sql: &str) -> bool {
        self.place == (sql.as_ptr().addr(), sql.len())
    }
}

impl Session {
    /// The characters of `sql`, as far as they are counted.
    pub(super) fn characters(&self, sql: &str) -> binder::Characters {
        match &self.script {
            Some(script) if script.is(sql) => script.characters,
            _ => binder::Characters::of(sql),
        }
    }

    /// `sink`, which is told only what is important enough, and does not stop a statement.
    pub(crate) fn quiet<'s>(&self, sink: &'s mut dyn Sink) -> Quiet<'s> {
        Quiet { inner: sink, level: self.settings.client_min_messages, suspends: false }
    }

    /// Runs one statement within the transaction; answers its command tag.
    pub(crate) fn dispatch(&mut self, sql: &str, statement: &Statement, sink: &mut dyn Sink) -> Result<String> {
        if let StatementKind::Transaction(t) = &statement.kind {
            return self.transaction(t, sink);
        }
        self.enter()?;
        let sink: &mut dyn Sink = &mut self.quiet(sink);
        if self.read_only && !is_planned(&statement.kind) {
            self.check_statement_reads(&statement.kind)?;
        }
        match &statement.kind {
            kind if is_planned(kind) => {
                let (node, columns) = self.locked_plan(sql, kind, None, &[])?;
                let columns = self.as_based(columns)?;
                let mut running = self.start(node, columns)?;
                self.pull(&mut running, 0, sink)?;
                self.run_events(running.take_events(), false)?;
                Ok(running.tag())
            }
            StatementKind::Copy(c) => self.copy(sql, c, sink),
            StatementKind::Prepare(p) => self.prepare_statement(sql, p),
            StatementKind::Execute(e) => self.execute_statement(sql, e, sink),
            StatementKind::Deallocate(d) => self.deallocate(d.name.as_ref().map(|n| n.as_str())),
            StatementKind::DeclareCursor(d) => self.declare_cursor(sql, d),
            StatementKind::Fetch(f) => self.fetch_cursor(f, sink),
            StatementKind::ClosePortal(c) => self.close_cursor(c.name.as_ref().map(|n| n.as_str())),
            StatementKind::CreateTable(c) => self.create_table(sql, c, sink),
            StatementKind::CreateTableAs(c) if c.materialized_view => self.create_materialized_view(sql, c, sink),
            StatementKind::CreateView(c) => self.create_view(sql, c, sink),
            StatementKind::RefreshMaterializedView(r) => self.refresh_view(sql, r),
            StatementKind::CreateTableAs(c) => self.create_table_as(sql, c, sink),
            StatementKind::Select(s) => self.select_into(sql, s),
            StatementKind::Grant(g) => self.grant(sql, g, sink),
            StatementKind::GrantRole(g) => self.grant_role(g, sink),
            StatementKind::CreateType(c) => self.create_type(sql, c),
            StatementKind::CreateFunction(c) => self.create_function(sql, c),
            StatementKind::AlterFunction(a) => self.alter_function(sql, a),
            StatementKind::Define(d) => self.define(sql, d, sink),
            StatementKind::CreateCast(c) => self.create_cast(sql, c),
            StatementKind::AlterObjectSchema(a) => self.alter_schema_of(sql, a),
            StatementKind::Call(c) => self.call_procedure(sql, c, sink),
            StatementKind::Do(d) => self.do_block(d),
            StatementKind::AlterType(a) => self.alter_type(sql, a, sink),
            StatementKind::CreateDomain(c) => self.create_domain(sql, c),
            StatementKind::AlterDomain(a) => self.alter_domain(sql, a, sink),
            StatementKind::AlterEnum(a) => self.alter_enum(a, sink),
            StatementKind::AlterTable(a) => self.alter_table(sql, a, sink),
            StatementKind::CreateIndex(c) => self.create_index(sql, c, sink),
            StatementKind::CreateSequence(c) => self.create_sequence(sql, c, sink),
            StatementKind::AlterSequence(a) => self.alter_sequence(sql, a, sink),
            StatementKind::CreateSchema(c) => self.create_schema(sql, c, sink),
            StatementKind::Drop(d) => self.drop_objects(sql, d, sink),
            StatementKind::Rename(r) => self.rename(sql, r, sink),
            StatementKind::AlterOwner(a) => self.alter_owner(sql, a),
            StatementKind::Comment(c) => self.comment(sql, c),
            StatementKind::Truncate(t) => self.truncate(sql, t),
            StatementKind::CreateRole(c) => self.create_role(sql, c),
            StatementKind::AlterDatabase(a) => self.alter_database(sql, a),
            StatementKind::AlterRole(a) => self.alter_role(sql, a),
            StatementKind::DropRole(d) => self.drop_role(sql, d, sink),
            StatementKind::CreateDatabase(c) => self.create_database(sql, c),
            StatementKind::DropDatabase(d) => self.drop_database(sql, d, sink),
            StatementKind::Vacuum(v) => self.vacuum(sql, v),
            StatementKind::Reindex(r) => self.reindex(sql, r),
            StatementKind::Listen(l) => {
                self.wish(Wish::Listen(l.channel.as_str().into()));
                Ok("LISTEN".to_owned())
            }
            StatementKind::Unlisten(u) => {
                self.wish(u.channel.as_ref().map_or(Wish::UnlistenAll, |c| Wish::Unlisten(c.as_str().into())));
                Ok("UNLISTEN".to_owned())
            }
            StatementKind::Notify(n) => {
                self.listening.notify(n.channel.as_str(), n.payload.as_ref().map_or("", |p| p.as_str()))?;
                Ok("NOTIFY".to_owned())
            }
            StatementKind::Checkpoint(_) => {
                self.runtime.engine().checkpoint()?;
                Ok("CHECKPOINT".to_owned())
            }
            StatementKind::Lock(l) => self.lock_tables(sql, l),
            StatementKind::SetConstraints(c) => self.set_constraints(sql, c),
            StatementKind::Discard(d) => self.discard(d),
            StatementKind::Set(s) => self.set(s, sink),
            StatementKind::Explain(e) => self.explain(sql, e, sink),
            StatementKind::Show(s) => self.show(&s.name, sink),
            other => Err(SqlError::unsupported(other.name())),
        }
    }

    /// Runs a statement of our own, which sees what is committed now; its rows, and what it asks for at its end.
    pub(crate) fn internal(
        &mut self,
        sql: &str,
        params: &[Datum],
        types: &[Oid],
    ) -> Result<(Vec<Vec<Datum>>, Vec<exec::Event>)> {
        self.with_latest(|s| s.internal_in_transaction(sql, params, types))
    }

    /// As [`Session::internal`], but it sees what the transaction sees.
    pub(crate) fn internal_in_transaction(
        &mut self,
        sql: &str,
        params: &[Datum],
        types: &[Oid],
    ) -> Result<(Vec<Vec<Datum>>, Vec<exec::Event>)> {
        let statements = syntax::parse(sql)?;
        let Some(statement) = statements.first() else { return Ok(Default::default()) };
        self.trusted = true;
        let planned = self.locked_plan(sql, &statement.kind, None, types);
        self.trusted = false;
        let (node, columns) = planned?;
        let mut running = self.start(node, columns)?;
        running.params = params.to_vec();
        let mut rows = Vec::new();
        while let Some(chunk) = running.next_chunk(self)? {
            rows.extend((0..chunk.rows).map(|i| chunk.row(i)));
        }
        Ok((rows, running.take_events()))
    }
}

/// The part of `sql` that a statement is.
pub(crate) fn text_of<'s>(sql: &'s str, statement: &Statement) -> &'s str {
    let span = statement.span;
    sql.get(span.start.0 as usize..span.end.0 as usize).unwrap_or(sql)
}

pub(crate) fn is_planned(kind: &StatementKind) -> bool {
    use StatementKind::{Delete, Insert, Merge, Select, Update};
    match kind {
        Select(s) => crate::ddl::create_as::into_table(s).is_none(),
        kind => matches!(kind, Insert(_) | Update(_) | Delete(_) | Merge(_)),
    }
}
