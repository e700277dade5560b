//! `bit` and `varbit`: stored as the bit count in four little-endian bytes, then the bits, first bit highest, padded
//! with zeros.

use crate::{Datum, Result, SqlError, SqlState};

/// Bit count and bits of a stored value.
pub fn parts(stored: &[u8]) -> (usize, &[u8]) {
    match stored {
        [a, b, c, d, bits @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, bits),
        _ => (0, &[]),
    }
}

/// The stored form of `count` bits; bits past the count are cleared.
pub fn stored(count: usize, bits: &[u8]) -> Datum {
    let bytes = count.div_ceil(8);
    let mut out = Vec::with_capacity(4 + bytes);
    out.extend_from_slice(&(count as u32).to_le_bytes());
    out.extend(bits.iter().copied().chain(std::iter::repeat(0)).take(bytes));
    if !count.is_multiple_of(8)
        && let Some(last) = out.last_mut()
    {
        *last &= 0xffu8 << (8 - count % 8);
    }
    Datum::from(out)
}

/// The bits of `text`, whose length `fits` judges before its digits are looked at.
fn read(text: &str, fits: impl Fn(usize) -> Result<()>) -> Result<(usize, Vec<u8>)> {
    let (digits, hex) = match text.as_bytes().first() {
        Some(b'x' | b'X') => (&text[1..], true),
        Some(b'b' | b'B') => (&text[1..], false),
        _ => (text, false),
    };
    fits(if hex { digits.len() * 4 } else { digits.len() })?;
    let (mut bits, mut count) = (Vec::new(), 0usize);
    for c in digits.chars() {
        let (value, width) = if hex { (c.to_digit(16), 4) } else { (c.to_digit(2), 1) };
        let value = value.ok_or_else(|| {
            let what = if hex { "hexadecimal" } else { "binary" };
            SqlError::new(SqlState::INVALID_TEXT_REPRESENTATION, format!("\"{c}\" is not a valid {what} digit"))
        })?;
        for i in (0..width).rev() {
            if count.is_multiple_of(8) {
                bits.push(0);
            }
            if value >> i & 1 == 1
                && let Some(last) = bits.last_mut()
            {
                *last |= 0x80 >> (count % 8);
            }
            count += 1;
        }
    }
    Ok((count, bits))
}

fn mismatch(count: usize, limit: i32) -> SqlError {
    SqlError::new(
        SqlState::STRING_DATA_LENGTH_MISMATCH,
        format!("bit string length {count} does not match type bit({limit})"),
    )
}

fn too_long(limit: i32) -> SqlError {
    SqlError::new(SqlState::STRING_DATA_RIGHT_TRUNCATION, format!("bit string too long for type bit varying({limit})"))
}

/// Reads a `bit`.
pub fn parse_bit(text: &str, typmod: i32) -> Result<Datum> {
    let fits = |count| if typmod > 0 && count != typmod as usize { Err(mismatch(count, typmod)) } else { Ok(()) };
    let (count, bits) = read(text, fits)?;
    Ok(stored(count, &bits))
}

/// Reads a `varbit`.
pub fn parse_varbit(text: &str, typmod: i32) -> Result<Datum> {
    let fits = |count| if typmod > 0 && count > typmod as usize { Err(too_long(typmod)) } else { Ok(()) };
    let (count, bits) = read(text, fits)?;
    Ok(stored(count, &bits))
}

/// Brings a `bit` to its length; only an explicit cast cuts or pads.
pub fn coerce_bit(value: &[u8], typmod: i32, explicit: bool) -> Result<Datum> {
    let (count, bits) = parts(value);
    if typmod <= 0 || count == typmod as usize {
        return Ok(Datum::bytes(value));
    }
    if explicit { Ok(stored(typmod as usize, bits)) } else { Err(mismatch(count, typmod)) }
}

/// Brings a `varbit` to its length; only an explicit cast cuts.
pub fn coerce_varbit(value: &[u8], typmod: i32, explicit: bool) -> Result<Datum> {
    let (count, bits) = parts(value);
    if typmod <= 0 || count <= typmod as usize {
        return Ok(Datum::bytes(value));
    }
    if explicit { Ok(stored(typmod as usize, bits)) } else { Err(too_long(typmod)) }
}

/// Writes the bits.
pub fn format(value: &[u8], out: &mut Vec<u8>) {
    let (count, bits) = parts(value);
    out.extend((0..count).map(|i| b'0' + (bits.get(i / 8).copied().unwrap_or(0) >> (7 - i % 8) & 1)));
}

/// Reads the binary form: the bit count, then the bits.
pub fn binary_in(bytes: &[u8]) -> Result<Datum> {
    let Some((head, bits)) = bytes.split_first_chunk::<4>() else {
        return Err(super::short());
    };
    let count = i32::from_be_bytes(*head);
    if count < 0 {
        return Err(SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, "invalid length in external bit string"));
    }
    let need = (count as usize).div_ceil(8);
    if bits.len() < need {
        return Err(super::short());
    }
    if bits.len() > need {
        return Err(SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, "incorrect binary data format"));
    }
    Ok(stored(count as usize, bits))
}

/// Writes the binary form.
pub fn binary_out(value: &[u8], out: &mut Vec<u8>) {
    let (count, bits) = parts(value);
    out.extend_from_slice(&(count as u32).to_be_bytes());
    out.extend_from_slice(bits);
}
