//! `Engine`: one open cluster: its databases, and everything they share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use env::sync::{Condvar, JoinHandle, Mutex, RwLock};
use env::{Env, sync};

use crate::buffer::{PageSpace, Pool};
use crate::checkpoint::{self, Root};
use crate::database::Database;
use crate::error::{Error, Result};
use crate::file::map::PageMap;
use crate::file::superblock::{self, BlobRef, Superblock};
use crate::file::{DATA_FILE, DataFile, DbFile, SLOT_BYTES};
use crate::ids::{DbId, Lsn, PageNo, RelId, Xid};
use crate::lock::{Interrupt, LockManager, OwnerId};
use crate::poison::Poison;
use crate::purge::{self, PurgeQueue};
use crate::recovery;
use crate::relation::{Persistence, RelMeta};
use crate::txn::{Transaction, TxnManager};
use crate::wal::{Log, LogOptions, Record};

/// The first OID given out.
const FIRST_OID: u32 = 16384;
/// OIDs reserved by one log record.
const OID_BATCH: u32 = 1024;

/// How an engine runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory for pages, all databases together.
    pub pool_bytes: usize,
    /// Address space per database, in 16 KiB pages.
    pub units_max: u32,
    /// Whether syncs are done at all (`fsync`).
    pub fsync: bool,
    /// A checkpoint starts when so much log was written since the last.
    pub checkpoint_log_bytes: u64,
    /// Whether a thread purges, checkpoints and prepares log space; without it, call [`Engine::maintain`].
    pub background: bool,
    /// Whether pages lie in single allocations instead of one reserved range.
    pub portable_memory: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            pool_bytes: 256 << 20,
            units_max: 1 << 24,
            fsync: true,
            checkpoint_log_bytes: 256 << 20,
            background: true,
            portable_memory: false,
        }
    }
}

/// What the parts of an engine share.
pub struct Shared {
    /// The outside world.
    pub env: Env,
    /// The write-ahead log.
    pub log: Log,
    /// Transactions and snapshots.
    pub txns: Arc<TxnManager>,
    /// Locks.
    pub locks: LockManager,
    /// Whether anything failed for good.
    pub poison: Arc<Poison>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) data: Arc<DataFile>,
    pub(crate) purge: PurgeQueue,
    pub(crate) oids: Mutex<Oids>,
    pub(crate) options: Options,
}

/// The OID counter.
#[derive(Clone, Copy)]
pub(crate) struct Oids {
    pub next: u32,
    /// The log says that numbers below this may be in use.
    pub reserved: u32,
}

impl Shared {
    /// A number that no object had before (until 2^32 were given; then numbers come back, and callers that need uniqueness look).
    ///
    /// # Errors
    /// `Poisoned`, or what logging says.
    pub fn new_oid(&self) -> Result<u32> {
        let mut oids = self.oids.lock();
        if oids.next < FIRST_OID {
            oids.next = FIRST_OID;
            oids.reserved = FIRST_OID;
        }
        if oids.next >= oids.reserved {
            let reserved = oids.next.saturating_add(OID_BATCH);
            self.log.append(Xid(0), &Record::OidsReserved { next: reserved })?;
            oids.reserved = reserved;
        }
        let oid = oids.next;
        oids.next = oids.next.wrapping_add(1);
        Ok(oid)
    }

    /// Bytes of pages in memory.
    pub fn resident_bytes(&self) -> usize {
        self.pool.resident_bytes()
    }

    /// Bytes of before-images and other versions in memory, about.
    pub fn version_bytes(&self) -> usize {
        self.pool.version_bytes()
    }
}

/// An open cluster.
pub struct Engine {
    shared: Arc<Shared>,
    databases: RwLock<BTreeMap<DbId, Arc<Database>>>,
    root: Mutex<Root>,
    next_owner: AtomicU32,
    worker: Mutex<Option<JoinHandle<()>>>,
    signal: Arc<Signal>,
    closed: AtomicBool,
    _lock: Box<dyn Send + Sync>,
}

#[derive(Default)]
struct Signal {
    state: Mutex<SignalState>,
    wake: Condvar,
    /// Work may be waiting; set once, so that commits do not wake a thread each.
    busy: AtomicBool,
}

