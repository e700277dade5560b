//! Functions on bit strings.

use types::io::bits;
use types::{Result, SqlError, SqlState};

/// A bit string taken apart.
#[derive(Clone, PartialEq, Eq)]
struct BitString(Vec<bool>);

impl BitString {
    fn of(stored: &[u8]) -> BitString {
        let (count, bytes) = bits::parts(stored);
        BitString((0..count).map(|i| bytes.get(i / 8).is_some_and(|b| b >> (7 - i % 8) & 1 == 1)).collect())
    }

    fn store(&self) -> Vec<u8> {
        let mut bytes = vec![0u8; self.0.len().div_ceil(8)];
        for (i, _) in self.0.iter().enumerate().filter(|(_, b)| **b) {
            bytes[i / 8] |= 1 << (7 - i % 8);
        }
        bits::stored(self.0.len(), &bytes).as_bytes().unwrap_or_default().to_vec()
    }

    /// The number whose last bits these are.
    fn number(&self) -> u64 {
        self.0.iter().fold(0, |n, &b| n << 1 | u64::from(b))
    }

    fn shifted(&self, left: bool, by: usize) -> BitString {
        let n = self.0.len();
        let by = by.min(n);
        let zeros = std::iter::repeat_n(false, by);
        BitString(if left {
            self.0[by..].iter().copied().chain(zeros).collect()
        } else {
            zeros.chain(self.0[..n - by].iter().copied()).collect()
        })
    }

    fn slice(&self, start: i32, count: Option<i32>) -> Result<BitString> {
        let (skip, take) = crate::text::span(start, count)?;
        let rest = self.0.get(skip..).unwrap_or_default();
        Ok(BitString(rest[..take.min(rest.len())].to_vec()))
    }
}

/// `count` bits of a number, its sign to the left.
fn of_number(v: i64, count: i32) -> Vec<u8> {
    let n = if count <= 0 { 1 } else { count as usize };
    BitString((0..n).rev().map(|i| v >> i.min(63) & 1 == 1).collect()).store()
}

fn index(n: i32, len: usize) -> Result<usize> {
    if n >= 0 && (n as usize) < len {
        return Ok(n as usize);
    }
    let message = format!("bit index {n} out of valid range (0..{})", len as i64 - 1);
    Err(SqlError::new(SqlState::ARRAY_SUBSCRIPT_ERROR, message))
}

fn combined(a: &[u8], b: &[u8], what: &str, f: fn(bool, bool) -> bool) -> Result<Vec<u8>> {
    let (a, b) = (BitString::of(a), BitString::of(b));
    if a.0.len() != b.0.len() {
        let message = format!("cannot {what} bit strings of different sizes");
        return Err(SqlError::new(SqlState::STRING_DATA_LENGTH_MISMATCH, message));
    }
    Ok(BitString(a.0.iter().zip(&b.0).map(|(&a, &b)| f(a, b)).collect()).store())
}

#[ext::module]
pub(crate) mod functions {
    use ext::{Bits, Datum, Fail};

    use super::*;

    #[ext::function(oid = [1681, 1812])]
    pub fn length(v: Bits<'_>) -> i32 {
        bits::parts(v.0).0 as i32
    }

    #[ext::function(oid = 1682)]
    pub fn octet_length(v: Bits<'_>) -> i32 {
        bits::parts(v.0).0.div_ceil(8) as i32
    }

    #[ext::function(oid = 6162)]
    pub fn count(v: Bits<'_>) -> i64 {
        bits::parts(v.0).1.iter().map(|b| i64::from(b.count_ones())).sum()
    }

    #[ext::function(oid = 1673)]
    pub fn and(a: Bits<'_>, b: Bits<'_>) -> Result<Vec<u8>> {
        combined(a.0, b.0, "AND", |a, b| a & b)
    }

    #[ext::function(oid = 1674)]
    pub fn or(a: Bits<'_>, b: Bits<'_>) -> Result<Vec<u8>> {
        combined(a.0, b.0, "OR", |a, b| a | b)
    }

    #[ext::function(oid = 1675)]
    pub fn xor(a: Bits<'_>, b: Bits<'_>) -> Result<Vec<u8>> {
        combined(a.0, b.0, "XOR", |a, b| a ^ b)
    }

    #[ext::function(oid = 1676)]
    pub fn not(v: Bits<'_>) -> Vec<u8> {
        BitString(BitString::of(v.0).0.iter().map(|b| !b).collect()).store()
    }

