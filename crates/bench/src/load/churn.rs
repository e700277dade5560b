//! Clients that connect, ask once, and leave.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use wire::frontend::encode as frontend;

use crate::load::crowd::{Crowd, Heard, PATIENCE};
use crate::load::tally::Tally;
use crate::peers::Endpoint;
use crate::stage::Failure;

/// Lets `count` clients connect, ask and leave again and again for `time`. What is counted is a whole visit, from connecting to its answer.
///
/// # Errors
/// What a server reports, or that it does not answer.
pub fn churn(endpoint: &Endpoint, count: usize, request: &[u8], time: Duration) -> Result<Tally, Failure> {
    let mut farewell = BytesMut::new();
    frontend::terminate(&mut farewell);
    let mut crowd = Crowd::new(endpoint)?;
    crowd.reserve(count);
    let mut tally = Tally::new(count, time);
    let start = Instant::now();
    let end = start + time;
    let (mut arrived, mut asked) = (vec![start; count], vec![false; count]);
    for (n, arrived) in arrived.iter_mut().enumerate() {
        *arrived = Instant::now();
        crowd.reconnect(n)?;
    }
    let (mut present, mut heard) = (count, Vec::new());
    while present > 0 {
        crowd.listen(PATIENCE, &mut heard)?;
        if heard.is_empty() && Instant::now() > end + PATIENCE {
            return Err(crowd.failure(format!("{present} clients were not answered").into()));
        }
        for Heard { client: n, at, failure } in heard.drain(..) {
            if let Some(e) = failure {
                return Err(crowd.failure(e));
            }
            if !asked[n] {
                asked[n] = true;
                crowd.send(n, request)?;
                continue;
            }
            crowd.leave(n, &farewell);
            if at >= end {
                present -= 1;
                continue;
            }
            tally.add(n, at - arrived[n]);
            (arrived[n], asked[n]) = (Instant::now(), false);
            crowd.reconnect(n)?;
        }
    }
    Ok(tally)
}
