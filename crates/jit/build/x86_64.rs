//! Stencils of x86-64: data holes of 64 bits and direct jumps (`code-model=medium`), for the oldest processor; tiles for those with AVX2.

use object::{Relocation, elf};

use super::patch::{Patch, What};
use super::{Gate, Stencil, continuation, hole, kind};

pub const OPTIONS: [&str; 2] = ["code-model=medium", "target-cpu=x86-64"];
/// What processors need for tiles: `src/tile.rs` asks for these.
pub const TILE_FEATURES: &str = "target-feature=+avx2,+bmi1,+bmi2,+popcnt";
pub const GATE: Gate = Gate { what, falls };

/// `jmp rel32`.
const JUMP: u8 = 0xE9;

fn what(name: &str, code: &[u8], at: u64, relocation: &Relocation, to: &str) -> What {
    let (at, kind) = (at as usize, kind(name, relocation));
    if let Some(what) = continuation(to) {
        let jumps = code[at - 1] == JUMP || (at > 1 && code[at - 2] == 0x0F && code[at - 1] & 0xF0 == 0x80);
        assert!(matches!(kind, elf::R_X86_64_PLT32 | elf::R_X86_64_PC32), "{name}: {to} by relocation {kind}");
        assert!(relocation.addend() == -4 && jumps, "{name}: {to} is not jumped to");
        return what;
    }
    let hole = hole(to).unwrap_or_else(|| panic!("{name}: a relocation of {to:?}"));
    assert_eq!(relocation.addend(), 0, "{name}: {to}");
    match kind {
        elf::R_X86_64_64 => What::Word(hole),
        elf::R_X86_64_32 | elf::R_X86_64_32S => What::Offset(hole),
        other => panic!("{name}: {to} by relocation {other}"),
    }
}

fn falls(stencil: &mut Stencil) -> bool {
    let Stencil { code, patches, .. } = stencil;
    let end = code.len();
    let is_reached = end >= 5 && may_be_reached(code, patches, end - 5);
    // `jcc NEXT; jmp OTHER` falls through once the condition is turned around, unless others jump to the second too.
    if let [.., a, b] = &mut patches[..]
        && a.what == What::Next
        && (a.at + 4, b.at + 4) == (end - 5, end)
        && code[a.at - 2] == 0x0F
        && !is_reached
    {
        code[a.at - 1] ^= 1;
        std::mem::swap(&mut a.what, &mut b.what);
    }
    patches.last().is_some_and(|p| p.what == What::Next && p.at + 4 == end && code[p.at - 1] == JUMP)
}

/// Whether something that looks like a jump within the code goes to `to`.
fn may_be_reached(code: &[u8], patches: &[Patch], to: usize) -> bool {
    let goes_there = |next: usize, distance: i64| next as i64 + distance == to as i64;
    let short =
        |(at, w): (usize, &[u8])| matches!(w[0], 0x70..=0x7F | 0xEB) && goes_there(at + 2, i64::from(w[1] as i8));
    let near = |(at, w): (usize, &[u8])| {
        let distance = w[1..].first_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes));
        let is_open = patches.iter().any(|p| p.at == at + 1);
        !is_open && matches!(w[0], JUMP | 0x80..=0x8F) && goes_there(at + 5, i64::from(distance))
    };
    code.windows(2).enumerate().any(short) || code.windows(5).enumerate().any(near)
}
