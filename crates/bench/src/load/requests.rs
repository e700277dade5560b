//! Requests, encoded once: each is answered by exactly one ReadyForQuery.

use bytes::{Bytes, BytesMut};
use wire::frontend::encode as frontend;

/// The name of the prepared statement that clients have.
const STATEMENT: &str = "s";

/// Statements to be sent in turn; every client begins at another one.
pub struct Requests(Vec<Bytes>);

impl Requests {
    /// These.
    pub fn new(requests: impl IntoIterator<Item = Bytes>) -> Requests {
        Requests(requests.into_iter().collect())
    }

    /// The `turn`th of client `client`.
    pub fn of(&self, client: usize, turn: usize) -> &[u8] {
        &self.0[(client.wrapping_mul(7919) + turn) % self.0.len()]
    }
}

impl From<Bytes> for Requests {
    fn from(request: Bytes) -> Requests {
        Requests(vec![request])
    }
}

/// A simple query.
pub fn query(sql: &str) -> Bytes {
    let mut request = BytesMut::new();
    frontend::query(&mut request, sql);
    request.freeze()
}

/// Prepares the one statement that a client has.
pub fn prepare(sql: &str) -> Bytes {
    let mut request = BytesMut::new();
    frontend::parse(&mut request, STATEMENT, sql, &[]);
    frontend::sync(&mut request);
    request.freeze()
}

/// Runs it; values are text.
pub fn execute(values: &[&str]) -> Bytes {
    let values: Vec<Option<&[u8]>> = values.iter().map(|v| Some(v.as_bytes())).collect();
    let mut request = BytesMut::new();
    frontend::bind(&mut request, "", STATEMENT, &[], &values, &[]);
    frontend::execute(&mut request, "", 0);
    frontend::sync(&mut request);
    request.freeze()
}
