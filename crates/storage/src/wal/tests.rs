use std::sync::Arc;

use env::sim::{Fault, SimDisk};
use env::sync::spawn;
use env::{Env, Vfs};

use super::reader::Reader;
use super::{Log, LogOptions, Lsn, Record};
use crate::ids::{DbId, RelId, Xid};
use crate::poison::Poison;
use crate::wal::record::BlockRef;

fn open(vfs: Arc<dyn Vfs>, end: Lsn) -> Log {
    Log::open(vfs, LogOptions::default(), Arc::new(Poison::default()), end, 1).unwrap()
}

fn insert(n: u32, body: &[u8]) -> Record<'_> {
    Record::RowsInsert { at: BlockRef { db: DbId(2), rel: RelId(7), block: n }, count: 1, rows: body }
}

fn blocks(vfs: Arc<dyn Vfs>, from: Lsn) -> (Vec<u32>, Lsn) {
    let mut reader = Reader::new(vfs, from);
    let mut seen = Vec::new();
    while let Some((_, _, record)) = reader.next().unwrap() {
        match record {
            Record::RowsInsert { at, .. } => seen.push(at.block),
            other => panic!("{other:?}"),
        }
    }
    (seen, reader.position())
}

#[test]
fn records_come_back_in_order_across_segments() {
    let vfs = Env::in_memory().vfs;
    let log = open(vfs.clone(), Lsn(0));
    let body = vec![7u8; 100_000];
    let mut last = Lsn(0);
    for n in 0..400 {
        last = log.append(Xid(1), &insert(n, &body)).unwrap();
    }
    log.sync_to(last).unwrap();
    assert_eq!(log.durable_lsn(), last);
    assert_eq!(blocks(vfs.clone(), Lsn(0)), ((0..400).collect(), last));
    assert_eq!(vfs.list("wal").unwrap().len(), 3);
}

#[test]
fn a_recycled_segment_never_shows_its_old_records() {
    let vfs = Env::in_memory().vfs;
    let log = open(vfs.clone(), Lsn(0));
    let body = vec![7u8; 1_000_000];
    let mut last = Lsn(0);
    for n in 0..20 {
        last = log.append(Xid(1), &insert(n, &body)).unwrap();
        log.sync_to(last).unwrap();
    }
    log.recycle(last).unwrap();
    assert_eq!(vfs.list("wal").unwrap(), ["0000000000000001", "0000000000000002"]);
    let from = last;
    for n in 0..14 {
        last = log.append(Xid(1), &insert(n, &body)).unwrap();
    }
    log.sync_to(last).unwrap();
    assert_eq!(blocks(vfs, from), ((0..14).collect(), last));
}

#[test]
fn power_cuts_keep_every_synced_record_and_a_clean_prefix_of_the_rest() {
    for seed in 0..300 {
        let disk = SimDisk::new(seed);
        let log = open(Arc::new(disk.clone()), Lsn(0));
        disk.inject(seed % 40 + 2, Fault::PowerCut);
        let mut acked = 0;
        for n in 0..60 {
            let body = vec![n as u8; (n as usize * 37) % 900];
            let Ok(lsn) = log.append(Xid(1), &insert(n, &body)) else { break };
            if n % 3 == 0 {
                if log.sync_to(lsn).is_err() {
                    break;
                }
                acked = n + 1;
            }
        }
        if disk.is_dark() {
            assert!(log.append(Xid(1), &insert(0, b"")).is_err(), "poisoned");
        }
        disk.reboot();
        let (seen, _) = blocks(Arc::new(disk), Lsn(0));
        assert!(seen.len() as u32 >= acked, "seed {seed}: {} < {acked}", seen.len());
        assert_eq!(seen, (0..seen.len() as u32).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn segments_made_ready_ahead_take_what_is_committed_next() {
    for seed in 0..24 {
        let disk = SimDisk::new(seed);
        let vfs: Arc<dyn Vfs> = Arc::new(disk.clone());
        let log = open(vfs.clone(), Lsn(0));
        // Some of these are before the next segment is made ready, most while it is, some after; the last are never reached.
        disk.inject(16 + seed * 16, Fault::PowerCut);
        let mut acked = 0;
        for n in 0..22 {
            let Ok(lsn) = log.append(Xid(1), &insert(n, &vec![n as u8; 900_000])) else { break };
            if log.sync_to(lsn).is_err() || log.wants_preparing() && log.prepare().is_err() {
                break;
            }
            acked = n + 1;
        }
        disk.reboot();
        let (seen, _) = blocks(vfs.clone(), Lsn(0));
        assert!(seen.len() as u32 >= acked, "seed {seed}: {} < {acked}", seen.len());
        assert_eq!(seen, (0..seen.len() as u32).collect::<Vec<_>>(), "seed {seed}");
        if acked == 22 {
            let names = vfs.list("wal").unwrap();
            assert!(names.contains(&"0000000000000002".to_owned()), "{names:?}: made ready, not needed yet");
        }
    }
}

#[test]
fn a_failed_sync_poisons_until_reopened() {
    let disk = SimDisk::new(1);
    let log = open(Arc::new(disk.clone()), Lsn(0));
    let lsn = log.append(Xid(1), &insert(1, b"a")).unwrap();
    log.sync_to(lsn).unwrap();
    let lsn = log.append(Xid(1), &insert(2, b"b")).unwrap();
    disk.inject(1, Fault::Eio);
    assert!(log.sync_to(lsn).is_err());
    assert!(log.sync_to(lsn).is_err(), "never retried");
    assert!(log.append(Xid(1), &insert(3, b"c")).is_err());
}

#[test]
fn committers_share_syncs() {
    env::sched::Scheduler::run(3, || {
        let disk = SimDisk::new(3);
        let log = Arc::new(open(Arc::new(disk.clone()), Lsn(0)));
        let before = disk.syncs();
        let clients: Vec<_> = (0..8)
            .map(|c| {
                let log = log.clone();
                spawn("client", move || {
                    for n in 0..10 {
                        let lsn = log.append(Xid(c), &insert(n, b"x")).unwrap();
                        log.sync_to(lsn).unwrap();
                        assert!(log.durable_lsn() >= lsn);
                    }
                })
            })
            .collect();
        for c in clients {
            c.join().unwrap();
        }
        assert!(disk.syncs() - before < 80, "{}", disk.syncs() - before);
    });
}
