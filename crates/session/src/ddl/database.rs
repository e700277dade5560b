//! CREATE and DROP DATABASE. A database made from another shares its pages until one of them changes (DESIGN §5).

use catalog::stored::{self, PG_DATABASE};
use storage::lock::Mode;
use storage::{DbId, lock::Tag};
use syntax::ast::{AlterDatabase, CreateDatabase, DatabaseChange, DefElem, DefValue, DropDatabase};
use types::{Datum, Oid, Result, SqlError, SqlState};

use super::{notice, refuse};
use crate::runtime::insert_database;
use crate::session::{BlockState, Session, Sink};

fn text_of(option: &DefElem) -> String {
    match &option.value {
        Some(DefValue::String(s)) => s.to_string(),
        Some(DefValue::Integer(n)) => n.to_string(),
        Some(DefValue::Bool(b)) => b.to_string(),
        Some(DefValue::Name(names)) => names.last().map_or(String::new(), |n| n.as_str().to_owned()),
        Some(DefValue::Type(t)) => t.names.last().map_or(String::new(), |n| n.as_str().to_owned()),
        _ => String::new(),
    }
}

/// How many may be connected.
fn connection_limit(option: &DefElem, sql: &str) -> Result<i32> {
    match text_of(option).parse::<i32>() {
        Ok(n) if n >= -1 => Ok(n),
        Ok(n) => Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, format!("invalid connection limit: {n}"))
            .at(option.pos.char_position(sql))),
        Err(_) => {
            let message = "connection_limit requires an integer value";
            Err(SqlError::new(SqlState::SYNTAX_ERROR, message).at(option.pos.char_position(sql)))
        }
    }
}

impl Session {
    fn outside_of_block(&self, what: &str) -> Result<()> {
        if self.block_state() == BlockState::Idle {
            return Ok(());
        }
        let message = format!("{what} cannot run inside a transaction block");
        Err(SqlError::new(SqlState::ACTIVE_SQL_TRANSACTION, message))
    }

