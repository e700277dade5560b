use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Scheduler;
use crate::sync::{Condvar, Mutex, spawn};

/// Adds with a read and a write apart, so that some schedules lose an update.
fn racy_sum(seed: u64) -> (u64, super::Summary) {
    let total = Arc::new(AtomicU64::new(0));
    let seen = total.clone();
    let summary = Scheduler::run(seed, move || {
        let workers: Vec<_> = (0..3)
            .map(|i| {
                let total = total.clone();
                spawn(&format!("w{i}"), move || {
                    let old = total.load(Ordering::SeqCst);
                    super::yield_point();
                    total.store(old + 1, Ordering::SeqCst);
                })
            })
            .collect();
        for w in workers {
            w.join().unwrap();
        }
    });
    (seen.load(Ordering::SeqCst), summary)
}

#[test]
fn a_seed_replays_exactly_and_seeds_differ() {
    let runs: Vec<_> = (0..50).map(racy_sum).collect();
    assert_eq!(runs, (0..50).map(racy_sum).collect::<Vec<_>>());
    assert!(runs.iter().any(|r| r.0 == 3) && runs.iter().any(|r| r.0 < 3), "{runs:?}");
}

#[test]
fn mutex_and_condvar_work_under_every_schedule() {
    for seed in 0..100 {
        Scheduler::run(seed, || {
            let shared = Arc::new((Mutex::new(0u32), Condvar::new()));
            let workers: Vec<_> = (0..3)
                .map(|_| {
                    let shared = shared.clone();
                    spawn("worker", move || {
                        let mut n = shared.0.lock();
                        let old = *n;
                        super::yield_point();
                        *n = old + 1;
                        shared.1.notify_all();
                    })
                })
                .collect();
            let mut n = shared.0.lock();
            while *n < 3 {
                shared.1.wait(&mut n);
            }
            drop(n);
            for w in workers {
                w.join().unwrap();
            }
        });
    }
}

#[test]
fn timeouts_pass_in_virtual_time() {
    Scheduler::run(1, || {
        let (m, c) = (Mutex::new(()), Condvar::new());
        let mut guard = m.lock();
        assert!(c.wait_for(&mut guard, Duration::from_secs(3600)));
        assert!(super::virtual_nanos().unwrap() >= 3_600_000_000_000);
    });
}

#[test]
fn deadlock_is_reported() {
    let outcome = std::panic::catch_unwind(|| {
        Scheduler::run(7, || {
            let (m, c) = (Mutex::new(()), Condvar::new());
            let mut guard = m.lock();
            c.wait(&mut guard);
        })
    });
    let message = *outcome.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("simulated deadlock"), "{message}");
}