#[derive(Default)]
struct SignalState {
    stop: bool,
    /// Whether to begin at once.
    hurry: bool,
}

impl Signal {
    /// Wakes the background thread, unless it was woken already.
    #[inline]
    fn raise(&self) {
        if !self.busy.load(Ordering::Relaxed) {
            self.busy.store(true, Ordering::Release);
            let _state = self.state.lock();
            self.wake.notify_all();
        }
    }

    /// Wakes it even if it waits for more work.
    fn hurry(&self) {
        self.busy.store(true, Ordering::Release);
        self.state.lock().hurry = true;
        self.wake.notify_all();
    }
}

impl Engine {
    /// Opens the cluster in `env`, making it when there is none.
    ///
    /// # Errors
    /// `InUse`, `Version`, `Damaged`, `Corrupt`, `Io`, `DiskFull`.
    pub fn open(env: Env, options: Options) -> Result<Arc<Engine>> {
        env.vfs.create_dir("").map_err(Error::io("make the database directory"))?;
        let lock = env.vfs.lock().map_err(|e| match e.kind() {
            std::io::ErrorKind::WouldBlock => Error::InUse,
            _ => Error::io("lock the database directory")(e),
        })?;
        let poison = Arc::new(Poison::default());
        let file = env.vfs.open(DATA_FILE, true).map_err(Error::io("open the data file"))?;
        let data = Arc::new(DataFile::new(file, poison.clone()));
        let (root, is_new) = match superblock::read(&data)? {
            Some(superblock) => (Root::load(&data, superblock)?, false),
            None => {
                let has_log = env.vfs.list("wal").is_ok_and(|names| !names.is_empty());
                if has_log {
                    return Err(Error::Damaged("both superblocks of the data file are damaged".to_owned()));
                }
                (Root::create(&data)?, true)
            }
        };
        // Life 0: no opening got as far as making the file's name durable.
        if root.superblock.life == 0 {
            env.vfs.sync_dir("").map_err(Error::io("sync the database directory"))?;
        }
        let found = if env.vfs.is_volatile() {
            recovery::Found::nothing(&root)
        } else {
            recovery::scan(&env.vfs, root.superblock.redo, root.next_xid)?
        };
        // Before the first record of this life: see W4.
        let root = root.renew_life(&data, found.life)?;
        let log_options = LogOptions { enabled: !env.vfs.is_volatile(), fsync: options.fsync, ..LogOptions::default() };
        let log = Log::open(env.vfs.clone(), log_options, poison.clone(), found.end, root.superblock.life)?;
        let pool = Arc::new(Pool::new(options.pool_bytes));
        let shared = Arc::new(Shared {
            log,
            txns: Arc::new(TxnManager::new(found.next_xid, found.end.max(Lsn(1)))),
            locks: LockManager::default(),
            poison,
            pool,
            data,
            purge: PurgeQueue::default(),
            oids: Mutex::new(Oids { next: root.next_oid, reserved: root.next_oid }),
            options,
            env,
        });
        let engine = Engine {
            databases: RwLock::new(BTreeMap::new()),
            root: Mutex::new(root),
            next_owner: AtomicU32::new(1),
            worker: Mutex::new(None),
            signal: Arc::new(Signal::default()),
            closed: AtomicBool::new(false),
            _lock: lock,
            shared,
        };
        engine.load_databases()?;
        let clean = engine.root.lock().clean;
        let replayed = recovery::redo(&engine, &found)?;
        if !clean && !is_new {
            engine.reset_unlogged()?;
        }
        engine.clear_orphans();
        if replayed > 0 {
            engine.checkpoint()?;
        }
        let engine = Arc::new(engine);
        if engine.shared.options.background {
            engine.start_worker();
        }
        Ok(engine)
    }

    fn load_databases(&self) -> Result<()> {
        let stored: Vec<(DbId, DbId, BlobRef)> = self.root.lock().databases.clone();
        for (id, lineage, blob) in stored {
            let (metas, leaves) = checkpoint::load_database(&self.shared.data, blob)?;
            let map = PageMap::load(&self.shared.data, id, leaves)?;
            let db = self.open_database(id, lineage, map, metas, blob)?;
            self.databases.write().insert(id, db);
        }
        Ok(())
    }

