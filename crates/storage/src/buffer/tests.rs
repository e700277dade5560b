use std::collections::HashMap;
use std::sync::Arc;

use env::sched::Scheduler;
use env::sync::{Mutex, spawn};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::error::{Error, Result};
use crate::ids::{DbId, PageNo};

/// Where evicted pages go: a map.
#[derive(Default)]
struct Shelf {
    pages: Mutex<HashMap<u32, Vec<u8>>>,
    write_backs: Mutex<u64>,
    full: Mutex<bool>,
}

impl PageSource for Shelf {
    fn read_page(&self, page: PageNo, bytes: &mut [u8]) -> Result<()> {
        match self.pages.lock().get(&page.0) {
            Some(found) if found.len() == bytes.len() => {
                bytes.copy_from_slice(found);
                Ok(())
            }
            _ => Err(Error::Corrupt { db: DbId(1), page, what: "it was never written".to_owned() }),
        }
    }

    fn write_back(&self, page: PageNo, bytes: &mut [u8]) -> Result<()> {
        if *self.full.lock() {
            return Err(Error::DiskFull);
        }
        *self.write_backs.lock() += 1;
        self.pages.lock().insert(page.0, bytes.to_vec());
        Ok(())
    }

    fn spill(&self, _: &[u8]) -> Result<crate::file::superblock::BlobRef> {
        Err(Error::DiskFull)
    }

    fn unspill(&self, _: crate::file::superblock::BlobRef) -> Result<Vec<u8>> {
        unreachable!("nothing was spilled")
    }

    fn forget_spilled(&self, _: crate::file::superblock::BlobRef) {}
}

/// Small pages have numbers below this, large ones from here on.
const LARGE_FROM: u32 = 64;

fn class_of(page: u32) -> PageClass {
    if page < LARGE_FROM { PageClass::Small } else { PageClass::Large }
}

fn space(pool_bytes: usize, portable: bool) -> (Arc<Pool>, Arc<Shelf>, Arc<PageSpace>) {
    let (pool, shelf) = (Arc::new(Pool::new(pool_bytes)), Arc::new(Shelf::default()));
    let space = PageSpace::new(pool.clone(), shelf.clone(), 256, portable).unwrap();
    (pool, shelf, space)
}

#[test]
fn pages_hold_what_was_written_last_whatever_was_evicted() {
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let budget = rng.random_range(8..24) * UNIT_BYTES;
        let (pool, shelf, space) = space(budget, seed % 2 == 1);
        let mut model: HashMap<u32, u8> = HashMap::new();
        for _ in 0..2000 {
            let page = match rng.random_range(0..4) {
                0 => LARGE_FROM + 4 * rng.random_range(0..12u32),
                _ => rng.random_range(0..40),
            };
            let (number, class) = (PageNo(page), class_of(page));
            let stamp: u8 = rng.random();
            match (model.get(&page).copied(), rng.random_range(0..10)) {
                (None, 0) => assert!(space.read(number, class).is_err(), "seed {seed}: page {page} appeared"),
                (None, _) => {
                    let mut guard = space.create(number, class).unwrap();
                    assert!(guard.iter().all(|&b| b == 0), "seed {seed}: a new page is not blank");
                    guard.fill(stamp);
                    model.insert(page, stamp);
                }
                (Some(_), 0) => {
                    space.discard(number, class, 1);
                    shelf.pages.lock().remove(&page);
                    model.remove(&page);
                }
                (Some(_), 1..4) => {
                    let mut guard = space.write(number, class).unwrap();
                    guard.fill(stamp);
                    guard.mark_dirty();
                    model.insert(page, stamp);
                }
                (Some(was), 4) => space
                    .flush_with(number, class, |bytes, _, dirty| {
                        if let Some(bytes) = bytes {
                            assert!(bytes.iter().all(|&b| b == was));
                            if dirty {
                                shelf.pages.lock().insert(page, bytes.to_vec());
                            }
                        }
                        Ok(false)
                    })
                    .unwrap(),
                (Some(was), _) => {
                    let guard = space.read(number, class).unwrap();
                    assert!(guard.iter().all(|&b| b == was), "seed {seed}: page {page} holds another page's bytes");
                    assert_eq!(guard.len(), class.bytes());
                }
            }
            assert!(pool.resident_bytes() <= budget, "seed {seed}: {} of {budget}", pool.resident_bytes());
        }
        for (&page, &stamp) in &model {
            assert!(space.read(PageNo(page), class_of(page)).unwrap().iter().all(|&b| b == stamp), "seed {seed}");
        }
        assert!(*shelf.write_backs.lock() > 0, "nothing was ever evicted dirty");
    }
}

