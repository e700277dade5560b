//! `hathi serve`: a server on a database directory, until it is told to stop.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use hathi::Database;
use server::{Auth, Roles, Server};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::output::error_text;

/// How long connections are waited for when the server stops.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `hathi serve` was asked for.
pub struct Serve {
    pub dir: PathBuf,
    pub listen: Option<String>,
    pub socket: Option<PathBuf>,
    pub port: u16,
    pub auth: Auth,
    pub password_file: Option<PathBuf>,
}

fn read_password(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(format!("{}: the password is empty", path.display())),
    }
}

/// Serves until SIGINT or SIGTERM; then cancels what is in flight, and closes cleanly. A second signal ends it at once.
pub fn run(what: &Serve) -> Result<ExitCode, String> {
    // Before anything listens, so that no signal is missed.
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(|e| e.to_string())?;
    let database = Database::open(&what.dir).map_err(|e| error_text(&e))?;
    let verifier = match &what.password_file {
        Some(path) => Some(Server::verifier(&database, &read_password(path)?)),
        None => None,
    };
    let server = Server::new(database.clone(), what.auth, Roles::new(&database, verifier));
    let socket = what.socket.as_ref().unwrap_or(&what.dir);
    let socket = socket.canonicalize().map_err(|e| format!("{}: {e}", socket.display()))?;
    server.listen_unix(&socket, what.port).map_err(|e| format!("{}: {e}", socket.display()))?;
    println!("listening: psql -h {} -p {} -U postgres postgres", socket.display(), what.port);
    match what.listen.as_deref() {
        Some("none") => {}
        Some(address) => {
            let bound = server.listen_tcp(address).map_err(|e| format!("{address}: {e}"))?;
            println!("listening: psql -h {} -p {} -U postgres postgres", bound.ip(), bound.port());
        }
        // Loopback is a convenience, so a port that is taken does not keep the server from starting.
        None => match server.listen_tcp(("127.0.0.1", what.port)) {
            Ok(bound) => println!("listening: psql -h {} -p {} -U postgres postgres", bound.ip(), bound.port()),
            Err(e) => eprintln!("hathi: not listening on 127.0.0.1:{}: {e}", what.port),
        },
    }
    signals.forever().next();
    std::thread::spawn(move || {
        signals.forever().next();
        std::process::exit(1);
    });
    if !server.stop(PATIENCE) {
        eprintln!("hathi: some connections did not end in time");
    }
    database.close().map_err(|e| error_text(&e))?;
    Ok(ExitCode::SUCCESS)
}
