//! The places of a tile's frame that are the same for all programs, in bytes: the crate and the stencils both have this file.
#![allow(dead_code, reason = "each has some of them")]

/// Where values or row numbers go.
pub const OUT: usize = 0;
/// Where NULL bits go.
pub const OUT_NULLS: usize = 8;
/// Rows of the tile that a jump took elsewhere, whose values nobody looks at for now: a bit each.
pub const DEAD: usize = 16;
/// Rows that the jump at hand takes.
pub const TAKEN: usize = 24;
/// How far a lane's bit of a word is from the highest: a lane each, for all four registers.
pub const SHIFTS: usize = 32;
/// Rows at the start of the tile that an earlier one had: a filter has listed them.
pub const DONE: usize = 160;
/// How many rows were kept when a tile was suspect.
pub const KEPT: usize = 168;
/// For each byte, the places of its bits: eight bytes each.
pub const PLACES: usize = 176;
/// How far ahead the rows lie that are read soon, in bytes.
pub const AHEAD: usize = 184;
/// Bytes of all that.
pub const BYTES: usize = 192;

/// A slot, or what a jump leaves at its label: lanes, then these words.
pub const LANE_BYTES: usize = 128;
/// Which of its rows are NULL.
pub const SLOT_NULLS: usize = LANE_BYTES;
/// Which of its rows are true, if it is a boolean.
pub const SLOT_TRUE: usize = LANE_BYTES + 8;
/// Which rows jumped there.
pub const SLOT_ROWS: usize = LANE_BYTES + 16;
/// Bytes of all that.
pub const SLOT_BYTES: usize = LANE_BYTES + 32;

/// A cell: how many rows or values it counts, how many tiles it has summed, or, of logic, which rows decide it.
pub const CELL_COUNT: usize = 0;
/// Whether it has seen values: bits that are set where it has.
pub const CELL_SEEN: usize = 8;
/// Then come a register or two, if it has any.
pub const CELL_LANES: usize = 32;