#[test]
fn a_latched_page_stays() {
    for portable in [false, true] {
        let (_, _, space) = space(8 * UNIT_BYTES, portable);
        space.create(PageNo(0), PageClass::Small).unwrap().fill(7);
        let held = space.read(PageNo(0), PageClass::Small).unwrap();
        for page in 1..40 {
            space.create(PageNo(page), PageClass::Small).unwrap().fill(page as u8);
        }
        assert!(space.is_resident(PageNo(0)), "B2");
        assert!(held.iter().all(|&b| b == 7), "B2");
        assert!(!space.is_resident(PageNo(1)));
    }
}

#[test]
fn a_version_tells_of_a_change_and_of_an_eviction() {
    let (_, _, space) = space(8 * UNIT_BYTES, false);
    space.create(PageNo(0), PageClass::Small).unwrap().fill(1);
    let look = space.optimistic(PageNo(0), PageClass::Small).unwrap();
    drop(space.read(PageNo(0), PageClass::Small).unwrap());
    assert!(look.validate(), "reading changes nothing");
    space.write(PageNo(0), PageClass::Small).unwrap().fill(2);
    assert!(!look.validate(), "B1");
    let look = space.optimistic(PageNo(0), PageClass::Small).unwrap();
    for page in 1..40 {
        space.create(PageNo(page), PageClass::Small).unwrap();
    }
    assert!(!space.is_resident(PageNo(0)) && !look.validate());
    assert!(space.optimistic(PageNo(0), PageClass::Small).is_none());
    drop(space.read(PageNo(0), PageClass::Small).unwrap());
    assert!(!look.validate(), "it came back, at another time");
}

#[test]
fn a_page_that_cannot_be_written_back_stays_dirty_in_memory() {
    let (_, shelf, space) = space(4 * UNIT_BYTES, false);
    for page in 0..4 {
        space.create(PageNo(page), PageClass::Small).unwrap().fill(page as u8 + 1);
    }
    *shelf.full.lock() = true;
    let refused = space.create(PageNo(9), PageClass::Small).map(drop);
    assert!(matches!(refused, Err(Error::DiskFull)), "{refused:?}");
    *shelf.full.lock() = false;
    for page in 4..20 {
        space.create(PageNo(page), PageClass::Small).unwrap().fill(page as u8 + 1);
    }
    for page in 0..20 {
        let guard = space.read(PageNo(page), PageClass::Small).unwrap();
        assert!(guard.iter().all(|&b| b == page as u8 + 1), "B3: page {page}");
    }
}

#[test]
fn no_count_is_lost_under_any_schedule() {
    let seeds = std::env::var("HATHI_SCHEDULE_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(150);
    for seed in 0..seeds {
        Scheduler::run(seed, || {
            // Six pages in a pool of three.
            let (_, _, space) = space(3 * UNIT_BYTES, seed % 3 == 0);
            for page in 0..6 {
                space.create(PageNo(page), PageClass::Small).unwrap();
            }
            let workers: Vec<_> = (0..3u64)
                .map(|w| {
                    let space = space.clone();
                    spawn("worker", move || {
                        let mut rng = ChaCha8Rng::seed_from_u64(seed * 3 + w);
                        for _ in 0..20 {
                            let page = PageNo(rng.random_range(0..6));
                            if rng.random_range(0..3) == 0 {
                                let guard = space.read(page, PageClass::Small).unwrap();
                                let (front, back) = (guard[0], guard[UNIT_BYTES - 1]);
                                env::sched::yield_point();
                                assert_eq!((guard[0], guard[UNIT_BYTES - 1]), (front, back), "B1");
                                assert_eq!(front, back, "B1");
                            } else {
                                let mut guard = space.write(page, PageClass::Small).unwrap();
                                guard[0] += 1;
                                env::sched::yield_point();
                                guard[UNIT_BYTES - 1] += 1;
                                guard.mark_dirty();
                                drop(guard);
                                if rng.random_range(0..4) == 0 {
                                    space.flush_with(page, PageClass::Small, |_, _, _| Ok(true)).unwrap();
                                }
                            }
                        }
                    })
                })
                .collect();
            let wanted: u32 = (0..3u64)
                .map(|w| {
                    let mut rng = ChaCha8Rng::seed_from_u64(seed * 3 + w);
                    let mut writes = 0;
                    for _ in 0..20 {
                        let _: u32 = rng.random_range(0..6);
                        if rng.random_range(0..3) != 0 {
                            writes += 1;
                            let _: i32 = rng.random_range(0..4);
                        }
                    }
                    writes
                })
                .sum();
            for worker in workers {
                worker.join().unwrap();
            }
            let found: u32 = (0..6).map(|p| u32::from(space.read(PageNo(p), PageClass::Small).unwrap()[0])).sum();
            assert_eq!(found, wanted, "seed {seed}");
        });
    }
}
