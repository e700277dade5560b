//! The bodies. Compiled twice: as part of this crate, and alone into stencils; so there is nothing in here but arithmetic.

macro_rules! integers {
    ($($ty:ident $add:ident $sub:ident $mul:ident $div:ident $rem:ident $neg:ident $abs:ident $narrow:ident;)*) => {$(
        /// Sum.
        #[inline(always)]
        pub fn $add(a: u64, b: u64) -> (u64, bool) {
            let (v, bad) = (a as $ty).overflowing_add(b as $ty);
            (v as i64 as u64, bad)
        }
        /// Difference.
        #[inline(always)]
        pub fn $sub(a: u64, b: u64) -> (u64, bool) {
            let (v, bad) = (a as $ty).overflowing_sub(b as $ty);
            (v as i64 as u64, bad)
        }
        /// Product.
        #[inline(always)]
        pub fn $mul(a: u64, b: u64) -> (u64, bool) {
            let (v, bad) = (a as $ty).overflowing_mul(b as $ty);
            (v as i64 as u64, bad)
        }
        /// Quotient, truncated; suspect by zero, and where it is one too large.
        #[inline(always)]
        pub fn $div(a: u64, b: u64) -> (u64, bool) {
            match (a as $ty).checked_div(b as $ty) {
                Some(v) => (v as i64 as u64, false),
                None => (0, true),
            }
        }
        /// Remainder with the sign of the dividend.
        #[inline(always)]
        pub fn $rem(a: u64, b: u64) -> (u64, bool) {
            if b as $ty == 0 { (0, true) } else { ((a as $ty).wrapping_rem(b as $ty) as i64 as u64, false) }
        }
        /// The opposite.
        #[inline(always)]
        pub fn $neg(a: u64) -> (u64, bool) {
            let (v, bad) = (a as $ty).overflowing_neg();
            (v as i64 as u64, bad)
        }
        /// The magnitude.
        #[inline(always)]
        pub fn $abs(a: u64) -> (u64, bool) {
            let (v, bad) = (a as $ty).overflowing_abs();
            (v as i64 as u64, bad)
        }
        /// An integer of any width as one of this width.
        #[inline(always)]
        pub fn $narrow(a: u64) -> (u64, bool) {
            (a, a as $ty as i64 as u64 != a)
        }
    )*};
}
integers! {
    i16 add_i16 sub_i16 mul_i16 div_i16 rem_i16 neg_i16 abs_i16 narrow_i16;
    i32 add_i32 sub_i32 mul_i32 div_i32 rem_i32 neg_i32 abs_i32 narrow_i32;
    i64 add_i64 sub_i64 mul_i64 div_i64 rem_i64 neg_i64 abs_i64 narrow_i64;
}

macro_rules! bits {
    ($($name:ident |$a:ident, $b:ident| $body:expr;)*) => {$(
        /// Bits of integers of one width.
        #[inline(always)]
        pub fn $name($a: u64, $b: u64) -> (u64, bool) {
            ($body, false)
        }
    )*};
}
bits! {
    and_bits |a, b| a & b;
    or_bits |a, b| a | b;
    xor_bits |a, b| a ^ b;
}

/// The complement of an integer.
#[inline(always)]
pub fn not_bits(a: u64) -> (u64, bool) {
    (!a, false)
}

macro_rules! tests {
    ($($name:ident $read:ident |$a:ident, $b:ident| $body:expr;)*) => {$(
        /// A test: 0 or 1.
        #[inline(always)]
        pub fn $name(a: u64, b: u64) -> (u64, bool) {
            let ($a, $b) = ($read(a), $read(b));
            (u64::from($body), false)
        }
    )*};
}

#[inline(always)]
fn int(a: u64) -> i64 {
    a as i64
}

#[inline(always)]
fn float(a: u64) -> f64 {
    f64::from_bits(a)
}

tests! {
    eq_int int |a, b| a == b;
    ne_int int |a, b| a != b;
    lt_int int |a, b| a < b;
    le_int int |a, b| a <= b;
    gt_int int |a, b| a > b;
    ge_int int |a, b| a >= b;
    eq_float float |a, b| (a == b) | (a.is_nan() & b.is_nan());
    ne_float float |a, b| !((a == b) | (a.is_nan() & b.is_nan()));
    lt_float float |a, b| (a < b) | (b.is_nan() & !a.is_nan());
    le_float float |a, b| (a <= b) | b.is_nan();
    gt_float float |a, b| (a > b) | (a.is_nan() & !b.is_nan());
    ge_float float |a, b| (a >= b) | a.is_nan();
}

/// Bits of an infinity without its sign.
const INFINITE: u64 = 0x7FF0_0000_0000_0000;

#[inline(always)]
fn is_infinite(a: u64) -> bool {
    a << 1 == INFINITE << 1
}

#[inline(always)]
fn is_zero(a: u64) -> bool {
    a << 1 == 0
}

