//! Functions on `bytea`: parts, bits, encodings, digests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use types::{Result, SqlError, SqlState};

use crate::text::{negative_length, span};

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

fn slice(v: &[u8], start: i32, count: Option<i32>) -> Result<&[u8]> {
    let (skip, take) = span(start, count)?;
    let rest = v.get(skip..).unwrap_or_default();
    Ok(&rest[..take.min(rest.len())])
}

fn trimmed<'v>(v: &'v [u8], set: &[u8], start: bool, end: bool) -> &'v [u8] {
    let keep = |b: &u8| !set.contains(b);
    if set.is_empty() {
        return v;
    }
    let from = if start { v.iter().position(keep).unwrap_or(v.len()) } else { 0 };
    let to = if end { v.iter().rposition(keep).map_or(from, |p| p + 1) } else { v.len() };
    &v[from..to.max(from)]
}

fn check_index(n: i64, len: i64) -> Result<usize> {
    if (0..len).contains(&n) {
        return Ok(n as usize);
    }
    let message = format!("index {n} out of valid range, 0..{}", len - 1);
    Err(SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message))
}

fn hex_digit(c: u8, text: &str, at: usize) -> Result<u8> {
    match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        b'A'..=b'F' => Ok(c - b'A' + 10),
        _ => {
            let shown = text.get(at..).and_then(|s| s.chars().next()).unwrap_or('?');
            Err(invalid(format!("invalid hexadecimal digit: \"{shown}\"")))
        }
    }
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\n' | b'\t' | b'\r')
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::with_capacity(bytes.len() / 2), 0);
    while i < bytes.len() {
        if is_blank(bytes[i]) {
            i += 1;
            continue;
        }
        let high = hex_digit(bytes[i], text, i)?;
        let Some(&next) = bytes.get(i + 1) else {
            return Err(invalid("invalid hexadecimal data: odd number of digits"));
        };
        out.push(high << 4 | hex_digit(next, text, i + 1)?);
        i += 2;
    }
    Ok(out)
}

fn from_base64(text: &str) -> Result<Vec<u8>> {
    let (mut out, mut buffer, mut count, mut ended) = (Vec::new(), 0u32, 0, 0);
    for (i, c) in text.bytes().enumerate() {
        if is_blank(c) {
            continue;
        }
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                if ended == 0 {
                    ended = match count {
                        2 => 1,
                        3 => 2,
                        _ => return Err(invalid("unexpected \"=\" while decoding base64 sequence")),
                    };
                }
                0
            }
            _ => {
                let shown = text.get(i..).and_then(|s| s.chars().next()).unwrap_or('?');
                return Err(invalid(format!("invalid symbol \"{shown}\" found while decoding base64 sequence")));
            }
        };
        buffer = buffer << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            out.push((buffer >> 16) as u8);
            if ended == 0 || ended > 1 {
                out.push((buffer >> 8) as u8);
            }
            if ended == 0 || ended > 2 {
                out.push(buffer as u8);
            }
            (buffer, count) = (0, 0);
        }
    }
    if count != 0 {
        return Err(invalid("invalid base64 end sequence")
            .hint("Input data is missing padding, is truncated, or is otherwise corrupted."));
    }
    Ok(out)
}

fn from_escape(text: &str) -> Result<Vec<u8>> {
    let bad = || SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea");
    let b = text.as_bytes();
    let (mut out, mut i) = (Vec::with_capacity(b.len()), 0);
    while i < b.len() {
        if b[i] != b'\\' {
            out.push(b[i]);
            i += 1;
        } else if b.get(i + 1) == Some(&b'\\') {
            out.push(b'\\');
            i += 2;
        } else {
            let d = b.get(i + 1..i + 4).ok_or_else(bad)?;
            if !(b'0'..=b'3').contains(&d[0]) || d[1..].iter().any(|c| !(b'0'..=b'7').contains(c)) {
                return Err(bad());
            }
            out.push((d[0] - b'0') << 6 | (d[1] - b'0') << 3 | (d[2] - b'0'));
            i += 4;
        }
    }
    Ok(out)
}

fn to_escape(v: &[u8]) -> String {
    let mut out = String::with_capacity(v.len());
    for &b in v {
        match b {
            0 | 0x80.. => out.push_str(&format!("\\{b:03o}")),
            b'\\' => out.push_str("\\\\"),
            _ => out.push(b.into()),
        }
    }
    out
}

fn to_hex(v: &[u8]) -> String {
    v.iter().map(|b| format!("{b:02x}")).collect()
}

