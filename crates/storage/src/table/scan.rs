//! Scanning a page: every visible row of it at once, columns as slices.

use types::Physical;

use super::access::Table;
use super::cell::{self, Cell};
use super::page::{Layout, TablePage, resolve_view};
use super::versions::Seen;
use crate::codec::Take;
use crate::error::Result;
use crate::txn::Snapshot;

/// One row as some observer sees it.
pub struct RowView<'a> {
    pub(super) page: TablePage<'a>,
    pub(super) slot: usize,
    /// Whether the page has no version map.
    pub(super) settled: bool,
    /// Before-images to lay over it, newest first: the last one that has a column counts.
    pub(super) undo: &'a [&'a [u8]],
}

impl<'a> RowView<'a> {
    #[inline]
    pub(super) fn new(page: TablePage<'a>, slot: usize, undo: &'a [&'a [u8]]) -> RowView<'a> {
        RowView { page, slot, settled: false, undo }
    }

    /// Whether every snapshot sees the row as this (I7).
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// The value of `column`.
    #[inline]
    pub fn cell(&self, column: usize) -> Cell<'a> {
        for image in self.undo.iter().rev() {
            if let Some(cell) = find_in_image(image, column, self.page_layout()) {
                return cell;
            }
        }
        self.page.cell(self.slot, column)
    }

    /// The bytes of `column` in the page, a value or a view of one, where they are its value; `Some(None)` is NULL.
    #[inline]
    pub fn stored(&self, column: usize) -> Option<Option<&'a [u8]>> {
        self.undo.is_empty().then(|| self.page.stored(self.slot, column))
    }

    /// What a view of this page that [`RowView::stored`] gave stands for.
    #[inline]
    pub fn resolve(&self, view: &'a [u8]) -> Cell<'a> {
        self.page.resolve(view)
    }

    fn page_layout(&self) -> &'a Layout {
        self.page.layout()
    }
}

/// The cell of `column` in a before-image.
pub(super) fn find_in_image<'a>(image: &'a [u8], column: usize, layout: &Layout) -> Option<Cell<'a>> {
    let mut found = None;
    each_in_image(image, layout, |c, cell| {
        if c == column {
            found = Some(cell);
        }
    });
    found
}

/// Calls `f` for every `(column, cell)` of a before-image. Images are made by us and in memory: what does not parse is skipped.
pub(super) fn each_in_image<'a>(image: &'a [u8], layout: &Layout, mut f: impl FnMut(usize, Cell<'a>)) {
    let mut t = Take(image);
    while let Ok(column) = t.u16() {
        let column = column as usize;
        let Some(&physical) = layout.columns().get(column) else { return };
        let Ok(cell) = cell::decode(&mut t, physical) else { return };
        f(column, cell);
    }
}

/// Memory that scanning needs, kept from page to page.
#[derive(Default)]
pub struct ScanScratch {
    visible: Vec<u64>,
    /// A patched copy of a page; words, so that mini-pages stay aligned.
    copy: Vec<u64>,
    /// Bytes of before-image values, behind the copy.
    patched: bool,
}

/// A page as a snapshot sees it.
pub struct PageView<'a> {
    page: TablePage<'a>,
    visible: &'a [u64],
    bytes: &'a [u8],
    layout: &'a Layout,
    /// Whether it is the page itself, not a copy.
    in_place: bool,
    settled: bool,
    /// Whether all its slots have visible rows.
    whole: bool,
}

impl<'a> PageView<'a> {
    /// How far ahead of this page the table's next one lies in memory, in bytes, if it is there and they follow one another as they mostly do; 0 where nobody knows.
    #[inline]
    pub fn ahead(&self) -> usize {
        if self.in_place { self.bytes.len() } else { 0 }
    }

