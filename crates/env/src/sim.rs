//! The simulated disk: cuts power, tears and reorders unsynced writes, fails and fills up, all from a seed.
//!
//! A file has a `durable` image (what a power cut surely keeps), a `live` image (what reads see) and the list of writes that no
//! sync covered. At a power cut each unsynced write is, per 512-byte sector, kept or lost at random, independently of the
//! others: that covers loss, tearing and reordering. Creations, removals and renames become durable with the directory's sync.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::memory::names_in;
use crate::sync::Mutex;
use crate::vfs::{File, Vfs};

/// The unit in which a write is torn.
const SECTOR_BYTES: usize = 512;

/// What goes wrong at a chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Power fails: this and every later operation fails until [`SimDisk::reboot`].
    PowerCut,
    /// EIO, once.
    Eio,
    /// ENOSPC from here on for writes that extend a file, until [`SimDisk::heal`].
    DiskFull,
}

/// A disk whose behaviour depends on nothing but its seed and the operations done.
#[derive(Clone)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

struct State {
    rng: ChaCha8Rng,
    files: BTreeMap<String, FileId>,
    durable_names: BTreeMap<String, FileId>,
    contents: BTreeMap<FileId, Content>,
    next_id: FileId,
    operations: u64,
    syncs: u64,
    fault: Option<(u64, Fault)>,
    powered: bool,
    full: bool,
    locked: bool,
    /// Counts power cuts; open files of an earlier life are dead.
    life: u64,
}

type FileId = u64;

#[derive(Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<(usize, usize)>,
}

#[derive(PartialEq, Clone, Copy)]
enum Operation {
    Read,
    Write { grows: bool },
    Sync,
    Name,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(seed: u64) -> SimDisk {
        SimDisk {
            state: Arc::new(Mutex::new(State {
                rng: ChaCha8Rng::seed_from_u64(seed),
                files: BTreeMap::new(),
                durable_names: BTreeMap::new(),
                contents: BTreeMap::new(),
                next_id: 1,
                operations: 0,
                syncs: 0,
                fault: None,
                powered: true,
                full: false,
                locked: false,
                life: 0,
            })),
        }
    }

    /// Lets `fault` happen at the `operation`-th write, sync or naming operation from now (0 is the next).
    pub fn inject(&self, operation: u64, fault: Fault) {
        let mut state = self.state.lock();
        state.fault = Some((state.operations + operation, fault));
    }

    /// Writes, syncs and naming operations done so far.
    pub fn operations(&self) -> u64 {
        self.state.lock().operations
    }

    /// Syncs done so far.
    pub fn syncs(&self) -> u64 {
        self.state.lock().syncs
    }

    /// Whether a power cut happened since the last reboot.
    pub fn is_dark(&self) -> bool {
        !self.state.lock().powered
    }

    /// Cuts the power now.
    pub fn cut_power(&self) {
        self.state.lock().cut_power();
    }

    /// Power is back: what was durable, and what luck kept, can be read.
    pub fn reboot(&self) {
        let mut state = self.state.lock();
        if state.powered {
            state.cut_power();
        }
        state.powered = true;
        state.full = false;
        state.fault = None;
        state.locked = false;
    }

    /// Ends injected faults; a full disk has space again.
    pub fn heal(&self) {
        let mut state = self.state.lock();
        state.full = false;
        state.fault = None;
    }

    /// Changes bytes of `name` behind everyone's back, as rot or a misdirected write would.
    pub fn corrupt(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state.lock();
        let Some(&id) = state.files.get(name) else { return };
        if let Some(content) = state.contents.get_mut(&id) {
            change(&mut content.live);
            content.durable.clone_from(&content.live);
            content.unsynced.clear();
        }
    }

    /// The bytes of `name` that reads see.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state.lock();
        let id = state.files.get(name)?;
        Some(state.contents[id].live.clone())
    }
}