macro_rules! floats {
    ($($ty:ident $add:ident $sub:ident $mul:ident $div:ident;)*) => {$(
        /// Sum.
        #[inline(always)]
        pub fn $add(a: u64, b: u64) -> (u64, bool) {
            let v = f64::from(float(a) as $ty + float(b) as $ty).to_bits();
            (v, is_infinite(v) & !is_infinite(a) & !is_infinite(b))
        }
        /// Difference.
        #[inline(always)]
        pub fn $sub(a: u64, b: u64) -> (u64, bool) {
            let v = f64::from(float(a) as $ty - float(b) as $ty).to_bits();
            (v, is_infinite(v) & !is_infinite(a) & !is_infinite(b))
        }
        /// Product; suspect where it vanishes, too.
        #[inline(always)]
        pub fn $mul(a: u64, b: u64) -> (u64, bool) {
            let v = f64::from(float(a) as $ty * float(b) as $ty).to_bits();
            let large = is_infinite(v) & !is_infinite(a) & !is_infinite(b);
            (v, large | (is_zero(v) & !is_zero(a) & !is_zero(b)))
        }
        /// Quotient; suspect by zero and where it vanishes, too.
        #[inline(always)]
        pub fn $div(a: u64, b: u64) -> (u64, bool) {
            let v = f64::from(float(a) as $ty / float(b) as $ty).to_bits();
            let large = is_infinite(v) & !is_infinite(a);
            (v, is_zero(b) | large | (is_zero(v) & !is_zero(a) & !is_infinite(b)))
        }
    )*};
}
floats! {
    f32 add_f32 sub_f32 mul_f32 div_f32;
    f64 add_f64 sub_f64 mul_f64 div_f64;
}

/// The opposite of a float.
#[inline(always)]
pub fn neg_float(a: u64) -> (u64, bool) {
    (a ^ 1 << 63, false)
}

/// The magnitude of a float.
#[inline(always)]
pub fn abs_float(a: u64) -> (u64, bool) {
    (a << 1 >> 1, false)
}

/// An integer as an `f64`.
#[inline(always)]
pub fn int_to_f64(a: u64) -> (u64, bool) {
    ((a as i64 as f64).to_bits(), false)
}

/// An integer as an `f32`, rounded once.
#[inline(always)]
pub fn int_to_f32(a: u64) -> (u64, bool) {
    (f64::from(a as i64 as f32).to_bits(), false)
}

/// The larger of two integers.
#[inline(always)]
pub fn max_int(a: u64, b: u64) -> (u64, bool) {
    (if (b as i64) > (a as i64) { b } else { a }, false)
}

/// The smaller of two integers.
#[inline(always)]
pub fn min_int(a: u64, b: u64) -> (u64, bool) {
    (if (b as i64) < (a as i64) { b } else { a }, false)
}

/// The larger of two floats; the first of equals.
#[inline(always)]
pub fn max_float(a: u64, b: u64) -> (u64, bool) {
    (if gt_float(b, a).0 == 1 { b } else { a }, false)
}

/// The smaller of two floats; the first of equals.
#[inline(always)]
pub fn min_float(a: u64, b: u64) -> (u64, bool) {
    (if lt_float(b, a).0 == 1 { b } else { a }, false)
}

// Folds: a cell is two words, `x` and `y`; `a` is a row's value, and `z` is 1 where that is NULL, else 0. Cells begin with zeros.

/// How many rows there are.
#[inline(always)]
pub fn fold_rows(x: u64, y: u64, _a: u64, _z: u64) -> (u64, u64) {
    (x.wrapping_add(1), y)
}

/// How many values there are.
#[inline(always)]
pub fn fold_values(x: u64, y: u64, _a: u64, z: u64) -> (u64, u64) {
    (x.wrapping_add(z ^ 1), y)
}

/// The sum of integers: `x` is its lower half, `y` the upper one.
#[inline(always)]
pub fn fold_sum(x: u64, y: u64, a: u64, z: u64) -> (u64, u64) {
    let a = a & z.wrapping_sub(1);
    let (low, carry) = x.overflowing_add(a);
    (low, y.wrapping_add((a as i64 >> 63) as u64).wrapping_add(carry as u64))
}

/// Whether all booleans are true: `y` is whether there are any.
#[inline(always)]
pub fn fold_all(x: u64, y: u64, a: u64, z: u64) -> (u64, u64) {
    let v = (x | (y ^ 1)) & a & 1;
    (if z == 0 { v } else { x }, y | (z ^ 1))
}

/// Whether one of them is true.
#[inline(always)]
pub fn fold_any(x: u64, y: u64, a: u64, z: u64) -> (u64, u64) {
    (x | (a & 1 & (z ^ 1)), y | (z ^ 1))
}

macro_rules! extremes {
    ($($name:ident $choice:ident;)*) => {$(
        /// What is chosen of all values, the first of equals; `y` is whether there are any.
        #[inline(always)]
        pub fn $name(x: u64, y: u64, a: u64, z: u64) -> (u64, u64) {
            let best = if y == 0 { a } else { $choice(x, a).0 };
            (if z == 0 { best } else { x }, y | (z ^ 1))
        }
    )*};
}
extremes! {
    fold_max_int max_int;
    fold_min_int min_int;
    fold_max_float max_float;
    fold_min_float min_float;
}
