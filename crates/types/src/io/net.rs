//! `inet`, `cidr` and `macaddr`.
//!
//! `inet` and `cidr` are stored as family (4 or 6), mask length, and the address's 4 or 16 bytes; `macaddr` as its six.

use std::cmp::Ordering;
use std::net::Ipv6Addr;

use super::{bad_input, is_space};
use crate::{Datum, Result, SqlError, SqlState};

/// An address and mask length.
fn parts(stored: &[u8]) -> (u8, u8, &[u8]) {
    match stored {
        [family, bits, address @ ..] => (*family, *bits, address),
        _ => (4, 0, &[]),
    }
}

/// An IPv4 address of one to four bytes, and how many were written.
fn parse_v4(text: &str) -> Option<([u8; 4], usize)> {
    let mut out = [0; 4];
    let mut count = 0;
    for part in text.split('.') {
        if count == 4 || part.is_empty() || part.len() > 3 || !part.bytes().all(|c| c.is_ascii_digit()) {
            return None;
        }
        out[count] = part.parse().ok()?;
        count += 1;
    }
    Some((out, count))
}

/// The mask length a classful network of so many bytes has.
fn classful(address: [u8; 4], count: usize) -> u8 {
    let class = match address[0] {
        240.. => 32,
        224.. => 4,
        192.. => 24,
        128.. => 16,
        _ => 8,
    };
    class.max(if class == 4 && count == 1 { 4 } else { count as u8 * 8 })
}

fn mask_length(text: &str, most: u8) -> Option<u8> {
    if text.is_empty() || text.len() > 3 || !text.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    text.parse::<u8>().ok().filter(|b| *b <= most)
}

fn read(text: &str, cidr: bool) -> Option<Vec<u8>> {
    let (address, mask) = match text.split_once('/') {
        Some((a, m)) => (a, Some(m)),
        None => (text, None),
    };
    if address.contains(':') {
        let bytes = address.parse::<Ipv6Addr>().ok()?.octets();
        let bits = mask.map_or(Some(128), |m| mask_length(m, 128))?;
        return Some([&[6, bits][..], &bytes].concat());
    }
    let (bytes, count) = parse_v4(address)?;
    let bits = match mask {
        Some(m) => mask_length(m, 32)?,
        None if cidr => classful(bytes, count),
        None if count == 4 => 32,
        None => return None,
    };
    Some([&[4, bits][..], &bytes].concat())
}

/// Whether all bits past the mask are zero.
fn is_network(stored: &[u8]) -> bool {
    let (_, bits, address) = parts(stored);
    (usize::from(bits)..address.len() * 8).all(|i| address[i / 8] >> (7 - i % 8) & 1 == 0)
}

/// Reads an `inet` or a `cidr`.
pub fn parse(text: &str, cidr: bool) -> Result<Datum> {
    let name = if cidr { "cidr" } else { "inet" };
    let stored = read(text, cidr).ok_or_else(|| bad_input(name, text))?;
    if cidr && !is_network(&stored) {
        return Err(SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("invalid cidr value: \"{text}\""))
            .detail("Value has bits set to right of mask."));
    }
    Ok(Datum::from(stored))
}

/// An IPv6 address as PostgreSQL shows it: the longest run of zero groups shortened, mapped addresses dotted.
fn format_v6(a: &[u8]) -> String {
    let group = |i: usize| u16::from_be_bytes([a[2 * i], a[2 * i + 1]]);
    let dotted = |prefix: &str| format!("{prefix}{}.{}.{}.{}", a[12], a[13], a[14], a[15]);
    let zeros = (0..8).take_while(|i| group(*i) == 0).count();
    if zeros == 5 && group(5) == 0xffff {
        return dotted("::ffff:");
    }
    if zeros == 6 {
        return dotted("::");
    }
    let (mut best, mut best_len) = (0, 0);
    let mut i = 0;
    while i < 8 {
        let len = (i..8).take_while(|k| group(*k) == 0).count();
        if len > best_len {
            (best, best_len) = (i, len);
        }
        i += len.max(1);
    }
    let join = |from: usize, to: usize| (from..to).map(|i| format!("{:x}", group(i))).collect::<Vec<_>>().join(":");
    if best_len < 2 {
        return join(0, 8);
    }
    format!("{}::{}", join(0, best), join(best + best_len, 8))
}

/// Writes an `inet`, whose full mask is left out, or a `cidr`.
pub fn format(stored: &[u8], cidr: bool, out: &mut Vec<u8>) {
    let (family, bits, address) = parts(stored);
    let (text, full) = match (family, address) {
        (6, a) if a.len() == 16 => (format_v6(a), 128),
        (_, [a, b, c, d]) => (format!("{a}.{b}.{c}.{d}"), 32),
        _ => return,
    };
    out.extend_from_slice(text.as_bytes());
    if cidr || bits != full {
        out.extend_from_slice(format!("/{bits}").as_bytes());
    }
}

