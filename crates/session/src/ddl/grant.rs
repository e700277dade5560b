//! GRANT and REVOKE: of privileges on tables, columns, sequences, schemas and databases, and of roles.

use catalog::stored::{self, PG_ATTRIBUTE, PG_AUTH_MEMBERS, PG_CLASS, PG_DATABASE, PG_NAMESPACE, PG_PROC, PG_TYPE};
use catalog::{Fields, Image};
use storage::lock::Mode;
use syntax::ast::{
    DefValue, DropBehavior, Grant, GrantRole, GrantTarget, ObjectKind, ObjectName, Pos, Privilege, RoleSpec,
};
use types::{Datum, Oid, Result, SqlError, SqlState};

use super::alter::column_of;
use super::drop::range_of;
use super::{notice, refuse};
use crate::acl::{Acl, letter, word};
use crate::privilege::{denied, parsed, usual};
use crate::session::{Session, Sink};

/// An object that privileges are granted on.
struct Object {
    class: Oid,
    oid: Oid,
    /// Column number, from 1; 0 is the whole.
    column: i16,
    kind: &'static str,
    name: String,
    owner: Oid,
    acl: Option<Acl>,
}

/// A grant with its words turned into letters.
struct Change<'a> {
    grant: bool,
    option: bool,
    cascade: bool,
    grantees: &'a [String],
}

fn kind_word(kind: ObjectKind) -> Option<&'static str> {
    Some(match kind {
        ObjectKind::Table => "table",
        ObjectKind::Sequence => "sequence",
        ObjectKind::Schema => "schema",
        ObjectKind::Database => "database",
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Routine => "function",
        ObjectKind::Type | ObjectKind::Domain => "type",
        _ => return None,
    })
}

fn warning(sink: &mut dyn Sink, state: SqlState, text: String) {
    sink.notice(&SqlError::new(state, text).severity(types::error::Severity::Warning));
}

impl Session {
    pub(crate) fn grant(&mut self, sql: &str, grant: &Grant, sink: &mut dyn Sink) -> Result<String> {
        let tag = if grant.grant { "GRANT" } else { "REVOKE" }.to_owned();
        let mut grantees = Vec::new();
        for spec in &grant.grantees {
            match spec {
                RoleSpec::Public(_) if grant.grant && grant.grant_option => {
                    let message = "grant options can only be granted to roles";
                    return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
                }
                RoleSpec::Public(_) => grantees.push(String::new()),
                spec => grantees.push(self.role_of(spec)?.name.clone()),
            }
        }
        if let Some(by) = &grant.granted_by
            && self.role_of(by)?.oid != self.user.oid
        {
            return Err(SqlError::new(SqlState::FEATURE_NOT_SUPPORTED, "grantor must be current user"));
        }
        let (kind, objects) = match &grant.target {
            GrantTarget::Objects { kind, objects } => {
                let Some(word) = kind_word(*kind) else {
                    return Err(SqlError::unsupported(format!("GRANT ON {}", kind.as_str())));
                };
                let found =
                    objects.iter().map(|o| self.grant_object(sql, *kind, word, o)).collect::<Result<Vec<_>>>()?;
                (word, found)
            }
            GrantTarget::AllInSchema { kind, schemas } => {
                let Some(word @ ("table" | "sequence" | "function")) = kind_word(*kind) else {
                    return Err(SqlError::unsupported(format!("GRANT ON ALL {} IN SCHEMA", kind.as_str())));
                };
                let image = self.image()?;
                let mut found = Vec::new();
                for schema in schemas {
                    let Some(namespace) = image.namespace(schema) else {
                        let message = format!("schema \"{}\" does not exist", schema.as_str());
                        return Err(SqlError::new(SqlState::INVALID_SCHEMA_NAME, message));
                    };
                    if word == "function" {
                        let wanted = |f: &catalog::FunctionInfo| match kind {
                            ObjectKind::Procedure => f.kind == b'p',
                            ObjectKind::Function => f.kind != b'p',
                            _ => true,
                        };
                        let own = image.functions().filter(|f| f.namespace == namespace.oid && wanted(f));
                        found.extend(own.map(|f| Some(function_object(f))));
                        continue;
                    }
                    for info in image.tables().into_iter().filter(|t| t.namespace == namespace.oid) {
                        if (word == "sequence") == (info.kind == b'S') {
                            found.push(relation_object(&image, info.oid));
                        }
                    }
                }
                (word, found.into_iter().flatten().collect())
            }
            GrantTarget::Defaults { .. } => return refuse("ALTER DEFAULT PRIVILEGES", Pos::NONE, sql),
        };
        let change = Change {
            grant: grant.grant,
            option: grant.grant_option,
            cascade: grant.behavior == DropBehavior::Cascade,
            grantees: &grantees,
        };
        for object in objects {
            self.grant_on(sql, object, &grant.privileges, &change, kind, sink)?;
        }
        Ok(tag)
    }

