//! `Given`: what a run gets beside its columns; and `WordList`.

use crate::call::Calls;
use crate::column::Input;
use crate::program::set_of;

/// The inputs and lists of a run, and who knows what it calls.
#[derive(Clone, Copy, Default)]
pub struct Given<'g> {
    /// At least as many as the program has.
    pub inputs: &'g [Input],
    /// As many as the program looks into; with fewer, it is not run to its end.
    pub lists: &'g [WordList],
    /// Without, a program that calls something is not run to its end.
    pub calls: Option<&'g dyn Calls>,
}

impl<'g> From<&'g [Input]> for Given<'g> {
    fn from(inputs: &'g [Input]) -> Given<'g> {
        Given { inputs, ..Given::default() }
    }
}

impl<'g, const N: usize> From<&'g [Input; N]> for Given<'g> {
    fn from(inputs: &'g [Input; N]) -> Given<'g> {
        Given::from(&inputs[..])
    }
}

/// Values that are known when a program runs; it looks whether a word is among them, as `= ANY` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordList {
    /// Rising as signed numbers; or the least, then a bit for each value from there on ([`set_of`]). Never empty.
    words: Vec<u64>,
    info: u64,
}

/// What the info of a list says; the stencils know this too. Above these bits, how many words or bits there are.
const UNKNOWN: u64 = 1;
const IS_SET: u64 = 2;
const LEN_SHIFT: u32 = 2;

impl WordList {
    /// Of these, where none is a NULL among them.
    pub fn new(values: impl IntoIterator<Item = Input>) -> WordList {
        let mut unknown = 0;
        let known = |value: Input| {
            unknown |= u64::from(value.is_none());
            value
        };
        let mut words: Vec<u64> = values.into_iter().filter_map(known).collect();
        if let Some(set) = set_of(&words) {
            let bits = 64 * (set.len() as u64 - 1);
            return WordList { words: set, info: bits << LEN_SHIFT | IS_SET | unknown };
        }
        words.sort_unstable_by_key(|&w| w as i64);
        let len = words.len() as u64;
        if words.is_empty() {
            words.push(0);
        }
        WordList { words, info: len << LEN_SHIFT | unknown }
    }

    /// The list that is NULL itself: nobody knows whether anything is among it.
    pub fn null() -> WordList {
        WordList { words: vec![0], info: UNKNOWN }
    }

    /// Where it lies, and what it is.
    pub(crate) fn parts(&self) -> (*const u64, u64) {
        (self.words.as_ptr(), self.info)
    }

    /// Whether lanes can hold what it is compared with, as `fits` says of a word; lists have at most so many then.
    pub(crate) fn fits(&self, len_max: usize, fits: impl Fn(u64) -> bool) -> bool {
        let len = self.info >> LEN_SHIFT;
        if self.info & IS_SET == 0 {
            return len <= len_max as u64 && self.words.iter().all(|&word| fits(word));
        }
        // Beyond, a difference of lanes would come around.
        let last = (self.words[0] as i64).checked_add(len as i64);
        fits(self.words[0]) && last.is_some_and(|last| fits(last as u64))
    }

    /// Whether a value is among them, if anybody knows.
    pub(crate) fn has(&self, value: Input) -> Input {
        let (len, is_unknown) = ((self.info >> LEN_SHIFT) as usize, self.info & UNKNOWN == UNKNOWN);
        if len == 0 {
            return (!is_unknown).then_some(0);
        }
        let word = value?;
        let is_there = if self.info & IS_SET == IS_SET {
            let at = word.wrapping_sub(self.words[0]);
            self.words.get((1 + at / 64) as usize).is_some_and(|w| at < len as u64 && w >> (at % 64) & 1 == 1)
        } else {
            self.words.binary_search_by_key(&(word as i64), |&w| w as i64).is_ok()
        };
        if is_there { Some(1) } else { (!is_unknown).then_some(0) }
    }
}
