#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attentive;
mod channel;
mod connection;
mod credentials;
mod desk;
mod extended;
mod hba;
mod journal;
mod limits;
mod listen;
mod liveness;
mod login;
mod metrics;
mod origin;
mod poller;
mod results;
mod seat;
#[cfg(test)]
mod tests;
mod thread;
mod tls;
mod transport;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hathi::Database;
use session::carrier::Carriers;
use session::{CancelHandle, Waker};
use types::{Result, SqlError, SqlState};

use attentive::Wakefulness;
use connection::Connection;
use desk::Ready;
use hba::Rules;
use limits::Places;
use listen::{Tcp, Unix};
use origin::Origin;
use poller::{Accept, Poller};
use tls::TlsSettings;
use transport::Streams;

pub use credentials::{Credentials, LoginRole, Roles, SUPERUSER};
pub use limits::{Limited, Limits};
pub use tls::TlsFiles;
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

/// Where it is written who may connect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// Nowhere: as this says.
    Auth(Auth),
    /// In a file with the syntax of pg_hba.conf, which [`Server::reload`] reads again.
    File(PathBuf),
}

/// How a server is.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// How sessions get threads.
    pub mode: SessionMode,
    /// Who may connect.
    pub access: Access,
    /// What TLS is configured from, which [`Server::reload`] reads again; without, there is none.
    pub tls: Option<TlsFiles>,
    /// How many may be connected.
    pub limits: Limits,
    /// How long a client may take to log in (`authentication_timeout`).
    pub login_timeout: Duration,
}

impl Default for ServerOptions {
    fn default() -> ServerOptions {
        ServerOptions {
            mode: SessionMode::default(),
            access: Access::Auth(Auth::Peer),
            tls: None,
            limits: Limits::default(),
            login_timeout: Duration::from_secs(60),
        }
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
    pub credentials: Box<dyn Credentials>,
    pub login_timeout: Duration,
    pub places: Arc<Places>,
    limits: Limits,
    access: Access,
    rules: Mutex<Arc<Rules>>,
    tls_files: Option<TlsFiles>,
    tls: Mutex<Option<Arc<TlsSettings>>>,
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
    /// Where figures are answered.
    metrics: Mutex<Vec<std::net::SocketAddr>>,
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

    /// Who may connect, now.
    pub fn rules(&self) -> Arc<Rules> {
        locked(&self.rules).clone()
    }

    /// What TLS connections begin with, now.
    pub fn tls_settings(&self) -> Option<Arc<TlsSettings>> {
        locked(&self.tls).clone()
    }

    /// Whether one more may try to log in (K2).
    pub fn has_room(&self) -> bool {
        *locked(&self.count) < self.limits.connections.saturating_mul(2)
    }

    pub fn fill_random(&self, bytes: &mut [u8]) {
        self.database.runtime().engine().shared().env.entropy.fill(bytes);
    }

    fn load_rules(access: &Access) -> std::result::Result<Rules, Vec<SqlError>> {
        match access {
            Access::Auth(auth) => Ok(Rules::of(*auth)),
            Access::File(path) => Rules::load(path),
        }
    }

    fn load_tls(files: Option<&TlsFiles>) -> Result<Option<Arc<TlsSettings>>> {
        files.map(TlsSettings::load).transpose().map(|settings| settings.map(Arc::new))
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
        let options = ServerOptions { mode, access: Access::Auth(auth), ..ServerOptions::default() };
        Server::made(database, Box::new(credentials), options, (Rules::of(auth), None))
    }

    /// The same with all options.
    ///
    /// # Errors
    /// `F0000`: all that is wrong with the files that they name; `22023`.
    pub fn with_options(
        database: Database,
        credentials: impl Credentials + 'static,
        options: ServerOptions,
    ) -> std::result::Result<Server, Vec<SqlError>> {
        let Limits { connections, reserved } = options.limits;
        if reserved >= connections {
            let message = format!(
                "superuser_reserved_connections ({reserved}) plus reserved_connections (0) must be less than \
                 max_connections ({connections})"
            );
            return Err(vec![SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)]);
        }
        let rules = Shared::load_rules(&options.access)?;
        let tls = Shared::load_tls(options.tls.as_ref()).map_err(|e| vec![e])?;
        Ok(Server::made(database, Box::new(credentials), options, (rules, tls)))
    }

    fn made(
        database: Database,
        credentials: Box<dyn Credentials>,
        options: ServerOptions,
        (rules, tls): (Rules, Option<Arc<TlsSettings>>),
    ) -> Server {
        let mut secret = [0; 32];
        database.runtime().engine().shared().env.entropy.fill(&mut secret);
        let shared = Shared {
            database,
            credentials,
            login_timeout: options.login_timeout,
            places: Places::new(options.limits),
            limits: options.limits,
            access: options.access,
            rules: Mutex::new(Arc::new(rules)),
            tls_files: options.tls,
            tls: Mutex::new(tls),
            mode: options.mode,
            secret,
            live: Mutex::default(),
            stopping: AtomicBool::new(false),
            count: Mutex::default(),
            left: Condvar::new(),
            wakefulness: Arc::default(),
            pool: Mutex::default(),
            threads: Mutex::default(),
            paths: Mutex::default(),
            metrics: Mutex::default(),
            serial: AtomicU64::new(0),
        };
        let server = Server { shared: Arc::new(shared) };
        server.tell_runtime();
        server
    }

