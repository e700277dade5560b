//! Roles. Passwords are kept as SCRAM verifiers, never as they were given.

use std::sync::Arc;

use catalog::Fields;
use catalog::stored::{self, PG_AUTHID, PG_DATABASE};
use syntax::ast::{AlterRole, CreateRole, DropRole, RoleOption, RoleOptionKind, RoleSpec, RoleWord};
use types::{Datum, Oid, Result, SqlError, SqlState, oid};

use super::{notice, refuse};
use crate::runtime::Role;
use crate::session::{Session, Sink};

impl Session {
    fn may_change_roles(&self, what: &str) -> Result<()> {
        if self.user.superuser || self.user.create_role {
            return Ok(());
        }
        Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied to {what} role"))
            .detail(format!("Only roles with the CREATEROLE attribute may {what} roles.")))
    }

    /// The columns that role options change.
    fn role_values(&self, options: &[RoleOption], sql: &str) -> Result<Vec<(&'static str, Datum)>> {
        use RoleOptionKind as Kind;
        let mut values: Vec<(&'static str, Datum)> = Vec::new();
        for option in options {
            let (column, value) = match &option.kind {
                Kind::Password(None) => ("rolpassword", Datum::Null),
                Kind::Password(Some(password)) if password.is_empty() => ("rolpassword", Datum::Null),
                Kind::Password(Some(password)) => ("rolpassword", Datum::text(&self.verifier(password)?)),
                Kind::Inherit(b) => ("rolinherit", Datum::Bool(*b)),
                Kind::ConnectionLimit(n) if *n < -1 => {
                    let message = format!("invalid connection limit: {n}");
                    return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
                }
                Kind::ConnectionLimit(n) => ("rolconnlimit", Datum::I32(*n)),
                Kind::ValidUntil(text) => {
                    let at = types::io::text_in(oid::TIMESTAMPTZ, -1, text, &self.settings.io)?;
                    ("rolvaliduntil", at)
                }
                Kind::Superuser(b) => {
                    if *b && !self.user.superuser {
                        let message = "permission denied to create role";
                        return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, message).detail(
                            "Only roles with the SUPERUSER attribute may create roles with the SUPERUSER attribute.",
                        ));
                    }
                    ("rolsuper", Datum::Bool(*b))
                }
                Kind::CreateDb(b) => ("rolcreatedb", Datum::Bool(*b)),
                Kind::CreateRole(b) => ("rolcreaterole", Datum::Bool(*b)),
                Kind::Login(b) => ("rolcanlogin", Datum::Bool(*b)),
                Kind::Replication(b) => ("rolreplication", Datum::Bool(*b)),
                Kind::BypassRls(b) => ("rolbypassrls", Datum::Bool(*b)),
                Kind::Members(_) | Kind::Admin(_) | Kind::InRole(_) => {
                    return refuse("membership of roles", option.pos, sql);
                }
                Kind::SysId(_) => continue,
            };
            if values.iter().any(|v| v.0 == column) {
                return Err(SqlError::new(SqlState::SYNTAX_ERROR, "conflicting or redundant options")
                    .at(option.pos.char_position(sql)));
            }
            values.push((column, value));
        }
        Ok(values)
    }

    /// What is kept of a password: a SCRAM verifier, its own when it is one.
    fn verifier(&self, password: &str) -> Result<String> {
        if password.starts_with("SCRAM-SHA-256$") {
            return Ok(password.to_owned());
        }
        let mut salt = [0; 16];
        self.runtime.entropy().fill(&mut salt);
        Ok(scram::Verifier::from_password(password, &salt, self.settings.scram_iterations).to_string())
    }

    /// The role called `name`, as this transaction sees it.
    pub(super) fn known_role(&self, name: &str) -> Result<Option<Arc<Role>>> {
        self.runtime.role_seen_by(self.txn.as_deref(), name)
    }

    pub(crate) fn create_role(&mut self, sql: &str, create: &CreateRole) -> Result<String> {
        self.may_change_roles("create")?;
        let name = create.name.as_str();
        if name.starts_with("pg_") || name == "public" || name == "none" {
            return Err(SqlError::new(SqlState::RESERVED_NAME, format!("role name \"{name}\" is reserved")));
        }
        let values = self.role_values(&create.options, sql)?;
        self.lock_name(PG_AUTHID, Oid::NONE, name)?;
        if self.known_role(name)?.is_some() {
            return Err(SqlError::new(SqlState::DUPLICATE_OBJECT, format!("role \"{name}\" already exists")));
        }
        let login = create.word == RoleWord::User;
        let mut row = vec![
            ("oid", Datum::from(self.new_oid()?)),
            ("rolname", Datum::text(name)),
            ("rolinherit", Datum::Bool(true)),
            ("rolcanlogin", Datum::Bool(login)),
            ("rolconnlimit", Datum::I32(-1)),
        ];
        for (column, value) in values {
            row.retain(|r| r.0 != column);
            row.push((column, value));
        }
        let shared = self.shared.clone();
        stored::insert(&shared, self.txn_mut(), PG_AUTHID, &row)?;
        // Later statements of the transaction name it.
        self.txn_mut().next_command();
        Ok("CREATE ROLE".to_owned())
    }

    pub(crate) fn alter_role(&mut self, sql: &str, alter: &AlterRole) -> Result<String> {
        let role = self.role_of(&alter.role)?;
        let only_password = alter.options.iter().all(|o| matches!(o.kind, RoleOptionKind::Password(_)));
        if role.oid != self.user.oid || !only_password {
            self.may_change_roles("alter")?;
        }
        if role.superuser && !self.user.superuser {
            return Err(SqlError::new(SqlState::INSUFFICIENT_PRIVILEGE, "permission denied to alter role")
                .detail("Only roles with the SUPERUSER attribute may alter roles with the SUPERUSER attribute."));
        }
        let values = self.role_values(&alter.options, sql)?;
        self.change_role(role.oid, &values)?;
        Ok("ALTER ROLE".to_owned())
    }

    /// Changes a role; a built-in one gets a row that takes its place.
    fn change_role(&mut self, role: Oid, values: &[(&str, Datum)]) -> Result<()> {
        let shared = self.shared.clone();
        let txn = self.txn_mut();
        if !stored::update(&shared, txn, PG_AUTHID, |r| r.oid("oid") == role, values)?.is_empty() {
            return Ok(());
        }
        let fixed = catalog::rows::of(PG_AUTHID).iter().map(|row| Fields { relation: PG_AUTHID, row });
        let Some(built_in) = fixed.into_iter().find(|r| r.oid("oid") == role) else { return Ok(()) };
        let columns = catalog::builtin::columns_of(PG_AUTHID);
        let mut row: Vec<(&str, Datum)> = columns.iter().zip(built_in.row).map(|(c, d)| (c.name, d.clone())).collect();
        for (column, value) in values {
            row.retain(|r| r.0 != *column);
            row.push((column, value.clone()));
        }
        stored::insert(&shared, txn, PG_AUTHID, &row)?;
        Ok(())
    }

    pub(crate) fn drop_role(&mut self, sql: &str, drop: &DropRole, sink: &mut dyn Sink) -> Result<String> {
        let _ = sql;
        self.may_change_roles("drop")?;
        for spec in &drop.roles {
            let RoleSpec::Name(name) = spec else {
                let message = "cannot use special role specifier in DROP ROLE";
                return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message));
            };
            let Some(role) = self.known_role(name)? else {
                let message = format!("role \"{}\" does not exist", name.as_str());
                if drop.if_exists {
                    notice(sink, SqlState::SUCCESSFUL_COMPLETION, message + ", skipping");
                    continue;
                }
                return Err(SqlError::new(SqlState::UNDEFINED_OBJECT, message));
            };
            if role.oid == self.user.oid {
                return Err(SqlError::new(SqlState::OBJECT_IN_USE, "current user cannot be dropped"));
            }
            if role.oid.0 < 16384 {
                let message = format!("cannot drop role {} because it is required by the database system", role.name);
                return Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message));
            }
            self.check_owns_nothing(&role)?;
            let shared = self.shared.clone();
            stored::delete(&shared, self.txn_mut(), PG_AUTHID, |r| r.oid("oid") == role.oid)?;
            stored::delete(&shared, self.txn_mut(), stored::PG_AUTH_MEMBERS, |r| {
                r.oid("roleid") == role.oid || r.oid("member") == role.oid
            })?;
        }
        Ok("DROP ROLE".to_owned())
    }

    fn check_owns_nothing(&mut self, role: &crate::runtime::Role) -> Result<()> {
        let image = self.image()?;
        let names = binder::Names { image: &image, search_path: &self.search_path };
        let mut owned: Vec<(types::Oid, String)> = Vec::new();
        for table in image.tables().into_iter().filter(|t| t.owner == role.oid) {
            let what = if table.kind == b'S' { "sequence" } else { "table" };
            owned.push((table.oid, format!("owner of {what} {}", names.relation_name(table.oid).unwrap_or_default())));
        }
        let shared = self.shared.clone();
        let txn = self.txn_mut();
        for (_, row) in stored::find(&shared, txn, PG_DATABASE, |r| r.oid("datdba") == role.oid)? {
            let row = Fields { relation: PG_DATABASE, row: &row };
            owned.push((row.oid("oid"), format!("owner of database {}", row.text("datname"))));
        }
        owned.extend(self.grants_to(&role.name)?);
        owned.sort_by_key(|o| o.0);
        let owned: Vec<String> = owned.into_iter().map(|o| o.1).collect();
        if owned.is_empty() {
            return Ok(());
        }
        let message = format!("role \"{}\" cannot be dropped because some objects depend on it", role.name);
        Err(SqlError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message).detail(owned.join("\n")))
    }
}
