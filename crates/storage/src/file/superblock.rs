//! The two superblocks: the roots of everything.
//!
//! ```text
//!   0          8         12     16           24         32        36       40      44
//!   | "HATHIDB1" | format | life | generation | redo lsn | blob slot | bytes | crc32 | crc32 of bytes 0..44 |
//! ```

use env::File;

use super::{DataFile, SLOT_BYTES};
use crate::codec::{Put, Take};
use crate::error::{Error, Result};
use crate::ids::{Lsn, Slot};

const MAGIC: &[u8; 8] = b"HATHIDB1";
/// The format of files that this version writes and reads.
pub const FORMAT_VERSION: u32 = 5;
const LENGTH: usize = 44;

/// A blob: bytes in a run of slots, too irregular for pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlobRef {
    /// First slot; zero: no blob.
    pub slot: Slot,
    /// Length.
    pub bytes: u32,
    /// Checksum.
    pub crc: u32,
}

impl BlobRef {
    /// Slots it takes.
    pub fn slots(&self) -> u32 {
        (self.bytes as usize).div_ceil(SLOT_BYTES) as u32
    }

    /// Appends it to a blob or superblock.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u32(self.slot.0);
        out.put_u32(self.bytes);
        out.put_u32(self.crc);
    }

    /// The inverse of [`BlobRef::encode`].
    ///
    /// # Errors
    /// `Damaged` when the bytes end early.
    pub fn decode(t: &mut Take<'_>) -> Result<BlobRef> {
        Ok(BlobRef { slot: Slot(t.u32()?), bytes: t.u32()?, crc: t.u32()? })
    }
}

/// A root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// How often the cluster was opened.
    pub life: u32,
    /// Counts superblocks written.
    pub generation: u64,
    /// Where recovery starts to read the log.
    pub redo: Lsn,
    /// The cluster blob.
    pub cluster: BlobRef,
}

impl Superblock {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SLOT_BYTES);
        out.extend_from_slice(MAGIC);
        out.put_u32(FORMAT_VERSION);
        out.put_u32(self.life);
        out.put_u64(self.generation);
        out.put_u64(self.redo.0);
        self.cluster.encode(&mut out);
        assert_eq!(out.len(), LENGTH, "as the diagram says");
        let crc = crc32fast::hash(&out);
        out.put_u32(crc);
        out.resize(SLOT_BYTES, 0);
        out
    }

    /// The superblock in `bytes`; `None` when there is none or a damaged one.
    fn decode(bytes: &[u8]) -> Result<Option<Superblock>> {
        let (record, rest) = bytes.split_at(LENGTH);
        let (crc, rest) = rest.split_at(4);
        if &record[..8] != MAGIC || crc != crc32fast::hash(record).to_le_bytes() || rest.iter().any(|&b| b != 0) {
            return Ok(None);
        }
        let mut t = Take(&record[8..]);
        let version = t.u32()?;
        // What versions 2 to 4 wrote is read as it is.
        if !(2..=FORMAT_VERSION).contains(&version) {
            return Err(Error::Version(version));
        }
        let life = t.u32()?;
        Ok(Some(Superblock { life, generation: t.u64()?, redo: Lsn(t.u64()?), cluster: BlobRef::decode(&mut t)? }))
    }

    /// Writes it where the superblock before the last one was. Not durable before the file is synced.
    ///
    /// # Errors
    /// `Io`.
    pub fn write(&self, file: &dyn File) -> Result<()> {
        let at = (self.generation % 2) * SLOT_BYTES as u64;
        file.write_all_at(&self.encode(), at).map_err(Error::io("write the superblock"))
    }
}

/// The newest superblock (F1); `None` for a file that has none yet: both are blank.
///
/// A power cut leaves the one being written whole, old or new, since it lies in one sector. So one that is there but not valid is rot,
/// and so is a blank one where a later generation has been: it may have been the newer, and to go on from the older would lose what
/// was committed since.
///
/// # Errors
/// `Io`; `Version`; `Damaged`.
pub fn read(data: &DataFile) -> Result<Option<Superblock>> {
    let len = data.file().len().map_err(Error::io("measure the data file"))?;
    let damaged = |index| Error::Damaged(format!("superblock {index} of the data file is damaged"));
    let mut newest: Option<Superblock> = None;
    let mut blanks = Vec::new();
    for index in 0..2u64 {
        if len < (index + 1) * SLOT_BYTES as u64 {
            blanks.push(index);
            continue;
        }
        let mut bytes = vec![0; SLOT_BYTES];
        data.file().read_exact_at(&mut bytes, index * SLOT_BYTES as u64).map_err(Error::io("read the superblock"))?;
        match Superblock::decode(&bytes)? {
            None if bytes.iter().all(|&b| b == 0) => blanks.push(index),
            Some(found) if found.generation % 2 == index => {
                newest = newest.filter(|n| n.generation > found.generation).or(Some(found));
            }
            _ => return Err(damaged(index)),
        }
    }
    match (newest, blanks.first()) {
        // The first generation is the only one that had no other before it.
        (Some(found), Some(&blank)) if found.generation > 1 => Err(damaged(blank)),
        _ => Ok(newest),
    }
}
