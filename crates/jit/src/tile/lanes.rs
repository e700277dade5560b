//! `Lanes`: the cells of tiles, in a frame that runs of the same tiles share.

use smallvec::SmallVec;

use super::Family;
use super::cells::TileCell;
use super::frame::{Frame, TileLayout};
use crate::program::Cell;

/// Cells that take no allocation.
const FEW_CELLS: usize = 8;
/// Words of cells that take none.
const FEW_WORDS: usize = 64;

/// What tiles have folded since somebody looked, and their frame.
#[derive(Clone, Default)]
pub struct Lanes {
    frame: Frame,
    /// Whose frame it is, by `Tiles::id`; 0 is nobody's.
    of: u64,
    places: SmallVec<[TileCell; FEW_CELLS]>,
    first_word: usize,
    is_narrow: bool,
    /// How many rows went into them.
    rows: usize,
}

/// What lanes held.
pub struct Saved(SmallVec<[u64; FEW_WORDS]>);

impl Lanes {
    /// How many rows went into them.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether the frame is that of these tiles.
    pub fn is_of(&self, id: u64) -> bool {
        self.of == id
    }

    /// Empty ones, in a frame for these tiles.
    pub fn begin(&mut self, id: u64, layout: &TileLayout, family: &Family) {
        let words = self.frame.begin(layout, family, 0, 0);
        layout.cells.iter().for_each(|place| place.begin(words, family.is_narrow));
        (self.of, self.is_narrow, self.rows) = (id, family.is_narrow, 0);
        self.places.clear();
        self.places.extend_from_slice(&layout.cells);
        self.first_word = layout.cells.iter().map(|place| place.at / 8).min().unwrap_or(0);
    }

    /// What a cell comes to with them.
    pub fn added_to(&self, before: Cell, cell: u32) -> Cell {
        match self.places.iter().find(|place| place.cell == cell) {
            Some(place) if self.rows > 0 => place.end(before, self.frame.words(), self.is_narrow),
            _ => before,
        }
    }

    /// Forgets them.
    pub fn clear(&mut self) {
        (self.of, self.rows) = (0, 0);
    }

    /// The frame's words.
    pub fn words(&mut self) -> &mut [u64] {
        self.frame.words_mut()
    }

    /// They have so many rows more.
    pub fn count(&mut self, rows: usize) {
        self.rows += rows;
    }

    /// As they are.
    pub fn save(&self) -> Saved {
        Saved(SmallVec::from_slice(&self.frame.words()[self.first_word..]))
    }

    /// As they were.
    pub fn restore(&mut self, saved: &Saved) {
        self.frame.words_mut()[self.first_word..].copy_from_slice(&saved.0);
    }
}
