//! Client text as UTF-8, with PostgreSQL's error for bytes that are not.

use std::fmt::Write;

use types::{Result, SqlError, SqlState};

/// `bytes` as UTF-8, or `22021` naming the first offending bytes. As in PostgreSQL, NUL is no character.
pub fn utf8(bytes: &[u8]) -> Result<&str> {
    if let Some(nul) = memchr::memchr(0, bytes) {
        utf8(&bytes[..nul])?;
        return Err(invalid_utf8(&[0]));
    }
    std::str::from_utf8(bytes).map_err(|e| invalid_utf8(&bytes[e.valid_up_to()..]))
}

/// The error for `bytes`, which start with an invalid sequence: as many of them as its first byte announces.
fn invalid_utf8(bytes: &[u8]) -> SqlError {
    let announced = match bytes.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => 1,
    };
    let mut message = String::from("invalid byte sequence for encoding \"UTF8\":");
    for b in bytes.iter().take(announced) {
        let _ = write!(message, " 0x{b:02x}");
    }
    SqlError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
}