    fn open_database(
        &self,
        id: DbId,
        lineage: DbId,
        map: PageMap,
        metas: Vec<RelMeta>,
        stored: BlobRef,
    ) -> Result<Arc<Database>> {
        let file = Arc::new(DbFile::new(lineage, self.shared.data.clone(), map));
        let options = &self.shared.options;
        let space = PageSpace::new(self.shared.pool.clone(), file.clone(), options.units_max, options.portable_memory)?;
        Ok(Arc::new(Database::new(id, self.shared.clone(), file, space, metas, stored)))
    }

    /// Takes pages out of the maps that belong to no relation: their makers never committed.
    fn clear_orphans(&self) {
        for db in self.databases() {
            db.rebuild_free_units();
            let mut owned: Vec<(PageNo, u32)> = db.relations().iter().flat_map(|r| r.extent_ranges()).collect();
            owned.sort();
            let orphans: Vec<PageNo> = {
                let map = db.file.map().lock();
                let is_owned = |p: PageNo| {
                    let i = owned.partition_point(|&(start, _)| start <= p);
                    i > 0 && p.0 < owned[i - 1].0.0 + owned[i - 1].1
                };
                map.pages().map(|(p, _)| p).filter(|&p| !is_owned(p)).collect()
            };
            for page in orphans {
                let garbage = db.file.map().lock().remove(page);
                garbage.into_iter().for_each(|e| db.file.free(e));
            }
        }
    }

    /// Empties relations whose changes were not logged.
    fn reset_unlogged(&self) -> Result<()> {
        for db in self.databases() {
            for rel in db.relations() {
                if rel.persistence != Persistence::Unlogged {
                    continue;
                }
                let mut meta = rel.meta();
                db.forget(&rel);
                (meta.blocks, meta.extents) = (0, Vec::new());
                let fresh = Arc::new(crate::relation::Relation::new(db.id, &meta, None));
                db.insert_relation(fresh.clone());
                if fresh.kind == crate::relation::RelKind::Btree {
                    crate::btree::Btree::new(db.clone(), fresh).initialise()?;
                }
            }
        }
        Ok(())
    }

    /// What the engine's parts share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// All databases.
    pub fn databases(&self) -> Vec<Arc<Database>> {
        self.databases.read().values().cloned().collect()
    }

    /// A database.
    ///
    /// # Errors
    /// `NoDatabase`.
    pub fn database(&self, id: DbId) -> Result<Arc<Database>> {
        self.databases.read().get(&id).cloned().ok_or(Error::NoDatabase(id))
    }

    /// A number for a session: it shows in lock waits and as a process id.
    pub fn new_owner(&self) -> OwnerId {
        OwnerId(self.next_owner.fetch_add(1, Ordering::Relaxed))
    }

    /// Starts a transaction of session `owner`.
    pub fn begin(&self, owner: OwnerId, interrupt: Arc<Interrupt>) -> Transaction {
        Transaction::new(self.shared.clone(), owner, interrupt)
    }

    /// What interrupts a session.
    pub fn new_interrupt(&self) -> Arc<Interrupt> {
        Arc::new(Interrupt::new(self.shared.env.clock.clone()))
    }

    /// Makes an empty database. Durable when this returns.
    ///
    /// # Errors
    /// As [`Engine::checkpoint`].
    pub fn create_database(&self) -> Result<Arc<Database>> {
        let mut root = self.root.lock();
        let id = DbId(root.next_db);
        root.next_db += 1;
        let db = self.open_database(id, id, PageMap::default(), Vec::new(), BlobRef::default())?;
        self.add_database(&mut root, db, id)
    }

