//! The loops that the attributes' kernels are made of.

use types::{Datum, Physical, Result};
use vector::{Nulls, Vector};

use crate::argument::{Lane, wrong_arguments};
use crate::call::Call;
use crate::definition::Scalar;
use crate::fail::Fail;
use crate::output::Output;

/// Slots that are NULL in any argument.
pub fn nulls(args: &[&Vector]) -> Nulls {
    let mut all = Nulls::default();
    for a in args {
        if !a.nulls.none() {
            all = all.union(&a.nulls);
        }
    }
    all
}

/// An empty vector for results of type `T`.
pub fn output<T: Output>(call: &Call<'_>) -> Vector {
    Vector::new(T::PHYSICAL.unwrap_or_else(|| call.physical(call.result_type)))
}

/// Row by row through the scalar form.
///
/// # Errors
/// The function's.
pub fn by_rows(scalar: Scalar, call: &mut Call<'_>, args: &[&Vector], rows: usize) -> Result<Vector> {
    let mut out = Vector::new(call.physical(call.result_type));
    let mut values: Vec<Datum> = Vec::with_capacity(args.len());
    let mut fitted = false;
    for row in 0..rows {
        values.clear();
        values.extend(args.iter().map(|a| a.get(row)));
        let value = scalar(call, &values)?;
        // A type that only the catalog knows may have another form than its OID tells.
        if !fitted && let Some(form) = value.physical() {
            out = refit(&out, form);
            fitted = true;
        }
        out.push(&value);
    }
    Ok(out)
}

/// As many NULLs as `out` has, in `form`.
fn refit(out: &Vector, form: Physical) -> Vector {
    let mut new = Vector::new(form);
    (0..out.len()).for_each(|_| new.push_null());
    new
}

/// Completes a loop over lanes (E2): zero where NULL, and the first error of a slot that is not.
fn settle<R: Lane>(
    mut out: Vec<R::Raw>,
    nulls: Nulls,
    bad: bool,
    again: impl Fn(usize) -> Result<R, Fail>,
) -> Result<Vector> {
    if bad {
        for i in 0..out.len() {
            if !nulls.get(i) {
                again(i)?;
            }
        }
    }
    if !nulls.none() {
        for (i, v) in out.iter_mut().enumerate() {
            if nulls.get(i) {
                *v = R::Raw::default();
            }
        }
    }
    Ok(Vector { data: R::data(out), nulls })
}

macro_rules! lanes {
    ($($(#[$doc:meta])* $name:ident ($($ty:ident $arg:ident $at:literal),*);)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// The function's, of slots that are not NULL.
        #[inline]
        pub fn $name<$($ty: Lane,)* R: Lane>(
            args: &[&Vector],
            rows: usize,
            f: impl Fn($($ty),*) -> Result<R, Fail>,
        ) -> Result<Vector> {
            let [$($arg),*] = args else { return Err(wrong_arguments(stringify!($name))) };
            $(let $arg = $ty::slice($arg)?.get(..rows).ok_or_else(|| wrong_arguments(stringify!($name)))?;)*
            let nulls = nulls(args);
            let mut bad = false;
            // Value and failure side by side, without a branch between them: so LLVM vectorises.
            let lane = |i: usize| {
                let (value, failed) = match f($($ty::from_raw($arg[i])),*) {
                    Ok(v) => (v.to_raw(), false),
                    Err(_) => (R::Raw::default(), true),
                };
                bad |= failed;
                value
            };
            let out: Vec<R::Raw> = (0..rows).map(lane).collect();
            settle::<R>(out, nulls, bad, |i| f($($ty::from_raw($arg[i])),*))
        }
    )*};
}

lanes! {
    /// A function of one fixed-width value over vectors.
    lanes1(A a 0);
    /// A function of two.
    lanes2(A a 0, B b 1);
    /// A function of three.
    lanes3(A a 0, B b 1, C c 2);
}
