//! Files as the engine sees them: a flat directory of named files with positioned reads and writes.

use std::io;
use std::sync::Arc;

/// A directory that holds one database cluster. Names are relative and may contain one `/`.
pub trait Vfs: Send + Sync {
    /// Opens `name` for reading and writing; makes it when `create`, else fails with `NotFound`.
    fn open(&self, name: &str, create: bool) -> io::Result<Arc<dyn File>>;
    /// Removes file `name`. Durable after [`Vfs::sync_dir`].
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Renames a file, replacing the target. Durable after [`Vfs::sync_dir`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Names of the files in sub-directory `dir` (`""` is the root), without the directory. Sorted.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;
    /// Makes sub-directory `dir` unless it is there.
    fn create_dir(&self, dir: &str) -> io::Result<()>;
    /// Makes creations, removals and renames in `dir` durable.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;
    /// Takes the exclusive lock of this directory, held until the answer is dropped. `WouldBlock` when another
    /// process (or another engine of this one) has it.
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>>;
    /// Whether nothing here outlives the process, so that syncing is without purpose.
    fn is_volatile(&self) -> bool {
        false
    }
}

/// An open file. All methods may be called from several threads at once.
pub trait File: Send + Sync {
    /// Fills `buf` from `offset`; `UnexpectedEof` when the file ends before.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `buf` at `offset`, extending the file where needed. Durable after [`File::sync`].
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;
    /// Makes earlier writes durable (fdatasync).
    fn sync(&self) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether it has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts or zero-extends to `len` bytes.
    fn set_len(&self, len: u64) -> io::Result<()>;
}
