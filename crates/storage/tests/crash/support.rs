//! A table with an index over a simulated disk, next to a model of what it must hold.
#![allow(missing_docs, reason = "a test's own")]

use std::collections::BTreeMap;
use std::sync::Arc;

use env::sim::SimDisk;
use env::{Entropy, Env};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use storage::btree::{Added, Btree, Direction, EntryBatch, NewEntries, ScanBounds};
use storage::lock::Mode;
use storage::table::{Cell, EntryShape, RowState, RowView, ScanScratch, Table};
use storage::txn::Transaction;
use storage::{Database, Engine, Error, Options, Persistence, RelId, RelKind, RelMeta, Result, RowId};
use types::Physical;

/// Key to text and number.
pub type Model = BTreeMap<i32, (Vec<u8>, i64)>;

pub struct World {
    pub disk: SimDisk,
    rng: ChaCha8Rng,
    seed: u64,
    engine: Option<Arc<Engine>>,
    /// What acknowledged commits made.
    model: Model,
    /// What the commit whose outcome nobody was told would make.
    in_doubt: Option<Model>,
    pool_pages: usize,
    /// Whether transactions write more than the log's buffer holds before it is written ahead of their commit.
    long: bool,
    /// How often the log of a transaction was made durable while it went on.
    pub ahead: usize,
}

const TABLE: RelId = RelId(100);
const INDEX: RelId = RelId(101);

pub fn key_of(n: i32) -> Vec<u8> {
    let mut key = Vec::new();
    types::sortkey::encode_key(&mut key, types::oid::INT4, &types::Datum::I32(n), false, false).unwrap();
    key
}

pub fn int4(cell: Cell<'_>) -> i32 {
    match cell {
        Cell::Fixed(b) => i32::from_le_bytes(b[..4].try_into().unwrap()),
        other => panic!("{other:?}"),
    }
}

