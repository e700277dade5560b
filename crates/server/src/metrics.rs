//! Figures for Prometheus: one small HTTP answer per request, in a thread of its own, so that they can be had when all carriers are busy.
//!
//! Text format 0.0.4 (<https://prometheus.io/docs/instrumenting/exposition_formats/>). Whoever can reach the address can read them: counts
//! and names of databases, no texts and no rows.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Weak;
use std::time::Duration;

use session::{Doing, Observed, Runtime};

use crate::{Server, Shared};

/// How long a client may take to ask, and to read.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longer requests are not read.
const REQUEST_BYTES: usize = 8192;

/// Writes figures one after the other.
struct Page(String);

impl Page {
    /// One figure, with its values by labels.
    fn figure<'a>(&mut self, name: &str, kind: &str, help: &str, values: impl IntoIterator<Item = (&'a str, f64)>) {
        // A string does not fail to write.
        let _ = write!(self.0, "# HELP hathi_{name} {help}\n# TYPE hathi_{name} {kind}\n");
        for (labels, value) in values {
            let _ = match labels {
                "" => writeln!(self.0, "hathi_{name} {value}"),
                labels => writeln!(self.0, "hathi_{name}{{{labels}}} {value}"),
            };
        }
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.figure(name, kind, help, [("", value)]);
    }

    /// One figure, with a value for each of `items`.
    fn each<T>(&mut self, (name, kind, help): (&str, &str, &str), items: &[T], value: impl Fn(&T) -> (String, f64)) {
        let values: Vec<(String, f64)> = items.iter().map(value).collect();
        self.figure(name, kind, help, values.iter().map(|(labels, value)| (&**labels, *value)));
    }
}

/// A label with its value.
fn label(name: &str, value: &str) -> String {
    format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// The figures as Prometheus reads them.
fn page(o: &Observed) -> String {
    let mut page = Page(String::with_capacity(4096));
    let states: Vec<(Doing, usize)> = Doing::ALL.into_iter().zip(o.sessions).collect();
    page.each(("sessions", "gauge", "Sessions by what they do."), &states, |(doing, count)| {
        (label("state", doing.name()), *count as f64)
    });
    page.one("sessions_parked", "gauge", "Sessions that no thread runs.", o.parked as f64);
    page.one("session_bytes", "gauge", "Bytes that sessions hold between statements.", o.session_bytes as f64);
    let slots = o.carriers.iter().filter(|c| c.has_slot).count();
    let threads = [("slot", slots), ("lent", o.carriers.len() - slots)];
    page.each(("carriers", "gauge", "Threads that run sessions."), &threads, |(word, count)| {
        (label("has", word), *count as f64)
    });
    page.one("slots_lent_total", "counter", "How often a carrier lent its slot.", o.lent as f64);
    let event = |w: &session::carrier::WaitState| {
        let (ty, event) = w.wait.name();
        format!("{},{}", label("type", ty), label("event", event))
    };
    page.each(("waits_total", "counter", "Waits of carriers."), &o.waits, |w| (event(w), w.times as f64));
    page.each(("wait_seconds_total", "counter", "Time that carriers waited."), &o.waits, |w| {
        (event(w), w.total.as_secs_f64())
    });
    page.each(("waiting", "gauge", "Carriers that wait now."), &o.waits, |w| (event(w), w.now as f64));
    let databases = &o.databases[..];
    let of = |d: &session::ObservedDatabase| label("database", &d.name);
    page.each(("commits_total", "counter", "Transactions committed."), databases, |d| (of(d), d.commits as f64));
    page.each(("rollbacks_total", "counter", "Transactions rolled back."), databases, |d| (of(d), d.rollbacks as f64));
    page.each(("deadlocks_total", "counter", "Deadlocks."), databases, |d| (of(d), d.deadlocks as f64));
    page.each(("sessions_total", "counter", "Sessions begun."), databases, |d| (of(d), d.sessions as f64));
    let written: Vec<(String, u64)> = databases
        .iter()
        .flat_map(|d| {
            let kinds = ["inserted", "updated", "deleted"].into_iter().zip(d.rows_written);
            kinds.map(move |(kind, n)| (format!("{},{}", label("database", &d.name), label("kind", kind)), n))
        })
        .collect();
    page.each(("rows_written_total", "counter", "Rows written."), &written, |(labels, n)| (labels.clone(), *n as f64));
    page.each(("pages_read_total", "counter", "Pages read from the disk."), databases, |d| {
        (of(d), d.pages_read as f64)
    });
    page.one("statements_total", "counter", "Runs of the statements in pg_stat_statements.", o.calls as f64);
    page.one("plans_made_total", "counter", "Statements that were planned.", o.plans.planned as f64);
    page.one("plan_cache_hits_total", "counter", "Plans that were found made.", o.plans.found as f64);
    page.one("log_syncs_total", "counter", "Times that the log was made durable.", o.log_syncs as f64);
    page.one("log_bytes_total", "counter", "Bytes of log.", o.log_bytes as f64);
    let memory = [("pages", o.page_bytes), ("versions", o.version_bytes), ("statements", o.statement_bytes)];
    page.each(("memory_bytes", "gauge", "Bytes of memory by what they hold."), &memory, |(what, bytes)| {
        (label("what", what), *bytes as f64)
    });
    page.0
}

/// The first line of a request.
fn asked(stream: &mut TcpStream) -> io::Result<String> {
    let (mut request, mut room) = (Vec::new(), [0; 1024]);
    while !request.windows(4).any(|w| w == b"\r\n\r\n") && request.len() < REQUEST_BYTES {
        match stream.read(&mut room)? {
            0 => break,
            n => request.extend_from_slice(&room[..n]),
        }
    }
    let line = request.split(|&b| b == b'\r').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

fn answer(stream: &mut TcpStream, runtime: &Runtime) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let line = asked(stream)?;
    let path = line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    let (status, body) = match (line.starts_with("GET "), path) {
        (true, "/metrics" | "/") => match runtime.observed() {
            Ok(observed) => ("200 OK", page(&observed)),
            Err(e) => ("503 Service Unavailable", e.message().to_owned()),
        },
        (true, _) => ("404 Not Found", String::new()),
        (false, _) => ("405 Method Not Allowed", String::new()),
    };
    let length = body.len();
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

fn serve(listener: &TcpListener, shared: &Weak<Shared>) {
    for stream in listener.incoming() {
        let Some(shared) = shared.upgrade().filter(|s| !s.is_stopping()) else { return };
        let Ok(mut stream) = stream else { continue };
        // A client that goes away, or is slow, is no concern of ours.
        let _ = answer(&mut stream, shared.database.runtime());
    }
}

impl Server {
    /// Answers requests for figures on `address` until the server stops; the bound address.
    ///
    /// # Errors
    /// When the address cannot be bound, or there is no thread.
    pub fn serve_metrics(&self, address: impl ToSocketAddrs) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address)?;
        let bound = listener.local_addr()?;
        let shared = std::sync::Arc::downgrade(&self.shared);
        std::thread::Builder::new().name("hathi-metrics".to_owned()).spawn(move || serve(&listener, &shared))?;
        crate::locked(&self.shared.metrics).push(bound);
        Ok(bound)
    }
}

/// Has the threads that answer on these addresses see that the server stops.
pub fn stop(addresses: &[SocketAddr]) {
    for address in addresses {
        let mut address = *address;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() {
                [127, 0, 0, 1].into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            });
        }
        let _ = TcpStream::connect_timeout(&address, PATIENCE);
    }
}
