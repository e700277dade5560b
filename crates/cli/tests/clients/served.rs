//! `Served`: `hathi serve` in a process of its own, for clients to drive.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postgres::{Client, NoTls};

/// Of user `postgres`.
pub const PASSWORD: &str = "correct horse";

/// `hathi serve` in a process, which ends when this is dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Serves `dir` with these arguments, and waits until it listens in so many ways.
    pub fn start<'a>(dir: &Path, arguments: impl IntoIterator<Item = &'a str>, listeners: usize) -> Process {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hathi"))
            .arg("serve")
            .arg(dir)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("hathi runs");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..listeners {
            let line = lines.next().unwrap().unwrap();
            assert!(line.starts_with("listening: psql -h "), "{line}");
        }
        Process(child)
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }
}

/// A server with a password, on a socket and a free port of loopback.
pub struct Served {
    process: Process,
    pub dir: tempfile::TempDir,
    pub port: u16,
}

impl Served {
    pub fn start() -> Served {
        Served::with(|_| Vec::new())
    }

    /// With arguments, which may name files in its directory.
    pub fn with(arguments: impl FnOnce(&Path) -> Vec<String>) -> Served {
        let dir = tempfile::tempdir().unwrap();
        let password = dir.path().join("password");
        std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
        let data = dir.path().join("data");
        // A port nobody has now; the socket's name needs it before the server picks one.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (number, arguments) = (port.to_string(), arguments(dir.path()));
        let own = ["--port", &number, "--password-file", password.to_str().unwrap()];
        let process = Process::start(&data, own.into_iter().chain(arguments.iter().map(String::as_str)), 2);
        Served { process, dir, port }
    }

    /// Where its socket is.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.0.id()
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        let config = format!("host=127.0.0.1 port={} user=postgres password='{PASSWORD}' dbname=postgres", self.port);
        Client::connect(&config, NoTls).unwrap()
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        self.process.signal("-INT");
        self.process.0.wait().unwrap()
    }
}
