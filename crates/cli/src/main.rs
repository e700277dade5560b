#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod demo;
mod output;
mod serve;
mod sql;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use hathi::Database;
use server::{Access, Auth, Limits, ServerOptions, SessionMode, TlsFiles};

/// PostgreSQL's SQL on an embedded engine.
#[derive(Parser)]
#[command(name = "hathi", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a database with sample data, runs some queries and says how to connect.
    Demo {
        /// The directory to make; what is in it is replaced.
        #[arg(default_value = "demo-data")]
        dir: PathBuf,
        /// Rows of sample data.
        #[arg(long, default_value_t = 50_000)]
        rows: u32,
    },
    /// Runs SQL in-process: from -c, -f, a pipe, or as you type it.
    Sql(sql::Arguments),
    /// Serves a database directory to PostgreSQL clients, until it is stopped.
    Serve {
        /// The database directory.
        dir: PathBuf,
        /// TCP address to listen on: "127.0.0.1", "[::1]:5433", "localhost", "*" for all, "none" for no TCP. May be given several times.
        /// Default: loopback.
        #[arg(long)]
        listen: Vec<String>,
        /// Directory of the unix socket. Default: the database directory.
        #[arg(long)]
        socket: Option<PathBuf>,
        /// Port number, also in the unix socket's name.
        #[arg(long, default_value_t = 5432)]
        port: u16,
        /// Who may connect.
        #[arg(long, value_enum, default_value = "peer")]
        auth: AuthArgument,
        /// A file of rules that say who may connect, as pg_hba.conf; read again on SIGHUP.
        #[arg(long, conflicts_with = "auth")]
        hba: Option<PathBuf>,
        /// A file with the superuser's password for as long as this server runs; its first line.
        #[arg(long)]
        password_file: Option<PathBuf>,
        /// The server's TLS certificate, in PEM, with those between it and an authority; read again on SIGHUP.
        #[arg(long, requires = "tls_key")]
        tls_cert: Option<PathBuf>,
        /// Its private key.
        #[arg(long, requires = "tls_cert")]
        tls_key: Option<PathBuf>,
        /// Authorities whose certificates clients may show.
        #[arg(long, requires = "tls_cert")]
        tls_ca: Option<PathBuf>,
        /// Clients that may be connected at a time.
        #[arg(long, default_value_t = Limits::default().connections)]
        max_connections: usize,
        /// How many of those places are kept for superusers.
        #[arg(long, default_value_t = Limits::default().reserved)]
        superuser_reserved_connections: usize,
        /// Seconds that a client may take to log in.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
        authentication_timeout: u64,
        /// What is written to standard error: connections, errors, slow statements (`log_min_duration_statement`), checkpoints.
        #[arg(long, value_enum, value_name = "FORMAT")]
        log: Option<LogFormat>,
        /// How much of it: error, warn, info, debug.
        #[arg(long, default_value = "info", requires = "log")]
        log_level: tracing::Level,
        /// The address to answer Prometheus on, such as 127.0.0.1:9187. Whoever reaches it can read the figures.
        #[arg(long, value_name = "ADDRESS")]
        metrics: Option<String>,
        /// How sessions get threads.
        #[arg(long, value_enum, default_value = "pooled")]
        session_mode: ModeArgument,
        /// Threads that run pooled sessions. Default: one for each processor.
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
        carriers: Option<u16>,
    },
    /// Checks every page and index of a database directory; exit code 1 when something is damaged.
    Check {
        /// The database directory.
        dir: PathBuf,
    },
}

/// How events are written.
#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// A line of text each.
    Text,
    /// A JSON object each.
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum AuthArgument {
    /// Over the unix socket the operating-system user that runs the server, over TCP whoever knows a password (SCRAM-SHA-256).
    Peer,
    /// Whoever knows a password, over the unix socket too.
    Scram,
    /// Everybody who can reach the listener.
    Trust,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeArgument {
    /// A handful of threads run all of them.
    Pooled,
    /// Each has one of its own.
    Thread,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo { dir, rows } => demo::run(&dir, rows),
        Command::Sql(arguments) => sql::run(&arguments),
        Command::Serve {
            dir,
            listen,
            socket,
            port,
            auth,
            hba,
            password_file,
            tls_cert,
            tls_key,
            tls_ca,
            max_connections,
            superuser_reserved_connections,
            authentication_timeout,
            log,
            log_level,
            metrics,
            session_mode,
            carriers,
        } => {
            let tls = tls_cert.zip(tls_key);
            let options = ServerOptions {
                mode: match (session_mode, carriers) {
                    (ModeArgument::Thread, _) => SessionMode::Thread,
                    (ModeArgument::Pooled, Some(slots)) => SessionMode::Pooled { slots: slots.into() },
                    (ModeArgument::Pooled, None) => SessionMode::default(),
                },
                access: hba.map_or(Access::Auth(auth.into()), Access::File),
                tls: tls.map(|(certificate, key)| TlsFiles { certificate, key, authorities: tls_ca }),
                limits: Limits { connections: max_connections, reserved: superuser_reserved_connections },
                login_timeout: Duration::from_secs(authentication_timeout),
            };
            if let Some(format) = log {
                serve::log(format, log_level);
            }
            serve::run(serve::Serve { dir, listen, socket, port, options, password_file, metrics })
        }
        Command::Check { dir } => check(dir),
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            eprintln!("hathi: {message}");
            ExitCode::FAILURE
        }
    }
}

impl From<AuthArgument> for Auth {
    fn from(auth: AuthArgument) -> Auth {
        match auth {
            AuthArgument::Peer => Auth::Peer,
            AuthArgument::Scram => Auth::Scram,
            AuthArgument::Trust => Auth::Trust,
        }
    }
}

fn check(dir: PathBuf) -> Result<ExitCode, String> {
    if !dir.join("hathi.data").exists() {
        return Err(format!("{} is not a database directory", dir.display()));
    }
    let database = Database::open(&dir).map_err(|e| output::error_text(&e))?;
    let damages = database.check().map_err(|e| output::error_text(&e))?;
    if damages.is_empty() {
        println!("{}: no damage found", dir.display());
        return Ok(ExitCode::SUCCESS);
    }
    damages.iter().for_each(|d| println!("{d}"));
    Ok(ExitCode::FAILURE)
}
