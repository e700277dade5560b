//! The stencils of tiles, with AVX2: what row programs do, for as many rows at once as a tile has. Compiled twice, alone: `narrow.rs` has 32 rows and lanes of 32
//! bits, `wide.rs` 16 rows and lanes of 64; each tells what single operations do to lanes.
//!
//! Every stencil has one signature: its arguments are the registers. `c` is the frame, `row` the tile's first row of those before `end`, `kept` counts what a
//! filter keeps. The accumulator is `a`, or, of a boolean, `v`, a bit for each row; `z` has a bit for each row where it is NULL. `b` is the right side of an
//! operation. It ends in calls of `K_` symbols, which become jumps to what comes next; `H_` symbols are holes: numbers that are patched in.
//!
//! No stencil refers to constants in memory: the build script refuses it. Where the compiler would, they come from instructions it cannot see through.
#![no_std]
#![allow(unused_macros, dead_code)]

#[path = "../../ops/src/list.rs"]
#[macro_use]
mod list;
#[path = "../src/tile/header.rs"]
mod header;

use core::arch::asm;
use core::arch::x86_64::*;
use core::mem::{size_of, transmute};

use header::*;

type Frame = *mut u8;

unsafe extern "C" {
    fn K_NEXT();
    fn K_JUMP();
    fn K_FAIL();
    static H_0: u8;
    static H_1: u8;
}

/// The 64 bits of a hole.
macro_rules! hole {
    ($hole:ident) => {{
        let r: u64;
        unsafe { asm!("movabs {0}, offset {1}", out(reg) r, sym $hole, options(pure, nomem, nostack, preserves_flags)) };
        r
    }};
}

/// The word of the frame at a hole's offset.
macro_rules! word {
    ($c:expr, $hole:ident) => {{
        let r: u64;
        unsafe { asm!("mov {0}, qword ptr [{1} + {2}]", out(reg) r, in(reg) $c, sym $hole, options(readonly, nostack, preserves_flags)) };
        r
    }};
}

/// The place of the frame at a hole's offset.
macro_rules! place {
    ($c:expr, $hole:ident) => {{
        let r: *mut u8;
        unsafe { asm!("lea {0}, [{1} + {2}]", out(reg) r, in(reg) $c, sym $hole, options(pure, nomem, nostack, preserves_flags)) };
        r
    }};
}

/// A number that the compiler does not know.
macro_rules! opaque {
    ($bits:expr) => {{
        let r: u64;
        unsafe { asm!("movabs {0}, {1}", out(reg) r, const $bits as u64 as i64, options(pure, nomem, nostack, preserves_flags)) };
        r
    }};
}

/// The same for each of four registers.
macro_rules! each {
    (|$($x:ident),*| $value:expr) => {
        [each!(0 $($x)* , $value), each!(1 $($x)* , $value), each!(2 $($x)* , $value), each!(3 $($x)* , $value)]
    };
    ($i:literal $($x:ident)* , $value:expr) => {{ let ($($x,)*) = ($($x[$i],)*); $value }};
}

macro_rules! stencil {
    ($name:expr, |$t:ident| $body:expr) => {
        const _: () = {
            #[unsafe(export_name = $name)]
            unsafe extern "C" fn stencil(
                c: Frame, row: u64, end: u64, kept: u64, z: u64, v: u64,
                a0: __m256i, a1: __m256i, a2: __m256i, a3: __m256i, b0: __m256i, b1: __m256i, b2: __m256i, b3: __m256i,
            ) -> u64 {
                let $t = Tile { c, row, end, kept, z, v, a: [a0, a1, a2, a3], b: [b0, b1, b2, b3] };
                unsafe { $body }
            }
        };
    };
}

#[cfg(narrow)]
#[path = "narrow.rs"]
mod lanes;
#[cfg(not(narrow))]
#[path = "wide.rs"]
mod lanes;

use lanes::*;

type Lanes = [__m256i; 4];

/// The registers.
#[derive(Clone, Copy)]
struct Tile {
    c: Frame,
    row: u64,
    end: u64,
    kept: u64,
    z: u64,
    v: u64,
    a: Lanes,
    b: Lanes,
}