/// CRC of the reflected polynomial.
fn crc(v: &[u8], polynomial: u32) -> i64 {
    let mut c = u32::MAX;
    for &b in v {
        c ^= u32::from(b);
        for _ in 0..8 {
            c = if c & 1 == 1 { c >> 1 ^ polynomial } else { c >> 1 };
        }
    }
    i64::from(!c)
}

/// Checks an encoding's name: all text is UTF-8 here; others are not implemented.
fn check_encoding(name: &str, what: &str) -> Result<()> {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if matches!(plain.as_str(), "utf8" | "unicode" | "sqlascii") {
        return Ok(());
    }
    if crate::system::encoding_number(name).is_some() {
        return Err(SqlError::unsupported(format!("conversion between {name} and UTF8")));
    }
    Err(invalid(format!("invalid {what} encoding name \"{name}\"")))
}

fn utf8(v: &[u8]) -> Result<&str> {
    let valid = std::str::from_utf8(v).map_or_else(|e| e.valid_up_to(), str::len);
    if v[..valid].contains(&0) {
        let message = "invalid byte sequence for encoding \"UTF8\": 0x00";
        return Err(SqlError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message));
    }
    std::str::from_utf8(v).map_err(|e| {
        let rest = &v[e.valid_up_to()..];
        let width = match rest.first() {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf7) => 4,
            _ => 1,
        };
        let shown: Vec<String> = rest.iter().take(width).map(|b| format!("0x{b:02x}")).collect();
        let message = format!("invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "));
        SqlError::new(SqlState::CHARACTER_NOT_IN_REPERTOIRE, message)
    })
}

#[ext::module]
pub(crate) mod functions {
    use md5::Digest;

    use super::*;

    #[ext::function(oid = [720, 2010])]
    pub fn length(v: &[u8]) -> i32 {
        v.len() as i32
    }

    #[ext::function(oid = 1810)]
    pub fn bit_length(v: &[u8]) -> i32 {
        v.len() as i32 * 8
    }

    #[ext::function(oid = 1713)]
    pub fn length_in(v: &[u8], encoding: &str) -> Result<i32> {
        check_encoding(encoding, "source")?;
        Ok(utf8(v)?.chars().count() as i32)
    }

    #[ext::function(oid = 2011)]
    pub fn concatenate(a: &[u8], b: &[u8]) -> Vec<u8> {
        [a, b].concat()
    }

    #[ext::function(oid = [2012, 2085])]
    pub fn substring(v: &[u8], start: i32, count: i32) -> Result<&[u8]> {
        slice(v, start, Some(count))
    }

    #[ext::function(oid = [2013, 2086])]
    pub fn substring_from(v: &[u8], start: i32) -> Result<&[u8]> {
        slice(v, start, None)
    }

    #[ext::function(oid = 749)]
    pub fn overlay(v: &[u8], by: &[u8], start: i32, count: i32) -> Result<Vec<u8>> {
        if start <= 0 {
            return Err(negative_length());
        }
        let after = start.checked_add(count).ok_or(ext::Fail::IntegerOutOfRange)?;
        Ok([slice(v, 1, Some(start - 1))?, by, slice(v, after, None)?].concat())
    }

    #[ext::function(oid = 752)]
    pub fn overlay_all(v: &[u8], by: &[u8], start: i32) -> Result<Vec<u8>> {
        overlay(v, by, start, by.len() as i32)
    }

    #[ext::function(oid = 2014)]
    pub fn position(v: &[u8], part: &[u8]) -> i32 {
        if part.is_empty() {
            return 1;
        }
        v.windows(part.len()).position(|w| w == part).map_or(0, |p| p as i32 + 1)
    }

    #[ext::function(oid = 2015)]
    pub fn btrim<'a>(v: &'a [u8], set: &'a [u8]) -> &'a [u8] {
        trimmed(v, set, true, true)
    }

    #[ext::function(oid = 6195)]
    pub fn ltrim<'a>(v: &'a [u8], set: &'a [u8]) -> &'a [u8] {
        trimmed(v, set, true, false)
    }

    #[ext::function(oid = 6196)]
    pub fn rtrim<'a>(v: &'a [u8], set: &'a [u8]) -> &'a [u8] {
        trimmed(v, set, false, true)
    }

    #[ext::function(oid = 6382)]
    pub fn reverse(v: &[u8]) -> Vec<u8> {
        v.iter().rev().copied().collect()
    }

    #[ext::function(oid = 6393)]
    pub fn larger<'a>(a: &'a [u8], b: &'a [u8]) -> &'a [u8] {
        if a > b { a } else { b }
    }

