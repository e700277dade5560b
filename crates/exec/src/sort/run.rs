//! Runs: sorted rows in a file, and the tournament that merges them.

use types::Result;
use types::sortkey::prefix;

use crate::spill::{Block, BlockRef, Spill};

/// Sorted rows in the file.
pub struct Run {
    pub blocks: std::vec::IntoIter<BlockRef>,
    pub block: Block,
    pub next: usize,
    /// That of the next row's key; none behind the last row.
    pub prefix: Option<u64>,
}

impl Run {
    /// Makes the next row be there, if there is one.
    pub fn refill(&mut self, spill: &Spill) -> Result<()> {
        if self.next >= self.block.rows.rows {
            match self.blocks.next() {
                Some(at) => (self.block, self.next) = (spill.read(at)?, 0),
                None => {
                    self.prefix = None;
                    return Ok(());
                }
            }
        }
        self.prefix = Some(prefix(self.block.key(self.next)));
        Ok(())
    }

    /// Whether its next row comes before that of `other`, a later run. One that has none comes last.
    fn comes_before(&self, other: &Run) -> bool {
        match (self.prefix, other.prefix) {
            (_, None) => true,
            (None, _) => false,
            (Some(a), Some(b)) if a != b => a < b,
            _ => self.block.key(self.next) <= other.block.key(other.next),
        }
    }
}

/// A tournament of runs: at its leaves the runs, in every node above the run that lost there, on top the winner (Knuth, volume 3, 5.4.1).
pub struct Tournament {
    losers: Vec<usize>,
    pub winner: usize,
}

impl Tournament {
    pub fn new(runs: &[Run]) -> Tournament {
        let n = runs.len();
        let mut winners = vec![0; 2 * n];
        let mut losers = vec![0; n];
        for node in (1..2 * n).rev() {
            if node >= n {
                winners[node] = node - n;
                continue;
            }
            let (a, b) = (winners[2 * node], winners[2 * node + 1]);
            (winners[node], losers[node]) = if first(runs, a, b) { (a, b) } else { (b, a) };
        }
        Tournament { losers, winner: winners[1] }
    }

    /// Finds the winner after the last one's run has moved on.
    pub fn replay(&mut self, runs: &[Run]) {
        let mut node = (self.winner + runs.len()) / 2;
        while node > 0 {
            if !first(runs, self.winner, self.losers[node]) {
                std::mem::swap(&mut self.winner, &mut self.losers[node]);
            }
            node /= 2;
        }
    }
}

/// Whether run `a`'s next row comes before run `b`'s; of equal ones that of the earlier run.
fn first(runs: &[Run], a: usize, b: usize) -> bool {
    if a < b { runs[a].comes_before(&runs[b]) } else { !runs[b].comes_before(&runs[a]) }
}
