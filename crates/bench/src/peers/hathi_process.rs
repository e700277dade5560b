//! `HathiProcess`: a server of ours in a process of its own, gone when dropped.

use std::path::Path;
use std::time::Duration;

use hathi::Database;
use server::{Auth, Roles, Server, SessionMode};
use tempfile::TempDir;

use crate::peers::child::{self, Child};
use crate::peers::{Endpoint, PASSWORD};
use crate::stage::Failure;

/// A name for the socket; no TCP port.
const PORT: u16 = 5432;

/// What a client must prove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Nothing.
    Open,
    /// That it knows the password.
    Password,
}

/// A listening server on a database of its own.
pub struct HathiProcess {
    endpoint: Endpoint,
    _child: Child,
    _socket: TempDir,
}

impl HathiProcess {
    /// Serves a new database in `data`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(who: &'static str, data: &Path, mode: SessionMode, entry: Entry) -> Result<HathiProcess, Failure> {
        // Paths of sockets are short.
        let socket = tempfile::Builder::new().prefix("hathi-socket").tempdir()?;
        let (data, directory) = (data.display().to_string(), socket.path().display().to_string());
        let (auth, password) = match entry {
            Entry::Open => ("trust", None),
            Entry::Password => ("scram", Some(PASSWORD)),
        };
        // Slots for carriers; a thread for each session has none.
        let slots = match mode {
            SessionMode::Pooled { slots } => slots.to_string(),
            SessionMode::Thread => "thread".to_owned(),
        };
        let child = Child::start("hathi", &[&data, &directory, &slots, auth])?;
        let endpoint = Endpoint {
            who,
            directory: socket.path().to_owned(),
            port: PORT,
            user: "postgres",
            password,
            process: child.id(),
        };
        Ok(HathiProcess { endpoint, _child: child, _socket: socket })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

/// The child's part.
pub fn serve(data: &str, socket: &str, slots: &str, auth: &str) -> Result<(), Failure> {
    let mode = match slots {
        "thread" => SessionMode::Thread,
        slots => SessionMode::Pooled { slots: slots.parse()? },
    };
    let database = Database::open(data)?;
    let (auth, verifier) = match auth {
        "scram" => (Auth::Scram, Some(Server::verifier(&database, PASSWORD))),
        _ => (Auth::Trust, None),
    };
    let server = Server::with_mode(database.clone(), auth, Roles::new(&database, verifier), mode);
    server.listen_unix(Path::new(socket), PORT)?;
    child::ready()?;
    server.stop(Duration::from_secs(5));
    Ok(database.close()?)
}