type Stencil = unsafe extern "C" fn(
    Frame, u64, u64, u64, u64, u64, __m256i, __m256i, __m256i, __m256i, __m256i, __m256i, __m256i, __m256i,
) -> u64;

#[inline(always)]
unsafe fn to(k: unsafe extern "C" fn(), t: Tile) -> u64 {
    let Tile { c, row, end, kept, z, v, a, b } = t;
    unsafe { transmute::<unsafe extern "C" fn(), Stencil>(k)(c, row, end, kept, z, v, a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]) }
}

#[inline(always)]
unsafe fn next(t: Tile) -> u64 {
    unsafe { to(K_NEXT, t) }
}


#[inline(always)]
unsafe fn get(at: *mut u8, offset: usize) -> u64 {
    unsafe { *(at.add(offset) as *const u64) }
}

#[inline(always)]
unsafe fn put(at: *mut u8, offset: usize, word: u64) {
    unsafe { *(at.add(offset) as *mut u64) = word }
}

#[inline(always)]
unsafe fn get_lanes(at: *mut u8) -> Lanes {
    let at = at as *const __m256i;
    unsafe { [_mm256_loadu_si256(at), _mm256_loadu_si256(at.add(1)), _mm256_loadu_si256(at.add(2)), _mm256_loadu_si256(at.add(3))] }
}

#[inline(always)]
unsafe fn put_lanes(at: *mut u8, x: Lanes) {
    let at = at as *mut __m256i;
    unsafe {
        _mm256_storeu_si256(at, x[0]);
        _mm256_storeu_si256(at.add(1), x[1]);
        _mm256_storeu_si256(at.add(2), x[2]);
        _mm256_storeu_si256(at.add(3), x[3]);
    }
}

#[inline(always)]
fn or(x: Lanes, y: Lanes) -> Lanes {
    unsafe { each!(|x, y| _mm256_or_si256(x, y)) }
}

#[inline(always)]
fn and(x: Lanes, y: Lanes) -> Lanes {
    unsafe { each!(|x, y| _mm256_and_si256(x, y)) }
}

/// `!x & y`.
#[inline(always)]
fn and_not(x: Lanes, y: Lanes) -> Lanes {
    unsafe { each!(|x, y| _mm256_andnot_si256(x, y)) }
}

#[inline(always)]
fn xor(x: Lanes, y: Lanes) -> Lanes {
    unsafe { each!(|x, y| _mm256_xor_si256(x, y)) }
}

/// All ones in the lanes of these rows.
#[inline(always)]
unsafe fn mask(c: Frame, rows: u64) -> Lanes {
    unsafe { filled(signs(c, rows)) }
}

#[inline(always)]
fn zero() -> Lanes {
    unsafe { [_mm256_setzero_si256(); 4] }
}

#[inline(always)]
fn ones() -> Lanes {
    unsafe { [_mm256_set1_epi8(-1); 4] }
}

/// Registers of which nothing is known: what nobody looks at need not be kept.
#[inline(always)]
fn whatever() -> Lanes {
    let (x, y, z, w);
    unsafe {
        asm!("", out("ymm4") x, out("ymm5") y, out("ymm6") z, out("ymm7") w, options(pure, nomem, nostack, preserves_flags));
    }
    [x, y, z, w]
}

/// Which lanes are out of order: those whose highest bit is set, or those that are not zero.
#[derive(Clone, Copy)]
enum Bad {
    Sign(Lanes),
    NotZero(Lanes),
}

/// Whether a row is suspect that is not NULL and that no jump took elsewhere; `quick` are at least those that `exact` says.
#[inline(always)]
unsafe fn fails(t: &Tile, quick: Bad, exact: impl FnOnce() -> Bad) -> bool {
    unsafe {
        let any = |x: Lanes| _mm256_or_si256(_mm256_or_si256(x[0], x[1]), _mm256_or_si256(x[2], x[3]));
        let is_clean = match quick {
            Bad::Sign(x) => no_sign(any(x)),
            Bad::NotZero(x) => _mm256_testz_si256(any(x), any(x)) == 1,
        };
        if is_clean {
            return false;
        }
        let bad = match exact() {
            Bad::Sign(x) => bits(x),
            Bad::NotZero(x) => !bits(equal(x, zero())) & ALL,
        };
        bad & !t.z & !get(t.c, DEAD) != 0
    }
}

