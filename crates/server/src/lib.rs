#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attentive;
mod channel;
mod connection;
mod credentials;
mod login;
mod poller;
mod results;
mod seat;
#[cfg(test)]
mod tests;
mod thread;
mod transport;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hathi::Database;
use session::carrier::Carriers;
use session::{CancelHandle, Waker};
use types::SqlState;

use attentive::Wakefulness;
use connection::Connection;
use poller::{Accept, Poller, Ready};
use seat::Seat;
use transport::{Socket, Streams, Transport};

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

/// How sessions get threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionMode {
    /// A handful of carriers run all of them; one that waits for its client has no thread.
    Pooled {
        /// Sessions that run at a time.
        slots: usize,
    },
    /// Each has a thread of its own.
    Thread,
}

impl Default for SessionMode {
    fn default() -> SessionMode {
        SessionMode::Pooled { slots: std::thread::available_parallelism().map_or(1, usize::from) }
    }
}

/// A connection as others see it.
pub(crate) struct Live {
    pub key: Vec<u8>,
    pub cancel: CancelHandle,
}

/// What connections share.
pub(crate) struct Shared {
    pub database: Database,
    pub auth: Auth,
    pub credentials: Box<dyn Credentials>,
    mode: SessionMode,
    /// Makes the answers to unknown users look like those to known ones.
    pub secret: [u8; 32],
    /// Connections that have a session, by process id.
    pub live: Mutex<HashMap<i32, Live>>,
    stopping: AtomicBool,
    count: Mutex<usize>,
    left: Condvar,
    wakefulness: Arc<Wakefulness>,
    pool: Mutex<Option<Pool>>,
    /// What wakes connections that have threads of their own.
    threads: Mutex<HashMap<u64, Waker>>,
    /// Sockets to remove from the file system.
    paths: Mutex<Vec<PathBuf>>,
    serial: AtomicU64,
}

/// What runs the connections, and accepts them.
struct Pool {
    poller: Arc<Poller>,
    carriers: Carriers,
}

impl Shared {
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    pub fn fill_random(&self, bytes: &mut [u8]) {
        self.database.runtime().engine().shared().env.entropy.fill(bytes);
    }

    pub fn enter(&self, id: i32, key: Vec<u8>, cancel: CancelHandle) {
        locked(&self.live).insert(id, Live { key, cancel });
    }

    /// A connection has ended.
    pub fn leave(&self, id: i32) {
        if id != 0 {
            locked(&self.live).remove(&id);
        }
        *locked(&self.count) -= 1;
        self.left.notify_all();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server on an open database.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

impl Server {
    /// A server that listens nowhere yet.
    pub fn new(database: Database, auth: Auth, credentials: impl Credentials + 'static) -> Server {
        Server::with_mode(database, auth, credentials, SessionMode::default())
    }

    /// The same, whose sessions get threads as `mode` says.
    pub fn with_mode(
        database: Database,
        auth: Auth,
        credentials: impl Credentials + 'static,
        mode: SessionMode,
    ) -> Server {
        let mut secret = [0; 32];
        database.runtime().engine().shared().env.entropy.fill(&mut secret);
        let shared = Shared {
            database,
            auth,
            credentials: Box::new(credentials),
            mode,
            secret,
            live: Mutex::default(),
            stopping: AtomicBool::new(false),
            count: Mutex::default(),
            left: Condvar::new(),
            wakefulness: Arc::default(),
            pool: Mutex::default(),
            threads: Mutex::default(),
            paths: Mutex::default(),
            serial: AtomicU64::new(0),
        };
        Server { shared: Arc::new(shared) }
    }

    /// A new verifier for `password`.
    pub fn verifier(database: &Database, password: &str) -> Verifier {
        let mut salt = [0; 16];
        database.runtime().engine().shared().env.entropy.fill(&mut salt);
        Verifier::from_password(password, &salt, ITERATIONS)
    }

    /// Accepts TCP connections on `address`; answers the bound address.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn listen_tcp(&self, address: impl ToSocketAddrs) -> io::Result<std::net::SocketAddr> {
        let listener = TcpListener::bind(address)?;
        let bound = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        self.listen(Arc::new(Tcp { shared: self.shared.clone(), listener }))?;
        Ok(bound)
    }

    /// Accepts connections on the unix socket `.s.PGSQL.<port>` in `directory`; answers its path.
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
        // The library's own backlog of 128 refuses clients that come all at once.
        rustix::net::listen(&listener, BACKLOG)?;
        listener.set_nonblocking(true)?;
        locked(&self.shared.paths).push(path.clone());
        self.listen(Arc::new(Unix { shared: self.shared.clone(), listener }))?;
        Ok(path)
    }

