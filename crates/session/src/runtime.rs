//! `Runtime`: one open cluster directory (DESIGN §4): engine, databases and roles by name, catalog images.
//!
//! Who may touch it: everybody who has an `Arc` of it, at any time; each part that changes has a lock of its own, held for a moment and never
//! across a wait or a call of a session. It lives until the last session, cursor and background thread has let go of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use catalog::stored::{self, Fields, PG_DATABASE};
use catalog::{Change, Image};
use env::Env;
use env::sync::{Condvar, Mutex};
use storage::txn::Transaction;
use storage::{Database, DbId, Engine, Options};

use crate::activity::DatabaseCounts;
use crate::backend::Backend;
use crate::carrier::CarriersView;
use crate::cluster::{Changing, Cluster, Shared};
use crate::ddl::auto_analyze::{Analysed, Thread};
use crate::export::Exported;
use crate::notify::Channels;
use crate::statement_cache::{StatementCache, StatementCounts};
use crate::statement_stats::StatementStats;
use types::{Datum, Oid, Result, SqlError, SqlState};

/// The database that holds what all databases share.
const SHARED_DATABASE: DbId = DbId(1);
/// The database that every cluster starts with.
pub const DEFAULT_DATABASE: &str = "postgres";
/// The role that every cluster starts with.
pub const DEFAULT_ROLE: &str = "postgres";

/// How a runtime is opened.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// Storage.
    pub storage: Options,
    /// Memory a statement may use.
    pub statement_bytes: usize,
    /// Memory the statements and open cursors of a session may use together.
    pub session_bytes: usize,
    /// Memory the statements of all sessions may use together.
    pub total_bytes: usize,
    /// Statements whose plans all sessions share; those used least recently give way.
    pub statements_max: usize,
}

impl Default for RuntimeOptions {
    fn default() -> RuntimeOptions {
        RuntimeOptions {
            storage: Options::default(),
            statement_bytes: 256 << 20,
            session_bytes: 1 << 30,
            total_bytes: 4 << 30,
            statements_max: 2048,
        }
    }
}

/// A number of connections.
pub(crate) fn limit(value: &Datum) -> i32 {
    if let Datum::I32(n) = value { *n } else { -1 }
}

/// A role.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// OID in `pg_authid`.
    pub oid: Oid,
    /// Its name.
    pub name: String,
    /// Whether it may do anything.
    pub superuser: bool,
    /// Whether it may connect.
    pub can_login: bool,
    /// Whether it may make databases.
    pub create_db: bool,
    /// Whether it may make roles.
    pub create_role: bool,
    /// How often it may be connected; negative: any number of times.
    pub connection_limit: i32,
    /// The SCRAM verifier of its password.
    pub password: Option<String>,
    /// Microseconds since 2000 at which the password ends.
    pub valid_until: Option<i64>,
}

impl Role {
    pub(crate) fn of(row: Fields<'_>) -> Role {
        let valid_until = match row.get("rolvaliduntil") {
            Datum::I64(t) => Some(*t),
            _ => None,
        };
        Role {
            oid: row.oid("oid"),
            name: row.text("rolname"),
            superuser: row.bool("rolsuper"),
            can_login: row.bool("rolcanlogin"),
            create_db: row.bool("rolcreatedb"),
            create_role: row.bool("rolcreaterole"),
            connection_limit: limit(row.get("rolconnlimit")),
            password: row.get("rolpassword").as_str().map(str::to_owned),
            valid_until,
        }
    }
}

/// The committed catalog of one database, shared by its sessions.
#[derive(Default)]
pub struct DbCatalog {
    /// Grows with every committed change (S3).
    version: AtomicU64,
    image: Mutex<Option<(u64, Arc<Image>)>>,
    /// Who listens to what.
    pub(crate) channels: Arc<Channels>,
    /// What was counted of its sessions.
    pub(crate) counts: DatabaseCounts,
}

impl DbCatalog {
    /// The version.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The catalog of `db` as committed at `version`, which the caller read before taking `snapshot`.
    pub(crate) fn image(
        &self,
        db: &Arc<Database>,
        version: u64,
        snapshot: impl FnOnce() -> storage::txn::Snapshot,
    ) -> Result<Arc<Image>> {
        if let Some((v, image)) = &*self.image.lock()
            && *v == version
        {
            return Ok(image.clone());
        }
        let image = Arc::new(Image::load(db, &snapshot())?);
        let mut kept = self.image.lock();
        if kept.as_ref().is_none_or(|k| k.0 < version) {
            *kept = Some((version, image.clone()));
        }
        Ok(image)
    }

