//! `Chains`: the newest change of each slot of a page that was changed.
//!
//! Most pages have a few: these are a list, and the first one takes no allocation.

use std::collections::HashMap;

use hashbrown::DefaultHashBuilder;
use smallvec::SmallVec;

use super::Version;

/// More than so many are found by hashing.
const FEW: usize = 8;

/// Changes by slot.
#[derive(Debug)]
pub(super) enum Chains {
    /// Looked through one by one.
    Few(SmallVec<[(u16, Version); 1]>),
    /// More.
    Many(HashMap<u16, Version, DefaultHashBuilder>),
}

impl Default for Chains {
    fn default() -> Chains {
        Chains::Few(SmallVec::new())
    }
}

impl Chains {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        match self {
            Chains::Few(list) => list.len(),
            Chains::Many(map) => map.len(),
        }
    }

    /// The newest change of `slot`.
    #[inline]
    pub fn get(&self, slot: u16) -> Option<&Version> {
        match self {
            Chains::Few(list) => list.iter().find(|c| c.0 == slot).map(|c| &c.1),
            Chains::Many(map) => map.get(&slot),
        }
    }

    /// As [`Chains::get`], to change.
    #[inline]
    pub fn get_mut(&mut self, slot: u16) -> Option<&mut Version> {
        match self {
            Chains::Few(list) => list.iter_mut().find(|c| c.0 == slot).map(|c| &mut c.1),
            Chains::Many(map) => map.get_mut(&slot),
        }
    }

    /// Adds the first change of `slot`.
    #[inline]
    pub fn insert(&mut self, slot: u16, version: Version) {
        self.reserve(1);
        match self {
            Chains::Few(list) => list.push((slot, version)),
            Chains::Many(map) => drop(map.insert(slot, version)),
        }
    }

    /// Takes out the changes of `slot`.
    pub fn remove(&mut self, slot: u16) -> Option<Version> {
        match self {
            Chains::Few(list) => {
                let at = list.iter().position(|c| c.0 == slot)?;
                Some(list.swap_remove(at).1)
            }
            Chains::Many(map) => map.remove(&slot),
        }
    }

    /// Makes room for `count` more.
    #[inline]
    pub fn reserve(&mut self, count: usize) {
        match self {
            Chains::Few(list) if list.len() + count > FEW => {
                let mut map = HashMap::with_capacity_and_hasher(list.len() + count, DefaultHashBuilder::default());
                map.extend(list.drain(..));
                *self = Chains::Many(map);
            }
            Chains::Few(_) => {}
            Chains::Many(map) => map.reserve(count),
        }
    }

    /// All slots with their newest change.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &Version)> {
        let (few, many) = match self {
            Chains::Few(list) => (Some(list.iter()), None),
            Chains::Many(map) => (None, Some(map.iter())),
        };
        let few = few.into_iter().flatten().map(|(slot, version)| (*slot, version));
        few.chain(many.into_iter().flatten().map(|(slot, version)| (*slot, version)))
    }

    /// Keeps those for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(u16, &mut Version) -> bool) {
        match self {
            Chains::Few(list) => list.retain(|(slot, version)| keep(*slot, version)),
            Chains::Many(map) => map.retain(|slot, version| keep(*slot, version)),
        }
    }
}
