#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::sync::Arc;

pub mod clock;
pub mod entropy;
pub mod memory;
pub mod real;
pub mod sched;
pub mod sim;
pub mod sync;
pub mod vfs;
pub mod waiting;

pub use clock::{Clock, SystemClock};
pub use entropy::Entropy;
pub use memory::MemoryVfs;
pub use real::RealVfs;
pub use vfs::{File, Vfs};

/// The outside world as one engine sees it.
#[derive(Clone)]
pub struct Env {
    /// Files.
    pub vfs: Arc<dyn Vfs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<Entropy>,
}

impl Env {
    /// Real clock and randomness over the files of directory `dir`.
    pub fn real(dir: impl Into<std::path::PathBuf>) -> Env {
        Env {
            vfs: Arc::new(RealVfs::new(dir.into())),
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(Entropy::from_os()),
        }
    }

    /// Real clock and randomness over files in memory.
    pub fn in_memory() -> Env {
        Env {
            vfs: Arc::new(MemoryVfs::default()),
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(Entropy::from_os()),
        }
    }
}
