//! Who may log in, and how they prove who they are.

use types::Result;
use wire::scram::Verifier;

/// A role that may connect.
#[derive(Clone, Debug)]
pub struct LoginRole {
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
}

/// The superuser alone, with a password or none.
#[derive(Clone, Debug, Default)]
pub struct Superuser {
    /// What the password must fit.
    pub verifier: Option<Verifier>,
}

/// The name of the role that every cluster starts with.
pub const SUPERUSER: &str = "postgres";

impl Credentials for Superuser {
    fn role(&self, name: &str) -> Result<Option<LoginRole>> {
        Ok((name == SUPERUSER).then(|| LoginRole { verifier: self.verifier.clone(), can_login: true }))
    }
}
