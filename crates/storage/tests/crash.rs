//! Seeded crashes: a random workload over a simulated disk, power cut at a random operation, reopened, compared with a model.
//!
//! After every cut: each acknowledged commit is there, the unacknowledged one is there wholly or not at all, the check is clean, and every
//! row is found through its index. The number of seeds per run is `HATHI_CRASH_SEEDS` (default 2500, with two power cuts each on average); a failure names its seed.

pub mod support;

use env::sim::Fault;
use support::World;

fn seeds() -> u64 {
    std::env::var("HATHI_CRASH_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(2500)
}

#[test]
fn power_cuts_lose_nothing_acknowledged() {
    for seed in 0..seeds() {
        let mut world = World::new(seed);
        // Several cuts in a row, some of them during recovery.
        for _ in 0..world.range(1, 4) {
            let at = world.range(1, 120);
            world.disk.inject(at, Fault::PowerCut);
            world.run_until_fault(60);
            world.crash();
            if world.range(0, 3) == 0 {
                let at = world.range(0, 30);
                world.disk.inject(at, Fault::PowerCut);
                let _ = world.try_open();
                world.crash();
            }
            world.reopen_and_verify();
        }
        // And it goes on.
        world.run_until_fault(10);
        world.verify();
    }
}

#[test]
fn power_cuts_in_long_transactions_lose_nothing_acknowledged() {
    let mut ahead = 0;
    for seed in 0..seeds().div_ceil(25) {
        let mut world = World::long(seed);
        for _ in 0..world.range(1, 3) {
            let at = world.range(1, 300);
            world.disk.inject(at, Fault::PowerCut);
            world.run_until_fault(8);
            world.crash();
            world.reopen_and_verify();
        }
        world.run_until_fault(2);
        world.verify();
        ahead += world.ahead;
    }
    assert!(ahead > 0, "no log was written ahead of a commit");
    eprintln!("{ahead} logs were written ahead of commits");
}

#[test]
fn an_io_error_at_every_operation_stops_or_fails_cleanly() {
    for workload in 0..2 {
        let total = {
            let mut world = World::new(workload);
            world.run_until_fault(40);
            world.disk.operations()
        };
        for at in 0..total {
            let mut world = World::unopened(workload);
            world.disk.inject(at, Fault::Eio);
            if world.try_open().is_err() {
                world.disk.heal();
                world.open();
            }
            world.run_until_fault(40);
            world.disk.heal();
            world.crash();
            world.reopen_and_verify();
        }
    }
}

#[test]
fn a_full_disk_at_every_operation_fails_statements_and_loses_nothing() {
    for workload in 2..4 {
        let total = {
            let mut world = World::new(workload);
            world.run_until_fault(40);
            world.disk.operations()
        };
        for at in 0..total {
            let mut world = World::unopened(workload);
            world.disk.inject(at, Fault::DiskFull);
            if world.try_open().is_err() {
                world.disk.heal();
                world.open();
            }
            world.run_until_fault(40);
            world.disk.heal();
            world.crash();
            world.reopen_and_verify();
            world.run_until_fault(5);
            world.verify();
        }
    }
}

#[test]
fn every_flipped_bit_of_a_page_is_told() {
    let mut world = World::new(77);
    world.run_until_fault(80);
    world.close();
    world.open();
    let places = world.engine().used_ranges();
    world.crash();
    let clean = world.disk.read("hathi.data").unwrap();
    let flips = 10_000;
    let mut told = 0;
    for _ in 0..flips {
        // In slots that are in use: free slots may rot unseen.
        let at = world.byte_in(&places);
        let bit = world.range(0, 8) as u8;
        world.disk.corrupt("hathi.data", |bytes| bytes[at] ^= 1 << bit);
        let outcome = world.try_open();
        let damaged = match &outcome {
            Err(_) => true,
            Ok(()) => !world.engine().check().unwrap_or_default().is_empty() || world.engine().check().is_err(),
        };
        told += u64::from(damaged);
        assert!(damaged, "bit {bit} of byte {at} went unseen");
        world.crash();
        world.disk.corrupt("hathi.data", |bytes| bytes.clone_from(&clean));
    }
    assert_eq!(told, flips);
}
