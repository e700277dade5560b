//! `Channel`: a byte stream to a client, with what was read ahead and what is still to be written.

use std::io::{self, Read, Write};

use bytes::{Bytes, BytesMut};
use session::CopyShape;
use types::error::Severity;
use types::{Result, SqlError, SqlState};
use wire::{Decoder, FrontendMessage, backend};

/// Bytes asked of the stream at a time.
const READ_BYTES: usize = 16 << 10;
/// What is written out before more is made.
const FLUSH_BYTES: usize = 64 << 10;

pub struct Channel {
    reader: Box<dyn Read + Send>,
    writer: Box<dyn Write + Send>,
    input: BytesMut,
    pub output: BytesMut,
    pub decoder: Decoder,
    scratch: Box<[u8]>,
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
}

impl Channel {
    pub fn new(reader: Box<dyn Read + Send>, writer: Box<dyn Write + Send>) -> Channel {
        Channel {
            reader,
            writer,
            input: BytesMut::new(),
            output: BytesMut::new(),
            decoder: Decoder::default(),
            scratch: vec![0; READ_BYTES].into_boxed_slice(),
            desynchronized: false,
            lost: false,
        }
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

    /// Waits for more bytes.
    pub fn read_more(&mut self) -> io::Result<()> {
        loop {
            match self.reader.read(&mut self.scratch) {
                Ok(0) => return Err(gone()),
                Ok(n) => {
                    self.input.extend_from_slice(&self.scratch[..n]);
                    return Ok(());
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// The next message; answers go out before it is waited for. An error of the stream itself ends the connection.
    pub fn receive(&mut self) -> io::Result<Incoming> {
        loop {
            let tag = self.input.first().copied().unwrap_or(0);
            match self.decoder.decode(&mut self.input) {
                Ok(Some(message)) => return Ok(Incoming::Message(message)),
                Ok(None) => {
                    if !self.output.is_empty() {
                        self.flush()?;
                    }
                    self.read_more()?;
                }
                Err(e) if e.fields().severity == Severity::Fatal => return Err(self.fatal(e)),
                Err(e) => return Ok(Incoming::Malformed(tag, e)),
            }
        }
    }

    pub fn flush(&mut self) -> io::Result<()> {
        let outcome = self.writer.write_all(&self.output).and_then(|()| self.writer.flush());
        self.output.clear();
        outcome
    }

    /// Flushes when enough has gathered, within a statement.
    pub fn flush_if_full(&mut self) -> Result<()> {
        if self.output.len() < FLUSH_BYTES {
            return Ok(());
        }
        self.flush().map_err(|e| self.failed("send data to", &e))
    }

    fn failed(&mut self, what: &str, e: &io::Error) -> SqlError {
        self.lost = true;
        SqlError::new(SqlState::CONNECTION_FAILURE, format!("could not {what} client: {e}"))
    }

    /// Sends a fatal error; answers what ends the connection.
    pub fn fatal(&mut self, error: SqlError) -> io::Error {
        self.lost = true;
        backend::error_response(&mut self.output, &error.severity(Severity::Fatal));
        let _ = self.flush();
        gone()
    }

    /// Asks for the data of COPY FROM STDIN.
    pub fn copy_in(&mut self, shape: CopyShape) -> Result<()> {
        backend::copy_in_response(&mut self.output, u8::from(shape.binary), shape.column_count);
        self.flush().map_err(|e| self.failed("send data to", &e))
    }

    /// The next data of COPY FROM STDIN.
    pub fn copy_read(&mut self) -> Result<Option<Bytes>> {
        loop {
            let incoming = match self.receive() {
                Ok(incoming) => incoming,
                Err(e) => {
                    self.lost = true;
                    let text = "unexpected EOF on client connection with an open transaction";
                    let text = if e.kind() == io::ErrorKind::UnexpectedEof { text.to_owned() } else { e.to_string() };
                    return Err(SqlError::new(SqlState::CONNECTION_FAILURE, text));
                }
            };
            let type_byte = match incoming {
                Incoming::Malformed(_, e) => return Err(e),
                Incoming::Message(FrontendMessage::CopyData(data)) => return Ok(Some(data)),
                Incoming::Message(FrontendMessage::CopyDone) => return Ok(None),
                Incoming::Message(FrontendMessage::CopyFail(why)) => {
                    let message = format!("COPY from stdin failed: {}", String::from_utf8_lossy(&why));
                    return Err(SqlError::new(SqlState::QUERY_CANCELED, message));
                }
                // As in PostgreSQL: a client that does not know what it gets sends them behind an Execute.
                Incoming::Message(FrontendMessage::Flush | FrontendMessage::Sync) => continue,
                Incoming::Message(message) => type_byte(&message),
            };
            self.desynchronized = true;
            let message = format!("unexpected message type 0x{type_byte:02X} during COPY from stdin");
            return Err(SqlError::new(SqlState::PROTOCOL_VIOLATION, message));
        }
    }

    /// Sends a row of COPY TO STDOUT.
    pub fn copy_data(&mut self, row: &[u8]) -> Result<()> {
        backend::copy_data(&mut self.output, row);
        self.flush_if_full()
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
