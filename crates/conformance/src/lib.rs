#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::net::SocketAddr;
use std::time::Duration;

use hathi::Database;
use server::{Auth, Roles, Server};

/// A server on a database in memory, which lets in everybody on a free port of loopback.
pub struct Served {
    server: Server,
    address: SocketAddr,
    database: Database,
}

impl Served {
    /// Starts one.
    ///
    /// # Panics
    /// When loopback has no port.
    pub fn start() -> Served {
        let database = Database::in_memory().expect("memory");
        let server = Server::new(database.clone(), Auth::Trust, Roles::new(&database, None));
        let address = server.listen_tcp("127.0.0.1:0").expect("a port of loopback")[0];
        Served { server, address, database }
    }

    /// The database it serves.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where `database` is, as drivers are told.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.address)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.stop(Duration::from_secs(5));
    }
}