/// The bits of a tile's rows in the bitmap at `words`; no byte without one of them is read.
#[inline(always)]
unsafe fn nulls(words: u64, row: u64) -> u64 {
    unsafe {
        let bytes = words as *const u8;
        let low = (bytes.add((row >> 3) as usize) as *const Word).read_unaligned() as u64;
        let high = *bytes.add(((row + ROWS - 1) >> 3) as usize) as u64;
        (low | high << ROWS) >> (row & 7) & ALL
    }
}

/// The values of a column that lie as far ahead as the frame says will be in the second cache soon: to there more lines can be on their way than to the first.
macro_rules! ahead {
    ($($name:ident)*) => {$(
        stencil!(concat!("ahead_", stringify!($name)), |t| {
            let data = word!(t.c, H_0).wrapping_add(get(t.c, AHEAD));
            let ahead = data.wrapping_add(t.row * size_of::<$name>() as u64) as *const i8;
            _mm_prefetch::<_MM_HINT_T1>(ahead);
            if ROWS as usize * size_of::<$name>() > 64 {
                _mm_prefetch::<_MM_HINT_T1>(ahead.wrapping_add(64));
            }
            next(t)
        });
    )*};
}
forms!(ahead);
ahead!(bool);

macro_rules! columns {
    ($($name:ident)*) => {$(
        stencil!(concat!("full_", stringify!($name)), |t| next(Tile { a: $name(word!(t.c, H_0), t.row), z: 0, ..t }));
        stencil!(concat!("load_", stringify!($name)), |t| {
            next(Tile { a: $name(word!(t.c, H_0), t.row), z: nulls(word!(t.c, H_1), t.row), ..t })
        });
        stencil!(concat!("right_full_", stringify!($name)), |t| next(Tile { b: $name(word!(t.c, H_0), t.row), ..t }));
        stencil!(concat!("right_load_", stringify!($name)), |t| {
            next(Tile { b: $name(word!(t.c, H_0), t.row), z: t.z | nulls(word!(t.c, H_1), t.row), ..t })
        });
    )*};
}
forms!(columns);

/// All rows, if a word is 1 rather than 0.
#[inline(always)]
fn all_if(word: u64) -> u64 {
    (word as Word).wrapping_neg() as u64
}

stencil!("full_bool", |t| next(Tile { v: truths(word!(t.c, H_0), t.row), z: 0, ..t }));
stencil!("load_bool", |t| {
    next(Tile { v: truths(word!(t.c, H_0), t.row), z: nulls(word!(t.c, H_1), t.row), ..t })
});
stencil!("null_of", |t| next(Tile { v: nulls(word!(t.c, H_1), t.row), z: 0, ..t }));
stencil!("false", |t| next(Tile { v: 0, z: 0, ..t }));
stencil!("absent", |t| next(Tile { a: zero(), v: 0, z: ALL, ..t }));
stencil!("constant", |t| {
    let word = hole!(H_0);
    next(Tile { a: splat(word), v: (word & 1).wrapping_neg() & ALL, z: 0, ..t })
});
stencil!("right_constant", |t| next(Tile { b: splat(hole!(H_0)), ..t }));
stencil!("input", |t| {
    let (word, null) = (word!(t.c, H_0), word!(t.c, H_1));
    next(Tile { a: splat(word), z: all_if(null), ..t })
});
stencil!("right_input", |t| {
    let input = place!(t.c, H_0);
    next(Tile { b: splat(get(input, 0)), z: t.z | all_if(get(input, 8)), ..t })
});

