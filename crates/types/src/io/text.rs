//! `bool`, `text`, `varchar`, `bpchar`, `name` and `"char"`.

use super::{bad_input, is_space};
use crate::{Datum, Result, SqlError, SqlState};

/// Most bytes a `name` has.
pub const NAME_BYTES_MAX: usize = 63;

/// Longest `char(n)` and `varchar(n)` there is.
pub const BPCHAR_CHARS_MAX: usize = 10_485_760;

/// Reads a `bool`: any unambiguous start of true, false, yes, no, on, off, or 1 or 0.
pub fn parse_bool(text: &str) -> Result<bool> {
    let s = text.trim_matches(is_space).to_ascii_lowercase();
    let starts = |word: &str, least: usize| s.len() >= least && word.starts_with(&s);
    if starts("true", 1) || starts("yes", 1) || s == "on" || s == "1" {
        Ok(true)
    } else if starts("false", 1) || starts("no", 1) || starts("off", 2) || s == "0" {
        Ok(false)
    } else {
        Err(bad_input("boolean", text))
    }
}

/// Bytes as text (T3).
///
/// # Errors
/// `22021`.
pub fn from_utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|e| {
        let at = &bytes[e.valid_up_to()..];
        let len = match at.first() {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf7) => 4,
            _ => 1,
        };
        let shown: Vec<String> = at.iter().take(len).map(|b| format!("0x{b:02x}")).collect();
        SqlError::new(
            SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" ")),
        )
    })
}

/// Text, which holds no NUL.
pub(crate) fn checked(text: &str) -> Result<Datum> {
    if text.as_bytes().contains(&0) {
        return Err(SqlError::new(
            SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            "invalid byte sequence for encoding \"UTF8\": 0x00",
        ));
    }
    Ok(Datum::text(text))
}

/// Byte length of the first `chars` characters.
fn prefix_len(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(i, _)| i)
}

fn too_long(type_name: &str, limit: usize) -> SqlError {
    SqlError::new(SqlState::STRING_DATA_RIGHT_TRUNCATION, format!("value too long for type {type_name}({limit})"))
}

/// A `varchar` of `typmod`. Blanks beyond the limit are cut; other characters only by an explicit cast.
pub fn varchar(text: &str, typmod: i32, explicit: bool) -> Result<Datum> {
    if typmod < 4 {
        return checked(text);
    }
    let limit = (typmod - 4) as usize;
    let keep = prefix_len(text, limit);
    if !explicit && text[keep..].bytes().any(|b| b != b' ') {
        return Err(too_long("character varying", limit));
    }
    checked(&text[..keep])
}

/// A `bpchar` of `typmod`, padded with blanks. Blanks beyond the limit are cut; other characters only by an explicit cast.
pub fn bpchar(text: &str, typmod: i32, explicit: bool) -> Result<Datum> {
    if typmod < 4 {
        return checked(text);
    }
    let limit = (typmod - 4) as usize;
    let keep = prefix_len(text, limit);
    if keep < text.len() {
        if !explicit && text[keep..].bytes().any(|b| b != b' ') {
            return Err(too_long("character", limit));
        }
        return checked(&text[..keep]);
    }
    // PostgreSQL allows no longer declaration, so a larger one is no typmod.
    let limit = limit.min(BPCHAR_CHARS_MAX);
    let mut padded = text.to_owned();
    let missing = limit.saturating_sub(text.chars().count());
    padded.extend(std::iter::repeat_n(' ', missing));
    checked(&padded)
}

/// A `name`: cut to 63 bytes, between characters.
pub fn name(text: &str) -> Datum {
    let mut end = text.len().min(NAME_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Datum::text(&text[..end])
}

/// A `name` from its binary form, which is refused rather than cut.
pub(crate) fn name_binary(text: &str) -> Result<Datum> {
    if text.len() > NAME_BYTES_MAX {
        return Err(SqlError::new(SqlState::NAME_TOO_LONG, "identifier too long")
            .detail(format!("Identifier must be less than {} characters.", NAME_BYTES_MAX + 1)));
    }
    Ok(name(text))
}

/// Reads a `"char"`: the first byte, or a backslash and three octal digits.
pub fn parse_char(text: &str) -> i8 {
    match text.as_bytes() {
        [b'\\', a @ b'0'..=b'7', b @ b'0'..=b'7', c @ b'0'..=b'7'] => {
            (((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0')) as i8
        }
        [first, ..] => *first as i8,
        [] => 0,
    }
}

/// Writes a `"char"`: zero is empty, bytes that are not ASCII are octal.
pub fn format_char(v: i8, out: &mut Vec<u8>) {
    let b = v as u8;
    if b >= 0x80 {
        out.extend_from_slice(&[b'\\', b'0' + (b >> 6), b'0' + (b >> 3 & 7), b'0' + (b & 7)]);
    } else if b != 0 {
        out.push(b);
    }
}
