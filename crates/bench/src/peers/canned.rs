//! A server of canned answers: whatever is asked, the answer is one row of one column. What a front door cannot be faster than.
//!
//! In two forms: a thread for each client, as the simplest server would be, and one thread that waits for all of them.

mod answers;
mod events;
mod threads;

use tempfile::TempDir;

pub use events::by_events;
pub use threads::by_threads;

use crate::peers::Endpoint;
use crate::peers::child::Child;
use crate::stage::Failure;

/// A name for the socket; no TCP port.
const PORT: u16 = 5432;

/// Who waits for the clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A thread for each of them.
    Threads,
    /// One thread for all.
    Events,
}

/// A listening server, gone when dropped.
pub struct Canned {
    endpoint: Endpoint,
    _child: Child,
    _socket: TempDir,
}

impl Canned {
    /// Starts one.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(who: &'static str, form: Form) -> Result<Canned, Failure> {
        let socket = tempfile::Builder::new().prefix("hathi-canned").tempdir()?;
        let role = match form {
            Form::Threads => "canned-threads",
            Form::Events => "canned-events",
        };
        let child = Child::start(role, &[&socket.path().display().to_string()])?;
        let directory = socket.path().to_owned();
        let endpoint = Endpoint { who, directory, port: PORT, user: "postgres", password: None, process: child.id() };
        Ok(Canned { endpoint, _child: child, _socket: socket })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}