stencil!("save_lanes", |t| {
    let slot = place!(t.c, H_0);
    put_lanes(slot, t.a);
    put(slot, SLOT_NULLS, t.z);
    next(t)
});
stencil!("save_bool", |t| {
    let slot = place!(t.c, H_0);
    put(slot, SLOT_TRUE, t.v);
    put(slot, SLOT_NULLS, t.z);
    next(t)
});
stencil!("restore_lanes", |t| {
    let slot = place!(t.c, H_0);
    next(Tile { a: get_lanes(slot), z: get(slot, SLOT_NULLS), ..t })
});
stencil!("restore_bool", |t| {
    let slot = place!(t.c, H_0);
    next(Tile { v: get(slot, SLOT_TRUE), z: get(slot, SLOT_NULLS), ..t })
});
// The accumulator becomes the right side, a slot the left one.
stencil!("right_slot_lanes", |t| {
    let slot = place!(t.c, H_0);
    next(Tile { b: t.a, a: get_lanes(slot), z: t.z | get(slot, SLOT_NULLS), ..t })
});
stencil!("right_slot_bool", |t| {
    let slot = place!(t.c, H_0);
    next(Tile { b: t.a, v: get(slot, SLOT_TRUE), z: t.z | get(slot, SLOT_NULLS), ..t })
});
stencil!("lanes_of_bool", |t| next(Tile { a: zero_or_one(mask(t.c, t.v)), ..t }));
// Words that are neither 0 nor 1 are no booleans.
stencil!("bool_of_lanes", |t| {
    let bad = Bad::NotZero(above_one(t.a));
    let t = Tile { v: bits(to_sign(t.a)), ..t };
    if fails(&t, bad, || bad) { to(K_FAIL, t) } else { next(t) }
});

macro_rules! fallible {
    ($($name:ident)*) => {$(
        stencil!(stringify!($name), |t| {
            let (v, bad) = $name(t.a, t.b);
            let is_bad = fails(&t, bad, || bad);
            let t = Tile { a: v, b: whatever(), ..t };
            if is_bad { to(K_FAIL, t) } else { next(t) }
        });
    )*};
}
fallible_operations!(fallible);

macro_rules! fallible_unary {
    ($($name:ident)*) => {$(
        stencil!(stringify!($name), |t| {
            let (v, bad) = $name(t.a);
            let is_bad = fails(&t, bad, || bad);
            let t = Tile { a: v, ..t };
            if is_bad { to(K_FAIL, t) } else { next(t) }
        });
    )*};
}
fallible_unary_operations!(fallible_unary);

macro_rules! unary {
    ($($name:ident)*) => {$( stencil!(stringify!($name), |t| next(Tile { a: $name(t.a), ..t })); )*};
}
unary_lanes!(unary);

macro_rules! truncate {
    ($($name:ident $right:ident)*) => {$(
        stencil!(stringify!($name), |t| next(Tile { a: $name(t.a), ..t }));
        stencil!(stringify!($right), |t| next(Tile { b: $name(t.b), ..t }));
    )*};
}
truncations!(truncate);

stencil!("and_bits", |t| next(Tile { a: and(t.a, t.b), ..t }));
stencil!("or_bits", |t| next(Tile { a: or(t.a, t.b), ..t }));
stencil!("xor_bits", |t| next(Tile { a: xor(t.a, t.b), ..t }));

macro_rules! tests {
    ($($name:ident |$a:ident, $b:ident| $value:expr;)*) => {$(
        stencil!(stringify!($name), |t| {
            let ($a, $b) = (t.a, t.b);
            next(Tile { v: $value, b: whatever(), ..t })
        });
        stencil!(concat!(stringify!($name), "_constant"), |t| {
            let ($a, $b) = (t.a, splat(hole!(H_0)));
            next(Tile { v: $value, b: whatever(), ..t })
        });
        stencil!(concat!(stringify!($name), "_input"), |t| {
            let input = place!(t.c, H_0);
            let ($a, $b) = (t.a, splat(get(input, 0)));
            next(Tile { v: $value, z: t.z | all_if(get(input, 8)), b: whatever(), ..t })
        });
    )*};
}
tests! {
    eq_int |a, b| bits(equal(a, b));
    ne_int |a, b| bits(equal(a, b)) ^ ALL;
    lt_int |a, b| bits(greater(b, a));
    le_int |a, b| bits(greater(a, b)) ^ ALL;
    gt_int |a, b| bits(greater(a, b));
    ge_int |a, b| bits(greater(b, a)) ^ ALL;
}

