//! Lanes of 64 bits, which are words (W1): 16 rows.

use super::*;

pub const ROWS: u64 = 16;
pub const ALL: u64 = 0xFFFF;
pub type Word = u16;

macro_rules! forms { ($then:ident) => { $then! { i16 i32 i64 u32 f32 f64 } }; }
macro_rules! emitted_forms { ($then:ident) => { $then! { i16 i32 i64 u32 f32 f64 } }; }
macro_rules! fallible_operations {
    ($then:ident) => {
        $then! {
            add_i16 sub_i16 mul_i16 div_i16 rem_i16 add_i32 sub_i32 mul_i32 div_i32 rem_i32
            add_i64 sub_i64 mul_i64 div_i64 rem_i64
        }
    };
}
macro_rules! fallible_unary_operations {
    ($then:ident) => { $then! { neg_i16 neg_i32 neg_i64 abs_i16 abs_i32 abs_i64 narrow_i16 narrow_i32 int_to_f32 } };
}
macro_rules! unary_lanes { ($then:ident) => { $then! { not_bits neg_float abs_float int_to_f64 } }; }
macro_rules! truncations { ($then:ident) => { $then! { truncate_i16 right_truncate_i16 truncate_i32 right_truncate_i32 } }; }
pub(crate) use {emitted_forms, fallible_operations, fallible_unary_operations, forms, truncations, unary_lanes};

macro_rules! load {
    ($($name:ident $at:ident $step:literal $value:expr;)*) => {$(
        #[inline(always)]
        pub unsafe fn $name(data: u64, row: u64) -> Lanes {
            unsafe {
                let at = data as *const u8;
                let $at = at.add(row as usize * $step);
                let $at = [$at, $at.add(4 * $step), $at.add(8 * $step), $at.add(12 * $step)];
                each!(|$at| $value)
            }
        }
    )*};
}
load! {
    i16 at 2 _mm256_cvtepi16_epi64(_mm_loadl_epi64(at as *const __m128i));
    i32 at 4 _mm256_cvtepi32_epi64(_mm_loadu_si128(at as *const __m128i));
    u32 at 4 _mm256_cvtepu32_epi64(_mm_loadu_si128(at as *const __m128i));
    i64 at 8 _mm256_loadu_si256(at as *const __m256i);
    f32 at 4 _mm256_castpd_si256(_mm256_cvtps_pd(_mm_loadu_ps(at as *const f32)));
    f64 at 8 _mm256_loadu_si256(at as *const __m256i);
}

/// The booleans of a tile, which are bytes.
#[inline(always)]
pub unsafe fn truths(data: u64, row: u64) -> u64 {
    unsafe {
        let bytes = _mm_loadu_si128((data as *const u8).add(row as usize) as *const __m128i);
        _mm_movemask_epi8(_mm_slli_epi16::<7>(bytes)) as u32 as u64
    }
}

#[inline(always)]
pub fn splat(word: u64) -> Lanes {
    unsafe { [_mm256_set1_epi64x(word as i64); 4] }
}

/// The highest bits of all lanes.
#[inline(always)]
pub fn bits(x: Lanes) -> u64 {
    unsafe {
        let four = each!(|x| {
            // Written out, so that the compiler does not join them by longer ways.
            let four: u64;
            asm!("vmovmskpd {0:e}, {1}", out(reg) four, in(ymm_reg) x, options(pure, nomem, nostack, preserves_flags));
            four
        });
        four[0] | four[1] << 4 | four[2] << 8 | four[3] << 12
    }
}

/// Whether no lane has its highest bit.
#[inline(always)]
pub fn no_sign(x: __m256i) -> bool {
    unsafe { _mm256_testz_pd(_mm256_castsi256_pd(x), _mm256_castsi256_pd(x)) == 1 }
}

/// The highest bits set in the lanes of these rows, and of no others.
#[inline(always)]
pub unsafe fn signs(c: Frame, rows: u64) -> Lanes {
    macro_rules! shifted {
        ($rows:ident, $at:expr) => {{
            let x: __m256i;
            asm!("vpsllvq {0}, {1}, ymmword ptr [{2} + {3}]", out(ymm_reg) x, in(ymm_reg) $rows, in(reg) c, const SHIFTS + 32 * $at, options(pure, readonly, nostack, preserves_flags));
            x
        }};
    }
    unsafe {
        let rows = _mm256_set1_epi64x(rows as i64);
        [shifted!(rows, 0), shifted!(rows, 1), shifted!(rows, 2), shifted!(rows, 3)]
    }
}

