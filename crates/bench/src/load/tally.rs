//! `Tally`: what a load counted.

use std::time::Duration;

use crate::figure::Clients;

/// Answers and how long each took, by client.
pub struct Tally {
    /// How long answers were counted.
    time: Duration,
    counts: Vec<usize>,
    sums: Vec<Duration>,
    latencies: Vec<Duration>,
    delays: Vec<Duration>,
}

impl Tally {
    /// Nothing counted yet, over a window of `time`; clients are numbered below `clients`.
    pub fn new(clients: usize, time: Duration) -> Tally {
        Tally {
            time,
            counts: vec![0; clients],
            sums: vec![Duration::ZERO; clients],
            latencies: Vec::new(),
            delays: Vec::new(),
        }
    }

    /// An answer to `client` that took `latency`.
    pub fn add(&mut self, client: usize, latency: Duration) {
        self.counts[client] += 1;
        self.sums[client] += latency;
        self.latencies.push(latency);
    }

    /// The driver sent a request so much later than it meant to.
    pub fn add_delay(&mut self, delay: Duration) {
        self.delays.push(delay);
    }

    /// Answers per second.
    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.time.as_secs_f64()
    }

    /// Answers per second of the slowest client, all, and the fastest.
    pub fn client_rates(&self) -> Clients {
        Clients::of(self.counts.iter().map(|&n| n as f64 / self.time.as_secs_f64()))
    }

    /// Mean microseconds of each client that had an answer.
    pub fn client_micros(&self) -> Clients {
        let had = self.counts.iter().zip(&self.sums).filter(|(n, _)| **n > 0);
        Clients::of(had.map(|(&n, sum)| sum.as_secs_f64() * 1e6 / n as f64))
    }

    /// Microseconds within which `part` of all answers came.
    pub fn micros_at(&self, part: f64) -> f64 {
        micros_at(&self.latencies, part)
    }

    /// Microseconds within which `part` of all requests were sent after they were due.
    pub fn delay_micros_at(&self, part: f64) -> f64 {
        micros_at(&self.delays, part)
    }
}

fn micros_at(durations: &[Duration], part: f64) -> f64 {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |d| d.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_clients() {
        let mut tally = Tally::new(2, Duration::from_secs(2));
        (1..=100).for_each(|i| tally.add(i % 2, Duration::from_micros(i as u64)));
        tally.add(0, Duration::from_micros(1000));
        assert_eq!(tally.micros_at(0.5), 51.0);
        assert_eq!(tally.micros_at(0.99), 100.0);
        assert_eq!(tally.micros_at(1.0), 1000.0);
        assert_eq!(tally.rate(), 50.5);
        let rates = tally.client_rates();
        assert_eq!((rates.min, rates.max), (25.0, 25.5));
        assert!(tally.delay_micros_at(0.5).is_nan());
    }
}
