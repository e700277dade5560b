//! DROP, and what goes with it.

use catalog::stored::{
    PG_ATTRDEF, PG_ATTRIBUTE, PG_CAST, PG_CLASS, PG_CONSTRAINT, PG_DEPEND, PG_DESCRIPTION, PG_INDEX, PG_NAMESPACE,
    PG_OPERATOR, PG_PROC, PG_REWRITE, PG_SEQUENCE, PG_STATISTIC, PG_TYPE,
};
use storage::RelId;
use storage::lock::Mode;
use syntax::ast::{DropBehavior, DropStatement, ObjectKind, ObjectName, QualifiedName, RangeVar};
use types::{Datum, Oid, Result, SqlError, SqlState};

use super::depend::Address;
use super::notice;
use crate::session::{Session, Sink};

/// A name as FROM has it.
pub fn range_of(names: &QualifiedName) -> Option<RangeVar> {
    let name = names.last()?;
    let schema = names.len().checked_sub(2).map(|i| names[i].clone());
    Some(RangeVar { catalog: None, schema, name: name.clone(), only: false, pos: name.pos })
}

impl Session {
    pub(crate) fn drop_objects(&mut self, sql: &str, drop: &DropStatement, sink: &mut dyn Sink) -> Result<String> {
        let tag = format!("DROP {}", drop.kind.as_str());
        let _ = sql;
        let mut targets = Vec::new();
        for object in &drop.objects {
            if let (ObjectKind::Type | ObjectKind::Domain, ObjectName::Type(name)) = (drop.kind, object) {
                targets.extend(self.find_type_to_drop(name, drop.kind == ObjectKind::Domain, drop.if_exists, sink)?);
                continue;
            }
            if let (
                kind @ (ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine | ObjectKind::Aggregate),
                ObjectName::Function(sig),
            ) = (drop.kind, object)
            {
                targets.extend(self.find_function_to_drop(sql, sig, kind, drop.if_exists, sink)?);
                continue;
            }
            let ObjectName::Name(names) = object else { return Err(SqlError::unsupported(tag)) };
            let found = match drop.kind {
                ObjectKind::Schema => self.find_schema_to_drop(names, drop.if_exists, sink)?,
                ObjectKind::Table
                | ObjectKind::Index
                | ObjectKind::Sequence
                | ObjectKind::View
                | ObjectKind::MaterializedView => self.find_to_drop(names, drop.kind, drop.if_exists, sink)?,
                _ => return Err(SqlError::unsupported(tag)),
            };
            targets.extend(found);
        }
        self.drop_addresses(&targets, drop.behavior, sink)?;
        Ok(tag)
    }