    /// Lets sessions see what it goes by.
    fn tell_runtime(&self) {
        let shared = &self.shared;
        let path = |path: &Path| path.display().to_string();
        let seconds = shared.login_timeout.as_secs();
        let mut settings = vec![
            (
                "authentication_timeout",
                if seconds.is_multiple_of(60) { format!("{}min", seconds / 60) } else { format!("{seconds}s") },
            ),
            ("max_connections", shared.limits.connections.to_string()),
            ("superuser_reserved_connections", shared.limits.reserved.to_string()),
        ];
        if let Access::File(file) = &shared.access {
            settings.push(("hba_file", path(file)));
        }
        if let Some(files) = &shared.tls_files {
            settings.push(("ssl", "on".to_owned()));
            settings.push(("ssl_cert_file", path(&files.certificate)));
            settings.push(("ssl_key_file", path(&files.key)));
            settings.push(("ssl_ca_file", files.authorities.as_deref().map_or_else(String::new, path)));
        }
        let runtime = shared.database.runtime();
        runtime.fix_settings(settings);
        let shared = Arc::downgrade(shared);
        runtime.show_rules(move || shared.upgrade().map_or_else(Vec::new, |shared| shared.rules().rows()));
    }

    /// Reads the files of its options again; connections that begin from now on go by them. What is broken stays as it was.
    ///
    /// # Errors
    /// `F0000`: all that is wrong with them.
    pub fn reload(&self) -> std::result::Result<(), Vec<SqlError>> {
        let shared = &self.shared;
        let mut errors = Vec::new();
        match Shared::load_rules(&shared.access) {
            Ok(rules) => *locked(&shared.rules) = Arc::new(rules),
            Err(found) => errors.extend(found),
        }
        match Shared::load_tls(shared.tls_files.as_ref()) {
            Ok(tls) => *locked(&shared.tls) = tls,
            Err(e) => errors.push(e),
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// A new verifier for `password`.
    pub fn verifier(database: &Database, password: &str) -> Verifier {
        let mut salt = [0; 16];
        database.runtime().engine().shared().env.entropy.fill(&mut salt);
        Verifier::from_password(password, &salt, ITERATIONS)
    }

    /// Accepts TCP connections on all addresses that `address` stands for; answers the bound ones.
    ///
    /// # Errors
    /// When none of them can be bound.
    pub fn listen_tcp(&self, address: impl ToSocketAddrs) -> io::Result<Vec<std::net::SocketAddr>> {
        let (mut bound, mut failed) = (Vec::new(), None);
        for address in address.to_socket_addrs()? {
            match Tcp::bind(&self.shared, address) {
                Ok(listener) => {
                    bound.push(listener.address()?);
                    self.listen(Arc::new(listener))?;
                }
                Err(e) => failed = Some(e),
            }
        }
        match failed {
            Some(e) if bound.is_empty() => Err(e),
            _ => Ok(bound),
        }
    }

    /// Accepts connections on the unix socket `.s.PGSQL.<port>` in `directory`; answers its path.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn listen_unix(&self, directory: &Path, port: u16) -> io::Result<PathBuf> {
        let path = directory.join(format!(".s.PGSQL.{port}"));
        let listener = Unix::bind(&self.shared, &path)?;
        locked(&self.shared.paths).push(path.clone());
        self.listen(Arc::new(listener))?;
        Ok(path)
    }

    fn listen(&self, listener: Arc<dyn Accept>) -> io::Result<()> {
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
        pool.poller.add_listener(listener)
    }

    /// Serves one client over any stream, in this thread, until it leaves.
    pub fn serve_stream(&self, proof: Proof, reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) {
        *locked(&self.shared.count) += 1;
        let streams = Streams { reader: Box::new(reader), writer: Box::new(writer) };
        let connection = Connection::new(self.shared.clone(), Origin::Stream(proof), Box::new(streams));
        thread::run(connection, None, &self.shared.wakefulness);
    }

    /// Lets nobody new in; those who are connected stay as long as they like.
    pub fn stop_listening(&self) {
        self.close_doors();
    }

    fn close_doors(&self) -> Option<Arc<Poller>> {
        let poller = locked(&self.shared.pool).as_ref().map(|pool| pool.poller.clone());
        if let Some(poller) = &poller {
            poller.close_listeners();
        }
        for path in locked(&self.shared.paths).drain(..) {
            let _ = std::fs::remove_file(path);
        }
        poller
    }

    /// How many clients are connected, logged in or not.
    pub fn connection_count(&self) -> usize {
        *locked(&self.shared.count)
    }

    /// Ends all connections: statements in flight are cancelled, and nobody new is let in. Waits at most `patience` for them to be
    /// gone; whether they are.
    pub fn stop(&self, patience: Duration) -> bool {
        let shared = &self.shared;
        shared.stopping.store(true, Ordering::SeqCst);
        let poller = self.close_doors();
        let live: Vec<CancelHandle> = locked(&shared.live).values().map(|l| l.cancel.clone()).collect();
        live.iter().for_each(|cancel| cancel.terminate());
        // Those that have no session yet, too.
        if let Some(poller) = &poller {
            poller.seats().iter().for_each(|seat| poller.wake(seat));
        }
        let wakers: Vec<Waker> = locked(&shared.threads).values().cloned().collect();
        wakers.iter().for_each(|waker| waker.wake());
        metrics::stop(&std::mem::take(&mut *locked(&shared.metrics)));
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
