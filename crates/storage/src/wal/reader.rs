//! `Reader`: walks the log from a position to its end (W4).

use std::sync::Arc;

use env::{File, Vfs};

use super::record::{self, HEADER_BYTES, Located};
use super::segment::{self, SEGMENT_BYTES};
use crate::error::{Error, Result};
use crate::ids::Lsn;

/// How much is read at a time.
const READ_BYTES: usize = 1 << 20;

/// Reads records in order.
pub struct Reader {
    vfs: Arc<dyn Vfs>,
    file: Option<(u64, Arc<dyn File>, u64)>,
    /// Position of `window[0]`.
    window_start: u64,
    window: Vec<u8>,
    at: u64,
    life: u32,
}

impl Reader {
    /// A reader whose first record starts at `from`.
    pub fn new(vfs: Arc<dyn Vfs>, from: Lsn) -> Reader {
        Reader { vfs, file: None, window_start: from.0, window: Vec::new(), at: from.0, life: 0 }
    }

    /// Where the next record starts; after the last one, the end of the log.
    pub fn position(&self) -> Lsn {
        Lsn(self.at)
    }

    /// The greatest life of a record read so far.
    pub fn life(&self) -> u32 {
        self.life
    }

    /// The next record, or `None` at the end of the log.
    ///
    /// # Errors
    /// `Io`; `Damaged` when a record's checksum holds but its content makes no sense.
    #[allow(clippy::should_implement_trait, reason = "lends from the reader")]
    pub fn next(&mut self) -> Result<Option<Located<'_>>> {
        if !self.fill(HEADER_BYTES)? {
            return Ok(None);
        }
        let offset = (self.at - self.window_start) as usize;
        let Some(length) = record::length_of(&self.window[offset..], self.at) else { return Ok(None) };
        if !self.fill(length)? {
            return Ok(None);
        }
        let offset = (self.at - self.window_start) as usize;
        let Some(decoded) = record::decode(&self.window[offset..offset + length]) else { return Ok(None) };
        let (xid, life, record) = decoded?;
        if life < self.life {
            return Ok(None);
        }
        self.life = life;
        self.at += length as u64;
        Ok(Some((Lsn(self.at), xid, record)))
    }

    /// Makes `n` bytes from `at` lie in the window; false when the files end before.
    fn fill(&mut self, n: usize) -> Result<bool> {
        let offset = (self.at - self.window_start) as usize;
        if self.window.len() - offset.min(self.window.len()) >= n {
            return Ok(true);
        }
        self.window.drain(..offset.min(self.window.len()));
        self.window_start = self.at;
        while self.window.len() < n {
            let got = self.read_more(n.max(READ_BYTES))?;
            if got == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn read_more(&mut self, want: usize) -> Result<usize> {
        let (number, offset) = segment::locate(self.window_start + self.window.len() as u64);
        if self.file.as_ref().is_none_or(|f| f.0 != number) {
            let file = match self.vfs.open(&segment::path(number), false) {
                Ok(file) => file,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
                Err(e) => return Err(Error::io("open a log segment")(e)),
            };
            let len = file.len().map_err(Error::io("measure a log segment"))?;
            self.file = Some((number, file, len));
        }
        let Some((_, file, len)) = &self.file else { return Ok(0) };
        let n = want.min((SEGMENT_BYTES.min(*len)).saturating_sub(offset) as usize);
        let old = self.window.len();
        self.window.resize(old + n, 0);
        file.read_exact_at(&mut self.window[old..], offset).map_err(Error::io("read the log"))?;
        Ok(n)
    }
}
