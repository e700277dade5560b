//! Replays the recorded calls (`testdata/record.py`) through the scalar form and through the kernel.

use std::collections::BTreeMap;

use ext::{Call, Host, Rowset};
use serde_json::Value;
use types::io::TypeLookup;
use types::{Datum, IoSettings, Oid, Result};
use vector::Vector;

/// Knows how types are called.
struct Names;
impl TypeLookup for Names {
    fn reg_out(&self, reg_type: Oid, value: Oid) -> Option<String> {
        (reg_type == types::oid::REGTYPE).then(|| {
            let element = types::io::builtin_element(value);
            let name = |t: Oid| types::io::builtin_name(t).unwrap_or("?").to_owned();
            element.map_or_else(|| name(value), |e| name(e) + "[]")
        })
    }
}

struct TestHost;
impl Host for TestHost {}

/// Calls that are known to answer otherwise, each with why. They are checked to differ still.
const KNOWN: &str = include_str!("../testdata/known.txt");

fn settings() -> IoSettings {
    let time_zone = types::datetime::zone::find("America/New_York").expect("the zone is bundled");
    IoSettings { time_zone, ..IoSettings::default() }
}

fn show(call: &Call<'_>, ty: Oid, d: &Datum) -> Result<Value> {
    if d.is_null() { Ok(Value::Null) } else { call.text_of(ty, d).map(Value::String) }
}

struct Record {
    kind: String,
    oid: Oid,
    types: Vec<Oid>,
    args: Vec<Option<String>>,
    rows: usize,
    result: Oid,
    expected: std::result::Result<Value, (String, String)>,
}

fn record(line: &str) -> Record {
    let v: Value = serde_json::from_str(line).expect("a line is JSON");
    let text = |k: &str| v[k].as_str().unwrap_or_default().to_owned();
    let list = |k: &str| v[k].as_array().cloned().unwrap_or_default();
    let number = |v: &Value| v.as_u64().unwrap_or_default();
    Record {
        kind: text("k"),
        oid: Oid(number(&v["o"]) as u32),
        types: list("t").iter().map(|t| Oid(number(t) as u32)).collect(),
        args: list("a").iter().map(|a| a.as_str().map(str::to_owned)).collect(),
        rows: number(&v["n"]) as usize,
        result: Oid(number(&v["y"]) as u32),
        expected: if v["e"].is_null() { Ok(v["r"].clone()) } else { Err((text("e"), text("m"))) },
    }
}

