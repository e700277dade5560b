//! `Endpoint`: where a server listens, and as whom to come.

use std::path::{Path, PathBuf};

use postgres::{Client, NoTls};

use crate::stage::Failure;

/// A unix socket and what a client of it says of itself.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The server's name in figures.
    pub who: &'static str,
    /// The socket's directory.
    pub directory: PathBuf,
    /// The number in its name.
    pub port: u16,
    /// The role.
    pub user: &'static str,
    /// Its password, where one is asked for.
    pub password: Option<&'static str>,
    /// The server's first process.
    pub process: u32,
}

impl Endpoint {
    /// The socket.
    pub fn socket(&self) -> PathBuf {
        socket(&self.directory, self.port)
    }

    /// A client of crate `postgres`.
    ///
    /// # Errors
    /// When it cannot connect.
    pub fn client(&self) -> Result<Client, Failure> {
        let mut parameters =
            format!("host={} port={} user={} dbname=postgres", self.directory.display(), self.port, self.user);
        if let Some(password) = self.password {
            parameters.push_str(&format!(" password={password}"));
        }
        Ok(Client::connect(&parameters, NoTls)?)
    }
}

/// The path PostgreSQL's clients look for.
pub fn socket(directory: &Path, port: u16) -> PathBuf {
    directory.join(format!(".s.PGSQL.{port}"))
}
