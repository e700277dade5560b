//! Schemas.

use std::sync::Arc;

use catalog::stored::PG_NAMESPACE;
use syntax::ast::{CreateSchema, RoleSpec};
use types::{Datum, Oid, Result, SqlError, SqlState};

use super::notice;
use crate::runtime::Role;
use crate::session::{Session, Sink};

impl Session {
    /// The role that `spec` means.
    pub(super) fn role_of(&self, spec: &RoleSpec) -> Result<Arc<Role>> {
        let name = match spec {
            RoleSpec::CurrentRole(_) | RoleSpec::CurrentUser(_) | RoleSpec::SessionUser(_) => {
                return Ok(self.user.clone());
            }
            RoleSpec::Public(_) => "public",
            RoleSpec::Name(name) => name.as_str(),
        };
        self.known_role(name)?
            .ok_or_else(|| SqlError::new(SqlState::UNDEFINED_OBJECT, format!("role \"{name}\" does not exist")))
    }

    pub(crate) fn create_schema(&mut self, sql: &str, create: &CreateSchema, sink: &mut dyn Sink) -> Result<String> {
        let owner = match &create.authorization {
            Some(spec) => self.role_of(spec)?,
            None => self.user.clone(),
        };
        let name = create.name.as_ref().map_or(owner.name.clone(), |n| n.as_str().to_owned());
        if name.starts_with("pg_") {
            return Err(SqlError::new(SqlState::RESERVED_NAME, format!("unacceptable schema name \"{name}\""))
                .detail("The prefix \"pg_\" is reserved for system schemas."));
        }
        self.lock_name(PG_NAMESPACE, Oid::NONE, &name)?;
        if self.image()?.namespace(&name).is_some() {
            let message = format!("schema \"{name}\" already exists");
            if create.if_not_exists {
                notice(sink, SqlState::DUPLICATE_SCHEMA, message + ", skipping");
                return Ok("CREATE SCHEMA".to_owned());
            }
            return Err(SqlError::new(SqlState::DUPLICATE_SCHEMA, message));
        }
        let schema = self.new_oid()?;
        self.add_row(
            PG_NAMESPACE,
            &[("oid", Datum::from(schema)), ("nspname", Datum::text(&name)), ("nspowner", Datum::from(owner.oid))],
        )?;
        // Its elements are made in it, whatever the search path.
        if !create.elements.is_empty() {
            let path = self.settings.search_path.clone();
            self.settings.search_path.insert(0, name);
            let outcome = create.elements.iter().try_for_each(|e| self.dispatch(sql, e, sink).map(|_| ()));
            self.settings.search_path = path;
            outcome?;
        }
        Ok("CREATE SCHEMA".to_owned())
    }
}