    fn find_schema_to_drop(
        &mut self,
        names: &QualifiedName,
        if_exists: bool,
        sink: &mut dyn Sink,
    ) -> Result<Option<Address>> {
        let Some(name) = names.last() else { return Ok(None) };
        let image = self.image()?;
        let Some(schema) = image.namespace(name) else {
            let message = format!("schema \"{}\" does not exist", &**name);
            if if_exists {
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, message + ", skipping");
                return Ok(None);
            }
            return Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, message));
        };
        if schema.oid.0 < 1000 {
            let message = format!("cannot drop schema {} because it is required by the database system", schema.name);
            return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message));
        }
        if !self.user.superuser && schema.owner != self.user.oid {
            let message = format!("must be owner of schema {}", schema.name);
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message));
        }
        Ok(Some(Address::schema(schema.oid)))
    }

    fn find_to_drop(
        &mut self,
        names: &QualifiedName,
        kind: ObjectKind,
        if_exists: bool,
        sink: &mut dyn Sink,
    ) -> Result<Option<Address>> {
        let Some(range) = range_of(names) else { return Ok(None) };
        let word = kind.as_str().to_lowercase();
        let name = range.name.as_str();
        let wanted = match kind {
            ObjectKind::Table => b'r',
            ObjectKind::Sequence => b'S',
            ObjectKind::Index => b'i',
            ObjectKind::View => b'v',
            _ => b'm',
        };
        if let Some(schema) = &range.schema
            && self.image()?.namespace_in(schema, &self.search_path).is_none()
        {
            let message = format!("schema \"{}\" does not exist", &**schema);
            if if_exists {
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, message + ", skipping");
                return Ok(None);
            }
            return Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, message));
        }
        let wrong = |actual: &str| {
            let message = format!("\"{name}\" is not {} {word}", if "aeiou".contains(&word[..1]) { "an" } else { "a" });
            let article = if actual == "index" { "an" } else { "a" };
            let hint = format!("Use DROP {} to remove {article} {actual}.", actual.to_uppercase());
            SqlError::new(SqlState::WRONG_OBJECT_TYPE, message).hint(hint)
        };
        if let Some(info) = self.find_relation(&range, Mode::AccessExclusive)? {
            if info.kind != wanted {
                return Err(wrong(if info.kind == b'c' { "type" } else { relation_kind(info.kind) }));
            }
            self.check_owner(&info)?;
            return Ok(Some(Address::relation(info.oid)));
        }
        let image = self.image()?;
        let index = match &range.schema {
            Some(schema) => image.namespace_in(schema, &self.search_path).and_then(|n| image.relation_oid(n.oid, name)),
            None => self.search_path.iter().find_map(|&n| image.relation_oid(n, name)),
        };
        match index {
            Some(oid) if wanted == b'i' => {
                if let Some(table) = image.table_of_index(oid).cloned() {
                    self.lock_relation(table.oid, Mode::AccessExclusive)?;
                    self.check_owner(&table)?;
                }
                Ok(Some(Address::relation(oid)))
            }
            Some(_) => Err(wrong("index")),
            None => {
                let message = format!("{word} \"{name}\" does not exist");
                if if_exists {
                    notice(sink, SqlState::SUCCESSFUL_COMPLETION, message + ", skipping");
                    return Ok(None);
                }
                let state = if wanted == b'i' { SqlState::UNDEFINED_OBJECT } else { SqlState::UNDEFINED_TABLE };
                Err(SqlError::new(state, message))
            }
        }
    }

    /// Drops objects and what goes with them; what else depends on them is in the way, unless CASCADE.
    pub(super) fn drop_addresses(
        &mut self,
        targets: &[Address],
        behavior: DropBehavior,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let depends: Vec<(Address, Address, u8)> = self
            .find_rows(PG_DEPEND, |_| true)?
            .iter()
            .map(|row| {
                let row = catalog::Fields { relation: PG_DEPEND, row };
                let address = |c: &str, o: &str, s: &str| Address {
                    class: row.oid(c),
                    object: row.oid(o),
                    column: row.int(s) as i32,
                };
                let on = address("refclassid", "refobjid", "refobjsubid");
                (address("classid", "objid", "objsubid"), on, row.char("deptype"))
            })
            .collect();
        for target in targets {
            // A part cannot be dropped without its whole.
            let whole = depends.iter().find(|(o, on, kind)| o == target && *kind == b'i' && !targets.contains(on));
            if let Some((_, whole, _)) = whole {
                let (own, whole) = (self.described(*target)?, self.described(Address { column: 0, ..*whole })?);
                return Err(SqlError::new(
                    SqlState::DEPENDENT_OBJECTS_STILL_EXIST,
                    format!("cannot drop {own} because {whole} requires it"),
                )
                .hint(format!("You can drop {whole} instead.")));
            }
        }
        let mut doomed = Doomed { depends: &depends, list: Vec::new(), visited: Vec::new() };
        targets.iter().for_each(|t| doomed.visit(*t, None));
        // PostgreSQL names what was found last first.
        let Doomed { list, .. } = doomed;
        let mut blocked: Vec<(Address, Address)> = list
            .iter()
            .rev()
            .filter_map(|(object, from)| from.filter(|f| f.1 == b'n').map(|(on, _)| (*object, on)))
            .collect();
        // What goes anyway with something that was named, or that is in the way itself, is not in the way.
        let going: Vec<Address> = targets.iter().copied().chain(blocked.iter().map(|b| b.0)).collect();
        let goes_along = |a: &Address| {
            depends.iter().any(|(o, on, kind)| {
                let within = |t: &Address| {
                    t.class == on.class && t.object == on.object && (t.column == 0 || t.column == on.column)
                };
                o == a && *kind != b'n' && going.iter().any(within)
            })
        };
        blocked.retain(|(object, _)| !goes_along(object) && !targets.contains(object));
        if !blocked.is_empty() {
            let mut lines = Vec::new();
            for (object, on) in &blocked {
                let (object, on) = (self.described(*object)?, self.described(*on)?);
                lines.push((object, on));
            }
            if behavior == DropBehavior::Restrict {
                let message = match targets {
                    [one] => format!("cannot drop {} because other objects depend on it", self.described(*one)?),
                    _ => "cannot drop desired object(s) because other objects depend on them".to_owned(),
                };
                let detail: Vec<String> = lines.iter().map(|(o, on)| format!("{o} depends on {on}")).collect();
                return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message)
                    .detail(detail.join("\n"))
                    .hint("Use DROP ... CASCADE to drop the dependent objects too."));
            }
            let text: Vec<String> = lines.iter().map(|(o, _)| format!("drop cascades to {o}")).collect();
            let told = match &text[..] {
                [one] => SqlError::new(SqlState::SUCCESSFUL_COMPLETION, one.clone()),
                many => {
                    let message = format!("drop cascades to {} other objects", many.len());
                    SqlError::new(SqlState::SUCCESSFUL_COMPLETION, message).detail(many.join("\n"))
                }
            };
            sink.notice(&told.severity(types::error::Severity::Notice));
        }
        list.iter().try_for_each(|(a, _)| self.remove(*a))
    }

    /// Takes one object out of the catalog, with its storage.
    fn remove(&mut self, address: Address) -> Result<()> {
        let Address { class, object, .. } = address;
        match class {
            PG_CLASS if address.column > 0 => {
                self.remove_column(object, address.column)?;
                let column = i64::from(address.column);
                self.remove_rows(PG_DEPEND, |r| {
                    let own = (r.oid("classid"), r.oid("objid"), r.int("objsubid"));
                    let on = (r.oid("refclassid"), r.oid("refobjid"), r.int("refobjsubid"));
                    own == (class, object, column) || on == (class, object, column)
                })?;
                self.remove_rows(PG_DESCRIPTION, |r| {
                    r.oid("classoid") == class && r.oid("objoid") == object && r.int("objsubid") == column
                })?;
                return Ok(());
            }
            PG_CLASS => self.remove_relation(object)?,
            PG_CONSTRAINT => self.remove_constraint(object)?,
            PG_ATTRDEF => {
                let rows = self.find_rows(PG_ATTRDEF, |r| r.oid("oid") == object)?;
                for row in &rows {
                    let row = catalog::Fields { relation: PG_ATTRDEF, row };
                    let (table, number) = (row.oid("adrelid"), row.int("adnum") as i16);
                    self.change_column(table, number, &[("atthasdef", Datum::Bool(false))])?;
                }
                self.remove_rows(PG_ATTRDEF, |r| r.oid("oid") == object)?;
            }
            PG_TYPE => self.remove_type(object)?,
            PG_PROC => self.remove_function(object)?,
            PG_OPERATOR | PG_CAST => {
                self.remove_rows(class, |r| r.oid("oid") == object)?;
            }
            PG_NAMESPACE => {
                self.remove_rows(PG_NAMESPACE, |r| r.oid("oid") == object)?;
            }
            _ => return Err(SqlError::unsupported("dropping this kind of object")),
        }
        self.remove_rows(PG_DEPEND, |r| {
            (r.oid("classid") == class && r.oid("objid") == object)
                || (r.oid("refclassid") == class && r.oid("refobjid") == object)
        })?;
        self.remove_rows(PG_DESCRIPTION, |r| r.oid("classoid") == class && r.oid("objoid") == object)?;
        Ok(())
    }

    fn remove_relation(&mut self, oid: Oid) -> Result<()> {
        let image = self.image()?;
        let rel = match image.by_oid(oid) {
            Some(info) => {
                self.lock_relation(oid, Mode::AccessExclusive)?;
                info.rel
            }
            None => {
                if let Some(table) = image.table_of_index(oid) {
                    self.lock_relation(table.oid, Mode::AccessExclusive)?;
                }
                image.storage_of_index(oid).unwrap_or(RelId(oid.0))
            }
        };
        if image.by_oid(oid).is_none_or(|t| !matches!(t.kind, b'v' | b'c')) {
            let db = self.db.clone();
            let relation = db.relation(rel)?;
            db.drop_relation(self.txn_mut(), &relation)?;
        }
        self.remove_rows(PG_REWRITE, |r| r.oid("ev_class") == oid)?;
        self.remove_rows(PG_INDEX, |r| r.oid("indexrelid") == oid)?;
        self.remove_rows(PG_SEQUENCE, |r| r.oid("seqrelid") == oid)?;
        self.remove_rows(PG_STATISTIC, |r| r.oid("starelid") == oid)?;
        self.remove_rows(PG_ATTRIBUTE, |r| r.oid("attrelid") == oid)?;
        self.remove_rows(PG_CLASS, |r| r.oid("oid") == oid)?;
        Ok(())
    }

    fn remove_constraint(&mut self, oid: Oid) -> Result<()> {
        let rows = self.find_rows(PG_CONSTRAINT, |r| r.oid("oid") == oid)?;
        let Some(row) = rows.first() else { return Ok(()) };
        let row = catalog::Fields { relation: PG_CONSTRAINT, row };
        let (table, kind, columns) = (row.oid("conrelid"), row.char("contype"), row.numbers("conkey"));
        let domain = row.oid("contypid");
        if !domain.is_none() {
            self.remove_rows(PG_CONSTRAINT, |r| r.oid("oid") == oid)?;
            if kind == b'n' {
                self.change_rows(PG_TYPE, |r| r.oid("oid") == domain, &[("typnotnull", Datum::Bool(false))])?;
            }
            return Ok(());
        }
        self.lock_relation(table, Mode::AccessExclusive)?;
        self.remove_rows(PG_CONSTRAINT, |r| r.oid("oid") == oid)?;
        if kind == b'n'
            && let Some(&column) = columns.first()
        {
            self.change_column(table, column as i16, &[("attnotnull", Datum::Bool(false))])?;
        }
        Ok(())
    }
}

