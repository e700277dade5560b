//! A client that a carrier attends to is served as any other, and keeps nobody waiting (P5).

use std::io::Write;
use std::time::{Duration, Instant};

use server::SessionMode;

use crate::client::{Client, Served, TWO};

const ONE: SessionMode = SessionMode::Pooled { slots: 1 };
const ATTENDED: &str = "SELECT count(*) FROM hathi_carriers WHERE attends";

/// A client that has asked so often that it is attended to.
fn attended(served: &Served) -> Client {
    let mut client = served.connect();
    let until = Instant::now() + Duration::from_secs(20);
    while client.run(ATTENDED).row() == ["0"] {
        assert!(Instant::now() < until, "nobody attends");
    }
    client
}

#[test]
fn the_only_carrier_serves_others_too() {
    let served = Served::start(ONE);
    let mut first = attended(&served);
    let mut others: Vec<Client> = (0..3).map(|_| served.connect()).collect();
    // Whoever is served attended or not: each is answered, whoever else asks and in whatever order.
    for turn in 0..400 {
        first.ask("SELECT 1");
        others[turn % 3].ask("SELECT 2");
        assert_eq!(others[turn % 3].answer().row(), ["2"]);
        assert_eq!(first.answer().row(), ["1"]);
    }
    assert_eq!(others[0].run(ATTENDED).row(), ["0"]);
    // Turns of one client alone, of each.
    for client in &mut others {
        (0..100).for_each(|_| assert_eq!(client.run("SELECT 3").row(), ["3"]));
    }
    assert_eq!(first.run("SELECT 4").row(), ["4"]);
}

#[test]
fn two_that_ask_at_once_are_both_served() {
    let served = Served::start(TWO);
    let mut clients: Vec<Client> = (0..2).map(|_| served.connect()).collect();
    std::thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| (0..5000).for_each(|_| assert_eq!(client.run("SELECT 1").row(), ["1"])));
        }
        // Others get through meanwhile, one after the other and for the first time.
        for _ in 0..50 {
            assert_eq!(served.connect().run("SELECT 2").row(), ["2"]);
        }
    });
}

#[test]
fn what_comes_from_elsewhere_reaches_it() {
    for mode in [ONE, TWO] {
        let served = Served::start(mode);
        let mut listener = attended(&served);
        listener.run("LISTEN news");
        attended(&served).run("NOTIFY news, 'it'");
        assert_eq!(listener.notification().2, "it");
        // A message that comes in two parts.
        (0..100).for_each(|_| drop(listener.run("SELECT 1")));
        let message = b"Q\0\0\0\x0dSELECT 5\0";
        listener.send(&message[..7]);
        std::thread::sleep(Duration::from_millis(20));
        listener.send(&message[7..]);
        assert_eq!(listener.answer().row(), ["5"]);
        // More than its socket takes at once.
        listener.ask("SELECT repeat('x', 1000) FROM generate_series(1, 5000)");
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(listener.answer().rows.len(), 5000);
        // Many questions at once, of which each turn takes some.
        (0..100).for_each(|_| drop(listener.run("SELECT 1")));
        let all: Vec<u8> = std::iter::repeat_n(&message[..], 1000).flatten().copied().collect();
        listener.stream.write_all(&all).unwrap();
        (0..1000).for_each(|_| assert_eq!(listener.answer().row(), ["5"]));
        // Its end, by others and by itself.
        (0..100).for_each(|_| drop(listener.run("SELECT 1")));
        served.run(&format!("SELECT pg_terminate_backend({})", listener.pid));
        assert_eq!(listener.answer().state(), "57P01");
        let mut timed = attended(&served);
        timed.run("SET idle_session_timeout = 50");
        (0..100).for_each(|_| drop(timed.run("SELECT 1")));
        assert_eq!(timed.answer().state(), "57P05");
        drop(attended(&served));
        assert!(served.connect().is_alone(500));
        assert_eq!(served.connect().run(ATTENDED).row(), ["0"]);
    }
}

#[test]
fn a_long_statement_leaves_its_carrier_to_others() {
    let served = Served::start(ONE);
    let mut heavy = attended(&served);
    heavy.ask("SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 1000) b");
    std::thread::sleep(Duration::from_millis(30));
    let mut other = served.connect();
    (0..100).for_each(|_| drop(other.run("SELECT 1")));
    heavy.cancel(&served.path);
    assert_eq!(heavy.answer().state(), "57014");
    (0..100).for_each(|_| drop(heavy.run("SELECT 1")));
}