    /// Grants or revokes on one object, and on its columns.
    fn grant_on(
        &mut self,
        sql: &str,
        object: Object,
        privileges: &[Privilege],
        change: &Change<'_>,
        said: &str,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let _ = sql;
        let all = usual(object.kind).0;
        let mut whole = String::new();
        let mut columns: Vec<(usize, String)> = Vec::new();
        let info = if object.class == PG_CLASS { Some(self.info(object.oid)?) } else { None };
        if privileges.is_empty() {
            whole.push_str(all);
        }
        for privilege in privileges {
            let letters = match &privilege.name {
                None if privilege.columns.is_empty() => all.to_owned(),
                None => usual("column").0.to_owned(),
                Some(name) => {
                    let found = letter(name).ok_or_else(|| {
                        let message = format!("unrecognized privilege type \"{}\"", name.as_str());
                        SqlError::new(SqlState::SYNTAX_ERROR, message)
                    })?;
                    let of_columns = !privilege.columns.is_empty();
                    let takes = if of_columns { usual("column").0 } else { all };
                    if !takes.contains(found) {
                        let kind = if of_columns {
                            "column"
                        } else if said == "table" {
                            said
                        } else {
                            object.kind
                        };
                        let message = format!("invalid privilege type {} for {kind}", word(found));
                        return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
                    }
                    found.to_string()
                }
            };
            if privilege.columns.is_empty() {
                whole.push_str(&letters);
                continue;
            }
            let Some(info) = &info else {
                let message = "column privileges are only valid for relations";
                return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
            };
            for name in &privilege.columns {
                let index = column_of(info, name)?;
                match columns.iter_mut().find(|c| c.0 == index) {
                    Some((_, own)) => own.push_str(&letters),
                    None => columns.push((index, letters.clone())),
                }
            }
        }
        // What is taken of a table is taken of its columns.
        if !change.grant
            && !whole.is_empty()
            && let Some(info) = &info
        {
            let of_columns: String = whole.chars().filter(|l| usual("column").0.contains(*l)).collect();
            for (i, column) in info.columns.iter().enumerate().filter(|(_, c)| c.acl.is_some()) {
                let _ = column;
                if !of_columns.is_empty() && !columns.iter().any(|c| c.0 == i) {
                    columns.push((i, of_columns.clone()));
                }
            }
        }
        let table_acl = object.acl.clone();
        let (oid, owner) = (object.oid, object.owner);
        if !whole.is_empty() {
            self.change_acl(object, &whole, change, None, sink)?;
        }
        for (index, letters) in columns {
            let Some(info) = &info else { continue };
            let column = Object {
                class: PG_ATTRIBUTE,
                oid,
                column: index as i16 + 1,
                kind: "column",
                name: info.columns[index].name.clone(),
                owner,
                acl: info.columns[index].acl.as_deref().and_then(parsed),
            };
            self.change_acl(column, &letters, change, table_acl.as_ref(), sink)?;
        }
        Ok(())
    }