macro_rules! choice {
    ($($name:ident |$x:ident, $a:ident| $is_other:expr;)*) => {$(
        stencil!(concat!(stringify!($name), "_slot"), |t| {
            let slot = place!(t.c, H_0);
            let ($x, $a, y) = (get_lanes(slot), t.a, get(slot, SLOT_NULLS));
            let mut other = $is_other;
            if (t.z | y) != 0 {
                other = and_not(mask(t.c, t.z), or(other, mask(t.c, y)));
            }
            next(Tile { a: chosen($x, $a, other), z: t.z & y, ..t })
        });
    )*};
}
choice! {
    max_int |x, a| greater(a, x);
    min_int |x, a| greater(x, a);
}

#[cfg(not(narrow))]
mod floats {
    use super::*;

    tests! {
        eq_float |a, b| bits(or(compare::<_CMP_EQ_OQ>(a, b), and(nan(a), nan(b))));
        ne_float |a, b| bits(or(compare::<_CMP_EQ_OQ>(a, b), and(nan(a), nan(b)))) ^ ALL;
        lt_float |a, b| bits(greater_float(b, a));
        le_float |a, b| bits(greater_float(a, b)) ^ ALL;
        gt_float |a, b| bits(greater_float(a, b));
        ge_float |a, b| bits(greater_float(b, a)) ^ ALL;
    }
    choice! {
        max_float |x, a| greater_float(a, x);
        min_float |x, a| greater_float(x, a);
    }

    macro_rules! arithmetic {
        ($($name:ident |$a:ident, $b:ident| $value:expr, |$v:ident| $quick:expr, $exact:expr;)*) => {$(
            stencil!(stringify!($name), |t| {
                let ($a, $b) = (t.a, t.b);
                let $v = $value;
                let is_bad = fails(&t, Bad::Sign($quick), || Bad::Sign($exact));
                let t = Tile { a: $v, b: whatever(), ..t };
                if is_bad { to(K_FAIL, t) } else { next(t) }
            });
        )*};
    }
    macro_rules! of_both {
        ($add64:ident $sub64:ident $mul64:ident $div64:ident $add:ident $sub:ident $mul:ident $div:ident) => {
            arithmetic! {
                $add64 |a, b| $add(a, b), |v| infinite(v), and_not(or(infinite(a), infinite(b)), infinite(v));
                $sub64 |a, b| $sub(a, b), |v| infinite(v), and_not(or(infinite(a), infinite(b)), infinite(v));
                $mul64 |a, b| $mul(a, b), |v| or(infinite(v), nought(v)),
                    or(and_not(or(infinite(a), infinite(b)), infinite(v)), and_not(or(nought(a), nought(b)), nought(v)));
                $div64 |a, b| $div(a, b), |v| or(or(infinite(v), nought(v)), nought(b)),
                    or(or(and_not(infinite(a), infinite(v)), nought(b)), and_not(or(nought(a), infinite(b)), nought(v)));
            }
        };
    }
    of_both!(add_f64 sub_f64 mul_f64 div_f64 add_doubles sub_doubles mul_doubles div_doubles);
    of_both!(add_f32 sub_f32 mul_f32 div_f32 add_singles sub_singles mul_singles div_singles);
}

// Three-valued logic; the value of NULL is not looked at.
stencil!("and_slot", |t| {
    let slot = place!(t.c, H_0);
    let (x, y) = (get(slot, SLOT_TRUE), get(slot, SLOT_NULLS));
    let open = (t.v | t.z) & (x | y);
    let z = (t.z | y) & open;
    next(Tile { v: open, z, ..t })
});
stencil!("or_slot", |t| {
    let slot = place!(t.c, H_0);
    let (x, y) = (get(slot, SLOT_TRUE), get(slot, SLOT_NULLS));
    let decided = (t.v & !t.z) | (x & !y);
    let z = (t.z | y) & !decided;
    next(Tile { v: decided, z, ..t })
});
stencil!("not", |t| next(Tile { v: t.v ^ ALL, ..t }));
stencil!("is_null", |t| next(Tile { v: t.z, z: 0, ..t }));
stencil!("is_true", |t| next(Tile { v: t.v & !t.z, z: 0, ..t }));
stencil!("is_false", |t| next(Tile { v: (t.v | t.z) ^ ALL, z: 0, ..t }));