    #[ext::function(oid = 6394)]
    pub fn smaller<'a>(a: &'a [u8], b: &'a [u8]) -> &'a [u8] {
        if a < b { a } else { b }
    }

    #[ext::function(oid = 6163)]
    pub fn bit_count(v: &[u8]) -> i64 {
        v.iter().map(|b| i64::from(b.count_ones())).sum()
    }

    #[ext::function(oid = 721)]
    pub fn get_byte(v: &[u8], n: i32) -> Result<i32> {
        check_index(n.into(), v.len() as i64).map(|i| v[i].into())
    }

    #[ext::function(oid = 722)]
    pub fn set_byte(v: &[u8], n: i32, byte: i32) -> Result<Vec<u8>> {
        let i = check_index(n.into(), v.len() as i64)?;
        let mut out = v.to_vec();
        out[i] = byte as u8;
        Ok(out)
    }

    #[ext::function(oid = 723)]
    pub fn get_bit(v: &[u8], n: i64) -> Result<i32> {
        let i = check_index(n, v.len() as i64 * 8)?;
        Ok((v[i / 8] >> (i % 8) & 1).into())
    }

    #[ext::function(oid = 724)]
    pub fn set_bit(v: &[u8], n: i64, bit: i32) -> Result<Vec<u8>> {
        let i = check_index(n, v.len() as i64 * 8)?;
        if !(0..=1).contains(&bit) {
            return Err(invalid("new bit must be 0 or 1"));
        }
        let mut out = v.to_vec();
        out[i / 8] = out[i / 8] & !(1 << (i % 8)) | (bit as u8) << (i % 8);
        Ok(out)
    }

    #[ext::function(oid = 1946)]
    pub fn encode(v: &[u8], format: &str) -> Result<String> {
        Ok(match format.to_ascii_lowercase().as_str() {
            "hex" => to_hex(v),
            "escape" => to_escape(v),
            "base64" => {
                let flat = STANDARD.encode(v);
                let lines: Vec<&str> = (0..flat.len()).step_by(76).map(|i| &flat[i..flat.len().min(i + 76)]).collect();
                let joined = lines.join("\n");
                // A full last line is ended too.
                if !flat.is_empty() && flat.len().is_multiple_of(76) { joined + "\n" } else { joined }
            }
            _ => return Err(invalid(format!("unrecognized encoding: \"{format}\""))),
        })
    }

    #[ext::function(oid = 1947)]
    pub fn decode(v: &str, format: &str) -> Result<Vec<u8>> {
        match format.to_ascii_lowercase().as_str() {
            "hex" => from_hex(v),
            "escape" => from_escape(v),
            "base64" => from_base64(v),
            _ => Err(invalid(format!("unrecognized encoding: \"{format}\""))),
        }
    }

    #[ext::function(oid = 1714)]
    pub fn convert_from<'a>(v: &'a [u8], encoding: &'a str) -> Result<&'a str> {
        check_encoding(encoding, "source")?;
        utf8(v)
    }

    #[ext::function(oid = 1717)]
    pub fn convert_to<'a>(v: &'a str, encoding: &'a str) -> Result<&'a [u8]> {
        check_encoding(encoding, "destination")?;
        Ok(v.as_bytes())
    }

    #[ext::function(oid = 1813)]
    pub fn convert<'a>(v: &'a [u8], from: &'a str, to: &'a str) -> Result<&'a [u8]> {
        check_encoding(from, "source")?;
        check_encoding(to, "destination")?;
        utf8(v).map(str::as_bytes)
    }

    #[ext::function(oid = [2311, 2321])]
    pub fn md5(v: &[u8]) -> String {
        to_hex(&md5::Md5::digest(v))
    }

    #[ext::function(oid = 3419)]
    pub fn sha224(v: &[u8]) -> Vec<u8> {
        sha2::Sha224::digest(v).to_vec()
    }

    #[ext::function(oid = 3420)]
    pub fn sha256(v: &[u8]) -> Vec<u8> {
        sha2::Sha256::digest(v).to_vec()
    }

    #[ext::function(oid = 3421)]
    pub fn sha384(v: &[u8]) -> Vec<u8> {
        sha2::Sha384::digest(v).to_vec()
    }

    #[ext::function(oid = 3422)]
    pub fn sha512(v: &[u8]) -> Vec<u8> {
        sha2::Sha512::digest(v).to_vec()
    }

    #[ext::function(oid = 6364)]
    pub fn crc32(v: &[u8]) -> i64 {
        crc(v, 0xedb8_8320)
    }

    #[ext::function(oid = 6365)]
    pub fn crc32c(v: &[u8]) -> i64 {
        crc(v, 0x82f6_3b78)
    }
}
