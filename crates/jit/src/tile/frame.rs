//! The frame of a tile: a header, then columns, inputs, lists, sets and tables as row programs have them, then slots, what jumps leave at labels, and cells.

use super::cells::TileCell;
use super::{Family, header};
use crate::assemble::Layout;
use crate::program::Program;

/// The places of a frame.
#[derive(Debug)]
pub struct TileLayout {
    /// Columns, inputs, lists, sets and tables; its slots are not used, and its cells not there.
    pub base: Layout,
    /// Where slots start, in bytes.
    slots: usize,
    /// Where labels start, in bytes.
    labels: usize,
    /// What is folded, and where.
    pub cells: Vec<TileCell>,
    /// Lines of the whole frame.
    lines: usize,
}

/// Words of a frame that lanes are loaded from at once.
#[derive(Clone, Copy, Default)]
#[repr(C, align(32))]
struct Line([u64; 4]);

/// Lines that take no allocation.
const FEW_LINES: usize = 24;

/// Memory for the frame of a run, or of many of the same tiles. Most fit into what is here, so that nothing is moved or allocated.
#[derive(Clone, Default)]
pub struct Frame {
    few: [Line; FEW_LINES],
    many: Vec<Line>,
    /// Lines that are used.
    lines: usize,
}

impl TileLayout {
    pub fn of(program: &Program, labels: usize) -> TileLayout {
        let base = Layout::behind(header::BYTES / 8, program);
        let slots = (8 * base.cells).next_multiple_of(size_of::<Line>());
        let first_label = slots + header::SLOT_BYTES * program.slots as usize;
        let mut bytes = first_label + header::SLOT_BYTES * labels;
        let cells = program.steps.iter().filter_map(|step| TileCell::of(step, &mut bytes)).collect();
        TileLayout { base, slots, labels: first_label, cells, lines: bytes.div_ceil(size_of::<Line>()) }
    }

    /// The first cell of each pair lies where the second does.
    pub fn join(&mut self, same: &[[u32; 2]]) {
        for &[cell, other] in same {
            let at = self.cells.iter().find(|place| place.cell == other).map(|place| place.at);
            let joined = self.cells.iter_mut().find(|place| place.cell == cell);
            if let (Some(at), Some(place)) = (at, joined) {
                place.at = at;
            }
        }
    }

    /// Where a slot lies.
    pub fn slot(&self, i: u32) -> u64 {
        (self.slots + header::SLOT_BYTES * i as usize) as u64
    }

    /// Where the rows wait that jumped to a label.
    pub fn label(&self, i: usize) -> u64 {
        (self.labels + header::SLOT_BYTES * i) as u64
    }
}

/// How far the bit of each lane is from the highest, of 64 bits and of 32.
static SHIFTS: [[u64; 16]; 2] = {
    let mut all = [[0; 16]; 2];
    let mut word = 0;
    while word < 16 {
        let first = 31 - 2 * word as u64;
        all[0][word] = 63 - word as u64;
        all[1][word] = first | (first - 1) << 32;
        word += 1;
    }
    all
};

/// The places of a byte's bits, lowest first, for each byte.
static PLACES: [[u8; 8]; 256] = {
    let mut all = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                all[byte][count] = bit;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    all
};

impl Frame {
    /// The words of a frame whose columns, inputs and lists are not filled in yet.
    pub fn begin(&mut self, layout: &TileLayout, family: &Family, out: u64, nulls: u64) -> &mut [u64] {
        if self.lines > 0 {
            *self = Frame::default();
        }
        self.lines = layout.lines;
        if self.lines > FEW_LINES {
            self.many = vec![Line::default(); self.lines];
        }
        let words = self.words_mut();
        words[header::OUT / 8] = out;
        words[header::OUT_NULLS / 8] = nulls;
        words[header::SHIFTS / 8..][..16].copy_from_slice(&SHIFTS[usize::from(family.is_narrow)]);
        words[header::PLACES / 8] = PLACES.as_ptr().expose_provenance() as u64;
        words
    }

    /// Its words.
    pub fn words(&self) -> &[u64] {
        let lines = if self.lines <= FEW_LINES { &self.few[..self.lines] } else { &self.many[..] };
        // SAFETY: a line is four words and nothing else (`repr(C)`, 32 bytes aligned to 32), so that the lines are four times as many words.
        unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), 4 * lines.len()) }
    }

    /// The same, to be written.
    pub fn words_mut(&mut self) -> &mut [u64] {
        let lines = if self.lines <= FEW_LINES { &mut self.few[..self.lines] } else { &mut self.many[..] };
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), 4 * lines.len()) }
    }
}

const _: () = assert!(
    size_of::<Line>() == 32
        && header::SLOT_BYTES.is_multiple_of(32)
        && header::CELL_LANES.is_multiple_of(32)
        && header::SHIFTS.is_multiple_of(32)
);
