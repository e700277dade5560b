//! The stencils of row programs. Compiled alone, by the build script, into an object file that is taken apart; never linked.
//!
//! Every stencil has one signature: its arguments are the registers. `c` is the frame, `row` of `rows` the row at hand, `kept` counts what a filter keeps,
//! `a` is the accumulator and `z` is 1 where that is NULL, else 0. It ends in calls of `K_` symbols, which become jumps to what comes next; `H_` symbols
//! are holes: numbers that are patched in.
#![no_std]

#[path = "../../ops/src/bodies.rs"]
mod bodies;
#[path = "../../ops/src/list.rs"]
#[macro_use]
mod list;

#[path = "../src/call/header.rs"]
mod header;

use core::arch::asm;

type Frame = *mut u8;

#[allow(improper_ctypes)]
unsafe extern "C" {
    fn K_NEXT(c: Frame, row: u64, rows: u64, kept: u64, a: u64, z: u64) -> u64;
    fn K_JUMP(c: Frame, row: u64, rows: u64, kept: u64, a: u64, z: u64) -> u64;
    fn K_FAIL(c: Frame, row: u64, rows: u64, kept: u64, a: u64, z: u64) -> u64;
    static H_0: u8;
    static H_1: u8;
}

/// The word of the frame at a hole's offset.
#[cfg(target_arch = "x86_64")]
macro_rules! word {
    ($c:ident, $hole:ident) => {{
        let r: u64;
        unsafe {
            asm!("mov {0}, qword ptr [{1} + {2}]", out(reg) r, in(reg) $c, sym $hole, options(readonly, nostack, preserves_flags));
        }
        r
    }};
}
#[cfg(target_arch = "aarch64")]
macro_rules! word {
    ($c:ident, $hole:ident) => {{
        let r: u64;
        unsafe {
            asm!("movz {0}, #:abs_g0:{2}", "ldr {0}, [{1}, {0}]", out(reg) r, in(reg) $c, sym $hole,
                options(readonly, nostack, preserves_flags));
        }
        r
    }};
}

/// Puts a word there.
#[cfg(target_arch = "x86_64")]
macro_rules! put {
    ($c:ident, $hole:ident, $value:expr) => {{
        let v: u64 = $value;
        unsafe {
            asm!("mov qword ptr [{0} + {1}], {2}", in(reg) $c, sym $hole, in(reg) v, options(nostack, preserves_flags));
        }
    }};
}
#[cfg(target_arch = "aarch64")]
macro_rules! put {
    ($c:ident, $hole:ident, $value:expr) => {{
        let v: u64 = $value;
        unsafe {
            asm!("movz {3}, #:abs_g0:{1}", "str {2}, [{0}, {3}]", in(reg) $c, sym $hole, in(reg) v, out(reg) _,
                options(nostack, preserves_flags));
        }
    }};
}

/// The 64 bits of a hole.
#[cfg(target_arch = "x86_64")]
macro_rules! constant {
    ($hole:ident) => {{
        let r: u64;
        unsafe { asm!("movabs {0}, offset {1}", out(reg) r, sym $hole, options(pure, nomem, nostack, preserves_flags)) };
        r
    }};
}
#[cfg(target_arch = "aarch64")]
macro_rules! constant {
    ($hole:ident) => {{
        let r: u64;
        unsafe {
            asm!("movz {0}, #:abs_g0_nc:{1}", "movk {0}, #:abs_g1_nc:{1}", "movk {0}, #:abs_g2_nc:{1}", "movk {0}, #:abs_g3:{1}",
                out(reg) r, sym $hole, options(pure, nomem, nostack, preserves_flags));
        }
        r
    }};
}

macro_rules! stencil {
    ($name:expr, |$c:ident, $row:ident, $rows:ident, $kept:ident, $a:ident, $z:ident| $body:expr) => {
        const _: () = {
            #[unsafe(export_name = $name)]
            unsafe extern "C" fn stencil($c: Frame, $row: u64, $rows: u64, $kept: u64, $a: u64, $z: u64) -> u64 {
                unsafe { $body }
            }
        };
    };
}

/// Whether the row is NULL in the bitmap at `words`.
#[inline(always)]
unsafe fn null(words: u64, row: u64) -> u64 {
    unsafe { *(words as *const u64).add((row >> 6) as usize) >> (row & 63) & 1 }
}

