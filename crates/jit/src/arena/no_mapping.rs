//! `Mapping` where no memory is executable: there is none.

use super::Memory;

/// None.
pub enum Mapping {}

impl Mapping {
    /// None.
    pub fn new(_: Memory) -> Option<Mapping> {
        None
    }

    /// Never.
    pub fn align(&self) -> usize {
        match *self {}
    }

    /// Never.
    pub fn can_reuse(&self) -> bool {
        match *self {}
    }

    /// Never.
    pub fn run(&self, _: usize) -> *const u8 {
        match *self {}
    }

    /// Never.
    ///
    /// # Safety
    /// It cannot be called.
    pub unsafe fn write(&self, _: usize, _: &[u8]) -> bool {
        match *self {}
    }

    /// Never.
    pub fn forget(&self, _: bool) -> bool {
        match *self {}
    }
}
