//! Messages a client sends once its start-up packet was read, and their decoder.
//!
//! Errors of severity `FATAL` mean that the stream is lost: close the connection. After any other error the message
//! has been taken off the buffer whole and decoding may go on (a session skips to the next Sync).

pub mod encode;
#[cfg(test)]
mod tests;

use bytes::{Buf, Bytes, BytesMut};
use types::error::Severity;
use types::{Oid, Result, SqlError, SqlState};

use crate::cursor::Cursor;
use crate::startup::StartupMessage;
use crate::values::{Formats, Oids, Values};
use crate::violation;

/// What Describe and Close are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// A prepared statement.
    Statement,
    /// A portal.
    Portal,
}

/// A client's message. Strings are in the client's encoding, without their NUL.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields are the protocol's")]
pub enum FrontendMessage {
    Query(Bytes),
    Parse {
        statement: Bytes,
        query: Bytes,
        parameter_types: Oids,
    },
    Bind {
        portal: Bytes,
        statement: Bytes,
        parameter_formats: Formats,
        parameters: Values,
        result_formats: Formats,
    },
    Describe {
        target: Target,
        name: Bytes,
    },
    /// `row_count_max` 0 or less is no limit.
    Execute {
        portal: Bytes,
        row_count_max: i32,
    },
    Close {
        target: Target,
        name: Bytes,
    },
    Flush,
    Sync,
    FunctionCall {
        function: Oid,
        argument_formats: Formats,
        arguments: Values,
        result_format: i16,
    },
    CopyData(Bytes),
    CopyDone,
    CopyFail(Bytes),
    Password(Bytes),
    SaslInitialResponse {
        mechanism: Bytes,
        response: Option<Bytes>,
    },
    SaslResponse(Bytes),
    Terminate,
}

/// What the server asked for last while authenticating; a `p` message is read accordingly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuthenticationReply {
    /// AuthenticationCleartextPassword.
    Password,
    /// AuthenticationSASL.
    SaslInitial,
    /// AuthenticationSASLContinue.
    Sasl,
}

/// Greatest message bodies in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Of anything before authentication succeeded.
    pub before_authentication: usize,
    /// Of messages that only carry names or nothing: Describe, Execute, Close, Flush, Sync, CopyDone, CopyFail.
    pub small: usize,
    /// Of Query, Parse, Bind, FunctionCall, CopyData.
    pub large: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { before_authentication: 10_000, small: 10_000, large: crate::frame::ALLOCATION_BYTES_MAX - 1 }
    }
}

/// Cuts messages off the front of a buffer.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    limits: Limits,
    authentication: Option<AuthenticationReply>,
}

impl Decoder {
    /// A decoder with the given limits.
    pub fn new(limits: Limits) -> Decoder {
        Decoder { limits, authentication: None }
    }

    /// The next message must be this reply.
    pub fn expect(&mut self, reply: AuthenticationReply) {
        self.authentication = Some(reply);
    }

    /// From now on ordinary messages are read.
    pub fn authenticated(&mut self) {
        self.authentication = None;
    }

    /// The first packet of a connection, or the next after an encryption request was answered. `None`: read more.
    pub fn startup(&mut self, buf: &mut BytesMut) -> Result<Option<StartupMessage>> {
        StartupMessage::decode(buf, self.limits.before_authentication)
    }

    /// The next message. `None`: read more.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<FrontendMessage>> {
        let Some(&tag) = buf.first() else { return Ok(None) };
        let body_bytes_max = self.body_bytes_max(tag).map_err(|e| e.severity(Severity::Fatal))?;
        let Some(mut head) = buf.get(1..5) else { return Ok(None) };
        let body_bytes = usize::try_from(i64::from(head.get_i32()) - 4)
            .ok()
            .filter(|&n| n <= body_bytes_max)
            .ok_or_else(|| violation("invalid message length").severity(Severity::Fatal))?;
        if buf.len() < 5 + body_bytes {
            return Ok(None);
        }
        buf.advance(5);
        let body = Cursor(buf.split_to(body_bytes).freeze());
        match self.authentication {
            Some(reply) => reply.read(body).map_err(|e| e.severity(Severity::Fatal)),
            None => read(tag, body),
        }
        .map(Some)
    }

    fn body_bytes_max(&self, tag: u8) -> Result<usize> {
        match (self.authentication, tag) {
            (Some(_), b'p') => Ok(self.limits.before_authentication),
            (Some(AuthenticationReply::Password), _) => {
                Err(violation(format!("expected password response, got message type {tag}")))
            }
            (Some(_), _) => Err(violation(format!("expected SASL response, got message type {tag}"))),
            (None, b'Q' | b'P' | b'B' | b'F' | b'd') => Ok(self.limits.large),
            (None, b'D' | b'E' | b'C' | b'H' | b'S' | b'X' | b'c' | b'f') => Ok(self.limits.small),
            (None, _) => Err(violation(format!("invalid frontend message type {tag}"))),
        }
    }
}

