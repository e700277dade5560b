//! Randomness: seeded by the operating system, or by a test.

use parking_lot::Mutex;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A shared generator of random bits.
pub struct Entropy(Mutex<ChaCha8Rng>);

impl Entropy {
    /// Seeded by the operating system.
    pub fn from_os() -> Entropy {
        Entropy(Mutex::new(ChaCha8Rng::from_os_rng()))
    }

    /// Gives the same bits for the same `seed`.
    pub fn seeded(seed: u64) -> Entropy {
        Entropy(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }

    /// The next 64 bits.
    pub fn next_u64(&self) -> u64 {
        self.0.lock().next_u64()
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().fill_bytes(bytes);
    }
}
