//! The macro by which a function is defined once.

/// Defines functions: `OID (a: Form, b: Form) -> Form { expression }`, where `Form` is a variant of `Datum` and of `vector::Data`, arguments
/// are Rust values (`&[u8]` for `Var`) and the expression is a `Result` of the result form's Rust type (`Vec<u8>` for `Var`).
macro_rules! functions {
    ($($oid:literal ($($arg:ident : $form:ident),*) -> $result:ident $body:block)*) => {
        pub(crate) const DEFINITIONS: &[$crate::Definition] = &[$({
            fn scalar(args: &[types::Datum]) -> types::Result<types::Datum> {
                match args {
                    [$(functions!(@pattern $form $arg)),*] => {
                        $(functions!(@value $form $arg);)*
                        let result: types::Result<_> = (|| $body)();
                        result.map(|v| functions!(@datum $result v))
                    }
                    _ => Err($crate::define::wrong_arguments($oid)),
                }
            }
            fn kernel(args: &[vector::Vector], rows: usize) -> types::Result<vector::Vector> {
                let mut out = vector::Vector::new(types::Physical::$result);
                let [$($arg),*] = args else { return Err($crate::define::wrong_arguments($oid)) };
                #[allow(unused_mut, unused_assignments, reason = "functions of one argument change it once")]
                let mut nulls = vector::Nulls::default();
                $(nulls = nulls.union(&$arg.nulls);)*
                $(let vector::Data::$form($arg) = &$arg.data else { return Err($crate::define::wrong_arguments($oid)) };)*
                for row in 0..rows {
                    if nulls.get(row) {
                        out.push_null();
                        continue;
                    }
                    $(functions!(@element $form $arg row);)*
                    let result: types::Result<_> = (|| $body)();
                    let value = result?;
                    functions!(@push $result out value);
                }
                Ok(out)
            }
            $crate::Definition { oid: $oid, function: $crate::Function { scalar, kernel } }
        }),*];
    };
    (@pattern $form:ident $arg:ident) => { types::Datum::$form($arg) };
    (@value Var $arg:ident) => { let $arg: &[u8] = $arg; };
    (@value $form:ident $arg:ident) => { let $arg = *$arg; };
    (@datum Var $v:ident) => { types::Datum::from(Vec::<u8>::from($v)) };
    (@datum $form:ident $v:ident) => { types::Datum::$form($v) };
    (@element Var $arg:ident $row:ident) => { let $arg: &[u8] = $arg.get($row); };
    (@element $form:ident $arg:ident $row:ident) => { let $arg = $arg[$row]; };
    (@push Var $out:ident $v:ident) => {
        if let vector::Data::Var(data) = &mut $out.data { data.push(&$v) }
    };
    (@push $form:ident $out:ident $v:ident) => {
        if let vector::Data::$form(data) = &mut $out.data { data.push($v) }
    };
}

/// The binder resolved a call to arguments of another form: a bug.
pub(crate) fn wrong_arguments(oid: u32) -> types::SqlError {
    types::SqlError::internal(format!("function {oid} was called with arguments of another form"))
}
