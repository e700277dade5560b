#![doc = include_str!("../README.md")]
//! SCRAM-SHA-256 (RFC 5802, RFC 7677), both sides, as state machines without I/O or randomness.
//!
//! Server: `Server::client_first` answers with server-first and becomes a [`ServerFinal`]; its `client_final` answers
//! with server-final, or `None` when the password is wrong. Client: [`Client::first`], then [`Client::server_first`]
//! becomes a [`ClientFinal`], whose `server_final` checks that the server knew the verifier.
//!
//! An unknown user gets [`Verifier::mock`], so that the exchange looks the same and fails at its end only.
#![forbid(unsafe_code)]

pub mod client;
#[cfg(test)]
mod tests;
pub mod verifier;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use types::error::Severity;
use types::{Result, SqlError, SqlState};

pub use self::client::{Client, ClientFinal, SaltedPassword};
pub use self::verifier::Verifier;

/// The other side broke the protocol.
fn violation(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::PROTOCOL_VIOLATION, message)
}

/// The mechanism without channel binding.
pub const SCRAM_SHA_256: &str = "SCRAM-SHA-256";
/// The mechanism with channel binding.
pub const SCRAM_SHA_256_PLUS: &str = "SCRAM-SHA-256-PLUS";

type Key = [u8; 32];

fn hmac(key: &[u8], message: &[u8]) -> Key {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn sha256(message: &[u8]) -> Key {
    Sha256::digest(message).into()
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    bool::from(a.ct_eq(b))
}

fn xor(a: &Key, b: &Key) -> Key {
    std::array::from_fn(|i| a[i] ^ b[i])
}

/// What the server's end of the connection allows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ChannelBinding {
    /// No TLS, or none with a certificate hash.
    #[default]
    Unavailable,
    /// TLS, but the client chose [`SCRAM_SHA_256`].
    Offered,
    /// The client chose [`SCRAM_SHA_256_PLUS`]; this is the certificate's hash (`tls-server-end-point`).
    Used(Vec<u8>),
}

fn malformed(detail: impl Into<String>) -> SqlError {
    fatal(violation("malformed SCRAM message").detail(detail))
}

fn fatal(error: SqlError) -> SqlError {
    error.severity(Severity::Fatal)
}

/// A character as PostgreSQL shows it in details.
fn shown(byte: Option<u8>) -> String {
    match byte {
        Some(b @ 0x21..=0x7e) => format!("'{}'", char::from(b)),
        b => format!("0x{:02x}", b.unwrap_or(0)),
    }
}

/// Comma-separated attributes `a=value`.
struct Attributes<'a>(&'a str);

impl<'a> Attributes<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.bytes().next()
    }

    /// Any attribute's name and value.
    fn any(&mut self) -> Result<(u8, &'a str)> {
        match self.peek() {
            None => Err(malformed("Attribute expected, but found end of string.")),
            Some(a) if a.is_ascii_alphabetic() => Ok((a, self.value_of(a)?)),
            b => Err(malformed(format!("Attribute expected, but found invalid character \"{}\".", shown(b)))),
        }
    }

    /// The value of attribute `name`, which must be next.
    fn named(&mut self, name: u8) -> Result<&'a str> {
        if self.peek() != Some(name) {
            return Err(malformed(format!(
                "Expected attribute \"{}\" but found \"{}\".",
                char::from(name),
                shown(self.peek())
            )));
        }
        self.value_of(name)
    }

    fn value_of(&mut self, name: u8) -> Result<&'a str> {
        let Some(rest) = self.0.get(1..).and_then(|r| r.strip_prefix('=')) else {
            return Err(malformed(format!("Expected character \"=\" for attribute \"{}\".", char::from(name))));
        };
        let (value, rest) = rest.split_once(',').unwrap_or((rest, ""));
        self.0 = rest;
        Ok(value)
    }
}

fn message_text(message: &[u8]) -> Result<&str> {
    if message.is_empty() {
        return Err(malformed("The message is empty."));
    }
    if message.contains(&0) {
        return Err(malformed("Message length does not match input length."));
    }
    types::io::text::from_utf8(message).map_err(fatal)
}

/// The server before client-first.
#[derive(Debug)]
pub struct Server {
    verifier: Verifier,
    nonce: String,
    binding: ChannelBinding,
}

/// The server waiting for client-final.
#[derive(Debug)]
pub struct ServerFinal {
    verifier: Verifier,
    binding: ChannelBinding,
    binding_flag: u8,
    gs2_header: String,
    nonce: String,
    /// client-first-bare and server-first, joined by a comma.
    first_messages: String,
}

impl Server {
    /// `nonce`: at least 18 fresh random bytes as base64 or other printable ASCII without commas.
    pub fn new(verifier: Verifier, nonce: impl Into<String>, binding: ChannelBinding) -> Server {
        Server { verifier, nonce: nonce.into(), binding }
    }

