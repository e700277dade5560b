#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod connection;
mod results;

use std::collections::HashMap;
use std::io;
use std::net::{TcpListener, ToSocketAddrs};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hathi::{CancelHandle, Database};

use connection::Connection;

/// Who may connect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Auth {
    /// Over unix sockets, the operating-system user that runs the server; nobody else.
    Peer,
    /// Everybody who can reach the listener.
    Trust,
}

/// What connections share.
pub(crate) struct Shared {
    pub database: Database,
    pub auth: Auth,
    /// Cancel keys by process id.
    pub cancel: Mutex<HashMap<i32, (Vec<u8>, CancelHandle)>>,
}

/// A server on an open database.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

impl Server {
    /// A server that listens nowhere yet.
    pub fn new(database: Database, auth: Auth) -> Server {
        Server { shared: Arc::new(Shared { database, auth, cancel: Mutex::new(HashMap::new()) }) }
    }

    /// Accepts TCP connections on `address` in a thread of its own; answers the bound address.
    ///
    /// # Errors
    /// When the address cannot be bound; `PermissionDenied` unless trust was asked for (V1).
    pub fn listen_tcp(&self, address: impl ToSocketAddrs) -> io::Result<std::net::SocketAddr> {
        if self.shared.auth != Auth::Trust {
            let message = "TCP needs --auth trust: there is no other proof over TCP yet";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
        }
        let listener = TcpListener::bind(address)?;
        let bound = listener.local_addr()?;
        let shared = self.shared.clone();
        std::thread::Builder::new().name("hathi-tcp".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                // Small messages must not wait for each other.
                let _ = stream.set_nodelay(true);
                let Ok(reader) = stream.try_clone() else { continue };
                start(&shared, Box::new(reader), Box::new(stream));
            }
        })?;
        Ok(bound)
    }

    /// Accepts connections on the unix socket `.s.PGSQL.<port>` in `directory`, in a thread of its own.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn listen_unix(&self, directory: &Path, port: u16) -> io::Result<()> {
        let path = directory.join(format!(".s.PGSQL.{port}"));
        // A socket that nobody answers on was left by a server that is gone.
        if path.exists() && std::os::unix::net::UnixStream::connect(&path).is_err() {
            std::fs::remove_file(&path)?;
        }
        let listener = UnixListener::bind(path)?;
        let shared = self.shared.clone();
        std::thread::Builder::new().name("hathi-unix".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = rustix::process::geteuid();
                let peer = rustix::net::sockopt::socket_peercred(&stream);
                let known = shared.auth == Auth::Trust || peer.is_ok_and(|p| p.uid == own || p.uid.is_root());
                let Ok(reader) = stream.try_clone() else { continue };
                if known {
                    start(&shared, Box::new(reader), Box::new(stream));
                } else {
                    connection::refuse(Box::new(stream), "Peer authentication failed");
                }
            }
        })?;
        Ok(())
    }
}

/// Serves one connection in a thread of its own.
fn start(shared: &Arc<Shared>, reader: Box<dyn io::Read + Send>, writer: Box<dyn io::Write + Send>) {
    let shared = shared.clone();
    // A connection that gets no thread is dropped; the client sees it closed.
    let _ = std::thread::Builder::new().name("hathi-connection".to_owned()).spawn(move || {
        let mut connection = Connection::new(shared.clone(), reader, writer);
        // An error here is the client's going away.
        let _ = connection.serve();
        let id = connection.process_id();
        shared.cancel.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    });
}
