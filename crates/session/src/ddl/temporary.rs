//! Temporary relations: a schema per session, made with its first one; what happens to them at commit and at the session's end.
//!
//! They are rows of the catalog like others, but their storage is not logged and gone after a crash. Rows that a crash left behind are
//! removed when the directory is opened ([`sweep`]).

use std::sync::Arc;

use catalog::stored::{
    self, PG_ATTRDEF, PG_ATTRIBUTE, PG_CLASS, PG_CONSTRAINT, PG_DEPEND, PG_DESCRIPTION, PG_INDEX, PG_NAMESPACE,
    PG_SEQUENCE,
};
use catalog::{Fields, TEMPORARY_PREFIX};
use storage::lock::Mode;
use storage::txn::Transaction;
use storage::{Database, Persistence};
use syntax::ast::{self, DropBehavior, OnCommit, RangeVar};
use types::{Datum, Oid, Result, SqlError, SqlState};

use super::depend::Address;
use super::{Target, alter::NoSink};
use crate::session::Session;

/// How storage keeps relations of `pg_class.relpersistence`.
pub fn stored_as(persistence: u8) -> Persistence {
    match persistence {
        b't' => Persistence::Temporary,
        b'u' => Persistence::Unlogged,
        _ => Persistence::Permanent,
    }
}

impl Session {
    /// The name of its temporary schema, made or not.
    pub(crate) fn temporary_schema(&self) -> String {
        format!("{TEMPORARY_PREFIX}{}", self.owner.0)
    }

    /// Its temporary schema, made now if it is not there.
    fn temporary_namespace(&mut self) -> Result<Oid> {
        let name = self.temporary_schema();
        if let Some(found) = self.image()?.namespace(&name) {
            return Ok(found.oid);
        }
        let schema = self.new_oid()?;
        let owner = types::oid::BOOTSTRAP_SUPERUSER;
        let values = [("oid", Datum::from(schema)), ("nspname", Datum::text(&name)), ("nspowner", Datum::from(owner))];
        self.add_row(PG_NAMESPACE, &values)?;
        Ok(schema)
    }

