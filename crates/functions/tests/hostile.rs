//! No arguments make a function panic: every definition is called with values at the edges of their types.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ext::{Call, Host, Rowset};
use types::io::BuiltinTypes;
use types::{Datum, IoSettings, Oid, Physical, oid};
use vector::Vector;

struct TestHost;
impl Host for TestHost {
    fn entropy(&mut self, bytes: &mut [u8]) -> types::Result<()> {
        bytes.fill(0xff);
        Ok(())
    }
}

/// Text forms of values at the edges; what a type does not read is left out.
const TEXTS: [&str; 40] = [
    "",
    "a",
    "\\",
    "%",
    "ÄÖ\u{1F600}",
    "(",
    "[",
    "{",
    "{}",
    "[]",
    "{\"a\":[1,{\"b\":null}]}",
    "0",
    "-1",
    "1",
    "2147483647",
    "-2147483648",
    "9223372036854775807",
    "-9223372036854775808",
    "32767",
    "-32768",
    "4294967295",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e308",
    "1e-308",
    "1e131071",
    "infinity",
    "-infinity",
    "4713-11-24 BC",
    "5874897-12-31",
    "294276-12-31 23:59:59.999999",
    "23:59:59.999999+15:59:59",
    "-178000000 years",
    "178000000 years 2147483647 days",
    "{1,NULL,3}",
    "{{a,b},{c,d}}",
    "[2147483640:2147483642]={1,2,3}",
    "::/0",
    "1010101",
];

fn values(ty: Oid, settings: &IoSettings) -> Vec<Datum> {
    let mut out: Vec<Datum> =
        TEXTS.iter().filter_map(|t| types::io::text_in(ty, -1, t, settings).ok()).take(16).collect();
    out.push(Datum::Null);
    out
}

/// Concrete types for polymorphic ones.
fn concrete(ty: Oid) -> Oid {
    match ty {
        oid::ANY | oid::ANYELEMENT | oid::ANYNONARRAY | oid::ANYCOMPATIBLE | oid::ANYCOMPATIBLENONARRAY => oid::INT4,
        oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY => oid::INT4_ARRAY,
        t => t,
    }
}

/// A generator that needs no crate: the same every time.
struct Dice(u64);
impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }
}

#[test]
fn nothing_panics() {
    let settings = IoSettings::default();
    let mut dice = Dice(20261121);
    let mut panicked = Vec::new();
    let mut pools = std::collections::HashMap::new();
    // These take as long as their arguments ask.
    let slow = ["repeat", "lpad", "rpad", "factorial", "array_fill", "lcm"];
    for row in catalog::builtin::PROCS.iter() {
        if slow.contains(&row.name) {
            continue;
        }
        let types: Vec<Oid> = row.args.iter().map(|&t| concrete(t)).collect();
        let pools: Vec<Vec<Datum>> =
            types.iter().map(|&t| pools.entry(t).or_insert_with(|| values(t, &settings)).clone()).collect();
        let (function, set) = (functions::lookup(row.oid), functions::set_function(row.oid));
        let aggregate = functions::aggregate(row.oid);
        if function.is_none() && set.is_none() && aggregate.is_none() {
            continue;
        }
        for _ in 0..if types.is_empty() { 1 } else { 40 } {
            let args: Vec<Datum> = pools.iter().map(|p| p[dice.roll(p.len())].clone()).collect();
            // Big exponents take long; they are tried by the tests of `types`.
            let wide = |d: &Datum| d.as_bytes().is_some_and(|b| b.len() > 1000);
            if args.iter().any(wide) && row.args.contains(&oid::NUMERIC) {
                continue;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let mut host = TestHost;
                let mut call = Call::new(&mut host, &settings, &BuiltinTypes).typed(&types, concrete(row.result));
                if let Some(f) = function {
                    let _ = f.scalar(&mut call, &args);
                    let columns: Vec<Vector> =
                        args.iter().zip(&types).map(|(d, &t)| Vector::constant(Physical::of(t), d, 2)).collect();
                    let columns: Vec<&Vector> = columns.iter().collect();
                    let _ = f.kernel(&mut call, &columns, 2);
                }
                if let Some(f) = set
                    && let Ok(rows) = f(&mut call, &args)
                {
                    rows.take(50).for_each(drop);
                }
                if let Some(d) = aggregate
                    && row.args.len() == d.arguments.len()
                {
                    let mut groups = (d.groups)();
                    groups.resize(1);
                    let columns: Vec<Vector> =
                        args.iter().zip(&types).map(|(d, &t)| Vector::constant(Physical::of(t), d, 3)).collect();
                    let columns: Vec<&Vector> = columns.iter().collect();
                    let _ = groups.add(&mut call, 0, &args);
                    let _ = groups.add_vector(&mut call, &columns, Rowset::All(3), None);
                    let _ = groups.finish(&mut call, 0);
                }
            }));
            if outcome.is_err() {
                panicked.push(format!("{} ({}) of {args:?}", row.name, row.oid));
                break;
            }
        }
    }
    assert!(panicked.is_empty(), "{}", panicked.join("\n"));
}
