//! What a join has built tells the scans that it will read which rows it cannot use, before they load anything else of them.
//!
//! A row whose key no row of the build side has yields nothing in an inner, a right or a semi join; so a scan below may leave it out (N1). Filters are
//! handed down through whatever yields nothing for a row that its input does not yield ([`crate::Operator::narrow`]).

use std::sync::Arc;

use storage::table::PageView;
use types::{Oid, Physical, oid};
use vector::{Data, Vector};

use crate::load::Slots;

/// Keys that a filter is made of, at most: beyond, what it saves is less than what it costs.
const KEYS_MAX: usize = 1 << 22;
/// A set of bits may be so many times as wide as there are keys.
const SPREAD_MAX: u64 = 64;
/// Bits of a set that is always worth it.
const SMALL_BITS: u64 = 1 << 18;
/// After so many rows a filter shows what it is worth.
const TRIAL_ROWS: usize = 16 << 10;

/// The keys of a join's build side, or more than those.
#[derive(Debug)]
pub struct KeyFilter {
    low: i64,
    high: i64,
    set: Set,
}

#[derive(Debug)]
enum Set {
    /// All between the bounds.
    Range,
    /// A bit for each value from the lower bound on.
    Bits(Vec<u64>),
    /// Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007): a word a key, two bits in it.
    Bloom { words: Vec<u64>, shift: u32 },
}

/// Makes a filter for whoever has a use for it; none where it is not worth it.
pub type Offer<'a> = &'a dyn Fn() -> Option<Arc<KeyFilter>>;

/// Whether values of a type are looked for as whole numbers.
pub fn is_narrowing(ty: Oid) -> bool {
    matches!(ty, oid::INT2 | oid::INT4 | oid::INT8 | oid::DATE | oid::TIMESTAMP | oid::TIMESTAMPTZ)
}

fn word_and_bits(value: i64, shift: u32) -> (usize, u64) {
    let hash = value.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((hash >> shift) as usize, 1 << (hash & 63) | 1 << (hash >> 6 & 63))
}

impl KeyFilter {
    /// One of the values of `keys`; `None` where that is not worth it.
    pub fn of(keys: &Vector) -> Option<KeyFilter> {
        macro_rules! wide {
            ($v:expr) => {
                $v.iter().enumerate().filter(|&(i, _)| !keys.nulls.get(i)).map(|(_, &v)| i64::from(v)).collect()
            };
        }
        if keys.len() > KEYS_MAX {
            return None;
        }
        let values: Vec<i64> = match &keys.data {
            Data::I16(v) => wide!(v),
            Data::I32(v) => wide!(v),
            Data::I64(v) => wide!(v),
            _ => return None,
        };
        let (Some(&low), Some(&high)) = (values.iter().min(), values.iter().max()) else {
            // Nothing matches.
            return Some(KeyFilter { low: 0, high: -1, set: Set::Range });
        };
        let span = high.wrapping_sub(low).cast_unsigned();
        let count = values.len() as u64;
        let set = if span < SMALL_BITS.max(count * SPREAD_MAX) {
            let mut bits = vec![0; span as usize / 64 + 1];
            for v in values {
                let at = v.wrapping_sub(low).cast_unsigned();
                bits[at as usize / 64] |= 1 << (at % 64);
            }
            Set::Bits(bits)
        } else {
            // A word for four keys: sixteen bits each.
            let words_log = (count / 4).max(64).next_power_of_two().trailing_zeros();
            let shift = 64 - words_log;
            let mut words = vec![0; 1 << words_log];
            for v in values {
                let (word, bits) = word_and_bits(v, shift);
                words[word] |= bits;
            }
            Set::Bloom { words, shift }
        };
        Some(KeyFilter { low, high, set })
    }

    /// False only of values that are no key.
    #[inline]
    pub fn may_have(&self, value: i64) -> bool {
        if value < self.low || value > self.high {
            return false;
        }
        match &self.set {
            Set::Range => true,
            Set::Bits(bits) => {
                let at = value.wrapping_sub(self.low).cast_unsigned();
                bits[at as usize / 64] >> (at % 64) & 1 == 1
            }
            Set::Bloom { words, shift } => {
                let (word, bits) = word_and_bits(value, *shift);
                words[word] & bits == bits
            }
        }
    }
}

