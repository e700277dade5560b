//! Where pages and frames lie: reserved virtual memory, or, where that is refused, a table of single allocations.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use memmap2::{MmapOptions, MmapRaw, UncheckedAdvice};

use super::frame::Frame;
use super::{PageClass, UNIT_BYTES};
use crate::error::{Error, Result};
use crate::ids::PageNo;

/// Memory for up to `units` page numbers.
pub(super) struct Memory {
    units: u32,
    pages: Pages,
    frames: MmapRaw,
    /// Whether the system is asked for huge pages.
    huge: AtomicBool,
}

/// A database's first pages are never huge: most databases are small, and should stay so.
const SMALL_BYTES: usize = 16 << 20;

enum Pages {
    /// `base + page * UNIT_BYTES`.
    Reserved(MmapRaw),
    /// One allocation per resident page.
    Table(Box<[AtomicPtr<u8>]>),
}

fn reserve(bytes: usize) -> std::io::Result<MmapRaw> {
    // SAFETY-free: an anonymous private mapping; nothing is shared with anyone.
    Ok(MmapRaw::from(MmapOptions::new().len(bytes).no_reserve_swap().map_anon()?))
}

/// Tells the system whether huge pages are welcome between the small databases' share and `end`; whether it listened.
fn advise(map: &MmapRaw, huge: bool, end: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        let advice = if huge { memmap2::Advice::HugePage } else { memmap2::Advice::NoHugePage };
        map.advise_range(advice, SMALL_BYTES, end - SMALL_BYTES).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (map, huge, end);
        false
    }
}

impl Memory {
    /// Reserves address space for `units` pages, or fewer when the system refuses so much. Where `budget_bytes` of it, all resident,
    /// would do no harm, the system may take huge pages: scans miss the translation cache less.
    pub fn new(units: u32, budget_bytes: usize) -> Result<Memory> {
        let mut units = units.max(1024);
        loop {
            match (reserve(units as usize * UNIT_BYTES), reserve(units as usize * size_of::<Frame>())) {
                (Ok(pages), Ok(frames)) => {
                    let memory = Memory { units, pages: Pages::Reserved(pages), frames, huge: AtomicBool::new(false) };
                    memory.prefer_huge(budget_bytes);
                    return Ok(memory);
                }
                (Err(_), Ok(frames)) if units <= 1 << 16 => return Ok(Memory::table(units, frames)),
                (Err(e), _) | (_, Err(e)) if units <= 1024 => return Err(Error::io("reserve address space")(e)),
                _ => units /= 4,
            }
        }
    }

    /// The portable form, without one big reservation.
    pub fn portable(units: u32) -> Result<Memory> {
        let frames = reserve(units as usize * size_of::<Frame>()).map_err(Error::io("reserve address space"))?;
        Ok(Memory::table(units, frames))
    }

    fn table(units: u32, frames: MmapRaw) -> Memory {
        let table = (0..units).map(|_| AtomicPtr::new(std::ptr::null_mut())).collect();
        Memory { units, pages: Pages::Table(table), frames, huge: AtomicBool::new(false) }
    }

    /// Asks for huge pages up to `budget_bytes`. Only a wish: nothing depends on it.
    fn prefer_huge(&self, budget_bytes: usize) {
        if let Pages::Reserved(map) = &self.pages {
            let end = budget_bytes.min(map.len()) & !(SMALL_BYTES - 1);
            let asked = end > SMALL_BYTES && advise(map, true, end);
            self.huge.store(asked, Ordering::Relaxed);
        }
    }

    /// Takes the wish for huge pages back: memory is short, and one huge page would bring back what many evictions gave.
    pub fn prefer_small(&self) {
        if let Pages::Reserved(map) = &self.pages
            && self.huge.load(Ordering::Relaxed)
            && self.huge.swap(false, Ordering::Relaxed)
        {
            advise(map, false, map.len());
        }
    }

    /// How many page numbers fit.
    pub fn units(&self) -> u32 {
        self.units
    }

    #[inline]
    pub fn frame(&self, page: PageNo) -> &Frame {
        assert!(page.0 < self.units, "page numbers are bounded by the allocator");
        // SAFETY: in bounds by the assert; the mapping is aligned to 4 KiB, as large as `units` frames, lives as long as self,
        // and its zero bytes are a valid `Frame`; frames are only ever used through shared references.
        unsafe { &*self.frames.as_mut_ptr().cast::<Frame>().add(page.0 as usize) }
    }

    /// Address of a page. In table form it is null until [`Memory::populate`].
    #[inline]
    pub fn address(&self, page: PageNo) -> *mut u8 {
        match &self.pages {
            // SAFETY: `frame` and the allocator bound `page`; the offset stays inside the mapping.
            Pages::Reserved(map) => unsafe { map.as_mut_ptr().add(page.0 as usize * UNIT_BYTES) },
            Pages::Table(table) => table[page.0 as usize].load(Ordering::Acquire),
        }
    }

    /// Makes memory for `page`; the caller holds its exclusive latch.
    pub fn populate(&self, page: PageNo, class: PageClass) {
        if let Pages::Table(table) = &self.pages
            && table[page.0 as usize].load(Ordering::Acquire).is_null()
        {
            let layout = layout(class);
            // SAFETY: the layout has nonzero size.
            let p = unsafe { alloc_zeroed(layout) };
            if p.is_null() {
                handle_alloc_error(layout);
            }
            table[page.0 as usize].store(p, Ordering::Release);
        }
    }

    /// Gives the memory of `count` pages back, the first being `page`; the caller holds their exclusive latches and will mark them evicted.
    pub fn release(&self, page: PageNo, class: PageClass, count: usize) {
        match &self.pages {
            Pages::Reserved(map) => {
                let (start, length) = (page.0 as usize * UNIT_BYTES, count * class.bytes());
                // SAFETY: the range lies in our private anonymous mapping; its content is given up (the latches are held, and
                // optimistic readers re-check the latch word before they use what they read).
                let _ = unsafe { map.unchecked_advise_range(UncheckedAdvice::DontNeed, start, length) };
            }
            Pages::Table(table) => {
                for page in table[page.0 as usize..].iter().step_by(class.units() as usize).take(count) {
                    let p = page.swap(std::ptr::null_mut(), Ordering::AcqRel);
                    if !p.is_null() {
                        // SAFETY: allocated by `populate` with the same layout, and nobody else has the latch. (Table form gives
                        // no optimistic reads: see `PageSpace::optimistic`.)
                        unsafe { dealloc(p, layout(class)) };
                    }
                }
            }
        }
    }

    /// Whether a page's address stays readable after release, as optimistic reads need.
    pub fn is_stable(&self) -> bool {
        matches!(self.pages, Pages::Reserved(_))
    }
}

fn layout(class: PageClass) -> Layout {
    Layout::from_size_align(class.bytes(), 4096).expect("a valid layout")
}