/// All ones in the lanes whose highest bit is set.
#[inline(always)]
pub fn filled(signs: Lanes) -> Lanes {
    greater(zero(), signs)
}

/// `y` in the lanes whose highest bit is set, else `x`.
#[inline(always)]
pub fn chosen(x: Lanes, y: Lanes, signs: Lanes) -> Lanes {
    unsafe {
        each!(|x, y, signs| {
            let (x, y, signs) = (_mm256_castsi256_pd(x), _mm256_castsi256_pd(y), _mm256_castsi256_pd(signs));
            _mm256_castpd_si256(_mm256_blendv_pd(x, y, signs))
        })
    }
}

#[inline(always)]
pub fn zero_or_one(mask: Lanes) -> Lanes {
    unsafe { each!(|mask| _mm256_srli_epi64::<63>(mask)) }
}

#[inline(always)]
pub fn above_one(x: Lanes) -> Lanes {
    unsafe { each!(|x| _mm256_srli_epi64::<1>(x)) }
}

/// The lowest bit as the highest.
#[inline(always)]
pub fn to_sign(x: Lanes) -> Lanes {
    unsafe { each!(|x| _mm256_slli_epi64::<63>(x)) }
}

#[inline(always)]
pub fn equal(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_cmpeq_epi64(a, b)) }
}

#[inline(always)]
pub fn greater(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_cmpgt_epi64(a, b)) }
}

#[inline(always)]
fn add(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_add_epi64(a, b)) }
}

#[inline(always)]
fn sub(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_sub_epi64(a, b)) }
}

/// Of the lower halves.
#[inline(always)]
fn mul(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_mul_epi32(a, b)) }
}

/// Lower halves, sign-extended.
#[inline(always)]
pub fn truncate_i32(x: Lanes) -> Lanes {
    unsafe {
        let signs = each!(|x| _mm256_srai_epi32::<31>(_mm256_shuffle_epi32::<0xA0>(x)));
        each!(|x, signs| _mm256_blend_epi32::<0b1010_1010>(x, signs))
    }
}

#[inline(always)]
pub fn truncate_i16(x: Lanes) -> Lanes {
    truncate_i32(unsafe { each!(|x| _mm256_srai_epi32::<16>(_mm256_slli_epi32::<16>(x))) })
}

/// Not zero where a lane is no 32-bit integer.
#[inline(always)]
fn above_i32(v: Lanes) -> Lanes {
    let v = add(v, splat(opaque!(1u64 << 31)));
    unsafe { each!(|v| _mm256_srli_epi64::<32>(v)) }
}

#[inline(always)]
fn beyond_i32(v: Lanes) -> Bad {
    Bad::NotZero(above_i32(v))
}

/// Lanes that are no 16-bit integers.
#[inline(always)]
fn beyond_i16(v: Lanes) -> Bad {
    let v = add(v, splat(opaque!(1u64 << 15)));
    Bad::NotZero(unsafe { each!(|v| _mm256_srli_epi64::<16>(v)) })
}

macro_rules! by_width {
    ($($name:ident $op:ident $beyond:ident;)*) => {$(
        #[inline(always)]
        pub fn $name(a: Lanes, b: Lanes) -> (Lanes, Bad) {
            let v = $op(a, b);
            (v, $beyond(v))
        }
    )*};
}
by_width! {
    add_i16 add beyond_i16; sub_i16 sub beyond_i16; mul_i16 mul beyond_i16;
    add_i32 add beyond_i32; sub_i32 sub beyond_i32; mul_i32 mul beyond_i32;
}

#[inline(always)]
pub fn add_i64(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = add(a, b);
    (v, Bad::Sign(and(xor(a, v), xor(b, v))))
}

#[inline(always)]
pub fn sub_i64(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = sub(a, b);
    (v, Bad::Sign(and(xor(a, b), xor(a, v))))
}

/// Suspect where a factor is no 32-bit integer, as nothing multiplies those.
#[inline(always)]
pub fn mul_i64(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    (mul(a, b), Bad::NotZero(or(above_i32(a), above_i32(b))))
}

