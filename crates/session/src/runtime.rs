//! `Runtime`: one open cluster directory (DESIGN §4): engine, databases by name, catalog images.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use catalog::Image;
use catalog::stored::{self, PG_DATABASE, column};
use env::Env;
use env::sync::Mutex;
use storage::lock::Interrupt;
use storage::{Database, DbId, Engine, Options};
use types::{Datum, Result, SqlError, SqlState};

/// The database that holds what all databases share.
const SHARED_DATABASE: DbId = DbId(1);
/// The database that every cluster starts with.
pub const DEFAULT_DATABASE: &str = "postgres";

/// How a runtime is opened.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// Storage.
    pub storage: Options,
    /// Memory a statement may use.
    pub statement_bytes: usize,
}

impl Default for RuntimeOptions {
    fn default() -> RuntimeOptions {
        RuntimeOptions { storage: Options::default(), statement_bytes: 256 << 20 }
    }
}

/// An open cluster.
pub struct Runtime {
    engine: Arc<Engine>,
    pub(crate) options: RuntimeOptions,
    images: Mutex<HashMap<DbId, (u64, Arc<Image>)>>,
    /// Grows with every committed change of a catalog (S3).
    catalog_version: AtomicU64,
}

/// Cancels what a session is doing, from any thread.
#[derive(Clone)]
pub struct CancelHandle(pub(crate) Arc<Interrupt>);

impl CancelHandle {
    /// Ends the running statement with `57014`.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Ends the running statement, and every later one, with `57P01`: the server is about to close.
    pub fn terminate(&self) {
        self.0.terminate();
    }
}

impl Runtime {
    /// Opens the cluster in `env`, making it when there is none.
    ///
    /// # Errors
    /// `F0001` when it is in use; `XX001` when it is damaged; `58030`.
    pub fn open(env: Env, options: RuntimeOptions) -> Result<Arc<Runtime>> {
        let engine = Engine::open(env, options.storage.clone())?;
        let runtime = Arc::new(Runtime {
            engine,
            options,
            images: Mutex::new(HashMap::new()),
            catalog_version: AtomicU64::new(1),
        });
        runtime.bootstrap()?;
        Ok(runtime)
    }

    /// Makes what is missing of a new cluster. Each step is durable before the next begins; a crash between them is healed here.
    fn bootstrap(&self) -> Result<()> {
        let shared = match self.engine.database(SHARED_DATABASE) {
            Ok(db) => db,
            Err(_) => self.engine.create_database()?,
        };
        if shared.relation(storage::RelId(PG_DATABASE.0)).is_err() {
            self.in_transaction(|txn| stored::bootstrap(&shared, txn, true))?;
        }
        if self.database_id(DEFAULT_DATABASE)?.is_none() {
            let db = self.engine.create_database()?;
            self.in_transaction(|txn| stored::bootstrap(&db, txn, false))?;
            self.in_transaction(|txn| {
                let values = [
                    ("oid", Datum::U32(db.id.0)),
                    ("datname", Datum::text(DEFAULT_DATABASE)),
                    ("datdba", Datum::from(types::oid::BOOTSTRAP_SUPERUSER)),
                    ("encoding", Datum::I32(6)),
                    ("datallowconn", Datum::Bool(true)),
                    ("datconnlimit", Datum::I32(-1)),
                    ("datcollate", Datum::text("C")),
                    ("datctype", Datum::text("C")),
                ];
                stored::insert(&shared, txn, PG_DATABASE, &values)
            })?;
        }
        Ok(())
    }

    fn in_transaction(&self, f: impl FnOnce(&mut storage::txn::Transaction) -> Result<()>) -> Result<()> {
        let mut txn = self.engine.begin(self.engine.new_owner(), self.engine.new_interrupt());
        f(&mut txn)?;
        txn.commit(true)?;
        Ok(())
    }

    /// The number of database `name`.
    fn database_id(&self, name: &str) -> Result<Option<DbId>> {
        let shared = self.engine.database(SHARED_DATABASE)?;
        let mut txn = self.engine.begin(self.engine.new_owner(), self.engine.new_interrupt());
        let snapshot = txn.snapshot();
        let (oid, datname) = (column(PG_DATABASE, "oid"), column(PG_DATABASE, "datname"));
        let mut found = None;
        stored::table(&shared, PG_DATABASE)?.for_each::<SqlError>(&snapshot, |_, row| {
            if row[datname].as_str() == Some(name)
                && let Datum::U32(id) = row[oid]
            {
                found = Some(DbId(id));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The database called `name`.
    ///
    /// # Errors
    /// `3D000`.
    pub fn database(&self, name: &str) -> Result<Arc<Database>> {
        match self.database_id(name)? {
            Some(id) => Ok(self.engine.database(id)?),
            None => {
                let message = format!("database \"{name}\" does not exist");
                Err(SqlError::new(SqlState::INVALID_CATALOG_NAME, message))
            }
        }
    }

    /// Storage.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The catalog version.
    pub(crate) fn catalog_version(&self) -> u64 {
        self.catalog_version.load(Ordering::Acquire)
    }

    /// A committed transaction changed a catalog.
    pub(crate) fn catalog_changed(&self) {
        self.catalog_version.fetch_add(1, Ordering::AcqRel);
    }

    /// The catalog of `db` as committed at `version`, which the caller read before taking `snapshot`.
    pub(crate) fn image(
        &self,
        db: &Arc<Database>,
        version: u64,
        snapshot: impl FnOnce() -> storage::txn::Snapshot,
    ) -> Result<Arc<Image>> {
        if let Some((v, image)) = self.images.lock().get(&db.id)
            && *v == version
        {
            return Ok(image.clone());
        }
        let image = Arc::new(Image::load(db, &snapshot())?);
        self.images.lock().insert(db.id, (version, image.clone()));
        Ok(image)
    }

    /// Ends it as a clean shutdown does.
    ///
    /// # Errors
    /// What the last checkpoint says.
    pub fn close(&self) -> Result<()> {
        Ok(self.engine.close()?)
    }
}
