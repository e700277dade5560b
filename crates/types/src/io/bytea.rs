//! Text forms of `bytea`: hex and escape.

use super::ByteaOutput;
use crate::{Result, SqlError, SqlState};

/// Reads either form.
pub fn parse(text: &str) -> Result<Vec<u8>> {
    if let Some(hex) = text.strip_prefix("\\x") {
        return parse_hex(hex);
    }
    let b = text.as_bytes();
    let mut out = Vec::with_capacity(b.len());
    let mut i = 0;
    while i < b.len() {
        match &b[i..] {
            [b'\\', b'\\', ..] => {
                out.push(b'\\');
                i += 2;
            }
            [b'\\', x @ b'0'..=b'3', y @ b'0'..=b'7', z @ b'0'..=b'7', ..] => {
                out.push(((x - b'0') << 6) | ((y - b'0') << 3) | (z - b'0'));
                i += 4;
            }
            [b'\\', ..] => {
                return Err(SqlError::new(
                    SqlState::INVALID_TEXT_REPRESENTATION,
                    "invalid input syntax for type bytea",
                ));
            }
            [c, ..] => {
                out.push(*c);
                i += 1;
            }
            [] => break,
        }
    }
    Ok(out)
}

/// Hexadecimal digits in pairs, with blanks between pairs.
pub fn parse_hex(hex: &str) -> Result<Vec<u8>> {
    let bad = |m: String| SqlError::new(SqlState::INVALID_PARAMETER_VALUE, m);
    let mut out = Vec::with_capacity(hex.len() / 2);
    let mut chars = hex.chars();
    let digit =
        |c: char| c.to_digit(16).map(|d| d as u8).ok_or_else(|| bad(format!("invalid hexadecimal digit: \"{c}\"")));
    while let Some(c) = chars.next() {
        if matches!(c, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        let high = digit(c)?;
        let Some(c) = chars.next() else {
            return Err(bad("invalid hexadecimal data: odd number of digits".into()));
        };
        out.push(high << 4 | digit(c)?);
    }
    Ok(out)
}

/// Writes the chosen form.
pub fn format(bytes: &[u8], form: ByteaOutput, out: &mut Vec<u8>) {
    match form {
        ByteaOutput::Hex => {
            out.extend_from_slice(b"\\x");
            for b in bytes {
                out.extend_from_slice(&[hex_digit(b >> 4), hex_digit(b & 15)]);
            }
        }
        ByteaOutput::Escape => {
            for &b in bytes {
                match b {
                    b'\\' => out.extend_from_slice(b"\\\\"),
                    0x20..=0x7e => out.push(b),
                    _ => out.extend_from_slice(&[b'\\', b'0' + (b >> 6), b'0' + (b >> 3 & 7), b'0' + (b & 7)]),
                }
            }
        }
    }
}

/// The lower-case digit of 0 to 15.
pub(crate) fn hex_digit(v: u8) -> u8 {
    b"0123456789abcdef"[usize::from(v & 15)]
}
