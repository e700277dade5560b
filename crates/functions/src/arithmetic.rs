//! Arithmetic and bit operations on integers.

use ext::{Fail, Lane};

/// An integer type of SQL.
pub trait Int: Lane + Ord + Default {
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// Sum, or overflow. Written with wrapping operations, so that loops vectorise.
    fn plus(self, other: Self) -> Result<Self, Fail>;
    /// Difference.
    fn minus(self, other: Self) -> Result<Self, Fail>;
    /// Product.
    fn times(self, other: Self) -> Result<Self, Fail>;
    /// Quotient, truncated.
    fn over(self, other: Self) -> Result<Self, Fail>;
    /// Remainder with the sign of `self`.
    fn modulo(self, other: Self) -> Result<Self, Fail>;
    /// The magnitude.
    fn magnitude(self) -> Result<Self, Fail>;
    /// Bits.
    fn bit_and(self, other: Self) -> Self;
    /// Bits.
    fn bit_or(self, other: Self) -> Self;
    /// Bits.
    fn bit_xor(self, other: Self) -> Self;
    /// Bits.
    fn bit_not(self) -> Self;
    /// Shifts as C does on PostgreSQL's machines: the count wraps.
    fn shift_left(self, n: i32) -> Self;
    /// Arithmetic shift.
    fn shift_right(self, n: i32) -> Self;
}

macro_rules! int {
    ($($ty:ty, $wide:ty, $fail:ident, $shift:ty;)*) => {$(
        impl Int for $ty {
            const ZERO: $ty = 0;
            const ONE: $ty = 1;
            #[inline(always)]
            fn plus(self, other: $ty) -> Result<$ty, Fail> {
                let r = self.wrapping_add(other);
                if (self ^ r) & (other ^ r) < 0 { Err(Fail::$fail) } else { Ok(r) }
            }
            #[inline(always)]
            fn minus(self, other: $ty) -> Result<$ty, Fail> {
                let r = self.wrapping_sub(other);
                if (self ^ other) & (self ^ r) < 0 { Err(Fail::$fail) } else { Ok(r) }
            }
            #[inline(always)]
            fn times(self, other: $ty) -> Result<$ty, Fail> {
                let r = <$wide>::from(self) * <$wide>::from(other);
                if r < <$wide>::from(<$ty>::MIN) || r > <$wide>::from(<$ty>::MAX) { Err(Fail::$fail) } else { Ok(r as $ty) }
            }
            #[inline(always)]
            fn over(self, other: $ty) -> Result<$ty, Fail> {
                if other == 0 { Err(Fail::DivisionByZero) } else { self.checked_div(other).ok_or(Fail::$fail) }
            }
            #[inline(always)]
            fn modulo(self, other: $ty) -> Result<$ty, Fail> {
                if other == 0 { Err(Fail::DivisionByZero) } else { Ok(self.wrapping_rem(other)) }
            }
            #[inline(always)]
            fn magnitude(self) -> Result<$ty, Fail> { self.checked_abs().ok_or(Fail::$fail) }
            #[inline(always)]
            fn bit_and(self, other: $ty) -> $ty { self & other }
            #[inline(always)]
            fn bit_or(self, other: $ty) -> $ty { self | other }
            #[inline(always)]
            fn bit_xor(self, other: $ty) -> $ty { self ^ other }
            #[inline(always)]
            fn bit_not(self) -> $ty { !self }
            #[inline(always)]
            fn shift_left(self, n: i32) -> $ty { <$shift>::from(self).wrapping_shl(n as u32) as $ty }
            #[inline(always)]
            fn shift_right(self, n: i32) -> $ty { <$shift>::from(self).wrapping_shr(n as u32) as $ty }
        }
    )*};
}
int! {
    i16, i32, SmallintOutOfRange, i32;
    i32, i64, IntegerOutOfRange, i32;
    i64, i128, BigintOutOfRange, i64;
}

fn gcd_magnitude<T: Int>(a: T, b: T) -> Result<T, Fail> {
    // Remainders of negative numbers have magnitudes that shrink as those of positive ones do.
    let (mut a, mut b) = (a, b);
    while b != T::ZERO {
        (a, b) = (b, a.modulo(b)?);
    }
    a.magnitude()
}

#[ext::module]
pub(crate) mod functions {
    use super::*;