// Whether a word is in a list: at the frame's word, so many words.
stencil!("in_list", |t| {
    let (list, len) = (word!(t.c, H_0) as *const u64, hole!(H_1));
    let (mut i, mut hit) = (0, zero());
    while i < len {
        hit = or(hit, equal(splat(*list.add(i as usize)), t.a));
        i += 1;
    }
    next(Tile { v: bits(hit), ..t })
});
// The same for lists whose values lie close together: the least of them, then a bit for each value from there on, of so many.
stencil!("in_set", |t| {
    let (set, len) = (word!(t.c, H_0) as *const u64, hole!(H_1));
    next(Tile { v: bits(in_set(*set, set.add(1), len, t.a)), b: whatever(), ..t })
});

// The values that a table has for words: as in row code.
stencil!("pick", |t| {
    let (table, count) = (word!(t.c, H_0) as *const u64, hole!(H_1));
    let none = if t.z == 0 { zero() } else { mask(t.c, t.z) };
    let (a, nulls) = pick(*table, table.add(1), count, t.a, none);
    next(Tile { a, z: bits(nulls), b: whatever(), ..t })
});

// Whether words are among those of a given list (`WordList`): as in row code.
stencil!("among", |t| {
    let (list, info) = (word!(t.c, H_0) as *const u64, word!(t.c, H_1));
    let len = info >> 2;
    let hit = if info & 2 != 0 {
        bits(in_set(*list, list.add(1), len, t.a))
    } else {
        let (mut i, mut hit) = (0, zero());
        while i < len {
            hit = or(hit, equal(splat(*list.add(i as usize)), t.a));
            i += 1;
        }
        bits(hit)
    };
    let unknown = if info & 1 != 0 { ALL } else { 0 };
    let z = if len == 0 { unknown } else { t.z | (!hit & unknown) };
    next(Tile { v: hit, z, b: whatever(), ..t })
});

// Jumps. Rows that a jump takes leave the accumulator at its label, and are dead until then; all others go on.
macro_rules! taken {
    ($($name:ident |$t:ident| $rows:expr;)*) => {$(
        stencil!(concat!("taken_", stringify!($name)), |$t| {
            let dead = get($t.c, DEAD);
            let taken = $rows & !dead & ALL;
            put($t.c, TAKEN, taken);
            put($t.c, DEAD, dead | taken);
            next($t)
        });
        // To the end, at once if no row goes on.
        stencil!(concat!("end_", stringify!($name)), |$t| {
            let dead = get($t.c, DEAD) | ($rows & ALL);
            put($t.c, DEAD, dead);
            if dead as Word == ALL as Word { to(K_JUMP, $t) } else { next($t) }
        });
    )*};
}
taken! {
    always |t| ALL;
    unless_true |t| !t.v | t.z;
    if_false |t| !(t.v | t.z);
    if_true |t| t.v & !t.z;
    unless_null |t| !t.z;
}
stencil!("leave_first", |t| {
    put(place!(t.c, H_0), SLOT_ROWS, get(t.c, TAKEN));
    next(t)
});
stencil!("leave", |t| {
    let label = place!(t.c, H_0);
    put(label, SLOT_ROWS, get(label, SLOT_ROWS) | get(t.c, TAKEN));
    next(t)
});
stencil!("leave_lanes", |t| {
    let (label, taken) = (place!(t.c, H_0), get(t.c, TAKEN));
    put_lanes(label, chosen(get_lanes(label), t.a, signs(t.c, taken)));
    put(label, SLOT_NULLS, (get(label, SLOT_NULLS) & !taken) | (t.z & taken));
    next(t)
});
stencil!("leave_bool", |t| {
    let (label, taken) = (place!(t.c, H_0), get(t.c, TAKEN));
    put(label, SLOT_TRUE, (get(label, SLOT_TRUE) & !taken) | (t.v & taken));
    put(label, SLOT_NULLS, (get(label, SLOT_NULLS) & !taken) | (t.z & taken));
    next(t)
});
stencil!("here", |t| {
    put(t.c, DEAD, get(t.c, DEAD) & !get(place!(t.c, H_0), SLOT_ROWS));
    next(t)
});
stencil!("here_lanes", |t| {
    let label = place!(t.c, H_0);
    let rows = get(label, SLOT_ROWS);
    next(Tile { a: chosen(t.a, get_lanes(label), signs(t.c, rows)), z: (t.z & !rows) | (get(label, SLOT_NULLS) & rows), ..t })
});
stencil!("here_bool", |t| {
    let label = place!(t.c, H_0);
    let rows = get(label, SLOT_ROWS);
    let of = |here: u64, there| (here & !rows) | (get(label, there) & rows);
    next(Tile { v: of(t.v, SLOT_TRUE), z: of(t.z, SLOT_NULLS), ..t })
});

