//! `Database`: an open directory.

use std::path::Path;
use std::sync::Arc;

use env::Env;
use session::{Runtime, RuntimeOptions};

use crate::{Result, Session};

/// An open database directory; cheap to clone. The last clone and session to go close it.
#[derive(Clone)]
pub struct Database {
    runtime: Arc<Runtime>,
}

/// How to open a database.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    options: RuntimeOptions,
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

    /// Whether commits wait for the disk (`fsync`). Without it, a power cut may lose or damage everything.
    #[must_use]
    pub fn fsync(mut self, on: bool) -> Builder {
        self.options.storage.fsync = on;
        self
    }

    /// Opens the directory `path`, making it when there is none.
    ///
    /// # Errors
    /// `F0001` when another process has it open; `XX001` when it is damaged; `58030`, `53100`.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Database> {
        Ok(Database { runtime: Runtime::open(Env::real(path.as_ref()), self.options)? })
    }

    /// Opens a database that lives in memory.
    ///
    /// # Errors
    /// `58030` when the system gives no memory.
    pub fn in_memory(self) -> Result<Database> {
        Ok(Database { runtime: Runtime::open(Env::in_memory(), self.options)? })
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
    pub fn close(self) -> Result<()> {
        self.runtime.close()
    }
}
