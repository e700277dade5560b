//! `Arena`: executable memory, handed out in blocks that are given back.

mod cache;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod mapping;
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
#[path = "arena/no_mapping.rs"]
mod mapping;

use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;

use mapping::Mapping;

/// Bytes of code that one arena holds at most.
const ARENA_BYTES: usize = 16 << 20;

/// How memory is first written and then run, at no time both at one address (J1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// A file in memory that is mapped twice: code is written through one mapping and runs in the other.
    TwoMappings,
    /// One mapping: pages are made writable, written, and made executable. Slower, and a block takes whole pages; for systems without such files, and for
    /// emulators that do not see what is written through another mapping (QEMU before 8.1, of aarch64).
    OneMapping,
}

/// Executable memory.
pub struct Arena {
    mapping: Mapping,
    free: Mutex<Free>,
}

struct Free {
    /// Up to here places were used.
    fresh: usize,
    /// Places that were given back: start and length, by start, never touching each other.
    returned: Vec<(usize, usize)>,
}

/// Code in an arena, given back when dropped.
pub struct Block {
    arena: Arc<Arena>,
    start: usize,
    len: usize,
    /// Bytes of `len` that are code.
    used: usize,
}

impl Arena {
    /// An arena of what the system gives: two mappings, or else one, or `None`.
    pub fn new() -> Option<Arc<Arena>> {
        Arena::of(Memory::TwoMappings).or_else(|| Arena::of(Memory::OneMapping))
    }

    /// An arena of this memory, or `None` where the system does not give it.
    pub fn of(memory: Memory) -> Option<Arc<Arena>> {
        let free = Mutex::new(Free { fresh: 0, returned: Vec::new() });
        Some(Arc::new(Arena { mapping: Mapping::new(memory)?, free }))
    }

    /// Puts code there; `None` when there is no room.
    pub fn place(self: &Arc<Arena>, code: &[u8]) -> Option<Block> {
        let len = code.len().next_multiple_of(self.mapping.align());
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
        // SAFETY: the place is nobody else's: just taken off the list, under its lock; and `start` and `len` are multiples of the mapping's alignment.
        let is_written = unsafe { self.mapping.write(start, code) };
        (is_written && self.mapping.forget(is_used)).then_some(block)
    }

    /// Bytes in use.
    pub fn used_bytes(&self) -> usize {
        let free = self.free.lock();
        free.fresh - free.returned.iter().map(|r| r.1).sum::<usize>()
    }

    fn give_back(&self, start: usize, len: usize) {
        if !self.mapping.can_reuse() {
            return;
        }
        let mut free = self.free.lock();
        let i = free.returned.partition_point(|r| r.0 < start);
        free.returned.insert(i, (start, len));
        let touches = |list: &[(usize, usize)], i: usize| i + 1 < list.len() && list[i].0 + list[i].1 == list[i + 1].0;
        if touches(&free.returned, i) {
            free.returned[i].1 += free.returned.remove(i + 1).1;
        }
        if i > 0 && touches(&free.returned, i - 1) {
            free.returned[i - 1].1 += free.returned.remove(i).1;
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
    /// It is code that `assemble` or `tile::lower` made of a sound program, and `frame` is laid out for that code: its pointers are to values up to the end of
    /// `rows`, which is not empty, nor shorter than a tile if it is code of tiles; and to room for what comes of the rows, behind `kept` rows of a filter.
    pub unsafe fn run(&self, frame: *mut u64, rows: Range<usize>, kept: usize) -> u64 {
        type Entry = unsafe extern "C" fn(*mut u64, u64, u64, u64, u64, u64) -> u64;
        // SAFETY: code with this signature is there, as the caller says.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(self.arena.mapping.run(self.start)) };
        // SAFETY: the caller's.
        unsafe { entry(frame, rows.start as u64, rows.end as u64, kept as u64, 0, 0) }
    }

    /// The code itself, where it runs.
    pub fn code(&self) -> &[u8] {
        // SAFETY: `start + used` is within the mapping, and can be read since it was written; nobody writes there while the block is.
        unsafe { std::slice::from_raw_parts(self.arena.mapping.run(self.start), self.used) }
    }

    /// Where others can be put beside it.
    pub fn arena(&self) -> &Arc<Arena> {
        &self.arena
    }

    /// Its bytes of memory.
    pub fn bytes(&self) -> usize {
        self.len
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// What the system says of the memory at `address`: its permissions.
    fn permissions(address: usize) -> String {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let is_there = |line: &&str| {
            let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let parse = |hex: &str| usize::from_str_radix(hex, 16).unwrap();
            (parse(from)..parse(to)).contains(&address)
        };
        maps.lines().find(is_there).unwrap().split(' ').nth(1).unwrap().to_owned()
    }

    #[test]
    fn memory_is_never_writable_and_executable() {
        for memory in [Memory::TwoMappings, Memory::OneMapping] {
            let Some(arena) = Arena::of(memory) else {
                if crate::tests::CODE {
                    panic!("no memory of {memory:?}");
                }
                continue;
            };
            let first = arena.place(&[0xC3; 100]).unwrap();
            let second = arena.place(&[0x90; 5000]).unwrap();
            assert_eq!((first.code(), second.code()), (&[0xC3; 100][..], &[0x90; 5000][..]));
            for block in [&first, &second] {
                assert!(permissions(block.code().as_ptr().addr()).starts_with("r-x"), "{memory:?}");
            }
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
            assert!(!maps.lines().any(|line| line.contains(" rwx")), "{maps}");
            // A place that was given back is written and run again, others staying as they are.
            let before = arena.used_bytes();
            let (start, address) = (first.start, first.code().as_ptr());
            drop(first);
            let again = arena.place(&[0xCC; 100]).unwrap();
            assert_eq!((again.start, again.code().as_ptr(), arena.used_bytes()), (start, address, before));
            assert_eq!((again.code(), second.code()), (&[0xCC; 100][..], &[0x90; 5000][..]));
            drop((again, second));
            assert_eq!(arena.used_bytes(), 0);
        }
    }

    #[test]
    fn too_much_has_no_room() {
        for memory in [Memory::TwoMappings, Memory::OneMapping] {
            let Some(arena) = Arena::of(memory) else { continue };
            assert!(arena.place(&vec![0; ARENA_BYTES + 1]).is_none());
            let all = arena.place(&vec![0; ARENA_BYTES]).unwrap();
            assert!(arena.place(&[0]).is_none());
            drop(all);
            assert!(arena.place(&[0]).is_some());
        }
    }
}
