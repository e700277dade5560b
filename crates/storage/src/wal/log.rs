//! `Log`: append, group commit, recycling.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use env::sync::{Condvar, Mutex, MutexGuard};
use env::waiting::{self, Wait};
use env::{Vfs, sched};

use super::record::{HEADER_BYTES, Record, encode_into};
use super::segment::{self, SEGMENT_BYTES, Segment};
use crate::error::{Error, Result};
use crate::ids::{Lsn, Xid};
use crate::poison::Poison;

/// How the log is kept.
#[derive(Clone, Copy, Debug)]
pub struct LogOptions {
    /// Whether records are written at all; an in-memory database only counts LSNs.
    pub enabled: bool,
    /// Whether [`Log::sync_to`] syncs the file (`fsync`).
    pub fsync: bool,
    /// An appender that finds more than this in the buffer writes it out itself.
    pub buffer_bytes_max: usize,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions { enabled: true, fsync: true, buffer_bytes_max: 4 << 20 }
    }
}

/// The write-ahead log of one cluster.
pub struct Log {
    vfs: Arc<dyn Vfs>,
    options: LogOptions,
    poison: Arc<Poison>,
    life: u32,
    /// Never held while doing I/O.
    buffer: Mutex<Buffer>,
    /// Who flushes; held during I/O.
    files: Mutex<Files>,
    /// Whether a leader is at work, and where waiters sleep.
    leader: Mutex<Leader>,
    flushed: Condvar,
    /// Position after the last appended record; a copy of `buffer.end` for readers without the latch.
    end: AtomicU64,
    /// W2.
    durable: AtomicU64,
    sync_count: AtomicU64,
    prepare_wanted: AtomicBool,
    /// Who prepares: two would write zeros into a file that one of them has handed over.
    preparing: Mutex<()>,
    /// Whether a background thread was asked to run ahead, and did not yet.
    ahead_wanted: AtomicBool,
    /// Asks it.
    ask_ahead: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// So much in the buffer is a long transaction's: it is made durable while that goes on, so that its commit has little left to wait for.
const AHEAD_BYTES: usize = 512 << 10;

/// So far into a segment, the next one is made ready. A database that is opened for a few commits never needs it.
const PREPARE_FROM_BYTES: u64 = 2 << 20;

/// At most so often a leader lets others run before it flushes.
const GATHER_TURNS: usize = 16;

#[derive(Default)]
struct Leader {
    at_work: bool,
    /// How many came to wait while the last leader was at work.
    followers: u32,
}

struct Buffer {
    /// Log position of `bytes[0]`.
    start: u64,
    bytes: Vec<u8>,
}

impl Buffer {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

struct Files {
    current: Option<Segment>,
    /// A segment made ready in the background for when the current one is full.
    next: Option<Segment>,
    /// Names made since the last directory sync.
    directory_dirty: bool,
    spare: Vec<u8>,
}

impl Log {
    /// A log whose next record goes to `end`, which recovery found; `life` is greater than at every earlier opening.
    ///
    /// # Errors
    /// `Io` when the segment directory cannot be made.
    pub fn open(vfs: Arc<dyn Vfs>, options: LogOptions, poison: Arc<Poison>, end: Lsn, life: u32) -> Result<Log> {
        if options.enabled {
            vfs.create_dir(segment::DIRECTORY).map_err(Error::io("make the log directory"))?;
        }
        Ok(Log {
            vfs,
            options,
            poison,
            life,
            buffer: Mutex::new(Buffer { start: end.0, bytes: Vec::new() }),
            files: Mutex::new(Files { current: None, next: None, directory_dirty: false, spare: Vec::new() }),
            leader: Mutex::new(Leader::default()),
            flushed: Condvar::new(),
            end: AtomicU64::new(end.0),
            durable: AtomicU64::new(end.0),
            sync_count: AtomicU64::new(0),
            prepare_wanted: AtomicBool::new(false),
            preparing: Mutex::new(()),
            ahead_wanted: AtomicBool::new(false),
            ask_ahead: OnceLock::new(),
        })
    }

    /// Appends `record` of transaction `xid` (0: the system's own) and returns its LSN.
    ///
    /// # Errors
    /// `Poisoned`; `DiskFull` or `Io` when the buffer was full and could not be written.
    #[inline]
    pub fn append(&self, xid: Xid, record: &Record<'_>) -> Result<Lsn> {
        self.append_with(xid, record, |_| ())
    }

