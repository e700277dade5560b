//! Order, equality, hashes and sort keys against the ranks PostgreSQL gave the same values.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};

use super::*;
use crate::IoSettings;
use crate::io::text_in;
use crate::recorded::{report, rows, type_named};
use crate::sortkey::encode_key;

fn hash_of(t: Oid, d: &Datum) -> u64 {
    let mut h = DefaultHasher::new();
    crate::hash::hash(t, d, &mut h);
    h.finish()
}

#[test]
fn order_is_postgresqls() {
    let mut by_type: BTreeMap<String, Vec<(u64, String, Datum)>> = BTreeMap::new();
    let mut failures = Vec::new();
    for row in rows("order.tsv") {
        let f = |i: usize| row[i].clone().unwrap_or_default();
        match text_in(type_named(&f(0)), -1, &f(1), &IoSettings::default()) {
            Ok(d) => by_type.entry(f(0)).or_default().push((f(2).parse().unwrap(), f(1), d)),
            Err(e) => failures.push(format!("{} {:?}: {e:?}", f(0), f(1))),
        }
    }
    let mut total = 0;
    for (name, values) in &by_type {
        let t = type_named(name);
        let key = |d: &Datum, descending| {
            let mut k = Vec::new();
            encode_key(&mut k, t, d, descending, false).unwrap();
            k
        };
        let keyed: Vec<_> =
            values.iter().map(|(r, s, d)| (r, s, d, hash_of(t, d), key(d, false), key(d, true))).collect();
        for a in &keyed {
            for b in &keyed {
                total += 1;
                let expected = a.0.cmp(b.0);
                let got = compare(t, a.2, b.2);
                if got != expected {
                    failures.push(format!("{name}: {:?} {got:?} {:?}, not {expected:?}", a.1, b.1));
                } else if a.4.cmp(&b.4) != expected || b.5.cmp(&a.5) != expected {
                    failures.push(format!("{name}: keys of {:?} and {:?} disagree: {:x?} {:x?}", a.1, b.1, a.4, b.4));
                } else if expected == Ordering::Equal && a.3 != b.3 {
                    failures.push(format!("{name}: {:?} and {:?} are equal but hash differently", a.1, b.1));
                } else if expected != Ordering::Equal && b.4.starts_with(&a.4) {
                    failures.push(format!("{name}: the key of {:?} is a prefix of that of {:?}", a.1, b.1));
                }
            }
        }
    }
    report("order", total, &failures);
}
