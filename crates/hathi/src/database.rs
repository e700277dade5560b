//! `Database`: an open directory.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use env::Env;
use session::{AutoAnalyze, Runtime, RuntimeOptions};

use crate::{Result, Session};

/// An open database directory; cheap to clone. The last clone and session to go close it.
#[derive(Clone)]
pub struct Database {
    /// Before the runtime, so that its thread is gone when that goes.
    auto_analyze: Option<Arc<AutoAnalyze>>,
    runtime: Arc<Runtime>,
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Builder {
    options: RuntimeOptions,
    nap: Option<Duration>,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder { options: RuntimeOptions::default(), nap: Some(Duration::from_secs(60)) }
    }
}

impl Builder {
    /// Memory for pages. Default 256 MiB.
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Builder {
        self.options.storage.pool_bytes = bytes;
        self
    }

    /// Memory a statement may use before it fails with `53200`. Default 256 MiB.
    #[must_use]
    pub fn statement_memory(mut self, bytes: usize) -> Builder {
        self.options.statement_bytes = bytes;
        self
    }

    /// Memory that a session's statements and open cursors may use together before one fails with `53200`. Default 1 GiB.
    #[must_use]
    pub fn session_memory(mut self, bytes: usize) -> Builder {
        self.options.session_bytes = bytes;
        self
    }

    /// Memory that the statements of all sessions may use together before one fails with `53200`. Default 4 GiB. Pages are not
    /// counted: see [`Builder::memory`].
    #[must_use]
    pub fn total_memory(mut self, bytes: usize) -> Builder {
        self.options.total_bytes = bytes;
        self
    }

    /// Whether commits wait for the disk (`fsync`). Without it, a power cut may lose or damage everything.
    #[must_use]
    pub fn fsync(mut self, on: bool) -> Builder {
        self.options.storage.fsync = on;
        self
    }

    /// Whether a thread of the database's own purges and checkpoints. Without it, call `runtime().engine().maintain()`: for tests that must
    /// run alike each time. Default true.
    #[must_use]
    pub fn background(mut self, on: bool) -> Builder {
        self.options.storage.background = on;
        self
    }

    /// How often a thread of the database's own looks for tables of which much has changed since they were last analysed, and analyses them:
    /// PostgreSQL's `autovacuum_naptime`, `None` for `autovacuum = off`. Default one minute; never without [`Builder::background`]. Ends with the
    /// last clone of the [`Database`].
    #[must_use]
    pub fn auto_analyze(mut self, every: Option<Duration>) -> Builder {
        self.nap = every;
        self
    }

    /// A checkpoint starts when so much log was written since the last. Default 256 MiB.
    #[must_use]
    pub fn checkpoint_log_bytes(mut self, bytes: u64) -> Builder {
        self.options.storage.checkpoint_log_bytes = bytes;
        self
    }

    /// Opens a database in an outside world of the caller's: files, clock and randomness, real or simulated.
    ///
    /// # Errors
    /// As [`Builder::open`].
    pub fn open_in(self, env: Env) -> Result<Database> {
        let nap = self.nap.filter(|_| self.options.storage.background);
        let runtime = Runtime::open(env, self.options)?;
        let auto_analyze = nap.map(|nap| Arc::new(AutoAnalyze::start(&runtime, nap)));
        Ok(Database { auto_analyze, runtime })
    }

    /// Opens the directory `path`, making it when there is none.
    ///
    /// # Errors
    /// `F0001` when another process has it open; `XX001` when it is damaged; `58030`, `53100`.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Database> {
        self.open_in(Env::real(path.as_ref()))
    }

    /// Opens a database that lives in memory.
    ///
    /// # Errors
    /// `58030` when the system gives no memory.
    pub fn in_memory(self) -> Result<Database> {
        self.open_in(Env::in_memory())
    }
}

impl Database {
    /// Opens the directory `path`, making it when there is none.
    ///
    /// # Errors
    /// As [`Builder::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Database> {
        Builder::default().open(path)
    }

    /// A database that lives in memory.
    ///
    /// # Errors
    /// As [`Builder::in_memory`].
    pub fn in_memory() -> Result<Database> {
        Builder::default().in_memory()
    }

    /// Opens with options.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A new session on database `postgres`.
    ///
    /// # Errors
    /// `58030`, `XX001`.
    pub fn session(&self) -> Result<Session> {
        Session::new(&self.runtime, "postgres")
    }

    /// A new session on database `name`.
    ///
    /// # Errors
    /// `3D000` when there is none.
    pub fn session_on(&self, name: &str) -> Result<Session> {
        Session::new(&self.runtime, name)
    }

    /// A new session of role `user` on database `name`. Who the caller is was found out before.
    ///
    /// # Errors
    /// `3D000`, and `28000` when there is no such role, or it may not log in.
    pub fn session_as(&self, name: &str, user: &str) -> Result<Session> {
        Session::with_role(&self.runtime, name, user)
    }

    /// Memory that statements under way and open cursors of all sessions use, about: a multiple of 64 KiB for each.
    pub fn memory_used(&self) -> usize {
        self.runtime.memory_used()
    }

    /// Makes database `name` from database `source`: the two share every page until one of them changes it, so this costs milliseconds
    /// whatever their size. The same as `CREATE DATABASE name TEMPLATE source`. Nobody may be connected to `source` meanwhile.
    ///
    /// ```
    /// # fn main() -> hathi::Result<()> {
    /// let db = hathi::Database::in_memory()?;
    /// db.session()?.batch_execute("CREATE TABLE t (a int); INSERT INTO t VALUES (42)")?;
    /// db.fork("postgres", "test_1")?;
    /// let a: i32 = db.session_on("test_1")?.query_one("SELECT a FROM t", &[])?.get(0);
    /// assert_eq!(a, 42);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `3D000` when there is no `source`, `42P04` when there is a `name`, `55006` when somebody is connected to `source`; `58030`, `53100`.
    pub fn fork(&self, source: &str, name: &str) -> Result<()> {
        let (source, name) = (syntax::quote_ident(source), syntax::quote_ident(name));
        let sql = format!("CREATE DATABASE {name} TEMPLATE {source}");
        self.session()?.execute(&sql, &[]).map(drop)
    }

    /// What the parts of the engine share: for the server and for tools.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Checks every page and index; answers what is wrong, one line each.
    ///
    /// # Errors
    /// `58030`.
    pub fn check(&self) -> Result<Vec<String>> {
        let damages = self.runtime.engine().check()?;
        Ok(damages
            .iter()
            .map(|d| format!("database {}, relation {}, page {}: {}", d.db, d.rel, d.page, d.what))
            .collect())
    }

    /// Closes as a clean shutdown does; sessions still open fail from now on.
    ///
    /// # Errors
    /// What the last checkpoint says; what was committed is safe all the same.
    pub fn close(mut self) -> Result<()> {
        self.auto_analyze = None;
        self.runtime.close()
    }
}
