//! Lanes of 32 bits: 32 rows.

use super::*;

pub const ROWS: u64 = 32;
pub const ALL: u64 = 0xFFFF_FFFF;
pub type Word = u32;

macro_rules! forms { ($then:ident) => { $then! { i16 i32 } }; }
macro_rules! emitted_forms { ($then:ident) => { $then! { i16 i32 i64 u32 } }; }
macro_rules! fallible_operations {
    ($then:ident) => { $then! { add_i16 sub_i16 mul_i16 div_i16 rem_i16 add_i32 sub_i32 mul_i32 div_i32 rem_i32 } };
}
macro_rules! fallible_unary_operations {
    ($then:ident) => { $then! { neg_i16 neg_i32 abs_i16 abs_i32 narrow_i16 } };
}
macro_rules! unary_lanes { ($then:ident) => { $then! { not_bits } }; }
macro_rules! truncations { ($then:ident) => { $then! { truncate_i16 right_truncate_i16 } }; }
pub(crate) use {emitted_forms, fallible_operations, fallible_unary_operations, forms, truncations, unary_lanes};

#[inline(always)]
pub unsafe fn i16(data: u64, row: u64) -> Lanes {
    unsafe {
        let at = (data as *const i16).add(row as usize) as *const __m128i;
        let four = [at, at.add(1), at.add(2), at.add(3)];
        each!(|four| _mm256_cvtepi16_epi32(_mm_loadu_si128(four)))
    }
}

#[inline(always)]
pub unsafe fn i32(data: u64, row: u64) -> Lanes {
    unsafe { get_lanes((data as *mut i32).add(row as usize) as *mut u8) }
}

/// The booleans of a tile, which are bytes.
#[inline(always)]
pub unsafe fn truths(data: u64, row: u64) -> u64 {
    unsafe {
        let bytes = _mm256_loadu_si256((data as *const u8).add(row as usize) as *const __m256i);
        _mm256_movemask_epi8(_mm256_slli_epi16::<7>(bytes)) as u32 as u64
    }
}

#[inline(always)]
pub fn splat(word: u64) -> Lanes {
    unsafe { [_mm256_set1_epi32(word as i32); 4] }
}

/// The highest bits of all lanes.
#[inline(always)]
pub fn bits(x: Lanes) -> u64 {
    // Packing keeps signs, and lets halves of registers meet that do not belong together: quarters are put in order.
    let ordered = |x| unsafe { _mm256_permute4x64_epi64::<0xD8>(x) };
    let both = |x, y| ordered(unsafe { _mm256_packs_epi32(x, y) });
    unsafe {
        let all = ordered(_mm256_packs_epi16(both(x[0], x[1]), both(x[2], x[3])));
        _mm256_movemask_epi8(all) as u32 as u64
    }
}

/// Whether no lane has its highest bit.
#[inline(always)]
pub fn no_sign(x: __m256i) -> bool {
    unsafe { _mm256_testz_ps(_mm256_castsi256_ps(x), _mm256_castsi256_ps(x)) == 1 }
}

/// The highest bits set in the lanes of these rows, and of no others.
#[inline(always)]
pub unsafe fn signs(c: Frame, rows: u64) -> Lanes {
    macro_rules! shifted {
        ($rows:ident, $at:expr) => {{
            let x: __m256i;
            asm!("vpsllvd {0}, {1}, ymmword ptr [{2} + {3}]", out(ymm_reg) x, in(ymm_reg) $rows, in(reg) c, const SHIFTS + 32 * $at, options(pure, readonly, nostack, preserves_flags));
            x
        }};
    }
    unsafe {
        let rows = _mm256_set1_epi32(rows as i32);
        [shifted!(rows, 0), shifted!(rows, 1), shifted!(rows, 2), shifted!(rows, 3)]
    }
}

/// All ones in the lanes whose highest bit is set.
#[inline(always)]
pub fn filled(signs: Lanes) -> Lanes {
    extended(signs)
}

