//! Seeded schedules: B-tree code and commit code run by several threads, whose order each seed draws anew.
//!
//! `HATHI_SCHEDULE_SEEDS` says how many seeds each test tries (default 700). The lock manager's
//! schedules are beside its code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use env::sched::Scheduler;
use env::sim::{Fault, SimDisk};
use env::sync::{Mutex, spawn};
use env::{Entropy, Env};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use storage::btree::{Added, Btree, Direction, EntryBatch, NewEntries, ScanBounds};
use storage::lock::{Mode, WaitPolicy};
use storage::table::{Cell, RowState, ScanScratch, Table};
use storage::{Database, Engine, Error, Options, Persistence, RelId, RelKind, RelMeta, RowId};
use types::Physical;

fn seeds() -> u64 {
    std::env::var("HATHI_SCHEDULE_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(700)
}

fn open(disk: &SimDisk, seed: u64, pool_pages: usize) -> storage::Result<Arc<Engine>> {
    let env = Env {
        vfs: Arc::new(disk.clone()),
        clock: Arc::new(env::clock::SimClock::default()),
        entropy: Arc::new(Entropy::seeded(seed)),
    };
    let options = Options { pool_bytes: pool_pages << 14, units_max: 2048, background: false, ..Options::default() };
    Engine::open(env, options)
}

fn begin(engine: &Engine) -> storage::txn::Transaction {
    engine.begin(engine.new_owner(), engine.new_interrupt())
}

/// Key `n`: long, and with a long beginning common to all, so that few fit a node and separators are long too.
fn key(n: u32, bytes: usize) -> Vec<u8> {
    let mut key = vec![b'k'; bytes];
    key.extend_from_slice(&n.to_be_bytes());
    key
}

fn number(key: &[u8]) -> u32 {
    u32::from_be_bytes(key[key.len() - 4..].try_into().unwrap())
}

const ROW: RowId = RowId { block: 1, slot: 2 };
const KEYS: u32 = 64;

/// One scan of the whole tree: the numbers in the order they came.
fn scan(tree: &Btree, direction: Direction) -> Vec<u32> {
    let (mut bounds, mut batch, mut found) = (ScanBounds::default(), EntryBatch::default(), Vec::new());
    loop {
        let more = tree.scan(&mut bounds, direction, &mut batch).unwrap();
        found.extend((0..batch.len()).map(|i| number(batch.get(i).0)));
        if !more {
            return found;
        }
    }
}

/// Key n mod 4: 0 is there before and stays; 1 is there before and goes; 2 and 3 come, each by a thread of its own.
fn btree_schedule(seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // With 330 the root splits while they are at it, with 2400 it does so a second time.
    let bytes = [40, 330, 900, 2400][rng.random_range(0..4)];
    let disk = SimDisk::new(seed);
    let pool_pages = if rng.random_bool(0.5) { 12 } else { 256 };
    Scheduler::run(seed, || {
        let engine = open(&disk, seed, pool_pages).unwrap();
        let db = engine.create_database().unwrap();
        let mut txn = begin(&engine);
        let meta = RelMeta::new(RelId(100), RelKind::Btree, Persistence::Permanent, Vec::new());
        let rel = db.create_relation(&mut txn, meta).unwrap();
        txn.commit(true).unwrap();
        let tree = Btree::new(db, rel);
        for n in (0..KEYS).filter(|n| n % 4 < 2) {
            tree.insert(&key(n, bytes), ROW).unwrap();
        }
        let mut threads = Vec::new();
        for part in [1, 2, 3] {
            let tree = tree.clone();
            let mut numbers: Vec<u32> = (0..KEYS).filter(|n| n % 4 == part).collect();
            let order = rng.random_range(0..3);
            match order {
                0 => {}
                1 => numbers.reverse(),
                _ => (1..numbers.len()).for_each(|i| numbers.swap(i, rng.random_range(0..=i))),
            }
            threads.push(spawn("writer", move || {
                if part == 3 {
                    // In runs, and as unique keys: what a leaf cannot tell goes in alone.
                    let (mut run, mut outcomes) = (NewEntries::default(), Vec::new());
                    for some in numbers.chunks(7) {
                        run.clear();
                        some.iter().for_each(|&n| run.push(&key(n, bytes), ROW, n));
                        run.sort();
                        tree.insert_run(&run, true, &mut outcomes).unwrap();
                        let shared = (0..run.len()).filter(|&i| outcomes[i] == Added::Shared);
                        shared.for_each(|i| assert!(!tree.insert(run.key(i), ROW).unwrap()));
                    }
                    return;
                }
                for n in numbers {
                    match part {
                        1 => tree.remove_unless(&key(n, bytes), ROW, || false).unwrap(),
                        _ => assert!(!tree.insert(&key(n, bytes), ROW).unwrap()),
                    }
                }
            }));
        }
        for direction in [Direction::Forward, Direction::Backward] {
            let tree = tree.clone();
            threads.push(spawn("scanner", move || {
                for _ in 0..2 {
                    let mut found = scan(&tree, direction);
                    if direction == Direction::Backward {
                        found.reverse();
                    }
                    assert!(found.is_sorted_by(|a, b| a < b), "out of order or twice: {found:?}");
                    let stay: Vec<u32> = found.iter().copied().filter(|n| n % 4 == 0).collect();
                    assert_eq!(stay, (0..KEYS).step_by(4).collect::<Vec<_>>(), "an entry that never went was missed");
                }
            }));
        }
        if rng.random_bool(0.5) {
            let engine = engine.clone();
            threads.push(spawn("checkpointer", move || engine.checkpoint().unwrap()));
        }
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(tree.check().unwrap(), []);
        assert_eq!(scan(&tree, Direction::Forward), (0..KEYS).filter(|n| n % 4 != 1).collect::<Vec<_>>());
        engine.close().unwrap();
    });
    // And it is what is on the disk.
    let engine = open(&disk, seed, 64).unwrap();
    let db = engine.databases().remove(0);
    let tree = Btree::new(db.clone(), db.relation(RelId(100)).unwrap());
    assert_eq!(scan(&tree, Direction::Backward), (0..KEYS).rev().filter(|n| n % 4 != 1).collect::<Vec<_>>());
    assert_eq!(engine.check().unwrap(), []);
}

#[test]
fn a_tree_is_right_under_every_schedule() {
    for seed in 0..seeds() {
        std::panic::catch_unwind(|| btree_schedule(seed)).unwrap_or_else(|e| {
            eprintln!("schedule seed {seed}");
            std::panic::resume_unwind(e)
        });
    }
}

/// What became of the transactions of one schedule.
#[derive(Default)]
struct Ledger {
    /// Transactions whose commit with waiting returned.
    acknowledged: BTreeSet<i32>,
    /// Transactions whose sessions asked to wait, acknowledged or not.
    waiting: BTreeSet<i32>,
    /// Rolled back.
    undone: BTreeSet<i32>,
    /// What some snapshot saw.
    seen: BTreeSet<i32>,
}

const ROWS_EACH: usize = 3;

fn table(db: &Arc<Database>) -> Table {
    Table::new(db.clone(), db.relation(RelId(100)).unwrap())
}

/// Rows per transaction number that a snapshot sees.
fn contents(engine: &Engine, table: &Table) -> storage::Result<BTreeMap<i32, usize>> {
    let mut txn = begin(engine);
    let snapshot = txn.snapshot();
    let (mut scratch, mut found) = (ScanScratch::default(), BTreeMap::new());
    for block in 0..table.blocks() {
        table.scan_block::<_, Error>(block, &snapshot, &mut scratch, |page| {
            for slot in 0..page.slots() {
                if page.visible()[slot / 64] >> (slot % 64) & 1 == 1 {
                    let Cell::Fixed(b) = page.cell(0, slot) else { panic!("a NULL") };
                    *found.entry(i32::from_le_bytes(b[..4].try_into().unwrap())).or_default() += 1;
                }
            }
            Ok(())
        })?;
    }
    Ok(found)
}

fn commit_schedule(seed: u64) {
    let disk = SimDisk::new(seed);
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    Scheduler::run(seed, || {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let engine = open(&disk, seed, 64).unwrap();
        let db = engine.create_database().unwrap();
        let mut txn = begin(&engine);
        let meta = RelMeta::new(RelId(100), RelKind::Table, Persistence::Permanent, vec![Physical::I32]);
        db.create_relation(&mut txn, meta).unwrap();
        txn.commit(true).unwrap();
        let table = table(&db);
        let stop = Arc::new(AtomicBool::new(false));
        if rng.random_bool(0.7) {
            disk.inject(rng.random_range(1..14), Fault::PowerCut);
        }
        let mut writers = Vec::new();
        for writer in 0..3 {
            let (engine, table, ledger) = (engine.clone(), table.clone(), ledger.clone());
            let mut rng = ChaCha8Rng::seed_from_u64(seed * 8 + writer);
            writers.push(spawn("writer", move || {
                for i in 0..4 {
                    let number = writer as i32 * 10 + i;
                    let waits = rng.random_bool(0.5);
                    let mut txn = begin(&engine);
                    let written = (0..ROWS_EACH)
                        .try_for_each(|_| table.insert(&mut txn, &[Cell::fixed(&number.to_le_bytes())]).map(drop));
                    if written.is_err() {
                        return;
                    }
                    if rng.random_range(0..5) == 0 {
                        ledger.lock().undone.insert(number);
                        if txn.rollback().is_err() {
                            return;
                        }
                        continue;
                    }
                    if waits {
                        ledger.lock().waiting.insert(number);
                    }
                    let before = engine.shared().log.durable_lsn();
                    if txn.commit(waits).is_err() {
                        return;
                    }
                    assert!(engine.shared().log.durable_lsn() >= before, "W2");
                    let own = contents(&engine, &table).unwrap();
                    assert_eq!(own.get(&number), Some(&ROWS_EACH), "a session does not see its own commit");
                    if waits {
                        ledger.lock().acknowledged.insert(number);
                    }
                    if rng.random_range(0..4) == 0 && engine.maintain().is_err() {
                        return;
                    }
                }
            }));
        }
        let reader = {
            let (engine, table, ledger, stop) = (engine.clone(), table.clone(), ledger.clone(), stop.clone());
            spawn("reader", move || {
                let mut before = BTreeMap::new();
                while !stop.load(Ordering::Relaxed) {
                    let found = contents(&engine, &table).unwrap();
                    assert!(found.values().all(|&n| n == ROWS_EACH), "half a transaction: {found:?}");
                    assert!(before.keys().all(|k| found.contains_key(k)), "a commit became invisible");
                    // The power may go at any time, also between looking and noting: what was seen counts.
                    ledger.lock().seen.extend(found.keys());
                    before = found;
                    env::sched::yield_point();
                }
            })
        };
        for writer in writers {
            writer.join().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        disk.cut_power();
    });
    disk.reboot();
    let engine = open(&disk, seed, 64).unwrap();
    let db = engine.databases().remove(0);
    let found = contents(&engine, &table(&db)).unwrap();
    let ledger = ledger.lock();
    assert!(found.values().all(|&n| n == ROWS_EACH), "half a transaction: {found:?}");
    for number in &ledger.acknowledged {
        assert!(found.contains_key(number), "I5: transaction {number} was acknowledged and is gone");
    }
    for number in ledger.seen.intersection(&ledger.waiting) {
        assert!(found.contains_key(number), "X2: transaction {number} was seen before it was durable");
    }
    for number in &ledger.undone {
        assert!(!found.contains_key(number), "transaction {number} was rolled back and is there");
    }
    assert_eq!(engine.check().unwrap(), []);
}

#[test]
fn commits_are_atomic_durable_and_seen_in_order_under_every_schedule() {
    for seed in 0..seeds() {
        std::panic::catch_unwind(|| commit_schedule(seed)).unwrap_or_else(|e| {
            eprintln!("schedule seed {seed}");
            std::panic::resume_unwind(e)
        });
    }
}

const ACCOUNTS: u32 = 3;
const EACH: i64 = 100;

/// Money moves between accounts, and now and then into one that is made or out of one that goes; a purger follows close behind. Whatever
/// snapshot is used, the sum is the same.
fn snapshot_schedule(seed: u64) {
    Scheduler::run(seed, || {
        let disk = SimDisk::new(seed);
        let engine = open(&disk, seed, 64).unwrap();
        let db = engine.create_database().unwrap();
        let mut txn = begin(&engine);
        // Each account in a table of its own, so that a scan looks at one after the other.
        let accounts: Vec<(Table, RowId)> = (0..ACCOUNTS)
            .map(|n| {
                let columns = vec![Physical::I32, Physical::I64];
                let meta = RelMeta::new(RelId(100 + n), RelKind::Table, Persistence::Permanent, columns);
                let table = Table::new(db.clone(), db.create_relation(&mut txn, meta).unwrap());
                let row = table.insert(&mut txn, &[Cell::fixed(&[0; 4]), Cell::fixed(&EACH.to_le_bytes())]).unwrap();
                (table, row)
            })
            .collect();
        txn.commit(false).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for writer in 0..2u64 {
            let (engine, accounts) = (engine.clone(), accounts.clone());
            let mut rng = ChaCha8Rng::seed_from_u64(seed * 8 + writer);
            writers.push(spawn("writer", move || {
                for _ in 0..6 {
                    let mut txn = begin(&engine);
                    let outcome = transfer(&accounts, &mut txn, &mut rng);
                    match outcome {
                        Ok(true) if rng.random_range(0..4) > 0 => txn.commit(rng.random_bool(0.2)).unwrap(),
                        Ok(_) | Err(Error::Deadlock(_)) => txn.rollback().unwrap(),
                        Err(e) => panic!("{e:?}"),
                    }
                }
            }));
        }
        let mut others = Vec::new();
        for reader in 0..2 {
            let (engine, accounts, stop) = (engine.clone(), accounts.clone(), stop.clone());
            others.push(spawn("reader", move || {
                while !stop.load(Ordering::Relaxed) {
                    let mut txn = begin(&engine);
                    let snapshot = txn.snapshot();
                    for _ in 0..=reader {
                        env::sched::yield_point();
                        assert_eq!(sum(&accounts, &snapshot), EACH * i64::from(ACCOUNTS), "X3");
                    }
                }
            }));
        }
        others.push({
            let (engine, stop) = (engine.clone(), stop.clone());
            spawn("purger", move || {
                while !stop.load(Ordering::Relaxed) {
                    engine.purge().unwrap();
                    env::sched::yield_point();
                }
            })
        });
        writers.into_iter().for_each(|w| w.join().unwrap());
        stop.store(true, Ordering::Relaxed);
        others.into_iter().for_each(|o| o.join().unwrap());
        engine.purge().unwrap();
        assert_eq!(sum(&accounts, &begin(&engine).snapshot()), EACH * i64::from(ACCOUNTS));
        assert_eq!(engine.check().unwrap(), []);
    });
}

/// The sum of all amounts, read account by account.
fn sum(accounts: &[(Table, RowId)], snapshot: &storage::txn::Snapshot) -> i64 {
    let (mut scratch, mut total) = (ScanScratch::default(), 0);
    for (table, _) in accounts {
        for block in 0..table.blocks() {
            let seen = table.scan_block::<_, Error>(block, snapshot, &mut scratch, |page| {
                for slot in 0..page.slots() {
                    if page.visible()[slot / 64] >> (slot % 64) & 1 == 1 {
                        total += amount_of(page.cell(1, slot));
                    }
                }
                Ok(())
            });
            seen.unwrap();
        }
        env::sched::yield_point();
    }
    total
}

fn amount_of(cell: Cell<'_>) -> i64 {
    let Cell::Fixed(b) = cell else { panic!("{cell:?}") };
    i64::from_le_bytes(b[..8].try_into().unwrap())
}

/// Adds to an account; false when its row is gone.
fn add(txn: &mut storage::txn::Transaction, (table, row): &(Table, RowId), amount: i64) -> storage::Result<bool> {
    loop {
        txn.next_command();
        txn.writer()?;
        let snapshot = txn.snapshot();
        // Every second amount the short way, where that goes.
        let in_place = amount % 2 == 0
            && table.change_in_place(txn, &snapshot, *row, |view, cells| {
                cells.push((1, Cell::fixed(&(amount_of(view.cell(1)) + amount).to_le_bytes())));
                true
            })?;
        if in_place {
            return Ok(true);
        }
        let Some(found) = table.read(*row, &snapshot, |view| amount_of(view.cell(1)))? else { return Ok(false) };
        let changes = [(1, Cell::fixed(&(found + amount).to_le_bytes()))];
        match table.update(txn, &snapshot, *row, &changes, Mode::ForNoKeyUpdate)? {
            RowState::Done => return Ok(true),
            RowState::Busy(other) => txn.wait_for(&other, WaitPolicy::Wait(0))?,
            RowState::Updated => {}
            _ => return Ok(false),
        }
    }
}

/// Moves money from one account to another, or to a new row, which may be deleted again; false when it gave up.
fn transfer(
    accounts: &[(Table, RowId)],
    txn: &mut storage::txn::Transaction,
    rng: &mut ChaCha8Rng,
) -> storage::Result<bool> {
    let amount = rng.random_range(1..10i64);
    let (from, to) = (rng.random_range(0..accounts.len()), rng.random_range(0..accounts.len()));
    if !add(txn, &accounts[from], -amount)? {
        return Ok(false);
    }
    if rng.random_range(0..3) > 0 {
        return add(txn, &accounts[to], amount);
    }
    let table = &accounts[to].0;
    txn.next_command();
    let row = table.insert(txn, &[Cell::fixed(&[9; 4]), Cell::fixed(&amount.to_le_bytes())])?;
    if rng.random_bool(0.5) {
        txn.next_command();
        let snapshot = txn.snapshot();
        assert!(matches!(table.delete(txn, &snapshot, row)?, RowState::Done));
        return add(txn, &accounts[to], amount);
    }
    Ok(true)
}

#[test]
fn a_snapshot_sees_the_same_sum_under_every_schedule() {
    for seed in 0..seeds() {
        std::panic::catch_unwind(|| snapshot_schedule(seed)).unwrap_or_else(|e| {
            eprintln!("schedule seed {seed}");
            std::panic::resume_unwind(e)
        });
    }
}

/// Relations grow while checkpoints describe them, and the power goes.
fn growth_schedule(seed: u64) {
    let disk = SimDisk::new(seed);
    Scheduler::run(seed, || {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let engine = open(&disk, seed, 64).unwrap();
        let db = engine.create_database().unwrap();
        let mut txn = begin(&engine);
        let columns = vec![Physical::I32, Physical::Var];
        let meta = RelMeta::new(RelId(100), RelKind::Table, Persistence::Permanent, columns);
        db.create_relation(&mut txn, meta).unwrap();
        txn.commit(true).unwrap();
        let table = table(&db);
        let stop = Arc::new(AtomicBool::new(false));
        disk.inject(rng.random_range(1..40), Fault::PowerCut);
        let mut writers = Vec::new();
        for writer in 0..2 {
            let (engine, table) = (engine.clone(), table.clone());
            let mut rng = ChaCha8Rng::seed_from_u64(seed * 8 + writer);
            writers.push(spawn("writer", move || {
                for _ in 0..4 {
                    let mut txn = begin(&engine);
                    for number in 0..3i32 {
                        let long: Vec<u8> = (0..rng.random_range(10..40_000)).map(|_| rng.random()).collect();
                        let cells = [Cell::fixed(&number.to_le_bytes()), Cell::Var(&long)];
                        if table.insert(&mut txn, &cells).is_err() {
                            return;
                        }
                    }
                    if txn.commit(false).is_err() {
                        return;
                    }
                }
            }));
        }
        let checkpointer = {
            let (engine, stop) = (engine.clone(), stop.clone());
            spawn("checkpointer", move || {
                while !stop.load(Ordering::Relaxed) && engine.checkpoint().is_ok() {
                    env::sched::yield_point();
                }
            })
        };
        for writer in writers {
            writer.join().unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        checkpointer.join().unwrap();
        disk.cut_power();
    });
    disk.reboot();
    let engine = open(&disk, seed, 64).unwrap();
    assert_eq!(engine.check().unwrap(), [], "what a checkpoint says of a relation is nowhere in the log");
}

#[test]
fn relations_grow_under_checkpoints_under_every_schedule() {
    for seed in 0..seeds() {
        std::panic::catch_unwind(|| growth_schedule(seed)).unwrap_or_else(|e| {
            eprintln!("schedule seed {seed}");
            std::panic::resume_unwind(e)
        });
    }
}

/// Many add one to a number, each building on the last as soon as that has its commit record, and the power goes (X5).
fn counter_schedule(seed: u64) {
    #[derive(Default)]
    struct Told {
        /// The largest number that somebody was told: as a reader, or by a commit that was acknowledged.
        largest: i64,
        commits: i64,
    }
    let disk = SimDisk::new(seed);
    let told = Arc::new(Mutex::new(Told::default()));
    Scheduler::run(seed, || {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let engine = open(&disk, seed, 64).unwrap();
        let db = engine.create_database().unwrap();
        let mut txn = begin(&engine);
        let meta = RelMeta::new(RelId(100), RelKind::Table, Persistence::Permanent, vec![Physical::I64]);
        db.create_relation(&mut txn, meta).unwrap();
        let table = table(&db);
        let row = table.insert(&mut txn, &[Cell::fixed(&0i64.to_le_bytes())]).unwrap();
        txn.commit(true).unwrap();
        disk.inject(rng.random_range(1..10), Fault::PowerCut);
        let mut others = Vec::new();
        for writer in 0..3 {
            let (engine, table, told) = (engine.clone(), table.clone(), told.clone());
            let mut rng = ChaCha8Rng::seed_from_u64(seed * 8 + writer);
            others.push(spawn("writer", move || {
                for _ in 0..4 {
                    let mut txn = begin(&engine);
                    let Ok(number) = add_one(&mut txn, &table, row) else { return };
                    if rng.random_range(0..2) == 0 {
                        // What it has built on may be told once that is durable, whatever becomes of its own.
                        if txn.settle().is_err() {
                            return;
                        }
                        let mut told = told.lock();
                        told.largest = told.largest.max(number - 1);
                    }
                    if rng.random_range(0..5) == 0 {
                        if txn.rollback().is_err() {
                            return;
                        }
                        continue;
                    }
                    if txn.commit(true).is_err() {
                        return;
                    }
                    let mut told = told.lock();
                    (told.largest, told.commits) = (told.largest.max(number), told.commits + 1);
                }
            }));
        }
        let (reader, table, own) = (engine.clone(), table.clone(), told.clone());
        others.push(spawn("reader", move || {
            for _ in 0..10 {
                let commits = own.lock().commits;
                let mut txn = begin(&reader);
                let snapshot = txn.snapshot();
                let Ok(number) = number_of(&table, row, &snapshot) else { return };
                assert!(number >= commits, "a commit was acknowledged that nobody sees");
                let mut told = own.lock();
                told.largest = told.largest.max(number);
                drop(told);
                env::sched::yield_point();
            }
        }));
        others.into_iter().for_each(|o| o.join().unwrap());
        disk.cut_power();
    });
    disk.reboot();
    let engine = open(&disk, seed, 64).unwrap();
    let db = engine.databases().remove(0);
    let snapshot = begin(&engine).snapshot();
    let number = number_of(&table(&db), RowId { block: 0, slot: 0 }, &snapshot).unwrap();
    let told = told.lock();
    assert!(number >= told.largest, "X5: {} was told, {number} is there", told.largest);
    assert!(number >= told.commits, "I5: {} commits were acknowledged, {number} are there", told.commits);
    assert_eq!(engine.check().unwrap(), []);
}

fn number_of(table: &Table, row: RowId, snapshot: &storage::txn::Snapshot) -> storage::Result<i64> {
    let number = table.read(row, snapshot, |view| amount_of(view.cell(0)))?;
    Ok(number.expect("the row stays"))
}

/// Adds one to the number in `row`, building on whoever changed it last; the number that it then has.
fn add_one(txn: &mut storage::txn::Transaction, table: &Table, row: RowId) -> storage::Result<i64> {
    txn.begin_writing()?;
    let (mut snapshot, mut turn) = (txn.snapshot(), None);
    loop {
        let number = number_of(table, row, &snapshot)? + 1;
        match table.update(txn, &snapshot, row, &[(0, Cell::fixed(&number.to_le_bytes()))], Mode::ForNoKeyUpdate)? {
            RowState::Done => return Ok(number),
            RowState::Busy(other) => {
                if turn.is_none() {
                    turn = Some(txn.take_turn(table, row, WaitPolicy::Wait(0))?);
                }
                txn.build_on(&other, WaitPolicy::Wait(0))?;
            }
            RowState::Updated => {}
            state => panic!("{state:?}"),
        }
        snapshot = txn.snapshot();
    }
}

#[test]
fn what_is_told_rests_on_durable_commits_under_every_schedule() {
    for seed in 0..seeds() {
        std::panic::catch_unwind(|| counter_schedule(seed)).unwrap_or_else(|e| {
            eprintln!("schedule seed {seed}");
            std::panic::resume_unwind(e)
        });
    }
}
