//! `PgBouncer`: the outside pooler, in front of our PostgreSQL, with transaction pooling; gone when dropped.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::peers::endpoint;
use crate::peers::{Endpoint, PgServer, SCRAM_ROLE};
use crate::stage::Failure;

/// Where Debian puts it.
const DEFAULT_PROGRAM: &str = "/usr/sbin/pgbouncer";
const PORT: u16 = 6432;
const PATIENCE: Duration = Duration::from_secs(5);

/// A running pooler.
pub struct PgBouncer {
    endpoint: Endpoint,
    process: Child,
    version: String,
    _dir: TempDir,
}

impl PgBouncer {
    /// Starts it in front of `server`.
    ///
    /// # Errors
    /// When it is not installed, or does not start.
    pub fn start(who: &'static str, server: &PgServer) -> Result<PgBouncer, Failure> {
        let program = std::env::var_os("HATHI_PGBOUNCER").map_or_else(|| PathBuf::from(DEFAULT_PROGRAM), PathBuf::from);
        let said = Command::new(&program).arg("--version").output();
        let said =
            said.map_err(|_| format!("no {} (apt install pgbouncer, or set HATHI_PGBOUNCER)", program.display()))?;
        let version = String::from_utf8_lossy(&said.stdout).lines().next().unwrap_or_default().to_owned();
        let dir = tempfile::Builder::new().prefix("hathi-bouncer").tempdir()?;
        let path = |name: &str| dir.path().join(name);
        std::fs::write(
            path("users"),
            format!("\"postgres\" \"\"\n\"{SCRAM_ROLE}\" \"{}\"\n", server.scram_verifier()?),
        )?;
        std::fs::write(path("hba"), format!("local all {SCRAM_ROLE} scram-sha-256\nlocal all all trust\n"))?;
        std::fs::write(path("ini"), settings(server, dir.path()))?;
        let mut command = Command::new(&program);
        if let Some((uid, gid)) = server.user() {
            for name in [".", "users", "hba", "ini"] {
                std::os::unix::fs::chown(path(name), Some(uid), Some(gid))?;
            }
            command.uid(uid).gid(gid);
        }
        let errors = std::fs::File::create(path("errors"))?;
        let process = command
            .arg("-q")
            .arg(path("ini"))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors);
        let process = process.spawn()?;
        let endpoint = Endpoint {
            who,
            directory: dir.path().to_owned(),
            port: PORT,
            user: "postgres",
            password: None,
            process: process.id(),
        };
        let mut bouncer = PgBouncer { endpoint, process, version, _dir: dir };
        bouncer.wait()?;
        Ok(bouncer)
    }

    /// Until it answers.
    fn wait(&mut self) -> Result<(), Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.endpoint.client() {
                Ok(_) => return Ok(()),
                Err(e) if Instant::now() > until => {
                    let text = std::fs::read_to_string(self.endpoint.directory.join("log")).unwrap_or_default();
                    return Err(format!("pgbouncer does not answer: {e}: {}", text.trim()).into());
                }
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What it calls itself.
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Its own defaults but for what a crowd needs: clients, and no line of log for each of them.
fn settings(server: &PgServer, directory: &Path) -> String {
    let at = |name: &str| directory.join(name).display().to_string();
    let backend = server.endpoint();
    debug_assert!(endpoint::socket(directory, PORT).as_os_str().len() < 100);
    format!(
        "[databases]\npostgres = host={} port={} dbname=postgres user=postgres\n\n[pgbouncer]\nlisten_addr =\nlisten_port = {PORT}\n\
         unix_socket_dir = {}\nauth_type = hba\nauth_hba_file = {}\nauth_file = {}\nlogfile = {}\npool_mode = transaction\n\
         max_client_conn = 12000\nlog_connections = 0\nlog_disconnections = 0\n",
        backend.directory.display(),
        backend.port,
        directory.display(),
        at("hba"),
        at("users"),
        at("log"),
    )
}
