//! Table pages: PAX layout, one mini-page per column.
//!
//! ```text
//!   header (128) | used bitmap | dead bitmap | null bitmap per column | mini-pages, widest columns first | free | string heap
//!   24 capacity u16   26 columns u16   28 high u16   30 live u16   32 heap start u32   36 garbage u32
//! ```
//! Bitmaps are of 64-bit words. A fixed-width cell lies in its column's mini-page. A variable-length cell has a 16-byte view there:
//! `length u32 | 12 bytes` when it fits, else `length u32 | first 4 bytes | where u32 | item u16 | kind u16` with kind 0 = in this page's
//! heap at offset `where`, 1 = in overflow block `where`, 2 = likewise, lz4-compressed. The heap grows downwards.
//!
//! Columns are placed by falling width, so every mini-page is aligned to its width without padding.
//!
//! Source: Ailamaki et al., "Weaving Relations for Cache Performance" (VLDB 2001).

use types::Physical;

use super::cell::{Cell, INLINE_BYTES, OverflowRef};
use crate::buffer::PageClass;
use crate::ids::{DbId, PageNo, RelId};
use crate::page::{self, HEADER_BYTES, PageKind, set_u16, set_u32, u16_at, u32_at};

const CAPACITY_AT: usize = 24;
const COLUMNS_AT: usize = 26;
const HIGH_AT: usize = 28;
const LIVE_AT: usize = 30;
const HEAP_AT: usize = 32;
const GARBAGE_AT: usize = 36;

const KIND_OVERFLOW: u16 = 1;
const KIND_OVERFLOW_LZ4: u16 = 2;

/// Most rows in one page.
const CAPACITY_MAX: usize = 16 * 1024;

/// The forms of a table's columns and where their mini-pages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    columns: Vec<Physical>,
    /// Bytes per row of the mini-pages before this column's.
    before: Vec<usize>,
    /// Both, and the width of a value of this column.
    places: Vec<(usize, usize)>,
    row_bytes: usize,
}

impl Layout {
    /// The layout of `columns`.
    pub fn new(columns: Vec<Physical>) -> Layout {
        let mut order: Vec<usize> = (0..columns.len()).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(columns[i].width()), i));
        let mut before = vec![0; columns.len()];
        let mut row_bytes = 0;
        for i in order {
            before[i] = row_bytes;
            row_bytes += columns[i].width();
        }
        let places = before.iter().zip(&columns).map(|(&before, form)| (before, form.width())).collect();
        Layout { columns, before, places, row_bytes }
    }

    /// Forms by column.
    pub fn columns(&self) -> &[Physical] {
        &self.columns
    }

    /// The page class of a table's first block: small unless one row's fixed part asks for more.
    pub fn first_class(&self) -> PageClass {
        if self.fixed_bytes(1) + 2048 <= PageClass::Small.bytes() { PageClass::Small } else { PageClass::Large }
    }

    /// Bytes before the heap in a page of `capacity` rows.
    fn fixed_bytes(&self, capacity: usize) -> usize {
        self.bitmap_bytes(capacity) + self.row_bytes * capacity
    }

    fn bitmap_bytes(&self, capacity: usize) -> usize {
        (HEADER_BYTES + 8 * capacity.div_ceil(64) * (2 + self.columns.len())).next_multiple_of(16)
    }

    /// Rows for a page in which a row is expected to need `heap_bytes` of heap.
    pub fn capacity(&self, class: PageClass, heap_bytes: usize) -> usize {
        let fits = |n: usize| self.fixed_bytes(n) + n * heap_bytes <= class.bytes();
        let (mut low, mut high) = (1, CAPACITY_MAX);
        while low < high {
            let middle = (low + high).div_ceil(2);
            if fits(middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// Heap bytes of an empty page of `capacity` rows; `None` when its fixed part alone does not fit.
    pub fn heap_room(&self, class: PageClass, capacity: usize) -> Option<usize> {
        class.bytes().checked_sub(self.fixed_bytes(capacity))
    }
}

/// A table page, read.
#[derive(Clone, Copy)]
pub struct TablePage<'a> {
    bytes: &'a [u8],
    layout: &'a Layout,
    capacity: usize,
    /// Words of a bitmap, and where the mini-pages begin.
    words: usize,
    columns_at: usize,
}

/// A table page, to change.
pub struct TablePageMut<'a> {
    bytes: &'a mut [u8],
    layout: &'a Layout,
    capacity: usize,
}

