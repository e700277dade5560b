//! Mostly idle clients: how soon one that wakes up is answered.

use std::time::Duration;

use crate::doors::{CANNED_EVENTS, CANNED_THREADS, Door, HATHI, HATHI_THREAD, PGBOUNCER, POSTGRESQL};
use crate::figure::{Figure, Goal, Unit};
use crate::load::{Crowd, Rhythm, query, wakes};
use crate::stage::{Failure, Stage};

const WHO: [&str; 6] = [HATHI, HATHI_THREAD, POSTGRESQL, PGBOUNCER, CANNED_THREADS, CANNED_EVENTS];
const DOORS: [Door; 6] =
    [Door::Hathi, Door::HathiThread, Door::PostgreSql, Door::PgBouncer, Door::CannedThreads, Door::CannedEvents];
/// Sleeps that a client has at least while it is watched.
const SLEEPS: u32 = 5;

/// What is measured of one crowd at one rhythm.
struct Names {
    sleep: Duration,
    median: &'static str,
    p99: &'static str,
    rate: &'static str,
}

const WAKE_200: [Names; 2] = [
    Names { sleep: Duration::from_millis(100), median: "wake-200", p99: "wake-200-p99", rate: "wake-200-rate" },
    Names { sleep: Duration::from_secs(1), median: "wake-200-1s", p99: "wake-200-1s-p99", rate: "wake-200-1s-rate" },
];
const WAKE_1000: [Names; 2] = [
    Names { sleep: Duration::from_millis(100), median: "wake-1000", p99: "wake-1000-p99", rate: "wake-1000-rate" },
    Names { sleep: Duration::from_secs(1), median: "wake-1000-1s", p99: "wake-1000-1s-p99", rate: "wake-1000-1s-rate" },
];

/// 200 clients.
pub fn wake_200(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    wake(stage, 200, &WAKE_200)
}

/// 1000 clients.
pub fn wake_1000(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    wake(stage, 1000, &WAKE_1000)
}

/// As many as are let in at all, of ours alone: PostgreSQL has no such crowd.
pub fn wake_10000(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    let count = stage.scale.idle_clients;
    let mut figure = Figure::new(
        "wake-10000",
        format!(
            "{count} clients: SELECT 1, sleep 1000 ms (half to one and a half), and again; time to the answer, 99th percentile"
        ),
        Unit::Micros,
        Goal::AtMost(200.0),
        &[HATHI, CANNED_EVENTS],
    );
    let request = query("SELECT 1");
    for endpoint in &stage.open_all(&[Door::Hathi, Door::CannedEvents], &mut figure)? {
        let mut crowd = Crowd::connect(endpoint, count)?;
        crowd.ask_all(&request)?;
        for _ in 0..stage.scale.long_rounds {
            let sleep = Duration::from_secs(1);
            let tally = wakes(&mut crowd, &request, Rhythm { sleep, time: stage.scale.load_time.max(sleep) })?;
            figure.add(endpoint.who, tally.micros_at(0.99));
        }
    }
    Ok(vec![figure])
}

/// Clients that sleep for a moment only: what it costs to leave one's thread and to come back all the time.
pub fn bursts(stage: &Stage) -> Result<Vec<Figure>, Failure> {
    const CLIENTS: usize = 200;
    let mut figure = Figure::new(
        "bursts",
        format!("{CLIENTS} clients: SELECT 1, sleep 10 ms (half to one and a half), and again; answers per second"),
        Unit::PerSecond,
        Goal::TimesAtLeast(HATHI_THREAD, 0.995),
        &WHO,
    );
    let request = query("SELECT 1");
    let endpoints = stage.open_all(&DOORS, &mut figure)?;
    let mut crowds = endpoints.iter().map(|e| Crowd::connect(e, CLIENTS)).collect::<Result<Vec<_>, Failure>>()?;
    crowds.iter_mut().try_for_each(|c| c.ask_all(&request))?;
    for _ in 0..stage.scale.rounds {
        for crowd in &mut crowds {
            let rhythm = Rhythm { sleep: Duration::from_millis(10), time: stage.scale.load_time };
            let tally = wakes(crowd, &request, rhythm)?;
            figure.add_clients(crowd.who(), tally.rate(), tally.client_rates());
        }
    }
    Ok(vec![figure])
}

fn wake(stage: &Stage, count: usize, names: &[Names]) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    for name in names {
        let what = format!(
            "{count} clients: SELECT 1, sleep {} ms (half to one and a half), and again",
            name.sleep.as_millis()
        );
        figures.push(Figure::new(
            name.median,
            format!("{what}; time to the answer, median; clients: their means"),
            Unit::Micros,
            Goal::TimesAtMost(POSTGRESQL, 1.0),
            &WHO,
        ));
        figures.push(Figure::new(
            name.p99,
            "the same: 99th percentile",
            Unit::Micros,
            Goal::TimesAtMost(POSTGRESQL, 0.5),
            &WHO,
        ));
        figures.push(Figure::new(
            name.rate,
            "the same: answers per second",
            Unit::PerSecond,
            Goal::TimesAtLeast(HATHI_THREAD, 0.995),
            &WHO,
        ));
    }
    let endpoints = stage.open_all(&DOORS, &mut figures[0])?;
    let request = query("SELECT 1");
    let mut crowds = endpoints.iter().map(|e| Crowd::connect(e, count)).collect::<Result<Vec<_>, Failure>>()?;
    crowds.iter_mut().try_for_each(|c| c.ask_all(&request))?;
    for (name, figures) in names.iter().zip(figures.chunks_mut(3)) {
        let [median, p99, rate] = figures else { continue };
        // The tiny sizes only show that it works.
        let time = stage.scale.load_time;
        let sleep = name.sleep.min(time / 2);
        let time = if sleep < name.sleep { time } else { time.max(sleep * SLEEPS) };
        let mut delays: Vec<(&str, f64)> = crowds.iter().map(|c| (c.who(), 0.0)).collect();
        for _ in 0..stage.scale.long_rounds {
            for (crowd, (_, delay)) in crowds.iter_mut().zip(&mut delays) {
                let tally = wakes(crowd, &request, Rhythm { sleep, time })?;
                median.add_clients(crowd.who(), tally.micros_at(0.5), tally.client_micros());
                p99.add(crowd.who(), tally.micros_at(0.99));
                rate.add_clients(crowd.who(), tally.rate(), tally.client_rates());
                *delay = tally.delay_micros_at(0.99).max(*delay);
            }
        }
        // Not part of an answer's time, but a sign of how much of the machine a server left to its clients.
        let late: Vec<String> = delays.iter().map(|(who, delay)| format!("{who} {delay:.0} µs")).collect();
        p99.note(format!("How late the driver sent its requests, 99th percentile: {}.", late.join(", ")));
    }
    Ok(figures)
}
