//! How fast memory is read: what no scan can be faster than.

use std::hint::black_box;
use std::time::Instant;

/// How fast one thread reads `words` once, from front to back.
pub fn read_rate_bytes_per_second(words: &[u64]) -> f64 {
    let words = black_box(words);
    let start = Instant::now();
    let mut sums = [0u64; 16];
    let mut chunks = words.chunks_exact(16);
    for chunk in &mut chunks {
        for (sum, word) in sums.iter_mut().zip(chunk) {
            *sum = sum.wrapping_add(*word);
        }
    }
    black_box(sums);
    size_of_val(words) as f64 / start.elapsed().as_secs_f64()
}
