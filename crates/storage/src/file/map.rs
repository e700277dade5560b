//! `PageMap`: page number to slot, as it is now and as the durable superblock knows it.
//!
//! A leaf is one slot: `"HMAP" | db u32 | leaf index u32 | crc32 u32 | 1020 entries u32`. The checksum covers all but itself. An entry is
//! `slot << 1 | class`; 0 is none.

use std::collections::{BTreeSet, HashMap};

use super::{DataFile, SLOT_BYTES};
use crate::buffer::PageClass;
use crate::error::{Error, Result};
use crate::ids::{DbId, PageNo, Slot};

const LEAF_HEADER_BYTES: usize = 16;
/// Entries in one leaf.
pub const LEAF_ENTRIES: usize = (SLOT_BYTES - LEAF_HEADER_BYTES) / 4;
const LEAF_MAGIC: &[u8; 4] = b"HMAP";
const LEAF_CRC_AT: usize = 12;

/// Where a page lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MapEntry(u32);

impl MapEntry {
    /// A page of `class` at `slot`.
    pub fn new(slot: Slot, class: PageClass) -> MapEntry {
        MapEntry(slot.0 << 1 | class as u32)
    }

    /// Its slot.
    pub fn slot(self) -> Slot {
        Slot(self.0 >> 1)
    }

    /// Its size.
    pub fn class(self) -> PageClass {
        if self.0 & 1 == 0 { PageClass::Small } else { PageClass::Large }
    }

    /// Slots it takes.
    pub fn slot_count(self) -> u32 {
        (self.class().bytes() / SLOT_BYTES) as u32
    }
}

/// The map of one database.
#[derive(Default)]
pub struct PageMap {
    /// Newest place of each page; 0 is none.
    current: Vec<u32>,
    /// What the durable superblock names.
    durable: Vec<u32>,
    /// What the checkpoint under way will name; 0 takes the page out.
    pending: HashMap<u32, u32>,
    /// Slots of the leaves that the durable superblock names.
    leaves: Vec<Slot>,
}

/// What a checkpoint wrote of a map, to be kept or given up.
pub struct MapWrite {
    /// Slots of all leaves after it.
    pub leaves: Vec<Slot>,
    fresh: Vec<Slot>,
    replaced: Vec<Slot>,
}

/// Checksum of a leaf, without the field it goes to.
fn leaf_checksum(leaf: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&leaf[..LEAF_CRC_AT]);
    hasher.update(&leaf[LEAF_HEADER_BYTES..]);
    hasher.finalize()
}

fn entry(v: u32) -> Option<MapEntry> {
    (v != 0).then_some(MapEntry(v))
}

fn slot_mut(map: &mut Vec<u32>, page: PageNo) -> &mut u32 {
    let i = page.0 as usize;
    if map.len() <= i {
        map.resize(i + 1, 0);
    }
    &mut map[i]
}

impl PageMap {
    /// Reads the leaves of a map and notes all its slots as used.
    ///
    /// # Errors
    /// `Io`; `Damaged`.
    pub fn load(data: &DataFile, db: DbId, leaves: Vec<Slot>) -> Result<PageMap> {
        let mut durable = Vec::with_capacity(leaves.len() * LEAF_ENTRIES);
        let mut bytes = vec![0; SLOT_BYTES];
        for (index, &slot) in leaves.iter().enumerate() {
            if slot.0 == 0 {
                durable.resize((index + 1) * LEAF_ENTRIES, 0);
                continue;
            }
            data.read(slot, &mut bytes)?;
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
            let named = &bytes[..4] == LEAF_MAGIC && word(4) == db.0 && word(8) == index as u32;
            if !named || word(LEAF_CRC_AT) != leaf_checksum(&bytes) {
                return Err(Error::Damaged(format!(
                    "page map leaf {index} of database {db} at slot {slot} is damaged"
                )));
            }
            durable.extend((0..LEAF_ENTRIES).map(|i| word(LEAF_HEADER_BYTES + 4 * i)));
        }
        let map = PageMap { current: durable.clone(), durable, pending: HashMap::new(), leaves };
        map.reference_all(data);
        Ok(map)
    }

