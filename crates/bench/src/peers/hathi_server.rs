//! `HathiServer`: a database of ours behind a unix socket, in this process, gone when dropped.

use std::time::Duration;

use hathi::Database;
use postgres::{Client, NoTls};
use server::{Auth, Roles, Server};
use tempfile::TempDir;

use crate::stage::Failure;

/// A name for the socket; no TCP port.
const PORT: u16 = 5432;

/// A listening server.
pub struct HathiServer {
    server: Server,
    dir: TempDir,
}

impl HathiServer {
    /// Serves `database`, letting everybody in who sees the socket.
    pub fn start(database: &Database) -> Result<HathiServer, Failure> {
        // Paths of sockets are short.
        let dir = tempfile::Builder::new().prefix("hathi-socket").tempdir()?;
        let server = Server::new(database.clone(), Auth::Trust, Roles::new(database, None));
        server.listen_unix(dir.path(), PORT)?;
        Ok(HathiServer { server, dir })
    }

    /// A client on its socket.
    pub fn client(&self) -> Result<Client, Failure> {
        let parameters = format!("host={} port={PORT} user=postgres dbname=postgres", self.dir.path().display());
        Ok(Client::connect(&parameters, NoTls)?)
    }
}

impl Drop for HathiServer {
    fn drop(&mut self) {
        self.server.stop(Duration::from_secs(5));
    }
}
