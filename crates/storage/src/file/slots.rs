//! `SlotAllocator`: which slots of the data file are free. Rebuilt from the maps when the file is opened.

use std::collections::HashMap;

use super::RESERVED_SLOTS;
use crate::ids::Slot;

/// A bitmap of used slots, and counts for those that more than one map names.
#[derive(Default)]
pub struct SlotAllocator {
    used: Vec<u64>,
    /// References beyond the first.
    shared: HashMap<u32, u32>,
    /// Where the search for runs of 1, 4 and 16 slots goes on.
    hints: [usize; 3],
    free: u64,
}

impl SlotAllocator {
    /// All free but the reserved ones.
    pub fn new() -> SlotAllocator {
        let mut slots = SlotAllocator::default();
        for slot in 0..RESERVED_SLOTS {
            slots.mark(slot);
        }
        slots
    }

    fn is_used(&self, slot: u32) -> bool {
        self.used.get(slot as usize / 64).is_some_and(|w| w >> (slot % 64) & 1 == 1)
    }

    fn mark(&mut self, slot: u32) {
        let word = slot as usize / 64;
        if self.used.len() <= word {
            self.free += 64 * (word + 1 - self.used.len()) as u64;
            self.used.resize(word + 1, 0);
        }
        self.used[word] |= 1 << (slot % 64);
        self.free -= 1;
    }

    /// Notes one more reference to the run of `count` slots at `slot`.
    pub fn reference(&mut self, slot: Slot, count: u32) {
        if self.is_used(slot.0) {
            *self.shared.entry(slot.0).or_default() += 1;
        } else {
            for s in slot.0..slot.0 + count {
                self.mark(s);
            }
        }
    }

    /// Drops one reference to the run of `count` slots at `slot`; the last one frees it.
    pub fn free(&mut self, slot: Slot, count: u32) {
        if let Some(extra) = self.shared.get_mut(&slot.0) {
            *extra -= 1;
            if *extra == 0 {
                self.shared.remove(&slot.0);
            }
            return;
        }
        for s in slot.0..slot.0 + count {
            assert!(self.is_used(s), "I1: slot {s} freed twice");
            self.used[s as usize / 64] &= !(1 << (s % 64));
            self.free += 1;
        }
        let kind = kind_of(count);
        self.hints[kind] = self.hints[kind].min(slot.0 as usize / 64);
    }

    /// A run of `count` slots, aligned to `count` when that is 1, 4 or 16; `None` when the file is as large as it may get.
    pub fn allocate(&mut self, count: u32) -> Option<Slot> {
        let slot = match count {
            1 | 4 | 16 => self.find_aligned(count),
            _ => self.find_run(count),
        };
        if slot.checked_add(count)? > 1 << 31 {
            return None;
        }
        for s in slot..slot + count {
            self.mark(s);
        }
        Some(Slot(slot))
    }

    fn find_aligned(&mut self, count: u32) -> u32 {
        let mask = if count == 64 { u64::MAX } else { (1u64 << count) - 1 };
        let kind = kind_of(count);
        for word in self.hints[kind]..self.used.len() {
            let bits = self.used[word];
            if bits == u64::MAX {
                continue;
            }
            for shift in (0..64).step_by(count as usize) {
                if bits >> shift & mask == 0 {
                    self.hints[kind] = word;
                    return (word * 64 + shift) as u32;
                }
            }
        }
        self.hints[kind] = self.used.len();
        (self.used.len() * 64) as u32
    }

    fn find_run(&self, count: u32) -> u32 {
        let mut run = 0;
        let end = (self.used.len() * 64) as u32;
        for slot in 0..end {
            run = if self.is_used(slot) { 0 } else { run + 1 };
            if run == count {
                return slot + 1 - count;
            }
        }
        end - run
    }

    /// Slots the file needs to hold everything, and how many of them are free.
    pub fn usage(&self) -> (u64, u64) {
        (self.used.len() as u64 * 64, self.free)
    }
}

fn kind_of(count: u32) -> usize {
    match count {
        1 => 0,
        4 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_aligned_disjoint_and_reused() {
        let mut slots = SlotAllocator::new();
        let mut seen = std::collections::HashSet::new();
        let mut runs = Vec::new();
        for i in 0..200 {
            let count = [1, 4, 16, 7][i % 4];
            let run = slots.allocate(count).unwrap();
            assert!(run.0 >= RESERVED_SLOTS);
            assert!(count == 7 || run.0.is_multiple_of(count));
            for s in run.0..run.0 + count {
                assert!(seen.insert(s), "slot {s} given twice");
            }
            runs.push((run, count));
        }
        let (before, _) = slots.usage();
        for (run, count) in runs.drain(..) {
            slots.free(run, count);
        }
        for i in 0..200 {
            slots.allocate([1, 4, 16, 7][i % 4]).unwrap();
        }
        assert!(slots.usage().0 <= before + 64);
    }

    #[test]
    fn a_shared_run_is_freed_with_its_last_reference() {
        let mut slots = SlotAllocator::new();
        let run = slots.allocate(4).unwrap();
        slots.reference(run, 4);
        slots.free(run, 4);
        assert_ne!(slots.allocate(4), Some(run));
        slots.free(run, 4);
        assert_eq!(slots.allocate(4), Some(run));
    }
}
