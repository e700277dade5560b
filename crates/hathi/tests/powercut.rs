//! SQL over a simulated disk: power cuts, I/O errors and full disks under statements, tables that come and go, savepoints.
//!
//! After each fault the database is opened again: every acknowledged commit is there, the one in doubt wholly or not at all, the
//! check is clean. `HATHI_CRASH_SEEDS` says how many seeds (default 250, with two cuts each on average); a failure names its seed.

mod world;

use env::sim::Fault;
use world::World;

fn seeds() -> u64 {
    std::env::var("HATHI_CRASH_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(250)
}

#[test]
fn power_cuts_lose_nothing_acknowledged() {
    for seed in 0..seeds() {
        let mut world = World::new(seed);
        for _ in 0..world.range(1, 4) {
            let at = world.range(1, 150);
            world.disk.inject(at, Fault::PowerCut);
            world.run_until_fault(30);
            world.crash();
            if world.range(0, 3) == 0 {
                let at = world.range(0, 30);
                world.disk.inject(at, Fault::PowerCut);
                let _ = world.try_open();
                world.crash();
            }
            world.open();
            world.verify();
        }
        world.run_until_fault(5);
        world.verify();
    }
}

/// Operations of the disk that a run without faults does, making the database included.
fn operations(seed: u64) -> u64 {
    let mut world = World::new(seed);
    world.run_until_fault(12);
    world.verify();
    world.close();
    world.disk.operations()
}

#[test]
fn an_io_error_at_any_operation_is_told_and_loses_nothing() {
    // Every other operation of each: to be done within half a minute.
    for seed in [1000, 1001] {
        for at in (seed % 2..operations(seed)).step_by(2) {
            let mut world = World::unopened(seed);
            world.disk.inject(at, Fault::Eio);
            match world.try_open() {
                Ok(()) => {}
                Err(e) => {
                    assert_eq!(e.state().as_str(), "58030", "operation {at}: {}", e.message());
                    world.disk.heal();
                    world.open();
                }
            }
            let faulted = world.run_until_fault(12);
            if let Some(e) = &faulted {
                assert_eq!(e.state().as_str(), "58030", "operation {at}: {}", e.message());
            }
            world.refuses_if_poisoned();
            world.disk.heal();
            world.refuses_if_poisoned();
            world.crash();
            world.open();
            world.verify();
            world.run_until_fault(3);
            world.verify();
        }
    }
}

/// Whether the user can read from the error that the disk is full, in the message or, when the log could not be written, in the detail.
fn assert_told(e: &hathi::Error, at: u64) {
    let detail = e.fields().detail.as_deref().unwrap_or_default();
    let told = match e.state().as_str() {
        "53100" => e.message() == "no space left on device",
        "58030" => detail.contains("no space left on device"),
        _ => false,
    };
    assert!(told, "operation {at}: {} {} {detail}", e.state(), e.message());
}

#[test]
fn a_full_disk_at_any_operation_fails_statements_and_loses_nothing() {
    for seed in [1002, 1003] {
        for at in (seed % 2..operations(seed)).step_by(2) {
            let mut world = World::unopened(seed);
            world.disk.inject(at, Fault::DiskFull);
            if let Err(e) = world.try_open() {
                assert_told(&e, at);
                world.disk.heal();
                world.open();
            }
            if let Some(e) = world.run_until_fault(12) {
                assert_told(&e, at);
            }
            world.disk.heal();
            if world.refuses_if_poisoned() {
                world.crash();
                world.open();
            }
            // With room again it goes on, reopened or not.
            world.verify();
            assert!(world.run_until_fault(3).is_none(), "operation {at}");
            world.verify();
        }
    }
}