    /// Notes one reference to every slot that the durable map names.
    fn reference_all(&self, data: &DataFile) {
        let mut slots = data.slots().lock();
        for e in self.durable.iter().filter_map(|&v| entry(v)) {
            slots.reference(e.slot(), e.slot_count());
        }
        for leaf in self.leaves() {
            slots.reference(leaf, 1);
        }
    }

    /// A second map of the same pages, sharing every slot. Both must be quiet: nothing pending, nothing in working copies.
    pub fn fork(&self, data: &DataFile) -> PageMap {
        let map = PageMap {
            current: self.durable.clone(),
            durable: self.durable.clone(),
            pending: HashMap::new(),
            leaves: vec![Slot(0); self.leaves.len()],
        };
        // The leaves carry the database's number, so the fork writes its own.
        map.reference_all(data);
        map
    }

    /// Whether all pages are where the durable superblock says.
    pub fn is_quiet(&self) -> bool {
        self.pending.is_empty() && self.current == self.durable
    }

    /// Gives up every reference, when the database is dropped.
    pub fn release_all(&mut self, data: &DataFile) {
        let mut slots = data.slots().lock();
        for (i, &v) in self.current.iter().enumerate() {
            if v != self.durable.get(i).copied().unwrap_or(0)
                && let Some(e) = entry(v)
            {
                slots.free(e.slot(), e.slot_count());
            }
        }
        for e in self.durable.iter().filter_map(|&v| entry(v)) {
            slots.free(e.slot(), e.slot_count());
        }
        for leaf in self.leaves() {
            slots.free(leaf, 1);
        }
        *self = PageMap::default();
    }

    /// Where `page` is now.
    pub fn current(&self, page: PageNo) -> Option<MapEntry> {
        self.current.get(page.0 as usize).and_then(|&v| entry(v))
    }

