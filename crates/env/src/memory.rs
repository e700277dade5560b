//! `MemoryVfs`: files that live as long as the value, for in-memory databases.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crate::sync::{Mutex, RwLock};
use crate::vfs::{File, Vfs};

/// Bytes in one extent of a memory file. Files grow by extents, so growing never moves what is there.
const EXTENT_BYTES: usize = 256 * 1024;

/// A directory in memory.
#[derive(Default)]
pub struct MemoryVfs {
    files: Mutex<BTreeMap<String, Arc<MemoryFile>>>,
    locked: Arc<Mutex<bool>>,
}

#[derive(Default)]
struct MemoryFile {
    content: RwLock<Content>,
}

#[derive(Default)]
struct Content {
    extents: Vec<Option<Box<[u8]>>>,
    len: u64,
}

/// Calls `f(extent index, offset in extent, range of buf)` for each extent that `len` bytes from `offset` touch.
fn for_extents(offset: u64, len: usize, mut f: impl FnMut(usize, usize, std::ops::Range<usize>)) {
    let mut done = 0;
    while done < len {
        let at = offset as usize + done;
        let within = at % EXTENT_BYTES;
        let n = (EXTENT_BYTES - within).min(len - done);
        f(at / EXTENT_BYTES, within, done..done + n);
        done += n;
    }
}

impl File for MemoryFile {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let content = self.content.read();
        if offset + buf.len() as u64 > content.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for_extents(offset, buf.len(), |extent, within, range| {
            let n = range.len();
            match content.extents.get(extent) {
                Some(Some(bytes)) => buf[range].copy_from_slice(&bytes[within..within + n]),
                _ => buf[range].fill(0),
            }
        });
        Ok(())
    }
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        let mut content = self.content.write();
        for_extents(offset, buf.len(), |extent, within, range| {
            if content.extents.len() <= extent {
                content.extents.resize_with(extent + 1, || None);
            }
            let bytes = content.extents[extent].get_or_insert_with(|| vec![0; EXTENT_BYTES].into());
            bytes[within..within + range.len()].copy_from_slice(&buf[range]);
        });
        content.len = content.len.max(offset + buf.len() as u64);
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.content.read().len)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut content = self.content.write();
        let whole = (len as usize).div_ceil(EXTENT_BYTES);
        content.extents.truncate(whole);
        let within = len as usize % EXTENT_BYTES;
        if within > 0
            && let Some(Some(last)) = content.extents.get_mut(whole - 1)
        {
            last[within..].fill(0);
        }
        content.len = len;
        Ok(())
    }
}

struct Unlock(Arc<Mutex<bool>>);

impl Drop for Unlock {
    fn drop(&mut self) {
        *self.0.lock() = false;
    }
}

impl Vfs for MemoryVfs {
    fn open(&self, name: &str, create: bool) -> io::Result<Arc<dyn File>> {
        let mut files = self.files.lock();
        match files.get(name) {
            Some(file) => Ok(file.clone()),
            None if create => Ok(files.entry(name.to_owned()).or_default().clone()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.lock().remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut files = self.files.lock();
        let file = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), file);
        Ok(())
    }
    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        Ok(names_in(dir, self.files.lock().keys()))
    }
    fn create_dir(&self, _dir: &str) -> io::Result<()> {
        Ok(())
    }
    fn sync_dir(&self, _dir: &str) -> io::Result<()> {
        Ok(())
    }
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let mut locked = self.locked.lock();
        if std::mem::replace(&mut *locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Unlock(self.locked.clone())))
    }
    fn is_volatile(&self) -> bool {
        true
    }
}

/// The last parts of those `names` that lie directly in `dir`.
pub(crate) fn names_in<'a>(dir: &str, names: impl Iterator<Item = &'a String>) -> Vec<String> {
    names
        .filter_map(|name| {
            let rest = if dir.is_empty() { name.as_str() } else { name.strip_prefix(dir)?.strip_prefix('/')? };
            (!rest.contains('/')).then(|| rest.to_owned())
        })
        .collect()
}