impl AuthenticationReply {
    fn read(self, mut body: Cursor) -> Result<FrontendMessage> {
        match self {
            AuthenticationReply::Password => {
                let wrong = || violation("invalid password packet size");
                let password = body.string().map_err(|_| wrong())?;
                body.end().map_err(|_| wrong())?;
                if password.is_empty() {
                    return Err(SqlError::new(SqlState::INVALID_PASSWORD, "empty password returned by client"));
                }
                Ok(FrontendMessage::Password(password))
            }
            AuthenticationReply::SaslInitial => {
                let mechanism = body.string()?;
                let response = body.value()?;
                body.end()?;
                Ok(FrontendMessage::SaslInitialResponse { mechanism, response })
            }
            AuthenticationReply::Sasl => Ok(FrontendMessage::SaslResponse(body.rest())),
        }
    }
}

/// The body of ordinary message `tag`.
fn read(tag: u8, mut body: Cursor) -> Result<FrontendMessage> {
    let message = match tag {
        b'Q' => FrontendMessage::Query(body.string()?),
        b'P' => FrontendMessage::Parse {
            statement: body.string()?,
            query: body.string()?,
            parameter_types: Oids::read(&mut body)?,
        },
        b'B' => bind(&mut body)?,
        b'D' => {
            let (target, name) = target(&mut body, "DESCRIBE")?;
            FrontendMessage::Describe { target, name }
        }
        b'C' => {
            let (target, name) = target(&mut body, "CLOSE")?;
            FrontendMessage::Close { target, name }
        }
        b'E' => FrontendMessage::Execute { portal: body.string()?, row_count_max: body.i32()? },
        b'H' => FrontendMessage::Flush,
        b'S' => FrontendMessage::Sync,
        b'F' => function_call(&mut body)?,
        b'f' => FrontendMessage::CopyFail(body.string()?),
        // PostgreSQL does not look at the rest of these.
        b'd' => return Ok(FrontendMessage::CopyData(body.rest())),
        b'c' => return Ok(FrontendMessage::CopyDone),
        b'X' => return Ok(FrontendMessage::Terminate),
        _ => return Err(violation(format!("invalid frontend message type {tag}"))),
    };
    body.end()?;
    Ok(message)
}

fn bind(body: &mut Cursor) -> Result<FrontendMessage> {
    let portal = body.string()?;
    let statement = body.string()?;
    let parameter_formats = Formats::read(body)?;
    let count = body.u16()?;
    if parameter_formats.len() > 1 && parameter_formats.len() != usize::from(count) {
        let formats = parameter_formats.len();
        return Err(violation(format!("bind message has {formats} parameter formats but {count} parameters")));
    }
    let parameters = Values::read_counted(body, count)?;
    let result_formats = Formats::read(body)?;
    Ok(FrontendMessage::Bind { portal, statement, parameter_formats, parameters, result_formats })
}

fn target(body: &mut Cursor, what: &str) -> Result<(Target, Bytes)> {
    let subtype = body.byte()?;
    let name = body.string()?;
    body.end()?;
    match subtype {
        b'S' => Ok((Target::Statement, name)),
        b'P' => Ok((Target::Portal, name)),
        _ => Err(violation(format!("invalid {what} message subtype {subtype}"))),
    }
}

fn function_call(body: &mut Cursor) -> Result<FrontendMessage> {
    let function = body.oid()?;
    let argument_formats = Formats::read(body)?;
    let count = body.u16()?;
    if argument_formats.len() > 1 && argument_formats.len() != usize::from(count) {
        let formats = argument_formats.len();
        return Err(violation(format!(
            "function call message contains {formats} argument formats but {count} arguments"
        )));
    }
    let arguments = Values::read_counted(body, count)?;
    Ok(FrontendMessage::FunctionCall { function, argument_formats, arguments, result_format: body.i16()? })
}
