#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod demo;
mod output;
mod serve;
mod sql;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use hathi::Database;
use server::Auth;

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
        /// TCP address; "none" for no TCP. Default: 127.0.0.1 and the port.
        #[arg(long)]
        listen: Option<String>,
        /// Directory of the unix socket. Default: the database directory.
        #[arg(long)]
        socket: Option<PathBuf>,
        /// Port number, also in the unix socket's name.
        #[arg(long, default_value_t = 5432)]
        port: u16,
        /// Who may connect.
        #[arg(long, value_enum, default_value = "peer")]
        auth: AuthArgument,
        /// A file with the superuser's password for as long as this server runs; its first line.
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
    /// Checks every page and index of a database directory; exit code 1 when something is damaged.
    Check {
        /// The database directory.
        dir: PathBuf,
    },
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

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo { dir, rows } => demo::run(&dir, rows),
        Command::Sql(arguments) => sql::run(&arguments),
        Command::Serve { dir, listen, socket, port, auth, password_file } => {
            serve::run(&serve::Serve { dir, listen, socket, port, auth: auth.into(), password_file })
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