    /// Whether every snapshot sees the page as this (I7).
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// What is read of a page before its columns.
    #[inline]
    pub fn head(&self) -> &'a [u8] {
        self.page.head()
    }

    /// One bit per slot: the row is visible. Later bits than the page's slots are zero.
    #[inline]
    pub fn visible(&self) -> &'a [u64] {
        self.visible
    }

    /// Whether the rows in all its slots are visible, as mostly they are.
    #[inline]
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// How many rows are visible.
    pub fn visible_rows(&self) -> usize {
        if self.whole { self.slots() } else { self.visible.iter().map(|word| word.count_ones() as usize).sum() }
    }

    /// Slots that the page has.
    #[inline]
    pub fn slots(&self) -> usize {
        self.page.high()
    }

    /// Columns that it has.
    #[inline]
    pub fn columns(&self) -> usize {
        self.layout.columns().len()
    }

    /// One bit per slot: the column is NULL.
    #[inline]
    pub fn nulls(&self, column: usize) -> &'a [u64] {
        self.page.nulls(column)
    }

    /// The form of a column's values.
    #[inline]
    pub fn form(&self, column: usize) -> Physical {
        self.layout.columns()[column]
    }

    /// The mini-page of a column, aligned to its width: little-endian values, or 16-byte views.
    #[inline]
    pub fn mini_page(&self, column: usize) -> &'a [u8] {
        self.page.mini_page(column)
    }

    /// Where a column's mini-page and its bitmap of NULLs begin, in bytes from the page's start: the same on all pages of a table with this capacity.
    #[inline]
    pub fn places(&self, column: usize) -> [usize; 2] {
        self.page.places(column)
    }

    /// How many slots there is room for.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.page.capacity()
    }

    /// All of the page.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What the view of a variable-length column in `slot` stands for.
    #[inline]
    pub fn var(&self, column: usize, slot: usize) -> Cell<'a> {
        resolve_view(self.bytes, &self.page.mini_page(column)[slot * 16..slot * 16 + 16])
    }

    /// The value of `column` in `slot`.
    pub fn cell(&self, column: usize, slot: usize) -> Cell<'a> {
        match self.layout.columns()[column] {
            Physical::Var if self.nulls(column)[slot / 64] >> (slot % 64) & 1 == 0 => self.var(column, slot),
            _ => self.page.cell(slot, column),
        }
    }
}

impl Table {
    /// Shows `f` the page `block` as `snapshot` sees it. The page is latched meanwhile: `f` must not wait, nor touch this table.
    ///
    /// # Errors
    /// `Io` or `Corrupt` from the page; what `f` says.
    pub fn scan_block<R, E: From<crate::Error>>(
        &self,
        block: u32,
        snapshot: &Snapshot,
        scratch: &mut ScanScratch,
        f: impl FnOnce(&PageView<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        let layout = &self.rel.layout;
        let guard = self.db.read_block(&self.rel, block)?;
        let page = TablePage::new(&guard, layout);
        scratch.visible.clear();
        scratch.visible.extend(page.used().iter().zip(page.dead()).map(|(used, dead)| used & !dead));
        scratch.patched = false;
        let settled = guard.versions().is_none();
        if let Some(versions) = guard.versions() {
            for slot in versions.touched() {
                let (word, bit) = (slot as usize / 64, 1u64 << (slot % 64));
                match versions.see(slot, snapshot) {
                    Seen::AsStored => {}
                    Seen::Absent => scratch.visible[word] &= !bit,
                    Seen::Undo(undo) => {
                        if !scratch.patched && !undo.is_empty() {
                            scratch.patched = true;
                            scratch.copy.clear();
                            scratch.copy.extend_from_slice(bytemuck::cast_slice(&guard));
                        }
                        scratch.visible[word] |= bit;
                        for image in undo {
                            patch(&mut scratch.copy, layout, slot as usize, image);
                        }
                    }
                }
            }
        }
        let bytes: &[u8] = if scratch.patched { bytemuck::cast_slice(&scratch.copy) } else { &guard };
        let page = TablePage::new(bytes, layout);
        let (in_place, visible) = (!scratch.patched, &scratch.visible[..]);
        let whole = are_all_set(visible, page.high());
        f(&PageView { page, visible, bytes, layout, in_place, settled, whole })
    }
}

/// Whether the first `count` bits are set.
#[inline]
fn are_all_set(words: &[u64], count: usize) -> bool {
    let full = words[..count / 64].iter().fold(u64::MAX, |all, word| all & word);
    let rest = (1 << (count % 64)) - 1;
    full == u64::MAX && words.get(count / 64).is_none_or(|word| word & rest == rest)
}

/// Lays a before-image over `slot` of a copied page; long values go behind the copy.
fn patch(copy: &mut Vec<u64>, layout: &Layout, slot: usize, image: &[u8]) {
    each_in_image(image, layout, |column, cell| {
        let mut view = [0u8; 16];
        let mut null = false;
        match cell {
            Cell::Null => null = true,
            Cell::Fixed(b) => view = b,
            Cell::Var(b) if b.len() > cell::INLINE_BYTES => {
                let at = copy.len() * 8;
                let words = b.len().div_ceil(8);
                copy.resize(copy.len() + words, 0);
                bytemuck::cast_slice_mut::<u64, u8>(copy)[at..at + b.len()].copy_from_slice(b);
                view[..4].copy_from_slice(&(b.len() as u32).to_le_bytes());
                view[4..8].copy_from_slice(&b[..4]);
                view[8..12].copy_from_slice(&(at as u32).to_le_bytes());
            }
            other => super::page::write_view(&mut view, &other),
        }
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(copy);
        super::page::overwrite(bytes, layout, slot, column, null, &view);
    });
}
