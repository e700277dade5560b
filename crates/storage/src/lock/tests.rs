use std::sync::Arc;

use env::sched::Scheduler;
use env::sim::SimDisk;
use env::sync::{Mutex, spawn};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::error::Error;
use crate::ids::{DbId, Xid};

fn interrupt() -> Arc<Interrupt> {
    let _ = SimDisk::new(0);
    Arc::new(Interrupt::new(Arc::new(env::clock::SimClock::default())))
}

const A: Tag = Tag::Relation(DbId(1), 10);
const B: Tag = Tag::Relation(DbId(1), 11);

#[test]
fn conflicts_are_symmetric_and_as_the_manual_says() {
    use Mode::*;
    let all = [
        AccessShare,
        RowShare,
        RowExclusive,
        ShareUpdateExclusive,
        Share,
        ShareRowExclusive,
        Exclusive,
        AccessExclusive,
        ForKeyShare,
        ForShare,
        ForNoKeyUpdate,
        ForUpdate,
    ];
    for a in all {
        for b in all {
            assert_eq!(a.conflicts(b), b.conflicts(a), "{a:?} {b:?}");
        }
    }
    assert!(!Share.conflicts(Share) && Share.conflicts(RowExclusive) && !RowExclusive.conflicts(RowExclusive));
    assert!(!ForKeyShare.conflicts(ForNoKeyUpdate) && ForKeyShare.conflicts(ForUpdate));
}

#[test]
fn exclusive_sections_exclude_under_every_schedule() {
    for seed in 0..300 {
        Scheduler::run(seed, || {
            let locks = Arc::new(LockManager::default());
            let inside = Arc::new(Mutex::new(0));
            let workers: Vec<_> = (0..4u32)
                .map(|i| {
                    let (locks, inside) = (locks.clone(), inside.clone());
                    spawn("worker", move || {
                        let (me, int) = (OwnerId(i + 1), interrupt());
                        for _ in 0..3 {
                            locks.acquire(A, Mode::Exclusive, me, WaitPolicy::Wait(0), &int).unwrap();
                            *inside.lock() += 1;
                            env::sched::yield_point();
                            let mut n = inside.lock();
                            assert_eq!(*n, 1, "L1");
                            *n -= 1;
                            drop(n);
                            locks.release(A, Mode::Exclusive, me);
                        }
                    })
                })
                .collect();
            for w in workers {
                w.join().unwrap();
            }
            assert!(locks.list().is_empty());
        });
    }
}

#[test]
fn one_of_two_in_a_cycle_gets_a_deadlock_error() {
    for seed in 0..200 {
        Scheduler::run(seed, || {
            let locks = Arc::new(LockManager::default());
            let errors = Arc::new(Mutex::new(0));
            let workers: Vec<_> = [(1, A, B), (2, B, A)]
                .into_iter()
                .map(|(id, first, second)| {
                    let (locks, errors) = (locks.clone(), errors.clone());
                    spawn("worker", move || {
                        let (me, int) = (OwnerId(id), interrupt());
                        locks.acquire(first, Mode::Exclusive, me, WaitPolicy::Wait(0), &int).unwrap();
                        match locks.acquire(second, Mode::Exclusive, me, WaitPolicy::Wait(0), &int) {
                            Ok(()) => locks.release(second, Mode::Exclusive, me),
                            Err(Error::Deadlock(text)) => {
                                assert!(text.contains("waits for ExclusiveLock on relation"), "{text}");
                                *errors.lock() += 1;
                            }
                            Err(e) => panic!("{e:?}"),
                        }
                        locks.release(first, Mode::Exclusive, me);
                    })
                })
                .collect();
            for w in workers {
                w.join().unwrap();
            }
            assert!(*errors.lock() <= 1);
            assert!(locks.list().is_empty());
        });
    }
}

#[test]
fn no_two_hold_conflicting_modes_under_every_schedule() {
    use Mode::*;
    let modes = [
        AccessShare,
        RowShare,
        RowExclusive,
        Share,
        Exclusive,
        AccessExclusive,
        ForKeyShare,
        ForNoKeyUpdate,
        ForUpdate,
    ];
    let deadlocks = Arc::new(Mutex::new(0));
    for seed in 0..500 {
        let counted = deadlocks.clone();
        Scheduler::run(seed, move || {
            let locks = Arc::new(LockManager::default());
            let held: Arc<Mutex<Vec<(Tag, Mode, OwnerId)>>> = Arc::default();
            let workers: Vec<_> = (0..4u32)
                .map(|i| {
                    let (locks, held, counted) = (locks.clone(), held.clone(), counted.clone());
                    spawn("worker", move || {
                        let (me, int) = (OwnerId(i + 1), interrupt());
                        let notes = locks.notes(me);
                        let mut rng = ChaCha8Rng::seed_from_u64(seed * 4 + u64::from(i));
                        let give_back = |mine: &mut Vec<(Tag, Mode)>| {
                            for (tag, mode) in mine.drain(..).rev() {
                                let mut all = held.lock();
                                let at = all.iter().position(|&h| h == (tag, mode, me)).unwrap();
                                all.remove(at);
                                drop(all);
                                locks.release_noted(&notes, tag, mode);
                            }
                        };
                        let mut mine = Vec::new();
                        for _ in 0..10 {
                            let tag = [A, B, Tag::Transaction(Xid(3))][rng.random_range(0..3)];
                            let mode = match modes[rng.random_range(0..modes.len())] {
                                // L4: only one of them is that transaction.
                                Exclusive if tag == Tag::Transaction(Xid(3)) && me.0 != 1 => Share,
                                mode => mode,
                            };
                            let policy =
                                if rng.random_range(0..4) == 0 { WaitPolicy::NoWait } else { WaitPolicy::Wait(0) };
                            if mine.contains(&(tag, mode)) {
                                continue;
                            }
                            match locks.acquire_noted(&notes, tag, mode, policy, &int) {
                                Ok(()) => {
                                    let mut all = held.lock();
                                    for &(t, m, owner) in all.iter() {
                                        let clash = t == tag && owner != me && m.conflicts(mode);
                                        assert!(!clash, "L1: {mode:?} of {me:?} beside {m:?} of {owner:?}");
                                    }
                                    all.push((tag, mode, me));
                                    mine.push((tag, mode));
                                }
                                Err(Error::Deadlock(_)) => {
                                    *counted.lock() += 1;
                                    give_back(&mut mine);
                                }
                                Err(Error::LockNotAvailable) => {}
                                Err(e) => panic!("{e:?}"),
                            }
                            if rng.random_range(0..3) == 0 {
                                give_back(&mut mine);
                            }
                        }
                        give_back(&mut mine);
                        locks.forget(&notes);
                    })
                })
                .collect();
            for w in workers {
                w.join().unwrap();
            }
            assert!(locks.list().is_empty());
        });
    }
    assert!(*deadlocks.lock() > 0, "no schedule came to a deadlock");
}

