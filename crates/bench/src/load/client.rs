//! `Client`: one connection of the driver.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::load::answers::{Answer, Answers};
use crate::load::login::{Credentials, Login};
use crate::stage::Failure;

/// A connection, logged in or about to be.
pub struct Client {
    stream: UnixStream,
    answers: Answers,
    /// While the login lasts.
    login: Option<Login>,
    unsent: Vec<u8>,
}

impl Client {
    /// Connects and sends the first message.
    pub fn connect(socket: &Path, credentials: &Credentials) -> io::Result<Client> {
        let stream = UnixStream::connect(socket)?;
        stream.set_nonblocking(true)?;
        let mut client =
            Client { stream, answers: Answers::default(), login: Some(Login::default()), unsent: Vec::new() };
        client.send(&credentials.startup())?;
        Ok(client)
    }

    /// Its socket.
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// Notifications that came so far.
    pub fn told(&self) -> usize {
        self.answers.told
    }

    /// Whether part of what was sent waits for room.
    pub fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Sends bytes as far as there is room, and keeps the rest for [`Client::flush`].
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.has_unsent() {
            self.unsent.extend_from_slice(bytes);
            return self.flush();
        }
        let sent = accepted((&self.stream).write(bytes))?;
        self.unsent.extend_from_slice(&bytes[sent..]);
        Ok(())
    }

    /// Sends what is unsent, as far as there is room.
    pub fn flush(&mut self) -> io::Result<()> {
        let sent = accepted((&self.stream).write(&self.unsent))?;
        self.unsent.drain(..sent);
        Ok(())
    }

    /// Reads what is there; whether an answer is complete now. `buffer` is anybody's. The end of a login is an answer as well.
    ///
    /// # Errors
    /// What the server reports, or that it closed the connection.
    pub fn receive(&mut self, buffer: &mut [u8], credentials: &mut Credentials) -> Result<bool, Failure> {
        let count = match (&self.stream).read(buffer) {
            Ok(0) => return Err("the server closed the connection".into()),
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        let mut input = &buffer[..count];
        let mut complete = false;
        while let Some(answer) = self.answers.next(&mut input)? {
            match answer {
                Answer::Ready => {
                    self.login = None;
                    complete = true;
                }
                Answer::Said(said) => {
                    let Some(login) = &mut self.login else { return Err(format!("the server says {said:?}").into()) };
                    if let Some(reply) = login.answer(said, credentials)? {
                        self.send(&reply)?;
                    }
                }
            }
        }
        Ok(complete)
    }
}

/// How many bytes were written; none when there is no room.
fn accepted(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}