fn int8(cell: Cell<'_>) -> i64 {
    match cell {
        Cell::Fixed(b) => i64::from_le_bytes(b[..8].try_into().unwrap()),
        Cell::Null => -1,
        other => panic!("{other:?}"),
    }
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut world = World::unopened(seed);
        world.open();
        world
    }

    pub fn unopened(seed: u64) -> World {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        World {
            disk: SimDisk::new(seed),
            pool_pages: rng.random_range(6..40),
            rng,
            seed,
            engine: None,
            model: Model::new(),
            in_doubt: None,
            long: false,
            ahead: 0,
        }
    }

    /// One of long transactions.
    pub fn long(seed: u64) -> World {
        let mut world = World::unopened(seed);
        world.long = true;
        world.open();
        world
    }

    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        self.rng.random_range(low..high)
    }

    pub fn engine(&self) -> &Arc<Engine> {
        self.engine.as_ref().expect("open")
    }

    fn options(&self) -> Options {
        Options {
            pool_bytes: self.pool_pages * (16 << 10),
            units_max: 4096,
            background: false,
            checkpoint_log_bytes: 64 << 10,
            ..Options::default()
        }
    }

    pub fn try_open(&mut self) -> Result<()> {
        let env = Env {
            vfs: Arc::new(self.disk.clone()),
            clock: Arc::new(env::clock::SimClock::default()),
            entropy: Arc::new(Entropy::seeded(self.seed)),
        };
        let engine = Engine::open(env, self.options())?;
        if self.long {
            // No thread is to be woken: `maintain` is called now and then.
            engine.shared().log.on_ahead(|| ());
        }
        self.engine = Some(engine);
        Ok(())
    }

    pub fn open(&mut self) {
        if let Err(e) = self.try_open() {
            panic!("seed {}: {e:?}", self.seed);
        }
    }

    /// Power is gone, whether it was cut already or not; the engine's memory too.
    pub fn crash(&mut self) {
        self.disk.cut_power();
        self.engine = None;
        self.disk.reboot();
    }

    pub fn close(&mut self) {
        self.engine.take().unwrap().close().unwrap();
    }

    fn db(&self) -> Result<Arc<Database>> {
        match self.engine().databases().first() {
            Some(db) => Ok(db.clone()),
            None => self.engine().create_database(),
        }
    }

    fn table(&self) -> Result<Option<(Table, Btree)>> {
        let db = self.db()?;
        match (db.relation(TABLE), db.relation(INDEX)) {
            (Ok(t), Ok(i)) => {
                if self.is_derived() {
                    let key = vec![(0, types::oid::INT4, false, false)];
                    t.set_shapes(vec![EntryShape { index: INDEX, key, include: Vec::new() }]);
                }
                Ok(Some((Table::new(db.clone(), t), Btree::new(db, i))))
            }
            _ => Ok(None),
        }
    }

    /// Whether the engine is told how entries follow from rows; else each that appears or goes is noted.
    fn is_derived(&self) -> bool {
        self.seed % 2 == 1
    }

    fn begin(&self) -> Transaction {
        let engine = self.engine();
        engine.begin(engine.new_owner(), engine.new_interrupt())
    }

    /// Runs transactions until one fails; then tells whether its outcome is in doubt.
    pub fn run_until_fault(&mut self, transactions: usize) {
        for _ in 0..transactions {
            let outcome = self.one_transaction();
            if let Err(e) = outcome {
                if matches!(e, Error::DiskFull) && !self.engine().shared().poison.is_set() {
                    continue;
                }
                return;
            }
            let roll = self.range(0, 12);
            let maintained = match roll {
                0 => self.engine().checkpoint(),
                1..=5 => self.engine().maintain(),
                _ => Ok(()),
            };
            if maintained.is_err() && self.engine().shared().poison.is_set() {
                return;
            }
        }
    }

    fn one_transaction(&mut self) -> Result<()> {
        let mut model = self.model.clone();
        let (table, index) = match self.table()? {
            Some(found) => found,
            None => {
                let db = self.db()?;
                let mut txn = self.begin();
                let columns = vec![Physical::I32, Physical::Var, Physical::I64];
                let table = RelMeta::new(TABLE, RelKind::Table, Persistence::Permanent, columns);
                let index = RelMeta::new(INDEX, RelKind::Btree, Persistence::Permanent, Vec::new());
                db.create_relation(&mut txn, table)?;
                db.create_relation(&mut txn, index)?;
                return self.finish(txn, model);
            }
        };
        let mut txn = self.begin();
        txn.writer()?;
        let writes = if self.long { self.range(20, 60) } else { self.range(1, 9) };
        for _ in 0..writes {
            if self.range(0, 5) == 0 {
                let savepoint = txn.savepoint();
                let mut inner = model.clone();
                for _ in 0..self.range(1, 4) {
                    self.one_write(&mut txn, &table, &index, &mut inner)?;
                }
                if self.range(0, 2) == 0 {
                    txn.rollback_to(savepoint)?;
                } else {
                    txn.release(savepoint);
                    model = inner;
                }
            } else {
                self.one_write(&mut txn, &table, &index, &mut model)?;
            }
            // A checkpoint or an eviction may see the half of a transaction.
            if self.range(0, 15) == 0 {
                let _ = self.engine().checkpoint();
            }
            if self.long && self.range(0, 4) == 0 {
                self.run_ahead();
                let _ = self.engine().maintain();
            }
        }
        if self.range(0, 5) == 0 {
            return txn.rollback();
        }
        self.finish(txn, model)
    }

    /// Does what the background thread would, in the middle of a transaction.
    fn run_ahead(&mut self) {
        let log = &self.engine().shared().log;
        let before = log.durable_lsn();
        let outcome = log.run_ahead();
        if outcome.is_ok() && log.durable_lsn() > before {
            self.ahead += 1;
        }
    }

    fn finish(&mut self, txn: Transaction, model: Model) -> Result<()> {
        match txn.commit(true) {
            Ok(()) => {
                self.model = model;
                Ok(())
            }
            Err(e) => {
                self.in_doubt = Some(model);
                Err(e)
            }
        }
    }

    fn text(&mut self) -> Vec<u8> {
        let len = match self.range(0, 10) {
            _ if self.long => self.range(8000, 60_000),
            0..4 => self.range(0, 12),
            4..8 => self.range(12, 400),
            8 => self.range(400, 2000),
            _ => self.range(2000, 40_000),
        };
        let compressible = self.range(0, 2) == 0;
        (0..len).map(|i| if compressible { (i % 7) as u8 } else { self.rng.random() }).collect()
    }

    fn one_write(&mut self, txn: &mut Transaction, table: &Table, index: &Btree, model: &mut Model) -> Result<()> {
        txn.next_command();
        let snapshot = txn.snapshot();
        let key = self.range(0, 60) as i32;
        let (text, number) = (self.text(), self.rng.random_range(0..1000i64));
        match find(table, index, key, &snapshot)? {
            None if number % 3 == 0 => {
                // Several at once.
                let mut new = vec![(key, text, number)];
                for key in key + 1..key + 6 {
                    if find(table, index, key, &snapshot)?.is_none() {
                        new.push((key, self.text(), self.rng.random_range(0..1000i64)));
                    }
                }
                let keys: Vec<[u8; 4]> = new.iter().map(|n| n.0.to_le_bytes()).collect();
                let numbers: Vec<[u8; 8]> = new.iter().map(|n| n.2.to_le_bytes()).collect();
                let mut rows = Vec::new();
                let texts: Vec<&[u8]> = new.iter().map(|n| &n.1[..]).collect();
                table.insert_rows(
                    txn,
                    new.len(),
                    |i, cells| cells.extend([Cell::fixed(&keys[i]), Cell::Var(texts[i]), Cell::fixed(&numbers[i])]),
                    &mut rows,
                )?;
                let (mut run, mut outcomes) = (NewEntries::default(), Vec::new());
                for (i, ((key, ..), row)) in new.iter().zip(&rows).enumerate() {
                    run.push(&key_of(*key), *row, i as u32);
                }
                run.sort();
                let outcome = index.insert_run(&run, key % 2 == 0, &mut outcomes);
                for (i, added) in outcomes.iter().enumerate() {
                    // Entries of rows that are gone may still be there.
                    let existed = match added {
                        Added::New => false,
                        Added::Revived => true,
                        Added::Shared => index.insert(run.key(i), run.row(i))?,
                    };
                    if !existed && !self.is_derived() {
                        txn.note_obsolete(table.db(), index.rel(), run.key(i), run.row(i), false);
                    }
                }
                outcome?;
                for (key, text, number) in &new {
                    model.insert(*key, (text.clone(), *number));
                }
            }
            None => {
                let cells = [
                    Cell::fixed(&key.to_le_bytes()),
                    Cell::Var(&text),
                    if number == 7 { Cell::Null } else { Cell::fixed(&number.to_le_bytes()) },
                ];
                let row = table.insert(txn, &cells)?;
                if !index.insert(&key_of(key), row)? && !self.is_derived() {
                    txn.note_obsolete(table.db(), index.rel(), &key_of(key), row, false);
                }
                model.insert(key, (text, if number == 7 { -1 } else { number }));
            }
            Some(row) => match self.range(0, 4) {
                0 => {
                    // Sometimes with others.
                    let mut gone = vec![(row, key)];
                    for key in key + 1..key + 1 + number as i32 % 8 {
                        if let Some(row) = find(table, index, key, &snapshot)? {
                            gone.push((row, key));
                        }
                    }
                    gone.sort_unstable();
                    let rows: Vec<RowId> = gone.iter().map(|g| g.0).collect();
                    let mut outcomes = Vec::new();
                    table.delete_rows(txn, &snapshot, &rows, &mut outcomes)?;
                    assert!(outcomes.iter().all(|o| matches!(o, RowState::Done)), "{outcomes:?}");
                    for (row, key) in gone {
                        if !self.is_derived() {
                            txn.note_obsolete(table.db(), index.rel(), &key_of(key), row, true);
                        }
                        model.remove(&key);
                    }
                }
                1 => {
                    // Moves the row to another key, unless that is taken.
                    let to = self.range(0, 60) as i32;
                    if !model.contains_key(&to) {
                        let changes = [(0, Cell::fixed(&to.to_le_bytes()))];
                        table.update(txn, &snapshot, row, &changes, Mode::ForUpdate)?;
                        if !index.insert(&key_of(to), row)? {
                            txn.note_obsolete(table.db(), index.rel(), &key_of(to), row, false);
                        }
                        txn.note_obsolete(table.db(), index.rel(), &key_of(key), row, true);
                        let value = model.remove(&key).expect("the model has what the table has");
                        model.insert(to, value);
                    }
                }
                2 => {
                    let changes = [(2, Cell::fixed(&number.to_le_bytes()))];
                    if number % 2 == 0 {
                        table.update(txn, &snapshot, row, &changes, Mode::ForNoKeyUpdate)?;
                    } else {
                        let done = table.change_in_place(txn, &snapshot, row, |view, cells| {
                            assert_eq!(view.cell(0), Cell::fixed(&key.to_le_bytes()));
                            cells.extend(changes);
                            true
                        })?;
                        assert!(done, "nobody else is here");
                    }
                    model.get_mut(&key).expect("the model has what the table has").1 = number;
                }
                _ => {
                    let changes = [(1, Cell::Var(&text)), (2, Cell::fixed(&number.to_le_bytes()))];
                    table.update(txn, &snapshot, row, &changes, Mode::ForNoKeyUpdate)?;
                    model.insert(key, (text, number));
                }
            },
        }
        Ok(())
    }

    pub fn reopen_and_verify(&mut self) {
        self.open();
        self.verify();
    }

    pub fn verify(&mut self) {
        let seed = self.seed;
        let damages = self.engine().check().unwrap_or_else(|e| panic!("seed {seed}: {e:?}"));
        assert!(damages.is_empty(), "seed {seed}: {damages:?}");
        let found = self.contents().unwrap_or_else(|e| panic!("seed {seed}: {e:?}"));
        if let Some(other) = self.in_doubt.take()
            && found == other
        {
            self.model = other;
        }
        if found != self.model {
            let missing: Vec<_> = self.model.keys().filter(|k| found.get(k) != self.model.get(k)).collect();
            let extra: Vec<_> = found.keys().filter(|k| !self.model.contains_key(k)).collect();
            panic!("seed {seed}: missing or different {missing:?}, extra {extra:?}");
        }
    }

    fn contents(&self) -> Result<Model> {
        let Some((table, index)) = self.table()? else { return Ok(Model::new()) };
        let mut txn = self.begin();
        let snapshot = txn.snapshot();
        let mut found = Model::new();
        let mut scratch = ScanScratch::default();
        for block in 0..table.blocks() {
            let mut rows = Vec::new();
            table.scan_block::<_, Error>(block, &snapshot, &mut scratch, |page| {
                for slot in 0..page.slots() {
                    if page.visible()[slot / 64] >> (slot % 64) & 1 == 1 {
                        let text = page.cell(1, slot);
                        let value = match text {
                            Cell::Var(b) => Ok(b.to_vec()),
                            Cell::Overflow(r) => Err(r),
                            other => panic!("{other:?}"),
                        };
                        rows.push((slot, int4(page.cell(0, slot)), value, int8(page.cell(2, slot))));
                    }
                }
                Ok(())
            })?;
            for (slot, key, text, number) in rows {
                let text = match text {
                    Ok(bytes) => bytes,
                    Err(r) => table.fetch(&r)?,
                };
                assert!(found.insert(key, (text, number)).is_none(), "seed {}: key {key} twice", self.seed);
                let by_index = find(&table, &index, key, &snapshot)?;
                assert_eq!(by_index, Some(RowId { block, slot: slot as u16 }), "seed {}: key {key}", self.seed);
            }
        }
        Ok(found)
    }

    /// A random byte of one of `ranges`.
    pub fn byte_in(&mut self, ranges: &[(usize, usize)]) -> usize {
        let (start, len) = ranges[self.rng.random_range(0..ranges.len())];
        start + self.rng.random_range(0..len)
    }
}

/// The row with `key`, through the index.
pub fn find(table: &Table, index: &Btree, key: i32, snapshot: &storage::txn::Snapshot) -> Result<Option<RowId>> {
    let mut bounds = ScanBounds::prefix(&key_of(key));
    let mut batch = EntryBatch::default();
    let mut found = None;
    loop {
        let more = index.scan(&mut bounds, Direction::Forward, &mut batch)?;
        for i in 0..batch.len() {
            let (_, row) = batch.get(i);
            let matches = table.read(row, snapshot, |view: &RowView<'_>| int4(view.cell(0)) == key)?;
            if matches == Some(true) {
                assert!(found.replace(row).is_none(), "two rows with key {key}");
            }
        }
        if !more {
            return Ok(found);
        }
    }
}