trait Word {
    fn word(self) -> u64;
}
macro_rules! word_of {
    ($($ty:ident |$v:ident| $word:expr;)*) => {$(impl Word for $ty {
        #[inline(always)]
        fn word(self) -> u64 { let $v = self; $word }
    })*};
}
word_of! {
    u8 |v| u64::from(v);
    u32 |v| u64::from(v);
    i16 |v| v as i64 as u64;
    i32 |v| v as i64 as u64;
    i64 |v| v as u64;
    f32 |v| f64::from(v).to_bits();
    f64 |v| v.to_bits();
}

#[inline(always)]
unsafe fn value<T: Word + Copy>(data: u64, row: u64) -> u64 {
    unsafe { (*(data as *const T).add(row as usize)).word() }
}

macro_rules! columns {
    ($($name:ident $form:ident $ty:ident;)*) => {$(
        stencil!(concat!("load_", stringify!($name)), |c, row, rows, kept, _a, _z| {
            K_NEXT(c, row, rows, kept, value::<$ty>(word!(c, H_0), row), null(word!(c, H_1), row))
        });
        stencil!(concat!("full_", stringify!($name)), |c, row, rows, kept, _a, _z| {
            K_NEXT(c, row, rows, kept, value::<$ty>(word!(c, H_0), row), 0)
        });
    )*};
}
column_forms!(columns);

macro_rules! right_column {
    ($op:ident $($name:ident $ty:ident)*) => {$(
        stencil!(concat!(stringify!($op), "_load_", stringify!($name)), |c, row, rows, kept, a, z| {
            let (b, y) = (value::<$ty>(word!(c, H_0), row), null(word!(c, H_1), row));
            let (v, bad) = bodies::$op(a, b);
            if bad && (z | y) == 0 { K_FAIL(c, row, rows, kept, v, z) } else { K_NEXT(c, row, rows, kept, v, z | y) }
        });
        stencil!(concat!(stringify!($op), "_full_", stringify!($name)), |c, row, rows, kept, a, z| {
            let (v, bad) = bodies::$op(a, value::<$ty>(word!(c, H_0), row));
            if bad && z == 0 { K_FAIL(c, row, rows, kept, v, z) } else { K_NEXT(c, row, rows, kept, v, z) }
        });
    )*};
}

macro_rules! right {
    ($op:ident int) => { right_column!($op i16 i16 i32 i32 i64 i64); };
    ($op:ident float) => { right_column!($op f32 f32 f64 f64); };
}

macro_rules! binary {
    ($($op:ident $name:ident $kind:ident;)*) => {$(
        stencil!(concat!(stringify!($op), "_slot"), |c, row, rows, kept, a, z| {
            let (x, y) = (word!(c, H_0), word!(c, H_1));
            let (v, bad) = bodies::$op(x, a);
            if bad && (z | y) == 0 { K_FAIL(c, row, rows, kept, v, z) } else { K_NEXT(c, row, rows, kept, v, z | y) }
        });
        stencil!(concat!(stringify!($op), "_constant"), |c, row, rows, kept, a, z| {
            let (v, bad) = bodies::$op(a, constant!(H_0));
            if bad && z == 0 { K_FAIL(c, row, rows, kept, v, z) } else { K_NEXT(c, row, rows, kept, v, z) }
        });
        right!($op $kind);
    )*};
}
binary_operations!(binary);

macro_rules! unary {
    ($($op:ident $name:ident;)*) => {$(
        stencil!(stringify!($op), |c, row, rows, kept, a, z| {
            let (v, bad) = bodies::$op(a);
            if bad && z == 0 { K_FAIL(c, row, rows, kept, v, z) } else { K_NEXT(c, row, rows, kept, v, z) }
        });
    )*};
}
unary_operations!(unary);

macro_rules! choice {
    ($($op:ident $name:ident;)*) => {$(
        stencil!(concat!(stringify!($op), "_slot"), |c, row, rows, kept, a, z| {
            let (x, y) = (word!(c, H_0), word!(c, H_1));
            let (v, _) = bodies::$op(x, a);
            let v = if z == 1 { x } else if y == 1 { a } else { v };
            K_NEXT(c, row, rows, kept, v, z & y)
        });
    )*};
}
choices!(choice);

macro_rules! fold {
    ($($op:ident $name:ident;)*) => {$(
        stencil!(stringify!($op), |c, row, rows, kept, a, z| {
            let (x, y) = bodies::$op(word!(c, H_0), word!(c, H_1), a, z);
            put!(c, H_0, x);
            put!(c, H_1, y);
            K_NEXT(c, row, rows, kept, a, z)
        });
    )*};
}
folds!(fold);

