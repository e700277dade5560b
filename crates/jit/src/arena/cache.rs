//! Caches of instructions: where they do not see what is written as data, they are told. Source: Arm Architecture Reference Manual, B2.7 (self-modifying code).

/// Whether they have to be told.
pub const IS_SEPARATE: bool = cfg!(target_arch = "aarch64");

/// Lets code be run at `run` whose `len` bytes were written at `write`.
///
/// # Safety
/// Both are mapped, `len` bytes, and can be read.
#[cfg(target_arch = "aarch64")]
pub unsafe fn synchronize(write: *const u8, run: *const u8, len: usize) {
    use std::arch::asm;

    let types: u64;
    // SAFETY: reads a register that programs may read.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) types, options(nomem, nostack, preserves_flags)) };
    // Words of the smallest lines, as powers of two.
    let (data, code) = (4usize << (types >> 16 & 15), 4usize << (types & 15));
    let lines = |at: *const u8, line: usize| (at.addr() & !(line - 1)..at.addr() + len).step_by(line);
    for line in lines(write, data) {
        // SAFETY: writes back a line that is mapped, as the caller says.
        unsafe { asm!("dc cvau, {}", in(reg) line, options(nostack, preserves_flags)) };
    }
    // SAFETY: waits until that is done.
    unsafe { asm!("dsb ish", options(nostack, preserves_flags)) };
    for line in lines(run, code) {
        // SAFETY: a line of instructions that is mapped is forgotten, by all processors.
        unsafe { asm!("ic ivau, {}", in(reg) line, options(nostack, preserves_flags)) };
    }
    // SAFETY: waits until that is done, and forgets what this processor has read ahead.
    unsafe { asm!("dsb ish", "isb", options(nostack, preserves_flags)) };
}

/// Nothing: what is written is seen.
///
/// # Safety
/// There is nothing to be said.
#[cfg(not(target_arch = "aarch64"))]
pub unsafe fn synchronize(_: *const u8, _: *const u8, _: usize) {}
