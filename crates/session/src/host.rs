//! `SessionHost`: the session as functions see it while a statement runs.

use std::collections::HashMap;
use std::sync::Arc;

use binder::Names;
use catalog::{Image, builtin, stored};
use env::waiting::Wait;
use ext::Host;
use ext::host::{AdvisoryKey, AdvisoryRequest, Describe, ObjectRef, RoleRef, Signal};
use storage::Database;
use storage::lock::{Interrupt, OwnerId};
use types::io::TypeLookup;
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use crate::advisory::{Advisory, Asker};
use crate::describe;
use crate::export::Export;
use crate::runtime::{Role, Runtime};
use crate::session::place_of;
use crate::settings::Settings;

/// Microseconds from 1970 to 2000.
pub(crate) const EPOCH_2000: i64 = 946_684_800_000_000;

/// Numbers that `nextval` gave this session.
#[derive(Default)]
pub(crate) struct Sequences {
    given: HashMap<Oid, i64>,
    last: Option<Oid>,
}

impl Sequences {
    /// Forgets them (DISCARD SEQUENCES).
    pub(crate) fn clear(&mut self) {
        *self = Sequences::default();
    }
}

/// A setting that a function changed, put into effect after the statement.
pub(crate) struct Pending {
    pub name: String,
    pub value: Option<String>,
    pub local: bool,
}

/// What functions may ask of a session.
pub(crate) struct SessionHost<'a> {
    pub runtime: &'a Arc<Runtime>,
    pub db: &'a Arc<Database>,
    pub database: &'a str,
    pub image: &'a Arc<Image>,
    pub search_path: &'a [Oid],
    /// The session's schema of temporary relations.
    pub temporary: Option<Oid>,
    pub settings: &'a Settings,
    pub pending: &'a mut Vec<Pending>,
    /// What functions have to say to the client.
    pub notices: &'a mut Vec<SqlError>,
    pub sequences: &'a mut Sequences,
    pub user: &'a Arc<Role>,
    /// Owners of functions being called that run as they may, outermost first.
    pub entered: Vec<Arc<Role>>,
    pub session_user: &'a Arc<Role>,
    pub interrupt: &'a Arc<Interrupt>,
    pub advisory: &'a mut Advisory,
    pub read_only: bool,
    pub exports: &'a mut Vec<Export>,
    pub listening: &'a mut crate::notify::Listening,
    pub named: &'a crate::named::Named,
    pub pid: u32,
    /// Start of the transaction and of the statement, since 2000.
    pub started: (i64, i64),
    /// What the statement sees.
    pub snapshot: &'a storage::txn::Snapshot,
    /// The transaction's number, if it wrote.
    pub xid: Option<u64>,
    pub sql: Option<&'a str>,
    /// The session's cursors.
    pub cursors: &'a crate::cursor::Cursors,
}

/// Now, in microseconds since 2000.
pub(crate) fn micros_since_2000(interrupt: &Interrupt) -> i64 {
    interrupt.clock().unix_micros() - EPOCH_2000
}

