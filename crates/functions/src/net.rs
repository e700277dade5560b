//! Functions on network addresses.

use types::io::net;
use types::{Result, SqlError, SqlState};

/// An `inet` or `cidr` taken apart.
#[derive(Clone, PartialEq, Eq)]
struct Address {
    family: u8,
    mask: u8,
    bytes: Vec<u8>,
}

impl Address {
    fn of(stored: &[u8]) -> Address {
        match stored {
            [family, mask, bytes @ ..] => Address { family: *family, mask: *mask, bytes: bytes.to_vec() },
            _ => Address { family: 4, mask: 32, bytes: vec![0; 4] },
        }
    }

    fn store(&self) -> Vec<u8> {
        [&[self.family, self.mask][..], &self.bytes].concat()
    }

    fn bits(&self) -> u8 {
        (self.bytes.len() * 8) as u8
    }

    /// The mask as an address.
    fn mask_bytes(&self) -> Vec<u8> {
        let ones = usize::from(self.mask);
        (0..self.bytes.len()).map(|i| (0xff00u32 >> ones.saturating_sub(8 * i).min(8)) as u8).collect()
    }

    fn with(&self, mask: u8, f: impl Fn(u8, u8) -> u8) -> Address {
        let bytes = self.bytes.iter().zip(self.mask_bytes()).map(|(&b, m)| f(b, m)).collect();
        Address { family: self.family, mask, bytes }
    }

    /// Whether the first bits, as many as the shorter mask says, are the same.
    fn same_prefix(&self, other: &Address, count: u8) -> bool {
        let bit = |b: &[u8], i: usize| b[i / 8] >> (7 - i % 8) & 1;
        (0..usize::from(count)).all(|i| bit(&self.bytes, i) == bit(&other.bytes, i))
    }

    fn text(&self, always_mask: bool, cidr: bool) -> String {
        let mut out = Vec::new();
        net::format(&self.store(), cidr, &mut out);
        let text = String::from_utf8(out).unwrap_or_default();
        if always_mask && !text.contains('/') { format!("{text}/{}", self.mask) } else { text }
    }

    fn number(&self) -> u128 {
        self.bytes.iter().fold(0, |n, &b| n << 8 | u128::from(b))
    }

    fn moved(&self, by: i128) -> Result<Address> {
        let out = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range");
        let moved =
            if by < 0 { self.number().checked_sub(by.unsigned_abs()) } else { self.number().checked_add(by as u128) };
        let n = moved.ok_or_else(out)?;
        if self.bytes.len() == 4 && n > u128::from(u32::MAX) {
            return Err(out());
        }
        let bytes = n.to_be_bytes()[16 - self.bytes.len()..].to_vec();
        Ok(Address { family: self.family, mask: self.mask, bytes })
    }
}

