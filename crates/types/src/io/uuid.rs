//! Text form of `uuid`.

use super::bad_input;
use super::bytea::hex_digit;
use crate::Result;

/// Reads 32 hexadecimal digits, in braces or not, with hyphens after any group of four.
pub fn parse(text: &str) -> Result<[u8; 16]> {
    read(text.as_bytes()).ok_or_else(|| bad_input("uuid", text))
}

fn read(b: &[u8]) -> Option<[u8; 16]> {
    let mut b = b;
    let braces = b.first() == Some(&b'{');
    if braces {
        b = &b[1..];
    }
    let mut out = [0; 16];
    for (i, byte) in out.iter_mut().enumerate() {
        let [high, low, rest @ ..] = b else { return None };
        let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
        *byte = digit(*high)? << 4 | digit(*low)?;
        b = match rest {
            [b'-', rest @ ..] if i % 2 == 1 && i < 15 => rest,
            rest => rest,
        };
    }
    if braces {
        b = b.strip_prefix(b"}")?;
    }
    b.is_empty().then_some(out)
}

/// Writes the standard form.
pub fn format(bytes: &[u8; 16], out: &mut Vec<u8>) {
    for (i, b) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend_from_slice(&[hex_digit(b >> 4), hex_digit(b & 15)]);
    }
}