stencil!("constant", |c, row, rows, kept, _a, _z| K_NEXT(c, row, rows, kept, constant!(H_0), 0));
stencil!("absent", |c, row, rows, kept, _a, _z| K_NEXT(c, row, rows, kept, 0, 1));
stencil!("null_of", |c, row, rows, kept, _a, _z| K_NEXT(c, row, rows, kept, null(word!(c, H_1), row), 0));
stencil!("restore", |c, row, rows, kept, _a, _z| K_NEXT(c, row, rows, kept, word!(c, H_0), word!(c, H_1)));
stencil!("save", |c, row, rows, kept, a, z| {
    put!(c, H_0, a);
    put!(c, H_1, z);
    K_NEXT(c, row, rows, kept, a, z)
});

// Three-valued logic; the value of NULL is not looked at.
stencil!("and_slot", |c, row, rows, kept, a, z| {
    let (x, y) = (word!(c, H_0), word!(c, H_1));
    let decided = (!a & !z) | (!x & !y);
    K_NEXT(c, row, rows, kept, !decided & 1, (z | y) & !decided & 1)
});
stencil!("or_slot", |c, row, rows, kept, a, z| {
    let (x, y) = (word!(c, H_0), word!(c, H_1));
    let decided = (a & !z) | (x & !y);
    K_NEXT(c, row, rows, kept, decided & 1, (z | y) & !decided & 1)
});
stencil!("not", |c, row, rows, kept, a, z| K_NEXT(c, row, rows, kept, a ^ 1, z));
stencil!("is_null", |c, row, rows, kept, _a, z| K_NEXT(c, row, rows, kept, z, 0));
stencil!("is_true", |c, row, rows, kept, a, z| K_NEXT(c, row, rows, kept, a & !z & 1, 0));
stencil!("is_false", |c, row, rows, kept, a, z| K_NEXT(c, row, rows, kept, !a & !z & 1, 0));
stencil!("jump", |c, row, rows, kept, a, z| K_JUMP(c, row, rows, kept, a, z));
stencil!("jump_unless_true", |c, row, rows, kept, a, z| {
    if a & !z & 1 == 0 { K_JUMP(c, row, rows, kept, a, z) } else { K_NEXT(c, row, rows, kept, a, z) }
});
stencil!("jump_if_false", |c, row, rows, kept, a, z| {
    if (a | z) & 1 == 0 { K_JUMP(c, row, rows, kept, a, z) } else { K_NEXT(c, row, rows, kept, a, z) }
});
stencil!("jump_if_true", |c, row, rows, kept, a, z| {
    if a & !z & 1 == 1 { K_JUMP(c, row, rows, kept, a, z) } else { K_NEXT(c, row, rows, kept, a, z) }
});
stencil!("jump_unless_null", |c, row, rows, kept, a, z| {
    if z == 0 { K_JUMP(c, row, rows, kept, a, z) } else { K_NEXT(c, row, rows, kept, a, z) }
});

// Whether a word is in a list: at the frame's word, so many words.
stencil!("in_list", |c, row, rows, kept, a, z| {
    let (list, len) = (word!(c, H_0) as *const u64, constant!(H_1));
    let (mut i, mut hit) = (0, 0);
    while i < len {
        hit |= u64::from(*list.add(i as usize) == a);
        i += 1;
    }
    K_NEXT(c, row, rows, kept, hit, z)
});
// The same for rising lists.
stencil!("in_rising_list", |c, row, rows, kept, a, z| {
    let (list, mut len) = (word!(c, H_0) as *const i64, constant!(H_1));
    let mut base = list;
    while len > 1 {
        let half = len / 2;
        // No processor would predict which half it is.
        let upper = base.add(half as usize);
        base = core::hint::select_unpredictable(*upper <= a as i64, upper, base);
        len -= half;
    }
    K_NEXT(c, row, rows, kept, u64::from(*base == a as i64), z)
});

// The same for lists whose values lie close together: the least of them, then a bit for each value from there on, of so many.
stencil!("in_set", |c, row, rows, kept, a, z| {
    let (set, bits) = (word!(c, H_0) as *const u64, constant!(H_1));
    let at = a.wrapping_sub(*set);
    let is_inside = at < bits;
    // Where it lies outside, any word will do.
    let place = core::hint::select_unpredictable(is_inside, at, 0);
    let hit = *set.add(1 + (place >> 6) as usize) >> (place & 63) & 1;
    K_NEXT(c, row, rows, kept, hit & u64::from(is_inside), z)
});