    pub(crate) fn create_database(&mut self, sql: &str, create: &CreateDatabase) -> Result<String> {
        self.outside_of_block("CREATE DATABASE")?;
        if !self.user.superuser && !self.user.create_db {
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, "permission denied to create database"));
        }
        let name = create.name.as_str();
        let (mut template, mut owner) = ("template1".to_owned(), self.user.clone());
        let mut limit = -1;
        for option in &create.options {
            let value = text_of(option);
            match &*option.name {
                "template" => template = value,
                "owner" => {
                    owner = self.runtime.role(&value)?.ok_or_else(|| {
                        SqlError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{value}\" does not exist"))
                    })?;
                }
                "encoding" if ["utf8", "utf-8", "6", "-1"].contains(&&*value.to_lowercase()) => {}
                "lc_collate" | "lc_ctype" | "locale" if ["C", "POSIX", "C.UTF-8", "C.utf8"].contains(&&*value) => {}
                "locale_provider" if value == "libc" => {}
                "strategy" | "is_template" | "allow_connections"
                    if ["wal_log", "file_copy", "false", "true"].contains(&&*value.to_lowercase()) =>
                {
                    if &*option.name == "is_template" && value == "true"
                        || &*option.name == "allow_connections" && value == "false"
                    {
                        return refuse(&format!("option {} of CREATE DATABASE", &*option.name), option.pos, sql);
                    }
                }
                "tablespace" if value == "pg_default" => {}
                "connection_limit" => limit = connection_limit(option, sql)?,
                other => {
                    return refuse(
                        &format!("option {other} of CREATE DATABASE with value \"{value}\""),
                        option.pos,
                        sql,
                    );
                }
            }
        }
        self.lock_name(PG_DATABASE, Oid::NONE, name)?;
        if self.runtime.database_id(name)?.is_some() || matches!(name, "template0" | "template1") {
            return Err(SqlError::new(SqlState::DUPLICATE_DATABASE, format!("database \"{name}\" already exists")));
        }
        let engine = self.runtime.engine().clone();
        // The templates that ship with PostgreSQL are empty: so is a new database.
        let db = if matches!(&*template, "template0" | "template1") {
            let db = engine.create_database()?;
            self.runtime.in_transaction(|txn| stored::bootstrap(&db, txn, false))?;
            db
        } else {
            let source = self.runtime.database_id(&template)?.ok_or_else(|| {
                let message = format!("template database \"{template}\" does not exist");
                SqlError::new(SqlState::INVALID_CATALOG_NAME, message)
            })?;
            self.check_unused(source, &template, "source database")?;
            engine.fork(source)?
        };
        let shared = self.shared.clone();
        let outcome = insert_database(&shared, self.txn_mut(), db.id, name, owner.oid, limit);
        if outcome.is_err() {
            engine.drop_database(db.id)?;
        }
        outcome.map(|()| "CREATE DATABASE".to_owned())
    }

    /// ALTER DATABASE: how many may be connected.
    pub(crate) fn alter_database(&mut self, sql: &str, alter: &AlterDatabase) -> Result<String> {
        let name = alter.name.as_str();
        let DatabaseChange::Options(options) = &alter.change else {
            return Err(SqlError::unsupported("this form of ALTER DATABASE"));
        };
        if let Some(other) = options.iter().find(|o| &*o.name != "connection_limit") {
            return refuse(&format!("option {} of ALTER DATABASE", &*other.name), other.pos, sql);
        }
        let Some((oid, _)) = self.runtime.connection_limit_of(name)? else {
            let message = format!("database \"{name}\" does not exist");
            return Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, message));
        };
        let owner = |row: stored::Fields<'_>| row.oid("datdba") == self.user.oid;
        let (shared, mut is_owner) = (self.shared.clone(), self.user.superuser);
        self.runtime.each_shared(PG_DATABASE, |row| is_owner |= row.oid("oid") == oid && owner(row))?;
        if !is_owner {
            let message = format!("must be owner of database {name}");
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        for option in options {
            let limit = connection_limit(option, sql)?;
            let values = [("datconnlimit", Datum::I32(limit))];
            stored::update(&shared, self.txn_mut(), PG_DATABASE, |r| r.oid("oid") == oid, &values)?;
        }
        Ok("ALTER DATABASE".to_owned())
    }

    /// Nobody but this session uses database `id`.
    fn check_unused(&self, id: DbId, name: &str, what: &str) -> Result<()> {
        let mut others = 0;
        // Who is about to leave is waited for a moment, as by PostgreSQL.
        for _ in 0..50 {
            others = self.runtime.sessions_of_others(id) - usize::from(id == self.db.id);
            if others == 0 {
                break;
            }
            let until = self.interrupt.clock().monotonic_nanos() + 10_000_000;
            self.interrupt.wait(env::waiting::Wait::Sleep, until, || None::<()>)?;
        }
        if others == 0 {
            return Ok(());
        }
        let message = format!("{what} \"{name}\" is being accessed by other users");
        let sessions = if others == 1 { "session" } else { "sessions" };
        let is = if others == 1 { "There is" } else { "There are" };
        Err(SqlError::new(SqlState::OBJECT_IN_USE, message)
            .detail(format!("{is} {others} other {sessions} using the database.")))
    }

    pub(crate) fn drop_database(&mut self, sql: &str, drop: &DropDatabase, sink: &mut dyn Sink) -> Result<String> {
        self.outside_of_block("DROP DATABASE")?;
        if let Some(option) = drop.options.first() {
            return refuse("DROP DATABASE WITH (FORCE)", option.pos, sql);
        }
        let name = drop.name.as_str();
        let Some(id) = self.runtime.database_id(name)? else {
            let message = format!("database \"{name}\" does not exist");
            if drop.if_exists {
                notice(sink, SqlState::INVALID_CATALOG_NAME, message + ", skipping");
                return Ok("DROP DATABASE".to_owned());
            }
            return Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, message));
        };
        if id == self.db.id {
            return Err(SqlError::new(SqlState::OBJECT_IN_USE, "cannot drop the currently open database"));
        }
        if !self.user.superuser {
            let message = format!("must be owner of database {name}");
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        let policy = self.lock_policy();
        let shared = self.shared.clone();
        let txn = self.txn_mut();
        txn.lock(Tag::Object(shared.id, PG_DATABASE.0, id.0), Mode::AccessExclusive, policy)?;
        self.check_unused(id, name, "database")?;
        let txn = self.txn_mut();
        stored::delete(&shared, txn, PG_DATABASE, |r| r.oid("oid").0 == id.0)?;
        // The row goes first: a crash in between leaves storage that nobody can name, never a name without storage.
        self.finish_and(|session| Ok(session.runtime.engine().drop_database(id)?))?;
        Ok("DROP DATABASE".to_owned())
    }

    pub(super) fn set_database_owner(&mut self, name: &str, owner: Oid) -> Result<()> {
        let shared = self.shared.clone();
        let txn = self.txn_mut();
        let is_it = |r: catalog::Fields<'_>| r.get("datname").as_str() == Some(name);
        let changed = stored::update(&shared, txn, PG_DATABASE, is_it, &[("datdba", Datum::from(owner))])?;
        if changed.is_empty() {
            let message = format!("database \"{name}\" does not exist");
            return Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, message));
        }
        Ok(())
    }
}