    /// Pages that have a place.
    pub fn pages(&self) -> impl Iterator<Item = (PageNo, MapEntry)> + '_ {
        self.current.iter().enumerate().filter_map(|(i, &v)| Some((PageNo(i as u32), entry(v)?)))
    }

    /// Slots of the leaves that the durable superblock names.
    pub fn leaves(&self) -> impl Iterator<Item = Slot> + '_ {
        self.leaves.iter().copied().filter(|l| l.0 != 0)
    }

    /// Whether the newest content of `page` is a working copy that a crash would lose.
    pub fn is_volatile(&self, page: PageNo) -> bool {
        let i = page.0 as usize;
        let current = self.current.get(i).copied().unwrap_or(0);
        current != self.durable.get(i).copied().unwrap_or(0) && self.pending.get(&page.0) != Some(&current)
    }

    /// Moves `page` to `entry`; answers the entry that nobody names any more.
    #[must_use]
    pub fn set_current(&mut self, page: PageNo, new: MapEntry) -> Option<MapEntry> {
        self.replace_current(page, new.0)
    }

    fn replace_current(&mut self, page: PageNo, new: u32) -> Option<MapEntry> {
        let old = std::mem::replace(slot_mut(&mut self.current, page), new);
        let named = self.durable.get(page.0 as usize) == Some(&old) || self.pending.get(&page.0) == Some(&old);
        if named || old == new { None } else { entry(old) }
    }

    /// Says that the checkpoint under way will name `entry` for `page`; answers an entry that it named before in vain.
    #[must_use]
    pub fn set_pending(&mut self, page: PageNo, new: MapEntry) -> Option<MapEntry> {
        let old = self.pending.insert(page.0, new.0)?;
        let current = self.current.get(page.0 as usize) == Some(&old);
        if current || old == new.0 { None } else { entry(old) }
    }

    /// Takes `page` out; answers the entry that nobody names any more.
    #[must_use]
    pub fn remove(&mut self, page: PageNo) -> Vec<MapEntry> {
        let mut garbage: Vec<MapEntry> = self.replace_current(page, 0).into_iter().collect();
        let durable = self.durable.get(page.0 as usize).copied().unwrap_or(0);
        let old = if durable == 0 { self.pending.remove(&page.0) } else { self.pending.insert(page.0, 0) };
        garbage.extend(old.and_then(entry).filter(|e| e.0 != durable && !garbage.contains(e)));
        garbage
    }

    /// Writes the leaves that the pending changes touch.
    ///
    /// # Errors
    /// `DiskFull` or `Io`: nothing changed.
    pub fn write_leaves(&self, data: &DataFile, db: DbId) -> Result<MapWrite> {
        let mut touched: BTreeSet<usize> = self.pending.keys().map(|&p| p as usize / LEAF_ENTRIES).collect();
        // A fork has no leaves of its own yet.
        for (i, leaf) in self.leaves.iter().enumerate() {
            let range = i * LEAF_ENTRIES..((i + 1) * LEAF_ENTRIES).min(self.durable.len());
            if leaf.0 == 0 && self.durable[range].iter().any(|&v| v != 0) {
                touched.insert(i);
            }
        }
        let mut write = MapWrite { leaves: self.leaves.clone(), fresh: Vec::new(), replaced: Vec::new() };
        for index in touched {
            let mut bytes = vec![0u8; SLOT_BYTES];
            bytes[..4].copy_from_slice(LEAF_MAGIC);
            bytes[4..8].copy_from_slice(&db.0.to_le_bytes());
            bytes[8..12].copy_from_slice(&(index as u32).to_le_bytes());
            for i in 0..LEAF_ENTRIES {
                let page = index * LEAF_ENTRIES + i;
                let v = match self.pending.get(&(page as u32)) {
                    Some(&v) => v,
                    None => self.durable.get(page).copied().unwrap_or(0),
                };
                let at = LEAF_HEADER_BYTES + 4 * i;
                bytes[at..at + 4].copy_from_slice(&v.to_le_bytes());
            }
            let crc = leaf_checksum(&bytes);
            bytes[LEAF_CRC_AT..LEAF_HEADER_BYTES].copy_from_slice(&crc.to_le_bytes());
            match data.write_new(&bytes) {
                Ok(slot) => {
                    if write.leaves.len() <= index {
                        write.leaves.resize(index + 1, Slot(0));
                    }
                    let old = std::mem::replace(&mut write.leaves[index], slot);
                    write.fresh.push(slot);
                    write.replaced.extend((old.0 != 0).then_some(old));
                }
                Err(e) => {
                    write.give_up(data);
                    return Err(e);
                }
            }
        }
        Ok(write)
    }

    /// The superblock that names `write` is durable: old slots are free now (F3).
    pub fn install(&mut self, data: &DataFile, write: MapWrite) {
        let mut slots = data.slots().lock();
        for (page, new) in self.pending.drain() {
            let old = std::mem::replace(slot_mut(&mut self.durable, PageNo(page)), new);
            let current = self.current.get(page as usize).copied().unwrap_or(0);
            if old != new
                && old != current
                && let Some(e) = entry(old)
            {
                slots.free(e.slot(), e.slot_count());
            }
        }
        for leaf in write.replaced {
            slots.free(leaf, 1);
        }
        self.leaves = write.leaves;
    }

    /// The checkpoint failed: forget what it was going to name.
    pub fn abandon(&mut self, data: &DataFile) {
        let pending = std::mem::take(&mut self.pending);
        for (page, v) in pending {
            if v == 0 {
                // The page stays taken out; the next checkpoint must say so again.
                self.pending.insert(page, 0);
                continue;
            }
            if self.current.get(page as usize) != Some(&v)
                && let Some(e) = entry(v)
            {
                data.slots().lock().free(e.slot(), e.slot_count());
            }
        }
    }
}

impl MapWrite {
    /// Frees what was written in vain.
    pub fn give_up(&mut self, data: &DataFile) {
        for leaf in self.fresh.drain(..) {
            data.slots().lock().free(leaf, 1);
        }
    }
}
