//! The server under test: started on an empty directory, watched, and started again when it falls.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{failed, source};
use crate::step::Failure;

/// Memory beyond which the server is ended, lest the machine suffers.
pub const MEMORY_MB_MAX: u64 = 3000;

/// How a file's run ended.
pub enum End {
    Done,
    Late,
    Greedy,
    Crash,
}

/// A running server.
pub struct Server {
    pub port: u16,
    program: PathBuf,
    place: PathBuf,
    arguments: Vec<String>,
    child: Child,
    panics_seen: usize,
}

impl Server {
    /// Starts `program` on an empty directory in `place`, with more arguments than it always has.
    pub fn start(program: &Path, place: &Path, arguments: &[&str]) -> Result<Server, Failure> {
        let data = place.join("data");
        let _ = std::fs::remove_dir_all(&data);
        let _ = std::fs::remove_file(place.join("server.log"));
        std::fs::create_dir_all(place).map_err(|error| failed(error.to_string()))?;
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let (child, port) = spawn(program, place, &arguments)?;
        Ok(Server { port, program: program.to_owned(), place: place.to_owned(), arguments, child, panics_seen: 0 })
    }

    /// Ends it, whatever it does, and starts it again on the same directory, of which a copy is kept as it was left. Whether
    /// that could be done; otherwise it starts on an empty one.
    pub fn restart(&mut self) -> Result<bool, Failure> {
        self.kill();
        let (data, copy) = (self.place.join("data"), self.place.join("killed"));
        let _ = std::fs::remove_dir_all(&copy);
        let _ = Command::new("cp").arg("-r").arg(&data).arg(&copy).status();
        let again = spawn(&self.program, &self.place, &self.arguments);
        let recovered = again.is_ok();
        (self.child, self.port) = match again {
            Ok(running) => running,
            Err(_) => {
                println!("the server does not start on the directory it left: see target/regress/damaged");
                let damaged = self.place.join("damaged");
                let _ = std::fs::remove_dir_all(&damaged);
                std::fs::rename(&copy, &damaged).map_err(|error| failed(error.to_string()))?;
                std::fs::remove_dir_all(&data).map_err(|error| failed(error.to_string()))?;
                spawn(&self.program, &self.place, &self.arguments)?
            }
        };
        Ok(recovered)
    }

    /// Asks it to stop, as a user would.
    pub fn stop(mut self) {
        let _ = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status();
        for _ in 0..500 {
            if !self.runs() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        println!("the server did not stop within 10 s");
        self.kill();
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether the process is there.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether a new session gets an answer.
    pub fn answers(&self) -> bool {
        let mut psql = Command::new(source::psql());
        psql.args([
            "-X",
            "-q",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-d",
            "regression",
            "-c",
            "SELECT 1",
            "-p",
            &self.port.to_string(),
        ]);
        psql.env("PGCONNECT_TIMEOUT", "5").stdout(Stdio::null()).stderr(Stdio::null());
        psql.status().is_ok_and(|status| status.success())
    }

    /// Memory the process holds.
    pub fn resident_mb(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or_default();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or(0) / 1024
    }

    /// Panics in its log since the last question.
    pub fn panics(&mut self) -> usize {
        let log = std::fs::read(self.place.join("server.log")).unwrap_or_default();
        let all = String::from_utf8_lossy(&log).matches("panicked at").count();
        let fresh = all.saturating_sub(self.panics_seen);
        self.panics_seen = all;
        fresh
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the process and reads the port it chose.
fn spawn(program: &Path, place: &Path, arguments: &[String]) -> Result<(Child, u16), Failure> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(place.join("server.log"));
    let log = log.map_err(|error| failed(error.to_string()))?;
    // A socket's path must be short, which the workspace's may not be.
    let socket = std::env::temp_dir().join(format!("hathi-regress-{}", std::process::id()));
    std::fs::create_dir_all(&socket).map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new(program);
    command
        .arg("serve")
        .arg(place.join("data"))
        .args(["--listen", "127.0.0.1:0", "--auth", "trust", "--socket"])
        .arg(&socket)
        .args(arguments);
    command.env("RUST_BACKTRACE", "1").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut child = command.spawn().map_err(|error| failed(format!("{}: {error}", program.display())))?;
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    for line in lines.map_while(Result::ok) {
        let mut words = line.split_whitespace();
        if line.contains("127.0.0.1")
            && let Some(port) =
                words.find(|word| *word == "-p").and_then(|_| words.next()).and_then(|port| port.parse().ok())
        {
            return Ok((child, port));
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(failed("the server did not say where it listens; see target/regress/server.log"))
}
