//! Tiles: code that runs a program for 32 or 16 rows at once, with AVX2.
//!
//! A tile's accumulator is lanes of 32 or 64 bits in registers, or, of a boolean, a word with a bit for each row; which rows are NULL is a word, too. `lower` makes
//! stencils of steps, `jumps` tells what a jump needs, `frame` has what lies in memory, `cells` what rows are folded into and `lanes`
//! where, `run` hands out rows.
//!
//! Tiles jump from one to the next, and over what no row of them comes to, but nowhere else. Where a row program jumps, rows are marked as dead until the label: what is computed for them nobody looks at, and
//! there they get the values that they left with. A row that is suspect, alive and not NULL, ends the run of tiles; so may one for which tiles cannot tell.

mod cells;
mod frame;
mod header;
mod jumps;
mod lanes;
mod lower;
mod run;

pub use lanes::Lanes;
pub use run::{TileCounters, Tiles};

use std::sync::OnceLock;

use crate::stencil::{Built, NARROW, WIDE};

/// Stencils of tiles with one kind of lanes.
pub struct Family {
    built: &'static Built,
    /// Rows of a tile.
    rows: usize,
    /// Whether lanes have 32 bits, rather than 64.
    is_narrow: bool,
}

static FAMILIES: [Family; 2] =
    [Family { built: &NARROW, rows: 32, is_narrow: true }, Family { built: &WIDE, rows: 16, is_narrow: false }];

/// Those that this processor runs, best first: none without AVX2, or where they are not those that were built.
fn families() -> &'static [&'static Family] {
    static USABLE: OnceLock<Vec<&'static Family>> = OnceLock::new();
    USABLE.get_or_init(|| {
        let is_usable = |family: &&Family| has_instructions() && !family.built.is_empty() && family.built.is_whole();
        FAMILIES.iter().filter(is_usable).collect()
    })
}

/// What the build script tells the compiler (`TILE_FEATURES`).
#[cfg(target_arch = "x86_64")]
fn has_instructions() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_instructions() -> bool {
    false
}