    /// Makes a database that shares every page of `source` until one of the two changes it. Nobody may be writing to `source`; what
    /// is not committed there is not in the fork. Durable when this returns.
    ///
    /// # Errors
    /// `InUse` when `source` did not hold still; as [`Engine::checkpoint`].
    pub fn fork(&self, source: DbId) -> Result<Arc<Database>> {
        let source = self.database(source)?;
        let mut root = self.root.lock();
        let mut tries = 0;
        loop {
            let before = self.shared.log.end_lsn();
            self.checkpoint_with(&mut root, false)?;
            let quiet = source.file.map().lock().is_quiet()
                && source.space.dirty_count() == 0
                && self.shared.log.end_lsn() == before;
            if quiet {
                break;
            }
            tries += 1;
            if tries == 10 {
                return Err(Error::InUse);
            }
        }
        let lineage = root.databases.iter().find(|d| d.0 == source.id).map_or(source.id, |d| d.1);
        let id = DbId(root.next_db);
        root.next_db += 1;
        let map = source.file.map().lock().fork(&self.shared.data);
        let metas = source
            .relations()
            .iter()
            .filter(|r| r.persistence != Persistence::Temporary && r.creator.lock().is_none())
            .map(|r| r.meta())
            .collect();
        let db = self.open_database(id, lineage, map, metas, BlobRef::default())?;
        self.add_database(&mut root, db, lineage)
    }

    fn add_database(&self, root: &mut Root, db: Arc<Database>, lineage: DbId) -> Result<Arc<Database>> {
        self.databases.write().insert(db.id, db.clone());
        root.databases.push((db.id, lineage, BlobRef::default()));
        if let Err(e) = self.checkpoint_with(root, false) {
            self.databases.write().remove(&db.id);
            root.databases.retain(|d| d.0 != db.id);
            // The number was never seen by anyone; who makes the first databases counts on theirs.
            root.next_db = db.id.0;
            return Err(e);
        }
        Ok(db)
    }

    /// Drops a database that nobody uses. Durable when this returns.
    ///
    /// # Errors
    /// `NoDatabase`; as [`Engine::checkpoint`].
    pub fn drop_database(&self, id: DbId) -> Result<()> {
        let db = self.database(id)?;
        let mut root = self.root.lock();
        let Some(position) = root.databases.iter().position(|d| d.0 == id) else { return Err(Error::NoDatabase(id)) };
        let entry = root.databases.remove(position);
        self.databases.write().remove(&id);
        if let Err(e) = self.checkpoint_with(&mut root, false) {
            root.databases.insert(position, entry);
            self.databases.write().insert(id, db);
            return Err(e);
        }
        for rel in db.relations() {
            rel.dropped.store(true, Ordering::Release);
        }
        let blob = db.stored.lock().0;
        db.file.map().lock().release_all(&self.shared.data);
        if blob.slot.0 != 0 {
            self.shared.data.slots().lock().free(blob.slot, blob.slots());
        }
        Ok(())
    }

    /// Writes everything committed to the data file, so that the log before is not needed any more.
    ///
    /// # Errors
    /// `DiskFull` or `Io`: nothing is lost, the log still has it; `Poisoned`, also when this failed at a point of no return.
    pub fn checkpoint(&self) -> Result<()> {
        let mut root = self.root.lock();
        self.checkpoint_with(&mut root, false)
    }

    fn checkpoint_with(&self, root: &mut Root, clean: bool) -> Result<()> {
        let clock = &self.shared.env.clock;
        let start = clock.monotonic_nanos();
        let outcome = checkpoint::run(&self.shared, &self.databases(), root, clean);
        let milliseconds = (clock.monotonic_nanos() - start) / 1_000_000;
        match &outcome {
            Ok(()) => {
                let redo = self.shared.log.end_lsn().0;
                tracing::info!(milliseconds, log_end = redo, clean, "checkpoint complete");
            }
            Err(error) => tracing::error!(milliseconds, %error, "checkpoint failed"),
        }
        outcome
    }