/// What our function answers, in every form it has; all must agree.
fn answer(r: &Record) -> std::result::Result<Result<Value>, String> {
    let (mut host, settings) = (TestHost, settings());
    let row = catalog::builtin::proc_by_oid(r.oid).ok_or("not in pg_proc")?;
    let result = if r.result.is_none() { row.result } else { r.result };
    let width = r.types.len().max(1);
    let mut args = Vec::new();
    for (i, a) in r.args.iter().enumerate() {
        let d = match a {
            None => Datum::Null,
            Some(text) => {
                types::io::text_in(r.types[i % width], -1, text, &settings).map_err(|e| format!("input: {e}"))?
            }
        };
        args.push(d);
    }
    let mut call = Call::new(&mut host, &settings, &Names).typed(&r.types, result);
    let column = |i: usize, per_row: usize, rows: usize| {
        let mut v = Vector::new(types::Physical::of(r.types[i]));
        (0..rows).for_each(|row| v.push(&args[row * per_row + i]));
        v
    };
    match r.kind.as_str() {
        "s" => {
            let f = functions::set_function(r.oid).ok_or("no set function")?;
            let rows = match f(&mut call, &args) {
                Ok(rows) => rows.take(40).collect::<Result<Vec<_>>>(),
                Err(e) => Err(e),
            };
            let rows = match rows {
                Ok(rows) => rows,
                Err(e) => return Ok(Err(e)),
            };
            let element = match row.result {
                types::oid::ANYELEMENT => types::io::builtin_element(r.types[0]).unwrap_or(types::oid::TEXT),
                t => t,
            };
            let columns: Vec<Oid> = match r.oid.0 {
                3958 => vec![types::oid::TEXT, types::oid::JSON],
                3208 => vec![types::oid::TEXT, types::oid::JSONB],
                3959 | 3932 => vec![types::oid::TEXT, types::oid::TEXT],
                _ => vec![element],
            };
            let mut shown = Vec::new();
            for row in rows {
                let (ty, d) = if row.len() == 1 {
                    (columns[0], row[0].clone())
                } else {
                    let pairs: Vec<(Oid, Datum)> = columns.iter().copied().zip(row).collect();
                    (types::oid::RECORD, types::record::to_datum(&pairs))
                };
                match show(&call, ty, &d) {
                    Ok(Value::String(s)) => shown.push(s),
                    Ok(_) => shown.push("<NULL>".to_owned()),
                    Err(e) => return Ok(Err(e)),
                }
            }
            let text = if shown.is_empty() { "<EMPTY>".to_owned() } else { shown.join("\x1f") };
            Ok(Ok(Value::String(text)))
        }
        "a" => {
            let d = functions::aggregate::lookup(r.oid).ok_or("no aggregate")?;
            let per_row = r.types.len();
            let mut states = (d.groups)();
            states.resize(2);
            let mut outcome = Ok(());
            for row in 0..r.rows {
                outcome = outcome.and_then(|()| states.add(&mut call, 1, &args[row * per_row..(row + 1) * per_row]));
            }
            let by_row = outcome.and_then(|()| states.finish(&mut call, 1)).and_then(|d| show(&call, result, &d));
            let columns: Vec<Vector> = (0..per_row).map(|i| column(i, per_row, r.rows)).collect();
            let columns: Vec<&Vector> = columns.iter().collect();
            let by_vector = states
                .add_vector(&mut call, &columns, Rowset::All(r.rows), None)
                .and_then(|()| states.finish(&mut call, 0))
                .and_then(|d| show(&call, result, &d));
            let same = match (&by_row, &by_vector) {
                (Ok(a), Ok(b)) => a == b,
                (Err(a), Err(b)) => a.message() == b.message(),
                _ => false,
            };
            if !same {
                return Err(format!("by row {by_row:?}, by vector {by_vector:?}"));
            }
            Ok(by_row)
        }
        _ => {
            let f = functions::lookup(r.oid).ok_or("no function")?;
            // `VARIADIC array` of functions that declare an array is the array itself.
            let scalar = f.scalar(&mut call, &args);
            let vectors: Vec<Vector> = (0..args.len())
                .map(|i| {
                    let mut v = Vector::new(types::Physical::of(r.types[i]));
                    (0..3).for_each(|_| v.push(&args[i]));
                    v
                })
                .collect();
            let vectors: Vec<&Vector> = vectors.iter().collect();
            call.memo = None;
            let kernel = f.kernel(&mut call, &vectors, 3);
            match (&scalar, &kernel) {
                (Ok(d), Ok(v)) if v.len() == 3 && (0..3).all(|i| v.get(i) == *d) => {}
                (Err(a), Err(b)) if a.message() == b.message() && a.state() == b.state() => {}
                _ => return Err(format!("scalar {scalar:?}, kernel {kernel:?}")),
            }
            Ok(scalar.and_then(|d| show(&call, result, &d)))
        }
    }
}

#[test]
fn calls_answer_as_postgresql() {
    let text = include_str!("../testdata/calls.jsonl");
    let known: std::collections::HashSet<&str> =
        KNOWN.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split('\t').next()).collect();
    let mut wrong: BTreeMap<(u32, &str), Vec<String>> = BTreeMap::new();
    let (mut right, mut surprises) = (0, Vec::new());
    for line in text.lines() {
        let r = record(line);
        let name = catalog::builtin::proc_by_oid(r.oid).map_or("?", |p| p.name);
        let id = format!("{} {}", r.oid, serde_json::to_string(&r.args).unwrap_or_default());
        let got = answer(&r);
        let good = match (&got, &r.expected) {
            (Ok(Ok(v)), Ok(e)) => v == e,
            (Ok(Err(g)), Err((state, message))) => g.state().as_str() == state && g.message() == message,
            _ => false,
        };
        if known.contains(id.as_str()) {
            if good {
                surprises.push(id);
            }
            continue;
        }
        if good {
            right += 1;
            continue;
        }
        let shown = match got {
            Ok(Ok(v)) => v.to_string(),
            Ok(Err(e)) => format!("{e}"),
            Err(e) => e,
        };
        let line = format!("{id}\n      got {shown}\n   wanted {:?}", r.expected);
        wrong.entry((r.oid.0, name)).or_default().push(line);
    }
    let total: usize = wrong.values().map(Vec::len).sum();
    if total > 0 {
        let per_function = std::env::var("SHOW").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
        for ((oid, name), lines) in &wrong {
            println!("{name} ({oid}): {}", lines.len());
            lines.iter().take(per_function).for_each(|l| println!("  {l}"));
        }
    }
    assert_eq!(total, 0, "{total} calls of {} functions differ, {right} agree", wrong.len());
    assert!(surprises.is_empty(), "known differences that are gone: {surprises:?}");
    assert!(right > 3000, "only {right} calls were replayed");
}
