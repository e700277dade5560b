//! `Cells`: what rows are folded into, run after run.
//!
//! A run counts whole or not at all (J3): those that go row by row write a copy, which is kept if they come to their end. Tiles fold into lanes instead, in a frame that stays as
//! it is from one run to the next: to lay one out takes as long as some hundred rows. Lanes are added to the cells when somebody looks, before anybody goes row by
//! row, and before they could overflow.

use smallvec::SmallVec;

use crate::program::Cell;
use crate::rows::ROWS_MAX;
use crate::tile::Lanes;

/// Cells that take no allocation.
const FEW_CELLS: usize = 8;

type All = SmallVec<[Cell; FEW_CELLS]>;

/// What came of the rows so far that were folded by one unit, or by units whose programs have the same folds.
#[derive(Clone)]
pub struct Cells {
    /// Without what is in the lanes.
    own: All,
    lanes: Lanes,
    /// With what the run at hand has folded.
    fresh: Option<All>,
}

impl Cells {
    /// So many cells that saw nothing.
    pub fn new(count: u32) -> Cells {
        Cells::from(&*All::from_elem([0; 2], count as usize))
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty, reason = "there is one at least")]
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// What a cell has come to.
    ///
    /// # Panics
    /// When there is no such cell.
    pub fn get(&self, cell: u32) -> Cell {
        self.lanes.added_to(self.own[cell as usize], cell)
    }

    /// Those that the run at hand folds into row by row.
    pub(crate) fn fresh(&mut self) -> &mut [Cell] {
        let Cells { own, lanes, fresh } = self;
        fresh.get_or_insert_with(|| (0..).zip(own.iter()).map(|(i, &cell)| lanes.added_to(cell, i)).collect())
    }

    /// The lanes of tiles with this number, or nobody's; with room for so many rows more.
    pub(crate) fn lanes(&mut self, id: u64, rows: usize) -> &mut Lanes {
        let Cells { own, lanes, .. } = self;
        if !lanes.is_of(id) || lanes.rows() + rows > ROWS_MAX {
            (0..).zip(own.iter_mut()).for_each(|(i, cell)| *cell = lanes.added_to(*cell, i));
            lanes.clear();
        }
        lanes
    }

    /// The run at hand has ended; whether it counts.
    pub(crate) fn end(&mut self, counts: bool) {
        if let Some(fresh) = self.fresh.take()
            && counts
        {
            self.own = fresh;
            self.lanes.clear();
        }
    }
}

impl From<&[Cell]> for Cells {
    fn from(cells: &[Cell]) -> Cells {
        Cells { own: All::from_slice(cells), lanes: Lanes::default(), fresh: None }
    }
}

impl std::fmt::Debug for Cells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..self.own.len() as u32).map(|i| self.get(i))).finish()
    }
}
