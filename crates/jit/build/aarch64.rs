//! Stencils of aarch64: holes are parts of 16 bits (`movz` and `movk`), continuations are `b`; what is conditional jumps around it.

use object::{Relocation, elf};

use super::patch::What;
use super::{Gate, Stencil, continuation, hole, kind};

pub const OPTIONS: [&str; 2] = ["code-model=small", "target-cpu=generic"];
pub const GATE: Gate = Gate { what, falls };

fn instruction(code: &[u8], at: usize) -> u32 {
    code[at..].first_chunk().map(|bytes| u32::from_le_bytes(*bytes)).expect("instructions have four bytes")
}

fn is_jump(instruction: u32) -> bool {
    instruction >> 26 == 0b000101
}

fn what(name: &str, code: &[u8], at: u64, relocation: &Relocation, to: &str) -> What {
    let (kind, instruction) = (kind(name, relocation), instruction(code, at as usize));
    assert_eq!(relocation.addend(), 0, "{name}: {to}");
    if let Some(what) = continuation(to) {
        assert_eq!(kind, elf::R_AARCH64_JUMP26, "{name}: {to}");
        assert!(is_jump(instruction), "{name}: {to} is not jumped to");
        return what;
    }
    let hole = hole(to).unwrap_or_else(|| panic!("{name}: a relocation of {to:?}"));
    // `movz` of a whole number below 65,536 is checked for overflow; parts of a word are not, but its highest.
    let (what, shift) = match kind {
        elf::R_AARCH64_MOVW_UABS_G0 => (What::Offset(hole), 0),
        elf::R_AARCH64_MOVW_UABS_G0_NC => (What::Part(hole, 0), 0),
        elf::R_AARCH64_MOVW_UABS_G1_NC => (What::Part(hole, 1), 1),
        elf::R_AARCH64_MOVW_UABS_G2_NC => (What::Part(hole, 2), 2),
        elf::R_AARCH64_MOVW_UABS_G3 => (What::Part(hole, 3), 3),
        other => panic!("{name}: {to} by relocation {other}"),
    };
    // 64-bit `movz` or `movk` with that shift and nothing in it.
    let is_move = matches!(instruction >> 23, 0b110100101 | 0b111100101);
    assert!(is_move && instruction >> 21 & 3 == shift && instruction >> 5 & 0xFFFF == 0, "{name}: {instruction:#x}");
    what
}

/// Where a conditional or unconditional jump within the code goes; and the bit that turns its condition around.
fn inner_jump(instruction: u32, at: usize) -> Option<(usize, u32)> {
    let field = |bits: u32, low: u32| i64::from((instruction << (32 - bits - low)) as i32 >> (32 - bits)) * 4;
    let (distance, turned) = match instruction {
        // `b.cond`; those that are always taken cannot be turned around.
        i if i & 0xFF00_0010 == 0x5400_0000 => (field(19, 5), if i & 0xE == 0xE { 0 } else { 1 }),
        // `cbz`, `cbnz`.
        i if i & 0x7E00_0000 == 0x3400_0000 => (field(19, 5), 1 << 24),
        // `tbz`, `tbnz`.
        i if i & 0x7E00_0000 == 0x3600_0000 => (field(14, 5), 1 << 24),
        i if is_jump(i) => (field(26, 0), 0),
        _ => return None,
    };
    Some((usize::try_from(at as i64 + distance).ok()?, turned))
}

fn falls(stencil: &mut Stencil) -> bool {
    let Stencil { code, patches, .. } = stencil;
    let end = code.len();
    // `jump around; b NEXT; around: b OTHER` falls through once the condition is turned around, unless others jump there too.
    if let [.., a, b] = &mut patches[..]
        && a.what == What::Next
        && (a.at + 8, b.at + 4) == (end, end)
        && let Some(around) = a.at.checked_sub(4)
    {
        let to_last: Vec<(usize, u32)> = (0..end)
            .step_by(4)
            .filter(|at| ![a.at, b.at].contains(at))
            .filter_map(|at| Some((at, inner_jump(instruction(code, at), at)?)))
            .filter(|(_, (to, _))| *to == b.at)
            .map(|(at, (_, turned))| (at, turned))
            .collect();
        if let [(at, turned)] = to_last[..]
            && at == around
            && turned != 0
        {
            let instruction = instruction(code, at) ^ turned;
            code[at..at + 4].copy_from_slice(&instruction.to_le_bytes());
            std::mem::swap(&mut a.what, &mut b.what);
        }
    }
    patches.last().is_some_and(|p| p.what == What::Next && p.at + 4 == end)
}