    /// As [`Log::append`]; `at(lsn)` runs before any later record can be appended (W1).
    pub fn append_with(&self, xid: Xid, record: &Record<'_>, at: impl FnOnce(Lsn)) -> Result<Lsn> {
        self.poison.check()?;
        let mut buffer = self.buffer.lock();
        let before = buffer.end();
        let lsn = if self.options.enabled {
            encode_into(&mut buffer.bytes, before, self.life, xid, record);
            Lsn(buffer.end())
        } else {
            buffer.start += HEADER_BYTES as u64;
            Lsn(buffer.start)
        };
        at(lsn);
        self.end.store(lsn.0, Ordering::Release);
        let waiting = buffer.bytes.len();
        drop(buffer);
        if waiting > AHEAD_BYTES {
            self.run_long(waiting)?;
        }
        Ok(lsn)
    }

    /// What an appender does that finds `waiting` bytes in the buffer.
    #[cold]
    fn run_long(&self, waiting: usize) -> Result<()> {
        if let Some(ask) = self.ask_ahead.get()
            && !self.ahead_wanted.swap(true, Ordering::Relaxed)
        {
            ask();
        }
        if waiting > self.options.buffer_bytes_max { self.flush(false) } else { Ok(()) }
    }

    /// Names what wakes the background thread that will call [`Log::run_ahead`]. Counts once.
    pub fn on_ahead(&self, ask: impl Fn() + Send + Sync + 'static) {
        let _ = self.ask_ahead.set(Box::new(ask));
    }

    /// Makes durable what long transactions appended so far, for a background thread: nobody waits for it.
    ///
    /// # Errors
    /// As [`Log::sync_to`].
    pub fn run_ahead(&self) -> Result<()> {
        if self.ahead_wanted.swap(false, Ordering::Relaxed) { self.sync_to(self.end_lsn()) } else { Ok(()) }
    }

    /// Whether records are written at all.
    #[inline]
    pub fn is_enabled(&self) -> bool {
        self.options.enabled
    }

    /// Position after the last record.
    pub fn end_lsn(&self) -> Lsn {
        Lsn(self.end.load(Ordering::Acquire))
    }

    /// Every record named by an LSN up to this one survives a power cut.
    pub fn durable_lsn(&self) -> Lsn {
        if self.options.enabled { Lsn(self.durable.load(Ordering::Acquire)) } else { self.end_lsn() }
    }

    /// How many syncs were done: the measure of group commit.
    pub fn sync_count(&self) -> u64 {
        self.sync_count.load(Ordering::Relaxed)
    }

    /// Returns when everything up to `lsn` is durable, leading a flush if nobody else does.
    ///
    /// # Errors
    /// `Poisoned`, also when this very sync failed (W3).
    pub fn sync_to(&self, lsn: Lsn) -> Result<()> {
        if !self.options.enabled {
            return self.poison.check();
        }
        if self.durable_lsn() >= lsn {
            return Ok(());
        }
        waiting::blocking(Wait::LogSync, || self.sync_to_blocking(lsn))
    }

    fn sync_to_blocking(&self, lsn: Lsn) -> Result<()> {
        loop {
            if self.durable_lsn() >= lsn {
                return Ok(());
            }
            self.poison.check()?;
            let mut leading = self.leader.lock();
            if leading.at_work {
                leading.followers += 1;
                self.flushed.wait(&mut leading);
                continue;
            }
            if self.durable_lsn() >= lsn {
                return Ok(());
            }
            leading.at_work = true;
            let others = std::mem::take(&mut leading.followers) > 0;
            drop(leading);
            if others {
                self.gather();
            }
            let outcome = self.flush(true);
            self.leader.lock().at_work = false;
            self.flushed.notify_all();
            outcome?;
        }
    }

    /// Lets other committers, whom the last sync has just let go on, append what they commit next: as long as each look finds more. There
    /// is no timer: where nobody else runs, this takes a microsecond.
    fn gather(&self) {
        let mut seen = self.end_lsn();
        for _ in 0..GATHER_TURNS {
            sched::give_way();
            let end = self.end_lsn();
            if end == seen {
                return;
            }
            seen = end;
        }
    }

    /// Writes the buffer to the files; with `sync`, makes it durable. Any failure poisons (W3).
    fn flush(&self, sync: bool) -> Result<()> {
        let mut files = self.files.lock();
        self.poison.check()?;
        let outcome = self.flush_locked(&mut files, sync);
        if let Err(e) = &outcome {
            return Err(self.poison.set(&format!("the log could not be written: {e}")));
        }
        outcome
    }

