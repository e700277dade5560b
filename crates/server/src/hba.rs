//! `Rules`: who may connect from where, and what they must prove, in the syntax of PostgreSQL's pg_hba.conf. The first rule that fits decides.
//!
//! Read: types `local`, `host`, `hostssl`, `hostnossl`; databases `all`, `sameuser`, `samerole`, `replication` (which nothing is), names,
//! `/patterns`; users `all`, names, `+groups`, `/patterns`; addresses `all`, `samehost`, `samenet`, CIDR, address and mask; methods `trust`,
//! `reject`, `scram-sha-256`, `peer`, `cert`; option `clientcert`. Anything else makes the whole file refused (H1): a rule that is not
//! understood must not be passed over.

mod parser;
mod shown;
#[cfg(test)]
mod tests;
mod tokens;

use std::path::{Path, PathBuf};

use functions::Pattern;
use ipnet::IpNet;
use types::{Result, SqlError, SqlState};

use crate::origin::{Origin, own_networks};
use crate::{Auth, Credentials, Proof};

/// What a rule is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Local,
    Host,
    HostSsl,
    HostNoSsl,
}

/// How a client proves who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    Trust,
    Reject,
    Scram,
    /// The operating-system user has the role's name.
    Peer,
    /// The common name of the client's certificate is the role's name.
    Cert,
    /// The operating-system user is the one that runs the server. Not for files: it is what there is without one.
    Owner,
}

/// What a client's certificate must be, besides what the method asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClientCert {
    Any,
    /// There must be one.
    VerifyCa,
    /// And it must be the role's.
    VerifyFull,
}

#[derive(Clone, Debug)]
enum Databases {
    All,
    SameUser,
    SameRole,
    Replication,
    Name(String),
    Matching(String, Pattern),
}

#[derive(Clone, Debug)]
enum Users {
    All,
    Group(String),
    Name(String),
    Matching(String, Pattern),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Addresses {
    /// Of local rules.
    None,
    All,
    SameHost,
    SameNet,
    Network(IpNet),
}

/// A rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    line: u32,
    kind: Kind,
    databases: Vec<Databases>,
    users: Vec<Users>,
    addresses: Addresses,
    pub method: Method,
    pub client_cert: ClientCert,
}

/// Who asks to be let in, and where to.
pub(crate) struct Asked<'a> {
    pub origin: Origin,
    pub is_encrypted: bool,
    pub database: &'a str,
    pub user: &'a str,
}

/// All rules, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    file: Option<PathBuf>,
}

fn refused(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::CONFIG_FILE_ERROR, message)
}

impl Rules {
    /// What `auth` says, as rules.
    pub fn of(auth: Auth) -> Rules {
        let (local, host) = match auth {
            Auth::Peer => (Method::Owner, Method::Scram),
            Auth::Scram => (Method::Scram, Method::Scram),
            Auth::Trust => (Method::Trust, Method::Trust),
        };
        let rule = |kind, addresses, method| Rule {
            line: 0,
            kind,
            databases: vec![Databases::All],
            users: vec![Users::All],
            addresses,
            method,
            client_cert: ClientCert::Any,
        };
        let rules = vec![rule(Kind::Local, Addresses::None, local), rule(Kind::Host, Addresses::All, host)];
        Rules { rules, file: None }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `F0000`: all that is wrong with it, each with its line.
    pub fn load(path: &Path) -> std::result::Result<Rules, Vec<SqlError>> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| vec![refused(format!("could not open file \"{}\": {e}", path.display()))])?;
        Rules::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> std::result::Result<Rules, Vec<SqlError>> {
        let (mut rules, mut errors) = (Vec::new(), Vec::new());
        for line in tokens::lines(text) {
            let number = line.number;
            match parser::rule(line) {
                Ok(rule) => rules.push(rule),
                Err(e) => errors.push(e.context(format!("line {number} of configuration file \"{}\"", path.display()))),
            }
        }
        if rules.is_empty() && errors.is_empty() {
            errors.push(refused(format!("configuration file \"{}\" contains no entries", path.display())));
        }
        if errors.is_empty() { Ok(Rules { rules, file: Some(path.to_owned()) }) } else { Err(errors) }
    }

    /// The rule that decides; `None`: none fits.
    ///
    /// # Errors
    /// When roles cannot be read.
    pub fn find(&self, asked: &Asked<'_>, roles: &dyn Credentials) -> Result<Option<&Rule>> {
        for rule in &self.rules {
            if rule.fits(asked, roles)? {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }
}

impl Rule {
    fn fits(&self, asked: &Asked<'_>, roles: &dyn Credentials) -> Result<bool> {
        let is_local = matches!(asked.origin, Origin::Local);
        let comes_so = match self.kind {
            Kind::Local => is_local,
            Kind::Host => !is_local,
            Kind::HostSsl => !is_local && asked.is_encrypted,
            Kind::HostNoSsl => !is_local && !asked.is_encrypted,
        };
        if !comes_so || !self.addresses.contain(&asked.origin) {
            return Ok(false);
        }
        let mut database_fits = false;
        for database in &self.databases {
            database_fits |= match database {
                Databases::All => true,
                Databases::SameUser => asked.database == asked.user,
                Databases::SameRole => roles.is_member(asked.user, asked.database)?,
                Databases::Replication => false,
                Databases::Name(name) => name == asked.database,
                Databases::Matching(_, pattern) => pattern.is_match(asked.database),
            };
        }
        if !database_fits {
            return Ok(false);
        }
        for user in &self.users {
            let fits = match user {
                Users::All => true,
                Users::Group(group) => roles.is_member(asked.user, group)?,
                Users::Name(name) => name == asked.user,
                Users::Matching(_, pattern) => pattern.is_match(asked.user),
            };
            if fits {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Addresses {
    fn contain(&self, origin: &Origin) -> bool {
        let Origin::Host(address) = origin else { return true };
        let address = address.ip();
        match self {
            Addresses::None | Addresses::All => true,
            Addresses::SameHost => own_networks().iter().any(|n| n.addr() == address),
            Addresses::SameNet => own_networks().iter().any(|n| n.contains(&address)),
            Addresses::Network(network) => network.contains(&address),
        }
    }
}

/// What a client that came over streams must do: whoever handed them over has decided.
pub(crate) fn method_of(proof: Proof) -> Method {
    match proof {
        Proof::None => Method::Trust,
        Proof::Scram => Method::Scram,
    }
}
