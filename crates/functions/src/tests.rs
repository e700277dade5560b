use types::{Datum, Oid, Physical};

use super::*;

/// U1: forms of arguments and results are those of `pg_proc`: calling each function with zero values must not be refused
/// for its forms, and the result's form must be the row's.
#[test]
fn definitions_match_pg_proc() {
    for (&oid, function) in table() {
        let row = catalog::builtin::proc_by_oid(Oid(oid)).unwrap_or_else(|| panic!("{oid} is not in pg_proc"));
        assert!(row.strict, "{} is not strict", row.name);
        let args: Vec<Vector> = row
            .args
            .iter()
            .map(|&t| {
                let mut v = Vector::new(Physical::of(t));
                v.push_null();
                v
            })
            .collect();
        let out = (function.kernel)(&args, 1).unwrap_or_else(|e| panic!("{} ({oid}): {e}", row.name));
        assert_eq!(out.get(0), Datum::Null);
        let expected = Vector::new(Physical::of(row.result));
        assert_eq!(std::mem::discriminant(&out.data), std::mem::discriminant(&expected.data), "{} ({oid})", row.name);
    }
}

#[test]
fn scalar_and_kernel_agree() {
    let Some(Callable::Function(add)) = lookup(Oid(177)) else { panic!("int4pl") };
    assert_eq!((add.scalar)(&[Datum::I32(2), Datum::I32(3)]).unwrap(), Datum::I32(5));
    let error = (add.scalar)(&[Datum::I32(i32::MAX), Datum::I32(1)]).unwrap_err();
    assert_eq!((error.state().as_str(), error.message()), ("22003", "integer out of range"));
    let Some(Callable::Compare(less)) = lookup(Oid(66)) else { panic!("int4lt") };
    assert!(less.test(&Datum::I32(1), &Datum::I32(2)));
}