/// Lower halves, one behind the other.
#[inline(always)]
fn halves(x: __m256i) -> __m128i {
    unsafe {
        let (low, high) = (_mm256_castsi256_ps(x), _mm256_extractf128_ps::<1>(_mm256_castsi256_ps(x)));
        _mm_castps_si128(_mm_shuffle_ps::<0x88>(_mm256_castps256_ps128(low), high))
    }
}

/// Of lower halves, by way of doubles, which have every such quotient exactly enough to be cut off.
#[inline(always)]
fn quotient(a: __m128i, b: __m128i) -> __m128i {
    unsafe { _mm256_cvttpd_epi32(_mm256_div_pd(_mm256_cvtepi32_pd(a), _mm256_cvtepi32_pd(b))) }
}

#[inline(always)]
fn quotients(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_cvtepi32_epi64(quotient(halves(a), halves(b)))) }
}

#[inline(always)]
fn remainders(a: Lanes, b: Lanes) -> Lanes {
    unsafe {
        each!(|a, b| {
            let (a, b) = (halves(a), halves(b));
            _mm256_cvtepi32_epi64(_mm_sub_epi32(a, _mm_mullo_epi32(quotient(a, b), b)))
        })
    }
}

#[inline(always)]
pub fn div_i16(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = quotients(a, b);
    // Only the least by -1 is too large.
    (v, Bad::Sign(or(equal(b, zero()), greater(v, splat(opaque!(0x7FFF))))))
}

#[inline(always)]
pub fn div_i32(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = quotients(a, b);
    // The least by -1 becomes negative.
    (v, Bad::Sign(or(equal(b, zero()), and(v, and(a, b)))))
}

/// The same, of which the compiler knows nothing.
#[inline(always)]
fn hidden(mut x: __m256i) -> __m256i {
    unsafe { asm!("/* {0} */", inout(ymm_reg) x, options(pure, nomem, nostack, preserves_flags)) };
    x
}

/// Suspect where a side is no 32-bit integer, as nothing divides those.
#[inline(always)]
pub fn div_i64(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = quotients(a, b);
    let above = or(above_i32(a), above_i32(b));
    let is_whole = equal(each!(|above| hidden(above)), zero());
    (v, Bad::Sign(or(and_not(is_whole, ones()), or(equal(b, zero()), and(v, and(a, b))))))
}

#[inline(always)]
pub fn rem_i16(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    (remainders(a, b), Bad::Sign(equal(b, zero())))
}

#[inline(always)]
pub fn rem_i32(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    (remainders(a, b), Bad::Sign(equal(b, zero())))
}

/// Suspect as [`div_i64`].
#[inline(always)]
pub fn rem_i64(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let above = or(above_i32(a), above_i32(b));
    let is_whole = equal(each!(|above| hidden(above)), zero());
    (remainders(a, b), Bad::Sign(or(and_not(is_whole, ones()), equal(b, zero()))))
}

#[inline(always)]
fn opposite(a: Lanes) -> Lanes {
    sub(zero(), a)
}

#[inline(always)]
fn magnitude(a: Lanes) -> Lanes {
    let signs = greater(zero(), a);
    sub(xor(a, signs), signs)
}

macro_rules! unary_by_width {
    ($($name:ident |$a:ident| $value:expr, |$v:ident| $bad:expr;)*) => {$(
        #[inline(always)]
        pub fn $name($a: Lanes) -> (Lanes, Bad) {
            let $v = $value;
            ($v, $bad)
        }
    )*};
}
unary_by_width! {
    neg_i16 |a| opposite(a), |v| beyond_i16(v);
    neg_i32 |a| opposite(a), |v| beyond_i32(v);
    neg_i64 |a| opposite(a), |v| Bad::Sign(and(a, v));
    abs_i16 |a| magnitude(a), |v| beyond_i16(v);
    abs_i32 |a| magnitude(a), |v| beyond_i32(v);
    abs_i64 |a| magnitude(a), |v| Bad::Sign(v);
    narrow_i16 |a| a, |v| beyond_i16(v);
    narrow_i32 |a| a, |v| beyond_i32(v);
}

#[inline(always)]
pub fn not_bits(a: Lanes) -> Lanes {
    xor(a, ones())
}

#[inline(always)]
pub fn neg_float(a: Lanes) -> Lanes {
    xor(a, splat(opaque!(1u64 << 63)))
}