impl SessionHost<'_> {
    pub(crate) fn names(&self) -> Names<'_> {
        Names { image: self.image, search_path: self.search_path }
    }

    /// Who does what is being done.
    pub(crate) fn acting(&self) -> &Arc<Role> {
        self.entered.last().unwrap_or(self.user)
    }

    /// The storage and rules of a sequence.
    pub(crate) fn sequence(
        &self,
        oid: Oid,
    ) -> Result<(Arc<storage::Relation>, storage::sequence::SequenceRules, String)> {
        let Some(info) = self.image.by_oid(oid) else {
            let message = format!("could not open relation with OID {}", oid.0);
            return Err(SqlError::new(SqlState::UNDEFINED_TABLE, message));
        };
        let Some(rules) = info.sequence else {
            let message = format!("\"{}\" is not a sequence", info.name);
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
        };
        Ok((self.db.relation(info.rel)?, rules, info.name.clone()))
    }

    /// Fails unless the session's role has one of these rights to a sequence.
    fn check_sequence(&self, sequence: Oid, letters: &str) -> Result<()> {
        let Some(info) = self.image.by_oid(sequence).filter(|_| !self.acting().superuser) else { return Ok(()) };
        let rights = crate::privilege::Rights::of(self.runtime, self.acting())?;
        if letters.chars().any(|l| rights.has_on_table(info, l)) {
            return Ok(());
        }
        Err(crate::privilege::denied("sequence", &info.name))
    }

    /// `enum_first`, `enum_last`, `enum_range` of enum `ty`.
    fn enum_values(&self, function: &str, ty: Oid, bounds: &[Datum]) -> Result<Datum> {
        let Some(info) = self.image.type_by_oid(ty) else {
            let message = "could not determine actual enum type";
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, message));
        };
        let place = |d: &Datum| match d {
            Datum::U32(label) => self.image.label(Oid(*label)).map(|l| l.1),
            _ => None,
        };
        let (low, high) = match bounds {
            [low, high] => (place(low), place(high)),
            _ => (None, None),
        };
        let within = |p: f32| low.is_none_or(|l| p >= l) && high.is_none_or(|h| p <= h);
        let mut labels = info.labels.iter().filter(|l| within(l.1));
        match function {
            "enum_first" | "enum_last" => {
                let found = if function == "enum_first" { labels.next() } else { labels.next_back() };
                found.map(|l| Datum::from(l.0)).ok_or_else(|| {
                    let message = format!("enum {} contains no values", info.name);
                    SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
                })
            }
            _ => {
                let quoted: Vec<String> =
                    labels.map(|l| format!("\"{}\"", l.2.replace('\\', "\\\\").replace('"', "\\\""))).collect();
                let array = ty.user_array().unwrap_or(ty);
                let text = format!("{{{}}}", quoted.join(","));
                types::io::text_in_with(array, -1, &text, &self.settings.io, &self.names())
            }
        }
    }

    fn relation_of(&self, object: ObjectRef<'_>) -> Result<Option<Oid>> {
        match object {
            ObjectRef::Oid(oid) => Ok(Some(oid)),
            ObjectRef::Name(name) => self.names().relation(name),
        }
    }
}

