//! `PgServer`: a PostgreSQL of our own in a new directory, run by someone who is not root, gone when dropped.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use postgres::Client;
use tempfile::TempDir;

use crate::peers::{Endpoint, PASSWORD};
use crate::stage::Failure;

/// Where Debian puts it.
const DEFAULT_BIN: &str = "/usr/lib/postgresql/15/bin";

const PORT: u16 = 5432;

/// The one role that must show a password.
pub const SCRAM_ROLE: &str = "scrammer";

/// Where its programs are.
pub fn bin() -> PathBuf {
    std::env::var_os("HATHI_PG_BIN").map_or_else(|| PathBuf::from(DEFAULT_BIN), PathBuf::from)
}

/// A running server.
pub struct PgServer {
    bin: PathBuf,
    dir: TempDir,
    user: Option<(u32, u32)>,
    version: String,
    /// How long making the cluster, starting the server and its first answer took.
    pub creation: Duration,
}

impl PgServer {
    /// Makes a cluster and starts it, with its default settings but for what crowds of clients need.
    pub fn start() -> Result<PgServer, Failure> {
        let bin = bin();
        if !bin.join("initdb").exists() {
            return Err(
                format!("no initdb in {} (apt install postgresql-15, or set HATHI_PG_BIN)", bin.display()).into()
            );
        }
        let user = unprivileged()?;
        let dir = tempfile::Builder::new().prefix("hathi-bench-pg").tempdir()?;
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(dir.path(), Some(uid), Some(gid))?;
        }
        let mut server = PgServer { bin, dir, user, version: String::new(), creation: Duration::ZERO };
        let start = Instant::now();
        let data = server.data();
        server.run("initdb", &["-A", "trust", "-U", "postgres", "-D", &data, "-E", "UTF8", "--locale=C"])?;
        server.launch()?;
        server.creation = start.elapsed();
        let row = server.client()?.query_one("SHOW server_version", &[])?;
        let number = row.get::<_, String>(0).split(' ').next().unwrap_or_default().to_owned();
        server.version = format!("PostgreSQL {number}");
        Ok(server)
    }

    fn launch(&self) -> Result<(), Failure> {
        let (data, socket) = (self.data(), self.socket().display().to_string());
        let options = format!("-k {socket} -c listen_addresses='' -c shared_buffers=256MB -c max_connections=1200");
        let log = self.dir.path().join("log").display().to_string();
        self.run("pg_ctl", &["-D", &data, "-l", &log, "-w", "-o", &options, "start"])
    }

    /// Restarts it after a clean shutdown; answers how long until the first answer.
    pub fn restart(&self) -> Result<Duration, Failure> {
        let data = self.data();
        self.run("pg_ctl", &["-D", &data, "-m", "fast", "-w", "stop"])?;
        let start = Instant::now();
        self.launch()?;
        self.client()?.simple_query("SELECT 1")?;
        Ok(start.elapsed())
    }

    /// What it calls itself.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A client on its unix socket.
    pub fn client(&self) -> Result<Client, Failure> {
        self.endpoint().client()
    }

    /// Where it listens.
    pub fn endpoint(&self) -> Endpoint {
        let file = std::fs::read_to_string(Path::new(&self.data()).join("postmaster.pid")).unwrap_or_default();
        let process = file.lines().next().and_then(|l| l.parse().ok()).unwrap_or(0);
        let directory = self.socket().to_owned();
        Endpoint { who: "PostgreSQL", directory, port: PORT, user: "postgres", password: None, process }
    }

    /// The same for the role that must show its password.
    ///
    /// # Errors
    /// When that role cannot be made.
    pub fn scram_endpoint(&self) -> Result<Endpoint, Failure> {
        self.scram_verifier()?;
        Ok(Endpoint { user: SCRAM_ROLE, password: Some(PASSWORD), ..self.endpoint() })
    }

    /// What it keeps of that role's password; the role is made when it is asked for first.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scram_verifier(&self) -> Result<String, Failure> {
        let mut client = self.client()?;
        let find = "SELECT rolpassword FROM pg_authid WHERE rolname = $1";
        if client.query_opt(find, &[&SCRAM_ROLE])?.is_none() {
            client.batch_execute(&format!("CREATE ROLE {SCRAM_ROLE} LOGIN PASSWORD '{PASSWORD}'"))?;
            let rules = Path::new(&self.data()).join("pg_hba.conf");
            let text = std::fs::read_to_string(&rules)?;
            std::fs::write(&rules, format!("local all {SCRAM_ROLE} scram-sha-256\n{text}"))?;
            client.batch_execute("SELECT pg_reload_conf()")?;
            // The postmaster reads its rules when it gets around to it.
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(client.query_one(find, &[&SCRAM_ROLE])?.get(0))
    }

    /// Whom it runs as, if not as ourselves.
    pub fn user(&self) -> Option<(u32, u32)> {
        self.user
    }

    fn data(&self) -> String {
        self.dir.path().join("data").display().to_string()
    }

    fn socket(&self) -> &Path {
        self.dir.path()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<(), Failure> {
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        // The server outlives pg_ctl and must not hold our error stream open.
        let errors = self.dir.path().join("errors");
        let status = command.stderr(std::fs::File::create(&errors)?).status()?;
        if !status.success() {
            let text = std::fs::read_to_string(&errors).unwrap_or_default();
            return Err(format!("{program} failed: {}", text.trim()).into());
        }
        Ok(())
    }
}

impl Drop for PgServer {
    fn drop(&mut self) {
        let data = self.data();
        // What cannot be stopped now ends when its directory is gone.
        let _ = self.run("pg_ctl", &["-D", &data, "-m", "immediate", "-w", "stop"]);
    }
}

/// Whom to run PostgreSQL as, which refuses root: user `postgres` or `nobody` for root, else ourselves.
fn unprivileged() -> Result<Option<(u32, u32)>, Failure> {
    if std::fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let find = |name: &str| {
        let mut fields = users.lines().find(|l| l.split(':').next() == Some(name))?.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let user = find("postgres").or_else(|| find("nobody"));
    user.map(Some).ok_or_else(|| "we are root, and there is no user postgres or nobody to run PostgreSQL as".into())
}
