//! `HeldLocks`: the locks a transaction took, in order; found fast whether they are three or a million.

use std::collections::HashSet;

use hashbrown::DefaultHashBuilder;

use crate::lock::{Mode, Tag};

/// So many are looked through one by one.
const FEW: usize = 16;

/// Locks, oldest first.
#[derive(Default)]
pub struct HeldLocks {
    list: Vec<(Tag, Mode)>,
    /// All of `list`, once they are more than a few.
    set: HashSet<(Tag, Mode), DefaultHashBuilder>,
}

impl HeldLocks {
    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether this lock is among them.
    #[inline]
    pub fn contains(&self, lock: (Tag, Mode)) -> bool {
        if self.list.len() <= FEW { self.list.contains(&lock) } else { self.set.contains(&lock) }
    }

    /// Adds one that is not among them.
    #[inline]
    pub fn push(&mut self, lock: (Tag, Mode)) {
        self.list.push(lock);
        if self.list.len() == FEW + 1 {
            self.set.extend(self.list.iter().copied());
        } else if self.list.len() > FEW {
            self.set.insert(lock);
        }
    }

    /// Takes out those after the first `count`, newest first.
    #[inline]
    pub fn drain_from(&mut self, count: usize) -> impl Iterator<Item = (Tag, Mode)> + use<'_> {
        if self.list.len() > FEW {
            if count <= FEW {
                // Memory of a large transaction is not kept for the small ones after it.
                self.set = HashSet::default();
            } else {
                self.list[count..].iter().for_each(|lock| {
                    self.set.remove(lock);
                });
            }
        }
        self.list.drain(count..).rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DbId;

    #[test]
    fn locks_are_found_whether_few_or_many() {
        let lock = |i: u32| (Tag::Relation(DbId(1), i), Mode::Share);
        let mut held = HeldLocks::default();
        let mut expected: Vec<u32> = Vec::new();
        for (add, keep) in [(5, 3), (13, 16), (1, 17), (60, 40), (10, 17), (0, 16), (30, 2), (100, 0)] {
            for _ in 0..add {
                let next = expected.last().map_or(0, |l| l + 1);
                assert!(!held.contains(lock(next)));
                held.push(lock(next));
                expected.push(next);
            }
            let keep = keep.min(expected.len());
            let gone: Vec<_> = held.drain_from(keep).collect();
            let wanted: Vec<_> = expected.drain(keep..).rev().map(lock).collect();
            assert_eq!(gone, wanted);
            assert_eq!(held.len(), keep);
            assert!(expected.iter().all(|&i| held.contains(lock(i))));
            assert!(wanted.iter().all(|&l| !held.contains(l)));
        }
    }
}
