//! Calls: what a program leaves to whoever runs it, row by row; and how code comes to them.
//!
//! Code reaches a call through its frame: a function of the C ABI, which finds there what to call, and leaves the value there. Nothing unwinds through code: a
//! panic is caught, the row is suspect, and the panic goes on where the code was entered (J10).

pub mod header;

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::column::Input;
use crate::program::Site;
use crate::provider::Suspect;
use crate::rows::Rows;

/// Whoever knows what a program calls.
pub trait Calls {
    /// The value of a call for a row, given those of the slots that are its arguments.
    ///
    /// # Errors
    /// When only those who raise errors can tell (J3).
    fn call(&self, site: u32, row: usize, args: &[Argument]) -> Result<Input, Suspect>;
}

/// An argument: a slot, as it lies in a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Argument {
    pub(crate) word: u64,
    /// 1 if it is NULL, else 0.
    pub(crate) null: u64,
}

impl Argument {
    /// Its word; none where it is NULL.
    pub fn value(self) -> Input {
        (self.null == 0).then_some(self.word)
    }
}

const _: () = assert!(size_of::<Argument>() == 16 && align_of::<Argument>() == align_of::<u64>());

/// Sites, slots and arguments are numbers of so many bits.
const SITE_BITS: u32 = 24;
const ARGS_BITS: u32 = 16;

impl Site {
    /// Whether its numbers fit into a word.
    pub(crate) fn fits(self) -> bool {
        self.number >> SITE_BITS == 0 && self.first >> SITE_BITS == 0 && self.args >> ARGS_BITS == 0
    }

    pub(crate) fn to_word(self) -> u64 {
        u64::from(self.number) | u64::from(self.first) << SITE_BITS | u64::from(self.args) << (2 * SITE_BITS)
    }

    fn from_word(word: u64) -> Site {
        let part = |low: u32, bits: u32| (word >> low) as u32 & ((1 << bits) - 1);
        Site { number: part(0, SITE_BITS), first: part(SITE_BITS, SITE_BITS), args: part(2 * SITE_BITS, ARGS_BITS) }
    }
}

/// What a run's calls need, while its code runs.
pub struct Callee<'a, 'r> {
    rows: &'a Rows<'r>,
    /// Where the frame's slots start, in words.
    slots: usize,
    panic: Cell<Option<Box<dyn Any + Send>>>,
}

impl<'a, 'r> Callee<'a, 'r> {
    pub fn new(rows: &'a Rows<'r>, slots: usize) -> Callee<'a, 'r> {
        Callee { rows, slots, panic: Cell::new(None) }
    }

    /// Puts where calls go into a frame.
    pub fn enter(&self, words: &mut [u64]) {
        words[header::HELPER] = (helper as *const ()).expose_provenance() as u64;
        words[header::CALLEE] = std::ptr::from_ref(self).expose_provenance() as u64;
    }

    /// Goes on with the panic of a call, if one did.
    pub fn leave(self) {
        if let Some(panic) = self.panic.into_inner() {
            resume_unwind(panic);
        }
    }
}

/// Does a call of code for `row`: [`header::VALUE`], [`header::NULL`] or [`header::SUSPECT`].
///
/// # Safety
/// `frame` is that of the code that calls it, which has the slots of `site`, and a [`Callee`] that is still there.
unsafe extern "C" fn helper(frame: *mut u64, site: u64, row: u64) -> u64 {
    let site = Site::from_word(site);
    // SAFETY: the callee's address is in the frame (`enter`), and it is there until the code has returned, as the caller says.
    let callee = unsafe {
        let address = *frame.add(header::CALLEE) as usize;
        &*std::ptr::with_exposed_provenance::<Callee<'_, '_>>(address)
    };
    // SAFETY: the slots are in the frame, as the caller says: two words each, the value and whether it is NULL. Code writes them between calls only.
    let args = unsafe {
        let first = frame.add(callee.slots + 2 * site.first as usize);
        std::slice::from_raw_parts(first.cast::<Argument>(), site.args as usize)
    };
    let (answer, word) = match catch_unwind(AssertUnwindSafe(|| callee.rows.call(site.number, row as usize, args))) {
        Ok(Ok(Some(word))) => (header::VALUE, word),
        Ok(Ok(None)) => (header::NULL, 0),
        Ok(Err(Suspect)) => (header::SUSPECT, 0),
        Err(panic) => {
            callee.panic.set(Some(panic));
            (header::SUSPECT, 0)
        }
    };
    // SAFETY: the frame has that word.
    unsafe { *frame.add(header::RESULT) = word };
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_word() {
        let max = Site { number: (1 << 24) - 1, first: (1 << 24) - 1, args: (1 << 16) - 1 };
        for site in [max, Site { number: 1, first: 2, args: 3 }, Site { number: 0, ..max }, Site { first: 0, ..max }] {
            assert!(site.fits());
            assert_eq!(Site::from_word(site.to_word()), site);
        }
        for site in [Site { number: 1 << 24, ..max }, Site { first: 1 << 24, ..max }, Site { args: 1 << 16, ..max }] {
            assert!(!site.fits());
        }
    }
}
