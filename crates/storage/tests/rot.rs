//! Files full of garbage: whatever lies in the data file or the log, opening and checking answer, and never panic.

use std::sync::Arc;

use env::sim::SimDisk;
use env::{Entropy, Env, Vfs};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use storage::{Engine, Error, Options};

use crate::crash::support::World;

fn rounds() -> usize {
    std::env::var("HATHI_ROT_ROUNDS").ok().and_then(|s| s.parse().ok()).unwrap_or(1500)
}

fn open(disk: &SimDisk) -> storage::Result<Arc<Engine>> {
    let env = Env {
        vfs: Arc::new(disk.clone()),
        clock: Arc::new(env::clock::SimClock::default()),
        entropy: Arc::new(Entropy::seeded(1)),
    };
    let options = Options { pool_bytes: 1 << 20, units_max: 4096, background: false, ..Options::default() };
    Engine::open(env, options)
}

#[test]
fn garbage_instead_of_a_data_file_is_refused() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for round in 0..300 {
        let disk = SimDisk::new(round);
        let mut bytes = vec![0u8; rng.random_range(1..40_000)];
        rng.fill(&mut bytes[..]);
        if round % 3 == 0 && bytes.len() > 8 {
            bytes[..8].copy_from_slice(b"HATHIDB1");
        }
        disk.open("hathi.data", true).unwrap().write_all_at(&bytes, 0).unwrap();
        match open(&disk) {
            Err(Error::Damaged(_) | Error::Version(_)) => {}
            // Too short for a superblock: a creation that lost power may leave it.
            Ok(_) if bytes.len() < 4096 => {}
            other => panic!("round {round}, {} bytes: {:?}", bytes.len(), other.map(drop)),
        }
    }
}

#[test]
fn a_damaged_data_file_is_told_or_harmless() {
    let mut world = World::new(5);
    world.run_until_fault(80);
    world.close();
    let clean = world.disk.read("hathi.data").unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let (mut told, mut unseen) = (0, 0);
    for _ in 0..rounds() {
        world.disk.corrupt("hathi.data", |bytes| {
            bytes.clone_from(&clean);
            for _ in 0..rng.random_range(1..4) {
                // Superblocks and the first slots more often.
                let end = if rng.random_bool(0.3) { 8192 } else { bytes.len() };
                let at = rng.random_range(0..end - 64);
                let len = rng.random_range(1..64);
                rng.fill(&mut bytes[at..at + len]);
            }
            if rng.random_range(0..10) == 0 {
                bytes.truncate(rng.random_range(0..bytes.len()));
            }
        });
        let seen = match open(&world.disk) {
            Err(_) => true,
            Ok(engine) => engine.check().map_or(true, |damages| !damages.is_empty()),
        };
        if seen {
            told += 1;
        } else {
            unseen += 1;
        }
    }
    // The rest hit free slots.
    assert!(told > unseen / 4 && told > 100, "{told} were told, {unseen} not");
}

#[test]
fn a_damaged_log_ends_early_or_is_told() {
    let mut world = World::new(6);
    world.run_until_fault(60);
    let data = world.disk.read("hathi.data").unwrap();
    let mut segments = world.disk.list("wal").unwrap().into_iter().map(|name| format!("wal/{name}"));
    let written = |name: &String| world.disk.read(name).unwrap().iter().any(|&b| b != 0);
    let name = segments.rfind(written).expect("something was logged");
    let log = world.disk.read(&name).unwrap();
    let used = log.iter().rposition(|&b| b != 0).expect("it was written");
    world.crash();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut opened = 0;
    for _ in 0..rounds() {
        world.disk.corrupt("hathi.data", |bytes| bytes.clone_from(&data));
        world.disk.corrupt(&name, |bytes| {
            bytes.clone_from(&log);
            let at = rng.random_range(0..used);
            let len = rng.random_range(1..40).min(bytes.len() - at);
            rng.fill(&mut bytes[at..at + len]);
        });
        if let Ok(engine) = open(&world.disk) {
            opened += 1;
            assert_eq!(engine.check().unwrap(), [], "what was replayed is sound");
        }
    }
    assert!(opened > 0);
}