/// Formats `bytes` as an empty table page.
#[allow(clippy::too_many_arguments, reason = "each is a field of the header")]
pub fn format(
    bytes: &mut [u8],
    class: PageClass,
    db: DbId,
    rel: RelId,
    page: PageNo,
    layout: &Layout,
    capacity: usize,
) {
    bytes.fill(0);
    page::format(bytes, PageKind::Table, class, db, rel, page);
    set_u16(bytes, CAPACITY_AT, capacity as u16);
    set_u16(bytes, COLUMNS_AT, layout.columns.len() as u16);
    let end = bytes.len() as u32;
    set_u32(bytes, HEAP_AT, end);
}

impl<'a> TablePage<'a> {
    /// Looks at `bytes` as a table page of `layout`.
    #[inline]
    pub fn new(bytes: &'a [u8], layout: &'a Layout) -> TablePage<'a> {
        let capacity = u16_at(bytes, CAPACITY_AT) as usize;
        TablePage { bytes, layout, capacity, words: capacity.div_ceil(64), columns_at: layout.bitmap_bytes(capacity) }
    }

    /// The layout it is read with.
    pub fn layout(&self) -> &'a Layout {
        self.layout
    }

    /// Rows it can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// No slot from here on was ever used.
    #[inline]
    pub fn high(&self) -> usize {
        (u16_at(self.bytes, HIGH_AT) as usize).min(self.capacity)
    }

    /// Rows that are neither free nor dead.
    pub fn live(&self) -> usize {
        u16_at(self.bytes, LIVE_AT) as usize
    }

    /// Columns it was formatted for.
    pub fn column_count(&self) -> usize {
        u16_at(self.bytes, COLUMNS_AT) as usize
    }

    fn bitmap(&self, index: usize) -> &'a [u64] {
        let at = HEADER_BYTES + 8 * self.words * index;
        bytemuck::cast_slice(&self.bytes[at..at + 8 * self.words])
    }

    /// One bit per slot: a row was put there.
    #[inline]
    pub fn used(&self) -> &'a [u64] {
        self.bitmap(0)
    }

    /// The header, and which rows there are.
    #[inline]
    pub fn head(&self) -> &'a [u8] {
        &self.bytes[..HEADER_BYTES + 2 * 8 * self.words]
    }

    /// One bit per slot: the row was deleted.
    #[inline]
    pub fn dead(&self) -> &'a [u64] {
        self.bitmap(1)
    }

    /// One bit per slot: the column is NULL.
    #[inline]
    pub fn nulls(&self, column: usize) -> &'a [u64] {
        self.bitmap(2 + column)
    }

    /// Bit `slot` of a bitmap, which has so many.
    #[inline]
    fn bit(&self, index: usize, slot: usize) -> bool {
        self.bytes[HEADER_BYTES + 8 * self.words * index + slot / 8] >> (slot % 8) & 1 == 1
    }

    /// Whether a row was put in `slot` and not yet purged.
    #[inline]
    pub fn is_used(&self, slot: usize) -> bool {
        slot < self.capacity && self.bit(0, slot)
    }

    /// Whether the row in `slot` is deleted.
    #[inline]
    pub fn is_dead(&self, slot: usize) -> bool {
        self.bit(1, slot)
    }

    /// Whether `slot` holds a row that is not deleted.
    pub fn is_live(&self, slot: usize) -> bool {
        self.is_used(slot) && !self.is_dead(slot)
    }

    fn column_at(&self, column: usize) -> usize {
        self.columns_at + self.capacity * self.layout.before[column]
    }

    /// The mini-page of `column`.
    #[inline]
    pub fn mini_page(&self, column: usize) -> &'a [u8] {
        let at = self.column_at(column);
        &self.bytes[at..at + self.capacity * self.layout.columns[column].width()]
    }

    /// Where the mini-page and the bitmap of `column` begin, in bytes from the page's start.
    #[inline]
    pub fn places(&self, column: usize) -> [usize; 2] {
        [self.column_at(column), HEADER_BYTES + 8 * self.words * (2 + column)]
    }

    /// The bytes of `column` in `slot`, a value or a view of one; `None` for NULL.
    #[inline]
    pub fn stored(&self, slot: usize, column: usize) -> Option<&'a [u8]> {
        if self.bit(2 + column, slot) {
            return None;
        }
        let (before, width) = self.layout.places[column];
        let at = self.columns_at + self.capacity * before + slot * width;
        Some(&self.bytes[at..at + width])
    }

    /// The value in `slot`. For a variable-length value that is the bytes in this page, or where they are.
    #[inline]
    pub fn cell(&self, slot: usize, column: usize) -> Cell<'a> {
        match (self.stored(slot, column), self.layout.columns[column]) {
            (None, _) => Cell::Null,
            (Some(stored), Physical::Var) => self.resolve(stored),
            (Some(stored), _) => Cell::fixed(stored),
        }
    }

    /// What a 16-byte view of this page stands for.
    #[inline]
    pub fn resolve(&self, view: &'a [u8]) -> Cell<'a> {
        resolve_view(self.bytes, view)
    }

    fn fixed_end(&self) -> usize {
        self.layout.fixed_bytes(self.capacity)
    }

    fn heap_start(&self) -> usize {
        u32_at(self.bytes, HEAP_AT) as usize
    }

    /// Free bytes between mini-pages and heap.
    pub fn contiguous_room(&self) -> usize {
        self.heap_start().saturating_sub(self.fixed_end())
    }

    /// Free bytes, counting those that compaction would win.
    pub fn total_room(&self) -> usize {
        self.contiguous_room() + u32_at(self.bytes, GARBAGE_AT) as usize
    }

    /// The first free slot, if there is one.
    pub fn free_slot(&self) -> Option<usize> {
        let high = self.high();
        // Only pages that lost rows have holes below `high`.
        if self.live() < high {
            for (i, word) in self.used().iter().enumerate() {
                let slot = i * 64 + word.trailing_ones() as usize;
                if *word != u64::MAX && slot < high {
                    return Some(slot);
                }
            }
        }
        (high < self.capacity).then_some(high)
    }

    /// Whether the header's numbers agree with the bitmaps and every view stays inside the page.
    pub fn check(&self) -> Result<(), String> {
        if self.capacity == 0 || self.fixed_end() > self.bytes.len() {
            return Err(format!("capacity {} does not fit", self.capacity));
        }
        if self.column_count() != self.layout.columns.len() {
            return Err(format!("{} columns instead of {}", self.column_count(), self.layout.columns.len()));
        }
        let beyond =
            |words: &[u64]| !self.capacity.is_multiple_of(64) && words[self.capacity / 64] >> (self.capacity % 64) != 0;
        if beyond(self.used()) || beyond(self.dead()) {
            return Err("rows are marked beyond its capacity".to_owned());
        }
        let live = (0..self.capacity).filter(|&s| self.is_live(s)).count();
        if live != self.live() {
            return Err(format!("{live} rows live, header says {}", self.live()));
        }
        let heap = self.heap_start();
        if heap < self.fixed_end() || heap > self.bytes.len() {
            return Err("the heap overlaps the columns".to_owned());
        }
        for slot in (0..self.capacity).filter(|&s| self.is_used(s)) {
            if slot >= self.high() {
                return Err(format!("slot {slot} is above the high mark"));
            }
            for (column, &physical) in self.layout.columns.iter().enumerate() {
                if physical != Physical::Var || self.bit(2 + column, slot) {
                    continue;
                }
                let at = self.column_at(column) + slot * 16;
                let view = &self.bytes[at..at + 16];
                let len = u32_at(view, 0) as usize;
                let (place, kind) = (u32_at(view, 8) as usize, u16_at(view, 14));
                if len > INLINE_BYTES && kind == 0 && (place < heap || place + len > self.bytes.len()) {
                    return Err(format!("value of slot {slot} column {column} lies outside the heap"));
                }
            }
        }
        Ok(())
    }
}

