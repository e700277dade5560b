//! The load driver itself, against servers of canned answers: what it cannot measure below.

use crate::doors::{CANNED_EVENTS, CANNED_THREADS, Door};
use crate::figure::{Figure, Goal, Unit};
use crate::load::{Crowd, Requests, busy, query};
use crate::stage::{Failure, Stage};

/// One client, and enough of them to keep a server busy.
pub fn load_driver(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    const MANY: usize = 64;
    let who = [CANNED_EVENTS, CANNED_THREADS];
    let new = |name, what: String, unit| Figure::new(name, what, unit, Goal::None, &who);
    let mut figures = [
        new(
            "load-driver",
            "our load driver and canned answers: one client, time to the answer, median".to_owned(),
            Unit::Micros,
        ),
        new("load-driver-p99", "the same: 99th percentile".to_owned(), Unit::Micros),
        new("load-driver-rate", format!("{MANY} clients: answers per second"), Unit::PerSecond),
    ];
    let endpoints = stage.open_all(&[Door::CannedEvents, Door::CannedThreads], &mut figures[0])?;
    let requests = Requests::from(query("SELECT 1"));
    for _ in 0..stage.scale.long_rounds {
        for endpoint in &endpoints {
            let one = busy(&mut Crowd::connect(endpoint, 1)?, &requests, stage.scale.load_time)?;
            figures[0].add(endpoint.who, one.micros_at(0.5));
            figures[1].add(endpoint.who, one.micros_at(0.99));
            let many = busy(&mut Crowd::connect(endpoint, MANY)?, &requests, stage.scale.load_time)?;
            figures[2].add_clients(endpoint.who, many.rate(), many.client_rates());
        }
    }
    Ok(figures.into())
}
