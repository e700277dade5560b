//! How holes and distances are written into code: the two processors' ways.
#![allow(dead_code, reason = "one of the two ways is used")]

#[cfg(target_arch = "aarch64")]
pub use aarch64::{JUMP_BYTES, distance, hole};
#[cfg(not(target_arch = "aarch64"))]
pub use x86_64::{JUMP_BYTES, distance, hole};

use crate::patch::What;

mod x86_64 {
    use super::What;

    /// A jump to the next step at the end of a stencil.
    pub const JUMP_BYTES: usize = 5;

    /// Fills the place at `at`, which is a hole; `None` where the value does not fit.
    pub fn hole(code: &mut [u8], at: usize, what: What, holes: [u64; 2]) -> Option<()> {
        match what {
            What::Word(hole) => code[at..at + 8].copy_from_slice(&holes[hole as usize].to_le_bytes()),
            What::Offset(hole) => {
                let offset = i32::try_from(holes[hole as usize]).ok()?;
                code[at..at + 4].copy_from_slice(&offset.to_le_bytes());
            }
            _ => return None,
        }
        Some(())
    }

    /// Writes the distance from behind the four bytes at `at` to `to`.
    pub fn distance(code: &mut [u8], at: usize, to: usize) -> Option<()> {
        let distance = i32::try_from(to as i64 - (at as i64 + 4)).ok()?;
        code[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        Some(())
    }
}

mod aarch64 {
    use super::What;

    /// A jump to the next step at the end of a stencil.
    pub const JUMP_BYTES: usize = 4;

    /// Fills the place at `at`, which is a hole; `None` where the value does not fit.
    pub fn hole(code: &mut [u8], at: usize, what: What, holes: [u64; 2]) -> Option<()> {
        let part = match what {
            What::Part(hole, part) => (holes[hole as usize] >> (16 * part)) as u16,
            What::Offset(hole) => u16::try_from(holes[hole as usize]).ok()?,
            _ => return None,
        };
        set(code, at, 0xFFFF << 5, u32::from(part) << 5);
        Some(())
    }

    /// Makes the jump at `at` one to `to`.
    pub fn distance(code: &mut [u8], at: usize, to: usize) -> Option<()> {
        let words = i32::try_from((to as i64 - at as i64) / 4).ok()?;
        if !(-(1 << 25)..1 << 25).contains(&words) {
            return None;
        }
        set(code, at, 0x03FF_FFFF, words as u32 & 0x03FF_FFFF);
        Some(())
    }

    /// Sets these bits of an instruction.
    fn set(code: &mut [u8], at: usize, mask: u32, bits: u32) {
        if let Some(bytes) = code[at..].first_chunk_mut() {
            *bytes = (u32::from_le_bytes(*bytes) & !mask | bits).to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_bytes_on_x86_64() {
        let mut code = [0x90; 12];
        x86_64::hole(&mut code, 2, What::Word(1), [0, 0x1122_3344_5566_7788]).unwrap();
        assert_eq!(code[2..10], [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
        x86_64::hole(&mut code, 0, What::Offset(0), [0x1234, 0]).unwrap();
        assert_eq!(code[..4], [0x34, 0x12, 0, 0]);
        assert!(x86_64::hole(&mut code, 0, What::Offset(0), [1 << 31, 0]).is_none());
        x86_64::distance(&mut code, 5, 0).unwrap();
        assert_eq!(code[5..9], (-9i32).to_le_bytes());
        assert_eq!((code[4], code[10..].to_vec()), (0x66, vec![0x90; 2]));
    }

    #[test]
    fn words_become_parts_of_instructions_on_aarch64() {
        // movz x9, #0; movk x9, #0, lsl 48; b .
        let mut code = [0xD280_0009_u32, 0xF2E0_0009, 0x1400_0000].map(u32::to_le_bytes).concat();
        let instructions =
            |code: &[u8]| code.chunks(4).map(|c| u32::from_le_bytes(c.try_into().unwrap())).collect::<Vec<_>>();
        aarch64::hole(&mut code, 0, What::Part(0, 0), [0xABCD_0000_0000_1234, 0]).unwrap();
        aarch64::hole(&mut code, 4, What::Part(0, 3), [0xABCD_0000_0000_1234, 0]).unwrap();
        aarch64::distance(&mut code, 8, 0).unwrap();
        assert_eq!(instructions(&code), [0xD280_0009 | 0x1234 << 5, 0xF2E0_0009 | 0xABCD << 5, 0x17FF_FFFE]);
        aarch64::hole(&mut code, 0, What::Offset(1), [0, 0xFFF8]).unwrap();
        aarch64::distance(&mut code, 8, 16).unwrap();
        assert_eq!(instructions(&code), [0xD280_0009 | 0xFFF8 << 5, 0xF2E0_0009 | 0xABCD << 5, 0x1400_0002]);
        assert!(aarch64::hole(&mut code, 0, What::Offset(0), [1 << 16, 0]).is_none());
        assert!(aarch64::distance(&mut code, 8, 8 + (1 << 27)).is_none());
    }
}