/// What `view` stands for, when the heap of its page is in `bytes`. Out-of-range views of damaged pages read as empty.
#[inline]
pub fn resolve_view<'a>(bytes: &'a [u8], view: &'a [u8]) -> Cell<'a> {
    let len = u32_at(view, 0) as usize;
    if len <= INLINE_BYTES {
        return Cell::Var(&view[4..4 + len]);
    }
    let place = u32_at(view, 8);
    match u16_at(view, 14) {
        0 => Cell::Var(bytes.get(place as usize..place as usize + len).unwrap_or(&[])),
        kind => Cell::Overflow(OverflowRef {
            raw_bytes: len as u32,
            prefix: view[4..8].try_into().expect("four bytes"),
            block: place,
            item: u16_at(view, 12),
            compressed: kind == KIND_OVERFLOW_LZ4,
        }),
    }
}

impl<'a> TablePageMut<'a> {
    /// Changes `bytes` as a table page of `layout`.
    pub fn new(bytes: &'a mut [u8], layout: &'a Layout) -> TablePageMut<'a> {
        let capacity = u16_at(bytes, CAPACITY_AT) as usize;
        TablePageMut { bytes, layout, capacity }
    }

    /// The page, read.
    pub fn as_ref(&self) -> TablePage<'_> {
        TablePage::new(self.bytes, self.layout)
    }

    fn set_bit(&mut self, bitmap: usize, slot: usize, on: bool) {
        let at = HEADER_BYTES + 8 * self.capacity.div_ceil(64) * bitmap + slot / 8;
        let mask = 1 << (slot % 8);
        if on {
            self.bytes[at] |= mask;
        } else {
            self.bytes[at] &= !mask;
        }
    }

    fn add_live(&mut self, delta: i32) {
        let live = i32::from(u16_at(self.bytes, LIVE_AT)) + delta;
        set_u16(self.bytes, LIVE_AT, live as u16);
    }

    /// Marks `slot` as holding a live row; its cells are put one by one.
    pub fn occupy(&mut self, slot: usize) {
        if !self.as_ref().is_live(slot) {
            self.add_live(1);
        }
        self.set_bit(0, slot, true);
        self.set_bit(1, slot, false);
        if slot >= self.as_ref().high() {
            set_u16(self.bytes, HIGH_AT, slot as u16 + 1);
        }
    }

    /// Marks the row in `slot` deleted, or not deleted.
    pub fn set_dead(&mut self, slot: usize, dead: bool) {
        if self.as_ref().is_dead(slot) != dead && self.as_ref().is_used(slot) {
            self.set_bit(1, slot, dead);
            self.add_live(if dead { -1 } else { 1 });
        }
    }

    /// Empties `slot` for reuse: zeros its cells (I8).
    pub fn free(&mut self, slot: usize) {
        if !self.as_ref().is_used(slot) {
            return;
        }
        self.set_dead(slot, true);
        for column in 0..self.layout.columns.len() {
            self.put(slot, column, &Cell::Null);
            self.set_bit(2 + column, slot, false);
        }
        self.set_bit(0, slot, false);
        self.set_bit(1, slot, false);
    }

    /// Stores `cell`; false, with nothing changed, when the heap has no room even after compaction.
    pub fn put(&mut self, slot: usize, column: usize, cell: &Cell<'_>) -> bool {
        let physical = self.layout.columns[column];
        let width = physical.width();
        let at = self.as_ref().column_at(column) + slot * width;
        let old_heap = match physical {
            Physical::Var => heap_bytes_of(&self.bytes[at..at + 16]),
            _ => 0,
        };
        let need = cell.heap_bytes();
        if need > 0 && need > self.as_ref().contiguous_room() {
            if need > self.as_ref().total_room() + old_heap {
                return false;
            }
            // The old value counts as garbage while compacting.
            self.bytes[at..at + 16].fill(0);
            self.add_garbage(old_heap as i64);
            self.compact();
        } else {
            self.add_garbage(old_heap as i64);
        }
        self.set_bit(2 + column, slot, matches!(cell, Cell::Null));
        self.store(at, width, cell);
        true
    }

    /// Stores `cell`, of a column of fixed width.
    #[inline]
    pub fn put_fixed(&mut self, slot: usize, column: usize, cell: &Cell<'_>) {
        let width = self.layout.columns[column].width();
        let at = self.as_ref().column_at(column) + slot * width;
        self.set_bit(2 + column, slot, matches!(cell, Cell::Null));
        self.store(at, width, cell);
    }

    /// Puts a row into free `slot`, whose cells are zero (I8); false, with nothing changed, when the heap has no room even after
    /// compaction.
    pub fn fill(&mut self, slot: usize, cells: &[Cell<'_>]) -> bool {
        let need: usize = cells.iter().map(Cell::heap_bytes).sum();
        if need > self.as_ref().contiguous_room() {
            if need > self.as_ref().total_room() {
                return false;
            }
            self.compact();
        }
        self.occupy(slot);
        let layout = self.layout;
        let base = layout.bitmap_bytes(self.capacity);
        for (column, cell) in cells.iter().enumerate() {
            if matches!(cell, Cell::Null) {
                self.set_bit(2 + column, slot, true);
                continue;
            }
            let width = layout.columns[column].width();
            self.store(base + self.capacity * layout.before[column] + slot * width, width, cell);
        }
        true
    }

    /// Writes `cell` at `at`, its heap bytes where the heap has room for them.
    fn store(&mut self, at: usize, width: usize, cell: &Cell<'_>) {
        let mut stored = [0u8; 16];
        match cell {
            Cell::Null => {}
            Cell::Fixed(b) => stored = *b,
            Cell::Var(b) if b.len() <= INLINE_BYTES => write_view(&mut stored, cell),
            Cell::Var(b) => {
                let start = self.as_ref().heap_start() - b.len();
                self.bytes[start..start + b.len()].copy_from_slice(b);
                set_u32(self.bytes, HEAP_AT, start as u32);
                stored[..4].copy_from_slice(&(b.len() as u32).to_le_bytes());
                stored[4..8].copy_from_slice(&b[..4]);
                stored[8..12].copy_from_slice(&(start as u32).to_le_bytes());
            }
            Cell::Overflow(_) => write_view(&mut stored, cell),
        }
        let place = &mut self.bytes[at..at + width];
        // Each by its known width: no call for a few bytes.
        match width {
            4 => place.copy_from_slice(&stored[..4]),
            8 => place.copy_from_slice(&stored[..8]),
            16 => place.copy_from_slice(&stored),
            _ => place.copy_from_slice(&stored[..width]),
        }
    }

    fn add_garbage(&mut self, delta: i64) {
        let garbage = i64::from(u32_at(self.bytes, GARBAGE_AT)) + delta;
        set_u32(self.bytes, GARBAGE_AT, garbage as u32);
    }

    /// Rewrites the heap without its garbage.
    fn compact(&mut self) {
        let old: Vec<u8> = self.bytes[self.as_ref().heap_start()..].to_vec();
        let base = self.as_ref().heap_start();
        let mut start = self.bytes.len();
        for column in 0..self.layout.columns.len() {
            if self.layout.columns[column] != Physical::Var {
                continue;
            }
            let column_at = self.as_ref().column_at(column);
            for slot in 0..self.as_ref().high() {
                let at = column_at + slot * 16;
                let n = heap_bytes_of(&self.bytes[at..at + 16]);
                if n == 0 {
                    continue;
                }
                let from = u32_at(self.bytes, at + 8) as usize - base;
                start -= n;
                self.bytes[start..start + n].copy_from_slice(&old[from..from + n]);
                set_u32(self.bytes, at + 8, start as u32);
            }
        }
        set_u32(self.bytes, HEAP_AT, start as u32);
        set_u32(self.bytes, GARBAGE_AT, 0);
    }
}

