//! Stencils of x86-64: data holes of 64 bits and direct jumps (`code-model=medium`), for the oldest processor.

use object::{Relocation, elf};

use super::patch::What;
use super::{Gate, Stencil, continuation, hole, kind};

pub const OPTIONS: [&str; 2] = ["code-model=medium", "target-cpu=x86-64"];
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
    // `jcc NEXT; jmp OTHER` falls through once the condition is turned around.
    if let [.., a, b] = &mut patches[..]
        && a.what == What::Next
        && (a.at + 4, b.at + 4) == (end - 5, end)
        && code[a.at - 2] == 0x0F
    {
        code[a.at - 1] ^= 1;
        std::mem::swap(&mut a.what, &mut b.what);
    }
    patches.last().is_some_and(|p| p.what == What::Next && p.at + 4 == end && code[p.at - 1] == JUMP)
}