fn invalid(message: impl Into<String>) -> SqlError {
    SqlError::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

/// Whether `inner` lies in `outer`; `strictly`: and is smaller.
fn within(inner: &[u8], outer: &[u8], strictly: bool) -> bool {
    let (i, o) = (Address::of(inner), Address::of(outer));
    let fits = if strictly { i.mask > o.mask } else { i.mask >= o.mask };
    i.family == o.family && fits && i.same_prefix(&o, o.mask)
}

fn masked(v: &[u8], mask: i32) -> Result<Address> {
    let a = Address::of(v);
    let mask = if mask == -1 { a.bits().into() } else { mask };
    if mask < 0 || mask > i32::from(a.bits()) {
        return Err(invalid(format!("invalid mask length: {mask}")));
    }
    Ok(Address { mask: mask as u8, ..a })
}

fn combined(a: &[u8], b: &[u8], what: &str, f: fn(u8, u8) -> u8) -> Result<Vec<u8>> {
    let (a, b) = (Address::of(a), Address::of(b));
    if a.family != b.family {
        return Err(invalid(format!("cannot {what} inet values of different sizes")));
    }
    let bytes = a.bytes.iter().zip(&b.bytes).map(|(&a, &b)| f(a, b)).collect();
    Ok(Address { family: a.family, mask: a.mask.max(b.mask), bytes }.store())
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 699)]
    pub fn host(v: &[u8]) -> String {
        let a = Address::of(v);
        let text = Address { mask: a.bits(), ..a }.text(false, false);
        text.split('/').next().unwrap_or_default().to_owned()
    }

    #[ext::function(oid = 730)]
    pub fn text(v: &[u8]) -> String {
        Address::of(v).text(true, false)
    }

    #[ext::function(oid = 598)]
    pub fn abbreviate_inet(v: &[u8]) -> String {
        Address::of(v).text(false, false)
    }

    #[ext::function(oid = 599)]
    pub fn abbreviate_cidr(v: &[u8]) -> String {
        let a = Address::of(v);
        if a.family == 6 {
            let text = a.text(true, true);
            let (address, mask) = text.split_once('/').unwrap_or((&text, "128"));
            let short = address.strip_suffix("::").filter(|s| !s.is_empty()).unwrap_or(address);
            return format!("{short}/{mask}");
        }
        // Only the bytes that the mask reaches.
        let shown = usize::from(a.mask).div_ceil(8).max(1);
        let parts: Vec<String> = a.bytes[..shown].iter().map(u8::to_string).collect();
        format!("{}/{}", parts.join("."), a.mask)
    }

    #[ext::function(oid = 697)]
    pub fn mask_length(v: &[u8]) -> i32 {
        Address::of(v).mask.into()
    }

    #[ext::function(oid = 711)]
    pub fn family(v: &[u8]) -> i32 {
        Address::of(v).family.into()
    }

    #[ext::function(oid = [683, 1715])]
    pub fn network(v: &[u8]) -> Vec<u8> {
        let a = Address::of(v);
        a.with(a.mask, |b, m| b & m).store()
    }

    #[ext::function(oid = 696)]
    pub fn netmask(v: &[u8]) -> Vec<u8> {
        let a = Address::of(v);
        a.with(a.bits(), |_, m| m).store()
    }

    #[ext::function(oid = 1362)]
    pub fn hostmask(v: &[u8]) -> Vec<u8> {
        let a = Address::of(v);
        a.with(a.bits(), |_, m| !m).store()
    }

    #[ext::function(oid = 698)]
    pub fn broadcast(v: &[u8]) -> Vec<u8> {
        let a = Address::of(v);
        a.with(a.mask, |b, m| b | !m).store()
    }

    #[ext::function(oid = 605)]
    pub fn set_mask_length(v: &[u8], mask: i32) -> Result<Vec<u8>> {
        masked(v, mask).map(|a| a.store())
    }

    #[ext::function(oid = 635)]
    pub fn set_cidr_mask_length(v: &[u8], mask: i32) -> Result<Vec<u8>> {
        masked(v, mask).map(|a| a.with(a.mask, |b, m| b & m).store())
    }

    #[ext::function(oid = 927)]
    pub fn is_inside(a: &[u8], b: &[u8]) -> bool {
        within(a, b, true)
    }

    #[ext::function(oid = 928)]
    pub fn is_inside_or_same(a: &[u8], b: &[u8]) -> bool {
        within(a, b, false)
    }

    #[ext::function(oid = 929)]
    pub fn holds(a: &[u8], b: &[u8]) -> bool {
        within(b, a, true)
    }

    #[ext::function(oid = 930)]
    pub fn holds_or_same(a: &[u8], b: &[u8]) -> bool {
        within(b, a, false)
    }

    #[ext::function(oid = 3551)]
    pub fn overlaps(a: &[u8], b: &[u8]) -> bool {
        let (a, b) = (Address::of(a), Address::of(b));
        a.family == b.family && a.same_prefix(&b, a.mask.min(b.mask))
    }

    #[ext::function(oid = 4071)]
    pub fn same_family(a: &[u8], b: &[u8]) -> bool {
        Address::of(a).family == Address::of(b).family
    }

    #[ext::function(oid = 4063)]
    pub fn merge(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
        let (a, b) = (Address::of(a), Address::of(b));
        if a.family != b.family {
            return Err(invalid("cannot merge addresses from different families"));
        }
        let most = a.mask.min(b.mask);
        let common = (0..=most).rev().find(|&n| a.same_prefix(&b, n)).unwrap_or(0);
        let merged = Address { mask: common, ..a };
        Ok(merged.with(common, |b, m| b & m).store())
    }

    #[ext::function(oid = 2627)]
    pub fn not(v: &[u8]) -> Vec<u8> {
        let a = Address::of(v);
        a.with(a.mask, |b, _| !b).store()
    }

    #[ext::function(oid = 2628)]
    pub fn and(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
        combined(a, b, "AND", |a, b| a & b)
    }

    #[ext::function(oid = 2629)]
    pub fn or(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
        combined(a, b, "OR", |a, b| a | b)
    }

    #[ext::function(oid = 2630)]
    pub fn plus(v: &[u8], n: i64) -> Result<Vec<u8>> {
        Address::of(v).moved(n.into()).map(|a| a.store())
    }

    #[ext::function(oid = 2631)]
    pub fn added_to(n: i64, v: &[u8]) -> Result<Vec<u8>> {
        plus(v, n)
    }

    #[ext::function(oid = 2632)]
    pub fn minus(v: &[u8], n: i64) -> Result<Vec<u8>> {
        // The magnitude of the least number is none: it stays negative.
        Address::of(v).moved(n.wrapping_neg().into()).map(|a| a.store())
    }

    #[ext::function(oid = 2633)]
    pub fn difference(a: &[u8], b: &[u8]) -> Result<i64> {
        let (a, b) = (Address::of(a), Address::of(b));
        if a.family != b.family {
            return Err(invalid("cannot subtract inet values of different sizes"));
        }
        let out = || SqlError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range");
        i64::try_from(a.number().wrapping_sub(b.number()) as i128).map_err(|_| out())
    }

    #[ext::function(oid = [3144])]
    pub fn mac_not(v: &[u8]) -> Vec<u8> {
        v.iter().map(|b| !b).collect()
    }

    #[ext::function(oid = [3145])]
    pub fn mac_and(a: &[u8], b: &[u8]) -> Vec<u8> {
        a.iter().zip(b).map(|(a, b)| a & b).collect()
    }

    #[ext::function(oid = [3146])]
    pub fn mac_or(a: &[u8], b: &[u8]) -> Vec<u8> {
        a.iter().zip(b).map(|(a, b)| a | b).collect()
    }

    #[ext::function(oid = 753)]
    pub fn mac_trunc(v: &[u8]) -> Vec<u8> {
        v.iter().enumerate().map(|(i, &b)| if i < 3 { b } else { 0 }).collect()
    }
}
