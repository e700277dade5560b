//! Clients that sleep most of the time: each asks, sleeps, and asks again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::load::crowd::{Crowd, PATIENCE};
use crate::load::tally::Tally;
use crate::stage::Failure;

/// How long clients sleep, and how long they are watched.
#[derive(Clone, Copy)]
pub struct Rhythm {
    /// A sleep's mean; each lasts between half of it and one and a half.
    pub sleep: Duration,
    /// For how long requests are sent.
    pub time: Duration,
}

/// Lets every client of `crowd` ask and sleep. The sleeps are the same in each run, so that all servers are asked for the same.
///
/// # Errors
/// What a server reports, or that it does not answer.
pub fn wakes(crowd: &mut Crowd, request: &[u8], rhythm: Rhythm) -> Result<Tally, Failure> {
    let numbers = crowd.numbers();
    let size = numbers.iter().max().map_or(0, |n| n + 1);
    let mut tally = Tally::new(size, rhythm.time);
    let mut sleeps: Vec<ChaCha8Rng> = (0..size).map(|n| ChaCha8Rng::seed_from_u64(n as u64)).collect();
    let start = Instant::now();
    let end = start + rhythm.time;
    // As if all had been sleeping: the first wakes are spread over one sleep.
    let first = |(n, rng): (usize, &mut ChaCha8Rng)| Reverse((start + rhythm.sleep.mul_f64(rng.random::<f64>()), n));
    let due = sleeps.iter_mut().enumerate().map(first);
    let mut due: BinaryHeap<_> = due.filter(|Reverse((_, n))| numbers.binary_search(n).is_ok()).collect();
    let (mut sent, mut waiting, mut heard) = (vec![start; size], 0, Vec::new());
    loop {
        let mut now = Instant::now();
        while let Some(&Reverse((at, n))) = due.peek().filter(|d| d.0.0 <= now) {
            due.pop();
            tally.add_delay(now - at);
            sent[n] = Instant::now();
            crowd.send(n, request)?;
            waiting += 1;
            now = Instant::now();
        }
        let patience = match due.peek() {
            Some(Reverse((at, _))) => *at - now,
            None if waiting == 0 => return Ok(tally),
            None if now > end + PATIENCE => {
                return Err(crowd.failure(format!("{waiting} clients were not answered").into()));
            }
            None => PATIENCE,
        };
        crowd.listen(patience, &mut heard)?;
        for one in heard.drain(..) {
            if let Some(e) = one.failure {
                return Err(crowd.failure(e));
            }
            let n = one.client;
            waiting -= 1;
            tally.add(n, one.at - sent[n]);
            let next = one.at + rhythm.sleep.mul_f64(0.5 + sleeps[n].random::<f64>());
            if next < end {
                due.push(Reverse((next, n)));
            }
        }
    }
}