impl State {
    fn before(&mut self, operation: Operation) -> io::Result<()> {
        if !self.powered {
            return Err(io::Error::other("simulated power loss"));
        }
        if operation == Operation::Read {
            return Ok(());
        }
        if operation == Operation::Sync {
            self.syncs += 1;
        }
        let index = self.operations;
        self.operations += 1;
        if let Some((at, fault)) = self.fault
            && index >= at
        {
            match fault {
                Fault::PowerCut => {
                    self.fault = None;
                    self.cut_power();
                    return Err(io::Error::other("simulated power loss"));
                }
                Fault::Eio => {
                    self.fault = None;
                    return Err(io::Error::from_raw_os_error(5));
                }
                Fault::DiskFull => self.full = true,
            }
        }
        if self.full && matches!(operation, Operation::Write { grows: true }) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn cut_power(&mut self) {
        self.powered = false;
        self.life += 1;
        let mut names = self.durable_names.clone();
        // Each unsynced naming operation may or may not have reached the disk.
        let all: Vec<String> = self.files.keys().chain(self.durable_names.keys()).cloned().collect();
        for name in all {
            if self.files.get(&name) != self.durable_names.get(&name) && self.rng.random_bool(0.5) {
                match self.files.get(&name) {
                    Some(&id) => drop(names.insert(name, id)),
                    None => drop(names.remove(&name)),
                }
            }
        }
        for content in self.contents.values_mut() {
            for (offset, len) in std::mem::take(&mut content.unsynced) {
                let mut at = offset;
                let keep_all = self.rng.random_bool(0.3);
                let lose_all = !keep_all && self.rng.random_bool(0.4);
                while at < offset + len {
                    let end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(offset + len);
                    if keep_all || (!lose_all && self.rng.random_bool(0.5)) {
                        if content.durable.len() < end {
                            content.durable.resize(end, 0);
                        }
                        let from = end.min(content.live.len());
                        if at < from {
                            content.durable[at..from].copy_from_slice(&content.live[at..from]);
                        }
                    }
                    at = end;
                }
            }
            content.live.clone_from(&content.durable);
        }
        self.files = names.clone();
        self.durable_names = names;
    }
}

struct SimFile {
    disk: SimDisk,
    id: FileId,
    life: u64,
}

impl SimFile {
    fn with<T>(
        &self,
        operation: impl FnOnce(&Content) -> Operation,
        f: impl FnOnce(&mut Content) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.disk.state.lock();
        if state.life != self.life {
            return Err(io::Error::other("simulated power loss"));
        }
        let operation = operation(&state.contents[&self.id]);
        state.before(operation)?;
        f(state.contents.get_mut(&self.id).expect("open file"))
    }
}

impl File for SimFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.with(
            |_| Operation::Read,
            |content| {
                let from = offset as usize;
                let bytes = content.live.get(from..from + buf.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
                buf.copy_from_slice(bytes);
                Ok(())
            },
        )
    }
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let (from, end) = (offset as usize, offset as usize + buf.len());
        self.with(
            |content| Operation::Write { grows: end > content.live.len() },
            |content| {
                if content.live.len() < end {
                    content.live.resize(end, 0);
                }
                content.live[from..end].copy_from_slice(buf);
                content.unsynced.push((from, buf.len()));
                Ok(())
            },
        )
    }
    fn sync(&self) -> io::Result<()> {
        self.with(
            |_| Operation::Sync,
            |content| {
                for (offset, len) in std::mem::take(&mut content.unsynced) {
                    let end = (offset + len).min(content.live.len());
                    if content.durable.len() < end {
                        content.durable.resize(end, 0);
                    }
                    if offset < end {
                        content.durable[offset..end].copy_from_slice(&content.live[offset..end]);
                    }
                }
                content.durable.resize(content.live.len(), 0);
                Ok(())
            },
        )
    }
    fn len(&self) -> io::Result<u64> {
        self.with(|_| Operation::Read, |content| Ok(content.live.len() as u64))
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(
            |content| Operation::Write { grows: len as usize > content.live.len() },
            |content| {
                content.live.resize(len as usize, 0);
                content.durable.resize(len as usize, 0);
                content.unsynced.retain(|&(offset, _)| offset < len as usize);
                Ok(())
            },
        )
    }
}

struct Unlock(SimDisk, u64);

impl Drop for Unlock {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        if state.life == self.1 {
            state.locked = false;
        }
    }
}

impl Vfs for SimDisk {
    fn open(&self, name: &str, create: bool) -> io::Result<Arc<dyn File>> {
        let mut state = self.state.lock();
        let id = match state.files.get(name) {
            Some(&id) => {
                state.before(Operation::Read)?;
                id
            }
            None if !create => {
                state.before(Operation::Read)?;
                return Err(io::ErrorKind::NotFound.into());
            }
            None => {
                state.before(Operation::Name)?;
                let id = state.next_id;
                state.next_id += 1;
                state.files.insert(name.to_owned(), id);
                state.contents.insert(id, Content::default());
                id
            }
        };
        Ok(Arc::new(SimFile { disk: self.clone(), id, life: state.life }))
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state.lock();
        state.before(Operation::Name)?;
        state.files.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state.lock();
        state.before(Operation::Name)?;
        let id = state.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.files.insert(to.to_owned(), id);
        Ok(())
    }
    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let mut state = self.state.lock();
        state.before(Operation::Read)?;
        Ok(names_in(dir, state.files.keys()))
    }
    fn create_dir(&self, _dir: &str) -> io::Result<()> {
        self.state.lock().before(Operation::Read)
    }
    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let mut state = self.state.lock();
        state.before(Operation::Sync)?;
        let inside = |name: &String| match name.rsplit_once('/') {
            Some((d, _)) => d == dir,
            None => dir.is_empty(),
        };
        let files = state.files.clone();
        state.durable_names.retain(|name, _| !inside(name));
        state.durable_names.extend(files.into_iter().filter(|(name, _)| inside(name)));
        Ok(())
    }
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = self.state.lock();
        state.before(Operation::Read)?;
        if std::mem::replace(&mut state.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Unlock(self.clone(), state.life)))
    }
}

#[cfg(test)]
mod tests;