    /// Purges, checkpoints and prepares log space as needed: what the background thread does.
    ///
    /// # Errors
    /// What those say.
    pub fn maintain(&self) -> Result<()> {
        self.shared.log.run_ahead()?;
        self.shared.poison.check()?;
        purge::purge(&self.shared)?;
        if self.shared.log.wants_preparing() {
            // A full disk here is not yet anybody's error.
            let _ = self.shared.log.prepare();
        }
        let written = self.shared.log.end_lsn().0 - self.root.lock().superblock.redo.0;
        if self.shared.log.is_enabled() && written > self.shared.options.checkpoint_log_bytes {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Purges what can be purged now; answers for how many transactions.
    ///
    /// # Errors
    /// What reading pages says.
    pub fn purge(&self) -> Result<usize> {
        purge::purge(&self.shared)
    }

    /// Says that there may be something to maintain: called by sessions when they committed.
    #[inline]
    pub fn nudge(&self) {
        if self.shared.options.background {
            self.signal.raise();
        }
    }

    fn start_worker(self: &Arc<Self>) {
        let engine = Arc::downgrade(self);
        let signal = self.signal.clone();
        let hurried = signal.clone();
        self.shared.log.on_ahead(move || hurried.hurry());
        *self.worker.lock() = Some(sync::spawn("hathi-maintenance", move || {
            loop {
                {
                    let mut state = signal.state.lock();
                    while !state.stop && !signal.busy.load(Ordering::Acquire) {
                        signal.wake.wait(&mut state);
                    }
                    if state.stop {
                        return;
                    }
                    // Let some work gather, so that one round serves many commits; but not a long transaction's log.
                    if !std::mem::take(&mut state.hurry) {
                        signal.wake.wait_for(&mut state, Duration::from_millis(5));
                    }
                    if state.stop {
                        return;
                    }
                }
                let Some(engine) = engine.upgrade() else { return };
                signal.busy.store(false, Ordering::Release);
                let failed = engine.maintain().is_err();
                if !failed && !engine.shared.purge.is_empty() {
                    signal.busy.store(true, Ordering::Release);
                }
            }
        }));
    }

    /// Stops the background thread and leaves the files as a clean shutdown does. Later calls do nothing.
    ///
    /// # Errors
    /// What the last checkpoint says; committed work is in the log all the same.
    pub fn close(&self) -> Result<()> {
        if self.closed.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        self.signal.state.lock().stop = true;
        self.signal.wake.notify_all();
        let worker = self.worker.lock().take();
        if let Some(worker) = worker
            // The worker itself may hold the last reference.
            && !worker.is_current()
        {
            let _ = worker.join();
        }
        self.shared.poison.check()?;
        purge::purge(&self.shared)?;
        if self.shared.log.is_enabled() {
            for db in self.databases() {
                let relations = db.relations();
                relations
                    .iter()
                    .filter(|r| r.kind == crate::RelKind::Sequence)
                    .for_each(|r| crate::sequence::settle(r));
            }
            let mut root = self.root.lock();
            self.checkpoint_with(&mut root, true)?;
        }
        Ok(())
    }

    /// Reads every page of every relation and checks it; answers what is wrong.
    ///
    /// # Errors
    /// `Io` outside of pages.
    pub fn check(&self) -> Result<Vec<Damage>> {
        crate::check::check(self)
    }

    /// Byte ranges of the data file that the durable superblock reaches: what a test may damage and must hear of.
    pub fn used_ranges(&self) -> Vec<(usize, usize)> {
        let root = self.root.lock();
        let slot = |s: crate::ids::Slot, n: u32| (s.0 as usize * SLOT_BYTES, n as usize * SLOT_BYTES);
        let mut ranges = vec![(0, 2 * SLOT_BYTES)];
        for db in self.databases() {
            let map = db.file.map().lock();
            ranges.extend(map.pages().map(|(_, e)| slot(e.slot(), e.slot_count())));
            ranges.extend(map.leaves().map(|leaf| slot(leaf, 1)));
        }
        let blobs = root.databases.iter().map(|d| d.2).chain([root.superblock.cluster]);
        ranges.extend(blobs.map(|b| (slot(b.slot, 1).0, b.bytes as usize)));
        ranges
    }

    /// The superblock that is durable now.
    pub fn superblock(&self) -> Superblock {
        self.root.lock().superblock
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.close();
        // Waiting work refers to databases, and these to what all parts share, which owns the queue.
        self.shared.purge.clear();
    }
}

/// Something wrong with a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Damage {
    /// Its database.
    pub db: DbId,
    /// The relation it is part of.
    pub rel: RelId,
    /// The page.
    pub page: PageNo,
    /// What.
    pub what: String,
}