    /// A transaction committed `changes`. Its locks are still held, so changes of one object come in order.
    pub(crate) fn publish(&self, changes: &[Change]) {
        let mut kept = self.image.lock();
        let version = self.version.load(Ordering::Acquire);
        match &mut *kept {
            Some((v, image)) if *v == version => {
                let own = Arc::make_mut(image);
                changes.iter().for_each(|c| own.apply(c));
                *v = version + 1;
            }
            // Whoever reads it next has the changes in its snapshot.
            other => *other = None,
        }
        self.version.store(version + 1, Ordering::Release);
    }
}

/// Values of settings that a server has decided on.
pub(crate) type FixedSettings = BTreeMap<&'static str, String>;
/// What makes the rows of a view.
type Rows = Arc<dyn Fn() -> Vec<Vec<Datum>> + Send + Sync>;

/// An open cluster.
pub struct Runtime {
    engine: Arc<Engine>,
    env: Env,
    pub(crate) options: RuntimeOptions,
    catalogs: Mutex<HashMap<DbId, Arc<DbCatalog>>>,
    /// Sessions of each database.
    sessions: Mutex<HashMap<DbId, usize>>,
    cluster: Cluster,
    /// Sessions by their numbers.
    pub(crate) present: Mutex<BTreeMap<u32, Arc<Backend>>>,
    /// Snapshots that transactions in progress let others use, by their names.
    pub(crate) exported: Mutex<BTreeMap<String, Exported>>,
    /// When tables were analysed.
    pub(crate) analysed: Mutex<HashMap<(DbId, Oid), Analysed>>,
    /// The database that a thread of the cluster's own is at work on, and what stops it.
    pub(crate) background: Mutex<Option<(DbId, CancelHandle)>>,
    /// Told when that is over.
    pub(crate) background_gone: Condvar,
    /// The carriers of the servers on it.
    pub(crate) carriers: Mutex<Vec<CarriersView>>,
    /// Numbers of the cluster's own threads, as sessions have them: who maintains storage, who analyses tables.
    thread_pids: [u32; 2],
    /// Settings that are not for sessions to change, where they are not as usual.
    pub(crate) fixed: Mutex<Arc<FixedSettings>>,
    /// Who may connect, as a view shows it.
    rules: Mutex<Option<Rows>>,
    /// That thread, if there is to be one.
    pub(crate) auto_analyze: OnceLock<Arc<Thread>>,
    /// When it was opened: microseconds since 1970.
    pub(crate) started: i64,
    /// What the statements of all sessions take.
    pub(crate) meter: Arc<exec::Meter>,
    /// The compiled expressions of all sessions.
    pub(crate) jit: jit::Jit,
    /// The statements of all sessions, and what was counted of them.
    pub(crate) statements: StatementCache,
    pub(crate) stats: StatementStats,
}

/// Cancels what a session is doing, from any thread.
#[derive(Clone)]
pub struct CancelHandle(pub(crate) Arc<Backend>);

impl std::ops::Deref for CancelHandle {
    type Target = Backend;
    fn deref(&self) -> &Backend {
        &self.0
    }
}

impl Runtime {
    /// How often statements were planned, and found planned.
    pub fn statement_counts(&self) -> StatementCounts {
        self.statements.counts()
    }

