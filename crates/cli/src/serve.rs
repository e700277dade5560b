//! `hathi serve`: a server on a database directory, until it is told to stop.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use hathi::Database;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use server::{Roles, Server, ServerOptions};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use types::SqlError;

use crate::LogFormat;
use crate::output::error_text;

/// How often a server that lets nobody in any more looks whether all have left.
const LOOK: Duration = Duration::from_millis(100);
/// How long connections are waited for when the server stops.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `hathi serve` was asked for.
pub struct Serve {
    pub dir: PathBuf,
    pub listen: Vec<String>,
    pub socket: Option<PathBuf>,
    pub port: u16,
    pub options: ServerOptions,
    pub password_file: Option<PathBuf>,
    pub metrics: Option<String>,
}

fn read_password(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(format!("{}: the password is empty", path.display())),
    }
}

fn texts(errors: &[SqlError]) -> String {
    errors.iter().map(error_text).collect::<Vec<_>>().join("\n")
}

/// As many files as may be open: each client is one.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Listens on one address: with a port or without, of either family, or a name; "*" is all of both families.
fn listen(server: &Server, address: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if address == "*" {
        let all: [IpAddr; 2] = [[0, 0, 0, 0].into(), [0u16; 8].into()];
        return server.listen_tcp(&all.map(|ip| SocketAddr::new(ip, port))[..]);
    }
    match address.parse::<IpAddr>() {
        Ok(ip) => server.listen_tcp((ip, port)),
        Err(_) if address.contains(':') => server.listen_tcp(address),
        Err(_) => server.listen_tcp((address, port)),
    }
}

/// Has events written to standard error from now on.
pub fn log(format: LogFormat, level: tracing::Level) {
    let builder = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(level);
    match format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

/// Whoever reads it may have stopped reading.
fn say(host: &dyn std::fmt::Display, port: u16) {
    let _ = writeln!(io::stdout(), "listening: psql -h {host} -p {port} -U postgres postgres");
}

/// Serves until it is told to stop, with PostgreSQL's signals: after SIGTERM nobody new is let in and it ends when all have left (smart), SIGINT ends
/// all sessions (fast), SIGQUIT ends without a checkpoint: the next start recovers (immediate). A later signal may only be more urgent; a second
/// SIGINT is as a SIGQUIT. SIGHUP reads rules and certificates again.
pub fn run(what: Serve) -> Result<ExitCode, String> {
    // Before anything listens, so that no signal is missed.
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGQUIT, SIGHUP]).map_err(|e| e.to_string())?;
    raise_file_limit();
    let database = Database::open(&what.dir).map_err(|e| error_text(&e))?;
    let verifier = match &what.password_file {
        Some(path) => Some(Server::verifier(&database, &read_password(path)?)),
        None => None,
    };
    let roles = Roles::new(&database, verifier);
    let server = Server::with_options(database.clone(), roles, what.options).map_err(|e| texts(&e))?;
    let socket = what.socket.as_ref().unwrap_or(&what.dir);
    let socket = socket.canonicalize().map_err(|e| format!("{}: {e}", socket.display()))?;
    server.listen_unix(&socket, what.port).map_err(|e| format!("{}: {e}", socket.display()))?;
    let mut bound = Vec::new();
    if what.listen.is_empty() {
        // Loopback is a convenience, so a port that is taken does not keep the server from starting; nor does a missing IPv6.
        for address in ["127.0.0.1", "::1"] {
            match listen(&server, address, what.port) {
                Ok(more) => bound.extend(more),
                Err(e) if e.kind() == io::ErrorKind::AddrNotAvailable || address == "::1" => {}
                Err(e) => eprintln!("hathi: not listening on {address}:{}: {e}", what.port),
            }
        }
    }
    for address in what.listen.iter().filter(|a| *a != "none") {
        bound.extend(listen(&server, address, what.port).map_err(|e| format!("{address}: {e}"))?);
    }
    if let Some(address) = &what.metrics {
        let bound = server.serve_metrics(&**address).map_err(|e| format!("{address}: {e}"))?;
        eprintln!("hathi: figures are at http://{bound}/metrics");
    }
    // All of them listen before any is told of.
    say(&socket.display(), what.port);
    bound.iter().for_each(|bound| say(&bound.ip(), bound.port()));
    let (send, received) = std::sync::mpsc::channel();
    std::thread::spawn(move || signals.forever().try_for_each(|signal| send.send(signal)));
    let mut leaving = false;
    loop {
        match received.recv_timeout(LOOK) {
            Ok(SIGHUP) => match server.reload() {
                Ok(()) => eprintln!("hathi: rules and certificates were reloaded"),
                Err(errors) => eprintln!("hathi: {}\nhathi: what is broken stays as it was", texts(&errors)),
            },
            Ok(SIGTERM) => {
                leaving = true;
                server.stop_listening();
            }
            Ok(SIGQUIT) => std::process::exit(0),
            Ok(_) | Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if leaving && server.connection_count() == 0 {
            break;
        }
    }
    std::thread::spawn(move || {
        received.iter().find(|signal| matches!(*signal, SIGINT | SIGQUIT));
        std::process::exit(1);
    });
    if !server.stop(PATIENCE) {
        eprintln!("hathi: some connections did not end in time");
    }
    database.close().map_err(|e| error_text(&e))?;
    Ok(ExitCode::SUCCESS)
}