/// Bytes of this page's heap that a view holds.
fn heap_bytes_of(view: &[u8]) -> usize {
    let len = u32_at(view, 0) as usize;
    if len > INLINE_BYTES && u16_at(view, 14) == 0 { len } else { 0 }
}

/// Writes the view of a value that needs no heap: a short or an overflow one.
pub(super) fn write_view(view: &mut [u8; 16], cell: &Cell<'_>) {
    match cell {
        Cell::Var(b) => {
            debug_assert!(b.len() <= INLINE_BYTES);
            view[..4].copy_from_slice(&(b.len() as u32).to_le_bytes());
            view[4..4 + b.len()].copy_from_slice(b);
        }
        Cell::Overflow(r) => {
            view[..4].copy_from_slice(&r.raw_bytes.to_le_bytes());
            view[4..8].copy_from_slice(&r.prefix);
            view[8..12].copy_from_slice(&r.block.to_le_bytes());
            view[12..14].copy_from_slice(&r.item.to_le_bytes());
            let kind = if r.compressed { KIND_OVERFLOW_LZ4 } else { KIND_OVERFLOW };
            view[14..].copy_from_slice(&kind.to_le_bytes());
        }
        Cell::Null | Cell::Fixed(_) => {}
    }
}

/// Overwrites a stored value in a scan's copy of a page, without any heap accounting.
pub(super) fn overwrite(bytes: &mut [u8], layout: &Layout, slot: usize, column: usize, null: bool, stored: &[u8; 16]) {
    let mut page = TablePageMut::new(bytes, layout);
    page.set_bit(2 + column, slot, null);
    let width = layout.columns[column].width();
    let at = page.as_ref().column_at(column) + slot * width;
    page.bytes[at..at + width].copy_from_slice(&stored[..width]);
}
