//! What a server stores of a password: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::{Key, hmac, sha256};

/// Iterations PostgreSQL uses unless told otherwise.
pub const ITERATIONS: u32 = 4096;
/// Bytes of salt PostgreSQL draws.
pub const SALT_BYTES: usize = 16;

/// A stored password.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) stored_key: Key,
    pub(super) server_key: Key,
    pub(super) mock: bool,
}

/// The password as SCRAM hashes it: SASLprep's, or as given where SASLprep refuses it, like PostgreSQL.
pub(super) fn prepared(password: &str) -> std::borrow::Cow<'_, str> {
    stringprep::saslprep(password).unwrap_or(password.into())
}

pub(super) fn salted(password: &str, salt: &[u8], iterations: u32) -> Key {
    let mut key = Key::default();
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(prepared(password).as_bytes(), salt, iterations, &mut key);
    key
}

impl Verifier {
    /// The verifier of `password`; `salt` is fresh and random.
    pub fn from_password(password: &str, salt: &[u8], iterations: u32) -> Verifier {
        let salted = salted(password, salt, iterations);
        Verifier {
            iterations,
            salt: salt.to_vec(),
            stored_key: sha256(&hmac(&salted, b"Client Key")),
            server_key: hmac(&salted, b"Server Key"),
            mock: false,
        }
    }

    /// One no password fits, for a user who does not exist or has none. The salt depends on the name and on `secret`,
    /// which stays the same over the cluster's life, so that asking twice reveals nothing.
    pub fn mock(user: &[u8], secret: &[u8]) -> Verifier {
        let salt = sha256(&[user, secret].concat())[..SALT_BYTES].to_vec();
        Verifier { iterations: ITERATIONS, salt, stored_key: [0; 32], server_key: [0; 32], mock: true }
    }

    /// Whether `password` is the one (for cleartext authentication).
    pub fn matches(&self, password: &str) -> bool {
        let other = Verifier::from_password(password, &self.salt, self.iterations);
        bool::from(self.server_key.ct_eq(&other.server_key)) & !self.mock
    }
}

/// A stored password that is no SCRAM verifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAVerifier;

impl FromStr for Verifier {
    type Err = NotAVerifier;

    fn from_str(text: &str) -> Result<Verifier, NotAVerifier> {
        fn parse(text: &str) -> Option<Verifier> {
            let rest = text.strip_prefix("SCRAM-SHA-256$")?;
            let (iterations, rest) = rest.split_once(':')?;
            let (salt, keys) = rest.split_once('$')?;
            let (stored_key, server_key) = keys.split_once(':')?;
            let key = |k: &str| Key::try_from(STANDARD.decode(k).ok()?).ok();
            Some(Verifier {
                iterations: iterations.parse().ok().filter(|n| (1..=i32::MAX as u32).contains(n))?,
                salt: STANDARD.decode(salt).ok()?,
                stored_key: key(stored_key)?,
                server_key: key(server_key)?,
                mock: false,
            })
        }
        parse(text).ok_or(NotAVerifier)
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [salt, stored, server] = [&self.salt[..], &self.stored_key, &self.server_key].map(|b| STANDARD.encode(b));
        write!(f, "SCRAM-SHA-256${}:{salt}${stored}:{server}", self.iterations)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}