    fn flush_locked(&self, files: &mut MutexGuard<'_, Files>, sync: bool) -> Result<()> {
        let mut bytes = std::mem::take(&mut files.spare);
        let start;
        {
            let mut buffer = self.buffer.lock();
            start = buffer.start;
            std::mem::swap(&mut buffer.bytes, &mut bytes);
            buffer.start = start + bytes.len() as u64;
        }
        let end = start + bytes.len() as u64;
        let mut at = start;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (number, offset) = segment::locate(at);
            self.seek(files, number)?;
            let n = rest.len().min((SEGMENT_BYTES - offset) as usize);
            let segment = files.current.as_mut().expect("`seek` opened it");
            segment.write(&rest[..n], offset)?;
            at += n as u64;
            rest = &rest[n..];
        }
        if sync {
            if let Some(segment) = &files.current
                && self.options.fsync
            {
                segment.file.sync().map_err(Error::io("sync the log"))?;
                self.sync_count.fetch_add(1, Ordering::Relaxed);
            }
            if files.directory_dirty {
                if self.options.fsync {
                    self.vfs.sync_dir(segment::DIRECTORY).map_err(Error::io("sync the log directory"))?;
                }
                files.directory_dirty = false;
            }
            self.durable.fetch_max(end, Ordering::AcqRel);
        }
        if files.next.is_none() && segment::locate(end).1 >= PREPARE_FROM_BYTES {
            self.prepare_wanted.store(true, Ordering::Relaxed);
        }
        bytes.clear();
        files.spare = bytes;
        Ok(())
    }

    /// Makes segment `number` the current one. The one before is synced first, so that a later sync of the new one
    /// never makes records durable whose predecessors are not.
    fn seek(&self, files: &mut MutexGuard<'_, Files>, number: u64) -> Result<()> {
        if files.current.as_ref().is_some_and(|s| s.number == number) {
            return Ok(());
        }
        if let Some(old) = files.current.take()
            && self.options.fsync
        {
            old.file.sync().map_err(Error::io("sync the log"))?;
        }
        let segment = match files.next.take() {
            Some(next) if next.number == number => next,
            _ => {
                files.directory_dirty = true;
                Segment::open(&*self.vfs, number)?
            }
        };
        files.current = Some(segment);
        Ok(())
    }

    /// Whether [`Log::prepare`] has something to do.
    pub fn wants_preparing(&self) -> bool {
        self.options.enabled && self.prepare_wanted.load(Ordering::Relaxed)
    }

    /// Makes the next segment ready ahead of need, for a background thread: its zeros are on the disk before anybody commits into it, and are
    /// written to a file that no commit syncs.
    ///
    /// # Errors
    /// `DiskFull` or `Io`; harmless, since a commit extends the file itself when it must.
    pub fn prepare(&self) -> Result<()> {
        self.prepare_wanted.store(false, Ordering::Relaxed);
        let _one = self.preparing.lock();
        self.poison.check()?;
        if self.files.lock().next.is_some() {
            return Ok(());
        }
        let mut spare = Segment::open_spare(&*self.vfs)?;
        spare.zero_to(SEGMENT_BYTES)?;
        if self.options.fsync {
            spare.file.sync().map_err(Error::io("sync a log segment"))?;
        }
        let mut files = self.files.lock();
        let Some(number) = files.current.as_ref().map(|s| s.number + 1) else { return Ok(()) };
        if files.next.is_none() {
            let path = segment::path(number);
            self.vfs.rename(&segment::spare_path(), &path).map_err(Error::io("name a log segment"))?;
            files.next = Some(Segment { number, ..spare });
            files.directory_dirty = true;
        }
        Ok(())
    }

    /// Gives up the segments that lie wholly below `redo_start` (W5): one becomes the next segment, the others go.
    ///
    /// # Errors
    /// `Io`.
    pub fn recycle(&self, redo_start: Lsn) -> Result<()> {
        if !self.options.enabled {
            return Ok(());
        }
        let mut files = self.files.lock();
        self.poison.check()?;
        let (first_needed, _) = segment::locate(redo_start.0);
        let Some(current) = files.current.as_ref().map(|s| s.number) else { return Ok(()) };
        for number in segment::list(&*self.vfs)? {
            if number >= first_needed.min(current) {
                break;
            }
            if files.next.is_none() {
                let whole = Segment::open(&*self.vfs, number)?.zeroed_bytes == SEGMENT_BYTES;
                if whole {
                    self.vfs
                        .rename(&segment::path(number), &segment::path(current + 1))
                        .map_err(Error::io("recycle a log segment"))?;
                    files.next = Some(Segment::open(&*self.vfs, current + 1)?);
                    files.directory_dirty = true;
                    continue;
                }
            }
            self.vfs.remove(&segment::path(number)).map_err(Error::io("remove a log segment"))?;
            files.directory_dirty = true;
        }
        Ok(())
    }
}