impl Host for SessionHost<'_> {
    fn now(&self) -> i64 {
        self.started.0
    }
    fn statement_timestamp(&self) -> i64 {
        self.started.1
    }
    fn clock_timestamp(&self) -> i64 {
        micros_since_2000(self.interrupt)
    }
    fn postmaster_start_time(&self) -> i64 {
        self.runtime.started - EPOCH_2000
    }
    fn current_user(&self) -> &str {
        &self.acting().name
    }
    fn enter_role(&mut self, role: Oid) -> Result<()> {
        let found = self.runtime.role_by_oid(role)?;
        self.entered.push(found.ok_or_else(|| SqlError::internal(format!("role {role} is gone")))?);
        Ok(())
    }
    fn leave_role(&mut self) {
        self.entered.pop();
    }
    fn session_user(&self) -> &str {
        &self.session_user.name
    }
    fn current_database(&self) -> &str {
        self.database
    }
    fn current_row(&self, cursor: &str, table: Oid, shown: &str) -> Result<i64> {
        crate::cursor::current_row(self.cursors, cursor, table, shown)
    }
    fn current_query(&self) -> Option<&str> {
        self.sql
    }
    fn search_path(&self, include_implicit: bool) -> Vec<String> {
        let mut names = Vec::new();
        let explicit = self.search_path.contains(&oid::PG_CATALOG_NAMESPACE);
        if include_implicit && !explicit {
            names.push("pg_catalog".to_owned());
        }
        // The temporary schema is searched first without being named, unless the path names it.
        let named = self.settings.search_path.iter().any(|s| s == "pg_temp");
        let hidden = |oid: Oid| Some(oid) == self.temporary && !named;
        let shown: Vec<Oid> =
            self.search_path.iter().copied().filter(|&oid| include_implicit || !hidden(oid)).collect();
        let schemas = crate::session::Session::schema_names(self.image, &shown);
        match schemas.split_first() {
            Some((first, rest)) if shown.first().is_some_and(|&oid| hidden(oid)) => {
                names.insert(0, first.clone());
                names.extend_from_slice(rest);
            }
            _ => names.extend(schemas),
        }
        names
    }
    fn setting(&self, name: &str) -> Option<String> {
        let changed = self.pending.iter().rev().find(|p| p.name.eq_ignore_ascii_case(name));
        match changed.and_then(|p| p.value.clone()) {
            Some(value) => Some(value),
            None => self.settings.get(name).ok(),
        }
    }
    fn settings(&self) -> Vec<Vec<Datum>> {
        self.settings.rows()
    }
    fn set_setting(&mut self, name: &str, value: Option<&str>, local: bool) -> Result<String> {
        let mut trial = self.settings.clone();
        trial.set(name, value)?;
        let shown = trial.get(name)?;
        self.pending.push(Pending { name: name.to_owned(), value: value.map(str::to_owned), local });
        Ok(shown)
    }
    fn nextval(&mut self, sequence: Oid) -> Result<i64> {
        self.check_sequence(sequence, "Uw")?;
        if self.read_only {
            return Err(crate::read_only::refused("nextval()"));
        }
        let (rel, rules, name) = self.sequence(sequence)?;
        match storage::sequence::next(self.db, &rel, &rules)? {
            Ok(number) => {
                self.sequences.given.insert(sequence, number);
                self.sequences.last = Some(sequence);
                Ok(number)
            }
            Err(end) => {
                let (word, value) = match end {
                    storage::sequence::Exhausted::Max => ("maximum", rules.max),
                    storage::sequence::Exhausted::Min => ("minimum", rules.min),
                };
                let message = format!("nextval: reached {word} value of sequence \"{name}\" ({value})");
                Err(SqlError::new(SqlState::SEQUENCE_GENERATOR_LIMIT_EXCEEDED, message))
            }
        }
    }
    fn currval(&mut self, sequence: Oid) -> Result<i64> {
        self.check_sequence(sequence, "Ur")?;
        let (_, _, name) = self.sequence(sequence)?;
        self.sequences.given.get(&sequence).copied().ok_or_else(|| {
            let message = format!("currval of sequence \"{name}\" is not yet defined in this session");
            SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        })
    }
    fn setval(&mut self, sequence: Oid, value: i64, is_called: bool) -> Result<i64> {
        self.check_sequence(sequence, "w")?;
        if self.read_only {
            return Err(crate::read_only::refused("setval()"));
        }
        let (rel, rules, name) = self.sequence(sequence)?;
        if !(rules.min..=rules.max).contains(&value) {
            let message = format!(
                "setval: value {value} is out of bounds for sequence \"{name}\" ({}..{})",
                rules.min, rules.max
            );
            return Err(SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message));
        }
        storage::sequence::set(self.db, &rel, value, is_called)?;
        if is_called {
            self.sequences.given.insert(sequence, value);
        }
        Ok(value)
    }
    fn lastval(&mut self) -> Result<i64> {
        let given = self.sequences.last.and_then(|s| self.sequences.given.get(&s).copied());
        given.ok_or_else(|| {
            let message = "lastval is not yet defined in this session";
            SqlError::new(SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE, message)
        })
    }
    fn resolve(&self, reg_type: Oid, name: &str) -> Result<Option<Oid>> {
        match reg_type {
            oid::REGCLASS => self.names().relation(name),
            _ => self.names().reg_in(reg_type, name),
        }
    }
    fn object_name(&self, reg_type: Oid, oid: Oid) -> Option<String> {
        self.names().reg_out(reg_type, oid)
    }
    fn type_name(&self, type_oid: Oid, typmod: i32) -> Option<String> {
        if type_oid.is_user_type() {
            return Some(self.names().type_name(type_oid));
        }
        types::typmod::format_type(type_oid, typmod)
            .or_else(|| builtin::type_by_oid(type_oid).map(|_| binder::format_type(type_oid)))
    }
    fn entropy(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.runtime.entropy().fill(bytes);
        Ok(())
    }
    fn backend_pid(&self) -> i32 {
        self.pid.cast_signed()
    }
    fn signal(&mut self, pid: i32, signal: Signal) -> Result<bool> {
        self.signal_backend(pid, signal)
    }
    fn notice(&mut self, notice: SqlError) {
        if place_of(&notice) >= self.settings.client_min_messages {
            self.notices.push(notice);
        }
    }
    fn take_notices(&mut self) -> Vec<SqlError> {
        std::mem::take(self.notices)
    }
    fn notify(&mut self, channel: &str, payload: &str) -> Result<()> {
        self.listening.notify(channel, payload)
    }
    fn sleep(&mut self, seconds: f64) -> Result<()> {
        let until = self.interrupt.clock().monotonic_nanos() + (seconds.max(0.0) * 1e9) as u64;
        self.interrupt.wait(Wait::Sleep, until, || None::<()>)?;
        Ok(())
    }
    fn transaction_id(&mut self, assign: bool) -> Result<Option<u64>> {
        match (self.xid, assign) {
            (None, true) => Err(SqlError::unsupported("the id of a transaction that has changed nothing yet")),
            (xid, _) => Ok(xid),
        }
    }
    fn describe(&self, what: Describe, object: Oid, number: i32, text: &str, pretty: bool) -> Result<Option<String>> {
        describe::describe(self, what, object, number, text, pretty)
    }
    fn is_visible(&self, reg_type: Oid, object: Oid) -> Result<Option<bool>> {
        Ok(match reg_type {
            oid::REGCLASS => match self.image.relation_name(object) {
                Some((namespace, name)) => Some(self.names().is_visible(namespace, name, object)),
                None => builtin::relation_by_oid(object).map(|_| true),
            },
            oid::REGTYPE if object.is_user_type() => self.image.type_by_oid(object).map(|t| {
                builtin::type_by_name(&t.name).is_none() && self.names().user_type(None, &t.name) == Some(object)
            }),
            oid::REGTYPE => builtin::type_by_oid(object).map(|_| true),
            oid::REGPROC | oid::REGPROCEDURE => match self.image.function(object) {
                Some(info) => {
                    let found = binder::Proc::named(self.image, None, &info.name, self.search_path);
                    let same = found.iter().find(|p| p.args() == info.args);
                    Some(same.is_some_and(|p| p.oid() == object))
                }
                None => builtin::proc_by_oid(object).map(|_| true),
            },
            oid::REGOPER | oid::REGOPERATOR => match self.image.operator(object) {
                Some(info) => Some(self.search_path.contains(&info.namespace)),
                None => builtin::operator_by_oid(object).map(|_| true),
            },
            _ => Some(true),
        })
    }
    fn has_privilege(
        &self,
        role: Option<RoleRef<'_>>,
        kind: &str,
        object: ObjectRef<'_>,
        column: Option<ext::host::ColumnRef<'_>>,
        privilege: &str,
    ) -> Result<Option<bool>> {
        use crate::privilege::{Rights, any_of, asked, catalog_acl, parsed};
        let role = match role {
            None => self.acting().clone(),
            Some(RoleRef::Name(name)) => self
                .runtime
                .role(name)?
                .ok_or_else(|| SqlError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist")))?,
            Some(RoleRef::Oid(oid)) => match self.runtime.role_by_oid(oid)? {
                Some(role) => role,
                None => return Ok(None),
            },
        };
        if kind == "role" {
            let group = match object {
                ObjectRef::Oid(oid) => oid,
                ObjectRef::Name(name) => {
                    let missing =
                        || SqlError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist"));
                    self.runtime.role(name)?.ok_or_else(missing)?.oid
                }
            };
            return self.runtime.has_role(&role, group, privilege).map(Some);
        }
        let (rights, asked) = (Rights::of(self.runtime, &role)?, asked(privilege)?);
        match kind {
            "table" | "sequence" | "column" | "any_column" => {
                let Some(oid) = self.relation_of(object)? else {
                    let ObjectRef::Name(name) = object else { return Ok(None) };
                    let message = format!("relation \"{name}\" does not exist");
                    return Err(SqlError::new(SqlState::UNDEFINED_TABLE, message));
                };
                if builtin::relation_by_oid(oid).is_some() {
                    let acl = catalog_acl(oid);
                    return Ok(Some(any_of(&rights, "table", oid::BOOTSTRAP_SUPERUSER, acl.as_ref(), &asked)));
                }
                let Some(info) = self.image.by_oid(oid) else { return Ok(None) };
                let own = if info.kind == b'S' { "sequence" } else { "table" };
                let acl = info.acl.as_deref().and_then(parsed);
                let whole = any_of(&rights, own, info.owner, acl.as_ref(), &asked);
                let of_column = |c: &catalog::ColumnInfo| {
                    let acl = c.acl.as_deref().and_then(parsed);
                    acl.is_some() && any_of(&rights, "column", Oid::NONE, acl.as_ref(), &asked)
                };
                Ok(Some(match (kind, column) {
                    ("any_column", _) => whole || info.columns.iter().any(of_column),
                    (_, Some(which)) => {
                        let found = match which {
                            ext::host::ColumnRef::Name(name) => info.columns.iter().position(|c| c.name == name),
                            ext::host::ColumnRef::Number(n) => usize::try_from(n - 1).ok(),
                        };
                        match found.and_then(|i| info.columns.get(i)) {
                            Some(column) => whole || of_column(column),
                            None => {
                                let ext::host::ColumnRef::Name(name) = which else { return Ok(None) };
                                let message = format!("column \"{name}\" of relation \"{}\" does not exist", info.name);
                                return Err(SqlError::new(SqlState::UNDEFINED_COLUMN, message));
                            }
                        }
                    }
                    _ => whole,
                }))
            }
            "schema" => {
                let found = match object {
                    ObjectRef::Oid(oid) => self.image.namespace_by_oid(oid),
                    ObjectRef::Name(name) => Some(self.image.namespace(name).ok_or_else(|| {
                        SqlError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist"))
                    })?),
                };
                let Some(info) = found else { return Ok(None) };
                let acl = info.acl.as_deref().and_then(parsed);
                Ok(Some(any_of(&rights, kind, info.owner, acl.as_ref(), &asked)))
            }
            "database" => {
                let mut found = None;
                self.runtime.each_shared(stored::PG_DATABASE, |row| {
                    let hit = match object {
                        ObjectRef::Oid(oid) => row.oid("oid") == oid,
                        ObjectRef::Name(name) => row.get("datname").as_str() == Some(name),
                    };
                    if hit {
                        found = Some(crate::privilege::database_acl(row));
                    }
                })?;
                let Some((owner, acl)) = found else {
                    let ObjectRef::Name(name) = object else { return Ok(None) };
                    let message = format!("database \"{name}\" does not exist");
                    return Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, message));
                };
                Ok(Some(any_of(&rights, kind, owner, acl.as_ref(), &asked)))
            }
            "function" => {
                let reg = match object {
                    ObjectRef::Oid(oid) => Some(oid),
                    ObjectRef::Name(name) => self.names().reg_in(oid::REGPROCEDURE, name)?,
                };
                let Some(function) = reg else { return Ok(None) };
                match self.image.function(function) {
                    Some(info) => {
                        let acl = info.acl.as_deref().and_then(parsed);
                        Ok(Some(any_of(&rights, kind, info.owner, acl.as_ref(), &asked)))
                    }
                    None if builtin::proc_by_oid(function).is_none() => Ok(None),
                    None => Ok(Some(any_of(&rights, kind, oid::BOOTSTRAP_SUPERUSER, None, &asked))),
                }
            }
            "type" => {
                let ty = match object {
                    ObjectRef::Oid(oid) => Some(oid),
                    ObjectRef::Name(name) => self.names().reg_in(oid::REGTYPE, name)?,
                };
                let info = ty.and_then(|t| self.image.type_by_oid(t));
                let owner = info.map_or(oid::BOOTSTRAP_SUPERUSER, |t| t.owner);
                let acl = info.and_then(|t| t.acl.as_deref()).and_then(parsed);
                Ok(Some(any_of(&rights, kind, owner, acl.as_ref(), &asked)))
            }
            kind => Ok(Some(any_of(&rights, kind, oid::BOOTSTRAP_SUPERUSER, None, &asked))),
        }
    }
    fn size(&self, kind: &str, object: ObjectRef<'_>) -> Result<Option<i64>> {
        let bytes =
            |oid: Oid| -> i64 { self.db.relation(storage::RelId(oid.0)).map_or(0, |rel| rel.size_bytes() as i64) };
        if kind == "database" {
            return Ok(Some(self.db.relations().iter().map(|r| r.size_bytes() as i64).sum()));
        }
        let Some(oid) = self.relation_of(object)? else { return Ok(None) };
        let Some(info) = self.image.by_oid(oid) else {
            return Ok(self.image.relation_name(oid).map(|_| bytes(oid)));
        };
        let own = bytes(Oid(info.rel.0));
        let indexes: i64 = info.indexes.iter().map(|i| bytes(Oid(i.rel.0))).sum();
        Ok(Some(match kind {
            "indexes" => indexes,
            "total_relation" => own + indexes,
            _ => own,
        }))
    }
    fn rows(&mut self, name: &str, args: &[Datum]) -> Result<Vec<Vec<Datum>>> {
        self.rows_of(name, args)
    }
    fn advisory_lock(&mut self, key: AdvisoryKey, request: AdvisoryRequest) -> Result<bool> {
        let asker = Asker {
            locks: &self.runtime.engine().shared().locks,
            db: self.db.id,
            owner: OwnerId(self.pid),
            interrupt: self.interrupt,
            lock_timeout_ms: self.settings.lock_timeout_ms,
        };
        self.advisory.ask(&asker, key, request)
    }
    fn call(&mut self, name: &str, args: &[Datum]) -> Result<Datum> {
        let object = match args.first() {
            Some(Datum::U32(oid)) => Oid(*oid),
            _ => Oid::NONE,
        };
        Ok(match name {
            "pg_notification_queue_usage" => Datum::F64(self.runtime.catalog(self.db.id).channels.usage()),
            // Everything is in the directory of the database.
            "pg_tablespace_location" => match object.0 {
                1663 | 1664 => Datum::text(""),
                _ => Datum::Null,
            },
            "pg_tablespace_size" => Datum::I64(self.db.relations().iter().map(|r| r.size_bytes() as i64).sum()),
            // Nothing is partitioned, published or logged row by row yet.
            "pg_partition_root" | "pg_get_replica_identity_index" => Datum::Null,
            "pg_relation_is_publishable" => match self.image.by_oid(object) {
                Some(info) => Datum::Bool(info.kind == b'r'),
                None => builtin::relation_by_oid(object).map_or(Datum::Null, |_| Datum::Bool(false)),
            },
            "pg_relation_filenode" => match self.image.by_oid(object) {
                Some(info) if matches!(info.kind, b'r' | b'S' | b'm') => Datum::U32(info.rel.0),
                Some(_) => Datum::Null,
                None => self.image.storage_of_index(object).map_or(Datum::Null, |rel| Datum::U32(rel.0)),
            },
            "pg_relation_is_updatable" => {
                let writable = self.image.by_oid(object).is_some_and(|t| t.kind == b'r');
                Datum::I32(if writable { 28 } else { 0 })
            }
            "pg_column_is_updatable" => Datum::Bool(self.image.by_oid(object).is_some_and(|t| t.kind == b'r')),
            "row_security_active" => Datum::Bool(false),
            "pg_basetype" => Datum::from(self.image.base_type(object).0),
            "pg_sequence_last_value" => {
                let (rel, _, _) = self.sequence(object)?;
                match storage::sequence::current(&rel) {
                    (value, true) => Datum::I64(value),
                    _ => Datum::Null,
                }
            }
            "pg_stat_statements_reset" => {
                if !self.acting().superuser {
                    return Err(crate::privilege::denied("function", name));
                }
                let (database, query) = match (&args[1], &args[2]) {
                    (Datum::U32(database), Datum::I64(query)) => (Oid(*database), *query),
                    _ => (Oid::NONE, 0),
                };
                let now = self.runtime.micros_since_2000();
                let chosen = crate::statement_stats::Chosen { user: object, database, query };
                self.runtime.stats.reset(&chosen, args[3] == Datum::Bool(true), now);
                Datum::I64(now)
            }
            "pg_blocking_pids" => match args.first() {
                Some(Datum::I32(pid)) => self.blocking(pid.cast_unsigned()),
                _ => Datum::Null,
            },
            name if name.starts_with("pg_stat_get_db_") => self.database_count(name, object)?,
            name if name.starts_with("pg_stat_get_") => self.table_count(name, object)?,
            "pg_my_temp_schema" => Datum::from(self.temporary.unwrap_or(Oid::NONE)),
            "enum_first" | "enum_last" | "enum_range" => return self.enum_values(name, object, &args[1..]),
            "pg_export_snapshot" => {
                let export = Export::new(self.runtime, self.db.id, self.snapshot.lsn, self.pid, self.exports.len());
                let name = Datum::text(export.name());
                self.exports.push(export);
                return Ok(name);
            }
            "acldefault" => {
                let owner = match args.get(1) {
                    Some(Datum::U32(oid)) => Oid(*oid),
                    _ => Oid::NONE,
                };
                return self.usual_acl(&args[0], owner);
            }
            "pg_is_other_temp_schema" => Datum::Bool(false),
            _ => return Err(SqlError::unsupported(format!("function {name}"))),
        })
    }
    fn check_interrupts(&self) -> Result<()> {
        Ok(self.interrupt.check()?)
    }
}
