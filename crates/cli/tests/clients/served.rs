//! `Served`: `hathi serve` in a process of its own, for clients to drive.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postgres::{Client, NoTls};

/// Of user `postgres`.
pub const PASSWORD: &str = "correct horse";

/// A server with a password, on a socket and a free port of loopback.
pub struct Served {
    child: Child,
    pub dir: tempfile::TempDir,
    pub port: u16,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
        let mut child = Command::new(env!("CARGO_BIN_EXE_hathi"))
            .args(["serve", data.to_str().unwrap(), "--port", &port.to_string(), "--password-file"])
            .arg(&password)
            .args(arguments(dir.path()))
            .stdout(Stdio::piped())
            .spawn()
            .expect("hathi runs");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..2 {
            let line = lines.next().unwrap().unwrap();
            assert!(line.starts_with("listening: psql -h "), "{line}");
        }
        Served { child, dir, port }
    }

    /// Where its socket is.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        let config = format!("host=127.0.0.1 port={} user=postgres password='{PASSWORD}' dbname=postgres", self.port);
        Client::connect(&config, NoTls).unwrap()
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let done = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
        self.child.wait().unwrap()
    }
}