    /// Changes the grants of one object or column.
    fn change_acl(
        &mut self,
        object: Object,
        letters: &str,
        change: &Change<'_>,
        table: Option<&Acl>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let owner = self.runtime.role_name(object.owner)?;
        let (all, public) = usual(object.kind);
        let own = if object.kind == "column" { "" } else { all };
        let mut acl = object.acl.clone().unwrap_or_else(|| Acl::default_of(&owner, own, public));
        // Whoever owns it, or may do as its owner may, grants in the owner's name; others what they may grant on.
        let rights = self.rights()?;
        let as_owner = rights.owns(object.owner);
        let (grantor, letters) = if as_owner {
            (owner, letters.to_owned())
        } else {
            let roles = rights.names();
            let mut may = acl.grantable(roles, letters);
            if let Some(table) = table {
                may.push_str(&table.grantable(roles, letters));
            }
            if may.is_empty() {
                let any = letters.chars().any(|l| acl.allows(roles, l) || table.is_some_and(|t| t.allows(roles, l)));
                if !any {
                    return Err(denied(if object.kind == "column" { "table" } else { object.kind }, &object.name));
                }
                let verb = if change.grant { "granted" } else { "revoked" };
                let state = if change.grant {
                    SqlState::WARNING_PRIVILEGE_NOT_GRANTED
                } else {
                    SqlState::WARNING_PRIVILEGE_NOT_REVOKED
                };
                warning(sink, state, format!("no privileges were {verb} for \"{}\"", object.name));
                return Ok(());
            }
            if letters.chars().any(|l| !may.contains(l)) {
                let (verb, state) = match change.grant {
                    true => ("granted", SqlState::WARNING_PRIVILEGE_NOT_GRANTED),
                    false => ("revoked", SqlState::WARNING_PRIVILEGE_NOT_REVOKED),
                };
                warning(sink, state, format!("not all privileges were {verb} for \"{}\"", object.name));
            }
            (self.user.name.clone(), may)
        };
        for grantee in change.grantees {
            if change.grant {
                acl.grant(grantee, &grantor, &letters, change.option);
            } else if !acl.revoke(grantee, &grantor, &letters, change.option, change.cascade) {
                return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, "dependent privileges exist")
                    .hint("Use CASCADE to revoke them too."));
            }
        }
        // A column without grants has no list.
        let value = if object.kind == "column" && acl.0.is_empty() { Datum::Null } else { acl.to_datum() };
        let (class, oid) = (object.class, object.oid);
        match class {
            PG_ATTRIBUTE => {
                self.change_column(oid, object.column, &[("attacl", value)])?;
            }
            PG_DATABASE => {
                let shared = self.shared.clone();
                stored::update(&shared, self.txn_mut(), class, |r| r.oid("oid") == oid, &[("datacl", value)])?;
            }
            _ => {
                let column = match class {
                    PG_CLASS => "relacl",
                    PG_PROC => "proacl",
                    PG_TYPE => "typacl",
                    _ => "nspacl",
                };
                self.change_rows(class, |r| r.oid("oid") == oid, &[(column, value)])?;
            }
        }
        Ok(())
    }

    fn grant_object(&mut self, sql: &str, said: ObjectKind, kind: &'static str, object: &ObjectName) -> Result<Object> {
        match object {
            ObjectName::Function(sig) => return self.find_function(sql, sig, said).map(|f| function_object(&f)),
            ObjectName::Type(name) => return self.type_object(&name.names, said),
            ObjectName::Name(names) if kind == "type" => return self.type_object(names, said),
            _ => {}
        }
        let ObjectName::Name(names) = object else { return Err(SqlError::unsupported("GRANT on this kind of object")) };
        let name = names.last().map_or("", |n| n.as_str()).to_owned();
        match kind {
            "schema" => {
                let image = self.image()?;
                let info = image.namespace(&name).ok_or_else(|| {
                    SqlError::new(SqlState::INVALID_SCHEMA_NAME, format!("schema \"{name}\" does not exist"))
                })?;
                let acl = info.acl.as_deref().and_then(parsed);
                Ok(Object { class: PG_NAMESPACE, oid: info.oid, column: 0, kind, name, owner: info.owner, acl })
            }
            "database" => {
                let shared = self.shared.clone();
                let rows =
                    stored::find(&shared, self.txn_mut(), PG_DATABASE, |r| r.get("datname").as_str() == Some(&name))?;
                let Some((_, row)) = rows.first() else {
                    let message = format!("database \"{name}\" does not exist");
                    return Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, message));
                };
                let row = Fields { relation: PG_DATABASE, row };
                let (owner, acl) = crate::privilege::database_acl(row);
                Ok(Object { class: PG_DATABASE, oid: row.oid("oid"), column: 0, kind, name, owner, acl })
            }
            _ => {
                let range = range_of(names).ok_or_else(|| SqlError::internal("a relation has a name"))?;
                let info = self.relation(sql, &range, Mode::AccessShare).map_err(|mut e| {
                    e.fields_mut().position = None;
                    e
                })?;
                if kind == "sequence" && info.kind != b'S' {
                    let message = format!("\"{name}\" is not a sequence");
                    return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, message));
                }
                let image = self.image()?;
                relation_object(&image, info.oid).ok_or_else(|| SqlError::internal("it was just found"))
            }
        }
    }

    /// A user's type, as something to grant.
    fn type_object(&mut self, names: &syntax::ast::QualifiedName, said: ObjectKind) -> Result<Object> {
        let image = self.image()?;
        let lookup = binder::Names { image: &image, search_path: &self.search_path };
        let name = names.last().map_or("", |n| n.as_str());
        let schema = names.len().checked_sub(2).map(|i| names[i].as_str());
        let shown = names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(".");
        let Some(info) = lookup.user_type(schema, name).and_then(|t| image.type_by_oid(t)) else {
            if catalog::builtin::type_by_name(name).is_some() {
                return Err(SqlError::unsupported("GRANT on a built-in type"));
            }
            return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, format!("type \"{shown}\" does not exist")));
        };
        if said == ObjectKind::Domain && info.kind != b'd' {
            return Err(SqlError::new(SqlState::WRONG_OBJECT_TYPE, format!("\"{shown}\" is not a domain")));
        }
        let acl = info.acl.as_deref().and_then(parsed);
        let (oid, owner, name) = (info.oid, info.owner, info.name.clone());
        Ok(Object { class: PG_TYPE, oid, column: 0, kind: "type", name, owner, acl })
    }

    pub(crate) fn grant_role(&mut self, grant: &GrantRole, sink: &mut dyn Sink) -> Result<String> {
        let tag = if grant.grant { "GRANT ROLE" } else { "REVOKE ROLE" }.to_owned();
        let (mut admin, mut inherit, mut set) = (None, None, None);
        let mut only: Option<&str> = None;
        for option in &grant.options {
            let value = match &option.value {
                None => true,
                Some(DefValue::Name(n)) => !n.last().is_some_and(|n| matches!(n.as_str(), "false" | "off" | "no")),
                Some(DefValue::String(s)) => !matches!(&*s.to_lowercase(), "false" | "off" | "no"),
                Some(DefValue::Bool(value)) => *value,
                Some(_) => true,
            };
            match &*option.name {
                "admin" => admin = Some(value),
                "inherit" => inherit = Some(value),
                _ => set = Some(value),
            }
            only = Some(match &*option.name {
                "admin" => "admin_option",
                "inherit" => "inherit_option",
                _ => "set_option",
            });
        }
        for role in &grant.roles {
            let Some(name) = &role.name else { continue };
            let group = self.role_of(&RoleSpec::Name(name.clone()))?;
            for spec in &grant.grantees {
                let member = self.role_of(spec)?;
                self.change_membership(grant.grant, &group, &member, (admin, inherit, set), only, sink)?;
            }
        }
        Ok(tag)
    }

    fn change_membership(
        &mut self,
        grant: bool,
        group: &crate::runtime::Role,
        member: &crate::runtime::Role,
        (admin, inherit, set): (Option<bool>, Option<bool>, Option<bool>),
        only: Option<&str>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let (shared, grantor) = (self.shared.clone(), types::oid::BOOTSTRAP_SUPERUSER);
        let own = |r: Fields<'_>| r.oid("roleid") == group.oid && r.oid("member") == member.oid;
        let rows = stored::find(&shared, self.txn_mut(), PG_AUTH_MEMBERS, own)?;
        if !self.user.superuser {
            let mine = self.user.oid;
            let admins = stored::find(&shared, self.txn_mut(), PG_AUTH_MEMBERS, |r| {
                r.oid("roleid") == group.oid && r.oid("member") == mine && r.bool("admin_option")
            })?;
            if admins.is_empty() {
                let verb = if grant { "grant" } else { "revoke" };
                let message = format!("permission denied to {verb} role \"{}\"", group.name);
                return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message).detail(format!(
                    "Only roles with the ADMIN option on role \"{}\" may {verb} this role.",
                    group.name
                )));
            }
        }
        if !grant {
            if rows.is_empty() {
                let text = format!(
                    "role \"{}\" has not been granted membership in role \"{}\" by role \"{}\"",
                    member.name,
                    group.name,
                    self.runtime.role_name(grantor)?
                );
                warning(sink, SqlState::WARNING, text);
                return Ok(());
            }
            match only {
                Some(option) => {
                    let values = [(option, Datum::Bool(false))];
                    stored::update(&shared, self.txn_mut(), PG_AUTH_MEMBERS, own, &values)?;
                }
                None => {
                    stored::delete(&shared, self.txn_mut(), PG_AUTH_MEMBERS, own)?;
                }
            }
            return Ok(());
        }
        // No circles.
        let reached = self.runtime.reached(group.oid, |_| true)?;
        if reached.contains(&member.oid) {
            let message = format!("role \"{}\" is a member of role \"{}\"", group.name, member.name);
            return Err(SqlError::new(SqlState::INVALID_GRANT_OPERATION, message));
        }
        if !rows.is_empty() {
            if only.is_none() {
                let text = format!(
                    "role \"{}\" has already been granted membership in role \"{}\" by role \"{}\"",
                    member.name,
                    group.name,
                    self.runtime.role_name(grantor)?
                );
                notice(sink, SqlState::SUCCESSFUL_COMPLETION, text);
                return Ok(());
            }
            // What is not mentioned stays.
            let options = [("admin_option", admin), ("inherit_option", inherit), ("set_option", set)];
            let values: Vec<(&str, Datum)> =
                options.into_iter().filter_map(|(name, value)| value.map(|v| (name, Datum::Bool(v)))).collect();
            stored::update(&shared, self.txn_mut(), PG_AUTH_MEMBERS, own, &values)?;
            return Ok(());
        }
        let oid = self.new_oid()?;
        let values = [
            ("oid", Datum::from(oid)),
            ("roleid", Datum::from(group.oid)),
            ("member", Datum::from(member.oid)),
            ("grantor", Datum::from(grantor)),
            ("admin_option", Datum::Bool(admin.unwrap_or(false))),
            ("inherit_option", Datum::Bool(inherit.unwrap_or(true))),
            ("set_option", Datum::Bool(set.unwrap_or(true))),
        ];
        stored::insert(&shared, self.txn_mut(), PG_AUTH_MEMBERS, &values)?;
        Ok(())
    }

    /// What of this database `role` has privileges for, in words.
    pub(super) fn grants_to(&mut self, role: &str) -> Result<Vec<(Oid, String)>> {
        let image = self.image()?;
        let named = |acl: &Option<String>| acl.as_deref().and_then(parsed).is_some_and(|a| a.names(role));
        let mut found: Vec<(Oid, String)> = Vec::new();
        let names = binder::Names { image: &image, search_path: &self.search_path };
        for info in image.tables() {
            let kind = if info.kind == b'S' { "sequence" } else { "table" };
            let shown = names.relation_name(info.oid).unwrap_or_default();
            if named(&info.acl) {
                found.push((info.oid, format!("privileges for {kind} {shown}")));
            }
            for column in info.columns.iter().filter(|c| named(&c.acl)) {
                found.push((info.oid, format!("privileges for column {} of table {shown}", column.name)));
            }
        }
        for schema in image.namespaces().into_iter().filter(|n| named(&n.acl)) {
            found.push((schema.oid, format!("privileges for schema {}", schema.name)));
        }
        Ok(found)
    }
}

fn function_object(info: &catalog::FunctionInfo) -> Object {
    let acl = info.acl.as_deref().and_then(parsed);
    Object {
        class: PG_PROC,
        oid: info.oid,
        column: 0,
        kind: "function",
        name: info.name.clone(),
        owner: info.owner,
        acl,
    }
}

fn relation_object(image: &Image, oid: Oid) -> Option<Object> {
    let info = image.by_oid(oid)?;
    let kind = if info.kind == b'S' { "sequence" } else { "table" };
    let acl = info.acl.as_deref().and_then(parsed);
    Some(Object { class: PG_CLASS, oid, column: 0, kind, name: info.name.clone(), owner: info.owner, acl })
}