// The value that a table has for a word: the least word that it is about, then a value, and whether that is NULL, for each from there on, of so many; last what
// all others, and NULL, have.
stencil!("pick", |c, row, rows, kept, a, z| {
    let (table, count) = (word!(c, H_0) as *const u64, constant!(H_1));
    let at = a.wrapping_sub(*table);
    let is_inside = (at < count) & (z == 0);
    let place = core::hint::select_unpredictable(is_inside, at, count);
    let found = table.add(1 + 2 * place as usize);
    K_NEXT(c, row, rows, kept, *found, *found.add(1))
});

// Whether a word is among those of a given list, which may be a set, have a NULL, or be NULL itself (`WordList`).
stencil!("among", |c, row, rows, kept, a, z| {
    let (list, info) = (word!(c, H_0) as *const u64, word!(c, H_1));
    let (len, unknown) = (info >> 2, info & 1);
    let hit = if info & 2 != 0 {
        let at = a.wrapping_sub(*list);
        let is_inside = at < len;
        let place = core::hint::select_unpredictable(is_inside, at, 0);
        *list.add(1 + (place >> 6) as usize) >> (place & 63) & u64::from(is_inside)
    } else {
        let (mut base, mut len) = (list as *const i64, len);
        while len > 1 {
            let half = len / 2;
            let upper = base.add(half as usize);
            base = core::hint::select_unpredictable(*upper <= a as i64, upper, base);
            len -= half;
        }
        u64::from(*base == a as i64) & len
    };
    let z = if len == 0 { unknown } else { z | (!hit & unknown) };
    K_NEXT(c, row, rows, kept, hit, z)
});

// Calls something: a word says what, and which slots are its arguments.
stencil!("call", |c, row, rows, kept, _a, _z| {
    type Helper = unsafe extern "C" fn(Frame, u64, u64) -> u64;
    let words = c as *const u64;
    let helper = core::mem::transmute::<u64, Helper>(*words.add(header::HELPER));
    let z = helper(c, constant!(H_0), row);
    let a = *words.add(header::RESULT);
    if z == header::SUSPECT { K_FAIL(c, row, rows, kept, a, z) } else { K_NEXT(c, row, rows, kept, a, z) }
});

// What becomes of a row's value: it is put where the frame says, zero where it is NULL; then comes the next row.
macro_rules! emit {
    ($($name:ident |$a:ident| $value:expr, $ty:ty;)*) => {$(
        stencil!(concat!("emit_", stringify!($name)), |c, row, rows, kept, a, z| {
            let $a = a & z.wrapping_sub(1);
            *(word!(c, H_0) as *mut $ty).add(row as usize) = $value;
            let nulls = (word!(c, H_1) as *mut u64).add((row >> 6) as usize);
            *nulls |= z << (row & 63);
            let row = row + 1;
            if row < rows { K_JUMP(c, row, rows, kept, a, z) } else { K_NEXT(c, row, rows, kept, a, z) }
        });
    )*};
}
emit! {
    bool |a| a as u8 & 1, u8;
    i16 |a| a as i16, i16;
    i32 |a| a as i32, i32;
    i64 |a| a as i64, i64;
    u32 |a| a as u32, u32;
    f32 |a| f64::from_bits(a) as f32, f32;
    f64 |a| f64::from_bits(a), f64;
}
// A filter lists the rows for which the value is true.
stencil!("emit_kept", |c, row, rows, kept, a, z| {
    *(word!(c, H_0) as *mut u32).add(kept as usize) = row as u32;
    let kept = kept + (a & !z & 1);
    let row = row + 1;
    if row < rows { K_JUMP(c, row, rows, kept, a, z) } else { K_NEXT(c, row, rows, kept, a, z) }
});

// What is folded is in the frame already.
stencil!("emit_nothing", |c, row, rows, kept, a, z| {
    let row = row + 1;
    if row < rows { K_JUMP(c, row, rows, kept, a, z) } else { K_NEXT(c, row, rows, kept, a, z) }
});

#[unsafe(export_name = "done")]
unsafe extern "C" fn done(_c: Frame, _row: u64, _rows: u64, kept: u64) -> u64 {
    kept
}
// A row that is suspect: all that is known is which.
#[unsafe(export_name = "suspect")]
unsafe extern "C" fn suspect(_c: Frame, row: u64) -> u64 {
    !row
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