    #[ext::function(each(
        (i16, i16, i16) = 176, (i32, i32, i32) = 177, (i64, i64, i64) = 463, (i16, i32, i32) = 178, (i32, i16, i32) = 179,
        (i64, i32, i64) = 1274, (i32, i64, i64) = 1278, (i64, i16, i64) = 837, (i16, i64, i64) = 841
    ))]
    #[inline]
    pub fn add<A: Into<R>, B: Into<R>, R: Int>(a: A, b: B) -> Result<R, Fail> {
        a.into().plus(b.into())
    }

    #[ext::function(each(
        (i16, i16, i16) = 180, (i32, i32, i32) = 181, (i64, i64, i64) = 464, (i16, i32, i32) = 182, (i32, i16, i32) = 183,
        (i64, i32, i64) = 1275, (i32, i64, i64) = 1279, (i64, i16, i64) = 838, (i16, i64, i64) = 942
    ))]
    #[inline]
    pub fn subtract<A: Into<R>, B: Into<R>, R: Int>(a: A, b: B) -> Result<R, Fail> {
        a.into().minus(b.into())
    }

    #[ext::function(each(
        (i16, i16, i16) = 152, (i32, i32, i32) = 141, (i64, i64, i64) = 465, (i16, i32, i32) = 170, (i32, i16, i32) = 171,
        (i64, i32, i64) = 1276, (i32, i64, i64) = 1280, (i64, i16, i64) = 839, (i16, i64, i64) = 943
    ))]
    #[inline]
    pub fn multiply<A: Into<R>, B: Into<R>, R: Int>(a: A, b: B) -> Result<R, Fail> {
        a.into().times(b.into())
    }

    #[ext::function(each(
        (i16, i16, i16) = 153, (i32, i32, i32) = 154, (i64, i64, i64) = 466, (i16, i32, i32) = 172, (i32, i16, i32) = 173,
        (i64, i32, i64) = 1277, (i32, i64, i64) = 1281, (i64, i16, i64) = 840, (i16, i64, i64) = 948
    ))]
    #[inline]
    pub fn divide<A: Into<R>, B: Into<R>, R: Int>(a: A, b: B) -> Result<R, Fail> {
        a.into().over(b.into())
    }

    #[ext::function(each(i16 = [155, 940], i32 = [156, 941], i64 = [945, 947]))]
    #[inline]
    pub fn modulo<T: Int>(a: T, b: T) -> Result<T, Fail> {
        a.modulo(b)
    }

    #[ext::function(each(i16 = 213, i32 = 212, i64 = 462))]
    #[inline]
    pub fn negate<T: Int>(v: T) -> Result<T, Fail> {
        T::ZERO.minus(v)
    }

    #[ext::function(each(i16 = 1911, i32 = 1912, i64 = 1910))]
    pub fn plus_sign<T: Int>(v: T) -> T {
        v
    }

    #[ext::function(each(i16 = [1253, 1398], i32 = [1251, 1397], i64 = [1230, 1396]))]
    #[inline]
    pub fn abs<T: Int>(v: T) -> Result<T, Fail> {
        v.magnitude()
    }

    #[ext::function(each(i32 = 766, i64 = 1219))]
    pub fn increment<T: Int>(v: T) -> Result<T, Fail> {
        v.plus(T::ONE)
    }

    #[ext::function(oid = 3546)]
    pub fn decrement(v: i64) -> Result<i64, Fail> {
        v.minus(1)
    }

    #[ext::function(each(i16 = 1892, i32 = 1898, i64 = 1904))]
    pub fn bit_and<T: Int>(a: T, b: T) -> T {
        a.bit_and(b)
    }

    #[ext::function(each(i16 = 1893, i32 = 1899, i64 = 1905))]
    pub fn bit_or<T: Int>(a: T, b: T) -> T {
        a.bit_or(b)
    }

    #[ext::function(each(i16 = 1894, i32 = 1900, i64 = 1906))]
    pub fn bit_xor<T: Int>(a: T, b: T) -> T {
        a.bit_xor(b)
    }

    #[ext::function(each(i16 = 1895, i32 = 1901, i64 = 1907))]
    pub fn bit_not<T: Int>(v: T) -> T {
        v.bit_not()
    }

    #[ext::function(each(i16 = 1896, i32 = 1902, i64 = 1908))]
    pub fn shift_left<T: Int>(v: T, n: i32) -> T {
        v.shift_left(n)
    }

    #[ext::function(each(i16 = 1897, i32 = 1903, i64 = 1909))]
    pub fn shift_right<T: Int>(v: T, n: i32) -> T {
        v.shift_right(n)
    }

    #[ext::function(each(i16 = 770, i32 = 768, i64 = 1236))]
    pub fn larger<T: Int>(a: T, b: T) -> T {
        a.max(b)
    }

    #[ext::function(each(i16 = 771, i32 = 769, i64 = 1237))]
    pub fn smaller<T: Int>(a: T, b: T) -> T {
        a.min(b)
    }

    #[ext::function(oid = 1319)]
    pub fn xid_equals_int(a: u32, b: i32) -> bool {
        a == b as u32
    }

    #[ext::function(oid = 3309)]
    pub fn xid_differs_from_int(a: u32, b: i32) -> bool {
        a != b as u32
    }

    #[ext::function(each(i32 = 5044, i64 = 5045))]
    pub fn gcd<T: Int>(a: T, b: T) -> Result<T, Fail> {
        gcd_magnitude(a, b)
    }

    #[ext::function(each(i32 = 5046, i64 = 5047))]
    pub fn lcm<T: Int>(a: T, b: T) -> Result<T, Fail> {
        if a == T::ZERO || b == T::ZERO {
            return Ok(T::ZERO);
        }
        a.over(gcd_magnitude(a, b)?)?.times(b)?.magnitude()
    }
}
