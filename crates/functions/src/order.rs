//! Three-way comparisons and the larger or smaller of two values, for any type.

#[ext::module]
pub(crate) mod functions {
    use ext::Call;
    use types::compare::compare_with;
    use types::{Datum, Oid, oid};

    /// The type to compare by: array types say themselves what they hold.
    fn by(call: &Call<'_>) -> Oid {
        match call.arg_type(0) {
            oid::ANYARRAY => oid::INT4_ARRAY,
            t => t,
        }
    }

    #[ext::function(oid = [
        350, 351, 354, 355, 356, 358, 359, 360, 382, 404, 377, 836, 842, 926, 1078, 1092, 1107, 1314, 1315, 1358, 1596, 1672,
        1693, 1769, 1954, 2045, 2166, 2180, 2794, 2960, 2987, 3251, 3514, 5096
    ], strict)]
    pub fn compare(call: &mut Call<'_>, a: &Datum, b: &Datum) -> i32 {
        compare_with(by(call), a, b, call.types) as i32
    }

    fn integer(d: &Datum) -> i64 {
        match d {
            Datum::I16(v) => i64::from(*v),
            Datum::I32(v) => i64::from(*v),
            Datum::I64(v) => *v,
            _ => 0,
        }
    }

    #[ext::function(oid = [2188, 2189, 2190, 2191, 2192, 2193], strict)]
    pub fn compare_integers(a: &Datum, b: &Datum) -> i32 {
        integer(a).cmp(&integer(b)) as i32
    }

    #[ext::function(each((f32, f64) = 2194, (f64, f32) = 2195))]
    pub fn compare_floats<A: Into<f64>, B: Into<f64>>(a: A, b: B) -> i32 {
        types::compare::compare_f64(a.into(), b.into()) as i32
    }

    #[ext::function(oid = [246, 253])]
    pub fn compare_strings(a: &[u8], b: &[u8]) -> i32 {
        a.cmp(b) as i32
    }

    #[ext::function(oid = [515, 898, 1063, 1377, 1379, 1965, 2795, 3525, 3562, 4187, 5097, 6375], strict)]
    pub fn larger(call: &mut Call<'_>, a: &Datum, b: &Datum) -> Datum {
        if compare_with(by(call), a, b, call.types).is_ge() { a.clone() } else { b.clone() }
    }

    #[ext::function(oid = [516, 899, 1064, 1378, 1380, 1966, 2796, 3524, 3563, 4188, 5098, 6376], strict)]
    pub fn smaller(call: &mut Call<'_>, a: &Datum, b: &Datum) -> Datum {
        if compare_with(by(call), a, b, call.types).is_le() { a.clone() } else { b.clone() }
    }
}
