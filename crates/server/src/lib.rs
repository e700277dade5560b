#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attentive;
mod channel;
mod connection;
mod credentials;
mod login;
mod results;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hathi::{CancelHandle, Database};
use types::SqlState;

use attentive::{Attentive, Wakefulness};
use connection::Connection;
pub use credentials::{Credentials, LoginRole, Roles, SUPERUSER};
pub use wire::scram::Verifier;

/// Iterations of new verifiers, as PostgreSQL's `scram_iterations`.
const ITERATIONS: u32 = 4096;

/// Who may connect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Auth {
    /// Over unix sockets, the operating-system user that runs the server; over TCP, whoever knows a password (SCRAM-SHA-256).
    Peer,
    /// Whoever knows a password, over unix sockets too.
    Scram,
    /// Everybody who can reach the listener.
    Trust,
}

/// What a connection must prove before it gets a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// Nothing (more).
    None,
    /// That it knows the role's password.
    Scram,
}

/// Ends a connection's reading, from another thread.
pub(crate) type Closer = Box<dyn Fn() + Send>;

/// Says how long a connection's reading may take.
pub(crate) type Patience = Box<dyn Fn(Option<Duration>) + Send>;

/// A connection as others see it.
pub(crate) struct Live {
    pub key: Vec<u8>,
    pub cancel: CancelHandle,
    closer: Option<Closer>,
}

/// What connections share.
pub(crate) struct Shared {
    pub database: Database,
    pub auth: Auth,
    pub credentials: Box<dyn Credentials>,
    /// Makes the answers to unknown users look like those to known ones.
    pub secret: [u8; 32],
    /// Connections that have a session, by process id.
    pub live: Mutex<HashMap<i32, Live>>,
    stopping: AtomicBool,
    count: Mutex<usize>,
    left: Condvar,
    /// What wakes the listeners so that they end, and sockets to remove.
    listeners: Mutex<Vec<Closer>>,
    refused: AtomicUsize,
    wakefulness: Arc<Wakefulness>,
}

impl Shared {
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    pub fn fill_random(&self, bytes: &mut [u8]) {
        self.database.runtime().engine().shared().env.entropy.fill(bytes);
    }

    pub fn enter(&self, id: i32, key: Vec<u8>, cancel: CancelHandle, closer: Option<Closer>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_stopping() {
            cancel.terminate();
        }
        live.insert(id, Live { key, cancel, closer });
    }

    fn leave(&self, id: i32) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// A server on an open database.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

impl Server {
    /// A server that listens nowhere yet.
    pub fn new(database: Database, auth: Auth, credentials: impl Credentials + 'static) -> Server {
        let mut secret = [0; 32];
        database.runtime().engine().shared().env.entropy.fill(&mut secret);
        let shared = Shared {
            database,
            auth,
            credentials: Box::new(credentials),
            secret,
            live: Mutex::default(),
            stopping: AtomicBool::new(false),
            count: Mutex::default(),
            left: Condvar::new(),
            listeners: Mutex::default(),
            refused: AtomicUsize::new(0),
            wakefulness: Arc::default(),
        };
        Server { shared: Arc::new(shared) }
    }

    /// A new verifier for `password`.
    pub fn verifier(database: &Database, password: &str) -> Verifier {
        let mut salt = [0; 16];
        database.runtime().engine().shared().env.entropy.fill(&mut salt);
        Verifier::from_password(password, &salt, ITERATIONS)
    }