    /// Takes client-first and returns server-first.
    pub fn client_first(self, message: &[u8]) -> Result<(String, ServerFinal)> {
        let text = message_text(message)?;
        let flag = text.bytes().next();
        let mut rest = Attributes(text);
        let in_use = matches!(self.binding, ChannelBinding::Used(_));
        match flag {
            Some(b'n' | b'y') if in_use => {
                return Err(malformed(
                    "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.",
                ));
            }
            Some(b'y') if self.binding == ChannelBinding::Offered => {
                return Err(fatal(
                    SqlError::new(
                        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                        "SCRAM channel binding negotiation error",
                    )
                    .detail(
                        "The client supports SCRAM channel binding but thinks the server does not.  \
                         However, this server does support channel binding.",
                    ),
                ));
            }
            Some(b'n' | b'y') => {
                rest.0 = &text[1..];
                let Some(after) = rest.0.strip_prefix(',') else {
                    return Err(malformed(format!("Comma expected, but found character \"{}\".", shown(rest.peek()))));
                };
                rest.0 = after;
            }
            Some(b'p') if !in_use => {
                return Err(malformed(
                    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
                ));
            }
            Some(b'p') => {
                let kind = rest.named(b'p')?;
                if kind != "tls-server-end-point" {
                    let kind: String =
                        kind.bytes().take(30).map(|b| if b.is_ascii_graphic() { char::from(b) } else { '?' }).collect();
                    return Err(fatal(violation(format!("unsupported SCRAM channel-binding type \"{kind}\""))));
                }
            }
            b => return Err(malformed(format!("Unexpected channel-binding flag \"{}\".", shown(b)))),
        }
        match rest.peek() {
            Some(b'a') => {
                return Err(fatal(SqlError::new(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    "client uses authorization identity, but it is not supported",
                )));
            }
            Some(b',') => rest.0 = &rest.0[1..],
            b => return Err(malformed(format!("Unexpected attribute \"{}\" in client-first-message.", shown(b)))),
        }
        let bare = rest.0;
        let gs2_header = text[..text.len() - bare.len()].to_owned();
        if rest.peek() == Some(b'm') {
            return Err(fatal(SqlError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "client requires an unsupported SCRAM extension",
            )));
        }
        // The name is that of the start-up packet; PostgreSQL ignores this one too.
        rest.named(b'n')?;
        let client_nonce = rest.named(b'r')?;
        if !client_nonce.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
            return Err(fatal(violation("non-printable characters in SCRAM nonce")));
        }
        while !rest.0.is_empty() {
            rest.any()?;
        }
        let nonce = format!("{client_nonce}{}", self.nonce);
        let salt = STANDARD.encode(&self.verifier.salt);
        let answer = format!("r={nonce},s={salt},i={}", self.verifier.iterations);
        let state = ServerFinal {
            first_messages: format!("{bare},{answer}"),
            verifier: self.verifier,
            binding: self.binding,
            binding_flag: flag.unwrap_or(b'n'),
            gs2_header,
            nonce,
        };
        Ok((answer, state))
    }
}

impl ServerFinal {
    /// Takes client-final and returns server-final, or `None` when the proof is wrong (or the verifier a mock).
    pub fn client_final(self, message: &[u8]) -> Result<Option<String>> {
        let text = message_text(message)?;
        let mut rest = Attributes(text);
        let binding = rest.named(b'c')?;
        match &self.binding {
            ChannelBinding::Used(hash) => {
                let expected = [self.gs2_header.as_bytes(), hash].concat();
                if binding != STANDARD.encode(expected) {
                    return Err(fatal(SqlError::new(
                        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                        "SCRAM channel binding check failed",
                    )));
                }
            }
            _ => {
                let expected = if self.binding_flag == b'y' { "eSws" } else { "biws" };
                if binding != expected {
                    let what = "unexpected SCRAM channel-binding attribute in client-final-message";
                    return Err(fatal(violation(what)));
                }
            }
        }
        let nonce = rest.named(b'r')?;
        let (without_proof, proof) = loop {
            let before = text.len() - rest.0.len();
            if let (b'p', proof) = rest.any()? {
                break (&text[..before - 1], proof);
            }
        };
        let proof: Key = STANDARD
            .decode(proof)
            .ok()
            .and_then(|p| p.try_into().ok())
            .ok_or_else(|| malformed("Malformed proof in client-final-message."))?;
        if !rest.0.is_empty() {
            return Err(malformed("Garbage found at the end of client-final-message."));
        }
        if nonce != self.nonce {
            return Err(fatal(violation("invalid SCRAM response").detail("Nonce does not match.")));
        }
        let auth_message = format!("{},{without_proof}", self.first_messages);
        let signature = hmac(&self.verifier.stored_key, auth_message.as_bytes());
        let stored_key = sha256(&xor(&proof, &signature));
        let right = bool::from(stored_key.ct_eq(&self.verifier.stored_key)) & !self.verifier.mock;
        let answer = format!("v={}", STANDARD.encode(hmac(&self.verifier.server_key, auth_message.as_bytes())));
        Ok(right.then_some(answer))
    }
}