/// `y` in the lanes whose highest bit is set, else `x`.
#[inline(always)]
pub fn chosen(x: Lanes, y: Lanes, signs: Lanes) -> Lanes {
    unsafe {
        each!(|x, y, signs| {
            let (x, y, signs) = (_mm256_castsi256_ps(x), _mm256_castsi256_ps(y), _mm256_castsi256_ps(signs));
            _mm256_castps_si256(_mm256_blendv_ps(x, y, signs))
        })
    }
}

#[inline(always)]
pub fn zero_or_one(mask: Lanes) -> Lanes {
    unsafe { each!(|mask| _mm256_srli_epi32::<31>(mask)) }
}

#[inline(always)]
pub fn above_one(x: Lanes) -> Lanes {
    unsafe { each!(|x| _mm256_srli_epi32::<1>(x)) }
}

/// The lowest bit as the highest.
#[inline(always)]
pub fn to_sign(x: Lanes) -> Lanes {
    unsafe { each!(|x| _mm256_slli_epi32::<31>(x)) }
}

#[inline(always)]
pub fn equal(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_cmpeq_epi32(a, b)) }
}

#[inline(always)]
pub fn greater(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_cmpgt_epi32(a, b)) }
}

#[inline(always)]
fn add(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_add_epi32(a, b)) }
}

#[inline(always)]
fn sub(a: Lanes, b: Lanes) -> Lanes {
    unsafe { each!(|a, b| _mm256_sub_epi32(a, b)) }
}

#[inline(always)]
fn extended(x: Lanes) -> Lanes {
    unsafe { each!(|x| _mm256_srai_epi32::<31>(x)) }
}

#[inline(always)]
pub fn truncate_i16(x: Lanes) -> Lanes {
    unsafe { each!(|x| _mm256_srai_epi32::<16>(_mm256_slli_epi32::<16>(x))) }
}

/// Lanes that are no 16-bit integers.
#[inline(always)]
fn beyond_i16(v: Lanes) -> Bad {
    Bad::NotZero(xor(v, truncate_i16(v)))
}

#[inline(always)]
pub fn add_i16(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = add(a, b);
    (v, beyond_i16(v))
}

#[inline(always)]
pub fn sub_i16(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = sub(a, b);
    (v, beyond_i16(v))
}

#[inline(always)]
pub fn mul_i16(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = unsafe { each!(|a, b| _mm256_mullo_epi32(a, b)) };
    (v, beyond_i16(v))
}

#[inline(always)]
pub fn add_i32(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = add(a, b);
    (v, Bad::Sign(and(xor(a, v), xor(b, v))))
}

#[inline(always)]
pub fn sub_i32(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = sub(a, b);
    (v, Bad::Sign(and(xor(a, b), xor(a, v))))
}

/// The product is too large where its upper half is not its sign.
#[inline(always)]
pub fn mul_i32(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    unsafe {
        let even = each!(|a, b| _mm256_mul_epi32(a, b));
        let odd = each!(|a, b| _mm256_mul_epi32(_mm256_srli_epi64::<32>(a), _mm256_srli_epi64::<32>(b)));
        let v = each!(|even, odd| _mm256_blend_epi32::<0b1010_1010>(even, _mm256_slli_epi64::<32>(odd)));
        let upper = each!(|even, odd| _mm256_blend_epi32::<0b1010_1010>(_mm256_srli_epi64::<32>(even), odd));
        (v, Bad::NotZero(xor(upper, extended(v))))
    }
}