    /// Where a new relation goes that is declared with `persistence`.
    pub(super) fn target(&mut self, sql: &str, name: &RangeVar, persistence: ast::Persistence) -> Result<Target> {
        let own = self.temporary_schema();
        let named_temporary = match &name.schema {
            Some(schema) => **schema == *"pg_temp" || **schema == *own,
            // It is, when the search path begins so.
            None => {
                persistence == ast::Persistence::Permanent
                    && self.settings.search_path.first().is_some_and(|s| s == "pg_temp")
            }
        };
        if persistence == ast::Persistence::Temporary || named_temporary {
            if !named_temporary && name.schema.is_some() {
                let message = "cannot create temporary relation in non-temporary schema";
                return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message).at(name.pos.char_position(sql)));
            }
            if persistence == ast::Persistence::Unlogged {
                let message = "only temporary relations may be created in temporary schemas";
                return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message).at(name.pos.char_position(sql)));
            }
            return Ok(Target { namespace: self.temporary_namespace()?, persistence: b't' });
        }
        let namespace = self.target_namespace(sql, name)?;
        let persistence = if persistence == ast::Persistence::Unlogged { b'u' } else { b'p' };
        Ok(Target { namespace, persistence })
    }

    /// Notes what is to happen to a new table at commit.
    pub(super) fn note_on_commit(&mut self, table: Oid, target: Target, on_commit: OnCommit) -> Result<()> {
        match on_commit {
            OnCommit::NotSet => {}
            _ if target.persistence != b't' => {
                let message = "ON COMMIT can only be used on temporary tables";
                return Err(SqlError::new(SqlState::INVALID_TABLE_DEFINITION, message));
            }
            OnCommit::PreserveRows => {}
            OnCommit::DeleteRows | OnCommit::Drop => self.on_commit.push((table, on_commit)),
        }
        Ok(())
    }

    /// Does to temporary tables what was said for the end of the transaction, which is about to commit.
    pub(crate) fn run_on_commit(&mut self) -> Result<()> {
        let actions = std::mem::take(&mut self.on_commit);
        let mut kept = Vec::new();
        for (table, action) in actions {
            let Some(info) = self.image()?.by_oid(table).cloned() else { continue };
            match action {
                OnCommit::Drop => {
                    self.drop_addresses(&[Address::relation(table)], DropBehavior::Cascade, &mut NoSink)?
                }
                // Nothing was written when nobody took the lock that writing takes.
                _ if !self.holds_relation(table, Mode::RowExclusive) => kept.push((table, action)),
                _ => {
                    self.lock_relation(table, Mode::AccessExclusive)?;
                    self.empty(&info)?;
                    kept.push((table, action));
                }
            }
        }
        self.on_commit = kept;
        Ok(())
    }

    fn holds_relation(&mut self, table: Oid, mode: Mode) -> bool {
        let tag = storage::lock::Tag::Relation(self.db.id, table.0);
        self.txn_mut().holds(tag, mode)
    }

    /// Drops its temporary relations: DISCARD TEMP, and the end of the session.
    pub(crate) fn drop_temporary(&mut self) -> Result<()> {
        let name = self.temporary_schema();
        let Some(schema) = self.image()?.namespace(&name).map(|n| n.oid) else { return Ok(()) };
        let relations: Vec<Address> = self
            .find_rows(PG_CLASS, |r| {
                r.oid("relnamespace") == schema && matches!(r.char("relkind"), b'r' | b'S' | b'v')
            })?
            .iter()
            .map(|row| Address::relation(Fields { relation: PG_CLASS, row }.oid("oid")))
            .collect();
        self.on_commit.clear();
        if relations.is_empty() {
            return Ok(());
        }
        self.drop_addresses(&relations, DropBehavior::Cascade, &mut NoSink)
    }

    /// At the end of the session: its temporary relations and their schema go.
    pub(crate) fn leave_no_temporary(&mut self) {
        let name = self.temporary_schema();
        if self.view.as_ref().is_none_or(|v| v.catalog().namespace(&name).is_none()) {
            return;
        }
        // What fails here is swept when the directory is opened the next time.
        let _ = self.guarded(|session| {
            session.begin_transaction();
            session.drop_temporary()?;
            session.remove_rows(PG_NAMESPACE, |r| r.text("nspname") == name)?;
            session.finish_implicit()
        });
    }
}

/// Removes the catalog rows of temporary relations that a crash left behind in `db`.
///
/// # Errors
/// What reading or writing the catalog says.
pub fn sweep(db: &Arc<Database>, txn: &mut Transaction) -> Result<()> {
    let mut schemas: Vec<Oid> = Vec::new();
    let left = stored::find(db, txn, PG_NAMESPACE, |r| r.text("nspname").starts_with(TEMPORARY_PREFIX))?;
    schemas.extend(left.iter().map(|(_, row)| Fields { relation: PG_NAMESPACE, row }.oid("oid")));
    if schemas.is_empty() {
        return Ok(());
    }
    let classes = stored::find(db, txn, PG_CLASS, |r| schemas.contains(&r.oid("relnamespace")))?;
    let relations: Vec<Oid> = classes.iter().map(|(_, row)| Fields { relation: PG_CLASS, row }.oid("oid")).collect();
    for (relation, column) in [
        (PG_ATTRIBUTE, "attrelid"),
        (PG_ATTRDEF, "adrelid"),
        (PG_CONSTRAINT, "conrelid"),
        (PG_INDEX, "indexrelid"),
        (PG_SEQUENCE, "seqrelid"),
        (PG_DESCRIPTION, "objoid"),
        (PG_CLASS, "oid"),
    ] {
        stored::delete(db, txn, relation, |r| relations.contains(&r.oid(column)))?;
    }
    stored::delete(db, txn, stored::PG_TYPE, |r| schemas.contains(&r.oid("typnamespace")))?;
    stored::delete(db, txn, PG_DEPEND, |r| {
        relations.contains(&r.oid("objid")) || relations.contains(&r.oid("refobjid"))
    })?;
    stored::delete(db, txn, PG_NAMESPACE, |r| schemas.contains(&r.oid("oid")))?;
    Ok(())
}