#[inline(always)]
pub fn abs_float(a: Lanes) -> Lanes {
    and(a, splat(opaque!(u64::MAX >> 1)))
}

/// The upper and the lower half each become a float by being put into the digits of one, and the sum is rounded once.
#[inline(always)]
pub fn int_to_f64(a: Lanes) -> Lanes {
    // 2^52; 2^84 + 2^63; and 2^84 + 2^63 + 2^52.
    let (low, high, both) =
        (splat(opaque!(0x4330_0000_0000_0000u64)), splat(opaque!(0x4530_0000_8000_0000u64)), splat(opaque!(0x4530_0000_8010_0000u64)));
    unsafe {
        each!(|a, low, high, both| {
            let lower = _mm256_blend_epi32::<0b0101_0101>(low, a);
            let upper = _mm256_xor_si256(_mm256_srli_epi64::<32>(a), high);
            let upper = _mm256_sub_pd(_mm256_castsi256_pd(upper), _mm256_castsi256_pd(both));
            _mm256_castpd_si256(_mm256_add_pd(upper, _mm256_castsi256_pd(lower)))
        })
    }
}

/// Suspect where the integer does not fit into 32 bits: by way of a double it might be rounded twice.
#[inline(always)]
pub fn int_to_f32(a: Lanes) -> (Lanes, Bad) {
    let v = int_to_f64(a);
    (unsafe { each!(|v| extended(single(v))) }, beyond_i32(a))
}

#[inline(always)]
fn double(x: __m256i) -> __m256d {
    unsafe { _mm256_castsi256_pd(x) }
}

#[inline(always)]
fn single(x: __m256i) -> __m128 {
    unsafe { _mm256_cvtpd_ps(double(x)) }
}

#[inline(always)]
fn extended(x: __m128) -> __m256i {
    unsafe { _mm256_castpd_si256(_mm256_cvtps_pd(x)) }
}

macro_rules! floats {
    ($($doubles:ident $singles:ident $of_doubles:ident $of_singles:ident;)*) => {$(
        #[inline(always)]
        pub fn $doubles(a: Lanes, b: Lanes) -> Lanes {
            unsafe { each!(|a, b| _mm256_castpd_si256($of_doubles(double(a), double(b)))) }
        }
        #[inline(always)]
        pub fn $singles(a: Lanes, b: Lanes) -> Lanes {
            unsafe { each!(|a, b| extended($of_singles(single(a), single(b)))) }
        }
    )*};
}
floats! {
    add_doubles add_singles _mm256_add_pd _mm_add_ps;
    sub_doubles sub_singles _mm256_sub_pd _mm_sub_ps;
    mul_doubles mul_singles _mm256_mul_pd _mm_mul_ps;
    div_doubles div_singles _mm256_div_pd _mm_div_ps;
}

#[inline(always)]
pub fn compare<const HOW: i32>(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_castpd_si256(_mm256_cmp_pd::<HOW>(double(a), double(b)))) }
}

#[inline(always)]
pub fn nan(a: Lanes) -> Lanes {
    compare::<_CMP_UNORD_Q>(a, a)
}

/// NaN is greater than all others.
#[inline(always)]
pub fn greater_float(a: Lanes, b: Lanes) -> Lanes {
    or(compare::<_CMP_GT_OQ>(a, b), and_not(nan(b), nan(a)))
}

#[inline(always)]
pub fn infinite(a: Lanes) -> Lanes {
    equal(abs_float(a), splat(opaque!(0x7FF0_0000_0000_0000u64)))
}

/// Zero, whatever its sign.
#[inline(always)]
pub fn nought(a: Lanes) -> Lanes {
    compare::<_CMP_EQ_OQ>(a, zero())
}

/// `x` shifted right, a distance a lane; written out, as the compiler looks for distances that are too long.
#[inline(always)]
fn shifted(mut x: __m256i, distance: __m256i) -> __m256i {
    unsafe {
        asm!("vpsrlvq {0}, {0}, {1}", inout(ymm_reg) x, in(ymm_reg) distance, options(pure, nomem, nostack, preserves_flags));
    }
    x
}