/// Of a constant, `within` being the least and the greatest of lanes that it is not too much for.
macro_rules! of_constant {
    ($($name:ident |$a:ident, $b:ident| $value:expr;)*) => {$(
        stencil!(concat!(stringify!($name), "_constant"), |t| {
            let (b, within) = (splat(hole!(H_0)), hole!(H_1));
            let (least, greatest) = (splat(within)[0], splat(within >> 32)[0]);
            let a = t.a;
            let low = _mm256_min_epi32(_mm256_min_epi32(a[0], a[1]), _mm256_min_epi32(a[2], a[3]));
            let high = _mm256_max_epi32(_mm256_max_epi32(a[0], a[1]), _mm256_max_epi32(a[2], a[3]));
            let quick = _mm256_or_si256(_mm256_cmpgt_epi32(least, low), _mm256_cmpgt_epi32(high, greatest));
            let quick = [quick, _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()];
            let is_bad = fails(&t, Bad::Sign(quick), || {
                Bad::Sign(each!(|a| _mm256_or_si256(_mm256_cmpgt_epi32(least, a), _mm256_cmpgt_epi32(a, greatest))))
            });
            let t = Tile { a: each!(|a, b| { let ($a, $b) = (a, b); $value }), b: whatever(), ..t };
            if is_bad { to(K_FAIL, t) } else { next(t) }
        });
    )*};
}
of_constant! {
    add_i32 |a, b| _mm256_add_epi32(a, b);
    sub_i32 |a, b| _mm256_sub_epi32(a, b);
    mul_i32 |a, b| _mm256_mullo_epi32(a, b);
}

/// By way of doubles, which have every quotient of such integers exactly enough to be cut off.
#[inline(always)]
fn quotient(a: Lanes, b: Lanes) -> Lanes {
    unsafe {
        let half = |a: __m128i, b: __m128i| _mm256_cvttpd_epi32(_mm256_div_pd(_mm256_cvtepi32_pd(a), _mm256_cvtepi32_pd(b)));
        each!(|a, b| _mm256_set_m128i(
            half(_mm256_extracti128_si256::<1>(a), _mm256_extracti128_si256::<1>(b)),
            half(_mm256_castsi256_si128(a), _mm256_castsi256_si128(b))
        ))
    }
}

#[inline(always)]
pub fn div_i16(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = quotient(a, b);
    // Only the least by -1 is too large.
    (v, Bad::Sign(or(equal(b, zero()), greater(v, splat(opaque!(0x7FFF))))))
}

#[inline(always)]
pub fn div_i32(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    let v = quotient(a, b);
    // The least by -1 becomes negative.
    (v, Bad::Sign(or(equal(b, zero()), and(v, and(a, b)))))
}

#[inline(always)]
fn remainder(a: Lanes, b: Lanes) -> Lanes {
    let q = quotient(a, b);
    sub(a, unsafe { each!(|q, b| _mm256_mullo_epi32(q, b)) })
}

#[inline(always)]
pub fn rem_i16(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    (remainder(a, b), Bad::Sign(equal(b, zero())))
}

#[inline(always)]
pub fn rem_i32(a: Lanes, b: Lanes) -> (Lanes, Bad) {
    (remainder(a, b), Bad::Sign(equal(b, zero())))
}

#[inline(always)]
pub fn neg_i16(a: Lanes) -> (Lanes, Bad) {
    let v = sub(zero(), a);
    (v, beyond_i16(v))
}

#[inline(always)]
pub fn neg_i32(a: Lanes) -> (Lanes, Bad) {
    let v = sub(zero(), a);
    (v, Bad::Sign(and(a, v)))
}

#[inline(always)]
pub fn abs_i16(a: Lanes) -> (Lanes, Bad) {
    let v = unsafe { each!(|a| _mm256_abs_epi32(a)) };
    (v, beyond_i16(v))
}

#[inline(always)]
pub fn abs_i32(a: Lanes) -> (Lanes, Bad) {
    let v = unsafe { each!(|a| _mm256_abs_epi32(a)) };
    (v, Bad::Sign(v))
}

#[inline(always)]
pub fn narrow_i16(a: Lanes) -> (Lanes, Bad) {
    (a, beyond_i16(a))
}

#[inline(always)]
pub fn not_bits(a: Lanes) -> Lanes {
    xor(a, ones())
}

/// `x` shifted right, a distance a lane; written out, as the compiler looks for distances that are too long.
#[inline(always)]
fn shifted(mut x: __m256i, distance: __m256i) -> __m256i {
    unsafe {
        asm!("vpsrlvd {0}, {0}, {1}", inout(ymm_reg) x, in(ymm_reg) distance, options(pure, nomem, nostack, preserves_flags));
    }
    x
}