    fn listen<L: Accept + AsFd + 'static>(&self, listener: Arc<L>) -> io::Result<()> {
        let mut pool = locked(&self.shared.pool);
        let pool = match &mut *pool {
            Some(pool) => pool,
            none => {
                let poller = Poller::new(self.shared.wakefulness.clone())?;
                let slots = match self.shared.mode {
                    SessionMode::Pooled { slots } => slots,
                    // They only accept.
                    SessionMode::Thread => 1,
                };
                let carriers = Carriers::start(slots, Ready(poller.clone()))?;
                self.shared.database.runtime().show_carriers(carriers.view());
                none.insert(Pool { poller, carriers })
            }
        };
        pool.poller.add_listener(listener.as_fd(), listener.clone())?;
        Ok(())
    }

    /// Serves one client over any stream, in this thread, until it leaves.
    pub fn serve_stream(&self, proof: Proof, reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) {
        *locked(&self.shared.count) += 1;
        let streams = Streams { reader: Box::new(reader), writer: Box::new(writer) };
        thread::run(Connection::new(self.shared.clone(), proof, Box::new(streams)), None, &self.shared.wakefulness);
    }

    /// Ends all connections: statements in flight are cancelled, and nobody new is let in. Waits at most `patience` for them to be
    /// gone; whether they are.
    pub fn stop(&self, patience: Duration) -> bool {
        let shared = &self.shared;
        shared.stopping.store(true, Ordering::SeqCst);
        let poller = locked(&shared.pool).as_ref().map(|pool| pool.poller.clone());
        if let Some(poller) = &poller {
            poller.close_listeners();
        }
        for path in locked(&shared.paths).drain(..) {
            let _ = std::fs::remove_file(path);
        }
        let live: Vec<CancelHandle> = locked(&shared.live).values().map(|l| l.cancel.clone()).collect();
        live.iter().for_each(|cancel| cancel.terminate());
        // Those that have no session yet, too.
        if let Some(poller) = &poller {
            poller.seats().iter().for_each(|seat| poller.wake(seat));
        }
        let wakers: Vec<Waker> = locked(&shared.threads).values().cloned().collect();
        wakers.iter().for_each(|wake| wake());
        let until = Instant::now() + patience;
        let mut count = locked(&shared.count);
        while *count > 0 {
            let now = Instant::now();
            if now >= until {
                return false;
            }
            count = shared.left.wait_timeout(count, until - now).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(count);
        if let Some(pool) = locked(&shared.pool).take() {
            pool.carriers.stop();
        }
        true
    }
}

/// Clients that may wait to be accepted.
const BACKLOG: i32 = 4096;

struct Tcp {
    shared: Arc<Shared>,
    listener: TcpListener,
}

impl AsFd for Tcp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Accept for Tcp {
    fn accept(&self, poller: &Arc<Poller>) {
        // V1
        let proof = if self.shared.auth == Auth::Trust { Proof::None } else { Proof::Scram };
        while let Ok((stream, _)) = self.listener.accept() {
            // Small messages must not wait for each other.
            let _ = stream.set_nodelay(true);
            if stream.set_nonblocking(true).is_ok() {
                start(&self.shared, poller, proof, Box::new(Socket::new(stream)));
            }
        }
    }
}

struct Unix {
    shared: Arc<Shared>,
    listener: UnixListener,
}

impl AsFd for Unix {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Accept for Unix {
    fn accept(&self, poller: &Arc<Poller>) {
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            let own = rustix::process::geteuid();
            let peer = rustix::net::sockopt::socket_peercred(&stream);
            let known = peer.is_ok_and(|p| p.uid == own || p.uid.is_root());
            let proof = match self.shared.auth {
                Auth::Trust => Proof::None,
                Auth::Scram => Proof::Scram,
                Auth::Peer if known => Proof::None,
                Auth::Peer => {
                    refuse(&stream);
                    continue;
                }
            };
            start(&self.shared, poller, proof, Box::new(Socket::new(stream)));
        }
    }
}

/// Tells a client that it is not let in.
fn refuse(mut stream: &UnixStream) {
    let mut output = bytes::BytesMut::new();
    let error = types::SqlError::new(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, "Peer authentication failed")
        .severity(types::error::Severity::Fatal);
    wire::backend::error_response(&mut output, &error);
    // A client that does not read it must not hold up the others.
    let _ = stream.write_all(&output);
}

/// Begins to serve a client that was accepted.
fn start(shared: &Arc<Shared>, poller: &Arc<Poller>, proof: Proof, transport: Box<dyn Transport>) {
    *locked(&shared.count) += 1;
    let connection = Connection::new(shared.clone(), proof, transport);
    match shared.mode {
        SessionMode::Pooled { .. } => {
            let seat = Seat::with_waker(connection, poller);
            // A connection that cannot be registered is dropped; the client sees it closed.
            if poller.add_seat(&seat).is_ok() {
                poller.enqueue(seat);
            }
        }
        SessionMode::Thread => thread::start(shared, connection),
    }
}
