//! Sizes: of objects, and as people write them.

use ext::host::ObjectRef;
use ext::{Call, Oid};
use types::{Datum, Numeric, Result};

use crate::system::{invalid, object};

const UNITS: [(&str, i64, u32); 6] = [
    ("bytes", 10240, 0),
    ("kB", 20479, 10),
    ("MB", 20479, 20),
    ("GB", 20479, 30),
    ("TB", 20479, 40),
    ("PB", 20479, 50),
];

/// `size` in the largest unit in which it is still of some digits; sizes of units above bytes are kept doubled, to round at last.
fn pretty_size(size: &Numeric) -> Result<String> {
    let mut size = size.clone();
    for (i, (unit, limit, bits)) in UNITS.iter().enumerate() {
        let last = i + 1 == UNITS.len();
        if last || size.abs().cmp_sql(&Numeric::from(*limit)).is_lt() {
            if *bits > 0 {
                let one = if size.is_negative() { Numeric::from(-1i64) } else { Numeric::ONE };
                size = size.add(&one)?.div_trunc(&Numeric::from(2i64))?;
            }
            let mut out = Vec::new();
            size.format(&mut out);
            return Ok(format!("{} {unit}", String::from_utf8_lossy(&out)));
        }
        let shift = if *bits == 0 { 9 } else { 10 };
        size = size.div_trunc(&Numeric::from(1i64 << shift))?;
    }
    Ok(String::new())
}

fn size_bytes(text: &str) -> Result<i64> {
    let bad = || invalid(format!("invalid size: \"{text}\""));
    let trimmed = text.trim();
    let digits_end = {
        let b = trimmed.as_bytes();
        let mut i = usize::from(matches!(b.first(), Some(b'+' | b'-')));
        let from = i;
        while b.get(i).is_some_and(u8::is_ascii_digit) {
            i += 1;
        }
        let mut digits = i - from;
        if b.get(i) == Some(&b'.') {
            i += 1;
            let fraction = i;
            while b.get(i).is_some_and(u8::is_ascii_digit) {
                i += 1;
            }
            digits += i - fraction;
        }
        if digits == 0 {
            return Err(bad());
        }
        if matches!(b.get(i), Some(b'e' | b'E')) {
            let mut j = i + 1;
            if matches!(b.get(j), Some(b'+' | b'-')) {
                j += 1;
            }
            let exponent = j;
            while b.get(j).is_some_and(u8::is_ascii_digit) {
                j += 1;
            }
            if j > exponent {
                i = j;
            }
        }
        i
    };
    let number = Numeric::parse(&trimmed[..digits_end])?;
    let unit = trimmed[digits_end..].trim();
    let bits = match unit.to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 0,
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        "tb" => 40,
        "pb" => 50,
        _ => {
            return Err(bad()
                .detail(format!("Invalid size unit: \"{unit}\"."))
                .hint("Valid units are \"bytes\", \"B\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\"."));
        }
    };
    number.mul(&Numeric::from(1i64 << bits))?.to_i64()
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(oid = 2288)]
    pub fn size_pretty(v: i64) -> Result<String> {
        pretty_size(&Numeric::from(v))
    }

    #[ext::function(oid = 3166)]
    pub fn size_pretty_numeric(v: Numeric) -> Result<String> {
        pretty_size(&v)
    }

    #[ext::function(oid = 3334)]
    pub fn size_bytes_of(v: &str) -> Result<i64> {
        size_bytes(v)
    }

    #[ext::function(oid = 2325, volatile)]
    pub fn relation_size(call: &mut Call<'_>, relation: Oid) -> Result<Option<i64>> {
        call.host.size("relation", ObjectRef::Oid(relation))
    }

    #[ext::function(oid = 2332, volatile)]
    pub fn relation_fork_size(call: &mut Call<'_>, relation: Oid, fork: &str) -> Result<Option<i64>> {
        match fork {
            "main" => call.host.size("relation", ObjectRef::Oid(relation)),
            // There are no other forks: visibility and free space live in memory.
            "fsm" | "vm" | "init" => Ok(Some(0)),
            _ => {
                Err(invalid("invalid fork name").hint("Valid fork names are \"main\", \"fsm\", \"vm\", and \"init\"."))
            }
        }
    }

    #[ext::function(oid = 2997, volatile)]
    pub fn table_size(call: &mut Call<'_>, relation: Oid) -> Result<Option<i64>> {
        call.host.size("table", ObjectRef::Oid(relation))
    }

    #[ext::function(oid = 2998, volatile)]
    pub fn indexes_size(call: &mut Call<'_>, relation: Oid) -> Result<Option<i64>> {
        call.host.size("indexes", ObjectRef::Oid(relation))
    }

    #[ext::function(oid = 2286, volatile)]
    pub fn total_relation_size(call: &mut Call<'_>, relation: Oid) -> Result<Option<i64>> {
        call.host.size("total_relation", ObjectRef::Oid(relation))
    }

    #[ext::function(oid = [2168, 2324], strict, volatile)]
    pub fn database_size(call: &mut Call<'_>, database: &Datum) -> Result<Option<i64>> {
        call.host.size("database", object(database))
    }
}
