//! Clients that ask again as soon as they are answered.

use std::time::{Duration, Instant};

use crate::load::crowd::{Crowd, PATIENCE};
use crate::load::requests::Requests;
use crate::load::tally::Tally;
use crate::stage::Failure;

/// Lets every client of `crowd` ask without a pause for `time`.
///
/// # Errors
/// What a server reports, or that it does not answer.
pub fn busy(crowd: &mut Crowd, requests: &Requests, time: Duration) -> Result<Tally, Failure> {
    let numbers = crowd.numbers();
    let size = numbers.iter().max().map_or(0, |n| n + 1);
    let mut tally = Tally::new(size, time);
    let start = Instant::now();
    let end = start + time;
    let (mut sent, mut turns) = (vec![start; size], vec![0; size]);
    for &n in &numbers {
        sent[n] = Instant::now();
        crowd.send(n, requests.of(n, 0))?;
    }
    let (mut waiting, mut heard) = (numbers.len(), Vec::new());
    while waiting > 0 {
        crowd.listen(PATIENCE, &mut heard)?;
        if heard.is_empty() && Instant::now() > end + PATIENCE {
            return Err(crowd.failure(format!("{waiting} clients were not answered").into()));
        }
        for one in heard.drain(..) {
            if let Some(e) = one.failure {
                return Err(crowd.failure(e));
            }
            let n = one.client;
            if one.at >= end {
                waiting -= 1;
                continue;
            }
            tally.add(n, one.at - sent[n]);
            turns[n] += 1;
            sent[n] = Instant::now();
            crowd.send(n, requests.of(n, turns[n]))?;
        }
    }
    Ok(tally)
}