/// Lanes with their bit in the set, in their highest bits; `len` are the set's bits.
#[inline(always)]
pub unsafe fn in_set(least: u64, set: *const u64, len: u64, a: Lanes) -> Lanes {
    unsafe {
        let words = _mm256_set1_epi32((len / 32) as i32);
        let (at, low) = (sub(a, splat(least)), splat(opaque!(31)));
        each!(|at, low| {
            let word = _mm256_srli_epi32::<5>(at);
            let is_inside = _mm256_cmpgt_epi32(words, word);
            let place = _mm256_and_si256(at, low);
            let found = _mm256_mask_i32gather_epi32::<4>(_mm256_setzero_si256(), set as *const i32, word, is_inside);
            _mm256_slli_epi32::<31>(shifted(found, place))
        })
    }
}

/// What pairs of words have for lanes: their values, and whether those are NULL in the highest bits. The last of `count` and one pairs is for lanes that are none
/// of so many from the least on, and for those of `none`.
#[inline(always)]
pub unsafe fn pick(least: u64, pairs: *const u64, count: u64, a: Lanes, none: Lanes) -> (Lanes, Lanes) {
    unsafe {
        let (at, last) = (or(sub(a, splat(least)), none), splat(count));
        let place = each!(|at, last| _mm256_slli_epi32::<1>(_mm256_min_epu32(at, last)));
        let (values, nulls) = (pairs as *const i32, pairs.add(1) as *const i32);
        let values = each!(|place| _mm256_i32gather_epi32::<8>(values, place));
        let nulls = each!(|place| _mm256_i32gather_epi32::<8>(nulls, place));
        (values, to_sign(nulls))
    }
}

/// The sums of the lower and of the upper 16 bits of all lanes, the upper signed.
#[inline(always)]
pub fn sums_of_halves(x: Lanes) -> (__m256i, __m256i) {
    let sum = |x: Lanes| plus(plus(x[0], x[1]), plus(x[2], x[3]));
    unsafe {
        (
            sum(each!(|x| _mm256_blend_epi16::<0b1010_1010>(x, _mm256_setzero_si256()))),
            sum(each!(|x| _mm256_srai_epi32::<16>(x))),
        )
    }
}

#[inline(always)]
pub fn plus(x: __m256i, y: __m256i) -> __m256i {
    unsafe { _mm256_add_epi32(x, y) }
}

pub mod emit {
    use super::*;

    #[inline(always)]
    pub unsafe fn i16(out: u64, row: u64, a: Lanes) {
        unsafe {
            let out = (out as *mut i16).add(row as usize) as *mut __m256i;
            let a = truncate_i16(a);
            let both = |x, y| _mm256_permute4x64_epi64::<0xD8>(_mm256_packs_epi32(x, y));
            _mm256_storeu_si256(out, both(a[0], a[1]));
            _mm256_storeu_si256(out.add(1), both(a[2], a[3]));
        }
    }

    #[inline(always)]
    pub unsafe fn i32(out: u64, row: u64, a: Lanes) {
        unsafe { put_lanes((out as *mut i32).add(row as usize) as *mut u8, a) }
    }

    #[inline(always)]
    pub unsafe fn u32(out: u64, row: u64, a: Lanes) {
        unsafe { i32(out, row, a) }
    }

    #[inline(always)]
    pub unsafe fn i64(out: u64, row: u64, a: Lanes) {
        unsafe {
            let out = (out as *mut i64).add(row as usize) as *mut u8;
            let low = each!(|a| _mm256_cvtepi32_epi64(_mm256_castsi256_si128(a)));
            let high = each!(|a| _mm256_cvtepi32_epi64(_mm256_extracti128_si256::<1>(a)));
            put_lanes(out, [low[0], high[0], low[1], high[1]]);
            put_lanes(out.add(LANE_BYTES), [low[2], high[2], low[3], high[3]]);
        }
    }
}