/// Lanes with their bit in the set, in their highest bits; `len` are the set's bits.
#[inline(always)]
pub unsafe fn in_set(least: u64, set: *const u64, len: u64, a: Lanes) -> Lanes {
    unsafe {
        let words = _mm256_set1_epi64x((len / 64) as i64);
        let (at, low) = (sub(a, splat(least)), splat(opaque!(63)));
        each!(|at, low| {
            let word = _mm256_srli_epi64::<6>(at);
            let is_inside = _mm256_cmpgt_epi64(words, word);
            let place = _mm256_and_si256(at, low);
            let found = _mm256_mask_i64gather_epi64::<8>(_mm256_setzero_si256(), set as *const i64, word, is_inside);
            _mm256_slli_epi64::<63>(shifted(found, place))
        })
    }
}

/// What pairs of words have for lanes: their values, and whether those are NULL in the highest bits. The last of `count` and one pairs is for lanes that are none
/// of so many from the least on, and for those of `none`.
#[inline(always)]
pub unsafe fn pick(least: u64, pairs: *const u64, count: u64, a: Lanes, none: Lanes) -> (Lanes, Lanes) {
    unsafe {
        let (at, last) = (or(sub(a, splat(least)), none), splat(count));
        // Neither is negative where it counts.
        let at = chosen(last, at, and_not(greater(zero(), at), greater(last, at)));
        let place = each!(|at| _mm256_slli_epi64::<1>(at));
        let (values, nulls) = (pairs as *const i64, pairs.add(1) as *const i64);
        let values = each!(|place| _mm256_i64gather_epi64::<8>(values, place));
        let nulls = each!(|place| _mm256_i64gather_epi64::<8>(nulls, place));
        (values, to_sign(nulls))
    }
}

/// The sums of the lower and of the upper 32 bits of all lanes, the upper as what they are above the least.
#[inline(always)]
pub fn sums_of_halves(x: Lanes) -> (__m256i, __m256i) {
    let sum = |x: Lanes| plus(plus(x[0], x[1]), plus(x[2], x[3]));
    let above = xor(x, splat(opaque!(1u64 << 63)));
    unsafe {
        (
            sum(each!(|x| _mm256_blend_epi32::<0b1010_1010>(x, _mm256_setzero_si256()))),
            sum(each!(|above| _mm256_srli_epi64::<32>(above))),
        )
    }
}

#[inline(always)]
pub fn plus(x: __m256i, y: __m256i) -> __m256i {
    unsafe { _mm256_add_epi64(x, y) }
}

pub mod emit {
    use super::*;

    #[inline(always)]
    pub unsafe fn i16(out: u64, row: u64, a: Lanes) {
        unsafe {
            let out = (out as *mut i16).add(row as usize) as *mut __m128i;
            let a = each!(|a| halves(a));
            let cut = |x: __m128i| _mm_srai_epi32::<16>(_mm_slli_epi32::<16>(x));
            _mm_storeu_si128(out, _mm_packs_epi32(cut(a[0]), cut(a[1])));
            _mm_storeu_si128(out.add(1), _mm_packs_epi32(cut(a[2]), cut(a[3])));
        }
    }

    #[inline(always)]
    pub unsafe fn i32(out: u64, row: u64, a: Lanes) {
        unsafe {
            let out = (out as *mut i32).add(row as usize) as *mut __m128i;
            let a = each!(|a| halves(a));
            _mm_storeu_si128(out, a[0]);
            _mm_storeu_si128(out.add(1), a[1]);
            _mm_storeu_si128(out.add(2), a[2]);
            _mm_storeu_si128(out.add(3), a[3]);
        }
    }

    #[inline(always)]
    pub unsafe fn u32(out: u64, row: u64, a: Lanes) {
        unsafe { i32(out, row, a) }
    }

    #[inline(always)]
    pub unsafe fn i64(out: u64, row: u64, a: Lanes) {
        unsafe { put_lanes((out as *mut i64).add(row as usize) as *mut u8, a) }
    }

    #[inline(always)]
    pub unsafe fn f32(out: u64, row: u64, a: Lanes) {
        unsafe {
            let out = (out as *mut f32).add(row as usize);
            let a = each!(|a| single(a));
            _mm_storeu_ps(out, a[0]);
            _mm_storeu_ps(out.add(4), a[1]);
            _mm_storeu_ps(out.add(8), a[2]);
            _mm_storeu_ps(out.add(12), a[3]);
        }
    }

    #[inline(always)]
    pub unsafe fn f64(out: u64, row: u64, a: Lanes) {
        unsafe { i64(out, row, a) }
    }
}
