//! Who may log in, and how they prove who they are.

use std::sync::Arc;

use session::Runtime;
use types::Result;
use wire::scram::Verifier;

use crate::limits::Limited;

/// A role that may connect.
#[derive(Clone, Debug)]
pub struct LoginRole {
    /// Which it is, and how often it may be connected.
    pub limited: Limited,
    /// Whether it may do anything.
    pub superuser: bool,
    /// What its password must fit; none: no password does.
    pub verifier: Option<Verifier>,
    /// Whether it may log in.
    pub can_login: bool,
}

/// The roles of a cluster.
pub trait Credentials: Send + Sync {
    /// The role called `name`, if there is one.
    ///
    /// # Errors
    /// When roles cannot be read.
    fn role(&self, name: &str) -> Result<Option<LoginRole>>;

    /// The database called `name`, if there is one, and how many may be connected to it.
    ///
    /// # Errors
    /// When databases cannot be read.
    fn database(&self, name: &str) -> Result<Option<Limited>>;

    /// Whether the role called `user` is that called `group`, or a member of it; superusers are none of what they were not made.
    ///
    /// # Errors
    /// When roles cannot be read.
    fn is_member(&self, user: &str, group: &str) -> Result<bool>;
}

/// Microseconds from 1970 to 2000.
const MICROS_TO_2000: i64 = 946_684_800_000_000;

/// The roles of the open cluster; the superuser may have another password than is stored, for as long as the server runs.
pub struct Roles {
    runtime: Arc<Runtime>,
    superuser: Option<Verifier>,
}

impl Roles {
    /// The roles of `database`'s cluster.
    pub fn new(database: &hathi::Database, superuser: Option<Verifier>) -> Roles {
        Roles { runtime: database.runtime().clone(), superuser }
    }
}

/// The name of the role that every cluster starts with.
pub const SUPERUSER: &str = "postgres";

impl Credentials for Roles {
    fn role(&self, name: &str) -> Result<Option<LoginRole>> {
        let Some(role) = self.runtime.role(name)? else { return Ok(None) };
        let stored = role.password.as_deref().and_then(|p| p.parse().ok());
        let own = self.superuser.clone().filter(|_| name == SUPERUSER);
        // A password that ended fits no more, as in PostgreSQL; other proofs do.
        let now = self.runtime.engine().shared().env.clock.unix_micros() - MICROS_TO_2000;
        let stored = stored.filter(|_| role.valid_until.is_none_or(|until| now < until));
        let limited = Limited { oid: role.oid, name: role.name.clone(), limit: role.connection_limit };
        let (superuser, can_login) = (role.superuser, role.can_login);
        Ok(Some(LoginRole { limited, superuser, verifier: own.or(stored), can_login }))
    }

    fn database(&self, name: &str) -> Result<Option<Limited>> {
        let found = self.runtime.connection_limit_of(name)?;
        Ok(found.map(|(oid, limit)| Limited { oid, name: name.to_owned(), limit }))
    }

    fn is_member(&self, user: &str, group: &str) -> Result<bool> {
        self.runtime.is_member(user, group)
    }
}
