//! `Patch`: a place in a stencil's code that is filled; and the digest of a table. The build script and the crate both have this file.

/// What a place is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "each processor has some of them")]
pub enum What {
    /// 64 bits of a hole.
    Word(u8),
    /// A hole that is an offset into the frame.
    Offset(u8),
    /// 16 bits of a hole, the lowest being part 0, in an instruction.
    Part(u8, u8),
    /// The distance to the next step.
    Next,
    /// The distance to where the step jumps.
    Jump,
    /// The distance to where suspect rows go.
    Fail,
}

/// A place to fill.
#[derive(Clone, Copy, Debug)]
pub struct Patch {
    pub at: usize,
    pub what: What,
}

/// A number that tells whether these are the stencils that were built: names, code, patches, and whether they fall through (FNV-1a).
pub fn digest<'s>(stencils: impl Iterator<Item = (&'s str, &'s [u8], &'s [Patch], bool)>) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    for (name, code, patches, falls) in stencils {
        for part in [name.as_bytes(), code] {
            (part.len() as u32).to_le_bytes().into_iter().chain(part.iter().copied()).for_each(&mut add);
        }
        for patch in patches {
            let what = match patch.what {
                What::Word(hole) => [0, hole, 0],
                What::Offset(hole) => [1, hole, 0],
                What::Part(hole, part) => [2, hole, part],
                What::Next => [3, 0, 0],
                What::Jump => [4, 0, 0],
                What::Fail => [5, 0, 0],
            };
            (patch.at as u32).to_le_bytes().into_iter().chain(what).for_each(&mut add);
        }
        add(u8::from(falls));
    }
    hash
}
