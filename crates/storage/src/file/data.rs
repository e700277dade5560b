//! `DataFile`: slots and blobs; `DbFile`: one database's pages in it.

use std::sync::Arc;

use env::File;
use env::sync::Mutex;

use super::SLOT_BYTES;
use super::map::{MapEntry, PageMap};
use super::slots::SlotAllocator;
use super::superblock::BlobRef;
use crate::buffer::{PageClass, PageSource};
use crate::error::{Error, Result};
use crate::ids::{DbId, PageNo, Slot};
use crate::page;
use crate::poison::Poison;

/// The data file of one cluster.
pub struct DataFile {
    file: Arc<dyn File>,
    slots: Mutex<SlotAllocator>,
    poison: Arc<Poison>,
}

impl DataFile {
    /// Wraps an open file.
    pub fn new(file: Arc<dyn File>, poison: Arc<Poison>) -> DataFile {
        DataFile { file, slots: Mutex::new(SlotAllocator::new()), poison }
    }

    /// The file.
    pub fn file(&self) -> &dyn File {
        &*self.file
    }

    /// Which slots are free.
    pub fn slots(&self) -> &Mutex<SlotAllocator> {
        &self.slots
    }

    /// Makes earlier writes durable; failure poisons (I10).
    ///
    /// # Errors
    /// `Poisoned`.
    pub fn sync(&self) -> Result<()> {
        self.file.sync().map_err(|e| self.poison.set(&format!("the data file could not be synced: {e}")))
    }

    /// Writes `bytes` to a fresh run of slots.
    ///
    /// # Errors
    /// `DiskFull` or `Io`; the slots are free again.
    pub fn write_new(&self, bytes: &[u8]) -> Result<Slot> {
        self.poison.check()?;
        let count = bytes.len().div_ceil(SLOT_BYTES) as u32;
        let slot = self.slots.lock().allocate(count).ok_or(Error::DiskFull)?;
        let outcome = self.file.write_all_at(bytes, u64::from(slot.0) * SLOT_BYTES as u64);
        if let Err(e) = outcome {
            self.slots.lock().free(slot, count);
            return Err(Error::io("write the data file")(e));
        }
        Ok(slot)
    }

    /// Reads from a slot on.
    ///
    /// # Errors
    /// `Io`.
    pub fn read(&self, slot: Slot, bytes: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(bytes, u64::from(slot.0) * SLOT_BYTES as u64).map_err(Error::io("read the data file"))
    }

    /// Writes a blob to fresh slots.
    ///
    /// # Errors
    /// As [`DataFile::write_new`].
    pub fn write_blob(&self, bytes: &[u8]) -> Result<BlobRef> {
        Ok(BlobRef { slot: self.write_new(bytes)?, bytes: bytes.len() as u32, crc: crc32fast::hash(bytes) })
    }

    /// Frees the slots of a blob.
    pub fn free_blob(&self, blob: BlobRef) {
        if blob.slots() > 0 {
            self.slots.lock().free(blob.slot, blob.slots());
        }
    }

    /// Reads a blob.
    ///
    /// # Errors
    /// `Io`; `Damaged` when its checksum does not match.
    pub fn read_blob(&self, blob: BlobRef) -> Result<Vec<u8>> {
        let mut bytes = vec![0; blob.bytes as usize];
        self.read(blob.slot, &mut bytes)?;
        if crc32fast::hash(&bytes) != blob.crc {
            return Err(Error::Damaged(format!("blob at slot {} does not match its checksum", blob.slot)));
        }
        Ok(bytes)
    }
}

/// One database's pages in the data file.
pub struct DbFile {
    db: DbId,
    data: Arc<DataFile>,
    map: Mutex<PageMap>,
}

impl DbFile {
    /// The pages that `map` names.
    pub fn new(db: DbId, data: Arc<DataFile>, map: PageMap) -> DbFile {
        DbFile { db, data, map: Mutex::new(map) }
    }

    /// The page map.
    pub fn map(&self) -> &Mutex<PageMap> {
        &self.map
    }

    /// The file.
    pub fn data(&self) -> &Arc<DataFile> {
        &self.data
    }

    /// Seals `image` and writes it to a fresh slot. The map is not told.
    ///
    /// # Errors
    /// `DiskFull` or `Io`.
    pub fn write_image(&self, page: PageNo, image: &mut [u8]) -> Result<MapEntry> {
        page::seal(image, self.db, page);
        let class = if image.len() == PageClass::Small.bytes() { PageClass::Small } else { PageClass::Large };
        Ok(MapEntry::new(self.data.write_new(image)?, class))
    }

    /// Frees the slot of `entry`.
    pub fn free(&self, entry: MapEntry) {
        self.data.slots().lock().free(entry.slot(), entry.slot_count());
    }

    /// Makes `entry` the current place of `page`; a working copy it replaces is freed (F2).
    pub fn set_current(&self, page: PageNo, entry: MapEntry) {
        if let Some(garbage) = self.map.lock().set_current(page, entry) {
            self.free(garbage);
        }
    }
}

impl PageSource for DbFile {
    fn read_page(&self, page: PageNo, bytes: &mut [u8]) -> Result<()> {
        let Some(entry) = self.map.lock().current(page) else {
            return Err(Error::Corrupt { db: self.db, page, what: "it is not in the page map".to_owned() });
        };
        if entry.class().bytes() != bytes.len() {
            return Err(Error::Corrupt { db: self.db, page, what: "it has another size".to_owned() });
        }
        self.data.read(entry.slot(), bytes)?;
        page::verify(bytes, self.db, page)
    }

    fn write_back(&self, page: PageNo, bytes: &mut [u8]) -> Result<()> {
        let entry = self.write_image(page, bytes)?;
        self.set_current(page, entry);
        Ok(())
    }

    fn spill(&self, bytes: &[u8]) -> Result<BlobRef> {
        self.data.write_blob(bytes)
    }

    fn unspill(&self, blob: BlobRef) -> Result<Vec<u8>> {
        self.data.read_blob(blob)
    }

    fn forget_spilled(&self, blob: BlobRef) {
        self.data.free_blob(blob);
    }
}