    #[ext::function(oid = 1677)]
    pub fn shift_left(v: Bits<'_>, n: i32) -> Vec<u8> {
        BitString::of(v.0).shifted(n >= 0, n.unsigned_abs() as usize).store()
    }

    #[ext::function(oid = 1678)]
    pub fn shift_right(v: Bits<'_>, n: i32) -> Vec<u8> {
        BitString::of(v.0).shifted(n < 0, n.unsigned_abs() as usize).store()
    }

    #[ext::function(oid = 1679)]
    pub fn concatenate(a: Bits<'_>, b: Bits<'_>) -> Vec<u8> {
        BitString([BitString::of(a.0).0, BitString::of(b.0).0].concat()).store()
    }

    #[ext::function(oid = 1680)]
    pub fn substring(v: Bits<'_>, start: i32, count: i32) -> Result<Vec<u8>> {
        BitString::of(v.0).slice(start, Some(count)).map(|b| b.store())
    }

    #[ext::function(oid = 1699)]
    pub fn substring_from(v: Bits<'_>, start: i32) -> Result<Vec<u8>> {
        BitString::of(v.0).slice(start, None).map(|b| b.store())
    }

    #[ext::function(oid = 3030)]
    pub fn overlay(v: Bits<'_>, by: Bits<'_>, start: i32, count: i32) -> Result<Vec<u8>> {
        if start <= 0 {
            return Err(crate::text::negative_length());
        }
        let after = start.checked_add(count).ok_or(Fail::IntegerOutOfRange)?;
        let whole = BitString::of(v.0);
        let (head, tail) = (whole.slice(1, Some(start - 1))?, whole.slice(after, None)?);
        Ok(BitString([head.0, BitString::of(by.0).0, tail.0].concat()).store())
    }

    #[ext::function(oid = 3031)]
    pub fn overlay_all(v: Bits<'_>, by: Bits<'_>, start: i32) -> Result<Vec<u8>> {
        let count = length(by);
        overlay(v, by, start, count)
    }

    #[ext::function(oid = 1698)]
    pub fn position(v: Bits<'_>, part: Bits<'_>) -> i32 {
        let (v, part) = (BitString::of(v.0).0, BitString::of(part.0).0);
        if part.is_empty() {
            return i32::from(!v.is_empty());
        }
        v.windows(part.len()).position(|w| w == part).map_or(0, |p| p as i32 + 1)
    }

    #[ext::function(oid = 3032)]
    pub fn get_bit(v: Bits<'_>, n: i32) -> Result<i32> {
        let b = BitString::of(v.0).0;
        index(n, b.len()).map(|i| b[i].into())
    }

    #[ext::function(oid = 3033)]
    pub fn set_bit(v: Bits<'_>, n: i32, bit: i32) -> Result<Vec<u8>> {
        let mut b = BitString::of(v.0);
        let i = index(n, b.0.len())?;
        if !(0..=1).contains(&bit) {
            return Err(SqlError::new(SqlState::INVALID_PARAMETER_VALUE, "new bit must be 0 or 1"));
        }
        b.0[i] = bit == 1;
        Ok(b.store())
    }

    #[ext::function(each(i32 = 1683, i64 = 2075))]
    pub fn from_int<T: Into<i64>>(v: T, count: i32) -> Vec<u8> {
        of_number(v.into(), count)
    }

    #[ext::function(oid = 1684)]
    pub fn to_int4(v: Bits<'_>) -> Result<i32> {
        let b = BitString::of(v.0);
        if b.0.len() > 32 { Err(Fail::IntegerOutOfRange.into()) } else { Ok(b.number() as u32 as i32) }
    }

    #[ext::function(oid = 2076)]
    pub fn to_int8(v: Bits<'_>) -> Result<i64> {
        let b = BitString::of(v.0);
        if b.0.len() > 64 { Err(Fail::BigintOutOfRange.into()) } else { Ok(b.number() as i64) }
    }

    #[ext::function(oid = 1685)]
    pub fn with_length(v: Bits<'_>, count: i32, explicit: bool) -> Result<Datum> {
        if count <= 0 {
            return Ok(Datum::bytes(v.0));
        }
        bits::coerce_bit(v.0, count, explicit)
    }

    #[ext::function(oid = 1687)]
    pub fn with_most(v: Bits<'_>, count: i32, explicit: bool) -> Result<Datum> {
        if count <= 0 {
            return Ok(Datum::bytes(v.0));
        }
        bits::coerce_varbit(v.0, count, explicit)
    }
}
