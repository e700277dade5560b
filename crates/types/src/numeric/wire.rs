//! Binary form of `numeric`: base-10000 digits.

use super::coef::Coef;
use super::{Numeric, Repr};
use crate::io::short;
use crate::{Result, SqlError, SqlState};

const NEG: u16 = 0x4000;
const NAN: u16 = 0xC000;
const POS_INF: u16 = 0xD000;
const NEG_INF: u16 = 0xF000;
/// What PostgreSQL sends as the display scale of an infinity.
const INF_SCALE: u16 = 0x20;

fn bad(what: &str) -> SqlError {
    SqlError::new(SqlState::INVALID_BINARY_REPRESENTATION, format!("invalid {what} in external \"numeric\" value"))
}

impl Numeric {
    /// Appends the binary form.
    pub fn binary_out(&self, out: &mut Vec<u8>) {
        let mut head = |n: u16, weight: i16, sign: u16, scale: u16| {
            for v in [n, weight as u16, sign, scale] {
                out.extend_from_slice(&v.to_be_bytes());
            }
        };
        let (coef, scale) = match &self.0 {
            Repr::NegInf => return head(0, 0, NEG_INF, INF_SCALE),
            Repr::PosInf => return head(0, 0, POS_INF, INF_SCALE),
            Repr::NaN => return head(0, 0, NAN, 0),
            Repr::Finite { coef, scale } => (coef, *scale),
        };
        if coef.is_zero() {
            return head(0, 0, 0, scale as u16);
        }
        let text = coef.magnitude_digits();
        let exponent = text.len() as i64 - 1 - i64::from(scale);
        let weight = exponent.div_euclid(4);
        // Zeros in front align the first digit to its group of four.
        let lead = 3 - exponent.rem_euclid(4) as usize;
        let digits: Vec<u8> = std::iter::repeat_n(b'0', lead).chain(text.bytes()).collect();
        let mut groups: Vec<u16> = digits
            .chunks(4)
            .map(|c| (0..4).fold(0, |v, i| v * 10 + u16::from(c.get(i).map_or(0, |d| d - b'0'))))
            .collect();
        while groups.last() == Some(&0) {
            groups.pop();
        }
        head(groups.len() as u16, weight as i16, if coef.is_negative() { NEG } else { 0 }, scale as u16);
        for g in groups {
            out.extend_from_slice(&g.to_be_bytes());
        }
    }

    /// Reads the binary form.
    pub fn binary_in(bytes: &[u8]) -> Result<Numeric> {
        let mut words = bytes.chunks_exact(2).map(|c| u16::from_be_bytes([c[0], c[1]]));
        let mut next = || words.next().ok_or_else(short);
        let (count, weight, sign, scale) = (next()?, next()? as i16, next()?, next()?);
        let negative = match sign {
            0 => false,
            NEG => true,
            NAN => return Ok(Numeric::NAN),
            POS_INF => return Ok(Numeric::INFINITY),
            NEG_INF => return Ok(Numeric::NEG_INFINITY),
            _ => return Err(bad("sign")),
        };
        if scale > 0x3FFF {
            return Err(bad("scale"));
        }
        let mut digits = Vec::with_capacity(count as usize * 4);
        for _ in 0..count {
            let d = next()?;
            if d > 9999 {
                return Err(bad("digit"));
            }
            digits.extend([d / 1000, d / 100 % 10, d / 10 % 10, d % 10].map(|v| b'0' + v as u8));
        }
        if digits.iter().all(|d| *d == b'0') {
            return Ok(Numeric::finite(Coef::Int(0), scale.into()));
        }
        // The last digit stands at 10^-have; digits past the display scale are cut off.
        let have = i64::from(count) * 4 - (i64::from(weight) + 1) * 4;
        let scale = i64::from(scale);
        let coef = if have > scale {
            let keep = (digits.len() as i64 - (have - scale)).max(0) as usize;
            Coef::from_digits(&digits[..keep])
        } else {
            Coef::from_digits(&digits).mul_pow10((scale - have) as u32)
        };
        Numeric::checked(if negative { coef.neg() } else { coef }, scale as u32)
    }
}
