//! What a client may send first: start-up, encryption requests, cancel requests.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use types::error::Severity;
use types::{Result, SqlError, SqlState};

use crate::cursor::Cursor;
use crate::frame::{put_string, untagged};
use crate::violation;

const CANCEL: i32 = 80_877_102;
const SSL: i32 = 80_877_103;
const GSSENC: i32 = 80_877_104;
/// Shortest and longest cancel key, in bytes.
const CANCEL_KEY_BYTES: std::ops::RangeInclusive<usize> = 4..=256;

/// A protocol version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProtocolVersion {
    /// Incompatible changes.
    pub major: u16,
    /// Compatible changes.
    pub minor: u16,
}

impl ProtocolVersion {
    /// 3.0, since PostgreSQL 7.4.
    pub const V3_0: ProtocolVersion = ProtocolVersion { major: 3, minor: 0 };
    /// 3.2, since PostgreSQL 18: long cancel keys.
    pub const V3_2: ProtocolVersion = ProtocolVersion { major: 3, minor: 2 };
    /// The newest version spoken here.
    pub const LATEST: ProtocolVersion = ProtocolVersion::V3_2;

    /// As sent: major in the high half.
    pub const fn code(self) -> i32 {
        ((self.major as u32) << 16 | self.minor as u32) as i32
    }

    /// From the number sent.
    pub const fn from_code(code: i32) -> ProtocolVersion {
        ProtocolVersion { major: ((code as u32) >> 16) as u16, minor: code as u32 as u16 }
    }

    /// The version both sides speak, or PostgreSQL's refusal of another major version.
    pub fn negotiate(self) -> Result<ProtocolVersion> {
        if self.major != 3 {
            return Err(SqlError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("unsupported frontend protocol {self}: server supports 3.0 to {}", ProtocolVersion::LATEST),
            )
            .severity(Severity::Fatal));
        }
        Ok(self.min(ProtocolVersion::LATEST))
    }

    /// How long a cancel key to send: 4 bytes, since 3.2 32.
    pub fn cancel_key_bytes(self) -> usize {
        if self >= ProtocolVersion::V3_2 { 32 } else { 4 }
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The first message of a connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StartupMessage {
    /// A session begins.
    Startup {
        /// The version asked for; any 3.x.
        version: ProtocolVersion,
        /// `user`, `database`, settings.
        parameters: StartupParameters,
    },
    /// Asks for TLS; answered by one byte, `S` or `N`.
    SslRequest,
    /// Asks for GSSAPI encryption; answered by one byte, `G` or `N`.
    GssEncRequest,
    /// Asks to cancel another session's statement; no answer.
    Cancel(CancelRequest),
}

/// Whose statement to cancel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CancelRequest {
    /// The process id of BackendKeyData.
    pub process_id: i32,
    /// The key of BackendKeyData. Compare in constant time.
    pub key: Bytes,
}

/// Names and values of a start-up packet, in order.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct StartupParameters(Vec<(Bytes, Bytes)>);

impl StartupParameters {
    /// The given pairs.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> StartupParameters {
        let own = |s: &str| Bytes::copy_from_slice(s.as_bytes());
        StartupParameters(pairs.into_iter().map(|(n, v)| (own(n), own(v))).collect())
    }

    /// All pairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(n, v)| (&n[..], &v[..]))
    }

    /// The value of `name`; the last one wins.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().rev().find(|(n, _)| n == name.as_bytes()).map(|(_, v)| &v[..])
    }

    /// The user name, which PostgreSQL insists on.
    pub fn user(&self) -> Result<&[u8]> {
        self.get("user").filter(|u| !u.is_empty()).ok_or_else(|| {
            SqlError::new(
                SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                "no PostgreSQL user name specified in startup packet",
            )
            .severity(Severity::Fatal)
        })
    }

    /// The database name; the user's when not given.
    pub fn database(&self) -> Result<&[u8]> {
        let user = self.user()?;
        Ok(self.get("database").filter(|d| !d.is_empty()).unwrap_or(user))
    }

    /// Names of protocol extensions (`_pq_.…`); none is known here, so NegotiateProtocolVersion lists them all.
    pub fn unrecognized_options(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().map(|(n, _)| n).filter(|n| n.starts_with(b"_pq_."))
    }
}

impl fmt::Debug for StartupParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.iter().map(|(n, v)| (String::from_utf8_lossy(n), String::from_utf8_lossy(v)));
        f.debug_map().entries(pairs).finish()
    }
}

impl StartupMessage {
    /// Takes a whole packet off `buf`, if one is there. Errors end the connection.
    pub(crate) fn decode(buf: &mut BytesMut, body_bytes_max: usize) -> Result<Option<StartupMessage>> {
        let Some(mut head) = buf.get(..4) else { return Ok(None) };
        let body_bytes = i64::from(head.get_i32()) - 4;
        let body_bytes = usize::try_from(body_bytes)
            .ok()
            .filter(|n| (4..=body_bytes_max).contains(n))
            .ok_or_else(|| violation("invalid length of startup packet").severity(Severity::Fatal))?;
        if buf.len() < 4 + body_bytes {
            return Ok(None);
        }
        buf.advance(4);
        let body = Cursor(buf.split_to(body_bytes).freeze());
        StartupMessage::body(body).map(Some).map_err(|e| e.severity(Severity::Fatal))
    }

    fn body(mut body: Cursor) -> Result<StartupMessage> {
        match body.i32()? {
            CANCEL => {
                let process_id = body.i32().map_err(|_| violation("invalid length of cancel request packet"))?;
                let key = body.rest();
                if !CANCEL_KEY_BYTES.contains(&key.len()) {
                    return Err(violation("invalid length of cancel key in cancel request packet"));
                }
                Ok(StartupMessage::Cancel(CancelRequest { process_id, key }))
            }
            SSL => Ok(StartupMessage::SslRequest),
            GSSENC => Ok(StartupMessage::GssEncRequest),
            code => {
                let version = ProtocolVersion::from_code(code);
                version.negotiate()?;
                let layout = || violation("invalid startup packet layout: expected terminator as last byte");
                let mut pairs = Vec::new();
                loop {
                    let name = body.string().map_err(|_| layout())?;
                    if name.is_empty() {
                        break;
                    }
                    pairs.push((name, body.string().map_err(|_| layout())?));
                }
                body.end().map_err(|_| layout())?;
                Ok(StartupMessage::Startup { version, parameters: StartupParameters(pairs) })
            }
        }
    }

    /// Writes the packet, as a client does.
    pub fn encode(&self, buf: &mut BytesMut) {
        untagged(buf, |buf| match self {
            StartupMessage::Startup { version, parameters } => {
                buf.put_i32(version.code());
                for (name, value) in parameters.iter() {
                    put_string(buf, name);
                    put_string(buf, value);
                }
                buf.put_u8(0);
            }
            StartupMessage::SslRequest => buf.put_i32(SSL),
            StartupMessage::GssEncRequest => buf.put_i32(GSSENC),
            StartupMessage::Cancel(request) => {
                buf.put_i32(CANCEL);
                buf.put_i32(request.process_id);
                buf.put_slice(&request.key);
            }
        });
    }
}