    /// Settings that whoever serves the cluster has decided on, for sessions that begin from now on.
    pub fn fix_settings(&self, settings: impl IntoIterator<Item = (&'static str, String)>) {
        *self.fixed.lock() = Arc::new(settings.into_iter().collect());
    }

    /// What `pg_hba_file_rules` is to show.
    pub fn show_rules(&self, rows: impl Fn() -> Vec<Vec<Datum>> + Send + Sync + 'static) {
        *self.rules.lock() = Some(Arc::new(rows));
    }

    /// The rows of `pg_hba_file_rules`.
    pub(crate) fn rule_rows(&self) -> Vec<Vec<Datum>> {
        let rows = self.rules.lock().clone();
        rows.map_or_else(Vec::new, |rows| rows())
    }

    /// Carriers that views are to show.
    pub fn show_carriers(&self, view: CarriersView) {
        self.carriers.lock().push(view);
    }

    /// The cluster's own threads: number, what PostgreSQL calls such, start in microseconds since 2000.
    pub(crate) fn threads(&self) -> Vec<(u32, &'static str, i64)> {
        let since = self.started - crate::host::EPOCH_2000;
        let maintains = self.options.storage.background;
        let analyses = self.auto_analyze.get().is_some_and(|thread| thread.has_begun());
        let [maintenance, analysis] = self.thread_pids;
        let all = [(maintains, maintenance, "checkpointer"), (analyses, analysis, "autovacuum launcher")];
        all.into_iter().filter(|t| t.0).map(|(_, pid, kind)| (pid, kind, since)).collect()
    }

    /// Memory that statements and open cursors of all sessions take.
    pub fn memory_used(&self) -> usize {
        self.meter.used_bytes()
    }

    /// Opens the cluster in `env`, making it when there is none.
    ///
    /// # Errors
    /// `F0001` when it is in use; `XX001` when it is damaged; `58030`.
    pub fn open(env: Env, options: RuntimeOptions) -> Result<Arc<Runtime>> {
        let engine = Engine::open(env.clone(), options.storage.clone())?;
        let runtime = Arc::new(Runtime {
            jit: jit::Jit::default(),
            stats: StatementStats::new(env.clock.unix_micros() - crate::host::EPOCH_2000),
            thread_pids: [engine.new_owner().0, engine.new_owner().0],
            statements: StatementCache::new(options.statements_max),
            meter: exec::Meter::new("process", options.total_bytes, exec::Meter::process()),
            engine,
            started: env.clock.unix_micros(),
            env,
            options,
            catalogs: Mutex::new(HashMap::new()),
            sessions: Mutex::new(HashMap::new()),
            cluster: Cluster::default(),
            present: Mutex::new(BTreeMap::new()),
            exported: Mutex::new(BTreeMap::new()),
            analysed: Mutex::new(HashMap::new()),
            background: Mutex::new(None),
            auto_analyze: OnceLock::new(),
            background_gone: Condvar::new(),
            carriers: Mutex::default(),
            fixed: Mutex::default(),
            rules: Mutex::default(),
        });
        runtime.bootstrap()?;
        runtime.sweep_temporary()?;
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
            self.in_transaction(|txn| {
                stored::bootstrap(&db, txn, false)?;
                insert_database(&shared, txn, db.id, DEFAULT_DATABASE, types::oid::BOOTSTRAP_SUPERUSER, -1)
            })?;
        }
        Ok(())
    }

    /// Removes what is left of temporary relations of sessions that a crash ended.
    fn sweep_temporary(&self) -> Result<()> {
        let mut ids = Vec::new();
        self.each_shared(PG_DATABASE, |row| ids.push(DbId(row.oid("oid").0)))?;
        for id in ids {
            let db = self.engine.database(id)?;
            self.in_transaction(|txn| crate::ddl::temporary::sweep(&db, txn))?;
        }
        Ok(())
    }

    pub(crate) fn in_transaction<T>(&self, f: impl FnOnce(&mut Transaction) -> Result<T>) -> Result<T> {
        let mut txn = self.engine.begin(self.engine.new_owner(), self.engine.new_interrupt());
        let outcome = f(&mut txn)?;
        let _changing = self.changing(&txn);
        txn.commit(true)?;
        Ok(outcome)
    }

    /// The database of what all databases share.
    pub(crate) fn shared(&self) -> Result<Arc<Database>> {
        Ok(self.engine.database(SHARED_DATABASE)?)
    }

