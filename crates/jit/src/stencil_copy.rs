//! `StencilCopy`: stencils one behind the other, with their holes and distances filled.

use crate::encode::{self, JUMP_BYTES};
use crate::patch::What;
use crate::program::Label;
use crate::stencil::Stencil;

/// The code of a program, as bytes that may lie anywhere, and how many stencils it is made of.
pub struct Assembly {
    pub code: Vec<u8>,
    pub stencils: usize,
}

/// Code that is not complete yet.
pub struct StencilCopy {
    code: Vec<u8>,
    stencils: usize,
    /// Where labels are.
    labels: Vec<(Label, usize)>,
    /// Distances that are not known yet: where, and to what.
    open: Vec<(usize, Target)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Label(Label),
    Suspect,
}

/// Where a step jumps.
#[derive(Clone, Copy)]
pub enum Jump {
    /// To the first step, for the next rows.
    Back,
    To(Label),
}

impl StencilCopy {
    pub fn with_capacity(bytes: usize) -> StencilCopy {
        StencilCopy { code: Vec::with_capacity(bytes), stencils: 0, labels: Vec::new(), open: Vec::new() }
    }

    /// What comes next has this label.
    pub fn here(&mut self, label: Label) {
        self.labels.push((label, self.code.len()));
    }

    /// Copies a stencil and fills its holes; `None` where a value does not fit into its hole.
    pub fn put(&mut self, stencil: &Stencil, holes: [u64; 2], jump: Option<Jump>) -> Option<()> {
        let base = self.code.len();
        let len = stencil.code.len() - if stencil.falls { JUMP_BYTES } else { 0 };
        self.code.extend_from_slice(&stencil.code[..len]);
        self.stencils += 1;
        for patch in stencil.patches.iter().filter(|p| p.at < len) {
            let at = base + patch.at;
            match patch.what {
                What::Next => encode::distance(&mut self.code, at, base + len)?,
                What::Fail => self.open.push((at, Target::Suspect)),
                What::Jump => match jump? {
                    Jump::Back => encode::distance(&mut self.code, at, 0)?,
                    Jump::To(label) => self.open.push((at, Target::Label(label))),
                },
                hole => encode::hole(&mut self.code, at, hole, holes)?,
            }
        }
        Some(())
    }

    /// Ends with what is done after the last rows, and what is done with those that are suspect.
    pub fn finish(mut self, done: &Stencil, suspect: &Stencil) -> Option<Assembly> {
        self.put(done, [0; 2], None)?;
        let end = self.code.len();
        self.put(suspect, [0; 2], None)?;
        for (at, target) in std::mem::take(&mut self.open) {
            let to = match target {
                Target::Suspect => end,
                Target::Label(label) => self.labels.iter().find(|l| l.0 == label)?.1,
            };
            encode::distance(&mut self.code, at, to)?;
        }
        Some(Assembly { code: self.code, stencils: self.stencils })
    }
}