/// Goes on with the next tile. The last one ends with the last row, though rows of it were done before: those are told at `again`.
#[inline(always)]
unsafe fn advance(t: Tile, again: usize) -> u64 {
    unsafe {
        let row = t.row + ROWS;
        let left = t.end.wrapping_sub(row);
        if left >= ROWS {
            return to(K_JUMP, Tile { row, ..t });
        }
        if left == 0 {
            return next(t);
        }
        put(t.c, again, (1 << (ROWS - left)) - 1);
        to(K_JUMP, Tile { row: t.end - ROWS, ..t })
    }
}

macro_rules! emit {
    ($($name:ident)*) => {$(
        stencil!(concat!("emit_", stringify!($name)), |t| {
            let mut a = t.a;
            if t.z != 0 {
                a = and_not(mask(t.c, t.z), a);
                put_nulls(&t);
            }
            lanes::emit::$name(get(t.c, OUT), t.row, a);
            advance(t, DONE)
        });
    )*};
}
emitted_forms!(emit);

/// Adds the NULL bits of a tile to those of the output.
#[inline(always)]
unsafe fn put_nulls(t: &Tile) {
    unsafe {
        let (word, shift) = ((get(t.c, OUT_NULLS) as *mut u64).add((t.row >> 6) as usize), t.row & 63);
        *word |= t.z << shift;
        if shift + ROWS > 64 {
            *word.add(1) |= t.z >> (64 - shift);
        }
    }
}

stencil!("emit_bool", |t| {
    let v = t.v & !t.z;
    if t.z != 0 {
        put_nulls(&t);
    }
    let out = (get(t.c, OUT) as *mut u8).add(t.row as usize) as *mut u64;
    let mut i = 0;
    while i < ROWS / 8 {
        let byte = v >> (8 * i) & 0xFF;
        // A bit a byte: the lower seven are multiplied to their places, the highest is shifted.
        let spread = ((byte & 0x7F).wrapping_mul(0x0002_0408_1020_4081) & 0x0001_0101_0101_0101) | (byte >> 7) << 56;
        out.add(i as usize).write_unaligned(spread);
        i += 1;
    }
    advance(t, DONE)
});
// A filter lists the rows for which the value is true: eight at a time, of which the next eight overwrite those that are not.
stencil!("emit_kept", |t| {
    let mut v = t.v & !t.z & !get(t.c, DONE);
    let mut kept = t.kept;
    if v != 0 {
        let (out, places) = (get(t.c, OUT) as *mut u32, get(t.c, PLACES) as *const __m128i);
        let mut row = _mm256_set1_epi32(t.row as i32);
        let eight = _mm256_set1_epi32(opaque!(8) as i32);
        let mut left = ROWS / 8;
        while left > 0 {
            let byte = v & 0xFF;
            let places = _mm256_cvtepu8_epi32(_mm_loadl_epi64((places as *const u64).add(byte as usize) as *const __m128i));
            _mm256_storeu_si256(out.add(kept as usize) as *mut __m256i, _mm256_add_epi32(places, row));
            kept += byte.count_ones() as u64;
            v >>= 8;
            row = _mm256_add_epi32(row, eight);
            left -= 1;
        }
    }
    advance(Tile { kept, b: whatever(), ..t }, DONE)
});
// What is folded is in the frame already.
stencil!("emit_nothing", |t| {
    put(t.c, DEAD, 0);
    advance(t, DEAD)
});

/// Rows whose values are folded.
#[inline(always)]
unsafe fn live(t: &Tile) -> u64 {
    unsafe { !t.z & !get(t.c, DEAD) & ALL }
}

