//! Statements that define objects: rows of catalog tables, and the storage they name, in one transaction.

mod alter;
mod analyze;
pub(crate) mod auto_analyze;
mod column;
mod comment;
mod composite;
mod constraint;
pub(crate) mod create_as;
mod database;
mod depend;
mod domain;
mod drop;
mod function;
mod grant;
mod index;
mod like;
mod maintenance;
mod names;
mod operator;
mod procedure;
mod rename;
mod role;
mod schema;
mod sequence;
mod storage_option;
mod table;
pub(crate) mod temporary;
mod user_type;
mod view;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use catalog::stored::{self, PG_ATTRIBUTE, PG_CLASS};
use catalog::{Fields, TableInfo};
use storage::lock::{Mode, Tag};
use storage::txn::Transaction;
use syntax::ast::{Pos, RangeVar};
use types::error::Severity;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::session::{Session, Sink};

/// `pg_am` OID of heap.
const HEAP: Oid = Oid(2);
/// `pg_am` OID of btree.
const BTREE: Oid = Oid(403);
/// `pg_am` OID of hash.
const HASH: Oid = Oid(405);

/// Tells `text` as a notice.
fn notice(sink: &mut dyn Sink, state: SqlState, text: String) {
    sink.notice(&SqlError::new(state, text).severity(Severity::Notice));
}

/// `0A000` at `pos`.
fn refuse<T>(what: &str, pos: Pos, sql: &str) -> Result<T> {
    Err(SqlError::unsupported(what).at(pos.char_position(sql)))
}

impl Session {
    pub(crate) fn txn_mut(&mut self) -> &mut Transaction {
        match &mut self.txn {
            Some(txn) => txn,
            None => unreachable!("a statement runs in a transaction"),
        }
    }

    fn new_oid(&self) -> Result<Oid> {
        Ok(Oid(self.runtime.engine().shared().new_oid()?))
    }

    /// Adds a catalog row of this database.
    fn add_row(&mut self, relation: Oid, values: &[(&str, Datum)]) -> Result<()> {
        let db = self.db.clone();
        let change = stored::insert(&db, self.txn_mut(), relation, values)?;
        self.changed(change);
        Ok(())
    }

