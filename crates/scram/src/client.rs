//! The client's side of SCRAM-SHA-256, without channel binding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;
use types::Result;

use super::verifier::salted;
use super::{Attributes, Key, fatal, hmac, malformed, message_text, sha256, xor};
use crate::violation;

/// More iterations than this are refused: a hostile server must not burn the client's time.
const ITERATIONS_MAX: u32 = 10_000_000;

/// The client before server-first.
pub struct Client {
    password: String,
    nonce: String,
    first_bare: String,
}

/// A password hashed with a server's salt: what takes long in an exchange. RFC 5802 lets a client keep it.
pub struct SaltedPassword {
    salt: Vec<u8>,
    iterations: u32,
    key: Key,
}

/// The client waiting for server-final.
pub struct ClientFinal {
    server_signature: Key,
}

impl Client {
    /// `user` may be empty, as libpq sends it; `nonce` is fresh and random, printable ASCII without commas.
    pub fn new(user: &str, password: &str, nonce: &str) -> Client {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Client { password: password.to_owned(), nonce: nonce.to_owned(), first_bare: format!("n={user},r={nonce}") }
    }

    /// client-first.
    pub fn first(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    /// Takes server-first and returns client-final.
    pub fn server_first(self, message: &[u8]) -> Result<(String, ClientFinal)> {
        self.server_first_kept(message, &mut None)
    }

    /// The same; the password is hashed only if `kept` is of another salt, and is then kept there. One `kept` is for one password.
    pub fn server_first_kept(self, message: &[u8], kept: &mut Option<SaltedPassword>) -> Result<(String, ClientFinal)> {
        let text = message_text(message)?;
        let mut rest = Attributes(text);
        let nonce = rest.named(b'r')?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err(fatal(violation("invalid SCRAM response").detail("Nonce does not match.")));
        }
        let salt = STANDARD.decode(rest.named(b's')?).map_err(|_| malformed("Malformed salt."))?;
        let iterations = rest
            .named(b'i')?
            .parse()
            .ok()
            .filter(|n| (1..=ITERATIONS_MAX).contains(n))
            .ok_or_else(|| malformed("Invalid iteration count."))?;
        let salted = match kept {
            Some(kept) if kept.salt == salt && kept.iterations == iterations => kept.key,
            _ => {
                let key = salted(&self.password, &salt, iterations);
                *kept = Some(SaltedPassword { salt, iterations, key });
                key
            }
        };
        let client_key = hmac(&salted, b"Client Key");
        let without_proof = format!("c=biws,r={nonce}");
        let auth_message = format!("{},{text},{without_proof}", self.first_bare);
        let proof = xor(&client_key, &hmac(&sha256(&client_key), auth_message.as_bytes()));
        let server_signature = hmac(&hmac(&salted, b"Server Key"), auth_message.as_bytes());
        Ok((format!("{without_proof},p={}", STANDARD.encode(proof)), ClientFinal { server_signature }))
    }
}

impl ClientFinal {
    /// Takes server-final; an error when the server did not know the verifier.
    pub fn server_final(self, message: &[u8]) -> Result<()> {
        let mut rest = Attributes(message_text(message)?);
        let signature: Option<Key> = STANDARD.decode(rest.named(b'v')?).ok().and_then(|s| s.try_into().ok());
        match signature {
            Some(s) if bool::from(s.ct_eq(&self.server_signature)) => Ok(()),
            _ => Err(fatal(violation("incorrect server signature"))),
        }
    }
}
