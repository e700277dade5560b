//! `Channel`: a byte stream to a client, with what was read ahead and what is still to be written.
//!
//! Between messages nothing blocks: what cannot be read or written now is left for later ([`Channel::next`], [`Channel::drain`]). Within a
//! statement the thread waits, and lends its slot meanwhile (E4).

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use env::waiting::{self, Wait};
use session::{CopyShape, Farewell};
use types::error::Severity;
use types::{Result, SqlError, SqlState};
use wire::{Decoder, FrontendMessage, backend};

use crate::tls::{Tls, TlsSettings};
use crate::transport::{Nowhere, Transport};

/// Bytes asked of the stream at a time.
const READ_BYTES: usize = 16 << 10;
/// What is written out before more is made.
const FLUSH_BYTES: usize = 64 << 10;
/// What a statement that cannot be suspended here makes at most before it waits.
const WAIT_BYTES: usize = 1 << 20;
/// A buffer that has grown larger is not kept for the next connection.
const KEEP_BYTES: usize = 256 << 10;
/// How often a wait within a statement looks whether it is to go on.
const LOOK: Duration = Duration::from_millis(20);

/// Buffers that a connection has only while it is run.
pub struct Scratch {
    read: Box<[u8]>,
    input: BytesMut,
    output: BytesMut,
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch { read: vec![0; READ_BYTES].into_boxed_slice(), input: BytesMut::new(), output: BytesMut::new() }
    }
}

pub struct Channel {
    transport: Box<dyn Transport>,
    read: Box<[u8]>,
    input: BytesMut,
    pub output: BytesMut,
    pub decoder: Decoder,
    /// How often something was read.
    pub reads: u32,
    /// Asked in waits within statements.
    pub cancel: Option<session::CancelHandle>,
    /// The client sent what cannot be where it was: nobody knows where the next message starts.
    desynchronized: bool,
    /// The stream failed in the middle of a statement: nothing more can be said to the client.
    lost: bool,
}

/// The client is gone.
pub fn gone() -> io::Error {
    io::ErrorKind::UnexpectedEof.into()
}

/// What is next in the stream.
pub enum Incoming {
    Message(FrontendMessage),
    /// A message that could not be read, and its type byte.
    Malformed(u8, SqlError),
    /// Nothing until more is read.
    Nothing,
}

/// A message of a client that sends the data of a COPY.
pub enum CopyMessage {
    Data(Bytes),
    Done,
    /// One that says nothing here.
    Nothing,
}

impl Channel {
    pub fn new(transport: Box<dyn Transport>) -> Channel {
        Channel {
            transport,
            read: Box::default(),
            input: BytesMut::new(),
            output: BytesMut::new(),
            decoder: Decoder::default(),
            reads: 0,
            cancel: None,
            desynchronized: false,
            lost: false,
        }
    }