    /// Removes the catalog rows of this database for which `wanted` is true.
    fn remove_rows(&mut self, relation: Oid, wanted: impl FnMut(Fields<'_>) -> bool) -> Result<usize> {
        let db = self.db.clone();
        let changes = stored::delete(&db, self.txn_mut(), relation, wanted)?;
        let count = changes.len();
        self.changed_all(changes);
        Ok(count)
    }

    /// Changes the catalog rows of this database for which `wanted` is true.
    fn change_rows(
        &mut self,
        relation: Oid,
        wanted: impl FnMut(Fields<'_>) -> bool,
        values: &[(&str, Datum)],
    ) -> Result<usize> {
        let db = self.db.clone();
        let changes = stored::update(&db, self.txn_mut(), relation, wanted, values)?;
        let count = changes.len();
        self.changed_all(changes);
        Ok(count)
    }

    /// Changes the row of `pg_attribute` of column `number` of a relation.
    fn change_column(&mut self, relation: Oid, number: i16, values: &[(&str, Datum)]) -> Result<()> {
        let number = Datum::I16(number);
        let is_own = |r: Fields<'_>| r.oid("attrelid") == relation && *r.get("attnum") == number;
        self.change_rows(PG_ATTRIBUTE, is_own, values)?;
        Ok(())
    }

    /// The catalog rows of this database for which `wanted` is true, as this transaction sees them.
    fn find_rows(&mut self, relation: Oid, wanted: impl FnMut(Fields<'_>) -> bool) -> Result<Vec<stored::Row>> {
        let db = self.db.clone();
        let txn = self.txn_mut();
        txn.next_command();
        Ok(stored::find(&db, txn, relation, wanted)?.into_iter().map(|r| r.1).collect())
    }

    /// Locks a relation until the transaction ends.
    fn lock_relation(&mut self, relation: Oid, mode: Mode) -> Result<()> {
        let (tag, policy) = (Tag::Relation(self.db.id, relation.0), self.lock_policy());
        Ok(self.txn_mut().lock(tag, mode, policy)?)
    }

    /// Keeps others from making an object of this name meanwhile.
    fn lock_name(&mut self, class: Oid, namespace: Oid, name: &str) -> Result<()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((namespace, name)) as u32;
        let (tag, policy) = (Tag::Object(self.db.id, class.0, hash), self.lock_policy());
        Ok(self.txn_mut().lock(tag, Mode::Exclusive, policy)?)
    }

    /// The schema that a new relation goes to.
    fn target_namespace(&mut self, sql: &str, name: &RangeVar) -> Result<Oid> {
        let namespace = self.named_namespace(sql, name)?;
        self.check_create_in(namespace).map_err(|e| e.at(name.pos.char_position(sql)))?;
        Ok(namespace)
    }

    fn named_namespace(&mut self, sql: &str, name: &RangeVar) -> Result<Oid> {
        let image = self.image()?;
        match &name.schema {
            None => self.search_path.iter().copied().find(|&n| Some(n) != self.temporary).ok_or_else(|| {
                SqlError::new(SqlState::INVALID_SCHEMA_NAME, "no schema has been selected to create in")
                    .at(name.pos.char_position(sql))
            }),
            Some(schema) => match image.namespace_in(schema, &self.search_path) {
                Some(n) if n.oid == oid::PG_CATALOG_NAMESPACE => {
                    let message = format!("permission denied to create \"{}.{}\"", &**schema, &*name.name);
                    Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message)
                        .detail("System catalog modifications are currently disallowed."))
                }
                Some(n) => Ok(n.oid),
                None => {
                    let message = format!("schema \"{}\" does not exist", &**schema);
                    Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, message).at(name.pos.char_position(sql)))
                }
            },
        }
    }

    /// A relation name is free, and stays so; false when it is taken and `if_not_exists` lets that pass.
    fn claim_name(&mut self, namespace: Oid, name: &str, if_not_exists: bool, sink: &mut dyn Sink) -> Result<bool> {
        self.lock_name(PG_CLASS, namespace, name)?;
        let image = self.image()?;
        if !image.is_taken(namespace, name) {
            if image.type_by_name(namespace, name).is_some() {
                let message = format!("type \"{name}\" already exists");
                return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, message).hint(
                    "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.",
                ));
            }
            return Ok(true);
        }
        if if_not_exists {
            notice(sink, SqlState::DUPLICATE_TABLE, format!("relation \"{name}\" already exists, skipping"));
            return Ok(false);
        }
        Err(SqlError::new(SqlState::DUPLICATE_TABLE, format!("relation \"{name}\" already exists")))
    }

    /// The user-made relation that `name` means, locked in `mode`, and looked up anew if that had to wait; `None` when there is none.
    fn find_relation(&mut self, name: &RangeVar, mode: Mode) -> Result<Option<Arc<TableInfo>>> {
        loop {
            let image = self.image()?;
            let text = name.name.as_str();
            let found = match &name.schema {
                Some(schema) => image.namespace_in(schema, &self.search_path).and_then(|n| image.table(n.oid, text)),
                None => self.search_path.iter().find_map(|&n| image.table(n, text)),
            };
            let Some(found) = found.cloned() else { return Ok(None) };
            let tag = Tag::Relation(self.db.id, found.oid.0);
            if self.txn_mut().holds(tag, mode) {
                return Ok(Some(found));
            }
            self.lock_relation(found.oid, mode)?;
        }
    }

    /// The index that `name` means, with its table.
    fn find_index(&mut self, name: &RangeVar) -> Result<Option<(Arc<TableInfo>, Oid)>> {
        let (image, text) = (self.image()?, name.name.as_str());
        let found = match &name.schema {
            Some(schema) => image.namespace_in(schema, &self.search_path).and_then(|n| image.relation_oid(n.oid, text)),
            None => self.search_path.iter().find_map(|&n| image.relation_oid(n, text)),
        };
        Ok(found.and_then(|oid| Some((image.table_of_index(oid)?.clone(), oid))))
    }

    /// [`Session::find_relation`] that must find.
    fn relation(&mut self, sql: &str, name: &RangeVar, mode: Mode) -> Result<Arc<TableInfo>> {
        if let Some(found) = self.find_relation(name, mode)? {
            return Ok(found);
        }
        // For its error, and for catalogs.
        let image = self.image()?;
        let binder = binder::Binder::new(&image, sql, &self.settings.io, &self.search_path);
        let table = binder.table(name).map_err(SqlError::unplaced)?;
        let message = format!("permission denied: \"{}\" is a system catalog", table.name);
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message))
    }

    /// [`Session::relation`] that must be a table of the user's.
    fn own_table(&mut self, sql: &str, name: &RangeVar, mode: Mode) -> Result<Arc<TableInfo>> {
        let info = self.relation(sql, name, mode)?;
        if info.kind != b'r' {
            let message = format!("\"{}\" is not a table", info.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        self.check_owner(&info)?;
        Ok(info)
    }

    fn check_owner(&self, info: &TableInfo) -> Result<()> {
        if self.user.superuser || info.owner == self.user.oid {
            return Ok(());
        }
        let what = drop::relation_kind(info.kind);
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("must be owner of {what} {}", info.name)))
    }

    /// The relation with this OID as this transaction sees it now.
    fn info(&mut self, oid: Oid) -> Result<Arc<TableInfo>> {
        let image = self.image()?;
        let found = image.by_oid(oid).cloned();
        found.ok_or_else(|| SqlError::internal(format!("relation {oid} is not in the catalog")))
    }

    /// Adds a row to `pg_class`, and the type of its rows where it has one that goes with it.
    fn add_class(&mut self, class: &NewClass<'_>) -> Result<()> {
        let row_type = match class.kind {
            b'r' | b'v' | b'm' => Some(self.new_row_type()?),
            _ => None,
        };
        let values = [
            ("oid", Datum::from(class.oid)),
            ("relname", Datum::text(class.name)),
            ("relnamespace", Datum::from(class.namespace)),
            ("relowner", Datum::from(class.owner)),
            ("relam", Datum::from(class.access_method)),
            ("relfilenode", Datum::from(class.oid)),
            ("relkind", Datum::I8(class.kind.cast_signed())),
            ("relpersistence", Datum::I8(class.persistence.cast_signed())),
            ("relreplident", Datum::I8(if matches!(class.kind, b'r' | b'm') { b'd' } else { b'n' }.cast_signed())),
            ("relnatts", Datum::I16(class.columns as i16)),
            ("reltuples", Datum::F32(if class.kind == b'S' { 1.0 } else { -1.0 })),
            ("relispopulated", Datum::Bool(true)),
            ("reltype", Datum::from(row_type.unwrap_or(Oid::NONE))),
        ];
        self.add_row(PG_CLASS, &values)?;
        match row_type {
            Some(ty) => self.add_row_type(class.oid, ty, class.name, class.namespace),
            None => Ok(()),
        }
    }
}

/// A row of `pg_class` to be made.
struct NewClass<'a> {
    oid: Oid,
    name: &'a str,
    namespace: Oid,
    owner: Oid,
    kind: u8,
    columns: usize,
    access_method: Oid,
    /// `pg_class.relpersistence`.
    persistence: u8,
}

/// Where a new relation goes, and whether it lasts.
#[derive(Clone, Copy)]
struct Target {
    namespace: Oid,
    /// `pg_class.relpersistence`.
    persistence: u8,
}