/// What goes when something is dropped: what depends on it first.
struct Doomed<'a> {
    depends: &'a [(Address, Address, u8)],
    /// Each with what it depends on, and how.
    list: Vec<(Address, Option<(Address, u8)>)>,
    visited: Vec<Address>,
}

impl Doomed<'_> {
    fn visit(&mut self, current: Address, from: Option<(Address, u8)>) {
        let gone = |list: &[Address], a: &Address| list.contains(a) || list.contains(&Address { column: 0, ..*a });
        if gone(&self.visited, &current) {
            return;
        }
        self.visited.push(current);
        let mut users: Vec<(Address, u8)> = self
            .depends
            .iter()
            .filter(|(_, on, _)| {
                on.class == current.class
                    && on.object == current.object
                    && (current.column == 0 || on.column == current.column)
            })
            .map(|(object, _, kind)| (*object, *kind))
            .collect();
        // The youngest first, a whole before its parts.
        users.sort_by_key(|(a, _)| (std::cmp::Reverse(age(a.object)), a.class, a.column));
        for (object, kind) in users {
            self.visit(object, Some((current, kind)));
        }
        self.list.push((current, from));
    }
}

/// Something that grows with the time an object was made at.
fn age(oid: Oid) -> (u32, bool) {
    if oid.is_user_type() { (oid.0 >> 7 & 0x7f_ffff, oid.user_element().is_none()) } else { (oid.0, false) }
}

/// What a relation of `kind` is called.
pub(super) fn relation_kind(kind: u8) -> &'static str {
    match kind {
        b'S' => "sequence",
        b'v' => "view",
        b'm' => "materialized view",
        b'i' => "index",
        b'c' => "composite type",
        _ => "table",
    }
}
