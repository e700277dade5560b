//! Segment files: where in which file a position of the log lies.

use std::sync::Arc;

use env::{File, Vfs};

use crate::error::{Error, Result};

/// The sub-directory of the segments.
pub(super) const DIRECTORY: &str = "wal";
/// Log bytes per segment file.
pub(super) const SEGMENT_BYTES: u64 = 16 << 20;
/// How much is written with zeros ahead of the log's end at a time.
pub(super) const ZERO_STEP_BYTES: u64 = 64 << 10;

/// The segment that holds the byte at `position`, and the offset in it.
pub(super) fn locate(position: u64) -> (u64, u64) {
    (position / SEGMENT_BYTES, position % SEGMENT_BYTES)
}

/// Path of segment `number`: sixteen hex digits sort as the log does.
pub(super) fn path(number: u64) -> String {
    format!("{DIRECTORY}/{number:016x}")
}

/// Path of the file that becomes a later segment; recovery does not look at it.
pub(super) fn spare_path() -> String {
    format!("{DIRECTORY}/spare")
}

/// Numbers of the segments in the directory, ascending.
pub(super) fn list(vfs: &dyn Vfs) -> Result<Vec<u64>> {
    let names = vfs.list(DIRECTORY).map_err(Error::io("list the log's segments"))?;
    Ok(names.iter().filter(|n| n.len() == 16).filter_map(|n| u64::from_str_radix(n, 16).ok()).collect())
}

/// An open segment.
pub(super) struct Segment {
    pub number: u64,
    pub file: Arc<dyn File>,
    /// Bytes from here on were never written: writing them extends the file.
    pub zeroed_bytes: u64,
}

impl Segment {
    /// Opens segment `number`, making the file when it is missing.
    pub fn open(vfs: &dyn Vfs, number: u64) -> Result<Segment> {
        Segment::open_file(vfs, &path(number), number)
    }

    /// Opens the file that becomes a later segment, with number 0 for now. What a crash left of it is gone on with.
    pub fn open_spare(vfs: &dyn Vfs) -> Result<Segment> {
        Segment::open_file(vfs, &spare_path(), 0)
    }

    fn open_file(vfs: &dyn Vfs, path: &str, number: u64) -> Result<Segment> {
        let file = vfs.open(path, true).map_err(Error::io("open a log segment"))?;
        let zeroed_bytes = file.len().map_err(Error::io("measure a log segment"))?.min(SEGMENT_BYTES);
        Ok(Segment { number, file, zeroed_bytes })
    }

    /// Writes `bytes` at `offset`; where that lengthens the file, zeros behind them lengthen it for those that follow, too.
    pub fn write(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        self.file.write_all_at(bytes, offset).map_err(Error::io("write the log"))?;
        let end = offset + bytes.len() as u64;
        if end > self.zeroed_bytes {
            self.zeroed_bytes = end;
            self.zero_to(end.next_multiple_of(ZERO_STEP_BYTES))?;
        }
        Ok(())
    }

    /// Writes zeros so that the first `bytes` of the file are allocated.
    pub fn zero_to(&mut self, bytes: u64) -> Result<()> {
        static ZEROS: [u8; ZERO_STEP_BYTES as usize] = [0; ZERO_STEP_BYTES as usize];
        while self.zeroed_bytes < bytes.min(SEGMENT_BYTES) {
            let n = ZERO_STEP_BYTES.min(bytes.min(SEGMENT_BYTES) - self.zeroed_bytes);
            self.file.write_all_at(&ZEROS[..n as usize], self.zeroed_bytes).map_err(Error::io("extend the log"))?;
            self.zeroed_bytes += n;
        }
        Ok(())
    }
}