    /// Accepts TCP connections on `address` in a thread of its own; answers the bound address.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn listen_tcp(&self, address: impl ToSocketAddrs) -> io::Result<std::net::SocketAddr> {
        let listener = TcpListener::bind(address)?;
        let bound = listener.local_addr()?;
        self.on_stop(move || drop(TcpStream::connect_timeout(&bound, Duration::from_secs(1))));
        let shared = self.shared.clone();
        // V1
        let proof = if shared.auth == Auth::Trust { Proof::None } else { Proof::Scram };
        std::thread::Builder::new().name("hathi-tcp".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if shared.is_stopping() {
                    return;
                }
                let Ok(stream) = stream else { continue };
                // Small messages must not wait for each other.
                let _ = stream.set_nodelay(true);
                let (Ok(reader), Ok(other)) = (stream.try_clone(), stream.try_clone()) else { continue };
                let Ok(timed) = stream.try_clone() else { continue };
                let closer: Closer = Box::new(move || drop(other.shutdown(Shutdown::Read)));
                let patience: Patience = Box::new(move |time| drop(timed.set_read_timeout(time)));
                let reader = Attentive::new(reader, shared.wakefulness.clone());
                start(&shared, proof, Box::new(reader), Box::new(stream), closer, patience);
            }
        })?;
        Ok(bound)
    }

    /// Accepts connections on the unix socket `.s.PGSQL.<port>` in `directory`, in a thread of its own; answers its path.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn listen_unix(&self, directory: &Path, port: u16) -> io::Result<PathBuf> {
        let path = directory.join(format!(".s.PGSQL.{port}"));
        // A socket that nobody answers on was left by a server that is gone.
        if path.exists() && UnixStream::connect(&path).is_err() {
            std::fs::remove_file(&path)?;
        }
        let listener = UnixListener::bind(&path)?;
        let own_path = path.clone();
        self.on_stop(move || {
            let _ = UnixStream::connect(&own_path);
            let _ = std::fs::remove_file(&own_path);
        });
        let shared = self.shared.clone();
        std::thread::Builder::new().name("hathi-unix".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if shared.is_stopping() {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let own = rustix::process::geteuid();
                let peer = rustix::net::sockopt::socket_peercred(&stream);
                let known = peer.is_ok_and(|p| p.uid == own || p.uid.is_root());
                let proof = match shared.auth {
                    Auth::Trust => Proof::None,
                    Auth::Scram => Proof::Scram,
                    Auth::Peer if known => Proof::None,
                    Auth::Peer => {
                        refuse(&shared, stream);
                        continue;
                    }
                };
                let (Ok(reader), Ok(other)) = (stream.try_clone(), stream.try_clone()) else { continue };
                let Ok(timed) = stream.try_clone() else { continue };
                let closer: Closer = Box::new(move || drop(other.shutdown(Shutdown::Read)));
                let patience: Patience = Box::new(move |time| drop(timed.set_read_timeout(time)));
                let reader = Attentive::new(reader, shared.wakefulness.clone());
                start(&shared, proof, Box::new(reader), Box::new(stream), closer, patience);
            }
        })?;
        Ok(path)
    }

    fn on_stop(&self, closer: impl Fn() + Send + 'static) {
        self.shared.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(closer));
    }

    /// Serves one client over any stream, in this thread, until it leaves.
    ///
    /// # Errors
    /// What ended the connection.
    pub fn serve_stream(
        &self,
        proof: Proof,
        reader: impl Read + Send + 'static,
        writer: impl Write + Send + 'static,
    ) -> io::Result<()> {
        run(&self.shared, proof, Box::new(reader), Box::new(writer), None, None)
    }

    /// Ends all connections: statements in flight are cancelled, and nobody new is let in. Waits at most `patience` for them to be
    /// gone; whether they are.
    pub fn stop(&self, patience: Duration) -> bool {
        let shared = &self.shared;
        shared.stopping.store(true, Ordering::SeqCst);
        for closer in shared.listeners.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            closer();
        }
        for live in shared.live.lock().unwrap_or_else(PoisonError::into_inner).values() {
            live.cancel.terminate();
            if let Some(closer) = &live.closer {
                closer();
            }
        }
        let until = Instant::now() + patience;
        let mut count = shared.count.lock().unwrap_or_else(PoisonError::into_inner);
        while *count > 0 {
            let now = Instant::now();
            if now >= until {
                return false;
            }
            count = shared.left.wait_timeout(count, until - now).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// Tells a client that it is not let in.
fn refuse(shared: &Arc<Shared>, stream: UnixStream) {
    shared.refused.fetch_add(1, Ordering::Relaxed);
    let mut output = bytes::BytesMut::new();
    let error = types::SqlError::new(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, "Peer authentication failed")
        .severity(types::error::Severity::Fatal);
    wire::backend::error_response(&mut output, &error);
    // A client that does not read it must not hold up the others.
    let _ = stream.set_nonblocking(true);
    let _ = (&stream).write_all(&output);
}

/// Serves one connection in a thread of its own.
fn start(
    shared: &Arc<Shared>,
    proof: Proof,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    closer: Closer,
    patience: Patience,
) {
    *shared.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    let own = shared.clone();
    let thread = std::thread::Builder::new().name("hathi-connection".to_owned()).spawn(move || {
        // An error here is the client's going away.
        let _ = run(&own, proof, reader, writer, Some(closer), Some(patience));
        own.depart();
    });
    // A connection that gets no thread is dropped; the client sees it closed.
    if thread.is_err() {
        shared.depart();
    }
}

impl Shared {
    fn depart(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.left.notify_all();
    }
}

fn run(
    shared: &Arc<Shared>,
    proof: Proof,
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    closer: Option<Closer>,
    patience: Option<Patience>,
) -> io::Result<()> {
    let mut connection = Connection::new(shared.clone(), proof, reader, writer, closer);
    connection.patience = patience;
    let outcome = connection.serve();
    let id = connection.process_id();
    shared.leave(id);
    outcome
}