/// SQL order: family, common network bits, mask length, then the whole address.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let ((fa, ba, aa), (fb, bb, ab)) = (parts(a), parts(b));
    fa.cmp(&fb)
        .then_with(|| masked(aa, ba.min(bb)).cmp(&masked(ab, ba.min(bb))))
        .then(ba.cmp(&bb))
        .then_with(|| aa.cmp(ab))
}

/// The address with all bits past the mask cleared.
fn masked(address: &[u8], bits: u8) -> Vec<u8> {
    let keep = |i: usize| match usize::from(bits).saturating_sub(8 * i) {
        0 => 0,
        n @ 1..8 => 0xff << (8 - n),
        _ => 0xff,
    };
    address.iter().enumerate().map(|(i, b)| b & keep(i)).collect()
}

/// Order-preserving key: the family; per network bit a 1 and the bit, a 0 to end them; the whole address.
pub fn sort_key(stored: &[u8], out: &mut Vec<u8>) {
    let (family, bits, address) = parts(stored);
    out.push(family);
    // Two bits of key to a bit of network, so that a network sorts before its parts.
    let mut key = vec![0u8; (2 * address.len() * 8 + 2).div_ceil(8)];
    for i in 0..usize::from(bits).min(address.len() * 8) {
        let bit = address[i / 8] >> (7 - i % 8) & 1;
        let pair = 0b10 | bit;
        key[i / 4] |= pair << (6 - 2 * (i % 4));
    }
    out.extend_from_slice(&key);
    out.extend_from_slice(address);
}

/// Reads the binary form: family, mask length, whether it is a `cidr`, length, address.
pub fn binary_in(bytes: &[u8], cidr: bool) -> Result<Datum> {
    let name = if cidr { "cidr" } else { "inet" };
    let bad = |m: String| SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, m);
    let [family, bits, _, len, address @ ..] = bytes else { return Err(super::short()) };
    let (family, size) = match family {
        2 => (4, 4),
        3 => (6, 16),
        _ => return Err(bad(format!("invalid address family in external \"{name}\" value"))),
    };
    if usize::from(*bits) > size * 8 {
        return Err(bad(format!("invalid bits in external \"{name}\" value")));
    }
    if usize::from(*len) != size || address.len() != size {
        return Err(bad(format!("invalid length in external \"{name}\" value")));
    }
    let stored = [&[family, *bits][..], address].concat();
    if cidr && !is_network(&stored) {
        return Err(bad("invalid external \"cidr\" value".into()).detail("Value has bits set to right of mask."));
    }
    Ok(Datum::from(stored))
}

/// Writes the binary form.
pub fn binary_out(stored: &[u8], cidr: bool, out: &mut Vec<u8>) {
    let (family, bits, address) = parts(stored);
    out.extend_from_slice(&[if family == 6 { 3 } else { 2 }, bits, u8::from(cidr), address.len() as u8]);
    out.extend_from_slice(address);
}

/// Reads a `macaddr` in any of its notations.
pub fn parse_mac(text: &str) -> Result<Datum> {
    let body = text.trim_matches(is_space);
    let digits =
        |s: &str, n: std::ops::RangeInclusive<usize>| n.contains(&s.len()) && s.bytes().all(|c| c.is_ascii_hexdigit());
    let bad = || bad_input("macaddr", text);
    let out_of_range = || {
        SqlError::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("invalid octet value in \"macaddr\" value: \"{text}\""),
        )
    };
    for separator in [':', '-'] {
        let fields: Vec<&str> = body.split(separator).collect();
        if fields.len() == 6 && fields.iter().all(|f| digits(f, 1..=8)) {
            let mut out = [0u8; 6];
            for (byte, f) in out.iter_mut().zip(&fields) {
                let v = u32::from_str_radix(f, 16).map_err(|_| bad())?;
                *byte = u8::try_from(v).map_err(|_| out_of_range())?;
            }
            return Ok(Datum::bytes(&out));
        }
    }
    let grouped = |separator: char, size: usize| {
        let fields: Vec<&str> = body.split(separator).collect();
        (fields.len() == 12 / size && fields.iter().all(|f| digits(f, size..=size))).then(|| fields.concat())
    };
    let plain = grouped(':', 6)
        .or_else(|| grouped('-', 6))
        .or_else(|| grouped('.', 4))
        .or_else(|| grouped('-', 4))
        .or_else(|| digits(body, 12..=12).then(|| body.to_owned()))
        .ok_or_else(bad)?;
    let bytes = (0..6).map(|i| u8::from_str_radix(&plain[2 * i..2 * i + 2], 16).map_err(|_| bad()));
    Ok(Datum::from(bytes.collect::<Result<Vec<u8>>>()?))
}

/// Writes a `macaddr`.
pub fn format_mac(b: &[u8], out: &mut Vec<u8>) {
    let text: Vec<String> = b.iter().map(|b| format!("{b:02x}")).collect();
    out.extend_from_slice(text.join(":").as_bytes());
}