/// A filter of a column of a scan.
#[derive(Debug)]
pub struct Narrowing {
    column: usize,
    filter: Arc<KeyFilter>,
    /// Rows it was asked of, and those that passed.
    seen: usize,
    passed: usize,
}

impl Narrowing {
    /// Whether values of this form can be asked about.
    pub fn fits(physical: Physical) -> bool {
        matches!(physical, Physical::I16 | Physical::I32 | Physical::I64)
    }

    /// `filter` of `column`, whose values are of a form that fits.
    pub fn new(column: usize, filter: Arc<KeyFilter>) -> Narrowing {
        Narrowing { column, filter, seen: 0, passed: 0 }
    }

    /// Whether it is worth asking: whoever lets nearly all rows pass is not asked any more.
    fn is_worth_it(&self) -> bool {
        self.seen < TRIAL_ROWS || self.passed < self.seen - self.seen / 8
    }

    /// Lists those of `found` that pass.
    fn list(&mut self, page: &PageView<'_>, found: &Slots<'_>, out: &mut Vec<u32>) {
        let nulls = page.nulls(self.column);
        let full = nulls.iter().all(|w| *w == 0);
        let bytes = page.mini_page(self.column);
        macro_rules! each {
            ($ty:ty) => {{
                let values: &[$ty] = bytemuck::cast_slice(bytes);
                let passes = |slot: usize| {
                    (full || nulls[slot / 64] >> (slot % 64) & 1 == 0) && self.filter.may_have(values[slot].into())
                };
                // The slot at hand is written behind those that pass, whether it does or not.
                out.clear();
                out.resize(found.len(), 0);
                let mut count = 0;
                let mut take = |slot: u32| {
                    out[count] = slot;
                    count += usize::from(passes(slot as usize));
                };
                match *found {
                    Slots::Run(from, n) => (from..from + n).for_each(|slot| take(slot as u32)),
                    Slots::List(list) => list.iter().for_each(|&slot| take(slot)),
                }
                out.truncate(count);
            }};
        }
        match page.form(self.column) {
            Physical::I16 => each!(i16),
            Physical::I32 => each!(i32),
            _ => each!(i64),
        }
        self.seen += found.len();
        self.passed += out.len();
    }
}

/// Lists in `out` those of `found` that pass all filters; false where none is worth asking. `spare` is room.
pub fn narrow(
    filters: &mut [Narrowing],
    page: &PageView<'_>,
    found: Slots<'_>,
    out: &mut Vec<u32>,
    spare: &mut Vec<u32>,
) -> bool {
    let mut any = false;
    for filter in filters.iter_mut().filter(|f| f.is_worth_it()) {
        if any {
            std::mem::swap(out, spare);
            filter.list(page, &Slots::List(spare), out);
        } else {
            filter.list(page, &found, out);
        }
        any = true;
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[i64]) -> KeyFilter {
        KeyFilter::of(&Vector { data: Data::I64(values.to_vec()), nulls: Default::default() }).unwrap()
    }

    #[test]
    fn no_key_is_left_out() {
        let far: Vec<i64> = (0..5000).map(|i: i64| i.wrapping_mul(0x1234_5678_9abc_def1)).collect();
        let near: Vec<i64> = (0..5000).map(|i| 3 * i - 7000).collect();
        for (values, most) in [(&far, 0.2), (&near, 0.35)] {
            let filter = of(values);
            assert!(values.iter().all(|&v| filter.may_have(v)));
            let others =
                (0..100_000).map(|i: i64| i.wrapping_mul(0x0fed_cba9_8765_4321) / if most < 0.3 { 1 } else { 1 << 49 });
            let passed = others.filter(|&v| filter.may_have(v)).count();
            assert!(passed as f64 <= most * 100_000.0, "{passed}");
        }
        assert!([i64::MIN, 0, i64::MAX].iter().all(|&v| !of(&[]).may_have(v)));
        let extremes = of(&[i64::MIN, i64::MAX]);
        assert!(extremes.may_have(i64::MIN) && extremes.may_have(i64::MAX));
    }
}
