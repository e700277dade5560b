//! `Mapping`: the memory of an arena, as Linux gives it. Sources: the manual pages of `memfd_create`, `mmap`, `mprotect` and `membarrier`.

use std::ptr::NonNull;

use super::{ARENA_BYTES, Memory, cache};

/// Memory that can be written and run, one after the other.
pub struct Mapping {
    /// Where it is written, if that is elsewhere than where it runs.
    write: Option<NonNull<u8>>,
    run: NonNull<u8>,
    /// Places start and end at multiples of it.
    align: usize,
    /// Whether other processors can be told that code has changed: if not, no place is used twice (J5).
    can_reuse: bool,
}

// SAFETY: the memory belongs to the mapping; a place is written by the thread that was just given it, before anybody knows of it.
unsafe impl Send for Mapping {}
// SAFETY: as above; nothing else in it changes.
unsafe impl Sync for Mapping {}

/// Where nothing is to be told of pages, code starts at multiples of it.
const ALIGN_BYTES: usize = 16;

const SYNC_CORE: libc::c_int = 1 << 5;
const REGISTER_SYNC_CORE: libc::c_int = 1 << 6;

fn barrier(command: libc::c_int) -> bool {
    // SAFETY: takes numbers only.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// A new mapping where the system likes; of the file `fd`, or of none.
fn map(fd: Option<i32>, protection: i32) -> Option<NonNull<u8>> {
    let flags = if fd.is_some() { libc::MAP_SHARED } else { libc::MAP_PRIVATE | libc::MAP_ANONYMOUS };
    // SAFETY: nothing is there before.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), ARENA_BYTES, protection, flags, fd.unwrap_or(-1), 0) };
    if at == libc::MAP_FAILED {
        return None;
    }
    // A process made by `fork` would write into the code of this one.
    // SAFETY: the mapping of just now.
    unsafe { libc::madvise(at, ARENA_BYTES, libc::MADV_DONTFORK) };
    NonNull::new(at.cast())
}

/// # Safety
/// It was mapped by `map`, and nobody uses it from now on.
unsafe fn unmap(at: NonNull<u8>) {
    // SAFETY: the caller's.
    unsafe { libc::munmap(at.as_ptr().cast(), ARENA_BYTES) };
}

/// A file in memory of an arena's size, for `with`; closed afterwards, as mappings keep it.
fn with_file<T>(with: impl FnOnce(i32) -> Option<T>) -> Option<T> {
    let name = c"hathi-jit";
    // Systems that refuse executable files in memory by default want to be told; those before 6.3 do not know the flag.
    const EXECUTABLE: libc::c_uint = 0x10;
    // SAFETY: the name ends in a zero.
    let mut fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | EXECUTABLE) };
    if fd < 0 {
        // SAFETY: as above.
        fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    }
    if fd < 0 {
        return None;
    }
    // SAFETY: `fd` is ours and open.
    let is_sized = unsafe { libc::ftruncate(fd, ARENA_BYTES as libc::off_t) } == 0;
    let made = is_sized.then(|| with(fd)).flatten();
    // SAFETY: `fd` is ours.
    unsafe { libc::close(fd) };
    made
}

impl Mapping {
    /// `None` where the system does not give it.
    pub fn new(memory: Memory) -> Option<Mapping> {
        let mut mapping = match memory {
            Memory::TwoMappings => with_file(|fd| {
                let run = map(Some(fd), libc::PROT_READ | libc::PROT_EXEC)?;
                let Some(write) = map(Some(fd), libc::PROT_READ | libc::PROT_WRITE) else {
                    // SAFETY: mapped above, used by nobody.
                    unsafe { unmap(run) };
                    return None;
                };
                Some(Mapping { write: Some(write), run, align: ALIGN_BYTES, can_reuse: false })
            })?,
            Memory::OneMapping => {
                // SAFETY: takes a number only.
                let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
                let run = map(None, libc::PROT_NONE)?;
                Mapping { write: None, run, align: page, can_reuse: false }
            }
        };
        // Some systems let nothing be executable that was writable.
        // SAFETY: the first place, which is nobody's yet.
        let is_executable = mapping.write.is_some() || unsafe { mapping.write(0, &[0]) };
        if !is_executable {
            return None;
        }
        mapping.can_reuse = barrier(REGISTER_SYNC_CORE);
        Some(mapping)
    }

    /// Places start and end at multiples of it.
    pub fn align(&self) -> usize {
        self.align
    }

    /// Whether a place can be used again.
    pub fn can_reuse(&self) -> bool {
        self.can_reuse
    }

    /// Where the place at `start` is run and read.
    pub fn run(&self, start: usize) -> *const u8 {
        assert!(start < ARENA_BYTES);
        // SAFETY: it is within the mapping.
        unsafe { self.run.as_ptr().add(start) }
    }

    /// Writes `code` at `start`; false where the system does not let it, in which case nothing can be run there.
    ///
    /// # Safety
    /// The place belongs to the caller, up to the next multiple of `align` behind the code; nobody runs it, or knows of it.
    pub unsafe fn write(&self, start: usize, code: &[u8]) -> bool {
        assert!(start.is_multiple_of(self.align) && start + code.len() <= ARENA_BYTES);
        let run = self.run(start);
        let Some(write) = self.write else {
            let protect = |protection| {
                // SAFETY: whole pages of the mapping, which are the caller's.
                unsafe { libc::mprotect(run.cast_mut().cast(), code.len(), protection) == 0 }
            };
            if !protect(libc::PROT_READ | libc::PROT_WRITE) {
                return false;
            }
            // SAFETY: it is within the mapping, can be written now, and belongs to the caller.
            unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), run.cast_mut(), code.len()) };
            // SAFETY: what was just written.
            unsafe { cache::synchronize(run, run, code.len()) };
            return protect(libc::PROT_READ | libc::PROT_EXEC);
        };
        // SAFETY: it is within the mapping and belongs to the caller.
        let at = unsafe { write.as_ptr().add(start) };
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), at, code.len()) };
        // SAFETY: what was just written, where it was written and where it runs.
        unsafe { cache::synchronize(at, run, code.len()) };
        true
    }

    /// Makes every processor forget what it has read of the place that was just written, if it `is_used` for the second time; false if it cannot be (J5).
    pub fn forget(&self, is_used: bool) -> bool {
        // Where caches are not coherent with code, a place that nobody ran may have been read ahead too; nothing in it was run, so who cannot be told need not.
        let is_told = (is_used || cache::IS_SEPARATE) && self.can_reuse && barrier(SYNC_CORE);
        is_told || !is_used
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        for at in [Some(self.run), self.write].into_iter().flatten() {
            // SAFETY: mapped in `new`; blocks hold the arena, so none is left.
            unsafe { unmap(at) };
        }
    }
}