#[test]
fn waits_end_by_timeout_and_cancel() {
    Scheduler::run(5, || {
        let locks = Arc::new(LockManager::default());
        let tag = Tag::Transaction(Xid(3));
        let int = interrupt();
        locks.acquire(tag, Mode::Exclusive, OwnerId(1), WaitPolicy::Wait(0), &int).unwrap();
        let nowait = locks.acquire(tag, Mode::Share, OwnerId(2), WaitPolicy::NoWait, &int);
        assert!(matches!(nowait, Err(Error::LockNotAvailable)));
        let timeout = locks.acquire(tag, Mode::Share, OwnerId(2), WaitPolicy::Wait(50), &int);
        assert!(matches!(timeout, Err(Error::LockTimeout)));
        let canceller = int.clone();
        let thread = spawn("canceller", move || canceller.cancel());
        let cancelled = locks.acquire(tag, Mode::Share, OwnerId(2), WaitPolicy::Wait(0), &int);
        assert!(matches!(cancelled, Err(Error::Interrupted(_))));
        thread.join().unwrap();
        locks.release(tag, Mode::Exclusive, OwnerId(1));
        assert!(locks.list().is_empty());
    });
}

/// A session that reads, and one that changes its table over and over: what is noted is found, moved and given back, whatever the two do meanwhile (L6, L7).
#[test]
fn notes_are_seen_or_see() {
    let moved = Arc::new(Mutex::new(0));
    for seed in 0..1000 {
        let counted = moved.clone();
        Scheduler::run(seed, move || {
            let locks = Arc::new(LockManager::default());
            let readers = Arc::new(Mutex::new(0));
            let (theirs, inside, int) = (locks.clone(), readers.clone(), interrupt());
            let reader = spawn("reader", move || {
                let notes = theirs.notes(OwnerId(1));
                for tag in [A, B, A] {
                    theirs.acquire_noted(&notes, tag, Mode::AccessShare, WaitPolicy::Wait(0), &int).unwrap();
                    *inside.lock() += i32::from(tag == A);
                    env::sched::yield_point();
                    *inside.lock() -= i32::from(tag == A);
                    theirs.release_noted(&notes, tag, Mode::AccessShare);
                }
                theirs.forget(&notes);
            });
            let int = interrupt();
            for _ in 0..2 {
                locks.acquire(A, Mode::AccessExclusive, OwnerId(2), WaitPolicy::Wait(0), &int).unwrap();
                assert_eq!(*readers.lock(), 0, "L6");
                env::sched::yield_point();
                let others = locks.list().iter().filter(|l| l.tag == A && l.owner == OwnerId(1)).count();
                *counted.lock() += others;
                assert_eq!(*readers.lock(), 0, "L6");
                locks.release(A, Mode::AccessExclusive, OwnerId(2));
            }
            reader.join().unwrap();
            assert!(locks.list().is_empty(), "L7");
        });
    }
    assert!(*moved.lock() > 0, "the reader never came to wait");
}

#[test]
fn more_tables_than_there_are_notes_for_are_locked_all_the_same() {
    let (locks, int) = (LockManager::default(), interrupt());
    let notes = locks.notes(OwnerId(1));
    let tables: Vec<Tag> = (0..40).map(|i| Tag::Relation(DbId(1), 100 + i)).collect();
    for mode in [Mode::AccessShare, Mode::RowShare, Mode::RowExclusive] {
        tables.iter().for_each(|&t| locks.acquire_noted(&notes, t, mode, WaitPolicy::Wait(0), &int).unwrap());
    }
    assert_eq!(locks.list().len(), 120);
    for &table in &tables {
        let refused = locks.acquire(table, Mode::AccessExclusive, OwnerId(2), WaitPolicy::NoWait, &int);
        assert!(matches!(refused, Err(Error::LockNotAvailable)), "{table}");
    }
    for mode in [Mode::AccessShare, Mode::RowShare, Mode::RowExclusive] {
        tables.iter().for_each(|&t| locks.release_noted(&notes, t, mode));
    }
    assert!(locks.list().is_empty());
    for &table in &tables {
        locks.acquire(table, Mode::AccessExclusive, OwnerId(2), WaitPolicy::NoWait, &int).unwrap();
    }
}
