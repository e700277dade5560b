//! `Extents`: the first page of each of a relation's extents, read by every access to a block without a latch.

use std::sync::atomic::{AtomicU32, Ordering};

use env::sync::RwLock;

use crate::ids::PageNo;

/// So many extents are read without a latch: 22 Ki pages, 1.4 GB of a table.
const FAST: usize = 32;

/// A list that only grows, and whose entries recovery may overwrite.
pub struct Extents {
    /// First pages plus one; 0 is none.
    fast: [AtomicU32; FAST],
    rest: RwLock<Vec<PageNo>>,
}

impl Extents {
    /// A list of `starts`.
    pub fn new(starts: &[PageNo]) -> Extents {
        let extents = Extents { fast: std::array::from_fn(|_| AtomicU32::new(0)), rest: RwLock::new(Vec::new()) };
        starts.iter().enumerate().for_each(|(index, &start)| extents.set(index, start));
        extents
    }

    /// The first page of extent `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<PageNo> {
        match self.fast.get(index) {
            Some(entry) => entry.load(Ordering::Acquire).checked_sub(1).map(PageNo),
            None => self.rest.read().get(index - FAST).copied(),
        }
    }

    /// Sets the first page of extent `index`; recovery may come by one before those below it.
    pub fn set(&self, index: usize, start: PageNo) {
        for below in self.fast.iter().take(index) {
            // Not known yet: as good as any other until it is.
            let _ = below.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire);
        }
        match self.fast.get(index) {
            Some(entry) => entry.store(start.0 + 1, Ordering::Release),
            None => {
                let mut rest = self.rest.write();
                if rest.len() <= index - FAST {
                    rest.resize(index - FAST + 1, PageNo(0));
                }
                rest[index - FAST] = start;
            }
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self.fast.iter().position(|e| e.load(Ordering::Acquire) == 0) {
            Some(count) => count,
            None => FAST + self.rest.read().len(),
        }
    }

    /// All of them.
    pub fn all(&self) -> Vec<PageNo> {
        (0..self.len()).filter_map(|index| self.get(index)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list() {
        let extents = Extents::new(&[]);
        assert_eq!((extents.len(), extents.get(0), extents.get(FAST)), (0, None, None));
        let starts: Vec<PageNo> = (0..100).map(|i| PageNo(i * 7)).collect();
        for (index, &start) in starts.iter().enumerate() {
            extents.set(index, start);
            assert_eq!(extents.len(), index + 1);
        }
        assert_eq!(extents.all(), starts);
        assert_eq!(Extents::new(&starts[..FAST]).all(), starts[..FAST]);
        extents.set(3, PageNo(0));
        extents.set(FAST + 3, PageNo(5));
        assert_eq!((extents.get(3), extents.get(FAST + 3), extents.get(100)), (Some(PageNo(0)), Some(PageNo(5)), None));
    }

    #[test]
    fn those_below_the_first_one_set_count_too() {
        let extents = Extents::new(&[]);
        extents.set(2, PageNo(9));
        assert_eq!(extents.all(), [PageNo(0), PageNo(0), PageNo(9)]);
        extents.set(0, PageNo(4));
        assert_eq!(extents.all(), [PageNo(4), PageNo(0), PageNo(9)]);
    }
}
