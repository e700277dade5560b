//! `Arena`: executable memory, written through one mapping and run through another (J1).
//!
//! A file in memory is mapped twice, at two addresses the system chooses. Sources: the manual pages of `memfd_create`, `mmap` and `membarrier`.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use linux::{Arena, Block};

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub use none::{Arena, Block};

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod linux {
    use std::ops::Range;
    use std::ptr::NonNull;
    use std::sync::Arc;

    use parking_lot::Mutex;

    /// Bytes of code that one arena holds at most.
    const ARENA_BYTES: usize = 16 << 20;
    /// Code starts at multiples of it.
    const ALIGN_BYTES: usize = 16;

    /// Executable memory.
    pub struct Arena {
        write: NonNull<u8>,
        run: NonNull<u8>,
        free: Mutex<Free>,
        /// Whether other processors can be told that code has changed: if not, no place is used twice (J5).
        can_reuse: bool,
    }

    struct Free {
        /// Up to here places were used.
        fresh: usize,
        /// Places that were given back: start and length, by start, never touching each other.
        returned: Vec<(usize, usize)>,
    }

    // SAFETY: the mappings belong to the arena; a block's bytes are written by the thread that was just given it, before anybody knows of it.
    unsafe impl Send for Arena {}
    // SAFETY: as above; `free` is behind a lock.
    unsafe impl Sync for Arena {}

    /// Code in an arena, given back when dropped.
    pub struct Block {
        arena: Arc<Arena>,
        start: usize,
        len: usize,
        /// Bytes of `len` that are code.
        used: usize,
    }

    fn map(fd: i32, protection: i32) -> Option<NonNull<u8>> {
        // SAFETY: a new mapping where the system likes; nothing is there before.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), ARENA_BYTES, protection, libc::MAP_SHARED, fd, 0) };
        if at == libc::MAP_FAILED {
            return None;
        }
        // A process made by `fork` would write into the code of this one.
        // SAFETY: the mapping of just now.
        unsafe { libc::madvise(at, ARENA_BYTES, libc::MADV_DONTFORK) };
        NonNull::new(at.cast())
    }

    fn barrier(command: libc::c_int) -> bool {
        // SAFETY: takes numbers only.
        unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
    }

    const SYNC_CORE: libc::c_int = 1 << 5;
    const REGISTER_SYNC_CORE: libc::c_int = 1 << 6;

    impl Arena {
        /// An arena, or `None` where the system gives no executable memory.
        pub fn new() -> Option<Arc<Arena>> {
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
            let sized = unsafe { libc::ftruncate(fd, ARENA_BYTES as libc::off_t) } == 0;
            let maps = sized
                .then(|| (map(fd, libc::PROT_READ | libc::PROT_WRITE), map(fd, libc::PROT_READ | libc::PROT_EXEC)));
            // SAFETY: `fd` is ours; the mappings keep the file.
            unsafe { libc::close(fd) };
            match maps? {
                (Some(write), Some(run)) => {
                    let free = Mutex::new(Free { fresh: 0, returned: Vec::new() });
                    Some(Arc::new(Arena { write, run, free, can_reuse: barrier(REGISTER_SYNC_CORE) }))
                }
                (write, run) => {
                    for at in [write, run].into_iter().flatten() {
                        // SAFETY: mapped above, used by nobody.
                        unsafe { libc::munmap(at.as_ptr().cast(), ARENA_BYTES) };
                    }
                    None
                }
            }
        }

        /// Puts code there; `None` when there is no room.
        pub fn place(self: &Arc<Arena>, code: &[u8]) -> Option<Block> {
            let len = code.len().next_multiple_of(ALIGN_BYTES);
            let (start, is_used) = {
                let mut free = self.free.lock();
                match free.returned.iter().position(|r| r.1 >= len) {
                    Some(i) => {
                        let (start, have) = free.returned[i];
                        if have == len {
                            free.returned.remove(i)
                        } else {
                            std::mem::replace(&mut free.returned[i], (start + len, have - len))
                        };
                        (start, true)
                    }
                    None if free.fresh + len <= ARENA_BYTES => {
                        free.fresh += len;
                        (free.fresh - len, false)
                    }
                    None => return None,
                }
            };
            let block = Block { arena: self.clone(), start, len, used: code.len() };
            // SAFETY: `start + len` is within the mapping, and the place is nobody else's: just taken off the list, under its lock.
            unsafe { std::ptr::copy_nonoverlapping(code.as_ptr(), self.write.as_ptr().add(start), code.len()) };
            // J5: nobody runs the old code, but a processor may have read it ahead.
            if is_used && !barrier(SYNC_CORE) {
                return None;
            }
            Some(block)
        }

        /// Bytes in use.
        pub fn used_bytes(&self) -> usize {
            let free = self.free.lock();
            free.fresh - free.returned.iter().map(|r| r.1).sum::<usize>()
        }

        fn give_back(&self, start: usize, len: usize) {
            if !self.can_reuse {
                return;
            }
            let mut free = self.free.lock();
            let i = free.returned.partition_point(|r| r.0 < start);
            free.returned.insert(i, (start, len));
            let touches =
                |list: &[(usize, usize)], i: usize| i + 1 < list.len() && list[i].0 + list[i].1 == list[i + 1].0;
            if touches(&free.returned, i) {
                free.returned[i].1 += free.returned.remove(i + 1).1;
            }
            if i > 0 && touches(&free.returned, i - 1) {
                free.returned[i - 1].1 += free.returned.remove(i).1;
            }
        }
    }

    impl Drop for Arena {
        fn drop(&mut self) {
            for at in [self.write, self.run] {
                // SAFETY: mapped in `new`; blocks hold the arena, so none is left.
                unsafe { libc::munmap(at.as_ptr().cast(), ARENA_BYTES) };
            }
        }
    }

    impl Drop for Block {
        fn drop(&mut self) {
            self.arena.give_back(self.start, self.len);
        }
    }

    impl Block {
        /// Runs it.
        ///
        /// # Safety
        /// It is code that `assemble` made of a sound program, and `frame` is laid out for that program: its pointers are to values up to the
        /// end of `rows`, which is not empty.
        pub unsafe fn run(&self, frame: *mut u64, rows: Range<usize>) -> u64 {
            type Entry = unsafe extern "C" fn(*mut u64, u64, u64, u64, u64, u64) -> u64;
            // SAFETY: `start` is within the mapping.
            let at = unsafe { self.arena.run.as_ptr().add(self.start) };
            // SAFETY: code with this signature is there, as the caller says.
            let entry = unsafe { std::mem::transmute::<*mut u8, Entry>(at) };
            // SAFETY: the caller's.
            unsafe { entry(frame, rows.start as u64, rows.end as u64, 0, 0, 0) }
        }

        /// The code itself.
        pub fn code(&self) -> &[u8] {
            // SAFETY: `start + used` is within the mapping, which can be read; nobody writes there while the block is.
            unsafe { std::slice::from_raw_parts(self.arena.run.as_ptr().add(self.start), self.used) }
        }

        /// Its bytes of memory.
        pub fn bytes(&self) -> usize {
            self.len
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod none {
    use std::ops::Range;
    use std::sync::Arc;

    /// No executable memory.
    pub enum Arena {}

    /// No code.
    pub enum Block {}

    impl Arena {
        /// None.
        pub fn new() -> Option<Arc<Arena>> {
            None
        }

        /// Never.
        pub fn place(self: &Arc<Arena>, _: &[u8]) -> Option<Block> {
            match **self {}
        }

        /// Never.
        pub fn used_bytes(&self) -> usize {
            match *self {}
        }
    }

    impl Block {
        /// Never.
        ///
        /// # Safety
        /// It cannot be called.
        pub unsafe fn run(&self, _: *mut u64, _: Range<usize>) -> u64 {
            match *self {}
        }

        /// Never.
        pub fn code(&self) -> &[u8] {
            match *self {}
        }

        /// Never.
        pub fn bytes(&self) -> usize {
            match *self {}
        }
    }
}
