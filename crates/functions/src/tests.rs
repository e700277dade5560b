use std::collections::HashSet;

use ext::{Accepts, NoHost};
use types::io::BuiltinTypes;
use types::{IoSettings, Physical, oid};

use super::*;

fn accepts(a: &Accepts, ty: Oid) -> bool {
    let polymorphic = matches!(
        ty,
        oid::ANY
            | oid::ANYELEMENT
            | oid::ANYNONARRAY
            | oid::ANYENUM
            | oid::ANYCOMPATIBLE
            | oid::ANYCOMPATIBLENONARRAY
            | oid::INTERNAL
    );
    match a {
        Accepts::Some(test, _) => test(ty) || (polymorphic && test(Oid::NONE)),
        Accepts::Any | Accepts::Rest => true,
    }
}

/// U1.
#[test]
fn definitions_match_pg_proc() {
    let mut wrong = Vec::new();
    let mut check = |oid: u32,
                     name: &str,
                     arguments: &[Accepts],
                     strict: Option<bool>,
                     result: Option<&Accepts>,
                     kind: &[u8],
                     set: bool| {
        let Some(row) = catalog::builtin::proc_by_oid(Oid(oid)) else {
            wrong.push(format!("{name}: {oid} is not in pg_proc"));
            return;
        };
        let rest = matches!(arguments.last(), Some(Accepts::Rest));
        let fits = if rest { row.args.len() + 1 >= arguments.len() } else { row.args.len() == arguments.len() };
        let direct = kind == b"a" && arguments.len() <= row.args.len();
        if !fits && !direct {
            wrong.push(format!("{name}: {oid} {} has {} arguments", row.name, row.args.len()));
        }
        for (i, (a, &ty)) in arguments.iter().zip(row.args).enumerate() {
            // A direct argument of an ordered-set aggregate is not part of its rows.
            let direct = kind == b"a" && arguments.len() < row.args.len();
            if !direct && !accepts(a, ty) {
                wrong.push(format!("{name}: {oid} {} argument {} is of type {ty}", row.name, i + 1));
            }
        }
        if !row.args.is_empty() && strict.is_some_and(|s| s != row.strict) {
            wrong.push(format!("{name}: {oid} {} strict is {}", row.name, row.strict));
        }
        if result.is_some_and(|r| !accepts(r, row.result)) {
            wrong.push(format!("{name}: {oid} {} gives {}", row.name, row.result));
        }
        if !kind.contains(&row.kind) || (row.returns_set != set && row.result != oid::RECORD) {
            wrong.push(format!("{name}: {oid} {} is of kind {}, set {}", row.name, row.kind as char, row.returns_set));
        }
    };
    for m in MODULES {
        for d in m.functions.iter().copied().flatten() {
            d.oids.iter().for_each(|&o| {
                check(o, d.name, d.arguments, Some(d.function.strict), Some(&d.result), b"f", false);
            });
        }
        for d in m.sets.iter().copied().flatten() {
            d.oids.iter().for_each(|&o| check(o, d.name, d.arguments, Some(d.strict), None, b"f", true));
        }
        for d in m.aggregates.iter().copied().flatten() {
            d.oids.iter().for_each(|&o| check(o, d.name, d.arguments, None, Some(&d.result), b"a", false));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// U2.
#[test]
fn no_oid_is_defined_twice() {
    let mut seen = HashSet::new();
    let functions = MODULES.iter().flat_map(|m| m.functions).copied().flatten().flat_map(|d| d.oids);
    let sets = MODULES.iter().flat_map(|m| m.sets).copied().flatten().flat_map(|d| d.oids);
    let aggregates = MODULES.iter().flat_map(|m| m.aggregates).copied().flatten().flat_map(|d| d.oids);
    let twice: Vec<&u32> = functions.chain(sets).chain(aggregates).filter(|&o| !seen.insert(o)).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let compared: Vec<u32> =
        seen.into_iter().copied().filter(|&o| comparison::all().any(|(oid, _)| oid.0 == o)).collect();
    assert!(compared.is_empty(), "both defined and compared: {compared:?}");
}

#[test]
fn scalar_and_kernel_agree() {
    let (mut host, settings) = (NoHost, IoSettings::default());
    let mut call = Call::new(&mut host, &settings, &BuiltinTypes);
    let add = lookup(Oid(177)).unwrap();
    assert_eq!(add.scalar(&mut call, &[Datum::I32(2), Datum::I32(3)]).unwrap(), Datum::I32(5));
    let error = add.scalar(&mut call, &[Datum::I32(i32::MAX), Datum::I32(1)]).unwrap_err();
    assert_eq!((error.state().as_str(), error.message()), ("22003", "integer out of range"));
    let mut v = Vector::new(Physical::I32);
    [Datum::I32(i32::MAX), Datum::Null].iter().for_each(|d| v.push(d));
    assert_eq!(add.kernel(&mut call, &[&v, &v], 2).unwrap_err().message(), "integer out of range");
    let less = lookup(Oid(66)).unwrap();
    assert_eq!(less.scalar(&mut call, &[Datum::I32(1), Datum::I32(2)]).unwrap(), Datum::Bool(true));
    let out = less.kernel(&mut call, &[&v, &v], 2).unwrap();
    assert_eq!([out.get(0), out.get(1)], [Datum::Bool(false), Datum::Null]);
}

#[test]
fn rows_of_several_columns_are_records_in_a_select_list() {
    let (mut host, settings) = (NoHost, IoSettings::default());
    let mut call = Call::new(&mut host, &settings, &BuiltinTypes);
    let each = Oid(3208);
    let object = types::io::text_in(oid::JSONB, -1, "{\"a\": 1}", &settings).unwrap();
    let rows = set_function(each).unwrap()(&mut call, std::slice::from_ref(&object)).unwrap();
    let rows: Vec<_> = as_one_column(each, rows).map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(call.text_of(oid::RECORD, &rows[0][0]).unwrap(), "(a,1)");
}

/// Ordered-set aggregates: rows come in order, the share is a direct argument. Results are PostgreSQL 18's.
#[test]
fn ordered_set_aggregates() {
    let settings = IoSettings::default();
    let run = |function: u32, ty: Oid, direct: (Oid, &str), rows: &[&str], result: Oid| -> Result<String> {
        let mut host = NoHost;
        let direct = [types::io::text_in(direct.0, -1, direct.1, &settings)?];
        let types = [ty];
        let mut call = Call::new(&mut host, &settings, &BuiltinTypes).typed(&types, result);
        call.direct_args = &direct;
        let mut groups = (aggregate(Oid(function)).expect("it is defined").groups)();
        groups.resize(1);
        for row in rows {
            let value = types::io::text_in(ty, -1, row, &settings)?;
            groups.add(&mut call, 0, &[value])?;
        }
        let value = groups.finish(&mut call, 0)?;
        call.text_of(result, &value)
    };
    let floats = ["1", "2", "2", "4"];
    let shares = (oid::FLOAT8_ARRAY, "{0.25,0.9}");
    assert_eq!(run(3974, oid::FLOAT8, (oid::FLOAT8, "0.5"), &floats, oid::FLOAT8).unwrap(), "2");
    assert_eq!(run(3980, oid::FLOAT8, shares, &floats, oid::FLOAT8_ARRAY).unwrap(), "{1.75,3.4000000000000004}");
    assert_eq!(run(3972, oid::INT4, (oid::FLOAT8, "0.3"), &floats, oid::INT4).unwrap(), "2");
    assert_eq!(run(3984, oid::INT4, (oid::FLOAT8, "0"), &floats, oid::INT4).unwrap(), "2");
    let intervals = ["1 day", "3 days", "10 days"];
    assert_eq!(run(3976, oid::INTERVAL, (oid::FLOAT8, "0.3"), &intervals, oid::INTERVAL).unwrap(), "2 days 04:48:00");
    let error = run(3974, oid::FLOAT8, (oid::FLOAT8, "1.5"), &["1"], oid::FLOAT8).unwrap_err();
    assert_eq!(error.message(), "percentile value 1.5 is not between 0 and 1");
}
