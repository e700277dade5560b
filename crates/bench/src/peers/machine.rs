//! The bare machine: a file that is written and synced, memory that is read.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Barrier;
use std::time::Instant;

use crate::stage::Failure;

const BLOCK_BYTES: usize = 4096;

/// A file of zeros, written block by block, each write followed by fdatasync: what a log cannot be faster than.
pub struct BareLog {
    file: File,
    blocks: usize,
    next: usize,
}

impl BareLog {
    /// A file with room for `blocks`, written once with zeros and synced.
    pub fn new(path: &Path, blocks: usize) -> Result<BareLog, Failure> {
        let file = File::create(path)?;
        let zeros = vec![0u8; BLOCK_BYTES];
        for i in 0..blocks {
            file.write_all_at(&zeros, (i * BLOCK_BYTES) as u64)?;
        }
        file.sync_all()?;
        Ok(BareLog { file, blocks, next: 0 })
    }

    /// Writes the next block and waits for the disk.
    pub fn write(&mut self) -> Result<(), Failure> {
        let block = [self.next as u8; BLOCK_BYTES];
        self.file.write_all_at(&block, ((self.next % self.blocks) * BLOCK_BYTES) as u64)?;
        self.file.sync_data()?;
        self.next += 1;
        Ok(())
    }
}

/// Turns per second, all together, of a loop of arithmetic and small allocations that `threads` run side by side.
pub fn loop_rate(threads: usize, turns: usize) -> f64 {
    let turn = |seed: u64| {
        let mut x = seed;
        for _ in 0..40 {
            let bytes = black_box(vec![x as u8; 16 + (x % 100) as usize]);
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(bytes.len() as u64);
        }
        x
    };
    let barrier = Barrier::new(threads);
    let rates: Vec<f64> = std::thread::scope(|scope| {
        let (turn, barrier) = (&turn, &barrier);
        let run = move |seed: u64| {
            barrier.wait();
            let start = Instant::now();
            let mut x = seed;
            for _ in 0..turns {
                x = black_box(turn(x));
            }
            turns as f64 / start.elapsed().as_secs_f64()
        };
        let all: Vec<_> = (0..threads as u64).map(|seed| scope.spawn(move || run(seed))).collect();
        all.into_iter().map(|t| t.join().unwrap_or(0.0)).collect()
    });
    rates.iter().sum()
}