/// The lanes of these rows; others are those of `other`.
#[inline(always)]
unsafe fn only(t: &Tile, live: u64, other: Lanes) -> Lanes {
    unsafe { if live == ALL { t.a } else { chosen(other, t.a, signs(t.c, live)) } }
}

#[inline(always)]
unsafe fn count(t: &Tile, cell: Frame, rows: u64) {
    unsafe { put(cell, CELL_COUNT, get(cell, CELL_COUNT) + rows.count_ones() as u64) }
}

stencil!("fold_rows", |t| {
    count(&t, place!(t.c, H_0), !get(t.c, DEAD) & ALL);
    next(t)
});
stencil!("fold_values", |t| {
    count(&t, place!(t.c, H_0), live(&t));
    next(t)
});
stencil!("fold_sum", |t| {
    let (cell, live) = (place!(t.c, H_0), live(&t));
    let at = cell.add(CELL_LANES) as *mut __m256i;
    let (low, high) = lanes::sums_of_halves(only(&t, live, zero()));
    _mm256_storeu_si256(at, lanes::plus(_mm256_loadu_si256(at), low));
    _mm256_storeu_si256(at.add(1), lanes::plus(_mm256_loadu_si256(at.add(1)), high));
    put(cell, CELL_COUNT, get(cell, CELL_COUNT) + 1);
    next(t)
});
macro_rules! fold_logic {
    ($($name:ident |$t:ident| $deciding:expr;)*) => {$(
        stencil!(stringify!($name), |$t| {
            let (cell, live) = (place!($t.c, H_0), live(&$t));
            put(cell, CELL_COUNT, get(cell, CELL_COUNT) | (live & $deciding));
            put(cell, CELL_SEEN, get(cell, CELL_SEEN) | live);
            next($t)
        });
    )*};
}
fold_logic! {
    fold_all |t| !t.v;
    fold_any |t| t.v;
}
macro_rules! fold_extreme {
    ($($name:ident |$x:ident, $a:ident| $is_better:expr, $bad:expr;)*) => {$(
        stencil!(stringify!($name), |t| {
            let (cell, live) = (place!(t.c, H_0), live(&t));
            let at = cell.add(CELL_LANES) as *mut __m256i;
            let best = _mm256_loadu_si256(at);
            let a = only(&t, live, [best; 4]);
            let choose = |$x: __m256i, $a: __m256i| _mm256_blendv_epi8($x, $a, $is_better);
            _mm256_storeu_si256(at, choose(best, choose(choose(a[0], a[1]), choose(a[2], a[3]))));
            put(cell, CELL_SEEN, get(cell, CELL_SEEN) | live);
            let is_bad = $bad(&t);
            if is_bad { to(K_FAIL, t) } else { next(t) }
        });
    )*};
}
fold_extreme! {
    fold_max_int |x, a| greater([a; 4], [x; 4])[0], |_| false;
    fold_min_int |x, a| greater([x; 4], [a; 4])[0], |_| false;
}
#[cfg(not(narrow))]
fold_extreme! {
    fold_max_float |x, a| greater_float([a; 4], [x; 4])[0], has_minus_zero;
    fold_min_float |x, a| greater_float([x; 4], [a; 4])[0], has_minus_zero;
}

/// Which of 0.0 and -0.0 came first nobody knows here.
#[cfg(not(narrow))]
#[inline(always)]
unsafe fn has_minus_zero(t: &Tile) -> bool {
    let bad = Bad::Sign(equal(t.a, splat(opaque!(1u64 << 63))));
    unsafe { fails(t, bad, || bad) }
}

#[unsafe(export_name = "done")]
unsafe extern "C" fn done(_c: Frame, _row: u64, _end: u64, kept: u64) -> u64 {
    unsafe { _mm256_zeroupper() };
    kept
}
// A tile that is suspect: how many rows were kept before it, and where it starts.
#[unsafe(export_name = "suspect")]
unsafe extern "C" fn suspect(c: Frame, row: u64, _end: u64, kept: u64) -> u64 {
    unsafe {
        put(c, KEPT, kept);
        _mm256_zeroupper();
    }
    !row
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