    /// Its socket, if it has one.
    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.transport.socket()
    }

    pub fn transport(&mut self) -> &mut dyn Transport {
        &mut *self.transport
    }

    /// From here on all is encrypted: what was read and not taken is the client's handshake, what is still to be written goes out plain.
    pub fn encrypt(&mut self, settings: Arc<TlsSettings>, names_protocol: bool) -> io::Result<()> {
        let inner = std::mem::replace(&mut self.transport, Box::new(Nowhere));
        let plain = (self.input.split().to_vec(), self.output.split().to_vec());
        self.transport = Box::new(Tls::new(inner, settings, plain, names_protocol)?);
        Ok(())
    }

    /// Gets buffers for as long as it is run.
    pub fn take_buffers(&mut self, scratch: &mut Scratch) {
        std::mem::swap(&mut self.read, &mut scratch.read);
        if self.input.is_empty() {
            self.input = std::mem::take(&mut scratch.input);
        }
        if self.output.is_empty() {
            self.output = std::mem::take(&mut scratch.output);
        }
    }

    /// Gives back those that hold nothing.
    pub fn give_buffers(&mut self, scratch: &mut Scratch) {
        std::mem::swap(&mut self.read, &mut scratch.read);
        let keep = |own: &mut BytesMut, to: &mut BytesMut| {
            if own.is_empty() {
                let buffer = std::mem::take(own);
                if buffer.capacity() <= KEEP_BYTES {
                    *to = buffer;
                }
            }
        };
        keep(&mut self.input, &mut scratch.input);
        keep(&mut self.output, &mut scratch.output);
    }

    /// Bytes that its buffers take; those that it has only while it is run not among them.
    pub fn held_bytes(&self) -> usize {
        let kept = |buffer: &BytesMut| if buffer.is_empty() { 0 } else { buffer.capacity() };
        kept(&self.input) + kept(&self.output)
    }

    pub fn is_desynchronized(&self) -> bool {
        self.desynchronized
    }

    pub fn is_lost(&self) -> bool {
        self.lost
    }

    pub fn input(&mut self) -> (&mut Decoder, &mut BytesMut) {
        (&mut self.decoder, &mut self.input)
    }

    /// Whether a Sync is next in what was read.
    pub fn next_is_sync(&self) -> bool {
        self.input.starts_with(&[b'S', 0, 0, 0, 4])
    }

    /// Reads what is there; false when there is nothing now.
    pub fn read_more(&mut self) -> io::Result<bool> {
        match self.transport.read(&mut self.read) {
            Ok(0) => Err(gone()),
            Ok(n) => {
                self.reads = self.reads.wrapping_add(1);
                self.input.extend_from_slice(&self.read[..n]);
                Ok(true)
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            // Something came that says nothing to us.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(e) => Err(e),
        }
    }

    /// The next message of what was read. An error of the stream itself ends the connection.
    pub fn next(&mut self) -> io::Result<Incoming> {
        let tag = self.input.first().copied().unwrap_or(0);
        match self.decoder.decode(&mut self.input) {
            Ok(Some(message)) => Ok(Incoming::Message(message)),
            Ok(None) => Ok(Incoming::Nothing),
            Err(e) if e.fields().severity == Severity::Fatal => Err(self.fatal(e)),
            Err(e) => Ok(Incoming::Malformed(tag, e)),
        }
    }

    /// Writes what there is room for; whether all is written.
    pub fn drain(&mut self) -> io::Result<bool> {
        while !self.output.is_empty() {
            match self.transport.write(&self.output) {
                Ok(n) => self.output.advance(n),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(e) => {
                    self.output.clear();
                    return Err(e);
                }
            }
        }
        self.output.clear();
        Ok(true)
    }

    /// Waits in this thread until there is room to write, or the statement is to end.
    fn wait(&mut self) -> Result<()> {
        let (transport, cancel) = (&self.transport, &self.cancel);
        let say = |why| cancel.iter().for_each(|backend| backend.set_waiting(why));
        say(Some(Wait::ClientWrite));
        let outcome = waiting::blocking(Wait::ClientWrite, || {
            loop {
                if let Some(cancel) = cancel {
                    cancel.check()?;
                }
                match transport.wait_for_room(LOOK) {
                    Ok(true) => return Ok(()),
                    Ok(false) => {}
                    Err(e) => return Err(SqlError::new(SqlState::CONNECTION_FAILURE, e.to_string())),
                }
            }
        });
        say(None);
        outcome
    }

    /// Writes all, within a statement.
    fn flush(&mut self) -> Result<()> {
        loop {
            match self.drain() {
                Ok(true) => return Ok(()),
                // What the client does not take cannot be told either.
                Ok(false) => self.wait().inspect_err(|_| self.lost = true)?,
                Err(e) => return Err(self.failed("send data to", &e)),
            }
        }
    }

    /// Whether so much is to be written that no more should be made.
    pub fn is_full(&self) -> bool {
        self.output.len() >= FLUSH_BYTES
    }

    /// Writes when enough has gathered, what there is room for; within a statement, waits only when far too much has.
    pub fn relieve(&mut self) -> Result<()> {
        if self.output.len() < FLUSH_BYTES {
            return Ok(());
        }
        self.drain().map_err(|e| self.failed("send data to", &e))?;
        if self.output.len() < WAIT_BYTES { Ok(()) } else { self.flush() }
    }

    fn failed(&mut self, what: &str, e: &io::Error) -> SqlError {
        self.lost = true;
        SqlError::new(SqlState::CONNECTION_FAILURE, format!("could not {what} client: {e}"))
    }

    /// Says how the session ends.
    pub fn say_farewell(&self, how: Farewell) {
        if let Some(backend) = &self.cancel {
            backend.set_farewell(how);
        }
    }

    /// Sends a fatal error; answers what ends the connection.
    pub fn fatal(&mut self, error: SqlError) -> io::Error {
        self.say_farewell(Farewell::Error);
        self.lost = true;
        backend::error_response(&mut self.output, &error.severity(Severity::Fatal));
        // A client that does not read it must not hold up anybody.
        let _ = self.drain();
        gone()
    }

    /// Asks for the data of COPY FROM STDIN.
    pub fn copy_in(&mut self, shape: CopyShape) -> Result<()> {
        backend::copy_in_response(&mut self.output, u8::from(shape.binary), shape.column_count);
        Ok(())
    }

    /// What a message means while the data of a COPY are awaited.
    pub fn copy_message(&mut self, incoming: Incoming) -> Result<CopyMessage> {
        let type_byte = match incoming {
            Incoming::Malformed(_, e) => return Err(e),
            Incoming::Message(FrontendMessage::CopyData(data)) => return Ok(CopyMessage::Data(data)),
            Incoming::Message(FrontendMessage::CopyDone) => return Ok(CopyMessage::Done),
            Incoming::Message(FrontendMessage::CopyFail(why)) => {
                let message = format!("COPY from stdin failed: {}", String::from_utf8_lossy(&why));
                return Err(SqlError::new(SqlState::QUERY_CANCELED, message));
            }
            // As in PostgreSQL: a client that does not know what it gets sends them behind an Execute.
            Incoming::Message(FrontendMessage::Flush | FrontendMessage::Sync) | Incoming::Nothing => {
                return Ok(CopyMessage::Nothing);
            }
            Incoming::Message(message) => type_byte(&message),
        };
        self.desynchronized = true;
        let message = format!("unexpected message type 0x{type_byte:02X} during COPY from stdin");
        Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message))
    }

    /// Sends a row of COPY TO STDOUT.
    pub fn copy_data(&mut self, row: &[u8]) -> Result<()> {
        backend::copy_data(&mut self.output, row);
        self.relieve()
    }
}

fn type_byte(message: &FrontendMessage) -> u8 {
    match message {
        FrontendMessage::Query(_) => b'Q',
        FrontendMessage::Parse { .. } => b'P',
        FrontendMessage::Bind { .. } => b'B',
        FrontendMessage::Describe { .. } => b'D',
        FrontendMessage::Execute { .. } => b'E',
        FrontendMessage::Close { .. } => b'C',
        FrontendMessage::FunctionCall { .. } => b'F',
        FrontendMessage::Terminate => b'X',
        _ => b'p',
    }
}
