//! `Crowd`: clients of one server, and whose answers are complete.

use std::io;
use std::time::{Duration, Instant};

use crate::load::client::Client;
use crate::load::login::Credentials;
use crate::load::poller::{Interest, Poller};
use crate::peers::Endpoint;
use crate::stage::Failure;

/// Logins under way at a time: less than any server's listen queue, so that connecting never blocks us.
const LOGINS_MAX: usize = 64;
/// How long one answer may take before a load is given up.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long nobody may be let in before the crowd is as large as it will be.
const LOGIN_PATIENCE: Duration = Duration::from_secs(5);
const BUFFER_BYTES: usize = 64 << 10;

/// A client that heard from the server.
pub struct Heard {
    /// Its number.
    pub client: usize,
    /// When.
    pub at: Instant,
    /// Nothing when its answer is complete; else what went wrong, after which the client is gone.
    pub failure: Option<Failure>,
}

/// Clients of one server, by number.
pub struct Crowd<'e> {
    endpoint: &'e Endpoint,
    credentials: Credentials,
    poller: Poller,
    clients: Vec<Option<Client>>,
    buffer: Box<[u8]>,
    ready: Vec<usize>,
}

impl<'e> Crowd<'e> {
    /// Nobody yet.
    ///
    /// # Errors
    /// Those of the system.
    pub fn new(endpoint: &'e Endpoint) -> Result<Crowd<'e>, Failure> {
        Ok(Crowd {
            endpoint,
            credentials: Credentials::new(endpoint),
            poller: Poller::new()?,
            clients: Vec::new(),
            buffer: vec![0; BUFFER_BYTES].into(),
            ready: Vec::new(),
        })
    }

    /// `count` clients, all let in.
    ///
    /// # Errors
    /// When one of them is not.
    pub fn connect(endpoint: &'e Endpoint, count: usize) -> Result<Crowd<'e>, Failure> {
        let mut crowd = Crowd::new(endpoint)?;
        match crowd.gather(count)? {
            None => Ok(crowd),
            Some(why) => Err(format!("{}: {} of {count} clients were let in: {why}", endpoint.who, crowd.len()).into()),
        }
    }

    /// Adds up to `count` clients; when not all are let in, why not.
    ///
    /// # Errors
    /// Those of the system.
    pub fn gather(&mut self, count: usize) -> Result<Option<String>, Failure> {
        let (mut begun, mut pending, mut heard) = (0, Vec::new(), Vec::new());
        let mut last = Instant::now();
        let mut why = None;
        while why.is_none() && (begun < count || !pending.is_empty()) {
            while begun < count && pending.len() < LOGINS_MAX && why.is_none() {
                let number = self.clients.len();
                self.clients.push(None);
                match self.reconnect(number) {
                    Ok(()) => pending.push(number),
                    Err(e) => why = Some(e.to_string()),
                }
                begun += 1;
            }
            self.listen(Duration::from_millis(100), &mut heard)?;
            for Heard { client, at, failure } in heard.drain(..) {
                pending.retain(|&p| p != client);
                last = at;
                why = why.or(failure.map(|e| e.to_string()));
            }
            if last.elapsed() > LOGIN_PATIENCE {
                why = Some(format!("nobody more was within {} s", LOGIN_PATIENCE.as_secs()));
            }
        }
        pending.into_iter().for_each(|p| self.clients[p] = None);
        Ok(why)
    }

    /// Makes client `number` anew: its login is under way when this returns.
    pub fn reconnect(&mut self, number: usize) -> io::Result<()> {
        let client = Client::connect(&self.endpoint.socket(), &self.credentials)?;
        self.poller.add(client.stream(), number)?;
        self.clients[number] = Some(client);
        Ok(())
    }

    /// Makes room for `count` clients that [`Crowd::reconnect`] will connect.
    pub fn reserve(&mut self, count: usize) {
        self.clients.resize_with(count, || None);
    }

    /// Sends a last message and closes the connection without waiting for the server.
    pub fn leave(&mut self, number: usize, farewell: &[u8]) {
        if let Some(mut client) = self.clients[number].take() {
            // Who is gone already need not be told.
            let _ = client.send(farewell);
        }
    }

    /// The numbers of those who are connected.
    pub fn numbers(&self) -> Vec<usize> {
        (0..self.clients.len()).filter(|&n| self.clients[n].is_some()).collect()
    }

    /// How many are connected.
    pub fn len(&self) -> usize {
        self.clients.iter().flatten().count()
    }

    /// Notifications that those who are connected have had so far.
    pub fn told(&self) -> usize {
        self.clients.iter().flatten().map(Client::told).sum()
    }

    /// Who they are clients of.
    pub fn who(&self) -> &'static str {
        self.endpoint.who
    }

    /// Sends a request of client `number`.
    ///
    /// # Errors
    /// When it is not connected any more.
    pub fn send(&mut self, number: usize, request: &[u8]) -> Result<(), Failure> {
        let client = self.clients[number].as_mut().ok_or("a client is gone")?;
        client.send(request)?;
        if client.has_unsent() {
            self.poller.change(client.stream(), number, Interest::ReadAndWrite)?;
        }
        Ok(())
    }

    /// Waits at most `patience` for some answers to be complete, and adds who has them.
    ///
    /// # Errors
    /// Those of the system.
    pub fn listen(&mut self, patience: Duration, heard: &mut Vec<Heard>) -> Result<(), Failure> {
        let mut ready = std::mem::take(&mut self.ready);
        self.poller.wait(patience, &mut ready)?;
        for &number in &ready {
            let Some(client) = &mut self.clients[number] else { continue };
            if client.has_unsent() {
                // An error here is seen by reading too.
                let _ = client.flush();
                if !client.has_unsent() {
                    self.poller.change(client.stream(), number, Interest::Read)?;
                }
            }
            let failure = match client.receive(&mut self.buffer, &mut self.credentials) {
                Ok(false) => continue,
                Ok(true) => None,
                Err(e) => {
                    self.clients[number] = None;
                    Some(e)
                }
            };
            heard.push(Heard { client: number, at: Instant::now(), failure });
        }
        self.ready = ready;
        Ok(())
    }

    /// Everybody sends `request`.
    ///
    /// # Errors
    /// When somebody is not connected any more.
    pub fn send_all(&mut self, request: &[u8]) -> Result<(), Failure> {
        self.numbers().into_iter().try_for_each(|n| self.send(n, request))
    }

    /// Waits at most `patience` until `count` answers are complete; how many are.
    ///
    /// # Errors
    /// What a server reports.
    pub fn hear(&mut self, count: usize, patience: Duration) -> Result<usize, Failure> {
        let (until, mut heard, mut complete) = (Instant::now() + patience, Vec::new(), 0);
        while complete < count {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.listen(left, &mut heard)?;
            for one in heard.drain(..) {
                match one.failure {
                    None => complete += 1,
                    Some(e) => return Err(self.failure(e)),
                }
            }
        }
        Ok(complete)
    }

    /// Everybody sends `request` and has its answer, some of them at a time.
    ///
    /// # Errors
    /// What a server reports, or that it does not answer.
    pub fn ask_all(&mut self, request: &[u8]) -> Result<(), Failure> {
        for some in self.numbers().chunks(LOGINS_MAX) {
            some.iter().try_for_each(|&n| self.send(n, request))?;
            if self.hear(some.len(), PATIENCE)? < some.len() {
                return Err(self.failure("no answer".into()));
            }
        }
        Ok(())
    }

    /// `e`, with the server's name.
    pub fn failure(&self, e: Failure) -> Failure {
        format!("{}: {e}", self.endpoint.who).into()
    }
}