    /// Reads a shared catalog table as committed now.
    pub(crate) fn each_shared(&self, relation: Oid, f: impl FnMut(Fields<'_>)) -> Result<()> {
        self.each_shared_of(None, relation, f)
    }

    /// The same with what transaction `own` has changed.
    pub(crate) fn each_shared_of(
        &self,
        own: Option<&Transaction>,
        relation: Oid,
        mut f: impl FnMut(Fields<'_>),
    ) -> Result<()> {
        let shared = self.shared()?;
        let mut txn = self.engine.begin(self.engine.new_owner(), self.engine.new_interrupt());
        let snapshot = txn.snapshot();
        // The new transaction protects what both see.
        let snapshot = own.map_or_else(|| snapshot.clone(), |own| own.snapshot_at(snapshot.lsn));
        stored::table(&shared, relation)?.for_each::<SqlError>(&snapshot, |_, row| {
            f(Fields { relation, row: &row });
            Ok(())
        })
    }

    /// Numbers and names of all databases.
    pub(crate) fn database_names(&self) -> Result<Vec<(DbId, String)>> {
        let mut found = Vec::new();
        self.each_shared(PG_DATABASE, |row| found.push((DbId(row.oid("oid").0), row.text("datname"))))?;
        Ok(found)
    }

    /// The time, in microseconds since 2000.
    pub(crate) fn micros_since_2000(&self) -> i64 {
        self.env.clock.unix_micros() - crate::host::EPOCH_2000
    }

    /// The number of database `name`.
    pub(crate) fn database_id(&self, name: &str) -> Result<Option<DbId>> {
        Ok(self.connection_limit_of(name)?.map(|(oid, _)| DbId(oid.0)))
    }

    /// The OID of database `name`, and how many may be connected to it; negative: any number.
    ///
    /// # Errors
    /// What reading the catalog says.
    pub fn connection_limit_of(&self, name: &str) -> Result<Option<(Oid, i32)>> {
        Ok(self.all_shared()?.database(name))
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

    /// The role called `name`.
    ///
    /// # Errors
    /// What reading the catalog says.
    pub fn role(&self, name: &str) -> Result<Option<Arc<Role>>> {
        Ok(self.all_shared()?.role(name).cloned())
    }

    /// The same with what transaction `own` has changed.
    pub(crate) fn role_seen_by(&self, own: Option<&Transaction>, name: &str) -> Result<Option<Arc<Role>>> {
        match own.filter(|own| own.has_written_to(SHARED_DATABASE)) {
            Some(own) => Ok(Shared::read(self, Some(own))?.role(name).cloned()),
            None => self.role(name),
        }
    }

    /// The role with this OID.
    ///
    /// # Errors
    /// What reading the catalog says.
    pub fn role_by_oid(&self, oid: Oid) -> Result<Option<Arc<Role>>> {
        Ok(self.all_shared()?.role_by_oid(oid).cloned())
    }

    /// What all databases share, as committed now.
    pub(crate) fn all_shared(&self) -> Result<Arc<Shared>> {
        self.cluster.image(|| Shared::read(self, None))
    }

    /// Said before `own` is committed, if it has changed what all databases share (Y1).
    pub(crate) fn changing(&self, own: &Transaction) -> Option<Changing<'_>> {
        own.has_written_to(SHARED_DATABASE).then(|| self.cluster.changing())
    }

    /// Storage.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Randomness.
    pub(crate) fn entropy(&self) -> &env::Entropy {
        &self.env.entropy
    }

    /// The shared catalog of database `id`.
    pub(crate) fn catalog(&self, id: DbId) -> Arc<DbCatalog> {
        self.catalogs.lock().entry(id).or_default().clone()
    }

    /// A session begins (1) or ends (-1) on database `id`; how many there are then.
    pub(crate) fn count_sessions(&self, id: DbId, change: isize) -> usize {
        let mut sessions = self.sessions.lock();
        let count = sessions.entry(id).or_default();
        *count = count.saturating_add_signed(change);
        *count
    }

    /// Ends it as a clean shutdown does.
    ///
    /// # Errors
    /// What the last checkpoint says.
    pub fn close(&self) -> Result<()> {
        Ok(self.engine.close()?)
    }
}

impl Drop for Runtime {
    /// The directory is free once this returns: the engine's own thread may hold its last reference for a while.
    fn drop(&mut self) {
        let _ = self.engine.close();
    }
}

/// Adds a row to `pg_database`.
pub(crate) fn insert_database(
    shared: &Arc<Database>,
    txn: &mut Transaction,
    id: DbId,
    name: &str,
    owner: Oid,
    connection_limit: i32,
) -> Result<()> {
    let values = [
        ("oid", Datum::U32(id.0)),
        ("datname", Datum::text(name)),
        ("datdba", Datum::from(owner)),
        ("encoding", Datum::I32(6)),
        ("datlocprovider", Datum::I8(b'c'.cast_signed())),
        ("datallowconn", Datum::Bool(true)),
        ("datconnlimit", Datum::I32(connection_limit)),
        ("dattablespace", Datum::U32(1663)),
        ("datcollate", Datum::text("C")),
        ("datctype", Datum::text("C")),
    ];
    stored::insert(shared, txn, PG_DATABASE, &values)?;
    Ok(())
}
